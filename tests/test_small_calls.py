"""Small calls made before are done again by the jobs made then: same bits as the first time, and never those of another call."""

import gc
import threading
import weakref

import numpy as np
import pytest
import scipy.ndimage
import zoo

from rapidconv import _again, _call, _ndimage_call, image, ndimage, signal

RNG = np.random.default_rng(11)
LINE = RNG.normal(size=5)
SQUARE = RNG.normal(size=(3, 3))
WHOLE = np.array([[1, -2, 1], [0, 3, 0], [-1, 5, 2]])

# Each has a kept answer; what SciPy says of the same call is the oracle.
CALLS = {
    "convolve": lambda m, x, **kw: m.convolve(x, SQUARE, **kw),
    "correlate of whole numbers": lambda m, x, **kw: m.correlate(x, WHOLE, **kw),
    "convolve with a list": lambda m, x, **kw: m.convolve(x, [[0, 1, 0], [1, -4, 1], [0, 1, 0]], **kw),
    "convolve1d": lambda m, x, **kw: m.convolve1d(x, LINE, axis=0, **kw),
    "correlate1d": lambda m, x, **kw: m.correlate1d(x, [1, 2, -1], **kw),
    "uniform_filter": lambda m, x, **kw: m.uniform_filter(x, (3, 4), **kw),
    "two rules": lambda m, x, mode, **kw: m.uniform_filter(x, (3, 4), mode=[mode, "mirror"], **kw),
    "uniform_filter1d": lambda m, x, **kw: m.uniform_filter1d(x, 4, **kw),
    "gaussian_filter": lambda m, x, **kw: m.gaussian_filter(x, 1.2, **kw),
    "gaussian_filter1d": lambda m, x, **kw: m.gaussian_filter1d(x, np.float64(0.8), order=1, **kw),
    "sobel": lambda m, x, **kw: m.sobel(x, 0, **kw),
    "prewitt": lambda m, x, **kw: m.prewitt(x, **kw),
    "laplace": lambda m, x, **kw: m.laplace(x, **kw),
}


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch):
    _again.kept.clear()
    monkeypatch.setattr(_again, "is_new", lambda _: False)      # jobs of Gaussians are made at once


def picture(dtype, shape=(9, 11), seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if np.dtype(dtype).kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def refuse(*_):
    raise AssertionError("the long way was taken")


@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "h", "l", "D"])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_made_before_is_done_again(name, dtype, mode, monkeypatch):
    call = CALLS[name]
    first, other = picture(dtype), picture(dtype, seed=1)
    call(ndimage, first, mode=mode)
    assert len(_again.kept) == 1
    _again.kept.clear()
    long_way = call(ndimage, memoryview(other), mode=mode)      # which is not kept
    assert not _again.kept
    call(ndimage, first, mode=mode)
    monkeypatch.setattr(_ndimage_call._blocks, "run", refuse)
    again = call(ndimage, other, mode=mode)
    assert again.tobytes() == long_way.tobytes()
    out = np.empty_like(again)
    with pytest.raises(AssertionError, match="long way"):
        call(ndimage, other, mode=mode, output=out)     # another call
    theirs = call(scipy.ndimage, other, mode=mode)
    assert again.dtype == theirs.dtype
    if again.dtype.kind in "iu" and name != "laplace":
        np.testing.assert_array_equal(again, theirs)
    else:
        np.testing.assert_allclose(again, theirs, rtol=0, atol=2e-5 if dtype == "f" else 1e-12)


@pytest.mark.parametrize("channel_axis", [None, 2, 0])
@pytest.mark.parametrize("dtype", ["B", "H", "h", "f", "d", "?"])
def test_a_picture_like_one_before_is_filtered_again(dtype, channel_axis, monkeypatch):
    shape = (9, 11) if channel_axis is None else (9, 11, 3) if channel_axis == 2 else (3, 9, 11)
    first, other = picture(dtype, shape), picture(dtype, shape, seed=1)
    long_way = image.filter2d(memoryview(other), SQUARE, channel_axis=channel_axis)
    assert not _again.kept
    image.filter2d(first, SQUARE, channel_axis=channel_axis)
    assert len(_again.kept) == 1
    out = np.empty_like(other)
    image.filter2d(first, SQUARE, channel_axis=channel_axis, out=out)
    monkeypatch.setattr(_call._plan, "plans", refuse)
    again = image.filter2d(other, SQUARE, channel_axis=channel_axis)
    assert again.tobytes() == long_way.tobytes()
    assert image.filter2d(other, SQUARE, channel_axis=channel_axis, out=out) is out
    assert out.tobytes() == long_way.tobytes()


@pytest.mark.parametrize("layout", ["fortran", "negative", "every_other_column", "transposed", "wide_pitch"])
@pytest.mark.parametrize("dtype", ["f", "B", "D"])
def test_images_of_any_layout_are_done_again(dtype, layout, monkeypatch):
    first, other = zoo.LAYOUTS[layout](picture(dtype)), picture(dtype, seed=1)
    weights = np.arange(12.0).reshape(3, 4)
    long_way = ndimage.convolve(memoryview(other), weights)
    shown = ndimage.convolve(first, weights)
    np.testing.assert_array_equal(shown, ndimage.convolve(memoryview(first.copy()), weights))
    monkeypatch.setattr(_ndimage_call._blocks, "run", refuse)
    for laid in (zoo.LAYOUTS[layout](other), other):
        assert ndimage.convolve(laid, weights).tobytes() == long_way.tobytes()


ADDED = {
    "lines of two rules": lambda m, x, **kw: m.laplace(x, mode=["wrap", "nearest"], **kw),
    "real and imaginary products": lambda m, x, **kw: m.correlate(x * (1 + 2j), np.array([[1, 2j], [3, 4]]), **kw),
}


