"""Which correlations an n-D filter consists of, and as which problem of rows and columns each of them is planned.

A pass is one correlation of all of an image. Filters along several axes are lines along one after the other; lines are made one kernel,
and kernels lines, where no result can tell and it is faster. `_blocks` carries passes out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import fsum, prod
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _cost, _plan
from ._again import SMALL
from ._axes import CHANNELS, is_interleaved
from ._boundary import Boundary
from ._native import kernels
from ._problem import Order, Plan, Problem, Store, Task
from ._rank import factor, split

__all__ = ["Chain", "Filtering", "Pass", "Settings", "added", "axis_of", "chains", "largest_alike", "line", "real_chains", "task_of"]

#: Most weights of lines, by magnitude and added up: larger ones make numbers out of pixels that are subnormal, which an image between
#: two passes would have rounded. Any limit far above those of filters, whose weights add up to little, would do.
_LARGE_WEIGHTS = 2.0**20
#: Taps up to which two lines of weights are multiplied out, so that one call does both, and up to which images of any size gain by it.
_FUSED_TAPS, _FEW_TAPS = 2**16, 25
#: Bytes of a result, and of one plane of it, from which images gain by it under more taps. gaussian_filter with sigma 2 on n x n float64 as one
#: kernel and as lines, us: 100 123, 21; 256 199, 121; 360 413, 329; 512 576, 997 (2 vCPUs of a Sapphire Rapids, 2026-11-22).
_FUSED_BYTES, _FUSED_PLANE = 2**19, 2**17
#: Most lines along different axes that are summed as one kernel. laplace of 8 x 8 x 2 x 5 uint8 138 us as one of 81 taps, SciPy 25
#: (2 vCPUs of a Sapphire Rapids, 2026-11-22).
_ADDED = 3
#: Bytes of a result up to which lines, one of them antisymmetric, gain by not being multiplied out. Both ways, first derivative, sigma 2, n x n, us: 300
#: float64 158, 290; 512 float32 236, 390; 512 float64 800, 490 (2 vCPUs of a Sapphire Rapids, 2026-11-22).
_LINES_BYTES = 2**20
#: Numbers of a result from which channels that lie apart are better done one by one than as columns of few numbers. convolve of 400 x 500 x 3
#: float64, every other column of an array, by 3 x 3 x 1 6250 us as columns, 2070 as channels; of 90 x 80 x 5 63, 64 (the same machine, 2026-11-22).
_APART = 2**16
#: Whole numbers below this fit 64 bits.
_WHOLE = 2.0**63
#: Sums of pixels of up to 32 bits, and of values beyond the edges below this, are exact.
_SMALL_CVAL = 2.0**16
#: Ordinary numbers of float32.
_LEAST, _MOST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max) / 2
_INT16: np.dtype[Any] = np.dtype(np.int16)
_INT64: np.dtype[Any] = np.dtype(np.int64)
_DOUBLE: np.dtype[Any] = np.dtype(np.float64)
_LOW_BITS = 2**64 - 1


@dataclass(slots=True, frozen=True, eq=False)
class Pass:
    """``result[x] = sum(kernel[j] * image[x + first + j])`` along every axis.

    Attributes
    ----------
    kernel : ndarray of as many axes as the image; float64, integers or complex
        Oriented for correlation and conjugated.
    first : tuple of int
    rule : Boundary
    is_line : bool
        Whether it is one of SciPy's 1-D filters, which add in an order of their own and multiply zero taps.
    count : int
        Of a mean: whole results are the sum divided by this, where the kernel's taps are ``1 / count``.
    method : str or None
        The only one that keeps what its lines promise: of a flat image antisymmetric ones are exactly zero. Direct sums meet the
        taps row by row, transforms all at once.
    """

    kernel: NDArray[Any]
    first: tuple[int, ...]
    rule: Boundary
    is_line: bool = False
    count: int = 1
    method: str | None = None


@dataclass(slots=True, frozen=True)
class Settings:
    """How passes are carried out.

    Attributes
    ----------
    cval : float or complex
        Beyond the edges of FILL.
    method : str
    workers : int
    kept : dict or None
        Plans of calls like this one, which a call adds to.
    """

    cval: float | complex
    method: str = "auto"
    workers: int = 1
    kept: dict[object, Plan] | None = None


@dataclass(slots=True, frozen=True, eq=False)
class Filtering:
    """What a call asks for.

    Attributes
    ----------
    image : ndarray
    passes : list of Pass
        Each takes the results of the one before; without any the image is copied.
    settings : Settings
    result : ndarray
        It may share memory with the image.
    sums : bool
        Whether every pass takes the image instead, and their results are added up.
    """

    image: NDArray[Any]
    passes: list[Pass]
    settings: Settings
    result: NDArray[Any]
    sums: bool = False


def line(weights: NDArray[Any], axis: int, ndim: int, origin: int, rule: Boundary, count: int = 1) -> Pass:
    """A pass along one axis."""
    size = len(weights)
    first = [0] * ndim
    first[axis] = -(size // 2 + origin)
    shape = [1] * ndim
    shape[axis] = size
    return Pass(weights.reshape(shape), tuple(first), rule, True, count)


class Chain(NamedTuple):
    """Real passes that feed each other.

    Attributes
    ----------
    image : ndarray
    passes : list of Pass
    settings : Settings
    part : ndarray
        Of the result.
    operation : ufunc or None
        What joins these results to what is there, where they are not just put there.
    whole : Pass or None
        The pass that they stand for, if they do.
    """

    image: NDArray[Any]
    passes: list[Pass]
    settings: Settings
    part: NDArray[Any]
    operation: np.ufunc | None = None
    whole: Pass | None = None


def chains(asked: Filtering) -> Iterator[Chain]:
    """What a call consists of: chains of all its passes, or where results are added up, of each pass alone."""
    for k, passes in enumerate([[step] for step in asked.passes] if asked.sums else [asked.passes]):
        for each in real_chains(asked.image, passes, asked.settings, asked.result):
            yield each._replace(operation=np.add) if k else each


def real_chains(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> Iterator[Chain]:
    """Complex sums as real ones: two, or four where image and kernel are complex."""
    if result.dtype.kind != "c":
        if all(step.is_line for step in passes):
            passes = [_folded(image, step, settings, result) for step in passes]
        lines = _split(image, passes[0], settings, result) if len(passes) == 1 else None
        if lines is None:
            yield Chain(image, _fused(image, passes, settings, result), settings, result)
        else:
            yield Chain(image, lines, replace(settings, method="auto"), result, whole=passes[0])
        return
    is_complex = image.dtype.kind == "c"
    pairs = ((image.real, settings.cval.real), (image.imag, settings.cval.imag)) if is_complex else ((image, settings.cval),)
    if passes[0].kernel.dtype.kind != "c":
        for (pixels, cval), part in zip(pairs, (result.real, result.imag), strict=True):
            yield from real_chains(pixels, passes, replace(settings, cval=cval), part)
        return
    (both,) = passes
    for k, part in enumerate((result.real, result.imag)):
        weights = (both.kernel.real, both.kernel.imag) if k == 0 else (both.kernel.imag, both.kernel.real)
        for j, ((pixels, cval), kernel) in enumerate(zip(pairs, weights, strict=False)):
            operation = None if j == 0 else np.subtract if k == 0 else np.add
            yield Chain(pixels, [replace(both, kernel=kernel)], replace(settings, cval=cval), part, operation)


def largest_alike(asked: list[Pass], chain: Chain) -> int:
    """Numbers of the largest small image of any sides for which these passes become such a chain; 0 where not only numbers decide."""
    if len(chain.passes) < len(asked):
        return 0 if max(step.kernel.size for step in chain.passes) > _FEW_TAPS else SMALL
    return _FUSED_BYTES // chain.part.itemsize if len(chain.passes) > 1 else SMALL


def _fused(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> list[Pass]:
    """Passes with those along the last two axes as one, where no result can tell."""
    if len(passes) < 2 or not all(step.is_line for step in passes):
        return passes
    if any(step.rule is Boundary.FILL for step in passes) and settings.cval != 0:
        return passes                           # the second pass continues filtered lines with cval, not the image
    if result.dtype.kind != "f" and not all(_is_whole(image, step.kernel, step.rule, settings, result) for step in passes):
        return passes                           # whole numbers between passes are cut
    if result.dtype.kind == "b":
        return passes
    *others, one, two = sorted(passes, key=axis_of)
    last = result.shape[axis_of(two)]
    trailing = prod(result.shape[axis_of(two) + 1 :])
    taps = one.kernel.size * two.kernel.size
    if one.rule is not two.rule or taps > _FUSED_TAPS or trailing > CHANNELS:
        return passes
    if trailing == 1 and last <= CHANNELS:
        return passes                           # it is slow to sum along rows of so few numbers
    plane = result.itemsize * result.shape[axis_of(one)] * last * trailing
    if taps > _FEW_TAPS and (result.nbytes <= _FUSED_BYTES or plane <= _FUSED_PLANE):
        return passes
    kernel = one.kernel * two.kernel
    if result.dtype.kind == "f" and np.count_nonzero(kernel) != np.count_nonzero(one.kernel) * np.count_nonzero(two.kernel):
        return passes                           # products of tiny weights underflow
    first = tuple(a + b for a, b in zip(one.first, two.first, strict=True))
    fused = Pass(kernel, first, one.rule, True, one.count * two.count)
    skew = result.dtype.kind == "f" and any(_order(step.kernel) is Order.SKEW for step in (one, two))
    if skew and _order(kernel) is Order.TAPS:
        if result.nbytes <= _LINES_BYTES or not _is_factored(image, fused, settings, result):
            return passes
        fused = replace(fused, method="separable")
    return [*others, fused]


def _is_factored(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any]) -> bool:
    """Whether sums along rows and columns can serve a pass with two long axes: not those of weights beyond the ordinary."""
    problem, _ = _problem(image, step, settings, result, frames=False)
    plane = problem.kernel.reshape([taps for taps in problem.kernel.shape if taps > 1])
    return factor(plane, problem.summed) is not None


def axis_of(step: Pass) -> int:
    """The axis of a line."""
    return step.kernel.shape.index(step.kernel.size)


def _folded(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any]) -> Pass:
    """A line with taps that always meet the same pixel as one, where no result can tell.

    That is decided by what the head of a kept call's key has (`_native/ready.pxi`), as the call's jobs serve other weights, too.

    Examples
    --------
    >>> image = np.zeros((9, 2))
    >>> _folded(image, line(np.arange(1.0, 8), 1, 2, 0, Boundary.SYMM), Settings(0.0), image)
    Pass(kernel=array([[ 8., 10.,  4.,  6.]]), first=(0, -2), rule=<Boundary.SYMM: 1>, is_line=True, count=1, method=None)
    """
    axis = axis_of(step)
    n, weights, first, beyond = result.shape[axis], step.kernel.ravel(), step.first[axis], step.rule is Boundary.FILL
    if weights.size == 1 or (n > 1 and (axis < result.ndim - 1 or n > CHANNELS or weights.size <= 2 * n)):
        return step
    if (beyond and settings.cval != 0) or not np.isfinite(weights).all():
        return step
    exact = result.dtype.kind != "f"
    if exact and step.count > 1:
        if n > 1:
            return step
    elif exact and not _is_whole(image, step.kernel, step.rule, settings, result):
        return step                             # sums that are cut show their last bit
    same = (weights > 0).all() or (weights < 0).all() or (n == 1 and not (weights + weights[::-1]).any())
    if not (exact or beyond or same):
        return step                             # infinities of both signs meet
    period = {Boundary.SYMM: 2 * n if n > 1 else 1, Boundary.MIRROR: max(1, 2 * n - 2), Boundary.WRAP: n}.get(step.rule)
    if period is None:                          # no tap more than there were: a zero would make NaN of an infinity
        low, high = max(1 - n, first), min(n - 1, first + weights.size - 1)
    else:
        low, high = -(period // 2), (period - 1) // 2
    met: list[list[Any]] = [[] for _ in range(low, high + 1)]
    for k, weight in enumerate(weights.tolist(), first):
        if low <= k <= high or not beyond:
            met[(k - low) % period if period else min(max(k, low), high) - low].append(weight)
    folded = np.array([(fsum if weights.dtype.kind == "f" else sum)(each) for each in met], weights.dtype)      # pairs cancel
    if step.count > 1 and n == 1 and not beyond:
        return line(np.ones(1), axis, result.ndim, 0, step.rule)        # the mean of a pixel and itself
    return line(folded, axis, result.ndim, -low - len(folded) // 2, step.rule, step.count)


def _split(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any]) -> list[Pass] | None:
    """A pass of several planes as lines and what is left of it, where no result can tell and they are faster; else None."""
    long = [axis for axis, taps in enumerate(step.kernel.shape) if taps > 1]
    if len(long) < 3 or step.is_line or settings.method not in ("auto", "separable"):
        return None
    if step.rule is Boundary.FILL and settings.cval != 0:
        return None                             # beyond the edges a filtered image is not cval
    whole = result.dtype.kind in "iu" and _is_whole(image, step.kernel, step.rule, settings, result)
    problem, _ = _problem(image, step, settings, result, frames=False)
    if not whole and (result.dtype.kind != "f" or problem.summed != result.dtype):
        return None                             # what lies between passes would be cut, or rounded once more
    if not whole and np.abs(step.kernel).sum() > _LARGE_WEIGHTS:
        return None                             # pixels that are next to nothing would be stored before they grow
    width = result.shape[-1]
    if settings.method == "auto" and kernels.little_work(result.size // width, width, 1, step.kernel, result.itemsize):
        return None
    lines, rest = split(problem.kernel, problem.summed)
    if not lines:
        return None
    parts = [rest, *(taps.reshape([-1 if k == axis else 1 for k in range(rest.ndim)]) for axis, taps in lines)]
    passes = [
        Pass(kernel, tuple(first if taps > 1 else 0 for first, taps in zip(step.first, kernel.shape, strict=True)), step.rule)
        for kernel in sorted(parts, key=_first_long)
    ]
    if settings.method == "auto" and _seconds(image, [step], settings, result) < _seconds(image, passes, settings, result):
        return None
    return passes


def _first_long(kernel: NDArray[Any]) -> int:
    """The first axis along which a kernel has several taps."""
    return next(axis for axis, taps in enumerate(kernel.shape) if taps > 1)


def _seconds(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> float:
    """Predicted seconds of passes on one thread."""
    total = (len(passes) - 1) * _cost.between(result.nbytes)
    for step in passes:
        problem, _ = _problem(image, step, settings, result, frames=False)      # by shapes alone, so that no layout decides
        total += min(_plan.plan(problem).seconds.values())
    return total


def added(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> list[Pass] | None:
    """Lines through the same pixels, summed, as one pass; None where results of each are rounded, or cut, to be summed, and where
    a kernel of so many axes would be zeros but for few taps."""
    if len(passes) < 2:
        return passes
    if len(passes) > _ADDED:
        return None
    exact = result.dtype.kind in "iu" and all(_is_whole(image, step.kernel, step.rule, settings, result) for step in passes)
    if not (result.dtype.kind in "fc" or exact) or any(step.rule is not passes[0].rule for step in passes):
        return None
    first = tuple(min(starts) for starts in zip(*(step.first for step in passes), strict=True))
    shape = [max(sizes) for sizes in zip(*(step.kernel.shape for step in passes), strict=True)]
    kernel = np.zeros(shape, passes[0].kernel.dtype)
    for step in passes:
        window = zip(first, step.first, step.kernel.shape, strict=True)
        kernel[tuple(slice(own - start, own - start + taps) for start, own, taps in window)] += step.kernel
    return [Pass(kernel, first, passes[0].rule)]


def task_of(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, ...] = ()
) -> tuple[Task, NDArray[Any]]:
    """One real pass as a call of one problem, and the result as it sees it."""
    problem, view = _problem(image, step, settings, result, start)
    return Task([problem], view.shape, result.dtype, None, [()], False, settings.workers), view


def _problem(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, ...] = (), *,
    frames: bool = True,
) -> tuple[Problem, NDArray[Any]]:  # fmt: skip
    """What a pass is to be planned as, and its view of the result."""
    kernel, first = step.kernel, step.first
    if any(start):
        first = tuple(map(add, first, start))
    cval, dtype, beyond = settings.cval.real, result.dtype, step.rule is Boundary.FILL
    sums, store = dtype, Store.WRAP
    if dtype.kind != "f" and step.count > 1:
        sums, store = _sum_type(image.dtype, cval if beyond else 0.0, step.count), Store.DIVIDE
        fill, kernel = np.array([cval if beyond else 0]).astype(sums), np.ones(kernel.shape, sums)
    elif dtype.kind == "f":
        if image.dtype.char != "f" or not (_fits_single(kernel) and _fits_single(np.array(cval))):
            sums = _DOUBLE
        fill = np.array([cval], sums)
        kernel = kernel.astype(sums, copy=False)
    elif _is_whole(image, kernel, step.rule, settings, result):
        if dtype.kind == "b":
            sums = _INT64
        fill = np.array([int(cval) & _LOW_BITS if beyond else 0], np.uint64).astype(sums)
        kernel = kernel.astype(_INT64, copy=False)
    else:
        sums, store = _DOUBLE, Store.TRUNCATE
        fill = np.array([cval])
        kernel = kernel.astype(_DOUBLE, copy=False)
    pixels, view, cut, turns = image, result, store is Store.TRUNCATE, False
    tells = kernel.size > kernel.shape[-1] and sums.kind == "f"         # a result, in which order its taps were met
    if frames:
        across = kernel.ndim > 1 and kernel.shape[-1] > 1 and image.shape[-1] <= CHANNELS
        turns = across and (not tells or (kernel.ndim == 2 if cut else kernel.ndim > 2))
        pixels, view, kernel, first = _framed(image, result, kernel, first, step.method or settings.method, turns=turns)
    order = _order(kernel) if step.is_line and sums.kind == "f" else Order.TAPS
    if order is Order.LAST_FIRST and not cut:
        order = Order.TAPS
    if tells and cut and turns:
        order = Order.TURNED
    *outer, top, left = first
    problem = Problem(
        pixels, kernel, view.shape[: kernel.ndim], dtype, step.rule, fill, top, left, False, False, settings.method, tuple(outer),
        None if sums == dtype else sums, store, 1.0, step.count, skips=not step.is_line, order=order,
    )  # fmt: skip
    if step.method is not None:
        problem.method, problem.why = step.method, "of a flat image it is exactly zero"
    return problem, view


def _sum_type(image: np.dtype[Any], cval: float, count: int) -> np.dtype[Any]:
    """Type for the sums of so many pixels, whole ones if they are sure to be exact."""
    if image.kind == "f" or image.itemsize > 4 or abs(cval) >= _SMALL_CVAL or not cval.is_integer():
        return _DOUBLE
    return _INT16 if image.itemsize == 1 and abs(cval) < 2**8 and count < 2**7 else _INT64


def _is_whole(image: NDArray[Any], kernel: NDArray[Any], rule: Boundary, settings: Settings, result: NDArray[Any]) -> bool:
    """Whether sums are of whole numbers, so that they are exact."""
    if result.dtype.kind == "f" or image.dtype.kind == "f":
        return False
    cval = settings.cval
    if rule is Boundary.FILL and not (abs(cval) < _WHOLE and cval.real.is_integer()):
        return False
    if kernel.dtype.kind == "i":
        return True
    return bool((np.abs(kernel) < _WHOLE).all() and (np.rint(kernel) == kernel).all())


def _fits_single(numbers: NDArray[Any]) -> bool:
    """Whether numbers are zero or ordinary ones in float32."""
    sizes = np.abs(numbers)
    return bool((((sizes > _LEAST) | (sizes == 0)) & (sizes < _MOST)).all())


def _order(kernel: NDArray[Any]) -> Order:
    """In which SciPy's 1-D filters add: pairs of pixels under symmetric and antisymmetric weights; of two of them the slopes of 3 x 3."""
    weights = kernel.ravel()
    if weights.size not in kernel.shape:
        return _slope(weights.reshape(3, 3)) if [taps for taps in kernel.shape if taps > 1] == [3, 3] else Order.TAPS
    half = weights.size // 2
    if weights.size % 2:
        if np.array_equal(weights[:half], weights[:half:-1]):
            return Order.SYMMETRIC
        if np.array_equal(weights[:half], -weights[:half:-1]):
            return Order.SKEW       # whatever the middle is
    return Order.LAST_FIRST


