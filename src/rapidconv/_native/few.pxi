# Kernels of few taps: most are zero, and only the others are met, in the order in which direct.pxi meets all of them.
#
#     x . . . . x        A zero tap adds nothing to a sum of finite numbers, so each output has the bits that all taps give.
#     . . . . . .        Times an infinity or a NaN it is NaN: rows are looked over first, and where one has such a number all
#     . . x . . .        taps are met (unless zero taps are to meet no pixel, as in scipy.ndimage).
#     x . . . . x
#
# Accumulators aRC: output row R, vector C. Unlike in direct.pxi no input is shared by neighbouring taps or rows: four rows share
# a weight, and what bounds the loop is a load for every multiply-add, which straddles cache lines.

cdef enum:
    FEW_TAPS = 26       # of the smallest kernel worth a look,
    FEW_SHARE = 4       # of which at most one tap in so many is met, for each takes as long as three of all taps


cdef Py_ssize_t count_taps(const lane* re, const lane* im, Py_ssize_t taps) noexcept nogil:
    """How many taps are not zero."""
    cdef Py_ssize_t k, count = 0
    if im == NULL:
        im = re
    for k in range(taps):
        count += re[k] != 0 or im[k] != 0
    return count


cdef inline bint are_few(Py_ssize_t count, Py_ssize_t taps) noexcept nogil:
    """Whether so many taps of a kernel that are not zero are few."""
    return taps >= FEW_TAPS and 0 < FEW_SHARE * count <= taps


def met(Py_ssize_t count, Py_ssize_t taps):
    """How many of a kernel's taps direct sums meet, of which so many are not zero."""
    return count if are_few(count, taps) else taps


cdef Py_ssize_t few_taps(Job* job) noexcept nogil:
    """How many taps of a kernel are met, if they are few; else 0."""
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t taps = job.taps * job.kh * job.kw, count
    if taps < FEW_TAPS or job.order != TAPS or job.store == TRUNCATE or rows_of(ln) > 1 or is_matrix(ln):
        return 0
    if ln.kind == F4:
        count = count_taps(<const float*> ln.real_part, <const float*> ln.imag_part, taps)
    elif ln.kind == F8:
        count = count_taps(<const double*> ln.real_part, <const double*> ln.imag_part, taps)
    elif ln.kind == I2:
        count = count_taps(<const short*> ln.real_part, <const short*> ln.imag_part, taps)
    elif ln.kind == I4:
        count = count_taps(<const int*> ln.real_part, <const int*> ln.imag_part, taps)
    elif ln.kind == I8:
        count = count_taps(<const long long*> ln.real_part, <const long long*> ln.imag_part, taps)
    else:
        count = count_taps(<const extended*> ln.real_part, <const extended*> ln.imag_part, taps)
    return count if are_few(count, taps) else 0


cdef void list_taps(Job* job, Scratch* sc, const lane* re, const lane* im) noexcept nogil:
    """The taps that are met, plane by plane and row by row, and the first of each row."""
    cdef Py_ssize_t plane, i, j, k, count = 0
    if im == NULL:
        im = re
    for plane in range(job.taps):
        for i in range(job.kh):
            sc.first[plane * job.kh + i] = count
            for j in range(job.kw):
                k = (plane * job.kw + j) * job.kh + i
                if re[k] != 0 or im[k] != 0:
                    sc.tap[count].row = i
                    sc.tap[count].col = j
                    count += 1
    sc.first[job.taps * job.kh] = count


cdef void see_taps(Job* job, Scratch* sc) noexcept nogil:
    """List the taps of a kernel of few."""
    cdef Lane* ln = last_lane(job)
    if ln.kind == F4:
        list_taps(job, sc, <const float*> ln.real_part, <const float*> ln.imag_part)
    elif ln.kind == F8:
        list_taps(job, sc, <const double*> ln.real_part, <const double*> ln.imag_part)
    elif ln.kind == I2:
        list_taps(job, sc, <const short*> ln.real_part, <const short*> ln.imag_part)
    elif ln.kind == I4:
        list_taps(job, sc, <const int*> ln.real_part, <const int*> ln.imag_part)
    elif ln.kind == I8:
        list_taps(job, sc, <const long long*> ln.real_part, <const long long*> ln.imag_part)
    else:
        list_taps(job, sc, <const extended*> ln.real_part, <const extended*> ln.imag_part)


