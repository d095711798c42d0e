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
    BLOCK_ROWS = 8          # by 8 columns: a block whose energy is one sample of the dynamic range

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
    int part                    # plane of the image
    Py_ssize_t y, x, m, n       # its outputs
    char gain[8]                # what they are multiplied by, in the lane's type
    bint rounds, clamps
    int verdict

ctypedef struct Room:           # scratch of one thread
    char* block[2]
    char* tile
    char* strip
    char* plane[2]
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


cdef inline void load_strip(
    fvec zero, const char** rows_a, const char** rows_b, Py_ssize_t x, Py_ssize_t n, char* strip, const char* scale,
    Sight* sight, const bint two, const bint fractions,
) noexcept nogil:
    """n rows, one vector wide at byte x, of two tiles (times scale[0], scale[1] if given) to a strip."""
    cdef Py_ssize_t i, j, unit = 2 * sizeof(fvec), size = lane_size(zero)
    cdef fvec a, b, energy_a, energy_b, bits_a, bits_b, odd_a, odd_b, low_a, low_b, high_a, high_b, total_a, total_b
    cdef fvec magic, sa, sb
    cdef double big = 6755399441055744.0        # 1.5 * 2^52: adding it rounds to a whole number
    cdef float big4 = 12582912.0                # 1.5 * 2^23
    magic = splat(zero, <const char*> &big4) if size == 4 else splat(zero, <const char*> &big)
    total_a = load(zero, sight[0].energy)
    low_a = load(zero, sight[0].low)
    high_a = load(zero, sight[0].high)
    bits_a = load(zero, sight[0].bits)
    odd_a = load(zero, sight[0].odd)
    if two:
        total_b = load(zero, sight[1].energy)
        low_b = load(zero, sight[1].low)
        high_b = load(zero, sight[1].high)
        bits_b = load(zero, sight[1].bits)
        odd_b = load(zero, sight[1].odd)
    if scale != NULL:
        sa = splat(zero, scale)
        sb = splat(zero, scale + size)
    for i from 0 <= i < n by BLOCK_ROWS:
        energy_a = energy_b = zero
        for j in range(i, i + BLOCK_ROWS):
            a = load(zero, rows_a[j] + x)
            if scale != NULL:
                a = sa * a
            store(strip + j * unit, a)
            energy_a = energy_a + a * a
            bits_a = or_bits(bits_a, a)
            if fractions:
                odd_a = or_bits(odd_a, a - ((a + magic) - magic))
            if two:
                b = load(zero, rows_b[j] + x)
                if scale != NULL:
                    b = sb * b
                store(strip + j * unit + sizeof(fvec), b)
                energy_b = energy_b + b * b
                bits_b = or_bits(bits_b, b)
                if fractions:
                    odd_b = or_bits(odd_b, b - ((b + magic) - magic))
            else:
                store(strip + j * unit + sizeof(fvec), zero)
        total_a = total_a + energy_a
        energy_a = neighbours(energy_a)
        low_a = least(low_a, energy_a)
        high_a = most(high_a, energy_a)
        if two:
            total_b = total_b + energy_b
            energy_b = neighbours(energy_b)
            low_b = least(low_b, energy_b)
            high_b = most(high_b, energy_b)
    store(sight[0].energy, total_a)
    store(sight[0].low, low_a)
    store(sight[0].high, high_a)
    store(sight[0].bits, bits_a)
    store(sight[0].odd, odd_a)
    if two:
        store(sight[1].energy, total_b)
        store(sight[1].low, low_b)
        store(sight[1].high, high_b)
        store(sight[1].bits, bits_b)
        store(sight[1].odd, odd_b)


