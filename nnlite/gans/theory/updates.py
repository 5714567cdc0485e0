"""Ways to play a game of two numbers, each as a map from one state to the next (lecture 11).

A state holds x and y and what the method remembers. Where the map is iterated there is an orbit,
and the eigenvalues of its derivative at (0, 0) say whether orbits near it converge: all must be
smaller than 1 in modulus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nnlite._arguments import as_choice, as_integer, as_number
from nnlite.gans.theory.games import Array, Game, derivative


@dataclass(frozen=True)
class Update:
    """One step of a method on a game.

    Attributes
    ----------
    name : str
    step : callable
        From a state (size,) to the next.
    size : int
        Numbers in a state: x, y and what is remembered of them.
    """

    name: str
    step: Callable[[Array], Array]
    size: int = 2

    def orbit(self, x: float, y: float, steps: int) -> Array:
        """The first ``steps`` steps from (x, y), where it has stood before: (steps + 1, 2)."""
        path = np.empty((as_integer(steps, "orbit: steps", 0) + 1, 2))
        start = as_number(x, "orbit: x"), as_number(y, "orbit: y")
        state = np.resize(np.array(start, dtype=np.float64), self.size)  # x, y, x, y
        path[0] = start
        for t in range(1, len(path)):
            state = self.step(state)
            path[t] = state[:2]
        return path

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues (size,) of the step at the equilibrium (0, 0)."""
        return np.sort_complex(np.linalg.eigvals(derivative(self.step, np.zeros(self.size))))

    @property
    def growth(self) -> float:
        """Factor by which the squared distance from (0, 0) grows per step in the long run."""
        return float(np.abs(self.eigenvalues).max() ** 2)


def simultaneous(game: Game, h: float, h_y: float | None = None) -> Update:
    """Both players step at once, x by ``h`` and y by ``h_y`` (the same by default)."""
    h, h_y = _steps("simultaneous", h, h_y)

    def step(z: Array) -> Array:
        x, y = z
        return np.array([x - h * game.slope_x(x, y), y - h_y * game.slope_y(x, y)])

    return Update("simultaneous", step)


def alternating(
    game: Game, h: float, h_y: float | None = None, *, k: int = 1, first: str = "y"
) -> Update:
    """One player after the other, the second seeing what the first did.

    Parameters
    ----------
    game : Game
    h, h_y : float
        Steps of x and y; the same by default.
    k : int
        Steps of y for each of x.
    first : str
        ``"y"``, as the discriminator in Algorithm 1 of Goodfellow et al. (2014), or ``"x"``.
    """
    h, h_y = _steps("alternating", h, h_y)
    k = as_integer(k, "alternating: k", 1)
    y_first = as_choice(first, "alternating: first", ("x", "y")) == "y"

    def step(z: Array) -> Array:
        x, y = z
        if not y_first:
            x = x - h * game.slope_x(x, y)
        for _ in range(k):
            y = y - h_y * game.slope_y(x, y)
        if y_first:
            x = x - h * game.slope_x(x, y)
        return np.array([x, y])

    return Update(f"alternating, {first} first", step)


def extragradient(game: Game, h: float) -> Update:
    """Look ahead by a simultaneous step, then step from here with the slopes found there.

    Korpelevich (1976).
    """
    h, _ = _steps("extragradient", h, None)
    ahead = simultaneous(game, h).step

    def step(z: Array) -> Array:
        x, y = ahead(z)
        return z - h * np.array([game.slope_x(x, y), game.slope_y(x, y)])

    return Update("extragradient", step)


def optimistic(game: Game, h: float) -> Update:
    """Step by twice the present slopes minus the previous ones (Daskalakis et al. 2018)."""
    h, _ = _steps("optimistic", h, None)

    def slopes(x: float, y: float) -> Array:
        return np.array([game.slope_x(x, y), game.slope_y(x, y)])

    def step(z: Array) -> Array:
        x, y, x_old, y_old = z
        now = z[:2] - 2 * h * slopes(x, y) + h * slopes(x_old, y_old)
        return np.array([*now, x, y])

    return Update("optimistic", step, size=4)


def momentum(game: Game, h: float, beta: float, *, order: str = "simultaneous") -> Update:
    """Heavy ball: each step adds ``beta`` times the previous one, for both players.

    Parameters
    ----------
    game : Game
    h : float
    beta : float
        Between -1 and 1; negative momentum brakes (Gidel et al. 2019).
    order : str
        ``"simultaneous"``, or ``"alternating"`` with x first.
    """
    h, _ = _steps("momentum", h, None)
    beta = as_number(beta, "momentum: beta", above=-1, below=1)
    waits = as_choice(order, "momentum: order", ("simultaneous", "alternating")) == "alternating"

    def step(z: Array) -> Array:
        x, y, x_old, y_old = z
        x_new = x - h * game.slope_x(x, y) + beta * (x - x_old)
        seen = x_new if waits else x
        return np.array([x_new, y - h * game.slope_y(seen, y) + beta * (y - y_old), x, y])

    return Update(f"momentum {beta:g}, {order}", step, size=4)


def replay(game: Game, h: float, share: float, rate: float) -> Update:
    """Simultaneous steps in which a share of y's slopes is taken at an average of x's past.

    Parameters
    ----------
    game : Game
    h : float
    share : float
        Of replayed samples in the discriminator's batch, from 0 to 1.
    rate : float
        At which the memory m follows x: a step moves it by ``h * rate * (x - m)``.
    """
    h, _ = _steps("replay", h, None)
    share = as_number(share, "replay: share", 0, 1)
    rate = as_number(rate, "replay: rate", above=0)

    def step(z: Array) -> Array:
        x, y, m = z
        slope_y = (1 - share) * game.slope_y(x, y) + share * game.slope_y(m, y)
        return np.array([x - h * game.slope_x(x, y), y - h * slope_y, m + h * rate * (x - m)])

    return Update(f"replay of {share:.0%}", step, size=3)


def _steps(method: str, h: float, h_y: float | None) -> tuple[float, float]:
    h = as_number(h, f"{method}: h", above=0)
    return h, h if h_y is None else as_number(h_y, f"{method}: h_y", above=0)
