"""Which axes of an n-D problem are planes, rows and columns.

Axes along which the kernel has one tap may be moved, and merged where they lie in memory as one: every sum still meets its taps
in C order of the kernel, so its bits are the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._boundary import index_map
from ._problem import Order, Problem

__all__ = [
    "CHANNELS", "ONE_PLANE", "as_planes", "channel", "distances", "first_plane", "in_memory_order", "is_interleaved", "kernel_planes",
    "plane_at", "planes",
]  # fmt: skip

#: Most numbers side by side in memory that are taken for the channels of a pixel; more are taken plane by plane.
CHANNELS = 16

#: `distances` of the planes of a problem that has one.
ONE_PLANE = np.zeros(1, np.int64), np.zeros(1, np.int64)


def is_interleaved(array: NDArray[Any]) -> bool:
    """Whether the last axis is few numbers side by side, which are pixels in rows of such pixels.

    Examples
    --------
    >>> picture = np.zeros((40, 50, 3))
    >>> is_interleaved(picture), is_interleaved(picture[:, ::2]), is_interleaved(picture[..., :2]), is_interleaved(picture[..., 0])
    (True, False, False, False)
    """
    return (
        0 < array.shape[-1] <= CHANNELS
        and array.strides[-1] == array.itemsize
        and array.strides[-2] == array.itemsize * array.shape[-1]
    )


def as_planes(problem: Problem, view: NDArray[Any]) -> tuple[Problem, NDArray[Any]]:
    """A problem and its part of the result, with rows and columns where the kernel's last long axes are.

    Which axes these are depends on shapes only, not on how the image lies in memory.

    Examples
    --------
    A kernel of shape (5, 1, 5) makes the middle axis one of planes:

    >>> from rapidconv._boundary import Boundary
    >>> volume, kernel, fill = np.zeros((7, 8, 9)), np.ones((5, 1, 5)), np.zeros(1)
    >>> problem = Problem(volume, kernel, (7, 8, 9), fill.dtype, Boundary.WRAP, fill, 0, -2, False, False, "auto", (-2,))
    >>> moved, _ = as_planes(problem, np.zeros((7, 8, 9)))
    >>> moved.shape, moved.kernel.shape, moved.outer, moved.top
    ((8, 7, 9), (1, 5, 5), (0,), -2)
    """
    axes = range(problem.kernel.ndim)
    long = [axis for axis in axes if problem.kernel.shape[axis] > 1]
    for axis in reversed(axes):
        if len(long) < 2 and axis not in long:
            long = sorted([*long, axis])
    return _moved(problem, view, (*(axis for axis in axes if axis not in long), *long))


def in_memory_order(problem: Problem, view: NDArray[Any]) -> tuple[Problem, NDArray[Any]]:
    """The same for direct sums of an image where it lies: what are neighbours in memory become neighbours in a row."""
    problem, view = as_planes(problem, view)
    axes, kernel, strides = range(problem.kernel.ndim), problem.kernel, problem.image.strides
    near = min(axes, key=lambda axis: (problem.image.shape[axis] == 1, abs(strides[axis]), -axis))
    if near != axes[-1] and kernel.shape[near] == 1 and problem.order <= Order.SKEW:      # slopes are along the last axis
        if _is_channels(problem, view, near):
            return _of_channels(*_moved(problem, view, (*(axis for axis in axes if axis != near), near)))
        short = [axis for axis in axes if axis != near and kernel.shape[axis] == 1]
        long = [axis for axis in axes if kernel.shape[axis] > 1]
        problem, view = _moved(problem, view, (*short, *long, near))
    return _merged(*_merged(problem, view, -1), -2)


def planes(problem: Problem, view: NDArray[Any]) -> Iterator[tuple[Problem, NDArray[Any]]]:
    """The 2-D problems that a problem whose kernel has one plane consists of, and their parts of the result."""
    problem, view = as_planes(problem, view)
    for place in np.ndindex(*problem.shape[: len(problem.outer)]):
        yield plane_at(problem, view, place)


def plane_at(problem: Problem, view: NDArray[Any], place: tuple[int, ...]) -> tuple[Problem, NDArray[Any]]:
    """The 2-D problem at a place along the outer axes of one in the order of `as_planes`, and its part of the result."""
    image = problem.image
    at = [
        index_map(first + k, length, problem.boundary)
        for first, k, length in zip(problem.outer, place, image.shape, strict=False)
    ]
    shown = np.broadcast_to(problem.fill, image.shape[len(place) :]) if None in at else image[tuple(at)]
    return _one(problem, shown), view[place]


def channel(problem: Problem, c: int) -> Problem:
    """The problem of one channel."""
    several = problem.several
    if several is not None and several.mask is not None:
        several = replace(several, mask=several.mask[..., c])
    return replace(problem, image=problem.image[..., c], several=several)


def distances(problem: Problem, view: NDArray[Any], fill: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bytes from the first plane, and channel, of image and result to each of a problem; `fill` where the image has none.

    Examples
    --------
    >>> from rapidconv._boundary import Boundary
    >>> volume, kernel, fill = np.zeros((2, 8, 9, 3)), np.ones((1, 5, 5)), np.zeros(1)
    >>> problem = Problem(volume, kernel, (2, 8, 9), fill.dtype, Boundary.WRAP, fill, 0, -2, False, False, "auto", (1,))
    >>> distances(problem, np.zeros((2, 8, 9, 3)), -1)
    (array([1728, 1736, 1744,    0,    8,   16]), array([   0,    8,   16, 1728, 1736, 1744]))
    """
    image = problem.image
    if image.ndim == problem.kernel.ndim == 2:
        return ONE_PLANE
    if image.ndim > problem.kernel.ndim:
        channels = np.arange(image.shape[-1])
        sources, places = channels * image.strides[-1], channels * view.strides[-1]
    else:
        sources = places = np.zeros(1, np.int64)
    filled = np.zeros(len(sources), bool)
    for axis, first in reversed(list(enumerate(problem.outer))):
        at = [index_map(first + k, image.shape[axis], problem.boundary) for k in range(problem.shape[axis])]
        steps = np.array([0 if i is None else i * image.strides[axis] for i in at])
        sources = np.add.outer(steps, sources).ravel()
        places = np.add.outer(np.arange(len(at)) * view.strides[axis], places).ravel()
        filled = np.logical_or.outer([i is None for i in at], filled).ravel()
    return np.where(filled, fill, sources), places


