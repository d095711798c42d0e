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
#   tile (taller kernels): 8 (4, 1) output rows stay, input rows pass
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
        a00[0] = a00[0] + b * x0
        if vecs > 1:
            a01[0] = a01[0] + b * x1
        if vecs > 2:
            a02[0] = a02[0] + b * x2
    if first_row <= 1 <= last_row:
        b = splat(x0, w - size)
        a10[0] = a10[0] + b * x0
        if vecs > 1:
            a11[0] = a11[0] + b * x1
        if vecs > 2:
            a12[0] = a12[0] + b * x2
    if first_row <= 2 <= last_row:
        b = splat(x0, w - 2 * size)
        a20[0] = a20[0] + b * x0
        if vecs > 1:
            a21[0] = a21[0] + b * x1
        if vecs > 2:
            a22[0] = a22[0] + b * x2
    if first_row <= 3 <= last_row:
        b = splat(x0, w - 3 * size)
        a30[0] = a30[0] + b * x0
        if vecs > 1:
            a31[0] = a31[0] + b * x1
        if vecs > 2:
            a32[0] = a32[0] + b * x2
    if first_row <= 4 <= last_row:
        b = splat(x0, w - 4 * size)
        a40[0] = a40[0] + b * x0
        if vecs > 1:
            a41[0] = a41[0] + b * x1
        if vecs > 2:
            a42[0] = a42[0] + b * x2
    if first_row <= 5 <= last_row:
        b = splat(x0, w - 5 * size)
        a50[0] = a50[0] + b * x0
        if vecs > 1:
            a51[0] = a51[0] + b * x1
        if vecs > 2:
            a52[0] = a52[0] + b * x2
    if first_row <= 6 <= last_row:
        b = splat(x0, w - 6 * size)
        a60[0] = a60[0] + b * x0
        if vecs > 1:
            a61[0] = a61[0] + b * x1
        if vecs > 2:
            a62[0] = a62[0] + b * x2
    if first_row <= 7 <= last_row:
        b = splat(x0, w - 7 * size)
        a70[0] = a70[0] + b * x0
        if vecs > 1:
            a71[0] = a71[0] + b * x1
        if vecs > 2:
            a72[0] = a72[0] + b * x2
    if first_row <= 8 <= last_row:
        b = splat(x0, w - 8 * size)
        a80[0] = a80[0] + b * x0
        if vecs > 1:
            a81[0] = a81[0] + b * x1
        if vecs > 2:
            a82[0] = a82[0] + b * x2


cdef enum:               # schemes of a strip; a positive number: the kernel's rows, streamed
    TILE8 = -8
    TILE4 = -4
    TILE1 = -1


cdef inline void taps(
    vec* a00, vec* a01, vec* a02, vec* a10, vec* a11, vec* a12, vec* a20, vec* a21, vec* a22,
    vec* a30, vec* a31, vec* a32, vec* a40, vec* a41, vec* a42, vec* a50, vec* a51, vec* a52,
    vec* a60, vec* a61, vec* a62, vec* a70, vec* a71, vec* a72, vec* a80, vec* a81, vec* a82,
    const char* p, const char* w, Py_ssize_t w_step, Py_ssize_t kw, Py_ssize_t step,
    Py_ssize_t last, const int first_row, const int last_row, const int vecs, const int shifted,
) noexcept nogil:
    """One input row at p into output rows first_row..last_row; w is the first weight of output row 0's kernel row.

    Vector c starts c vectors after p, but the last of the vecs vectors starts at p + last.  shifted: up to 8
    neighbouring taps (3 vectors, step one lane) are shifted out of 4 loads, as most unaligned loads straddle cache lines.
    """
    cdef Py_ssize_t j
    cdef vec x0, x1, x2, x3
    if shifted:
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
        if kw > 7:
            tap(a00, a01, a02, a10, a11, a12, a20, a21, a22,
                a30, a31, a32, a40, a41, a42, a50, a51, a52,
                a60, a61, a62, a70, a71, a72, a80, a81, a82,
                shift(x0, x1, 7), shift(x1, x2, 7), shift(x2, x3, 7), w + 7 * w_step,
                first_row, last_row, vecs)
        return
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
    a0[0] = a1[0] = a2[0] = zero
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


