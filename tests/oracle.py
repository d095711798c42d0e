"""Two slow twins of convolve2d and correlate2d, and the error bound between a fast result and them.

`exact2d` is plain Python over exact numbers (int, Fraction) and shares nothing with SciPy or rapidconv: own index maps,
own shapes. `reference2d` is SciPy in a wider type, for problems too large for Python loops; test_oracle.py holds the
two against each other. `check` is what most tests call.
"""

import os
from fractions import Fraction

import numpy as np
import scipy.signal
from zoo import bits

#: Method under test, see test_every_method.py; and what transforms and factors may add to the error of direct sums, in units of
#: eps * norm(image) * norm(kernel): docs/accuracy.md, sqrt(65) times the largest noise of a tile.
METHOD = os.environ.get("RAPIDCONV_TEST_METHOD")
NOISE = 630

ALIASES = {"pad": "fill", "circular": "wrap", "symmetric": "symm"}

# One period of an axis "a b c d", as indices; the axis is this row repeated for ever in both directions.
PERIODS = {
    "wrap": lambda n: [*range(n)],  #                      a b c d | a b c d
    "symm": lambda n: [*range(n), *reversed(range(n))],  # a b c d   d c b a | a b c d   d c b a
}


def image_index(i, n, boundary):
    """The index inside an axis of length n whose value stands at i; None where fillvalue stands."""
    if 0 <= i < n:
        return i
    if boundary == "fill":
        return None
    period = PERIODS[boundary](n)
    return period[i % len(period)]


