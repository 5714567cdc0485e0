"""Blocks around checks: broken on purpose, one section's further checks, the student's turn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from nnlite.checks.closed_forms.check import Check, ClosedFormMismatch
from nnlite.checks.closed_forms.notebook import Run, current_run
from nnlite.checks.closed_forms.recording import record, write_down

__all__ = ["expected_failure", "faulty", "more_checks", "note", "purpose", "section", "your_turn"]


@dataclass
class _Block:
    """An open block: its kind, its words, and what the checks in it came to."""

    kind: str
    words: str
    run: Run = field(default_factory=current_run)
    is_open: bool = True
    ran: int = 0
    failed: bool = False


# The blocks now open, innermost last; a check in another thread is in none.
_blocks: ContextVar[tuple[_Block, ...]] = ContextVar("_blocks", default=())


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
        If nothing in the block failed, so that the planted bug went unnoticed, or the block stands
        inside a ``your_turn``.

    Examples
    --------
    >>> from nnlite import closed_form
    >>> with expected_failure("E|r|"):
    ...     row = closed_form("noise", 3.18, 5.0, rtol=0.01)
    ✗ broken on purpose        3.18 == 5.00             rtol 0.01    noise (the planted bug: E|r|)
    """
    if _innermost("your turn"):
        raise faulty(
            f"expected_failure({why!r}) stands inside a your_turn block, whose check is to pass "
            "in the end. Plant the bug in a cell of its own."
        )
    with _block("broken on purpose", why, "expected_failure: say which bug the block plants") as b:
        try:
            yield
        except ClosedFormMismatch as error:
            if error.check is None:  # no row failed: from another block, or a check without power
                raise
    if b.failed:
        return
    seen = f"{b.ran} check(s) ran and all passed" if b.ran else "no check ran"
    raise faulty(
        f"expected_failure({b.words!r}): the planted bug went unnoticed: {seen}. "
        "Put the closed_form(...) that must fail inside the block."
    )


@contextmanager
def more_checks(title: str) -> Iterator[None]:
    """Keep the checks in this block out of the story: the ledger shows them in a section.

    Parameters
    ----------
    title : str
        Heading of the section, ``"2 · Reverse mode"``. Blocks of one title share a section.

    Raises
    ------
    ValueError
        If no check ran in the block, or it stands inside another one.

    Examples
    --------
    >>> from nnlite import closed_form
    >>> with more_checks("1 · Slopes"):
    ...     row = closed_form("slope of x**2 at 3", 6.0, 6, atol=0)
    ✓ pass            6 == 6                exact        slope of x**2 at 3
    >>> row.section
    '1 · Slopes'
    """
    if _innermost("section"):
        raise ValueError(
            f"more_checks({title!r}) stands inside the section {section()!r}; end that one first."
        )
    with _block("section", title, "more_checks: give the heading of the section") as block:
        yield
    if not block.ran:
        raise ValueError(
            f"more_checks({block.words!r}): no check ran in the block. Put the closed_form(...) "
            "of the section inside it."
        )


@contextmanager
def your_turn(task: str) -> Iterator[None]:
    """Hold the check of a task that the reader completes, in the cell with the missing line.

    While the line is missing, the check is shown as an open row, whatever went wrong, and the
    notebook goes on. Once the check passes, it is a row like any other.

    Parameters
    ----------
    task : str
        What is to be completed.

    Raises
    ------
    ClosedFormMismatch
        If not exactly one check ran in the block, the check has no power, or the block stands
        inside another ``your_turn`` or an ``expected_failure``.

    Examples
    --------
    >>> from nnlite import closed_form
    >>> with your_turn("the slope of x**3"):
    ...     row = closed_form("slope at 2", 2 * 2.0, 12, atol=0)
    ○ your turn        4.00 == 12.00            exact        the slope of x**3 (slope at 2)
    """
    for kind in ("your turn", "broken on purpose"):
        if _innermost(kind):
            raise faulty(
                f"your_turn({task!r}) stands inside another block ({kind}); a task has a block of "
                "its own."
            )
    with _block("your turn", task, "your_turn: say what is to be completed") as block:
        try:
            yield
        except ClosedFormMismatch as error:
            if error.check is None:  # not the reader's fault: a check without power
                raise
        except Exception as error:  # the missing line may raise anything, at any place
            if block.ran:
                raise
            _record_open(block, error)
            return
    if block.ran != 1:
        raise faulty(
            f"your_turn({block.words!r}): {block.ran} checks ran in the block; a task has exactly "
            "one closed_form(...), which says whether it is done."
        )


def _record_open(block: _Block, error: Exception) -> None:
    """Put on the ledger that a task is open, when not even its check could be made."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    record(
        Check(
            claim=f"not yet, {reason}",
            measured=math.nan,
            expected=math.nan,
            allowed=0.0,
            tolerance="",
            passed=False,
            task=block.words,
            section=section(),
        )
    )


def section() -> str:
    """The heading of the section that is open, empty in the story."""
    return _words("section")


def purpose() -> str:
    """Which bug the innermost ``expected_failure`` plants, empty outside."""
    return _words("broken on purpose")


def task() -> str:
    """The task of the ``your_turn`` block that is open, empty outside."""
    return _words("your turn")


def note(check: Check) -> None:
    """Let the open blocks know that a check ran in them."""
    for block in _open_blocks():
        block.ran += 1
        block.failed |= not check.passed


def faulty(message: str) -> ClosedFormMismatch:
    """The exception of a check that proves nothing; it is written down, so cannot hide."""
    write_down(faulty=message)
    return ClosedFormMismatch(message)


@contextmanager
def _block(kind: str, words: str, needed: str) -> Iterator[_Block]:
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"{needed}, got {words!r}.")
    block = _Block(kind, words.strip())
    token = _blocks.set((*_blocks.get(), block))
    try:
        yield block
    finally:
        block.is_open = False
        _blocks.reset(token)


def _open_blocks() -> list[_Block]:
    """The blocks in which we are.

    One that was entered by hand and never left ends with its cell, and a task that was started in
    one is in it no longer than its block is open.
    """
    current = current_run()
    return [block for block in _blocks.get() if block.is_open and block.run == current]


def _innermost(kind: str) -> _Block | None:
    return next((block for block in reversed(_open_blocks()) if block.kind == kind), None)


def _words(kind: str) -> str:
    block = _innermost(kind)
    return block.words if block else ""
