"""From what a person may pass to `rapidconv.image` to problems of whole numbers and arrays. Every user error is raised here."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arguments import check_method, check_out, whole_axis
from ._boundary import IMAGE_NAMES, Boundary
from ._problem import Combine, Problem, Several, Store, Task
from ._rank import factor
from ._workers import resolve

__all__ = ["OPTIONS", "filter2d", "filter_bank", "polar"]

#: What all filters have in common, in the order they take it in.
OPTIONS = ("boundary", "fillvalue", "anchor", "delta", "scale", "dtype", "saturate", "method", "workers")

#: Types a picture, and a result, may have.
_DTYPES = tuple(map(np.dtype, ("bool", "uint8", "uint16", "int16", "float32", "float64")))

#: No pixel of an integer picture is larger; sums of whole numbers up to the other are exact in float64.
_PEAK, _EXACT = 2**16, 2**53

#: Taps up to which all kernels of a bank run over the picture together: beyond, products have a faster road of their own.
_BANK_TAPS = 121

_ONE = np.ones((1, 1))

#: What makes fractions of whole sums, and makes them in the type of the sums.
_FRACTIONAL = (Combine.MAGNITUDE, Combine.PHASE, Combine.SEEN)

_COMBINE = {None: Combine.APART, "magnitude": Combine.MAGNITUDE, "max": Combine.LARGEST, "sum_abs": Combine.SIZES}


def filter2d(
    image: ArrayLike, out: Any, kernel: ArrayLike, operation: Any, nan: Any, mask: Any, alpha: Any, channel_axis: Any, *options: Any
) -> Task:
    """Check the arguments of `rapidconv.image.filter2d`; `options` are `OPTIONS`."""
    pixels = _picture(image)
    axis = _channel_axis(pixels, channel_axis)
    weights = _real(_kernel("kernel", kernel, 2))
    keeps = _keeps_alpha(alpha, pixels, axis)
    omits = _one_of("nan", nan, ("propagate", "omit")) == "omit" and pixels.dtype.kind == "f"
    counts = None if mask is None else _mask(mask, pixels.shape, axis)
    if not omits and counts is None:
        return _task(pixels, axis, out, weights[None], None, operation, *options, keeps=keeps)
    pair = np.stack([weights, np.abs(weights)])
    return _task(pixels, axis, out, pair, Combine.SEEN, operation, *options, keeps=keeps, mask=counts, omits=omits)


def filter_bank(
    image: ArrayLike, out: Any, kernels: ArrayLike, combine: Any, channel_axis: Any, operation: Any, *options: Any
) -> Task:
    """Check the arguments of `rapidconv.image.filter_bank`."""
    pixels = _picture(image)
    axis = _channel_axis(pixels, channel_axis)
    weights = _real(_kernel("kernels", kernels, 3))
    if not isinstance(combine, str | None) or combine not in _COMBINE:
        msg = f"`combine` must be one of {', '.join(map(repr, _COMBINE))}, not {combine!r}"
        raise ValueError(msg)
    return _task(pixels, axis, out, weights, _COMBINE[combine], operation, *options)


def polar(
    image: ArrayLike, out: Any, kernel: ArrayLike, angle: bool, channel_axis: Any, operation: Any, boundary: Any,
    fillvalue: Any, anchor: Any, delta: Any, scale: Any, dtype: Any, saturate: Any, workers: Any,
) -> Task:  # fmt: skip
    """Check the arguments of `rapidconv.image.magnitude`, or with an angle of `phase`, whose results are floating unless told otherwise."""
    pixels = _picture(image)
    axis = _channel_axis(pixels, channel_axis)
    weights = _kernel("kernel", kernel, 2)
    if angle and dtype is None:
        dtype = _floating(pixels.dtype)
    parts = [weights.real, weights.imag] if weights.dtype.kind == "c" or angle else [weights]
    combine = Combine.PHASE if angle else Combine.MAGNITUDE
    return _task(
        pixels, axis, out, np.stack(parts), combine, operation, boundary, fillvalue, anchor, delta, scale, dtype, saturate, "auto",
        workers,
    )  # fmt: skip


def _task(
    pixels: NDArray[Any],
    axis: int | None,
    out: Any,
    weights: NDArray[Any],
    combine: Combine | None,
    operation: Any,
    boundary: Any,
    fillvalue: Any,
    anchor: Any,
    delta: Any,
    scale: Any,
    dtype: Any,
    saturate: Any,
    method: Any,
    workers: Any,
    *,
    keeps: bool = False,
    mask: NDArray[Any] | None = None,
    omits: bool = False,
) -> Task:
    """Check what all filters have in common; combine: how the sums of the kernels meet, None for one kernel."""
    rows, columns = weights.shape[1:]
    place = _anchor(anchor, (rows, columns))
    turned = _one_of("operation", operation, ("correlate", "convolve")) == "convolve"
    if turned:
        weights, place = weights[:, ::-1, ::-1], (rows - 1 - place[0], columns - 1 - place[1])
    result = _dtype(dtype, pixels.dtype)
    rule = _boundary(boundary)
    fill = _fill(fillvalue, pixels.dtype)
    factor, shift = _number("scale", scale), _number("delta", delta)
    store = Store.SATURATE if _flag("saturate", saturate) else Store.ROUND
    if result.kind == "f" and factor == 1 and shift == 0:
        store = Store.WRAP
    check_method(method)
    threads = resolve(workers)
    shape = (len(weights), *pixels.shape) if combine is Combine.APART else pixels.shape
    copies = out is not None and check_out(out, shape, result, pixels, weights)
    copies = copies or (out is not None and mask is not None and np.may_share_memory(out, mask))
    sums = _sums(pixels.dtype, weights, result)
    if combine in _FRACTIONAL and result == np.float64:
        sums = result
    weights = weights.astype(sums)
    alone = combine is Combine.APART and (method == "separable" or (method != "fft" and _are_apart(weights)))
    problems: list[Problem] = []
    places: list[tuple[Any, ...]] = []
    first = None if axis in (None, 2) else axis
    moved = pixels if first is None else np.moveaxis(pixels, first, -1)
    seen = mask if mask is None or first is None else np.moveaxis(mask, first, -1)
    part = (..., slice(3)) if keeps else ()
    for k, kernel in enumerate(weights if alone else weights[:1]):
        several = None
        if combine is not None and not alone:
            several = Several(weights, combine, None if seen is None else seen[part], omits)
        problems.append(
            Problem(
                moved[part] if keeps else moved, kernel, moved.shape[:2], result, rule, fill.astype(sums), -place[0], -place[1], False, False,
                method, sums=sums, store=store, scale=factor, delta=shift, several=several,
            )
        )  # fmt: skip
        places.append((k,) if alone else part)
    if keeps:
        places.append((..., 3))
        problems.append(_passed_through(moved[..., 3], result))
    if not pixels.size:
        problems, places = [], []
    return Task(problems, shape, result, out, places, copies, threads, None if first is None else first - 3, turned)


def _are_apart(weights: NDArray[Any]) -> bool:
    """Whether kernels whose results are not combined are better done one by one."""
    return weights[0].size > _BANK_TAPS and any(factor(kernel, most=1) is not None for kernel in weights)


def _passed_through(plane: NDArray[Any], dtype: np.dtype[Any]) -> Problem:
    """A plane as another type: the filter of one tap."""
    sums = _sums(plane.dtype, _ONE, dtype)
    store = Store.WRAP if dtype.kind == "f" else Store.SATURATE
    return Problem(
        plane, _ONE.astype(sums), plane.shape, dtype, Boundary.NEAREST, np.zeros(1, sums), 0, 0, False, False, "direct",
        sums=sums, store=store,
    )  # fmt: skip


def _sums(image: np.dtype[Any], kernel: NDArray[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    """Type of the sums: int64 where they are sure to be exact, float64 where image or result is, else float32."""
    if image.kind in "biu":
        wide = kernel.astype(np.float64)
        if (wide == np.rint(wide)).all() and float(np.abs(wide).sum()) * _PEAK <= _EXACT:
            return np.dtype(np.int64)
    return np.promote_types(_floating(image), _floating(result))


def _floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float64 for itself, float32 for all others."""
    return np.dtype("float64" if dtype.newbyteorder("=") == np.dtype("float64") else "float32")


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
    axis = whole_axis(channel_axis)
    if pixels.ndim != 3:
        msg = f"`image` has {pixels.ndim} dimensions; accepted with `channel_axis`: 3"
        raise ValueError(msg)
    if not -3 <= axis < 3:
        msg = f"`channel_axis` {axis} is out of range for an image of 3 dimensions; accepted: -3 to 2"
        raise ValueError(msg)
    return axis % 3


