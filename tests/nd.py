"""What the tests of n-D problems share: problems made by hand, carried out, and the sums they stand for."""

import itertools

import numpy as np

from rapidconv import _execute, _plan
from rapidconv._boundary import Boundary, index_map
from rapidconv._problem import Order, Problem, Store, Task


def problem(image, kernel, boundary=Boundary.SYMM, fill=0, *, shape=None, first=None, dtype=None, method="auto", **more):
    """A correlation of n-D arrays as a face would hand it on; centred, and as large as the image, unless it says otherwise."""
    dtype = np.dtype(dtype or np.promote_types(image.dtype, kernel.dtype)).newbyteorder("=")
    axes = kernel.ndim
    *outer, top, left = first or [-(k // 2) for k in kernel.shape]
    made = Problem(
        image, kernel, tuple(shape or image.shape[:axes]), dtype, boundary, np.array([fill], dtype), top, left, False, False,
        method, tuple(outer), **more,
    )  # fmt: skip
    made.fill = np.array([fill], made.summed)
    return made


def run(problem, workers=1, out=None):
    """What a call that consists of this problem gives."""
    shape = problem.shape + problem.image.shape[problem.kernel.ndim :]
    task = Task([problem], shape, problem.dtype, out, [()], False, workers)
    return _execute.run(task, _plan.plans(task), _execute.allocate(task))


def plan(problem, workers=1):
    """The plan of such a call."""
    return _plan.plan(problem, workers)


def extended(problem, dtype):
    """The image with all that the kernel reaches, of a type: its valid correlation is the result."""
    axes = problem.kernel.ndim
    firsts = (*problem.outer, problem.top, problem.left)
    image = problem.image.astype(dtype)
    for axis, (first, n, taps) in enumerate(zip(firsts, problem.shape, problem.kernel.shape, strict=True)):
        length = image.shape[axis]
        at = [index_map(first + k, length, problem.boundary) for k in range(n + taps - 1)]
        taken = np.take(image, [0 if k is None else k for k in at], axis)
        outside = np.array([k is None for k in at]).reshape([-1 if a == axis else 1 for a in range(image.ndim)])
        image = np.where(outside, problem.fill.astype(dtype), taken)
    assert image.ndim in (axes, axes + 1)
    return image


def summed(problem, dtype=None):
    """The sums of a problem, tap by tap in C order of the kernel."""
    dtype = np.dtype(dtype or problem.summed)
    image, kernel = extended(problem, dtype), problem.kernel.astype(dtype)
    total = np.zeros(problem.shape + image.shape[kernel.ndim :], dtype)
    for tap in itertools.product(*map(range, kernel.shape)):
        if problem.skips and kernel[tap] == 0:
            continue
        window = tuple(slice(k, k + n) for k, n in zip(tap, problem.shape, strict=True))
        total += kernel[tap] * image[window]
    return total


__all__ = ["Boundary", "Order", "Problem", "Store", "extended", "plan", "problem", "run", "summed"]
