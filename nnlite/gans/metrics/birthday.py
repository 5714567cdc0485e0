r"""How many different things does a sampler make? The birthday test: lecture 10.

Among s samples of a law with probabilities :math:`p_i` the expected number of equal pairs is
:math:`\binom s2\sum_ip_i^2`. The share of equal pairs therefore estimates, without bias, 1 over the
*effective support* :math:`1/\sum_ip_i^2`, which is N for N equally likely things. Arora and Zhang
(2017) look for the first pair; counting all of them uses the sample better.

Continuous samples are never equal: there a pair counts if it is nearer than a radius, and the same
count among real samples says what that means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from nnlite._arguments import as_number
from nnlite.gans.metrics._pairs import LEAST, PairMoments, pair_moments
from nnlite.gans.metrics._samples import Array, resolution, same_features, sample
from nnlite.gans.metrics.measurement import Measurement

_WHY = "the variance is an average over four distinct samples"


@dataclass(frozen=True)
class BirthdayTest:
    """Pairs of near-duplicates among generated samples, against those among real ones.

    Attributes
    ----------
    rate : Measurement
        Share of pairs that are near-duplicates: without bias. ``perfect`` is the rate of the real
        samples, and ``spread`` counts the chance in both.
    """

    rate: Measurement

    @property
    def support(self) -> float:
        """Effective number of different things the sampler makes; infinite if no pair was found.

        It is 1 over an unbiased rate, and so itself a little too large on average.
        """
        return 1 / self.rate.value if self.rate.value else math.inf

    @property
    def support_of_the_data(self) -> float:
        """The same of the real samples."""
        return 1 / self.rate.perfect

    def __str__(self) -> str:
        return (
            f"{self.rate}\neffective support: {self.support:.4g} (the data: "
            f"{self.support_of_the_data:.4g})"
        )


def birthday_test(generated: ArrayLike, real: ArrayLike, radius: float) -> BirthdayTest:
    """How often two samples of a generator are nearly the same.

    Parameters
    ----------
    generated, real : array_like of shapes (m, d) and (n, d)
        At least four samples each, and so many real ones that some pair among them is close.
    radius : float
        Largest distance of a near-duplicate; 0 asks for equal samples.

    Returns
    -------
    BirthdayTest

    Raises
    ------
    TypeError
        If an argument holds no numbers.
    ValueError
        If the features differ, samples are too few or not finite, the radius is negative, or no
        two real samples are that close.
    """
    radius = as_number(radius, "birthday_test: radius", 0)
    x, y = sample(generated, "generated", LEAST, _WHY), sample(real, "real", LEAST, _WHY)
    same_features(generated=x, real=y)
    made, given = _rate(x, radius), _rate(y, radius)
    if given.mean == 0:
        raise ValueError(
            f"birthday_test: radius must be so large that two of the real samples are nearer, got "
            f"{radius:g} and no such pair among {len(y)}; take a larger radius or more samples."
        )
    variance = _variance(given, len(x)) + _variance(given, len(y))
    rate = Measurement(
        f"pairs nearer than {radius:.3g}",
        made.mean,
        given.mean,
        math.sqrt(max(variance, 0.0)),
        len(x),
    )
    return BirthdayTest(rate)


def _rate(x: Array, radius: float) -> PairMoments:
    limit = radius**2 + resolution(x, x)
    return pair_moments(x, lambda d2: d2 <= limit)


def _variance(k: PairMoments, n: int) -> float:
    """Variance of the average of k over all pairs of n samples (Hoeffding 1948)."""
    shared, same = k.chain - k.mean_squared, k.square - k.mean_squared
    return (4 * (n - 2) * shared + 2 * same) / (n * (n - 1))
