"""What a person may pass to the functions of `rapidconv.ndimage`, checked with scipy.ndimage's words; errors are raised here."""

import math
import numbers
import operator
import warnings
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import _memory
from ._boundary import NDIMAGE_NAMES, Boundary

__all__ = [
    "check_line",
    "check_numbers",
    "check_order",
    "check_origin",
    "check_run_origin",
    "check_size",
    "check_writeable",
    "common_cval",
    "complex_cval",
    "complex_weights",
    "find_axes",
    "find_axis",
    "find_radius",
    "find_rule",
    "find_single_rule",
    "make_result",
    "real_weights",
    "repeat",
    "spread_weights",
    "whole_origin",
]

_NUMBERS = "?bhilqBHILQfd"


def _refuse(msg: str) -> NoReturn:
    """SciPy's kind of error for most faults."""
    raise RuntimeError(msg)


def make_result(output: Any, image: NDArray[Any], *, is_complex: bool) -> NDArray[Any]:
    """The array for the result: a new one of the image's type or a given one, or the one given."""
    if output is None:
        dtype = image.dtype
        if is_complex:
            dtype = np.promote_types(dtype, np.complex64)
        elif not (dtype.isnative and dtype.char in _NUMBERS):
            dtype = np.dtype(dtype.name)        # native; text has a name that is no type
        return _memory.empty(image.shape, dtype)
    if isinstance(output, type | np.dtype):
        if is_complex and np.dtype(output).kind != "c":
            warnings.warn("promoting specified output dtype to complex", stacklevel=5)
            output = np.promote_types(output, np.complex64)
        return _memory.empty(image.shape, np.dtype(output))
    if isinstance(output, str):
        dtype = np.dtype(output)
        if is_complex and dtype.kind != "c":
            _refuse("output must have complex dtype")
        if not issubclass(dtype.type, np.number):
            _refuse("output must have numeric dtype")
        return _memory.empty(image.shape, dtype)
    array: NDArray[Any] = np.asarray(output)
    if array.shape != image.shape:
        _refuse("output shape not correct")
    if is_complex and array.dtype.kind != "c":
        _refuse("output must have complex dtype")
    return array


def check_writeable(result: NDArray[Any]) -> None:
    """Refuse a given array that cannot take the result."""
    if not result.flags.writeable:
        msg = "output array is read-only."
        raise ValueError(msg)


def find_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes to filter along, counted from the front, in the order given."""
    if axes is None:
        return tuple(range(ndim))
    is_one = bool(np.isscalar(axes))
    if is_one:
        axes = (axes,)
    elif not isinstance(axes, Iterable):
        msg = "axes must be an integer, iterable of integers, or None"
        raise ValueError(msg)
    found = []
    for axis in map(operator.index, axes):
        if not -ndim <= axis < ndim:
            if is_one:
                raise np.exceptions.AxisError(axis, ndim)
            msg = f"specified axis: {axis} is out of range"
            raise ValueError(msg)
        found.append(axis % ndim)
    if len(set(found)) != len(found):
        msg = "axes must be unique"
        raise ValueError(msg)
    return tuple(found)


def find_axis(axis: Any, ndim: int) -> int:
    """One axis, counted from the front."""
    if axis < -ndim or axis >= ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return operator.index(axis) % ndim


def repeat(value: Any, count: int) -> list[Any]:
    """One entry for each axis: a sequence has them, anything else is the same for all."""
    if isinstance(value, str) or not np.iterable(value):
        return [value] * count
    entries = list(value)
    if len(entries) != count:
        _refuse("sequence argument must have length equal to input rank")
    return entries


def find_rule(mode: Any) -> Boundary:
    """Rule of a mode's name."""
    name = mode.item() if isinstance(mode, np.ndarray) and not mode.ndim else mode
    if isinstance(name, str) and name in NDIMAGE_NAMES:
        return NDIMAGE_NAMES[name]
    _refuse("boundary mode not supported")


def find_single_rule(mode: Any) -> Boundary:
    """Rule of a mode that cannot differ from axis to axis."""
    if not isinstance(mode, str) and isinstance(mode, Iterable):
        _refuse("A sequence of modes is not supported")
    return find_rule(mode)


