# Overlap-save tiles: correlation by the transforms of fft.pxi, two real tiles in each complex one.
#
#     image  --load-->  strips down the tile  --transpose-->  rows across, times the kernel's spectrum, and back
#     result <-store--  strips down the tile  <-transpose--
#
# A tile of R x C numbers gives R - kh + 1 by C - kw + 1 outputs.  Where it lies inside the image it is read in place,
# else gathered through the boundary.  An item is one plane (real or imaginary part, channel) of a tile; items 2 p and
# 2 p + 1 ride together as real and imaginary part, kept apart because the kernel is real.  With a complex kernel
# (cross) they are the real and imaginary part of one image.
#
# What makes a transform unsafe is seen while loading, and such an item is refused: the caller takes a more precise
# road.  docs/accuracy.md has the bounds.

cdef extern from "math.h" nogil:
    double sqrt(double x)
    double floor(double x)
    double log2(double x)
    double ldexp(double x, int e)

cdef extern from "simd.h" nogil:
    vf4 vf4_or(vf4 a, vf4 b)
    vf8 vf8_or(vf8 a, vf8 b)
    vf4 vf4_positive(vf4 a)
    vf8 vf8_positive(vf8 a)
    vf4 vf4_neighbours(vf4 e)
    vf8 vf8_neighbours(vf8 e)
    vf4 vf4_least(vf4 low, vf4 e)
    vf8 vf8_least(vf8 low, vf8 e)
    vf4 vf4_most(vf4 high, vf4 e)
    vf8 vf8_most(vf8 high, vf8 e)

cdef enum:
    DONE = 0                # verdicts on an item
    REFUSED = 1
    ZERO = 2
    BLOCK = 8               # columns, by 8 rows: a block whose energy is one sample of the dynamic range

ctypedef struct Seen:
    double energy               # sum of squares
    double low, high            # least and largest energy of a block; low leaves out zero
    unsigned long long bits     # of all numbers, ored
    unsigned long long odd      # of the numbers' distances from whole ones, ored

ctypedef struct Sight:          # the same, one of each a lane
    char energy[64]
    char low[64]
    char high[64]
    char bits[64]
    char odd[64]

ctypedef struct Overlap:
    int kind                    # F4 or F8
    Transform down, across
    const char* spectrum
    bint cross                  # complex kernel
    bint whole                  # kernel of whole numbers
    bint integers               # of an integer type: exact, or refused
    bint positive               # no tap is negative
    double noise                # error of an output / 2-norm of what rides in its transform, at most
    double gain                 # power of two the spectrum was divided by
    double range                # dynamic range (energy) below which a tile is served
    double least, most          # energies whose squares neither underflow nor overflow
    double sure                 # energy below which all numbers are small enough to be seen whole
    Py_ssize_t step_y, step_x   # outputs of a tile
    Py_ssize_t height, width    # numbers of a tile that they need, the width in whole vectors of any target
    Py_ssize_t tiles_x

ctypedef struct Item:
    int slot                    # place in the call's list
    int part, to                # planes of the image and of the result
    Py_ssize_t y, x, m, n       # its outputs
    char gain[8]                # what they are multiplied by, in the lane's type
    bint rounds, clamps
    int verdict

ctypedef struct Room:           # scratch of one thread
    char* block[2]
    char* tile
    char* strip
    char* plane                 # some rows of outputs
    char* zeros                 # rows of zeros, and of the fill value
    char* constant
    char* raw
    const char** rows[2]
    Py_ssize_t* run


cdef inline fvec or_bits(fvec a, fvec b) noexcept nogil:
    if fvec is vf4:
        return vf4_or(a, b)
    else:
        return vf8_or(a, b)


cdef inline fvec positive_part(fvec a) noexcept nogil:
    if fvec is vf4:
        return vf4_positive(a)
    else:
        return vf8_positive(a)


cdef inline fvec neighbours(fvec e) noexcept nogil:
    if fvec is vf4:
        return vf4_neighbours(e)
    else:
        return vf8_neighbours(e)


