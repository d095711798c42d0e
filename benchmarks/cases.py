"""The works that are measured and the bars they have to clear, as data.

A `Work` says what is computed, never by whom; `peers` knows how each library is asked for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int]

GRID_SIDES = (8, 13, 30, 36)
MODES = ("full", "valid", "same")
BOUNDARIES = ("fill", "wrap", "symm")

MIB = 2**20


@dataclass(frozen=True)
class Work:
    """One call to measure.

    Attributes
    ----------
    image, kernel : tuple of int
        Shapes of the two operands.
    dtype, kernel_dtype : str
        An empty `kernel_dtype` means that of the image.
    mode, boundary, function : str
        As in `scipy.signal`.
    method : str
        Method asked of rapidconv.
    plain : bool
        Call as a newcomer writes it: defaults left out, nothing only rapidconv understands.
    values : {"picture", "any"}
        Range of integers: 0..255 with a kernel of small weights, or whatever the dtype holds.
    weights : {"random", "gaussian", "box", "dilated"}
        Kind of kernel. A Gaussian is the product of two, of whole numbers for an integer dtype; a box is a mean for
        floats and a sum for integers; of a dilated one, every 8th tap of every 8th row is not zero.
    order : {"C", "F"}
        Memory layout of the image.
    """

    image: Shape
    kernel: Shape
    dtype: str = "float64"
    kernel_dtype: str = ""
    mode: str = "same"
    boundary: str = "symm"
    function: str = "convolve2d"
    method: str = "direct"
    plain: bool = False
    values: str = "picture"
    weights: str = "random"
    order: str = "C"

    @property
    def label(self) -> str:
        """What a reader of the table sees; unique within a table."""
        words = [f"{self.dtype} {_sides(self.image)} by"]
        if self.kernel_dtype:
            words.append(self.kernel_dtype)
        if self.weights != "random":
            words.append(self.weights)
        words.append(f"{_sides(self.kernel)} {self.mode} {self.boundary}")
        if self.values == "any":
            words.append("any value")
        if self.order == "F":
            words.append("Fortran order")
        if self.function != "convolve2d":
            words.append(self.function)
        if self.plain:
            words.append("whole call")
        elif self.method != "direct":
            words.append(f"method={self.method}")
        return " ".join(words)

    @property
    def flops(self) -> int:
        """Real multiplications and additions of direct summation, whatever shortcut a library takes.

        Taps that fall on a constant fill are counted for "same" (one rim, negligible) and not for "full". A Gaussian
        counts the taps of its column and its row, as a program written for it would.
        """
        (rows, columns), (kernel_rows, kernel_columns) = self.image, self.kernel
        if self.mode == "valid":
            outputs = (rows - kernel_rows + 1) * (columns - kernel_columns + 1)
        elif self.mode == "full" and self.boundary != "fill":
            outputs = (rows + kernel_rows - 1) * (columns + kernel_columns - 1)
        else:
            outputs = rows * columns
        complex_operands = [self.dtype, self.kernel_dtype or self.dtype]
        real_products = 1
        for dtype in complex_operands:
            real_products *= 2 if dtype.startswith("complex") else 1
        taps = kernel_rows + kernel_columns if self.weights == "gaussian" else kernel_rows * kernel_columns
        return 2 * outputs * taps * real_products

    @property
    def fma_dtype(self) -> str | None:
        """The dtype character whose FMA peak limits this work, None for integers and where `flops` may be avoided."""
        if self.method == "auto" and self.weights != "gaussian":
            return None
        return {"float32": "f", "complex64": "f", "float64": "d", "complex128": "d"}.get(self.dtype)


@dataclass(frozen=True)
class Filter:
    """One call of a filter of `scipy.ndimage` to measure, everything left to its defaults but what is said here.

    Attributes
    ----------
    function : str
    image : tuple of int
    dtype : str
    weights : tuple of int
        Shape of random weights, which are the second argument; empty where there are none.
    arguments : tuple
        Those after image and weights.
    """

    function: str
    image: tuple[int, ...]
    dtype: str = "float64"
    weights: tuple[int, ...] = ()
    arguments: tuple[float, ...] = ()

    method = ""
    flops = None
    fma_dtype = None

    @property
    def label(self) -> str:
        """What a reader of the table sees; unique within a table."""
        told = [_sides(self.weights)] if self.weights else []
        told += map(str, self.arguments)
        return f"ndimage.{self.function} {self.dtype} {_sides(self.image)}{' by ' if told else ''}{', '.join(told)}"


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def make_operands(work: Work | Filter) -> tuple[NDArray[Any], NDArray[Any]]:
    """Image and kernel of a work, the same ones every time."""
    rng = np.random.default_rng(1234)
    if isinstance(work, Filter):
        image = _random_array(rng, work.image, np.dtype(work.dtype), "picture", (0, 256))
        return image, rng.standard_normal(work.weights)
    image = _random_array(rng, work.image, np.dtype(work.dtype), work.values, (0, 256))
    kernel_dtype = np.dtype(work.kernel_dtype or work.dtype)
    if work.weights in ("gaussian", "box"):
        return np.asarray(image, order="F" if work.order == "F" else "C"), _make_regular_kernel(work, kernel_dtype)
    kernel = _random_array(rng, work.kernel, kernel_dtype, work.values, (1, 9))
    if work.weights == "dilated":
        near, kernel = kernel, np.zeros_like(kernel)
        kernel[::8, ::8] = near[::8, ::8]
    if kernel_dtype.kind == "i" and work.values == "picture":
        # Signs are drawn apart from sizes: a weight of zero can be skipped, and that would flatter whoever does.
        kernel *= rng.choice([-1, 1], work.kernel).astype(kernel_dtype)
    return np.asarray(image, order="F" if work.order == "F" else "C"), kernel


def make_gaussian(side: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One factor of a Gaussian kernel that ends at three standard deviations: sums to one, or whole numbers up to 8."""
    offsets = np.arange(side) - (side - 1) / 2
    weights = np.exp(-0.5 * (offsets / (side / 6)) ** 2)
    if dtype.kind in "iu":
        return np.rint(8 * weights).astype(dtype)
    return (weights / weights.sum()).astype(dtype)


