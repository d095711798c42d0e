"""`explain` tells what a call does, and `prepare` does what the function does, whatever the function."""

import pickle
import threading

import numpy as np
import pytest
import scipy.ndimage

import rapidconv
from rapidconv import (
    _again,
    _arguments,
    _blocks,
    _boundary,
    _execute,
    _passes,
    _plan,
    _transform,
    image,
    ndimage,
    signal,
)


def steep(pixels, axis, output, mode, cval, steps=1, **keywords):
    """A derivative of one's own."""
    return ndimage.gaussian_filter1d(pixels, steps, axis, 1, output, mode, cval, **keywords)


class Unhashable:
    """A derivative of one's own that cannot be copied, nor be a key."""

    __hash__ = None

    def __call__(self, pixels, axis, output, mode, cval):
        return steep(pixels, axis, output, mode, cval)

    def __deepcopy__(self, memo):
        raise TypeError


RNG = np.random.default_rng(5)
LARGE = RNG.normal(size=(31, 33))
SQUARE = RNG.normal(size=(3, 3))
GREY = RNG.normal(size=(300, 310))
BYTES = RNG.integers(0, 256, (300, 310)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (200, 210, 3)).astype(np.uint8)
VOLUME = RNG.normal(size=(12, 80, 90))

CALLS = {
    "convolve2d": (signal.convolve2d, GREY, (LARGE, "same", "symm"), {}),
    "correlate2d": (signal.correlate2d, GREY, (SQUARE,), {}),
    "convolve": (ndimage.convolve, GREY, (LARGE,), {"mode": "mirror"}),
    "convolve, few taps": (ndimage.convolve, BYTES, (SQUARE, np.float32), {}),
    "correlate": (ndimage.correlate, GREY, (), {"weights": LARGE, "origin": 2}),
    "correlate, whole numbers": (ndimage.correlate, BYTES, (np.ones((9, 9), int),), {"output": np.int64}),
    "complex weights": (ndimage.correlate, GREY, (LARGE + 1j * LARGE[::-1],), {}),
    "convolve1d": (ndimage.convolve1d, VOLUME, (LARGE[0], 1), {}),
    "correlate1d": (ndimage.correlate1d, BYTES, (LARGE[0],), {}),
    "uniform_filter": (ndimage.uniform_filter, BYTES, (7,), {}),
    "uniform_filter1d": (ndimage.uniform_filter1d, GREY, (7, 0), {}),
    "gaussian_filter": (ndimage.gaussian_filter, GREY, (6,), {}),
    "gaussian_filter of bytes": (ndimage.gaussian_filter, BYTES, (2,), {}),
    "gaussian_filter, two rules": (ndimage.gaussian_filter, GREY[:, :300], (6,), {"mode": ["wrap", "nearest"]}),
    "gaussian_filter1d": (ndimage.gaussian_filter1d, GREY, (3, 0, 1), {}),
    "prewitt": (ndimage.prewitt, VOLUME, (1,), {}),
    "sobel": (ndimage.sobel, GREY, (), {"mode": "constant"}),
    "laplace": (ndimage.laplace, GREY, (), {}),
    "laplace, two rules": (ndimage.laplace, GREY[:, :300], (), {"mode": ["wrap", "nearest"]}),
    "gaussian_laplace": (ndimage.gaussian_laplace, GREY, (4,), {"truncate": 3.0, "mode": ["wrap", "nearest"]}),
    "gaussian_laplace of bytes": (ndimage.gaussian_laplace, BYTES, (2,), {"output": np.float32, "radius": 5}),
    "gaussian_laplace of a plane": (ndimage.gaussian_laplace, VOLUME, ((2, 3),), {"axes": (2, 1)}),
    "gaussian_gradient_magnitude": (ndimage.gaussian_gradient_magnitude, GREY, (6,), {"mode": "constant", "cval": 2.0}),
    "gaussian_gradient_magnitude of a volume": (ndimage.gaussian_gradient_magnitude, VOLUME, ((1, 2, 3),), {"axes": 1}),
    "generic_gradient_magnitude": (ndimage.generic_gradient_magnitude, VOLUME, (ndimage.sobel,), {"output": ">f4"}),
    "generic_laplace": (ndimage.generic_laplace, BYTES, (ndimage.prewitt, np.dtype(float)), {"mode": "wrap", "axes": (1,)}),
    "filter2d": (image.filter2d, BYTES, (LARGE / 50,), {}),
    "filter2d, few taps": (image.filter2d, GREY, (SQUARE,), {"operation": "convolve"}),
    "filter2d of colours": (image.filter2d, COLOUR, (LARGE / 50,), {"channel_axis": 2}),
    "filter2d, alpha": (
        image.filter2d, np.concatenate([COLOUR, COLOUR[..., :1]], 2), (LARGE / 50,), {"channel_axis": 2, "alpha": "keep"}),
    "filter2d, a mask": (image.filter2d, BYTES, (SQUARE,), {"mask": BYTES > 9}),
    "filter_bank": (image.filter_bank, BYTES, ([LARGE / 50, LARGE[::-1] / 50],), {"dtype": np.float32}),
    "filter_bank, combined": (image.filter_bank, BYTES, ([SQUARE, SQUARE.T],), {"combine": "magnitude"}),
    "magnitude": (image.magnitude, GREY, (SQUARE + 1j * SQUARE.T,), {}),
    "phase": (image.phase, BYTES, (SQUARE + 1j * SQUARE.T,), {}),
}
EVERY = pytest.mark.parametrize(("function", "pixels", "arguments", "keywords"), CALLS.values(), ids=CALLS)


