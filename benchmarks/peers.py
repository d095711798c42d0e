"""The libraries measured: how each is called and what it can do. No other file here knows.

Everything runs on one thread; `workers.py` measures more. A library that is missing or cannot do a work raises `CannotDo`, which asv shows as n/a.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Filter, Shape, Work, make_gaussian, make_operands
from .timing import Call

Array = NDArray[Any]

OURS = "rapidconv"


class CannotDo(NotImplementedError):
    """The library is not installed or has no such function."""


@cache
def load_module(name: str) -> ModuleType:
    """Import a library when it is first needed: asv imports this package for every benchmark it lists."""
    # For the process and not as an argument: small calls are faster without one, and nobody passes it there.
    os.environ["RAPIDCONV_NUM_THREADS"] = "1"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the absence of the library itself is n/a; one that is there and broken has to be heard of.
        if error.name != name.partition(".")[0]:
            raise
        msg = f"{name} is not installed"
        raise CannotDo(msg) from error
    if name == "cv2":
        module.setNumThreads(1)
    return module


def _rapidconv_call(work: Work, image: Array, kernel: Array) -> Call:
    extras = {} if work.plain else {"method": work.method}
    function = getattr(load_module("rapidconv"), work.function)
    return Call(function, (image, kernel), {**_scipy_keywords(work), **extras})


def _scipy_call(work: Work, image: Array, kernel: Array) -> Call:
    function = getattr(load_module("scipy.signal"), work.function)
    return Call(function, (image, kernel), _scipy_keywords(work))


def _scipy_keywords(work: Work) -> dict[str, str]:
    if work.plain and (work.mode, work.boundary) == ("full", "fill"):
        return {}
    return {"mode": work.mode, "boundary": work.boundary}


def _transform_call(name: str) -> Callable[[Work, Array, Array], Call]:
    """``fftconvolve`` or ``oaconvolve``, which know no boundary: the image is extended beforehand, out of the clock."""

    def make(work: Work, image: Array, kernel: Array) -> Call:
        function = getattr(load_module("scipy.signal"), name)
        if image.dtype.kind in "iu":
            msg = f"{name} does not return integers"
            raise CannotDo(msg)
        if work.function == "correlate2d":
            kernel = np.ascontiguousarray(kernel[::-1, ::-1].conj())
        if work.mode != "same":
            if work.mode == "full" and work.boundary != "fill":
                msg = f"{name} has no such boundary"
                raise CannotDo(msg)
            return Call(function, (image, kernel), {"mode": work.mode})
        return Call(function, (extend(work, image), kernel), {"mode": "valid"})

    return make


def extend(work: Work, image: Array) -> Array:
    """The image with what its boundary puts around it for "same"."""
    pad_mode = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}[work.boundary]
    around = [(anchor, side - 1 - anchor) for side, anchor in zip(work.kernel, _find_anchor(work), strict=True)]
    return np.pad(image, around, mode=pad_mode)  # type: ignore[call-overload]


def _find_anchor(work: Work) -> Shape:
    """The tap of the flipped kernel that lies on an output's own pixel; differs between the functions for even sides."""
    rows, columns = ((side - 1) // 2 if work.function == "correlate2d" else side // 2 for side in work.kernel)
    return rows, columns


def _opencv_border(work: Work, name: str) -> tuple[ModuleType, int]:
    """OpenCV and its number of a work's boundary."""
    cv2 = load_module("cv2")
    borders = {"fill": cv2.BORDER_CONSTANT, "symm": cv2.BORDER_REFLECT}
    if work.mode != "same" or work.boundary not in borders:
        msg = f"{name} has no such mode or boundary"
        raise CannotDo(msg)
    return cv2, borders[work.boundary]


def _sepfilter_call(work: Work, image: Array, kernel: Array) -> Call:
    """``sepFilter2D``, told the factors of a Gaussian."""
    cv2, border = _opencv_border(work, "sepFilter2D")
    if work.weights != "gaussian" or image.dtype.name not in ("float32", "float64"):
        msg = "not a Gaussian of floats"
        raise CannotDo(msg)
    column, row = (make_gaussian(side, np.dtype(np.float64)).astype(image.dtype) for side in kernel.shape)
    return Call(cv2.sepFilter2D, (image, -1, row, column), {"borderType": border})


def _blur_call(work: Work, image: Array, kernel: Array) -> Call:
    """``blur``, for integers a rounded mean where the others sum: the same work but for a multiplication."""
    cv2, border = _opencv_border(work, "blur")
    if work.weights != "box" or image.dtype.name not in ("uint8", "float32", "float64"):
        msg = "not a box, or not a dtype of blur"
        raise CannotDo(msg)
    return Call(cv2.blur, (image, kernel.shape[::-1]), {"borderType": border})


def _ndimage_call(work: Work, image: Array, kernel: Array) -> Call:
    """``scipy.ndimage.convolve``, for odd sides: it centres even ones elsewhere."""
    modes = {"fill": "constant", "wrap": "grid-wrap", "symm": "reflect"}
    if work.mode != "same" or work.function != "convolve2d" or not all(side % 2 for side in work.kernel):
        msg = "ndimage.convolve has no such mode"
        raise CannotDo(msg)
    function = load_module("scipy.ndimage").convolve
    return Call(function, (image, kernel), {"mode": modes[work.boundary]})


def _opencv_call(work: Work, image: Array, kernel: Array) -> Call:
    """``filter2D``: correlation at the size of the image, depths 8u, 16u, 16s, 32f and 64f, saturating.

    The kernel is flipped and converted beforehand: a program written for OpenCV would hold it that way.
    """
    cv2, border = _opencv_border(work, "filter2D")
    if image.dtype.name not in ("uint8", "uint16", "int16", "float32", "float64") or kernel.dtype.kind == "c":
        msg = f"filter2D takes no {image.dtype} by {kernel.dtype}"
        raise CannotDo(msg)
    if image.dtype.kind in "iu":
        largest = int(np.abs(image.astype(np.int64)).max()) * int(np.abs(kernel.astype(np.int64)).sum())
        if largest > np.iinfo(image.dtype).max or (image.dtype.kind == "u" and (kernel < 0).any()):
            msg = "filter2D saturates where SciPy wraps"
            raise CannotDo(msg)
    flipped = kernel[::-1, ::-1] if work.function == "convolve2d" else kernel
    kernel_dtype = np.float64 if image.dtype == np.float64 else np.float32
    weights = np.ascontiguousarray(flipped, dtype=kernel_dtype)
    anchor = _find_anchor(work)[::-1]
    return Call(cv2.filter2D, (image, -1, weights), {"anchor": anchor, "borderType": border})


def _filter_call(module: str) -> Callable[[Filter, Array, Array], Call]:
    """A filter of `scipy.ndimage`, or ours of the same name."""

    def make(work: Filter, image: Array, weights: Array) -> Call:
        function = getattr(load_module(module), work.function)
        return Call(function, (image, *([weights] if work.weights else []), *work.arguments))

    return make


def _opencv_filter_call(work: Filter, image: Array, weights: Array) -> Call:
    """``GaussianBlur`` with as many taps as SciPy's, ``blur``, or ``filter2D``, whose kernel is flipped beforehand."""
    cv2 = load_module("cv2")
    border = {"borderType": cv2.BORDER_REFLECT}
    if image.dtype.kind != "f" or image.ndim - len(work.weights[2:]) > 2:
        msg = "integers are rounded where SciPy cuts them"
        raise CannotDo(msg)
    if work.function == "gaussian_filter":
        (sigma,) = work.arguments
        side = 2 * int(4 * sigma + 0.5) + 1
        return Call(cv2.GaussianBlur, (image, (side, side), sigma), border)
    if work.function == "uniform_filter":
        (side,) = map(int, work.arguments)
        return Call(cv2.blur, (image, (side, side)), border)
    if work.function == "convolve":
        flipped = np.ascontiguousarray(weights.reshape(weights.shape[:2])[::-1, ::-1], image.dtype)
        return Call(cv2.filter2D, (image, -1, flipped), border)
    msg = f"no {work.function} of the same weights"
    raise CannotDo(msg)


#: Who does the filters of `scipy.ndimage`.
FILTER_PEERS: dict[str, Callable[[Filter, Array, Array], Call]] = {
    OURS: _filter_call("rapidconv.ndimage"),
    "scipy": _filter_call("scipy.ndimage"),
    "opencv": _opencv_filter_call,
}
PEERS: dict[str, Callable[[Work, Array, Array], Call]] = {
    OURS: _rapidconv_call,
    "scipy": _scipy_call,
    "opencv": _opencv_call,
    "fftconvolve": _transform_call("fftconvolve"),
    "oaconvolve": _transform_call("oaconvolve"),
    "sepfilter": _sepfilter_call,
    "blur": _blur_call,
    "ndimage": _ndimage_call,
}
#: The general ones, which do any work; the others are asked for where they are good at it.
LIBRARIES = [OURS, "scipy", "opencv"]
OTHERS = [name for name in LIBRARIES if name != OURS]
IMPORTS = {OURS: "rapidconv", "scipy": "scipy.signal", "opencv": "cv2"}


def make_call(library: str, work: Work | Filter, operands: tuple[Array, Array] | None = None) -> Call:
    """The call that does `work` in `library`.

    Raises
    ------
    CannotDo
        If the library is missing or has no such function.
    """
    image, kernel = make_operands(work) if operands is None else operands
    if isinstance(work, Filter):
        return FILTER_PEERS[library](work, image, kernel)
    return PEERS[library](work, image, kernel)


def find_version(library: str) -> str:
    """Version of an installed library, an empty string for a missing one."""
    try:
        module = load_module(IMPORTS[library].partition(".")[0])
    except CannotDo:
        return ""
    return str(getattr(module, "__version__", "unknown"))


def find_target() -> str:
    """Instruction set that rapidconv dispatched to, "unknown" if it does not say."""
    try:
        return str(load_module(OURS).show_config(mode="dicts")["in_use"])
    except (CannotDo, AttributeError, KeyError, TypeError):
        return "unknown"


def find_method(work: Work, operands: tuple[Array, Array]) -> str:
    """The method rapidconv takes for a work, an empty string if this version cannot tell."""
    try:
        explain = load_module(OURS).explain
    except AttributeError:
        return ""
    told = explain(*operands, work.mode, work.boundary, method=work.method, operation=work.function)
    return str(told.method)


def make_fma_call(dtype_char: str, seconds: float = 4e-3) -> Call:
    """A burst of independent FMAs in registers, on the vectors of the target in use; returns the FLOPs it did.

    Raises
    ------
    CannotDo
        If this build of rapidconv offers none.
    """
    load_module(OURS)
    try:
        kernels = importlib.import_module("rapidconv._native").kernels
        burst = kernels.fma_burst
    except (ImportError, AttributeError) as error:
        msg = "no fma_burst in this build"
        raise CannotDo(msg) from error
    rounds = 1000
    call = Call(burst, (dtype_char, rounds))
    while call.make_timer().timeit(1) < seconds:
        rounds *= 2
        call = Call(burst, (dtype_char, rounds))
        if rounds > 10**9:
            msg = "the compiler has removed the work of fma_burst"  # no core does one round in 4 ps
            raise CannotDo(msg)
    return call


def find_disagreement(work: Work | Filter, result: Any, reference: Array, operands: tuple[Array, Array]) -> str:
    """What is wrong with a result, an empty string if nothing is.

    Integers must be equal. Floats may differ by the bound of recursive summation, in any order; of large kernels, where
    that bound exceeds the results, by a thousand roundings of the largest result.
    """
    if not isinstance(result, np.ndarray):
        return f"returned {type(result).__name__}"
    if result.shape != reference.shape or result.dtype != reference.dtype:
        return f"{result.dtype}{result.shape}, not {reference.dtype}{reference.shape}"
    if reference.dtype.kind in "iu":
        different = int(np.count_nonzero(result != reference))
        return f"{different} integers differ" if different else ""
    if isinstance(work, Filter):
        error = float(np.abs(result - reference).max())
        allowed = 1000 * float(np.finfo(reference.dtype).eps) * float(np.abs(reference).max())
        return "" if error <= allowed else f"off by {error:.2g}, allowed {allowed:.2g}"
    image, kernel = operands
    taps = 4 * kernel.size
    largest_sum = float(np.abs(image).max()) * float(np.abs(kernel).sum())
    allowed = (taps + 4) * float(np.finfo(reference.dtype).eps) * largest_sum
    if work.method == "auto":
        allowed = min(allowed, 1000 * float(np.finfo(reference.dtype).eps) * float(np.abs(reference).max()))
    error = float(np.abs(result - reference).max())
    return "" if error <= allowed else f"off by {error:.2g}, allowed {allowed:.2g}"
