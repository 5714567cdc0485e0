"""What the two players minimise: pairs of losses on logits (lectures 09 and 11).

The discriminator gives a logit a for each sample, and ``D = sigmoid(a)`` is its probability of
being real. Losses take logits because the probability loses them: in single precision it is exactly
1 from a = 16.6 on, where ``log(1 - D)`` has no value and no gradient.

Where the generator has reached the data (p = q) and the discriminator is the best one, losses have
known values. They are necessary and not sufficient: a discriminator that was never trained shows
the same.

=================  ==============  ==========================  =============================
objective          discriminator   generator                   gradient of G's logit
=================  ==============  ==========================  =============================
``Minimax``        log 4           -log 2                      ``-D``
``NonSaturating``  log 4           log 2                       ``-(1 - D)``
``LeastSquares``   1/4             1/8                         ``a - 1``
``Hinge``          2               0                           -1
``Wasserstein``    0               0, up to a constant         -1
=================  ==============  ==========================  =============================
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from nnlite import ops
from nnlite._arguments import as_number
from nnlite.engine import Tensor
from nnlite.gans.labels import Labels
from nnlite.ops.losses import bce_with_logits
from nnlite.random import RNGLike, default_rng


class Equilibrium(NamedTuple):
    """Losses of both players where real and fake have one law and nobody can improve."""

    discriminator: float
    generator: float


class Objective(Protocol):
    """What a trainer asks of an objective; anything of this form can be trained with."""

    @property
    def equilibrium(self) -> Equilibrium:
        """Losses of both players at p = q."""

    @property
    def floor(self) -> float:
        """The discriminator's loss when it tells all fakes from all real samples."""

    def discriminator_loss(self, real: Tensor, fake: Tensor, rng: RNGLike | None = None) -> Tensor:
        """One number, from the logits of real samples and of fakes."""

    def generator_loss(self, fake: Tensor) -> Tensor:
        """One number, from the logits of fakes."""


@dataclass(frozen=True)
class _CrossEntropy:
    """The discriminator of Goodfellow et al. (2014), equations (1) and (2)."""

    labels: Labels = field(default_factory=Labels)

    def __post_init__(self) -> None:
        _check_labels(self)

    @property
    def floor(self) -> float:
        """The discriminator's loss when it tells all fakes from all real samples."""
        return sum(_entropy(mean) for mean in self.labels.means)

    @property
    def _undecided(self) -> float:
        """D at p = q, the mean of all targets."""
        return sum(self.labels.means) / 2

    def discriminator_loss(self, real: Tensor, fake: Tensor, rng: RNGLike | None = None) -> Tensor:
        """``-E log D(x) - E log(1 - D(G(z)))``, the sum of both means."""
        chance = default_rng(rng)
        of_real = _cross_entropy(real, self.labels.of_real(real, chance))
        return of_real + _cross_entropy(fake, self.labels.of_fake(fake, chance))


@dataclass(frozen=True)
class Minimax(_CrossEntropy):
    """The game as published: the generator minimises what the discriminator maximises.

    ``V = E log D(x) + E log(1 - D(G(z)))``; the discriminator minimises -V, the generator its
    second term. At p = q the losses are log 4 and -log 2 (hard labels). The generator's logit has
    the gradient ``-D``: none for a fake that is found out. Goodfellow et al. (2014), Algorithm 1.

    Parameters
    ----------
    labels : Labels
        What the discriminator is told.
    """

    @property
    def equilibrium(self) -> Equilibrium:
        """Losses at p = q, where D is the mean m of all targets: ``2 H(m)`` and ``log(1 - m)``."""
        m = self._undecided
        return Equilibrium(2 * _entropy(m), math.log(1 - m))

    def generator_loss(self, fake: Tensor) -> Tensor:
        """``E log(1 - D(G(z)))``."""
        return -ops.softplus(fake).mean()


@dataclass(frozen=True)
class NonSaturating(_CrossEntropy):
    """The generator maximises log D instead, and learns most from the fakes that are found out.

    Its logit has the gradient ``-(1 - D)``. At p = q the losses are log 4 and log 2 (hard labels).
    Goodfellow et al. (2014), section 3.

    Parameters
    ----------
    labels : Labels
        What the discriminator is told. The generator asks for 1 whatever they are.
    """

    @property
    def equilibrium(self) -> Equilibrium:
        """Losses at p = q, where D is the mean m of all targets: ``2 H(m)`` and ``-log m``."""
        m = self._undecided
        return Equilibrium(2 * _entropy(m), -math.log(m))

    def generator_loss(self, fake: Tensor) -> Tensor:
        """``-E log D(G(z))``."""
        return _cross_entropy(fake, np.ones(fake.shape, fake.dtype))


