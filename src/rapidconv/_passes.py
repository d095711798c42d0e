"""From the passes of an n-D filter to problems of rows and columns, and through plan and execution.

A pass is one correlation of all of an image.  Passes that feed each other run block by block, and need no image between them::

    image ->| pass 1: any taps |->  block  ->| pass 2: no taps along the blocks' axis |->  block of the result

so the axis along which blocks are cut is one that only the first pass has taps on. Where planes across it are so large that blocks
would be too thin, they are cut along other axes too; what lies between passes is then as much larger as later taps reach::

    image ->| pass 1 |->  ..[ block ]..  ->| pass 2 |->  block of the result
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import fsum, prod
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _again, _cost, _execute, _memory, _plan
from ._again import ADD_TO, BETWEEN, IMAGE, NOTHING, RESULT, SMALL, TAKE_FROM
from ._axes import CHANNELS, is_interleaved
from ._boundary import Boundary, index_map
from ._native import kernels
from ._problem import Order, Plan, Problem, Store, Task
from ._rank import split

__all__ = ["BLOCK", "THICK", "Filtering", "Pass", "Settings", "added", "line", "planned", "run", "run_lines"]

#: Bytes of a block between two passes, of the 4 MiB of scratch memory a call may take. sobel of 64 x 256 x 256 float32 with blocks
#: of 0.5, 1, 2, 4 MiB: 14.3, 11.0, 8.5, 6.5 ms (2 vCPUs of a Sapphire Rapids, 2026-11-21, benchmarks.compare --part ndimage).
BLOCK = 2**21
#: Bytes between passes where blocks of so little would be too thin along the axis of the first one. gaussian_filter with sigma 8, whose
#: blocks take as many bytes as they like, 4 and 16 MiB, on one thread: 96 x 512 x 512 float32 130, 310 to 410, 155 ms; 24 x 1024 x 1024 100, 360, 150.
THICK = 2**24
#: Results beside each other that are summed again together, where some of them are not finite.
_CROWD = 256
#: Numbers that it takes as long to begin a row with.
_SHORT = 64
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
        The only one whose results keep what its lines promise.
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


def run(asked: Filtering, weights: NDArray[Any] | None = None) -> Any:
    """Carry out a call; the jobs (`kernels.Ready`) that did it, if it is small, or what did a long call (`_execute.Again`), or None.

    `weights` are those that others may take the place of when these are kept.
    """
    image, passes, result = asked.image, asked.passes, asked.result
    if not result.size:
        return None
    plain, is_scalar = result.flags.aligned and result.dtype.isnative, not result.ndim
    keeps = plain and not is_scalar             # jobs make results as NumPy does, of one axis or more
    if not passes:
        result[...] = image
        return kernels.Ready([], image, result, 0, None, SMALL) if keeps and result.size <= SMALL else None
    if is_scalar:
        image, result = image[None], result[None]
        passes = [replace(step, kernel=step.kernel[None], first=(0,)) for step in passes]
    own = result
    if not plain or np.may_share_memory(image, result):
        own = _memory.empty(result.shape, result.dtype.newbyteorder("="))
    asked = replace(asked, image=image, passes=passes, result=own)
    ready = _ready(asked, weights) if own.size <= SMALL else None
    parts = [] if ready is not None else list(_terms(asked))
    again = _long(image, parts) if ready is None else None
    if ready is not None:
        ready.run(image, own, None, False)
    elif again is not None:
        again.run(image, own)
        ready = again
    else:
        for pixels, chain, beyond, part, operation, whole in parts:
            if operation is None:
                _chain(pixels, chain, beyond, part, whole)
            else:
                _accumulate(pixels, chain[0], beyond, part, operation)
    if own is not result:
        result[...] = own
    return ready if keeps else None


def run_lines(asked: Filtering, found: Any) -> bool:
    """Carry out a small call that was not made before, line by line, by the jobs of lines like these; whether it is such.

    So a Gaussian of another sigma in each call makes no jobs of its own. `found` is what `kernels.again` says of it.
    """
    image, passes, settings, result = asked.image, asked.passes, asked.settings, asked.result
    if result.dtype.kind == "c" or not (result.flags.carray and result.dtype.isnative):
        return False
    if not passes or result.ndim > kernels.free_axes:       # jobs of images of more axes serve no others
        return False
    if np.may_share_memory(image, result):
        return False
    ((_, chain, *_),) = _parts(image, passes, settings, result)
    if any(step.kernel.size not in step.kernel.shape for step in chain) or not _again.is_new(found):
        return False
    for step in chain:
        axis = _axis_of(step)
        into = result if step is chain[-1] else np.empty(result.shape, result.dtype)
        arguments = step.kernel.ravel(), "correlate", axis, int(step.rule), settings.cval, step.first[axis]
        line_found = kernels.again(_again.kept, "line", image, into, arguments)
        if line_found is not into:
            weights = None if line_found is None else line_found[1]
            ready = run(Filtering(image, [step], settings, into), weights)
            if ready is not None and line_found is not None:
                _again.keep(line_found, ready)
        image = into
    return True


def _ready(asked: Filtering, weights: NDArray[Any] | None) -> Any:
    """The jobs (`kernels.Ready`) of a small call; None where there is more to it than some direct sums on one thread."""
    found, between, most = [], 0, SMALL
    for pixels, chain, beyond, part, operation, whole in _terms(asked):
        if whole is not None:
            return None
        most = min(most, _most(chain if asked.sums else asked.passes, chain, part))
        own = part if operation is None else np.empty(part.shape, part.dtype)
        (_, steps), *others = _blocks(pixels, chain, own)
        if others:
            return None
        for source, step, into, _, (place, onto) in steps:
            task, view = _task(source, step, beyond, into)
            onto = onto if operation is None else BETWEEN
            found.append((task.problems[0], _prepared(task, view, beyond), view, place, onto, _THEN[operation], part))
            between = max(between, into.nbytes if onto == BETWEEN else 0)
    return _execute.ready(found, asked.image, asked.result, between, weights, most)


def _long(image: NDArray[Any], parts: list[Any]) -> _execute.Again | None:
    """What does a long call of one problem, for other images like this one, too."""
    (pixels, chain, beyond, part, operation, whole), *others = parts
    if others or len(chain) > 1 or operation is not None or whole is not None:
        return None
    task, view = _task(pixels, chain[0], beyond, part)
    return _execute.again(task, [_prepared(task, view, beyond)], image, view)


def _most(passes: list[Pass], chain: list[Pass], result: NDArray[Any]) -> int:
    """Numbers of the largest image of any sides that is filtered by the same chain of passes, 0 where other things decide."""
    if len(chain) < len(passes):
        return 0 if max(step.kernel.size for step in chain) > _FEW_TAPS else SMALL
    return _FUSED_BYTES // result.itemsize if len(chain) > 1 else SMALL


#: What kept jobs do with what lies between instead.
_THEN: dict[np.ufunc | None, int] = {None: NOTHING, np.add: ADD_TO, np.subtract: TAKE_FROM}

#: A chain of real passes to be: image, passes, settings, part of the result, what is done with it, if it is not just put there, and
#: the pass that they stand for, if they do.
_Part = tuple[NDArray[Any], list[Pass], Settings, NDArray[Any], np.ufunc | None, Pass | None]


def _terms(asked: Filtering) -> Iterator[_Part]:
    """What a call consists of: chains that follow each other, or where results are added up, of each pass alone."""
    for k, chain in enumerate([[step] for step in asked.passes] if asked.sums else [asked.passes]):
        for image, passes, settings, part, operation, whole in _parts(asked.image, chain, asked.settings, asked.result):
            yield image, passes, settings, part, np.add if k else operation, whole


def _parts(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any]) -> Iterator[_Part]:
    """Complex sums as real ones: two, or four where image and kernel are complex."""
    if result.dtype.kind != "c":
        if all(step.is_line for step in passes):
            passes = [_folded(image, step, settings, result) for step in passes]
        lines = _split(image, passes[0], settings, result) if len(passes) == 1 else None
        if lines is None:
            yield image, _fused(image, passes, settings, result), settings, result, None, None
        else:
            yield image, lines, replace(settings, method="auto"), result, None, passes[0]
        return
    is_complex = image.dtype.kind == "c"
    pairs = ((image.real, settings.cval.real), (image.imag, settings.cval.imag)) if is_complex else ((image, settings.cval),)
    if passes[0].kernel.dtype.kind != "c":
        for (pixels, cval), part in zip(pairs, (result.real, result.imag), strict=True):
            yield from _parts(pixels, passes, replace(settings, cval=cval), part)
        return
    (both,) = passes
    for k, part in enumerate((result.real, result.imag)):
        weights = (both.kernel.real, both.kernel.imag) if k == 0 else (both.kernel.imag, both.kernel.real)
        for j, ((pixels, cval), kernel) in enumerate(zip(pairs, weights, strict=False)):
            operation = None if j == 0 else np.subtract if k == 0 else np.add
            yield pixels, [replace(both, kernel=kernel)], replace(settings, cval=cval), part, operation, None


def _accumulate(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], operation: np.ufunc) -> None:
    """Add a pass to a result, or take it from it, block by block."""
    dtype = result.dtype.newbyteorder("=")
    for box in _boxes(result.shape, result.itemsize, 0, 1, [0] * result.ndim):
        sums = np.empty(result[_slices(box)].shape, dtype)
        _correlate(image, step, settings, sums, tuple(start for start, _ in box))
        operation(result[_slices(box)], sums, out=result[_slices(box)])


#: First and end along every axis.
_Box = list[tuple[int, int]]


def _slices(box: _Box) -> tuple[slice, ...]:
    """Index of a box."""
    return tuple(slice(first, end) for first, end in box)


def _boxes(shape: tuple[int, ...], size: int, axis: int, least: int, reach: list[int]) -> list[_Box]:
    """Boxes of a result that are no larger than a block, by shapes and the size of a number alone.

    They are cut along one axis. Where so few planes would not be worth it they may be larger; where they would be far larger, they are
    cut along the others too, where later taps reach beyond them.

    Examples
    --------
    >>> [box[0] for box in _boxes((90, 256, 256), 8, 0, 4, [0, 8, 8])][:3]
    [(0, 4), (4, 8), (8, 12)]
    >>> _boxes((90, 512, 512), 8, 0, 4, [0, 32, 32])[0], _boxes((90, 1024, 1024), 8, 0, 16, [0, 32, 32])[0]
    ([(0, 4), (0, 512), (0, 512)], [(0, 16), (0, 128), (0, 512)])
    """
    lengths, step = list(shape), BLOCK * shape[axis] // (size * prod(shape))
    lengths[axis] = min(shape[axis], max(step, least))

    def grown(cut: list[int]) -> list[int]:
        return [min(n, k + taps) for n, k, taps in zip(shape, cut, reach, strict=True)]

    def work(cut: list[int]) -> float:
        again = prod(grown(cut)) / prod(cut) * (1 + _SHORT / cut[-1])
        return again * (1 + least / (4 * cut[axis]))                # planes that are read again

    while step < least and size * prod(grown(lengths)) > THICK and max(lengths) > 1:
        halved = ([*lengths[:k], -(-n // 2), *lengths[k + 1 :]] for k, n in enumerate(lengths) if n > 1)
        lengths = min(halved, key=work)
    cuts = [[(at, min(at + k, n)) for at in range(0, n, k)] for n, k in zip(shape, lengths, strict=True)]
    return [list(box) for box in product(*cuts)]


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
    *others, one, two = sorted(passes, key=_axis_of)
    last = result.shape[_axis_of(two)]
    trailing = prod(result.shape[_axis_of(two) + 1 :])
    taps = one.kernel.size * two.kernel.size
    if one.rule is not two.rule or taps > _FUSED_TAPS or trailing > CHANNELS:
        return passes
    if trailing == 1 and last <= CHANNELS:
        return passes                           # it is slow to sum along rows of so few numbers
    plane = result.itemsize * result.shape[_axis_of(one)] * last * trailing
    if taps > _FEW_TAPS and (result.nbytes <= _FUSED_BYTES or plane <= _FUSED_PLANE):
        return passes
    kernel, method = one.kernel * two.kernel, None
    skew = result.dtype.kind == "f" and any(_order(step.kernel) is Order.SKEW for step in (one, two))
    if skew and _order(kernel) is Order.TAPS:
        if result.nbytes <= _LINES_BYTES:
            return passes
        method = "separable"                    # direct sums meet the taps row by row, so that a flat image's need not be zero
    if result.dtype.kind == "f" and np.count_nonzero(kernel) != np.count_nonzero(one.kernel) * np.count_nonzero(two.kernel):
        return passes                           # products of tiny weights underflow
    first = tuple(a + b for a, b in zip(one.first, two.first, strict=True))
    return [*others, Pass(kernel, first, one.rule, True, one.count * two.count, method)]


def _axis_of(step: Pass) -> int:
    """The axis of a line."""
    return step.kernel.shape.index(step.kernel.size)


def _folded(image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any]) -> Pass:
    """A line with taps that always meet the same pixel as one, where no result can tell; by what the heads of `kernels.again` have alone.

    Examples
    --------
    >>> image = np.zeros((9, 2))
    >>> _folded(image, line(np.arange(1.0, 8), 1, 2, 0, Boundary.SYMM), Settings(0.0), image)
    Pass(kernel=array([[ 8., 10.,  4.,  6.]]), first=(0, -2), rule=<Boundary.SYMM: 1>, is_line=True, count=1)
    """
    axis = _axis_of(step)
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
    low, high = (1 - n, n - 1) if period is None else (-(period // 2), (period - 1) // 2)
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
    if settings.method == "auto" and kernels.little_work(result.size // width, width, 1, step.kernel.size, result.itemsize):
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


def _chain(image: NDArray[Any], passes: list[Pass], settings: Settings, result: NDArray[Any], whole: Pass | None) -> None:
    """Real passes that feed each other, into a plain result that shares no memory with the image.

    Where they stand for a whole pass, results that are not finite are summed again by that one, directly: what is not finite
    reaches the outputs of its taps, and sums that overflow between passes may not overflow there.
    """
    direct = replace(settings, method="direct")
    for box, steps in _blocks(image, passes, result):
        for source, step, into, start, _ in steps:
            _correlate(source, step, settings, into, start)
        target = result[_slices(box)]
        if whole is not None and not _is_finite(target):
            for bad in _crowds(~np.isfinite(target), [(0, n) for n in target.shape]):
                start = tuple(at + first for (at, _), (first, _) in zip(box, bad, strict=True))
                _correlate(image, whole, direct, target[_slices(bad)], start)


def _is_finite(numbers: NDArray[Any]) -> bool:
    """Whether all numbers are finite; or not, where their sum overflows."""
    with np.errstate(all="ignore"):
        return numbers.dtype.kind != "f" or bool(np.isfinite(numbers.sum()))


def _crowds(marks: NDArray[np.bool_], box: _Box) -> Iterator[_Box]:
    """Boxes around all that is marked in a box, most of each marked, or small.

    Examples
    --------
    >>> marks = np.zeros((100, 300), bool)
    >>> marks[3:9, 5:20] = marks[90:, 200:] = True
    >>> list(_crowds(marks, [(0, 100), (0, 300)]))
    [[(3, 9), (5, 20)], [(90, 100), (200, 300)]]
    """
    for axis in range(len(box)):
        others = tuple(k for k in range(len(box)) if k != axis)
        used = np.flatnonzero(marks[_slices(box)].any(axis=others))
        if not used.size:
            return
        first = box[axis][0]
        box = [*box[:axis], (first + int(used[0]), first + int(used[-1]) + 1), *box[axis + 1 :]]
    size = prod(end - first for first, end in box)
    if size <= _CROWD or 2 * np.count_nonzero(marks[_slices(box)]) > size:
        yield box
        return
    axis = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
    first, end = box[axis]
    for half in ((first, (first + end) // 2), ((first + end) // 2, end)):
        yield from _crowds(marks, [*box[:axis], half, *box[axis + 1 :]])


#: A pass over a block: what it reads, itself, what it writes, where along the axes that begins, and the two places.
_Step = tuple[NDArray[Any], Pass, NDArray[Any], tuple[int, ...], tuple[int, int]]


def _blocks(image: NDArray[Any], passes: list[Pass], result: NDArray[Any]) -> list[tuple[_Box, list[_Step]]]:
    """Passes that feed each other, block by block of the result."""
    whole = [(0, n) for n in result.shape]
    if len(passes) == 1 or result.nbytes <= BLOCK:
        source, place, each = image, IMAGE, list[_Step]()
        spare = np.empty(result.shape, result.dtype) if len(passes) > 1 else result
        for left, step in zip(reversed(range(len(passes))), passes, strict=True):
            into, onto = (spare, BETWEEN) if left % 2 else (result, RESULT)
            each.append((source, step, into, (0,) * result.ndim, (place, onto)))
            source, place = into, onto
        return [(whole, each)]
    reach = [max(step.kernel.shape[k] for step in passes[1:]) - 1 for k in range(result.ndim)]
    axis = reach.index(0)
    least = max(1, passes[0].kernel.shape[axis] // 2)
    boxes = _boxes(result.shape, result.itemsize, axis, least, reach)
    grows = any(taps and own != n for taps, own, n in zip(reach, boxes[0], whole, strict=True))
    if grows and len(passes) > 2:       # two blocks between passes, where without growing the result is one of them
        boxes = _boxes(result.shape, 2 * result.itemsize, axis, least, reach)
    most = prod(min(n, end - first + taps) for n, (first, end), taps in zip(result.shape, boxes[0], reach, strict=True))
    spares = [np.empty(most, result.dtype) for _ in range(min(2, len(passes) - 1))]
    blocks = []
    for box in boxes:
        target, source, place = result[_slices(box)], image, IMAGE
        steps: list[_Step] = []
        before: list[_Reached] = []
        for k, step in enumerate(passes):
            layout = [_reached(passes[k + 1 :], a, *own, n) for a, (own, n) in enumerate(zip(box, result.shape, strict=True))]
            left = len(passes) - 1 - k
            into, onto = target, RESULT
            if left and (grows or left % 2):
                shape = [sum(end - first for first, end in runs) for _, runs in layout]
                into, onto = spares[left % len(spares)][: prod(shape)].reshape(shape), BETWEEN
            if k == 0:
                for runs in product(*(_placed(runs) for _, runs in layout)):
                    window, starts = zip(*runs, strict=True)
                    steps.append((source, step, into[window], starts, (place, onto)))
            else:
                starts = tuple(
                    own[0] - origin if taps > 1 else 0 for own, taps, (origin, _) in zip(box, step.kernel.shape, before, strict=True)
                )
                steps.append((source, step, into, starts, (place, onto)))
            source, place, before = into, onto, layout
        blocks.append((box, steps))
    return blocks


#: What is needed along an axis: the image position that is taken for the first one, and runs of positions, which lie side by side.
_Reached = tuple[int, list[tuple[int, int]]]


def _reached(later: list[Pass], axis: int, first: int, end: int, n: int) -> _Reached:
    """What later passes need along an axis of n pixels for a part of their result.

    Examples
    --------
    >>> box = Pass(np.ones(5), (-2,), Boundary.SYMM)
    >>> _reached([box], 0, 10, 20, 99), _reached([box], 0, 0, 20, 99)
    ((8, [(8, 22)]), (0, [(0, 22)]))
    >>> _reached([Pass(np.ones(5), (-2,), Boundary.WRAP)], 0, 0, 20, 99)
    (-2, [(97, 99), (0, 22)])
    """
    step = next((step for step in later if step.kernel.shape[axis] > 1), None)
    if step is None or end - first == n:
        return first, [(first, end)]
    first += step.first[axis]
    end += step.first[axis] + step.kernel.shape[axis] - 1
    if step.rule is Boundary.WRAP and end - first < n:
        at = first % n
        beyond = at + end - first - n
        return first, [(at, n), (0, beyond)] if beyond > 0 else [(at, at + end - first)]
    inside = range(max(0, first), min(n, end))
    beside = [*range(first, min(0, end)), *range(max(n, first), end)]
    shown = [at for at in (index_map(position, n, step.rule) for position in beside) if at is not None]
    shown += [inside[0], inside[-1]] if inside else []
    low, high = min(shown, default=0), max(shown, default=0)
    return low, [(low, high + 1)]


def _placed(runs: list[tuple[int, int]]) -> Iterator[tuple[slice, int]]:
    """Where runs lie side by side, and where each begins in the image."""
    at = 0
    for first, end in runs:
        yield slice(at, at + end - first), first
        at += end - first


def planned(asked: Filtering) -> list[tuple[Problem, Plan, int]]:
    """What a call consists of: a problem for each pass over the first block, its plan, and how many blocks there are."""
    found = []
    if not asked.result.size or not asked.result.ndim or not asked.passes:
        return []
    for pixels, steps, settings, part, *_ in _terms(asked):
        blocks = _blocks(pixels, steps, part)
        for one in steps:
            source, step, into, start, _ = next(each for each in blocks[0][1] if each[1] is one)
            task, view = _task(source, step, settings, into, start)
            plan = _prepared(task, view, settings)
            if step.method is not None:
                plan = replace(plan, reason=plan.reason.replace("asked for", "of a flat image it is exactly zero"))
            found.append((task.problems[0], plan, len(blocks)))
    return found


def _prepared(task: Task, view: NDArray[Any], settings: Settings) -> Plan:
    """The plan of a call of one problem, with what it makes of the kernel where plans are kept."""
    (problem,) = task.problems
    if settings.kept is None:
        return _plan.plans(task)[0]
    key = (
        problem.kernel.tobytes(), problem.kernel.dtype, problem.kernel.shape, problem.shape, problem.method, problem.image.dtype,
        problem.dtype, problem.sums, problem.store, problem.boundary, problem.fill.tobytes(),
    )  # fmt: skip
    found = settings.kept.get(key)
    if found is None:
        (found,) = _plan.plans(task)
        _execute.prepare(problem, found, view)
        settings.kept[key] = found
    return found


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


def _correlate(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, ...] = ()
) -> None:
    """One real pass; of the result from a position on."""
    task, view = _task(image, step, settings, result, start)
    _execute.run(task, [_prepared(task, view, settings)], view)


def _task(
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
        pixels, view, kernel, first = _framed(image, result, kernel, first, turns=turns)
    order = _order(kernel) if step.is_line and sums.kind == "f" else Order.TAPS
    if order is Order.LAST_FIRST and not cut:
        order = Order.TAPS
    if tells and cut and turns:
        order = Order.TURNED
    *outer, top, left = first
    problem = Problem(
        pixels, kernel, view.shape[: kernel.ndim], dtype, step.rule, fill, top, left, False, False, step.method or settings.method, tuple(outer),
        None if sums == dtype else sums, store, 1.0, step.count, skips=not step.is_line, order=order,
    )  # fmt: skip
    return problem, view


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
    image: NDArray[Any], result: NDArray[Any], kernel: NDArray[Any], first: tuple[int, ...], *, turns: bool
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
        planned = result.size > _APART or not kernels.little_work(result.size, 1, 1, kernel.size, 8)
        if planned or (is_interleaved(image) and is_interleaved(result)):
            kernel, first = kernel[..., 0], first[:-1]
    if kernel.ndim == 1:
        return image[None], result[None], kernel[None], (0, *first)
    return image, result, kernel, first
