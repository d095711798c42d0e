# A quick look at what a kernel is made of.

cdef inline double square(double complex z) noexcept nogil:
    """Its magnitude's square."""
    return z.real * z.real + z.imag * z.imag


def left_after(cnp.ndarray sample, int steps):
    """Largest magnitude left of a matrix after steps of elimination, each through the largest number left.

    sample : contiguous complex128, overwritten
    """
    cdef double complex* a = <double complex*> cnp.PyArray_DATA(sample)
    cdef double complex* pivot
    cdef double complex factor
    cdef Py_ssize_t rows = cnp.PyArray_DIM(sample, 0), cols = cnp.PyArray_DIM(sample, 1), i, j, at
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
            return most ** 0.5
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