def real_weights(weights: NDArray[Any]) -> NDArray[Any]:
    """Weights as float64, or as whole numbers where they are such."""
    if weights.dtype.kind in "biu":
        return weights.astype(np.int64)
    return np.asarray(weights, np.float64)


def complex_weights(weights: NDArray[Any], *, conjugated: bool) -> NDArray[Any]:
    """Weights of a complex filter; real ones stay real."""
    if weights.dtype.kind != "c":
        return real_weights(weights)
    return (weights.conj() if conjugated else weights).astype(np.complex128)


def spread_weights(weights: NDArray[Any], axes: tuple[int, ...], ndim: int) -> NDArray[Any]:
    """Weights with as many axes as the image: theirs, in the image's order, are the ones to filter along."""
    used = len(weights.shape) - weights.shape.count(0)
    if used != len(axes) or weights.ndim != len(axes):
        _refuse(f"weights.ndim ({used}) must match len(axes) ({len(axes)})")
    if weights.ndim == ndim:
        return weights
    shape = [1] * ndim
    for axis, taps in zip(sorted(axes), weights.shape, strict=True):
        shape[axis] = taps
    return weights.reshape(shape)


def check_line(weights: NDArray[Any]) -> None:
    """Refuse weights that are no line."""
    if weights.ndim != 1 or not weights.size:
        _refuse("no filter weights given")


def check_size(size: Any) -> None:
    """Refuse a run of no pixels."""
    if size < 1:
        _refuse("incorrect filter size")


def check_run_origin(origin: Any, size: Any) -> None:
    """Refuse an origin outside a run."""
    if size // 2 + origin < 0 or size // 2 + origin >= size:
        msg = "invalid origin"
        raise ValueError(msg)


def find_radius(deviation: float, truncate: Any, radius: Any) -> int:
    """Where a Gaussian is cut off: at a radius, or at so many standard deviations."""
    reach = int(truncate * deviation + 0.5) if radius is None else radius
    if not isinstance(reach, numbers.Integral) or reach < 0:
        msg = "Radius must be a nonnegative integer."
        raise ValueError(msg)
    return int(reach)


def check_order(order: Any) -> None:
    """Refuse what is no order of a derivative."""
    if order < 0:
        msg = "order must be non-negative"
        raise ValueError(msg)


def check_origin(origin: Any, taps: int, *, is_line: bool) -> None:
    """Refuse an origin outside the weights."""
    if origin < -(taps // 2) or origin > (taps - 1) // 2:
        msg = (
            "Invalid origin; origin must satisfy -(len(weights) // 2) <= origin <= (len(weights)-1) // 2"
            if is_line
            else "Invalid origin; origin must satisfy -(weights.shape[k] // 2) <= origin[k] <= (weights.shape[k]-1) // 2"
        )
        raise ValueError(msg)


def whole_origin(origin: Any, *, is_line: bool) -> int:
    """An origin as a whole number; truth values are such of lines alone."""
    if isinstance(origin, bool) and not is_line:
        msg = "an integer is required"
        raise TypeError(msg)
    return operator.index(origin)


def _number(value: Any) -> float:
    """A real number, with the words of Python's own functions of one for anything else."""
    return value if type(value) is float else math.copysign(value, value)


def common_cval(cval: Any, *, is_complex: bool) -> float | complex:
    """The value beyond the edges."""
    if is_complex:
        return complex(_number(np.real(cval)), _number(np.imag(cval)))
    return _number(cval)


def complex_cval(cval: Any, image: NDArray[Any]) -> Any:
    """The value beyond the edges of an image under complex weights, as far as it can be."""
    if image.dtype.kind != "c" and np.iscomplexobj(cval):
        msg = "Cannot provide a complex-valued cval when the input is real."
        raise ValueError(msg)
    return cval


def check_numbers(image: NDArray[Any], result: NDArray[Any], *, is_complex: bool, is_line: bool) -> None:
    """Refuse types that are not computed with."""
    for dtype in (image.dtype, result.dtype):
        if (dtype.char.lower() if is_complex and dtype.char in "FD" else dtype.char) not in _NUMBERS:
            _refuse(f"array type {dtype.newbyteorder('=')!r} not supported" if is_line else "array type not supported")
