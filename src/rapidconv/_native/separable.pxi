# The separable road: a kernel that is a sum of a few products column[i] * row[j] is summed row by row, then column by
# column, kh + kw multiply-adds an output and product instead of kh * kw.
#
#   image row --gather, split--> 4 phases --quads--> a row of the ring --columns--> 32 rows of results
#
# A batch is 32 output rows.  Each row of the image that it needs and the ring does not hold yet is read once, through
# the boundary's maps, and its sums along the row go to the ring, which keeps kh - 1 + 32 rows.  The ring is cut into
# strips of 4 vectors, and a strip's rows lie one after another: the sums down a strip read memory in one run.
#
#        ring       strip 0      strip 1            phases of a row a b c d e f g h
#        row 0    | . . . . |  | . . . . |          0: a e .    1: b f .    2: c g .    3: d h .
#        row 1    | . . . . |  | . . . . |          output 4x + r needs tap k from phase (r + k) % 4 at x + (r + k) // 4,
#        ...                                        so that one load feeds four outputs: of neighbouring taps most
#                                                   unaligned loads straddle cache lines, and one each was the limit
#
# Every output is summed along the row tap by tap, then down the column tap by tap, product after product, each in one
# accumulator: its bits do not depend on tiles, layout or workers.
#
# A strip of a batch with a result that is not finite is summed directly instead (NaN and infinities of the image would
# spread over the kernel's zeros and meet in other orders).

cdef enum:
    BATCH = 32              # output rows of a batch; divides TILE_ROWS, for strips of it may be summed again
    RING_BYTES = 1 << 20    # the rings of a tile
    MOST_NUMBERS = 2048     # in a row of a tile

cdef extern from "simd.h" nogil:
    const int RC_QUADS
    const int RC_COLUMN_VECS
    const int RC_QUAD_VECS
    void RC_FORGET(const char* p)
    vf4 vf4_even(vf4 a, vf4 b)
    vf4 vf4_odd(vf4 a, vf4 b)
    vf4 vf4_low(vf4 a, vf4 b)
    vf4 vf4_high(vf4 a, vf4 b)
    vf8 vf8_even(vf8 a, vf8 b)
    vf8 vf8_odd(vf8 a, vf8 b)
    vf8 vf8_low(vf8 a, vf8 b)
    vf8 vf8_high(vf8 a, vf8 b)
    vi2 vi2_even(vi2 a, vi2 b)
    vi2 vi2_odd(vi2 a, vi2 b)
    vi2 vi2_low(vi2 a, vi2 b)
    vi2 vi2_high(vi2 a, vi2 b)
    vf4 vf42_even(vf4 a, vf4 b)
    vf4 vf42_odd(vf4 a, vf4 b)
    vf4 vf42_low(vf4 a, vf4 b)
    vf4 vf42_high(vf4 a, vf4 b)
    vf8 vf82_even(vf8 a, vf8 b)
    vf8 vf82_odd(vf8 a, vf8 b)
    vf8 vf82_low(vf8 a, vf8 b)
    vf8 vf82_high(vf8 a, vf8 b)


cdef inline vec even(vec a, vec b, const int unit) noexcept nogil:
    """Units 0, 2, ... of two neighbouring vectors."""
    if vec is vf4:
        return vf42_even(a, b) if unit == 2 else vf4_even(a, b)
    elif vec is vf8:
        return vf82_even(a, b) if unit == 2 else vf8_even(a, b)
    elif vec is vi2:
        return vi2_even(a, b)
    else:
        return a


cdef inline vec odd(vec a, vec b, const int unit) noexcept nogil:
    """Units 1, 3, ... of two neighbouring vectors."""
    if vec is vf4:
        return vf42_odd(a, b) if unit == 2 else vf4_odd(a, b)
    elif vec is vf8:
        return vf82_odd(a, b) if unit == 2 else vf8_odd(a, b)
    elif vec is vi2:
        return vi2_odd(a, b)
    else:
        return b


cdef inline vec low(vec a, vec b, const int unit) noexcept nogil:
    """First of the two vectors whose even and odd units these are."""
    if vec is vf4:
        return vf42_low(a, b) if unit == 2 else vf4_low(a, b)
    elif vec is vf8:
        return vf82_low(a, b) if unit == 2 else vf8_low(a, b)
    elif vec is vi2:
        return vi2_low(a, b)
    else:
        return a


cdef inline vec high(vec a, vec b, const int unit) noexcept nogil:
    """Second of them."""
    if vec is vf4:
        return vf42_high(a, b) if unit == 2 else vf4_high(a, b)
    elif vec is vf8:
        return vf82_high(a, b) if unit == 2 else vf8_high(a, b)
    elif vec is vi2:
        return vi2_high(a, b)
    else:
        return b


cdef inline bint lane_splits(int kind, Py_ssize_t unit) noexcept nogil:
    """Whether rows of pixels of so many numbers are split into phases in a lane."""
    if kind != F4 and kind != F8 and kind != I2:
        return False
    if unit == 2:
        return RC_QUADS and kind != I2
    return unit == 1 and (RC_QUADS or RC_BYTES == 0)


cdef inline void split(
    vec zero, const char* p, char* phases, Py_ssize_t pitch, Py_ssize_t groups, const int unit,
) noexcept nogil:
    """groups of 4 vectors at p to 4 phases, pitch apart."""
    cdef Py_ssize_t g
    cdef vec x, y, z, t
    for g in range(groups):
        x = load(zero, p)
        y = load(zero, p + sizeof(vec))
        z = load(zero, p + 2 * sizeof(vec))
        t = load(zero, p + 3 * sizeof(vec))
        store(phases, even(even(x, y, unit), even(z, t, unit), unit))
        store(phases + pitch, even(odd(x, y, unit), odd(z, t, unit), unit))
        store(phases + 2 * pitch, odd(even(x, y, unit), even(z, t, unit), unit))
        store(phases + 3 * pitch, odd(odd(x, y, unit), odd(z, t, unit), unit))
        p += 4 * sizeof(vec)
        phases += sizeof(vec)


