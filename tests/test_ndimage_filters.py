"""The named filters by their formulas, how they are put together, and what no caller may notice of it."""


import numpy as np
import pytest
import scipy.ndimage
import zoo

import rapidconv
from rapidconv import _blocks, _filter_weights, _passes, ndimage, set_workers

RNG = np.random.default_rng(7)
GREY = RNG.normal(size=(130, 90))
BYTES = RNG.integers(0, 256, (130, 90)).astype(np.uint8)
CALLS = {
    "correlate": (np.arange(9).reshape(3, 3) / 7,),
    "correlate1d": ([0.2, 0.5, 0.3], 0),
    "uniform_filter": (5,),
    "gaussian_filter": (1.5,),
    "sobel": (0,),
    "laplace": (),
    "gaussian_laplace": (1.2,),
    "gaussian_gradient_magnitude": (1.2,),
}


@pytest.mark.parametrize("sigma", [0.3, 1, 2.5])
def test_gaussian_weights_are_samples(sigma):
    impulse = np.zeros(41)
    impulse[20] = 1
    x = np.arange(-20.0, 21)
    variance = sigma**2
    bell = np.exp(-(x**2) / (2 * variance)) * (abs(x) <= int(4 * sigma + 0.5))
    bell /= bell.sum()
    np.testing.assert_allclose(ndimage.gaussian_filter1d(impulse, sigma), bell, rtol=1e-12)
    slope = ndimage.gaussian_filter1d(impulse, sigma, order=1)
    np.testing.assert_allclose(slope, -x / variance * bell, rtol=1e-12, atol=1e-300)
    curve = ndimage.gaussian_filter1d(impulse, sigma, order=2)
    np.testing.assert_allclose(curve, (x**2 / variance**2 - 1 / variance) * bell, rtol=1e-9, atol=1e-300)
    third = ndimage.gaussian_filter1d(impulse, sigma, order=3)
    cubic = 3 * x / variance**2 - x**3 / variance**3
    np.testing.assert_allclose(third, cubic * bell, rtol=1e-9, atol=1e-9 * abs(cubic * bell).max())


def test_sigma_of_any_type_gives_scipys_weights():
    for sigma in (np.float32(1.1), np.float64(0.7), 2, np.array(1.3)):
        for order in range(5):
            ours = ndimage.gaussian_filter1d(GREY, sigma, order=order)
            np.testing.assert_allclose(ours, scipy.ndimage.gaussian_filter1d(GREY, sigma, order=order), rtol=0, atol=1e-13 * 20**order)


def test_gaussian_of_two_axes_is_that_of_one_after_the_other():
    for shape, axes in (((40, 50), (0, 1)), ((9, 40, 50), (1, 2)), ((9, 10, 11), (0, 1, 2)), ((30, 40, 3), (0, 1)), ((20, 21, 40), (0, 1))):
        image = RNG.normal(size=shape)
        expected = image
        for axis in axes:
            expected = ndimage.gaussian_filter1d(expected, 1.5, axis)
        np.testing.assert_allclose(ndimage.gaussian_filter(image, 1.5, axes=axes), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cval", [0, 2.5])
@pytest.mark.parametrize("mode", ["constant", ("constant", "wrap"), ("nearest", "mirror"), "wrap"])
@pytest.mark.parametrize("image", [GREY, BYTES], ids=["float", "bytes"])
@pytest.mark.parametrize("name", ["uniform_filter", "gaussian_filter", "sobel", "laplace", "gaussian_laplace"])
def test_filtered_lines_are_continued_as_scipy_does(name, image, mode, cval):
    ours = getattr(ndimage, name)(image, *CALLS[name], mode=mode, cval=cval)
    theirs = getattr(scipy.ndimage, name)(image, *CALLS[name], mode=mode, cval=cval)
    if image is BYTES:
        np.testing.assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("char", "BHhiIlb")
@pytest.mark.parametrize("sigma", [0.6, 1, 3])
def test_whole_gaussians_and_means_are_scipys(char, sigma):
    image = zoo.values((150, 170), char) // np.dtype(char).type({"i": 2**11, "l": 2**23}.get(char, 1))
    for order in (0, 1, 2):
        ours = ndimage.gaussian_filter(image, sigma, order)
        theirs = scipy.ndimage.gaussian_filter(image, sigma, order)
        np.testing.assert_array_equal(ours, theirs)
    for size in (2, 3, (7, 4), 49):
        ours, theirs = ndimage.uniform_filter(image, size), scipy.ndimage.uniform_filter(image, size)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(600, 900), (40, 200, 120), (3, 500000), (500000, 3), (200, 100, 30)])
