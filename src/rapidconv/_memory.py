"""Memory of results: how much of what is dropped is kept for the next."""

import os

from ._native.memory import empty, keep, release

__all__ = ["VARIABLE", "empty", "most_mib", "release_memory"]

VARIABLE = "RAPIDCONV_KEEP_MIB"
_DEFAULT = 128      # MiB: a colour picture of 2 megapixels in complex128 is 96


def _limit(text: str) -> int:
    """MiB to keep, by the environment."""
    if text == "":
        return _DEFAULT
    if text.isascii() and text.isdigit() and int(text) < 2**40:
        return int(text)
    msg = f"{VARIABLE}={text!r} is not a number of MiB; accepted: a whole number, 0 to keep no memory"
    raise ImportError(msg)


#: MiB of dropped results that are kept at most.
most_mib = _limit(os.environ.get(VARIABLE, ""))
keep(most_mib << 20)


def release_memory() -> None:
    """Give the memory of dropped results back to the system.

    Touching new memory takes longer than most filters, so the memory of large results that were dropped is kept for the
    next results, up to 128 MiB, or as many as the environment variable ``RAPIDCONV_KEEP_MIB`` says when rapidconv is
    imported (0: none).  Arrays that are in use are not touched.

    See Also
    --------
    show_config

    Examples
    --------
    >>> import numpy as np
    >>> import rapidconv
    >>> for frame in np.ones((3, 500, 500)):
    ...     smooth = rapidconv.convolve2d(frame, np.ones((3, 3)), mode="same")    # the third in the memory of the first
    >>> rapidconv.release_memory()
    """
    release()
