# Direct sums: valid correlation of rows, the one operation everything is reduced to.
#
#   out[y, x] = sum over i < kh, j < kw of  weights[i, j] * rows[y + i][x + j * step]
#
# Accumulators are named variables aRC: output row R, vector C of the register tile.  One input row is loaded
# once per tap and feeds every output row it reaches; one broadcast weight feeds every vector of its row.
#
#   stream (kh <= 9): the tile holds the kh output rows one input row reaches and slides down with it
#
#        input row y+2 ->  a0 += w2   finished, stored        a0 <- a1
#                          a1 += w1                           a1 <- a2
#                          a2 += w0   begun                   a2 <- 0
#
#   ring (kernels of RING_ROWS rows or more, tall bands): 7 to 9 slots that are never idle; the kernel's rows go round
#
#        input row 0        | 0                  slot s holds output rows first + s, + kh, + 2 kh ... one after
#        input row 1        | 0 1                another: where one ends, the next begins. Rows that were not
#        ...                | 0 1 ... m - 1      reached are those of further rings over the same strip
#        input row kh       | kh 1 ... m - 1
#        input row kh + 1   | kh kh+1 ... m - 1
#
#   tile (what is left): 8 (4, 1) output rows stay, input rows pass
#
#        input row 0   | 0            output row r meets input row i with kernel row i - r:
#        input row 1   | 0 1          rows of a head, the steady middle, rows of a tail
#        ...           | 0 1 2 3
#        input row kh  |   1 2 3
#
# Every output is summed tap by tap in row-major order of the kernel, in one accumulator, whatever tile it falls
# into: so its bits do not depend on tiles, layout or workers.


cdef inline void tap(
    vec* a00, vec* a01, vec* a02, vec* a10, vec* a11, vec* a12, vec* a20, vec* a21, vec* a22,
    vec* a30, vec* a31, vec* a32, vec* a40, vec* a41, vec* a42, vec* a50, vec* a51, vec* a52,
    vec* a60, vec* a61, vec* a62, vec* a70, vec* a71, vec* a72, vec* a80, vec* a81, vec* a82,
    vec x0, vec x1, vec x2, const char* w, const int first_row, const int last_row, const int vecs,
) noexcept nogil:
    """Inputs x0, x1, x2 under one tap into output rows first_row..last_row; w is the weight that meets output row 0."""
    cdef Py_ssize_t size = lane_size(x0)
    cdef vec b
    if first_row <= 0 <= last_row:
        b = splat(x0, w)
        a00[0] = plus_product(a00[0], b, x0)
        if vecs > 1:
            a01[0] = plus_product(a01[0], b, x1)
        if vecs > 2:
            a02[0] = plus_product(a02[0], b, x2)
    if first_row <= 1 <= last_row:
        b = splat(x0, w - size)
        a10[0] = plus_product(a10[0], b, x0)
        if vecs > 1:
            a11[0] = plus_product(a11[0], b, x1)
        if vecs > 2:
            a12[0] = plus_product(a12[0], b, x2)
    if first_row <= 2 <= last_row:
        b = splat(x0, w - 2 * size)
        a20[0] = plus_product(a20[0], b, x0)
        if vecs > 1:
            a21[0] = plus_product(a21[0], b, x1)
        if vecs > 2:
            a22[0] = plus_product(a22[0], b, x2)
    if first_row <= 3 <= last_row:
        b = splat(x0, w - 3 * size)
        a30[0] = plus_product(a30[0], b, x0)
        if vecs > 1:
            a31[0] = plus_product(a31[0], b, x1)
        if vecs > 2:
            a32[0] = plus_product(a32[0], b, x2)
    if first_row <= 4 <= last_row:
        b = splat(x0, w - 4 * size)
        a40[0] = plus_product(a40[0], b, x0)
        if vecs > 1:
            a41[0] = plus_product(a41[0], b, x1)
        if vecs > 2:
            a42[0] = plus_product(a42[0], b, x2)
    if first_row <= 5 <= last_row:
        b = splat(x0, w - 5 * size)
        a50[0] = plus_product(a50[0], b, x0)
        if vecs > 1:
            a51[0] = plus_product(a51[0], b, x1)
        if vecs > 2:
            a52[0] = plus_product(a52[0], b, x2)
    if first_row <= 6 <= last_row:
        b = splat(x0, w - 6 * size)
        a60[0] = plus_product(a60[0], b, x0)
        if vecs > 1:
            a61[0] = plus_product(a61[0], b, x1)
        if vecs > 2:
            a62[0] = plus_product(a62[0], b, x2)
    if first_row <= 7 <= last_row:
        b = splat(x0, w - 7 * size)
        a70[0] = plus_product(a70[0], b, x0)
        if vecs > 1:
            a71[0] = plus_product(a71[0], b, x1)
        if vecs > 2:
            a72[0] = plus_product(a72[0], b, x2)
    if first_row <= 8 <= last_row:
        b = splat(x0, w - 8 * size)
        a80[0] = plus_product(a80[0], b, x0)
        if vecs > 1:
            a81[0] = plus_product(a81[0], b, x1)
        if vecs > 2:
            a82[0] = plus_product(a82[0], b, x2)


cdef enum:
    RING_ROWS = 14          # kernels of fewer rows do not make rings of 7 to 9
    LEAST_PERIODS = 8       # heights of the kernel in a band, and rows: a ring throws up to 8 rows away at its ends
    LEAST_RING = 256
    SHARED_SETS = 2048      # bytes between rows of which every second one, or all, lie in the same sets of a first-level cache
    LOW_STREAM = 6          # rows of kernels that gain by lower bands, and by fetching rows of the result too (docs/decisions.md)
    FETCHED = 16            # rows of any band, in whose time the next one's are fetched


