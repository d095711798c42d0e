"""Two workers against one."""

from __future__ import annotations

from .cases import Work
from .workers import LARGE, SHORT, measure

_LARGE = {work.label: work for work in LARGE}


class TwoWorkersLarge:
    """Time of one worker over that of two, by the wall clock."""

    params = [list(_LARGE)]
    param_names = ["work"]
    timeout = 120

    def track_speedup(self, label: str) -> float:
        best = measure(_LARGE[label], (1, 2), 2.0)
        return best[1] / best[2]

    track_speedup.unit = "x"  # type: ignore[attr-defined]


class TwoWorkersAnySize:
    """The same where two workers may lose: calls about as long as it takes to wake one."""

    params = [["float32", "float64", "uint8"], [3, 9], [64, 256, 512, 724, 1024]]
    param_names = ["dtype", "kernel", "image"]

    def track_speedup(self, dtype: str, kernel: int, side: int) -> float:
        best = measure(Work((side, side), (kernel, kernel), dtype, boundary="symm"), (1, 2), 0.3)
        return best[1] / best[2]

    track_speedup.unit = "x"  # type: ignore[attr-defined]


class ShortCall:
    """A call of 50 microseconds with each number of workers."""

    params = [[1, 2, 8]]
    param_names = ["workers"]

    def track_call(self, workers: int) -> float:
        return 1e6 * measure(SHORT, (workers,), 0.3)[workers]

    track_call.unit = "us"  # type: ignore[attr-defined]