cdef void load_tile(
    fvec zero, Overlap* road, Room* room, bint two, const char* scale, Seen* seen,
) noexcept nogil:
    """Two tiles, zero beyond road.width, from room.rows into room.tile, transformed down the columns."""
    cdef Py_ssize_t s, g, x, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), rows = road.down.n, cols = road.across.n, k
    cdef Py_ssize_t block = lanes * unit
    cdef char* cell
    cdef Sight sight[2]
    for k in range(2):
        reset(zero, &sight[k])
    for s in range(cols // lanes):
        x = s * <Py_ssize_t> sizeof(fvec)
        if s * lanes >= road.width:
            for g in range(rows // lanes):
                memset(room.tile + (g * cols + s * lanes) * unit, 0, block)
            continue
        if two and road.whole:
            load_strip(zero, room.rows[0], room.rows[1], x, rows, room.strip, scale, sight, True, True)
        elif two:
            load_strip(zero, room.rows[0], room.rows[1], x, rows, room.strip, scale, sight, True, False)
        else:
            load_strip(zero, room.rows[0], room.rows[0], x, rows, room.strip, scale, sight, False, road.whole)
        forward(zero, room.strip, &road.down, road.down.passes)
        for g in range(rows // lanes):
            cell = room.tile + (g * cols + s * lanes) * unit
            transpose(zero, room.strip + g * block, unit, cell, unit)
            transpose(zero, room.strip + g * block + sizeof(fvec), unit, cell + sizeof(fvec), unit)
    for k in range(2):
        look_at(zero, &sight[k], &seen[k])


cdef void filter_rows(fvec zero, Overlap* road, Room* room) noexcept nogil:
    """Across the rows of room.tile: transform, multiply by the kernel's spectrum, transform back."""
    cdef Py_ssize_t g, line = road.across.n * 2 * <Py_ssize_t> sizeof(fvec)
    for g in range(road.down.n // lanes_in(zero)):
        filter_strip(zero, room.tile + g * line, &road.across, road.spectrum + g * line)


cdef inline void store_strip(
    fvec zero, const char* strip, char* d, Py_ssize_t pitch, Py_ssize_t m, const char* gain, const bint rounds,
    const bint clamps,
) noexcept nogil:
    """m rows of one part of a strip, times gain, to d."""
    cdef Py_ssize_t y, unit = 2 * sizeof(fvec), size = lane_size(zero)
    cdef double big = 6755399441055744.0
    cdef float big4 = 12582912.0
    cdef fvec v, factor = splat(zero, gain), magic
    magic = splat(zero, <const char*> &big4) if size == 4 else splat(zero, <const char*> &big)
    for y in range(m):
        v = factor * load(zero, strip + y * unit)
        if rounds:
            v = (v + magic) - magic
        if clamps:
            v = positive_part(v)
        store(d + y * pitch, v)


cdef inline Py_ssize_t plane_pitch(Overlap* road) noexcept nogil:
    """Bytes from row to row of a plane of outputs: never a power of two, as such rows share cache sets."""
    cdef Py_ssize_t pitch = road.across.n * type_size(road.kind)
    return pitch + 64 if pitch % 128 == 0 else pitch


cdef void store_tile(fvec zero, Overlap* road, Room* room, Item* items) noexcept nogil:
    """Back down the columns of room.tile: the outputs of the items that are served, to room.plane.

    Straight to the result would be slower: strip by strip each of its cache lines would be fetched and written twice.
    """
    cdef Py_ssize_t s, g, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), at
    cdef Py_ssize_t block = lanes * unit, cols = road.across.n, pitch = plane_pitch(road)
    cdef int k
    cdef char* cell
    cdef char* part
    cdef Item* it
    for s in range((road.step_x + lanes - 1) // lanes):
        at = s * <Py_ssize_t> sizeof(fvec)
        for g in range(road.down.n // lanes):
            cell = room.tile + (g * cols + s * lanes) * unit
            transpose(zero, cell, unit, room.strip + g * block, unit)
            transpose(zero, cell + sizeof(fvec), unit, room.strip + g * block + sizeof(fvec), unit)
        backward(zero, room.strip, &road.down, road.down.passes)
        for k in range(2):
            it = &items[k]
            if it.verdict != DONE or it.n <= s * lanes:
                continue
            part = room.strip + k * sizeof(fvec)
            if it.rounds or it.clamps:
                store_strip(zero, part, room.plane[k] + at, pitch, it.m, it.gain, it.rounds, it.clamps)
            else:
                store_strip(zero, part, room.plane[k] + at, pitch, it.m, it.gain, False, False)


cdef inline bint is_packed(Job* job, Overlap* road) noexcept nogil:
    """Whether outputs of an item lie side by side in the lane's type."""
    return (job.out_parts == 1 and job.store == KEEP_BITS and job.out_kind == road.kind
            and job.out_col_stride == type_size(road.kind))


cdef void fetch_fill(Job* job, int part, lane* value) noexcept nogil:
    """The fill value's number of a part."""
    to_lane(job.fill_kind, job.fill + (part & job.pairs) * type_size(job.fill_kind), 0, value, 1, 1)


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
    it.part = index % job.parts
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


cdef void put_item(Job* job, Overlap* road, Room* room, Item* it, int k, int part) noexcept nogil:
    """An item's outputs, from room.plane[k] or zeros, to a part of the result."""
    cdef Py_ssize_t y, size = type_size(road.kind), out_size = type_size(job.out_kind), pitch = plane_pitch(road)
    cdef bint packed = is_packed(job, road)
    cdef char* dest
    if it.verdict == REFUSED:
        return
    if it.verdict == ZERO:
        memset(room.plane[k], 0, it.m * pitch)
    for y in range(it.m):
        dest = job.out + (it.y + y) * job.out_row_stride + it.x * job.out_col_stride + part * out_size
        if packed:
            copy_run(room.plane[k] + y * pitch, dest, it.n * size)
        else:
            put_lane(job, road.kind, room.plane[k] + y * pitch, 1, dest, job.out_col_stride, it.n)


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
        if not two:
            items[1] = items[0]
        memcpy(items[1].gain, items[0].gain, 8)
        items[1].rounds = items[0].rounds
        items[1].clamps = False
        items[1].verdict = items[0].verdict
    else:
        for k in range(1 + two):
            finish_item(road, room, &items[k], k, &seen[k], energy, seen[k].low, scale[k])
    filter_rows(zero, road, room)
    store_tile(zero, road, room, items)


cdef void do_items(Job* job, Overlap* road, Room* room, const long long* index, Py_ssize_t count, char* verdict) noexcept nogil:
    """One or two items, from the image to the result."""
    cdef Item items[2]
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef int k
    for k in range(count):
        see_item(job, road, room, &items[k], k, index[k])
    items[1].verdict = ZERO
    if road.kind == F4:
        transform_items(vf4_splat(<const char*> &zero4), job, road, room, items, count == 2)
    else:
        transform_items(vf8_splat(<const char*> &zero8), job, road, room, items, count == 2)
    for k in range(count):
        verdict[items[k].slot] = items[k].verdict == REFUSED
    if road.cross and count == 1:       # a real image: one item makes both parts
        items[1].verdict = items[0].verdict
        put_item(job, road, room, &items[0], 0, 2 * items[0].part)
        put_item(job, road, room, &items[0], 1, 2 * items[0].part + 1)
        return
    for k in range(count):
        put_item(job, road, room, &items[k], k, items[k].part)


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
        room.plane[k] = carve(&at, road.step_y * plane_pitch(road))
        room.rows[k] = <const char**> carve(&at, rows * word)
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


def kernel_spectrum(cnp.ndarray real_part, cnp.ndarray imag_part, tuple down, tuple across, double scale):
    """Spectrum of a kernel for correlation, in the tiles' order.

    Parameters
    ----------
    real_part, imag_part : contiguous arrays of a tile's shape, float32 or float64
        The kernel, and zeros.
    down, across : (length, radices, table)
    scale : factor on the spectrum

    Returns
    -------
    1-D array of the same type, twice the tile's size
    """
    cdef Overlap road
    cdef Room room
    cdef Job job
    cdef Seen seen[2]
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef Py_ssize_t i, width
    see_transform(&road.down, down)
    see_transform(&road.across, across)
    road.kind = kind_of(cnp.PyArray_TYPE(real_part))
    road.whole = False
    road.step_y = road.step_x = 0
    road.width = road.across.n
    job.n_outer = 0
    see_image(&job, real_part)
    see_out(&job, real_part)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(real_part)
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(1, [2 * n], cnp.PyArray_TYPE(real_part), 0)
    cdef char* memory = <char*> malloc(make_room(&job, &road, &room, NULL) + 64)
    if memory == NULL:
        raise MemoryError("no scratch memory for the tiles")
    with nogil:
        make_room(&job, &road, &room, memory + (64 - <size_t> memory % 64))
        for i in range(job.rows):
            room.rows[0][i] = cnp.PyArray_BYTES(real_part) + i * job.row_stride
            room.rows[1][i] = cnp.PyArray_BYTES(imag_part) + i * job.row_stride
        if road.kind == F4:
            make_spectrum(vf4_splat(<const char*> &zero4), &road, &room, cnp.PyArray_BYTES(out), scale, <float*> NULL)
        else:
            make_spectrum(vf8_splat(<const char*> &zero8), &road, &room, cnp.PyArray_BYTES(out), scale, <double*> NULL)
        free(memory)
    return out


cdef void make_spectrum(fvec zero, Overlap* road, Room* room, char* out, double scale, lane* like) noexcept nogil:
    """Conjugate spectrum of the tile in room.rows, scaled."""
    cdef Py_ssize_t g, k, lanes = lanes_in(zero), line = road.across.n * 2 * <Py_ssize_t> sizeof(fvec)
    cdef Seen seen[2]
    cdef lane* d = <lane*> out
    cdef const lane* s = <const lane*> room.tile
    cdef lane factor = <lane> scale
    load_tile(zero, road, room, True, NULL, seen)
    for g in range(road.down.n // lanes):
        forward(zero, room.tile + g * line, &road.across, road.across.passes)
    for k in range(road.down.n * road.across.n // lanes):
        for g in range(lanes):
            d[2 * k * lanes + g] = factor * s[2 * k * lanes + g]
            d[(2 * k + 1) * lanes + g] = -factor * s[(2 * k + 1) * lanes + g]


def correlate_fft(
    tuple work, cnp.ndarray spectrum, tuple down, tuple across, tuple step, tuple facts, cnp.ndarray items,
):
    """Items of a correlation by overlap-save tiles, with the GIL released; which of them were refused.

    Parameters
    ----------
    work : as in `correlate`
    spectrum : of `kernel_spectrum`
    down, across : (length, radices, table) of the tile's transforms
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
    see_work(&job, work)
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
