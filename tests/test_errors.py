"""The same bad call gets the same error, in type and in words, as from SciPy; and the extras name what is wrong."""

import inspect
import warnings

import numpy as np
import oracle
import pytest
import scipy.signal

ONES = np.ones((3, 3))
INTS = np.ones((3, 3), np.int64)
BYTES = np.ones((3, 3), np.uint8)
HALF = np.ones((2, 5))

# Called with SciPy's function and with ours. Several faults in one call show which check comes first.
BAD_CALLS = {
    "ragged in1": ([[1, 2], [3]], ONES),
    "ragged in2": (ONES, [[1, 2], [3]]),
    "in1 1-D": (np.ones(3), ONES),
    "in2 1-D": (ONES, np.ones(3)),
    "both 0-D": (1, 2),
    "in1 3-D": (np.ones((3, 3, 3)), ONES),
    "in1 None": (None, ONES),
    "in2 None": (ONES, None),
    "in1 dict": ({}, ONES),
    "in1 text": ("abc", ONES),
    "in2 scalar": (ONES, 2.0),
    "ndim before mode": (np.ones(3), ONES, "nonsense"),
    "ndim before boundary": (ONES, np.ones(3), "same", "nonsense"),
    "ndim before dtype": (np.array([None]), ONES),
    "valid neither covers": (ONES, HALF, "valid"),
    "valid neither covers, other way": (HALF, ONES, "valid"),
    "valid shapes before boundary": (ONES, HALF, "valid", "nonsense"),
    "valid shapes before dtype": (ONES.astype(object), HALF, "valid"),
    "valid shapes before fillvalue": (ONES, HALF, "valid", "fill", []),
    "mode FULL": (ONES, ONES, "FULL"),
    "mode bytes": (ONES, ONES, b"full"),
    "mode 0": (ONES, ONES, 0),
    "mode 2": (ONES, ONES, 2),
    "mode None": (ONES, ONES, None),
    "mode empty": (ONES, ONES, ""),
    "mode tuple": (ONES, ONES, ("full",)),
    "mode list": (ONES, ONES, ["full"]),
    "mode dict": (ONES, ONES, {}),
    "mode array of one": (ONES, ONES, np.array(["full"])),
    "mode array of one, valid": (ONES, ONES, np.array(["valid"])),
    "mode array of two": (ONES, ONES, np.array(["full", "same"])),
    "mode before boundary": (ONES, ONES, "nonsense", "nonsense"),
    "mode before fillvalue": (ONES, ONES, "nonsense", "fill", []),
    "mode before dtype": (ONES.astype(object), ONES, "nonsense"),
    "boundary Wrap": (ONES, ONES, "full", "Wrap"),
    "boundary bytes": (ONES, ONES, "full", b"wrap"),
    "boundary 0": (ONES, ONES, "full", 0),
    "boundary None": (ONES, ONES, "full", None),
    "boundary constant": (ONES, ONES, "full", "constant"),
    "boundary list": (ONES, ONES, "full", ["fill"]),
    "boundary array": (ONES, ONES, "full", np.array(["fill"])),
    "boundary before fillvalue": (ONES, ONES, "full", "nonsense", []),
    "boundary before dtype": (ONES.astype(object), ONES, "full", "nonsense"),
    "boundary before strings": (ONES, np.array([["a"]]), "full", "nonsense"),
    "fillvalue empty": (ONES, ONES, "full", "fill", []),
    "fillvalue empty array": (ONES, ONES, "full", "fill", np.array([])),
    "fillvalue two": (ONES, ONES, "full", "fill", [1, 2]),
    "fillvalue two in array": (ONES, ONES, "full", "fill", np.ones((1, 2))),
    "fillvalue text": (ONES, ONES, "full", "fill", "a"),
    "fillvalue text for integers": (INTS, INTS, "full", "fill", "a"),
    "fillvalue object": (ONES, ONES, "full", "fill", object()),
    "fillvalue dict": (ONES, ONES, "full", "fill", {}),
    "fillvalue unsafe array": (ONES.astype("f4"), ONES.astype("f4"), "full", "fill", np.array(2.0)),
    "fillvalue checked in valid": (ONES, ONES, "valid", "fill", []),
    "fillvalue checked in same": (ONES, ONES, "same", "pad", "a"),
    "fillvalue before dtype": (ONES.astype(object), ONES, "full", "fill", [1, 2]),
    "fillvalue before negative dimensions": (np.ones((0, 3)), np.ones((0, 3)), "full", "fill", []),
    "negative dimensions": (np.ones((0, 3)), np.ones((0, 3))),
    "negative dimensions, columns": (np.ones((3, 0)), np.ones((3, 0))),
    "negative dimensions before dtype": (np.ones((0, 0), object), np.ones((0, 0))),
    "objects, in full": (ONES.astype(object), ONES),
    "objects, in valid swapped": (ONES[:1, :1].astype(object), ONES, "valid"),
    "strings": (np.array([["a"]]), ONES),
    "strings second": (ONES, np.array([["a"]])),
    "strings, valid swapped": (np.array([["a"]]), ONES, "valid"),
    "dates second": (ONES, np.array([["2020"]], "M8[Y]")),
    "dates second, valid": (ONES, np.array([["2020"]], "M8[Y]"), "valid"),
    "no arguments": (),
    "one argument": (ONES,),
    "six arguments": (ONES, ONES, "full", "fill", 0, "auto"),
}

