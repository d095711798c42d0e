"""Run as a script: how many bytes each call touches at its peak beyond its inputs and its result, one line per case.

NumPy's allocations are not all there is, so the peak of the process's resident memory is read (Linux). Run it with
MALLOC_MMAP_THRESHOLD_ set to something small, so that nothing large can hide in memory freed by an earlier case.
"""

from pathlib import Path

import nd
import numpy as np
import zoo

import rapidconv


def image(dtype, layout="array"):
    """A picture of 12 MB or more."""
    return zoo.LAYOUTS[layout](np.ones((12_000_000 // 2000 // np.dtype(dtype).itemsize, 2000), dtype))


# in1, in2, mode, boundary, channel_axis, fillvalue
CASES = {
    "float64": lambda: (image("f8"), np.ones((5, 5)), "same", "symm"),
    "float32 15x15": lambda: (image("f4"), np.ones((15, 15), "f4"), "full", "wrap"),
    "uint8": lambda: (image("u1"), np.ones((3, 3), "u1"), "same", "fill"),
    "int64": lambda: (image("i8"), np.ones((3, 3), "i8"), "same", "symm"),
    "int64 huge": lambda: (image("i8") << 60, np.ones((3, 3), "i8"), "same", "symm"),
    "complex64": lambda: (image("F"), np.ones((3, 3), "F"), "same", "symm"),
    "longdouble": lambda: (image("g"), np.ones((3, 3), "g"), "same", "symm"),
    "float16": lambda: (image("e"), np.ones((3, 3), "e"), "same", "symm"),
    "bool": lambda: (image("?"), np.ones((3, 3), "?"), "same", "symm"),
    "float32 by float64": lambda: (image("f4"), np.ones((3, 3)), "same", "symm"),
    "uint8 by float32": lambda: (image("u1"), np.ones((3, 3), "f4"), "same", "symm"),
    "uint8 by int64": lambda: (image("u1"), np.ones((3, 3), "i8"), "same", "symm"),
    "float64 by complex": lambda: (image("f8"), np.ones((3, 3), "D"), "same", "symm"),
    "complex by float64": lambda: (image("D"), np.ones((3, 3)), "same", "symm"),
    "read-only": lambda: (image("f8", "read_only"), np.ones((3, 3)), "same", "symm"),
    "swapped": lambda: (image("f8", "swapped"), np.ones((3, 3)), "same", "symm"),
    "fortran": lambda: (image("f8", "fortran"), np.ones((3, 3)), "same", "symm"),
    "misaligned": lambda: (image("f8", "misaligned"), np.ones((3, 3)), "same", "symm"),
    "every other": lambda: (image("f8", "every_other"), np.ones((3, 3)), "same", "symm"),
    "nan": lambda: (image("f8") * np.nan, np.ones((3, 3)), "same", "symm"),
    "complex nan": lambda: (image("D") * np.nan, np.ones((3, 3)), "same", "symm"),
    "swapped operands": lambda: (np.ones((5, 5)), image("f8"), "valid", "fill"),
    "one wide row": lambda: (np.ones((1, 1_500_000)), np.ones((1, 9)), "same", "symm"),
    "one tall column": lambda: (np.ones((1_500_000, 1)), np.ones((9, 1)), "same", "symm"),
    "colour": lambda: (np.ones((600, 900, 3)), np.ones((3, 3)), "same", "symm", -1),
    "planes": lambda: (np.ones((3, 600, 900)), np.ones((3, 3)), "same", "symm", 0),
    "wide kernel": lambda: (np.ones((100, 12_000)), np.ones((1, 10_001)), "same", "symm"),
    "many complex channels": lambda: (np.ones((150, 250, 16), "D"), np.ones((9, 65), "D"), "same", "symm", -1),
    "complex fill": lambda: (image("f8"), np.ones((3, 3), "D"), "same", "fill", None, 1j),
}

# n-D problems, as their image, kernel, and what else they are described by
VOLUMES = {
    "volume": lambda: (np.ones((40, 200, 200)), np.ones((5, 5, 5)), {}),
    "volume of uint8": lambda: (np.ones((40, 500, 500), "u1"), np.ones((3, 3, 3), "u1"), {}),
    "volume of int64": lambda: (np.ones((40, 200, 200), "i8") << 60, np.ones((3, 3, 3), "i8"), {}),
    "small planes": lambda: (np.ones((200_000, 3, 3)), np.ones((1, 3, 3)), {}),
    "long outer kernel": lambda: (np.ones((100, 100, 150)), np.ones((60, 3, 3)), {}),
    "columns of a volume": lambda: (np.ones((100, 100, 150)), np.ones((9, 1, 1)), {}),
    "fortran volume": lambda: (np.asfortranarray(np.ones((100, 100, 150))), np.ones((3, 3, 3)), {}),
    "planes by transforms": lambda: (np.ones((4, 600, 600)), np.ones((1, 33, 33)), {"method": "fft"}),
    "volume by transforms": lambda: (np.ones((60, 150, 150)), np.ones((15, 15, 15)), {"method": "fft"}),
    "volume by transforms, float32": lambda: (np.ones((60, 150, 150), "f4"), np.ones((25, 25, 25), "f4"), {"method": "fft"}),
    "deep kernel by transforms": lambda: (np.ones((60, 150, 150)), np.random.default_rng(0).random((45, 45, 45)), {"method": "fft"}),
    "deep kernel in double": lambda: (
        np.ones((20, 150, 150), "f4") * 1e30, np.random.default_rng(0).random((45, 45, 45)).astype("f4"), {"method": "fft"}),
    "pieces": lambda: (
        np.ones((40, 200, 200), "i8") << 60, np.random.default_rng(0).integers(0, 9, (15, 15, 15)), {"method": "fft"}),
    "cut sums": lambda: (
        np.ones((40, 500, 500), "u1"), np.full((3, 3, 3), 0.1),
        {"dtype": "u1", "sums": np.dtype("d"), "store": nd.Store.TRUNCATE, "skips": True},
    ),
    "wide sums": lambda: (np.ones((3000, 1000), "f4"), np.ones((3, 3)), {"dtype": "f4", "sums": np.dtype("d")}),
    "holes": lambda: (np.full((40, 200, 200), np.nan), np.array([[[1.0, 0, 1]]]), {"skips": True}),
}  # fmt: skip


def status(field):
    """One line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def result_shape(in1, in2, mode):
    """For two-dimensional operands; 'same' for any."""
    if mode == "same":
        return in1.shape
    sign = 1 if mode == "full" else -1
    return tuple(abs(n + sign * k) - sign for n, k in zip(in1.shape, in2.shape, strict=True))


def extra(in1, in2, mode, boundary, channel_axis=None, fillvalue=0):
    keywords = {"channel_axis": channel_axis, "fillvalue": fillvalue}
    little = in1[tuple(slice(40) for _ in in1.shape)]
    rapidconv.convolve2d(little, in2[:3, :3], "same", boundary, **keywords)  # Now code and thread pools are loaded.
    out = np.empty(result_shape(in1, in2, mode), np.promote_types(in1.dtype, in2.dtype))
    out.fill(1)
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS:")
    rapidconv.convolve2d(in1, in2, mode, boundary, out=out, **keywords)
    return status("VmHWM:") - before


def extra_of_problem(image, kernel, more):
    """As extra, of a problem."""
    nd.run(nd.problem(image[tuple(slice(9) for _ in image.shape)], kernel[tuple(slice(3) for _ in kernel.shape)], **more))
    made = nd.problem(image, kernel, **more)
    out = np.ones(image.shape, made.dtype)
    nd.run(made, out=out)                   # what is made of the kernel is kept from now on
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS:")
    nd.run(made, out=out)
    return status("VmHWM:") - before


if __name__ == "__main__":
    for case, operands in VOLUMES.items():
        print(f"{case}: {extra_of_problem(*operands())}", flush=True)
    for case, operands in CASES.items():
        print(f"{case}: {extra(*operands())}", flush=True)
