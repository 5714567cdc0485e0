"""How a check reads: one line, the texts of its row, or an error message.

Verdicts have a symbol, a word and a colour, so none of the three has to be seen.
"""

from __future__ import annotations

import math

from nnlite.checks.closed_forms import formula
from nnlite.checks.closed_forms.check import Check
from nnlite.checks.closed_forms.digits import numbers, short

__all__ = ["line", "mismatch", "row_texts", "verdict"]

_SYMBOL = {"pass": "✓", "fail": "✗", "broken on purpose": "✗", "your turn": "○"}


def verdict(check: Check) -> str:
    """The verdict: "pass", "fail", "broken on purpose" or "your turn"."""
    if check.passed:
        return "pass"
    if check.task:
        return "your turn"
    return "broken on purpose" if check.on_purpose else "fail"


def row_texts(check: Check) -> dict[str, str]:
    """The texts of a row, by heading."""
    measured, expected = _pair(check)
    unit = f" {check.unit}" if check.unit else ""
    bound = {"==": "", "<=": "≤ ", ">=": "≥ "}[check.relation]
    notes = [check.claim] if check.task else []
    notes += [_which_entry(check)] if check.index is not None else []
    notes += [f"the planted bug: {check.on_purpose}"] if check.on_purpose else []
    word = verdict(check)
    return {
        "verdict": f"{_SYMBOL[word]} {word}",
        "claim": " ".join([check.task or check.claim, *(f"({note})" for note in notes)]),
        "rivals": f"rules out: {'; '.join(check.ruled_out)}" if check.ruled_out else "",
        "formula": check.formula,
        "measured": measured + unit,
        "expected": bound + expected + unit,
        "tolerance": check.tolerance,
        "source": check.source,
    }


def _pair(check: Check) -> tuple[str, str]:
    """Both numbers; of a task in which the check could not even be made, dashes."""
    return numbers(check) if check.tolerance else ("–", "–")


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
    """One line: numbers first, so that the lines of a script stand in columns."""
    cells = row_texts(check)
    measured, expected = _pair(check)
    pair = f"{measured:>12} {check.relation} {expected} {check.unit}"
    notes = [f"({cells['rivals']})"] if check.ruled_out else []
    notes += [f" ({check.source})"] if check.source else []
    told = " ".join([cells["claim"], *notes])
    return f"{cells['verdict']:<7}{pair:<32} {check.tolerance:<12} {told}"


def mismatch(check: Check) -> str:
    """The message of a failed check: what was claimed, both numbers, and a likely fix."""
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
