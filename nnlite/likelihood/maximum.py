r"""Maximum likelihood for any log-density written in NumPy operations: lecture 07.

Where the derivatives of the log-likelihood have no root that can be written down, they still can be
computed. Automatic differentiation gives the gradient to climb by, the Hessian for Newton's method
and, at the top, the observed information :math:`J=-\nabla^2\ell(\hat\theta)`, whose inverse is the
asymptotic covariance of the estimate (Fisher 1922; Efron and Hinkley 1978).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite._arguments import as_array, as_choice, as_integer, as_number
from nnlite.engine import Tensor, grad, hessian, jacobian, no_grad
from nnlite.errors import ConvergenceWarning
from nnlite.likelihood.ascent import (
    Ascent,
    gradient_ascent,
    lbfgs_ascent,
    newton_ascent,
    scaled_eigen,
)
from nnlite.likelihood.errors import FlatLikelihoodWarning, UnboundedLikelihoodError
from nnlite.likelihood.parameters import Packing
from nnlite.ops import values_of

_ITERATIONS = {"gradient": 20_000, "newton": 200, "lbfgs": 2_000}
_RUN_OFF = 60.0  # a scale that has changed by e^60 while the likelihood still rises has no maximum,
# and one that is known up to a factor of e^60 is not known
_FLAT = 1e-10  # eigenvalue of the information (unit diagonal) below which a direction is flat
_PATIENCE = 100  # matrices found singular on the way before the search is given up
_NEAR = 1e-5  # a Newton step longer than this (relative) from the end point: not there yet


@dataclass
class MaximumLikelihoodResult:
    """The maximum, its uncertainty and how it was reached; ``print(result)`` is the report.

    Attributes
    ----------
    params : dict
        The maximising parameters by name: floats, or arrays of the shape they were started with.
    standard_errors : dict
        Square roots of the diagonal of `covariance`, in the same shapes; infinite for what the data
        do not fix, and for all parameters if the end point is no maximum.
    covariance : ndarray (P, P)
        Inverse observed information, in the order of `params` flattened.
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


def maximum_likelihood(
    log_prob: Callable[..., Any],
    params: dict[str, Any],
    data: Any,
    method: str = "newton",
    *,
    tol: float = 1e-9,
    max_iter: int | None = None,
) -> MaximumLikelihoodResult:
    """Find the parameters under which the data are most probable.

    Parameters
    ----------
    log_prob : callable
        ``log_prob(data, **params)`` returns the log-density of each sample, shape (n,), or their
        sum. Write it in NumPy operations: the parameters arrive as Tensors.
    params : dict
        Starting values by name: a number or array, or :func:`positive`, :func:`unit_interval` or
        :func:`covariance` around one for a parameter that is constrained.
    data : array_like, or tuple of array_like
        Handed to `log_prob` as it is, floating-point entries as float64. A tuple serves
        regressions: ``data=(x, y)``.
    method : {"newton", "gradient", "lbfgs"}
        * ``"newton"``: few steps, each with one Hessian. For up to some hundred parameters.
        * ``"gradient"``: many cheap steps.
        * ``"lbfgs"``: between the two; needs SciPy.
    tol : float
        ``"newton"`` ends when the relative size of the step, the others when the largest entry of
        the gradient per sample, is below `tol`.
    max_iter : int, optional
        200 Newton steps, 20,000 gradient steps or 2,000 L-BFGS steps.

    Returns
    -------
    MaximumLikelihoodResult

    Raises
    ------
    UnboundedLikelihoodError
        If the likelihood grows without bound, for instance as a scale goes to 0 on constant data.
    ValueError
        If the data are not finite, the likelihood of the start is 0 or not a number, or `log_prob`
        sums over all pairs of samples.
    TypeError
        If `log_prob` returns something that does not depend on the parameters as Tensors do, or an
        argument is of another kind.

    Warns
    -----
    ConvergenceWarning
        If the end point is not a maximum.
    FlatLikelihoodWarning
        If the likelihood does not change along some direction.
    UserWarning
        If `log_prob` returns the mean over the samples, which makes standard errors too large.

    Notes
    -----
    Standard errors come from the observed information in unconstrained coordinates and the Jacobian
    of the natural parameters (delta method). They are asymptotic: intervals of ±1.96 standard
    errors cover less than 95 % for few samples (lecture 07 has the exact numbers). Only a local
    maximum is found: a likelihood with several needs several starts.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlite.likelihood import maximum_likelihood, positive
    >>> def log_prob(x, mu, sigma):
    ...     return -np.log(sigma) - (x - mu) ** 2 / (2 * sigma**2)
    >>> fit = maximum_likelihood(
    ...     log_prob, {"mu": 0.0, "sigma": positive(1.0)}, [1.0, 3.0, 5.0, 7.0]
    ... )
    >>> round(fit.params["sigma"] ** 2, 9)
    5.0
    """
    as_choice(method, "method", tuple(_ITERATIONS))
    if not callable(log_prob):
        raise TypeError(
            "log_prob must be a function of the data and the parameters, such as lambda x, mu: "
            f"Gaussian(mu, 1.0).log_prob(x); got {log_prob!r}."
        )
    if not isinstance(params, dict) or not params or not all(isinstance(k, str) for k in params):
        raise TypeError(
            'params must be a dict of starting values, {"mu": 0.0, "sigma": positive(1.0)}; got '
            f"{params if isinstance(params, dict) else type(params).__name__}."
        )
    tol = as_number(tol, "tol", 0)
    limit = _ITERATIONS[method] if max_iter is None else as_integer(max_iter, "max_iter", 1)
    data = _as_arrays(data) if isinstance(data, tuple) else _as_data(data)
    packing = Packing(params)
    likelihood = _Likelihood(log_prob, packing, data)
    likelihood.check_start(packing.start)
    likelihood.check_samples(packing.start)

    def watch(u: np.ndarray, g: np.ndarray) -> None:
        _refuse_run_off(packing, likelihood.n, u, g)

    f, start, logs = likelihood.value_and_gradient, packing.start, packing.logs
    if method == "newton":
        run = newton_ascent(
            f, likelihood.hessian, start, logs, tol=tol, max_iter=limit, watch=watch
        )
    elif method == "gradient":
        run = gradient_ascent(f, start, logs, tol=tol, max_iter=limit, watch=watch)
    else:
        run = lbfgs_ascent(f, start, tol=tol, max_iter=limit, watch=watch)
    return _result(likelihood, run, method)