def test_blocks_between_passes_leave_no_seams(shape):
    image = (np.arange(np.prod(shape)) * 7919 % 251).reshape(shape).astype(np.uint8)
    modes = ["wrap", "nearest", "mirror"][: len(shape)]
    for name, given in (("gaussian_filter", (1,)), ("uniform_filter", (3,)), ("sobel", (1,))):
        for mode in ("reflect", modes):
            ours = getattr(ndimage, name)(image, *given, mode=mode)
            theirs = getattr(scipy.ndimage, name)(image, *given, mode=mode)
            np.testing.assert_array_equal(ours, theirs)


def test_blocks_of_complex_sums_leave_no_seams():
    image = zoo.small((700, 300), "D")
    weights = zoo.small((3, 5), "D", 1)
    np.testing.assert_array_equal(ndimage.convolve(image, weights), scipy.ndimage.convolve(image, weights))


@pytest.mark.parametrize("layout", [name for name in zoo.LAYOUTS if name != "array"])
@pytest.mark.parametrize("name", CALLS)
def test_same_bits_for_any_layout(name, layout):
    for image in (GREY, GREY.astype(np.float32), BYTES, RNG.normal(size=(9, 20, 30)), zoo.values((12, 13, 3), "f")):
        if name == "correlate" and image.ndim != 2:
            continue
        expected = getattr(ndimage, name)(image, *CALLS[name])
        laid = zoo.LAYOUTS[layout](image)
        ours = getattr(ndimage, name)(laid, *CALLS[name])
        assert zoo.same_bits(ours, expected)
        if layout in zoo.WRITEABLE:
            out = zoo.WRITEABLE[layout](np.zeros_like(expected))
            assert getattr(ndimage, name)(laid, *CALLS[name], output=out) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", CALLS)
def test_same_bits_for_any_number_of_workers(name):
    for image in (RNG.normal(size=(700, 600)), RNG.integers(0, 256, (900, 700)).astype(np.uint8)):
        with set_workers(1):
            expected = getattr(ndimage, name)(image, *CALLS[name])
        with set_workers(3):
            assert zoo.same_bits(getattr(ndimage, name)(image, *CALLS[name]), expected)


def test_workers_may_be_given():
    weights = RNG.normal(size=(5, 5))
    expected = ndimage.convolve(GREY, weights)
    assert zoo.same_bits(ndimage.convolve(GREY, weights, workers=2), expected)
    assert zoo.same_bits(ndimage.convolve1d(GREY, weights[0], workers=1), ndimage.convolve1d(GREY, weights[0]))


@pytest.mark.parametrize("method", ["direct", "separable", "fft"])
def test_methods_agree(method):
    weights = np.multiply.outer(np.hanning(9), np.hanning(7))
    expected = scipy.ndimage.convolve(GREY, weights, mode="mirror")
    np.testing.assert_allclose(ndimage.convolve(GREY, weights, mode="mirror", method=method), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 16, 17])
def test_pictures_are_planes_side_by_side(side):
    picture = RNG.normal(size=(40, 50, side))
    weights = RNG.normal(size=(5, 4))
    result = ndimage.convolve(picture, weights[:, :, None], mode="nearest")
    for channel in range(side):
        plane = np.ascontiguousarray(picture[:, :, channel])
        assert zoo.same_bits(np.ascontiguousarray(result[:, :, channel]), ndimage.convolve(plane, weights, mode="nearest"))
    np.testing.assert_array_equal(ndimage.convolve(picture, weights, mode="nearest", axes=(0, 1)), result)


