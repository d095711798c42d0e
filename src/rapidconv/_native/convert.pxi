# Numbers in and out: any real NumPy type to a lane, a lane back to any result type.

cdef enum:
    BOOL = 0
    I1 = 1
    U1 = 2
    I2 = 3
    U2 = 4
    I4 = 5
    U4 = 6
    I8 = 7
    U8 = 8
    F2 = 9
    F4 = 10
    F8 = 11
    FG = 12
    Q4 = 13         # lanes only: quads of bytes, pairs of shorts, of so many rows of an image
    P4 = 14
    MS = 15         # and products of matrices of bytes, with signed taps and unsigned ones; their sums are of 4 bytes
    MU = 16

from libc.math cimport rint

cdef extern from "simd.h" nogil:
    float rc_from_half(unsigned short bits)
    unsigned short rc_to_half(float x)
    const int RC_PACKS
    void rc_widen_u1_f4(const char* s, char* d)
    void rc_widen_u2_f4(const char* s, char* d)
    void rc_widen_i2_f4(const char* s, char* d)
    void rc_widen_u1_f8(const char* s, char* d)
    void rc_widen_u2_f8(const char* s, char* d)
    void rc_widen_i2_f8(const char* s, char* d)

ctypedef long double extended

ctypedef fused number:
    signed char
    unsigned char
    short
    unsigned short
    int
    unsigned int
    long long
    unsigned long long
    float
    double
    extended

ctypedef fused real:
    float
    double
    extended

ctypedef fused lane:
    short
    int
    long long
    float
    double
    extended


cdef inline Py_ssize_t type_size(int kind) noexcept nogil:
    """Bytes of one number of a type."""
    if kind <= U1:
        return 1
    if kind == I2 or kind == U2 or kind == F2:
        return 2
    if kind == I4 or kind == U4 or kind == F4 or kind >= Q4:
        return 4
    if kind == FG:
        return sizeof(extended)
    return 8


cdef inline Py_ssize_t widen_packed(number* s, lane* d, Py_ssize_t n) noexcept nogil:
    """widen of whole vectors, where there are instructions for them; how many of n numbers are done."""
    cdef Py_ssize_t i, batch = RC_BYTES // sizeof(lane)
    if not RC_PACKS or sizeof(number) > 2 or (sizeof(number) == 1 and <number> -1 < 0):
        return 0
    if lane is float:
        for i from 0 <= i <= n - batch by batch:
            if sizeof(number) == 1:
                rc_widen_u1_f4(<const char*> (s + i), <char*> (d + i))
            elif <number> -1 > 0:
                rc_widen_u2_f4(<const char*> (s + i), <char*> (d + i))
            else:
                rc_widen_i2_f4(<const char*> (s + i), <char*> (d + i))
    elif lane is double:
        for i from 0 <= i <= n - batch by batch:
            if sizeof(number) == 1:
                rc_widen_u1_f8(<const char*> (s + i), <char*> (d + i))
            elif <number> -1 > 0:
                rc_widen_u2_f8(<const char*> (s + i), <char*> (d + i))
            else:
                rc_widen_i2_f8(<const char*> (s + i), <char*> (d + i))
    else:
        return 0
    return n // batch * batch


cdef void widen(number* s, Py_ssize_t stride, lane* d, Py_ssize_t d_step, Py_ssize_t n) noexcept nogil:
    """n numbers, stride bytes apart, to every d_step-th place of d."""
    cdef Py_ssize_t i
    cdef const char* p = <const char*> s
    if d_step == 1 and stride == sizeof(number):
        for i in range(widen_packed(s, d, n), n):
            d[i] = <lane> s[i]
        return
    if lane is float:
        if sizeof(number) <= 4 and d_step == 1 and stride == 3 * sizeof(number):    # one channel of RGB: gcc has vectors for it
            for i in range(n):
                d[i] = <lane> s[3 * i]
            return
        if sizeof(number) <= 4 and d_step == 1 and stride == 4 * sizeof(number):
            for i in range(n):
                d[i] = <lane> s[4 * i]
            return
    for i in range(n):
        d[i * d_step] = <lane> (<number*> (p + i * stride))[0]


cdef void to_lane(int kind, const char* s, Py_ssize_t stride, lane* d, Py_ssize_t d_step, Py_ssize_t n) noexcept nogil:
    """n native, aligned numbers of a type to a lane."""
    cdef Py_ssize_t i
    if kind == F4:
        widen(<float*> s, stride, d, d_step, n)
    elif kind == F8:
        widen(<double*> s, stride, d, d_step, n)
    elif kind == U1:
        widen(<unsigned char*> s, stride, d, d_step, n)
    elif kind == I1:
        widen(<signed char*> s, stride, d, d_step, n)
    elif kind == I2:
        widen(<short*> s, stride, d, d_step, n)
    elif kind == U2:
        widen(<unsigned short*> s, stride, d, d_step, n)
    elif kind == I4:
        widen(<int*> s, stride, d, d_step, n)
    elif kind == U4:
        widen(<unsigned int*> s, stride, d, d_step, n)
    elif kind == I8:
        widen(<long long*> s, stride, d, d_step, n)
    elif kind == U8:
        widen(<unsigned long long*> s, stride, d, d_step, n)
    elif kind == FG:
        widen(<extended*> s, stride, d, d_step, n)
    elif kind == F2:
        for i in range(n):
            d[i * d_step] = <lane> rc_from_half((<unsigned short*> (s + i * stride))[0])
    else:
        for i in range(n):
            d[i * d_step] = <lane> (s[i * stride] != 0)