cdef inline void merge(vec a, vec b, vec c, vec d, char* out, const int unit) noexcept nogil:
    """4 phases of one vector to 4 vectors in order."""
    cdef vec e = low(a, c, unit), f = high(a, c, unit), g = low(b, d, unit), h = high(b, d, unit)
    store(out, low(e, g, unit))
    store(out + sizeof(vec), high(e, g, unit))
    store(out + 2 * sizeof(vec), low(f, h, unit))
    store(out + 3 * sizeof(vec), high(f, h, unit))


cdef inline void put(vec zero, vec a, vec b, vec c, vec d, char* out, vec* check, const int vecs) noexcept nogil:
    """A row of sums to out; check turns to NaN, and stays so, where one is not finite."""
    store(out, a)
    store(out + sizeof(vec), b)
    if vecs > 2:
        store(out + 2 * sizeof(vec), c)
        store(out + 3 * sizeof(vec), d)
    if vec is vf4 or vec is vf8:            # in one step, for check is a chain
        if vecs > 2:
            check[0] = check[0] + ((a + b) + (c + d)) * zero
        else:
            check[0] = check[0] + (a + b) * zero


cdef inline void feed(
    vec* a0, vec* a1, vec* a2, vec* a3,
    vec* b0, vec* b1, vec* b2, vec* b3,
    vec* c0, vec* c1, vec* c2, vec* c3,
    vec* d0, vec* d1, vec* d2, vec* d3,
    const char* p, vec wa, vec wb, vec wc, vec wd, const int first, const int last, const int vecs,
) noexcept nogil:
    """The inputs of one phase at p into outputs of phases first..last; wa is the weight that meets phase 0."""
    cdef vec x
    x = load(wa, p)
    if first <= 0 <= last:
        a0[0] = a0[0] + wa * x
    if first <= 1 <= last:
        b0[0] = b0[0] + wb * x
    if first <= 2 <= last:
        c0[0] = c0[0] + wc * x
    if first <= 3 <= last:
        d0[0] = d0[0] + wd * x
    if vecs > 1:
        x = load(wa, p + sizeof(vec))
        if first <= 0 <= last:
            a1[0] = a1[0] + wa * x
        if first <= 1 <= last:
            b1[0] = b1[0] + wb * x
        if first <= 2 <= last:
            c1[0] = c1[0] + wc * x
        if first <= 3 <= last:
            d1[0] = d1[0] + wd * x
    if vecs > 2:
        x = load(wa, p + 2 * sizeof(vec))
        if first <= 0 <= last:
            a2[0] = a2[0] + wa * x
        if first <= 1 <= last:
            b2[0] = b2[0] + wb * x
        if first <= 2 <= last:
            c2[0] = c2[0] + wc * x
        if first <= 3 <= last:
            d2[0] = d2[0] + wd * x
    if vecs > 3:
        x = load(wa, p + 3 * sizeof(vec))
        if first <= 0 <= last:
            a3[0] = a3[0] + wa * x
        if first <= 1 <= last:
            b3[0] = b3[0] + wb * x
        if first <= 2 <= last:
            c3[0] = c3[0] + wc * x
        if first <= 3 <= last:
            d3[0] = d3[0] + wd * x


cdef inline void quads(
    vec zero, const char* p, Py_ssize_t pitch, char* out, Py_ssize_t strip, const char* w, Py_ssize_t taps,
    const int unit, const int vecs,
) noexcept nogil:
    """vecs strips of one row from its phases at p, pitch apart; at least 4 taps."""
    cdef vec a0, a1, a2, a3
    cdef vec b0, b1, b2, b3
    cdef vec c0, c1, c2, c3
    cdef vec d0, d1, d2, d3
    cdef vec w0, w1, w2, w3
    cdef Py_ssize_t k, size = lane_size(zero)
    cdef const char* p1 = p + pitch
    cdef const char* p2 = p + 2 * pitch
    cdef const char* p3 = p + 3 * pitch
    a0 = a1 = a2 = a3 = zero
    b0 = b1 = b2 = b3 = zero
    c0 = c1 = c2 = c3 = zero
    d0 = d1 = d2 = d3 = zero
    w0 = splat(zero, w)
    w1 = splat(zero, w + size)
    w2 = splat(zero, w + 2 * size)
    w3 = zero
    feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
         p, w0, w3, w2, w1, 0, 0, vecs)
    feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
         p1, w1, w0, w3, w2, 0, 1, vecs)
    feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
         p2, w2, w1, w0, w3, 0, 2, vecs)
    w += 3 * size
    for k in range((taps - 3) // 4):
        w3 = splat(zero, w)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3, w3, w2, w1, w0, 0, 3, vecs)
        p += unit * size
        w0 = splat(zero, w + size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p, w0, w3, w2, w1, 0, 3, vecs)
        p1 += unit * size
        w1 = splat(zero, w + 2 * size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p1, w1, w0, w3, w2, 0, 3, vecs)
        p2 += unit * size
        w2 = splat(zero, w + 3 * size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p2, w2, w1, w0, w3, 0, 3, vecs)
        p3 += unit * size
        w += 4 * size
    if (taps - 3) % 4 == 0:
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3, w3, w2, w1, w0, 1, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p + unit * size, w0, w3, w2, w1, 2, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p1 + unit * size, w1, w0, w3, w2, 3, 3, vecs)
    elif (taps - 3) % 4 == 1:
        w3 = splat(zero, w)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3, w3, w2, w1, w0, 0, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p + unit * size, w0, w3, w2, w1, 1, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p1 + unit * size, w1, w0, w3, w2, 2, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p2 + unit * size, w2, w1, w0, w3, 3, 3, vecs)
    elif (taps - 3) % 4 == 2:
        w3 = splat(zero, w)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3, w3, w2, w1, w0, 0, 3, vecs)
        w0 = splat(zero, w + 1 * size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p + unit * size, w0, w3, w2, w1, 0, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p1 + unit * size, w1, w0, w3, w2, 1, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p2 + unit * size, w2, w1, w0, w3, 2, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3 + unit * size, w3, w2, w1, w0, 3, 3, vecs)
    else:
        w3 = splat(zero, w)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3, w3, w2, w1, w0, 0, 3, vecs)
        w0 = splat(zero, w + 1 * size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p + unit * size, w0, w3, w2, w1, 0, 3, vecs)
        w1 = splat(zero, w + 2 * size)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p1 + unit * size, w1, w0, w3, w2, 0, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p2 + unit * size, w2, w1, w0, w3, 1, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p3 + unit * size, w3, w2, w1, w0, 2, 3, vecs)
        feed(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
             p + 2 * unit * size, w0, w3, w2, w1, 3, 3, vecs)
    merge(a0, b0, c0, d0, out, unit)
    if vecs > 1:
        merge(a1, b1, c1, d1, out + strip, unit)
    if vecs > 2:
        merge(a2, b2, c2, d2, out + 2 * strip, unit)
    if vecs > 3:
        merge(a3, b3, c3, d3, out + 3 * strip, unit)