def test_derivatives_of_gaussians_along_some_axes():
    cube = RNG.normal(size=(9, 10, 11))
    ours = ndimage.gaussian_laplace(cube, (1, 2), axes=(0, 2), mode=("wrap", "nearest"))
    theirs = scipy.ndimage.gaussian_laplace(cube, (1, 2), axes=(0, 2), mode=("wrap", "nearest"))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)
    ours = ndimage.gaussian_gradient_magnitude(cube, (1, 2, 1.5), axes=(0, 2))
    theirs = scipy.ndimage.gaussian_gradient_magnitude(cube, (1, 2, 1.5), axes=(0, 2))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


class Recorder:
    """A derivative that notes how it is called."""

    def __init__(self):
        self.calls = []

    def __call__(self, image, axis, output, mode, cval, *more, **named):
        given = output.dtype if isinstance(output, np.ndarray) else np.dtype(output)
        self.calls.append((axis, isinstance(output, np.ndarray), given, mode, cval, more, named))
        return scipy.ndimage.correlate1d(image, [1, -2, 1], axis, output, mode, cval)


@pytest.mark.parametrize("name", ["generic_laplace", "generic_gradient_magnitude"])
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"output": "f4", "mode": ("wrap", "reflect", "nearest"), "cval": 3.0, "extra_arguments": (1, 2), "extra_keywords": {"x": 3}},
        {"axes": (1, 0)},
        {"axes": -1},
        {"axes": ()},
        {"output": np.int16, "axes": (0, 2), "mode": ("wrap", "mirror")},
    ],
)
def test_functions_of_the_caller_are_called_as_scipy_calls_them(name, keywords):
    image = 5 * RNG.normal(size=(4, 5, 6))
    mine, theirs = Recorder(), Recorder()
    ours = getattr(ndimage, name)(image, mine, **keywords)
    with np.errstate(all="ignore"):
        expected = getattr(scipy.ndimage, name)(image, theirs, **keywords)
    normal = [(axis % 3, *rest) for axis, *rest in theirs.calls]
    assert mine.calls == [tuple(call) for call in normal]
    np.testing.assert_array_equal(ours, expected)
    assert ours.dtype == expected.dtype


def test_sigma_zero_copies():
    for image in (GREY, BYTES, np.array([None, 1])):
        result = ndimage.gaussian_filter(image, 0)
        assert result is not image
        np.testing.assert_array_equal(result, image)
    assert ndimage.gaussian_filter(GREY, (0, 1e-16), output=np.uint8).dtype == np.uint8
    np.testing.assert_array_equal(ndimage.uniform_filter(GREY, 1), GREY)
    np.testing.assert_array_equal(ndimage.laplace(GREY, axes=()), GREY)


def test_far_weights_of_a_gaussian_do_not_underflow():
    image = np.zeros((90, 90))
    image[45, 45] = np.inf
    ours = ndimage.gaussian_filter(image, 1, radius=30)
    theirs = scipy.ndimage.gaussian_filter(image, 1, radius=30)
    np.testing.assert_array_equal(np.isinf(ours), np.isinf(theirs))


def test_memory_between_passes_is_that_of_blocks():
    import tracemalloc

    image = np.zeros((3000, 4000), np.uint8)
    for function, given in ((ndimage.gaussian_filter, (1,)), (ndimage.uniform_filter, (3,))):
        tracemalloc.start()
        try:
            function(image, *given)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < image.nbytes + 4 * 2**20


@pytest.mark.parametrize(
    ("function", "argument"),
    [(ndimage.gaussian_laplace, 2), (ndimage.gaussian_gradient_magnitude, 2), (ndimage.generic_laplace, ndimage.sobel)],
)
def test_derivatives_may_be_put_where_the_image_is(function, argument):
    image = np.random.default_rng(0).normal(size=(20, 30, 10))
    expected = function(image, argument)
    assert function(image, argument, output=image) is image
    np.testing.assert_array_equal(image, expected)


MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


