"""``nnlite lectures``: good and bad lectures in real kernels, and what is told and written."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from nnlite.checks.ledger import CHECK_MIME, Check
from nnlite.cli import lectures, main

CHECK = "closed_form('one', 1.0, 1.0, atol=1e-6, formula='x^2', source='Author 1999, eq. 1')"
COMMAND = [sys.executable, "-X", "utf8", "-m", "nnlite.cli", "lectures"]


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


# --- lectures that go well ------------------------------------------------------------------------

ENVIRONMENT = """
import os, sys
closed_form("threads", float(os.environ["OPENBLAS_NUM_THREADS"]), 1, atol=0)
closed_form("full", float(os.environ["NNLITE_FULL"]), 1, atol=0)
closed_form("same Python", sys.executable == {executable!r}, True, atol=0)
closed_form("where", os.path.basename(os.getcwd()) == "lectures", True, atol=0)
closed_form("backend of figures", os.environ["MPLBACKEND"].endswith("inline"), True, atol=0)
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory, write_lecture):
    """A course that passes: its folder and the run of ``nnlite lectures --full``."""
    folder = tmp_path_factory.mktemp("good")
    write_lecture(
        folder / "lectures",
        "01_good",
        CHECK,
        "with expected_failure('a bug'):\n    closed_form('two', 1.0, 2.0, atol=0.1)",
        "ledger()",
        budget_seconds=3,
        full_budget_seconds=4,
    )
    write_lecture(
        folder / "lectures",
        "02_environment",
        ENVIRONMENT.format(executable=sys.executable),
        full_budget_seconds=4,
    )
    # The limits of this test run must not decide, a backend for scripts must not get through.
    environment = {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    return folder, _run(folder, "--full", "--output", "out", **environment)


def test_a_course_that_passes_exits_with_zero_and_prints_its_ledger(good):
    _, run = good
    assert run.returncode == 0, run.stdout + run.stderr
    assert "01_good  Title of 01_good\n" in run.stdout
    row = r"✓ pass +one +1\.0+ +1\.0+ +atol 1e-6\n +x²   \[Author 1999, eq\. 1\]\n"
    assert re.search(row, run.stdout)
    assert "✗ broken on" in run.stdout
    assert "2 of 2 lectures passed; 6 of 6 checks pass; 1 broken on purpose" in run.stdout


def test_progress_tells_which_lecture_how_long_and_how_long_expected(good):
    _, run = good
    assert "running 2 lectures, expected 4.0 s" in run.stderr
    assert re.search(r"✓ 01_good: 2 checks, \d+(\.\d)? s \(expected 4\.0 s\)", run.stderr)
    assert "\x1b" not in run.stderr  # not a terminal, so no codes of one


def test_kernels_are_compiled_before_the_first_lecture_begins(good):
    _, run = good
    if importlib.util.find_spec("numba") is None:
        assert "kernels" not in run.stderr
    else:
        assert run.stderr.index("kernels are ready") < run.stderr.index("running 2 lectures")


def test_kernels_that_are_not_compiled_are_not_prepared(monkeypatch, capsys):
    monkeypatch.setattr("nnlite.kernels.backend", lambda: "numpy")
    lectures._compile_kernels()
    assert capsys.readouterr().err == ""


def test_kernels_that_do_not_work_exit_with_two(tmp_path, monkeypatch, capsys, write_lecture):
    def broken():
        raise ImportError("NNLITE_KERNELS=numba, but Numba cannot be imported")

    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nnlite.kernels.backend", broken)
    assert main(["lectures"]) == 2
    assert "Numba cannot be imported; nnlite doctor" in capsys.readouterr().err


def test_the_ledger_is_written_for_people_and_programs(good):
    folder, _ = good
    written = json.loads((folder / "out" / "ledger.json").read_text(encoding="utf-8"))
    assert written["passed"] is True
    assert written["full"] is True
    first = written["lectures"][0]
    assert (first["name"], first["status"], first["expected_seconds"]) == ("01_good", "passed", 4)
    rows = [{k: v for k, v in row.items() if k != "cell"} for row in first["checks"]]
    assert [Check.from_json(row).on_purpose for row in rows] == ["", "a bug"]
    assert [row["cell"] for row in first["checks"]] == [3, 4]
    page = (folder / "out" / "ledger.md").read_text(encoding="utf-8")
    assert "## Title of 01_good" in page
    assert "| ✓ pass | one | $x^2$ |" in page


def test_executed_notebooks_are_written_whole_and_nothing_else_is(good):
    folder, _ = good
    written = {p.relative_to(folder / "out").as_posix() for p in folder.rglob("out/**/*.*")}
    assert written == {
        "ledger.json",
        "ledger.md",
        "lectures/01_good.html",
        "lectures/01_good.ipynb",
        "lectures/02_environment.html",
        "lectures/02_environment.ipynb",
    }
    executed = nbformat.read(folder / "out" / "lectures" / "01_good.ipynb", as_version=4)
    assert CHECK_MIME in executed.cells[2].outputs[0].data
    html = (folder / "out" / "lectures" / "01_good.html").read_text(encoding="utf-8")
    assert "broken on purpose" in html
    # The lectures themselves are as they were.
    source = nbformat.read(folder / "lectures" / "01_good.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in source.cells)


# --- lectures that go wrong -----------------------------------------------------------------------


def _add_stale_output(path: Path) -> None:
    """Commit a passing check as the output of a cell that will never run."""
    row = Check("stale", 1.0, 1.0, 0.1, "atol 0.1", True).to_json()
    notebook = nbformat.read(path, as_version=4)
    output = new_output("display_data", {CHECK_MIME: row, "text/plain": "stale"})
    notebook.cells[-1].outputs = [output]
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def bad(tmp_path_factory, write_lecture):
    """A course in which one lecture goes well: its folder, the run, and its ledger by name."""
    folder = tmp_path_factory.mktemp("bad")
    here = folder / "lectures"
    write_lecture(here, "01_good", CHECK)
    write_lecture(here, "02_mismatch", CHECK, "closed_form('noise variance', 3.18, 5, rtol=1e-3)")
    write_lecture(here, "03_exception", "x = {}\nx['W']", CHECK)
    write_lecture(here, "04_hangs", CHECK, "while True:\n    pass")
    write_lecture(here, "05_checks_nothing", "1 + 1")
    write_lecture(here, "06_dies", "import os\nos._exit(3)")
    (here / "07_not_json.ipynb").write_text('{"cells": [ nnlite')
    swallowed = "try:\n    closed_form('swallowed', 1, 2, atol=0)\nexcept AssertionError:\n    pass"
    write_lecture(here, "08_swallows", CHECK, swallowed)
    _add_stale_output(write_lecture(here, "09_stale", "1 / 0", CHECK))
    (here / "10_list.ipynb").write_text("[]")
    write_lecture(here, "11_endless message", "raise ValueError('y' * 100_000)", CHECK)
    run = _run(folder, "--timeout", "2", "--jobs", "2")
    written = json.loads((folder / "build" / "ledger.json").read_text(encoding="utf-8"))
    return folder, run, {entry["name"]: entry for entry in written["lectures"]}


def test_a_course_with_failures_exits_with_one_and_runs_to_its_end(bad):
    _, run, ledger = bad
    assert run.returncode == 1
    assert {name: entry["status"] for name, entry in ledger.items()} == {
        "01_good": "passed",
        "02_mismatch": "failed check",
        "03_exception": "error",
        "04_hangs": "timeout",
        "05_checks_nothing": "no checks",
        "06_dies": "kernel died",
        "07_not_json": "unreadable",
        "08_swallows": "failed check",
        "09_stale": "error",
        "10_list": "unreadable",
        "11_endless message": "error",
    }
    assert "1 of 11 lectures passed" in run.stdout


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        (
            "02_mismatch",
            ", cell 4 (In [3])",
            r"noise variance\s+measured +3\.18\s+expected == 5\.00",
        ),
        ("03_exception", ", cell 3 (In [2])", r"KeyError: 'W'"),
        ("04_hangs", ", cell 4 (In [3])", r"longer than 2 s.*--timeout"),
        ("05_checks_nothing", "", r"checked nothing"),
        ("06_dies", ", cell 3 (In [2])", r"kernel died"),
        ("07_not_json", "", r"invalid JSON at line 1, column 13"),
        ("08_swallows", ", cell 4 (In [3])", r"swallowed\s+measured"),
        ("09_stale", ", cell 3 (In [2])", r"ZeroDivisionError"),
        ("10_list", "", r"not a notebook"),
        ("11_endless message", ", cell 3 (In [2])", r"ValueError: y{380,390}\.\.\."),
    ],
)
def test_a_failure_names_notebook_cell_and_numbers(bad, name, cell, message):
    _, run, ledger = bad
    end = run.stdout[run.stdout.index("✗ 02_mismatch") :]
    report = end[end.index(f"✗ {name}{cell}: {ledger[name]['status']}") :].split("\n✗ ")[0]
    assert re.search(message, report, flags=re.DOTALL)
    assert "\x1b" not in report
    assert re.search(message, ledger[name]["problem"], flags=re.DOTALL)


