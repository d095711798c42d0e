"""From a problem to a plan: the method and the number types (lanes) its sums run in."""

import numpy as np

from ._boundary import Boundary
from ._problem import Lane, Plan, Problem

__all__ = ["plan"]

#: Every whole number up to these is exact in the type.
_EXACT = ((np.dtype(np.float32), 2**24 - 1), (np.dtype(np.float64), 2**53 - 1))
_NO_LIMIT = 2**64 - 1


def plan(problem: Problem) -> Plan:
    """Choose method and lanes; a pure function of the problem."""
    kind = problem.dtype.char
    if kind in "eFf":
        return Plan("direct", _single(np.float32), "floating sums run in float32")
    if kind in "dD":
        return Plan("direct", _single(np.float64), "floating sums run in float64")
    if kind in "gG":
        return Plan("direct", _single(np.longdouble), "floating sums run in long double")
    if problem.dtype.kind != "b" and problem.dtype.itemsize <= 2:
        return Plan("direct", _single(np.int16), "wrapping is a ring homomorphism: the low bits of 16-bit sums are exact")
    return Plan("direct", _whole_number_lanes(problem), "sums small enough to be exact in a floating lane run there")


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
