"""Generative adversarial networks (lectures 09 to 12): Algorithm 1, and what is added to it.

* The game: :class:`Minimax`, :class:`NonSaturating`, :class:`LeastSquares`, :class:`Hinge`,
  :class:`Wasserstein`, each a pair of losses on logits with its values at equilibrium.
* A step of each player: :func:`discriminator_step` and :func:`generator_step`, with
  :func:`generate` for the fakes. That is Algorithm 1; the loop around it can stand in the open.
* What helps, or is said to: :class:`R1`, :class:`R2`, :class:`GradientPenalty`,
  :func:`clip_weights_` (and :func:`nnlite.nn.utils.spectral_norm`), :class:`Labels` (smoothing,
  noisy and flipped labels), :class:`InstanceNoise`, :class:`Pack`, :class:`ReplayBuffer`.
* :class:`GAN` trains with all this: progress, :class:`Alarm`, :class:`Snapshot`, checkpoints.
* What came of it: :mod:`~nnlite.gans.metrics`. What should: :mod:`~nnlite.gans.theory`.
"""

from nnlite.gans import metrics, theory
from nnlite.gans.algorithm import Step, discriminator_step, generate, generator_step
from nnlite.gans.fitting import GANWarning
from nnlite.gans.history import Alarm, History
from nnlite.gans.labels import Labels
from nnlite.gans.model import GAN
from nnlite.gans.noise import InstanceNoise
from nnlite.gans.objectives import (
    Equilibrium,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Wasserstein,
)
from nnlite.gans.packing import Pack
from nnlite.gans.penalties import R1, R2, GradientPenalty, clip_weights_, slopes
from nnlite.gans.replay import ReplayBuffer
from nnlite.gans.states import Snapshot

__all__ = [
    "GAN",
    "R1",
    "R2",
    "Alarm",
    "Equilibrium",
    "GANWarning",
    "GradientPenalty",
    "Hinge",
    "History",
    "InstanceNoise",
    "Labels",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Pack",
    "ReplayBuffer",
    "Snapshot",
    "Step",
    "Wasserstein",
    "clip_weights_",
    "discriminator_step",
    "generate",
    "generator_step",
    "metrics",
    "slopes",
    "theory",
]
