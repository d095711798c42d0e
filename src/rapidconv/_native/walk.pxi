# The walk over tiles: which rows to read in place, which to gather, where sums go.
#
#            | left | interior: rows read in place through their strides   | right |
#   top      |  the rows' start addresses follow the boundary, so rows above and    |
#   middle   |  below the image cost nothing; only the left and right rims, and     |
#   bottom   |  images of another type or stride, are gathered into a scratch tile  |
#
# Below this line nothing can fail but the allocation of scratch memory, which is made once per call.

cdef enum:
    FILL = 0         # as in _boundary.py
    SYMM = 1
    WRAP = 2
    MAX_LANES = 3
    TILE_ROWS = 64          # output rows of a band of tiles, the unit of work handed to a worker
    STAGED_ROWS = 16        # rows of a tile with gathered rows or planes of sums, which then stay in the L1 cache
    GATHER_BYTES = 2048     # a gathered tile's row of sums: rows of block and sums stay in the L2 cache
    PLACE_BYTES = 16384     # a row of sums of a tile read in place
    LOW_ROWS = 4            # rows of a kernel so low that tiles of whole numbers are measured in the L1 cache:
    LOW_TILE_ROWS = 8       # rows of such a tile,
    WHOLE_BYTES = 1536      # and bytes of its row
    WHOLE_TAPS = 60         # of the largest kernel for which int64 is summed in float64 where it lies
    MAX_TURNED = 256        # rows of a kernel whose narrow rims are turned
    TURNED_PARTS = 4        # numbers of an output pixel, likewise
    BLOCK_BYTES = 1 << 20   # a gathered block; taller kernels are summed in groups of rows

ctypedef struct Lane:
    int kind                     # F4, F8, I2, I4, I8 or FG
    const char* real_part        # transposed kernel
    const char* imag_part        # NULL: a real kernel
    unsigned long long limit     # the lane is exact for images of at most this magnitude

ctypedef struct Job:
    const char* image
    Py_ssize_t rows, cols, row_stride, col_stride   # strides in bytes
    int kind                     # type of one number
    bint pairs                   # complex: numbers come in pairs
    bint lift                    # pixels are stored real, and lifted to pairs for a complex fill value
    int channels                 # interleaved in a pixel, all under one kernel
    int parts                    # numbers in a pixel: channels, twice as many where they are complex
    bint plain                   # aligned and native
    bint swapped
    Lane lanes[MAX_LANES]        # tried in turn
    int n_lanes
    Py_ssize_t kh, kw
    int boundary
    const char* fill             # one number of the result's type (re, im)
    Py_ssize_t top, left         # image position under the first tap of output [0, 0]
    char* out
    Py_ssize_t m, n, out_row_stride, out_col_stride
    int out_kind
    int out_parts

ctypedef struct Scratch:
    char* block                  # gathered rows
    char* plane[4]               # sums: two planes, each in two buffers
    char* raw                    # one fetched row of a swapped or misaligned image
    const char** rows
    const char** columns         # of a narrow rim: each a row of the block
    Py_ssize_t* source           # image row of each block row, -1: fill
    Py_ssize_t* run              # pieces of a gathered row: first pixel, length, image column, direction
    char* constant               # a row of fill
    Py_ssize_t group             # kernel rows summed at once
    bint large                   # whether the image has proved too large for the lane of whole numbers
    Py_ssize_t tile_rows         # output rows of a tile: TILE_ROWS, fewer where rows are long


cdef inline Py_ssize_t index_map(Py_ssize_t i, Py_ssize_t n, int boundary) noexcept nogil:
    """Image index at position i of an axis of length n; -1 stands for fill.

        fill  k k k | a b c d | k k k      symm  c b a | a b c d | d c b      wrap  b c d | a b c d | a b c
    """
    cdef Py_ssize_t k
    if 0 <= i < n:
        return i
    if boundary == FILL:
        return -1
    if boundary == WRAP:
        k = i % n
        return k + n if k < 0 else k
    k = i % (2 * n)
    if k < 0:
        k += 2 * n
    return k if k < n else 2 * n - 1 - k


