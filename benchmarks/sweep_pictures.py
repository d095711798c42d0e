"""`rapidconv.image.filter2d` against `cv2.filter2D` on random pictures and kernels, both on one thread.

``python -m benchmarks.sweep_pictures`` times as many cells as ``--cells`` says, in turn, and lists those slower than OpenCV, by kind.
Cells follow from ``--seed``. With ``--keep FILE`` results are kept there and not measured again: together with ``--seconds`` that
makes a run in pieces; ``--again`` measures the slower ones of a kept run once more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .peers import OURS, find_target, load_module
from .timing import Call, best_times

CELLS, SEED = 4300, 20261122

#: Multiply-adds, and numbers of a picture, of the largest cells: keeps a run short.
MOST_PRODUCTS = 1e8
MOST_NUMBERS = 1e6

#: Type of the picture and of the result; those that OpenCV has.
TYPES = (
    "uint8 uint8", "uint8 uint8", "uint8 uint8", "uint16 uint16", "uint16 uint16", "int16 int16", "float32 float32", "float64 float64",
    "uint8 float32", "uint8 int16", "uint8 float64", "uint16 float32", "int16 float32", "uint16 float64", "int16 float64",
)  # fmt: skip
CHANNELS = (1, 1, 3, 4)
LOW = (1, 1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7, 9, 11, 15, 21, 31)


@dataclass(frozen=True)
class Cell:
    """One filter; taps: whole, fractions, or a product of a column and a row of either."""

    rows: int
    columns: int
    channels: int
    types: str
    kernel_rows: int
    kernel_columns: int
    taps: str

    @property
    def label(self) -> str:
        """The cell in words."""
        return (
            f"{self.types.replace(' ', ' to ')} {self.rows}x{self.columns}x{self.channels} by {self.kernel_rows}x{self.kernel_columns} {self.taps}"
        )

    @property
    def kind(self) -> str:
        """What it has in common with others."""
        size = self.rows * self.columns * self.channels
        shape = "1x1" if (self.kernel_rows, self.kernel_columns) == (1, 1) else "1xn" if self.kernel_rows == 1 else ""
        shape = shape or ("nx1" if self.kernel_columns == 1 else "few" if self.kernel_rows * self.kernel_columns < 26 else "many")
        narrow = "narrow" if self.columns * self.channels < 64 else "wide"
        room = "tiny" if size < 2000 else "small" if size < 20000 else "middle" if size < 200000 else "large"
        return f"{self.types.split()[0]:8}{shape:5}{room:7}{narrow}"


def draw_cells(seed: int) -> Iterator[Cell]:
    """Cells without end, the same ones every time."""
    rng = np.random.default_rng(seed)
    while True:
        rows, columns = np.exp(rng.uniform(np.log(8), np.log(1001), 2)).astype(int).tolist()
        channels, types = int(rng.choice(CHANNELS)), str(rng.choice(TYPES))
        kernel_rows, kernel_columns = rng.choice(LOW, 2).tolist()
        if rng.random() < 0.3:
            kernel_columns = kernel_rows
        taps = str(rng.choice(["whole", "fractions", "whole product", "fractions product"]))
        numbers = rows * columns * channels
        if numbers <= MOST_NUMBERS and numbers * kernel_rows * kernel_columns <= MOST_PRODUCTS:
            yield Cell(rows, columns, channels, types, kernel_rows, kernel_columns, taps)


def find_calls(cell: Cell) -> dict[str, Call]:
    """Our call and OpenCV's."""
    image, cv2 = load_module(f"{OURS}.image"), load_module("cv2")
    rng = np.random.default_rng(1)
    kind, result = cell.types.split()
    shape = (cell.rows, cell.columns) if cell.channels == 1 else (cell.rows, cell.columns, cell.channels)
    picture = rng.random(shape).astype(kind) if kind[0] == "f" else rng.integers(0, 256, shape).astype(kind)
    sides = cell.kernel_rows, cell.kernel_columns
    whole = cell.taps.startswith("whole")

    def draw(*sides: int) -> Any:
        if whole:
            return rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0], sides)
        taps = rng.random(sides)
        return taps / taps.sum()

    kernel = draw(sides[0], 1) * draw(1, sides[1]) if cell.taps.endswith("product") else draw(*sides)
    options: dict[str, Any] = {} if cell.channels == 1 else {"channel_axis": -1}
    if result != kind:
        options["dtype"] = result
    depth = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U, "int16": cv2.CV_16S, "float32": cv2.CV_32F, "float64": cv2.CV_64F}[result]
    return {OURS: Call(image.filter2d, (picture, kernel), options), "opencv": Call(cv2.filter2D, (picture, depth, kernel))}


def measure(cell: Cell, known: Sequence[float] = (np.inf, np.inf)) -> list[float]:
    """Least seconds of us and of OpenCV; measured longer while we are slower."""
    calls = find_calls(cell)
    found = list(known)
    for rounds, budget, shortest in ((5, 0.006, 3e-4), (9, 0.02, 1e-3), (15, 0.06, 1e-3)):
        times = best_times(calls, rounds=rounds, budget=budget, fewest=1, shortest_sample=shortest)
        found = [min(old, new) for old, new in zip(found, times.values(), strict=True)]
        if found[0] < 0.97 * found[1]:
            break
    return found


def summarize(cells: Sequence[Cell], known: dict[str, list[float]], worst: int) -> str:
    """Ratios over all, how many are slower by kind, and the worst."""
    ratios = {cell: known[cell.label][0] / known[cell.label][1] for cell in cells if cell.label in known}
    slower = sorted((cell for cell, ratio in ratios.items() if ratio > 1), key=lambda cell: -ratios[cell])
    above = ", ".join(f"{sum(ratio > bar for ratio in ratios.values())} above {bar}" for bar in (0.9, 1.0, 1.05, 1.1, 1.25, 1.5))
    lines = [
        f"target {find_target()}, {len(ratios)} cells; our time over OpenCV's: geometric mean {statistics.geometric_mean(ratios.values()):.3f}",
        above,
    ]
    everywhere = Counter(cell.kind for cell in ratios)
    lines += [f"  {kind}: {count} of {everywhere[kind]}" for kind, count in Counter(cell.kind for cell in slower).most_common()]
    for cell in slower[:worst]:
        ours, other = known[cell.label]
        lines.append(f"{ratios[cell]:6.2f}  {cell.label}: {1e6 * ours:.2f} us, OpenCV {1e6 * other:.2f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep_pictures", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cells", type=int, default=CELLS, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="JSON of results, read first if it is there")
    parser.add_argument("--seconds", type=float, default=600, help="begin no cell after these; default: %(default)s")
    parser.add_argument("--again", action="store_true", help="measure those again that were slower than OpenCV")
    parser.add_argument("--worst", type=int, default=20, help="cells to list; default: %(default)s")
    options = parser.parse_args(arguments)
    known: dict[str, list[float]] = {}
    if options.keep and options.keep.exists():
        known = json.loads(options.keep.read_text(encoding="utf-8"))
    cells = list(dict.fromkeys(islice(draw_cells(options.seed), options.cells)))
    end = time.perf_counter() + options.seconds
    for cell in cells:
        if time.perf_counter() > end:
            break
        old = known.get(cell.label)
        if old is None or (options.again and old[0] > old[1]):
            known[cell.label] = measure(cell, (np.inf, np.inf) if old is None else old)
    if options.keep:
        options.keep.write_text(json.dumps(known) + "\n", encoding="utf-8")
    print(summarize(cells, known, options.worst))
    return 0


if __name__ == "__main__":
    sys.exit(main())
