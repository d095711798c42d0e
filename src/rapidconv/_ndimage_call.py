"""The way of the filters of `rapidconv.ndimage`: what is asked for as passes, unless a call like it has been made ready."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _again, _blocks, _filter_weights, _passes, _plan, _workers
from . import _ndimage_arguments as arguments
from ._arguments import check_method
from ._passes import Filtering, Pass, Settings, line

__all__ = [
    "Derivatives",
    "Part",
    "carry_out",
    "carry_out_lines",
    "combined",
    "correlate",
    "correlate1d",
    "gaussian",
    "gaussian1d",
    "gaussian_derivatives",
    "gradient",
    "laplace",
    "sum_of_derivatives",
    "uniform",
    "uniform1d",
]

def _do(asked: Filtering, _: Any, output: Any, found: Any, __: Any) -> tuple[NDArray[Any], Any]:
    """The result, and the jobs that did it, if it is so small that they are worth keeping, or what did a long call, or None."""
    ready = _blocks.run(asked, None if found is None else found[1])
    warned = isinstance(output, type | np.dtype) and asked.result.dtype != np.dtype(output)      # every time anew
    return asked.result, None if warned else ready


def _do_lines(asked: Filtering, image: Any, output: Any, found: Any, is_often: Any) -> tuple[NDArray[Any], Any]:
    """The same of lines with weights that may be others in each call."""
    if found is not None and _blocks.run_lines(asked, found):
        return asked.result, None
    return _do(asked, image, output, found, is_often)


#: ``carry_out(asks, image, output, *arguments)`` does what `asks`, a function of this module, asks for; a small call by the jobs of one
#: like it.
carry_out = partial(_again.carry_out, _do, _plan.is_kept)
#: The same for Gaussians, whose weights may be others in each call.
carry_out_lines = partial(_again.carry_out, _do_lines, _plan.is_kept)


def correlate(
    image: ArrayLike, output: Any, weights: ArrayLike, operation: str, mode: Any, cval: Any, origin: Any, axes: Any, method: Any,
    workers: Any,
) -> Filtering:  # fmt: skip
    """Correlate an image with weights of several axes, or convolve it."""
    pixels, kernel, flips = np.asarray(image), np.asarray(weights), operation == "convolve"
    ndim = pixels.ndim
    is_complex = pixels.dtype.kind == "c" or kernel.dtype.kind == "c"
    if is_complex:
        kernel = arguments.complex_weights(kernel, conjugated=not flips)
        result = arguments.make_result(output, pixels, is_complex=True)
        cval = arguments.complex_cval(cval, pixels)
    along = arguments.find_axes(axes, ndim)
    if not is_complex:
        kernel = arguments.real_weights(kernel)
    kernel = arguments.spread_weights(kernel, along, ndim)
    origins = [0] * ndim
    for axis, each in zip(along, arguments.repeat(origin, len(along)), strict=True):
        origins[axis] = -each - (not kernel.shape[axis] & 1) if flips else each
        arguments.check_origin(origins[axis], kernel.shape[axis], is_line=False)
    if not is_complex:
        result = arguments.make_result(output, pixels, is_complex=False)
    rule = arguments.find_single_rule(mode)
    arguments.check_writeable(result)
    beyond = arguments.common_cval(cval, is_complex=pixels.dtype.kind == "c")
    first = tuple(-(k // 2) - arguments.whole_origin(o, is_line=False) for k, o in zip(kernel.shape, origins, strict=True))
    arguments.check_numbers(pixels, result, is_complex=is_complex, is_line=False)
    check_method(method)
    settings = Settings(beyond, method, _workers.resolve(workers))
    if flips:
        kernel = kernel[(slice(None, None, -1),) * ndim]
    return Filtering(pixels, [Pass(kernel, first, rule)], settings, result)


def correlate1d(
    image: ArrayLike, output: Any, weights: ArrayLike, operation: str, axis: Any, mode: Any, cval: Any, origin: Any, method: Any,
    workers: Any,
) -> Filtering:  # fmt: skip
    """Correlate the lines along an axis, or convolve them."""
    pixels, kernel, flips = np.asarray(image), np.asarray(weights), operation == "convolve"
    if flips:
        kernel = kernel[::-1]
        origin = -origin - (not kernel.shape[0] & 1)
    is_complex = pixels.dtype.kind == "c" or kernel.dtype.kind == "c"
    if is_complex:
        kernel = arguments.complex_weights(kernel, conjugated=not flips)
    result = arguments.make_result(output, pixels, is_complex=is_complex)
    if is_complex:
        cval = arguments.complex_cval(cval, pixels)
    else:
        kernel = arguments.real_weights(kernel)
    arguments.check_line(kernel)
    place = arguments.find_axis(axis, pixels.ndim)
    arguments.check_origin(origin, kernel.size, is_line=True)
    check_method(method)
    settings = Settings(cval, method, _workers.resolve(workers))
    return _lines(pixels, [(place, kernel, origin, mode, 1)], settings, result)


#: A pass to be: axis, weights, origin, mode, and what whole sums are divided by.
_Step = tuple[int, NDArray[Any], Any, Any, int]


def _lines(image: NDArray[Any], steps: list[_Step], settings: Settings, result: NDArray[Any]) -> Filtering:
    """Lines filtered along one axis after another."""
    if not steps:
        return Filtering(image, [], settings, result)
    rules = [arguments.find_rule(mode) for _, _, _, mode, _ in steps]
    arguments.check_writeable(result)
    beyond = arguments.common_cval(settings.cval, is_complex=image.dtype.kind == "c")
    origins = [arguments.whole_origin(origin, is_line=True) for _, _, origin, _, _ in steps]
    is_complex = image.dtype.kind == "c" or steps[0][1].dtype.kind == "c"
    arguments.check_numbers(image, result, is_complex=is_complex, is_line=True)
    passes = [
        line(weights, axis, image.ndim, origin, rule, count)
        for (axis, weights, _, _, count), origin, rule in zip(steps, origins, rules, strict=True)
    ]
    return Filtering(image, passes, Settings(beyond, settings.method, settings.workers), result)


def _settings(cval: Any) -> Settings:
    """Those of a filter that leaves the choice to us."""
    return Settings(cval, "auto", _workers.resolve(None))


def uniform1d(
    image: ArrayLike, output: Any, size: Any, axis: Any, mode: Any, cval: Any, origin: Any
) -> Filtering:
    """Means of runs along an axis."""
    pixels = np.asarray(image)
    place = arguments.find_axis(axis, pixels.ndim)
    arguments.check_size(size)
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    arguments.check_run_origin(origin, size)
    return _lines(pixels, [_run(place, size, origin, mode)], _settings(cval), result)


def _run(axis: int, size: Any, origin: Any, mode: Any) -> tuple[int, NDArray[Any], Any, Any, int]:
    """The step of a mean."""
    count = int(operator.index(size))
    return axis, np.full(count, 1 / count), origin, mode, count


def uniform(
    image: ArrayLike, output: Any, size: Any, mode: Any, cval: Any, origin: Any, axes: Any
) -> Filtering:
    """Means of boxes."""
    pixels = np.asarray(image)
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    along = arguments.find_axes(axes, pixels.ndim)
    sizes, origins, modes = (arguments.repeat(value, len(along)) for value in (size, origin, mode))
    steps = []
    for axis, each, start, rule in zip(along, sizes, origins, modes, strict=True):
        if each > 1:
            arguments.check_run_origin(start, int(each))
            steps.append(_run(axis, int(each), start, rule))
    return _lines(pixels, steps, _settings(cval), result)


def _gaussian_weights(sigma: Any, order: Any, truncate: Any, radius: Any) -> NDArray[Any]:
    """Weights of a Gaussian cut off at a radius, or at so many standard deviations."""
    reach = arguments.find_radius(float(sigma), truncate, radius)
    arguments.check_order(order)
    return _filter_weights.gaussian(sigma, order, reach)


def gaussian1d(
    image: ArrayLike, output: Any, sigma: Any, axis: Any, order: Any, mode: Any, cval: Any, truncate: Any, radius: Any
) -> Filtering:
    """Lines under a Gaussian or its derivatives."""
    weights = _gaussian_weights(sigma, order, truncate, radius)
    return correlate1d(image, output, weights, "correlate", axis, mode, cval, 0, "auto", None)


def gaussian(
    image: ArrayLike, output: Any, sigma: Any, order: Any, mode: Any, cval: Any, truncate: Any, radius: Any, axes: Any
) -> Filtering:
    """An image under a Gaussian or its derivatives."""
    pixels = np.asarray(image)
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    along = arguments.find_axes(axes, pixels.ndim)
    orders, sigmas, modes, radii = (arguments.repeat(value, len(along)) for value in (order, sigma, mode, radius))
    steps, made = list[_Step](), None
    for axis, each, degree, rule, reach in zip(along, sigmas, orders, modes, radii, strict=True):
        if each > 1e-15:
            if made is None or not (each is made[0] and degree is made[1] and reach is made[2]):
                made = each, degree, reach, _gaussian_weights(each, degree, truncate, reach)
            steps.append((axis, made[3], 0, rule, 1))
    return _lines(pixels, steps, _settings(cval), result)


def gradient(
    image: ArrayLike, output: Any, axis: Any, mode: Any, cval: Any, across: NDArray[Any]
) -> Filtering:
    """Differences along an axis, smoothed across it."""
    pixels = np.asarray(image)
    place = arguments.find_axis(axis, pixels.ndim)
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    modes = arguments.repeat(mode, pixels.ndim)
    steps = [(place, _filter_weights.DIFFERENCE, 0, modes[place], 1)]
    steps += [(other, across, 0, modes[other], 1) for other in range(pixels.ndim) if other != place]
    return _lines(pixels, steps, _settings(cval), result)


@dataclass(slots=True, eq=False)
class Part:
    """A derivative of an image along an axis: a function with all its arguments but the image and its result."""

    function: Callable[..., Any]
    axis: int
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    keywords: dict[str, Any]

    def __call__(self, image: NDArray[Any], output: Any) -> Any:
        """Compute it, into an array or as a new one of a type."""
        return self.function(image, *self.before, output, *self.after, **self.keywords)


@dataclass(slots=True, eq=False)
class Derivatives:
    """What a call asks for that adds up other filters' results.

    Attributes
    ----------
    image : ndarray
    parts : list of Part
        Without any the image is copied.
    result : ndarray
        It may share memory with the image.
    squares : bool
        Whether it is the root of the sum of their squares.
    """

    image: NDArray[Any]
    parts: list[Part]
    result: NDArray[Any]
    squares: bool


def combined(asked: Derivatives, parts: Sequence[Callable[[NDArray[Any], Any], Any]] | None = None) -> NDArray[Any]:
    """Do what is asked for, by other functions of the same results if they are given."""
    pixels, result = asked.image, asked.result
    if not asked.parts:
        result[...] = pixels
        return result
    if np.may_share_memory(pixels, result):
        pixels = pixels.copy()
    for k, part in enumerate(asked.parts if parts is None else parts):
        if k == 0:
            part(pixels, result)
        other = result if k == 0 else part(pixels, result.dtype)
        if asked.squares:
            np.multiply(other, other, other)
        if k:
            result += other
    if asked.squares:
        np.sqrt(result, result, casting="unsafe")
    return result


def sum_of_derivatives(
    image: ArrayLike, derivative: Callable[..., Any], output: Any, mode: Any, cval: Any, arguments_: Any, keywords: Any,
    axes: Any, *, squares: bool = False,
) -> Derivatives:  # fmt: skip
    """A function's derivatives along the axes, summed, or the root of the sum of their squares."""

    def part(axis: int, rule: Any) -> Part:
        return Part(derivative, axis, (axis,), (rule, cval, *arguments_), {} if keywords is None else keywords)

    return _derivatives(np.asarray(image), part, output, mode, axes, squares=squares)


