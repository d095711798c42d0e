"""Calls made before: the jobs that did small ones, and what did long ones, by all that they follow from."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _workers
from ._native import kernels

__all__ = [
    "ADD_TO", "BETWEEN", "IMAGE", "NOTHING", "RESULT", "SMALL", "TAKE_FROM", "carry_out", "is_new", "is_often", "keep", "keep_long", "kept",
    "long", "run_long",
]  # fmt: skip

#: Numbers of the largest image: READY_NUMBERS of `_native/ready.pxi`.
SMALL = 2**18
#: Whose memory a job reads, or writes: Place there.
IMAGE, BETWEEN, RESULT = range(3)
#: What becomes of what a job writes between: Then there.
NOTHING, ADD_TO, TAKE_FROM = range(3)

#: Jobs (`kernels.Ready`) of at most so many calls, by the keys of `kernels.again`. Threads may each make the same; they never change.
kept: dict[object, Any] = {}
_seen: dict[object, None] = {}      # what was met lately: heads of their keys; long calls, marks of their kernels
_MOST = 128

#: Long calls (`kernels.Call`) and what did them (`_execute.Again`), the last one first; they never change.
long: tuple[Any, ...] = ()
_MOST_LONG = 16


#: Whether calls like one are made often, by what `kernels.looks` needs (`is_often`).
Often = Callable[[tuple[Any, ...] | None], bool]


def carry_out(
    do: Callable[[Any, Any, Any, Any, Often], tuple[NDArray[Any], Any]], is_kept: Callable[[Any], bool], asks: Callable[..., Any],
    image: ArrayLike, output: Any, *arguments: Any,
) -> NDArray[Any]:  # fmt: skip
    """Do what a function asks for: by what did a call like it, or else as `do` does it, which is kept.

    Parameters
    ----------
    do : function of what is asked for, image and output, what `kernels.again` says of keeping it, which may be None, and `is_often`
        It returns the result, and jobs to keep, or what did a long call, or None.
    is_kept : whether a plan of a long call is
    asks : function of image, output and arguments
    """
    found = kernels.again(kept, asks.__name__, image, output, arguments)
    if type(found) is np.ndarray:
        return found
    if found is not None:
        image = found[0]        # plain
    weights = arguments[0] if type(arguments[0]) is np.ndarray else None
    into = output.dtype.char if type(output) is np.ndarray else output
    call = asks.__name__, into, _workers.resolve(None), *arguments[weights is not None :]
    result = run_long(call, image, weights, output)
    if result is not None:
        return result
    result, does = do(asks(image, output, *arguments), image, output, found, partial(is_often, call, image, weights))
    if not isinstance(does, kernels.Ready):
        keep_long(call, image, weights, does, is_kept)
    elif found is not None:
        keep(found, does)
    return result


def run_long(call: tuple[Any, ...], image: Any, kernel: Any, out: Any) -> NDArray[Any] | None:
    """The result of a long call, by what did it before, or did one like it but for its kernel; None where there is nothing like that."""
    does, look = kernels.find(long, call, image, kernel), None
    if does is None:
        does, look = kernels.find_alike(long, call, image, kernel)
    if does is None or not _takes(does, image, out) or (look is not None and _comes_again(look.mark)):
        return None
    return does.run(image, out, look)       # type: ignore[no-any-return]


def _comes_again(mark: float) -> bool:
    """Whether a kernel of this mark is met for the second time: its call is to be kept."""
    return not is_new(mark) and is_new((mark,))


def is_often(call: tuple[Any, ...], image: Any, kernel: Any, query: tuple[Any, ...] | None) -> bool:
    """Whether a long call like this but for its kernel was made lately, and a look can tell whether a kernel has the plan of this one.

    query : as `kernels.looks` takes it, or None
    """
    if query is None or kernel is None or not kernels.is_plain_call(call, image, kernel):
        return False
    frame = call, image.dtype.char, image.shape, image.strides, kernel.dtype.char, kernel.shape
    return not is_new(frame) and bool(kernels.looks(kernel, query))


def _takes(does: Any, image: Any, out: Any) -> bool:
    """Whether what did a long call can do one into an array, which is as good as a new one, or None; others are for its first way."""
    return out is None or bool(
        type(out) is np.ndarray and out.shape == does.shape and out.dtype == does.dtype and out.flags.carray
        and not np.may_share_memory(out, image)
    )  # fmt: skip


def keep_long(call: tuple[Any, ...], image: Any, kernel: Any, does: Any, is_kept: Callable[[Any], bool]) -> None:
    """Keep what did a long call, if its plan is kept, and those made before whose plans still are."""
    global long
    if does is not None and is_kept(does.plan) and kernels.is_plain_call(call, image, kernel):
        held = [each for each in long if is_kept(each.does.plan)]
        long = (kernels.Call(call, image, kernel, does, does.query), *held[: _MOST_LONG - 1])


def keep(found: Any, ready: Any) -> None:
    """Keep jobs by what `kernels.again` says."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[found[2] if ready.is_general else found[2:]] = ready


def is_new(key: object) -> bool:
    """Whether what has this key was not met lately."""
    if key in _seen:
        return False
    if len(_seen) >= _MOST:
        _seen.clear()
    _seen[key] = None
    return True
