"""The road of tile transforms: as right as direct summation within its bound, and exact where direct summation is."""

import math
from dataclasses import replace

import nd
import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

import rapidconv
from rapidconv import _arguments, _execute, _plan, _transform, signal

FLOATS = ["float16", "float32", "float64", "complex64", "complex128"]
SHAPES = [((100, 130), (15, 15)), ((61, 200), (31, 7)), ((20, 20), (33, 40)), ((1, 300), (1, 25)), ((70, 1), (20, 3))]


def run(function, in1, in2, mode, boundary, fillvalue=0, **keywords):
    return getattr(signal, function)(in1, in2, mode, boundary, fillvalue, method="fft", **keywords)


def in_tiles(shape, in1, in2, mode="same", boundary="symm", fillvalue=0, chars=None):
    """correlate2d in tiles of a shape of our choice."""
    task = _arguments.signal2d("correlate2d", in1, in2, mode, boundary, fillvalue, "fft", None, None, None)
    (plan,) = _plan.plans(task)
    plan = replace(plan, tiles=replace(plan.tiles, shape=shape, chars=chars or plan.tiles.chars))
    return _execute.run(task, [plan], _execute.allocate(task))


def norm(a):
    return np.sqrt(np.sum(np.abs(a.astype(np.clongdouble if a.dtype.kind == "c" else np.longdouble)) ** 2))


def limit(in1, in2, boundary, fillvalue, char, tile):
    """The bound of docs/accuracy.md for any tile, from the norm of all pixels any tile can see."""
    rows, cols = (max(64, 2 * k) for k in in2.shape)
    modes = {"symm": "symmetric", "wrap": "wrap"}
    how = {"mode": "constant", "constant_values": fillvalue} if boundary == "fill" else {"mode": modes[boundary]}
    seen = np.pad(in1, ((rows, rows), (cols, cols)), **how)
    return _transform.noise(tile, char) * float(norm(seen)) * float(norm(in2)) * 65**0.5


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("function", ["convolve2d", "correlate2d"])
@pytest.mark.parametrize(("shape", "kernel"), SHAPES)
def test_within_its_bound(dtype, mode, boundary, function, shape, kernel):
    if mode == "valid" and not (np.subtract(shape, kernel) >= 0).all() and not (np.subtract(shape, kernel) <= 0).all():
        mode = "full"
    in1, in2 = zoo.values(shape, dtype, 1), zoo.values(kernel, dtype, 2)
    fill = 0.75
    got = run(function, in1, in2, mode, boundary, fill)
    expected = oracle.reference2d(in1, in2, mode, boundary, fill, function == "correlate2d")
    assert got.dtype == in1.dtype
    assert got.shape == expected.shape
    big, small = (in2, in1) if mode == "valid" and shape < kernel else (in1, in2)
    char = "d" if dtype in ("float64", "complex128") else "f"
    bound = limit(big, small, boundary, fill, char, (192, 192))
    if dtype == "float16":
        bound += 2.0**-10 * np.abs(expected) + 2.0**-24
    excess = np.abs(got.astype(expected.dtype) - expected) - bound
    assert excess.max() <= 0


