"""What a GAN is made of, checked before any work."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite import nn, optim
from nnlite._arguments import as_integer, as_number
from nnlite.engine import no_grad
from nnlite.gans.noise import InstanceNoise
from nnlite.gans.replay import ReplayBuffer
from nnlite.gans.sources import Source
from nnlite.ops import values_of
from nnlite.optim.lr_scheduler import LRScheduler


def check_networks(generator: Any, discriminator: Any) -> None:
    """Refuse what are not two networks, each with parameters of its own."""
    for name, module in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(module, nn.Module):
            raise TypeError(f"GAN: the {name} must be a Module, got {type(module).__name__}.")
        if not list(module.parameters()):
            raise ValueError(f"GAN: the {name} must have parameters, got none to train.")
    shared = _identities(generator) & _identities(discriminator)
    if shared:
        raise ValueError(
            "GAN: generator and discriminator must have parameters of their own, got "
            f"{len(shared)} shared ones; a step of one player would move the other."
        )
    if isinstance(discriminator, nn.Sequential) and isinstance(discriminator[-1], nn.Sigmoid):
        raise ValueError(
            "GAN: the discriminator must give logits, got one that ends in Sigmoid; leave the "
            "Sigmoid away, the losses apply it without overflow."
        )


def check_optimizers(optimizers: Any, discriminator: nn.Module, generator: nn.Module) -> Any:
    """The two optimisers, if each moves parameters of its own player only."""
    if (
        not isinstance(optimizers, tuple | list)
        or len(optimizers) != 2
        or not all(isinstance(optimizer, optim.Optimizer) for optimizer in optimizers)
    ):
        raise TypeError(
            "GAN: optimizers must be two optimisers, the discriminator's and the generator's, got "
            f"{optimizers!r:.60}."
        )
    players = (("discriminator", discriminator), ("generator", generator))
    for optimizer, (name, module) in zip(optimizers, players, strict=True):
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        strange = held - _identities(module)
        if strange:
            raise ValueError(
                f"GAN: the optimiser of the {name} must hold parameters of the {name} only, got "
                f"{len(strange)} others; the discriminator's comes first: optimizers=(of_d, of_g)."
            )
    return optimizers


def listed(values: Any, name: str) -> tuple[Any, ...]:
    """Several settings as a tuple; a single one is not taken for a list of one."""
    if not isinstance(values, Iterable):
        raise TypeError(f"GAN: {name} must be a list, got {values!r}; write {name}=[...].")
    return tuple(values)


def check_settings(gan: Any) -> None:
    """Refuse settings that are of the wrong kind."""
    wanted = ("discriminator_loss", "generator_loss", "equilibrium", "floor")
    if isinstance(gan.objective, type) or not all(hasattr(gan.objective, name) for name in wanted):
        raise TypeError(
            f"GAN: objective must be an objective such as gans.Hinge(), got {gan.objective!r}."
        )
    if not callable(gan.latent):
        as_integer(gan.latent, "GAN: latent", 1)
    if gan.clip is not None:
        as_number(gan.clip, "GAN: clip", above=0)
    for penalty in gan.penalties:
        if not callable(penalty) or isinstance(penalty, type):
            raise TypeError(
                f"GAN: penalties must be functions such as R1(0.1), got {penalty!r} among them."
            )
    for name, kind in (("noise", InstanceNoise), ("replay", ReplayBuffer)):
        value = getattr(gan, name)
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"GAN: {name} must be {kind.__name__} or None, got {value!r}.")
    for schedule in gan.schedules:
        if not isinstance(schedule, LRScheduler):
            raise TypeError(f"GAN: schedules must be of nnlite.optim.lr_scheduler, got {schedule}.")


def check_fit(gan: Any, draw: Source, noise: Source) -> None:
    """Send one batch through both networks, to see that everything fits.

    The run's own generator is not used, so that a run that is continued draws the same numbers as
    one that never stopped.
    """
    chance = np.random.default_rng(0)
    real, z = draw(gan.batch_size, rng=chance), noise(gan.batch_size, rng=chance)
    with no_grad():
        try:
            fake = values_of(gan.generator(z))
        except ValueError as error:
            raise ValueError(
                f"the generator must take noise of shape {z.shape}, got an error: {error} Make it "
                "begin with so many inputs, or change latent."
            ) from error
        if fake.shape != real.shape:
            raise ValueError(
                f"the generator must return samples of the shape of the real ones, {real.shape} "
                f"for a batch, got {fake.shape}."
            )
        logits = values_of(gan.discriminator(real))
    if logits.ndim < 2 or logits.shape[1] != 1:
        raise ValueError(
            f"the discriminator must return one logit for each sample or pack, (n, 1, ...), got "
            f"shape {logits.shape} for a batch {real.shape}; end it with Linear(..., 1)."
        )


def _identities(module: nn.Module) -> set[int]:
    return {id(p) for p in module.parameters()}
