"""Formulas of a page: MathML without a script, and the font that travels with it."""

import html
import re
from pathlib import Path

import nbformat
import pytest

from nnlite.cli import typeset
from nnlite.cli.find import lectures_in

pytest.importorskip("latex2mathml")
pytest.importorskip("ziamath")

LECTURES = Path(__file__).parents[2] / "lectures"


def test_every_formula_of_the_lectures_becomes_mathml():
    count = 0
    for lecture in lectures_in(LECTURES):
        for cell in nbformat.read(lecture.path, as_version=4).cells:
            if cell.cell_type != "markdown":
                continue
            prose = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
            page = typeset.typeset(html.escape(prose, quote=False))
            formulas = re.findall(r"<math.*?</math>", page, flags=re.DOTALL)
            count += len(formulas)
            assert "<code>" not in page, lecture.name
            assert "$" not in re.sub(r"<annotation.*?</annotation>", "", page, flags=re.DOTALL)
            for formula in formulas:
                shown = re.sub(r"<annotation.*?</annotation>", "", formula, flags=re.DOTALL)
                assert "\\" not in html.unescape(shown), formula
    assert count > 500


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\begin{aligned}a&=b\\c&=d\end{aligned}", ["<mtable", 'columnalign="right"']),
        (r"\begin{cases}u&u>0\\0&u\le0\end{cases}", ["<mtable", "&#x0007B;"]),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", ["<mtable", "<mn>4</mn>"]),
        (r"\operatorname{tr}S", ['<mi mathvariant="normal">tr</mi>', "<mspace"]),
        (r"\mathbb{E}x", ["&#x1D53C;"]),
        (r"\underbrace{x}_{\text{two words}}", ["<munder>", "two", "words"]),
        (r"x\tag{3}", ["(3)"]),
        (r"\mathcal N(0,1)", ["&#x1D4A9;"]),
        (r"\Big\lfloor\frac12\Big\rfloor", ["⌊", "⌋", "<mfrac>"]),
        (r"x\sim N,\ell\to-\infty", ["<mo>&#x0223C;</mo>", '<mo form="prefix">&#x02212;</mo><mi>']),
        (r"\max_j|s_j|", ["<mi", 'lspace="0"']),
        (
            r"\Big[\frac12\Big]^2",
            ['<msup><mrow><mo minsize="1.623em" maxsize="1.623em">]</mo></mrow>'],
        ),
        (r"\Gamma\alpha", ['<mi mathvariant="normal">&#x00393;</mi><mi>&#x003B1;</mi>']),
        (r"\bar{u}", ["<mover>", '<mo stretchy="true">&#x0203E;</mo></mover>']),
        (r"\text{5 \% of A\&B}", ["%", "A&amp;B"]),
        (r"o\bmod s", ['<mi>o</mi><mspace width="0.278em" />', '<mspace width="0.278em" /><mi>s']),
    ],
)
def test_latex_of_many_kinds_is_converted(latex, parts):
    shown = re.sub(r"<annotation.*?</annotation>", "", typeset.mathml(latex))
    for part in parts:
        assert part in shown
    assert "\\" not in shown


@pytest.mark.parametrize("kind", ["array}{cc", "pmatrix", "aligned"])
def test_a_row_that_ends_in_an_empty_cell_is_kept(kind):
    latex = rf"\begin{{{kind}}}1&2\\3& \\ 4&\end{{{kind.partition('}')[0]}}}"
    shown = re.sub(r"<annotation.*?</annotation>", "", typeset.mathml(latex))
    assert shown.count("<mtr>") == 3
    assert shown.count("<mtd") == 6
    assert "<mn>4</mn>" in shown


@pytest.mark.parametrize("space", ["[4pt]", "[-1.5ex]", " [ 1em ]"])
def test_the_space_asked_for_between_rows_is_not_printed(space):
    spaced = typeset.mathml(rf"\begin{{aligned}}a&=b\\{space}c&=d\end{{aligned}}")
    plain = typeset.mathml(r"\begin{aligned}a&=b\\c&=d\end{aligned}")
    without = [re.sub(r"<annotation.*?</annotation>", "", x) for x in (spaced, plain)]
    assert without[0] == without[1]
    assert "[c]" in re.sub("<[^>]*>", "", typeset.mathml(r"\begin{aligned}a\\[c]\end{aligned}"))


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\text{if } x < 1, \text{and a<b>c}", "a&lt;b&gt;c</mtext>"),
        (
            r"\text{<script>alert(1)</script>}",
            "&lt;script&gt;alert(1)&lt;/script&gt;</mtext>",
        ),
        (r"\verb|<script>|", r"<code>\verb|&lt;script&gt;|</code>"),
    ],
)
def test_words_in_a_formula_are_no_html(latex, shown):
    page = typeset.typeset(f"${html.escape(latex)}$")
    assert shown in page
    assert "<script" not in page
    assert "<b>" not in page


def test_what_is_no_formula_stays_as_it_was():
    page = (
        "<p title='$a$'>costs $5 and $6, \\$7, a &amp; b<br/></p><!-- $c$ -->"
        "<pre>$x$</pre><script>f('$y$')</script><code>$z$</code>"
    )
    assert typeset.typeset(page) == page
    assert typeset.mathml(r"\frac{") == r"<code>\frac{</code>"


def test_a_formula_keeps_its_latex_for_those_who_copy_it():
    page = typeset.typeset("<p>$a&lt;b$</p>")
    note = '<annotation encoding="application/x-tex">a&lt;b</annotation>'
    assert note in page
    assert page.startswith("<p><math")
    assert page.endswith("</math></p>")


def test_no_line_ends_between_a_formula_and_the_stop_behind_it():
    page = typeset.typeset("<p>is ($x$)? $y$ is</p>")
    assert "</math>&#x2060;)?" in page
    assert "</math> is" in page
    assert typeset.typeset("<pre></math>.</pre>") == "<pre></math>.</pre>"


def test_the_font_holds_the_signs_of_the_page_and_no_others():
    few = typeset.font(typeset.mathml("x"))
    many = typeset.font(typeset.mathml(r"x\otimes\aleph\beta\gamma\sum\int\oint\mathbb{A}\in"))
    assert few.startswith("@font-face")
    assert len(few) < len(many) < 200_000
    assert typeset.font("<p>no formula</p>") == ""
