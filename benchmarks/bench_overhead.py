"""What a call costs before any work is done, and what an import costs."""

from __future__ import annotations

from typing import Any

from ._suite import _Speedup
from .cases import Work
from .peers import IMPORTS, LIBRARIES, OTHERS, load_module, make_call
from .timing import best_times


class _Tiny:
    axes: list[list[Any]] = [["full fill", "same symm"]]
    axis_names = ["extent"]

    @staticmethod
    def work(extent: str) -> Work:
        mode, boundary = extent.split()
        return Work((8, 8), (3, 3), mode=mode, boundary=boundary, plain=True)


class CallOverhead(_Tiny):
    """An 8x8 by 3x3 call as a newcomer writes it, timed without a wrapper, which would cost as much as the work."""

    params = [LIBRARIES, *_Tiny.axes]
    param_names = ["library", *_Tiny.axis_names]

    def setup(self, library: str, extent: str) -> None:
        self.call = make_call(library, self.work(extent))

    def track_call(self, library: str, extent: str) -> float:
        return 1e6 * best_times({library: self.call}, rounds=50)[library]

    track_call.unit = "us"  # type: ignore[attr-defined]


class CallOverheadSpeedup(_Tiny, _Speedup):
    params = [OTHERS, *_Tiny.axes]
    param_names = ["peer", *_Tiny.axis_names]


class ImportTime:
    """Import in a fresh process that already has NumPy."""

    params = [LIBRARIES]
    param_names = ["library"]
    number = 1
    rounds = 1
    repeat = (3, 10, 5.0)
    warmup_time = 0.0

    def setup(self, library: str) -> None:
        load_module(IMPORTS[library])

    def timeraw_import(self, library: str) -> tuple[str, str]:
        return f"import {IMPORTS[library]}", "import numpy"
