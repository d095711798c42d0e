"""SciPy's own tests of the functions that are here, with ours in their place."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import scipy

MARKERS = ("array_api_backends", "skip_xp_backends", "xfail_xp_backends", "fail_slow", "slow", "xslow", "thread_unsafe")
#: A mean in float32 to 3e-8 (docs/differences.md, "Floating sums"), and an image of 2 GiB.
BEYOND = "not test_gauss03 and not test_large_array"


@pytest.mark.skipif(not scipy.__version__.startswith("1.17."), reason="the tests of another SciPy may ask for what it changed")
@pytest.mark.parametrize(
    ("module", "parts", "functions"),
    [("scipy.ndimage.tests.test_filters", [""], 15), ("scipy.signal.tests.test_signaltools", ["::TestConvolve2d", "::TestCorrelate2d"], 2)],
)
def test_scipys_tests_pass(module, parts, functions):
    if importlib.util.find_spec(module.rpartition(".")[0]) is None:
        pytest.skip("this SciPy was installed without its tests")
    file = importlib.util.find_spec(module).origin
    options = ["-q", "-x", "-p", "in_scipys_place", "-p", "no:cacheprovider", "-c", os.devnull, "-k", BEYOND]
    known = ["-o", "markers=" + "\n".join(f"{name}: SciPy's" for name in MARKERS)]
    path = [str(Path(__file__).parent), *sys.path]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *known, *(file + part for part in parts)], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)}, cwd=Path(file).parent,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
    calls = re.search(r"(\d+) calls of (\d+) functions", found.stdout)
    assert calls is not None
    assert int(calls[1]) >= 40
    assert int(calls[2]) >= functions
