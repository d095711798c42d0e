"""Small calls made before: the jobs that did them, by all that they follow from."""

from typing import Any

__all__ = ["keep", "kept"]

#: Jobs (`kernels.Ready`) of at most so many calls, by the keys of `kernels.again`. Threads may each make the same; they never change.
kept: dict[bytes, Any] = {}
_MOST = 128


def keep(key: bytes, ready: Any) -> None:
    """Keep the jobs of a call."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = ready