@pytest.mark.parametrize("kernel_dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_real_image_complex_kernel(kernel_dtype, boundary):
    in1, in2 = zoo.values((90, 70), "float32", 3), zoo.values((11, 14), kernel_dtype, 4)
    for fill in (0, 1.5 - 2j):
        got = run("convolve2d", in1, in2, "same", boundary, fill)
        expected = oracle.reference2d(in1, in2, "same", boundary, fill)
        char = "f" if kernel_dtype == "complex64" else "d"
        wide = in1.astype(in2.dtype)
        assert np.abs(got - expected).max() <= limit(wide, in2, boundary, fill, char, (192, 192))


@pytest.mark.parametrize("tile", [(n, n) for n in _transform.LENGTHS[:8]] + [(32, 288), (192, 48), (48, 32)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_tile_gives_the_same_values(tile, dtype):
    in1, in2 = zoo.values((150, 170), dtype, 5), zoo.values((13, 9), dtype, 6)
    got = in_tiles(tile, in1, in2)
    expected = oracle.reference2d(in1, in2, "same", "symm", 0, True)
    assert np.abs(got - expected).max() <= limit(in1, in2, "symm", 0, np.dtype(dtype).char, tile)


@pytest.mark.parametrize("n", _transform.LENGTHS)
@pytest.mark.parametrize("char", "fd")
def test_every_length_transforms_back_an_impulse(n, char):
    """A delta kernel moves the image: exact to the bound, for every length, down and across."""
    image = zoo.values((n, 40), char, 7)
    delta = np.zeros((n // 2, 3), char)
    delta[n // 4, 1] = 1
    for a, h, tile in ((image, delta, (n, 48)), (image.T.copy(), delta.T.copy(), (48, n))):
        got = in_tiles(tile, a, h, "full", "fill")
        expected = oracle.reference2d(a, h, "full", "fill", 0, True)
        assert np.abs(got - expected).max() <= _transform.noise(tile, char) * float(norm(a)) * 65**0.5


def test_observed_errors_stay_well_below_the_bound():
    """The bound is not vacuous either: random data comes within a factor of some hundreds."""
    ratios = []
    for char, wide in (("f", "d"), ("d", "g")):
        for seed in range(20):
            rng = np.random.default_rng(seed)
            in1, in2 = rng.standard_normal((60, 60)).astype(char), rng.standard_normal((17, 17)).astype(char)
            got = in_tiles((96, 96), in1, in2, "same", "fill")
            expected = scipy.signal.correlate2d(in1.astype(wide), in2.astype(wide), "same")
            bound = _transform.noise((96, 96), char) * float(norm(in1)) * float(norm(in2))
            ratios.append(float(np.abs(got - expected).max() / bound))
    assert max(ratios) < 0.1
    assert min(ratios) > 1e-4


@pytest.mark.parametrize("dtype", ["bool", *zoo.INTEGERS])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("maker", [zoo.values, zoo.small])
def test_integers_are_exact(dtype, boundary, maker):
    in1, in2 = maker((75, 90), dtype, 8), maker((12, 17), dtype, 9)
    got = run("correlate2d", in1, in2, "full", boundary, 1)
    np.testing.assert_array_equal(got, oracle.reference2d(in1, in2, "full", boundary, 1, True), strict=True)


def test_integers_at_the_edge_of_the_bound_are_exact():
    """Values for which scipy.signal.convolve(method='auto') is off by one, and larger ones, up to the refused."""
    off = 0
    for bits in range(8, 32):
        rng = np.random.default_rng(bits)
        in1 = rng.integers(-(2**bits), 2**bits, (70, 64))
        in2 = rng.integers(-(2**bits), 2**bits, (19, 19))
        expected = scipy.signal.convolve2d(in1, in2)
        np.testing.assert_array_equal(run("convolve2d", in1, in2, "full", "fill"), expected)
        off += (scipy.signal.fftconvolve(in1.astype(float), in2.astype(float)).round() != expected).any()
    assert off > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("top", [1, 255, 65535, 2**24])
def test_whole_numbers_in_floats_are_exact(dtype, top):
    """Masks, pictures of 0..255: what direct summation gets exactly, tiles get exactly."""
    rng = np.random.default_rng(top)
    in1 = rng.integers(0, top + 1, (150, 140)).astype(dtype)
    in2 = rng.integers(-3, 4, (15, 15)).astype(dtype)
    got = run("convolve2d", in1, in2, "same", "symm")
    exact = scipy.signal.convolve2d(in1.astype(np.int64), in2.astype(np.int64), "same", "symm")
    np.testing.assert_array_equal(got, exact.astype(dtype))


@pytest.mark.parametrize("fill", [2.5, 1e30])
def test_a_fill_value_that_no_output_meets_spoils_none(fill):
    in1, in2 = zoo.small((195, 72), "f", 1), zoo.small((3, 5), "f", 2)
    for channels in (in1, np.stack([in1, in1[::-1]], axis=-1)):
        given = {"channel_axis": -1} if channels.ndim == 3 else {}
        got = run("correlate2d", channels, in2, "valid", "fill", fill, **given)
        np.testing.assert_array_equal(got, run("correlate2d", channels, in2, "valid", "fill", **given), strict=True)
        np.testing.assert_array_equal(got, np.rint(got))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_what_is_not_finite_reaches_what_direct_summation_reaches(dtype, bad, boundary):
    in1, in2 = zoo.values((200, 210), dtype, 10), zoo.values((13, 15), dtype, 11)
    in1[5, 7] = in1[150, 160] = in1[-1, -1] = bad
    got = run("correlate2d", in1, in2, "same", boundary, bad)
    direct = signal.correlate2d(in1, in2, "same", boundary, bad, method="direct")
    np.testing.assert_array_equal(oracle.footprint(got), oracle.footprint(direct))
    assert np.isfinite(got).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tile_that_overflows_is_left_to_direct_summation(dtype):
    in1 = zoo.values((140, 150), dtype, 12)
    in1[100:, :] *= np.finfo(dtype).max / 16
    in2 = np.ones((13, 13), dtype)
    with np.errstate(all="ignore"):
        direct = signal.correlate2d(in1, in2, "same", method="direct")
    np.testing.assert_array_equal(oracle.footprint(run("correlate2d", in1, in2, "same", "fill")), oracle.footprint(direct))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_not_negative_stays_not_negative(dtype):
    rng = np.random.default_rng(13)
    in1 = rng.random((300, 200)).astype(dtype)
    in1[:, 100:] *= (rng.random((300, 100)) < 0.01).astype(dtype)
    in1[50:90, 20:60] = -0.0
    in2 = rng.random((17, 17)).astype(dtype) ** 4
    assert (run("convolve2d", in1, in2, "full", "fill") >= 0).all()
    assert (run("convolve2d", -in1, in2, "full", "fill") < 0).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_zero_tiles_give_zeros(dtype):
    in1 = np.zeros((400, 400), dtype)
    in1[:60, :60] = zoo.values((60, 60), dtype, 14)
    got = run("convolve2d", in1, zoo.values((15, 15), dtype, 15), "same", "fill")
    assert (got[210:, :] == 0).all()
    assert not np.signbit(got[210:].real).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("span", [10.0, 1e3, 1e6, 1e12, 1e25])
def test_a_spike_does_not_drown_its_surroundings(dtype, span):
    """Dynamic range: each output is right in proportion to what lies under the kernel, not to the tile's peak."""
    rng = np.random.default_rng(16)
    in1, in2 = rng.random((200, 200)).astype(dtype), rng.random((13, 13)).astype(dtype)
    in1[20, 30] = in1[120, 130] = span
    got = run("correlate2d", in1, in2, "same", "fill")
    wide = np.longdouble
    expected = scipy.signal.correlate2d(in1.astype(wide), in2.astype(wide), "same")
    assert (np.abs(got - expected) / expected).max() < (2e-3 if dtype == "float32" else 1e-8)


def test_the_weaker_of_two_tiles_keeps_its_precision():
    """Two tiles share a transform: one a million times stronger must not add its rounding to the other."""
    rng = np.random.default_rng(17)
    in1, in2 = rng.random((64, 400)).astype(np.float32), rng.random((9, 9)).astype(np.float32)
    in1[:, 88:] *= 1e-6
    got = in_tiles((96, 96), in1, in2, "same", "fill")
    expected = scipy.signal.correlate2d(in1.astype(float), in2.astype(float), "same")
    weak = np.s_[:, 180:]
    assert (np.abs(got - expected)[weak] / expected[weak]).max() < 1e-4


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
@pytest.mark.parametrize("dtype", ["uint8", "int64", *FLOATS])
def test_same_bits_in_any_layout(layout, dtype):
    in1, in2 = zoo.values((160, 170), dtype, 18), zoo.values((11, 12), dtype, 19)
    plain = run("convolve2d", in1, in2, "same", "wrap")
    place = zoo.LAYOUTS[layout]
    assert zoo.same_bits(plain, run("convolve2d", place(in1), place(in2), "same", "wrap"))
    if layout in zoo.WRITEABLE:
        out = place(np.zeros_like(plain))
        assert run("convolve2d", in1, in2, "same", "wrap", out=out) is out
        assert zoo.bits(plain) == zoo.bits(out)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_powers_of_two_pass_through(dtype):
    in1, in2 = zoo.values((100, 90), dtype, 20), zoo.values((14, 9), dtype, 21)
    plain = run("convolve2d", in1, in2, "same", "symm")
    for k in (-10, 3):
        factor = np.array(2.0**k, dtype)
        np.testing.assert_array_equal(run("convolve2d", in1 * factor, in2, "same", "symm"), plain * factor)
        np.testing.assert_array_equal(run("convolve2d", in1, in2 * factor, "same", "symm"), plain * factor)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex64"])
def test_channels(axis, dtype):
    picture, kernel = zoo.small((70, 80, 3), dtype, 22), zoo.small((11, 11), dtype, 23)
    got = run("convolve2d", np.moveaxis(picture, 2, axis), kernel, "same", "symm", channel_axis=axis)
    for c in range(3):
        plane = signal.convolve2d(picture[..., c], kernel, "same", "symm", method="direct")
        np.testing.assert_array_equal(np.moveaxis(got, axis, 2)[..., c], plane)


@given(problem=strategies.problems(dtypes=["uint8", "int32", "int64", "float32", "float64", "complex64", "complex128"]))
def test_any_problem(problem):
    in1, in2, mode, boundary, fill = problem
    dtype = oracle.result_dtype(in1, in2)
    try:
        got = run("convolve2d", in1, in2, mode, boundary, fill)
    except ValueError as error:
        assert "out of the ordinary" in str(error)      # noqa: PT017 - a kernel of zeros
        assert not in2.any() or (mode == "valid" and not in1.any())
        return
    if dtype.kind in "iu":
        np.testing.assert_array_equal(got, oracle.reference2d(in1, in2, mode, boundary, fill))
        return
    expected = oracle.reference2d(in1, in2, mode, boundary, fill)
    big, small = (in1, in2) if mode != "valid" or in1.size >= in2.size else (in2, in1)
    char = "f" if dtype.char in "fF" else "d"
    assert np.abs(got - expected).max(initial=0) <= limit(
        big.astype(dtype), small.astype(dtype), boundary, fill, char, (192, 192)
    )


@pytest.mark.parametrize(
    ("dtype", "kernel", "why"),
    [
        ("longdouble", np.ones((9, 9)), "there are no transforms in longdouble|there are no transforms in float128"),
        ("float32", np.ones((2, 5000), "f"), "longer than the longest transform"),
        ("float64", np.zeros((9, 9)), "the kernel is zero"),
        ("float64", np.full((9, 9), np.nan), "not finite"),
        ("float64", np.full((9, 9), 1e-300), "out of the ordinary"),
    ],
)
def test_a_road_that_cannot_serve_says_why(dtype, kernel, why):
    with pytest.raises(ValueError, match=f"`method` 'fft' cannot serve this call: .*({why})"):
        signal.convolve2d(np.ones((30, 30), dtype), kernel, method="fft")


def test_auto_is_right_where_transforms_cannot_serve():
    image = np.ones((400, 400))
    for kernel in (np.zeros((31, 31)), np.full((31, 31), np.nan), np.full((31, 31), 1e-300)):
        got, direct = signal.convolve2d(image, kernel), signal.convolve2d(image, kernel, method="direct")
        np.testing.assert_allclose(got, direct, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_plans_are_pure(seed):
    """The same problem gets the same plan, whatever the pixels and the layout are."""
    rng = np.random.default_rng(seed)
    shape, side = tuple(rng.integers(20, 2000, 2)), int(rng.integers(5, 70))
    kernel = rng.random((side, side)).astype(np.float32)
    blank = np.broadcast_to(np.float32(0), shape)
    plans = []
    for image in (blank, np.asfortranarray(blank), blank):
        task = _arguments.signal2d("convolve2d", image, kernel, "same", "symm", 0, "auto", None, None, None)
        plans.append(_plan.plans(task)[0])
    assert plans[0] == plans[1] == plans[2]
    assert rapidconv.explain(blank, kernel, "same", "symm").method == plans[0].method


def _problem(image, kernel, boundary="fill", fill=0):
    """A problem of 'same', as convolve2d states it."""
    return _arguments.signal2d("convolve2d", image, kernel, "same", boundary, fill, "auto", None, None, None).problems[0]


_ONES = np.ones((15, 15), "int32")
_COUNT = np.arange(1, 226, dtype="int32").reshape(15, 15)
_LIKE = {
    "kernel": [_problem(np.zeros((300, 200), "int32"), k) for k in (_ONES, _COUNT)],
    "kernel's dtype": [_problem(np.zeros((300, 200), "float64"), k) for k in (_COUNT, _COUNT.view("float32"))],
    "kernel's shape": [_problem(np.zeros((300, 200), "int32"), k) for k in (_ONES, _ONES.reshape(1, 225))],
    "image's dtype": [_problem(np.zeros((300, 200), d), _COUNT) for d in ("uint8", "int32")],
    "shape": [_problem(np.zeros((300, n), "int32"), _COUNT) for n in (200, 400)],
    "dtype": [_problem(np.zeros((300, 200), "int32"), _COUNT) for _ in range(2)],
    "boundary": [_problem(np.zeros((300, 200), "uint8"), _COUNT, b, 2**24) for b in ("fill", "symm")],
    "fill": [_problem(np.zeros((300, 200), "uint8"), _COUNT, "fill", f) for f in (0, 2**24)],
    "method": [_problem(np.zeros((300, 200), "int32"), _COUNT) for _ in range(2)],
}
_LIKE["dtype"][1].dtype = np.dtype("int64")
_LIKE["boundary"][1].fill = _LIKE["boundary"][0].fill
_LIKE["method"][1].method = "direct"


def _with_channels():
    """Two problems of the least size, on this target, at which a second worker gains on 8 channels or 6 planes, not on one."""
    for side in range(16, 400, 4):
        one = _problem(np.zeros((side, side), "float32"), _COUNT.astype("float32"))
        one.method = "direct"
        many = replace(one, image=np.zeros((side, side, 8), "float32"))
        if _plan._choose(one, 2, 6).workers == _plan._choose(many, 2, 1).workers == 2:
            return [one, many]
    raise AssertionError


_LIKE["channels"] = _with_channels()


@pytest.mark.parametrize("difference", _LIKE)
def test_plans_are_kept_by_all_they_follow_from(monkeypatch, difference):
    """Two problems that differ in one thing only, which makes two plans: each is given its own, also the second time."""
    monkeypatch.setattr(_plan, "_kept", {})
    anew = [_plan._choose(problem, 2, 1) for problem in _LIKE[difference]]
    assert anew[0] != anew[1]
    for _ in range(2):
        assert [_plan.plan(problem, 2, 1) for problem in _LIKE[difference]] == anew
    assert len(_plan._kept) == 2


@pytest.mark.parametrize("second", [(1, 6), (2, 1)], ids=["workers", "planes"])
def test_plans_are_kept_by_workers_and_planes(monkeypatch, second):
    monkeypatch.setattr(_plan, "_kept", {})
    problem = _LIKE["channels"][0]
    assert _plan._choose(problem, 2, 6) != _plan._choose(problem, *second)
    for arguments in ((2, 6), second, (2, 6)):
        assert _plan.plan(problem, *arguments) == _plan._choose(problem, *arguments)


def test_only_so_many_plans_are_kept(monkeypatch):
    monkeypatch.setattr(_plan, "_kept", {})
    for n in range(2 * _plan._KEPT):
        _plan.plan(_problem(np.zeros((100 + n, 100), "float32"), np.ones((9, 9), "float32")))
        assert 0 < len(_plan._kept) <= _plan._KEPT


def test_few_bytes_of_plans_are_kept(monkeypatch):
    monkeypatch.setattr(_plan, "_kept", {})
    image = np.zeros((400, 400))
    for n in range(40):
        problem = _problem(image, np.random.default_rng(n).standard_normal((65, 65)))
        _plan.plan(problem)
        assert 0 < sum(size for _, size in _plan._kept.values()) <= _plan._KEPT_BYTES
    assert len(_plan._kept) < 40
    assert next(reversed(_plan._kept))[0] == problem.kernel.tobytes()


def test_plans_of_the_largest_kernels_are_not_kept(monkeypatch):
    monkeypatch.setattr(_plan, "_kept", {})
    _plan.plan(_problem(np.zeros((400, 400)), np.ones((363, 363))))
    assert not _plan._kept


@pytest.mark.parametrize("method", ["fft", "direct", "separable"])
def test_a_kernel_changed_by_the_caller_does_not_change_what_is_kept_of_it(method):
    image, kernel = np.random.default_rng(5).standard_normal((60, 70)), np.outer(np.arange(1.0, 14), np.arange(2.0, 15))
    original = kernel.copy()
    expected = rapidconv.convolve2d(image, kernel, method=method)
    kernel[:] = 7
    np.testing.assert_array_equal(rapidconv.convolve2d(image, original, method=method), expected)
    assert abs(rapidconv.convolve2d(image, kernel, method=method) - expected).max() > 1


def test_the_same_kernel_is_transformed_once(monkeypatch):
    monkeypatch.setattr(_plan, "_kept", {})
    calls = []
    monkeypatch.setattr(_transform, "spectrum", lambda *a, made=_transform.spectrum: calls.append(a) or made(*a))
    image, kernel = np.random.default_rng(5).standard_normal((100, 110)), np.random.default_rng(5).standard_normal((21, 19))
    first = rapidconv.convolve2d(image, kernel, method="fft")
    np.testing.assert_array_equal(rapidconv.convolve2d(image, kernel.copy(), method="fft"), first)
    assert len(calls) == 1
    rapidconv.convolve2d(image, kernel[1:], method="fft")
    assert len(calls) == 2


def test_turned_kernels_of_the_same_shape_are_told_apart():
    """A volume of Fortran order is walked along other axes, with the kernel turned, under the same kept plan."""
    volume, kernel = np.random.default_rng(5).standard_normal((9, 10, 11)), np.random.default_rng(5).standard_normal((3, 3, 3))
    expected = rapidconv.ndimage.convolve(volume, kernel)
    for order in ("F", "C", "F"):
        np.testing.assert_allclose(rapidconv.ndimage.convolve(np.asarray(volume, order=order), kernel), expected, rtol=1e-12)


def test_no_more_than_so_many_bytes_are_held_with_pieces_of_kernels(monkeypatch):
    monkeypatch.setattr(_plan, "_kept", {})
    rng = np.random.default_rng(3)
    image = rng.integers(-(2**62), 2**62, (300, 300))
    for _ in range(40):
        rapidconv.convolve2d(image, rng.integers(-(2**10), 2**10, (47, 47)), mode="same", method="fft")

    def held(weights):
        return sum(each.nbytes for each in weights._spectra.values()) + sum(held(piece) for piece, _ in weights._pieces or [])

    found = [held(weights) for plan, _ in _plan._kept.values() for weights in plan.made.values()]
    assert sum(found) <= _plan._KEPT_BYTES
    assert any(weights._pieces for plan, _ in _plan._kept.values() for weights in plan.made.values())


def transforms_of(monkeypatch):
    """Lengths of the lists of items that are handed to the transforms; two items ride in one."""
    lists = []
    correlate = _execute.kernels.correlate_fft

    def counted(*given):
        lists.append(len(given[-1]))
        return correlate(*given)

    monkeypatch.setattr(_execute.kernels, "correlate_fft", counted)
    return lists


LAYOUTS = {
    "interleaved": lambda a: a,
    "planar": lambda a: np.moveaxis(np.moveaxis(a, -1, 0).copy(), 0, -1),
    "reversed": lambda a: a[:, :, ::-1].copy()[:, :, ::-1],
    "fortran": np.asfortranarray,
    "misaligned": zoo.LAYOUTS["misaligned"],
    "strided": lambda a: np.repeat(a, 2, 2)[..., ::2],
}


@pytest.mark.parametrize(("size", "tiles"), [((60, 70), 1), ((300, 310), 9), ((300, 150), 6)])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "complex64"])
def test_tiles_left_over_ride_with_those_of_other_channels(monkeypatch, size, tiles, channels, dtype):
    monkeypatch.setattr(_plan, "_candidates", lambda kernel, shape: [(128, 128)])
    _plan._best_tile.cache_clear()
    picture, kernel = zoo.values((*size, channels), dtype, 1), zoo.values((11, 9), dtype, 2)
    counts = transforms_of(monkeypatch)
    expected = signal.correlate2d(picture, kernel, "same", "symm", channel_axis=-1, method="fft", workers=1)
    _plan._best_tile.cache_clear()
    numbers = 2 if dtype == "complex64" else 1
    assert sum(counts) == numbers * tiles * channels
    assert sum(-(-n // 2) for n in counts) == -(-numbers * tiles * channels // 2)
    for c in range(channels):
        char = "d" if dtype == "uint8" else "f"
        true = oracle.reference2d(picture[..., c], kernel, "same", "symm", 0, True)
        off = np.abs(expected[..., c].astype(true.dtype) - true).max()
        assert off <= (0 if dtype == "uint8" else limit(picture[..., c], kernel, "fill", 0, char, (128, 128)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bad", [None, np.nan, 1e30, 1e6])
@pytest.mark.parametrize("size", [(60, 70), (300, 310)])
def test_channels_have_the_same_bits_in_any_layout_and_for_any_workers(monkeypatch, size, bad, layout):
    """Also where the tile that is left over, and others, are refused."""
    monkeypatch.setattr(_plan, "_candidates", lambda kernel, shape: [(128, 128)])
    _plan._best_tile.cache_clear()
    picture, kernel = zoo.values((*size, 3), "float32", 1), zoo.values((21, 21), "float32", 2)
    if bad is not None:
        picture[-3, -5, 1] = bad
        picture[5, ::100, 1] = picture[min(size[0], 120) - 1 :: 100, 7, 2] = bad
    expected = signal.correlate2d(picture, kernel, "same", "symm", channel_axis=-1, method="fft", workers=1)
    lying = LAYOUTS[layout](picture)
    monkeypatch.setattr(_plan, "workers_for", lambda seconds, units, workers: workers)
    for workers in (1, 2, 3):
        got = signal.correlate2d(lying, kernel, "same", "symm", channel_axis=-1, method="fft", workers=workers)
        assert zoo.same_bits(got, expected)
        first = signal.correlate2d(np.moveaxis(lying, -1, 0), kernel, "same", "symm", channel_axis=0, method="fft", workers=workers)
        assert zoo.same_bits(np.moveaxis(first, 0, -1), expected)
        stored = np.empty((3, *size), "float32")
        signal.correlate2d(
            lying, kernel, "same", "symm", channel_axis=-1, method="fft", workers=workers, out=np.moveaxis(stored, 0, -1)
        )
        assert zoo.same_bits(np.moveaxis(stored, 0, -1), expected)
    _plan._best_tile.cache_clear()
    for c in range(3):
        true = oracle.reference2d(picture[..., c], kernel, "same", "symm", 0, True)
        np.testing.assert_array_equal(np.isnan(expected[..., c]), np.isnan(true))
        off = np.abs(expected[..., c] - true) / np.nanmax(np.abs(true))
        assert np.nanmax(off) < 1e-4


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_planes_of_a_batch_ride_together(monkeypatch, dtype):
    """Those beyond the image as well."""
    monkeypatch.setattr(_plan, "_candidates", lambda kernel, shape: [(96, 96)])
    _plan._best_tile.cache_clear()
    image, kernel = zoo.values((4, 60, 70), dtype, 1), zoo.values((1, 9, 11), dtype, 2)
    made = nd.problem(image, kernel, nd.Boundary.FILL, 2 - 1j if dtype[0] == "c" else 2, shape=(7, 60, 70), first=(-2, -4, -5), method="fft")
    counts = transforms_of(monkeypatch)
    got = nd.run(made)
    numbers = 2 if dtype[0] == "c" else 1
    np.testing.assert_allclose(got, nd.summed(made), atol=1e-11)
    assert sum(-(-n // 2) for n in counts) == -(-7 * numbers // 2)
    turned = nd.problem(np.moveaxis(np.moveaxis(image, 0, -1).copy(), -1, 0), kernel, nd.Boundary.FILL, made.fill[0], shape=(7, 60, 70), first=(-2, -4, -5), method="fft")
    assert zoo.same_bits(nd.run(turned), got)
    _plan._best_tile.cache_clear()


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("kernel", [(3, 5), (2, 3, 5)])
def test_spectra_begin_at_a_cache_line(kernel, char):
    """Vectors of the kernel's spectra, of each of its planes, do not straddle cache lines."""
    spectra = _transform.spectrum(np.ones(kernel), (32, 48), char, (0,))
    assert spectra.ctypes.data % 64 == 0
    assert spectra.size == 2 * 32 * 48 * math.prod(kernel[:-2])
    assert spectra.nbytes // math.prod(kernel[:-2]) % 64 == 0
