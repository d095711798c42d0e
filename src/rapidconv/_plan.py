"""From a problem to a plan: the road, and the number types its sums run in."""

from dataclasses import replace
from functools import lru_cache
from math import frexp, prod
from threading import Lock
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import _cost, _pieces
from ._axes import as_planes, first_plane, kernel_planes
from ._boundary import Boundary
from ._native import in_use, kernels
from ._problem import MATRIX, Combine, Lane, Order, Plan, Problem, Products, Several, Store, Task, Tiles
from ._rank import MOST, box, factor, look_for
from ._transform import LENGTHS, noise
from ._weights import blocks_under
from ._workers import GRAIN, workers_for

__all__ = ["beyond", "is_kept", "plan", "plans", "query"]

#: Every whole number up to these is exact in the type.
_EXACT = ((np.dtype(np.float32), 2**24), (np.dtype(np.float64), 2**53))
_NO_LIMIT = 2**64 - 1

#: Seconds of a plane's work from which planes are shared out: to begin one takes some 10 microseconds of Python.
_PLANE = GRAIN / 2
#: Multiply-adds of a pixel of any type that take less than twice GRAIN.
_FEW = 2**16

#: Items that the tiles of a volume are at least cut into: two pairs for each of two workers.
_SHARED = 8
#: Numbers of the spectra of a kernel of several planes, for each of its taps, that are not too many in any case.
_SPECTRA = 16

#: Columns of sums that products of matrices make at once: STRIP_COLS of `_native/matrices.pxi`.
_STRIP = 128

#: How many times longer products of several kernels take over pieces, whose rows overlap: 2026-11-21, Sapphire Rapids.
_IN_PIECES = 1.5

#: Norms of kernels whose products with any ordinary image neither underflow nor overflow in the transforms, and that can
#: be multiplied by the scale of a lifted tile: see docs/accuracy.md.
_ORDINARY = {"f": (2.0**-50, 2.0**60), "d": (2.0**-400, 2.0**400)}


#: Plans by all that they follow from, and their bytes: at most so many, with what is made of their kernels, the oldest go first.
#: Threads may each make the same plan; a plan never changes.
_kept: dict[tuple[object, ...], tuple[Plan, int]] = {}
_KEPT = 64
_KEPT_BYTES = 2**24
_keeping = Lock()       # never waited for
#: Multiply-adds (`kernels.summed`) times bytes of a sum of plans that are sooner made anew than kept, being little work, and direct.
_QUICK = 2**20


def plans(task: Task) -> list[Plan]:
    """A plan for each problem of a call; one for those that share a kernel."""
    made: dict[int, Plan] = {}
    for problem in task.problems:
        if id(problem.kernel) not in made:
            made[id(problem.kernel)] = plan(problem, task.workers, len(task.problems))
    return [made[id(problem.kernel)] for problem in task.problems]


def plan(problem: Problem, workers: int = 1, planes: int = 1) -> Plan:
    """Choose the road, and how many of the allowed workers; a pure function of the problem.

    The road is the one predicted to be the fastest on one thread, or the one asked for. Looking at all roads takes
    some 50 us, and the spectrum of a kernel as much or more, so plans are kept.

    Parameters
    ----------
    problem : Problem
    workers : int
        As many as may be used.
    planes : int
        Problems of this kind in the call.

    Raises
    ------
    ValueError
        If the road asked for cannot serve.
    """
    image, several = problem.image, problem.several
    kernel = problem.kernel if several is None else several.kernels
    size = max(4, problem.summed.itemsize) * (2 if kernel.dtype.kind == "c" else 1) * _channels(problem)
    work = kernels.summed(prod(problem.shape[:-1]), problem.shape[-1], 4) * kernel.size * size
    quick = several is None and work <= _QUICK and problem.method in ("auto", "direct")
    if quick or kernel.nbytes > _KEPT_BYTES // 16:
        return _choose(problem, workers, planes)
    key = (
        kernel.tobytes(), kernel.dtype, kernel.shape, image.dtype, image.shape[problem.kernel.ndim :], problem.shape, problem.dtype,
        problem.boundary, problem.fill.tobytes(), problem.method, problem.why, problem.sums, problem.store, problem.order,
        None if several is None else several.combine, beyond(problem), workers, planes,
    )  # fmt: skip
    kept = _kept.get(key)
    if kept is not None:
        return kept[0]
    found = _choose(problem, workers, planes)
    _keep(key, found)
    return found


