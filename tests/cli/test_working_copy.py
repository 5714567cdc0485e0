"""The working copy: new lectures arrive, edited ones stay, and nobody's work is overwritten."""

import json

import nbformat
import pytest

from nnlite.cli import working_copy
from nnlite.cli.problems import Problem
from nnlite.cli.working_copy import changed_cells, update


@pytest.fixture
def course(tmp_path):
    """A folder of lectures and the place of its copy."""
    source = tmp_path / "lectures"
    (source / "tables").mkdir(parents=True)
    (source / "01_a.txt").write_text("first")
    (source / "tables" / "study.csv").write_text("1,2")
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / "01_a.txt").write_text("somebody's checkpoint")
    return source, tmp_path / "copy"


def _visible(folder):
    files = (p for p in folder.rglob("*") if p.is_file())
    names = (p.relative_to(folder).as_posix() for p in files)
    return sorted(name for name in names if not name.startswith("."))


def test_the_first_start_copies_everything_but_hidden_files(course):
    source, copy = course
    done = update(source, copy)
    assert _visible(copy) == ["01_a.txt", "tables/study.csv"]
    assert done.copied == [copy / "01_a.txt", copy / "tables" / "study.csv"]
    again = update(source, copy)
    assert (again.written, again.kept) == ([], [])


def test_an_edited_file_is_kept_at_every_start(course):
    source, copy = course
    update(source, copy)
    (copy / "01_a.txt").write_text("mine")
    for _ in range(2):
        done = update(source, copy)
        assert done.kept == [copy / "01_a.txt"]
        assert done.written == []
        assert (copy / "01_a.txt").read_text() == "mine"


def test_a_file_that_nobody_edited_is_brought_up_to_date(course):
    source, copy = course
    update(source, copy)
    (source / "01_a.txt").write_text("second")
    assert update(source, copy).replaced == [copy / "01_a.txt"]
    assert (copy / "01_a.txt").read_text() == "second"
    assert _visible(copy) == ["01_a.txt", "tables/study.csv"]


def test_of_an_edited_file_the_new_version_comes_beside_it_once(course):
    source, copy = course
    update(source, copy)
    (copy / "01_a.txt").write_text("mine")
    (source / "01_a.txt").write_text("second")
    [(mine, beside, _)] = update(source, copy).beside
    assert mine.read_text() == "mine"
    assert beside.read_text() == "second"
    assert beside.name.startswith("01_a (new ")
    assert update(source, copy).written == []
    # The new version is a file like any other: edited, it is left alone, on the same day too.
    beside.write_text("mine as well")
    (source / "01_a.txt").write_text("third")
    [(_, third, _)] = update(source, copy).beside
    assert (beside.read_text(), third.read_text()) == ("mine as well", "third")


def test_a_file_from_before_there_were_copies_counts_as_edited(course):
    source, copy = course
    copy.mkdir()
    (copy / "01_a.txt").write_text("my notes")
    [(mine, beside, _)] = update(source, copy).beside
    assert (mine.read_text(), beside.read_text()) == ("my notes", "first")


def test_a_deleted_file_comes_back_fresh(course):
    source, copy = course
    update(source, copy)
    (copy / "01_a.txt").unlink()
    assert update(source, copy).copied == [copy / "01_a.txt"]


@pytest.mark.parametrize("stopped_at", range(1, 6))
def test_an_update_that_is_stopped_anywhere_loses_nothing_and_is_finished_by_the_next(
    course, monkeypatch, stopped_at
):
    source, copy = course
    update(source, copy)
    (copy / "01_a.txt").write_text("mine")
    (source / "01_a.txt").write_text("second")
    (source / "tables" / "study.csv").write_text("3,4")
    write, calls = working_copy._write, []

    def stops(path, content):
        calls.append(path)
        if len(calls) == stopped_at:
            raise OSError("disk full")
        write(path, content)

    monkeypatch.setattr(working_copy, "_write", stops)
    if stopped_at <= 4:  # two files, each written and remembered
        with pytest.raises(Problem, match=r"disk full.*--work"):
            update(source, copy)
    monkeypatch.setattr(working_copy, "_write", write)
    update(source, copy)
    assert (copy / "01_a.txt").read_text() == "mine"
    assert (copy / "tables" / "study.csv").read_text() == "3,4"
    [beside] = copy.glob("01_a (new*")
    assert beside.read_text() == "second"


def test_a_folder_that_cannot_be_made_is_a_problem_with_a_way_out(course, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"cannot copy the lectures to .*file.*--work DIR"):
        update(course[0], tmp_path / "file")


def _notebook(*cells, outputs=()):
    return json.dumps(
        nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(text, id=name, outputs=list(outputs))
                for name, text in cells
            ]
        )
    ).encode()


def test_what_changed_is_told_cell_by_cell_and_outputs_do_not_count():
    before = _notebook(("a", "x = 1"), ("b", "y = 2"), ("c", "z = 3"))
    output = nbformat.v4.new_output("stream", text="1")
    assert changed_cells(before, _notebook(("a", "x = 1"), outputs=[output])) == [
        "gone: y = 2",
        "gone: z = 3",
    ]
    after = _notebook(("a", "x = 1"), ("new", "\n# what\nfor"), ("b", "y = 20"), ("c", "z = 3"))
    assert changed_cells(before, after) == ["cell 2 is new: # what", "cell 3 is changed: y = 20"]


@pytest.mark.parametrize("odd", [b"", b"[1]", b"{}", b'{"cells": 3}', b"\xff", b'{"cells": [1]}'])
def test_a_file_that_is_no_notebook_has_no_changed_cells(odd):
    assert changed_cells(odd, _notebook(("a", "x"))) == []
