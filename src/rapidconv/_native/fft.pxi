# Transforms of strips: complex FFTs of any length 2^a 3^b, one lane a column.
#
# A strip is n points, each a vector of real and a vector of imaginary parts, side by side.  Forward passes are
# decimation in frequency, in place; what they leave is in digit-reversed order, which the inverse passes
# (decimation in time, the same radices from last to first) read as it is.  So nothing is ever reordered.
#
#     pass of radix 4 over blocks of L points, m = L / 4:   x[k], x[k + m], x[k + 2m], x[k + 3m]
#        forward:  butterfly, then output q times w_L^(k q)
#        inverse:  input q times w_L^-(k q), then butterfly
#
# The inverse uses the forward butterflies with real and imaginary parts swapped: swap(F(swap(x))) is the
# unscaled inverse of F.  Radices: Duhamel and Vetterli, Signal Processing 19 (1990) 259-299; 12 = 3 x 4 by the
# prime-factor map n = 4 a + 3 b, which needs no inner twiddle factors.

cdef extern from "simd.h" nogil:
    void vf4_transpose(const char* s, Py_ssize_t s_step, char* d, Py_ssize_t d_step)
    void vf8_transpose(const char* s, Py_ssize_t s_step, char* d, Py_ssize_t d_step)
    void vf4_take_rows(const char** rows, Py_ssize_t x, char* d, Py_ssize_t d_step)
    void vf8_take_rows(const char** rows, Py_ssize_t x, char* d, Py_ssize_t d_step)

ctypedef fused fvec:
    vf4
    vf8

cdef enum:
    MAX_PASSES = 12
    PLAIN = 0           # when a butterfly's points are multiplied by twiddle factors: never,
    AFTER = 1           # after it (forward),
    BEFORE = 2          # before it (inverse);
    TURN = 3            # forward butterfly, product with the kernel's spectrum, inverse butterfly

ctypedef struct Transform:
    Py_ssize_t n
    int passes
    int radix[MAX_PASSES]
    const char* table           # 1/2, sqrt(1/2), sqrt(3)/2, then the twiddle factors (cos, sin) of each pass


cdef inline void transpose(fvec like, const char* s, Py_ssize_t s_step, char* d, Py_ssize_t d_step) noexcept nogil:
    """A square block of vectors s_step bytes apart, transposed to vectors d_step bytes apart."""
    if fvec is vf4:
        vf4_transpose(s, s_step, d, d_step)
    else:
        vf8_transpose(s, s_step, d, d_step)


cdef inline void take_rows(fvec like, const char** rows, Py_ssize_t x, char* d, Py_ssize_t d_step) noexcept nogil:
    """A square block at byte x of some rows, transposed to vectors d_step bytes apart."""
    if fvec is vf4:
        vf4_take_rows(rows, x, d, d_step)
    else:
        vf8_take_rows(rows, x, d, d_step)


cdef inline void take(
    fvec* r, fvec* i, const char* re, const char* im, const char* w, const int when,
) noexcept nogil:
    """A point from memory, times (cos, sin) at w if so wanted."""
    cdef fvec x, y, c, s
    x = load(r[0], re)
    y = load(r[0], im)
    if when == BEFORE:
        c = splat(x, w)
        s = splat(x, w + lane_size(x))
        r[0] = c * x - s * y
        i[0] = c * y + s * x
    else:
        r[0] = x
        i[0] = y


cdef inline void give(
    fvec x, fvec y, char* re, char* im, const char* w, const int when,
) noexcept nogil:
    """A point to memory, times (cos, sin) at w if so wanted."""
    cdef fvec c, s
    if when == AFTER:
        c = splat(x, w)
        s = splat(x, w + lane_size(x))
        store(re, c * x - s * y)
        store(im, c * y + s * x)
    else:
        store(re, x)
        store(im, y)


cdef inline void dft3(fvec* r0, fvec* i0, fvec* r1, fvec* i1, fvec* r2, fvec* i2, const char* table) noexcept nogil:
    """Three points, in place."""
    cdef fvec half = splat(r0[0], table), root = splat(r0[0], table + 2 * lane_size(r0[0]))
    cdef fvec tr = r1[0] + r2[0], ti = i1[0] + i2[0], ur = r1[0] - r2[0], ui = i1[0] - i2[0]
    cdef fvec mr = r0[0] - half * tr, mi = i0[0] - half * ti
    r0[0] = r0[0] + tr
    i0[0] = i0[0] + ti
    r1[0] = mr + root * ui
    i1[0] = mi - root * ur
    r2[0] = mr - root * ui
    i2[0] = mi + root * ur