@pytest.mark.parametrize("layout", ["fortran", "negative", "every_other", "transposed", "wide_pitch"])
@pytest.mark.parametrize("dtype", ["f", "d", "B"])
@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_up_in_an_array_of_any_layout(name, dtype, layout):
    """Jobs add to numbers that lie side by side; where they do not, what lies beside them is not touched."""
    pixels = picture(dtype)
    expected = ADDED[name](ndimage, pixels)
    np.testing.assert_allclose(expected, ADDED[name](scipy.ndimage, pixels), rtol=1e-5, atol=1e-5)
    out = zoo.LAYOUTS[layout](np.ones_like(expected))
    whole = out if out.base is None else out.base
    before = zoo.bits(whole)
    ADDED[name](ndimage, pixels, output=out)
    assert zoo.same_bits(out, expected)
    out[...] = 1
    assert zoo.bits(whole) == before


@pytest.mark.parametrize("dtype", ["f", "d", "B", "h", "l", "D"])
@pytest.mark.parametrize("name", CALLS)
def test_little_calls_on_images_of_other_sides_are_done_again(name, dtype, monkeypatch):
    for shapes in ([(19, 23), (40, 17), (150, 40), (2, 200)], [(19, 5), (40, 5), (7, 5)], [(1, 30), (1, 19)]):
        check_other_sides(CALLS[name], [picture(dtype, shape, seed) for seed, shape in enumerate(shapes)], monkeypatch)


def check_other_sides(call, images, monkeypatch):
    """The first image's call makes the jobs, which do those of all."""
    long_way = [call(ndimage, memoryview(each), mode="wrap") for each in images]
    call(ndimage, images[0], mode="wrap")
    with monkeypatch.context() as patch:
        patch.setattr(_ndimage_call._blocks, "run", refuse)
        for each, expected in zip(images, long_way, strict=True):
            again = call(ndimage, each, mode="wrap")
            assert again.shape == expected.shape
            assert again.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["B", "d"])
@pytest.mark.parametrize("operation", ["correlate", "convolve"])
def test_pictures_of_other_sides_and_kernels_of_other_taps_are_filtered_again(operation, dtype, monkeypatch):
    shapes, kernels = [(19, 23, 3), (7, 40, 3), (1, 5, 3)], [RNG.normal(size=(3, 4)) for _ in range(3)]
    images = [picture(dtype, shape, seed) for seed, shape in enumerate(shapes)]
    long_way = [
        image.filter2d(memoryview(each), kernel, channel_axis=2, operation=operation)
        for each, kernel in zip(images, kernels, strict=True)
    ]
    image.filter2d(images[0], kernels[2], channel_axis=2, operation=operation)
    image.filter2d(images[2], kernels[2], channel_axis=2, operation=operation)
    monkeypatch.setattr(_call._plan, "plans", refuse)
    for each, kernel, expected in zip(images, kernels, long_way, strict=True):
        assert image.filter2d(each, kernel, channel_axis=2, operation=operation).tobytes() == expected.tobytes()


@pytest.mark.parametrize("output", [None, "i4"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "D"])
@pytest.mark.parametrize("char", ["f", "d"])
def test_other_weights_are_summed_by_the_same_jobs(char, dtype, output, monkeypatch):
    if dtype == "D" and output:
        output = "F"
    x = picture(dtype)
    calls = [
        lambda x, w: ndimage.convolve(x, w, output), lambda x, w: ndimage.correlate(x, w, output, origin=(0, 1)),
        lambda x, w: ndimage.convolve1d(x, w[0], 0, output), lambda x, w: ndimage.correlate1d(x, w[:, 1], 1, output),
    ]  # fmt: skip
    weights = [RNG.normal(size=(3, 4)).astype(char) for _ in range(4)]
    for call in calls:
        long_way = [call(memoryview(x), w) for w in weights]
        call(x, weights[-1] + 1)
        with monkeypatch.context() as patch:
            patch.setattr(_ndimage_call._blocks, "run", refuse)
            for w, expected in zip(weights, long_way, strict=True):
                assert call(x, w).tobytes() == expected.tobytes()


@pytest.mark.parametrize("output", [None, "i8"])
@pytest.mark.parametrize("dtype", ["?", "B", "h", "i", "l"])
@pytest.mark.parametrize("char", ["b", "l", "d"])
def test_other_whole_weights_of_about_the_same_sum_are_summed_by_the_same_jobs(char, dtype, output, monkeypatch):
    x = picture(dtype) << (20 if dtype == "i" else 50) if dtype in "il" else picture(dtype)
    calls = [
        lambda x, w: ndimage.convolve(x, w, output), lambda x, w: ndimage.correlate(x, w, output, origin=(0, 1)),
        lambda x, w: ndimage.convolve1d(x, w[0], 0, output), lambda x, w: ndimage.correlate1d(x, w[:, 1], 1, output),
    ]  # fmt: skip
    if dtype in "?Bh":
        calls.append(lambda x, w: image.filter2d(x, w, operation="convolve"))
        calls.append(lambda x, w: image.filter2d(x, w, dtype="float32", scale=0.5))
    square = np.array([[11, -12, 13, -15], [14, 15, -11, 12], [-13, 11, 12, 14]], char)      # sums of its lines are one power of two
    weights = [np.roll(square, k, axis=1) for k in range(4)]
    for call in calls:
        long_way = [call(memoryview(x), w) for w in weights]
        call(x, weights[-1])
        with monkeypatch.context() as patch:
            patch.setattr(_ndimage_call._blocks, "run", refuse)
            patch.setattr(_call._plan, "plans", refuse)
            for w, expected in zip(weights, long_way, strict=True):
                assert call(x, w).tobytes() == expected.tobytes()