def is_kept(found: Plan) -> bool:
    """Whether a plan will be found again, so that what is made of it may be kept, too."""
    return any(each is found for each, _ in list(_kept.values()))


def query(task: Task, found: list[Plan]) -> tuple[Any, ...] | None:
    """What a look at another real kernel in place of a call's needs, to tell whether its plan is the one found (`kernels.looks`).

    None where it cannot tell, for more than it sees of a kernel decides. Calls of `scipy.ndimage`'s filters do not ask.
    """
    if len(found) != 1:
        return None
    (problem,), (made,) = task.problems, found
    kernel, char = problem.kernel, made.lanes[0].dtype.char          # of one floating lane
    if kernel.dtype.kind == "c" or kernel.dtype.char in "eg" or problem.summed.kind not in "fc" or problem.summed.char in "egG":
        return None
    if problem.several is not None:
        return None
    assert not problem.outer
    assert not problem.skips
    assert problem.order is Order.TAPS
    whole = problem.sums is None            # else pictures, which sum whole numbers as such
    return task.turned, char, kernel.dtype.char == "f", whole, *_ORDINARY[char], *look_for(kernel, char, made.sought)


def _keep(key: tuple[object, ...], found: Plan) -> None:
    """Keep a plan, unless another thread is about to keep one."""
    if not _keeping.acquire(blocking=False):
        return
    try:
        size = _bytes(key, found)
        held = sum(each for _, each in _kept.values())
        while _kept and (held + size > _KEPT_BYTES or len(_kept) >= _KEPT):
            held -= _kept.pop(next(iter(_kept)))[1]
        if size <= _KEPT_BYTES:
            _kept[key] = found, size
    finally:
        _keeping.release()


def _bytes(key: tuple[object, ...], found: Plan) -> int:
    """Most memory of a kept plan, about: the kernel in the key, in the weights and in lanes, spectra of its tiles and pieces."""
    (taps, _, shape, *_), tiles = key, found.tiles
    assert isinstance(taps, bytes)
    assert isinstance(shape, tuple)
    lanes = len(found.lanes) + 2 * (len(found.products.lanes) if found.products is not None else 0)
    spectra = 0
    if tiles is not None and found.method == "fft":
        sizes = [4 if c == "f" else 8 for c in tiles.chars] + [8] * (_pieces.MOST if tiles.bits else 0)
        spectra = 2 * prod(tiles.shape) * max(prod(tiles.planes), len(tiles.exponents)) * sum(sizes)
    return 2 * len(taps) + 16 * prod(shape) * lanes + spectra


def _choose(problem: Problem, workers: int, planes: int) -> Plan:
    """A plan made anew; planes of one problem are all done alike."""
    if problem.several is not None:
        return _together(problem, problem.several, workers, planes)
    if problem.store is Store.TRUNCATE:
        return _only_direct(problem, workers, planes, "sums that are cut show their last bit")
    if kernel_planes(problem.kernel.shape) > 1:
        return _road(as_planes(problem, problem.image)[0], workers, planes, 1)
    if not problem.outer:
        return _road(problem, workers, planes, 1)
    plane = first_plane(problem)
    within = prod(problem.shape) // prod(plane.shape)
    found = _road(plane, workers, planes, within)
    seconds = {method: within * t for method, t in found.seconds.items()}
    seconds["direct"] -= (within - 1) * 1e-9 * _cost.TABLE[in_use].call      # all planes are one call
    return replace(found, seconds=seconds)


def _only_direct(problem: Problem, workers: int, planes: int, obstacle: str) -> Plan:
    """The plan of what no other road can do."""
    if problem.method not in ("auto", "direct"):
        _refuse(problem.method, obstacle)
    lanes, why = _lanes(problem)
    numbers = prod(problem.shape) * (2 if problem.image.dtype.kind == "c" else 1)
    products = 2 if problem.kernel.dtype.kind == "c" or problem.store is Store.TRUNCATE else 1
    seconds = _cost.direct(_cost.TABLE[in_use], lanes[0].dtype.char, problem.kernel.shape, numbers, products)
    gaining = 1 if workers == 1 else _gaining(problem, lanes[0], workers, planes, 1)
    return Plan("direct", lanes, why, {"direct": seconds}, gaining)


def _road(problem: Problem, workers: int, planes: int, within: int) -> Plan:
    """The plan of a plane, of which a problem has so many within, or of a problem whose kernel has several planes."""
    found = _fastest(problem, workers, planes, within, matrices=kernels.MATRICES)
    if found.method == "direct" and found.lanes[0].joined == MATRIX and not kernels.allows_matrices():
        return _fastest(problem, workers, planes, within, matrices=False)
    return found


