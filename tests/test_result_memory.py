"""Memory of dropped results serves the next one, and arrays made in it are arrays like any other."""

import ctypes
import gc
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import rapidconv
from rapidconv import _memory, image, ndimage
from rapidconv._native import memory

MIB = 1 << 20
handler_name = np._core.multiarray.get_handler_name
FLOAT = np.dtype("d")
CALLS = {
    "convolve2d": lambda n: rapidconv.convolve2d(np.ones((n, n)), np.ones((3, 3)), mode="same"),
    "convolve2d, planned": lambda n: rapidconv.convolve2d(np.ones((n, n)), np.ones((17, 17)), mode="same", method="fft"),
    "ndimage.convolve": lambda n: ndimage.convolve(np.ones((n, n)), np.ones((3, 3))),
    "ndimage.convolve, output type": lambda n: ndimage.convolve(np.ones((n, n), "f"), np.ones((3, 3)), output=float),
    "image.filter2d": lambda n: image.filter2d(np.ones((n, n)), np.ones((3, 3))),
}


@pytest.fixture(autouse=True)
def nothing_kept():
    gc.collect()
    memory.keep(64 * MIB)
    yield
    memory.keep(_memory.most_mib * MIB)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_next_result_takes_the_memory_of_the_last(call):
    first = call(500)
    assert memory.kept_now() == 0
    where = first.ctypes.data
    del first
    assert memory.kept_now() == 500 * 500 * 8
    second = call(500)
    assert second.ctypes.data == where
    assert memory.kept_now() == 0
    assert (second[20:-20, 20:-20] == second[250, 250]).all()


def test_small_results_are_left_to_numpy():
    rapidconv.convolve2d(np.ones((100, 100)), np.ones((3, 3)))
    small = _memory.empty((100, 100), FLOAT)
    assert handler_name(small) == "default_allocator"
    del small
    assert memory.kept_now() == 0


def test_two_living_arrays_never_share_memory():
    arrays = [_memory.empty((300, 300), FLOAT) for _ in range(20)]
    for k, array in enumerate(arrays):
        array.fill(k)
    del arrays[::2]
    arrays += [_memory.empty((300, 290), FLOAT) for _ in range(20)]
    for k, array in enumerate(arrays[10:]):
        array.fill(100 + k)
    assert [int(array[0, 0]) for array in arrays[:10]] == list(range(1, 20, 2))
    assert all((array == array[0, 0]).all() for array in arrays)


def test_kept_memory_serves_what_fits_it_closely():
    big, fit = _memory.empty((1000, 1000), FLOAT), _memory.empty((960, 1000), FLOAT)
    at_big, at_fit = big.ctypes.data, fit.ctypes.data
    del big, fit
    best = _memory.empty((950, 1000), FLOAT)
    second = _memory.empty((940, 1000), FLOAT)
    assert (best.ctypes.data, second.ctypes.data) == (at_fit, at_big)
    del best, second
    kept = memory.kept_now()
    much_smaller, larger = _memory.empty((800, 1000), FLOAT), _memory.empty((1001, 1000), FLOAT)
    assert memory.kept_now() == kept
    assert {much_smaller.ctypes.data, larger.ctypes.data}.isdisjoint({at_big, at_fit})


def test_no_more_is_kept_than_allowed_and_the_oldest_goes_first():
    memory.keep(3 * MIB)
    arrays = [_memory.empty((n, 1 << 17), np.dtype("u1")) for n in (8, 9, 10)]      # 1, 1.125 and 1.25 MiB
    last = arrays[2].ctypes.data
    while arrays:
        del arrays[0]
    assert memory.kept_now() == 19 * MIB // 8
    _memory.empty((4 * MIB,), np.dtype("u1"))
    assert memory.kept_now() == 19 * MIB // 8       # too large to be kept
    assert _memory.empty((10, 1 << 17), np.dtype("u1")).ctypes.data == last


def test_few_blocks_are_kept():
    arrays = [_memory.empty((1 << 17,), np.dtype("u1")) for _ in range(100)]
    del arrays
    assert memory.kept_now() == 16 << 17


def test_nothing_is_kept_where_nothing_may_be():
    memory.keep(0)
    _memory.empty((1000, 1000), FLOAT)
    assert memory.kept_now() == 0


def test_release_memory():
    _memory.empty((1000, 1000), FLOAT)
    assert memory.kept_now() == 8_000_000
    rapidconv.release_memory()
    assert memory.kept_now() == 0


