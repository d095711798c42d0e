"""Results that must not depend on how a call is cut up: into channels, tiles, or groups of kernel rows."""

import numpy as np
import pytest
import zoo
from oracle import check_values

import rapidconv


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
