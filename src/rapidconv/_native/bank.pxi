# Banks: a real and an imaginary kernel over the same rows, which makes a complex kernel.
#
#   re[y, x] = sum of real_part[i, j] * rows[y + i][x + j * step]       im[y, x] = sum of imag_part[i, j] * the same input
#
# One load of the input feeds both; the sums meet in the store:
#
#   real image      re im re im          out = re + i im: interleaved
#   magnitude       out = sqrt(re^2 + im^2)
#   complex image   re is kernel' * z and im is kernel" * z, both (re, im) pairs: out = re + i im = re + (-im.im, im.re)
#
# Accumulators rRC hold the sums of the real, iRC those of the imaginary kernel: output row R, vector C.  Tiles and
# streams are as in direct.pxi, and every sum meets its taps in the same order as there.

cdef enum:              # how the two sums meet
    ZIPPED = 0
    CROSSED = 1
    ROOTED = 2


cdef inline void bank_taps(
    bankable* r00, bankable* r01, bankable* r02, bankable* r10, bankable* r11, bankable* r12,
    bankable* r20, bankable* r21, bankable* r22, bankable* r30, bankable* r31, bankable* r32,
    bankable* r40, bankable* r41, bankable* r42, bankable* i00, bankable* i01, bankable* i02,
    bankable* i10, bankable* i11, bankable* i12, bankable* i20, bankable* i21, bankable* i22,
    bankable* i30, bankable* i31, bankable* i32, bankable* i40, bankable* i41, bankable* i42,
    const char* p, const char* re, const char* im, Py_ssize_t w_step, Py_ssize_t kw, Py_ssize_t step,
    Py_ssize_t last, const int first_row, const int last_row, const int vecs,
) noexcept nogil:
    """One input row at p into output rows first_row..last_row; re, im: first weights of output row 0's kernel row.

    Vector c starts c vectors after p, but the last of the vecs vectors starts at p + last.
    """
    cdef Py_ssize_t j, size = lane_size(r00[0])
    cdef bankable x0, x1, x2, w
    RC_ANEW(re)
    RC_ANEW(im)
    for j in range(kw):
        x0 = load(r00[0], p if vecs > 1 else p + last)
        if vecs > 1:
            x1 = load(r00[0], p + sizeof(bankable) if vecs > 2 else p + last)
        if vecs > 2:
            x2 = load(r00[0], p + last)
        if first_row <= 0 <= last_row:
            w = splat(x0, re)
            r00[0] = r00[0] + w * x0
            if vecs > 1:
                r01[0] = r01[0] + w * x1
            if vecs > 2:
                r02[0] = r02[0] + w * x2
            w = splat(x0, im)
            i00[0] = i00[0] + w * x0
            if vecs > 1:
                i01[0] = i01[0] + w * x1
            if vecs > 2:
                i02[0] = i02[0] + w * x2
        if first_row <= 1 <= last_row:
            w = splat(x0, re - size)
            r10[0] = r10[0] + w * x0
            if vecs > 1:
                r11[0] = r11[0] + w * x1
            if vecs > 2:
                r12[0] = r12[0] + w * x2
            w = splat(x0, im - size)
            i10[0] = i10[0] + w * x0
            if vecs > 1:
                i11[0] = i11[0] + w * x1
            if vecs > 2:
                i12[0] = i12[0] + w * x2
        if first_row <= 2 <= last_row:
            w = splat(x0, re - 2 * size)
            r20[0] = r20[0] + w * x0
            if vecs > 1:
                r21[0] = r21[0] + w * x1
            if vecs > 2:
                r22[0] = r22[0] + w * x2
            w = splat(x0, im - 2 * size)
            i20[0] = i20[0] + w * x0
            if vecs > 1:
                i21[0] = i21[0] + w * x1
            if vecs > 2:
                i22[0] = i22[0] + w * x2
        if first_row <= 3 <= last_row:
            w = splat(x0, re - 3 * size)
            r30[0] = r30[0] + w * x0
            if vecs > 1:
                r31[0] = r31[0] + w * x1
            if vecs > 2:
                r32[0] = r32[0] + w * x2
            w = splat(x0, im - 3 * size)
            i30[0] = i30[0] + w * x0
            if vecs > 1:
                i31[0] = i31[0] + w * x1
            if vecs > 2:
                i32[0] = i32[0] + w * x2
        if first_row <= 4 <= last_row:
            w = splat(x0, re - 4 * size)
            r40[0] = r40[0] + w * x0
            if vecs > 1:
                r41[0] = r41[0] + w * x1
            if vecs > 2:
                r42[0] = r42[0] + w * x2
            w = splat(x0, im - 4 * size)
            i40[0] = i40[0] + w * x0
            if vecs > 1:
                i41[0] = i41[0] + w * x1
            if vecs > 2:
                i42[0] = i42[0] + w * x2
        p += step
        re += w_step
        im += w_step


