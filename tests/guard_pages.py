"""Run as a script: convolutions whose arrays touch a page that may not be read or written.

    python guard_pages.py DTYPE1 DTYPE2 CASES TRACE
    python guard_pages.py volumes DTYPE CASES TRACE

An over-read or over-write of a single byte, on either side of in1, in2 or out, ends the process with SIGSEGV, whatever
the optimisation level and the target. The case at work is kept in the file TRACE. `python guard_pages.py over-read`
commits such a crime on purpose.
"""

import ctypes
import faulthandler
import mmap
import random
import sys
from pathlib import Path

import nd
import numpy as np
import zoo

from rapidconv import signal

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
SIDES = [*range(1, 41), *range(60, 70), *range(125, 132), *range(254, 260), 511, 513]
SHORT = [*range(1, 10), 16, 17, 33, 40]
KERNELS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (3, 1), (1, 3), (5, 5), (4, 7), (7, 7), (1, 17), (17, 1), (9, 12)]
KERNELS += [(33, 33), (1, 40), (64, 1), *((rows, 3) for rows in range(4, 12))]
PROT_NONE = ctypes.c_int(0)


class Arena:
    """Memory between two forbidden pages."""

    def __init__(self, capacity):
        self.body = -(-capacity // PAGE) * PAGE
        self.map = mmap.mmap(-1, self.body + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for forbidden in (start, start + PAGE + self.body):
            if LIBC.mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(PAGE), PROT_NONE):
                raise OSError(ctypes.get_errno(), "mprotect")

    def place(self, array, at_end):
        """A C-contiguous copy whose last byte is the arena's last, or whose first is its first."""
        offset = PAGE + (self.body - array.nbytes if at_end else 0)
        copy = np.ndarray(array.shape, array.dtype, buffer=self.map, offset=offset)
        copy[...] = array
        return copy


def view(array, arena, at_end, kind):
    """The array in the arena, laid out as asked; its extreme bytes still touch the guard."""
    if kind == "fortran":
        return arena.place(np.ascontiguousarray(array.T), at_end).T
    if kind == "negative":
        return arena.place(array[::-1, ::-1], at_end)[::-1, ::-1]
    if kind == "swapped":
        return arena.place(array.astype(array.dtype.newbyteorder()), at_end)
    if kind == "every other":
        wide = np.zeros((array.shape[0], 2 * array.shape[1] - 1), array.dtype)
        wide[:, ::2] = array
        return arena.place(wide, at_end)[:, ::2]
    return arena.place(array, at_end)


def main(dtype1, dtype2, cases, trace):
    seed = f"{dtype1} {dtype2}"
    rng = random.Random(seed)
    image_arena, kernel_arena, result_arena = Arena(2**21), Arena(2**18), Arena(2**21)
    with Path(trace).open("wb", buffering=0) as note:
        for case in range(int(cases)):
            shape = rng.choice(SHORT), rng.choice(SIDES)
            shape = shape if rng.random() < 0.8 else shape[::-1]
            kernel_shape = rng.choice(KERNELS)
            mode = rng.choice(zoo.MODES)
            if mode == "valid" and (shape[0] < kernel_shape[0]) != (shape[1] < kernel_shape[1]):
                mode = "full"
            boundary = rng.choice(zoo.BOUNDARIES)
            name = rng.choice(["convolve2d", "correlate2d"])
            kind = rng.choice(["plain", "plain", "plain", "fortran", "negative", "swapped", "every other"])
            ends = [rng.random() < 0.7 for _ in range(3)]
            channels = rng.choice([None, None, None, 0, 2])
            note.seek(0)
            note.write(
                f"{case}: {name} {shape} {kernel_shape} {mode} {boundary} {kind} {ends} {channels}".ljust(200).encode()
            )
            function = getattr(signal, name)
            in1, in2 = zoo.values(shape, dtype1, case), zoo.values(kernel_shape, dtype2, case + 1)
            if rng.random() < 0.3 and in2.dtype.kind != "b":        # few taps
                in2.flat[rng.sample(range(in2.size), in2.size - in2.size // 5)] = 0
            keywords = {}
            if channels is not None:
                in1 = np.stack([in1] * 3, axis=channels)
                keywords, kind = {"channel_axis": channels}, "plain"
            expected = function(in1, in2, mode, boundary, 1, **keywords)
            guarded1 = view(in1, image_arena, ends[0], kind)
            guarded2 = view(in2, kernel_arena, ends[1], kind)
            out = result_arena.place(np.zeros_like(expected), ends[2])
            function(guarded1, guarded2, mode, boundary, 1, out=out, **keywords)
            if not zoo.same_bits(out, expected):
                sys.exit("another result between guard pages")
            if zoo.bits(guarded1) != zoo.bits(in1):
                sys.exit("the image was changed")
    print("done", cases)


def volumes(dtype, cases, trace):
    """n-D problems of a type."""
    rng = random.Random(dtype)
    image_arena, result_arena = Arena(2**21), Arena(2**21)
    with Path(trace).open("wb", buffering=0) as note:
        for case in range(int(cases)):
            shape = rng.choice(SHORT[:6]), rng.choice(SHORT), rng.choice(SIDES[:60])
            shape = tuple(rng.sample(shape, 3))
            kernel_shape = rng.choice([(3, 3, 3), (1, 3, 3), (3, 1, 1), (2, 5, 4), (3, 3, 1), (1, 1, 7), (3, 1, 5), (9, 1, 1)])
            kind = rng.choice(["plain", "plain", "fortran", "swapped"])
            ends = [rng.random() < 0.7 for _ in range(2)]
            more = {"skips": rng.random() < 0.5}
            if rng.random() < 0.3:
                more = {"dtype": rng.choice("Bhi"), "sums": np.dtype("d"), "store": nd.Store.TRUNCATE}
            rule = rng.choice(list(nd.Boundary))
            note.seek(0)
            note.write(f"{case}: {shape} {kernel_shape} {rule} {kind} {ends} {more}".ljust(200).encode())
            image, kernel = zoo.values(shape, dtype, case), zoo.values(kernel_shape, dtype, case + 1)
            kernel.flat[0] = 0
            expected = nd.run(nd.problem(image, kernel, rule, **more))
            guarded = view(image, image_arena, ends[0], kind)
            out = result_arena.place(np.zeros_like(expected), ends[1])
            nd.run(nd.problem(guarded, kernel, rule, **more), out=out)
            if not zoo.same_bits(out, expected):
                sys.exit("another result between guard pages")
    print("done", cases)


def over_read():
    """What the test of the guard itself expects to be killed for."""
    row = Arena(PAGE).place(np.ones(8), at_end=True)
    print(np.lib.stride_tricks.as_strided(row, (9,)).sum())


if __name__ == "__main__":
    faulthandler.enable()
    if sys.argv[1:] == ["over-read"]:
        over_read()
    elif sys.argv[1] == "volumes":
        volumes(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
