"""The separable road: what a kernel is made of, and the sums of it, called directly."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import check_values
from zoo import LAYOUTS

import rapidconv
from rapidconv import _arguments, _plan
from rapidconv._boundary import Boundary
from rapidconv._native import kernels
from rapidconv._rank import _PROBE, Factors, box, factor, lane_factors, trim

NO_LIMIT = 2**64 - 1
RULES = {"fill": Boundary.FILL, "symm": Boundary.SYMM, "wrap": Boundary.WRAP}


def transposed(kernel, dtype):
    """Real and imaginary part as the native entries read them."""
    if kernel.dtype.kind != "c":
        return np.array(kernel.T, dtype, order="C"), None
    return np.array(kernel.real.T, dtype, order="C"), np.array(kernel.imag.T, dtype, order="C")


def geometry(image, kernel, mode, dtype):
    """New array for the result, and the image position under the first tap of its first element, of a correlation."""
    shape, first = [], []
    for n, k in zip(image.shape[:2], kernel.shape, strict=True):
        size, skip = {"full": (n + k - 1, 0), "same": (n, k // 2), "valid": (n - k + 1, k - 1)}[mode]
        shape.append(size)
        first.append(skip - k + 1)
    return np.empty((*shape, *image.shape[2:]), dtype), first


def lanes_for(image, kernel, total):
    """(dtype, limit) of the lanes of a whole-number result, or of a floating one."""
    dtype = np.result_type(image, kernel)
    if dtype.kind in "fc":
        return [(np.dtype(np.float32 if dtype.char in "efF" else np.float64), NO_LIMIT)]
    if dtype.itemsize <= 2:
        return [(np.dtype(np.int16), NO_LIMIT)]
    narrow = [(np.dtype(np.float32), (2**24 - 1) // total), (np.dtype(np.float64), (2**53 - 1) // total)]
    wide = np.dtype(np.int32 if dtype.itemsize == 4 else np.int64)
    return [lane for lane in narrow if lane[1]] + [(wide, NO_LIMIT)]


def work(image, kernel, fill, boundary, top, left, out, *, lift=False):
    """A whole call as the kernels take it."""
    return (image, kernel.shape, fill, int(RULES[boundary]), (), top, left, lift, out, 0, 1.0, 0.0, False, 0)


def separable(image, kernel, mode="same", boundary="symm", fill=0, factors=None, bands=None, out=None, clamp=False):
    """kernels.Lines of a whole call."""
    dtype = np.result_type(image, kernel)
    factors = factors or factor(kernel, dtype)
    fresh, (top, left) = geometry(image, kernel, mode, dtype)
    out = fresh if out is None else out
    fill = np.full(1, fill, dtype)
    lanes = []
    for lane, limit in lanes_for(image, kernel, max(1, int(factors.total))):
        lanes.append((*lane_factors(factors, lane), *transposed(kernel, lane), limit))
    lift = image.dtype.kind != "c" and fill[0].imag != 0
    for first, end in bands or [(0, kernels.bands(out.shape[0]))]:
        described = work(image, kernel, fill, boundary, top, left, out, lift=lift)
        kernels.Lines(described, lanes, first, end, clamp).run(image, out)
    return out


def boxed(image, kernel, mode="same", boundary="symm", fill=0, bands=None):
    """kernels.Boxes of a whole call."""
    dtype = np.result_type(image, kernel)
    out, (top, left) = geometry(image, kernel, mode, dtype)
    total = max(1, int(np.abs(kernel.astype(float)).sum()))
    lanes = [
        (box(kernel).astype(lane).reshape(1), transposed(kernel, lane)[0], limit)
        for lane, limit in lanes_for(image, kernel, total)
    ]
    fill = np.full(1, fill, dtype)
    for first, end in bands or [(0, kernels.bands(out.shape[0]))]:
        kernels.Boxes(work(image, kernel, fill, boundary, top, left, out), lanes, first, end).run(image, out)
    return out


def direct(image, kernel, mode="same", boundary="symm"):
    """kernels.correlate of a whole call."""
    dtype = np.result_type(image, kernel)
    out, (top, left) = geometry(image, kernel, mode, dtype)
    lane = np.dtype(np.float32 if dtype.char in "efF" else np.float64)
    described = work(image, kernel, np.zeros(1, dtype), boundary, top, left, out)
    kernels.correlate(described, [(*transposed(kernel, lane), NO_LIMIT, 1)], np.zeros(1, np.intp), 0, 64)
    return out


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def gauss(n, dtype=np.float64):
    x = np.arange(n) - (n - 1) / 2
    return np.exp(-(x**2) / (n / 5) ** 2).astype(dtype)


def product(kh, kw, dtype, seed=0):
    """A kernel that is a product, in its type."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind in "iu":
        low = 0 if np.dtype(dtype).kind == "u" else -3
        return np.outer(rng.integers(low, 4, kh), rng.integers(low, 4, kw)).astype(dtype)
    if np.dtype(dtype).kind == "c":
        column = rng.standard_normal(kh) + 1j * rng.standard_normal(kh)
        return np.outer(column, rng.standard_normal(kw) + 1j * rng.standard_normal(kw)).astype(dtype)
    return np.outer(rng.standard_normal(kh), rng.standard_normal(kw)).astype(dtype)


