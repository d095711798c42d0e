"""Linear filters for pictures as they are: uint8, uint16, int16, floating and boolean; grey, RGB and RGBA."""

from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _image_arguments
from ._call import carry_out

__all__ = ["filter2d"]


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
    method : {'auto', 'direct', 'separable', 'fft'}
        As in `rapidconv.signal.convolve2d`.
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
    `dtype` is float64; a sum is off by at most ``kernel.size * eps * sum(abs(kernel) * abs(image))`` under the kernel,
    and one within that of a half may be rounded to either side. NaN becomes 0 in integer results.

    Boolean pictures are pictures of 0 and 1, and their results are too: True where the sum rounds to 1 or more. So a mean
    filter is a majority vote, and a kernel of ones a dilation.

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
    """
    return carry_out(
        _image_arguments.filter2d(
            image, kernel, channel_axis, boundary, fillvalue, anchor, delta, scale, dtype, saturate, operation, alpha, method,
            out, workers,
        )
    )  # fmt: skip
