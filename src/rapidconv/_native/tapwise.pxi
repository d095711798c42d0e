# Sums tap by tap, where it matters which taps there are and how each is added.
#
# Cut to whole numbers, a sum shows its last bit. Those of scipy.ndimage are in double, one multiplication and one addition a
# tap, never fused into one rounding: a 3 x 3 mean of fives is 4, as nine times the double below 5/9 is just below 5.
#
#   TAPS         0 + w0 x0 + w1 x1 + ...                             in C order of the kernel
#   LAST_FIRST   w4 x4 + w0 x0 + w1 x1 + w2 x2 + w3 x3               of a kernel along one axis
#   SYMMETRIC    w2 x2 + w0 (x0 + x4) + w1 (x1 + x3)
#   SKEW         w2 x2 + w0 (x0 - x4) + w1 (x1 - x3)
#   TURNED       0 + w00 x00 + w10 x10 + ...                         column by column, of a kernel of one plane
#
# Where zero taps meet no pixel, results that are not finite are summed again without them: MEND, in any lane, multiplied and
# added as in direct.pxi.

cdef extern from "simd.h" nogil:
    vf8 vf8_unfused(vf8 v)

cdef enum:
    STRIP = 4           # vectors summed side by side


cdef inline floating_vec product(floating_vec x, floating_vec w, const int order) noexcept nogil:
    """x times w, to be rounded before it is added to anything, unless mending."""
    if floating_vec is vf8:
        if order != MEND:
            return vf8_unfused(x * w)
    return x * w


cdef inline void add_tap(
    floating_vec* a, const char* p, const char* mirrored, const int order, const char* weight, const int vecs,
) noexcept nogil:
    """One tap, or a pair of taps that share a weight, into vecs vectors of sums."""
    cdef floating_vec w = splat(a[0], weight), x
    cdef int k
    for k in range(vecs):
        x = load(w, p + k * sizeof(floating_vec))
        if order == SYMMETRIC:
            x = x + load(w, mirrored + k * sizeof(floating_vec))
        elif order == SKEW:
            x = x - load(w, mirrored + k * sizeof(floating_vec))
        a[k] = a[k] + product(x, w, order)


cdef inline bint is_zero(floating_vec like, const char* weight) noexcept nogil:
    """Whether a tap is zero."""
    if floating_vec is vf4:
        return (<const float*> weight)[0] == 0
    elif floating_vec is vf8:
        return (<const double*> weight)[0] == 0
    else:
        return (<const extended*> weight)[0] == 0


cdef inline void sum_strip(
    floating_vec zero, Job* job, const char* p, Py_ssize_t pitch, const char* w, Py_ssize_t rows, char* sums, bint begins,
    const int order, const int vecs,
) noexcept nogil:
    """vecs vectors of sums under some rows of a plane of the kernel, added to earlier ones unless it begins.

    p : under the first tap;  w : the first weight of the transposed plane that is met
    """
    cdef floating_vec a[STRIP]
    cdef Py_ssize_t i, j, size = lane_size(zero), step = job.parts * size, last
    cdef const char* weight
    cdef int v
    if order <= TAPS:
        for v in range(vecs):
            a[v] = zero if begins else load(zero, sums + v * sizeof(floating_vec))
        for i in range(rows):
            for j in range(job.kw):
                weight = w + (j * job.kh + i) * size
                if not job.skips or not is_zero(zero, weight):
                    add_tap(a, p + i * pitch + j * step, NULL, order, weight, vecs)
    elif order == TURNED:
        for v in range(vecs):
            a[v] = zero
        for j in range(job.kw):
            for i in range(rows):
                weight = w + (j * job.kh + i) * size
                if not job.skips or not is_zero(zero, weight):
                    add_tap(a, p + i * pitch + j * step, NULL, order, weight, vecs)
    else:
        last = rows * job.kw - 1
        if rows > 1:
            step = pitch
        i = last if order == LAST_FIRST else last // 2
        for v in range(vecs):
            a[v] = product(load(zero, p + i * step + v * sizeof(floating_vec)), splat(zero, w + i * size), order)
        for j in range(i):
            add_tap(a, p + j * step, p + (last - j) * step, order, w + j * size, vecs)
    for v in range(vecs):
        store(sums + v * sizeof(floating_vec), a[v])


cdef inline void sum_row(
    floating_vec zero, Job* job, const char* p, Py_ssize_t pitch, const char* w, Py_ssize_t rows, char* sums, bint begins,
    Py_ssize_t n, const int order,
) noexcept nogil:
    """A row of n sums; the last vector may go beyond."""
    cdef Py_ssize_t x = 0, end = n * lane_size(zero), one = sizeof(floating_vec)
    while end - x > (STRIP - 1) * one:
        sum_strip(zero, job, p + x, pitch, w, rows, sums + x, begins, order, STRIP)
        x += STRIP * one
    while x < end:
        sum_strip(zero, job, p + x, pitch, w, rows, sums + x, begins, order, 1)
        x += one


