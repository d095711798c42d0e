"""The whole rest of the suite once more for every other target that this machine supports."""

import os

import pytest
from other_targets import CHILD, OTHERS


@pytest.mark.skipif(CHILD in os.environ, reason="this is such a run")
@pytest.mark.parametrize("target", OTHERS)
def test_the_suite_on_another_target(runs, target):
    done = runs[target].result()
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
    assert f"target {target}," in done.stdout
