"""NaN, infinities, signed zeros, denormals, overflow: they reach exactly the outputs that direct summation gives them."""

import warnings

import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

from rapidconv import signal

REAL = ["float32", "float64", "longdouble"]
SHAPES = [((9, 11), (3, 3)), ((40, 130), (5, 4)), ((70, 300), (1, 7))]
SPECIAL = [np.nan, np.inf, -np.inf]


def check_as_scipy(name, in1, in2, *rest):
    """The same NaN and infinities in the same components, and finite values within twice the bound, of SciPy."""
    theirs = getattr(scipy.signal, name)(in1, in2, *rest)
    result = getattr(signal, name)(in1, in2, *rest)
    assert result.dtype == theirs.dtype
    np.testing.assert_array_equal(oracle.footprint(result), oracle.footprint(theirs))
    finite = np.isfinite(theirs)
    calm1, calm2 = (np.where(np.isfinite(x), x, 0) for x in (in1, in2))
    rest = [0 if not isinstance(r, str) and not np.isfinite(r) else r for r in rest]
    bound = 2 * oracle.tolerance(calm1, calm2, *rest, correlate=name == "correlate2d")
    assert (np.abs(result[finite] - theirs[finite]) <= bound[finite]).all()


def sprinkled(array, special, count, seed=0):
    """A copy with a few special values; in complex arrays also with two special parts, or one."""
    array = array.copy()
    rng = np.random.default_rng(seed)
    flat = array.reshape(-1)
    flat[rng.choice(flat.size, min(count, flat.size), replace=False)] = rng.choice(special, min(count, flat.size))
    return array


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("where", ["image", "kernel", "both"])
def test_non_finite_reals(name, where, dtype, shapes, boundary, mode):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    in1 = in1 if where == "kernel" else sprinkled(in1, SPECIAL, 4)
    in2 = in2 if where == "image" else sprinkled(in2, SPECIAL, 1)
    check_as_scipy(name, in1, in2, mode, boundary)


COMPLEX_SPECIAL = [complex(a, b) for a in (1.0, np.nan, np.inf, -np.inf) for b in (0.0, 2.0, np.nan, np.inf, -np.inf)]


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize(
    ("dtype", "shapes"),
    [*((dtype, shapes) for dtype in ("complex64", "complex128") for shapes in SHAPES), ("clongdouble", SHAPES[0])],
    ids=str,
)
@pytest.mark.parametrize("where", ["image", "kernel", "both"])
def test_non_finite_complexes(name, where, dtype, shapes, boundary):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    in1 = in1 if where == "kernel" else sprinkled(in1, COMPLEX_SPECIAL, 9)
    in2 = in2 if where == "image" else sprinkled(in2, COMPLEX_SPECIAL, 2)
    check_as_scipy(name, in1, in2, "same", boundary)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize(
    "dtypes",
    [("complex64", "float32"), ("float32", "complex64"), ("complex128", "float32"), ("uint8", "complex64")],
    ids=str,
)
def test_non_finite_with_one_complex_operand(name, dtypes, boundary, mode):
    in1, in2 = zoo.values((70, 90), dtypes[0], 1), zoo.values((4, 3), dtypes[1], 2)
    in1 = in1 if in1.dtype.kind == "u" else sprinkled(in1, SPECIAL, 9)
    check_as_scipy(name, in1, sprinkled(in2, SPECIAL, 1) if in1.dtype.kind == "u" else in2, mode, boundary)
    check_as_scipy(name, in1, sprinkled(in2, SPECIAL, 1), mode, boundary)


@pytest.mark.parametrize("layout", ["fortran", "negative", "swapped", "misaligned", "field"])
@pytest.mark.parametrize("dtype", zoo.COMPLEXES)
def test_non_finite_complexes_in_any_layout(name, dtype, layout):
    in1 = sprinkled(zoo.values((20, 45), dtype, 1), COMPLEX_SPECIAL, 9)
    in2 = sprinkled(zoo.values((3, 4), dtype, 2), COMPLEX_SPECIAL, 1)
    check_as_scipy(name, zoo.LAYOUTS[layout](in1), zoo.LAYOUTS[layout](in2), "full", "wrap")


