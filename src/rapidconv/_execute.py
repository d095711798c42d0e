"""From a plan to the result: memory for it, the kernel as a road wants it, and the walk over tiles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from math import frexp, prod
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _cost, _memory, _transform, _workers
from ._axes import as_planes, in_memory_order, planes
from ._native import kernels
from ._pieces import cut_fill, cut_image, cut_kernel, pairs
from ._problem import Combine, Plan, Problem, Several, Store, Task, Tiles
from ._rank import lane_factors

__all__ = ["allocate", "prepare", "ready", "run"]

#: (least, most) energy of a tile, so that neither squares nor the ratio of two energies underflow or overflow; energy
#: below which whole numbers are seen to be whole; ratio of a tile's least to its largest block of energy: see
#: docs/accuracy.md.
_LIMITS = {"f": (2.0**-90, 2.0**100, 2.0**43, 2.0**-16), "d": (2.0**-500, 2.0**500, 2.0**101, 2.0**-40)}


class Weights:
    """A kernel as the roads of its plan want it; each form is made when first asked for.

    Safe to share between threads: a form made twice is the same.
    """

    def __init__(self, kernel: NDArray[Any], plan: Plan) -> None:
        self.taps = kernel.tobytes()
        self.kernel: NDArray[Any] = np.frombuffer(self.taps, kernel.dtype).reshape(kernel.shape)    # whatever becomes of the caller's
        self.plan = plan
        self._lanes: list[tuple[Any, ...]] | None = None
        self._stack: NDArray[Any] | None = None
        self._products: list[tuple[Any, ...]] | None = None
        self._spectra: dict[str, NDArray[Any]] = {}
        self._pieces: list[tuple[Weights, Tiles]] | None = None
        self._parts: dict[str, list[tuple[tuple[int, ...], Weights, Tiles]]] = {}

    def lanes(self) -> list[tuple[Any, ...]]:
        """(real part, imaginary part or None, limit) of every lane, transposed: what direct summation reads."""
        if self._lanes is None:
            self._lanes = [(*_transposed(self.kernel, lane.dtype), lane.limit) for lane in self.plan.lanes]
        return self._lanes

    def stack(self) -> NDArray[Any]:
        """Several kernels, each transposed, in the one lane of their plan."""
        if self._stack is None:
            self._stack = np.array(self.kernel.transpose(0, 2, 1), self.plan.lanes[0].dtype, order="C")
        return self._stack

    def spectrum(self, char: str) -> NDArray[Any]:
        """Spectrum for tiles of float32 ('f') or float64 ('d')."""
        found = self._spectra.get(char)
        if found is None:
            tiles = self.plan.tiles
            assert tiles is not None
            found = self._spectra[char] = _transform.spectrum(self.kernel, tiles.shape, char, tiles.exponent)
        return found

    def pieces(self) -> list[tuple["Weights", Tiles]]:
        """The pieces of the kernel, the lowest first."""
        if self._pieces is None:
            assert self.plan.tiles is not None
            pieces = cut_kernel(self.kernel, self.plan.tiles.bits)
            self._pieces = [self._like(piece, chars="d", positive=False, bits=0) for piece in pieces]
        return self._pieces

    def parts(self, char: str) -> list[tuple[tuple[int, ...], "Weights", Tiles]]:
        """The kernel in parts, of as many planes as transforms of a type serve at once, and where along outer axes they begin."""
        tiles = self.plan.tiles
        assert tiles is not None
        at_once = _cost.planes_at_once(char, tiles.shape, tiles.planes)
        if at_once == tiles.planes:
            return [((0,) * len(at_once), self, tiles)]
        found = self._parts.get(char)
        if found is None:
            found = []
            for first in product(*(range(0, n, k) for n, k in zip(tiles.planes, at_once, strict=True))):
                part = self.kernel[tuple(slice(at, at + k) for at, k in zip(first, at_once, strict=True))]
                found.append((first, *self._like(part, planes=part.shape[:-2])))
            self._parts[char] = found
        return found

    def _like(self, kernel: NDArray[Any], **facts: Any) -> tuple["Weights", Tiles]:
        """Part of a sum that is this kernel, and its tiles."""
        assert self.plan.tiles is not None
        norm = float(np.sqrt(np.sum(kernel.astype("d") ** 2)))
        tiles = replace(self.plan.tiles, norm=norm, exponent=frexp(norm)[1], **facts)
        return Weights(kernel, replace(self.plan, tiles=tiles)), tiles

    def products(self) -> list[tuple[Any, ...]]:
        """Lanes as ``kernels.correlate_separable``, or ``correlate_box`` for a box, reads them."""
        if self._products is None:
            products = self.plan.products
            assert products is not None
            found: list[tuple[Any, ...]] = []
            for lane in products.lanes:
                real, imag = _transposed(self.kernel, lane.dtype)
                if products.factors is None:
                    found.append((self.kernel[:1, 0].astype(lane.dtype), real, lane.limit))
                else:
                    found.append((*lane_factors(products.factors, lane.dtype), real, imag, lane.limit))
            self._products = found
        return self._products

    def make_all(self) -> None:
        """Make what the plan's road starts with."""
        if self.plan.method == "fft":
            assert self.plan.tiles is not None
            for _, part, tiles in self.parts(self.plan.tiles.chars[0]):
                part.spectrum(tiles.chars[0])
        elif self.plan.method == "separable":
            self.products()
        else:
            self.lanes()


