# The separable road: a kernel that is a sum of a few products column[i] * row[j] is summed row by row, then column by
# column, kh + kw multiply-adds an output and product instead of kh * kw.
#
#   image row --gather, split--> 4 phases --quads--> a row of the ring --columns--> 16 rows of results
#
# A batch is 16 output rows.  Each row of the image that it needs and the ring does not hold yet is read once, through
# the boundary's maps, and its sums along the row go to the ring, which keeps kh - 1 + 16 rows; a row beyond an edge
# copies the sums of the row it stands for.  The ring is cut into strips of 4 vectors, and a strip's rows lie one after
# another: the sums down a strip read memory in one run.
#
#        ring       strip 0      strip 1
#        row 0    | . . . . |  | . . . . |
#        row 1    | . . . . |  | . . . . |
#        ...
#
# Every output is summed along the row tap by tap, then down the column tap by tap, product after product, each in one
# accumulator, or along and down in pairs of inputs (pairs.pxi): its bits do not depend on tiles, layout or workers.
#
# A strip of a batch with a result that is not finite is summed directly instead (NaN and infinities of the image would
# spread over the kernel's zeros and meet in other orders).

cdef enum:
    BATCH = 16              # output rows of a batch; divides TILE_ROWS, for strips of it may be summed again
    RING_BYTES = 1 << 20    # the rings of a tile
    MOST_NUMBERS = 2048     # in a row of a tile

ctypedef struct Factors:
    const char* columns[MAX_LANES]      # planes x rank x kh in the lane's type
    const char* rows[MAX_LANES]         # rank x kw
    int planes                          # 2: a complex kernel, sums of real and of imaginary parts
    int rank
    int row_order, column_order         # of the taps: pairs, where one of them is antisymmetric, else TAPS
    Py_ssize_t top, height, left, width     # taps that are not zeros at the ends of every factor
    bint clamp                          # the kernel is not negative: nor is a sum of what is not

cdef enum:           # of a row of the image
    NOT_FINITE = 1
    NEGATIVE = 2

cdef enum:
    EMPTY = -2              # no row of an image

ctypedef struct Ring:
    Scratch edge[3]             # gathers the left part of a row, the right part, a whole row
    Py_ssize_t runs[3]
    char* row                   # a gathered row, zeros behind it
    char* phases
    char* ring                  # rank x strips x slots x 4 vectors
    char* plane[2]              # a batch of sums
    Py_ssize_t* source          # rows of the image (-1: fill) whose sums are in the slots of the ring, or EMPTY
    char* flags                 # of those rows
    char* bad                   # strips of a batch with results that are not finite
    const char** at             # the rows of the ring that a batch needs, in the first strip
    const char** inputs         # the numbers of a row in its phases, those of the first four outputs
    Py_ssize_t slots
    Py_ssize_t width            # pixels of a tile
    int lane                    # in use
    Scratch direct
    char* direct_memory
    # of the tile and the lane in use
    Py_ssize_t size, lanes, strips, strip_bytes, groups, phase_pitch
    Py_ssize_t first, end       # groups of a row to split where the image lies
    bint splits, watched


