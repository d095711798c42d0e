"""Every road through the public functions, against direct summation and exact sums; and what auto chooses."""

import pickle
import threading

import numpy as np
import oracle
import pytest
import zoo

import rapidconv
from rapidconv import signal
from rapidconv._native import in_use, kernels

KERNELS = {
    "gauss": lambda kh, kw: np.outer(np.hanning(kh + 2)[1:-1], np.hanning(kw + 2)[1:-1]),
    "box": lambda kh, kw: np.full((kh, kw), 0.2),
    "rank2": lambda kh, kw: np.outer(np.hanning(kh + 2)[1:-1], np.hanning(kw + 2)[1:-1]) - 0.01,
    "whole": lambda kh, kw: np.outer(np.arange(kh) % 4 - 1, np.arange(kw) % 5 - 2),
    "ones": lambda kh, kw: np.ones((kh, kw)),
}
METHODS = ["separable", "fft", "auto"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_roads_agree_with_direct_summation(method, kind, dtype, boundary):
    kernel = KERNELS[kind](13, 18)
    whole = kind in ("whole", "ones")
    if np.dtype(dtype).kind in "iu":
        if not whole:
            pytest.skip("a kernel of fractions makes no integer result")
        kernel = np.abs(kernel).astype(dtype)
    if dtype == "float16" and method == "separable" and kind in ("gauss", "rank2"):
        pytest.skip("rounded to float16 the kernel is no product")
    image = zoo.values((120, 131), dtype, 1)
    kernel = kernel.astype(np.dtype(dtype).type(0).real.dtype if np.dtype(dtype).kind == "c" else dtype)
    for mode in zoo.MODES:
        got = signal.convolve2d(image, kernel, mode, boundary, 2, method=method)
        expected = signal.convolve2d(image, kernel, mode, boundary, 2, method="direct")
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        if np.dtype(dtype).kind in "iu":
            np.testing.assert_array_equal(got, expected)
            continue
        eps = np.finfo(got.dtype).eps
        scale = np.abs(kernel).max() * kernel.size * np.abs(image).max() + 2
        assert np.abs(got - expected).max() <= 40 * eps * scale


@pytest.mark.parametrize("method", ["separable", "fft"])
@pytest.mark.parametrize("axis", [None, 0, 2])
def test_roads_in_the_other_direction(method, axis):
    """correlate2d, complex operands, 'valid' with a larger kernel, a picture, a result given."""
    kernel = KERNELS["gauss"](11, 12) * (1 + 2j)
    shape = {None: (90, 80), 0: (3, 90, 80), 2: (90, 80, 3)}[axis]
    image = zoo.values(shape, "complex128", 2)
    out = np.empty(shape, complex)
    got = signal.correlate2d(image, kernel, "same", "wrap", method=method, channel_axis=axis, out=out)
    assert got is out
    np.testing.assert_allclose(
        got, signal.correlate2d(image, kernel, "same", "wrap", method="direct", channel_axis=axis), rtol=0, atol=1e-11
    )
    if axis is None:
        small = zoo.values((30, 40), "complex128", 3)
        big = np.outer(np.hanning(70), np.hanning(90)) * 1j
        if method == "fft":
            got = signal.correlate2d(small, big, "valid", method=method)
            np.testing.assert_allclose(got, signal.correlate2d(small, big, "valid", method="direct"), rtol=0, atol=1e-10)


def test_separable_says_what_it_cannot_serve():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"`method` 'separable' cannot serve this call: the kernel is not a sum of few"):
        signal.convolve2d(np.ones((50, 50)), rng.random((9, 9)), method="separable")
    with pytest.raises(ValueError, match=r"'separable' cannot serve this call: sums in (longdouble|float128) are direct"):
        signal.convolve2d(np.ones((50, 50), np.longdouble), np.ones((9, 9)), method="separable")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("kind", ["gauss", "box", "rank2"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_reaches_what_it_reaches_directly(dtype, kind, bad):
    image = zoo.values((140, 150), dtype, 4)
    image[3, 4] = image[100, 149] = bad
    kernel = KERNELS[kind](9, 11).astype(np.dtype(dtype).type(0).real.dtype)
    direct = signal.correlate2d(image, kernel, "same", "symm", method="direct")
    for method in METHODS:
        got = signal.correlate2d(image, kernel, "same", "symm", method=method)
        np.testing.assert_array_equal(oracle.footprint(got), oracle.footprint(direct))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("workers", [2, 3, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex64"])
@pytest.mark.parametrize("kind", ["ones", "whole"])
def test_same_bits_for_any_workers(method, workers, dtype, kind):
    image, kernel = zoo.values((700, 300), dtype, 5), KERNELS[kind](15, 11).astype("int8")
    one = signal.convolve2d(image, kernel, "same", "symm", method=method, workers=1)
    assert zoo.same_bits(one, signal.convolve2d(image, kernel, "same", "symm", method=method, workers=workers))


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex128"])
@pytest.mark.parametrize("kind", ["ones", "whole", "gauss"])
def test_separable_bits_in_any_layout(layout, dtype, kind):
    image, kernel = zoo.values((130, 140), dtype, 6), KERNELS[kind](15, 11)
    if kind != "gauss":
        kernel = kernel.astype("int8")
    plain = signal.convolve2d(image, kernel, "same", "symm", method="separable")
    place = zoo.LAYOUTS[layout]
    assert zoo.same_bits(plain, signal.convolve2d(place(image), place(kernel), "same", "symm", method="separable"))


def test_auto_takes_the_road_predicted_fastest():
    rng = np.random.default_rng(1)
    image = rng.random((1024, 1024)).astype(np.float32)
    gauss = np.outer(np.hanning(19)[1:-1], np.hanning(19)[1:-1])
    cases = {"direct": rng.random((3, 3)), "fft": rng.random((65, 65)), "separable": gauss}
    for method, kernel in cases.items():
        told = rapidconv.explain(image, kernel.astype(np.float32), "same", "symm")
        assert told.seconds[told.method] == min(told.seconds.values())
        assert told.method in str(told)
        assert "MiB" in str(told)
        if in_use.startswith("x86"):       # with vectors; without them transforms are the better road for Gaussians too
            assert told.method == method
    box = rapidconv.explain(image, np.ones((15, 15), np.float32), "same", "symm")
    assert box.method == "separable"
    assert "a box" in box.reason


@pytest.mark.parametrize("kind", ["gauss", "box", "random", "tiny"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex64"])
@pytest.mark.parametrize("axis", [None, -1, 0])
def test_prepared_kernels_give_the_function_bits(kind, dtype, axis):
    rng = np.random.default_rng(2)
    kernel = {"random": rng.random((31, 29)), "tiny": rng.random((3, 3))}.get(kind)
    kernel = KERNELS[kind](21, 23) if kernel is None else kernel
    shape = {None: (200, 210), -1: (200, 210, 3), 0: (2, 200, 210)}[axis]
    ready = rapidconv.prepare(kernel, shape=shape, dtype=dtype, mode="same", boundary="wrap", channel_axis=axis)
    again = pickle.loads(pickle.dumps(ready))
    for seed in range(2):
        image = zoo.values(shape, dtype, seed)
        expected = signal.convolve2d(image, kernel, "same", "wrap", channel_axis=axis)
        out = np.empty_like(expected)
        assert zoo.same_bits(ready(image), expected)
        assert zoo.same_bits(again(image, out=out), expected)
    assert (ready.shape, ready.dtype) == (expected.shape, expected.dtype)
    assert ready.explain().method in repr(ready)


def test_prepared_kernels_can_be_shared_between_threads():
    rng = np.random.default_rng(3)
    kernel, image = rng.random((41, 41)), rng.random((300, 300))
    ready = rapidconv.prepare(kernel, shape=image.shape)
    expected, wrong = ready(image), []

    def use():
        wrong.extend(i for i in range(5) if not zoo.same_bits(ready(image), expected))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_prepared_kernel_is_a_copy_and_checks_its_images():
    kernel = np.ones((9, 9))
    ready = rapidconv.prepare(kernel, shape=(40, 50), dtype="f4", mode="same")
    image = np.ones((40, 50), "f4")
    expected = ready(image)
    kernel[...] = 7
    assert zoo.same_bits(ready(image), expected)
    assert zoo.same_bits(ready(image.astype(">f4")), expected)
    for bad in (np.ones((41, 50), "f4"), np.ones((40, 50))):
        with pytest.raises(ValueError, match=r"`image` has shape .* prepared for \(40, 50\) and float32"):
            ready(bad)
    with pytest.raises(ValueError, match="`operation` must be one of 'convolve2d', 'correlate2d', not 'blur'"):
        rapidconv.prepare(kernel, shape=(40, 50), operation="blur")
    with pytest.raises(ValueError, match="`operation` must be one of"):
        rapidconv.explain(image, kernel, operation=["convolve2d"])


@pytest.mark.parametrize(("shape", "kernel"), [((0, 5), (3, 3)), ((5, 5), (0, 3))])
def test_explain_and_prepare_where_there_is_nothing_to_do(shape, kernel):
    told = rapidconv.explain(np.ones(shape), np.ones(kernel), "same")
    assert told.memory == 0
    ready = rapidconv.prepare(np.ones(kernel), shape=shape, mode="same")
    assert zoo.same_bits(ready(np.ones(shape)), signal.convolve2d(np.ones(shape), np.ones(kernel), "same"))


def test_prepare_where_the_image_takes_the_kernels_place():
    rng = np.random.default_rng(4)
    kernel = rng.random((60, 70))
    ready = rapidconv.prepare(kernel, shape=(20, 30), mode="valid")
    for _ in range(2):
        image = rng.random((20, 30))
        assert zoo.same_bits(ready(image), signal.convolve2d(image, kernel, "valid"))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("side", [20, 30, 55, 61, 64, 66, 100, 145, 160, 240])
@pytest.mark.parametrize("taps", [4, 5, 13, 15, 32])
@pytest.mark.parametrize("low", [False, True])
def test_the_express_lane_and_the_planner_take_the_same_road(dtype, side, taps, low):
    """Around the amount of work where methods begin to be compared: a call said otherwise has the same bits."""
    image, kernel = zoo.values((side, 2 * side), dtype, 1), zoo.values((taps, taps), dtype, 2)
    if low:
        kernel = kernel[:1].T * kernel[:1]
    plain = signal.convolve2d(image, kernel, "same")
    assert zoo.same_bits(plain, signal.convolve2d(image, kernel, "same", fillvalue=np.float64(0)))
    assert zoo.same_bits(plain, signal.convolve2d(image, kernel, "same", out=np.empty_like(plain)))
    for layout in ("fortran", "swapped", "misaligned", "every_other"):
        assert zoo.same_bits(plain, signal.convolve2d(zoo.LAYOUTS[layout](image), kernel, "same"))
        assert zoo.same_bits(plain, signal.convolve2d(image, zoo.LAYOUTS[layout](kernel), "same"))
    together = signal.convolve2d(np.stack([image, image], axis=-1), kernel, "same", channel_axis=-1)
    planar = signal.convolve2d(np.stack([image, image]), kernel, "same", channel_axis=0)
    assert zoo.same_bits(np.moveaxis(planar, 0, -1), together)
    np.testing.assert_allclose(together[..., 1], plain, atol=30 * np.finfo(dtype).eps * np.abs(plain).max())


def test_complex_taps_on_complex_pixels_count_as_four():
    """31 us by direct sums, 9 by transforms (x86_v4, 2026-11-22)."""
    pixels, kernel = zoo.values((17, 53), "complex64", 1), zoo.values((15, 15), "complex64", 2)
    assert "fft" in rapidconv.explain(pixels, kernel, "same").seconds
    assert list(rapidconv.explain(pixels.real, kernel, "same").seconds) == ["direct"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "uint8"])
@pytest.mark.parametrize("columns", [1, 9, 33])
@pytest.mark.parametrize("low", [False, True])
def test_they_agree_on_rows_shorter_than_vectors(dtype, columns, low):
    """Work is counted in whole vectors: what is little of it, on either side of where that ends, is summed directly on both ways."""
    line = np.exp(-np.linspace(-2, 2, 13) ** 2)
    kernel = np.outer(line, line[::-1] + line**2) if low else np.random.default_rng(3).random((13, 13))
    kernel = (kernel * (9 if dtype == "uint8" else 1)).astype("float32" if dtype == "complex64" else dtype)
    low = kernels.looks_low(kernel)         # rounded numbers are no product
    end = kernels.summed(1, columns * (2 if dtype == "complex64" else 1), {"float64": 8, "uint8": 2}.get(dtype, 4))
    size = {"float64": 8, "uint8": 2}.get(dtype, 4)
    last = int(((1 if low else 3) << 21) / (end * 169 * size))
    assert kernels.little_work(last, columns * (1 + (dtype == "complex64")), 1, kernel, size)
    assert not kernels.little_work(last + 1, columns * (1 + (dtype == "complex64")), 1, kernel, size)
    for rows in (last - 1, last, last + 1, last + 2):
        image = zoo.values((rows, columns), dtype, 1)
        plain = signal.convolve2d(image, kernel, "same", "symm")
        assert zoo.same_bits(plain, signal.convolve2d(image[None], kernel, "same", "symm", channel_axis=0)[0])
        compared = rapidconv.explain(image, kernel, "same", "symm").seconds
        assert (list(compared) == ["direct"]) == (rows <= last)
        if rows <= last:
            assert zoo.same_bits(plain, signal.convolve2d(image, kernel, "same", "symm", method="direct"))
