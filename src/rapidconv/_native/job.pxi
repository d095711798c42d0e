# A call as the kernels see it: what is summed, with which scratch memory, and what can be said about it.

cdef enum:
    FILL = 0         # as in _boundary.py
    SYMM = 1
    WRAP = 2
    NEAREST = 3
    MIRROR = 4
    KEEP_BITS = 0    # how a sum becomes a number of the result: as Store in _problem.py
    TRUNCATE = 1
    SATURATE = 2
    ROUND = 3
    DIVIDE = 4
    ADD = 5
    MAX_LANES = 3
    MAX_OUTER = 64          # axes beyond rows and columns
    TILE_ROWS = 64          # output rows of a band of tiles, the unit of work handed to a worker
    TURN_NUMBERS = 8192     # output pixels worth a turn, of several planes where they are small
    TURN_PLANES = 32        # planes of a turn, where they share planes of the image
    UNDER_BYTES = 1 << 20    # blocks of all planes of the image under a tile
    STAGED_ROWS = 16        # rows of a tile with gathered rows or planes of sums, which then stay in the L1 cache
    GATHER_BYTES = 2048     # a gathered tile's row of sums: rows of block and sums stay in the L2 cache
    PLACE_BYTES = 16384     # a row of sums of a tile read in place
    RING_TILE = 512         # rows of a tile of rings, about
    LOW_ROWS = 4            # rows of a kernel so low that tiles of whole numbers are measured in the L1 cache:
    LOW_TILE_ROWS = 8       # rows of such a tile, or of a staged one under one row of taps,
    WHOLE_BYTES = 1536      # and bytes of the row of the first
    WHOLE_TAPS = 30         # of the largest kernel for which int64 is summed in float64 where it lies
    MAX_TURNED = 256        # rows of a kernel whose narrow rims are turned
    TURNED_PARTS = 4        # numbers of an output pixel, likewise
    SQUARES = 8             # vectors of a row that such a rim is turned from, at most
    BLOCK_BYTES = 1 << 20   # a gathered block; taller kernels are summed in groups of rows

ctypedef struct Lane:
    int kind                     # F4, F8, I2, I4, I8 or FG
    const char* real_part        # transposed kernel
    const char* imag_part        # NULL: a real kernel
    unsigned long long limit     # the lane is exact for images of at most this magnitude

ctypedef struct Axis:            # an outer one
    Py_ssize_t length, stride    # of the image, in bytes
    Py_ssize_t taps              # of the kernel
    Py_ssize_t first             # image position under the first tap of output 0
    Py_ssize_t out_length, out_stride

ctypedef struct Job:
    const char* image            # the plane at work; NULL: one of fill
    Py_ssize_t rows, cols, row_stride, col_stride   # strides in bytes
    int kind                     # type of one number
    bint pairs                   # complex: numbers come in pairs
    bint lift                    # pixels are stored real, and lifted to pairs for a complex fill value
    int channels                 # interleaved in a pixel, all under one kernel
    int parts                    # numbers in a pixel: channels, twice as many where they are complex
    bint plain                   # aligned and native
    bint swapped
    Lane lanes[MAX_LANES]        # tried in turn
    int n_lanes
    Py_ssize_t kh, kw            # of a plane of the kernel
    int n_outer
    Axis outer[MAX_OUTER]
    Py_ssize_t planes            # of the result
    Py_ssize_t taps              # planes of the kernel: planes of the image under one of the result
    int boundary
    const char* fill             # one number (re, im)
    int fill_kind
    Py_ssize_t top, left         # image position under the first tap of output [0, 0]
    char* out
    Py_ssize_t m, n, out_row_stride, out_col_stride
    int out_kind
    int out_parts
    int store
    double scale, delta          # of SATURATE and ROUND; delta is the count of DIVIDE and the shift of ADD
    bint skips                   # zero taps meet no pixel
    int order                    # of the taps, where sums are cut
    Py_ssize_t few               # taps that are met, where most are zero; else 0

ctypedef struct Tap:
    int row, col