@pytest.mark.parametrize("bits", [10, 23, 24, 25, 40, 52, 53, 62])
def test_whole_weights_of_another_sum_are_exact_whatever_was_done_before(bits):
    """Lanes, and the images they are exact for, follow from the sum of the weights: one beside a power of two, and the power."""
    x = np.array([[2**bits // k + 3 for k in (1, 2, 7, 300, 70000)]] * 3)
    for least in (2**8, 2**24, 2**31, 2**51):
        for weights in ([1, least], [3, least - 4], [1, -1], [2, least - 1], [-1, least + 1]):
            got = ndimage.correlate1d(x, np.array(weights))
            expected = [[(a * weights[0] + b * weights[1] + 2**63) % 2**64 - 2**63 for a, b in zip([row[0], *row], row, strict=False)]
                        for row in x.tolist()]  # fmt: skip
            assert got.tolist() == expected


VOLUMES = CALLS | {
    "weights of three axes": lambda m, x, **kw: m.correlate(x, CUBE[: x.shape[0] % 2 + 1], **kw),
    "weights of two of three axes": lambda m, x, **kw: m.convolve(x, SQUARE + x.shape[1], axes=(0, 2), **kw),
}
CUBE = RNG.normal(size=(2, 3, 2))


@pytest.mark.parametrize("dtype", ["f", "d", "B", "h", "l", "D"])
@pytest.mark.parametrize("name", [name for name in VOLUMES if name not in ("convolve", "correlate of whole numbers", "convolve with a list",
                                                                          "uniform_filter", "two rules")])  # fmt: skip
def test_little_calls_on_volumes_of_other_sides_are_done_again(name, dtype, monkeypatch):
    for shapes in ([(9, 8, 20), (7, 10, 17), (3, 30, 40)], [(9, 8, 5), (11, 40, 5), (3, 2, 5)], [(9, 1, 20), (7, 1, 30), (19, 1, 19)]):
        check_other_sides(VOLUMES[name], [picture(dtype, shape, seed) for seed, shape in enumerate(shapes)], monkeypatch)


HYPER = {
    "weights of all axes": lambda m, x, **kw: m.correlate(x, FOUR.reshape((2, 3, 2) + (1,) * (x.ndim - 4) + (3,)) + x.shape[0], **kw),
    "weights of two axes": lambda m, x, **kw: m.convolve(x, SQUARE + x.shape[1], axes=(1, 3), **kw),
    "uniform_filter": lambda m, x, **kw: m.uniform_filter(x, 3, **kw),
} | {name: CALLS[name] for name in ("correlate1d", "gaussian_filter", "sobel", "laplace")}
FOUR = RNG.normal(size=(2, 3, 2, 3))


@pytest.mark.parametrize("dtype", ["f", "d", "B", "D"])
@pytest.mark.parametrize("name", HYPER)
def test_little_calls_on_images_of_four_axes_and_more_are_done_again(name, dtype, monkeypatch):
    for shapes in (
        [(4, 3, 5, 20), (3, 6, 4, 17), (2, 2, 3, 40)], [(4, 3, 9, 5), (3, 8, 7, 5)], [(2, 3, 4, 3, 17), (3, 2, 5, 2, 19)],
        [(2, 3, 2, 3, 2, 17), (3, 2, 3, 2, 3, 18)],
    ):  # fmt: skip
        images = [picture(dtype, shape, seed) for seed, shape in enumerate(shapes)]
        check_other_sides(HYPER[name], images, monkeypatch)
        theirs = HYPER[name](scipy.ndimage, images[1])
        np.testing.assert_allclose(HYPER[name](ndimage, images[1]), theirs, rtol=0, atol=1e-2 if dtype == "f" else 1e-8)


@pytest.mark.parametrize("shape", [(9, 11), (40, 1), (4, 5, 6)])
@pytest.mark.parametrize("output", ["B", "i", "?", "l"])
def test_sums_of_cut_passes_are_done_again(output, shape, monkeypatch):
    images = [10 * picture("d", shape, seed) for seed in range(2)]
    output = np.dtype(output).type
    long_way = ndimage.laplace(memoryview(images[1]), output)
    ndimage.laplace(images[0], output)
    monkeypatch.setattr(_ndimage_call._blocks, "run", refuse)
    again = ndimage.laplace(images[1], output)
    assert again.tobytes() == long_way.tobytes()
    if output is not np.bool_:
        np.testing.assert_array_equal(again, scipy.ndimage.laplace(images[1], output))


@pytest.mark.parametrize("mode", ["reflect", "constant"])
@pytest.mark.parametrize("dtype", ["d", "D", "F", "l"])
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_complex_weights_are_done_again(operation, dtype, mode, monkeypatch):
    weights = picture("D", (3, 4))
    call = getattr(ndimage, operation)
    first, other = picture(dtype), picture(dtype, (19, 6), seed=1)
    long_way = call(memoryview(other), weights, mode=mode, cval=2)
    call(first, weights, mode=mode, cval=2)
    call(picture(dtype, (5, 6)), weights, mode=mode, cval=2)
    monkeypatch.setattr(_ndimage_call._blocks, "run", refuse)
    again = call(other, weights, mode=mode, cval=2)
    assert again.tobytes() == long_way.tobytes()
    theirs = getattr(scipy.ndimage, operation)(other, weights, mode=mode, cval=2)
    np.testing.assert_allclose(again, theirs, rtol=0, atol=1e-3 if dtype == "F" else 1e-11)


@pytest.mark.parametrize("mode", ["reflect", "constant"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "D", "F"])
@pytest.mark.parametrize("char", ["F", "D"])
def test_other_complex_weights_are_summed_by_the_same_jobs(char, dtype, mode, monkeypatch):
    given = {"mode": mode, "cval": 2}
    calls = [
        lambda m, x, w: m.convolve(x, w, **given), lambda m, x, w: m.correlate(x, w, origin=(0, 1), **given),
        lambda m, x, w: m.convolve1d(x, w[0], 0, **given), lambda m, x, w: m.correlate1d(x, w[:, 1], 1, **given),
    ]  # fmt: skip
    weights, images = [picture(char, (3, 4), seed) for seed in range(3)], [picture(dtype, (9 + k, 13), k) for k in range(3)]
    for call in calls:
        long_way = [call(ndimage, memoryview(x), w) for x, w in zip(images, weights, strict=True)]
        call(ndimage, images[0], weights[2].T.reshape(3, 4))
        with monkeypatch.context() as patch:
            patch.setattr(_ndimage_call._blocks, "run", refuse)
            for x, w, expected in zip(images, weights, long_way, strict=True):
                again = call(ndimage, x, w)
                assert again.tobytes() == expected.tobytes()
                np.testing.assert_allclose(again, call(scipy.ndimage, x, w), rtol=0, atol=1e-3 if dtype in "Ff" else 1e-11)


@pytest.mark.parametrize("dtype", ["d", "D"])
def test_zeros_of_one_part_of_complex_weights_meet_no_pixel_whatever_was_done_before(dtype):
    x = picture(dtype)
    x[4, 5] = np.inf
    full = picture("D", (3, 3))
    others = np.where(np.eye(3), full.real, full), np.where(np.eye(3), 1j * full.imag, full), full
    with np.errstate(invalid="ignore"):
        expected = [ndimage.convolve(memoryview(x), weights).tobytes() for weights in others]
        assert len(set(expected)) == 3
        for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
            _again.kept.clear()
            assert [ndimage.convolve(x, others[k]).tobytes() for k in order] == [expected[k] for k in order]


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_few_columns_behind_which_there_are_none_are_not_those_of_wider_images(dtype):
    """Lines along so few pixels are not multiplied out with others."""
    few, many = picture(dtype, (30, 5, 1)), picture(dtype, (30, 50, 1))
    for one, two in ((few, many), (many, few)):
        expected = ndimage.gaussian_filter(memoryview(two), 0.4, axes=(0, 1))
        ndimage.gaussian_filter(one, 0.4, axes=(0, 1))
        assert ndimage.gaussian_filter(two, 0.4, axes=(0, 1)).tobytes() == expected.tobytes()
        _again.kept.clear()


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_few_numbers_behind_two_axes_are_not_those_of_wider_images(dtype):
    """Lines along axes before no more numbers than pixels have channels are multiplied out."""
    few, many = picture(dtype, (30, 20, 3, 2)), picture(dtype, (30, 20, 30, 2))
    for one, two in ((few, many), (many, few)):
        expected = ndimage.gaussian_filter(memoryview(two), 0.4, axes=(0, 1))
        ndimage.gaussian_filter(one, 0.4, axes=(0, 1))
        assert ndimage.gaussian_filter(two, 0.4, axes=(0, 1)).tobytes() == expected.tobytes()
        _again.kept.clear()


COPIES = {
    "means of one pixel": lambda m, x, **kw: m.uniform_filter(x, 1, **kw),
    "a Gaussian of no width": lambda m, x, **kw: m.gaussian_filter(x, 0, **kw),
    "no axes": lambda m, x, **kw: m.uniform_filter(x, 3, axes=(), **kw),
}


@pytest.mark.parametrize("call", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("output", [None, "f", "B", "D"])
@pytest.mark.parametrize("dtype", ["d", "B", "D", "?"])
def test_copies_are_made_again(dtype, output, call, monkeypatch):
    if dtype == "D":
        output = output and "F"
    kw = {} if output is None else {"output": output}
    images = [abs(picture(dtype, shape, seed)) if dtype == "d" else picture(dtype, shape, seed) for seed, shape in enumerate(((9, 21), (2, 30)))]
    call(ndimage, images[0], **kw)
    monkeypatch.setattr(_ndimage_call._blocks, "run", refuse)
    for x in images:
        again, theirs = call(ndimage, x, **kw), call(scipy.ndimage, x, **kw)
        assert again.dtype == theirs.dtype
        assert again.tobytes() == theirs.tobytes()
        assert not np.shares_memory(again, x)


def test_copies_of_what_is_no_number_are_warned_of_every_time():
    x = np.full((3, 3), np.nan)
    for _ in range(3):
        with pytest.warns(RuntimeWarning, match="invalid value"):
            ndimage.uniform_filter(x, 1, output=np.uint8)


def test_what_is_little_work_is_counted_as_the_planner_counts():
    kernel = RNG.normal(size=(11, 9))
    x = picture("f", (276, 22, 4))
    expected = image.filter2d(memoryview(x), kernel, channel_axis=2)
    image.filter2d(x[:20], kernel, channel_axis=2)
    assert image.filter2d(x, kernel, channel_axis=2).tobytes() == expected.tobytes()


@pytest.mark.parametrize("convolves", [True, False])
@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_the_express_lane_and_the_planner_look_at_the_same_taps(corner, convolves):
    """Of a kernel that is a product but for one corner; an array of another layout for the result goes through the planner."""
    rng = np.random.default_rng(0)
    function = signal.convolve2d if convolves else signal.correlate2d
    for size in range(30, 101, 10):
        for taps in (11, 15, 21, 25, 31):
            x, kernel = rng.random((size, size)), np.outer(rng.random(taps) + 0.5, rng.random(taps) + 0.5)
            kernel[corner] += 1
            planned = np.empty((size, 2 * size))[:, ::2]
            function(x, kernel, "same", out=planned)
            np.testing.assert_array_equal(function(x, kernel, "same"), planned)


@pytest.mark.parametrize(("one", "other"), [("h", "H"), ("b", "B"), ("I", "b"), ("L", "l"), ("L", "b")])
def test_integers_of_which_neither_has_the_common_type_are_not_planned(one, other, monkeypatch):
    x, kernel = (RNG.integers(np.iinfo(char).min, np.iinfo(char).max, shape, char) for char, shape in ((one, (9, 12)), (other, (3, 4))))
    calls = [(x, kernel, "full"), (kernel, x, "same"), (x, kernel, "valid")]
    long_way = [signal.correlate2d(*call, workers=np.int64(1)) for call in calls]
    monkeypatch.setattr(_call._plan, "plans", refuse)
    for call, expected in zip(calls, long_way, strict=True):
        got = signal.correlate2d(*call)
        assert got.dtype == expected.dtype == np.promote_types(one, other)
        assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize(("dtype", "sides"), [("B", 126), ("h", 126), ("H", 126), ("i", 126), ("I", 126), ("l", 60), ("L", 60)])
def test_middle_calls_on_integers_are_not_planned(dtype, sides, monkeypatch):
    info = np.iinfo(dtype)
    x, kernel = (RNG.integers(info.min, info.max, shape, dtype, endpoint=True) for shape in ((16, sides), (8, 8)))
    monkeypatch.setattr(_call._plan, "plans", refuse)
    got = signal.convolve2d(x, kernel, "same")
    exact = np.zeros(x.shape, "L")
    padded = np.pad(x.astype("L"), ((4, 3), (4, 3)))
    for i in range(8):
        for j in range(8):
            exact += kernel[7 - i, 7 - j].astype("L") * padded[i : i + 16, j : j + sides]
    np.testing.assert_array_equal(got, exact.astype(dtype))


@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("dtype", ["f", "d", "B", "h", "l"])
@pytest.mark.parametrize("shape", [(9, 11), (40, 3), (1, 30), (30, 1), (12, 9, 3), (25,)])
def test_a_gaussian_of_another_sigma_is_done_by_the_lines_of_the_last_one(dtype, mode, shape, monkeypatch):
    monkeypatch.undo()
    x = picture(dtype, shape)
    calls = [
        lambda x, sigma: ndimage.gaussian_filter(x, sigma, mode=mode, cval=0 if dtype == "f" else 3, axes=(0, 1)[: x.ndim]),
        lambda x, sigma: ndimage.gaussian_filter(x, sigma, mode=mode, output="f", axes=0),
        lambda x, sigma: ndimage.gaussian_filter1d(x, sigma, axis=0, order=1, mode=mode),
    ]
    for call in calls:
        _again.kept.clear()
        long_way = call(memoryview(x), 1.25)
        call(x, 1.2)
        assert _again.kept
        with monkeypatch.context() as patch:
            patch.setattr(_ndimage_call._blocks, "run", refuse)
            assert call(x, 1.25).tobytes() == long_way.tobytes()


def test_a_gaussian_called_again_has_jobs_of_its_own(monkeypatch):
    monkeypatch.undo()
    x = picture("d")
    first, second = (ndimage.gaussian_filter(x, 1.17) for _ in range(2))
    monkeypatch.setattr(ndimage.asked, "gaussian", refuse)
    monkeypatch.setattr(refuse, "__name__", "gaussian")
    assert first.tobytes() == second.tobytes() == ndimage.gaussian_filter(x, 1.17).tobytes()


@pytest.mark.parametrize("shapes", [[(20, 30), (300, 300)], [(300, 300), (20, 30)], [(8, 16400), (8, 100)], [(8, 100), (8, 16400)]])
def test_small_images_go_line_by_line_and_large_ones_in_two_axes_at_once_whatever_was_done_before(shapes):
    first, second = (picture("f" if 16400 in shapes[0] + shapes[1] else "d", shape) for shape in shapes)
    expected = ndimage.gaussian_filter(memoryview(second), (1, 0.3))
    ndimage.gaussian_filter(first, (1, 0.3))
    assert ndimage.gaussian_filter(second, (1, 0.3)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("shape", [(40, 1), (40, 3)])
def test_weights_of_other_signs_have_jobs_of_their_own_where_lines_are_short(shape):
    x = picture("d", shape)
    mixed, same = RNG.normal(size=9), np.abs(RNG.normal(size=9))
    for weights in ([mixed, same], [same, mixed], [mixed - mixed[::-1], same], [same, mixed - mixed[::-1]]):
        _again.kept.clear()
        for each in weights:
            assert ndimage.correlate1d(x, each).tobytes() == ndimage.correlate1d(memoryview(x), each).tobytes()


def test_more_than_little_work_is_planned_whatever_was_done_before():
    """Jobs of a small image are direct sums; the planner does a large one in products."""
    small, large = picture("d", (20, 30)), picture("d", (400, 390))
    line = np.exp(-np.linspace(-2, 2, 11) ** 2)
    kernel = np.outer(line, line[::-1] + line**2)
    expected = ndimage.correlate(memoryview(large), kernel)
    assert ndimage.correlate(large, kernel, method="direct").tobytes() != expected.tobytes()
    ndimage.correlate(small, kernel)
    assert len(_again.kept) == 1
    for _ in range(2):
        assert ndimage.correlate(large, kernel).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kernel", [[[1e300, 1.0]], [[1e300], [2.0]]])
def test_what_numpy_warns_of_it_warns_of_every_time(kernel):
    pixels = picture("f")
    for _ in range(3):
        with pytest.warns(RuntimeWarning, match="overflow"):
            image.filter2d(pixels, np.array(kernel))
    assert not _again.kept


def test_an_output_that_overlaps_a_strided_image():
    line = picture("d", (9, 40))
    for k in range(3):
        both = line + k
        image, output = both[:, 1::2], both.reshape(-1)[: 9 * 20].reshape(9, 20)
        expected = scipy.ndimage.convolve(image.copy(), SQUARE)
        ndimage.convolve(image, SQUARE, output=output)
        np.testing.assert_allclose(output, expected, rtol=0, atol=1e-12)


X = picture("d", (12, 12))
SMALL_WHOLE = np.array([[2, 0, -1], [1, 1, 1], [0, 5, 0]])

HOLES = np.where(X > 1, np.nan, X)
NO_MIDDLE = np.where(np.arange(9).reshape(3, 3) == 4, 0, SQUARE)
LEVELS = np.repeat(np.arange(256)[:, None], 20, axis=1)

# Pairs of calls that differ in one thing that the result follows from, and in nothing else.
PAIRS = {
    "name": (lambda: ndimage.uniform_filter1d(X, 2, -1), lambda: ndimage.laplace(X, mode="reflect")),
    "name, same arguments": (lambda: ndimage.prewitt(X, 0), lambda: ndimage.sobel(X, 0)),
    "direction": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.correlate(X, SQUARE)),
    "image shape": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X.reshape(6, 24), SQUARE)),
    "image axes": (lambda: ndimage.laplace(X), lambda: ndimage.laplace(X.reshape(2, 6, 12))),
    "image type": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X.view(np.int64) >> 56, SQUARE)),
    "image type of one size": (
        lambda: ndimage.convolve(X.astype("f"), SQUARE), lambda: ndimage.convolve(X.astype("i"), SQUARE)),
    "weights": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X, SQUARE + 1)),
    "weights of zero": (lambda: ndimage.convolve(HOLES, SQUARE), lambda: ndimage.convolve(HOLES, NO_MIDDLE)),
    "even weights": (
        lambda: ndimage.correlate1d(LEVELS, np.array([0.1, 0.3, 0.6, 0.3, 0.1])),
        lambda: ndimage.correlate1d(LEVELS, np.array([0.1, 0.3, 0.6, 0.2, 0.4]))),
    "odd weights": (
        lambda: ndimage.correlate1d(LEVELS, np.array([0.1, 0.3, 0.7, -0.3, -0.1])),
        lambda: ndimage.correlate1d(LEVELS, np.array([0.1, 0.3, 0.6, 0.2, 0.4]))),
    "whole weights": (
        lambda: ndimage.convolve(LEVELS + 2**53, SQUARE), lambda: ndimage.convolve(LEVELS + 2**53, np.rint(9 * SQUARE))),
    "weights beyond float32": (
        lambda: ndimage.convolve(X.astype("f"), SQUARE), lambda: ndimage.convolve(X.astype("f"), SQUARE * 1e100)),
    "shape of weights": (
        lambda: ndimage.convolve(X, SQUARE.reshape(1, 9)), lambda: ndimage.convolve(X, SQUARE.reshape(9, 1))),
    "type of weights": (
        lambda: ndimage.convolve(X, SMALL_WHOLE), lambda: ndimage.convolve(X, SMALL_WHOLE.view(np.float64))),
    "byte order of weights": (
        lambda: ndimage.convolve(X, SMALL_WHOLE), lambda: ndimage.convolve(X, SMALL_WHOLE.view(">i8"))),
    "layout of weights": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X, SQUARE.T)),
    "list of weights": (
        lambda: ndimage.correlate1d(X, [1, 2, 4]), lambda: ndimage.correlate1d(X, [4, 2, 1])),
    "type of numbers in a list": (
        lambda: ndimage.correlate1d(X.astype("B"), [1, 2]), lambda: ndimage.correlate1d(X.astype("B"), [1, 2.5])),
    "lists in lists": (
        lambda: ndimage.correlate(X, [[1, 2], [3, 4]]), lambda: ndimage.correlate(X, [[1, 2, 3, 4]])),
    "mode": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X, SQUARE, mode="wrap")),
    "mode of an axis": (
        lambda: ndimage.sobel(X, mode=["wrap", "nearest"]), lambda: ndimage.sobel(X, mode=["nearest", "wrap"])),
    "cval": (
        lambda: ndimage.convolve(X, SQUARE, mode="constant", cval=1.0),
        lambda: ndimage.convolve(X, SQUARE, mode="constant", cval=2.0)),
    "NaN as cval": (
        lambda: ndimage.convolve(X, SQUARE, mode="constant", cval=np.nan),
        lambda: ndimage.convolve(X, SQUARE, mode="constant", cval=np.inf)),
    "origin": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X, SQUARE, origin=1)),
    "sign of an origin": (
        lambda: ndimage.convolve(X, SQUARE, origin=-1), lambda: ndimage.convolve(X, SQUARE, origin=1)),
    "axes": (
        lambda: ndimage.convolve(X, LINE, axes=0), lambda: ndimage.convolve(X, LINE, axes=(1,))),
    "axis": (lambda: ndimage.convolve1d(X, LINE, 0), lambda: ndimage.convolve1d(X, LINE, 1)),
    "sigma": (lambda: ndimage.gaussian_filter(X, 1.0), lambda: ndimage.gaussian_filter(X, 1.5)),
    "order": (lambda: ndimage.gaussian_filter(X, 1.0), lambda: ndimage.gaussian_filter(X, 1.0, (0, 1))),
    "truncate": (lambda: ndimage.gaussian_filter(X, 1.0), lambda: ndimage.gaussian_filter(X, 1.0, truncate=2)),
    "radius": (lambda: ndimage.gaussian_filter(X, 1.0, radius=3), lambda: ndimage.gaussian_filter(X, 1.0, radius=2)),
    "size": (lambda: ndimage.uniform_filter(X, 3), lambda: ndimage.uniform_filter(X, (3, 4))),
    "sizes, no weights": (
        lambda: ndimage.uniform_filter(X, np.array([2.0, 1.0])), lambda: ndimage.uniform_filter(X, np.array([1.0, 2.0]))),
    "deviations, no weights": (
        lambda: ndimage.gaussian_filter(X[None], np.array([0.0, 0.25, 0.0]), radius=1),
        lambda: ndimage.gaussian_filter(X[None], np.array([0.0, 0.5, 0.0]), radius=1)),
    "output type": (lambda: ndimage.convolve(X, SQUARE), lambda: ndimage.convolve(X, SQUARE, np.float32)),
    "output type by name": (
        lambda: ndimage.convolve(X, SQUARE, "f"), lambda: ndimage.convolve(X, SQUARE, "d")),
    "output types of one size": (
        lambda: ndimage.convolve(X, SQUARE, np.int32), lambda: ndimage.convolve(X, SQUARE, np.dtype("f"))),
    "output array": (
        lambda: ndimage.convolve(X, SQUARE, np.zeros(X.shape, "f")), lambda: ndimage.convolve(X, SQUARE, np.zeros(X.shape, "i"))),
    "kernel of a picture": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE - 1)),
    "channel axis": (
        lambda: image.filter2d(X.reshape(3, 16, 3), SQUARE, channel_axis=0),
        lambda: image.filter2d(X.reshape(3, 16, 3), SQUARE, channel_axis=2)),
    "operation": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, operation="convolve")),
    "boundary": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, boundary="edge")),
    "fill value": (
        lambda: image.filter2d(X, SQUARE, boundary="constant"), lambda: image.filter2d(X, SQUARE, boundary="constant", fillvalue=3)),
    "anchor": (lambda: image.filter2d(X, SQUARE, anchor=(0, 1)), lambda: image.filter2d(X, SQUARE, anchor=(1, 0))),
    "delta": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, delta=1)),
    "scale": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, scale=2)),
    "picture type": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, dtype=np.uint8)),
    "saturate": (
        lambda: image.filter2d(X, 99 * SQUARE, dtype="int16"),
        lambda: image.filter2d(X, 99 * SQUARE, dtype="uint8", saturate=False)),
    "alpha": (
        lambda: image.filter2d(X.reshape(6, 6, 4), SQUARE, channel_axis=2),
        lambda: image.filter2d(X.reshape(6, 6, 4), SQUARE, channel_axis=2, alpha="keep")),
    "a mask": (lambda: image.filter2d(X, SQUARE), lambda: image.filter2d(X, SQUARE, mask=X > 0)),
    "NaN left out": (lambda: image.filter2d(HOLES, SQUARE), lambda: image.filter2d(HOLES, SQUARE, nan="omit")),
}