@pytest.mark.parametrize("mode", [*MODES, MODES[:4], MODES[1:]], ids=str)
@pytest.mark.parametrize("size", [2**14, 2**17])
def test_blocks_of_any_size_leave_no_seams(size, mode, monkeypatch):
    """Blocks along one axis, along several, and of a few numbers; what lies between passes reaches around the border."""
    rng = np.random.default_rng(9)
    monkeypatch.setattr(_blocks, "SMALL", 0)
    volume, hyper = rng.random((17, 30, 41)), rng.random((6, 11, 12, 13))
    whole = rng.integers(-99, 99, (17, 30, 41))
    lines = np.einsum("i,j,k->ijk", rng.random(9), rng.random(8), rng.random(7))
    three = mode if isinstance(mode, str) else mode[:3]
    calls = [
        (ndimage.gaussian_filter, volume, {"sigma": 2, "mode": three}),
        (ndimage.gaussian_filter, volume, {"sigma": (1, 9, 4), "order": (0, 1, 0), "mode": three, "cval": 3}),
        (ndimage.gaussian_filter, hyper, {"sigma": (3, 1, 2, 1), "mode": mode}),
        (ndimage.uniform_filter, hyper, {"size": (3, 8, 5, 4), "mode": mode, "origin": (1, -4, 2, 1), "cval": 0.5}),
        (ndimage.uniform_filter, whole, {"size": (4, 7, 3), "mode": three, "cval": 4}),
        (ndimage.sobel, whole, {"mode": three}),
        (ndimage.laplace, whole.astype("h"), {"mode": three}),
        (ndimage.convolve, volume + 1j * volume[::-1], {"weights": lines[:3, :4, :5] * (1 + 2j), "mode": three, "cval": 1 + 2j}),
        (ndimage.correlate, volume, {"weights": lines, "mode": three, "method": "separable", "origin": (2, -3, 0)}),
    ]
    if not isinstance(mode, str):
        calls = calls[:-2]
    for function, image, keywords in calls:
        monkeypatch.setattr(_blocks, "BLOCK", 2**40)
        expected = function(image, **keywords)
        monkeypatch.setattr(_blocks, "BLOCK", size)
        monkeypatch.setattr(_blocks, "THICK", size)
        got = function(image, **keywords)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)
        if image.dtype.kind == "i":
            np.testing.assert_array_equal(got, getattr(scipy.ndimage, function.__name__)(image, **keywords))


@pytest.mark.parametrize("shape", [(90, 700, 800), (9, 4000, 3000), (40, 40, 200, 300), (3, 2**20), (2**11, 2**11)])
@pytest.mark.parametrize("sigma", [1, 8])
def test_what_lies_between_passes_is_limited(shape, sigma):
    """Whatever the shape, of images with no pixels: their numbers share memory."""
    image, result = np.broadcast_to(np.float64(1), shape), np.broadcast_to(np.float64(1), shape)
    weights = np.ones(8 * sigma + 1)
    for mode in MODES[:4]:
        rule = _passes.Boundary[{"reflect": "SYMM"}.get(mode, mode.upper())]
        passes = [_passes.line(weights, axis, len(shape), 0, rule) for axis in range(len(shape))]
        blocks = _blocks._blocks(image, passes, result)
        spares = {id(into.base): into.base.nbytes for _, steps in blocks for _, _, into, _, places in steps if places[1] == _blocks.BETWEEN}
        assert sum(spares.values()) <= _blocks.THICK
        outputs = sum(into.size for _, steps in blocks for _, _, into, _, _ in steps)
        assert outputs <= 12 * len(passes) * image.size


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "l"])
@pytest.mark.parametrize("shape", [(9, 1), (1, 9), (9, 2), (4, 5, 3), (2,)])
def test_taps_that_meet_the_same_pixels_of_short_lines_are_added_up(shape, dtype, mode):
    rng = np.random.default_rng(5)
    x = rng.normal(size=shape).astype(dtype) if dtype in "fd" else rng.integers(0, 100, shape).astype(dtype)
    calls = [
        lambda m, x, **kw: m.gaussian_filter(x, 2, **kw),
        lambda m, x, **kw: m.gaussian_filter1d(x, 1.5, order=1, **kw),
        lambda m, x, **kw: m.correlate1d(x, [2, 0, -1, 3, 1, -2, 1, 4, 2], origin=-2, **kw),
        lambda m, x, **kw: m.correlate1d(x, np.arange(1.0, 9), origin=1, **kw),
        lambda m, x, **kw: m.uniform_filter(x, 7, **kw),
        lambda m, x, **kw: m.sobel(x, -1, **kw),
    ]
    for call in calls:
        for output in (None, "d"):
            expected = call(scipy.ndimage, x, mode=mode, output=output)
            got = call(ndimage, x, mode=mode, output=output)
            if expected.dtype.kind == "f":
                np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3 if dtype == "f" else 1e-11)
            else:
                np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("weights", [[1.0, 2, 3, 4, 5, 6, 7], [1.0, -2, 3, 1, -3, 2, -1], [1.0, 2, 3, 0, 3, 2, 1], [1.0, 2, 3, 0, -3, -2, -1]])
