# Sums of narrow integers, several products an instruction: four bytes, or two shorts, of neighbouring rows make a lane.
#
#     image   a b c        row 0 of quads   aehk bfil ...     output row y is the sum of the quads of row y under the kernel's
#             e f g        row 1            ehkn filo ...     rows 0 to 3, those of row y + 4 under its rows 4 to 7, and so on:
#             h i j                                           every fourth row of quads is an image of its own, under a kernel
#             k l m                                           of a fourth of the rows, for direct.pxi to sum


cdef inline int rows_of(Lane* ln) noexcept nogil:
    """Rows of an image that are joined in a lane."""
    return 4 if ln.kind == Q4 else 2 if ln.kind == P4 else 1


cdef inline void join_row(
    const unsigned int* above, const unsigned short* row, unsigned int* to, Py_ssize_t n, const int bits,
) noexcept nogil:
    """Lanes of the rows of those above, but the first one, and of a further row."""
    cdef Py_ssize_t x
    for x in range(n):
        to[x] = (above[x] >> bits) | (<unsigned int> row[x] << (32 - bits))


cdef void join_rows(
    Job* job, Scratch* sc, char* block, Py_ssize_t pitch, Py_ssize_t first, Py_ssize_t m, Py_ssize_t rows, Py_ssize_t n,
    Py_ssize_t n_runs, int joined,
) noexcept nogil:
    """Rows of lanes, of m rows of the image from position first on, and of anything below them, under taps of zero.

    block : rows + joined of them
    """
    cdef Py_ssize_t i
    cdef char* row = block + (rows + 1) * pitch
    cdef char* to
    cdef char* above = block
    for i in range(rows + joined - 1):
        if i < m:
            source_rows(job, sc, first + i, 1)
            gather_lane(job, sc, I2, row, pitch, 1, n_runs, False)
        to = block + (i - joined + 1 if i >= joined else (joined - 1 - i) % 2) * pitch
        if joined == 4:
            join_row(<unsigned int*> above, <unsigned short*> row, <unsigned int*> to, n, 8)
        else:
            join_row(<unsigned int*> above, <unsigned short*> row, <unsigned int*> to, n, 16)
        above = to


cdef void dots_in(
    Job* job, Scratch* sc, Lane* ln, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, Py_ssize_t n_runs,
) noexcept nogil:
    """A tile in a lane of several rows: gathered, joined, summed as so many images; its sums are int32 numbers."""
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, full = max(width * job.parts, lanes_of(ln.kind)), size = type_size(ln.kind)
    cdef Py_ssize_t row_pitch = block_pitch(job, ln, full), pitch = pitch_of(full * size), tap, first, group, low, k, i, p
    cdef Py_ssize_t joined = rows_of(ln), w_step = (job.kh + joined - 1) // joined * size
    cdef const char* sums = NULL
    cdef const char* w
    cdef char* dest = NULL
    for tap in range(job.taps):
        job.image = sc.under[tap]
        first = 0
        while first < job.kh:
            group = min(sc.group, job.kh - first)
            low = (group + joined - 1) // joined
            join_rows(job, sc, sc.block, row_pitch, job.top + y0 + first, m + group - 1, m + (low - 1) * joined,
                      full + (job.kw - 1) * job.parts, n_runs, joined)
            w = ln.real_part + tap * job.kw * w_step + first // joined * size
            dest = sc.plane[0] if sums != sc.plane[0] else sc.plane[1]
            for p in range(min(joined, m)):
                k = (m - p + joined - 1) // joined
                for i in range(k + low - 1):
                    sc.rows[i] = sc.block + (p + i * joined) * row_pitch
                correlate_lane(ln.kind, sc.rows, k, full, low, job.kw, w, w_step, job.parts * size,
                               sums + p * pitch if sums != NULL else NULL, joined * pitch, dest + p * pitch, joined * pitch, -k,
                               TAPS)
            sums = dest
            first += group
    for i in range(m):
        put_row(job, I4, dest + i * pitch, NULL, job.out + (y0 + i) * job.out_row_stride + x0 * job.out_col_stride, width)
