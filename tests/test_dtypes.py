"""Which dtype comes out of which pair, what may go in, and what is refused."""

import decimal
import fractions

import numpy as np
import oracle
import pytest
import scipy.signal
import zoo

from rapidconv import signal

NUMERIC = "?bBhHiIlLqQefdgFDG"
CODES = NUMERIC + "O"
REFUSED = "^convolve2d not available for this type.$"  # SciPy's words, for correlate2d too.


def decided_differently(code1, code2):
    """S7: bool with bool, and pairs whose common type is float16, work here and are refused by SciPy."""
    return np.promote_types(code1, code2).char in "?e"


PAIRS = [(x, y) for x in NUMERIC for y in NUMERIC]
AS_SCIPY = [pair for pair in PAIRS if not decided_differently(*pair)]
DECIDED = [pair for pair in PAIRS if decided_differently(*pair)]
WITH_OBJECT = [(x, y) for x in CODES for y in CODES if "O" in (x, y)]


def test_the_table_has_nineteen_rows():
    assert len(CODES) == 19
    assert len(AS_SCIPY) + len(DECIDED) + len(WITH_OBJECT) == 19 * 19


@pytest.mark.parametrize(("code1", "code2"), AS_SCIPY)
def test_dtype_and_values_of_every_pair(name, ours, code1, code2):
    in1, in2 = zoo.small((4, 21), code1, 1), zoo.small((2, 3), code2, 2)
    result = ours(in1, in2, fillvalue=1)
    theirs = getattr(scipy.signal, name)(in1, in2, fillvalue=1)
    assert result.dtype.char == theirs.dtype.char
    np.testing.assert_array_equal(result, theirs, strict=True)


