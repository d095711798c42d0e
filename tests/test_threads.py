"""The GIL is free during long calls, calls from many threads do not disturb each other, and a fork changes nothing."""

import functools
import os
import subprocess
import sys
import threading
import time
import timeit
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zoo

from rapidconv import signal

HERE = Path(__file__).parent


def ticks_during(call):
    """How often another thread got to run in the middle eight tenths of a call, and how long the call took."""
    ticks, stop = [], threading.Event()

    def clock():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    side = threading.Thread(target=clock)
    side.start()
    time.sleep(0.005)
    start = time.perf_counter()
    call()
    end = time.perf_counter()
    stop.set()
    side.join()
    margin = (end - start) / 10
    return sum(start + margin < tick < end - margin for tick in ticks), end - start


def long_call(function, dtypes, seconds):
    """A call with a picture of so many rows that it takes about so long."""
    in1, in2 = zoo.small((60, 1000), dtypes[0], 1), zoo.small((25, 25), dtypes[1], 2)
    times = seconds / min(timeit.repeat(lambda: function(in1, in2), number=1, repeat=5))
    in1 = np.tile(in1, (int(np.clip(times, 1, 200)), 1))
    return lambda: function(in1, in2)


@pytest.mark.parametrize("workers", [1, None])
@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("uint8", "int64"), ("longdouble", "longdouble")], ids=str)
def test_the_gil_is_free_during_a_long_call(dtypes, workers):
    call = long_call(functools.partial(signal.convolve2d, mode="same", boundary="symm", workers=workers), dtypes, 0.08)
    tries = [ticks_during(call) for _ in range(3)]      # others may have the CPUs during one
    assert any(ticks for ticks, _ in tries), tries


def test_a_held_gil_would_be_seen():
    """A sort of Python objects never lets go."""
    numbers = np.random.default_rng(1).random(300_000).tolist()
    ticks, seconds = ticks_during(lambda: numbers.sort())
    assert ticks == 0, f"{ticks} in {seconds} s"


@pytest.mark.parametrize("workers", [1, 2])
def test_many_threads_with_problems_of_their_own(ours, workers):
    problems = [
        (zoo.values((40 + 9 * i, 300 - 7 * i), dtype, i), zoo.values((1 + i % 7, 1 + i % 5), dtype, i + 1))
        for i, dtype in enumerate(zoo.ROADS * 3)
    ]
    expected = [zoo.bits(ours(*problem, "same", "wrap")) for problem in problems]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda p: zoo.bits(ours(*p, "same", "wrap", workers=workers)), problems * 3))
    assert results == expected * 3


def test_many_threads_on_the_same_arrays(ours):
    in1, in2 = zoo.values((300, 400), "float32", 1), zoo.values((5, 5), "float32", 2)
    expected = ours(in1, in2).tobytes()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: ours(in1, in2).tobytes(), range(24)))
    assert set(results) == {expected}


def test_many_threads_into_their_own_outs(ours):
    in1, in2 = zoo.values((200, 300), "float64", 1), zoo.values((3, 3), "float64", 2)
    expected = ours(in1, in2, "same").tobytes()
    outs = [np.empty((200, 300)) for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda out: ours(in1, in2, "same", out=out), outs))
    assert {out.tobytes() for out in outs} == {expected}


def test_errors_in_threads_reach_their_callers(ours):
    good, bad = np.ones((3, 3)), np.ones(3)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(ours, image, good) for image in (good, bad) * 8]
    assert [type(f.exception()) for f in futures] == [type(None), ValueError] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", HERE / "forking.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
