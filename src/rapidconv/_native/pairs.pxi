# Sums of pairs: the two inputs that share a weight, or differ by its sign, are added, or subtracted, before they meet it, as in
# scipy.ndimage.  So what is flat has no slope, and a mirrored image gives the mirrored result, to the last bit.
#
#   SYMMETRIC    0 + w2 x2 + w0 (x0 + x4) + w1 (x1 + x3)             of a kernel along one axis
#   SKEW         0 + w2 x2 + w0 (x0 - x4) + w1 (x1 - x3)
#   SLOPE_DOWN   s0 - s2 + 0 s1,                s = 0 + w00 (x0 + x2) + w01 x1 of each row            of 3 x 3
#   SLOPE_ALONG  0 + w00 (s0 + s2) + w10 s1,    s = x0 - x2 + 0 x1
#
# An addition and a multiplication a pair take as long as two multiplications.  Four outputs in a row share their inputs:
#
#   outputs 0 1 2 3     left        right           pair 0 of taps 0 and 6; with each pair the left ones move on by one,
#                       0 1 2 3     6 7 8 9         and the right ones back
#                         1 2 3 4     5 6 7 8
#
# Where sums are not finite, they are made again tap by tap: pairs may overflow that weights of a half would have saved.

cdef extern from "simd.h" nogil:
    const int RC_PAIR_VECS

cdef enum:              # order of the taps: as Order in _problem.py
    MEND = -1           # as TAPS, where zeros meet no pixel: see tapwise.pxi
    TAPS = 0
    LAST_FIRST = 1
    SYMMETRIC = 2
    SKEW = 3
    SLOPE_DOWN = 4
    SLOPE_ALONG = 5
    TURNED = 6


cdef inline bankable plus_pair(bankable a, bankable w, bankable left, bankable right, const int order) noexcept nogil:
    """a and a pair under its weight."""
    if order == SKEW:
        return a + w * (left - right)
    else:
        return a + w * (left + right)


