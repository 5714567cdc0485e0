"""A number together with what a perfect sampler would get."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A metric of a sampler, with the floor or ceiling that belongs to it.

    Attributes
    ----------
    name : str
    value : float
    perfect : float
        What a sampler of the true law scores on average with as many samples.
    spread : float
        Standard deviation of that score, from sample to sample.
    n : int
        Generated samples.

    Notes
    -----
    It does not turn into a number by itself, so that a plot must say which of them it shows.
    """

    name: str
    value: float
    perfect: float
    spread: float
    n: int

    @property
    def z(self) -> float:
        """How many standard deviations the value lies above that of a perfect sampler.

        Where a perfect sampler always scores the same, it is 0 or infinite.
        """
        distance = self.value - self.perfect
        if self.spread > 0:
            return distance / self.spread
        return math.copysign(math.inf, distance) if distance else 0.0

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.value:.4g} (a perfect sampler: {self.perfect:.4g} ± "
            f"{self.spread:.2g} with n = {self.n:,})"
        )
