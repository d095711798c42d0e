# Lanes: the number types sums run in, and the vectors of them.  See simd.h.

cdef extern from "simd.h" nogil:
    ctypedef float vf4
    ctypedef double vf8
    ctypedef short vi2
    ctypedef int vi4
    ctypedef long long vi8
    ctypedef long double vfg
    ctypedef unsigned int vw4            # of floats: Cython tells lanes apart by these words
    ctypedef unsigned long long vw8
    ctypedef unsigned char vq4
    ctypedef unsigned short vp4
    const int RC_TILE_ROWS
    const int RC_TILE_VECS
    const int RC_FEW_VECS
    const int RC_BYTES
    const int RC_RINGS
    void RC_READ_SOON(const void* p)
    void RC_READ_LATER(const void* p)
    void RC_ANEW(const char* p)
    Py_ssize_t rc_fetch_add(Py_ssize_t* counter, Py_ssize_t step)
    Py_ssize_t RC_BAND(Py_ssize_t kh)
    const int RC_LOW_BAND
    const int RC_STREAM_ROWS
    const int RC_STREAM_VECS(const int kh)
    vf4 vf4_load(const char* p)
    vf8 vf8_load(const char* p)
    vi2 vi2_load(const char* p)
    vi4 vi4_load(const char* p)
    vi8 vi8_load(const char* p)
    vfg vfg_load(const char* p)
    vw4 vw4_load(const char* p)
    vw8 vw8_load(const char* p)
    vq4 vq4_load(const char* p)
    vp4 vp4_load(const char* p)
    vf4 vf4_splat(const char* p)
    vf8 vf8_splat(const char* p)
    vi2 vi2_splat(const char* p)
    vi4 vi4_splat(const char* p)
    vi8 vi8_splat(const char* p)
    vfg vfg_splat(const char* p)
    vw4 vw4_splat(const char* p)
    vw8 vw8_splat(const char* p)
    vq4 vq4_splat(const char* p)
    vp4 vp4_splat(const char* p)
    void vf4_store(char* p, vf4 v)
    void vf8_store(char* p, vf8 v)
    void vi2_store(char* p, vi2 v)
    void vi4_store(char* p, vi4 v)
    void vi8_store(char* p, vi8 v)
    void vfg_store(char* p, vfg v)
    void vw4_store(char* p, vw4 v)
    void vw8_store(char* p, vw8 v)
    void vq4_store(char* p, vq4 v)
    void vp4_store(char* p, vp4 v)
    vf4 vf4_zero()
    vf8 vf8_zero()
    vi2 vi2_zero()
    vi4 vi4_zero()
    vi8 vi8_zero()
    vfg vfg_zero()
    vw4 vw4_zero()
    vw8 vw8_zero()
    vq4 vq4_zero()
    vp4 vp4_zero()
    const int RC_SHIFTS
    const int RC_DOTS
    vq4 vq4_dot(vq4 a, vq4 w, vq4 x)
    vp4 vp4_dot(vp4 a, vp4 w, vp4 x)
    const int RC_BANKS
    const int RC_BANK_ROWS
    const int RC_BANK_STREAM
    const int RC_BANK_VECS(const int kh)
    vf4 vf4_shift(vf4 lo, vf4 hi, const int j)
    vf8 vf8_shift(vf8 lo, vf8 hi, const int j)
    vw4 vw4_shift(vw4 lo, vw4 hi, const int j)
    vw8 vw8_shift(vw8 lo, vw8 hi, const int j)
    const int RC_WHOLE
    vf4 vf4_low(vf4 a, vf4 b)
    vf8 vf8_low(vf8 a, vf8 b)
    vf4 vf4_high(vf4 a, vf4 b)
    vf8 vf8_high(vf8 a, vf8 b)
    vf4 vf4_times_i(vf4 a)
    vf8 vf8_times_i(vf8 a)
    vf4 vf4_root(vf4 a)
    vf8 vf8_root(vf8 a)

ctypedef fused vec:
    vf4
    vf8
    vi2
    vi4
    vi8
    vfg
    vw4         # float32 sums of int32 numbers, which lie in memory as such
    vw8         # float64 sums of int64 numbers
    vq4         # int32 sums of products of four bytes, those of four rows of the image, with four of the kernel
    vp4         # of two shorts

ctypedef fused whole_vec:       # lanes of integers that may be summed in floating lanes of their size
    vi4
    vi8

ctypedef fused floating_vec:
    vf4
    vf8
    vfg

ctypedef fused bankable:        # lanes of complex numbers, where RC_BANKS, and those of rings, where RC_RINGS
    vf4
    vf8


cdef inline vec load(vec like, const char* p) noexcept nogil:
    """The vector at p, any alignment."""
    if vec is vf4:
        return vf4_load(p)
    elif vec is vf8:
        return vf8_load(p)
    elif vec is vi2:
        return vi2_load(p)
    elif vec is vi4:
        return vi4_load(p)
    elif vec is vi8:
        return vi8_load(p)
    elif vec is vw4:
        return vw4_load(p)
    elif vec is vw8:
        return vw8_load(p)
    elif vec is vq4:
        return vq4_load(p)
    elif vec is vp4:
        return vp4_load(p)
    else:
        return vfg_load(p)


