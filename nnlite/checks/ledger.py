"""The ledger: every number that a lecture learns is checked against a closed form, on the record.

Lecture 01 introduces `closed_form`; every lecture ends with `ledger()`, the table of its checks.
In a notebook a check is shown as one row (HTML, plain text and a machine-readable part that
``nnlite lectures`` gathers); elsewhere it prints one line. A check that fails raises
`ClosedFormMismatch`, so a lecture whose numbers are wrong does not run to its end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nnlite.checks import compare, report

__all__ = [
    "CHECK_MIME",
    "Check",
    "ClosedFormMismatch",
    "closed_form",
    "expected_failure",
    "ledger",
    "recorded",
    "reset",
]

CHECK_MIME = "application/vnd.nnlite.check+json"

Number = float | complex


@dataclass(frozen=True)
class Check:
    """One row of the ledger.

    For arrays the row shows the *worst* entry: the one nearest to breaking the claim, or the one
    that breaks it most.

    Attributes
    ----------
    claim : str
        What is claimed, in words.
    measured, expected : float or complex
        The two numbers compared.
    allowed : float
        The largest difference that passes: ``atol + rtol * |expected|`` or ``z * stderr``.
    tolerance : str
        Where `allowed` comes from, for the reader: ``"rtol 1e-6"`` or
        ``"4 × s.e. 0.003 (300 seeds)"``.
    passed : bool
        Whether *every* entry kept the claim.
    relation : {"==", "<=", ">="}
        How measured is claimed to stand to expected.
    formula, source, unit : str
        LaTeX without dollar signs; author, year and equation; unit of both numbers.
    index : tuple of int or None
        Position of the worst entry, None for single numbers.
    shape : tuple of int
        Shape of what was measured.
    on_purpose : str
        Why this check is meant to fail (`expected_failure`), empty for all others.
    """

    claim: str
    measured: Number
    expected: Number
    allowed: float
    tolerance: str
    passed: bool
    relation: str = "=="
    formula: str = ""
    source: str = ""
    unit: str = ""
    index: tuple[int, ...] | None = None
    shape: tuple[int, ...] = ()
    on_purpose: str = ""

    @property
    def counts_as_failure(self) -> bool:
        """Whether this row makes a lecture fail: it did not pass, and was not meant not to."""
        return not self.passed and not self.on_purpose

    def _ipython_display_(self) -> None:
        """Show the row in a notebook, unless it is the value of the cell that has just shown it."""
        if not any(c is self and run == _current_run() for run, c in _rows):
            _show(report.line(self), report.html([self]))

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that strict JSON can hold (no NaN, no complex numbers)."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("measured", "expected", "allowed"):
            row[name] = _number_to_json(row[name])
        row["index"] = None if self.index is None else list(self.index)
        row["shape"] = list(self.shape)
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Check:
        """Rebuild a check from `to_json`; a row with other fields raises ValueError."""
        names = {field.name for field in fields(cls)}
        if set(row) != names:
            odd = sorted(set(row) ^ names)
            raise ValueError(f"not a check of this version of nnlite: fields {odd} do not match")
        row = dict(row)
        for name in ("measured", "expected", "allowed"):
            row[name] = _number_from_json(row[name])
        row["index"] = None if row["index"] is None else tuple(row["index"])
        row["shape"] = tuple(row["shape"])
        return cls(**row)


@dataclass
class _Block:
    """An open `expected_failure` block and the number of checks that ran in it."""

    why: str
    ran: int = 0


class ClosedFormMismatch(AssertionError):
    """A measured number does not agree with its closed form; `check` holds the row."""

    def __init__(self, message: str, check: Check | None = None) -> None:
        super().__init__(message)
        self.check = check


@dataclass(frozen=True)
class _Run:
    """One execution of a notebook's cell; outside notebooks both are None."""

    cell: str | None = None
    execution: int | None = None


