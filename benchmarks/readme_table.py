"""Paste the speed tables of a measured run into the README.

python -m benchmarks.readme_table RESULT.json [RESULT.json ...] README.md

Several results, of different parts of ``benchmarks.compare``, have to come from one machine and the same versions.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .cases import RATIO_NAMES
from .peers import OURS

BEGIN = "<!-- speed table: begin -->"
END = "<!-- speed table: end -->"
HEADER = ("work", "rapidconv", "SciPy", "", "OpenCV", "", "of FMA peak")
LARGE_HEADER = ("large and structured kernels", "rapidconv", "method", "fastest other", "", "SciPy's direct sum", "")

#: How the libraries are called in the table of large kernels.
NAMES = {**RATIO_NAMES, "opencv": "OpenCV filter2D", "oaconvolve": "oaconvolve", "sepfilter": "OpenCV sepFilter2D"}
#: What every row of that table has in common, or says elsewhere.
_IMPLIED = (" same symm", " method=auto")


def merge(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One document of several runs.

    Raises
    ------
    ValueError
        If they come from different machines or versions.
    """
    first, *others = documents
    for other in others:
        for fact in ("cpu", "target", "versions", "clock"):
            if other["machine"][fact] != first["machine"][fact]:
                msg = f"the results differ in {fact}: {first['machine'][fact]}, {other['machine'][fact]}"
                raise ValueError(msg)
    peaks: dict[str, float] = {}
    for document in documents:
        for char, peak in document["peak_flops"].items():
            peaks[char] = max(peak, peaks.get(char, 0.0))
    rows = {row["label"]: row for document in documents for row in document["rows"]}
    commands = "`, `".join(document["machine"]["command"] for document in documents)
    machine = {**documents[-1]["machine"], "command": commands}
    return {**first, "machine": machine, "peak_flops": peaks, "rows": list(rows.values())}


def make_table(document: dict[str, Any]) -> str:
    """Markdown of the headline rows, whether their bar was met or not, and where the numbers come from.

    Parameters
    ----------
    document : dict
        What ``benchmarks.compare --json`` wrote.

    Raises
    ------
    ValueError
        If there is nothing to show or a result was wrong.
    """
    rows = [row for row in document["rows"] if row["headline"]]
    wrong = [row["label"] for row in document["rows"] if "WRONG" in row["verdict"]]
    if wrong:
        msg = f"wrong results are not published: {', '.join(wrong)}"
        raise ValueError(msg)
    if not rows:
        msg = "the result has no headline row"
        raise ValueError(msg)
    large = [row for row in rows if row.get("part") == "large"]
    faces = [row for row in rows if row.get("part") in ("ndimage", "pictures")]
    general = [row for row in rows if row not in large and row not in faces]
    tables = [_lay_out(HEADER, map(_make_line, general))] if general else []
    if large:
        tables.append(_lay_out(LARGE_HEADER, map(_make_large_line, large)))
    if faces:
        tables.append(_lay_out(("scipy.ndimage's filters, and pictures", *HEADER[1:]), map(_make_line, faces)))
    return "\n\n".join([*tables, _describe(document, bool(general), bool(large))])


def _lay_out(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rule = ("---", *["---" if title in ("method", "fastest other") else "---:" for title in header[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines))


def _make_large_line(row: dict[str, Any]) -> tuple[str, ...]:
    seconds, ratios, share = row["seconds"], row["ratios"], row["peak_share"]
    others = {name: seconds[name] for name in ratios if name not in ("best", "scipy")}
    other, ratio = "", ""
    if others:
        name = min(others, key=lambda each: others[each])
        other, ratio = f"{_write_seconds(others[name])} {NAMES.get(name, name)}", _write_ratio(ratios[name])
    label = row["label"]
    for implied in _IMPLIED:
        label = label.replace(implied, "")
    ours = _write_seconds(seconds.get(OURS)) if seconds.get(OURS, 0.0) > 1e-6 else "nothing"
    if share is not None:
        ours += f", {share:.0%} of FMA peak"
    scipy = seconds.get("scipy")
    return (label, ours, row["method"], other, ratio, _write_seconds(scipy), _write_ratio(ratios.get("scipy")))


def _make_line(row: dict[str, Any]) -> tuple[str, ...]:
    if row["extra_bytes"]:
        sizes = [_write_bytes(row["extra_bytes"].get(library)) for library in (OURS, "scipy")]
        return (row["label"], *sizes, "", "", "", "")
    seconds, ratios, share = row["seconds"], row["ratios"], row["peak_share"]
    return (
        row["label"],
        _write_seconds(seconds.get(OURS)),
        _write_seconds(seconds.get("scipy")),
        _write_ratio(ratios.get("scipy")),
        _write_seconds(seconds.get("opencv")),
        _write_ratio(ratios.get("opencv")),
        f"{share:.0%}" if share is not None and share >= 0.05 else "",
    )


def _write_seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    scale, unit = (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")
    value = seconds * scale
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _write_ratio(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×"


def _write_bytes(size: int | None) -> str:
    return "" if size is None else f"{size / 2**20:.1f} MiB"


def _describe(document: dict[str, Any], general: bool = True, large: bool = False) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    peaks = document["peak_flops"]
    shown_peaks = "".join(
        f", FMA peak {peaks[char] / 1e9:.0f} GFLOP/s ({name})"
        for char, name in (("f", "float32"), ("d", "float64"))
        if char in peaks
    )
    said = ["One thread, best of interleaved samples; × is the other library's time over ours."]
    if general:
        said.append(f"{'First table: ' if large else ''}`method=\"direct\"`.")
    if general and any(row["label"].startswith("SciPy's") for row in document["rows"]):
        said.append("The grid shows the mean call and the geometric mean of the ratios.")
    if large:
        said.append(
            f"{'Second' if general else 'This'} table: mode same, boundary symm, `method=\"auto\"` and what it chose; kernels are random unless "
            "said otherwise. fftconvolve and oaconvolve get an image already extended by its boundary, `sepFilter2D` the factors of the "
            "Gaussian, `blur` a mean where integers are summed."
        )
    return (
        f"{textwrap.fill(' '.join(said), 119, break_on_hyphens=False)}\n"
        f"Measured {machine['date'][:10]} on {machine['cpu']}, target {machine['target']}{shown_peaks};\n"
        f"{versions}.\n"
        f"To measure again: `{machine['command']}`, then\n"
        "`python -m benchmarks.readme_table RESULT.json README.md`."
    )


def paste(text: str, table: str) -> str:
    """Replace what stands between the markers.

    Raises
    ------
    ValueError
        If the markers are not there once each, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        msg = f"expected {BEGIN} and {END} once each, in this order"
        raise ValueError(msg)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the result, write the README."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.readme_table", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("results", type=Path, nargs="+", help="JSON written by benchmarks.compare")
    parser.add_argument("readme", type=Path, help="file with the two markers")
    options = parser.parse_args(arguments)
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in options.results]
    try:
        text = paste(options.readme.read_text(encoding="utf-8"), make_table(merge(documents)))
    except ValueError as reason:
        print(reason, file=sys.stderr)
        return 1
    options.readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
