# The module of one target: the same sources, compiled for its instructions.  What Python may call is below.

from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset

cimport numpy as cnp

cdef extern from "cpu.h" nogil:
    int rc_x86_dots()
    int rc_x86_matrices()
    int rc_allows_matrices()

cnp.import_array()

include "lanes.pxi"
include "convert.pxi"
include "direct.pxi"
include "pairs.pxi"
include "bank.pxi"
include "job.pxi"
include "gather.pxi"
include "rim.pxi"
include "store.pxi"
include "repair.pxi"
include "few.pxi"
include "walk.pxi"
include "dots.pxi"
include "matrices.pxi"
include "tapwise.pxi"
include "chain.pxi"


cdef int kind_of(int type_num) noexcept:
    """Type of the numbers in an array: the real type of a complex one; -1 where there is none for us."""
    if type_num == cnp.NPY_FLOAT or type_num == cnp.NPY_CFLOAT:
        return F4
    if type_num == cnp.NPY_DOUBLE or type_num == cnp.NPY_CDOUBLE:
        return F8
    if type_num == cnp.NPY_LONGDOUBLE or type_num == cnp.NPY_CLONGDOUBLE:
        return FG
    if type_num == cnp.NPY_FLOAT16:
        return F2
    if type_num == cnp.NPY_BOOL:
        return BOOL
    if type_num == cnp.NPY_BYTE:
        return I1
    if type_num == cnp.NPY_UBYTE:
        return U1
    if type_num == cnp.NPY_SHORT:
        return I2
    if type_num == cnp.NPY_USHORT:
        return U2
    if type_num == cnp.NPY_INT:
        return I4
    if type_num == cnp.NPY_UINT:
        return U4
    if type_num == cnp.NPY_LONG:
        return I8 if sizeof(long) == 8 else I4
    if type_num == cnp.NPY_ULONG:
        return U8 if sizeof(long) == 8 else U4
    if type_num == cnp.NPY_LONGLONG:
        return I8
    if type_num == cnp.NPY_ULONGLONG:
        return U8
    return -1


cdef inline bint is_complex(int type_num) noexcept:
    """Whether pixels of a type have two numbers."""
    return type_num == cnp.NPY_CFLOAT or type_num == cnp.NPY_CDOUBLE or type_num == cnp.NPY_CLONGDOUBLE


cdef void see_image(Job* job, cnp.ndarray image) noexcept:
    """Describe the image: any strides, byte order and alignment; channels are contiguous."""
    cdef int type_num = cnp.PyArray_TYPE(image), rows = job.n_outer, axis
    for axis in range(rows):
        job.outer[axis].length = cnp.PyArray_DIM(image, axis)
        job.outer[axis].stride = cnp.PyArray_STRIDE(image, axis)
    job.image = cnp.PyArray_BYTES(image)
    job.rows = cnp.PyArray_DIM(image, rows)
    job.cols = cnp.PyArray_DIM(image, rows + 1)
    job.row_stride = cnp.PyArray_STRIDE(image, rows)
    job.col_stride = cnp.PyArray_STRIDE(image, rows + 1)
    job.kind = kind_of(type_num)
    job.pairs = is_complex(type_num)
    job.lift = False
    job.channels = cnp.PyArray_DIM(image, rows + 2) if cnp.PyArray_NDIM(image) == rows + 3 else 1
    job.parts = job.channels * (2 if job.pairs else 1)
    job.swapped = not cnp.PyArray_ISNOTSWAPPED(image)
    job.few = 0
    job.plain = cnp.PyArray_ISALIGNED(image) and not job.swapped


cdef void see_out(Job* job, cnp.ndarray out) noexcept:
    """Describe the result: any strides, native and aligned."""
    cdef int type_num = cnp.PyArray_TYPE(out), rows = job.n_outer, axis
    job.planes = 1
    for axis in range(rows):
        job.outer[axis].out_length = cnp.PyArray_DIM(out, axis)
        job.outer[axis].out_stride = cnp.PyArray_STRIDE(out, axis)
        job.planes *= cnp.PyArray_DIM(out, axis)
    job.out = cnp.PyArray_BYTES(out)
    job.m = cnp.PyArray_DIM(out, rows)
    job.n = cnp.PyArray_DIM(out, rows + 1)
    job.out_row_stride = cnp.PyArray_STRIDE(out, rows)
    job.out_col_stride = cnp.PyArray_STRIDE(out, rows + 1)
    job.out_kind = kind_of(type_num)
    job.out_parts = job.channels * (2 if is_complex(type_num) else 1)


