"""`scipy.signal`'s 2-D convolution and correlation."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from ._call import filter2d

__all__ = ["convolve2d", "correlate2d"]


def convolve2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Any = 0,
    *,
    method: str = "auto",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
    channel_axis: int | None = None,
) -> NDArray[Any]:
    """Convolve two 2-D arrays.

    Parameters
    ----------
    in1 : array_like, shape (M, N)
        The image. With `channel_axis`, an array of three dimensions.
    in2 : array_like, shape (K, L)
        The kernel.
    mode : {'full', 'same', 'valid'}
        Which outputs: all that any tap reaches, shape (M+K-1, N+L-1); the centre of these with the shape of `in1`,
        from index ((K-1)//2, (L-1)//2) of the full result on; or those that need nothing beyond the image, shape
        (M-K+1, N-L+1). In 'valid' one input must be at least as large as the other in every dimension, and the
        smaller one is the kernel.
    boundary : {'fill', 'wrap', 'symm'}
        How `in1` continues beyond its edges: with `fillvalue`, periodically, or mirrored with the edge pixel repeated.
        'pad', 'circular' and 'symmetric' are other names for these.
    fillvalue : scalar
        Pixel outside the image for boundary 'fill'.
    method : {'auto', 'direct', 'separable', 'fft'}
        How to sum: tap by tap; along rows and down columns, for kernels that are a sum of few products of a column and
        a row; or in tile transforms. 'auto' takes the method predicted to be the fastest; `rapidconv.explain` tells it.
    out : ndarray, optional
        Array for the result, of its exact shape and dtype; any strides; it may overlap the inputs.
    workers : int, optional
        Most threads to use; it never changes the result. Negative numbers count back from the number of CPUs: -1 is
        all of them. By default what `rapidconv.get_workers` tells. A call too short to gain stays on its own thread.
    channel_axis : int, optional
        Axis of `in1` that holds channels; each channel is convolved with `in2`.

    Returns
    -------
    ndarray
        The convolution, of dtype ``np.promote_types(in1.dtype, in2.dtype)``. Integers wrap modulo 2**bits.

    Raises
    ------
    ValueError
        If a shape, name, value or dtype is not accepted; the message says which is.
    TypeError
        If an argument is of a wrong kind.

    Notes
    -----
    ``full[m, n] = sum(in2[i, j] * in1[m - i, n - j])``: directly in O(M N K L) multiply-adds, separably in
    O(M N (K + L)), in transforms in O(M N log(K L)), each with O(1) extra memory. Direct floating sums run in the result's
    precision, one tap after another, so the error is at most ``K L eps sum(abs(in2[i, j] * in1[m - i, n - j]))`` [1]_;
    ``docs/accuracy.md`` derives the bounds of the other methods. The GIL is released.

    References
    ----------
    .. [1] N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import signal
    >>> image = np.zeros((3, 4))
    >>> image[1, 1] = 1
    >>> signal.convolve2d(image, [[1, 2], [3, 4]], mode="same")
    array([[0., 0., 0., 0.],
           [0., 1., 2., 0.],
           [0., 3., 4., 0.]])
    """
    return filter2d("convolve2d", in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis)


def correlate2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Any = 0,
    *,
    method: str = "auto",
    out: NDArray[Any] | None = None,
    workers: int | None = None,
    channel_axis: int | None = None,
) -> NDArray[Any]:
    """Cross-correlate two 2-D arrays.

    Parameters
    ----------
    in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis
        As in `convolve2d`, but 'same' starts at index (K//2, L//2) of the full result.

    Returns
    -------
    ndarray
        The correlation, of dtype ``np.promote_types(in1.dtype, in2.dtype)``. Integers wrap modulo 2**bits.

    Raises
    ------
    ValueError, TypeError
        As in `convolve2d`.

    Notes
    -----
    ``full[m, n] = sum(conj(in2[i, j]) * in1[m - (K - 1) + i, n - (L - 1) + j])``; complexity, accuracy and memory
    as in `convolve2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import signal
    >>> image = np.arange(12).reshape(3, 4)
    >>> signal.correlate2d(image, [[1, 0], [0, -1]], mode="valid")
    array([[-5, -5, -5],
           [-5, -5, -5]])
    """
    return filter2d("correlate2d", in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis)