def kernel_planes(kernel: tuple[int, ...]) -> int:
    """Planes of a kernel of this shape, when its last two long axes are rows and columns."""
    return prod([taps for taps in kernel if taps > 1][:-2])


def first_plane(problem: Problem) -> Problem:
    """A 2-D problem like all that a problem whose kernel has one plane consists of."""
    if not problem.outer:
        return problem
    problem, _ = as_planes(problem, problem.image)
    return _one(problem, problem.image[(0,) * len(problem.outer)])


def _one(problem: Problem, image: NDArray[Any]) -> Problem:
    """The problem of one plane."""
    outer = len(problem.outer)
    return replace(problem, image=image, kernel=problem.kernel[(0,) * outer], shape=problem.shape[outer:], outer=())


def _firsts(problem: Problem) -> tuple[int, ...]:
    """Image position under the first tap of the first output, along every axis."""
    return (*problem.outer, problem.top, problem.left)


def _transposed(array: NDArray[Any], order: tuple[int, ...]) -> NDArray[Any]:
    """Axes in another order; one of channels stays the last."""
    return array.transpose(*order, *range(len(order), array.ndim))


def _moved(problem: Problem, view: NDArray[Any], order: tuple[int, ...]) -> tuple[Problem, NDArray[Any]]:
    """The problem with its axes in another order."""
    if order == tuple(range(len(order))):
        return problem, view
    firsts = _firsts(problem)
    *outer, top, left = (firsts[axis] for axis in order)
    moved = replace(
        problem,
        image=_transposed(problem.image, order),
        kernel=problem.kernel.transpose(order),
        shape=tuple(problem.shape[axis] for axis in order),
        outer=tuple(outer),
        top=top,
        left=left,
    )
    return moved, _transposed(view, order)


def _is_whole(problem: Problem, axis: int) -> bool:
    """Whether the result has the image's pixels along an axis, each under one tap."""
    return (
        problem.kernel.shape[axis] == 1
        and _firsts(problem)[axis] == 0
        and problem.shape[axis] == problem.image.shape[axis]
    )


def _continues(problem: Problem, view: NDArray[Any], axis: int, inner: int) -> bool:
    """Whether an axis goes on in memory where another one ends, in image and result."""
    return all(a.strides[axis] == a.strides[inner] * a.shape[inner] for a in (problem.image, view))


def _is_channels(problem: Problem, view: NDArray[Any], near: int) -> bool:
    """Whether the columns are pixels of few numbers side by side, which are this axis, in image and result."""
    return (
        problem.image.ndim == problem.kernel.ndim
        and problem.image.shape[near] <= CHANNELS
        and all(a.strides[near] == a.itemsize for a in (problem.image, view))
        and _is_whole(problem, near)
        and _continues(problem, view, problem.kernel.ndim - 1, near)
    )


def _of_channels(problem: Problem, view: NDArray[Any]) -> tuple[Problem, NDArray[Any]]:
    """The problem whose last axis is one of channels."""
    *outer, top = problem.outer
    return replace(
        problem, kernel=problem.kernel[..., 0], shape=problem.shape[:-1], outer=tuple(outer), top=top, left=problem.top
    ), view


def _merged(problem: Problem, view: NDArray[Any], inner: int) -> tuple[Problem, NDArray[Any]]:
    """Outer axes made part of the columns (-1) or rows (-2) where they continue them."""
    inner += problem.kernel.ndim
    for axis in reversed(range(len(problem.outer))):
        if _is_whole(problem, axis) and _is_whole(problem, inner) and _continues(problem, view, axis, inner):
            others = [other for other in range(inner) if other != axis]
            order = (*others, axis, *range(inner, problem.kernel.ndim))
            problem, view = _moved(problem, view, order)
            inner -= 1
            firsts = _firsts(problem)
            *outer, top, left = firsts[:inner] + firsts[inner + 1 :]
            problem = replace(
                problem,
                image=_joined(problem.image, inner),
                kernel=problem.kernel.squeeze(inner),
                shape=(*problem.shape[:inner], problem.shape[inner] * problem.shape[inner + 1], *problem.shape[inner + 2 :]),
                outer=tuple(outer),
                top=top,
                left=left,
            )
            view = _joined(view, inner)
    return problem, view


def _joined(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """An axis and the next one, which it continues, as one: a view."""
    shape = array.shape
    return array.reshape(*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
