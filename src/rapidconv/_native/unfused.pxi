# Sums whose last bit shows, because they are cut to whole numbers: those of scipy.ndimage, bit for bit.
#
# Sums in double, one multiplication and one addition a tap, never fused into one rounding. A 3 x 3 mean of fives is 4 then, as
# nine times the double below 5/9 is just below 5.
#
#   TAPS         0 + w0 x0 + w1 x1 + ...                             in C order of the kernel
#   LAST_FIRST   w4 x4 + w0 x0 + w1 x1 + w2 x2 + w3 x3               of a kernel along one axis
#   SYMMETRIC    w2 x2 + w0 (x0 + x4) + w1 (x1 + x3)
#   SKEW         w2 x2 + w0 (x0 - x4) + w1 (x1 - x3)

cdef extern from "simd.h" nogil:
    vf8 vf8_unfused(vf8 v)

cdef enum:
    TAPS = 0            # as Order in _problem.py
    LAST_FIRST = 1
    SYMMETRIC = 2
    SKEW = 3
    STRIP = 4           # vectors summed side by side


cdef inline void add_tap(
    vf8* a, const char* p, const char* mirrored, const int order, const char* weight, const int vecs,
) noexcept nogil:
    """One tap, or a pair of taps that share a weight, into vecs vectors of sums."""
    cdef vf8 w = vf8_splat(weight), x
    cdef int k
    for k in range(vecs):
        x = vf8_load(p + k * sizeof(vf8))
        if order == SYMMETRIC:
            x = x + vf8_load(mirrored + k * sizeof(vf8))
        elif order == SKEW:
            x = x - vf8_load(mirrored + k * sizeof(vf8))
        a[k] = a[k] + vf8_unfused(x * w)


cdef inline void sum_strip(
    Job* job, const char* p, Py_ssize_t pitch, const char* w, char* sums, bint first, const int order, const int vecs,
) noexcept nogil:
    """vecs vectors of sums of one plane of the kernel, added to earlier ones unless it is the first; p: under its first tap."""
    cdef vf8 a[STRIP]
    cdef double zero = 0
    cdef Py_ssize_t i, j, k, step = job.parts * sizeof(double), count, last
    cdef int v
    if order == TAPS:
        for v in range(vecs):
            a[v] = vf8_splat(<const char*> &zero) if first else vf8_load(sums + v * sizeof(vf8))
        for i in range(job.kh):
            for j in range(job.kw):
                k = j * job.kh + i
                if not job.skips or (<const double*> w)[k] != 0:
                    add_tap(a, p + i * pitch + j * step, NULL, TAPS, w + k * sizeof(double), vecs)
    else:
        last = job.kh * job.kw - 1
        if job.kh > 1:
            step = pitch
        k = last if order == LAST_FIRST else last // 2
        for v in range(vecs):
            a[v] = vf8_unfused(vf8_load(p + k * step + v * sizeof(vf8)) * vf8_splat(w + k * sizeof(double)))
        for i in range(k):
            add_tap(a, p + i * step, p + (last - i) * step, order, w + i * sizeof(double), vecs)
    for v in range(vecs):
        vf8_store(sums + v * sizeof(vf8), a[v])


cdef inline void sum_row(
    Job* job, const char* p, Py_ssize_t pitch, const char* w, char* sums, bint first, Py_ssize_t n, const int order,
) noexcept nogil:
    """A row of n sums; the last vector may go beyond."""
    cdef Py_ssize_t x = 0, end = n * sizeof(double)
    while end - x > (STRIP - 1) * <Py_ssize_t> sizeof(vf8):
        sum_strip(job, p + x, pitch, w, sums + x, first, order, STRIP)
        x += STRIP * sizeof(vf8)
    while x < end:
        sum_strip(job, p + x, pitch, w, sums + x, first, order, 1)
        x += sizeof(vf8)


cdef void tile_unfused(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1,
) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1."""
    cdef Py_ssize_t m = y1 - y0, n = (x1 - x0) * job.parts, lanes = lanes_of(F8), full = (n + lanes - 1) // lanes * lanes
    cdef Py_ssize_t pitch = pitch_of(full * sizeof(double)), row_pitch = block_pitch(job, &job.lanes[0], full), i, tap
    cdef Py_ssize_t n_runs = runs_of(job, job.left + x0, x1 - x0 + job.kw - 1, sc.run)
    cdef const char* block
    cdef const char* p
    cdef const char* w
    cdef char* sums
    for tap in range(job.taps):
        block = fetch_block(job, sc, &job.lanes[0], False, job.top + y0, m + job.kh - 1, row_pitch, n_runs, tap, n < full)
        w = tap_weights(job, &job.lanes[0], job.lanes[0].real_part, tap)
        for i in range(m):
            p = block + i * row_pitch
            sums = sc.plane[0] + i * pitch
            if job.order == TAPS:
                sum_row(job, p, row_pitch, w, sums, tap == 0, n, TAPS)
            elif job.order == LAST_FIRST:
                sum_row(job, p, row_pitch, w, sums, True, n, LAST_FIRST)
            elif job.order == SYMMETRIC:
                sum_row(job, p, row_pitch, w, sums, True, n, SYMMETRIC)
            else:
                sum_row(job, p, row_pitch, w, sums, True, n, SKEW)
    for i in range(m):
        put_row(job, F8, sc.plane[0] + i * pitch, NULL, job.out + (y0 + i) * job.out_row_stride + x0 * job.out_col_stride,
                x1 - x0)
