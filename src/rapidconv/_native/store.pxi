# Sums to numbers of the result, where they do not keep their low bits: cut toward zero, divided, or scaled, shifted, rounded
# and held.  The limits of 64-bit types are the outermost doubles within them.

cdef extern from "simd.h" nogil:
    int rc_round(float x)
    void rc_put_u1(const float* s, char* d, float shift)
    void rc_put_u2(const float* s, char* d, float shift)
    void rc_put_i2(const float* s, char* d, float shift)

cdef enum:
    PUT_NUMBERS = 256       # rounded at once, before they are spread over interleaved channels


cdef inline Py_ssize_t put_packed(const float* s, float shift, number* d, Py_ssize_t n) noexcept nogil:
    """put_saturated of whole vectors of numbers, where there are instructions for them; how many of n are done."""
    cdef Py_ssize_t i, batch = RC_BYTES // sizeof(number)
    if not RC_PACKS or sizeof(number) > 2 or n < batch:
        return 0
    for i from 0 <= i <= n - batch by batch:
        if sizeof(number) == 1:
            rc_put_u1(s + i, <char*> (d + i), shift)
        elif <number> -1 > 0:
            rc_put_u2(s + i, <char*> (d + i), shift)
        else:
            rc_put_i2(s + i, <char*> (d + i), shift)
    return n // batch * batch


cdef void put_saturated(
    const lane* s, Py_ssize_t s_step, double scale, double delta, double low, double high, number* d, Py_ssize_t stride,
    Py_ssize_t n,
) noexcept nogil:
    """scale * sum + delta, rounded half to even, held to the limits of the type; NaN becomes 0."""
    cdef Py_ssize_t i, at, count
    cdef char* p = <char*> d
    cdef double x
    cdef float y, shift = <float> delta, least = <float> low, most = <float> high
    cdef int whole
    cdef number[PUT_NUMBERS] room
    cdef number* to
    if lane is float or lane is double or lane is int:
        if sizeof(number) <= 2 and s_step == 1:
            for at from 0 <= at < n by PUT_NUMBERS:
                count = min(PUT_NUMBERS, n - at)
                to = d + at if stride == sizeof(number) else room
                if lane is float and scale == 1 and delta == shift:
                    i = 0
                    if high == (32767 if <number> -1 < 0 else 255 if sizeof(number) == 1 else 65535):
                        i = put_packed(<const float*> (s + at), shift, to, count)
                    for i in range(i, count):
                        y = s[at + i] + shift
                        if <number> -1 < 0:
                            y = y if y == y else 0
                        y = y if y > least else least           # unsigned: also what is no number
                        y = y if y < most else most
                        to[i] = <number> rc_round(y)
                elif lane is int and scale == 1 and -(1 << 30) <= delta <= 1 << 30 and delta == rint(delta):
                    whole = <int> delta
                    for i in range(count):
                        to[i] = <number> (min(max(<int> s[at + i], <int> low - whole), <int> high - whole) + whole)
                else:
                    for i in range(count):
                        x = scale * <double> s[at + i] + delta
                        x = x if x == x else 0
                        x = x if x > low else low
                        x = x if x < high else high
                        to[i] = <number> <int> rint(x)
                if stride != sizeof(number):
                    for i in range(count):
                        (<number*> (p + (at + i) * stride))[0] = room[i]
            return
    for i in range(n):
        x = scale * <double> s[i * s_step] + delta
        x = x if x == x else 0
        x = x if x > low else low
        x = x if x < high else high
        if sizeof(number) <= 2:
            (<number*> (p + i * stride))[0] = <number> <int> rint(x)
        else:
            (<number*> (p + i * stride))[0] = <number> rint(x)


