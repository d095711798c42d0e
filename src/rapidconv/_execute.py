"""From a plan to the result: memory for it, the kernel as a road wants it, and the walk over tiles."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _transform, _workers
from ._native import kernels
from ._problem import Plan, Problem, Task, Tiles
from ._rank import lane_factors

__all__ = ["Weights", "allocate", "run"]

#: (least, most) energy of a tile, so that neither squares nor the ratio of two energies underflow or overflow; energy
#: below which whole numbers are seen to be whole; ratio of a tile's least to its largest block of energy: see
#: docs/accuracy.md.
_LIMITS = {"f": (2.0**-90, 2.0**100, 2.0**43, 2.0**-16), "d": (2.0**-500, 2.0**500, 2.0**101, 2.0**-40)}


class Weights:
    """A kernel as the roads of its plan want it; each form is made when first asked for.

    Safe to share between threads: a form made twice is the same.
    """

    def __init__(self, kernel: NDArray[Any], plan: Plan) -> None:
        self._kernel = kernel
        self.plan = plan
        self._lanes: list[tuple[Any, ...]] | None = None
        self._products: list[tuple[Any, ...]] | None = None
        self._spectra: dict[str, NDArray[Any]] = {}

    def lanes(self) -> list[tuple[Any, ...]]:
        """(real part, imaginary part or None, limit) of every lane, transposed: what direct summation reads."""
        if self._lanes is None:
            self._lanes = [(*_transposed(self._kernel, lane.dtype), lane.limit) for lane in self.plan.lanes]
        return self._lanes

    def spectrum(self, char: str) -> NDArray[Any]:
        """Spectrum for tiles of float32 ('f') or float64 ('d')."""
        found = self._spectra.get(char)
        if found is None:
            tiles = self.plan.tiles
            assert tiles is not None
            found = self._spectra[char] = _transform.spectrum(self._kernel, tiles.shape, char, tiles.exponent)
        return found

    def products(self) -> list[tuple[Any, ...]]:
        """Lanes as ``kernels.correlate_separable``, or ``correlate_box`` for a box, reads them."""
        if self._products is None:
            products = self.plan.products
            assert products is not None
            found: list[tuple[Any, ...]] = []
            for lane in products.lanes:
                real, imag = _transposed(self._kernel, lane.dtype)
                if products.factors is None:
                    found.append((self._kernel[:1, 0].astype(lane.dtype), real, lane.limit))
                else:
                    found.append((*lane_factors(products.factors, lane.dtype), real, imag, lane.limit))
            self._products = found
        return self._products

    def make_all(self) -> None:
        """Make what the plan's road starts with."""
        if self.plan.method == "fft":
            assert self.plan.tiles is not None
            self.spectrum(self.plan.tiles.chars[0])
        elif self.plan.method == "separable":
            self.products()
        else:
            self.lanes()


def allocate(task: Task) -> NDArray[Any]:
    """Memory the kernels can write: ``task.out``, or a new array."""
    return np.empty(task.shape, task.dtype) if task.out is None or task.copies else task.out


def run(task: Task, plans: list[Plan], result: NDArray[Any], weights: Weights | None = None) -> NDArray[Any]:
    """Carry out a call into `result`; what the caller is given, which is ``task.out`` where there is one.

    `plans` has one for each problem, the same object where one serves all; `weights` are those of an earlier call.
    """
    if not task.problems:
        result[...] = 0
    jobs = []
    for channel, (problem, plan) in enumerate(zip(task.problems, plans, strict=True)):
        if weights is None or plan is not weights.plan:
            weights = Weights(problem.kernel, plan)
        jobs.append((problem, plan, weights, _plane(task, result, channel)))
    workers = max((plan.workers for plan in plans), default=1)
    _all_direct([job for job in jobs if job[1].method == "direct"], workers)
    parts = [part for job in jobs if job[1].method == "fft" for part in _fft_parts(*job, workers)]
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


def _plane(task: Task, result: NDArray[Any], channel: int) -> NDArray[Any]:
    """The part of a result that one problem fills."""
    return result if task.channel_axis is None else result[(slice(None),) * task.channel_axis + (channel,)]


def _view(problem: Problem, plane: NDArray[Any]) -> NDArray[Any]:
    """A problem's part of the result, from its first output on."""
    return plane[::-1, ::-1] if problem.reverse else plane


def _all_direct(jobs: list[tuple[Problem, Plan, Weights, NDArray[Any]]], workers: int) -> None:
    """Direct sums, rows of every problem shared out to the workers."""
    if not jobs:
        return
    taken = np.zeros((len(jobs), workers), np.intp)     # rows of each plane, by the worker whose region they lie in

    def work(worker: int) -> None:
        for k, (problem, _, weights, plane) in enumerate(jobs):
            rows = problem.shape[0]
            if workers == 1 or taken[k].sum() < rows:
                _direct(problem, weights, _view(problem, plane), (0, rows, 0, problem.shape[1]), taken[k], worker)

    _workers.share(work, workers)


