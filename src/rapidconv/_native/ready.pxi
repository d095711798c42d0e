# Small calls of scipy.ndimage's filters and of pictures: what such a call does follows from its arguments and from type and shape
# of its image, so the jobs made for one are kept under these, and do the next one on its own pixels.
#
#     head: name, arguments, types; of the image's sides what decides which axes are rows and columns;
#           of floating weights their shape, whether some are zero, are (anti)symmetric, for short images of one sign
#     tail: the sides of the image, those weights
#
# Little work is always summed directly, so the jobs of a small call serve all with the same head, on rows, columns and weights of
# their own; those of longer calls serve the ones with the same tail.

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport isfinite

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    long long PyLong_AsLongLongAndOverflow(object number, int* overflow)

cdef enum:
    KEY_TAPS = 1 << 10          # weights on the stack
    KEY_BYTES = 8 * KEY_TAPS + 512
    KEY_DEPTH = 4               # of lists in lists
    READY_NUMBERS = 1 << 18     # of the largest image
    FEW_CHANNELS = 16           # as CHANNELS in _axes.py
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
    """Add the sides of an image: to the head, of up to three axes, whether they are 1, and the last if it may be channels."""
    cdef int axis, ndim = cnp.PyArray_NDIM(image)
    cdef Py_ssize_t n
    put_number(head, b"d", ndim)
    for axis in range(ndim):
        n = cnp.PyArray_DIM(image, axis)
        if ndim > 3 or (axis == ndim - 1 and (ndim == 3 or n <= FEW_CHANNELS)):
            put_number(head, b"n", n)
        else:
            put_number(head, b"n", n == 1)
            put_number(tail, b"n", n)


cdef void read_weights(cnp.ndarray h, lane* to, bint flip) noexcept:
    """Weights of one or two axes in a lane, as `read_taps` lays them out."""
    cdef Py_ssize_t n = cnp.PyArray_DIM(h, 0), across = cnp.PyArray_STRIDE(h, 0)
    cdef const char* first = cnp.PyArray_BYTES(h)
    if cnp.PyArray_NDIM(h) == 2:
        read_taps(h, to, 0, flip, False)
    else:
        to_lane(kind_of(cnp.PyArray_TYPE(h)), first + (n - 1) * across if flip else first, -across if flip else across, to, 1, n)


cdef bint is_free(cnp.ndarray image, value):
    """Whether an argument is weights of a kind that jobs can do without: few, floating, of one or two axes."""
    cdef int type_num
    if not cnp.PyArray_CheckExact(value):
        return False
    type_num = cnp.PyArray_TYPE(value)
    return ((type_num == cnp.NPY_DOUBLE or type_num == cnp.NPY_FLOAT) and 1 <= cnp.PyArray_NDIM(value) <= 2
            and 0 < cnp.PyArray_SIZE(value) <= KEY_TAPS and cnp.PyArray_NDIM(image) <= 3
            and cnp.PyArray_ISALIGNED(value) and cnp.PyArray_ISNOTSWAPPED(value))


cdef bint is_short(cnp.ndarray image, Py_ssize_t taps) noexcept:
    """Whether taps of a line may meet the same pixels, and are added up then: `_folded` in _passes.py."""
    cdef int axis
    for axis in range(cnp.PyArray_NDIM(image)):
        if cnp.PyArray_DIM(image, axis) == 1:
            return True
    return taps > 2 * cnp.PyArray_DIM(image, cnp.PyArray_NDIM(image) - 1)


