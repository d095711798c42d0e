"""Plans to look at, and plans to keep."""

from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _arguments, _cost, _execute, _plan, _transform
from ._problem import Plan, Problem, Task

__all__ = ["Explanation", "Prepared", "explain", "prepare"]

_OPERATIONS = ("convolve2d", "correlate2d")

#: Bytes of scratch memory that no call without transforms exceeds: tests/memory_use.py holds them to it.
_SCRATCH = 4 * 2**20


@dataclass(frozen=True)
class Explanation:
    """What a call does, and why; ``print`` it.

    Attributes
    ----------
    method : str
        'direct', 'separable' or 'fft'.
    reason : str
    seconds : dict
        Predicted seconds of every method that can serve, on one thread.
    tile : (int, int) or None
        Sides of the tiles of the transforms, in pixels.
    work_dtype : tuple of str
        Types the sums run in, tried in turn tile by tile until one is exact, or precise enough.
    error_bound : str
        How far a result can be off.
    workers : int
        Threads the call is worth, of those it may use.
    memory : int
        Most bytes of scratch memory beyond the result, for each worker.
    """

    method: str
    reason: str
    seconds: dict[str, float]
    tile: tuple[int, int] | None
    work_dtype: tuple[str, ...]
    error_bound: str
    workers: int
    memory: int

    def __str__(self) -> str:
        """The explanation in lines."""
        times = ", ".join(f"{name} {1e3 * t:.3g} ms" for name, t in sorted(self.seconds.items(), key=lambda it: it[1]))
        lines = [
            f"method       {self.method}",
            f"reason       {self.reason}",
            f"predicted    {times}",
            f"tile         {'-' if self.tile is None else f'{self.tile[0]} x {self.tile[1]}'}",
            f"sums in      {', then '.join(self.work_dtype)}",
            f"error        {self.error_bound}",
            f"workers      {self.workers}",
            f"memory       at most {self.memory / 2**20:.1f} MiB of scratch a worker",
        ]
        return "\n".join(lines)


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
) -> Explanation:
    """Tell how a call of `rapidconv.signal` would be done; nothing is computed.

    Parameters
    ----------
    in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis
        As in `rapidconv.signal.convolve2d`.
    operation : {'convolve2d', 'correlate2d'}
        The function to explain.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        Whatever the call itself would raise.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidconv
    >>> image = np.zeros((512, 512), np.float32)
    >>> rapidconv.explain(image, np.ones((3, 3), np.float32), "same", "symm").method
    'direct'
    >>> told = rapidconv.explain(image, np.random.default_rng(0).random((65, 65), np.float32), "same", "symm")
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
    """
    task = _arguments.signal2d(
        _operation(operation), in1, in2, mode, boundary, fillvalue, method, out, workers, channel_axis
    )
    return _told(task, _plan.plans(task))


def _operation(name: Any) -> str:
    if not isinstance(name, str) or name not in _OPERATIONS:
        msg = f"`operation` must be one of {', '.join(map(repr, _OPERATIONS))}, not {name!r}"
        raise ValueError(msg)
    return name


def _told(task: Task, plans: list[Plan]) -> Explanation:
    """A call in words; planes of a picture are all done alike."""
    if not task.problems:
        return Explanation("direct", "the result is empty or zero", {"direct": 0.0}, None, (str(task.dtype),), "exact", 1, 0)
    return _explanation(plans[0], task.problems[0])


