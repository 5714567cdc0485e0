"""Errors and warnings that several parts of nnlite raise."""

from __future__ import annotations

import sys


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before ``fit``.

    ``except sklearn.exceptions.NotFittedError`` catches it too, once scikit-learn is loaded.
    """

    def __new__(cls, *args: object) -> NotFittedError:
        """Make an error that is scikit-learn's too, once that is loaded."""
        theirs = sys.modules.get("sklearn.exceptions")
        if theirs is not None and cls is NotFittedError:
            cls = type(cls.__name__, (cls, theirs.NotFittedError), {"__module__": cls.__module__})
        return super().__new__(cls, *args)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return NotFittedError, self.args


class ConvergenceWarning(UserWarning):
    """An iteration stopped before it reached its tolerance."""
