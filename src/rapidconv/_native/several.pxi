# Several kernels over one picture: a tile is gathered once, all kernels run over it, and their sums meet in the cache.
#
#            gathered rows --kernel 0--> sums 0 \
#            (in place where  --kernel 1--> sums 1  -> magnitude, maximum, ... -> result
#            the lane can)  --kernel 2--> sums 2 /     or each to a result of its own
#
# With pixels that do not count, kernel 1 is |kernel 0| and runs over a second block, 1 where a pixel counts and 0 where it
# does not, or has no number: kernel 0's sums are divided by the share of sum|kernel| that was seen.

from libc.math cimport sqrt, sqrtf

cdef enum:
    APART = 0            # how sums meet: as Combine in _problem.py
    MAGNITUDE = 1
    LARGEST = 2
    SIZES = 3
    PHASE = 4
    SEEN = 5
    SEVERAL_ROWS = 8     # output rows of a tile, more where the kernel is taller: rows, sums and block stay in the cache

ctypedef struct Several:
    int combine
    int count                    # kernels, transposed, one after another from the lane's real part on
    Py_ssize_t out_step          # bytes between results, of APART
    Job* mask                    # of SEEN: the picture of what counts, NULL: everything
    bint omits                   # of SEEN: NaN does not count
    Scratch sc
    char* seen                   # block of what counts
    char* acc                    # sums of the kernels before
    Py_ssize_t tile_rows, width


cdef inline real angle(real y, real x) noexcept nogil:
    """atan2 by one division and a polynomial on |t| <= tan(pi/8): 2 eps; without branches, so that it is vectorised.

    The polynomials interpolate (atan(t)/t - 1)/t^2 at Chebyshev points; their errors are 3e-9 and 1e-17.
    """
    cdef real ax = x if x >= 0 else -x, ay = y if y >= 0 else -y, high, low, t, z, p, base
    cdef real quarter = <real> 0.78539816339744830962, half = 2 * quarter, zero = 0, one = 1
    cdef bint steep = ay > ax
    high = ay if steep else ax
    low = ax if steep else ay
    # tan(a - pi/4) = (tan a - 1)/(tan a + 1)
    base = quarter if high > zero and low >= <real> 0.41421356237309504880 * high else zero
    t = (low - high if base > zero else low) / (low + high if base > zero else (high if high != zero else one))
    t = zero if low == high and low > zero else t           # two infinities
    z = t * t
    if real is float:
        p = (((<real> -0.06451928208121749 * z + <real> 0.10743731490791084) * z - <real> 0.1426395559798464) * z
             + <real> 0.19999540483648964) * z - <real> 0.3333333176116852
    else:
        p = ((((((((((-0.019176887119062257 * z + 0.03923165829558719) * z - 0.0508544973794026) * z
             + 0.0585814891280221) * z - 0.06664511447381948) * z + 0.07692183190826087) * z
             - 0.09090904578123903) * z + 0.11111111015256361) * z - 0.14285714284666542) * z
             + 0.1999999999999552) * z - 0.3333333333333333)
    t = base + (t + t * z * p)
    t = half - t if steep else t
    t = 2 * half - t if x < 0 else t
    return -t if y < 0 else t


cdef void meet_sums(int combine, real* acc, const real* s, Py_ssize_t n, int k, int count, real total) noexcept nogil:
    """n sums s of kernel k to those before; with the last kernel acc becomes what is asked for."""
    cdef Py_ssize_t i
    if combine == MAGNITUDE and count == 1 or combine == SIZES and k == 0:
        for i in range(n):
            acc[i] = acc[i] if acc[i] >= 0 else -acc[i]
    elif k == 0:
        return
    elif combine == MAGNITUDE:
        for i in range(n):
            acc[i] = (acc[i] * acc[i] if k == 1 else acc[i]) + s[i] * s[i]
        if k == count - 1:
            for i in range(n):
                if real is float:
                    acc[i] = sqrtf(acc[i])
                else:
                    acc[i] = sqrt(acc[i])
    elif combine == LARGEST:
        for i in range(n):
            acc[i] = acc[i] if acc[i] > s[i] or acc[i] != acc[i] else s[i]
    elif combine == SIZES:
        for i in range(n):
            acc[i] = acc[i] + (s[i] if s[i] >= 0 else -s[i])
    elif combine == PHASE:
        for i in range(n):
            acc[i] = angle(s[i], acc[i])
    elif combine == SEEN:
        for i in range(n):
            acc[i] = acc[i] * (total / s[i])        # nothing seen: 0 * inf, NaN