def _make_regular_kernel(work: Work, dtype: np.dtype[Any]) -> NDArray[Any]:
    if work.weights == "gaussian":
        # Products in float64, rounded once: how kernels are made, and harder to see through than products of float32.
        wide = dtype if dtype.kind in "iu" else np.dtype(np.float64)
        column, row = (make_gaussian(side, wide) for side in work.kernel)
        return np.outer(column, row).astype(dtype)
    total = 1 if dtype.kind in "iu" else work.kernel[0] * work.kernel[1]
    return np.full(work.kernel, 1 / total, dtype)


def _random_array(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], values: str, small: tuple[int, int]
) -> NDArray[Any]:
    if dtype.kind in "iu":
        if values == "any":
            limits = np.iinfo(dtype)
            return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
        return rng.integers(*small, size=shape).astype(dtype)
    parts = rng.standard_normal(shape)
    if dtype.kind == "c":
        return (parts + 1j * rng.standard_normal(shape)).astype(dtype)
    return parts.astype(dtype)


#: What bars on ratios are called in the table.
RATIO_NAMES = {
    "opencv": "OpenCV",
    "scipy": "SciPy",
    "fftconvolve": "fftconvolve",
    "sepfilter": "sepFilter2D",
    "blur": "cv2.blur",
    "grey": "grey planes",
    "best": "the best of three",
}
#: The three a large kernel has to beat.
RIVALS = ("opencv", "fftconvolve", "oaconvolve")


@dataclass(frozen=True)
class Bars:
    """What a row has to reach; None where nothing is asked.

    Attributes
    ----------
    opencv, scipy, fftconvolve, sepfilter, blur, grey : float, optional
        Least ratio of that library's time to ours.
    best : float, optional
        The same of the fastest of `RIVALS`.
    peak : float, optional
        Least share of the measured FMA peak.
    memory : int, optional
        Most bytes beyond input and output.
    seconds : float, optional
        Most seconds.
    """

    opencv: float | None = None
    scipy: float | None = None
    fftconvolve: float | None = None
    sepfilter: float | None = None
    blur: float | None = None
    grey: float | None = None
    best: float | None = None
    peak: float | None = None
    memory: int | None = None
    seconds: float | None = None

    @property
    def ratios(self) -> dict[str, float]:
        """The bars on ratios, by library."""
        bars = {name: getattr(self, name) for name in RATIO_NAMES}
        return {name: bar for name, bar in bars.items() if bar is not None}

    def __str__(self) -> str:
        words = [f"{bar:g}x {RATIO_NAMES[name]}" for name, bar in self.ratios.items()]
        if self.peak is not None:
            words.append(f"{self.peak:.0%} of peak")
        if self.memory is not None:
            words.append(f"under {self.memory // MIB} MiB")
        if self.seconds is not None:
            words.append(f"under {1e3 * self.seconds:g} ms")
        return ", ".join(words)


