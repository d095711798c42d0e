"""What each road would take: seconds on one thread, from a few constants per target.

The constants are in nanoseconds, measured on 2026-11-21 on one core of a Sapphire Rapids Xeon at 2.6 to 3.5 GHz;
``python -m tools.fit_cost`` measures those of the target in use again and prints its row, except `few`, `spill`,
`convert`, `call` and `tile_call`, which are estimates from single runs, and `point`, `load` and `spill` of x86_v4, fitted
together (see `_SPILL_BYTES`); `point` of x86_v2 is such that calls on 256^2 to 1024^2 take as long as predicted (2026-11-22).
"""

from dataclasses import dataclass
from math import prod

from ._transform import radices

__all__ = [
    "COMPLEX_PRODUCTS",
    "HELD",
    "SCRATCH",
    "TABLE",
    "Cost",
    "Rows",
    "between",
    "box",
    "direct",
    "fft",
    "planes_at_once",
    "separable",
    "tile_memory",
    "volume",
]


@dataclass(slots=True, frozen=True, eq=False)
class Cost:
    """Constants of one target.

    Attributes
    ----------
    tap : dict
        Lane (NumPy type character, or q where rows are joined) to nanoseconds of one multiply-add of direct summation;
        m: of one number of a product of matrices of bytes, `rapidconv._weights`.
    put : dict
        Lane to nanoseconds of one output, whatever the kernel.
    few : float
        Taps that one of few, where most are zero, takes as long as.
    call : float
        Nanoseconds of one call like one made before.
    tile_call : float
        Nanoseconds a call by another road takes on top, its plan and spectrum kept: scratch memory.
    walk, walk_tap : dict
        Lane to nanoseconds of one output of a separable kernel: whatever its sides, and for each row and column.
    double, double_step : dict
        Lane to nanoseconds of one output of a box: whatever its sides, and for each doubling.
    point : dict
        Lane to nanoseconds of one point of a tile and one doubling of its size, there and back.
    spill : float
        How many times slower a tile of `_SPILL_BYTES` and more is, by the second-level cache it leaves.
    load : dict
        Lane to nanoseconds of one point of a tile loaded, looked at and stored.
    convert : float
        Nanoseconds of one point gathered from, or stored as, another type.
    """

    tap: dict[str, float]
    put: dict[str, float]
    few: float
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


@dataclass(slots=True, frozen=True)
class Rows:
    """Rows of a result, as sums along and down see them.

    Attributes
    ----------
    count : int
    numbers : float
        Of the result, `kernels.summed` of them where rows are short.
    ends : float
        `kernels.summed` of rows of no numbers.
    beyond : int
        Pixels that a row needs from beyond the image.
    """

    count: int
    numbers: float
    ends: float
    beyond: int


#: Bytes of scratch memory that a call may take: tests/memory_use.py holds them to it.
SCRATCH = 2**22
#: Of them, those of a few rows of a tile.
_ROWS = 2**17

#: Bytes of a tile and its spectrum from which it is as slow as `spill` says, and nanoseconds of a pair of rows loaded or stored: fitted,
#: with what the table has for x86_v4, to 520 timings of nine kernels of 15x15 to 129x129 under all tiles (2026-11-22).
_SPILL_BYTES = 1.36 * 2**21
_ROW = 16
#: Multiply-adds that a point's product with the spectrum of one of several kernels, and meeting the others, take as long as.
_MEETING = 18

#: Of volumes, fitted to 48 timings of kernels of 3^3 to 25^3 on 128^3 in float32 and float64 (x86_v4, 2026-11-21), and scaled to
#: times of direct sums on the machine as quiet as it was for the table. Multiply-adds that a product of two points of spectra takes
#: as long as, and how many times longer out of the second-level cache; transforms one way, in halves of one there and back; points
#: loaded and stored, and such points of a short row that take as long as to begin with it.
_SPECTRAL, _FAR, _FAR_BYTES = 3.4, 4.0, 3e6
_ONE_WAY, _LOADS, _SHORT = 1.0, 0.85, 40

#: Real products of a row and a column that a complex one takes as long as: it has four, of two rows and two columns that are loaded once
#: (complex64 7 x 7 on 1557 x 602, 9 x 9 on 272 x 1581, x86_v4, 2026-11-21).
COMPLEX_PRODUCTS = 2.6

