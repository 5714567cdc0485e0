"""The ledger: every number that a lecture learns is checked against a closed form, on the record.

Lecture 01 introduces `closed_form`; every lecture ends with `ledger()`, the table of its checks.
In a notebook a check is shown as one row (HTML, plain text and a machine-readable part); elsewhere
it prints one line. A check that fails raises `ClosedFormMismatch`, so a lecture whose numbers are
wrong does not run to its end.

``nnlite lectures`` names a journal, a file in which every check of the kernel and its children is
written down the moment it is made. What a notebook shows is compared with it afterwards, so that no
``%%capture``, ``try`` or ``clear_output()`` hides a row.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite.checks import compare, report
from nnlite.checks.check import Check, ClosedFormMismatch

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


@dataclass(frozen=True)
class _Run:
    """One execution of a notebook's cell; outside notebooks both are None."""

    cell: str | None = None
    execution: int | None = None


@dataclass
class _Block:
    """An open `expected_failure` block: how many checks ran in it, and whether one failed."""

    why: str
    run: _Run
    is_open: bool = True
    ran: int = 0
    failed: bool = False


# The rows so far, each with the run of a cell that it came from.
_rows: list[tuple[_Run, Check]] = []
# The `expected_failure` blocks now open, innermost last; a check in another thread is in none.
_blocks: ContextVar[tuple[_Block, ...]] = ContextVar("_blocks", default=())
# Read once: a lecture that empties os.environ is recorded all the same.
_journal = os.environ.get("NNLITE_JOURNAL")
# Lines are numbered by the module that wrote them, so that a line taken out later is missed.
_module = os.urandom(8).hex()
_lines = itertools.count()


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
    for name, text in (("formula", formula), ("source", source), ("unit", unit)):
        if not isinstance(text, str):
            raise TypeError(f"closed_form({claim!r}): {name} must be text, got {text!r}")
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
    blocks = _open_blocks()
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
        on_purpose=blocks[-1].why if blocks and not passed else "",
    )
    first = _record(check)
    _show(report.line(check), report.row(check, heading=first), check)
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
    block = _Block(why.strip(), _current_run())
    token = _blocks.set((*_blocks.get(), block))
    try:
        yield
    except ClosedFormMismatch as error:
        if error.check is None:  # from a block inside this one, whose bug went unnoticed
            raise
    finally:
        block.is_open = False
        _blocks.reset(token)
    if block.failed:
        return
    seen = f"{block.ran} check(s) ran and all passed" if block.ran else "no check ran"
    message = (
        f"expected_failure({block.why!r}): the planted bug went unnoticed: {seen}. "
        "Put the closed_form(...) that must fail inside the block."
    )
    _write_down(unnoticed=message)
    raise ClosedFormMismatch(message)


def ledger() -> None:
    """Show the table of all checks so far: the last code cell of a lecture."""
    checks = recorded()
    _show(report.text(checks), report.html(checks))


def show_again(check: Check) -> None:
    """Show a row once more, unless it belongs to the cell that runs and has just shown it."""
    if not any(c is check and run == _current_run() for run, c in _rows):
        _show(report.line(check), report.row(check))


def recorded() -> tuple[Check, ...]:
    """Return the checks so far, oldest first."""
    return tuple(check for _, check in _rows)


def reset() -> None:
    """Forget all checks so far."""
    _rows.clear()


def _record(check: Check) -> bool:
    """Append a row; running a cell again replaces its rows instead of repeating them.

    Returns whether it is the first row of this run of its cell.
    """
    _write_down(check=check.to_json())
    current = _current_run()
    if current.cell is not None:
        _rows[:] = [(run, c) for run, c in _rows if run.cell != current.cell or run == current]
    first = not any(run == current for run, _ in _rows)
    _rows.append((current, check))
    for block in _open_blocks():
        block.ran += 1
        block.failed |= not check.passed
    return first


def _open_blocks() -> list[_Block]:
    """Return the `expected_failure` blocks in which we are.

    One that was entered by hand and never left ends with its cell, and a task that was started in
    one is in it no longer than its block is open.
    """
    current = _current_run()
    return [block for block in _blocks.get() if block.is_open and block.run == current]


def _write_down(**entry: Any) -> None:
    """Add a line to the journal of ``nnlite lectures``, if it runs us."""
    if _journal:
        of = {"process": os.getpid(), "module": _module, "number": next(_lines)}
        line = json.dumps({**of, **entry})
        with open(_journal, "ab", buffering=0) as file:  # one write, so that no line is torn
            file.write(line.encode() + b"\n")


def _current_run() -> _Run:
    """Return which cell runs for which time; front ends that do not name their cells give None."""
    shell = _shell()
    if shell is None:
        return _Run()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return _Run(parent.get("metadata", {}).get("cellId"), shell.execution_count)


def _shell() -> Any:
    """Return the running IPython shell, or None; IPython is not imported to find out."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


@dataclass(frozen=True)
class _Shown:
    """What is displayed, by MIME type: front ends take what they can show."""

    bundle: dict[str, Any]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle


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
    display(_Shown(bundle))
