# Small calls of scipy.ndimage's filters and of pictures: what such a call does follows from its arguments and from type and shape
# of its image, so the jobs made for one are kept under these, and do the next one on its own pixels.
#
#     head: name, arguments, types; of the image's sides what decides which axes are planes, rows and columns;
#           of weights their shape, whether some are zero, are (anti)symmetric, for short images of one sign; of whole weights on
#           a whole image how large their sum can be, from which follows which lanes it is exact in
#     tail: the sides of the image, those weights
#
# Little work is always summed directly, so the jobs of a small call serve all with the same head, on axes and weights of
# their own; those of longer calls serve the ones with the same tail.

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport isfinite, signbit

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    long long PyLong_AsLongLongAndOverflow(object number, int* overflow)

cdef enum:
    KEY_TAPS = 1 << 10          # weights on the stack
    KEY_BYTES = 8 * KEY_TAPS + 512
    KEY_DEPTH = 4               # of lists in lists
    READY_NUMBERS = 1 << 18     # of the largest image
    FEW_CHANNELS = 16           # as CHANNELS in _axes.py
    FREE_AXES = 6               # of an image whose sides may be others
    LANE_BYTES = 8 * KEY_TAPS   # of weights in a lane
    UNEVEN = 0                  # weights of a line, as the order of their taps goes
    EVEN = 1
    ODD = 2

ctypedef struct Key:
    char text[KEY_BYTES]
    Py_ssize_t size


cdef bint put_bytes(Key* key, const void* start, Py_ssize_t count) noexcept:
    """Whether there was room for so many bytes more."""
    if key.size + count > KEY_BYTES:
        return False
    memcpy(key.text + key.size, start, count)
    key.size += count
    return True


cdef bint put_number(Key* key, char tag, long long number) noexcept:
    """A kind of argument, and a whole number."""
    return put_bytes(key, &tag, 1) and put_bytes(key, &number, sizeof(number))


cdef bint put_array(Key* key, cnp.ndarray array):
    """Type, shape and numbers of an array."""
    cdef int axis
    if kind_of(cnp.PyArray_TYPE(array)) < 0 or not cnp.PyArray_ISNOTSWAPPED(array):
        return False
    if cnp.PyArray_NBYTES(array) > KEY_BYTES:
        return False
    array = cnp.PyArray_GETCONTIGUOUS(array)
    put_number(key, b"a", cnp.PyArray_TYPE(array))
    for axis in range(cnp.PyArray_NDIM(array)):
        put_number(key, b"n", cnp.PyArray_DIM(array, axis))
    return put_bytes(key, b":", 1) and put_bytes(key, cnp.PyArray_DATA(array), cnp.PyArray_NBYTES(array))


cdef bint put_type(Key* key, value):
    """A native number type, or a class that stands for one."""
    cdef cnp.dtype dtype
    try:
        dtype = cnp.dtype(value)
    except TypeError:
        return False
    if dtype.metadata is not None:
        return False
    return kind_of(dtype.type_num) >= 0 and cnp.PyDataType_ISNOTSWAPPED(dtype) and put_number(key, b"t", dtype.type_num)


cdef bint put_value(Key* key, value, int depth):
    """Add an argument by its kind and its bits; whether it is of a kind known here, and there was room."""
    cdef double number
    cdef long long whole
    cdef int overflow = 0
    cdef Py_ssize_t length
    cdef const char* text
    if value is None:
        return put_bytes(key, b"-", 1)
    if value is True or value is False:
        return put_bytes(key, b"T" if value is True else b"F", 1)
    if type(value) is int:
        whole = PyLong_AsLongLongAndOverflow(value, &overflow)
        return not overflow and put_number(key, b"i", whole)
    if type(value) is float:
        number = value
        return put_bytes(key, b"f", 1) and put_bytes(key, &number, sizeof(number))
    if type(value) is str:
        try:
            text = PyUnicode_AsUTF8AndSize(value, &length)
        except UnicodeError:
            return False
        return put_number(key, b"s", length) and put_bytes(key, text, length)
    if type(value) is tuple or type(value) is list:
        if depth == KEY_DEPTH or not put_number(key, b"(" if type(value) is tuple else b"[", len(value)):
            return False
        for item in value:
            if not put_value(key, item, depth + 1):
                return False
        return True
    if cnp.PyArray_CheckExact(value):
        return put_array(key, value)
    if cnp.PyArray_CheckScalar(value):
        return put_bytes(key, b"*", 1) and put_array(key, cnp.PyArray_FROM_O(value))
    return isinstance(value, (type, cnp.dtype)) and put_type(key, value)


