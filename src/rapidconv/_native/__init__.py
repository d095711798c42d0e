"""Compiled kernels: one module per target, of which one is loaded here, once, at import.

Attributes
----------
kernels : module
    The target in use.
compiled, supported : tuple of str
    Targets built into this installation, and those among them that this machine runs, best first.
in_use : str
    Name of the target in use.
"""

import importlib
import importlib.util
import os
from types import ModuleType

from .cpu import x86_level

#: Every target there is, best first, with the x86-64 level it needs (0: none).
_LEVELS = {"x86_v4": 4, "x86_v3": 3, "x86_v2": 2, "neon": 0, "portable": 0}

VARIABLE = "RAPIDCONV_TARGET"


def _choose(wanted: str) -> str:
    """Name of the target to load: the best supported one, or the one wanted."""
    if wanted in ("", "auto"):
        return supported[0]
    if wanted not in _LEVELS:
        msg = f"{VARIABLE}={wanted!r} is not a target; the targets are {', '.join(_LEVELS)}, or 'auto'"
        raise ImportError(msg)
    if wanted not in compiled:
        msg = f"{VARIABLE}={wanted!r} is not compiled into this installation; compiled: {', '.join(compiled)}"
        raise ImportError(msg)
    if wanted not in supported:
        msg = f"{VARIABLE}={wanted!r} is not supported by this machine; supported: {', '.join(supported)}"
        raise ImportError(msg)
    return wanted


compiled = tuple(name for name in _LEVELS if importlib.util.find_spec(f"{__name__}.{name}") is not None)
supported = tuple(name for name in compiled if _LEVELS[name] <= x86_level())
in_use = _choose(os.environ.get(VARIABLE, ""))
kernels: ModuleType = importlib.import_module(f"{__name__}.{in_use}")
