# Quick looks at what a kernel is made of: a plan of a new kernel takes as long as many a call.

from libc.float cimport DBL_EPSILON, FLT_EPSILON
from libc.math cimport fabs, frexp, ldexp, rint, sqrt

cdef enum:
    SAMPLE = 10         # rows and columns of the largest sample
    GLANCE = 4          # of a small one
    PROBE = 1 << 14     # how far a sample of a kernel may be off, before one looks closer, in steps of its type

probe = PROBE

cdef inline double square(double complex z) noexcept nogil:
    """Its magnitude's square."""
    return z.real * z.real + z.imag * z.imag


cdef double norm_of(const double* x, Py_ssize_t size, bint* whole, bint* positive) noexcept nogil:
    """2-norm of numbers, whether all are whole, and whether none is negative."""
    cdef double even = 0, odd = 0
    cdef Py_ssize_t i
    whole[0] = positive[0] = True
    for i in range(size):
        whole[0] = whole[0] and rint(x[i]) == x[i]
        positive[0] = positive[0] and x[i] >= 0
    for i in range(0, size - 1, 2):
        even += x[i] * x[i]
        odd += x[i + 1] * x[i + 1]
    if size % 2:
        even += x[size - 1] * x[size - 1]
    return sqrt(even + odd)


def measure(cnp.ndarray numbers, Py_ssize_t count):
    """Of so many kernels of contiguous float64: 2-norms, whether all numbers are whole, and of each whether none is negative."""
    cdef const double* x = <const double*> cnp.PyArray_DATA(numbers)
    cdef Py_ssize_t size = cnp.PyArray_SIZE(numbers) // count, k
    cdef bint whole, all_whole = True, positive
    norms, signs = [], []
    for k in range(count):
        norms.append(norm_of(x + k * size, size, &whole, &positive))
        signs.append(positive)
        all_whole = all_whole and whole
    return norms, all_whole, tuple(signs)


cdef bint is_whole_at(const double* x, Py_ssize_t size, int bits) noexcept nogil:
    """Whether numbers are whole ones of so many bits times a power of two."""
    cdef Py_ssize_t i
    cdef double top = 0, scale
    cdef int exponent
    for i in range(size):
        if not fabs(x[i]) < 1e300:
            return False
        top = max(top, fabs(x[i]))
    frexp(top, &exponent)
    if not -900 < bits - exponent < 900:
        return False
    scale = ldexp(1.0, bits - exponent)
    for i in range(size):
        if rint(x[i] * scale) != x[i] * scale:
            return False
    return True


def is_whole_at_some_scale(cnp.ndarray numbers, int bits):
    """Whether contiguous float64 are whole numbers of so many bits times a power of two."""
    return is_whole_at(<const double*> cnp.PyArray_DATA(numbers), cnp.PyArray_SIZE(numbers), bits)


