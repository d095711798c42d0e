"""The same values in any memory layout give the same bits; inputs stay as they were; results are fresh."""

import mmap

import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

from rapidconv import signal
from rapidconv._native import kernels

LAYOUTS = sorted(zoo.LAYOUTS)
SHAPES = [((5, 7), (3, 2)), ((41, 70), (5, 4)), ((130, 300), (3, 3))]


def check_same_bits(function, in1, in2, layout1, layout2, *rest):
    expected = function(in1, in2, *rest)
    moved1, moved2 = layout1(in1), layout2(in2)
    before = moved1.copy(), moved2.copy()
    result = function(moved1, moved2, *rest)
    assert zoo.same_bits(result, expected)
    assert zoo.same_bits(moved1.copy(), before[0])
    assert zoo.same_bits(moved2.copy(), before[1])
    assert result.flags.c_contiguous
    assert result.flags.owndata
    assert result.flags.writeable
    assert not np.shares_memory(result, moved1)
    assert not np.shares_memory(result, moved2)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_image_layouts(dtype, layout, shapes):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    check_same_bits(signal.convolve2d, in1, in2, zoo.LAYOUTS[layout], np.array, "same", "symm")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_kernel_layouts(ours, dtype, layout):
    in1, in2 = zoo.values((20, 37), dtype, 1), zoo.values((6, 5), dtype, 2)
    check_same_bits(ours, in1, in2, np.array, zoo.LAYOUTS[layout], "full", "fill", 1)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtypes", [("uint8", "int64"), ("float32", "float64"), ("float64", "complex64")], ids=str)
def test_layouts_of_mixed_dtypes(ours, dtypes, layout, boundary, mode):
    in1, in2 = zoo.values((19, 33), dtypes[0], 1), zoo.values((3, 4), dtypes[1], 2)
    check_same_bits(ours, in1, in2, zoo.LAYOUTS[layout], zoo.LAYOUTS[layout], mode, boundary)