cdef inline void meet(
    vec* a00, vec* a01, vec* a02, vec* a03,
    vec* a10, vec* a11, vec* a12, vec* a13,
    vec* a20, vec* a21, vec* a22, vec* a23,
    vec* a30, vec* a31, vec* a32, vec* a33,
    vec* a40, vec* a41, vec* a42, vec* a43,
    vec* a50, vec* a51, vec* a52, vec* a53,
    const char* p, const char* w, const int first, const int last, const int vecs,
) noexcept nogil:
    """The row of inputs at p into output rows first..last; w is the weight that meets output row 0."""
    cdef Py_ssize_t size = lane_size(a00[0])
    cdef vec b, x0, x1, x2, x3
    RC_FORGET(w)
    x0 = load(a00[0], p)
    x1 = load(a00[0], p + sizeof(vec))
    if vecs > 2:
        x2 = load(a00[0], p + 2 * sizeof(vec))
        x3 = load(a00[0], p + 3 * sizeof(vec))
    if first <= 0 <= last:
        b = splat(x0, w)
        a00[0] = a00[0] + b * x0
        a01[0] = a01[0] + b * x1
        if vecs > 2:
            a02[0] = a02[0] + b * x2
            a03[0] = a03[0] + b * x3
    if first <= 1 <= last:
        b = splat(x0, w - size)
        a10[0] = a10[0] + b * x0
        a11[0] = a11[0] + b * x1
        if vecs > 2:
            a12[0] = a12[0] + b * x2
            a13[0] = a13[0] + b * x3
    if first <= 2 <= last:
        b = splat(x0, w - 2 * size)
        a20[0] = a20[0] + b * x0
        a21[0] = a21[0] + b * x1
        if vecs > 2:
            a22[0] = a22[0] + b * x2
            a23[0] = a23[0] + b * x3
    if first <= 3 <= last:
        b = splat(x0, w - 3 * size)
        a30[0] = a30[0] + b * x0
        a31[0] = a31[0] + b * x1
        if vecs > 2:
            a32[0] = a32[0] + b * x2
            a33[0] = a33[0] + b * x3
    if first <= 4 <= last:
        b = splat(x0, w - 4 * size)
        a40[0] = a40[0] + b * x0
        a41[0] = a41[0] + b * x1
        if vecs > 2:
            a42[0] = a42[0] + b * x2
            a43[0] = a43[0] + b * x3
    if first <= 5 <= last:
        b = splat(x0, w - 5 * size)
        a50[0] = a50[0] + b * x0
        a51[0] = a51[0] + b * x1
        if vecs > 2:
            a52[0] = a52[0] + b * x2
            a53[0] = a53[0] + b * x3


