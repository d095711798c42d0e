"""2-D convolution and correlation of NumPy arrays at the speed of the hardware, with SciPy's signatures and results."""

from . import signal
from ._config import __version__, show_config
from .planning import explain, prepare
from .signal import convolve2d, correlate2d

__all__ = ["__version__", "convolve2d", "correlate2d", "explain", "prepare", "show_config", "signal"]
