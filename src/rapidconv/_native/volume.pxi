# Overlap-save tiles of kernels with several planes.  A tile of an image plane is transformed once and its spectrum kept in
# a ring; products with the spectra of the kernel's planes are summed before the one transform back.
#
#     image planes       Z0      Z1      Z2      Z3          spectra in the ring, H0 H1 H2 those of the kernel's planes
#     result plane 0     H0 Z0 + H1 Z1 + H2 Z2               some planes of the result at once (ABREAST): what is loaded
#     result plane 1             H0 Z1 + H1 Z2 + H2 Z3       of the ring and of the kernel serves them all
#
# An item is a part of a tile through some planes of the result along the last outer axis.  Two items ride together, as
# in overlap.pxi; further outer axes make rows of such rings.

cdef enum:
    ABREAST = 4             # planes of the result made at once
    ALONE = 3               # verdict: the other item of the pair is too strong to ride with

ctypedef struct Spectrum:   # of two items' tiles of a plane of the image
    const char* held[2]     # the planes, NULL: fill
    Seen seen[2]
    bint bad[2]             # out of range or not finite: not in the spectrum
    bint negative[2]        # whether there are numbers below zero
    bint empty              # nothing but zeros
    char* cells

ctypedef struct Stack:
    Spectrum* slots
    Py_ssize_t rows         # of the ring: taps along all outer axes but the last
    Py_ssize_t depth        # taps along the last one
    Py_ssize_t bytes        # of a spectrum
    char* tile[ABREAST]     # planes of the result in the making,
    char* strip[ABREAST]    # and a strip of each
    const char** factor     # spectra of the image,
    const char** weights    # and of the kernel's planes they meet, one for each plane of the result; NULL: none
    Py_ssize_t products


cdef const char* plane_under(Job* job, Py_ssize_t plane, Py_ssize_t row, Py_ssize_t along) noexcept nogil:
    """The image's plane under a row of kernel planes of a result plane, and so many further on; NULL: fill."""
    cdef const char* found = job.image
    cdef Py_ssize_t at
    cdef int axis
    cdef Axis* a
    for axis in range(job.n_outer - 1, -1, -1):
        a = &job.outer[axis]
        at = a.first + plane % a.out_length
        plane //= a.out_length
        if axis == job.n_outer - 1:
            at += along
        else:
            at += row % a.taps
            row //= a.taps
        at = index_map(at, a.length, job.boundary)
        if at < 0:
            return NULL
        found += at * a.stride
    return found


cdef char* plane_of_result(Job* job, Py_ssize_t plane) noexcept nogil:
    """Where a plane of the result begins; planes are counted in C order."""
    cdef char* found = job.out
    cdef int axis
    for axis in range(job.n_outer - 1, -1, -1):
        found += plane % job.outer[axis].out_length * job.outer[axis].out_stride
        plane //= job.outer[axis].out_length
    return found


cdef inline Spectrum* slot_of(Stack* st, Py_ssize_t row, Py_ssize_t along) noexcept nogil:
    """The slot of the ring for an image plane."""
    cdef Py_ssize_t size = st.depth + ABREAST - 1
    return st.slots + row * size + along % size


cdef void fill_slot(
    fvec zero, Job* job, Overlap* road, Room* room, Stack* st, Spectrum* slot, Item* items, bint two,
) noexcept nogil:
    """The spectrum of the tiles of two image planes, slot.held, and what is seen in them."""
    cdef Job plane = job[0]
    cdef Seen unused[2]
    cdef int k
    for k in range(1 + two):
        plane.image = slot.held[k]
        see_item(&plane, road, room, &items[k], k)
    load_tile(zero, road, room, two, NULL, slot.seen)
    slot.empty = True
    for k in range(1 + two):
        slot.bad[k] = not slot.seen[k].energy < road.most       # NaN too
        slot.negative[k] = road.positive and is_negative(road, room, k, &slot.seen[k])
        slot.empty = slot.empty and (slot.bad[k] or slot.seen[k].bits << 1 == 0)
    if slot.empty:
        return
    if slot.bad[0] or two and slot.bad[1]:          # what one is made of must not touch the other
        point_at(&room.source[0 if slot.bad[0] else 1], room.zeros, 0, road.height)
        load_tile(zero, road, room, two, NULL, unused)
    transform_columns(zero, road, room, slot.cells)


