# Long calls made before, on other pixels: what such a call is to do follows from its arguments, its kernel and how its image
# lies in memory, so what was made for one is kept and found again by these: bytes are compared, nothing is done in Python,
# whose own data the pixels of a large call push out of the caches.
#
#   Call:    arguments, kernel, shape and strides of the image -> what does it, in parts
#   Course:  a part: the job, and all that its road made of the kernel
#   Look:    another kernel that the planner would say the same of, which takes the kernel's place (look.pxi)
#
# None of them ever changes, and threads may share them.

cdef class Course:
    """A part of a call by one road, on any image and result that lie in memory as those that it was made for."""

    cdef Job job
    cdef tuple held             # what the job points to

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        """Do it, under the kernel of a look if that is not None; -1 where there is no scratch memory to be had."""
        return -1

    def prepare(self, Look look):
        """Make of its kernel what the road reads."""
        look.lay_all()

    def run(self, cnp.ndarray image, cnp.ndarray result, Look look=None):
        """Do it for an image, with the GIL released; look: at a kernel that is prepared, or None."""
        self.run_items(image, result, look, NULL)

    cdef int run_items(self, cnp.ndarray image, cnp.ndarray result, Look look, char* verdicts) except -1:
        cdef Job job = self.job
        cdef int failed
        job.image = cnp.PyArray_BYTES(image)
        job.out = cnp.PyArray_BYTES(result)
        if look is not None:
            job.lanes[0].real_part = look.turned
        with nogil:
            failed = self.go(&job, look, verdicts)
        if failed:
            raise MemoryError("no scratch memory for the tiles")
        return 0


cdef class Sums(Course):
    """Direct sums, on one thread."""

    def __init__(self, tuple work, list lanes):
        """As `correlate` takes them."""
        see_work(&self.job, work)
        see_lanes(&self.job, lanes)
        self.held = (work[2], lanes)

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        return run_job(job, NULL, 1, 0, job.m)


cdef class Lines(Course):
    """Some bands of sums along rows and down columns."""

    cdef Factors factors
    cdef Py_ssize_t first, end

    def __init__(self, tuple work, list lanes, Py_ssize_t first_band, Py_ssize_t end_band, bint clamp):
        """work, lanes, clamp: see `see_factors`;  first_band, end_band: which, of `bands`."""
        see_factors(&self.job, &self.factors, work, lanes, clamp)
        self.first = first_band * TILE_ROWS
        self.end = min(self.job.m, end_band * TILE_ROWS)
        self.held = (work[2], lanes)

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        cdef Factors factors = self.factors
        if look is not None:
            factors.columns[0] = look.column
            factors.rows[0] = look.row
            trim_taps(job, &factors)
        return run_rings(job, &factors, self.first, self.end)


cdef class Boxes(Course):
    """Some bands of sums of equal taps."""

    cdef Box box
    cdef Py_ssize_t first, end

    def __init__(self, tuple work, list lanes, Py_ssize_t first_band, Py_ssize_t end_band):
        """work, lanes: see `see_box`;  first_band, end_band: which, of `bands`."""
        see_box(&self.job, &self.box, work, lanes)
        self.first = first_band * TILE_ROWS
        self.end = min(self.job.m, end_band * TILE_ROWS)
        self.held = (work[2], lanes)

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        cdef Box box = self.box
        return run_box(job, &box, self.first, self.end)


cdef class Tiles(Course):
    """Some items of tile transforms."""

    cdef Overlap road
    cdef const long long* items
    cdef Py_ssize_t count
    cdef double noise
    cdef tuple down, across

    def __init__(
        self, tuple work, tuple planes, tuple bank, cnp.ndarray spectrum, tuple down, tuple across, tuple step, tuple facts,
        cnp.ndarray items, double noise,
    ):
        """As `correlate_fft` takes them.  noise : of a kernel of norm 1"""
        see_road(&self.job, &self.road, work, planes, bank, spectrum, down, across, step, facts)
        self.items = <const long long*> cnp.PyArray_BYTES(items)
        self.count = cnp.PyArray_SIZE(items)
        self.noise = noise
        self.down = down
        self.across = across
        self.held = (work[2], planes, bank, spectrum, items)

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        cdef Overlap road = self.road
        if look is not None:
            road.spectrum = cnp.PyArray_BYTES(look.spectrum)
            road.whole = look.whole
            road.noise = self.noise * look.norm
            road.gains = &look.gain
            road.positives = &look.sign
            road.positive = look.positive
        return run_overlap(job, &road, self.items, self.count, verdicts)

    def prepare(self, Look look):
        """Make the kernel's spectrum."""
        look.spectrum = kernel_spectra(look.taps, (look.exponent,), self.down, self.across)

    def run(self, cnp.ndarray image, cnp.ndarray result, Look look=None):
        """Do it for an image; which items were refused, as `correlate_fft` tells, or None."""
        cdef cnp.ndarray verdicts = cnp.PyArray_ZEROS(1, [self.count], cnp.NPY_UINT8, 0)
        self.run_items(image, result, look, cnp.PyArray_BYTES(verdicts))
        return None if memchr(cnp.PyArray_DATA(verdicts), REFUSED, self.count) == NULL else verdicts


cdef inline bint is_plain(array) noexcept:
    """Whether an object is an array of aligned, native numbers, of no more axes than calls are kept for."""
    return (cnp.PyArray_CheckExact(array) and cnp.PyArray_ISALIGNED(array) and cnp.PyArray_ISNOTSWAPPED(array)
            and kind_of(cnp.PyArray_TYPE(array)) >= 0 and cnp.PyArray_NDIM(array) <= 3)