def test_what_is_not_finite_spreads_in_short_lines_as_tap_by_tap(weights, mode, bad):
    for shape in [(4, 1), (4, 2), (4, 3)]:
        for k in range(shape[1]):
            x = np.ones(shape)
            x[2, k] = bad
            with np.errstate(invalid="ignore"):
                expected = scipy.ndimage.correlate(x, [weights], mode=mode) if 0 not in weights else None
                got = ndimage.correlate1d(x, weights, mode=mode)
            if expected is None:
                expected = ndimage.convolve1d(x.T, weights[::-1], 0, mode=mode).T       # rows are long enough for taps to stay apart
            np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
            np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))


TURNED = {
    "line": lambda m, x, **kw: m.correlate1d(x, [0.3, -0.2, 0.4, 0, 0.25, 0.1], -1, origin=1, **kw),
    "whole line": lambda m, x, **kw: m.convolve1d(x, [3, -2, 4, 0, 1], -1, origin=-1, **kw),
    "weights": lambda m, x, **kw: m.correlate(x, np.arange(-4.0, 2.0 ** x.ndim * 3 - 4).reshape((3,) + (2,) * (x.ndim - 2) + (4,)) / 7, **kw),
    "whole weights": lambda m, x, **kw: m.convolve(x, np.arange(3 ** x.ndim).reshape((3,) * x.ndim) - 9, **kw),
    "uniform_filter": lambda m, x, **kw: m.uniform_filter(x, 4, **kw),
    "gaussian_filter": lambda m, x, **kw: m.gaussian_filter(x, 1.4, **kw),
    "laplace": lambda m, x, **kw: m.laplace(x, **kw),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "l"])