cdef void load_ring(
    fvec zero, Job* job, Overlap* road, Room* room, Stack* st, Item* items, const long long* listed, bint two,
    Py_ssize_t z, Py_ssize_t batch,
) noexcept nogil:
    """All spectra under so many planes of the result from a place on."""
    cdef Py_ssize_t row, along
    cdef const char* under[2]
    cdef Spectrum* slot
    under[1] = NULL
    for row in range(st.rows):
        for along in range(z, z + batch + st.depth - 1):
            slot = slot_of(st, row, along)
            under[0] = plane_under(job, listed[1], row, along)
            if two:
                under[1] = plane_under(job, listed[4], row, along)
            if slot.held[0] != under[0] or slot.held[1] != under[1]:
                slot.held[0] = under[0]
                slot.held[1] = under[1]
                fill_slot(zero, job, road, room, st, slot, items, two)


cdef void list_products(Overlap* road, Stack* st, Py_ssize_t z, Py_ssize_t batch) noexcept nogil:
    """Which spectra are multiplied for planes of the result, in C order of the kernel."""
    cdef Py_ssize_t row, j, b
    cdef Spectrum* slot
    st.products = 0
    for row in range(st.rows):
        for j in range(batch + st.depth - 1):
            slot = slot_of(st, row, z + j)
            if slot.empty:
                continue
            st.factor[st.products] = slot.cells
            for b in range(ABREAST):
                st.weights[st.products * ABREAST + b] = (
                    road.spectrum + (row * st.depth + j - b) * st.bytes if b < batch and 0 <= j - b < st.depth else NULL)
            st.products += 1


cdef bint look_through(Stack* st, Py_ssize_t z, int k, Seen* total, bint* negative) noexcept nogil:
    """What is seen of an item in all planes under one of the result; whether some of them is bad, which then is left out."""
    cdef Py_ssize_t row, along
    cdef bint bad = False
    cdef Spectrum* slot
    total.energy = total.high = 0
    total.low = 1e308
    total.bits = total.odd = 0
    negative[0] = False
    for row in range(st.rows):
        for along in range(z, z + st.depth):
            slot = slot_of(st, row, along)
            if slot.bad[k]:
                bad = True
                continue
            total.energy += slot.seen[k].energy
            total.low = min(total.low, slot.seen[k].low)
            total.high = max(total.high, slot.seen[k].high)
            total.bits |= slot.seen[k].bits
            total.odd |= slot.seen[k].odd
            negative[0] |= slot.negative[k]
    return bad


cdef bint judge_plane(Overlap* road, Stack* st, Item* items, const long long* listed, bint two, Py_ssize_t z) noexcept nogil:
    """Verdicts on the items in a plane of the result; whether the transform serves one."""
    cdef Seen total[2]
    cdef bint bad[2]
    cdef bint negative[2]
    cdef bint live = False
    cdef int k
    total[1].energy = 0
    for k in range(1 + two):
        bad[k] = look_through(st, z, k, &total[k], &negative[k])
    for k in range(1 + two):
        items[k].verdict = REFUSED if bad[k] else judge(road, &total[k])
        if items[k].verdict == DONE:
            if two and total[1 - k].energy > 64 * total[k].energy:
                items[k].verdict = ALONE
            else:
                finish_item(road, &items[k], &total[k], total[0].energy + total[1].energy, total[k].low, 1,
                            road.positive and not negative[k])
        if z >= listed[3 * k + 2]:
            items[k].verdict = REFUSED          # it has no such plane
        live |= items[k].verdict == DONE
    return live


cdef inline void add_product(fvec* re, fvec* im, fvec xr, fvec xi, const char* w) noexcept nogil:
    """A point of a spectrum times one of the kernel's, added; each product rounded with its sum where there is an FMA."""
    cdef fvec c = load(xr, w), s = load(xr, w + sizeof(fvec))
    re[0] = re[0] + c * xr
    im[0] = im[0] + c * xi
    re[0] = re[0] - s * xi
    im[0] = im[0] + s * xr


