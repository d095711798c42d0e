"""Which x86-64 levels this machine and its operating system run."""

cdef extern from "cpu.h":
    int rc_x86_level()


def x86_level():
    """Highest x86-64 level (1 to 4) that the CPU has and the operating system enables; 0 on other machines."""
    return rc_x86_level()
