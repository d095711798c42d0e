"""Whole numbers too large for one exact transform: cut into pieces, and put together again."""

from dataclasses import replace

import nd
import numpy as np
import oracle
import pytest
import zoo

from rapidconv import _arguments, _cost, _execute, _pieces, _plan, ndimage, signal

TYPES = ["int32", "uint32", "int64", "uint64"]


def whole_range(shape, dtype, seed):
    """Random numbers of the whole range of a type, its limits among them."""
    info = np.iinfo(dtype)
    found = np.random.default_rng(seed).integers(info.min, info.max, shape, dtype=np.dtype(dtype).newbyteorder("="), endpoint=True)
    found.flat[:2] = info.min, info.max
    return found.astype(dtype)


@pytest.fixture
def no_direct_sums(monkeypatch):
    """Let pieces seem faster than direct sums, and fail where a tile is summed directly after all."""

    def refuse(*_):
        pytest.fail("a tile was summed directly")

    monkeypatch.setattr(_plan, "_kept", {})
    monkeypatch.setattr(_cost, "direct", lambda *_: 1e9)
    monkeypatch.setattr(_execute, "_direct", refuse)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", *TYPES])
def test_pieces_of_images_add_up(dtype, order):
    dtype = np.dtype(dtype).newbyteorder(order)
    image = whole_range((7, 6), dtype, 1)
    for view in (image, image.T, image[::-2, ::-1], np.asfortranarray(image), np.broadcast_to(image[:1], (3, 6))):
        pieces = _pieces.cut_image(view)
        assert all(np.shares_memory(piece, view) for piece in pieces)
        assert all(piece.dtype.kind == "u" for piece in pieces[:-1])
        total = sum(piece.astype(object) << _pieces.WIDTH * p for p, piece in enumerate(pieces))
        assert (total == view.astype(object)).all()


@pytest.mark.parametrize("bits", [1, 7, 8, 16, 31, 33, 63])
@pytest.mark.parametrize("dtype", ["int8", "uint8", *TYPES])
def test_pieces_of_kernels_add_up(dtype, bits):
    both = whole_range((5, 4), dtype, 2)
    for kernel in (both, np.minimum(both, 0), np.maximum(both, 0)):
        pieces = _pieces.cut_kernel(kernel, bits)
        assert all(piece.min() >= 0 for piece in pieces[:-1])
        assert all(-(2**bits) <= piece.min() and piece.max() < 2**bits for piece in pieces)
        assert (sum(piece.astype(object) << bits * q for q, piece in enumerate(pieces)) == kernel.astype(object)).all()


