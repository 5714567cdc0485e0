r"""Maximum likelihood for any log-density written in NumPy operations: lecture 07.

Where the derivatives of the log-likelihood have no root that can be written down, they still can be
computed. Automatic differentiation gives the gradient to climb by, the Hessian for Newton's method
and, at the top, the observed information :math:`J=-\nabla^2\ell(\hat\theta)`, whose inverse is the
asymptotic covariance of the estimate (Fisher 1922; Efron and Hinkley 1978).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite._arguments import as_choice, as_integer, as_number
from nnlite.likelihood.ascent import gradient_ascent, lbfgs_ascent, newton_ascent
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.objective import Likelihood
from nnlite.likelihood.parameters import RUN_OFF, Packing
from nnlite.likelihood.result import MaximumLikelihoodResult, judged

_ITERATIONS = {"gradient": 20_000, "newton": 200, "lbfgs": 2_000}


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
        Handed to ``log_prob`` as it is, floating-point entries as float64. A tuple serves
        regressions: ``data=(x, y)``.
    method : {"newton", "gradient", "lbfgs"}
        * ``"newton"``: few steps, each with one Hessian. For up to some hundred parameters.
        * ``"gradient"``: many cheap steps.
        * ``"lbfgs"``: between the two; needs SciPy.
    tol : float
        ``"newton"`` ends when the relative size of the step, the others when the largest entry of
        the gradient per sample, is below ``tol``.
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
        If the data are not finite, the likelihood of the start is 0 or not a number, or
        ``log_prob`` sums over all pairs of samples.
    TypeError
        If ``log_prob`` returns something that does not depend on the parameters as Tensors do, or
        an argument is of another kind.

    Warns
    -----
    ConvergenceWarning
        If the end point is not a maximum.
    FlatLikelihoodWarning
        If the likelihood does not change along some direction.
    UserWarning
        If ``log_prob`` returns the mean over the samples, which makes standard errors too large.

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
    packing = Packing(params)
    likelihood = Likelihood(log_prob, packing, data)
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
    return judged(likelihood, run, method)


def _refuse_run_off(packing: Packing, n: int, u: np.ndarray, g: np.ndarray) -> None:
    """Raise if a scale has gone to 0 or infinity and the likelihood rises on that way for ever."""
    moved = u - packing.start
    # n * g is the slope of the whole log-likelihood: 1 where a scale collapses on one sample
    rising = packing.logs & (np.abs(moved) > RUN_OFF) & (n * g * np.sign(moved) > 0.1)
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