cdef inline void stream(
    vec zero, const char** rows, Py_ssize_t x, Py_ssize_t m, const Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
    Py_ssize_t last, const int vecs, const int shifted,
) noexcept nogil:
    """m output rows, vecs vectors wide at byte x, from m + kh - 1 input rows each read once; kh <= 9, m >= kh."""
    cdef vec a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef vec a30, a31, a32, a40, a41, a42, a50, a51, a52
    cdef vec a60, a61, a62, a70, a71, a72, a80, a81, a82
    cdef Py_ssize_t i, size = lane_size(zero)
    w += (kh - 1) * size
    a00 = a01 = a02 = zero
    a10 = a11 = a12 = zero
    a20 = a21 = a22 = zero
    a30 = a31 = a32 = zero
    a40 = a41 = a42 = zero
    a50 = a51 = a52 = zero
    a60 = a61 = a62 = zero
    a70 = a71 = a72 = zero
    a80 = a81 = a82 = zero
    out += x
    if sums != NULL:
        sums += x
    for i in range(m + kh - 1):
        if kh == 1:
            begin(zero, &a00, &a01, &a02, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 2:
            begin(zero, &a10, &a11, &a12, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 3:
            begin(zero, &a20, &a21, &a22, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 4:
            begin(zero, &a30, &a31, &a32, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 5:
            begin(zero, &a40, &a41, &a42, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 6:
            begin(zero, &a50, &a51, &a52, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 7:
            begin(zero, &a60, &a61, &a62, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 8:
            begin(zero, &a70, &a71, &a72, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        elif kh == 9:
            begin(zero, &a80, &a81, &a82, sums + i * sums_pitch if sums != NULL and i < m else NULL, last, vecs)
        if kh - 1 <= i < m:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 1, vecs, shifted)
        elif kh > 1 and i == kh - 2:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 1, kh - 1, vecs, shifted)
        elif kh > 2 and i == kh - 3:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 2, kh - 1, vecs, shifted)
        elif kh > 3 and i == kh - 4:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 3, kh - 1, vecs, shifted)
        elif kh > 4 and i == kh - 5:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 4, kh - 1, vecs, shifted)
        elif kh > 5 and i == kh - 6:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 5, kh - 1, vecs, shifted)
        elif kh > 6 and i == kh - 7:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 6, kh - 1, vecs, shifted)
        elif kh > 7 and i == kh - 8:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 7, kh - 1, vecs, shifted)
        elif kh > 8 and i == kh - 9:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 8, kh - 1, vecs, shifted)
        elif kh > 1 and i == m:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 2, vecs, shifted)
        elif kh > 2 and i == m + 1:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 3, vecs, shifted)
        elif kh > 3 and i == m + 2:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 4, vecs, shifted)
        elif kh > 4 and i == m + 3:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 5, vecs, shifted)
        elif kh > 5 and i == m + 4:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 6, vecs, shifted)
        elif kh > 6 and i == m + 5:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 7, vecs, shifted)
        elif kh > 7 and i == m + 6:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 8, vecs, shifted)
        elif kh > 8 and i == m + 7:
            taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
                 &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
                 &a60, &a61, &a62, &a70, &a71, &a72, &a80, &a81, &a82,
                 rows[i] + x, w, w_step, kw, step, last, 0, kh - 9, vecs, shifted)
        if i >= kh - 1:
            finish(&a00, &a01, &a02, out + (i - kh + 1) * out_pitch, last, vecs)
        a00 = a10
        a01 = a11
        a02 = a12
        a10 = a20
        a11 = a21
        a12 = a22
        a20 = a30
        a21 = a31
        a22 = a32
        a30 = a40
        a31 = a41
        a32 = a42
        a40 = a50
        a41 = a51
        a42 = a52
        a50 = a60
        a51 = a61
        a52 = a62
        a60 = a70
        a61 = a71
        a62 = a72
        a70 = a80
        a71 = a81
        a72 = a82