@pytest.mark.parametrize(("code1", "code2"), AS_SCIPY)
def test_values_of_every_pair_over_the_whole_range(name, ours, code1, code2):
    in1, in2 = zoo.values((4, 21), code1, 1), zoo.values((2, 3), code2, 2)
    oracle.check(ours(in1, in2, "same", "wrap"), in1, in2, "same", "wrap", correlate=name == "correlate2d")


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize(("code1", "code2"), DECIDED)
def test_bool_and_half(name, ours, code1, code2, boundary):
    in1, in2 = zoo.small((4, 21), code1, 1), zoo.small((2, 3), code2, 2)
    result = ours(in1, in2, "full", boundary, 1)
    oracle.check(result, in1, in2, "full", boundary, 1, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize(("code1", "code2"), WITH_OBJECT)
def test_objects_are_refused(ours, code1, code2):
    in1, in2 = np.ones((2, 2), code1), np.ones((2, 2), code2)
    with pytest.raises(ValueError, match=REFUSED):
        ours(in1, in2)


@pytest.mark.parametrize("dtypes", [("bool", "int8"), ("bool", "float32"), ("complex64", "bool")], ids=str)
def test_bool_acts_as_zero_and_one(name, ours, dtypes):
    in1, in2 = zoo.small((9, 40), dtypes[0], 1), zoo.small((3, 3), dtypes[1], 2)
    oracle.check(ours(in1, in2), in1, in2, correlate=name == "correlate2d")


@pytest.mark.parametrize("shape", [(5, 6), (40, 200)], ids=str)
@pytest.mark.parametrize("fillvalue", [False, True, 2, 0.5, None, "1"], ids=repr)
def test_bool_is_the_or_of_ands(ours, shape, fillvalue):
    in1, in2 = np.zeros(shape, bool), np.zeros((3, 3), bool)
    in1[2, 3] = in2[1, 2] = True
    result = ours(in1, in2, "same", fillvalue=fillvalue)
    assert result.dtype == bool
    assert set(np.unique(result.view("u1"))) <= {0, 1}
    counted = ours(in1.astype(int), in2.astype(int), "same", fillvalue=int(np.array(fillvalue, bool)))
    np.testing.assert_array_equal(result, counted != 0)


def test_bool_of_numpys_one_dimensional_convolve(ours):
    in1, in2 = zoo.values((1, 300), "bool", 1) & zoo.values((1, 300), "bool", 2), np.array([[1, 0, 1]], bool)
    np.testing.assert_array_equal(signal.convolve2d(in1, in2)[0], np.convolve(in1[0], in2[0]), strict=True)


def test_bool_sums_beyond_255_stay_true(ours):
    assert ours(np.ones((16, 16), bool), np.ones((16, 16), bool), "valid").tolist() == [[True]]


def test_bool_bytes_other_than_one_count_as_true(ours):
    in1 = np.array([[0, 2, 255, 1]], np.uint8).view(bool)
    assert ours(in1, np.array([[1]], np.int32)).tolist() == [[0, 1, 1, 1]]
    assert ours(in1, np.array([[True]])).view("u1").tolist() == [[0, 1, 1, 1]]


@pytest.mark.parametrize("shape", [(20, 30), (64, 257)], ids=str)
def test_half_is_summed_in_single(name, ours, shape):
    in1, in2 = zoo.values(shape, "float16", 1), zoo.values((9, 9), "float16", 2)
    oracle.check(ours(in1, in2), in1, in2, correlate=name == "correlate2d")


def test_half_keeps_small_terms_beside_large_ones(ours):
    in1 = np.array([[2048, *[1] * 40, -2048]], np.float16)
    assert ours(in1, np.ones((1, 42), np.float16), "valid").tolist() == [[40]]


def test_half_overflows_to_infinity_silently(ours):
    assert ours(np.full((2, 2), 60000, np.float16), np.full((1, 1), 2, np.float16)).tolist() == [[np.inf] * 2] * 2


def test_int64_with_uint64_is_double(ours):
    result = ours(np.array([[2**53 + 1]]), np.array([[1]], np.uint64))
    assert result.dtype == np.float64
    assert result.tolist() == [[2.0**53]]


CONTAINERS = {
    "list": lambda: ([[1, 2], [3, 4]], ((5, 6),)),
    "matrix": lambda: (np.matrix([[1, 2], [3, 4]]), np.matrix([[5, 6]])),
    "masked": lambda: (np.ma.array([[1, 2], [3, 4]], mask=[[1, 0], [0, 0]]), [[1.0]]),
    "mixed": lambda: ([[True, 2]], [[3.5]]),
    "uint64": lambda: ([[2**63]], [[-1]]),
    "complex": lambda: ([[1, 2j]], [[1]]),
    "ranges": lambda: ([range(3)], [range(2)]),
    "recarray": lambda: (np.ones((2, 2)).view(np.recarray), [[1]]),
    "memoryview": lambda: (memoryview(np.ones((2, 3))), [[1, 2]]),
}
SUBCLASSES = {
    "matrix": np.matrix,
    "masked": lambda a: np.ma.array(a, mask=a > 3),
    "recarray": lambda a: a.view(np.recarray),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("container", CONTAINERS)
def test_containers(name, ours, container):
    arguments = CONTAINERS[container]()
    theirs = getattr(scipy.signal, name)(*arguments)
    assert oracle.outcome(ours, *arguments) == (theirs.dtype.str, theirs.shape, zoo.bits(theirs))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("kind", SUBCLASSES)
def test_subclasses_come_back_as_plain_arrays(ours, kind):
    plain = np.arange(9.0).reshape(3, 3)
    strange = SUBCLASSES[kind](plain)
    result = ours(strange, strange)
    assert type(result) is np.ndarray
    assert zoo.same_bits(result, ours(plain, plain))


class Lazy:
    """Something that is only good for np.asarray, like a torch tensor or a dask array."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(6.0).reshape(2, 3)


def test_anything_with_dunder_array(ours):
    assert zoo.same_bits(ours(Lazy(), [[1, 2]]), ours(np.arange(6.0).reshape(2, 3), [[1, 2]]))


REFUSALS = {
    "none": [[None]],
    "huge int": [[2**70]],
    "fraction": [[fractions.Fraction(1, 2)]],
    "decimal": [[decimal.Decimal(1)]],
    "datetime": np.array([["2020-01-01"]], "M8[D]"),
    "timedelta": np.array([[1]], "m8[s]"),
    "record": np.zeros((1, 1), [("x", "f8")]),
    "void": np.zeros((1, 1), "V4"),
    "variable strings": np.array([["a"]], dtype=np.dtypes.StringDType()),
    "str": np.array([["a"]]),
    "bytes": np.array([[b"a"]]),
}
OTHERS = {"int": [[1]], "double": [[1.0]], "same": None}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("refused", REFUSALS)
@pytest.mark.parametrize("first", [True, False], ids=["in1", "in2"])
def test_refused_dtypes_as_scipy(name, ours, refused, other, first):
    strange = REFUSALS[refused]
    plain = strange if OTHERS[other] is None else OTHERS[other]
    arguments = (strange, plain) if first else (plain, strange)
    theirs = oracle.outcome(getattr(scipy.signal, name), *arguments)
    assert theirs[0] in ("ValueError", "TypeError", "DTypePromotionError", "UFuncTypeError", "_UFuncNoLoopError")
    assert oracle.outcome(ours, *arguments) == theirs
