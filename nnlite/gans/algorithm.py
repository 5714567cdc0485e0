"""Algorithm 1 of Goodfellow et al. (2014): a step of each player (lectures 09 and 10).

The algorithm is these two functions in a loop, on fresh samples and fresh noise each time:

    for step in range(steps):
        for _ in range(k):
            fake = generate(G, rng.standard_normal((m, latent)))
            discriminator_step(D, of_d, draw(m), fake, objective)
        generator_step(G, D, of_g, rng.standard_normal((m, latent)), objective)

A step touches the parameters of its own player and nothing else of the other one but what a forward
pass touches: the running statistics of batch normalisation and the vectors of spectral
normalisation are buffers, which move whenever a network in training mode is used. So making fakes
for the discriminator moves the running statistics of a generator in training mode, and judging them
for the generator moves those of the discriminator, towards the fakes.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array
from nnlite.engine import Tensor, no_grad
from nnlite.gans.objectives import Objective
from nnlite.gans.penalties import Penalty, clip_weights_
from nnlite.nn import Module
from nnlite.ops import values_of
from nnlite.optim import Optimizer
from nnlite.random import RNGLike, default_rng

Array = NDArray[Any]


class Step(NamedTuple):
    """What a step of a player was like.

    Attributes
    ----------
    loss : float
        The objective before the step, without penalties.
    norm : float
        The norm of the gradient, over all parameters together.
    """

    loss: float
    norm: float


# NumPy's warnings of an overflow would come before the errors below, and say less.
@np.errstate(over="ignore", invalid="ignore")
def generate(generator: Module, z: Array) -> Array:
    """Fakes ``G(z)`` without a graph: for the discriminator they are data."""
    with no_grad():
        return values_of(generator(z))


@np.errstate(over="ignore", invalid="ignore")
def discriminator_step(
    discriminator: Module,
    optimizer: Optimizer,
    real: ArrayLike,
    fake: Any,
    objective: Objective,
    *,
    penalties: Iterable[Penalty] = (),
    clip: float | None = None,
    rng: RNGLike | None = None,
) -> Step:
    """Move the discriminator one step down its loss.

    Parameters
    ----------
    discriminator : Module
    optimizer : Optimizer
        Of its parameters.
    real, fake : ndarray of shape (m, ...)
        Samples of both kinds; the real ones are computed with in the dtype of the fakes. A Tensor
        of fakes is taken for its values, so that no gradient can reach the generator.
    objective : Objective
    penalties : iterable of callable
        ``penalty(discriminator, real, fake, rng)``, added to the loss: :class:`~nnlite.gans.R1`.
    clip : float, optional
        Clip every weight to [-clip, clip] after the step.
    rng : seed or Generator, optional
        For random labels and the places of a gradient penalty.

    Raises
    ------
    FloatingPointError
        If the loss or the gradient is NaN or infinite; then nothing has moved.
    """
    chance = default_rng(rng)
    fake = values_of(fake)
    real = as_array(values_of(real), "the real samples", fake.dtype)
    optimizer.zero_grad()
    loss = objective.discriminator_loss(discriminator(real), discriminator(fake), chance)
    total = loss
    for penalty in penalties:
        total = total + penalty(discriminator, real, fake, chance)
    step = _descend(optimizer, total, loss, "discriminator")
    if clip is not None:
        clip_weights_(discriminator.parameters(), clip)
    return step


@np.errstate(over="ignore", invalid="ignore")
def generator_step(
    generator: Module,
    discriminator: Module,
    optimizer: Optimizer,
    z: Array,
    objective: Objective,
    *,
    blur: Callable[[Tensor], Tensor] | None = None,
) -> Step:
    """Move the generator one step down its loss.

    Parameters
    ----------
    generator, discriminator : Module
        The discriminator passes the gradient on and gets none: its parameters and their ``.grad``
        stay as they are.
    optimizer : Optimizer
        Of the generator's parameters.
    z : ndarray of shape (m, ...)
        Fresh noise.
    objective : Objective
    blur : callable, optional
        What happens to fakes before they are judged, on Tensors: instance noise.

    Raises
    ------
    FloatingPointError
        If the loss or the gradient is NaN or infinite; then nothing has moved.
    """
    optimizer.zero_grad()
    with _as_constants(discriminator):
        fake = generator(z)
        loss = objective.generator_loss(discriminator(fake if blur is None else blur(fake)))
        return _descend(optimizer, loss, loss, "generator")


@contextmanager
def _as_constants(module: Module) -> Iterator[None]:
    """Record nothing about a module's parameters, which also saves half of its backward pass."""
    trained = [p for p in module._all_parameters() if p.requires_grad]
    for p in trained:
        p.requires_grad = False
    try:
        yield
    finally:
        for p in trained:
            p.requires_grad = True


def _descend(optimizer: Optimizer, total: Tensor, loss: Tensor, player: str) -> Step:
    """Follow the gradient of ``total``, unless it leads nowhere."""
    value = loss.item()
    if math.isfinite(total.item()):
        total.backward()
        norm = _norm(optimizer)
        if math.isfinite(norm):
            optimizer.step()
            return Step(value, norm)
        raise FloatingPointError(
            f"the gradient of the {player} must be finite, got the norm {norm} at a loss of "
            f"{value:.6g}."
        )
    raise FloatingPointError(f"the loss of the {player} must be finite, got {total.item()}.")


def _norm(optimizer: Optimizer) -> float:
    """The norm of all gradients together."""
    total = 0.0
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                g = p.grad.ravel()
                total += float(np.dot(g, g))
    return math.sqrt(total)
