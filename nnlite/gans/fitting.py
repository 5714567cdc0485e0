"""The loop around Algorithm 1: progress, alarms, snapshots, checkpoints."""

from __future__ import annotations

import dataclasses
import errno
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array
from nnlite.engine import no_grad
from nnlite.gans.checks import check_fit
from nnlite.gans.history import WINDOW
from nnlite.gans.sources import Source, source_of_noise, source_of_samples
from nnlite.ops import values_of
from nnlite.training import load_checkpoint, progress, save_checkpoint

Model = Any  # a GAN, whose module imports this one
_NAMES = ("objective", "latent", "k", "batch_size", "penalties", "clip", "noise", "replay")


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
        _check_folder(checkpoint)
    _keep_snapshot(gan, snapshot_every)
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
                _keep_snapshot(gan, snapshot_every)
            if checkpoint is not None and (done % checkpoint_every == 0 or done == last):
                _write_checkpoint(gan, checkpoint)
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
                f"step {alarm.step}, {alarm.kind}: {alarm.message}", GANWarning, stacklevel=4
            )


def _keep_snapshot(gan: Model, every: int | None) -> None:
    """The newest state that is finite, and one for ``snapshots_`` if its turn has come."""
    snapshot = gan.snapshot()
    networks = [*snapshot.generator.values(), *snapshot.discriminator.values()]
    if gan._newest is None or all(np.isfinite(array).all() for array in networks):
        gan._newest = snapshot
    kept = [s.step for s in gan.snapshots_]
    if every and snapshot.step % every == 0 and snapshot.step not in kept:
        gan.snapshots_.append(snapshot)


def _check_folder(path: str | os.PathLike[str]) -> None:
    folder = os.path.dirname(os.path.abspath(os.fspath(path)))
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT, f"the checkpoint's folder {folder} must exist; make it first.", folder
        )


def _write_checkpoint(gan: Model, path: str | os.PathLike[str]) -> None:
    try:
        gan.save_checkpoint(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"the checkpoint of step {gan.n_steps_} could not be written ({error.strerror}). The "
            "file that was there before is whole, and the networks are kept as they are: make "
            "room, then call gan.save_checkpoint(path).",
            os.fspath(path),
        ) from error


def logits(gan: Model, X: ArrayLike) -> NDArray[Any]:
    """The discriminator's logits for samples, in evaluation mode."""
    x = as_array(X, "X", gan._dtype)
    modes = [(module, module.training) for module in gan.discriminator.modules()]
    gan.discriminator.eval()
    try:
        with no_grad():
            return values_of(gan.discriminator(x))
    finally:
        for module, mode in modes:
            module.training = mode


# ---- checkpoints -------------------------------------------------------------------------------


class _Settings:
    """A GAN's settings as a part of its checkpoint, which other settings refuse."""

    def __init__(self, gan: Model) -> None:
        self._now = {name: _named(getattr(gan, name)) for name in _NAMES}

    def state_dict(self) -> dict[str, str]:
        return self._now

    def load_state_dict(self, saved: Mapping[str, str]) -> None:
        for name in _NAMES:
            if saved.get(name) != self._now[name]:
                raise ValueError(
                    f"the checkpoint must be of a GAN with the same settings; {name} was "
                    f"{saved.get(name)} and is {self._now[name]}. To go on with others, load the "
                    "networks only: nnlite.load(path)['parts']['generator']."
                )


def _named(value: Any) -> str:
    """A setting as text that is the same in another process."""
    if isinstance(value, tuple):
        return f"({', '.join(_named(v) for v in value)})"
    if callable(value) and not dataclasses.is_dataclass(value):  # its repr would hold an address
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return repr(value)


def save(gan: Model, path: str | os.PathLike[str]) -> None:
    """Write everything that the run needs to go on."""
    save_checkpoint(path, rng=gan._rng, epoch=gan.n_steps_, **_saved_parts(gan))


def load(gan: Model, path: str | os.PathLike[str]) -> None:
    """Read it again, all of it or nothing."""
    gan.n_steps_ = load_checkpoint(path, rng=gan._rng, **_saved_parts(gan))


def _saved_parts(gan: Model) -> dict[str, Any]:
    return {"settings": _Settings(gan), "history": gan.history_, **gan._parts()}