cdef inline void read_ahead(vec zero, const char* p, const int vecs) noexcept nogil:
    """Fetch what the next strip needs of an input row: a tall band has more rows than the hardware follows."""
    RC_READ_SOON(p + vecs * sizeof(vec))
    if vecs > 1:
        RC_READ_SOON(p + (vecs + 1) * sizeof(vec))
    if vecs > 2:
        RC_READ_SOON(p + (vecs + 2) * sizeof(vec))


cdef inline void tile8(
    vec zero, const char** rows, Py_ssize_t x, Py_ssize_t kh, Py_ssize_t kw, const char* w, Py_ssize_t w_step, Py_ssize_t step,
    const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int vecs,
) noexcept nogil:
    """Register tile of 8 output rows, vecs vectors wide at byte x, of a kernel of at least 8 rows."""
    cdef vec a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef vec a30, a31, a32, a40, a41, a42, a50, a51, a52
    cdef vec a60, a61, a62, a70, a71, a72
    cdef Py_ssize_t i, size = lane_size(zero)
    out += x
    if sums != NULL:
        sums += x
    begin(zero, &a00, &a01, &a02, sums, last, vecs)
    begin(zero, &a10, &a11, &a12, sums + sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a20, &a21, &a22, sums + 2 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a30, &a31, &a32, sums + 3 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a40, &a41, &a42, sums + 4 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a50, &a51, &a52, sums + 5 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a60, &a61, &a62, sums + 6 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a70, &a71, &a72, sums + 7 * sums_pitch if sums != NULL else NULL, last, vecs)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[0] + x, w, w_step, kw, step, last, 0, 0, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[1] + x, w + 1 * size, w_step, kw, step, last, 0, 1, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[2] + x, w + 2 * size, w_step, kw, step, last, 0, 2, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[3] + x, w + 3 * size, w_step, kw, step, last, 0, 3, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[4] + x, w + 4 * size, w_step, kw, step, last, 0, 4, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[5] + x, w + 5 * size, w_step, kw, step, last, 0, 5, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[6] + x, w + 6 * size, w_step, kw, step, last, 0, 6, vecs, 0)
    for i in range(7, kh):
        read_ahead(zero, rows[i] + x, vecs)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
             &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
             rows[i] + x, w + i * size, w_step, kw, step, last, 0, 7, vecs, 0)
    for i in range(kh, kh + 7):
        read_ahead(zero, rows[i] + x, vecs)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh] + x, w + kh * size, w_step, kw, step, last, 1, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 1] + x, w + (kh + 1) * size, w_step, kw, step, last, 2, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 2] + x, w + (kh + 2) * size, w_step, kw, step, last, 3, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 3] + x, w + (kh + 3) * size, w_step, kw, step, last, 4, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 4] + x, w + (kh + 4) * size, w_step, kw, step, last, 5, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 5] + x, w + (kh + 5) * size, w_step, kw, step, last, 6, 7, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a40, &a41, &a42, &a50, &a51, &a52,
         &a60, &a61, &a62, &a70, &a71, &a72, &a70, &a71, &a72,
         rows[kh + 6] + x, w + (kh + 6) * size, w_step, kw, step, last, 7, 7, vecs, 0)
    finish(&a00, &a01, &a02, out, last, vecs)
    finish(&a10, &a11, &a12, out + out_pitch, last, vecs)
    finish(&a20, &a21, &a22, out + 2 * out_pitch, last, vecs)
    finish(&a30, &a31, &a32, out + 3 * out_pitch, last, vecs)
    finish(&a40, &a41, &a42, out + 4 * out_pitch, last, vecs)
    finish(&a50, &a51, &a52, out + 5 * out_pitch, last, vecs)
    finish(&a60, &a61, &a62, out + 6 * out_pitch, last, vecs)
    finish(&a70, &a71, &a72, out + 7 * out_pitch, last, vecs)


