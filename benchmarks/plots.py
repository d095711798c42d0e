"""Two figures: time against the kernel's side and against the image's, for all libraries, one thread each.

``python -m benchmarks.plots docs/img`` measures and draws both; ``--figure kernel`` or ``--figure image`` only one of
them. A library whose call has taken longer than `PATIENCE` is not asked for the next size: its line ends there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Work, make_operands
from .machine import find_facts
from .peers import OURS, CannotDo, make_call
from .timing import Call, best_times

#: Seconds of a call after which a library's line ends.
PATIENCE = 0.8

KERNEL_SIDES = (3, 5, 7, 9, 11, 15, 21, 31, 45, 65, 91, 129)
IMAGE_SIDES = (64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Line:
    """A library as it is drawn: who is called, with which method of ours."""

    label: str
    library: str
    color: str
    method: str = "auto"
    width: float = 1.6
    dashes: str = "-"


LINES = (
    Line("rapidconv", OURS, "#c1121f", width=2.8),
    Line('rapidconv, method="direct"', OURS, "#c1121f", method="direct", width=1.4, dashes="--"),
    Line("OpenCV filter2D", "opencv", "#2a6f97"),
    Line("SciPy fftconvolve", "fftconvolve", "#3a7d44"),
    Line("SciPy oaconvolve", "oaconvolve", "#8a9a5b"),
    Line("SciPy signal.convolve2d", "scipy", "#555555"),
    Line("SciPy ndimage.convolve", "ndimage", "#a0703c"),
)

Times = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Sweep:
    """A figure: what is varied, and how it is said."""

    name: str
    title: str
    axis: str
    sides: tuple[int, ...]
    work: Callable[[int], Work]


def _vary_kernel(side: int) -> Work:
    return Work((1024, 1024), (side, side), "float32")


def _vary_image(side: int) -> Work:
    return Work((side, side), (15, 15), "float32")


SWEEPS = (
    Sweep("kernel", "Time of one call: image 1024 × 1024, float32", "side of the square kernel", KERNEL_SIDES, _vary_kernel),
    Sweep("image", "Time of one call: kernel 15 × 15, float32", "side of the square image", IMAGE_SIDES, _vary_image),
)


def measure(sweep: Sweep, say: Callable[[str], None]) -> Times:
    """(side, seconds) of each line."""
    times: Times = {line.label: [] for line in LINES}
    for side in sweep.sides:
        say(f"{sweep.name} {side}")
        work = sweep.work(side)
        operands = make_operands(work)
        calls: dict[str, Call] = {}
        for line in LINES:
            if times[line.label] and times[line.label][-1][1] > PATIENCE:
                continue
            try:
                calls[line.label] = make_call(line.library, replace(work, method=line.method), operands)
            except CannotDo:
                continue
        for label, seconds in best_times(calls, rounds=9, budget=0.15, fewest=0).items():
            times[label].append((side, seconds))
    return times


def draw(sweep: Sweep, times: Mapping[str, Sequence[Sequence[float]]], facts: Mapping[str, Any], path: Path) -> None:
    """Draw measured times on logarithmic axes, every line named at its end."""
    # Here, as asv imports all modules of this folder and does without matplotlib.
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    canvas = Figure(figsize=(9, 5.4), dpi=110)
    axes = canvas.subplots()
    for line in LINES:
        if times[line.label]:
            sides, seconds = zip(*times[line.label], strict=True)
            axes.plot(
                sides, 1e3 * np.array(seconds), line.dashes, color=line.color, linewidth=line.width, marker="o",
                markersize=3.5, zorder=3 if line.library == OURS else 2,
            )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel=sweep.axis, ylabel="milliseconds, one thread")
    axes.set_title(sweep.title, loc="left", fontsize=12)
    axes.xaxis.set_major_locator(FixedLocator(list(sweep.sides)))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(which="major", color="#dddddd", linewidth=0.7)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    _name_lines( times, axes)
    source = f"{facts['cpu']}, {facts['target']}; least of interleaved samples, {facts['date'][:10]}; same size, symmetric boundary"
    canvas.text(0.01, 0.01, source, fontsize=7, color="#666666")
    canvas.tight_layout(rect=(0, 0.025, 1, 1))
    canvas.savefig(path)


def _name_lines(times: Mapping[str, Sequence[Sequence[float]]], axes: Any) -> None:
    """Names right of the axes, from top to bottom as the lines end, pushed apart; a thin leader to each end."""
    ends = sorted(((times[line.label][-1], line) for line in LINES if times[line.label]), key=lambda end: end[0][1])
    low, high = (np.log10(limit) for limit in axes.get_ylim())
    places = [(np.log10(1e3 * seconds) - low) / (high - low) for (_, seconds), _ in ends]
    apart = 0.055
    for _ in range(100):
        for i in range(1, len(places)):
            overlap = apart - (places[i] - places[i - 1])
            if overlap > 0:
                places[i - 1] -= overlap / 2
                places[i] += overlap / 2
    for ((side, seconds), line), place in zip(ends, places, strict=True):
        axes.annotate(
            line.label, xy=(side, 1e3 * seconds), xycoords="data", xytext=(1.03, place), textcoords="axes fraction",
            color=line.color, fontsize=9.5, va="center", fontweight="bold" if line.width > 2 else "normal",
            arrowprops={"arrowstyle": "-", "color": line.color, "linewidth": 0.5, "alpha": 0.5, "shrinkB": 4},
        )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where speed_kernel.png and speed_image.png go")
    parser.add_argument("--figure", choices=[sweep.name for sweep in SWEEPS], help="only this one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times there; if it is there, draw those")
    options = parser.parse_args(arguments)
    kept: dict[str, Any] = {}
    if options.json and options.json.exists():
        kept = json.loads(options.json.read_text(encoding="utf-8"))
    for sweep in SWEEPS:
        if options.figure not in (None, sweep.name):
            continue
        if sweep.name not in kept:
            times = measure(sweep, lambda text: print(text, file=sys.stderr, flush=True))
            kept[sweep.name] = {"facts": find_facts(), "times": times}
        path = options.folder / f"speed_{sweep.name}.png"
        draw(sweep, kept[sweep.name]["times"], kept[sweep.name]["facts"], path)
        print(f"{path}: {path.stat().st_size // 1000} kB")
    if options.json:
        options.json.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
