"""Ways back: snapshots in memory and checkpoints on disk (lectures 10 and 11)."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nnlite.training import load_checkpoint, save_checkpoint

Model = Any  # a GAN, whose module imports this one
_NAMES = ("objective", "latent", "k", "batch_size", "penalties", "clip", "noise", "replay")


class Snapshot(NamedTuple):
    """Both networks, and what trains them, after some step.

    Attributes
    ----------
    step : int
        Steps of the generator so far.
    generator, discriminator : dict
        Their ``state_dict``.
    others : dict
        The states of optimisers, schedules and replay buffer, by name.
    """

    step: int
    generator: dict[str, Any]
    discriminator: dict[str, Any]
    others: dict[str, Any]

    @property
    def is_finite(self) -> bool:
        """Whether training could go on from here."""
        arrays = [*self.generator.values(), *self.discriminator.values()]
        return all(np.isfinite(array).all() for array in arrays)


def parts_of(gan: Model) -> dict[str, Any]:
    """What is trained or trains, by name."""
    parts: dict[str, Any] = {
        "generator": gan.generator,
        "discriminator": gan.discriminator,
        "d_optimizer": gan.d_optimizer,
        "g_optimizer": gan.g_optimizer,
    }
    if gan.replay is not None:
        parts["replay"] = gan.replay
    return parts | {f"schedule{i}": schedule for i, schedule in enumerate(gan.schedules)}


def snapshot(gan: Model) -> Snapshot:
    """Copies of the states of all parts."""
    states = {name: part.state_dict() for name, part in parts_of(gan).items()}
    return Snapshot(gan.n_steps_, states.pop("generator"), states.pop("discriminator"), states)


def restore(gan: Model, saved: Snapshot) -> None:
    """Bring all parts back, and forget what came after."""
    states = {"generator": saved.generator, "discriminator": saved.discriminator, **saved.others}
    for name, part in parts_of(gan).items():
        part.load_state_dict(states[name])
    gan.n_steps_ = saved.step
    gan.history_.cut(saved.step)


def keep_snapshot(gan: Model, every: int | None) -> None:
    """The newest state that is finite, and one for ``snapshots_`` if its turn has come."""
    now = snapshot(gan)
    if gan._newest is None or now.is_finite:
        gan._newest = now
    if every and now.step % every == 0 and now.step not in [s.step for s in gan.snapshots_]:
        gan.snapshots_.append(now)


# ---- on disk -----------------------------------------------------------------------------------


class _Settings:
    """A GAN's settings as a part of its checkpoint, which other settings refuse."""

    def __init__(self, gan: Model) -> None:
        self._now = {name: _named(getattr(gan, name)) for name in _NAMES}

    def state_dict(self) -> dict[str, str]:
        """Each setting as text."""
        return self._now

    def load_state_dict(self, saved: Mapping[str, str]) -> None:
        """Refuse other settings than those of now."""
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


def _saved_parts(gan: Model) -> dict[str, Any]:
    return {"settings": _Settings(gan), "history": gan.history_, **parts_of(gan)}


def save(gan: Model, path: str | os.PathLike[str]) -> None:
    """Write everything that the run needs to go on."""
    save_checkpoint(path, rng=gan._rng, epoch=gan.n_steps_, **_saved_parts(gan))


def load(gan: Model, path: str | os.PathLike[str]) -> None:
    """Read it again, all of it or nothing."""
    gan.n_steps_ = load_checkpoint(path, rng=gan._rng, **_saved_parts(gan))


def check_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a path where no file can be, before hours of training rather than after them."""
    folder = os.path.dirname(os.path.abspath(os.fspath(path)))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"the checkpoint's folder must exist, got {folder}; make it first.")


def write_checkpoint(gan: Model, path: str | os.PathLike[str]) -> None:
    """:func:`save`, or an error that says what is left."""
    try:
        save(gan, path)
    except OSError as error:
        failure = OSError(
            f"the checkpoint {os.fspath(path)} of step {gan.n_steps_} could not be written "
            f"({error.strerror}). The file that was there before is whole, and the networks are "
            "kept as they are: make room, then call gan.save_checkpoint(path)."
        )
        failure.errno = error.errno  # by which programs tell a full disk
        raise failure from error