cdef inline void bank_finish(
    bankable* r0, bankable* r1, bankable* r2, bankable* i0, bankable* i1, bankable* i2,
    char* out, Py_ssize_t last, const int vecs, int meeting,
) noexcept nogil:
    """A row of accumulators to out, as complex numbers or their magnitudes."""
    if meeting == ROOTED:
        store(out if vecs > 1 else out + last, root(r0[0] * r0[0] + i0[0] * i0[0]))
        if vecs > 1:
            store(out + sizeof(bankable) if vecs > 2 else out + last, root(r1[0] * r1[0] + i1[0] * i1[0]))
        if vecs > 2:
            store(out + last, root(r2[0] * r2[0] + i2[0] * i2[0]))
    elif meeting == CROSSED:
        store(out if vecs > 1 else out + last, r0[0] + times_i(i0[0]))
        if vecs > 1:
            store(out + sizeof(bankable) if vecs > 2 else out + last, r1[0] + times_i(i1[0]))
        if vecs > 2:
            store(out + last, r2[0] + times_i(i2[0]))
    else:
        zip_store(out if vecs > 1 else out + 2 * last, r0[0], i0[0])
        if vecs > 1:
            zip_store(out + 2 * sizeof(bankable) if vecs > 2 else out + 2 * last, r1[0], i1[0])
        if vecs > 2:
            zip_store(out + 2 * last, r2[0], i2[0])


cdef inline void bank_row(
    bankable* r00, bankable* r01, bankable* r02, bankable* r10, bankable* r11, bankable* r12,
    bankable* r20, bankable* r21, bankable* r22, bankable* r30, bankable* r31, bankable* r32,
    bankable* r40, bankable* r41, bankable* r42, bankable* i00, bankable* i01, bankable* i02,
    bankable* i10, bankable* i11, bankable* i12, bankable* i20, bankable* i21, bankable* i22,
    bankable* i30, bankable* i31, bankable* i32, bankable* i40, bankable* i41, bankable* i42,
    const char* p, const char* re, const char* im, Py_ssize_t w_step, const Py_ssize_t kh, Py_ssize_t kw, Py_ssize_t step,
    char* out, Py_ssize_t last, const int first_row, const int last_row, const int vecs, int meeting,
) noexcept nogil:
    """One input row of a stream: output row kh - 1 begins, output row 0 is finished, all move up one."""
    if last_row == kh - 1:
        if kh == 1:
            r00[0] = r01[0] = r02[0] = i00[0] = i01[0] = i02[0] = nought(r00[0])
        elif kh == 2:
            r10[0] = r11[0] = r12[0] = i10[0] = i11[0] = i12[0] = nought(r00[0])
        elif kh == 3:
            r20[0] = r21[0] = r22[0] = i20[0] = i21[0] = i22[0] = nought(r00[0])
        elif kh == 4:
            r30[0] = r31[0] = r32[0] = i30[0] = i31[0] = i32[0] = nought(r00[0])
        elif kh == 5:
            r40[0] = r41[0] = r42[0] = i40[0] = i41[0] = i42[0] = nought(r00[0])
    bank_taps(r00, r01, r02, r10, r11, r12, r20, r21, r22,
              r30, r31, r32, r40, r41, r42, i00, i01, i02,
              i10, i11, i12, i20, i21, i22, i30, i31, i32,
              i40, i41, i42,
              p, re, im, w_step, kw, step, last, first_row, last_row, vecs)
    if first_row == 0:
        bank_finish(r00, r01, r02, i00, i01, i02, out, last, vecs, meeting)
    r00[0] = r10[0]
    r01[0] = r11[0]
    r02[0] = r12[0]
    i00[0] = i10[0]
    i01[0] = i11[0]
    i02[0] = i12[0]
    r10[0] = r20[0]
    r11[0] = r21[0]
    r12[0] = r22[0]
    i10[0] = i20[0]
    i11[0] = i21[0]
    i12[0] = i22[0]
    r20[0] = r30[0]
    r21[0] = r31[0]
    r22[0] = r32[0]
    i20[0] = i30[0]
    i21[0] = i31[0]
    i22[0] = i32[0]
    r30[0] = r40[0]
    r31[0] = r41[0]
    r32[0] = r42[0]
    i30[0] = i40[0]
    i31[0] = i41[0]
    i32[0] = i42[0]