@pytest.mark.parametrize("taps", [(1, 1), (3, 3)])
def test_alpha_that_is_passed_through_meets_no_weights_whatever_was_done_before(taps):
    picture = np.full((5, 6, 4), 0.5, np.float32)
    for weight in (1, 2, 3):
        result = image.filter2d(picture, np.full(taps, float(weight)), channel_axis=2, alpha="keep")
        np.testing.assert_array_equal(result[..., 3], 0.5)
        np.testing.assert_array_equal(result[..., :3], weight * 0.5 * taps[0] * taps[1])


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_another_call_is_not_mistaken_for_one_before(pair):
    one, two = pair
    fresh = []
    for call in pair:
        _again.kept.clear()
        fresh.append(call())
    assert fresh[0].dtype != fresh[1].dtype or fresh[0].tobytes() != fresh[1].tobytes()
    _again.kept.clear()
    for call, alone in [(one, fresh[0]), (two, fresh[1]), (one, fresh[0])]:
        result = call()
        assert result.dtype == alone.dtype
        assert result.shape == alone.shape
        assert result.tobytes() == alone.tobytes()


def key(name="f", image=X, output=None, arguments=()):
    found = _again.kernels.again({}, name, image, output, arguments)
    return found and found[2:]


def test_different_arguments_have_different_keys():
    calls = [
        {"name": "g"}, {"arguments": (1,)}, {"arguments": (True,)}, {"arguments": (1.0,)}, {"arguments": (0.0,)}, {"arguments": (-0.0,)},
        {"arguments": ("1",)}, {"arguments": (None,)}, {"arguments": (np.float64(1),)}, {"arguments": (np.array(1.0),)},
        {"arguments": (np.int64(1),)}, {"arguments": ([1, 2],)}, {"arguments": ((1, 2),)}, {"arguments": ([1], 2)}, {"arguments": ([1, [2]],)},
        {"arguments": ([[1], 2],)}, {"arguments": ("a", "bc")}, {"arguments": ("ab", "c")}, {"arguments": (np.float64,)}, {"output": "d"},
        {"output": np.float64}, {"output": np.empty(X.shape)}, {"image": X[:1]}, {"image": X[0]}, {"image": X.astype("f")}, {},
    ]  # fmt: skip
    keys = [key(**call) for call in calls]
    assert all(type(head) is type(tail) is bytes for head, tail in keys)
    assert len(set(keys)) == len(keys)
    assert keys == [key(**call) for call in calls]