cdef void add_times_i(lane* re, const lane* im, Py_ssize_t n) noexcept nogil:
    """re + i im, n numbers that are the parts of complex ones each."""
    cdef Py_ssize_t k
    for k from 0 <= k < n by 2:
        re[k] = re[k] - im[k + 1]
        re[k + 1] = re[k + 1] + im[k]


cdef inline number cut(lane x, number* like) noexcept nogil:
    """One sum as a number of the result's type; integers keep their low bits, however the sum was held."""
    if number is float or number is double or number is extended:
        return <number> x
    elif lane is double:
        return <number> <long long> x       # exact: narrowed sums stay below 2**53
    elif lane is float:
        return <number> <int> x             # exact: below 2**24
    else:
        return <number> x


cdef void narrow(const lane* s, Py_ssize_t s_step, number* d, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """n sums, s_step apart, to d, stride bytes apart."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    if s_step == 1 and stride == sizeof(number):
        for i in range(n):
            d[i] = cut(s[i], d)
    else:
        for i in range(n):
            (<number*> (p + i * stride))[0] = cut(s[i * s_step], d)


cdef void from_lane(const lane* s, Py_ssize_t s_step, int kind, char* d, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """n sums of a lane to numbers of a result type, aligned and native."""
    cdef Py_ssize_t i
    if kind == BOOL:
        for i in range(n):
            d[i * stride] = s[i * s_step] != 0
    elif kind == F2:
        for i in range(n):
            (<unsigned short*> (d + i * stride))[0] = rc_to_half(<float> s[i * s_step])
    elif lane is short:
        if type_size(kind) == 1:
            narrow(s, s_step, <signed char*> d, stride, n)
        else:
            narrow(s, s_step, <short*> d, stride, n)
    elif lane is extended:
        narrow(s, s_step, <extended*> d, stride, n)
    elif kind == F4:
        narrow(s, s_step, <float*> d, stride, n)
    elif kind == F8:
        narrow(s, s_step, <double*> d, stride, n)
    elif type_size(kind) == 1:
        narrow(s, s_step, <signed char*> d, stride, n)
    elif type_size(kind) == 2:
        narrow(s, s_step, <short*> d, stride, n)
    elif type_size(kind) == 4:
        narrow(s, s_step, <int*> d, stride, n)
    else:
        narrow(s, s_step, <long long*> d, stride, n)


ctypedef fused wide_integer:
    int
    unsigned int
    long long
    unsigned long long


cdef unsigned long long widen_peak(wide_integer* s, Py_ssize_t stride, lane* d, Py_ssize_t n) noexcept nogil:
    """widen of integers, and their largest magnitude on the way."""
    cdef Py_ssize_t i
    cdef wide_integer low = 0, high = 0, x
    cdef const char* p = <const char*> s
    cdef unsigned long long below
    if stride == sizeof(wide_integer):
        for i in range(n):
            x = s[i]
            d[i] = <lane> x
            low = x if x < low else low
            high = x if x > high else high
    else:
        for i in range(n):
            x = (<wide_integer*> (p + i * stride))[0]
            d[i] = <lane> x
            low = x if x < low else low
            high = x if x > high else high
    below = 0 - <unsigned long long> <long long> low
    return below if below > <unsigned long long> high else <unsigned long long> high


cdef unsigned long long to_lane_peak(int kind, const char* s, Py_ssize_t stride, lane* d, Py_ssize_t n) noexcept nogil:
    """to_lane of integers, and their largest magnitude; for types of up to 16 bits that of the type."""
    if kind == I4:
        return widen_peak(<int*> s, stride, d, n)
    if kind == U4:
        return widen_peak(<unsigned int*> s, stride, d, n)
    if kind == I8:
        return widen_peak(<long long*> s, stride, d, n)
    if kind == U8:
        return widen_peak(<unsigned long long*> s, stride, d, n)
    to_lane(kind, s, stride, d, 1, n)
    return 1 if kind == BOOL else 128 if kind == I1 else 255 if kind == U1 else 32768 if kind == I2 else 65535


cdef void fetch(const char* s, Py_ssize_t stride, char* d, Py_ssize_t size, bint swapped, Py_ssize_t n) noexcept nogil:
    """n numbers at any alignment, in either byte order, to native order at d."""
    cdef Py_ssize_t i, b
    for i in range(n):
        if swapped:
            for b in range(size):
                d[b] = s[size - 1 - b]
        else:
            memcpy(d, s, size)
        d += size
        s += stride
