"""Where the expected times come from."""

import json
from pathlib import Path

import pytest

from nnlite.cli import times
from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture

LECTURES = [Lecture(Path("01_a.ipynb"), budget=20.0, full_budget=90.0), Lecture(Path("02_b.ipynb"))]


def test_what_was_measured_here_comes_before_what_a_notebook_states(monkeypatch):
    monkeypatch.setattr(times, "slowness", lambda: 3.0)
    assert times.expected(LECTURES, False, {}) == {"01_a": 60.0}
    assert times.expected(LECTURES, True, {}) == {"01_a": 270.0}
    assert times.expected(LECTURES, False, {"01_a": 7.0}) == {"01_a": 7.0}


def test_times_of_other_lectures_and_of_the_other_mode_are_kept(tmp_path):
    old = {"short": {"01_a": 5.0, "03_c": 8.0}, "full": {"01_a": 50.0}}
    (tmp_path / "ledger.json").write_text(json.dumps({"measured_seconds": old}))
    results = [Result(LECTURES[0], seconds=6.0), Result(LECTURES[1], "error", seconds=1.0)]
    assert times.remembered(tmp_path, results, False) == {
        "short": {"01_a": 6.0, "03_c": 8.0},  # a lecture that broke off tells nothing
        "full": {"01_a": 50.0},
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"measured_seconds": 3}',
        '{"measured_seconds": {"short": []}}',
        '{"measured_seconds": {"short": {"01_a": "soon"}}}',
        '{"measured_seconds": {"short": {"01_a": null}}}',
        '{"measured_seconds": {"short": {"01_a": -1, "02_b": NaN, "03_c": Infinity}}}',
        "[" * 100_000,
    ],
)
def test_an_odd_ledger_has_no_times(tmp_path, text):
    (tmp_path / "ledger.json").write_text(text)
    assert times.measured(tmp_path, False) == {}


def test_a_machine_is_compared_with_the_one_of_the_notebooks():
    assert 0.25 <= times.slowness() <= 30
