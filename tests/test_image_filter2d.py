"""rapidconv.image.filter2d against a loop over taps, and against OpenCV and scikit-image."""

import cv2
import numpy as np
import pytest
import skimage.filters
from hypothesis import given
from hypothesis import strategies as st
from image_oracle import CV_BORDERS, PADS, stored, sums_of

from rapidconv import _execute, image
from rapidconv._boundary import IMAGE_NAMES

DTYPES = ("bool", "uint8", "uint16", "int16", "float32", "float64")
INTEGERS = ("bool", "uint8", "uint16", "int16")


def picture(shape, dtype, seed=0):
    """Random pixels of all sizes."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return rng.standard_normal(shape).astype(dtype)


def whole(shape, seed=1, most=5):
    return np.random.default_rng(seed).integers(-most, most, shape, endpoint=True)


def fractional(shape, seed=1):
    kernel = np.random.default_rng(seed).random(shape)
    return kernel / kernel.sum()


def bound(img, kernel, dtype, **options):
    """How far a sum may be off."""
    wide = np.float64 in (img.dtype, np.dtype(dtype))
    eps = np.finfo(np.float64 if wide else np.float32).eps
    magnitudes = sums_of(np.abs(img.astype(np.float64)), np.abs(kernel), **options)
    return kernel.size * eps * magnitudes.astype(np.float64)


def check(got, img, kernel, *, dtype=None, scale=1.0, delta=0.0, saturate=True, **options):
    """Equal where the sums are exact, else within the bound; where that allows two roundings, either."""
    dtype = img.dtype if dtype is None else np.dtype(dtype)
    assert got.dtype == dtype
    assert got.shape == img.shape
    sums = sums_of(img, kernel, **options)
    how = {"scale": scale, "delta": delta, "saturate": saturate}
    if sums.dtype == np.int64 and dtype.kind != "f":
        np.testing.assert_array_equal(got, stored(sums, dtype, **how))
        return
    slack = abs(scale) * bound(img, kernel, dtype, **options)
    if dtype.kind == "f":
        true = stored(sums, np.longdouble, **how)
        assert (np.abs(got - true) <= slack + np.finfo(dtype).eps * np.abs(true)).all()
        return
    # Two slacks: one for the sums, one for the shift.
    values = scale * sums + delta
    low, high = (stored(values + side * (slack + 1e-9 * np.abs(values)), dtype, saturate=saturate) for side in (-1, 1))
    assert ((low <= got) & (got <= high)).all()


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [whole((3, 3)), whole((4, 5)), fractional((5, 5)), fractional((2, 7))], ids=["w33", "w45", "f55", "f27"])
def test_every_dtype_and_boundary(dtype, boundary, kernel):
    img = picture((37, 41), dtype)
    fill = {"fillvalue": 1} if boundary == "constant" else {}
    check(image.filter2d(img, kernel, boundary=boundary, **fill), img, kernel, boundary=boundary, **fill)


@pytest.mark.parametrize("result", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [whole((3, 5)), fractional((3, 5))], ids=["whole", "fractional"])
def test_every_pair_of_dtypes(dtype, result, kernel):
    img = picture((23, 70), dtype)
    check(image.filter2d(img, kernel, dtype=result), img, kernel, dtype=result)


@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("result", ["bool", "uint8", "int16", "float32"])
@pytest.mark.parametrize(("scale", "delta"), [(1, 128), (0.5, 0), (-0.25, 3.5), (1, 0.1), (2.0**-7, -1)])
def test_scale_and_delta(result, scale, delta, saturate):
    img, kernel = picture((31, 64), "uint8"), whole((3, 3))
    got = image.filter2d(img, kernel, dtype=result, scale=scale, delta=delta, saturate=saturate)
    check(got, img, kernel, dtype=result, scale=scale, delta=delta, saturate=saturate)


@pytest.mark.parametrize("method", ["direct", "separable", "fft"])
@pytest.mark.parametrize("shape", [(9, 9), (15, 15), (21, 5)])
@pytest.mark.parametrize("channel_axis", [None, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_whole_numbers_are_exact_on_every_road(dtype, channel_axis, shape, method):
    img = picture((130, 150) if channel_axis is None else (130, 150, 3), dtype)
    kernel = np.outer(*(whole(n, seed=n, most=2) for n in shape))
    kernel[0, 0] = 3 if method != "separable" else kernel[0, 0]
    got = image.filter2d(img, kernel, scale=2.0**-6, delta=11, channel_axis=channel_axis, method=method)
    check(got, img, kernel, scale=2.0**-6, delta=11, channel_axis=channel_axis)


@pytest.mark.parametrize("method", ["direct", "separable", "fft"])
def test_sums_beyond_24_bits_keep_their_low_bits(method):
    img = picture((70, 90), "uint16")
    kernel = np.outer(whole(15, most=9), whole(15, seed=2, most=9))
    got = image.filter2d(img, kernel, saturate=False, method=method)
    check(got, img, kernel, saturate=False)


@pytest.mark.parametrize("method", ["direct", "separable", "fft", "auto"])
@pytest.mark.parametrize("kernel", [np.full((13, 13), 1 / 169), np.outer(np.hanning(15)[1:-1], np.hanning(15)[1:-1]) / 49], ids=["box", "hann"])
@pytest.mark.parametrize(("dtype", "result"), [("uint8", "uint8"), ("uint8", "float32"), ("uint16", "uint16"), ("float32", "uint8"), ("float64", "int16")])
def test_fractional_kernels_on_every_road(dtype, result, kernel, method):
    img = picture((150, 140, 3), dtype)
    if img.dtype.kind == "f":
        img = 100 * img
    got = image.filter2d(img, kernel, dtype=result, channel_axis=-1, method=method)
    check(got, img, kernel, dtype=result, channel_axis=2)


def test_dark_beside_bright_does_not_void_the_transforms(monkeypatch):
    """An error counts by the step of the result: no tile goes on to float64 for a pixel of 1 in a block beside white ones."""
    img = np.zeros((256, 256), np.uint8)
    img[:128] = 255
    img[200::16, ::16] = 1
    kernel = fractional((31, 31))
    taken = []
    transformed = _execute._transformed
    monkeypatch.setattr(_execute, "_transformed", lambda *given, **more: taken.append(given[2]) or transformed(*given, **more))
    check(image.filter2d(img, kernel, method="fft"), img, kernel)
    assert set(taken) == {"f"}
    image.filter2d(img, kernel, method="fft", dtype="float32")
    assert set(taken) == {"f", "d"}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("boundary", ["constant", "replicate", "reflect", "reflect101"])
def test_opencv_agrees_on_whole_numbers(boundary, dtype):
    """Below its switch to transforms at 12 x 12; OpenCV has no uint16 sums beyond 24 bits."""
    img = picture((45, 67, 3), dtype) if dtype[0] != "f" else picture((45, 67, 3), "uint8").astype(dtype)
    for shape in [(3, 3), (5, 3), (2, 4)]:
        kernel = whole(shape)
        theirs = cv2.filter2D(img, -1, kernel.astype(np.float32), delta=7, borderType=getattr(cv2, CV_BORDERS[boundary]))
        ours = image.filter2d(img, kernel, channel_axis=-1, delta=7, boundary=boundary)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("boundary", CV_BORDERS)
def test_opencv_agrees_on_borders(boundary):
    """All five through copyMakeBorder: filter2D itself does not wrap."""
    img, kernel = picture((20, 25), "uint8"), whole((5, 7))
    around = cv2.copyMakeBorder(img, 8, 8, 8, 8, getattr(cv2, CV_BORDERS[boundary]), value=9)
    theirs = cv2.filter2D(around, -1, kernel.astype(np.float32))[8:-8, 8:-8]
    fill = {"fillvalue": 9} if boundary == "constant" else {}
    np.testing.assert_array_equal(image.filter2d(img, kernel, boundary=boundary, **fill), theirs)


@pytest.mark.parametrize("anchor", [(0, 0), (0, 3), (2, 1), (1, 2)])
@pytest.mark.parametrize("operation", ["correlate", "convolve"])
def test_opencv_agrees_on_anchors(anchor, operation):
    img, kernel = picture((20, 25), "uint8"), whole((3, 4))
    weights, place = kernel.astype(np.float32), anchor
    if operation == "convolve":         # as OpenCV's documentation says to do it
        weights, place = cv2.flip(weights, -1), (3 - anchor[0] - 1, 4 - anchor[1] - 1)
    theirs = cv2.filter2D(img, -1, weights, anchor=place[::-1])
    np.testing.assert_array_equal(image.filter2d(img, kernel, anchor=anchor, operation=operation), theirs)


def test_convolution_is_that_of_scipy():
    from scipy import ndimage

    img, kernel = picture((20, 25), "int16", 3) // 100, whole((4, 5))
    theirs = ndimage.convolve(img, kernel, mode="mirror")
    np.testing.assert_array_equal(image.filter2d(img, kernel, operation="convolve"), theirs)


def test_a_point_shows_the_kernel():
    img = np.zeros((7, 9), np.uint8)
    img[3, 4] = 1
    kernel = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(image.filter2d(img, kernel, operation="convolve")[2:5, 2:6], kernel)
    np.testing.assert_array_equal(image.filter2d(img, kernel)[2:5, 3:7], kernel[::-1, ::-1])


@pytest.mark.parametrize("channel_axis", [0, 1, 2, -1, -3])
def test_scikit_image_agrees_on_colour(channel_axis):
    img = np.moveaxis(picture((40, 50, 3), "uint8").astype(np.float64), 2, channel_axis)
    kernel = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    got = image.filter2d(img, kernel, channel_axis=channel_axis)
    for c in range(3):
        plane = np.take(img, c, channel_axis)
        np.testing.assert_allclose(np.take(got, c, channel_axis), sums_of(plane, kernel).astype(float), rtol=1e-13)
    sobel = np.outer([1, 2, 1], [1, 0, -1]) / 8     # scikit-image's is of slope 2, and flipped
    grey = np.take(img, 0, channel_axis)
    theirs = skimage.filters.sobel_v(grey)
    np.testing.assert_allclose(image.filter2d(grey, sobel, operation="convolve", scale=2, boundary="reflect"), theirs, atol=1e-11)


def layouts(base):
    """The same pixels, laid out in memory in other ways."""
    yield np.asfortranarray(base)
    yield np.flip(np.flip(base).copy())
    yield np.flip(np.flip(base, 1).copy(), 1)
    yield np.repeat(base, 2, axis=1)[:, ::2]
    yield base.astype(base.dtype.newbyteorder())
    if base.ndim == 3:
        yield np.moveaxis(np.moveaxis(base, 2, 0).copy(), 0, 2)
        yield np.repeat(base, 2, axis=2)[..., ::2]


@pytest.mark.parametrize("size", [5, 17])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_layouts_have_the_same_bits(dtype, size):
    base = picture((60, 70, 3), dtype)
    for kernel in (whole((size, size)), fractional((size, size))):
        expected = image.filter2d(base, kernel, channel_axis=2)
        for other in layouts(base):
            np.testing.assert_array_equal(image.filter2d(other, kernel, channel_axis=2), expected)
        planar = image.filter2d(np.moveaxis(base, 2, 0).copy(), kernel, channel_axis=0)
        np.testing.assert_array_equal(np.moveaxis(planar, 0, 2), expected)
        grey = base[..., 1].copy()          # its tiles ride in other pairs: as right, but not to the last bit
        check(image.filter2d(grey, kernel), grey, kernel)


@pytest.mark.parametrize("size", [3, 9, 21])
def test_workers_have_the_same_bits(size):
    img, kernel = picture((400, 300, 3), "uint8"), fractional((size, size))
    one = image.filter2d(img, kernel, channel_axis=2, workers=1)
    np.testing.assert_array_equal(image.filter2d(img, kernel, channel_axis=2, workers=3), one)


@pytest.mark.parametrize("channel_axis", [0, 2])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [3, 19])
def test_alpha_is_kept_or_filtered(dtype, channel_axis, size):
    img = np.moveaxis(picture((50, 60, 4), dtype), 2, channel_axis)
    kernel = fractional((size, size))
    filtered = image.filter2d(img, kernel, channel_axis=channel_axis, scale=0.5)
    check(filtered, img, kernel, channel_axis=channel_axis, scale=0.5)
    kept = image.filter2d(img, kernel, channel_axis=channel_axis, alpha="keep", scale=0.5)
    alpha = np.take(img, 3, channel_axis)
    np.testing.assert_array_equal(np.take(kept, 3, channel_axis), alpha)
    colours = np.take(img, range(3), channel_axis)      # as a picture without alpha, whose tiles ride in other pairs
    expected = image.filter2d(colours, kernel, channel_axis=channel_axis, scale=0.5)
    np.testing.assert_array_equal(np.take(kept, range(3), channel_axis), expected)
    check(expected, colours, kernel, channel_axis=channel_axis, scale=0.5)


def test_kept_alpha_takes_the_results_dtype():
    img = picture((6, 7, 4), "int16")
    kept = image.filter2d(img, np.ones((1, 1)), channel_axis=2, alpha="keep", dtype="uint8", saturate=False)
    np.testing.assert_array_equal(kept[..., 3], np.clip(img[..., 3], 0, 255))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 4, 3), (4, 4, 0)])
def test_empty_pictures(shape):
    axis = 2 if len(shape) == 3 else None
    got = image.filter2d(np.zeros(shape, np.uint8), np.ones((3, 3)), channel_axis=axis, dtype="float32")
    assert got.shape == shape
    assert got.dtype == np.float32


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (2, 1)])
def test_pictures_smaller_than_the_kernel(shape, boundary):
    for dtype in ("uint8", "float64"):
        img, kernel = picture(shape, dtype), whole((5, 4))
        check(image.filter2d(img, kernel, boundary=boundary), img, kernel, boundary=boundary)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floating_pictures_may_be_surrounded_by_what_is_not_finite(value, dtype):
    got = image.filter2d(np.ones((5, 6), dtype), np.ones((3, 3)), boundary="constant", fillvalue=value)
    expected = np.full((5, 6), value)
    expected[1:-1, 1:-1] = 9
    np.testing.assert_array_equal(got, expected)


def test_every_name_of_a_boundary_is_understood():
    img, kernel = picture((9, 11), "uint8"), whole((3, 5))
    expected = {IMAGE_NAMES[name]: image.filter2d(img, kernel, boundary=name) for name in PADS}
    assert len({result.tobytes() for result in expected.values()}) == len(PADS)
    for name, rule in IMAGE_NAMES.items():
        np.testing.assert_array_equal(image.filter2d(img, kernel, boundary=name), expected[rule])


@pytest.mark.parametrize("order", ["C", "F", "strided", "swapped", "overlapping"])
def test_out(order):
    img, kernel = picture((40, 50, 3), "uint8"), whole((3, 3))
    expected = image.filter2d(img, kernel, channel_axis=2, dtype="int16")
    wide = np.zeros((80, 100, 3), "int16")
    out = {
        "C": np.empty((40, 50, 3), "int16"),
        "F": np.empty((40, 50, 3), "int16", "F"),
        "strided": wide[::2, ::-2],
        "swapped": np.empty((40, 50, 3), np.dtype("int16").newbyteorder()),
        "overlapping": np.empty((40, 50, 3), "int16"),
    }[order]
    if order == "overlapping":
        out[...] = img
        img = out
        expected = image.filter2d(img.copy(), kernel, channel_axis=2)
    assert image.filter2d(img, kernel, channel_axis=2, dtype="int16", out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_inputs_are_not_modified():
    img, kernel = picture((30, 30, 4), "uint8"), fractional((5, 5))
    before = img.copy(), kernel.copy()
    image.filter2d(img, kernel, channel_axis=2, alpha="keep", operation="convolve")
    np.testing.assert_array_equal(img, before[0])
    np.testing.assert_array_equal(kernel, before[1])


def test_bool_is_a_majority_vote_and_a_dilation():
    img = picture((30, 40), "bool")
    counts = sums_of(img, np.ones((3, 3), int))
    np.testing.assert_array_equal(image.filter2d(img, np.full((3, 3), 1 / 9)), counts >= 5)
    np.testing.assert_array_equal(image.filter2d(img, np.ones((3, 3))), counts >= 1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("count", [7, 250, 1000])
def test_halves_are_rounded_to_even_numbers(dtype, count):
    """Sums of fractions, which are floating, of one row of taps and of several."""
    row = (np.arange(count) - (count // 2 if dtype == "int16" else 0)).astype(dtype)
    for kernel in ([[0.5]], [[0.25, 0.25]], [[0, 0, 0], [0, 0.5, 0], [0, 0, 0]]):
        got = image.filter2d(np.stack([row] * 3), kernel, anchor=(len(kernel) // 2, len(kernel[0]) // 2), boundary="replicate")
        means = row / 2 if len(kernel[0]) != 2 else (row / 4 + np.concatenate([row[:1], row[:-1]]) / 4)
        np.testing.assert_array_equal(got, np.stack([np.rint(means).astype(dtype)] * 3))


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.parametrize("pixels", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16"])
def test_nan_becomes_zero_in_integers_and_infinities_their_limits(dtype, pixels, scale):
    img = np.full((5, 5), 8, pixels)
    img[2] = np.nan, -np.inf, np.inf, -np.inf, np.nan
    got = image.filter2d(img, np.ones((1, 1)), dtype=dtype, delta=-10, scale=scale)
    least, most = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    np.testing.assert_array_equal(got[2], np.array([0, least, most, least, 0], dtype))
    assert (got[:2] == max(8 * scale - 10, least)).all()


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.sampled_from(DTYPES),
    st.sampled_from(DTYPES), st.sampled_from(sorted(PADS)), st.booleans(), st.sampled_from([1, 0.5, 2.0**-4]), st.integers(-5, 300),
    st.integers(0, 2**32),
)  # fmt: skip
def test_any_call(m, n, kh, kw, dtype, result, boundary, rounds, scale, delta, seed):
    img, kernel = picture((m, n), dtype, seed), whole((kh, kw), seed) if rounds else fractional((kh, kw), seed)
    anchor = seed % kh, seed // 7 % kw
    got = image.filter2d(img, kernel, boundary=boundary, anchor=anchor, scale=scale, delta=delta, dtype=result)
    check(got, img, kernel, dtype=result, scale=scale, delta=delta, boundary=boundary, anchor=anchor)


GOOD = {"image": np.zeros((6, 7), np.uint8), "kernel": np.ones((3, 3))}
RGB = np.zeros((6, 7, 3), np.uint8)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"image": np.zeros((6, 7), np.int32)}, ValueError, ["`image`", "int32", "uint8", "float64"]),
        ({"image": np.zeros((6, 7), complex)}, ValueError, ["`image`", "complex128"]),
        ({"image": RGB}, ValueError, ["`image`", "3 dimensions", "`channel_axis`"]),
        ({"image": np.zeros(5, np.uint8)}, ValueError, ["`image`", "1 dimensions"]),
        ({"channel_axis": 0}, ValueError, ["`image`", "2 dimensions", "3"]),
        ({"image": RGB, "channel_axis": 3}, ValueError, ["`channel_axis` 3", "-3 to 2"]),
        ({"image": RGB, "channel_axis": "last"}, TypeError, ["`channel_axis`", "'last'"]),
        ({"kernel": np.ones(3)}, ValueError, ["`kernel`", "(3,)", "2 dimensions"]),
        ({"kernel": np.ones((3, 3, 1))}, ValueError, ["`kernel`", "(3, 3, 1)"]),
        ({"kernel": np.ones((0, 3))}, ValueError, ["`kernel`", "(0, 3)"]),
        ({"kernel": [[1j]]}, ValueError, ["`kernel`", "complex128", "`magnitude`"]),
        ({"kernel": [["a"]]}, ValueError, ["`kernel`", "numbers"]),
        ({"anchor": (3, 0)}, ValueError, ["`anchor` (3, 0)", "(2, 2)"]),
        ({"anchor": (0, -1)}, ValueError, ["`anchor`"]),
        ({"anchor": 1}, TypeError, ["`anchor`", "two integers"]),
        ({"anchor": (1, 1, 1)}, TypeError, ["`anchor`", "two integers"]),
        ({"boundary": "mirrored"}, ValueError, ["`boundary`", "'mirrored'", "'reflect101'", "'symm'"]),
        ({"boundary": ["wrap"]}, ValueError, ["`boundary`"]),
        ({"fillvalue": 256}, ValueError, ["`fillvalue` 256", "uint8"]),
        ({"fillvalue": 0.5}, ValueError, ["`fillvalue` 0.5", "uint8"]),
        ({"fillvalue": "a"}, TypeError, ["`fillvalue`"]),
        ({"delta": None}, TypeError, ["`delta`", "real number"]),
        ({"scale": np.inf}, ValueError, ["`scale`", "finite"]),
        ({"delta": -(10**400)}, ValueError, ["`delta`", "finite"]),
        ({"fillvalue": 10**400}, ValueError, ["`fillvalue`", "is not a pixel"]),
        ({"dtype": "int32"}, ValueError, ["`dtype` 'int32'", "uint8"]),
        ({"dtype": "pixel"}, ValueError, ["`dtype` 'pixel'", "uint8"]),
        ({"saturate": "yes"}, TypeError, ["`saturate`", "True or False"]),
        ({"operation": "filter"}, ValueError, ["`operation`", "'correlate'", "'convolve'"]),
        ({"alpha": "keep"}, ValueError, ["`alpha`", "4 channels", "no channel axis"]),
        ({"alpha": "keep", "image": np.zeros((6, 7, 5), np.uint8), "channel_axis": 2}, ValueError, ["`alpha`", "4 channels", "5 channels"]),
        ({"alpha": "drop"}, ValueError, ["`alpha`", "'filter'", "'keep'"]),
        ({"method": "best"}, ValueError, ["`method`", "'direct'"]),
        ({"out": np.zeros((6, 6), np.uint8)}, ValueError, ["`out`", "(6, 7)"]),
        ({"out": np.zeros((6, 7), np.int16)}, ValueError, ["`out`", "uint8"]),
        ({"out": [1]}, TypeError, ["`out`"]),
        ({"workers": 0}, ValueError, ["workers"]),
    ],
)
def test_errors_name_the_argument_and_what_is_accepted(change, error, words):
    with pytest.raises(error) as caught:
        image.filter2d(**{**GOOD, **change})
    for word in words:
        assert word in str(caught.value)
