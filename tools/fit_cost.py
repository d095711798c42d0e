"""Measure the constants of `rapidconv._cost` for the target in use, and print its row of the table.

``python -m tools.fit_cost``; ``RAPIDCONV_TARGET=x86_v3 python -m tools.fit_cost`` for another target. Takes some 20
seconds on a machine that does nothing else; every constant comes from two or three timings and a straight line.
"""

import time
from dataclasses import replace

import numpy as np

import rapidconv
from rapidconv import _arguments, _cost, _execute, _plan
from rapidconv._native import in_use, kernels

SIDE = 768
TABLE = _cost.TABLE[in_use]
LANES = {"f": "f4", "d": "f8", "h": "i2", "i": "i4", "l": "i8"}


def seconds(call, least=0.02, tries=5):
    """Least time of a call."""
    call()
    best = float("inf")
    for _ in range(tries):
        count, begun = 0, time.perf_counter()
        while count == 0 or time.perf_counter() - begun < least:
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
            count += 1
    return best


def data(lane, shape, seed=0):
    """Pixels that keep their lane: integers so large that no floating lane is exact."""
    rng, dtype = np.random.default_rng(seed), np.dtype(LANES[lane])
    if dtype.kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype)


def convolve(image, kernel, method):
    """Time of a whole call."""
    return seconds(lambda: rapidconv.convolve2d(image, kernel, "same", "symm", method=method, workers=1))


def in_tiles(image, kernel, tile):
    """Time of a whole call in tiles of a shape."""
    task = _arguments.signal2d("convolve2d", image, kernel, "same", "symm", 0, "fft", None, 1, None)
    (plan,) = _plan.plans(task)
    plan = replace(plan, tiles=replace(plan.tiles, shape=tile))
    return seconds(lambda: _execute.run(task, [plan], _execute.allocate(task)))


def line(points):
    """(intercept, slope) of a least-squares line, neither below zero."""
    x, y = np.array(points, float).T
    slope = max(0.0, float(np.polyfit(x, y, 1)[0]))
    return max(0.0, float((y - slope * x).min())), slope


def fit():
    """All constants, in nanoseconds."""
    found = {name: {} for name in ("tap", "put", "walk", "walk_tap", "double", "double_step", "point", "load")}
    pixels = SIDE * SIDE / 1e9
    for lane, kind in LANES.items():
        image = data(lane, (SIDE, SIDE))
        points = [(k * k, convolve(image, data(lane, (k, k), k), "direct") / pixels) for k in (5, 9, 15)]
        found["put"][lane], found["tap"][lane] = line(points)
        points = []
        for k in (7, 21, 45):
            kernel = np.outer(np.arange(1, k + 1), np.arange(1, k + 1) % 7 + 1).astype(kind)
            points.append((2 * k, convolve(image, kernel, "separable") / pixels))
        found["walk"][lane], found["walk_tap"][lane] = line(points)
        points = []
        for k in (4, 16, 64):
            kernel = np.ones((k, k), kind)
            points.append((2 * (k.bit_length() - 1), convolve(image, kernel, "separable") / pixels))
        found["double"][lane], found["double_step"][lane] = line(points)
    for lane in "fd":
        kernel, image = data(lane, (17, 17)), data(lane, (SIDE, SIDE))
        slopes = []
        for side in (64, 144):
            total = in_tiles(image, kernel, (side, side))
            without, with_one = (
                _cost.fft(replace(TABLE, point={lane: point}), lane, (side, side), (17, 17), (SIDE, SIDE), 1, alone=False, converts=False)
                for point in (0.0, 1.0)
            )
            slopes.append((total - without) / (with_one - without))
        found["point"][lane], found["load"][lane] = max(0.0, float(np.mean(slopes))), TABLE.load[lane]
    found["put"]["g"], found["tap"]["g"] = 3.0, 1.0
    if kernels.DOTS:
        image = data("h", (SIDE, SIDE)).astype("u1")
        points = [(-(-k // 4) * k, convolve(image, np.arange(k * k, dtype="u1").reshape(k, k), "direct") / pixels) for k in (9, 15, 25)]
        found["put"]["q"], found["tap"]["q"] = line(points)
    if kernels.MATRICES and kernels.allows_matrices():
        image = np.stack([image] * 3, axis=-1)
        points = []
        for k in (9, 17, 33):
            kernel = np.random.default_rng(k).integers(-3, 4, (k, k))
            taken = seconds(lambda kernel=kernel: rapidconv.image.filter2d(image, kernel, channel_axis=-1, method="direct", workers=1))
            points.append((((k + 14) // 8) ** 2, taken / pixels / 3))
        found["put"]["m"], found["tap"]["m"] = line(points)
    return found


def main():
    """Print the row."""
    found = fit()
    print(f'    "{in_use}": Cost(')
    for name, lanes in found.items():
        print(f"        {name}={{{', '.join(f'{chr(34)}{k}{chr(34)}: {v:.3g}' for k, v in lanes.items())}}},")
    for name in ("few", "call", "tile_call", "spill", "convert"):      # not fitted
        print(f"        {name}={getattr(TABLE, name)},")
    print("    ),")


if __name__ == "__main__":
    main()
