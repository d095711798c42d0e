"""Run as a script: filters of pictures whose arrays touch a page that may not be read or written; see guard_pages.py.

python guard_pictures.py CASES TRACE
"""

import faulthandler
import random
import sys
from pathlib import Path

import numpy as np
from guard_pages import SHORT, SIDES, Arena, view

from rapidconv import image

DTYPES = ("bool", "uint8", "uint16", "int16", "float32", "float64")
BOUNDARIES = ("constant", "reflect", "wrap", "replicate", "reflect101")
KERNELS = [(1, 1), (3, 3), (2, 5), (5, 5), (4, 7), (9, 9), (13, 3), (17, 17)]


def call(rng, kernel, channels):
    """A random filter, its kernel and options, and whether the result has a leading axis."""
    what = rng.choice(["filter", "filter", "bank", "combine", "magnitude", "phase", "omit"])
    if what == "filter":
        options = {"method": rng.choice(["auto", "direct", "fft"])}
        if channels == 4:
            options["alpha"] = rng.choice(["keep", "filter"])
        return image.filter2d, kernel, options, False
    if what == "omit":
        return image.filter2d, kernel, {"nan": "omit"}, False
    if what == "bank":
        return image.filter_bank, np.stack([kernel, 2 * kernel]), {}, True
    if what == "combine":
        return image.filter_bank, np.stack([kernel] * 3), {"combine": rng.choice(["magnitude", "max", "sum_abs"])}, False
    return getattr(image, what), kernel + 1j * kernel[::-1], {}, False


def main(cases, trace):
    rng = random.Random("pictures")
    image_arena, result_arena = Arena(2**21), Arena(2**22)
    with Path(trace).open("wb", buffering=0) as note:
        for case in range(int(cases)):
            shape = rng.choice(SHORT), rng.choice(SIDES)
            shape = shape if rng.random() < 0.8 else shape[::-1]
            channels = rng.choice([None, None, 1, 3, 3, 4, 5])
            dtype, result = np.dtype(rng.choice(DTYPES)), np.dtype(rng.choice(DTYPES))
            numbers = np.random.default_rng(case)
            weights = numbers.integers(-4, 5, rng.choice(KERNELS))
            weights[0, 0] = 5                   # there is no spectrum of nothing
            if rng.random() < 0.5:
                weights = weights / 16 + 0.01
            function, kernel, options, leading = call(rng, weights, channels)
            options.update(boundary=rng.choice(BOUNDARIES), channel_axis=None if channels is None else 2, dtype=result)
            ends = [rng.random() < 0.7 for _ in range(2)]
            kind = rng.choice(["plain", "plain", "fortran", "swapped"])
            note.seek(0)
            note.write(f"{case}: {function.__name__} {shape} {channels} {dtype} {kind} {ends} {options}".ljust(300).encode())
            pixels = (numbers.random(shape if channels is None else (*shape, channels)) * 200).astype(dtype)
            expected = function(pixels, kernel, **options)
            out = result_arena.place(np.zeros(expected.shape, result), ends[1])
            function(view(pixels, image_arena, ends[0], kind), kernel, out=out, **options)
            if out.tobytes() != expected.tobytes():
                sys.exit("another result between guard pages")
            assert leading == (out.ndim > pixels.ndim)
    print("done", cases)


if __name__ == "__main__":
    faulthandler.enable()
    main(*sys.argv[1:])
