"""Extension beyond the image, for kernels of any size against images of any size."""

import numpy as np
import oracle
import pytest
import zoo

from rapidconv import signal

PAD = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("kernel_side", [1, 2, 3, 4, 5, 7, 8, 9, 13, 24])
@pytest.mark.parametrize("image_side", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("mode", ["full", "same"])
def test_kernels_larger_than_images(name, ours, mode, image_side, kernel_side, boundary):
    in1 = zoo.values((image_side, image_side + 1), "int64", 1)
    in2 = zoo.values((kernel_side, kernel_side + 2), "int64", 2)
    result = ours(in1, in2, mode, boundary, 7)
    oracle.check(result, in1, in2, mode, boundary, 7, correlate=name == "correlate2d")


@pytest.mark.parametrize("boundary", ["wrap", "symm"])
@pytest.mark.parametrize("kernel_shape", [(1, 100), (100, 1), (61, 3), (40, 41)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "complex64"])
def test_kernels_many_periods_long(name, ours, dtype, kernel_shape, boundary):
    in1, in2 = zoo.values((3, 5), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    oracle.check(ours(in1, in2, "full", boundary), in1, in2, "full", boundary, correlate=name == "correlate2d")


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("kernel_shape", [(3, 3), (4, 6), (17, 9), (33, 2)], ids=str)
@pytest.mark.parametrize("shape", [(4, 200), (200, 4), (70, 90)], ids=str)
def test_padding_first_gives_the_same(shape, kernel_shape, boundary):
    in1, in2 = zoo.values(shape, "int32", 1), zoo.values(kernel_shape, "int32", 2)
    constant = {"constant_values": 9} if boundary == "fill" else {}
    padded = np.pad(in1, [(k - 1, k - 1) for k in kernel_shape], PAD[boundary], **constant)
    expected = signal.convolve2d(padded, in2, "valid")
    np.testing.assert_array_equal(signal.convolve2d(in1, in2, "full", boundary, 9), expected)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("alias", zoo.NAMES)
def test_every_name_of_a_boundary(name, ours, alias, mode):
    in1, in2 = zoo.values((9, 40), "float32", 1), zoo.values((4, 3), "float32", 2)
    assert zoo.same_bits(ours(in1, in2, mode, alias, 2), ours(in1, in2, mode, zoo.NAMES[alias], 2))
    oracle.check(ours(in1, in2, mode, alias, 2), in1, in2, mode, alias, 2, correlate=name == "correlate2d")


@pytest.mark.parametrize("kind", [str, np.str_])
def test_names_may_be_numpy_strings(ours, kind):
    result = ours([[1, 2]], [[1, 10]], kind("same"), kind("wrap"))
    assert zoo.same_bits(result, ours([[1, 2]], [[1, 10]], "same", "wrap"))


@pytest.mark.parametrize("boundary", ["wrap", "symm"])
@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_axis_of_length_one(name, ours, dtype, mode, boundary):
    in1, in2 = zoo.values((1, 33), dtype, 1), zoo.values((5, 3), dtype, 2)
    result = ours(in1, in2, mode, boundary)
    oracle.check(result, in1, in2, mode, boundary, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_valid_sees_nothing_outside(ours, dtype, boundary):
    in1, in2 = zoo.values((20, 41), dtype, 1), zoo.values((3, 5), dtype, 2)
    assert zoo.same_bits(ours(in1, in2, "valid", boundary, np.nan), ours(in1, in2, "valid"))


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("shape", [(3, 3), (30, 90), (150, 333)], ids=str)
def test_border_pixels_are_not_mixed_up(name, ours, shape, boundary):
    """Every pixel has its own number, so one wrong index is one wrong result."""
    in1 = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    in2 = 10 ** np.arange(9, dtype=np.int64).reshape(3, 3) + 7
    result = ours(in1, in2, "full", boundary, -(10**6))
    oracle.check(result, in1, in2, "full", boundary, -(10**6), correlate=name == "correlate2d")


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("image_shape", [(2, 3), (3, 2), (1, 1)], ids=str)
@pytest.mark.parametrize("boundary", ["wrap", "symm"])
def test_s8_small_images_follow_scipy(name, ours, boundary, image_shape, mode):
    """With 'valid' the operands swap and nothing is extended; 'same' and 'full' extend the small image."""
    in1, in2 = zoo.values(image_shape, "int64", 1), zoo.values((3, 4), "int64", 2)
    result = ours(in1, in2, mode, boundary)
    oracle.check(result, in1, in2, mode, boundary, correlate=name == "correlate2d", exact=True)
