"""Narrow rims, whose columns are turned: what is a rim here lies inside of a padded picture there, and has the same bits."""

import numpy as np
import pytest
import zoo

import rapidconv
from rapidconv import ndimage

PADS = {"fill": {"mode": "constant", "constant_values": 3}, "symm": {"mode": "symmetric"}, "wrap": {"mode": "wrap"}}


def padded(picture, kernel, boundary):
    """A picture with what `correlate2d` sees around it in mode same."""
    around = [(k - 1 - k // 2, k // 2) for k in kernel.shape]
    return np.pad(picture, around + [(0, 0)] * (picture.ndim - 2), **PADS[boundary])


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32", "int64", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(64, 70), (97, 40), (75, 33), (300, 65)])
def test_rims_have_the_bits_of_interiors(shape, dtype, boundary):
    picture = zoo.values(shape, dtype, 1)
    for rows, columns in [(1, 3), (3, 1), (3, 3), (5, 4), (5, 5), (2, 7), (9, 9), (7, 16), (13, 13), (20, 17)]:
        kernel = zoo.values((rows, columns), dtype, 2)
        result = rapidconv.correlate2d(picture, kernel, "same", boundary, 3, method="direct")
        inside = rapidconv.correlate2d(padded(picture, kernel, boundary), kernel, "valid", method="direct")
        assert zoo.same_bits(result, inside), (rows, columns)


@pytest.mark.parametrize("boundary", PADS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_rims_of_channels_have_the_bits_of_interiors(channels, dtype, boundary):
    picture = zoo.values((70, 45, channels), dtype, 1)
    for rows, columns in [(3, 3), (5, 5), (4, 9), (11, 13)]:
        kernel = zoo.values((rows, columns), dtype, 2)
        result = rapidconv.correlate2d(picture, kernel, "same", boundary, 3, channel_axis=-1, method="direct")
        inside = rapidconv.correlate2d(padded(picture, kernel, boundary), kernel, "valid", channel_axis=-1, method="direct")
        assert zoo.same_bits(result, inside), (rows, columns)


@pytest.mark.parametrize("columns", [40, 130, 200])
@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rims_beside_wide_kernels(dtype, mode, columns):
    """The kernel reaches far to one side and little to the other, whose rim is narrow and needs columns of many vectors."""
    picture = zoo.values((80, 300), dtype, 1)
    kernel = zoo.values((3, columns), dtype, 2)
    for away in (2, 5):
        origin = (0, (columns - 1) // 2 - away)
        result = ndimage.correlate(picture, kernel, mode=mode, cval=3, origin=origin, method="direct")
        modes = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}
        more = {"constant_values": 3} if mode == "constant" else {}
        left = columns // 2 + origin[1]
        around = np.pad(picture, [(1, 1), (left, columns - 1 - left)], modes.get(mode, mode), **more)
        assert zoo.same_bits(result, rapidconv.correlate2d(around, kernel, "valid", method="direct"))
