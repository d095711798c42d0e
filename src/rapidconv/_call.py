"""The way of one call through the house: express lane, or arguments, plan, execution."""

from functools import partial
from typing import Any

from numpy.typing import ArrayLike, NDArray

from . import _again, _arguments, _execute, _plan, _workers
from ._native import kernels
from ._problem import Plan, Task

__all__ = ["filter2d", "picture"]

_express = kernels.express
_EXPRESS_METHODS = ("auto", "direct")
kernels.set_short(2 * _workers.GRAIN)       # a second worker gains on longer calls


def filter2d(
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
) -> NDArray[Any]:
    """Convolve or correlate, as the face `name` of `rapidconv.signal` says.

    Plain calls are answered by the express lane of the compiled kernels, which declines (None) whatever it
    does not know; it runs the same kernels and gives the same bits. It works on the calling thread; it says
    NotImplemented to work that more threads gain on, and leaves to the planner what another method may do faster.
    What it leaves is done as it was done before, if it was.
    """
    plain = workers is None or (type(workers) is int and workers > 0)
    if plain and channel_axis is None and type(method) is str and method in _EXPRESS_METHODS:
        chooses = method == "auto"
        answer = _express(name == "convolve2d", in1, in2, mode, boundary, fillvalue, out, chooses)
        if answer is NotImplemented:
            answer = None
            if _workers.resolve(workers) == 1:
                answer = kernels.express_any(name == "convolve2d", in1, in2, mode, boundary, fillvalue, out, chooses)
        if answer is not None:
            return answer       # type: ignore[no-any-return]
    call = name, mode, boundary, fillvalue, method, channel_axis, _workers.resolve(workers) if plain else None
    done = _again.run_long(call, in1, in2, out) if plain else None
    if done is not None:
        return done
    task = _arguments.signal2d(name, in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis)
    result = _execute.allocate(task)        # before anything that takes time in proportion to the operands
    plans = _plan.plans(task)
    if plain:
        _again.keep_long(call, in1, in2, _ready(task, plans, in1, result, partial(_again.is_often, call, in1, in2)), _plan.is_kept)
    return _execute.run(task, plans, result)


def _ready(task: Task, plans: list[Plan], image: Any, result: NDArray[Any], is_often: _again.Often) -> Any:
    """What does a long call again, or None."""
    query = _plan.query(task, plans)
    return _execute.again(task, plans, image, result, query, often=is_often(query))


def _do(task: Task, image: Any, _: Any, found: Any, is_often: _again.Often) -> tuple[NDArray[Any], Any]:
    """The result, and the jobs that did it, where the call is small and they are to be kept, or what did a long one, or None."""
    result = _execute.allocate(task)
    plans, ready = _plan.plans(task), None
    if found is not None:
        steps = (
            (problem, plan, view, _again.IMAGE, _again.RESULT, _again.NOTHING, None)
            for problem, plan, view in zip(task.problems, plans, task.views(result), strict=True)
        )
        # Of several problems some have taps of their own, as alpha that is passed through: no other weights take their place.
        ready = _execute.ready(steps, image, result, 0, found[1], _again.SMALL if len(task.problems) == 1 else 0)
    if ready is not None and not task.copies:
        return ready.run(image, result, None, False), ready
    return _execute.run(task, plans, result), ready or _ready(task, plans, image, result, is_often)


#: ``picture(asks, image, out, *arguments)`` does what `asks`, a function of `_image_arguments`, asks for; by what did a call like it, if
#: there was one.
picture = partial(_again.carry_out, _do, _plan.is_kept)
