# Several kernels, each a sum of products of a column and a row, over pieces of a picture: the sums of a piece meet while they
# are in the cache.
#
#     piece of the picture --rings of kernel 0--> sums \
#                          --rings of kernel 1--> sums  -> magnitude, maximum, ... -> result
#
# Where pixels do not count, a piece is gathered with zeros in their place, and kernel 1, which is |kernel 0|, runs over a
# second block, of what counts.

cdef enum:
    PIECE_ROWS = 128            # a multiple of BATCH
    PIECE_BYTES = 2048          # a row of sums
    MOST_KERNELS = 64

MOST_PRODUCTS = MOST_KERNELS        # kernels that `correlate_products` takes

ctypedef struct Chord:
    Several sv
    Factors factors[MOST_KERNELS]
    Job jobs[MOST_KERNELS]      # of a piece, each with its kernel
    char* sums                  # of the kernel at work
    Py_ssize_t row_pitch        # of the blocks
    double total                # sums of kernel 1 where everything counts


cdef Py_ssize_t lay_chord(Job* job, Chord* ch, char* base) noexcept nogil:
    """Place the scratch buffers of a call from base on; the bytes they take."""
    cdef Lane* ln = &job.lanes[0]
    cdef Py_ssize_t size = type_size(ln.kind), rows = PIECE_ROWS + job.kh, word = sizeof(char*), plane, block
    cdef Scratch* sc = &ch.sv.sc
    cdef char* at = base
    ch.sv.width = max(1, min(job.n, PIECE_BYTES // (job.parts * size)))
    plane = PIECE_ROWS * ch.sv.width * job.parts * size
    ch.row_pitch = block_pitch(job, ln, ch.sv.width * job.parts)
    block = rows * ch.row_pitch if ch.sv.combine == SEEN else 0
    sc.block = carve(&at, block)
    ch.sv.seen = carve(&at, block)
    ch.sv.acc = carve(&at, plane)
    ch.sums = carve(&at, plane)
    sc.source = <Py_ssize_t*> carve(&at, rows * word)
    sc.run = <Py_ssize_t*> carve(&at, (ch.sv.width + job.kw) * 4 * word)
    sc.raw = carve(&at, (ch.sv.width + job.kw) * type_size(job.kind))
    return at - base


cdef void see_block(Job* job, const char* block, Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t pitch) noexcept nogil:
    """Describe a gathered block as the image of a job."""
    job.image = block
    job.rows = rows
    job.cols = cols
    job.row_stride = pitch
    job.kind = job.lanes[0].kind
    job.col_stride = job.parts * type_size(job.kind)
    job.plain = True
    job.swapped = False
    job.boundary = NEAREST
    job.top = job.left = 0


cdef int chord_piece(Job* job, Chord* ch, Py_ssize_t y, Py_ssize_t m, Py_ssize_t x, Py_ssize_t width) noexcept nogil:
    """m x width outputs from (y, x) on; -1 where memory fails."""
    cdef Job* part
    cdef int kind = job.lanes[0].kind, k
    cdef Py_ssize_t size = type_size(kind), n = width * job.parts, i
    cdef Scratch* sc = &ch.sv.sc
    cdef bint seen = ch.sv.combine == SEEN
    if seen:
        source_rows(job, sc, job.top + y, m + job.kh - 1)
        gather_lane(job, sc, kind, sc.block, ch.row_pitch, m + job.kh - 1,
                    runs_of(job, job.left + x, width + job.kw - 1, sc.run), False)
        gather_seen(job, &ch.sv, &job.lanes[0], job.top + y, x, width, m + job.kh - 1, ch.row_pitch)
    for k in range(ch.sv.count):
        part = &ch.jobs[k]
        part.m = m
        part.n = width
        part.out = ch.sv.acc if k == 0 else ch.sums
        part.out_row_stride = n * size
        if seen:
            see_block(part, sc.block if k == 0 else ch.sv.seen, m + job.kh - 1, width + job.kw - 1, ch.row_pitch)
        else:
            part.top = job.top + y
            part.left = job.left + x
        if run_rings(part, &ch.factors[k], 0, m):
            return -1
        if kind == F4:
            meet_sums(ch.sv.combine, <float*> ch.sv.acc, <const float*> ch.sums, m * n, k, ch.sv.count, <float> ch.total)
        else:
            meet_sums(ch.sv.combine, <double*> ch.sv.acc, <const double*> ch.sums, m * n, k, ch.sv.count, ch.total)
    for i in range(m):
        put_row(job, kind, ch.sv.acc + i * n * size, NULL,
                job.out + (y + i) * job.out_row_stride + x * job.out_col_stride, width)
    return 0


cdef int see_total(Job* job, Chord* ch) noexcept nogil:
    """What kernel 1 sums to where everything counts, to the last bit; -1 where memory fails."""
    cdef Job one = ch.jobs[1]
    cdef Py_ssize_t i
    cdef double found = 0
    one.channels = one.parts = one.out_parts = 1
    one.m = one.n = 1
    one.out = <char*> &found
    one.out_row_stride = one.out_col_stride = type_size(one.lanes[0].kind)
    for i in range(job.kh):
        if one.lanes[0].kind == F4:
            fill_ones(<float*> (ch.sv.seen + i * ch.row_pitch), job.kw)
        else:
            fill_ones(<double*> (ch.sv.seen + i * ch.row_pitch), job.kw)
    see_block(&one, ch.sv.seen, job.kh, job.kw, ch.row_pitch)
    if run_rings(&one, &ch.factors[1], 0, 1):
        return -1
    ch.total = (<float*> &found)[0] if one.lanes[0].kind == F4 else found
    return 0


cdef int walk_pieces(Job* job, Chord* ch, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All pieces of the output rows y_from <= y < y_to; -1 where memory fails."""
    cdef Py_ssize_t y = y_from, m, x, width
    ch.total = 0
    if ch.sv.combine == SEEN and see_total(job, ch):
        return -1
    while y < y_to:
        m = min(PIECE_ROWS, y_to - y)
        x = 0
        while x < job.n:
            width = min(ch.sv.width, job.n - x)
            if chord_piece(job, ch, y, m, x, width):
                return -1
            x += width
        y += m
    return 0


def correlate_products(
    tuple work, list products, int combine, mask, bint omits, Py_ssize_t first_band, Py_ssize_t end_band,
):
    """As correlate_several, of kernels that are sums of products of a column and a row; bands as in `Lines`.

    Parameters
    ----------
    products : list of (columns, rows, kernel, clamp)
        As in `see_factors`, for each kernel, all in one floating lane.
    combine, omits : see Several;  mask : None, or work of the picture of what counts
    """
    cdef Job job, seen
    cdef Chord* ch
    cdef Job* part
    cdef Factors* f
    cdef cnp.ndarray array
    cdef char* memory
    cdef int k = 0, failed = -1
    see_work(&job, work)
    ch = <Chord*> malloc(sizeof(Chord))
    if ch == NULL:
        raise MemoryError("no scratch memory for the pieces")
    ch.sv.combine = combine
    ch.sv.count = len(products)
    ch.sv.omits = omits
    ch.sv.mask = NULL
    job.n_lanes = 1
    for columns, rows, kernel, clamp in products:
        f = &ch.factors[k]
        array = columns
        f.columns[0] = cnp.PyArray_BYTES(array)
        f.planes = 1
        f.rank = cnp.PyArray_DIM(array, 1)
        f.clamp = clamp
        job.lanes[0].kind = kind_of(cnp.PyArray_TYPE(array))
        job.lanes[0].imag_part = NULL
        job.lanes[0].limit = <unsigned long long> -1
        array = rows
        f.rows[0] = cnp.PyArray_BYTES(array)
        array = kernel
        job.lanes[0].real_part = cnp.PyArray_BYTES(array)
        part = &ch.jobs[k]
        part[0] = job
        part.store = KEEP_BITS
        part.out_kind = job.lanes[0].kind
        part.out_parts = job.parts
        part.out_col_stride = job.parts * type_size(part.out_kind)
        trim_taps(part, f)
        k += 1
    if mask is not None:
        see_work(&seen, mask)
        seen.n_lanes = 1
        ch.sv.mask = &seen
    with nogil:
        memory = <char*> malloc(lay_chord(&job, ch, NULL) + 64)
        if memory != NULL:
            lay_chord(&job, ch, memory + (64 - <size_t> memory % 64))
            failed = walk_pieces(&job, ch, first_band * TILE_ROWS, min(job.m, end_band * TILE_ROWS))
            free(memory)
        free(ch)
    if failed:
        raise MemoryError("no scratch memory for the pieces")