def _fastest(problem: Problem, workers: int, planes: int, within: int, *, matrices: bool) -> Plan:
    """The plan of `_road`, with products of matrices or without."""
    lanes, why = _lanes(problem)
    cost = _cost.TABLE[in_use]
    kernel, wanted = problem.kernel, problem.method
    parts = 2 if problem.image.dtype.kind == "c" else 1      # of one channel: the plan is every channel's
    cross = kernel.dtype.kind == "c"
    rows, width = prod(problem.shape[:-1]), problem.shape[-1] * parts
    numbers = kernels.summed(rows, width, lanes[0].dtype.itemsize)
    products = 2 if cross else 1
    lane = lanes[0].dtype.char
    met = kernels.met(np.count_nonzero(kernel), kernel.size) if problem.order is Order.TAPS else kernel.size
    seconds = {"direct": _cost.direct(cost, lane, kernel.shape, numbers, products, _converted(problem, lanes[0]), met)}
    direct = lanes
    if met < kernel.size:
        why = f"{met} of {kernel.size} taps are not zero; {why}"
    slower = _cost.HELD * numbers if problem.store is Store.SATURATE and problem.scale == 1 else 0.0
    joined = _joined_lanes(problem) if kernels.DOTS and 4 * numbers * kernel.size > _QUICK else []      # others are to be planned quickly
    for each in joined if matrices else [each for each in joined if each.joined != MATRIX]:
        together, reason = _cost_joined(problem, cost, each)
        if together < seconds["direct"] + slower:
            direct, why, seconds["direct"], slower = (each,), reason, together, 0.0
    gaining = 1 if workers == 1 else _gaining(problem, direct[0], workers, planes, within, met)
    riders = within * _channels(problem)
    size = max(lanes[0].dtype.itemsize, _real_size(problem.dtype))
    little = kernels.little_work(riders * rows, width, products * parts if cross else 1, kernel, size)
    if wanted == "direct" or (wanted == "auto" and little):
        return Plan("direct", direct, why, seconds, gaining)
    tiles, separable, obstacles = None, None, {}
    if wanted == "auto" and problem.order is Order.SKEW:
        obstacles["fft"] = "of a flat image it would not be exactly zero"
    elif wanted != "separable":
        tiles, seconds["fft"], obstacles["fft"] = _tiles(problem, cost, parts, riders)
    most = MOST
    if kernel_planes(kernel.shape) > 1:
        most = 0
        obstacles["separable"] = f"the kernel of shape {kernel.shape} has more than two long axes"
    elif wanted == "auto":
        limit = min(t for name, t in seconds.items() if not obstacles.get(name))
        most = _most_products(cost, lane, kernel.shape, _rows(problem, lanes[0], parts), limit)
    if wanted != "fft" and "separable" not in obstacles and (most or _is_boxlike(kernel)):
        separable, seconds["separable"], obstacles["separable"] = _products(problem, cost, lane, lanes, most, parts)
    for method, obstacle in obstacles.items():
        if obstacle:
            seconds.pop(method, None)
    if obstacles.get(wanted):
        _refuse(wanted, obstacles[wanted])
    method = min(seconds, key=seconds.__getitem__) if wanted == "auto" else wanted
    others = [f"{t / seconds[method]:.1f} times faster than {name}" for name, t in seconds.items() if name != method]
    others += [f"no {name}: {obstacle}" for name, obstacle in obstacles.items() if obstacle]
    if method == "direct":
        return Plan(method, direct, "; ".join([why, *others]), seconds, gaining, tiles, separable, sought=most)
    planes *= within
    many = workers_for(planes * seconds[method] * _channels(problem), max(1, planes * prod(problem.shape[:-1]) // 16), workers)
    if method == "fft":
        assert tiles is not None
        others.insert(0, f"tiles of {tiles.shape[0]} x {tiles.shape[1]}")
    else:
        assert separable is not None
        others.insert(0, f"the kernel {'is a box' if separable.factors is None else f'has rank {separable.factors.rank}'}")
    if wanted != "auto":
        others.insert(0, problem.why)
    return Plan(method, lanes, "; ".join(others), seconds, many, tiles, separable, sought=most)


def _together(problem: Problem, several: Several, workers: int, planes: int) -> Plan:
    """The plan of several kernels over one picture: all by one road, direct sums in one lane."""
    cost, wanted, count = _cost.TABLE[in_use], problem.method, len(several.kernels)
    lanes = _lanes(problem)[0]
    if problem.summed.kind in "biu":
        lanes = _whole_number_lanes(problem, max(map(_magnitude, several.kernels)))
    channels = _channels(problem)
    numbers = prod(problem.shape) * channels
    seconds = {"direct": _cost.direct(cost, lanes[0].dtype.char, problem.kernel.shape, numbers, count)}
    reason = f"{count} kernels over tiles of the picture while they are in the cache"
    gaining = 1 if workers == 1 else _gaining(problem, lanes[0], workers, planes * count, 1)
    rows, width = prod(problem.shape[:-1]), problem.shape[-1] * channels
    little = kernels.little_work(rows, width, count, problem.kernel, lanes[0].dtype.itemsize)
    if wanted == "direct" or (wanted == "auto" and little):
        return Plan("direct", lanes, reason, seconds, gaining)
    tiles, each, obstacles = None, tuple[Products, ...](), dict[str, str]()
    if several.combine is not Combine.APART:
        each, seconds["separable"], obstacles["separable"] = _products_of_each(problem, several, cost)
    if several.combine is Combine.SEEN:
        obstacles["fft"] = "where pixels are left out there are no transforms"
    else:
        tiles, one, obstacles["fft"] = _tiles(problem, cost, 1, channels)
        seconds["fft"] = channels * one
    seconds = {method: t for method, t in seconds.items() if not obstacles.get(method)}
    if obstacles.get(wanted):
        _refuse(wanted, obstacles[wanted])
    method = min(seconds, key=seconds.__getitem__) if wanted == "auto" else wanted
    if method == "direct":
        return Plan("direct", lanes, reason, seconds, gaining)
    many = workers_for(planes * seconds[method], max(1, planes * problem.shape[0] // 16), workers)
    if method == "fft":
        reason = f"{count} kernels over each transform of a tile of the picture"
    else:
        reason = f"{count} kernels of products over pieces of the picture while they are in the cache"
    return Plan(method, lanes, reason, seconds, many, tiles, each=each)


def _products_of_each(problem: Problem, several: Several, cost: _cost.Cost) -> tuple[tuple[Products, ...], float, str]:
    """Several kernels as products of columns and rows in one lane, and predicted seconds; or what is in their way."""
    obstacle = "a kernel is not a sum of few products of a column and a row"
    if len(several.kernels) > kernels.MOST_PRODUCTS:
        return (), 0.0, f"these are more than {kernels.MOST_PRODUCTS} kernels"
    seen, whole = several.combine is Combine.SEEN, problem.summed.kind in "biu"
    found = [factor(kernel, problem.summed, 1 if seen else MOST) for kernel in several.kernels[: 1 if seen else None]]
    factors = [each for each in found if each is not None and (each.exact or not whole)]
    if len(factors) < len(found):
        return (), 0.0, obstacle
    inexact = [one.exact and one.rank > 1 and one.total > np.abs(kernel).sum() for one, kernel in zip(factors, several.kernels, strict=False)]
    if not whole and any(inexact):
        return (), 0.0, "partial sums of whole numbers could be inexact where direct ones are exact"
    if seen:            # the second kernel is the first one without its signs
        (one,) = factors
        factors.append(replace(one, columns=np.abs(one.columns), rows=np.abs(one.rows)))
    lanes = _lanes(problem)[0]
    if whole:
        lanes = _whole_number_lanes(problem, max(int(each.total) for each in factors))
    if lanes[0].dtype.kind != "f":
        return (), 0.0, "sums of whole numbers would not be exact"
    lane, converts = lanes[0].dtype.char, problem.image.dtype.char != lanes[0].dtype.char
    each = []
    for one, kernel in zip(factors, several.kernels, strict=True):
        negative = bool((one.columns < 0).any() or (one.rows < 0).any())
        each.append(Products(one, lanes[:1], clamp=negative and bool((kernel >= 0).all())))
    rows = _rows(problem, lanes[0], _channels(problem))
    times = [_cost.separable(cost, lane, problem.kernel.shape, one.rank, rows, converts=converts) for one in factors]
    return tuple(each), _IN_PIECES * sum(times), ""


def _rows(problem: Problem, lane: Lane, parts: int) -> _cost.Rows:
    """Rows of the result of a problem in a lane, pixels of so many numbers."""
    rows, columns, size = prod(problem.shape[:-1]), problem.shape[-1], lane.dtype.itemsize
    return _cost.Rows(rows, kernels.summed(rows, parts * columns, size), kernels.summed(rows, 0, size), parts * beyond(problem))


def beyond(problem: Problem) -> int:
    """Pixels beyond the image's ends that a row of the result reads."""
    reach, width = problem.left + problem.shape[-1] + problem.kernel.shape[-1] - 1, problem.image.shape[problem.kernel.ndim - 1]
    return max(0, -problem.left) + int(max(0, reach - width))


def _most_products(cost: _cost.Cost, lane: str, kernel: tuple[int, ...], rows: _cost.Rows, limit: float) -> int:
    """Most products of a column and a row that take less than so many seconds: more are not worth looking for."""
    if lane not in cost.walk:
        return 0
    ranks = range(1, MOST + 1)
    return sum(_cost.separable(cost, lane, kernel, rank, rows, converts=False) < limit for rank in ranks)


def _is_boxlike(kernel: NDArray[Any]) -> bool:
    """Whether a kernel could be a box, at a glance."""
    return bool(kernel[0, 0] == kernel[-1, -1] == kernel[kernel.shape[0] // 2, kernel.shape[1] // 3])


def _gaining(problem: Problem, lane: Lane, workers: int, planes: int, within: int, met: int | None = None) -> int:
    """How many workers gain on a call of so many problems of direct sums, each of so many planes like this; met: taps."""
    rows = within * prod(problem.shape[:-1])
    numbers = rows * problem.shape[-1] * _channels(problem)
    taps = prod(_joined_shape(problem.kernel.shape, lane)) if met is None or lane.joined > 1 else met
    if numbers * taps < _FEW:
        return 1
    if problem.dtype.kind == "c":
        numbers *= 2
        taps *= 1 + (problem.kernel.dtype.kind == "c" and problem.image.dtype.kind == "c")
    seconds = kernels.least_seconds(numbers, taps, lane.dtype.itemsize, problem.dtype.itemsize)
    if seconds < _PLANE:
        return 1
    return workers_for(planes * seconds, planes * -(-rows // kernels.turn_rows(rows)), workers)


def _converted(problem: Problem, lane: Lane) -> int:
    """Bytes of a number of the image that is not one of the lane; 0 where it is."""
    dtype, size = problem.image.dtype, _real_size(problem.image.dtype)
    return 0 if size == lane.dtype.itemsize and (dtype.kind in "fc") == (lane.dtype.kind == "f") else size


def _real_size(dtype: np.dtype[Any]) -> int:
    """Bytes of a number, or of either part of a complex one."""
    return dtype.itemsize // (2 if dtype.kind == "c" else 1)


def _channels(problem: Problem) -> int:
    """Channels interleaved in the image of a problem."""
    return problem.image.shape[-1] if problem.image.ndim > problem.kernel.ndim else 1


def _refuse(method: str, obstacle: str) -> NoReturn:
    msg = f"`method` {method!r} cannot serve this call: {obstacle}"
    raise ValueError(msg)


def _lanes(problem: Problem) -> tuple[tuple[Lane, ...], str]:
    """Types of direct sums, and why."""
    if problem.store is Store.TRUNCATE:
        return _single(np.float64), "sums that are cut run in float64, each product and each sum rounded, as in scipy.ndimage"
    dtype, kind = problem.summed, problem.summed.char
    if kind in "eFf":
        return _single(np.float32), "floating sums run in float32"
    if kind in "dD":
        return _single(np.float64), "floating sums run in float64"
    if kind in "gG":
        return _single(np.longdouble), "floating sums run in long double"
    if dtype.kind != "b" and dtype.itemsize <= 2:
        return _single(np.int16), "wrapping is a ring homomorphism: the low bits of 16-bit sums are exact"
    return _whole_number_lanes(problem, _magnitude(problem.kernel)), "sums small enough to be exact in a floating lane run there"


def _joined_lanes(problem: Problem) -> list[Lane]:
    """Lanes of bytes or shorts whose sums of products have the result's bits: of bytes or else of shorts, and of matrices."""
    image, kernel, result = problem.image.dtype, problem.kernel, problem.dtype
    if problem.summed.kind not in "biu" or image.kind not in "biu" or kernel.dtype.kind not in "biu":
        return []
    if result.kind not in "biu" and result.char not in "fd":
        return []
    low, high = _limits(problem)
    least, most = int(kernel.min()), int(kernel.max())
    wraps = result.itemsize if problem.store is Store.WRAP and result.kind in "iu" else 8
    small = wraps <= 4 or _magnitude(kernel) * max(-low, high) < 2**31
    unsigned, signed, short = (0, 2**8 - 1), (-(2**7), 2**7 - 1), (-(2**15), 2**15 - 1)

    def exact(size: int, pixels: tuple[int, int], taps: tuple[int, int]) -> bool:
        held = pixels[0] <= low and high <= pixels[1] and taps[0] <= least and most <= taps[1]
        return wraps <= size or (held and small)

    rows = 4 if exact(1, unsigned, signed) else 2 if exact(2, short, short) else MATRIX
    found = [Lane(np.dtype(np.int32), _NO_LIMIT, rows)] if rows != MATRIX else []
    if exact(1, signed if image.char == "b" else unsigned, unsigned if least >= 0 else signed):
        matrix = Lane(np.dtype(np.int32), _NO_LIMIT, MATRIX)
        if _channels(problem) <= kernels.most_parts and prod(_joined_shape(kernel.shape, matrix)) <= kernels.most_blocks:
            found.append(matrix)
    return found


def _joined_shape(kernel: tuple[int, ...], lane: Lane) -> tuple[int, ...]:
    """Shape of a kernel in numbers of a lane, or in matrices."""
    *planes, rows, columns = kernel
    if lane.joined == MATRIX:
        return *planes, *blocks_under(rows, columns)
    return *planes, -(-rows // lane.joined), columns


def _cost_joined(problem: Problem, cost: _cost.Cost, lane: Lane) -> tuple[float, str]:
    """Seconds of sums in a lane of joined rows or of matrices, and what they are; of matrices, blocks are as good as computed."""
    *planes, rows, columns = problem.shape
    kernel = _joined_shape(problem.kernel.shape, lane)
    if lane.joined == MATRIX:
        numbers, computed = rows * columns, -(-rows // MATRIX) * MATRIX * -(-columns // _STRIP) * _STRIP
        seconds = _cost.direct(cost, "m", kernel, prod(planes) * numbers, computed / max(1, numbers))
        return seconds, "matrices of bytes are multiplied and summed, exactly"
    numbers = kernels.summed(prod(problem.shape[:-1]), columns, 4)
    return _cost.direct(cost, "q", kernel, numbers, 1), f"{lane.joined} rows at once are multiplied and summed, exactly"


def _tiles(problem: Problem, cost: _cost.Cost, parts: int, planes: int) -> tuple[Tiles | None, float, str]:
    """The best tiles and their predicted seconds for one of so many planes, or what is in their way."""
    kernel, char = problem.kernel, problem.summed.char
    several = kernel[None] if problem.several is None else problem.several.kernels
    if char in "gG":
        return None, 0.0, f"there are no transforms in {problem.summed}"
    if max(kernel.shape[-2:]) > LENGTHS[-1]:
        return None, 0.0, f"the kernel of shape {kernel.shape} is longer than the longest transform, {LENGTHS[-1]}"
    cross, count = kernel.dtype.kind == "c", kernel_planes(kernel.shape)
    if count > 1 and (cross or parts > 1):
        return None, 0.0, "transforms of kernels of several planes are of real numbers"
    norms, whole, positive = kernels.measure(np.array(several, "D" if cross else "d", order="C").view("d"), len(several))
    positive = tuple(not cross and each for each in positive)
    single = char in "eFf"
    low, high = _ORDINARY["f" if single else "d"]
    if not all(low < norm < high for norm in norms):
        name = "the kernel" if problem.several is None else "a kernel"
        return None, 0.0, f"{name} is zero, not finite, or its norm is out of the ordinary"
    norm, exponents = max(norms), tuple(frexp(norm)[1] for norm in norms)
    chars = "fd" if single else "d"
    if problem.summed.kind in "biu" and _exact_in_single(problem, norm, count):
        chars = "fd"
    alone = cross and problem.image.dtype.kind != "c"
    converts = problem.image.dtype.char != chars[0] or problem.dtype.char != chars[0] or parts > 1
    if count > 1:
        shape, slabs, best = _best_stack(cost, chars[0], kernel.shape, problem.shape, converts)
        outer = kernel.shape[:-2]
    else:
        shape, best = _best_tile(cost, chars[0], kernel.shape, problem.shape, parts, planes, len(several), alone, converts)
        slabs, outer = 1, ()
    adds = problem.dtype.kind in "iuf" and problem.dtype.char not in "eg"
    if not adds and any(_cost.planes_at_once(c, shape, outer) != outer for c in chars):
        return None, 0.0, f"sums of parts of the kernel cannot be added in {problem.dtype}"
    found = Tiles(shape, chars, cross, whole, positive, norm, exponents, 0, outer, slabs)
    if problem.dtype.kind in "iu" and problem.store is Store.WRAP:
        found = replace(found, bits=_piece_bits(problem, cost, found))
    return found, best, ""


def _piece_bits(problem: Problem, cost: _cost.Cost, tiles: Tiles) -> int:
    """Bits of the pieces of the kernel of a tile whose numbers turn out too large; 0 where that cannot be, or gains nothing."""
    kernel, bits, shape, planes = problem.kernel, 8 * problem.dtype.itemsize, tiles.shape, prod(tiles.planes)
    room = 0.4 / (noise(shape, "d", planes) * (2 * prod(shape) * planes) ** 0.5)      # largest peak * norm of a pair of tiles
    peak = _largest(problem)
    if peak is not None and peak * tiles.norm < room:
        return 0
    width = _pieces.piece_bits(kernel, room / 2**_pieces.WIDTH)
    if not width:
        return 0
    count = max(1, problem.image.itemsize // _pieces.SIZE), len(_pieces.cut_kernel(kernel, width))
    if tiles.planes:
        one = _cost.volume(cost, "d", shape, kernel.shape, problem.shape, tiles.slabs, converts=True)
    else:
        one = _cost.fft(cost, "d", shape, kernel.shape, problem.shape, 1, alone=False, converts=True)
    direct = _cost.direct(cost, "i" if problem.dtype.itemsize == 4 else "l", kernel.shape, prod(problem.shape), 1)
    return width if 1.2 * len(_pieces.pairs(*count, width, bits)) * one < direct else 0


@lru_cache(maxsize=256)
def _best_tile(
    cost: _cost.Cost, char: str, kernel: tuple[int, int], shape: tuple[int, int], parts: int, planes: int, kernels: int, alone: bool,
    converts: bool,
) -> tuple[tuple[int, int], float]:  # fmt: skip
    """Shape of the tiles predicted to be the fastest, and their seconds; of several kernels within the limit of scratch memory."""
    tiles = sorted(_candidates(kernel, shape), key=prod)
    fits = [tile for tile in tiles if kernels == 1 or _cost.tile_memory(char, tile, (), 2) <= _cost.SCRATCH] or tiles[:1]
    times = {
        tile: _cost.fft(cost, char, tile, kernel, shape, parts, planes, kernels, alone=alone, converts=converts) for tile in fits
    }
    best = min(times, key=times.__getitem__)
    return best, times[best]


@lru_cache(maxsize=256)
def _best_stack(
    cost: _cost.Cost, char: str, kernel: tuple[int, ...], shape: tuple[int, ...], converts: bool
) -> tuple[tuple[int, int], int, float]:
    """The same for a kernel of several planes, and the parts that the planes of the result are cut into."""
    times, size = {}, 4 if char == "f" else 8
    for tile in _candidates(kernel[-2:], shape[-2:]):
        part = (*_cost.planes_at_once(char, tile, kernel[:-2]), *kernel[-2:])
        slabs = _slabs(tile, part, shape)
        parts = prod(-(-n // k) for n, k in zip(kernel[:-2], part, strict=False))
        seconds = parts * _cost.volume(cost, char, tile, part, shape, slabs, converts=converts)
        over = max(_cost.SCRATCH, _cost.tile_memory(char, tile, part[:-2]))         # within the limits the fastest, else the smallest
        kept = max(_cost.SCRATCH, _SPECTRA * prod(kernel) * size, 2 * prod(tile) * prod(kernel[:-2]) * size)
        times[tile] = (over + kept, seconds, slabs)
    best = min(times, key=times.__getitem__)
    _, seconds, slabs = times[best]
    return best, slabs, seconds


def _slabs(tile: tuple[int, int], kernel: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Parts of the planes of a result: enough to share out and to ride in pairs, each much longer than the kernel."""
    tiles = prod(-(-n // (side - k + 1)) for n, k, side in zip(shape[-2:], kernel[-2:], tile, strict=True)) * prod(shape[:-3])
    slabs = max(1, min(shape[-3] // (4 * max(1, kernel[-3] - 1)), -(-_SHARED // tiles)))
    return slabs + (tiles * slabs % 2 and slabs < shape[-3])


def _products(
    problem: Problem, cost: _cost.Cost, lane: str, lanes: tuple[Lane, ...], most: int, parts: int
) -> tuple[Products | None, float, str]:
    """The kernel as a box or as at most so many products of columns and rows, and predicted seconds; or what is in their way."""
    kernel, dtype = problem.kernel, problem.summed
    if dtype.char in "gG":
        return None, 0.0, f"sums in {dtype} are direct"
    if kernel.dtype.char in "gG":
        return None, 0.0, f"kernels in {kernel.dtype} are not factored"
    converts, rows = _converted(problem, lanes[0]) > 0 or problem.dtype.char.lower() != lane, _rows(problem, lanes[0], parts)
    if kernel.dtype.kind != "c" and box(kernel) is not None and kernel.size > 1 and kernel[0, 0] != 0:
        seconds = _cost.box(cost, lane, (kernel.shape[0], kernel.shape[1]), rows.numbers, converts=converts)
        return Products(None, lanes, clamp=False), seconds, ""
    factors = factor(kernel, dtype, most)
    whole = dtype.kind in "biu"
    if factors is None or (whole and not factors.exact):
        return None, 0.0, "the kernel is not a sum of few products of a column and a row"
    if not whole and factors.exact and factors.rank > 1 and factors.total > np.abs(kernel.astype("D")).sum():
        return None, 0.0, "partial sums of whole numbers could be inexact where direct ones are exact"
    if whole and (dtype.kind == "b" or dtype.itemsize > 2):
        lanes = _whole_number_lanes(problem, int(factors.total))
    planes = 2 if factors.columns.dtype.kind == "c" else 1
    products = factors.rank * (_cost.COMPLEX_PRODUCTS if planes == 2 else 1)
    seconds = _cost.separable(cost, lane, kernel.shape, products, rows, converts=converts)
    clamp = factors.rank > 1 and planes == 1 and bool((kernel >= 0).all())          # one of no negative taps has no negative factors
    clamp = clamp and bool((factors.columns < 0).any() or (factors.rows < 0).any())
    return Products(factors, lanes, clamp=clamp), seconds, ""


def _candidates(kernel: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Shapes of tiles worth a look: sides from little more than the kernel's to what one tile would need."""
    sides = []
    for k, n in zip(kernel, shape, strict=True):
        fits = [side for side in LENGTHS if side >= k]
        enough = next((i for i, side in enumerate(fits) if side >= n + k - 1), len(fits) - 1)
        sides.append(fits[: min(enough + 1, 9)])
    return [(rows, cols) for rows in sides[0] for cols in sides[1]]


def _exact_in_single(problem: Problem, norm: float, planes: int) -> bool:
    """Whether float32 transforms of tiles of a middle size are sure to be exact for an image of a narrow type."""
    peak = _largest(problem)
    return peak is not None and noise((144, 144), "f", planes) * norm * peak * 144 * (2 * planes) ** 0.5 < 0.4


def _single(dtype: type[np.generic]) -> tuple[Lane, ...]:
    return (Lane(np.dtype(dtype), _NO_LIMIT),)


def _whole_number_lanes(problem: Problem, total: int) -> tuple[Lane, ...]:
    """Floating lanes where max|image| * total, no less than sum|kernel|, stays exact in them, then wrapping integers.

    By the next power of two, so that kernels of about the same sum have the same lanes, and jobs (`kernels.Ready`).
    """
    total = 1 << (total - 1).bit_length() if total else 0
    peak = _largest(problem)
    lanes = []
    for dtype, exact in _EXACT:
        limit = exact // total if total else _NO_LIMIT
        if limit:
            lanes.append(Lane(dtype, limit))
        if peak is not None and peak <= limit:
            return (lanes[-1],)
    wide = np.dtype(np.int32 if problem.summed.itemsize == 4 else np.int64)
    return (*lanes, Lane(wide, _NO_LIMIT))


def _magnitude(kernel: np.ndarray) -> int:
    """Sum of the magnitudes of an integer kernel."""
    top = max(int(kernel.max()), -int(kernel.min()))
    if top * kernel.size >= 2**63:
        return 2**63
    return int(np.abs(kernel.astype(np.int64)).sum())


def _largest(problem: Problem) -> int | None:
    """Largest magnitude an image of this type can have, fill included; None for wide types."""
    dtype = problem.image.dtype
    if dtype.kind != "b" and dtype.itemsize > 2:
        return None
    low, high = _limits(problem)
    return max(-low, high)


def _limits(problem: Problem) -> tuple[int, int]:
    """Least and largest number an image of integers of this type can have, fill included."""
    dtype = problem.image.dtype
    low, high = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    if problem.boundary is Boundary.FILL:
        fill = int(problem.fill[0])
        low, high = min(low, fill), max(high, fill)
    return low, high
