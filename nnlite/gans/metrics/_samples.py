"""What the metrics share: two samples that belong together, and distances between their points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite import _estimator

Array = NDArray[Any]

_ENTRIES = 4_000_000  # of a block of distances: 32 MB


def sample(x: ArrayLike, name: str, least: int = 1, why: str = "") -> Array:
    """Samples in rows, (n, d) float64, at least ``least`` of them."""
    array = _estimator.rows(x, name)
    enough(array, name, least, why)
    return array


def enough(x: Array, name: str, least: int, why: str) -> None:
    """Refuse fewer samples than ``least``, and say why it takes so many."""
    if len(x) < least:
        raise ValueError(f"{name} must hold at least {least} samples, got {len(x)}; {why}.")


def same_features(**arrays: Array) -> None:
    """Refuse samples of different dimension."""
    (first, x), *others = arrays.items()
    for name, y in others:
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                f"{first} and {name} must have the same features, got shapes {x.shape} and "
                f"{y.shape}; compute both in the same way."
            )


def distance_blocks(x: Array, y: Array) -> Iterator[tuple[int, Array]]:
    """Squared distances (rows, len(y)) of the rows of ``x``, block by block, with the first row.

    The product of the coordinates is taken around the mean of ``y``, where it loses least.
    """
    origin = y.mean(axis=0)
    x, y = x - origin, y - origin
    squares = (y**2).sum(axis=1)
    rows = max(1, _ENTRIES // len(y))
    for i in range(0, len(x), rows):
        block = x[i : i + rows]
        d2 = (block**2).sum(axis=1)[:, None] + squares - 2 * block @ y.T  # (rows, len(y))
        yield i, np.maximum(d2, 0.0)


def resolution(x: Array, y: Array) -> float:
    """The squared distance below which :func:`distance_blocks` cannot tell points apart."""
    origin = y.mean(axis=0)
    largest = max(((z - origin) ** 2).sum(axis=1).max() for z in (x, y))
    return 64 * np.finfo(np.float64).eps * float(largest)
