"""Runs of the whole rest of the suite, one for every other target that this machine supports."""

import os
import subprocess
import sys
from pathlib import Path

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