cdef inline fvec least(fvec low, fvec e) noexcept nogil:
    if fvec is vf4:
        return vf4_least(low, e)
    else:
        return vf8_least(low, e)


cdef inline fvec most(fvec high, fvec e) noexcept nogil:
    if fvec is vf4:
        return vf4_most(high, e)
    else:
        return vf8_most(high, e)


cdef inline double lane_of(fvec like, const char* p, Py_ssize_t k) noexcept nogil:
    """Lane k of a vector in memory."""
    if fvec is vf4:
        return (<const float*> p)[k]
    else:
        return (<const double*> p)[k]


cdef inline unsigned long long bits_of(fvec like, const char* p, Py_ssize_t k) noexcept nogil:
    """Bits of lane k, as a double's: sign on top."""
    if fvec is vf4:
        return <unsigned long long> (<const unsigned int*> p)[k] << 32
    else:
        return (<const unsigned long long*> p)[k]


cdef inline Py_ssize_t lanes_in(fvec like) noexcept nogil:
    return <Py_ssize_t> sizeof(fvec) // lane_size(like)


cdef void reset(fvec zero, Sight* sight) noexcept nogil:
    """Nothing seen yet."""
    cdef float big4 = 3e38
    cdef double big = 1e308
    store(sight.energy, zero)
    store(sight.high, zero)
    store(sight.bits, zero)
    store(sight.odd, zero)
    store(sight.low, splat(zero, <const char*> &big4) if lane_size(zero) == 4 else splat(zero, <const char*> &big))


cdef void look_at(fvec zero, Sight* sight, Seen* seen) noexcept nogil:
    """What is seen in a tile, from what is seen in each lane."""
    cdef Py_ssize_t k
    cdef double e
    seen.energy = seen.high = 0
    seen.low = 1e308
    seen.bits = seen.odd = 0
    for k in range(lanes_in(zero)):
        seen.energy += lane_of(zero, sight.energy, k)
        seen.bits |= bits_of(zero, sight.bits, k)
        seen.odd |= bits_of(zero, sight.odd, k)
        seen.high = max(seen.high, lane_of(zero, sight.high, k))
        seen.low = min(seen.low, lane_of(zero, sight.low, k))


cdef inline bint is_packed(Job* job, Overlap* road) noexcept nogil:
    """Whether outputs of an item lie side by side in the lane's type."""
    return job.out_parts == 1 and job.out_kind == road.kind and job.out_col_stride == type_size(road.kind)


cdef inline void look_at_strip(
    fvec zero, char* strip, Py_ssize_t n, const char* scale, Sight* sight, const bint fractions,
) noexcept nogil:
    """n points of one part of a strip, seen; times the lane at scale if given."""
    cdef Py_ssize_t i, j, unit = 2 * sizeof(fvec)
    cdef fvec a, energy, bits, odd, low, high, total, magic, factor
    cdef double big = 6755399441055744.0        # 1.5 * 2^52: adding it rounds to a whole number
    cdef float big4 = 12582912.0                # 1.5 * 2^23
    magic = splat(zero, <const char*> &big4) if lane_size(zero) == 4 else splat(zero, <const char*> &big)
    total = load(zero, sight.energy)
    low = load(zero, sight.low)
    high = load(zero, sight.high)
    bits = load(zero, sight.bits)
    odd = load(zero, sight.odd)
    if scale != NULL:
        factor = splat(zero, scale)
    for i from 0 <= i < n by BLOCK:
        energy = zero
        for j in range(i, i + BLOCK):
            a = load(zero, strip + j * unit)
            if scale != NULL:
                a = factor * a
                store(strip + j * unit, a)
            energy = energy + a * a
            bits = or_bits(bits, a)
            if fractions:
                odd = or_bits(odd, a - ((a + magic) - magic))
        total = total + energy
        energy = neighbours(energy)
        low = least(low, energy)
        high = most(high, energy)
    store(sight.energy, total)
    store(sight.low, low)
    store(sight.high, high)
    store(sight.bits, bits)
    store(sight.odd, odd)