cdef inline bint is_clear(vec check) noexcept nogil:
    """Whether all lanes are zero, and none is NaN."""
    cdef char[64] room
    cdef Py_ssize_t i
    store(<char*> room, check)
    if vec is vf4:
        for i in range(<Py_ssize_t> (sizeof(vec) // sizeof(float))):
            if (<float*> room)[i] != 0:
                return False
    elif vec is vf8:
        for i in range(<Py_ssize_t> (sizeof(vec) // sizeof(double))):
            if (<double*> room)[i] != 0:
                return False
    return True


cdef inline const char* input_at(const char** rows, Py_ssize_t x, Py_ssize_t step, Py_ssize_t i) noexcept nogil:
    """Input i of the output at byte x: of row i, or of one row where inputs lie a step apart."""
    return rows[0] + x + i * step if step else rows[i] + x


cdef inline void pair_row(
    bankable* a, bankable* b, bankable* c, bankable* d, const char** rows, Py_ssize_t x, Py_ssize_t last, Py_ssize_t step,
    const char* w, Py_ssize_t taps, const int order, const int vecs,
) noexcept nogil:
    """One row of sums, vecs vectors wide at byte x, the last of them at x + last."""
    cdef Py_ssize_t i, half = taps // 2, size = lane_size(a[0])
    cdef bankable weight = splat(a[0], w + half * size)
    cdef const char* p = input_at(rows, x, step, half)
    cdef const char* q
    a[0] = nought(weight) + weight * load(weight, p if vecs > 1 else p + last)
    if vecs > 1:
        b[0] = nought(weight) + weight * load(weight, p + sizeof(bankable) if vecs > 2 else p + last)
    if vecs > 2:
        c[0] = nought(weight) + weight * load(weight, p + 2 * sizeof(bankable) if vecs > 3 else p + last)
    if vecs > 3:
        d[0] = nought(weight) + weight * load(weight, p + last)
    for i in range(half):
        p = input_at(rows, x, step, i)
        q = input_at(rows, x, step, taps - 1 - i)
        weight = splat(weight, w + i * size)
        a[0] = plus_pair(a[0], weight, load(weight, p if vecs > 1 else p + last),
                         load(weight, q if vecs > 1 else q + last), order)
        if vecs > 1:
            b[0] = plus_pair(b[0], weight, load(weight, p + sizeof(bankable) if vecs > 2 else p + last),
                             load(weight, q + sizeof(bankable) if vecs > 2 else q + last), order)
        if vecs > 2:
            c[0] = plus_pair(c[0], weight, load(weight, p + 2 * sizeof(bankable) if vecs > 3 else p + last),
                             load(weight, q + 2 * sizeof(bankable) if vecs > 3 else q + last), order)
        if vecs > 3:
            d[0] = plus_pair(d[0], weight, load(weight, p + last), load(weight, q + last), order)


cdef inline void pair_in_four(
    bankable* a0, bankable* a1, bankable* a2, bankable* a3, bankable w, bankable l0, bankable l1, bankable l2, bankable l3,
    bankable r0, bankable r1, bankable r2, bankable r3, const int order,
) noexcept nogil:
    """A pair of each of four outputs."""
    a0[0] = plus_pair(a0[0], w, l0, r0, order)
    a1[0] = plus_pair(a1[0], w, l1, r1, order)
    a2[0] = plus_pair(a2[0], w, l2, r2, order)
    a3[0] = plus_pair(a3[0], w, l3, r3, order)


cdef inline void pair_four(
    bankable* a0, bankable* a1, bankable* a2, bankable* a3, bankable* b0, bankable* b1, bankable* b2, bankable* b3,
    const char** rows, Py_ssize_t x, Py_ssize_t last, const char* w, Py_ssize_t taps, const int order, const int vecs,
) noexcept nogil:
    """Four outputs, of rows 0, 1, 2, 3 and on, at byte x, and where vecs is 2 four at x + last: the same sums as pair_row."""
    cdef Py_ssize_t i, j, half = taps // 2, size = lane_size(a0[0])
    cdef bankable l0, l1, l2, l3, r0, r1, r2, r3
    cdef bankable m0, m1, m2, m3, s0, s1, s2, s3
    cdef bankable weight = splat(a0[0], w + half * size)
    cdef const char** left = rows
    cdef const char** right = rows + taps - 1
    a0[0] = nought(weight) + weight * load(weight, rows[half] + x)
    a1[0] = nought(weight) + weight * load(weight, rows[half + 1] + x)
    a2[0] = nought(weight) + weight * load(weight, rows[half + 2] + x)
    a3[0] = nought(weight) + weight * load(weight, rows[half + 3] + x)
    if vecs > 1:
        b0[0] = nought(weight) + weight * load(weight, rows[half] + x + last)
        b1[0] = nought(weight) + weight * load(weight, rows[half + 1] + x + last)
        b2[0] = nought(weight) + weight * load(weight, rows[half + 2] + x + last)
        b3[0] = nought(weight) + weight * load(weight, rows[half + 3] + x + last)
    for i in range(half % 4):               # so that then the turns of four can keep their inputs in registers of fixed names
        weight = splat(weight, w)
        pair_in_four(a0, a1, a2, a3, weight,
                     load(weight, left[0] + x), load(weight, left[1] + x), load(weight, left[2] + x), load(weight, left[3] + x),
                     load(weight, right[0] + x), load(weight, right[1] + x), load(weight, right[2] + x),
                     load(weight, right[3] + x), order)
        if vecs > 1:
            j = x + last
            pair_in_four(b0, b1, b2, b3, weight,
                         load(weight, left[0] + j), load(weight, left[1] + j), load(weight, left[2] + j),
                         load(weight, left[3] + j), load(weight, right[0] + j), load(weight, right[1] + j),
                         load(weight, right[2] + j), load(weight, right[3] + j), order)
        left += 1
        right -= 1
        w += size
    if half < 4:
        return
    l0 = load(weight, left[0] + x)
    l1 = load(weight, left[1] + x)
    l2 = load(weight, left[2] + x)
    r1 = load(weight, right[1] + x)
    r2 = load(weight, right[2] + x)
    r3 = load(weight, right[3] + x)
    if vecs > 1:
        m0 = load(weight, left[0] + x + last)
        m1 = load(weight, left[1] + x + last)
        m2 = load(weight, left[2] + x + last)
        s1 = load(weight, right[1] + x + last)
        s2 = load(weight, right[2] + x + last)
        s3 = load(weight, right[3] + x + last)
    for i in range(half // 4):
        RC_ANEW(w)
        weight = splat(weight, w)
        l3 = load(weight, left[3] + x)
        r0 = load(weight, right[0] + x)
        pair_in_four(a0, a1, a2, a3, weight, l0, l1, l2, l3, r0, r1, r2, r3, order)
        if vecs > 1:
            m3 = load(weight, left[3] + x + last)
            s0 = load(weight, right[0] + x + last)
            pair_in_four(b0, b1, b2, b3, weight, m0, m1, m2, m3, s0, s1, s2, s3, order)
        weight = splat(weight, w + size)
        l0 = load(weight, left[4] + x)
        r3 = load(weight, right[-1] + x)
        pair_in_four(a0, a1, a2, a3, weight, l1, l2, l3, l0, r3, r0, r1, r2, order)
        if vecs > 1:
            m0 = load(weight, left[4] + x + last)
            s3 = load(weight, right[-1] + x + last)
            pair_in_four(b0, b1, b2, b3, weight, m1, m2, m3, m0, s3, s0, s1, s2, order)
        weight = splat(weight, w + 2 * size)
        l1 = load(weight, left[5] + x)
        r2 = load(weight, right[-2] + x)
        pair_in_four(a0, a1, a2, a3, weight, l2, l3, l0, l1, r2, r3, r0, r1, order)
        if vecs > 1:
            m1 = load(weight, left[5] + x + last)
            s2 = load(weight, right[-2] + x + last)
            pair_in_four(b0, b1, b2, b3, weight, m2, m3, m0, m1, s2, s3, s0, s1, order)
        weight = splat(weight, w + 3 * size)
        l2 = load(weight, left[6] + x)
        r1 = load(weight, right[-3] + x)
        pair_in_four(a0, a1, a2, a3, weight, l3, l0, l1, l2, r1, r2, r3, r0, order)
        if vecs > 1:
            m2 = load(weight, left[6] + x + last)
            s1 = load(weight, right[-3] + x + last)
            pair_in_four(b0, b1, b2, b3, weight, m3, m0, m1, m2, s1, s2, s3, s0, order)
        left += 4
        right -= 4
        w += 4 * size


cdef inline void store_four(
    bankable a0, bankable a1, bankable a2, bankable a3, char* out, Py_ssize_t pitch, bankable* check,
) noexcept nogil:
    """Four outputs, pitch apart; check turns to NaN, and stays so, where one is not finite."""
    store(out, a0)
    store(out + pitch, a1)
    store(out + 2 * pitch, a2)
    store(out + 3 * pitch, a3)
    check[0] = check[0] + ((a0 + a1) + (a2 + a3)) * nought(a0)


cdef inline void pairs_down(
    bankable zero, const char** rows, Py_ssize_t x, Py_ssize_t last, const char* w, Py_ssize_t taps, Py_ssize_t m, char* out,
    Py_ssize_t out_pitch, bankable* check, const int order, const int vecs,
) noexcept nogil:
    """m rows of sums down the rows, one or two vectors wide at byte x, the second at x + last."""
    cdef Py_ssize_t y = 0
    cdef bankable a0, a1, a2, a3, b0, b1, b2, b3
    while m >= 4 and y < m:
        y = min(y, m - 4)
        pair_four(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, rows + y, x, last, w, taps, order, vecs)
        store_four(a0, a1, a2, a3, out + y * out_pitch, out_pitch, check)
        if vecs > 1:
            store_four(b0, b1, b2, b3, out + y * out_pitch + last, out_pitch, check)
        y += 4
    while y < m:
        pair_row(&a0, &a1, &a2, &a3, rows + y, x, last if vecs > 1 else 0, 0, w, taps, order, vecs)
        store(out + y * out_pitch, a0)
        check[0] = check[0] + a0 * nought(zero)
        if vecs > 1:
            store(out + y * out_pitch + last, a1)
            check[0] = check[0] + a1 * nought(zero)
        y += 1


cdef inline const char* tap_at(
    const char** lines, Py_ssize_t at, Py_ssize_t step, Py_ssize_t i, Py_ssize_t j, const bint turned,
) noexcept nogil:
    """The input of an output at byte `at` under tap [i, j]; turned: lines are columns, else rows."""
    return lines[j] + at + i * step if turned else lines[i] + at + j * step


cdef inline bankable sum_in_pairs(
    bankable zero, const char** lines, Py_ssize_t at, Py_ssize_t step, Py_ssize_t kh, Py_ssize_t kw, const char* w, int order,
    const bint turned,
) noexcept nogil:
    """A vector of outputs; where they are not finite, tap by tap.  w : the transposed kernel"""
    cdef Py_ssize_t i, j, k, size = lane_size(zero), taps = kh * kw, down = kh > 1
    cdef bankable a, weight, s0, s1, s2
    cdef char[64] room, again
    if order == SYMMETRIC or order == SKEW:
        k = taps // 2
        a = zero + splat(zero, w + k * size) * load(zero, tap_at(lines, at, step, k * down, k * (1 - down), turned))
        for i in range(k):
            j = taps - 1 - i
            weight = splat(zero, w + i * size)
            s0 = load(zero, tap_at(lines, at, step, i * down, i * (1 - down), turned))
            s1 = load(zero, tap_at(lines, at, step, j * down, j * (1 - down), turned))
            a = plus_pair(a, weight, s0, s1, SKEW) if order == SKEW else plus_pair(a, weight, s0, s1, SYMMETRIC)
    else:
        s0 = s1 = s2 = zero
        for i in range(3):
            s0 = s1
            s1 = s2
            s2 = slope_of_row(
                load(zero, tap_at(lines, at, step, i, 0, turned)), load(zero, tap_at(lines, at, step, i, 1, turned)),
                load(zero, tap_at(lines, at, step, i, 2, turned)), splat(zero, w), splat(zero, w + 3 * size), order == SLOPE_DOWN)
        a = slope_of_column(s0, s1, s2, splat(zero, w), splat(zero, w + size), order == SLOPE_DOWN)
    if is_clear(a * zero):
        return a
    store(<char*> room, a)
    a = zero
    for i in range(kh):
        for j in range(kw):
            a = a + splat(zero, w + (j * kh + i) * size) * load(zero, tap_at(lines, at, step, i, j, turned))
    store(<char*> again, a)
    for i in range(<Py_ssize_t> sizeof(bankable) // size):
        if bankable is vf4:
            if (<float*> room)[i] - (<float*> room)[i] == 0:
                (<float*> again)[i] = (<float*> room)[i]
        elif bankable is vf8:
            if (<double*> room)[i] - (<double*> room)[i] == 0:
                (<double*> again)[i] = (<double*> room)[i]
    return load(zero, <char*> again)


cdef inline bankable slope_of_row(
    bankable x0, bankable x1, bankable x2, bankable w0, bankable w1, const bint down,
) noexcept nogil:
    """s of a row of a slope."""
    cdef bankable s
    if down:
        s = nought(x0) + w0 * (x0 + x2)
        return s + w1 * x1
    else:
        return (x0 - x2) + nought(x0) * x1


cdef inline bankable slope_of_column(
    bankable s0, bankable s1, bankable s2, bankable w0, bankable w1, const bint down,
) noexcept nogil:
    """A slope from s of three rows."""
    cdef bankable a
    if down:
        return (s0 - s2) + nought(s0) * s1
    else:
        a = nought(s0) + w0 * (s0 + s2)
        return a + w1 * s1


cdef inline void slopes(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, bankable* check, const int vecs, const bint down,
) noexcept nogil:
    """Rows of slopes, vecs vectors wide at byte x."""
    cdef bankable s00, s01, s02, s10, s11, s12, s20, s21, s22, a
    cdef Py_ssize_t y, step = band.step, size = lane_size(zero)
    cdef const char* p
    cdef char* out = band.out + x
    cdef bankable w0 = splat(zero, band.w), w1 = splat(zero, band.w + (3 * size if down else size))
    s00 = s01 = s02 = s10 = s11 = s12 = zero
    for y in range(-2, band.m):
        fetch_row(band, y + 2, x, vecs * sizeof(bankable), 3)
        p = band.rows[y + 2] + x
        if vecs == 1:
            p += last
        s20 = slope_of_row(load(zero, p), load(zero, p + step), load(zero, p + 2 * step), w0, w1, down)
        if vecs > 1:
            p = p + (sizeof(bankable) if vecs > 2 else last)
            s21 = slope_of_row(load(zero, p), load(zero, p + step), load(zero, p + 2 * step), w0, w1, down)
        if vecs > 2:
            p = band.rows[y + 2] + x + last
            s22 = slope_of_row(load(zero, p), load(zero, p + step), load(zero, p + 2 * step), w0, w1, down)
        if y >= 0:
            a = slope_of_column(s00, s10, s20, w0, w1, down)
            store(out if vecs > 1 else out + last, a)
            check[0] = check[0] + a * nought(a)
            if vecs > 1:
                a = slope_of_column(s01, s11, s21, w0, w1, down)
                store(out + sizeof(bankable) if vecs > 2 else out + last, a)
                check[0] = check[0] + a * nought(a)
            if vecs > 2:
                a = slope_of_column(s02, s12, s22, w0, w1, down)
                store(out + last, a)
                check[0] = check[0] + a * nought(a)
            out += band.out_pitch
        s00 = s10
        s10 = s20
        if vecs > 1:
            s01 = s11
            s11 = s21
        if vecs > 2:
            s02 = s12
            s12 = s22


cdef inline void mend_strip(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs, bankable check, const int order,
) noexcept nogil:
    """The strip again, where a sum of it is not finite."""
    cdef Py_ssize_t y, at
    cdef int k
    if is_clear(check):
        return
    for y in range(band.m):
        for k in range(vecs):
            at = x + (k * <Py_ssize_t> sizeof(bankable) if k < vecs - 1 else last)
            store(band.out + y * band.out_pitch + at,
                  sum_in_pairs(zero, band.rows + y, at, band.step, band.kh, band.kw, band.w, order, False))


cdef inline void pair_strip(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs, const int order,
) noexcept nogil:
    """A strip of a band under a line of weights."""
    cdef bankable check = zero, a, b, c
    cdef Py_ssize_t y, at
    cdef int k
    cdef char* out = band.out + x
    for y in range(band.ahead):
        fetch_row(band, y, x, vecs * sizeof(bankable), band.kh)
    if band.kh == 1:
        for y in range(band.m):
            if vecs > 2:
                pair_row(&a, &b, &c, &c, band.rows + y, x, last, band.step, band.w, band.kw, order, 3)
                finish(&a, &b, &c, out, last, 3)
                check = check + ((a + b) + c) * nought(zero)
            elif vecs > 1:
                pair_row(&a, &b, &c, &c, band.rows + y, x, last, band.step, band.w, band.kw, order, 2)
                finish(&a, &b, &c, out, last, 2)
                check = check + (a + b) * nought(zero)
            else:
                pair_row(&a, &b, &c, &c, band.rows + y, x, last, band.step, band.w, band.kw, order, 1)
                finish(&a, &b, &c, out, last, 1)
                check = check + a * nought(zero)
            out += band.out_pitch
    elif RC_PAIR_VECS > 1 and vecs == 2:
        pairs_down(zero, band.rows, x, last, band.w, band.kh, band.m, out, band.out_pitch, &check, order, 2)
    else:
        for k in range(vecs):
            at = k * <Py_ssize_t> sizeof(bankable) if k < vecs - 1 else last
            pairs_down(zero, band.rows, x + at, 0, band.w, band.kh, band.m, out + at, band.out_pitch, &check, order, 1)
    mend_strip(zero, band, x, last, vecs, check, order)


cdef inline void slope_strip(
    bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs, const int order,
) noexcept nogil:
    """A strip of a band of slopes."""
    cdef bankable check = zero
    if vecs > 2:
        slopes(zero, band, x, last, &check, 3, order == SLOPE_DOWN)
    elif vecs > 1:
        slopes(zero, band, x, last, &check, 2, order == SLOPE_DOWN)
    else:
        slopes(zero, band, x, last, &check, 1, order == SLOPE_DOWN)
    mend_strip(zero, band, x, last, vecs, check, order)


cdef void symmetric_strip(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    pair_strip(zero, band, x, last, vecs, SYMMETRIC)


cdef void skew_strip(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    pair_strip(zero, band, x, last, vecs, SKEW)


cdef void slope_down_strip(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    slope_strip(zero, band, x, last, vecs, SLOPE_DOWN)


cdef void slope_along_strip(bankable zero, const Band* band, Py_ssize_t x, Py_ssize_t last, int vecs) noexcept nogil:
    slope_strip(zero, band, x, last, vecs, SLOPE_ALONG)


cdef void correlate_pairs(
    bankable zero, const char** rows, Py_ssize_t m, Py_ssize_t n, Py_ssize_t kh, Py_ssize_t kw, const char* w, Py_ssize_t step,
    char* out, Py_ssize_t out_pitch, Py_ssize_t ahead, int order,
) noexcept nogil:
    """As correlate_rows, in an order of pairs."""
    cdef Py_ssize_t y = 0, size = lane_size(zero), tall = band_rows(kh, ahead > -m)
    cdef int widest = 2 if kh > 1 and (order == SYMMETRIC or order == SKEW) else 3
    cdef void (*strip)(bankable, const Band*, Py_ssize_t, Py_ssize_t, int) noexcept nogil
    cdef Band band
    band.n, band.kh, band.kw, band.w, band.w_step, band.step = n, kh, kw, w, kh * size, step
    band.sums, band.sums_pitch, band.out_pitch = NULL, 0, out_pitch
    if order == SYMMETRIC:
        strip = symmetric_strip
    elif order == SKEW:
        strip = skew_strip
    elif order == SLOPE_DOWN:
        strip = slope_down_strip
    else:
        strip = slope_along_strip
    while y < m:
        band.m = m - y if m - y < tall + kh else tall
        band.rows = rows + y
        band.out = out + y * out_pitch
        band.ahead = min(tall, m - y - band.m + ahead) if kh <= LOW_STREAM else 0
        sweep(zero, &band, widest, strip, strip, 0)
        y += band.m
