"""Where scipy.ndimage errs, crashes or refuses: the right answer, from an independent computation.

The numbers are those of docs/differences.md's table of faults.
"""

import tracemalloc

import numpy as np
import pytest
import zoo
from numpy.lib.stride_tricks import sliding_window_view

from rapidconv import ndimage

ONES = np.ones((3, 3))


def same(image, weights, mode="symmetric"):
    """A correlation of 1-D arrays by the definition, with np.pad's borders."""
    reach = len(weights)
    wide = np.pad(np.asarray(image), reach, mode)
    first = reach - reach // 2
    return np.array([np.sum(wide[first + i : first + i + reach] * weights) for i in range(len(image))])


@pytest.mark.parametrize("mode", ["reflect", "grid-mirror"])
@pytest.mark.parametrize("taps", [17, 18, 33, 100])
def test_n1_wide_kernels_read_nothing_beside_the_image(mode, taps):
    buffer = np.array([777.0, 1, 2, 888])
    weights = np.arange(taps) - 3.0
    np.testing.assert_array_equal(ndimage.correlate(buffer[1:3], weights, mode=mode), same([1.0, 2], weights))
    first = np.zeros(17)
    first[0] = 1
    assert ndimage.correlate(buffer[1:3], first, mode=mode).tolist() == [1, 2]


def test_n2_tiny_weights_count():
    np.testing.assert_allclose(ndimage.correlate([1e20, 2e20, 3e20], [1e-20] * 3), [4, 6, 8], rtol=1e-15)
    np.testing.assert_allclose(ndimage.correlate(np.array([1e20, 2e20, 3e20], "f4"), [1e-20] * 3), [4, 6, 8], rtol=1e-6)
    np.testing.assert_allclose(ndimage.correlate(np.array([1e30, 2e30], "f4"), [0, 1e-45]), [1e-15, 2e-15], rtol=1e-6)


def test_n3_asymmetric_weights_in_small_units():
    weights = [5e-20, 0, 1e-20]
    np.testing.assert_allclose(ndimage.correlate1d([1e20, 2e20, 3e20], weights), [7, 8, 13], rtol=1e-15)
    image = np.array([100, 200, 300])
    expected = np.trunc(same(image, np.array([0.5, 0, 0.5 + 1e-16])))
    assert ndimage.correlate1d(image, [0.5, 0, 0.5 + 1e-16]).tolist() == expected.tolist()


def test_n4_nan_weights_are_not_dropped():
    assert np.isnan(ndimage.correlate([1.0, 2, 3], [np.nan, 1, 1])).all()
    assert np.isnan(ndimage.correlate1d([1.0, 2, 3], [1, 1, np.nan])).all()
    result = ndimage.correlate(np.ones((2, 3)), [[1, complex(1, np.nan), 1]])
    assert (result.real == 3).all()
    assert np.isnan(result.imag).all()


@pytest.mark.parametrize("name", ["correlate", "convolve", "correlate1d", "convolve1d"])
def test_n5_complex_in_place(name):
    rng = np.random.default_rng(0)
    image = rng.normal(size=20) + 1j * rng.normal(size=20)
    function = getattr(ndimage, name)
    for weights in ([1, 1j, 2], [1, 2, 4.0]):
        expected = function(image.copy(), weights)
        work = image.copy()
        assert function(work, weights, output=work) is work
        np.testing.assert_array_equal(work, expected)