cdef int line_order(const lane* w, Py_ssize_t n) noexcept nogil:
    """In which order the taps of a line are met: in pairs, if that is what they are."""
    cdef Py_ssize_t i
    cdef bint even = n % 2 == 1 and n > 1, odd = even
    for i in range(n // 2):
        even &= w[i] == w[n - 1 - i]
        odd &= w[i] == -w[n - 1 - i]
    return SYMMETRIC if even else SKEW if odd else TAPS


cdef int order_of(int kind, const char* w, Py_ssize_t n) noexcept nogil:
    """line_order in the lane of a type: whole sums are the same in any order."""
    if kind == F4:
        return line_order(<const float*> w, n)
    elif kind == F8:
        return line_order(<const double*> w, n)
    else:
        return TAPS


cdef void trim_taps(Job* job, Factors* f) noexcept nogil:
    """Find the taps that are not zeros at the ends of every factor, and the order in which they are met."""
    cdef int kind = job.lanes[0].kind            # of whole numbers, another lane sums in any order
    cdef Py_ssize_t i, q, size = type_size(job.lanes[0].kind), b
    cdef Py_ssize_t low = job.kh, high = 0, first = job.kw, last = 0
    for q in range(f.planes * f.rank):
        for i in range(job.kh):
            for b in range(size):
                if f.columns[0][(q * job.kh + i) * size + b] != 0:
                    low = min(low, i)
                    high = max(high, i + 1)
                    break
    for q in range(f.rank):
        for i in range(job.kw):
            for b in range(size):
                if f.rows[0][(q * job.kw + i) * size + b] != 0:
                    first = min(first, i)
                    last = max(last, i + 1)
                    break
    f.top = min(low, job.kh - 1)
    f.height = max(1, high - f.top)
    f.left = min(first, job.kw - 1)
    f.width = max(1, last - f.left)
    f.row_order = f.column_order = TAPS
    if f.planes == 1 and f.rank == 1:
        f.row_order = order_of(kind, f.rows[0] + f.left * size, f.width)
        f.column_order = order_of(kind, f.columns[0] + f.top * size, f.height)
        if f.row_order != SKEW and f.column_order != SKEW:
            f.row_order = f.column_order = TAPS


cdef Py_ssize_t lay_ring(Job* job, Factors* f, Ring* t, char* base) noexcept nogil:
    """Place the scratch buffers of a call from base on; the bytes they take."""
    cdef Py_ssize_t size = 2, lanes = 1, k, most, vector, numbers, tiles
    cdef Py_ssize_t word = sizeof(Py_ssize_t)
    cdef char* at = base
    for k in range(job.n_lanes):
        size = max(size, type_size(job.lanes[k].kind))
        lanes = max(lanes, lanes_of(job.lanes[k].kind))
    vector = max(RC_BYTES, size)
    t.slots = job.kh - 1 + BATCH
    most = min(MOST_NUMBERS, RING_BYTES // (f.rank * t.slots * size)) // job.parts
    most = max(most, (8 * lanes + job.parts - 1) // job.parts)
    tiles = (job.n + most - 1) // most
    t.width = min(job.n, ((job.n + tiles - 1) // tiles + 4 * lanes - 1) // (4 * lanes) * (4 * lanes))
    numbers = t.width * job.parts + 4 * lanes               # strips of the widest lane, and what fills the last one
    t.ring = carve(&at, f.rank * t.slots * numbers * size)
    for k in range(f.planes):
        t.plane[k] = carve(&at, BATCH * numbers * size)
    numbers += 2 * job.kw * job.parts + 16 * lanes
    t.row = carve(&at, numbers * size)
    t.phases = carve(&at, numbers * size + 4 * 64)
    t.source = <Py_ssize_t*> carve(&at, t.slots * word)
    t.flags = carve(&at, t.slots)
    t.bad = carve(&at, numbers)
    t.at = <const char**> carve(&at, t.slots * word)
    t.inputs = <const char**> carve(&at, (job.kw + 3) * word)
    for k in range(3):
        t.edge[k].source = <Py_ssize_t*> carve(&at, word)
        t.edge[k].run = <Py_ssize_t*> carve(&at, (t.width + job.kw) * 4 * word)
        t.edge[k].raw = carve(&at, 0 if job.plain and not job.lift else (t.width + job.kw) * type_size(job.kind))
    t.direct_memory = NULL
    return at - base


cdef void enter_tile(Job* job, Factors* f, Ring* t, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Measures of a tile in the lane in use."""
    cdef Py_ssize_t group, reach, here, needed, pixel, slot
    cdef int kind = job.lanes[t.lane].kind
    cdef bint floating = kind == F4 or kind == F8
    t.size = type_size(kind)
    t.lanes = lanes_of(kind)
    group = 4 * t.lanes
    t.strips = ((x1 - x0) * job.parts + group - 1) // group
    t.strip_bytes = group * t.size
    t.splits = f.width >= 4 and lane_splits(kind, job.parts)
    if t.splits:
        reach = (f.width + 2) // 4 * job.parts
        t.groups = t.strips + (reach + t.lanes - 1) // t.lanes
    else:
        t.groups = t.strips + ((f.width - 1) * job.parts + group - 1) // group
    t.phase_pitch = t.groups * t.lanes * t.size
    for slot in range(f.width + 3):
        t.inputs[slot] = t.phases + slot % 4 * t.phase_pitch + slot // 4 * job.parts * t.size
    for slot in range(t.slots):
        t.source[slot] = EMPTY
    t.watched = floating and (f.clamp or f.height < job.kh or f.width < job.kw)
    memset(t.row, 0, (job.kw * job.parts + t.groups * group) * t.size)
    t.runs[2] = runs_of(job, job.left + x0, x1 - x0 + job.kw - 1, t.edge[2].run)
    # groups that lie in the image, and hold no number that no output needs
    t.first = t.end = 0
    if (t.splits and not t.watched and job.plain and not job.lift and same_bits(job.kind, kind)
            and job.col_stride == job.parts * t.size and t.lane == job.n_lanes - 1):
        here = (job.left + x0 + f.left) * job.parts
        needed = (x1 - x0 + f.width - 1) * job.parts
        t.first = 0 if here >= 0 else (group - 1 - here) // group
        t.end = max(t.first, min(needed, job.cols * job.parts - here) // group)
        if t.end == t.first:
            t.first = t.end = 0
    if t.end > t.first:
        pixel = (t.first * group + job.parts - 1) // job.parts
        t.runs[0] = runs_of(job, job.left + x0 + f.left, pixel, t.edge[0].run) if pixel else 0
        pixel = t.end * group // job.parts
        needed = x1 - x0 + f.width - 1
        t.runs[1] = runs_of(job, job.left + x0 + f.left + pixel, needed - pixel, t.edge[1].run) if needed > pixel else 0


cdef char look(const lane* p, Py_ssize_t n) noexcept nogil:
    """What flags n numbers deserve."""
    cdef Py_ssize_t i
    cdef int bad = 0, below = 0
    for i in range(n):
        bad |= p[i] - p[i] != 0
        below |= p[i] < 0
    return (NOT_FINITE if bad else 0) | (NEGATIVE if below else 0)


cdef bint repeat_row(Factors* f, Ring* t, Py_ssize_t source, Py_ssize_t slot) noexcept nogil:
    """Copy sums along an image row, or along fill, to a slot of the ring; False where the ring does not hold them."""
    cdef Py_ssize_t k, s
    cdef char* strip = t.ring
    for k in range(t.slots):
        if t.source[k] == source:
            for s in range(f.rank * t.strips):
                memcpy(strip + slot * t.strip_bytes, strip + k * t.strip_bytes, t.strip_bytes)
                strip += t.slots * t.strip_bytes
            t.flags[slot] = t.flags[k]
            t.source[slot] = source
            return True
    return False


cdef bint read_row(Job* job, Factors* f, Ring* t, Py_ssize_t r, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Sums along the image row under row r of the outputs; False where the lane is not exact for its numbers."""
    cdef Lane* ln = &job.lanes[t.lane]
    cdef Py_ssize_t source = index_map(job.top + r, job.rows, job.boundary), slot = r % t.slots, q, group = t.strip_bytes
    cdef Py_ssize_t pixel, below = index_map(job.top + r + 1, job.rows, job.boundary)
    cdef const char* p
    cdef const char* ahead = NULL
    cdef char* out
    cdef char* row = t.row + f.left * job.parts * t.size
    cdef bint measured = t.lane < job.n_lanes - 1
    if not t.slots <= job.top + r < job.rows and repeat_row(f, t, source, slot):      # beyond an edge, or after its mirror
        return True
    t.source[slot] = EMPTY
    for q in range(3):
        t.edge[q].source[0] = source
    if source >= 0 and t.end > t.first:
        p = job.image + source * job.row_stride + (job.left + x0 + f.left) * job.col_stride
        split_lane(ln.kind, p + t.first * group, t.phases + t.first * t.lanes * t.size, t.phase_pitch, t.end - t.first, job.parts)
        if t.first:
            gather_lane(job, &t.edge[0], ln.kind, row, 0, 1, t.runs[0], False)
            split_lane(ln.kind, row, t.phases, t.phase_pitch, t.first, job.parts)
        if t.runs[1]:
            pixel = t.end * group // (job.parts * t.size)
            gather_lane(job, &t.edge[1], ln.kind, row + pixel * job.parts * t.size, 0, 1, t.runs[1], False)
        split_lane(ln.kind, row + t.end * group, t.phases + t.end * t.lanes * t.size, t.phase_pitch, t.groups - t.end, job.parts)
    else:
        if gather_lane(job, &t.edge[2], ln.kind, t.row, 0, 1, t.runs[2], measured) > ln.limit and measured:
            return False
        if t.splits:
            split_lane(ln.kind, row, t.phases, t.phase_pitch, t.groups, job.parts)
    if t.watched:
        if ln.kind == F4:
            t.flags[slot] = look(<const float*> t.row, (x1 - x0 + job.kw - 1) * job.parts)
        else:
            t.flags[slot] = look(<const double*> t.row, (x1 - x0 + job.kw - 1) * job.parts)
    if below >= 0 and job.kind == ln.kind and job.col_stride == job.parts * t.size:
        ahead = job.image + below * job.row_stride + max(0, job.left + x0) * job.col_stride
    for q in range(f.rank):
        out = t.ring + q * t.strips * t.slots * t.strip_bytes + slot * t.strip_bytes
        p = f.rows[t.lane] + (q * job.kw + f.left) * t.size
        if t.splits and f.row_order != TAPS:
            pair_lane(ln.kind, t.inputs, out, t.slots * t.strip_bytes, t.strips, p, f.width, ahead, f.row_order, job.parts)
            ahead = NULL
        elif t.splits:
            quad_lane(ln.kind, t.phases, t.phase_pitch, out, t.slots * t.strip_bytes, t.strips, p, f.width,
                      ahead, job.parts)
            ahead = NULL
        else:
            trail_lane(ln.kind, row, out, t.slots * t.strip_bytes, t.strips, p, f.width, job.parts * t.size,
                       f.row_order)
    t.source[slot] = source
    return True


cdef int sum_directly(Job* job, Ring* t, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1) noexcept nogil:
    """Outputs y0 <= y < y1, x0 <= x < x1 tap by tap; -1 where there is no scratch memory to be had."""
    cdef Job other = job[0]
    cdef Py_ssize_t y, x, w, m, lanes = lanes_of(job.lanes[0].kind)
    if t.direct_memory == NULL:
        other.plain = False             # its scratch memory serves gathered tiles of any place
        t.direct_memory = <char*> malloc(lay_out(&other, &t.direct, NULL, False) + 64)
        if t.direct_memory == NULL:
            return -1
        lay_out(&other, &t.direct, t.direct_memory + (64 - <size_t> t.direct_memory % 64), False)
        t.direct.image = job.image
        t.direct.out = job.out
        enter_plane(job, &t.direct, 0)
    y = y0
    while y < y1:
        m = min(t.direct.tile_rows, y1 - y)
        x = x0
        while x < x1:
            w = piece(x1 - x, pixels(job, GATHER_BYTES), lanes)
            tile(job, &t.direct, y, y + m, x, x + w, False)
            x += w
        y += m
    return 0


cdef void clamp_row(lane* p, Py_ssize_t n) noexcept nogil:
    """No number below 0."""
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = p[i] if p[i] > 0 else 0


cdef int batch(
    Job* job, Factors* f, Ring* t, Py_ssize_t y, Py_ssize_t m, Py_ssize_t x0, Py_ssize_t x1, bint* repairs,
) noexcept nogil:
    """Sums down the columns of the ring: output rows y <= . < y + m of a tile; -1 where memory fails."""
    cdef Lane* ln = &job.lanes[t.lane]
    cdef Py_ssize_t i, s, slot, n = (x1 - x0) * job.parts, group = 4 * t.lanes, pitch, bytes
    cdef Py_ssize_t ring_pitch = t.strips * t.slots * t.strip_bytes
    cdef int p, planes = f.planes
    cdef bint whole = planes == 1 and is_straight(job, ln), floating = ln.kind == F4 or ln.kind == F8, any_bad = False
    cdef char flags = 0, all_flags = 0
    cdef Columns down = columns_of(ln.kind)
    cdef char* dest
    cdef char* out = job.out + y * job.out_row_stride + x0 * job.out_col_stride
    slot = (y + f.top) % t.slots
    for i in range(m + f.height - 1):
        t.at[i] = t.ring + slot * t.strip_bytes
        slot = slot + 1 if slot + 1 < t.slots else 0
    if t.watched:
        for i in range(m + job.kh - 1):
            all_flags |= t.flags[(y + i) % t.slots]
    pitch = t.strips * t.strip_bytes
    for s in range(t.strips):
        t.bad[s] = all_flags & NOT_FINITE
        for p in range(planes):
            dest = t.plane[p] + s * t.strip_bytes
            if whole and (s + 1) * group <= n:
                dest = out + s * t.strip_bytes
            if not down(
                    t.at, s * t.slots * t.strip_bytes, ring_pitch, f.height,
                    f.columns[t.lane] + (p * f.rank * job.kh + f.top) * t.size, job.kh * t.size, f.rank, f.column_order, m, dest,
                    job.out_row_stride if whole and (s + 1) * group <= n else pitch):
                t.bad[s] = 1
        any_bad |= t.bad[s]
    bytes = n * t.size % t.strip_bytes
    for i in range(m):
        if whole and bytes:
            memcpy(out + i * job.out_row_stride + n * t.size - bytes, t.plane[0] + i * pitch + n * t.size - bytes, bytes)
        if whole and f.clamp and not all_flags & NEGATIVE and floating:
            if ln.kind == F4:
                clamp_row(<float*> (out + i * job.out_row_stride), n)
            else:
                clamp_row(<double*> (out + i * job.out_row_stride), n)
        if whole:
            continue
        if f.clamp and not all_flags & NEGATIVE and floating and planes == 1:
            if ln.kind == F4:
                clamp_row(<float*> (t.plane[0] + i * pitch), n)
            else:
                clamp_row(<double*> (t.plane[0] + i * pitch), n)
        put_row(job, ln.kind, t.plane[0] + i * pitch, t.plane[1] + i * pitch if planes == 2 else NULL,
                out + i * job.out_row_stride, x1 - x0)
    if not any_bad:
        return 0
    repairs[0] = True
    s = 0
    while s < t.strips:
        if not t.bad[s]:
            s += 1
            continue
        i = s
        while s < t.strips and t.bad[s]:
            s += 1
        if sum_directly(job, t, y, y + m, x0 + i * group // job.parts,
                        min(x1, x0 + (s * group + job.parts - 1) // job.parts)):
            return -1
    return 0


cdef int walk_rings(Job* job, Factors* f, Ring* t, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of the output rows y_from <= y < y_to; y_from is a multiple of TILE_ROWS."""
    cdef Py_ssize_t x, x1, y, m, r
    cdef bint repairs = False
    x = 0
    while x < job.n:
        x1 = min(job.n, x + t.width)
        t.lane = 0 if job.plain else job.n_lanes - 1        # only plain numbers are measured
        enter_tile(job, f, t, x, x1)
        y = r = y_from
        while y < y_to:
            m = min(BATCH, y_to - y)
            while r < y + m + job.kh - 1:
                if read_row(job, f, t, r, x, x1):
                    r += 1
                else:
                    t.lane += 1             # and again from the first row this batch needs
                    enter_tile(job, f, t, x, x1)
                    r = y
            if batch(job, f, t, y, m, x, x1, &repairs):
                return -1
            y += m
        x = x1
    if repairs and needs_repair(job):
        repair(job, &t.direct, y_from, y_to)
    return 0


cdef int run_rings(Job* job, Factors* f, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """Do a part of a call; -1 where there is no scratch memory to be had."""
    cdef Ring t
    cdef int failed
    cdef char* memory = <char*> malloc(lay_ring(job, f, &t, NULL) + 64)
    if memory == NULL:
        return -1
    lay_ring(job, f, &t, memory + (64 - <size_t> memory % 64))
    failed = walk_rings(job, f, &t, y_from, y_to)
    free(t.direct_memory)
    free(memory)
    return failed


cdef int see_factors(Job* job, Factors* factors, tuple work, list lanes, bint clamp) except -1:
    """Describe a correlation with a kernel that is a sum of products of a column and a row.

    work : as in `correlate`
    lanes : list of (columns, rows, real part, imaginary part or None, limit), tried in turn
        Contiguous arrays in the lane's type: columns of shape (planes, rank, kh), rows of shape (rank, kw); the kernel's real
        part is the sum over q of columns[0, q] x rows[q], its imaginary part, where planes is 2, that of columns[1, q].
        Real and imaginary part are the kernel as for correlate; where the lane is an integer type they are not read.
    clamp : whether no tap is negative, so that where no pixel is either no result may be
    """
    cdef cnp.ndarray part
    cdef int k = 0
    see_work(job, work)
    job.n_lanes = len(lanes)
    factors.clamp = clamp
    for columns, rows, real_part, imag_part, limit in lanes:
        part = columns
        factors.columns[k] = cnp.PyArray_BYTES(part)
        factors.planes = cnp.PyArray_DIM(part, 0)
        factors.rank = cnp.PyArray_DIM(part, 1)
        job.lanes[k].kind = kind_of(cnp.PyArray_TYPE(part))
        part = rows
        factors.rows[k] = cnp.PyArray_BYTES(part)
        part = real_part
        job.lanes[k].real_part = cnp.PyArray_BYTES(part)
        job.lanes[k].imag_part = NULL
        if imag_part is not None:
            part = imag_part
            job.lanes[k].imag_part = cnp.PyArray_BYTES(part)
        job.lanes[k].limit = limit
        k += 1
    trim_taps(job, factors)
    return 0
