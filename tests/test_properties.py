"""What convolution is, stated as laws that hold for any operands."""

import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import assume, given
from hypothesis import strategies as st

from rapidconv import signal

# Any two of these have an integer as their common type; int64 with uint64 has float64.
WHOLE = [dtype for dtype in zoo.INTEGERS if dtype != "uint64"]
EXACT = ["bool", *WHOLE]
FLOATING = ["float32", "float64", "complex64", "complex128"]
both = st.sampled_from([signal.convolve2d, signal.correlate2d])


def one_at(shape, place, dtype):
    delta = np.zeros(shape, dtype)
    delta[place] = 1
    return delta


@given(strategies.arrays(zoo.DTYPES), strategies.modes, strategies.boundaries, both)
def test_one_by_one_delta_changes_nothing(image, mode, boundary, function):
    native = image.dtype.newbyteorder("=")
    np.testing.assert_array_equal(function(image, np.ones((1, 1), native), mode, boundary), image)


@given(strategies.arrays(["int32", "float32", "complex64"]), strategies.kernel_shapes, st.data())
def test_delta_shifts(image, kernel_shape, data):
    row, column = (data.draw(st.integers(0, k - 1)) for k in kernel_shape)
    delta = one_at(kernel_shape, (row, column), image.dtype.newbyteorder("="))
    expected = np.zeros([n + k - 1 for n, k in zip(image.shape, kernel_shape, strict=True)], image.dtype)
    expected[row : row + image.shape[0], column : column + image.shape[1]] = image
    np.testing.assert_array_equal(signal.convolve2d(image, delta), expected)


