"""What each road would take: seconds on one thread, from a few constants per target.

The constants are in nanoseconds, measured on 2026-11-21 on one core of a Sapphire Rapids Xeon at 2.6 to 3.5 GHz;
``python -m tools.fit_cost`` measures them again for every target this machine supports and prints this table.
"""

from dataclasses import dataclass
from math import log2

__all__ = ["TABLE", "Cost", "box", "direct", "fft", "separable", "tile_memory"]


@dataclass(slots=True, frozen=True, eq=False)
class Cost:
    """Constants of one target.

    Attributes
    ----------
    tap : dict
        Lane (NumPy type character) to nanoseconds of one multiply-add of direct summation.
    put : dict
        Lane to nanoseconds of one output, whatever the kernel.
    call : float
        Nanoseconds of one call through Python.
    tile_call : float
        Nanoseconds a call by transforms takes on top: spectrum, scratch memory.
    walk, walk_tap : dict
        Lane to nanoseconds of one output of a separable kernel: whatever its sides, and for each row and column.
    double, double_step : dict
        Lane to nanoseconds of one output of a box: whatever its sides, and for each doubling.
    point : dict
        Lane to nanoseconds of one point of a tile and one doubling of its size, there and back.
    spill : float
        How many times slower a tile of `spill_bytes` and more is, by the second-level cache it leaves.
    load : dict
        Lane to nanoseconds of one point of a tile loaded, looked at and stored.
    convert : float
        Nanoseconds of one point gathered from, or stored as, another type.
    """

    tap: dict[str, float]
    put: dict[str, float]
    call: float
    tile_call: float
    walk: dict[str, float]
    walk_tap: dict[str, float]
    double: dict[str, float]
    double_step: dict[str, float]
    point: dict[str, float]
    spill: float
    load: dict[str, float]
    convert: float


_SPILL_BYTES = 2**21

#: Constants by target; a target without a row of its own is taken for the slowest.
TABLE = {
    "x86_v4": Cost(
        tap={"f": 0.013, "d": 0.026, "h": 0.012, "i": 0.04, "l": 0.12, "g": 1.5},
        put={"f": 0.3, "d": 0.6, "h": 0.3, "i": 0.5, "l": 1.0, "g": 3.0},
        walk={"f": 0.43, "d": 0.8, "h": 0.3, "i": 0.8, "l": 1.6}, walk_tap={"f": 0.0112, "d": 0.0223, "h": 0.012, "i": 0.05, "l": 0.15},
        double={"f": 0.45, "d": 0.9, "h": 0.2, "i": 0.6, "l": 1.2}, double_step={"f": 0.03, "d": 0.06, "h": 0.015, "i": 0.04, "l": 0.08},
        call=15e3, tile_call=60e3,
        point={"f": 0.050, "d": 0.100}, spill=1.6, load={"f": 0.30, "d": 0.60}, convert=0.5,
    ),
    "x86_v3": Cost(
        tap={"f": 0.025, "d": 0.05, "h": 0.02, "i": 0.07, "l": 0.25, "g": 1.5},
        put={"f": 0.3, "d": 0.6, "h": 0.3, "i": 0.5, "l": 1.0, "g": 3.0},
        walk={"f": 0.774, "d": 1.44, "h": 0.54, "i": 1.44, "l": 2.88}, walk_tap={"f": 0.0202, "d": 0.0401, "h": 0.0216, "i": 0.09, "l": 0.27},
        double={"f": 0.81, "d": 1.62, "h": 0.36, "i": 1.08, "l": 2.16}, double_step={"f": 0.054, "d": 0.108, "h": 0.027, "i": 0.072, "l": 0.144},
        call=15e3, tile_call=60e3,
        point={"f": 0.085, "d": 0.17}, spill=1.4, load={"f": 0.35, "d": 0.70}, convert=0.5,
    ),
    "x86_v2": Cost(
        tap={"f": 0.1, "d": 0.2, "h": 0.05, "i": 0.2, "l": 0.4, "g": 1.5},
        put={"f": 0.5, "d": 0.8, "h": 0.4, "i": 0.6, "l": 1.0, "g": 3.0},
        walk={"f": 2.15, "d": 4, "h": 1.5, "i": 4, "l": 8}, walk_tap={"f": 0.056, "d": 0.112, "h": 0.06, "i": 0.25, "l": 0.75},
        double={"f": 2.25, "d": 4.5, "h": 1, "i": 3, "l": 6}, double_step={"f": 0.15, "d": 0.3, "h": 0.075, "i": 0.2, "l": 0.4},
        call=15e3, tile_call=60e3,
        point={"f": 0.22, "d": 0.44}, spill=1.2, load={"f": 0.6, "d": 1.2}, convert=0.6,
    ),
    "portable": Cost(
        tap={"f": 0.4, "d": 0.4, "h": 0.4, "i": 0.4, "l": 0.4, "g": 1.5},
        put={"f": 1.0, "d": 1.0, "h": 1.0, "i": 1.0, "l": 1.0, "g": 3.0},
        walk={"f": 8.6, "d": 16, "h": 6, "i": 16, "l": 32}, walk_tap={"f": 0.224, "d": 0.446, "h": 0.24, "i": 1, "l": 3},
        double={"f": 9, "d": 18, "h": 4, "i": 12, "l": 24}, double_step={"f": 0.6, "d": 1.2, "h": 0.3, "i": 0.8, "l": 1.6},
        call=15e3, tile_call=60e3,
        point={"f": 0.9, "d": 0.9}, spill=1.1, load={"f": 2.0, "d": 2.0}, convert=1.0,
    ),
}
TABLE["neon"] = TABLE["x86_v2"]