@dataclass(frozen=True)
class Row:
    """One line of the table: a work, its bars, and who is measured besides rapidconv.

    `headline` rows go into the README. `reference` is the library whose result the others are compared with.
    """

    work: Work | Filter
    bars: Bars = Bars()
    headline: bool = False
    peers: tuple[str, ...] = ("scipy", "opencv")
    reference: str = "scipy"


GRID_BARS = Bars(scipy=25)
INTEGER_DTYPES = ("uint8", "int16", "int32", "int64")

_SQUARE_BARS = {
    3: Bars(opencv=1.5, scipy=60),
    5: Bars(opencv=2.5, scipy=80),
    7: Bars(opencv=2.5, scipy=80),
    9: Bars(opencv=2.5, scipy=80),
    31: Bars(peak=0.8),
}


def _timed_rows() -> Iterator[Row]:
    # SciPy's defaults (full, fill) are beyond one OpenCV call, so its bar is set where all three do the same work.
    tiny = Work((8, 8), (3, 3), plain=True)
    yield Row(replace(tiny, mode="full", boundary="fill"), Bars(scipy=2))
    yield Row(tiny, Bars(opencv=1, scipy=2), headline=True)

    for dtype, side in product(("float32", "float64"), (3, 5, 7, 9, 15, 31)):
        yield Row(
            Work((1024, 1024), (side, side), dtype), _SQUARE_BARS.get(side, Bars()), headline=side in (3, 5, 9, 31)
        )

    # No bars here: these rows show whether the square ones are special.
    for dtype, shape, side in product(("float32", "float64"), ((1000, 777), (511, 1023)), (3, 9)):
        yield Row(Work(shape, (side, side), dtype))
    for dtype in ("float32", "float64"):
        yield Row(Work((1024, 1024), (4, 6), dtype))
        yield Row(Work((1024, 1024), (5, 5), dtype, mode="full", boundary="fill"))
        yield Row(Work((1024, 1024), (5, 5), dtype, mode="valid", boundary="fill"))
        yield Row(Work((1024, 1024), (5, 5), dtype, boundary="wrap", function="correlate2d"))
        yield Row(Work((1024, 1024), (5, 5), dtype, order="F"))

    for dtype, side in product(INTEGER_DTYPES, (3, 5, 9, 15, 25)):
        yield Row(Work((700, 900), (side, side), dtype), Bars(scipy=40), headline=side == 9)
    yield Row(Work((700, 900), (9, 9), "int32", values="any"))
    yield Row(Work((700, 900), (9, 9), "int64", values="any"))

    for side in (3, 5, 9, 15, 25):
        yield Row(Work((700, 900), (side, side), "complex128"), Bars(scipy=25), headline=side == 9)
        yield Row(Work((700, 900), (side, side), "float64", "complex128"), Bars(scipy=25), headline=side == 9)
    for side in (3, 9):
        yield Row(Work((700, 900), (side, side), "complex64"))
        yield Row(Work((700, 900), (side, side), "float32", "complex64"))
        yield Row(Work((700, 900), (side, side), "complex128", "float64"))


def _memory_rows() -> Iterator[Row]:
    works = (
        Work((1024, 1024), (5, 5)),
        Work((4096, 4096), (5, 5)),
        Work((4096, 4096), (5, 5), "float32", order="F"),
        Work((16, 2**20), (5, 5), mode="full", boundary="fill"),
        Work((2**20, 16), (5, 5), boundary="wrap"),
        Work((2048, 2048), (15, 15), "float32"),
        Work((4096, 2048), (5, 5), "uint8"),
        Work((4096, 2048), (5, 5), "int64"),
        Work((2048, 2048), (5, 5), "float64", "complex128"),
    )
    for work in works:
        yield Row(work, Bars(memory=4 * MIB), headline=work == works[1], peers=("scipy",))
    # SciPy would need a quarter of a minute for this one.
    yield Row(Work((4096, 4096), (31, 31), "float32", method="auto"), Bars(memory=4 * MIB), peers=())


def large_shape(side: int) -> Shape:
    """Image for a large square kernel."""
    return (768, 1024) if side > 100 else (1024, 1024)


_LARGE_BARS = {
    "float32": {15: 8, 31: 8, 65: 5, 129: 3.5},
    "float64": {15: 5, 31: 5, 65: 3, 129: 2.5},
}
TEMPLATE = Work((768, 1024), (65, 80), function="correlate2d", method="auto")


