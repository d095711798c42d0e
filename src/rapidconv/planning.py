"""Plans to look at, and plans to keep."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from math import prod
from operator import index
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import (
    _arguments,
    _blocks,
    _cost,
    _execute,
    _image_arguments,
    _ndimage_call,
    _plan,
    _transform,
    image,
    ndimage,
    signal,
)
from ._filter_weights import PREWITT, SOBEL
from ._native import kernels
from ._ndimage_call import Derivatives, Part
from ._passes import Filtering
from ._problem import Plan, Problem, Products, Store, Task

__all__ = ["Explanation", "Prepared", "explain", "prepare"]

_Function = Callable[..., NDArray[Any]]

_OPERATIONS: dict[str, _Function] = {"convolve2d": signal.convolve2d, "correlate2d": signal.correlate2d}

#: What is asked for by the functions of `rapidconv.ndimage`, and what they add to their own arguments.
_FILTERS: dict[_Function, tuple[Callable[..., Filtering | Derivatives], dict[str, Any]]] = {
    ndimage.correlate: (_ndimage_call.correlate, {"operation": "correlate"}),
    ndimage.convolve: (_ndimage_call.correlate, {"operation": "convolve"}),
    ndimage.correlate1d: (_ndimage_call.correlate1d, {"operation": "correlate"}),
    ndimage.convolve1d: (_ndimage_call.correlate1d, {"operation": "convolve"}),
    ndimage.uniform_filter1d: (_ndimage_call.uniform1d, {}),
    ndimage.uniform_filter: (_ndimage_call.uniform, {}),
    ndimage.gaussian_filter1d: (_ndimage_call.gaussian1d, {}),
    ndimage.gaussian_filter: (_ndimage_call.gaussian, {}),
    ndimage.prewitt: (_ndimage_call.gradient, {"across": PREWITT}),
    ndimage.sobel: (_ndimage_call.gradient, {"across": SOBEL}),
    ndimage.laplace: (_ndimage_call.laplace, {}),
    ndimage.gaussian_laplace: (_ndimage_call.gaussian_derivatives, {"gaussian_filter": ndimage.gaussian_filter, "degree": 2}),
    ndimage.gaussian_gradient_magnitude: (
        _ndimage_call.gaussian_derivatives, {"gaussian_filter": ndimage.gaussian_filter, "degree": 1}),
    ndimage.generic_laplace: (_ndimage_call.sum_of_derivatives, {}),
    ndimage.generic_gradient_magnitude: (_ndimage_call.sum_of_derivatives, {"squares": True}),
}  # fmt: skip

#: What the generic ones call their function and its arguments, and what `sum_of_derivatives` does.
_GENERIC = {"derivative2": "derivative", "extra_arguments": "arguments_", "extra_keywords": "keywords"}

#: Those of `rapidconv.image`, and the arguments they take before `_image_arguments.OPTIONS`.
_PICTURES: dict[_Function, tuple[Callable[..., Task], tuple[str, ...]]] = {
    image.filter2d: (_image_arguments.filter2d, ("kernel", "operation", "nan", "mask", "alpha", "channel_axis")),
    image.filter_bank: (_image_arguments.filter_bank, ("kernels", "combine", "channel_axis", "operation")),
}
_POLAR: dict[_Function, bool] = {image.magnitude: False, image.phase: True}     # whether it is an angle

_KNOWN = (*_OPERATIONS.values(), *_FILTERS, *_PICTURES, *_POLAR)

#: Numbers of images whose filters do small calls again as fast as a prepared plan would.
_SMALL = 2**16


# What is asked for

def _call(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[_Function, tuple[Any, ...], dict[str, Any]]:
    """A function and its arguments; without one, a function of `signal` by its name."""
    if arguments and callable(arguments[0]):
        function, *others = arguments
        if function not in _KNOWN:
            names = ", ".join(f"{known.__module__.partition('.')[2]}.{known.__name__}" for known in _KNOWN)
            msg = f"{function!r} is not a function whose plan can be told; accepted: {names}"
            raise ValueError(msg)
        return function, tuple(others), keywords
    name = keywords.pop("operation", "convolve2d")
    if not isinstance(name, str) or name not in _OPERATIONS:
        msg = f"`operation` must be one of {', '.join(map(repr, _OPERATIONS))}, not {name!r}"
        raise ValueError(msg)
    return _OPERATIONS[name], arguments, keywords


def _bound(function: _Function, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """All arguments of a call by their names, further ones of another function too."""
    names = signature(function)
    bound = names.bind(*arguments, **keywords)
    bound.apply_defaults()
    given = dict(bound.arguments)
    for name, each in names.parameters.items():
        if each.kind is Parameter.VAR_KEYWORD:
            given |= given.pop(name)
    return given


def _asked(function: _Function, given: dict[str, Any]) -> Task | Filtering | Derivatives:
    """What a call asks for; every error a caller can make is raised here."""
    if function in _FILTERS:
        asks, added = _FILTERS[function]
        named = {_GENERIC.get(name, name): value for name, value in given.items()}
        return asks(image=named.pop("input"), **named, **added)
    if function in _PICTURES:
        asks_picture, names = _PICTURES[function]
        order = ("image", "out", *names, *_image_arguments.OPTIONS)
        return asks_picture(*(given[name] for name in order))
    if function in _POLAR:
        return _image_arguments.polar(angle=_POLAR[function], **given)
    return _arguments.signal2d(function.__name__, **given)


# Plans to look at

@dataclass(frozen=True)
class Explanation:
    """What a call does, and why; ``print`` it.

    Attributes
    ----------
    method : str
        'direct', 'separable' or 'fft', or 'a function' that is not of this library; of several passes or parts all there are,
        joined by ' + '.
    reason : str
    seconds : dict
        Predicted seconds of every method that can serve, on one thread; of several passes or parts that of all together; empty
        where a function is called that is not of this library.
    tile : (int, int) or None
        Sides of the tiles of the transforms, in pixels.
    work_dtype : tuple of str
        Types the sums run in, tried in turn tile by tile until one is exact, or precise enough.
    error_bound : str
        How far a result can be off.
    workers : int
        Threads the call is worth, of those it may use.
    memory : int
        Most bytes of scratch memory beyond the result, for each worker; what a function takes that is not of this library is not counted.
    passes : tuple of Explanation
        The filters a call consists of, one after the other, where there is more than one.
    kernel : tuple of int
        Shape of the kernel; of several passes ().
    parts : tuple of Explanation
        Of filters whose results are combined, as the reason says: each of them, over the same image.
    """

    method: str
    reason: str
    seconds: dict[str, float]
    tile: tuple[int, int] | None
    work_dtype: tuple[str, ...]
    error_bound: str
    workers: int
    memory: int
    passes: tuple["Explanation", ...] = ()
    kernel: tuple[int, ...] = ()
    parts: tuple["Explanation", ...] = ()

    def __str__(self) -> str:
        """The explanation in lines."""
        times = ", ".join(f"{name} {1e3 * t:.3g} ms" for name, t in sorted(self.seconds.items(), key=lambda it: it[1]))
        lines = [
            f"method       {self.method}",
            f"reason       {self.reason}",
            f"predicted    {times or '-'}",
            f"tile         {'-' if self.tile is None else f'{self.tile[0]} x {self.tile[1]}'}",
            f"sums in      {', then '.join(self.work_dtype) or '-'}",
            f"error        {self.error_bound}",
            f"workers      {self.workers}",
            f"memory       at most {self.memory / 2**20:.1f} MiB of scratch a worker",
        ]
        for name, some in (("pass", self.passes), ("part", self.parts)):
            for k, each in enumerate(some):
                kernel = f", kernel of {' x '.join(map(str, each.kernel))}" if each.kernel else ""
                lines.append(f"{name} {k + 1} of {len(some)}{kernel}")
                lines += [f"  {line}" for line in str(each).splitlines()]
        return "\n".join(lines)


@overload
def explain(function: _Function, /, *arguments: Any, **keywords: Any) -> Explanation: ...
@overload
def explain(
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
    operation: str = "convolve2d",
) -> Explanation: ...
def explain(*arguments: Any, **keywords: Any) -> Explanation:
    """Tell how a call would be done; nothing is computed.

    ``explain(function, ...)`` takes the function and its arguments, ``explain(in1, in2, ...)`` those of `convolve2d`.

    Parameters
    ----------
    function : callable
        A function of `rapidconv.signal`, `rapidconv.image` or `rapidconv.ndimage`. Of the generic ones, what a function of yours does is
        not known: it is not called.
    *arguments, **keywords
        As of the function.
    operation : {'convolve2d', 'correlate2d'}
        The function, where none is given.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError, RuntimeError
        Whatever the call itself would raise.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidconv
    >>> from rapidconv import ndimage
    >>> image = np.zeros((512, 512), np.float32)
    >>> rapidconv.explain(image, np.ones((3, 3), np.float32), "same", "symm").method
    'direct'
    >>> told = rapidconv.explain(ndimage.convolve, image, np.random.default_rng(0).random((65, 65)), mode="mirror")
    >>> told.method, told.work_dtype
    ('fft', ('float32', 'float64'))
    >>> for line in str(told).splitlines():
    ...     print(line.split()[0])
    method
    reason
    predicted
    tile
    sums
    error
    workers
    memory

    A filter of several passes tells of each:

    >>> told = rapidconv.explain(ndimage.gaussian_filter, image.astype(np.uint8), 2.0)
    >>> [one.error_bound for one in told.passes]
    ['float64 sums as in scipy.ndimage, to the last bit, cut toward zero', 'float64 sums as in scipy.ndimage, to the last bit, cut toward zero']
    """
    function, others, keywords = _call(arguments, keywords)
    return _told(_asked(function, _bound(function, others, keywords)))


def _told(asked: Task | Filtering | Derivatives) -> Explanation:
    """A call in words; planes of a picture are all done alike."""
    if isinstance(asked, Derivatives):
        return _told_of_parts(asked)
    if isinstance(asked, Filtering):
        planned = _blocks.planned(asked)
        each = [_explanation(plan, problem, blocks) for problem, plan, blocks in planned]
        between = 0 if asked.sums else sum(problem.image.nbytes for problem, _, _ in planned[1:])
        dtype = asked.result.dtype
    else:
        plans = _plan.plans(asked)
        first = {id(plan): k for k, plan in reversed(list(enumerate(plans)))}
        each = [_explanation(plans[k], asked.problems[k]) for k in sorted(first.values())]
        dtype, between = asked.dtype, 0
    if not each:
        return _nothing(dtype)
    if len(each) == 1:
        return each[0]
    found = replace(
        _summary(each, f"{len(each)} passes, each by the method that suits it", "that of each pass"), passes=tuple(each)
    )
    counted = between > _blocks.BLOCK or "fft" in found.method       # else direct sums and a block stay in the limit
    return replace(found, memory=found.memory + between * counted)


def _nothing(dtype: np.dtype[Any]) -> Explanation:
    """A call in which nothing is summed."""
    return Explanation("direct", "there is nothing to sum", {"direct": 0.0}, None, (str(dtype),), "exact", 1, 0)


def _summary(each: list[Explanation], reason: str, error_bound: str) -> Explanation:
    """Several filters as one."""
    methods = dict.fromkeys(name for one in each for name in one.method.split(" + "))
    method = " + ".join(methods)
    seconds = {method: sum(one.seconds[one.method] for one in each)} if all(one.seconds for one in each) else {}
    types = tuple(dict.fromkeys(name for one in each for name in one.work_dtype))
    workers, memory = max(one.workers for one in each), max(one.memory for one in each)
    return Explanation(method, reason, seconds, None, types, error_bound, workers, memory)


def _told_of_parts(asked: Derivatives) -> Explanation:
    """Filters whose results are combined, in words."""
    if not asked.parts:
        return _nothing(asked.result.dtype)
    each = [_told_of_part(asked, part) for part in asked.parts]
    does = "root of the sum of the squares of" if asked.squares else "sum of"
    along = ", ".join(str(part.axis) for part in asked.parts)
    name = asked.parts[0].function.__name__ if hasattr(asked.parts[0].function, "__name__") else repr(asked.parts[0].function)
    reason = f"{does} the results of {name} for axis {along}"
    found = replace(_summary(each, reason, "that of each part, combined in the result's type"), parts=tuple(each))
    image = asked.result.nbytes if len(each) > 1 else 0         # where the results of all but the first lie
    return replace(found, memory=found.memory + image)


def _told_of_part(asked: Derivatives, part: Part) -> Explanation:
    """One of them."""
    if _is_filter(part.function):
        return _told(_asked(part.function, {**_arguments_of(part, asked.result.dtype), "input": asked.image}))
    return Explanation("a function", "it is not of this library", {}, None, (), "not known", 1, 0)


def _is_filter(function: _Function) -> bool:
    """Whether a function is one of `rapidconv.ndimage`."""
    return any(function is known for known in _FILTERS)


def _arguments_of(part: Part, dtype: np.dtype[Any]) -> dict[str, Any]:
    """All arguments of a filter for results of a type; the image is None."""
    return _bound(part.function, (None, *part.before, dtype, *part.after), part.keywords)


def _explanation(plan: Plan, problem: Problem, blocks: int = 1) -> Explanation:
    """A plan in words, of as many such problems as there are blocks."""
    tiles = plan.tiles if plan.method == "fft" else None
    types = tuple(str(lane.dtype) for lane in (_products(plan)[0] if plan.method == "separable" else plan).lanes)
    memory = _cost.SCRATCH
    if tiles is not None:
        types = tuple(str(np.dtype(char)) for char in tiles.chars)
        count = 1 if tiles.planes else len(tiles.exponents)
        memory = max(
            _cost.tile_memory(c, tiles.shape, _cost.planes_at_once(c, tiles.shape, tiles.planes), count) for c in tiles.chars
        )
    seconds = {method: blocks * t for method, t in plan.seconds.items()}
    shape = None if tiles is None else tiles.shape
    bound = _ending(problem, _bound_of_sums(plan, problem))
    return Explanation(plan.method, plan.reason, seconds, shape, types, bound, plan.workers, memory, kernel=problem.kernel.shape)


def _products(plan: Plan) -> tuple[Products, ...]:
    """Those of the separable road, for each kernel."""
    return plan.each if plan.products is None else (plan.products,)


def _bound_of_sums(plan: Plan, problem: Problem) -> str:
    """How far the sums themselves can be off."""
    if problem.summed.kind in "biu":
        return "exact"
    eps = float(np.finfo(problem.summed).eps)
    if plan.method == "separable":
        sides = sum(problem.kernel.shape) + 4
        rank = max(1 if each.factors is None else each.factors.rank for each in _products(plan))
        scale = "sum(|kernel| * |image|)" if rank == 1 else "max|kernel| * sum|image|"
        return f"at most {(sides if rank == 1 else 4 + 2**rank * sides) * eps:.2g} * {scale} under the kernel"
    if plan.method == "direct":
        return f"at most {problem.kernel.size * eps:.2g} * sum(|kernel| * |image|) under the kernel"
    assert plan.tiles is not None
    factor = _transform.noise(plan.tiles.shape, plan.tiles.chars[0], prod(plan.tiles.planes))
    return f"at most {factor:.2g} * norm(kernel) * norm(tile); exact where image and kernel are whole numbers"


def _ending(problem: Problem, bound: str) -> str:
    """What becomes of sums of a bound."""
    if problem.store is Store.TRUNCATE:
        return "float64 sums as in scipy.ndimage, to the last bit, cut toward zero"
    if problem.store is Store.DIVIDE:
        return f"{bound}; sums are divided by {problem.delta:g} and cut toward zero"
    if problem.dtype.kind in "biu":
        if problem.store is Store.WRAP:
            return "exact modulo 2**bits"
        return f"{bound}; sums are rounded to {problem.dtype}"
    return bound if problem.summed == problem.dtype else f"{bound}; sums are rounded to {problem.dtype}"


# Plans to keep

class Prepared:
    """A function made ready for images of one shape and dtype: call it with an image.

    It holds the plans and what they make of the kernels, such as their spectra. Threads can share it; pickled, it takes its arguments
    along, a function of yours among them, and prepares itself again.
    """

    def __init__(self, function: _Function, given: dict[str, Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._function = function
        self._given = {name: value if callable(value) else deepcopy(value) for name, value in given.items()}
        self._shape = shape
        self._dtype = dtype
        self._input = next(iter(given))
        self._output = "output" if function in _FILTERS else "out"
        self._filters: dict[object, Any] = {}
        self._calls: tuple[Any, ...] = ()       # for images in C order
        sample = np.empty(shape, dtype)
        asked = self._asked(sample, None)
        if isinstance(asked, Task) and self._swaps(asked):
            asked = self._asked(np.ones(shape, dtype), None)        # what images are as kernels is not known: one for which all roads are open
        self._told = _told(asked)
        if isinstance(asked, Filtering | Derivatives):
            self._result_shape, self._result_dtype = asked.result.shape, asked.result.dtype
            self._parts = [self._part(part) for part in asked.parts] if isinstance(asked, Derivatives) else []
            return
        self._result_shape, self._result_dtype = asked.shape, asked.dtype
        self._plans = [] if self._swaps(asked) else _plan.plans(asked)
        result = _execute.allocate(asked)
        for problem, plan, view in zip(asked.problems, self._plans, asked.views(result), strict=False):
            _execute.prepare(problem, plan, view)
        again = _execute.again(asked, self._plans, sample, result)
        self._calls = () if again is None else (kernels.Call((), sample, None, again),)

    def _part(self, part: Part) -> Callable[[NDArray[Any], Any], Any]:
        """A derivative made ready; a function that is not ours as it is."""
        if not _is_filter(part.function):
            return part
        ready = Prepared(part.function, _arguments_of(part, self._result_dtype), self._shape, self._dtype)
        return lambda pixels, output: ready(pixels, out=output if isinstance(output, np.ndarray) else None)

    def _swaps(self, task: Task) -> bool:
        """Whether the image takes the kernel's place, as in 'valid' with a larger kernel."""
        return any(problem.image is self._given.get("in2") for problem in task.problems)

    def _arguments(self, pixels: NDArray[Any], out: NDArray[Any] | None) -> dict[str, Any]:
        """All arguments of a call."""
        return self._given | {self._input: pixels} | ({} if out is None else {self._output: out})

    def _asked(self, pixels: NDArray[Any], out: NDArray[Any] | None) -> Task | Filtering | Derivatives:
        asked = _asked(self._function, self._arguments(pixels, out))
        if isinstance(asked, Filtering):
            return replace(asked, settings=replace(asked.settings, kept=self._filters))
        return asked

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the results."""
        return self._result_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the results."""
        return self._result_dtype

    def explain(self) -> Explanation:
        """Tell how images are filtered; see `rapidconv.explain`."""
        return self._told

    def __call__(self, image: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Filter an image.

        Parameters
        ----------
        image : array_like of the prepared shape and dtype
        out : ndarray, optional
            Array for the result, of its exact shape and dtype.

        Returns
        -------
        ndarray

        Raises
        ------
        ValueError
            If `image` is not of the prepared shape and dtype, or `out` not of the result's.
        """
        pixels = np.asarray(image)
        if pixels.shape != self._shape or pixels.dtype.newbyteorder("=") != self._dtype:
            msg = f"`image` has shape {pixels.shape} and dtype {pixels.dtype}; prepared for {self._shape} and {self._dtype}"
            raise ValueError(msg)
        is_new = out is None
        if out is not None:
            copies = _arguments.check_out(out, self._result_shape, self._result_dtype.newbyteorder("="), pixels, pixels)
            is_new = not copies and out.flags.c_contiguous
        if is_new and self._calls:
            again = kernels.find(self._calls, (), pixels, None)
            if again is not None:
                return again.run(pixels, out)       # type: ignore[no-any-return]
        if pixels.size <= _SMALL and self._function not in _OPERATIONS.values():
            return self._function(**self._arguments(pixels, out))       # which does small calls again
        asked = self._asked(pixels, out)
        if isinstance(asked, Derivatives):
            return _ndimage_call.combined(asked, self._parts)
        if isinstance(asked, Filtering):
            _blocks.run(asked)
            return asked.result
        return _execute.run(asked, self._plans or _plan.plans(asked), _execute.allocate(asked))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments, not the plan: it may be read on another machine."""
        return Prepared, (self._function, self._given, self._shape, self._dtype)

    def __repr__(self) -> str:
        """Name, shape, method."""
        return f"<rapidconv.Prepared {self._function.__name__} on {self._shape} {self._dtype}, {self._told.method}>"


@overload
def prepare(function: _Function, image: ArrayLike, /, *arguments: Any, **keywords: Any) -> Prepared: ...
@overload
def prepare(
    kernel: ArrayLike,
    *,
    shape: tuple[int, ...],
    dtype: DTypeLike = np.float64,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Any = 0,
    method: str = "auto",
    workers: int | None = None,
    channel_axis: int | None = None,
    operation: str = "convolve2d",
) -> Prepared: ...
def prepare(*arguments: Any, **keywords: Any) -> Prepared:
    """Plan a filter once, for a video or a batch of images.

    ``prepare(function, image, ...)`` takes the function and its arguments, ``prepare(kernel, shape=..., ...)`` a kernel for `convolve2d`.

    Parameters
    ----------
    function : callable
        As in `explain`.
    image : array_like
        Any image of the shape and dtype to come; its pixels do not matter.
    *arguments, **keywords
        Further ones of the function; arrays are copied, functions are not. The array for a result is given when there is one.
    kernel : array_like, 2-D
        Copied.
    shape : tuple of int
        Shape of the images.
    dtype : dtype
        Dtype of the images; by default float64.
    mode, boundary, fillvalue, method, workers, channel_axis
        As in `rapidconv.signal.convolve2d`.
    operation : {'convolve2d', 'correlate2d'}

    Returns
    -------
    Prepared
        Call it with an image; the results are those of the function, bit by bit.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        Whatever the call itself would raise.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidconv
    >>> from rapidconv import ndimage
    >>> frames = np.ones((2, 4, 4))
    >>> blur = rapidconv.prepare(ndimage.gaussian_filter, frames[0], 1.5, mode="nearest")
    >>> bool(np.allclose([blur(frame) for frame in frames], 1))
    True
    >>> mean = rapidconv.prepare(np.full((3, 3), 1 / 9), shape=(4, 4), mode="same", boundary="symm")
    >>> mean.dtype, mean.explain().method
    (dtype('float64'), 'direct')
    """
    if arguments and callable(arguments[0]):
        function, others, keywords = _call(arguments, keywords)
        given = _bound(function, others, keywords)
        sample = np.asarray(next(iter(given.values())))
        shape, dtype = sample.shape, sample.dtype
        if isinstance(given.get("out", given.get("output")), np.ndarray):
            msg = "an array for the result, `out` or `output`, is given with the image, when the prepared function is called"
            raise ValueError(msg)
    else:
        shape, dtype = _shape(keywords.pop("shape", None)), _dtype(keywords.pop("dtype", np.float64))
        function, _, keywords = _call((), keywords)
        if not arguments and "kernel" not in keywords:
            msg = "`prepare` needs a `kernel`, or a function and an image"
            raise TypeError(msg)
        kernel = arguments or (keywords.pop("kernel"),)
        given = _bound(function, (None, *kernel), keywords)
    if "in2" in given:
        given["in2"] = np.array(given["in2"])
    given[next(iter(given))] = None
    return Prepared(function, given, shape, dtype.newbyteorder("="))


def _shape(shape: Any) -> tuple[int, ...]:
    """That of the images to come."""
    try:
        lengths = tuple(map(index, shape))
    except TypeError:
        msg = f"`shape` must be the lengths of the axes of the images to come, integers, not {shape!r}"
        raise TypeError(msg) from None
    if min(lengths, default=0) < 0:
        msg = f"`shape` has a negative length: {shape!r}"
        raise ValueError(msg)
    return lengths


def _dtype(dtype: Any) -> np.dtype[Any]:
    """That of the images to come."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        msg = f"`dtype` must be the data type of the images to come: {error}"
        raise TypeError(msg) from None
    return found
