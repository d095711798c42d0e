"""Several kernels over one picture, magnitude and phase, NaN and masks, against loops over taps."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_oracle import PADS, padded, stored, sums_of

import rapidconv
from rapidconv import _execute, image

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
BANK = np.stack([SOBEL, SOBEL.T, np.random.default_rng(0).integers(-5, 6, (3, 3))])
SCHARR = np.array([[-3 - 3j, -10j, 3 - 3j], [-10, 0, 10], [-3 + 3j, 10j, 3 + 3j]])
COMBINED = {
    "magnitude": lambda sums: np.sqrt((sums.astype(np.longdouble) ** 2).sum(axis=0)),
    "max": lambda sums: sums.max(axis=0),
    "sum_abs": lambda sums: np.abs(sums).sum(axis=0),
}


def picture(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind in "biu":
        return rng.integers(0, 2 if dtype.kind == "b" else 256, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def bank_sums(img, kernels, **options):
    return np.array([sums_of(img, kernel, **options) for kernel in kernels])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("combine", [None, *COMBINED])
@pytest.mark.parametrize("result", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float32", "float64"])
def test_every_way_to_combine(dtype, result, combine, count):
    img = picture((40, 53, 3), dtype)
    kernels = BANK[:count]
    got = image.filter_bank(img, kernels, combine=combine, channel_axis=2, dtype=result, scale=0.5, delta=3)
    sums = bank_sums(img, kernels, channel_axis=2)
    true = sums if combine is None else COMBINED[combine](sums)
    assert got.shape == true.shape
    assert got.dtype == result
    if np.dtype(result).kind != "f" and img.dtype.kind in "biu":
        np.testing.assert_array_equal(got, stored(true, result, scale=0.5, delta=3))
        return
    eps = np.finfo(np.float64 if "float64" in (dtype, result) else np.float32).eps
    slack = 40 * eps * (np.abs(sums).max() + 20)
    if np.dtype(result).kind == "f":
        assert (np.abs(got - (0.5 * true + 3)) <= slack + np.finfo(result).eps * (np.abs(true) + 9)).all()
    else:
        low, high = (stored(true + side * slack, result, scale=0.5, delta=3) for side in (-1, 1))
        assert ((got == low) | (got == high)).all()


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 2), (70, 600)])
def test_banks_of_any_size_and_boundary(shape, boundary):
    for dtype in ("uint8", "float32"):
        img = picture(shape, dtype)
        fill = {"fillvalue": 2} if boundary == "constant" else {}
        kernels = np.random.default_rng(1).integers(-3, 4, (3, 5, 4))
        got = image.filter_bank(img, kernels, boundary=boundary, anchor=(4, 0), dtype="float32", **fill)
        sums = bank_sums(img, kernels, boundary=boundary, anchor=(4, 0), **fill)
        np.testing.assert_allclose(got, sums.astype(float), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("size", [3, 11, 13])
@pytest.mark.parametrize("channel_axis", [None, 0, 2])
def test_a_bank_is_its_kernels_one_by_one(dtype, size, channel_axis):
    shape = {None: (90, 80), 0: (3, 90, 80), 2: (90, 80, 3)}[channel_axis]
    img = picture(shape, dtype)
    kernels = np.random.default_rng(2).integers(-4, 5, (4, size, size))
    out = np.empty((4, *shape), dtype)
    got = image.filter_bank(img, kernels, channel_axis=channel_axis, operation="convolve", out=out)
    assert got is out
    for k in range(4):
        one = image.filter2d(img, kernels[k], channel_axis=channel_axis, operation="convolve", method="direct")
        if np.dtype(dtype).kind == "f":
            np.testing.assert_allclose(got[k], one, rtol=1e-4, atol=1e-3)
        else:
            np.testing.assert_array_equal(got[k], one)


@pytest.mark.parametrize("size", [3, 11])
def test_direct_sums_of_a_bank_have_the_bits_of_single_ones(size):
    img = picture((130, 700), "float32")
    kernels = np.random.default_rng(2).random((3, size, size))
    got = image.filter_bank(img, kernels, method="direct", workers=2)
    for k in range(3):
        np.testing.assert_array_equal(got[k], image.filter2d(img, kernels[k], method="direct"))


@pytest.mark.parametrize("method", ["separable", "fft"])
def test_banks_take_the_method_asked_for(method):
    img = picture((90, 80), "uint8")
    kernels = np.array([np.outer(a, a) for a in np.random.default_rng(3).integers(1, 4, (2, 9))])
    got = image.filter_bank(img, kernels, dtype="float32", method=method)
    np.testing.assert_allclose(got, bank_sums(img, kernels).astype(float), rtol=1e-6)
    combined = image.filter_bank(img, kernels, dtype="float32", combine="max", method=method)
    np.testing.assert_array_equal(combined, bank_sums(img, kernels).max(axis=0))


def test_opencv_agrees_on_the_magnitude_of_sobel():
    img = picture((60, 70), "uint8")
    x, y = (cv2.Sobel(img, cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))
    got = image.filter_bank(img, [SOBEL, SOBEL.T], combine="magnitude", dtype="float32")
    np.testing.assert_allclose(got, cv2.magnitude(x, y), rtol=3e-7)
    angle = image.phase(img, SOBEL + 1j * SOBEL.T, scale=180 / np.pi, dtype="float32") % 360
    theirs = cv2.phase(x, y, angleInDegrees=True)
    assert (np.abs((angle - theirs + 180) % 360 - 180) < 0.3).all()      # OpenCV's are this coarse


@pytest.mark.parametrize("operation", ["correlate", "convolve"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("channel_axis", [None, 2])
def test_magnitude_and_phase_are_those_of_the_complex_response(dtype, channel_axis, operation):
    img = picture((50, 64) if channel_axis is None else (50, 64, 3), dtype)
    flipped = SCHARR[::-1, ::-1] if operation == "convolve" else SCHARR
    response = sums_of(img, flipped.real, channel_axis) + 1j * sums_of(img, flipped.imag, channel_axis)
    result = "float64" if dtype == "float64" else "float32"
    got = image.magnitude(img, SCHARR, channel_axis=channel_axis, dtype=result, operation=operation)
    angle = image.phase(img, SCHARR, channel_axis=channel_axis, operation=operation)
    eps = np.finfo(result).eps
    assert got.dtype == angle.dtype == result
    np.testing.assert_allclose(got, np.abs(response).astype(float), rtol=20 * eps, atol=100 * eps)
    # A sum off by e turns the response by e / magnitude.
    slack = 4 * eps + 200 * eps / np.maximum(np.abs(response), 1e-30)
    turn = (angle - np.angle(response) + np.pi) % (2 * np.pi) - np.pi
    assert (np.abs(turn) <= (slack if dtype != "uint8" else 4 * eps)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angles_of_every_octant_and_of_special_numbers(dtype):
    """Kernels of two taps make any pair of numbers from neighbouring pixels."""
    rng = np.random.default_rng(4)
    sizes = np.concatenate([rng.standard_normal(4000), 10.0 ** rng.uniform(-30, 30, 1000), [0.0, 1.0, np.inf, np.nan]])
    y, x = (rng.choice(sizes, 20000) * rng.choice([-1, 1], 20000) for _ in range(2))
    pair = np.stack([y, x]).astype(dtype)
    finite = np.isfinite(pair).all(axis=0)
    kernel = np.array([[1j], [1]])                                       # the row above is the imaginary part
    got = image.phase(pair, kernel, anchor=(0, 0))[0]
    with np.errstate(all="ignore"):
        true = np.arctan2(pair[0] + 0.0, pair[1] + 0.0)
    np.testing.assert_allclose(got[finite], true[finite], rtol=4 * np.finfo(dtype).eps)
    assert np.isnan(got[np.isnan(pair).any(axis=0)]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("tap", [1 + 1j, 2 - 1j, -1 + 3j, -1 - 1j])
def test_angles_of_two_infinities_are_those_of_equal_numbers(dtype, tap):
    img = np.ones((5, 40), dtype)
    img[2, 3:30] = np.inf
    img[4, 20] = -np.inf
    np.testing.assert_allclose(image.phase(img, [[tap]]), np.arctan2(img * tap.imag, img * tap.real), rtol=4 * np.finfo(dtype).eps)


def test_magnitude_of_a_real_kernel_is_the_absolute_value():
    img = picture((20, 30), "uint8")
    got = image.magnitude(img, SOBEL, dtype="int16")
    np.testing.assert_array_equal(got, np.abs(sums_of(img, SOBEL)))


@pytest.mark.parametrize("layout", ["F", "reversed", "swapped", "planar"])
def test_layouts_and_workers_have_the_same_bits(layout):
    for dtype in ("uint8", "float32"):
        img = picture((90, 70, 3), dtype)
        expected = image.magnitude(img, SCHARR, channel_axis=2, dtype="float32", workers=1)
        other = {
            "F": np.asfortranarray(img),
            "reversed": np.flip(np.flip(img).copy()),
            "swapped": img.astype(img.dtype.newbyteorder()),
            "planar": np.moveaxis(np.moveaxis(img, 2, 0).copy(), 0, 2),
        }[layout]
        np.testing.assert_array_equal(image.magnitude(other, SCHARR, channel_axis=2, dtype="float32", workers=2), expected)


def seen_oracle(img, kernel, seen, boundary="reflect101", fillvalue=0.0):
    """The formula of the docstring, on one plane."""
    anchor = (kernel.shape[0] // 2, kernel.shape[1] // 2)
    x = padded(np.where(seen, img, 0).astype(np.longdouble), kernel.shape, boundary, anchor, fillvalue)
    counts = padded(seen.astype(np.longdouble), kernel.shape, boundary, anchor, 1.0)
    top, share = (np.zeros(img.shape, np.longdouble) for _ in range(2))
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            window = slice(i, i + img.shape[0]), slice(j, j + img.shape[1])
            top += np.longdouble(kernel[i, j]) * x[window]
            share += np.abs(np.longdouble(kernel[i, j])) * counts[window]
    with np.errstate(all="ignore"):
        return np.where(share > 0, top * np.abs(kernel.astype(np.longdouble)).sum() / share, np.nan)


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [np.ones((3, 3)) / 9, BANK[2], np.random.default_rng(5).standard_normal((6, 13))], ids=["mean", "whole", "any"])
@pytest.mark.parametrize("how", ["nan", "mask", "both"])
def test_pixels_left_out(how, kernel, dtype, boundary):
    rng = np.random.default_rng(6)
    img = picture((45, 530), dtype)
    mask = rng.random(img.shape) < 0.7
    mask[10:25, 40:70] = False
    bad = rng.random(img.shape) < 0.2
    bad[20:40, 100:130] = True
    seen = np.ones(img.shape, bool)
    options = {}
    if how != "mask":
        img[bad] = np.nan
        seen &= ~bad
        options["nan"] = "omit"
    if how != "nan":
        seen &= mask
        options["mask"] = mask
    if how == "mask":
        img[~mask] = np.nan                  # what does not count is not looked at
    fill = {"fillvalue": 0.5} if boundary == "constant" else {}
    got = image.filter2d(img, kernel, boundary=boundary, **options, **fill)
    true = seen_oracle(img, kernel, seen, boundary, **fill)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(true))
    assert np.isnan(true).any()
    assert not np.isnan(true).all()
    np.testing.assert_allclose(got, true.astype(float), rtol=1e-3 if dtype == "float32" else 1e-11, atol=100 * np.finfo(dtype).eps)


def test_masks_of_integers_and_channels():
    img = picture((40, 50, 3), "uint8")
    rng = np.random.default_rng(7)
    for mask in (rng.random((40, 50)) < 0.5, rng.random((40, 50, 3)) < 0.5):
        kernel = np.ones((3, 3)) / 9
        got = image.filter2d(img, kernel, channel_axis=2, mask=mask)
        for c in range(3):
            true = seen_oracle(img[..., c], kernel, mask if mask.ndim == 2 else mask[..., c])
            low, high = (stored(np.nan_to_num(true + side), "uint8") for side in (-1e-4, 1e-4))
            assert ((got[..., c] == low) | (got[..., c] == high)).all()
    nothing = image.filter2d(img, np.ones((3, 3)), channel_axis=2, mask=np.zeros((40, 50), bool), delta=9)
    assert (nothing == 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_where_everything_counts_nothing_changes(dtype):
    img = picture((40, 50), dtype)
    for kernel in (np.random.default_rng(8).random((5, 4)), BANK[2]):
        plain = image.filter2d(img, kernel, method="direct")
        np.testing.assert_array_equal(image.filter2d(img, kernel, mask=np.ones(img.shape, bool)), plain)
        np.testing.assert_array_equal(image.filter2d(img, kernel, nan="omit"), plain)


def test_nan_propagates_unless_told_otherwise():
    img = np.zeros((9, 9), np.float32)
    img[4, 4] = np.nan
    got = image.filter2d(img, np.ones((3, 3)))
    np.testing.assert_array_equal(np.isnan(got), sums_of(np.isnan(img), np.ones((3, 3))) > 0)


def test_tall_kernels_are_gathered_in_groups():
    img = picture((900, 40), "float32")
    img[::7, ::3] = np.nan
    kernel = np.random.default_rng(9).random((701, 3))
    got = image.filter2d(img, kernel, nan="omit", boundary="replicate")
    true = seen_oracle(img, kernel, ~np.isnan(img), "replicate")
    np.testing.assert_allclose(got, true.astype(float), rtol=1e-3, atol=1e-4)
    wide = picture((40, 900), "float32")
    kernels = np.random.default_rng(9).random((2, 701, 3))
    got = image.filter_bank(wide, kernels, combine="sum_abs")
    np.testing.assert_allclose(got, np.abs(bank_sums(wide, kernels)).sum(axis=0).astype(float), rtol=1e-3, atol=1e-2)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.sampled_from(sorted(PADS)), st.integers(0, 2**32))
def test_any_bank(m, n, kh, kw, count, boundary, seed):
    img = picture((m, n), "uint8", seed)
    kernels = np.random.default_rng(seed).integers(-9, 10, (count, kh, kw))
    sums = bank_sums(img, kernels, boundary=boundary)
    np.testing.assert_array_equal(image.filter_bank(img, kernels, boundary=boundary, dtype="int16"), stored(sums, "int16"))
    got = image.filter_bank(img, kernels, boundary=boundary, combine="max")
    np.testing.assert_array_equal(got, stored(sums.max(axis=0), "uint8"))



def products(count, shape, dtype="whole", seed=3):
    """Kernels that are products of a column and a row."""
    rng = np.random.default_rng(seed)
    draw = (lambda n: rng.integers(-3, 4, n)) if dtype == "whole" else rng.standard_normal
    return np.array([np.outer(draw(shape[0]), draw(shape[1])) for _ in range(count)])


ROADS = ["fft", "separable"]
SHAPES = {None: (90, 141), 0: (3, 60, 71), 2: (60, 71, 3)}


@pytest.mark.parametrize("channel_axis", SHAPES)
@pytest.mark.parametrize("combine", COMBINED)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("method", ROADS)
def test_every_way_to_combine_by_every_road(method, dtype, combine, channel_axis):
    img = picture(SHAPES[channel_axis], dtype)
    kernels = products(3, (13, 9), "fractions")
    how = {"channel_axis": channel_axis, "combine": combine, "method": method}
    sums = bank_sums(img, kernels, channel_axis=channel_axis)
    true = COMBINED[combine](sums)
    for result in ("float32", "float64"):
        got = image.filter_bank(img, kernels, dtype=result, scale=0.5, delta=3, **how)
        wide = "float64" in (dtype, result)
        slack = (2e-14 if wide else 1e-5) * np.abs(sums).max() + np.finfo(result).eps * np.abs(true).max()
        assert np.abs(got - (0.5 * true + 3)).max() <= slack
    got = image.filter_bank(img, kernels, dtype="uint8", scale=0.25, delta=9, **how)
    slack = 1e-5 * np.abs(sums).max()
    low, high = (stored(true + side * slack, "uint8", scale=0.25, delta=9) for side in (-1, 1))
    assert ((got == low) | (got == high)).all()


@pytest.mark.parametrize("combine", COMBINED)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("method", ROADS)
def test_whole_numbers_combine_exactly_by_every_road(method, dtype, combine):
    img = picture((170, 190), "uint8").astype(dtype) * (200 if dtype == "uint16" else 1)
    kernels = np.stack([products(1, (11, 15))[0], np.ones((11, 15), int)])
    true = COMBINED[combine](bank_sums(img, kernels))
    got = image.filter_bank(img, kernels, combine=combine, dtype="float64", method=method)
    np.testing.assert_allclose(got, true.astype(float), rtol=1e-15 if combine == "magnitude" else 0)
    for result in ("uint8", "int16"):
        got = image.filter_bank(img, kernels, combine=combine, dtype=result, scale=2.0**-6, method=method)
        slack = 3e-7 * true if combine == "magnitude" else 0            # roots may be of float32
        low, high = (stored(true + side * slack, result, scale=2.0**-6) for side in (-1, 1))
        assert ((got == low) | (got == high)).all()


def test_whether_sums_are_exact_is_judged_by_the_largest_kernel():
    img = picture((170, 190), "uint8").astype("float32")
    kernels = np.zeros((2, 15, 15))
    kernels[0, 7, 7] = 1
    kernels[1] = np.random.default_rng(0).integers(-2000, 2001, (15, 15))
    for order in (kernels, kernels[::-1]):
        true = COMBINED["sum_abs"](bank_sums(img, order))
        assert true.max() < 2**24
        np.testing.assert_array_equal(image.filter_bank(img, order, combine="sum_abs", method="fft"), true)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("combine", COMBINED)
@pytest.mark.parametrize("method", ROADS)
def test_what_is_not_finite_stays_under_its_taps_by_every_road(method, combine, bad):
    img = picture((250, 260), "float32")
    img[30, 40] = img[249, 0] = bad
    kernels = products(2, (9, 21), "fractions")
    got = image.filter_bank(img, kernels, combine=combine, method=method)
    direct = image.filter_bank(img, kernels, combine=combine, method="direct")
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(direct))
    assert not np.isfinite(got).all()
    np.testing.assert_array_equal(got[~np.isfinite(got)], direct[~np.isfinite(got)])
    fine = np.isfinite(got)
    np.testing.assert_allclose(got[fine], direct[fine], atol=1e-5 * np.abs(direct[fine]).max())


@pytest.mark.parametrize("method", ROADS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_banks_have_the_same_bits_in_any_layout_and_for_any_workers(monkeypatch, dtype, method):
    img = picture((300, 210, 3), dtype)
    if dtype == "float32":
        img[200, 100, 1] = 1e12             # one that transforms refuse
    kernels = products(3, (17, 9), "fractions")
    how = {"combine": "magnitude", "dtype": "float32", "method": method}
    expected = image.filter_bank(img, kernels, channel_axis=2, workers=1, **how)
    monkeypatch.setattr("rapidconv._plan.workers_for", lambda seconds, units, workers: workers)
    layouts = [img, np.asfortranarray(img), np.flip(np.flip(img).copy()), img.astype(img.dtype.newbyteorder())]
    for lying in layouts:
        for workers in (2, 3):
            np.testing.assert_array_equal(image.filter_bank(lying, kernels, channel_axis=2, workers=workers, **how), expected)
    planar = np.moveaxis(img, 2, 0).copy()
    got = image.filter_bank(planar, kernels, channel_axis=0, workers=2, **how)
    np.testing.assert_array_equal(np.moveaxis(got, 0, 2), expected)


def test_tiles_under_several_kernels_that_float32_refuses_go_to_float64_and_then_direct(monkeypatch):
    img = picture((300, 310), "float32")
    img[:40, :40] *= 1e-6                   # too dark beside the rest for float32
    img[250, 250] = 1e30                    # the rest too dark for float64
    kernels = products(2, (15, 15), "fractions")
    chars, direct = [], []
    transformed, together = _execute._transformed, _execute._together
    monkeypatch.setattr(_execute, "_transformed", lambda *given, **more: chars.append(given[2]) or transformed(*given, **more))
    monkeypatch.setattr(_execute, "_together", lambda *given: direct.append(given[3].shape) or together(*given))
    got = image.filter_bank(img, kernels, combine="sum_abs", method="fft")
    assert set(chars) == {"f", "d"}
    assert 1 <= len(direct) <= 4
    true = COMBINED["sum_abs"](bank_sums(img, kernels))
    assert (np.abs(got - true)[:25, :25] <= 1e-5 * np.abs(true[:25, :25]).max()).all()
    np.testing.assert_allclose(got[240:, 240:], true[240:, 240:].astype(float), rtol=1e-4)


def test_what_is_not_negative_stays_so_kernel_by_kernel():
    """A bank with one kernel that has negative taps: only the results of the others are held at 0."""
    img = np.zeros((200, 210), np.float32)
    img[::40, ::37] = np.random.default_rng(0).random((5, 6))
    blob = np.random.default_rng(1).random((9, 9))
    for kernels in ([blob, blob.T], [blob, -1e-3 * blob]):
        got = image.filter_bank(img, np.array(kernels), combine="max", method="fft")
        assert (got >= 0).all()
        assert not np.signbit(got).any()
    mixed = np.array([blob, -blob.T])
    got = image.filter_bank(img, mixed, combine="sum_abs", method="fft")
    np.testing.assert_allclose(got, COMBINED["sum_abs"](bank_sums(img, mixed)).astype(float), atol=1e-5)
    lowest = image.filter_bank(img, np.array([-blob, -blob.T]), combine="max", method="fft")
    np.testing.assert_allclose(lowest, COMBINED["max"](bank_sums(img, [-blob, -blob.T])).astype(float), atol=1e-5)
    assert lowest.min() < -0.1


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("channel_axis", SHAPES)
def test_kernels_that_are_not_combined_share_transforms(monkeypatch, dtype, channel_axis):
    img = picture(SHAPES[channel_axis], dtype)
    if dtype == "float32":
        img[..., 50, 2] = np.nan
    kernels = np.random.default_rng(3).standard_normal((4, 13, 15))
    calls = []
    transformed = _execute._transformed
    monkeypatch.setattr(_execute, "_transformed", lambda *given, **more: calls.append(given[2]) or transformed(*given, **more))
    result = "float32" if dtype == "uint8" else dtype
    how = {"channel_axis": channel_axis, "dtype": result}
    out = np.full((4, *img.shape[::-1]), 7, result).transpose(0, *range(img.ndim, 0, -1))
    got = image.filter_bank(img, kernels, method="fft", workers=1, out=out, **how)
    assert got is out
    assert len(calls) <= 2 + 3 * (dtype == "float32")      # not one for each kernel
    for k, kernel in enumerate(kernels):
        direct = image.filter2d(img, kernel, method="direct", **how)
        np.testing.assert_array_equal(np.isnan(got[k]), np.isnan(direct))
        np.testing.assert_allclose(got[k], direct, atol=30 * np.finfo(result).eps * np.nanmax(np.abs(direct)))
    np.testing.assert_array_equal(image.filter_bank(img, kernels, method="fft", workers=2, **how), got)


def test_banks_of_products_that_are_not_combined_are_done_one_by_one():
    img = picture((512, 512), "float32")
    for kernels, method in [(products(3, (21, 21), "fractions"), "separable"), (np.random.default_rng(0).random((3, 31, 31)), "fft")]:
        told = rapidconv.explain(image.filter_bank, img, kernels)
        assert told.method == method
        assert len(told.passes) == (3 if method == "separable" else 0)


def test_planes_of_zeros_under_several_kernels():
    img = np.zeros((200, 300, 3), np.float32)
    img[..., 1] = picture((200, 300), "float32")
    kernels = products(3, (15, 15), "fractions")
    for combine, of_sums in COMBINED.items():
        got = image.filter_bank(img, kernels, combine=combine, channel_axis=2, method="fft", delta=2)
        assert (got[..., [0, 2]] == 2).all()
        true = of_sums(bank_sums(img[..., 1], kernels)) + 2
        np.testing.assert_allclose(got[..., 1], true.astype(float), atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_large_complex_kernels_take_the_transforms(dtype):
    rng = np.random.default_rng(5)
    kernel = rng.standard_normal((33, 35)) + 1j * rng.standard_normal((33, 35))
    img = picture((300, 310), dtype)
    response = sums_of(img, kernel.real) + 1j * sums_of(img, kernel.imag)
    eps = np.finfo("float64" if dtype == "float64" else "float32").eps
    for function, true in ((image.magnitude, np.abs(response)), (image.phase, np.angle(response))):
        told = rapidconv.explain(function, img, kernel, dtype="float64" if dtype == "float64" else "float32")
        assert told.method == "fft"
        assert set(told.seconds) == {"fft", "direct"}
        got = function(img, kernel, dtype="float64" if dtype == "float64" else "float32")
        off = np.abs(got - true)
        if function is image.phase:
            off = np.minimum(off, 2 * np.pi - off) * np.abs(response)
        assert (off <= 30 * eps * np.abs(response).max()).all()


def test_banks_of_products_and_of_large_kernels_are_planned_so():
    """Which of two fast methods is the faster one is a target's own."""
    img = picture((512, 512), "float32")
    many, large = products(2, (31, 31), "fractions"), np.random.default_rng(0).random((4, 31, 31))
    for kernels, methods in [(many, {"separable", "fft"}), (large, {"fft"}), (BANK, {"direct"})]:
        told = rapidconv.explain(image.filter_bank, img, kernels, combine="magnitude")
        assert told.method == min(told.seconds, key=told.seconds.get)
        assert told.method in methods <= told.seconds.keys()
        assert told.memory < 2**23
        ready = rapidconv.prepare(image.filter_bank, img, kernels, combine="magnitude")
        np.testing.assert_array_equal(ready(img), image.filter_bank(img, kernels, combine="magnitude"))
        for forced in told.seconds:
            assert rapidconv.explain(image.filter_bank, img, kernels, combine="magnitude", method=forced).method == forced


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("size", [(1, 1), (9, 17), (1, 25)])
@pytest.mark.parametrize("signs", [True, False])
def test_pixels_left_out_under_products(signs, size, dtype, boundary):
    rng = np.random.default_rng(6)
    img = picture((150, 530), dtype)
    kernel = products(1, size, "fractions")[0]
    kernel = kernel if signs else np.abs(kernel)
    mask = rng.random(img.shape) < 0.7
    mask[10:90, 40:130] = False
    options = {"mask": mask}
    seen = mask
    if dtype != "uint8":
        bad = rng.random(img.shape) < 0.2
        img[bad] = np.nan
        options["nan"] = "omit"
        seen = mask & ~bad
    fill = {"fillvalue": 1.0} if boundary == "constant" else {}
    result = "float32" if dtype == "uint8" else dtype
    true = seen_oracle(img, kernel, seen, boundary, **fill)
    eps = np.finfo(result).eps
    weight = seen_oracle(np.abs(np.where(seen, img, 0)), np.abs(kernel), seen, boundary, **({"fillvalue": 1.0} if fill else {}))
    for method in ("separable", "direct"):
        if method == "separable" and min(size) == 1:
            continue
        got = image.filter2d(img, kernel, boundary=boundary, dtype=result, method=method, **options, **fill)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(true))
        assert np.isnan(true).any()
        bound = 2 * (sum(size) + 8 if method == "separable" else kernel.size + 4) * eps * weight
        fine = ~np.isnan(true)
        assert (np.abs(got - true)[fine] <= bound[fine]).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_where_everything_counts_products_do_not_change(dtype):
    img = picture((140, 533, 3), dtype)
    for kernel in (products(1, (15, 9), "fractions")[0], np.ones((21, 21)) / 441):
        plain = image.filter2d(img, kernel, channel_axis=2, method="separable", dtype="float32" if dtype == "uint8" else dtype)
        for how in ({"mask": np.ones(img.shape, bool)}, {"mask": np.ones(img.shape[:2], bool)}, {"nan": "omit"}):
            got = image.filter2d(img, kernel, channel_axis=2, method="separable", dtype=plain.dtype, **how)
            np.testing.assert_allclose(got, plain, rtol=4 * np.finfo(plain.dtype).eps * 42, atol=1e-4 if dtype == "uint8" else 1e-6)
            if kernel.shape == (15, 9):
                np.testing.assert_array_equal(got, plain)


