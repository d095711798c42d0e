"""Sums of narrow integers of which several rows are multiplied at once, on machines that have the instruction."""

from dataclasses import replace

import image_oracle
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import zoo

from rapidconv import _again, _call, _cost, _plan, _weights, image, ndimage, signal
from rapidconv._native import in_use, kernels

NARROW = ["bool", "int8", "uint8", "int16", "uint16"]

pytestmark = pytest.mark.skipif(not kernels.DOTS, reason="this target, or this machine, has no sums of products of bytes")


@pytest.fixture(autouse=True)
def joined(monkeypatch):
    """Joins rows wherever it is right; how many were joined, for each kernel."""
    seen, real, cost = [], _weights._joined, _cost.TABLE[in_use]
    free = replace(cost, put={**cost.put, "q": -1e3}, tap={**cost.tap, "q": 0.0})
    monkeypatch.setitem(_cost.TABLE, in_use, free)
    monkeypatch.setattr(kernels, "MATRICES", False)
    monkeypatch.setattr(_plan, "_kept", {})
    monkeypatch.setattr(_plan, "_QUICK", 0)
    monkeypatch.setattr(_call, "_express", lambda *_: None)         # which answers what is quick
    _again.kept.clear()
    monkeypatch.setattr(_weights, "_joined", lambda kernel, rows: seen.append(rows) or real(kernel, rows))
    return seen


def wrapped(in1, in2, *how, name="convolve2d"):
    """SciPy's result, whose integers wrap."""
    return getattr(scipy.signal, name)(in1, in2, *how)


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtypes", [(x, y) for x in NARROW for y in NARROW if x + y != "boolbool"], ids="-".join)
def test_results_of_8_and_16_bits_wrap(joined, name, dtypes, boundary):
    """Whatever the types, the low bits of sums follow from the low bits of the numbers."""
    in1, in2 = zoo.values((61, 75), dtypes[0], 1), zoo.values((7, 9), dtypes[1], 2)
    if np.promote_types(*dtypes).itemsize > 2:
        pytest.skip("a wider result")
    result = getattr(signal, name)(in1, in2, "same", boundary, 3, method="direct")
    np.testing.assert_array_equal(result, wrapped(in1, in2, "same", boundary, 3, name=name), strict=True)
    bytes_do = result.itemsize == 1 or (dtypes[0] in ("bool", "uint8") and dtypes[1] == "int8")
    assert joined == [4 if bytes_do else 2]


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 13, 36, 37, 70])
@pytest.mark.parametrize("columns", [1, 4, 9, 50])
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_kernels_of_any_height(joined, rows, columns, dtype):
    """Streams of joined rows end at 36 rows of bytes and 18 of shorts; images end within a tile, and within a vector."""
    picture, kernel = zoo.values((131, 83), dtype, 1), zoo.values((rows, columns), dtype, 2)
    for mode in zoo.MODES:
        result = signal.correlate2d(picture, kernel, mode, "symm", method="direct")
        np.testing.assert_array_equal(result, wrapped(picture, kernel, mode, "symm", name="correlate2d"), strict=True)
    assert joined or rows * columns < 6         # others are answered by the express lane


@pytest.mark.parametrize("height", range(1, 9))
def test_images_lower_than_what_is_joined(joined, height):
    picture, kernel = zoo.values((height, 3000), "uint8", 1), zoo.values((11, 9), "uint8", 2)
    result = signal.convolve2d(picture, kernel, "same", "wrap", method="direct")
    np.testing.assert_array_equal(result, wrapped(picture, kernel, "same", "wrap"), strict=True)
    assert joined == [4]


