"""A kernel as the roads of its plan read it."""

from dataclasses import replace
from itertools import product
from math import frexp, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _cost, _transform
from ._native import kernels
from ._pieces import cut_kernel
from ._problem import MATRIX, Lane, Plan, Products, Tiles
from ._rank import lane_factors

__all__ = ["Weights", "blocks_under", "weights_of"]


class Weights:
    """A kernel as the roads of its plan want it; each form is made when first asked for.

    Safe to share between threads: a form made twice is the same.
    """

    def __init__(self, kernel: NDArray[Any], plan: Plan) -> None:
        self.taps = kernel.tobytes()
        self.kernel: NDArray[Any] = np.frombuffer(self.taps, kernel.dtype).reshape(kernel.shape)    # whatever becomes of the caller's
        self.plan = plan
        self._lanes: list[tuple[Any, ...]] | None = None
        self._stack: NDArray[Any] | None = None
        self._products: list[tuple[Any, ...]] | None = None
        self._spectra: dict[str, NDArray[Any]] = {}
        self._pieces: list[tuple[Weights, Tiles]] | None = None
        self._parts: dict[str, list[tuple[tuple[int, ...], Weights, Tiles]]] = {}

    def lanes(self) -> list[tuple[Any, ...]]:
        """(real part, imaginary part or None, limit, joined) of every lane, transposed: what direct summation reads."""
        if self._lanes is None:
            self._lanes = [(*_in_lane(self.kernel, lane), lane.limit, lane.joined) for lane in self.plan.lanes]
        return self._lanes

    def stack(self) -> NDArray[Any]:
        """Several kernels, each transposed, in the one lane of their plan."""
        if self._stack is None:
            self._stack = np.array(self.kernel.transpose(0, 2, 1), self.plan.lanes[0].dtype, order="C")
        return self._stack

    def spectrum(self, char: str) -> NDArray[Any]:
        """Spectrum for tiles of float32 ('f') or float64 ('d')."""
        found = self._spectra.get(char)
        if found is None:
            tiles = self.plan.tiles
            assert tiles is not None
            found = self._spectra[char] = _transform.spectrum(self.kernel, tiles.shape, char, tiles.exponents)
        return found

    def pieces(self) -> list[tuple["Weights", Tiles]]:
        """The pieces of the kernel, the lowest first."""
        if self._pieces is None:
            assert self.plan.tiles is not None
            pieces = cut_kernel(self.kernel, self.plan.tiles.bits)
            self._pieces = [self._like(piece, chars="d", positive=(False,), bits=0) for piece in pieces]
        return self._pieces

    def parts(self, char: str) -> list[tuple[tuple[int, ...], "Weights", Tiles]]:
        """The kernel in parts, of as many planes as transforms of a type serve at once, and where along outer axes they begin."""
        tiles = self.plan.tiles
        assert tiles is not None
        at_once = _cost.planes_at_once(char, tiles.shape, tiles.planes)
        if at_once == tiles.planes:
            return [((0,) * len(at_once), self, tiles)]
        found = self._parts.get(char)
        if found is None:
            found = []
            for first in product(*(range(0, n, k) for n, k in zip(tiles.planes, at_once, strict=True))):
                part = self.kernel[tuple(slice(at, at + k) for at, k in zip(first, at_once, strict=True))]
                found.append((first, *self._like(part, planes=part.shape[:-2])))
            self._parts[char] = found
        return found

    def of(self, kernel: NDArray[Any], norm: float, **facts: Any) -> "Weights":
        """Another kernel in place of this one, its norm and what else is to be known of it."""
        assert self.plan.tiles is not None
        tiles = replace(self.plan.tiles, norm=norm, exponents=(frexp(norm)[1],), **facts)
        return Weights(kernel, replace(self.plan, tiles=tiles))

    def _like(self, kernel: NDArray[Any], **facts: Any) -> tuple["Weights", Tiles]:
        """Part of a sum that is this kernel, and its tiles."""
        found = self.of(kernel, float(np.sqrt(np.sum(kernel.astype("d") ** 2))), **facts)
        assert found.plan.tiles is not None
        return found, found.plan.tiles

    def products(self) -> list[tuple[Any, ...]]:
        """Lanes as ``kernels.Lines``, or ``kernels.Boxes`` for a box, reads them."""
        if self._products is None:
            products = self.plan.products
            if products is None:
                self._products = [self._factored(each, self.kernel[k]) for k, each in enumerate(self.plan.each)]
                return self._products
            found: list[tuple[Any, ...]] = []
            for lane in products.lanes:
                real, imag = _transposed(self.kernel, lane.dtype)
                if products.factors is None:
                    found.append((self.kernel[:1, 0].astype(lane.dtype), real, lane.limit))
                else:
                    found.append((*lane_factors(products.factors, lane.dtype), real, imag, lane.limit))
            self._products = found
        return self._products

    def _factored(self, products: Products, kernel: NDArray[Any]) -> tuple[Any, ...]:
        """One of several kernels as ``kernels.correlate_products`` reads it."""
        assert products.factors is not None
        dtype = products.lanes[0].dtype
        return *lane_factors(products.factors, dtype), _transposed(kernel, dtype)[0], products.clamp

    def make_all(self) -> None:
        """Make what the plan's road starts with."""
        if self.plan.method == "fft":
            assert self.plan.tiles is not None
            for _, part, tiles in self.parts(self.plan.tiles.chars[0]):
                part.spectrum(tiles.chars[0])
        elif self.plan.method == "separable":
            self.products()
        else:
            self.lanes()


