"""Formulas of a page as MathML, which browsers show by themselves: no script, no other host.

LaTeX becomes MathML when the page is written. The glyphs it needs of STIX Two Math, a font with all
that stretches and stacks in formulas, travel inside the page.
"""

from __future__ import annotations

import base64
import functools
import html
import importlib.resources
import io
import logging
import re
from html.parser import HTMLParser
from importlib.util import find_spec

__all__ = ["font", "mathml", "typeset"]

# What is between dollar signs, and environments; the same that JupyterLab takes for formulas.
_FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]+\*?)\}.+?\\end\{(?P=name)\})"
    r"|(?<![\\$])\$(?P<inline>(?![\s$])(?:[^$\\]|\\.)*?(?<!\s))\$(?!\d)"
    r"|\\\((?P<round>.+?)\\\)",
    flags=re.DOTALL,
)
_WORDS = re.compile(r"\\(?:text\w*|[mhf]box|operatorname\*?|math(?:rm|it|tt|bf|sf))\s*\{[^{}]*\}")
# Signs in words, each as HTML; while a formula is converted, a letter of no script stands for it.
_IN_WORDS = {"<": "&lt;", ">": "&gt;", r"\&": "&amp;"}
_IN_WORDS |= {rf"\{sign}": sign for sign in "%_#$"}
_STAND_INS = {sign: chr(0xE000 + i) for i, sign in enumerate(_IN_WORDS)}
_NO_MATHML = re.compile(r"<(?!/?m[a-z]+[ />])")
_AS_IT_IS = {"pre", "code", "script", "style", "textarea", "title", "math", "svg"}
_VOID = {"br", "hr", "img", "input", "link", "meta", "col", "wbr", "source", "area", "base"}

_FUNCTIONS = (
    r"\\(?:(?:arccos|arcsin|arctan|arg|cosh|cos|cot|det|dim|exp|inf|ker|lim|ln|log|max|min|Pr|sinh"
    r"|sin|sup|tanh|tan)(?![a-zA-Z])|operatorname\*?\{[^{}]*\})"
)
# = < > ≤ ≥ ≈ ∼ → , ; ( { [ as the converter writes them.
_BEFORE_A_SIGN = (
    r"&#x(?:0003D|0003C|0003E|02264|02265|02248|0223C|02192|0002C|0003B|00028|0007B);|\["
)
_SCRIPTS = r"(?:\s*[_^]\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[a-zA-Z]+|[^\\{}\s]))*"


def typeset(page: str) -> str:
    """A page of HTML with its formulas as MathML, code and scripts as they were.

    Without latex2mathml the formulas stay as they were, too.
    """
    if find_spec("latex2mathml") is None:
        return page
    setter = _Typesetter()
    setter.feed(page)
    setter.close()
    setter.flush()
    return "".join(setter.parts)


@functools.lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = False) -> str:
    """A formula as a ``<math>`` element that keeps its LaTeX for those who copy it.

    A formula that cannot be converted stays LaTeX, in a ``<code>`` element.
    """
    from latex2mathml.converter import convert

    as_it_is = f"<code>{html.escape(latex)}</code>"
    try:
        text = convert(_prepared(latex), display="block" if display else "inline")
    except Exception:  # its parser raises of all kinds on what is no formula
        return as_it_is
    if _NO_MATHML.search(text):
        return as_it_is
    for sign, stand_in in _STAND_INS.items():
        text = text.replace(stand_in, _IN_WORDS[sign])
    text = re.sub(r"<mo>([A-Za-z]+)</mo>", r'<mi mathvariant="normal">\1</mi>', text)
    # Of the two bars, the one that is as wide as a letter: the other is a dot at this size.
    text = text.replace("&#x000AF;", "&#x0203E;")
    # Greek capitals stand upright.
    text = re.sub(
        r"<mi>(&#x003(?:9[0-9A-F]|A[0-9]);)</mi>", r'<mi mathvariant="normal">\1</mi>', text
    )
    # An infinity is no operator, but ∼ is one; a minus after a relation or a bracket is a sign.
    text = text.replace("<mo>&#x0221E;</mo>", "<mi>&#x0221E;</mi>")
    text = text.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")
    text = re.sub(
        rf"(<mo[^>]*>(?:{_BEFORE_A_SIGN})</mo>)<mo>(&#x02212;|&#x0002B;)</mo>",
        r'\1<mo form="prefix">\2</mo>',
        text,
    )
    # A bracket of a given size keeps it under a script only in a row of its own.
    text = re.sub(
        r"(<m(?:sub|sup|subsup)>)(<mo minsize[^>]*>[^<]*</mo>)", r"\1<mrow>\2</mrow>", text
    )
    # Bars are fences here, and fences stand close to what they enclose.
    text = re.sub(r'<mo(?: stretchy="false")?>(\||&#x0007C;|&#x02016;)</mo>', _fence, text)
    note = f'<annotation encoding="application/x-tex">{html.escape(latex)}</annotation>'
    return re.sub(
        r"(<math[^>]*>)(.*)</math>",
        lambda m: f"{m[1]}<semantics>{m[2]}{note}</semantics></math>",
        text,
        flags=re.DOTALL,
    )


def _fence(found: re.Match[str]) -> str:
    return f'<mo stretchy="false" lspace="0" rspace="0">{found[1]}</mo>'


