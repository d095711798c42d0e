"""The way of one call through the house: express lane, or arguments, plan, execution."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments, _execute, _plan, _workers
from ._again import IMAGE, RESULT, keep, kept
from ._native import kernels
from ._problem import Task

__all__ = ["carry_out", "filter2d", "picture"]

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
    """
    bare = out is None and channel_axis is None and (workers is None or (type(workers) is int and workers > 0))
    if bare and type(method) is str and method in _EXPRESS_METHODS:
        chooses = method == "auto"
        answer = _express(name == "convolve2d", in1, in2, mode, boundary, fillvalue, chooses)
        if answer is NotImplemented:
            answer = None
            if _workers.resolve(workers) == 1:
                answer = kernels.express_any(name == "convolve2d", in1, in2, mode, boundary, fillvalue, chooses)
        if answer is not None:
            return answer       # type: ignore[no-any-return]
    task = _arguments.signal2d(name, in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis)
    return carry_out(task)


def picture(asks: Callable[..., Task], image: ArrayLike, out: Any, *arguments: Any) -> NDArray[Any]:
    """Do what a function of `_image_arguments` asks for, if small by the jobs of a call like it."""
    found = kernels.again(kept, asks.__name__, image, out, arguments)
    if type(found) is np.ndarray:
        return found
    if found is not None:
        image = np.asarray(image, order="C")
    task = asks(image, out, *arguments)
    if found is not None:
        ready = _ready(task, image)
        if ready is not None:
            keep(found, ready)
            return ready.run(image, out)    # type: ignore[no-any-return]
    return carry_out(task)


def _ready(task: Task, image: Any) -> Any:
    """The jobs (`kernels.Ready`) of a call; None where there is more to it than some direct sums on one thread."""
    result = np.empty(task.shape, task.dtype)
    jobs = []
    for problem, plan, view in zip(task.problems, _plan.plans(task), task.views(result), strict=True):
        ready = _execute.ready(problem, plan, view)
        if ready is None:
            return None
        jobs += [(*job, IMAGE, RESULT) for job in ready]
    return kernels.Ready(jobs, image, result)


def carry_out(task: Task) -> NDArray[Any]:
    """Plan and do what was asked for."""
    result = _execute.allocate(task)        # before anything that takes time in proportion to the operands
    return _execute.run(task, _plan.plans(task), result)
