r"""Averages over pairs of one sample, without bias: what MMD and the birthday test are made of.

For a symmetric function k of two samples, whose values :math:`k_{ij}` have the row sums
:math:`r_i` (without the diagonal), averages over *distinct* indices estimate

.. math:: E\,k,\quad E\,k^2,\quad E\,k(x,x')k(x,x''),\quad (E\,k)^2

without bias (Hoeffding 1948). The last two need products of sums from which the coinciding indices
are taken out again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnlite.gans.metrics._samples import Array, distance_blocks

LEAST = 4  # distinct indices in the estimate of (E k)^2


class PairMoments(NamedTuple):
    """Unbiased estimates: E k, E k², E k(x,x')k(x,x'') and (E k)²."""

    mean: float
    square: float
    chain: float
    mean_squared: float


def pair_moments(x: Array, k: Callable[[Array], Any]) -> PairMoments:
    """Moments of ``k``, a function of squared distances, over the pairs of ``x`` (n, d), n >= 4."""
    n = len(x)
    r, squares = np.zeros(n), 0.0
    for i, d2 in distance_blocks(x, x):
        values = np.asarray(k(d2), dtype=np.float64)  # (rows, n)
        rows = np.arange(len(values))
        values[rows, rows + i] = 0.0
        r[i : i + len(values)] = values.sum(axis=1)
        squares += float((values**2).sum())
    total, chains = float(r.sum()), float(r @ r)
    pairs = n * (n - 1)
    return PairMoments(
        total / pairs,
        squares / pairs,
        (chains - squares) / (pairs * (n - 2)),
        (total**2 - 4 * chains + 2 * squares) / (pairs * (n - 2) * (n - 3)),
    )
