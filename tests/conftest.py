"""Hypothesis profiles, the line that says which target runs, the runs on other targets, and the functions under test as fixtures."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oracle
import other_targets
import pytest
from hypothesis import HealthCheck, settings

import rapidconv
from rapidconv import _again, signal

settings.register_profile(
    "default", derandomize=False, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=300, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_report_header(config):
    facts = rapidconv.show_config(mode="dicts")
    return (
        f"rapidconv {facts['version']} from {Path(rapidconv.__file__).parent}: "
        f"target {facts['in_use']}, supported {' '.join(facts['supported'])}"
    )


def waits_for_runs(item):
    return item.path.name == "test_targets.py"


def pytest_collection_modifyitems(items):
    items.sort(key=waits_for_runs)


@pytest.fixture(scope="session", autouse=True)
def runs(request):
    """The runs on other targets, as many at a time as there are CPUs; if any is asked for, they begin with the first test."""
    if not any(map(waits_for_runs, request.session.items)) or other_targets.CHILD in os.environ:
        yield {}
        return
    pool = ThreadPoolExecutor(rapidconv.get_workers())
    yield {target: pool.submit(other_targets.suite, target) for target in other_targets.OTHERS}
    pool.shutdown(cancel_futures=True)


def pytest_runtest_setup():
    """No long call was made before: tests change what plans follow from."""
    _again.long = ()
    _again._seen.clear()


@pytest.fixture(params=["convolve2d", "correlate2d"])
def name(request):
    """The name of the function under test."""
    return request.param


@pytest.fixture
def ours(name):
    """The function under test; by the method that RAPIDCONV_TEST_METHOD names, where that can serve (test_every_method.py)."""
    function = getattr(signal, name)
    return function if oracle.METHOD is None else functools.partial(by_method, function)


def by_method(function, *args, **keywords):
    """A call by the method under test; by the one it asks for itself, or by any, where that cannot serve."""
    try:
        return function(*args, **{"method": oracle.METHOD, **keywords})
    except ValueError as error:
        if "cannot serve this call" not in str(error) or "method" in keywords:
            raise
    return function(*args, **keywords)