def pixels(shape, dtype, seed=1):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    a = rng.standard_normal(shape)
    return (a + 1j * rng.standard_normal(shape)).astype(dtype) if dtype.kind == "c" else a.astype(dtype)


SHAPES = [((70, 90), (7, 5)), ((33, 300), (9, 31)), ((131, 40), (31, 4)), ((65, 17), (1, 6)), ((5, 66), (8, 1)),
          ((3, 4), (11, 13)), ((1, 1), (5, 5)), ((100, 700), (3, 3)), ((40, 1100), (6, 8))]


@pytest.mark.parametrize("boundary", RULES)
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
@pytest.mark.parametrize(("shape", "taps"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_agree_with_scipy(dtype, shape, taps, mode, boundary):
    if mode == "valid" and (shape[0] < taps[0] or shape[1] < taps[1]):
        pytest.skip("nothing is valid")
    image, kernel = pixels(shape, dtype), product(*taps, dtype)
    factors = factor(kernel) or Factors(kernel[:, :1].T, kernel[:1] / kernel[0, 0], False, 1.0)
    result = separable(image, kernel, mode, boundary, 0.5, factors)
    check_values(result, image, kernel.conj(), mode, boundary, 0.5, correlate=True)


PAIRS = [("uint8", "float32"), ("uint8", "uint8"), ("int8", "int8"), ("int16", "int16"), ("uint16", "int32"),
         ("uint8", "int64"), ("int32", "int32"), ("uint32", "uint32"), ("int64", "int64"), ("uint64", "uint64"),
         ("bool", "int64"), ("float16", "float16"), ("int32", "float64"), ("float32", "float64"), ("complex64", "float32"),
         ("complex128", "float64"), ("float32", "complex64"), ("float64", "complex128"), ("complex64", "complex64"),
         ("complex128", "complex128"), ("uint8", "complex64")]


@pytest.mark.parametrize("boundary", RULES)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_every_family_of_types(first, second, boundary):
    image, kernel = pixels((75, 83), first), product(8, 7, second)
    if second == "float16":
        kernel = np.outer([1, 2, 3, 4, 4, 3, 2, 1], [1, 4, 2, 0, 2, 4, 1]).astype(second)
    assert factor(kernel).rank == 1
    fill = 3 + 2j if "complex" in first + second else 1
    result = separable(image, kernel, "same", boundary, fill)
    check_values(result, image, kernel.conj(), "same", boundary, fill, correlate=True)


def test_wide_integers_of_every_size_wrap_or_stay_exact():
    kernel = product(9, 8, "int64", 3)
    for top in [2**7, 2**20, 2**45, 2**62]:
        image = np.random.default_rng(2).integers(-top, top, (150, 200))
        image[:100] //= top // 100          # the first batches narrow, the last ones wide
        check_values(separable(image, kernel), image, kernel.conj(), "same", "symm", correlate=True)


@pytest.mark.parametrize("boundary", RULES)
@pytest.mark.parametrize("row", [3, 38])
def test_rows_beyond_an_edge_are_summed_again_in_a_wider_lane(row, boundary):
    image, kernel = np.random.default_rng(5).integers(0, 9, (40, 70)), product(13, 9, "int64", 3)
    image[row, 20] = 2**45                  # found when mirrored rows of narrow sums are in the ring
    check_values(separable(image, kernel, "full", boundary, 2), image, kernel, "full", boundary, 2, correlate=True)


@pytest.mark.parametrize("boundary", RULES)
def test_rows_beyond_an_edge_of_a_picture_wider_than_a_tile(boundary):
    image, kernel = pixels((9, 5000), "float32"), product(15, 7, "float32")
    check_values(separable(image, kernel, "full", boundary, 0.5), image, kernel, "full", boundary, 0.5, correlate=True)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("taps", [3, 5, 7, 9, 11, 13, 31])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slopes_are_summed_in_pairs(dtype, taps, channels):
    """Flat images have none, mirrored ones have mirrored ones, to the last bit; along rows and down columns of any height."""
    bell = gauss(taps)
    slope = bell * np.arange(taps // 2, -taps // 2, -1)
    for column, row in ((slope, bell), (bell, slope), (slope, slope)):
        kernel = np.outer(column, row).astype(dtype)
        signs = [-1 if line is slope else 1 for line in (column, row)]
        for rows in (1, 2, 6, 37):
            image = pixels((rows, 150, channels), dtype)
            assert not separable(np.full_like(image, 0.1), kernel).any()
            found = separable(image, kernel)
            np.testing.assert_allclose(found, direct(image, kernel), rtol=0, atol=1e2 * taps * np.finfo(dtype).eps)
            for axis, sign in enumerate(signs):
                mirrored = np.flip(separable(np.flip(image, axis), kernel), axis)
                np.testing.assert_array_equal(sign * mirrored, found)


def low_rank(n, dtype, whole=False):
    if whole:
        return np.outer([0, 1, 0, 0, 2], [1, 2, 3, 4, 5]).astype(dtype) + np.outer([1, 0, 2, 1, 0], [1, 1, 0, 1, 1]).astype(dtype)
    y, x = np.mgrid[:n, :n] - n // 2
    r = (x**2 + y**2) / (n / 6) ** 2
    return ((r - 2) * np.exp(-r / 2)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_products_stay_within_the_stated_bound(dtype):
    kernel, image = low_rank(31, dtype), pixels((90, 210), dtype)
    factors = factor(kernel)
    assert factors.rank == 2
    eps, rank = np.finfo(dtype).eps, factors.rank
    wanted = direct(image.astype(np.float64), kernel.astype(np.float64))
    spread = direct(np.abs(image).astype(np.float64), np.ones(kernel.shape))
    bound = (4 + 2**rank * sum(kernel.shape)) * eps * np.abs(kernel).max() * spread
    assert (np.abs(separable(image, kernel) - wanted) <= bound).all()


def test_complex_kernels_of_complex_images_with_channels():
    image, kernel = pixels((70, 44, 3), "complex64"), product(6, 9, "complex64")
    result = separable(image, kernel)
    for c in range(3):
        check_values(result[..., c], image[..., c], kernel.conj(), "same", "symm", correlate=True)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_interleaved_channels(dtype, channels):
    image, kernel = pixels((67, 95, channels), dtype), product(7, 9, "float64" if dtype == "float64" else "float32")
    result = separable(image, kernel)
    ones = boxed(image, np.full((6, 5), kernel.dtype.type(0.1)))
    for c in range(channels):
        check_values(result[..., c], image[..., c], kernel.conj(), "same", "symm", correlate=True)
        check_values(ones[..., c], image[..., c], np.full((6, 5), kernel.dtype.type(0.1)), "same", "symm", correlate=True)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int32"])
def test_any_layout_gives_the_same_bits(dtype, layout):
    image = pixels((140, 190), dtype)
    if dtype != "int32":
        image[60, 33] = np.inf              # what is summed again is the same, too
    kernel = product(15, 13, "float32" if dtype == "complex64" else dtype)
    ones = np.full((9, 7), kernel.dtype.type(3))
    with np.errstate(invalid="ignore"):
        assert same_bits(separable(image, kernel), separable(LAYOUTS[layout](image), kernel))
        if dtype != "complex64":
            assert same_bits(boxed(image, ones), boxed(LAYOUTS[layout](image), ones))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_order_of_bands_gives_the_same_bits(dtype):
    image = pixels((200, 700), dtype)
    image[70, 500] = np.nan
    kernel = product(13, 21, dtype)
    apart = [(3, 4), (1, 2), (0, 1), (2, 3)]
    assert same_bits(separable(image, kernel), separable(image, kernel, bands=apart))
    ones = np.full((11, 10), np.dtype(dtype).type(0.1))
    assert same_bits(boxed(image, ones), boxed(image, ones, bands=apart))


def test_an_output_does_not_depend_on_where_it_stands():
    image, kernel = pixels((100, 400), "float32"), product(9, 12, "float32")
    whole, part = separable(image, kernel, "valid"), separable(image[5:, 37:], kernel, "valid")
    assert same_bits(np.ascontiguousarray(whole[5:, 37:]), part)
    ones = np.full((9, 12), np.float32(0.3))
    whole, part = boxed(image, ones, "valid"), boxed(image[5:, 37:], ones, "valid")
    assert same_bits(np.ascontiguousarray(whole[5:, 37:]), part)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_what_is_not_finite_reaches_the_outputs_of_direct_summation(dtype, value):
    image = pixels((120, 150), dtype)
    image[0, 0] = image[64, 70] = image[119, 140] = value
    image[40, 40], image[42, 40] = value, -value
    for kernel in [product(9, 8, image.real.dtype), np.outer([0, 1, 2, 1, 0], [0, 0, -1, 0, 1, 0]).astype(np.float32)]:
        wanted = direct(image, kernel)
        result = separable(image, kernel)
        for part in ["real", "imag"]:
            a, b = getattr(result, part), getattr(wanted, part)
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
            np.testing.assert_array_equal(a[np.isinf(b)], b[np.isinf(b)])
            assert np.isinf(a).sum() == np.isinf(b).sum()
    if dtype != "complex64":
        ones = np.full((5, 9), np.float32(0.5))
        np.testing.assert_array_equal(np.isfinite(boxed(image, ones)), np.isfinite(direct(image, ones)))
        np.testing.assert_array_equal(np.isnan(boxed(image, ones)), np.isnan(direct(image, ones)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_finite_is_seen_under_zeros(dtype):
    image, kernel = pixels((80, 150), dtype), np.pad(np.outer([1, 2, 1], [1, 0, -1]), 3).astype(dtype)
    image[34, 66] = np.inf          # under zeros alone for the batch of rows above
    np.testing.assert_array_equal(np.isnan(separable(image, kernel)), np.isnan(direct(image, kernel)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_a_nan_that_no_output_needs_is_not_read(dtype):
    image, kernel = pixels((70, 300), dtype), product(9, 7, "float64" if dtype == "float64" else "float32")
    for width in [75, 128, 150]:
        needed = width + kernel.shape[1] - 1
        beside = image.copy()
        beside[:, needed:] = np.nan         # in the last group of the row, of which outputs need a part
        part = np.empty((62, width), dtype)
        separable(beside, kernel, "valid", out=part)
        assert same_bits(part, separable(image[:, :needed].copy(), kernel, "valid"))


def test_finite_numbers_that_overflow_on_the_way_come_out_finite():
    image = np.full((40, 60), np.float32(3e38))
    ones = np.full((9, 9), np.float32(1 / 256))
    np.testing.assert_allclose(boxed(image, ones), 3e38 / 256 * 81, rtol=1e-5)
    kernel = np.outer(np.full(8, 2.0**-9), np.full(8, 2.0)).astype(np.float32)
    factors = Factors(np.full((1, 8), np.float32(2.0**-9)), np.full((1, 8), np.float32(2)), False, 1.0)
    np.testing.assert_allclose(separable(image, kernel, factors=factors), 3e38 / 4, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 2])
def test_what_is_not_negative_stays_so(step):
    """In results that are stored where they are summed, and in others."""
    out = np.empty((100, 100 * step), np.float32)[:, ::step]
    kernel = np.abs(low_rank(21, "float32"))
    image = np.zeros((100, 100), np.float32)
    image[50, 50] = 1
    factors = Factors(np.array([[1.0] * 21, [1.0] * 21], np.float32), np.array([[1.0] * 21, [-1.0 - 2**-20] * 21], np.float32), False, 1)
    assert separable(image, kernel, factors=factors, clamp=False, out=out).min() < 0
    assert separable(image, kernel, factors=factors, clamp=True, out=out).min() == 0
    image[60, 90] = -1
    assert separable(image, kernel, factors=factors, clamp=True, out=out)[40:60, 40:60].min() < 0


def test_a_negative_row_is_seen_where_only_its_mirror_is_left():
    kernel, image = np.ones((9, 9), np.float32), np.ones((28, 50), np.float32)
    image[22] = -1                          # the last outputs see it beyond the edge alone, 11 rows further down
    factors = Factors(np.ones((1, 9), np.float32), np.ones((1, 9), np.float32), False, 1.0)
    image[23:] = 0
    result = separable(image, kernel, "full", factors=factors, clamp=True)
    assert same_bits(result, separable(image, kernel, "full", factors=factors, clamp=False))
    assert result[33:].min() < 0


def test_products_of_what_is_not_negative_are_not_looked_over():
    image = np.random.default_rng(0).random((100, 120), np.float32) * (np.arange(120) > 90)
    task = partial(_arguments.signal2d, "convolve2d", boundary="fill", fillvalue=0, method="separable", out=None,
                   workers=1, channel_axis=None, mode="same")
    smooth = (gauss(15)[:, None] * gauss(15)).astype(np.float32)
    (plan,) = _plan.plans(task(image, smooth))
    assert not plan.products.clamp
    hollow = 1 - smooth
    (plan,) = _plan.plans(task(image, hollow))
    assert plan.products.clamp
    assert (plan.products.factors.rows < 0).any()
    assert rapidconv.convolve2d(image, hollow, "same", method="separable").min() == 0


@pytest.mark.parametrize("kernel", [gauss(15)[:, None] * gauss(15), low_rank(31, "float64"), np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1.0])])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_power_of_two_passes_through(dtype, kernel):
    image, kernel = pixels((50, 70), dtype), kernel.astype(dtype)
    once = separable(image, kernel)
    for scale in [2.0**-9, 0.5, 4.0, 2.0**20]:
        scaled = kernel * np.dtype(dtype).type(scale)
        assert same_bits(separable(image, scaled), once * np.dtype(dtype).type(scale))
        ones = np.full((7, 6), np.dtype(dtype).type(0.3 * scale))
        assert same_bits(boxed(image, ones), boxed(image, np.full((7, 6), np.dtype(dtype).type(0.3))) * np.dtype(dtype).type(scale))


@pytest.mark.parametrize(("first", "second"), [*PAIRS[:14], ("float32", "float32"), ("float64", "float64"), ("complex64", "float32")])
@pytest.mark.parametrize("taps", [(1, 1), (2, 3), (15, 15), (16, 1), (1, 32), (40, 9)])
def test_boxes(first, second, taps):
    image = pixels((70, 333), first)
    kernel = np.full(taps, 3 if np.dtype(second).kind in "iu" else 0.37, second)
    for boundary in RULES:
        result = boxed(image, kernel, "same", boundary, 2)
        check_values(result, image, kernel.conj(), "same", boundary, 2, correlate=True)


def test_floating_boxes_of_whole_numbers_are_exact():
    image = pixels((90, 200), "uint8").astype(np.float32)
    result = boxed(image, np.ones((31, 17), np.float32))
    np.testing.assert_array_equal(result, boxed(image.astype(np.int64), np.ones((31, 17), np.int64)))


def test_box_sums_do_not_drift():
    image = np.zeros((300, 300), np.float32)
    image[3, 3] = 1e20
    assert (boxed(image, np.ones((9, 9), np.float32))[20:] == 0).all()
    assert (boxed(image, np.ones((9, 9), np.float32))[:, 20:] == 0).all()


@given(st.data())
def test_products_of_whole_numbers_are_found(data):
    whole = st.integers(-999, 999)
    column = np.array(data.draw(st.lists(whole, min_size=3, max_size=20)))
    row = np.array(data.draw(st.lists(whole, min_size=3, max_size=20)))
    kernel = np.outer(column, row)
    for dtype in [np.int64, np.int32, np.float64, np.float32]:
        found = factor(kernel.astype(dtype))
        assert found.rank == 1
        assert found.exact
        np.testing.assert_array_equal(found.columns.T @ found.rows, kernel)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64", "int64", "int16", "complex64", "complex128"]))
def test_random_kernels_are_refused(seed, dtype):
    rng = np.random.default_rng(seed)
    kernel = rng.integers(-99, 99, (9, 11)) if np.dtype(dtype).kind == "i" else rng.standard_normal((9, 11))
    assert factor(kernel.astype(dtype)) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64", "complex64", "complex128"]), st.integers(-60, 60))
def test_floating_products_are_found(seed, dtype, exponent):
    kernel = (product(12, 9, dtype, seed) * np.dtype(dtype).type(2.0**exponent)).astype(dtype)
    found = factor(kernel)
    assert found.rank == 1
    made = np.outer(found.columns[0].astype(complex), found.rows[0])
    assert (np.abs(made - kernel) <= 4 * np.finfo(dtype).eps * np.abs(kernel)).all()


def test_a_kernel_is_factored_in_the_precision_of_the_result():
    kernel = product(9, 9, "float32")
    assert factor(kernel).rank == 1
    assert factor(kernel, np.dtype("float64")) is None


def test_complex_whole_numbers_are_left_to_direct_sums():
    kernel = np.outer([1, 4, 6, 4, 3], [1 + 2j, 3, 5 - 1j, 7, 9j])
    assert factor(kernel) is None
    assert factor(kernel * 0.125) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64", "complex64", "complex128"]), st.integers(1, 4))
def test_the_first_look_refuses_no_sum_of_products(seed, dtype, rank):
    rng = np.random.default_rng(seed)
    columns, rows = (rng.standard_normal((rank, n)) * 10.0 ** rng.integers(-3, 3, (rank, n)) for n in (23, 31))
    if dtype[0] == "c":
        rows = rows * np.exp(2j * np.pi * rng.random(rows.shape))
    kernel = (columns.T @ rows).astype(dtype)
    kernel = kernel * (0.75 / np.abs(kernel).max()).astype(np.abs(kernel).dtype)
    limit = _PROBE[np.dtype(dtype).char]
    assert kernels.may_be_low(kernel.astype(complex), rank, limit)
    kernel = kernel + rng.uniform(-0.1, 0.1, kernel.shape)
    assert not kernels.may_be_low(kernel.astype(complex), rank, limit)


def test_elimination_leaves_what_no_products_make():
    a = np.diag(np.array([3, -5j, 2, 7]))[[2, 0, 3, 1]]
    for most, left in [(1, 5 / 7), (2, 3 / 7), (3, 2 / 7)]:
        assert kernels.may_be_low(a, most, left + 1e-15)
        assert not kernels.may_be_low(a, most, left - 1e-15)
    assert kernels.may_be_low(a, 4, 0)
    a = np.outer([1, 2, 3], [4, 5, 6, 7]) + np.outer([0, 1, 0], [1, 0, 0, 1]) + 0j
    assert not kernels.may_be_low(a, 1, 0.01)
    assert kernels.may_be_low(a, 2, 1e-15)


@pytest.mark.parametrize("tap", [np.nan, np.inf, -np.inf, 1e301, complex(0, np.nan)])
def test_kernels_that_are_not_finite_are_no_products(tap):
    kernel = np.ones((9, 9), complex)
    kernel[4, 5] = tap              # not in the sample
    assert not kernels.may_be_low(kernel, 4, 1.0)
    assert factor(kernel if kernel.imag.any() else kernel.real) is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.booleans())
def test_a_kernel_is_measured_in_one_pass(seed, count, whole):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-1 if rng.random() < 0.5 else 0, 4, (count, *rng.integers(1, 6, 2))) / (1 if whole else 4)
    norms, are_whole, positive = kernels.measure(numbers, count)
    np.testing.assert_allclose(norms, [np.linalg.norm(each) for each in numbers], rtol=1e-15)
    assert are_whole == bool((numbers % 1 == 0).all())
    assert positive == tuple(bool((each >= 0).all()) for each in numbers)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", [(2, 2), (3, 7), (6, 6), (13, 4), (31, 29)])
def test_products_look_low_however_they_lie(shape, dtype):
    rng = np.random.default_rng(1)
    column, row = (rng.integers(1, 9, n).astype(dtype) * (1 + 0.1j if dtype == "complex128" else 1) for n in shape)
    kernel = np.outer(column, row)
    for each in (kernel, kernel[::-1, ::-1], kernel.T, kernel[:, None], kernel[..., None], kernel.byteswap().view(kernel.dtype.newbyteorder())):
        assert kernels.looks_low(each)
    other = np.outer(column, row) + np.outer(column[::-1] ** 2, row**2 + np.arange(len(row)))
    assert not kernels.looks_low(other)
    for line in (kernel[:1], kernel[:, :1], np.multiply.outer(kernel, row), kernel * np.nan, kernel * 0):
        assert not kernels.looks_low(line)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_a_product_is_found_by_its_largest_tap(seed, dtype):
    rng = np.random.default_rng(seed)
    column, row = (rng.standard_normal(n) for n in rng.integers(1, 9, 2))
    kernel = np.outer(column, row).astype(dtype).astype(float)
    i, j, over, total = kernels.find_product(kernel, 4 * np.finfo(dtype).eps, dtype == "float32")
    assert abs(kernel[i, j]) == np.abs(kernel).max()
    np.testing.assert_array_equal(over, (kernel.astype(dtype)[:, j] / kernel.astype(dtype)[i, j]))
    np.testing.assert_allclose(total, np.abs(kernel[:, j] / kernel[i, j]).sum() * np.abs(kernel[i]).sum(), rtol=1e-6)
    if kernel.size > max(kernel.shape):
        other = rng.integers(kernel.shape[0]), rng.integers(kernel.shape[1])
        kernel[other] *= 1 + 40 * np.finfo(dtype).eps
        assert kernels.find_product(kernel, 4 * np.finfo(dtype).eps, dtype == "float32") is None


@pytest.mark.parametrize(("numbers", "whole"), [
    ([0.0], True), ([1.0, 3.0], True), ([2.0**-40, 3 * 2.0**-41], True), ([1.0, 2.0**-31], True), ([1.0, 2.0**-32], False),
    ([1 / 3, 1.0], False), ([np.nan, 1.0], False), ([np.inf], False), ([1e301], False), ([5e-324], False),
])  # fmt: skip
def test_what_is_whole_at_some_scale(numbers, whole):
    assert kernels.is_whole_at_some_scale(np.array(numbers), 32) == whole


def test_zeros_on_the_sides_of_integer_kernels_cost_nothing():
    inner = np.random.default_rng(5).integers(1, 9, (4, 3))
    kernel = np.pad(inner, ((3, 2), (1, 5)))
    image = pixels((400, 300), "uint8")
    options = {"mode": "same", "boundary": "symm", "fillvalue": 0, "method": "auto", "out": None, "workers": 1, "channel_axis": None}
    (problem,) = _arguments.signal2d("correlate2d", image, kernel, **options).problems
    np.testing.assert_array_equal(problem.kernel, inner)
    for name, h in [("correlate2d", kernel), ("convolve2d", kernel), ("convolve2d", np.zeros((9, 9), int))]:
        result = getattr(rapidconv, name)(image, h, "same", "symm")
        check_values(result, image, h, "same", "symm", correlate=name == "correlate2d")
    prepared = rapidconv.prepare(kernel, shape=image.shape, dtype=image.dtype, boundary="symm", mode="same")
    assert same_bits(prepared(image), rapidconv.convolve2d(image, kernel, "same", "symm"))
    (problem,) = _arguments.signal2d("correlate2d", image.astype(float), kernel, **options).problems
    assert problem.kernel.shape == kernel.shape         # a NaN under a zero tap shows


def test_one_tap_off_is_no_product():
    for dtype in [np.int64, np.float64, np.float32]:
        kernel = np.outer([1, 4, 6, 4, 1, 3], [1, 4, 6, 4, 1, 3]).astype(dtype)
        kernel[4, 1] += 1
        found = factor(kernel)
        assert found is None or found.rank > 1
    kernel = gauss(21)[:, None] * gauss(21)
    assert factor(kernel).rank == 1
    kernel[20, 0] *= 1 + 1e-12
    assert factor(kernel) is None or np.abs(factor(kernel).columns.T @ factor(kernel).rows - kernel).max() < 1e-15


def test_sums_of_products_of_whole_numbers_are_exact():
    kernel = low_rank(5, np.int64, whole=True)
    found = factor(np.pad(kernel, 2))
    assert found.rank == 2
    assert found.exact
    np.testing.assert_array_equal(found.columns.T @ found.rows, np.pad(kernel, 2))


def test_kernels_not_worth_it():
    assert factor(np.ones((2, 2))) is None
    assert factor(np.ones((1, 1))) is None
    assert factor(np.full((5, 5), np.nan)) is None
    assert factor(np.full((5, 5), np.inf)) is None
    assert factor(np.ones((5, 5), np.longdouble)) is None
    assert factor(np.zeros((5, 5))).rank == 1


def test_box_and_trim():
    assert box(np.full((3, 4), 7, np.uint8)) == 7
    assert box(np.arange(4).reshape(2, 2)) is None
    assert box(np.array([[1, 2], [2, 1]])) is None
    assert box(np.full((3, 3), np.nan)) is None
    kernel = np.zeros((5, 6))
    kernel[1:3, 2:5] = 1
    trimmed, top, left = trim(kernel)
    assert (trimmed.shape, top, left) == ((2, 3), 1, 2)
    assert trim(np.zeros((3, 3)))[0].shape == (1, 1)


@pytest.mark.parametrize("char", "fd")
def test_taps_a_few_steps_off_are_no_product(char):
    """Four steps of a tap are let pass, which the error bound counts; ten are not."""
    rng = np.random.default_rng(41)
    kernel = np.multiply.outer(rng.random(9) + 1, rng.random(8) + 1).astype(char)
    assert factor(kernel, None, 1) is not None
    kernel[3, 5] *= 1 + 10 * np.finfo(char).eps
    assert factor(kernel, None, 1) is None


def test_infinities_are_no_box():
    for value in (np.inf, -np.inf, np.nan):
        assert box(np.full((3, 4), value)) is None


def of_growing_sums(scale):
    """Whole numbers that are exactly two products, of which each is 4095 times the largest tap, and cancels most of the other."""
    kernel = np.zeros((11, 11))
    kernel[0] = kernel[:, 0] = 4095.0
    kernel[0, 0] = 1.0
    return kernel * scale


@pytest.mark.parametrize("scale", [1.0, 2.0**-20])
def test_products_that_cancel_each_other_are_not_taken_for_a_kernel(scale):
    """Their partial sums are thousands of times those of the taps, so what they round is, too."""
    kernel, image = of_growing_sums(scale), pixels((40, 50), "float64")
    whole = factor(of_growing_sums(1).astype(np.int64))
    assert whole.rank == 2
    assert whole.total == (1 + 10 * 4095) ** 2 + 10 * 10 * 4095**2      # of both, which tells the lane
    with pytest.raises(ValueError, match="cannot serve"):
        rapidconv.convolve2d(image, kernel, method="separable")


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.float32])
def test_whole_numbers_are_products_exactly_or_not_at_all(dtype):
    rng = np.random.default_rng(4)
    (a, b), (c, d) = rng.integers(2, 9, (2, 2, 15))
    kernel = (2 * np.outer(a, b) + 3 * np.outer(c, d)).astype(dtype)        # no pivot of theirs divides its row and column
    for whole in (kernel, np.full((9, 9), 2**31, np.uint64), np.full((9, 9), -(2**31), np.int64)):
        found = factor(whole)
        assert found is None or (found.columns.astype(object).T @ found.rows.astype(object) == whole.astype(object)).all()
    assert factor(kernel) is None
    assert factor(np.full((9, 9), 2**64 - 1, np.uint64)) is None
    corner = np.zeros((9, 9), np.int64)
    corner[0] = corner[:, 0] = 2**16
    corner[0, 0] = 1
    assert factor(corner) is None               # its second product has taps of 2^32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_of_any_size_have_factors_that_make_them_or_none(dtype):
    """Powers of two from the smallest subnormal to the largest number do not overflow on the way."""
    small, large = np.finfo(dtype).minexp, np.finfo(dtype).maxexp
    ones, gaussian = np.outer(np.arange(1, 10), np.arange(2, 9)).astype(dtype), low_rank(15, dtype)
    scales = 0
    for exponent in range(small, large - 10, 3):
        for kernel in (np.ldexp(ones, exponent), np.ldexp(gaussian, exponent), np.ldexp(np.sqrt(ones), exponent)):
            with np.errstate(all="raise"):
                found = factor(kernel)
            if found is not None:
                scales += 1
                made = found.columns.T.astype(np.longdouble) @ found.rows
                assert np.abs(made - kernel).max() <= 4 * np.finfo(dtype).eps * np.abs(kernel).max()
                np.testing.assert_allclose(float(found.total), (np.abs(found.columns).sum(1, "d") * np.abs(found.rows).sum(1, "d")).sum())
    assert scales > 100


@pytest.mark.parametrize("char", "fd")
def test_sums_of_products_with_noise_are_none(char):
    kernel = low_rank(31, char)
    assert factor(kernel).rank == 2
    noise = np.random.default_rng(3).normal(size=kernel.shape) * 20 * np.finfo(char).eps * np.abs(kernel).max()
    assert factor((kernel + noise).astype(char)) is None


def test_whole_numbers_at_some_scale_keep_the_digits_of_small_pixels():
    """Columns of whole numbers beside rows of 2^-27 made subnormal numbers between rows and columns of all pixels below 2e-31."""
    taps = np.outer(1 + np.arange(9) % 2, np.ones(7)).astype(np.float32) * np.float32(1 / 9)
    image = (np.random.default_rng(1).random((40, 40)) * 1e-35).astype(np.float32)
    result = rapidconv.convolve2d(image, taps, "same", method="separable")
    wanted = rapidconv.convolve2d(image.astype(np.float64), taps.astype(np.float64), "same")
    np.testing.assert_allclose(result, wanted, rtol=1e-6)