ctypedef char loaded         # whence the taps of a row have their inputs: words by which Cython tells the two ways apart
ctypedef short shifted

ctypedef fused inputs:
    loaded                   # from a load each
    shifted                  # up to 7 neighbouring taps, of 3 vectors, from 4 loads: most unaligned loads straddle cache lines


cdef inline void taps(
    vec* a00, vec* a01, vec* a02, vec* a10, vec* a11, vec* a12, vec* a20, vec* a21, vec* a22,
    vec* a30, vec* a31, vec* a32, vec* a40, vec* a41, vec* a42, vec* a50, vec* a51, vec* a52,
    vec* a60, vec* a61, vec* a62, vec* a70, vec* a71, vec* a72, vec* a80, vec* a81, vec* a82,
    const char* p, const char* w, Py_ssize_t w_step, Py_ssize_t kw, Py_ssize_t step,
    Py_ssize_t last, const int first_row, const int last_row, const int vecs, inputs way,
) noexcept nogil:
    """One input row at p into output rows first_row..last_row; w is the first weight of output row 0's kernel row.

    Vector c starts c vectors after p, but the last of the vecs vectors starts at p + last.
    """
    cdef Py_ssize_t j
    cdef vec x0, x1, x2, x3
    RC_ANEW(w)
    if inputs is shifted:
        x0 = load(a00[0], p)
        x1 = load(a00[0], p + sizeof(vec))
        x2 = load(a00[0], p + 2 * sizeof(vec))
        x3 = load(a00[0], p + 3 * sizeof(vec))
        tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
            a30, a31, a32, a40, a41, a42, a50, a51, a52,
            a60, a61, a62, a70, a71, a72, a80, a81, a82,
            x0, x1, x2, w, first_row, last_row, vecs)
        if kw > 1:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 1), shift(x1, x2, 1), shift(x2, x3, 1), w + 1 * w_step,
                first_row, last_row, vecs)
        if kw > 2:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 2), shift(x1, x2, 2), shift(x2, x3, 2), w + 2 * w_step,
                first_row, last_row, vecs)
        if kw > 3:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 3), shift(x1, x2, 3), shift(x2, x3, 3), w + 3 * w_step,
                first_row, last_row, vecs)
        if kw > 4:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 4), shift(x1, x2, 4), shift(x2, x3, 4), w + 4 * w_step,
                first_row, last_row, vecs)
        if kw > 5:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 5), shift(x1, x2, 5), shift(x2, x3, 5), w + 5 * w_step,
                first_row, last_row, vecs)
        if kw > 6:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 6), shift(x1, x2, 6), shift(x2, x3, 6), w + 6 * w_step,
                first_row, last_row, vecs)
    else:
        for j in range(kw):
            x0 = load(a00[0], p if vecs > 1 else p + last)
            if vecs > 1:
                x1 = load(a00[0], p + sizeof(vec) if vecs > 2 else p + last)
            if vecs > 2:
                x2 = load(a00[0], p + last)
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                x0, x1, x2, w, first_row, last_row, vecs)
            p += step
            w += w_step


cdef inline void begin(
    vec zero, vec* a0, vec* a1, vec* a2, const char* sums, Py_ssize_t last, const int vecs,
) noexcept nogil:
    """A row of accumulators from the earlier sums, or from zero where sums is NULL."""
    a0[0] = a1[0] = a2[0] = nought(zero)
    if sums != NULL:
        a0[0] = load(zero, sums if vecs > 1 else sums + last)
        if vecs > 1:
            a1[0] = load(zero, sums + sizeof(vec) if vecs > 2 else sums + last)
        if vecs > 2:
            a2[0] = load(zero, sums + last)


cdef inline void finish(vec* a0, vec* a1, vec* a2, char* out, Py_ssize_t last, const int vecs) noexcept nogil:
    """A row of accumulators to out."""
    store(out if vecs > 1 else out + last, a0[0])
    if vecs > 1:
        store(out + sizeof(vec) if vecs > 2 else out + last, a1[0])
    if vecs > 2:
        store(out + last, a2[0])


cdef struct Band:        # rows that a sweep from left to right keeps in the first-level cache
    const char** rows        # m + kh - 1 row starts
    Py_ssize_t m, n          # outputs
    Py_ssize_t kh, kw
    const char* w            # weight [i, j] at byte j * w_step + i * size
    const char* im           # of a bank: the imaginary kernel's, and how the two sums meet
    int meeting
    Py_ssize_t w_step
    Py_ssize_t step          # bytes between the inputs of neighbouring taps
    const char* sums         # earlier sums to add to, or NULL
    Py_ssize_t sums_pitch
    char* out
    Py_ssize_t out_pitch
    Py_ssize_t ahead         # rows of the next band, which are fetched meanwhile


cdef inline void fetch_row(
    const Band* band, Py_ssize_t i, Py_ssize_t x, Py_ssize_t width, const Py_ssize_t kh,
) noexcept nogil:
    """The next band's row i under a strip so many bytes wide, into the second-level cache: in the time of this band's row i,
    for all rows at once would wait for one another, and the sums for them."""
    cdef Py_ssize_t at
    cdef const char* row
    cdef const char* out
    if i >= band.ahead:
        return
    row = band.rows[band.m + kh - 1 + i] + x
    for at from 0 <= at < width by 64:
        RC_READ_LATER(row + at)
    if kh <= LOW_STREAM:
        out = band.out + (band.m + i) * band.out_pitch + x
        for at from 0 <= at < width by 64:
            RC_READ_LATER(out + at)


