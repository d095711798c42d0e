"""Convolution and correlation of NumPy arrays at the speed of the hardware, with SciPy's signatures and results."""

from . import image, ndimage, signal
from ._config import __version__, show_config
from ._memory import release_memory
from ._workers import get_workers, set_workers
from .planning import explain, prepare
from .signal import convolve2d, correlate2d

__all__ = [
    "__version__",
    "convolve2d",
    "correlate2d",
    "explain",
    "get_workers",
    "image",
    "ndimage",
    "prepare",
    "release_memory",
    "set_workers",
    "show_config",
    "signal",
]
