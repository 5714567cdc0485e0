"""The trainer: Algorithm 1 with everything that a long run needs (lectures 09 to 12)."""

import os
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite import optim
from nnlite._arguments import as_array, as_flag, as_integer
from nnlite.gans import fitting, states
from nnlite.gans.algorithm import discriminator_step, generate, generator_step
from nnlite.gans.checks import check_networks, check_optimizers, check_settings, listed
from nnlite.gans.history import Alarm, History
from nnlite.gans.noise import InstanceNoise
from nnlite.gans.objectives import NonSaturating, Objective
from nnlite.gans.penalties import Penalty
from nnlite.gans.replay import ReplayBuffer
from nnlite.gans.sources import Source, source_of_noise
from nnlite.gans.states import Snapshot
from nnlite.nn import Module
from nnlite.ops import values_of
from nnlite.optim.lr_scheduler import LRScheduler
from nnlite.random import RNGLike, default_rng

Array = NDArray[Any]


class GAN:
    """A generator and a discriminator trained against each other by Algorithm 1.

    Parameters
    ----------
    generator : Module
        Noise ``(n, latent)`` to samples ``(n, ...)``.
    discriminator : Module
        Samples to logits, one for each (or for each pack, behind :class:`Pack`).
    latent : int or callable
        Dimension of the Gaussian noise, or a function ``latent(n, rng=rng)`` that draws it.
    objective : Objective
        :class:`NonSaturating` by default.
    optimizers : (Optimizer, Optimizer), optional
        Of the discriminator's and of the generator's parameters, in this order. By default Adam
        with ``lr=2e-4, betas=(0.5, 0.999)`` (Radford et al. 2016).
    k : int
        Steps of the discriminator, on fresh samples and fresh noise, to one of the generator.
    batch_size : int
    penalties : iterable of callable
        Added to the discriminator's loss: :class:`R1`, :class:`R2`, :class:`GradientPenalty`.
    clip : float, optional
        Clip the discriminator's weights to [-clip, clip] after each of its steps.
    noise : InstanceNoise, optional
        Added to all that the discriminator sees.
    replay : ReplayBuffer, optional
        Old fakes for the discriminator.
    schedules : iterable of LRScheduler
        Each goes on by one with each step of the generator.
    rng : seed or Generator, optional
        For samples, noise and labels.
    verbose : bool
        Show a progress bar with the running losses beside their values at equilibrium.

    Attributes
    ----------
    n_steps_ : int
        Steps of the generator so far.
    history_ : History
        Losses and gradient norms of all steps.
    snapshots_ : list of Snapshot
        See :meth:`fit`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a setting is out of its range, the networks share parameters, the discriminator ends in
        a sigmoid, or an optimiser holds parameters that are not of its own player.

    Examples
    --------
    >>> ring = nnlite.datasets.ring_mixture()
    >>> gan = gans.GAN(G, D, latent=2, rng=0).fit(ring.sample, steps=4000)
    >>> x = gan.sample(1000, rng=1)
    """

    def __init__(
        self,
        generator: Module,
        discriminator: Module,
        *,
        latent: Any,
        objective: Objective | None = None,
        optimizers: tuple[optim.Optimizer, optim.Optimizer] | None = None,
        k: int = 1,
        batch_size: int = 256,
        penalties: Iterable[Penalty] = (),
        clip: float | None = None,
        noise: InstanceNoise | None = None,
        replay: ReplayBuffer | None = None,
        schedules: Iterable[LRScheduler] = (),
        rng: RNGLike | None = None,
        verbose: bool = False,
    ) -> None:
        check_networks(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.objective = NonSaturating() if objective is None else objective
        self.k = as_integer(k, "GAN: k", 1)
        self.batch_size = as_integer(batch_size, "GAN: batch_size", 1)
        self.penalties = listed(penalties, "penalties")
        self.clip = clip
        self.noise = noise
        self.replay = replay
        self.schedules = listed(schedules, "schedules")
        self.verbose = as_flag(verbose, "GAN: verbose")
        self.latent = latent
        check_settings(self)
        if optimizers is None:
            of_d, of_g = [_adam(module) for module in (discriminator, generator)]
        else:
            of_d, of_g = check_optimizers(optimizers, discriminator, generator)
        self.d_optimizer, self.g_optimizer = of_d, of_g
        self._dtype = next(iter(generator.parameters())).dtype
        self._noise = source_of_noise(latent, self._dtype)
        self._rng = default_rng(rng)
        self.n_steps_ = 0
        self.history_ = History()
        self.snapshots_: list[Snapshot] = []
        self._newest: Snapshot | None = None

    @property
    def alarms_(self) -> list[Alarm]:
        """Signs of failure in the history, from the first to the last."""
        return self.history_.alarms(self.objective)

    def fit(
        self,
        X: Any,
        steps: int = 1000,
        *,
        snapshot_every: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1000,
    ) -> Self:
        """Train for so many steps of the generator; a second call goes on.

        Parameters
        ----------
        X : array_like of shape (n, ...), or callable
            Real samples. A function is called as ``X(n, rng=rng)`` and draws new ones for each
            minibatch, such as the method ``sample`` of a mixture.
        steps : int
        snapshot_every : int, optional
            Append a :class:`Snapshot` to ``snapshots_`` at the beginning and after each so many
            steps.
        checkpoint : path, optional
            Write :meth:`save_checkpoint` there after each ``checkpoint_every`` steps and at the
            end.
        checkpoint_every : int

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If X holds no real numbers, or a setting is of the wrong kind.
        ValueError
            If X is empty or not finite, or noise, generator, samples, discriminator and batches do
            not fit together. Then nothing was trained.
        FloatingPointError
            If a loss or a gradient becomes NaN or infinite. Everything stays as it was then, for
            a look at it, and :meth:`restore` goes back to the last state that was finite, at most
            100 steps before.
        OSError
            If the checkpoint cannot be written: at the beginning, if there is no such folder. An
            older file is whole, and the networks are as they were after the last step.

        Warns
        -----
        GANWarning
            At the first alarm of each kind.

        Notes
        -----
        An interrupt (Ctrl-C) ends training after the step of a player and keeps everything. The
        networks are left in evaluation mode.
        """
        fitting.fit(
            self,
            X,
            as_integer(steps, "fit: steps", 0),
            None if snapshot_every is None else as_integer(snapshot_every, "snapshot_every", 1),
            checkpoint,
            as_integer(checkpoint_every, "fit: checkpoint_every", 1),
        )
        return self

    def step(self, draw: Source) -> None:
        """Take k steps of the discriminator, then one of the generator (Algorithm 1).

        Parameters
        ----------
        draw : callable
            ``draw(m, rng=rng)`` gives m real samples in the dtype of the generator.
        """
        m, rng = self.batch_size, self._rng
        for _ in range(self.k):
            real, fake = draw(m, rng=rng), generate(self.generator, self._noise(m, rng=rng))
            if self.replay is not None:
                fake = self.replay.mix(fake, rng)
            of_d = discriminator_step(
                self.discriminator,
                self.d_optimizer,
                self._blurred(real),
                self._blurred(fake),
                self.objective,
                penalties=self.penalties,
                clip=self.clip,
                rng=rng,
            )
        of_g = generator_step(
            self.generator,
            self.discriminator,
            self.g_optimizer,
            self._noise(m, rng=rng),
            self.objective,
            blur=self._blurred,
        )
        for schedule in self.schedules:
            schedule.step()
        self.n_steps_ += 1
        self.history_.append(of_d, of_g)

    def _blurred(self, x: Any) -> Any:
        return x if self.noise is None else self.noise(x, self.n_steps_, self._rng)

    def sample(self, n: int, rng: RNGLike | None = None) -> Array:
        """Draw n samples of the generator, in evaluation mode.

        Parameters
        ----------
        n : int
        rng : seed or Generator, optional
            For the noise. With one of its own, looking at samples does not change how a training
            goes on.

        Returns
        -------
        ndarray of shape (n, ...)
        """
        n, chance = as_integer(n, "sample: n", 1), default_rng(rng)
        size = max(self.batch_size, 500)
        pieces = [min(size, n - i) for i in range(0, n, size)]
        with fitting.evaluating(self.generator):
            return np.concatenate(
                [generate(self.generator, self._noise(m, rng=chance)) for m in pieces]
            )

    def decision_function(self, X: ArrayLike) -> Array:
        """Logits of the discriminator for samples (n, ...), or packs of them, in evaluation mode.

        Raises
        ------
        TypeError
            If X holds no real numbers.
        """
        x = as_array(X, "X", self._dtype)
        with fitting.evaluating(self.discriminator):
            return values_of(self.discriminator(x))

    # ---- going back, going on ---------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Both networks and what trains them, as they are now."""
        return states.snapshot(self)

    def restore(self, snapshot: Snapshot | None = None) -> Self:
        """Go back to a snapshot; later rows of the history go.

        The random generator stays where it is: what follows is another run from there.

        Parameters
        ----------
        snapshot : Snapshot, optional
            By default the newest with finite weights; training keeps one at least every 100 steps.

        Raises
        ------
        ValueError
            If there was no training yet.
        """
        snapshot = self._newest if snapshot is None else snapshot
        if snapshot is None:
            raise ValueError("restore: there must be a snapshot, got none; call fit first.")
        states.restore(self, snapshot)
        return self

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Write everything that this run needs to go on, bit for bit.

        Raises
        ------
        OSError
            If the file cannot be written; an older one stays whole.
        """
        states.save(self, path)

    def load_checkpoint(self, path: str | os.PathLike[str]) -> Self:
        """Go on where :meth:`save_checkpoint` was called.

        This GAN must be made as that one was. ``fit(X, steps=n)`` then takes the steps that the
        other run would have taken.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is no checkpoint of a GAN, or was written with other settings or parts.
        RuntimeError
            If its networks have other layers. In all these cases nothing has changed.
        """
        states.load(self, path)
        return self


def _adam(module: Module) -> optim.Adam:
    return optim.Adam(module.parameters(), lr=2e-4, betas=(0.5, 0.999))