cdef inline void bank_stream(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const Py_ssize_t kh, Py_ssize_t kw, const int vecs,
    const int meeting,
) noexcept nogil:
    """A strip of output rows, vecs vectors wide at byte x, from input rows each read once; kh <= 5, band.m >= kh."""
    cdef bankable r00, r01, r02, r10, r11, r12, r20, r21, r22, r30, r31, r32, r40, r41, r42
    cdef bankable i00, i01, i02, i10, i11, i12, i20, i21, i22, i30, i31, i32, i40, i41, i42
    cdef Py_ssize_t i, size = lane_size(zero), m = band.m, w_step = band.w_step, step = band.step, out_pitch = band.out_pitch
    cdef const char** rows = band.rows
    cdef const char* re = band.w + (kh - 1) * size
    cdef const char* im = band.im + (kh - 1) * size
    cdef char* out = band.out + (2 * x if meeting == ZIPPED else x)
    r00 = r01 = r02 = i00 = i01 = i02 = nought(zero)
    r10 = r11 = r12 = i10 = i11 = i12 = nought(zero)
    r20 = r21 = r22 = i20 = i21 = i22 = nought(zero)
    r30 = r31 = r32 = i30 = i31 = i32 = nought(zero)
    r40 = r41 = r42 = i40 = i41 = i42 = nought(zero)
    if kh > 4:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[kh - 5] + x, re, im, w_step, kh, kw, step, NULL, last, 4, kh - 1, vecs, meeting)
    if kh > 3:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[kh - 4] + x, re, im, w_step, kh, kw, step, NULL, last, 3, kh - 1, vecs, meeting)
    if kh > 2:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[kh - 3] + x, re, im, w_step, kh, kw, step, NULL, last, 2, kh - 1, vecs, meeting)
    if kh > 1:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[kh - 2] + x, re, im, w_step, kh, kw, step, NULL, last, 1, kh - 1, vecs, meeting)
    for i in range(kh - 1, m):
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[i] + x, re, im, w_step, kh, kw, step, out, last, 0, kh - 1, vecs, meeting)
        out += out_pitch
    if kh > 1:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[m] + x, re, im, w_step, kh, kw, step, out, last, 0, kh - 2, vecs, meeting)
    if kh > 2:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[m + 1] + x, re, im, w_step, kh, kw, step, out + out_pitch, last, 0, kh - 3, vecs, meeting)
    if kh > 3:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[m + 2] + x, re, im, w_step, kh, kw, step, out + 2 * out_pitch, last, 0, kh - 4, vecs, meeting)
    if kh > 4:
        bank_row(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                 &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                 &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                 &i40, &i41, &i42,
                 rows[m + 3] + x, re, im, w_step, kh, kw, step, out + 3 * out_pitch, last, 0, kh - 5, vecs, meeting)


