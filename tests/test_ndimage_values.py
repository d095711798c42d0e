"""Thousands of random calls of the filters of `rapidconv.ndimage`, each compared with SciPy's."""

import numpy as np
import pytest
import scipy.ndimage
from ndcases import MODES, REAL, Calls, difference

from rapidconv import ndimage

COUNTS = {
    "correlate": 900,
    "convolve": 900,
    "correlate1d": 600,
    "convolve1d": 600,
    "uniform_filter": 400,
    "uniform_filter1d": 300,
    "gaussian_filter": 400,
    "gaussian_filter1d": 300,
    "sobel": 250,
    "prewitt": 250,
    "laplace": 300,
    "gaussian_laplace": 150,
    "gaussian_gradient_magnitude": 150,
}


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("name", COUNTS)
def test_random_calls(name, part):
    calls = Calls([sorted(COUNTS).index(name), part])
    for number in range(COUNTS[name] // 3):
        image, arguments, keywords = calls.call(name)
        wrong = difference(name, image, arguments, keywords)
        assert not wrong, (number, wrong, image.dtype, image.shape, arguments, keywords)


@pytest.mark.parametrize("name", ["correlate", "convolve1d"])
@pytest.mark.parametrize("source", REAL + "FD")
def test_every_pair_of_types(name, source):
    calls = Calls([ord(source)])
    for target in "FD" if source in "FD" else REAL:
        for weights in (np.array([1, -2, 1, 3]), np.array([0.25, 0.5, -0.25]), np.array([0.3, 0.4, 0.3])):
            image = calls.pixels((5, 9), source)
            given = weights if name.endswith("1d") else np.multiply.outer([1, 2], weights)
            keywords = {"output": np.dtype(target), "cval": 3, "mode": "constant"}
            wrong = difference(name, image, (given,), keywords)
            assert not wrong, (target, weights, wrong)


@pytest.mark.parametrize("name", ["correlate1d", "convolve1d"])
@pytest.mark.parametrize(
    "weights",
    [[1, 2, 1], [3, 1, -3], [-1, 2, 1], [1, 0, -1], [2, 1], [1, 1], [1], [3, 2, 2, 3], [1, 3, 5, 3, 1], [1, 3, 5, -3, -1], [1, 2, 3, 4, 5]],
    ids=str,
)
def test_cut_lines_are_added_in_scipys_order(name, weights):
    """Sevenths: sums of whole pixels are whole numbers, or just below them, by the order of the terms."""
    rng = np.random.default_rng(len(weights))
    for char in "Bhi":
        image = rng.integers(0, 200, (60, 170)).astype(char)
        for divisor in (3, 7, 10):
            for axis in (0, 1):
                ours = getattr(ndimage, name)(image, np.array(weights) / divisor, axis, mode="mirror")
                theirs = getattr(scipy.ndimage, name)(image, np.array(weights) / divisor, axis, mode="mirror")
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("taps", [2, 7, 8, 30])
def test_kernels_larger_than_the_image(mode, size, taps):
    rng = np.random.default_rng(taps)
    image, weights = rng.integers(0, 9, size), rng.integers(-5, 5, taps)
    for origin in (-(taps // 2), 0, (taps - 1) // 2):
        expected = extended_sums(image, weights, mode, origin)
        assert ndimage.correlate1d(image, weights, mode=mode, cval=2, origin=origin).tolist() == expected
        assert ndimage.correlate(image, weights, mode=mode, cval=2, origin=origin).tolist() == expected
        tall = ndimage.correlate(image[:, None], weights[:, None], mode=mode, cval=2, origin=(origin, 0))
        assert tall[:, 0].tolist() == expected


def extended_sums(image, weights, mode, origin):
    """The definition, with np.pad's borders."""
    reach = 3 * len(weights) + 3
    name = {
        "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
        "wrap": "wrap", "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
    }[mode]  # fmt: skip
    wide = np.pad(image, reach, name, **({"constant_values": 2} if name == "constant" else {}))
    first = reach - len(weights) // 2 - origin
    return [int(np.dot(wide[first + i : first + i + len(weights)], weights)) for i in range(len(image))]


@pytest.mark.parametrize("cval", [2.5, 300, -1, np.nan, np.inf, 0.1])
@pytest.mark.parametrize("char", "?BhLfd")
def test_cval_is_no_number_of_the_images_type(cval, char):
    image = Calls(5).pixels((4, 6), char)
    for weights in (np.ones((3, 3), int), np.full((3, 3), 1 / 9), np.arange(9).reshape(3, 3) - 3.0):
        for target in ("d", "f", char):
            ours = ndimage.correlate(image, weights, target_of(target), "constant", cval)
            theirs = scipy.ndimage.correlate(image, weights, target_of(target), "constant", cval)
            inner = (slice(1, -1), slice(1, -1))
            if char == "?" and target == "?":
                np.testing.assert_array_equal(ours[inner], theirs[inner].view("u1") != 0)
            elif np.dtype(target).kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
            else:
                where = ... if np.isfinite(cval) else inner         # no promise what NaN is as a whole number
                np.testing.assert_array_equal(ours[where], theirs[where])


def target_of(char):
    return bool if char == "?" else char


def test_scalars_and_arrays_without_axes():
    assert ndimage.correlate(3.0, 2.0) == 6
    assert ndimage.convolve(np.array(3), np.array(2)).shape == ()
    assert ndimage.correlate(2 + 1j, 3 - 1j) == (2 + 1j) * (3 + 1j)
    assert ndimage.convolve(2 + 1j, 3.0) == 6 + 3j
    assert ndimage.correlate(np.uint8(7), 0.5) == 3
    assert ndimage.gaussian_filter(np.array(3.0), 1) == 3
    assert ndimage.laplace(np.array(3.0)) == 3
    out = np.zeros(())
    assert ndimage.correlate(3.0, 2.0, output=out) is out
    assert out == 6


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("mode", MODES)
def test_empty_images(shape, mode):
    image = np.zeros(shape, np.float32)
    weights = np.ones((3,) * len(shape))
    for result in (ndimage.correlate(image, weights, mode=mode), ndimage.gaussian_filter(image, 1, mode=mode)):
        assert (result.shape, result.dtype) == (shape, np.float32)
    assert ndimage.correlate1d(image, [1j, 2], axis=0, mode=mode).dtype == np.complex64


def test_many_axes():
    image = np.arange(2.0**12).reshape((2,) * 12)
    weights = np.ones((1,) * 5 + (2,) + (1,) * 5 + (2,))
    np.testing.assert_array_equal(ndimage.convolve(image, weights), scipy.ndimage.convolve(image, weights))


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("shape", [(40, 70), (230, 310), (8, 20, 30), (300,), (40, 50, 3)], ids=str)
def test_nan_and_infinity_reach_what_they_reach_in_scipy(shape, char):
    rng = np.random.default_rng(len(shape))
    side = 3 if len(shape) == 3 else 11
    weights = rng.normal(size=(side,) * len(shape))
    few = np.where(rng.random(weights.shape) < 0.3, 0, weights)
    hill = np.multiply.outer(np.hanning(11), np.hanning(9)[1:-1]) if len(shape) == 2 else weights[..., :1]
    line = np.where(rng.random(30) < 0.2, 0, rng.normal(size=30))
    works = [("correlate", (w,)) for w in (weights, few, np.ones(weights.shape), hill)]
    works += [("convolve1d", (line, axis)) for axis in range(len(shape))]
    works += [("gaussian_filter", (2.5,)), ("gaussian_laplace", (1.5,)), ("gaussian_gradient_magnitude", (1.2,))]
    works += [("sobel", (0,)), ("prewitt", (-1,)), ("laplace", ())]
    for cval in (0.0, np.nan, np.inf):
        image = rng.normal(size=shape).astype(char)
        for value in (np.nan, np.inf, -np.inf):
            image[tuple(int(rng.integers(n)) for n in shape)] = value
        for number, (name, given) in enumerate(works):
            keywords = {"mode": MODES[number % 2 * 4], "cval": cval}
            with np.errstate(all="ignore"):
                ours = getattr(ndimage, name)(image, *given, **keywords)
                theirs = getattr(scipy.ndimage, name)(image, *given, **keywords)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3 if char == "f" else 1e-11, err_msg=name)