def methods_used(monkeypatch):
    """A list to which every execution adds its methods."""
    used = []
    run = _execute.run

    def spy(task, plans, *others):
        used.extend(plan.method for plan in plans)
        return run(task, plans, *others)

    monkeypatch.setattr(_execute, "run", spy)
    return used


def leaves(told):
    """The filters that a call consists of, whatever combines them."""
    each = told.passes or told.parts
    return [leaf for one in each for leaf in leaves(one)] if each else [told]


@EVERY
def test_explain_tells_what_is_done(function, pixels, arguments, keywords, monkeypatch):
    used = methods_used(monkeypatch)
    told = rapidconv.explain(function, pixels, *arguments, **keywords)
    assert not used
    result = function(pixels, *arguments, **keywords)
    if used:                # else the express lane did it
        assert set(told.method.split(" + ")) == set(used)
    for one in leaves(told):
        assert one.method in one.seconds
        assert one.seconds[one.method] == min(one.seconds.values()) > 0
        assert one.kernel
        assert one.reason
        assert 0 < one.memory <= 2**24
    each = told.passes or told.parts
    if each:
        assert told.seconds == {told.method: sum(one.seconds[one.method] for one in each)}
        assert told.workers == max(one.workers for one in each)
        assert str(told).count("method  ") == 1 + len(each) + sum(len(one.passes) for one in each)
        assert f"{'pass' if told.passes else 'part'} {len(each)} of {len(each)}" in str(told)
    with np.errstate(all="ignore"):
        assert ("float64" in told.work_dtype) or result.dtype != np.float64


def test_explain_counts_passes_and_blocks():
    assert len(rapidconv.explain(ndimage.gaussian_filter, BYTES, 2).passes) == 2
    assert len(rapidconv.explain(ndimage.sobel, VOLUME).passes) == 2        # two axes at once
    assert rapidconv.explain(ndimage.gaussian_filter, GREY, 2).passes == ()
    small, large = (rapidconv.explain(ndimage.prewitt, np.empty((n, 64, 64))) for n in (64, 640))
    assert large.seconds["direct"] / small.seconds["direct"] == pytest.approx(10, rel=0.2)
    assert rapidconv.explain(ndimage.convolve, GREY, SQUARE[0], axes=0).kernel == (3, 1)
    nothing = rapidconv.explain(ndimage.gaussian_filter, np.empty((0, 4)), 1)
    assert nothing.seconds == {"direct": 0.0}
    assert rapidconv.explain(ndimage.uniform_filter, GREY, 1).reason == "there is nothing to sum"