cdef bint is_ready_image(object image):
    """Whether an image is a small array of numbers."""
    return (cnp.PyArray_CheckExact(image) and 0 < cnp.PyArray_SIZE(image) and kind_of(cnp.PyArray_TYPE(image)) >= 0
            and cnp.PyArray_SIZE(image) <= (READY_NUMBERS if cnp.PyArray_ISCARRAY_RO(image) else COPIED_NUMBERS))


cdef void put_shape(Key* head, Key* tail, cnp.ndarray image) noexcept:
    """Add the sides of an image: to the head, of few axes, whether they are 1, and the last ones, if they may be channels, as may
    those behind two lines that are multiplied out: `_fused` in _passes.py."""
    cdef int axis, ndim = cnp.PyArray_NDIM(image)
    cdef Py_ssize_t n, behind = 1
    put_number(head, b"d", ndim)
    for axis in range(ndim - 1, -1, -1):
        n = cnp.PyArray_DIM(image, axis)
        if ndim > FREE_AXES or (n * behind <= FEW_CHANNELS and (behind == 1 or axis > 1)):
            put_number(head, b"n", n)
        else:
            put_number(head, b"n", n == 1)
            put_number(tail, b"n", n)
        behind *= n


cdef void lay_weights(
    cnp.ndarray h, int part, lane* to, bint flip, Py_ssize_t before, Py_ssize_t kh, Py_ssize_t kw, Py_ssize_t down,
    Py_ssize_t across,
) noexcept:
    """Real (0) or imaginary (1) part of contiguous weights in a lane as a job reads a plane of kh x kw taps, transposed; flipped
    in all axes if so wanted.

    before, down, across : weights before the plane, and from one to the next along rows and columns
    """
    cdef Py_ssize_t i, size = cnp.PyArray_ITEMSIZE(h)
    cdef int kind = kind_of(cnp.PyArray_TYPE(h))
    cdef const char* first = cnp.PyArray_BYTES(h) + part * type_size(kind)
    if flip:
        first += cnp.PyArray_NBYTES(h) - size
        size = -size
    for i in range(kh):
        to_lane(kind, first + (before + i * down) * size, across * size, to + i, kh, kw)


cdef bint is_free(cnp.ndarray image, value):
    """Whether an argument is weights of a kind that jobs can do without: few, of few axes."""
    cdef int kind, parts
    if not cnp.PyArray_CheckExact(value):
        return False
    kind = kind_of(cnp.PyArray_TYPE(value))
    parts = 1 + is_complex(cnp.PyArray_TYPE(value))
    return (kind >= 0 and kind != U8 and kind != F2 and kind != FG
            and 1 <= cnp.PyArray_NDIM(value) <= FREE_AXES and 1 <= cnp.PyArray_NDIM(image) <= FREE_AXES
            and 0 < parts * cnp.PyArray_SIZE(value) <= KEY_TAPS
            and cnp.PyArray_ISALIGNED(value) and cnp.PyArray_ISNOTSWAPPED(value))


cdef bint is_short(cnp.ndarray image, Py_ssize_t taps) noexcept:
    """Whether taps of a line may meet the same pixels, and are added up then: `_folded` in _passes.py."""
    cdef int axis
    for axis in range(cnp.PyArray_NDIM(image)):
        if cnp.PyArray_DIM(image, axis) == 1:
            return True
    return taps > 2 * cnp.PyArray_DIM(image, cnp.PyArray_NDIM(image) - 1)


cdef cnp.ndarray put_weights(Key* head, Key* tail, cnp.ndarray image, cnp.ndarray weights):
    """Add free weights; these, contiguous; or None where what is done depends on all of them."""
    cdef bint pairs = is_complex(cnp.PyArray_TYPE(weights))
    cdef int k
    weights = cnp.PyArray_GETCONTIGUOUS(weights)
    put_number(head, b"c" if pairs else b"w", cnp.PyArray_NDIM(weights))
    for k in range(cnp.PyArray_NDIM(weights)):
        put_number(head, b"n", cnp.PyArray_DIM(weights, k))
    for k in range(1 + pairs):
        if not put_taps(head, tail, image, weights, k):
            return None
    return weights


