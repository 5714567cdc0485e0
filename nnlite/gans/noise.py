"""Instance noise: real samples and fakes are blurred until they overlap (lecture 11)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite._arguments import as_integer, as_number


@dataclass(frozen=True)
class InstanceNoise:
    """Gaussian noise on all that the discriminator sees, falling to 0 over ``steps`` steps.

    Two laws without overlap are a fixed log 2 apart, whatever the distance, and give no gradient;
    blurred ones approach each other smoothly (Sønderby et al. 2017; Arjovsky & Bottou 2017).

    Parameters
    ----------
    sigma : float
        Standard deviation at the beginning.
    steps : int, optional
        The noise falls on a straight line and is gone after so many steps of the generator. By
        default it stays.

    Raises
    ------
    TypeError
        If sigma is no number, or steps no integer.
    ValueError
        If sigma is negative or not finite, or steps less than 1.
    """

    sigma: float
    steps: int | None = None

    def __post_init__(self) -> None:
        as_number(self.sigma, "InstanceNoise: sigma", 0)
        if self.steps is not None:
            as_integer(self.steps, "InstanceNoise: steps", 1)

    def level(self, step: int) -> float:
        """The standard deviation after ``step`` steps."""
        return self.sigma * (1.0 if self.steps is None else max(0.0, 1 - step / self.steps))

    def __call__(self, x: Any, step: int, rng: np.random.Generator) -> Any:
        """``x`` (array or Tensor of floats) with the noise of this step."""
        level = self.level(step)
        if not level:
            return x
        return x + rng.standard_normal(x.shape, dtype=x.dtype) * x.dtype.type(level)