def test_checks_before_the_failure_are_kept_and_outputs_that_came_with_the_file_are_not(bad):
    _, _, ledger = bad
    assert [c["claim"] for c in ledger["02_mismatch"]["checks"]] == ["one", "noise variance"]
    assert [c["claim"] for c in ledger["04_hangs"]["checks"]] == ["one"]
    assert ledger["09_stale"]["checks"] == []


def test_a_lecture_that_fails_is_written_as_far_as_it_came(bad):
    folder, _, _ = bad
    executed = nbformat.read(folder / "build" / "lectures" / "03_exception.ipynb", as_version=4)
    assert executed.cells[2].outputs[0].ename == "KeyError"
    assert not (folder / "build" / "lectures" / "07_not_json.ipynb").exists()
    assert not list(folder.rglob("*.part"))


def _ended(process: int) -> bool:
    """Whether a process has ended within ten seconds, even if nobody has asked how."""
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{process}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to send one process a Ctrl-C")
def test_ctrl_c_ends_the_run_and_its_kernels(tmp_path, write_lecture):
    pid = tmp_path / "pid"
    # What the lecture has started must end as well, here a process that sleeps.
    hang = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')"
    )
    write_lecture(tmp_path / "lectures", "01_hangs", hang, "while True:\n    time.sleep(1)")
    run = subprocess.Popen(
        COMMAND,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background has its children ignore the signal; undo that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 60
        while not (pid.exists() and pid.read_text()):
            assert time.monotonic() < deadline
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "nnlite lectures: stopped." in errors
    assert "Traceback" not in errors
    for process in map(int, pid.read_text().split()):
        assert _ended(process)


# --- without running anything ---------------------------------------------------------------------


def test_list_shows_titles_and_expected_times(tmp_path, monkeypatch, capsys, write_lecture):
    write_lecture(tmp_path / "lectures", "01_gradients", budget_seconds=20)
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "--list"]) == 0
    assert re.search(r"01_gradients +20 s +Title of 01_gradients\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments", [["--jobs", "0"], ["--timeout", "0"], ["--timeout", "nan"], ["--jobs", "two"]]
)
def test_senseless_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lectures", *arguments])
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


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


def test_a_ledger_that_cannot_be_written_is_printed_and_exits_with_two(
    tmp_path, monkeypatch, capsys, write_lecture
):
    def full_disk(*_):
        raise OSError("no space left")

    write_lecture(tmp_path / "lectures", "01_gradients")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lectures, "_run_all", lambda *_: [])
    monkeypatch.setattr(lectures, "_write", full_disk)
    assert main(["lectures"]) == 2
    captured = capsys.readouterr()
    assert "0 of 0 lectures passed" in captured.out
    assert "cannot write to build: no space left; choose a folder with --output" in captured.err


def test_a_file_is_replaced_in_one_step_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "ledger.md"
    lectures._write(path, "old")

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        lectures._write(path, "new")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]
