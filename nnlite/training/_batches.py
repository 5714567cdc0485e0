"""Mini-batches: arrays in pieces, in a new order each epoch (lecture 04)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnlite._arguments import as_array, as_flag, as_integer
from nnlite.engine.tensor import Tensor
from nnlite.random import RNGLike, default_rng


def batches(
    *arrays: Any,
    batch_size: int,
    rng: RNGLike | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Iterator[Any]:
    """Go through arrays once, in mini-batches.

    Parameters
    ----------
    *arrays : array_like or Tensor
        With equal lengths; rows that belong together stay together. Numbers, or records of them
        (the attributes of :func:`nnlite.datasets.faces`).
    batch_size : int
    rng : seed or Generator, optional
        Where the order comes from. Pass a Generator: with a seed, every epoch has the same order.
    shuffle : bool
        Whether the order is drawn anew.
    drop_last : bool
        Leave out the last batch if it is smaller. Batch normalisation cannot train on the single
        row that a length of k batch_size + 1 leaves over.

    Yields
    ------
    ndarray, or a tuple of them if several arrays were given

    Raises
    ------
    TypeError
        If an array holds no numbers, or is sparse, rng is neither a seed nor a Generator,
        batch_size no integer, or a switch neither True nor False.
    ValueError
        If there is nothing to go through, lengths differ, entries are masked, or batch_size is less
        than 1.
    """
    data = [_rows(a, f"array {i} of batches") for i, a in enumerate(arrays)]
    lengths = [len(a) if a.ndim else 0 for a in data]
    if not data or len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            f"batches takes arrays with one and the same number of rows, at least one; "
            f"got lengths {lengths}."
        )
    batch_size = as_integer(batch_size, "batch_size", 1)
    shuffle, drop_last = as_flag(shuffle, "shuffle"), as_flag(drop_last, "drop_last")
    return _batches(data, batch_size, default_rng(rng) if shuffle else None, drop_last)


def _rows(a: Any, name: str) -> np.ndarray:
    if isinstance(a, Tensor):
        return a.data
    if type(a) is np.ndarray and a.dtype.names is not None:
        return a
    return as_array(a, name)


def _batches(
    data: list[np.ndarray], size: int, rng: np.random.Generator | None, drop_last: bool
) -> Iterator[Any]:
    n = len(data[0])
    order = None if rng is None else rng.permutation(n)
    for start in range(0, n - size + 1 if drop_last else n, size):
        rows = slice(start, start + size) if order is None else order[start : start + size]
        batch = tuple([a[rows] for a in data])
        yield batch if len(batch) > 1 else batch[0]
