# Overlap-save tiles: correlation by the transforms of tile.pxi, two real tiles in each complex one.
#
# A tile of R x C numbers gives R - kh + 1 by C - kw + 1 outputs.  Where it lies inside the image it is read in place,
# else gathered through the boundary.  An item is a tile of one plane of real numbers (a channel, its real or imaginary
# part); two items ride together as real and imaginary part, kept apart because the kernel is real.  With a complex kernel
# (cross) they are the real and imaginary part of one image.
#
# What makes a transform unsafe is seen while loading, and such an item is refused: the caller takes a more precise
# road.  docs/accuracy.md has the bounds.

cdef extern from "math.h" nogil:
    double sqrt(double x)
    double floor(double x)
    double log2(double x)
    double ldexp(double x, int e)

from libc.limits cimport LLONG_MIN

NO_PLANE = LLONG_MIN        # of `correlate_fft`: no distance between planes


cdef void put_zeros(Job* job, Overlap* road, Room* room, Item* it) noexcept nogil:
    """Zeros for an item's outputs."""
    cdef Py_ssize_t y, k, size = type_size(road.kind)
    cdef char* dest
    memset(room.plane, 0, it.n * size)
    for k in range(road.count if road.combine == APART else 1):
        for y in range(it.m):
            dest = (it.out + k * road.out_step + (it.y + y) * job.out_row_stride + it.x * job.out_col_stride
                    + it.to * type_size(job.out_kind))
            put_lane(job, road.kind, room.plane, 1, dest, job.out_col_stride, it.n)


cdef void fetch_fill(Job* job, int part, lane* value) noexcept nogil:
    """The fill value's number of a part."""
    to_lane(job.fill_kind, job.fill + part * type_size(job.fill_kind), 0, value, 1, 1)


cdef void gather_between(
    Job* job, Overlap* road, Room* room, Item* it, Source* to, Py_ssize_t first, Py_ssize_t end, lane* like,
) noexcept nogil:
    """Columns of an item's numbers through the boundary."""
    cdef Py_ssize_t i, q, at, length, step, stride, n_runs, size = type_size(job.kind), r
    cdef lane value
    cdef lane* d
    cdef const char* p
    n_runs = runs_of(job, job.left + it.x + first, end - first, room.run)
    if job.boundary == FILL:
        fetch_fill(job, it.number, &value)
    for i in range(road.height):
        d = <lane*> to.block + i * road.width
        to.sides[i] = <const char*> d
        d += first
        r = -1 if it.source == LLONG_MIN else index_map(job.top + it.y + i, job.rows, job.boundary)
        for q in range(n_runs):
            at = room.run[4 * q]
            length = room.run[4 * q + 1]
            stride = room.run[4 * q + 3] * job.col_stride
            if r < 0 or room.run[4 * q + 2] < 0:
                for step in range(length):
                    d[at + step] = value
                continue
            p = job.image + it.source + r * job.row_stride + room.run[4 * q + 2] * job.col_stride
            if job.pairs and not job.lift:
                p += it.number * size
            if job.lift and it.number:
                for step in range(length):
                    d[at + step] = 0
            elif job.plain and job.kind == road.kind and stride == size:
                copy_run(p, <char*> (d + at), length * size)
            elif job.plain:
                to_lane(job.kind, p, stride, d + at, 1, length)
            else:
                fetch(p, stride, room.raw, size, job.swapped, length)
                to_lane(job.kind, room.raw, size, d + at, 1, length)


cdef void place_item(Job* job, Overlap* road, Item* it, int k, Py_ssize_t index) noexcept nogil:
    """Which number of which plane of which tile an item is."""
    cdef Py_ssize_t numbers = 2 if job.pairs else 1, plane = index // numbers % road.planes, t = index // numbers // road.planes
    it.slot = k
    it.number = it.to = index % numbers
    it.source = road.sources[plane]
    it.place = road.places[plane]
    it.out = job.out + it.place
    it.y = t // road.tiles_x * road.step_y
    it.x = t % road.tiles_x * road.step_x
    it.m = min(road.step_y, job.m - it.y)
    it.n = min(road.step_x, job.n - it.x)