@pytest.mark.parametrize("kernel_shape", [(900, 3), (2, 900), (60, 61)], ids=str)
@pytest.mark.parametrize("layout", ["fortran", "negative", "every_other", "swapped", "misaligned"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16"])
def test_layouts_under_kernels_larger_than_any_tile(ours, dtype, layout, kernel_shape):
    in1, in2 = zoo.values((30, 40), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    check_same_bits(ours, in1, in2, zoo.LAYOUTS[layout], zoo.LAYOUTS[layout], "same", "symm")


@pytest.mark.parametrize(
    "keywords", [{"workers": 1}, {"method": "direct", "workers": 1}, {"fillvalue": 0.0}, {"fillvalue": False}], ids=str
)
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize(
    "shapes", [((3, 3), (2, 2)), ((9, 40), (3, 3)), ((70, 90), (5, 4)), ((20, 30), (65, 64))], ids=str
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_the_same_call_said_otherwise(ours, dtype, shapes, mode, keywords):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    usual = {"method": "direct"} if shapes[1] == (65, 64) and "method" in keywords else {}
    assert zoo.same_bits(ours(in1, in2, mode, **keywords), ours(in1, in2, mode, **usual))


@pytest.mark.parametrize("shapes", [((8, 9), (3, 2)), ((60, 70), (4, 5))], ids=str)
@pytest.mark.parametrize("dtype2", ["float64 list", *zoo.DTYPES])
@pytest.mark.parametrize("dtype1", zoo.DTYPES)
def test_small_calls_of_any_types_said_otherwise(ours, dtype1, dtype2, shapes):
    """A fill value that is a NumPy scalar keeps a call out of the express lane."""
    in1, in2 = zoo.values(shapes[0], dtype1, 1), zoo.values(shapes[1], dtype2.split()[0], 2)
    if dtype1 != dtype2:
        in2 = in2[::-1, ::-1].T if dtype2.split()[1:] else in2[::-1].copy()[::-1]
    passed = in2.tolist() if dtype2.split()[1:] else in2
    for boundary in zoo.BOUNDARIES:
        assert zoo.same_bits(ours(in1, passed, "same", boundary), ours(in1, in2, "same", boundary, np.float64(0)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("dtype1", "dtype2"), [("float32",) * 2, ("int32", "float32"), ("complex64", "float64"), ("uint8",) * 2])
def test_small_calls_of_any_layout_said_otherwise(ours, dtype1, dtype2, layout):
    in1, in2 = zoo.LAYOUTS[layout](zoo.values((14, 19), dtype1, 1)), zoo.values((4, 3), dtype2, 2)
    answered = kernels.express(True, in1, in2, "same", "symm", 0, None, True)
    assert answered is not None
    for boundary in zoo.BOUNDARIES:
        assert zoo.same_bits(ours(in1, in2, "same", boundary), ours(in1, in2, "same", boundary, np.float64(0)))


@pytest.mark.parametrize("fillvalue", [0, 1, -2, 2.5, 255, 300, -129, 40000, 2**31, 2**54, 1e39, np.inf, np.nan, True])
@pytest.mark.parametrize(("dtype1", "dtype2"), [(c, c) for c in "bBhHiIlLfdgFDG"] + [("f", "D"), ("B", "f"), ("D", "F")])
def test_fill_values_of_small_calls(ours, dtype1, dtype2, fillvalue):
    in1, in2 = zoo.values((7, 5), dtype1, 1), zoo.values((4, 3), dtype2, 2)
    in2.flat[0] = 3
    given = np.array(fillvalue)         # which has no express lane
    try:
        with np.errstate(all="ignore"):
            expected = ours(in1, in2, "same", "fill", given if given.dtype.kind != "i" else np.int64(fillvalue))
    except (ValueError, OverflowError):
        expected = None
    try:
        with np.errstate(all="ignore"):
            result = ours(in1, in2, "same", "fill", fillvalue)
    except (ValueError, OverflowError):
        return
    if expected is not None:
        np.testing.assert_array_equal(result, expected)
    else:
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(result, ours(in1.view(Plain), in2, "same", "fill", fillvalue))


class Plain(np.ndarray):
    """An array that has no express lane."""


@pytest.mark.parametrize("shapes", [((4, 3), (7, 5)), ((4, 5), (7, 5)), ((1, 1), (3, 3)), ((3, 3), (3, 3)), ((2, 9), (9, 9))], ids=str)
@pytest.mark.parametrize("dtype", ["f", "B", "l", "D", "g"])
def test_small_calls_of_larger_kernels(ours, dtype, shapes):
    in1, in2 = zoo.values(shapes[0], dtype, 1), zoo.values(shapes[1], dtype, 2)
    assert zoo.same_bits(ours(in1, in2, "valid"), np.asarray(ours(in1.view(Plain), in2, "valid")))
    if dtype != "D":                    # SciPy forgets to conjugate: docs/differences.md
        np.testing.assert_allclose(ours(in1, in2, "valid"), getattr(scipy.signal, ours.__name__)(in1, in2, "valid"), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["same", "full", "valid"])
@pytest.mark.parametrize("dtype", ["f", "B", "D"])
def test_small_calls_into_a_given_array(ours, dtype, mode):
    in1, in2 = zoo.values((9, 8), dtype, 1), zoo.values((3, 4), dtype, 2)
    expected = ours(in1, in2, mode)
    memory = np.zeros(3 * expected.size, dtype)
    for out in (np.empty_like(expected), memory[: expected.size].reshape(expected.shape), np.asfortranarray(np.empty_like(expected))):
        assert ours(in1, in2, mode, out=out) is out
        np.testing.assert_array_equal(out, expected)
    with pytest.raises(ValueError, match="shape"):
        ours(in1, in2, mode, out=np.empty((2, 2), dtype))
    with pytest.raises(ValueError, match="dtype"):
        ours(in1, in2, mode, out=np.empty(expected.shape, "i2"))
    frozen = np.empty_like(expected)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ours(in1, in2, mode, out=frozen)


@pytest.mark.parametrize("step", [1, -1, 2])
def test_small_calls_into_the_memory_of_an_input(ours, step):
    for offset in range(0, 90, 7):
        memory = zoo.values((200,), "d", 1)
        in1 = memory[20:180:2][:72].reshape(8, 9)[::step, ::step]
        rows, columns = in1.shape
        in2 = zoo.values((3, 3), "d", 2)
        expected = ours(in1.copy(), in2, "same")
        out = memory[offset : offset + rows * columns].reshape(rows, columns)
        ours(in1, in2, "same", out=out)
        np.testing.assert_array_equal(out, expected)
        kernel = memory[offset : offset + 9].reshape(3, 3)
        image = zoo.values((8, 9), "d", 3)
        expected = ours(image, kernel.copy(), "same")
        out = memory[offset + 4 : offset + 76].reshape(8, 9)
        ours(image, kernel, "same", out=out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("dtype", ["f", "d", "B", "h", "i", "l", "F", "D"])
def test_images_of_few_columns_and_many_rows(ours, dtype, boundary):
    """They are summed turned; an image that has no neighbours in a row of its own number type is not."""
    for columns in (1, 2, 3, 5, 8, 11):
        wide, kernel = zoo.values((130, 3 * columns), dtype, 1), zoo.values((5, 4), dtype, 2)
        tall = np.ascontiguousarray(wide[:, ::3])
        for mode in ("same", "full"):
            result = ours(tall, kernel, mode, boundary)
            assert zoo.same_bits(result, ours(wide[:, ::3], kernel, mode, boundary))
            theirs = getattr(scipy.signal, ours.__name__)(tall, kernel, mode, boundary)
            if result.dtype.kind in "iu":
                np.testing.assert_array_equal(result, theirs)
            else:
                np.testing.assert_allclose(result, theirs, rtol=1e-4, atol=1e-4)


@given(st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS), strategies.problems())
def test_any_layout_of_any_problem(layout1, layout2, problem):
    in1, in2, *rest = problem
    in1, in2 = in1.astype(in1.dtype.newbyteorder("=")), in2.astype(in2.dtype.newbyteorder("="))
    check_same_bits(signal.correlate2d, in1, in2, zoo.LAYOUTS[layout1], zoo.LAYOUTS[layout2], *rest)


@pytest.mark.parametrize("strides", [(0, 0), (0, 1), (1, 0)], ids=str)
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_broadcast_operands(ours, dtype, strides):
    def broadcast(shape, seed):
        one = zoo.values(shape, dtype, seed)[tuple(slice(1) if s == 0 else slice(None) for s in strides)]
        return np.broadcast_to(one, shape)

    in1, in2 = broadcast((21, 45), 1), broadcast((4, 3), 2)
    assert zoo.same_bits(ours(in1, in2, "same", "wrap"), ours(in1.copy(), in2.copy(), "same", "wrap"))


@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_one_array_as_both_operands(name, ours, dtype):
    both = zoo.values((13, 17), dtype, 1)
    oracle.check(ours(both, both), both, both, correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_overlapping_windows(ours, dtype):
    windows = np.lib.stride_tricks.sliding_window_view(zoo.values(300, dtype, 1), 90)
    assert zoo.same_bits(ours(windows, windows[:3, :3]), ours(windows.copy(), windows[:3, :3].copy()))


def test_image_in_a_memory_map(ours):
    in1 = np.frombuffer(mmap.mmap(-1, 8 * 40 * 50), np.float64).reshape(40, 50)
    in1[...] = zoo.values((40, 50), "float64", 1)
    kernel = zoo.values((3, 3), "float64", 2)
    assert zoo.same_bits(ours(in1, kernel), ours(in1.copy(), kernel))


@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_one_by_one_kernel_does_not_alias_the_image(ours, dtype):
    in1 = zoo.values((5, 6), dtype, 1)
    result = ours(in1, np.ones((1, 1), dtype))
    assert not np.shares_memory(result, in1)
    np.testing.assert_array_equal(result, in1)


def test_valid_swapped_is_contiguous():
    result = signal.correlate2d(zoo.values((2, 3), "float64", 1), zoo.values((5, 7), "float64", 2), "valid")
    assert result.flags.c_contiguous
    assert result.flags.owndata


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("side", [1, 3, 5, 8, 9, 15])
@pytest.mark.parametrize("between", [2048, 4096])
def test_results_whose_rows_share_cache_sets(between, side, dtype):
    size = np.dtype(dtype).itemsize
    in1, in2 = zoo.values((41, 1500 // size), dtype, 1), zoo.values((side, side), dtype, 2)
    expected = signal.convolve2d(in1, in2, "same", "symm")
    for first in 0, 1, 5:
        room = np.full((41, between // size), 7, dtype)
        out = room[:, first : first + 1500 // size]
        signal.convolve2d(in1, in2, "same", "symm", out=out)
        assert zoo.same_bits(out.copy(), expected)
        assert (room[:, :first] == 7).all()
        assert (room[:, first + 1500 // size :] == 7).all()
