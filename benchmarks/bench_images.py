"""Pictures of several sizes and dtypes."""

from __future__ import annotations

from typing import Any

from ._suite import _Speedup, _Timed
from .cases import INTEGER_DTYPES, Work
from .peers import LIBRARIES, OTHERS


class _Square:
    axes: list[list[Any]] = [["float32", "float64"], [3, 5, 7, 9, 15, 31]]
    axis_names = ["dtype", "kernel"]

    @staticmethod
    def work(dtype: str, side: int) -> Work:
        return Work((1024, 1024), (side, side), dtype)


class SquareImages(_Square, _Timed):
    params = [LIBRARIES, *_Square.axes]
    param_names = ["library", *_Square.axis_names]


class SquareImagesSpeedup(_Square, _Speedup):
    params = [OTHERS, *_Square.axes]
    param_names = ["peer", *_Square.axis_names]


class _Odd:
    """Sides no vector divides, kernels that are no odd square, every mode: nothing may be tuned to one size."""

    axes: list[list[Any]] = [
        ["float32", "float64"],
        ["1000x777", "511x1023"],
        ["3x3", "4x6", "9x9", "1x15", "15x1"],
        ["full fill", "valid fill", "same wrap", "same symm"],
    ]
    axis_names = ["dtype", "image", "kernel", "extent"]

    @staticmethod
    def work(dtype: str, image: str, kernel: str, extent: str) -> Work:
        mode, boundary = extent.split()
        return Work(_read_shape(image), _read_shape(kernel), dtype, mode=mode, boundary=boundary)


def _read_shape(text: str) -> tuple[int, int]:
    rows, columns = text.split("x")
    return int(rows), int(columns)


class OddImages(_Odd, _Timed):
    params = [LIBRARIES, *_Odd.axes]
    param_names = ["library", *_Odd.axis_names]


class OddImagesSpeedup(_Odd, _Speedup):
    params = [OTHERS, *_Odd.axes]
    param_names = ["peer", *_Odd.axis_names]


class _Integers:
    axes: list[list[Any]] = [list(INTEGER_DTYPES), [3, 5, 9, 15, 25], ["picture", "any"]]
    axis_names = ["dtype", "kernel", "values"]

    @staticmethod
    def work(dtype: str, side: int, values: str) -> Work:
        return Work((700, 900), (side, side), dtype, values=values)


class Integers(_Integers, _Timed):
    params = [LIBRARIES, *_Integers.axes]
    param_names = ["library", *_Integers.axis_names]


class IntegersSpeedup(_Integers, _Speedup):
    params = [OTHERS, *_Integers.axes]
    param_names = ["peer", *_Integers.axis_names]


class _Complex:
    axes: list[list[Any]] = [
        [
            "complex128 by complex128",
            "float64 by complex128",
            "complex128 by float64",
            "complex64 by complex64",
            "float32 by complex64",
        ],
        [3, 5, 9, 15, 25],
    ]
    axis_names = ["dtypes", "kernel"]

    @staticmethod
    def work(dtypes: str, side: int) -> Work:
        dtype, kernel_dtype = dtypes.split(" by ")
        return Work((700, 900), (side, side), dtype, kernel_dtype)


class Complex(_Complex, _Timed):
    params = [LIBRARIES, *_Complex.axes]
    param_names = ["library", *_Complex.axis_names]


class ComplexSpeedup(_Complex, _Speedup):
    params = [OTHERS, *_Complex.axes]
    param_names = ["peer", *_Complex.axis_names]
