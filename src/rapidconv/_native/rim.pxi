# Narrow rims: a few output columns, turned.


cdef void columns_lane(
    int kind, const char** columns, Py_ssize_t width, Py_ssize_t m, Py_ssize_t kh, Py_ssize_t kw, const char* w,
    Py_ssize_t w_step, char* out, Py_ssize_t out_pitch, int order,
) noexcept nogil:
    """correlate_columns in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        correlate_columns(vf4_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch, order)
    elif kind == F8:
        correlate_columns(vf8_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch, order)
    elif kind == I2:
        correlate_columns(vi2_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch, order)
    elif kind == I4:
        correlate_columns(vi4_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch, order)
    else:
        correlate_columns(vi8_splat(z), columns, width, m, kh, kw, w, w_step, out, out_pitch, order)


cdef inline void take_square(lane* like, const char** rows, Py_ssize_t at, lane* to, Py_ssize_t length) noexcept nogil:
    """A vector of numbers at byte `at` of as many rows, as so many columns."""
    if sizeof(lane) == 4:
        vf4_take_rows(rows, at, <char*> to, length * sizeof(lane))
    else:
        vf8_take_rows(rows, at, <char*> to, length * sizeof(lane))


cdef Py_ssize_t squares_of(
    Py_ssize_t* run, Py_ssize_t n, Py_ssize_t row_bytes, Py_ssize_t size, Py_ssize_t* squares,
) noexcept nogil:
    """Vectors that hold a row's numbers at bytes run[0 .. n - 1], which become the numbers' places in these; -1 if too many."""
    cdef Py_ssize_t c, k, at, count = 0, one = max(RC_BYTES, size)
    if row_bytes < one:
        return -1
    for c in range(n):
        at = min(run[c] // one * one, row_bytes - one)
        for k in range(count):
            if squares[k] <= run[c] < squares[k] + one:
                break
        else:
            if count == SQUARES:
                return -1
            k = count
            squares[k] = at
            count += 1
    for c in range(n):
        for k in range(count):
            if squares[k] <= run[c] < squares[k] + one:
                run[c] = (k * one + run[c] - squares[k]) // size
                break
    return count


cdef Py_ssize_t turn_columns(
    Job* job, Scratch* sc, lane* block, Py_ssize_t length, Py_ssize_t rows, Py_ssize_t n, const lane* fill,
) noexcept nogil:
    """Numbers of the image's rows at bytes sc.run[0 .. n - 1] as columns, whose numbers in the block sc.run becomes; their count.

    Where half a vector of numbers or more is needed of each row, rows are turned by vectors.

    length : of a column, whole vectors; those of rows beyond the last one are not needed
    """
    cdef Py_ssize_t squares[SQUARES]
    cdef Py_ssize_t count = -1, i, c, k, size = sizeof(lane), lanes = max(1, RC_BYTES // size)
    cdef lane beyond[64]
    cdef const char* row
    if sizeof(lane) >= 4 and 2 * n > lanes:
        count = squares_of(sc.run, n, job.cols * job.parts * size, size, squares)
    if count >= 0:
        for k in range(count):
            for c in range(lanes):
                beyond[c] = fill[(squares[k] // size + c) % job.parts & job.pairs]
            for i in range(length):
                c = sc.source[min(i, rows - 1)]
                sc.rows[i] = job.image + c * job.row_stride + squares[k] if c >= 0 else <const char*> beyond
            for i from 0 <= i < length by lanes:
                take_square(block, sc.rows + i, 0, block + k * lanes * length + i, length)
        return count * lanes
    for i in range(length):
        k = sc.source[min(i, rows - 1)]
        if k < 0:
            for c in range(n):
                block[c * length + i] = fill[c % job.parts & job.pairs]
        else:
            row = job.image + k * job.row_stride
            for c in range(n):
                block[c * length + i] = (<const lane*> (row + sc.run[c]))[0]
    for c in range(n):
        sc.run[c] = c
    return n


cdef void rim_of(
    Job* job, Scratch* sc, lane* like, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1,
) noexcept nogil:
    """Outputs of a rim of a few columns, turned: a lane is a row, so no lane is wasted on the interior's columns.

    The block holds columns of the image's numbers, then a column of fill for each part.
    """
    cdef Lane* ln = last_lane(job)
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, lanes = lanes_of(ln.kind), i, c, k, n, inside = 0, padded, length, taps
    cdef Py_ssize_t size = sizeof(lane), plane
    cdef int part, parts = job.parts
    cdef lane fill[2]
    cdef lane* block = <lane*> sc.block
    cdef lane* sums
    cdef lane* im
    cdef lane* d
    padded = (m + lanes - 1) // lanes * lanes
    length = padded + (job.kh + lanes - 2) // lanes * lanes
    taps = width + job.kw - 1
    plane = width * padded
    fill[0] = fill[1] = 0
    if job.boundary == FILL:
        for part in range(1 + job.pairs):
            put_one(job, <char*> &fill[part], part)
    source_rows(job, sc, job.top + y0, m + job.kh - 1)
    for c in range(taps):
        k = index_map(job.left + x0 + c, job.cols, job.boundary)
        if k >= 0:
            for part in range(parts):
                sc.run[inside * parts + part] = k * job.col_stride + part * size
            inside += 1
    n = turn_columns(job, sc, block, length, m + job.kh - 1, inside * parts, fill)
    if inside < taps:
        for part in range(parts):
            for i in range(length):
                block[(n + part) * length + i] = fill[part & job.pairs]
    sums = block + (n + parts) * length
    im = sums + parts * plane
    for part in range(parts):
        k = part
        for c in range(taps):
            if index_map(job.left + x0 + c, job.cols, job.boundary) < 0:
                sc.columns[c] = <const char*> (block + (n + part) * length)
            else:
                sc.columns[c] = <const char*> (block + sc.run[k] * length)
                k += parts
        columns_lane(ln.kind, sc.columns, width, padded, job.kh, job.kw, ln.real_part, job.kh * size,
                     <char*> (sums + part * plane), padded * size, job.order)
        if ln.imag_part != NULL:
            columns_lane(ln.kind, sc.columns, width, padded, job.kh, job.kw, ln.imag_part, job.kh * size,
                         <char*> (im + part * plane), padded * size, job.order)
    for i in range(m):
        d = <lane*> (job.out + (y0 + i) * job.out_row_stride) + x0 * job.out_parts
        if job.out_parts == 1:
            for c in range(width):
                d[c] = sums[c * padded + i]
            continue
        for c in range(width):
            k = c * padded + i
            for part in range(parts):
                if ln.imag_part == NULL:
                    d[part] = sums[part * plane + k]
                elif not job.pairs:
                    d[2 * part] = sums[part * plane + k]
                    d[2 * part + 1] = im[part * plane + k]
                elif part & 1:
                    d[part] = sums[part * plane + k] + im[(part - 1) * plane + k]
                else:
                    d[part] = sums[part * plane + k] - im[(part + 1) * plane + k]
            d += job.out_parts


cdef void rim(Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """rim_of in the last lane."""
    cdef int kind = last_lane(job).kind
    if kind == F4:
        rim_of(job, sc, <float*> NULL, y0, y1, x0, x1)
    elif kind == F8:
        rim_of(job, sc, <double*> NULL, y0, y1, x0, x1)
    elif kind == I2:
        rim_of(job, sc, <short*> NULL, y0, y1, x0, x1)
    elif kind == I4:
        rim_of(job, sc, <int*> NULL, y0, y1, x0, x1)
    else:
        rim_of(job, sc, <long long*> NULL, y0, y1, x0, x1)
