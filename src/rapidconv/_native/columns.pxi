# Sums down the columns of a ring of rows, for kernels that are products: 6 rows of outputs by 4 vectors in registers.

cdef extern from "simd.h" nogil:
    const int RC_COLUMN_VECS
    void RC_FORGET(const char* p)


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


cdef inline void meet(
    vec* a00, vec* a01, vec* a02, vec* a03,
    vec* a10, vec* a11, vec* a12, vec* a13,
    vec* a20, vec* a21, vec* a22, vec* a23,
    vec* a30, vec* a31, vec* a32, vec* a33,
    vec* a40, vec* a41, vec* a42, vec* a43,
    vec* a50, vec* a51, vec* a52, vec* a53,
    const char* p, const char* w, const int first, const int last, const int rows, const int vecs,
) noexcept nogil:
    """The row of inputs at p into output rows first..last of so many; w is the weight that meets output row 0."""
    cdef Py_ssize_t size = lane_size(a00[0])
    cdef vec b, x0, x1, x2, x3
    RC_FORGET(w)
    x0 = load(a00[0], p)
    x1 = load(a00[0], p + sizeof(vec))
    if vecs > 2:
        x2 = load(a00[0], p + 2 * sizeof(vec))
        x3 = load(a00[0], p + 3 * sizeof(vec))
    if first <= 0:
        b = splat(x0, w)
        a00[0] = a00[0] + b * x0
        a01[0] = a01[0] + b * x1
        if vecs > 2:
            a02[0] = a02[0] + b * x2
            a03[0] = a03[0] + b * x3
    if 1 < rows and first <= 1 <= last:
        b = splat(x0, w - size)
        a10[0] = a10[0] + b * x0
        a11[0] = a11[0] + b * x1
        if vecs > 2:
            a12[0] = a12[0] + b * x2
            a13[0] = a13[0] + b * x3
    if 2 < rows and first <= 2 <= last:
        b = splat(x0, w - 2 * size)
        a20[0] = a20[0] + b * x0
        a21[0] = a21[0] + b * x1
        if vecs > 2:
            a22[0] = a22[0] + b * x2
            a23[0] = a23[0] + b * x3
    if 3 < rows and first <= 3 <= last:
        b = splat(x0, w - 3 * size)
        a30[0] = a30[0] + b * x0
        a31[0] = a31[0] + b * x1
        if vecs > 2:
            a32[0] = a32[0] + b * x2
            a33[0] = a33[0] + b * x3
    if 4 < rows and first <= 4 <= last:
        b = splat(x0, w - 4 * size)
        a40[0] = a40[0] + b * x0
        a41[0] = a41[0] + b * x1
        if vecs > 2:
            a42[0] = a42[0] + b * x2
            a43[0] = a43[0] + b * x3
    if 5 < rows and first <= 5 <= last:
        b = splat(x0, w - 5 * size)
        a50[0] = a50[0] + b * x0
        a51[0] = a51[0] + b * x1
        if vecs > 2:
            a52[0] = a52[0] + b * x2
            a53[0] = a53[0] + b * x3


cdef inline void columns(
    vec zero, const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w,
    Py_ssize_t w_pitch, Py_ssize_t rank, char* out, Py_ssize_t out_pitch, vec* check, const int rows, const int vecs,
) noexcept nogil:
    """Up to 6 rows of outputs, vecs vectors wide, from the rows at slots[i] + x of each of rank rings, pitch apart.

    At least as many taps as rows.
    """
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
        for i in range(rows - 1):
            meet(&a00, &a01, &a02, &a03, &a10, &a11, &a12, &a13, &a20, &a21, &a22, &a23,
                 &a30, &a31, &a32, &a33, &a40, &a41, &a42, &a43, &a50, &a51, &a52, &a53,
                 slots[i] + x, w + i * size, 0, i, rows, vecs)
        for i in range(rows - 1, taps):
            meet(&a00, &a01, &a02, &a03, &a10, &a11, &a12, &a13, &a20, &a21, &a22, &a23,
                 &a30, &a31, &a32, &a33, &a40, &a41, &a42, &a43, &a50, &a51, &a52, &a53,
                 slots[i] + x, w + i * size, 0, rows - 1, rows, vecs)
        for i in range(1, rows):
            meet(&a00, &a01, &a02, &a03, &a10, &a11, &a12, &a13, &a20, &a21, &a22, &a23,
                 &a30, &a31, &a32, &a33, &a40, &a41, &a42, &a43, &a50, &a51, &a52, &a53,
                 slots[taps + i - 1] + x, w + (taps + i - 1) * size, i, rows - 1, rows, vecs)
        x += pitch
        w += w_pitch
    put(zero, a00, a01, a02, a03, out, check, vecs)
    if rows > 1:
        put(zero, a10, a11, a12, a13, out + out_pitch, check, vecs)
    if rows > 2:
        put(zero, a20, a21, a22, a23, out + 2 * out_pitch, check, vecs)
    if rows > 3:
        put(zero, a30, a31, a32, a33, out + 3 * out_pitch, check, vecs)
    if rows > 4:
        put(zero, a40, a41, a42, a43, out + 4 * out_pitch, check, vecs)
    if rows > 5:
        put(zero, a50, a51, a52, a53, out + 5 * out_pitch, check, vecs)