cdef real sum_of_sizes(const real* weights, Py_ssize_t kh, Py_ssize_t kw) noexcept nogil:
    """Sum of a transposed kernel as direct summation over ones makes it."""
    cdef real total = 0
    cdef Py_ssize_t i, j
    for i in range(kh):
        for j in range(kw):
            total = total + weights[j * kh + i]
    return total


cdef void leave_out(bint omits, real* x, real* seen, Py_ssize_t n) noexcept nogil:
    """0 for pixels that do not count, or, where omits, that are no numbers."""
    cdef Py_ssize_t i
    for i in range(n):
        if omits:
            seen[i] = seen[i] if x[i] == x[i] else 0
        x[i] = x[i] if seen[i] != 0 else 0


cdef void gather_seen(Job* job, Several* sv, Lane* ln, Py_ssize_t y, Py_ssize_t x0, Py_ssize_t width, Py_ssize_t rows,
                      Py_ssize_t pitch) noexcept nogil:
    """The block of what counts under rows of the block of pixels; pixels that do not count become 0."""
    cdef Py_ssize_t i, n = pitch // type_size(ln.kind)
    cdef Scratch* sc = &sv.sc
    if sv.mask != NULL:
        source_rows(sv.mask, sc, y, rows)
        gather_lane(sv.mask, sc, ln.kind, sv.seen, pitch, rows,
                    runs_of(sv.mask, job.left + x0, width + job.kw - 1, sc.run), False)
    for i in range(rows):
        if ln.kind == F4:
            if sv.mask == NULL:
                fill_ones(<float*> (sv.seen + i * pitch), n)
            leave_out(sv.omits, <float*> (sc.block + i * pitch), <float*> (sv.seen + i * pitch), n)
        else:
            if sv.mask == NULL:
                fill_ones(<double*> (sv.seen + i * pitch), n)
            leave_out(sv.omits, <double*> (sc.block + i * pitch), <double*> (sv.seen + i * pitch), n)


cdef void fill_ones(real* d, Py_ssize_t n) noexcept nogil:
    """n ones."""
    cdef Py_ssize_t i
    for i in range(n):
        d[i] = 1


cdef bint lies_inside(Job* job, Lane* ln, Py_ssize_t y0, Py_ssize_t m, Py_ssize_t x0, Py_ssize_t width) noexcept nogil:
    """Whether a tile of at least a vector can be read where the picture lies."""
    return (in_place(job, ln) and width * job.parts >= lanes_of(ln.kind) and job.left + x0 >= 0
            and job.left + x0 + width + job.kw - 1 <= job.cols
            and (job.boundary != FILL or (job.top + y0 >= 0 and job.top + y0 + m + job.kh - 1 <= job.rows)))