cdef inline void dft4(
    fvec* r0, fvec* i0, fvec* r1, fvec* i1, fvec* r2, fvec* i2, fvec* r3, fvec* i3,
) noexcept nogil:
    """Four points, in place."""
    cdef fvec ar = r0[0] + r2[0], ai = i0[0] + i2[0], br = r0[0] - r2[0], bi = i0[0] - i2[0]
    cdef fvec cr = r1[0] + r3[0], ci = i1[0] + i3[0], dr = r1[0] - r3[0], di = i1[0] - i3[0]
    r0[0] = ar + cr
    i0[0] = ai + ci
    r1[0] = br + di
    i1[0] = bi - dr
    r2[0] = ar - cr
    i2[0] = ai - ci
    r3[0] = br - di
    i3[0] = bi + dr


cdef inline void dft8(
    fvec* r0, fvec* i0, fvec* r1, fvec* i1, fvec* r2, fvec* i2, fvec* r3, fvec* i3,
    fvec* r4, fvec* i4, fvec* r5, fvec* i5, fvec* r6, fvec* i6, fvec* r7, fvec* i7, const char* table,
) noexcept nogil:
    """Eight points, in place; even outputs land in points 0 to 3, odd ones in 4 to 7."""
    cdef fvec t, root = splat(r0[0], table + lane_size(r0[0]))
    t = r0[0] - r4[0]
    r0[0] = r0[0] + r4[0]
    r4[0] = t
    t = i0[0] - i4[0]
    i0[0] = i0[0] + i4[0]
    i4[0] = t
    t = r1[0] - r5[0]
    r1[0] = r1[0] + r5[0]
    r5[0] = t
    t = i1[0] - i5[0]
    i1[0] = i1[0] + i5[0]
    i5[0] = t
    t = r2[0] - r6[0]
    r2[0] = r2[0] + r6[0]
    r6[0] = t
    t = i2[0] - i6[0]
    i2[0] = i2[0] + i6[0]
    i6[0] = t
    t = r3[0] - r7[0]
    r3[0] = r3[0] + r7[0]
    r7[0] = t
    t = i3[0] - i7[0]
    i3[0] = i3[0] + i7[0]
    i7[0] = t
    t = root * (r5[0] + i5[0])
    i5[0] = root * (i5[0] - r5[0])
    r5[0] = t
    t = i6[0]
    i6[0] = -r6[0]
    r6[0] = t
    t = root * (i7[0] - r7[0])
    i7[0] = -root * (r7[0] + i7[0])
    r7[0] = t
    dft4(r0, i0, r1, i1, r2, i2, r3, i3)
    dft4(r4, i4, r5, i5, r6, i6, r7, i7)


cdef inline void dft12(
    fvec* r0, fvec* i0, fvec* r1, fvec* i1, fvec* r2, fvec* i2, fvec* r3, fvec* i3, fvec* r4, fvec* i4, fvec* r5, fvec* i5,
    fvec* r6, fvec* i6, fvec* r7, fvec* i7, fvec* r8, fvec* i8, fvec* r9, fvec* i9, fvec* r10, fvec* i10,
    fvec* r11, fvec* i11, const char* table,
) noexcept nogil:
    """Twelve points, in place; output k lands in point 4 (k mod 3) + 3 (k mod 4) mod 12."""
    dft4(r0, i0, r3, i3, r6, i6, r9, i9)
    dft4(r4, i4, r7, i7, r10, i10, r1, i1)
    dft4(r8, i8, r11, i11, r2, i2, r5, i5)
    dft3(r0, i0, r4, i4, r8, i8, table)
    dft3(r3, i3, r7, i7, r11, i11, table)
    dft3(r6, i6, r10, i10, r2, i2, table)
    dft3(r9, i9, r1, i1, r5, i5, table)


cdef inline void times(fvec* r, fvec* i, const char* w) noexcept nogil:
    """A point times one of the spectrum."""
    cdef fvec c = load(r[0], w), s = load(r[0], w + sizeof(fvec)), t
    t = c * r[0] - s * i[0]
    i[0] = c * i[0] + s * r[0]
    r[0] = t