def weights_of(kernel: NDArray[Any], plan: Plan) -> Weights:
    """The kernel of a plan as its roads want it, made once; planes of an n-D kernel and turned ones are made anew."""
    found: Weights | None = plan.made.get(kernel.shape)
    if found is None or found.taps != kernel.tobytes() or found.kernel.dtype != kernel.dtype:
        found = plan.made[kernel.shape] = Weights(kernel, plan)
    return found


def _in_lane(kernel: NDArray[Any], lane: Lane) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel as direct sums in a lane read them."""
    if lane.joined == 1:
        return _transposed(kernel, lane.dtype)
    return _matrices(kernel) if lane.joined == MATRIX else _joined(kernel, lane.joined), None


def _transposed(kernel: NDArray[Any], dtype: np.dtype[np.generic]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel in a lane's type, its planes transposed: the layout the micro-kernels read."""
    turned = kernel.swapaxes(-1, -2)
    if kernel.dtype.kind != "c":
        return np.array(turned, dtype, order="C"), None
    return np.array(turned.real, dtype, order="C"), np.array(turned.imag, dtype, order="C")


def _joined(kernel: NDArray[Any], rows: int) -> NDArray[Any]:
    """The low bytes of four rows of a kernel, or the low halves of two, side by side in a lane, transposed; zeros below the last row."""
    *planes, height, width = kernel.shape
    taken = np.zeros((*planes, width, -(-height // rows) * rows), np.dtype(f"i{4 // rows}"))
    taken[..., :height] = kernel.swapaxes(-1, -2).astype(taken.dtype)
    return taken


def blocks_under(rows: int, columns: int) -> tuple[int, int]:
    """Blocks of the image, down and across, under all taps of the outputs of a block, by a kernel's rows and columns."""
    return (rows + 2 * MATRIX - 2) // MATRIX, (columns + 2 * MATRIX - 2) // MATRIX


def _matrices(kernel: NDArray[Any]) -> NDArray[Any]:
    """The low bytes of a kernel in columns of matrices, for 2 x 8 outputs and a row of 2 x 4 pixels each: see matrices.pxi.

    Axes: planes, blocks of 8 pixels across, rows of pixels from 6 above the first output on, halves of them; outputs' rows and
    columns, and pixels of a half.
    """
    *planes, height, width = kernel.shape
    down, across = blocks_under(height, width)
    padded = np.zeros((*planes, 8 * down + 7, 8 * across + 7), np.uint8 if kernel.min() >= 0 else np.int8)
    padded[..., 7 : 7 + height, 7 : 7 + width] = kernel.astype(padded.dtype)
    shape = *planes, across, 8 * down + 6, 2, 2, 8, 4
    room = np.empty(prod(shape) + 63, np.uint8)
    at = -room.ctypes.data % 64             # rows of a matrix are lines of the cache
    lines = room[at : at + prod(shape)].view(padded.dtype).reshape(shape)
    kernels.lay_matrices(padded, lines)
    return lines
