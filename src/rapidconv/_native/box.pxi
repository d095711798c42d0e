# Boxes: kernels of equal taps.  Sums double: s2[x] = s1[x] + s1[x+1], s4[x] = s2[x] + s2[x+2], ... and where the
# next bit of the kernel's side is set, one more term; along a row first, then down the rows:
#
#     15 = 1111b     s3 = (s1 + s1) + s1,   s7 = (s3 + s3) + s1,   s15 = (s7 + s7) + s1
#
# Six additions for 15 terms, no recurrence, so no drift: the error grows with the logarithm of the side, the order of an
# output's sums is its own, whatever tile it falls into, and the tap's value multiplies once, at the end.

cdef enum:
    MAX_STEPS = 64
    BOX_BYTES = 1 << 16     # rows of sums of a tile; 16 KiB to 128 KiB take the same time, within 10 %

ctypedef struct Box:
    const char* value[MAX_LANES]    # of a tap, in the lane's type
    Scratch edge
    Py_ssize_t n_runs
    char* row
    char* along[2]          # sums along a row
    char* plane             # a row of results
    char* rows              # the last kh rows of sums along
    char* level[MAX_STEPS]  # the last span[t] rows of sums down span[t] rows
    Py_ssize_t span[MAX_STEPS]
    bint odd[MAX_STEPS]
    int steps
    Py_ssize_t pitch        # from row to row
    Py_ssize_t width        # pixels of a tile
    int lane


cdef char* box_along(
    vec zero, const char* row, char* first, char* second, Py_ssize_t n, Py_ssize_t k, Py_ssize_t step,
) noexcept nogil:
    """n sums of k numbers, step bytes apart, of a row; where they are."""
    cdef Py_ssize_t bit = 1, a = 1, i, size = lane_size(zero), end
    cdef const char* s = row
    cdef char* d = first
    cdef vec v
    while 2 * bit <= k:
        bit *= 2
    while bit > 1:
        bit //= 2
        end = n * size + (k - 2 * a) * step
        if k & bit:
            for i from 0 <= i < end by sizeof(vec):
                v = load(zero, s + i) + load(zero, s + i + a * step)
                v = v + load(zero, row + i + 2 * a * step)
                store(d + i, v)
            a = 2 * a + 1
        else:
            for i from 0 <= i < end by sizeof(vec):
                v = load(zero, s + i) + load(zero, s + i + a * step)
                store(d + i, v)
            a = 2 * a
        s = d
        d = second if d == first else first
    return <char*> s


