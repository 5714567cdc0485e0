"""Labels: smoothed, noisy and flipped targets have the means that theory asks for."""

import numpy as np
import pytest

from nnlite.gans import Labels


@pytest.mark.parametrize(
    ("labels", "means"),
    [
        (Labels(), (1, 0)),
        (Labels(real=0.9), (0.9, 0)),
        (Labels((0.7, 1.2), (0.0, 0.3)), (0.95, 0.15)),
        (Labels(flip=0.05), (0.95, 0.05)),
        (Labels((0.7, 1.2), (0.0, 0.3), flip=0.1), (0.87, 0.23)),
    ],
)
def test_drawn_targets_have_the_stated_means_and_variances(labels, means):
    assert labels.means == pytest.approx(means, abs=1e-12)
    n, rng = 100_000, np.random.default_rng(0)
    drawn = [draw(np.zeros((n, 1)), rng) for draw in (labels.of_real, labels.of_fake)]
    for t, mean, variance in zip(drawn, labels.means, labels.variances, strict=True):
        assert t.shape == (n, 1)
        assert abs(t.mean() - mean) <= 4 * np.sqrt(variance / n) + 1e-12
        assert t.var() == pytest.approx(variance, rel=0.03, abs=1e-12)


def test_targets_have_the_dtype_of_the_logits():
    for labels in (Labels(), Labels((0.7, 1.0), flip=0.2)):
        for draw in (labels.of_real, labels.of_fake):
            assert draw(np.zeros((3, 1), np.float32), np.random.default_rng(0)).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"real": "1"}, r"Labels: real must be a number"),
        ({"real": (0.7, 0.9, 1)}, r"two ends of an interval, got \(0.7, 0.9, 1\)"),
        ({"real": (1.2, 0.7)}, r"write \(0.7, 1.2\)"),
        ({"real": 1.1}, r"mean of the real targets must be a number from 0 to 1"),
        ({"fake": -0.1}, r"mean of the fake targets must be a number from 0 to 1"),
        ({"flip": 1.5}, r"Labels: flip must be a number from 0 to 1"),
        ({"flip": 0.5}, r"above that of fakes, got 0.5 and 0.5"),
        ({"real": 0.0, "fake": 1.0}, r"reversed ones reward the generator"),
    ],
)
def test_labels_from_which_nothing_can_be_learned_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Labels(**arguments)