cdef void several_tile(Job* job, Several* sv, Py_ssize_t y0, Py_ssize_t m, Py_ssize_t x0, Py_ssize_t width) noexcept nogil:
    """m x width outputs of all kernels from (y0, x0) on."""
    cdef Lane* ln = &job.lanes[0]
    cdef Scratch* sc = &sv.sc
    cdef Py_ssize_t size = type_size(ln.kind), n = width * job.parts, full = max(n, lanes_of(ln.kind))
    cdef Py_ssize_t pitch = full * size, row_pitch = block_pitch(job, ln, full), first, group, i, n_runs
    cdef Py_ssize_t taps = job.kh * job.kw
    cdef bint placed = sv.combine != SEEN and lies_inside(job, ln, y0, m, x0, width), gathered = False
    cdef bint straight = sv.combine == APART and is_straight(job, ln) and n == full
    cdef const char* sums
    cdef const char* w
    cdef char* dest
    cdef char* out = job.out + y0 * job.out_row_stride + x0 * job.out_col_stride
    cdef char* block
    cdef int k
    cdef bint rooted = RC_BANKS and sv.combine == MAGNITUDE and sv.count == 2 and (placed or sc.group == job.kh)
    if rooted and is_straight(job, ln) and n == full:
        straight = True
    if placed:
        place_rows(job, sc, y0, m, x0)
    for k in range(sv.count):
        sums = NULL
        first = 0
        while first < job.kh:
            group = job.kh if placed else min(sc.group, job.kh - first)
            if not placed and not gathered:
                if n < full:
                    memset(sc.block, 0, (m + group - 1) * row_pitch)
                n_runs = runs_of(job, job.left + x0, width + job.kw - 1, sc.run)
                source_rows(job, sc, job.top + y0 + first, m + group - 1)
                gather_lane(job, sc, ln.kind, sc.block, row_pitch, m + group - 1, n_runs, False)
                if sv.combine == SEEN:
                    gather_seen(job, sv, ln, job.top + y0 + first, x0, width, m + group - 1, row_pitch)
                gathered = group == job.kh
            if not placed:
                block = sv.seen if sv.combine == SEEN and k == 1 else sc.block
                for i in range(m + group - 1):
                    sc.rows[i] = block + i * row_pitch
            if rooted:
                bank_lane(ln.kind, sc.rows, m, full, job.kh, job.kw, ln.real_part, ln.real_part + taps * size, job.kh * size,
                          job.parts * size, out if straight else sv.acc, job.out_row_stride if straight else pitch, ROOTED)
                break
            w = ln.real_part + (k * taps + first) * size
            if first + group < job.kh:
                dest = sc.plane[0] if sums != sc.plane[0] else sc.plane[1]
            elif straight:
                dest = out + k * sv.out_step
            elif k == 0:
                dest = sv.acc
            else:
                dest = sc.plane[2]
            correlate_lane(ln.kind, sc.rows, m, full, group, job.kw, w, job.kh * size, job.parts * size, sums, pitch,
                           dest, job.out_row_stride if straight and dest == out + k * sv.out_step else pitch, -m, TAPS)
            sums = dest
            first += group
        if rooted:
            break
        if straight:
            continue
        if sv.combine == APART:
            for i in range(m):
                put_row(job, ln.kind, <char*> sums + i * pitch, NULL, out + k * sv.out_step + i * job.out_row_stride, width)
        elif ln.kind == F4:
            meet_sums(sv.combine, <float*> sv.acc, <const float*> sums, m * full, k, sv.count,
                      sum_of_sizes(<const float*> ln.real_part + taps, job.kh, job.kw) if sv.combine == SEEN else 0)
        else:
            meet_sums(sv.combine, <double*> sv.acc, <const double*> sums, m * full, k, sv.count,
                      sum_of_sizes(<const double*> ln.real_part + taps, job.kh, job.kw) if sv.combine == SEEN else 0)
    if sv.combine != APART and not straight:
        for i in range(m):
            put_row(job, ln.kind, sv.acc + i * pitch, NULL, out + i * job.out_row_stride, width)


