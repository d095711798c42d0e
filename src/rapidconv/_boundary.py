"""How an image continues beyond its edges: the one table of rules.

=======  =========================  =========================================================================
rule     row ``a b c d``            names: scipy.signal; scipy.ndimage; NumPy (np.pad) and scikit-image; OpenCV
=======  =========================  =========================================================================
FILL     ``k k k|a b c d|k k k``    fill, pad; constant, grid-constant; constant; constant  (k is the fill value)
SYMM     ``c b a|a b c d|d c b``    symm, symmetric; reflect, grid-mirror; symmetric; reflect
WRAP     ``b c d|a b c d|a b c``    wrap, circular; wrap, grid-wrap; wrap; wrap
NEAREST  ``a a a|a b c d|d d d``    -; nearest; edge; replicate
MIRROR   ``d c b|a b c d|c b a``    -; mirror; reflect; reflect101, reflect_101, default
=======  =========================  =========================================================================

'reflect' is the one name that means two things: SYMM in scipy.ndimage, scikit-image's filters and OpenCV, MIRROR in
``np.pad``. Each face has a table of its own.
"""

from enum import IntEnum

__all__ = ["IMAGE_NAMES", "NDIMAGE_NAMES", "SIGNAL_NAMES", "Boundary", "index_map"]


class Boundary(IntEnum):
    """The rules, by the numbers the compiled kernels know them by."""

    FILL = 0
    SYMM = 1
    WRAP = 2
    NEAREST = 3
    MIRROR = 4


#: The names scipy.signal accepts for each rule.
SIGNAL_NAMES = {
    "fill": Boundary.FILL,
    "pad": Boundary.FILL,
    "symm": Boundary.SYMM,
    "symmetric": Boundary.SYMM,
    "wrap": Boundary.WRAP,
    "circular": Boundary.WRAP,
}

#: Those of scipy.ndimage; for filters the two forms of a name are the same.
NDIMAGE_NAMES = {
    "reflect": Boundary.SYMM,
    "grid-mirror": Boundary.SYMM,
    "mirror": Boundary.MIRROR,
    "nearest": Boundary.NEAREST,
    "constant": Boundary.FILL,
    "grid-constant": Boundary.FILL,
    "wrap": Boundary.WRAP,
    "grid-wrap": Boundary.WRAP,
}

#: Those of `rapidconv.image`: every name above and OpenCV's and NumPy's; 'reflect' repeats the edge pixel, as in OpenCV,
#: scipy.ndimage and scikit-image.
IMAGE_NAMES = SIGNAL_NAMES | NDIMAGE_NAMES | {
    "replicate": Boundary.NEAREST,
    "edge": Boundary.NEAREST,
    "reflect101": Boundary.MIRROR,
    "reflect_101": Boundary.MIRROR,
    "default": Boundary.MIRROR,
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
    NEAREST aaaabcdddd
    MIRROR dcbabcdcba
    """
    if 0 <= position < length:
        return position
    if rule is Boundary.FILL:
        return None
    if rule is Boundary.NEAREST:
        return 0 if position < 0 else length - 1
    if rule is Boundary.WRAP:
        return position % length
    if rule is Boundary.MIRROR:
        folded = position % max(1, 2 * length - 2)
        return folded if folded < length else 2 * length - 2 - folded
    folded = position % (2 * length)
    return folded if folded < length else 2 * length - 1 - folded
