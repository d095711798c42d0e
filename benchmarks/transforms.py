"""The tile transforms on one pair of tiles that stays in the caches: alone, and all that is done for the pair.

``python -m benchmarks.transforms`` prints both for the sides a tile can have. Two real tiles ride in one complex transform
of N = side * side points. Counted are 5 N log2 N operations for it and as many for the way back. Alone
(``kernels.filter_tiles``) is across, down, times the spectrum and back, with the two transpositions between; the whole
(``kernels.correlate_fft``) also reads the pixels and looks at them (energy, range), transposes them twice more, scales and stores
the outputs. The share is of the FMA peak, which a transform, with more additions than multiplications, cannot reach.
"""

from __future__ import annotations

import importlib
import sys
from math import log2
from types import ModuleType

import numpy as np

from .peers import OURS, CannotDo, find_target, load_module, make_fma_call
from .timing import Call, best_times

#: Pairs of one call: Python, scratch memory and its page faults are spread over them.
PAIRS = 64
KERNEL = (33, 33)
SIDE = 128


def _load_internals() -> tuple[ModuleType, ModuleType]:
    load_module(OURS)
    try:
        transform = importlib.import_module("rapidconv._transform")
        kernels = importlib.import_module("rapidconv._native").kernels
    except ImportError as error:
        msg = "no tile transforms in this build"
        raise CannotDo(msg) from error
    if not hasattr(kernels, "filter_tiles"):
        msg = "no tile transforms in this build"
        raise CannotDo(msg)
    return transform, kernels


def count_flops(side: int) -> int:
    """Operations of one pair of tiles, there and back."""
    points = side * side
    return round(2 * 5 * points * log2(points))


def make_transform_call(char: str, side: int = SIDE) -> Call:
    """A call that filters the same two tiles `PAIRS` times.

    The image is two tiles wide, less the overlap, and is read in place: no boundary, no conversion.

    Raises
    ------
    CannotDo
        If this build of rapidconv has no such transforms.
    """
    transform, kernels = _load_internals()
    rng = np.random.default_rng(1234)
    step = side - KERNEL[0] + 1
    image = rng.standard_normal((side, side + step)).astype(char)
    weights = rng.standard_normal(KERNEL).astype(char)
    exponent = int(np.frexp(np.sqrt(np.sum(weights.astype("d") ** 2)))[1])
    out = np.empty((step, 2 * step), char)
    items = np.tile(np.arange(2, dtype=np.int64), PAIRS)
    down = across = transform.transform(side, char)
    # cross, whole, integers, noise, range, least, most, sure: see Overlap in tile.pxi.
    facts = (False, False, False, 0.0, 2.0**-16, 2.0**-90, 2.0**100, 2.0**43)
    bank = (0, 0, np.array([2.0**exponent]), np.array([False]))
    work = (image, KERNEL, np.zeros(1, char), 0, (), 0, 0, False, out, 0, 1.0, 0.0, False, 0)
    planes = (np.zeros(1, np.int64), np.zeros(1, np.int64))
    arguments = (work, planes, bank, transform.spectrum(weights, (side, side), char, (exponent,)), down, across, (step, step), facts, items)
    try:
        refused = kernels.correlate_fft(*arguments)
    except TypeError as error:
        msg = "the transforms of this build are called otherwise"
        raise CannotDo(msg) from error
    expected = _correlate_one(image, weights, (step // 2, step + 5))
    if refused.any() or not np.isclose(out[step // 2, step + 5], expected, rtol=1e-3, atol=1e-2):
        msg = "WRONG: the pair of tiles was refused, or its outputs are no correlation"
        raise RuntimeError(msg)
    return Call(kernels.correlate_fft, arguments)


def make_alone_call(char: str, side: int = SIDE) -> Call:
    """A call that transforms a tile, multiplies it by a spectrum and transforms it back, `PAIRS` times.

    Raises
    ------
    CannotDo
        If this build of rapidconv has no such transforms.
    """
    transform, kernels = _load_internals()
    described = transform.transform(side, char)
    spectrum = transform.spectrum(np.ones(KERNEL, char), (side, side), char, (0,))
    return Call(kernels.filter_tiles, (spectrum, described, described, PAIRS))


def _correlate_one(image: np.ndarray, weights: np.ndarray, at: tuple[int, int]) -> float:
    y, x = at
    window = image[y : y + weights.shape[0], x : x + weights.shape[1]].astype("d")
    return float((window * weights).sum())


def main() -> int:
    """Measure and print."""
    transform, _ = _load_internals()
    print(f"target {find_target()}; 2 * 5 N log2 N operations for a pair of tiles of N points")
    print(f"{'dtype':<8} {'side':>5} {'alone, us':>10} {'of peak':>8} {'whole, us':>10} {'of peak':>8}")
    for char in "fd":
        fma = make_fma_call(char)
        for side in transform.LENGTHS:
            if side <= KERNEL[0]:
                continue
            calls = {"alone": make_alone_call(char, side), "whole": make_transform_call(char, side), "fma": fma}
            best = best_times(calls, rounds=9, budget=0.1)
            peak, flops = fma.run() / best["fma"], PAIRS * count_flops(side)
            cells = [f"{1e6 * best[name] / PAIRS:>10.2f} {flops / best[name] / peak:>8.0%}" for name in ("alone", "whole")]
            print(f"{np.dtype(char).name:<8} {side:>5}", *cells, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