def _explanation(plan: Plan, problem: Problem) -> Explanation:
    """A plan in words."""
    tiles = plan.tiles if plan.method == "fft" else None
    exact = problem.dtype.kind in "biu"
    if plan.method == "separable":
        assert plan.products is not None
        types = tuple(str(lane.dtype) for lane in plan.products.lanes)
        sides = sum(problem.kernel.shape) + 4
        eps = np.finfo(problem.dtype).eps if not exact else 0.0
        rank = 1 if plan.products.factors is None else plan.products.factors.rank
        scale = "sum(|kernel| * |image|)" if rank == 1 else "max|kernel| * sum|image|"
        bound = f"at most {(sides if rank == 1 else 4 + 2**rank * sides) * float(eps):.2g} * {scale} under the kernel"
        memory = _SCRATCH
    elif tiles is None:
        types = tuple(str(lane.dtype) for lane in plan.lanes)
        eps = np.finfo(problem.dtype).eps if not exact else 0.0
        bound = f"at most {problem.kernel.size * float(eps):.2g} * sum(|kernel| * |image|) under the kernel"
        memory = _SCRATCH
    else:
        types = tuple(str(np.dtype(char)) for char in tiles.chars)
        factor = _transform.noise(tiles.shape, tiles.chars[0], prod(tiles.planes))
        bound = f"at most {factor:.2g} * norm(kernel) * norm(tile); exact where image and kernel are whole numbers"
        memory = max(_cost.tile_memory(char, tiles.shape, tiles.planes) for char in tiles.chars)
    if exact:
        bound = "exact modulo 2**bits"
    shape = None if tiles is None else tiles.shape
    return Explanation(plan.method, plan.reason, dict(plan.seconds), shape, types, bound, plan.workers, memory)


class Prepared:
    """A kernel made ready for images of one shape and dtype: call it with an image.

    It holds the plan and what the plan makes of the kernel, such as its spectrum. It never changes, so threads can
    share it; pickled, it takes its arguments along and prepares itself again.
    """

    def __init__(self, kernel: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any], options: dict[str, Any]) -> None:
        self._kernel = kernel
        self._options = options
        self._shape = shape
        self._dtype = dtype
        task = self._task(np.empty(shape, dtype), None)
        self._plans = _plan.plans(task)
        self._result_shape, self._result_dtype = task.shape, task.dtype
        self._kept: _execute.Weights | None = None
        self._fixed = len(set(map(id, self._plans))) <= 1 and not self._swaps(task)
        if self._fixed and self._plans:
            self._kept = _execute.Weights(task.problems[0].kernel, self._plans[0])
            self._kept.make_all()
        self._told = _told(task, self._plans)

    def _swaps(self, task: Task) -> bool:
        """Whether the image takes the kernel's place, as in 'valid' with a larger kernel."""
        return any(problem.image is self._kernel for problem in task.problems)

    def _task(self, image: NDArray[Any], out: NDArray[Any] | None) -> Task:
        o = self._options
        return _arguments.signal2d(
            o["operation"], image, self._kernel, o["mode"], o["boundary"], o["fillvalue"], o["method"], out, o["workers"],
            o["channel_axis"],
        )  # fmt: skip

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
        task = self._task(pixels, out)
        plans = self._plans[:1] * len(task.problems) if self._fixed else _plan.plans(task)
        return _execute.run(task, plans, _execute.allocate(task), self._kept)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments, not the plan: it may be read on another machine."""
        return partial(prepare, shape=self._shape, dtype=self._dtype, **self._options), (self._kernel,)

    def __repr__(self) -> str:
        """Name, shapes, method."""
        method = self._plans[0].method if self._plans else "none"
        return f"<rapidconv.Prepared {self._options['operation']} {self._kernel.shape} on {self._shape} {self._dtype}, {method}>"


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
) -> Prepared:
    """Plan a filter once, for a video or a batch of images.

    Parameters
    ----------
    kernel : array_like, 2-D
        Copied.
    shape : tuple of int
        Shape of the images.
    dtype : dtype
        Dtype of the images.
    mode, boundary, fillvalue, method, workers, channel_axis
        As in `rapidconv.signal.convolve2d`.
    operation : {'convolve2d', 'correlate2d'}

    Returns
    -------
    Prepared
        Call it with an image; the results are those of the function, bit by bit.

    Raises
    ------
    ValueError, TypeError
        Whatever the call itself would raise.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidconv
    >>> blur = rapidconv.prepare(np.full((3, 3), 1 / 9), shape=(4, 4), mode="same", boundary="symm")
    >>> frames = np.ones((2, 4, 4))
    >>> bool(np.allclose([blur(frame) for frame in frames], 1))
    True
    """
    weights = np.array(kernel)
    weights.flags.writeable = False
    options = {
        "operation": _operation(operation), "mode": mode, "boundary": boundary, "fillvalue": fillvalue, "method": method,
        "workers": workers, "channel_axis": channel_axis,
    }  # fmt: skip
    return Prepared(weights, tuple(shape), np.dtype(dtype).newbyteorder("="), options)