cdef inline void few_begin(vec* a0, vec* a1, vec* a2, vec* a3, const char* sums, const int vecs) noexcept nogil:
    """A row of accumulators from the earlier sums, or from zero."""
    cdef Py_ssize_t one = sizeof(vec)
    a0[0] = load(a0[0], sums) if sums != NULL else nought(a0[0])
    if vecs > 1:
        a1[0] = load(a0[0], sums + one) if sums != NULL else nought(a0[0])
    if vecs > 2:
        a2[0] = load(a0[0], sums + 2 * one) if sums != NULL else nought(a0[0])
        a3[0] = load(a0[0], sums + 3 * one) if sums != NULL else nought(a0[0])


cdef inline void few_add(vec* a0, vec* a1, vec* a2, vec* a3, vec w, const char* p, const int vecs) noexcept nogil:
    """Inputs from p on under a tap, into a row of accumulators."""
    cdef Py_ssize_t one = sizeof(vec)
    a0[0] = plus_product(a0[0], w, load(w, p))
    if vecs > 1:
        a1[0] = plus_product(a1[0], w, load(w, p + one))
    if vecs > 2:
        a2[0] = plus_product(a2[0], w, load(w, p + 2 * one))
        a3[0] = plus_product(a3[0], w, load(w, p + 3 * one))


cdef inline void few_end(vec a0, vec a1, vec a2, vec a3, char* out, const int vecs) noexcept nogil:
    """A row of accumulators to memory."""
    cdef Py_ssize_t one = sizeof(vec)
    store(out, a0)
    if vecs > 1:
        store(out + one, a1)
    if vecs > 2:
        store(out + 2 * one, a2)
        store(out + 3 * one, a3)


cdef inline void few_strip(
    vec zero, const char** rows, Py_ssize_t x, const Tap* tap, const Tap* end, const char* w, Py_ssize_t kh, Py_ssize_t step,
    const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch, const int vecs, const int high,
) noexcept nogil:
    """vecs vectors, 4, 2 or 1, of four rows of outputs or of one."""
    cdef vec a00, a01, a02, a03, a10, a11, a12, a13, a20, a21, a22, a23, a30, a31, a32, a33, b
    cdef Py_ssize_t at
    cdef const char** p
    few_begin(&a00, &a01, &a02, &a03, sums, vecs)
    if high > 1:
        few_begin(&a10, &a11, &a12, &a13, sums + sums_pitch if sums != NULL else NULL, vecs)
        few_begin(&a20, &a21, &a22, &a23, sums + 2 * sums_pitch if sums != NULL else NULL, vecs)
        few_begin(&a30, &a31, &a32, &a33, sums + 3 * sums_pitch if sums != NULL else NULL, vecs)
    while tap < end:
        b = splat(zero, w + (tap.col * kh + tap.row) * lane_size(zero))
        at = x + tap.col * step
        p = rows + tap.row
        few_add(&a00, &a01, &a02, &a03, b, p[0] + at, vecs)
        if high > 1:
            few_add(&a10, &a11, &a12, &a13, b, p[1] + at, vecs)
            few_add(&a20, &a21, &a22, &a23, b, p[2] + at, vecs)
            few_add(&a30, &a31, &a32, &a33, b, p[3] + at, vecs)
        tap += 1
    few_end(a00, a01, a02, a03, out, vecs)
    if high > 1:
        few_end(a10, a11, a12, a13, out + out_pitch, vecs)
        few_end(a20, a21, a22, a23, out + 2 * out_pitch, vecs)
        few_end(a30, a31, a32, a33, out + 3 * out_pitch, vecs)