ctypedef struct Scratch:
    char* block                  # gathered rows; of several planes: a ring of blocks
    char* plane[4]               # sums: two planes, each in two buffers
    char* raw                    # one fetched row of a swapped or misaligned image
    const char** rows
    const char** columns         # of a narrow rim: each a row of the block
    Py_ssize_t* source           # image row of each block row, -1: fill
    Py_ssize_t* run              # pieces of a gathered row: first pixel, length, image column, step
    char* constant               # a row of fill
    const char* image            # first plane of the image, and of the result
    char* out
    const char** under           # for each plane of the kernel: the plane of the image under it, NULL: fill,
    Py_ssize_t* slot             # and the slot of the ring that its block goes to
    const char** held            # planes of the image that the ring holds blocks of
    Py_ssize_t slots, slot_bytes
    int lane                     # of the blocks in the ring
    Tap* tap                     # of a kernel of few taps, those that are met, and the first of each row of its planes
    Py_ssize_t* first
    Py_ssize_t finite_to         # of such a kernel: end of the last tile in which all it read in place was finite, -1: none;
    Py_ssize_t finite_at         # and its first column
    Py_ssize_t group             # kernel rows summed at once
    bint large                   # whether the image has proved too large for the lane of whole numbers
    Py_ssize_t tile_rows         # output rows of a tile: TILE_ROWS, fewer where rows are long
    Py_ssize_t width             # output pixels of a row of a gathered tile


cdef inline bint same_bits(int kind, int lane_kind) noexcept nogil:
    """Whether numbers of a type are a lane's as they lie; unsigned ones are wrapping signed ones."""
    return kind == lane_kind or (lane_kind <= I8 and kind == lane_kind + 1)


cdef inline Py_ssize_t lanes_of(int kind) noexcept nogil:
    """Numbers in a vector of a lane."""
    cdef Py_ssize_t n = RC_BYTES // type_size(kind)
    return 1 if kind == FG or n == 0 else n


cdef inline Lane* last_lane(Job* job) noexcept nogil:
    """The lane that takes every image."""
    return &job.lanes[job.n_lanes - 1]


cdef inline bint is_straight(Job* job, Lane* ln) noexcept nogil:
    """Whether a lane's sums go from the registers to the result, which takes a bank where the kernel is complex."""
    return (job.store == KEEP_BITS and same_bits(job.out_kind, ln.kind)
            and job.out_col_stride == job.out_parts * type_size(job.out_kind)
            and (ln.imag_part == NULL or (RC_BANKS and ln.kind != FG)))


cdef inline bint is_staged(Job* job) noexcept nogil:
    """Whether planes of sums stand between image and result."""
    return job.taps > 1 or not is_straight(job, &job.lanes[0])


cdef inline bint in_place(Job* job, Lane* ln) noexcept nogil:
    """Whether a lane can read the image where it lies."""
    return (job.taps == 1 and job.store != TRUNCATE and job.plain and not job.lift and same_bits(job.kind, ln.kind)
            and job.col_stride == job.parts * type_size(job.kind))


cdef inline bint makes_rings(Job* job) noexcept nogil:
    """Whether tiles read in place may be high enough for rings."""
    return (is_tall(job.m, job.kh) and job.n_lanes == 1 and (job.lanes[0].kind == F4 or job.lanes[0].kind == F8)
            and job.order == TAPS and not job.few and job.lanes[0].imag_part == NULL and in_place(job, &job.lanes[0]))


cdef inline Lane* whole_number_lane(Job* job) noexcept nogil:
    """The floating lane in which integers can be read and stored where they lie, NULL if there is none.

    Unsigned ones pass for signed ones, which agree modulo 2^bits.
    """
    cdef Lane* last = last_lane(job)
    cdef int k
    if not RC_WHOLE or job.n_lanes == 1 or not in_place(job, last) or not is_straight(job, last):
        return NULL
    if last.kind == I8 and job.kh * job.kw > WHOLE_TAPS:
        return NULL
    for k in range(job.n_lanes - 1):
        if type_size(job.lanes[k].kind) == type_size(last.kind):
            return &job.lanes[k]
    return NULL


cdef inline bint is_column_major(Job* job) noexcept nogil:
    """Whether neighbouring rows lie closer together than neighbouring columns."""
    return max(job.row_stride, -job.row_stride) < max(job.col_stride, -job.col_stride)


cdef inline void put_one(Job* job, char* d, int part) noexcept nogil:
    """The fill value's real or imaginary part in the last lane's type, which is that of an image read in place."""
    cdef Py_ssize_t size = type_size(job.fill_kind)
    cdef int kind = last_lane(job).kind
    if kind == F4:
        to_lane(job.fill_kind, job.fill + part * size, 0, <float*> d, 1, 1)
    elif kind == F8:
        to_lane(job.fill_kind, job.fill + part * size, 0, <double*> d, 1, 1)
    elif kind == FG:
        to_lane(job.fill_kind, job.fill + part * size, 0, <extended*> d, 1, 1)
    elif kind == I2:
        to_lane(job.fill_kind, job.fill + part * size, 0, <short*> d, 1, 1)
    elif kind == I4:
        to_lane(job.fill_kind, job.fill + part * size, 0, <int*> d, 1, 1)
    else:
        to_lane(job.fill_kind, job.fill + part * size, 0, <long long*> d, 1, 1)