@pytest.mark.parametrize("shape", [(900, 3), (700, 5), (601, 2)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_kernels_beyond_a_block(joined, shape, dtype):
    """Taller ones are summed in groups of rows, whose sums are added."""
    picture, kernel = zoo.values((50, 600), dtype, 1), zoo.values(shape, dtype, 2)
    result = signal.convolve2d(picture, kernel, "same", "symm", method="direct")
    expected = signal.convolve2d(picture.astype("int64"), kernel.astype("int64"), "same", "symm", method="direct")
    np.testing.assert_array_equal(result, expected.astype(dtype), strict=True)
    assert joined


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_layouts(joined, layout, dtype):
    picture, kernel = zoo.values((67, 130), dtype, 1), zoo.values((6, 5), dtype, 2)
    result = signal.convolve2d(zoo.LAYOUTS[layout](picture), kernel, "same", "fill", 9, method="direct")
    np.testing.assert_array_equal(result, wrapped(picture, kernel, "same", "fill", 9), strict=True)
    assert joined


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16"])
@pytest.mark.parametrize("options", [{}, {"dtype": "float32"}, {"dtype": "float64"}, {"dtype": "int16"}, {"dtype": "bool"},
                                     {"scale": 1 / 8, "delta": 3.25}, {"delta": -7}, {"delta": 0.25}, {"delta": 2.0**31}, {"saturate": False},
                                     {"dtype": "uint16", "delta": 100}], ids=str)  # fmt: skip
def test_pictures_are_stored_in_any_way(joined, dtype, axis, options):
    picture, kernel = zoo.values((3, 65, 70), dtype, 1), zoo.values((5, 7), "int8", 2).astype(int)
    moved = np.moveaxis(picture, 0, axis)
    result = image.filter2d(moved, kernel, channel_axis=axis, boundary="reflect", method="direct", **options)
    keep = {name: value for name, value in options.items() if name != "dtype"}
    sums = image_oracle.sums_of(moved, kernel, axis, boundary="reflect")
    np.testing.assert_array_equal(result, image_oracle.stored(sums, options.get("dtype", dtype), **keep), strict=True)
    assert joined == [4 if dtype in ("uint8", "bool") else 2]


@pytest.mark.parametrize(("low", "high", "rows"), [(-128, 127, 4), (-129, 127, 2), (-128, 128, 2), (-32768, 32767, 2)])
def test_taps_that_bytes_cannot_hold_are_shorts(joined, low, high, rows):
    rng = np.random.default_rng(3)
    picture, kernel = rng.integers(250, 256, (70, 80), "uint8"), rng.integers(low, high, (9, 9))
    kernel[0, 0], kernel[3, 4] = low, high
    result = image.filter2d(picture, kernel, dtype="float64", method="direct")
    np.testing.assert_array_equal(result, image_oracle.plane_sums(picture, kernel))
    assert joined == [rows]


@pytest.mark.parametrize("value", [-32769, 32768])
def test_taps_that_shorts_cannot_hold_are_not_joined(joined, value):
    kernel = np.ones((9, 9), int)
    kernel[2, 2] = value
    result = image.filter2d(np.full((70, 80), 255, "uint8"), kernel, dtype="float64", method="direct")
    assert (result == 255 * (80 + value)).all()
    assert joined == []


@pytest.mark.parametrize(("side", "taken"), [(257, [4]), (258, [])])
def test_sums_beyond_32_bits_are_not_joined(joined, side, taken):
    """255 * 127 * 257**2 is just below 2**31."""
    kernel = np.full((side, side), 127)
    result = image.filter2d(np.full((20, 40), 255, "uint8"), kernel, dtype="float64", boundary="replicate", method="direct")
    assert (result == 255 * 127 * side**2).all()
    assert joined == taken


def test_products_of_the_most_negative_shorts(joined):
    """Two of them make 2**31, and three more go below: all modulo 2**32 on the way."""
    picture = np.full((60, 70), -32768, "int16")
    kernel = np.array([[-32768, 0, 32767], [-32768, 0, 32767]])
    result = image.filter2d(picture, kernel, dtype="float64", boundary="wrap", method="direct")
    assert (result == -32768 * -2).all()
    assert joined == []             # 4 * 32768**2 could be reached
    halves = kernel // 4
    assert (image.filter2d(picture, halves, dtype="float64", boundary="wrap", method="direct") == -32768 * 2 * (-8192 + 8191)).all()
    assert joined == [2]


@pytest.mark.parametrize(("fill", "taken"), [(255, [4]), (-1, [2]), (256, [2]), (32768, [])])
def test_what_lies_around_counts_as_well(joined, fill, taken):
    """A picture of bytes in a result of int32, and a fill value of that type."""
    picture, kernel = zoo.values((66, 71), "uint8", 1), zoo.values((5, 5), "int8", 2).astype("int32")
    result = signal.convolve2d(picture, kernel, "full", "fill", fill, method="direct")
    exact = signal.convolve2d(picture.astype("int64"), kernel.astype("int64"), "full", "fill", fill)
    np.testing.assert_array_equal(result, exact)
    assert joined == taken


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5), (3, 4, 1), (2, 1, 9), (6, 1, 1)])
@pytest.mark.parametrize("mode", ["mirror", "constant"])
def test_volumes(joined, dtype, shape, mode):
    """Planes of the kernel, those beyond the image among them, are summed one after the other."""
    volume, weights = zoo.values((5, 66, 71), dtype, 1), zoo.values(shape, dtype, 2)
    origin = [-(n // 4) for n in shape]
    result = ndimage.correlate(volume, weights, mode=mode, cval=3, origin=origin)
    expected = scipy.ndimage.correlate(volume.astype("int64"), weights.astype("int64"), mode=mode, cval=3, origin=origin)
    np.testing.assert_array_equal(result, expected.astype(dtype), strict=True)
    assert joined


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64"])
@pytest.mark.parametrize("output", ["uint8", "int16"])
@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_wide_images_into_narrow_results(joined, dtype, output, mode):
    """Of which only the low bits count."""
    picture, weights = np.random.default_rng(5).integers(0, 2**31, (61, 73)).astype(dtype), zoo.values((5, 6), "int16", 2)
    result = ndimage.correlate(picture, weights, output=output, mode=mode, cval=7)
    expected = scipy.ndimage.correlate(picture.astype("int64"), weights, output="int64", mode=mode, cval=7)
    np.testing.assert_array_equal(result, expected.astype(output), strict=True)
    assert joined


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_give_the_same_bits(joined, workers):
    image_oracle.check_workers(zoo.values((700, 900, 3), "uint8", 1), zoo.values((9, 9), "int8", 2), workers)
    assert joined


def test_truth_is_not_lost_with_the_low_bits(joined):
    """512 times true is true, and 256 times."""
    picture, kernel = np.ones((40, 50), bool), np.ones((16, 32), bool)
    assert signal.convolve2d(picture, kernel, "same", "symm", method="direct").all()
    assert signal.convolve2d(picture, kernel[:8], "same", "symm", method="direct").all()
    assert joined == [4, 4]
