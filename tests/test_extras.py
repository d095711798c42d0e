"""What SciPy does not have: method, workers, out, channel_axis."""

import os

import numpy as np
import oracle
import pytest
import scipy.fft
import strategies
import zoo
from hypothesis import given
from hypothesis import strategies as st

from rapidconv import signal

ONES = np.ones((3, 3))


# method


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_method_direct(name, ours, dtype, mode):
    in1, in2 = zoo.values((20, 37), dtype, 1), zoo.values((3, 4), dtype, 2)
    oracle.check(ours(in1, in2, mode, method="direct"), in1, in2, mode, correlate=name == "correlate2d")


@pytest.mark.parametrize("method", ["FFT", "Auto", "DIRECT", ""])
def test_unknown_method_is_named_with_what_there_is(ours, method):
    with pytest.raises(ValueError, match="method") as caught:
        ours(ONES, ONES, method=method)
    assert "auto" in str(caught.value)
    assert "direct" in str(caught.value)


@pytest.mark.parametrize("method", [None, 0, b"auto", ["auto"], np.array(["auto"])], ids=repr)
def test_method_must_be_a_string(ours, method):
    with pytest.raises((TypeError, ValueError), match="method"):
        ours(ONES, ONES, method=method)


# workers


def accepts(function, workers):
    """None, or the type of the error."""
    try:
        function(workers)
    except (TypeError, ValueError) as error:
        return type(error)
    return None


CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize("workers", [None, 1, 2, 3, 64, -1, 0, False, True, np.int64(2), np.int8(-1)], ids=repr)
def test_workers_by_scipys_rules(ours, workers):
    theirs = accepts(lambda w: scipy.fft.fft(np.ones(4), workers=w), workers)
    assert accepts(lambda w: ours(ONES, ONES, workers=w), workers) is theirs


@pytest.mark.parametrize("workers", [-CPUS, -CPUS - 1])
def test_workers_count_back_from_the_processors(ours, workers):
    expected = None if workers >= -CPUS else ValueError
    assert accepts(lambda w: ours(ONES, ONES, workers=w), workers) is expected


@pytest.mark.parametrize("workers", [-10_000, 0])
def test_workers_out_of_range_are_named(ours, workers):
    with pytest.raises(ValueError, match="workers"):
        ours(ONES, ONES, workers=workers)


@pytest.mark.parametrize("workers", [1.5, 2.0, "2", [1], 1j], ids=repr)
def test_workers_must_be_an_integer(ours, workers):
    with pytest.raises(TypeError, match="workers must be an integer"):
        ours(ONES, ONES, workers=workers)


@pytest.mark.parametrize("workers", [1, 2, 3, 7, -1])
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_workers_never_change_the_result(ours, dtype, workers):
    in1, in2 = zoo.values((300, 410), dtype, 1), zoo.values((5, 4), dtype, 2)
    expected = ours(in1, in2, "same", "symm", workers=1)
    assert zoo.same_bits(ours(in1, in2, "same", "symm", workers=workers), expected)
    assert zoo.same_bits(ours(in1, in2, "same", "symm"), expected)


# out


def empty_out(shape, dtype, layout):
    return zoo.WRITEABLE[layout](np.full(shape, zoo.junk(np.dtype(dtype)), dtype))


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("layout", sorted(zoo.WRITEABLE))
@pytest.mark.parametrize("dtype", zoo.ROADS)
@pytest.mark.parametrize("shape", [(9, 12), (70, 133)], ids=str)
def test_out_of_any_layout(ours, shape, dtype, layout, mode):
    in1, in2 = zoo.values(shape, dtype, 1), zoo.values((3, 4), dtype, 2)
    expected = ours(in1, in2, mode, "wrap")
    out = empty_out(expected.shape, dtype, layout)
    assert ours(in1, in2, mode, "wrap", out=out) is out
    assert zoo.bits(out) == zoo.bits(expected)


@pytest.mark.parametrize("layout", ["every_other", "every_other_column", "cut_out", "wide_pitch", "one_channel"])
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "float16", "float32", "float64", "longdouble", "complex64"]
)
def test_out_leaves_what_lies_between_alone(ours, dtype, layout):
    out = empty_out((30, 75), dtype, layout)
    around = out if out.base is None else out.base
    around = around if around.base is None else around.base
    marked = around.copy()
    in1, in2 = zoo.values((30, 75), dtype, 1), zoo.values((3, 3), dtype, 2)
    ours(in1, in2, "same", out=out)
    out[...] = zoo.junk(out.dtype)
    np.testing.assert_array_equal(around, marked)


