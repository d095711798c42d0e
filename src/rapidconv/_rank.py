"""What a kernel is made of: a sum of a few products of a column and a row, a box, zeros around taps.

A product, or sum of products, is taken for the kernel only where the result cannot tell:

* Kernels of whole numbers, whatever their type, are factored exactly, into whole numbers, or not at all; sums of integers, and
  floating sums of whole numbers, come out the same.
* Other kernels, in their own precision: one product where every tap agrees to 4 eps of itself, so that the result's error bound
  grows from (kh*kw) eps sum|h||x| to (kh + kw + 4) eps sum|h||x|, which is smaller; up to four products where every tap agrees
  to 4 eps of the largest one and the products are not larger than the kernel's scale, so that the error stays within
  (4 + (kh + kw) rank) eps max|h| sum|x|.
* Scaling a kernel by a power of two scales its rows by it, and leaves its columns: nothing is rounded otherwise.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Factors", "box", "factor", "lane_factors", "trim"]

#: Most products of a factored kernel.
MOST = 4
#: Steps of the precision, eps, that a tap may be off.
_SLACK = 4
#: Whole numbers above this are not factored: products of three of them stay in 64 bits.
_LARGEST = 2**31


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


def factor(kernel: NDArray[Any]) -> Factors | None:
    """The fewest products that make a kernel, or None where they would not be well under its taps.

    Parameters
    ----------
    kernel : ndarray, 2-D, not empty, of any real or complex type

    Returns
    -------
    Factors or None
        None also for kernels with taps that are not finite, and for extended precision.
    """
    kh, kw = kernel.shape
    most = min(MOST, (kh * kw - 1) // (kh + kw), kh - 1 or 1, kw - 1 or 1)
    if kh == 1 or kw == 1:
        most = 1
    kind = kernel.dtype.kind
    if most < 1 or kind not in "biufc" or kernel.dtype.char in "gG":
        return None
    if kind == "c" and not kernel.imag.any():
        found = factor(kernel.real)
        return None if found is None else Factors(
            found.columns.astype(kernel.dtype), found.rows.astype(kernel.dtype), found.exact, found.total
        )
    if kind in "biu":
        return _whole(kernel, most)
    work = kernel.astype(np.float32) if kernel.dtype == np.float16 else kernel
    if kind == "f":
        top = float(np.abs(work).max())
        if not math.isfinite(top):
            return None
        # The corner speaks for the kernel, mostly: half a microsecond instead of ten.
        if top < _LARGEST and float(work[0, 0]).is_integer() and (np.rint(work) == work).all():
            return _whole(work, most)
    return _floating(work, most)


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
    top, bottom = _ends(kernel.any(axis=1))
    left, right = _ends(kernel.any(axis=0))
    return kernel[top:bottom, left:right], top, left


def lane_factors(factors: Factors, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Columns and rows as ``kernels.correlate_separable`` reads them, in a lane's real type.

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


def _ends(used: NDArray[np.bool_]) -> tuple[int, int]:
    """First and end of what is used."""
    places = np.flatnonzero(used)
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 1)


def _whole(kernel: NDArray[Any], most: int) -> Factors | None:
    """Exact factors of a kernel of whole numbers: products peeled off through pivots that divide their row or column."""
    if kernel.dtype.kind in "iu" and (int(kernel.max()) >= _LARGEST or int(kernel.min()) <= -_LARGEST):
        return None
    rest = kernel.astype(np.int64)
    columns: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.int64]] = []
    while rest.any():
        if len(rows) == most:
            return None
        i, j = _pivot(rest)
        row, column, pivot = rest[i], rest[:, j], int(rest[i, j])
        shared = int(np.gcd.reduce(row))
        row = row // shared
        pivot //= shared                # column / pivot * row is the product
        if pivot < 0:
            row, pivot = -row, -pivot
        if (column % pivot).any():
            return None
        column = column // pivot
        if int(np.abs(column).max()) * int(np.abs(row).max()) >= 2**62:
            return None
        rest = rest - column[:, None] * row
        if len(rows) + 1 == most and rest.any():
            return None
        columns.append(column)
        rows.append(row)
        if np.abs(rest).max() >= _LARGEST:
            return None
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
    # Taps so small that they lose bits against the largest are left to direct sums, as is a kernel at the ends of the range.
    if not -100 < exponent < 100:
        return None
    scaled = np.ldexp(1.0, -exponent).astype(size.dtype) * kernel       # largest tap in [1/2, 1)
    pivot = scaled[i, j]
    column, row = scaled[:, j] / pivot, scaled[i]
    if _is_product(scaled, column, row, i, _SLACK * eps):
        return _scaled([column], [row], exponent)
    if most < 2:
        return None
    # A rank of r leaves nothing in any row after r steps; one row tells most kernels apart from those of low rank.
    wide = scaled.astype(np.promote_types(kernel.dtype, np.float64))
    if not _may_be_low(wide, most, 64 * eps):
        return None
    left, values, right = np.linalg.svd(wide, full_matrices=False)
    rank = int((values > values[0] * eps).sum())
    if rank > most:
        return None
    columns = (left[:, :rank] * np.sqrt(values[:rank])).T.astype(kernel.dtype)
    rows = (right[:rank].T * np.sqrt(values[:rank])).T.astype(kernel.dtype)
    made = columns.astype(wide.dtype).T @ rows.astype(wide.dtype)
    if np.abs(wide - made).max() > _SLACK * eps:
        return None
    return _scaled(list(columns), list(rows), exponent)


def _is_product(kernel: NDArray[Any], column: NDArray[Any], row: NDArray[Any], i: int, slack: float) -> bool:
    """Whether every tap agrees with the product to a part of itself; one row first, for most kernels fail there."""
    other = 0 if i else len(column) - 1
    probe = kernel[other]
    if (np.abs(probe - column[other] * row) > slack * np.abs(probe)).any():
        return False
    return bool((np.abs(kernel - column[:, None] * row) <= slack * np.abs(kernel)).all())


def _may_be_low(kernel: NDArray[Any], most: int, slack: float) -> bool:
    """Whether a sample of a kernel, most + 2 rows and columns of it, is of a rank of at most `most`."""
    kh, kw = kernel.shape
    some = np.linspace(0, kh - 1, min(kh, 2 * most + 1)).astype(int)
    more = np.linspace(0, kw - 1, min(kw, 2 * most + 1)).astype(int)
    rest = kernel[some][:, more]
    for _ in range(most):
        size = np.abs(rest)
        i, j = divmod(int(size.argmax()), rest.shape[1])
        if size[i, j] <= slack:
            return True
        rest = rest - rest[:, j, None] * (rest[i] / rest[i, j])
    return bool(np.abs(rest).max() <= slack * 2**most)


def _scaled(columns: list[NDArray[Any]], rows: list[NDArray[Any]], exponent: int) -> Factors:
    """Factors with the kernel's scale put back into the rows."""
    c, r = np.array(columns), np.array(rows)
    r = r * np.ldexp(1.0, exponent).astype(np.abs(r).dtype)
    total = float((np.abs(c).sum(axis=1, dtype=np.float64) * np.abs(r).sum(axis=1, dtype=np.float64)).sum())
    return Factors(c, r, False, total)
