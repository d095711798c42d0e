"""Linear filters for pictures as they are: uint8, uint16, int16, floating and boolean; grey, RGB and RGBA."""

from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _image_arguments as asked
from ._call import picture

__all__ = ["filter2d", "filter_bank", "magnitude", "phase"]


def filter2d(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    channel_axis: int | None = None,
    boundary: str = "reflect101",
    fillvalue: float = 0,
    anchor: tuple[int, int] | None = None,
    delta: float = 0,
    scale: float = 1,
    dtype: DTypeLike | None = None,
    saturate: bool = True,
    operation: str = "correlate",
    alpha: str = "filter",
    nan: str = "propagate",
    mask: ArrayLike | None = None,
    method: str = "auto",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
) -> NDArray[Any]:
    """Filter a picture with a kernel; the result has the picture's shape.

    Parameters
    ----------
    image : array_like of dtype bool, uint8, uint16, int16, float32 or float64
        Rows and columns, and with `channel_axis` channels, each of which is filtered alone.
    kernel : array_like, 2-D, real
    channel_axis : int, optional
        Axis of the channels.
    boundary : str
        How the picture continues beyond its edges; any name of OpenCV, SciPy, NumPy and scikit-image, see Notes.
    fillvalue : number
        Pixel beyond the edges for boundary 'constant'; it must be one that `image` could have.
    anchor : (int, int), optional
        Row and column of the tap that lies on the pixel (OpenCV's anchor names the column first). By default the
        centre, ``(kernel.shape[0] // 2, kernel.shape[1] // 2)``.
    delta, scale : number
        ``scale * sum + delta`` is the result.
    dtype : dtype, optional
        Of the result, from those of `image`; by default that of `image`.
    saturate : bool
        Whether integer results are held to the limits of their dtype, as in OpenCV, or keep their low bits.
    operation : {'correlate', 'convolve'}
        Whether the kernel is laid on the picture as it is, or flipped in both axes; `anchor` names the same tap.
    alpha : {'filter', 'keep'}
        Of the last of four channels: filter it like the others, or pass it through.
    nan : {'propagate', 'omit'}
        Whether NaN reaches all results under the kernel, or is left out like a pixel that does not count.
    mask : array_like of bool, optional
        True where a pixel counts; of the shape of `image`, or of its rows and columns. It continues beyond the edges as the
        picture does; the fill value counts. The mask of a masked array is not looked at.
    method : {'auto', 'direct', 'separable', 'fft'}
        As in `rapidconv.signal.convolve2d`; where pixels are left out there are no transforms.
    out : ndarray, optional
        Array for the result, of its exact shape and dtype; any strides; it may overlap the inputs.
    workers : int, optional
        As in `rapidconv.signal.convolve2d`.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If a shape, name, value or dtype is not accepted; the message says which is, and what is accepted.
    TypeError
        If an argument is of a wrong kind.

    Notes
    -----
    Integer results are rounded half to even and held to the limits of the dtype: no wrapping, no cutting off. Where image and
    kernel are whole numbers, of whatever types, sums are exact before that, by every method; `scale` and `delta` are applied
    in float64. Otherwise pictures of up to 16 bits and float32 ones are summed in float32, or in float64 where `image` or
    `dtype` is float64; a direct sum is off by at most ``kernel.size * eps * sum(abs(kernel) * abs(image))`` under the
    kernel, another one by what `rapidconv.explain` says, and one within that of a half may be rounded to either side. NaN
    becomes 0 in integer results. Time and scratch memory are those of `rapidconv.signal.convolve2d`.

    Boolean pictures are pictures of 0 and 1, and their results are too: True where the sum rounds to 1 or more (without
    `saturate` to anything but 0). So a mean filter is a majority vote, and a kernel of ones a dilation.

    Where pixels are left out, by `nan` or `mask`, the sum over those that count is divided by their share of the kernel (normalised
    convolution [1]_): ``sum(k * x) * S / sum(abs(k))``, with both sums over the taps whose pixels count and S the sum
    of ``abs(k)`` over all taps. For a mean filter this is the mean of what counts. Where no tap other than zeros meets a
    pixel that counts, the result is NaN, and 0 in integers. astropy divides by sums of k instead of abs(k), which is the same for
    kernels without negative taps, and has no answer for those that sum to zero.

    Boundaries, by the pixels beyond ``a b c d``:

    ==========================================================  =====================
    names                                                       continues as
    ==========================================================  =====================
    'reflect101', 'reflect_101', 'mirror', 'default'            ``d c b|a b c d|c b a``
    'reflect', 'symm', 'symmetric', 'grid-mirror'               ``c b a|a b c d|d c b``
    'replicate', 'nearest', 'edge'                              ``a a a|a b c d|d d d``
    'wrap', 'circular', 'grid-wrap'                             ``b c d|a b c d|a b c``
    'constant', 'fill', 'pad', 'grid-constant'                  ``k k k|a b c d|k k k``
    ==========================================================  =====================

    'reflect' repeats the edge pixel, as in OpenCV, scipy.ndimage and scikit-image; in ``np.pad`` it does not.

    References
    ----------
    .. [1] H. Knutsson and C.-F. Westin, Normalized and differential convolution, Proc. CVPR 1993, pp. 515-523.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import image
    >>> picture = np.array([[0, 0, 255, 255]] * 3, np.uint8)
    >>> image.filter2d(picture, np.full((3, 3), 1 / 9))
    array([[  0,  85, 170, 255],
           [  0,  85, 170, 255],
           [  0,  85, 170, 255]], dtype=uint8)
    >>> image.filter2d(picture, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])[0]
    array([  0,   0, 255, 255], dtype=uint8)
    >>> image.filter2d(picture, [[-1, 0, 1]], dtype=np.int16)[0]
    array([  0, 255, 255,   0], dtype=int16)
    >>> image.filter2d([[1.0, np.nan, 3.0]], [[0.25, 0.5, 0.25]], nan="omit")
    array([[1., 2., 3.]])
    """
    return picture(
        asked.filter2d, image, out, kernel, operation, nan, mask, alpha, channel_axis, boundary, fillvalue, anchor, delta, scale,
        dtype, saturate, method, workers,
    )  # fmt: skip


