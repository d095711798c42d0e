"""Arrays of every layout and dtype, and what tells whether two are the same."""

import numpy as np

MODES = ["full", "same", "valid"]
BOUNDARIES = ["fill", "wrap", "symm"]
NAMES = {"fill": "fill", "pad": "fill", "wrap": "wrap", "circular": "wrap", "symm": "symm", "symmetric": "symm"}

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float16", "float32", "float64", "longdouble"]
COMPLEXES = ["complex64", "complex128", "clongdouble"]
DTYPES = ["bool", *INTEGERS, *FLOATS, *COMPLEXES]

# The dtypes that take different roads through the kernels, for tests too heavy for all of them.
ROADS = ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "longdouble", "complex64"]
ROADS += ["complex128"]


def fortran(a):
    return np.asfortranarray(a)


def negative(a):
    return a[::-1, ::-1].copy()[::-1, ::-1]


def negative_rows(a):
    return a[::-1].copy()[::-1]


def negative_columns(a):
    return a[:, ::-1].copy()[:, ::-1]


def inside(a, start, step):
    """A view of a larger array of junk that holds a's values."""
    shape = tuple(s + n * t for s, n, t in zip(start, a.shape, step, strict=True))
    big = np.full(shape, junk(a.dtype), dtype=a.dtype)
    view = big[tuple(slice(s, s + n * t, t) for s, n, t in zip(start, a.shape, step, strict=True))]
    view[...] = a
    return view


def junk(dtype):
    """A value that shows if it gets into a sum."""
    if dtype.kind in "fc":
        return np.nan
    return True if dtype.kind == "b" else np.iinfo(dtype).max - 2


def every_other(a):
    return inside(a, (0,) * a.ndim, (2,) * a.ndim)


def every_other_column(a):
    return inside(a, (0,) * a.ndim, (1,) * (a.ndim - 1) + (2,))


def cut_out(a):
    """Dense rows of a wider picture, at an odd start."""
    return inside(a, (1,) * a.ndim, (1,) * (a.ndim - 1) + (1,))[tuple(slice(None, n) for n in a.shape)]


def wide_pitch(a):
    """Rows 13 elements longer than they are used."""
    big = np.full((*a.shape[:-1], a.shape[-1] + 13), junk(a.dtype), dtype=a.dtype)
    big[..., 5 : 5 + a.shape[-1]] = a
    return big[..., 5 : 5 + a.shape[-1]]


def transposed(a):
    return a.T.copy().T


def one_channel(a):
    """The green plane of an interleaved picture."""
    big = np.full((*a.shape, 3), junk(a.dtype), dtype=a.dtype)
    big[..., 1] = a
    return big[..., 1]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def swapped(a):
    return a.astype(a.dtype.newbyteorder())


def swapped_negative(a):
    return negative(swapped(a))


def misaligned(a):
    b = np.ndarray(a.shape, a.dtype, buffer=bytearray(a.nbytes + 1), offset=1)
    b[...] = a
    return b


def field(a):
    """A packed record's second field: strides that are no multiple of the item size."""
    b = np.zeros(a.shape, dtype=[("tag", "u1"), ("value", a.dtype)])
    b["value"] = a
    return b["value"]


def swapped_field(a):
    return field(swapped(a))


LAYOUTS = {
    layout.__name__: layout
    for layout in (
        np.array,
        fortran,
        negative,
        negative_rows,
        negative_columns,
        every_other,
        every_other_column,
        cut_out,
        wide_pitch,
        transposed,
        one_channel,
        read_only,
        swapped,
        swapped_negative,
        misaligned,
        field,
        swapped_field,
    )
}
WRITEABLE = {name: layout for name, layout in LAYOUTS.items() if layout is not read_only}


def values(shape, dtype, seed=0, *, positive=False):
    """Reproducible values: integers over their whole range, floats of both signs over a few decades."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(0 if positive else info.min, info.max, shape, dtype=dtype, endpoint=True)
    sign = 1 if positive else rng.choice([-1, 1], shape)
    real = sign * rng.uniform(0.1, 1, shape) * 2.0 ** rng.integers(-3, 3, shape)
    if dtype.kind == "f":
        return real.astype(dtype)
    return (real + 1j * rng.normal(size=shape)).astype(dtype)


def small(shape, dtype, seed=0, limit=5):
    """Reproducible small whole numbers of any dtype: sums of their products are exact in every float."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    low = 0 if dtype.kind in "bu" else -limit
    whole = rng.integers(low, limit, shape, endpoint=True)
    if dtype.kind == "c":
        whole = whole + 1j * rng.integers(low, limit, shape, endpoint=True)
    return whole.astype(dtype)


def bits(array):
    """The array's values as bytes, in C order and native; without the six bytes of padding of an x87 longdouble."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if plain.dtype.char not in "gG" or np.finfo(plain.dtype).nmant != 63:
        return plain.tobytes()
    parts = plain.reshape(-1).view(np.longdouble)
    return parts.view(np.uint8).reshape(parts.size, -1)[:, :10].tobytes()


def same_bits(x, y):
    return (x.dtype, x.shape, bits(x)) == (y.dtype, y.shape, bits(y))
