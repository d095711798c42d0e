"""From what a person may pass to problems of whole numbers and arrays. Every user error is raised here."""

import operator
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._boundary import SIGNAL_NAMES, Boundary
from ._problem import Problem, Task
from ._rank import trim
from ._workers import resolve

__all__ = ["METHODS", "check_method", "check_out", "signal2d", "whole_axis"]

#: Accepted values of `method`.
METHODS = ("auto", "direct", "separable", "fft")

#: Multiply-adds from which a look at the kernel's sides for zeros, some 5 us, is worth it.
_WORTH_TRIMMING = 2**20
#: Taps of the largest kernel looked at for zeros before there is memory for the result.
_MOST_TRIMMED = 2**16

_EXTENTS = {"full": 0, "same": 1, "valid": 2}


def signal2d(
    name: str,
    in1: ArrayLike,
    in2: ArrayLike,
    mode: Any,
    boundary: Any,
    fillvalue: Any,
    method: Any,
    out: Any,
    workers: Any,
    channel_axis: Any,
) -> Task:
    """Check the arguments of ``scipy.signal.convolve2d`` or ``correlate2d`` in SciPy's order and with its words."""
    image, kernel = np.asarray(in1), np.asarray(in2)
    axis = None if channel_axis is None else _channel_axis(image, kernel, channel_axis)
    if axis is None and not image.ndim == kernel.ndim == 2:
        msg = f"{name} inputs must both be 2-D arrays"
        raise ValueError(msg)
    plane_shape = image.shape if axis is None else image.shape[:axis] + image.shape[axis + 1 :]
    swapped = mode == "valid" and _kernel_is_larger(plane_shape, kernel.shape)
    extent = _look_up(_EXTENTS, mode, "Acceptable mode flags are 'valid', 'same', or 'full'.")
    rule = _boundary(boundary)
    if name == "correlate2d":
        _check_conjugable(image if swapped else kernel)
    dtype = _result_type(image.dtype, kernel.dtype)
    fill = _fill(fillvalue, dtype, used=rule is Boundary.FILL)
    shape, top, left = _extent(name, extent, *((kernel.shape, plane_shape) if swapped else (plane_shape, kernel.shape)))
    _check_dtype(dtype, image.dtype, kernel.dtype)
    if mode == "valid" and np.isfinite(fill[0]):        # no output meets it, but a tile of transforms might
        fill = np.zeros(1, dtype)
    check_method(method)
    threads = resolve(workers)
    whole = shape if axis is None else (*shape[:axis], image.shape[axis], *shape[axis:])
    copies = out is not None and check_out(out, whole, dtype, image, kernel)
    moved = image if axis in (None, 2) else np.moveaxis(image, axis, -1)
    apart = swapped and axis is not None        # each channel is a kernel
    planes = [moved[..., c] for c in range(moved.shape[-1])] if apart else [moved]
    shared = None if swapped else _oriented(kernel, name)
    if shared is not None and dtype.kind in "biu" and kernel.size <= _MOST_TRIMMED and prod(whole) * kernel.size >= _WORTH_TRIMMING:
        shared, above, before = trim(shared)    # zero taps of floating kernels spread NaN and infinities
        top, left = top + above, left + before
    problems, places = [], []
    for c, plane in enumerate(planes):
        big, small = (kernel, plane) if swapped else (plane, kernel)
        if small.size and 0 not in whole:
            _check_extendable(big.shape[:2], rule, "in2" if swapped else "in1")
            weights = _oriented(plane, name) if shared is None else shared
            backwards = swapped and name == "correlate2d"
            turned = backwards and dtype.kind == "c"
            problems.append(
                Problem(big, weights, shape, dtype, rule, fill, top, left, turned, backwards, method)
            )
            places.append((..., c) if apart else ())
    return Task(problems, whole, dtype, out, places, copies, threads, None if axis == 2 else axis, name == "convolve2d")


def _oriented(kernel: NDArray[Any], name: str) -> NDArray[Any]:
    """The kernel as a correlation takes it."""
    if name == "convolve2d":
        return kernel[::-1, ::-1]
    return kernel.conj() if kernel.dtype.kind == "c" else kernel


def _kernel_is_larger(image: tuple[int, ...], kernel: tuple[int, ...]) -> bool:
    """Whether 'valid' takes the first input as the kernel."""
    if all(n >= k for n, k in zip(image, kernel, strict=True)):
        return False
    if all(n <= k for n, k in zip(image, kernel, strict=True)):
        return True
    msg = "For 'valid' mode, one must be at least as large as the other in every dimension"
    raise ValueError(msg)


def _look_up(table: dict[str, Any], key: Any, msg: str) -> Any:
    """Value of a flag; unhashable flags are a TypeError, as in a dictionary."""
    try:
        return table[key]
    except KeyError as missing:
        raise ValueError(msg) from missing


def _boundary(name: Any) -> Boundary:
    """Rule of a boundary name; scipy.signal knows 'reflect' and refuses it later."""
    if isinstance(name, str) and name == "reflect":
        msg = "Incorrect boundary value."
        raise ValueError(msg)
    rule: Boundary = _look_up(
        SIGNAL_NAMES,
        name,
        "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm').",
    )
    return rule


