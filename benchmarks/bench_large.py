"""Large and structured kernels, by whatever method is fastest, against the libraries that are good at them."""

from __future__ import annotations

from typing import Any

from ._suite import _Speedup, _Timed
from .cases import RIVALS, TEMPLATE, Work, large_shape
from .first_call import OTHER_WORKS, WORK, measure_pauses
from .peers import OURS, make_fma_call
from .timing import best_times
from .transforms import PAIRS, count_flops, make_alone_call, make_transform_call


class _Large:
    axes: list[list[Any]] = [["float32", "float64"], [15, 31, 65, 129]]
    axis_names = ["dtype", "kernel"]

    @staticmethod
    def work(dtype: str, side: int) -> Work:
        return Work(large_shape(side), (side, side), dtype, method="auto")


class LargeKernels(_Large, _Timed):
    params = [[OURS, *RIVALS], *_Large.axes]
    param_names = ["library", *_Large.axis_names]


class LargeKernelsSpeedup(_Large, _Speedup):
    params = [list(RIVALS), *_Large.axes]
    param_names = ["peer", *_Large.axis_names]


class _Template:
    axes: list[list[Any]] = [["correlate2d"]]
    axis_names = ["function"]

    @staticmethod
    def work(function: str) -> Work:
        return TEMPLATE


class Template(_Template, _Timed):
    params = [[OURS, *RIVALS], *_Template.axes]
    param_names = ["library", *_Template.axis_names]


class TemplateSpeedup(_Template, _Speedup):
    """SciPy's direct sums take some six seconds here, so they are left to ``benchmarks.compare``."""

    params = [list(RIVALS), *_Template.axes]
    param_names = ["peer", *_Template.axis_names]


class _Gaussian:
    axes: list[list[Any]] = [["float32", "float64"], [7, 15, 31]]
    axis_names = ["dtype", "kernel"]

    @staticmethod
    def work(dtype: str, side: int) -> Work:
        return Work((1024, 1024), (side, side), dtype, weights="gaussian", method="auto")


class Gaussian(_Gaussian, _Timed):
    params = [[OURS, "sepfilter"], *_Gaussian.axes]
    param_names = ["library", *_Gaussian.axis_names]


class GaussianSpeedup(_Gaussian, _Speedup):
    params = [["sepfilter"], *_Gaussian.axes]
    param_names = ["peer", *_Gaussian.axis_names]


class _Box:
    axes: list[list[Any]] = [["float32", "float64", "uint8"], [5, 15, 31]]
    axis_names = ["dtype", "kernel"]

    @staticmethod
    def work(dtype: str, side: int) -> Work:
        return Work((1024, 1024), (side, side), dtype, weights="box", method="auto")


class Box(_Box, _Timed):
    params = [[OURS, "blur"], *_Box.axes]
    param_names = ["library", *_Box.axis_names]


class BoxSpeedup(_Box, _Speedup):
    params = [["blur"], *_Box.axes]
    param_names = ["peer", *_Box.axis_names]


class _LargeIntegers:
    axes: list[list[Any]] = [["uint8", "int32", "int64"], [15, 25]]
    axis_names = ["dtype", "kernel"]

    @staticmethod
    def work(dtype: str, side: int) -> Work:
        return Work((700, 900), (side, side), dtype, method="auto")


class LargeIntegers(_LargeIntegers, _Timed):
    params = [[OURS, "scipy"], *_LargeIntegers.axes]
    param_names = ["library", *_LargeIntegers.axis_names]


class LargeIntegersSpeedup(_LargeIntegers, _Speedup):
    params = [["scipy"], *_LargeIntegers.axes]
    param_names = ["peer", *_LargeIntegers.axis_names]


class TransformRate:
    """Rate of the tile transforms on one pair of tiles, and its share of the FMA peak; see `transforms`."""

    params = [["float32", "float64"], [64, 128, 144, 256], ["alone", "whole"]]
    param_names = ["dtype", "side", "what"]

    def setup(self, dtype: str, side: int, what: str) -> None:
        char = {"float32": "f", "float64": "d"}[dtype]
        make = make_alone_call if what == "alone" else make_transform_call
        calls = {"ours": make(char, side), "fma": make_fma_call(char)}
        best = best_times(calls, rounds=9, budget=0.2)
        self.rate = PAIRS * count_flops(side) / best["ours"]
        self.peak = calls["fma"].run() / best["fma"]

    def track_rate(self, dtype: str, side: int, what: str) -> float:
        return self.rate / 1e9

    def track_peak_share(self, dtype: str, side: int, what: str) -> float:
        return self.rate / self.peak

    track_rate.unit = "GFLOP/s"  # type: ignore[attr-defined]
    track_peak_share.unit = "of peak"  # type: ignore[attr-defined]


class FirstCall:
    """How much longer the first call of a process takes than the second."""

    _works = {work.label: work for work in (WORK, *OTHER_WORKS)}
    params = [list(_works)]
    param_names = ["work"]

    def track_pause(self, label: str) -> float:
        return 1e3 * min(first - second for first, second in measure_pauses(self._works[label]))

    track_pause.unit = "ms"  # type: ignore[attr-defined]