cdef void load_tile(
    fvec zero, Overlap* road, Room* room, bint two, const char* scale, Seen* seen,
) noexcept nogil:
    """Two tiles (times scale[0], scale[1] if given) from room.rows into room.tile, transformed across."""
    cdef Py_ssize_t g, x, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit
    cdef int k
    cdef char* strip
    cdef const char* factor
    cdef Sight sight[2]
    for k in range(2):
        reset(zero, &sight[k])
    for g in range(road.down.n // lanes):
        strip = room.tile + g * line
        if g * lanes >= road.height:
            memset(strip, 0, line)
            continue
        for k in range(1 + two):
            for x from 0 <= x < road.width by lanes:
                take_rows(zero, room.rows[k] + g * lanes, x * lane_size(zero), strip + x * unit + k * sizeof(fvec), unit)
            factor = scale if scale == NULL else scale + k * lane_size(zero)
            if road.whole:
                look_at_strip(zero, strip + k * sizeof(fvec), road.width, factor, &sight[k], True)
            else:
                look_at_strip(zero, strip + k * sizeof(fvec), road.width, factor, &sight[k], False)
        if not two:
            for x in range(road.width):
                store(strip + x * unit + sizeof(fvec), zero)
        memset(strip + road.width * unit, 0, line - road.width * unit)
        forward(zero, strip, &road.across, road.across.passes)
    for k in range(2):
        look_at(zero, &sight[k], &seen[k])


cdef inline void turn(
    fvec zero, const char* s, Py_ssize_t s_step, char* d, Py_ssize_t d_step, Py_ssize_t count,
) noexcept nogil:
    """Square blocks of both parts, s_step and d_step bytes apart, transposed."""
    cdef Py_ssize_t g, unit = 2 * sizeof(fvec)
    for g in range(count):
        transpose(zero, s + g * s_step, unit, d + g * d_step, unit)
        transpose(zero, s + g * s_step + sizeof(fvec), unit, d + g * d_step + sizeof(fvec), unit)


cdef void filter_tile(fvec zero, Overlap* road, Room* room) noexcept nogil:
    """Down the columns of room.tile: transform, multiply by the kernel's spectrum, transform back."""
    cdef Py_ssize_t s, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    cdef char* cells
    for s in range(road.across.n // lanes):
        cells = room.tile + s * block
        turn(zero, cells, line, room.strip, block, road.down.n // lanes)
        filter_strip(zero, room.strip, &road.down, road.spectrum + s * road.down.n * unit)
        turn(zero, room.strip, block, cells, line, (road.step_y + lanes - 1) // lanes)


cdef inline void finish_row(
    fvec zero, const char* s, char* d, Py_ssize_t bytes, const char* gain, const bint rounds, const bint clamps,
) noexcept nogil:
    """A row of outputs, a vector or more, times gain."""
    cdef Py_ssize_t at = 0
    cdef double big = 6755399441055744.0
    cdef float big4 = 12582912.0
    cdef fvec v, factor = splat(zero, gain), magic
    magic = splat(zero, <const char*> &big4) if lane_size(zero) == 4 else splat(zero, <const char*> &big)
    while True:
        v = factor * load(zero, s + at)
        if rounds:
            v = (v + magic) - magic
        if clamps:
            v = positive_part(v)
        store(d + at, v)
        at += sizeof(fvec)
        if at >= bytes:
            return
        at = min(at, bytes - <Py_ssize_t> sizeof(fvec))      # the last ones twice


cdef inline Py_ssize_t plane_pitch(Overlap* road) noexcept nogil:
    """Bytes from row to row of a plane of outputs: never a power of two, as such rows share cache sets."""
    cdef Py_ssize_t pitch = road.across.n * type_size(road.kind)
    return pitch + 64 if pitch % 128 == 0 else pitch


cdef void put_rows(fvec zero, Job* job, Overlap* road, Room* room, Item* it, Py_ssize_t first, Py_ssize_t m) noexcept nogil:
    """m rows of outputs of an item from room.plane to the result."""
    cdef Py_ssize_t y, size = type_size(road.kind), bytes = it.n * size, width = (bytes + sizeof(fvec) - 1) // sizeof(fvec) * sizeof(fvec)
    cdef bint packed = is_packed(job, road), straight = packed and bytes >= sizeof(fvec)
    cdef char* row
    cdef char* dest
    for y in range(m):
        row = room.plane + y * plane_pitch(road)
        dest = (job.out + (it.y + first + y) * job.out_row_stride + it.x * job.out_col_stride
                + it.to * type_size(job.out_kind))
        if not straight:
            finish_row(zero, row, row, width, it.gain, it.rounds, it.clamps)
        elif it.rounds or it.clamps:
            finish_row(zero, row, dest, bytes, it.gain, it.rounds, it.clamps)
        else:
            finish_row(zero, row, dest, bytes, it.gain, False, False)
        if packed and not straight:
            copy_run(row, dest, bytes)
        elif not packed:
            put_lane(road.kind, row, 1, job.out_kind, dest, job.out_col_stride, it.n)


cdef void store_tile(fvec zero, Job* job, Overlap* road, Room* room, Item* items) noexcept nogil:
    """Back across the rows of room.tile: the outputs of the items that are served, to the result."""
    cdef Py_ssize_t g, x, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit
    cdef int k
    cdef char* strip
    cdef Item* it
    for g in range((road.step_y + lanes - 1) // lanes):
        strip = room.tile + g * line
        backward(zero, strip, &road.across, road.across.passes)
        for k in range(2):
            it = &items[k]
            if it.verdict != DONE or it.m <= g * lanes:
                continue
            for x from 0 <= x < it.n by lanes:
                transpose(zero, strip + x * unit + k * sizeof(fvec), unit, room.plane + x * lane_size(zero), plane_pitch(road))
            put_rows(zero, job, road, room, it, g * lanes, min(lanes, it.m - g * lanes))


cdef void put_zeros(Job* job, Overlap* road, Room* room, Item* it) noexcept nogil:
    """Zeros for an item's outputs."""
    cdef Py_ssize_t y, size = type_size(road.kind)
    cdef char* dest
    memset(room.plane, 0, it.n * size)
    for y in range(it.m):
        dest = job.out + (it.y + y) * job.out_row_stride + it.x * job.out_col_stride + it.to * type_size(job.out_kind)
        put_lane(road.kind, room.plane, 1, job.out_kind, dest, job.out_col_stride, it.n)


cdef void fetch_fill(Job* job, int part, lane* value) noexcept nogil:
    """The fill value's number of a part."""
    to_lane(job.out_kind, job.fill + (part & job.pairs) * type_size(job.out_kind), 0, value, 1, 1)


cdef void gather_plane(Job* job, Overlap* road, Room* room, Item* it, int k, lane* like) noexcept nogil:
    """An item's numbers through the boundary, into room.block[k]."""
    cdef Py_ssize_t i, q, at, length, step, stride, n_runs, size = type_size(job.kind), r
    cdef lane value
    cdef lane* d
    cdef const char* p
    cdef int part = it.part >> 1 if job.lift else it.part
    n_runs = runs_of(job, job.left + it.x, road.width, room.run)
    if job.boundary == FILL:
        fetch_fill(job, it.part, &value)
    for i in range(road.height):
        d = <lane*> room.block[k] + i * road.width
        room.rows[k][i] = <const char*> d
        r = index_map(job.top + it.y + i, job.rows, job.boundary)
        for q in range(n_runs):
            at = room.run[4 * q]
            length = room.run[4 * q + 1]
            stride = room.run[4 * q + 3] * job.col_stride
            if r < 0 or room.run[4 * q + 2] < 0:
                for step in range(length):
                    d[at + step] = value
                continue
            p = job.image + r * job.row_stride + room.run[4 * q + 2] * job.col_stride + part * size
            if job.lift and it.part & 1:
                for step in range(length):
                    d[at + step] = 0
            elif job.plain and job.kind == road.kind and stride == size:
                copy_run(p, <char*> (d + at), length * size)
            elif job.plain:
                to_lane(job.kind, p, stride, d + at, 1, length)
            else:
                fetch(p, stride, room.raw, size, job.swapped, length)
                to_lane(job.kind, room.raw, size, d + at, 1, length)


cdef void see_item(Job* job, Overlap* road, Room* room, Item* it, int k, Py_ssize_t index) noexcept nogil:
    """Place an item, and point room.rows[k] at its numbers; rows below them are zero."""
    cdef Py_ssize_t i, r, t = index // job.parts, x
    cdef const char** to = room.rows[k]
    it.slot = k
    it.part = it.to = index % job.parts
    it.y = t // road.tiles_x * road.step_y
    it.x = t % road.tiles_x * road.step_x
    it.m = min(road.step_y, job.m - it.y)
    it.n = min(road.step_x, job.n - it.x)
    x = job.left + it.x
    for i in range(road.height, road.down.n):
        to[i] = room.zeros
    # Read in place or gathered, the numbers are the same.
    if (x < 0 or x + road.width > job.cols or not job.plain or job.lift or job.kind != road.kind
            or job.col_stride != type_size(road.kind)):
        if road.kind == F4:
            gather_plane(job, road, room, it, k, <float*> NULL)
        else:
            gather_plane(job, road, room, it, k, <double*> NULL)
        return
    for i in range(road.height):
        r = index_map(job.top + it.y + i, job.rows, job.boundary)
        to[i] = room.constant if r < 0 else job.image + r * job.row_stride + x * job.col_stride


cdef bint any_negative(Room* room, int k, Py_ssize_t rows, Py_ssize_t cols, lane* like) noexcept nogil:
    """Whether an item has a number below zero."""
    cdef Py_ssize_t i, j
    for i in range(rows):
        for j in range(cols):
            if (<const lane*> room.rows[k][i])[j] < 0:
                return True
    return False


cdef bint is_negative(Overlap* road, Room* room, int k) noexcept nogil:
    """any_negative in the road's lane."""
    if road.kind == F4:
        return any_negative(room, k, road.height, road.width, <float*> NULL)
    return any_negative(room, k, road.height, road.width, <double*> NULL)


cdef void set_gain(Overlap* road, Item* it, double scale) noexcept nogil:
    """What an item's outputs are multiplied by, a power of two."""
    if road.kind == F4:
        (<float*> it.gain)[0] = <float> (road.gain / scale)
    else:
        (<double*> it.gain)[0] = road.gain / scale


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
    Overlap* road, Room* room, Item* it, int k, Seen* seen, double energy, double low, double scale,
) noexcept nogil:
    """Whether the transform serves an item, and how its outputs are finished; energy: of all that rides in the transform."""
    cdef double noise = road.noise * sqrt(energy) / scale
    set_gain(road, it, scale)
    it.rounds = is_whole(road, seen) and noise < 0.499
    it.clamps = road.positive and (seen.bits >> 63 == 0 or not is_negative(road, room, k))
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
    cdef const char** rows
    cdef char* block
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
        rows = room.rows[0]
        room.rows[0] = room.rows[k]
        room.rows[k] = rows
        block = room.block[0]
        room.block[0] = room.block[k]
        room.block[k] = block
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
        finish_item(road, room, &items[0], 0, &seen[0], energy, low, 1)
        memcpy(items[1].gain, items[0].gain, 8)
        items[1].rounds = items[0].rounds
        items[1].clamps = False
        items[1].verdict = items[0].verdict
    else:
        for k in range(1 + two):
            finish_item(road, room, &items[k], k, &seen[k], energy, seen[k].low, scale[k])
    filter_tile(zero, road, room)
    store_tile(zero, job, road, room, items)


cdef void do_items(Job* job, Overlap* road, Room* room, const long long* index, Py_ssize_t count, char* verdict) noexcept nogil:
    """One or two items, from the image to the result."""
    cdef Item items[2]
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef int k, made = <int> count
    for k in range(count):
        see_item(job, road, room, &items[k], k, index[k])
    items[1].verdict = ZERO
    if road.cross and count == 1:       # a real image: one item makes both parts
        items[0].to = 2 * items[0].part
        items[1] = items[0]
        items[1].to += 1
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


cdef void run_overlap(
    Job* job, Overlap* road, Room* room, const long long* items, Py_ssize_t count, char* verdicts,
) noexcept nogil:
    """Items two by two; with a complex kernel and a real image one by one."""
    cdef Py_ssize_t k, pair = 1 if road.cross and job.parts == job.channels else 2, i, size = type_size(road.kind)
    memset(room.zeros, 0, road.across.n * size)
    if job.boundary == FILL:
        for i in range(road.across.n):
            if road.kind == F4:
                fetch_fill(job, 0, <float*> room.constant + i)
            else:
                fetch_fill(job, 0, <double*> room.constant + i)
    for k from 0 <= k < count by pair:
        do_items(job, road, room, items + k, min(pair, count - k), verdicts + k)


cdef Py_ssize_t make_room(Job* job, Overlap* road, Room* room, char* base) noexcept nogil:
    """Place every scratch buffer of a thread from base on; the bytes they take."""
    cdef Py_ssize_t size = type_size(road.kind), rows = road.down.n, cols = road.across.n, word = sizeof(char*), k
    cdef char* at = base
    room.tile = carve(&at, 2 * rows * cols * size)
    room.strip = carve(&at, 2 * rows * max(RC_BYTES, 8))
    for k in range(2):
        room.block[k] = carve(&at, rows * cols * size)
        room.rows[k] = <const char**> carve(&at, rows * word)
    room.plane = carve(&at, max(RC_BYTES // size, 1) * plane_pitch(road))
    room.zeros = carve(&at, cols * size)
    room.constant = carve(&at, cols * size)
    room.raw = carve(&at, cols * type_size(job.kind))
    room.run = <Py_ssize_t*> carve(&at, 4 * cols * word)
    return at - base


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


def kernel_spectrum(cnp.ndarray parts, tuple down, tuple across, double scale):
    """Spectrum of a kernel for correlation, in the tiles' order.

    Parameters
    ----------
    parts : contiguous array of shape (1 or 2, rows, columns), float32 or float64
        Real and imaginary part of the kernel, filled up with zeros to whole vectors of columns.
    down, across : (length, radices, table)
    scale : factor on the spectrum

    Returns
    -------
    1-D array of the same type, twice the tile's size
    """
    cdef Overlap road
    cdef Room room
    cdef Job job
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef Py_ssize_t k, i
    cdef bint two = cnp.PyArray_DIM(parts, 0) == 2
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = job.kind = kind_of(cnp.PyArray_TYPE(parts))
    road.whole = False
    road.height = cnp.PyArray_DIM(parts, 1)
    road.width = cnp.PyArray_DIM(parts, 2)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, [2 * road.down.n * road.across.n], cnp.PyArray_TYPE(parts), 0)
    cdef char* memory = <char*> malloc(make_room(&job, &road, &room, NULL) + 64)
    if memory == NULL:
        raise MemoryError("no scratch memory for the tiles")
    with nogil:
        make_room(&job, &road, &room, memory + (64 - <size_t> memory % 64))
        memset(room.zeros, 0, road.across.n * type_size(road.kind))
        for k in range(1 + two):
            for i in range(road.down.n):
                room.rows[k][i] = room.zeros
            for i in range(road.height):
                room.rows[k][i] = cnp.PyArray_BYTES(parts) + (k * road.height + i) * road.width * type_size(road.kind)
        if road.kind == F4:
            make_spectrum(vf4_splat(<const char*> &zero4), &road, &room, cnp.PyArray_BYTES(out), <float> scale, two)
        else:
            make_spectrum(vf8_splat(<const char*> &zero8), &road, &room, cnp.PyArray_BYTES(out), scale, two)
        free(memory)
    return out


cdef void make_spectrum(fvec zero, Overlap* road, Room* room, char* out, lane scale, bint two) noexcept nogil:
    """Conjugate spectrum of the tile in room.rows, scaled."""
    cdef Py_ssize_t s, k, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    cdef Seen seen[2]
    cdef lane back = -scale
    cdef char* strip
    load_tile(zero, road, room, two, NULL, seen)
    for s in range(road.across.n // lanes):
        strip = out + s * road.down.n * unit
        turn(zero, room.tile + s * block, line, strip, block, road.down.n // lanes)
        forward(zero, strip, &road.down, road.down.passes)
        for k in range(road.down.n):
            store(strip + k * unit, splat(zero, <const char*> &scale) * load(zero, strip + k * unit))
            store(strip + k * unit + sizeof(fvec), splat(zero, <const char*> &back) * load(zero, strip + k * unit + sizeof(fvec)))


def correlate_fft(
    cnp.ndarray image, cnp.ndarray spectrum, tuple down, tuple across, tuple kernel_shape, tuple step, tuple facts,
    cnp.ndarray fill, int boundary, Py_ssize_t top, Py_ssize_t left, bint lift, cnp.ndarray out, cnp.ndarray items,
):
    """Items of a correlation by overlap-save tiles, with the GIL released; which of them were refused.

    Parameters
    ----------
    image, fill, boundary, top, left, lift, out : as in `correlate`
    spectrum : of `kernel_spectrum`
    down, across : (length, radices, table) of the tile's transforms
    kernel_shape : (rows, columns)
    step : (rows, columns) of outputs of a tile
    facts : (cross, whole, integers, positive, noise, gain, range, least, most, sure), see Overlap
    items : contiguous int64 array
        Item p of tile t is t * parts + p; tiles run along the rows of the result, parts are numbers of a pixel.

    Returns
    -------
    uint8 array, 1 where an item was refused and nothing of it stored
    """
    cdef Job job
    cdef Overlap road
    cdef Room room
    cdef char* memory
    cdef Py_ssize_t count = cnp.PyArray_SIZE(items)
    cdef cnp.ndarray verdicts = cnp.PyArray_ZEROS(1, [count], cnp.NPY_UINT8, 0)
    see_image(&job, image)
    if lift:
        job.lift = job.pairs = True
        job.parts *= 2
    see_out(&job, out)
    job.kh, job.kw = kernel_shape
    job.fill = cnp.PyArray_BYTES(fill)
    job.boundary = boundary
    job.top = top
    job.left = left
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = kind_of(cnp.PyArray_TYPE(spectrum))
    road.spectrum = cnp.PyArray_BYTES(spectrum)
    (road.cross, road.whole, road.integers, road.positive, road.noise, road.gain, road.range, road.least, road.most,
     road.sure) = facts
    road.step_y, road.step_x = step
    road.height = road.step_y + job.kh - 1
    road.width = min(road.across.n, (road.step_x + job.kw - 1 + 15) // 16 * 16)
    road.tiles_x = (job.n + road.step_x - 1) // road.step_x
    with nogil:
        memory = <char*> malloc(make_room(&job, &road, &room, NULL) + 64)
        if memory != NULL:
            make_room(&job, &road, &room, memory + (64 - <size_t> memory % 64))
            run_overlap(&job, &road, &room, <const long long*> cnp.PyArray_BYTES(items), count, cnp.PyArray_BYTES(verdicts))
            free(memory)
    if memory == NULL:
        raise MemoryError("no scratch memory for the tiles")
    return verdicts
