"""Kernels with three or more long axes by tile transforms, and as lines and what is left of them: right where direct sums are."""

from dataclasses import replace
from math import prod

import nd
import numpy as np
import oracle
import pytest
import scipy.ndimage
import zoo
from nd import Boundary, plan, problem, run, summed

import rapidconv
from rapidconv import _blocks, _cost, _execute, _passes, _plan, _transform, _weights, ndimage
from rapidconv._native import in_use

extended = pytest.mark.skipif(np.finfo("g").eps == np.finfo("d").eps, reason="no wider type")


def cases(seed, count):
    """Random shapes of images and kernels, kernels also even or larger than the image, and first positions."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        axes = int(rng.choice([3, 3, 3, 4]))
        most = (50, 12) if axes == 3 else (14, 5)
        shape = tuple(int(n) for n in rng.integers(1, most[0], axes))
        kernel = tuple(int(n) for n in rng.integers(2, most[1], axes))
        first = [-int(rng.integers(0, k)) for k in kernel]
        yield rng, shape, kernel, first, Boundary(int(rng.integers(5)))


def norm(numbers):
    return float(np.sqrt(np.sum(numbers.astype("g") ** 2)))


def in_tiles(made, tile, slabs=1, chars=None, workers=1):
    """A problem in tiles of our choice."""
    found = plan(made)
    chars = chars or found.tiles.chars
    found = replace(found, workers=workers, tiles=replace(found.tiles, shape=tile, slabs=slabs, chars=chars))
    task = _plan.Task([made], made.shape + made.image.shape[made.kernel.ndim :], made.dtype, None, [()], False, workers)
    return _execute.run(task, [found], _execute.allocate(task))


@pytest.fixture(params=[0, 2])
def parts(request, monkeypatch):
    """Most kernel planes along an axis that are multiplied at once, 0: as many as there are; the sums of parts are added up."""
    if request.param:
        monkeypatch.setattr(_plan, "_kept", {})
        monkeypatch.setattr(_cost, "planes_at_once", lambda lane, tile, planes: tuple(min(n, request.param) for n in planes))
    return request.param


@pytest.mark.parametrize("char", "fd")
@pytest.mark.usefixtures("parts")
def test_within_its_bound(char):
    for rng, shape, taps, first, rule in cases(1, 60):
        image, kernel = rng.standard_normal(shape).astype(char), rng.standard_normal(taps).astype(char)
        made = problem(image, kernel, rule, 0.5, first=first, method="fft")
        tiles = plan(made).tiles
        bound = _transform.noise(tiles.shape, char, prod(tiles.planes)) * norm(nd.extended(made, "g")) * norm(kernel) * 65**0.5
        assert np.abs(run(made) - summed(made, "g")).max() <= bound


@pytest.mark.parametrize("char", ["?", "B", "b", "H", "h", "I", "i", "L", "q"])
def test_whole_numbers_are_exact(char, parts):
    if char == "?" and parts:
        pytest.skip("sums of parts are no truth values")
    for rng, shape, taps, first, rule in cases(2, 25):
        image = rng.integers(0, 2 if char == "?" else 100, shape).astype(char)
        kernel = rng.integers(-5 if char in "bhiq" else 0, 6, taps).astype(char)
        if not kernel.any():
            continue
        made = problem(image, kernel, rule, 3, first=first, method="fft")
        np.testing.assert_array_equal(run(made), summed(made, None if char == "?" else "q").astype(char))


@pytest.mark.parametrize("char", "iq")
@pytest.mark.usefixtures("parts")
def test_whole_numbers_too_large_for_a_transform_are_summed_directly(char):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 9, (20, 40, 50)).astype(char)
    image[5:9, 20:, 10:30] = rng.integers(0, np.iinfo(char).max, (4, 20, 20))
    made = problem(image, rng.integers(-9000, 9000, (4, 5, 6)).astype(char), method="fft")
    np.testing.assert_array_equal(run(made), summed(made))


@pytest.mark.parametrize(("char", "top"), [("f", 255), ("d", 2.0**20)])
@pytest.mark.usefixtures("parts")
def test_whole_numbers_in_floats_are_exact(char, top):
    rng = np.random.default_rng(4)
    image, kernel = np.rint(rng.random((30, 40, 50)) * top).astype(char), rng.integers(-2, 3, (5, 6, 7)).astype(char)
    made = problem(image, kernel, method="fft")
    np.testing.assert_array_equal(run(made), summed(made, "d"))


@pytest.mark.parametrize("char", "fd")
def test_fractions_in_one_plane_are_not_rounded_away(char):
    rng = np.random.default_rng(25)
    image, kernel = np.rint(rng.random((20, 30, 30)) * 99).astype(char), rng.integers(1, 4, (4, 5, 6)).astype(char)
    image[7] += 0.25
    made = problem(image, kernel, method="fft")
    np.testing.assert_allclose(run(made), summed(made, "d"), rtol=1e-5 if char == "f" else 1e-13)


def test_whole_numbers_are_exact_up_to_the_last_norm_that_is_served():
    """Rounding is right as long as the bound of all planes together is below a half; one plane's own bound would let more through."""
    rng = np.random.default_rng(5)
    refused = 0
    for power in range(20):
        kernel = rng.integers(-3, 4, (9, 5, 5)).astype("f")
        image = np.rint(rng.standard_normal((24, 28, 28)) * 2.0 ** (power / 2)).astype("f")
        made = problem(image, kernel, Boundary.WRAP, method="fft")
        np.testing.assert_array_equal(in_tiles(made, (32, 32), chars="fd"), summed(made, "d").astype("f"))
        refused += _transform.noise((32, 32), "f", 9) * norm(image[:9]) * norm(kernel) * 2**0.5 > 0.499
    assert 3 < refused < 17