def _slope(kernel: NDArray[Any]) -> Order:
    """In which order a kernel of 3 x 3 adds.

    Examples
    --------
    >>> _slope(np.outer([1, 2, 1], [-1, 0, 1])), _slope(np.outer([-1, 0, 1], [3, 10, 3])), _slope(np.ones((3, 3)))
    (<Order.SLOPE_ALONG: 5>, <Order.SLOPE_DOWN: 4>, <Order.TAPS: 0>)
    """
    for weights, order in ((kernel, Order.SLOPE_DOWN), (kernel.T, Order.SLOPE_ALONG)):
        first, middle, last = weights
        if (first == -last).all() and not middle.any() and first[0] == first[2]:
            return order
    return Order.TAPS


def _framed(
    image: NDArray[Any], result: NDArray[Any], kernel: NDArray[Any], first: tuple[int, ...], method: str, *, turns: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], tuple[int, ...]]:
    """Views of at least rows and columns, few numbers on the last axis as the channels of pixels, or where it turns as the first axis.

    Under kernels of several planes such numbers are planes as well, whatever their layout: tiles follow from their number.
    """
    flat = sum(taps > 1 for taps in kernel.shape) < 3
    if turns:
        image, result, kernel = (np.moveaxis(each, -1, 0) for each in (image, result, kernel))
        first = first[-1], *first[:-1]
    elif flat and kernel.shape[-1:] == (1,) and image.ndim > 1 and image.shape[-1] == result.shape[-1] <= CHANNELS:
        # Plans follow from shapes. Little work, which is direct however it is seen, and of the same bits, may go by layout.
        asked = method not in ("auto", "direct")
        planned = asked or result.size > _APART or not kernels.little_work(result.size, 1, 1, kernel, 8)
        if planned or (is_interleaved(image) and is_interleaved(result)):
            kernel, first = kernel[..., 0], first[:-1]
    if kernel.ndim == 1:
        return image[None], result[None], kernel[None], (0, *first)
    return image, result, kernel, first