@pytest.mark.parametrize(
    "arguments", [object(), 1j, 2**63, b"x", {}, np.array([object()]), np.zeros(1200), [[[[[1]]]]], "\ud800", np.array(["x"]), len, object])
def test_arguments_of_other_kinds_have_no_key(arguments):
    assert key(arguments=(arguments,)) is None
    assert key(output=arguments) is None


@pytest.mark.parametrize(
    "image", [X.tolist(), np.zeros((0, 3)), np.zeros((512, 513)), np.zeros((512, 300))[:, ::2], X.astype(object), X.view(np.ma.MaskedArray)])
def test_images_of_other_kinds_have_no_key(image):
    assert key(image=image) is None


def test_images_of_as_many_numbers_as_are_kept_have_a_key():
    """One limit, written in Python and in the kernels."""
    assert key(image=np.zeros(_again.SMALL)) is not None
    assert key(image=np.zeros(_again.SMALL + 1)) is None


def test_the_layout_of_an_image_is_not_in_its_key():
    for laid in (X[::2].copy(), np.asfortranarray(X[::2]), X[::2].astype(">f8"), zoo.misaligned(X[::2])):
        assert key(image=laid) == key(image=X[::2])


def test_what_is_refused_is_refused_after_a_call_that_differs_in_type_alone():
    ndimage.correlate(X, SQUARE, origin=1)
    with pytest.raises(TypeError):
        ndimage.correlate(X, SQUARE, origin=True)
    with pytest.raises(TypeError):
        ndimage.correlate(X, SQUARE, origin=1.0)
    image.filter2d(X, SQUARE, saturate=True)
    with pytest.raises(TypeError):
        image.filter2d(X, SQUARE, saturate=1)
    ndimage.convolve(X, SQUARE, workers=1)
    with pytest.raises(ValueError, match="zero"):
        ndimage.convolve(X, SQUARE, workers=0)


