"""Imports point one way through the package, and importing it costs nothing but NumPy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rapidconv

ROOT = Path(rapidconv.__file__).parent

# From left to right: a module imports what stands to its right, never what stands to its left or beside it.
ORDER = [
    {"__init__", "__main__"},
    {"cli", "demo"},
    {"planning"},
    {"signal", "ndimage", "image"},
    {"_call", "_ndimage_call"},
    {"_image_arguments", "_blocks"},
    {"_arguments", "_ndimage_arguments", "_passes"},
    {"_plan"},
    {"_execute"},
    {"_weights"},
    {"_axes"},
    {"_problem"},
    {"_cost"},
]
LEAVES = {"_again", "_boundary", "_config", "_filter_weights", "_pieces", "_rank", "_transform"}
LAST = {"_memory", "_workers"}
NATIVE = "_native"
MODULES = sorted(path.stem for path in ROOT.glob("*.py"))
KNOWN = {NATIVE, *LAST, *MODULES, *LEAVES, *(name for names in ORDER for name in names)}

# Beside each other, and still allowed: the command starts the demo it offers.
BESIDE = {("cli", "demo")}


def place(module):
    """A module's column; the leaves stand after the last one, then the workers, then the native code."""
    if module == NATIVE:
        return len(ORDER) + 2
    if module in LAST:
        return len(ORDER) + 1
    if module in LEAVES:
        return len(ORDER)
    return next(column for column, names in enumerate(ORDER) if module in names)


def imported(tree):
    """The package's own modules that a syntax tree imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ("rapidconv." if node.level else "") + (node.module or "")
            names = [f"{base.rstrip('.')}.{alias.name}" for alias in node.names]
        else:
            continue
        for parts in (name.split(".") for name in names):
            if parts[0] == "rapidconv":
                own = parts[1] if len(parts) > 1 and parts[1] in KNOWN else "__init__"
                yield own


def backward(module, tree):
    """The imports of a module that point to its left or beside it."""
    return [
        other
        for other in imported(tree)
        if place(other) <= place(module) and (module, other) not in BESIDE and not names_only(module, other)
    ]


def names_only(module, other):
    """The command and the demo are users of the public names."""
    return module in ("cli", "demo") and other == "__init__"


def tree_of(module):
    return ast.parse((ROOT / f"{module}.py").read_text())


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_place(module):
    assert any(module in column for column in (*ORDER, LEAVES, LAST))


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_to_the_right(module):
    assert backward(module, tree_of(module)) == []


@pytest.mark.parametrize(
    "path", [str(path.relative_to(ROOT)) for path in (ROOT / NATIVE).rglob("*.py")] or ["_native/__init__.py"]
)
def test_native_code_imports_nothing_of_the_package_outside_itself(path):
    file = ROOT / path
    tree = ast.parse(file.read_text() if file.exists() else "")
    inner = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
    outer = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and node not in inner]
    assert [name for node in outer for name in imported(node) if name != NATIVE] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("_plan", "from . import signal"),
        ("_plan", "from ._arguments import Problem"),
        ("_plan", "from rapidconv._arguments import Problem"),
        ("_arguments", "import rapidconv._call"),
        ("_arguments", "def late():\n    from ._call import call"),
        ("_config", "from ._boundary import rows"),
        ("_boundary", "from . import _plan"),
        ("_workers", "from ._boundary import Boundary"),
        ("_execute", "import rapidconv"),
        ("signal", "from . import convolve2d"),
        ("ndimage", "from . import signal"),
        ("_passes", "from . import _blocks"),
    ],
)
def test_a_backward_import_is_seen(module, line):
    assert backward(module, ast.parse(line)) != []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("_plan", "from ._execute import run"),
        ("_plan", "from . import _config, _boundary"),
        ("_execute", "from ._native import x86_v3"),
        ("signal", "import numpy as np"),
        ("_config", "from . import _native"),
    ],
)
def test_a_forward_import_is_allowed(module, line):
    assert backward(module, ast.parse(line)) == []


def new_modules(code):
    """The top-level modules that a fresh interpreter has after the code and had not after importing NumPy."""
    script = f"import sys, numpy; old = set(sys.modules); {code}; print(*(set(sys.modules) - old))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def foreign(names):
    """Cython keeps its types in modules of names of its own."""
    ours = {"rapidconv", "numpy", "cython_runtime", *sys.stdlib_module_names}
    return {name for name in names if name not in ours and not name.startswith("_cython_")}


@pytest.mark.parametrize("code", ["import rapidconv", "from rapidconv import signal", "from rapidconv import ndimage"])
def test_only_numpy_and_the_standard_library_are_imported(code):
    assert foreign(new_modules(code)) == set()


def test_a_foreign_import_would_be_seen():
    assert "scipy" in foreign(new_modules("import scipy"))


@pytest.mark.parametrize("library", ["scipy", "cv2", "skimage", "matplotlib", "dask", "torch", "rapidconv.demo"])
def test_a_call_imports_no_other_library(library):
    code = f"import sys, rapidconv; rapidconv.convolve2d([[1.0]], [[2.0]]); print({library!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_public_names():
    assert {"convolve2d", "correlate2d", "get_workers", "image", "set_workers", "show_config", "signal"} <= set(dir(rapidconv))
    assert sorted(rapidconv.signal.__all__) == ["convolve2d", "correlate2d"]
    assert rapidconv.ndimage.__name__ == "rapidconv.ndimage"
    assert sorted(rapidconv.image.__all__) == ["filter2d", "filter_bank", "magnitude", "phase"]
