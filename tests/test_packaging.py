"""The source distribution holds everything a build needs; an installed package holds no sources."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = (".pyx", ".pxi", ".pxd", ".h", ".c")
# Stands in for Cython: what an sdist holds does not depend on half a minute of translation.
STUB = "def cythonize(extensions, **options):\n    return list(extensions)\n"
UNWANTED = (".so", ".pyd", ".pyc", ".o")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Names in an sdist made of a copy of the project, so that nothing is written into the project."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("not in a checkout")
    if importlib.util.find_spec("build.__main__") is None:  # a folder named build is a package without it
        pytest.skip("needs build")
    copy = tmp_path_factory.mktemp("sdist") / "project"
    ignored = shutil.ignore_patterns(
        ".git", "build", "dist", "*.so", "*.egg-info", ".hypothesis", "__pycache__", ".asv"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    stub = copy.parent / "stub" / "Cython"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    (stub / "Build.py").write_text(STUB)
    environment = {**os.environ, "PYTHONPATH": str(stub.parent)}
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", "dist"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True, timeout=300, env=environment)
    (archive,) = (copy / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        return {name.partition("/")[2] for name in tar.getnames()}


def in_the_project(suffixes):
    return {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*") if path.suffix in suffixes}


@pytest.mark.parametrize("suffix", [*SOURCES, ".py", ".typed"])
def test_sdist_holds_every_source(sdist, suffix):
    sources = in_the_project({suffix})
    assert sources <= sdist


def test_there_are_sources_to_look_for():
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("not in a checkout")
    assert len(in_the_project(SOURCES)) >= 5


def test_sdist_holds_the_tests(sdist):
    assert {f"tests/{path.name}" for path in Path(__file__).parent.glob("*.py")} <= sdist


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py"])
def test_sdist_can_be_built(sdist, name):
    assert name in sdist


def test_sdist_holds_nothing_made(sdist):
    assert [name for name in sdist if name.endswith(UNWANTED) or name.startswith("build/")] == []
    translated = {name for name in sdist if name.endswith(".c")} - in_the_project({".c"})
    assert translated == set()


def test_installed_package_holds_no_sources():
    try:
        files = importlib.metadata.files("rapidconv")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not installed")
    names = [str(file) for file in files or []]
    if not any(name.startswith("rapidconv/") for name in names):
        pytest.skip("an editable install lists no modules")
    assert [name for name in names if name.endswith(SOURCES)] == []
    assert "rapidconv/py.typed" in names