cdef inline void few_rows(
    vec zero, const char** rows, Py_ssize_t n, const Tap* tap, const Tap* end, const char* w, Py_ssize_t kh, Py_ssize_t step,
    const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch, const int high,
) noexcept nogil:
    """Four rows of n outputs, or one, at least a vector."""
    cdef Py_ssize_t x = 0, one = sizeof(vec), left = n * lane_size(zero), wide = RC_FEW_VECS * sizeof(vec)
    while left >= wide:
        few_strip(zero, rows, x, tap, end, w, kh, step, sums + x if sums != NULL else NULL, sums_pitch, out + x, out_pitch,
                  RC_FEW_VECS, high)
        x += wide
        left -= wide
    while left > 0:
        if left < one:              # the last ones, some of them twice
            x -= one - left
            left = one
        few_strip(zero, rows, x, tap, end, w, kh, step, sums + x if sums != NULL else NULL, sums_pitch, out + x, out_pitch,
                  1, high)
        x += one
        left -= one


cdef void correlate_few(
    vec zero, const char** rows, Py_ssize_t m, Py_ssize_t n, const Tap* tap, const Tap* end, const char* w, Py_ssize_t kh,
    Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_rows, of some taps only; rows: that under row 0 of the kernel, w: weight of its row 0 and column 0."""
    cdef Py_ssize_t y = 0, high
    while y < m:
        high = 4 if m - y >= 4 else 1
        if high == 4:
            few_rows(zero, rows + y, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch, 4)
        else:
            few_rows(zero, rows + y, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch, 1)
        y += high
        out += high * out_pitch
        if sums != NULL:
            sums += high * sums_pitch


cdef void few_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, const Tap* tap, const Tap* end, const char* w, Py_ssize_t kh,
    Py_ssize_t step, const char* sums, Py_ssize_t sums_pitch, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_few in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        correlate_few(vf4_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)
    elif kind == F8:
        correlate_few(vf8_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)
    elif kind == I2:
        correlate_few(vi2_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)
    elif kind == I4:
        correlate_few(vi4_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)
    elif kind == I8:
        correlate_few(vi8_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)
    else:
        correlate_few(vfg_splat(z), rows, m, n, tap, end, w, kh, step, sums, sums_pitch, out, out_pitch)


cdef void few_whole(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, const Tap* tap, const Tap* end, const char* w, Py_ssize_t kh,
    Py_ssize_t step, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """correlate_few of integers in a floating lane of their size."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_WHOLE and kind == F4:
        correlate_few(vw4_splat(z), rows, m, n, tap, end, w, kh, step, NULL, 0, out, out_pitch)
    elif RC_WHOLE and kind == F8:
        correlate_few(vw8_splat(z), rows, m, n, tap, end, w, kh, step, NULL, 0, out, out_pitch)


cdef inline void few_bank_strip(
    bankable zero, const char** rows, Py_ssize_t x, const Tap* tap, const Tap* end, const char* re, const char* im,
    Py_ssize_t kh, Py_ssize_t step, char* out, const int meeting, const int vecs,
) noexcept nogil:
    """vecs vectors of sums of a row under both kernels of a bank."""
    cdef bankable r0 = nought(zero), r1 = nought(zero), r2 = nought(zero), i0 = nought(zero), i1 = nought(zero), i2 = nought(zero)
    cdef bankable wr, wi, v
    cdef Py_ssize_t one = sizeof(bankable), place
    cdef const char* p
    while tap < end:
        place = (tap.col * kh + tap.row) * lane_size(zero)
        wr = splat(zero, re + place)
        wi = splat(zero, im + place)
        p = rows[tap.row] + x + tap.col * step
        v = load(zero, p)
        r0 = r0 + wr * v
        i0 = i0 + wi * v
        if vecs > 1:
            v = load(zero, p + one)
            r1 = r1 + wr * v
            i1 = i1 + wi * v
            v = load(zero, p + 2 * one)
            r2 = r2 + wr * v
            i2 = i2 + wi * v
        tap += 1
    bank_finish(&r0, &r1, &r2, &i0, &i1, &i2, out + (2 * x if meeting == ZIPPED else x), (vecs - 1) * one, vecs, meeting)


cdef void few_bank(
    bankable zero, const char** rows, Py_ssize_t m, Py_ssize_t n, const Tap* tap, const Tap* end, const char* re,
    const char* im, Py_ssize_t kh, Py_ssize_t step, char* out, Py_ssize_t out_pitch, const int meeting,
) noexcept nogil:
    """correlate_bank, of some taps only; n: sums in a row, at least a vector."""
    cdef Py_ssize_t y, x, left, one = sizeof(bankable)
    for y in range(m):
        x = 0
        left = n * lane_size(zero)
        while left >= 3 * one:
            few_bank_strip(zero, rows + y, x, tap, end, re, im, kh, step, out + y * out_pitch, meeting, 3)
            x += 3 * one
            left -= 3 * one
        while left > 0:
            if left < one:
                x -= one - left
                left = one
            few_bank_strip(zero, rows + y, x, tap, end, re, im, kh, step, out + y * out_pitch, meeting, 1)
            x += one
            left -= one


cdef void few_bank_lane(
    int kind, const char** rows, Py_ssize_t m, Py_ssize_t n, const Tap* tap, const Tap* end, const char* re, const char* im,
    Py_ssize_t kh, Py_ssize_t step, char* out, Py_ssize_t out_pitch, int meeting,
) noexcept nogil:
    """few_bank in the lane of a type, which has banks."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if RC_BANKS and kind == F4 and meeting == ZIPPED:
        few_bank(vf4_splat(z), rows, m, n, tap, end, re, im, kh, step, out, out_pitch, ZIPPED)
    elif RC_BANKS and kind == F4:
        few_bank(vf4_splat(z), rows, m, n, tap, end, re, im, kh, step, out, out_pitch, CROSSED)
    elif RC_BANKS and kind == F8 and meeting == ZIPPED:
        few_bank(vf8_splat(z), rows, m, n, tap, end, re, im, kh, step, out, out_pitch, ZIPPED)
    elif RC_BANKS and kind == F8:
        few_bank(vf8_splat(z), rows, m, n, tap, end, re, im, kh, step, out, out_pitch, CROSSED)


cdef bint all_finite_under(floating_vec zero, const char** rows, Py_ssize_t m, Py_ssize_t bytes) noexcept nogil:
    """Whether all numbers of m rows, at least a vector long, are finite."""
    cdef Py_ssize_t i, at, one = sizeof(floating_vec)
    cdef floating_vec even = zero, odd = zero
    cdef const char* p
    cdef char lanes[64]
    for i in range(m):
        p = rows[i]
        even = even + zero * load(zero, p)              # NaN once and for all
        odd = odd + zero * load(zero, p + bytes - one)
        at = -<Py_ssize_t> p & (one - 1)                # loads that straddle cache lines take three times as long
        while at <= bytes - 2 * one:
            even = even + zero * load(zero, p + at)
            odd = odd + zero * load(zero, p + at + one)
            at += 2 * one
        if at <= bytes - one:
            even = even + zero * load(zero, p + at)
    store(lanes, even + odd)
    for at from 0 <= at < one by lane_size(zero):
        if floating_vec is vf4:
            if (<float*> (lanes + at))[0] != 0:
                return False
        elif floating_vec is vf8:
            if (<double*> (lanes + at))[0] != 0:
                return False
        elif (<extended*> (lanes + at))[0] != 0:
            return False
    return True


cdef bint meets_few(
    Job* job, Scratch* sc, int kind, Py_ssize_t m, Py_ssize_t n, Py_ssize_t y, Py_ssize_t end, Py_ssize_t x,
) noexcept nogil:
    """Whether only the few taps of a kernel need be met under m rows of n numbers of a lane.

    y, end, x : of a tile read in place: rows it shares with the one above, if looked at last, were seen there; y < 0: gathered
    """
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    cdef const char** rows = sc.rows
    cdef bint finite
    if not job.few:
        return False
    if job.skips or (job.kind < F2 and job.boundary != FILL):
        return True
    if y >= 0 and y == sc.finite_to and x == sc.finite_at:
        rows += job.kh - 1
        m -= job.kh - 1
    if kind == F4:
        finite = all_finite_under(vf4_splat(z), rows, m, n * 4)
    elif kind == F8:
        finite = all_finite_under(vf8_splat(z), rows, m, n * 8)
    elif kind == FG:
        finite = all_finite_under(vfg_splat(z), rows, m, n * <Py_ssize_t> sizeof(extended))
    else:
        return True
    if y >= 0:
        sc.finite_to = end if finite else -1
        sc.finite_at = x
    return finite