cdef Py_ssize_t runs_of(Job* job, Py_ssize_t first, Py_ssize_t width, Py_ssize_t* run) noexcept nogil:
    """Cut positions first .. first + width - 1 of a row into runs of neighbouring image columns; their number."""
    cdef Py_ssize_t at = 0, count = 0, e, k, n = job.cols, length, start, step
    while at < width:
        e = first + at
        step = 1
        if 0 <= e < n:
            start = e
            length = n - e
        elif job.boundary == FILL:
            start = -1
            length = -e if e < 0 else width
        elif job.boundary == WRAP:
            start = index_map(e, n, WRAP)
            length = n - start
        else:
            k = e % (2 * n)
            if k < 0:
                k += 2 * n
            if k < n:
                start = k
                length = n - k
            else:
                start = 2 * n - 1 - k
                length = start + 1
                step = -1
        length = min(length, width - at)
        run[4 * count] = at
        run[4 * count + 1] = length
        run[4 * count + 2] = start
        run[4 * count + 3] = step
        count += 1
        at += length
    return count


cdef inline bint same_bits(int kind, int lane_kind) noexcept nogil:
    """Whether numbers of a type are a lane's as they lie; unsigned ones are wrapping signed ones."""
    return kind == lane_kind or (lane_kind <= I8 and kind == lane_kind + 1)


cdef inline void copy_run(const char* s, char* d, Py_ssize_t size) noexcept nogil:
    """size bytes in whole blocks, the last one overlapping; a call of memcpy takes longer than most runs."""
    cdef Py_ssize_t at
    if size >= 64:
        for at from 0 <= at < size - 63 by 64:
            memcpy(d + at, s + at, 64)
        memcpy(d + size - 64, s + size - 64, 64)
    elif size >= 16:
        for at from 0 <= at < size - 15 by 16:
            memcpy(d + at, s + at, 16)
        memcpy(d + size - 16, s + size - 16, 16)
    else:
        for at in range(size):
            d[at] = s[at]


cdef void lift(Job* job, Scratch* sc, const char* p, Py_ssize_t stride, lane* d, Py_ssize_t n) noexcept nogil:
    """n real pixels, stride bytes apart, to complex numbers."""
    cdef Py_ssize_t channel, i, size = type_size(job.kind)
    for channel in range(job.channels):
        fetch(p + channel * size, stride, sc.raw, size, job.swapped, n)
        to_lane(job.kind, sc.raw, size, d + 2 * channel, job.parts, n)
        for i in range(n):
            d[2 * channel + 1 + i * job.parts] = 0


cdef inline bint is_column_major(Job* job) noexcept nogil:
    """Whether neighbouring rows lie closer together than neighbouring columns."""
    return max(job.row_stride, -job.row_stride) < max(job.col_stride, -job.col_stride)


cdef void gather_columns(
    Job* job, Scratch* sc, lane* block, const lane* fill, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
) noexcept nogil:
    """gather of an image whose columns are contiguous, 8 columns at a time; numbers are copied as they lie."""
    cdef Py_ssize_t i, q, at, c, n, start, stride
    cdef int part, parts = job.parts
    cdef const char* p
    cdef const char* s
    cdef lane* d
    for q in range(n_runs):
        start = sc.run[4 * q + 2]
        stride = sc.run[4 * q + 3] * job.col_stride
        for at from 0 <= at < sc.run[4 * q + 1] by 8:
            n = min(8, sc.run[4 * q + 1] - at)
            d = block + (sc.run[4 * q] + at) * parts
            p = job.image + start * job.col_stride + at * stride
            for i in range(m):
                if start < 0 or sc.source[i] < 0:
                    for part in range(n * parts):
                        d[part] = fill[part & job.pairs]
                elif parts == 1 and n == 8:
                    s = p + sc.source[i] * job.row_stride
                    for c in range(8):
                        d[c] = (<const lane*> (s + c * stride))[0]
                else:
                    s = p + sc.source[i] * job.row_stride
                    for c in range(n):
                        for part in range(parts):
                            d[c * parts + part] = (<const lane*> (s + c * stride))[part]
                d = <lane*> (<char*> d + pitch)


