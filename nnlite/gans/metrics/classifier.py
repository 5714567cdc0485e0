r"""What a classifier thinks of a sampler, the "inception score": lectures 10 and 12.

.. math:: \exp E\,KL(p(y|x)\,\|\,\bar p(y))

is the exponential of the information that a sample gives about its class: between 1 and the number
of classes K (Salimans et al. 2016). One sure image per class reaches K, which no real data do: the
score of real data, and not K, is what to compare with.

With :math:`M=D^{-1/2}CD^{-1/2}`, C the covariance of the class probabilities and D their means on
the diagonal, the logarithm of the score of n samples is too small by :math:`\mathrm{tr}M/2n` on
average; its variance is that of :math:`KL(p(y|x)\|\bar p)` over n, plus
:math:`\mathrm{tr}M^2/2n^2` from the next order, which is all that is left where the classifier is
sure of equally frequent classes. (Expansion of the entropy of :math:`\bar p` around its
expectation.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nnlite.gans.metrics._samples import Array, sample
from nnlite.gans.metrics.measurement import Measurement

_WHY = "a score needs samples whose classes differ"


class _Score(NamedTuple):
    log: float  # of the score as it is measured
    bias: float  # n times what that is too small on average
    first: float  # n times the variance
    second: float  # n² times what the next order adds


def classifier_score(generated: ArrayLike, real: ArrayLike) -> Measurement:
    """Score of generated samples by a classifier's probabilities, with that of real samples.

    Parameters
    ----------
    generated, real : array_like of shapes (m, K) and (n, K)
        Class probabilities of the samples (``softmax(classifier(x))``); rows sum to 1.

    Returns
    -------
    Measurement
        ``perfect`` is the score of the real samples, corrected for the different sizes;
        ``spread`` counts the chance in both; where the classifier is sure of everything it is too
        large, by some 15 % with ten classes and 40 % with two.

    Raises
    ------
    TypeError
        If one holds no numbers.
    ValueError
        If the numbers of classes differ, rows are no probabilities, or there are fewer than two
        samples.

    Notes
    -----
    A high score is no proof: ten memorised digits, one of each kind, score higher than all the
    others together.
    """
    p, q = _probabilities(generated, "generated"), _probabilities(real, "real")
    if p.shape[1] != q.shape[1]:
        raise ValueError(
            f"generated and real must have the same classes, got {p.shape[1]} and {q.shape[1]}; "
            "use one classifier for both."
        )
    m, n = len(p), len(q)
    truth = _score(q)
    perfect = math.exp(truth.log + truth.bias / n - truth.bias / m)
    variance = truth.first * (1 / m + 1 / n) + truth.second * (1 / m**2 + 1 / n**2)
    value = math.exp(_score(p).log)
    return Measurement("classifier score", value, perfect, perfect * math.sqrt(variance), m)


def _score(p: Array) -> _Score:
    mean = p.mean(axis=0)
    seen = mean > 0
    p, mean = p[:, seen], mean[seen]
    ratio = p / mean
    kl = (p * np.log(np.where(ratio > 0, ratio, 1.0))).sum(axis=1)  # (n,)
    centred = (p - mean) / np.sqrt(mean)
    M = centred.T @ centred / (len(p) - 1)
    square = float((M**2).sum())
    # The means, estimated from the same samples, make the terms of kl vary by this much as well.
    first = max(float(kl.var(ddof=1)) - square / len(p), 0.0)
    return _Score(float(kl.mean()), float(np.trace(M)) / 2, first, square / 2)


def _probabilities(p: ArrayLike, name: str) -> Array:
    array = sample(p, name, 2, _WHY)
    sums = array.sum(axis=1)
    if (array < 0).any() or not np.allclose(sums, 1, rtol=0, atol=1e-4):
        raise ValueError(
            f"{name} must be probabilities, rows of numbers from 0 to 1 that sum to 1, got entries "
            f"from {array.min():.3g} to {array.max():.3g} and sums from {sums.min():.3g} to "
            f"{sums.max():.3g}; apply softmax to logits."
        )
    return array / sums[:, None]
