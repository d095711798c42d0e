"""What the asv classes have in common.

The names start with an underscore, or asv would take the bases for benchmarks wherever they are imported.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .cases import Work
from .peers import OURS, make_call
from .timing import Call, best_times


def _measure_speedup(
    ours: Call, theirs: Call, *, rounds: int = 7, budget: float = 0.5, shortest_sample: float = 1e-2
) -> float:
    """Ratio of the peer's time to ours, in one process so that both see the same machine."""
    calls = {"ours": ours, "theirs": theirs}
    seconds = best_times(calls, rounds=rounds, budget=budget, shortest_sample=shortest_sample)
    return seconds["theirs"] / seconds["ours"]


class _Family:
    """Works along the axes in `params`; the first axis is the library, and `work` turns the others into a `Work`."""

    timeout: ClassVar[float] = 120
    params: ClassVar[list[list[Any]]]
    param_names: ClassVar[list[str]]

    @staticmethod
    def work(*point: Any) -> Work:
        """Say what is computed at one point of the axes; each family has its own."""
        raise NotImplementedError


class _Timed(_Family):
    # SciPy needs up to seconds for one call: asv's default of one thousand runs in two rounds is out of the question.
    rounds = 1
    repeat = (3, 10, 2.0)
    warmup_time = 0.0

    def setup(self, library: str, *point: Any) -> None:
        self.call = make_call(library, self.work(*point))
        self.call.run()

    def time_call(self, library: str, *point: Any) -> None:
        self.call.run()


class _Speedup(_Family):
    def setup(self, peer: str, *point: Any) -> None:
        work = self.work(*point)
        self.ours = make_call(OURS, work)
        self.theirs = make_call(peer, work)

    def track_speedup(self, peer: str, *point: Any) -> float:
        return _measure_speedup(self.ours, self.theirs)

    track_speedup.unit = "x"  # type: ignore[attr-defined]
