"""The files about values once more by every method that can be asked for: equal within its stated bound, errors alike."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ["boundaries", "convolve2d_values", "dtypes", "empty", "extras", "integers", "layouts", "scipy_faults", "special_values"]

#: Tests of what holds for direct sums only: their bits, whatever the fill value is or `method` says; no rounding of one tap; the
#: express lane and narrow images, which no other method knows.
DIRECT = ["sees_nothing_outside", "said_otherwise", "one_by_one", "small_calls", "few_columns"]


@pytest.mark.skipif("RAPIDCONV_TESTS_OF_ONE_TARGET" in os.environ, reason="once is enough")
@pytest.mark.parametrize("method", ["separable", "fft"])
def test_the_suite_by_another_method(method):
    files = [HERE / f"test_{name}.py" for name in FILES]
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-k", f"not {' and not '.join(DIRECT)}", *files]
    environment = {**os.environ, "RAPIDCONV_TEST_METHOD": method}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
