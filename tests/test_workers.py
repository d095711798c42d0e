"""Threads: the same bits for any number of them, one shared pool that never blocks, and who decides how many there are."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.fft
import zoo

import rapidconv
from rapidconv import _plan, _workers
from rapidconv._native import kernels

CPUS = _workers.cpus
VARIABLES = ("RAPIDCONV_NUM_THREADS", "OMP_NUM_THREADS")


@pytest.fixture
def eager(monkeypatch):
    """Calls however short are shared out."""
    monkeypatch.setattr(_workers, "GRAIN", 1e-12)
    monkeypatch.setattr(_plan, "_PLANE", 0)
    monkeypatch.setattr(_plan, "_FEW", 0)
    monkeypatch.setattr(_plan, "_kept", {})
    kernels.set_short(0)
    yield
    monkeypatch.undo()
    kernels.set_short(2 * _workers.GRAIN)


def run(code, **variables):
    """A fresh interpreter with so many threads asked for in its environment."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES} | variables
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


# The same bits


def shared(function, *arguments, patience=20, **keywords):
    """A result, and how many threads worked on it; the first waits until a second one comes."""
    threads, company = set(), threading.Event()
    direct = kernels.correlate

    class Spy:
        def __getattr__(self, name):
            return getattr(kernels, name)

        def correlate(self, *arguments):
            self.meet()
            return direct(*arguments)

        def correlate_fft(self, *arguments):
            self.meet()
            return kernels.correlate_fft(*arguments)

        def meet(self):
            threads.add(threading.get_ident())
            if len(threads) > 1:
                company.set()
            company.wait(patience)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rapidconv._execute.kernels", Spy())
        return function(*arguments, **keywords), len(threads)


@pytest.mark.parametrize("dtype", zoo.ROADS)
@pytest.mark.parametrize("boundary", ["fill", "symm", "wrap"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_the_same_bits_for_any_number_of_workers(ours, eager, dtype, mode, boundary):
    in1, in2 = zoo.values((150, 90), dtype, 1), zoo.values((9, 4), dtype, 2)
    expected = zoo.bits(ours(in1, in2, mode, boundary, workers=1, method="direct"))
    for workers in (2, 3, 7):
        result, threads = shared(ours, in1, in2, mode, boundary, workers=workers, method="direct")
        assert zoo.bits(result) == expected
        assert 2 <= threads <= workers


@pytest.mark.parametrize("layout", zoo.LAYOUTS)
def test_the_same_bits_for_any_layout_and_number_of_workers(ours, eager, layout):
    in1, in2 = zoo.values((700, 90), "float64", 1), zoo.values((5, 5), "float64", 2)
    expected = ours(in1, in2, "same", "symm", workers=1)
    for workers in (2, 3, 7):
        assert zoo.bits(ours(zoo.LAYOUTS[layout](in1), in2, "same", "symm", workers=workers)) == zoo.bits(expected)


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 31, 33, 48, 511, 512, 513, 600])
@pytest.mark.parametrize("workers", [2, 3, 7])
def test_every_row_is_done_once(ours, eager, rows, workers):
    """Into an array of noise, so that a row nobody does is seen."""
    in1, in2 = zoo.values((rows, 20), "float32", 1), zoo.values((3, 3), "float32", 2)
    out = np.full((rows, 20), 7e7, np.float32)
    ours(in1, in2, "same", workers=workers, out=out)
    assert zoo.bits(out) == zoo.bits(ours(in1, in2, "same", workers=1))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_are_shared_out(ours, eager, axis):
    planes = zoo.values((5, 60, 40), "float32", 1)
    in1, in2 = np.moveaxis(planes, 0, axis).copy(), zoo.values((5, 3), "float32", 2)
    expected = [zoo.bits(ours(plane, in2, "same", "symm", workers=1)) for plane in planes]
    for workers in (2, 7):
        result = ours(in1, in2, "same", "symm", workers=workers, channel_axis=axis)
        assert [zoo.bits(plane) for plane in np.moveaxis(result, axis, 0)] == expected


def test_a_conjugated_and_reversed_result(eager):
    in1, in2 = zoo.values((3, 4), "complex64", 1), zoo.values((300, 40), "complex64", 2)
    expected = zoo.bits(rapidconv.correlate2d(in1, in2, "valid", workers=1))
    assert zoo.bits(rapidconv.correlate2d(in1, in2, "valid", workers=3)) == expected


