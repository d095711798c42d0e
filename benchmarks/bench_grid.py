"""SciPy's own ``Convolve2D`` grid: hundreds of small works, ruled by borders and call overhead."""

from __future__ import annotations

import statistics
from dataclasses import replace

from ._suite import _measure_speedup
from .cases import BOUNDARIES, MODES, grid_works
from .peers import LIBRARIES, OTHERS, OURS, make_call
from .timing import Call


def _make_calls(library: str, function: str, mode: str, boundary: str) -> list[Call]:
    return [make_call(library, replace(work, function=function)) for work in grid_works(mode, boundary)]


def _run_all(calls: list[Call]) -> None:
    for call in calls:
        call.run()


class ConvolveGrid:
    """Time of the whole grid, as SciPy's benchmark reports it."""

    params = [LIBRARIES, ["convolve2d", "correlate2d"], list(MODES), list(BOUNDARIES)]
    param_names = ["library", "function", "mode", "boundary"]
    rounds = 1
    repeat = (3, 10, 2.0)
    warmup_time = 0.0
    timeout = 120

    def setup(self, library: str, function: str, mode: str, boundary: str) -> None:
        self.calls = _make_calls(library, function, mode, boundary)
        _run_all(self.calls)

    def time_grid(self, library: str, function: str, mode: str, boundary: str) -> None:
        _run_all(self.calls)


class ConvolveGridSpeedup:
    """Ratio of the times of the whole grid, and the geometric mean of the ratios of its works."""

    params = [OTHERS, ["convolve2d", "correlate2d"], list(MODES), list(BOUNDARIES)]
    param_names = ["peer", "function", "mode", "boundary"]
    timeout = 300

    def setup(self, peer: str, function: str, mode: str, boundary: str) -> None:
        self.ours = _make_calls(OURS, function, mode, boundary)
        self.theirs = _make_calls(peer, function, mode, boundary)

    def track_speedup(self, peer: str, function: str, mode: str, boundary: str) -> float:
        return _measure_speedup(Call(_run_all, (self.ours,)), Call(_run_all, (self.theirs,)))

    def track_geometric_mean(self, peer: str, function: str, mode: str, boundary: str) -> float:
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.geometric_mean(
            _measure_speedup(ours, theirs, rounds=3, budget=0.01, shortest_sample=3e-4) for ours, theirs in pairs
        )

    track_speedup.unit = "x"  # type: ignore[attr-defined]
    track_geometric_mean.unit = "x"  # type: ignore[attr-defined]
