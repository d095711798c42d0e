"""Tables of the tile transforms: lengths, radices, twiddle factors, and how far their results can be off."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._native import kernels

__all__ = ["LENGTHS", "Transform", "noise", "radices", "spectrum", "transform"]

#: Sides of a tile: 2^a 3^b, multiples of 16 so that they are whole vectors on every target.
LENGTHS = (32, 48, 64, 96, 128, 144, 192, 256, 288, 384, 432, 512, 576)

#: (length, radices, table) as the kernels take it.
Transform = tuple[int, tuple[int, ...], NDArray[Any]]

#: Bits of the whole numbers that stand for cosines and sines while these are made, and pi in as many.
_BITS = 112
_PI = 314159265358979323846264338327950288 * 2**_BITS // 10**35

#: Units of round-off that a butterfly of a radix, and a twiddle factor, can add: see docs/accuracy.md.
_BUTTERFLY = {3: 5.0, 4: 2.0, 8: 6.2, 12: 7.0}
_TWIDDLE = 3.24
_PRODUCT = 2.42
_SPECTRUM = 2.0
_SUM = 2.0


@cache
def radices(n: int) -> tuple[int, ...]:
    """Radices of the passes of a length 2^a 3^b, few and large.

    Examples
    --------
    >>> radices(144), radices(128), radices(288)
    ((12, 12), (8, 4, 4), (12, 3, 8))
    """
    threes, twos = 0, 0
    while n % 3 == 0:
        n //= 3
        threes += 1
    while n % 2 == 0:
        n //= 2
        twos += 1
    assert n == 1
    twelves = next(t for t in range(min(threes, twos // 2), -1, -1) if twos - 2 * t != 1)
    twos -= 2 * twelves
    eights = 0
    while twos > 4:
        eights += 1
        twos -= 3
    return (12,) * twelves + (3,) * (threes - twelves) + (8,) * eights + {0: (), 2: (4,), 3: (8,), 4: (4, 4)}[twos]


@lru_cache(maxsize=64)
def transform(n: int, char: str) -> Transform:
    """Radices and table of a length, in float32 ('f') or float64 ('d'); the table is not to be written to.

    The table holds 1/2, sqrt(1/2), sqrt(3)/2 and then, for each pass of radix r over blocks of L points, the cosine
    and sine of -2 pi k q / L for k < L/r and 0 < q < r.
    """
    circle = _circle(n)
    numbers = [np.array([0.5, 0.5**0.5, 0.75**0.5])]
    length = n
    for r in radices(n):
        turns = np.outer(np.arange(length // r), np.arange(1, r)) * (n // length) % n
        numbers.append(circle[turns].ravel())
        length //= r
    table = np.concatenate(numbers).astype(char)
    table.flags.writeable = False
    return n, radices(n), table


@lru_cache(maxsize=16)
def _circle(n: int) -> NDArray[np.float64]:
    """Cosine and sine of -2 pi k / n for k < n, rounded once: products of whole numbers, so that they are the same on every machine.

    The first angle's are sums of Taylor's series, those of the first eighth follow by turning, the others by mirroring.
    """
    one, angle = 1 << _BITS, 2 * _PI // n
    sums, term, order = [0, 0, 0, 0], one, 0        # of every fourth term
    while term:
        sums[order % 4] += term
        order += 1
        term = (term * angle >> _BITS) // order
    cosine, sine = sums[0] - sums[2], sums[1] - sums[3]
    points, x, y = [], one, 0
    for _ in range(n // 8 + 1):
        points.append((x / one, y / one))
        x, y = x * cosine - y * sine >> _BITS, x * sine + y * cosine >> _BITS
    eighth = np.array(points)
    quarter = np.concatenate([eighth, eighth[-2:0:-1, ::-1]]).view("D")[:, 0].conj()
    return np.concatenate([quarter, -1j * quarter, -quarter, 1j * quarter]).view("d").reshape(n, 2)


@lru_cache(maxsize=64)
def noise(shape: tuple[int, int], char: str, planes: int = 1) -> float:
    """Largest error of an output over ``norm(tile) * norm(kernel)``, both 2-norms; derived in docs/accuracy.md.

    Of a kernel of several planes, the norms are those of all its planes, and of the tiles of all planes under it.
    """
    units = 0.0
    for n in shape:
        passes = radices(n)
        units += sum(_BUTTERFLY[r] for r in passes) + _TWIDDLE * (len(passes) - 1)
    return 1.02 * (3 * units + _PRODUCT + _SPECTRUM + _SUM * (planes - 1)) * float(np.finfo(char).eps) / 2


def spectrum(kernel: NDArray[Any], shape: tuple[int, int], char: str, exponents: tuple[int, ...]) -> NDArray[Any]:
    """Spectrum of a kernel times 2^-exponent in the tiles' order, for correlation, divided by the tile's size.

    Of a kernel of more than two axes, those of its planes, one after the other; of several kernels, each with its exponent.
    """
    planes = np.array(kernel.reshape(-1, *kernel.shape[-2:]), "D" if kernel.dtype.kind == "c" else "d", order="C")
    found: NDArray[Any] = kernels.kernel_spectra(planes, exponents, *(transform(n, char) for n in shape))
    return found
