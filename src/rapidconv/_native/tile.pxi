# A pair of tiles: loaded and seen, transformed, multiplied by the kernel's spectrum, transformed back, stored.
#
#     image  --transpose-->  rows across  --transpose-->  strips down the tile, times the spectrum, and back
#     result <-transpose---  rows across  <-transpose--
#
# Rows of the image are read, and rows of the result written, from end to end: strips down them would touch two cache
# lines a vector, and a page each.  The tile is stored as rows of strips, so that the stages across work in place.

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
    SIDE = 16               # columns: whole vectors of any target

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
    int combine                 # how the sums of several kernels meet, as in several.pxi
    int count                   # kernels, each with a spectrum of so many bytes
    Py_ssize_t spectrum_bytes
    Py_ssize_t out_step         # bytes between their results, of APART
    const double* gains         # power of two each spectrum was divided by
    const char* positives       # of which no tap is negative
    bint positive               # whether there is one
    double noise                # error of an output / 2-norm of what rides in its transform, at most
    double range                # dynamic range (energy) below which a tile is served
    double least, most          # energies whose squares neither underflow nor overflow
    double sure                 # energy below which all numbers are small enough to be seen whole
    Py_ssize_t step_y, step_x   # outputs of a tile
    Py_ssize_t height, width    # numbers of a tile that they need, the width in whole vectors of any target
    Py_ssize_t tiles_x
    Py_ssize_t planes           # of the image that items are tiles of,
    const long long* sources    # bytes from the first one to each, LLONG_MIN: fill,
    const long long* places     # and from the first plane of the result

ctypedef struct Item:
    int slot                    # place in the call's list
    int number, to              # number of a pair in the image and in the result: 1 is an imaginary part
    long long source, place     # bytes to its planes of the image and of the result
    char* out                   # plane of the result
    Py_ssize_t y, x, m, n       # its outputs
    double scale                # of a tile that was lifted
    char gain[8]                # what they are multiplied by, in the lane's type
    bint rounds, clamps
    int verdict

ctypedef struct Source:         # an item's numbers
    const char** rows           # read in place in columns first to end, multiples of SIDE,
    Py_ssize_t first, end
    const char** sides          # gathered in the others
    char* block

ctypedef struct Room:           # scratch of one thread
    Source source[2]
    char* tile
    char* strip
    char* plane                 # some rows of outputs
    char* spectrum              # of the tile, where there are several kernels,
    char* sums[2]               # and the outputs of each item, where they meet
    char* zeros                 # rows of zeros, and of the fill value
    char* constant
    char* raw
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
    return (job.out_parts == 1 and job.store == KEEP_BITS and job.out_kind == road.kind
            and job.out_col_stride == type_size(road.kind))


cdef inline void load_strip(
    fvec zero, Source* source, Py_ssize_t row, Py_ssize_t width, char* strip, const char* scale, Sight* sight,
    const bint fractions,
) noexcept nogil:
    """Rows of an item to one part of a strip, seen while they are in registers; times the lane at scale if given."""
    cdef Py_ssize_t x, i, j, unit = 2 * sizeof(fvec), lanes = lanes_in(zero)
    cdef const char** rows
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
    for x from 0 <= x < width by SIDE:
        rows = (source.rows if source.first <= x < source.end else source.sides) + row
        for i from 0 <= i < SIDE by lanes:
            take_rows(zero, rows, (x + i) * lane_size(zero), strip + i * unit, unit)
        for i from 0 <= i < SIDE by BLOCK:
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
        strip += SIDE * unit
    store(sight.energy, total)
    store(sight.low, low)
    store(sight.high, high)
    store(sight.bits, bits)
    store(sight.odd, odd)