UNFIT = {
    "short": np.ones((4, 5)),
    "narrow": np.ones((5, 4)),
    "large": np.ones((6, 6)),
    "flat": np.ones(25),
    "deep": np.ones((1, 5, 5)),
    "float32": np.ones((5, 5), "f4"),
    "complex": np.ones((5, 5), "c16"),
    "integer": np.ones((5, 5), "i8"),
    "object": np.ones((5, 5), "O"),
    "read-only": zoo.read_only(np.ones((5, 5))),
    "broadcast": np.broadcast_to(1.0, (5, 5)),
}
NO_ARRAYS = {
    "list": [[0.0] * 5] * 5,
    "type": float,
    "tuple": (np.ones((5, 5)),),
    "memoryview": memoryview(np.ones((5, 5))),
    "number": 0,
    "False": False,
}


@pytest.mark.parametrize("out", UNFIT)
def test_out_that_does_not_fit(ours, out):
    with pytest.raises(ValueError, match="out"):
        ours(ONES, ONES, out=UNFIT[out])


@pytest.mark.parametrize("strides", [(0, 8), (8, 0)])
def test_out_whose_elements_share_memory(ours, strides):
    with pytest.raises(ValueError, match="`out` has elements that share memory with each other"):
        ours(ONES, ONES, out=np.lib.stride_tricks.as_strided(np.zeros(5), (5, 5), strides))


@pytest.mark.parametrize("method", ["direct", "separable"])         # the second is not for the express lane
@pytest.mark.parametrize("place", [(None, slice(None)), (slice(None), None)], ids=["row", "column"])
def test_out_with_a_new_axis(ours, place, method):
    """Whose stride is 0."""
    image, out = np.arange(9.0)[place], np.empty(9)[place]
    assert 0 in out.strides
    assert ours(image, ONES, "same", "wrap", method=method, out=out) is out
    np.testing.assert_array_equal(out, ours(image, ONES, "same", "wrap"))


@pytest.mark.parametrize("out", NO_ARRAYS)
def test_out_that_is_no_array(ours, out):
    with pytest.raises(TypeError, match="out"):
        ours(ONES, ONES, out=NO_ARRAYS[out])


