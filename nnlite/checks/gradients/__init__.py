"""Gradients against difference quotients and complex steps: ``gradcheck`` and its friends."""

from nnlite.checks.gradients.checkers import assert_gradients, gradcheck, gradgradcheck
from nnlite.checks.gradients.report import GradcheckError, GradcheckReport

__all__ = [
    "GradcheckError",
    "GradcheckReport",
    "assert_gradients",
    "gradcheck",
    "gradgradcheck",
]
