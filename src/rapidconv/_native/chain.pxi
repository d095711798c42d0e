# Rows in one chain: what a row costs besides its numbers is paid once for many.  For images of few columns, under one row or one
# column of taps, and where numbers are converted on the way in or out.
#
#     image  a b c      chain under three columns, mirrored     b a b c b e d e f e h g h i h
#            d e f      its sums                                  A B C . . D E F . . G H I         . of two rows, not stored
#            g h i
#
# The chain is copied as it lies (or read where it lies, under one column of taps), converted, summed, made numbers of the result,
# each in one go; then results are copied to their rows.  Sums of long rows under several rows of taps run row by row.

cdef enum:
    CHAIN_BYTES = 1 << 14       # of a tile's numbers in the lane: with sums and results they stay in the L1 cache
    CHAIN_PARTS = 16            # of a pixel, at most
    CHAIN_SIDE = 32             # of the kernel, at most
    FLAT_TAPS = 25              # of the largest kernel under which a chain of several rows is summed as one,
    FLAT_VECS = 3               # and vectors of its rows, at most
    CHAIN_NUMBERS = 2048        # of the longest row that is chained under several rows of taps,
    STRAIGHT_VECS = 8           # and vectors of it where sums are the results
    COLUMN_VECS = 12            # of rows that are read and stored where they lie, under one column of taps,
    ROW_VECS = 16               # and pixels of other such rows, in lanes: under one row of taps,
    FEW_VECS = 2                # under several


cdef bint is_chained(Job* job) noexcept nogil:
    """Whether rows of a job are chained; limits by 200 rows of 12 to 2000 numbers (x86_v4, 2026-11-22)."""
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t n = job.n * job.parts, one = lanes_of(ln.kind)
    cdef bint straight = is_straight(job, ln)
    if (job.n_lanes > 1 or (ln.kind != F4 and ln.kind != F8) or ln.imag_part != NULL or job.taps > 1 or job.order != TAPS
            or job.store == TRUNCATE or job.store == ADD or job.few or needs_repair(job) or job.lift or not job.plain
            or job.parts > CHAIN_PARTS or job.kh > CHAIN_SIDE or job.kw > CHAIN_SIDE
            or job.col_stride != job.parts * type_size(job.kind) or job.out_col_stride != job.parts * type_size(job.out_kind)):
        return False
    if straight and job.kind == ln.kind:        # what would be read and stored in place
        if job.kw == 1 and job.row_stride == n * type_size(job.kind) and job.out_row_stride == job.row_stride:
            return job.kh == 1 or n <= COLUMN_VECS * one
        return job.n <= one * (ROW_VECS if job.kh == 1 else FEW_VECS)
    return job.kh == 1 or n <= (STRAIGHT_VECS * one if straight else CHAIN_NUMBERS)


cdef inline bint is_flat(Job* job, Py_ssize_t n) noexcept nogil:
    """Whether rows of n sums are made as one."""
    return job.kh == 1 or (n <= FLAT_VECS * lanes_of(last_lane(job).kind) and job.kh * job.kw <= FLAT_TAPS)


cdef inline Py_ssize_t link_of(Job* job, Py_ssize_t n) noexcept nogil:
    """Numbers from row to row of a chain for n sums in a row."""
    cdef Py_ssize_t lanes = lanes_of(last_lane(job).kind), size = type_size(last_lane(job).kind)
    if is_flat(job, n) or (job.kw == 1 and n >= lanes):
        return n + (job.kw - 1) * job.parts
    return block_pitch(job, last_lane(job), max(n, lanes)) // size