def test_a_large_call_is_shared_out_by_default():
    in1, in2 = zoo.values((1500, 1500), "float32", 1), zoo.values((9, 9), "float32", 2)
    with rapidconv.set_workers(3):
        result, threads = shared(rapidconv.convolve2d, in1, in2)
    assert threads >= 2
    assert zoo.bits(result) == zoo.bits(rapidconv.convolve2d(in1, in2, workers=1))


def test_a_short_call_is_not(ours):
    for dtype in ("float32", "uint8"):
        in1, in2 = zoo.values((100, 100), dtype, 1), zoo.values((9, 9), dtype, 2)
        assert shared(ours, in1, in2, workers=7, patience=0.1)[1] <= 1


@pytest.mark.parametrize(
    ("seconds", "units", "workers", "expected"),
    [(1.0, 100, 2, 2), (1.0, 100, 64, 64), (1.0, 3, 64, 3), (1.0, 0, 2, 1), (0.0, 100, 2, 1), (1.0, 100, 1, 1)],
)
def test_how_many_gain(seconds, units, workers, expected):
    assert _workers.workers_for(seconds, units, workers) == expected


def test_every_worker_has_enough_to_do():
    assert [_workers.workers_for(n * _workers.GRAIN * 1.01, 99, 8) for n in (0.5, 1, 1.9, 2, 3, 7, 50)] == [
        1, 1, 1, 2, 3, 7, 8
    ]


# The pool


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_run_does_every_part_once(workers, count):
    done = []
    _workers.run(done.append, count, workers)
    assert sorted(done) == list(range(count))


def test_run_uses_several_threads_at_once():
    meeting = threading.Barrier(3, timeout=20)      # passes only if three parts run at the same time
    _workers.run(lambda _: meeting.wait(), 3, 3)


def test_one_worker_is_the_caller():
    threads = set()
    _workers.run(lambda _: threads.add(threading.get_ident()), 5, 1)
    assert threads == {threading.get_ident()}


def test_workers_have_numbers():
    numbers, meeting = [], threading.Barrier(3, timeout=20)

    def work(worker):
        numbers.append(worker)
        meeting.wait()

    _workers.share(work, 3)
    assert sorted(numbers) == [0, 1, 2]


@pytest.mark.parametrize("failing", ["caller", "helper"])
def test_an_exception_reaches_the_caller_after_all_have_stopped(failing):
    caller, meeting, stopped = threading.get_ident(), threading.Barrier(3, timeout=20), []

    def part(i):
        meeting.wait()
        if (threading.get_ident() == caller) is (failing == "caller"):
            msg = f"part {i}"
            raise MemoryError(msg)
        time.sleep(0.05)
        stopped.append(i)

    with pytest.raises(MemoryError, match="part"):
        _workers.run(part, 3, 3)
    assert len(stopped) == (2 if failing == "caller" else 1)


def test_no_part_begins_after_an_exception():
    begun = []

    def part(i):
        begun.append(i)
        if i == 3:
            raise ValueError(i)
        time.sleep(0.001)

    with pytest.raises(ValueError):
        _workers.run(part, 1000, 2)
    assert len(begun) < 100


def test_the_pool_lives_on_after_an_exception():
    for _ in range(20):
        test_an_exception_reaches_the_caller_after_all_have_stopped("helper")


def test_a_kernels_memory_error_reaches_the_caller(eager, monkeypatch):
    def fail(*_):
        raise MemoryError

    class Broken:
        turn_rows, least_seconds, express = kernels.turn_rows, kernels.least_seconds, kernels.express
        correlate = staticmethod(fail)

    monkeypatch.setattr("rapidconv._execute.kernels", Broken)
    with pytest.raises(MemoryError):
        rapidconv.convolve2d(np.ones((100, 100)), np.ones((3, 3)), workers=2)


def test_nested_calls_run_on_their_own_thread():
    _workers.share(lambda _: None, 7)       # so that idle threads could come
    meeting, wrong = threading.Barrier(3, timeout=20), []
    caller = threading.get_ident()

    def outer(_):
        meeting.wait()
        me, threads = threading.get_ident(), set()

        def inner(_):
            threads.add(threading.get_ident())
            time.sleep(0.002)

        _workers.run(inner, 30, 3)
        if me != caller and threads != {me}:
            wrong.append(threads)

    _workers.run(outer, 3, 3)
    assert wrong == []