cdef unsigned long long gather(
    Job* job, Scratch* sc, int kind, lane* block, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
    bint measured,
) noexcept nogil:
    """m rows of a block: the image's rows sc.source through the runs of columns.

    Largest magnitude of the integers gathered if measured, else 0.
    """
    cdef Py_ssize_t i, q, at, length, step, stride, size = type_size(job.kind), part, width
    cdef int parts = job.parts
    cdef lane value[2]
    cdef lane* d
    cdef const char* p
    cdef unsigned long long top = 0, here
    cdef bint copies = job.plain and same_bits(job.kind, kind) and not job.lift
    if job.boundary == FILL:
        if measured:
            top = to_lane_peak(job.out_kind, job.fill, 0, value, 1)
        else:
            to_lane(job.out_kind, job.fill, type_size(job.out_kind), value, 1, 1 + job.pairs)
    if copies and not measured and is_column_major(job):
        gather_columns(job, sc, block, value, pitch, m, n_runs)
        return 0
    width = sc.run[4 * n_runs - 4] + sc.run[4 * n_runs - 3]
    for i in range(m):
        d = <lane*> (<char*> block + i * pitch)
        if sc.source[i] < 0:
            for q in range(width):
                for part in range(parts):
                    d[parts * q + part] = value[part & job.pairs]
            continue
        for q in range(n_runs):
            at = sc.run[4 * q] * parts
            length = sc.run[4 * q + 1]
            stride = sc.run[4 * q + 3] * job.col_stride
            if sc.run[4 * q + 2] < 0:
                for step in range(length):
                    for part in range(parts):
                        d[at + parts * step + part] = value[part & job.pairs]
                continue
            p = job.image + sc.source[i] * job.row_stride + sc.run[4 * q + 2] * job.col_stride
            if copies and stride == parts * size:
                copy_run(p, <char*> (d + at), parts * length * size)
            elif copies and parts == 1:
                for step in range(length):
                    d[at + step] = (<const lane*> (p + step * stride))[0]
            elif measured and parts == 1:
                here = to_lane_peak(job.kind, p, stride, d + at, length)
                top = max(top, here)
            elif measured and stride == parts * size:
                here = to_lane_peak(job.kind, p, size, d + at, parts * length)
                top = max(top, here)
            elif measured:
                for step in range(length):
                    here = to_lane_peak(job.kind, p + step * stride, size, d + at + parts * step, parts)
                    top = max(top, here)
            elif job.lift:
                lift(job, sc, p, stride, d + at, length)
            elif not job.plain:
                for part in range(parts):
                    fetch(p + part * size, stride, sc.raw, size, job.swapped, length)
                    to_lane(job.kind, sc.raw, size, d + at + part, parts, length)
            elif stride == parts * size:
                to_lane(job.kind, p, size, d + at, 1, parts * length)
            else:
                for part in range(parts):
                    to_lane(job.kind, p + part * size, stride, d + at + part, parts, length)
    return top


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
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, bint crossed,
) noexcept nogil:
    """correlate_bank in the lane of a type, which has banks."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_BANKS and kind == F4:
        correlate_bank(vf4_splat(z), rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, crossed)
    elif RC_BANKS and kind == F8:
        correlate_bank(vf8_splat(z), rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, crossed)


cdef void columns_lane(
    int kind, const char** columns, Py_ssize_t width, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_columns in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        correlate_columns(vf4_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch)
    elif kind == F8:
        correlate_columns(vf8_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch)
    elif kind == I2:
        correlate_columns(vi2_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch)
    elif kind == I4:
        correlate_columns(vi4_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch)
    else:
        correlate_columns(vi8_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch)


cdef unsigned long long gather_lane(
    Job* job, Scratch* sc, int kind, char* block, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
    bint measured,
) noexcept nogil:
    """gather in the lane of a type."""
    if kind == F4:
        return gather(job, sc, kind, <float*> block, pitch, m, n_runs, measured)
    elif kind == F8:
        return gather(job, sc, kind, <double*> block, pitch, m, n_runs, measured)
    elif kind == I2:
        return gather(job, sc, kind, <short*> block, pitch, m, n_runs, measured)
    elif kind == I4:
        return gather(job, sc, kind, <int*> block, pitch, m, n_runs, measured)
    elif kind == I8:
        return gather(job, sc, kind, <long long*> block, pitch, m, n_runs, measured)
    else:
        return gather(job, sc, kind, <extended*> block, pitch, m, n_runs, measured)


cdef void put_lane(
    int kind, const char* s, Py_ssize_t s_step, int out_kind, char* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """from_lane in the lane of a type."""
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


cdef inline Py_ssize_t lanes_of(int kind) noexcept nogil:
    """Numbers in a vector of a lane."""
    cdef Py_ssize_t n = RC_BYTES // type_size(kind)
    return 1 if kind == FG or n == 0 else n


cdef inline Lane* last_lane(Job* job) noexcept nogil:
    """The lane that takes every image."""
    return &job.lanes[job.n_lanes - 1]


cdef inline void put_one(Job* job, char* d, int part) noexcept nogil:
    """The fill value's real or imaginary part in the last lane's type, which is that of an image read in place."""
    cdef Py_ssize_t size = type_size(job.out_kind)
    cdef int kind = last_lane(job).kind
    if kind == F4:
        to_lane(job.out_kind, job.fill + part * size, 0, <float*> d, 1, 1)
    elif kind == F8:
        to_lane(job.out_kind, job.fill + part * size, 0, <double*> d, 1, 1)
    elif kind == FG:
        to_lane(job.out_kind, job.fill + part * size, 0, <extended*> d, 1, 1)
    elif kind == I2:
        to_lane(job.out_kind, job.fill + part * size, 0, <short*> d, 1, 1)
    elif kind == I4:
        to_lane(job.out_kind, job.fill + part * size, 0, <int*> d, 1, 1)
    else:
        to_lane(job.out_kind, job.fill + part * size, 0, <long long*> d, 1, 1)


cdef inline bint is_straight(Job* job, Lane* ln) noexcept nogil:
    """Whether a lane's sums go from the registers to the result, which takes a bank where the kernel is complex."""
    return (same_bits(job.out_kind, ln.kind) and job.out_col_stride == job.out_parts * type_size(job.out_kind)
            and (ln.imag_part == NULL or (RC_BANKS and ln.kind != FG)))


