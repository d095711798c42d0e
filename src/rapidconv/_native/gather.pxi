# Rows for the sums to read: where they lie in the image, or gathered from it into a block, through the boundary,
# in another type, order or layout.


cdef inline Py_ssize_t index_map(Py_ssize_t i, Py_ssize_t n, int boundary) noexcept nogil:
    """Image index at position i of an axis of length n; -1 stands for fill.

        fill  k k k | a b c d | k k k      symm    c b a | a b c d | d c b      wrap  b c d | a b c d | a b c
        near  a a a | a b c d | d d d      mirror  d c b | a b c d | c b a
    """
    cdef Py_ssize_t k
    if 0 <= i < n:
        return i
    if boundary == FILL:
        return -1
    if boundary == NEAREST:
        return 0 if i < 0 else n - 1
    if boundary == WRAP:
        k = i % n
        return k + n if k < 0 else k
    if boundary == MIRROR:
        if n == 1:
            return 0
        k = i % (2 * n - 2)
        if k < 0:
            k += 2 * n - 2
        return k if k < n else 2 * n - 2 - k
    k = i % (2 * n)
    if k < 0:
        k += 2 * n
    return k if k < n else 2 * n - 1 - k


cdef Py_ssize_t runs_of(Job* job, Py_ssize_t first, Py_ssize_t width, Py_ssize_t* run) noexcept nogil:
    """Cut positions first .. first + width - 1 of a row into runs of neighbouring image columns; their number."""
    cdef Py_ssize_t at = 0, count = 0, e, k, n = job.cols, length, start, step
    while at < width:
        e = first + at
        step = 1
        if 0 <= e < n:
            start = e
            length = n - e
        elif job.boundary == FILL:
            start = -1
            length = -e if e < 0 else width
        elif job.boundary == NEAREST:
            start = 0 if e < 0 else n - 1
            length = -e if e < 0 else width
            step = 0
        elif job.boundary == WRAP:
            start = index_map(e, n, WRAP)
            length = n - start
        elif job.boundary == MIRROR:
            start = index_map(e, n, MIRROR)
            if start == index_map(e + 1, n, MIRROR) + 1:
                length = start + 1
                step = -1
            else:
                length = n - start
        else:
            k = e % (2 * n)
            if k < 0:
                k += 2 * n
            if k < n:
                start = k
                length = n - k
            else:
                start = 2 * n - 1 - k
                length = start + 1
                step = -1
        length = min(length, width - at)
        run[4 * count] = at
        run[4 * count + 1] = length
        run[4 * count + 2] = start
        run[4 * count + 3] = step
        count += 1
        at += length
    return count


cdef void enter_plane(Job* job, Scratch* sc, Py_ssize_t plane) noexcept nogil:
    """Go to a plane of the result: which planes of the image lie under it.

    Planes are counted in C order, and so are the planes of the kernel. Blocks gathered for a plane of the result serve the
    next ones too, as each keeps its slot of a ring:

        kernel     0 1 2              result plane 3: kernel plane 0 meets image plane 3, in slot 0,
        image  . . 3 4 5 6 .                          kernel plane 1 image plane 4, in slot 1, and so on
        slot       0 1 2 0            result plane 4 needs only image plane 6 gathered
    """
    cdef Py_ssize_t tap, rest, i, at, weight
    cdef int axis
    cdef Axis* a
    job.out = sc.out
    for tap in range(job.taps):
        sc.under[tap] = sc.image
        sc.slot[tap] = 0
        rest = tap
        at = plane
        weight = 1
        for axis in range(job.n_outer - 1, -1, -1):
            a = &job.outer[axis]
            i = at % a.out_length + rest % a.taps
            sc.slot[tap] += i % a.taps * weight
            if tap == 0:
                job.out += at % a.out_length * a.out_stride
            i = index_map(a.first + i, a.length, job.boundary)
            if i < 0:
                sc.under[tap] = NULL
            elif sc.under[tap] != NULL:
                sc.under[tap] += i * a.stride
            at //= a.out_length
            rest //= a.taps
            weight *= a.taps
    job.image = sc.under[0]


cdef void forget_blocks(Scratch* sc, int lane) noexcept nogil:
    """Empty the ring, for blocks of a lane; its own address is no plane of an image."""
    cdef Py_ssize_t k
    sc.lane = lane
    for k in range(sc.slots):
        sc.held[k] = <const char*> sc


