"""Which target runs: chosen by itself, forced by RAPIDCONV_TARGET, reported by show_config."""

import os
import subprocess
import sys

import pytest

import rapidconv

NAMES = {"x86_v2", "x86_v3", "x86_v4", "neon", "portable"}
FACTS = rapidconv.show_config(mode="dicts")
PRINT_IN_USE = "import rapidconv; print(rapidconv.show_config(mode='dicts')['in_use'])"


def run(code, target):
    """A fresh interpreter with RAPIDCONV_TARGET set; None: not set."""
    environment = {name: value for name, value in os.environ.items() if name != "RAPIDCONV_TARGET"}
    if target is not None:
        environment["RAPIDCONV_TARGET"] = target
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_facts_hang_together():
    assert {"compiled", "supported", "in_use", "version"} <= FACTS.keys()
    assert set(FACTS["supported"]) <= set(FACTS["compiled"]) <= NAMES
    assert FACTS["in_use"] in FACTS["supported"]
    assert "portable" in FACTS["supported"]
    assert FACTS["version"] == rapidconv.__version__


def test_facts_are_the_callers_to_change():
    rapidconv.show_config(mode="dicts")["supported"].clear()
    assert rapidconv.show_config(mode="dicts") == FACTS


def test_the_environment_is_obeyed_in_this_very_process():
    asked = os.environ.get("RAPIDCONV_TARGET", "")
    assert asked in ("", "auto", FACTS["in_use"])


@pytest.mark.parametrize("target", FACTS["supported"])
def test_every_supported_target_can_be_forced(target):
    assert run(PRINT_IN_USE, target).stdout == f"{target}\n"


@pytest.mark.parametrize("target", FACTS["supported"])
def test_every_supported_target_computes(target):
    code = "import rapidconv; print(rapidconv.convolve2d([[1, 2]], [[1, 10]]).tolist())"
    assert run(code, target).stdout == "[[1, 12, 20]]\n"


@pytest.mark.parametrize("target", ["", "auto"])
def test_empty_and_auto_choose_as_if_unset(target):
    chosen = run(PRINT_IN_USE, None)
    assert chosen.returncode == 0, chosen.stderr
    assert run(PRINT_IN_USE, target).stdout == chosen.stdout


def test_the_fastest_is_chosen():
    order = [name for name in ("x86_v4", "x86_v3", "x86_v2", "neon", "portable") if name in FACTS["supported"]]
    assert run(PRINT_IN_USE, None).stdout == f"{order[0]}\n"


UNSUPPORTED = sorted(NAMES - set(FACTS["supported"]))


@pytest.mark.parametrize("target", ["avx2", "X86_V3", "x86_v5", "x86_v2 x86_v3", " ", *UNSUPPORTED], ids=repr)
def test_unknown_and_unsupported_names_fail_at_import(target):
    done = run("import rapidconv", target)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("ImportError: ")
    assert "RAPIDCONV_TARGET" in last
    assert target in last
    assert all(name in last for name in FACTS["supported"])


def test_show_config_prints(capsys):
    assert rapidconv.show_config() is None
    printed = capsys.readouterr().out
    assert all(name in printed for name in [*FACTS["compiled"], FACTS["version"]])


def test_show_config_prints_when_asked_to(capsys):
    assert rapidconv.show_config(mode="stdout") is None
    assert FACTS["in_use"] in capsys.readouterr().out


def test_show_config_returning_prints_nothing(capsys):
    rapidconv.show_config("dicts")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("mode", ["dict", "", None])
def test_show_config_of_unknown_mode(mode):
    with pytest.raises(ValueError, match="mode"):
        rapidconv.show_config(mode=mode)