cdef bint may_peel(const double* x, Py_ssize_t kh, Py_ssize_t kw, int bits) noexcept nogil:
    """Whether a kernel of whole numbers of so many bits at some scale, not all zero, may be the sum of exact products that
    `_rank._whole` finds: it could take off the first one."""
    cdef Py_ssize_t i, at = 0
    cdef double top = 0
    cdef long long number, low = 0, least = 0, common = 0, rest
    cdef int exponent
    for i in range(kh * kw):
        top = max(top, fabs(x[i]))
    frexp(top, &exponent)
    top = ldexp(1.0, bits - exponent)           # the scale
    for i in range(kh * kw):
        number = <long long> fabs(x[i] * top)
        low |= number
        if number > 0 and (least == 0 or number < least):
            least = number
            at = i
    low &= -low                                 # the largest power of two in all of them
    for i in range(at // kw * kw, at // kw * kw + kw):
        number = <long long> fabs(x[i] * top)
        while number > 0:
            rest = common % number if common > 0 else 0
            common = number
            number = rest
    for i in range(kh):
        number = <long long> fabs(x[i * kw + at % kw] * top)
        if number // low % (least // common) != 0:
            return False
    return True


cdef Py_ssize_t product_through(
    const double* taps, Py_ssize_t kh, Py_ssize_t kw, double slack, bint single, double* column, double* total,
) noexcept nogil:
    """The tap through which a kernel is the product of a column, that over the tap, and its row, each tap within a part of
    itself; or -1.  Also sum|column| sum|row|.  single: numbers of the column are rounded to float32.
    """
    cdef const double* row
    cdef Py_ssize_t at = 0, i, j
    cdef double tap, sum_of_column = 0, sum_of_row = 0
    for i in range(kh * kw):
        if fabs(taps[i]) > fabs(taps[at]):
            at = i
    row = taps + at // kw * kw
    for i in range(kh):
        column[i] = taps[i * kw + at % kw] / taps[at]
        column[i] = <float> column[i] if single else column[i]
        for j in range(kw):
            tap = taps[i * kw + j]
            if not fabs(tap - column[i] * row[j]) <= slack * fabs(tap):
                return -1
        sum_of_column += fabs(column[i])
    for j in range(kw):
        sum_of_row += fabs(row[j])
    total[0] = sum_of_column * sum_of_row
    return at


def find_product(cnp.ndarray kernel, double slack, bint single):
    """(row, column, the column over the tap there, sum|column| sum|row|) of a kernel of contiguous float64 that is the product
    of the two, as `product_through` says, or None."""
    cdef Py_ssize_t kh = cnp.PyArray_DIM(kernel, 0), kw = cnp.PyArray_DIM(kernel, 1), at
    cdef cnp.ndarray column = cnp.PyArray_EMPTY(1, [kh], cnp.NPY_DOUBLE, 0)
    cdef double total = 0
    at = product_through(
        <const double*> cnp.PyArray_DATA(kernel), kh, kw, slack, single, <double*> cnp.PyArray_DATA(column), &total
    )
    return None if at < 0 else (at // kw, at % kw, column, total)


cdef inline double complex sampled(const double* taps, Py_ssize_t at, int parts) noexcept nogil:
    """A tap of a kernel of real or complex numbers."""
    return taps[at] if parts == 1 else (<const double complex*> taps)[at]


cdef bint is_of_rank(const double* taps, int parts, Py_ssize_t kh, Py_ssize_t kw, int most, double limit) noexcept nogil:
    """What `may_be_low` says, of taps of one part or two."""
    cdef Py_ssize_t side = 2 * most + 2, i, j
    cdef Py_ssize_t down = max(1, kh // (side - 1)), across = max(1, kw // (side - 1))
    cdef Py_ssize_t rows = min(side, (kh + down - 1) // down), cols = min(side, (kw + across - 1) // across)
    cdef double complex[SAMPLE * SAMPLE] sample
    cdef double top = 0
    for i in range(parts * kh * kw):
        if not fabs(taps[i]) < 1e300:
            return False
        top = max(top, fabs(taps[i]))
    if top == 0:
        return True
    for i in range(rows):
        for j in range(cols):
            sample[i * cols + j] = sampled(taps, i * down * kw + j * across, parts) / top
    return left_after(sample, rows, cols, most) <= limit


def may_be_low(cnp.ndarray kernel, int most, double limit):
    """Whether a sample of a kernel, contiguous float64 or complex128, may be of a rank of at most `most`: that of most is not.

    What is left of a sum of so many products, each number off by at most d, after so many steps of elimination with
    complete pivoting is at most ``4**most`` times its next singular value, ``10 * d`` (10 is the sample's side).

    limit : of what is left, in parts of the largest tap
    """
    if 2 * most + 2 > SAMPLE:
        raise ValueError(f"samples of kernels have at most {SAMPLE} rows, not {2 * most + 2}")
    return is_of_rank(
        <const double*> cnp.PyArray_DATA(kernel), 1 + cnp.PyArray_ISCOMPLEX(kernel), cnp.PyArray_DIM(kernel, 0),
        cnp.PyArray_DIM(kernel, 1), most, limit,
    )


def looks_low(cnp.ndarray kernel):
    """Whether a kernel looks at a glance as if it were a product of a column and a row, or a box."""
    return is_low(kernel, False)


cdef bint is_low(cnp.ndarray kernel, bint flip):
    """Whether a kernel, or it turned around, has two long axes and a few of its taps are those of a product of them."""
    cdef cnp.ndarray wide
    cdef int axis, long_axes = 0, type_num = cnp.PyArray_TYPE(kernel), parts = 1 + is_complex(type_num)
    cdef Py_ssize_t kh = 1, kw = 1
    for axis in range(cnp.PyArray_NDIM(kernel)):
        if cnp.PyArray_DIM(kernel, axis) > 1:
            long_axes += 1
            kh, kw = kw, cnp.PyArray_DIM(kernel, axis)
    if long_axes != 2:
        return False
    wide = cnp.PyArray_FROM_OTF(
        kernel, cnp.NPY_CDOUBLE if parts == 2 else cnp.NPY_DOUBLE, cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_FORCECAST
    )
    return is_low_at_a_glance(
        <const double*> cnp.PyArray_DATA(wide), parts, kh, kw, flip, type_num == cnp.NPY_FLOAT or type_num == cnp.NPY_CFLOAT
    )


cdef bint is_low_at_a_glance(const double* taps, int parts, Py_ssize_t kh, Py_ssize_t kw, bint flip, bint single) noexcept nogil:
    """The same of taps along two long axes; single: they are rounded to float32."""
    cdef double complex[GLANCE * GLANCE] sample
    cdef double top = 0
    cdef Py_ssize_t down = max(1, kh // (GLANCE - 1)), across = max(1, kw // (GLANCE - 1)), i, j, at
    cdef Py_ssize_t rows = min(GLANCE, (kh + down - 1) // down), cols = min(GLANCE, (kw + across - 1) // across)
    for i in range(rows):
        for j in range(cols):
            at = i * down * kw + j * across
            sample[i * cols + j] = sampled(taps, kh * kw - 1 - at if flip else at, parts)
            top = max(top, square(sample[i * cols + j]))
    top = sqrt(top)
    return 0 < top < 1e150 and left_after(sample, rows, cols, 1) <= PROBE * (FLT_EPSILON if single else DBL_EPSILON) * top


cdef double left_after(double complex* a, Py_ssize_t rows, Py_ssize_t cols, int steps) noexcept nogil:
    """Largest magnitude left of a matrix, overwritten, after steps of elimination, each through the largest number left."""
    cdef double complex* pivot
    cdef double complex factor
    cdef Py_ssize_t i, j, at
    cdef double most
    cdef int step
    for step in range(steps + 1):
        at = 0
        most = 0
        for i in range(rows * cols):
            if square(a[i]) > most:
                most = square(a[i])
                at = i
        if most == 0 or step == steps:
            return sqrt(most)
        pivot = a + at // cols * cols
        at = at % cols
        for i in range(rows):
            if a + i * cols == pivot or a[i * cols + at] == 0:
                continue
            factor = a[i * cols + at] / pivot[at]
            for j in range(cols):
                a[i * cols + j] = a[i * cols + j] - factor * pivot[j]
            a[i * cols + at] = 0
        for j in range(cols):
            pivot[j] = 0
    return 0
