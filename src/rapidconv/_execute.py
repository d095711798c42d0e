"""From a plan to the result: memory for it, weights in every lane, and the walk over tiles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._native import kernels
from ._problem import Plan, Problem, Task

__all__ = ["allocate", "run"]


def allocate(task: Task) -> NDArray[Any]:
    """Memory the kernels can write: ``task.out``, or a new array."""
    return np.empty(task.shape, task.dtype) if task.out is None or task.copies else task.out


def run(task: Task, plans: list[Plan], result: NDArray[Any]) -> NDArray[Any]:
    """Carry out a call into `result`; what the caller is given, which is ``task.out`` where there is one."""
    if not task.problems:
        result[...] = 0
    for channel, (problem, plan) in enumerate(zip(task.problems, plans, strict=True)):
        at = (slice(None),) * (task.channel_axis or 0) + ((channel,) if task.channel_axis is not None else ())
        _direct(problem, plan, result[at] if at else result)
    if task.out is None:
        return result
    if task.copies:
        np.copyto(task.out, result)
    return task.out


def _direct(problem: Problem, plan: Plan, result: NDArray[Any]) -> None:
    """Sum tap by tap, all bands on the calling thread."""
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
        0,
        kernels.bands(problem.shape[0]),
    )
    if problem.conjugate:
        np.conjugate(result, out=result)
        result += 0     # sums start at +0: no -0 comes out


def _weights(kernel: NDArray[Any], dtype: np.dtype[np.generic]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Real and imaginary part of a kernel in a lane's type, transposed: the layout the micro-kernels read."""
    if kernel.dtype.kind != "c":
        return np.array(kernel.T, dtype, order="C"), None
    return np.array(kernel.real.T, dtype, order="C"), np.array(kernel.imag.T, dtype, order="C")
