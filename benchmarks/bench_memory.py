"""Memory beyond the operands and the result."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from .cases import MEMORY_ROWS, MIB, Work
from .memory import make_lean_operands, measure_extra_memory
from .peers import IMPORTS, LIBRARIES, CannotDo, load_module, make_call
from .timing import Call

_WORKS = {row.work.label: row.work for row in MEMORY_ROWS}


class ExtraMemory:
    """Peak of resident memory during one call, less image, kernel and result; a fresh process each."""

    params = [LIBRARIES, list(_WORKS)]
    param_names = ["library", "work"]
    timeout = 150

    def setup(self, library: str, label: str) -> None:
        # Raises CannotDo here, where asv turns it into n/a.
        make_call(library, replace(_WORKS[label], image=(64, 64)))

    def track_extra_memory(self, library: str, label: str) -> float:
        return measure_extra_memory(library, _WORKS[label]) / MIB

    track_extra_memory.unit = "MiB"  # type: ignore[attr-defined]


class PeakMemory:
    """Peak of the whole process. The row "none" is what the interpreter, the libraries and the operands need."""

    params = [["none", *LIBRARIES], ["float32", "float64", "complex128"]]
    param_names = ["library", "dtype"]
    timeout = 60

    def setup(self, library: str, dtype: str) -> None:
        # Every row loads every library, or the libraries' own size would drown the difference.
        for module in IMPORTS.values():
            with contextlib.suppress(CannotDo):
                load_module(module)
        work = Work((2048, 2048), (5, 5), dtype)
        operands = make_lean_operands(work)
        self.call = Call(lambda: operands) if library == "none" else make_call(library, work, operands)

    def peakmem_call(self, library: str, dtype: str) -> None:
        self.call.run()
