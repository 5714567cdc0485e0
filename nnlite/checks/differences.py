"""Derivatives without any rule: difference quotients and the complex step.

This is the independent witness that :mod:`nnlite.checks.gradients` calls against the engine. It
belongs to lecture 01, which derives the error of each formula below.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array

Array = NDArray[Any]

#: scheme -> ((k, weight), ...): f'(x) is about sum of weight * f(x + k h), divided by h
STENCILS = {
    "forward": ((0, -1.0), (1, 1.0)),
    "central": ((-1, -1 / 2), (1, 1 / 2)),
    "five-point": ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12)),
}
_ORDER = {"forward": 1, "central": 2, "five-point": 4}


def finite_difference(
    f: Callable[[Any], Any],
    x: ArrayLike,
    h: float | None = None,
    *,
    scheme: str = "central",
    direction: ArrayLike | None = None,
) -> Array:
    """Directional derivative of ``f`` at ``x`` by a difference quotient.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype, returns an array of any shape.
    x : array_like
        Floating-point array. Its dtype is the precision of the computation.
    h : float, optional
        Step, > 0. By default eps**(1 / (order + 1)) of x's dtype, which balances truncation
        against rounding for functions whose values and derivatives are of size 1. Powers of two
        add no rounding of their own.
    scheme : {"central", "forward", "five-point"}
        Truncation error of order h**2, h and h**4.
    direction : array_like, optional
        Direction of x's shape. By default all ones: for a function that works element by element
        this is f'(x) for every element.

    Returns
    -------
    ndarray
        In the shape of ``f(x)``.

    Raises
    ------
    ValueError
        For an unknown scheme, a step that is not positive or that x + h does not feel, or a
        direction of another shape.
    TypeError
        If x is not floating point.
    """
    x, direction = _point(x, direction)
    if scheme not in STENCILS:
        raise ValueError(f"scheme must be one of {', '.join(STENCILS)}; got {scheme!r}.")
    step = np.finfo(x.dtype).eps ** (1 / (_ORDER[scheme] + 1)) if h is None else h
    if not (np.isfinite(step) and step > 0):
        raise ValueError(f"the step h must be a positive number; got {h}.")
    step = x.dtype.type(step)
    if np.any(direction) and np.array_equal(x + step * direction, x):
        raise ValueError(
            f"x + h equals x in {x.dtype} for h={float(step):g}: the step is lost. Take a larger h."
        )
    terms = (
        x.dtype.type(w) * f(x + x.dtype.type(k) * step * direction) for k, w in STENCILS[scheme]
    )
    return np.asarray(sum(terms) / step)


def complex_step(
    f: Callable[[Any], Any],
    x: ArrayLike,
    h: float = 1e-20,
    *,
    direction: ArrayLike | None = None,
) -> Array:
    """Directional derivative of an analytic ``f`` at a real ``x``, to machine precision.

    Nothing is subtracted, so h may be tiny and no digit is lost (Lyness and Moler, 1967; Squire
    and Trapp, 1998). It holds for code made of analytic functions only: ``np.abs``, ``np.conj``,
    ``np.vdot`` and ``np.linalg.norm`` drop the imaginary part and give a wrong answer in silence.

    Parameters
    ----------
    f : callable
        Takes a complex array of x's shape, returns an array of any shape.
    x : array_like
        Real array; computed in double precision.
    h : float
        Step, > 0. The error is of order h**2, so anything below 1e-10 is exact for most functions.
    direction : array_like, optional
        Direction of x's shape, by default all ones (see :func:`finite_difference`).

    Returns
    -------
    ndarray of float64
        In the shape of ``f(x)``.

    Raises
    ------
    ValueError
        If the step is not positive or the direction has another shape.
    TypeError
        If x is not floating point.
    """
    x, direction = _point(x, direction)
    if not (np.isfinite(h) and h > 0):
        raise ValueError(f"the step h must be a positive number; got {h}.")
    return np.asarray(np.imag(f(x.astype(complex) + 1j * h * direction)) / h)


def _point(x: ArrayLike, direction: ArrayLike | None) -> tuple[Array, Array]:
    x = as_array(x, "x")
    if x.dtype.kind != "f":
        raise TypeError(f"derivatives need floating-point numbers; x has dtype {x.dtype}.")
    if direction is None:
        return x, np.ones_like(x)
    direction = as_array(direction, "direction", x.dtype)
    if direction.shape != x.shape:
        raise ValueError(f"direction has shape {direction.shape}, x has shape {x.shape}.")
    return x, direction


# ---- the slope of t -> u . y(t) at t = 0, for gradcheck -------------------------------------


class Slope(NamedTuple):
    """A numerical slope with what is known about its error."""

    value: float
    rounding: float  # the part of the error that comes from the last digit of y and x
    terms: float  # size of the terms that add up to the value: it may be small by cancellation
    bent: bool  # the two sides of some component of y differ: a kink, perhaps, or a curve
    how: str


class Kink(NamedTuple):
    """Two one-sided slopes that do not meet; any value in [low, high] is a subgradient."""

    low: float
    high: float


#: Steps are tried in this order, relative to the size of x. The first suits functions of ordinary
#: scale; smaller ones get off a nearby kink, larger ones beat the rounding of large values.
LADDER = 2.0 ** -np.array([10, 13, 17, 20, 24, 7, 4])


class Line:
    """The function t -> y(t) in R^m along one direction, and its slope weighted by ``u``.

    Parameters
    ----------
    y : callable
        Takes a float, returns a float vector of shape (m,).
    u : ndarray, (m,)
        Weights (the cotangent).
    y0 : ndarray, (m,)
        y(0).
    scales : tuple of float
        What counts as a large t: the size of x, and perhaps of its smallest entry. ``LADDER`` is
        relative to it.
    eps : float
        Relative rounding error of y.
    step : float, optional
        The one step to use instead of the ladder.
    """

    def __init__(
        self,
        y: Callable[[float], Array],
        u: Array,
        y0: Array,
        scales: tuple[float, ...],
        eps: float,
        step: float | None = None,
    ) -> None:
        self.y, self.u, self.y0, self.scales, self.eps = y, u, y0, scales, eps
        self.steps = [k * scale for scale in scales for k in LADDER] if step is None else [step]

    def slopes(self) -> Iterator[Slope]:
        """Five-point slopes with their rounding error, for all steps at which they are finite."""
        for h in self.steps:
            y = {k: self.y(k * h) for k, _ in STENCILS["five-point"]}
            slope = sum(w * (self.u @ y[k]) for k, w in STENCILS["five-point"]) / h
            if np.isfinite(slope):
                size = np.linalg.norm(self.u * self.y0) + self.scales[0] * abs(slope)
                bend, change = np.abs(y[1] - 2 * self.y0 + y[-1]), np.abs(y[1] - y[-1])
                bent = bool(np.any(bend > 0.02 * change + 16 * self.eps * np.abs(self.y0)))
                terms = float(np.linalg.norm(self.u * change) / (2 * h))
                how = f"differences, h={h:.1e}"
                yield Slope(float(slope), float(8 * self.eps * size / h), terms, bent, how)

    def kink(self) -> Kink | None:
        """One-sided slopes, if they differ by an amount that does not shrink with the step.

        The second difference (y(h) - 2 y(0) + y(-h)) / h tends to 0 like h y'' for a smooth
        function and to the change of slope at a kink. Each component of y is judged by itself: two
        kinks may cancel in the weighted sum. Where y jumps (a rise that does not shrink with the
        step), or is finite on one side only, any slope is possible.
        """
        for scale in self.scales:
            small, large = scale * 2.0**-20, scale * 2.0**-17
            right, left = (self.y(small) - self.y0) / small, (self.y0 - self.y(-small)) / small
            far = self.y(large), self.y(-large)
            if np.all(np.isfinite([right, left, *far])):
                break
        else:
            return Kink(-np.inf, np.inf)
        noise = 16 * self.eps * np.abs(self.y0)
        rise, rise_far = np.abs(right + left) * small, np.abs(far[0] - far[1])
        if np.any((rise > 0.5 * rise_far) & (rise > 1e-6 * np.abs(self.y0) + noise)):
            return Kink(-np.inf, np.inf)
        bend, bend_far = np.abs(right - left), np.abs(far[0] - 2 * self.y0 + far[1]) / large
        floor = 1e-6 * (np.abs(right) + np.abs(left)) + noise / small
        # rounding would make the bend 8 times larger at the 8 times smaller step
        kinked = (bend > 0.5 * bend_far) & (bend < 4 * bend_far) & (bend > floor)
        if not kinked.any():
            return None
        sides = np.sort(np.stack([self.u * left, self.u * right]), axis=0)
        middle = self.u * (left + right) / 2
        return Kink(*(float(np.where(kinked, side, middle).sum()) for side in sides))
