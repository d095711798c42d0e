"""Filters for pictures: what is measured, how rapidconv.image and the others are called, and whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Bars
from .peers import OURS, load_module
from .timing import Call

Array = NDArray[Any]

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SCHARR = np.array([[-3 - 3j, -10j, 3 - 3j], [-10, 0, 10], [-3 + 3j, 10j, 3 + 3j]])


@dataclass(frozen=True)
class Picture:
    """One filter, and its calls by library.

    `most` is how far results may be apart: 1 where sums of fractions are rounded to integers.
    """

    label: str
    make: Callable[[], dict[str, Call]]
    bars: Bars
    most: float = 0.0

    def find_fault(self, calls: dict[str, Call]) -> str:
        """What is wrong with our result, an empty string if nothing is."""
        ours, *others = (np.asarray(call.run()) for call in calls.values())
        for other in others:
            wide = np.result_type(other, np.float64)
            off = float(np.abs(ours.astype(wide) - other.astype(wide)).max())
            if off > self.most:
                return f"WRONG: off by {off:.2g}"
        return ""


def _bytes(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(1234).integers(0, 256, shape, np.uint8)


def _mean_of(side: int) -> Array:
    """A kernel of fractions without structure, whose taps sum to one."""
    kernel = np.random.default_rng(side).random((side, side))
    return (kernel / kernel.sum()).astype(np.float32)


def _whole(side: int) -> Array:
    return np.random.default_rng(side).integers(-8, 9, (side, side)).astype(np.float32)


def _filter(kernel: Array, dtype: str) -> dict[str, Call]:
    image, cv2 = load_module("rapidconv.image"), load_module("cv2")
    picture = _bytes((1024, 1024, 3))
    depth = {"uint8": -1, "float32": cv2.CV_32F}[dtype]
    return {
        OURS: Call(image.filter2d, (picture, kernel), {"channel_axis": -1, "dtype": dtype}),
        "opencv": Call(cv2.filter2D, (picture, depth, kernel)),
    }


def _gaussian() -> dict[str, Call]:
    image, cv2 = load_module("rapidconv.image"), load_module("cv2")
    picture, factor = _bytes((1024, 1024, 3)), cv2.getGaussianKernel(31, 5)
    return {
        OURS: Call(image.filter2d, (picture, factor @ factor.T), {"channel_axis": -1}),
        "opencv": Call(cv2.GaussianBlur, (picture, (31, 31), 5)),
    }


def _sobel() -> dict[str, Call]:
    image, cv2 = load_module("rapidconv.image"), load_module("cv2")
    picture = _bytes((1024, 1024))

    def opencv() -> Array:
        x, y = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
        return np.asarray(cv2.magnitude(x, y))

    options = {"combine": "magnitude", "dtype": "float32"}
    return {OURS: Call(image.filter_bank, (picture, np.stack([SOBEL, SOBEL.T])), options), "opencv": Call(opencv)}


def _colour_grey() -> dict[str, Call]:
    """Colour by `channel_axis`; the other is three grey pictures of the same size by ourselves, so that the ratio is of rates."""
    signal = load_module("rapidconv.signal")
    rng = np.random.default_rng(1234)
    picture, kernel = rng.random((1024, 1024, 3), np.float32), rng.random((5, 5), np.float32)
    planes = np.moveaxis(picture, 2, 0).copy()
    options = {"mode": "same", "boundary": "symm"}

    def grey() -> Array:
        return np.stack([signal.convolve2d(plane, kernel, **options) for plane in planes], axis=-1)

    return {OURS: Call(signal.convolve2d, (picture, kernel), {**options, "channel_axis": -1}), "grey": Call(grey)}


def _scharr() -> dict[str, Call]:
    signal, scipy = load_module("rapidconv.signal"), load_module("scipy.signal")
    picture = np.random.default_rng(1234).random((1018, 1645, 3))
    options = {"mode": "same", "boundary": "symm"}

    def loop() -> Array:
        return np.stack([scipy.convolve2d(picture[..., c], SCHARR, **options) for c in range(3)], axis=-1)

    return {OURS: Call(signal.convolve2d, (picture, SCHARR), {**options, "channel_axis": -1}), "scipy": Call(loop)}


def _rows() -> Iterator[Picture]:
    for side, bar in ((3, 1), (5, 1), (9, 2), (15, 8), (31, 8)):
        text = f"uint8 RGB 1024x1024 by {side}x{side}"
        yield Picture(f"{text} of fractions, to uint8", lambda s=side: _filter(_mean_of(s), "uint8"), Bars(opencv=bar), 1)
        # OpenCV's own sums are transforms in float32 from 12x12 on, and not exact.
        inexact = 2 if side > 11 else 0
        yield Picture(f"{text} of whole numbers, to uint8", lambda s=side: _filter(_whole(s), "uint8"), Bars(opencv=bar), inexact)
    for side in (9, 15):
        text = f"uint8 RGB 1024x1024 by {side}x{side} of fractions, to float32"
        yield Picture(text, lambda s=side: _filter(_mean_of(s), "float32"), Bars(opencv=6), 0.01)
    yield Picture("uint8 RGB 1024x1024 by gaussian 31x31, to uint8", _gaussian, Bars(opencv=1), 1)
    yield Picture("uint8 1024x1024, magnitude of Sobel, to float32", _sobel, Bars(opencv=2), 1e-3)
    yield Picture("float64 1018x1645x3 by complex Scharr, channel_axis", _scharr, Bars(scipy=40), 1e-10)
    yield Picture("float32 RGB 1024x1024 by 5x5, channel_axis", _colour_grey, Bars(grey=0.9), 1e-4)


PICTURES = tuple(_rows())