cdef inline void point_at(Source* source, const char* row, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    """Rows that are all the same one."""
    cdef Py_ssize_t i
    for i in range(first, end):
        source.rows[i] = source.sides[i] = row


cdef void gather_sides(Job* job, Overlap* road, Room* room, Item* it, Source* to, lane* like) noexcept nogil:
    """The columns of an item that are not read in place."""
    if to.first > 0:
        gather_between(job, road, room, it, to, 0, to.first, like)
    if to.end < road.width:
        gather_between(job, road, room, it, to, to.end, road.width, like)


cdef void see_item(Job* job, Overlap* road, Room* room, Item* it, int k) noexcept nogil:
    """Point room.source[k] at an item's numbers; rows below them are zero.

              in place
        +---+----------+---+
        | g |          | g |     gathered: whole vectors that the boundary has part in
        +---+----------+---+
            first      end
    """
    cdef Py_ssize_t i, r, x = job.left + it.x
    cdef Source* to = &room.source[k]
    to.first = to.end = 0
    point_at(to, room.zeros, road.height, road.down.n)
    if job.image == NULL:
        point_at(to, room.constant, 0, road.height)
        return
    if job.plain and not job.lift and job.kind == road.kind and job.col_stride == type_size(road.kind) and it.source != LLONG_MIN:
        to.end = max(0, min(road.width, job.cols - x) // SIDE * SIDE)
        to.first = min(to.end, (max(0, -x) + SIDE - 1) // SIDE * SIDE)
        for i in range(road.height):
            r = index_map(job.top + it.y + i, job.rows, job.boundary)
            to.rows[i] = <const char*> room.constant if r < 0 else job.image + it.source + r * job.row_stride + x * job.col_stride
    if road.kind == F4:
        gather_sides(job, road, room, it, to, <float*> NULL)
    else:
        gather_sides(job, road, room, it, to, <double*> NULL)


cdef bint any_negative(Source* source, Py_ssize_t rows, Py_ssize_t cols, lane* like) noexcept nogil:
    """Whether an item has a number below zero."""
    cdef Py_ssize_t i, j
    for i in range(rows):
        for j in range(cols):
            if (<const lane*> (source.rows if source.first <= j < source.end else source.sides)[i])[j] < 0:
                return True
    return False


cdef bint is_negative(Overlap* road, Room* room, int k, Seen* seen) noexcept nogil:
    """Whether an item that is seen has a number below zero."""
    if seen.bits >> 63 == 0:
        return False
    if road.kind == F4:
        return any_negative(&room.source[k], road.height, road.width, <float*> NULL)
    return any_negative(&room.source[k], road.height, road.width, <double*> NULL)


cdef void set_gain(Overlap* road, Item* it, int kernel) noexcept nogil:
    """What an item's outputs under a kernel are multiplied by, a power of two."""
    if road.kind == F4:
        (<float*> it.gain)[0] = <float> (road.gains[kernel] / it.scale)
    else:
        (<double*> it.gain)[0] = road.gains[kernel] / it.scale


cdef inline bint is_whole(Overlap* road, Seen* seen) noexcept nogil:
    """Whether all numbers of an item are whole."""
    return road.whole and seen.odd << 1 == 0 and seen.energy < road.sure


cdef inline int judge(Overlap* road, Seen* seen) noexcept nogil:
    """What an item is by itself."""
    if seen.bits << 1 == 0:
        return ZERO
    if not road.least < seen.energy < road.most:        # NaN too
        return REFUSED
    return DONE


cdef void finish_item(
    Overlap* road, Item* it, Seen* seen, double energy, double low, double scale, bint clamps,
) noexcept nogil:
    """Whether the transform serves an item, and how its outputs are finished; energy: of all that rides in the transform."""
    cdef double noise = road.noise * sqrt(energy) / scale
    it.scale = scale
    set_gain(road, it, 0)
    it.rounds = is_whole(road, seen) and noise < 0.499
    it.clamps = clamps
    if it.rounds:
        return
    if road.integers or is_whole(road, seen) or (road.whole and seen.energy >= road.sure) or low < seen.high * road.range:
        it.verdict = REFUSED


cdef void transform_items(fvec zero, Job* job, Overlap* road, Room* room, Item* items, bint two) noexcept nogil:
    """One complex transform: items[0], and items[1] if two."""
    cdef Seen seen[2]
    cdef Seen unused[2]
    cdef Item other
    cdef char scale_lanes[16]
    cdef double scale[2]
    cdef double energy, low
    cdef Source source
    cdef int k, live = 0
    cdef bint joint = road.cross
    scale[0] = scale[1] = 1
    load_tile(zero, road, room, two, NULL, seen)
    for k in range(1 + two):
        items[k].verdict = judge(road, &seen[k])
        live += items[k].verdict == DONE
    if joint:
        for k in range(1 + two):
            if items[k].verdict == REFUSED:
                items[0].verdict = items[two].verdict = REFUSED
        if live == 0 or items[0].verdict == REFUSED:
            return
        items[0].verdict = items[two].verdict = DONE
    elif live == 0:
        return
    elif two and live == 1:
        # One rides alone: what the other is made of must not touch it.
        k = items[1].verdict == DONE
        source = room.source[0]
        room.source[0] = room.source[k]
        room.source[k] = source
        other = items[0]
        items[0] = items[k]
        items[k] = other
        two = False
        load_tile(zero, road, room, False, NULL, seen)
    elif two and (seen[0].energy > 64 * seen[1].energy or seen[1].energy > 64 * seen[0].energy):
        # The weaker one is lifted to the other's strength, by a power of two.
        k = seen[0].energy > seen[1].energy
        scale[k] = ldexp(1, <int> floor(0.5 * log2(seen[1 - k].energy / seen[k].energy)))
        if road.kind == F4:
            (<float*> scale_lanes)[0] = <float> scale[0]
            (<float*> scale_lanes)[1] = <float> scale[1]
        else:
            (<double*> scale_lanes)[0] = scale[0]
            (<double*> scale_lanes)[1] = scale[1]
        load_tile(zero, road, room, True, scale_lanes, unused)
    energy = seen[0].energy * scale[0] * scale[0]
    if two:
        energy += seen[1].energy * scale[1] * scale[1]
    if joint:
        low = seen[0].low
        if two:
            if seen[0].bits << 1 == 0 or (seen[1].bits << 1 != 0 and seen[1].low > low):
                low = seen[1].low
            seen[0].high = max(seen[0].high, seen[1].high)
            seen[0].odd |= seen[1].odd
            seen[0].energy = energy
        finish_item(road, &items[0], &seen[0], energy, low, 1, False)
        memcpy(items[1].gain, items[0].gain, 8)
        items[1].rounds = items[0].rounds
        items[1].clamps = False
        items[1].verdict = items[0].verdict
    else:
        for k in range(1 + two):
            finish_item(road, &items[k], &seen[k], energy, seen[k].low, scale[k],
                        road.positive and not is_negative(road, room, k, &seen[k]))
    if road.count > 1 or road.combine != APART:
        filter_several(zero, job, road, room, items)
    else:
        filter_tile(zero, job, road, room, items)
        store_tile(zero, job, road, room, items, 0)


cdef void do_items(Job* job, Overlap* road, Room* room, const long long* index, Py_ssize_t count, char* verdict) noexcept nogil:
    """One or two items, from the image to the result."""
    cdef Item items[2]
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef int k, made = <int> count
    for k in range(count):
        place_item(job, road, &items[k], k, index[k])
        see_item(job, road, room, &items[k], k)
    items[1].verdict = ZERO
    if road.cross and count == 1:       # a real image: one item makes both parts
        items[1] = items[0]
        items[1].to = 1
        made = 2
    if road.kind == F4:
        transform_items(vf4_splat(<const char*> &zero4), job, road, room, items, count == 2)
    else:
        transform_items(vf8_splat(<const char*> &zero8), job, road, room, items, count == 2)
    if made > count:
        items[1].verdict = items[0].verdict
    for k in range(count):
        verdict[items[k].slot] = items[k].verdict == REFUSED
    for k in range(made):
        if items[k].verdict == ZERO:
            put_zeros(job, road, room, &items[k])


cdef void fill_rows(Job* job, Overlap* road, Room* room) noexcept nogil:
    """The rows of zeros and of the fill value."""
    cdef Py_ssize_t i
    memset(room.zeros, 0, road.across.n * type_size(road.kind))
    if job.boundary == FILL:
        for i in range(road.across.n):
            if road.kind == F4:
                fetch_fill(job, 0, <float*> room.constant + i)
            else:
                fetch_fill(job, 0, <double*> room.constant + i)


cdef Py_ssize_t make_room(Job* job, Overlap* road, Room* room, char* base) noexcept nogil:
    """Place every scratch buffer of a thread from base on; the bytes they take."""
    cdef Py_ssize_t size = type_size(road.kind), rows = road.down.n, cols = road.across.n, word = sizeof(char*), k
    cdef char* at = base
    room.tile = carve(&at, 2 * rows * cols * size)
    room.strip = carve(&at, 2 * rows * max(RC_BYTES, 8))
    for k in range(2):
        room.source[k].block = carve(&at, rows * cols * size)
        room.source[k].rows = <const char**> carve(&at, rows * word)
        room.source[k].sides = <const char**> carve(&at, rows * word)
    room.plane = carve(&at, max(RC_BYTES // size, 1) * plane_pitch(road))
    room.spectrum = carve(&at, 2 * rows * cols * size if road.count > 1 or road.combine != APART else 0)
    for k in range(2):
        room.sums[k] = carve(&at, road.step_y * plane_pitch(road) if road.combine != APART else 0)
    room.zeros = carve(&at, cols * size)
    room.constant = carve(&at, cols * size)
    room.raw = carve(&at, cols * type_size(job.kind))
    room.run = <Py_ssize_t*> carve(&at, 4 * cols * word)
    return at - base


cdef int run_overlap(Job* job, Overlap* road, const long long* items, Py_ssize_t count, char* verdicts) noexcept nogil:
    """Items two by two; with a complex kernel and a real image one by one.  -1 where there is no scratch memory to be had."""
    cdef Room room
    cdef Py_ssize_t k, pair = 1 if road.cross and not job.pairs else 2
    cdef char* memory = <char*> malloc(make_room(job, road, &room, NULL) + 64)
    if memory == NULL:
        return -1
    make_room(job, road, &room, memory + (64 - <size_t> memory % 64))
    fill_rows(job, road, &room)
    for k from 0 <= k < count by pair:
        do_items(job, road, &room, items + k, min(pair, count - k), verdicts + k)
    free(memory)
    return 0


cdef int see_transform(Transform* t, tuple described) except -1:
    """(length, radices, table) of a transform."""
    cdef cnp.ndarray table
    cdef int p = 0
    t.n, radices, table = described
    for radix in radices:
        t.radix[p] = radix
        p += 1
    t.passes = p
    t.table = cnp.PyArray_BYTES(table)
    return 0


def kernel_spectra(cnp.ndarray planes, tuple exponents, tuple down, tuple across):
    """Spectra of planes of kernels for correlation, in the tiles' order, one after the other, each divided by the tile's size.

    Parameters
    ----------
    planes : contiguous array of shape (planes, rows, columns), float64 or complex128
    exponents : of two, by whose power planes are divided first, taken in turn
    down, across : (length, radices, table)
        Tables of the type of the spectra.
    """
    cdef Overlap road
    cdef Room room
    cdef Job job
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef double scale
    cdef bint two = cnp.PyArray_ISCOMPLEX(planes)
    cdef cnp.ndarray table = down[2], memory
    cdef Py_ssize_t count = cnp.PyArray_DIM(planes, 0), columns = cnp.PyArray_DIM(planes, 2), size, one, plane, start
    cdef const double* taps = <const double*> cnp.PyArray_DATA(planes)
    cdef char* out
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = job.kind = kind_of(cnp.PyArray_TYPE(table))
    road.whole = False
    road.count = 1
    road.combine = APART
    road.height = cnp.PyArray_DIM(planes, 1)
    road.width = (columns + 15) // 16 * 16         # whole vectors
    size = type_size(road.kind)
    one = 2 * road.down.n * road.across.n * size
    # Loads of vectors that straddle cache lines take twice as long: 1 to 3 % of a transform (2026-11-21, Sapphire Rapids).
    memory = empty((count * one + 64,), cnp.PyArray_DescrFromType(cnp.NPY_UINT8))
    start = -<Py_ssize_t> cnp.PyArray_DATA(memory) & 63
    out = cnp.PyArray_BYTES(memory) + start
    cdef Py_ssize_t room_bytes = (make_room(&job, &road, &room, NULL) + 63) // 64 * 64
    cdef Py_ssize_t part_bytes = (1 + two) * road.height * road.width * size
    cdef char* scratch = <char*> malloc(room_bytes + part_bytes + 64)
    if scratch == NULL:
        raise MemoryError("no scratch memory for the tiles")
    cdef char* parts = scratch + (64 - <size_t> scratch % 64)
    make_room(&job, &road, &room, parts + part_bytes // 64 * 64 + 64 * (part_bytes % 64 > 0))
    memset(room.zeros, 0, road.across.n * size)
    memset(parts, 0, part_bytes)
    for plane in range(count):
        scale = ldexp(1.0, -<int> exponents[plane % len(exponents)])
        with nogil:
            if road.kind == F4:
                lay_plane(<float*> parts, taps, two, road.height, columns, road.width, scale)
            else:
                lay_plane(<double*> parts, taps, two, road.height, columns, road.width, scale)
            point_at_parts(&road, &room, parts, two)
            scale = 1.0 / (road.down.n * road.across.n)
            if road.kind == F4:
                make_spectrum(vf4_splat(<const char*> &zero4), &road, &room, out + plane * one, <float> scale, two)
            else:
                make_spectrum(vf8_splat(<const char*> &zero8), &road, &room, out + plane * one, scale, two)
        taps += (1 + two) * road.height * columns
    free(scratch)
    return memory[start : start + count * one].view(table.dtype)


cdef void lay_plane(
    lane* parts, const double* taps, bint two, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t width, double scale,
) noexcept nogil:
    """The real part of a plane times a power of two, and its conjugate's imaginary one after that, in rows of so many numbers."""
    cdef Py_ssize_t i, j
    for i in range(rows):
        for j in range(columns):
            if two:
                parts[i * width + j] = <lane> (scale * taps[2 * (i * columns + j)])
                parts[(rows + i) * width + j] = <lane> (-scale * taps[2 * (i * columns + j) + 1])
            else:
                parts[i * width + j] = <lane> (scale * taps[i * columns + j])


cdef void point_at_parts(Overlap* road, Room* room, const char* parts, bint two) noexcept nogil:
    """Let the tile's sources be a plane as `lay_plane` lays it."""
    cdef Py_ssize_t k, i
    for k in range(1 + two):
        room.source[k].first = room.source[k].end = 0
        point_at(&room.source[k], room.zeros, road.height, road.down.n)
        for i in range(road.height):
            room.source[k].sides[i] = parts + (k * road.height + i) * road.width * type_size(road.kind)


cdef void make_spectrum(fvec zero, Overlap* road, Room* room, char* out, lane scale, bint two) noexcept nogil:
    """Conjugate spectrum of the tile in room.source, scaled."""
    cdef Py_ssize_t k, unit = 2 * sizeof(fvec)
    cdef Seen seen[2]
    cdef lane back = -scale
    load_tile(zero, road, room, two, NULL, seen)
    transform_columns(zero, road, room, out)
    for k in range(road.down.n * (road.across.n // lanes_in(zero))):
        store(out + k * unit, splat(zero, <const char*> &scale) * load(zero, out + k * unit))
        store(out + k * unit + sizeof(fvec), splat(zero, <const char*> &back) * load(zero, out + k * unit + sizeof(fvec)))


cdef int see_road(
    Job* job, Overlap* road, tuple work, tuple planes, tuple bank, cnp.ndarray spectrum, tuple down, tuple across, tuple step,
    tuple facts,
) except -1:
    """Describe a correlation by overlap-save tiles."""
    cdef cnp.ndarray sources, places, gains, positives
    cdef int k
    see_work(job, work)
    sources, places = planes
    road.planes = cnp.PyArray_SIZE(sources)
    road.sources = <const long long*> cnp.PyArray_BYTES(sources)
    road.places = <const long long*> cnp.PyArray_BYTES(places)
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = kind_of(cnp.PyArray_TYPE(spectrum))
    road.spectrum = cnp.PyArray_BYTES(spectrum)
    (road.cross, road.whole, road.integers, road.noise, road.range, road.least, road.most, road.sure) = facts
    road.combine, road.out_step, gains, positives = bank
    road.count = cnp.PyArray_SIZE(gains)
    road.gains = <const double*> cnp.PyArray_BYTES(gains)
    road.positives = cnp.PyArray_BYTES(positives)
    road.positive = False
    for k in range(road.count):
        road.positive |= road.positives[k]
    road.spectrum_bytes = 2 * road.down.n * road.across.n * type_size(road.kind)
    road.step_y, road.step_x = step
    road.height = road.step_y + job.kh - 1
    road.width = min(road.across.n, (road.step_x + job.kw - 1 + 15) // 16 * 16)
    road.tiles_x = (job.n + road.step_x - 1) // road.step_x
    return 0


def correlate_fft(
    tuple work, tuple planes, tuple bank, cnp.ndarray spectrum, tuple down, tuple across, tuple step, tuple facts,
    cnp.ndarray items,
):
    """Items of a correlation by overlap-save tiles, with the GIL released; which of them were refused.

    Parameters
    ----------
    work : as in `correlate`, of the first plane; image and result have no axes of channels
    planes : contiguous int64 arrays of the bytes from it to each plane of the image (`NO_PLANE`: one of fill) and of the result
    bank : (combine, out_step, gains, positives)
        How the sums of several kernels meet and how many bytes apart their results are; for each kernel the power of two
        its spectrum was divided by (float64), and whether no tap of it is negative (bool).
    spectrum : of `kernel_spectra`, one or several
    down, across : (length, radices, table) of the tile's transforms
    step : (rows, columns) of outputs of a tile
    facts : (cross, whole, integers, noise, range, least, most, sure), see Overlap
    items : contiguous int64 array
        Number i of plane p of tile t is (t * planes + p) * numbers + i; tiles run along the rows of the result, and complex
        pixels have two numbers.

    Returns
    -------
    uint8 array, 1 where an item was refused and nothing of it stored
    """
    cdef Job job
    cdef Overlap road
    cdef Py_ssize_t count = cnp.PyArray_SIZE(items)
    cdef cnp.ndarray verdicts = cnp.PyArray_ZEROS(1, [count], cnp.NPY_UINT8, 0)
    cdef int failed
    see_road(&job, &road, work, planes, bank, spectrum, down, across, step, facts)
    with nogil:
        failed = run_overlap(&job, &road, <const long long*> cnp.PyArray_BYTES(items), count, cnp.PyArray_BYTES(verdicts))
    if failed:
        raise MemoryError("no scratch memory for the tiles")
    return verdicts


def filter_tiles(cnp.ndarray spectrum, tuple down, tuple across, Py_ssize_t count):
    """Transform a tile of zeros, multiply it by a spectrum and transform it back, count times: for benchmarks.

    Parameters
    ----------
    spectrum : of `kernel_spectra`
    down, across : (length, radices, table) of the tile's transforms
    """
    cdef Overlap road
    cdef Room room
    cdef Job job
    cdef float zero4 = 0
    cdef double zero8 = 0
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = job.kind = kind_of(cnp.PyArray_TYPE(spectrum))
    road.spectrum = cnp.PyArray_BYTES(spectrum)
    road.step_y = road.down.n
    cdef char* memory = <char*> malloc(make_room(&job, &road, &room, NULL) + 64)
    if memory == NULL:
        raise MemoryError("no scratch memory for the tiles")
    with nogil:
        make_room(&job, &road, &room, memory + (64 - <size_t> memory % 64))
        memset(room.tile, 0, 2 * road.down.n * road.across.n * type_size(road.kind))
        for _ in range(count):
            if road.kind == F4:
                filter_whole(vf4_splat(<const char*> &zero4), &road, &room)
            else:
                filter_whole(vf8_splat(<const char*> &zero8), &road, &room)
        free(memory)


cdef void filter_whole(fvec zero, Overlap* road, Room* room) noexcept nogil:
    """Across room.tile, down, and back."""
    cdef Item idle[2]
    cdef Py_ssize_t line, whole = 2 * road.down.n * road.across.n * lane_size(zero), step = 2 * road.across.n * sizeof(fvec)
    for line from 0 <= line < whole by step:
        forward(zero, room.tile + line, &road.across, road.across.passes)
    idle[0].verdict = idle[1].verdict = ZERO
    filter_tile(zero, NULL, road, room, idle)
    for line from 0 <= line < whole by step:
        backward(zero, room.tile + line, &road.across, road.across.passes)