def test_explain_tells_how_parts_are_combined():
    told = rapidconv.explain(ndimage.gaussian_laplace, VOLUME, 2, axes=(0, 2))
    assert told.reason == "sum of the results of gaussian_filter for axis 0, 2"
    assert [one.kernel for one in leaves(told)] == [(17, 1, 1), (1, 1, 17)] * 2
    assert told.memory == max(one.memory for one in told.parts) + VOLUME.nbytes
    told = rapidconv.explain(ndimage.gaussian_gradient_magnitude, VOLUME, 2)
    assert told.reason == "root of the sum of the squares of the results of gaussian_filter for axis 0, 1, 2"
    assert [len(part.passes) for part in told.parts] == [3, 3, 3]
    assert told.seconds == pytest.approx({told.method: sum(one.seconds[one.method] for one in leaves(told))})
    assert rapidconv.explain(ndimage.gaussian_laplace, VOLUME, (), axes=()).reason == "there is nothing to sum"


@pytest.mark.parametrize("derivative", [steep, Unhashable()])
def test_functions_of_ones_own_are_not_called_to_be_told_of(derivative, monkeypatch):
    monkeypatch.setattr(ndimage, "gaussian_filter1d", None)
    told = rapidconv.explain(ndimage.generic_laplace, GREY, derivative)
    assert told.method == "a function"
    assert told.seconds == {}
    assert [part.reason for part in told.parts] == ["it is not of this library"] * 2
    assert "predicted    -\n" in str(told)
    assert "sums in      -\n" in str(told)


@pytest.mark.parametrize("size", [20, 300])
@pytest.mark.parametrize("function", [ndimage.generic_laplace, ndimage.generic_gradient_magnitude])
def test_functions_of_ones_own_are_prepared(function, size):
    pixels = GREY[:size]
    keywords = {"mode": ["wrap", "reflect"], "extra_arguments": [2.0], "extra_keywords": {"truncate": 3.0}}
    ready = rapidconv.prepare(function, pixels, steep, **keywords)
    again = pickle.loads(pickle.dumps(ready))
    expected = function(pixels, steep, **keywords)
    np.testing.assert_array_equal(expected, getattr(scipy.ndimage, function.__name__)(pixels, steep, **keywords))
    for prepared in (ready, again):
        assert prepared(pixels).tobytes() == expected.tobytes()
    own = Unhashable()
    ready = rapidconv.prepare(function, pixels, own)
    assert ready(pixels).tobytes() == function(pixels, own).tobytes()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(rapidconv.prepare(function, pixels, lambda *_: None))


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("exact modulo 2**bits", (ndimage.convolve, BYTES, [[1, 2]])),
        ("to the last bit, cut toward zero", (ndimage.convolve, BYTES, [[0.5, 2]])),
        ("exact; sums are divided by 3 and cut", (ndimage.uniform_filter1d, BYTES, 3)),
        ("exact; sums are rounded to uint8", (image.filter2d, BYTES, [[1, 2]])),
        ("at most 2.4e-07 * sum(|kernel| * |image|) under the kernel; sums are rounded to uint8", (image.filter2d, BYTES, [[0.3, 2]])),
        ("at most 4.4e-16 * sum(|kernel| * |image|) under the kernel", (ndimage.convolve, GREY, [[0.3, 2]])),
        ("under the kernel; sums are rounded to float32", (ndimage.convolve, GREY, [[0.3, 2]], "f")),
    ],
)
def test_explain_tells_how_far_results_can_be_off(words, call):
    assert words in rapidconv.explain(*call).error_bound


def test_explain_knows_the_workers_a_call_is_worth():
    for workers in (1, 2):
        assert rapidconv.explain(ndimage.convolve, np.zeros((900, 900)), LARGE, workers=workers).workers == workers
    assert rapidconv.explain(ndimage.convolve, np.zeros((9, 9)), SQUARE, workers=2).workers == 1


