"""How a check reads: one line, an aligned table, an HTML table, Markdown, or an error message.

Used by `nnlite.checks.ledger` while a lecture runs and by ``nnlite lectures`` for the combined
table. Verdicts have a symbol, a word and a colour, so none of the three has to be seen.
"""

from __future__ import annotations

import html as _html
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnlite.checks import formula

if TYPE_CHECKING:
    from nnlite.checks.check import Check, Number

__all__ = [
    "html",
    "line",
    "markdown",
    "mismatch",
    "row",
    "short",
    "summary",
    "text",
    "verdict",
]

HEADINGS = ("verdict", "claim", "formula", "measured", "expected", "tolerance", "source")

# Okabe and Ito's bluish green and vermilion, darkened until white text on them has a contrast of
# 5:1, so that the badges read alike in light and dark themes.
_BADGE = {"pass": "#00735a", "fail": "#b84300", "broken on purpose": "#b84300"}
_SYMBOL = {"pass": "✓", "fail": "✗", "broken on purpose": "✗"}


def verdict(check: Check) -> str:
    """Return "pass", "fail" or "broken on purpose"."""
    if check.passed:
        return "pass"
    return "broken on purpose" if check.on_purpose else "fail"


def short(value: float) -> str:
    """Return a tolerance as one would write it: 1e-6, 0.01, 0.0031."""
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def numbers(check: Check) -> tuple[str, str]:
    """Return measured and expected, both to the same decimal: the last one that matters.

    That is a tenth of what is allowed; for a bound, and for a check that failed, a hundredth of the
    difference is enough to see on which side each number lies. A number far below that place keeps
    two digits of its own.
    """
    difference = abs(check.measured - check.expected)
    resolution = check.allowed / 10
    if math.isfinite(difference) and (not check.passed or check.relation != "=="):
        resolution = max(resolution, difference / 100)
    sizes = [abs(value) for value in (check.measured, check.expected)]
    largest = max((size for size in sizes if 0 < size < math.inf), default=1.0)
    decimals = None
    if 0 < resolution < math.inf:  # and no more digits than double precision holds for sure
        decimals = min(-_magnitude(resolution), 11 - _magnitude(largest))
    return _number(check.measured, decimals), _number(check.expected, decimals)


def _magnitude(value: float) -> int:
    """Exponent of ten of the leading digit."""
    return math.floor(math.log10(abs(value)))


def _number(value: Number, decimals: int | None) -> str:
    if isinstance(value, complex):
        sign = "-" if math.copysign(1.0, value.imag) < 0 else "+"
        return f"{_number(value.real, decimals)}{sign}{_number(abs(value.imag), decimals)}j"
    if value == 0:
        return "0"  # minus zero as well
    if not math.isfinite(value):
        return f"{value:g}"
    if decimals is None:
        return f"{value:.12g}"
    magnitude = _magnitude(value)
    digits = max(magnitude + decimals + 1, 2)
    if -4 <= magnitude < 6:
        return f"{value:.{max(digits - 1 - magnitude, 0)}f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _cells(check: Check) -> dict[str, str]:
    """Return the texts of a row, by heading."""
    measured, expected = numbers(check)
    unit = f" {check.unit}" if check.unit else ""
    bound = {"==": "", "<=": "≤ ", ">=": "≥ "}[check.relation]
    notes = [_which_entry(check)] if check.index is not None else []
    if check.on_purpose:
        notes.append(f"the planted bug: {check.on_purpose}")
    word = verdict(check)
    return {
        "verdict": f"{_SYMBOL[word]} {word}",
        "claim": " ".join([check.claim, *(f"({note})" for note in notes)]),
        "formula": check.formula,
        "measured": measured + unit,
        "expected": bound + expected + unit,
        "tolerance": check.tolerance,
        "source": check.source,
    }


def _which_entry(check: Check) -> str:
    """Say of how many entries the numbers are one, which, and how far it is off."""
    assert check.index is not None
    entries = math.prod(check.shape)
    difference = abs(check.measured - check.expected)
    if entries == 1:
        return f"entry {list(check.index)}"
    if difference == 0 and check.relation == "==":
        return f"all {entries} entries are equal to the last bit"
    off = f", off by {short(difference)}" if check.relation == "==" else ""
    return f"worst of {entries} entries: {list(check.index)}{off}"