cdef Py_ssize_t lay_out_chain(Job* job, Scratch* sc, char* base) noexcept nogil:
    """lay_out of chained rows."""
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t size = type_size(ln.kind), widest, link, numbers
    cdef char* at = base
    sc.width = max(1, CHAIN_BYTES // size // job.parts)
    if job.kh > 1:
        sc.width = job.n if job.kw == 1 else pixels(job, GATHER_BYTES // 2)
    widest = min(job.n, sc.width + lanes_of(ln.kind))
    link = link_of(job, widest * job.parts)
    sc.tile_rows = max(1, CHAIN_BYTES // (link * size))
    if job.kh > 1:
        sc.tile_rows = max(sc.tile_rows, min(TILE_ROWS, max(STAGED_ROWS, 4 * job.kh)))
    sc.tile_rows = min(sc.tile_rows, job.m)
    numbers = (sc.tile_rows + job.kh - 1) * link + max(1, RC_BYTES)
    sc.slots = 1
    sc.block = carve(&at, numbers * size)
    sc.raw = carve(&at, numbers * type_size(job.kind))
    sc.plane[0] = carve(&at, numbers * size)
    sc.plane[1] = carve(&at, numbers * type_size(job.out_kind))
    sc.rows = <const char**> carve(&at, (sc.tile_rows + job.kh) * sizeof(char*))
    sc.run = <Py_ssize_t*> carve(&at, (widest + job.kw) * job.parts * sizeof(Py_ssize_t))
    sc.under = <const char**> carve(&at, sizeof(char*))
    sc.slot = <Py_ssize_t*> carve(&at, sizeof(Py_ssize_t))
    return at - base


ctypedef fused word:            # a number by its size
    unsigned char
    unsigned short
    unsigned int
    unsigned long long

ctypedef struct Link:           # numbers of a row of a chain
    Py_ssize_t before, after    # the first ones beyond the image, and whence those behind it begin
    Py_ssize_t start            # the first one of the image, there
    Py_ssize_t end              # all, less padding
    Py_ssize_t length           # from row to row


cdef inline Py_ssize_t source_number(Job* job, Py_ssize_t k) noexcept nogil:
    """Number of a row of the image at position k of numbers; any of it for fill."""
    cdef Py_ssize_t part = ((k % job.parts) + job.parts) % job.parts
    return max(0, index_map((k - part) // job.parts, job.cols, job.boundary)) * job.parts + part


cdef void link_rows(Job* job, Scratch* sc, word* to, Py_ssize_t y, Py_ssize_t rows, const Link* link) noexcept nogil:
    """Rows from position y on as they lie, their numbers beyond the image from where sc.run says; rows of fill are left out."""
    cdef Py_ssize_t i, k, r
    cdef const word* s
    for i in range(rows):
        r = -1 if job.image == NULL else index_map(y + i, job.rows, job.boundary)
        if r >= 0:
            s = <const word*> (job.image + r * job.row_stride)
            for k in range(link.before):
                to[k] = s[sc.run[k]]
            copy_run(<const char*> (s + link.start), <char*> (to + link.before), (link.after - link.before) * sizeof(word))
            for k in range(link.after, link.end):
                to[k] = s[sc.run[k]]
        for k in range(link.end, link.length):      # what lies there might be a denormal number, which takes long to sum
            to[k] = 0
        to += link.length


cdef void fill_links(Job* job, word* to, Py_ssize_t y, Py_ssize_t rows, const Link* link) noexcept nogil:
    """The fill value in place of numbers beyond the image, in the lane."""
    cdef Py_ssize_t i, k
    cdef bint inside
    cdef word value[1]
    put_one(job, <char*> value, 0)
    for i in range(rows):
        inside = job.image != NULL and 0 <= y + i < job.rows
        for k in range(link.before if inside else link.end):
            to[k] = value[0]
        for k in range(link.after, link.end):
            to[k] = value[0]
        to += link.length


cdef const char* chain_rows(
    Job* job, Scratch* sc, Py_ssize_t y, Py_ssize_t rows, Py_ssize_t x, Py_ssize_t width, Py_ssize_t length,
) noexcept nogil:
    """Rows from position (y, x) on, so many pixels each, chained in the lane."""
    cdef int kind = last_lane(job).kind
    cdef Py_ssize_t size = type_size(job.kind), parts = job.parts, k
    cdef Py_ssize_t first = max(0, -x), last = max(first, min(width, job.cols - x))
    cdef bint copies = job.kind == kind
    cdef const char* numbers = job.image + y * job.row_stride + x * job.col_stride
    cdef Link link
    link.before, link.after, link.start = first * parts, last * parts, (x + first) * parts
    link.end, link.length = width * parts, length
    if (job.image == NULL or first > 0 or last < width or y < 0 or y + rows > job.rows
            or (rows > 1 and job.row_stride != length * size)
            or (rows - job.kh) * length + (width - job.kw + 1) * parts < lanes_of(kind)):       # sums of a vector read beyond
        for k in range(link.before):
            sc.run[k] = source_number(job, x * parts + k)
        for k in range(link.after, link.end):
            sc.run[k] = source_number(job, x * parts + k)
        numbers = sc.block if copies else sc.raw
        if size == 1:
            link_rows(job, sc, <unsigned char*> numbers, y, rows, &link)
        elif size == 2:
            link_rows(job, sc, <unsigned short*> numbers, y, rows, &link)
        elif size == 4:
            link_rows(job, sc, <unsigned int*> numbers, y, rows, &link)
        else:
            link_rows(job, sc, <unsigned long long*> numbers, y, rows, &link)
    if copies and numbers != sc.block:
        return numbers
    if not copies and kind == F4:
        to_lane(job.kind, numbers, size, <float*> sc.block, 1, (rows - 1) * length + link.end)
    elif not copies:
        to_lane(job.kind, numbers, size, <double*> sc.block, 1, (rows - 1) * length + link.end)
    if job.boundary == FILL and kind == F4:
        fill_links(job, <unsigned int*> sc.block, y, rows, &link)
    elif job.boundary == FILL:
        fill_links(job, <unsigned long long*> sc.block, y, rows, &link)
    return sc.block


cdef void sum_flat(
    floating_vec zero, Job* job, const char* block, Py_ssize_t pitch, char* sums, Py_ssize_t count,
) noexcept nogil:
    """Sums as of one long row, at least a vector of them; the last vector ends with it."""
    cdef Py_ssize_t x = 0, end = count * lane_size(zero), one = sizeof(floating_vec)
    cdef const char* w = last_lane(job).real_part
    while end - x >= STRIP * one:
        sum_strip(zero, job, block + x, pitch, w, job.kh, sums + x, True, MEND, STRIP)
        x += STRIP * one
    while x < end:
        x = min(x, end - one)
        sum_strip(zero, job, block + x, pitch, w, job.kh, sums + x, True, MEND, 1)
        x += one


cdef void flat_lane(Job* job, const char* block, Py_ssize_t pitch, char* sums, Py_ssize_t count) noexcept nogil:
    """sum_flat in the last lane."""
    if last_lane(job).kind == F4:
        sum_flat(vf4_zero(), job, block, pitch, sums, count)
    else:
        sum_flat(vf8_zero(), job, block, pitch, sums, count)


cdef void chain_tile(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1 of chained rows."""
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t m = y1 - y0, n = (x1 - x0) * job.parts, link = link_of(job, n), lanes = lanes_of(ln.kind), i
    cdef Py_ssize_t size = type_size(ln.kind), out_size = type_size(job.out_kind), count = (m - 1) * link + n
    cdef const char* block = chain_rows(job, sc, job.top + y0, m + job.kh - 1, job.left + x0, x1 - x0 + job.kw - 1, link)
    cdef char* out = job.out + y0 * job.out_row_stride + x0 * job.out_col_stride
    cdef bint straight = is_straight(job, ln), packed = m == 1 or (link == n and job.out_row_stride == n * out_size)
    cdef bint flat = is_flat(job, n), in_rows = straight and not packed and n >= lanes and (not flat or n > FLAT_VECS * lanes)
    cdef char* to = out if in_rows or (packed and (count >= lanes or not straight)) else sc.plane[1]
    cdef char* sums = to if straight else sc.plane[0]
    if flat and in_rows:
        for i in range(m):
            flat_lane(job, block + i * link * size, 0, out + i * job.out_row_stride, n)
    elif flat:
        flat_lane(job, block, link * size, sums, max(count, lanes))
    else:
        for i in range(m + job.kh - 1):
            sc.rows[i] = block + i * link * size
        correlate_lane(ln.kind, sc.rows, m, max(n, lanes), job.kh, job.kw, ln.real_part, job.kh * size, job.parts * size, NULL, 0,
                       sums, job.out_row_stride if in_rows else link * size, -m, TAPS)
    if not straight:
        put_lane(job, ln.kind, sums, 1, to, out_size, count)
    if to != out:
        for i in range(m):
            copy_run(to + i * link * out_size, out + i * job.out_row_stride, n * out_size)


cdef void walk_chain(Job* job, Scratch* sc, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of some rows of a plane of the result."""
    cdef Py_ssize_t x = 0, w, y, lanes = lanes_of(last_lane(job).kind)
    while x < job.n:
        w = piece(job.n - x, sc.width, lanes)
        for y from y_from <= y < y_to by sc.tile_rows:
            chain_tile(job, sc, y, min(y + sc.tile_rows, y_to), x, x + w)
        x += w