# The rows so far, each with the run of a cell that it came from.
_rows: list[tuple[_Run, Check]] = []
# The `expected_failure` blocks now open, innermost last.
_blocks: list[_Block] = []


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
        What the closed form says; the same shape as `measured`, or one number for every entry.
    rtol, atol : float, optional
        Relative and absolute tolerance, at least one of them unless `stderr` is given. 0 is exact.
    stderr : float or array_like, optional
        Standard error of `measured`, instead of a tolerance; needs `seeds`.
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

    Returns
    -------
    Check
        The row, with the worst entry of an array.

    Raises
    ------
    ClosedFormMismatch
        If any entry breaks the claim. NaN and infinity never pass.
    ValueError, TypeError
        If the question is not well posed: unequal shapes, nothing to compare, both or neither of
        tolerance and standard error, a standard error without seeds.

    Examples
    --------
    >>> row = closed_form("mean of x**2 on [0, 1]", 0.33333, 1 / 3, atol=1e-4)
    ✓ pass      0.33333 == 0.33333          atol 1e-4    mean of x**2 on [0, 1]
    >>> row.passed
    True
    """
    __tracebackhide__ = True  # what failed is the caller's number: show the caller's line
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError(f"closed_form: say in words what is claimed, got claim={claim!r}")
    if relation not in ("==", "<=", ">="):
        raise ValueError(f"closed_form: relation must be '==', '<=' or '>=', got {relation!r}")
    m = compare.as_numbers("measured", measured)
    e = compare.as_numbers("expected", expected)
    if m.shape != e.shape and e.shape != ():
        raise ValueError(
            f"closed_form({claim!r}): measured has shape {m.shape} and expected has shape "
            f"{e.shape}; they must agree (nothing is broadcast here, because a silent broadcast "
            "hides a wrong axis)"
        )
    if relation != "==" and (np.iscomplexobj(m) or np.iscomplexobj(e)):
        raise TypeError(f"closed_form({claim!r}): complex numbers have no order for {relation!r}")
    allowed, tolerance = compare.allowance(claim, m, e, rtol, atol, stderr, seeds, z)

    index, passed = compare.worst(m, np.broadcast_to(e, m.shape), allowed, relation)
    worst_e = e[index] if e.shape else e[()]
    check = Check(
        claim=claim.strip(),
        measured=m[index].item(),
        expected=worst_e.item(),
        allowed=float(allowed[index]),
        tolerance=tolerance,
        passed=passed,
        relation=relation,
        formula=formula,
        source=source,
        unit=unit,
        index=tuple(int(i) for i in index) if m.shape else None,
        shape=m.shape,
        on_purpose=_blocks[-1].why if _blocks and not passed else "",
    )
    _record(check)
    _show(report.line(check), report.html([check]), check)
    if not passed:
        raise ClosedFormMismatch(report.mismatch(check), check)
    return check


@contextmanager
def expected_failure(why: str) -> Iterator[None]:
    """Say that the checks in this block must fail: for the "break it" cells of a lecture.

    The failing row is shown and recorded as broken on purpose, and does not count as a failure.

    Parameters
    ----------
    why : str
        The bug that the block plants, for the reader.

    Raises
    ------
    ClosedFormMismatch
        If nothing in the block failed: the planted bug went unnoticed.

    Examples
    --------
    >>> with expected_failure("E|r|"):
    ...     row = closed_form("noise", 3.18, 5.0, rtol=0.01)
    ✗ broken on purpose        3.18 == 5.00             rtol 0.01    noise (the planted bug: E|r|)
    """
    if not isinstance(why, str) or not why.strip():
        raise ValueError(f"expected_failure: say which bug the block plants, got {why!r}")
    block = _Block(why.strip())
    _blocks.append(block)
    try:
        yield
    except ClosedFormMismatch:
        return
    finally:
        _blocks.pop()
    seen = f"{block.ran} check(s) ran and all passed" if block.ran else "no check ran"
    raise ClosedFormMismatch(
        f"expected_failure({block.why!r}): the planted bug went unnoticed: {seen}. "
        "Put the closed_form(...) that must fail inside the block."
    )


def ledger() -> None:
    """Show the table of all checks so far: the last code cell of a lecture."""
    checks = recorded()
    _show(report.text(checks), report.html(checks))


def recorded() -> tuple[Check, ...]:
    """Return the checks so far, oldest first."""
    return tuple(check for _, check in _rows)


def reset() -> None:
    """Forget all checks so far."""
    _rows.clear()


def _record(check: Check) -> None:
    """Append a row; running a cell again replaces its rows instead of repeating them."""
    current = _current_run()
    if current.cell is not None:
        _rows[:] = [(run, c) for run, c in _rows if run.cell != current.cell or run == current]
    _rows.append((current, check))
    for block in _blocks:
        block.ran += 1


def _current_run() -> _Run:
    """Return which cell runs for which time; front ends that do not name their cells give None."""
    shell = _shell()
    if shell is None:
        return _Run()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return _Run(parent.get("metadata", {}).get("cellId"), shell.execution_count)


def _shell() -> Any:
    """Return the running IPython shell, or None; IPython is never imported on its own account."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


def _show(plain: str, rich: str, check: Check | None = None) -> None:
    """Display in a notebook, print elsewhere."""
    if _shell() is None:
        # A console that cannot show λ or ✓ (a redirected Windows one) shows "?" and does not die.
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(plain.encode(encoding, errors="replace").decode(encoding))
        return
    from IPython.display import display

    bundle: dict[str, Any] = {"text/plain": plain, "text/html": rich}
    if check is not None:
        bundle[CHECK_MIME] = check.to_json()
    display(bundle, raw=True)


def _number_to_json(value: Number) -> Any:
    if isinstance(value, complex):
        return {"re": _number_to_json(value.real), "im": _number_to_json(value.imag)}
    return float(value) if np.isfinite(value) else str(float(value))


def _number_from_json(value: Any) -> Number:
    if isinstance(value, dict):
        return complex(float(value["re"]), float(value["im"]))
    return float(value)