@pytest.mark.parametrize("fill", [0, -1, 70000, -(2**31), 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_pieces_of_fill_values_add_up(fill, count):
    pieces = _pieces.cut_fill(fill, count)
    assert len(pieces) == count
    assert all(0 <= piece < 2**16 for piece in pieces[:-1])
    assert sum(piece << _pieces.WIDTH * p for p, piece in enumerate(pieces)) == fill


@pytest.mark.parametrize("boundary", ["fill", "symm", "wrap"])
@pytest.mark.parametrize("kernel_dtype", ["int8", "int32", "int64", "uint64"])
@pytest.mark.parametrize("dtype", ["int16", *TYPES])
@pytest.mark.usefixtures("no_direct_sums")
def test_whole_numbers_of_any_size_are_exact_modulo_their_bits(dtype, kernel_dtype, boundary):
    image, kernel = whole_range((90, 131), dtype, 3), whole_range((37, 42), kernel_dtype, 4)
    result = np.result_type(dtype, kernel_dtype)
    if result.kind == "f":
        pytest.skip("SciPy's result is floating")
    fill = int(np.iinfo(dtype).max)
    for mode in ("full", "same", "valid"):
        got = signal.convolve2d(image, kernel, mode, boundary, fill, method="fft")
        oracle.check(got, image, kernel, mode, boundary, fill)


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
@pytest.mark.parametrize("dtype", ["int32", "uint64"])
@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_of_any_layout(dtype, layout):
    image, kernel = whole_range((70, 80), dtype, 5), whole_range((20, 23), dtype, 6)
    got = signal.correlate2d(zoo.LAYOUTS[layout](image), kernel, "same", "symm", method="fft")
    oracle.check(got, image, kernel, "same", "symm", correlate=True)


@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_of_channels_by_any_workers():
    image, kernel = whole_range((300, 310, 3), "int32", 7), whole_range((20, 23), "int32", 8)
    one, two = (signal.convolve2d(image, kernel, "same", method="fft", workers=n, channel_axis=2) for n in (1, 2))
    assert zoo.same_bits(one, two)
    for channel in range(3):
        oracle.check(np.ascontiguousarray(one[..., channel]), image[..., channel], kernel, "same")


def test_small_tiles_beside_large_ones():
    """Only what one transform does not hold is cut; the borders of what is do not show."""
    image = np.zeros((400, 400), "int64")
    image[:200] = np.random.default_rng(9).integers(-5, 5, (200, 400))
    image[150:350, 120:300] = whole_range((200, 180), "int64", 10)
    kernel = np.random.default_rng(11).integers(-50, 50, (33, 30))
    oracle.check(signal.convolve2d(image, kernel, "same", method="fft"), image, kernel, "same")


def test_a_fill_value_wider_than_the_image():
    image, kernel = whole_range((90, 131), "int16", 3), whole_range((37, 42), "int64", 4)
    oracle.check(signal.convolve2d(image, kernel, "full", "fill", -(2**63), method="fft"), image, kernel, "full", "fill", -(2**63))


def test_what_is_faster_summed_directly_is_not_cut():
    large = whole_range((300, 300), "int32", 12)
    tiles = [_plan.plan(_problem(large, whole_range(shape, "int32", 13))).tiles for shape in ((9, 9), (60, 60))]
    assert [bool(found and found.bits) for found in tiles] == [False, True]


def exact(made):
    """The sums of a problem in Python's integers, modulo the bits of its result."""
    bits = 8 * made.dtype.itemsize
    total = nd.summed(made, object) % 2**bits
    return total.astype(f"u{bits // 8}").view(made.dtype)


@pytest.mark.parametrize("rule", nd.Boundary)
@pytest.mark.parametrize("kernel_dtype", ["int8", "int32", "uint64"])
@pytest.mark.parametrize("dtype", ["int16", *TYPES])
@pytest.mark.usefixtures("no_direct_sums")
def test_whole_numbers_of_volumes_are_exact_modulo_their_bits(dtype, kernel_dtype, rule):
    image, kernel = whole_range((11, 30, 41), dtype, 14), whole_range((3, 4, 5), kernel_dtype, 15)
    made = nd.problem(image, kernel, rule, np.iinfo(dtype).max, dtype=dtype, method="fft")
    np.testing.assert_array_equal(nd.run(made), exact(made))


def in_pieces(made, most=1e9):
    """A problem with its kernel cut into pieces of such norms, whatever the plan says."""
    plan = nd.plan(made)
    tiles = replace(plan.tiles, bits=_pieces.piece_bits(made.kernel, most))
    task = _plan.Task([made], made.shape, made.dtype, None, [()], False, 1)
    return _execute.run(task, [replace(plan, tiles=tiles)], _execute.allocate(task))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
def test_pieces_are_added_to_results_of_any_type(dtype):
    """Narrow results, which direct sums are faster for, too."""
    image, kernel = whole_range((11, 30, 41), "int32", 16), whole_range((3, 4, 5), "int64", 17)
    made = nd.problem(image, kernel, dtype=dtype, method="fft")
    np.testing.assert_array_equal(in_pieces(made), exact(made))


@pytest.mark.parametrize("planes", [1, 3])
def test_pieces_of_zeros(planes):
    """The first piece of the kernel is stored, zero or not; the last ones reach no bit of the result."""
    image, kernel = whole_range((11, 30, 41), "int32", 27), whole_range((planes, 4, 5), "int32", 28).astype("int64")
    for shift in (20, 40):
        made = nd.problem(image, kernel << shift, dtype="int32", method="fft")
        np.testing.assert_array_equal(in_pieces(made, 2.0**18), exact(made))


@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_hold_through_all_planes_of_a_kernel():
    """The norms that count are those of all planes together, of images full of the largest pieces."""
    image = np.full((48, 20, 20), 2**31 - 1, "int32")
    for value in 2 ** np.arange(8, 40):
        kernel = np.full((48, 2, 2), value)
        made = nd.problem(image, kernel, shape=(1, 19, 19), first=(0, 0, 0), dtype="int64", method="fft")
        np.testing.assert_array_equal(nd.run(made), exact(made))


@pytest.mark.parametrize("layout", sorted(zoo.LAYOUTS))
@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_of_volumes_of_any_layout(layout):
    image, kernel = whole_range((6, 20, 30), "int64", 18), whole_range((2, 3, 4), "int64", 19)
    expected = exact(nd.problem(image, kernel))
    for workers in (1, 3):
        np.testing.assert_array_equal(nd.run(nd.problem(zoo.LAYOUTS[layout](image), kernel, method="fft"), workers), expected)


@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_of_volumes_with_channels_and_more_axes():
    image, kernel = whole_range((5, 16, 17, 3), "int32", 20), whole_range((2, 3, 4), "int32", 21)
    made = nd.problem(image, kernel, method="fft")
    np.testing.assert_array_equal(nd.run(made), exact(made))
    made = nd.problem(image, kernel.reshape(2, 3, 2, 2), method="fft")
    np.testing.assert_array_equal(nd.run(made), exact(made))


@pytest.mark.usefixtures("no_direct_sums")
def test_pieces_of_unequal_strength_in_volumes():
    """Where a tile is dark its lower pieces are not, and items that cannot ride together ride alone."""
    image = whole_range((40, 40, 100), "int64", 22)
    image[:25, :, 50:] >>= 40
    image[7, :, :50] = 0
    kernel = whole_range((3, 5, 5), "int64", 23)
    made = nd.problem(image, kernel, method="fft")
    np.testing.assert_array_equal(nd.run(made), exact(made))
    np.testing.assert_array_equal(ndimage.correlate(image, kernel, method="fft"), exact(made))


@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_pieces_that_no_transform_holds_are_summed_directly(planes, dtype):
    """A fill value is not cut: its last piece may be as large as it likes."""
    image, kernel = whole_range((7, 30, 30), dtype, 24), whole_range((planes, 5, 5), "int64", 25)
    made = nd.problem(image, kernel, nd.Boundary.FILL, -(2**62), dtype="int64", method="fft")
    np.testing.assert_array_equal(in_pieces(made), exact(made))


def test_volumes_are_cut_where_that_is_faster():
    rng = np.random.default_rng(26)
    for taps, dtype, cut in ((3, "int64", False), (15, "int64", True), (15, "int32", True), (15, "int16", False)):
        image, kernel = np.zeros((64, 100, 100), dtype), rng.integers(-99, 99, (taps,) * 3).astype(dtype)
        assert bool(nd.plan(nd.problem(image, kernel, method="fft")).tiles.bits) is cut


def _problem(image, kernel):
    return _arguments.signal2d("convolve2d", image, kernel, "same", "symm", 0, "fft", None, None, None).problems[0]
