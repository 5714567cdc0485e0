"""What a GAN does, computed without training one: lectures 09, 10 and 11.

* :class:`TwoDensities`: the best discriminator, the value of the game and the divergences between
  two known laws, by quadrature; the best response to a discriminator that stands still.
* :class:`Game`, :func:`bilinear` and :func:`dirac`: the two smallest games, x·y and the Dirac-GAN.
* :func:`simultaneous`, :func:`alternating`, :func:`extragradient`, :func:`optimistic`,
  :func:`momentum` and :func:`replay`: the ways to play them, as maps with orbits and eigenvalues.
* :func:`bilinear_eigenvalues`, :func:`bilinear_orbit`, :func:`alternating_invariant`,
  :func:`dirac_eigenvalues`, :func:`dirac_largest_step` and :func:`replay_eigenvalues`: the same
  from formulas.
"""

from nnlite.gans.theory.bilinear_formulas import (
    alternating_invariant,
    bilinear_eigenvalues,
    bilinear_growth,
    bilinear_orbit,
)
from nnlite.gans.theory.densities import TwoDensities, best_response_between_gaussians
from nnlite.gans.theory.dirac_formulas import (
    dirac_eigenvalues,
    dirac_largest_step,
    replay_eigenvalues,
)
from nnlite.gans.theory.games import Game, bilinear, dirac
from nnlite.gans.theory.updates import (
    Update,
    alternating,
    extragradient,
    momentum,
    optimistic,
    replay,
    simultaneous,
)

__all__ = [
    "Game",
    "TwoDensities",
    "Update",
    "alternating",
    "alternating_invariant",
    "best_response_between_gaussians",
    "bilinear",
    "bilinear_eigenvalues",
    "bilinear_growth",
    "bilinear_orbit",
    "dirac",
    "dirac_eigenvalues",
    "dirac_largest_step",
    "extragradient",
    "momentum",
    "optimistic",
    "replay",
    "replay_eigenvalues",
    "simultaneous",
]