def test_explain_and_prepare_raise_what_the_call_raises():
    for plan in (rapidconv.explain, rapidconv.prepare):
        with pytest.raises(RuntimeError, match="boundary mode not supported"):
            plan(ndimage.convolve, GREY, SQUARE, mode="mirrored")
        with pytest.raises(ValueError, match="`anchor`"):
            plan(image.filter2d, GREY, SQUARE, anchor=(3, 3))
        with pytest.raises(ValueError, match="cannot serve"):
            plan(ndimage.convolve, BYTES, SQUARE, method="fft")
        with pytest.raises(TypeError, match="weights"):
            plan(ndimage.convolve, GREY)
        with pytest.raises(ValueError, match=r"accepted: signal\.convolve2d, .*image\.phase"):
            plan(np.convolve, GREY, SQUARE)
        with pytest.raises(RuntimeError, match="equal to input rank"):
            plan(ndimage.gaussian_laplace, GREY, 1, mode=["wrap"])
        with pytest.raises(TypeError, match="unexpected keyword argument 'width'"):
            plan(ndimage.gaussian_laplace, GREY, 1, width=2)
        with pytest.raises(TypeError, match="derivative2"):
            plan(ndimage.generic_laplace, GREY)


@EVERY
def test_prepared_functions_give_the_function_bits(function, pixels, arguments, keywords):
    ready = rapidconv.prepare(function, np.zeros_like(pixels), *arguments, **keywords)
    again = pickle.loads(pickle.dumps(ready))
    assert function.__name__ in repr(again)
    for shown in (pixels, pixels[::-1].copy(), np.asfortranarray(pixels), pixels.astype(pixels.dtype.newbyteorder(">"))):
        expected = function(shown, *arguments, **keywords)
        assert (ready.shape, ready.dtype) == (expected.shape, expected.dtype)
        for prepared in (ready, ready, again):
            assert prepared(shown).tobytes() == expected.tobytes()
        out = np.empty(expected.shape, expected.dtype)
        assert ready(shown, out=out) is out
        assert out.tobytes() == expected.tobytes()
    assert ready.explain() == rapidconv.explain(function, pixels, *arguments, **keywords)


def test_prepared_passes_keep_what_differs_apart():
    """Kernels of equal numbers and different axes, and blocks of different length, in transforms: tiles follow from both."""
    pixels = RNG.normal(size=(263, 1000))
    rules = (_boundary.Boundary.WRAP, _boundary.Boundary.NEAREST)
    passes = [_passes.line(LARGE[0], axis, 2, 0, rule) for axis, rule in enumerate(rules)]
    results = []
    for kept in (None, {}):
        results.append(np.empty(pixels.shape))
        _blocks.run(_passes.Filtering(pixels, passes, _passes.Settings(0.0, "fft", 1, kept), results[-1]))
    np.testing.assert_array_equal(*results)
    assert len(kept) == 4       # two passes, two blocks


def test_prepared_parts_keep_their_plans(monkeypatch):
    ready = rapidconv.prepare(ndimage.gaussian_gradient_magnitude, VOLUME, 2)
    expected = ndimage.gaussian_gradient_magnitude(VOLUME, 2)
    monkeypatch.setattr(_plan, "plans", None)
    assert ready(VOLUME).tobytes() == expected.tobytes()


@pytest.mark.parametrize(("function", "pixels"), [(ndimage.convolve, GREY), (image.filter2d, BYTES), (image.filter_bank, BYTES)])
def test_prepared_kernels_are_transformed_once(function, pixels, monkeypatch):
    kernel = LARGE if function is not image.filter_bank else np.stack([LARGE, LARGE[::-1]])
    ready = rapidconv.prepare(function, pixels, kernel / 50, method="fft")
    expected = function(pixels, kernel / 50, method="fft")
    monkeypatch.setattr(_transform, "spectrum", None)
    monkeypatch.setattr(_plan, "_kept", {})         # what functions keep
    monkeypatch.setattr(_again, "long", ())
    assert ready(pixels).tobytes() == expected.tobytes()
    with pytest.raises(TypeError):
        function(pixels, kernel / 50, method="fft")


