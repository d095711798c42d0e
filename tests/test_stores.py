"""Sums cut to whole numbers, sums of a wider type than the result, and zero taps that meet no pixel."""

import numpy as np
import pytest
from nd import Boundary, Order, Store, plan, problem, run, summed
from scipy import ndimage

INTEGERS = "?bBhHiIlL"
MODES = {"reflect": Boundary.SYMM, "mirror": Boundary.MIRROR, "nearest": Boundary.NEAREST, "wrap": Boundary.WRAP}
MODES["constant"] = Boundary.FILL


def cut(image, kernel, boundary=Boundary.SYMM, fill=0.0, order=Order.TAPS, dtype=None, **more):
    """The problem of a scipy.ndimage filter with a whole-number result."""
    return problem(
        image, np.asarray(kernel, np.float64), boundary, fill, dtype=dtype or image.dtype, sums=np.dtype(np.float64),
        store=Store.TRUNCATE, skips=order is Order.TAPS, order=order, **more,
    )  # fmt: skip


def pixels(shape, dtype, seed=0):
    """Numbers over the range in which SciPy's conversions are defined."""
    rng = np.random.default_rng(seed)
    if dtype == "?":
        return rng.random(shape) < 0.5
    if np.dtype(dtype).kind == "f":
        return (200 * rng.random(shape)).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(max(info.min, -(2**20)), min(info.max, 2**20), shape, dtype, endpoint=True)


def expected(found):
    """SciPy's raw byte of a bool result is the truncated sum."""
    return found.view(np.uint8) != 0 if found.dtype == bool else found


def kernels(shape, seed=0):
    """Positive weights of sum 1, weights of both signs, weights with zeros."""
    rng = np.random.default_rng(seed)
    mean = rng.random(shape)
    yield mean / mean.sum()
    yield np.full(shape, 1 / np.prod(shape))
    yield rng.standard_normal(shape) * (rng.random(shape) < 0.6)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(("shape", "kernel_shape"), [((23, 70), (3, 3)), ((40, 33), (5, 2)), ((6, 9, 41), (3, 2, 3)), ((5, 4), (9, 11))])
def test_cut_sums_have_the_bits_of_scipy(dtype, shape, kernel_shape):
    image = pixels(shape, dtype)
    for mode, rule in MODES.items():
        for kernel in kernels(kernel_shape):
            found = run(cut(image, kernel, rule, 2.75))
            np.testing.assert_array_equal(found, expected(ndimage.correlate(image, kernel, mode=mode, cval=2.75)), mode)


def test_a_mean_of_fives_is_four():
    image = np.full((30, 40), 5, np.uint8)
    assert (run(cut(image, np.full((3, 3), 1 / 9))) == 4).all()


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_floating_images_are_cut(dtype):
    image = pixels((20, 50), dtype)
    for kernel in kernels((3, 5)):
        for result in "BhiL":
            if result == "L" and (kernel < 0).any():        # negative sums: undefined in C
                continue
            found = run(cut(image, kernel, dtype=result))
            np.testing.assert_array_equal(found, ndimage.correlate(image, kernel, output=np.dtype(result)))


