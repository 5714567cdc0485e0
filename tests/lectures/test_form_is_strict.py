"""Each rule of test_form is broken once, in a small lecture that keeps all of them."""

import copy
import inspect
import json

import pytest
import test_form
from lecture_form import Notebook, with_minutes

OPENING = """# 07 · A small lecture

How little is a lecture?

**You will learn** what is needed. **Prerequisites:** none.

**Time:** 50 minutes for the core, 2 for the ★ sections; the notebook computes for about 3 s.
"""
NOTATION = """**Notation**

| symbol | meaning | in code |
| --- | --- | --- |
| $x$ | a number | `x` |"""
LONG = "\n\n".join(" ".join(["word"] * 10) for _ in range(960))  # 48 minutes
TASK = """def double(x):
    return ...

with your_turn("double"):
    closed_form("double of 1", double(1), 2, atol=0)"""
SOLUTION = 'closed_form("double of 1", 2 * 1, 2, atol=0)'
HIDDEN = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}


def _small():
    """The cells of a lecture in the form: id, source, metadata; code has a third letter c."""
    cells = [
        ("m-title", OPENING, {}),
        ("m-notation", NOTATION, {}),
        ("m-one", f"## 1 · Prose\n\nAfter Author (1999).\n\n{LONG}", {}),
        *((f"m-predict{n}", f"**Predict, then run ({n}).** What?", {}) for n in (1, 2, 3)),
        ("c-figure", "plt.plot([1, 2]);", {**HIDDEN, "nnlite": {"alt": "A line that rises."}}),
        ("c-task", TASK, {"tags": ["your-turn"]}),
        ("m-unfold", "Solution: unfold the next cell.", {}),
        ("c-solution", SOLUTION, {**HIDDEN, "tags": ["solution", "hide-input"]}),
        ("m-summary", "## Summary\n\nThis little.", {}),
        ("m-further", "## Going further", {}),
        ("m-star", "### ★ More\n\n$$x=1$$", {"tags": ["optional"]}),
        ("m-open", "## What this lecture leaves open\n\nLecture 08 goes on.", {}),
        ("m-references", "## References\n\n- A. Author, *Title*, 1999.", {}),
        ("c-ledger", "ledger()", {}),
    ]
    raw = [
        {
            "id": f"l07-{name[2:]}",
            "cell_type": "code" if name.startswith("c") else "markdown",
            "source": source,
            "metadata": copy.deepcopy(metadata),
            **({"outputs": [], "execution_count": None} if name.startswith("c") else {}),
        }
        for name, source, metadata in cells
    ]
    about = {"core_minutes": 50, "optional_minutes": 2, "budget_seconds": 3}
    return {
        "cells": raw,
        "metadata": {"kernelspec": {"name": "python3"}, "nnlite": about},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _lecture(folder, raw):
    path = folder / "07_small.ipynb"
    path.write_text(json.dumps(raw), "utf-8")
    return Notebook(path)


def _rules():
    found = [f for name, f in vars(test_form).items() if name.startswith("test_")]
    return [f for f in found if list(inspect.signature(f).parameters) == ["lecture"]]


def _broken(folder, raw):
    """Names of the rules that a lecture breaks."""
    names = []
    for rule in _rules():
        try:
            rule(_lecture(folder, raw))
        except (AssertionError, StopIteration):
            names.append(rule.__name__)
    return names


def _cell(raw, name):
    return next(cell for cell in raw["cells"] if cell["id"] == f"l07-{name}")


def _replace(name, old, new):
    def change(raw):
        cell = _cell(raw, name)
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return change


def _tag(name, *tags):
    def change(raw):
        _cell(raw, name)["metadata"]["tags"] = list(tags)

    return change


def _set(name, key, value):
    def change(raw):
        _cell(raw, name)[key] = value

    return change


def _about(**values):
    def change(raw):
        raw["metadata"]["nnlite"].update(values)

    return change


def _remove(name):
    def change(raw):
        raw["cells"].remove(_cell(raw, name))

    return change


def test_the_small_lecture_keeps_every_rule(tmp_path):
    assert len(_rules()) > 15
    assert _broken(tmp_path, _small()) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_replace("title", "# 07", "# 08"), "title_asks_a_question"),
        (_replace("title", "?", "."), "title_asks_a_question"),
        (_replace("title", "Prerequisites", "Needs"), "title_asks_a_question"),
        (_replace("title", "50 minutes", "51 minutes"), "time_line"),
        (_replace("title", "about 3 s", "3 s"), "time_line"),
        (_about(budget_seconds=4), "time_line"),
        (_replace("one", LONG, LONG[: len(LONG) // 2]), "forty_five_to_sixty"),
        (_about(core_minutes=61), "forty_five_to_sixty"),
        (_about(optional_minutes=9), "optional_sections_take"),
        (_replace("summary", "## Summary", "## In short"), "sections_are_in_order"),
        (_replace("one", "## 1", "## 2"), "sections_are_in_order"),
        (_tag("star"), "optional_cells_are_those"),
        (_tag("one", "optional"), "optional_cells_are_those"),
        (_replace("summary", "## Summary", "## Summary\n\n### ★ And more"), "has_a_star"),
        (_set("ledger", "source", "print()"), "last_cell_shows"),
        (_tag("ledger", "optional"), "last_cell_shows"),
        (_replace("open", "Lecture 08", "Something"), "hands_over"),
        (_set("task", "source", TASK + "\n" + "x = 1\n" * 21), "longer_than_25"),
        (_set("figure", "metadata", {"tags": ["hide-input"]}), "folded_everywhere"),
        (_tag("figure"), "folded_everywhere"),
        (_tag("summary", "optionl"), "every_tag"),
        (_replace("summary", "little", "word " * 30), "markdown_is_wrapped"),
        (_set("figure", "outputs", [{"output_type": "stream"}]), "stored_without_outputs"),
        (_set("figure", "id", "x1"), "stored_without_outputs"),
        (_set("figure", "id", "l07-task"), "stored_without_outputs"),
        (_set("figure", "metadata", HIDDEN), "says_what_one_sees"),
        (_set("figure", "metadata", {**HIDDEN, "nnlite": {"alt": "A line"}}), "says_what_one_sees"),
        (_remove("predict3"), "three_predictions"),
        (_tag("predict3", "optional"), "three_predictions"),
        (_replace("predict1", "What?", "<details>That.</details>"), "three_predictions"),
        (_tag("task"), "for_the_student"),
        (_replace("task", "...", "2 * x"), "for_the_student"),
        (_remove("unfold"), "for_the_student"),
        (_replace("task", "double of 1", "double of 2"), "for_the_student"),
        (_replace("one", "1999", "1998"), "reference_is_cited"),
        (_remove("notation"), "notation_box"),
        (_replace("notation", " | `x` |", " |"), "notation_box"),
    ],
)
def test_a_rule_that_is_broken_is_told(tmp_path, change, rule):
    raw = _small()
    change(raw)
    assert any(rule in name for name in _broken(tmp_path, raw))


def test_every_rule_is_broken_above():
    marks = test_a_rule_that_is_broken_is_told.pytestmark
    broken = [rule for _, rule in marks[0].args[1]]
    assert [f.__name__ for f in _rules() if not any(rule in f.__name__ for rule in broken)] == []


def test_minutes_are_written_into_tables(monkeypatch, tmp_path):
    monkeypatch.setattr("lecture_form.notebooks", lambda: [_lecture(tmp_path, _small())])
    page = '| 07 | A small lecture | 9 | none |\n    "| [07 Small](07_small.ipynb) | 9 | 01 |\\n",'
    assert with_minutes(page) == page.replace("| 9 |", "| 50 |")
