"""From a plan to the result: memory for it, and the walk over tiles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from math import prod
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _again, _memory, _transform, _workers
from ._axes import (
    ONE_PLANE,
    as_planes,
    channel,
    distances,
    first_plane,
    in_memory_order,
    is_interleaved,
    plane_at,
    planes,
)
from ._native import kernels
from ._pieces import cut_fill, cut_image, pairs
from ._problem import Combine, Plan, Problem, Several, Store, Task, Tiles
from ._weights import Weights, weights_of

__all__ = ["Again", "again", "allocate", "prepare", "ready", "run"]

#: (least, most) energy of a tile, so that neither squares nor the ratio of two energies underflow or overflow; energy
#: below which whole numbers are seen to be whole; ratio of a tile's least to its largest block of energy: see
#: docs/accuracy.md.
_LIMITS = {"f": (2.0**-90, 2.0**100, 2.0**43, 2.0**-16), "d": (2.0**-500, 2.0**500, 2.0**101, 2.0**-40)}


def allocate(task: Task) -> NDArray[Any]:
    """Memory the kernels can write: ``task.out``, or a new array."""
    return _memory.empty(task.shape, task.dtype) if task.out is None or task.copies else task.out


def run(task: Task, plans: list[Plan], result: NDArray[Any]) -> NDArray[Any]:
    """Carry out a call into `result`; what the caller is given, which is ``task.out`` where there is one.

    `plans` has one for each problem, the same object where one serves all.
    """
    if not task.problems:
        result[...] = 0
    jobs = []
    for whole, plan, part in zip(task.problems, plans, task.views(result), strict=True):
        for problem, view in _pieces(whole, plan, part):
            jobs.append((problem, plan, weights_of(_kernel(problem, plan), plan), view))
    workers = max((plan.workers for plan in plans), default=1)
    _all_direct([job for job in jobs if job[1].method == "direct"], workers)
    parts = []
    for job in jobs:
        plan = job[1]
        if plan.method == "fft" and plan.tiles is not None:
            parts += (_volume_parts if plan.tiles.planes else _fft_parts)(*job, workers)
    parts += [part for job in jobs if job[1].method == "separable" for part in _separable_parts(*job, workers)]
    if parts:
        _workers.run(lambda i: parts[i](), len(parts), workers)
    for problem, _, _, view in jobs:
        if problem.conjugate:
            np.conjugate(view, out=view)
            view += 0       # sums start at +0: no -0 comes out
    if task.out is None:
        return result
    if task.copies:
        np.copyto(task.out, result)
    return task.out


def prepare(problem: Problem, plan: Plan, view: NDArray[Any]) -> None:
    """Make what the road of a problem starts with, which its plan keeps."""
    first, _ = next(iter(_pieces(problem, plan, view)))
    weights = weights_of(_kernel(first, plan), plan)
    if first.several is None or plan.method != "direct":
        weights.make_all()
    else:
        weights.stack()


def ready(
    steps: Iterable[tuple[Problem, Plan, NDArray[Any], int, int, int, NDArray[Any] | None]], image: NDArray[Any],
    result: NDArray[Any], between: int, weights: NDArray[Any] | None, most: int,
) -> Any:  # fmt: skip
    """Problems as the jobs of one call (`kernels.Ready`); None where they are more than direct sums that one thread does.

    Each step is a problem, its plan and part of the result, the places that it reads and writes, and what becomes of what it wrote
    between, of which part of the result (`kernels.Ready`). `between` are the bytes between two steps; `weights` those that others
    may take the place of; images of other sides have at most so many numbers.
    """
    jobs, low = [], False
    for whole, plan, part, *how in steps:
        if weights is None:
            low = low or kernels.looks_low(whole.kernel)
        else:           # others may look so
            low = low or sum(taps > 1 for taps in whole.kernel.shape) == 2
        if plan.method != "direct" or plan.seconds["direct"] > _workers.GRAIN or whole.several is not None:
            return None
        pieces = list(_pieces(whole, plan, part))
        if len(pieces) > 1 and _again.BETWEEN in how[:2]:
            return None             # jobs know no place within what lies between them
        for problem, view in pieces:
            jobs.append((_work(problem, view), weights_of(problem.kernel, plan).lanes(), *how))
    made = kernels.Ready(jobs, image, result, between, weights, most, low)
    return None if made.warns else made


class Again:
    """A call of one problem, ready for other images that lie in memory like its own: nothing is checked, planned or listed again.

    It never changes, and threads may share it.

    Attributes
    ----------
    shape, dtype : of the result
    plan : Plan
    query : tuple or None
        By which a look tells whether the plan of another kernel would be the same (`kernels.looks`).
    """

    def __init__(
        self, problem: Problem, plan: Plan, weights: Weights, view: NDArray[Any], query: tuple[Any, ...] | None = None
    ) -> None:
        self.shape, self.dtype, self.plan, self.query = view.shape, view.dtype, plan, query
        self._weights = weights
        own = problem.kernel if problem.several is not None else weights.kernel
        self._problem = replace(problem, image=problem.image[:0].copy(), kernel=own)        # for what is refused
        self._groups: list[tuple[NDArray[np.int64], list[int]]] = []
        self._courses: list[Any] = []
        if plan.tiles is not None and plan.method == "fft":
            rides = _Planes(problem, view)
            self._groups = _groups(rides, plan.tiles, plan.workers)
            self._courses = [rides.course(plan.tiles, weights, items) for items, _ in self._groups]
        elif plan.method == "separable":
            self._courses = _line_courses(problem, plan, weights, view, plan.workers)
        elif problem.several is not None:
            self._courses = [kernels.Together(*_described_together(problem, problem.several, weights, view))]
        else:
            self._courses = [kernels.Sums(_work(problem, view), weights.lanes())]

    def run(self, image: NDArray[Any], out: NDArray[Any] | None = None, look: Any = None) -> NDArray[Any]:
        """The result for an image, in a new array or in one like it; look: at a kernel to take in place of its own (`kernels.Look`)."""
        result = _memory.empty(self.shape, self.dtype) if out is None else out
        if look is not None:
            self._courses[0].prepare(look)
        _workers.run(partial(self._part, image, result, look), len(self._courses), self.plan.workers)
        return result

    def _part(self, image: NDArray[Any], result: NDArray[Any], look: Any, i: int) -> None:
        refused = self._courses[i].run(image, result, look)
        if refused is not None:
            rides, weights = _Planes(replace(self._problem, image=image), result), self._weights
            if look is not None:
                weights = weights.of(look.taps[0], norm=look.norm, whole=look.whole, positive=(look.positive,))
            assert weights.plan.tiles is not None
            _retry(rides, weights.plan.tiles, weights, *self._groups[i], refused.view(np.bool_))


def _was_done(plan: Plan) -> bool:
    """Whether a plan was carried out before."""
    return bool(plan.made)


def again(
    task: Task, plans: list[Plan], image: Any, result: NDArray[Any], query: tuple[Any, ...] | None = None, *, often: bool = False
) -> Again | None:
    """A call that is ready for other images; None where it is not one problem of rows and columns of a whole image and result.

    Nor where workers take turns at direct sums, or NumPy may have warned, or its plan was not carried out before and such calls are
    not made often: what may never be done again is not made ready.
    """
    if len(plans) != 1 or task.places != [()] or not (often or _was_done(plans[0])) or not result.flags.c_contiguous:
        return None
    problem, plan = task.problems[0], plans[0]
    if problem.image is not image or problem.outer:
        return None
    several, direct = problem.several, plan.method == "direct"
    if several is not None and (several.mask is not None or plan.method == "separable"):
        return None
    if (direct and plan.workers > 1) or not np.isfinite(problem.fill[0]) or next(iter(_pieces(problem, plan, result)))[0] is not problem:
        return None
    return Again(problem, plan, weights_of(_kernel(problem, plan), plan), result, query)


def _pieces(problem: Problem, plan: Plan, view: NDArray[Any]) -> Iterable[tuple[Problem, NDArray[Any]]]:
    """A problem as its road takes it: whole by transforms of planes; else by channels that do not lie side by side, and planes."""
    if plan.method == "fft":
        if problem.outer:
            problem, view = as_planes(problem, view)
        if plan.tiles is None or not plan.tiles.planes:
            return [(problem, view)]
    together = problem.several is None or problem.several.mask is None
    side_by_side = plan.method != "fft" and together and is_interleaved(problem.image) and is_interleaved(view)
    if problem.image.ndim == problem.kernel.ndim or side_by_side:
        channels = [(problem, view)]
    else:
        channels = [(channel(problem, c), view[..., c]) for c in range(view.shape[-1])]
    if not problem.outer or plan.method == "fft":
        return channels
    if plan.method == "direct":
        return [in_memory_order(*each) for each in channels]
    return [plane for each in channels for plane in planes(*each)]


def _kernel(problem: Problem, plan: Plan) -> NDArray[Any]:
    """The kernel, or kernels, as a road reads them."""
    if problem.several is not None:
        return problem.several.kernels
    if plan.method == "fft" and plan.tiles is not None and not plan.tiles.planes:
        plane: NDArray[Any] = problem.kernel[(0,) * len(problem.outer)]
        return plane
    return problem.kernel


def _view(problem: Problem, plane: NDArray[Any]) -> NDArray[Any]:
    """A problem's part of the result, from its first output on."""
    return plane[::-1, ::-1] if problem.reverse else plane


