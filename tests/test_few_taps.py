"""Kernels most of whose taps are zero: only the others are met, and nobody can tell by the bits."""

import numpy as np
import oracle
import pytest
import scipy.ndimage
import scipy.signal
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

import rapidconv
from rapidconv import image as pictures
from rapidconv import ndimage, signal


def thinned(kernel, seed, share=6):
    """A kernel of which about one tap in so many is left, at least one."""
    rng = np.random.default_rng(seed)
    kept = rng.permutation(kernel.size) < max(1, kernel.size // share)
    return np.where(kept.reshape(kernel.shape), kernel, np.zeros((), kernel.dtype)).astype(kernel.dtype)


sides = st.integers(1, 24)
kernel_shapes = st.tuples(sides, sides).filter(lambda shape: shape[0] * shape[1] >= 26)


@given(
    strategies.arrays(zoo.DTYPES), strategies.arrays(zoo.DTYPES, kernel_shapes), strategies.seeds, strategies.modes, strategies.boundaries,
    st.sampled_from(["convolve2d", "correlate2d"]), st.integers(1, 2),
)  # fmt: skip
def test_few_taps_give_scipys_sums(image, kernel, seed, mode, boundary, name, workers):
    if mode == "valid" and any(n < k for n, k in zip(image.shape, kernel.shape, strict=True)):
        mode = "same"
    few = thinned(kernel.astype(kernel.dtype.newbyteorder("=")), seed)
    result = getattr(signal, name)(image, few, mode, boundary, 2, method="direct", workers=workers)
    oracle.check(result, image, few, mode, boundary, 2, correlate=name == "correlate2d")


@pytest.mark.parametrize("shape", [(7, 9), (33, 33), (65, 20), (9, 200), (200, 9)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64", "complex128"])
def test_bits_are_those_that_all_taps_give(dtype, shape):
    """Where a number is not finite all taps are met, in the whole of a tile; outputs that do not see it tell."""
    image = zoo.values((180, 230), dtype, 1)
    spotted = image.copy()
    spotted[90, 100] = np.nan
    for kernel in (thinned(zoo.values(shape, dtype, 2), 3), thinned(zoo.values(shape, dtype, 4).real, 5, 26)):
        for layout in (np.asarray, np.asfortranarray):
            few = signal.correlate2d(layout(image), kernel, "same", "symm", method="direct")
            all_taps = signal.correlate2d(layout(spotted), kernel, "same", "symm", method="direct")
            unseen = np.isfinite(all_taps)
            assert 0 < unseen.sum() < unseen.size
            assert zoo.same_bits(few[unseen], all_taps[unseen])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "longdouble"])
def test_zero_taps_spread_what_is_not_finite_as_in_scipy(dtype, value):
    image = zoo.values((150, 90), dtype, 1)
    for kernel in (thinned(zoo.values((11, 8), dtype, 2), 3, 30), np.pad(zoo.values((3, 3), dtype, 4), 6)):
        for place in [(0, 0), (70, 40), (149, 89), (64, 5), (63, 85)]:
            spotted = image.copy()
            spotted[place] = value
            for boundary in zoo.BOUNDARIES:
                result = signal.convolve2d(spotted, kernel, "full", boundary, method="direct")
                expected = scipy.signal.convolve2d(spotted, kernel, "full", boundary)
                np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
                np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_a_fill_value_that_is_not_finite_meets_zero_taps():
    image = np.ones((40, 50), np.int32)
    kernel = np.zeros((9, 9))
    kernel[4, 4] = 2
    result = signal.correlate2d(image, kernel, "same", "fill", np.inf, method="direct")
    inside = np.zeros(image.shape, bool)
    inside[4:-4, 4:-4] = True
    assert np.isnan(result[~inside]).all()
    assert (result[inside] == 2).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zero_taps_of_ndimage_meet_no_pixel(dtype):
    image = zoo.values((60, 70), dtype, 1)
    image[20, 30], image[59, 69] = np.nan, np.inf
    kernel = thinned(zoo.values((9, 7), dtype, 2), 3, 9)
    for mode in ("reflect", "constant", "wrap"):
        result = ndimage.correlate(image, kernel, mode=mode, method="direct")
        expected = scipy.ndimage.correlate(image.astype(np.float64), kernel.astype(np.float64), mode=mode)
        np.testing.assert_array_equal(np.isfinite(result), np.isfinite(expected))
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(5, 4, 6), (3, 3, 3, 5), (1, 7, 9)])
@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8"])
def test_few_taps_of_several_planes(dtype, shape):
    image = zoo.small((9, 6, 20, 24)[-len(shape) :], dtype, 1)
    kernel = thinned(zoo.small(shape, dtype, 2), 3, 8)
    result = ndimage.convolve(image, kernel, mode="mirror", method="direct")
    np.testing.assert_array_equal(result, scipy.ndimage.convolve(image, kernel, mode="mirror"))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_few_taps_of_pictures_and_channels(dtype):
    picture = zoo.small((70, 50, 3), dtype, 1)
    kernel = thinned(zoo.small((9, 11), "int8", 2), 3)
    result = pictures.filter2d(picture, kernel, channel_axis=-1, boundary="reflect")
    for c in range(3):
        expected = scipy.ndimage.correlate(picture[..., c].astype(np.float64), kernel.astype(np.float64), mode="reflect")
        if dtype != "float32":
            expected = expected.clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
        np.testing.assert_array_equal(result[..., c], expected)


def test_whole_numbers_too_large_for_floating_lanes():
    image = zoo.values((90, 80), "int64", 1)
    image[40:] %= 7
    kernel = thinned(zoo.values((8, 8), "int64", 2), 3)
    result = signal.convolve2d(image, kernel, "same", "wrap", method="direct")
    oracle.check(result, image, kernel, "same", "wrap")


def test_a_plan_tells_how_many_taps_are_met():
    image, kernel = np.ones((300, 400), np.float32), np.zeros((33, 33), np.float32)
    kernel[[0, 5, 32], [0, 7, 3]] = 1, 2, 3
    found = rapidconv.explain(image, kernel, "same", "symm")
    assert found.method == "direct"
    assert "3 of 1089 taps are not zero" in found.reason
    kernel[::2] = 1
    assert "taps are not zero" not in rapidconv.explain(image, kernel, "same", "symm").reason


def test_a_delta_of_any_type_shifts_exactly():
    for dtype in ("float32", "complex64", "complex128"):
        image = zoo.values((120, 130), dtype, 1)
        delta = np.zeros((40, 31), dtype)
        delta[3, 5] = 1
        np.testing.assert_array_equal(signal.convolve2d(image, delta)[3:123, 5:135], image)


def test_few_taps_in_place_of_many_are_planned_anew():
    """A call that differs from ones before in its kernel only takes their plan where the planner would say the same of it."""
    image = zoo.values((300, 310), "float32", 1)
    for seed in range(4):
        many = np.outer(zoo.values((33,), "float32", seed), zoo.values((33,), "float32", seed + 9))
        signal.convolve2d(image, many, "same", "symm", workers=1)
    few = np.outer(*zoo.values((2, 33), "float32", 7) * (np.arange(33) % 8 == 0))
    assert rapidconv.explain(image, many, "same", "symm", workers=1).method != "direct"
    assert rapidconv.explain(image, few, "same", "symm", workers=1).method == "direct"
    result = signal.convolve2d(image, few, "same", "symm", workers=1)
    assert zoo.same_bits(result, signal.convolve2d(image, few, "same", "symm", method="direct", workers=1))
