"""Problems of any number of axes: outer ones walked plane by plane, planes of the kernel summed one after the other."""

import numpy as np
import pytest
import zoo
from nd import Boundary, plan, problem, run, summed
from scipy import ndimage

from rapidconv import _axes, _execute, _weights
from rapidconv._native import kernels

SHAPES = [
    ((9, 10, 11), (3, 3, 3)),
    ((13, 30, 43), (5, 5, 5)),
    ((4, 50, 60), (1, 5, 5)),
    ((5, 6, 7, 18), (2, 3, 1, 3)),
    ((30, 20, 25), (5, 1, 1)),
    ((30, 20, 25), (1, 5, 1)),
    ((30, 20, 25), (1, 1, 5)),
    ((30, 20, 3), (3, 3, 1)),
    ((30, 20, 33), (3, 4, 1)),
    ((3, 4, 5), (7, 9, 11)),
    ((30, 20, 25), (1, 1, 1)),
    ((2, 3, 40, 3), (1, 3, 5, 1)),
    ((3, 300, 20), (2, 2, 2)),
]


def whole(shape, dtype, seed=0):
    """Whole numbers, so that sums in any order are exact."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-50, 50, shape).astype(dtype)
    return numbers + 1j * rng.integers(-5, 5, shape) if np.dtype(dtype).kind == "c" else numbers


@pytest.mark.parametrize("dtype", ["f", "d", "g", "e", "?", "B", "h", "i", "L", "F", "D", ">f8"])
@pytest.mark.parametrize(("shape", "kernel_shape"), SHAPES)
def test_sums_in_any_number_of_axes(shape, kernel_shape, dtype):
    for rule in Boundary:
        kernel = np.random.default_rng(1).integers(-2, 3, kernel_shape).astype(np.dtype(dtype).newbyteorder("="))
        made = problem(whole(shape, dtype), kernel, rule, 2)
        exact = summed(made, "f" if dtype == "e" else None)
        np.testing.assert_array_equal(run(made), exact.astype(made.dtype), rule.name)


@pytest.mark.parametrize("dtypes", ["dD", "Dd", "FF", "fF"])
def test_complex_operands(dtypes):
    image, kernel = whole((5, 20, 30), dtypes[0]), whole((3, 3, 3), dtypes[1], 1)
    made = problem(image, kernel, Boundary.FILL, 1)
    np.testing.assert_array_equal(run(made), summed(made))


def test_infinities_of_complex_operands():
    image = whole((4, 9, 30), "D")
    image[2, 4, 5] = complex(np.inf, 0)
    made = problem(image, np.full((3, 3, 3), 1 + 1j))
    found = run(made)
    assert np.isinf(found[1:, 3:6, 4:7]).all()
    assert np.isfinite(found[0]).all()


def test_against_scipy():
    image, kernel = np.random.default_rng(0).random((20, 30, 40)), np.random.default_rng(1).random((4, 3, 5))
    modes = {"reflect": Boundary.SYMM, "mirror": Boundary.MIRROR, "nearest": Boundary.NEAREST, "wrap": Boundary.WRAP}
    for mode, rule in modes.items():
        np.testing.assert_allclose(run(problem(image, kernel, rule)), ndimage.correlate(image, kernel, mode=mode), rtol=1e-13)


@pytest.mark.parametrize("kernel_shape", [(3, 3, 3), (1, 3, 3), (5, 1, 1), (3, 3, 1), (3, 1, 3)])
@pytest.mark.parametrize("dtype", ["f", "H", "D"])
def test_any_layout_and_any_workers_give_the_same_bits(kernel_shape, dtype):
    rng = np.random.default_rng(0)
    image = (rng.random((70, 40, 50)) * 999).astype(dtype)
    kernel = (rng.random(kernel_shape) * 9).astype(dtype)
    once = run(problem(image, kernel))
    for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)]:
        lying = np.ascontiguousarray(image.transpose(order)).transpose(np.argsort(order))
        out = np.empty_like(lying)
        for workers in (1, 2, 3):
            zoo_bits = zoo.bits(run(problem(lying, kernel), workers, out))
            assert zoo_bits == zoo.bits(once), (order, workers)
    assert zoo.bits(run(problem(np.repeat(image, 2, 2)[::-1, :, ::2][::-1], kernel))) == zoo.bits(once)


def test_each_turn_is_taken_once(monkeypatch):
    """However small the planes and however many the workers."""
    monkeypatch.setattr(_execute._workers, "workers_for", lambda seconds, units, workers: workers)
    for shape, kernel_shape in [((700, 3, 4), (1, 3, 3)), ((70, 5, 6), (3, 3, 3)), ((2, 200, 90), (1, 3, 3))]:
        made = problem(whole(shape, "d"), whole(kernel_shape, "d", 1))
        turn = kernels.turn_rows(shape[1])
        moved, view = _axes.in_memory_order(made, np.full(shape, np.nan))
        weights = _weights.Weights(moved.kernel, plan(made))
        taken = np.zeros(3, np.intp)
        for worker in (2, 0, 1):
            kernels.correlate(_execute._work(moved, view), weights.lanes(), taken, worker, turn)
        np.testing.assert_array_equal(run(made), summed(made))
        assert taken.sum() > 0


def test_more_planes_than_the_image_has():
    """A result that goes beyond the image in every axis, as 'full' would."""
    image, kernel = whole((3, 4, 5), "d"), whole((3, 3, 3), "d", 1)
    for rule in Boundary:
        made = problem(image, kernel, rule, 7, shape=(9, 10, 11), first=(-4, -3, -5))
        np.testing.assert_array_equal(run(made), summed(made))
    made = problem(image, kernel[:1], Boundary.FILL, 7, shape=(9, 10, 11), first=(-4, -3, -5))
    np.testing.assert_array_equal(run(made), summed(made))


@pytest.mark.parametrize("method", ["fft", "separable"])
def test_planes_take_any_road(method):
    image = np.random.default_rng(0).random((3, 150, 160))
    row = np.random.default_rng(1).random(31)
    kernel = np.outer(row, row)
    for axis in (0, 1):
        made = problem(np.moveaxis(image, 0, axis), np.expand_dims(kernel, axis), method=method)
        assert plan(made).method == method
        found = np.moveaxis(run(made), axis, 0)
        for plane, there in zip(image, found, strict=True):
            alone = run(problem(plane, kernel, method=method))
            if method == "separable":
                assert zoo.bits(alone) == zoo.bits(there)
            np.testing.assert_allclose(alone, there, rtol=1e-12)      # another tile rides with the last one
    beyond = problem(image, kernel[None], Boundary.FILL, 2.0, shape=(5, 150, 160), first=(-1, -15, -15), method=method)
    np.testing.assert_allclose(run(beyond), summed(beyond), rtol=1e-11)


def test_planes_choose_as_one_plane_does():
    image = np.zeros((3, 300, 300))
    kernel = np.random.default_rng(1).random((41, 41))
    one, all_three = plan(problem(image[0], kernel)), plan(problem(image, kernel[None]))
    assert one.method == all_three.method == "fft"
    assert 2 * one.seconds["fft"] < all_three.seconds["fft"] <= 3 * one.seconds["fft"]
    assert plan(problem(np.zeros((10**5, 3, 3)), np.ones((1, 3, 3)))).seconds["direct"] < 0.1
    with pytest.raises(ValueError, match="more than two long axes"):
        plan(problem(image, np.ones((3, 3, 3)), method="separable"))


def test_axes_of_one_tap_are_merged_in_memory_order():
    def arranged(shape, kernel_shape, order=None):
        image = np.zeros(shape)
        image = image if order is None else np.ascontiguousarray(image.transpose(order)).transpose(np.argsort(order))
        moved, view = _axes.in_memory_order(problem(image, np.ones(kernel_shape)), np.empty_like(image))
        assert view.shape[: len(moved.shape)] == moved.shape
        assert moved.image.strides == view.strides
        return moved.shape, moved.kernel.shape

    assert arranged((7, 8, 9), (3, 1, 1)) == ((7, 72), (3, 1))
    assert arranged((7, 8, 9), (1, 3, 1)) == ((7, 8, 9), (1, 3, 1))
    assert arranged((7, 8, 9), (1, 1, 3)) == ((56, 9), (1, 3))
    assert arranged((7, 8, 9), (1, 1, 3), (2, 1, 0)) == ((9, 56), (3, 1))
    assert arranged((7, 8, 3), (3, 3, 1)) == ((7, 8), (3, 3))         # channels
    assert arranged((7, 8, 99), (3, 3, 1)) == ((7, 8, 99), (3, 3, 1))


def test_wide_integers_change_lanes_in_the_middle_of_a_volume():
    image = np.full((12, 30, 40), 3, np.int64)
    image[7, 20, 30] = 2**61
    kernel = np.full((3, 3, 3), 5, np.int64)
    made = problem(image, kernel)
    np.testing.assert_array_equal(run(made), summed(made))


@pytest.mark.parametrize("kernel_shape", [(40, 3, 3), (3, 200, 3), (2, 3, 300)])
def test_long_kernels(kernel_shape):
    made = problem(whole((6, 30, 40), "i"), whole(kernel_shape, "i", 1), Boundary.MIRROR)
    np.testing.assert_array_equal(run(made), summed(made))


@pytest.mark.parametrize("kernel_shape", [(3, 1, 1), (1, 1, 3), (3, 3, 1)])
def test_axes_that_are_shifted_or_apart_in_the_result_are_not_merged(kernel_shape):
    image, kernel = whole((6, 20, 5), "d"), whole(kernel_shape, "d", 1)
    for first in [(-1, 1, 0), (1, 0, -1), (0, -2, 2)]:
        made = problem(image, kernel, Boundary.WRAP, first=first)
        np.testing.assert_array_equal(run(made), summed(made))
    for out in (np.zeros((6, 20, 9))[:, :, :5], np.zeros((6, 33, 5))[:, :20], np.zeros((5, 20, 6)).T):
        made = problem(image, kernel)
        np.testing.assert_array_equal(run(made, out=out), summed(made))
