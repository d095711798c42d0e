"""What may stand outside the image, and what it becomes in the result's dtype: as SciPy decides, value for value."""

import decimal
import fractions
import warnings

import numpy as np
import oracle
import pytest
import scipy.signal
import zoo

from rapidconv import signal

CODES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "g", "F", "D", "G"]
VALUES = {
    "0": 0,
    "1": 1,
    "-1": -1,
    "1.5": 1.5,
    "-1.5": -1.5,
    "300": 300,
    "300.0": 300.0,
    "2**40": 2**40,
    "2**70": 2**70,
    "1e300": 1e300,
    "1e400": decimal.Decimal("1e400"),
    "True": True,
    "None": None,
    "nan": np.nan,
    "inf": np.inf,
    "1j": 1j,
    "1+0j": 1 + 0j,
    "nan+1j": complex(np.nan, 1),
    "fraction": fractions.Fraction(5, 2),
    "decimal": decimal.Decimal("2.5"),
    "object": object,
    "dict": {},
    "text 2": "2",
    "text 2.5": "2.5",
    "text 1j": "1j",
    "text a": "a",
    "bytes 2": b"2",
    "list of one": [2],
    "nested list": [[2.5]],
    "tuple": (2,),
    "empty list": [],
    "two": [1, 2],
    "list of 1j": [1j],
    "two complex": [1j, 2],
    "list of text": ["a"],
    "ragged list": [[1], [1, 2]],
    "np.bool": np.True_,
    "np.int8": np.int8(-3),
    "np.int64 300": np.int64(300),
    "np.uint8": np.uint8(200),
    "np.float16": np.float16(2.5),
    "np.float32": np.float32(2.5),
    "np.float64": np.float64(2.5),
    "np.float64 nan": np.float64(np.nan),
    "np.longdouble": np.longdouble(2.5),
    "np.complex128": np.complex128(1 + 2j),
    "np.complex64": np.complex64(1 + 2j),
    "np.str": np.str_("2"),
    "array of int": np.array(2),
    "array of int8": np.array(2, np.int8),
    "array of uint8": np.array([2], np.uint8),
    "array of float": np.array(2.0),
    "array of float32": np.array([[2.0]], np.float32),
    "array of longdouble": np.array(2, np.longdouble),
    "array of complex": np.array([[[2.0 + 1j]]]),
    "array of bool": np.array(True),
    "array of object": np.array(2, object),
    "array of text": np.array("2"),
    "matrix-shaped, swapped": np.array([[2.0]], ">f8"),
    "empty array": np.array([]),
    "array of two": np.array([1, 2]),
    "date": np.datetime64("2020"),
}


def show(function, code, value, mode="full"):
    """Outcome of a call whose result holds the fill value as it is, and the warnings of one that succeeds.

    Before some of its errors SciPy warns of the cast to complex that it tries last; the error alone is the contract.
    """
    image, kernel = np.zeros((1, 1), code), np.array([[1, 0], [0, 0]], code)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = oracle.outcome(function, image, kernel, mode, "fill", value)
    failed = isinstance(result[1], str)
    return result, [] if failed else [(w.category.__name__, str(w.message)) for w in caught]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("code", CODES)
def test_becomes_what_scipy_makes_of_it(name, ours, code, value):
    theirs, theirs_warned = show(getattr(scipy.signal, name), code, VALUES[value])
    mine, warned = show(ours, code, VALUES[value])
    assert mine == theirs
    assert warned == theirs_warned


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("value", ["1.5", "1j", "300", "text a", "empty list", "two", "array of float", "nan"])
@pytest.mark.parametrize("code", ["u1", "f4", "D"])
def test_is_converted_in_every_mode(name, ours, code, value, mode):
    theirs = show(getattr(scipy.signal, name), code, VALUES[value], mode)
    assert show(ours, code, VALUES[value], mode) == theirs


@pytest.mark.parametrize("boundary", ["fill", "pad"])
@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize("dtype", zoo.DTYPES)
@pytest.mark.parametrize("shape", [(4, 5), (40, 150)], ids=str)
def test_stands_around_the_image(name, ours, shape, dtype, mode, boundary):
    in1, in2 = zoo.small(shape, dtype, 1), zoo.small((5, 4), dtype, 2)
    result = ours(in1, in2, mode, boundary, 3)
    oracle.check(result, in1, in2, mode, boundary, 3, correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "clongdouble"])
def test_complex(name, ours, dtype):
    in1, in2 = zoo.values((6, 7), dtype, 1), zoo.values((3, 3), dtype, 2)
    result = ours(in1, in2, "full", "fill", 2 - 3j)
    oracle.check(result, in1, in2, "full", "fill", 2 - 3j, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize(
    "dtypes", [("float32", "complex64"), ("complex64", "float32"), ("uint8", "complex128")], ids=str
)
def test_complex_around_one_real_operand(name, ours, dtypes):
    in1, in2 = zoo.values((6, 40), dtypes[0], 1), zoo.values((3, 3), dtypes[1], 2)
    result = ours(in1, in2, "full", "fill", 2 - 3j)
    oracle.check(result, in1, in2, "full", "fill", 2 - 3j, correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_reaches_every_window_that_touches_the_border(ours, dtype):
    in2 = np.zeros((3, 5), dtype)
    in2[1, 2] = 1
    result = ours(zoo.values((20, 60), dtype, 1), in2, "same", "fill", np.nan)
    expected = np.ones((20, 60), bool)
    expected[1:-1, 2:-2] = False
    np.testing.assert_array_equal(np.isnan(result), expected)


@pytest.mark.parametrize(
    ("code1", "code2", "value"), [("u1", "i4", 2**31 - 1), ("u1", "u1", 255), ("i8", "i8", 2**63 - 1)]
)
def test_extreme_integers(name, ours, code1, code2, value):
    in1, in2 = zoo.values((20, 70), code1, 1), zoo.values((3, 3), code2, 2)
    result = ours(in1, in2, "same", "fill", value)
    oracle.check(result, in1, in2, "same", "fill", value, correlate=name == "correlate2d")


def test_a_list_is_not_kept():
    value = [2.0]
    signal.convolve2d(np.ones((2, 2)), np.ones((2, 2)), fillvalue=value)
    assert value == [2.0]
