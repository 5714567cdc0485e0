"""nnlite.checks.closed_forms: what passes, what fails, what is refused, and how it reads."""

import asyncio
import doctest
import json
import math
import re
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnlite
from nnlite.checks import Check, ClosedFormMismatch, closed_form, expected_failure, ledger
from nnlite.checks.closed_forms import blocks, claims, digits, formula, notebook, tables
from nnlite.checks.closed_forms.recording import CHECK_MIME, recorded, show_again

# --- what passes and what fails -------------------------------------------------------------------


def test_a_number_within_its_tolerance_passes_and_is_recorded(capsys):
    check = closed_form("two", 2.0000001, 2, rtol=1e-6)
    assert check.passed
    assert recorded() == (check,)
    assert re.match(r"✓ pass +2\.\d+ == 2\.\d+ +rtol 1e-6 +two\n", capsys.readouterr().out)


def test_a_number_outside_its_tolerance_raises_with_both_numbers():
    with pytest.raises(ClosedFormMismatch) as caught:
        closed_form(
            "noise variance", 3.18, 5, rtol=1e-3, formula=r"E r^2", source="Author 1999, eq. 1"
        )
    message = str(caught.value)
    for part in ("noise variance", "3.18", "5.00", "rtol 0.001", "E r²", "Author 1999, eq. 1"):
        assert part in message
    assert isinstance(caught.value, AssertionError)
    assert caught.value.check.measured == 3.18
    assert not recorded()[0].passed


@given(
    expected=st.floats(-1e6, 1e6),
    rtol=st.floats(0, 0.1),
    atol=st.floats(0, 10),
    offset=st.floats(-2, 2),
)
def test_the_verdict_is_the_inequality_of_the_docstring(expected, rtol, atol, offset):
    measured = expected + offset * (atol + rtol * abs(expected))
    holds = abs(measured - expected) <= atol + rtol * abs(expected)
    try:
        assert closed_form("hypothesis", measured, expected, rtol=rtol, atol=atol).passed
        assert holds
    except ClosedFormMismatch:
        assert not holds


@pytest.mark.parametrize(
    ("relation", "measured", "passes"),
    [
        ("<=", 0.9, True),
        ("<=", 1.05, True),
        ("<=", 1.2, False),
        (">=", 1.1, True),
        (">=", 0.95, True),
        (">=", 0.8, False),
    ],
)
def test_a_bound_is_one_sided_with_the_tolerance_as_slack(relation, measured, passes):
    if passes:
        assert closed_form("bound", measured, 1.0, atol=0.1, relation=relation).passed
    else:
        with pytest.raises(ClosedFormMismatch):
            closed_form("bound", measured, 1.0, atol=0.1, relation=relation)


@pytest.mark.parametrize(("z", "passes"), [(4.0, True), (2.0, False)])
def test_a_statistical_check_allows_z_standard_errors(z, passes):
    question = {"stderr": 0.1, "seeds": 300, "z": z}
    if passes:
        check = closed_form("mean", 1.3, 1.0, **question)
        assert check.allowed == pytest.approx(0.4)
        assert "0.1" in check.tolerance
        assert "300 seeds" in check.tolerance
    else:
        with pytest.raises(ClosedFormMismatch):
            closed_form("mean", 1.3, 1.0, **question)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("relation", ["==", "<=", ">="])
@pytest.mark.parametrize("where", ["measured", "expected", "both"])
def test_a_number_that_is_not_finite_never_passes(bad, relation, where):
    measured = bad if where != "expected" else 1.0
    expected = bad if where != "measured" else 1.0
    with pytest.raises(ClosedFormMismatch, match="not finite"):
        closed_form("finite", measured, expected, rtol=1.0, atol=1e300, relation=relation)


def test_one_nan_in_an_array_fails_and_is_the_entry_shown():
    measured = np.ones((2, 3))
    measured[1, 0] = np.nan
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1, 0\]"):
        closed_form("array", measured, np.ones((2, 3)), atol=1.0)


def test_of_an_array_the_worst_entry_is_shown():
    expected = np.array([[1.0, 1000.0], [1.0, 1.0]])
    measured = expected + np.array([[0.0, 0.5], [0.01, 0.0]])
    # Entry [0, 1] is 0.5 off and uses half of its share; entry [1, 0] is 0.01 off and exceeds its.
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1, 0\]") as caught:
        closed_form("array", measured, expected, rtol=1e-3)
    assert caught.value.check.measured == 1.01
    passing = closed_form("array", measured, expected, rtol=0.02)
    assert passing.index == (1, 0)
    assert passing.shape == (2, 2)


