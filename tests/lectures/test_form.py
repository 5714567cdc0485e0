"""The lectures keep the form of the course, as far as a program sees it without running them."""

import ast
import re
from collections import defaultdict

import lecture_form
import pytest
from lecture_form import LECTURES, table_rows, without_magics

TAGS = {"hide-input", "optional", "your-turn", "solution", "raises-exception"}
TIME = re.compile(
    r"\*\*Time:\*\* (\d+) minutes for the core, (\d+) for the ★ sections; "
    r"the notebook computes for about (\d+) s\."
)
LAST = ["Summary", "Going further", "What this lecture leaves open", "References"]


# --- the order of a notebook ----------------------------------------------------------------------


def test_the_title_asks_a_question_and_says_what_is_needed_and_learned(lecture):
    opening = lecture.cells[0].source
    assert re.match(rf"# {lecture.number} · \S", opening)
    assert "?" in opening
    for words in ("You will learn", "Prerequisites"):
        assert words in opening


def test_the_time_line_says_what_the_metadata_say(lecture):
    said = TIME.search(lecture.cells[0].source)
    assert said, f"the opening has no line like {TIME.pattern}"
    about = [lecture.about.get(f"{x}_minutes") for x in ("core", "optional")]
    assert [int(number) for number in said.groups()] == [
        *about,
        lecture.about.get("budget_seconds"),
    ]


def test_the_core_path_takes_forty_five_to_sixty_minutes(lecture):
    stated, parts = lecture.about["core_minutes"], lecture.minutes()
    counted = sum(parts.values())
    assert 45 <= stated <= 60
    assert counted == pytest.approx(stated, rel=0.1), f"the count is {counted:.0f}: {parts}"


def test_the_optional_sections_take_what_is_said(lecture):
    stated, parts = lecture.about["optional_minutes"], lecture.minutes(optional=True)
    counted = sum(parts.values())
    assert counted == pytest.approx(stated, rel=0.1, abs=2), f"the count is {counted:.0f}: {parts}"


def test_the_sections_are_in_order(lecture):
    titles = [text[3:] for _, text in lecture.headings if text.startswith("## ")]
    numbered = titles[: -len(LAST)]
    assert titles[-len(LAST) :] == LAST
    assert [re.match(r"(\d+) · \S", title)[1] for title in numbered] == [
        str(n + 1) for n in range(len(numbered))
    ]


def test_optional_cells_are_those_of_going_further(lecture):
    section = lecture.section("Going further")
    assert len(section) > 1
    # The heading may stand in a cell of its own, before the first ★ section.
    stars = [c.number for c, text in lecture.headings if text.startswith("### ★ ")]
    inside = [cell.number for cell in section if cell.number >= stars[0]]
    optional = {cell.number for cell in lecture.cells if cell.is_optional}
    assert optional | {section[0].number} == {*inside, section[0].number}
    assert all(n in inside for n in stars)


def test_no_heading_of_a_core_section_has_a_star(lecture):
    assert [text for c, text in lecture.headings if "★" in text and not c.is_optional] == []


def test_the_last_cell_shows_the_ledger(lecture):
    last = lecture.cells[-1]
    assert last.source.strip().removeprefix("nnlite.") == "ledger()"
    assert not last.is_optional


def test_the_end_hands_over_to_the_next_lecture(lecture):
    end = " ".join(cell.source for cell in lecture.section("What this lecture leaves open"))
    assert re.search(rf"lectures? {int(lecture.number) + 1:02d}\b|next lecture", end, re.IGNORECASE)


# --- cells ----------------------------------------------------------------------------------------


def test_no_visible_cell_is_longer_than_25_lines(lecture):
    long = {str(cell): cell.visible_lines for cell in lecture.code if cell.visible_lines > 25}
    assert long == {}


def test_what_is_folded_is_folded_everywhere(lecture):
    def is_hidden(cell):
        return cell.metadata.get("jupyter", {}).get("source_hidden", False)

    assert [str(c) for c in lecture.code if c.is_folded != is_hidden(c)] == []


def test_every_tag_has_a_meaning(lecture):
    assert {tag for cell in lecture.cells for tag in cell.tags} <= TAGS


def test_markdown_is_wrapped(lecture):
    def lines(text):
        text = re.sub(r"\$\$.*?\$\$|```.*?```", "", text, flags=re.DOTALL)
        return [x for x in text.splitlines() if not x.lstrip().startswith("|") and " " in x.strip()]

    long = [
        f"{cell}: {len(line)} characters: {line[:60]}"
        for cell in lecture.prose
        for line in lines(cell.source)
        if len(line) > 110 and "](" not in line
    ]
    assert long == []


def test_the_notebook_is_stored_without_outputs_and_with_ids_of_its_own(lecture):
    cells = lecture.raw["cells"]
    stored = [c.get("outputs") or c.get("execution_count") for c in cells if "outputs" in c]
    assert not any(stored)
    assert (lecture.raw["nbformat"], lecture.raw["nbformat_minor"]) == (4, 5)
    ids = [cell.id for cell in lecture.cells]
    assert len(set(ids)) == len(ids)
    assert [x for x in ids if not x.startswith(f"l{lecture.number}-")] == []
    assert lecture.metadata["kernelspec"]["name"] == "python3"


