# Sums of bytes as products of matrices of 16 x 64 and 64 x 16 of them, each one instruction (amx.h).
#
#     image  a a b b c c d d    eight rows     aa ee ii .. bb ff jj ..    16 rows of it,      aa ee ii .. bb ff jj ..
#            e e f f g g h h    side by side,  cc gg kk .. dd hh ll ..    each two columns    bb ff jj .. cc gg kk ..
#            i i j j k k l l    in pairs:                                 further on:         cc gg kk .. dd hh ll ..
#
# A row of the first matrix has 8 x 8 pixels, a column of the second one the taps on them of one of 8 x 2 outputs: their product is
# a block of 8 x 32 outputs, the sum over all pixels under whose taps takes (rows + 14) // 8 by (columns + 8) // 8 products.

cdef extern from "amx.h" nogil:
    const int RC_MATRICES
    void rc_matrices_begin()
    void rc_matrices_end()
    void rc_sums_nought()
    void rc_sums_load(const char* p, Py_ssize_t below)
    void rc_sums_store(char* p, Py_ssize_t below)
    void rc_pixels(const char* left, const char* right, Py_ssize_t step)
    void rc_add_upper(const int signs, const char* taps)
    void rc_add_lower(const int signs, const char* taps)

cdef enum:
    BLOCK_ROWS = 8
    BLOCK_COLS = 32
    MATRIX = 1024           # bytes
    MATRIX_TILE = 128       # rows of a tile
    MATRIX_NUMBERS = 768    # and numbers of such a row
    MOST_PARTS = 4          # of a pixel
    MOST_MATRICES = 1024    # of a kernel: 1 MiB
    PIXELS_SIGNED = 1
    TAPS_SIGNED = 2


cdef inline bint is_matrix(Lane* ln) noexcept nogil:
    """Whether the sums of a lane are products of matrices."""
    return RC_MATRICES and (ln.kind == MS or ln.kind == MU)


cdef inline Py_ssize_t matrices_down(Job* job) noexcept nogil:
    """Matrices of the kernel below each other, one for every eight rows of the image under a block."""
    return (job.kh + 2 * BLOCK_ROWS - 2) // BLOCK_ROWS


cdef inline Py_ssize_t matrices_across(Job* job) noexcept nogil:
    """And beside each other, one for every eight columns."""
    return (job.kw + 8) // 8