cdef inline Py_ssize_t band_rows(Py_ssize_t kh, bint fetches) noexcept nogil:
    """Rows of a band, in whose time the next one's are fetched, or which lie in the cache."""
    return min(RC_BAND(kh), RC_LOW_BAND) if fetches and kh <= LOW_STREAM else RC_BAND(kh)


cdef inline const char* row_of(const char* sums, Py_ssize_t i, Py_ssize_t sums_pitch) noexcept nogil:
    """Row i of earlier sums, where there are any."""
    return sums + i * sums_pitch if sums != NULL else NULL


cdef inline void stream_row(
    vec* a00, vec* a01, vec* a02, vec* a10, vec* a11, vec* a12, vec* a20, vec* a21, vec* a22,
    vec* a30, vec* a31, vec* a32, vec* a40, vec* a41, vec* a42, vec* a50, vec* a51, vec* a52,
    vec* a60, vec* a61, vec* a62, vec* a70, vec* a71, vec* a72, vec* a80, vec* a81, vec* a82,
    vec zero, const Band* band, Py_ssize_t i, Py_ssize_t x, const char* w, Py_ssize_t w_step, const Py_ssize_t kh, Py_ssize_t kw,
    Py_ssize_t step, const char* sums, char* out, Py_ssize_t last, const int first_row, const int last_row, const int vecs,
    inputs way,
) noexcept nogil:
    """Input row i of a stream: output row kh - 1 begins, from sums or zero; output row 0 is finished; all move up one."""
    if last_row == kh - 1:
        fetch_row(band, i, x, vecs * sizeof(vec), kh)
        sums = row_of(sums, i, band.sums_pitch)
        if kh == 1:
            begin(zero, a00, a01, a02, sums, last, vecs)
        elif kh == 2:
            begin(zero, a10, a11, a12, sums, last, vecs)
        elif kh == 3:
            begin(zero, a20, a21, a22, sums, last, vecs)
        elif kh == 4:
            begin(zero, a30, a31, a32, sums, last, vecs)
        elif kh == 5:
            begin(zero, a40, a41, a42, sums, last, vecs)
        elif kh == 6:
            begin(zero, a50, a51, a52, sums, last, vecs)
        elif kh == 7:
            begin(zero, a60, a61, a62, sums, last, vecs)
        elif kh == 8:
            begin(zero, a70, a71, a72, sums, last, vecs)
        elif kh == 9:
            begin(zero, a80, a81, a82, sums, last, vecs)
    taps(a00, a01, a02, a10, a11, a12, a20, a21, a22,
         a30, a31, a32, a40, a41, a42, a50, a51, a52,
         a60, a61, a62, a70, a71, a72, a80, a81, a82,
         band.rows[i] + x, w, w_step, kw, step, last, first_row, last_row, vecs, way)
    if first_row == 0:
        finish(a00, a01, a02, out, last, vecs)
    a00[0] = a10[0]
    a01[0] = a11[0]
    a02[0] = a12[0]
    a10[0] = a20[0]
    a11[0] = a21[0]
    a12[0] = a22[0]
    a20[0] = a30[0]
    a21[0] = a31[0]
    a22[0] = a32[0]
    a30[0] = a40[0]
    a31[0] = a41[0]
    a32[0] = a42[0]
    a40[0] = a50[0]
    a41[0] = a51[0]
    a42[0] = a52[0]
    a50[0] = a60[0]
    a51[0] = a61[0]
    a52[0] = a62[0]
    a60[0] = a70[0]
    a61[0] = a71[0]
    a62[0] = a72[0]
    a70[0] = a80[0]
    a71[0] = a81[0]
    a72[0] = a82[0]