def test_a_call_does_not_wait_for_threads_busy_elsewhere():
    """Every thread of the pool sits in another call, and still this one finishes."""
    inside, leave = threading.Semaphore(0), threading.Event()
    threads = max(4, _workers._pool.threads + 1)

    def sit(_):
        inside.release()
        assert leave.wait(20)

    blocker = threading.Thread(target=_workers.share, args=(sit, threads))
    blocker.start()
    for _ in range(threads):
        assert inside.acquire(timeout=20)
    done = []
    begin = time.perf_counter()
    _workers.run(done.append, 10, threads)
    seconds = time.perf_counter() - begin
    leave.set()
    blocker.join()
    assert sorted(done) == list(range(10))
    assert seconds < 5


def test_a_finished_call_keeps_nothing_alive():
    """What still waits in the queue must not hold the arrays of a call that is over."""
    job = _workers._Job(lambda _: None)
    job.close()
    assert job.work is None
    job.help()
    assert job.entered == 0


def test_calls_from_many_python_threads_at_once(ours, eager):
    problems = [
        (zoo.values((90 + 40 * i, 200 - 7 * i), dtype, i), zoo.values((1 + i % 7, 1 + i % 5), dtype, i + 1))
        for i, dtype in enumerate(zoo.ROADS)
    ]
    expected = [zoo.bits(ours(*problem, "same", "wrap", workers=1)) for problem in problems]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda p: zoo.bits(ours(*p, "same", "wrap", workers=2)), problems * 10))
    assert results == expected * 10


def test_without_threads_to_be_had_the_caller_does_it_all(eager, monkeypatch):
    monkeypatch.setattr(_workers, "_pool", _workers._Pool())

    def fail(_):
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", fail)
    in1, in2 = zoo.values((200, 90), "float64", 1), zoo.values((5, 5), "float64", 2)
    assert zoo.bits(rapidconv.convolve2d(in1, in2, workers=2)) == zoo.bits(rapidconv.convolve2d(in1, in2, workers=1))


COUNT_THREADS = "import threading; print(threading.active_count())"


@pytest.mark.parametrize(
    ("call", "threads"), [("pass", 1), ("rapidconv.convolve2d([[1.0]], [[2.0]], workers=4)", 1),
                          ("rapidconv.convolve2d(np.ones((2000, 2000)), np.ones((9, 9)), workers=2)", 2)]
)
def test_no_thread_before_it_is_needed(call, threads):
    done = run(f"import numpy as np, rapidconv; {call}; {COUNT_THREADS}")
    assert done.stdout == f"{threads}\n", done.stderr