@pytest.mark.parametrize("kernel", [1 + 1j, 1 + 0j, 0 + 1j, 0j, -1 - 2j], ids=str)
@pytest.mark.parametrize("pixel", COMPLEX_SPECIAL, ids=str)
def test_annex_g_products(name, pixel, kernel):
    check_as_scipy(name, np.array([[pixel, 1, 2j]]), np.array([[kernel, 3 - 1j]]), "full")


@pytest.mark.parametrize("kernel", [[[1 + 1j]], [[0 + 1j, 2]], [[0j]]], ids=str)
@pytest.mark.parametrize("pixel", SPECIAL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_real_infinity_is_promoted_before_it_meets_a_complex_weight(name, dtype, pixel, kernel):
    check_as_scipy(name, np.array([[1, pixel, 2]], dtype), np.array(kernel), "full")
    check_as_scipy(name, np.array(kernel), np.array([[1, pixel, 2]], dtype), "full")


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("dtype", [*REAL, "float16"])
@pytest.mark.parametrize("shape", [(9, 9), (60, 200)], ids=str)
def test_one_bad_pixel_spoils_its_window_and_nothing_else(ours, shape, dtype, special, boundary):
    in1, in2 = zoo.values(shape, dtype, 1), zoo.values((3, 3), dtype, 2)
    in1[5, 6] = special
    expected = np.zeros(shape, bool)
    expected[4:7, 5:8] = True
    np.testing.assert_array_equal(~np.isfinite(ours(in1, in2, "same", boundary)), expected)


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("dtype", [*REAL, "float16", "complex64", "complex128"])
@pytest.mark.parametrize("kernel_shape", [(3, 3), (5, 7), (1, 9)], ids=str)
def test_zero_weights_are_multiplied(ours, dtype, special, kernel_shape):
    in1, in2 = np.ones((30, 90), dtype), np.zeros(kernel_shape, dtype)
    in1[14, 40] = special
    r0, r1 = kernel_shape[0] // 2, kernel_shape[1] // 2
    in2[r0, r1] = 1
    expected = np.zeros((30, 90), bool)
    expected[14 - r0 : 15 + r0, 40 - r1 : 41 + r1] = True
    np.testing.assert_array_equal(~np.isfinite(ours(in1, in2, "same")), expected)


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_kernel_over_zeros_is_nan_everywhere(ours, dtype, special):
    result = ours(np.zeros((9, 50), dtype), np.array([[1, special, 1]], dtype), "same")
    assert np.isnan(result[:, 1:-1]).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", ["float16", *REAL])
@pytest.mark.parametrize("kernel_shape", [(1, 1), (1, 3), (3, 3), (5, 4)], ids=str)
@pytest.mark.parametrize("shape", [(3, 5), (30, 100)], ids=str)
def test_negative_zero_never_comes_out(ours, shape, kernel_shape, dtype, sign):
    in1, in2 = np.full(shape, -0.0, dtype), np.full(kernel_shape, sign, dtype)
    result = ours(in1, in2)
    assert not np.signbit(result).any()
    assert not result.any()


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "clongdouble"])
@pytest.mark.parametrize("weight", [1, -1, 1j, -1j], ids=str)
def test_negative_zero_never_comes_out_of_complex_sums(ours, dtype, weight):
    result = ours(np.full((4, 40), complex(-0.0, -0.0), dtype), np.full((2, 2), weight, dtype))
    assert not np.signbit(result.real).any()
    assert not np.signbit(result.imag).any()


def test_negative_zero_never_comes_out_of_a_swapped_valid_correlation():
    result = signal.correlate2d(np.zeros((1, 1), complex), np.ones((2, 3), complex), "valid")
    assert not np.signbit(result.imag).any()


