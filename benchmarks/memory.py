"""Memory that one call needs beyond its operands and its result, measured in a process of its own.

``python -m benchmarks.memory LIBRARY WORK`` prints bytes; WORK is a `Work` as JSON. Linux only: elsewhere the peak
cannot be reset after the image is made.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Work, make_operands
from .peers import CannotDo, make_call

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # see proc_pid_clear_refs(5)
_CANNOT = "cannot:"


def measure_extra_memory(library: str, work: Work, timeout: float = 120) -> int:
    """Peak of resident bytes beyond image, kernel and result.

    Raises
    ------
    CannotDo
        If the library or this system cannot.
    """
    if not _CLEAR.exists():
        msg = "needs /proc/self/clear_refs"
        raise CannotDo(msg)
    command = [sys.executable, "-m", "benchmarks.memory", library, json.dumps(asdict(work))]
    root = Path(__file__).parents[1]
    child = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=timeout, check=False)
    if child.returncode:
        raise RuntimeError(child.stderr.strip().rpartition("\n")[2] or f"exit status {child.returncode}")
    answer = child.stdout.strip()
    if answer.startswith(_CANNOT):
        raise CannotDo(answer.removeprefix(_CANNOT).strip())
    return int(answer)


def make_lean_operands(work: Work) -> tuple[NDArray[Any], NDArray[Any]]:
    """Image and kernel made without a temporary of the image's size, which would raise the peak."""
    _, kernel = make_operands(replace(work, image=(1, 1)))
    image = np.empty(work.image, work.dtype, order="F" if work.order == "F" else "C")
    image[...] = np.arange(work.image[1]) % 251
    return image, kernel


def _measure_here(library: str, work: Work) -> int:
    # A small call first: what a library imports or allocates once in its life does not belong to this call.
    small = replace(work, image=(64, 64), kernel=(3, 3))
    make_call(library, small).run()
    call = make_call(library, work, make_lean_operands(work))
    gc.collect()
    _CLEAR.write_text(_RESET_PEAK)
    before = _read_status("VmRSS")
    result = call.run()
    return _read_status("VmHWM") - before - int(result.nbytes)


def _read_status(key: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{key}:"):
            return 1024 * int(line.split()[1])
    msg = f"no {key} in {_STATUS}"
    raise CannotDo(msg)


def _main() -> None:
    fields: dict[str, Any] = json.loads(sys.argv[2])
    for shape in ("image", "kernel"):
        fields[shape] = tuple(fields[shape])
    work = Work(**fields)
    try:
        print(_measure_here(sys.argv[1], work))
    except CannotDo as reason:
        print(_CANNOT, reason)


if __name__ == "__main__":
    _main()
