"""The bounds of docs/accuracy.md: no error reaches them, and what they prove exact is exact up to the last norm they allow.

Worst error over bound that was seen, 2026-11-21, Sapphire Rapids: float32 0.049 (x86_v2) and 0.043 (x86_v4), float64 0.036
and 0.037.  `pytest -s` prints it for every length.
"""

import decimal
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from rapidconv import _arguments, _execute, _plan, _transform, _weights

SIDES = [n for n in _transform.LENGTHS if n <= 288]
WIDER = {"f": "d", "d": "g"}

extended = np.finfo("g").eps < np.finfo("d").eps / 1000     # long double: wide enough to judge float64


def one_tile(tile, image, kernel, char, **changes):
    """Valid correlation in one tile and one type: the result, the bound on its error, and whether it was refused."""
    task = _arguments.signal2d("correlate2d", image, kernel, "valid", "fill", 0, "fft", None, None, None)
    (plan,) = _plan.plans(task)
    tiles = replace(plan.tiles, shape=tile, chars=char, **changes)
    result = _execute.allocate(task)
    items = np.arange(2 if image.dtype.kind == "c" else 1)
    weights = _weights.Weights(kernel, replace(plan, tiles=tiles))
    refused = _execute._transformed(task.problems[0], tiles, char, weights, result, items)
    return result, _transform.noise(tile, char) * norm(image) * norm(kernel), refused.any()


def norm(a):
    wide = np.abs(a.astype(np.promote_types(a.dtype, "d"))).astype("g")
    return float(np.sqrt(np.sum(wide * wide)))


def reference(image, kernel, char):
    """The same by one transform of a wider type, of no more than the image's own size: valid outputs do not wrap."""
    wide = WIDER[char]
    spectra = [scipy.fft.fft2(a.astype(np.promote_types(a.dtype, wide)), image.shape) for a in (image, kernel)]
    found = scipy.fft.ifft2(spectra[0] * np.conj(spectra[1]))
    found = found[: image.shape[0] - kernel.shape[0] + 1, : image.shape[1] - kernel.shape[1] + 1]
    return found if image.dtype.kind == "c" else found.real


def series(turns, order):
    """Cosine (order 0) or sine (1) of so many turns, by Taylor's series in 50 digits."""
    with decimal.localcontext(prec=50):
        angle = 2 * decimal.Decimal("3.14159265358979323846264338327950288419716939937511") * turns.numerator / turns.denominator
        term, total = angle if order else decimal.Decimal(1), decimal.Decimal(0)
        while abs(term) > decimal.Decimal("1e-45"):
            total += term
            order += 2
            term *= -angle * angle / (order * (order - 1))
        return Fraction(total)