cdef inline void multiply(fvec zero, Stack* st, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """Sums of products of n points of the spectra from byte at on, for ABREAST planes of the result."""
    cdef Py_ssize_t i, t, unit = 2 * sizeof(fvec)
    cdef fvec xr, xi, r0, i0, r1, i1, r2, i2, r3, i3
    cdef const char** w
    for i from 0 <= i < n * unit by unit:
        r0 = i0 = r1 = i1 = r2 = i2 = r3 = i3 = zero
        for t in range(st.products):
            xr = load(zero, st.factor[t] + at + i)
            xi = load(zero, st.factor[t] + at + i + sizeof(fvec))
            w = st.weights + t * ABREAST
            if w[0] != NULL:
                add_product(&r0, &i0, xr, xi, w[0] + at + i)
            if w[1] != NULL:
                add_product(&r1, &i1, xr, xi, w[1] + at + i)
            if w[2] != NULL:
                add_product(&r2, &i2, xr, xi, w[2] + at + i)
            if w[3] != NULL:
                add_product(&r3, &i3, xr, xi, w[3] + at + i)
        store(st.strip[0] + i, r0)
        store(st.strip[0] + i + sizeof(fvec), i0)
        store(st.strip[1] + i, r1)
        store(st.strip[1] + i + sizeof(fvec), i1)
        store(st.strip[2] + i, r2)
        store(st.strip[2] + i + sizeof(fvec), i2)
        store(st.strip[3] + i, r3)
        store(st.strip[3] + i + sizeof(fvec), i3)


cdef void look_ahead(
    Job* job, Overlap* road, Stack* st, Item (*items)[2], const long long* listed, bint two, Py_ssize_t z, Py_ssize_t batch,
    Py_ssize_t part, Py_ssize_t parts,
) noexcept nogil:
    """A part of the rows that are written next, and of those of the image that are read after that, on their way to the cache.

    Each is a short piece of a line far from the one before, which the machine does not foresee.
    """
    cdef Py_ssize_t b, first, end, row, x
    cdef const char* plane
    cdef Item* it
    cdef int k
    for b in range(batch):
        for k in range(1 + two):
            it = &items[b][k]
            if it.verdict == DONE and 0 < job.out_col_stride <= 16:
                ask_for_rows(it.out + it.y * job.out_row_stride + it.x * job.out_col_stride, job.out_row_stride,
                             it.m * part // parts, it.m * (part + 1) // parts, it.n * job.out_col_stride, False)
            if not 0 < job.col_stride <= 16:
                continue
            first = max(0, job.top + it.y)
            end = min(job.rows, job.top + it.y + road.height)
            x = max(0, job.left + it.x)
            for row in range(st.rows):
                plane = plane_under(job, listed[3 * k + 1], row, z + b + batch + st.depth - 1)
                if plane != NULL and first < end and x < job.cols:
                    ask_for_rows(plane + first * job.row_stride + x * job.col_stride, job.row_stride,
                                 (end - first) * part // parts, (end - first) * (part + 1) // parts,
                                 min(road.width, job.cols - x) * job.col_stride, False)


cdef void make_planes(
    fvec zero, Job* job, Overlap* road, Stack* st, Item (*items)[2], const long long* listed, bint two, Py_ssize_t z,
    Py_ssize_t batch,
) noexcept nogil:
    """Sums of products of spectra, transformed back down the columns, in st.tile."""
    cdef Py_ssize_t s, b, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    for s in range(road.across.n // lanes):
        look_ahead(job, road, st, items, listed, two, z, batch, s, road.across.n // lanes)
        multiply(zero, st, s * road.down.n * unit, road.down.n)
        for b in range(batch):
            backward(zero, st.strip[b], &road.down, road.down.passes)
            turn(zero, st.strip[b], block, st.tile[b] + s * block, line, (road.step_y + lanes - 1) // lanes)


cdef void do_stack(
    fvec zero, Job* job, Overlap* road, Room* room, Stack* st, const long long* listed, bint two, Py_ssize_t most,
    char* verdicts,
) noexcept nogil:
    """One or two items, from the image to the result."""
    cdef Item items[ABREAST][2]
    cdef Py_ssize_t z = 0, b, batch, planes = listed[2]
    cdef bint live
    cdef int k
    for k in range(1 + two):
        planes = max(planes, listed[3 * k + 2])
        place_item(job, road, &items[0][k], k, listed[3 * k])
    for b in range(st.rows * (st.depth + ABREAST - 1)):
        st.slots[b].held[0] = st.slots[b].held[1] = <const char*> st        # no plane of an image
    while z < planes:
        batch = min(ABREAST, planes - z)
        load_ring(zero, job, road, room, st, items[0], listed, two, z, batch)
        live = False
        for b in range(batch):
            items[b] = items[0]
            items[b][1].verdict = REFUSED
            for k in range(1 + two):
                items[b][k].out = plane_of_result(job, listed[3 * k + 1] + z + b) + items[b][k].place
            live |= judge_plane(road, st, items[b], listed, two, z + b)
        if live:
            list_products(road, st, z, batch)
            make_planes(zero, job, road, st, items, listed, two, z, batch)
        for b in range(batch):
            room.tile = st.tile[b]
            if items[b][0].verdict == DONE or items[b][1].verdict == DONE:
                store_tile(zero, job, road, room, items[b], 0)
            for k in range(1 + two):
                if z + b < listed[3 * k + 2]:
                    if items[b][k].verdict == ZERO:
                        put_zeros(job, road, room, &items[b][k])
                    elif items[b][k].verdict != DONE:
                        verdicts[k * most + z + b] = items[b][k].verdict
        room.tile = st.tile[0]
        z += batch


cdef Py_ssize_t make_stack(Job* job, Overlap* road, Room* room, Stack* st, char* base) noexcept nogil:
    """Place every scratch buffer from base on; the bytes they take."""
    cdef Py_ssize_t size = type_size(road.kind), slots, k, word = sizeof(char*)
    cdef char* at = base
    at += make_room(job, road, room, base)
    st.depth = job.outer[job.n_outer - 1].taps
    st.rows = job.taps // st.depth
    st.bytes = 2 * road.down.n * road.across.n * size
    slots = st.rows * (st.depth + ABREAST - 1)
    st.slots = <Spectrum*> carve(&at, slots * sizeof(Spectrum))
    st.factor = <const char**> carve(&at, slots * word)
    st.weights = <const char**> carve(&at, ABREAST * slots * word)
    for k in range(ABREAST):
        st.tile[k] = room.tile if k == 0 else carve(&at, st.bytes)
        st.strip[k] = room.strip if k == 0 else carve(&at, 2 * road.down.n * max(RC_BYTES, 8))
    for k in range(slots):
        if base == NULL:
            carve(&at, st.bytes)
        else:
            st.slots[k].cells = carve(&at, st.bytes)
    return at - base


cdef void run_stacks(
    Job* job, Overlap* road, Room* room, Stack* st, const long long* items, Py_ssize_t count, Py_ssize_t together,
    Py_ssize_t most, char* verdicts,
) noexcept nogil:
    """All items, so many together."""
    cdef Py_ssize_t k
    cdef float zero4 = 0
    cdef double zero8 = 0
    cdef bint two
    fill_rows(job, road, room)
    for k from 0 <= k < count by together:
        two = together == 2 and k + 1 < count
        if road.kind == F4:
            do_stack(vf4_splat(<const char*> &zero4), job, road, room, st, items + 3 * k, two, most, verdicts + k * most)
        else:
            do_stack(vf8_splat(<const char*> &zero8), job, road, room, st, items + 3 * k, two, most, verdicts + k * most)


def correlate_volume(
    tuple work, tuple planes, tuple bank, cnp.ndarray spectra, tuple down, tuple across, tuple step, tuple facts,
    cnp.ndarray items, Py_ssize_t together,
):
    """Items of a correlation with a kernel of several planes by overlap-save tiles, with the GIL released; what became of them.

    Parameters
    ----------
    work, planes, bank, down, across, step, facts : as in `correlate_fft`; real operands, one plane and one kernel
    spectra : those of the kernel's planes, of `kernel_spectra`
    items : contiguous int64 array of (part of a tile, first plane of the result, planes)
        The first as in `correlate_fft`; planes are counted in C order, those of an item lie along the last outer axis.
    together : how many items ride in a transform, 1 or 2

    Returns
    -------
    uint8 array of shape (items, most planes)
        1 where nothing was stored, 3 where the item would have to ride alone.
    """
    cdef Job job
    cdef Overlap road
    cdef Room room
    cdef Stack stack
    cdef char* memory
    cdef Py_ssize_t count = cnp.PyArray_DIM(items, 0), most = 0, k
    cdef const long long* listed = <const long long*> cnp.PyArray_BYTES(items)
    for k in range(count):
        most = max(most, listed[3 * k + 2])
    cdef cnp.ndarray verdicts = cnp.PyArray_ZEROS(2, [count, most], cnp.NPY_UINT8, 0)
    see_road(&job, &road, work, planes, bank, spectra, down, across, step, facts)
    with nogil:
        memory = <char*> malloc(make_stack(&job, &road, &room, &stack, NULL) + 64)
        if memory != NULL:
            make_stack(&job, &road, &room, &stack, memory + (64 - <size_t> memory % 64))
            run_stacks(&job, &road, &room, &stack, listed, count, together, most, cnp.PyArray_BYTES(verdicts))
            free(memory)
    if memory == NULL:
        raise MemoryError("no scratch memory for the tiles")
    return verdicts