@pytest.mark.parametrize("shape", [(300, 5), (400, 1), (20, 30, 3), (40, 9, 1)])
@pytest.mark.parametrize("name", TURNED)
def test_axes_of_few_numbers_are_filtered_along_as_the_first(name, shape, dtype, mode):
    rng, call = np.random.default_rng(8), TURNED[name]
    x = rng.normal(size=shape).astype(dtype) if dtype in "fd" else rng.integers(0, 100, shape).astype(dtype)
    got, expected = (call(m, x, mode=mode) for m in (ndimage, scipy.ndimage))
    assert got.dtype == expected.dtype
    if dtype in "fd":
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-4 if dtype == "f" else 1e-12)
    else:
        np.testing.assert_array_equal(got, expected)
    for laid in (np.asfortranarray(x), x[::-1].copy()[::-1], np.repeat(x, 2, -1)[..., ::2], memoryview(x)):
        assert call(ndimage, laid, mode=mode).tobytes() == got.tobytes()
    few = call(ndimage, x[: 200 // (x.size // len(x))], mode=mode)
    assert few.tobytes() == call(ndimage, memoryview(x[: 200 // (x.size // len(x))].copy()), mode=mode).tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", [name for name in TURNED if name != "uniform_filter"])     # SciPy's sums run on
def test_what_is_not_finite_reaches_the_same_results_along_few_numbers(name, bad):
    x = np.ones((40, 9, 3))
    x[7, 4, 1] = x[30, 0, 2] = bad
    got, expected = (TURNED[name](m, x, mode="mirror") for m in (ndimage, scipy.ndimage))
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected))


def orders(ndim, axis, order):
    """Of a derivative along one axis."""
    return [order if k == axis else 0 for k in range(ndim)]


#: Filters under antisymmetric lines of weights: by lines, by one kernel of 3 x 3, by products, of few and of many taps.
SLOPES = {
    "sobel": lambda m, x, axis: m.sobel(x, axis),
    "prewitt": lambda m, x, axis: m.prewitt(x, axis, mode="wrap"),
    "three taps": lambda m, x, axis: m.convolve1d(x, [0.3, 0.1, -0.3], axis, mode="mirror"),
    "thirteen taps": lambda m, x, axis: m.correlate1d(x, np.arange(-6, 7) * 0.1, axis),
    "gaussian_filter1d": lambda m, x, axis: m.gaussian_filter1d(x, 2, axis, 3, mode="nearest"),
    "narrow gaussian_filter": lambda m, x, axis: m.gaussian_filter(x, 0.5, orders(x.ndim, axis, 1)),
    "gaussian_filter": lambda m, x, axis: m.gaussian_filter(x, 3, orders(x.ndim, axis, 1), mode="mirror"),
    "mixed gaussian_filter": lambda m, x, axis: m.gaussian_filter(x, 1.2, 1),
    "gaussian_gradient_magnitude": lambda m, x, axis: m.gaussian_gradient_magnitude(x, 2),
}
SLOPE_SHAPES = [(40,), (3, 4), (20, 30), (37, 250), (600, 700), (40, 50, 18), (25, 300, 40), (2000, 3), (40, 50, 3)]


def slope_images(shape, dtype, name):
    """One that is flat, and one that is random; in no more than it needs to be in double, for magnitudes are of real pixels."""
    if dtype == "complex64" and name == "gaussian_gradient_magnitude":
        pytest.skip("real images only")
    flat = np.full(shape, 0.1 if dtype != "complex64" else 0.1 - 0.7j, dtype)
    return flat, np.random.default_rng(1).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", SLOPE_SHAPES)
def test_flat_images_have_no_slope(name, dtype, shape):
    """As in SciPy, whose sums are of pairs of pixels."""
    flat, random = slope_images(shape, dtype, name)
    flat -= flat * (name == "three taps")           # whose middle is a weight as well
    for axis in range(len(shape)):
        for _ in range(2):          # by the jobs of the first call as well
            assert not SLOPES[name](ndimage, flat, axis).any()
        assert not SLOPES[name](ndimage, np.asfortranarray(flat), axis).any()
        expected = SLOPES[name](scipy.ndimage, random.astype(np.result_type(dtype, "float64")), axis)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(SLOPES[name](ndimage, random, axis), expected, rtol=0, atol=100 * eps)


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(40,), (20, 30), (37, 250), (600, 700)])
def test_mirrored_images_have_mirrored_slopes(name, dtype, shape):
    _, random = slope_images(shape, dtype, name)
    for axis in range(len(shape)):
        slope = SLOPES[name](ndimage, random, axis)
        for mirrored in range(len(shape)):
            turns = name == "mixed gaussian_filter" or (mirrored == axis and name != "gaussian_gradient_magnitude")
            if name == "three taps" and turns:
                continue            # the middle weight's share does not
            found = np.flip(SLOPES[name](ndimage, np.flip(random, mirrored), axis), mirrored)
            np.testing.assert_array_equal(-found if turns else found, slope)


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(20, 30), (600, 700), (40, 50, 18)])
def test_what_is_not_finite_reaches_the_slopes_that_it_reaches_in_scipy(name, dtype, shape):
    """Weights of zero are weights; infinities of one sign cancel to NaN."""
    _, image = slope_images(shape, dtype, name)
    image[(3,) * len(shape)] = np.nan
    image[-5] = image[:, -9] = np.inf
    image[-7, ..., 2:11] = -np.inf
    for axis in range(len(shape)):
        with np.errstate(all="ignore"):
            found, expected = (np.array(SLOPES[name](m, image, axis)) for m in (ndimage, scipy.ndimage))
        found[np.isfinite(found)] = expected[np.isfinite(expected)] = 0
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["three taps", "gaussian_filter1d", "narrow gaussian_filter", "gaussian_filter", "sobel"])
@pytest.mark.parametrize("shape", [(30,), (20, 40), (600, 700)])
def test_pairs_that_overflow_are_summed_tap_by_tap(name, shape):
    """SciPy sums float32 pixels in double."""
    scale = 0.02 if name == "sobel" else 0.6
    image = np.where(np.random.default_rng(3).random(shape) < 0.5, -scale, scale).astype(np.float32) * np.finfo(np.float32).max
    image[..., 7:] *= np.float32(2.0**-100)
    for axis in range(len(shape)):
        found, expected = SLOPES[name](ndimage, image, axis), SLOPES[name](scipy.ndimage, image.astype(float), axis)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * abs(expected).max())