def line(check: Check) -> str:
    """Return one line: numbers first, so that the lines of a script stand in columns."""
    cells = _cells(check)
    measured, expected = numbers(check)
    pair = f"{measured:>12} {check.relation} {expected} {check.unit}"
    source = f"  ({check.source})" if check.source else ""
    return f"{cells['verdict']:<7}{pair:<32} {check.tolerance:<12} {cells['claim']}{source}"


def summary(checks: Sequence[Check]) -> str:
    """Return the closing sentence of a ledger."""
    words = [verdict(check) for check in checks]
    n_pass, n_fail = words.count("pass"), words.count("fail")
    purpose = words.count("broken on purpose")
    parts = [f"{n_pass} of {n_pass + n_fail} checks pass"]
    if n_fail:
        parts.append(f"{n_fail} FAIL")
    if purpose:
        parts.append(f"{purpose} broken on purpose, caught as it should be")
    return "; ".join(parts)


def text(checks: Sequence[Check], width: int = 100) -> str:
    """Return an aligned plain-text table, at most `width` columns wide where the numbers allow.

    Formula and source stand on a line of their own under the claim.
    """
    if not checks:
        return "The ledger is empty: no closed_form(...) has run yet."
    rows = [_cells(check) for check in checks]
    shown = ("verdict", "claim", "measured", "expected", "tolerance")
    sizes = {h: max(len(h), *(len(row[h]) for row in rows)) for h in shown}
    sizes["verdict"] = min(sizes["verdict"], len("✗ broken on"))
    # Words can be wrapped and numbers cannot: claim and tolerance share what the others leave.
    room = width - sum(sizes[h] for h in shown if h not in ("claim", "tolerance")) - 2 * 4
    sizes["tolerance"] = min(sizes["tolerance"], max(room // 3, 14))
    sizes["claim"] = min(sizes["claim"], max(room - sizes["tolerance"], 24))
    lines = ["  ".join(f"{h:<{sizes[h]}}" for h in shown).rstrip()]
    lines.append("  ".join("-" * sizes[h] for h in shown))
    for check, row in zip(checks, rows, strict=True):
        wrapped = {h: textwrap.wrap(row[h], sizes[h]) for h in shown}
        for i in range(max(map(len, wrapped.values()))):
            parts = {h: part[i] if i < len(part) else "" for h, part in wrapped.items()}
            padded = [
                f"{part:>{sizes[h]}}" if h in ("measured", "expected") else f"{part:<{sizes[h]}}"
                for h, part in parts.items()
            ]
            lines.append("  ".join(padded).rstrip())
        lines += _small_print(check, " " * (sizes["verdict"] + 4), width)
    return "\n".join([*lines, "", summary(checks)])


def _small_print(check: Check, indent: str, width: int) -> list[str]:
    source = f"[{check.source}]" if check.source else ""
    words = "   ".join(part for part in (formula.plain(check.formula), source) if part)
    # Widths are counted in characters, and a long formula is broken at a space or not at all.
    return textwrap.wrap(
        words,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


# The columns of the HTML table and their widths: fixed, so that the rows of a cell, each a table of
# its own, stand under one another. On a narrow screen the table scrolls sideways in its frame.
_COLUMNS = {
    "verdict": "11.5em",
    "claim": "auto",
    "measured": "9em",
    "expected": "10em",
    "tolerance": "9em",
}
_CELL = "border:0;padding:.3em .6em;text-align:left;vertical-align:top;white-space:normal;"
_FRAME = '<div class="nnlite-ledger" style="overflow-x:auto;max-width:100%">{}</div>'
_TABLE = (
    '<table style="border-collapse:collapse;table-layout:fixed;width:100%;min-width:52em;'
    'margin:.1em 0;color:inherit;background:transparent;font-size:95%">'
    "<colgroup>{columns}</colgroup>{head}<tbody>{body}</tbody></table>"
)


def row(check: Check, heading: bool = True) -> str:
    """Return an HTML table of one row, with or without its headings."""
    return _FRAME.format(_table([check], heading))


def html(checks: Sequence[Check]) -> str:
    """Return an HTML table; colours come from the page except for the verdict's badge."""
    if not checks:
        return "<p>The ledger is empty: no <code>closed_form(...)</code> has run yet.</p>"
    foot = f'<p style="opacity:.7">{summary(checks)}.</p>' if len(checks) > 1 else ""
    return _FRAME.format(_table(checks)) + foot


def _table(checks: Sequence[Check], heading: bool = True) -> str:
    columns = "".join(f'<col style="width:{width}">' for width in _COLUMNS.values())
    style = (
        f"{_CELL}font-weight:normal;opacity:.7;font-size:90%;"
        "border-bottom:1px solid rgba(128,128,128,.5)"
    )
    names = "".join(f'<th scope="col" style="{style}">{name}</th>' for name in _COLUMNS)
    head = f"<thead><tr>{names}</tr></thead>" if heading else ""
    body = "".join(
        f'<tr style="background:transparent">{_html_cells(check)}</tr>' for check in checks
    )
    return _TABLE.format(columns=columns, head=head, body=body)


def _html_cells(check: Check) -> str:
    texts = {name: _html.escape(text) for name, text in _cells(check).items()}
    number = f"{_CELL}overflow-wrap:anywhere;font-variant-numeric:tabular-nums;"
    badge = (
        f'<span style="background:{_BADGE[verdict(check)]};color:#fff;border-radius:.4em;'
        f'padding:.15em .5em;white-space:nowrap">{texts["verdict"]}</span>'
    )
    small = " &nbsp; ".join(
        ([f"${texts['formula']}$"] if texts["formula"] else [])
        + ([f"[{texts['source']}]"] if texts["source"] else [])
    )
    claim = texts["claim"] + (f'<div style="opacity:.8">{small}</div>' if small else "")
    cells = (
        (_CELL, badge),
        (_CELL, claim),
        (number, texts["measured"]),
        (number, texts["expected"]),
        (_CELL, texts["tolerance"]),
    )
    return "".join(f'<td style="{style}">{content}</td>' for style, content in cells)


def markdown(checks: Sequence[Check]) -> str:
    """Return a Markdown table, formulas between dollar signs."""
    rows = [_cells(check) for check in checks]
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in rows:
        # A bar would end the table's cell, in a formula too.
        latex = row["formula"].replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        cells = {h: row[h].replace("|", r"\|").replace("\n", " ") for h in HEADINGS}
        cells["formula"] = f"${latex}$" if latex else ""
        lines.append("| " + " | ".join(cells[h] for h in HEADINGS) + " |")
    return "\n".join(lines)


def mismatch(check: Check) -> str:
    """Return the message of a failed check: what was claimed, both numbers, and a likely fix."""
    measured, expected = numbers(check)
    unit = f" {check.unit}" if check.unit else ""
    difference = check.measured - check.expected
    size = abs(difference) if check.relation == "==" else difference
    lines = [
        f"{check.claim}",
        f"  measured    {measured}{unit}"
        + (f"  at entry {list(check.index)}" if check.index else ""),
        f"  expected {check.relation} {expected}{unit}",
        f"  difference  {short(size) if not isinstance(size, complex) else size}"
        f", allowed {short(check.allowed)} ({check.tolerance})",
    ]
    if check.formula:
        lines.append(f"  formula     {formula.plain(check.formula)}")
    if check.source:
        lines.append(f"  source      {check.source}")
    if check.shape:
        lines.append(f"  shape       {check.shape}; the entry shown is the worst")
    if not all(math.isfinite(abs(value)) for value in (check.measured, check.expected)):
        lines.append(
            "  A number that is not finite never passes: look for log(0), 0/0 or overflow."
        )
    elif check.allowed == 0 and "rtol" in check.tolerance:
        lines.append("  rtol allows nothing where the expected value is 0: give atol= as well.")
    return "\n".join(lines)