cdef inline void bank_tile(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, const int m, const int vecs,
) noexcept nogil:
    """Register tile of m output rows (1, 2 or 4, at most kh), vecs vectors wide at byte x."""
    cdef bankable r00, r01, r02, r10, r11, r12, r20, r21, r22, r30, r31, r32, r40, r41, r42
    cdef bankable i00, i01, i02, i10, i11, i12, i20, i21, i22, i30, i31, i32, i40, i41, i42
    cdef Py_ssize_t i, size = lane_size(zero), kh = band.kh, kw = band.kw, w_step = band.w_step, step = band.step
    cdef Py_ssize_t out_pitch = band.out_pitch
    cdef int meeting = band.meeting
    cdef const char** rows = band.rows
    cdef const char* re = band.w
    cdef const char* im = band.im
    cdef char* out = band.out + (2 * x if meeting == ZIPPED else x)
    r00 = r01 = r02 = i00 = i01 = i02 = nought(zero)
    r10 = r11 = r12 = i10 = i11 = i12 = nought(zero)
    r20 = r21 = r22 = i20 = i21 = i22 = nought(zero)
    r30 = r31 = r32 = i30 = i31 = i32 = nought(zero)
    r40 = r41 = r42 = i40 = i41 = i42 = nought(zero)
    if m > 1:
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[0] + x, re, im, w_step, kw, step, last, 0, 0, vecs)
    if m > 2:
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[1] + x, re + size, im + size, w_step, kw, step, last, 0, 1, vecs)
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[2] + x, re + 2 * size, im + 2 * size, w_step, kw, step, last, 0, 2, vecs)
    for i in range(m - 1, kh):
        read_ahead(zero, rows[i] + x, vecs)
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[i] + x, re + i * size, im + i * size, w_step, kw, step, last, 0, m - 1, vecs)
    for i in range(kh, kh + m - 1):
        read_ahead(zero, rows[i] + x, vecs)
    if m > 1:
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[kh] + x, re + kh * size, im + kh * size, w_step, kw, step, last, 1, m - 1, vecs)
    if m > 2:
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[kh + 1] + x, re + (kh + 1) * size, im + (kh + 1) * size, w_step, kw, step, last, 2, m - 1, vecs)
        bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                  &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                  &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                  &i40, &i41, &i42,
                  rows[kh + 2] + x, re + (kh + 2) * size, im + (kh + 2) * size, w_step, kw, step, last, 3, m - 1, vecs)
    bank_finish(&r00, &r01, &r02, &i00, &i01, &i02, out, last, vecs, meeting)
    if m > 1:
        bank_finish(&r10, &r11, &r12, &i10, &i11, &i12, out + out_pitch, last, vecs, meeting)
    if m > 2:
        bank_finish(&r20, &r21, &r22, &i20, &i21, &i22, out + 2 * out_pitch, last, vecs, meeting)
        bank_finish(&r30, &r31, &r32, &i30, &i31, &i32, out + 3 * out_pitch, last, vecs, meeting)


# A strip under kernels of so many rows, or of one register tile, as in direct.pxi.


cdef inline void bank_streamed(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs, const int kh,
) noexcept nogil:
    """bank_stream of a constant number of rows and vectors, as far as the target's registers hold them."""
    if kh > RC_BANK_STREAM:
        return
    if vecs > 2 and RC_BANK_VECS(kh) > 2:
        bank_stream(zero, band, x, last, kh, band.kw, 3, band.meeting)
    elif vecs > 1:
        bank_stream(zero, band, x, last, kh, band.kw, 2, band.meeting)
    else:
        bank_stream(zero, band, x, last, kh, band.kw, 1, band.meeting)


cdef inline void bank_tiled(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs, const int m,
) noexcept nogil:
    """bank_tile of a constant number of rows and vectors."""
    if m > RC_BANK_ROWS:
        return
    if vecs > 2:
        bank_tile(zero, band, x, last, m, 3)
    elif vecs > 1:
        bank_tile(zero, band, x, last, m, 2)
    else:
        bank_tile(zero, band, x, last, m, 1)