cdef inline bint in_place(Job* job, Lane* ln) noexcept nogil:
    """Whether a lane can read the image where it lies."""
    return (job.plain and not job.lift and same_bits(job.kind, ln.kind)
            and job.col_stride == job.parts * type_size(job.kind))


cdef inline Lane* whole_number_lane(Job* job) noexcept nogil:
    """The floating lane in which integers can be read and stored where they lie, NULL if there is none.

    Unsigned ones pass for signed ones, which agree modulo 2^bits.
    """
    cdef Lane* last = last_lane(job)
    cdef int k
    if not RC_WHOLE or job.n_lanes == 1 or not in_place(job, last) or not is_straight(job, last):
        return NULL
    if last.kind == I8 and job.kh * job.kw > WHOLE_TAPS:
        return NULL
    for k in range(job.n_lanes - 1):
        if type_size(job.lanes[k].kind) == type_size(last.kind):
            return &job.lanes[k]
    return NULL


cdef void source_rows(Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t m) noexcept nogil:
    """Image rows under m rows of a block that starts at position first."""
    cdef Py_ssize_t i
    for i in range(m):
        sc.source[i] = index_map(first + i, job.rows, job.boundary)


cdef void place_rows(Job* job, Scratch* sc, Py_ssize_t y, Py_ssize_t m, Py_ssize_t x) noexcept nogil:
    """Rows under m output rows from output (y, x) on, where they lie."""
    cdef Py_ssize_t i
    source_rows(job, sc, job.top + y, m + job.kh - 1)
    for i in range(m + job.kh - 1):
        if sc.source[i] < 0:
            sc.rows[i] = sc.constant
        else:
            sc.rows[i] = job.image + sc.source[i] * job.row_stride + (job.left + x) * job.col_stride


cdef Py_ssize_t block_pitch(Job* job, Lane* ln, Py_ssize_t n) noexcept nogil:
    """Bytes from row to row of a gathered block for n sums in a row; never a power of two, as such rows share cache sets."""
    cdef Py_ssize_t pitch = ((n + (job.kw - 1) * job.parts) * type_size(ln.kind) + 63) // 64 * 64
    return pitch + 64 if pitch % 1024 == 0 else pitch


cdef Lane* gather_exact(
    Job* job, Scratch* sc, Py_ssize_t y, Py_ssize_t m, Py_ssize_t width, Py_ssize_t n_runs,
) noexcept nogil:
    """Gather the whole block of a tile in the first lane that is exact for it."""
    cdef Lane* ln
    cdef Py_ssize_t n
    cdef unsigned long long top
    cdef int k = 0 if job.plain else job.n_lanes - 1
    source_rows(job, sc, job.top + y, m + job.kh - 1)
    while True:
        ln = &job.lanes[k]
        n = max(width * job.parts, lanes_of(ln.kind))
        if n > width * job.parts:
            memset(sc.block, 0, (m + job.kh - 1) * block_pitch(job, ln, n))
        top = gather_lane(job, sc, ln.kind, sc.block, block_pitch(job, ln, n), m + job.kh - 1, n_runs,
                          k < job.n_lanes - 1)
        if top <= ln.limit:
            return ln
        k += 1


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
                      job.out + y0 * job.out_row_stride + x0 * job.out_col_stride, job.out_row_stride, job.pairs)
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
            put_lane(kind, re, 1, job.out_kind, dest, out_size, n)
        else:
            for part in range(job.parts):
                put_lane(kind, re + part * size, job.parts, job.out_kind, dest + part * out_size, stride, width)
        return
    for part in range(job.parts):
        put_lane(kind, re + part * size, job.parts, job.out_kind, dest + 2 * part * out_size, stride, width)
        put_lane(kind, im + part * size, job.parts, job.out_kind, dest + (2 * part + 1) * out_size, stride, width)


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