cdef inline void stream(
    vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const Py_ssize_t kh, Py_ssize_t kw, const char* sums,
    const int vecs, inputs way,
) noexcept nogil:
    """A strip of output rows, vecs vectors wide at byte x, from input rows each read once; kh <= 9, band.m >= kh."""
    cdef vec a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef vec a30, a31, a32, a40, a41, a42, a50, a51, a52
    cdef vec a60, a61, a62, a70, a71, a72, a80, a81, a82
    cdef Py_ssize_t i, size = lane_size(zero), m = band.m, w_step = band.w_step, step = band.step, out_pitch = band.out_pitch
    cdef const char* w = band.w + (kh - 1) * size
    cdef char* out = band.out + x
    a00 = a01 = a02 = nought(zero)
    a10 = a11 = a12 = nought(zero)
    a20 = a21 = a22 = nought(zero)
    a30 = a31 = a32 = nought(zero)
    a40 = a41 = a42 = nought(zero)
    a50 = a51 = a52 = nought(zero)
    a60 = a61 = a62 = nought(zero)
    a70 = a71 = a72 = nought(zero)
    a80 = a81 = a82 = nought(zero)
    if sums != NULL:
        sums += x
    if kh > 8:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 9, x, w, w_step, kh, kw, step, sums, NULL, last, 8, kh - 1, vecs, way)
    if kh > 7:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 8, x, w, w_step, kh, kw, step, sums, NULL, last, 7, kh - 1, vecs, way)
    if kh > 6:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 7, x, w, w_step, kh, kw, step, sums, NULL, last, 6, kh - 1, vecs, way)
    if kh > 5:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 6, x, w, w_step, kh, kw, step, sums, NULL, last, 5, kh - 1, vecs, way)
    if kh > 4:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 5, x, w, w_step, kh, kw, step, sums, NULL, last, 4, kh - 1, vecs, way)
    if kh > 3:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 4, x, w, w_step, kh, kw, step, sums, NULL, last, 3, kh - 1, vecs, way)
    if kh > 2:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 3, x, w, w_step, kh, kw, step, sums, NULL, last, 2, kh - 1, vecs, way)
    if kh > 1:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, kh - 2, x, w, w_step, kh, kw, step, sums, NULL, last, 1, kh - 1, vecs, way)
    for i in range(kh - 1, m):
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, i, x, w, w_step, kh, kw, step, sums, out, last, 0, kh - 1, vecs, way)
        out += out_pitch
    if kh > 1:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m, x, w, w_step, kh, kw, step, NULL, out, last, 0, kh - 2, vecs, way)
    if kh > 2:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 1, x, w, w_step, kh, kw, step, NULL, out + out_pitch, last, 0, kh - 3, vecs, way)
    if kh > 3:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 2, x, w, w_step, kh, kw, step, NULL, out + 2 * out_pitch, last, 0, kh - 4, vecs, way)
    if kh > 4:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 3, x, w, w_step, kh, kw, step, NULL, out + 3 * out_pitch, last, 0, kh - 5, vecs, way)
    if kh > 5:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 4, x, w, w_step, kh, kw, step, NULL, out + 4 * out_pitch, last, 0, kh - 6, vecs, way)
    if kh > 6:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 5, x, w, w_step, kh, kw, step, NULL, out + 5 * out_pitch, last, 0, kh - 7, vecs, way)
    if kh > 7:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 6, x, w, w_step, kh, kw, step, NULL, out + 6 * out_pitch, last, 0, kh - 8, vecs, way)
    if kh > 8:
        stream_row(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                   &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                   &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                   zero, band, m + 7, x, w, w_step, kh, kw, step, NULL, out + 7 * out_pitch, last, 0, kh - 9, vecs, way)


cdef inline void read_ahead(vec zero, const char* p, const int vecs) noexcept nogil:
    """Fetch what the next strip needs of an input row: a tall band has more rows than the hardware follows."""
    RC_READ_SOON(p + vecs * sizeof(vec))
    if vecs > 1:
        RC_READ_SOON(p + (vecs + 1) * sizeof(vec))
    if vecs > 2:
        RC_READ_SOON(p + (vecs + 2) * sizeof(vec))


cdef inline void register_tile(
    vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const int m, const int vecs,
) noexcept nogil:
    """Register tile of m output rows (1, 4 or 8, at most kh), vecs vectors wide at byte x."""
    cdef vec a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef vec a30, a31, a32, a40, a41, a42, a50, a51, a52
    cdef vec a60, a61, a62, a70, a71, a72
    cdef Py_ssize_t i, size = lane_size(zero), kh = band.kh, kw = band.kw, w_step = band.w_step, step = band.step
    cdef Py_ssize_t sums_pitch = band.sums_pitch, out_pitch = band.out_pitch
    cdef const char** rows = band.rows
    cdef const char* w = band.w
    cdef const char* sums = band.sums
    cdef char* out = band.out + x
    if sums != NULL:
        sums += x
    begin(zero, &a00, &a01, &a02, sums, last, vecs)
    if m > 1:
        begin(zero, &a10, &a11, &a12, row_of(sums, 1, sums_pitch), last, vecs)
        begin(zero, &a20, &a21, &a22, row_of(sums, 2, sums_pitch), last, vecs)
        begin(zero, &a30, &a31, &a32, row_of(sums, 3, sums_pitch), last, vecs)
    if m > 4:
        begin(zero, &a40, &a41, &a42, row_of(sums, 4, sums_pitch), last, vecs)
        begin(zero, &a50, &a51, &a52, row_of(sums, 5, sums_pitch), last, vecs)
        begin(zero, &a60, &a61, &a62, row_of(sums, 6, sums_pitch), last, vecs)
        begin(zero, &a70, &a71, &a72, row_of(sums, 7, sums_pitch), last, vecs)
    if m > 1:
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[0] + x, w, w_step, kw, step, last, 0, 0, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[1] + x, w + size, w_step, kw, step, last, 0, 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[2] + x, w + 2 * size, w_step, kw, step, last, 0, 2, vecs, <loaded> 0)
    if m > 4:
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[3] + x, w + 3 * size, w_step, kw, step, last, 0, 3, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[4] + x, w + 4 * size, w_step, kw, step, last, 0, 4, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[5] + x, w + 5 * size, w_step, kw, step, last, 0, 5, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[6] + x, w + 6 * size, w_step, kw, step, last, 0, 6, vecs, <loaded> 0)
    for i in range(m - 1, kh):
        if m > 1:
            read_ahead(zero, rows[i] + x, vecs)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[i] + x, w + i * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
    for i in range(kh, kh + m - 1):
        read_ahead(zero, rows[i] + x, vecs)
    if m > 1:
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh] + x, w + kh * size, w_step, kw, step, last, 1, m - 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 1] + x, w + (kh + 1) * size, w_step, kw, step, last, 2, m - 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 2] + x, w + (kh + 2) * size, w_step, kw, step, last, 3, m - 1, vecs, <loaded> 0)
    if m > 4:
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 3] + x, w + (kh + 3) * size, w_step, kw, step, last, 4, m - 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 4] + x, w + (kh + 4) * size, w_step, kw, step, last, 5, m - 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 5] + x, w + (kh + 5) * size, w_step, kw, step, last, 6, m - 1, vecs, <loaded> 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[kh + 6] + x, w + (kh + 6) * size, w_step, kw, step, last, 7, m - 1, vecs, <loaded> 0)
    finish(&a00, &a01, &a02, out, last, vecs)
    if m > 1:
        finish(&a10, &a11, &a12, out + out_pitch, last, vecs)
        finish(&a20, &a21, &a22, out + 2 * out_pitch, last, vecs)
        finish(&a30, &a31, &a32, out + 3 * out_pitch, last, vecs)
    if m > 4:
        finish(&a40, &a41, &a42, out + 4 * out_pitch, last, vecs)
        finish(&a50, &a51, &a52, out + 5 * out_pitch, last, vecs)
        finish(&a60, &a61, &a62, out + 6 * out_pitch, last, vecs)
        finish(&a70, &a71, &a72, out + 7 * out_pitch, last, vecs)


