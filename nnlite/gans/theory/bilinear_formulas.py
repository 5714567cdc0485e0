r"""The game x·y from formulas: eigenvalues, growth and orbits of every method (lecture 11).

With :math:`z=x+iy` the field of the game is :math:`iz`, and a method with step h is a recursion of
complex numbers, with the characteristic polynomial

* simultaneous, :math:`\mu-(1+ih)`:
  :math:`r^2` grows by the factor :math:`1+h^2` per step;
* proximal, :math:`(1-ih)\mu-1`:
  :math:`1/(1+h^2)`;
* extragradient, :math:`\mu-(1+ih-h^2)`:
  :math:`1-h^2+h^4`;
* optimistic, :math:`\mu^2-(1+2ih)\mu+ih`:
  :math:`\frac{1+\sqrt{1-4h^2}}2` up to h = 1/2, and less than 1 until :math:`h=1/\sqrt3`;
* momentum, :math:`\mu^2-(1+\beta+ih)\mu+\beta`:
  more than 1 for every :math:`\beta` in (-1, 1).

Alternating steps treat x and y differently and are not among them: they have real polynomials,
:math:`\mu^2-(2-h^2)\mu+1` (nothing grows up to h = 2, an ellipse is conserved) and, with momentum,
:math:`((\mu-1)(\mu-\beta))^2+h^2\mu^3` (:math:`1+\frac{2\beta h^2}{(1-\beta)^3}+O(h^3)`: negative
momentum contracts).

Sources: Korpelevich (1976); Daskalakis et al. (2018); Gidel et al. (2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite._arguments import as_choice, as_integer, as_number
from nnlite.gans.theory.games import Array

_COMPLEX = ("simultaneous", "proximal", "extragradient", "optimistic", "momentum")
_REAL = ("alternating", "alternating momentum")


def bilinear_eigenvalues(method: str, h: float, beta: float = 0.0) -> Array:
    """Eigenvalues of one step of a method on x·y at step ``h``, sorted; complex.

    Parameters
    ----------
    method : str
        ``"simultaneous"``, ``"alternating"``, ``"proximal"``, ``"extragradient"``,
        ``"optimistic"``, ``"momentum"`` or ``"alternating momentum"``.
    h : float
    beta : float
        Of momentum.

    Returns
    -------
    ndarray of shape (2,) or, for methods with a memory, (4,)
        Of x and y together, in conjugate pairs.

    Raises
    ------
    TypeError, ValueError
        If the method is another, h is not positive, or beta is not between -1 and 1 or given to a
        method without momentum.
    """
    h, beta = _settings(method, h, beta)
    if method == "alternating":
        roots = np.roots([1, h * h - 2, 1])
    elif method == "alternating momentum":
        square = np.polymul([1, -1 - beta, beta], [1, -1 - beta, beta])
        roots = np.roots(np.polyadd(square, [h * h, 0, 0, 0]))
    else:
        half = np.roots(_polynomial(method, h, beta))
        roots = np.concatenate([half, half.conj()])
    return np.sort_complex(roots)


def bilinear_growth(method: str, h: float, beta: float = 0.0) -> float:
    """Factor by which x² + y² grows per step in the long run; arguments as in the eigenvalues."""
    return float(np.abs(bilinear_eigenvalues(method, h, beta)).max() ** 2)


def bilinear_orbit(
    method: str, h: float, x: float, y: float, steps: int, beta: float = 0.0, first: str = "y"
) -> Array:
    """Where a method stands after 0, 1, ..., ``steps`` steps from (x, y): (steps + 1, 2).

    The t-th entry is a formula in t, not the t-th iterate: powers of the two eigenvalues, combined
    so that the method begins as if it had always stood at (x, y).

    Parameters
    ----------
    method : str
        As in :func:`bilinear_eigenvalues`, except alternating momentum, which has four.
    h, x, y : float
    steps : int
    beta : float
        Of momentum.
    first : str
        Who moves first in alternating steps, ``"x"`` or ``"y"``.

    Raises
    ------
    TypeError, ValueError
        As :func:`bilinear_eigenvalues`.
    """
    as_choice(method, "bilinear_orbit: method", (*_COMPLEX, "alternating"))
    h, beta = _settings(method, h, beta)
    t = np.arange(as_integer(steps, "bilinear_orbit: steps", 0) + 1)
    z = np.array([as_number(x, "bilinear_orbit: x"), as_number(y, "bilinear_orbit: y")])
    if method == "alternating":
        y_first = as_choice(first, "bilinear_orbit: first", ("x", "y")) == "y"
        M = np.array([[1 - h * h, -h], [h, 1]] if y_first else [[1, -h], [h, 1 - h * h]])
        mu = np.roots([1, h * h - 2, 1]).astype(complex)
        # M² = (trace) M - I, hence M^t = U_t M - U_{t-1} I
        powers = _ladder(mu, t)[:, None] * (M @ z) - _ladder(mu, t - 1)[:, None] * z
        return powers.real
    mu = np.roots(_polynomial(method, h, beta)).astype(complex)
    start = complex(*z)
    if len(mu) == 1:
        path = start * mu[0] ** t
    else:
        total, product = mu.sum(), mu.prod()
        path = start * ((total - product) * _ladder(mu, t) - product * _ladder(mu, t - 1))
    return np.stack([path.real, path.imag], axis=1)


def alternating_invariant(
    x: Any, y: Any, h: float, h_y: float | None = None, *, k: int = 1, first: str = "y"
) -> Any:
    r"""What alternating steps on x·y never change: an ellipse.

    :math:`kh_yx^2+h_xy^2\pm kh_xh_yxy`, with + if y moves first and - if x does. With one step size
    and k = 1 it is h times :math:`x^2+y^2\pm hxy`. Therefore k steps of y for each of x, as one
    step k times as long, do not help.

    Parameters
    ----------
    x, y : float or array_like
        Points of an orbit.
    h, h_y : float
        Steps of x and y; the same by default.
    k : int
        Steps of y for each of x.
    first : str
        ``"y"`` or ``"x"``.
    """
    h = as_number(h, "alternating_invariant: h", above=0)
    h_y = h if h_y is None else as_number(h_y, "alternating_invariant: h_y", above=0)
    long = as_integer(k, "alternating_invariant: k", 1) * h_y
    y_first = as_choice(first, "alternating_invariant: first", ("x", "y")) == "y"
    x, y = np.asarray(x), np.asarray(y)
    return long * x**2 + h * y**2 + (1 if y_first else -1) * h * long * x * y


def _polynomial(method: str, h: float, beta: float) -> list[complex]:
    """Coefficients of the complex recursion, highest power first."""
    if method == "simultaneous":
        return [1, -(1 + 1j * h)]
    if method == "proximal":
        return [1 - 1j * h, -1]
    if method == "extragradient":
        return [1, -(1 + 1j * h - h * h)]
    if method == "optimistic":
        return [1, -(1 + 2j * h), 1j * h]
    return [1, -(1 + beta + 1j * h), beta]


def _ladder(mu: Array, t: Array) -> Array:
    """The sums U_t of mu1^i mu2^j over i + j = t - 1, for t >= -1: 0 at 0, 1 at 1."""
    a, b = mu
    if abs(a - b) < 1e-8 * abs(a):  # a double root; the quotient would have no digits
        return t * a ** (t - 1.0)
    return (a ** t.astype(float) - b ** t.astype(float)) / (a - b)


def _settings(method: str, h: float, beta: float) -> tuple[float, float]:
    as_choice(method, "method", (*_COMPLEX, *_REAL))
    h, beta = as_number(h, "h", above=0), as_number(beta, "beta", above=-1, below=1)
    if beta and "momentum" not in method:
        raise ValueError(f"beta must be 0 for the method {method!r}, which has none, got {beta:g}.")
    return h, beta
