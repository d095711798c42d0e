"""From the passes of an n-D filter through plan and execution to its result, block by block.

Passes that feed each other need no image between them::

    image ->| pass 1: any taps |->  block  ->| pass 2: no taps along the blocks' axis |->  block of the result

so the axis along which blocks are cut is one that only the first pass has taps on. Where planes across it are so large that blocks
would be too thin, they are cut along other axes too; what lies between passes is then as much larger as later taps reach::

    image ->| pass 1 |->  ..[ block ]..  ->| pass 2 |->  block of the result
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _again, _execute, _memory, _plan
from ._again import ADD_TO, BETWEEN, IMAGE, NOTHING, RESULT, SMALL, TAKE_FROM
from ._boundary import Boundary, index_map
from ._native import kernels
from ._passes import Chain, Filtering, Pass, Settings, axis_of, chains, largest_alike, real_chains, task_of
from ._problem import Plan, Problem, Task

__all__ = ["BLOCK", "THICK", "planned", "run", "run_lines"]

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

#: What kept jobs do with what lies between instead.
_THEN: dict[np.ufunc | None, int] = {None: NOTHING, np.add: ADD_TO, np.subtract: TAKE_FROM}


#: First and end along every axis.
_Box = list[tuple[int, int]]


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
        return kernels.Ready([], image, result, 0, None, SMALL, False) if keeps and result.size <= SMALL else None
    if is_scalar:
        image, result = image[None], result[None]
        passes = [replace(step, kernel=step.kernel[None], first=(0,)) for step in passes]
    own = result
    if not plain or np.may_share_memory(image, result):
        own = _memory.empty(result.shape, result.dtype.newbyteorder("="))
    asked = replace(asked, image=image, passes=passes, result=own)
    ready = _ready(asked, weights) if own.size <= SMALL else None
    each = [] if ready is not None else list(chains(asked))
    again = _long(image, each) if ready is None else None
    if ready is not None:
        ready.run(image, own, None, False)
    elif again is not None:
        again.run(image, own)
        ready = again
    else:
        for chain in each:
            if chain.operation is None:
                _follow(chain)
            else:
                _accumulate(chain, chain.operation)
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
    (chain,) = real_chains(image, passes, settings, result)
    if any(step.kernel.size not in step.kernel.shape for step in chain.passes) or not _again.is_new(found[2]):
        return False
    for step in chain.passes:
        axis = axis_of(step)
        into = result if step is chain.passes[-1] else np.empty(result.shape, result.dtype)
        arguments = step.kernel.ravel(), "correlate", axis, int(step.rule), settings.cval, step.first[axis]
        line_found = kernels.again(_again.kept, "line", image, into, arguments)
        if line_found is not into:
            weights = None if line_found is None else line_found[1]
            ready = run(Filtering(image, [step], settings, into), weights)
            if line_found is not None and isinstance(ready, kernels.Ready):
                _again.keep(line_found, ready)
        image = into
    return True


def _ready(asked: Filtering, weights: NDArray[Any] | None) -> Any:
    """The jobs (`kernels.Ready`) of a small call; None where there is more to it than some direct sums on one thread."""
    found, between, most = [], 0, SMALL
    for chain in chains(asked):
        if chain.whole is not None or (chain.operation is not None and not asked.result.flags.c_contiguous):
            return None             # jobs add to numbers that lie side by side
        part, own = chain.part, chain.part
        if chain.operation is not None:
            own = np.empty(part.shape, part.dtype)
        most = min(most, largest_alike(chain.passes if asked.sums else asked.passes, chain))
        (_, steps), *others = _blocks(chain.image, chain.passes, own)
        if others:
            return None
        for source, step, into, _, (place, onto) in steps:
            task, view = task_of(source, step, chain.settings, into)
            onto = onto if chain.operation is None else BETWEEN
            found.append((task.problems[0], _prepared(task, view, chain.settings), view, place, onto, _THEN[chain.operation], part))
            between = max(between, into.nbytes if onto == BETWEEN else 0)
    return _execute.ready(found, asked.image, asked.result, between, weights, most)


def _long(image: NDArray[Any], each: list[Chain]) -> _execute.Again | None:
    """What does a long call of one problem, for other images like this one, too."""
    chain, *others = each
    if others or len(chain.passes) > 1 or chain.operation is not None or chain.whole is not None:
        return None
    task, view = task_of(chain.image, chain.passes[0], chain.settings, chain.part)
    return _execute.again(task, [_prepared(task, view, chain.settings)], image, view)


def planned(asked: Filtering) -> list[tuple[Problem, Plan, int]]:
    """What a call consists of: a problem for each pass over the first block, its plan, and how many blocks there are."""
    found = []
    if not asked.result.size or not asked.result.ndim or not asked.passes:
        return []
    for chain in chains(asked):
        blocks = _blocks(chain.image, chain.passes, chain.part)
        for one in chain.passes:
            source, step, into, start, _ = next(each for each in blocks[0][1] if each[1] is one)
            task, view = task_of(source, step, chain.settings, into, start)
            found.append((task.problems[0], _prepared(task, view, chain.settings), len(blocks)))
    return found


def _prepared(task: Task, view: NDArray[Any], settings: Settings) -> Plan:
    """The plan of a call of one problem, with what it makes of the kernel where plans are kept."""
    (problem,) = task.problems
    if settings.kept is None:
        return _plan.plans(task)[0]
    key = (
        problem.kernel.tobytes(), problem.kernel.dtype, problem.kernel.shape, problem.shape, problem.method, problem.why,
        problem.image.dtype, problem.dtype, problem.sums, problem.store, problem.boundary, problem.fill.tobytes(), _plan.beyond(problem),
    )  # fmt: skip
    found = settings.kept.get(key)
    if found is None:
        (found,) = _plan.plans(task)
        _execute.prepare(problem, found, view)
        settings.kept[key] = found
    return found


def _correlate(
    image: NDArray[Any], step: Pass, settings: Settings, result: NDArray[Any], start: tuple[int, ...] = ()
) -> None:
    """One real pass; of the result from a position on."""
    task, view = task_of(image, step, settings, result, start)
    _execute.run(task, [_prepared(task, view, settings)], view)


def _accumulate(chain: Chain, operation: np.ufunc) -> None:
    """Add a pass to a result, or take it from it, block by block."""
    image, (step,), settings, result, *_ = chain
    dtype = result.dtype.newbyteorder("=")
    for box in _boxes(result.shape, result.itemsize, 0, 1, [0] * result.ndim):
        sums = np.empty(result[_slices(box)].shape, dtype)
        _correlate(image, step, settings, sums, tuple(start for start, _ in box))
        operation(result[_slices(box)], sums, out=result[_slices(box)])


def _follow(chain: Chain) -> None:
    """Passes one after the other, into a plain result that shares no memory with the image.

    Where they stand for a whole pass, results that are not finite are summed again by that one, directly: what is not finite
    reaches the outputs of its taps, and sums that overflow between passes may not overflow there.
    """
    image, passes, settings, result, _, whole = chain
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
