"""The whole rest of the suite once more for every other target that this machine supports."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rapidconv

HERE = Path(__file__).parent
FACTS = rapidconv.show_config(mode="dicts")
OTHERS = [target for target in FACTS["supported"] if target != FACTS["in_use"]]
CHILD = "RAPIDCONV_TESTS_OF_ONE_TARGET"


def suite(target):
    """Run the rest of the suite on a target."""
    once = ("test_targets.py", "test_packaging.py", "test_imports.py", "test_scipy_suite.py")
    left_out = [f"--ignore={HERE / name}" for name in once]
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *left_out, HERE]
    environment = {**os.environ, "RAPIDCONV_TARGET": target, CHILD: "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=2400, check=False, env=environment)


@pytest.fixture(scope="module")
def runs():
    """The runs of all targets, as many at a time as there are CPUs."""
    with ThreadPoolExecutor(rapidconv.get_workers()) as pool:
        yield {target: pool.submit(suite, target) for target in OTHERS}


@pytest.mark.skipif(CHILD in os.environ, reason="this is such a run")
@pytest.mark.parametrize("target", OTHERS)
def test_the_suite_on_another_target(runs, target):
    done = runs[target].result()
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
    assert f"target {target}," in done.stdout