@pytest.mark.parametrize("side", [3, 300])
def test_n6_overlap_of_any_kind_is_seen(side):
    image = np.random.default_rng(0).normal(size=(side, side))
    for name, given in (("correlate1d", ([1.0, 2, 4],)), ("uniform_filter", (3,)), ("gaussian_filter", (1,)), ("laplace", ())):
        function = getattr(ndimage, name)
        expected = function(image, *given)
        work = image.copy()
        function(work, *given, output=work)
        np.testing.assert_array_equal(work, expected, err_msg=name)
        work = image.copy()
        function(work, *given, output=work.T)
        np.testing.assert_array_equal(work.T, expected, err_msg=name)
        long = np.concatenate([image, image])
        function(long[:side], *given, output=long[side // 2 : side // 2 + side])
        np.testing.assert_array_equal(long[side // 2 : side // 2 + side], expected, err_msg=name)


def test_n7_boolean_results_are_booleans():
    ones = np.ones(3, bool)
    result = ndimage.correlate(ones, [1, 1, 1])
    assert result.view("u1").tolist() == [1, 1, 1]
    assert ndimage.correlate(np.ones(300, bool), np.ones(256, int)).all()
    assert not ndimage.correlate(ones, [1, 0, -1]).any()
    assert ndimage.correlate1d(ones, [0.4, 0.4, 0.4]).all()
    assert not ndimage.correlate1d(ones, [0.3, 0.3, 0.3]).any()
    assert ndimage.correlate(np.array([3, 0, 0], np.uint8), [0, 100, 0], output=bool).tolist() == [True, False, False]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_n8_a_single_axis_may_count_from_the_end(axis):
    image = np.arange(24.0).reshape(2, 3, 4)
    expected = ndimage.correlate1d(image, [1, 2, 4], axis)
    np.testing.assert_array_equal(ndimage.correlate(image, [1, 2, 4], axes=axis), expected)
    np.testing.assert_array_equal(ndimage.correlate(image, [1, 2, 4], axes=(axis,)), expected)


@pytest.mark.parametrize("axes", [3, -4])
def test_n8_a_single_axis_out_of_range_is_an_error(axes):
    with pytest.raises(np.exceptions.AxisError):
        ndimage.correlate(np.ones((2, 3, 4)), np.ones(3), axes=axes)
    with pytest.raises(np.exceptions.AxisError):
        ndimage.gaussian_filter(np.ones((2, 3, 4)), 1, axes=axes)


def test_n8_axes_may_come_from_an_iterator():
    image = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(ndimage.correlate(image, ONES, axes=iter((0, 1))), ndimage.correlate(image, ONES))


def test_n9_origins_follow_the_axes_and_weights_the_image():
    image, weights = np.arange(12.0).reshape(3, 4), np.arange(9.0).reshape(3, 3)
    expected = ndimage.correlate(image, weights, origin=(1, 0))
    np.testing.assert_array_equal(ndimage.correlate(image, weights, origin=(0, 1), axes=(1, 0)), expected)
    cube = np.stack([image, image + 1])
    np.testing.assert_array_equal(ndimage.correlate(cube, weights, origin=(0, 1), axes=(2, 1))[0], expected)


@pytest.mark.parametrize("taps", [3, 9, 17, 33])
@pytest.mark.parametrize("width", [3, 4, 8])
def test_n10_windows_that_share_memory(taps, width):
    windows = sliding_window_view(np.arange(1, 30, dtype=np.uint8), width)
    copied = windows.copy()
    weights = np.ones((taps, 3))
    expected = np.zeros(copied.shape, int)
    wide = np.pad(copied.astype(int), ((taps, taps), (1, 1)))
    for i, j in np.ndindex(*copied.shape):
        expected[i, j] = wide[taps + i - taps // 2 : taps + i - taps // 2 + taps, j : j + 3].sum()
    np.testing.assert_array_equal(ndimage.correlate(windows, weights, output=int, mode="constant"), expected)


def test_n10_images_of_one_pixel_repeated():
    image = np.broadcast_to(np.array([103]), 6)
    assert ndimage.correlate(image, [3, 2], mode="nearest").tolist() == [515] * 6
    assert ndimage.correlate(np.broadcast_to(103, (4, 5)), ONES, mode="constant")[0, 0] == 412


def test_n11_pixels_are_weighted_before_they_meet():
    np.testing.assert_allclose(ndimage.correlate1d([1e308] * 3, [0.1, 0.1, 0.1]), [3e307] * 3, rtol=1e-15)


def test_n12_truncation_is_scipys():
    image = np.full((4, 5), 5, np.uint8)
    assert (ndimage.correlate(image, np.full((3, 3), 1 / 9)) == 4).all()
    assert (ndimage.uniform_filter(image, 3) == 5).all()


def test_n13_sums_of_integers_are_exact():
    assert ndimage.correlate([2**53 + 1, 5], [1]).tolist() == [2**53 + 1, 5]
    assert ndimage.correlate([2**63 - 1], [1]).tolist() == [2**63 - 1]
    assert ndimage.correlate(np.array([2**64 - 1], np.uint64), [1.0]).tolist() == [2**64 - 1]
    image = np.random.default_rng(0).integers(-(2**62), 2**62, (6, 7))
    weights = np.arange(9).reshape(3, 3)
    wide = np.pad(image.astype(object), 1, "symmetric")
    expected = [
        [(int((wide[i : i + 3, j : j + 3] * weights).sum()) + 2**63) % 2**64 - 2**63 for j in range(7)] for i in range(6)
    ]
    assert ndimage.correlate(image, weights).tolist() == expected
    assert ndimage.correlate(image.astype(np.int32), weights).dtype == np.int32


def test_n15_large_kernels_need_no_memory():
    image, weights = np.zeros((40, 40)), np.ones((301, 301))
    image[20, 20] = 1
    tracemalloc.start()
    try:
        result = ndimage.convolve(image, weights, mode="constant")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(result, 1, rtol=1e-12)
    assert peak < 64 * weights.nbytes


def test_zero_weights_spread_no_nan_in_nd_filters():
    image = np.zeros((5, 5))
    image[2, 2] = np.nan
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for weights in (cross, cross / 3):
        for function in (ndimage.correlate, ndimage.convolve):
            np.testing.assert_array_equal(np.isnan(function(image, weights)), np.isnan(image) | around(cross))


def around(cross):
    spread = np.zeros((5, 5), bool)
    spread[1:4, 1:4] = cross
    return spread


def test_zero_weights_spread_nan_in_1d_filters():
    image = np.array([0.0, 0, np.nan, 0, 0])
    assert np.isnan(ndimage.correlate1d(image, [1, 0, 0])).tolist() == [False, True, True, True, False]
    assert np.isnan(ndimage.correlate(image, [1, 0, 0])).tolist() == [False, False, False, True, False]
    assert np.isnan(ndimage.sobel(np.array([image] * 3)[:, :], axis=1)).all(axis=0).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_means_carry_nothing_along(value):
    image = np.ones((7, 40))
    image[3, 20] = value
    result = ndimage.uniform_filter(image, 3)
    far = np.ones((7, 40), bool)
    far[2:5, 19:22] = False
    np.testing.assert_allclose(result[far], 1, rtol=1e-15)
    assert not np.isfinite(result[~far]).any()
    line = ndimage.uniform_filter1d(image, 3)
    assert (np.isfinite(line) == (np.arange(40) < 19) | (np.arange(40) > 21) | (np.arange(7) != 3)[:, None]).all()


def test_means_forget_large_pixels():
    image = np.ones(200)
    image[10] = 1e30
    np.testing.assert_allclose(ndimage.uniform_filter1d(image, 5)[20:], 1, rtol=1e-15)


def test_complex_sums_keep_the_precision_asked_for():
    image = zoo.values((6, 7), "F")
    weights = zoo.values((3, 3), "D", 1)
    exact = ndimage.correlate(image.astype("D"), weights)
    np.testing.assert_allclose(ndimage.correlate(image, weights, output="D"), exact, rtol=1e-13)


def test_laplace_in_place():
    image = np.random.default_rng(0).integers(0, 99, (20, 30))
    for mode in ("wrap", ("wrap", "nearest")):
        expected = ndimage.laplace(image, mode=mode)
        work = image.copy()
        assert ndimage.laplace(work, output=work, mode=mode) is work
        np.testing.assert_array_equal(work, expected)


def test_large_weights_of_float32_images_count():
    image = np.array([1e-30, 2e-30], np.float32)
    np.testing.assert_allclose(ndimage.correlate(image, [1e40]), [1e10, 2e10], rtol=1e-6)
    np.testing.assert_allclose(ndimage.correlate(image, [0, 1e-10, 1e20], mode="constant", cval=1e-60), [2e-10, 0], rtol=1e-6, atol=1e-39)


def test_only_float32_images_are_summed_in_float32():
    for image in (np.array([1e8 + 1, 1e8]), np.array([10**8 + 1, 10**8])):
        assert ndimage.correlate(image, [0, 1, -1], output="f4", mode="constant")[0] == 1


def test_weights_of_whole_numbers_keep_their_digits():
    assert ndimage.correlate([1, 0], [2**53 + 1], mode="constant").tolist() == [2**53 + 1, 0]
    assert ndimage.correlate1d([1, 0], [2**53 + 1], mode="constant").tolist() == [2**53 + 1, 0]


def test_lines_of_booleans_are_booleans_between_passes():
    image = np.random.default_rng(0).random((9, 11)) < 0.5
    across = ndimage.correlate1d(image, [-1, 0, 1], axis=0)
    assert ndimage.sobel(image, 0).tolist() == ndimage.correlate1d(across, [1, 2, 1], axis=1).tolist()
    wide = np.pad(image.astype(int), 1, "symmetric")
    assert across.tolist() == (wide[2:, 1:-1] != wide[:-2, 1:-1]).tolist()


def test_boolean_means_are_cut():
    assert ndimage.uniform_filter1d([1.0, 0, 0, 1, 1, 1, 1], 3, output=bool, mode="constant").tolist() == [False] * 4 + [True] * 2 + [False]


def test_weights_lie_in_the_images_order_whatever_that_of_the_axes():
    cube = np.random.default_rng(0).integers(0, 99, (5, 6, 7))
    weights = np.arange(6).reshape(2, 3)
    expected = np.stack([ndimage.correlate(cube[:, k], weights) for k in range(6)], axis=1)
    for axes in ((0, 2), (2, 0), (-1, 0)):
        np.testing.assert_array_equal(ndimage.correlate(cube, weights, axes=axes), expected)
