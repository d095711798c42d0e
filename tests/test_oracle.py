"""The slow twins against each other, and against values worked out by hand."""

from fractions import Fraction

import numpy as np
import oracle
import pytest
import scipy.signal
import zoo

SHAPES = [((3, 4), (2, 3)), ((2, 2), (5, 3)), ((1, 5), (4, 4)), ((3, 3), (3, 3)), ((2, 3), (4, 5))]


def fits(shapes, mode):
    (n0, n1), (k0, k1) = shapes
    return mode != "valid" or (n0 >= k0 and n1 >= k1) or (n0 <= k0 and n1 <= k1)


CASES = [(shapes, mode) for shapes in SHAPES for mode in zoo.MODES if fits(shapes, mode)]


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize(("shapes", "mode"), CASES, ids=str)
@pytest.mark.parametrize("dtype", ["int16", "uint64", "float64", "complex64"])
def test_exact_twin_and_scipy_agree(name, dtype, shapes, mode, boundary):
    correlate = name == "correlate2d"
    in1, in2 = (zoo.small(shape, dtype, seed) for seed, shape in enumerate(shapes))
    real, imag = oracle.exact2d(in1, in2, mode, boundary, 2, correlate)
    theirs = oracle.reference2d(in1, in2, mode, boundary, 2, correlate)
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        mine = oracle.wrapped(real, dtype, theirs.shape)
    else:
        mine = np.array(real, dtype=np.longdouble) + 1j * np.array(imag or 0, dtype=np.longdouble)
    np.testing.assert_array_equal(mine, theirs)
    assert oracle.result_shape(in1, in2, mode) == theirs.shape


@pytest.mark.parametrize(
    ("boundary", "row"),
    [("fill", ". . . a b c d . . ."), ("wrap", "b c d a b c d a b c"), ("symm", "c b a a b c d d c b")],
)
def test_index_maps_are_the_rows_of_letters(boundary, row):
    letters = [oracle.image_index(i, 4, boundary) for i in range(-3, 7)]
    assert " ".join("." if i is None else "abcd"[i] for i in letters) == row


def test_exact_twin_rounds_nothing():
    real, _ = oracle.exact2d(np.array([[0.1, 1e20]]), np.array([[1.0, 1e-20]]))
    assert real == [[Fraction(0.1), Fraction(1e20) + Fraction(0.1) * Fraction(1e-20), Fraction(1e20) * Fraction(1e-20)]]


@pytest.mark.parametrize("wrong", [2**-20, np.nan])
def test_check_refuses_a_wrong_value(wrong):
    a, h = zoo.values((20, 20), "float64", 1), zoo.values((3, 3), "float64", 2)
    result = scipy.signal.convolve2d(a, h)
    oracle.check(result, a, h)
    result[5, 7] += wrong
    with pytest.raises(AssertionError):
        oracle.check(result, a, h)
