# Sums of bytes as products of matrices of 16 x 64 and 64 x 16 of them, each one instruction (amx.h).
#
#     image   a a b b c c    in blocks, each     a a d d g g     which, from every block    a a d d g g
#             d d e e f f    a row of memory:    b b e e h h     on, are the rows of a      b b e e h h
#             g g h h i i                        c c f f i i     matrix:                    c c f f i i
#
# Blocks are EIGHT x EIGHT pixels, and 16 of them a matrix. A column of the other one has the taps that one output has on a block:
# products with those of 2 x 8 outputs, four times, are the sums of a strip of 8 x 128. Blocks under all taps of a kernel are
# (rows + 14) // 8 by (columns + 14) // 8.

cdef extern from "amx.h" nogil:
    const int RC_MATRICES
    void rc_matrices_begin()
    void rc_matrices_end()
    void rc_sums_nought()
    void rc_sums_load(const char* p)
    void rc_sums_store(char* p)
    void rc_sums_add(const int signs, const char* pixels, const char* taps, Py_ssize_t back)

cdef enum:
    EIGHT = 8               # rows and columns of a block, whose bytes are a line of the cache; MATRIX of _problem.py
    LINE = 64
    MATRIX = 16 * LINE
    TWO_ROWS = 4 * LINE     # of taps
    STRIP_COLS = 128        # columns of a strip
    STRIP_BYTES = 4096      # of its sums
    MATRIX_TILE = 128       # rows of a tile,
    MATRIX_NUMBERS = 1024   # and about as many numbers of such a row
    MOST_PARTS = 4          # of a pixel
    MOST_BLOCKS = 1024      # under a kernel: 1 MiB of taps
    PIXELS_SIGNED = 1
    TAPS_SIGNED = 2


cdef inline bint is_matrix(Lane* ln) noexcept nogil:
    """Whether the sums of a lane are products of matrices."""
    return RC_MATRICES and (ln.kind == MS or ln.kind == MU)


cdef inline Py_ssize_t blocks_under(Py_ssize_t taps) noexcept nogil:
    """Blocks under the taps of the outputs of a block, of as many rows, or columns, as a kernel has."""
    return (taps + 2 * EIGHT - 2) // EIGHT


cdef inline Py_ssize_t tap_bytes(Py_ssize_t down) noexcept nogil:
    """Of taps on blocks below each other: those for the next two rows of outputs are the same ones, TWO_ROWS before."""
    return down * MATRIX + 3 * TWO_ROWS