cdef inline void tile_columns(
    vec zero, const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch,
    Py_ssize_t rank, Py_ssize_t m, char* out, Py_ssize_t out_pitch, vec* check, const int vecs,
) noexcept nogil:
    """m rows of outputs, vecs vectors wide."""
    cdef Py_ssize_t y = 0
    while y < m:
        if taps >= 6 and m - y >= 6 and m - y != 8:
            columns(zero, slots + y, x, pitch, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, 6, vecs)
            y += 6
        elif taps >= 4 and m - y >= 4:
            columns(zero, slots + y, x, pitch, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, 4, vecs)
            y += 4
        else:
            columns(zero, slots + y, x, pitch, taps, w, w_pitch, rank, out + y * out_pitch, out_pitch, check, 1, vecs)
            y += 1


cdef bint strip_columns(
    vec zero, const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch,
    Py_ssize_t rank, int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    """m rows of a strip of outputs; whether all are finite."""
    cdef vec check = zero
    cdef int k
    if vec is vf4 or vec is vf8:
        if order != TAPS:
            for k from 0 <= k < 4 by RC_PAIR_VECS:
                if order == SKEW:
                    pairs_down(zero, slots, x, sizeof(vec), w, taps, m, out, out_pitch, &check, SKEW, RC_PAIR_VECS)
                else:
                    pairs_down(zero, slots, x, sizeof(vec), w, taps, m, out, out_pitch, &check, SYMMETRIC, RC_PAIR_VECS)
                x += RC_PAIR_VECS * sizeof(vec)
                out += RC_PAIR_VECS * sizeof(vec)
            return is_clear(check)
    tile_columns(zero, slots, x, pitch, taps, w, w_pitch, rank, m, out, out_pitch, &check, RC_COLUMN_VECS)
    if RC_COLUMN_VECS == 2:
        tile_columns(zero, slots, x + 2 * sizeof(vec), pitch, taps, w, w_pitch, rank, m, out + 2 * sizeof(vec), out_pitch, &check,
                     RC_COLUMN_VECS)
    return is_clear(check)


# strip_columns in the lane of a type, called through a pointer: gcc would copy it into its caller and keep weights in memory.


cdef bint columns_f4(
    const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch, Py_ssize_t rank,
    int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    return strip_columns(vf4_zero(), slots, x, pitch, taps, w, w_pitch, rank, order, m, out, out_pitch)


cdef bint columns_f8(
    const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch, Py_ssize_t rank,
    int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    return strip_columns(vf8_zero(), slots, x, pitch, taps, w, w_pitch, rank, order, m, out, out_pitch)


cdef bint columns_i2(
    const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch, Py_ssize_t rank,
    int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    return strip_columns(vi2_zero(), slots, x, pitch, taps, w, w_pitch, rank, order, m, out, out_pitch)


cdef bint columns_i4(
    const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch, Py_ssize_t rank,
    int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    return strip_columns(vi4_zero(), slots, x, pitch, taps, w, w_pitch, rank, order, m, out, out_pitch)


cdef bint columns_i8(
    const char** slots, Py_ssize_t x, Py_ssize_t pitch, Py_ssize_t taps, const char* w, Py_ssize_t w_pitch, Py_ssize_t rank,
    int order, Py_ssize_t m, char* out, Py_ssize_t out_pitch,
) noexcept nogil:
    return strip_columns(vi8_zero(), slots, x, pitch, taps, w, w_pitch, rank, order, m, out, out_pitch)


ctypedef bint (*Columns)(
    const char**, Py_ssize_t, Py_ssize_t, Py_ssize_t, const char*, Py_ssize_t, Py_ssize_t, int, Py_ssize_t, char*, Py_ssize_t,
) noexcept nogil


cdef Columns columns_of(int kind) noexcept nogil:
    """strip_columns in the lane of a type."""
    if kind == F4:
        return columns_f4
    elif kind == F8:
        return columns_f8
    elif kind == I2:
        return columns_i2
    elif kind == I4:
        return columns_i4
    else:
        return columns_i8
