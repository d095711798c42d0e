"""Small calls made before: the jobs that did them, by all that they follow from."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._native import kernels

__all__ = ["ADD_TO", "BETWEEN", "IMAGE", "NOTHING", "RESULT", "SMALL", "TAKE_FROM", "carry_out", "is_new", "keep", "kept"]

#: Numbers of the largest image: READY_NUMBERS of `_native/ready.pxi`.
SMALL = 2**18
#: Whose memory a job reads, or writes: Place there.
IMAGE, BETWEEN, RESULT = range(3)
#: What becomes of what a job writes between: Then there.
NOTHING, ADD_TO, TAKE_FROM = range(3)

#: Jobs (`kernels.Ready`) of at most so many calls, by the keys of `kernels.again`. Threads may each make the same; they never change.
kept: dict[object, Any] = {}
_seen: dict[object, Any] = {}       # heads of their keys
_MOST = 128


def carry_out(
    do: Callable[[Any, Any, Any], tuple[NDArray[Any], Any]], asks: Callable[..., Any], image: ArrayLike, output: Any, *arguments: Any
) -> NDArray[Any]:
    """Do what a function asks for: by the jobs of a call like it, or else as `do` does it, whose jobs are kept.

    Parameters
    ----------
    do : function of what is asked for, of output, and of what `kernels.again` says of keeping it
        It returns the result, and jobs to keep or None.
    asks : function of image, output and arguments
    """
    found = kernels.again(kept, asks.__name__, image, output, arguments)
    if type(found) is np.ndarray:
        return found
    if found is not None:
        image = found[0]
    result, ready = do(asks(image, output, *arguments), output, found)
    if ready is not None and found is not None:
        keep(found, ready)
    return result


def keep(found: Any, ready: Any) -> None:
    """Keep jobs by what `kernels.again` says."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[found[2] if ready.is_general else found[2:]] = ready


def is_new(found: Any) -> bool:
    """Whether no call like this one was made lately: jobs of several passes take longer to make than to do."""
    if len(_seen) >= _MOST:
        _seen.clear()
    return _seen.setdefault(found[2], found) is found