cdef Py_ssize_t lay_several(Job* job, Several* sv, char* base) noexcept nogil:
    """Place the scratch buffers of a worker from base on; the bytes they take."""
    cdef Lane* ln = &job.lanes[0]
    cdef Py_ssize_t lanes = lanes_of(ln.kind), size = type_size(ln.kind), row_bytes, plane, rows, word = sizeof(char*)
    cdef Scratch* sc = &sv.sc
    cdef char* at = base
    sv.width = max(min(job.n, pixels(job, GATHER_BYTES)), 1)
    row_bytes = block_pitch(job, ln, (sv.width + lanes) * job.parts) + 64
    sv.tile_rows = min(TILE_ROWS, max(SEVERAL_ROWS, 2 * job.kh))
    sv.tile_rows = max(4, min(sv.tile_rows, BLOCK_BYTES // row_bytes // 2))
    sc.group = max(1, min(job.kh, BLOCK_BYTES // row_bytes - sv.tile_rows))
    rows = sv.tile_rows + job.kh
    plane = sv.tile_rows * (sv.width + lanes) * job.parts * size
    sc.block = carve(&at, (sv.tile_rows + sc.group) * row_bytes)
    sv.seen = carve(&at, (sv.tile_rows + sc.group) * row_bytes if sv.combine == SEEN else 0)
    sv.acc = carve(&at, plane)
    sc.plane[0] = carve(&at, plane if sc.group < job.kh else 0)
    sc.plane[1] = carve(&at, plane if sc.group < job.kh else 0)
    sc.plane[2] = carve(&at, plane)
    sc.rows = <const char**> carve(&at, rows * word)
    sc.source = <Py_ssize_t*> carve(&at, rows * word)
    sc.run = <Py_ssize_t*> carve(&at, (sv.width + lanes + job.kw) * 4 * word)
    sc.raw = carve(&at, (sv.width + lanes + job.kw) * type_size(job.kind))
    return at - base


cdef void walk_several(Job* job, Several* sv, Py_ssize_t y_from, Py_ssize_t y_to) noexcept nogil:
    """All tiles of the output rows y_from <= y < y_to."""
    cdef Py_ssize_t y = y_from, m, x, w, lanes = lanes_of(job.lanes[0].kind)
    while y < y_to:
        m = min(sv.tile_rows, y_to - y)
        x = 0
        while x < job.n:
            w = piece(job.n - x, sv.width, lanes)
            several_tile(job, sv, y, m, x, w)
            x += w
        y += m


cdef int run_several(Job* job, Several* sv, Py_ssize_t* taken, int workers, int worker, Py_ssize_t turn) noexcept nogil:
    """As `run_job`, of several kernels."""
    cdef Py_ssize_t t, turns = (job.m + turn - 1) // turn
    cdef char* memory = <char*> malloc(lay_several(job, sv, NULL) + 64)
    if memory == NULL:
        return -1
    lay_several(job, sv, memory + (64 - <size_t> memory % 64))
    if workers == 1:
        walk_several(job, sv, 0, job.m)
    else:
        t = next_turn(turns, taken, workers, worker)
        while t >= 0:
            walk_several(job, sv, t * turn, min(job.m, (t + 1) * turn))
            t = next_turn(turns, taken, workers, worker)
    free(memory)
    return 0


cdef int see_several(
    Job* job, Several* sv, tuple work, cnp.ndarray kernels, int combine, Py_ssize_t out_step, bint omits,
) except -1:
    """Describe what several kernels sum, all pixels counting.

    work : as in `correlate`; out is the first kernel's
    kernels : contiguous array of transposed kernels in the lane's type, float32 or float64
    combine, out_step, omits : see Several
    """
    see_work(job, work)
    see_lanes(job, [(kernels, None, <unsigned long long> -1, 1)])
    sv.combine = combine
    sv.count = cnp.PyArray_DIM(kernels, 0)
    sv.out_step = out_step
    sv.omits = omits
    sv.mask = NULL
    return 0


def correlate_several(
    tuple work, cnp.ndarray kernels, int combine, Py_ssize_t out_step, bint omits, mask, cnp.ndarray taken, int worker,
    Py_ssize_t turn,
):
    """As correlate, of several real kernels in one lane.

    Parameters
    ----------
    work, kernels, combine, out_step, omits : see `see_several`
    mask : None, or work of the picture of what counts
    """
    cdef Job job, seen
    cdef Several sv
    cdef int failed
    see_several(&job, &sv, work, kernels, combine, out_step, omits)
    if mask is not None:
        see_work(&seen, mask)
        seen.n_lanes = 1
        sv.mask = &seen
    with nogil:
        failed = run_several(&job, &sv, <Py_ssize_t*> cnp.PyArray_DATA(taken), cnp.PyArray_SIZE(taken), worker, turn)
    if failed:
        raise MemoryError("no scratch memory for the tiles")


cdef class Together(Course):
    """Direct sums of several kernels, on one thread."""

    cdef Several several

    def __init__(self, tuple work, cnp.ndarray kernels, int combine, Py_ssize_t out_step, bint omits):
        """As `correlate_several` takes them."""
        see_several(&self.job, &self.several, work, kernels, combine, out_step, omits)
        self.held = (work[2], kernels)

    cdef int go(self, Job* job, Look look, char* verdicts) noexcept nogil:
        cdef Several sv = self.several
        return run_several(job, &sv, NULL, 1, 0, job.m)
