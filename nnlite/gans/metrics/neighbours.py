r"""Does a sampler copy its training data? The nearest-neighbour test: lectures 10 and 12.

Split data at random into a part for training (n₁) and a part that is held out (n₂). A generated
sample that owes the training part nothing has its nearest neighbour there with probability
:math:`n_1/(n_1+n_2)` exactly, whatever the law and the dimension: which part a point is in was
drawn without looking.

That draw gives the variance too. If pooled point j is nearest to :math:`c_j` generated samples, the
share is :math:`\sum_{j\in train}c_j/m`, the sum of a random choice of :math:`n_1` of the N pooled
points without replacement, with variance

.. math:: \frac{n_1n_2}{N(N-1)}\,\frac{\sum_j(c_j-\bar c)^2}{m^2} .
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from nnlite.gans.metrics._samples import distance_blocks, same_features, sample
from nnlite.gans.metrics.measurement import Measurement


def neighbour_test(generated: ArrayLike, train: ArrayLike, held_out: ArrayLike) -> Measurement:
    """Share of generated samples that are nearer to the training data than to held-out data.

    Parameters
    ----------
    generated : array_like of shape (m, d)
    train : array_like of shape (n1, d)
        What the sampler was fitted to.
    held_out : array_like of shape (n2, d)
        Data of the same law that it has not seen; split at random, and best of the same size.

    Returns
    -------
    Measurement
        ``perfect`` is n1 / (n1 + n2): 6/7, and not 1/2, for 6,000 digits against 1,000. With equal
        parts and a share c of exact copies the value is 1/2 + c/2. Ties count by halves.

    Raises
    ------
    TypeError
        If one holds no numbers.
    ValueError
        If the features differ, or one is empty or not finite.

    Notes
    -----
    This is what a Fréchet distance and a classifier score cannot see: both are content with copies.
    A value *below* ``perfect`` says that the parts are not a random split.
    """
    x = sample(generated, "generated")
    parts = sample(train, "train"), sample(held_out, "held_out")
    same_features(generated=x, train=parts[0], held_out=parts[1])
    pool = np.concatenate(parts)
    N, n1 = len(pool), len(parts[0])
    nearest_to = np.zeros(N)  # how many generated samples have their nearest neighbour here
    for _, d2 in distance_blocks(x, pool):
        nearest = d2 <= d2.min(axis=1, keepdims=True)  # (rows, N)
        nearest_to += (nearest / nearest.sum(axis=1, keepdims=True)).sum(axis=0)
    share = float(nearest_to[:n1].sum()) / len(x)
    scatter = float(((nearest_to - nearest_to.mean()) ** 2).sum()) / len(x) ** 2
    spread = math.sqrt(n1 * (N - n1) / (N * (N - 1)) * scatter)
    return Measurement("nearest neighbour is training data", share, n1 / N, spread, len(x))