def _extent(
    name: str, extent: int, image: tuple[int, ...], kernel: tuple[int, ...]
) -> tuple[tuple[int, int], int, int]:
    """Shape of the result, and image position under the first tap of its first element."""
    shape, first = [], []
    for n, k in zip(image, kernel, strict=True):
        if extent == 0:
            size, skip = n + k - 1, 0
        elif extent == 1:
            size, skip = n, (k - 1) // 2 if name == "convolve2d" else k // 2
        else:
            size, skip = n - k + 1, k - 1
        if size < 0:
            msg = "negative dimensions are not allowed"
            raise ValueError(msg)
        shape.append(size)
        first.append(skip - k + 1)
    return (shape[0], shape[1]), first[0], first[1]


def _check_conjugable(array: NDArray[Any]) -> None:
    """Let NumPy refuse what cannot be conjugated."""
    if array.dtype.kind not in "biufc":
        array.conj()


def _refuse_type() -> NoReturn:
    msg = "convolve2d not available for this type."
    raise ValueError(msg)


def _result_type(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    """Common native type of the inputs; types that are not numbers of NumPy's own are refused later."""
    if first.kind in "SU" or second.kind in "SU":
        if first.kind not in "OMmVT" and second.kind not in "OMmVT":
            msg = "data type must provide an itemsize"
            raise ValueError(msg)
        return np.dtype(object)
    if not _is_number(first) or not _is_number(second):
        return np.dtype(object)
    return np.promote_types(first, second).newbyteorder("=")


def _is_number(dtype: np.dtype[Any]) -> bool:
    """Whether a type is one of NumPy's own boolean, integer, floating or complex types."""
    return dtype.kind in "biufc" and dtype.num < 256


def _check_dtype(dtype: np.dtype[Any], first: np.dtype[Any], second: np.dtype[Any]) -> None:
    if dtype.kind == "O" or not _is_number(first) or not _is_number(second):
        _refuse_type()


def _fill(value: Any, dtype: np.dtype[Any], *, used: bool) -> NDArray[Any]:
    """The fill value in the result's type, converted as SciPy does: NumPy scalars as C does, Python's by value."""
    if not used or (type(value) is int and value == 0):
        return np.zeros(1, dtype)
    try:
        fill = _converted(value, dtype)
    except (TypeError, ValueError, OverflowError):
        _converted(value, np.dtype(np.complex128))      # its error, if it has one
        msg = "could not cast `fillvalue` directly to the output type (it was first converted to complex)."
        raise ValueError(msg) from None
    if fill.size == 0:
        msg = "`fillvalue` cannot be an empty array."
        raise ValueError(msg)
    if fill.size > 1:
        msg = "`fillvalue` must be scalar or an array with one element."
        raise ValueError(msg)
    return np.ascontiguousarray(fill.reshape(1))


def _converted(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array only if its cast is safe; anything else whatever NumPy makes of it."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype, casting="safe")
    return np.array(value, dtype)


def _check_extendable(shape: tuple[int, ...], rule: Boundary, name: str) -> None:
    """An axis without pixels can only be continued with a fill value (SciPy's process dies here)."""
    if 0 in shape and rule is not Boundary.FILL:
        msg = f"`{name}` of shape {shape} has no pixels to continue with boundary '{rule.name.lower()}'; use 'fill'"
        raise ValueError(msg)


def check_method(method: Any) -> None:
    if not isinstance(method, str) or method not in METHODS:
        msg = f"`method` must be one of {', '.join(map(repr, METHODS))}, not {method!r}"
        raise ValueError(msg)


def whole_axis(channel_axis: Any) -> int:
    """An argument `channel_axis` that is not None as a whole number."""
    try:
        return operator.index(channel_axis)
    except TypeError:
        msg = f"`channel_axis` must be None or an integer, not {channel_axis!r}"
        raise TypeError(msg) from None


def _channel_axis(image: NDArray[Any], kernel: NDArray[Any], channel_axis: Any) -> int:
    """The channel axis, counted from the front."""
    axis = whole_axis(channel_axis)
    if image.ndim != 3 or kernel.ndim != 2:
        msg = f"with `channel_axis`, in1 must be a 3-D and in2 a 2-D array, not {image.ndim}-D and {kernel.ndim}-D"
        raise ValueError(msg)
    if not -3 <= axis < 3:
        msg = f"`channel_axis` {axis} is out of range for in1 of 3 dimensions; accepted: -3 to 2"
        raise ValueError(msg)
    return axis % 3


def check_out(
    out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], image: NDArray[Any], kernel: NDArray[Any]
) -> bool:
    """Check the array for the result; whether the result must be made elsewhere and copied into it."""
    if not isinstance(out, np.ndarray):
        msg = f"`out` must be a NumPy array, not {type(out).__name__}"
        raise TypeError(msg)
    if out.shape != shape:
        msg = f"`out` has shape {out.shape}; the result has shape {shape}"
        raise ValueError(msg)
    if out.dtype.newbyteorder("=") != dtype:
        msg = f"`out` has dtype {out.dtype}; the result has dtype {dtype}"
        raise ValueError(msg)
    if not out.flags.writeable:
        msg = "`out` is read-only"
        raise ValueError(msg)
    if 0 in out.strides and out.size > 1 and any(s == 0 and n > 1 for s, n in zip(out.strides, shape, strict=True)):
        msg = "`out` has elements that share memory with each other"
        raise ValueError(msg)
    plain = out.flags.aligned and out.dtype.isnative
    return not plain or np.may_share_memory(out, image) or np.may_share_memory(out, kernel)
