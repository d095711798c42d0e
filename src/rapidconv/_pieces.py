"""Whole numbers too large for one exact transform, cut into pieces that are not.

    x = x0 + 2^16 x1 + ...    h = h0 + 2^b h1 + ...    sum(x h) = sum over p, q of 2^(16 p + b q) sum(xp hq)

The last piece of a number has its sign, the others are not negative. Pairs of pieces that only reach bits the result has
not are left out. The pieces of an image are views of it, so that nothing of its size is made.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "SIZE", "WIDTH", "cut_fill", "cut_image", "cut_kernel", "pairs", "piece_bits"]

#: Bytes, and bits, of a piece of an image.
SIZE = 2
WIDTH = 8 * SIZE

#: Pieces of a kernel at most.
MOST = 5


def cut_image(image: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    """Views of the pieces of integers, the lowest first; narrow integers are one piece.

    Examples
    --------
    >>> low, high = cut_image(np.array([[-2, 65537]], "int32"))
    >>> low, high
    (array([[65534,     1]], dtype=uint16), array([[-1,  1]], dtype=int16))
    """
    count = max(1, image.itemsize // SIZE)
    if count == 1:
        return [image]
    little = image.dtype.newbyteorder("<") == image.dtype
    order, found = "<" if little else ">", []
    for p in range(count):
        kind = image.dtype.kind if p == count - 1 else "u"
        offset = SIZE * (p if little else count - 1 - p)
        field = {"names": ["piece"], "formats": [f"{order}{kind}{SIZE}"], "offsets": [offset], "itemsize": image.itemsize}
        found.append(image.view(np.dtype(field))["piece"])      # type: ignore[call-overload]
    return found


def cut_fill(fill: int, count: int) -> list[int]:
    """The pieces of a fill value; the last may be longer than those of the image.

    Examples
    --------
    >>> cut_fill(-2, 2), cut_fill(2**40, 2)
    ([65534, -1], [0, 16777216])
    """
    return [*(fill >> WIDTH * p & (1 << WIDTH) - 1 for p in range(count - 1)), fill >> WIDTH * (count - 1)]


def cut_kernel(kernel: NDArray[np.integer], bits: int) -> list[NDArray[np.integer]]:
    """Pieces of so many bits of the numbers of a kernel, the lowest first; the last is as long as it takes.

    Examples
    --------
    >>> cut_kernel(np.array([[-1, 300]], "int64"), 8)
    [array([[255,  44]]), array([[-1,  1]])]
    """
    found, rest = [], kernel.astype(np.uint64 if kernel.dtype.kind == "u" else np.int64)
    while rest.max() >= 1 << bits or rest.min() < -(1 << bits):
        found.append(rest & ((1 << bits) - 1))
        rest = rest >> bits
    return [*found, rest]


def pairs(image: int, kernel: int, bits: int, wanted: int) -> list[tuple[int, int, int]]:
    """(piece of the image, piece of the kernel, shift) of the products that reach the wanted bits of a result.

    Examples
    --------
    >>> pairs(2, 2, 16, 32)
    [(0, 0, 0), (0, 1, 16), (1, 0, 16)]
    """
    every = [(p, q, WIDTH * p + bits * q) for p in range(image) for q in range(kernel)]
    return [pair for pair in every if pair[2] < wanted]


def piece_bits(kernel: NDArray[np.integer], most: float) -> int:
    """Most bits of pieces of a kernel whose 2-norms are at most so large; 0 where it would take too many pieces."""
    top = max(int(kernel.max()), -int(kernel.min()) - 1).bit_length() + 1
    for count in range(1, MOST + 1):
        bits = -(-top // count)
        if all(float(np.sqrt(np.sum(piece.astype("d") ** 2))) <= most for piece in cut_kernel(kernel, bits)):
            return bits
    return 0