cdef inline void butterfly(
    fvec zero, char* re, char* im, Py_ssize_t m, const char* w, const char* table, const int radix, const int when,
) noexcept nogil:
    """radix points, m bytes apart, in place; point q >= 1 goes with twiddle factor q - 1 at w.

    TURN: w is the spectrum, laid out as the strip.
    """
    cdef fvec r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11
    cdef fvec i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11
    cdef Py_ssize_t f = 2 * lane_size(zero)
    r0 = i0 = r1 = i1 = r2 = i2 = r3 = i3 = r4 = i4 = r5 = i5 = \
        r6 = i6 = r7 = i7 = r8 = i8 = r9 = i9 = r10 = i10 = r11 = i11 = zero
    take(&r0, &i0, re, im, w, PLAIN)
    take(&r1, &i1, re + 1 * m, im + 1 * m, w + 0 * f, when)
    take(&r2, &i2, re + 2 * m, im + 2 * m, w + 1 * f, when)
    if radix > 3:
        take(&r3, &i3, re + 3 * m, im + 3 * m, w + 2 * f, when)
    if radix > 4:
        take(&r4, &i4, re + 4 * m, im + 4 * m, w + 3 * f, when)
        take(&r5, &i5, re + 5 * m, im + 5 * m, w + 4 * f, when)
        take(&r6, &i6, re + 6 * m, im + 6 * m, w + 5 * f, when)
        take(&r7, &i7, re + 7 * m, im + 7 * m, w + 6 * f, when)
    if radix > 8:
        take(&r8, &i8, re + 8 * m, im + 8 * m, w + 7 * f, when)
        take(&r9, &i9, re + 9 * m, im + 9 * m, w + 8 * f, when)
        take(&r10, &i10, re + 10 * m, im + 10 * m, w + 9 * f, when)
        take(&r11, &i11, re + 11 * m, im + 11 * m, w + 10 * f, when)
    if radix == 3:
        dft3(&r0, &i0, &r1, &i1, &r2, &i2, table)
    elif radix == 4:
        dft4(&r0, &i0, &r1, &i1, &r2, &i2, &r3, &i3)
    elif radix == 8:
        dft8(&r0, &i0, &r1, &i1, &r2, &i2, &r3, &i3, &r4, &i4, &r5, &i5,
             &r6, &i6, &r7, &i7, table)
    else:
        dft12(&r0, &i0, &r1, &i1, &r2, &i2, &r3, &i3, &r4, &i4, &r5, &i5,
              &r6, &i6, &r7, &i7, &r8, &i8, &r9, &i9, &r10, &i10, &r11, &i11, table)
    if when == TURN:
        if radix == 3:
            times(&r0, &i0, w + 0 * m)
            times(&r1, &i1, w + 1 * m)
            times(&r2, &i2, w + 2 * m)
            dft3(&i0, &r0, &i1, &r1, &i2, &r2, table)
        elif radix == 4:
            times(&r0, &i0, w + 0 * m)
            times(&r1, &i1, w + 1 * m)
            times(&r2, &i2, w + 2 * m)
            times(&r3, &i3, w + 3 * m)
            dft4(&i0, &r0, &i1, &r1, &i2, &r2, &i3, &r3)
        elif radix == 8:
            times(&r0, &i0, w + 0 * m)
            times(&r4, &i4, w + 1 * m)
            times(&r1, &i1, w + 2 * m)
            times(&r5, &i5, w + 3 * m)
            times(&r2, &i2, w + 4 * m)
            times(&r6, &i6, w + 5 * m)
            times(&r3, &i3, w + 6 * m)
            times(&r7, &i7, w + 7 * m)
            dft8(&i0, &r0, &i4, &r4, &i1, &r1, &i5, &r5, &i2, &r2, &i6, &r6,
                 &i3, &r3, &i7, &r7, table)
        else:
            times(&r0, &i0, w + 0 * m)
            times(&r7, &i7, w + 1 * m)
            times(&r2, &i2, w + 2 * m)
            times(&r9, &i9, w + 3 * m)
            times(&r4, &i4, w + 4 * m)
            times(&r11, &i11, w + 5 * m)
            times(&r6, &i6, w + 6 * m)
            times(&r1, &i1, w + 7 * m)
            times(&r8, &i8, w + 8 * m)
            times(&r3, &i3, w + 9 * m)
            times(&r10, &i10, w + 10 * m)
            times(&r5, &i5, w + 11 * m)
            dft12(&i0, &r0, &i7, &r7, &i2, &r2, &i9, &r9, &i4, &r4, &i11, &r11,
                  &i6, &r6, &i1, &r1, &i8, &r8, &i3, &r3, &i10, &r10, &i5, &r5, table)
    if radix == 3 or radix == 4:
        give(r0, i0, re, im, w, PLAIN)
        give(r1, i1, re + 1 * m, im + 1 * m, w + 0 * f, when)
        give(r2, i2, re + 2 * m, im + 2 * m, w + 1 * f, when)
    if radix == 4:
        give(r3, i3, re + 3 * m, im + 3 * m, w + 2 * f, when)
    elif radix == 8:
        if when == TURN:
            give(r0, i0, re, im, w, PLAIN)
            give(r2, i2, re + 1 * m, im + 1 * m, w + 0 * f, when)
            give(r4, i4, re + 2 * m, im + 2 * m, w + 1 * f, when)
            give(r6, i6, re + 3 * m, im + 3 * m, w + 2 * f, when)
            give(r1, i1, re + 4 * m, im + 4 * m, w + 3 * f, when)
            give(r3, i3, re + 5 * m, im + 5 * m, w + 4 * f, when)
            give(r5, i5, re + 6 * m, im + 6 * m, w + 5 * f, when)
            give(r7, i7, re + 7 * m, im + 7 * m, w + 6 * f, when)
        else:
            give(r0, i0, re, im, w, PLAIN)
            give(r4, i4, re + 1 * m, im + 1 * m, w + 0 * f, when)
            give(r1, i1, re + 2 * m, im + 2 * m, w + 1 * f, when)
            give(r5, i5, re + 3 * m, im + 3 * m, w + 2 * f, when)
            give(r2, i2, re + 4 * m, im + 4 * m, w + 3 * f, when)
            give(r6, i6, re + 5 * m, im + 5 * m, w + 4 * f, when)
            give(r3, i3, re + 6 * m, im + 6 * m, w + 5 * f, when)
            give(r7, i7, re + 7 * m, im + 7 * m, w + 6 * f, when)
    elif radix == 12:
        if when == TURN:
            give(r0, i0, re, im, w, PLAIN)
            give(r1, i1, re + 1 * m, im + 1 * m, w + 0 * f, when)
            give(r2, i2, re + 2 * m, im + 2 * m, w + 1 * f, when)
            give(r3, i3, re + 3 * m, im + 3 * m, w + 2 * f, when)
            give(r4, i4, re + 4 * m, im + 4 * m, w + 3 * f, when)
            give(r5, i5, re + 5 * m, im + 5 * m, w + 4 * f, when)
            give(r6, i6, re + 6 * m, im + 6 * m, w + 5 * f, when)
            give(r7, i7, re + 7 * m, im + 7 * m, w + 6 * f, when)
            give(r8, i8, re + 8 * m, im + 8 * m, w + 7 * f, when)
            give(r9, i9, re + 9 * m, im + 9 * m, w + 8 * f, when)
            give(r10, i10, re + 10 * m, im + 10 * m, w + 9 * f, when)
            give(r11, i11, re + 11 * m, im + 11 * m, w + 10 * f, when)
        else:
            give(r0, i0, re, im, w, PLAIN)
            give(r7, i7, re + 1 * m, im + 1 * m, w + 0 * f, when)
            give(r2, i2, re + 2 * m, im + 2 * m, w + 1 * f, when)
            give(r9, i9, re + 3 * m, im + 3 * m, w + 2 * f, when)
            give(r4, i4, re + 4 * m, im + 4 * m, w + 3 * f, when)
            give(r11, i11, re + 5 * m, im + 5 * m, w + 4 * f, when)
            give(r6, i6, re + 6 * m, im + 6 * m, w + 5 * f, when)
            give(r1, i1, re + 7 * m, im + 7 * m, w + 6 * f, when)
            give(r8, i8, re + 8 * m, im + 8 * m, w + 7 * f, when)
            give(r3, i3, re + 9 * m, im + 9 * m, w + 8 * f, when)
            give(r10, i10, re + 10 * m, im + 10 * m, w + 9 * f, when)
            give(r5, i5, re + 11 * m, im + 11 * m, w + 10 * f, when)