cdef void load_tile(
    fvec zero, Overlap* road, Room* room, bint two, const char* scale, Seen* seen,
) noexcept nogil:
    """Two tiles (times scale[0], scale[1] if given) from their sources into room.tile, transformed across."""
    cdef Py_ssize_t g, x, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit
    cdef int k
    cdef char* strip
    cdef char* part
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
            part = strip + k * sizeof(fvec)
            if scale != NULL:
                factor = scale + k * lane_size(zero)
                load_strip(zero, &room.source[k], g * lanes, road.width, part, factor, &sight[k], False)
            elif road.whole:
                load_strip(zero, &room.source[k], g * lanes, road.width, part, NULL, &sight[k], True)
            else:
                load_strip(zero, &room.source[k], g * lanes, road.width, part, NULL, &sight[k], False)
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


cdef inline void transform_columns(fvec zero, Overlap* road, Room* room, char* cells) noexcept nogil:
    """Strips down the columns of room.tile, transformed, to cells."""
    cdef Py_ssize_t s, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    cdef char* strip
    for s in range(road.across.n // lanes):
        strip = cells + s * road.down.n * unit
        turn(zero, room.tile + s * block, line, strip, block, road.down.n // lanes)
        forward(zero, strip, &road.down, road.down.passes)


cdef inline void ask_for_rows(
    const char* row, Py_ssize_t step, Py_ssize_t first, Py_ssize_t end, Py_ssize_t bytes, const bint later,
) noexcept nogil:
    """Rows first <= . < end, step bytes apart, on their way to the second-level cache (later), or to the first."""
    cdef Py_ssize_t y, at
    for y in range(first, end):
        for at from 0 <= at < bytes + 63 by 64:
            if later:
                RC_READ_LATER(row + y * step + min(at, bytes - 1))
            else:
                RC_READ_SOON(row + y * step + min(at, bytes - 1))


cdef void filter_tile(fvec zero, Job* job, Overlap* road, Room* room, Item* items) noexcept nogil:
    """Down the columns of room.tile: transform, multiply by the kernel's spectrum, transform back.

    Meanwhile the lines of the result that outputs of the items go to are fetched: stores do not wait for them then.
    """
    cdef Py_ssize_t s, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    cdef Py_ssize_t strips = road.across.n // lanes
    cdef char* cells
    cdef Item* it
    cdef int k
    for s in range(strips):
        for k in range(2):
            it = &items[k]
            if it.verdict == DONE and 0 < job.out_col_stride <= 16:
                ask_for_rows(it.out + it.y * job.out_row_stride + it.x * job.out_col_stride, job.out_row_stride,
                             it.m * s // strips, it.m * (s + 1) // strips, it.n * job.out_col_stride, True)
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


cdef void put_rows(
    fvec zero, Job* job, Overlap* road, Room* room, Item* it, Py_ssize_t first, Py_ssize_t m, int kernel,
) noexcept nogil:
    """m rows of outputs of an item from room.plane to the result, or to meet those of other kernels."""
    cdef Py_ssize_t y, bytes = it.n * type_size(road.kind), vector = sizeof(fvec)
    cdef bint packed = is_packed(job, road), straight = packed and bytes >= vector and road.combine == APART
    cdef char* row
    cdef char* dest
    for y in range(m):
        row = room.plane + y * plane_pitch(road)
        dest = (it.out + (it.y + first + y) * job.out_row_stride + it.x * job.out_col_stride
                + it.to * type_size(job.out_kind))
        if not straight:
            finish_row(zero, row, row, (bytes + vector - 1) // vector * vector, it.gain, it.rounds, it.clamps)
        elif it.rounds or it.clamps:
            finish_row(zero, row, dest, bytes, it.gain, it.rounds, it.clamps)
        else:
            finish_row(zero, row, dest, bytes, it.gain, False, False)
        if road.combine != APART:
            row = meet_row(road, room, it, first + y, row, kernel)
            if kernel < road.count - 1:
                continue
        if packed and not straight:
            copy_run(row, dest, bytes)
        elif not packed:
            put_lane(job, road.kind, row, 1, dest, job.out_col_stride, it.n)


cdef void store_tile(fvec zero, Job* job, Overlap* road, Room* room, Item* items, int kernel) noexcept nogil:
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
            put_rows(zero, job, road, room, it, g * lanes, min(lanes, it.m - g * lanes), kernel)