cdef void rim_of(
    Job* job, Scratch* sc, lane* like, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1,
) noexcept nogil:
    """Outputs of a rim of a few columns, turned: a lane is a row, so no lane is wasted on the interior's columns.

    Columns of the block, and of sums, lie part by part: those of the first number of every pixel come first.
    """
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, lanes = lanes_of(ln.kind), i, c, r, k, padded, length, taps
    cdef Py_ssize_t size = sizeof(lane), plane
    cdef int part, parts = job.parts
    cdef lane fill[2]
    cdef lane* block = <lane*> sc.block
    cdef lane* sums
    cdef lane* im
    cdef lane* d
    cdef const char* row
    padded = (m + lanes - 1) // lanes * lanes
    length = padded + job.kh - 1
    taps = width + job.kw - 1
    plane = width * padded
    sums = block + parts * taps * length
    im = sums + parts * plane
    fill[0] = fill[1] = 0
    if job.boundary == FILL:
        for part in range(1 + job.pairs):
            put_one(job, <char*> &fill[part], part)
    source_rows(job, sc, job.top + y0, m + job.kh - 1)
    for c in range(taps):
        sc.run[c] = index_map(job.left + x0 + c, job.cols, job.boundary) * job.col_stride
    for i in range(m + job.kh - 1):
        r = sc.source[i]
        row = job.image + r * job.row_stride
        for c in range(taps):
            for part in range(parts):
                d = block + (part * taps + c) * length + i
                d[0] = (<const lane*> (row + sc.run[c]))[part] if r >= 0 and sc.run[c] >= 0 else fill[part & job.pairs]
    for c in range(parts * taps):
        for i in range(m + job.kh - 1, length):
            block[c * length + i] = 0
    for part in range(parts):
        for c in range(taps):
            sc.columns[c] = <const char*> (block + (part * taps + c) * length)
        columns_lane(ln.kind, sc.columns, width, padded, job.kh, job.kw, ln.real_part, job.kh * size,
                     <char*> (sums + part * plane), padded * size)
        if ln.imag_part != NULL:
            columns_lane(ln.kind, sc.columns, width, padded, job.kh, job.kw, ln.imag_part, job.kh * size,
                         <char*> (im + part * plane), padded * size)
    for i in range(m):
        d = <lane*> (job.out + (y0 + i) * job.out_row_stride) + x0 * job.out_parts
        for c in range(width):
            k = c * padded + i
            for part in range(parts):
                if ln.imag_part == NULL:
                    d[part] = sums[part * plane + k]
                elif not job.pairs:
                    d[2 * part] = sums[part * plane + k]
                    d[2 * part + 1] = im[part * plane + k]
                elif part & 1:
                    d[part] = sums[part * plane + k] + im[(part - 1) * plane + k]
                else:
                    d[part] = sums[part * plane + k] - im[(part + 1) * plane + k]
            d += job.out_parts


cdef void rim(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """rim_of in the last lane."""
    cdef int kind = last_lane(job).kind
    if kind == F4:
        rim_of(job, sc, <float*> NULL, y0, y1, x0, x1)
    elif kind == F8:
        rim_of(job, sc, <double*> NULL, y0, y1, x0, x1)
    elif kind == I2:
        rim_of(job, sc, <short*> NULL, y0, y1, x0, x1)
    elif kind == I4:
        rim_of(job, sc, <int*> NULL, y0, y1, x0, x1)
    else:
        rim_of(job, sc, <long long*> NULL, y0, y1, x0, x1)


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
    """All tiles of the output rows y_from <= y < y_to; y_from is a multiple of TILE_ROWS."""
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


cdef int run_job(Job* job, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """Do a part of a call; -1 where there is no scratch memory to be had."""
    cdef Scratch sc
    cdef char* memory = <char*> malloc(lay_out(job, &sc, NULL) + 64)
    if memory == NULL:
        return -1
    lay_out(job, &sc, memory + (64 - <size_t> memory % 64))
    walk(job, &sc, y_from, y_to)
    free(memory)
    return 0