@dataclass(frozen=True)
class LeastSquares:
    """Regression on the labels (Mao et al. 2017, equation (2)): the logit itself is the answer.

    At p = q the losses are 1/4 and 1/8, for hard labels and aim 1.

    Parameters
    ----------
    labels : Labels
        What the discriminator is told.
    aim : float
        The answer that the generator wants for its fakes.
    """

    labels: Labels = field(default_factory=Labels)
    aim: float = 1.0

    def __post_init__(self) -> None:
        _check_labels(self)
        as_number(self.aim, "LeastSquares: aim")

    @property
    def floor(self) -> float:
        """The discriminator's loss when it tells all fakes from all real samples."""
        return sum(self.labels.variances) / 2

    @property
    def equilibrium(self) -> Equilibrium:
        """Losses at p = q, where the best answer is the same for all samples."""
        alpha, beta = self.labels.means
        answer = (alpha + beta) / 2
        return Equilibrium(self.floor + (alpha - beta) ** 2 / 4, (answer - self.aim) ** 2 / 2)

    def discriminator_loss(self, real: Tensor, fake: Tensor, rng: RNGLike | None = None) -> Tensor:
        """Half the mean squared error on real samples plus half of that on fakes."""
        chance = default_rng(rng)
        of_real = (real - self.labels.of_real(real, chance)) ** 2
        return (of_real.mean() + ((fake - self.labels.of_fake(fake, chance)) ** 2).mean()) / 2

    def generator_loss(self, fake: Tensor) -> Tensor:
        """Half the mean squared distance from the aim."""
        return ((fake - self.aim) ** 2).mean() / 2


@dataclass(frozen=True)
class Hinge:
    """Logits beyond a margin of 1 cost nothing (Lim & Ye 2017, Miyato et al. 2018).

    The best logit is ``sign(p - q)``. At p = q the losses are 2 and 0: any constant logit from -1
    to 1 costs the discriminator 2, and the generator's loss is minus that constant, 0 on average.
    """

    floor: ClassVar[float] = 0.0
    equilibrium: ClassVar[Equilibrium] = Equilibrium(2.0, 0.0)

    def discriminator_loss(self, real: Tensor, fake: Tensor, rng: RNGLike | None = None) -> Tensor:
        """``E max(0, 1 - a(x)) + E max(0, 1 + a(G(z)))``."""
        return ops.relu(1 - real).mean() + ops.relu(1 + fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """``-E a(G(z))``."""
        return -fake.mean()


@dataclass(frozen=True)
class Wasserstein:
    """A critic whose logits are heights (Arjovsky et al. 2017, equation (2)).

    Minus its loss is the distance that it reports, provided that its slope is bounded: by
    :class:`~nnlite.gans.GradientPenalty`, by ``clip`` or by :func:`nnlite.nn.utils.spectral_norm`.
    At p = q the losses are 0 and 0; the generator's only up to a constant, since heights have no
    fixed zero.
    """

    floor: ClassVar[float] = -math.inf
    equilibrium: ClassVar[Equilibrium] = Equilibrium(0.0, 0.0)

    def discriminator_loss(self, real: Tensor, fake: Tensor, rng: RNGLike | None = None) -> Tensor:
        """``E a(G(z)) - E a(x)``."""
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """``-E a(G(z))``."""
        return -fake.mean()


def _check_labels(objective: Any) -> None:
    labels = objective.labels
    if not isinstance(labels, Labels):
        name = type(objective).__name__
        raise TypeError(
            f"{name}: labels must be Labels, got {labels!r}; write {name}(Labels(real=0.9))."
        )


def _cross_entropy(logits: Tensor, targets: Any) -> Any:
    """The mean of ``softplus(a) - t a``; a target above 1 is allowed, its mean is not."""
    return bce_with_logits(logits, targets, scale=1 / logits.size)


def _entropy(m: float) -> float:
    """The entropy of a coin with probability m, in nats."""
    return -sum(share * math.log(share) for share in (m, 1 - m) if share > 0)
