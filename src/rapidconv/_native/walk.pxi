# The walk over tiles: which rows to read in place, which to gather, where sums go.
#
#            | left | interior: rows read in place through their strides   | right |
#   top      |  the rows' start addresses follow the boundary, so rows above and    |
#   middle   |  below the image cost nothing; only the left and right rims, and     |
#   bottom   |  images of another type or stride, are gathered into a scratch tile  |
#
# Below this line nothing can fail but the allocation of scratch memory, which is made once per call.


cdef void correlate_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
    Py_ssize_t ahead, int order,
) noexcept nogil:
    """correlate_rows, or correlate_pairs, in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4 and order != TAPS:
        correlate_pairs(vf4_splat(z), rows, m, n, kh, kw, w, step, out, out_pitch, ahead, order)
    elif kind == F8 and order != TAPS:
        correlate_pairs(vf8_splat(z), rows, m, n, kh, kw, w, step, out, out_pitch, ahead, order)
    elif kind == F4:
        correlate_rows(vf4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif kind == F8:
        correlate_rows(vf8_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif kind == I2:
        correlate_rows(vi2_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif kind == I4:
        correlate_rows(vi4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif kind == I8:
        correlate_rows(vi8_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif RC_DOTS and kind == Q4:
        correlate_rows(vq4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    elif RC_DOTS and kind == P4:
        correlate_rows(vp4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)
    else:
        correlate_rows(vfg_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, ahead)


cdef void whole_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_rows of integers in a floating lane of their size."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_WHOLE and kind == F4:
        correlate_rows(vw4_splat(z), rows, m, n, kh, kw, w, w_step, step, NULL, 0, out, out_pitch, -m)
    elif RC_WHOLE and kind == F8:
        correlate_rows(vw8_splat(z), rows, m, n, kh, kw, w, w_step, step, NULL, 0, out, out_pitch, -m)


cdef void bank_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, int meeting,
) noexcept nogil:
    """correlate_bank in the lane of a type, which has banks."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_BANKS and kind == F4:
        correlate_bank(vf4_splat(z), rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, meeting)
    elif RC_BANKS and kind == F8:
        correlate_bank(vf8_splat(z), rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, meeting)


