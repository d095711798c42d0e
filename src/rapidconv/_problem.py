"""What the stages hand on: a call as problems, and a plan for each."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._boundary import Boundary
from ._rank import Factors

__all__ = ["MATRIX", "Combine", "Lane", "Order", "Plan", "Problem", "Products", "Several", "Store", "Task", "Tiles"]

#: What `Lane.joined` says of a lane of matrices of bytes: rows, and columns, of the blocks of pixels that they are of.
MATRIX = 8


class Store(IntEnum):
    """How a sum becomes a number of the result, by the numbers the compiled kernels know the ways by."""

    WRAP = 0            # whole sums keep their low bits, floating ones are rounded to the type
    TRUNCATE = 1        # floating sums to integers toward zero, as scipy.ndimage
    SATURATE = 2        # scaled, shifted; for integers rounded half to even, held to the limits of the type, as OpenCV
    ROUND = 3           # likewise, but integers keep their low bits
    DIVIDE = 4          # sums divided by a count, cut toward zero to integers
    ADD = 5             # sums added to what is there; whole ones shifted


class Combine(IntEnum):
    """How the sums of several kernels meet, by the numbers the compiled kernels know the ways by."""

    APART = 0           # each to a result of its own, along a leading axis
    MAGNITUDE = 1       # root of the sum of squares
    LARGEST = 2
    SIZES = 3           # sum of the magnitudes
    PHASE = 4           # angle of (first, second)
    SEEN = 5            # the first, over pixels that count, by the share of the second that these have


@dataclass(slots=True, frozen=True, eq=False)
class Several:
    """Kernels that run over one picture together.

    Attributes
    ----------
    kernels : ndarray, one after another, each as that of a problem
    combine : Combine
    mask : ndarray of bool or None
        Of `SEEN`: which pixels count.
    omits : bool
        Of `SEEN`: whether NaN does not.
    """

    kernels: NDArray[Any]
    combine: Combine
    mask: NDArray[Any] | None = None
    omits: bool = False


class Order(IntEnum):
    """Order of the taps of direct sums, by the numbers the compiled kernels know them by.

    It shows where sums are cut (`Store.TRUNCATE`), and in pairs that cancel. All but the first and last are of kernels with one
    long axis, of taps w0 to w4 that meet x0 to x4 say, or of 3 x 3; zeros are taps there.
    """

    TAPS = 0            # 0 + w0 x0 + w1 x1 ..., in C order of the kernel
    LAST_FIRST = 1      # w4 x4 + w0 x0 + w1 x1 + w2 x2 + w3 x3
    SYMMETRIC = 2       # w2 x2 + w0 (x0 + x4) + w1 (x1 + x3)
    SKEW = 3            # w2 x2 + w0 (x0 - x4) + w1 (x1 - x3)
    SLOPE_DOWN = 4      # of 3 x 3 and floating sums: first row minus last row, each summed in pairs
    SLOPE_ALONG = 5     # first column minus last column, these differences summed in pairs
    TURNED = 6          # as TAPS of the transposed kernel of two long axes


@dataclass(slots=True, eq=False)
class Problem:
    """One correlation: ``result[m, n] = sum(kernel[i, j] * image[top + m + i, left + n + j])``.

    With outer axes, ``result[o, m, n] = sum(kernel[p, i, j] * image[outer + o + p, top + m + i, left + n + j])``, where o, p
    and outer have an entry for each of them.

    Attributes
    ----------
    image : ndarray
        Outer axes if any, rows, columns, and possibly an axis of channels; any layout.
    kernel : ndarray, outer axes, rows, columns; not empty, oriented for correlation and conjugated
        Of length 1 along axes of independent planes.
    shape : tuple of int
        Shape of the result, without channels.
    dtype : dtype
        Type of the result, native.
    boundary : Boundary
    fill : ndarray of the sums' type, one element
    top, left : int
        Image position under the first tap of ``result[0, 0]``.
    conjugate : bool
        Whether the result is the conjugate of the sum.
    reverse : bool
        Whether the result is stored from its last element on.
    method : str
        The one to take, or 'auto'.
    outer : tuple of int
        As top and left, for outer axes.
    sums : dtype or None
        Type of the sums where it is not that of the result: float64 sums of `TRUNCATE`, for one. int64: the sums are exact.
    store : Store
    scale, delta : float
        Of `SATURATE` and `ROUND`: ``scale * sum + delta`` is stored. Of `DIVIDE` delta is the count, of `ADD` bits of the shift.
    skips : bool
        Whether zero taps meet no pixel, so that they spread no NaN or infinity; for real operands.
    order : Order
        Floating sums know `TAPS` and pairs alone.
    several : Several or None
        Kernels to run in place of `kernel`, which is the first of them.
    why : str
        Why `method` is the one to take, where it is not 'auto'.
    """

    image: NDArray[Any]
    kernel: NDArray[Any]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    boundary: Boundary
    fill: NDArray[Any]
    top: int
    left: int
    conjugate: bool
    reverse: bool
    method: str
    outer: tuple[int, ...] = ()
    sums: np.dtype[Any] | None = None
    store: Store = Store.WRAP
    scale: float = 1.0
    delta: float = 0.0
    skips: bool = False
    order: Order = Order.TAPS
    several: Several | None = None
    why: str = "asked for"

    @property
    def summed(self) -> np.dtype[Any]:
        """Type whose precision the sums have."""
        return self.dtype if self.sums is None else self.sums


@dataclass(slots=True, eq=False)
class Task:
    """A whole call: one problem, or one a channel and kernel.

    Attributes
    ----------
    problems : list of Problem
        Empty where the result is all zeros.
    shape, dtype
        Of the whole result.
    out : ndarray or None
        Array for the result.
    places : list of tuple
        Index of every problem's part of the result, its channels as the last axis.
    copies : bool
        Whether `out` overlaps an input, or is of a layout the kernels do not write.
    workers : int
        Threads it may use.
    channel_axis : int or None
        Of the result, where it is not the last one.
    turned : bool
        Whether kernels are turned around, as convolution takes them.
    """

    problems: list[Problem]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    out: NDArray[Any] | None
    places: list[tuple[Any, ...]]
    copies: bool
    workers: int
    channel_axis: int | None = None
    turned: bool = False

    def views(self, result: NDArray[Any]) -> list[NDArray[Any]]:
        """Every problem's part of a result."""
        moved = result if self.channel_axis is None else np.moveaxis(result, self.channel_axis, -1)
        return [moved[place] for place in self.places]


