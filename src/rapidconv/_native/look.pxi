# A look at a new kernel in a call that differs from one made before in nothing else: whether the planner would say the same.
#
# What the planner chooses follows from the problem and, of the values of a real kernel, from what `Look` tells: by the planner's
# own numbers (`_plan.query`) and its own code (rank.pxi).  Where there is more to see, exact products or several, a box, or few
# taps, nothing is told.

ctypedef struct Query:          # what to look for
    bint flip                   # the kernel is turned around, as convolution takes it
    int kind                    # of the lane, F4 or F8
    bint single                 # the planner reads taps of float32
    bint whole                  # kernels of whole numbers are summed as others are
    double least, largest       # norms of kernels that are transformed
    int most                    # products of a column and a row that the planner looks for
    double probe, slack         # as `may_be_low` and `find_product` take them
    int bits, few_bits          # of whole numbers that are factored exactly if they can be, and of those that are else not
    int exponents               # of what is factored


cdef class Look:
    """A kernel of real numbers, what it is made of, and how the roads read it in a floating lane.

    Attributes
    ----------
    taps : float64 array of shape (1, rows, columns)
        As a correlation takes them.
    norm : float
    mark : float
        That hardly two kernels have in common.
    whole, positive : bool
        Whether all taps are whole numbers; whether none is negative.
    """

    cdef readonly cnp.ndarray taps
    cdef readonly double norm, mark
    cdef readonly bint whole, positive
    cdef bint is_low, is_product        # at a glance; through the tap `at`
    cdef Py_ssize_t kh, kw, at
    cdef int kind, exponent             # of the norm: the spectrum is divided by 2 to it,
    cdef double gain                    # which this is
    cdef char sign                      # `positive`, as transforms read it
    cdef cnp.ndarray spectrum
    cdef char* column                   # over the tap, in the lane
    cdef char* row
    cdef char* turned                   # the kernel, transposed
    cdef double* factor                 # the column in float64

    def __cinit__(self):
        self.factor = NULL

    def __dealloc__(self):
        PyMem_Free(self.factor)

    cdef const double* numbers(self) noexcept:
        return <const double*> cnp.PyArray_DATA(self.taps)

    cdef void lay(self, lane* column, lane* row, lane* turned) noexcept:
        """The kernel in a lane as direct sums read it, its column and its row."""
        cdef const double* taps = self.numbers()
        cdef Py_ssize_t i, j
        for i in range(self.kh):
            for j in range(self.kw):
                turned[j * self.kh + i] = <lane> taps[i * self.kw + j]
        if self.is_product:
            for i in range(self.kh):
                column[i] = <lane> self.factor[i]
            for j in range(self.kw):
                row[j] = <lane> taps[self.at // self.kw * self.kw + j]

    cdef void lay_all(self) noexcept:
        """Likewise, in the lane."""
        if self.kind == F4:
            self.lay(<float*> self.column, <float*> self.row, <float*> self.turned)
        else:
            self.lay(<double*> self.column, <double*> self.row, <double*> self.turned)


cdef Look examine(cnp.ndarray kernel, Query* query):
    """A look at a contiguous kernel; None where only the planner can tell."""
    cdef Look look
    cdef bint single = query.kind == F4
    cdef Py_ssize_t taps, i
    cdef double total
    cdef int exponent, type_num = cnp.PyArray_TYPE(kernel)
    cdef double* x
    cdef bint whole
    if kind_of(type_num) < 0 or is_complex(type_num) or cnp.PyArray_NDIM(kernel) != 2:
        return None
    look = Look.__new__(Look)
    look.kind = query.kind
    look.kh = cnp.PyArray_DIM(kernel, 0)
    look.kw = cnp.PyArray_DIM(kernel, 1)
    taps = look.kh * look.kw
    look.taps = cnp.PyArray_EMPTY(3, [1, look.kh, look.kw], cnp.NPY_DOUBLE, 0)
    look.factor = <double*> PyMem_Malloc((2 * look.kh + look.kw + taps) * sizeof(double))
    if look.factor == NULL:
        raise MemoryError
    look.column = <char*> (look.factor + look.kh)
    look.row = <char*> (look.factor + 2 * look.kh)
    look.turned = <char*> (look.factor + 2 * look.kh + look.kw)
    x = <double*> cnp.PyArray_DATA(look.taps)
    lay_weights(kernel, 0, x, query.flip, 0, look.kw, look.kh, 1, look.kw)
    look.mark = 0
    whole = not query.whole
    for i in range(taps):
        whole = whole and rint(x[i]) == x[i]
        x[i] = <float> x[i] if single else x[i]
        look.mark += x[i] * (i + 1)
    look.norm = norm_of(x, taps, &look.whole, &look.positive)
    look.sign = look.positive
    if whole or not query.least < look.norm < query.largest or are_few(count_taps(x, NULL, taps), taps):
        return None
    frexp(look.norm, &look.exponent)
    look.gain = ldexp(1.0, look.exponent)
    i = 1
    while i < taps and x[i] == x[0]:
        i += 1
    if i == taps:           # a box
        return None
    look.is_low = min(look.kh, look.kw) > 1 and is_low_at_a_glance(x, 1, look.kh, look.kw, False, query.single)
    look.is_product = False
    if query.most > 0 and (min(look.kh, look.kw) == 1 or is_of_rank(x, 1, look.kh, look.kw, query.most, query.probe)):
        if not cnp.PyArray_ISFLOAT(kernel):
            return None
        if is_whole_at(x, taps, query.bits):
            if may_peel(x, look.kh, look.kw, query.bits):
                return None
            if is_whole_at(x, taps, query.few_bits):
                return look
        look.at = product_through(x, look.kh, look.kw, query.slack, single, look.factor, &total)
        if look.at < 0:
            return None
        frexp(x[look.at], &exponent)
        if not -query.exponents < exponent < query.exponents:
            return None
        look.is_product = True
    return look