cdef void put_lane(
    Job* job, int kind, const char* s, Py_ssize_t s_step, char* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """n sums, in the lane of a type, as numbers of the result."""
    cdef int out_kind = job.out_kind
    if job.store != KEEP_BITS:
        put_whole(job, kind, s, s_step, d, stride, n)
        return
    if kind == F4:
        from_lane(<const float*> s, s_step, out_kind, d, stride, n)
    elif kind == F8:
        from_lane(<const double*> s, s_step, out_kind, d, stride, n)
    elif kind == I2:
        from_lane(<const short*> s, s_step, out_kind, d, stride, n)
    elif kind == I4:
        from_lane(<const int*> s, s_step, out_kind, d, stride, n)
    elif kind == I8:
        from_lane(<const long long*> s, s_step, out_kind, d, stride, n)
    else:
        from_lane(<const extended*> s, s_step, out_kind, d, stride, n)


cdef void tile(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, bint interior,
) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1; interior: no tap leaves the image sideways, the image is read in place."""
    cdef Py_ssize_t n_runs = 0
    cdef int k = sc.lane if job.taps > 1 else first_lane(job)
    if not interior:
        n_runs = runs_of(job, job.left + x0, x1 - x0 + job.kw - 1, sc.run)
    while not tile_in(job, sc, &job.lanes[k], k < job.n_lanes - 1, y0, y1, x0, x1, n_runs):
        k += 1
        if job.taps > 1:
            forget_blocks(sc, k)


cdef inline int first_lane(Job* job) noexcept nogil:
    """The lane to try first: only plain numbers are measured."""
    return 0 if job.plain else job.n_lanes - 1


cdef char* fetch_block(
    Job* job, Scratch* sc, Lane* ln, bint measured, Py_ssize_t first, Py_ssize_t m, Py_ssize_t pitch, Py_ssize_t n_runs,
    Py_ssize_t tap, bint padded,
) noexcept nogil:
    """m rows from position first on, of the image's plane under a tap, in a block; NULL where too large for the lane."""
    cdef Py_ssize_t slot = sc.slot[tap] if sc.slots > 1 else 0
    cdef char* block = sc.block + slot * sc.slot_bytes
    if sc.slots > 1 and sc.held[slot] == sc.under[tap]:
        return block
    job.image = sc.under[tap]
    source_rows(job, sc, first, m)
    if padded:
        memset(block, 0, m * pitch)
    if gather_lane(job, sc, ln.kind, block, pitch, m, n_runs, measured) > ln.limit:
        return NULL
    if sc.slots > 1:
        sc.held[slot] = sc.under[tap]
    return block


cdef bint tile_in(
    Job* job, Scratch* sc, Lane* ln, bint measured, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1,
    Py_ssize_t n_runs,
) noexcept nogil:
    """A tile in a lane, read in place where there are no runs to gather; False if measured and too large for the lane."""
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, n = width * job.parts, first, group, i, size = type_size(ln.kind), tap
    cdef Py_ssize_t full = max(n, lanes_of(ln.kind)), row_pitch = block_pitch(job, ln, full)
    cdef Py_ssize_t pitch = pitch_of(full * size), dest_pitch
    cdef Py_ssize_t ahead = -m
    cdef int planes = 1 if ln.imag_part == NULL else 2, p
    cdef bint interior = n_runs == 0, last, few
    cdef const Tap* met
    cdef const Tap* end
    cdef bint straight = is_straight(job, ln) and n == full
    cdef bint banked = straight and planes == 2 and job.taps == 1 and (interior or sc.group == job.kh)
    cdef const char* sums[2]
    cdef const char* w
    cdef char* dest
    if is_matrix(ln):
        matrices_in(job, sc, ln, y0, y1, x0, x1, n_runs)
        return True
    if rows_of(ln) > 1:
        dots_in(job, sc, ln, y0, y1, x0, x1, n_runs)
        return True
    straight = straight and (planes == 1 or banked)
    sums[0] = sums[1] = NULL
    for tap in range(job.taps):
        # Groups of kernel rows only split what is gathered: every sum still meets its taps in the same order.
        first = 0
        while first < job.kh:
            group = job.kh if interior else min(sc.group, job.kh - first)
            if interior:
                ahead = min(FETCHED, job.m - y1)
                place_rows(job, sc, y0, m + ahead, x0)
            else:
                dest = fetch_block(job, sc, ln, measured, job.top + y0 + first, m + group - 1, row_pitch, n_runs, tap, n < full)
                if dest == NULL:
                    return False
                for i in range(m + group - 1):
                    sc.rows[i] = dest + i * row_pitch
            few = meets_few(job, sc, ln.kind, m + group - 1, full + (job.kw - 1) * job.parts, y0 if interior else -1, y1, x0)
            if few:
                met = sc.tap + sc.first[tap * job.kh + first]
                end = sc.tap + sc.first[tap * job.kh + first + group]
            if banked and few:
                few_bank_lane(ln.kind, sc.rows, m, n, met, end, ln.real_part, ln.imag_part, job.kh, job.parts * size,
                              job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride,
                              CROSSED if job.pairs else ZIPPED)
                return True
            if banked:
                bank_lane(ln.kind, sc.rows, m, n, job.kh, job.kw, ln.real_part, ln.imag_part, job.kh * size,
                          job.parts * size, job.out + y0 * job.out_row_stride + x0 * job.out_col_stride,
                          job.out_row_stride, CROSSED if job.pairs else ZIPPED)
                return True
            last = tap == job.taps - 1 and first + group == job.kh
            for p in range(planes):
                w = tap_weights(job, ln, ln.imag_part if p else ln.real_part, tap) + first * size
                if straight and last:
                    dest = job.out + y0 * job.out_row_stride + x0 * job.out_col_stride
                    dest_pitch = job.out_row_stride
                else:
                    dest = sc.plane[2 * p] if sums[p] != sc.plane[2 * p] else sc.plane[2 * p + 1]
                    dest_pitch = pitch
                if few:
                    few_lane(ln.kind, sc.rows - first, m, full, met, end, w - first * size, job.kh, job.parts * size, sums[p],
                             pitch, dest, dest_pitch)
                else:
                    correlate_lane(ln.kind, sc.rows, m, full, group, job.kw, w, job.kh * size, job.parts * size, sums[p], pitch,
                                   dest, dest_pitch, ahead, job.order)
                sums[p] = dest
            first += group
    if straight:
        return True
    for i in range(m):
        dest = job.out + (y0 + i) * job.out_row_stride + x0 * job.out_col_stride
        put_row(job, ln.kind, <char*> sums[0] + i * pitch, sums[1] + i * pitch if planes == 2 else NULL, dest, width)
    return True


cdef void put_row(Job* job, int kind, char* re, const char* im, char* dest, Py_ssize_t width) noexcept nogil:
    """A row of sums to the result: those of the real kernel and, if there is one, of the imaginary kernel."""
    cdef Py_ssize_t size = type_size(kind), out_size = type_size(job.out_kind), n = width * job.parts, part
    cdef Py_ssize_t stride = job.out_col_stride
    cdef bint packed = stride == job.out_parts * out_size
    if im != NULL and job.pairs:
        if kind == F4:
            add_times_i(<float*> re, <const float*> im, n)
        elif kind == F8:
            add_times_i(<double*> re, <const double*> im, n)
        else:
            add_times_i(<extended*> re, <const extended*> im, n)
    if im == NULL or job.pairs:
        if packed:
            put_lane(job, kind, re, 1, dest, out_size, n)
        else:
            for part in range(job.parts):
                put_lane(job, kind, re + part * size, job.parts, dest + part * out_size, stride, width)
        return
    for part in range(job.parts):
        put_lane(job, kind, re + part * size, job.parts, dest + 2 * part * out_size, stride, width)
        put_lane(job, kind, im + part * size, job.parts, dest + (2 * part + 1) * out_size, stride, width)


cdef unsigned long long peak_of(whole_vec zero, const char** rows, Py_ssize_t m, Py_ssize_t row_bytes) noexcept nogil:
    """A bound of the magnitude of integers in rows of at least a vector: the largest, rounded up to 2**k or to what lies below.

    One vector of bits for all rows: a sum over its lanes for every row would take as long as the row.
    """
    cdef Py_ssize_t i, at, one = sizeof(whole_vec)
    cdef int sign = 8 * lane_size(zero) - 1
    cdef whole_vec a, b, odd = zero, even = zero
    cdef unsigned long long top = 0
    cdef const char* p
    cdef char lanes[64]
    for i in range(m):
        p = rows[i]
        for at from 0 <= at <= row_bytes - 2 * one by 2 * sizeof(whole_vec):
            a = load(zero, p + at)
            b = load(zero, p + at + one)
            even = even | (a ^ (a >> sign))
            odd = odd | (b ^ (b >> sign))
        a = load(zero, p + max(0, row_bytes - 2 * one))
        b = load(zero, p + row_bytes - one)
        even = even | (a ^ (a >> sign))
        odd = odd | (b ^ (b >> sign))
    store(lanes, even | odd)
    for at from 0 <= at < one by lane_size(zero):
        if whole_vec is vi4:
            top |= <unsigned int> (<int*> (lanes + at))[0]
        else:
            top |= <unsigned long long> (<long long*> (lanes + at))[0]
    return top + 1


cdef void whole_tile(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, Py_ssize_t lanes, bint below,
) noexcept nogil:
    """A tile of integers summed where they lie in the hope that they are small, and measured when they are in the cache.

    below : whether the rows it shares with a tile above have been measured there
    """
    cdef Lane* ln = whole_number_lane(job)
    cdef Py_ssize_t m = y1 - y0, n = (x1 - x0) * job.parts, size = type_size(ln.kind), i, width
    cdef unsigned long long top
    if not sc.large:
        place_rows(job, sc, y0, m, x0)
        if job.few:
            few_whole(ln.kind, sc.rows, m, n, sc.tap, sc.tap + job.few, ln.real_part, job.kh, job.parts * size,
                      job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride)
        else:
            whole_lane(ln.kind, sc.rows, m, n, job.kh, job.kw, ln.real_part, job.kh * size, job.parts * size,
                       job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride)
        i = job.kh - 1 if below else 0
        if size == 4:
            top = peak_of(vi4_zero(), sc.rows + i, m + job.kh - 1 - i, (n + (job.kw - 1) * job.parts) * size)
        else:
            top = peak_of(vi8_zero(), sc.rows + i, m + job.kh - 1 - i, (n + (job.kw - 1) * job.parts) * size)
        if top <= ln.limit // 4:            # sums below 2^22 and 2^51
            return
        sc.large = True
    while x0 < x1:
        width = piece(x1 - x0, pixels(job, GATHER_BYTES), lanes)
        tile(job, sc, y0, y1, x0, x0 + width, False)
        x0 += width


cdef inline Py_ssize_t piece(Py_ssize_t left, Py_ssize_t wanted, Py_ssize_t lanes) noexcept nogil:
    """Next piece of a row cut into pieces of the wanted width, none narrower than a vector."""
    return left if left < wanted + lanes else wanted


cdef inline Py_ssize_t pixels(Job* job, Py_ssize_t row_bytes) noexcept nogil:
    """Pixels whose sums fill so many bytes in the last lane; enough to be worth a halo, not so odd that loops end slowly."""
    return max(32, row_bytes // (job.parts * type_size(last_lane(job).kind)) // 64 * 64)


cdef inline Py_ssize_t place_pixels(Job* job) noexcept nogil:
    """Width of a tile read in place: wide where no scratch memory stands between image and result."""
    if job.n_lanes > 1 and job.kh <= LOW_ROWS:
        return pixels(job, WHOLE_BYTES)
    return pixels(job, GATHER_BYTES if is_staged(job) else PLACE_BYTES)


cdef inline bint is_narrow(Job* job, Py_ssize_t width) noexcept nogil:
    """Whether a rim of so many columns is done turned: few columns, few numbers a pixel, sums straight to the result."""
    return (2 * width <= lanes_of(last_lane(job).kind) and job.out_parts <= TURNED_PARTS and job.kh <= MAX_TURNED
            and not job.few and is_straight(job, last_lane(job)))


cdef inline bint is_turned(Job* job, Py_ssize_t first, Py_ssize_t end, Py_ssize_t width) noexcept nogil:
    """Whether so many columns beside the interior, or all of an image of few columns and many rows, are done turned."""
    return is_narrow(job, width) and (first < end or (width < job.m and job.kw <= MAX_TURNED and in_place(job, last_lane(job))))


cdef void interior_of(Job* job, Py_ssize_t* first, Py_ssize_t* end) noexcept nogil:
    """Output columns first <= x < end to read in place; the rims beside them are narrow, or at least a strip wide."""
    cdef Py_ssize_t lanes = lanes_of(job.lanes[0].kind), wide = RC_TILE_VECS * lanes
    first[0] = max(0, -job.left)
    end[0] = min(job.n, job.cols - job.kw + 1 - job.left)
    if first[0] > 0 and not is_narrow(job, first[0]):
        first[0] = max(first[0], wide)
    if end[0] < job.n and not is_narrow(job, job.n - end[0]):
        end[0] = min(end[0], job.n - wide)
    if end[0] - first[0] < lanes or not (whole_number_lane(job) != NULL or job.n_lanes == 1 and in_place(job, &job.lanes[0])):
        first[0] = end[0] = job.n


cdef inline Py_ssize_t turn_planes(Job* job, Py_ssize_t turn) noexcept nogil:
    """Planes of a turn: one, or several where they are small or share planes of the image."""
    return TURN_PLANES if job.taps > 1 else max(1, TURN_NUMBERS // max(1, min(turn, job.m) * job.n))


cdef inline Py_ssize_t ring_rows(Job* job) noexcept nogil:
    """Rows of a tile of rings: all, or heights of the kernel, few enough for a strip of them to stay in the L2 cache."""
    cdef Py_ssize_t periods = job.m // job.kh, tiles = min(periods * job.kh // RING_TILE, periods // LEAST_PERIODS)
    return (periods + tiles - 1) // tiles * job.kh if tiles > 1 else job.m


cdef inline char* carve(char** at, Py_ssize_t size) noexcept nogil:
    """The next piece of scratch memory, aligned to a cache line."""
    cdef char* here = at[0]
    at[0] += (size + 63) // 64 * 64
    return here


cdef Py_ssize_t lay_out(Job* job, Scratch* sc, char* base, bint chains) noexcept nogil:
    """Place every scratch buffer of a call from base on; the bytes they take."""
    cdef Py_ssize_t size = 2, m, width, lanes = 1, first, end, row_bytes, budget, rows, turned, pointers, k
    cdef Py_ssize_t word = sizeof(char*), joined = rows_of(&job.lanes[0])
    cdef bint whole = whole_number_lane(job) != NULL, gathers = whole or needs_mending(job)
    cdef bint in_order = job.order != TAPS or job.store == TRUNCATE
    cdef char* at = base
    if is_matrix(&job.lanes[0]):
        return lay_out_matrices(job, sc, base)
    if chains and is_chained(job):
        return lay_out_chain(job, sc, base)
    for k in range(job.n_lanes):
        size = max(size, type_size(job.lanes[k].kind))
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    interior_of(job, &first, &end)
    width = max(first, job.n - end)                                  # the widest gathered tile
    if end > first and (gathers or is_staged(job)):
        width = job.n
    sc.width = pixels(job, GATHER_BYTES)
    if in_order:                        # taps that may not be summed group by group
        sc.width = max(1, min(sc.width, BLOCK_BYTES // (2 * (job.kh + TILE_ROWS) * job.parts * size)))
    width = max(min(width, sc.width + lanes), lanes)
    row_bytes = (width + job.kw) * job.parts * size + 192
    budget = BLOCK_BYTES // row_bytes        # rows of a block
    sc.group = job.kh
    sc.tile_rows = TILE_ROWS
    if end <= first or whole or is_staged(job):
        sc.tile_rows = min(TILE_ROWS, max(STAGED_ROWS, 4 * job.kh))
        if job.kh == 1 or (whole and job.kh <= LOW_ROWS):
            sc.tile_rows = LOW_TILE_ROWS
        if joined > 1:                  # rows of a halo are joined again in each tile
            sc.tile_rows = min(2 * TILE_ROWS, max(TILE_ROWS, 4 * job.kh))
    elif makes_rings(job):
        sc.tile_rows = ring_rows(job)
    if is_column_major(job):
        sc.tile_rows = TILE_ROWS
    sc.large = False
    if first > 0 or end < job.n or gathers:
        sc.tile_rows = max(4, min(sc.tile_rows, max(budget // 2, budget - job.kh)))
        if not in_order:
            sc.group = max(joined, min(job.kh, (budget - sc.tile_rows) // joined * joined))
    m = min(job.m, sc.tile_rows)
    rows = m + sc.group + joined - 1 if first > 0 or end < job.n or gathers else 0
    turned = 0
    if rows and job.kh <= MAX_TURNED and job.out_parts <= TURNED_PARTS and (end > first or is_turned(job, first, end, job.n)):
        turned = ((2 * lanes + job.kw) * job.out_parts + SQUARES * lanes) * (m + job.kh + 2 * lanes) * size
    sc.slot_bytes = (rows * row_bytes + 63) // 64 * 64
    sc.slots = job.taps if sc.group == job.kh and job.taps * sc.slot_bytes <= UNDER_BYTES else 1
    sc.block = carve(&at, max(sc.slots * sc.slot_bytes, turned))
    sc.under = <const char**> carve(&at, job.taps * word)
    sc.slot = <Py_ssize_t*> carve(&at, job.taps * word)
    sc.held = <const char**> carve(&at, sc.slots * word)
    for k in range(4):
        sc.plane[k] = carve(&at, m * pitch_of(width * job.parts * size + RC_BYTES) if rows or is_staged(job) else 0)
    pointers = m + job.kh + max(FETCHED, 2 * lanes)
    sc.rows = <const char**> carve(&at, pointers * word)
    sc.tap = <Tap*> carve(&at, job.few * sizeof(Tap))
    sc.first = <Py_ssize_t*> carve(&at, (job.taps * job.kh + 1) * word if job.few else 0)
    sc.columns = <const char**> carve(&at, (lanes + job.kw) * word)
    sc.source = <Py_ssize_t*> carve(&at, pointers * word)
    sc.run = <Py_ssize_t*> carve(&at, (width + job.kw) * 4 * word)
    sc.raw = carve(&at, 0 if job.plain and not job.lift else (width + job.kw) * type_size(job.kind))
    sc.constant = carve(&at, 0 if job.boundary != FILL or end <= first else
                        (min(job.n, place_pixels(job) + lanes) + job.kw) * job.parts * size)
    return at - base


cdef void walk(Job* job, Scratch* sc, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of some rows of a plane of the result: the interior first, for its lines are in the caches then."""
    cdef Py_ssize_t y, y1, x, w, first, end, i, lanes = 1
    cdef Py_ssize_t begins[3]
    cdef Py_ssize_t ends[3]
    cdef int side
    for i in range(job.n_lanes):
        lanes = max(lanes, lanes_of(job.lanes[i].kind))
    interior_of(job, &first, &end)
    sc.finite_to = -1
    begins[:] = [first, 0, end]
    ends[:] = [end, first, job.n]
    y = y_from
    while y < y_to:
        y1 = min(y + sc.tile_rows, y_to)
        for side in range(3):
            x = begins[side]
            while x < ends[side]:
                w = piece(ends[side] - x, place_pixels(job) if side == 0 else sc.width, lanes)
                if side > 0 and is_turned(job, first, end, ends[side] - begins[side]):
                    rim(job, sc, y, y1, x, x + w)
                elif side == 0 and job.n_lanes > 1:
                    whole_tile(job, sc, y, y1, x, x + w, lanes, y > y_from)
                else:
                    tile(job, sc, y, y1, x, x + w, side == 0)
                x += w
        if needs_repair(job):
            repair(job, sc, y, y1)
        y = y1


cdef void walk_through(
    Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t end, Py_ssize_t y_from, Py_ssize_t y_to,
) noexcept nogil:
    """All tiles of some rows of planes first <= . < end that share planes of the image: those at the same place in turn."""
    cdef Py_ssize_t y, y1, x, w, plane, k, lanes = 1
    for k in range(job.n_lanes):
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    y = y_from
    while y < y_to:
        y1 = min(y + sc.tile_rows, y_to)
        x = 0
        while x < job.n:
            w = piece(job.n - x, sc.width, lanes)
            forget_blocks(sc, first_lane(job))
            for plane in range(first, end):
                enter_plane(job, sc, plane)
                if job.store == TRUNCATE:
                    tile_cut(job, sc, y, y1, x, x + w)
                else:
                    tile(job, sc, y, y1, x, x + w, False)
            x += w
        if needs_repair(job):
            for plane in range(first, end):
                enter_plane(job, sc, plane)
                repair(job, sc, y, y1)
        y = y1


cdef void walk_planes(
    Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t end, Py_ssize_t y_from, Py_ssize_t y_to,
) noexcept nogil:
    """All tiles of some rows of planes first <= . < end of the result."""
    cdef Py_ssize_t plane
    if job.taps > 1 or job.store == TRUNCATE:
        walk_through(job, sc, first, end, y_from, y_to)
        return
    for plane in range(first, end):
        enter_plane(job, sc, plane)
        if is_chained(job):
            walk_chain(job, sc, y_from, y_to)
        else:
            walk(job, sc, y_from, y_to)


cdef void begin_walk(Job* job, Scratch* sc) noexcept nogil:
    """What all planes of the result share."""
    cdef Py_ssize_t first, end, i, lanes = 1
    cdef int part, size = type_size(last_lane(job).kind)
    sc.image = job.image
    sc.out = job.out
    if job.few:
        see_taps(job, sc)
    if is_chained(job):
        return
    interior_of(job, &first, &end)
    for i in range(job.n_lanes):
        lanes = max(lanes, lanes_of(job.lanes[i].kind))
    if job.boundary == FILL and end > first:
        for part in range(job.parts):
            for i in range(min(job.n, place_pixels(job) + lanes) + job.kw):         # the widest piece
                put_one(job, sc.constant + (job.parts * i + part) * size, part & job.pairs)


cdef Py_ssize_t next_turn(Py_ssize_t turns, Py_ssize_t* taken, int workers, int worker) noexcept nogil:
    """The next of so many turns for a worker to do; -1 where all are taken.

        worker 0 -> |.....    |         |   Each worker begins at a region of its own and goes on to what is left of
        worker 1 -> |         |...      |   the next ones: with one region for all, two workers fault on the same
        worker 2 -> |         |         |   huge page of a new result and both clear it.

    taken : turns taken of each worker's region, shared by all workers
    """
    cdef Py_ssize_t t
    cdef int i, region
    for i in range(workers):
        region = (worker + i) % workers
        t = turns * region // workers + rc_fetch_add(taken + region, 1)
        if t < turns * (region + 1) // workers:
            return t
    return -1


cdef int run_job(Job* job, Py_ssize_t* taken, int workers, int worker, Py_ssize_t turn) noexcept nogil:
    """Do one worker's part of a call, so many rows a turn, or more for rings; -1 where there is no scratch memory to be had."""
    cdef Scratch sc
    cdef Py_ssize_t bands, t, span, turns, y, plane
    cdef char* memory
    job.few = few_taps(job)
    y = (job.m + 4 * workers - 1) // (4 * workers)
    if makes_rings(job) and is_tall(y, job.kh):
        turn = max(turn, y)
    bands = (job.m + turn - 1) // turn
    span = turn_planes(job, turn)
    memory = <char*> malloc(lay_out(job, &sc, NULL, True) + 64)
    if memory == NULL:
        return -1
    lay_out(job, &sc, memory + (64 - <size_t> memory % 64), True)
    begin_walk(job, &sc)
    if workers == 1:
        walk_planes(job, &sc, 0, job.planes, 0, job.m)
    else:
        turns = bands * ((job.planes + span - 1) // span)
        t = next_turn(turns, taken, workers, worker)
        while t >= 0:
            plane = t // bands * span
            y = t % bands * turn
            walk_planes(job, &sc, plane, min(job.planes, plane + span), y, min(job.m, y + turn))
            t = next_turn(turns, taken, workers, worker)
    free(memory)
    return 0
