"""Every number that a lecture learns is checked against a closed form, on the record.

Lecture 01 introduces ``closed_form``; every lecture ends with ``ledger()``, the table of its
checks. In a notebook a check is shown as one row (HTML, plain text and a machine-readable part);
elsewhere it prints one line. A check that fails raises ``ClosedFormMismatch``, so a lecture whose
numbers are wrong does not run to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnlite.checks.closed_forms import blocks, compare, report
from nnlite.checks.closed_forms.check import Check, ClosedFormMismatch
from nnlite.checks.closed_forms.recording import record
from nnlite.checks.closed_forms.rivals import named_rivals, no_power
from nnlite.checks.closed_forms.values import as_numbers

__all__ = ["closed_form"]


def closed_form(
    claim: str,
    measured: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    stderr: Any = None,
    seeds: int | None = None,
    z: float = 4.0,
    relation: str = "==",
    formula: str = "",
    source: str = "",
    unit: str = "",
    wrong: Mapping[str, Any] | None = None,
    planted: Mapping[str, Any] | None = None,
) -> Check:
    """Check a measured number against its closed form, show the row and put it on the ledger.

    Passes where ``|measured - expected| <= atol + rtol * |expected|``, entry by entry, or, for a
    number averaged over random seeds, where ``|measured - expected| <= z * stderr``.

    Parameters
    ----------
    claim : str
        What is claimed, in words: ``"loss equals the sum of the dropped eigenvalues"``.
    measured : float, array_like or Tensor
        What the program found.
    expected : float, array_like or Tensor
        What the closed form says; the same shape as ``measured``, or one number for every entry.
    rtol, atol : float, optional
        Relative and absolute tolerance, at least one of them unless ``stderr`` is given. 0 is
        exact.
    stderr : float or array_like, optional
        Standard error of ``measured``, instead of a tolerance; needs ``seeds``.
    seeds : int, optional
        How many independent seeds the standard error comes from, at least 2.
    z : float, default 4.0
        Standard errors allowed. At 4 a true claim fails about once in 16,000 normal studies.
    relation : {"==", "<=", ">="}, default "=="
        ``"<="`` and ``">="`` claim a bound; the tolerance is then the slack.
    formula : str, optional
        The closed form in LaTeX, without dollar signs.
    source : str, optional
        Where the formula comes from: author, year, equation.
    unit : str, optional
        Unit of both numbers.
    wrong : dict of str to float or array_like, optional
        The nearest wrong laws by name, and what they say. Each is held to the allowance of the
        true one and must fail in place of ``expected``, or the check has no power.
    planted : dict of str to float or array_like, optional
        Bugs by name, and what is measured with them: each must fail in place of ``measured``.

    Returns
    -------
    Check
        The row, with the worst entry of an array.

    Raises
    ------
    ClosedFormMismatch
        If any entry breaks the claim; NaN and infinity never pass. If the claim is kept, but by a
        rival of ``wrong`` or ``planted`` as well.
    ValueError, TypeError
        If the question is not well posed: unequal shapes, nothing to compare, both or neither of
        tolerance and standard error, a standard error without seeds, a rival that is not finite.

    Examples
    --------
    >>> row = closed_form("mean of x**2 on [0, 1]", 0.33333, 1 / 3, atol=1e-4)
    ✓ pass      0.33333 == 0.33333          atol 1e-4    mean of x**2 on [0, 1]
    >>> row.passed
    True
    >>> row = closed_form("mean of x**2", 0.3333, 1 / 3, atol=1e-3, wrong={"square of mean": 1 / 4})
    ✓ pass       0.3333 == 0.3333           atol 0.001   mean of x**2 (rules out: square of mean)
    """
    __tracebackhide__ = True  # what failed is the caller's number: show the caller's line
    _refuse_odd_words(claim, relation, formula=formula, source=source, unit=unit)
    m, e = _pair(claim, measured, expected, relation)
    allowed, tolerance = compare.allowance(claim, m, e, rtol, atol, stderr, seeds, z)
    others = named_rivals(claim, m, relation, wrong, planted)
    index, passed = compare.worst(m, e, allowed, relation)
    powerless = [r for r in others if r.passes(m, e, allowed, relation)] if passed else []
    check = Check(
        claim=claim.strip(),
        measured=m[index].item(),
        expected=e[index].item(),
        allowed=float(allowed[index]),
        tolerance=tolerance,
        passed=passed,
        relation=relation,
        formula=formula,
        source=source,
        unit=unit,
        index=tuple(int(i) for i in index) if m.shape else None,
        shape=m.shape,
        on_purpose="" if passed else blocks.purpose(),
        section=blocks.section(),
        ruled_out=tuple(r.name for r in others if r not in powerless) if passed else (),
        task="" if passed else blocks.task(),
    )
    record(check)
    blocks.note(check)
    if not passed:
        raise ClosedFormMismatch(report.mismatch(check), check)
    if powerless:
        raise blocks.faulty(no_power(claim, powerless[0], m, e, allowed, relation))
    return check


def _refuse_odd_words(claim: str, relation: str, **texts: str) -> None:
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError(f"closed_form: say in words what is claimed, got claim={claim!r}.")
    if relation not in ("==", "<=", ">="):
        raise ValueError(f"closed_form: relation must be '==', '<=' or '>=', got {relation!r}.")
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"closed_form({claim!r}): {name} must be text, got {text!r}.")


def _pair(claim: str, measured: Any, expected: Any, relation: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of the claim in one shape."""
    m = as_numbers("measured", measured)
    e = as_numbers("expected", expected)
    if m.shape != e.shape and e.shape != ():
        raise ValueError(
            f"closed_form({claim!r}): measured has shape {m.shape} and expected has shape "
            f"{e.shape}; they must agree (nothing is broadcast here, because a silent broadcast "
            "hides a wrong axis)."
        )
    if relation != "==" and (np.iscomplexobj(m) or np.iscomplexobj(e)):
        raise TypeError(f"closed_form({claim!r}): complex numbers have no order for {relation!r}.")
    return m, np.broadcast_to(e, m.shape)
