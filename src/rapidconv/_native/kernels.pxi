# The module of one target: the same sources, compiled for its instructions.  What Python may call is below.

from cpython.ref cimport PyObject
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

cimport numpy as cnp

cnp.import_array()

include "lanes.pxi"
include "convert.pxi"
include "direct.pxi"
include "bank.pxi"
include "job.pxi"
include "gather.pxi"
include "rim.pxi"
include "walk.pxi"
include "repair.pxi"


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
    cdef int type_num = cnp.PyArray_TYPE(image)
    job.image = cnp.PyArray_BYTES(image)
    job.rows = cnp.PyArray_DIM(image, 0)
    job.cols = cnp.PyArray_DIM(image, 1)
    job.row_stride = cnp.PyArray_STRIDE(image, 0)
    job.col_stride = cnp.PyArray_STRIDE(image, 1)
    job.kind = kind_of(type_num)
    job.pairs = is_complex(type_num)
    job.lift = False
    job.channels = cnp.PyArray_DIM(image, 2) if cnp.PyArray_NDIM(image) == 3 else 1
    job.parts = job.channels * (2 if job.pairs else 1)
    job.swapped = not cnp.PyArray_ISNOTSWAPPED(image)
    job.plain = cnp.PyArray_ISALIGNED(image) and not job.swapped


cdef void see_out(Job* job, cnp.ndarray out) noexcept:
    """Describe the result: any strides, native and aligned."""
    cdef int type_num = cnp.PyArray_TYPE(out)
    job.out = cnp.PyArray_BYTES(out)
    job.m = cnp.PyArray_DIM(out, 0)
    job.n = cnp.PyArray_DIM(out, 1)
    job.out_row_stride = cnp.PyArray_STRIDE(out, 0)
    job.out_col_stride = cnp.PyArray_STRIDE(out, 1)
    job.out_kind = kind_of(type_num)
    job.out_parts = job.channels * (2 if is_complex(type_num) else 1)


def correlate(
    cnp.ndarray image, list lanes, tuple kernel_shape, cnp.ndarray fill, int boundary, Py_ssize_t top, Py_ssize_t left,
    bint lift, cnp.ndarray out, cnp.ndarray taken, int worker, Py_ssize_t turn,
):
    """One worker's part of a correlation, with the GIL released: rows that no call with the same taken has taken.

    Parameters
    ----------
    image : 2-D array of any real or complex type, strides, byte order and alignment
        Or 3-D, the last axis contiguous: channels interleaved in pixels.
    lanes : list of (real part, imaginary part or None, limit), tried in turn
        Transposed contiguous kernels in the lane's type; exact for images of magnitude up to limit.
    kernel_shape : (rows, columns)
    fill : array of out's type with one element
    boundary : FILL, SYMM or WRAP of _boundary.py
    top, left : image position under the first tap of out[0, 0]
    lift : whether a real image is to be seen as complex, which a complex fill value needs
    out : array of the image's dimensions, aligned and native, that shares no memory with the others
    taken : array of intp, zeros at first, one for every worker;  worker : which of them this is
    turn : rows to take at a time, `turn_rows` of the rows of out
    """
    cdef Job job
    cdef int k = 0, failed
    cdef cnp.ndarray part
    see_image(&job, image)
    if lift:
        job.lift = job.pairs = True
        job.parts *= 2
    see_out(&job, out)
    job.kh, job.kw = kernel_shape
    job.fill = cnp.PyArray_BYTES(fill)
    job.boundary = boundary
    job.top = top
    job.left = left
    job.n_lanes = len(lanes)
    for real_part, imag_part, limit in lanes:
        part = real_part
        job.lanes[k].kind = kind_of(cnp.PyArray_TYPE(part))
        job.lanes[k].real_part = cnp.PyArray_BYTES(part)
        job.lanes[k].imag_part = NULL
        if imag_part is not None:
            part = imag_part
            job.lanes[k].imag_part = cnp.PyArray_BYTES(part)
        job.lanes[k].limit = limit
        k += 1
    with nogil:
        failed = run_job(&job, <Py_ssize_t*> cnp.PyArray_DATA(taken), cnp.PyArray_SIZE(taken), worker, turn)
    if failed:
        raise MemoryError("no scratch memory for the tiles")


def turn_rows(Py_ssize_t rows):
    """Output rows to take at a time where so many are shared out: eight turns or more, if they are worth the halo."""
    return TILE_ROWS if rows >= 8 * TILE_ROWS else 16


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
include "express.pxi"
include "burst.pxi"
include "separable.pxi"
include "box.pxi"
