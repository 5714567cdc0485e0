"""``nnlite lectures``: what a run of good lectures tells and writes, in real kernels."""

import importlib.util
import json
import os
import re
import sys

import nbformat
import pytest
from running import CHECK, run_lectures

from nnlite.checks import Check
from nnlite.checks.closed_forms.recording import CHECK_MIME
from nnlite.cli import lectures, main

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
    return folder, run_lectures(folder, "--full", "--output", "out", **environment)


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
