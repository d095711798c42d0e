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
    char* out, Py_ssize_t last, const int vecs, const int meeting,
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


cdef inline void bank_stream(
    bankable zero, const char** rows, Py_ssize_t x, Py_ssize_t m, const Py_ssize_t kh, Py_ssize_t kw, const char* re,
    const char* im, Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int vecs,
    const int meeting,
) noexcept nogil:
    """m output rows, vecs vectors wide at byte x, from m + kh - 1 input rows each read once; kh <= 5, m >= kh."""
    cdef bankable r00, r01, r02, r10, r11, r12, r20, r21, r22, r30, r31, r32, r40, r41, r42
    cdef bankable i00, i01, i02, i10, i11, i12, i20, i21, i22, i30, i31, i32, i40, i41, i42
    cdef Py_ssize_t i, size = lane_size(zero)
    re += (kh - 1) * size
    im += (kh - 1) * size
    out += 2 * x if meeting == ZIPPED else x
    r00 = r01 = r02 = i00 = i01 = i02 = zero
    r10 = r11 = r12 = i10 = i11 = i12 = zero
    r20 = r21 = r22 = i20 = i21 = i22 = zero
    r30 = r31 = r32 = i30 = i31 = i32 = zero
    r40 = r41 = r42 = i40 = i41 = i42 = zero
    for i in range(m + kh - 1):
        if kh - 1 <= i < m:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 0, kh - 1, vecs)
        elif kh > 1 and i == kh - 2:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 1, kh - 1, vecs)
        elif kh > 2 and i == kh - 3:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 2, kh - 1, vecs)
        elif kh > 3 and i == kh - 4:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 3, kh - 1, vecs)
        elif kh > 4 and i == kh - 5:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 4, kh - 1, vecs)
        elif kh > 1 and i == m:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 0, kh - 2, vecs)
        elif kh > 2 and i == m + 1:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 0, kh - 3, vecs)
        elif kh > 3 and i == m + 2:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 0, kh - 4, vecs)
        elif kh > 4 and i == m + 3:
            bank_taps(&r00, &r01, &r02, &r10, &r11, &r12, &r20, &r21, &r22,
                      &r30, &r31, &r32, &r40, &r41, &r42, &i00, &i01, &i02,
                      &i10, &i11, &i12, &i20, &i21, &i22, &i30, &i31, &i32,
                      &i40, &i41, &i42,
                      rows[i] + x, re, im, w_step, kw, step, last, 0, kh - 5, vecs)
        if i >= kh - 1:
            bank_finish(&r00, &r01, &r02, &i00, &i01, &i02, out, last, vecs, meeting)
            out += out_pitch
        r00 = r10
        r01 = r11
        r02 = r12
        i00 = i10
        i01 = i11
        i02 = i12
        r10 = r20
        r11 = r21
        r12 = r22
        i10 = i20
        i11 = i21
        i12 = i22
        r20 = r30
        r21 = r31
        r22 = r32
        i20 = i30
        i21 = i31
        i22 = i32
        r30 = r40
        r31 = r41
        r32 = r42
        i30 = i40
        i31 = i41
        i32 = i42
        if kh == 1:
            r00 = r01 = r02 = i00 = i01 = i02 = zero
        elif kh == 2:
            r10 = r11 = r12 = i10 = i11 = i12 = zero
        elif kh == 3:
            r20 = r21 = r22 = i20 = i21 = i22 = zero
        elif kh == 4:
            r30 = r31 = r32 = i30 = i31 = i32 = zero
        elif kh == 5:
            r40 = r41 = r42 = i40 = i41 = i42 = zero


cdef inline void bank_tile(
    bankable zero, const char** rows, Py_ssize_t x, const int m, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int vecs, const int meeting,
) noexcept nogil:
    """Register tile of m output rows (1, 2 or 4, at most kh), vecs vectors wide at byte x."""
    cdef bankable r00, r01, r02, r10, r11, r12, r20, r21, r22, r30, r31, r32, r40, r41, r42
    cdef bankable i00, i01, i02, i10, i11, i12, i20, i21, i22, i30, i31, i32, i40, i41, i42
    cdef Py_ssize_t i, size = lane_size(zero)
    out += 2 * x if meeting == ZIPPED else x
    r00 = r01 = r02 = i00 = i01 = i02 = zero
    r10 = r11 = r12 = i10 = i11 = i12 = zero
    r20 = r21 = r22 = i20 = i21 = i22 = zero
    r30 = r31 = r32 = i30 = i31 = i32 = zero
    r40 = r41 = r42 = i40 = i41 = i42 = zero
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


