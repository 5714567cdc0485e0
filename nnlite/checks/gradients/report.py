"""What gradcheck found, in words (lecture 01)."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Comparison:
    """One derivative, received from the gradient and expected from a slope.

    Attributes
    ----------
    argument : str
        Name of the argument or parameter.
    index : tuple of int or None
        The entry; None for a derivative along a random direction.
    received, expected, tolerance : float
        If the result is one number, the derivative itself; otherwise that of the results' sum
        weighted by a random cotangent.
    how : str
        Where the expected value comes from.
    missing : bool
        True if no gradient arrived at all (None), which counts as 0.
    """

    argument: str
    index: tuple[int, ...] | None
    received: float
    expected: float
    tolerance: float
    how: str
    missing: bool = False

    @property
    def error(self) -> float:
        """Distance of received from expected."""
        return abs(self.received - self.expected)

    @property
    def passed(self) -> bool:
        """Whether the error is tolerated."""
        return self.error <= self.tolerance  # False for NaN

    @property
    def where(self) -> str:
        """The argument and the entry."""
        if self.index is None:
            return f"{self.argument}, along a random direction"
        return f"{self.argument}, index {self.index}" if self.index else self.argument

    def __str__(self) -> str:
        received = "None" if self.missing else f"{self.received:.9g}"
        return (
            f"{self.where}: received {received}, expected {self.expected:.9g}, "
            f"error {self.error:.1e}, tolerated {self.tolerance:.1e} ({self.how})"
        )


@dataclass(repr=False)
class GradcheckReport:
    """The result of :func:`~nnlite.checks.gradcheck`. True if every gradient is right.

    Attributes
    ----------
    name : str
        "gradcheck" or "gradgradcheck".
    arguments : int
        How many arguments were checked.
    comparisons : list of Comparison
    kinks : list of (Comparison, float, float)
        Entries where f is not differentiable, with the slopes on the two sides.
    problems : list of str
        What is wrong beside values: shapes, dtypes, changed inputs, results that vary.
    notes : list of str
        How the slopes were taken, where that is less than the best.
    """

    name: str
    arguments: int
    comparisons: list[Comparison] = field(default_factory=list)
    kinks: list[tuple[Comparison, float, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Comparison]:
        """The comparisons that did not pass."""
        return [c for c in self.comparisons if not c.passed]

    @property
    def passed(self) -> bool:
        """Whether every comparison passed and nothing else is wrong."""
        return not self.problems and not self.failures

    @property
    def worst(self) -> Comparison | None:
        """The comparison with the largest error for its tolerance; an entry before a direction."""
        among = self.failures or self.comparisons
        among = [c for c in among if c.index is not None] or among
        return max(among, key=_badness, default=None)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        slopes = f"{_count(len(self.comparisons), 'slope')} of {_count(self.arguments, 'argument')}"
        if self.passed:
            verdict = f"passed: {slopes} right"
        elif self.failures:
            verdict = f"FAILED: {len(self.failures)} of {slopes} wrong"
        else:
            verdict = "FAILED"
        lines = [f"{self.name} {verdict}", *(f"  problem: {p}" for p in self.problems)]
        if self.worst is not None:
            lines.append(f"  worst: {self.worst}")
        shown = self.kinks[:5]
        lines += [f"  non-differentiable near {_sides(*kink)}" for kink in shown]
        if len(self.kinks) > len(shown):
            lines.append(f"  ... and near {len(self.kinks) - len(shown)} more points")
        if not self.passed:
            lines += [f"  note: {n}" for n in self.notes]
        return "\n".join(lines)

    __repr__ = __str__


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + "s" * (n != 1)


def _sides(c: Comparison, low: float, high: float) -> str:
    if high - low < float("inf"):
        return f"{c.where} (one-sided slopes {low:.4g} and {high:.4g}; received {c.received:.4g})"
    return f"{c.where} (f jumps, or ends there; received {c.received:.4g})"


def _badness(c: Comparison) -> float:
    if c.error != c.error:  # NaN is worse than anything
        return float("inf")
    return c.error / c.tolerance if c.tolerance > 0 else c.error * 1e300


class GradcheckError(AssertionError):
    """A gradient is wrong. ``report`` holds the details; the message is its text."""

    def __init__(self, report: GradcheckReport) -> None:
        super().__init__(str(report))
        self.report = report
