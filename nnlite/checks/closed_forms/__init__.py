"""Learned numbers against closed forms: ``closed_form``, the blocks around it, and the ledger."""

from nnlite.checks.closed_forms.blocks import expected_failure, more_checks, your_turn
from nnlite.checks.closed_forms.check import Check, ClosedFormMismatch
from nnlite.checks.closed_forms.claims import closed_form
from nnlite.checks.closed_forms.recording import ledger

__all__ = [
    "Check",
    "ClosedFormMismatch",
    "closed_form",
    "expected_failure",
    "ledger",
    "more_checks",
    "your_turn",
]