def test_explain_says_why_large_slopes_are_products():
    told = rapidconv.explain(ndimage.gaussian_filter, np.zeros((600, 700)), 2, (1, 0))
    assert told.method == "separable"
    assert "of a flat image it is exactly zero" in told.reason
    told = rapidconv.explain(ndimage.gaussian_filter1d, np.zeros((3, 10000)), 200, order=1)
    assert "no fft: of a flat image it would not be exactly zero" in told.reason


def test_explain_says_who_chose_the_method():
    weights = [_filter_weights.gaussian(2, order, 8) for order in (1, 0)]
    asked = rapidconv.explain(ndimage.correlate, np.zeros((600, 700)), np.outer(*weights), method="separable")
    told = rapidconv.explain(ndimage.gaussian_filter, np.zeros((600, 700)), 2, (1, 0))
    assert asked.reason.startswith("asked for")
    assert told.reason.startswith("of a flat image")


@pytest.mark.parametrize("sigma", [0.1, 1e15])
def test_large_slopes_of_weights_beyond_the_ordinary_are_lines(sigma):
    """Products of them are no sums of columns and rows that may be looked for: 1e47 times 1 and 1e-31 times 1."""
    image = np.random.default_rng(0).normal(size=(600, 400))
    order = 31 if sigma < 1 else 1
    found = ndimage.gaussian_filter(image, sigma, order=(order, 0), radius=2)
    down, along = (_filter_weights.gaussian(sigma, k, 2) for k in (order, 0))
    assert not 1e-20 < abs(down).max() < 1e20
    expected = ndimage.correlate1d(ndimage.correlate1d(image, down, 0), along, 1)
    np.testing.assert_array_equal(found, expected)



ONES = [True, np.int8(1), np.uint8(1), np.int64(1), np.array(1)]


@pytest.mark.parametrize("one", ONES, ids=repr)
def test_whole_numbers_of_any_type_are_taken_where_scipy_takes_them(one):
    image = np.arange(56.0).reshape(7, 8)
    calls = [
        lambda m: m.uniform_filter1d(image, one), lambda m: m.uniform_filter1d(image, 3, origin=one),
        lambda m: m.uniform_filter(image, [3, one]), lambda m: m.uniform_filter(image, 3, origin=[one, 0]),
        lambda m: m.correlate1d(image, [1.0, 2, 4], origin=one), lambda m: m.convolve1d(image, [1.0, 2, 4], axis=int(one)),
        lambda m: m.gaussian_filter(image, one), lambda m: m.gaussian_filter(image, 1, order=[int(one) if one is True else one, 0]), lambda m: m.gaussian_filter1d(image, 1, axis=one),
        lambda m: m.sobel(image, one), lambda m: m.laplace(image, axes=one if np.isscalar(one) else [one]),
    ]  # fmt: skip
    for call in calls:
        for _ in range(2):
            np.testing.assert_allclose(call(ndimage), call(scipy.ndimage), rtol=0, atol=1e-12)


def test_modes_may_be_arrays_of_no_axes():
    image = np.arange(56.0).reshape(7, 8)
    mode = np.array("wrap")
    np.testing.assert_array_equal(ndimage.sobel(image, mode=mode), scipy.ndimage.sobel(image, mode=mode))


