"""From a problem to a plan: the method and the number types (lanes) its sums run in."""

import numpy as np

from ._boundary import Boundary
from ._native import kernels
from ._problem import Lane, Plan, Problem, Task
from ._workers import GRAIN, workers_for

__all__ = ["plan", "plans"]

#: Every whole number up to these is exact in the type.
_EXACT = ((np.dtype(np.float32), 2**24 - 1), (np.dtype(np.float64), 2**53 - 1))
_NO_LIMIT = 2**64 - 1

#: Seconds of a plane's work from which planes are shared out: to begin one takes some 10 microseconds of Python.
_PLANE = GRAIN / 2
#: Multiply-adds of a pixel of any type that take less than twice GRAIN.
_FEW = 2**16


def plans(task: Task) -> list[Plan]:
    """A plan for each problem of a call."""
    return [plan(problem, task.workers, len(task.problems)) for problem in task.problems]


def plan(problem: Problem, workers: int = 1, planes: int = 1) -> Plan:
    """Choose method, lanes, and how many of the allowed workers; a pure function of the problem.

    Parameters
    ----------
    problem : Problem
    workers : int
        As many as may be used.
    planes : int
        Problems of this kind in the call.
    """
    lanes, reason = _lanes(problem)
    return Plan("direct", lanes, reason, 1 if workers == 1 else _gaining(problem, lanes[0], workers, planes))


def _lanes(problem: Problem) -> tuple[tuple[Lane, ...], str]:
    """The number types to sum in, and why."""
    kind = problem.dtype.char
    if kind in "eFf":
        return _single(np.float32), "floating sums run in float32"
    if kind in "dD":
        return _single(np.float64), "floating sums run in float64"
    if kind in "gG":
        return _single(np.longdouble), "floating sums run in long double"
    if problem.dtype.kind != "b" and problem.dtype.itemsize <= 2:
        return _single(np.int16), "wrapping is a ring homomorphism: the low bits of 16-bit sums are exact"
    return _whole_number_lanes(problem), "sums small enough to be exact in a floating lane run there"


def _gaining(problem: Problem, lane: Lane, workers: int, planes: int) -> int:
    """How many workers gain on a call of so many planes of direct sums."""
    rows, columns = problem.shape
    numbers = rows * columns * (problem.image.shape[2] if problem.image.ndim == 3 else 1)
    taps = problem.kernel.size
    if numbers * taps < _FEW:
        return 1
    if problem.dtype.kind == "c":
        numbers *= 2
        taps *= 1 + (problem.kernel.dtype.kind == "c" and problem.image.dtype.kind == "c")
    seconds = kernels.least_seconds(numbers, taps, lane.dtype.itemsize, problem.dtype.itemsize)
    if seconds < _PLANE:
        return 1
    return workers_for(planes * seconds, planes * -(-rows // kernels.turn_rows(rows)), workers)


def _single(dtype: type[np.generic]) -> tuple[Lane, ...]:
    return (Lane(np.dtype(dtype), _NO_LIMIT),)


def _whole_number_lanes(problem: Problem) -> tuple[Lane, ...]:
    """Floating lanes where max|image| * sum|kernel| stays exact in them, then wrapping integers."""
    total, peak = _magnitude(problem.kernel), _largest(problem)
    lanes = []
    for dtype, exact in _EXACT:
        limit = exact // total if total else _NO_LIMIT
        if limit:
            lanes.append(Lane(dtype, limit))
        if peak is not None and peak <= limit:
            return (lanes[-1],)
    wide = np.dtype(np.int32 if problem.dtype.itemsize == 4 else np.int64)
    return (*lanes, Lane(wide, _NO_LIMIT))


def _magnitude(kernel: np.ndarray) -> int:
    """Sum of the magnitudes of an integer kernel."""
    top = max(int(kernel.max()), -int(kernel.min()))
    if top * kernel.size >= 2**63:
        return 2**63
    return int(np.abs(kernel.astype(np.int64)).sum())


def _largest(problem: Problem) -> int | None:
    """Largest magnitude an image of this type can have, fill included; None for wide types."""
    dtype = problem.image.dtype
    if dtype.kind != "b" and dtype.itemsize > 2:
        return None
    peak = 1 if dtype.kind == "b" else max(int(np.iinfo(dtype).max), -int(np.iinfo(dtype).min))
    return max(peak, abs(int(problem.fill[0]))) if problem.boundary is Boundary.FILL else peak
