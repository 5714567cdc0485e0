"""The progress bar: in notebooks, on terminals of all kinds, and where nobody looks."""

import io
import sys
import warnings

import numpy as np
import pytest

import nnlite
from nnlite import training
from nnlite.training import progress

tqdm = pytest.importorskip("tqdm")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def _terminal(monkeypatch, term="xterm", columns="80"):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in {"TERM": term, "COLUMNS": columns, "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    return stream


def test_a_terminal_shows_bar_and_losses(monkeypatch):
    terminal = _terminal(monkeypatch)
    bar = progress(4, "epochs")
    for i in bar:
        bar.show(loss=nnlite.Tensor(float(i)), accuracy=np.array([0.5]))
    line = terminal.getvalue().split("\r")[-1]
    assert line.startswith("epochs: 100%")
    assert "4/4" in line
    assert "loss=0.561" in line
    assert "accuracy=0.5" in line
    assert "\x1b" not in terminal.getvalue()


def test_a_narrow_terminal_keeps_the_numbers(monkeypatch):
    terminal = _terminal(monkeypatch, columns="20")
    bar = progress(4, "a long description of it")
    for _ in bar:
        bar.show(loss=1.5)
    assert terminal.getvalue().split("\r")[-1].startswith("4/4, loss=1.5")


def test_nested_bars_need_no_cursor_movement_on_a_dumb_terminal(monkeypatch):
    terminal = _terminal(monkeypatch, term="dumb")
    for _ in progress(2, "outer"):
        for _ in progress(iter("ab"), "inner"):
            pass
    assert "\x1b" not in terminal.getvalue()
    assert "inner" not in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_what_has_no_length_is_counted(monkeypatch):
    terminal = _terminal(monkeypatch)
    assert list(progress(iter("abc"), "items")) == ["a", "b", "c"]
    assert "3it" in terminal.getvalue()


def test_an_error_closes_the_bar(monkeypatch):
    terminal = _terminal(monkeypatch)

    def train():
        with progress(3) as bar:
            for _ in bar:
                1 / 0

    with pytest.raises(ZeroDivisionError) as kept:  # as a notebook keeps the last traceback
        train()
    assert kept.tb is not None
    assert not tqdm.tqdm._instances
    assert terminal.getvalue().endswith("\n")


def test_without_a_terminal_nothing_is_written(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress(3)) == [0, 1, 2]
    monkeypatch.setattr(sys, "stderr", None)  # as under pythonw
    assert list(progress(3)) == [0, 1, 2]
    assert stream.getvalue() == ""


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_shows_a_widget_or_text_without_a_warning(monkeypatch, widgets):
    terminal = _terminal(monkeypatch)
    made = []

    class Widget(tqdm.tqdm):
        def __init__(self, **options):
            made.append(options)
            super().__init__(file=sys.stderr, **options)

    import tqdm.notebook as notebook

    monkeypatch.setattr(notebook, "tqdm", Widget)
    monkeypatch.setattr(training._progress, "_in_notebook", lambda: True)
    find = training._progress.importlib.util.find_spec
    monkeypatch.setattr(
        training._progress.importlib.util,
        "find_spec",
        lambda name: (widgets or None) if name == "ipywidgets" else find(name),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(progress(3, "epochs")) == [0, 1, 2]
    assert len(made) == widgets
    assert "3/3" in terminal.getvalue()


@pytest.mark.parametrize("items", [np.int64(3), 3, [0, 1, 2], range(3), np.arange(3)])
def test_numbers_of_steps_and_iterables(items):
    assert list(progress(items)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        (2.5, TypeError, r"a number of steps; got 2\.5 \(float\)"),
        (True, TypeError, r"got True \(bool\)"),
        (None, TypeError, "got None"),
        (-1, ValueError, "number of steps must be an integer of at least 0; got -1"),
    ],
)
def test_what_cannot_be_iterated_over_is_refused_at_once(items, error, message):
    with pytest.raises(error, match=message):
        progress(items)


def test_a_loss_that_is_no_number_is_named():
    bar = progress(1, smoothing=0.5)
    with pytest.raises(TypeError, match="loss is None"):
        bar.show(loss=None)
    with pytest.raises(ValueError, match=r"loss must be one number; got shape \(2,\)"):
        bar.show(loss=nnlite.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="smoothing"):
        progress(1, smoothing=1.0)


@pytest.mark.parametrize("smoothing", ["a", None, True, 1, -0.1, np.nan])
def test_smoothing_is_a_share(smoothing):
    number = isinstance(smoothing, int | float) and smoothing is not True
    words = "of at least 0 and less than 1; got" if number else "; got"
    with pytest.raises(ValueError if number else TypeError, match=f"must be a number ?{words}"):
        progress(3, smoothing=smoothing)
