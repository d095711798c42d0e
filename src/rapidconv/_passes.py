"""From the passes of an n-D filter to problems of rows and columns, and through plan and execution.

A pass is one correlation of all of an image.  Passes that feed each other run block by block, and need no image between them::

    image ->| pass 1: any taps |->  block  ->| pass 2: no taps along the blocks' axis |->  block of the result

so the axis along which blocks are cut is one that only the first pass has taps on.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _cost, _execute, _plan
from ._axes import CHANNELS, is_interleaved
from ._boundary import Boundary
from ._native import kernels
from ._problem import Order, Problem, Store, Task
from ._rank import split

__all__ = ["Pass", "Settings", "added", "line", "run"]

#: Bytes of a block between two passes, of the 4 MiB of scratch memory a call may take. sobel of 64 x 256 x 256 float32 with blocks
#: of 0.5, 1, 2, 4 MiB: 14.3, 11.0, 8.5, 6.5 ms (2 vCPUs of a Sapphire Rapids, 2026-11-21, benchmarks.compare --part ndimage).
_BLOCK = 2**21
#: Taps up to which two lines of weights are multiplied out, so that one call does both.
_FUSED_TAPS = 2**16
#: Whole numbers below this fit 64 bits.
_WHOLE = 2.0**63
#: Ordinary numbers of float32.
_LEAST, _MOST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max) / 2
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
    """

    kernel: NDArray[Any]
    first: tuple[int, ...]
    rule: Boundary
    is_line: bool = False
    count: int = 1


@dataclass(slots=True, frozen=True)
class Settings:
    """How passes are carried out.

    Attributes
    ----------
    cval : float or complex
        Beyond the edges of FILL.
    method : str
    workers : int
    """

    cval: float | complex
    method: str = "auto"
    workers: int = 1