def test_given_arrays_are_checked_every_time():
    out = np.empty(X.shape)
    for _ in range(2):
        assert ndimage.convolve(X, SQUARE, out) is out
    assert len(_again.kept) == 1
    expected = out.copy()
    with pytest.raises(RuntimeError, match="shape"):
        ndimage.convolve(X, SQUARE, np.empty((12, 13)))
    frozen = np.empty(X.shape)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ndimage.convolve(X, SQUARE, frozen)
    wide = np.zeros((12, 24))
    ndimage.convolve(X, SQUARE, wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], expected)
    swapped = np.empty(X.shape, ">f8")
    np.testing.assert_array_equal(ndimage.convolve(X, SQUARE, swapped), expected)
    np.testing.assert_array_equal(ndimage.convolve(X.astype(">f8"), SQUARE), expected)
    memory = np.zeros(X.size + 12)
    memory[: X.size] = X.ravel()
    np.testing.assert_array_equal(ndimage.convolve(memory[: X.size].reshape(X.shape), SQUARE, memory[12:].reshape(X.shape)), expected)
    same = X.copy()
    assert ndimage.convolve(same, SQUARE, same) is same
    np.testing.assert_array_equal(same, expected)


def test_so_many_calls_are_kept_and_no_more():
    for k in range(3 * _again._MOST):
        ndimage.convolve(X, SQUARE, mode="constant", cval=float(k))
        assert 0 < len(_again.kept) <= _again._MOST


