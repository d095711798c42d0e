"""The linear filters of `scipy.ndimage`, for arrays of any number of dimensions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from . import _ndimage_call as asked
from ._filter_weights import PREWITT, SOBEL
from ._ndimage_call import carry_out, carry_out_lines

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_gradient_magnitude",
    "generic_laplace",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]


def correlate(
    input: ArrayLike,
    weights: ArrayLike,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    method: str = "auto",
    workers: int | None = None,
) -> NDArray[Any]:
    """Correlate an image with weights.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    weights : array_like
        The kernel, with as many dimensions as there are axes to filter along, which they belong to in the image's order.
    output : array, dtype or str, optional
        Array for the result, of the image's shape, which is filled and returned; or the type of a new one. By default that of
        the image. It may share memory with `input`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        How the image continues beyond its edges: ``d c b a | a b c d | d c b a``, ``d c b | a b c d | c b a``,
        ``a a a | a b c d | d d d``, periodically, or with `cval`. 'grid-mirror', 'grid-wrap' and 'grid-constant' are other names
        for 'reflect', 'wrap' and 'constant'.
    cval : scalar
        Pixel outside the image for mode 'constant'.
    origin : int or sequence of int
        Shift of the kernel, from ``-(K // 2)`` to ``(K - 1) // 2`` along an axis of K weights.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.
    method : {'auto', 'direct', 'separable', 'fft'}
        How to sum; see `rapidconv.signal.convolve2d`.
    workers : int, optional
        Most threads to use; it never changes the result.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    ``out[i] = sum(conj(weights[j]) * input[i + j - (K // 2 + origin)])`` along every axis of K weights. Weights that are
    exactly zero meet no pixel: they spread no NaN or infinity.

    Sums of whole numbers (integer or boolean image and output, whole weights) are exact modulo 2**bits. Other sums run in
    float64, those of float32 images with float32 output in float32; sums are cut toward zero where the output is of
    integers. The error of floating sums is at most ``n eps sum(abs(weights * pixels))`` for n weights, summed directly [1]_;
    ``docs/accuracy.md`` derives the bounds of the other methods. A complex image or complex weights make two or four real
    filters. Time O(pixels * weights) directly, less with the other methods; scratch memory O(1). The GIL is released.

    References
    ----------
    .. [1] N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.correlate([10, 20, 40, 80], [1, 0, -1], mode="nearest")
    array([-10, -30, -60, -40])

    Each channel of a picture under one kernel:

    >>> picture = np.ones((4, 5, 3))
    >>> ndimage.correlate(picture, np.full((3, 3), 1 / 9), axes=(0, 1)).shape
    (4, 5, 3)
    """
    return carry_out(asked.correlate, input, output, weights, "correlate", mode, cval, origin, axes, method, workers)


def convolve(
    input: ArrayLike,
    weights: ArrayLike,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    method: str = "auto",
    workers: int | None = None,
) -> NDArray[Any]:
    """Convolve an image with weights.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    weights : array_like
        The kernel, with as many dimensions as there are axes to filter along, which they belong to in the image's order.
    output : array, dtype or str, optional
        Array for the result, of the image's shape, which is filled and returned; or the type of a new one. By default that of
        the image. It may share memory with `input`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}
        How the image continues beyond its edges: ``d c b a | a b c d | d c b a``, ``d c b | a b c d | c b a``,
        ``a a a | a b c d | d d d``, periodically, or with `cval`. 'grid-mirror', 'grid-wrap' and 'grid-constant' are other names
        for 'reflect', 'wrap' and 'constant'.
    cval : scalar
        Pixel outside the image for mode 'constant'.
    origin : int or sequence of int
        Shift of the kernel, from ``-(K // 2)`` to ``(K - 1) // 2`` along an axis of K weights.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.
    method : {'auto', 'direct', 'separable', 'fft'}
        How to sum; see `rapidconv.signal.convolve2d`.
    workers : int, optional
        Most threads to use; it never changes the result.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    ``out[i] = sum(weights[j] * input[i - j + K // 2 + origin])`` along every axis of K weights. Weights that are
    exactly zero meet no pixel: they spread no NaN or infinity.

    Sums of whole numbers (integer or boolean image and output, whole weights) are exact modulo 2**bits. Other sums run in
    float64, those of float32 images with float32 output in float32; sums are cut toward zero where the output is of
    integers. The error of floating sums is at most ``n eps sum(abs(weights * pixels))`` for n weights, summed directly [1]_;
    ``docs/accuracy.md`` derives the bounds of the other methods. A complex image or complex weights make two or four real
    filters. Time O(pixels * weights) directly, less with the other methods; scratch memory O(1). The GIL is released.

    References
    ----------
    .. [1] N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.convolve([10, 20, 40, 80], [1, 0, -1], mode="nearest")
    array([10, 30, 60, 40])

    Each channel of a picture under one kernel:

    >>> picture = np.ones((4, 5, 3))
    >>> ndimage.convolve(picture, np.full((3, 3), 1 / 9), axes=(0, 1)).shape
    (4, 5, 3)
    """
    return carry_out(asked.correlate, input, output, weights, "convolve", mode, cval, origin, axes, method, workers)


def correlate1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
    *,
    method: str = "auto",
    workers: int | None = None,
) -> NDArray[Any]:
    """Correlate the lines of an image along one axis with weights.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    weights : array_like, 1-D
        The kernel.
    axis : int
        The axis along which lines run.
    output, mode, cval
        As in `correlate`.
    origin : int
        Shift of the kernel, from ``-(K // 2)`` to ``(K - 1) // 2`` for K weights.
    method : {'auto', 'direct', 'separable', 'fft'}
        How to sum; see `rapidconv.signal.convolve2d`.
    workers : int, optional
        Most threads to use; it never changes the result.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    As `correlate`, but weights that are zero are multiplied: a NaN or an infinity reaches all results whose weights lie over it.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.correlate1d(np.array([[1, 2, 4], [3, 5, 9]]), [1, -1], axis=1)
    array([[ 0, -1, -2],
           [ 0, -2, -4]])
    """
    return carry_out(asked.correlate1d, input, output, weights, "correlate", axis, mode, cval, origin, method, workers)


def convolve1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
    *,
    method: str = "auto",
    workers: int | None = None,
) -> NDArray[Any]:
    """Convolve the lines of an image along one axis with weights.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    weights : array_like, 1-D
        The kernel.
    axis : int
        The axis along which lines run.
    output, mode, cval
        As in `correlate`.
    origin : int
        Shift of the kernel, from ``-(K // 2)`` to ``(K - 1) // 2`` for K weights.
    method : {'auto', 'direct', 'separable', 'fft'}
        How to sum; see `rapidconv.signal.convolve2d`.
    workers : int, optional
        Most threads to use; it never changes the result.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    As `convolve`, but weights that are zero are multiplied: a NaN or an infinity reaches all results whose weights lie over it.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.convolve1d(np.array([[1, 2, 4], [3, 5, 9]]), [1, -1], axis=1)
    array([[1, 2, 0],
           [2, 4, 0]])
    """
    return carry_out(asked.correlate1d, input, output, weights, "convolve", axis, mode, cval, origin, method, workers)


def uniform_filter1d(
    input: ArrayLike,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> NDArray[Any]:
    """Mean of every run of pixels along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    size : int
        Pixels of a run.
    axis : int
        The axis along which lines run.
    output, mode, cval
        As in `correlate`.
    origin : int
        Shift of the run.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    ``out[i] = sum(input[i - (size // 2 + origin) + j] for j in range(size)) / size``. Whole results are the quotient of an
    exact sum, cut toward zero. A NaN or an infinity reaches the runs it lies in, no others. Time O(pixels log(size)) where
    runs are long, as sums of runs are made of sums of half of them.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.uniform_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([4, 3, 4, 1, 4, 6, 6, 3])
    """
    return carry_out(asked.uniform1d, input, output, size, axis, mode, cval, origin)


def uniform_filter(
    input: ArrayLike,
    size: int | Sequence[int] = 3,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
) -> NDArray[Any]:
    """Mean of every box of pixels.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    size : int or sequence of int
        Pixels of a box along each axis.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    origin : int or sequence of int
        Shift of the box.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    As `uniform_filter1d` along one axis after another, each with results of the output's type; floating results in one go
    where nothing but rounding can tell. Time O(pixels * sum of log(size)).

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.uniform_filter(np.array([[9.0, 0, 0], [0, 0, 9], [0, 9, 0]]), size=3, mode="constant")
    array([[1., 2., 1.],
           [2., 3., 2.],
           [1., 2., 2.]])
    """
    return carry_out(asked.uniform, input, output, size, mode, cval, origin, axes)


def gaussian_filter1d(
    input: ArrayLike,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> NDArray[Any]:
    """Filter the lines along one axis with a Gaussian or one of its derivatives.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    sigma : float
        Standard deviation, in pixels.
    axis : int
        The axis along which lines run.
    order : int
        0 for the Gaussian, n for its n-th derivative.
    output, mode, cval
        As in `correlate`.
    truncate : float
        Where the kernel ends, in standard deviations, rounded to pixels.
    radius : int, optional
        Where the kernel ends, in pixels, instead.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    The weights are ``exp(-x**2 / (2 * sigma**2))`` at whole x, divided by their sum; those of derivatives are the Gaussian's
    times the polynomials that follow from ``(p g)' = (p' - x / sigma**2 p) g`` [1]_. Time O(pixels * sigma * truncate), less
    under very long kernels.

    References
    ----------
    .. [1] J. J. Koenderink and A. J. van Doorn, Representation of local geometry in the visual system, Biological
       Cybernetics 55 (1987) 367-375.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.gaussian_filter1d([0.0, 0, 1, 0, 0], 1, radius=1).round(4)
    array([0.    , 0.2741, 0.4519, 0.2741, 0.    ])
    """
    return carry_out_lines(asked.gaussian1d, input, output, sigma, axis, order, mode, cval, truncate, radius)


def gaussian_filter(
    input: ArrayLike,
    sigma: float | Sequence[float],
    order: int | Sequence[int] = 0,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | Sequence[int | None] | None = None,
    axes: int | Sequence[int] | None = None,
) -> NDArray[Any]:
    """Filter an image with a Gaussian or its derivatives.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    sigma : float or sequence of float
        Standard deviation, in pixels; of each axis.
    order : int or sequence of int
        0 for the Gaussian, n for its n-th derivative; of each axis.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    truncate : float
        Where the kernel ends, in standard deviations, rounded to pixels.
    radius : int or sequence of int, optional
        Where the kernel ends, in pixels, instead.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    As `gaussian_filter1d` along one axis after another, each with results of the output's type; floating results in one go where
    nothing but rounding can tell. Whole results are SciPy's, value by value. Time O(pixels * truncate * sum of sigmas). An axis
    whose sigma is not above 1e-15 is left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> image = np.zeros((3, 3))
    >>> image[1, 1] = 100
    >>> ndimage.gaussian_filter(image, 0.5, mode="constant").round(2)
    array([[ 1.13,  8.37,  1.13],
           [ 8.37, 61.87,  8.37],
           [ 1.13,  8.37,  1.13]])
    """
    return carry_out_lines(asked.gaussian, input, output, sigma, order, mode, cval, truncate, radius, axes)


def prewitt(
    input: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
) -> NDArray[Any]:
    """Prewitt's difference along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    axis : int
        The axis to take differences along.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    The weights are ``[-1, 0, 1]`` along `axis` and ``[1, 1, 1]`` along every other one; no factor makes them a mean [1]_.

    References
    ----------
    .. [1] J. M. S. Prewitt, Object enhancement and extraction, in: Picture Processing and Psychopictorics, Academic Press 1970.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.prewitt(np.array([[0, 0, 5, 5], [0, 0, 5, 5]]), axis=1)
    array([[ 0, 15, 15,  0],
           [ 0, 15, 15,  0]])
    """
    return carry_out(asked.gradient, input, output, axis, mode, cval, PREWITT)


def sobel(
    input: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
) -> NDArray[Any]:
    """Sobel's difference along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    axis : int
        The axis to take differences along.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    The weights are ``[-1, 0, 1]`` along `axis` and ``[1, 2, 1]`` along every other one; no factor makes them a mean [1]_.

    References
    ----------
    .. [1] I. Sobel and G. Feldman, A 3x3 isotropic gradient operator for image processing, Stanford Artificial Intelligence
       Project 1968.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.sobel(np.array([[0, 0, 5, 5], [0, 0, 5, 5]]), axis=1)
    array([[ 0, 20, 20,  0],
           [ 0, 20, 20,  0]])
    """
    return carry_out(asked.gradient, input, output, axis, mode, cval, SOBEL)


def laplace(
    input: ArrayLike,
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
) -> NDArray[Any]:
    """Sum of the second differences ``[1, -2, 1]`` along the axes.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    In two dimensions the weights are ``[[0, 1, 0], [1, -4, 1], [0, 1, 0]]`` [1]_. Time O(pixels * axes).

    References
    ----------
    .. [1] A. Rosenfeld and A. C. Kak, Digital Picture Processing, 2nd ed., Academic Press 1982.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.laplace(np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    array([[ 0,  1,  0],
           [ 1, -4,  1],
           [ 0,  1,  0]])
    """
    return carry_out(asked.laplace, input, output, mode, cval, axes)


def gaussian_laplace(
    input: ArrayLike,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    **kwargs: Any,
) -> NDArray[Any]:
    """Sum of the second derivatives of a Gaussian along the axes.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    sigma : float or sequence of float
        Standard deviation, in pixels; of each axis.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one; the Gaussian
        runs along these only.
    **kwargs
        Further arguments of `gaussian_filter`.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    The derivative along an axis is `gaussian_filter` with this axis's mode along all axes, as in SciPy: as many Gaussians as
    axes, whose results are added up in the output's type [1]_.

    References
    ----------
    .. [1] D. Marr and E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980) 187-217.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> image = np.zeros((3, 3))
    >>> image[1, 1] = 1
    >>> ndimage.gaussian_laplace(image, 1, radius=1, mode="constant").round(4)
    array([[ 0.    , -0.1238,  0.    ],
           [-0.1238, -0.4084, -0.1238],
           [ 0.    , -0.1238,  0.    ]])
    """
    return asked.combined(asked.gaussian_derivatives(input, sigma, output, mode, cval, axes, gaussian_filter, 2, **kwargs))


def gaussian_gradient_magnitude(
    input: ArrayLike,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    **kwargs: Any,
) -> NDArray[Any]:
    """Length of the gradient of an image under a Gaussian.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    sigma : float or sequence of float
        Standard deviation, in pixels; of each axis.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one; the Gaussian
        runs along all axes, and `sigma` has an entry for each of all.
    **kwargs
        Further arguments of `gaussian_filter`.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    The derivative along an axis is `gaussian_filter` with this axis's mode along all axes, as in SciPy: as many Gaussians as
    axes, squared, added up and rooted in the output's type, in which the squares of integers may wrap.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> step = np.array([[0.0, 0, 0, 1, 1, 1]] * 2)
    >>> ndimage.gaussian_gradient_magnitude(step, 1).round(2)
    array([[0.01, 0.12, 0.36, 0.36, 0.12, 0.01],
           [0.01, 0.12, 0.36, 0.36, 0.12, 0.01]])
    """
    return asked.combined(asked.gaussian_derivatives(input, sigma, output, mode, cval, axes, gaussian_filter, 1, **kwargs))


def generic_laplace(
    input: ArrayLike,
    derivative2: Callable[..., Any],
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: int | Sequence[int] | None = None,
) -> NDArray[Any]:
    """Sum of a function's second derivatives along the axes.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    derivative2 : callable
        ``derivative2(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``: given an array as `output`
        it fills it, given a dtype it returns a new array.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    extra_arguments, extra_keywords : sequence, mapping
        Passed on.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    One call of `derivative2` an axis; results are added up in the output's type.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> image = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    >>> def second(image, axis, output, mode, cval):
    ...     return ndimage.correlate1d(image, [1, -2, 1], axis, output, mode, cval)
    >>> np.array_equal(ndimage.generic_laplace(image, second), ndimage.laplace(image))
    True
    """
    return asked.combined(
        asked.sum_of_derivatives(input, derivative2, output, mode, cval, extra_arguments, extra_keywords, axes)
    )


def generic_gradient_magnitude(
    input: ArrayLike,
    derivative: Callable[..., Any],
    output: Any = None,
    mode: str | Sequence[str] = "reflect",
    cval: Any = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: int | Sequence[int] | None = None,
) -> NDArray[Any]:
    """Root of the sum of a function's squared derivatives along the axes.

    Parameters
    ----------
    input : array_like
        The image, of any number of dimensions.
    derivative : callable
        ``derivative(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``: given an array as `output`
        it fills it, given a dtype it returns a new array.
    output, mode, cval
        As in `correlate`; `mode` may be a sequence with one for each axis.
    extra_arguments, extra_keywords : sequence, mapping
        Passed on.
    axes : int or tuple of int, optional
        The axes to filter along; by default all. The entries of sequences belong to them one by one.

    Returns
    -------
    ndarray
        The filtered image: `output` if that is an array.

    Raises
    ------
    RuntimeError, ValueError, TypeError
        If an argument is not accepted, with SciPy's words; the message says which is.

    Notes
    -----
    One call of `derivative` an axis; results are squared, added up and rooted in the output's type, in which the squares of
    integers may wrap.

    Examples
    --------
    >>> import numpy as np
    >>> from rapidconv import ndimage
    >>> ndimage.generic_gradient_magnitude(np.array([[0.0, 3, 6], [4, 7, 10]]), ndimage.prewitt, mode="nearest")
    array([[15.        , 21.63330765, 15.        ],
           [15.        , 21.63330765, 15.        ]])
    """
    return asked.combined(
        asked.sum_of_derivatives(
            input, derivative, output, mode, cval, extra_arguments, extra_keywords, axes, squares=True
        )
    )
