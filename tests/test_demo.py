"""The demo command: its sheets, its table, its exit status; and the two commands the README opens with."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rapidconv
from rapidconv import cli, signal

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture(scope="module")
def demo():
    for extra in cli.DEMO_EXTRAS:
        pytest.importorskip(extra)
    from rapidconv import demo

    return demo


@pytest.fixture(scope="module")
def finished(demo, tmp_path_factory):
    """Exit status, standard output and folder of one quick run."""
    folder = tmp_path_factory.mktemp("demo") / "sheets"
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "_say", said.append)
        status = cli.main(["demo", "--quick", "--out", str(folder)])
    return status, said, folder


@pytest.fixture
def one_job(demo, monkeypatch):
    """Only the first job, so that a run takes a moment."""
    monkeypatch.setattr(demo, "JOBS", demo.JOBS[:1])


def test_exit_status_is_zero(finished):
    status, said, _ = finished
    assert status == 0, said


def test_every_sheet_is_a_picture(demo, finished):
    from skimage import io

    _, said, folder = finished
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(f"{job.key}-{job.name}.png" for job in demo.JOBS)
    for name in names:
        sheet = io.imread(folder / name)
        assert 900 <= sheet.shape[1] <= 2000
        assert 400 <= sheet.shape[0] <= 2000
        assert sheet[..., :3].std() > 10, f"{name} is blank"
        assert f"wrote {folder / name}" in said


def test_table_has_every_job(demo, finished):
    _, said, _ = finished
    for job in demo.JOBS:
        rows = [line for line in said if line.startswith(f"{job.key} ")]
        assert rows, f"no row for {job.key}"
        for row in rows:
            assert re.search(r"\d+\.\d{3} +\d+\.\d{3} +\d+\.\dx  \S", row)
    assert said[0].startswith(f"rapidconv {rapidconv.__version__} ")
    assert sum("exactly 0" in line for line in said if line.startswith("A ")) == 2


@pytest.mark.parametrize(("sign", "low", "high"), [(1, 0, 50), (-1, -50, 0)])
def test_half_planes_answer_with_their_sign(demo, sign, low, high):
    kernel = sign * np.repeat([[-1.0, 1.0]], 5, axis=1).repeat(10, axis=0)
    result = signal.convolve2d(demo.Pictures(quick=True).two_blocks(), kernel, boundary="symm", mode="same")
    assert (result.min(), result.max()) == (low, high)


def test_colour_photograph_has_the_articles_size(demo):
    picture = demo.Pictures(quick=False).colour()
    assert picture.shape == (1018, 1645, 3)
    assert picture.min() >= 0
    assert picture.max() <= 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda result: result + 1, id="one too large"),
        pytest.param(lambda result: result * np.nan, id="nan"),
        pytest.param(lambda result: result[1:], id="shape"),
        pytest.param(lambda result: result.astype(np.float32), id="dtype"),
    ],
)
def test_a_wrong_exact_result_fails(one_job, monkeypatch, tmp_path, capsys, spoil):
    right = signal.convolve2d
    monkeypatch.setattr(signal, "convolve2d", lambda *args, **options: spoil(right(*args, **options)))
    assert cli.main(["demo", "--quick", "--out", str(tmp_path)]) == 1
    assert "OUT OF BOUNDS: half-plane kernel 1" in capsys.readouterr().out


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1 + 1e-12, False)])
def test_the_bound_is_narrow(demo, monkeypatch, factor, ok):
    right = signal.convolve2d
    monkeypatch.setattr(signal, "convolve2d", lambda *args, **options: factor * right(*args, **options))
    bench = demo.Bench(repeats=1)
    image = np.random.default_rng(7).random((20, 30))
    bench.filter("blur", "convolve2d", image, demo.BOX_BLUR)
    assert [row.ok for row in bench.rows] == [ok]


def test_a_difference_where_none_is_allowed_fails(demo):
    bench = demo.Bench(repeats=1)
    bench.compare("zeros", lambda: np.ones(3), lambda: np.zeros(3), lambda: np.zeros(3))
    assert not bench.rows[0].ok


@pytest.mark.parametrize("missing", cli.DEMO_EXTRAS)
def test_missing_extra_is_one_clear_line(monkeypatch, tmp_path, capsys, missing):
    monkeypatch.delitem(sys.modules, "rapidconv.demo", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert cli.main(["demo", "--out", str(tmp_path / "sheets")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert 'pip install "rapidconv[demo]"' in err
    assert not (tmp_path / "sheets").exists()


@pytest.mark.parametrize("words", [[], ["paint"], ["demo", "--fast"], ["demo", "--out"]])
def test_wrong_use_is_status_two(words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    assert "usage: rapidconv" in capsys.readouterr().err


def test_out_that_is_a_file_is_status_two(demo, tmp_path, capsys):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SystemExit) as stop:
        cli.main(["demo", "--out", str(path)])
    assert stop.value.code == 2
    assert f"cannot write into {path}" in capsys.readouterr().err


def test_out_that_cannot_be_written_is_status_two(demo, tmp_path, capsys, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(cli, "TemporaryFile", refuse)       # root may write anywhere
    with pytest.raises(SystemExit) as stop:
        cli.main(["demo", "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert f"cannot write into {tmp_path}: Permission denied" in capsys.readouterr().err.splitlines()[-1]


def test_the_package_is_the_command():
    done = subprocess.run([sys.executable, "-m", "rapidconv", "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"rapidconv {rapidconv.__version__}\n")


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"rapidconv {rapidconv.__version__}\n"


def test_config_prints_the_target(capsys):
    assert cli.main(["config"]) == 0
    assert rapidconv.show_config(mode="dicts")["in_use"] in capsys.readouterr().out


@pytest.mark.parametrize(("number", "words"), [(0, 'pip install ".[demo]"'), (1, 'pip install ".[test]"')])
def test_readme_opens_with_two_commands(number, words):
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    language, block = blocks[number]
    assert language == "sh"
    assert len(block.splitlines()) == 1
    assert words in block