cdef inline void tile4(
    vec zero, const char** rows, Py_ssize_t x, Py_ssize_t kh, Py_ssize_t kw, const char* w, Py_ssize_t w_step, Py_ssize_t step,
    const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int vecs,
) noexcept nogil:
    """Register tile of 4 output rows, vecs vectors wide at byte x, of a kernel of at least 4 rows."""
    cdef vec a00, a01, a02, a10, a11, a12, a20, a21, a22
    cdef vec a30, a31, a32
    cdef Py_ssize_t i, size = lane_size(zero)
    out += x
    if sums != NULL:
        sums += x
    begin(zero, &a00, &a01, &a02, sums, last, vecs)
    begin(zero, &a10, &a11, &a12, sums + sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a20, &a21, &a22, sums + 2 * sums_pitch if sums != NULL else NULL, last, vecs)
    begin(zero, &a30, &a31, &a32, sums + 3 * sums_pitch if sums != NULL else NULL, last, vecs)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[0] + x, w, w_step, kw, step, last, 0, 0, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[1] + x, w + 1 * size, w_step, kw, step, last, 0, 1, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[2] + x, w + 2 * size, w_step, kw, step, last, 0, 2, vecs, 0)
    for i in range(3, kh):
        read_ahead(zero, rows[i] + x, vecs)
        taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
             &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
             &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
             rows[i] + x, w + i * size, w_step, kw, step, last, 0, 3, vecs, 0)
    for i in range(kh, kh + 3):
        read_ahead(zero, rows[i] + x, vecs)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[kh] + x, w + kh * size, w_step, kw, step, last, 1, 3, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[kh + 1] + x, w + (kh + 1) * size, w_step, kw, step, last, 2, 3, vecs, 0)
    taps(&a00, &a01, &a02, &a10, &a11, &a12, &a20, &a21, &a22,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         &a30, &a31, &a32, &a30, &a31, &a32, &a30, &a31, &a32,
         rows[kh + 2] + x, w + (kh + 2) * size, w_step, kw, step, last, 3, 3, vecs, 0)
    finish(&a00, &a01, &a02, out, last, vecs)
    finish(&a10, &a11, &a12, out + out_pitch, last, vecs)
    finish(&a20, &a21, &a22, out + 2 * out_pitch, last, vecs)
    finish(&a30, &a31, &a32, out + 3 * out_pitch, last, vecs)


cdef inline void tile1(
    vec zero, const char** rows, Py_ssize_t x, Py_ssize_t kh, Py_ssize_t kw, const char* w, Py_ssize_t w_step, Py_ssize_t step,
    const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int vecs,
) noexcept nogil:
    """Register tile of 1 output row, vecs vectors wide at byte x."""
    cdef vec a00, a01, a02
    cdef Py_ssize_t i, size = lane_size(zero)
    out += x
    if sums != NULL:
        sums += x
    begin(zero, &a00, &a01, &a02, sums, last, vecs)
    for i in range(kh):
        taps(&a00, &a01, &a02, &a00, &a01, &a02, &a00, &a01, &a02,
             &a00, &a01, &a02, &a00, &a01, &a02, &a00, &a01, &a02,
             &a00, &a01, &a02, &a00, &a01, &a02, &a00, &a01, &a02,
             rows[i] + x, w + i * size, w_step, kw, step, last, 0, 0, vecs, 0)
    finish(&a00, &a01, &a02, out, last, vecs)