def test_nan_and_masks_under_products_have_the_same_bits_for_any_workers_and_layout(monkeypatch):
    img = picture((300, 410, 3), "float32")
    img[np.random.default_rng(0).random(img.shape) < 0.1] = np.nan
    mask = np.random.default_rng(1).random((300, 410)) < 0.9
    kernel = products(1, (15, 15), "fractions")[0]
    monkeypatch.setattr("rapidconv._plan.workers_for", lambda seconds, units, workers: workers)
    for options in ({"nan": "omit"}, {"nan": "omit", "mask": mask}, {"mask": mask}):
        expected = image.filter2d(img, kernel, channel_axis=2, workers=1, **options)
        assert rapidconv.explain(image.filter2d, img, kernel, channel_axis=2, **options).method == "separable"
        for lying in (np.asfortranarray(img), img[::-1].copy()[::-1], np.moveaxis(np.moveaxis(img, 2, 0).copy(), 0, 2)):
            for workers in (1, 3):
                got = image.filter2d(lying, kernel, channel_axis=2, workers=workers, **options)
                np.testing.assert_array_equal(got, expected)
        first = image.filter2d(np.moveaxis(img, 2, 0), kernel, channel_axis=0, workers=2, **options)
        np.testing.assert_array_equal(np.moveaxis(first, 0, 2), expected)



