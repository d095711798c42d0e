"""Weights of the named filters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIFFERENCE", "PREWITT", "SECOND_DIFFERENCE", "SOBEL", "gaussian"]

DIFFERENCE = np.array([-1, 0, 1])
SECOND_DIFFERENCE = np.array([1, -2, 1])
PREWITT = np.array([1, 1, 1])       # what smooths across the difference
SOBEL = np.array([1, 2, 1])
for _weights in (DIFFERENCE, SECOND_DIFFERENCE, PREWITT, SOBEL):
    _weights.flags.writeable = False


def gaussian(sigma: Any, order: Any, radius: int) -> NDArray[Any]:
    """A sampled Gaussian of sum 1, or its derivative of an order, oriented for correlation.

    The derivative of ``p(x) g(x)`` is ``(p'(x) - x / sigma**2 p(x)) g(x)``: each order follows from the one before.
    """
    variance = sigma * sigma
    x = np.arange(-radius, radius + 1)
    bell = np.exp(-0.5 / variance * x**2)
    weights: NDArray[Any] = bell / bell.sum()
    if order == 0:
        return weights      # symmetric
    powers = np.arange(order + 1)
    polynomial = np.zeros(order + 1)
    polynomial[0] = 1
    step = np.diag(powers[1:], 1) + np.diag(np.ones(order) / -variance, -1)
    for _ in range(order):
        polynomial = step.dot(polynomial)
    weights *= (x[:, None] ** powers).dot(polynomial)
    weights[:radius] = weights[: radius : -1] * (-1 if order % 2 else 1)           # where the dot product rounded otherwise
    return weights[::-1]
