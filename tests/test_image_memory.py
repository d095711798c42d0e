"""Filters of pictures touch no byte outside the arrays."""

from test_memory import run, unix


@unix
def test_pictures_between_guard_pages(tmp_path):
    trace = tmp_path / "trace"
    done = run("guard_pictures.py", 1500, trace)
    assert done.returncode == 0, f"{trace.read_text()}\n{done.stdout}\n{done.stderr}"
    assert done.stdout == "done 1500\n"