def _weights(kernel: NDArray[Any], plan: Plan) -> Weights:
    """The kernel of a plan as its roads want it, made once; planes of an n-D kernel and turned ones are made anew."""
    found: Weights | None = plan.made.get(kernel.shape)
    if found is None or found.taps != kernel.tobytes() or found.kernel.dtype != kernel.dtype:
        found = plan.made[kernel.shape] = Weights(kernel, plan)
    return found


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
    for whole, plan, place in zip(task.problems, plans, task.places, strict=True):
        for problem, view in _pieces(whole, plan, result[place]):
            kernel = problem.kernel if problem.several is None else problem.several.kernels
            jobs.append((problem, plan, _weights(kernel, plan), view))
    workers = max((plan.workers for plan in plans), default=1)
    _all_direct([job for job in jobs if job[1].method == "direct"], workers)
    parts = []
    for job in jobs:
        if job[1].method == "fft":
            parts += (_fft_parts if len(job[0].shape) == 2 else _volume_parts)(*job, workers)
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
    if first.several is None:
        _weights(first.kernel, plan).make_all()
    else:
        _weights(first.several.kernels, plan).stack()


def ready(problem: Problem, plan: Plan, view: NDArray[Any]) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]] | None:
    """A problem as a job for `kernels.Ready`; None where it is more than direct sums that one thread does."""
    if plan.method != "direct" or plan.seconds["direct"] > _workers.GRAIN or problem.several is not None:
        return None
    ((problem, view),) = _pieces(problem, plan, view)
    return _work(problem, view), _weights(problem.kernel, plan).lanes()


def _pieces(problem: Problem, plan: Plan, view: NDArray[Any]) -> Iterable[tuple[Problem, NDArray[Any]]]:
    """A problem as its road takes it: whole by direct summation, or where the kernel has several planes; else plane by plane."""
    if not problem.outer:
        return [(problem, view)]
    if plan.method == "direct":
        return [in_memory_order(problem, view)]
    return [as_planes(problem, view)] if plan.tiles is not None and plan.tiles.planes else planes(problem, view)


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
    problem: Problem, several: Several, weights: Weights, plane: NDArray[Any], taken: NDArray[np.intp], worker: int
) -> None:
    """Outputs of several kernels: the rows that no other worker has taken."""
    first, step = (plane[0], plane.strides[0]) if several.combine is Combine.APART else (plane, 0)
    mask = None
    if several.mask is not None:
        mask = _work(replace(problem, image=several.mask, fill=np.ones(1, bool)), first)
    kernels.correlate_several(
        _work(problem, first), weights.stack(), int(several.combine), step, mask, several.omits, taken, worker,
        _turn(problem, problem.shape[-2]),
    )


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