def direct(cost: Cost, lane: str, taps: int, numbers: int, products: int) -> float:
    """Seconds of direct summation.

    Parameters
    ----------
    lane : type character of the sums
    taps : taps of the kernel
    numbers : numbers of the result
    products : real multiply-adds per number and tap
    """
    return 1e-9 * (cost.call + numbers * (cost.put[lane] + taps * products * cost.tap[lane]))


def separable(
    cost: Cost, lane: str, kernel: tuple[int, ...], rank: int, numbers: int, planes: int, *, converts: bool
) -> float:
    """Seconds of sums along rows and down columns.

    Parameters
    ----------
    rank : products of a row and a column
    numbers : numbers of the result
    planes : 2 for complex products
    """
    one = rank * planes * (cost.walk[lane] / 3 + sum(kernel) * cost.walk_tap[lane])
    one = max(one, cost.walk[lane] + rank * sum(kernel) * cost.walk_tap[lane] / 3)
    return 1e-9 * (1.5 * cost.call + numbers * (one + (cost.convert if converts else 0)))


def box(cost: Cost, lane: str, kernel: tuple[int, int], numbers: int, *, converts: bool) -> float:
    """Seconds of doubled sums."""
    steps = sum(k.bit_length() + k.bit_count() - 2 for k in kernel)
    one = cost.double[lane] + steps * cost.double_step[lane]
    return 1e-9 * (1.5 * cost.call + numbers * (one + (cost.convert / 2 if converts else 0)))


def fft(
    cost: Cost, lane: str, tile: tuple[int, int], kernel: tuple[int, int], shape: tuple[int, int], parts: int, *,
    alone: bool, converts: bool,
) -> float:
    """Seconds of overlap-save tiles.

    Parameters
    ----------
    tile, kernel, shape : (rows, columns) of a tile, the kernel, the result
    parts : planes of the image
    alone : whether an item has a transform to itself
    converts : whether numbers are gathered from or stored as another type
    """
    points = tile[0] * tile[1]
    items = parts
    for n, k, side in zip(shape, kernel, tile, strict=True):
        items *= -(-n // (side - k + 1))
    transforms = items if alone else (items + 1) // 2
    size = 4 if lane == "f" else 8
    slow = 1 + (cost.spill - 1) * min(1.0, 4 * points * size / _SPILL_BYTES)
    one = points * (2 * cost.point[lane] * log2(points) * slow + cost.load[lane] * (1 if alone else 2))
    if converts:
        one += points * cost.convert * (1 if alone else 2)
    return 1e-9 * (cost.call + cost.tile_call + (transforms + 0.7) * one)


def tile_memory(lane: str, tile: tuple[int, int]) -> int:
    """Bytes of scratch memory and spectrum of a tile."""
    return 8 * tile[0] * tile[1] * (4 if lane == "f" else 8)
