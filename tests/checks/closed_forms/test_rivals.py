"""A check names its nearest wrong law or planted bug, and fails if that would pass as well."""

import numpy as np
import pytest

from nnlite import closed_form, expected_failure, your_turn
from nnlite.checks import ClosedFormMismatch
from nnlite.checks.closed_forms import recording, tables
from nnlite.checks.closed_forms.recording import recorded


@pytest.fixture(name="journal")
def _journal(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    monkeypatch.setattr(recording, "_journal", str(path))
    return path


@pytest.mark.parametrize(
    ("relation", "tolerance", "option", "rival", "passes"),
    [
        # measured 1.0, expected 1.0, allowed 0.1: a law in place of expected, a bug of measured
        ("==", {"atol": 0.1}, "wrong", 1.2, False),
        ("==", {"atol": 0.1}, "wrong", 1.05, True),
        ("==", {"atol": 0.1}, "planted", 0.8, False),
        ("==", {"atol": 0.1}, "planted", 0.95, True),
        ("==", {"stderr": 0.025, "seeds": 9}, "wrong", 1.2, False),
        ("==", {"stderr": 0.025, "seeds": 9}, "planted", 1.05, True),
        ("<=", {"atol": 0.1}, "wrong", 0.8, False),
        ("<=", {"atol": 0.1}, "wrong", 5.0, True),
        ("<=", {"atol": 0.1}, "planted", 5.0, False),
        (">=", {"atol": 0.1}, "wrong", 5.0, False),
        (">=", {"atol": 0.1}, "planted", 0.8, False),
        (">=", {"atol": 0.1}, "planted", 5.0, True),
    ],
)
def test_a_rival_is_held_to_the_claim_in_place_of_one_side(
    relation, tolerance, option, rival, passes
):
    question = {"relation": relation, **tolerance, option: {"the rival": rival}}
    if not passes:
        check = closed_form("one", 1.0, 1.0, **question)
        assert check.ruled_out == ("the rival",)
    else:
        with pytest.raises(ClosedFormMismatch, match="no power against 'the rival'"):
            closed_form("one", 1.0, 1.0, **question)
        assert recorded()[0].ruled_out == ()


def test_the_allowance_of_a_wrong_law_is_that_of_the_true_one():
    # 10 % of 1 is 0.1, and of the rival it would be 0.2
    assert closed_form("one", 1.0, 1.0, rtol=0.1, wrong={"twice": 1.15}).ruled_out == ("twice",)


def test_one_entry_that_breaks_the_claim_is_enough_and_one_number_stands_for_all():
    check = closed_form(
        "eigenvalues",
        [3.0, 2.0, 1.0],
        [3.0, 2.0, 1.0],
        atol=1e-9,
        wrong={"rising": [1.0, 2.0, 3.0], "all equal": 2.0},
        planted={"the last is lost": np.array([3.0, 2.0, 0.0])},
    )
    assert check.ruled_out == ("rising", "all equal", "the last is lost")


def test_what_a_check_rules_out_is_shown(capsys):
    check = closed_form("one", 1.0, 1.0, atol=0, wrong={"a": 2.0}, planted={"b": 3.0})
    assert "one (rules out: a; b)" in capsys.readouterr().out
    assert "\n           rules out: a; b\n" in tables.text([check])
    assert "rules out: a; b</div>" in tables.html([check])
    assert "| one; rules out: a; b |" in tables.markdown([check])
    assert type(check).from_json(check.to_json()) == check


def test_the_message_of_a_check_without_power_has_the_three_numbers(journal):
    with pytest.raises(ClosedFormMismatch) as caught:
        closed_form(
            "noise", [5.0, 5.0], [5.01, 5.0], rtol=0.2, wrong={"E|r|": [4.4, 4.6], "0": 0.0}
        )
    message = str(caught.value)
    for part in ("'noise'", "'E|r|'", "5.01", "4.4:", "entry [0]", "0.61", "allowed are 1"):
        assert part in message
    assert recorded()[0].ruled_out == ("0",)
    assert '"faulty": "closed_form' in journal.read_text()  # whoever catches it hides nothing


@pytest.mark.parametrize("block", [expected_failure, your_turn])
def test_no_block_swallows_that_a_check_has_no_power(block):
    with pytest.raises(ClosedFormMismatch, match="no power"), block("words"):
        closed_form("one", 1.0, 1.0, atol=1, wrong={"two": 2.0})


def test_a_check_that_fails_is_told_before_its_rivals():
    with pytest.raises(ClosedFormMismatch, match="measured") as caught:
        closed_form("one", 1.0, 2.0, atol=0, wrong={"the same": 2.0})
    assert not caught.value.check.passed
    assert caught.value.check.ruled_out == ()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"wrong": {"nan": np.nan}}, ValueError, r"wrong\['nan'\].* NaN or infinity"),
        ({"planted": {"inf": [1.0, np.inf]}}, ValueError, r"planted\['inf'\].* NaN or infinity"),
        ({"wrong": {"long": [1.0, 2.0, 3.0]}}, ValueError, r"shape \(3,\).*shape \(2,\)"),
        ({"wrong": {}}, TypeError, "names at least one rival"),
        ({"wrong": 3.0}, TypeError, "wrong must be a dict"),
        ({"wrong": {1: 3.0}}, TypeError, "names each rival in words, got 1"),
        ({"planted": {" ": 3.0}}, TypeError, "names each rival in words"),
        ({"wrong": {"a": "3"}}, TypeError, r"wrong\['a'\] holds text"),
        ({"wrong": {"a": 3.0}, "planted": {"a": 3.0}}, ValueError, "two rivals have one name"),
        ({"wrong": {"a": 3j}, "relation": "<="}, TypeError, "complex numbers have no order"),
    ],
)
def test_a_rival_that_shows_nothing_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        closed_form("c", [1.0, 2.0], [1.0, 2.0], atol=0, **options)
    assert recorded() == ()