@pytest.mark.parametrize("kind", ["idle", "daemon at work", "thread at work"])
def test_the_interpreter_ends(kind):
    """With the pool idle, and with calls still running."""
    body = {
        "idle": "call()",
        "daemon at work": "threading.Thread(target=lambda: [call() for _ in range(10**9)], daemon=True).start()",
        "thread at work": "threading.Thread(target=lambda: [call() for _ in range(5)]).start()",
    }[kind]
    code = f"""
import threading, time
import numpy as np, rapidconv
call = lambda: rapidconv.convolve2d(np.ones((1500, 1500)), np.ones((5, 5)), workers=2)
call()
{body}
time.sleep(0.05)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


# How many: argument, context, environment, control group


@pytest.mark.parametrize("workers", [0, -CPUS - 1, -10_000])
def test_what_scipy_refuses_is_refused_in_its_words(ours, workers):
    with pytest.raises(ValueError) as ours_says:
        ours(np.ones((2, 2)), np.ones((2, 2)), workers=workers)
    with pytest.raises(ValueError) as scipy_says:
        scipy.fft.fft(np.ones(4), workers=workers)
    expected = str(scipy_says.value)
    if workers:     # SciPy counts the CPUs of the machine
        expected = expected.replace(str(-os.cpu_count()), str(-CPUS))
    assert str(ours_says.value) == expected
    with pytest.raises(ValueError, match="workers"), rapidconv.set_workers(workers):
        pass


@pytest.mark.parametrize(("workers", "expected"), [(1, 1), (5, 5), (np.int8(3), 3), (-1, CPUS), (-CPUS, 1)])
def test_set_workers_counts_as_the_argument_does(workers, expected):
    assert _workers.resolve(workers) == expected
    with rapidconv.set_workers(workers):
        assert rapidconv.get_workers() == expected
        assert rapidconv.show_config("dicts")["workers"] == expected


@pytest.mark.parametrize("workers", [1.0, "2", None])
def test_set_workers_takes_integers_only(workers):
    with pytest.raises(TypeError, match="workers must be an integer"), rapidconv.set_workers(workers):
        pass


def test_set_workers_nests_and_ends():
    before = rapidconv.get_workers()
    with rapidconv.set_workers(5):
        with rapidconv.set_workers(3):
            assert rapidconv.get_workers() == 3
        assert rapidconv.get_workers() == 5
        with pytest.raises(KeyError), rapidconv.set_workers(4):
            raise KeyError
        assert rapidconv.get_workers() == 5
    assert rapidconv.get_workers() == before


def test_set_workers_does_nothing_outside_with():
    before = rapidconv.get_workers()
    rapidconv.set_workers(before + 1)
    assert rapidconv.get_workers() == before


def test_other_threads_keep_their_own_number():
    before = rapidconv.get_workers()
    with rapidconv.set_workers(before + 1), ThreadPoolExecutor(1) as pool:
        assert pool.submit(rapidconv.get_workers).result() == before


def test_asynchronous_tasks_keep_their_own_number():
    async def task(workers):
        with rapidconv.set_workers(workers):
            await asyncio.sleep(0.01)
            return rapidconv.get_workers()

    async def both():
        return await asyncio.gather(task(3), task(5))

    assert asyncio.run(both()) == [3, 5]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, CPUS),
        ({"RAPIDCONV_NUM_THREADS": "1"}, 1),
        ({"RAPIDCONV_NUM_THREADS": "1000"}, CPUS),
        ({"RAPIDCONV_NUM_THREADS": ""}, CPUS),
        ({"RAPIDCONV_NUM_THREADS": "auto", "OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "1,4"}, 1),
        ({"OMP_NUM_THREADS": "nonsense"}, CPUS),
        ({"RAPIDCONV_NUM_THREADS": str(CPUS), "OMP_NUM_THREADS": "1"}, CPUS),
    ],
    ids=str,
)
def test_the_environment_limits_the_default(variables, expected):
    done = run("import rapidconv; print(rapidconv.get_workers())", **variables)
    assert done.stdout == f"{expected}\n", done.stderr


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", " ", "1,2", "²"])
def test_a_wrong_environment_fails_at_import(value):
    done = run("import rapidconv", RAPIDCONV_NUM_THREADS=value)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(f"ImportError: RAPIDCONV_NUM_THREADS={value!r}")
    assert "positive whole number" in last


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max 100000\n", None), ("150000 100000\n", 1.5), ("-1 100000", None), ("50000 100000", 0.5), ("", None),
     (" ", None), ("x y", None), ("100000", None), ("1 0", None)],
)
def test_quotas(text, expected):
    assert _workers._quota(text) == expected


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_tightest_quota_of_all_groups_around_counts(tmp_path):
    write(tmp_path / "cpu.max", "400000 100000\n")
    write(tmp_path / "a" / "cpu.max", "300000 100000\n")
    write(tmp_path / "a" / "b" / "cpu.max", "max 100000\n")
    assert _workers._tightest_quota("0::/a/b\n", tmp_path) == 3
    assert _workers._tightest_quota("0::/not/seen/from/inside\n", tmp_path) == 4
    write(tmp_path / "cpu.max", "max 100000\n")
    assert _workers._tightest_quota("0::/\n", tmp_path) is None


def test_quotas_of_the_first_version(tmp_path):
    write(tmp_path / "cpu,cpuacct" / "job" / "cpu.cfs_quota_us", "250000\n")
    write(tmp_path / "cpu,cpuacct" / "job" / "cpu.cfs_period_us", "100000\n")
    write(tmp_path / "cpuset" / "job" / "cpu.cfs_quota_us", "1\n")
    write(tmp_path / "cpuset" / "job" / "cpu.cfs_period_us", "100000\n")
    groups = "11:cpuset:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n"
    assert _workers._tightest_quota(groups, tmp_path) == 2.5
    assert _workers._tightest_quota("", tmp_path) is None


@pytest.mark.parametrize(("quota", "expected"), [(None, CPUS), (0.1, 1), (1.0, 1), (1.1, min(2, CPUS)), (1000.0, CPUS)])
def test_a_quota_limits_the_cpus(monkeypatch, quota, expected):
    monkeypatch.setattr(_workers, "_tightest_quota", lambda *_: quota)
    assert _workers._count_cpus() == expected
