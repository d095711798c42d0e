"""A pytest plugin: scipy.signal and scipy.ndimage have rapidconv's functions, and the report ends with how often they were called."""

import functools

import scipy.ndimage
import scipy.signal
from scipy._lib import _array_api

from rapidconv import ndimage, signal

CALLS: list[str] = []


def counted(function):
    @functools.wraps(function)
    def call(*arguments, **keywords):
        CALLS.append(function.__name__)
        return function(*arguments, **keywords)

    return call


#: What each function can do, by which SciPy's tests are chosen.
ABILITIES = getattr(_array_api, "xp_capabilities_table", {})
for theirs, ours in ((scipy.signal, signal), (scipy.ndimage, ndimage)):
    for name in ours.__all__:
        function, replaced = counted(getattr(ours, name)), getattr(theirs, name)
        setattr(theirs, name, function)
        if replaced in ABILITIES:
            ABILITIES[function] = ABILITIES[replaced]


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"{len(CALLS)} calls of {len(set(CALLS))} functions")
