# Quick looks at what a kernel is made of: a plan of a new kernel takes as long as many a call.

from libc.math cimport fabs, rint, sqrt

cdef enum:
    SAMPLE = 10         # rows and columns of the largest sample

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
