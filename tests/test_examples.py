"""The examples in the docstrings of every module, and those of the page of differences."""

import doctest
import importlib
from pathlib import Path

import pytest

import rapidconv
from rapidconv.cli import DEMO_EXTRAS

MODULES = sorted(path.stem for path in Path(rapidconv.__file__).parent.glob("*.py"))
PAGE = Path(__file__).parent.parent / "docs" / "differences.md"


@pytest.mark.parametrize("module", MODULES)
def test_docstrings(module):
    if module == "demo":
        for extra in DEMO_EXTRAS:
            pytest.importorskip(extra)
    name = "rapidconv" if module == "__init__" else f"rapidconv.{module}"
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_page_of_differences():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0
