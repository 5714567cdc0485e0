"""Checks: gradients against differences, learned numbers against closed forms (lecture 01)."""

from nnlite.checks.gradients import GradcheckError, assert_gradients, gradcheck, gradgradcheck
from nnlite.checks.ledger import (
    Check,
    ClosedFormMismatch,
    closed_form,
    expected_failure,
    ledger,
)

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
]
