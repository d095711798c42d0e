"""No byte outside the arrays is touched, no copy of a picture is made, and nothing leaks."""

import gc
import mmap
import os
import signal as posix
import subprocess
import sys
import tracemalloc
from pathlib import Path

import memory_use
import numpy as np
import pytest
import zoo

HERE = Path(__file__).parent
MIB = 2**20

unix = pytest.mark.skipif(not sys.platform.startswith(("linux", "darwin")), reason="mprotect")
linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")


def run(script, *arguments):
    command = [sys.executable, HERE / script, *map(str, arguments)]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)


PAIRS = [(dtype, dtype) for dtype in zoo.ROADS]
PAIRS += [("uint8", "float32"), ("uint8", "int64"), ("float32", "complex64"), ("complex128", "float64")]


@unix
@pytest.mark.parametrize(("dtype1", "dtype2"), PAIRS)
def test_between_guard_pages(dtype1, dtype2, tmp_path):
    trace = tmp_path / "trace"
    done = run("guard_pages.py", dtype1, dtype2, 600, trace)
    assert done.returncode == 0, f"{trace.read_text()}\n{done.stdout}\n{done.stderr}"
    assert done.stdout == "done 600\n"


@unix
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8", "int64"])
def test_volumes_between_guard_pages(dtype, tmp_path):
    trace = tmp_path / "trace"
    done = run("guard_pages.py", "volumes", dtype, 400, trace)
    assert done.returncode == 0, f"{trace.read_text()}\n{done.stdout}\n{done.stderr}"
    assert done.stdout == "done 400\n"


@unix
def test_the_guard_bites():
    assert run("guard_pages.py", "over-read").returncode == -posix.SIGSEGV


@pytest.fixture(scope="module")
def extra():
    """Bytes of extra memory by case."""
    done = run("memory_use.py")
    assert done.returncode == 0, done.stderr
    return {case: int(size) for case, _, size in (line.partition(": ") for line in done.stdout.splitlines())}


@linux
@pytest.mark.parametrize("case", [*memory_use.CASES, *memory_use.VOLUMES])
def test_extra_memory(extra, case):
    assert extra[case] < 4 * MIB


@linux
def test_extra_memory_would_be_seen():
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_use.status("VmRSS:")
    np.frombuffer(mmap.mmap(-1, 32 * MIB), np.uint8)[::4096] = 1        # the C library might have such memory at hand
    assert memory_use.status("VmHWM:") - before > 16 * MIB


@pytest.mark.parametrize("dtypes", [("float64", "float64"), ("uint8", "int64"), ("float32", "complex64")], ids=str)
def test_allocations_seen_by_tracemalloc(ours, dtypes):
    in1, in2 = zoo.values((700, 900), dtypes[0], 1), zoo.values((3, 3), dtypes[1], 2)
    ours(in1[:50], in2, "same", "symm")
    tracemalloc.start()
    result = ours(in1, in2, "same", "symm")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < result.nbytes + 4 * MIB


@pytest.mark.parametrize("dtype", zoo.ROADS)
def test_references_are_given_back(ours, dtype):
    in1, in2, out = zoo.values((40, 50), dtype, 1), zoo.values((3, 3), dtype, 2), np.empty((40, 50), dtype)
    before = [sys.getrefcount(x) for x in (in1, in2, out)]
    result = [ours(in1, in2, "same", "wrap") for _ in range(10)]
    result += [ours(in1, in2, "same", "wrap", out=out) for _ in range(10)]
    result.clear()
    assert [sys.getrefcount(x) for x in (in1, in2, out)] == before


def test_references_are_given_back_after_errors(ours):
    in1, in2 = np.ones((3, 3)), np.ones((3, 3), object)
    before = sys.getrefcount(in1), sys.getrefcount(in2)
    with pytest.raises(ValueError, match="not available") as caught:
        ours(in1, in2)
    del caught
    gc.collect()
    assert (sys.getrefcount(in1), sys.getrefcount(in2)) == before


@linux
def test_a_thousand_calls_leak_nothing(ours):
    in1, in2 = np.ones((100, 1000), "f4"), np.ones((3, 3), "c8")
    results = [ours(in1, in2) for _ in range(5)]
    before = memory_use.status("VmRSS:")
    results = [ours(in1, in2).sum() for _ in range(100)]
    assert len(results) == 100
    assert memory_use.status("VmRSS:") - before < 16 * MIB


@pytest.mark.parametrize("mode", zoo.MODES)
@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_inputs_are_as_they_were(ours, dtype, mode):
    in1, in2 = zoo.values((33, 70), dtype, 1), zoo.values((4, 5), dtype, 2)
    before = in1.tobytes(), in2.tobytes(), in1.flags.writeable
    ours(in1, in2, mode, "symm")
    ours(in1, in2, mode, out=ours(in1, in2, mode))
    assert (in1.tobytes(), in2.tobytes(), in1.flags.writeable) == before
