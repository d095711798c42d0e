"""What the stages hand on: a call as problems, and a plan for each."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._boundary import Boundary
from ._rank import Factors

__all__ = ["Lane", "Plan", "Problem", "Products", "Task", "Tiles"]


@dataclass(slots=True, eq=False)
class Problem:
    """One correlation: ``result[m, n] = sum(kernel[i, j] * image[top + m + i, left + n + j])``.

    Attributes
    ----------
    image : ndarray, 2-D of any layout, or 3-D with few interleaved channels
    kernel : ndarray, 2-D, not empty, oriented for correlation and conjugated
    shape : (int, int)
        Shape of the result.
    dtype : dtype
        Type of the result, native.
    boundary : Boundary
    fill : ndarray of `dtype`, one element
    top, left : int
        Image position under the first tap of ``result[0, 0]``.
    conjugate : bool
        Whether the result is the conjugate of the sum.
    reverse : bool
        Whether the result is stored from its last element on.
    method : str
        As asked for.
    """

    image: NDArray[Any]
    kernel: NDArray[Any]
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    boundary: Boundary
    fill: NDArray[Any]
    top: int
    left: int
    conjugate: bool
    reverse: bool
    method: str


@dataclass(slots=True, eq=False)
class Task:
    """A whole call: one problem, or one a channel.

    Attributes
    ----------
    problems : list of Problem
        Empty where the result is all zeros.
    shape, dtype
        Of the whole result.
    out : ndarray or None
        Array for the result.
    channel_axis : int or None
        Axis of the result along which the problems lie; None where there is one problem.
    copies : bool
        Whether `out` overlaps an input, or is of a layout the kernels do not write.
    workers : int
        Threads it may use.
    """

    problems: list[Problem]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    out: NDArray[Any] | None
    channel_axis: int | None
    copies: bool
    workers: int


@dataclass(slots=True, frozen=True)
class Lane:
    """A number type sums may run in.

    Attributes
    ----------
    dtype : dtype
    limit : int
        The lane is exact for images of at most this magnitude.
    """

    dtype: np.dtype[np.generic]
    limit: int


@dataclass(slots=True, frozen=True)
class Tiles:
    """How the road of tile transforms goes.

    Attributes
    ----------
    shape : (int, int)
        Sides of a tile.
    chars : str
        Types of the transforms, 'f' and 'd', tried in turn: what one refuses the next one takes, direct summation last.
    cross : bool
        Whether the kernel is complex.
    whole, positive : bool
        Whether all taps are whole numbers; whether none is negative or complex.
    norm : float
        2-norm of the kernel.
    exponent : int
        The spectrum is that of the kernel times ``2**-exponent``.
    """

    shape: tuple[int, int]
    chars: str
    cross: bool
    whole: bool
    positive: bool
    norm: float
    exponent: int


@dataclass(slots=True, frozen=True)
class Products:
    """How the separable road goes.

    Attributes
    ----------
    factors : Factors or None
        Columns and rows the kernel is a sum of products of; None for a box, whose taps are all equal.
    lanes : tuple of Lane
        As of a plan, with limits that the partial sums keep.
    clamp : bool
        Whether no tap is negative though some factors are: where no pixel is negative, no result may be.
    """

    factors: Factors | None
    lanes: tuple[Lane, ...]
    clamp: bool


@dataclass(slots=True, frozen=True)
class Plan:
    """How a problem is done.

    Attributes
    ----------
    method : str
        'direct', 'separable' or 'fft'.
    lanes : tuple of Lane
        Types of direct sums, tried in turn, tile by tile: the first whose limit holds does the tile.
    reason : str
    seconds : dict
        Predicted seconds on one thread of every road that can serve.
    workers : int
        Threads the whole call is worth.
    tiles : Tiles or None
        Of the road of tile transforms.
    products : Products or None
        Of the separable road.
    """

    method: str
    lanes: tuple[Lane, ...]
    reason: str
    seconds: dict[str, float]
    workers: int = 1
    tiles: Tiles | None = None
    products: Products | None = field(default=None, compare=False)