cdef inline const char* tap_weights(Job* job, Lane* ln, const char* weights, Py_ssize_t tap) noexcept nogil:
    """The transposed plane of a kernel."""
    return weights + tap * job.kh * job.kw * type_size(ln.kind)


cdef void source_rows(Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t m) noexcept nogil:
    """Image rows under m rows of a block that starts at position first."""
    cdef Py_ssize_t i
    for i in range(m):
        sc.source[i] = -1 if job.image == NULL else index_map(first + i, job.rows, job.boundary)


cdef void place_rows(Job* job, Scratch* sc, Py_ssize_t y, Py_ssize_t m, Py_ssize_t x) noexcept nogil:
    """Rows under m output rows from output (y, x) on, where they lie."""
    cdef Py_ssize_t i
    source_rows(job, sc, job.top + y, m + job.kh - 1)
    for i in range(m + job.kh - 1):
        if sc.source[i] < 0:
            sc.rows[i] = sc.constant
        else:
            sc.rows[i] = job.image + sc.source[i] * job.row_stride + (job.left + x) * job.col_stride


cdef inline void copy_run(const char* s, char* d, Py_ssize_t size) noexcept nogil:
    """size bytes in whole blocks, the last one overlapping; a call of memcpy takes longer than most runs."""
    cdef Py_ssize_t at, one = max(16, RC_BYTES)
    if RC_BYTES and size >= one:
        for at from 0 <= at <= size - one by one:
            vi4_store(d + at, vi4_load(s + at))
        vi4_store(d + size - one, vi4_load(s + size - one))
    elif size >= 16:
        for at from 0 <= at < size - 15 by 16:
            memcpy(d + at, s + at, 16)
        memcpy(d + size - 16, s + size - 16, 16)
    elif size >= 8:
        memcpy(d, s, 8)
        memcpy(d + size - 8, s + size - 8, 8)
    elif size >= 4:
        memcpy(d, s, 4)
        memcpy(d + size - 4, s + size - 4, 4)
    else:
        for at in range(size):
            d[at] = s[at]


cdef void lift(Job* job, Scratch* sc, const char* p, Py_ssize_t stride, lane* d, Py_ssize_t n) noexcept nogil:
    """n real pixels, stride bytes apart, to complex numbers."""
    cdef Py_ssize_t channel, i, size = type_size(job.kind)
    for channel in range(job.channels):
        fetch(p + channel * size, stride, sc.raw, size, job.swapped, n)
        to_lane(job.kind, sc.raw, size, d + 2 * channel, job.parts, n)
        for i in range(n):
            d[2 * channel + 1 + i * job.parts] = 0


cdef void gather_columns(
    Job* job, Scratch* sc, lane* block, const lane* fill, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
) noexcept nogil:
    """gather of an image whose columns are contiguous, 8 columns at a time; numbers are copied as they lie."""
    cdef Py_ssize_t i, q, at, c, n, start, stride
    cdef int part, parts = job.parts
    cdef const char* p
    cdef const char* s
    cdef lane* d
    for q in range(n_runs):
        start = sc.run[4 * q + 2]
        stride = sc.run[4 * q + 3] * job.col_stride
        for at from 0 <= at < sc.run[4 * q + 1] by 8:
            n = min(8, sc.run[4 * q + 1] - at)
            d = block + (sc.run[4 * q] + at) * parts
            p = job.image + start * job.col_stride + at * stride
            for i in range(m):
                if start < 0 or sc.source[i] < 0:
                    for part in range(n * parts):
                        d[part] = fill[part & job.pairs]
                elif parts == 1 and n == 8:
                    s = p + sc.source[i] * job.row_stride
                    for c in range(8):
                        d[c] = (<const lane*> (s + c * stride))[0]
                else:
                    s = p + sc.source[i] * job.row_stride
                    for c in range(n):
                        for part in range(parts):
                            d[c * parts + part] = (<const lane*> (s + c * stride))[part]
                d = <lane*> (<char*> d + pitch)