cdef int see_work(Job* job, tuple work) except -1:
    """Describe what is to be summed, whatever the road.

    image : array of any real or complex type, strides, byte order and alignment
        Outer axes, rows, columns, and channels interleaved in pixels if there is a further axis, which is contiguous.
    kernel_shape : (outer axes ..., rows, columns)
    fill : array of the sums' type with one element
    boundary : a rule of _boundary.py
    outer, top, left : image position under the first tap of the first output
    lift : whether a real image is to be seen as complex, which a complex fill value needs
    out : array of the image's dimensions, aligned and native, that shares no memory with the others
    store : KEEP_BITS, TRUNCATE, SATURATE, ROUND, DIVIDE or ADD
    scale, delta : of SATURATE and ROUND; delta is the count of DIVIDE and the shift of ADD
    skips : whether zero taps meet no pixel
    order : of the taps, where sums are cut
    """
    cdef cnp.ndarray image, fill, out
    cdef tuple kernel_shape, outer
    cdef bint lift
    cdef int axis
    (image, kernel_shape, fill, job.boundary, outer, job.top, job.left, lift, out, job.store, job.scale, job.delta,
     job.skips, job.order) = work
    job.n_outer = len(outer)
    job.taps = 1
    for axis in range(job.n_outer):
        job.outer[axis].first = outer[axis]
        job.outer[axis].taps = kernel_shape[axis]
        job.taps *= job.outer[axis].taps
    job.kh = kernel_shape[job.n_outer]
    job.kw = kernel_shape[job.n_outer + 1]
    see_image(job, image)
    if lift:
        job.lift = job.pairs = True
        job.parts *= 2
    see_out(job, out)
    job.fill = cnp.PyArray_BYTES(fill)
    job.fill_kind = kind_of(cnp.PyArray_TYPE(fill))
    return 0


cdef int see_lanes(Job* job, list lanes) except -1:
    """The types the sums may run in, and the kernel in each: (real part, imaginary part or None, limit, joined)."""
    cdef cnp.ndarray part
    cdef int k = 0
    job.n_lanes = len(lanes)
    for real_part, imag_part, limit, joined in lanes:
        part = real_part
        job.lanes[k].kind = kind_of(cnp.PyArray_TYPE(part))
        if joined > 1:
            job.lanes[k].kind = P4 if joined == 2 else Q4 if joined == 4 else MU if job.lanes[k].kind == U1 else MS
        job.lanes[k].real_part = cnp.PyArray_BYTES(part)
        job.lanes[k].imag_part = NULL
        if imag_part is not None:
            part = imag_part
            job.lanes[k].imag_part = cnp.PyArray_BYTES(part)
        job.lanes[k].limit = limit
        k += 1
    return 0


def correlate(
    tuple work, list lanes, cnp.ndarray taken, int worker, Py_ssize_t turn,
):
    """One worker's part of a correlation, with the GIL released: turns that no call with the same taken has taken.

    Parameters
    ----------
    work : tuple, see `see_work`
    lanes : list of (real part, imaginary part or None, limit, joined), tried in turn
        Contiguous kernels in the lane's type, rows and columns transposed; exact for images of magnitude up to limit.
        joined : rows that are joined in a lane, 1, or where `DOTS` 4 (kernels of bytes) or 2 (of shorts), and no other lane;
            8 are matrices of bytes, where `MATRICES` and `allows_matrices`
    taken : array of intp, zeros at first, one for every worker;  worker : which of them this is
    turn : rows of a plane to take at a time, `turn_rows` of the rows of out
    """
    cdef Job job
    cdef int failed
    see_work(&job, work)
    see_lanes(&job, lanes)
    with nogil:
        failed = run_job(&job, <Py_ssize_t*> cnp.PyArray_DATA(taken), cnp.PyArray_SIZE(taken), worker, turn)
    if failed:
        raise MemoryError("no scratch memory for the tiles")


DOTS = bool(RC_DOTS and rc_x86_dots())        # whether this target and this machine have lanes of joined rows
MATRICES = bool(DOTS and RC_MATRICES and rc_x86_matrices())     # and of matrices
most_parts, most_blocks = MOST_PARTS, MOST_BLOCKS       # of a pixel, and under a kernel


def allows_matrices():
    """Whether this process may multiply matrices, where `MATRICES`: it asks the system for that, which signal frames grow by."""
    return bool(rc_allows_matrices())


def turn_rows(Py_ssize_t rows, bint many_planes=False):
    """Output rows to take at a time where so many are shared out: eight turns or more, if they are worth the halo.

    Those of a tile where the kernel has many planes, so that the next plane of the result finds the image in the cache.
    """
    return TILE_ROWS if rows >= 8 * TILE_ROWS and not many_planes else STAGED_ROWS


def bands(Py_ssize_t rows):
    """Bands of TILE_ROWS in so many output rows: what separable kernels and boxes are cut into."""
    return (rows + TILE_ROWS - 1) // TILE_ROWS


cdef enum:
    TAP_PICOSECONDS = 200       # a vector under one tap, in cache
    BYTE_PICOSECONDS = 70       # a byte of the result, written to new memory


cdef double direct_seconds(double numbers, double taps, double lane_size, double out_size) noexcept nogil:
    """Least time of direct sums on one thread: 2026-11-21, Sapphire Rapids, 9x9 and 1x1 taps on 1024^2 float32
    (benchmarks.compare); the same time a vector is optimistic on other targets."""
    return 1e-12 * numbers * max(TAP_PICOSECONDS * taps * min(1, lane_size / max(RC_BYTES, 1)), BYTE_PICOSECONDS * out_size)


def least_seconds(double numbers, double taps, double lane_size, double out_size):
    """Least time of direct sums of so many numbers and taps on one thread."""
    return direct_seconds(numbers, taps, lane_size, out_size)


include "fft.pxi"
include "tile.pxi"
include "overlap.pxi"
include "chord.pxi"
include "volume.pxi"
include "rank.pxi"
include "express.pxi"
include "ready.pxi"
include "burst.pxi"
include "phases.pxi"
include "columns.pxi"
include "separable.pxi"
include "box.pxi"
include "look.pxi"
include "course.pxi"
include "several.pxi"
include "pieces.pxi"
