"""Rows of pictures chained in one, numbers converted in whole vectors: the bits of rows by themselves, and of exact arithmetic."""

import numpy as np
import pytest
from image_oracle import stored, sums_of

from rapidconv import image

BOUNDARIES = ("reflect101", "reflect", "replicate", "wrap", "constant")
WIDTHS = (1, 7, 16, 33, 48, 49, 90, 300)
SIDES = ((1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (1, 12), (5, 5), (6, 7), (32, 1), (9, 32))
TYPES = (
    ("uint8", "uint8"), ("uint8", "int16"), ("uint16", "uint16"), ("int16", "float64"), ("uint8", "float32"), ("float32", "float32"),
    ("float32", "uint8"), ("float64", "float64"), ("bool", "bool"),
)  # fmt: skip


def draw(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return (300 * rng.standard_normal(shape)).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 256, shape).astype(dtype)


def not_chained(picture):
    """The same picture, whose rows are not contiguous."""
    return np.asfortranarray(picture) if picture.ndim == 2 else np.repeat(picture, 2, axis=1)[:, ::2]


@pytest.mark.parametrize("types", TYPES, ids="-".join)
@pytest.mark.parametrize("channels", [0, 3])
def test_chains_have_the_bits_of_rows(types, channels):
    dtype, result = types
    rng = np.random.default_rng(1)
    for k, width in enumerate(WIDTHS):
        for sides in SIDES:
            shape = (int(rng.integers(1, 90)), width) + (channels,) * (channels > 0)
            picture, kernel, boundary = draw(shape, dtype), rng.standard_normal(sides), BOUNDARIES[(k + sides[0]) % 5]
            options = {"dtype": result, "boundary": boundary, "channel_axis": -1 if channels else None, "method": "direct"}
            if boundary == "constant":
                options["fillvalue"] = 1
            found = image.filter2d(picture, kernel, **options)
            other = image.filter2d(not_chained(picture), kernel, **options)
            assert found.tobytes() == other.tobytes(), (shape, sides, boundary)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_chains_are_exact(dtype, boundary):
    for width in WIDTHS:
        for sides in SIDES:
            picture = draw((70, width), dtype).round()
            kernel = np.random.default_rng(2).integers(-2, 4, sides).astype(float)
            for result in (dtype, "int16"):
                expected = stored(sums_of(picture, kernel, boundary=boundary), result)
                found = image.filter2d(picture, kernel, dtype=result, boundary=boundary)
                np.testing.assert_array_equal(found, expected, f"{width} {sides}")


@pytest.mark.parametrize("sides", [(1, 1), (1, 3), (4, 1), (3, 3)])
def test_chains_of_many_tiles_into_parts_of_arrays(sides):
    picture, kernel = draw((900, 40), "uint8"), np.random.default_rng(3).random(sides)
    expected = image.filter2d(not_chained(picture), kernel, method="direct")
    out = np.full((900, 60), 7, np.uint8)
    for view in (picture, np.pad(picture, ((0, 0), (0, 9)))[:, :40]):
        image.filter2d(view, kernel, out=out[:, 9:49])
        np.testing.assert_array_equal(out[:, 9:49], expected)
        assert (out[:, :9] == 7).all()
        assert (out[:, 49:] == 7).all()
    for workers in (2, 3):
        np.testing.assert_array_equal(image.filter2d(picture, kernel, workers=workers), expected)


@pytest.mark.parametrize("anchor", [(0, 0), (2, 4), (1, 0)])
def test_anchors(anchor):
    kernel = np.random.default_rng(4).integers(-9, 9, (3, 5))
    for width in (3, 20, 200):
        picture = draw((31, width), "uint8")
        expected = stored(sums_of(picture, kernel, anchor=anchor), "int16")
        np.testing.assert_array_equal(image.filter2d(picture, kernel, anchor=anchor, dtype="int16"), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_every_number_is_converted(dtype):
    info = np.iinfo(dtype)
    numbers = np.arange(info.min, info.max + 1).astype(dtype)
    for count in (*range(1, 70), 250):
        for result in ("float32", "float64", dtype):
            found = image.filter2d(numbers[-count:][None], [[1]], dtype=result)
            np.testing.assert_array_equal(found[0], numbers[-count:])
    for result in ("float32", "float64", dtype):
        np.testing.assert_array_equal(image.filter2d(numbers[None], [[1]], dtype=result)[0], numbers)


@pytest.mark.parametrize("result", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("delta", [0.0, 1.0, -300.0])
def test_every_sum_is_rounded_and_held(result, delta):
    """Halves to even, beyond the limits, beyond any integer, and no number at all, at any place of a vector."""
    info = np.iinfo(result)
    near = np.concatenate([np.arange(limit - 3, limit + 3.25, 0.25) for limit in (info.min, 0, info.max)])
    numbers = np.float32([*near, 2.0**31, -(2.0**31), 3e9, -3e9, 1e38, -1e38, np.inf, -np.inf, np.nan, np.nan, 2.5, 3.5]) - np.float32(delta)
    shifted = np.nan_to_num(numbers + np.float32(delta), nan=0.0, posinf=1e9, neginf=-1e9)
    expected = np.clip(np.rint(shifted), info.min, info.max).astype(result)
    rng = np.random.default_rng(5)
    for _ in range(60):
        taken = rng.integers(0, numbers.size, int(rng.integers(1, 300)))
        found = image.filter2d(numbers[taken][None], [[1]], dtype=result, delta=delta)
        np.testing.assert_array_equal(found[0], expected[taken])