def _kernel(name: str, kernel: ArrayLike, ndim: int) -> NDArray[Any]:
    """A kernel, or several, as given."""
    try:
        weights = np.asarray(kernel)
    except ValueError:
        msg = f"`{name}` must be an array of {ndim} dimensions; these kernels differ in shape"
        raise ValueError(msg) from None
    if weights.dtype.kind not in "biufc":
        msg = f"`{name}` has dtype {weights.dtype}; accepted: numbers"
        raise ValueError(msg)
    if weights.ndim != ndim or 0 in weights.shape:
        msg = f"`{name}` has shape {weights.shape}; accepted: {ndim} dimensions, none of them empty"
        raise ValueError(msg)
    wide = {"f": "float64", "c": "complex128"}.get(weights.dtype.kind)
    return weights.astype(wide or np.promote_types(weights.dtype, np.int64))


def _real(weights: NDArray[Any]) -> NDArray[Any]:
    """A kernel that must not be complex."""
    if weights.dtype.kind == "c":
        msg = f"`kernel` has dtype {weights.dtype}; accepted: real ones (`magnitude` and `phase` take complex kernels)"
        raise ValueError(msg)
    return weights


def _mask(mask: ArrayLike, shape: tuple[int, ...], axis: int | None) -> NDArray[Any]:
    """Which pixels count, of the picture's shape; without channels it is for all of them."""
    counts = np.asarray(mask)
    plane = shape if axis is None else shape[:axis] + shape[axis + 1 :]
    if counts.dtype.kind != "b":
        msg = f"`mask` has dtype {counts.dtype}; accepted: bool, True where a pixel counts"
        raise ValueError(msg)
    if counts.shape not in (shape, plane):
        msg = f"`mask` has shape {counts.shape}; accepted: {' or '.join(map(str, dict.fromkeys((shape, plane))))}"
        raise ValueError(msg)
    if counts.shape != shape and axis is not None:
        counts = np.broadcast_to(np.expand_dims(counts, axis), shape)
    return counts


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
        result: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
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
    except OverflowError:       # an integer
        number = math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        msg = f"`{name}` must be a real number, not {value!r}"
        raise TypeError(msg) from None
    if finite and not math.isfinite(number):
        msg = f"`{name}` must be finite, not {value!r}"
        raise ValueError(msg)
    return number


def _flag(name: str, value: Any) -> bool:
    if type(value) not in (bool, np.bool_):
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