cdef inline bint is_tall(Py_ssize_t m, Py_ssize_t kh) noexcept nogil:
    """Whether rings gain on so many output rows."""
    return RC_RINGS and kh >= RING_ROWS and m >= max(LEAST_PERIODS * kh, LEAST_RING)


cdef inline void read_rows(
    const char** rows, Py_ssize_t i, Py_ssize_t end, Py_ssize_t x, Py_ssize_t reach, Py_ssize_t width, bint later,
) noexcept nogil:
    """Fetch all that row i + 1 is read for, and later: what the next strip needs of row i besides."""
    cdef Py_ssize_t at
    cdef const char* p = rows[min(i + 1, end)] + x
    for at from 0 <= at < reach by 64:
        RC_READ_SOON(p + at)
    if later:
        p = rows[i] + x
        for at from reach <= at < reach + width by 64:
            RC_READ_LATER(p + at)


cdef inline void hand_over(
    bankable zero, bankable* a0, bankable* a1, bankable* a2, char* done, const char* sums, Py_ssize_t last, const int vecs,
) noexcept nogil:
    """A slot of a ring: its output row is done, if there is one, and the next one begins from sums or zero."""
    if done != NULL:
        finish(a0, a1, a2, done, last, vecs)
    begin(zero, a0, a1, a2, sums, last, vecs)


cdef inline void ring(
    bankable zero, const Band* band, Py_ssize_t first, Py_ssize_t x, Py_ssize_t last, const int m, const int vecs,
) noexcept nogil:
    """Output rows first .. first + m - 1 and all kh, 2 kh ... further down, vecs vectors wide at byte x; m is 7, 8 or 9.

    Slots that have not begun or are done take part in the sums all the same: what they hold is thrown away.
    """
    cdef bankable a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef bankable a30, a31, a32, a40, a41, a42, a50, a51, a52
    cdef bankable a60, a61, a62, a70, a71, a72, a80, a81, a82
    cdef Py_ssize_t i, y, size = lane_size(zero), kh = band.kh, kw = band.kw, w_step = band.w_step, step = band.step
    cdef Py_ssize_t sums_pitch = band.sums_pitch, out_pitch = band.out_pitch, width = vecs * sizeof(bankable)
    cdef Py_ssize_t reach = (width + (kw - 1) * step + 126) // 64 * 64      # bytes of a row, from wherever in a line
    cdef Py_ssize_t end = band.m + m - 2                                    # the last row
    cdef const char** rows = band.rows + first
    cdef const char* w = band.w
    cdef const char* sums = NULL
    cdef char* out = band.out + first * out_pitch + x
    cdef char* done = NULL
    a00 = a01 = a02 = nought(zero)
    a10 = a11 = a12 = nought(zero)
    a20 = a21 = a22 = nought(zero)
    a30 = a31 = a32 = nought(zero)
    a40 = a41 = a42 = nought(zero)
    a50 = a51 = a52 = nought(zero)
    a60 = a61 = a62 = nought(zero)
    a70 = a71 = a72 = nought(zero)
    a80 = a81 = a82 = nought(zero)
    for y from 0 <= y <= band.m by kh:
        sums = NULL
        if band.sums != NULL and y < band.m:
            sums = band.sums + (first + y) * sums_pitch + x
        hand_over(zero, &a00, &a01, &a02, done if y > 0 else NULL, sums, last, vecs)
        read_rows(rows, y, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y] + x, w, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a10, &a11, &a12, done + out_pitch if y > 0 else NULL, row_of(sums, 1, sums_pitch), last, vecs)
        read_rows(rows, y + 1, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 1] + x, w + size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a20, &a21, &a22, done + 2 * out_pitch if y > 0 else NULL, row_of(sums, 2, sums_pitch), last, vecs)
        read_rows(rows, y + 2, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 2] + x, w + 2 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a30, &a31, &a32, done + 3 * out_pitch if y > 0 else NULL, row_of(sums, 3, sums_pitch), last, vecs)
        read_rows(rows, y + 3, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 3] + x, w + 3 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a40, &a41, &a42, done + 4 * out_pitch if y > 0 else NULL, row_of(sums, 4, sums_pitch), last, vecs)
        read_rows(rows, y + 4, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 4] + x, w + 4 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a50, &a51, &a52, done + 5 * out_pitch if y > 0 else NULL, row_of(sums, 5, sums_pitch), last, vecs)
        read_rows(rows, y + 5, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 5] + x, w + 5 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        hand_over(zero, &a60, &a61, &a62, done + 6 * out_pitch if y > 0 else NULL, row_of(sums, 6, sums_pitch), last, vecs)
        if m == 7 and y == band.m:
            return
        read_rows(rows, y + 6, end, x, reach, width, first == 0)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
             rows[y + 6] + x, w + 6 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        if m > 7:
            hand_over(zero, &a70, &a71, &a72, done + 7 * out_pitch if y > 0 else NULL, row_of(sums, 7, sums_pitch), last, vecs)
            if m == 8 and y == band.m:
                return
            read_rows(rows, y + 7, end, x, reach, width, first == 0)
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[y + 7] + x, w + 7 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        if m > 8:
            hand_over(zero, &a80, &a81, &a82, done + 8 * out_pitch if y > 0 else NULL, row_of(sums, 8, sums_pitch), last, vecs)
            if m == 9 and y == band.m:
                return
            read_rows(rows, y + 8, end, x, reach, width, first == 0)
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[y + 8] + x, w + 8 * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        for i in range(m, kh):
            read_rows(rows, y + i, end, x, reach, width, first == 0)
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[y + i] + x, w + i * size, w_step, kw, step, last, 0, m - 1, vecs, <loaded> 0)
        done = out
        out += kh * out_pitch