#: Nanoseconds of a number of float32 that is looked at before few taps are met, by `few` and this fitted to kernels of 9x9 to 65x65 of which
#: 3 to 65 taps are not zero, on 700x900 (2026-11-22).
_LOOK = 0.3

#: Seconds longer that a number takes to be rounded and held to a narrow type where the sum is a floating one (uint8, x86_v4,
#: 2026-11-22, 11:40: 0.2 until sums were packed by vectors; from 4 x 4 taps on rows are joined, 2 x 2, 3 x 3 and 9 x 1 are not).
HELD = 0.08e-9

#: Nanoseconds a byte between two passes: stored, looked at, loaded, and planned for in blocks (as above).
_BETWEEN = 0.45

#: Of products: how many row ends of direct sums one takes as long as, and nanoseconds of a row, and of a pixel beyond the image. Fitted to 120
#: timings of images 5 to 400 columns wide (x86_v4, 2026-11-22).
_ENDS, _ROW_OF_SUMS, _BEYOND = 6, 20, 0.3

#: Time of a pass of a radix in doublings of the size, by the additions and multiplications of its butterfly.
_PASS = {3: 1.4, 4: 2.0, 8: 3.0, 12: 3.3}

#: Constants by target, as the tool prints them.
TABLE = {
    "x86_v4": Cost(
        tap={"f": 0.0127, "d": 0.0247, "h": 0.0104, "i": 0.0288, "l": 0.0843, "g": 1, "q": 0.014, "m": 0.03},
        put={"f": 0.0874, "d": 0.0975, "h": 0.138, "i": 0.671, "l": 0.109, "g": 3, "q": 0.45, "m": 0.6},
        walk={"f": 0.342, "d": 0.545, "h": 0.216, "i": 0.675, "l": 0.531},
        walk_tap={"f": 0.0113, "d": 0.0226, "h": 0.0111, "i": 0.0254, "l": 0.0906},
        double={"f": 0.141, "d": 0.434, "h": 0.0747, "i": 0.427, "l": 0.469},
        double_step={"f": 0.077, "d": 0.12, "h": 0.0373, "i": 0.0995, "l": 0.123},
        point={"f": 0.0322, "d": 0.0675},
        load={"f": 0.6, "d": 0.9},
        few=2.8,
        call=2500,
        tile_call=1500,
        spill=2.05,
        convert=0.5,
    ),
    "x86_v3": Cost(
        tap={"f": 0.0188, "d": 0.0391, "h": 0.0144, "i": 0.0412, "l": 0.189, "g": 1},
        put={"f": 0.139, "d": 0.0595, "h": 0.109, "i": 0.429, "l": 0.38, "g": 3},
        walk={"f": 0.356, "d": 0.778, "h": 0.267, "i": 1.22, "l": 0.683},
        walk_tap={"f": 0.0201, "d": 0.039, "h": 0.0157, "i": 0.0405, "l": 0.201},
        double={"f": 0.0465, "d": 0.115, "h": 0, "i": 0.19, "l": 0.283},
        double_step={"f": 0.104, "d": 0.208, "h": 0.0512, "i": 0.201, "l": 0.173},
        point={"f": 0.0773, "d": 0.16},
        load={"f": 0.6, "d": 0.6},
        few=2.5,
        call=2500,
        tile_call=1500,
        spill=1.8,
        convert=0.5,
    ),
    "x86_v2": Cost(
        tap={"f": 0.056, "d": 0.0971, "h": 0.0331, "i": 0.0834, "l": 0.395, "g": 1},
        put={"f": 0.132, "d": 0.226, "h": 0.129, "i": 0.488, "l": 0, "g": 3},
        walk={"f": 0.298, "d": 0.668, "h": 0.21, "i": 1.28, "l": 0.475},
        walk_tap={"f": 0.0586, "d": 0.113, "h": 0.0356, "i": 0.111, "l": 0.423},
        double={"f": 0, "d": 0, "h": 0, "i": 0.0898, "l": 0},
        double_step={"f": 0.155, "d": 0.281, "h": 0.101, "i": 0.278, "l": 0.338},
        point={"f": 0.146, "d": 0.276},
        load={"f": 0.6, "d": 0.6},
        few=1.7,
        call=2500,
        tile_call=1500,
        spill=1.8,
        convert=0.5,
    ),
    "portable": Cost(
        tap={"f": 0.192, "d": 0.192, "h": 0.275, "i": 0.291, "l": 0.283, "g": 1},
        put={"f": 0.429, "d": 0.636, "h": 0.389, "i": 0, "l": 0.129, "g": 3},
        walk={"f": 0.463, "d": 0.493, "h": 0.117, "i": 1.43, "l": 0},
        walk_tap={"f": 0.213, "d": 0.221, "h": 0.292, "i": 0.22, "l": 0.295},
        double={"f": 0, "d": 0, "h": 0, "i": 0, "l": 0},
        double_step={"f": 0.434, "d": 0.45, "h": 0.373, "i": 0.524, "l": 0.453},
        point={"f": 0.51, "d": 0.536},
        load={"f": 0.6, "d": 0.6},
        few=1.3,
        call=2500,
        tile_call=1500,
        spill=1.8,
        convert=0.5,
    ),
}
TABLE["neon"] = TABLE["x86_v2"]