@pytest.mark.parametrize("dtype", REAL)
def test_denormals_are_kept(ours, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    in1 = np.arange(1, 201, dtype=dtype).reshape(4, 50) * tiny
    result = ours(in1, np.ones((1, 2), dtype))
    expected = scipy.signal.convolve2d(np.arange(1, 201).reshape(4, 50), np.ones((1, 2), int)).astype(dtype)
    np.testing.assert_array_equal(result, expected * tiny)
    assert (result > 0).all()


@pytest.mark.parametrize("dtype", REAL)
def test_products_that_underflow_to_denormals(name, ours, dtype):
    info = np.finfo(dtype)
    in1 = zoo.values((9, 40), dtype, 1) * info.smallest_normal
    in2 = zoo.values((3, 3), dtype, 2) * dtype_of(dtype)(2.0**-5)
    oracle.check(ours(in1, in2), in1, in2, correlate=name == "correlate2d")


def dtype_of(name):
    return np.dtype(name).type


@pytest.mark.parametrize("dtype", REAL)
def test_overflow_is_infinite_and_silent(ours, dtype):
    largest = np.finfo(dtype).max
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = ours(np.full((3, 40), largest, dtype), np.full((1, 2), 2, dtype), "valid")
    assert (result == np.inf).all()


@pytest.mark.parametrize("dtype", REAL)
def test_values_near_the_largest_survive(name, ours, dtype):
    in1 = zoo.values((9, 40), dtype, 1) * (np.finfo(dtype).max / dtype_of(dtype)(1000))
    in2 = zoo.values((3, 3), dtype, 2)
    oracle.check(ours(in1, in2), in1, in2, correlate=name == "correlate2d")


@pytest.mark.parametrize("operation", ["overflow", "nan", "underflow"])
@pytest.mark.parametrize("dtype", ["float16", *REAL, *zoo.COMPLEXES])
def test_no_floating_point_warning_and_no_flag_left_behind(ours, dtype, operation):
    value = {"overflow": 6e4, "nan": np.inf, "underflow": 1e-7}[operation]
    in1 = np.full((4, 40), value, dtype)
    in2 = np.array([[value, 0, value]], dtype)
    with np.errstate(all="raise"):
        ours(in1, in2)
        np.add(1.0, 1.0)
        np.float64(1) * np.ones(3)


@given(
    st.sampled_from(["float32", "float64", "complex64", "complex128"]),
    strategies.seeds,
    st.integers(0, 6),
    strategies.boundaries,
)
def test_any_sprinkling(dtype, seed, count, boundary):
    special = COMPLEX_SPECIAL if np.dtype(dtype).kind == "c" else SPECIAL
    in1, in2 = zoo.values((17, 41), dtype, seed), zoo.values((3, 4), dtype, seed + 1)
    in1, in2 = sprinkled(in1, special, count, seed), sprinkled(in2, special, count % 2, seed)
    check_as_scipy("convolve2d", in1, in2, "full", boundary)
    check_as_scipy("correlate2d", in1, in2, "same", boundary)


@pytest.mark.parametrize("fillvalue", [*SPECIAL, 1e300])
@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize(
    "dtypes", [("float64", "float64"), ("float64", "complex128"), ("complex128", "float64")], ids=str
)
def test_non_finite_fillvalues(name, dtypes, mode, fillvalue):
    in1, in2 = zoo.values((20, 50), dtypes[0], 1), zoo.values((4, 5), dtypes[1], 2)
    check_as_scipy(name, in1, in2, mode, "fill", fillvalue)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("side", ["image", "kernel"])
def test_nan_where_valid_swaps(mode, side):
    in1, in2 = zoo.values((2, 3), "float64", 1), zoo.values((6, 9), "float64", 2)
    (in1 if side == "image" else in2)[1, 1] = np.nan
    check_as_scipy("convolve2d", in1, in2, mode)
    check_as_scipy("correlate2d", in1, in2, mode)


@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan, complex(0, np.inf), complex(np.inf, np.nan)], ids=str)
@pytest.mark.parametrize("side", [3, 5, 8])
@pytest.mark.parametrize("dtypes", [("complex128", "complex128"), ("complex64", "complex64"), ("float64", "complex128")])
def test_one_bad_pixel_under_a_complex_kernel(dtypes, side, special):
    """In the interior and in a rim; every other output keeps its bits."""
    picture, kernel = zoo.values((50, 90), dtypes[0], 1), zoo.values((side, side), dtypes[1], 2)
    good = signal.correlate2d(picture, kernel, "same", "symm", method="direct")
    for place in ((25, 44), (20, 0), (0, 89)):
        spoilt = picture.copy()
        spoilt[place] = special if dtypes[0].startswith("complex") else abs(special)
        result = signal.correlate2d(spoilt, kernel, "same", "symm", method="direct")
        expected = scipy.signal.correlate2d(spoilt, kernel, "same", "symm")
        np.testing.assert_array_equal(oracle.footprint(result), oracle.footprint(expected))
        fine = np.isfinite(expected)
        assert zoo.same_bits(np.where(fine, result, 0), np.where(fine, good, 0))
        assert not fine.all()