def filter_bank(
    image: ArrayLike,
    kernels: ArrayLike,
    *,
    combine: str | None = None,
    channel_axis: int | None = None,
    boundary: str = "reflect101",
    fillvalue: float = 0,
    anchor: tuple[int, int] | None = None,
    delta: float = 0,
    scale: float = 1,
    dtype: DTypeLike | None = None,
    saturate: bool = True,
    operation: str = "correlate",
    method: str = "auto",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
) -> NDArray[Any]:
    """Filter a picture with several kernels of one shape in one pass.

    Parameters
    ----------
    image : array_like
        As in `filter2d`.
    kernels : array_like, 3-D, real
        One kernel after another.
    combine : {None, 'magnitude', 'max', 'sum_abs'}
        Give every kernel's result; the root of the sum of their squares, as for Sobel's x and y; the largest of them, as for a
        compass of directions; or the sum of their magnitudes.
    channel_axis, boundary, fillvalue, anchor, dtype, saturate, operation, out, workers
        As in `filter2d`.
    delta, scale : number
        ``scale * combined + delta`` is the result.
    method : {'auto', 'direct', 'separable', 'fft'}
        As in `rapidconv.signal.convolve2d`; kernels that are combined are all summed by the same one.

    Returns
    -------
    ndarray
        Of the shape of `image`; without `combine`, with a leading axis of kernels before it.

    Raises
    ------
    ValueError, TypeError
        As `filter2d`.

    Notes
    -----
    Sums are those of `filter2d`. They are combined while they are in the cache, in the type they are summed in: no picture of
    a single kernel's sums is made. The root is off by no more than 2 eps besides, where squares neither overflow nor underflow: for
    sums of 1e-17 to 1e18 in float32, of 1e-140 to 1e153 in float64.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import image
    >>> sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    >>> picture = np.zeros((4, 5), np.uint8)
    >>> picture[2:, 2:] = 10
    >>> image.filter_bank(picture, [sobel, sobel.T], combine="magnitude")
    array([[ 0,  0,  0,  0,  0],
           [ 0, 14, 32, 40, 40],
           [ 0, 32, 42, 40, 40],
           [ 0, 40, 40,  0,  0]], dtype=uint8)
    >>> image.filter_bank(picture, [sobel, sobel.T], dtype=np.int16).shape
    (2, 4, 5)
    """
    return picture(
        asked.filter_bank, image, out, kernels, combine, channel_axis, operation, boundary, fillvalue, anchor, delta, scale, dtype,
        saturate, method, workers,
    )  # fmt: skip