def test_prepared_functions_copy_their_arguments_and_check_images():
    kernel = [SQUARE.copy(), SQUARE.T.copy()]
    ready = rapidconv.prepare(image.filter_bank, BYTES, kernel, dtype="float32")
    expected = image.filter_bank(BYTES, kernel, dtype="float32")
    kernel[0][:] = 0
    np.testing.assert_array_equal(ready(BYTES), expected)
    small = rapidconv.prepare(ndimage.convolve, GREY[:9, :9], kernel[1])
    expected_small = ndimage.convolve(GREY[:9, :9], kernel[1])
    kernel[1][:] = 0
    np.testing.assert_array_equal(small(GREY[:9, :9]), expected_small)
    for wrong in (BYTES[:-1], BYTES.astype(float)):
        with pytest.raises(ValueError, match=r"`image` has shape .* prepared for \(300, 310\) and uint8"):
            ready(wrong)
    with pytest.raises(ValueError, match="`out` has dtype"):
        ready(BYTES, out=np.empty(expected.shape))
    blur = rapidconv.prepare(ndimage.gaussian_filter, GREY, 2.0)
    with pytest.raises(ValueError, match="`out` has shape"):
        blur(GREY, out=np.empty((3, 3)))
    with pytest.raises(ValueError, match="given with the image"):
        rapidconv.prepare(ndimage.gaussian_filter, GREY, 2.0, output=GREY.copy())
    same = GREY.copy()
    blur(same, out=same)
    np.testing.assert_array_equal(same, ndimage.gaussian_filter(GREY, 2.0))


def test_prepared_functions_can_be_shared_between_threads():
    ready = rapidconv.prepare(ndimage.convolve, GREY, LARGE)
    frames = [RNG.normal(size=GREY.shape) for _ in range(4)]
    expected = [ndimage.convolve(frame, LARGE) for frame in frames]
    results = [None] * 4

    def work(k):
        for _ in range(5):
            results[k] = ready(frames[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, each in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, each)


def test_a_kernel_may_be_named_when_prepared():
    ready = rapidconv.prepare(kernel=SQUARE, shape=GREY.shape, mode="same", operation="correlate2d")
    np.testing.assert_array_equal(ready(GREY), signal.correlate2d(GREY, SQUARE, "same"))
    with pytest.raises(TypeError, match="shape"):
        rapidconv.prepare(SQUARE)
    with pytest.raises(TypeError, match="`kernel`"):
        rapidconv.prepare(shape=(3, 3))


@pytest.mark.parametrize(
    ("keywords", "kind", "words"),
    [
        ({"shape": None}, TypeError, "`shape` must be"),
        ({"shape": 8}, TypeError, "`shape` must be"),
        ({"shape": (8.0, 9)}, TypeError, "`shape` must be"),
        ({"shape": (8, -9)}, ValueError, "`shape` has a negative length"),
        ({"shape": (8, 9), "dtype": 7}, TypeError, "`dtype` must be"),
        ({"shape": (8, 9), "dtype": "nonsense"}, TypeError, "`dtype` must be .*nonsense"),
        ({"shape": (8, 9), "channel_axis": "last"}, TypeError, "`channel_axis` must be .*'last'"),
        ({"shape": (8, 9), "workers": 1.5}, TypeError, "workers must be an integer, not 1.5"),
    ],
)
def test_wrong_facts_of_images_to_come_are_named(keywords, kind, words):
    with pytest.raises(kind, match=words):
        rapidconv.prepare(SQUARE, **keywords)


@pytest.mark.parametrize("method", ["auto", "direct", "separable", "fft"])
@pytest.mark.parametrize("left", [0, np.nan])
def test_kernels_larger_than_images_are_prepared_whatever_lies_in_memory(method, left, monkeypatch):
    """In mode 'valid' images take the kernel's place: what they will be is not what an array holds that nobody wrote to."""
    empty = np.empty
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float, **more: np.full(shape, left, dtype) if shape == (6, 7) else empty(shape, dtype, **more))
    image = np.outer(np.arange(1.0, 7), np.arange(2.0, 9))
    prepared = rapidconv.prepare(signal.convolve2d, image, GREY, "valid", method=method)
    monkeypatch.undo()
    np.testing.assert_array_equal(prepared(image), signal.convolve2d(image, GREY, "valid", method=method))


def test_a_plan_kept_is_that_of_a_call_with_the_same_rows_beyond_the_image():
    """Sums along rows take longer where rows read beyond the image's ends: a call between its ends has a plan of its own."""
    kernel = np.outer(RNG.random(15), RNG.random(17))

    def planned(shape, mode):
        arguments = "convolve2d", np.zeros(shape), kernel, mode, "symm", 0, "auto", None, None, None
        return _plan.plans(_arguments.signal2d(*arguments))[0]

    same = planned((100, 110), "same")
    assert planned((100, 110), "same") is same
    assert planned((114, 126), "valid") is not same