@pytest.mark.parametrize("n", _transform.LENGTHS)
def test_twiddle_factors_are_rounded_once(n):
    circle = _transform._circle(n)
    assert circle.shape == (n, 2)
    for k in range(0, n, 1 if n < 100 else 7):
        for got, exact in zip(circle[k], (series(Fraction(k, n), 0), -series(Fraction(k, n), 1)), strict=True):
            assert abs(Fraction(float(got)) - exact) <= Fraction(float(np.spacing(abs(got)))) / 2 + Fraction(1, 10**30), (k, got)
    assert circle[n // 4].tolist() == [0, -1]
    assert circle[n // 2].tolist() == [-1, 0]


def waves(rng, n, k):
    """A wave of one frequency of the tile, whole and cut to k x k: all energy in one product of spectra."""
    turns = rng.integers(0, n, 2) @ np.mgrid[:n, :n].reshape(2, -1)
    wave = np.cos(2 * np.pi * (turns.reshape(n, n) / n) + rng.random())
    return wave, wave[:k, :k]


def pairs(n):
    """Images of a tile's size and kernels: random ones, and ones whose errors should add up."""
    rng = np.random.default_rng(n)
    for k in (n // 4, n // 2, n):
        kernel = rng.standard_normal((k, k))
        yield rng.standard_normal((n, n)), kernel
        yield rng.random((n, n)), rng.random((k, k))
        matched = np.zeros((n, n))
        matched[n - k :, n - k :] = kernel
        yield matched, kernel                                   # one output is norm(image) * norm(kernel), the largest it can be
        yield np.sign(matched) / 3, kernel
        yield np.full((n, n), 1 / 3), np.full((k, k), 1 / 3)    # all in one frequency
        sign = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
        yield sign / 3, sign[:k, :k] / 3                        # ... the highest
        yield np.full((n, n), 1 / 3), sign[:k, :k] / 3
        impulse = np.zeros((n, n))
        impulse[n - k // 2 - 1, n - k // 3 - 1] = 1 / 3
        yield impulse, kernel
        yield impulse, np.roll(impulse, (k - n, k - n), (0, 1))[:k, :k] + 1e-3
        yield np.where(rng.random((n, n)) < 0.01, 1 / 3, 0), kernel
        yield waves(rng, n, k)
        yield np.sign(waves(rng, n, k)[0]) / 3, np.sign(kernel) / 3
        yield rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)), kernel    # two planes in one transform
        wave, part = waves(rng, n, k)
        yield wave * (1 + 1j) / 3, part


@pytest.mark.parametrize("n", SIDES)
@pytest.mark.parametrize("char", ["f", pytest.param("d", marks=pytest.mark.skipif(not extended, reason="no wider type"))])
def test_no_error_reaches_the_bound(n, char, record_property, monkeypatch):
    monkeypatch.setitem(_execute._LIMITS, char, (*_execute._LIMITS[char][:3], 0.0))     # no tile is too dynamic here
    worst = 0.0
    for image, kernel in pairs(n):
        a, h = image.astype(char.upper() if image.dtype.kind == "c" else char), kernel.astype(char)
        got, bound, refused = one_tile((n, n), a, h, char, whole=False)
        assert not refused
        worst = max(worst, float(np.abs(got - reference(a, h, char)).max() / bound))
    record_property("worst error over bound", worst)
    print(f"{char} {n}: {worst:.4f}")
    assert worst < 1


@pytest.mark.parametrize("tile", [(32, 96), (288, 48), (144, 256)])
@pytest.mark.parametrize("char", ["f", pytest.param("d", marks=pytest.mark.skipif(not extended, reason="no wider type"))])
def test_no_error_reaches_the_bound_of_an_oblong_tile(tile, char):
    rng = np.random.default_rng(1)
    a, h = rng.standard_normal(tile).astype(char), rng.standard_normal((tile[0] // 2, tile[1] // 2)).astype(char)
    got, bound, refused = one_tile(tile, a, h, char)
    assert not refused
    assert np.abs(got - reference(a, h, char)).max() < bound


@pytest.mark.parametrize(("char", "strong", "weak", "taps"), [
    ("f", 2.0**20, 2.0**-20, 1.0), ("f", 2.0**41, 2.0**-48, 2.0**-52), ("f", 2.0**41, 2.0**-48, 2.0**56),
    ("d", 2.0**20, 2.0**-20, 1.0), ("d", 2.0**240, 2.0**-252, 2.0**-401), ("d", 2.0**240, 2.0**-252, 2.0**396),
])
def test_the_weaker_part_keeps_its_own_bound(char, strong, weak, taps):
    """Two planes in one transform, up to the ends of what is served: the error is in proportion to each one's norm."""
    rng = np.random.default_rng(2)
    image = (strong * rng.random((64, 64)) + 1j * (weak * rng.random((64, 64)))).astype(char.upper())
    kernel = (taps * rng.random((9, 9))).astype(char)
    got, _, refused = one_tile((64, 64), image, kernel, char, whole=False)
    assert not refused
    for part in ("real", "imag"):
        plane = getattr(image, part).copy()
        bound = _transform.noise((64, 64), char) * norm(plane) * norm(kernel) * 65**0.5
        expected = scipy.signal.correlate2d(plane.astype("g"), kernel.astype("g"), "valid")
        assert np.abs(getattr(got, part) - expected).max() < bound


def at_the_edge(rng, n, kernel, product):
    """Whole numbers, n x n, whose norm times the kernel's is as close below a product as one pixel can make it."""
    peak = product / norm(kernel) / n
    image = rng.integers(-int(peak), int(peak) + 1, (n, n))
    k = len(kernel)
    image[-k:, -k:] = kernel * max(1, int(peak / 4 / np.abs(kernel).max()))     # one output of many times the others
    image[n // 2, n // 2] = 0
    rest = (product / norm(kernel)) ** 2 - float(np.sum(image.astype("g") ** 2))
    image[n // 2, n // 2] = int(rest**0.5)
    return image


@pytest.mark.parametrize("n", SIDES)
@pytest.mark.parametrize("char", "fd")
def test_whole_numbers_are_exact_up_to_the_last_norm_that_is_served(n, char):
    rng = np.random.default_rng(3 * n)
    most = 0.499 / _transform.noise((n, n), char)
    kernel = rng.integers(-3, 4, (7, 7)) if char == "f" else rng.integers(-(2**20), 2**20, (7, 7))
    image = at_the_edge(rng, n, kernel, most * (1 - 1e-4))
    got, bound, refused = one_tile((n, n), image, kernel, char)
    assert 0.4985 < bound < 0.499
    assert not refused
    np.testing.assert_array_equal(got, scipy.signal.correlate2d(image, kernel, "valid"))
    image = at_the_edge(rng, n, kernel, most * 1.01)
    assert one_tile((n, n), image, kernel, char)[2]


@pytest.mark.parametrize("char", "fd")
def test_the_energy_of_a_tile_is_seen_to_within_the_margin(char):
    """The bound is compared with 0.499, not 1/2: the sum of squares itself is rounded.  All equal: roundings add up."""
    n = 288
    kernel = np.array([[3]])
    for value in (1, 3, 5, 7):
        image = np.full((n, n), value)
        image *= int(0.499 / _transform.noise((n, n), char) / (3 * n * value))
        got, bound, refused = one_tile((n, n), image, kernel, char)
        assert refused == (bound >= 0.499) or abs(bound - 0.499) < 0.001
        if not refused:
            np.testing.assert_array_equal(got, 3 * image)