cdef Py_ssize_t lay_out_matrices(Job* job, Scratch* sc, char* base) noexcept nogil:
    """lay_out of a lane of matrices, which gathers all it reads."""
    cdef Py_ssize_t word = sizeof(char*), widest, wide, width, blocks, budget
    cdef char* at = base
    sc.width = MATRIX_NUMBERS // job.parts // (2 * BLOCK_COLS) * 2 * BLOCK_COLS
    widest = min(job.n, sc.width + lanes_of(I4))
    wide = (widest + 2 * BLOCK_COLS - 1) // (2 * BLOCK_COLS) * 2 * BLOCK_COLS
    width = widest + job.kw - 1
    sc.slot_bytes = pitch_of(BLOCK_ROWS * (wide + 8 * matrices_across(job)))
    budget = BLOCK_BYTES // (job.parts * sc.slot_bytes)
    blocks = max(2, min(min(MATRIX_TILE, job.m + 2 * BLOCK_ROWS - 1) // (2 * BLOCK_ROWS), budget // 4) * 2)
    sc.tile_rows = blocks * BLOCK_ROWS
    sc.group = max(1, min(matrices_down(job), budget - blocks))
    sc.large = False
    sc.slots = 1
    sc.block = carve(&at, job.parts * (blocks + sc.group) * sc.slot_bytes)
    sc.plane[0] = carve(&at, blocks * BLOCK_ROWS * wide * job.parts * 4)       # sums, in blocks; of rows, part by part; of a row
    sc.plane[1] = carve(&at, BLOCK_ROWS * wide * job.parts * 4)
    sc.plane[2] = carve(&at, wide * job.parts * 4)
    sc.plane[3] = carve(&at, pitch_of(2 * width * job.parts) + BLOCK_ROWS * job.parts * pitch_of(width + 1))
    sc.under = <const char**> carve(&at, job.taps * word)
    sc.slot = <Py_ssize_t*> carve(&at, job.taps * word)
    sc.held = <const char**> carve(&at, word)
    sc.source = <Py_ssize_t*> carve(&at, word)
    sc.run = <Py_ssize_t*> carve(&at, width * 4 * word)
    sc.raw = carve(&at, 0 if job.plain and not job.lift else width * type_size(job.kind))
    return at - base


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


cdef void pair_rows(const short* s, Py_ssize_t pitch, short* d, Py_ssize_t n) noexcept nogil:
    """n pairs of pixels of eight rows, which are pitch pairs apart, side by side."""
    cdef Py_ssize_t i
    cdef int row
    for i in range(n):
        for row in range(BLOCK_ROWS):
            d[BLOCK_ROWS * i + row] = s[row * pitch + i]


cdef void gather_pairs(
    Job* job, Scratch* sc, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t width, Py_ssize_t n_runs, Py_ssize_t part_pitch,
) noexcept nogil:
    """Rows of the image from position first on, eight side by side; each part of the pixels in a block of its own."""
    cdef short* row = <short*> sc.plane[3]
    cdef char* to
    cdef char* eight = sc.plane[3] + pitch_of(2 * width * job.parts)
    cdef Py_ssize_t i, pitch = pitch_of(width + 1)
    cdef int part
    for i in range(rows):
        source_rows(job, sc, first + i, 1)
        gather_lane(job, sc, I2, <char*> row, 0, 1, n_runs, False)
        to = eight + i % BLOCK_ROWS * pitch
        if job.parts == 1:
            part_bytes(row, to, 0, width, 1)
        elif job.parts == 2:
            part_bytes(row, to, BLOCK_ROWS * pitch, width, 2)
        elif job.parts == 3:
            part_bytes(row, to, BLOCK_ROWS * pitch, width, 3)
        else:
            part_bytes(row, to, BLOCK_ROWS * pitch, width, 4)
        if i % BLOCK_ROWS == BLOCK_ROWS - 1 or i == rows - 1:
            for part in range(job.parts):
                pair_rows(<short*> (eight + part * BLOCK_ROWS * pitch), pitch // 2,
                          <short*> (sc.block + part * part_pitch + i // BLOCK_ROWS * sc.slot_bytes), (width + 1) // 2)


cdef inline void add_products(
    const int signs, const char* pixels, Py_ssize_t pitch, const char* taps, Py_ssize_t down, Py_ssize_t across,
) noexcept nogil:
    """To two by two blocks of sums, under down x across matrices of the kernel; pitch: bytes to the next eight rows of the image."""
    cdef Py_ssize_t i, j, row = across * MATRIX
    for i in range(down + 1):
        for j in range(across):
            rc_pixels(pixels + 64 * j, pixels + 64 * j + BLOCK_ROWS * BLOCK_COLS, 2 * BLOCK_ROWS)
            if i < down:
                rc_add_upper(signs, taps + MATRIX * j)
            if i > 0:
                rc_add_lower(signs, taps + MATRIX * j - row)
        pixels += pitch
        taps += row


cdef void multiply_blocks(
    Job* job, Scratch* sc, Lane* ln, const char* taps, Py_ssize_t down, Py_ssize_t blocks, Py_ssize_t columns, Py_ssize_t part_pitch,
    bint adds,
) noexcept nogil:
    """Blocks of sums of the rows in sc.block, under down rows of matrices of the kernel; adds: to those of others."""
    cdef Py_ssize_t y, x, below = job.parts * columns * MATRIX, across = matrices_across(job)
    cdef int part, signs = (PIXELS_SIGNED if job.kind == I1 else 0) | (TAPS_SIGNED if ln.kind == MS else 0)
    cdef const char* pixels
    cdef char* sums
    rc_matrices_begin()
    for y from 0 <= y < blocks by 2:
        for part in range(job.parts):
            for x from 0 <= x < columns by 2:
                pixels = sc.block + part * part_pitch + y * sc.slot_bytes + x * BLOCK_ROWS * BLOCK_COLS
                sums = sc.plane[0] + y * below + (part * columns + x) * MATRIX
                if adds:
                    rc_sums_load(sums, below)
                else:
                    rc_sums_nought()
                if signs == 0:
                    add_products(0, pixels, sc.slot_bytes, taps, down, across)
                elif signs == PIXELS_SIGNED:
                    add_products(1, pixels, sc.slot_bytes, taps, down, across)
                elif signs == TAPS_SIGNED:
                    add_products(2, pixels, sc.slot_bytes, taps, down, across)
                else:
                    add_products(3, pixels, sc.slot_bytes, taps, down, across)
                rc_sums_store(sums, below)
    rc_matrices_end()


cdef void put_blocks(
    Job* job, Scratch* sc, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t width, Py_ssize_t columns,
) noexcept nogil:
    """Blocks of sums to the result: an output's row of a block lies in pairs, 16 of them."""
    cdef Py_ssize_t pitch = columns * BLOCK_COLS * 4, y, x, i
    cdef int part
    cdef char* row
    cdef const char* sums = sc.plane[0]
    for y from y0 <= y < y1 by BLOCK_ROWS:
        for part in range(job.parts):
            for x in range(2 * columns):
                vf8_transpose(sums, 64, sc.plane[1] + part * BLOCK_ROWS * pitch + x * 64, pitch)
                sums += MATRIX // 2
        for i in range(min(BLOCK_ROWS, y1 - y)):
            row = sc.plane[1] + i * pitch
            if job.parts == 2:
                meet_parts(<int*> row, BLOCK_ROWS * pitch // 4, <int*> sc.plane[2], width, 2)
            elif job.parts == 3:
                meet_parts(<int*> row, BLOCK_ROWS * pitch // 4, <int*> sc.plane[2], width, 3)
            elif job.parts == 4:
                meet_parts(<int*> row, BLOCK_ROWS * pitch // 4, <int*> sc.plane[2], width, 4)
            put_row(job, I4, row if job.parts == 1 else sc.plane[2], NULL,
                    job.out + (y + i) * job.out_row_stride + x0 * job.out_col_stride, width)


cdef void matrices_in(
    Job* job, Scratch* sc, Lane* ln, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t x0, Py_ssize_t x1, Py_ssize_t n_runs,
) noexcept nogil:
    """A tile in a lane of matrices, whose sums are int32 numbers."""
    cdef Py_ssize_t m = y1 - y0, width = x1 - x0, down = matrices_down(job), row = matrices_across(job) * MATRIX
    cdef Py_ssize_t blocks = (m + 2 * BLOCK_ROWS - 1) // (2 * BLOCK_ROWS) * 2
    cdef Py_ssize_t columns = (width + 2 * BLOCK_COLS - 1) // (2 * BLOCK_COLS) * 2
    cdef Py_ssize_t tap, first, group, part_pitch = (blocks + sc.group) * sc.slot_bytes, rows
    for tap in range(job.taps):
        job.image = sc.under[tap]
        first = 0
        while first < down:
            group = min(sc.group, down - first)
            rows = min((blocks + group) * BLOCK_ROWS, m + job.kh - 1 - first * BLOCK_ROWS)
            gather_pairs(job, sc, job.top + y0 + first * BLOCK_ROWS, rows, width + job.kw - 1, n_runs, part_pitch)
            multiply_blocks(job, sc, ln, ln.real_part + (tap * down + first) * row, group, blocks, columns, part_pitch, tap > 0 or first > 0)
            first += group
    put_blocks(job, sc, y0, y1, x0, width, columns)
