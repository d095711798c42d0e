"""How much longer the first call of a process takes than the next one: tables, plans, whatever is made once.

``python -m benchmarks.first_call`` prints it for some works. Each is measured in processes of its own, which import
NumPy and rapidconv and make the operands before the clock starts; the least pause of several counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from .cases import Work, make_operands
from .peers import OURS, make_call

WORK = Work((256, 256), (31, 31), "float32", method="auto")
OTHER_WORKS = (
    Work((64, 64), (3, 3), "float32", method="auto"),
    Work((256, 256), (31, 31), "float32", weights="gaussian", method="auto"),
    Work((256, 256), (31, 31), "int64", method="auto"),
    Work((1024, 1024), (101, 101), method="auto"),
)
TRIES = 5


def measure_pauses(work: Work = WORK, tries: int = TRIES) -> list[tuple[float, float]]:
    """(first, second) call in seconds, by the wall clock, each pair of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.first_call", json.dumps(asdict(work))]
    root = Path(__file__).parents[1]
    pairs = []
    for _ in range(tries):
        child = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
        if child.returncode:
            raise RuntimeError(child.stderr.strip().rpartition("\n")[2] or f"exit status {child.returncode}")
        first, second = map(float, child.stdout.split())
        pairs.append((first, second))
    return pairs


def _measure_here(work: Work) -> tuple[float, float]:
    call = make_call(OURS, work, make_operands(work))
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        call.run()
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


def main() -> int:
    """Print a pair for the work of a parent, or the table."""
    if len(sys.argv) > 1:
        fields = json.loads(sys.argv[1])
        print(*_measure_here(Work(**{**fields, "image": tuple(fields["image"]), "kernel": tuple(fields["kernel"])})))
        return 0
    print(f"{'work':<60} {'first, ms':>10} {'next, ms':>9} {'pause, least':>13} {'median':>7}")
    for work in (WORK, *OTHER_WORKS):
        pairs = measure_pauses(work)
        pauses = [1e3 * (first - second) for first, second in pairs]
        first, second = (1e3 * min(column) for column in zip(*pairs, strict=True))
        print(f"{work.label:<60} {first:>10.2f} {second:>9.2f} {min(pauses):>13.2f} {statistics.median(pauses):>7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