def test_large_and_long_calls_are_not_kept():
    ndimage.convolve(np.zeros((512, 513)), SQUARE)
    ndimage.convolve(np.zeros((250, 250)), np.ones((21, 21)), method="direct")
    ndimage.convolve(X, SQUARE, method="fft")
    ndimage.convolve(X, RNG.normal(size=(35, 35)))      # its key has no room
    assert not _again.kept


def test_images_and_results_are_not_kept():
    for call in (lambda x, out: ndimage.convolve(x, SQUARE, out), lambda x, out: image.filter2d(x, SQUARE, out=out)):
        x, out = X.copy(), np.empty(X.shape)
        call(x, out)
        call(x, out)
        gone = [weakref.ref(array) for array in (x, out)]
        del x, out
        gc.collect()
        assert all(ref() is None for ref in gone)
    assert len(_again.kept) == 2


def test_threads_share_kept_calls():
    images = [picture("d", (40, 41), seed) for seed in range(4)]
    expected = [scipy.ndimage.gaussian_filter(x, 1.5) for x in images]
    wrong = []

    def work(k):
        results = [ndimage.gaussian_filter(images[k], 1.5) for _ in range(300)]
        wrong.extend(k for result in results if not np.allclose(result, expected[k], rtol=0, atol=1e-13))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("char", "?bBhHiIlL")
