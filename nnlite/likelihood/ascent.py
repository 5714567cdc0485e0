r"""Three ways up a log-likelihood: gradient, Newton, L-BFGS (lecture 07).

All work on a function ``f(u) -> (value, gradient)`` of unconstrained coordinates u, the *mean*
log-likelihood per sample, so that step sizes do not depend on the number of samples. A step is
taken only if the value rises enough (Armijo 1966); points where f is not finite count as too far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]

_REACH = 3.0  # a logarithm moves at most this far in one step: a factor of 20
_ENOUGH = 1e-4  # share of the rise promised by the slope that a step must deliver
_NOTHING = 1e-22  # a promised rise that no arithmetic can see, even next to the optimum
_ROUNDING = 1e-13  # relative error of a mean over samples, generously


@dataclass
class Ascent:
    """Where an ascent ended and how it went.

    ``path`` has one row for the start and each iteration; ``limited`` says that ``max_iter`` ended
    it, and ``message`` is why it has not reached its own tolerance (empty if it has).
    """

    u: np.ndarray
    value: float
    gradient: np.ndarray
    message: str
    path: list[np.ndarray]
    limited: bool = False


def scaled_eigen(H: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-H as ``s * (V diag(w) V') * s`` with a diagonal of ones inside: free of the units of u."""
    size = np.abs(np.diag(H))
    s = np.sqrt(np.where(size > 0, size, 1.0))
    w, V = np.linalg.eigh(-(H + H.T) / 2 / np.outer(s, s))
    return s, w, V


def newton_direction(H: np.ndarray, g: np.ndarray) -> np.ndarray:
    """-H^-1 g where H is negative definite; elsewhere its eigenvalues are taken as if they were.

    With the absolute value of every eigenvalue the direction always goes uphill, and it leaves
    saddles instead of approaching them. Along a direction without curvature it goes far if there
    is a slope (and finds out whether the likelihood is unbounded), and nowhere if there is none.
    """
    s, w, V = scaled_eigen(H)
    size, slope = np.abs(w), V.T @ (g / s)
    floor = 1e-10 * (float(size.max()) or 1.0)
    step = slope / np.maximum(size, floor)
    return V @ np.where((size <= floor) & (np.abs(slope) <= 1e-9), 0.0, step) / s


def newton_ascent(
    f: ValueAndGradient,
    hessian: Callable[[np.ndarray], np.ndarray],
    u: np.ndarray,
    logs: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    watch: Callable[[np.ndarray, np.ndarray], None],
) -> Ascent:
    """Newton's method with step halving; ends with a step below ``tol`` (relative)."""
    value, g = f(u)
    path = [u]
    for _ in range(max_iter):
        d = newton_direction(hessian(u), g)
        last = bool(np.all(np.abs(d) <= tol * (1 + np.abs(u))))
        if not last and g @ d <= _NOTHING * (1 + abs(value)):  # far to go, and nothing to gain
            return Ascent(u, value, g, _STUCK, path)
        found = _search(f, u, value, g, _shorten(d, logs), 1.0)
        if found is not None:
            u, value, g, _ = found
            path.append(u)
            watch(u, g)
        if last or found is None:
            return Ascent(u, value, g, "" if last else _STUCK, path)
    return Ascent(u, value, g, f"stopped after max_iter={max_iter} Newton steps", path, True)


def gradient_ascent(
    f: ValueAndGradient,
    u: np.ndarray,
    logs: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    watch: Callable[[np.ndarray, np.ndarray], None],
) -> Ascent:
    """Steepest ascent with a step that doubles after success and halves after failure."""
    value, g = f(u)
    path, step = [u], 1.0
    for _ in range(max_iter):
        if np.abs(g).max() <= tol:
            return Ascent(u, value, g, "", path)
        found = _search(f, u, value, g, _shorten(g, logs, step), step)
        if found is None:
            return Ascent(u, value, g, _STUCK, path)
        u, value, g, step = found
        step *= 2
        path.append(u)
        watch(u, g)
    return Ascent(u, value, g, f"stopped after max_iter={max_iter} gradient steps", path, True)


def lbfgs_ascent(
    f: ValueAndGradient,
    u: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    watch: Callable[[np.ndarray, np.ndarray], None],
) -> Ascent:
    """SciPy's L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) on -f."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ImportError(
            'method="lbfgs" needs SciPy: pip install scipy. '
            'method="newton" and method="gradient" need nothing.'
        ) from error
    path = [u]

    def objective(v: np.ndarray) -> tuple[float, np.ndarray]:
        value, g = f(v)
        if not np.isfinite(value) or not np.isfinite(g).all():
            return 1e300, np.zeros_like(v)  # too far: SciPy's line search comes back
        return -value, -g

    def each(v: np.ndarray) -> None:
        path.append(v.copy())
        watch(v, f(v)[1])

    out: Any = minimize(
        objective,
        u,
        jac=True,
        method="L-BFGS-B",
        callback=each,
        options={"maxiter": max_iter, "ftol": 0.0, "gtol": tol, "maxfun": 20 * max_iter},
    )
    value, g = f(out.x)
    # A line search that cannot improve any more has reached the rounding of the value.
    limited = bool(out.nit >= max_iter)
    message = f"stopped after max_iter={max_iter} L-BFGS steps" if limited else ""
    return Ascent(np.asarray(out.x), value, g, message, path, limited)


_STUCK = "no step along the search direction raises the likelihood any more"


def _shorten(d: np.ndarray, logs: np.ndarray, step: float = 1.0) -> np.ndarray:
    """``d``, scaled down if ``step * d`` would carry a logarithm further than ``_REACH``."""
    reach = step * float(np.abs(d[logs]).max(initial=0.0))
    return d * (_REACH / reach) if reach > _REACH else d


def _search(
    f: ValueAndGradient,
    u: np.ndarray,
    value: float,
    g: np.ndarray,
    d: np.ndarray,
    step: float,
) -> tuple[np.ndarray, float, np.ndarray, float] | None:
    """The first of step, step/2, step/4, ... along d that raises f enough, or None.

    Where the promised rise is below the rounding of f, values cannot be compared any more; then a
    step must shrink the gradient instead (Hager and Zhang 2005).
    """
    slope = float(g @ d)
    noise = _ROUNDING * (1 + abs(value))
    for _ in range(60):
        there = u + step * d
        v, new = f(there)
        if np.isfinite(v) and np.isfinite(new).all():
            by_value = v >= value + _ENOUGH * step * slope and step * slope > noise
            by_slope = v >= value - noise and np.abs(new).max() < np.abs(g).max()
            if by_value or by_slope:
                return there, v, new, step
        step /= 2
    return None
