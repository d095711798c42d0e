# Sums along rows, for kernels that are products: rows in four phases, or as they are.
#
#     phases of a row a b c d e f g h
#          0: a e .    1: b f .    2: c g .    3: d h .
#
# Output 4x + r needs tap k from phase (r + k) % 4 at x + (r + k) // 4, so that one load feeds four outputs: of neighbouring
# taps most unaligned loads straddle cache lines, and one each was the limit.

cdef extern from "simd.h" nogil:
    const int RC_QUAD_VECS
    vf4 vf4_even(vf4 a, vf4 b)
    vf4 vf4_odd(vf4 a, vf4 b)
    vf8 vf8_even(vf8 a, vf8 b)
    vf8 vf8_odd(vf8 a, vf8 b)
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
    return unit == 1 or (unit == 2 and RC_BYTES != 0 and kind != I2)


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


cdef inline void last_taps(
    vec* a0, vec* a1, vec* a2, vec* a3,
    vec* b0, vec* b1, vec* b2, vec* b3,
    vec* c0, vec* c1, vec* c2, vec* c3,
    vec* d0, vec* d1, vec* d2, vec* d3,
    const char* p, const char* p1, const char* p2, const char* p3, const char* w, vec w0, vec w1, vec w2,
    const int unit, const int left, const int vecs,
) noexcept nogil:
    """The last 0 <= left < 4 taps, of weights at w, and the 3 inputs behind them that fewer outputs need."""
    cdef Py_ssize_t size = lane_size(w0)
    cdef vec w3 = w0
    if left > 0:
        w3 = splat(w0, w)
    feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, p3, w3, w2, w1, w0, 1 - left, 3, vecs)
    if left > 1:
        w0 = splat(w0, w + size)
    p += unit * size
    feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, p, w0, w3, w2, w1, 2 - left, 3, vecs)
    if left > 2:
        w1 = splat(w0, w + 2 * size)
    p1 += unit * size
    feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, p1, w1, w0, w3, w2, 3 - left, 3, vecs)
    if left > 0:
        feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
             p2 + unit * size, w2, w1, w0, w3, 4 - left, 3, vecs)
    if left > 1:
        feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
             p3 + unit * size, w3, w2, w1, w0, 5 - left, 3, vecs)
    if left > 2:
        feed(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
             p + unit * size, w0, w3, w2, w1, 3, 3, vecs)


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
        last_taps(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
                  p, p1, p2, p3, w, w0, w1, w2, unit, 0, vecs)
    elif (taps - 3) % 4 == 1:
        last_taps(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
                  p, p1, p2, p3, w, w0, w1, w2, unit, 1, vecs)
    elif (taps - 3) % 4 == 2:
        last_taps(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
                  p, p1, p2, p3, w, w0, w1, w2, unit, 2, vecs)
    else:
        last_taps(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, &c0, &c1, &c2, &c3, &d0, &d1, &d2, &d3,
                  p, p1, p2, p3, w, w0, w1, w2, unit, 3, vecs)
    merge(a0, b0, c0, d0, out, unit)
    if vecs > 1:
        merge(a1, b1, c1, d1, out + strip, unit)
    if vecs > 2:
        merge(a2, b2, c2, d2, out + 2 * strip, unit)
    if vecs > 3:
        merge(a3, b3, c3, d3, out + 3 * strip, unit)


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


cdef inline void pair_quads(
    bankable zero, const char** phases, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps,
    const char* ahead, const int order, const int unit,
) noexcept nogil:
    """As quad_row, in an order of pairs; phases[i]: where the row's inputs i, 4 + i, 8 + i ... lie."""
    cdef Py_ssize_t s = 0, b, group = 4 * sizeof(bankable)
    cdef bankable a0, a1, a2, a3, b0, b1, b2, b3
    while s < strips:
        if ahead != NULL:
            for b from s * group <= b < (s + RC_PAIR_VECS) * group by 64:
                RC_READ_SOON(ahead + b)
        if RC_PAIR_VECS > 1 and s + 1 < strips:
            pair_four(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, phases, s * sizeof(bankable), sizeof(bankable), w, taps, order, 2)
            merge(b0, b1, b2, b3, out + (s + 1) * strip, unit)
        else:
            pair_four(&a0, &a1, &a2, &a3, &b0, &b1, &b2, &b3, phases, s * sizeof(bankable), 0, w, taps, order, 1)
        merge(a0, a1, a2, a3, out + s * strip, unit)
        s += RC_PAIR_VECS


cdef void pair_trail(
    bankable zero, const char* p, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps, Py_ssize_t step,
    const int order,
) noexcept nogil:
    """As trail, in an order of pairs."""
    cdef Py_ssize_t s, one = sizeof(bankable)
    cdef bankable a, b, c, d
    for s in range(strips):
        pair_row(&a, &b, &c, &d, &p, 4 * s * one, 3 * one, step, w, taps, order, 4)
        store(out, a)
        store(out + one, b)
        store(out + 2 * one, c)
        store(out + 3 * one, d)
        out += strip


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


cdef void pair_lane(
    int kind, const char** phases, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps,
    const char* ahead, int order, Py_ssize_t unit,
) noexcept nogil:
    """pair_quads in the lane of a floating type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4 and unit == 1 and order == SKEW:
        pair_quads(vf4_splat(z), phases, out, strip, strips, w, taps, ahead, SKEW, 1)
    elif kind == F4 and unit == 1:
        pair_quads(vf4_splat(z), phases, out, strip, strips, w, taps, ahead, SYMMETRIC, 1)
    elif kind == F4 and order == SKEW:
        pair_quads(vf4_splat(z), phases, out, strip, strips, w, taps, ahead, SKEW, 2)
    elif kind == F4:
        pair_quads(vf4_splat(z), phases, out, strip, strips, w, taps, ahead, SYMMETRIC, 2)
    elif unit == 1 and order == SKEW:
        pair_quads(vf8_splat(z), phases, out, strip, strips, w, taps, ahead, SKEW, 1)
    elif unit == 1:
        pair_quads(vf8_splat(z), phases, out, strip, strips, w, taps, ahead, SYMMETRIC, 1)
    elif order == SKEW:
        pair_quads(vf8_splat(z), phases, out, strip, strips, w, taps, ahead, SKEW, 2)
    else:
        pair_quads(vf8_splat(z), phases, out, strip, strips, w, taps, ahead, SYMMETRIC, 2)


cdef void trail_lane(
    int kind, const char* p, char* out, Py_ssize_t strip, Py_ssize_t strips, const char* w, Py_ssize_t taps, Py_ssize_t step,
    int order,
) noexcept nogil:
    """trail, or pair_trail, in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4 and order == SYMMETRIC:
        pair_trail(vf4_splat(z), p, out, strip, strips, w, taps, step, SYMMETRIC)
    elif kind == F4 and order == SKEW:
        pair_trail(vf4_splat(z), p, out, strip, strips, w, taps, step, SKEW)
    elif kind == F8 and order == SYMMETRIC:
        pair_trail(vf8_splat(z), p, out, strip, strips, w, taps, step, SYMMETRIC)
    elif kind == F8 and order == SKEW:
        pair_trail(vf8_splat(z), p, out, strip, strips, w, taps, step, SKEW)
    elif kind == F4:
        trail(vf4_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == F8:
        trail(vf8_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == I2:
        trail(vi2_splat(z), p, out, strip, strips, w, taps, step)
    elif kind == I4:
        trail(vi4_splat(z), p, out, strip, strips, w, taps, step)
    else:
        trail(vi8_splat(z), p, out, strip, strips, w, taps, step)
