"""How checks read: a line, aligned text, HTML, Markdown, and formulas on a terminal."""

import doctest
import re

import numpy as np
import pytest

from nnlite.checks import Check, closed_form, expected_failure, ledger
from nnlite.checks.closed_forms import blocks, claims, digits, formula, tables
from nnlite.checks.closed_forms.recording import recorded


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


@pytest.mark.parametrize("module", [blocks, claims, formula])
def test_the_docstrings_show_what_is_printed(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