cdef inline void strip(
    vec zero, const char** rows, Py_ssize_t x, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
    Py_ssize_t last, const int how, const int vecs, const int shifted,
) noexcept nogil:
    """One strip of columns of a band of m rows."""
    if how == TILE8:
        tile8(zero, rows, x, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, last, vecs)
    elif how == TILE4:
        tile4(zero, rows, x, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, last, vecs)
    elif how == TILE1:
        tile1(zero, rows, x, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, last, vecs)
    else:
        stream(zero, rows, x, m, how, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, last, vecs, shifted)


cdef inline void strips(
    vec zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
    const int how, const int vecs, const int shifts,
) noexcept nogil:
    """All strips of a band of m x n outputs, vecs vectors wide; the last vector of the last one ends with the row."""
    cdef Py_ssize_t one = sizeof(vec), x = 0, size = lane_size(zero), left = n * size
    cdef Py_ssize_t spare = one - (kw - 1) * size       # a shifted strip reads a whole fourth vector
    # Four vectors that are left are two strips of two: one alone waits for its own sums.
    if shifts and vecs == 3 and step == size:
        while left >= 3 * one + spare and not (3 * one < left <= 4 * one):
            strip(zero, rows, x, m, kh, kw, w, w_step, size, sums, sums_pitch, out, out_pitch, 2 * one, how, vecs, 1)
            x += 3 * one
            left -= 3 * one
    while left >= vecs * one and not (vecs == 3 and 3 * one < left <= 4 * one):
        strip(zero, rows, x, m, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, (vecs - 1) * one, how, vecs, 0)
        x += vecs * one
        left -= vecs * one
    if left <= 0:
        return
    if left < one:
        x -= one - left
        left = one
    if left == one:
        strip(zero, rows, x, m, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 0, how, 1, 0)
    elif left <= 2 * one or left > 3 * one:
        while left > 0:
            strip(zero, rows, x, m, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch,
                  one if left > 2 * one else left - one, how, 2, 0)
            x += 2 * one
            left -= 2 * one
    else:
        strip(zero, rows, x, m, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, left - one, how, 3, 0)


cdef void correlate_band(
    vec zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """One band: m rows that a sweep from left to right keeps in the first-level cache."""
    if vec is vf4 or vec is vf8 or vec is vi2 or vec is vw4 or vec is vw8:
        if kw == kh and m >= kh and RC_STREAM_ROWS >= kh and sums == NULL:
            if kh == 3:
                strips(zero, rows, m, n, 3, 3, w, w_step, step, NULL, 0, out, out_pitch, 3, RC_STREAM_VECS(3), lane_shifts(zero))
                return
            if kh == 5:
                strips(zero, rows, m, n, 5, 5, w, w_step, step, NULL, 0, out, out_pitch, 5, RC_STREAM_VECS(5), lane_shifts(zero))
                return
            if kh == 7:
                strips(zero, rows, m, n, 7, 7, w, w_step, step, NULL, 0, out, out_pitch, 7, RC_STREAM_VECS(7), lane_shifts(zero))
                return
            if kh == 9:
                strips(zero, rows, m, n, 9, 9, w, w_step, step, NULL, 0, out, out_pitch, 9, RC_STREAM_VECS(9), 0)
                return
        if kh == 1 and m >= 1 and RC_STREAM_ROWS >= 1:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 1, RC_STREAM_VECS(1), 0)
            return
        if kh == 2 and m >= 2 and RC_STREAM_ROWS >= 2:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 2, RC_STREAM_VECS(2), 0)
            return
        if kh == 3 and m >= 3 and RC_STREAM_ROWS >= 3:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 3, RC_STREAM_VECS(3), 0)
            return
        if kh == 4 and m >= 4 and RC_STREAM_ROWS >= 4:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 4, RC_STREAM_VECS(4), 0)
            return
        if kh == 5 and m >= 5 and RC_STREAM_ROWS >= 5:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 5, RC_STREAM_VECS(5), 0)
            return
        if kh == 6 and m >= 6 and RC_STREAM_ROWS >= 6:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 6, RC_STREAM_VECS(6), 0)
            return
        if kh == 7 and m >= 7 and RC_STREAM_ROWS >= 7:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 7, RC_STREAM_VECS(7), 0)
            return
        if kh == 8 and m >= 8 and RC_STREAM_ROWS >= 8:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 8, RC_STREAM_VECS(8), 0)
            return
        if kh == 9 and m >= 9 and RC_STREAM_ROWS >= 9:
            strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, 9, RC_STREAM_VECS(9), 0)
            return
    if m == 8 and RC_TILE_ROWS >= 8:
        strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, TILE8, RC_TILE_VECS, 0)
    elif m == 4:
        strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, TILE4, RC_TILE_VECS, 0)
    else:
        strips(zero, rows, m, n, kh, kw, w, w_step, step, sums, sums_pitch, out, out_pitch, TILE1, RC_TILE_VECS, 0)