cdef Py_ssize_t lay_out_matrices(Job* job, Scratch* sc, char* base) noexcept nogil:
    """lay_out of a lane of matrices, which gathers all it reads."""
    cdef Py_ssize_t word = sizeof(char*), widest, strips, width, bands, budget, down = blocks_under(job.kh)
    cdef char* at = base
    sc.width = MATRIX_NUMBERS // job.parts // STRIP_COLS * STRIP_COLS
    widest = min(job.n, sc.width + lanes_of(I4))
    strips = (widest + STRIP_COLS - 1) // STRIP_COLS
    width = widest + job.kw - 1
    sc.slot_bytes = (strips * STRIP_COLS + EIGHT * blocks_under(job.kw) + LINE - 1) // LINE * LINE * EIGHT
    budget = BLOCK_BYTES // (job.parts * sc.slot_bytes)
    bands = max(1, min(min(MATRIX_TILE, job.m + EIGHT - 1) // EIGHT, budget // 2))
    sc.tile_rows = bands * EIGHT
    sc.group = max(1, min(down, budget - bands))
    sc.large = False
    sc.slots = 1
    sc.block = carve(&at, job.parts * (bands + sc.group) * sc.slot_bytes)
    sc.plane[0] = carve(&at, (1 if sums_at_once(job, sc) else bands) * job.parts * strips * STRIP_BYTES)
    sc.plane[1] = carve(&at, job.parts * strips * STRIP_BYTES)
    sc.plane[2] = carve(&at, job.parts * strips * STRIP_COLS * 4)
    sc.plane[3] = carve(&at, job.parts * width * 2)
    sc.under = <const char**> carve(&at, job.taps * word)
    sc.slot = <Py_ssize_t*> carve(&at, job.taps * word)
    sc.held = <const char**> carve(&at, word)
    sc.source = <Py_ssize_t*> carve(&at, word)
    sc.run = <Py_ssize_t*> carve(&at, width * 4 * word)
    sc.raw = carve(&at, 0 if job.plain and not job.lift else width * type_size(job.kind))
    return at - base


cdef inline bint sums_at_once(Job* job, Scratch* sc) noexcept nogil:
    """Whether all taps meet the blocks that are gathered at once, so that sums need not be kept."""
    return job.taps == 1 and sc.group == blocks_under(job.kh)


cdef inline void part_bytes(const short* s, char* d, Py_ssize_t pitch, Py_ssize_t n, const int parts) noexcept nogil:
    """The low bytes of n pixels, each part of them by itself, pitch bytes apart."""
    cdef Py_ssize_t i
    cdef int part
    for i in range(n):
        for part in range(parts):
            d[part * pitch + i] = <char> s[parts * i + part]


cdef inline void meet_parts(const int* s, Py_ssize_t pitch, int* d, Py_ssize_t n, const int parts) noexcept nogil:
    """Sums of n pixels, whose parts are pitch numbers apart, side by side."""
    cdef Py_ssize_t i
    cdef int part
    for i in range(n):
        for part in range(parts):
            d[parts * i + part] = s[part * pitch + i]


cdef void gather_blocks(
    Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t width, Py_ssize_t n_runs, Py_ssize_t part_pitch,
) noexcept nogil:
    """Rows of the image from position first on in rows of blocks, each part of the pixels by itself."""
    cdef short* row = <short*> sc.plane[3]
    cdef char* eight = sc.block + job.parts * part_pitch            # rows of each part, behind the blocks
    cdef char* to
    cdef Py_ssize_t i, x, pitch = sc.slot_bytes // EIGHT
    cdef int part
    for i in range(rows):
        source_rows(job, sc, first + i, 1)
        gather_lane(job, sc, I2, <char*> row, 0, 1, n_runs, False)
        to = eight + i % EIGHT * pitch
        if job.parts == 1:
            part_bytes(row, to, 0, width, 1)
        elif job.parts == 2:
            part_bytes(row, to, sc.slot_bytes, width, 2)
        elif job.parts == 3:
            part_bytes(row, to, sc.slot_bytes, width, 3)
        else:
            part_bytes(row, to, sc.slot_bytes, width, 4)
        if i % EIGHT == EIGHT - 1 or i == rows - 1:
            for part in range(job.parts):
                to = sc.block + part * part_pitch + i // EIGHT * sc.slot_bytes
                for x from 0 <= x < width by LINE:
                    vf8_transpose(eight + part * sc.slot_bytes + x, pitch, to + EIGHT * x, LINE)


cdef inline void add_products(
    const int signs, const char* pixels, Py_ssize_t pitch, const char* taps, Py_ssize_t down, Py_ssize_t across,
    Py_ssize_t beside,
) noexcept nogil:
    """To sums of a strip, over down x across blocks; pitch: bytes to blocks below, beside: to taps on those to the right."""
    cdef Py_ssize_t i, j
    for j in range(across):
        for i in range(down):
            rc_sums_add(signs, pixels + i * pitch + j * LINE, taps + j * beside + i * MATRIX + 3 * TWO_ROWS, TWO_ROWS)


cdef void sum_band(
    Job* job, Scratch* sc, Lane* ln, const char* pixels, const char* taps, Py_ssize_t down, Py_ssize_t strips,
    Py_ssize_t part_pitch, char* sums, bint adds,
) noexcept nogil:
    """Strips of sums of eight rows of outputs over down rows of blocks, from pixels on; adds: to those of others."""
    cdef Py_ssize_t x, across = blocks_under(job.kw), beside = tap_bytes(blocks_under(job.kh))
    cdef int part, signs = (PIXELS_SIGNED if job.kind == I1 else 0) | (TAPS_SIGNED if ln.kind == MS else 0)
    rc_matrices_begin()
    for part in range(job.parts):
        for x in range(strips):
            if adds:
                rc_sums_load(sums)
            else:
                rc_sums_nought()
            if signs == 0:
                add_products(0, pixels + x * MATRIX, sc.slot_bytes, taps, down, across, beside)
            elif signs == PIXELS_SIGNED:
                add_products(1, pixels + x * MATRIX, sc.slot_bytes, taps, down, across, beside)
            elif signs == TAPS_SIGNED:
                add_products(2, pixels + x * MATRIX, sc.slot_bytes, taps, down, across, beside)
            else:
                add_products(3, pixels + x * MATRIX, sc.slot_bytes, taps, down, across, beside)
            rc_sums_store(sums)
            sums += STRIP_BYTES
        pixels += part_pitch
    rc_matrices_end()


cdef void put_band(
    Job* job, Scratch* sc, const char* sums, Py_ssize_t y, Py_ssize_t rows, Py_ssize_t x, Py_ssize_t width, Py_ssize_t strips,
) noexcept nogil:
    """Up to eight rows of sums to the result: in a strip, two rows of one block after the other, then two further ones."""
    cdef Py_ssize_t pitch = strips * STRIP_COLS * 4, i, k, strip
    cdef int part
    cdef char* row
    for part in range(job.parts):
        for strip in range(strips):
            for i from 0 <= i < EIGHT by 2:
                row = sc.plane[1] + (part * EIGHT + i) * pitch + strip * STRIP_COLS * 4
                for k in range(STRIP_COLS // EIGHT):
                    memcpy(row + k * 4 * EIGHT, sums, 4 * EIGHT)
                    memcpy(row + k * 4 * EIGHT + pitch, sums + 4 * EIGHT, 4 * EIGHT)
                    sums += 8 * EIGHT
    for i in range(rows):
        row = sc.plane[1] + i * pitch
        if job.parts == 2:
            meet_parts(<int*> row, EIGHT * pitch // 4, <int*> sc.plane[2], width, 2)
        elif job.parts == 3:
            meet_parts(<int*> row, EIGHT * pitch // 4, <int*> sc.plane[2], width, 3)
        elif job.parts == 4:
            meet_parts(<int*> row, EIGHT * pitch // 4, <int*> sc.plane[2], width, 4)
        put_row(job, I4, row if job.parts == 1 else sc.plane[2], NULL,
                job.out + (y + i) * job.out_row_stride + x * job.out_col_stride, width)


cdef void matrices_in(
    Job* job, Scratch* sc, Lane* ln, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, Py_ssize_t n_runs,
) noexcept nogil:
    """A tile in a lane of matrices, whose sums are int32 numbers."""
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, down = blocks_under(job.kh), bands = (m + EIGHT - 1) // EIGHT
    cdef Py_ssize_t strips = (width + STRIP_COLS - 1) // STRIP_COLS, part_pitch = (bands + sc.group - 1) * sc.slot_bytes
    cdef Py_ssize_t band_bytes = 0 if sums_at_once(job, sc) else job.parts * strips * STRIP_BYTES
    cdef Py_ssize_t tap, first, group, band, rows
    cdef const char* taps
    for tap in range(job.taps):
        job.image = sc.under[tap]
        first = 0
        while first < down:
            group = min(sc.group, down - first)
            rows = min((bands + group - 1) * EIGHT, m + job.kh - 1 - first * EIGHT)
            gather_blocks(job, sc, job.top + y0 + first * EIGHT, rows, width + job.kw - 1, n_runs, part_pitch)
            taps = ln.real_part + tap * blocks_under(job.kw) * tap_bytes(down) + first * MATRIX
            for band in range(bands):
                sum_band(job, sc, ln, sc.block + band * sc.slot_bytes, taps, group, strips, part_pitch,
                         sc.plane[0] + band * band_bytes, tap > 0 or first > 0)
                if tap == job.taps - 1 and first + group == down:
                    put_band(job, sc, sc.plane[0] + band * band_bytes, y0 + band * EIGHT, min(EIGHT, m - band * EIGHT),
                             x0, width, strips)
            first += group


def lay_matrices(cnp.ndarray padded, cnp.ndarray lines):
    """Bytes of kernels with 7 rows and columns of zeros before them and as many, or more, behind, in columns of matrices.

    Parameters
    ----------
    padded : contiguous bytes, shape (..., 8 * down + 7, 8 * across + 7)
    lines : contiguous bytes, shape (..., across, 8 * down + 6, 2, 2, 8, 4)
        Of blocks across, rows of pixels, halves of them, rows and columns of outputs, and pixels.
    """
    cdef int ndim = cnp.PyArray_NDIM(padded)
    cdef Py_ssize_t height = cnp.PyArray_DIM(padded, ndim - 2), width = cnp.PyArray_DIM(padded, ndim - 1)
    cdef Py_ssize_t plane, block, row, half, y, x
    cdef const char* line
    cdef char* to = cnp.PyArray_BYTES(lines)
    for plane in range(cnp.PyArray_SIZE(padded) // (height * width)):
        for block in range(width // 8):
            for row in range(height - 1):
                for half in range(2):
                    for y in range(2):
                        line = cnp.PyArray_BYTES(padded) + (plane * height + row + 1 - y) * width + 8 * block + 4 * half + 7
                        for x in range(8):
                            memcpy(to, line - x, 4)
                            to += 4