@given(strategies.arrays(["int64", "float64"]), strategies.kernel_shapes, st.data())
def test_delta_rolls_a_wrapped_image(image, kernel_shape, data):
    row, column = (data.draw(st.integers(0, k - 1)) for k in kernel_shape)
    result = signal.convolve2d(image, one_at(kernel_shape, (row, column), image.dtype), "same", "wrap")
    shift = [place - (k - 1) // 2 for place, k in zip((row, column), kernel_shape, strict=True)]
    np.testing.assert_array_equal(result, np.roll(image, shift, (0, 1)))


@given(strategies.problems(WHOLE), both)
def test_same_and_valid_are_crops_of_full(problem, function):
    in1, in2, _, boundary, fillvalue = problem
    correlate = function is signal.correlate2d
    full = function(in1, in2, "full", boundary, fillvalue)
    sizes = list(zip(in1.shape, in2.shape, strict=True))
    same = tuple(slice(k // 2 if correlate else (k - 1) // 2, None) for _, k in sizes)
    crop = full[same][: in1.shape[0], : in1.shape[1]]
    np.testing.assert_array_equal(function(in1, in2, "same", boundary, fillvalue), crop, strict=True)
    assume(all(n >= k for n, k in sizes))
    valid = full[tuple(slice(k - 1, n) for n, k in sizes)]
    np.testing.assert_array_equal(function(in1, in2, "valid", boundary, fillvalue), valid, strict=True)


@given(strategies.problems(FLOATING), both)
def test_crops_of_floats_differ_by_rounding_at_most(problem, function):
    in1, in2, _, boundary, fillvalue = problem
    correlate = function is signal.correlate2d
    full = function(in1, in2, "full", boundary, fillvalue)
    same = function(in1, in2, "same", boundary, fillvalue)
    start = [k // 2 if correlate else (k - 1) // 2 for k in in2.shape]
    crop = full[start[0] : start[0] + in1.shape[0], start[1] : start[1] + in1.shape[1]]
    bound = 2 * oracle.tolerance(in1, in2, "same", boundary, fillvalue, correlate)
    assert (np.abs(same - crop) <= bound).all()


@given(strategies.problems(), st.sampled_from(["full", "valid"]))
def test_correlation_is_convolution_with_the_flipped_conjugate(problem, mode):
    in1, in2, _, boundary, fillvalue = problem
    sizes = list(zip(in1.shape, in2.shape, strict=True))
    assume(mode == "full" or all(n >= k for n, k in sizes) or all(n <= k for n, k in sizes))
    correlated = signal.correlate2d(in1, in2, mode, boundary, fillvalue)
    convolved = signal.convolve2d(in1, in2.conj()[::-1, ::-1], mode, boundary, fillvalue)
    if convolved.dtype.kind in "biu":
        np.testing.assert_array_equal(correlated, convolved, strict=True)
    else:
        bound = 2 * oracle.tolerance(in1, in2, mode, boundary, fillvalue, correlate=True)
        assert (np.abs(correlated - convolved) <= bound).all()


@given(strategies.arrays(EXACT), strategies.arrays(EXACT, strategies.kernel_shapes))
def test_full_convolution_commutes(in1, in2):
    forth, back = signal.convolve2d(in1, in2), signal.convolve2d(in2, in1)
    np.testing.assert_array_equal(forth, back, strict=True)


@given(strategies.problems(WHOLE), strategies.seeds, both)
def test_linear_in_the_image(problem, seed, function):
    in1, in2, mode, boundary, _ = problem
    other = zoo.values(in1.shape, in1.dtype.newbyteorder("="), seed)
    work = np.promote_types(in1.dtype, in2.dtype)
    together = function((in1.astype(work) + other), in2, mode, boundary)
    apart = function(in1.astype(work), in2, mode, boundary) + function(other.astype(work), in2, mode, boundary)
    np.testing.assert_array_equal(together, apart, strict=True)


@given(strategies.problems(WHOLE), both)
def test_flipping_both_flips_the_result(problem, function):
    in1, in2, _, boundary, fillvalue = problem
    result = function(in1[::-1, ::-1], in2[::-1, ::-1], "full", boundary, fillvalue)
    np.testing.assert_array_equal(result[::-1, ::-1], function(in1, in2, "full", boundary, fillvalue))


@given(strategies.problems(WHOLE), both)
def test_transposing_both_transposes_the_result(problem, function):
    in1, in2, mode, boundary, fillvalue = problem
    result = function(in1.T, in2.T, mode, boundary, fillvalue)
    np.testing.assert_array_equal(result.T, function(in1, in2, mode, boundary, fillvalue))


@given(strategies.problems(FLOATING), st.integers(-30, 30), st.integers(-30, 30), both)
def test_scaling_by_a_power_of_two_is_exact(problem, power1, power2, function):
    in1, in2, mode, boundary, _ = problem
    scale1, scale2 = np.float32(2.0**power1), np.float32(2.0**power2)
    scaled = function(in1 * scale1, in2 * scale2, mode, boundary, method="direct")
    expected = function(in1, in2, mode, boundary, method="direct") * (scale1 * scale2)
    np.testing.assert_array_equal(scaled, expected, strict=True)


@given(
    strategies.seeds,
    st.sampled_from(["float32", "float64"]),
    strategies.shapes,
    strategies.kernel_shapes,
    strategies.boundaries,
    both,
)
def test_non_negative_stays_non_negative(seed, dtype, shape, kernel_shape, boundary, function):
    in1, in2 = zoo.values(shape, dtype, seed, positive=True), zoo.values(kernel_shape, dtype, seed + 1, positive=True)
    assert (function(in1, in2, "full", boundary) >= 0).all()


@given(strategies.seeds, strategies.shapes, strategies.kernel_shapes, st.sampled_from(["wrap", "symm"]))
def test_a_constant_image_gives_the_sum_of_the_kernel(seed, shape, kernel_shape, boundary):
    kernel = zoo.values(kernel_shape, "int64", seed)
    expected = np.full(shape, kernel.sum()) * 3
    np.testing.assert_array_equal(signal.convolve2d(np.full(shape, 3), kernel, "same", boundary), expected)


@given(strategies.arrays(["int64"]), strategies.arrays(["int64"], strategies.kernel_shapes))
def test_the_sum_of_a_full_convolution_is_the_product_of_the_sums(in1, in2):
    result = signal.convolve2d(in1, in2)
    assert result.sum(keepdims=True) == in1.sum(keepdims=True) * in2.sum(keepdims=True)


@given(strategies.problems(["complex64", "complex128"]))
def test_complex_is_four_real_convolutions(problem):
    in1, in2, mode, boundary, _ = problem
    result = signal.convolve2d(in1, in2, mode, boundary)
    parts = {
        (a, h): signal.convolve2d(getattr(in1, a), getattr(in2, h), mode, boundary)
        for a in ("real", "imag")
        for h in ("real", "imag")
    }
    expected = parts["real", "real"] - parts["imag", "imag"] + 1j * (parts["real", "imag"] + parts["imag", "real"])
    assert (np.abs(result - expected) <= 2 * oracle.tolerance(in1, in2, mode, boundary)).all()


@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_twice_the_same_call_gives_the_same_bits(ours, dtype):
    in1, in2 = zoo.values((70, 130), dtype, 1), zoo.values((5, 5), dtype, 2)
    assert zoo.same_bits(ours(in1, in2), ours(in1, in2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", [3, 9, 31])
def test_no_less_accurate_than_scipy(dtype, side):
    """On average over a picture, and with a little room: the order of summation is ours to choose."""
    in1, in2 = zoo.values((60, 90), dtype, 1, positive=True), zoo.values((side, side), dtype, 2, positive=True)
    reference = oracle.reference2d(in1, in2)
    mine = np.abs(signal.convolve2d(in1, in2) - reference).mean()
    theirs = np.abs(scipy.signal.convolve2d(in1, in2) - reference).mean()
    assert mine <= 4 * theirs
