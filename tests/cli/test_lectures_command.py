"""``nnlite lectures`` without running any: the list, bad requests, and output that goes nowhere."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from running import COMMAND

import nnlite
from nnlite.cli import lectures, main, pages
from nnlite.cli.find import lectures_in


def test_list_shows_titles_and_expected_times(tmp_path, monkeypatch, capsys, write_lecture):
    write_lecture(tmp_path / "lectures", "01_gradients", budget_seconds=20)
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "--list"]) == 0
    assert re.search(r"01_gradients +20 s +Title of 01_gradients\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jobs", "0"],
        ["--jobs", "two"],
        ["--jobs", "1.5"],
        ["--jobs", "9" * 5000],
        *(["--timeout", value] for value in ("0", "-1", "nan", "inf", "1e300", "soon", "2,5")),
    ],
)
def test_senseless_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lectures", *arguments])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert re.search(rf"{arguments[0]}: must be a (whole )?number of", said), said


def test_list_takes_the_times_that_were_measured_here(tmp_path, monkeypatch, capsys, write_lecture):
    write_lecture(tmp_path / "lectures", "01_gradients", budget_seconds=20)
    write_lecture(tmp_path / "lectures", "02_pca", budget_seconds=30)
    (tmp_path / "build").mkdir()
    times = {"measured_seconds": {"short": {"01_gradients": 12.3}, "full": {"02_pca": 99}}}
    (tmp_path / "build" / "ledger.json").write_text(json.dumps(times))
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "--list"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"01_gradients +\*12 s +Title", said)
    assert re.search(r"02_pca +30 s +Title", said)
    assert "* measured here, see build" in said
    assert main(["lectures", "--list", "--full"]) == 0
    assert re.search(r"02_pca +\*99 s +Title", capsys.readouterr().out)


def test_the_run_time_that_a_lecture_tells_is_the_one_that_is_listed():
    for lecture in lectures_in(Path(__file__).parents[2] / "lectures"):
        prose = "".join(nbformat.read(lecture.path, as_version=4).cells[0].source)
        told = re.search(r"(?:[Rr]un(?:s in|.time:)\W*|computes for )about (\d+) s", prose)
        assert told, lecture.name
        assert lecture.budget == float(told[1]), lecture.name


def test_an_unknown_lecture_exits_with_two(tmp_path, monkeypatch, capsys, write_lecture):
    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "7"]) == 2
    assert "no lecture fits '7'; there are: 01_gradients" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()


def test_a_missing_package_exits_with_two_and_the_pip_command(monkeypatch, capsys):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "nnlite.cli.problems.find_spec", lambda name: None if name == "nbclient" else real(name)
    )
    assert main(["lectures"]) == 2
    assert "nbclient is not installed. Install with:  python -m pip install nbclient " in (
        capsys.readouterr().err
    )


def test_an_output_folder_that_cannot_be_made_exits_with_two(
    tmp_path, monkeypatch, capsys, write_lecture
):
    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").write_text("a file")
    assert main(["lectures"]) == 2
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize("output", [".", "", "lectures/.."])
def test_the_lectures_themselves_are_never_written_over(
    tmp_path, monkeypatch, capsys, write_lecture, output
):
    path = write_lecture(tmp_path / "lectures", "01_gradients")
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "--output", output]) == 2
    assert "would replace the lectures themselves" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_ledger_that_cannot_be_written_is_printed_and_exits_with_two(
    tmp_path, monkeypatch, capsys, write_lecture
):
    def full_disk(*_):
        raise OSError("no space left")

    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lectures, "_run_all", lambda *_: ([], None))
    monkeypatch.setattr(pages, "write", full_disk)
    assert main(["lectures"]) == 2
    captured = capsys.readouterr()
    assert "0 of 0 lectures passed" in captured.out
    assert "cannot write to build: no space left; choose a folder with --output" in captured.err


def test_a_browser_is_told_how_to_run_lectures(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert main(["lectures"]) == 2
    assert "Run > Run All Cells" in capsys.readouterr().err


# --- output that goes nowhere ---------------------------------------------------------------------


@pytest.fixture
def listing(tmp_path, write_lecture):
    """A folder in which ``nnlite lectures --list`` has something to say."""
    write_lecture(tmp_path / "lectures", "01_gradients")
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way there")
def test_a_reader_who_has_gone_is_no_traceback(listing):
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "--list"]
    run = subprocess.run(
        command, cwd=listing, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
def test_a_full_device_is_told_in_a_sentence(listing):
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [*COMMAND, "--list"],
            cwd=listing,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert re.fullmatch(r"nnlite lectures: .*No space left on device\n", run.stderr)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete a folder in use")
def test_a_working_folder_that_was_deleted_is_told_in_a_sentence(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys\nos.rmdir(os.getcwd())\n"
        "from nnlite.cli import main\nsys.exit(main(['lectures']))"
    )
    here = str(Path(nnlite.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": here}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=gone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "has been deleted" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
def test_messages_that_nobody_can_be_told_do_not_change_the_exit_code(listing):
    with open("/dev/full", "w") as full:
        run = subprocess.run([*COMMAND, "no such lecture"], cwd=listing, stderr=full, check=False)
    assert run.returncode == 2