def _lifted(problem: Problem) -> bool:
    """Whether real pixels have complex ones around them."""
    return bool(problem.image.dtype.kind != "c" and problem.fill[0].imag != 0)


def _direct(
    problem: Problem, weights: Weights, view: NDArray[Any], window: tuple[int, int, int, int], taken: NDArray[np.intp],
    worker: int,
) -> None:  # fmt: skip
    """Outputs y0 <= y < y1, x0 <= x < x1 summed tap by tap: the rows that no other worker has taken."""
    y0, y1, x0, x1 = window
    kernels.correlate(
        problem.image, weights.lanes(), problem.kernel.shape, problem.fill, int(problem.boundary), problem.top + y0,
        problem.left + x0, _lifted(problem), view[y0:y1, x0:x1], taken, worker, kernels.turn_rows(y1 - y0),
    )  # fmt: skip


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
    length = count if workers == 1 else group       # every part costs some 10 us of Python, 20 in cold caches
    weights.spectrum(plan.tiles.chars[0])       # made here, not by several workers at once
    parts: list[Callable[[], None]] = []
    for channel in range(channels):
        # Items of one channel only: the same pairs ride together when channels are planes of their own.
        k = np.arange(count)
        items = (k // numbers * channels + channel) * numbers + k % numbers
        runs = [items[first : first + length].copy() for first in range(0, count, length)]
        parts += [partial(_fft, problem, plan.tiles, weights, view, channel, run, group) for run in runs]
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


def _direct_tiles(
    problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any], channel: int, items: NDArray[Any]
) -> None:
    """Tiles of a channel that have one of these items, summed directly."""
    numbers = 2 if problem.image.dtype.kind == "c" or _lifted(problem) else 1
    channels = 1
    if view.ndim == 3:
        channels = view.shape[2]
        problem, view = replace(problem, image=problem.image[..., channel]), view[..., channel]
    step_y, step_x = _steps(problem, tiles)
    across = -(-problem.shape[1] // step_x)
    for t in np.unique(items // (numbers * channels)).tolist():
        y, x = t // across * step_y, t % across * step_x
        window = (y, min(y + step_y, view.shape[0]), x, min(x + step_x, view.shape[1]))
        _direct(problem, weights, view, window, np.zeros(1, np.intp), 0)


def _separable_parts(
    problem: Problem, plan: Plan, weights: Weights, plane: NDArray[Any], workers: int
) -> list[Callable[[], None]]:
    """A problem in products, cut into runs of rows, few of them: each sums kh - 1 more rows along; bits do not depend on it."""
    assert plan.products is not None
    view, lanes = _view(problem, plane), weights.products()
    count = kernels.bands(problem.shape[0])
    ends = [count * k // workers for k in range(workers + 1)]
    head = (problem.image, lanes, problem.kernel.shape, problem.fill, int(problem.boundary), problem.top, problem.left)
    runs = [(first, end) for first, end in pairwise(ends) if end > first]
    if plan.products.factors is None:
        return [partial(kernels.correlate_box, *head, _lifted(problem), view, first, end) for first, end in runs]
    return [
        partial(kernels.correlate_separable, *head, _lifted(problem), view, first, end, plan.products.clamp)
        for first, end in runs
    ]


def _steps(problem: Problem, tiles: Tiles) -> tuple[int, int]:
    """Outputs of a tile: as many tiles as its shape needs, all of nearly the same size."""
    steps = []
    for n, side, k in zip(problem.shape, tiles.shape, problem.kernel.shape, strict=True):
        count = -(-n // (side - k + 1))
        steps.append(-(-n // count))
    return steps[0], steps[1]


def _transformed(
    problem: Problem, tiles: Tiles, char: str, weights: Weights, view: NDArray[Any], items: NDArray[Any]
) -> NDArray[np.uint8]:
    """Do items in transforms of one type; 1 where one was refused."""
    least, most, sure, span = _LIMITS[char]
    error = _transform.noise(tiles.shape, char) * tiles.norm
    integers = problem.dtype.kind in "biu"
    refused: NDArray[np.uint8] = kernels.correlate_fft(
        problem.image,
        weights.spectrum(char),
        *(_transform.transform(side, char) for side in tiles.shape),
        problem.kernel.shape,
        _steps(problem, tiles),
        (tiles.cross, tiles.whole, integers, tiles.positive, error, 2.0**tiles.exponent, span, least, most, sure),
        problem.fill,
        int(problem.boundary),
        problem.top,
        problem.left,
        _lifted(problem),
        view,
        items,
    )
    return refused


def _transposed(kernel: NDArray[Any], dtype: np.dtype[np.generic]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel in a lane's type, transposed: the layout the micro-kernels read."""
    if kernel.dtype.kind != "c":
        return np.array(kernel.T, dtype, order="C"), None
    return np.array(kernel.real.T, dtype, order="C"), np.array(kernel.imag.T, dtype, order="C")