cdef unsigned long long gather(
    Job* job, Scratch* sc, int kind, lane* block, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
    bint measured,
) noexcept nogil:
    """m rows of a block: the image's rows sc.source through the runs of columns.

    Largest magnitude of the integers gathered if measured, else 0.
    """
    cdef Py_ssize_t i, q, at, length, step, stride, size = type_size(job.kind), part, width
    cdef int parts = job.parts
    cdef lane value[2]
    cdef lane* d
    cdef const char* p
    cdef unsigned long long top = 0, here
    cdef bint copies = job.plain and same_bits(job.kind, kind) and not job.lift
    if job.boundary == FILL:
        if measured:
            top = to_lane_peak(job.fill_kind, job.fill, 0, value, 1)
        else:
            to_lane(job.fill_kind, job.fill, type_size(job.fill_kind), value, 1, 1 + job.pairs)
    if copies and not measured and is_column_major(job):
        gather_columns(job, sc, block, value, pitch, m, n_runs)
        return 0
    width = sc.run[4 * n_runs - 4] + sc.run[4 * n_runs - 3]
    for i in range(m):
        d = <lane*> (<char*> block + i * pitch)
        if sc.source[i] < 0:
            for q in range(width):
                for part in range(parts):
                    d[parts * q + part] = value[part & job.pairs]
            continue
        for q in range(n_runs):
            at = sc.run[4 * q] * parts
            length = sc.run[4 * q + 1]
            stride = sc.run[4 * q + 3] * job.col_stride
            if sc.run[4 * q + 2] < 0:
                for step in range(length):
                    for part in range(parts):
                        d[at + parts * step + part] = value[part & job.pairs]
                continue
            p = job.image + sc.source[i] * job.row_stride + sc.run[4 * q + 2] * job.col_stride
            if copies and stride == parts * size:
                copy_run(p, <char*> (d + at), parts * length * size)
            elif copies and parts == 1:
                for step in range(length):
                    d[at + step] = (<const lane*> (p + step * stride))[0]
            elif measured and parts == 1:
                here = to_lane_peak(job.kind, p, stride, d + at, length)
                top = max(top, here)
            elif measured and stride == parts * size:
                here = to_lane_peak(job.kind, p, size, d + at, parts * length)
                top = max(top, here)
            elif measured:
                for step in range(length):
                    here = to_lane_peak(job.kind, p + step * stride, size, d + at + parts * step, parts)
                    top = max(top, here)
            elif job.lift:
                lift(job, sc, p, stride, d + at, length)
            elif not job.plain:
                for part in range(parts):
                    fetch(p + part * size, stride, sc.raw, size, job.swapped, length)
                    to_lane(job.kind, sc.raw, size, d + at + part, parts, length)
            elif stride == parts * size:
                to_lane(job.kind, p, size, d + at, 1, parts * length)
            else:
                for part in range(parts):
                    to_lane(job.kind, p + part * size, stride, d + at + part, parts, length)
    return top


cdef unsigned long long gather_lane(
    Job* job, Scratch* sc, int kind, char* block, Py_ssize_t pitch, Py_ssize_t m, Py_ssize_t n_runs,
    bint measured,
) noexcept nogil:
    """gather in the lane of a type."""
    if kind == F4:
        return gather(job, sc, kind, <float*> block, pitch, m, n_runs, measured)
    elif kind == F8:
        return gather(job, sc, kind, <double*> block, pitch, m, n_runs, measured)
    elif kind == I2:
        return gather(job, sc, kind, <short*> block, pitch, m, n_runs, measured)
    elif kind == I4:
        return gather(job, sc, kind, <int*> block, pitch, m, n_runs, measured)
    elif kind == I8:
        return gather(job, sc, kind, <long long*> block, pitch, m, n_runs, measured)
    else:
        return gather(job, sc, kind, <extended*> block, pitch, m, n_runs, measured)


cdef inline Py_ssize_t pitch_of(Py_ssize_t row_bytes) noexcept nogil:
    """Bytes from row to row of scratch memory; never a power of two, as such rows share cache sets."""
    cdef Py_ssize_t pitch = (row_bytes + 63) // 64 * 64
    return pitch + 64 if pitch % 1024 == 0 else pitch


cdef inline Py_ssize_t block_pitch(Job* job, Lane* ln, Py_ssize_t n) noexcept nogil:
    """Bytes from row to row of a gathered block for n sums in a row."""
    return pitch_of((n + (job.kw - 1) * job.parts) * type_size(ln.kind))
