# The express lane: a plain call answered at once, because SciPy's whole small call takes 3 microseconds, and because
# after a large one, with the caches full of pixels, the way through Python takes 40 (2026-11-20, Sapphire Rapids).
#
# Plain: two float32 or two float64 NumPy arrays, native, rows contiguous, known names, fill value 0.  Everything
# else, every error included, is declined with None and takes the way through _arguments, _plan and _execute; the
# two ways meet in run_job and give the same bits.

cdef enum:
    EXPRESS_TAPS = 4096         # taps of the largest kernel, kept on the stack
    EXPRESS_SIDE = 1 << 24      # pixels on a side, so that no product overflows
    PLAN_TAPS = 25              # kernels worth a look at other methods than direct summation,
    PLAN_WORK = 1 << 23         # and multiply-adds, some 100 us
    KEEP_GIL_WORK = 1 << 16     # multiply-adds done in less time than handing over the GIL takes


cdef inline bint is_plain(cnp.ndarray a) noexcept:
    """Whether an array has rows of contiguous native numbers."""
    return (cnp.PyArray_NDIM(a) == 2 and cnp.PyArray_ISALIGNED(a) and cnp.PyArray_ISNOTSWAPPED(a)
            and cnp.PyArray_STRIDE(a, 1) == cnp.PyArray_ITEMSIZE(a)
            and cnp.PyArray_DIM(a, 0) > 0 and cnp.PyArray_DIM(a, 1) > 0)


cdef inline void transpose_kernel(cnp.ndarray h, number* to, bint flip) noexcept:
    """The kernel, flipped in both axes if so wanted, transposed."""
    cdef Py_ssize_t i, j, kh = cnp.PyArray_DIM(h, 0), kw = cnp.PyArray_DIM(h, 1), pitch = cnp.PyArray_STRIDE(h, 0)
    cdef number* row
    for i in range(kh):
        row = <number*> (cnp.PyArray_BYTES(h) + (kh - 1 - i if flip else i) * pitch)
        for j in range(kw):
            to[j * kh + i] = row[kw - 1 - j if flip else j]


cdef inline bint is_little(Py_ssize_t work, Py_ssize_t taps) noexcept:
    """Whether plain calls are summed directly without a look at other methods."""
    return work <= PLAN_WORK or taps < PLAN_TAPS


def little_work(Py_ssize_t numbers, Py_ssize_t taps):
    """Whether so many outputs of so many taps, in float32 or float64, are summed directly without a look at other methods."""
    return is_little(numbers * taps, taps)


cdef object answer(bint flip, in1, in2, mode, boundary, fillvalue, double limit, bint chooses):
    """The convolution (flip) or correlation of a plain call; None to decline it, NotImplemented where the only reason is
    that it takes longer than so many seconds.  chooses: calls that other methods may do faster are declined too."""
    cdef Job job
    cdef double weights[EXPRESS_TAPS]
    cdef Py_ssize_t shape[2]
    cdef Py_ssize_t skip[2]
    cdef Py_ssize_t k, n, axis, work, size
    cdef double zero = 0
    cdef int type_num, failed
    if not (cnp.PyArray_CheckExact(in1) and cnp.PyArray_CheckExact(in2)):
        return None
    cdef cnp.ndarray image = <cnp.ndarray> in1
    cdef cnp.ndarray kernel = <cnp.ndarray> in2
    type_num = cnp.PyArray_TYPE(image)
    if type_num != cnp.PyArray_TYPE(kernel) or (type_num != cnp.NPY_DOUBLE and type_num != cnp.NPY_FLOAT):
        return None
    if not (is_plain(image) and is_plain(kernel)) or type(mode) is not str or type(boundary) is not str:
        return None
    if boundary == "fill":
        if type(fillvalue) is not int or fillvalue != 0:
            return None
        job.boundary = FILL
    elif boundary == "symm":
        job.boundary = SYMM
    elif boundary == "wrap":
        job.boundary = WRAP
    else:
        return None
    work = cnp.PyArray_SIZE(kernel)
    if work > EXPRESS_TAPS:
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
    if chooses and not is_little(work, cnp.PyArray_SIZE(kernel)):
        return None
    size = cnp.PyArray_ITEMSIZE(image)
    if work > KEEP_GIL_WORK and direct_seconds(shape[0] * shape[1], cnp.PyArray_SIZE(kernel), size, size) >= limit:
        return NotImplemented
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(2, <cnp.npy_intp*> shape, type_num, 0)
    job.n_outer = 0
    job.taps = 1
    see_image(&job, image)
    see_out(&job, out)
    job.kh = cnp.PyArray_DIM(kernel, 0)
    job.kw = cnp.PyArray_DIM(kernel, 1)
    job.top = skip[0] - job.kh + 1
    job.left = skip[1] - job.kw + 1
    job.fill = <const char*> &zero
    job.fill_kind = job.kind
    job.store = KEEP_BITS
    job.skips = False
    job.order = TAPS
    job.n_lanes = 1
    job.lanes[0].kind = job.kind
    job.lanes[0].real_part = <const char*> weights
    job.lanes[0].imag_part = NULL
    job.lanes[0].limit = <unsigned long long> -1
    if type_num == cnp.NPY_DOUBLE:
        transpose_kernel(kernel, <double*> weights, flip)
    else:
        transpose_kernel(kernel, <float*> weights, flip)
    if work <= KEEP_GIL_WORK:
        failed = run_job(&job, NULL, 1, 0, job.m)
    else:
        with nogil:
            failed = run_job(&job, NULL, 1, 0, job.m)
    return None if failed else out


cdef double short_seconds = 1e300


def set_short(double seconds):
    """Let express decline calls that take longer than so many seconds; to be called once, at import."""
    global short_seconds
    short_seconds = seconds


def express(bint flip, in1, in2, mode, boundary, fillvalue, bint chooses):
    """The convolution (flip) or correlation of a plain and short call; None to decline it, NotImplemented if only
    because it is not short."""
    return answer(flip, in1, in2, mode, boundary, fillvalue, short_seconds, chooses)


def express_any(bint flip, in1, in2, mode, boundary, fillvalue, bint chooses):
    """The convolution (flip) or correlation of a plain call, short or not, or None to decline it."""
    return answer(flip, in1, in2, mode, boundary, fillvalue, 1e300, chooses)
