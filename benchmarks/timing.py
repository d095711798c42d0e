"""Timing that survives a shared machine: minima of samples taken in turn, in processor time."""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Clock = Callable[[], float]

#: A sample of a second cannot dodge other programs as one of 10 ms can: by the wall clock, load would slow only the slow
#: libraries down and so flatter the fast one. Processor time of all threads together is fair, and since each library
#: has one thread it is what the wall clock shows on an idle machine.
CLOCKS: dict[str, Clock] = {"cpu": time.process_time, "wall": time.perf_counter}
DEFAULT_CLOCK = "cpu" if time.get_clock_info("process_time").resolution < 1e-6 else "wall"  # Windows counts 16 ms ticks


@dataclass(frozen=True)
class Call:
    """A function and its arguments, timed as a line of source would be.

    `functools.partial` would add a tenth of a microsecond, which is a tenth of the smallest call measured here.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def run(self) -> Any:
        """Call once and return the result."""
        return self.function(*self.args, **self.kwargs)

    def make_timer(self, clock: str = DEFAULT_CLOCK) -> timeit.Timer:
        """Make a timer of the bare call expression."""
        positional = {f"argument_{i}": value for i, value in enumerate(self.args)}
        written = [*positional, *(f"{key}={key}" for key in self.kwargs)]
        names = {"call_me": self.function, **positional, **self.kwargs}
        return timeit.Timer(f"call_me({', '.join(written)})", timer=CLOCKS[clock], globals=names)


class _Sampler:
    """One call with its inner loop count, number of samples and best time so far."""

    def __init__(self, call: Call, shortest_sample: float, clock: str) -> None:
        self._timer = call.make_timer(clock)
        self._number = 1
        taken = self._timer.timeit(1)
        while taken < shortest_sample:
            # The first runs are cold, hence the limit on how far one of them is trusted.
            growth = 1.2 * shortest_sample / max(taken, 1e-9)
            self._number = math.ceil(self._number * min(max(growth, 2), 100))
            taken = self._timer.timeit(self._number)
        self.sample_seconds = taken
        self.best = taken / self._number

    def sample(self) -> None:
        self.best = min(self.best, self._timer.timeit(self._number) / self._number)


def best_times(
    calls: Mapping[str, Call],
    *,
    rounds: int = 9,
    budget: float = 0.4,
    fewest: int = 2,
    shortest_sample: float = 1e-2,
    clock: str = DEFAULT_CLOCK,
) -> dict[str, float]:
    """Best time of each call, sampled in turn.

    Parameters
    ----------
    calls : mapping of str to Call
    rounds : int
        Most samples of one call, besides the one that sets its loop count.
    budget : float
        Seconds for one call. A slow call gets fewer samples, spread evenly over the rounds; its samples are long, so
        that each is already an average over much of the noise.
    fewest : int
        Samples taken even if they exceed the budget.
    shortest_sample : float
        Seconds; a faster call is looped. 10 ms are what asv takes: with less, calls of some ms are timed once after
        another library emptied the caches, while shorter ones are looped.
    clock : str
        One of `CLOCKS`.

    Returns
    -------
    dict of str to float
        Seconds per call.
    """
    samplers = {name: _Sampler(call, shortest_sample, clock) for name, call in calls.items()}
    wanted = {
        name: min(rounds, max(fewest, int(budget / sampler.sample_seconds))) for name, sampler in samplers.items()
    }
    order = list(samplers)
    for this in range(rounds):
        # Rotating the order lets nobody always run in the caches its favourite neighbour leaves behind.
        shift = this % max(len(order), 1)
        for name in order[shift:] + order[:shift]:
            is_due = (this + 1) * wanted[name] // rounds > this * wanted[name] // rounds
            if is_due:
                samplers[name].sample()
    return {name: sampler.best for name, sampler in samplers.items()}
