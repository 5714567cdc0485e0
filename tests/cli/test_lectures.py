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

import nnlite
from nnlite.checks import Check
from nnlite.checks.closed_forms.recording import CHECK_MIME
from nnlite.cli import lectures, main, pages
from nnlite.cli.find import lectures_in

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
        check=False,
    )


# --- lectures that go well ------------------------------------------------------------------------

ENVIRONMENT = """
import os, sys
closed_form("threads", float(os.environ["OPENBLAS_NUM_THREADS"]), 1, atol=0)
closed_form("full", float(os.environ["NNLITE_FULL"]), 1, atol=0)
closed_form("same Python", os.path.samefile(sys.prefix, {prefix!r}), True, atol=0)
closed_form("no start-up files", os.environ["IPYTHONDIR"] == {own!r}, False, atol=0)
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
        ENVIRONMENT.format(prefix=sys.prefix, own=os.environ.get("IPYTHONDIR")),
        full_budget_seconds=4,
    )
    # The limits of this test run must not decide, a backend for scripts must not get through.
    environment = {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    return folder, _run(folder, "--full", "--output", "out", **environment)


def test_a_course_that_passes_exits_with_zero_and_prints_a_line_per_lecture(good):
    _, run = good
    assert run.returncode == 0, run.stdout + run.stderr
    first = r"^✓ 01_good +\d+(\.\d)? s  1 of 1 checks pass; 1 broken on purpose$"
    assert re.search(first, run.stdout, flags=re.MULTILINE)
    assert len(run.stdout.splitlines()) < 10
    assert "✓ pass" not in run.stdout
    assert "2 of 2 lectures passed; 7 of 7 checks pass; 1 broken on purpose" in run.stdout


def test_progress_tells_which_lecture_how_long_and_how_long_expected(good):
    _, run = good
    said = re.search(r"running 2 lectures, about ([\d.]+) s", run.stderr)
    assert 0.25 * 4 <= float(said[1]) <= 30 * 4  # what the lectures state, as this machine is
    took = rf"✓ 01_good: 2 checks, \d+(\.\d)? s \(expected {said[1]} s\)"
    assert re.search(took, run.stderr)
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
        "index.html",
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


def _write_odd_files(here: Path) -> None:
    """Files named like lectures that are none, or hardly."""
    (here / "60_folder.ipynb").mkdir()
    (here / "61_empty.ipynb").write_text("")
    (here / "62_deep.ipynb").write_text("[" * 100_000)
    cells = '"cells": [], "nbformat": 4, "nbformat_minor": 5'
    (here / "63_metadata.ipynb").write_text(f'{{{cells}, "metadata": []}}')
    (here / "64_cell.ipynb").write_text(cells.join(["{", "}"]).replace("[]", '[{"cell_type": 7}]'))
    (here / "65_old.ipynb").write_text('{"nbformat": 3, "worksheets": []}')
    (here / "66_latin.ipynb").write_bytes(b'{"cells": "\xe9"}')
    if os.name != "nt":
        (here / "67_dangling.ipynb").symlink_to("nowhere")
        (here / "68_loop.ipynb").symlink_to("68_loop.ipynb")
        os.mkfifo(here / "69_pipe.ipynb")


@pytest.fixture(scope="module")
def bad(tmp_path_factory, write_lecture):
    """A course in which one lecture goes well: its folder, the run, and its ledger by name."""
    folder = tmp_path_factory.mktemp("bad")
    here = folder / "lectures"
    good = write_lecture(here, "01_good", CHECK, budget_seconds=float("inf"))
    good.write_text("\ufeff" + good.read_text("utf-8"), "utf-8")  # as some editors begin a file
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
    _write_odd_files(here)
    write_lecture(here, "11_endless message", "raise ValueError('y' * 100_000)", CHECK)
    run = _run(folder, "--timeout", "2.5", "--jobs", "2")
    written = json.loads((folder / "build" / "ledger.json").read_text(encoding="utf-8"))
    return folder, run, {entry["name"]: entry for entry in written["lectures"]}


def test_a_course_with_failures_exits_with_one_and_runs_to_its_end(bad):
    _, run, ledger = bad
    assert run.returncode == 1
    odd = {name: entry["status"] for name, entry in ledger.items() if name[0] == "6"}
    assert set(odd.values()) == {"unreadable"}
    assert len(odd) == len([p for p in os.listdir(bad[0] / "lectures") if p[0] == "6"]) >= 7
    assert {n: entry["status"] for n, entry in ledger.items() if n not in odd} == {
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
    assert f"1 of {11 + len(odd)} lectures passed" in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("name", "cell", "message"),
    [
        (
            "02_mismatch",
            ", cell 4 (In [3])",
            r"noise variance\s+measured +3\.18\s+expected == 5\.00",
        ),
        ("03_exception", ", cell 3 (In [2])", r"KeyError: 'W'"),
        ("04_hangs", ", cell 4 (In [3])", r"longer than 2\.5 s.*--timeout"),
        ("05_checks_nothing", "", r"checked nothing"),
        ("06_dies", ", cell 3 (In [2])", r"kernel died"),
        ("07_not_json", "", r"invalid JSON at line 1, column 13"),
        ("08_swallows", ", cell 4 (In [3])", r"swallowed\s+measured"),
        ("09_stale", ", cell 3 (In [2])", r"ZeroDivisionError"),
        ("10_list", "", r"not a notebook"),
        ("60_folder", "", r"not a notebook but a folder"),
        ("61_empty", "", r"invalid JSON at line 1"),
        ("62_deep", "", r"nested too deeply"),
        ("63_metadata", "", r"not a valid notebook: \[\] is not of type 'object'"),
        ("64_cell", "", r"not a valid notebook: "),
        ("65_old", "", r"not a notebook of format 4"),
        ("66_latin", "", r"cannot read the file: 'utf-8' codec"),
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to send one process a Ctrl-C")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_run_and_its_kernels_and_keeps_what_has_run(
    tmp_path, write_lecture, has_ended, number
):
    pid = tmp_path / "pid"
    # What the lecture has started must end as well, here a process that sleeps.
    hang = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')"
    )
    write_lecture(tmp_path / "lectures", "01_done", CHECK)
    write_lecture(tmp_path / "lectures", "02_hangs", hang, "while True:\n    time.sleep(1)")
    write_lecture(tmp_path / "lectures", "03_waits", CHECK)
    run = subprocess.Popen(
        [*COMMAND, "--jobs", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background has its children ignore the signal; undo that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while not (pid.exists() and pid.read_text()):
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(number)
        output, errors = run.communicate()
    finally:
        run.kill()
    assert run.returncode == 130
    assert "nnlite lectures: stopped." in errors
    assert "Traceback" not in errors
    ledger = json.loads((tmp_path / "build" / "ledger.json").read_text("utf-8"))
    statuses = [entry["status"] for entry in ledger["lectures"]]
    assert statuses == ["passed", "stopped", "stopped"]
    assert "1 of 3 lectures passed; 1 of 1 checks pass" in output
    assert (tmp_path / "build" / "index.html").exists()
    assert (tmp_path / "build" / "lectures" / "01_done.html").exists()
    for process in map(int, pid.read_text().split()):
        assert has_ended(process)


# --- without running anything ---------------------------------------------------------------------


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
        told = re.search(r"[Rr]un(?:s in|.time:)\W*about (\d+) s", prose)
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


# --- core paths -----------------------------------------------------------------------------------


def test_a_core_path_runs_without_the_optional_cells_and_says_so(
    tmp_path, monkeypatch, capsys, write_lecture
):
    task = "from nnlite import more_checks, your_turn\nwith your_turn('add one'):\n    "
    path = write_lecture(
        tmp_path / "lectures",
        "01_gradients",
        "with expected_failure('a bug'):\n    closed_form('two', 1.0, 2.0, atol=0.1)",
        task + "closed_form('sum', ... + 1, 2, atol=0)",
        "raise RuntimeError('this cell is optional')",
        f"with more_checks('1 · More'):\n    {CHECK}",
    )
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"][-2]["metadata"]["tags"] = ["optional"]
    path.write_text(json.dumps(notebook), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["lectures", "--core", "--rows"]) == 0
    out = capsys.readouterr().out
    assert "1 of 1 checks pass; 1 broken on purpose; 1 left for you" in out
    assert "The story: 1 broken on purpose, caught as it should be; 1 left for you" in out
    assert "1 · More: 1 of 1 checks pass" in out
    ledger = json.loads((tmp_path / "build" / "ledger.json").read_text("utf-8"))
    assert ledger["core"] is True
    assert ledger["measured_seconds"] == {"short": {}}  # it says nothing of the whole lecture
    page = (tmp_path / "build" / "lectures" / "01_gradients.html").read_text("utf-8")
    assert "This is the core path: 1 cells" in page
    assert "this cell is optional" not in page
    assert "core paths only" in (tmp_path / "build" / "ledger.md").read_text("utf-8")


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
