"""Right values: worked by hand, by the exact twin on small problems, by SciPy in a wider type on larger ones."""

import numpy as np
import oracle
import pytest
import scipy.signal
import strategies
import zoo
from hypothesis import given

import rapidconv
from rapidconv import signal

ROWS = [[1, 2, 3], [4, 5, 6]]

# Around every multiple of a vector's length and of a tile's width that a kernel may treat specially.
WIDTHS = [*range(1, 71), *range(127, 131), *range(255, 261), 511, 512, 513, 1000, 1023, 1025, 2047, 2048, 2049, 4097]
HEIGHTS = [*range(1, 40), 63, 64, 65, 127, 129]
KERNELS = [(1, 1), (2, 2), (3, 3), (5, 1), (4, 7), (1, 17), (9, 9)]


def test_top_level_names_are_the_signal_functions():
    assert rapidconv.convolve2d is signal.convolve2d
    assert rapidconv.correlate2d is signal.correlate2d


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("full", [[1, 12, 20], [33, 114, 80], [90, 180, 80]]),
        ("same", [[1, 12], [33, 114]]),
        ("valid", [[114]]),
    ],
)
def test_convolve2d_by_hand(mode, expected):
    assert signal.convolve2d([[1, 2], [3, 4]], [[1, 10], [30, 20]], mode).tolist() == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("full", [[20, 70, 60], [70, 191, 122], [30, 43, 4]]),
        ("same", [[191, 122], [43, 4]]),
        ("valid", [[191]]),
    ],
)
def test_correlate2d_by_hand(mode, expected):
    assert signal.correlate2d([[1, 2], [3, 4]], [[1, 10], [30, 20]], mode).tolist() == expected


@pytest.mark.parametrize(
    ("boundary", "convolved", "correlated"),
    [
        ("fill", [[12, 123, 230], [45, 456, 560]], [[210, 321, 32], [540, 654, 65]]),
        ("wrap", [[312, 123, 231], [645, 456, 564]], [[213, 321, 132], [546, 654, 465]]),
        ("symm", [[112, 123, 233], [445, 456, 566]], [[211, 321, 332], [544, 654, 665]]),
    ],
)
def test_boundaries_read_as_digits(boundary, convolved, correlated):
    assert signal.convolve2d(ROWS, [[1, 10, 100]], "same", boundary).tolist() == convolved
    assert signal.correlate2d(ROWS, [[1, 10, 100]], "same", boundary).tolist() == correlated


@pytest.mark.parametrize(
    ("boundary", "convolved", "correlated"),
    [
        ("fill", [[1, 12, 23], [4, 45, 56]], [[21, 32, 3], [54, 65, 6]]),
        ("wrap", [[31, 12, 23], [64, 45, 56]], [[21, 32, 13], [54, 65, 46]]),
        ("symm", [[11, 12, 23], [44, 45, 56]], [[21, 32, 33], [54, 65, 66]]),
    ],
)
def test_even_kernels_sit_on_either_side(boundary, convolved, correlated):
    assert signal.convolve2d(ROWS, [[1, 10]], "same", boundary).tolist() == convolved
    assert signal.correlate2d(ROWS, [[1, 10]], "same", boundary).tolist() == correlated


def test_correlate2d_conjugates_the_second_operand():
    assert signal.correlate2d([[1, 1j]], [[1j]]).tolist() == [[-1j, 1]]
    assert signal.convolve2d([[1, 1j]], [[1j]]).tolist() == [[1j, -1]]


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize("kernel_shape", [(1, 1), (1, 2), (3, 1), (2, 2), (3, 3), (2, 5), (6, 4)], ids=str)
@pytest.mark.parametrize("image_shape", [(1, 1), (1, 5), (3, 2), (4, 4)], ids=str)
def test_small_problems_to_the_last_integer(name, ours, image_shape, kernel_shape, mode, boundary):
    in1, in2 = zoo.values(image_shape, "int64", 1), zoo.values(kernel_shape, "int64", 2)
    result = ours(in1, in2, mode, boundary, -3)
    oracle.check(result, in1, in2, mode, boundary, -3, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize(
    ("image_shape", "kernel_shape"),
    [((5, 6), (1, 1)), ((5, 6), (3, 3)), ((5, 6), (5, 6)), ((3, 2), (3, 4)), ((1, 1), (4, 5)), ((2, 7), (2, 2))],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "float64", "complex128"])
