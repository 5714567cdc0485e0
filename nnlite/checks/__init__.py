"""Checks: gradients against differences, learned numbers against closed forms (lecture 01)."""

from nnlite.checks.closed_forms import (
    Check,
    ClosedFormMismatch,
    closed_form,
    expected_failure,
    ledger,
    more_checks,
    your_turn,
)
from nnlite.checks.gradients import GradcheckError, assert_gradients, gradcheck, gradgradcheck

__all__ = [
    "Check",
    "ClosedFormMismatch",
    "GradcheckError",
    "assert_gradients",
    "closed_form",
    "expected_failure",
    "gradcheck",
    "gradgradcheck",
    "ledger",
    "more_checks",
    "your_turn",
]
