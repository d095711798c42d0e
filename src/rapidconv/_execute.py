"""From a plan to the result: memory for it, the kernel as a road wants it, and the walk over tiles."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _transform
from ._native import kernels
from ._problem import Plan, Problem, Task, Tiles

__all__ = ["Weights", "allocate", "run"]

#: (least, most) energy of a tile, so that squares neither underflow nor overflow; energy below which whole numbers are
#: seen to be whole; ratio of a tile's least to its largest block of energy: see docs/accuracy.md.
_LIMITS = {"f": (2.0**-90, 2.0**100, 2.0**43, 2.0**-16), "d": (2.0**-800, 2.0**900, 2.0**101, 2.0**-40)}


class Weights:
    """A kernel as the roads of its plan want it; each form is made when first asked for.

    Safe to share between threads: a form made twice is the same.
    """

    def __init__(self, kernel: NDArray[Any], plan: Plan) -> None:
        self._kernel = kernel
        self.plan = plan
        self._lanes: list[tuple[Any, ...]] | None = None
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

    def make_all(self) -> None:
        """Make what the plan's road starts with."""
        if self.plan.method == "fft":
            assert self.plan.tiles is not None
            self.spectrum(self.plan.tiles.chars[0])
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
    for channel, (problem, plan) in enumerate(zip(task.problems, plans, strict=True)):
        at = (slice(None),) * (task.channel_axis or 0) + ((channel,) if task.channel_axis is not None else ())
        if weights is None or plan is not weights.plan:
            weights = Weights(problem.kernel, plan)
        _one(problem, plan, weights, result[at] if at else result)
    if task.out is None:
        return result
    if task.copies:
        np.copyto(task.out, result)
    return task.out


def _one(problem: Problem, plan: Plan, weights: Weights, result: NDArray[Any]) -> None:
    """One problem, all of it on the calling thread."""
    view = result[::-1, ::-1] if problem.reverse else result
    if plan.method == "fft":
        assert plan.tiles is not None
        _fft(problem, plan.tiles, weights, view)
    else:
        _direct(problem, weights, view, (0, view.shape[0], 0, view.shape[1]))
    if problem.conjugate:
        np.conjugate(result, out=result)
        result += 0     # sums start at +0: no -0 comes out


def _lifted(problem: Problem) -> bool:
    """Whether real pixels have complex ones around them."""
    return bool(problem.image.dtype.kind != "c" and problem.fill[0].imag != 0)


def _direct(problem: Problem, weights: Weights, view: NDArray[Any], window: tuple[int, int, int, int]) -> None:
    """Outputs y0 <= y < y1, x0 <= x < x1 summed tap by tap."""
    y0, y1, x0, x1 = window
    kernels.correlate(
        problem.image, weights.lanes(), problem.kernel.shape, problem.fill, int(problem.boundary),
        problem.top + y0, problem.left + x0, _lifted(problem), view[y0:y1, x0:x1], 0, kernels.bands(y1 - y0),
    )  # fmt: skip


def _fft(problem: Problem, tiles: Tiles, weights: Weights, view: NDArray[Any]) -> None:
    """Overlap-save tiles; what float32 refuses goes to float64, what that refuses is summed directly."""
    channels = view.shape[2] if view.ndim == 3 else 1
    parts = 2 if problem.image.dtype.kind == "c" or _lifted(problem) else 1
    steps = _steps(problem, tiles)
    down, across = (-(-n // step) for n, step in zip(problem.shape, steps, strict=True))
    for channel in range(channels):
        # Items of one channel only: the same pairs ride together when channels are planes of their own.
        items = np.add.outer(np.arange(down * across) * channels, [channel]) * parts + np.arange(parts)
        items = np.ascontiguousarray(items.ravel())
        for char in tiles.chars:
            items = items[_transformed(problem, tiles, char, weights, view, items) != 0]
            if not items.size:
                break
        else:
            plane, to = (problem, view) if view.ndim == 2 else (_channel(problem, channel), view[..., channel])
            for t in np.unique(items // (parts * channels)).tolist():
                y, x = t // across * steps[0], t % across * steps[1]
                _direct(plane, weights, to, (y, min(y + steps[0], view.shape[0]), x, min(x + steps[1], view.shape[1])))


def _steps(problem: Problem, tiles: Tiles) -> tuple[int, int]:
    """Outputs of a tile: as many tiles as its shape needs, all of nearly the same size."""
    steps = []
    for n, side, k in zip(problem.shape, tiles.shape, problem.kernel.shape, strict=True):
        count = -(-n // (side - k + 1))
        steps.append(-(-n // count))
    return steps[0], steps[1]


def _channel(problem: Problem, channel: int) -> Problem:
    """The problem of one channel."""
    return replace(problem, image=problem.image[..., channel])


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
