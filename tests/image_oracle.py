"""The slow twin of rapidconv.image: a loop over taps on a picture padded by NumPy, exact in int64 or in long double."""

import numpy as np

from rapidconv import image

# Names of this project, what np.pad calls them, and OpenCV's constants by name.
PADS = {"constant": "constant", "reflect": "symmetric", "wrap": "wrap", "replicate": "edge", "reflect101": "reflect"}
CV_BORDERS = {
    "constant": "BORDER_CONSTANT",
    "reflect": "BORDER_REFLECT",
    "wrap": "BORDER_WRAP",
    "replicate": "BORDER_REPLICATE",
    "reflect101": "BORDER_REFLECT_101",
}


def padded(plane, shape, boundary, anchor, fillvalue=0):
    """A plane with what lies under a kernel that hangs over its edges."""
    sides = [(a, k - 1 - a) for a, k in zip(anchor, shape, strict=True)]
    options = {"constant_values": fillvalue} if boundary == "constant" else {}
    return np.pad(plane, sides, PADS[boundary], **options)


def plane_sums(plane, kernel, boundary="reflect101", anchor=None, fillvalue=0):
    """Sums of one plane in int64 for whole numbers, else in long double."""
    kernel = np.asarray(kernel)
    anchor = (kernel.shape[0] // 2, kernel.shape[1] // 2) if anchor is None else anchor
    whole = plane.dtype.kind in "biu" and (kernel == np.rint(kernel)).all()
    wide = np.int64 if whole else np.longdouble
    around = padded(plane, kernel.shape, boundary, anchor, fillvalue).astype(wide)
    sums = np.zeros(plane.shape, wide)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            sums += wide(kernel[i, j]) * around[i : i + plane.shape[0], j : j + plane.shape[1]]
    return sums


def sums_of(picture, kernel, channel_axis=None, **options):
    """`plane_sums` of every channel."""
    if channel_axis is None:
        return plane_sums(picture, kernel, **options)
    planes = np.moveaxis(picture, channel_axis, 0)
    return np.moveaxis(np.array([plane_sums(plane, kernel, **options) for plane in planes]), 0, channel_axis)


def stored(sums, dtype, *, scale=1.0, delta=0.0, saturate=True):
    """Sums as numbers of a result."""
    dtype = np.dtype(dtype)
    values = np.longdouble(scale) * sums.astype(np.longdouble) + np.longdouble(delta)
    if dtype.kind == "f":
        return values.astype(dtype)
    values = np.rint(values)
    if dtype.kind == "b":
        return values >= 1 if saturate else values != 0
    if not saturate:
        return values.astype(np.int64).astype(dtype)
    return np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def check_workers(picture, kernel, workers):
    """One and several workers filter a picture of channels exactly."""
    expected = sums_of(picture, kernel, -1)
    for count in (1, workers):
        got = image.filter2d(picture, kernel, channel_axis=-1, dtype="float64", workers=count)
        np.testing.assert_array_equal(got, expected)