def test_valid_wherever_one_covers_the_other(name, ours, dtype, image_shape, kernel_shape, boundary):
    in1, in2 = zoo.values(image_shape, dtype, 1), zoo.values(kernel_shape, dtype, 2)
    result = ours(in1, in2, "valid", boundary)
    oracle.check(result, in1, in2, "valid", boundary, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("dtype", zoo.FLOATS + zoo.COMPLEXES)
def test_floats_within_the_bound_of_exact_sums(name, ours, dtype, mode, boundary):
    in1, in2 = zoo.values((6, 7), dtype, 1), zoo.values((3, 4), dtype, 2)
    result = ours(in1, in2, mode, boundary, 1.5)
    oracle.check(result, in1, in2, mode, boundary, 1.5, correlate=name == "correlate2d", exact=True)


@pytest.mark.parametrize("kernel_shape", KERNELS, ids=str)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_every_width(dtype, width, kernel_shape):
    in1, in2 = zoo.values((6, width), dtype, width), zoo.values(kernel_shape, dtype, 2)
    oracle.check(signal.convolve2d(in1, in2, "same", "symm"), in1, in2, "same", "symm")


@pytest.mark.parametrize("kernel_shape", [(1, 1), (2, 3), (3, 3), (7, 5)], ids=str)
@pytest.mark.parametrize("height", HEIGHTS)
@pytest.mark.parametrize("dtype", ["int32", "float32", "complex64"])
def test_every_height(dtype, height, kernel_shape):
    in1, in2 = zoo.values((height, 37), dtype, height), zoo.values(kernel_shape, dtype, 2)
    oracle.check(signal.correlate2d(in1, in2, "full", "wrap"), in1, in2, "full", "wrap", correlate=True)


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("side", range(1, 34))
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_every_kernel_side(dtype, side, mode):
    in1, in2 = zoo.values((35, 50), dtype, side), zoo.values((side, side), dtype, 2)
    oracle.check(signal.convolve2d(in1, in2, mode, method="direct"), in1, in2, mode)


@pytest.mark.parametrize(
    "kernel_shape", [(1, 2), (2, 1), (1, 33), (33, 1), (1, 64), (64, 1), (3, 21), (21, 2)], ids=str
)
@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_long_and_thin_kernels(name, ours, dtype, kernel_shape):
    in1, in2 = zoo.values((40, 67), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    oracle.check(ours(in1, in2, "same"), in1, in2, "same", correlate=name == "correlate2d")


@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_every_dtype_on_a_middling_picture(name, ours, dtype, mode, boundary):
    in1, in2 = zoo.values((45, 83), dtype, 1), zoo.values((4, 5), dtype, 2)
    result = ours(in1, in2, mode, boundary, 1)
    oracle.check(result, in1, in2, mode, boundary, 1, correlate=name == "correlate2d")


@pytest.mark.parametrize(
    ("image_shape", "kernel_shape"),
    [
        *[((300, 1100), (3, 3)), ((300, 1100), (4, 4)), ((1100, 300), (5, 5)), ((1100, 300), (6, 6))],
        *[((260, 517), (11, 8)), ((1, 5000), (1, 9)), ((5000, 1), (9, 1))],
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64", "float32", "float64", "complex64"])
def test_large_pictures(name, ours, dtype, image_shape, kernel_shape):
    in1, in2 = zoo.values(image_shape, dtype, 1), zoo.values(kernel_shape, dtype, 2)
    oracle.check(ours(in1, in2, "same", "symm"), in1, in2, "same", "symm", correlate=name == "correlate2d")


@pytest.mark.parametrize("kernel_shape", [(900, 3), (3, 900), (1300, 1), (1, 1300), (300, 20), (70, 70)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "complex64"])
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
def test_kernels_larger_than_any_tile(name, ours, boundary, dtype, kernel_shape):
    in1, in2 = zoo.values((21, 34), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    result = ours(in1, in2, "same", boundary, 1)
    oracle.check(result, in1, in2, "same", boundary, 1, correlate=name == "correlate2d")


@pytest.mark.parametrize("kernel_shape", [(700, 2), (2, 700), (70, 80)], ids=str)
@pytest.mark.parametrize("dtype", ["int32", "float32", "complex128"])
def test_large_kernels_where_valid_does_not_swap(name, ours, dtype, kernel_shape):
    in1, in2 = zoo.values((kernel_shape[0] + 9, kernel_shape[1] + 20), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    oracle.check(ours(in1, in2, "valid"), in1, in2, "valid", correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
def test_large_kernel_on_a_large_picture(dtype):
    in1, in2 = zoo.values((180, 333), dtype, 1), zoo.values((33, 33), dtype, 2)
    oracle.check(signal.convolve2d(in1, in2, "full", "wrap"), in1, in2, "full", "wrap")


@pytest.mark.parametrize(
    ("image", "kernel"),
    [("complex64", "float32"), ("float32", "complex64"), ("complex128", "float64"), ("float64", "complex128")],
)
@pytest.mark.parametrize("boundary", zoo.BOUNDARIES)
@pytest.mark.parametrize("mode", zoo.MODES)
def test_one_complex_operand(name, ours, image, kernel, mode, boundary):
    in1, in2 = zoo.values((40, 61), image, 1), zoo.values((5, 4), kernel, 2)
    result = ours(in1, in2, mode, boundary, 2)
    oracle.check(result, in1, in2, mode, boundary, 2, correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("kernel_shape", [(3, 3), (5, 5), (15, 15)], ids=str)
def test_kernels_with_many_zeros(name, ours, dtype, kernel_shape):
    in1, in2 = zoo.values((50, 70), dtype, 1), zoo.values(kernel_shape, dtype, 2)
    in2[np.random.default_rng(3).random(kernel_shape) < 0.7] = 0
    oracle.check(ours(in1, in2, "same", "wrap"), in1, in2, "same", "wrap", correlate=name == "correlate2d")


@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_all_zero_kernel(ours, dtype):
    in1, in2 = zoo.values((30, 40), dtype, 1), np.zeros((3, 5), dtype)
    assert not ours(in1, in2, "same", fillvalue=1).any()


@given(strategies.problems())
def test_any_problem(problem):
    in1, in2, mode, boundary, fillvalue = problem
    oracle.check(signal.convolve2d(in1, in2, mode, boundary, fillvalue), in1, in2, mode, boundary, fillvalue)


@given(strategies.problems())
def test_any_correlation(problem):
    in1, in2, mode, boundary, fillvalue = problem
    result = signal.correlate2d(in1, in2, mode, boundary, fillvalue)
    oracle.check(result, in1, in2, mode, boundary, fillvalue, correlate=True)


@pytest.mark.parametrize("arguments", [("same",), ("same", "symm"), ("full", "fill", 3)], ids=str)
def test_scipy_positional_signature(name, ours, arguments):
    in1, in2 = zoo.small((5, 6), "int64", 1), zoo.small((3, 3), "int64", 2)
    np.testing.assert_array_equal(ours(in1, in2, *arguments), getattr(scipy.signal, name)(in1, in2, *arguments))


def test_scipy_keyword_signature(name, ours):
    keywords = {"in1": [[1, 2]], "in2": [[3, 4]], "mode": "full", "boundary": "pad", "fillvalue": 2}
    np.testing.assert_array_equal(ours(**keywords), getattr(scipy.signal, name)(**keywords))