def _all_direct(jobs: list[tuple[Problem, Plan, Weights, NDArray[Any]]], workers: int) -> None:
    """Direct sums, turns at every problem shared out to the workers."""
    if not jobs:
        return
    taken = np.zeros((len(jobs), workers), np.intp)     # turns at each problem, by the worker whose region they lie in

    def work(worker: int) -> None:
        for k, (problem, _, weights, plane) in enumerate(jobs):
            turn = _turn(problem, problem.shape[-2])
            if workers > 1 and taken[k].sum() >= prod(problem.shape[:-2]) * -(-problem.shape[-2] // turn):
                continue
            if problem.several is not None:
                _together(problem, problem.several, weights, plane, taken[k], worker)
            else:
                _direct(problem, weights, _view(problem, plane), taken[k], worker)

    _workers.share(work, workers)


def _together(
    problem: Problem, several: Several, weights: Weights, plane: NDArray[Any], taken: NDArray[np.intp], worker: int, y: int = 0,
    x: int = 0,
) -> None:  # fmt: skip
    """Outputs of several kernels that a view shows, from (y, x) on: the rows that no other worker has taken."""
    described = _described_together(problem, several, weights, plane, y, x)
    rows = plane.shape[several.combine is Combine.APART]
    kernels.correlate_several(*described, _mask(problem, several, plane, y, x), taken, worker, _turn(problem, rows))


def _described_together(
    problem: Problem, several: Several, weights: Weights, plane: NDArray[Any], y: int = 0, x: int = 0
) -> tuple[Any, ...]:
    """Direct sums of several kernels as the kernels of the package take them."""
    first, step = (plane[0], plane.strides[0]) if several.combine is Combine.APART else (plane, 0)
    return _work(problem, first, y, x), weights.stack(), int(several.combine), step, several.omits


def _mask(problem: Problem, several: Several, view: NDArray[Any], y: int = 0, x: int = 0) -> tuple[Any, ...] | None:
    """The picture of what counts as the kernels take it."""
    if several.mask is None:
        return None
    return _work(replace(problem, image=several.mask, fill=np.ones(1, bool)), view, y, x)


def _lifted(problem: Problem) -> bool:
    """Whether real pixels have complex ones around them."""
    return bool(problem.image.dtype.kind != "c" and problem.fill[0].imag != 0)


def _work(problem: Problem, view: NDArray[Any], y: int = 0, x: int = 0) -> tuple[Any, ...]:
    """A problem, or the part of it from output (y, x) on that a view shows, as the kernels take it."""
    return (
        problem.image, problem.kernel.shape, problem.fill, int(problem.boundary), problem.outer, problem.top + y,
        problem.left + x, _lifted(problem), view, int(problem.store), problem.scale, problem.delta,
        problem.skips and not problem.kernel.all(), int(problem.order),
    )  # fmt: skip


def _turn(problem: Problem, rows: int) -> int:
    """Rows that a worker takes at a time, of so many of a plane."""
    return int(kernels.turn_rows(rows, prod(problem.kernel.shape[:-2]) > 1))


def _direct(
    problem: Problem, weights: Weights, view: NDArray[Any], taken: NDArray[np.intp], worker: int, y: int = 0, x: int = 0
) -> None:
    """The outputs that a view shows, from (y, x) on, summed tap by tap: the turns that no other worker has taken."""
    kernels.correlate(_work(problem, view, y, x), weights.lanes(), taken, worker, _turn(problem, view.shape[len(problem.outer)]))


class _Planes:
    """The planes of a problem, each channel by itself: the first one, and how far it is to each.

    Attributes
    ----------
    whole, view : the problem, in the order of `as_planes`, and its part of the result
    first, part : those of the first plane and channel of image and result, under the first kernel of several
    step : bytes from there to the next kernel's results, where they are apart
    numbers : int
        Of a pixel: 2 where it is complex.
    distances : from there to each, in bytes
    """

    def __init__(self, problem: Problem, view: NDArray[Any]) -> None:
        self.whole, self.view = problem, _view(problem, view)
        self.numbers = 2 if problem.image.dtype.kind == "c" or _lifted(problem) else 1
        self.distances = distances(problem, self.view, kernels.NO_PLANE)
        one = problem if problem.image.ndim == problem.kernel.ndim else channel(problem, 0)
        self.first = first_plane(one)
        part: NDArray[Any] = self.view[(0,) * len(problem.outer) + (..., 0) * (one is not problem)]
        apart = problem.several is not None and problem.several.combine is Combine.APART
        self.part: NDArray[Any] = part[0] if apart else part
        self.step: int = part.strides[0] if apart else 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self.distances[0].size

    def transformed(self, tiles: Tiles, char: str, weights: Weights, items: NDArray[Any]) -> NDArray[np.bool_]:
        """Do items in transforms of one type; which were refused."""
        verdicts = _transformed(
            self.first, tiles, char, weights, self.part, items, planes=self.distances, step=self.step
        )  # fmt: skip
        return verdicts.view(np.bool_)

    def course(self, tiles: Tiles, weights: Weights, items: NDArray[Any]) -> Any:
        """Items in transforms of the first type (`kernels.Course`)."""
        described = _described(self.first, tiles, tiles.chars[0], weights, self.part, items, self.distances, self.step)
        return kernels.Tiles(*described, _transform.noise(tiles.shape, tiles.chars[0]))

    def plane(self, k: int) -> tuple[Problem, NDArray[Any]]:
        """One of them, and its part of the result."""
        outer, channels = self.whole.shape[: len(self.whole.outer)], self.whole.image.shape[self.whole.kernel.ndim :]
        place = tuple(int(at) for at in np.unravel_index(k, (*outer, *channels)))
        if not channels:
            return plane_at(self.whole, self.view, place)
        return plane_at(channel(self.whole, place[-1]), self.view[..., place[-1]], place[:-1])


def _groups(rides: _Planes, tiles: Tiles, workers: int) -> list[tuple[NDArray[np.int64], list[int]]]:
    """Items of a problem, as so many workers take them, and the ends of their groups.

    Groups follow from the problem's shape only: what rides together is the same for any workers and layout. Tiles of a plane ride in
    pairs, and where one is left over, with that of the next plane:

        plane 0   0 1  2 3  4    plane 1   0 1  2 3  4    plane 2   0 1  2 3  4
                  ---  ---  ---------------------------             ---  ---  -
    """
    steps = _steps(rides.whole, tiles)
    count = rides.numbers * prod(-(-n // step) for n, step in zip(rides.whole.shape[-2:], steps, strict=True))
    size = min(32, max(8, count // 32 * 2))
    paired = count if rides.count == 1 else count - count % 2
    items = np.arange(count * rides.count)
    ends = [*range(size, len(items), size), len(items)]
    if rides.count > 1:
        groups: list[NDArray[np.int64]] = []
        for first in range(0, paired, size):
            k = items[first : min(first + size, paired)]
            # Planes of the same tiles follow each other: the pixels of channels side by side are in the cache.
            groups += [(k // rides.numbers * rides.count + p) * rides.numbers + k % rides.numbers for p in range(rides.count)]
        if paired < count:
            left = items[paired * rides.count :]
            groups += [left[first : first + size] for first in range(0, len(left), size)]
        items = np.concatenate(groups)
        ends = np.cumsum([len(group) for group in groups]).tolist()
    if workers == 1:        # a part costs some 10 us of Python, 20 in cold caches
        return [(items, ends)]
    return [(items[first:end], [end - first]) for first, end in pairwise([0, *ends])]


def _fft_parts(
    problem: Problem, plan: Plan, weights: Weights, view: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem in tiles, group by group."""
    assert plan.tiles is not None
    rides = _Planes(problem, view)
    weights.spectrum(plan.tiles.chars[0])       # made here, not by several workers at once
    return [partial(_fft, rides, plan.tiles, weights, *part) for part in _groups(rides, plan.tiles, workers)]


def _fft(rides: _Planes, tiles: Tiles, weights: Weights, items: NDArray[np.int64], ends: list[int]) -> None:
    """Items in groups; of each, what the first type refuses goes to the next, and then to direct sums."""
    refused = rides.transformed(tiles, tiles.chars[0], weights, items)
    if b"\1" in refused.tobytes():      # `any` goes through Python, 20 microseconds in cold caches
        _retry(rides, tiles, weights, items, ends, refused)


def _retry(
    rides: _Planes, tiles: Tiles, weights: Weights, items: NDArray[np.int64], ends: list[int], refused: NDArray[np.bool_]
) -> None:
    """What the first type refused of items in groups."""
    for first, end in pairwise([0, *ends]):
        left = items[first:end][refused[first:end]]
        for char in tiles.chars[1:]:
            if left.size:
                left = left[rides.transformed(tiles, char, weights, left)]
        if left.size:
            _direct_tiles(rides, tiles, weights, left)


#: Verdict on an item of a volume: nothing was stored, it may be served riding alone.
_ALONE = 3


def _volume_parts(
    problem: Problem, plan: Plan, weights: Weights, view: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem whose kernel has several planes in tiles, each through some planes; pairs depend on its shape only."""
    tiles = plan.tiles
    assert tiles is not None
    assert not problem.reverse
    *lines, length = problem.shape[:-2]
    steps = _steps(problem, tiles)
    count = -(-problem.shape[-2] // steps[0]) * -(-problem.shape[-1] // steps[1])
    ends = [length * k // tiles.slabs for k in range(tiles.slabs + 1)]
    slabs = [(first, end - first) for first, end in pairwise(ends)]
    weights.make_all()      # here, not by several workers at once
    items = np.array([
        (t, line * length + first, n) for line in range(prod(lines)) for t in range(count) for first, n in slabs
    ])  # fmt: skip
    run = len(items) if workers == 1 else 2 * -(-len(items) // (8 * workers))
    cuts = range(0, len(items), run)
    return [partial(_volume, problem, tiles, weights, view, items[first : first + run]) for first in cuts]


def _volume(problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], items: NDArray[np.int64]) -> None:
    """Items in pairs; what cannot ride in one alone, in the next type, and last summed directly."""
    left = _marked(items, _refused(problem, tiles.chars[0], weights, view, items, 2))
    for char in tiles.chars[1:]:
        if left.size:
            left = _marked(left, _refused(problem, char, weights, view, left, 1))
    if left.size and tiles.bits:
        each = [_refused(piece, char, part, view, left, 2) for piece, _, char, part in _in_pieces(problem, tiles, weights)]
        left = _marked(left, np.any(each, axis=0))
    for item in left.tolist():
        _direct_planes(problem, tiles, weights, view, *item)


def _refused(
    whole: Problem, char: str, weights: Weights, view: NDArray[Any], items: NDArray[np.int64], together: int
) -> NDArray[np.bool_]:
    """Planes of items that are refused by transforms of one type, so many together, or alone where one is too strong for the other.

    The first part of the kernel stores its sums, the others add theirs.
    """
    refused = []
    for first, part, tiles in weights.parts(char):
        problem = replace(whole, kernel=part.kernel, outer=tuple(map(add, whole.outer, first)))
        if any(first):
            problem.store = Store.ADD
        verdicts = _transformed(problem, tiles, char, part, view, items, together)
        again = verdicts == _ALONE
        if again.any():
            alone = _marked(items, again)
            rows = _transformed(problem, tiles, char, part, view, alone, 1)
            verdicts[again] = np.concatenate([row[:n] for row, (_, _, n) in zip(rows, alone, strict=True)])
        refused.append(verdicts != 0)
    marks: NDArray[np.bool_] = np.any(refused, axis=0)
    return marks


def _marked(items: NDArray[np.int64], marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Items of the planes that are marked.

    Examples
    --------
    >>> _marked(np.array([(7, 10, 4)]), np.array([[True, False, True, True]]))
    array([[ 7, 10,  1],
           [ 7, 12,  2]])
    """
    found = []
    for (part, first, _), row in zip(items.tolist(), marks, strict=True):
        ends = np.flatnonzero(np.diff(row, prepend=False, append=False)).tolist() if row.any() else []
        found += [(part, first + begin, end - begin) for begin, end in zip(ends[::2], ends[1::2], strict=True)]
    return np.array(found, np.int64).reshape(-1, 3)


def _direct_planes(
    problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], part: int, first: int, count: int
) -> None:
    """An item of a volume, summed directly."""
    (step_y, step_x), place = _steps(problem, tiles), np.unravel_index(first, problem.shape[:-2])
    y, x = part // -(-problem.shape[-1] // step_x) * step_y, part % -(-problem.shape[-1] // step_x) * step_x
    *lines, z = (int(at) for at in place)
    window = *(slice(at, at + 1) for at in lines), slice(z, z + count), slice(y, y + step_y), slice(x, x + step_x)
    moved = replace(problem, outer=tuple(start + at for start, at in zip(problem.outer, (*lines, z), strict=True)))
    _direct(moved, weights, view[window], np.zeros(1, np.intp), 0, y, x)


def _direct_tiles(rides: _Planes, tiles: Tiles, weights: Weights, items: NDArray[Any]) -> None:
    """Tiles that have one of these items: cut into pieces, or summed directly."""
    step_y, step_x = _steps(rides.first, tiles)
    across = -(-rides.first.shape[1] // step_x)
    of_plane = items // rides.numbers % rides.count
    for p in np.unique(of_plane).tolist():
        problem, view = rides.plane(p)
        found = np.unique(items[of_plane == p] // (rides.numbers * rides.count))
        if tiles.bits:
            refused = [_transformed(*piece, view, found) for piece in _in_pieces(problem, tiles, weights)]
            found = found[np.any(refused, axis=0)]
        for t in found.tolist():
            y, x = t // across * step_y, t % across * step_x
            window = view[..., y : y + step_y, x : x + step_x]
            if problem.several is None:
                _direct(problem, weights, window, np.zeros(1, np.intp), 0, y, x)
            else:
                _together(problem, problem.several, weights, window, np.zeros(1, np.intp), 0, y, x)


def _in_pieces(problem: Problem, tiles: Tiles, weights: Weights) -> Iterator[tuple[Problem, Tiles, str, Weights]]:
    """Sums of integers as those of their pieces: the first is stored, the others are added to it."""
    images, cut = cut_image(problem.image), weights.pieces()
    fills = cut_fill(int(problem.fill[0]), len(images))
    for p, q, shift in pairs(len(images), len(cut), tiles.bits, 8 * problem.dtype.itemsize):
        part, exact = cut[q]
        if exact.norm or not shift:
            yield replace(
                problem, image=images[p], fill=np.array([fills[p]], np.int64), store=Store.ADD if shift else Store.WRAP,
                delta=float(shift),
            ), exact, "d", part  # fmt: skip


def _separable_parts(
    problem: Problem, plan: Plan, weights: Weights, plane: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem in products, in runs of rows."""
    view = _view(problem, plane)
    if problem.several is None:
        return [partial(course.run, problem.image, view) for course in _line_courses(problem, plan, weights, view, workers)]
    several, mask = problem.several, _mask(problem, problem.several, view)
    how = weights.products(), int(several.combine), mask, several.omits
    work = _work(problem, view)
    return [partial(kernels.correlate_products, work, *how, first, end) for first, end in _runs(problem, workers)]


def _line_courses(problem: Problem, plan: Plan, weights: Weights, view: NDArray[Any], workers: int) -> list[Any]:
    """One kernel's sums along rows and columns, in runs of rows (`kernels.Course`)."""
    assert plan.products is not None
    work, lanes, runs = _work(problem, view), weights.products(), _runs(problem, workers)
    if plan.products.factors is None:
        return [kernels.Boxes(work, lanes, first, end) for first, end in runs]
    return [kernels.Lines(work, lanes, first, end, plan.products.clamp) for first, end in runs]


def _runs(problem: Problem, workers: int) -> list[tuple[int, int]]:
    """Bands of rows cut into runs, few of them: each sums kh - 1 more rows along; bits do not depend on it."""
    count = kernels.bands(problem.shape[0])
    ends = [count * k // workers for k in range(workers + 1)]
    return [(first, end) for first, end in pairwise(ends) if end > first]


def _steps(problem: Problem, tiles: Tiles) -> tuple[int, int]:
    """Outputs of a tile: as many tiles as its shape needs, all of nearly the same size."""
    steps = []
    for n, side, k in zip(problem.shape[-2:], tiles.shape, problem.kernel.shape[-2:], strict=True):
        count = -(-n // (side - k + 1))
        steps.append(-(-n // count))
    return steps[0], steps[1]


def _described(
    problem: Problem, tiles: Tiles, char: str, weights: Weights, view: NDArray[Any], items: NDArray[Any],
    planes: tuple[NDArray[np.int64], NDArray[np.int64]] = ONE_PLANE, step: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """Items in transforms of one type as the kernels take them; problem and view are of the first plane."""
    least, most, sure, span = _LIMITS[char]
    error = _transform.noise(tiles.shape, char, prod(tiles.planes)) * tiles.norm
    integers = problem.summed.kind in "biu"
    if problem.image.dtype.kind in "biu" and problem.store in (Store.SATURATE, Store.ROUND) and problem.dtype.kind in "biu":
        span = 0.0      # errors count by the step of the result, not by what is dark beside what is bright
    combine = 0 if problem.several is None else int(problem.several.combine)
    return (
        _work(problem, view),
        planes,
        (combine, step, *_gains(tiles.exponents, tiles.positive)),
        weights.spectrum(char),
        *(_transform.transform(side, char) for side in tiles.shape),
        _steps(problem, tiles),
        (tiles.cross, tiles.whole, integers, error, span, least, most, sure),
        items,
    )


def _transformed(
    problem: Problem, tiles: Tiles, char: str, weights: Weights, view: NDArray[Any], items: NDArray[Any], *together: int,
    **riders: Any,
) -> NDArray[np.uint8]:  # fmt: skip
    """Do items in transforms of one type; what became of them, 0 where all is well."""
    correlate = kernels.correlate_volume if tiles.planes else kernels.correlate_fft
    verdicts: NDArray[np.uint8] = correlate(*_described(problem, tiles, char, weights, view, items, **riders), *together)
    return verdicts


@lru_cache(maxsize=64)
def _gains(exponents: tuple[int, ...], positive: tuple[bool, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Powers of two that spectra of kernels were divided by, and whether no tap is negative, as the kernels read them."""
    return np.ldexp(1.0, exponents), np.array(positive)
