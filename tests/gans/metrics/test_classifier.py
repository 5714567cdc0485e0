"""The classifier score between its two ends, and what it cannot see."""

import numpy as np
import pytest

from nnlite.gans.metrics import classifier_score


def probabilities(rng, n, sharpness=3.0):
    e = np.exp(sharpness * rng.normal(size=(n, 5)))
    return e / e.sum(axis=1, keepdims=True)


def test_it_is_the_exponential_of_the_information_about_the_class():
    p = probabilities(np.random.default_rng(0), 50)
    entropy_of_the_mean = -(p.mean(0) * np.log(p.mean(0))).sum()
    mean_entropy = -(p * np.log(p)).sum(1).mean()
    score = classifier_score(p, p)
    assert score.value == pytest.approx(np.exp(entropy_of_the_mean - mean_entropy), rel=1e-12)
    assert score.perfect == pytest.approx(score.value, rel=1e-12)


def test_its_ends_are_one_and_the_number_of_classes():
    p = probabilities(np.random.default_rng(1), 200)
    assert classifier_score(np.eye(5), p).value == pytest.approx(5)
    assert classifier_score(np.full((9, 5), 0.2), p).value == pytest.approx(1)
    assert classifier_score(np.tile(np.eye(5)[2], (9, 1)), p).value == pytest.approx(1)


def test_one_sure_sample_of_each_class_beats_the_data():
    p = probabilities(np.random.default_rng(2), 2000)
    assert classifier_score(np.tile(np.eye(5), (50, 1)), p).z > 8


def test_a_sure_classifier_of_equal_classes_has_the_spread_of_the_counts():
    """Its mean too: the small-sample loss (K - 1) / 2n in the logarithm."""
    rng = np.random.default_rng(3)
    real = np.eye(5)[np.arange(5000) % 5]
    scores = [classifier_score(np.eye(5)[rng.integers(5, size=100)], real) for _ in range(500)]
    logs = np.log([s.value for s in scores])
    expected = np.log(5) - 4 / 200
    assert abs(logs.mean() - expected) < 4 * logs.std() / np.sqrt(500) + 25 / (12 * 100**2)
    assert np.log(scores[0].perfect) == pytest.approx(expected, abs=5e-4)
    assert scores[0].spread / scores[0].perfect == pytest.approx(np.sqrt(2) / 100, rel=0.02)
    assert logs.std() == pytest.approx(np.sqrt(2) / 100, rel=0.15)


def test_a_sure_classifier_has_a_spread_that_is_little_too_large():
    rng = np.random.default_rng(5)
    sure = np.eye(6)
    scores = [
        classifier_score(sure[rng.integers(6, size=100)], sure[rng.integers(6, size=200)])
        for _ in range(600)
    ]
    true = np.std([s.value - s.perfect for s in scores])
    assert 1 < np.sqrt(np.mean([s.spread**2 for s in scores])) / true < 1.3


def test_fewer_classes_and_doubt_are_seen():
    rng = np.random.default_rng(4)
    real, fresh = probabilities(rng, 1000), probabilities(rng, 1000)
    assert abs(classifier_score(fresh, real).z) < 4
    assert classifier_score(probabilities(rng, 1000, 1.0), real).z < -8
    assert classifier_score(fresh[fresh.argmax(1) < 3], real).z < -4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classifier_score(np.ones((5, 3)), np.eye(3)), "apply softmax to logits"),
        (lambda: classifier_score([[1.5, -0.5]] * 3, np.eye(2)), "from -0.5 to 1.5"),
        (lambda: classifier_score(np.eye(3), np.eye(2)), "the same classes, got 3 and 2"),
        (lambda: classifier_score(np.eye(3)[:1], np.eye(3)), "at least 2 samples"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