def _fft_parts(
    problem: Problem, plan: Plan, weights: Weights, plane: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem in tiles, cut into groups by its shape only: what rides together is the same for any workers."""
    assert plan.tiles is not None
    view = _view(problem, plane)
    channels = view.shape[2] if view.ndim == 3 else 1
    numbers = 2 if problem.image.dtype.kind == "c" or _lifted(problem) else 1
    steps = _steps(problem, plan.tiles)
    count = numbers * (-(-problem.shape[0] // steps[0])) * (-(-problem.shape[1] // steps[1]))
    group = min(32, max(8, count // 32 * 2))
    length = count if workers == 1 and channels == 1 else group       # every part costs some 10 us of Python, 20 in cold caches
    weights.spectrum(plan.tiles.chars[0])       # made here, not by several workers at once
    parts: list[Callable[[], None]] = []
    for first in range(0, count, length):
        k = np.arange(first, min(first + length, count))
        # Items of one channel only: the same pairs ride together when channels are planes of their own. Channels of the
        # same tiles follow each other, while their pixels are in the cache.
        for channel in range(channels):
            items = (k // numbers * channels + channel) * numbers + k % numbers
            parts.append(partial(_fft, problem, plan.tiles, weights, view, channel, items, group))
    return parts


def _fft(
    problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], channel: int, items: NDArray[Any], group: int
) -> None:
    """Items of a channel, some whole groups; of each, what the first type refuses goes to the next, and then to direct sums."""
    refused = _transformed(problem, tiles, tiles.chars[0], weights, view, items) != 0
    if not refused.any():
        return
    for first in range(0, len(items), group):
        left = items[first : first + group][refused[first : first + group]]
        for char in tiles.chars[1:]:
            if left.size:
                left = left[_transformed(problem, tiles, char, weights, view, left) != 0]
        if left.size:
            _direct_tiles(problem, tiles, weights, view, channel, left)


#: Verdict on an item of a volume: nothing was stored, it may be served riding alone.
_ALONE = 3


def _volume_parts(
    problem: Problem, plan: Plan, weights: Weights, view: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem whose kernel has several planes in tiles, each through some planes; pairs depend on its shape only."""
    tiles = plan.tiles
    assert tiles is not None
    assert not problem.reverse
    channels = view.shape[-1] if view.ndim > problem.kernel.ndim else 1
    *lines, length = problem.shape[:-2]
    steps = _steps(problem, tiles)
    count = -(-problem.shape[-2] // steps[0]) * -(-problem.shape[-1] // steps[1])
    ends = [length * k // tiles.slabs for k in range(tiles.slabs + 1)]
    slabs = [(first, end - first) for first, end in pairwise(ends)]
    weights.make_all()      # here, not by several workers at once
    parts: list[Callable[[], None]] = []
    for channel in range(channels):
        items = np.array([
            (t * channels + channel, line * length + first, n)
            for line in range(prod(lines)) for t in range(count) for first, n in slabs
        ])  # fmt: skip
        run = len(items) if workers == 1 else 2 * -(-len(items) // (8 * workers))
        cuts = range(0, len(items), run)
        parts += [partial(_volume, problem, tiles, weights, view, items[first : first + run]) for first in cuts]
    return parts


def _volume(problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], items: NDArray[np.int64]) -> None:
    """Items in pairs; what cannot ride in one alone, in the next type, and last summed directly."""
    left = _marked(items, _refused(problem, tiles.chars[0], weights, view, items, 2))
    for char in tiles.chars[1:]:
        if left.size:
            left = _marked(left, _refused(problem, char, weights, view, left, 1))
    if left.size and view.ndim > problem.kernel.ndim:
        channels = view.shape[-1]
        problem, view = _channel(problem, view, int(left[0, 0] % channels))
        left = left // (channels, 1, 1)
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


def _channel(problem: Problem, view: NDArray[Any], channel: int) -> tuple[Problem, NDArray[Any]]:
    """The problem of a channel, and its part of the result."""
    return replace(problem, image=problem.image[..., channel]), view[..., channel]


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


def _direct_tiles(
    problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], channel: int, items: NDArray[Any]
) -> None:
    """Tiles of a channel that have one of these items: cut into pieces, or summed directly."""
    found = items // (2 if problem.image.dtype.kind == "c" or _lifted(problem) else 1)
    if view.ndim == 3:
        found = found // view.shape[2]
        problem, view = _channel(problem, view, channel)
    found = np.unique(found)
    if tiles.bits:
        refused = [_transformed(*piece, view, found) for piece in _in_pieces(problem, tiles, weights)]
        found = found[np.any(refused, axis=0)]
    step_y, step_x = _steps(problem, tiles)
    across = -(-problem.shape[1] // step_x)
    for t in found.tolist():
        y, x = t // across * step_y, t % across * step_x
        _direct(problem, weights, view[y : y + step_y, x : x + step_x], np.zeros(1, np.intp), 0, y, x)


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
    """A problem in products, cut into runs of rows, few of them: each sums kh - 1 more rows along; bits do not depend on it."""
    assert plan.products is not None
    view, lanes = _view(problem, plane), weights.products()
    count = kernels.bands(problem.shape[0])
    ends = [count * k // workers for k in range(workers + 1)]
    work = _work(problem, view)
    runs = [(first, end) for first, end in pairwise(ends) if end > first]
    if plan.products.factors is None:
        return [partial(kernels.correlate_box, work, lanes, first, end) for first, end in runs]
    return [partial(kernels.correlate_separable, work, lanes, first, end, plan.products.clamp) for first, end in runs]


def _steps(problem: Problem, tiles: Tiles) -> tuple[int, int]:
    """Outputs of a tile: as many tiles as its shape needs, all of nearly the same size."""
    steps = []
    for n, side, k in zip(problem.shape[-2:], tiles.shape, problem.kernel.shape[-2:], strict=True):
        count = -(-n // (side - k + 1))
        steps.append(-(-n // count))
    return steps[0], steps[1]


def _transformed(
    problem: Problem, tiles: Tiles, char: str, weights: Weights, view: NDArray[Any], items: NDArray[Any], *together: int
) -> NDArray[np.uint8]:
    """Do items in transforms of one type; what became of them, 0 where all is well."""
    least, most, sure, span = _LIMITS[char]
    error = _transform.noise(tiles.shape, char, prod(tiles.planes)) * tiles.norm
    integers = problem.summed.kind in "biu"
    if problem.image.dtype.kind in "biu" and problem.store in (Store.SATURATE, Store.ROUND) and problem.dtype.kind in "biu":
        span = 0.0      # errors count by the step of the result, not by what is dark beside what is bright
    correlate = kernels.correlate_volume if tiles.planes else kernels.correlate_fft
    verdicts: NDArray[np.uint8] = correlate(
        _work(problem, view),
        weights.spectrum(char),
        *(_transform.transform(side, char) for side in tiles.shape),
        _steps(problem, tiles),
        (tiles.cross, tiles.whole, integers, tiles.positive, error, 2.0**tiles.exponent, span, least, most, sure),
        items,
        *together,
    )
    return verdicts


def _transposed(kernel: NDArray[Any], dtype: np.dtype[np.generic]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel in a lane's type, its planes transposed: the layout the micro-kernels read."""
    turned = kernel.swapaxes(-1, -2)
    if kernel.dtype.kind != "c":
        return np.array(turned, dtype, order="C"), None
    return np.array(turned.real, dtype, order="C"), np.array(turned.imag, dtype, order="C")
