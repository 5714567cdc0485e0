"""What a training was like, and what in it is a sign of failure (lectures 10 and 11)."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_array
from nnlite.gans.algorithm import Step
from nnlite.gans.objectives import Objective

WINDOW = 100  #: steps that an alarm looks at together
EXPLODED = 100.0  #: a gradient norm that ganhacks calls too large (hack 10)
TOLD_APART = 0.01  #: share of the way from the floor to the equilibrium
CONSTANT = 1e-5  #: spread of a loss in units of its size; batches of real training differ by more


class Alarm(NamedTuple):
    """A sign of failure.

    Attributes
    ----------
    step : int
        The steps of the generator after which it was seen.
    kind : {"discriminator won", "exploding gradients", "constant generator loss"}
    message : str
        What was seen, and what helps.
    """

    step: int
    kind: str
    message: str


class History:
    """Losses and gradient norms of both players, a row for each step of the generator.

    ``history["d_loss"]`` and so on give columns, ``len(history)`` the number of steps. With several
    discriminator steps to one of the generator, the last is recorded.
    """

    columns: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss", "d_norm", "g_norm")

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"History({', '.join(self.columns)}: {len(self)} steps)"

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """A column, (steps,)."""
        if column not in self.columns:
            raise KeyError(f"a history has {', '.join(self.columns)}; got {column!r}.")
        return self._table()[:, self.columns.index(column)]

    @property
    def last(self) -> tuple[float, ...]:
        """The newest row."""
        return self._rows[-1]

    def append(self, discriminator: Step, generator: Step) -> None:
        """Record one step of each player."""
        self._rows.append((discriminator.loss, generator.loss, discriminator.norm, generator.norm))

    def cut(self, steps: int) -> None:
        """Forget all but the first ``steps`` rows."""
        del self._rows[steps:]

    def alarms(self, objective: Objective, start: int = 0) -> list[Alarm]:
        """Signs of failure in each window of 100 steps that ends after ``start``."""
        found = []
        for end in range((start // WINDOW + 1) * WINDOW, len(self) + 1, WINDOW):
            found += _alarms(end, np.array(self._rows[end - WINDOW : end]), objective)
        return found

    def state_dict(self) -> dict[str, Any]:
        """All rows, (steps, 4)."""
        return {"rows": self._table()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to saved rows.

        Raises
        ------
        ValueError
            If they do not have a number for each column.
        """
        rows = as_array(state_dict["rows"], "the rows of the history", np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(
                f"the rows of a history must have shape (steps, {len(self.columns)}), got "
                f"{rows.shape}."
            )
        self._rows = [tuple(row) for row in rows.tolist()]

    def _table(self) -> NDArray[np.float64]:
        return np.array(self._rows, np.float64).reshape(-1, len(self.columns))


def _alarms(step: int, window: NDArray[np.float64], objective: Objective) -> list[Alarm]:
    """What ganhacks (hack 10) watches for, in one window of rows (steps, 4)."""
    d_loss, g_loss, d_norm, g_norm = window.T
    found = []
    equilibrium, floor = objective.equilibrium.discriminator, objective.floor
    mean = float(d_loss.mean())
    if mean - floor < TOLD_APART * (equilibrium - floor):
        found.append(
            Alarm(
                step,
                "discriminator won",
                f"the discriminator's loss fell to {mean:.3g} (equilibrium {equilibrium:.4g}): it "
                "tells real from fake without error, and its gradient says little. Blur both with "
                "InstanceNoise, add R1, or give it a lower learning rate.",
            )
        )
    for player, norms in (("discriminator", d_norm), ("generator", g_norm)):
        typical = float(np.median(norms))
        if typical > EXPLODED:
            found.append(
                Alarm(
                    step,
                    "exploding gradients",
                    f"the gradient norm of the {player} is {typical:.3g} (more than {EXPLODED:g} "
                    "is a bad sign). Lower the learning rate, or bound the discriminator's slope "
                    "with R1, GradientPenalty or nn.utils.spectral_norm.",
                )
            )
    size, spread = float(np.abs(g_loss).mean()), float(g_loss.std())
    if spread <= CONSTANT * max(size, 1.0):
        found.append(
            Alarm(
                step,
                "constant generator loss",
                f"the generator's loss stands still at {g_loss.mean():.6g}: no gradient reaches "
                "it. Look for a discriminator that is constant (dead units, all weights clipped) "
                "or certain (take NonSaturating for Minimax).",
            )
        )
    return found
