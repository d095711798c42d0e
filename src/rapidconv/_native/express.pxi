# The express lane: a plain call answered at once, because SciPy's whole small call takes 3 microseconds, and because
# after a large one, with the caches full of pixels, the way through Python takes 40 (2026-11-20, Sapphire Rapids).
#
# Plain: two NumPy arrays of any strides, of a common type we know, known names, a Python number as fill value; integers only in
# calls so small that it does not pay to see whether their sums fit in floating lanes, or to join rows.  The kernel may be a list.
# Everything else, every error included, is declined with None and takes the way through _arguments, _plan and _execute;
# the two ways meet in run_job and give the same bits.

from rapidconv._native.memory import empty

cdef extern from "numpy/arrayobject.h":
    cnp.dtype PyArray_PromoteTypes(cnp.dtype first, cnp.dtype second)

cdef enum:
    COPIED_NUMBERS = 1 << 16      # of the largest array that is copied to be plain
    LARGE_RESULT = 1 << 14        # numbers of a result whose memory may be kept
    EXPRESS_TAPS = 4096         # taps of the largest kernel, kept on the stack
    EXPRESS_SIDE = 1 << 24      # pixels on a side, so that no product overflows
    PLAN_TAPS = 26              # kernels worth a look at other methods than direct summation,
    PLAN_BYTES = 7 << 21        # and multiply-adds times bytes of a sum, some 45 us
    MANY_TAPS = 128             # transforms gain on kernels of so many
    MANY_BYTES = 3 << 21        # from some 20 us on
    LOW_BYTES = 1 << 21         # from some 6 us on products gain on kernels that look like one
    KEEP_GIL_WORK = 1 << 16     # multiply-adds done in less time than handing over the GIL takes
    EXPRESS_BYTES = 1 << 20     # multiply-adds of integers times bytes of a lane, or 4, done in some 25 us


cdef inline cnp.ndarray plain(cnp.ndarray a):
    """An array of rows and columns of known numbers, not empty: itself if native and aligned, or a small copy; else None."""
    if cnp.PyArray_NDIM(a) != 2 or cnp.PyArray_SIZE(a) == 0 or kind_of(cnp.PyArray_TYPE(a)) < 0:
        return None
    if cnp.PyArray_ISALIGNED(a) and cnp.PyArray_ISNOTSWAPPED(a):
        return a
    if cnp.PyArray_SIZE(a) > COPIED_NUMBERS:
        return None
    return cnp.PyArray_FROM_OTF(a, cnp.PyArray_TYPE(a), cnp.NPY_ARRAY_CARRAY_RO)


cdef bint read_fill(value, int type_num, double* fill):
    """Whether a fill value is a Python number that is one of a type, and of its lane, and no warning goes with it."""
    cdef int size, kind = kind_of(type_num)
    cdef double least = -1e300, most = 1e300
    if kind < F2:
        if type(value) is not int:
            return False
        size = type_size(kind)
        most = 2.0 ** (8 * (2 if size == 1 and kind == U1 else size) - 1) - 1
        least = 0 if cnp.PyTypeNum_ISUNSIGNED(type_num) else -most - 1
        most = 255 if kind == U1 else most
    elif kind == F4:
        least, most = -1e38, 1e38
    if not (type(value) is int and -(1 << 53) <= value <= 1 << 53 or type(value) is float):
        return False
    fill[0] = value
    return least <= fill[0] <= most


