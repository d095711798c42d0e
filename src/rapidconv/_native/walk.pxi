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
) noexcept nogil:
    """correlate_rows in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        correlate_rows(vf4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)
    elif kind == F8:
        correlate_rows(vf8_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)
    elif kind == I2:
        correlate_rows(vi2_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)
    elif kind == I4:
        correlate_rows(vi4_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)
    elif kind == I8:
        correlate_rows(vi8_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)
    else:
        correlate_rows(vfg_splat(z), rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch)


cdef void whole_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_rows of integers in a floating lane of their size."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_WHOLE and kind == F4:
        correlate_rows(vw4_splat(z), rows, m, n, kh, kw, w, w_step, step, NULL, 0, out, out_pitch)
    elif RC_WHOLE and kind == F8:
        correlate_rows(vw8_splat(z), rows, m, n, kh, kw, w, w_step, step, NULL, 0, out, out_pitch)


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
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, n = width * job.parts, first, group, i, size, full, n_runs = 0
    cdef Py_ssize_t row_pitch = 0, pitch, dest_pitch
    cdef Lane* ln = &job.lanes[0]
    cdef int planes = 1 if ln.imag_part == NULL else 2, p
    cdef bint straight, gathered = False
    cdef const char* sums[2]
    cdef const char* w
    cdef char* dest
    if not interior:
        n_runs = runs_of(job, job.left + x0, width + job.kw - 1, sc.run)
        if job.n_lanes > 1:
            if sc.group == job.kh:
                ln = gather_exact(job, sc, y0, m, width, n_runs)
                gathered = True
            else:
                ln = &job.lanes[job.n_lanes - 1]     # a block too tall to gather at once is not measured either
    size = type_size(ln.kind)
    full = max(n, lanes_of(ln.kind))
    pitch = full * size
    straight = is_straight(job, ln) and n == full and (planes == 1 or interior or sc.group == job.kh)
    sums[0] = sums[1] = NULL
    row_pitch = block_pitch(job, ln, full)
    # Groups of kernel rows only split what is gathered: every sum still meets its taps in the same order.
    first = 0
    while first < job.kh:
        group = job.kh if interior else min(sc.group, job.kh - first)
        if interior:
            place_rows(job, sc, y0, m, x0)
        elif not gathered:
            source_rows(job, sc, job.top + y0 + first, m + group - 1)
            if n < full:
                memset(sc.block, 0, (m + group - 1) * row_pitch)
            gather_lane(job, sc, ln.kind, sc.block, row_pitch, m + group - 1, n_runs, False)
        if not interior:
            for i in range(m + group - 1):
                sc.rows[i] = sc.block + i * row_pitch
        if straight and planes == 2:
            bank_lane(ln.kind, sc.rows, m, n, job.kh, job.kw, ln.real_part, ln.imag_part, job.kh * size, job.parts * size,
                      job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride,
                      CROSSED if job.pairs else ZIPPED)
            return
        for p in range(planes):
            w = (ln.imag_part if p else ln.real_part) + first * size
            if straight and first + group == job.kh:
                dest = job.out + y0 * job.out_row_stride + x0 * job.out_col_stride
                dest_pitch = job.out_row_stride
            else:
                dest = sc.plane[2 * p] if sums[p] != sc.plane[2 * p] else sc.plane[2 * p + 1]
                dest_pitch = pitch
            correlate_lane(ln.kind, sc.rows, m, full, group, job.kw, w, job.kh * size, job.parts * size, sums[p], pitch,
                           dest, dest_pitch)
            sums[p] = dest
        first += group
    if straight:
        return
    for i in range(m):
        dest = job.out + (y0 + i) * job.out_row_stride + x0 * job.out_col_stride
        put_row(job, ln.kind, <char*> sums[0] + i * pitch, sums[1] + i * pitch if planes == 2 else NULL, dest, width)


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


cdef void whole_tile(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, Py_ssize_t lanes, bint below,
) noexcept nogil:
    """A tile of integers summed where they lie in the hope that they are small, and measured when they are in the cache.

    below : whether the rows it shares with a tile above have been measured there
    """
    cdef Lane* ln = whole_number_lane(job)
    cdef Py_ssize_t m = y1 - y0, n = (x1 - x0) * job.parts, size = type_size(ln.kind), i, width
    cdef unsigned long long top = 0, here
    if not sc.large:
        place_rows(job, sc, y0, m, x0)
        whole_lane(ln.kind, sc.rows, m, n, job.kh, job.kw, ln.real_part, job.kh * size, job.parts * size,
                   job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride)
        for i in range(job.kh - 1 if below else 0, m + job.kh - 1):
            if size == 4:
                here = peak_of(<const int*> sc.rows[i], n + (job.kw - 1) * job.parts)
            else:
                here = peak_of(<const long long*> sc.rows[i], n + (job.kw - 1) * job.parts)
            top = max(top, here)
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
    """Pixels whose sums fill so many bytes in the last lane; enough to be worth a halo."""
    return max(32, row_bytes // (job.parts * type_size(last_lane(job).kind)))


cdef inline Py_ssize_t place_pixels(Job* job) noexcept nogil:
    """Width of a tile read in place: wide where no scratch memory stands between image and result."""
    if job.n_lanes > 1 and job.kh <= LOW_ROWS:
        return pixels(job, WHOLE_BYTES)
    return pixels(job, PLACE_BYTES if is_straight(job, last_lane(job)) else GATHER_BYTES)


cdef inline bint is_narrow(Job* job, Py_ssize_t width) noexcept nogil:
    """Whether a rim of so many columns is done turned: few columns, few numbers a pixel, sums straight to the result."""
    return (2 * width <= lanes_of(last_lane(job).kind) and job.out_parts <= TURNED_PARTS and job.kh <= MAX_TURNED
            and is_straight(job, last_lane(job)))


cdef void interior_of(Job* job, Py_ssize_t* first, Py_ssize_t* end) noexcept nogil:
    """Output columns first <= x < end to read in place; the rims beside them are narrow, or at least a vector wide."""
    cdef Py_ssize_t lanes = lanes_of(job.lanes[0].kind)
    first[0] = max(0, -job.left)
    end[0] = min(job.n, job.cols - job.kw + 1 - job.left)
    if first[0] > 0 and not is_narrow(job, first[0]):
        first[0] = max(first[0], lanes)
    if end[0] < job.n and not is_narrow(job, job.n - end[0]):
        end[0] = min(end[0], job.n - lanes)
    if end[0] - first[0] < lanes or not (whole_number_lane(job) != NULL or job.n_lanes == 1 and in_place(job, &job.lanes[0])):
        first[0] = end[0] = job.n


cdef inline char* carve(char** at, Py_ssize_t size) noexcept nogil:
    """The next piece of scratch memory, aligned to a cache line."""
    cdef char* here = at[0]
    at[0] += (size + 63) // 64 * 64
    return here


cdef Py_ssize_t lay_out(Job* job, Scratch* sc, char* base) noexcept nogil:
    """Place every scratch buffer of a call from base on; the bytes they take."""
    cdef Py_ssize_t size = 2, m, width, lanes = 1, first, end, row_bytes, budget, rows, turned, pointers, k
    cdef Py_ssize_t word = sizeof(char*)
    cdef bint whole = whole_number_lane(job) != NULL
    cdef char* at = base
    for k in range(job.n_lanes):
        size = max(size, type_size(job.lanes[k].kind))
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    interior_of(job, &first, &end)
    width = max(first, job.n - end)                                  # the widest gathered tile
    if end > first and (whole or not is_straight(job, &job.lanes[0])):
        width = job.n
    width = max(min(width, pixels(job, GATHER_BYTES) + lanes), lanes)
    row_bytes = (width + job.kw) * job.parts * size + 192
    budget = BLOCK_BYTES // row_bytes        # rows of a block
    sc.group = job.kh
    sc.tile_rows = TILE_ROWS
    if end <= first or whole or not is_straight(job, &job.lanes[0]):
        sc.tile_rows = LOW_TILE_ROWS if whole and job.kh <= LOW_ROWS else min(TILE_ROWS, max(STAGED_ROWS, 4 * job.kh))
    if is_column_major(job):
        sc.tile_rows = TILE_ROWS
    sc.large = False
    if first > 0 or end < job.n or whole:
        sc.tile_rows = max(4, min(sc.tile_rows, budget // 2))
        sc.group = max(1, min(job.kh, budget - sc.tile_rows))
    m = min(job.m, sc.tile_rows)
    rows = m + sc.group if first > 0 or end < job.n or whole else 0
    turned = 0
    if rows and job.kh <= MAX_TURNED and job.out_parts <= TURNED_PARTS and end > first:
        turned = (2 * lanes + job.kw) * (m + job.kh + lanes) * size * job.out_parts
    sc.block = carve(&at, max(rows * row_bytes, turned))
    for k in range(4):
        sc.plane[k] = carve(&at, m * width * job.parts * size if rows or not is_straight(job, &job.lanes[0]) else 0)
    pointers = m + job.kh
    sc.rows = <const char**> carve(&at, pointers * word)
    sc.columns = <const char**> carve(&at, (lanes + job.kw) * word)
    sc.source = <Py_ssize_t*> carve(&at, pointers * word)
    sc.run = <Py_ssize_t*> carve(&at, (width + job.kw) * 4 * word)
    sc.raw = carve(&at, 0 if job.plain and not job.lift else (width + job.kw) * type_size(job.kind))
    sc.constant = carve(&at, 0 if job.boundary != FILL or end <= first else
                        (min(job.n, place_pixels(job) + lanes) + job.kw) * job.parts * size)
    return at - base


cdef void walk(Job* job, Scratch* sc, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of the output rows y_from <= y < y_to."""
    cdef Py_ssize_t y, y1, x, w, first, end, i, lanes = 1
    cdef int part, size = type_size(last_lane(job).kind)
    for i in range(job.n_lanes):
        lanes = max(lanes, lanes_of(job.lanes[i].kind))
    interior_of(job, &first, &end)
    if job.boundary == FILL and end > first:
        w = min(job.n, place_pixels(job) + lanes) + job.kw
        for part in range(job.parts):
            for i in range(w):
                put_one(job, sc.constant + (job.parts * i + part) * size, part & job.pairs)
    y = y_from
    while y < y_to:
        y1 = min(y + sc.tile_rows, y_to)
        x = 0
        while x < job.n:
            if x < first:
                w = piece(first - x, pixels(job, GATHER_BYTES), lanes)
            elif x < end:
                w = piece(end - x, place_pixels(job), lanes)
            else:
                w = piece(job.n - x, pixels(job, GATHER_BYTES), lanes)
            if (x < first < job.n and is_narrow(job, first)) or (x >= end and first < end and is_narrow(job, job.n - end)):
                rim(job, sc, y, y1, x, x + w)
            elif first <= x < end and job.n_lanes > 1:
                whole_tile(job, sc, y, y1, x, x + w, lanes, y > y_from)
            else:
                tile(job, sc, y, y1, x, x + w, first <= x < end)
            x += w
        if job.out_parts == 2 * job.channels:
            repair(job, y, y1)
        y = y1


