"""One row of the ledger: what was claimed, both numbers, and the verdict (lecture 01)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

__all__ = ["Check", "ClosedFormMismatch", "Number"]

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
        Where ``allowed`` comes from, for the reader: ``"rtol 1e-6"`` or
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
        Why this check is meant to fail (``expected_failure``), empty for all others.
    section : str
        Heading of the section whose further checks it belongs to (``more_checks``), empty in the
        story.
    ruled_out : tuple of str
        The wrong laws and planted bugs that fail where this check passes.
    task : str
        What the reader has yet to complete (``your_turn``), empty once the check passes.
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
    section: str = ""
    ruled_out: tuple[str, ...] = ()
    task: str = ""

    @property
    def counts_as_failure(self) -> bool:
        """Whether this row makes a lecture fail: it did not pass, though it was meant to."""
        return not (self.passed or self.on_purpose or self.task)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that strict JSON can hold (no NaN, no complex numbers)."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("measured", "expected", "allowed"):
            row[name] = _number_to_json(row[name])
        row["index"] = None if self.index is None else list(self.index)
        row["shape"] = list(self.shape)
        row["ruled_out"] = list(self.ruled_out)
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Check:
        """Rebuild a check from ``to_json``; a row with other fields raises ValueError."""
        names = {field.name for field in fields(cls)}
        if set(row) != names:
            odd = sorted(set(row) ^ names)
            raise ValueError(f"not a check of this version of nnlite: fields {odd} do not match.")
        row = dict(row)
        for name in ("measured", "expected", "allowed"):
            row[name] = _number_from_json(row[name])
        row["index"] = None if row["index"] is None else tuple(row["index"])
        row["shape"] = tuple(row["shape"])
        row["ruled_out"] = tuple(row["ruled_out"])
        return cls(**row)


class ClosedFormMismatch(AssertionError):
    """A measured number does not agree with its closed form; ``check`` holds the row."""

    def __init__(self, message: str, check: Check | None = None) -> None:
        super().__init__(message)
        self.check = check


def _number_to_json(value: Number) -> Any:
    if isinstance(value, complex):
        return {"re": _number_to_json(value.real), "im": _number_to_json(value.imag)}
    return float(value) if np.isfinite(value) else str(float(value))


def _number_from_json(value: Any) -> Number:
    if isinstance(value, dict):
        return complex(float(value["re"]), float(value["im"]))
    return float(value)
