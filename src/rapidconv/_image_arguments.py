"""From what a person may pass to `rapidconv.image` to problems of whole numbers and arrays. Every user error is raised here."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arguments import check_method, check_out, is_interleaved
from ._boundary import IMAGE_NAMES, Boundary
from ._problem import Problem, Store, Task
from ._workers import resolve

__all__ = ["filter2d"]

#: Types a picture, and a result, may have.
_DTYPES = tuple(map(np.dtype, ("bool", "uint8", "uint16", "int16", "float32", "float64")))

#: No pixel of an integer picture is larger; sums of whole numbers below the other are exact in float64.
_PEAK, _EXACT = 2**16, 2**53

_ONE = np.ones((1, 1))


def filter2d(
    image: ArrayLike,
    kernel: ArrayLike,
    channel_axis: Any,
    boundary: Any,
    fillvalue: Any,
    anchor: Any,
    delta: Any,
    scale: Any,
    dtype: Any,
    saturate: Any,
    operation: Any,
    alpha: Any,
    method: Any,
    out: Any,
    workers: Any,
) -> Task:
    """Check the arguments of `rapidconv.image.filter2d`."""
    pixels = _picture(image)
    axis = _channel_axis(pixels, channel_axis)
    weights = _kernel(kernel)
    place = _anchor(anchor, weights.shape)
    if _one_of("operation", operation, ("correlate", "convolve")) == "convolve":
        weights, place = weights[::-1, ::-1], (weights.shape[0] - 1 - place[0], weights.shape[1] - 1 - place[1])
    result = _dtype(dtype, pixels.dtype)
    rule = _boundary(boundary)
    fill = _fill(fillvalue, pixels.dtype)
    store = Store.SATURATE if _flag("saturate", saturate) else Store.ROUND
    factor, shift = _number("scale", scale), _number("delta", delta)
    keeps = _keeps_alpha(alpha, pixels, axis)
    check_method(method)
    threads = resolve(workers)
    copies = out is not None and check_out(out, pixels.shape, result, pixels, weights)
    parts = _parts(pixels, axis, out, copies, keeps)
    summed = _sums(pixels.dtype, weights, result)
    weights = weights.astype(summed)
    problems, places = [], []
    for index in parts if pixels.size else []:
        problems.append(
            _problem(pixels[index], weights, result, rule, fill.astype(summed), place, summed, store, factor, shift, method)
        )
        places.append(index)
    if keeps and pixels.size:
        last = (slice(None),) * operator.index(axis) + (3,)
        summed = _sums(pixels.dtype, _ONE, result)
        one, none = _ONE.astype(summed), np.zeros(1, summed)
        problems.append(_problem(pixels[last], one, result, rule, none, (0, 0), summed, Store.SATURATE, 1.0, 0.0, "direct"))
        places.append(last)
    return Task(problems, pixels.shape, result, out, places, copies, threads)


def _problem(
    pixels: NDArray[Any], weights: NDArray[Any], dtype: np.dtype[Any], rule: Boundary, fill: NDArray[Any],
    anchor: tuple[int, int], sums: np.dtype[Any], store: Store, scale: float, delta: float, method: str,
) -> Problem:  # fmt: skip
    """A filter of one plane, or of interleaved ones, whose result has the shape of the picture."""
    if dtype.kind == "f" and scale == 1 and delta == 0:
        store = Store.WRAP
    return Problem(
        pixels, weights, pixels.shape[:2], dtype, rule, fill, -anchor[0], -anchor[1], False, False, method, sums=sums,
        store=store, scale=scale, delta=delta,
    )  # fmt: skip


def _parts(
    pixels: NDArray[Any], axis: int | None, out: NDArray[Any] | None, copies: bool, keeps: bool
) -> list[tuple[Any, ...]]:
    """Indices of what is filtered at once: planes, or all channels of a picture that lie side by side."""
    if axis is None:
        return [()]
    count = 3 if keeps else pixels.shape[axis]
    if axis == 2 and is_interleaved(pixels) and (out is None or copies or is_interleaved(out)):
        return [(slice(None), slice(None), slice(0, count))]
    return [(slice(None),) * axis + (c,) for c in range(count)]


def _sums(image: np.dtype[Any], kernel: NDArray[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    """Type of the sums: int64 where they are sure to be exact, float64 where image or result is, else float32."""
    if image.kind in "biu":
        wide = kernel.astype(np.float64)
        if (wide == np.rint(wide)).all() and float(np.abs(wide).sum()) * _PEAK < _EXACT:
            return np.dtype(np.int64)
    return np.dtype("float64" if np.dtype("float64") in (image.newbyteorder("="), result) else "float32")


def _picture(image: ArrayLike) -> NDArray[Any]:
    pixels = np.asarray(image)
    if pixels.dtype.newbyteorder("=") not in _DTYPES:
        msg = f"`image` has dtype {pixels.dtype}; accepted: {_names()}"
        raise ValueError(msg)
    return pixels


def _names() -> str:
    return ", ".join(map(str, _DTYPES))


def _channel_axis(pixels: NDArray[Any], channel_axis: Any) -> int | None:
    """The channel axis, counted from the front."""
    if channel_axis is None:
        if pixels.ndim != 2:
            msg = f"`image` has {pixels.ndim} dimensions; accepted: 2, or 3 with `channel_axis`"
            raise ValueError(msg)
        return None
    try:
        axis = operator.index(channel_axis)
    except TypeError:
        msg = f"`channel_axis` must be None or an integer, not {channel_axis!r}"
        raise TypeError(msg) from None
    if pixels.ndim != 3:
        msg = f"`image` has {pixels.ndim} dimensions; accepted with `channel_axis`: 3"
        raise ValueError(msg)
    if not -3 <= axis < 3:
        msg = f"`channel_axis` {axis} is out of range for an image of 3 dimensions; accepted: -3 to 2"
        raise ValueError(msg)
    return axis % 3


def _kernel(kernel: ArrayLike) -> NDArray[Any]:
    """A real kernel, as it was given."""
    weights = np.asarray(kernel)
    if weights.dtype.kind == "c":
        msg = f"`kernel` has dtype {weights.dtype}; accepted: real ones (`magnitude` and `phase` take complex kernels)"
        raise ValueError(msg)
    if weights.dtype.kind not in "biuf":
        msg = f"`kernel` has dtype {weights.dtype}; accepted: real numbers"
        raise ValueError(msg)
    if weights.ndim != 2 or 0 in weights.shape:
        msg = f"`kernel` has shape {weights.shape}; accepted: 2 dimensions with at least one tap"
        raise ValueError(msg)
    return weights


def _anchor(anchor: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """The tap that lies on the pixel: (row, column)."""
    if anchor is None:
        return shape[0] // 2, shape[1] // 2
    try:
        row, column = map(operator.index, anchor)
    except (TypeError, ValueError):
        msg = f"`anchor` must be None or two integers, not {anchor!r}"
        raise TypeError(msg) from None
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        msg = f"`anchor` {row, column} is not a tap of a kernel of shape {shape}; accepted: (0, 0) to {shape[0] - 1, shape[1] - 1}"
        raise ValueError(msg)
    return row, column


def _dtype(dtype: Any, image: np.dtype[Any]) -> np.dtype[Any]:
    """Type of the result, native."""
    if dtype is None:
        return image.newbyteorder("=")
    try:
        result = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        result = np.dtype(object)
    if result not in _DTYPES:
        msg = f"`dtype` {dtype!r} is not known here; accepted: None, {_names()}"
        raise ValueError(msg)
    return result


def _boundary(boundary: Any) -> Boundary:
    if not isinstance(boundary, str) or boundary not in IMAGE_NAMES:
        msg = f"`boundary` must be one of {', '.join(map(repr, IMAGE_NAMES))}, not {boundary!r}"
        raise ValueError(msg)
    return IMAGE_NAMES[boundary]


def _fill(fillvalue: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The pixel beyond the edges, which is one the picture could have."""
    value = _number("fillvalue", fillvalue, finite=False)
    with np.errstate(all="ignore"):
        fill = np.array([value]).astype(dtype.newbyteorder("="))
    if dtype.kind in "biu" and fill[0] != value:
        msg = f"`fillvalue` {fillvalue!r} is not a pixel of dtype {dtype}"
        raise ValueError(msg)
    return fill


def _number(name: str, value: Any, *, finite: bool = True) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        msg = f"`{name}` must be a real number, not {value!r}"
        raise TypeError(msg) from None
    if finite and not math.isfinite(number):
        msg = f"`{name}` must be finite, not {value!r}"
        raise ValueError(msg)
    return number


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        msg = f"`{name}` must be True or False, not {value!r}"
        raise TypeError(msg)
    return bool(value)


def _one_of(name: str, value: Any, accepted: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in accepted:
        msg = f"`{name}` must be one of {', '.join(map(repr, accepted))}, not {value!r}"
        raise ValueError(msg)
    return value


def _keeps_alpha(alpha: Any, pixels: NDArray[Any], axis: int | None) -> bool:
    """Whether the last of four channels is passed through."""
    keeps = _one_of("alpha", alpha, ("filter", "keep")) == "keep"
    if keeps and (axis is None or pixels.shape[axis] != 4):
        found = "no channel axis" if axis is None else f"{pixels.shape[axis]} channels"
        msg = f"`alpha` 'keep' is for images of 4 channels, the last of which is alpha; this one has {found}"
        raise ValueError(msg)
    return keeps
