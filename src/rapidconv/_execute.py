"""From a plan to the result: memory for it, weights in every lane, and the walk over tiles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._native import kernels
from ._problem import Plan, Problem, Task
from ._workers import share

__all__ = ["allocate", "run"]


def allocate(task: Task) -> NDArray[Any]:
    """Memory the kernels can write: ``task.out``, or a new array."""
    return np.empty(task.shape, task.dtype) if task.out is None or task.copies else task.out


def run(task: Task, plans: list[Plan], result: NDArray[Any]) -> NDArray[Any]:
    """Carry out a call into `result`; what the caller is given, which is ``task.out`` where there is one."""
    if not task.problems:
        result[...] = 0
    workers = plans[0].workers if plans else 1
    taken = np.zeros((len(plans), workers), np.intp)        # rows of each plane, by the worker whose region they lie in

    def work(worker: int) -> None:
        for channel, (problem, plan) in enumerate(zip(task.problems, plans, strict=True)):
            if workers == 1 or taken[channel].sum() < problem.shape[0]:
                _direct(problem, plan, _plane(task, result, channel), taken[channel], worker)

    share(work, workers)
    for channel, problem in enumerate(task.problems):
        if problem.conjugate:
            _conjugate(_plane(task, result, channel))
    if task.out is None:
        return result
    if task.copies:
        np.copyto(task.out, result)
    return task.out


def _plane(task: Task, result: NDArray[Any], channel: int) -> NDArray[Any]:
    """The part of a result that one problem fills."""
    return result if task.channel_axis is None else result[(slice(None),) * task.channel_axis + (channel,)]


def _conjugate(result: NDArray[Any]) -> None:
    np.conjugate(result, out=result)
    result += 0     # sums start at +0: no -0 comes out


def _direct(problem: Problem, plan: Plan, result: NDArray[Any], taken: NDArray[np.intp], worker: int) -> None:
    """Sum tap by tap the rows that no other worker has taken."""
    lanes = [(*_weights(problem.kernel, lane.dtype), lane.limit) for lane in plan.lanes]
    kernels.correlate(
        problem.image,
        lanes,
        problem.kernel.shape,
        problem.fill,
        int(problem.boundary),
        problem.top,
        problem.left,
        problem.image.dtype.kind != "c" and problem.fill[0].imag != 0,    # real pixels, complex ones around them
        result[::-1, ::-1] if problem.reverse else result,
        taken,
        worker,
        kernels.turn_rows(problem.shape[0]),
    )


def _weights(kernel: NDArray[Any], dtype: np.dtype[np.generic]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel in a lane's type, transposed: the layout the micro-kernels read."""
    if kernel.dtype.kind != "c":
        return np.array(kernel.T, dtype, order="C"), None
    return np.array(kernel.real.T, dtype, order="C"), np.array(kernel.imag.T, dtype, order="C")
