"""Long calls made before are done again on other pixels, not planned again; nothing but time may tell."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
import scipy.ndimage
import zoo
from hypothesis import given
from hypothesis import strategies as st

import rapidconv
from rapidconv import _again, _arguments, _blocks, _execute, _plan, ndimage, signal
from rapidconv import image as pictures
from rapidconv._native import kernels


@pytest.fixture(autouse=True)
def nothing_kept(request, monkeypatch):
    """No plans; the first call of a kind is kept, as if it were the second one."""
    monkeypatch.setattr(_plan, "_kept", {})
    if "made_twice" not in request.fixturenames:
        monkeypatch.setattr(_execute, "_was_done", lambda _: True)


@pytest.fixture
def made_twice():
    """Calls are kept as they are in earnest."""


def gaussian(side, dtype):
    x = np.arange(side) - side // 2
    column = np.exp(-(x * x) / (side / 2))
    return np.outer(column, column).astype(dtype)


# method, image, kernel
ROADS = {
    "transforms": lambda seed: ("fft", zoo.values((200, 230), "f4", seed), zoo.values((31, 25), "f4", 2)),
    "transforms of float64": lambda seed: ("fft", zoo.values((150, 160), "f8", seed), zoo.values((20, 31), "f8", 2)),
    "transforms of complex pixels": lambda seed: ("fft", zoo.values((90, 120), "D", seed), zoo.values((19, 21), "D", 2)),
    "transforms of whole numbers": lambda seed: ("fft", zoo.values((120, 130), "i4", seed), zoo.values((19, 21), "i4", 2)),
    "lines": lambda seed: ("separable", zoo.values((200, 230), "f4", seed), gaussian(15, "f4")),
    "lines of whole numbers": lambda seed: ("separable", zoo.small((200, 130), "i8", seed), np.outer(np.arange(9), np.arange(7))),
    "a box": lambda seed: ("separable", zoo.values((200, 230), "u1", seed), np.ones((15, 15), "u1")),
    "direct sums": lambda seed: ("auto", zoo.values((300, 330), "f4", seed), zoo.values((9, 8), "f4", 2)),
    "direct sums of whole numbers": lambda seed: ("direct", zoo.values((200, 150), "i4", seed), zoo.values((9, 8), "i4", 2)),
}
EVERY = pytest.mark.parametrize("road", ROADS)


def fresh(function, *arguments, **keywords):
    """A result of a call that was never made."""
    held, _again.long = _again.long, ()
    try:
        return function(*arguments, **keywords)
    finally:
        _again.long = held


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.fixture
def again(monkeypatch):
    """Call twice: the second time, with another image, by what was kept of the first."""

    def refuse(*_):
        pytest.fail("the arguments of a call made before were looked at again")

    def call(function, first, second, kernel, *arguments, **keywords):
        function(first, kernel, *arguments, **keywords)
        assert len(_again.long) == 1
        with monkeypatch.context() as patch:
            patch.setattr(_arguments, "signal2d", refuse)
            return function(second, kernel, *arguments, **keywords)

    return call


@pytest.mark.usefixtures("made_twice")
def test_the_second_call_is_kept():
    """What is never done again is not made ready."""
    method, image, kernel = ROADS["transforms"](1)
    smooth = ROADS["lines"](1)[1].repeat(8, 0)
    for call in (lambda: signal.convolve2d(image, kernel, method=method), lambda: ndimage.gaussian_filter1d(smooth, 2)):
        with rapidconv.set_workers(1):          # more share direct sums out anew
            _again.long = ()
            first = call()
            assert _again.long == ()
            assert same_bits(call(), first)
            assert len(_again.long) == 1
            held = _again.long
            assert same_bits(call(), first)
            assert _again.long is held


@EVERY
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("function", [signal.convolve2d, signal.correlate2d])
def test_the_same_bits(road, workers, function, again, monkeypatch):
    monkeypatch.setattr(rapidconv._workers, "GRAIN", 1e-6)
    method, first, kernel = ROADS[road](1)
    second = ROADS[road](5)[1]
    if workers == 2 and road.startswith("direct"):
        pytest.skip("direct sums of several workers are shared out anew")
    how = "same", "symm", 0
    got = again(function, first, second, kernel, *how, method=method, workers=workers)
    assert same_bits(got, fresh(function, second, kernel, *how, method=method, workers=workers))
    assert not same_bits(got, fresh(function, first, kernel, *how, method=method, workers=workers))


@pytest.mark.parametrize("layout", ["array", "fortran", "negative", "every_other", "cut_out", "transposed", "read_only"])
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("road", ["transforms", "lines"])
def test_the_same_bits_of_any_layout(layout, mode, boundary, road, again):
    method, first, kernel = ROADS[road](1)
    first, second = (zoo.LAYOUTS[layout](image) for image in (first, ROADS[road](5)[1]))
    got = again(signal.convolve2d, first, second, kernel, mode, boundary, 2, method=method)
    assert same_bits(got, fresh(signal.convolve2d, second, kernel, mode, boundary, 2, method=method))


def coloured(image):
    return np.stack([image, image[::-1], image[:, ::-1]], axis=-1)


@EVERY
def test_pictures_of_channels(road, again):
    method, first, kernel = ROADS[road](1)
    first, second = coloured(first), coloured(ROADS[road](5)[1])
    got = again(signal.convolve2d, first, second, kernel, "same", method=method, channel_axis=-1, workers=1)
    assert same_bits(got, fresh(signal.convolve2d, second, kernel, "same", method=method, channel_axis=-1, workers=1))


@EVERY
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_that_lie_apart(road, axis):
    """Some roads take such channels one by one, so that nothing is kept."""
    method, first, kernel = ROADS[road](1)
    for image in (first, ROADS[road](5)[1]):
        planes = np.ascontiguousarray(np.moveaxis(coloured(image), -1, 0))
        given = {"mode": "same", "method": method, "channel_axis": axis}
        got = signal.convolve2d(np.moveaxis(planes, 0, axis), kernel, **given)
        assert same_bits(got, fresh(signal.convolve2d, np.moveaxis(planes, 0, axis), kernel, **given))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("road", [road for road in ROADS if "whole" not in road and road != "a box"])
def test_what_is_not_finite_goes_where_direct_sums_take_it(road, workers, again, monkeypatch):
    if workers == 2 and road.startswith("direct"):
        pytest.skip("direct sums of several workers are shared out anew")
    monkeypatch.setattr(rapidconv._workers, "GRAIN", 1e-6)
    method, first, kernel = ROADS[road](1)
    second = ROADS[road](5)[1]
    second[50, 60] = np.nan
    second[-1, 3] = np.inf
    got = again(signal.convolve2d, first, second, kernel, method=method, workers=workers)
    assert same_bits(got, fresh(signal.convolve2d, second, kernel, method=method, workers=workers))
    with np.errstate(invalid="ignore"):
        expected = signal.convolve2d(second, kernel, method="direct")
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))


def test_numbers_too_large_for_transforms_are_summed_otherwise(again):
    _, first, kernel = ROADS["transforms of whole numbers"](1)
    second = np.full_like(first, 2**30)
    got = again(signal.convolve2d, first // 2**12, second, kernel, method="fft")
    np.testing.assert_array_equal(got, signal.convolve2d(second, kernel, method="direct"))


IMAGE, KERNEL = zoo.values((120, 130), "f4", 1), zoo.values((21, 23), "f4", 2)
BASE = {"in1": IMAGE, "in2": KERNEL, "mode": "full", "boundary": "fill", "fillvalue": 1, "method": "auto"}
OTHERS = {
    "mode": "same",
    "boundary": "wrap",
    "fillvalue": 2,
    "method": "direct",
    "in2": KERNEL + np.float32(1e-3),
    "in1": IMAGE.astype("f8"),
}
MORE = {
    "a wider kernel": {"in2": KERNEL.astype("f8")},
    "a kernel of another shape": {"in2": KERNEL.reshape(23, 21)},
    "a kernel of another type": {"in2": KERNEL.view("i4")},
    "a kernel's view": {"in2": KERNEL[::-1]},
    "another shape": {"in1": IMAGE.reshape(130, 120)},
    "fewer rows": {"in1": IMAGE[:100]},
    "another layout": {"in1": np.asfortranarray(IMAGE)},
    "rows in reverse": {"in1": IMAGE[::-1]},
    "channels": {"in1": np.stack([IMAGE, IMAGE[::-1]], axis=-1), "channel_axis": 2},
    "channels in front": {"in1": np.stack([IMAGE, IMAGE[::-1]]), "channel_axis": 0},
    "integers": {"in1": np.round(9 * IMAGE).astype("i4")},
    "other byte order": {"in1": IMAGE.astype(">f4")},
    "one byte off": {"in1": zoo.LAYOUTS["misaligned"](IMAGE)},
    "a list": {"in2": KERNEL.tolist()},
}


@pytest.mark.parametrize("change", [{name: value} for name, value in OTHERS.items()] + list(MORE.values()), ids=[*OTHERS, *MORE])
def test_another_call_is_another_call(change):
    signal.convolve2d(**BASE)
    got, expected = signal.convolve2d(**BASE | change), fresh(signal.convolve2d, **BASE | change)
    assert same_bits(got, expected)
    assert not same_bits(expected, fresh(signal.convolve2d, **BASE)) or change.keys() & {"in1", "method"}
    assert same_bits(signal.convolve2d(**BASE), fresh(signal.convolve2d, **BASE))


def test_convolving_is_not_correlating():
    signal.convolve2d(**BASE)
    assert same_bits(signal.correlate2d(**BASE), fresh(signal.correlate2d, **BASE))


def test_zeros_of_another_sign_are_another_fill_value():
    """Transforms make no difference of them; the calls are told apart all the same."""
    for fill in (0.0, -0.0, 0):
        signal.convolve2d(**BASE | {"fillvalue": fill})
    assert len(_again.long) == 3


def test_a_kernel_changed_in_place_is_another_kernel():
    kernel = KERNEL.copy()
    first = signal.convolve2d(IMAGE, kernel)
    kernel[3, 4] += 1
    got = signal.convolve2d(IMAGE, kernel)
    assert same_bits(got, fresh(signal.convolve2d, IMAGE, kernel))
    assert not same_bits(got, first)


def test_a_kernel_lying_on_its_side_is_another_kernel():
    kernel = KERNEL[:, :21]
    for each in (np.ascontiguousarray(kernel), np.ascontiguousarray(kernel).T):
        assert same_bits(signal.convolve2d(IMAGE, each), fresh(signal.convolve2d, IMAGE, each))


def test_arrays_that_are_not_plain_are_other_calls():
    """The target in use may well read misaligned numbers; others need not."""
    call = ("convolve2d", "same")
    kept = (kernels.Call(call, IMAGE, KERNEL, "found"),)
    assert kernels.find(kept, call, IMAGE, KERNEL) == "found"
    for layout in ("misaligned", "swapped"):
        assert kernels.find(kept, call, zoo.LAYOUTS[layout](IMAGE), KERNEL) is None
        assert kernels.find(kept, call, IMAGE, zoo.LAYOUTS[layout](KERNEL)) is None
    assert kernels.find(kept, call, IMAGE.view(np.matrix), KERNEL) is None
    assert kernels.find(kept, call, IMAGE, KERNEL.tolist()) is None


def test_two_kernels_in_turn(monkeypatch):
    for _ in range(2):          # the second kernel is kept when it comes again
        expected = [signal.convolve2d(IMAGE, kernel) for kernel in (KERNEL, -KERNEL)]
    monkeypatch.setattr(_arguments, "signal2d", None)
    for _ in range(2):
        assert all(same_bits(signal.convolve2d(IMAGE, kernel), each) for kernel, each in zip((KERNEL, -KERNEL), expected, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "sam"}, {"mode": ["full"]}, {"boundary": 1}, {"fillvalue": "x"}, {"method": "fast"}, {"workers": 0}, {"channel_axis": 2.0},
        {"out": np.empty((2, 2), "f4")}, {"out": np.empty((140, 152))}, {"out": [0.0]}, {"in1": IMAGE.astype("U")},
    ],
    ids=str,
)  # fmt: skip
def test_errors_are_raised_as_ever(wrong):
    given = BASE | {"in1": np.stack([IMAGE, IMAGE], axis=-1), "channel_axis": 2}
    wrong = given | wrong
    signal.convolve2d(**given)
    assert len(_again.long) == 1
    with pytest.raises((TypeError, ValueError)) as expected:
        fresh(signal.convolve2d, **wrong)
    with pytest.raises(expected.type) as got:
        signal.convolve2d(**wrong)
    assert str(got.value) == str(expected.value)


def test_an_array_for_the_result(again):
    out = np.empty((140, 152), "f4")
    assert again(signal.convolve2d, -IMAGE, IMAGE, KERNEL) is not out
    got = signal.convolve2d(IMAGE, KERNEL, out=out)
    assert got is out
    assert same_bits(out, fresh(signal.convolve2d, IMAGE, KERNEL))


@pytest.mark.parametrize("layout", ["fortran", "every_other", "swapped", "misaligned"])
def test_an_array_of_another_layout_for_the_result(layout):
    signal.convolve2d(IMAGE, KERNEL)
    out = zoo.LAYOUTS[layout](np.zeros((140, 152), "f4"))
    assert signal.convolve2d(IMAGE, KERNEL, out=out) is out
    np.testing.assert_array_equal(out, fresh(signal.convolve2d, IMAGE, KERNEL))


def test_a_new_result_after_an_array_of_another_layout():
    signal.convolve2d(-IMAGE, KERNEL, out=np.empty((140, 152), "f4", order="F"))
    assert same_bits(signal.convolve2d(IMAGE, KERNEL), fresh(signal.convolve2d, IMAGE, KERNEL))


@pytest.mark.parametrize("method", ["fft", "direct"])
@pytest.mark.parametrize("function", [signal.convolve2d, signal.correlate2d])
def test_the_smaller_array_may_be_the_first(function, method):
    for kernel in (KERNEL, -KERNEL):
        got = function(kernel, IMAGE, "valid", method=method)
        assert same_bits(got, fresh(function, kernel, IMAGE, "valid", method=method))


def test_a_fill_value_that_numpy_warns_of_is_warned_of_again():
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="overflow"):
            signal.convolve2d(**BASE | {"fillvalue": 1e300})


def test_direct_sums_of_several_workers_are_shared_out():
    """Every worker takes turns at them, which a call that is kept does not."""
    for workers in (2, 1):
        signal.convolve2d(np.ones((360, 390), "i4"), np.ones((21, 23), "i4"), method="direct", workers=workers)
        assert len(_again.long) == 2 - workers


def test_a_result_in_the_image_itself():
    image = IMAGE.copy()
    expected = signal.convolve2d(image, KERNEL, "same")
    signal.convolve2d(image, KERNEL, "same", out=image)
    assert same_bits(image, expected)


def test_images_are_not_kept_alive():
    for _ in range(2):
        image = IMAGE.copy()
        result = signal.convolve2d(image, KERNEL)
        alive = weakref.ref(image), weakref.ref(result)
        assert len(_again.long) == 1
        del image, result
        gc.collect()
        assert [each() for each in alive] == [None, None]


def test_how_much_is_kept(monkeypatch):
    for k in range(_again._MOST_LONG + 3):
        for _ in range(2):
            signal.convolve2d(IMAGE, KERNEL + np.float32(k))
    assert len(_again.long) == _again._MOST_LONG
    monkeypatch.setattr(_plan, "_KEPT_BYTES", 2**19)
    for _ in range(2):
        signal.convolve2d(IMAGE, KERNEL - 1)
    assert len(_again.long) == len(_plan._kept) < _again._MOST_LONG


def test_small_calls_of_the_planner_are_not_kept():
    signal.convolve2d(np.ones((10, 10), "f2"), np.ones((3, 3), "f2"))
    assert _again.long == ()


def test_workers_are_part_of_a_call():
    signal.convolve2d(IMAGE, KERNEL, workers=1)
    with rapidconv.set_workers(2):
        signal.convolve2d(IMAGE, KERNEL)
    assert len(_again.long) == 2
    with rapidconv.set_workers(1):
        signal.convolve2d(IMAGE, KERNEL)
    assert len(_again.long) == 2


def test_many_threads_at_once():
    images = [zoo.values((150, 160), "f4", seed) for seed in range(6)]
    expected = [fresh(signal.convolve2d, image, KERNEL) for image in images]

    def work(k):
        return all(same_bits(signal.convolve2d(images[i % 6], KERNEL), expected[i % 6]) for i in range(k, k + 30))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


@EVERY
@pytest.mark.parametrize("workers", [1, 2])
def test_prepared_calls_are_ready_at_once(road, workers, monkeypatch):
    if workers == 2 and road.startswith("direct"):
        pytest.skip("direct sums of several workers are shared out anew")
    method, first, kernel = ROADS[road](1)
    expected = signal.convolve2d(first, kernel, "same", "symm", method=method)
    ready = rapidconv.prepare(
        kernel, shape=first.shape, dtype=first.dtype, mode="same", boundary="symm", method=method, workers=workers
    )
    monkeypatch.setattr(_again, "long", ())
    monkeypatch.setattr(_arguments, "signal2d", None)
    out = np.empty_like(expected)
    assert ready(first, out=out) is out
    for got in (ready(first), out):
        assert same_bits(got, expected)


def test_prepared_calls_of_other_layouts_and_what_is_not_finite(monkeypatch):
    ready = rapidconv.prepare(KERNEL, shape=IMAGE.shape, dtype=IMAGE.dtype)
    expected = signal.convolve2d(IMAGE, KERNEL)
    for layout in ("fortran", "misaligned"):
        assert same_bits(ready(zoo.LAYOUTS[layout](IMAGE)), expected)
        out = zoo.LAYOUTS[layout](np.zeros((140, 152), "f4"))
        assert ready(IMAGE, out=out) is out
        np.testing.assert_array_equal(out, expected)
    image = IMAGE.copy()
    image[7, 8] = np.nan
    np.testing.assert_array_equal(ready(image), fresh(signal.convolve2d, image, KERNEL))


# New kernels in calls made before

# method, image, kernel; those of one road have one plan
NEW = {
    "transforms": lambda seed: ("auto", zoo.values((200, 230), "f4", seed), zoo.values((31, 25), "f4", seed)),
    "transforms of float64": lambda seed: ("fft", zoo.values((80, 90), "f8", seed), zoo.values((20, 31), "f8", seed)),
    "transforms of complex pixels": lambda seed: ("fft", zoo.values((90, 120), "F", seed), zoo.values((19, 21), "f4", seed)),
    "transforms of whole numbers of any size": lambda seed: (
        "fft", zoo.values((90, 120), "u1", seed) % 8, np.float32(seed**9) * np.sign(zoo.values((19, 21), "f4", seed))
    ),
    "transforms, some of whole numbers": lambda seed: (
        "fft", zoo.values((90, 120), "u1", seed), np.round(9 * zoo.values((19, 21), "f4", seed)) + np.float32(seed == 1) / 4
    ),
    "transforms, some without negative taps": lambda seed: ("fft", few((90, 99), seed), zoo.values((19, 21), "f4", seed) ** (seed // 4 + 1)),
    "lines": lambda seed: ("auto", zoo.values((80, 90), "f4", seed), product((15, 12), "f4", seed)),
    "lines of float64": lambda seed: ("auto", zoo.values((150, 130), "f8", seed), product((7, 9), "f8", seed)),
    "lines of which some are skew, or have zeros": lambda seed: ("auto", zoo.values((80, 90), "f4", seed), slope((15, 13), seed)),
    "lines of complex pixels": lambda seed: ("separable", zoo.values((150, 130), "F", seed), product((9, 8), "f4", seed)),
    "direct sums of a wider type": lambda seed: ("auto", zoo.values((150, 130), "f8", seed), product((9, 9), "f4", seed)),
    "direct sums": lambda seed: ("auto", zoo.values((300, 330), "f4", seed), zoo.values((9, 8), "f4", seed)),
}
EVERY_NEW = pytest.mark.parametrize("road", NEW)


def product(shape, dtype, seed):
    """A column times a row, whose numbers are whole at no scale."""
    column, row = (np.pi + zoo.values((n,), "f8", seed + n) for n in shape)
    return np.outer(column, row).astype(dtype)


def few(shape, seed):
    """A picture of a few points, that results are to be nowhere negative of."""
    return np.where(zoo.values(shape, "f4", seed) > 2, np.float32(1), np.float32(0))


def slope(shape, seed):
    """A product of no symmetry, of a skew row, of zeros at its sides."""
    kernel = product(shape, "f4", seed)
    if seed == 5:
        return np.outer(kernel[:, 0], kernel[0] - kernel[0, ::-1]).astype("f4")
    kernel[:, : seed // 2] = kernel[-seed // 3 :] = 0
    return kernel


@pytest.fixture
def plans_made(monkeypatch):
    """A list that grows by one with every plan of a call."""
    made, plans = [], _plan.plans

    def plan(task):
        made.append(plans(task))
        return made[-1]

    monkeypatch.setattr(_plan, "plans", plan)
    return made


@EVERY_NEW
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("function", [signal.convolve2d, signal.correlate2d])
def test_a_new_kernel_takes_the_place_of_the_last_one(function, workers, road, plans_made, monkeypatch):
    if workers == 2 and road.startswith("direct"):
        pytest.skip("direct sums of several workers are shared out anew")
    monkeypatch.setattr(rapidconv._workers, "GRAIN", 1e-6)
    cases = [NEW[road](seed) for seed in (1, 5, 6)]
    for mode, boundary in zip(zoo.MODES, zoo.BOUNDARIES, strict=True):
        for k, (method, image, kernel) in enumerate(cases):
            given = {"mode": mode, "boundary": boundary, "method": method, "workers": workers}
            expected = fresh(function, image, kernel, **given)
            del plans_made[:]
            got = function(image, kernel, **given)
            assert len(plans_made) == (k == 0)
            assert same_bits(got, expected)
            out = np.empty_like(expected)
            assert function(image, kernel.T.copy().T, out=out, **given) is out
            assert same_bits(out, expected)


@pytest.mark.parametrize("layout", ["fortran", "negative", "every_other", "cut_out", "transposed"])
@pytest.mark.parametrize("road", ["transforms", "lines", "direct sums"])
def test_new_kernels_and_images_of_any_layout(layout, road):
    for seed in (1, 5, 6):
        method, image, kernel = NEW[road](seed)
        laid, weights = zoo.LAYOUTS[layout](image), zoo.LAYOUTS[layout](kernel)
        expected = fresh(signal.convolve2d, image, kernel, "same", "symm", method=method)
        assert same_bits(signal.convolve2d(laid, weights, "same", "symm", method=method), expected)


@EVERY_NEW
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e25])
def test_new_kernels_on_what_is_refused(road, wrong, plans_made):
    """NaN, infinities and what is too dark beside what is bright: the new kernel is the one that sums them directly."""
    cases = [NEW[road](seed) for seed in (1, 5)]
    for k, (method, image, kernel) in enumerate(cases):
        if image.dtype.kind in "fc" and k:
            image[50:55, 60] = wrong
            image[-1, 3] = wrong
        given = {"mode": "same", "method": method, "workers": 1}
        with np.errstate(invalid="ignore"):
            expected = fresh(signal.convolve2d, image, kernel, **given)
            del plans_made[:]
            got = signal.convolve2d(image, kernel, **given)
        assert len(plans_made) == (k == 0)
        np.testing.assert_array_equal(got, expected, strict=True)


@pytest.mark.usefixtures("made_twice")
def test_streams_of_new_kernels_are_planned_twice(plans_made):
    """The second one is kept; a kernel that comes again is kept as well, once, whatever pushes it out later."""
    kernels_in_turn = [zoo.values((21, 23), "f4", seed) for seed in range(_again._MOST_LONG + 4)]
    for kernel in kernels_in_turn:
        signal.convolve2d(IMAGE, kernel)
    assert len(plans_made) == 2
    assert len(_again.long) == 1
    for kernel in kernels_in_turn[2:]:
        assert same_bits(signal.convolve2d(IMAGE, kernel), fresh(signal.convolve2d, IMAGE, kernel))
    assert len(_again.long) == _again._MOST_LONG
    del plans_made[:]
    held = _again.long
    for kernel in kernels_in_turn[2:]:
        signal.convolve2d(IMAGE, kernel)
    assert _again.long is held
    assert not plans_made


@pytest.mark.usefixtures("made_twice")
def test_what_a_look_cannot_tell_is_not_made_ready(plans_made):
    for k in range(1, 5):
        box = np.full((21, 23), k / 7)
        assert same_bits(signal.convolve2d(IMAGE, box), fresh(signal.convolve2d, IMAGE, box))
    assert len(plans_made) == 8
    assert _again.long == ()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_kernels_that_look_like_products_at_a_glance_only(dtype):
    image, product_itself = zoo.values((100, 110), dtype, 1), product((15, 13), dtype, 1)
    other = zoo.values((15, 13), dtype, 2)
    other[::5, ::4] = product_itself[::5, ::4]
    for kernel in (other, product_itself, -other, -product_itself, zoo.values((15, 13), dtype, 3)):
        assert same_bits(signal.correlate2d(image, kernel, "same"), fresh(signal.correlate2d, image, kernel, "same"))


ANY = zoo.values((9, 11), "f8", 1)
WHOLE_LINES = np.outer(np.arange(1, 10), np.arange(2, 13)), np.outer(np.arange(9) % 4 + 1, np.arange(11) ** 2 % 7 + 1)


@pytest.mark.parametrize(
    ("kernel", "told"),
    [
        (ANY, True),
        (ANY.astype("f4"), True),
        (np.round(9 * ANY), True),
        (np.round(9 * ANY).astype("i2"), True),
        (product((9, 11), "f8", 1), True),
        (product((9, 11), "f4", 1), True),
        (product((1, 11), "f8", 1), True),
        (2 * WHOLE_LINES[0] + 3.0 * WHOLE_LINES[1], True),                      # no exact products are found
        (np.full((9, 11), 1 / 3), False),
        (WHOLE_LINES[0].astype("f8"), False),
        (WHOLE_LINES[0].astype("i2"), False),
        (WHOLE_LINES[0].astype("f4") / 2**20, False),
        (WHOLE_LINES[0].astype("f4") * 999, False),                               # of more than 16 bits
        (product((9, 11), "f8", 1) + product((9, 11), "f8", 2), False),
        (product((9, 11), "f8", 1) * 2.0**100, False),
        (ANY * 2.0**399, False),
        ((ANY * 2.0**-60).astype("f4"), False),
        (ANY * 0, False),
        (ANY * np.nan, False),
        (ANY * (1 + 0j), False),
    ],
)  # fmt: skip
def test_what_a_look_can_tell(kernel, told):
    image = np.ones((300, 310), np.promote_types(kernel.dtype, "f4"))
    task = _arguments.signal2d("correlate2d", image, ANY.astype(kernel.dtype), "same", "symm", 0, "auto", None, 1, None)
    query = _plan.query(task, _plan.plans(task))
    assert (query is not None and kernels.looks(kernel, (*query[:6], 4, *query[7:]))) == told      # whatever the target finds worth it


def kernel_of_a_kind(rng, dtype, shape, kind):
    """Kernels near the bounds between what is a product, whole, low at a glance, and what is not."""
    one, two = (np.outer(*(rng.normal(size=n) for n in shape)) for _ in range(2))
    eps = np.finfo(dtype).eps
    if kind == "one tap off":
        one[tuple(rng.integers(0, shape))] *= 1 + eps * rng.integers(-12, 13)
    elif kind == "taps off":
        one *= 1 + eps * rng.integers(-4, 5, shape)
    elif kind == "whole":
        one = rng.integers(-3, 4, shape).astype(float)
    elif kind == "whole product":
        one = np.outer(*(rng.integers(1, 2 ** rng.integers(2, 12), n) for n in shape)) * 2.0 ** rng.integers(-30, 30)
    elif kind == "whole at some scale":
        one = np.round(one * 2.0 ** rng.integers(2, 26)) * 2.0**-20
    elif kind == "many zeros":
        one = rng.normal(size=shape) * (rng.random(shape) < 0.4)
    elif kind == "one row off":
        one[rng.integers(shape[0])] = rng.normal(size=shape[1])
    elif kind == "any size":
        one *= 2.0 ** rng.integers(-70, 70)
    found = {"any": rng.normal(size=shape), "two products": one + two, "no negative taps": abs(one), "box": np.full(shape, one[0, 0])}
    with np.errstate(over="ignore"):
        return found.get(kind, one).astype(dtype)


KINDS = [
    "product", "any", "two products", "no negative taps", "box", "one tap off", "taps off", "whole", "whole product", "whole at some scale",
    "many zeros", "one row off", "any size",
]  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.sampled_from(["f4", "f8"]), st.sampled_from(["f4", "f8", "u1", "F"]),
       st.tuples(st.integers(1, 21), st.integers(1, 21)), st.lists(st.sampled_from(KINDS), min_size=3, max_size=6))  # fmt: skip
def test_a_look_tells_what_the_planner_would_choose(seed, dtype, image_dtype, shape, kinds):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 99, rng.integers(20, 120, 2)).astype(image_dtype)
    call, found = ("convolve2d",), ()
    for kind in kinds:
        kernel = kernel_of_a_kind(rng, dtype, shape, kind)
        task = _arguments.signal2d("convolve2d", image, kernel, "same", "symm", 0, "auto", None, 1, None)
        plans = [_plan._choose(task.problems[0], 1, 1)]
        (plan,), query = plans, _plan.query(task, plans)
        does, look = kernels.find_alike(found, call, image, kernel)
        if does is not None:
            assert does.method == plan.method
            assert does.lanes == plan.lanes
            if plan.method == "fft":
                assert (does.tiles.shape, does.tiles.chars) == (plan.tiles.shape, plan.tiles.chars)
                assert (look.norm, look.whole, (look.positive,)) == (plan.tiles.norm, plan.tiles.whole, plan.tiles.positive)
            elif plan.method == "separable":
                assert plan.products.factors.rank == 1
                assert not plan.products.factors.exact
        if query is not None:
            found = (*found, kernels.Call(call, image, kernel, plan, query))


def test_looks_at_kernels_tell_most_that_are_new():
    """Random ones and random products, of any type."""
    rng = np.random.default_rng(1)
    for dtype in ("f4", "f8"):
        for kind in ("product", "any", "no negative taps"):
            image, call, found, told = np.ones((100, 100), dtype), ("convolve2d",), (), 0
            for _ in range(100):
                kernel = kernel_of_a_kind(rng, dtype, (15, 13), kind)
                task = _arguments.signal2d("convolve2d", image, kernel, "same", "symm", 0, "auto", None, 1, None)
                told += kernels.find_alike(found, call, image, kernel)[0] is not None
                plans = _plan.plans(task)
                found = found or (kernels.Call(call, image, kernel, plans[0], _plan.query(task, plans)),)
            assert told > 95


def test_threads_with_kernels_of_their_own():
    cases = [NEW["transforms"](seed) for seed in range(1, 9)] + [NEW["lines"](seed) for seed in range(1, 9)]
    expected = [fresh(signal.convolve2d, image, kernel, workers=1) for _, image, kernel in cases]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            got = list(pool.map(lambda case: signal.convolve2d(*case[1:], workers=1), cases))
            assert all(map(same_bits, got, expected))


# The filters of ndimage

TALL = zoo.values((560, 490), "f4", 1)      # of more numbers than jobs of small calls are kept for
FILTERS = {
    "gaussian_filter": (ndimage.gaussian_filter, TALL, (3.0,), {}),
    "gaussian_filter of float64": (ndimage.gaussian_filter, TALL.astype("f8"), ((3.0, 2.0),), {"mode": "wrap"}),
    "uniform_filter": (ndimage.uniform_filter, TALL, (15,), {"mode": "nearest"}),
    "convolve": (ndimage.convolve, TALL, (KERNEL,), {}),
    "correlate": (ndimage.correlate, TALL.astype("f8"), (KERNEL,), {"mode": "constant", "cval": 1.5, "origin": (1, 0)}),
    "correlate of whole numbers": (ndimage.correlate, np.round(9 * TALL).astype("i4"), (np.round(9 * KERNEL).astype("i4"),), {}),
    "correlate of cut sums": (ndimage.correlate, np.round(9 * TALL).astype("i2"), (KERNEL[:5, :4],), {}),
}
EVERY_FILTER = pytest.mark.parametrize(("function", "image", "arguments", "keywords"), FILTERS.values(), ids=FILTERS)


@pytest.mark.parametrize("workers", [1, 2])
@EVERY_FILTER
def test_filters_give_the_same_bits(function, image, arguments, keywords, workers, monkeypatch):
    with rapidconv.set_workers(workers):
        function(image, *arguments, **keywords)
        if workers == 1:
            assert len(_again.long) == 1
        second = image[::-1, ::-1].copy()
        if image.dtype.kind == "f":
            second[40, 50] = np.nan
        expected = fresh(function, second, *arguments, **keywords)
        if _again.long:
            monkeypatch.setattr(_blocks, "run", None)
        assert same_bits(function(second, *arguments, **keywords), expected)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_filters_into_arrays(dtype):
    """Which type the result has is part of the call."""
    kept = []
    for image in (TALL, -TALL):
        for into in ({}, {"output": np.empty(TALL.shape, dtype)}, {"output": np.empty(TALL.shape, dtype, order="F")}):
            with rapidconv.set_workers(1):
                got = ndimage.convolve(image, KERNEL, **into)
            assert into == {} or got is into["output"]
            kept.append(len(_again.long))
            expected = fresh(ndimage.convolve, image, KERNEL, output=np.empty(TALL.shape, got.dtype))
            np.testing.assert_array_equal(got, expected, strict=True)
    assert kept == [1, 2, 2, 2, 2, 2]


def test_filters_of_an_image_into_itself():
    for image in (TALL.copy(), -TALL):
        expected = ndimage.gaussian_filter(image, 3.0)
        assert ndimage.gaussian_filter(image, 3.0, output=image) is image
        assert same_bits(image, expected)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "wrap"}, {"mode": ("wrap", "nearest")}, {"cval": 2.0, "mode": "constant"}, {"truncate": 3.0}, {"radius": 5},
        {"order": 1}, {"order": (0, 1)}, {"sigma": 2.5}, {"sigma": (3.0, 2.0)}, {"sigma": 3}, {"axes": (0,)}, {"sigma": [3.0, 2.0]},
        {"input": TALL[:, :-1]}, {"input": TALL.astype("f8")},
    ],
    ids=str,
)  # fmt: skip
def test_another_filter_is_another_call(change):
    base = {"input": TALL, "sigma": 3.0, "order": 0, "mode": "reflect", "cval": 0.0}
    ndimage.gaussian_filter(**base)
    assert same_bits(ndimage.gaussian_filter(**base | change), fresh(ndimage.gaussian_filter, **base | change))
    assert same_bits(ndimage.gaussian_filter(**base), fresh(ndimage.gaussian_filter, **base))


def test_arguments_that_change_are_not_kept():
    sigma = [3.0, 2.0]
    first = ndimage.gaussian_filter(TALL, sigma)
    sigma[0] = 1.0
    got = ndimage.gaussian_filter(TALL, sigma)
    assert same_bits(got, fresh(ndimage.gaussian_filter, TALL, (1.0, 2.0)))
    assert not same_bits(got, first)


def test_volumes_and_sums_of_passes_are_not_kept():
    volume = zoo.values((70, 70, 70), "f4", 1)
    for function, arguments in ((ndimage.gaussian_filter, (1.0,)), (ndimage.convolve, (np.ones((3, 3, 3)),)), (ndimage.laplace, ())):
        for image in (volume, -volume):
            assert same_bits(function(image, *arguments), fresh(function, image, *arguments))
    assert _again.long == ()


@pytest.mark.parametrize("name", ["gaussian_filter", "uniform_filter", "convolve", "gaussian_laplace", "laplace", "correlate1d"])
@pytest.mark.parametrize("keywords", [{}, {"mode": "constant", "cval": 2.0}], ids=str)
@pytest.mark.parametrize("kind", ["f8", "D"])
def test_filters_give_scipys_values(name, keywords, kind):
    if kind == "D" and "laplace" in name:
        pytest.skip("SciPy takes the real part of such sums")
    arguments = {"convolve": (KERNEL,), "correlate1d": (KERNEL[0],), "laplace": (), "uniform_filter": (7,)}.get(name, (2.0,))
    for seed in (1, 2, 3):
        image = zoo.values(TALL.shape, kind, seed)
        expected = getattr(scipy.ndimage, name)(image, *arguments, **keywords)
        np.testing.assert_allclose(getattr(ndimage, name)(image, *arguments, **keywords), expected, atol=1e-9 * np.abs(expected).max())


def test_small_images_are_kept_as_such_where_they_are_little_work():
    for kernel, kept in ((KERNEL[:3, :3], 0), (KERNEL, 1)):
        for image in (TALL[:100, :120].copy(), -TALL[:100, :120]):
            expected = scipy.ndimage.convolve(image, kernel)
            for cval in (0.0, Fraction(0)):         # such a number cannot be compared
                got = ndimage.convolve(image, kernel, cval=cval)
                np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())
            assert len(_again.long) == kept


PICTURE = np.random.default_rng(5).integers(0, 256, (210, 190), np.uint8)
BANK = np.stack([KERNEL[:5, :4], -KERNEL[:5, :4], KERNEL[5:10, :4]])
COMPLEX = KERNEL[:5, :5] + 1j * KERNEL[5:10, :5]
WIDE = np.stack([KERNEL, KERNEL[::-1]])
# function, picture, kernel, keywords
PICTURES = {
    "transforms": (pictures.filter2d, PICTURE, KERNEL, {}),
    "transforms of channels": (pictures.filter2d, coloured(PICTURE), KERNEL, {"channel_axis": 2, "delta": 3, "dtype": "float32"}),
    "lines": (pictures.filter2d, PICTURE.astype("f4"), gaussian(15, "f4"), {"method": "separable", "boundary": "wrap"}),
    "a box": (pictures.filter2d, coloured(PICTURE), np.full((9, 9), 1 / 81), {"channel_axis": -1}),
    "direct sums": (pictures.filter2d, np.tile(PICTURE, (3, 3)), KERNEL[:3, :3], {"operation": "convolve", "saturate": False}),
    "several kernels": (pictures.filter_bank, PICTURE, BANK, {}),
    "several kernels in transforms": (pictures.filter_bank, PICTURE, WIDE, {"method": "fft", "dtype": "float64"}),
    "several kernels, the largest": (pictures.filter_bank, PICTURE.astype("f8"), BANK, {"combine": "max", "scale": 0.5, "boundary": "fill"}),
    "several kernels, combined in transforms": (pictures.filter_bank, PICTURE.astype("f4"), WIDE, {"combine": "magnitude", "method": "fft"}),
    "several kernels over channels": (pictures.filter_bank, coloured(PICTURE), BANK, {"channel_axis": 2, "combine": "sum_abs"}),
    "magnitude": (pictures.magnitude, PICTURE.astype("f4"), COMPLEX, {}),
    "phase": (pictures.phase, PICTURE, COMPLEX, {"dtype": "float64"}),
    "without what is no number": (pictures.filter2d, PICTURE.astype("f4"), BANK[0], {"nan": "omit"}),
}
EVERY_PICTURE = pytest.mark.parametrize(("function", "first", "kernel", "keywords"), PICTURES.values(), ids=PICTURES)


@EVERY_PICTURE
def test_pictures_give_the_same_bits(function, first, kernel, keywords, monkeypatch):
    second = first[::-1, ::-1].copy()
    if second.dtype.kind == "f":
        second[40, 50], second[0, 3] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = fresh(function, second, kernel, **keywords)
        with rapidconv.set_workers(1):
            function(first, kernel, **keywords)
            assert len(_again.long) == 1
            with monkeypatch.context() as patch:
                patch.setattr(_plan, "plans", None)
                assert same_bits(function(second, kernel, **keywords), expected)
            out = np.empty_like(expected)
            assert function(first, kernel, out=out, **keywords) is out
            assert function(second, kernel, out=out, **keywords) is out
            assert same_bits(out, expected)


@pytest.mark.parametrize("operation", ["convolve", "correlate"])
@pytest.mark.parametrize("name", ["transforms", "transforms of channels", "lines", "direct sums"])
def test_pictures_under_new_kernels_give_the_same_bits(name, operation, plans_made):
    function, image, kernel, keywords = PICTURES[name]
    keywords = keywords | {"operation": operation}
    rng = np.random.default_rng(3)
    with rapidconv.set_workers(1):
        for k in range(3):
            shape = kernel.shape
            new = np.outer(*(rng.normal(size=n) for n in shape)) if name == "lines" else rng.normal(size=shape).astype("f4")
            expected = fresh(function, image, new, **keywords)
            del plans_made[:]
            got = function(image, new, **keywords)
            assert len(plans_made) == (k == 0)
            assert same_bits(got, expected)
        if "method" not in keywords:
            whole = np.round(1e5 * rng.normal(size=shape)).astype(new.dtype)    # which have sums of their own
            assert same_bits(function(image, whole, **keywords), fresh(function, image, whole, **keywords))


@EVERY_PICTURE
def test_pictures_of_any_layout_give_the_same_bits(function, first, kernel, keywords):
    with np.errstate(invalid="ignore"):
        for layout in ("array", "fortran", "negative", "every_other", "swapped"):
            for each in (first, first[::-1].copy()):
                laid = zoo.LAYOUTS[layout](each)
                got, expected = function(laid, kernel, **keywords), fresh(function, each, kernel, **keywords)
                np.testing.assert_array_equal(got, expected, strict=True)


CHANGES = (
    {"boundary": "wrap"}, {"boundary": "constant"}, {"boundary": "constant", "fillvalue": 3}, {"anchor": (0, 0)}, {"delta": 2}, {"scale": 2},
    {"scale": -0.5}, {"dtype": "float64"}, {"dtype": "int16"}, {"operation": "convolve"}, {"kernel": KERNEL + np.float32(1e-3)},
    {"image": np.tile(PICTURE, (2, 2))}, {"image": PICTURE.T.copy()}, {"image": PICTURE.astype("u2")},
    {"mask": PICTURE > 9}, {"dtype": "int16", "saturate": False}, {"channel_axis": 2, "image": coloured(PICTURE), "alpha": "filter"},
    {"image": np.concatenate([coloured(PICTURE), PICTURE[..., None]], -1), "channel_axis": 2, "alpha": "keep"},
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=[",".join(change) + str(k) for k, change in enumerate(CHANGES)])
def test_another_picture_or_option_is_another_call(change):
    base = {"image": PICTURE, "kernel": KERNEL, "boundary": "reflect101"}
    for _ in range(2):
        pictures.filter2d(**base)
        got, expected = pictures.filter2d(**base | change), fresh(pictures.filter2d, **base | change)
        assert same_bits(got, expected)
        assert not same_bits(expected, fresh(pictures.filter2d, **base))


def test_the_angle_is_not_the_magnitude():
    for function in (pictures.magnitude, pictures.phase, pictures.magnitude):
        assert same_bits(function(PICTURE.astype("f4"), COMPLEX), fresh(function, PICTURE.astype("f4"), COMPLEX))


def test_prepared_pictures_are_ready_at_once(monkeypatch):
    ready = rapidconv.prepare(pictures.filter2d, PICTURE, KERNEL, workers=1)
    expected = pictures.filter2d(PICTURE[::-1], KERNEL)
    monkeypatch.setattr(_plan, "plans", None)
    monkeypatch.setattr(_again, "long", ())
    assert same_bits(ready(PICTURE[::-1].copy()), expected)


def test_middle_images_are_kept_whose_sums_are_no_little_work(monkeypatch):
    small = TALL[:150, :160].copy()
    for function, argument in ((ndimage.convolve, KERNEL), (ndimage.correlate, np.round(9 * KERNEL)), (signal.convolve2d, KERNEL)):
        expected = fresh(function, small[::-1].copy(), argument)
        for laid in (small, np.asfortranarray(small)):
            function(laid, argument)
        with monkeypatch.context() as patch:
            patch.setattr(_plan, "plans", None)
            for laid in (small[::-1].copy(), small[::-1].copy("F")):
                assert same_bits(function(laid, argument), expected)


def test_workers_are_part_of_a_filters_call():
    for workers in (1, 2, 1):
        with rapidconv.set_workers(workers):
            ndimage.gaussian_filter(TALL, 3.0)
    assert len(_again.long) == 2


@pytest.mark.parametrize("output", [np.zeros(TALL.shape, ">f4"), "f", "f4"], ids=["swapped", "f", "f4"])
def test_what_filters_write_to_is_looked_at_each_time(output):
    ndimage.gaussian_filter(TALL, 3.0, output=np.empty_like(TALL))
    expected = fresh(ndimage.gaussian_filter, TALL, 3.0, output=output).copy()
    np.testing.assert_array_equal(ndimage.gaussian_filter(TALL, 3.0, output=output), expected, strict=True)


def test_filters_refuse_arrays_of_another_shape_each_time():
    for shape in (TALL.shape, (3, 3), TALL.shape[::-1]):
        if shape == TALL.shape:
            ndimage.gaussian_filter(TALL, 3.0, output=np.empty(shape, "f4"))
            continue
        with pytest.raises(RuntimeError, match="shape"):
            ndimage.gaussian_filter(TALL, 3.0, output=np.empty(shape, "f4"))


def test_errors_of_filters_are_raised_as_ever():
    ndimage.gaussian_filter(TALL, 3.0)
    for wrong in ({"mode": "x"}, {"output": np.empty((3, 3), "f4")}, {"axes": (0, 5)}, {"order": -1}):
        with pytest.raises((ValueError, RuntimeError, np.exceptions.AxisError)) as expected:
            fresh(ndimage.gaussian_filter, TALL, 3.0, **wrong)
        with pytest.raises(expected.type) as got:
            ndimage.gaussian_filter(TALL, 3.0, **wrong)
        assert str(got.value) == str(expected.value)


def test_lines_that_are_no_small_jobs_are_not_kept_as_such(monkeypatch):
    """Gaussians of the same weights, asked for otherwise, on an image whose lines take longer than jobs may."""
    monkeypatch.setattr(_execute._workers, "GRAIN", 1e-12)
    monkeypatch.setattr(_blocks._again, "_seen", {})
    x = np.random.default_rng(1).random((200, 300))
    expected = ndimage.gaussian_filter(memoryview(x), 2.0)
    for truncate in (4.0, 4.01, 4.02):
        assert ndimage.gaussian_filter(x, 2.0, truncate=truncate).tobytes() == expected.tobytes()
        assert not any(isinstance(each, _execute.Again) for each in _again.kept.values())


@pytest.mark.parametrize("method", ["auto", "separable"])
@pytest.mark.parametrize(("shape", "keywords"), [((200, 210), {}), ((90, 80, 3), {"channel_axis": -1}), ((5, 1, 1), {"channel_axis": 2})])
def test_a_bank_of_one_kernel_done_alone(shape, keywords, method):
    """Its result has an axis more than its one problem: the second call took that for the rows and wrote beyond the result."""
    picture, kernel = zoo.values(shape, "f4"), gaussian(15, "f4")
    want = pictures.filter_bank(picture, kernel[None], method=method, **keywords)[0]
    assert np.allclose(want, pictures.filter2d(picture, kernel, method="direct", **keywords), atol=1e-3 * abs(picture).max())
    for _ in range(3):
        assert same_bits(pictures.filter_bank(picture, kernel[None], method=method, **keywords)[0], want)
    ready = rapidconv.prepare(pictures.filter_bank, picture, kernel[None], method=method, **keywords)
    assert same_bits(ready(picture)[0], want)