@pytest.mark.parametrize("beside", [1, 6])
def test_whole_numbers_are_rounded_by_the_norm_of_all_that_rides(beside, monkeypatch):
    """Two tiles in a transform: the error of one is that of both, so beside a stronger one whole numbers may not be proven exact."""
    verdicts = []
    correlate = _execute.kernels.correlate_volume
    monkeypatch.setattr(_execute.kernels, "correlate_volume", lambda *given: verdicts.append(correlate(*given)) or verdicts[-1])
    rng = np.random.default_rng(6)
    kernel = rng.integers(-9, 10, (3, 5, 5)).astype("f")
    image = np.rint(rng.standard_normal((1, 28, 56)) * 25)
    image[..., 30:54] *= beside           # in the second tile only
    made = problem(image.astype("f"), kernel, Boundary.WRAP, method="fft")
    around = nd.extended(made, "d")
    norms = [_transform.noise((32, 32), "f", 3) * norm(kernel) * norm(around[..., x : x + 32]) for x in (0, 28)]
    assert norms[0] < 0.499
    assert np.hypot(*norms) > 0.499 or beside == 1
    np.testing.assert_array_equal(in_tiles(made, (32, 32), chars="fd"), summed(made, "d").astype("f"))
    assert verdicts[0].tolist() == ([[0], [0]] if beside == 1 else [[1], [1]])


@pytest.mark.parametrize("char", ["f", pytest.param("d", marks=extended)])
@pytest.mark.parametrize("depth", [2, 5, 12])
def test_no_error_reaches_the_bound_of_the_planes_under_the_kernel(char, depth):
    """One tile, alone in its transform; images made to add errors up, too."""
    rng = np.random.default_rng(depth)
    shape = (depth, 32, 32)
    kernels = rng.standard_normal((depth, 11, 11)), rng.random((depth, 11, 11)), np.full((depth, 11, 11), 1 / 3)
    matched = np.zeros(shape)
    matched[:, 9:20, 9:20] = kernels[0]
    images = matched, rng.standard_normal(shape), rng.random(shape), np.full(shape, 1 / 3)
    worst = 0.0
    for image in images:
        for kernel in kernels:
            made = problem(image.astype(char), kernel.astype(char), shape=(1, 22, 22), first=(0, 0, 0), method="fft")
            bound = _transform.noise((32, 32), char, depth) * norm(made.image) * norm(made.kernel)
            worst = max(worst, float(np.abs(in_tiles(made, (32, 32), chars=char) - summed(made, "g")).max() / bound))
    assert 1e-4 < worst < 0.2