def magnitude(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    channel_axis: int | None = None,
    boundary: str = "reflect101",
    fillvalue: float = 0,
    anchor: tuple[int, int] | None = None,
    delta: float = 0,
    scale: float = 1,
    dtype: DTypeLike | None = None,
    saturate: bool = True,
    operation: str = "correlate",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
) -> NDArray[Any]:
    """Magnitude of a picture's response to a complex kernel, in one pass.

    Parameters
    ----------
    image : array_like
        As in `filter2d`.
    kernel : array_like, 2-D, complex
        Such as ``gx + 1j * gy`` of a gradient. Of a real one the magnitude is the absolute value.
    channel_axis, boundary, fillvalue, anchor, dtype, saturate, operation, out, workers
        As in `filter2d`.
    delta, scale : number
        ``scale * abs(sum) + delta`` is the result.

    Returns
    -------
    ndarray
        Of the shape of `image`, and of its dtype unless `dtype` says otherwise.

    Raises
    ------
    ValueError, TypeError
        As `filter2d`.

    Notes
    -----
    ``hypot(sum.real, sum.imag)``, where the sums of the kernel's real and imaginary part are those of `filter2d` and are made
    together. The root is off by no more than 2 eps besides.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import image
    >>> scharr = np.array([[-3 - 3j, -10j, 3 - 3j], [-10, 0, 10], [-3 + 3j, 10j, 3 + 3j]])
    >>> image.magnitude(np.array([[1.0, 1.0, 2.0, 2.0]] * 2), scharr)
    array([[ 0., 16., 16.,  0.],
           [ 0., 16., 16.,  0.]])
    """
    return picture(
        asked.polar, image, out, kernel, False, channel_axis, operation, boundary, fillvalue, anchor, delta, scale, dtype, saturate,
        workers,
    )  # fmt: skip


def phase(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    channel_axis: int | None = None,
    boundary: str = "reflect101",
    fillvalue: float = 0,
    anchor: tuple[int, int] | None = None,
    delta: float = 0,
    scale: float = 1,
    dtype: DTypeLike | None = None,
    saturate: bool = True,
    operation: str = "correlate",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
) -> NDArray[Any]:
    """Angle of a picture's response to a complex kernel, in radians from -pi to pi, in one pass.

    Parameters
    ----------
    image : array_like
        As in `filter2d`.
    kernel : array_like, 2-D, complex
        With ``gx + 1j * gy`` of a gradient, the angle is its direction from the axis of columns to that of rows.
    channel_axis, boundary, fillvalue, anchor, saturate, operation, out, workers
        As in `filter2d`.
    delta, scale : number
        ``scale * angle + delta`` is the result: ``scale=180 / numpy.pi`` gives degrees.
    dtype : dtype, optional
        By default float64 for float64 pictures and float32 for others.

    Returns
    -------
    ndarray
        Of the shape of `image`; 0 where the response is 0.

    Raises
    ------
    ValueError, TypeError
        As `filter2d`.

    Notes
    -----
    ``arctan2(sum.imag, sum.real)``, where the sums of the kernel's real and imaginary part are those of `filter2d` and are
    made together.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import image
    >>> picture = np.array([[0, 0, 0], [0, 10, 0], [0, 0, 0]], np.uint8)
    >>> gradient = np.array([[0, -1j, 0], [-1, 0, 1], [0, 1j, 0]])
    >>> image.phase(picture, gradient, boundary="constant", scale=180 / np.pi, dtype=np.int16)
    array([[  0,  90,   0],
           [  0,   0, 180],
           [  0, -90,   0]], dtype=int16)
    """
    return picture(
        asked.polar, image, out, kernel, True, channel_axis, operation, boundary, fillvalue, anchor, delta, scale, dtype, saturate,
        workers,
    )  # fmt: skip