def _large_rows() -> Iterator[Row]:
    for dtype, bars in _LARGE_BARS.items():
        for side, best in bars.items():
            work = Work(large_shape(side), (side, side), dtype, method="auto")
            # Beyond 31x31 SciPy's direct sums take up to 20 s a call.
            slow = side > 31
            peers, reference = (RIVALS, "fftconvolve") if slow else ((*RIVALS, "scipy"), "scipy")
            yield Row(work, Bars(best=best), headline=True, peers=peers, reference=reference)
    # SciPy's correlate2d is timed, but only once: some 6 s.
    yield Row(TEMPLATE, Bars(scipy=1000, fftconvolve=6), headline=True, peers=(*RIVALS, "scipy"), reference="fftconvolve")

    for dtype, sepfilter in (("float32", 4), ("float64", 6)):
        work = Work((1024, 1024), (31, 31), dtype, weights="gaussian", method="auto")
        peers = ("sepfilter", "scipy")
        yield Row(work, Bars(sepfilter=sepfilter, peak=0.5), headline=True, peers=peers)
    for dtype in ("float32", "float64", "uint8"):
        work = Work((1024, 1024), (15, 15), dtype, weights="box", method="auto")
        yield Row(work, Bars(blur=1), headline=True, peers=("blur", "scipy"))
    for dtype in ("float32", "float64"):
        work = Work((1024, 1024), (33, 33), dtype, weights="dilated", method="auto")
        yield Row(work, headline=True, peers=RIVALS, reference="fftconvolve")

    for dtype in ("uint8", "int32", "int64"):
        yield Row(Work((700, 900), (25, 25), dtype, method="auto"), Bars(scipy=100), headline=True, peers=("scipy",))


def _filter_rows() -> Iterator[Row]:
    tiny = (8, 8)
    yield Row(Filter("convolve", tiny, weights=(3, 3)), peers=("scipy",))
    yield Row(Filter("gaussian_filter", tiny, arguments=(1.0,)), peers=("scipy",))
    blur = Filter("gaussian_filter", (2048, 2048), "float32", arguments=(4.0,))
    yield Row(blur, Bars(scipy=20, opencv=3), headline=True)
    yield Row(Filter("uniform_filter", (1024, 1024), arguments=(15,)), Bars(scipy=10), headline=True)
    yield Row(Filter("uniform_filter", (1024, 1024), "float32", arguments=(15,)), Bars(scipy=10))
    yield Row(Filter("convolve", (1024, 1024), weights=(9, 9)), Bars(scipy=20), headline=True)
    yield Row(Filter("convolve", (1018, 1645, 3), weights=(3, 3, 1)), Bars(scipy=20), headline=True)
    yield Row(Filter("convolve", (128, 128, 128), weights=(5, 5, 5)), Bars(scipy=20), peers=("scipy",), headline=True)
    # No bars below.
    for name in ("sobel", "laplace"):
        yield Row(Filter(name, (1024, 1024)), peers=("scipy",))
    for dtype in ("float32", "uint8"):
        yield Row(Filter("gaussian_filter", (64, 256, 256), dtype, arguments=(2.0,)), peers=("scipy",))
    for axis in (0, 1, 2):
        yield Row(Filter("correlate1d", (64, 256, 256), "float32", (17,), (axis,)), peers=("scipy",))
    for name, weights, arguments in (
        ("convolve", (3, 3), ()),
        ("gaussian_filter", (), (2.0,)),
        ("uniform_filter", (), (5,)),
        ("sobel", (), ()),
    ):
        yield Row(Filter(name, (1024, 1024), "uint8", weights, arguments), peers=("scipy",))


FILTER_ROWS = tuple(_filter_rows())
TIMED_ROWS = tuple(_timed_rows())
LARGE_ROWS = tuple(_large_rows())
MEMORY_ROWS = tuple(_memory_rows())


def grid_works(mode: str, boundary: str) -> Iterator[Work]:
    """The works of SciPy's own ``Convolve2D`` benchmark for one mode and boundary.

    That benchmark pairs every image shape with every kernel shape of these sides and leaves out, for "valid", the
    kernels that stick out of the image.
    """
    for rows, columns, kernel_rows, kernel_columns in product(GRID_SIDES, repeat=4):
        if mode == "valid" and (kernel_rows > rows or kernel_columns > columns):
            continue
        yield Work((rows, columns), (kernel_rows, kernel_columns), mode=mode, boundary=boundary)


def whole_grid(sample: int | None = None) -> list[Work]:
    """All works of the grid, or a fixed random sample of them."""
    works = [work for mode, boundary in product(MODES, BOUNDARIES) for work in grid_works(mode, boundary)]
    return works if sample is None else random.Random(1234).sample(works, sample)