def direct(
    cost: Cost, lane: str, kernel: tuple[int, ...], numbers: float, products: float, converted: int = 0, met: int | None = None
) -> float:
    """Seconds of direct summation.

    Parameters
    ----------
    lane : type character of the sums
    kernel : shape of the kernel
    numbers : numbers of the result, `kernels.summed` of them where rows are short
    products : real multiply-adds per number and tap
    converted : bytes of a number of the image that is not one of the lane; 0 where it is
    met : taps that are met, where these are not all
    """
    taps, planes = prod(kernel), prod(kernel[:-2])
    one = planes * cost.put[lane]
    if met is None or met == taps:
        one += taps * products * cost.tap[lane]
    else:
        one += met * (cost.few + products - 1) * cost.tap[lane] + (_LOOK * cost.tap[lane] / cost.tap["f"] if lane in "fdg" else 0)
    if planes > 1 and lane not in "qm":      # the image is gathered
        one += cost.convert * (0.5 if lane in "fhi" else 1)
    elif converted:
        one += cost.convert * (1.5 if converted == 8 else 0.3)
    return 1e-9 * (cost.call + numbers * one)


def separable(
    cost: Cost, lane: str, kernel: tuple[int, ...], products: float, rows: Rows, *, converts: bool
) -> float:
    """Seconds of sums along rows and down columns.

    Parameters
    ----------
    products : real products of a row and a column
    """
    one = cost.walk[lane] * (0.2 + 0.8 * products)
    if converts:
        one += cost.convert * (0.2 if lane == "h" else 1)
    taps = products * sum(kernel) * cost.walk_tap[lane]
    row = _ROW_OF_SUMS * products + _BEYOND * rows.beyond
    return 1e-9 * (cost.call + cost.tile_call + rows.numbers * one + (rows.numbers + _ENDS * rows.ends) * taps + rows.count * row)


def box(cost: Cost, lane: str, kernel: tuple[int, int], numbers: float, *, converts: bool) -> float:
    """Seconds of doubled sums."""
    steps = sum(k.bit_length() + k.bit_count() - 2 for k in kernel)
    one = cost.double[lane] + steps * cost.double_step[lane]
    return 1e-9 * (cost.call + cost.tile_call + numbers * (one + (cost.convert / 2 if converts else 0)))