def test_a_failing_entry_is_shown_even_if_a_passing_one_is_nearer_to_its_limit():
    with pytest.raises(ClosedFormMismatch, match=r"entry \[1\]"):
        closed_form("array", [2.0, 1e-40], [1.0, 0.0], rtol=1.0)


def test_one_expected_number_is_compared_with_every_entry():
    assert closed_form("all ones", np.ones(5), 1.0, atol=0).passed
    with pytest.raises(ClosedFormMismatch, match=r"entry \[4\]"):
        closed_form("all ones", [1.0, 1.0, 1.0, 1.0, 2.0], 1.0, atol=0)


def test_float32_and_integers_are_compared_in_double_precision():
    assert closed_form("sum", np.float32(0.1), 0.1, rtol=1e-7).passed
    with pytest.raises(ClosedFormMismatch):
        closed_form("sum", np.float32(0.1), 0.1, rtol=1e-9)
    # In uint8, 3 - 5 would be 254.
    assert closed_form("count", np.uint8(3), np.uint8(5), atol=2).passed


def test_complex_numbers_are_compared_by_modulus_and_have_no_order():
    assert closed_form("eigenvalue", -0.1 + 0.5j, -0.1 + 0.5j + 1e-9j, atol=1e-8).passed
    with pytest.raises(ClosedFormMismatch):
        closed_form("eigenvalue", 0.1 + 0.5j, 0.1 - 0.5j, atol=0.1)
    with pytest.raises(TypeError, match="no order"):
        closed_form("eigenvalue", 1j, 2j, atol=0, relation="<=")


