"""expected_failure, more_checks, your_turn, and the ledger in sections."""

import asyncio
import threading

import pytest

from nnlite import closed_form, expected_failure, ledger, more_checks, your_turn
from nnlite.checks import ClosedFormMismatch
from nnlite.checks.closed_forms import recording, report, tables
from nnlite.checks.closed_forms.recording import recorded


def check(claim="one", measured=1.0):
    return closed_form(claim, measured, 1.0, atol=0)


def test_the_checks_of_a_block_are_in_its_section_and_the_others_in_the_story():
    check("before")
    with more_checks(" 1 · Slopes "):
        check("in it")
        with expected_failure("two"):
            check("broken in it", 2.0)
    check("after")
    assert [row.section for row in recorded()] == ["", "1 · Slopes", "1 · Slopes", ""]
    assert recorded()[2].on_purpose == "two"


def test_a_check_that_fails_in_a_section_fails_as_any_other():
    with pytest.raises(ClosedFormMismatch), more_checks("1 · Slopes"):
        check(measured=2.0)
    assert recorded()[0].counts_as_failure
    check("after")
    assert recorded()[1].section == ""


def test_a_section_without_checks_or_inside_another_is_refused():
    with pytest.raises(ValueError, match="no check ran"), more_checks("empty"):
        pass
    with (
        pytest.raises(ValueError, match="inside the section 'outer'"),
        more_checks("outer"),
        more_checks("inner"),
    ):
        check()
    with pytest.raises(ValueError, match="heading of the section"), more_checks(" "):
        check()


def _sections():
    for claim, section in (("late", "2 · Tapes"), ("early", ""), ("later", "2 · Tapes")):
        if section:
            with more_checks(section):
                check(claim)
        else:
            check(claim)
    with more_checks("★ Extra"), expected_failure("a bug"):
        check("broken", 2.0)
    return recorded()


def test_the_ledger_shows_the_story_first_and_counts_each_section(capsys):
    _sections()
    capsys.readouterr()
    ledger()
    out = capsys.readouterr().out
    places = [out.index(words) for words in ("The story", "early", "2 · Tapes", "late ", "★ Extra")]
    assert places == sorted(places)
    assert "2 · Tapes: 2 of 2 checks pass\n" in out
    assert out.rstrip().endswith(
        "In all: 3 of 3 checks pass; 1 broken on purpose, caught as it should be"
    )


def test_in_a_notebook_each_section_folds_and_the_story_is_open():
    page = tables.html(_sections())
    assert page.count("<details") == 3
    assert page.count("<details open>") == 1
    assert page.index("<details open>") < page.index("early") < page.index("2 · Tapes")
    assert "2 of 2 checks pass" in page


def test_the_markdown_ledger_has_a_table_for_each_section():
    lines = tables.markdown(_sections()).splitlines()
    headings = [line for line in lines if line.startswith("### ")]
    assert [line.split(":")[0] for line in headings] == [
        "### The story",
        "### 2 · Tapes",
        "### ★ Extra",
    ]
    assert sum(line.startswith("| verdict") for line in lines) == 3


def test_a_ledger_without_sections_is_one_table():
    check()
    assert "<details" not in tables.html(recorded())
    assert "The story" not in tables.text(recorded()) + tables.markdown(recorded())


# --- the reader's turn ----------------------------------------------------------------------------


def test_a_task_that_is_not_done_is_an_open_row_and_stops_nothing(capsys):
    with your_turn("the slope of x²"):
        check("slope at 1", 2.0)
    (row,) = recorded()
    assert (row.task, row.passed, row.counts_as_failure) == ("the slope of x²", False, False)
    out = capsys.readouterr().out
    assert out.startswith("○ your turn")
    assert "the slope of x² (slope at 1)" in out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            lambda x: ...,
            "TypeError: closed_form: measured is `...`, so the line",
        ),
        (lambda x: None, "TypeError: closed_form: measured is None"),
        (lambda x: ... * x, "TypeError: unsupported operand"),
        (lambda x: [][x], "IndexError: list index out of range"),
        (lambda x: [1.0, 2.0], "ValueError: closed_form('one'): measured has shape"),
    ],
)
def test_whatever_a_missing_line_raises_the_task_is_open_and_says_why(capsys, line, reason):
    with your_turn("double x"):
        closed_form("one", line(1), [1.0], atol=0)
    (row,) = recorded()
    assert row.task == "double x"
    assert reason in report.row_texts(row)["claim"]
    assert "– == –" in capsys.readouterr().out
    assert type(row).from_json(row.to_json()).task == "double x"