GREY = np.zeros((6, 7), np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: image.filter_bank(GREY, SOBEL), ValueError, ["`kernels`", "(3, 3)", "3 dimensions"]),
        (lambda: image.filter_bank(GREY, [SOBEL, SOBEL[:2]]), ValueError, ["`kernels`", "differ in shape"]),
        (lambda: image.filter_bank(GREY, np.ones((0, 3, 3))), ValueError, ["`kernels`", "empty"]),
        (lambda: image.filter_bank(GREY, [SCHARR]), ValueError, ["complex128", "`magnitude`"]),
        (lambda: image.filter_bank(GREY, BANK, combine="mean"), ValueError, ["`combine`", "'mean'", "'magnitude'", "None"]),
        (lambda: image.filter_bank(GREY, BANK, combine=["max"]), ValueError, ["`combine`"]),
        (lambda: image.filter_bank(GREY, BANK, out=GREY.copy()), ValueError, ["`out`", "(3, 6, 7)"]),
        (lambda: image.magnitude(GREY, BANK), ValueError, ["`kernel`", "2 dimensions"]),
        (lambda: image.phase(GREY, SCHARR, dtype=complex), ValueError, ["`dtype`", "float32"]),
        (lambda: image.filter2d(GREY, SOBEL, nan="skip"), ValueError, ["`nan`", "'propagate'", "'omit'"]),
        (lambda: image.filter2d(GREY, SOBEL, mask=GREY), ValueError, ["`mask`", "uint8", "bool"]),
        (lambda: image.filter2d(GREY, SOBEL, mask=GREY[:5] > 0), ValueError, ["`mask`", "(5, 7)", "(6, 7)"]),
        (lambda: image.filter2d(GREY, SOBEL, mask=GREY > 0, method="fft"), ValueError, ["`method` 'fft'", "no transforms"]),
        (lambda: image.filter2d(GREY, BANK[2], mask=GREY > 0, method="separable"), ValueError, ["`method` 'separable'", "product"]),
        (lambda: image.filter_bank(GREY, BANK, combine="max", method="separable"), ValueError, ["`method` 'separable'", "product"]),
        (lambda: image.filter_bank(GREY, 0 * BANK, combine="max", method="fft"), ValueError, ["`method` 'fft'", "zero"]),
        (lambda: image.filter_bank(GREY, np.ones((65, 5, 5)), combine="max", method="separable"), ValueError, ["64 kernels"]),
    ],
)
def test_errors_name_the_argument_and_what_is_accepted(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
