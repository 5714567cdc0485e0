"""How many digits of a number a reader needs: those that the comparison depends on."""

from __future__ import annotations

import math

from nnlite.checks.closed_forms.check import Check, Number

__all__ = ["numbers", "short"]


def short(value: float) -> str:
    """A tolerance as one would write it: 1e-6, 0.01, 0.0031."""
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def numbers(check: Check) -> tuple[str, str]:
    """Measured and expected, both to the same decimal: the last one that matters.

    That is a tenth of what is allowed; for a bound, and for a check that failed, a hundredth of the
    difference is enough to see on which side each number lies. A number far below that place keeps
    two digits of its own.
    """
    difference = abs(check.measured - check.expected)
    resolution = check.allowed / 10
    if math.isfinite(difference) and (not check.passed or check.relation != "=="):
        resolution = max(resolution, difference / 100)
    sizes = [abs(value) for value in (check.measured, check.expected)]
    largest = max((size for size in sizes if 0 < size < math.inf), default=1.0)
    decimals = None
    if 0 < resolution < math.inf:  # and no more digits than double precision holds for sure
        decimals = min(-_magnitude(resolution), 11 - _magnitude(largest))
    return _number(check.measured, decimals), _number(check.expected, decimals)


def _magnitude(value: float) -> int:
    """Exponent of ten of the leading digit."""
    return math.floor(math.log10(abs(value)))


def _number(value: Number, decimals: int | None) -> str:
    if isinstance(value, complex):
        sign = "-" if math.copysign(1.0, value.imag) < 0 else "+"
        return f"{_number(value.real, decimals)}{sign}{_number(abs(value.imag), decimals)}j"
    if value == 0:
        return "0"  # minus zero as well
    if not math.isfinite(value):
        return f"{value:g}"
    if decimals is None:
        return f"{value:.12g}"
    magnitude = _magnitude(value)
    digits = max(magnitude + decimals + 1, 2)
    if -4 <= magnitude < 6:
        return f"{value:.{max(digits - 1 - magnitude, 0)}f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"