cdef inline void columns6(
    vec zero, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w,
    Py_ssize_t w_pitch, Py_ssize_t rank, char* out, Py_ssize_t out_pitch, vec* check, const int vecs,
) noexcept nogil:
    """6 rows of outputs, vecs vectors wide, from the rows at ring + at[i] of each of rank rings, pitch apart."""
    cdef vec a00, a01, a02, a03
    cdef vec a10, a11, a12, a13
    cdef vec a20, a21, a22, a23
    cdef vec a30, a31, a32, a33
    cdef vec a40, a41, a42, a43
    cdef vec a50, a51, a52, a53
    cdef Py_ssize_t i, q, size = lane_size(zero)
    a00 = a01 = a02 = a03 = zero
    a10 = a11 = a12 = a13 = zero
    a20 = a21 = a22 = a23 = zero
    a30 = a31 = a32 = a33 = zero
    a40 = a41 = a42 = a43 = zero
    a50 = a51 = a52 = a53 = zero
    for q in range(rank):
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[0], w, 0, 0, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[1], w + size, 0, 1, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[2], w + 2 * size, 0, 2, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[3], w + 3 * size, 0, 3, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[4], w + 4 * size, 0, 4, vecs)
        for i in range(5, taps):
            meet(&a00, &a01, &a02, &a03,
                 &a10, &a11, &a12, &a13,
                 &a20, &a21, &a22, &a23,
                 &a30, &a31, &a32, &a33,
                 &a40, &a41, &a42, &a43,
                 &a50, &a51, &a52, &a53,
                 ring + at[i], w + i * size, 0, 5, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[taps], w + taps * size, 1, 5, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[taps + 1], w + (taps + 1) * size, 2, 5, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[taps + 2], w + (taps + 2) * size, 3, 5, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[taps + 3], w + (taps + 3) * size, 4, 5, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a40, &a41, &a42, &a43,
             &a50, &a51, &a52, &a53,
             ring + at[taps + 4], w + (taps + 4) * size, 5, 5, vecs)
        ring += pitch
        w += w_pitch
    put(zero, a00, a01, a02, a03, out, check, vecs)
    put(zero, a10, a11, a12, a13, out + out_pitch, check, vecs)
    put(zero, a20, a21, a22, a23, out + 2 * out_pitch, check, vecs)
    put(zero, a30, a31, a32, a33, out + 3 * out_pitch, check, vecs)
    put(zero, a40, a41, a42, a43, out + 4 * out_pitch, check, vecs)
    put(zero, a50, a51, a52, a53, out + 5 * out_pitch, check, vecs)


cdef inline void columns4(
    vec zero, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w,
    Py_ssize_t w_pitch, Py_ssize_t rank, char* out, Py_ssize_t out_pitch, vec* check, const int vecs,
) noexcept nogil:
    """4 rows of outputs, vecs vectors wide, from the rows at ring + at[i] of each of rank rings, pitch apart."""
    cdef vec a00, a01, a02, a03
    cdef vec a10, a11, a12, a13
    cdef vec a20, a21, a22, a23
    cdef vec a30, a31, a32, a33
    cdef Py_ssize_t i, q, size = lane_size(zero)
    a00 = a01 = a02 = a03 = zero
    a10 = a11 = a12 = a13 = zero
    a20 = a21 = a22 = a23 = zero
    a30 = a31 = a32 = a33 = zero
    for q in range(rank):
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[0], w, 0, 0, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[1], w + size, 0, 1, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[2], w + 2 * size, 0, 2, vecs)
        for i in range(3, taps):
            meet(&a00, &a01, &a02, &a03,
                 &a10, &a11, &a12, &a13,
                 &a20, &a21, &a22, &a23,
                 &a30, &a31, &a32, &a33,
                 &a30, &a31, &a32, &a33,
                 &a30, &a31, &a32, &a33,
                 ring + at[i], w + i * size, 0, 3, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[taps], w + taps * size, 1, 3, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[taps + 1], w + (taps + 1) * size, 2, 3, vecs)
        meet(&a00, &a01, &a02, &a03,
             &a10, &a11, &a12, &a13,
             &a20, &a21, &a22, &a23,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             &a30, &a31, &a32, &a33,
             ring + at[taps + 2], w + (taps + 2) * size, 3, 3, vecs)
        ring += pitch
        w += w_pitch
    put(zero, a00, a01, a02, a03, out, check, vecs)
    put(zero, a10, a11, a12, a13, out + out_pitch, check, vecs)
    put(zero, a20, a21, a22, a23, out + 2 * out_pitch, check, vecs)
    put(zero, a30, a31, a32, a33, out + 3 * out_pitch, check, vecs)


cdef inline void columns1(
    vec zero, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w,
    Py_ssize_t w_pitch, Py_ssize_t rank, char* out, Py_ssize_t out_pitch, vec* check, const int vecs,
) noexcept nogil:
    """1 rows of outputs, vecs vectors wide, from the rows at ring + at[i] of each of rank rings, pitch apart."""
    cdef vec a00, a01, a02, a03
    cdef Py_ssize_t i, q, size = lane_size(zero)
    a00 = a01 = a02 = a03 = zero
    for q in range(rank):
        for i in range(taps):
            meet(&a00, &a01, &a02, &a03,
                 &a00, &a01, &a02, &a03,
                 &a00, &a01, &a02, &a03,
                 &a00, &a01, &a02, &a03,
                 &a00, &a01, &a02, &a03,
                 &a00, &a01, &a02, &a03,
                 ring + at[i], w + i * size, 0, 0, vecs)
        ring += pitch
        w += w_pitch
    put(zero, a00, a01, a02, a03, out, check, vecs)


cdef void trail(
    vec zero, const char* p, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps, Py_ssize_t step,
) noexcept nogil:
    """strips of one row from its numbers at p, step bytes from tap to tap."""
    cdef Py_ssize_t s, j, size = lane_size(zero)
    cdef vec a, b, c, d, weight
    cdef const char* x
    for s in range(strips):
        a = b = c = d = zero
        x = p
        for j in range(taps):
            weight = splat(zero, w + j * size)
            a = a + weight * load(zero, x)
            b = b + weight * load(zero, x + sizeof(vec))
            c = c + weight * load(zero, x + 2 * sizeof(vec))
            d = d + weight * load(zero, x + 3 * sizeof(vec))
            x += step
        store(out, a)
        store(out + sizeof(vec), b)
        store(out + 2 * sizeof(vec), c)
        store(out + 3 * sizeof(vec), d)
        p += 4 * sizeof(vec)
        out += strip


