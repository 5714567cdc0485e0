"""The end of a search for maximum likelihood: whether it is a maximum, and how well known."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite.engine import jacobian
from nnlite.errors import ConvergenceWarning
from nnlite.likelihood.ascent import Ascent, scaled_eigen
from nnlite.likelihood.errors import FlatLikelihoodWarning
from nnlite.likelihood.objective import Likelihood
from nnlite.likelihood.parameters import RUN_OFF, Packing

_FLAT = 1e-10  # eigenvalue of the information (unit diagonal) below which a direction is flat
_NEAR = 1e-5  # a Newton step longer than this (relative) from the end point: not there yet


@dataclass
class MaximumLikelihoodResult:
    """The maximum, its uncertainty and how it was reached; ``print(result)`` is the report.

    Attributes
    ----------
    params : dict
        The maximising parameters by name: floats, or arrays of the shape they were started with.
    standard_errors : dict
        Square roots of the diagonal of ``covariance``, in the same shapes; infinite for what the
        data do not fix, and for all parameters if the end point is no maximum.
    covariance : ndarray (P, P)
        Inverse observed information, in the order of ``params`` flattened.
    information : ndarray (m, m)
        Observed information, minus the Hessian of the log-likelihood (summed over samples), in the
        unconstrained coordinates the search used.
    log_likelihood : float
        Sum over the samples, in nats.
    converged : bool
        The end point is a maximum: curved downwards, and the next Newton step is negligible.
    message : str
        Why not, if it has not converged.
    iterations : int
    gradient_norm : float
        Largest entry of the gradient per sample, in unconstrained coordinates.
    path : dict
        Parameters by name after each iteration, (iterations + 1, ...), the start included.
    n_samples : int
    method : str
    """

    params: dict[str, Any]
    standard_errors: dict[str, Any]
    covariance: np.ndarray
    information: np.ndarray
    log_likelihood: float
    converged: bool
    message: str
    iterations: int
    gradient_norm: float
    path: dict[str, np.ndarray]
    n_samples: int
    method: str

    def __str__(self) -> str:
        state = "converged" if self.converged else f"NOT converged ({self.message})"
        lines = [
            f"maximum likelihood by {self.method}: {state} after {self.iterations} iterations",
            f"log-likelihood {self.log_likelihood:.6g} of {self.n_samples} samples, "
            f"largest gradient per sample {self.gradient_norm:.1e}",
        ]
        width = max(len(name) for name in self.params)
        for name, value in self.params.items():
            error = self.standard_errors[name]
            if np.ndim(value) == 0:
                lines.append(f"  {name:<{width}}  {value:.6g} ± {error:.2g}")
            else:
                shown = np.array2string(np.asarray(value), precision=5, threshold=20)
                lines.append(f"  {name:<{width}}  {shown}")
                lines.append(f"  {'±':>{width}}  {np.array2string(error, precision=2)}")
        return "\n".join(lines)


def judged(likelihood: Likelihood, run: Ascent, method: str) -> MaximumLikelihoodResult:
    """Judge the end point by its Hessian and translate everything to natural parameters."""
    packing, n = likelihood.packing, likelihood.n
    H = likelihood.hessian(run.u)
    finite = bool(np.isfinite(H).all())
    s, w, V = scaled_eigen(H) if finite else (np.ones(len(run.u)), -np.ones(len(run.u)), None)
    # Along a direction of no curvature the Hessian shows what is left of the gradient: no more is
    # resolved than that.
    resolved = min(max(_FLAT, 10 * float(np.abs(run.gradient / s).max())), 1e-5)
    flat = np.abs(w) <= resolved * max(float(np.abs(w).max()), 1e-300)
    to_natural = jacobian(packing.flat, run.u)  # (P, m)
    message, covariance = run.message, np.full((len(to_natural),) * 2, np.inf)

    if V is None or (w[~flat] < 0).any() or flat.all():
        message = (
            "the likelihood levels off: it is flat in all directions at the end point, which is "
            "not a maximum"
            if finite and flat.all()
            else "the likelihood is not curved downwards at the end point: it is not a maximum"
        )
    else:
        slope = V.T @ (run.gradient / s)  # along the eigenvectors, in units free of scale
        step = V @ np.where(flat, 0.0, slope / np.where(flat, 1.0, w)) / s
        left = float(np.max(np.abs(step) / (1 + np.abs(run.u))))
        rising = float(np.abs(slope[flat]).max(initial=0.0))
        if left <= _NEAR and rising <= _NEAR:
            message = ""
        elif not message or not run.limited:
            message = (
                f"the likelihood still rises a little (Newton step of relative length {left:.1e}, "
                f"slope {rising:.1e} along flat directions): it levels off without a maximum "
                "nearby, as for a probability on its way to 0 or 1, or separable classes"
            )
        spread = to_natural @ (V / s[:, None])  # natural parameters moved by each eigenvector
        inverse = np.where(flat, 0.0, 1 / np.where(flat, 1.0, w)) / n
        covariance = (spread * inverse) @ spread.T
        deviation = np.sqrt(((V / s[:, None]) ** 2 * np.maximum(inverse, 0.0)).sum(axis=1))
        vague = packing.logs & (deviation > RUN_OFF)
        _mark_flat(packing, np.c_[spread[:, flat], to_natural[:, vague]], covariance)

    if message and likelihood.singular is not None:
        raise likelihood.at_the_edge() from likelihood.singular
    if message:
        warnings.warn(f"maximum_likelihood: {message}.", ConvergenceWarning, stacklevel=3)
    values = packing.values(run.u)
    return MaximumLikelihoodResult(
        params={k: v if np.ndim(v) else float(v) for k, v in values.items()},
        standard_errors=packing.split(np.sqrt(np.diag(covariance))),
        covariance=covariance,
        information=-n * H,
        log_likelihood=n * run.value,
        converged=not message,
        message=message,
        iterations=len(run.path) - 1,
        gradient_norm=float(np.abs(run.gradient).max()),
        path=_path(packing, run.path),
        n_samples=n,
        method=method,
    )


def _mark_flat(packing: Packing, moves: np.ndarray, covariance: np.ndarray) -> None:
    """Infinite variance for what moves along flat directions, and a warning that names it."""
    if not moves.size:
        return
    loose = np.abs(moves).max(axis=1) > 1e-6 * np.abs(moves).max()
    covariance[loose, :] = covariance[:, loose] = np.inf
    hit = packing.split(loose.astype(float))
    names = [name for name, mark in hit.items() if np.any(mark)]
    warnings.warn(
        f"maximum_likelihood: the likelihood does not change along {moves.shape[1]} direction(s) "
        f"that involve {', '.join(names)}: the data do not fix them (their standard errors are "
        "infinite). Drop or fix a parameter.",
        FlatLikelihoodWarning,
        stacklevel=4,
    )


def _path(packing: Packing, path: list[np.ndarray]) -> dict[str, np.ndarray]:
    visited = [packing.values(u) for u in path]
    return {name: np.array([v[name] for v in visited]) for name in packing.parameters}
