"""What stops a lecture's kernel is told by name, and nothing it has started is left."""

import re
import sys

import pytest

from nnlite.cli import kernel
from nnlite.cli.execute import Runner
from nnlite.cli.find import Lecture
from nnlite.cli.kernel import kernel_environment

BAD = "closed_form({claim!r}, 1.0, 2.0, atol=0)"
CAUGHT = "try:\n    " + BAD + "\nexcept AssertionError:\n    pass\n"
GOOD = "closed_form({claim!r}, 1.0, 1.0, atol=0)"


def _run(folder, write_lecture, cells, timeout=60.0):
    path = write_lecture(folder, "01_lecture", *cells)
    return Runner(kernel_environment(1, False), timeout).run(Lecture(path), lambda *_: None)


@pytest.mark.parametrize(
    ("cell", "status", "message"),
    [
        ("%nosuchmagic", "error", r"^UsageError: .*`%nosuchmagic` not found"),
        ("%%nosuchmagic\nx", "error", r"^UsageError: .*`%%nosuchmagic` not found"),
        ("%run missing.py", "error", r"File `'missing\.py'` not found"),
        ("!exit 3", "error", r"exit status 3|exit 3.*non-zero"),
        ("import sys\nsys.exit()", "error", "SystemExit"),
        ("input()", "error", "frontend does not support input"),
        ("while True:\n    print('x' * 1000)", "too much output", "^cell 3 wrote more than 8 MB"),
    ],
    ids=lambda value: value.split("\n")[0] if isinstance(value, str) else None,
)
def test_a_cell_that_ends_badly_is_told_by_name(tmp_path, write_lecture, cell, status, message):
    result = _run(tmp_path, write_lecture, [cell, GOOD.format(claim="good")])
    assert (result.status, result.cell) == (status, 3), result.problem
    assert re.search(message, result.problem, flags=re.DOTALL)


def test_output_without_end_is_stopped_before_it_takes_memory(tmp_path, write_lecture):
    cells = ["x = 1", "print('x' * 200_000_000)"]
    result = _run(tmp_path, write_lecture, cells)
    assert (result.status, result.cell) == ("too much output", 4)
    assert not result.notebook.cells[3].outputs


@pytest.mark.skipif(sys.platform == "win32", reason="ends what its shell started by POSIX means")
def test_what_a_lecture_has_started_ends_with_it(tmp_path, write_lecture, has_ended):
    pid = tmp_path / "pid"
    start = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))"
    )
    result = _run(tmp_path, write_lecture, [start, GOOD.format(claim="good")])
    assert result.passed, result.problem
    assert has_ended(int(pid.read_text()))


def test_a_lecture_that_is_stopped_while_its_kernel_starts_does_not_run(
    tmp_path, write_lecture, monkeypatch
):
    runner = Runner(kernel_environment(1, False), 60)
    start = kernel.Client.async_start_new_kernel

    async def stopped_meanwhile(self, **options):
        runner.stop()
        await start(self, **options)

    monkeypatch.setattr(kernel.Client, "async_start_new_kernel", stopped_meanwhile)
    path = write_lecture(tmp_path, "01_lecture", GOOD.format(claim="good"))
    cells = []
    result = runner.run(Lecture(path), lambda number, total: cells.append(number))
    assert (result.status, cells) == ("stopped", [])
    assert runner.run(Lecture(path), lambda *_: None).status == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
def test_a_kernel_that_dies_says_of_what(tmp_path, write_lecture):
    dies = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    result = _run(tmp_path, write_lecture, [dies])
    assert (result.status, result.cell) == ("kernel died", 3)
    assert "SIGKILL" in result.problem
    assert "memory" in result.problem