def _derivatives(
    pixels: NDArray[Any], part: Callable[[int, Any], Part], output: Any, mode: Any, axes: Any, *, squares: bool
) -> Derivatives:
    """Parts for the axes, each with its mode."""
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    along = arguments.find_axes(axes, pixels.ndim)
    modes = arguments.repeat(mode, len(along)) if along else []
    parts = [part(axis, rule) for axis, rule in zip(along, modes, strict=True)]
    return Derivatives(pixels, parts, result, squares)


def laplace(image: ArrayLike, output: Any, mode: Any, cval: Any, axes: Any) -> Filtering:
    """Sum of second differences along the axes."""
    pixels = np.asarray(image)
    result = arguments.make_result(output, pixels, is_complex=pixels.dtype.kind == "c")
    along = arguments.find_axes(axes, pixels.ndim)
    modes = arguments.repeat(mode, len(along))
    steps = [(axis, _filter_weights.SECOND_DIFFERENCE, 0, each, 1) for axis, each in zip(along, modes, strict=True)]
    asked = _lines(pixels, steps, _settings(cval), result)
    added = _passes.added(pixels, asked.passes, asked.settings, result)
    return replace(asked, sums=True) if added is None else replace(asked, passes=added)


def gaussian_derivatives(
    image: ArrayLike, sigma: Any, output: Any, mode: Any, cval: Any, axes: Any,
    gaussian_filter: Callable[..., NDArray[Any]], degree: int, **keywords: Any,
) -> Derivatives:  # fmt: skip
    """Second derivatives of a Gaussian, summed, or the root of the sum of squared first ones."""
    pixels = np.asarray(image)
    if degree == 2:         # its Gaussian runs along the chosen axes only, that of the first derivatives along all
        along = arguments.find_axes(axes, pixels.ndim)
        sigmas = [0] * pixels.ndim
        for axis, each in zip(along, arguments.repeat(sigma, len(along)), strict=True):
            sigmas[axis] = each
        sigma = sigmas

    def part(axis: int, rule: Any) -> Part:
        orders = [0] * pixels.ndim
        orders[axis] = degree
        return Part(gaussian_filter, axis, (sigma, orders), (rule, cval), keywords)

    return _derivatives(pixels, part, output, mode, axes, squares=degree == 1)