def test_out_untouched_by_a_call_that_fails(ours):
    out = np.full((5, 5), 7.0)
    with pytest.raises(ValueError, match="fillvalue"):
        ours(ONES, ONES, fillvalue=[], out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("dtype", zoo.ROADS)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("shape", [(9, 9), (90, 90), (310, 310)], ids=str)
def test_out_is_the_image(ours, shape, boundary, dtype):
    in1, in2 = zoo.values(shape, dtype, 1), zoo.values((5, 4), dtype, 2)
    expected = ours(in1, in2, "same", boundary, 1)
    assert ours(in1, in2, "same", boundary, 1, out=in1) is in1
    assert zoo.same_bits(in1, expected)


OVERLAPS = {
    "one row up": lambda a: (a[1:, :-1], a[:-1, :-1]),
    "one row down": lambda a: (a[:-1, 1:], a[1:, 1:]),
    "one column left": lambda a: (a[:, 1:], a[:, :-1]),
    "one column right": lambda a: (a[:, :-1], a[:, 1:]),
    "upside down": lambda a: (a, a[::-1]),
    "mirrored": lambda a: (a, a[:, ::-1]),
    "turned": lambda a: (a, a[::-1, ::-1]),
    "transposed": lambda a: (a, a.T),
    "interleaved rows": lambda a: (a[::2], a[1::2]),
    "halves that meet in one row": lambda a: (a[: len(a) // 2 + 1], a[len(a) // 2 - 1 :]),
}


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("side", [8, 66, 302])
def test_out_overlaps_the_image(ours, side, dtype, overlap):
    buffer, in2 = zoo.values((side, side), dtype, 1), zoo.values((4, 3), dtype, 2)
    in1, out = OVERLAPS[overlap](buffer)
    expected = ours(in1.copy(), in2, "same", "symm")
    assert ours(in1, in2, "same", "symm", out=out) is out
    assert zoo.same_bits(out.copy(order="C"), expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_out_is_the_kernel(ours, dtype):
    in1, in2 = zoo.values((40, 50), dtype, 1), zoo.values((40, 50), dtype, 2)
    expected = ours(in1, in2, "same")
    assert zoo.same_bits(ours(in1, in2, "same", out=in2), expected)


def test_out_is_both_operands(ours):
    both = zoo.values((20, 30), "float64", 1)
    expected = ours(both, both, "same")
    assert zoo.same_bits(ours(both, both, "same", out=both), expected)


def test_out_is_the_real_part_of_the_image(ours):
    in1, in2 = zoo.values((40, 70), "complex128", 1), zoo.values((3, 3), "float64", 2)
    real = in1.real
    expected = ours(real.copy(), in2, "same", "wrap")
    ours(real, in2, "same", "wrap", out=real)
    assert zoo.same_bits(real.copy(), expected)


def test_out_shares_bytes_with_an_image_of_another_type(ours):
    out = np.zeros((64, 128))
    in1 = out.view("float32")[:, 64:192]
    in1[...] = zoo.values((64, 128), "float32", 1)
    expected = ours(in1.astype("f4"), ONES, "same")
    assert zoo.same_bits(ours(in1, ONES, "same", out=out).copy(), expected)


def test_out_in_a_memory_map(ours, tmp_path):
    out = np.memmap(tmp_path / "result", np.float64, "w+", shape=(5, 5))
    assert ours(ONES, ONES, out=out) is out
    np.testing.assert_array_equal(out, ours(ONES, ONES))


def test_out_of_an_empty_result(ours):
    out = np.ones((0, 3))
    assert ours(np.ones((0, 3)), ONES, "same", out=out) is out


# channel_axis


def by_planes(function, in1, in2, axis, *rest):
    planes = [function(plane, in2, *rest) for plane in np.moveaxis(in1, axis, 0)]
    return np.stack(planes, axis=axis)


def check_channels(result, in1, in2, axis, mode, boundary, fillvalue, correlate):
    assert type(result) is np.ndarray
    assert result.flags.c_contiguous
    assert result.shape[axis] == in1.shape[axis]
    for got, plane in zip(np.moveaxis(result, axis, 0), np.moveaxis(in1, axis, 0), strict=True):
        oracle.check_values(got, plane, in2, mode, boundary, fillvalue, correlate)


def with_channels(shape, channels, axis, dtype, seed=1):
    full = list(shape)
    full.insert(axis % 3, channels)
    return zoo.values(full, dtype, seed)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex64"])
def test_every_channel_axis(name, ours, dtype, axis, boundary, mode):
    in1, in2 = with_channels((14, 21), 3, axis, dtype), zoo.values((3, 4), dtype, 2)
    result = ours(in1, in2, mode, boundary, 2, channel_axis=axis)
    assert result.dtype == dtype
    check_channels(result, in1, in2, axis, mode, boundary, 2, name == "correlate2d")


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 17])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_any_number_of_channels(name, ours, dtype, axis, channels):
    in1, in2 = with_channels((20, 33), channels, axis, dtype), zoo.values((3, 3), dtype, 2)
    result = ours(in1, in2, "same", "symm", channel_axis=axis)
    if result.dtype.kind in "biu":
        np.testing.assert_array_equal(result, by_planes(ours, in1, in2, axis, "same", "symm"), strict=True)
    else:
        correlate = name == "correlate2d"
        check_channels(result, in1, in2, axis, "same", "symm", 0, correlate)


@pytest.mark.parametrize("dtypes", [("uint8", "float32"), ("float32", "complex64"), ("complex64", "float64")], ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_channels_of_mixed_dtypes(name, ours, boundary, axis, dtypes):
    in1, in2 = with_channels((30, 41), 3, axis, dtypes[0]), zoo.values((5, 4), dtypes[1], 2)
    result = ours(in1, in2, "same", boundary, 1, channel_axis=axis)
    assert result.dtype == np.promote_types(*dtypes)
    check_channels(result, in1, in2, axis, "same", boundary, 1, name == "correlate2d")


@pytest.mark.parametrize(
    "layout", ["array", "fortran", "negative", "every_other", "wide_pitch", "swapped", "misaligned", "field"]
)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_channels_in_any_layout(ours, dtype, axis, layout):
    in1, in2 = with_channels((24, 50), 3, axis, dtype), zoo.values((3, 3), dtype, 2)
    expected = ours(in1, in2, "same", "wrap", channel_axis=axis)
    assert zoo.same_bits(ours(zoo.LAYOUTS[layout](in1), in2, "same", "wrap", channel_axis=axis), expected)


@pytest.mark.parametrize("kernel_shape", [(15, 15), (9, 30), (1, 1), (30, 22)], ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_channels_with_large_kernels(name, ours, boundary, axis, kernel_shape):
    in1, in2 = with_channels((8, 11), 3, axis, "float64"), zoo.values(kernel_shape, "float64", 2)
    result = ours(in1, in2, "full", boundary, channel_axis=axis, method="direct")
    check_channels(result, in1, in2, axis, "full", boundary, 0, name == "correlate2d")


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float64", "complex128"])
def test_channels_where_valid_swaps(name, ours, dtype, axis):
    in1, in2 = with_channels((3, 4), 3, axis, dtype), zoo.values((7, 9), dtype, 2)
    result = ours(in1, in2, "valid", channel_axis=axis)
    check_channels(result, in1, in2, axis, "valid", "fill", 0, name == "correlate2d")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_where_valid_fits_neither_way(ours, axis):
    with pytest.raises(ValueError, match=r"^For 'valid' mode, one must be at least as large as the other in every"):
        ours(with_channels((3, 9), 2, axis, "float64"), np.ones((5, 5)), "valid", channel_axis=axis)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_large_picture_in_colour(name, ours, axis):
    in1, in2 = with_channels((200, 301), 3, axis, "uint8"), zoo.values((5, 5), "int16", 2)
    result = ours(in1, in2, "same", "symm", channel_axis=axis)
    check_channels(result, in1, in2, axis, "same", "symm", 0, name == "correlate2d")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_no_channels_or_no_pixels(ours, axis):
    assert ours(with_channels((4, 5), 0, axis, "float32"), ONES.astype("f4"), "same", channel_axis=axis).size == 0
    empty = ours(with_channels((0, 5), 3, axis, "float32"), ONES.astype("f4"), "full", channel_axis=axis)
    assert not empty.any()
    assert sorted(empty.shape) == [2, 3, 7]


@pytest.mark.parametrize("special", [np.nan, np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    "dtypes", [("float32", "float32"), ("float32", "complex64"), ("complex64", "complex64")], ids=str
)
def test_nan_stays_in_its_channel(ours, dtypes, axis, special):
    in1, in2 = with_channels((20, 40), 3, axis, dtypes[0]), zoo.values((3, 3), dtypes[1], 2)
    np.moveaxis(in1, axis, 0)[1][9, 20] = special
    result = ours(in1, in2, "same", channel_axis=axis)
    expected = by_planes(ours, in1, in2, axis, "same")
    np.testing.assert_array_equal(oracle.footprint(result), oracle.footprint(expected))


@pytest.mark.parametrize("layout", sorted(zoo.WRITEABLE))
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_into_out(ours, axis, layout):
    in1, in2 = with_channels((20, 31), 3, axis, "float32"), zoo.values((3, 3), "float32", 2)
    expected = ours(in1, in2, "same", channel_axis=axis)
    out = empty_out(expected.shape, "float32", layout)
    assert ours(in1, in2, "same", channel_axis=axis, out=out) is out
    assert zoo.bits(out) == zoo.bits(expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_channels_in_place(ours, dtype, axis):
    in1, in2 = with_channels((90, 131), 3, axis, dtype), zoo.values((5, 5), dtype, 2)
    expected = ours(in1, in2, "same", "wrap", channel_axis=axis)
    ours(in1, in2, "same", "wrap", channel_axis=axis, out=in1)
    assert zoo.same_bits(in1, expected)


@pytest.mark.parametrize("axis", [3, -4, 100])
def test_channel_axis_out_of_range(ours, axis):
    with pytest.raises(ValueError, match="axis"):
        ours(np.ones((3, 4, 5)), ONES, channel_axis=axis)


@pytest.mark.parametrize("axis", [1.0, "2", (0,), [1], 1j], ids=repr)
def test_channel_axis_must_be_an_integer(ours, axis):
    with pytest.raises(TypeError, match="`channel_axis` must be None or an integer"):
        ours(np.ones((3, 4, 5)), ONES, channel_axis=axis)


@pytest.mark.parametrize(
    "shapes",
    [((3, 3), (3, 3)), ((3, 3, 3, 3), (3, 3)), ((3, 3, 3), (3,)), ((3, 3, 3), (3, 3, 3)), ((3,), (3, 3))],
    ids=str,
)
def test_channel_axis_needs_three_dimensions_and_two(ours, shapes):
    with pytest.raises(ValueError, match=r"in1|in2|dim|axis|2-D|3-D"):
        ours(np.ones(shapes[0]), np.ones(shapes[1]), channel_axis=0)


def test_channel_axis_may_be_a_numpy_integer(ours):
    in1 = with_channels((5, 6), 3, 2, "float64")
    assert zoo.same_bits(ours(in1, ONES, channel_axis=np.int8(-1)), ours(in1, ONES, channel_axis=2))


@given(
    st.sampled_from(zoo.ROADS),
    st.sampled_from(zoo.ROADS),
    st.sampled_from([-3, -2, -1, 0, 1, 2]),
    st.integers(1, 5),
    strategies.shapes,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.sampled_from(["full", "same"]),
    strategies.boundaries,
)
def test_any_channels(dtype1, dtype2, axis, channels, shape, kernel_shape, mode, boundary):
    in1, in2 = with_channels(shape, channels, axis, dtype1), zoo.values(kernel_shape, dtype2, 2)
    result = signal.correlate2d(in1, in2, mode, boundary, 1, channel_axis=axis)
    check_channels(result, in1, in2, axis, mode, boundary, 1, True)