cdef inline void bank_strip(
    bankable zero, const char** rows, Py_ssize_t x, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, Py_ssize_t last, const int how, const int vecs,
    const int meeting,
) noexcept nogil:
    """One strip of columns of a band of m rows."""
    if how < 0:
        bank_tile(zero, rows, x, -how, kh, kw, re, im, w_step, step, out, out_pitch, last, vecs, meeting)
    else:
        bank_stream(zero, rows, x, m, how, kw, re, im, w_step, step, out, out_pitch, last, vecs, meeting)


cdef inline void bank_strips(
    bankable zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, const int how, const int vecs, const int meeting,
) noexcept nogil:
    """All strips of a band of m x n sums, vecs vectors wide; the last vector of the last one ends with the row."""
    cdef Py_ssize_t one = sizeof(bankable), x = 0, left = n * lane_size(zero)
    while left >= vecs * one:
        bank_strip(zero, rows, x, m, kh, kw, re, im, w_step, step, out, out_pitch, (vecs - 1) * one, how, vecs, meeting)
        x += vecs * one
        left -= vecs * one
    if left <= 0:
        return
    if left < one:
        x -= one - left
        left = one
    if left == one:
        bank_strip(zero, rows, x, m, kh, kw, re, im, w_step, step, out, out_pitch, 0, how, 1, meeting)
    elif left <= 2 * one or vecs < 3:
        bank_strip(zero, rows, x, m, kh, kw, re, im, w_step, step, out, out_pitch, left - one, how, 2, meeting)
    else:
        bank_strip(zero, rows, x, m, kh, kw, re, im, w_step, step, out, out_pitch, left - one, how, 3, meeting)


cdef inline void bank_band(
    bankable zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* re, const char* im,
    Py_ssize_t w_step, Py_ssize_t step, char* out, Py_ssize_t out_pitch, const int meeting,
) noexcept nogil:
    """One band: m rows that a sweep from left to right keeps in the first-level cache."""
    if kh == 3 and kw == 3 and m >= 3 and RC_BANK_STREAM >= 3:
        bank_strips(zero, rows, m, n, 3, 3, re, im, w_step, step, out, out_pitch, 3, RC_BANK_VECS(3), meeting)
    elif kh == 5 and kw == 5 and m >= 5 and RC_BANK_STREAM >= 5:
        bank_strips(zero, rows, m, n, 5, 5, re, im, w_step, step, out, out_pitch, 5, RC_BANK_VECS(5), meeting)
    elif kh == 1 and m >= 1 and RC_BANK_STREAM >= 1:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, 1, RC_BANK_VECS(1), meeting)
    elif kh == 2 and m >= 2 and RC_BANK_STREAM >= 2:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, 2, RC_BANK_VECS(2), meeting)
    elif kh == 3 and m >= 3 and RC_BANK_STREAM >= 3:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, 3, RC_BANK_VECS(3), meeting)
    elif kh == 4 and m >= 4 and RC_BANK_STREAM >= 4:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, 4, RC_BANK_VECS(4), meeting)
    elif kh == 5 and m >= 5 and RC_BANK_STREAM >= 5:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, 5, RC_BANK_VECS(5), meeting)
    elif m == 4 and RC_BANK_ROWS >= 4:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, -4, 3, meeting)
    elif m == 2:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, -2, 3, meeting)
    else:
        bank_strips(zero, rows, m, n, kh, kw, re, im, w_step, step, out, out_pitch, -1, 3, meeting)


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
    cdef Py_ssize_t y = 0, band
    while y < m:
        if kh <= RC_BANK_STREAM and m >= kh:
            band = m - y if m - y < RC_BAND(kh) + kh else RC_BAND(kh)
        elif m >= 4 and kh >= 4 and RC_BANK_ROWS >= 4:
            band = 4
        elif m >= 2 and kh >= 2:
            band = 2
        else:
            band = 1
        y = min(y, m - band)
        if meeting == CROSSED:
            bank_band(zero, rows + y, band, n, kh, kw, re, im, w_step, step, out + y * out_pitch, out_pitch, CROSSED)
        elif meeting == ROOTED:
            bank_band(zero, rows + y, band, n, kh, kw, re, im, w_step, step, out + y * out_pitch, out_pitch, ROOTED)
        else:
            bank_band(zero, rows + y, band, n, kh, kw, re, im, w_step, step, out + y * out_pitch, out_pitch, ZIPPED)
        y += band