cdef inline void quad_row(
    vec zero, const char* p, Py_ssize_t pitch, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w,
    Py_ssize_t taps, const char* ahead, const int unit,
) noexcept nogil:
    """strips of one row from its phases; ahead: a row to be read soon, or NULL."""
    cdef Py_ssize_t s = 0, b
    while s + RC_QUAD_VECS <= strips:
        for b from s * 4 * <Py_ssize_t> sizeof(vec) <= b < (s + RC_QUAD_VECS) * 4 * <Py_ssize_t> sizeof(vec) by 64:
            if ahead != NULL:
                RC_READ_SOON(ahead + b)
        quads(zero, p + s * sizeof(vec), pitch, out + s * strip, strip, w, taps, unit, RC_QUAD_VECS)
        s += RC_QUAD_VECS
    while s < strips:
        quads(zero, p + s * sizeof(vec), pitch, out + s * strip, strip, w, taps, unit, 1)
        s += 1


cdef inline void tile_columns(
    vec zero, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch,
    Py_ssize_t rank, Py_ssize_t m, char* out, Py_ssize_t out_pitch, vec* check, const int vecs,
) noexcept nogil:
    """m rows of outputs, vecs vectors wide."""
    cdef Py_ssize_t y = 0
    while y < m:
        if taps >= 6 and m - y >= 6 and m - y != 8:
            columns6(zero, ring, pitch, at + y, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, vecs)
            y += 6
        elif taps >= 4 and m - y >= 4:
            columns4(zero, ring, pitch, at + y, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, vecs)
            y += 4
        else:
            columns1(zero, ring, pitch, at + y, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, vecs)
            y += 1


