"""The progress display: a line that changes on a terminal, plain lines elsewhere."""

import io
import time
from pathlib import Path

import pytest

from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture
from nnlite.cli.progress import Line, Progress, Work, clock, duration

LECTURES = [Lecture(Path("01_first.ipynb")), Lecture(Path("02_second_with_a_long_name.ipynb"))]
EXPECTED = {"01_first": 20.0, "02_second_with_a_long_name": 60.0}


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes terminals of so many columns."""

    def make(columns):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        return _Terminal()

    return make


def _wait_for(text, stream):
    while text not in stream.getvalue():
        time.sleep(0.02)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_a_live_line_with_cells_elapsed_time_and_time_left(terminal, columns):
    stream = terminal(columns)
    with Progress(LECTURES, jobs=2, expected=EXPECTED, stream=stream) as progress:
        for lecture in LECTURES:
            progress.begin(lecture)
            progress.at_cell(lecture, 21, 40)
        _wait_for("left", stream)
        progress.end(Result(LECTURES[0], seconds=18.2))
    text = stream.getvalue()
    assert "running 2 lectures, about 60 s" in text
    line = text[text.index("█") :].split("\r")[0].rstrip()
    bar, words = line.split("  ", 1)
    assert bar.count("█") == len(bar) // 2
    assert words.startswith("0/2 done  0:00, about 0:15 left  01 cell 21/40  02 cell 21/40")
    assert len(line) < columns
    assert text.endswith("\r")


@pytest.mark.parametrize("columns", [20, 30, 40, 60])
def test_on_a_narrow_terminal_the_cell_is_what_stays(terminal, columns):
    stream = terminal(columns)
    with Progress(LECTURES, jobs=1, expected=EXPECTED, stream=stream) as progress:
        progress.begin(LECTURES[0])
        progress.at_cell(LECTURES[0], 3, 40)
        _wait_for("cell", stream)
    lines = stream.getvalue().split("\n", 1)[1].split("\r")
    assert any("01 cell 3/40" in line for line in lines)
    assert all(len(line) < columns for line in lines)


def test_no_escape_code_is_written_anywhere(terminal):
    stream = terminal(80)
    with Progress(LECTURES, jobs=1, expected={}, stream=stream) as progress:
        progress.begin(LECTURES[0])
        progress.end(Result(LECTURES[0], status="timeout"))
    assert "\x1b" not in stream.getvalue()
    assert "✗ 01_first: TIMEOUT, 0.0 s\n" in stream.getvalue()


def test_a_dumb_terminal_gets_lines(terminal, monkeypatch):
    stream = terminal(80)
    monkeypatch.setenv("TERM", "dumb")
    with Progress(LECTURES, jobs=1, expected=EXPECTED, stream=stream):
        pass
    assert stream.getvalue() == "[ 0:00] running 2 lectures, about 80 s\n"


def test_elsewhere_only_lines_with_the_time_are_written():
    stream = io.StringIO()
    with Progress(LECTURES, jobs=1, expected=EXPECTED, stream=stream) as progress:
        progress.begin(LECTURES[0])
        progress.end(Result(LECTURES[0], status="timeout"))
    assert stream.getvalue().splitlines() == [
        "[ 0:00] running 2 lectures, about 80 s",
        "[ 0:00] 01_first begins (expected 20 s)",
        "[ 0:00] ✗ 01_first: TIMEOUT, 0.0 s (expected 20 s)",
    ]


def test_without_expected_times_none_is_invented():
    stream = io.StringIO()
    with Progress(LECTURES[:1], jobs=1, expected={}, stream=stream) as progress:
        assert progress.left(10.0) is None
    assert stream.getvalue() == "[ 0:00] running 1 lecture\n"


def test_the_bar_shows_what_has_run_and_is_full_at_the_end_only():
    progress = Progress(LECTURES, jobs=1, expected=EXPECTED, stream=io.StringIO())
    assert progress.fraction == 0
    progress.begin(LECTURES[1])
    progress.at_cell(LECTURES[1], 40, 40)  # the last cell may take longest
    assert progress.fraction == pytest.approx(0.75 * 39 / 40)
    progress.end(Result(LECTURES[1]))
    assert progress.fraction == pytest.approx(0.75)
    progress.end(Result(LECTURES[0]))
    assert progress.fraction == 1
    assert Line(io.StringIO()).bar(0.99, 20) == "█" * 19 + "░"


def test_the_time_left_goes_from_the_expected_pace_to_that_of_the_cells():
    progress = Progress(LECTURES, jobs=1, expected=EXPECTED, stream=io.StringIO())
    assert progress.left(0.0) == 80
    assert progress.left(100.0) > 80  # nothing has run yet: it takes longer than expected
    progress.at_cell(LECTURES[1], 40, 40)
    progress.at_cell(LECTURES[0], 40, 40)
    assert progress.left(400.0) == pytest.approx(400 / 40, rel=0.1)  # five times as slow


def test_a_stream_that_breaks_is_left_alone():
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    with Progress(LECTURES, jobs=1, expected={}, stream=Broken()) as progress:
        progress.begin(LECTURES[0])
        progress.end(Result(LECTURES[0]))


def test_a_console_without_the_signs_of_the_bar_gets_plain_ones():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    assert Line(stream).bar(0.5, 4) == "##--"


def test_one_long_piece_of_work_shows_its_steps(terminal):
    stream = terminal(60)
    with Work("compiling kernels", stream) as work:
        _wait_for("compiling kernels  0:00", stream)
        work(3, 12)
        _wait_for("compiling kernels 3/12  0:0", stream)
    assert "█████░" in stream.getvalue()


def test_no_stream_at_all_is_no_reason_to_stop(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)  # as under pythonw, or after 2>&-
    with Progress(LECTURES, jobs=1, expected={}):
        pass


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