cdef inline void one_pass(
    fvec zero, char* re, char* im, Py_ssize_t n, Py_ssize_t length, const char* w, const char* table, const int radix,
    const int when,
) noexcept nogil:
    """All butterflies of a radix, block after block of length points (blocks side by side would alias in the caches)."""
    cdef Py_ssize_t unit = 2 * sizeof(fvec), m = length // radix * unit, k, step = 2 * (radix - 1) * lane_size(zero)
    cdef char* end = re + n * unit
    while re < end:
        butterfly(zero, re, im, m, w, table, radix, PLAIN)
        for k from 1 <= k < length // radix:
            butterfly(zero, re + k * unit, im + k * unit, m, w + k * step, table, radix, when)
        re += length * unit
        im += length * unit


cdef void forward(fvec zero, char* strip, Transform* t, int passes) noexcept nogil:
    """Transform of a strip, in place, left in digit-reversed order; only its first passes."""
    cdef Py_ssize_t length = t.n
    cdef const char* w = t.table + 3 * lane_size(zero)
    cdef char* im = strip + sizeof(fvec)
    cdef int p, radix
    for p in range(passes):
        radix = t.radix[p]
        if radix == 12:
            one_pass(zero, strip, im, t.n, length, w, t.table, 12, AFTER)
        elif radix == 8:
            one_pass(zero, strip, im, t.n, length, w, t.table, 8, AFTER)
        elif radix == 4:
            one_pass(zero, strip, im, t.n, length, w, t.table, 4, AFTER)
        else:
            one_pass(zero, strip, im, t.n, length, w, t.table, 3, AFTER)
        length //= radix
        w += 2 * length * (radix - 1) * lane_size(zero)


