"""Integers are exact modulo 2**bits: huge values, and the edges of the roads that sum small ones in floats."""

import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

from rapidconv import signal

WIDE = ["int32", "uint32", "int64", "uint64"]
SIGNED = ["int8", "int16", "int32", "int64"]


def check_exact(in1, in2, mode="same", boundary="symm", fillvalue=0):
    """Both functions against SciPy's integer arithmetic, which wraps."""
    for name in ("convolve2d", "correlate2d"):
        result = getattr(signal, name)(in1, in2, mode, boundary, fillvalue)
        expected = getattr(scipy.signal, name)(in1, in2, mode, boundary, fillvalue)
        np.testing.assert_array_equal(result, expected, strict=True)


def test_wraps_by_hand():
    assert signal.convolve2d(np.array([[65535]], np.uint16), np.array([[65535]], np.uint16)).tolist() == [[1]]
    assert signal.convolve2d(np.array([[100]], np.int8), np.array([[2]], np.int8)).tolist() == [[-56]]
    assert signal.convolve2d(np.array([[2**63 - 1]]), np.array([[2]])).tolist() == [[-2]]


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtype", zoo.INTEGERS)
@pytest.mark.parametrize("kernel_shape", [(1, 1), (3, 3), (6, 7)], ids=str)
def test_whole_range(name, ours, kernel_shape, dtype, boundary):
    in1, in2 = zoo.values((12, 13), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    result = ours(in1, in2, "same", boundary, 3)
    oracle.check(result, in1, in2, "same", boundary, 3, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize(
    "dtypes", [(x, y) for x in zoo.INTEGERS for y in zoo.INTEGERS], ids=lambda pair: "-".join(pair)
)
def test_every_pair_of_integers_on_a_picture(dtypes):
    in1, in2 = zoo.values((31, 75), dtypes[0], 1), zoo.values((3, 5), dtypes[1], 2)
    if np.promote_types(*dtypes).kind == "f":
        oracle.check(signal.convolve2d(in1, in2), in1, in2)
    else:
        check_exact(in1, in2)


@pytest.mark.parametrize("dtype", SIGNED)
@pytest.mark.parametrize("kernel_shape", [(1, 1), (1, 2), (3, 3)], ids=str)
def test_the_most_negative_number_has_no_absolute_value(dtype, kernel_shape):
    lowest = np.iinfo(dtype).min
    check_exact(np.full((9, 40), lowest, dtype), np.full(kernel_shape, lowest, dtype))
    check_exact(np.full((9, 40), lowest, dtype), np.ones(kernel_shape, dtype))
    check_exact(np.ones((9, 40), dtype), np.full(kernel_shape, lowest, dtype))


@pytest.mark.parametrize("dtype", zoo.INTEGERS)
def test_the_largest_everywhere(dtype):
    highest = np.iinfo(dtype).max
    check_exact(np.full((20, 70), highest, dtype), np.full((5, 5), highest, dtype))


# max|x| * sum|h| lands at the limit, one below, one above: 2**24 for sums in float32, 2**53 in float64, 2**31 and 2**63
# for the integers themselves.
EDGES = [(bits, off) for bits in (8, 15, 16, 23, 24, 25, 31, 32, 52, 53, 54, 62, 63) for off in (-1, 0, 1)]


@pytest.mark.parametrize("taps", [1, 2, 3, 8, 9])
@pytest.mark.parametrize(("bits", "off"), EDGES)
@pytest.mark.parametrize("dtype", WIDE)
def test_the_edge_of_exact_sums_in_floats(dtype, bits, off, taps):
    """An odd neighbour decides: in a float road one place too wide, the last bit would be rounded away."""
    dtype = np.dtype(dtype)
    limit = 2**bits + off
    largest = min(limit // taps, np.iinfo(dtype).max)
    rng = np.random.default_rng(bits)
    in1 = (largest - rng.integers(0, min(3, largest), (11, 67), dtype=dtype)).astype(dtype)
    in1[3, 5] = largest
    check_exact(in1, np.ones((1, taps), dtype))


@pytest.mark.parametrize(("bits", "off"), EDGES)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_edge_with_both_signs(dtype, bits, off):
    limit = min(2**bits + off, np.iinfo(dtype).max)
    in1 = np.where(np.random.default_rng(bits).random((9, 50)) < 0.5, -limit, limit).astype(dtype)
    check_exact(in1, np.array([[1, -1, 1], [0, 1, 0]], dtype))


@pytest.mark.parametrize(("bits", "off"), EDGES)
@pytest.mark.parametrize("dtype", WIDE)
def test_the_edge_reached_by_the_kernel(dtype, bits, off):
    limit = min(2**bits + off, np.iinfo(dtype).max)
    in2 = np.array([[limit, 1, 3], [5, limit // 3, 7]], dtype)
    check_exact(zoo.small((9, 50), dtype, 1), in2)
    check_exact(zoo.values((9, 50), "uint8", 1), in2)


@pytest.mark.parametrize(("bits", "off"), EDGES)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64"])
def test_the_edge_reached_by_the_fillvalue(dtype, bits, off):
    """Small pictures and kernels; what stands around the picture is large."""
    fillvalue = min(2**bits + off, np.iinfo(dtype).max)
    check_exact(zoo.small((9, 50), dtype, 1), zoo.small((3, 4), dtype, 2), "full", "fill", fillvalue)
    check_exact(zoo.values((9, 50), "uint8", 1), zoo.small((3, 4), dtype, 2), "full", "fill", fillvalue)


@pytest.mark.parametrize("kernel_side", [3, 16, 33])
@pytest.mark.parametrize(
    ("image", "kernel"), [("uint8", "int64"), ("int16", "int32"), ("uint16", "int64"), ("int8", "int32")]
)
def test_pictures_with_kernels_of_default_integers(image, kernel, kernel_side):
    """255 * 33 * 33 * 255 is beyond 2**24: the sum of weights decides, not the largest."""
    rng = np.random.default_rng(1)
    in1 = zoo.values((64, 140), image, 1)
    check_exact(in1, rng.integers(-255, 256, (kernel_side, kernel_side)).astype(kernel))
    check_exact(in1, np.full((kernel_side, kernel_side), 255, kernel))


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("huge", [1, 12])
@pytest.mark.parametrize("shape", [(40, 700), (200, 333), (700, 40), (260, 516)], ids=str)
@pytest.mark.parametrize("dtype", WIDE)
def test_a_few_huge_pixels_among_small_ones(dtype, shape, huge, boundary):
    """A tile with a huge pixel takes another road than its neighbours; the seam must not show."""
    in1 = zoo.small(shape, dtype, 1, limit=255)
    rng = np.random.default_rng(2)
    info = np.iinfo(dtype)
    places = rng.choice(in1.size, huge, replace=False)
    in1.flat[places] = rng.choice(np.array([info.min, info.max, info.max // 3], dtype), huge)
    check_exact(in1, zoo.small((3, 4), dtype, 3), "same", boundary)


@pytest.mark.parametrize("boundary", ["fill", "symm"])
@pytest.mark.parametrize("side", [3, 5, 7, 9])
@pytest.mark.parametrize("dtype", WIDE)
def test_one_huge_pixel_in_any_row(dtype, side, boundary):
    """No row of a tile, nor of what tiles share, goes unmeasured."""
    in1, in2 = zoo.small((45, 61), dtype, 1), zoo.small((side, side), dtype, 2)
    in2[side // 2, side // 2] = 1
    for row in range(45):
        huge = in1.copy()
        huge[row, 30] = np.iinfo(dtype).max - 2
        result = signal.convolve2d(huge, in2, "same", boundary)
        np.testing.assert_array_equal(result, scipy.signal.convolve2d(huge, in2, "same", boundary), strict=True)


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_one_huge_pixel_in_any_column(dtype, side):
    in1, in2 = zoo.small((5, 450), dtype, 1), zoo.small((side, side), dtype, 2)
    in2[side // 2, side // 2] = 1
    for column in range(450):
        huge = in1.copy()
        huge[2, column] = np.iinfo(dtype).min
        result = signal.convolve2d(huge, in2, "same", "symm")
        np.testing.assert_array_equal(result, scipy.signal.convolve2d(huge, in2, "same", "symm"), strict=True)


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1), (100, 0), (0, 300)], ids=str)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64"])
def test_one_huge_pixel_at_the_rim(dtype, boundary, corner):
    """Seen by far tiles too, through the boundary."""
    in1 = zoo.small((201, 302), dtype, 1)
    in1[corner] = np.iinfo(dtype).max
    check_exact(in1, zoo.small((5, 3), dtype, 2), "full", boundary)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("value", [2**31, 2**32, 2**32 + 1, 2**53 + 1, 2**62 + 3])
def test_one_large_value_in_every_column(dtype, value):
    """Whatever lane it falls into."""
    in1 = np.zeros((130, 130), dtype)
    np.fill_diagonal(in1, value)
    check_exact(in1, np.array([[3, 0, 1], [1, 7, 2]], dtype))


@pytest.mark.parametrize(
    ("code1", "code2"), [("int64", "bool"), ("bool", "int64"), ("uint8", "bool"), ("bool", "bool")]
)
def test_bool_with_integers(code1, code2, name, ours):
    in1, in2 = zoo.values((40, 90), code1, 1), zoo.values((3, 3), code2, 2)
    oracle.check(ours(in1, in2), in1, in2, correlate=name == "correlate2d")


integers = st.sampled_from(zoo.INTEGERS)


@given(
    integers,
    integers,
    st.integers(0, 64),
    st.integers(0, 64),
    strategies.shapes,
    strategies.kernel_shapes,
    strategies.boundaries,
    strategies.seeds,
)
def test_any_range_of_values(dtype1, dtype2, bits1, bits2, shape, kernel_shape, boundary, seed):
    rng = np.random.default_rng(seed)

    def limited(dtype, bits, shape):
        info = np.iinfo(dtype)
        low, high = max(info.min, -(2**bits)), min(info.max, 2**bits)
        return rng.integers(low, high, shape, dtype=dtype, endpoint=True)

    in1, in2 = limited(dtype1, bits1, shape), limited(dtype2, bits2, kernel_shape)
    if np.promote_types(dtype1, dtype2).kind in "iu":
        check_exact(in1, in2, "full", boundary)
    else:
        oracle.check(signal.convolve2d(in1, in2, "full", boundary), in1, in2, "full", boundary)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("kernel_side", [3, 9, 17])
def test_whole_numbers_in_floats_come_out_exact(name, ours, dtype, kernel_side):
    rng = np.random.default_rng(1)
    in1, in2 = rng.integers(0, 256, (60, 140)), rng.integers(-8, 9, (kernel_side, kernel_side))
    expected = getattr(scipy.signal, name)(in1, in2, "same")
    np.testing.assert_array_equal(ours(in1.astype(dtype), in2.astype(dtype), "same"), expected)


def test_fill_values_reach_the_end_of_the_widest_piece():
    """A piece of a row is up to a vector of the first lane wider than wanted, not of the last one."""
    kernel = np.arange(9).reshape(3, 3) - 7
    for n in range(380, 412):
        image = np.random.default_rng(n).integers(0, 100, (24, n))
        got = signal.convolve2d(image, kernel, "same", fillvalue=n)         # another one each time: memory may hold the last
        np.testing.assert_array_equal(got, scipy.signal.convolve2d(image, kernel, "same", fillvalue=n))
