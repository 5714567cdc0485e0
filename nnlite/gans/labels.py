"""What the discriminator is told: 1 for real and 0 for fake, or something softer (lecture 11)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_number

Law = float | tuple[float, float]  # a number, or the ends of an interval to draw from


@dataclass(frozen=True)
class Labels:
    """Targets of the discriminator.

    Parameters
    ----------
    real, fake : float or (float, float)
        The target of all such samples, or an interval from which each draws its own.
        ``Labels(real=0.9)`` is one-sided smoothing (Salimans et al. 2016), ``Labels(0.9, 0.1)``
        two-sided, ``Labels((0.7, 1.2), (0.0, 0.3))`` are the noisy labels of ganhacks.
    flip : float
        Probability with which a sample gets a target of the other kind.

    Raises
    ------
    TypeError
        If one is no number, or no pair of numbers.
    ValueError
        If an interval is upside down, flip is no probability, a mean is not between 0 and 1, or
        the mean of the real targets is not above that of the fake ones.

    Notes
    -----
    Cross-entropy is affine in the target, so random targets act through their means ``alpha`` and
    ``beta`` only: ``D* = (alpha p + beta q) / (p + q)``. That is why a mean must lie between 0 and
    1. A single target may lie above 1; the loss of that sample then has no lower bound, and only
    the average is safe.
    """

    real: Law = 1.0
    fake: Law = 0.0
    flip: float = 0.0

    def __post_init__(self) -> None:
        for name in ("real", "fake"):
            _check_law(getattr(self, name), f"Labels: {name}")
        as_number(self.flip, "Labels: flip", 0, 1)
        for name, mean in zip(("real", "fake"), self.means, strict=True):
            as_number(mean, f"Labels: the mean of the {name} targets", 0, 1)
        alpha, beta = self.means
        if not alpha > beta:
            raise ValueError(
                f"Labels: the mean target of real samples must be above that of fakes, got "
                f"{alpha:g} and {beta:g}; with equal means a discriminator has nothing to learn, "
                "and reversed ones reward the generator for what differs from the data."
            )

    @property
    def means(self) -> tuple[float, float]:
        """``(alpha, beta)``, the mean targets of real samples and of fakes."""
        return self._mixed(_mean(self.real), _mean(self.fake))

    @property
    def variances(self) -> tuple[float, float]:
        """Variances of the targets of real samples and of fakes."""
        squares = [_mean(law) ** 2 + _width(law) ** 2 / 12 for law in (self.real, self.fake)]
        (alpha, beta), (of_real, of_fake) = self.means, self._mixed(squares[0], squares[1])
        return of_real - alpha**2, of_fake - beta**2

    def of_real(self, logits: Any, rng: np.random.Generator) -> NDArray[Any]:
        """A target for each logit of a real sample, of its shape and dtype."""
        return self._drawn(self.real, self.fake, logits, rng)

    def of_fake(self, logits: Any, rng: np.random.Generator) -> NDArray[Any]:
        """A target for each logit of a fake, of its shape and dtype."""
        return self._drawn(self.fake, self.real, logits, rng)

    def _drawn(self, own: Law, other: Law, logits: Any, rng: np.random.Generator) -> NDArray[Any]:
        targets = _targets(own, logits, rng)
        if self.flip:
            flipped = rng.random(logits.shape) < self.flip
            targets = np.where(flipped, _targets(other, logits, rng), targets)
        return targets

    def _mixed(self, of_real: float, of_fake: float) -> tuple[float, float]:
        """Expectations for both kinds, when some samples of each are taken for the other."""
        kept = 1 - self.flip
        return kept * of_real + self.flip * of_fake, kept * of_fake + self.flip * of_real


def _check_law(law: Any, name: str) -> None:
    if not isinstance(law, tuple):
        as_number(law, name)
        return
    if len(law) != 2:
        raise ValueError(f"{name} must be a number or the two ends of an interval, got {law!r}.")
    low, high = as_number(law[0], name), as_number(law[1], name)
    if low > high:
        raise ValueError(
            f"{name} must be an interval (low, high), got {law!r}; write ({high:g}, {low:g})."
        )


def _mean(law: Law) -> float:
    return (law[0] + law[1]) / 2 if isinstance(law, tuple) else law


def _width(law: Law) -> float:
    return law[1] - law[0] if isinstance(law, tuple) else 0.0


def _targets(law: Law, logits: Any, rng: np.random.Generator) -> NDArray[Any]:
    if isinstance(law, tuple):
        return rng.uniform(*law, logits.shape).astype(logits.dtype, copy=False)
    return np.full(logits.shape, law, logits.dtype)