def test_an_axis_beyond_those_of_the_image_is_refused_as_numpy_refuses_it():
    for module in (ndimage, scipy.ndimage):
        with pytest.raises(np.exceptions.AxisError):
            module.uniform_filter(np.ones((3, 3)), 3, axes=2)


@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("columns", [1, 3, 9, 16])
def test_cut_sums_of_narrow_images_meet_their_taps_in_scipys_order(columns, mode):
    """They are summed along the columns, of which there are more than of rows; the last bit of each sum shows."""
    image = RNG.integers(0, 2**40, (40, columns))
    for taps in [(3, 3), (9, 9), (2, 5), (5, 2)]:
        kernel = RNG.normal(size=taps) * (RNG.random(taps) < 0.8) * 2.0**12
        np.testing.assert_array_equal(
            ndimage.correlate(image, kernel, mode=mode, cval=0.3), scipy.ndimage.correlate(image, kernel, mode=mode, cval=0.3)
        )


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("shape", [(300, 20, 16), (200, 150, 3), (400, 500, 3), (90, 80, 5), (64, 65, 17)])
def test_pictures_have_the_same_bits_in_any_layout(shape, dtype):
    """Few numbers on the last axis are channels, whether or not they lie side by side."""
    image = (50 * RNG.standard_normal(shape) + 100).clip(0, 255).astype(dtype)
    apart = np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0)
    kernel = RNG.standard_normal((7, 9, 3))
    calls = [
        lambda x: ndimage.gaussian_filter(x, 4, axes=(0, 2)), lambda x: ndimage.gaussian_filter(x, 3, axes=(0, 1)),
        lambda x: ndimage.gaussian_filter(x, (1, 0, 2), (1, 0, 0)), lambda x: ndimage.uniform_filter(x, 5),
        lambda x: ndimage.convolve(x, kernel), lambda x: ndimage.convolve(x, kernel[..., :1]), lambda x: ndimage.sobel(x, 1),
    ]  # fmt: skip
    for call in calls:
        for _ in range(2):
            expected = call(image)
            for other in (np.asfortranarray(image), apart, image[::-1, :, ::-1].copy()[::-1, :, ::-1]):
                np.testing.assert_array_equal(call(other), expected)


@pytest.mark.parametrize("origin", [-4, -3, 0, 2, 4])
@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
def test_infinities_reach_what_long_lines_of_weights_reach_on_short_ones(mode, origin):
    """Taps that meet the same pixel are added up; none is added where there was none."""
    image = np.array([[1, 2, np.inf, 4], [-np.inf, 2, 3, 4], [1, 2, 3, np.nan], [5, 6, 7, 8]])
    weights = np.arange(1.0, 10)
    got, expected = (m.correlate1d(image, weights, mode=mode, origin=origin) for m in (ndimage, scipy.ndimage))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("method", "kernel"), [("fft", (1, 1)), ("fft", (5, 1)), ("separable", (5, 1))])
def test_little_work_has_the_same_bits_in_any_layout_by_a_method_that_is_asked_for(method, kernel, dtype):
    """Direct sums, which little work is else, are the same however few numbers on the last axis are seen; others are not."""
    image = (100 * RNG.random((4500, 4))).astype(dtype)
    kernel = RNG.random(kernel)
    expected = ndimage.convolve(image, kernel, method=method)
    assert zoo.same_bits(ndimage.convolve(image, kernel, np.empty(image.shape, dtype, order="F"), method=method), expected)
    assert zoo.same_bits(ndimage.convolve(np.asfortranarray(image), kernel, method=method), expected)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_antisymmetric_weights_along_one_pixel_are_exactly_zero(dtype, mode):
    image = RNG.integers(1, 100, (10, 1)).astype(dtype) * (10**16 if dtype == "int64" else 1)
    half = RNG.standard_normal(4)
    for _ in range(2):
        assert not ndimage.correlate1d(image, [*half, 0, *-half[::-1]], 1, "float64", mode).any()
        assert not ndimage.gaussian_filter(image, 2, (0, 1), "float64", mode).any()
