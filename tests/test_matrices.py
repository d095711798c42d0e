"""Sums of bytes that are products of matrices, on machines that have the instruction and where the system allows it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import image_oracle
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import zoo

from rapidconv import _again, _call, _cost, _plan, _weights, image, ndimage, signal
from rapidconv._native import in_use, kernels

pytestmark = pytest.mark.skipif(
    not (kernels.MATRICES and kernels.allows_matrices()), reason="this target, machine or process has no products of matrices"
)


@pytest.fixture(autouse=True)
def multiplied(monkeypatch):
    """Multiplies matrices wherever it is right; the type of the taps, for each kernel."""
    seen, real, cost = [], _weights._matrices, _cost.TABLE[in_use]
    free = replace(cost, put={**cost.put, "m": -1e6}, tap={**cost.tap, "m": 0.0})

    def noted(kernel):
        taps = real(kernel)
        seen.append(taps.dtype.name)
        return taps

    monkeypatch.setitem(_cost.TABLE, in_use, free)
    monkeypatch.setattr(_plan, "_kept", {})
    monkeypatch.setattr(_plan, "_QUICK", 0)
    _again.kept.clear()
    monkeypatch.setattr(_call, "_express", lambda *_: None)         # which answers what is quick
    monkeypatch.setattr(_weights, "_matrices", noted)
    return seen


def numbers(shape, dtype, seed, low=None, high=None):
    """Numbers of the whole range of a type, both ends among them."""
    limits = np.iinfo(dtype)
    low, high = limits.min if low is None else low, limits.max if high is None else high
    made = np.random.default_rng(seed).integers(low, high + 1, shape).astype(dtype)
    made.flat[0], made.flat[-1] = high, low
    return made


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtypes", [("uint8", "uint8"), ("int8", "int8"), ("bool", "uint8"), ("uint8", "bool"), ("bool", "int8")], ids="-".join)
def test_results_of_8_bits_wrap(multiplied, dtypes, boundary):
    in1, in2 = zoo.values((61, 275), dtypes[0], 1), zoo.values((7, 9), dtypes[1], 2)
    for name in ("convolve2d", "correlate2d"):
        result = getattr(signal, name)(in1, in2, "same", boundary, 3, method="direct")
        np.testing.assert_array_equal(result, getattr(scipy.signal, name)(in1, in2, "same", boundary, 3), strict=True)
    assert len(multiplied) == 2


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 9, 10, 17, 31, 70])
@pytest.mark.parametrize("columns", [1, 2, 7, 9, 10, 31, 66])
@pytest.mark.parametrize("dtypes", [("uint8", "uint8"), ("int8", "int8")], ids="-".join)
def test_kernels_of_any_shape(multiplied, rows, columns, dtypes):
    """One more row or column than blocks are wide; tiles, strips and bands that end early."""
    picture, kernel = numbers((139, 149), dtypes[0], 1), numbers((rows, columns), dtypes[1], 2)
    for mode in zoo.MODES:
        result = signal.correlate2d(picture, kernel, mode, "symm", method="direct")
        exact = signal.correlate2d(picture.astype("int64"), kernel.astype("int64"), mode, "symm", method="direct")
        np.testing.assert_array_equal(result, exact.astype(dtypes[0]), strict=True)
    assert multiplied or rows * columns < 6         # others are answered by the express lane


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("taps", [(0, 255), (-128, 127)])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_signs_and_channels(multiplied, dtype, taps, channels):
    """All four instructions at their extremes, wide enough for several tiles."""
    shape = (141, 1100) if channels is None else (141, 530, channels)
    picture, kernel = numbers(shape, dtype, 1), numbers((11, 13), "int64", 2, *taps)
    how = {"mode": "same", "boundary": "symm", "channel_axis": None if channels is None else -1, "method": "direct"}
    result = signal.correlate2d(picture, kernel, **how)
    assert multiplied == ["uint8" if taps[0] == 0 else "int8"]
    np.testing.assert_array_equal(result, signal.correlate2d(picture.astype("int64"), kernel, **how))


@pytest.mark.parametrize(("low", "high", "taken"), [(-128, 127, 1), (-129, 127, 0), (-1, 128, 0), (0, 255, 1), (0, 256, 0)])
def test_taps_that_bytes_cannot_hold(multiplied, low, high, taken):
    picture, kernel = np.full((70, 80), 255, "uint8"), numbers((9, 9), "int64", 3, low, high)
    result = image.filter2d(picture, kernel, dtype="float64", method="direct")
    assert (result == 255 * kernel.sum()).all()
    assert len(multiplied) == taken


@pytest.mark.parametrize(("tap", "side", "taken"), [(127, 257, 0), (127, 240, 1), (255, 181, 1), (255, 182, 0)])
def test_sums_beyond_32_bits_are_not_taken(multiplied, tap, side, taken):
    """255 * 255 * 181**2 is just below 2**31; kernels of 257 rows are over too many blocks."""
    kernel = np.full((side, side), tap)
    result = image.filter2d(np.full((20, 140), 255, "uint8"), kernel, dtype="float64", boundary="replicate", method="direct")
    assert (result == 255 * tap * side**2).all()
    assert len(multiplied) == taken


@pytest.mark.parametrize(("dtype", "fill", "taken"), [("uint8", 255, 1), ("uint8", -1, 0), ("uint8", 256, 0), ("int8", 127, 1), ("int8", 128, 0),
                                                      ("bool", 255, 1), ("bool", -1, 0)])  # fmt: skip
def test_what_lies_around_counts_as_well(multiplied, dtype, fill, taken):
    """A picture of bytes in a result of int32, and a fill value of that type."""
    picture, kernel = zoo.values((66, 71), dtype, 1), zoo.values((5, 5), "int8", 2).astype("int32")
    result = signal.convolve2d(picture, kernel, "full", "fill", fill, method="direct")
    exact = signal.convolve2d(picture.astype("int64"), kernel.astype("int64"), "full", "fill", fill)
    np.testing.assert_array_equal(result, exact)
    assert len(multiplied) == taken


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
def test_layouts(multiplied, layout):
    picture, kernel = zoo.values((67, 130), "uint8", 1), zoo.values((6, 5), "uint8", 2)
    result = signal.convolve2d(zoo.LAYOUTS[layout](picture), kernel, "same", "fill", 9, method="direct")
    np.testing.assert_array_equal(result, scipy.signal.convolve2d(picture, kernel, "same", "fill", 9), strict=True)
    assert multiplied


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("options", [{}, {"dtype": "float32"}, {"dtype": "int16"}, {"dtype": "bool"}, {"scale": 1 / 8, "delta": 3.25},
                                     {"delta": -7}, {"saturate": False}, {"dtype": "uint16", "delta": 100}], ids=str)  # fmt: skip
def test_pictures_are_stored_in_any_way(multiplied, axis, options):
    picture, kernel = zoo.values((3, 65, 170), "uint8", 1), zoo.values((5, 7), "int8", 2).astype(int)
    moved = np.moveaxis(picture, 0, axis)
    result = image.filter2d(moved, kernel, channel_axis=axis, boundary="reflect", method="direct", **options)
    keep = {name: value for name, value in options.items() if name != "dtype"}
    sums = image_oracle.sums_of(moved, kernel, axis, boundary="reflect")
    np.testing.assert_array_equal(result, image_oracle.stored(sums, options.get("dtype", "uint8"), **keep), strict=True)
    assert multiplied


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5), (2, 1, 9), (6, 1, 1)])
@pytest.mark.parametrize("mode", ["mirror", "constant"])
def test_volumes(multiplied, shape, mode):
    """Sums over planes of the kernel, those beyond the image among them, are added in strips."""
    volume, weights = zoo.values((5, 66, 171), "uint8", 1), zoo.values(shape, "uint8", 2)
    result = ndimage.correlate(volume, weights, mode=mode, cval=3)
    expected = scipy.ndimage.correlate(volume.astype("int64"), weights.astype("int64"), mode=mode, cval=3)
    np.testing.assert_array_equal(result, expected.astype("uint8"), strict=True)
    assert multiplied


@pytest.mark.parametrize("shape", [(3000, 3), (3, 3000), (1, 8000)])
def test_kernels_beyond_a_block(multiplied, shape):
    """Taller ones are summed in groups of rows, whose sums are added; wide ones over low tiles."""
    picture, kernel = numbers((150, 300), "uint8", 1), numbers(shape, "uint8", 2)
    result = signal.convolve2d(picture, kernel, "same", "symm", method="direct")
    exact = signal.convolve2d(picture.astype("int64"), kernel.astype("int64"), "same", "symm", method="direct")
    np.testing.assert_array_equal(result, exact.astype("uint8"), strict=True)
    assert multiplied


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_give_the_same_bits(multiplied, workers):
    image_oracle.check_workers(zoo.values((700, 900, 3), "uint8", 1), zoo.values((9, 9), "int8", 2), workers)
    assert multiplied


def test_threads_at_once(multiplied):
    picture, kernel = zoo.values((300, 500), "uint8", 1), zoo.values((9, 9), "uint8", 2)
    expected = scipy.signal.convolve2d(picture, kernel, "same", "symm")
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: signal.convolve2d(picture, kernel, "same", "symm", method="direct"), range(40)):
            np.testing.assert_array_equal(result, expected)
    assert multiplied


def test_where_the_system_refuses_rows_are_joined(multiplied, monkeypatch):
    picture, kernel = zoo.values((300, 500), "uint8", 1), zoo.values((9, 9), "int8", 2).astype(int)
    monkeypatch.setattr(kernels, "allows_matrices", lambda: False)
    result = image.filter2d(picture, kernel, method="direct", dtype="float64")
    np.testing.assert_array_equal(result, image_oracle.plane_sums(picture, kernel))
    assert multiplied == []


ALONE = """
import ctypes, os, sys
import numpy as np
from rapidconv import image, explain
from rapidconv._native import kernels