cdef void put_rounded(
    const lane* s, Py_ssize_t s_step, double scale, double delta, number* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """scale * sum + delta, rounded half to even, its low bits kept; beyond 64 bits whatever the machine makes of it."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    for i in range(n):
        (<number*> (p + i * stride))[0] = <number> <long long> rint(scale * <double> s[i * s_step] + delta)


cdef inline number truncated(lane x, number* like) noexcept nogil:
    """A sum cut toward zero, its low bits kept; beyond the type's reach, and NaN: what SciPy makes of it on x86."""
    cdef double half = 9223372036854775808.0        # 2^63
    if sizeof(number) == 8 and <number> -1 > 0 and x >= half:
        return <number> (<unsigned long long> <long long> (x - half) + (<unsigned long long> 1 << 63))
    elif sizeof(number) == 8 or (sizeof(number) == 4 and <number> -1 > 0):
        return <number> <long long> x
    else:
        return <number> <int> x


cdef void put_truncated(const lane* s, Py_ssize_t s_step, number* d, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """n sums, s_step apart, cut to numbers stride bytes apart."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    if s_step == 1 and stride == sizeof(number):
        for i in range(n):
            d[i] = truncated(s[i], d)
    else:
        for i in range(n):
            (<number*> (p + i * stride))[0] = truncated(s[i * s_step], d)


cdef inline number divided_narrow(float x, float below, float count, number* like) noexcept nogil:
    """A whole sum of narrow numbers by a count, cut toward zero: the factor is a little below the reciprocal of the count, so the
    quotient is right or one too small, and products of quotient and count are exact."""
    cdef int quotient = <int> (x * below)
    cdef float rest = x - <float> quotient * count
    return <number> (quotient + (rest >= count) - (rest <= -count))


cdef void put_divided(
    const lane* s, Py_ssize_t s_step, double count, bint narrow, number* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """Sums divided by a count, cut toward zero; narrow: whole sums, of numbers of up to 16 bits."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    cdef float parts = <float> count, below = <float> ((1 - 2.0 ** -22) / count)
    if (lane is float or lane is short) and sizeof(number) <= 2 and narrow and s_step == 1 and stride == sizeof(number):
        for i in range(n):
            d[i] = divided_narrow(s[i], below, parts, d)
    else:
        for i in range(n):
            (<number*> (p + i * stride))[0] = truncated(<double> s[i * s_step] / count, d)


cdef void put_shifted(
    Job* job, const lane* s, Py_ssize_t s_step, real* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """scale * sum + delta in floating types, or the sum added to what is there."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    cdef double scale = job.scale, delta = job.delta
    if job.store == ADD:
        for i in range(n):
            d = <real*> (p + i * stride)
            d[0] = <real> (d[0] + s[i * s_step])
        return
    for i in range(n):
        (<real*> (p + i * stride))[0] = <real> (scale * <double> s[i * s_step] + delta)


cdef void put_added(const lane* s, Py_ssize_t s_step, int shift, number* d, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """Whole sums, shifted, to the numbers that are there, low bits kept."""
    cdef Py_ssize_t i
    cdef char* p = <char*> d
    for i in range(n):
        d = <number*> (p + i * stride)
        d[0] = <number> (d[0] + (<unsigned long long> <long long> s[i * s_step] << shift))


cdef void put_as(
    Job* job, const lane* s, Py_ssize_t s_step, double low, double high, number* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """Sums of a lane as numbers of a type with limits, in the way of the job."""
    if job.store == TRUNCATE:
        put_truncated(s, s_step, d, stride, n)
    elif job.store == DIVIDE:
        put_divided(s, s_step, job.delta, type_size(job.kind) <= 2, d, stride, n)
    elif job.store == ROUND:
        put_rounded(s, s_step, job.scale, job.delta, d, stride, n)
    elif job.store == ADD:
        if lane is float or lane is double:         # of transforms
            put_added(s, s_step, <int> job.delta, d, stride, n)
    else:
        put_saturated(s, s_step, job.scale, job.delta, low, high, d, stride, n)


cdef void put_from(Job* job, const lane* s, Py_ssize_t s_step, char* d, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """put_as in the result's type."""
    cdef Py_ssize_t i
    cdef int kind = job.out_kind
    if kind == BOOL and job.store == TRUNCATE:
        for i in range(n):
            d[i * stride] = s[i * s_step] >= 1 or s[i * s_step] <= -1
    elif kind == BOOL and job.store == DIVIDE:
        for i in range(n):
            d[i * stride] = s[i * s_step] >= job.delta or s[i * s_step] <= -job.delta
    elif kind == BOOL and job.store == ROUND:
        for i in range(n):
            d[i * stride] = rint(job.scale * <double> s[i * s_step] + job.delta) != 0
    elif kind == BOOL:
        put_as(job, s, s_step, 0, 1, <unsigned char*> d, stride, n)
    elif kind == I1:
        put_as(job, s, s_step, -128, 127, <signed char*> d, stride, n)
    elif kind == U1:
        put_as(job, s, s_step, 0, 255, <unsigned char*> d, stride, n)
    elif kind == I2:
        put_as(job, s, s_step, -32768, 32767, <short*> d, stride, n)
    elif kind == U2:
        put_as(job, s, s_step, 0, 65535, <unsigned short*> d, stride, n)
    elif kind == I4:
        put_as(job, s, s_step, -2147483648.0, 2147483647.0, <int*> d, stride, n)
    elif kind == U4:
        put_as(job, s, s_step, 0, 4294967295.0, <unsigned int*> d, stride, n)
    elif kind == I8:
        put_as(job, s, s_step, -9223372036854775808.0, 9223372036854774784.0, <long long*> d, stride, n)
    elif kind == U8:
        put_as(job, s, s_step, 0, 18446744073709549568.0, <unsigned long long*> d, stride, n)
    elif kind == F4:
        put_shifted(job, s, s_step, <float*> d, stride, n)
    elif kind == F8:
        put_shifted(job, s, s_step, <double*> d, stride, n)


cdef void put_whole(
    Job* job, int kind, const char* s, Py_ssize_t s_step, char* d, Py_ssize_t stride, Py_ssize_t n,
) noexcept nogil:
    """n sums, in the lane of a type, as numbers of the result."""
    if kind == F4:
        put_from(job, <const float*> s, s_step, d, stride, n)
    elif kind == F8:
        put_from(job, <const double*> s, s_step, d, stride, n)
    elif kind == I2:
        put_from(job, <const short*> s, s_step, d, stride, n)
    elif kind == I4:
        put_from(job, <const int*> s, s_step, d, stride, n)
    else:
        put_from(job, <const long long*> s, s_step, d, stride, n)
