"""``nnlite lectures`` with bad lectures, in real kernels: all run, and each failure is told."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from running import CHECK, COMMAND, run_lectures

from nnlite.checks import Check
from nnlite.checks.closed_forms.recording import CHECK_MIME


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
    run = run_lectures(folder, "--timeout", "2.5", "--jobs", "2")
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
