"""What a kernel is made of: a sum of a few products of a column and a row, lines along further axes, a box, zeros around taps.

A product, or sum of products, is taken for the kernel only where the result cannot tell:

* Kernels of whole numbers, whatever their type, are factored exactly, into whole numbers, or not at all; sums of integers, and
  floating sums of whole numbers, come out the same.  So are whole numbers times a power of two.
* Other kernels, in their own precision: one product where every tap agrees to 4 eps of itself, so that the result's error bound
  grows from (kh*kw) eps sum|h||x| to (kh + kw + 4) eps sum|h||x|, which is smaller; up to four products where every tap agrees
  to 4 eps of the largest one.  No factor of theirs is larger than twice the step before, so that the error stays within
  (4 + 2^rank (kh + kw + 1)) eps max|h| sum|x| (docs/accuracy.md): of the order of (kh*kw) eps sum|h||x| where taps and pixels are of one order.
* Scaling a kernel by a power of two scales its rows by it, and leaves its columns: nothing is rounded otherwise.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._native import kernels

__all__ = ["Factors", "box", "factor", "lane_factors", "look_for", "split", "trim"]

#: Most products of a factored kernel.
MOST = 4
#: Steps of the precision, eps, that a tap may be off.
_SLACK = 4
#: How far a sample of a kernel may be off, before one looks closer, by type: in steps more than 4**MOST * 10 * _SLACK / 2.
_PROBE = {char: kernels.probe * float(np.finfo(char.replace("e", "f")).eps) for char in "efdFD"}
#: Whole numbers above this are not factored: products of two of them stay in 64 bits.
_LARGEST = 2**31
#: Floating taps are looked at as whole numbers of so many bits, times a power of two.
_BITS = 31
#: A float32 kernel of whole numbers of so many bits, at any scale, has exact sums over pictures: it is factored exactly or not.
_FEW_BITS = 16
#: Binary exponents of kernels that are scaled without a thought of overflow in any type.
_RANGE = 90


@dataclass(slots=True, frozen=True, eq=False)
class Factors:
    """``kernel[i, j] = sum(columns[q, i] * rows[q, j] for q in range(rank))``.

    Attributes
    ----------
    columns : ndarray of shape (rank, kh)
    rows : ndarray of shape (rank, kw)
        Both of int64 for whole numbers, else of the kernel's own floating or complex type.
    exact : bool
        Whether the kernel is of whole numbers, and the factors give it exactly.
    total : int or float
        Sum over q of sum|columns[q]| * sum|rows[q]|: no partial sum is larger than max|image| times this.
    """

    columns: NDArray[Any]
    rows: NDArray[Any]
    exact: bool
    total: int | float

    @property
    def rank(self) -> int:
        """Number of products."""
        return len(self.rows)


def factor(kernel: NDArray[Any], dtype: np.dtype[Any] | None = None, most: int = MOST) -> Factors | None:
    """The fewest products that make a kernel, or None where they would not be well under its taps.

    Parameters
    ----------
    kernel : ndarray, 2-D, not empty, of any real or complex type
    dtype : dtype, optional
        Type of the result, whose precision a floating kernel's products must have; by default the kernel's.
    most : int
        Most products to look for.

    Returns
    -------
    Factors or None
        None also for kernels with taps that are not finite, and for extended precision.  Kernels of one row or column of at
        least 5 taps are products.
    """
    kh, kw = kernel.shape
    most = _most(kh, kw, most)
    kind = kernel.dtype.kind
    if dtype is not None and kind in "fc" and dtype.kind in "fc":
        kernel = kernel.astype(dtype if kind == "c" else dtype.type(0).real.dtype, copy=False)
    if most < 1 or kind not in "biufc" or kernel.dtype.char in "gG":
        return None
    limit = _PROBE.get(kernel.dtype.char, _PROBE["d"])
    if min(kh, kw) > 1 and not kernels.may_be_low(np.array(kernel, "D" if kind == "c" else "d", order="C"), most, limit):
        return None
    if kind == "c":
        if kernel.imag.any():       # products would not give one of few-digit whole numbers, at any scale, exactly
            few = kernels.is_whole_at_some_scale(np.array(kernel, np.complex128, order="C").view(np.float64), 16)
            return None if few else _floating(kernel, most)
        found = factor(kernel.real)
        return found and Factors(
            found.columns.astype(kernel.dtype), found.rows.astype(kernel.dtype), found.exact, found.total
        )
    if kind in "biu":
        return _whole(kernel, most)
    return _dyadic(kernel.astype(np.float32) if kernel.dtype == np.float16 else kernel, most)


def _most(kh: int, kw: int, most: int) -> int:
    """How many products, at most, are well under a kernel's taps."""
    return min(most, (kh * kw - 1) // (kh + kw) if kh > 1 and kw > 1 else int(kh * kw > _SLACK))


def look_for(kernel: NDArray[Any], char: str, most: int) -> tuple[int, float, float, int, int, int]:
    """What a look at floating kernels of a shape needs, to tell in a lane what `factor` would.

    Returns
    -------
    (most, probe, slack, bits, few_bits, exponents)
    """
    few = _FEW_BITS if char == "f" else _BITS
    kh, kw = kernel.shape
    return _most(kh, kw, most), _PROBE[char], _SLACK * float(np.finfo(char).eps), _BITS, few, _RANGE


def split(kernel: NDArray[Any], dtype: np.dtype[Any]) -> tuple[list[tuple[int, NDArray[Any]]], NDArray[Any]]:
    """A kernel of three or more long axes as lines along some of them times a kernel of the others, at least two.

    Returns
    -------
    lines : list of (axis, taps)
        None of them where the kernel is no such product; of whole numbers, exactly.
    rest : ndarray
        Of length 1 along those axes.

    Examples
    --------
    >>> lines, rest = split(np.multiply.outer([1, 2], np.arange(1, 10).reshape(3, 3) ** 2), np.dtype("i8"))
    >>> lines, rest.shape
    ([(0, array([1, 2]))], (1, 3, 3))
    """
    long = [axis for axis, taps in enumerate(kernel.shape) if taps > 1]
    lines: list[tuple[int, NDArray[Any]]] = []
    for axis in long:
        flat = np.moveaxis(kernel, axis, 0)
        found = factor(flat.reshape(len(flat), -1), dtype, 1) if len(long) - len(lines) > 2 else None
        if found is not None:
            lines.append((axis, found.columns[0]))
            kernel = np.moveaxis(found.rows[0].reshape(1, *flat.shape[1:]), 0, axis)
    return lines, kernel


def box(kernel: NDArray[Any]) -> Any | None:
    """The one value that all taps of a kernel have, as a scalar of its type; None where they differ or are not finite."""
    first = kernel[0, 0]
    if kernel[-1, -1] != first or not np.isfinite(first) or not (kernel == first).all():
        return None
    return first


def trim(kernel: NDArray[Any]) -> tuple[NDArray[Any], int, int]:
    """The kernel without the zero rows and columns on its sides, and how many of them stood above and to the left.

    A kernel of nothing but zeros keeps one tap.
    """
    if all(side.any() for side in (kernel[0], kernel[-1], kernel[:, 0], kernel[:, -1])):
        return kernel, 0, 0
    top, bottom = _ends(np.any(kernel != 0, axis=1))
    left, right = _ends(np.any(kernel != 0, axis=0))
    return kernel[top:bottom, left:right], top, left


def lane_factors(factors: Factors, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Columns and rows as ``kernels.Lines`` reads them, in a lane's real type.

    Returns
    -------
    columns : ndarray of shape (planes, products, kh)
        Complex factors, (u + iv)(r + is), are two planes of twice the products: u r - v s, and v r + u s.
    rows : ndarray of shape (products, kw)
    """
    columns, rows = factors.columns, factors.rows
    if columns.dtype.kind != "c":
        return np.ascontiguousarray(columns[None], dtype), np.ascontiguousarray(rows, dtype)
    u, v = columns.real, columns.imag
    planes = np.array([[*u, *-v], [*v, *u]], dtype)
    return planes, np.array([*rows.real, *rows.imag], dtype)


def _ends(used: Any) -> tuple[int, int]:
    """First and end of what is used."""
    places = np.flatnonzero(used)
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 1)


def _dyadic(kernel: NDArray[Any], most: int) -> Factors | None:
    """Factors of a floating kernel: exact ones where its taps are whole numbers times a power of two."""
    wide = np.array(kernel, np.float64, order="C")
    if kernels.is_whole_at_some_scale(wide, _BITS):
        found = _dyadic_whole(kernel, most)
        few = kernel.dtype == np.float64 or kernels.is_whole_at_some_scale(wide, _FEW_BITS)
        if found is not None or few:
            return found
    product = kernels.find_product(wide, _SLACK * float(np.finfo(kernel.dtype).eps), kernel.dtype == np.float32)
    if product is None or not -_RANGE < math.frexp(kernel[product[0], product[1]])[1] < _RANGE:
        return _floating(kernel, most)
    i, _, column, total = product
    return Factors(column.astype(kernel.dtype)[None], kernel[i : i + 1].copy(), False, total)


def _dyadic_whole(kernel: NDArray[Any], most: int) -> Factors | None:
    """Exact factors of a floating kernel of whole numbers times a power of two."""
    top = float(np.abs(kernel).max())
    if top == 0:
        return _whole(kernel, most)
    shift = _BITS - math.frexp(top)[1]
    if not -_RANGE < shift < _RANGE:
        return None
    scale = kernel.dtype.type(math.ldexp(1.0, shift))
    numbers = (kernel * scale).astype(np.int64)
    bits = int(np.bitwise_or.reduce(numbers, axis=None))
    step = bits & -bits                                         # the largest power of two in all of them
    found = _whole(numbers // step, most)
    if found is None:
        return None
    unit = step * math.ldexp(1.0, -shift)                       # kernel = unit * numbers / step
    if unit >= 1 and top < _LARGEST:
        return Factors(found.columns, found.rows * int(unit), True, found.total * int(unit))
    columns, rows = found.columns.astype(kernel.dtype), found.rows.astype(kernel.dtype)
    rounded = (columns != found.columns).any() or (rows != found.rows).any()
    if rounded or (found.rank > 1 and found.total > int(np.abs(numbers // step).sum())):     # partial sums beyond those of the taps
        return None
    size = np.ldexp(1.0, np.frexp(np.abs(columns).max(axis=1, keepdims=True))[1]).astype(kernel.dtype)
    return Factors(columns / size, rows * (kernel.dtype.type(unit) * size), False, found.total * unit)


def _whole(kernel: NDArray[Any], most: int) -> Factors | None:
    """Exact factors of a kernel of whole numbers: products peeled off through pivots that divide what they must."""
    if int(kernel.max()) >= _LARGEST or int(kernel.min()) <= -_LARGEST:
        return None
    rest = kernel.astype(np.int64)
    columns: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.int64]] = []
    while rest.any():
        if len(rows) == most:
            return None
        i, j = _pivot(rest)
        column, row = rest[:, j], rest[i] // np.gcd.reduce(rest[i])
        if (column % row[j]).any():
            return None
        column = column // row[j]               # below _LARGEST, as the row: their products fit 64 bits
        rest = rest - column[:, None] * row
        if np.abs(rest).max() >= _LARGEST:
            return None
        columns.append(column)
        rows.append(row)
    if not rows:
        columns, rows = [np.zeros(len(kernel), np.int64)], [np.zeros(kernel.shape[1], np.int64)]
    total = sum(int(np.abs(c).sum()) * int(np.abs(r).sum()) for c, r in zip(columns, rows, strict=True))
    return Factors(np.array(columns), np.array(rows), True, total)


def _pivot(rest: NDArray[np.int64]) -> tuple[int, int]:
    """The smallest tap that is not zero: the likeliest to divide others."""
    size = np.abs(rest)
    i, j = divmod(int(np.argmin(np.where(size == 0, np.iinfo(np.int64).max, size))), rest.shape[1])
    return i, j


def _floating(kernel: NDArray[Any], most: int) -> Factors | None:
    """Factors by cross approximation from the largest tap of what is left."""
    eps = float(np.finfo(kernel.dtype).eps)
    size = np.abs(kernel)
    i, j = divmod(int(size.argmax()), kernel.shape[1])
    top = float(size[i, j])
    if not math.isfinite(top):
        return None
    if top == 0:
        zero = np.zeros_like(kernel)
        return Factors(zero[:, :1].T, zero[:1], True, 0)
    exponent = math.frexp(top)[1]
    if not -_RANGE < exponent < _RANGE:
        return None
    scaled = np.ldexp(1.0, -exponent).astype(size.dtype) * kernel       # largest tap in [1/2, 1)
    pivot = scaled[i, j]
    column, row = scaled[:, j] / pivot, scaled[i]
    if _is_product(scaled, column, row, i, _SLACK * eps):
        return _scaled([column], [row], exponent)
    if most < 2:
        return None
    wide = scaled.astype(np.promote_types(kernel.dtype, np.float64))
    columns: list[NDArray[Any]] = []
    rows: list[NDArray[Any]] = []
    while len(rows) < most:
        i, j = divmod(int(np.abs(wide).argmax()), wide.shape[1])
        columns.append(wide[:, j] / wide[i, j])
        rows.append(wide[i])
        wide = wide - columns[-1][:, None] * rows[-1]
        if np.abs(wide).max() <= _SLACK / 2 * eps:              # the other half is for rounding the factors
            return _scaled([c.astype(kernel.dtype) for c in columns], [r.astype(kernel.dtype) for r in rows], exponent)
    return None


def _is_product(kernel: NDArray[Any], column: NDArray[Any], row: NDArray[Any], i: int, slack: float) -> bool:
    """Whether every tap agrees with the product to a part of itself; one row first, for most kernels fail there."""
    other = 0 if i else len(column) - 1
    probe = kernel[other]
    if (np.abs(probe - column[other] * row) > slack * np.abs(probe)).any():
        return False
    return bool((np.abs(kernel - column[:, None] * row) <= slack * np.abs(kernel)).all())


def _scaled(columns: list[NDArray[Any]], rows: list[NDArray[Any]], exponent: int) -> Factors:
    """Factors with the kernel's scale put back into the rows."""
    c, r = np.array(columns), np.array(rows)
    r = r * np.ldexp(1.0, exponent).astype(np.abs(r).dtype)
    total = float((np.abs(c).sum(axis=1, dtype=np.float64) * np.abs(r).sum(axis=1, dtype=np.float64)).sum())
    return Factors(c, r, False, total)