def test_means_of_whole_numbers_are_exact_quotients_cut_toward_zero(char):
    dtype = np.dtype(char)
    low, high = (0, 1) if char == "?" else (max(np.iinfo(char).min, -(2**40)), min(np.iinfo(char).max, 2**40))
    lines = np.random.default_rng(3).integers(low, high, (7, 300), endpoint=True).astype(dtype)
    lines[0] = low
    lines[1] = high
    lines[2] = np.arange(300) % 2
    for size in (2, 3, 5, 7, 16, 49, 258):
        for output in (dtype, np.int64):
            ours = ndimage.uniform_filter1d(lines, size, 1, output, mode="wrap")
            whole = np.concatenate([lines, lines, lines], axis=1).astype(object)
            begin = 300 - size // 2
            for row in range(len(lines)):
                totals = [sum(whole[row, begin + k : begin + k + size]) for k in range(0, 300, 37)]
                quotients = [int(abs(int(t)) // size) * (1 if t >= 0 else -1) for t in totals]
                assert ours[row, ::37].tolist() == [bool(q) if np.dtype(output).char == "?" else q for q in quotients]


def test_results_of_another_byte_order_stay_so():
    for _ in range(2):
        assert ndimage.correlate(X, SQUARE, output=">f4").dtype == np.dtype(">f4")
        assert ndimage.correlate(X, SQUARE, output=np.dtype("f8", metadata={"a": 1})).dtype.metadata == {"a": 1}


def test_a_promoted_output_is_warned_of_every_time():
    for _ in range(2):
        with pytest.warns(UserWarning, match="promoting"):
            assert ndimage.correlate(X + 1j, SQUARE, output=float).dtype == complex