def test_sums_over_many_planes_are_in_the_bound():
    """Errors of the additions, counted in _SUM: a sum of 400 equal planes drifts."""
    image, kernel = np.full((400, 32, 32), 1 / 3, "f"), np.full((400, 2, 2), 1 / 7, "f")
    made = problem(image, kernel, shape=(1, 31, 31), first=(0, 0, 0), method="fft")
    off = np.abs(in_tiles(made, (32, 32), chars="f") - summed(made, "g")).max()
    assert off < _transform.noise((32, 32), "f", 400) * norm(image) * norm(kernel)


def test_the_bound_handed_to_the_kernels_is_that_of_all_planes(monkeypatch):
    facts = []

    def seen(work, planes, bank, spectra, down, across, steps, given, items, together):
        facts.append(given)
        return np.zeros((len(items), 9), np.uint8)

    monkeypatch.setattr(_execute.kernels, "correlate_volume", seen)
    made = problem(np.ones((9, 20, 20)), np.full((3, 4, 5), 2.0), method="fft")
    tiles = plan(made).tiles
    run(made)
    assert facts[0][3] == _transform.noise(tiles.shape, "d", 3) * tiles.norm
    assert tiles.norm == np.sqrt(240)
    assert _transform.noise(tiles.shape, "d", 3) > _transform.noise(tiles.shape, "d")


