"""The loop around Algorithm 1: progress, alarms, snapshots, checkpoints (lectures 10 to 12)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nnlite.engine import no_grad
from nnlite.gans.checks import check_fit
from nnlite.gans.history import WINDOW
from nnlite.gans.sources import Source, source_of_noise, source_of_samples
from nnlite.gans.states import check_folder, keep_snapshot, write_checkpoint
from nnlite.nn import Module
from nnlite.training import progress

Model = Any  # a GAN, whose module imports this one


class GANWarning(UserWarning):
    """Training shows a sign of failure (:class:`Alarm`), or was interrupted."""


def fit(
    gan: Model,
    X: Any,
    steps: int,
    snapshot_every: int | None,
    checkpoint: str | os.PathLike[str] | None,
    checkpoint_every: int,
) -> None:
    """Take so many steps; see :meth:`GAN.fit`."""
    draw = source_of_samples(X, gan._dtype)
    _evaluation(gan)
    check_fit(gan, draw, source_of_noise(gan.latent, gan._dtype))
    if checkpoint is not None:
        check_folder(checkpoint)
    keep_snapshot(gan, snapshot_every)
    warned: set[str] = set()
    bar = progress(steps, "steps") if gan.verbose else None
    last = gan.n_steps_ + steps
    gan.generator.train()
    gan.discriminator.train()
    try:
        for _ in bar or range(steps):
            _step(gan, draw)
            done = gan.n_steps_
            if bar:
                _show(gan, bar)
            if done % WINDOW == 0:
                _warn(gan, warned)
            if done % WINDOW == 0 or (snapshot_every and done % snapshot_every == 0):
                keep_snapshot(gan, snapshot_every)
            if checkpoint is not None and (done % checkpoint_every == 0 or done == last):
                write_checkpoint(gan, checkpoint)
    except KeyboardInterrupt:
        left = last - gan.n_steps_
        warnings.warn(
            f"training was interrupted {left} steps before its end, after step {gan.n_steps_}; "
            "everything is kept as it is.",
            GANWarning,
            stacklevel=3,
        )
    finally:
        _evaluation(gan)


def _evaluation(gan: Model) -> None:
    gan.generator.eval()
    gan.discriminator.eval()


def _step(gan: Model, draw: Source) -> None:
    """A step, or an error that says where the training was when it broke."""
    try:
        gan.step(draw)
    except FloatingPointError as error:
        last = [gan.history_[name][-3:] for name in ("d_norm", "g_norm")]
        d, g = [", ".join(f"{norm:.3g}" for norm in norms) or "none" for norms in last]
        raise FloatingPointError(
            f"training broke down in step {gan.n_steps_ + 1}: {error} Gradient norms in the steps "
            f"before: discriminator {d}; generator {g}. Lower the learning rates, add R1, or look "
            "for huge values in the data. gan.restore() goes back to the "
            f"state after step {gan._newest.step}."
        ) from error


def _show(gan: Model, bar: progress) -> None:
    """The running losses, each with its value at equilibrium behind it."""
    d, g = gan.objective.equilibrium
    d_loss, g_loss, d_norm, g_norm = gan.history_.last
    bar.show(**{f"D({d:.3g})": d_loss, f"G({g:.3g})": g_loss, "|dD|": d_norm, "|dG|": g_norm})


def _warn(gan: Model, warned: set[str]) -> None:
    """Warn of each kind of alarm once."""
    for alarm in gan.history_.alarms(gan.objective, gan.n_steps_ - 1):
        if alarm.kind not in warned:
            warned.add(alarm.kind)
            warnings.warn(
                f"step {alarm.step}: {alarm.message} (This alarm is {alarm.kind!r}.)",
                GANWarning,
                stacklevel=4,
            )


@contextmanager
def evaluating(module: Module) -> Iterator[None]:
    """Evaluation mode without a graph; then each layer's mode is what it was."""
    modes = [(layer, layer.training) for layer in module.modules()]
    module.eval()
    try:
        with no_grad():
            yield
    finally:
        for layer, mode in modes:
            layer.training = mode
