"""One table: rapidconv against SciPy, OpenCV, the FMA peak and a memory copy, measured in one run on one thread.

python -m benchmarks.compare [--quick] [--part PART] [--only PATTERN] [--repeats N] [--markdown FILE]
                            [--json FILE]
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .cases import (
    FILTER_ROWS,
    GRID_BARS,
    LARGE_ROWS,
    MEMORY_ROWS,
    MIB,
    RATIO_NAMES,
    RIVALS,
    TIMED_ROWS,
    Bars,
    Filter,
    Row,
    Work,
    make_operands,
    whole_grid,
)
from .first_call import WORK as FIRST_WORK
from .first_call import measure_pauses
from .machine import find_facts, find_load
from .memory import measure_extra_memory
from .peers import LIBRARIES, OTHERS, OURS, CannotDo, find_disagreement, find_method, make_call, make_fma_call
from .pictures import PICTURES, Picture
from .timing import CLOCKS, DEFAULT_CLOCK, Call, best_times
from .transforms import PAIRS, SIDE, count_flops, make_alone_call, make_transform_call

GRID_LABEL = "SciPy's Convolve2D grid, mean call"
MEMORY_PREFIX = "extra memory: "
TRANSFORM_ROWS = (
    ("f", f"transforms alone: a pair of float32 tiles {SIDE}x{SIDE}, there and back", Bars(peak=0.45), make_alone_call),
    ("d", f"transforms alone: a pair of float64 tiles {SIDE}x{SIDE}, there and back", Bars(), make_alone_call),
    ("f", f"the same from image to result, float32 {SIDE}x{SIDE}", Bars(), make_transform_call),
    ("d", f"the same from image to result, float64 {SIDE}x{SIDE}", Bars(), make_transform_call),
)
FIRST_LABEL = f"first call less the next one: {FIRST_WORK.label}"
FIRST_BARS = Bars(seconds=2e-3)
QUICK_GRID = 64

#: What can be measured apart from the rest.
PARTS = ("general", "grid", "memory", "large", "ndimage", "pictures")

FOOTNOTES = """\
Times are minima of interleaved samples, one thread each; a ratio is the other library's time over ours.
OpenCV is filter2D with the kernel flipped beforehand; it goes to its DFT from 130 taps on for float32 (12x12) and
from 50 on for float64 (8x8), so its larger rows are no direct sums. n/a: it has no such mode, boundary or dtype, or
saturates where SciPy wraps. GFLOP/s counts the real multiplications and additions of direct summation. Copies: our
time over that of numpy.copyto on the image. The grid shows mean times and the geometric mean of the ratios of its
works, for OpenCV of those it can do.
Large and structured kernels (method=auto): scipy.signal's fftconvolve and oaconvolve get an image extended beforehand,
sepFilter2D the factors of the Gaussian, blur a mean where integers are summed. A Gaussian counts 2 (kh + kw) FLOPs an
output, no other kernel of these rows has a rate. Transforms count 2 * 5 N log2 N for a pair of tiles of N points;
alone they neither read an image nor write a result.
Rows "ndimage..." are calls of rapidconv.ndimage and scipy.ndimage with everything left to its defaults; OpenCV is
GaussianBlur with as many taps, blur, or filter2D, for floats only: it rounds integers where SciPy cuts them.
"""


@dataclass
class Result:
    """What was measured of one row: best seconds per participant, or bytes for a row about memory."""

    label: str
    bars: Bars
    headline: bool = False
    part: str = "general"
    work: Work | Filter | None = None
    flops: int | None = None
    fma_dtype: str | None = None
    method: str = ""
    times: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def keep_best(self, times: dict[str, float]) -> None:
        """Merge another sweep."""
        for name, seconds in times.items():
            self.times[name] = min(seconds, self.times.get(name, seconds))

    def gflops(self) -> float | None:
        if self.flops is None or OURS not in self.times or self.fma_dtype is None:
            return None
        return self.flops / self.times[OURS] / 1e9

    def peak_share(self, peaks: dict[str, float]) -> float | None:
        rate = self.gflops()
        peak = peaks.get(self.fma_dtype or "")
        return rate * 1e9 / peak if rate and peak else None

    def copies(self) -> float | None:
        if OURS not in self.times or "copy" not in self.times:
            return None
        return self.times[OURS] / self.times["copy"]

    def verdict(self, peaks: dict[str, float]) -> str:
        """One of "met", "missed", "not measured", a fault, or nothing where there is no bar."""
        if self.fault:
            return self.fault
        if self.bars == Bars():
            return ""
        reached = [(bar, self.ratios.get(name)) for name, bar in self.bars.ratios.items()]
        reached += [
            (self.bars.peak, self.peak_share(peaks)),
            (-self.bars.memory if self.bars.memory else None, -self.memory[OURS] if OURS in self.memory else None),
            (-self.bars.seconds if self.bars.seconds else None, -self.times[OURS] if OURS in self.times else None),
        ]
        asked = [(bar, value) for bar, value in reached if bar is not None]
        if any(value is not None and value < bar for bar, value in asked):
            return "missed"
        return "not measured" if any(value is None for _, value in asked) else "met"


@dataclass(frozen=True)
class Effort:
    """How much is sampled."""

    rounds: int
    budget: float
    fewest: int
    grid: int | None
    clock: str = DEFAULT_CLOCK

    def best_times(self, calls: dict[str, Call], **other: Any) -> dict[str, float]:
        """Sample with this effort, unless told otherwise."""
        options = {"rounds": self.rounds, "budget": self.budget, "fewest": self.fewest, "clock": self.clock, **other}
        return best_times(calls, **options)


FULL = Effort(rounds=15, budget=0.3, fewest=1, grid=None)
QUICK = Effort(rounds=4, budget=0.05, fewest=0, grid=QUICK_GRID)


def _find_calls(work: Work | Filter, operands: tuple[Any, Any], libraries: Iterable[str]) -> dict[str, Call]:
    calls = {}
    for library in libraries:
        try:
            calls[library] = make_call(library, work, operands)
        except CannotDo:
            continue
    return calls


def _find_fault(work: Work | Filter, calls: dict[str, Call], operands: tuple[Any, Any], judge: str = "scipy") -> str:
    """The first result that is not that of the judge, an empty string if all are."""
    if OURS not in calls:
        return "not there"
    if judge not in calls:
        return ""
    reference = calls[judge].run()
    exempt = {judge}
    if judge != "scipy":
        exempt.add("scipy")     # too slow to be run once more
    if reference.dtype.kind in "iu":
        exempt.add("blur")      # a mean, not a sum
    for library, call in calls.items():
        try:
            problem = find_disagreement(work, call.run(), reference, operands) if library not in exempt else ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rows are still wanted
            problem = f"{type(error).__name__}: {error}"
        if problem:
            return f"{'' if library == OURS else f'{library} '}WRONG: {problem}"
    return ""


class Comparison:
    """All results, filled sweep by sweep.

    No method may be called ``time_...``: asv looks through every module here and would take it for a benchmark.
    """

    def __init__(self, effort: Effort, say: Callable[[str], None]) -> None:
        self.effort = effort
        self.say = say
        self.results: dict[str, Result] = {}
        self.peaks: dict[str, float] = {}
        self._fma_calls: dict[str, Call] = {}
        self._grid_times: dict[Work, dict[str, float]] = {}
        for dtype_char in "fd":
            try:
                self._fma_calls[dtype_char] = make_fma_call(dtype_char)
            except CannotDo as reason:
                say(f"no FMA peak: {reason}")

    def measure_rows(self, rows: Sequence[Row], part: str = "general") -> None:
        for number, row in enumerate(rows, 1):
            self.say(f"[{number}/{len(rows)}] {row.work.label}")
            self._sweep_row(row, part)

    def _sweep_row(self, row: Row, part: str) -> None:
        label, work = row.work.label, row.work
        operands = make_operands(work)
        calls = _find_calls(work, operands, (OURS, *row.peers))
        if label not in self.results:
            fault = _find_fault(work, calls, operands, row.reference)
            self.results[label] = Result(
                label, row.bars, row.headline, part, work, work.flops, work.fma_dtype, fault=fault
            )
            if isinstance(work, Work) and work.method == "auto" and not fault:
                self.results[label].method = find_method(work, operands)
        result = self.results[label]
        if result.fault:
            return
        image, _ = operands
        calls["copy"] = Call(np.copyto, (np.empty_like(image), image))
        fma = self._fma_calls.get(row.work.fma_dtype or "")
        if fma is not None:
            calls["fma"] = fma
        # SciPy's direct sums take seconds for a large kernel: the run that would set the loop count is enough.
        times = self.effort.best_times(calls, **({"fewest": 0} if part == "large" else {}))
        if fma is not None:
            self._note_peak(fma, times.pop("fma"))
        result.keep_best(times)
        result.ratios = {name: result.times[name] / result.times[OURS] for name in row.peers if name in result.times}
        if result.bars.best is not None and set(RIVALS) <= result.ratios.keys():
            result.ratios["best"] = min(result.ratios[name] for name in RIVALS)

    def measure_transforms(self, rows: Sequence[tuple[str, str, Bars, Callable[[str], Call]]]) -> None:
        for char, label, bars, make in rows:
            self.say(label)
            result = self.results.setdefault(label, Result(label, bars, bars != Bars(), "large", fma_dtype=char))
            try:
                call, result.flops = make(char), count_flops(SIDE)
            except CannotDo as reason:
                self.say(f"no transforms: {reason}")
                continue
            except RuntimeError as error:
                result.fault = str(error)
                continue
            calls = {OURS: call}
            if char in self._fma_calls:
                calls["fma"] = self._fma_calls[char]
            times = self.effort.best_times(calls)
            if "fma" in times:
                self._note_peak(calls["fma"], times.pop("fma"))
            result.keep_best({OURS: times[OURS] / PAIRS})

    def measure_first_call(self) -> None:
        self.say(FIRST_LABEL)
        result = self.results.setdefault(FIRST_LABEL, Result(FIRST_LABEL, FIRST_BARS, headline=True, part="large"))
        try:
            pairs = measure_pauses()
        except RuntimeError as error:
            result.fault = f"WRONG: {error}"
            return
        # A pause is at least nothing, though the second call may have been the disturbed one.
        result.keep_best({OURS: max(1e-9, min(first - second for first, second in pairs))})

    def measure_pictures(self, rows: Sequence[Picture]) -> None:
        for row in rows:
            self.say(row.label)
            try:
                calls = row.make()
            except CannotDo as reason:
                self.say(f"not measured: {reason}")
                continue
            if row.label not in self.results:
                self.results[row.label] = Result(row.label, row.bars, True, "pictures", fault=row.find_fault(calls))
            result = self.results[row.label]
            if result.fault:
                continue
            result.keep_best(self.effort.best_times(calls, fewest=0))
            result.ratios = {name: result.times[name] / result.times[OURS] for name in calls if name != OURS}

    def _note_peak(self, fma: Call, seconds: float) -> None:
        """The best of the whole run counts: a slow moment must not lower the limit we are held against."""
        dtype_char = fma.args[0]
        self.peaks[dtype_char] = max(self.peaks.get(dtype_char, 0.0), fma.run() / seconds)

    def measure_grid(self) -> None:
        works = whole_grid(self.effort.grid)
        self.say(f"{GRID_LABEL}: {len(works)} works")
        result = self.results.setdefault(GRID_LABEL, Result(GRID_LABEL, GRID_BARS, True, "grid"))
        if result.fault:
            return
        for work in works:
            operands = make_operands(work)
            calls = _find_calls(work, operands, LIBRARIES)
            if work not in self._grid_times:
                result.fault = _find_fault(work, calls, operands)
                if result.fault:
                    result.fault += f" at {work.label}"
                    return
            times = self.effort.best_times(calls, rounds=5, budget=0.01, shortest_sample=3e-4)
            known = self._grid_times.setdefault(work, times)
            self._grid_times[work] = {name: min(times[name], known[name]) for name in times}
        self._sum_up_grid(result)

    def _sum_up_grid(self, result: Result) -> None:
        cells = self._grid_times
        for library in LIBRARIES:
            known = [times[library] for times in cells.values() if library in times]
            if len(known) == len(cells):  # a mean over other works could not be compared
                result.times[library] = statistics.fmean(known)
        result.extra = {"works": len(cells), "parts": {}}
        for library in OTHERS:
            ratios = {
                work: times[library] / times[OURS] for work, times in cells.items() if {library, OURS} <= times.keys()
            }
            if not ratios:
                continue
            result.ratios[library] = statistics.geometric_mean(ratios.values())
            parts: dict[str, list[float]] = {}
            for work, ratio in ratios.items():
                parts.setdefault(f"{work.mode} {work.boundary}", []).append(ratio)
            worst = min(ratios, key=lambda work: ratios[work])
            result.extra["parts"][library] = {part: statistics.geometric_mean(some) for part, some in parts.items()}
            result.extra[f"worst against {library}"] = {"work": worst.label, "ratio": ratios[worst]}

    def measure_memory(self, rows: Sequence[Row]) -> None:
        for row in rows:
            label = MEMORY_PREFIX + row.work.label
            self.say(label)
            result = self.results.setdefault(label, Result(label, row.bars, row.headline, "memory"))
            for library in (OURS, *row.peers):
                try:
                    taken = measure_extra_memory(library, row.work)
                except CannotDo:
                    continue
                except Exception as error:  # noqa: BLE001 - as above
                    if library == OURS:
                        result.fault = f"WRONG: {error}"
                    continue
                # Noise only adds here as well: a page of another allocation, a thread's stack.
                result.memory[library] = min(taken, result.memory.get(library, taken))


HEADER = (
    "work",
    "ours, µs",
    "SciPy, ms",
    "ratio",
    "OpenCV, µs",
    "ratio",
    "fastest other",
    "GFLOP/s",
    "of peak",
    "copies",
    "bar",
    "verdict",
)


def _write(value: float | None, form: str, missing: str = "n/a") -> str:
    return missing if value is None else format(value, form)


def _write_time(value: float | None) -> str:
    """Three digits at least, and no exponents, so that a column can be compared by eye."""
    return _write(value, ".0f" if value is not None and value >= 100 else ".3g")


def _write_fastest(result: Result) -> str:
    """The fastest other library and its ratio, where more than the two general ones are measured."""
    ratios = {name: ratio for name, ratio in result.ratios.items() if name != "best"}
    if ratios.keys() <= set(OTHERS):
        return ""
    name = min(ratios, key=lambda each: ratios[each])
    return f"{RATIO_NAMES.get(name, name)} {ratios[name]:.1f}"


def _make_line(result: Result, peaks: dict[str, float]) -> list[str]:
    if result.memory:
        sizes = {name: f"{size / MIB:.1f} MiB" for name, size in result.memory.items()}
        measured = [sizes.get(OURS, "n/a"), sizes.get("scipy", "n/a"), *[""] * 7]
    else:
        scale = {OURS: 1e6, "scipy": 1e3, "opencv": 1e6}
        shown = {name: seconds * scale.get(name, 1) for name, seconds in result.times.items()}
        measured = [
            _write_time(shown.get(OURS)),
            _write_time(shown.get("scipy")),
            _write(result.ratios.get("scipy"), ".1f"),
            _write_time(shown.get("opencv")),
            _write(result.ratios.get("opencv"), ".2f"),
            _write_fastest(result),
            _write(result.gflops(), ".1f", ""),
            _write(result.peak_share(peaks), ".0%", ""),
            _write(result.copies(), ".1f", ""),
        ]
    return [result.label, *measured, str(result.bars), result.verdict(peaks)]


def _lay_out(lines: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Align columns: text to the left, numbers to the right."""
    widths = [max(len(line[column]) for line in [HEADER, *lines]) for column in range(len(HEADER))]
    is_text = [title in ("work", "fastest other", "bar", "verdict") for title in HEADER]

    def join(line: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, is_text, strict=True)
        ]
        return f"| {' | '.join(cells)} |" if markdown else "  ".join(cells).rstrip()

    rule = ["-" * width if text else "-" * (width - 1) + ":" for width, text in zip(widths, is_text, strict=True)]
    return "\n".join([join(HEADER), join(rule), *map(join, lines)])