cdef inline vec nought(vec like) noexcept nogil:
    """Zero in every lane, as a constant: a variable would hold a register."""
    if vec is vf4:
        return vf4_zero()
    elif vec is vf8:
        return vf8_zero()
    elif vec is vi2:
        return vi2_zero()
    elif vec is vi4:
        return vi4_zero()
    elif vec is vi8:
        return vi8_zero()
    elif vec is vw4:
        return vw4_zero()
    elif vec is vw8:
        return vw8_zero()
    elif vec is vq4:
        return vq4_zero()
    elif vec is vp4:
        return vp4_zero()
    else:
        return vfg_zero()


cdef inline vec splat(vec like, const char* p) noexcept nogil:
    """The one number at p in every lane."""
    if vec is vf4:
        return vf4_splat(p)
    elif vec is vf8:
        return vf8_splat(p)
    elif vec is vi2:
        return vi2_splat(p)
    elif vec is vi4:
        return vi4_splat(p)
    elif vec is vi8:
        return vi8_splat(p)
    elif vec is vw4:
        return vw4_splat(p)
    elif vec is vw8:
        return vw8_splat(p)
    elif vec is vq4:
        return vq4_splat(p)
    elif vec is vp4:
        return vp4_splat(p)
    else:
        return vfg_splat(p)


cdef inline void store(char* p, vec v) noexcept nogil:
    """Vector v to p, any alignment."""
    if vec is vf4:
        vf4_store(p, v)
    elif vec is vf8:
        vf8_store(p, v)
    elif vec is vi2:
        vi2_store(p, v)
    elif vec is vi4:
        vi4_store(p, v)
    elif vec is vi8:
        vi8_store(p, v)
    elif vec is vw4:
        vw4_store(p, v)
    elif vec is vw8:
        vw8_store(p, v)
    elif vec is vq4:
        vq4_store(p, v)
    elif vec is vp4:
        vp4_store(p, v)
    else:
        vfg_store(p, v)


cdef inline vec plus_product(vec a, vec w, vec x) noexcept nogil:
    """a + w * x in every lane; of lanes of several numbers, the sum of their products."""
    if vec is vq4:
        return vq4_dot(a, w, x)
    elif vec is vp4:
        return vp4_dot(a, w, x)
    else:
        return a + w * x


cdef inline Py_ssize_t lane_size(vec like) noexcept nogil:
    """Bytes of one lane."""
    if vec is vf4 or vec is vw4 or vec is vq4 or vec is vp4:
        return 4
    elif vec is vi2:
        return 2
    elif vec is vi4:
        return 4
    elif vec is vfg:
        return sizeof(long double)
    else:
        return 8


cdef inline bint lane_streams(vec like) noexcept nogil:
    """Whether the streamed scheme is built for this lane: for those that most calls run in."""
    return vec is vf4 or vec is vf8 or vec is vi2 or vec is vw4 or vec is vw8 or vec is vq4 or vec is vp4


cdef inline bint lane_joins(vec like) noexcept nogil:
    """Whether numbers of several rows make a lane, in scratch memory that stays in the cache."""
    return vec is vq4 or vec is vp4


cdef inline bint lane_tiles(vec like) noexcept nogil:
    """Whether tiles of several rows gain: x87 has eight registers, so that 3 sums of one row take 1 ns a tap, 24 of 8 rows 6."""
    return vec is not vfg


cdef inline bint lane_shifts(vec like) noexcept nogil:
    """Whether shift() is one instruction of this lane on this target."""
    return RC_SHIFTS and (vec is vf4 or vec is vf8 or vec is vw4 or vec is vw8)


cdef inline vec shift(vec lo, vec hi, const int j) noexcept nogil:
    """Lanes j, j + 1, ... of two neighbouring vectors; only where lane_shifts."""
    if vec is vf4:
        return vf4_shift(lo, hi, j)
    elif vec is vf8:
        return vf8_shift(lo, hi, j)
    elif vec is vw4:
        return vw4_shift(lo, hi, j)
    elif vec is vw8:
        return vw8_shift(lo, hi, j)
    else:
        return lo


cdef inline void zip_store(char* p, bankable re, bankable im) noexcept nogil:
    """Two vectors of real and imaginary parts as complex numbers to p; only where RC_BANKS."""
    if bankable is vf4:
        vf4_store(p, vf4_low(re, im))
        vf4_store(p + sizeof(vf4), vf4_high(re, im))
    else:
        vf8_store(p, vf8_low(re, im))
        vf8_store(p + sizeof(vf8), vf8_high(re, im))


cdef inline bankable times_i(bankable z) noexcept nogil:
    """Complex numbers times i; only where RC_BANKS."""
    if bankable is vf4:
        return vf4_times_i(z)
    else:
        return vf8_times_i(z)


cdef inline bankable root(bankable a) noexcept nogil:
    """Square roots, to 1 eps."""
    if bankable is vf4:
        return vf4_root(a)
    else:
        return vf8_root(a)
