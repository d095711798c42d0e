"""The rows of SciPy's faults that this project decided on: no crash, no garbage, the right value instead."""

import numpy as np
import oracle
import pytest
import zoo

from rapidconv import signal

# S1: an empty axis with wrap or symm kills SciPy's process; also exercised in test_empty.py.


@pytest.mark.parametrize("boundary", ["wrap", "symm"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)], ids=str)
def test_s1_is_an_error_about_in1(ours, shape, boundary):
    with pytest.raises(ValueError, match="in1"):
        ours(np.zeros(shape), np.ones((3, 3)), boundary=boundary)


def test_s1_in_colour(ours):
    with pytest.raises(ValueError, match="in1"):
        ours(np.zeros((0, 3, 3)), np.ones((3, 3)), boundary="wrap", channel_axis=2)


# S2: correlate2d 'valid' with swapped operands is conjugated in SciPy.


def test_s2_by_hand():
    result = signal.correlate2d([[1j, 2]], [[1, 2j, 3 + 1j, 4]], "valid")
    assert result.tolist() == [[9 + 3j, 8 - 2j, -3j]]
    assert result.flags.c_contiguous


@pytest.mark.parametrize("dtype", zoo.COMPLEXES)
@pytest.mark.parametrize("shapes", [((1, 2), (1, 4)), ((3, 4), (9, 11)), ((5, 5), (40, 70)), ((1, 1), (6, 5))], ids=str)
def test_s2_against_exact_sums(dtype, shapes):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    oracle.check(signal.correlate2d(in1, in2, "valid"), in1, in2, "valid", correlate=True, exact=shapes[1][1] < 40)


@pytest.mark.parametrize(
    "dtypes", [("complex128", "float64"), ("float32", "complex64"), ("complex64", "int8")], ids=str
)
def test_s2_with_one_complex_operand(dtypes):
    in1, in2 = zoo.values((3, 4), dtypes[0], 1), zoo.values((9, 7), dtypes[1], 2)
    oracle.check(signal.correlate2d(in1, in2, "valid"), in1, in2, "valid", correlate=True, exact=True)


@pytest.mark.parametrize("length", [2, 3, 5])
def test_s2_is_numpys_correlate(length):
    in1, in2 = zoo.small((1, length), "complex128", 1), zoo.small((1, 9), "complex128", 2)
    np.testing.assert_array_equal(signal.correlate2d(in1, in2, "valid")[0], np.correlate(in1[0], in2[0], "valid"))


def test_s2b_is_contiguous_and_owned():
    result = signal.correlate2d(np.ones((2, 2)), zoo.values((4, 5), "float64", 1), "valid")
    assert result.strides == (32, 8)
    assert result.flags.owndata


# S3: third-party dtypes are taken for others by their number, up to heap corruption.


@pytest.mark.parametrize("name_of_dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4", "int2"])
@pytest.mark.parametrize("both", [True, False], ids=["both", "in1"])
def test_s3_third_party_dtypes_are_refused(ours, name_of_dtype, both):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    strange = np.array([[1, 2, 3]]).astype(getattr(ml_dtypes, name_of_dtype))
    with pytest.raises(ValueError, match=r"not available for this type\.$"):
        ours(strange, strange if both else strange[:, :2])


def test_s3_a_dtype_of_numpys_own_tests_is_refused():
    """A user-defined dtype that is at hand without ml_dtypes."""
    rational = pytest.importorskip("numpy._core._rational_tests").rational
    strange = np.array([[rational(1, 2), rational(3)]])
    with pytest.raises(ValueError, match=r"not available for this type\.$"):
        signal.convolve2d(strange, strange)


# S4 and S5: SciPy's casts of fillvalue, followed.


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_s4_an_array_of_doubles_around_singles_is_an_error(ours):
    ones = np.ones((3, 3), np.float32)
    with pytest.raises(ValueError, match="could not cast"):
        ours(ones, ones, fillvalue=np.array(2.0))
    assert ours(ones, ones, "valid", fillvalue=np.float64(2)).tolist() == [[9.0]]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_s5_numpy_scalars_wrap_and_python_numbers_do_not(ours):
    ones = np.ones((1, 1), np.uint8)
    assert ours(ones, np.array([[1, 1]], np.uint8), fillvalue=np.int64(300)).tolist() == [[45, 45]]
    with pytest.raises(ValueError, match="could not cast"):
        ours(ones, np.array([[1, 1]], np.uint8), fillvalue=300)


# S6: a boundary that SciPy lists and never accepts.


@pytest.mark.parametrize("fillvalue", [0, 1])
def test_s6_reflect(ours, fillvalue):
    with pytest.raises(ValueError, match="boundary"):
        ours(np.ones((3, 3)), np.ones((2, 2)), "full", "reflect", fillvalue)


# S7: what SciPy refuses, and NumPy's one-dimensional convolve does not.


@pytest.mark.parametrize("dtype", ["bool", "float16"])
def test_s7_is_numpys_convolve(dtype):
    in1, in2 = zoo.small((1, 50), dtype, 1), zoo.small((1, 4), dtype, 2)
    np.testing.assert_array_equal(signal.convolve2d(in1, in2)[0], np.convolve(in1[0], in2[0]), strict=True)


# S9: copies SciPy makes of read-only pictures; test_memory.py measures ours.


def test_s9_read_only_operands(ours):
    in1, in2 = zoo.read_only(zoo.values((50, 60), "float64", 1)), zoo.read_only(zoo.values((3, 3), "float64", 2))
    result = ours(in1, in2)
    assert result.flags.writeable
    assert zoo.same_bits(result, ours(in1.copy(), in2.copy()))