cdef Py_ssize_t sum_tapwise(
    floating_vec zero, Job* job, Scratch* sc, int order, Py_ssize_t y0, Py_ssize_t m, Py_ssize_t x0, Py_ssize_t width,
) noexcept nogil:
    """m x width sums from output (y0, x0) on, in the first plane of sums; bytes from row to row."""
    cdef Lane* ln = &job.lanes[0]
    cdef Py_ssize_t n = width * job.parts, lanes = sizeof(floating_vec) // lane_size(zero)
    cdef Py_ssize_t full = (n + lanes - 1) // lanes * lanes
    cdef Py_ssize_t pitch = pitch_of(full * lane_size(zero)), row_pitch = block_pitch(job, ln, full), i, tap, first, group
    cdef Py_ssize_t n_runs = runs_of(job, job.left + x0, width + job.kw - 1, sc.run)
    cdef const char* block
    cdef const char* p
    cdef const char* w
    cdef char* sums
    cdef bint begins = True
    for tap in range(job.taps):
        first = 0
        while first < job.kh:
            group = min(sc.group, job.kh - first)
            block = fetch_block(job, sc, ln, False, job.top + y0 + first, m + group - 1, row_pitch, n_runs, tap, n < full)
            w = tap_weights(job, ln, ln.real_part, tap) + first * lane_size(zero)
            for i in range(m):
                p = block + i * row_pitch
                sums = sc.plane[0] + i * pitch
                if order == MEND:
                    sum_row(zero, job, p, row_pitch, w, group, sums, begins, n, MEND)
                elif floating_vec is vf8:
                    if order == TAPS:
                        sum_row(zero, job, p, row_pitch, w, group, sums, begins, n, TAPS)
                    elif order == LAST_FIRST:
                        sum_row(zero, job, p, row_pitch, w, group, sums, True, n, LAST_FIRST)
                    elif order == TURNED:
                        sum_row(zero, job, p, row_pitch, w, group, sums, True, n, TURNED)
                    elif order == SYMMETRIC:
                        sum_row(zero, job, p, row_pitch, w, group, sums, True, n, SYMMETRIC)
                    else:
                        sum_row(zero, job, p, row_pitch, w, group, sums, True, n, SKEW)
            begins = False
            first += group
    return pitch


cdef void tile_cut(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1, cut to whole numbers."""
    cdef double zero = 0
    cdef Py_ssize_t pitch = sum_tapwise(vf8_splat(<const char*> &zero), job, sc, job.order, y0, y1 - y0, x0, x1 - x0), i
    for i in range(y1 - y0):
        put_row(job, F8, sc.plane[0] + i * pitch, NULL, job.out + (y0 + i) * job.out_row_stride + x0 * job.out_col_stride,
                x1 - x0)


cdef bint all_finite_in(Job* job, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, real* like) noexcept nogil:
    """Whether outputs y0 <= y < y1, x0 <= x < x1 are finite."""
    cdef Py_ssize_t y, x
    cdef const char* row
    for y in range(y0, y1):
        row = job.out + y * job.out_row_stride
        if job.out_col_stride == job.parts * <Py_ssize_t> sizeof(real):
            if not all_finite(<real*> (row + x0 * job.out_col_stride), (x1 - x0) * job.parts):
                return False
            continue
        for x in range(x0, x1):
            if not all_finite(<real*> (row + x * job.out_col_stride), job.parts):
                return False
    return True


cdef void mend_tile(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, real* like,
) noexcept nogil:
    """Outputs of a tile that are not finite, summed without the kernel's zeros."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    cdef Py_ssize_t y, x, pitch, size
    cdef int part, kind = job.lanes[0].kind
    cdef real* v
    cdef const char* sums
    if all_finite_in(job, y0, y1, x0, x1, like):
        return
    if kind == F4:
        pitch = sum_tapwise(vf4_splat(z), job, sc, MEND, y0, y1 - y0, x0, x1 - x0)
    elif kind == F8:
        pitch = sum_tapwise(vf8_splat(z), job, sc, MEND, y0, y1 - y0, x0, x1 - x0)
    else:
        pitch = sum_tapwise(vfg_splat(z), job, sc, MEND, y0, y1 - y0, x0, x1 - x0)
    size = type_size(kind)
    for y in range(y0, y1):
        sums = sc.plane[0] + (y - y0) * pitch
        for x in range(x0, x1):
            v = <real*> (job.out + y * job.out_row_stride + x * job.out_col_stride)
            for part in range(job.parts):
                if v[part] - v[part] != 0:
                    put_lane(job, kind, sums + ((x - x0) * job.parts + part) * size, 1, <char*> (v + part), sizeof(real), 1)


cdef void mend(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1) noexcept nogil:
    """Rows y0 <= y < y1 of a real result whose kernel has zeros that are to meet no pixel."""
    cdef Py_ssize_t x = 0, w, y, end
    if job.taps > 1:
        forget_blocks(sc, 0)
    while x < job.n:
        w = piece(job.n - x, sc.width, lanes_of(job.lanes[0].kind))
        y = y0
        while y < y1:
            end = min(y1, y + sc.tile_rows)
            if job.out_kind == F4:
                mend_tile(job, sc, y, end, x, x + w, <float*> NULL)
            elif job.out_kind == F8:
                mend_tile(job, sc, y, end, x, x + w, <double*> NULL)
            else:
                mend_tile(job, sc, y, end, x, x + w, <extended*> NULL)
            y = end
            if job.taps > 1:
                forget_blocks(sc, 0)
        x += w
