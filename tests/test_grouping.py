"""Results that must not depend on how a call is cut up: into channels, tiles, or groups of kernel rows, or stored."""

import numpy as np
import pytest
import zoo
from oracle import check_values

import rapidconv
from rapidconv import ndimage


@pytest.mark.parametrize("big", [2**24, 2**40, 2**62])
@pytest.mark.parametrize("channel", range(3))
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1, ::-1]], ids=str)
def test_a_large_number_in_any_channel_is_exact(big, channel, layout):
    picture = np.ones((20, 33, 3), np.int64)
    picture[7, 21, channel] = big + 12345
    kernel = np.arange(9).reshape(3, 3)
    result = rapidconv.convolve2d(layout(picture), kernel, "same", "symm", channel_axis=-1)
    for c in range(3):
        check_values(result[..., c], layout(picture)[..., c], kernel, "same", "symm", exact=True)


@pytest.mark.parametrize(
    ("size", "shape", "channels"), [((40, 40), (300, 300), 2), ((70, 70), (31, 31), 16), ((40, 40), (3, 900), 2)]
)
@pytest.mark.parametrize("dtype", ["D", "F"])
@pytest.mark.parametrize("method", ["auto", "direct"])
def test_bits_of_large_complex_kernels_do_not_depend_on_the_layout(size, shape, channels, dtype, method):
    picture, kernel = zoo.values((*size, channels), dtype, 1), zoo.values(shape, dtype, 2)
    how = {"method": method}
    together = rapidconv.convolve2d(picture, kernel, "same", "wrap", channel_axis=-1, **how)
    alone = rapidconv.convolve2d(picture[..., 1], kernel, "same", "wrap", **how)
    planar = rapidconv.convolve2d(np.asfortranarray(picture), kernel, "same", "wrap", channel_axis=-1, **how)
    assert zoo.same_bits(together[..., 1], alone)
    assert zoo.same_bits(together, planar)


@pytest.mark.parametrize("dtype", ["d", "D", "l"])
@pytest.mark.parametrize("shape", [(900, 3), (3, 900), (300, 300)])
def test_crops_of_kernels_beyond_a_block_agree(dtype, shape):
    picture, kernel = zoo.values((40, 45), dtype, 1), zoo.values(shape, dtype, 2)
    full = rapidconv.correlate2d(picture, kernel, "full", "symm", method="direct")
    same = rapidconv.correlate2d(picture, kernel, "same", "symm", method="direct")
    top, left = shape[0] // 2, shape[1] // 2
    assert zoo.same_bits(same, full[top : top + 40, left : left + 45])


@pytest.mark.parametrize("axis", [None, -1, 0])
@pytest.mark.parametrize("layout", ["array", "swapped", "fortran", "misaligned"])
def test_a_complex_fill_around_real_pixels(axis, layout):
    shape = {None: (9, 21), -1: (9, 21, 3), 0: (3, 9, 21)}[axis]
    picture, kernel = zoo.LAYOUTS[layout](zoo.values(shape, "f", 1)), zoo.values((4, 5), "D", 2)
    result = rapidconv.convolve2d(picture, kernel, "full", "fill", 2 - 3j, channel_axis=axis)
    if axis is not None:
        result, picture = np.moveaxis(result, axis, 0)[1], np.moveaxis(picture, axis, 0)[1]
    check_values(result, picture, kernel, "full", "fill", 2 - 3j)


ROWS = [1, 2, 3, 4, 5, 6, 7, 9, 12]
COMPLEX_PAIRS = [("float64", "complex128"), ("complex128", "complex128"), ("complex128", "float64")]
COMPLEX_PAIRS += [("float32", "complex64"), ("complex64", "complex64"), ("longdouble", "clongdouble")]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtypes", COMPLEX_PAIRS, ids="-".join)
@pytest.mark.parametrize("columns", [1, 3, 5, 8])
def test_complex_sums_through_planes_and_through_registers(dtypes, rows, columns):
    """Results of another stride are put there from planes of sums."""
    picture, kernel = zoo.values((41, 77), dtypes[0], 1), zoo.values((rows, columns), dtypes[1], 2)
    expected = rapidconv.correlate2d(picture, kernel, "same", "symm")
    check_values(expected, picture, kernel, "same", "symm", correlate=True)
    wide = np.full((41, 77, 2), np.nan, expected.dtype)
    rapidconv.correlate2d(picture, kernel, "same", "symm", out=wide[..., 0])
    assert zoo.same_bits(wide[..., 0], expected)
    assert np.isnan(wide[..., 1]).all()


