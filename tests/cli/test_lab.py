"""``nnlite lab``: JupyterLab on the lectures, and copies that never overwrite anybody's work."""

import sys
from types import SimpleNamespace

import pytest

from nnlite.cli import lab, main
from nnlite.cli.problems import Problem


@pytest.fixture
def started(monkeypatch):
    """Commands that would have been started."""
    commands = []

    def run(command, check):
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(lab.subprocess, "run", run)
    monkeypatch.setattr(lab, "require", lambda *names, extra: None)
    return commands


def test_in_a_checkout_the_lectures_themselves_are_opened(
    tmp_path, monkeypatch, started, write_lecture
):
    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "--", "--no-browser"]) == 0
    folder = tmp_path / "lectures"
    assert started == [
        [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", "--no-browser"]
    ]
    assert not (tmp_path / "nnlite-lectures").exists()


def test_from_a_wheel_copies_are_opened(tmp_path, monkeypatch, started, write_lecture, capsys):
    packaged = tmp_path / "nnlite" / "_lectures"
    write_lecture(packaged, "01_gradients")
    write_lecture(packaged, "02_pca")
    home = tmp_path / "home"
    (home / "nnlite-lectures").mkdir(parents=True)
    (home / "nnlite-lectures" / "01_gradients.ipynb").write_text("my notes")
    monkeypatch.chdir(home)
    monkeypatch.setattr(lab, "lectures_folder", lambda given: packaged)
    monkeypatch.setattr(lab, "packaged_folder", lambda: packaged)
    assert main(["lab"]) == 0
    assert "1 copied, 1 already there and kept" in capsys.readouterr().out
    assert (home / "nnlite-lectures" / "01_gradients.ipynb").read_text() == "my notes"
    assert started[0][-1] == f"--ServerApp.root_dir={home / 'nnlite-lectures'}"


def test_a_copy_keeps_folders_and_leaves_nothing_half_written(tmp_path):
    source = tmp_path / "source"
    (source / "tables").mkdir(parents=True)
    (source / "tables" / "study.csv").write_text("1,2")
    copied, kept = lab.copy_new(source, tmp_path / "target")
    assert [p.relative_to(tmp_path / "target").as_posix() for p in copied] == ["tables/study.csv"]
    assert kept == []
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="cannot copy"):
        lab.copy_new(source, tmp_path / "file")


def test_without_jupyterlab_the_pip_command_is_named(monkeypatch, capsys):
    monkeypatch.setattr("nnlite.cli.problems.find_spec", lambda name: None)
    assert main(["lab"]) == 2
    assert 'python -m pip install "nnlite[lectures]"' in capsys.readouterr().err