KEYWORD_CALLS = {
    "unknown keyword": {"mod": "full"},
    "mode twice": {"mode": "full", "in1": ONES},
}


def error_of(function, *args, **keywords):
    """The error of a call, with the warnings that went before left aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, TypeError, OverflowError, MemoryError)) as caught:
            function(*args, **keywords)
    return caught.value


def arity(case):
    """Python's own words about wrong arity name the signature, which has more keywords here than in SciPy."""
    return case in ("no arguments", "one argument", "six arguments")


@pytest.mark.parametrize("case", BAD_CALLS)
def test_same_error_as_scipy(name, ours, case):
    arguments = BAD_CALLS[case]
    theirs, mine = error_of(getattr(scipy.signal, name), *arguments), error_of(ours, *arguments)
    assert type(mine) is type(theirs)
    if not arity(case):
        assert str(mine) == str(theirs)


@pytest.mark.parametrize("case", KEYWORD_CALLS)
def test_wrong_keywords_are_type_errors(ours, case):
    assert type(error_of(ours, ONES, ONES, **KEYWORD_CALLS[case])) is TypeError


@pytest.mark.parametrize("position", [2, 3], ids=["mode", "boundary"])
def test_unknown_flag_names_its_cause(ours, position):
    arguments = [ONES, ONES, "full", "fill"]
    arguments[position] = "nonsense"
    assert type(error_of(ours, *arguments).__cause__) is KeyError


@pytest.mark.parametrize(
    "value", [300, -1, 300.0, 1j, 1 + 0j, np.nan, np.inf, 2**70, "1.5", None, {}, object()], ids=str
)
def test_fillvalue_that_does_not_fit_bytes(name, ours, value):
    theirs = oracle_outcome(getattr(scipy.signal, name), value)
    assert oracle_outcome(ours, value) == theirs


def oracle_outcome(function, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle.outcome(function, BYTES, BYTES, "full", "fill", value)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_s6_reflect_is_refused(ours, mode):
    with pytest.raises(ValueError, match="boundary"):
        ours(ONES, ONES, mode, "reflect")


@pytest.mark.parametrize("boundary", ["wrap", "symm", "circular", "symmetric"])
@pytest.mark.parametrize(
    "value", [[], [1, 2], "a", object(), 1j, {}], ids=["empty", "two", "text", "object", "1j", "dict"]
)
def test_fillvalue_is_not_looked_at_when_nothing_is_filled(ours, boundary, value):
    assert ours(ONES, ONES, "full", boundary, value).tobytes() == ours(ONES, ONES, "full", boundary).tobytes()


def test_too_large_a_result_is_a_memory_error(name, ours):
    rows, columns = np.ones((2**21, 1)), np.ones((1, 2**21))
    theirs, mine = error_of(getattr(scipy.signal, name), rows, columns), error_of(ours, rows, columns)
    assert type(mine) is type(theirs)
    assert isinstance(mine, MemoryError)


@pytest.mark.parametrize("side", [2**40, 2**62])
def test_overflowing_result_shape(ours, side):
    huge = np.broadcast_to(np.uint8(1), (1, side))
    error = error_of(ours, huge.T, huge)
    assert isinstance(error, (MemoryError, ValueError, OverflowError))


@pytest.mark.parametrize("arguments", [(ONES, ONES), (INTS, ONES), (BYTES, HALF.astype(complex))], ids=str)
def test_good_calls_work_after_bad_ones(ours, arguments):
    error_of(ours, *arguments, "nonsense")
    assert np.isfinite(ours(*arguments)).all()


def test_signature_is_scipys_and_keyword_only_extras(ours):
    parameters = inspect.signature(ours).parameters.values()
    scipys = [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    extras = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    empty = inspect.Parameter.empty
    assert scipys == [("in1", empty), ("in2", empty), ("mode", "full"), ("boundary", "fill"), ("fillvalue", 0)]
    assert extras == {"method": "auto", "out": None, "workers": None, "channel_axis": None}