def _prepared(latex: str) -> str:
    """LaTeX with what the converter does not do by itself: brackets by size, spaces at names."""
    latex = _rows(_WORDS.sub(_with_stand_ins, latex))
    for word, sign in (("lfloor", "⌊"), ("rfloor", "⌋"), ("lceil", "⌈"), ("rceil", "⌉")):
        latex = re.sub(rf"\\{word}(?![a-zA-Z])", sign, latex)
    latex = re.sub(r"\\operatorname\*?\{(?!\w+\})", r"\\mathrm{", latex.replace(r"name*", "name"))
    latex = re.sub(r"\\(math[a-z]+) (\w)", r"\\\1{\2}", latex)
    latex = re.sub(r"\\bmod(?![a-zA-Z])", r"\\;\\mathrm{mod}\\;", latex)
    # No numbers: nobody refers to them.
    latex = re.sub(r"\\(begin|end)\{(?:aligned|align|split|eqnarray)\*?\}", r"\\\1{align*}", latex)
    latex = re.sub(r"\\(begin|end)\{(?:gathered|gather|equation)\*?\}", r"\\\1{gather*}", latex)
    # A function's name has a small space at each side, but not before a bracket.
    latex = re.sub(
        rf"({_FUNCTIONS}{_SCRIPTS})\s*(?=[A-Za-z0-9\\])(?!\\(?:left|[bB]ig|,|;|right))",
        r"\1\\,",
        latex,
    )
    return re.sub(rf"(?<=[A-Za-z0-9}})])\s*(?={_FUNCTIONS})", r"\\,", latex)


def _with_stand_ins(words: re.Match[str]) -> str:
    """Words whose signs the converter would write as they are: < and > would begin and end tags."""
    text = words[0]
    for sign, stand_in in _STAND_INS.items():
        text = text.replace(sign, stand_in)
    return text


def _rows(latex: str) -> str:
    r"""LaTeX whose rows end in a plain ``\\``, and whose last cells are not empty.

    The converter prints the length of ``\\[4pt]``, and drops a last row that ends in an empty cell.
    """
    latex = re.sub(r"\\\\\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]", r"\\\\ ", latex)
    return re.sub(r"(?<!\\)&\s*(?=\\\\|\\end\{)", r"&{} ", latex)


class _Typesetter(HTMLParser):
    """A parser that writes a page out as it was, but for the formulas in its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._text: list[str] = []
        self._inside = 0  # how many elements are open whose text stays as it is

    def flush(self) -> None:
        """Write the text that has come together since the last tag."""
        text = "".join(self._text)
        self._text.clear()
        if not self._inside:  # no line ends between a formula and the stop or bracket behind it
            text = re.sub(
                r"</math>(?=[.,:;?!)])", "</math>&#x2060;", _FORMULA.sub(_converted, text)
            )
        self.parts.append(text)

    def _as_it_is(self, text: str) -> None:
        self.flush()
        self.parts.append(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._as_it_is(self.get_starttag_text() or "")
        self._inside += tag in _AS_IT_IS

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._as_it_is(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.flush()
        self._inside = max(self._inside - (tag in _AS_IT_IS), 0)
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_entityref(self, name: str) -> None:
        self._text.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._as_it_is(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._as_it_is(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self._as_it_is(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self._as_it_is(f"<?{data}>")


def _converted(found: re.Match[str]) -> str:
    inline = found["inline"] or found["round"]
    latex = inline or found["display"] or found["bracket"] or found["environment"]
    return mathml(html.unescape(latex).strip(), display=not inline)


def font(page: str) -> str:
    """A style sheet with the glyphs of STIX Two Math that the formulas of a page need."""
    formulas = re.findall(r"<math.*?</math>", page, flags=re.DOTALL)
    if not formulas or find_spec("ziamath") is None:
        return ""  # browsers have fonts of their own for formulas, good or not so good
    from fontTools import subset
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    formulas = [re.sub(r"<annotation.*?</annotation>", "", x, flags=re.DOTALL) for x in formulas]
    signs = {c for formula in formulas for c in html.unescape(re.sub("<[^>]*>", "", formula))}
    path = importlib.resources.files("ziamath").joinpath("fonts", "STIXTwoMath-Regular.ttf")
    glyphs = TTFont(io.BytesIO(path.read_bytes()))
    options = subset.Options(layout_features=["*"], notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(
        text="".join(_letters(signs) | set("()[]{}|‖⟨⟩⌊⌋⌈⌉√⏞⏟¯ˆ˜→←↔∣′ħ\u0302\u0303\u0304"))
    )
    subsetter.subset(glyphs)
    glyphs.flavor = "woff"
    written = io.BytesIO()
    glyphs.save(written)
    data = base64.b64encode(written.getvalue()).decode()
    return (
        '@font-face{font-family:"STIX Two Math of this page";'
        f"src:url(data:font/woff;base64,{data}) format('woff')}}"
        'math{font-family:"STIX Two Math of this page",math;font-size:1.12em}'
        "mtable[columnspacing^='0em'] mtd{padding-left:0;padding-right:0}"
        "mtable[columnspacing^='0em'] mtd:nth-child(2n+3){padding-left:2em}"
        "mtd[columnalign=left]{text-align:left}"
        "mtd[columnalign=right]{text-align:right;text-align:-webkit-right}"
    )


def _letters(signs: set[str]) -> set[str]:
    """Signs, and the slanted form in which browsers show a letter that stands alone."""
    slanted = {"h": "ℎ", "∂": "𝜕"}
    for plain, first in (("A", 0x1D434), ("a", 0x1D44E), ("Α", 0x1D6E2), ("α", 0x1D6FC)):
        for i in range(26 if plain in "Aa" else 25):
            slanted.setdefault(chr(ord(plain) + i), chr(first + i))
    return signs | {slanted[sign] for sign in signs if sign in slanted}