class _Likelihood:
    """The mean log-likelihood per sample as a function of unconstrained coordinates."""

    def __init__(self, log_prob: Callable[..., Any], packing: Packing, data: Any) -> None:
        self.log_prob = log_prob
        self.packing = packing
        self.data = data
        self.singular: np.linalg.LinAlgError | None = None  # the last matrix that failed
        self.failures = 0
        first = data[0] if isinstance(data, tuple) else data
        self.n = len(first) if np.ndim(first) else 1

    def each(self, u: Any) -> Any:
        """The log-density of each sample, or their sum if that is what log_prob gives."""
        with np.errstate(all="ignore"):  # a trial step may leave the domain; it is then rejected
            return self.log_prob(self.data, **self.packing.values(u))

    def mean(self, u: Any) -> Any:
        return np.sum(self.each(u)) / self.n

    def value_and_gradient(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        leaf = Tensor(u.copy(), requires_grad=True)
        try:
            with np.errstate(all="ignore"):
                value = self.mean(leaf)
                g = grad(value, leaf, allow_unused=True)
        except np.linalg.LinAlgError as error:  # a step too far, or the edge the search runs along
            self.singular = error
            self.failures += 1
            if self.failures > _PATIENCE:
                raise self.at_the_edge() from error
            return -np.inf, np.zeros_like(u)
        self._refuse_pole(value.item(), u)
        return value.item(), np.zeros_like(u) if g is None else g

    def at_the_edge(self) -> UnboundedLikelihoodError:
        """What to raise when the search runs into singular matrices again and again."""
        return UnboundedLikelihoodError(
            f"the search ended at the edge where a matrix becomes singular ({self.singular}) and "
            "the likelihood still rises: it has no maximum inside. Fewer samples than dimensions "
            "and constant or duplicate features do this."
        )

    def _refuse_pole(self, value: float, u: np.ndarray) -> None:
        if value == np.inf:
            raise UnboundedLikelihoodError(
                f"the log-likelihood is +infinity at {_describe(self.packing.values(u))}: the "
                "density has a pole on a sample, so there is no maximum."
            )

    def hessian(self, u: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return hessian(self.mean, u)

    def check_start(self, u: np.ndarray) -> None:
        """Refuse a start from which nothing can be learned."""
        values = self.each(Tensor(u, requires_grad=True))
        if values is None:
            raise TypeError("log_prob returned None. (Does it have a return?)")
        if not isinstance(values, Tensor) or not values.requires_grad:
            raise TypeError(
                f"log_prob returned {type(values).__name__}, which does not depend on the "
                "parameters as Tensors do: write it in NumPy operations (np.log, not math.log)."
            )
        array = values.data
        if array.ndim and not array.size == len(array) == self.n:
            raise ValueError(
                f"log_prob must return one log-density for each of the {self.n} samples, or their "
                f"sum; got shape {array.shape}. {_shape_advice(array.shape, self.n)}"
            )
        bad = ~np.isfinite(array)
        if bad.any():
            self._refuse_pole(float(np.sum(array)), u)
            where = f" for sample {int(np.argwhere(bad)[0][0])}" if array.ndim else ""
            raise ValueError(
                f"the log-likelihood at the start, {_describe(self.packing.values(u))}, is "
                f"{array[bad].ravel()[0] if array.ndim else array}{where}: the sample is outside "
                "the support of the distribution, or the start is outside the domain of log_prob."
            )

    def check_samples(self, u: np.ndarray) -> None:
        """See whether a sum is one over samples: with every sample there twice it doubles.

        It is four times as large if it runs over all pairs, which is what a column (n, 1) against
        a vector (n,) makes, and it stays what it is if it is a mean.
        """
        if self.n < 2:
            return
        arrays = self.data if isinstance(self.data, tuple) else (self.data,)
        twice = tuple(np.r_[x, x] if x.ndim and len(x) == self.n else x for x in arrays)
        try:
            once = self._total(u, self.data)
            more = self._total(u, twice if isinstance(self.data, tuple) else twice[0])
        except (ValueError, IndexError, TypeError):
            return  # it knows the number of samples, and cannot be asked about more
        if once and abs(more - 4 * once) <= 1e-9 * abs(once):
            raise ValueError(
                "log_prob sums over all pairs of samples, not over the samples: a column (n, 1) "
                "met a vector (n,), so that every sample has the parameters of every other one. "
                "Reshape one of them by .ravel(); in a regression X @ w is (n,) for w of shape "
                "(d,) and (n, 1) for w of shape (d, 1)."
            )
        if once and abs(more - once) <= 1e-9 * abs(once):
            warnings.warn(
                "maximum_likelihood: log_prob stays the same if every sample is there twice. "
                "If it returns a mean over the samples, return np.sum(...) or one log-density per "
                "sample: standard errors and the log-likelihood are right for a sum only. If it "
                "does not use the data it is handed, let it.",
                stacklevel=3,
            )

    def _total(self, u: np.ndarray, data: Any) -> float:
        """The log-likelihood of other data."""
        with np.errstate(all="ignore"), no_grad():
            values = self.log_prob(data, **self.packing.values(Tensor(u)))
        return float(np.sum(values_of(values)))


def _refuse_run_off(packing: Packing, n: int, u: np.ndarray, g: np.ndarray) -> None:
    """Raise if a scale has gone to 0 or infinity and the likelihood rises on that way for ever."""
    moved = u - packing.start
    # n * g is the slope of the whole log-likelihood: 1 where a scale collapses on one sample
    rising = packing.logs & (np.abs(moved) > _RUN_OFF) & (n * g * np.sign(moved) > 0.1)
    if rising.any():
        i = int(np.argmax(rising))
        direction = "0" if moved[i] < 0 else "infinity"
        raise UnboundedLikelihoodError(
            f"the likelihood grows without bound as {packing.owner[i]} goes to {direction}: from "
            f"factor e^{moved[i]:+.0f} of the start on it still rises by {abs(n * g[i]):.3g} nats "
            f"for each factor e. Constant samples, a component on a single sample and "
            "fewer samples than dimensions do this: fix or bound that parameter, or use more data. "
            "(So does a start that far from the scale of the data: start nearer.)"
        )


def _result(likelihood: _Likelihood, run: Ascent, method: str) -> MaximumLikelihoodResult:
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
        vague = packing.logs & (deviation > _RUN_OFF)
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


def _shape_advice(shape: tuple[int, ...], n: int) -> str:
    """What makes a log-density of this shape, and what to write instead."""
    if shape[0] != n:
        return "Are the samples the first axis of the data?"
    if shape == (n, n):
        return (
            "A column (n, 1) met a vector (n,), which pairs every sample with every other one: "
            "reshape one of them by .ravel(). In a regression X @ w is (n,) for w of shape (d,) "
            "and (n, 1) for w of shape (d, 1)."
        )
    return (
        "If the features of a sample are independent, add their log-densities: np.sum(..., axis=1)."
    )


def _as_arrays(data: tuple[Any, ...]) -> tuple[np.ndarray, ...]:
    arrays = tuple(map(_as_data, data))
    if not arrays or not arrays[0].ndim:
        raise ValueError(
            "a tuple of data holds arrays with the samples along their first axis, as in (X, y); "
            f"got {'an empty one' if not arrays else 'numbers: pass a list or an array of them'}."
        )
    return arrays


def _as_data(x: Any) -> np.ndarray:
    array = as_array(x, "data")
    if array.size == 0:
        raise ValueError(f"data are empty, shape {array.shape}.")
    if not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"data hold {array[at]} at position {at}: remove or impute it first.")
    return array if array.dtype.kind in "iub" else array.astype(np.float64)


def _describe(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{k}={float(v):.4g}" if np.ndim(v) == 0 else f"{k}=array {np.shape(v)}"
        for k, v in values.items()
    )
