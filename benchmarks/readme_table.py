"""Paste the speed table of a measured run into the README.

python -m benchmarks.readme_table RESULT.json README.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .peers import OURS

BEGIN = "<!-- speed table: begin -->"
END = "<!-- speed table: end -->"
HEADER = ("work", "rapidconv", "SciPy", "", "OpenCV", "", "of FMA peak")


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
    lines = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *map(_make_line, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{_describe(document)}"


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


def _describe(document: dict[str, Any]) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    peaks = document["peak_flops"]
    shown_peaks = "".join(
        f", FMA peak {peaks[char] / 1e9:.0f} GFLOP/s ({name})"
        for char, name in (("f", "float32"), ("d", "float64"))
        if char in peaks
    )
    return (
        'One thread, `method="direct"`, best of interleaved samples; × is the other library\'s time over ours. The\n'
        "grid shows the mean call and the geometric mean of the ratios.\n"
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
    parser.add_argument("result", type=Path, help="JSON written by benchmarks.compare")
    parser.add_argument("readme", type=Path, help="file with the two markers")
    options = parser.parse_args(arguments)
    document = json.loads(options.result.read_text(encoding="utf-8"))
    try:
        text = paste(options.readme.read_text(encoding="utf-8"), make_table(document))
    except ValueError as reason:
        print(reason, file=sys.stderr)
        return 1
    options.readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