cdef Py_ssize_t next_rows(Py_ssize_t m, Py_ssize_t* taken, int workers, int worker, Py_ssize_t turn) noexcept nogil:
    """First of the next rows, of m, for a worker to do; -1 where all are taken.

        worker 0 -> |.....    |         |   Each worker begins at a region of its own and goes on to what is left of
        worker 1 -> |         |...      |   the next ones: with one region for all, two workers fault on the same
        worker 2 -> |         |         |   huge page of a new result and both clear it.

    taken : rows taken of each worker's region, shared by all workers;  turn : rows to take at a time
    """
    cdef Py_ssize_t y, turns = (m + turn - 1) // turn
    cdef int i, region
    for i in range(workers):
        region = (worker + i) % workers
        y = turns * region // workers * turn + rc_fetch_add(taken + region, turn)
        if y < min(m, turns * (region + 1) // workers * turn):
            return y
    return -1


cdef int run_job(Job* job, Py_ssize_t* taken, int workers, int worker, Py_ssize_t turn) noexcept nogil:
    """Do one worker's part of a call; -1 where there is no scratch memory to be had."""
    cdef Scratch sc
    cdef Py_ssize_t y
    cdef char* memory = <char*> malloc(lay_out(job, &sc, NULL) + 64)
    if memory == NULL:
        return -1
    lay_out(job, &sc, memory + (64 - <size_t> memory % 64))
    if workers == 1:
        walk(job, &sc, 0, job.m)
    else:
        y = next_rows(job.m, taken, workers, worker, turn)
        while y >= 0:
            walk(job, &sc, y, min(job.m, y + turn))
            y = next_rows(job.m, taken, workers, worker, turn)
    free(memory)
    return 0