class _TensorLike:
    """What the ledger asks of a tensor: ``detach()`` and an array called ``data``."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def detach(self):
        return _TensorLike(self.data)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("requires grad")


def test_tensors_give_their_numbers_without_being_detached_by_hand():
    assert closed_form("tensor", _TensorLike([1.0, 2.0]), _TensorLike([1.0, 2.0]), atol=0).passed
    assert closed_form("list", [_TensorLike(1.0), _TensorLike(2.0)], [1.0, 2.0], atol=0).passed


def test_numpy_that_raises_does_not_stop_a_comparison():
    with np.errstate(all="raise"):
        assert closed_form("tiny", [1e-320, 1.0], [1e-320, 1.0], rtol=1e-9).passed
        assert closed_form("exact", [0.0, 1.0], [0.0, 1.0], rtol=0).passed
        with pytest.raises(ClosedFormMismatch):
            closed_form("far apart", 1e308, -1e308, atol=1.0)


def test_a_text_that_is_none_is_refused():
    with pytest.raises(TypeError, match="formula must be text, got 5"):
        closed_form("x", 1, 1, atol=0, formula=5)


def test_masked_and_sparse_numbers_do_not_get_through_the_gate():
    masked = np.ma.masked_array([1.0, 999.0], [0, 1])
    for pair in ((masked, [1.0, 999.0]), ([1.0, 999.0], masked), (masked * 1j, [1j, 999j])):
        with pytest.raises(ValueError, match="masked entries"):
            closed_form("masked", *pair, atol=0)
    assert closed_form("big-endian", np.array([1.5], ">f4"), 1.5, atol=0).passed
    assert recorded()[0].claim == "big-endian"


def test_of_entries_that_keep_the_claim_equally_well_the_largest_is_shown():
    check = closed_form("exact", [0.0, 1.0, -7.0, 2.0], [-0.0, 1.0, -7.0, 2.0], atol=0)
    assert (check.index, check.measured) == ((2,), -7.0)


# --- questions that are not well posed ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("", 1, 1), {"atol": 0}, "in words"),
        (("x", 1, 1), {}, "how near is near enough"),
        (("x", 1, 1), {"rtol": 0.1, "stderr": 0.1, "seeds": 9}, "not both"),
        (("x", 1, 1), {"stderr": 0.1}, "seeds"),
        (("x", 1, 1), {"atol": 0.1, "seeds": 9}, "belongs to stderr"),
        (("x", 1, 1), {"stderr": 0.1, "seeds": 1}, "at least 2 seeds"),
        (("x", 1, 1), {"stderr": 0.0, "seeds": 9}, "finite and > 0"),
        (("x", 1, 1), {"stderr": np.nan, "seeds": 9}, "finite and > 0"),
        (("x", 1, 1), {"stderr": 0.1, "seeds": 9, "z": 0}, "z must be"),
        (("x", 1, 1), {"rtol": -1e-6}, "rtol must be"),
        (("x", 1, 1), {"atol": np.nan}, "atol must be"),
        (("x", 0, 1e300), {"rtol": 1e10}, "allows everything"),
        (("x", 1, 1), {"atol": 0, "relation": "<"}, "relation must be"),
        (("x", [], []), {"atol": 0}, "empty"),
        (("x", np.ones(3), np.ones((3, 1))), {"atol": 0}, r"\(3,\).*\(3, 1\)"),
        (("x", 1.0, np.ones(3)), {"atol": 0}, r"\(\).*\(3,\)"),
        (("x", [[1], [1, 2]], 1), {"atol": 0}, "ragged list"),
        (("x", [1, 2], [1, 2]), {"stderr": [1, 1, 1], "seeds": 9}, r"stderr has shape \(3,\)"),
    ],
)
def test_a_question_that_is_not_well_posed_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        closed_form(*arguments, **options)
    assert recorded() == ()


@pytest.mark.parametrize("value", ["1.0", None, {"a": 1}])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(
        TypeError, match=r"closed_form: measured (holds text|is None|must hold real numbers)"
    ):
        closed_form("x", value, 1.0, atol=0)


def test_a_relative_tolerance_at_zero_says_what_is_missing():
    with pytest.raises(ClosedFormMismatch, match="give atol="):
        closed_form("zero", [1.0, 1e-17], [1.0, 0.0], rtol=1e-6)


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


# --- how it reads ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "expected", "allowed", "passed", "shown"),
    [
        (0.088888887, 4 / 45, 1e-6, True, ("0.0888889", "0.0888889")),
        (14, 14, 0.0, True, ("14", "14")),
        (3e-17, 0, 1e-12, True, ("3.0e-17", "0")),
        (0.5124, 0.5, 0.016, True, ("0.512", "0.500")),
        (3.1831, 5.0, 5e-6, False, ("3.18", "5.00")),
        (123456789.123, 123456789.0, 100, True, ("1.2345679e8", "1.2345679e8")),
        (1.0000005, 1.0, 1e-7, False, ("1.00000050", "1.00000000")),
        (float("nan"), 1.0, 0.1, False, ("nan", "1.00")),
        (-0.0, 0.0, 1e-9, True, ("0", "0")),
        (complex(-0.0, -0.0), 0j, 1e-9, True, ("0-0j", "0+0j")),
    ],
)
def test_numbers_are_shown_to_the_digits_that_matter(measured, expected, allowed, passed, shown):
    check = Check("c", measured, expected, allowed, "", passed)
    assert digits.numbers(check) == shown


def _three_checks():
    closed_form("first", 1.0, 1.0, atol=1e-3, formula="x < y", source="Author 1999", unit="nats")
    closed_form("a longer claim that says more", [1.0, 2.0], [1.0, 2.0], rtol=1e-9)
    with expected_failure("off by one"):
        closed_form("third", 7, 8, atol=0, formula="|x|")
    return recorded()


def test_the_plain_table_is_aligned_and_has_every_column(capsys):
    _three_checks()
    capsys.readouterr()
    ledger()
    lines = capsys.readouterr().out.splitlines()
    heading, rule = lines[0], lines[1]
    assert heading.split() == ["verdict", "claim", "measured", "expected", "tolerance"]
    rows = [line for line in lines[2:-2] if not line.startswith(" " * 15)]  # without small print
    for match in re.finditer(r"-+", rule):  # before every column but the first there is a blank
        assert all(row[match.start() - 1 : match.start()] in ("", " ") for row in rows)
    assert "               x < y   [Author 1999]" in lines
    assert lines[-1] == "2 of 2 checks pass; 1 broken on purpose, caught as it should be"


def test_the_plain_table_keeps_to_its_width_by_wrapping_words():
    closed_form("word " * 60, 1.0, 1.0, atol=1e-3, source="Author and Author 1999, equation 12")
    assert max(map(len, tables.text(recorded(), width=80).splitlines())) <= 80


def test_both_numbers_are_shown_to_the_same_decimal():
    check = Check("c", 0.99999999999999, 1.0, 4e-15, "rtol 4e-15", True)
    assert digits.numbers(check) == ("1.00000000000", "1.00000000000")
    check = Check("c", 9.99, 10.01, 0.1, "atol 0.1", True)
    assert digits.numbers(check) == ("9.99", "10.01")


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\lambda_1", "λ₁"),
        (r"\sum_{j>M}\lambda_j", "Σ_{j>M}λ_j"),
        (r"\frac{2\mathrm{Var}(\lambda)}{M+2}", "(2Var(λ))/(M+2)"),
        (r"\frac{\lambda_{M+1}}{\lambda_M}", "λ_{M+1}/λ_M"),
        (r"1+t+\frac\eta2\ln\frac{1+e^w}{2}", "1+t+η/2 ln(1+e^w)/2"),
        (r"\left(I-\eta H\right)^{100}e_0", "(I-ηH)¹⁰⁰e₀"),
        (r"W_2^\top W_2=K^{-1}", "W₂ᵀW₂=K⁻¹"),
        (r"\|(I-P)\mu\|^2\;\Rightarrow\;\sqrt{x^2+1}", "‖(I-P)μ‖² ⇒√(x²+1)"),
        (r"\operatorname{tr}S\approx\bar\lambda", "tr S≈λ\u0304"),
        (r"\cos^2\theta", "cos²θ"),
        (r"\frac4{45}-\frac{N-M}N\cdot\frac1n", "4/45 -(N-M)/N ·1/n"),
        (r"2\sum_{k\le d}\binom{n-1}k", "2Σ_{k≤d}C(n-1, k)"),
        (r"\lfloor\frac12\mathbf 1\rfloor\bmod s\succeq0", "⌊1/2 1⌋ mod s⪰0"),
        (r"\begin{pmatrix}1\end{pmatrix}", r"\begin{pmatrix}1\end{pmatrix}"),
        ("x < y", "x < y"),
    ],
)
def test_on_a_terminal_a_formula_is_one_line_of_unicode(latex, shown):
    assert formula.plain(latex) == shown


@pytest.mark.parametrize(
    ("measured", "expected", "options", "words"),
    [
        (np.ones((3, 4)), 1.0, {"atol": 0}, "(all 12 entries are equal to the last bit)"),
        ([1.0, 2.5, 3.0], [1.0, 2.0, 3.0], {"atol": 1}, "(worst of 3 entries: [1], off by 0.5)"),
        ([0.5, 0.25], 1.0, {"atol": 0, "relation": "<="}, "(worst of 2 entries: [0])"),
        ([0.5], 0.5, {"atol": 0}, "(entry [0])"),
    ],
)
def test_of_an_array_the_row_says_how_many_entries_and_how_far_off(
    capsys, measured, expected, options, words
):
    closed_form("array", measured, expected, **options)
    assert f"array {words}\n" in capsys.readouterr().out


def test_the_rows_of_a_cell_have_one_heading_and_the_same_columns(notebook):
    closed_form("short", 1.0, 1.0, atol=0, formula="x^2", source="Author 1999")
    closed_form("a much longer claim " * 9, 1.0, 1.0, rtol=1e-9)
    notebook.execution_count += 1
    notebook.cell = "c3d4"
    closed_form("in the next cell", 1.0, 1.0, atol=0)
    pages = [bundle["text/html"] for bundle in notebook.shown]
    assert [page.count("<thead>") for page in pages] == [1, 0, 1]
    columns = {re.search(r"<colgroup>.*</colgroup>", page)[0] for page in pages}
    assert len(columns) == 1
    assert all("overflow-x:auto" in page for page in pages)  # a narrow screen scrolls


def test_an_empty_ledger_says_so(capsys):
    ledger()
    assert "empty" in capsys.readouterr().out


def test_the_html_table_escapes_text_and_says_every_verdict_in_words():
    page = tables.html(_three_checks())
    assert "$x &lt; y$" in page
    assert page.count("✓ pass") == 2
    assert page.count("✗ broken on purpose") == 1
    assert "<script" not in tables.html(
        [Check("<script>alert(1)</script>", 1.0, 1.0, 0.0, "", True)]
    )


def test_a_bar_in_a_formula_does_not_end_a_cell_of_the_markdown_table():
    rows = tables.markdown(_three_checks()).splitlines()
    bars = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert bars == [8] * 5


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), -0.1 + 0.5j])
def test_a_check_survives_strict_json(value):
    check = Check("c", value, 1.0, 0.1, "atol 0.1", False, index=(1, 2), shape=(3, 4))
    text = json.dumps(check.to_json(), allow_nan=False)
    assert repr(Check.from_json(json.loads(text))) == repr(check)


def test_a_row_of_another_version_is_refused():
    row = Check("c", 1.0, 1.0, 0.1, "atol 0.1", True).to_json()
    with pytest.raises(ValueError, match="colour"):
        Check.from_json({**row, "colour": "red"})


@pytest.mark.parametrize("module", [blocks, claims, formula])
def test_the_docstrings_show_what_is_printed(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# --- in a notebook --------------------------------------------------------------------------------


class _Shell:
    execution_count = 1
    cell = "a1b2"

    def get_parent(self):
        return {"metadata": {"cellId": self.cell}}


@pytest.fixture(name="notebook")
def _notebook(monkeypatch):
    """A stand-in for a kernel: collects what is displayed."""
    shown = []
    shell = _Shell()
    monkeypatch.setattr(notebook, "_shell", lambda: shell)
    display = SimpleNamespace(display=lambda thing: shown.append(thing._repr_mimebundle_()))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    shell.shown = shown
    return shell


def test_a_notebook_gets_html_plain_text_and_a_machine_readable_part(notebook):
    check = closed_form("one", 1.0, 1.0, atol=1e-3)
    (bundle,) = notebook.shown
    assert set(bundle) == {"text/html", "text/plain", CHECK_MIME}
    assert Check.from_json(bundle[CHECK_MIME]) == check
    # As the last value of its cell the check is not shown a second time; in a later cell it is.
    show_again(check)
    assert len(notebook.shown) == 1
    notebook.execution_count += 1
    show_again(check)
    assert len(notebook.shown) == 2


def test_the_table_carries_no_machine_readable_part_so_no_check_is_counted_twice(notebook):
    closed_form("one", 1.0, 1.0, atol=1e-3)
    ledger()
    assert CHECK_MIME not in notebook.shown[-1]


def test_running_a_cell_again_replaces_its_rows_and_no_others(notebook):
    closed_form("same words", 1.0, 1.0, atol=0)
    notebook.cell, notebook.execution_count = "c3d4", 2
    closed_form("same words", 2.0, 2.0, atol=0)
    closed_form("same words", 3.0, 3.0, atol=0)
    assert [c.measured for c in recorded()] == [1.0, 2.0, 3.0]
    notebook.execution_count = 3
    closed_form("other words", 4.0, 4.0, atol=0)
    assert [c.measured for c in recorded()] == [1.0, 4.0]


def test_a_front_end_that_does_not_name_its_cells_loses_no_row(notebook):
    notebook.cell = None
    for notebook.execution_count in range(3):
        closed_form("same words", 1.0, 1.0, atol=0)
    assert len(recorded()) == 3


def test_integers_that_double_precision_cannot_tell_apart_are_refused():
    for long in (2**53 + 1, np.array([1, 2**62 + 1]), [1, 10**400], np.uint64(2**64 - 1)):
        with pytest.raises(ValueError, match="to its last digit"):
            closed_form("c", long, 2.0**53, atol=0)
    assert closed_form("20!", math.factorial(20), 2.0**18 * 9280784638125, atol=0).passed
    assert closed_form("power", np.int64(2**62), 2**62, atol=0).passed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": "1e-3"}, "rtol holds text"),
        ({"atol": True}, "atol must be a number, got True"),
        ({"rtol": [0.1, 0.1]}, r"rtol must be one number for all entries, got shape \(2,\)"),
        ({"atol": 1j}, "atol holds complex"),
        ({"stderr": 0.1, "seeds": 4, "z": None}, "z is None"),
        ({"stderr": 0.1, "seeds": 4.0}, "seeds is how many runs there were, got 4.0"),
        ({"stderr": 0.1, "seeds": "4"}, "seeds is how many runs there were, got '4'"),
    ],
)
def test_a_tolerance_is_one_real_number(options, message):
    with pytest.raises(TypeError, match=message):
        closed_form("c", 1.0, 1.0, **options)


def test_a_tolerance_may_be_an_array_or_tensor_of_one_number():
    for tolerance in (np.array(0.1), nnlite.Tensor(0.1, requires_grad=True), np.float32(0.1)):
        assert closed_form("c", 1.05, 1.0, atol=tolerance).passed


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
