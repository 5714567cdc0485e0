"""What a search for maximum likelihood climbs: the log-likelihood, checked before it begins."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.engine import Tensor, grad, hessian, no_grad
from nnlite.likelihood.errors import UnboundedLikelihoodError
from nnlite.likelihood.parameters import Packing
from nnlite.ops import values_of

_PATIENCE = 100  # matrices found singular on the way before the search is given up


class Likelihood:
    """The mean log-likelihood per sample as a function of unconstrained coordinates."""

    def __init__(self, log_prob: Callable[..., Any], packing: Packing, data: Any) -> None:
        self.log_prob = log_prob
        self.packing = packing
        self.data = _as_arrays(data) if isinstance(data, tuple) else _as_data(data)
        self.singular: np.linalg.LinAlgError | None = None  # the last matrix that failed
        self.failures = 0
        first = self.data[0] if isinstance(self.data, tuple) else self.data
        self.n = len(first) if np.ndim(first) else 1

    def each(self, u: Any) -> Any:
        """The log-density of each sample, or their sum if that is what log_prob gives."""
        with np.errstate(all="ignore"):  # a trial step may leave the domain; it is then rejected
            return self.log_prob(self.data, **self.packing.values(u))

    def mean(self, u: Any) -> Any:
        """The log-likelihood per sample."""
        return np.sum(self.each(u)) / self.n

    def value_and_gradient(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """:meth:`mean` and its gradient; minus infinity and 0 where a matrix is singular."""
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
        """Second derivatives of :meth:`mean`."""
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