def line(weights: NDArray[Any], axis: int, ndim: int, origin: int, rule: Boundary, count: int = 1) -> Pass:
    """A pass along one axis."""
    size = len(weights)
    first = [0] * ndim
    first[axis] = -(size // 2 + origin)
    shape = [1] * ndim
    shape[axis] = size
    return Pass(weights.reshape(shape), tuple(first), rule, True, count)


def run(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> None:
    """Carry out passes one after the other; `result` may share memory with `image`."""
    if not result.size:
        return
    if not result.ndim:
        image, result = image[None], result[None]
        passes = [replace(step, kernel=step.kernel[None], first=(0,)) for step in passes]
    plain = result.flags.aligned and result.dtype.isnative
    if plain and not np.may_share_memory(image, result):
        _parts(image, passes, settings, result)
    else:
        own = np.empty(result.shape, result.dtype.newbyteorder("="))
        _parts(image, passes, settings, own)
        result[...] = own


def _parts(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> None:
    """Complex sums as real ones: two, or four where image and kernel are complex."""
    if result.dtype.kind != "c":
        lines = _split(image, passes[0], settings, result) if len(passes) == 1 else None
        if lines is None:
            _chain(image, _fused(image, passes, settings, result), settings, result)
        else:
            _chain(image, lines, replace(settings, method="auto"), result, passes[0])
        return
    is_complex = image.dtype.kind == "c"
    pairs = ((image.real, settings.cval.real), (image.imag, settings.cval.imag)) if is_complex else ((image, settings.cval),)
    if passes[0].kernel.dtype.kind != "c":
        for (pixels, cval), part in zip(pairs, (result.real, result.imag), strict=True):
            _parts(pixels, passes, replace(settings, cval=cval), part)
        return
    (both,) = passes
    for k, part in enumerate((result.real, result.imag)):
        kernels = (both.kernel.real, both.kernel.imag) if k == 0 else (both.kernel.imag, both.kernel.real)
        for j, ((pixels, cval), kernel) in enumerate(zip(pairs, kernels, strict=False)):
            real = replace(both, kernel=kernel)
            real_settings = replace(settings, cval=cval)
            if j == 0:
                _chain(pixels, [real], real_settings, part)
            else:
                _accumulate(pixels, real, real_settings, part, np.subtract if k == 0 else np.add)


def _accumulate(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], operation: np.ufunc) -> None:
    """Add a pass to a result, or take it from it, block by block."""
    for block in _blocks(result, 0, 1, result.itemsize):
        sums = np.empty(result[block].shape, result.dtype)
        _correlate(image, step, settings, sums, (0, block[0].start))
        operation(result[block], sums, out=result[block])


def _blocks(result: NDArray[Any], axis: int, least: int, size: int) -> list[tuple[slice, ...]]:
    """Cuts along an axis, by shape and size of a number between passes alone."""
    length = result.shape[axis]
    step = max(least, _BLOCK * length // (size * result.size), 1)
    return [(slice(None),) * axis + (slice(at, min(at + step, length)),) for at in range(0, length, step)]


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
    *others, one, two = sorted(passes, key=lambda step: step.kernel.shape.index(max(step.kernel.shape)))
    trailing = prod(result.shape[two.kernel.shape.index(max(two.kernel.shape)) + 1 :])
    taps = one.kernel.size * two.kernel.size
    if one.rule is not two.rule or taps > _FUSED_TAPS or trailing > CHANNELS:
        return passes
    kernel = one.kernel * two.kernel
    if result.dtype.kind == "f" and np.count_nonzero(kernel) != np.count_nonzero(one.kernel) * np.count_nonzero(two.kernel):
        return passes                           # products of tiny weights underflow
    first = tuple(a + b for a, b in zip(one.first, two.first, strict=True))
    return [*others, Pass(kernel, first, one.rule, True, one.count * two.count)]


def _split(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any]) -> list[Pass] | None:
    """A pass of several planes as lines and what is left of it, where no result can tell and they are faster; else None."""
    long = [axis for axis, taps in enumerate(step.kernel.shape) if taps > 1]
    if len(long) < 3 or step.is_line or settings.method not in ("auto", "separable"):
        return None
    if step.rule is Boundary.FILL and settings.cval != 0:
        return None                             # beyond the edges a filtered image is not cval
    whole = result.dtype.kind in "iu" and _is_whole(image, step.kernel, step.rule, settings, result)
    problem, _ = _problem(image, step, settings, result)
    if not whole and (result.dtype.kind != "f" or problem.summed != result.dtype):
        return None                             # what lies between passes would be cut, or rounded once more
    if settings.method == "auto" and kernels.little_work(result.size * step.kernel.size, step.kernel.size, result.itemsize):
        return None
    lines, rest = split(problem.kernel.reshape(step.kernel.shape), problem.summed)
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
        problem, _ = _problem(image, step, settings, result)
        total += min(_plan.plan(problem).seconds.values())
    return total


def added(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> Pass | None:
    """Lines through the same pixels, summed, as one pass; None where results of each are rounded, or cut, to be summed."""
    if len(passes) == 1:
        return passes[0]
    exact = result.dtype.kind in "iu" and all(_is_whole(image, step.kernel, step.rule, settings, result) for step in passes)
    if not (result.dtype.kind in "fc" or exact) or any(step.rule is not passes[0].rule for step in passes):
        return None
    first = tuple(min(starts) for starts in zip(*(step.first for step in passes), strict=True))
    shape = [max(sizes) for sizes in zip(*(step.kernel.shape for step in passes), strict=True)]
    kernel = np.zeros(shape, passes[0].kernel.dtype)
    for step in passes:
        window = zip(first, step.first, step.kernel.shape, strict=True)
        kernel[tuple(slice(own - start, own - start + taps) for start, own, taps in window)] += step.kernel
    return Pass(kernel, first, passes[0].rule)


def _chain(
    image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any], whole: Pass | None = None
) -> None:
    """Real passes that feed each other, into a plain result that shares no memory with the image.

    Where they stand for a whole pass, blocks that are not finite are summed again by that one, directly: what is not finite
    reaches the outputs of its taps, and sums that overflow between passes may not overflow there.
    """
    cuts_means = result.dtype.kind != "f" and any(step.count > 1 for step in passes)
    if len(passes) == 1 and not cuts_means:
        _correlate(image, passes[0], settings, result)
        return
    axis = next(k for k in range(result.ndim) if all(step.kernel.shape[k] == 1 for step in passes[1:]))
    blocks = _blocks(result, axis, passes[0].kernel.shape[axis] // 2, 8 if cuts_means else result.itemsize)
    between = np.empty(result[blocks[0]].shape if len(passes) > 1 else 0, result.dtype)
    for block in blocks:
        target = result[block]
        spare = between[tuple(slice(n) for n in target.shape)] if len(passes) > 1 else target
        source = image
        for k, step in enumerate(passes):
            into = target if (len(passes) - k) % 2 else spare
            start = (axis, block[axis].start) if k == 0 else (0, 0)
            if cuts_means and step.count > 1:
                _divide(source, step, settings, into, start)
            else:
                _correlate(source, step, settings, into, start)
            source = into
        if whole is not None and not _is_finite(target):
            _correlate(image, whole, replace(settings, method="direct"), target, (axis, block[axis].start))


def _is_finite(numbers: NDArray[Any]) -> bool:
    """Whether all numbers are finite; or not, where their sum overflows."""
    with np.errstate(all="ignore"):
        return numbers.dtype.kind != "f" or bool(np.isfinite(numbers.sum()))


def _divide(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, int]) -> None:
    """Whole means: sums divided, cut toward zero."""
    sums = np.empty(result.shape, _sum_type(image, settings.cval.real, step.count))
    _correlate(image, replace(step, kernel=np.ones(step.kernel.shape, np.int64)), settings, sums, start)
    with np.errstate(all="ignore"):
        if sums.dtype.kind == "f":
            sums /= step.count
            np.trunc(sums, out=sums)
        else:
            if sums.dtype.kind == "i":
                sums += (sums >> 31) & (step.count - 1)     # so that what is negative is cut upward
            sums //= step.count
        result[...] = sums


def _sum_type(image: NDArray[Any], cval: float, count: int) -> str:
    """The narrowest type for sums of so many pixels."""
    if image.dtype.kind != "f" and cval.is_integer():
        peak = max(1 if image.dtype.kind == "b" else int(np.iinfo(image.dtype).max), int(abs(cval))) + 1
        for char in "i" if image.dtype.kind == "i" or cval < 0 else "HI":
            if peak * count <= np.iinfo(char).max:
                return char
    return "d"


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


def _correlate(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, int] = (0, 0)
) -> None:
    """One real pass; of the result from a position along one axis on."""
    problem, view = _problem(image, step, settings, result, start)
    task = Task([problem], view.shape, result.dtype, None, [()], False, settings.workers)
    _execute.run(task, _plan.plans(task), view)


def _problem(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, int] = (0, 0)
) -> tuple[Problem, NDArray[Any]]:
    """What a pass is to be planned as, and its view of the result."""
    kernel, first = step.kernel, step.first
    if start[1]:
        first = tuple(f + start[1] * (axis == start[0]) for axis, f in enumerate(first))
    cval, dtype = settings.cval.real, result.dtype
    sums, store, order = dtype, Store.WRAP, Order.TAPS
    if dtype.kind == "f":
        if image.dtype.char != "f" or not (_fits_single(kernel) and _fits_single(np.array(cval))):
            sums = _DOUBLE
        fill = np.array([cval], sums)
        kernel = kernel.astype(sums, copy=False)
    elif _is_whole(image, kernel, step.rule, settings, result):
        if dtype.kind == "b":
            sums = _INT64
        fill = np.array([int(cval) & _LOW_BITS if step.rule is Boundary.FILL else 0], np.uint64).astype(sums)
        kernel = kernel.astype(_INT64, copy=False)
    else:
        sums, store, order = _DOUBLE, Store.TRUNCATE, _order(kernel) if step.is_line else Order.TAPS
        fill = np.array([cval])
        kernel = kernel.astype(_DOUBLE, copy=False)
    pixels, view, kernel, first = _framed(image, result, kernel, first)
    *outer, top, left = first
    problem = Problem(
        pixels, kernel, view.shape[: kernel.ndim], dtype, step.rule, fill, top, left, False, False, settings.method, tuple(outer),
        None if sums == dtype else sums, store, skips=not step.is_line, order=order,
    )  # fmt: skip
    return problem, view


def _order(kernel: NDArray[Any]) -> Order:
    """In which SciPy's 1-D filters add: pairs of pixels under symmetric and antisymmetric weights."""
    weights = kernel.ravel()
    half = weights.size // 2
    if weights.size % 2:
        if np.array_equal(weights[:half], weights[:half:-1]):
            return Order.SYMMETRIC
        if np.array_equal(weights[:half], -weights[:half:-1]):
            return Order.SKEW       # whatever the middle is
    return Order.LAST_FIRST


def _framed(
    image: NDArray[Any], result: NDArray[Any], kernel: NDArray[Any], first: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], tuple[int, ...]]:
    """Views of at least rows and columns, few numbers side by side as the channels of pixels."""
    if kernel.shape[-1:] == (1,) and image.ndim > 1 and is_interleaved(image) and is_interleaved(result):
        kernel, first = kernel[..., 0], first[:-1]
    if kernel.ndim == 1:
        return image[None], result[None], kernel[None], (0, *first)
    return image, result, kernel, first
