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


def measure(cnp.ndarray numbers, Py_ssize_t count):
    """Of so many kernels of contiguous float64: 2-norms, whether all numbers are whole, and of each whether none is negative."""
    cdef const double* x = <const double*> cnp.PyArray_DATA(numbers)
    cdef Py_ssize_t size = cnp.PyArray_SIZE(numbers) // count, k, i
    cdef double even, odd
    cdef bint whole = True, positive
    norms, signs = [], []
    for k in range(count):
        even = odd = 0
        positive = True
        for i in range(size):
            whole = whole and rint(x[i]) == x[i]
            positive = positive and x[i] >= 0
        for i in range(0, size - 1, 2):
            even += x[i] * x[i]
            odd += x[i + 1] * x[i + 1]
        if size % 2:
            even += x[size - 1] * x[size - 1]
        norms.append(sqrt(even + odd))
        signs.append(positive)
        x += size
    return norms, whole, tuple(signs)


def is_whole_at_some_scale(cnp.ndarray numbers, int bits):
    """Whether contiguous float64 are whole numbers of so many bits times a power of two."""
    cdef const double* x = <const double*> cnp.PyArray_DATA(numbers)
    cdef Py_ssize_t size = cnp.PyArray_SIZE(numbers), i
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


def find_product(cnp.ndarray kernel, double slack, bint single):
    """The tap through which a kernel, of contiguous float64, is the product of its column over that tap and its row, each tap
    within a part of itself; or None.  Also sum|column| sum|row|.  single: numbers of the column are rounded to float32.
    """
    cdef const double* taps = <const double*> cnp.PyArray_DATA(kernel)
    cdef const double* row
    cdef Py_ssize_t kh = cnp.PyArray_DIM(kernel, 0), kw = cnp.PyArray_DIM(kernel, 1), at = 0, i, j
    cdef double factor, tap, sum_of_column = 0, sum_of_row = 0
    for i in range(kh * kw):
        if fabs(taps[i]) > fabs(taps[at]):
            at = i
    row = taps + at // kw * kw
    for i in range(kh):
        factor = taps[i * kw + at % kw] / taps[at]
        factor = <float> factor if single else factor
        for j in range(kw):
            tap = taps[i * kw + j]
            if not fabs(tap - factor * row[j]) <= slack * fabs(tap):
                return None
        sum_of_column += fabs(factor)
    for j in range(kw):
        sum_of_row += fabs(row[j])
    return at // kw, at % kw, sum_of_column * sum_of_row


def may_be_low(cnp.ndarray kernel, int most, double limit):
    """Whether a sample of a kernel, contiguous complex128, may be of a rank of at most `most`, as that of most kernels is not.

    What is left of a sum of so many products, each number off by at most d, after so many steps of elimination with
    complete pivoting is at most ``4**most`` times its next singular value, ``10 * d`` (10 is the sample's side).

    limit : of what is left, in parts of the largest tap
    """
    cdef const double* taps = <const double*> cnp.PyArray_DATA(kernel)
    cdef const double complex* tap = <const double complex*> taps
    cdef Py_ssize_t kh = cnp.PyArray_DIM(kernel, 0), kw = cnp.PyArray_DIM(kernel, 1), side = 2 * most + 2, i, j
    cdef Py_ssize_t down = max(1, kh // (side - 1)), across = max(1, kw // (side - 1))
    cdef Py_ssize_t rows = min(side, (kh + down - 1) // down), cols = min(side, (kw + across - 1) // across)
    cdef double complex[SAMPLE * SAMPLE] sample
    cdef double top = 0
    if side > SAMPLE:
        raise ValueError(f"samples of kernels have at most {SAMPLE} rows, not {side}")
    for i in range(2 * kh * kw):
        if not fabs(taps[i]) < 1e300:
            return False
        top = max(top, fabs(taps[i]))
    if top == 0:
        return True
    for i in range(rows):
        for j in range(cols):
            sample[i * cols + j] = tap[i * down * kw + j * across] / top
    return left_after(sample, rows, cols, most) <= limit


def looks_low(cnp.ndarray kernel):
    """Whether a kernel looks at a glance as if it were a product of a column and a row, or a box."""
    return is_low(kernel, False)


cdef bint is_low(cnp.ndarray kernel, bint flip):
    """Whether a kernel, or it turned around, has two long axes and a few of its taps are those of a product of them."""
    cdef cnp.ndarray wide
    cdef const double complex* tap
    cdef double complex[GLANCE * GLANCE] sample
    cdef double top = 0
    cdef int axis, long_axes = 0, type_num = cnp.PyArray_TYPE(kernel)
    cdef bint single = type_num == cnp.NPY_FLOAT or type_num == cnp.NPY_CFLOAT
    cdef Py_ssize_t size = cnp.PyArray_SIZE(kernel), kh = 1, kw = 1, down, across, rows, cols, i, j, at
    for axis in range(cnp.PyArray_NDIM(kernel)):
        if cnp.PyArray_DIM(kernel, axis) > 1:
            long_axes += 1
            kh, kw = kw, cnp.PyArray_DIM(kernel, axis)
    if long_axes != 2:
        return False
    wide = cnp.PyArray_FROM_OTF(kernel, cnp.NPY_CDOUBLE, cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_FORCECAST)
    tap = <const double complex*> cnp.PyArray_DATA(wide)
    down = max(1, kh // (GLANCE - 1))
    across = max(1, kw // (GLANCE - 1))
    rows = min(GLANCE, (kh + down - 1) // down)
    cols = min(GLANCE, (kw + across - 1) // across)
    for i in range(rows):
        for j in range(cols):
            at = i * down * kw + j * across
            sample[i * cols + j] = tap[size - 1 - at if flip else at]
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