cdef void ring7(
    bankable zero, const Band* band, Py_ssize_t first, Py_ssize_t x, Py_ssize_t last, int vecs,
) noexcept nogil:
    if vecs > 2:
        ring(zero, band, first, x, last, 7, 3)
    else:
        ring(zero, band, first, x, last, 7, 2)


cdef void ring8(
    bankable zero, const Band* band, Py_ssize_t first, Py_ssize_t x, Py_ssize_t last, int vecs,
) noexcept nogil:
    if vecs > 2:
        ring(zero, band, first, x, last, 8, 3)
    else:
        ring(zero, band, first, x, last, 8, 2)


cdef void ring9(
    bankable zero, const Band* band, Py_ssize_t first, Py_ssize_t x, Py_ssize_t last, int vecs,
) noexcept nogil:
    if vecs > 2:
        ring(zero, band, first, x, last, 9, 3)
    else:
        ring(zero, band, first, x, last, 9, 2)


cdef void rings(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    """A strip two or three vectors wide, in as few rings as hold kh rows, of sizes as equal as can be."""
    cdef Py_ssize_t k, first, kh = band.kh, count = (kh + 8) // 9, size
    for k in range(count):
        first = k * kh // count
        size = (k + 1) * kh // count - first
        if size == 9:
            ring9(zero, band, first, x, last, vecs)
        elif size == 8:
            ring8(zero, band, first, x, last, vecs)
        else:
            ring7(zero, band, min(first, kh - 7), x, last, vecs)


cdef inline char* wound(const char* w, Py_ssize_t kh, Py_ssize_t kw, Py_ssize_t w_step, Py_ssize_t size) noexcept nogil:
    """A kernel's rows for rings: before those of each column, its last 8 once more. To be freed; NULL without memory."""
    cdef Py_ssize_t j, lead = 8 * size, rows = kh * size
    cdef char* copy = <char*> malloc(kw * (lead + rows))
    if copy != NULL:
        for j in range(kw):
            memcpy(copy + j * (lead + rows), w + j * w_step + rows - lead, lead)
            memcpy(copy + j * (lead + rows) + lead, w + j * w_step, rows)
    return copy


# A strip under kernels of so many rows, or of one register tile: one compiled function each, 1, 2 or 3 vectors wide.


cdef inline void streamed(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const int vecs, const int kh) noexcept nogil:
    """stream of a constant number of rows and vectors, as far as the target's registers hold them."""
    if kh > RC_STREAM_ROWS:
        return
    if vecs > 2 and RC_STREAM_VECS(kh) > 2:
        stream(zero, band, x, last, kh, band.kw, band.sums, 3, <loaded> 0)
    elif vecs > 1:
        stream(zero, band, x, last, kh, band.kw, band.sums, 2, <loaded> 0)
    else:
        stream(zero, band, x, last, kh, band.kw, band.sums, 1, <loaded> 0)


cdef inline void tiled(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const int vecs, const int m) noexcept nogil:
    """register_tile of a constant number of rows and vectors."""
    if m > RC_TILE_ROWS:
        return
    if vecs > 2:
        register_tile(zero, band, x, last, m, 3)
    elif vecs > 1:
        register_tile(zero, band, x, last, m, 2)
    else:
        register_tile(zero, band, x, last, m, 1)


cdef void stream1(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 1)


cdef void stream2(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 2)


cdef void stream3(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 3)


cdef void stream4(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 4)


cdef void stream5(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 5)


cdef void stream6(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 6)


cdef void stream7(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 7)


cdef void stream8(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 8)


cdef void stream9(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    streamed(zero, band, x, last, vecs, 9)


cdef void tile1(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    tiled(zero, band, x, last, vecs, 1)


cdef void tile4(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    tiled(zero, band, x, last, vecs, 4)


cdef void tile8(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    tiled(zero, band, x, last, vecs, 8)


cdef void square3(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    stream(zero, band, x, (RC_STREAM_VECS(3) - 1) * sizeof(vec), 3, 3, NULL, RC_STREAM_VECS(3), <loaded> 0)


cdef void square4(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    stream(zero, band, x, (RC_STREAM_VECS(4) - 1) * sizeof(vec), 4, 4, NULL, RC_STREAM_VECS(4), <loaded> 0)


cdef void square5(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    stream(zero, band, x, (RC_STREAM_VECS(5) - 1) * sizeof(vec), 5, 5, NULL, RC_STREAM_VECS(5), <loaded> 0)


cdef void square6(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    stream(zero, band, x, (RC_STREAM_VECS(6) - 1) * sizeof(vec), 6, 6, NULL, RC_STREAM_VECS(6), <loaded> 0)


cdef void square9(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_STREAM_ROWS >= 9:
        stream(zero, band, x, (RC_STREAM_VECS(9) - 1) * sizeof(vec), 9, 9, NULL, RC_STREAM_VECS(9), <loaded> 0)


cdef void shifted3(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_SHIFTS:
        stream(zero, band, x, 2 * sizeof(vec), 3, 3, NULL, 3, <shifted> 0)


cdef void shifted5(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_SHIFTS:
        stream(zero, band, x, 2 * sizeof(vec), 5, 5, NULL, 3, <shifted> 0)


cdef void shifted7(vec zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_SHIFTS:
        stream(zero, band, x, 2 * sizeof(vec), 7, 7, NULL, 3, <shifted> 0)


cdef inline void sweep(
    vec zero, const Band* band, int widest, void (*strip)(vec, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil,
    void (*full)(vec, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil, Py_ssize_t spare,
) noexcept nogil:
    """All strips of a band by a function, up to widest vectors wide; the last vector of the last one ends with the row.

    full : faster function for strips of widest vectors, which may read spare bytes beyond them

    Where the result's rows share cache sets, strips but the first begin with a line: one that is stored by halves, and has left
    the first-level cache in between, travels twice.
    """
    cdef Py_ssize_t one = sizeof(vec), x = 0, left = band.n * lane_size(zero), last, beyond
    cdef bint lined = RC_BYTES == 64 and band.out_pitch % SHARED_SETS == 0 and left >= SHARED_SETS // 2
    cdef int vecs
    while left > 0:
        if left < one:
            x -= one - left
            left = one
        if left <= one:
            vecs = 1
        elif left <= 2 * one or widest == 2 or 3 * one < left <= 4 * one:      # of four vectors, one alone waits for its own sums
            vecs = 2
        else:
            vecs = 3
        last = min(vecs * one, left) - one
        if left >= widest * one + spare and vecs == widest:
            full(zero, band, x, last, vecs)
        else:
            strip(zero, band, x, last, vecs)
        x += vecs * one
        left -= vecs * one
        if lined and left > 0:
            beyond = <Py_ssize_t> (<size_t> (band.out + x) % sizeof(vec))
            x -= beyond
            left += beyond


cdef void correlate_rows(
    vec zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
    Py_ssize_t ahead,
) noexcept nogil:
    """Valid correlation of rows.

    zero : a vector of zeros, which also names the lane;  rows : m + kh - 1 row starts
    n : outputs in a row, at least one vector
    w : weight [i, j] at byte j * w_step + i * size (a transposed kernel: one pointer serves all rows)
    step : bytes between the inputs of neighbouring taps
    sums : m x n earlier sums to add to, in other memory than out, or NULL
    ahead : rows of the image and of the result that follow and will be needed next; -m: all lies in the cache
    """
    cdef Py_ssize_t y = 0, spare = 0
    cdef int widest = RC_TILE_VECS
    cdef bint streams = lane_streams(zero) and kh <= RC_STREAM_ROWS and m >= kh
    cdef Py_ssize_t tall = band_rows(kh, ahead > -m)
    cdef bint square = streams and kw == kh and sums == NULL
    cdef void (*strip)(vec, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil
    cdef void (*full)(vec, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil
    cdef Band band
    cdef char* copy
    band.n, band.kh, band.kw, band.w, band.w_step, band.step = n, kh, kw, w, w_step, step
    band.sums_pitch, band.out_pitch = sums_pitch, out_pitch
    if vec is vf4 or vec is vf8:
        copy = NULL
        if is_tall(m, kh) and n * lane_size(zero) > <Py_ssize_t> sizeof(vec):
            copy = wound(w, kh, kw, w_step, lane_size(zero))
        if copy != NULL:
            y = m // kh * kh
            band.m, band.rows, band.sums, band.out = y, rows, sums, out
            band.ahead = 0
            band.w, band.w_step = copy + 8 * lane_size(zero), (kh + 8) * lane_size(zero)
            strip = rings
            sweep(zero, &band, widest, strip, strip, 0)
            free(copy)
            band.w, band.w_step = w, w_step
    strip = tile1
    if vec is vf4 or vec is vf8 or vec is vi2 or vec is vw4 or vec is vw8 or vec is vq4 or vec is vp4:
        if streams:
            widest = RC_STREAM_VECS(kh)
            if kh == 1:
                strip = stream1
            elif kh == 2:
                strip = stream2
            elif kh == 3:
                strip = stream3
            elif kh == 4:
                strip = stream4
            elif kh == 5:
                strip = stream5
            elif kh == 6:
                strip = stream6
            elif kh == 7:
                strip = stream7
            elif kh == 8:
                strip = stream8
            else:
                strip = stream9
        full = strip
        if square and kh == 3:
            full = square3
        elif square and kh == 4:
            full = square4
        elif square and kh == 5:
            full = square5
        elif square and kh == 6:
            full = square6
        elif square and kh == 9:
            full = square9
    if vec is vf4 or vec is vf8 or vec is vw4 or vec is vw8:
        if RC_SHIFTS:
            if square and step == lane_size(zero) and (kh == 3 or kh == 5 or kh == 7):
                spare = sizeof(vec) - (kw - 1) * lane_size(zero)
                if kh == 3:
                    full = shifted3
                elif kh == 5:
                    full = shifted5
                else:
                    full = shifted7
    while y < m:
        if streams:
            band.m = m - y if lane_joins(zero) or m - y < tall + kh else tall
        elif lane_tiles(zero) and m >= 8 and kh >= 8 and RC_TILE_ROWS >= 8 and m - y > 4:
            band.m = 8
            strip = tile8
            full = strip
        elif lane_tiles(zero) and m >= 4 and kh >= 4:
            band.m = 4
            strip = tile4
            full = strip
        else:
            band.m = 1
            strip = tile1
            full = strip
        y = min(y, m - band.m)
        band.rows = rows + y
        band.sums = row_of(sums, y, sums_pitch)
        band.out = out + y * out_pitch
        band.ahead = min(tall, m - y - band.m + ahead)
        sweep(zero, &band, widest, strip, full, spare)
        y += band.m


cdef inline void add_column(
    vec* a0, vec* a1, vec* a2, vec* a3, vec* b0, vec* b1, vec* b2, vec* b3, vec before, vec weight, const char* p,
    const bint four, const bint first, const bint second,
) noexcept nogil:
    """Inputs of a column into those of the first output column (a) and those of the second (b), whose weight was before."""
    cdef vec x
    cdef Py_ssize_t one = sizeof(vec)
    x = load(weight, p)
    if first:
        a0[0] = plus_product(a0[0], weight, x)
    if second:
        b0[0] = plus_product(b0[0], before, x)
    if four:
        x = load(weight, p + one)
        if first:
            a1[0] = plus_product(a1[0], weight, x)
        if second:
            b1[0] = plus_product(b1[0], before, x)
        x = load(weight, p + 2 * one)
        if first:
            a2[0] = plus_product(a2[0], weight, x)
        if second:
            b2[0] = plus_product(b2[0], before, x)
        x = load(weight, p + 3 * one)
        if first:
            a3[0] = plus_product(a3[0], weight, x)
        if second:
            b3[0] = plus_product(b3[0], before, x)


cdef inline void column_block(
    vec zero, const char** columns, Py_ssize_t y, Py_ssize_t kh, Py_ssize_t kw, const char* w, Py_ssize_t w_step, char* out,
    Py_ssize_t out_pitch, const bint four, const bint two,
) noexcept nogil:
    """A vector, or four, of one output column, or of two, which a column of inputs meets under neighbouring taps."""
    cdef Py_ssize_t i, j, one = sizeof(vec), size = lane_size(zero)
    cdef vec a0, a1, a2, a3, b0, b1, b2, b3, weight, before
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
    for i in range(kh):
        weight = splat(zero, w + i * size)
        add_column(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, weight, weight, columns[0] + y + i * size, four, True, False)
        for j in range(1, kw):
            before = weight
            weight = splat(zero, w + j * w_step + i * size)
            add_column(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, before, weight, columns[j] + y + i * size, four, True, two)
        if two:
            add_column(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, weight, weight, columns[kw] + y + i * size, four, False, True)
    out += y
    store(out, a0)
    if four:
        store(out + one, a1)
        store(out + 2 * one, a2)
        store(out + 3 * one, a3)
    if two:
        out += out_pitch
        store(out, b0)
        if four:
            store(out + one, b1)
            store(out + 2 * one, b2)
            store(out + 3 * one, b3)


cdef void correlate_columns(
    vec zero, const char** columns, Py_ssize_t width, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, char* out, Py_ssize_t out_pitch, int order,
) noexcept nogil:
    """Valid correlation of columns laid out as rows, for the few output columns of a rim; sums run as in taps, or in pairs.

    columns[0 .. width + kw - 2] : column starts, m + kh - 1 numbers each, m a multiple of the lanes
    out : column x of the outputs at x * out_pitch
    """
    cdef Py_ssize_t x = 0, y, one = sizeof(vec), end = m * lane_size(zero)
    cdef bint four = end >= 4 * one, two = width > 1
    cdef char* to
    if vec is vf4 or vec is vf8:
        if order != TAPS:
            for x in range(width):
                for y from 0 <= y < end by sizeof(vec):
                    store(out + x * out_pitch + y, sum_in_pairs(zero, columns + x, y, lane_size(zero), kh, kw, w, order, True))
            return
    while x < width:
        x = min(x, width - 1 - two)             # the last block of a row or column ends with it: some sums are made twice
        to = out + x * out_pitch
        y = 0
        while y < end:
            if four:
                y = min(y, end - 4 * one)
            if four and two:
                column_block(zero, columns + x, y, kh, kw, w, w_step, to, out_pitch, True, True)
            elif four:
                column_block(zero, columns + x, y, kh, kw, w, w_step, to, out_pitch, True, False)
            elif two:
                column_block(zero, columns + x, y, kh, kw, w, w_step, to, out_pitch, False, True)
            else:
                column_block(zero, columns + x, y, kh, kw, w, w_step, to, out_pitch, False, False)
            y += 4 * one if four else one
        x += 1 + two