def fft(
    cost: Cost, lane: str, tile: tuple[int, int], kernel: tuple[int, ...], shape: tuple[int, ...], parts: int, planes: int = 1,
    kernels: int = 1, *, alone: bool, converts: bool,
) -> float:
    """Seconds of overlap-save tiles of a plane.

    Parameters
    ----------
    tile, kernel, shape : (rows, columns) of a tile, the kernel, the result
    parts : numbers of a pixel
    planes : how many like this one are done together: what is left over of their tiles rides in pairs
    kernels : how many a tile is transformed back for
    alone : whether an item has a transform to itself
    converts : whether numbers are gathered from or stored as another type
    """
    points = tile[0] * tile[1]
    counts = [-(-n // (side - k + 1)) for n, k, side in zip(shape, kernel, tile, strict=True)]
    (height, width), (above, beside) = ((-(-n // count) for n, count in zip(shape, counts, strict=True)), (k - 1 for k in kernel))
    items = parts * prod(counts)
    transforms = float(items) if alone else (items * planes + 1) // 2 / planes
    calls = 1.0 if items > 1 else 1 / planes
    size = 4 if lane == "f" else 8
    slow = 1 + (cost.spill - 1) * min(1.0, 4 * points * size / _SPILL_BYTES)
    down, across = (sum(_PASS[r] for r in radices(side)) for side in tile)
    rows = 2 * height + above                                               # loaded, and stored: others are not transformed
    one = cost.point[lane] * slow * (2 * points * down + rows * tile[1] * across)
    both = cost.load[lane] * ((height + above) * (width + beside) + height * width) + _ROW * rows
    one += both / 2 if alone else both
    if kernels > 1:
        one *= (1 + kernels) / 2
        one += points * kernels * _MEETING * cost.tap[lane]
    if converts:
        one += points * cost.convert * (0.5 if alone else 1)
    return 1e-9 * (calls * (cost.call + cost.tile_call) + transforms * one)


def between(size: int) -> float:
    """Seconds that a result of so many bytes takes on its way from one pass to the next."""
    return 1e-9 * _BETWEEN * size


def volume(
    cost: Cost, lane: str, tile: tuple[int, int], kernel: tuple[int, ...], shape: tuple[int, ...], slabs: int, *, converts: bool
) -> float:
    """Seconds of overlap-save tiles of a kernel of several planes.

    Parameters
    ----------
    tile : (rows, columns)
    kernel, shape : of the kernel and the result, with all axes
    slabs : parts that the planes of the result are cut into
    converts : whether numbers are gathered from or stored as another type
    """
    points, depth, taps = tile[0] * tile[1], kernel[-3], prod(kernel[:-2])
    columns = prod(shape[:-3])
    for n, k, side in zip(shape[-2:], kernel[-2:], tile, strict=True):
        columns *= -(-n // (side - k + 1))
    length = -(-shape[-3] // slabs)                                         # planes of a slab, and of the image for it
    above = taps // depth * (length + depth - 1)
    size = 4 if lane == "f" else 8
    slow = 1 + (cost.spill - 1) * min(1.0, 4 * points * size / _SPILL_BYTES)
    spectra = 2 * taps * points * size
    far = 1 + (_FAR - 1) * min(1.0, (tile_memory(lane, tile, kernel[:-2]) + spectra) / _FAR_BYTES) ** 2
    doublings = sum(_PASS[r] for side in tile for r in radices(side))
    one = _ONE_WAY * cost.point[lane] * doublings * slow + cost.load[lane] * (_LOADS + _SHORT / tile[1] * size / 4)
    one += cost.convert if converts else 0
    product = _SPECTRAL * cost.tap[lane] * far
    pairs = (columns * slabs + 1) // 2
    total = pairs * ((above + length) * one + length * taps * product) + taps * cost.point[lane] * doublings
    return 1e-9 * (cost.call + cost.tile_call + points * total)


def tile_memory(lane: str, tile: tuple[int, int], planes: tuple[int, ...] = (), kernels: int = 1) -> int:
    """Bytes of scratch memory of tiles under so many kernels, or one with so many planes along outer axes; their spectra are theirs."""
    taps, rows = prod(planes), prod(planes[:-1])
    spectra = taps + 3 * rows + 5 if planes else 2          # in the ring, of results in the making, and read
    spectra += 2 if kernels > 1 else 0                          # the tile's own, kept, and outputs that meet
    return 2 * spectra * tile[0] * tile[1] * (4 if lane == "f" else 8) + _ROWS


def planes_at_once(lane: str, tile: tuple[int, int], planes: tuple[int, ...]) -> tuple[int, ...]:
    """Taps along outer axes of the parts that a kernel is cut into, so that a ring of spectra stays in the scratch memory of a call.

    Examples
    --------
    >>> planes_at_once("f", (48, 48), (25,)), planes_at_once("d", (96, 96), (65,)), planes_at_once("d", (96, 96), (9, 65))
    ((25,), (17,), (1, 17))
    """
    most, taken = list(planes), 0
    while tile_memory(lane, tile, tuple(most)) > SCRATCH and taken < len(planes):
        if most[taken] == 1:
            taken += 1
        else:
            most[taken] -= 1
    return tuple(-(-n // -(-n // k)) for n, k in zip(planes, most, strict=True))       # of nearly the same length