@dataclass(slots=True, frozen=True)
class Lane:
    """A number type sums may run in.

    Attributes
    ----------
    dtype : dtype
    limit : int
        The lane is exact for images of at most this magnitude.
    joined : int
        Rows of the image, numbers of 4 // joined bytes, that are joined in a number of the lane, whose products with as many
        rows of the kernel one instruction sums; `MATRIX`: an instruction multiplies matrices of bytes of so many rows.
    """

    dtype: np.dtype[np.generic]
    limit: int
    joined: int = 1


@dataclass(slots=True, frozen=True)
class Tiles:
    """How the road of tile transforms goes.

    Attributes
    ----------
    shape : (int, int)
        Sides of a tile.
    chars : str
        Types of the transforms, 'f' and 'd', tried in turn: what one refuses the next one takes, direct summation last.
    cross : bool
        Whether the kernel is complex.
    whole, positive : bool
        Whether all taps are whole numbers; whether none is negative or complex, for each kernel.
    norm : float
        2-norm of the kernel, the largest one of several.
    exponents : tuple of int
        The spectrum is that of the kernel times ``2**-exponent``, for each kernel.
    bits : int
        Of the pieces of the kernel, where whole numbers that no one transform is exact for are cut into pieces; 0: they
        are summed directly.
    planes : tuple of int
        Taps of the kernel along outer axes, where it has several planes.
    slabs : int
        Parts that the planes of the result are cut into then.
    """

    shape: tuple[int, int]
    chars: str
    cross: bool
    whole: bool
    positive: tuple[bool, ...]
    norm: float
    exponents: tuple[int, ...]
    bits: int = 0
    planes: tuple[int, ...] = ()
    slabs: int = 1


@dataclass(slots=True, frozen=True)
class Products:
    """How the separable road goes.

    Attributes
    ----------
    factors : Factors or None
        Columns and rows the kernel is a sum of products of; None for a box, whose taps are all equal.
    lanes : tuple of Lane
        As of a plan, with limits that the partial sums keep.
    clamp : bool
        Whether no tap is negative though some factors are: where no pixel is negative, no result may be.
    """

    factors: Factors | None
    lanes: tuple[Lane, ...]
    clamp: bool


@dataclass(slots=True, frozen=True)
class Plan:
    """How a problem is done.

    Attributes
    ----------
    method : str
        'direct', 'separable' or 'fft'.
    lanes : tuple of Lane
        Types of direct sums, tried in turn, tile by tile: the first whose limit holds does the tile.
    reason : str
    seconds : dict
        Predicted seconds on one thread of every road that can serve.
    workers : int
        Threads the whole call is worth.
    tiles : Tiles or None
        Of the road of tile transforms.
    products : Products or None
        Of the separable road.
    each : tuple of Products
        Of the separable road, for each of several kernels.
    sought : int
        Most products of a column and a row that the kernel was looked at for.
    made : dict
        What the roads made of the kernel, by its shape: it is kept as long as the plan is.
    """

    method: str
    lanes: tuple[Lane, ...]
    reason: str
    seconds: dict[str, float]
    workers: int = 1
    tiles: Tiles | None = None
    products: Products | None = field(default=None, compare=False)
    each: tuple[Products, ...] = field(default=(), compare=False)
    sought: int = field(default=0, compare=False, repr=False)
    made: dict[tuple[int, ...], Any] = field(default_factory=dict, init=False, compare=False, repr=False)