def test_every_cell_that_draws_says_what_one_sees(lecture):
    assert [str(cell) for cell in lecture.code if cell.draws and not cell.alt] == []
    texts = [text for cell in lecture.code for text in cell.alt]
    assert [text for text in texts if len(text.split()) < 4] == []
    assert len(set(texts)) == len(texts)


# --- for the student ------------------------------------------------------------------------------


def test_three_predictions_are_asked_for_and_not_answered_in_their_own_cell(lecture):
    asking = [c for c in lecture.prose if "**Predict, then run" in c.source and not c.is_optional]
    numbers = [
        n for c in asking for n in re.findall(r"\*\*Predict, then run \((\d)\)\.\*\*", c.source)
    ]
    assert numbers == ["1", "2", "3"]
    assert [str(cell) for cell in asking if "<details>" in cell.source] == []


def _calls(cell, name):
    tree = ast.parse(without_magics(cell.source))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == name]


def _literal(call):
    return call.args[0].value if isinstance(call.args[0], ast.Constant) else None


def test_one_cell_is_for_the_student_and_its_solution_folds_below(lecture):
    mine = [n for n, cell in enumerate(lecture.cells) if "your-turn" in cell.tags]
    assert len(mine) == 1
    task, line, solution = lecture.cells[mine[0] : mine[0] + 3]
    tree = ast.parse(without_magics(task.source))
    missing = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value is ...]
    assert len(missing) == 1
    assert len(_calls(task, "your_turn")) == 1
    assert not task.is_optional
    assert not task.is_folded
    assert line.source.strip() == "Solution: unfold the next cell."
    assert {"solution", "hide-input"} <= set(solution.tags)
    # The solution answers to the very claim of the task.
    asked, answered = (_calls(cell, "closed_form") for cell in (task, solution))
    assert len(asked) == 1
    assert _literal(asked[0])
    assert _literal(asked[0]) in map(_literal, answered)
    assert [n for n, cell in enumerate(lecture.cells) if "solution" in cell.tags] == [mine[0] + 2]


# --- sources and notation -------------------------------------------------------------------------


def test_every_reference_is_cited_with_its_year(lecture):
    assert lecture.references
    listed = {cell.number for cell in lecture.section("References")}
    text = "\n".join(cell.source for cell in lecture.cells if cell.number not in listed)
    missing = [
        f"{name} {year}"
        for name, year in lecture.references
        if not re.search(rf"\b{re.escape(name)}\b.{{0,80}}?\b{year}\b", text, re.DOTALL)
    ]
    assert missing == []


def test_the_notation_box_is_a_table_of_symbol_meaning_and_code(lecture):
    box = next(cell for cell in lecture.cells if cell.id == f"l{lecture.number}-notation")
    assert box.source.startswith("**Notation**")
    assert lecture.notation
    assert {len(row) for row in lecture.notation} == {3}
    before = [c for c in lecture.code if c.number < box.number]
    assert before == [], "the box stands before the first code"


def _boxes():
    """By symbol, what the lectures say it means, and which ones say so."""
    meanings = defaultdict(lambda: defaultdict(list))
    for notebook in lecture_form.notebooks():
        for row in notebook.notation:
            meanings[row[0]][row[1]].append(notebook.number)
    return meanings


def test_a_symbol_has_one_meaning_in_the_course():
    several = {
        symbol: dict(said)
        for symbol, said in _boxes().items()
        if len([meaning for meaning in said if not meaning.endswith("(here)")]) > 1
    }
    assert several == {}


def test_the_notation_of_the_course_is_that_of_the_boxes():
    told = (LECTURES / "NOTATION.md").read_text("utf-8")
    rows = {(row[0], row[1], row[2]) for row in table_rows(told)}
    boxes = {
        (symbol, meaning, ", ".join(numbers))
        for symbol, said in _boxes().items()
        for meaning, numbers in said.items()
    }
    assert rows == boxes, "write it anew: python tests/lectures/lecture_form.py write"


@pytest.mark.parametrize("path", lecture_form.TABLES, ids=lambda path: path.name)
def test_the_tables_of_the_lectures_say_the_minutes_of_their_core(path):
    page = path.read_text("utf-8")
    again = "write them anew: python tests/lectures/lecture_form.py write"
    assert lecture_form.with_minutes(page) == page, again


# --- the count itself -----------------------------------------------------------------------------


def _cell(source, kind="code", **metadata):
    return lecture_form.Cell(1, "l00-x", kind, source, metadata)


@pytest.mark.parametrize(
    ("source", "statements"),
    [
        ("import numpy as np\nfrom nnlite import PCA", 0),
        ("a = 1\nb = 2", 2),
        ("%matplotlib inline\na = 1", 2),
        ("for i in range(3):\n    print(\n        i,\n    )", 2),
        ('def f(x):\n    """Double."""\n    return 2 * x', 2),
    ],
)
def test_statements_are_counted_as_they_are_read(source, statements):
    assert _cell(source).statements == statements


@pytest.mark.parametrize(
    ("source", "draws"),
    [
        ("fig, ax = plt.subplots()", True),
        ("plots.images(x);", True),
        ("def draw():\n    plt.plot([1, 2])", False),
        ("import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 90", False),
        ("figures = 3", False),
    ],
)
def test_a_cell_that_draws_is_known_by_its_own_lines(source, draws):
    assert _cell(source).draws is draws