def test_volumes_are_cut_so_that_items_ride_in_pairs():
    for tile in ((32, 32), (48, 144), (144, 144)):
        tiles = -(-100 // (tile[0] - 4)) * -(-90 // (tile[1] - 6))
        slabs = _plan._slabs(tile, (3, 5, 7), (80, 100, 90))
        assert tiles * slabs % 2 == 0
        assert tiles * slabs >= 8 or slabs == 10


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", Boundary)
@pytest.mark.usefixtures("parts")
def test_what_is_not_finite_reaches_what_direct_summation_reaches(char, bad, rule):
    rng = np.random.default_rng(6)
    image, kernel = rng.random((25, 60, 70)).astype(char), rng.standard_normal((4, 5, 6)).astype(char)
    image[3, 5, 7] = image[20, 50, 60] = image[-1, -1, -1] = bad
    image[12, :, :40] = np.finfo(char).max / 4                 # finite, and too large for a transform
    for fill in (0.5, bad):
        made = problem(image, kernel, rule, fill, method="fft")
        with np.errstate(all="ignore"):
            direct = run(replaced(made, "direct"))
            got = in_tiles(made, (32, 48), 2)
        np.testing.assert_array_equal(oracle.footprint(got), oracle.footprint(direct))
        near = np.isfinite(direct) & (np.abs(direct) < 1e6)
        assert near.any()
        np.testing.assert_allclose(got[near], direct[near], atol=1e-4 if char == "f" else 1e-12)


def replaced(made, method):
    """The same problem by another method."""
    return replace(made, method=method)


def test_zero_taps_meet_no_pixel():
    image = np.random.default_rng(7).random((20, 40, 40))
    image[9, 20, 20] = np.nan
    kernel = np.random.default_rng(8).random((5, 5, 5))
    kernel[::2, 1] = 0
    made = problem(image, kernel, method="fft", skips=True)
    np.testing.assert_array_equal(np.isnan(run(made)), np.isnan(summed(made)))


@pytest.mark.parametrize("char", "fd")
@pytest.mark.usefixtures("parts")
def test_not_negative_stays_not_negative(char):
    rng = np.random.default_rng(9)
    image = (rng.random((40, 50, 60)) * (rng.random((40, 50, 60)) < 0.01)).astype(char)
    image[10, 5:9] = -0.0
    kernel = rng.random((5, 7, 7)).astype(char) ** 4
    for slabs in (1, 4):
        assert (in_tiles(problem(image, kernel, Boundary.FILL, method="fft"), (48, 48), slabs, chars=char) >= 0).all()
    image[20, 30, 30] = -1
    made = problem(image, kernel, Boundary.FILL, method="fft")
    np.testing.assert_array_equal(in_tiles(made, (48, 48), chars=char) < -1e-5, summed(made) < -1e-5)


@pytest.mark.parametrize("char", "fd")
def test_outputs_that_see_tiles_of_zeros_are_zero(char):
    image = np.zeros((40, 90, 90), char)
    image[:8, :30, :30] = np.random.default_rng(10).random((8, 30, 30))
    kernel = np.random.default_rng(11).standard_normal((5, 5, 5)).astype(char)
    got = in_tiles(problem(image, kernel, Boundary.FILL, method="fft"), (48, 48), 2)
    for zeros in (got[13:], got[:, 60:], got[..., 60:]):
        assert (zeros == 0).all()
        assert not np.signbit(zeros).any()


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("span", [10.0, 1e3, 1e6, 1e12, 1e25])
def test_a_spike_does_not_drown_its_surroundings(char, span):
    """Neither in its own plane, nor in planes that share its kernel."""
    rng = np.random.default_rng(12)
    image, kernel = rng.random((20, 70, 70)).astype(char), rng.random((4, 13, 13)).astype(char)
    image[6, 20, 30] = image[14, 60, 50] = span
    got, expected = run(problem(image, kernel, method="fft")), summed(problem(image, kernel), "g")
    assert (np.abs(got - expected) / expected).max() < (2e-3 if char == "f" else 1e-8)


@pytest.mark.parametrize("slabs", [1, 2])
@pytest.mark.usefixtures("parts")
def test_the_weaker_of_two_items_keeps_its_precision(slabs):
    """Two tiles, or two parts of the planes, share a transform: a much stronger one must not add its rounding to the other."""
    rng = np.random.default_rng(13)
    image, kernel = rng.random((40, 32, 120)).astype("f"), rng.random((3, 5, 5)).astype("f")
    strong = np.s_[:, :, :52] if slabs == 1 else np.s_[:17]
    image[strong] *= 1e6
    got = in_tiles(problem(image, kernel, Boundary.FILL, method="fft"), (48, 96), slabs, chars="f")
    expected = summed(problem(image, kernel, Boundary.FILL), "d")
    weak = np.s_[:, :, 66:] if slabs == 1 else np.s_[22:]
    assert (np.abs(got - expected)[weak] / expected[weak]).max() < 1e-4


@pytest.mark.usefixtures("parts")
def test_the_weaker_of_two_items_may_be_refused_alone_too():
    rng = np.random.default_rng(32)
    image, kernel = rng.random((40, 32, 44)), rng.random((3, 5, 5))
    image[:17] *= 1e6
    image[30, 10, 10] = 1e4
    made = problem(image.astype("f"), kernel.astype("f"), Boundary.FILL, method="fft")
    got, expected = in_tiles(made, (48, 48), 2, chars="f"), summed(made, "d")
    assert (np.abs(got - expected)[22:] / expected[22:]).max() < 1e-4


def test_what_one_item_refuses_does_not_touch_the_other():
    """A tile with NaN rides with one that has none: the same bits as beside zeros."""
    rng = np.random.default_rng(14)
    kernel = rng.random((3, 5, 5))
    image = rng.random((12, 40, 88))
    image[..., 42:46] = 0           # both tiles see these
    beside, other = image.copy(), image.copy()
    beside[:, :, 46:], other[:, :, 46:] = 0, np.nan
    left = [in_tiles(problem(each, kernel, Boundary.FILL, method="fft"), (48, 48))[..., :40] for each in (beside, other)]
    assert zoo.bits(left[0].copy()) == zoo.bits(left[1].copy())


@pytest.mark.parametrize("kernel_shape", [(3, 4, 5), (5, 2, 3, 4), (3, 1, 4, 5)])
@pytest.mark.parametrize("char", "fdB")
@pytest.mark.usefixtures("parts")
def test_any_layout_and_any_workers_give_the_same_bits(kernel_shape, char, monkeypatch):
    monkeypatch.setattr(_plan, "workers_for", lambda seconds, units, workers: workers)
    rng = np.random.default_rng(15)
    image = (rng.random((16, 14, 20, 30)[-len(kernel_shape) :]) * 99).astype(char)
    image[2, 3, 5] = image.max() + (np.nan if char in "fd" else 0)
    kernel = (rng.random(kernel_shape) * 9 + 1).astype(char)
    once = run(problem(image, kernel, method="fft"))
    for order in [range(image.ndim), range(image.ndim)[::-1]]:
        lying = np.ascontiguousarray(image.transpose(order)).transpose(np.argsort(order))
        for workers in (1, 2, 3):
            assert zoo.bits(run(problem(lying, kernel, method="fft"), workers, np.empty_like(lying))) == zoo.bits(once)
    for layout in ("swapped", "misaligned", "every_other", "negative"):
        assert zoo.bits(run(problem(zoo.LAYOUTS[layout](image), kernel, method="fft"))) == zoo.bits(once)


@pytest.mark.parametrize("char", "fB")
@pytest.mark.usefixtures("parts")
def test_channels(char):
    rng = np.random.default_rng(16)
    image, kernel = (rng.random((9, 30, 40, 3)) * 99).astype(char), (rng.random((3, 5, 7)) * 9).astype(char)
    image[4, 5, 6, 1] = np.nan if char == "f" else 0
    together = run(problem(image, kernel, method="fft"))
    for channel in range(3):
        alone = run(problem(np.ascontiguousarray(image[..., channel]), kernel, method="fft"))
        assert zoo.bits(alone) == zoo.bits(np.ascontiguousarray(together[..., channel]))


@pytest.mark.usefixtures("parts")
def test_powers_of_two_pass_through():
    rng = np.random.default_rng(17)
    image, kernel = rng.standard_normal((12, 30, 40)), rng.standard_normal((3, 6, 7))
    plain = run(problem(image, kernel, method="fft"))
    for k in (-10, 3):
        np.testing.assert_array_equal(run(problem(image * 2.0**k, kernel, method="fft")), plain * 2.0**k)
        np.testing.assert_array_equal(run(problem(image, kernel * 2.0**k, method="fft")), plain * 2.0**k)


@pytest.mark.parametrize("char", "fdh")
def test_large_kernels_choose_transforms(char):
    rng = np.random.default_rng(18)
    image = (rng.random((24, 40, 50)) * 99).astype(char)
    kernel = (rng.random((9, 10, 11)) * 9).astype(char)
    for mode in ("reflect", "constant"):
        for origin in (0, (2, -3, 1)):
            for function in ("convolve", "correlate"):
                got = getattr(ndimage, function)(image, kernel, mode=mode, origin=origin, cval=2)
                expected = getattr(scipy.ndimage, function)(image.astype("d"), kernel.astype("d"), mode=mode, origin=origin, cval=2)
                if char == "h":
                    np.testing.assert_array_equal(got, expected.astype("q").astype("h"))
                else:
                    np.testing.assert_allclose(got, expected, rtol=1e-4 if char == "f" else 1e-12)
    assert plan(problem(np.zeros((128, 128, 128), char), (rng.random((15, 15, 15)) * 9).astype(char))).method == "fft"
    assert plan(problem(image, np.ones((2, 2, 2), char))).method == "direct"


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("taps", [(5, 5, 5), (25, 25, 25), (51, 51, 51), (65, 65, 65), (100, 3, 3), (9, 40, 12, 12), (2, 2, 2, 30, 30), (3, 110, 110)])
def test_scratch_memory_of_a_tile_is_limited(char, taps):
    shape = (128,) * len(taps)
    tile, _, _ = _plan._best_stack(_cost.TABLE[in_use], char, taps, shape, converts=False)
    at_once = _cost.planes_at_once(char, tile, taps[:-2])
    assert _cost.tile_memory(char, tile, at_once) <= 4 * 2**20
    assert prod(taps[:-2]) * prod(tile) * 2 * np.dtype(char).itemsize <= max(4 * 2**20, 16 * prod(taps) * np.dtype(char).itemsize)


@pytest.mark.parametrize("char", "fd")
def test_deep_kernels_are_cut(char):
    rng = np.random.default_rng(33)
    image, kernel = rng.random((40, 30, 30)).astype(char), rng.random((65, 65, 65)).astype(char)
    made = problem(image, kernel, Boundary.WRAP, method="fft")
    weights = _weights.Weights(kernel, plan(made))
    assert [part.kernel.shape for _, part, _ in weights.parts("d")] == [(17, 65, 65)] * 3 + [(14, 65, 65)]
    assert [tiles.planes for _, _, tiles in weights.parts("d")] == [(17,)] * 3 + [(14,)]
    wrapped = np.zeros(image.shape)            # the kernel, wrapped round the image
    np.add.at(wrapped, tuple(np.ix_(*(np.arange(-32, 33) % n for n in image.shape))), kernel.astype("d"))
    expected = np.fft.ifftn(np.fft.fftn(image) * np.fft.fftn(wrapped).conj()).real
    np.testing.assert_allclose(run(made), expected, rtol=1e-5 if char == "f" else 1e-13)
    with pytest.raises(ValueError, match="cannot be added in bool"):
        plan(problem(image > 0, kernel > 0, method="fft"))


def test_prepared_kernels_of_several_planes_are_transformed_once(parts, monkeypatch):
    rng = np.random.default_rng(34)
    image, kernel = rng.random((80, 30, 30)), rng.random((5, 6, 7))
    expected = ndimage.correlate(image, kernel, method="fft")
    monkeypatch.setattr(_plan, "_kept", {})
    ready = rapidconv.prepare(ndimage.correlate, image, kernel, method="fft")
    monkeypatch.setattr(_transform, "spectrum", None)
    assert zoo.bits(ready(image)) == zoo.bits(expected)


def test_transforms_of_planes_say_what_they_cannot_do():
    image = np.ones((5, 9, 9))
    for operands in ((image, np.ones((3, 3, 3), "D")), (image.astype("D"), np.ones((3, 3, 3)))):
        with pytest.raises(ValueError, match="real numbers"):
            plan(problem(*operands, method="fft"))
    with pytest.raises(ValueError, match="more than two long axes"):
        plan(problem(image, np.ones((3, 3, 3)), method="separable"))


# Lines

LINE = np.exp(-(np.arange(-4, 5) ** 2) / 4.0)


def products(rng):
    """Kernels that are a line along one axis or more, times what is left, and the long axes of each pass they make."""
    flat = rng.random((7, 9))
    yield LINE[:, None, None] * LINE[:, None] * LINE, [(0,), (1, 2)]
    yield LINE[:, None, None] * flat, [(0,), (1, 2)]
    yield flat[:, None, :] * LINE[:, None], [(0, 2), (1,)]
    yield flat[..., None] * LINE, [(0, 1), (2,)]
    yield np.full((7, 8, 9), 1 / 3), [(0,), (1, 2)]
    yield rng.random((6, 7, 8)), None


@pytest.fixture
def passes(monkeypatch):
    """Long axes of the passes that kernels are split into."""
    made, split = [], _passes._split

    def seen(*arguments):
        found = split(*arguments)
        made.append(found and [tuple(np.flatnonzero(np.array(step.kernel.shape) > 1)) for step in found])
        return found

    monkeypatch.setattr(_passes, "_split", seen)
    monkeypatch.setattr(_passes, "_seconds", lambda image, steps, settings, result: -len(steps))      # lines, wherever they can be
    monkeypatch.setattr(_passes.kernels, "little_work", lambda *work: False)
    return made


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("char", "fd")
def test_products_are_split(mode, char, passes):
    rng = np.random.default_rng(19)
    image = rng.random((13, 20, 24)).astype(char)
    eps = np.finfo(char).eps
    for kernel, axes in products(rng):
        single = kernel.astype(char)
        got = ndimage.correlate(image, single, mode=mode, origin=(1, -2, 0))
        exact = summed(problem(
            image, single, ndimage_rule(mode), first=[-(k // 2) - o for k, o in zip(kernel.shape, (1, -2, 0), strict=True)], dtype="d",
        ), "g")  # fmt: skip
        assert passes.pop() == axes
        assert (np.abs(got - exact) <= (sum(kernel.shape) + 10) * eps * exact).all()      # nothing is negative


def ndimage_rule(mode):
    return _passes.Boundary[{"reflect": "SYMM", "constant": "FILL"}.get(mode, mode.upper())]


@pytest.mark.parametrize("char", "BhiQ")
def test_products_of_whole_numbers_are_exact(char, passes):
    rng = np.random.default_rng(20)
    image = rng.integers(0, np.iinfo(char).max, (20, 22, 24), dtype=char)
    kernel = np.multiply.outer(rng.integers(-3, 4, 5) * 2 + 1, rng.integers(-5, 6, (6, 7)))
    made = problem(image, kernel, dtype=char)
    np.testing.assert_array_equal(ndimage.correlate(image, kernel), summed(made, "Q" if char == "Q" else "q").astype(char))
    assert passes.pop() == [(0,), (1, 2)]


def test_no_split_where_a_result_could_tell(passes):
    rng = np.random.default_rng(21)
    image, kernel = rng.random((12, 14, 16)), LINE[:, None, None] * LINE[:, None] * LINE
    for keywords in ({"mode": "constant", "cval": 1.0}, {"method": "direct"}, {"method": "fft"}, {"output": "f"}, {"output": "i"}):
        ndimage.correlate(image * 50, kernel, **keywords)
        assert passes.pop() is None, keywords
    ndimage.correlate((image * 50).astype("B"), kernel)
    assert passes.pop() is None
    off = kernel.copy()
    off[3, 4, 5] *= 1 + 1e-14
    ndimage.correlate(image, off)
    assert passes.pop() is None


@pytest.mark.parametrize("char", "fd")
def test_what_is_not_finite_reaches_what_it_reaches_in_scipy(char, passes):
    rng = np.random.default_rng(22)
    image = rng.random((60, 70, 80)).astype(char)
    image[10, 20, 30], image[30, 3, 3], image[32, 4, 3], image[50, 50, 50] = np.nan, np.inf, -np.inf, np.finfo(char).max / 2
    for line in (LINE, np.array([1, 0, -2, 3.0]), np.array([3.0, -2.9])):
        kernel = line[:, None, None] * LINE[:, None] * line
        got, direct = ndimage.correlate(image, kernel), ndimage.correlate(image, kernel, method="direct")
        assert passes.pop(0) == [(0,), (1, 2)]
        passes.clear()
        np.testing.assert_array_equal(oracle.footprint(got), oracle.footprint(direct))
        if char == "d":
            np.testing.assert_array_equal(oracle.footprint(got), oracle.footprint(scipy.ndimage.correlate(image, kernel)))


@pytest.mark.parametrize("char", "fd")
def test_sums_that_overflow_between_passes_come_out_finite(char, passes):
    image, kernel = np.ones((20, 20, 20), char), (LINE[:, None, None] * LINE[:, None] * LINE * 2.0**-20).astype(char)
    image[9:12, 9, 9] = np.finfo(char).max / 2
    got = ndimage.correlate(image, kernel)
    assert passes.pop() == [(0,), (1, 2)]
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, ndimage.correlate(image, kernel, method="direct"), rtol=1e-5 if char == "f" else 1e-13)


def test_what_is_not_finite_costs_its_surroundings_only(passes, monkeypatch):
    """A direct sum for what a NaN reaches, not for blocks that it lies in."""
    summed_again = []

    def correlate(image, step, settings, result, start=()):
        if settings.method == "direct":
            summed_again.append(result.size)
        whole(image, step, settings, result, start)

    whole = _blocks._correlate
    monkeypatch.setattr(_blocks, "_correlate", correlate)
    image = np.random.default_rng(35).random((40, 50, 60))
    image[20, 20, 20] = image[38, 3, 50] = image[5, 5, 5] = np.nan
    kernel = LINE[:, None, None] * LINE[:, None] * LINE
    expected = ndimage.correlate(image, kernel, method="direct")
    assert sum(summed_again) == image.size
    summed_again.clear()
    got = ndimage.correlate(image, kernel)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    assert sum(summed_again) == np.isnan(expected).sum()
    image[...] = np.nan
    summed_again.clear()
    ndimage.correlate(image, kernel)
    assert sum(summed_again) == image.size


def test_complex_images_are_split_by_parts(passes):
    rng = np.random.default_rng(23)
    image = rng.random((10, 20, 21)) + 1j * rng.random((10, 20, 21))
    kernel = LINE[:, None, None] * rng.random((4, 5))
    np.testing.assert_allclose(ndimage.convolve(image, kernel), scipy.ndimage.convolve(image, kernel), rtol=1e-13)
    assert passes[-2:] == [[(0,), (1, 2)]] * 2


def test_products_give_the_same_bits_in_any_layout():
    rng = np.random.default_rng(24)
    image, kernel = rng.random((60, 70, 80)), LINE[:, None, None] * rng.random((9, 9))
    once = ndimage.correlate(image, kernel)
    for workers in (1, 2):
        assert zoo.bits(ndimage.correlate(np.asfortranarray(image), kernel, workers=workers)) == zoo.bits(once)


@pytest.mark.parametrize("method", ["auto", "fft", "direct"])
@pytest.mark.parametrize("kind", ["plain", "lines"])
def test_numbers_beside_each_other_are_planes_in_any_layout(method, kind):
    """A last axis of few numbers and one tap: planes and tiles are the same, however image and result lie in memory."""
    rng = np.random.default_rng(31)
    volume = rng.normal(size=(12, 64, 50, 4)).astype("f")
    kernel = rng.normal(size=(9, 9, 9, 1))
    if kind == "lines":
        kernel = np.einsum("i,j,k->ijk", rng.random(9), rng.random(8), rng.random(7))[..., None]
    expected = ndimage.correlate(volume, kernel, method=method)
    np.testing.assert_array_equal(ndimage.correlate(np.asfortranarray(volume), kernel, method=method), expected)
    output = np.empty((*volume.shape, 2), "f")[..., 0]
    np.testing.assert_array_equal(ndimage.correlate(volume, kernel, method=method, output=output), expected)
    np.testing.assert_allclose(expected, scipy.ndimage.correlate(volume, kernel), rtol=0, atol=2e-4)


def test_subnormal_pixels_under_large_lines_keep_their_digits():
    line = np.exp(-(np.arange(-4, 5) ** 2) / 6.0)
    kernel = np.einsum("i,j,k->ijk", line, line, line) * 1e26
    volume = (np.random.default_rng(0).random((24, 40, 40)) * 1e-43).astype("f")
    exact = ndimage.correlate(volume.astype("d"), kernel, method="direct")
    np.testing.assert_allclose(ndimage.correlate(volume, kernel), exact, rtol=1e-4)


@pytest.mark.parametrize("method", ["auto", "separable"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("shape", "taps"), [((34, 30, 6), (9, 5, 9)), ((13, 33, 3), (4, 3, 4)), ((37, 16, 15), (2, 4, 4)), ((9, 8, 20, 5), (3, 1, 3, 2))])
def test_products_of_lines_on_volumes_of_few_numbers_along_the_last_axis(shape, taps, dtype, method):
    """Which are planes to direct sums, but not to the look for products."""
    rng = np.random.default_rng(3)
    image = rng.integers(-9, 9, shape).astype(dtype)
    kernel = np.ones(())
    for n in taps:
        kernel = np.multiply.outer(kernel, rng.integers(1, 5, n))
    np.testing.assert_array_equal(ndimage.convolve(image, kernel, method=method), scipy.ndimage.convolve(image, kernel))
