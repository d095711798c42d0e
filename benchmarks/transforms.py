"""The tile transforms alone: rate of ``kernels.correlate_fft`` on one pair of tiles that stays in the caches.

``python -m benchmarks.transforms`` prints it for the sides a tile can have. Two real tiles ride in one complex transform
of N = side * side points. Counted are 5 N log2 N operations for it and as many for the way back; what comes with them is
not counted but timed: reading the pixels and looking at them (energy, range), four transpositions, the product with the
spectrum, scaling and storing the outputs. The share is of the FMA peak, which a transform, with more additions than
multiplications, cannot reach.
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
    if not hasattr(kernels, "correlate_fft"):
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


def _correlate_one(image: np.ndarray, weights: np.ndarray, at: tuple[int, int]) -> float:
    y, x = at
    window = image[y : y + weights.shape[0], x : x + weights.shape[1]].astype("d")
    return float((window * weights).sum())


def main() -> int:
    """Measure and print."""
    transform, _ = _load_internals()
    print(f"target {find_target()}; 2 * 5 N log2 N operations for a pair of tiles of N points")
    print(f"{'dtype':<8} {'side':>5} {'pair, us':>9} {'GFLOP/s':>8} {'of peak':>8}")
    for char in "fd":
        fma = make_fma_call(char)
        for side in transform.LENGTHS:
            if side <= KERNEL[0]:
                continue
            call, flops = make_transform_call(char, side), PAIRS * count_flops(side)
            best = best_times({"ours": call, "fma": fma}, rounds=9, budget=0.1)
            rate, peak = flops / best["ours"], fma.run() / best["fma"]
            name = np.dtype(char).name
            print(f"{name:<8} {side:>5} {1e6 * best['ours'] / PAIRS:>9.2f} {rate / 1e9:>8.1f} {rate / peak:>8.0%}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