def test_a_task_that_is_done_is_a_row_like_any_other():
    with your_turn("double x"):
        row = check()
    assert row.passed
    assert row.task == ""
    assert report.verdict(row) == "pass"


def test_an_open_task_is_counted_apart():
    check()
    with your_turn("double x"):
        check(measured=2.0)
    assert tables.summary(recorded()) == "1 of 1 checks pass; 1 left for you"
    assert "○ your turn" in tables.html(recorded())


def _one_and_another():
    check()
    check("two", 2.0)


def _one_and_an_error():
    check()
    _ = 1 / 0


def test_a_task_has_exactly_one_check(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_journal", str(tmp_path / "journal"))
    with pytest.raises(ClosedFormMismatch, match="0 checks ran"), your_turn("nothing"):
        pass
    with pytest.raises(ClosedFormMismatch, match="2 checks ran"), your_turn("two"):
        _one_and_another()
    assert (tmp_path / "journal").read_text().count("faulty") == 2


def test_an_error_after_the_check_is_not_the_missing_line():
    with pytest.raises(ZeroDivisionError), your_turn("double x"):
        _one_and_an_error()
    with pytest.raises(KeyboardInterrupt), your_turn("double x"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(expected_failure, your_turn), (your_turn, your_turn), (your_turn, expected_failure)],
)
def test_a_task_is_in_no_other_task_and_with_no_planted_bug(outer, inner):
    with pytest.raises(ClosedFormMismatch, match="stands inside"), outer("a"), inner("b"):
        check()


# --- broken on purpose ----------------------------------------------------------------------------


def test_an_expected_failure_is_shown_but_does_not_count(capsys):
    with expected_failure("mean absolute residual"):
        closed_form("noise variance", 3.18, 5.0, rtol=0.01)
    (check,) = recorded()
    assert check.on_purpose == "mean absolute residual"
    assert not check.passed
    assert not check.counts_as_failure
    assert "✗ broken on purpose" in capsys.readouterr().out
    # The block is over: the next failure counts.
    with pytest.raises(ClosedFormMismatch) as caught:
        closed_form("noise variance", 3.18, 5.0, rtol=0.01)
    assert caught.value.check.counts_as_failure


def test_a_planted_bug_is_caught_though_the_cell_catches_its_exception():
    with expected_failure("caught"):
        try:
            closed_form("x", 1, 2, atol=0)
        except ClosedFormMismatch:
            closed_form("y", 1, 1, atol=0)
    assert [c.on_purpose for c in recorded()] == ["caught", ""]


def test_a_block_does_not_swallow_that_a_block_inside_it_saw_no_failure():
    with (
        pytest.raises(ClosedFormMismatch, match=r"expected_failure\('inner'\).*unnoticed"),
        expected_failure("outer"),
        expected_failure("inner"),
    ):
        closed_form("one", 1, 1, atol=0)


def test_a_check_of_another_thread_is_not_broken_on_purpose():
    failed = []

    def work():
        try:
            closed_form("in a thread", 1, 2, atol=0)
        except ClosedFormMismatch as error:
            failed.append(error.check)

    with expected_failure("here, not there"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        closed_form("here", 1, 2, atol=0)
    assert failed[0].counts_as_failure
    assert [c.on_purpose for c in recorded()] == ["", "here, not there"]


def test_a_planted_bug_that_no_check_notices_raises():
    with (
        pytest.raises(ClosedFormMismatch, match=r"unnoticed: 1 check\(s\) ran"),
        expected_failure("harmless"),
    ):
        closed_form("one", 1, 1, atol=0)
    with pytest.raises(ClosedFormMismatch, match="no check ran"), expected_failure("nothing"):
        pass


def test_another_exception_in_the_block_is_not_mistaken_for_the_failure():
    with pytest.raises(ZeroDivisionError), expected_failure("division"):
        _ = 1 / 0
    with pytest.raises(ClosedFormMismatch) as caught:
        closed_form("after", 1, 2, atol=0)
    assert caught.value.check.counts_as_failure


def test_an_expected_failure_needs_its_reason():
    with pytest.raises(ValueError, match="which bug"), expected_failure(""):
        closed_form("x", 1, 2, atol=0)


def test_a_task_is_in_a_block_only_while_it_is_open():
    async def late():
        await asyncio.sleep(0)
        closed_form("late", 1.0, 2.0, atol=0)

    async def both():
        with expected_failure("planted"):
            task = asyncio.ensure_future(late())
            closed_form("planted", 1.0, 2.0, atol=0)
        with pytest.raises(ClosedFormMismatch):
            await task

    asyncio.run(both())
    assert [check.on_purpose for check in recorded()] == ["planted", ""]