cdef void backward(fvec zero, char* strip, Transform* t, int passes) noexcept nogil:
    """Unscaled inverse of forward; only its last passes, which undo the first ones."""
    cdef Py_ssize_t length = t.n, factors = 0
    cdef const char* w = t.table + 3 * lane_size(zero)
    cdef char* im = strip + sizeof(fvec)
    cdef int p, radix
    for p in range(passes):
        length //= t.radix[p]
        factors += length * (t.radix[p] - 1)
    for p in range(passes - 1, -1, -1):
        radix = t.radix[p]
        factors -= length * (radix - 1)
        length *= radix
        if radix == 12:
            one_pass(zero, im, strip, t.n, length, w + 2 * factors * lane_size(zero), t.table, 12, BEFORE)
        elif radix == 8:
            one_pass(zero, im, strip, t.n, length, w + 2 * factors * lane_size(zero), t.table, 8, BEFORE)
        elif radix == 4:
            one_pass(zero, im, strip, t.n, length, w + 2 * factors * lane_size(zero), t.table, 4, BEFORE)
        else:
            one_pass(zero, im, strip, t.n, length, w + 2 * factors * lane_size(zero), t.table, 3, BEFORE)


cdef inline void turn_round(
    fvec zero, char* strip, const char* spectrum, Py_ssize_t n, const char* table, const int radix,
) noexcept nogil:
    """Last forward pass, product with the spectrum, first inverse pass."""
    cdef Py_ssize_t k, unit = 2 * sizeof(fvec)
    for k from 0 <= k < n * unit by radix * unit:
        butterfly(zero, strip + k, strip + k + sizeof(fvec), unit, spectrum + k, table, radix, TURN)


cdef void filter_strip(fvec zero, char* strip, Transform* t, const char* spectrum) noexcept nogil:
    """A strip transformed, multiplied by the spectrum (both in digit-reversed order) and transformed back, unscaled."""
    cdef int last = t.radix[t.passes - 1]
    forward(zero, strip, t, t.passes - 1)
    if last == 12:
        turn_round(zero, strip, spectrum, t.n, t.table, 12)
    elif last == 8:
        turn_round(zero, strip, spectrum, t.n, t.table, 8)
    elif last == 4:
        turn_round(zero, strip, spectrum, t.n, t.table, 4)
    else:
        turn_round(zero, strip, spectrum, t.n, t.table, 3)
    backward(zero, strip, t, t.passes - 1)