cdef bint put_weights(Key* head, Key* tail, cnp.ndarray image, cnp.ndarray weights):
    """Add free weights; False where what is done depends on them: they are beyond float32, or whole and the image is, too."""
    cdef double taps[KEY_TAPS]
    cdef double size
    cdef Py_ssize_t i, n = cnp.PyArray_SIZE(weights)
    cdef int positive = 0, negative = 0
    cdef bint zeros = False, whole = not cnp.PyArray_ISFLOAT(image) and not cnp.PyArray_ISCOMPLEX(image), even = True, odd = True
    read_weights(weights, taps, False)
    for i in range(n):
        size = abs(taps[i])
        zeros |= size == 0
        positive += taps[i] > 0
        negative += taps[i] < 0
        whole &= taps[i] == rint(taps[i])
        if size != 0 and not (1.1754943508222875e-38 < size < 1.7014117331926443e38):      # as _passes.py
            return False
    if whole:
        return False
    for i in range(n // 2):
        even &= taps[i] == taps[n - 1 - i]
        odd &= taps[i] == -taps[n - 1 - i]
    put_number(head, b"w", cnp.PyArray_NDIM(weights))
    for i in range(cnp.PyArray_NDIM(weights)):
        put_number(head, b"n", cnp.PyArray_DIM(weights, i))
    put_number(head, b"z", zeros)
    put_number(head, b"e", EVEN if even else ODD if odd else UNEVEN)
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
    cdef cnp.ndarray weights = None
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
        if k == 0 and has_weights and is_free(pixels, arguments[0]) and put_weights(&head, &tail, pixels, arguments[0]):
            weights = arguments[0]
        elif not put_value(&head, arguments[k], 0):
            return None
    first = PyBytes_FromStringAndSize(head.text, head.size)
    ready = kept.get(first)
    if ready is None or not ready.is_little(pixels):
        second = PyBytes_FromStringAndSize(tail.text, tail.size)
        ready = kept.get((first, second))
        if ready is None:
            return pixels, weights, first, second
    return ready.run(pixels, output if cnp.PyArray_CheckExact(output) else None, weights, flips)


cdef enum Place:                # whose memory a job reads, or writes
    IMAGE
    BETWEEN
    RESULT

cdef enum Frame:                # which axes of an image of at most three are rows and columns: the last of three is channels
    FRAME_OWN                         # neither of these
    FRAME_PLAIN                       # the last two, or the only one
    FRAME_TURNED                      # the first are columns, the last channels

ctypedef struct Step:
    Job job
    Place source, target
    Py_ssize_t source_offset, target_offset


cdef inline Py_ssize_t offset_from(Place place, const char* start, cnp.ndarray image, cnp.ndarray result) noexcept:
    """Where an array begins in the memory of its place, in bytes."""
    if place == BETWEEN:
        return 0
    return start - cnp.PyArray_BYTES(image if place == IMAGE else result)


cdef inline void find_sides(Frame frame, cnp.ndarray image, Py_ssize_t* rows, Py_ssize_t* cols) noexcept:
    """Rows and columns of an image."""
    rows[0] = 1
    cols[0] = cnp.PyArray_DIM(image, 0)
    if frame == FRAME_PLAIN and cnp.PyArray_NDIM(image) > 1:
        rows[0] = cols[0]
        cols[0] = cnp.PyArray_DIM(image, 1)


cdef Frame find_frame(Step* step, cnp.ndarray image) noexcept:
    """How a job of an image and a result of one shape sees them: whole, pixel after pixel, in which frame; else FRAME_OWN."""
    cdef Job* job = &step.job
    cdef Py_ssize_t rows, cols
    cdef Frame frame
    if (job.n_outer > 0 or not 0 < cnp.PyArray_NDIM(image) <= 3 or job.m != job.rows or job.n != job.cols
            or (job.rows > 1 and job.row_stride != job.cols * job.col_stride)
            or (job.m > 1 and job.out_row_stride != job.n * job.out_col_stride)
            or step.source_offset >= job.col_stride or step.target_offset >= job.out_col_stride):
        return FRAME_OWN
    for frame in (FRAME_PLAIN, FRAME_TURNED):
        find_sides(frame, image, &rows, &cols)
        if job.rows == rows and job.cols == cols and (frame == FRAME_PLAIN or cnp.PyArray_NDIM(image) == 2):
            return frame
    return FRAME_OWN


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
    cdef Frame* frames          # of the steps, where they serve images of any sides
    cdef int count, ndim, type_num
    cdef Py_ssize_t shape[64]
    cdef Py_ssize_t between_bytes, numbers, most
    cdef double all_taps        # multiply-adds of a number
    cdef readonly bint is_general, warns
    cdef list held              # fill values and kernels, which jobs point to

    def __cinit__(self):
        self.steps = NULL
        self.frames = NULL

    def __dealloc__(self):
        PyMem_Free(self.steps)
        PyMem_Free(self.frames)

    def __init__(
        self, list steps, cnp.ndarray image, cnp.ndarray result, Py_ssize_t between_bytes, cnp.ndarray weights, Py_ssize_t most,
    ):
        """Take note of a call.

        Parameters
        ----------
        steps : list of (work, lanes, source, target), as `correlate` takes them; places 0 (image), 1 (between), 2 (result)
            Arrays between two jobs begin where the memory for them does.
        image, result : the arrays that lie there;  between_bytes : size of those between
        weights : those that others may take the place of, or None;  most : numbers of the largest image of other sides
        """
        cdef Step* step
        cdef Job* job
        cdef int axis
        cdef Py_ssize_t taps
        self.steps = <Step*> PyMem_Malloc(len(steps) * sizeof(Step))
        self.frames = <Frame*> PyMem_Malloc(len(steps) * sizeof(Frame))
        if self.steps == NULL or self.frames == NULL:
            raise MemoryError
        self.count = 0
        self.held = []
        self.all_taps = 0
        self.warns = False
        self.numbers = cnp.PyArray_SIZE(result)
        self.most = most
        self.is_general = cnp.PyArray_SAMESHAPE(image, result)
        for work, lanes, source, target in steps:
            step = self.steps + self.count
            job = &step.job
            self.held.append((work[2], lanes))
            see_work(job, work)
            see_lanes(job, lanes)
            step.source = source
            step.source_offset = offset_from(step.source, job.image, image, result)
            step.target = target
            step.target_offset = offset_from(step.target, job.out, image, result)
            taps = job.kh * job.kw * job.taps
            for axis in range(job.n_lanes):
                self.warns |= not is_finite(&job.lanes[axis], taps)
            self.frames[self.count] = find_frame(step, image)
            self.is_general &= self.frames[self.count] != FRAME_OWN and not job.pairs
            if weights is not None:
                self.is_general &= (job.n_lanes == 1 and job.lanes[0].imag_part == NULL and taps == cnp.PyArray_SIZE(weights)
                                    and job.lanes[0].kind == self.steps[0].job.lanes[0].kind in (F4, F8))
            self.all_taps += taps
            self.count += 1
        self.is_general = self.is_general and self.is_little(image)
        self.between_bytes = between_bytes
        self.type_num = cnp.PyArray_TYPE(result)
        self.ndim = cnp.PyArray_NDIM(result)
        for axis in range(self.ndim):
            self.shape[axis] = cnp.PyArray_DIM(result, axis)

    cdef bint is_little(self, cnp.ndarray image):
        """Whether the call is little work on an image, whatever its weights: so little that the planner says so, too."""
        cdef Py_ssize_t rows, cols
        cdef Job* job
        cdef int k
        if cnp.PyArray_SIZE(image) > self.most:
            return False
        for k in range(self.count):
            job = &self.steps[k].job
            find_sides(self.frames[k], image, &rows, &cols)
            if numbers_summed(rows, cols * job.channels, type_size(job.lanes[0].kind)) * job.kh * job.kw \
                    * type_size(job.lanes[0].kind) > PLAN_BYTES:
                return False
        return True

    cdef int work(
        self, char* image, char* result, const Py_ssize_t* sides, Py_ssize_t between_bytes, const char* taps,
    ) noexcept nogil:
        """All jobs; sides: rows and columns in every frame, or NULL;  taps: weights that take the place of others, or NULL.

        -1 where there is no memory to be had.
        """
        cdef Job job
        cdef char* between = NULL
        cdef char* places[3]
        cdef int k, failed = 0
        if between_bytes:
            between = <char*> malloc(between_bytes)
            if between == NULL:
                return -1
        places[<int> IMAGE] = image
        places[<int> BETWEEN] = between
        places[<int> RESULT] = result
        for k in range(self.count):
            job = self.steps[k].job
            job.image = places[<int> self.steps[k].source] + self.steps[k].source_offset
            job.out = places[<int> self.steps[k].target] + self.steps[k].target_offset
            if sides != NULL:
                job.rows = job.m = sides[2 * self.frames[k]]
                job.cols = job.n = sides[2 * self.frames[k] + 1]
                job.row_stride = job.cols * job.col_stride
                job.out_row_stride = job.n * job.out_col_stride
            if taps != NULL:
                job.lanes[0].real_part = taps
            failed |= run_job(&job, NULL, 1, 0, job.m)
        free(between)
        return failed

    cpdef cnp.ndarray run(self, cnp.ndarray image, cnp.ndarray out, cnp.ndarray weights, bint flips):
        """The result for an image, in a new array or in `out`; weights: in place of those it was made of, or None."""
        cdef int failed
        cdef double room[KEY_TAPS]
        cdef Frame frame
        cdef Py_ssize_t[6] rows_and_columns
        cdef const Py_ssize_t* sides = NULL
        cdef const char* taps = NULL
        cdef Py_ssize_t numbers = cnp.PyArray_SIZE(image) if self.is_general else self.numbers
        cdef Py_ssize_t between_bytes = self.between_bytes // self.numbers * numbers
        if out is None:
            out = self.make_result(image, numbers)
        if self.is_general:
            for frame in (FRAME_PLAIN, FRAME_TURNED):
                find_sides(frame, image, rows_and_columns + 2 * <int> frame, rows_and_columns + 2 * <int> frame + 1)
            sides = rows_and_columns
            if weights is not None:
                taps = <const char*> room
                if self.steps[0].job.lanes[0].kind == F4:
                    read_weights(weights, <float*> room, flips)
                else:
                    read_weights(weights, room, flips)
        if numbers * self.all_taps <= KEEP_GIL_WORK:
            failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out), sides, between_bytes, taps)
        else:
            with nogil:
                failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out), sides, between_bytes, taps)
        if failed:
            raise MemoryError("no scratch memory for the tiles")
        return out

    cdef cnp.ndarray make_result(self, cnp.ndarray image, Py_ssize_t numbers):
        """An array for the result of a call on an image."""
        cdef cnp.npy_intp* shape = cnp.PyArray_DIMS(image) if self.is_general else <cnp.npy_intp*> self.shape
        if numbers < LARGE_RESULT:
            return cnp.PyArray_EMPTY(self.ndim, shape, self.type_num, 0)
        return empty(tuple([shape[k] for k in range(self.ndim)]), cnp.PyArray_DescrFromType(self.type_num))