cdef bint put_taps(Key* head, Key* tail, cnp.ndarray image, cnp.ndarray weights, int part) noexcept:
    """Add a part of free weights, contiguous; False where they are beyond float32, or large integers."""
    cdef double taps[KEY_TAPS]
    cdef double size
    cdef unsigned long long total = 0
    cdef Py_ssize_t i, n = cnp.PyArray_SIZE(weights)
    cdef int positive = 0, negative = 0, bits = 0
    cdef bint pairs = is_complex(cnp.PyArray_TYPE(weights)), integers = not pairs and not cnp.PyArray_ISFLOAT(weights)
    cdef bint whole = not pairs and not cnp.PyArray_ISFLOAT(image) and not cnp.PyArray_ISCOMPLEX(image)
    cdef bint zeros = False, even = True, odd = True
    lay_weights(weights, part, taps, False, 0, 1, n, 0, 1)
    for i in range(n):
        size = abs(taps[i])
        zeros |= size == 0
        positive += taps[i] > 0
        negative += taps[i] < 0
        whole = whole and taps[i] == rint(taps[i])
        if size != 0 and not (1.1754943508222875e-38 < size < 1.7014117331926443e38):      # as _passes.py
            return False
        if (whole or integers) and (size >= 9007199254740992.0 or (size == 0 and signbit(taps[i]))):      # 2^53
            return False
        if whole:
            total += <unsigned long long> size
    for i in range(n // 2):
        even &= taps[i] == taps[n - 1 - i]
        odd &= taps[i] == -taps[n - 1 - i]
    put_number(head, b"i" if integers else b"f", zeros)
    put_number(head, b"e", EVEN if even else ODD if odd else UNEVEN)
    if whole:
        while bits < 64 and total > <unsigned long long> 1 << bits:
            bits += 1
        put_number(head, b"t", bits if total else -1)
    if cnp.PyArray_NDIM(weights) == 1 and is_short(image, n):
        put_number(head, b"s", 1 if positive == n or negative == n else 2 if odd and (n % 2 == 0 or taps[n // 2] == 0) else 0)
    return put_bytes(tail, taps, n * sizeof(double))


cdef bint share_bytes(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether contiguous arrays overlap."""
    return (cnp.PyArray_BYTES(a) < cnp.PyArray_BYTES(b) + cnp.PyArray_NBYTES(b)
            and cnp.PyArray_BYTES(b) < cnp.PyArray_BYTES(a) + cnp.PyArray_NBYTES(a))


cdef bint put_output(Key* key, cnp.ndarray image, output):
    """Add what is to become of the result; an array counts by its type."""
    cdef cnp.ndarray out
    if not cnp.PyArray_CheckExact(output):
        return put_value(key, output, 0)
    out = output
    return (cnp.PyArray_ISCARRAY(out) and cnp.PyArray_SAMESHAPE(out, image) and not share_bytes(image, out)
            and put_number(key, b"o", cnp.PyArray_TYPE(out)))


def again(dict kept, str name, image, output, tuple arguments):
    """Do a call that was made before.

    Parameters
    ----------
    kept : dict of Ready
    name : str, of what is done
    image : object
    output : None, name or type, or the array for the result
    arguments : tuple of all else that the result depends on
        Weights come first, and whether to 'convolve' or 'correlate' with them second.

    Returns
    -------
    ndarray, the result; or None, where nothing is to be kept; or what to make jobs of and to keep them by: the image, contiguous
    and native, the weights that others may take the place of, or None, head and tail of the key
    """
    cdef Key head, tail
    cdef Py_ssize_t k
    cdef bint has_weights = len(arguments) > 1 and type(arguments[1]) is str and arguments[1] in ("convolve", "correlate")
    cdef bint flips = has_weights and arguments[1] == "convolve"
    cdef Ready ready
    cdef cnp.ndarray weights = None, out
    if not is_ready_image(image):
        return None
    cdef cnp.ndarray pixels = image
    if not cnp.PyArray_ISCARRAY_RO(image):
        pixels = cnp.PyArray_FROM_OTF(image, cnp.PyArray_TYPE(image), cnp.NPY_ARRAY_CARRAY_RO)
    head.size = tail.size = 0
    put_value(&head, name, 0)
    put_number(&head, b"a", cnp.PyArray_TYPE(pixels))
    put_shape(&head, &tail, pixels)
    if not put_output(&head, pixels, output):
        return None
    for k in range(len(arguments)):
        if k == 0 and has_weights and is_free(pixels, arguments[0]):
            weights = put_weights(&head, &tail, pixels, arguments[0])
        if not (k == 0 and weights is not None) and not put_value(&head, arguments[k], 0):
            return None
    first = PyBytes_FromStringAndSize(head.text, head.size)
    ready = kept.get(first)
    if ready is None or not ready.is_little(pixels):
        second = PyBytes_FromStringAndSize(tail.text, tail.size)
        ready = kept.get((first, second))
        if ready is None:
            return pixels, weights, first, second
    return ready.run(pixels, output if cnp.PyArray_CheckExact(output) else None, weights, flips)


free_axes = FREE_AXES       # of an image whose sides may be others


cdef enum Place:                # whose memory a job reads, or writes
    IMAGE
    BETWEEN
    RESULT

cdef enum Then:                 # what becomes of the sums of a job that are in between
    NOTHING
    ADD_TO                      # they are added to the result,
    TAKE_FROM                   # or taken from it

ctypedef struct Span:           # axes first <= . < end of an image that are one of a job; none where that has one pixel
    int first, end

ctypedef struct Step:
    Job job
    Place source, target
    Py_ssize_t source_offset, target_offset
    Py_ssize_t source_unit, target_unit     # bytes from number to number there
    Span spans[FREE_AXES]                   # of outer axes, rows, columns
    Py_ssize_t steps[FREE_AXES]             # from weight to weight along these
    int part                                # of complex weights: 1 is the imaginary one
    Then then
    Py_ssize_t sums_offset, sums_unit       # of the result that they are added to


cdef inline Py_ssize_t offset_from(Place place, const char* start, cnp.ndarray image, cnp.ndarray result) noexcept:
    """Where an array begins in the memory of its place, in bytes."""
    if place == BETWEEN:
        return 0
    return start - cnp.PyArray_BYTES(image if place == IMAGE else result)


cdef inline Py_ssize_t numbers_from(const cnp.npy_intp* shape, int first, int end) noexcept nogil:
    """Pixels along axes first <= . < end."""
    cdef Py_ssize_t n = 1
    cdef int axis
    for axis in range(first, end):
        n *= shape[axis]
    return n


cdef bint find_span(
    Step* step, Span* span, const cnp.npy_intp* shape, int ndim, Py_ssize_t length, Py_ssize_t stride, Py_ssize_t out_length,
    Py_ssize_t out_stride,
) noexcept nogil:
    """Which axes of an image and a result, contiguous, of this shape are an axis of a job; whether there are such."""
    cdef int first, end
    cdef Py_ssize_t behind
    span.first = span.end = 0
    if length != out_length:
        return False
    if length == 1:
        return True
    for end in range(ndim, 0, -1):
        behind = numbers_from(shape, end, ndim)
        for first in range(end):
            if (shape[end - 1] > 1 and numbers_from(shape, first, end) == length and stride == behind * step.source_unit
                    and out_stride == behind * step.target_unit):
                span.first = first
                span.end = end
                return True
    return False


cdef bint find_spans(Step* step, const cnp.npy_intp* shape, int ndim) noexcept nogil:
    """Whether a job does an image and a result of this shape, and would so do others with the same head."""
    cdef Job* job = &step.job
    cdef int k, rows = job.n_outer
    cdef Py_ssize_t numbers = job.channels, within
    if ndim > FREE_AXES or rows + 2 > FREE_AXES or job.channels > FEW_CHANNELS or job.pairs:
        return False
    for k in range(rows):
        if not find_span(step, &step.spans[k], shape, ndim, job.outer[k].length, job.outer[k].stride, job.outer[k].out_length,
                         job.outer[k].out_stride):
            return False
        numbers *= job.outer[k].length
    if not (find_span(step, &step.spans[rows], shape, ndim, job.rows, job.row_stride, job.m, job.out_row_stride)
            and find_span(step, &step.spans[rows + 1], shape, ndim, job.cols, job.col_stride, job.n, job.out_col_stride)):
        return False
    numbers *= job.rows * job.cols
    within = numbers_from(shape, 0, ndim) // numbers        # channels of which it does one
    if within > 1 and (job.channels > 1 or within != shape[ndim - 1] or within > FEW_CHANNELS):
        return False
    return step.source_offset < within * step.source_unit and step.target_offset < within * step.target_unit


cdef inline Py_ssize_t taps_along(Job* job, int axis) noexcept nogil:
    """Taps along an axis of a job: outer ones, rows, columns."""
    return job.outer[axis].taps if axis < job.n_outer else job.kh if axis == job.n_outer else job.kw


cdef bint find_steps(Step* step, const cnp.npy_intp* shape, int ndim, cnp.ndarray weights) noexcept:
    """Whether the taps of a job are weights, along the same axes of the image, and how far these are apart there."""
    cdef Job* job = &step.job
    cdef int k, axis, short_axis = -1, own = cnp.PyArray_NDIM(weights)
    cdef Py_ssize_t apart = 1
    cdef int[FREE_AXES] along               # the axis of the job that is one of the image with taps, or -1
    for axis in range(ndim):
        along[axis] = -1
        if shape[axis] == 1:                # which may have taps; where there are two it cannot be told which one
            short_axis = axis if short_axis == -1 else -2
    for k in range(job.n_outer + 2):
        step.steps[k] = 0
        if taps_along(job, k) > 1:
            axis = step.spans[k].end - 1 if step.spans[k].end else short_axis
            if axis < 0 or along[axis] >= 0:
                return False
            along[axis] = k
    for axis in range(ndim - 1, -1, -1):
        k = along[axis]
        if k < 0:
            continue
        while own > 0 and cnp.PyArray_DIM(weights, own - 1) == 1:
            own -= 1
        if own == 0 or cnp.PyArray_DIM(weights, own - 1) != taps_along(job, k):
            return False
        own -= 1
        step.steps[k] = apart
        apart *= taps_along(job, k)
    return apart == cnp.PyArray_SIZE(weights)


cdef bint reads_as(Step* step, Step* other) noexcept:
    """Whether two jobs read real weights in the same way, in the same lanes."""
    cdef int k
    for k in range(step.job.n_outer + 2):
        if step.steps[k] != other.steps[k]:
            return False
    for k in range(step.job.n_lanes):
        if (step.job.lanes[k].imag_part != NULL or step.job.lanes[k].kind > F8              # long double, joined rows, matrices
                or step.job.lanes[k].kind != other.job.lanes[k].kind):
            return False
    return step.job.n_lanes == other.job.n_lanes and step.job.n_outer == other.job.n_outer


cdef inline Py_ssize_t weights_before(Step* step, Py_ssize_t plane) noexcept nogil:
    """Weights before a plane of the kernel of a job."""
    cdef Py_ssize_t at = 0
    cdef int axis
    for axis in range(step.job.n_outer - 1, -1, -1):
        at += plane % step.job.outer[axis].taps * step.steps[axis]
        plane //= step.job.outer[axis].taps
    return at


cdef void lay_in_lane(Step* step, int kind, cnp.ndarray h, int part, char* to, bint flip) noexcept:
    """Real (0) or imaginary (1) part of weights in the lane of a type as a job reads them."""
    cdef Job* job = &step.job
    cdef Py_ssize_t down = step.steps[job.n_outer], across = step.steps[job.n_outer + 1], plane, before
    for plane in range(job.taps):
        before = weights_before(step, plane)
        if kind == F4:
            lay_weights(h, part, <float*> to, flip, before, job.kh, job.kw, down, across)
        elif kind == F8:
            lay_weights(h, part, <double*> to, flip, before, job.kh, job.kw, down, across)
        elif kind == I2:
            lay_weights(h, part, <short*> to, flip, before, job.kh, job.kw, down, across)
        elif kind == I4:
            lay_weights(h, part, <int*> to, flip, before, job.kh, job.kw, down, across)
        else:
            lay_weights(h, part, <long long*> to, flip, before, job.kh, job.kw, down, across)
        to += job.kh * job.kw * type_size(kind)


cdef inline void see_axis(
    Step* step, Span* span, const cnp.npy_intp* shape, int ndim, Py_ssize_t* length, Py_ssize_t* stride, Py_ssize_t* out_length,
    Py_ssize_t* out_stride,
) noexcept nogil:
    """An axis of a job on an image and a result of this shape."""
    cdef Py_ssize_t behind = numbers_from(shape, span.end, ndim)
    if span.end > 0:
        length[0] = out_length[0] = numbers_from(shape, span.first, span.end)
        stride[0] = behind * step.source_unit
        out_stride[0] = behind * step.target_unit


cdef void see_axes(Step* step, Job* job, const cnp.npy_intp* shape, int ndim) noexcept nogil:
    """All axes of a job likewise."""
    cdef int k, rows = job.n_outer
    job.planes = 1
    for k in range(rows):
        see_axis(step, &step.spans[k], shape, ndim, &job.outer[k].length, &job.outer[k].stride, &job.outer[k].out_length,
                 &job.outer[k].out_stride)
        job.planes *= job.outer[k].out_length
    see_axis(step, &step.spans[rows], shape, ndim, &job.rows, &job.row_stride, &job.m, &job.out_row_stride)
    see_axis(step, &step.spans[rows + 1], shape, ndim, &job.cols, &job.col_stride, &job.n, &job.out_col_stride)


cdef void add_numbers(number* to, Py_ssize_t stride, const number* sums, Py_ssize_t n, bint takes) noexcept nogil:
    """n sums added to numbers stride bytes apart, or taken from them."""
    cdef Py_ssize_t i
    cdef number* d
    for i in range(n):
        d = <number*> (<char*> to + i * stride)
        d[0] = d[0] - sums[i] if takes else d[0] + sums[i]


cdef void add_sums(int kind, char* to, Py_ssize_t stride, const char* sums, Py_ssize_t n, bint takes) noexcept nogil:
    """The same of a type; integers keep their low bits, truth values are or-ed."""
    cdef Py_ssize_t i
    if kind == F4:
        add_numbers(<float*> to, stride, <const float*> sums, n, takes)
    elif kind == F8:
        add_numbers(<double*> to, stride, <const double*> sums, n, takes)
    elif kind == BOOL:
        for i in range(n):
            to[i * stride] |= sums[i]
    elif type_size(kind) == 1:
        add_numbers(<unsigned char*> to, stride, <const unsigned char*> sums, n, takes)
    elif type_size(kind) == 2:
        add_numbers(<unsigned short*> to, stride, <const unsigned short*> sums, n, takes)
    elif type_size(kind) == 4:
        add_numbers(<unsigned int*> to, stride, <const unsigned int*> sums, n, takes)
    else:
        add_numbers(<unsigned long long*> to, stride, <const unsigned long long*> sums, n, takes)


cdef bint is_finite(Lane* ln, Py_ssize_t taps) noexcept:
    """Whether all taps of a kernel are: NumPy warns of those that others became."""
    cdef Py_ssize_t i
    cdef int part
    cdef const char* numbers
    for part in range(2):
        numbers = ln.imag_part if part else ln.real_part
        if numbers != NULL and (ln.kind == F4 or ln.kind == F8):
            for i in range(taps):
                if not isfinite((<const float*> numbers)[i] if ln.kind == F4 else (<const double*> numbers)[i]):
                    return False
    return True


cdef class Ready:
    """Jobs that do a call on any image and result, both contiguous, of the shapes and types they were made for.

    It never changes, and threads may share it.

    Attributes
    ----------
    is_general : bool
        Whether the call is so little work that all with the same head are done like it, see `again`.
    warns : bool
        Whether NumPy may have warned of the weights.
    """

    cdef Step* steps
    cdef int count, ndim, type_num
    cdef Py_ssize_t shape[64]
    cdef Py_ssize_t between_bytes, numbers, most
    cdef double all_taps        # multiply-adds of a number
    cdef readonly bint is_general, warns
    cdef bint low               # whether a kernel may look like a product
    cdef list held              # fill values and kernels, which jobs point to

    def __cinit__(self):
        self.steps = NULL

    def __dealloc__(self):
        PyMem_Free(self.steps)

    def __init__(
        self, list steps, cnp.ndarray image, cnp.ndarray result, Py_ssize_t between_bytes, cnp.ndarray weights, Py_ssize_t most,
        bint low,
    ):
        """Take note of a call.

        Parameters
        ----------
        steps : list of (work, lanes, source, target, then, sums), as `correlate` takes them; places 0 (image), 1 (between), 2
            (result).  Arrays between two jobs begin where the memory for them does.  then : 0; or 1 or 2, where what is
            between is added to sums, a part of the result, or taken from it
        image, result : the arrays that lie there;  between_bytes : size of those between
        weights : those that others may take the place of, or None;  most : numbers of the largest image of other sides
        low : whether a kernel looks like a product, or may
        """
        cdef Step* step
        cdef Job* job
        cdef cnp.ndarray sums
        cdef int k
        cdef Py_ssize_t taps
        self.steps = <Step*> PyMem_Malloc(len(steps) * sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        self.count = 0
        self.held = []
        self.all_taps = 0
        self.warns = False
        self.numbers = cnp.PyArray_SIZE(result)
        self.most = most
        self.low = low
        self.between_bytes = between_bytes
        self.type_num = cnp.PyArray_TYPE(result)
        self.ndim = cnp.PyArray_NDIM(result)
        for k in range(self.ndim):
            self.shape[k] = cnp.PyArray_DIM(result, k)
        self.is_general = cnp.PyArray_SAMESHAPE(image, result)
        for work, lanes, source, target, then, part in steps:
            step = self.steps + self.count
            job = &step.job
            self.held.append((work[2], lanes))
            see_work(job, work)
            see_lanes(job, lanes)
            step.source = source
            step.source_offset = offset_from(step.source, job.image, image, result)
            step.source_unit = self.unit_of(step.source, image, result)
            step.target = target
            step.target_offset = offset_from(step.target, job.out, image, result)
            step.target_unit = self.unit_of(step.target, image, result)
            step.then = then
            step.sums_offset = step.target_offset
            if step.then != NOTHING:
                sums = part
                step.sums_offset = cnp.PyArray_BYTES(sums) - cnp.PyArray_BYTES(result)
                step.sums_unit = cnp.PyArray_ITEMSIZE(result)
            # Re Re - Im Im and Re Im + Im Re: the imaginary weights lead from one part to the other.
            step.part = weights is not None and is_complex(cnp.PyArray_TYPE(weights)) and (
                (step.source_offset % step.source_unit != 0) != (step.sums_offset % cnp.PyArray_ITEMSIZE(result) != 0))
            taps = job.kh * job.kw * job.taps
            for k in range(job.n_lanes):
                self.warns |= not is_finite(&job.lanes[k], taps)
            self.is_general = self.is_general and find_spans(step, <const cnp.npy_intp*> self.shape, self.ndim)
            if weights is not None:
                self.is_general = (self.is_general and find_steps(step, <const cnp.npy_intp*> self.shape, self.ndim, weights)
                                   and reads_as(step, &self.steps[0]))
            self.all_taps += taps
            self.count += 1
        self.is_general = self.is_general and self.is_little(image)

    cdef Py_ssize_t unit_of(self, Place place, cnp.ndarray image, cnp.ndarray result):
        """Bytes from number to number, or pixel to pixel of complex ones."""
        if place == BETWEEN:
            return self.between_bytes // self.numbers
        return cnp.PyArray_ITEMSIZE(image if place == IMAGE else result)

    cdef bint is_little(self, cnp.ndarray image):
        """Whether the call is little work on an image, whatever its weights: so little that the planner says so, too."""
        cdef Job job
        cdef int k, axis, ndim = cnp.PyArray_NDIM(image)
        cdef const cnp.npy_intp* shape = cnp.PyArray_DIMS(image)
        cdef Py_ssize_t taps, size, numbers = cnp.PyArray_SIZE(image)
        if numbers > self.most:
            return False
        for k in range(self.count):
            job = self.steps[k].job
            see_axes(&self.steps[k], &job, shape, ndim)
            taps = job.kh * job.kw * job.taps
            size = max(type_size(job.lanes[0].kind), type_size(job.out_kind))
            if not is_little_for(numbers_summed(job.planes * job.m, job.n * job.channels, size) * taps * size, taps, self.low):
                return False
            if taps >= PLAN_TAPS:       # it may have taken any axis for that of rows
                for axis in range(ndim):
                    if not is_little_for(numbers_summed(numbers // shape[axis], shape[axis], size) * taps * size, taps, self.low):
                        return False
        return True

    cdef int work(
        self, char* image, char* result, const cnp.npy_intp* shape, Py_ssize_t numbers, Py_ssize_t between_bytes,
        const char* taps,
    ) noexcept nogil:
        """All jobs on an image of so many numbers, of this shape, or where it is NULL their own; taps: of weights that take the
        place of others, for each lane, or NULL.  -1 where there is no memory to be had.
        """
        cdef Job job
        cdef Step* step
        cdef char* between = NULL
        cdef char* places[3]
        cdef int k, lane, failed = 0
        if between_bytes:
            between = <char*> malloc(between_bytes)
            if between == NULL:
                return -1
        places[<int> IMAGE] = image
        places[<int> BETWEEN] = between
        places[<int> RESULT] = result
        for k in range(self.count):
            step = self.steps + k
            job = step.job
            job.image = places[<int> step.source] + step.source_offset
            job.out = places[<int> step.target] + step.target_offset
            if shape != NULL:
                see_axes(step, &job, shape, self.ndim)
            if taps != NULL:
                for lane in range(job.n_lanes):
                    job.lanes[lane].real_part = taps + lane * LANE_BYTES + step.part * (LANE_BYTES // 2)
            failed |= run_job(&job, NULL, 1, 0, job.m)
            if step.then != NOTHING:
                add_sums(job.out_kind, result + step.sums_offset, step.sums_unit, between, numbers, step.then == TAKE_FROM)
        free(between)
        return failed

    cpdef cnp.ndarray run(self, cnp.ndarray image, cnp.ndarray out, cnp.ndarray weights, bint flips):
        """The result for an image, in a new array or in `out`; weights: in place of those it was made of, or None."""
        cdef int failed, k, part
        cdef double room[MAX_LANES * KEY_TAPS]
        cdef Job* first = &self.steps[0].job
        cdef const cnp.npy_intp* shape = NULL
        cdef const char* taps = NULL
        cdef Py_ssize_t numbers = cnp.PyArray_SIZE(image) if self.is_general else self.numbers
        cdef Py_ssize_t between_bytes = self.between_bytes // self.numbers * numbers
        if out is None:
            out = self.make_result(image, numbers)
        if self.count == 0:
            cnp.PyArray_CopyInto(out, image)
            return out
        if self.is_general:
            shape = cnp.PyArray_DIMS(image)
            if weights is not None:
                taps = <const char*> room
                if first.lanes[first.n_lanes - 1].kind <= I8 and cnp.PyArray_ISFLOAT(weights):
                    weights = cnp.PyArray_Cast(weights, cnp.NPY_LONGLONG)       # whole ones, of which lanes keep the low bits
                if is_complex(cnp.PyArray_TYPE(weights)) and not flips:
                    weights = weights.conj()
                for k in range(first.n_lanes):
                    for part in range(1 + is_complex(cnp.PyArray_TYPE(weights))):
                        lay_in_lane(self.steps, first.lanes[k].kind, weights, part,
                                    <char*> room + k * LANE_BYTES + part * (LANE_BYTES // 2), flips)
        if numbers * self.all_taps <= KEEP_GIL_WORK:
            failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out), shape, numbers, between_bytes, taps)
        else:
            with nogil:
                failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out), shape, numbers, between_bytes, taps)
        if failed:
            raise MemoryError("no scratch memory for the tiles")
        return out

    cdef cnp.ndarray make_result(self, cnp.ndarray image, Py_ssize_t numbers):
        """An array for the result of a call on an image."""
        cdef cnp.npy_intp* shape = cnp.PyArray_DIMS(image) if self.is_general else <cnp.npy_intp*> self.shape
        if numbers < LARGE_RESULT:
            return cnp.PyArray_EMPTY(self.ndim, shape, self.type_num, 0)
        return empty(tuple([shape[k] for k in range(self.ndim)]), cnp.PyArray_DescrFromType(self.type_num))
