"""Arrays without elements: the shapes and values SciPy gives, and no crash where SciPy dies."""

import itertools

import numpy as np
import oracle
import pytest
import scipy.signal
import zoo

from rapidconv import signal

SHAPES = [(0, 0), (0, 1), (1, 0), (0, 3), (3, 0), (2, 3), (4, 4)]
PAIRS = [(x, y) for x, y in itertools.product(SHAPES, SHAPES) if 0 in (*x, *y)]


def crashes_scipy(image_shape, kernel_shape, mode, boundary):
    """S1: SciPy extends an axis without elements, and divides by its length."""
    return boundary != "fill" and mode != "valid" and 0 in image_shape


SAFE = [
    (pair, mode, boundary)
    for pair in PAIRS
    for mode in zoo.MODES
    for boundary in zoo.BOUNDARIES
    if not crashes_scipy(*pair, mode, boundary)
]


@pytest.mark.parametrize(("pair", "mode", "boundary"), SAFE, ids=str)
def test_as_scipy(name, ours, pair, mode, boundary):
    in1, in2 = zoo.small(pair[0], "int32", 1), zoo.small(pair[1], "int32", 2)
    theirs = oracle.outcome(getattr(scipy.signal, name), in1, in2, mode, boundary, 2)
    assert oracle.outcome(ours, in1, in2, mode, boundary, 2) == theirs


@pytest.mark.parametrize("dtype", zoo.DTYPES)
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize(("image", "kernel"), [((3, 4), (0, 0)), ((0, 3), (2, 2)), ((3, 3), (0, 2))], ids=str)
def test_every_dtype(name, ours, dtype, mode, image, kernel):
    if mode == "valid" and (image, kernel) == ((0, 3), (2, 2)):
        image = (0, 2)
    in1, in2 = zoo.small(image, dtype, 1), zoo.small(kernel, dtype, 2)
    oracle.check(ours(in1, in2, mode, "fill", 1), in1, in2, mode, "fill", 1, correlate=name == "correlate2d")


def test_fillvalue_times_the_kernel_where_there_is_no_image(ours):
    assert ours(np.ones((0, 2)), [[1.0, 2], [3, 4], [5, 6]], fillvalue=10).tolist() == [[210.0] * 3] * 2


def test_valid_of_nothing_is_one_zero(ours):
    assert ours(np.ones((0, 0)), np.ones((0, 0)), "valid").tolist() == [[0.0]]


@pytest.mark.parametrize("boundary", ["wrap", "symm", "circular", "symmetric"])
@pytest.mark.parametrize("image_shape", [(0, 3), (3, 0), (0, 0)], ids=str)
@pytest.mark.parametrize(
    "dtype", ["uint8", "int64", "float32", "float64", "longdouble", "complex64", "bool", "float16"]
)
def test_s1_nothing_to_extend(ours, dtype, image_shape, boundary):
    with pytest.raises(ValueError, match="in1"):
        ours(np.ones(image_shape, dtype), np.ones((3, 3), dtype), "full", boundary)


@pytest.mark.parametrize("boundary", ["wrap", "symm"])
@pytest.mark.parametrize("image_shape", [(0, 3), (3, 0), (0, 0)], ids=str)
def test_s1_never_crashes_in_same(ours, image_shape, boundary):
    """No output is asked for, so both an error about in1 and an empty result are right."""
    try:
        result = ours(np.ones(image_shape), np.ones((3, 3)), "same", boundary)
    except ValueError as error:
        result = str(error)
    assert "in1" in result if isinstance(result, str) else result.shape == image_shape


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_empty_kernel_over_an_image(name, ours, boundary):
    in1 = zoo.values((30, 40), "float64", 1)
    np.testing.assert_array_equal(ours(in1, np.ones((0, 3)), "same", boundary), np.zeros((30, 40)))
    assert ours(in1, np.ones((0, 3)), "full", boundary).shape == (29, 42)


def test_inputs_with_nan_and_an_empty_partner():
    assert not signal.convolve2d(np.full((3, 3), np.nan), np.ones((0, 0)), "same").any()
