"""Regret of the planner: what its choice costs over the best of all methods, on a fixed set of random problems.

``python -m benchmarks.regret`` times method="auto" and every method that can serve, in turn and on one thread, and prints
time of auto / least time of all of them: the geometric mean and the worst. A method that is predicted, or seen at its
first call, to be hopeless is left out. With ``--keep FILE`` results are kept there, and not measured again: together with
``--seconds`` that makes a run in pieces.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Work, make_operands
from .peers import OURS, find_target, load_module, make_call
from .timing import best_times

METHODS = ("direct", "separable", "fft")
MEAN_BAR = 1.15
WORST_BAR = 1.5
COUNT = 200

#: Numbers of an image, and products of direct sums: keeps a run short.
MOST_NUMBERS = 4e6
MOST_PRODUCTS = 4e10

#: Times the least prediction beyond which a method is not tried.
HOPELESS = 30
#: Times the least first call beyond which it is not sampled further; first calls are cold.
FAR = 3
#: Above this regret a problem is measured once more: noise is in every time, and the least counts.
SUSPICIOUS = 1.1


@dataclass
class Regret:
    """Best seconds of auto and of each method for one problem."""

    label: str
    method: str
    seconds: dict[str, float]
    predicted: dict[str, float]

    @property
    def ratio(self) -> float:
        return self.seconds["auto"] / min(self.seconds.values())

    @property
    def best(self) -> str:
        return min(self.seconds, key=lambda name: self.seconds[name])


def draw_works() -> Iterator[Work]:
    """Problems without end, the same ones every time."""
    rng = np.random.default_rng(20261121)
    while True:
        rows, columns = np.exp(rng.uniform(np.log(16), np.log(2000), 2)).astype(int).tolist()
        kernel_rows, kernel_columns = np.exp(rng.uniform(np.log(3), np.log(102), 2)).astype(int).tolist()
        if rng.random() < 0.7:
            kernel_columns = kernel_rows
        dtype = str(rng.choice(["uint8", "int64", "float32", "float64", "complex64"]))
        kernel_dtype = "float32" if dtype == "complex64" and rng.random() < 0.5 else ""
        weights = str(rng.choice(["random", "random", "gaussian", "box"]))
        boundary = str(rng.choice(["fill", "wrap", "symm"]))
        mode = str(rng.choice(["same", "same", "same", "full", "valid"]))
        if mode == "valid" and (kernel_rows > rows or kernel_columns > columns):
            mode = "same"
        yield Work(
            (rows, columns), (kernel_rows, kernel_columns), dtype, kernel_dtype, mode, boundary, method="auto", weights=weights
        )


def list_works(count: int = COUNT) -> list[Work]:
    """The first problems that do not take too long."""
    return list(islice((work for work in draw_works() if _is_short(work)), count))


def _is_short(work: Work) -> bool:
    # Not by explain(): the set must be the same whatever the planner thinks.
    taps = work.kernel[0] * work.kernel[1]
    numbers = work.image[0] * work.image[1] * (2 if work.dtype.startswith("complex") else 1)
    return numbers <= MOST_NUMBERS and numbers * taps <= MOST_PRODUCTS


def find_calls(work: Work) -> tuple[dict[str, Any], dict[str, float], str]:
    """Calls of auto and of each method worth a try, predicted seconds, and the method auto takes."""
    operands = make_operands(work)
    explain = load_module(OURS).explain
    told = explain(*operands, work.mode, work.boundary, method="auto", operation=work.function)
    least = min(told.seconds.values())
    calls = {"auto": make_call(OURS, work, operands)}
    for method in METHODS:
        if told.seconds.get(method, 0.0) > HOPELESS * least:
            continue
        call = make_call(OURS, replace(work, method=method), operands)
        try:
            call.run()
        except ValueError:
            continue
        calls[method] = call
    calls["auto"].run()
    return calls, dict(told.seconds), str(told.method)


def measure(work: Work) -> Regret:
    """Time one problem."""
    calls, predicted, method = find_calls(work)
    first = {name: call.make_timer().timeit(1) for name, call in calls.items()}
    bound = FAR * min(first.values()) + 50e-6
    near = {name: call for name, call in calls.items() if name == "auto" or first[name] <= bound}
    seconds = {**first, **best_times(near, rounds=9, budget=0.04, shortest_sample=4e-4)}
    found = Regret(work.label, method, seconds, predicted)
    for _ in range(2):
        if found.ratio <= SUSPICIOUS:
            break
        for name, again in best_times(near, rounds=15, budget=0.08, shortest_sample=1e-3).items():
            seconds[name] = min(seconds[name], again)
    return found


def measure_all(
    works: Sequence[Work], known: dict[str, Regret], seconds: float, say: Callable[[str], None]
) -> dict[str, Regret]:
    """Fill `known` by label, until the time is over."""
    end = time.perf_counter() + seconds
    for number, work in enumerate(works, 1):
        if time.perf_counter() > end:
            break
        if work.label not in known:
            known[work.label] = found = measure(work)
            say(f"[{number}/{len(works)}] {work.label}: {found.ratio:.2f}")
    return known


def summarize(found: Sequence[Regret]) -> str:
    """Geometric mean and the worst."""
    mean = statistics.geometric_mean(one.ratio for one in found)
    worst = sorted(found, key=lambda one: -one.ratio)
    chosen = {method: sum(one.method == method for one in found) for method in METHODS}
    lines = [
        f"target {find_target()}, {len(found)} problems, auto took " + ", ".join(f"{k} {v}" for k, v in chosen.items()),
        f"regret: geometric mean {mean:.3f} (bar {MEAN_BAR}), worst {worst[0].ratio:.2f} (bar {WORST_BAR})",
        ", ".join(f"{sum(one.ratio > bar for one in found)} above {bar}" for bar in (1.1, 1.2, 1.5, 2.0)),
    ]
    for one in worst[:10]:
        times = ", ".join(
            f"{name} {1e6 * seconds:.0f}" + (f" (told {1e6 * one.predicted[name]:.0f})" if name in one.predicted else "")
            for name, seconds in sorted(one.seconds.items(), key=lambda item: item[1])
        )
        lines.append(f"{one.ratio:6.2f}  {one.label}\n        took {one.method}, best {one.best}; us: {times}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="problems; default: %(default)s")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="JSON of results, read first if it is there")
    parser.add_argument("--seconds", type=float, default=600, help="begin no problem after these; default: %(default)s")
    options = parser.parse_args(arguments)
    known: dict[str, Regret] = {}
    if options.keep and options.keep.exists():
        known = {one["label"]: Regret(**one) for one in json.loads(options.keep.read_text(encoding="utf-8"))}
    works = list_works(options.count)
    measure_all(works, known, options.seconds, lambda text: print(text, file=sys.stderr, flush=True))
    if options.keep:
        kept = [vars(one) for one in known.values()]
        options.keep.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    print(summarize(list(known.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
