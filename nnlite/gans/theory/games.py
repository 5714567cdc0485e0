r"""The two smallest games with the trouble of GANs: x·y and the Dirac-GAN (lecture 11).

In each, one player moves the number x and the other y, each down the slope of its own loss:

* x·y: x minimises xy and y maximises it. The equilibrium is (0, 0).
* Dirac-GAN (Mescheder, Geiger and Nowozin 2018): the data are the single point 0, the generator
  makes the single point :math:`\theta` (x here), and the discriminator has the logit
  :math:`\psi x` (its :math:`\psi` is y). The equilibrium is (0, 0) again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_choice, as_integer, as_number

Array = NDArray[Any]
Slope = Callable[[Any, Any], Any]

_NODES = 40  # exact for polynomials of degree 79, enough for a sigmoid of a few units of noise
_TINY = 1e-100  # a step whose square is 0: the complex step has no truncation error


@dataclass(frozen=True)
class Game:
    """Two players with a number each.

    Attributes
    ----------
    name : str
    slope_x : callable
        From x and y to the derivative of the first player's loss with respect to x.
    slope_y : callable
        From x and y to the derivative of the second player's loss with respect to y. Both must
        take complex numbers, by which they are differentiated.
    """

    name: str
    slope_x: Slope
    slope_y: Slope

    def flow(self, x: float, y: float, dt: float, steps: int) -> Array:
        """Path of infinitely small simultaneous steps, by the Runge-Kutta method of order 4.

        Parameters
        ----------
        x, y : float
            Where it begins.
        dt : float
            Time between two points of the path; the error is of order dt⁴.
        steps : int

        Returns
        -------
        ndarray of shape (steps + 1, 2)
        """
        dt = as_number(dt, "flow: dt", above=0)
        path = np.empty((as_integer(steps, "flow: steps", 0) + 1, 2))
        path[0] = z = np.array([as_number(x, "flow: x"), as_number(y, "flow: y")])
        for t in range(1, len(path)):
            a = self._velocity(z)
            b = self._velocity(z + dt / 2 * a)
            c = self._velocity(z + dt / 2 * b)
            d = self._velocity(z + dt * c)
            path[t] = z = z + dt / 6 * (a + 2 * b + 2 * c + d)
        return path

    def eigenvalues(self, k: float = 1.0) -> Array:
        """Eigenvalues (2,) of the flow at (0, 0), where y is ``k`` times as fast as x.

        A negative real part is the rate at which it converges, an imaginary part the speed at
        which it turns.
        """
        speeds = np.array([[1.0], [as_number(k, "eigenvalues: k", above=0)]])
        return np.sort_complex(np.linalg.eigvals(speeds * derivative(self._velocity, np.zeros(2))))

    def _velocity(self, z: Array) -> Array:
        return -np.array([self.slope_x(*z), self.slope_y(*z)])


def derivative(f: Callable[[Array], Array], z: Array) -> Array:
    """Jacobian matrix of a map of numbers by the complex step, exact to rounding."""
    columns = [f(z + 1j * _TINY * e).imag / _TINY for e in np.eye(len(z))]
    return np.stack(columns, axis=1)


def bilinear() -> Game:
    """The game x·y: x descends, y ascends, and the flow circles (0, 0) for ever."""
    return Game("x·y", lambda x, y: y, lambda x, y: -x)


def dirac(loss: str = "minimax", *, r1: float = 0.0, noise: float = 0.0) -> Game:
    r"""The Dirac-GAN, x the generator's point and y the slope of the discriminator's logit.

    Parameters
    ----------
    loss : str
        ``"minimax"``, ``"non-saturating"`` or ``"wasserstein"``.
    r1 : float
        Factor :math:`\gamma` of the penalty :math:`\frac\gamma2|D'|^2` on the discriminator, D' the
        derivative of the logit. R1 (on the data) and R2 (on the fakes) are the same here, as the
        logit is linear.
    noise : float
        Standard deviation of the noise added to real and generated samples alike.

    Notes
    -----
    Its flow turns around (0, 0): for ever on circles with ``"minimax"``; inwards, but only like
    :math:`\sqrt{8/t}`, with ``"non-saturating"``; inwards exponentially with a penalty or noise.
    Simultaneous steps h of the non-saturating game end on a circle of radius :math:`\sqrt{2h}`.
    """
    real_slope, fake_slope, generator_slope = _LOSSES[
        as_choice(loss, "dirac: loss", tuple(_LOSSES))
    ]
    gamma = as_number(r1, "dirac: r1", 0)
    sigma = as_number(noise, "dirac: noise", 0)
    n, w = np.polynomial.hermite_e.hermegauss(_NODES) if sigma else (np.zeros(1), np.ones(1))
    n, w = sigma * n, w / w.sum()

    def slope_theta(theta: Any, psi: Any) -> Any:
        return -psi * (w @ generator_slope(psi * (theta + n)))

    def slope_psi(theta: Any, psi: Any) -> Any:
        fake = theta + n
        return w @ (fake_slope(psi * fake) * fake - real_slope(psi * n) * n) + gamma * psi

    return Game(f"Dirac-GAN, {loss}", slope_theta, slope_psi)


def _sigmoid(a: Any) -> Any:
    return (1 + np.tanh(a / 2)) / 2  # of complex numbers too, without overflow


def _anti(a: Any) -> Any:
    return _sigmoid(-a)


# How each loss falls or rises with the logit: of real samples, of fakes, and the generator's.
_LOSSES: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "minimax": (_anti, _sigmoid, _sigmoid),
    "non-saturating": (_anti, _sigmoid, _anti),
    "wasserstein": (np.ones_like, np.ones_like, np.ones_like),
}
