"""The progress display: codes on a terminal, plain lines elsewhere."""

import io
import time
from pathlib import Path

import pytest

from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture
from nnlite.cli.progress import Progress, clock, duration

LECTURES = [Lecture(Path("01_first.ipynb"), budget=20), Lecture(Path("02_second.ipynb"), budget=60)]


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_live_line_with_lecture_cell_elapsed_and_expected_time():
    stream = _Terminal()
    with Progress(LECTURES, jobs=2, full=False, stream=stream) as progress:
        progress.begin(LECTURES[0])
        progress.at_cell(LECTURES[0], 3, 40)
        time.sleep(0.5)
        progress.end(Result(LECTURES[0], seconds=18.2))
    text = stream.getvalue()
    assert "running 2 lectures, expected 60 s" in text
    assert "0/2 done" in text
    assert "0:00 of about 1:00" in text
    assert "01_first cell 3/40" in text
    assert "✓ 01_first: 0 checks, 18 s (expected 20 s)\n" in text
    assert text.endswith("\r\x1b[K")


def test_elsewhere_only_lines_with_the_time_are_written():
    stream = io.StringIO()
    with Progress(LECTURES, jobs=1, full=False, stream=stream) as progress:
        progress.begin(LECTURES[0])
        progress.end(Result(LECTURES[0], status="timeout"))
    assert stream.getvalue().splitlines() == [
        "[ 0:00] running 2 lectures, expected 80 s",
        "[ 0:00] 01_first begins (expected 20 s)",
        "[ 0:00] ✗ 01_first: TIMEOUT, 0.0 s (expected 20 s)",
    ]


def test_without_expected_times_none_is_invented():
    stream = io.StringIO()
    with Progress([Lecture(Path("01_first.ipynb"))], jobs=1, full=False, stream=stream):
        pass
    assert stream.getvalue() == "[ 0:00] running 1 lecture\n"


@pytest.mark.parametrize(
    ("seconds", "said", "clocked"),
    [
        (0.04, "0.0 s", "0:00"),
        (8.23, "8.2 s", "0:08"),
        (74.2, "74 s", "1:14"),
        (310, "5 min 10 s", "5:10"),
    ],
)
def test_durations_read_as_one_says_them(seconds, said, clocked):
    assert duration(seconds) == said
    assert clock(seconds) == clocked