def test_zero_taps_of_cut_sums_meet_no_pixel():
    image = np.ones((9, 9))
    image[4, 4] = np.nan
    found = run(cut(image, [[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.int16))
    assert found[3, 3] == 5
    assert found[3, 4] == 0


@pytest.mark.parametrize("dtype", "BhId")
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 7, 31])
def test_one_axis_orders_have_the_bits_of_scipy(dtype, axis, taps):
    image = pixels((14, 9, 45), dtype)
    result = "h" if dtype == "d" else dtype
    weights = np.random.default_rng(taps).random(taps) / taps
    half = weights[: taps // 2]
    odd = {Order.SYMMETRIC: np.r_[half, 0.1, half[::-1]], Order.SKEW: np.r_[half, 0.0, -half[::-1]]}
    for order, row in {Order.LAST_FIRST: weights, **(odd if taps % 2 else {})}.items():
        if order is Order.LAST_FIRST and taps == 1:     # which is symmetric
            continue
        if order is Order.SKEW and np.dtype(result).kind == "u":        # negative sums: undefined in C beyond 2**31
            continue
        kernel = row.reshape([-1 if k == axis else 1 for k in range(3)])
        found = run(cut(image, kernel, Boundary.MIRROR, order=order, dtype=result))
        there = ndimage.correlate1d(image, row, axis, output=np.dtype(result), mode="mirror")
        np.testing.assert_array_equal(found, there, order.name)


def test_the_order_of_the_taps_shows():
    image = pixels((60, 60), "B")
    kernel = np.array([[0.1, 0.2, 0.4, 0.2, 0.1]])
    results = {run(cut(image, kernel, order=order)).tobytes() for order in (Order.TAPS, Order.SYMMETRIC, Order.LAST_FIRST)}
    assert len(results) == 3


def test_unsigned_results_beyond_the_signed_ones():
    image = np.full((3, 3), 2**63 + 2**40, np.uint64)
    assert (run(cut(image, [[1.0]])) == 2**63 + 2**40).all()
    assert (run(cut(image, [[-0.0]])) == 0).all()


def test_what_is_cut_is_direct():
    image = pixels((200, 200), "B")
    made = plan(cut(image, np.full((31, 31), 1e-3)))
    assert made.method == "direct"
    assert "float64" in made.reason
    with pytest.raises(ValueError, match="last bit"):
        run(cut(image, np.full((31, 31), 1e-3), method="fft"))


def test_cut_sums_of_any_workers_and_layouts_are_the_same():
    image = pixels((300, 333), "H")
    kernel = next(kernels((5, 5)))
    for order, taps in ((Order.TAPS, kernel), (Order.SYMMETRIC, np.array([[0.1, 0.3, 0.1]]).T)):
        once = run(cut(image, taps, order=order))
        for workers in (2, 3):
            np.testing.assert_array_equal(run(cut(image, taps, order=order), workers), once)
        np.testing.assert_array_equal(run(cut(np.asfortranarray(image), taps, order=order)), once)
        np.testing.assert_array_equal(run(cut(image.astype(">u2"), taps, order=order, dtype=np.uint16)), once)
        out = np.zeros((300, 666), np.uint16)[:, ::2]
        np.testing.assert_array_equal(run(cut(image, taps, order=order), out=out), once)


def test_tall_kernels_of_cut_sums():
    image = pixels((40, 50), "h")
    column = np.random.default_rng(1).random(2501)
    column /= column.sum()
    found = run(cut(image, column[:, None], Boundary.WRAP, order=Order.LAST_FIRST))
    np.testing.assert_array_equal(found, ndimage.correlate1d(image, column, 0, mode="wrap"))


# Sums of a wider type

@pytest.mark.parametrize("image_type", "fBhi")
@pytest.mark.parametrize("shape", [(50, 60), (6, 20, 30)])
def test_wide_sums_are_rounded_once(image_type, shape):
    image = pixels(shape, image_type)
    kernel = np.random.default_rng(0).random((3,) * len(shape))
    made = problem(image, kernel, Boundary.FILL, 0.1, dtype=np.float32, sums=np.dtype(np.float64))
    assert {lane.dtype.char for lane in plan(made).lanes} == {"d"}
    found = run(made)
    assert found.dtype == np.float32
    exact = summed(made)
    assert abs(found - exact).max() <= abs(exact).max() * 2.0**-24
    np.testing.assert_array_equal(found, exact.astype(np.float32))


@pytest.mark.parametrize("method", ["fft", "separable"])
def test_wide_sums_on_every_road(method):
    image = pixels((150, 160), "f")
    row = np.random.default_rng(0).random(9)
    made = problem(image, np.outer(row, row), Boundary.MIRROR, dtype=np.float32, sums=np.dtype(np.float64), method=method)
    exact = summed(made)
    error = abs(run(made) - exact).max() / abs(exact).max()
    assert error < 2.0**-23.5       # sums in float32 are off by more


def test_fill_of_wide_sums_is_not_cast_to_the_image():
    made = problem(np.zeros((4, 4), np.uint8), np.ones((3, 3)), Boundary.FILL, 0.5, dtype=np.float64)
    np.testing.assert_array_equal(run(made), summed(made))
    assert run(made)[0, 0] == 2.5


# Zero taps that meet no pixel

def holed(shape, dtype, seed=0):
    """An image with NaN and infinities here and there, on its edges too."""
    rng = np.random.default_rng(seed)
    image = rng.integers(-9, 9, shape).astype(dtype)
    at = rng.random(shape)
    image[at < 0.02] = np.nan
    image[(at > 0.02) & (at < 0.03)] = np.inf
    image[(at > 0.03) & (at < 0.04)] = -np.inf
    return image


@pytest.mark.parametrize("dtype", ["f", "d", ">f8"])
@pytest.mark.parametrize("rule", list(Boundary))
@pytest.mark.parametrize(("shape", "kernel_shape"), [((60, 90), (3, 3)), ((5, 7), (9, 4)), ((8, 20, 40), (3, 3, 3)), ((4, 30, 50), (1, 5, 5)), ((3, 40, 3000), (2, 3, 3))])
def test_zero_taps_spread_nothing(dtype, rule, shape, kernel_shape):
    image = holed(shape, dtype)
    kernel = np.random.default_rng(0).integers(-2, 3, kernel_shape).astype(np.dtype(dtype).newbyteorder("="))
    made = problem(image, kernel, rule, np.inf, skips=True)
    with np.errstate(invalid="ignore"):
        wanted = summed(made)
        spread = summed(problem(image, kernel, rule, np.inf))
    np.testing.assert_array_equal(run(made), wanted)
    assert (np.isnan(spread) & ~np.isnan(wanted)).any() or shape == (5, 7)


@pytest.mark.parametrize(("shape", "kernel_shape"), [((40, 1), (3, 3)), ((700, 1500), (500, 2))])
def test_zero_taps_spread_nothing_in_lone_columns_and_under_tall_kernels(shape, kernel_shape):
    image = holed(shape, "d")
    kernel = np.random.default_rng(1).integers(0, 2, kernel_shape).astype(float) * np.arange(1.0, 1 + kernel_shape[0])[:, None]
    made = problem(image, kernel, Boundary.NEAREST, skips=True, method="direct")
    out = np.zeros((shape[0], 2 * shape[1]))[:, ::2]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(run(made, out=out), summed(made))


@pytest.mark.parametrize("method", ["fft", "separable", "direct"])
def test_zero_taps_spread_nothing_on_any_road(method):
    image = np.ones((200, 210))
    image[50, 60] = np.nan
    image[120:125, 3] = np.inf
    row = np.r_[np.arange(1.0, 12), 0, np.arange(1.0, 12)]
    made = problem(image, np.outer(row, row), skips=True, method=method)
    assert plan(made).method == method
    with np.errstate(invalid="ignore"):
        wanted = summed(made)
    np.testing.assert_allclose(run(made), wanted, rtol=1e-12)


def test_wide_sums_without_zeros():
    image = holed((40, 50), "f")
    kernel = np.array([[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]])
    made = problem(image, kernel, dtype=np.float32, sums=np.dtype(np.float64), skips=True)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(run(made), summed(made).astype(np.float32))
    channels = problem(np.stack([image] * 3, -1), kernel, dtype=np.float32, sums=np.dtype(np.float64), skips=True)
    np.testing.assert_array_equal(run(channels)[..., 1], run(made))


def test_results_with_any_strides_are_mended():
    image = holed((40, 50), "d")
    made = problem(image, np.array([[1.0, 0, 2]]), skips=True)
    out = np.zeros((40, 100))[:, ::2]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(run(made, out=out), summed(made))
