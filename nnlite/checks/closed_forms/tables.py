"""How the checks of a lecture read together: an aligned table, an HTML table, or Markdown.

Used by ``ledger`` at the end of a lecture and by ``nnlite lectures`` for the combined table.
"""

from __future__ import annotations

import html as _html
import textwrap
from collections.abc import Sequence

from nnlite.checks.closed_forms import formula
from nnlite.checks.closed_forms.check import Check
from nnlite.checks.closed_forms.report import row_texts, verdict

__all__ = ["html", "markdown", "row", "sections", "summary", "text"]

# Okabe and Ito's bluish green and vermilion, darkened until white text on them has a contrast of
# 5:1, so that the badges read alike in light and dark themes.
_BADGE = {
    "pass": "#00735a",
    "fail": "#b84300",
    "broken on purpose": "#b84300",
    "your turn": "#5b5b66",
}
STORY = "The story"  # heading of the checks that no `more_checks` holds
HEADINGS = ("verdict", "claim", "formula", "measured", "expected", "tolerance", "source")


def summary(checks: Sequence[Check]) -> str:
    """The closing sentence of a ledger."""
    words = [verdict(check) for check in checks]
    n_pass, n_fail = words.count("pass"), words.count("fail")
    purpose = words.count("broken on purpose")
    counted = n_pass + n_fail or not words
    parts = [f"{n_pass} of {n_pass + n_fail} checks pass"] if counted else []
    if n_fail:
        parts.append(f"{n_fail} FAIL")
    if purpose:
        parts.append(f"{purpose} broken on purpose, caught as it should be")
    if "your turn" in words:
        parts.append(f"{words.count('your turn')} left for you")
    return "; ".join(parts)


def sections(checks: Sequence[Check]) -> list[tuple[str, list[Check]]]:
    """Headings and their checks: those of the story first, then in the order they came."""
    titles = dict.fromkeys(["", *(check.section for check in checks)])
    parts = [(title, [check for check in checks if check.section == title]) for title in titles]
    return [(title or STORY, part) for title, part in parts if part]


def text(checks: Sequence[Check], width: int = 100) -> str:
    """An aligned plain-text table, at most ``width`` columns wide where the numbers allow.

    Formula, source and what is ruled out stand on a line of their own under the claim, and above
    each section its heading, if there are several.
    """
    if not checks:
        return "The ledger is empty: no closed_form(...) has run yet."
    parts = sections(checks)
    if len(parts) == 1:
        return f"{_aligned(checks, width)}\n\n{summary(checks)}"
    tables = [f"{title}: {summary(part)}\n\n{_aligned(part, width)}\n\n" for title, part in parts]
    return "".join(tables) + f"In all: {summary(checks)}"


def _aligned(checks: Sequence[Check], width: int) -> str:
    rows = [row_texts(check) for check in checks]
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
    return "\n".join(lines)


def _small_print(check: Check, indent: str, width: int) -> list[str]:
    """Formula, source and what is ruled out, under the claim."""
    source = f"[{check.source}]" if check.source else ""
    parts = (formula.plain(check.formula), source, row_texts(check)["rivals"])
    words = "   ".join(part for part in parts if part)
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
    "measured": "10em",
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
    """An HTML table of one row, with or without its headings."""
    return _FRAME.format(_table([check], heading))


def html(checks: Sequence[Check]) -> str:
    """An HTML table; colours come from the page except for the verdict's badge.

    Of several sections each is folded under its heading; the story is unfolded.
    """
    if not checks:
        return "<p>The ledger is empty: no <code>closed_form(...)</code> has run yet.</p>"
    foot = f'<p style="opacity:.7">{summary(checks)}.</p>' if len(checks) > 1 else ""
    parts = sections(checks)
    if len(parts) == 1:
        return _FRAME.format(_table(checks)) + foot
    folded = "".join(
        f'<details{" open" if title == STORY else ""}><summary style="cursor:pointer">'
        f"<b>{_html.escape(title)}</b>: {summary(part)}</summary>"
        f"{_FRAME.format(_table(part))}</details>"
        for title, part in parts
    )
    return folded + foot


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
    texts = {name: _html.escape(text) for name, text in row_texts(check).items()}
    number = f"{_CELL}overflow-wrap:anywhere;font-variant-numeric:tabular-nums;"
    badge = (
        f'<span style="background:{_BADGE[verdict(check)]};color:#fff;border-radius:.4em;'
        f'padding:.15em .5em;white-space:nowrap">{texts["verdict"]}</span>'
    )
    small = " &nbsp; ".join(
        ([f"${texts['formula']}$"] if texts["formula"] else [])
        + ([f"[{texts['source']}]"] if texts["source"] else [])
        + ([texts["rivals"]] if texts["rivals"] else [])
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
    """A Markdown table for each section, formulas between dollar signs."""
    parts = sections(checks)
    if len(parts) == 1:
        return _markdown_table(checks)
    return "\n\n".join(
        f"### {title}: {summary(part)}\n\n{_markdown_table(part)}" for title, part in parts
    )


def _markdown_table(checks: Sequence[Check]) -> str:
    rows = [row_texts(check) for check in checks]
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in rows:
        row["claim"] = f"{row['claim']}; {row['rivals']}" if row["rivals"] else row["claim"]
        # A bar would end the table's cell, in a formula too.
        latex = row["formula"].replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        cells = {h: row[h].replace("|", r"\|").replace("\n", " ") for h in HEADINGS}
        cells["formula"] = f"${latex}$" if latex else ""
        lines.append("| " + " | ".join(cells[h] for h in HEADINGS) + " |")
    return "\n".join(lines)
