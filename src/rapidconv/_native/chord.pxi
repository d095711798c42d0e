# Overlap-save tiles of several kernels: a pair of tiles is transformed once, and back for each kernel.
#
#                                     times H0, back --> outputs 0 \
#     two tiles --> one spectrum -->  times H1, back --> outputs 1  -> magnitude, maximum, ... -> result
#                                     times H2, back --> outputs 2 /     or each to a result of its own


cdef void multiply_columns(fvec zero, Overlap* road, Room* room, const char* weights) noexcept nogil:
    """The spectrum of a tile times that of a kernel, transformed back down the columns, to room.tile."""
    cdef Py_ssize_t s, i, unit = 2 * sizeof(fvec), lanes = lanes_in(zero), line = road.across.n * unit, block = lanes * unit
    cdef Py_ssize_t size = road.down.n * unit
    cdef const char* x = room.spectrum
    cdef const char* w = weights
    cdef fvec xr, xi, c, d
    for s in range(road.across.n // lanes):
        for i from 0 <= i < size by unit:
            xr = load(zero, x + i)
            xi = load(zero, x + i + sizeof(fvec))
            c = load(zero, w + i)
            d = load(zero, w + i + sizeof(fvec))
            store(room.strip + i, c * xr - d * xi)
            store(room.strip + i + sizeof(fvec), c * xi + d * xr)
        x += size
        w += size
        backward(zero, room.strip, &road.down, road.down.passes)
        turn(zero, room.strip, block, room.tile + s * block, line, (road.step_y + lanes - 1) // lanes)


cdef char* meet_row(Overlap* road, Room* room, Item* it, Py_ssize_t y, char* row, int kernel) noexcept nogil:
    """A row of an item's outputs under a kernel to those of the kernels before: where they meet."""
    cdef char* sums = room.sums[it.slot] + y * plane_pitch(road)
    if kernel == 0:
        copy_run(row, sums, it.n * type_size(road.kind))
    if road.kind == F4:
        meet_sums(road.combine, <float*> sums, <const float*> row, it.n, kernel, road.count, 0)
    else:
        meet_sums(road.combine, <double*> sums, <const double*> row, it.n, kernel, road.count, 0)
    return sums


cdef void filter_several(fvec zero, Job* job, Overlap* road, Room* room, Item* items) noexcept nogil:
    """The tile in room.tile under every kernel."""
    cdef int kernel, k
    cdef bint clamps[2]
    for k in range(2):
        clamps[k] = items[k].clamps
    transform_columns(zero, road, room, room.spectrum)
    for kernel in range(road.count):
        multiply_columns(zero, road, room, road.spectrum + kernel * road.spectrum_bytes)
        for k in range(2):
            if items[k].verdict == DONE:
                set_gain(road, &items[k], kernel)
                items[k].clamps = clamps[k] and road.positives[kernel]
        store_tile(zero, job, road, room, items, kernel)
        for k in range(2):
            if items[k].verdict == DONE:
                items[k].out += road.out_step
