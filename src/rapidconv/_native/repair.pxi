# Complex results that are not finite, made again with the arithmetic of C and SciPy.
#
# The lanes hold complex sums as separate real sums.  That is exact where all is finite; an infinity or a NaN must
# reach both parts as the product of two complex numbers says (C11 annex G.5.1), so those outputs, and only those,
# are summed once more, one by one.

ctypedef float complex complex4
ctypedef double complex complex8
ctypedef long double complex complexg

ctypedef fused cplx:
    complex4
    complex8
    complexg

ctypedef fused real:
    float
    double
    extended


cdef inline cplx pixel(Job* job, Py_ssize_t r, Py_ssize_t x, int channel, cplx* like) noexcept nogil:
    """Channel of the pixel in image row r (-1: fill) at position x, as a complex number."""
    cdef Py_ssize_t c = index_map(x, job.cols, job.boundary)
    cdef Py_ssize_t size = type_size(job.kind), part, stored
    cdef char raw[16]
    cdef cplx value[1]
    cdef const char* p
    value[0] = 0
    if r < 0 or c < 0:
        memcpy(value, job.fill, sizeof(cplx))
        return value[0]
    stored = 2 if job.pairs and not job.lift else 1
    for part in range(stored):
        p = job.image + r * job.row_stride + c * job.col_stride + (channel * stored + part) * size
        if not job.plain:
            fetch(p, 0, raw, size, job.swapped, 1)
            p = raw
        if cplx is complex4:
            to_lane(job.kind, p, 0, (<float*> value) + part, 1, 1)
        elif cplx is complex8:
            to_lane(job.kind, p, 0, (<double*> value) + part, 1, 1)
        else:
            to_lane(job.kind, p, 0, (<extended*> value) + part, 1, 1)
    return value[0]


cdef inline cplx weight_at(Lane* ln, Py_ssize_t k, cplx* like) noexcept nogil:
    """Weight k of the transposed kernel, as a complex number."""
    cdef cplx value[1]
    value[0] = 0
    if cplx is complex4:
        (<float*> value)[0] = (<const float*> ln.real_part)[k]
        if ln.imag_part != NULL:
            (<float*> value)[1] = (<const float*> ln.imag_part)[k]
    elif cplx is complex8:
        (<double*> value)[0] = (<const double*> ln.real_part)[k]
        if ln.imag_part != NULL:
            (<double*> value)[1] = (<const double*> ln.imag_part)[k]
    else:
        (<extended*> value)[0] = (<const extended*> ln.real_part)[k]
        if ln.imag_part != NULL:
            (<extended*> value)[1] = (<const extended*> ln.imag_part)[k]
    return value[0]


cdef cplx sum_again(Job* job, Scratch* sc, Py_ssize_t y, Py_ssize_t x, int channel, cplx* like) noexcept nogil:
    """Output (y, x) of a channel as a sum of complex products."""
    cdef cplx total = 0
    cdef Py_ssize_t i, j, r, tap
    for tap in range(job.taps):
        job.image = sc.under[tap]
        for i in range(job.kh):
            r = -1 if job.image == NULL else index_map(job.top + y + i, job.rows, job.boundary)
            for j in range(job.kw):
                total = total + (pixel(job, r, job.left + x + j, channel, like)
                                 * weight_at(&job.lanes[0], (tap * job.kw + j) * job.kh + i, like))
                if total.real != total.real and total.imag != total.imag:
                    return total        # NaN in both parts, whatever is added
    return total


cdef bint all_finite(real* v, Py_ssize_t n) noexcept nogil:
    """Whether n numbers are finite."""
    cdef Py_ssize_t i
    cdef int bad = 0
    for i in range(n):
        bad |= v[i] - v[i] != 0
    return not bad


cdef void repair_row(Job* job, Scratch* sc, char* row, Py_ssize_t y, cplx* like) noexcept nogil:
    """Row y of the results."""
    cdef cplx* v
    cdef Py_ssize_t x
    cdef int channel
    for x in range(job.n):
        v = <cplx*> (row + x * job.out_col_stride)
        for channel in range(job.channels):
            if v[channel] - v[channel] != 0:
                v[channel] = sum_again(job, sc, y, x, channel, like)


cdef inline bint needs_mending(Job* job) noexcept nogil:
    """Whether real results that are not finite are to be summed again without zero taps."""
    return job.skips and job.out_kind >= F4 and job.out_parts != 2 * job.channels


cdef inline bint needs_repair(Job* job) noexcept nogil:
    """Whether results that are not finite are to be looked for."""
    return job.out_parts == 2 * job.channels or needs_mending(job)


cdef void repair(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1) noexcept nogil:
    """Rows y0 <= y < y1 of a result that needs it."""
    cdef Py_ssize_t y
    cdef char* row
    cdef bint packed = job.out_col_stride == job.out_parts * type_size(job.out_kind)
    if needs_mending(job):
        mend(job, sc, y0, y1)
        return
    for y in range(y0, y1):
        row = job.out + y * job.out_row_stride
        if job.out_kind == F4:
            if not (packed and all_finite(<float*> row, job.out_parts * job.n)):
                repair_row(job, sc, row, y, <complex4*> NULL)
        elif job.out_kind == F8:
            if not (packed and all_finite(<double*> row, job.out_parts * job.n)):
                repair_row(job, sc, row, y, <complex8*> NULL)
        else:
            repair_row(job, sc, row, y, <complexg*> NULL)
