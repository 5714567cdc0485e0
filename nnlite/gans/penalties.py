"""Penalties on the slope of the discriminator (lecture 11).

Each is a function of the discriminator, a batch of real samples and one of fakes, and is added to
the discriminator's loss. It needs the derivative of a derivative: the slope with respect to the
samples is a function of the parameters, which are trained on it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_number
from nnlite.engine import Tensor, grad
from nnlite.engine.edits import note_edit
from nnlite.random import RNGLike, default_rng

Array = NDArray[Any]
Discriminator = Callable[[Tensor], Tensor]
Penalty = Callable[[Any, Array, Array, np.random.Generator], Tensor]


@dataclass(frozen=True)
class _SquaredSlope:
    """What :class:`R1` and :class:`R2` share: their factor."""

    gamma: float

    def __post_init__(self) -> None:
        as_number(self.gamma, f"{type(self).__name__}: gamma", 0)

    def _on(self, discriminator: Discriminator, x: Array) -> Tensor:
        return (slopes(discriminator, x) ** 2).sum(axis=1).mean() * (self.gamma / 2)


class R1(_SquaredSlope):
    """``gamma / 2 E |grad a(x)|^2`` on real samples (Mescheder et al. 2018, equation (9)).

    At p = q the best discriminator is flat, so the penalty leaves the equilibrium where it is.

    Raises
    ------
    TypeError, ValueError
        If gamma is no number of at least 0.
    """

    def __call__(
        self, discriminator: Discriminator, real: Array, fake: Array, rng: RNGLike | None = None
    ) -> Tensor:
        """The penalty, one number."""
        return self._on(discriminator, real)


class R2(_SquaredSlope):
    """``gamma / 2 E |grad a(G(z))|^2``: :class:`R1` on fakes (Mescheder et al. 2018).

    Raises
    ------
    TypeError, ValueError
        If gamma is no number of at least 0.
    """

    def __call__(
        self, discriminator: Discriminator, real: Array, fake: Array, rng: RNGLike | None = None
    ) -> Tensor:
        """The penalty, one number."""
        return self._on(discriminator, fake)


@dataclass(frozen=True)
class GradientPenalty:
    """``lam E (|grad a(x_hat)| - 1)^2`` between real samples and fakes (Gulrajani et al. 2017).

    ``x_hat`` lies on the segment from a real sample to a fake, at a place drawn for each pair (also
    for each pair inside of a :class:`~nnlite.gans.Pack`). The penalty biases what a Wasserstein
    critic reports: two laws a shift d apart are reported as ``d + d^2 / (2 lam)`` apart by a linear
    critic.

    Raises
    ------
    TypeError, ValueError
        If lam is no number of at least 0; when called, if the batches have different shapes.
    """

    lam: float = 10.0

    def __post_init__(self) -> None:
        as_number(self.lam, "GradientPenalty: lam", 0)

    def __call__(
        self, discriminator: Discriminator, real: Array, fake: Array, rng: RNGLike | None = None
    ) -> Tensor:
        """The penalty, one number."""
        if real.shape != fake.shape:
            raise ValueError(
                "GradientPenalty: real samples and fakes must come in pairs, got shapes "
                f"{real.shape} and {fake.shape}."
            )
        # one place per pair: (n, 1, ..., 1)
        share = default_rng(rng).random((len(real),) + (1,) * (real.ndim - 1)).astype(real.dtype)
        norms = np.linalg.norm(slopes(discriminator, share * real + (1 - share) * fake), axis=1)
        return ((norms - 1) ** 2).mean() * self.lam


def slopes(discriminator: Discriminator, x: Array) -> Tensor:
    """The gradient of each logit with respect to its own sample, to be differentiated again.

    Parameters
    ----------
    discriminator : callable
        Samples to logits.
    x : ndarray of shape (n, ...)

    Returns
    -------
    Tensor of shape (n, d)
        Or (n / m, m d) behind a :class:`~nnlite.gans.Pack` of m, whose sample is the whole pack.

    Notes
    -----
    All logits are summed and differentiated at once, which is right as long as the logit of one
    sample does not depend on another: under batch normalisation in training it does.
    """
    leaf = Tensor(x, requires_grad=True)
    logits = discriminator(leaf)
    # (n, ...) -> (n, d)
    return grad(logits.sum(), leaf, create_graph=True).reshape(len(logits), -1)


def clip_weights_(parameters: Iterable[Tensor], c: float) -> None:
    """Clip every weight to [-c, c] (Arjovsky et al. 2017, Algorithm 1).

    It bounds the critic's slope, but not by 1: a linear critic then measures ``c`` times the sum of
    the absolute differences, and a wide network may be much steeper.

    Raises
    ------
    TypeError, ValueError
        If c is no number above 0.
    """
    c = as_number(c, "clip_weights_: c", above=0)
    for p in parameters:
        np.clip(p.data, -c, c, out=p.data)
        note_edit(p.data)