cdef void correlate_rows(
    vec zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """Valid correlation of rows.

    zero : a vector of zeros, which also names the lane;  rows : m + kh - 1 row starts
    n : outputs in a row, at least one vector
    w : weight [i, j] at byte j * w_step + i * size (a transposed kernel: one pointer serves all rows)
    step : bytes between the inputs of neighbouring taps
    sums : m x n earlier sums to add to, in other memory than out, or NULL
    """
    cdef Py_ssize_t y = 0, band
    while y < m:
        if kh <= RC_STREAM_ROWS and m >= kh and lane_streams(zero):
            band = m - y if m - y < RC_BAND(kh) + kh else RC_BAND(kh)
        elif m >= 8 and kh >= 8 and RC_TILE_ROWS >= 8 and m - y > 4:
            band = 8
        elif m >= 4 and kh >= 4:
            band = 4
        else:
            band = 1
        y = min(y, m - band)
        correlate_band(zero, rows + y, band, n, kh, kw, w, w_step, step,
                       sums + y * sums_pitch if sums != NULL else NULL, sums_pitch, out + y * out_pitch, out_pitch)
        y += band


cdef void correlate_columns(
    vec zero, const char** columns, Py_ssize_t width, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """Valid correlation of columns laid out as rows, for the few output columns of a rim; sums run as in taps.

    columns[0 .. width + kw - 2] : column starts, m + kh - 1 numbers each, m a multiple of the lanes
    out : column x of the outputs at x * out_pitch
    """
    cdef Py_ssize_t x, y, i, j, size = lane_size(zero), end = m * size
    cdef vec a, b, c, d, weight
    cdef const char* p
    for x in range(width):
        for y from 0 <= y < end - 3 * <Py_ssize_t> sizeof(vec) by 4 * sizeof(vec):
            a = b = c = d = zero
            for i in range(kh):
                for j in range(kw):
                    weight = splat(zero, w + j * w_step + i * size)
                    p = columns[x + j] + y + i * size
                    a = a + weight * load(zero, p)
                    b = b + weight * load(zero, p + sizeof(vec))
                    c = c + weight * load(zero, p + 2 * sizeof(vec))
                    d = d + weight * load(zero, p + 3 * sizeof(vec))
            store(out + x * out_pitch + y, a)
            store(out + x * out_pitch + y + sizeof(vec), b)
            store(out + x * out_pitch + y + 2 * sizeof(vec), c)
            store(out + x * out_pitch + y + 3 * sizeof(vec), d)
        for y from end - end % (4 * <Py_ssize_t> sizeof(vec)) <= y < end by sizeof(vec):
            a = zero
            for i in range(kh):
                for j in range(kw):
                    a = a + splat(zero, w + j * w_step + i * size) * load(zero, columns[x + j] + y + i * size)
            store(out + x * out_pitch + y, a)