cdef bint strip_columns(
    vec zero, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch,
    Py_ssize_t rank, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """m rows of a strip of outputs; whether all are finite."""
    cdef vec check = zero
    cdef char[64] room
    cdef Py_ssize_t i
    tile_columns(zero, ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch, &check, RC_COLUMN_VECS)
    if RC_COLUMN_VECS == 2:
        tile_columns(zero, ring + 2 * sizeof(vec), pitch, at, taps, w, w_pitch, rank, m, out + 2 * sizeof(vec), out_pitch,
                     &check, RC_COLUMN_VECS)
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


# From lanes to types.


cdef void split_lane(
    int kind, const char* p, char* phases, Py_ssize_t pitch, Py_ssize_t groups, Py_ssize_t unit,
) noexcept nogil:
    """split in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4 and unit == 1:
        split(vf4_splat(z), p, phases, pitch, groups, 1)
    elif kind == F4:
        split(vf4_splat(z), p, phases, pitch, groups, 2)
    elif kind == F8 and unit == 1:
        split(vf8_splat(z), p, phases, pitch, groups, 1)
    elif kind == F8:
        split(vf8_splat(z), p, phases, pitch, groups, 2)
    else:
        split(vi2_splat(z), p, phases, pitch, groups, 1)


cdef void quad_lane(
    int kind, const char* p, Py_ssize_t pitch, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w,
    Py_ssize_t taps, const char* ahead, Py_ssize_t unit,
) noexcept nogil:
    """quad_row in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4 and unit == 1:
        quad_row(vf4_splat(z), p, pitch, out, strip, strips, w, taps, ahead, 1)
    elif kind == F4:
        quad_row(vf4_splat(z), p, pitch, out, strip, strips, w, taps, ahead, 2)
    elif kind == F8 and unit == 1:
        quad_row(vf8_splat(z), p, pitch, out, strip, strips, w, taps, ahead, 1)
    elif kind == F8:
        quad_row(vf8_splat(z), p, pitch, out, strip, strips, w, taps, ahead, 2)
    else:
        quad_row(vi2_splat(z), p, pitch, out, strip, strips, w, taps, ahead, 1)


cdef void trail_lane(
    int kind, const char* p, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps, Py_ssize_t step,
) noexcept nogil:
    """trail in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        trail(vf4_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == F8:
        trail(vf8_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == I2:
        trail(vi2_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == I4:
        trail(vi4_splat(z), p, out, strip, strips, w, taps, step)
    else:
        trail(vi8_splat(z), p, out, strip, strips, w, taps, step)


cdef bint columns_of(
    int kind, const char* ring, Py_ssize_t pitch, const Py_ssize_t* at, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch,
    Py_ssize_t rank, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """strip_columns in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        return strip_columns(vf4_splat(z), ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch)
    elif kind == F8:
        return strip_columns(vf8_splat(z), ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch)
    elif kind == I2:
        return strip_columns(vi2_splat(z), ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch)
    elif kind == I4:
        return strip_columns(vi4_splat(z), ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch)
    else:
        return strip_columns(vi8_splat(z), ring, pitch, at, taps, w, w_pitch, rank, m, out, out_pitch)


# The walk: tiles side by side, each from the first batch down to the last.

ctypedef struct Factors:
    const char* columns[MAX_LANES]      # planes x rank x kh in the lane's type
    const char* rows[MAX_LANES]         # rank x kw
    int planes                          # 2: a complex kernel, sums of real and of imaginary parts
    int rank
    Py_ssize_t top, height, left, width     # taps that are not zeros at the ends of every factor
    bint clamp                          # the kernel is not negative: nor is a sum of what is not

cdef enum:           # of a row of the image
    NOT_FINITE = 1
    NEGATIVE = 2

ctypedef struct Ring:
    Scratch edge[3]             # gathers the left part of a row, the right part, a whole row
    Py_ssize_t runs[3]
    char* row                   # a gathered row, zeros behind it
    char* phases
    char* ring                  # rank x strips x slots x 4 vectors
    char* plane[2]              # a batch of sums
    char* flags                 # of the rows in the ring
    char* bad                   # strips of a batch with results that are not finite
    Py_ssize_t* at
    Py_ssize_t slots
    Py_ssize_t width            # pixels of a tile
    int lane                    # in use
    Scratch direct
    char* direct_memory
    # of the tile and the lane in use
    Py_ssize_t size, lanes, strips, strip_bytes, groups, phase_pitch
    Py_ssize_t first, end       # groups of a row to split where the image lies
    bint splits, watched


cdef void trim_taps(Job* job, Factors* f) noexcept nogil:
    """Find the taps that are not zeros at the ends of every factor."""
    cdef Py_ssize_t i, q, size = type_size(job.lanes[0].kind), b
    cdef Py_ssize_t low = job.kh, high = 0, first = job.kw, last = 0
    for q in range(f.planes * f.rank):
        for i in range(job.kh):
            for b in range(size):
                if f.columns[0][(q * job.kh + i) * size + b] != 0:
                    low = min(low, i)
                    high = max(high, i + 1)
                    break
    for q in range(f.rank):
        for i in range(job.kw):
            for b in range(size):
                if f.rows[0][(q * job.kw + i) * size + b] != 0:
                    first = min(first, i)
                    last = max(last, i + 1)
                    break
    f.top = min(low, job.kh - 1)
    f.height = max(1, high - f.top)
    f.left = min(first, job.kw - 1)
    f.width = max(1, last - f.left)


cdef Py_ssize_t lay_ring(Job* job, Factors* f, Ring* t, char* base) noexcept nogil:
    """Place the scratch buffers of a call from base on; the bytes they take."""
    cdef Py_ssize_t size = 2, lanes = 1, k, most, vector, numbers, tiles
    cdef Py_ssize_t word = sizeof(Py_ssize_t)
    cdef char* at = base
    for k in range(job.n_lanes):
        size = max(size, type_size(job.lanes[k].kind))
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    vector = max(RC_BYTES, size)
    t.slots = job.kh - 1 + BATCH
    most = min(MOST_NUMBERS, RING_BYTES // (f.rank * t.slots * size)) // job.parts
    most = max(most, (8 * lanes + job.parts - 1) // job.parts)
    tiles = (job.n + most - 1) // most
    t.width = min(job.n, ((job.n + tiles - 1) // tiles + 4 * lanes - 1) // (4 * lanes) * (4 * lanes))
    numbers = t.width * job.parts + 4 * lanes               # strips of the widest lane, and what fills the last one
    t.ring = carve(&at, f.rank * t.slots * numbers * size)
    for k in range(f.planes):
        t.plane[k] = carve(&at, BATCH * numbers * size)
    numbers += 2 * job.kw * job.parts + 16 * lanes
    t.row = carve(&at, numbers * size)
    t.phases = carve(&at, numbers * size + 4 * 64)
    t.flags = carve(&at, t.slots)
    t.bad = carve(&at, numbers)
    t.at = <Py_ssize_t*> carve(&at, t.slots * word)
    for k in range(3):
        t.edge[k].source = <Py_ssize_t*> carve(&at, word)
        t.edge[k].run = <Py_ssize_t*> carve(&at, (t.width + job.kw) * 4 * word)
        t.edge[k].raw = carve(&at, 0 if job.plain and not job.lift else (t.width + job.kw) * type_size(job.kind))
    t.direct_memory = NULL
    return at - base


cdef void enter_tile(Job* job, Factors* f, Ring* t, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Measures of a tile in the lane in use."""
    cdef Py_ssize_t group, reach, here, needed, pixel
    cdef int kind = job.lanes[t.lane].kind
    cdef bint floating = kind == F4 or kind == F8
    t.size = type_size(kind)
    t.lanes = lanes_of(kind)
    group = 4 * t.lanes
    t.strips = ((x1 - x0) * job.parts + group - 1) // group
    t.strip_bytes = group * t.size
    t.splits = f.width >= 4 and lane_splits(kind, job.parts)
    if t.splits:
        reach = (f.width + 2) // 4 * job.parts
        t.groups = t.strips + (reach + t.lanes - 1) // t.lanes
    else:
        t.groups = t.strips + ((f.width - 1) * job.parts + group - 1) // group
    t.phase_pitch = t.groups * t.lanes * t.size
    t.watched = floating and (f.clamp or f.height < job.kh or f.width < job.kw)
    memset(t.row, 0, (job.kw * job.parts + t.groups * group) * t.size)
    t.runs[2] = runs_of(job, job.left + x0, x1 - x0 + job.kw - 1, t.edge[2].run)
    # groups that lie in the image, and hold no number that no output needs
    t.first = t.end = 0
    if (t.splits and not t.watched and job.plain and not job.lift and same_bits(job.kind, kind)
            and job.col_stride == job.parts * t.size and t.lane == job.n_lanes - 1):
        here = (job.left + x0 + f.left) * job.parts
        needed = (x1 - x0 + f.width - 1) * job.parts
        t.first = 0 if here >= 0 else (group - 1 - here) // group
        t.end = max(t.first, min(needed, job.cols * job.parts - here) // group)
        if t.end == t.first:
            t.first = t.end = 0
    if t.end > t.first:
        pixel = (t.first * group + job.parts - 1) // job.parts
        t.runs[0] = runs_of(job, job.left + x0 + f.left, pixel, t.edge[0].run) if pixel else 0
        pixel = t.end * group // job.parts
        needed = x1 - x0 + f.width - 1
        t.runs[1] = runs_of(job, job.left + x0 + f.left + pixel, needed - pixel, t.edge[1].run) if needed > pixel else 0


cdef char look(const lane* p, Py_ssize_t n) noexcept nogil:
    """What flags n numbers deserve."""
    cdef Py_ssize_t i
    cdef int bad = 0, below = 0
    for i in range(n):
        bad |= p[i] - p[i] != 0
        below |= p[i] < 0
    return (NOT_FINITE if bad else 0) | (NEGATIVE if below else 0)


cdef bint read_row(Job* job, Factors* f, Ring* t, Py_ssize_t r, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Sums along the image row under row r of the outputs; False where the lane is not exact for its numbers."""
    cdef Lane* ln = &job.lanes[t.lane]
    cdef Py_ssize_t source = index_map(job.top + r, job.rows, job.boundary), slot = r % t.slots, q, group = t.strip_bytes
    cdef Py_ssize_t pixel, below = index_map(job.top + r + 1, job.rows, job.boundary)
    cdef const char* p
    cdef const char* ahead = NULL
    cdef char* out
    cdef char* row = t.row + f.left * job.parts * t.size
    cdef bint measured = t.lane < job.n_lanes - 1
    for q in range(3):
        t.edge[q].source[0] = source
    if source >= 0 and t.end > t.first:
        p = job.image + source * job.row_stride + (job.left + x0 + f.left) * job.col_stride
        split_lane(ln.kind, p + t.first * group, t.phases + t.first * t.lanes * t.size, t.phase_pitch, t.end - t.first, job.parts)
        if t.first:
            gather_lane(job, &t.edge[0], ln.kind, row, 0, 1, t.runs[0], False)
            split_lane(ln.kind, row, t.phases, t.phase_pitch, t.first, job.parts)
        if t.runs[1]:
            pixel = t.end * group // (job.parts * t.size)
            gather_lane(job, &t.edge[1], ln.kind, row + pixel * job.parts * t.size, 0, 1, t.runs[1], False)
        split_lane(ln.kind, row + t.end * group, t.phases + t.end * t.lanes * t.size, t.phase_pitch, t.groups - t.end, job.parts)
    else:
        if gather_lane(job, &t.edge[2], ln.kind, t.row, 0, 1, t.runs[2], measured) > ln.limit and measured:
            return False
        if t.splits:
            split_lane(ln.kind, row, t.phases, t.phase_pitch, t.groups, job.parts)
    if t.watched:
        if ln.kind == F4:
            t.flags[slot] = look(<const float*> t.row, (x1 - x0 + job.kw - 1) * job.parts)
        else:
            t.flags[slot] = look(<const double*> t.row, (x1 - x0 + job.kw - 1) * job.parts)
    if below >= 0 and job.kind == ln.kind and job.col_stride == job.parts * t.size:
        ahead = job.image + below * job.row_stride + (job.left + x0) * job.col_stride
    for q in range(f.rank):
        out = t.ring + q * t.strips * t.slots * t.strip_bytes + slot * t.strip_bytes
        p = f.rows[t.lane] + (q * job.kw + f.left) * t.size
        if t.splits:
            quad_lane(ln.kind, t.phases, t.phase_pitch, out, t.slots * t.strip_bytes, t.strips, p, f.width,
                      ahead, job.parts)
            ahead = NULL
        else:
            trail_lane(ln.kind, row, out, t.slots * t.strip_bytes, t.strips, p, f.width, job.parts * t.size)
    return True


cdef int sum_directly(Job* job, Ring* t, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1 tap by tap; -1 where there is no scratch memory to be had."""
    cdef Job other = job[0]
    cdef Py_ssize_t y, x, w, m, lanes = lanes_of(job.lanes[0].kind)
    if t.direct_memory == NULL:
        other.plain = False             # its scratch memory serves gathered tiles of any place
        t.direct_memory = <char*> malloc(lay_out(&other, &t.direct, NULL) + 64)
        if t.direct_memory == NULL:
            return -1
        lay_out(&other, &t.direct, t.direct_memory + (64 - <size_t> t.direct_memory % 64))
        t.direct.image = job.image
        t.direct.out = job.out
        enter_plane(job, &t.direct, 0)
    y = y0
    while y < y1:
        m = min(t.direct.tile_rows, y1 - y)
        x = x0
        while x < x1:
            w = piece(x1 - x, pixels(job, GATHER_BYTES), lanes)
            tile(job, &t.direct, y, y + m, x, x + w, False)
            x += w
        y += m
    return 0


cdef void clamp_row(lane* p, Py_ssize_t n) noexcept nogil:
    """No number below 0."""
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = p[i] if p[i] > 0 else 0


cdef int batch(
    Job* job, Factors* f, Ring* t, Py_ssize_t y, Py_ssize_t m, Py_ssize_t x0, Py_ssize_t x1, bint* repairs,
) noexcept nogil:
    """Sums down the columns of the ring: output rows y <= . < y + m of a tile; -1 where memory fails."""
    cdef Lane* ln = &job.lanes[t.lane]
    cdef Py_ssize_t i, s, n = (x1 - x0) * job.parts, group = 4 * t.lanes, pitch, bytes
    cdef Py_ssize_t ring_pitch = t.strips * t.slots * t.strip_bytes
    cdef int p, planes = f.planes
    cdef bint whole = planes == 1 and is_straight(job, ln), floating = ln.kind == F4 or ln.kind == F8, any_bad = False
    cdef char flags = 0, all_flags = 0
    cdef char* dest
    cdef char* out = job.out + y * job.out_row_stride + x0 * job.out_col_stride
    for i in range(m + f.height - 1):
        t.at[i] = (y + f.top + i) % t.slots * t.strip_bytes
    if t.watched:
        for i in range(m + job.kh - 1):
            all_flags |= t.flags[(y + i) % t.slots]
    pitch = t.strips * t.strip_bytes
    for s in range(t.strips):
        t.bad[s] = all_flags & NOT_FINITE
        for p in range(planes):
            dest = t.plane[p] + s * t.strip_bytes
            if whole and (s + 1) * group <= n:
                dest = out + s * t.strip_bytes
            if not columns_of(
                    ln.kind, t.ring + s * t.slots * t.strip_bytes, ring_pitch, t.at, f.height,
                    f.columns[t.lane] + (p * f.rank * job.kh + f.top) * t.size, job.kh * t.size, f.rank, m, dest,
                    job.out_row_stride if whole and (s + 1) * group <= n else pitch):
                t.bad[s] = 1
        any_bad |= t.bad[s]
    bytes = n * t.size % t.strip_bytes
    for i in range(m):
        if whole and bytes:
            memcpy(out + i * job.out_row_stride + n * t.size - bytes, t.plane[0] + i * pitch + n * t.size - bytes, bytes)
        if whole and f.clamp and not all_flags & NEGATIVE and floating:
            if ln.kind == F4:
                clamp_row(<float*> (out + i * job.out_row_stride), n)
            else:
                clamp_row(<double*> (out + i * job.out_row_stride), n)
        if whole:
            continue
        if f.clamp and not all_flags & NEGATIVE and floating and planes == 1:
            if ln.kind == F4:
                clamp_row(<float*> (t.plane[0] + i * pitch), n)
            else:
                clamp_row(<double*> (t.plane[0] + i * pitch), n)
        put_row(job, ln.kind, t.plane[0] + i * pitch, t.plane[1] + i * pitch if planes == 2 else NULL,
                out + i * job.out_row_stride, x1 - x0)
    if not any_bad:
        return 0
    repairs[0] = True
    s = 0
    while s < t.strips:
        if not t.bad[s]:
            s += 1
            continue
        i = s
        while s < t.strips and t.bad[s]:
            s += 1
        if sum_directly(job, t, y, y + m, x0 + i * group // job.parts,
                        min(x1, x0 + (s * group + job.parts - 1) // job.parts)):
            return -1
    return 0


cdef int walk_rings(Job* job, Factors* f, Ring* t, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of the output rows y_from <= y < y_to; y_from is a multiple of TILE_ROWS."""
    cdef Py_ssize_t x, x1, y, m, r
    cdef bint repairs = False
    x = 0
    while x < job.n:
        x1 = min(job.n, x + t.width)
        t.lane = 0 if job.plain else job.n_lanes - 1        # only plain numbers are measured
        enter_tile(job, f, t, x, x1)
        y = r = y_from
        while y < y_to:
            m = min(BATCH, y_to - y)
            while r < y + m + job.kh - 1:
                if read_row(job, f, t, r, x, x1):
                    r += 1
                else:
                    t.lane += 1             # and again from the first row this batch needs
                    enter_tile(job, f, t, x, x1)
                    r = y
            if batch(job, f, t, y, m, x, x1, &repairs):
                return -1
            y += m
        x = x1
    if repairs and needs_repair(job):
        repair(job, &t.direct, y_from, y_to)
    return 0


cdef int run_rings(Job* job, Factors* f, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """Do a part of a call; -1 where there is no scratch memory to be had."""
    cdef Ring t
    cdef int failed
    cdef char* memory = <char*> malloc(lay_ring(job, f, &t, NULL) + 64)
    if memory == NULL:
        return -1
    lay_ring(job, f, &t, memory + (64 - <size_t> memory % 64))
    failed = walk_rings(job, f, &t, y_from, y_to)
    free(t.direct_memory)
    free(memory)
    return failed


def correlate_separable(
    tuple work, list lanes, Py_ssize_t first_band, Py_ssize_t end_band, bint clamp=False,
):
    """As correlate, of a kernel that is a sum of products of a column and a row.

    Parameters
    ----------
    lanes : list of (columns, rows, real part, imaginary part or None, limit), tried in turn
        Contiguous arrays in the lane's type: columns of shape (planes, rank, kh), rows of shape (rank, kw); the kernel's real
        part is the sum over q of columns[0, q] x rows[q], its imaginary part, where planes is 2, that of columns[1, q].
        Real and imaginary part are the kernel as for correlate; where the lane is an integer type they are not read.
    clamp : whether no tap is negative, so that where no pixel is either no result may be
    """
    cdef Job job
    cdef Factors factors
    cdef int k = 0, failed
    cdef cnp.ndarray part
    see_work(&job, work)
    job.n_lanes = len(lanes)
    factors.clamp = clamp
    for columns, rows, real_part, imag_part, limit in lanes:
        part = columns
        factors.columns[k] = cnp.PyArray_BYTES(part)
        factors.planes = cnp.PyArray_DIM(part, 0)
        factors.rank = cnp.PyArray_DIM(part, 1)
        job.lanes[k].kind = kind_of(cnp.PyArray_TYPE(part))
        part = rows
        factors.rows[k] = cnp.PyArray_BYTES(part)
        part = real_part
        job.lanes[k].real_part = cnp.PyArray_BYTES(part)
        job.lanes[k].imag_part = NULL
        if imag_part is not None:
            part = imag_part
            job.lanes[k].imag_part = cnp.PyArray_BYTES(part)
        job.lanes[k].limit = limit
        k += 1
    with nogil:
        trim_taps(&job, &factors)
        failed = run_rings(&job, &factors, first_band * TILE_ROWS, min(job.m, end_band * TILE_ROWS))
    if failed:
        raise MemoryError("no scratch memory for the tiles")
