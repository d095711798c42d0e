"""Small calls made before: the jobs that did them, by all that they follow from."""

from typing import Any

__all__ = ["BETWEEN", "IMAGE", "RESULT", "SMALL", "keep", "kept"]

#: Numbers of the largest image: READY_NUMBERS of `_native/ready.pxi`.
SMALL = 2**16
#: Whose memory a job reads, or writes: Place there.
IMAGE, BETWEEN, RESULT = range(3)

#: Jobs (`kernels.Ready`) of at most so many calls, by the keys of `kernels.again`. Threads may each make the same; they never change.
kept: dict[bytes, Any] = {}
_MOST = 128


def keep(key: bytes, ready: Any) -> None:
    """Keep the jobs of a call."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = ready
