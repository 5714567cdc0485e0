"""What PCA is told, held against the data: which solver, and how many components."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nnlite._arguments import as_choice, as_python, is_integer

_SOLVERS = ("auto", "covariance_eigh", "full", "power", "gradient")
_SMALL = 500  # up to this many rows and columns an SVD costs nothing, so "auto" takes it


def choose_solver(svd_solver: Any, n_components: Any, n: int, d: int) -> str:
    """The solver for n rows of d features, where "auto" leaves it open."""
    if isinstance(svd_solver, str) and svd_solver in ("randomized", "arpack"):
        raise ValueError(
            f'svd_solver="{svd_solver}" is not offered; here "covariance_eigh" is the '
            "fast one, and it is exact."
        )
    as_choice(svd_solver, "svd_solver", _SOLVERS)
    if svd_solver == "auto":
        return "full" if max(n, d) <= _SMALL or n < d else "covariance_eigh"
    if svd_solver in ("power", "gradient") and isinstance(as_python(n_components), float):
        raise ValueError(
            f'svd_solver="{svd_solver}" finds a fixed number of components; got '
            f'n_components={n_components}; use "full" to keep a share of the variance.'
        )
    return svd_solver


def resolve_count(n_components: Any, n: int, d: int) -> int | None:
    """Number of components, or None if a share of the variance was asked for."""
    most = min(n, d)
    if n_components is None:
        return most
    if isinstance(n_components, str) and n_components == "mle":
        raise ValueError(
            'n_components="mle" (Minka 2000) is not offered; give a number, or a share of the '
            "variance such as 0.95."
        )
    if isinstance(as_python(n_components), float):
        if not 0 < n_components < 1:
            raise ValueError(
                f"a float n_components is a share of the variance in (0, 1); got {n_components}; "
                f"for a number of components pass an int."
            )
        return None
    if not is_integer(n_components):
        raise TypeError(
            f"n_components must be an int, a float in (0, 1) or None; got {n_components!r}."
        )
    k = operator.index(n_components)
    if not 0 <= k <= most:
        raise ValueError(
            f"n_components={k} must be between 0 and min(n_samples, n_features) = "
            f"min({n}, {d}) = {most}."
        )
    return k


def count_for_share(ratios: np.ndarray, share: float) -> int:
    """Fewest leading components whose ratios sum to more than ``share``."""
    below = int(np.searchsorted(np.cumsum(ratios), share, side="right"))
    return min(below + 1, len(ratios))  # rounding may leave the full sum just below the share
