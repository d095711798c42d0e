# Small calls of scipy.ndimage's filters and of pictures: what such a call does follows from its arguments and from shape and
# type of its image, so the jobs made for one are kept under these, and do the next one on its own pixels.

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    long long PyLong_AsLongLongAndOverflow(object number, int* overflow)

cdef enum:
    KEY_BYTES = 4096            # of a call: weights of 500 float64
    KEY_DEPTH = 4               # of lists in lists
    READY_NUMBERS = 1 << 16     # of the largest image

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
    """Whether an image is a small array of native numbers."""
    return (cnp.PyArray_CheckExact(image) and cnp.PyArray_ISALIGNED(image) and cnp.PyArray_ISNOTSWAPPED(image)
            and 0 < cnp.PyArray_SIZE(image) <= READY_NUMBERS and kind_of(cnp.PyArray_TYPE(image)) >= 0)


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

    Returns
    -------
    ndarray, the result; or bytes, the key to keep what is made of the call, with the image contiguous, under; or None, where
    nothing is to be kept
    """
    cdef Key key
    cdef int axis
    if not is_ready_image(image):
        return None
    cdef cnp.ndarray pixels = cnp.PyArray_GETCONTIGUOUS(image)
    key.size = 0
    put_value(&key, name, 0)
    put_number(&key, b"a", cnp.PyArray_TYPE(pixels))
    for axis in range(cnp.PyArray_NDIM(pixels)):
        put_number(&key, b"n", cnp.PyArray_DIM(pixels, axis))
    if not put_output(&key, pixels, output):
        return None
    for value in arguments:
        if not put_value(&key, value, 0):
            return None
    text = PyBytes_FromStringAndSize(key.text, key.size)
    found = kept.get(text)
    if found is None:
        return text
    return (<Ready> found).run(pixels, output if cnp.PyArray_CheckExact(output) else None)


cdef enum Place:                # whose memory a job reads, or writes
    IMAGE
    BETWEEN
    RESULT

ctypedef struct Step:
    Job job
    Place source, target
    Py_ssize_t source_offset, target_offset


cdef inline Py_ssize_t offset_from(Place place, const char* start, cnp.ndarray image, cnp.ndarray result) noexcept:
    """Where an array begins in the memory of its place, in bytes."""
    if place == BETWEEN:
        return 0
    return start - cnp.PyArray_BYTES(image if place == IMAGE else result)


cdef class Ready:
    """Jobs that do a call on any image and result, both contiguous, of the shapes and types they were made for.

    It never changes, and threads may share it.
    """

    cdef Step* steps
    cdef int count
    cdef Py_ssize_t between_bytes
    cdef int ndim, type_num
    cdef Py_ssize_t shape[64]
    cdef bint is_short          # done in less time than handing over the GIL takes
    cdef list held              # fill values and kernels, which jobs point to

    def __cinit__(self):
        self.steps = NULL

    def __dealloc__(self):
        PyMem_Free(self.steps)

    def __init__(self, list steps, cnp.ndarray image, cnp.ndarray result, Py_ssize_t between_bytes=0):
        """Take note of a call.

        Parameters
        ----------
        steps : list of (work, lanes, source, target), as `correlate` takes them; places 0 (image), 1 (between), 2 (result)
            Arrays between two jobs begin where the memory for them does.
        image, result : the arrays that lie there;  between_bytes : size of those between
        """
        cdef Step* step
        cdef double numbers = 0
        cdef int axis
        self.steps = <Step*> PyMem_Malloc(len(steps) * sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        self.count = 0
        self.held = []
        for work, lanes, source, target in steps:
            step = self.steps + self.count
            self.held.append((work[2], lanes))
            see_work(&step.job, work)
            see_lanes(&step.job, lanes)
            step.source = source
            step.source_offset = offset_from(step.source, step.job.image, image, result)
            step.target = target
            step.target_offset = offset_from(step.target, step.job.out, image, result)
            numbers += <double> cnp.PyArray_SIZE(result) * step.job.kh * step.job.kw * step.job.taps
            self.count += 1
        self.is_short = numbers <= KEEP_GIL_WORK
        self.between_bytes = between_bytes
        self.type_num = cnp.PyArray_TYPE(result)
        self.ndim = cnp.PyArray_NDIM(result)
        for axis in range(self.ndim):
            self.shape[axis] = cnp.PyArray_DIM(result, axis)

    cdef int work(self, char* image, char* result) noexcept nogil:
        """All jobs; -1 where there is no memory to be had."""
        cdef Job job
        cdef char* between = NULL
        cdef char* places[3]
        cdef int k, failed = 0
        if self.between_bytes:
            between = <char*> malloc(self.between_bytes)
            if between == NULL:
                return -1
        places[<int> IMAGE] = image
        places[<int> BETWEEN] = between
        places[<int> RESULT] = result
        for k in range(self.count):
            job = self.steps[k].job
            job.image = places[<int> self.steps[k].source] + self.steps[k].source_offset
            job.out = places[<int> self.steps[k].target] + self.steps[k].target_offset
            failed |= run_job(&job, NULL, 1, 0, job.m)
        free(between)
        return failed

    cpdef cnp.ndarray run(self, cnp.ndarray image, cnp.ndarray out):
        """The result of the call for an image, in a new array or in `out`."""
        cdef int failed
        if out is None:
            out = cnp.PyArray_EMPTY(self.ndim, <cnp.npy_intp*> self.shape, self.type_num, 0)
        if self.is_short:
            failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out))
        else:
            with nogil:
                failed = self.work(cnp.PyArray_BYTES(image), cnp.PyArray_BYTES(out))
        if failed:
            raise MemoryError("no scratch memory for the tiles")
        return out
