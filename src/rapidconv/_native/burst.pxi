# The machine's limit: independent multiply-adds that never leave the registers.


cdef vec burst(vec zero, const char* one, Py_ssize_t rounds) noexcept nogil:
    """rounds times 12 chains of 8 multiply-adds."""
    cdef Py_ssize_t i, j
    cdef vec x = splat(zero, one)
    cdef vec a = zero, b = zero + x, c = b + x, d = c + x, e = d + x, f = e + x
    cdef vec g = f + x, h = g + x, k = h + x, o = k + x, m = o + x, n = m + x
    for i in range(rounds):
        for j in range(8):
            a = a * x + x
            b = b * x + x
            c = c * x + x
            d = d * x + x
            e = e * x + x
            f = f * x + x
            g = g * x + x
            h = h * x + x
            k = k * x + x
            o = o * x + x
            m = m * x + x
            n = n * x + x
    return a + b + c + d + e + f + g + h + k + o + m + n


def fma_burst(str kind, Py_ssize_t rounds):
    """Run rounds of register multiply-adds in 'f' (float32) or 'd' (float64); the floating-point operations done."""
    cdef float small4 = 1e-3
    cdef double small8 = 1e-3
    cdef char sink[64]
    cdef Py_ssize_t lanes
    cdef double total
    if kind == "f":
        lanes = lanes_of(F4)
        with nogil:
            store(sink, burst(vf4_splat(<const char*> &small4), <const char*> &small4, rounds))
        total = (<float*> sink)[0]
    elif kind == "d":
        lanes = lanes_of(F8)
        with nogil:
            store(sink, burst(vf8_splat(<const char*> &small8), <const char*> &small8, rounds))
        total = (<double*> sink)[0]
    else:
        raise ValueError(f"kind must be 'f' or 'd', not {kind!r}")
    if total != total:                  # never; but so the sums are used, and therefore made
        raise ArithmeticError("the chains of multiply-adds ran into NaN")
    return rounds * 12 * 8 * 2 * lanes