def output_range(n, k, mode, correlate):
    """The indices of the full result, along one axis, that a mode asks for: the first, and how many."""
    if mode == "full":
        return 0, n + k - 1
    if mode == "same":
        return (k // 2 if correlate else (k - 1) // 2), n
    return min(n, k) - 1, abs(n - k) + 1


def meetings(n, k, mode, boundary, correlate):
    """For every output along one axis: the pairs (tap, image index or None for fillvalue) that are multiplied."""
    start, count = output_range(n, k, mode, correlate)
    rows = []
    for m in range(start, start + count):
        places = [(j, m - (k - 1) + j if correlate else m - j) for j in range(k)]
        if mode == "valid":  # Where the kernel is the larger one, its taps beyond the image meet nothing.
            rows.append([(j, i) for j, i in places if 0 <= i < n])
        else:
            rows.append([(j, image_index(i, n, boundary)) for j, i in places])
    return rows


def exact_numbers(array):
    """A nested list of the array's values as int or Fraction."""
    if array.dtype.kind in "biu":
        return [[int(v) for v in row] for row in array]
    return [[Fraction(*v.as_integer_ratio()) for v in row] for row in array]


def exact_real(image, kernel, mode, boundary, fillvalue, correlate):
    """Real arrays and a 1x1 fillvalue array -> nested list of exact sums."""
    rows = meetings(image.shape[0], kernel.shape[0], mode, boundary, correlate)
    columns = meetings(image.shape[1], kernel.shape[1], mode, boundary, correlate)
    a, h, ((outside,),) = exact_numbers(image), exact_numbers(kernel), exact_numbers(fillvalue)

    def value(i0, i1):
        return outside if i0 is None or i1 is None else a[i0][i1]

    return [
        [sum((h[j0][j1] * value(i0, i1) for j0, i0 in row for j1, i1 in column), start=0) for column in columns]
        for row in rows
    ]


def result_dtype(in1, in2):
    return np.promote_types(in1.dtype, in2.dtype)


def converted(in1, in2, fillvalue):
    """The operands in the result's dtype, where the sums are taken; fillvalue as a 1x1 array."""
    in1, in2 = np.asarray(in1), np.asarray(in2)
    dtype = result_dtype(in1, in2)
    return in1.astype(dtype), in2.astype(dtype), np.array(fillvalue, dtype=dtype).reshape(1, 1)


def exact2d(in1, in2, mode="full", boundary="fill", fillvalue=0, correlate=False):
    """(real parts, imaginary parts), nested lists of exact numbers; integers are not wrapped."""
    boundary = ALIASES.get(boundary, boundary)
    a, h, f = converted(in1, in2, fillvalue)
    rest = (mode, boundary)
    if a.dtype.kind != "c":
        return exact_real(a, h, *rest, f, correlate), None
    h = h.conj() if correlate else h
    rr = exact_real(a.real, h.real, *rest, f.real, correlate)
    ii = exact_real(a.imag, h.imag, *rest, f.imag, correlate)
    ri = exact_real(a.real, h.imag, *rest, f.real, correlate)
    ir = exact_real(a.imag, h.real, *rest, f.imag, correlate)
    real = [[x - y for x, y in zip(p, q, strict=True)] for p, q in zip(rr, ii, strict=True)]
    imag = [[x + y for x, y in zip(p, q, strict=True)] for p, q in zip(ri, ir, strict=True)]
    return real, imag


def wrapped(nested, dtype, shape):
    """Exact integers -> array of an integer dtype, modulo 2**bits; bool is logical or."""
    if dtype == bool:
        return np.array([[v != 0 for v in row] for row in nested], dtype=bool).reshape(shape)
    bits = 8 * dtype.itemsize
    flat = np.array([[v % 2**bits for v in row] for row in nested], dtype=np.uint64).reshape(shape)
    return flat.astype(f"u{dtype.itemsize}").view(dtype)


def result_shape(in1, in2, mode, correlate=False):
    return tuple(output_range(n, k, mode, correlate)[1] for n, k in zip(in1.shape, in2.shape, strict=True))


def wide(dtype):
    """The type the large reference is computed in: at least eleven bits more than the result has."""
    single = np.finfo(dtype).bits <= 32
    if dtype.kind == "c":
        return np.dtype(np.complex128 if single else np.clongdouble)
    return np.dtype(np.float64 if single else np.longdouble)


def reference2d(in1, in2, mode="full", boundary="fill", fillvalue=0, correlate=False):
    """SciPy's value, from operands rounded to the result's dtype and summed in a wider one.

    Integers are summed by SciPy itself, modulo 2**bits; bool is the logical or of ands.
    """
    in1, in2 = np.asarray(in1), np.asarray(in2)
    function = scipy.signal.correlate2d if correlate else scipy.signal.convolve2d
    a, h, f = converted(in1, in2, fillvalue)
    if a.dtype == bool:
        return function(a.astype(np.int64), h.astype(np.int64), mode, boundary, int(f[0, 0])) != 0
    if a.dtype.kind in "iu":
        return function(a, h, mode, boundary, f)
    work = wide(a.dtype)
    result = function(a.astype(work), h.astype(work), mode, boundary, f.astype(work))
    swapped = mode == "valid" and any(n < k for n, k in zip(a.shape, h.shape, strict=True))
    return result.conj() if swapped and correlate else result  # SciPy's bug S2: conjugated when 'valid' swaps.


def tolerance(in1, in2, mode="full", boundary="fill", fillvalue=0, correlate=False):
    """The forward bound (n + 2) eps sum |a||h| of a sum of n products, plus what underflow may cost, per output.

    Complex sums are 2n real products per component, all sizes bounded by |a||h|: four times that for the modulus.
    float16 is summed in float32 and rounded once.
    """
    a, h, f = converted(in1, in2, fillvalue)
    dtype = a.dtype
    work = np.dtype(np.float32) if dtype == np.float16 else dtype
    size = np.promote_types(work, np.float64).type(0).real.dtype  # Rounding matters little in a bound.
    a, h, f = (np.abs(x).astype(size) for x in (a, h, f))
    total = (scipy.signal.correlate2d if correlate else scipy.signal.convolve2d)(a, h, mode, boundary, f)
    eps = np.finfo(work).eps + np.finfo(wide(dtype)).eps
    tiny = size.type(np.finfo(work).smallest_subnormal)
    taps = h.size if mode != "valid" else min(a.size, h.size)
    bound = (taps + 2) * (eps * total + tiny)
    if METHOD is not None:
        periods = np.prod([1 + k / max(1, n) for n, k in zip(a.shape, h.shape, strict=True)])
        bound = bound + NOISE * eps * np.sqrt(periods) * norm(np.append(a, f)) * norm(h)
    if dtype.kind == "c":
        return 4 * bound
    if dtype == np.float16:
        return bound + size.type(np.finfo(dtype).eps) * total + size.type(np.finfo(dtype).smallest_subnormal)
    return bound


def norm(numbers):
    """2-norm, of numbers whose squares may not be."""
    top = numbers.max(initial=0)
    return top * np.sqrt(((numbers / top) ** 2).sum()) if top else top


def check(result, in1, in2, mode="full", boundary="fill", fillvalue=0, *, correlate=False, exact=False):
    """The whole promise about one finite result: type, shape, freshness, and every value within the bound."""
    in1, in2 = np.asarray(in1), np.asarray(in2)
    rest = (mode, boundary, fillvalue, correlate)
    dtype = result_dtype(in1, in2)
    assert type(result) is np.ndarray
    assert result.dtype == dtype
    assert result.dtype.isnative
    assert result.shape == result_shape(in1, in2, mode)
    assert result.flags.c_contiguous
    assert result.flags.writeable
    check_values(result, in1, in2, *rest, exact=exact)


def check_values(result, in1, in2, mode="full", boundary="fill", fillvalue=0, correlate=False, *, exact=False):
    rest = (mode, boundary, fillvalue, correlate)
    dtype = result_dtype(np.asarray(in1), np.asarray(in2))
    if dtype.kind in "biu":
        expected = wrapped(exact2d(in1, in2, *rest)[0], dtype, result.shape) if exact else reference2d(in1, in2, *rest)
        np.testing.assert_array_equal(result, expected, strict=True)
        return
    bound = tolerance(in1, in2, *rest)
    if not exact:
        excess = np.abs(result.astype(wide(dtype)) - reference2d(in1, in2, *rest)) - bound
        assert not np.isnan(excess).any()
        worst = np.unravel_index(np.argmax(excess), excess.shape) if excess.size else None
        assert worst is None or excess[worst] <= 0, f"{result[worst]} at {worst} misses by {excess[worst]}"
        return
    real, imag = exact2d(in1, in2, *rest)
    parts = [(result, real)] if imag is None else [(result.real, real), (result.imag, imag)]
    for got, wanted in parts:
        limits = exact_numbers(bound)
        misses = [
            [abs(g - w) - limit for g, w, limit in zip(gs, ws, ls, strict=True)]
            for gs, ws, ls in zip(exact_numbers(got), wanted, limits, strict=True)
        ]
        assert max((max(row, default=0) for row in misses), default=0) <= 0


def footprint(array):
    """Where an array is not finite, and how: per component 0 finite, 1 +inf, -1 -inf, 2 NaN."""

    def one(part):
        return np.where(np.isnan(part), 2, np.where(np.isinf(part), np.where(part > 0, 1, -1), 0))

    return np.stack([one(array.real), one(array.imag)]) if array.dtype.kind == "c" else one(array)


def outcome(function, *args, **keywords):
    """What a call does, in a form that compares: its value to the bit, or its error's type and text."""
    try:
        result = function(*args, **keywords)
    except (ValueError, TypeError, OverflowError, MemoryError, Warning) as error:
        return type(error).__name__, str(error)
    return result.dtype.str, result.shape, bits(result)