@pytest.mark.parametrize("boundary", ["fill", "symm"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtypes", COMPLEX_PAIRS, ids="-".join)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_rims_of_complex_pictures_agree_with_interiors(dtypes, rows, channels, boundary):
    """What is a rim here lies inside a padded picture there."""
    picture, kernel = zoo.values((29, 43, channels), dtypes[0], 1), zoo.values((rows, 5), dtypes[1], 2)
    mode = {"fill": "constant", "symm": "symmetric"}[boundary]
    padded = np.pad(picture, [(rows - 1 - rows // 2, rows // 2), (2, 2), (0, 0)], mode)
    rim = rapidconv.correlate2d(picture, kernel, "same", boundary, channel_axis=-1)
    inside = rapidconv.correlate2d(padded, kernel, "valid", channel_axis=-1)
    assert zoo.same_bits(rim, inside)
    for c in range(channels):
        assert zoo.same_bits(rim[..., c], rapidconv.correlate2d(picture[..., c], kernel, "same", boundary))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtypes", COMPLEX_PAIRS, ids="-".join)
def test_pictures_narrower_than_a_vector_agree_with_wide_ones(dtypes, rows):
    picture, kernel = zoo.values((30, 60), dtypes[0], 1), zoo.values((rows, 4), dtypes[1], 2)
    wide = rapidconv.correlate2d(picture, kernel, "valid")
    for width in (1, 2, 3, 7, 8, 17):
        narrow = rapidconv.correlate2d(picture[:, 20 : 20 + width + 3], kernel, "valid")
        assert zoo.same_bits(narrow, wide[:, 20 : 20 + width])


@pytest.mark.parametrize("rows", [13, 14, 15, 18, 19, 23, 31])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [17, 40, 131])
def test_bits_of_tall_pictures_are_those_of_slabs(dtype, rows, columns):
    """Tall pictures go through rings of accumulators, slabs of them do not."""
    picture, kernel = zoo.values((max(9 * rows, 256) + 20, columns + 5), dtype, 1), zoo.values((rows, 6), dtype, 2)
    for workers in (1, 2):
        whole = rapidconv.correlate2d(picture, kernel, "valid", method="direct", workers=workers)
        for top in range(0, len(whole), 29):
            slab = picture[top : top + 28 + rows]
            expected = rapidconv.correlate2d(slab, kernel, "valid", method="direct")
            assert zoo.same_bits(whole[top : top + 29], expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_of_tall_pictures_stay_under_the_kernel(dtype):
    picture = np.ones((400, 70), dtype)
    picture[::90, 30] = np.inf
    kernel = np.ones((16, 3), dtype)
    result = rapidconv.correlate2d(picture, kernel, "same", "fill", method="direct")
    expected = rapidconv.correlate2d(np.isinf(picture).astype(dtype), kernel, "same", "fill", method="direct") > 0
    assert np.array_equal(np.isinf(result), expected)
    assert not np.isnan(result).any()


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("column", [0, 7, 191, 192, 193, 384, 385, 576, 577, 768, 769, 895, 896, 897, 899])
def test_a_large_number_in_any_column_is_exact(dtype, column):
    """Sums in floating lanes where integers lie are given up wherever in a tile the large one is."""
    kernel = np.arange(1, 10, dtype=dtype).reshape(3, 3)
    picture = np.ones((24, 900), dtype)
    picture[11, column] = np.iinfo(dtype).max - 1
    result = rapidconv.convolve2d(picture, kernel, "same", "symm", method="direct")
    check_values(result, picture, kernel, "same", "symm", exact=True)


def test_tall_kernels_with_zeros_are_mended_in_groups_of_rows():
    rng = np.random.default_rng(12)
    image, kernel = rng.normal(size=(420, 1500)).astype(np.float32), rng.normal(size=(1201, 2))
    kernel[::2] = 0
    image[200, 700] = np.nan
    result = ndimage.correlate(image, kernel, mode="constant", method="direct")
    reached = ndimage.correlate(np.isnan(image).astype(int), (kernel != 0).astype(int), mode="constant") > 0
    np.testing.assert_array_equal(np.isnan(result), reached)
    image[200, 700] = 0
    wanted = ndimage.correlate(image, kernel, mode="constant", method="direct")
    np.testing.assert_allclose(result[~reached], wanted[~reached], atol=1e-3)


def test_pieces_of_rows_of_volumes_are_mended_each_with_its_own_pixels():
    rng = np.random.default_rng(1)
    image, kernel = rng.normal(size=(5, 40, 700)), rng.normal(size=(3, 3, 3))
    kernel[:, 1] = 0
    image[2, 20, [5, 300, 691]] = np.nan
    bad = np.isnan(image)
    result = ndimage.correlate(image, kernel, mode="constant", method="direct")
    reached = ndimage.correlate(bad.astype(int), (kernel != 0).astype(int), mode="constant") > 0
    np.testing.assert_array_equal(np.isnan(result), reached)
    wanted = ndimage.correlate(np.where(bad, 0, image), kernel, mode="constant", method="direct")
    np.testing.assert_allclose(result[~reached], wanted[~reached], atol=1e-12)