cdef bint same_value(a, b):
    """Whether two arguments are the same: 1 is not 1.0, nor 0.0 -0.0."""
    cdef double x, y
    cdef Py_ssize_t k
    if type(a) is not type(b):
        return False
    if type(a) is tuple:
        if len(<tuple> a) != len(<tuple> b):
            return False
        for k in range(len(<tuple> a)):
            if not same_value((<tuple> a)[k], (<tuple> b)[k]):
                return False
        return True
    if type(a) is not float:
        return a == b
    x = a
    y = b
    return memcmp(&x, &y, sizeof(double)) == 0


cdef bint same_numbers(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two contiguous arrays, or None, are the same, byte by byte."""
    if a is None or b is None:
        return a is b
    return (cnp.PyArray_TYPE(a) == cnp.PyArray_TYPE(b) and cnp.PyArray_SAMESHAPE(a, b)
            and memcmp(cnp.PyArray_DATA(a), cnp.PyArray_DATA(b), cnp.PyArray_NBYTES(a)) == 0)


cdef class Call:
    """What a call follows from, and what does it.

    Attributes
    ----------
    does : object, as it was given
    """

    cdef tuple arguments
    cdef cnp.ndarray kernel
    cdef Query query
    cdef Look look              # at the kernel, or None
    cdef int ndim, type_num
    cdef Py_ssize_t shape[3]
    cdef Py_ssize_t strides[3]
    cdef readonly object does

    def __init__(self, tuple arguments, cnp.ndarray image, cnp.ndarray kernel, does, tuple query=None):
        """Take note of a call; `find` knows its arguments, `looks` the query."""
        cdef int axis
        self.arguments = arguments
        self.kernel = None if kernel is None else kernel.copy()
        self.look = None
        if query is not None:
            see_query(&self.query, query)
            self.look = examine(cnp.PyArray_GETCONTIGUOUS(self.kernel), &self.query)
        self.type_num = cnp.PyArray_TYPE(image)
        self.ndim = cnp.PyArray_NDIM(image)
        for axis in range(self.ndim):
            self.shape[axis] = cnp.PyArray_DIM(image, axis)
            self.strides[axis] = cnp.PyArray_STRIDE(image, axis)
        self.does = does

    cdef bint is_like(self, tuple arguments, cnp.ndarray image):
        """Whether a call differs in its pixels, and its kernel, only."""
        cdef int k
        if cnp.PyArray_TYPE(image) != self.type_num or cnp.PyArray_NDIM(image) != self.ndim:
            return False
        for k in range(self.ndim):
            if cnp.PyArray_DIM(image, k) != self.shape[k] or cnp.PyArray_STRIDE(image, k) != self.strides[k]:
                return False
        return same_value(arguments, self.arguments)


cdef bint is_plain_value(value):
    """Whether an argument is of a kind that can be compared, and does not change."""
    if type(value) is tuple:
        for each in <tuple> value:
            if not is_plain_value(each):
                return False
        return True
    return value is None or type(value) in (str, int, float, bool)


def is_plain_call(tuple arguments, image, kernel):
    """Whether `find` can tell a call from others."""
    return is_plain_value(arguments) and is_plain(image) and (kernel is None or is_plain(kernel))


def find(tuple calls, tuple arguments, image, kernel):
    """What does a call like this, or None.

    Parameters
    ----------
    calls : tuple of Call, whose arguments are plain
    arguments : tuple of all that the result depends on beside the arrays;  image, kernel : objects, kernel may be None
    """
    cdef Call call
    if not calls or not is_plain(image):
        return None
    if kernel is not None:
        if not is_plain(kernel):
            return None
        kernel = cnp.PyArray_GETCONTIGUOUS(kernel)
    for call in calls:
        if same_numbers(kernel, call.kernel) and call.is_like(arguments, image):
            return call.does
    return None


cdef int see_query(Query* to, tuple query) except -1:
    """What to look for, as `looks` takes it."""
    (to.flip, char, to.single, to.whole, to.least, to.largest, to.most, to.probe, to.slack, to.bits, to.few_bits,
     to.exponents) = query
    to.kind = F4 if char == "f" else F8
    return 0


def looks(cnp.ndarray kernel, tuple query):
    """Whether a look can tell whether a kernel has the plan of another.

    Parameters
    ----------
    query : (flip, char, single, whole, least, largest, most, probe, slack, bits, few_bits, exponents)
        See Query;  char : of the lane, 'f' or 'd'.
    """
    cdef Query seen
    see_query(&seen, query)
    return examine(cnp.PyArray_GETCONTIGUOUS(kernel), &seen) is not None


def find_alike(tuple calls, tuple arguments, image, kernel):
    """What does a call like this but for the kernel, which has the same plan, and a look at that; or None twice.  As `find`."""
    cdef Call call
    cdef Look look = None
    cdef cnp.ndarray taps
    cdef int most = -1
    if not calls or not is_plain(image) or kernel is None or not is_plain(kernel):
        return None, None
    taps = cnp.PyArray_GETCONTIGUOUS(kernel)
    for call in calls:
        if (call.look is None or cnp.PyArray_TYPE(taps) != cnp.PyArray_TYPE(call.kernel)
                or not cnp.PyArray_SAMESHAPE(taps, call.kernel) or not call.is_like(arguments, image)):
            continue
        if call.query.most != most:         # little work is planned without a look at products
            most = call.query.most
            look = examine(taps, &call.query)
        if look is not None and look.is_low == call.look.is_low and look.is_product == call.look.is_product:
            return call.does, look
    return None, None