def _describe(facts: dict[str, Any], peaks: dict[str, float]) -> str:
    versions = ", ".join(f"{name} {version or 'missing'}" for name, version in facts["versions"].items())
    shown_peaks = ", ".join(
        f"{name} {peaks[char] / 1e9:.1f} GFLOP/s"
        for name, char in (("float32", "f"), ("float64", "d"))
        if char in peaks
    )
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}\n"
        f"{facts['date']}, load {facts['load']} before and {facts['load_after']} after, {facts['seconds']:.0f} s, "
        f"{facts['clock']} clock\n"
        f"{versions}; target {facts['target']}\n"
        f"FMA peak of one core: {shown_peaks or 'not measured'}"
    )


def _make_document(comparison: Comparison, facts: dict[str, Any]) -> dict[str, Any]:
    """The JSON result; `readme_table` reads it."""
    peaks = comparison.peaks
    rows = [
        {
            "label": result.label,
            "part": result.part,
            "headline": result.headline,
            "work": asdict(result.work) if result.work else None,
            "method": result.method,
            "seconds": result.times,
            "ratios": result.ratios,
            "gflops": result.gflops(),
            "peak_share": result.peak_share(peaks),
            "copies": result.copies(),
            "extra_bytes": result.memory,
            "bars": str(result.bars),
            "verdict": result.verdict(peaks),
            **result.extra,
        }
        for result in comparison.results.values()
    ]
    return {"format": 1, "machine": facts, "peak_flops": peaks, "rows": rows}


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few samples and a part of the grid: for a first look")
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="measure this part; may be repeated; default: all of them"
    )
    parser.add_argument("--only", metavar="PATTERN", default="", help="regular expression a row's text must contain")
    parser.add_argument(
        "--repeats", metavar="N", type=int, default=1, help="sweeps over all rows; the best of all counts"
    )
    parser.add_argument("--clock", choices=CLOCKS, default=DEFAULT_CLOCK, help="default: %(default)s")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table there as well")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all numbers and the machine's facts there")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; returns 1 if a result of ours was wrong or nothing was measured."""
    options = _read_arguments(arguments)
    faulthandler.enable()  # compiled code is on trial: a crash names its row and its line
    pattern = re.compile(options.only)
    parts = options.part or PARTS
    timed = [row for row in TIMED_ROWS if "general" in parts and pattern.search(row.work.label)]
    large = [row for row in LARGE_ROWS if "large" in parts and pattern.search(row.work.label)]
    filters = [row for row in FILTER_ROWS if "ndimage" in parts and pattern.search(row.work.label)]
    transforms = [row for row in TRANSFORM_ROWS if "large" in parts and pattern.search(row[1])]
    memory = [row for row in MEMORY_ROWS if "memory" in parts and pattern.search(MEMORY_PREFIX + row.work.label)]
    pictures = [row for row in PICTURES if "pictures" in parts and pattern.search(row.label)]
    has_grid = "grid" in parts and bool(pattern.search(GRID_LABEL))
    has_first = "large" in parts and bool(pattern.search(FIRST_LABEL))
    if not (timed or large or filters or transforms or memory or pictures or has_grid or has_first):
        print(f"no row of {', '.join(parts)} contains {options.only!r}", file=sys.stderr)
        return 1

    facts = find_facts()
    begin = time.perf_counter()
    effort = replace(QUICK if options.quick else FULL, clock=options.clock)
    comparison = Comparison(effort, say=lambda text: print(text, file=sys.stderr, flush=True))
    for _ in range(options.repeats):
        comparison.measure_rows(timed)
        if has_grid:
            comparison.measure_grid()
        comparison.measure_rows(large, "large")
        comparison.measure_rows(filters, "ndimage")
        comparison.measure_transforms(transforms)
        if has_first:
            comparison.measure_first_call()
        comparison.measure_memory(memory)
        comparison.measure_pictures(pictures)
    facts["seconds"] = round(time.perf_counter() - begin, 1)
    facts["clock"] = effort.clock
    facts["load_after"] = find_load()
    facts["command"] = "python -m benchmarks.compare " + " ".join(sys.argv[1:] if arguments is None else arguments)

    results = comparison.results.values()
    lines = [_make_line(result, comparison.peaks) for result in results]
    verdicts = [result.verdict(comparison.peaks) for result in results]
    judged = sum(1 for result in results if result.bars != Bars())
    summary = f"{verdicts.count('met')} of {judged} bars met"
    print(_describe(facts, comparison.peaks), _lay_out(lines, markdown=False), summary, FOOTNOTES, sep="\n\n")
    if options.markdown:
        text = [_describe(facts, comparison.peaks), _lay_out(lines, markdown=True), f"{summary}.", FOOTNOTES]
        options.markdown.write_text("\n\n".join(text), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(_make_document(comparison, facts), indent=1) + "\n", encoding="utf-8")
    return int(any("WRONG" in verdict for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