@pytest.mark.parametrize("shape", [(1000, 1000), (200, 300), (3,), (2, 3, 50_000)])
@pytest.mark.parametrize("char", "fdDigO")
def test_arrays_are_as_from_numpy(shape, char):
    made, usual = _memory.empty(shape, np.dtype(char)), np.empty(shape, char)
    assert type(made) is np.ndarray
    assert (made.shape, made.dtype, made.strides) == (usual.shape, usual.dtype, usual.strides)
    assert made.flags == usual.flags
    assert made.base is None


def test_byte_order_is_kept():
    assert _memory.empty((500, 500), np.dtype(">f4")).dtype == np.dtype(">f4")


def test_large_arrays_begin_with_a_cache_line():
    assert [_memory.empty((n, 1000), FLOAT).ctypes.data % 64 for n in (17, 100, 200, 300, 1000)] == [0] * 5


@pytest.mark.parametrize("new", [(10, 10), (500, 500), (1500, 1500), (1000, 1000)])
def test_resizing_keeps_the_numbers(new):
    array = rapidconv.convolve2d(np.ones((1000, 1000)), np.ones((3, 3)), mode="same")
    before = array.ravel().copy()
    array.resize(new, refcheck=False)
    n = min(before.size, array.size)
    assert array.shape == new
    assert (array.ravel()[:n] == before[:n]).all()
    assert (array.ravel()[n:] == 0).all()
    assert memory.kept_now() == 8_000_000 - (array.nbytes if new == (1000, 1000) else 0)


def test_another_type_in_place_gives_all_memory_back():
    array = _memory.empty((1000, 1000), FLOAT)
    array.dtype = np.uint8
    del array
    assert memory.kept_now() == 8_000_000


def test_pickles():
    array = rapidconv.convolve2d(np.arange(250_000.0).reshape(500, 500), np.ones((3, 3)))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array)), array)


def test_too_large_is_a_memory_error():
    with pytest.raises(MemoryError):
        _memory.empty((1 << 30, 1 << 20), FLOAT)
    assert _memory.empty((500, 500), FLOAT).flags.owndata


def test_numpys_own_arrays_are_made_as_before():
    _memory.empty((1000, 1000), FLOAT)
    assert handler_name() == "default_allocator"
    array = np.ones((1000, 1000))
    assert handler_name(array) == "default_allocator"
    kept = memory.kept_now()
    del array
    assert memory.kept_now() == kept


def test_an_allocator_of_the_users_stays_in_force():
    """Through NumPy's C API, as there is no Python for it: a copy of the handler in force, under another name."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    api = ctypes.cast(pointer(np._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(api[304])
    get_handler = ctypes.PYFUNCTYPE(ctypes.py_object)(api[305])
    copy = ctypes.create_string_buffer(ctypes.string_at(pointer(get_handler(), b"mem_handler"), 127 + 1 + 5 * 8))
    copy[:5] = b"mine\0"
    name = b"mem_handler"
    before = set_handler(new_capsule(copy, name, None))
    try:
        made = _memory.empty((1000, 1000), FLOAT)
        assert handler_name(made) == handler_name() == "mine"
        del made
    finally:
        set_handler(before)
    assert memory.kept_now() == 0
    assert handler_name() == "default_allocator"


def test_many_threads():
    faults = []

    def work(number):
        for k in range(200):
            array = _memory.empty((150 + k % 7, 200), FLOAT)
            array.fill(number)
            other = _memory.empty((150 + k % 5, 200), FLOAT)
            other.fill(-number)
            if not ((array == number).all() and (other == -number).all()):
                faults.append((number, k))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_tracemalloc_sees_results():
    tracemalloc.start()
    try:
        array = _memory.empty((1000, 1000), FLOAT)
        assert tracemalloc.get_traced_memory()[0] > 8_000_000
        del array
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


KEPT = "from rapidconv import _memory; from rapidconv._native.memory import kept_now; _memory.empty((1 << 20,), __import__('numpy').dtype('u1')); "


@pytest.mark.parametrize(("text", "least", "most"), [("", 2**20, 2**21), ("0", 0, 0), ("1", 2**20, 2**21)])
def test_so_much_is_kept(text, least, most):
    assert least <= int(start(text, KEPT + "print(kept_now())").stdout) <= most


def start(text, code="import rapidconv; print(rapidconv.show_config(mode='dicts')['kept_mib'])"):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "RAPIDCONV_KEEP_MIB": text},
    )  # fmt: skip


@pytest.mark.parametrize(("text", "mib"), [("", "128"), ("0", "0"), ("7", "7")])
def test_the_environment_sets_the_limit(text, mib):
    assert start(text).stdout.strip() == mib


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "1MiB", " "])
def test_other_limits_fail_at_import(text):
    done = start(text)
    assert done.returncode == 1
    assert "RAPIDCONV_KEEP_MIB" in done.stderr
    assert "a whole number" in done.stderr.splitlines()[-1]