libc = ctypes.CDLL(None)
def permitted():
    bits = ctypes.c_ulong()
    assert libc.syscall(158, 0x1022, ctypes.byref(bits)) == 0        # arch_prctl, ARCH_GET_XCOMP_PERM
    return bool(bits.value & 1 << 18)

picture = np.random.default_rng(0).integers(0, 256, (600, 700), "uint8")
kernel = np.random.default_rng(1).integers(-9, 10, (25, 25))
assert not permitted(), "asked for at import"
image.filter2d(picture, kernel / 7)
assert not permitted(), "asked for by a call that does not need it"
if sys.argv[1] == "refused":            # a stack for signals that has no room for the registers
    class Stack(ctypes.Structure):
        _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]
    room = ctypes.create_string_buffer(8192)
    assert libc.sigaltstack(ctypes.byref(Stack(ctypes.addressof(room), 0, 8192)), None) == 0
result = image.filter2d(picture, kernel, workers=2)
assert permitted() == (sys.argv[1] == "allowed")
assert ("matrices" in explain(image.filter2d, picture, kernel).reason) == permitted()
wide = image.filter2d(picture.astype("float64"), kernel, method="direct")
assert (result == wide.clip(0, 255)).all()
child = os.fork()
if child == 0:
    again = image.filter2d(picture, kernel, workers=2)
    os._exit(0 if (again == result).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("how", ["allowed", "refused"])
def test_leave_is_asked_for_when_it_is_needed(how):
    """And holds in forks; where the system refuses it, sums are the same."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", ALONE, how]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_other_kernels_are_laid_in_matrices_anew(multiplied):
    """Jobs kept for one kernel serve none whose matrices are others."""
    pixels = numbers((90, 80), "uint8", 1)
    for seed in range(4):
        kernel = numbers((13, 13), "int8", seed, -4, 4)
        expected = image_oracle.stored(image_oracle.sums_of(pixels, kernel), "uint8")
        np.testing.assert_array_equal(image.filter2d(pixels, kernel), expected)
    assert len(multiplied) == 4