cdef inline bint is_smaller(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether one array fits into another with room to spare."""
    return (cnp.PyArray_DIM(a, 0) <= cnp.PyArray_DIM(b, 0) and cnp.PyArray_DIM(a, 1) <= cnp.PyArray_DIM(b, 1)
            and cnp.PyArray_SIZE(a) < cnp.PyArray_SIZE(b))


cdef bint overlap(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether the bytes between the ends of two arrays of two axes overlap."""
    cdef Py_ssize_t ends[4]
    cdef Py_ssize_t reach
    cdef int axis, k
    for k in range(2):
        ends[2 * k] = <Py_ssize_t> cnp.PyArray_BYTES(b if k else a)
        ends[2 * k + 1] = ends[2 * k] + cnp.PyArray_ITEMSIZE(b if k else a)
        for axis in range(2):
            reach = (cnp.PyArray_DIM(b if k else a, axis) - 1) * cnp.PyArray_STRIDE(b if k else a, axis)
            ends[2 * k + (reach > 0)] += reach
    return ends[0] < ends[3] and ends[2] < ends[1]


cdef int common_type(cnp.ndarray a, cnp.ndarray b):
    """The common type of two arrays."""
    cdef int first = cnp.PyArray_TYPE(a), second = cnp.PyArray_TYPE(b)
    cdef bint takes, fits
    if first == second:
        return first
    takes = cnp.PyArray_CanCastSafely(second, first)
    fits = cnp.PyArray_CanCastSafely(first, second)
    if takes != fits:
        return first if takes else second
    return PyArray_PromoteTypes(a.descr, b.descr).type_num      # also of two names of one type, as long and long long


cdef void read_taps(cnp.ndarray h, lane* to, int part, bint flip, bint negative) noexcept:
    """Real (0) or imaginary (1) part of a kernel in a lane, flipped in both axes if so wanted, transposed."""
    cdef Py_ssize_t i, j, kh = cnp.PyArray_DIM(h, 0), kw = cnp.PyArray_DIM(h, 1), down = cnp.PyArray_STRIDE(h, 0)
    cdef Py_ssize_t across = cnp.PyArray_STRIDE(h, 1)
    cdef int kind = kind_of(cnp.PyArray_TYPE(h))
    cdef const char* first = cnp.PyArray_BYTES(h) + part * type_size(kind)
    if flip:
        first += (kh - 1) * down + (kw - 1) * across
        down = -down
        across = -across
    for i in range(kh):
        to_lane(kind, first + i * down, across, to + i, kh, kw)
    if negative:
        for j in range(kh * kw):
            to[j] = -to[j]


cdef void read_kernel(Lane* ln, cnp.ndarray h, extended* memory, bint flip, bint conjugate) noexcept:
    """The kernel in a lane, laid out in memory."""
    cdef Py_ssize_t taps = cnp.PyArray_SIZE(h)
    cdef bint pairs = is_complex(cnp.PyArray_TYPE(h))
    ln.real_part = <const char*> memory
    ln.imag_part = <const char*> (memory + taps) if pairs else NULL
    ln.limit = <unsigned long long> -1
    if ln.kind == FG:
        read_taps(h, memory, 0, flip, False)
        if pairs:
            read_taps(h, memory + taps, 1, flip, conjugate)
    elif ln.kind == F8:
        read_taps(h, <double*> memory, 0, flip, False)
        if pairs:
            read_taps(h, <double*> (memory + taps), 1, flip, conjugate)
    elif ln.kind == F4:
        read_taps(h, <float*> memory, 0, flip, False)
        if pairs:
            read_taps(h, <float*> (memory + taps), 1, flip, conjugate)
    elif ln.kind == I2:
        read_taps(h, <short*> memory, 0, flip, False)
    elif ln.kind == I4:
        read_taps(h, <int*> memory, 0, flip, False)
    else:
        read_taps(h, <long long*> memory, 0, flip, False)


cdef inline double numbers_summed(double rows, Py_ssize_t width, Py_ssize_t size) noexcept:
    """Numbers of rows so wide, counted by the time that direct sums of a size take: whole vectors, and some more as the last
    strip of a row waits for its own sums (2026-11-21, Sapphire Rapids, benchmarks.regret)."""
    cdef Py_ssize_t lanes = max(1, RC_BYTES // size)
    return rows * ((width + lanes - 1) // lanes + 0.65) * lanes


cdef inline bint is_little_for(double work, Py_ssize_t taps, bint low) noexcept:
    """Whether so many multiply-adds times bytes are little work for a kernel of so many taps that looks low, or does not."""
    return taps < PLAN_TAPS or work <= (LOW_BYTES if low else MANY_BYTES if taps >= MANY_TAPS else PLAN_BYTES)


cdef inline bint is_little(
    double rows, Py_ssize_t width, Py_ssize_t products, cnp.ndarray kernel, bint flip, Py_ssize_t size
):
    """Whether rows of so many sums of a size, of so many products a tap, are summed directly without a look at other methods."""
    cdef Py_ssize_t taps = cnp.PyArray_SIZE(kernel)
    cdef double work = numbers_summed(rows, width, size) * products * taps * size
    if is_little_for(work, taps, False):
        return is_little_for(work, taps, True) or not is_low(kernel, flip)
    return False


cdef inline int products_counted(cnp.ndarray image, cnp.ndarray kernel):
    """Multiply-adds of a real number and a tap, as `is_little` counts: 2 of complex taps, as long as 4 on complex pixels."""
    cdef int parts = 1 + is_complex(cnp.PyArray_TYPE(image))
    return 2 * parts if is_complex(cnp.PyArray_TYPE(kernel)) else 1


def little_work(double rows, Py_ssize_t width, Py_ssize_t products, cnp.ndarray kernel, Py_ssize_t size):
    """Whether rows of so many sums of a size, of so many products a tap, are summed directly without a look at other methods."""
    return is_little(rows, width, products, kernel, False, size)


def summed(double rows, Py_ssize_t width, Py_ssize_t size):
    """Numbers of rows so wide, counted by the time that direct sums of a size take."""
    return numbers_summed(rows, width, size)


cdef inline cnp.ndarray new_result(Py_ssize_t m, Py_ssize_t n, int type_num):
    """An array for the result; memory.empty costs 0.3 us, so it is asked only where it can gain."""
    cdef cnp.npy_intp[2] shape
    if m * n < LARGE_RESULT:
        shape[0] = m
        shape[1] = n
        return cnp.PyArray_EMPTY(2, shape, type_num, 0)
    return empty((m, n), cnp.PyArray_DescrFromType(type_num))


cdef object answer(bint flip, in1, in2, mode, boundary, fillvalue, out, double limit, bint chooses):
    """The convolution (flip) or correlation of a plain call; None to decline it, NotImplemented where the only reason is
    that it takes longer than so many seconds.  chooses: calls that other methods may do faster are declined too."""
    cdef Job job
    cdef extended weights[EXPRESS_TAPS]
    cdef Py_ssize_t shape[2]
    cdef Py_ssize_t skip[2]
    cdef double fill = 0
    cdef Py_ssize_t k, n, axis, work, size, taps
    cdef int type_num, kind, failed, products
    cdef bint reverse = False
    cdef cnp.ndarray image, kernel, result = None
    cdef extended beyond[2]
    if not cnp.PyArray_CheckExact(in1) or not isinstance(mode, str) or not isinstance(boundary, str):
        return None
    if type(in2) is list:
        in2 = cnp.PyArray_FROM_O(in2)
    elif not cnp.PyArray_CheckExact(in2):
        return None
    image = plain(in1)
    kernel = plain(in2)
    if image is None or kernel is None:
        return None
    type_num = common_type(image, kernel)
    kind = kind_of(type_num)
    if kind == BOOL or kind == F2 or kind < 0:
        return None
    if mode == "valid" and is_smaller(image, kernel):
        if not flip and is_complex(type_num):
            return None
        image, kernel, reverse = kernel, image, not flip
    products = (1 + is_complex(cnp.PyArray_TYPE(image))) * (1 + is_complex(cnp.PyArray_TYPE(kernel)))
    if boundary == "fill":
        if not read_fill(fillvalue, type_num, &fill):
            return None
        job.boundary = FILL
    elif boundary == "symm":
        job.boundary = SYMM
    elif boundary == "wrap":
        job.boundary = WRAP
    else:
        return None
    taps = cnp.PyArray_SIZE(kernel)
    work = taps * products
    if work > EXPRESS_TAPS // 2:
        return None
    for axis in range(2):
        n = cnp.PyArray_DIM(image, axis)
        k = cnp.PyArray_DIM(kernel, axis)
        if mode == "full":
            shape[axis] = n + k - 1
            skip[axis] = 0
        elif mode == "same":
            shape[axis] = n
            skip[axis] = (k - 1) // 2 if flip else k // 2
        elif mode == "valid":
            if n < k:
                return None
            shape[axis] = n - k + 1
            skip[axis] = k - 1
        else:
            return None
        if shape[axis] > EXPRESS_SIDE:
            return None
        work *= shape[axis]
    size = type_size(kind)
    if chooses:
        n = shape[1] * (1 + is_complex(cnp.PyArray_TYPE(image)))
        if not is_little(shape[0], n, products_counted(image, kernel), kernel, flip, size):
            return None
    if work > KEEP_GIL_WORK:
        if kind != F4 and kind != F8 and (kind == FG or work * max(size, 4) > EXPRESS_BYTES):
            return None
        if direct_seconds(shape[0] * shape[1], taps * products, size, size) >= limit:
            return NotImplemented
    if out is None:
        result = new_result(shape[0], shape[1], type_num)
    else:
        if not cnp.PyArray_CheckExact(out):
            return None
        result = out
        if (not cnp.PyArray_ISCARRAY(result) or cnp.PyArray_TYPE(result) != type_num or cnp.PyArray_NDIM(result) != 2
                or cnp.PyArray_DIM(result, 0) != shape[0] or cnp.PyArray_DIM(result, 1) != shape[1]
                or overlap(result, image) or overlap(result, kernel)):
            return None
    job.n_outer = 0
    job.taps = 1
    see_image(&job, image)
    see_out(&job, result)
    if reverse:
        job.out += cnp.PyArray_NBYTES(result) - cnp.PyArray_ITEMSIZE(result)
        job.out_row_stride = -job.out_row_stride
        job.out_col_stride = -job.out_col_stride
    job.kh = cnp.PyArray_DIM(kernel, 0)
    job.kw = cnp.PyArray_DIM(kernel, 1)
    job.top = skip[0] - job.kh + 1
    job.left = skip[1] - job.kw + 1
    job.fill = <const char*> beyond
    job.fill_kind = job.out_kind if job.out_kind > F8 or job.out_kind == F4 else F8
    if job.fill_kind == F4:
        (<float*> beyond)[0] = <float> fill
        (<float*> beyond)[1] = 0
    elif job.fill_kind == F8:
        (<double*> beyond)[0] = fill
        (<double*> beyond)[1] = 0
    else:
        beyond[:] = [fill, 0]
    job.store = KEEP_BITS
    job.skips = False
    job.order = TAPS
    job.n_lanes = 1
    job.lanes[0].kind = kind if kind == F4 or kind == F8 or kind == FG else I2 if size <= 2 else I4 if size == 4 else I8
    read_kernel(&job.lanes[0], kernel, weights, flip, not flip)
    if work <= KEEP_GIL_WORK:
        failed = run_job(&job, NULL, 1, 0, job.m)
    else:
        with nogil:
            failed = run_job(&job, NULL, 1, 0, job.m)
    return None if failed else result


cdef double short_seconds = 1e300


def set_short(double seconds):
    """Let express decline calls that take longer than so many seconds; to be called once, at import."""
    global short_seconds
    short_seconds = seconds


def express(bint flip, in1, in2, mode, boundary, fillvalue, out, bint chooses):
    """The convolution (flip) or correlation of a plain and short call; None to decline it, NotImplemented if only
    because it is not short."""
    return answer(flip, in1, in2, mode, boundary, fillvalue, out, short_seconds, chooses)


def express_any(bint flip, in1, in2, mode, boundary, fillvalue, out, bint chooses):
    """The convolution (flip) or correlation of a plain call, short or not, or None to decline it."""
    return answer(flip, in1, in2, mode, boundary, fillvalue, out, 1e300, chooses)
