"""How an image continues beyond its edges: the one table of rules.

======  =========================  ======================================
rule    row ``a b c d``            names in ``scipy.signal``
======  =========================  ======================================
FILL    ``k k k|a b c d|k k k``    fill, pad  (k is the fill value)
SYMM    ``c b a|a b c d|d c b``    symm, symmetric
WRAP    ``b c d|a b c d|a b c``    wrap, circular
======  =========================  ======================================
"""

from enum import IntEnum

__all__ = ["SIGNAL_NAMES", "Boundary", "index_map"]


class Boundary(IntEnum):
    """The rules, by the numbers the compiled kernels know them by."""

    FILL = 0
    SYMM = 1
    WRAP = 2


#: The names scipy.signal accepts for each rule.
SIGNAL_NAMES = {
    "fill": Boundary.FILL,
    "pad": Boundary.FILL,
    "symm": Boundary.SYMM,
    "symmetric": Boundary.SYMM,
    "wrap": Boundary.WRAP,
    "circular": Boundary.WRAP,
}


def index_map(position: int, length: int, rule: Boundary) -> int | None:
    """Image index that a position on an axis shows; None stands for the fill value.

    Parameters
    ----------
    position : int
        Any position, inside or outside the axis.
    length : int
        Number of pixels on the axis, at least 1.
    rule : Boundary

    Examples
    --------
    >>> row = "abcd"
    >>> for rule in Boundary:
    ...     shown = [index_map(i, 4, rule) for i in range(-3, 7)]
    ...     print(rule.name, "".join("k" if i is None else row[i] for i in shown))
    FILL kkkabcdkkk
    SYMM cbaabcddcb
    WRAP bcdabcdabc
    """
    if 0 <= position < length:
        return position
    if rule is Boundary.FILL:
        return None
    if rule is Boundary.WRAP:
        return position % length
    folded = position % (2 * length)
    return folded if folded < length else 2 * length - 1 - folded