cdef void bank_stream1(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_streamed(zero, band, x, last, vecs, 1)


cdef void bank_stream2(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_streamed(zero, band, x, last, vecs, 2)


cdef void bank_stream3(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_streamed(zero, band, x, last, vecs, 3)


cdef void bank_stream4(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_streamed(zero, band, x, last, vecs, 4)


cdef void bank_stream5(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_streamed(zero, band, x, last, vecs, 5)


cdef void bank_tile1(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_tiled(zero, band, x, last, vecs, 1)


cdef void bank_tile2(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_tiled(zero, band, x, last, vecs, 2)


cdef void bank_tile4(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    bank_tiled(zero, band, x, last, vecs, 4)


cdef void bank_square3(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_BANK_STREAM >= 3 and band.meeting == ZIPPED:
        bank_stream(zero, band, x, (RC_BANK_VECS(3) - 1) * sizeof(bankable), 3, 3, RC_BANK_VECS(3), ZIPPED)
    elif RC_BANK_STREAM >= 3:
        bank_stream(zero, band, x, (RC_BANK_VECS(3) - 1) * sizeof(bankable), 3, 3, RC_BANK_VECS(3), band.meeting)


cdef void bank_square5(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    if RC_BANK_STREAM >= 5 and band.meeting == ZIPPED:
        bank_stream(zero, band, x, (RC_BANK_VECS(5) - 1) * sizeof(bankable), 5, 5, RC_BANK_VECS(5), ZIPPED)
    elif RC_BANK_STREAM >= 5:
        bank_stream(zero, band, x, (RC_BANK_VECS(5) - 1) * sizeof(bankable), 5, 5, RC_BANK_VECS(5), band.meeting)


cdef void correlate_bank(
    bankable zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, int meeting,
) noexcept nogil:
    """Valid correlation of rows with a complex kernel; only where lane_banks.

    zero : a vector of zeros, which also names the lane;  rows : m + kh - 1 row starts
    n : sums in a row, at least one vector: numbers made, or twice as many complex ones if CROSSED
    re, im : kernels as in correlate_rows
    step : bytes between the inputs of neighbouring taps
    meeting : ZIPPED for rows of real numbers, CROSSED for complex ones, or ROOTED for magnitudes
    """
    cdef Py_ssize_t y = 0
    cdef int widest = 3
    cdef bint streams = kh <= RC_BANK_STREAM and m >= kh
    cdef void (*strip)(bankable, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil
    cdef void (*full)(bankable, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil
    cdef Band band
    band.n, band.kh, band.kw, band.w, band.im, band.w_step, band.step = n, kh, kw, re, im, w_step, step
    band.sums, band.sums_pitch, band.out_pitch, band.meeting, band.ahead = NULL, 0, out_pitch, meeting, 0
    strip = bank_tile1
    if streams:
        widest = RC_BANK_VECS(kh)
        if kh == 1:
            strip = bank_stream1
        elif kh == 2:
            strip = bank_stream2
        elif kh == 3:
            strip = bank_stream3
        elif kh == 4:
            strip = bank_stream4
        else:
            strip = bank_stream5
    full = strip
    if streams and kw == kh and kh == 3:
        full = bank_square3
    elif streams and kw == kh and kh == 5:
        full = bank_square5
    while y < m:
        if streams:
            band.m = m - y if m - y < RC_BAND(kh) + kh else RC_BAND(kh)
        elif m >= 4 and kh >= 4 and RC_BANK_ROWS >= 4:
            band.m = 4
            strip = bank_tile4
            full = strip
        elif m >= 2 and kh >= 2:
            band.m = 2
            strip = bank_tile2
            full = strip
        else:
            band.m = 1
            strip = bank_tile1
            full = strip
        y = min(y, m - band.m)
        band.rows = rows + y
        band.out = out + y * out_pitch
        sweep(zero, &band, widest, strip, full, 0)
        y += band.m