cdef bint box_down(
    vec zero, const char* row, Box* b, Py_ssize_t r, Py_ssize_t n, Py_ssize_t kh, const char* value, char* out, bint makes,
) noexcept nogil:
    """Row r of sums along into the sums down, n numbers at most one vector more; where makes, times value to out.

    False where one of the n results is not finite.
    """
    cdef Py_ssize_t x, size = lane_size(zero), i, whole = n * size // <Py_ssize_t> sizeof(vec) * <Py_ssize_t> sizeof(vec)
    cdef Py_ssize_t quads_end = whole // (4 * <Py_ssize_t> sizeof(vec)) * (4 * <Py_ssize_t> sizeof(vec))
    cdef int t
    cdef const char* p
    cdef char* at[MAX_STEPS]
    cdef const char* term[MAX_STEPS]
    cdef char* last = b.rows + r % kh * b.pitch
    cdef char* d
    cdef vec v, v1, v2, v3, u, u1, u2, u3, check = zero, w = splat(zero, value)
    cdef char[64] room
    for t in range(b.steps):
        at[t] = b.level[t] + r % b.span[t] * b.pitch
        term[t] = b.rows + (r + kh - 2 * b.span[t] % kh) % kh * b.pitch if b.odd[t] else NULL
    for x from 0 <= x < quads_end by 4 * sizeof(vec):
        v = load(zero, row + x)
        v1 = load(zero, row + x + sizeof(vec))
        v2 = load(zero, row + x + 2 * sizeof(vec))
        v3 = load(zero, row + x + 3 * sizeof(vec))
        store(last + x, v)
        store(last + x + sizeof(vec), v1)
        store(last + x + 2 * sizeof(vec), v2)
        store(last + x + 3 * sizeof(vec), v3)
        for t in range(b.steps):
            d = at[t] + x
            u = load(zero, d)
            u1 = load(zero, d + sizeof(vec))
            u2 = load(zero, d + 2 * sizeof(vec))
            u3 = load(zero, d + 3 * sizeof(vec))
            store(d, v)
            store(d + sizeof(vec), v1)
            store(d + 2 * sizeof(vec), v2)
            store(d + 3 * sizeof(vec), v3)
            v = u + v
            v1 = u1 + v1
            v2 = u2 + v2
            v3 = u3 + v3
            if term[t] != NULL:
                p = term[t] + x
                v = load(zero, p) + v
                v1 = load(zero, p + sizeof(vec)) + v1
                v2 = load(zero, p + 2 * sizeof(vec)) + v2
                v3 = load(zero, p + 3 * sizeof(vec)) + v3
        if makes:
            v = zero + v * w
            v1 = zero + v1 * w
            v2 = zero + v2 * w
            v3 = zero + v3 * w
            store(out + x, v)
            store(out + x + sizeof(vec), v1)
            store(out + x + 2 * sizeof(vec), v2)
            store(out + x + 3 * sizeof(vec), v3)
            v = (v + v1) + (v2 + v3)
            check = check + v * zero
    for x from quads_end <= x < n * size by sizeof(vec):
        v = load(zero, row + x)
        store(last + x, v)
        for t in range(b.steps):
            u = load(zero, at[t] + x)
            store(at[t] + x, v)
            v = u + v
            if term[t] != NULL:
                v = load(zero, term[t] + x) + v
        if makes:
            v = zero + v * w
            store(out + x if x < whole else b.plane + x, v)
            if x < whole:
                check = check + v * zero
    if not makes:
        return True
    if whole < n * size:
        memcpy(out + whole, b.plane + whole, n * size - whole)
    if vec is vf4:
        store(<char*> room, check)
        for i in range(<Py_ssize_t> (sizeof(vec) // sizeof(float))):
            if (<float*> room)[i] != 0:
                return False
        for x in range(whole // size, n):
            if (<float*> out)[x] - (<float*> out)[x] != 0:
                return False
    elif vec is vf8:
        store(<char*> room, check)
        for i in range(<Py_ssize_t> (sizeof(vec) // sizeof(double))):
            if (<double*> room)[i] != 0:
                return False
        for x in range(whole // size, n):
            if (<double*> out)[x] - (<double*> out)[x] != 0:
                return False
    return True


cdef bint box_of(
    vec zero, Job* job, Box* b, const char* row, Py_ssize_t r, Py_ssize_t n, char* out, bint makes,
) noexcept nogil:
    """A row of the image into the sums."""
    row = box_along(zero, row, b.along[0], b.along[1], n, job.kw, job.parts * lane_size(zero))
    return box_down(zero, row, b, r, n, job.kh, b.value[b.lane], out, makes)


cdef bint box_lane(
    int kind, Job* job, Box* b, const char* row, Py_ssize_t r, Py_ssize_t n, char* out, bint makes,
) noexcept nogil:
    """box_of in the lane of a type."""
    cdef extended zero = 0
    cdef const char* z = <const char*> &zero
    if kind == F4:
        return box_of(vf4_splat(z), job, b, row, r, n, out, makes)
    elif kind == F8:
        return box_of(vf8_splat(z), job, b, row, r, n, out, makes)
    elif kind == I2:
        return box_of(vi2_splat(z), job, b, row, r, n, out, makes)
    elif kind == I4:
        return box_of(vi4_splat(z), job, b, row, r, n, out, makes)
    else:
        return box_of(vi8_splat(z), job, b, row, r, n, out, makes)


cdef Py_ssize_t lay_box(Job* job, Box* b, char* base) noexcept nogil:
    """Place the scratch buffers of a call from base on; the bytes they take."""
    cdef Py_ssize_t size = 2, k, bit = 1, a = 1, depth = job.kh, numbers, most, tiles, lanes = 1
    cdef char* at = base
    for k in range(job.n_lanes):
        size = max(size, type_size(job.lanes[k].kind))
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    b.steps = 0
    while 2 * bit <= job.kh:
        bit *= 2
    while bit > 1:
        bit //= 2
        b.span[b.steps] = a
        b.odd[b.steps] = job.kh & bit != 0
        depth += a
        a = 2 * a + b.odd[b.steps]
        b.steps += 1
    most = min(MOST_NUMBERS, max(max(16 * lanes, 2 * job.kw * job.parts), BOX_BYTES // (depth * size))) // job.parts
    most = max(most, 1)
    tiles = (job.n + most - 1) // most
    b.width = min(job.n, ((job.n + tiles - 1) // tiles + lanes - 1) // lanes * lanes)
    numbers = b.width * job.parts + lanes
    b.pitch = (numbers * size + 63) // 64 * 64
    b.rows = carve(&at, job.kh * b.pitch)
    for k in range(b.steps):
        b.level[k] = carve(&at, b.span[k] * b.pitch)
    b.plane = carve(&at, b.pitch)
    numbers += job.kw * job.parts + 4 * lanes
    b.row = carve(&at, numbers * size)
    b.along[0] = carve(&at, numbers * size)
    b.along[1] = carve(&at, numbers * size)
    b.edge.source = <Py_ssize_t*> carve(&at, sizeof(Py_ssize_t))
    b.edge.run = <Py_ssize_t*> carve(&at, (b.width + job.kw) * 4 * <Py_ssize_t> sizeof(Py_ssize_t))
    b.edge.raw = carve(&at, 0 if job.plain and not job.lift else (b.width + job.kw) * type_size(job.kind))
    return at - base


cdef int box_tile(
    Job* job, Box* b, Ring* t, Py_ssize_t y_from, Py_ssize_t y_to, Py_ssize_t x0, Py_ssize_t x1, bint* repairs,
) noexcept nogil:
    """Outputs y_from <= y < y_to, x0 <= x < x1; -1 where memory fails."""
    cdef Py_ssize_t n = (x1 - x0) * job.parts, r = y_from, y = y_from, bad = y_from, source, slack, i
    cdef Lane* ln
    cdef const char* row
    cdef char* out
    cdef bint whole, inside, packed = job.col_stride == job.parts * type_size(job.kind) and not job.lift
    b.lane = 0 if job.plain else job.n_lanes - 1            # only plain numbers are measured
    b.n_runs = runs_of(job, job.left + x0, x1 - x0 + job.kw - 1, b.edge.run)
    slack = 2 * max(1, RC_BYTES)
    while y < y_to:
        ln = &job.lanes[b.lane]
        whole = is_straight(job, ln)
        inside = (b.lane == job.n_lanes - 1 and in_place(job, ln) and job.left + x0 >= 0 and (
            (job.cols - job.left - x0) * job.parts - n - job.kw * job.parts) * type_size(ln.kind) >= slack)
        source = index_map(job.top + r + 2, job.rows, job.boundary)
        if source >= 0 and packed:
            row = job.image + source * job.row_stride + (job.left + x0) * job.col_stride
            for i from 0 <= i < (n + job.kw * job.parts) * type_size(job.kind) by 64:
                RC_READ_SOON(row + i)
        source = b.edge.source[0] = index_map(job.top + r, job.rows, job.boundary)
        if inside and source >= 0:
            row = job.image + source * job.row_stride + (job.left + x0) * job.col_stride
        else:
            row = b.row
            if gather_lane(job, &b.edge, ln.kind, b.row, 0, 1, b.n_runs, b.lane < job.n_lanes - 1) > ln.limit and (
                    b.lane < job.n_lanes - 1):
                b.lane += 1
                r = y
                continue
        out = job.out + y * job.out_row_stride + x0 * job.out_col_stride
        if not box_lane(ln.kind, job, b, row, r, n, out if whole else b.plane, r >= y + job.kh - 1):
            repairs[0] = True
        elif r >= y + job.kh - 1:
            if bad < y and sum_directly(job, t, bad, y, x0, x1):
                return -1
            bad = y + 1
        if r >= y + job.kh - 1:
            if not whole:
                put_row(job, ln.kind, b.plane, NULL, out, x1 - x0)
            y += 1
        r += 1
    if bad < y_to:
        return sum_directly(job, t, bad, y_to, x0, x1)
    return 0


cdef int run_box(Job* job, Box* b, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """Do a part of a call; -1 where there is no scratch memory to be had."""
    cdef Ring t
    cdef Py_ssize_t x = 0, bytes = lay_box(job, b, NULL) + 64
    cdef int failed = 0
    cdef bint repairs = False
    cdef char* memory = <char*> malloc(bytes)
    if memory == NULL:
        return -1
    memset(memory, 0, bytes)            # what is read beyond a row, and rows before the first, are numbers
    lay_box(job, b, memory + (64 - <size_t> memory % 64))
    t.direct_memory = NULL
    while x < job.n and not failed:
        failed = box_tile(job, b, &t, y_from, y_to, x, min(job.n, x + b.width), &repairs)
        x += b.width
    if repairs and not failed and needs_repair(job):
        repair(job, &t.direct, y_from, y_to)
    free(t.direct_memory)
    free(memory)
    return failed


cdef int see_box(Job* job, Box* box, tuple work, list lanes) except -1:
    """Describe a correlation with a kernel whose taps are all equal and real.

    work : as in `correlate`
    lanes : list of (value, real part, limit), tried in turn
        Contiguous arrays in the lane's type: one tap, and the kernel as for correlate, which is read in floating lanes only.
    """
    cdef cnp.ndarray part
    cdef int k = 0
    see_work(job, work)
    job.n_lanes = len(lanes)
    for value, real_part, limit in lanes:
        part = value
        box.value[k] = cnp.PyArray_BYTES(part)
        job.lanes[k].kind = kind_of(cnp.PyArray_TYPE(part))
        part = real_part
        job.lanes[k].real_part = cnp.PyArray_BYTES(part)
        job.lanes[k].imag_part = NULL
        job.lanes[k].limit = limit
        k += 1
    return 0
