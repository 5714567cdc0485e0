r"""The Dirac-GAN from formulas: eigenvalues of its flow, and the largest stable step (lecture 11).

At (0, 0) the flow of :func:`~nnlite.gans.theory.dirac` is linear with the matrix

.. math:: \begin{pmatrix}0&c\\-kc&-k\gamma\end{pmatrix},\qquad
   \lambda=-\frac{k\gamma}2\pm\sqrt{\frac{k^2\gamma^2}4-kc^2},

c = 1/2 for the logistic losses and 1 for Wasserstein's, k how much faster the discriminator is.
Without a penalty it circles: the eigenvalues are imaginary. Noise of standard deviation
:math:`\sigma` acts as a penalty :math:`\gamma=\sigma^2/2`, through the curvature of the logistic
loss, which Wasserstein's does not have. Eigenvalues of simultaneous steps h are
:math:`1+h\lambda`. (Mescheder, Geiger and Nowozin 2018.)
"""

from __future__ import annotations

import math

import numpy as np

from nnlite._arguments import as_choice, as_number
from nnlite.gans.theory.games import Array

_LOSSES = ("minimax", "non-saturating", "wasserstein")


def dirac_eigenvalues(
    loss: str = "minimax", *, r1: float = 0.0, noise: float = 0.0, k: float = 1.0
) -> Array:
    """Eigenvalues (2,) of the flow at the equilibrium, sorted; complex.

    Parameters
    ----------
    loss : str
        ``"minimax"``, ``"non-saturating"`` or ``"wasserstein"``.
    r1 : float
        Factor of half the squared slope of the logit.
    noise : float
        Standard deviation of noise on real and generated samples.
    k : float
        How much faster the discriminator is.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, or negative.
    """
    logistic = as_choice(loss, "dirac_eigenvalues: loss", _LOSSES) != "wasserstein"
    gamma = as_number(r1, "dirac_eigenvalues: r1", 0)
    sigma = as_number(noise, "dirac_eigenvalues: noise", 0)
    k = as_number(k, "dirac_eigenvalues: k", above=0)
    if logistic:
        gamma += sigma**2 / 2
    c = 0.5 if logistic else 1.0
    root = np.emath.sqrt((k * gamma) ** 2 / 4 - k * c**2)
    return np.sort_complex(-k * gamma / 2 + np.array([-1, 1]) * root)


def dirac_largest_step(r1: float, order: str = "alternating") -> float:
    r"""Step below which the minimax Dirac-GAN with R1 converges from nearby.

    Simultaneous steps h converge if :math:`h<4\gamma` (up to :math:`\gamma=1`; above,
    :math:`h<4/(\gamma+\sqrt{\gamma^2-1})`). Alternating ones, the discriminator first, converge if
    :math:`h\gamma<2-h^2/8`, which is far more generous where the penalty is small.

    Parameters
    ----------
    r1 : float
        The penalty's factor gamma, above 0: without it no step converges.
    order : str
        ``"alternating"`` or ``"simultaneous"``.
    """
    gamma = as_number(r1, "dirac_largest_step: r1", above=0)
    orders = ("alternating", "simultaneous")
    if as_choice(order, "dirac_largest_step: order", orders) == "alternating":
        return 4 / (gamma + math.sqrt(gamma**2 + 1))
    return 4 * gamma if gamma <= 1 else 4 / (gamma + math.sqrt(gamma**2 - 1))


def replay_eigenvalues(share: float, rate: float) -> Array:
    r"""Eigenvalues (3,) of the minimax flow with a replay buffer, sorted; complex.

    With a share :math:`\rho` of the discriminator's fakes from a memory that follows the generator
    at rate :math:`\kappa` they are the roots of
    :math:`s^3+\kappa s^2+\frac{1-\rho}4s+\frac\kappa4`. By Routh and Hurwitz all have a negative
    real part only if :math:`\kappa\frac{1-\rho}4>\frac\kappa4`: never. The buffer makes the
    circles grow.

    Parameters
    ----------
    share : float
        From 0 to 1.
    rate : float
    """
    rho = as_number(share, "replay_eigenvalues: share", 0, 1)
    kappa = as_number(rate, "replay_eigenvalues: rate", above=0)
    return np.sort_complex(np.roots([1, kappa, (1 - rho) / 4, kappa / 4]).astype(complex))
