r"""Constraints by reparametrisation: search over all reals, whatever the domain (lecture 07).

A standard deviation is positive, a probability lies in (0, 1), a covariance is positive definite.
Each is a smooth function of unconstrained numbers u, so an optimiser that knows no constraints can
move u:

==================  ==============================================  ======================
``real(x)``         :math:`\theta=u`                                any real numbers
``positive(x)``     :math:`\theta=e^u`                              scales, rates, shapes
``unit_interval``   :math:`\theta=1/(1+e^{-u})`                     probabilities
``covariance(S)``   :math:`\theta=LL^\top`, L lower triangular      covariance matrices
                    with diagonal :math:`e^u`
==================  ==============================================  ======================

The maximum does not depend on the choice (Zehna 1966); the path to it, and how well a parabola
describes the likelihood around it, do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nnlite._arguments import as_array
from nnlite.likelihood._checks import cholesky
from nnlite.ops import sigmoid

# A scale that has changed by e^60 while the likelihood still rises has no maximum, and one that is
# known up to a factor of e^60 is not known.
RUN_OFF = 60.0


@dataclass(frozen=True)
class Parameter:
    """A starting value and the smooth map from unconstrained numbers to it.

    Attributes
    ----------
    shape : tuple of int
        Shape of the parameter itself.
    u : ndarray (m,)
        Unconstrained coordinates of the starting value.
    value : callable
        ``value(u)``: the parameter from its coordinates; differentiable.
    logs : ndarray (m,) of bool
        Which coordinates are logarithms: those can run off to minus infinity.
    kind : str
    """

    shape: tuple[int, ...]
    u: np.ndarray
    value: Callable[[Any], Any]
    logs: np.ndarray
    kind: str


def real(start: ArrayLike) -> Parameter:
    """Any real numbers; a plain number or array in ``params`` means the same."""
    x = _finite(start, "real")
    shape, n = x.shape, x.size
    return Parameter(shape, x.ravel(), lambda u: np.reshape(u, shape), np.zeros(n, bool), "real")


def positive(start: ArrayLike) -> Parameter:
    """Positive numbers, searched by their logarithm."""
    x = _finite(start, "positive")
    if not (x > 0).all():
        raise ValueError(f"positive(start) needs a start above 0; got {x.min()}.")
    shape, n = x.shape, x.size
    return Parameter(
        shape,
        np.log(x).ravel(),
        lambda u: np.exp(np.reshape(u, shape)),
        np.ones(n, bool),
        "positive",
    )


def unit_interval(start: ArrayLike) -> Parameter:
    """Numbers strictly between 0 and 1, searched by their logit."""
    x = _finite(start, "unit_interval")
    if not ((x > 0) & (x < 1)).all():
        raise ValueError(
            f"unit_interval(start) needs a start strictly between 0 and 1; got {x.min()} to "
            f"{x.max()}."
        )
    shape, n = x.shape, x.size
    return Parameter(
        shape,
        np.log(x / (1 - x)).ravel(),
        lambda u: sigmoid(np.reshape(u, shape)),
        np.zeros(n, bool),
        "unit_interval",
    )


def covariance(start: ArrayLike) -> Parameter:
    """A symmetric positive definite matrix (d, d), searched by its Cholesky factor."""
    S = _finite(start, "covariance")
    if S.ndim != 2 or S.shape[0] != S.shape[1]:
        raise ValueError(f"covariance(start) needs a square matrix; got shape {S.shape}.")
    if not np.allclose(S, S.T):
        raise ValueError("covariance(start) needs a symmetric matrix.")
    least = float(np.linalg.eigvalsh(S)[0])
    if least <= 0:
        raise ValueError(
            f"covariance(start) needs a positive definite matrix; the smallest eigenvalue is "
            f"{least:.3g}."
        )
    L = cholesky(S, "covariance(start)")
    d = len(S)
    below = np.tri(d, k=-1, dtype=bool)
    place = np.zeros((d, d), dtype=np.int64)  # where each entry below the diagonal sits in u
    place[below] = d + np.arange(np.count_nonzero(below))

    def value(u: Any) -> Any:
        factor = np.where(below, u[place], 0.0) + np.eye(d) * np.exp(u[:d])  # (d, d) lower
        return factor @ factor.T

    u = np.concatenate([np.log(np.diag(L)), L[below]])
    return Parameter((d, d), u, value, np.arange(u.size) < d, "covariance")


def _finite(start: ArrayLike, kind: str) -> np.ndarray:
    x = as_array(start, f"{kind}(start)").astype(np.float64)
    if x.size == 0 or not np.isfinite(x).all():
        raise ValueError(f"{kind}(start) needs finite numbers; got {start!r}.")
    return x


class Packing:
    """All parameters as one vector u, and back."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.parameters = {
            name: p if isinstance(p, Parameter) else real(p) for name, p in params.items()
        }
        sizes = [p.u.size for p in self.parameters.values()]
        ends = np.cumsum(sizes)
        self.slices = [slice(int(e - n), int(e)) for e, n in zip(ends, sizes, strict=True)]
        self.start = np.concatenate([p.u for p in self.parameters.values()])
        self.logs = np.concatenate([p.logs for p in self.parameters.values()])
        #: for each coordinate, the name of the parameter it belongs to
        self.owner = [name for name, p in self.parameters.items() for _ in range(p.u.size)]

    def values(self, u: Any) -> dict[str, Any]:
        """The natural parameters at ``u``, by name; Tensors if ``u`` is one."""
        return {
            name: p.value(u[part])
            for (name, p), part in zip(self.parameters.items(), self.slices, strict=True)
        }

    def flat(self, u: Any) -> Any:
        """The natural parameters at ``u``, one vector: for the delta method."""
        return np.concatenate([np.reshape(v, (-1,)) for v in self.values(u).values()])

    def split(self, flat: np.ndarray) -> dict[str, Any]:
        """A vector with one entry for each natural parameter, by name and in its shape."""
        out: dict[str, Any] = {}
        at = 0
        for name, p in self.parameters.items():
            n = int(np.prod(p.shape))
            piece = flat[at : at + n].reshape(p.shape)
            out[name] = piece if p.shape else float(piece)
            at += n
        return out
