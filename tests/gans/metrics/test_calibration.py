"""What a perfect sampler scores, mean and variance, against samplers that are perfect.

Each case draws generated and real samples from one law again and again. Beside the claim stands a
plausible wrong one, which the same draws must refute.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from nnlite.datasets import grid_mixture
from nnlite.gans.metrics import (
    Measurement,
    birthday_test,
    classifier_score,
    frechet_distance,
    mmd,
    mode_coverage,
    neighbour_test,
)

GRID = grid_mixture()
SCALES = np.array([1.0, 1.2, 0.9, 0.8, 1.0, 1.1])  # of a Gaussian with independent features
ELL = 0.8


@dataclass
class Case:
    draw: Callable[[np.random.Generator], Measurement]
    wrong_mean: Callable[[Measurement], float]
    wrong_spread: Callable[[Measurement], float]
    repeats: int = 800
    slack: float = 0.0  # of the variance, relative, where it is a limit for large samples


def coverage(part, n, within=3.0):
    def draw(rng):
        x = GRID.sample(n, rng=rng)
        return getattr(mode_coverage(x, GRID.means, 0.05, within=within), part)

    return draw


def softmax(logits):
    e = np.exp(logits)
    return e / e.sum(axis=1, keepdims=True)


def soft_classes(rng, n):
    return softmax(rng.normal(size=(n, 4)))


def independent_cells(m):
    missed = (1 - (1 - np.exp(-0.5)) / 25) ** m.n
    return np.sqrt(25 * missed * (1 - missed))


def kappa():
    """Squared kernel, doubly centred, for N(0, I) in the plane."""
    e2, a, b = ELL**2, 1.0, 1.0
    square, chain, mean = e2 / (e2 + 4), e2**2 / ((e2 + a) * (e2 + 3 * b)), e2 / (e2 + 2)
    return square - 2 * chain + mean**2


CASES = {
    "modes": Case(
        coverage("modes", 125, within=1.0), lambda m: 25.0, independent_cells, repeats=6000
    ),
    "quality": Case(
        coverage("quality", 400),
        lambda m: 0.9973,  # within three standard deviations in one dimension
        lambda m: np.sqrt(0.25 / m.n),
    ),
    "reverse KL": Case(
        coverage("reverse_kl", 250),
        lambda m: 24 / m.n,  # without the half
        lambda m: np.sqrt(2 * 24) / m.n,
        slack=0.05,
    ),
    "forward KL": Case(
        coverage("forward_kl", 1250),
        lambda m: 0.0,
        lambda m: np.sqrt(2 * 24) / m.n,
        slack=0.05,
    ),
    "Fréchet": Case(
        lambda rng: frechet_distance(
            rng.normal(size=(200, 6)) * SCALES, rng.normal(size=(300, 6)) * SCALES
        ),
        lambda m: (SCALES**2).sum() * (1 / 200 + 1 / 300),  # of the means alone
        lambda m: np.sqrt(2 * (SCALES**4).sum()) * (1 / 200 + 1 / 300),
        slack=0.04,
    ),
    "MMD": Case(
        lambda rng: mmd(rng.normal(size=(40, 2)), rng.normal(size=(60, 2)), ELL),
        lambda m: (1 - ELL**2 / (ELL**2 + 2)) * (1 / 40 + 1 / 60),  # with the diagonal kept
        lambda m: np.sqrt(kappa() * (2 / (40 * 39) + 2 / (60 * 59))),  # cross term forgotten
    ),
    "neighbours": Case(
        lambda rng: neighbour_test(*(rng.normal(size=(n, 2)) for n in (80, 30, 20))),
        lambda m: 0.5,
        lambda m: np.sqrt(0.6 * 0.4 / 80),  # as if each sample asked another data set
    ),
    "birthday, equal things": Case(
        lambda rng: (
            birthday_test(rng.integers(50, size=(40, 1)), rng.integers(50, size=(60, 1)), 0).rate
        ),
        lambda m: m.perfect + 1 / 60 - 1 / 50,
        lambda m: np.sqrt(0.02 * 0.98 / (20 * 39)),  # as if the real rate were known
    ),
    "birthday, near things": Case(
        lambda rng: birthday_test(rng.normal(size=(60, 2)), rng.normal(size=(90, 2)), 0.4).rate,
        lambda m: m.perfect + 1 / 60,  # each sample as its own twin
        lambda m: np.sqrt(0.0392 * 0.9608 * (1 / 1770 + 1 / 4005)),  # independent pairs
        repeats=2000,
    ),
    "classifier": Case(
        lambda rng: classifier_score(soft_classes(rng, 30), soft_classes(rng, 150)),
        lambda m: m.perfect * np.exp(0.3 * (1 / 30 - 1 / 150)),  # different sizes forgotten
        lambda m: m.spread * np.sqrt(150 / 180),  # as if the real score were known
        repeats=3000,
    ),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def drawn(request):
    case = CASES[request.param]
    rng = np.random.default_rng(0)
    return case, [case.draw(rng) for _ in range(case.repeats)]


def misses(deviations):
    """A mean deviation in units of its standard error."""
    return abs(deviations.mean()) / (deviations.std(ddof=1) / np.sqrt(len(deviations)))


def test_the_mean_is_that_of_perfect_samplers(drawn):
    case, measured = drawn
    value = np.array([m.value for m in measured])
    assert misses(value - [m.perfect for m in measured]) < 4
    assert misses(value - [case.wrong_mean(m) for m in measured]) > 5


def test_the_spread_is_that_of_perfect_samplers(drawn):
    case, measured = drawn
    deviation = np.array([m.value - m.perfect for m in measured])
    square = (deviation - deviation.mean()) ** 2
    slack = case.slack * square.mean()
    claimed = np.mean([m.spread**2 for m in measured])
    wrong = np.mean([case.wrong_spread(m) ** 2 for m in measured])
    error = 4 * square.std() / np.sqrt(len(square))
    assert abs(square.mean() - claimed) < error + slack
    assert abs(square.mean() - wrong) > error + slack


def test_the_exact_mean_of_the_reverse_divergence_is_met():
    """Summed over the binomial law of one count, a route without expansions."""
    stats = pytest.importorskip("scipy.stats")
    for n, tolerance in ((250, 3e-3), (2500, 3e-5)):
        c = np.arange(1, n + 1)
        exact = np.log(25) + 25 * stats.binom.pmf(c, n, 1 / 25) @ (c / n * np.log(c / n))
        report = mode_coverage(GRID.sample(n, rng=0), GRID.means, 0.05)
        assert report.reverse_kl.perfect == pytest.approx(exact, rel=tolerance)
        assert abs(12 / n / exact - 1) > tolerance  # the first order alone is not that good


def test_the_mean_of_the_forward_divergence_is_met_to_second_order():
    """Over the binomial law of one count, given that no mode is empty."""
    stats = pytest.importorskip("scipy.stats")
    n = 1000
    c = np.arange(1, n + 1)
    p = stats.binom.pmf(c, n, 1 / 25)
    exact = -(p @ np.log(25 * c / n)) / p.sum()
    report = mode_coverage(GRID.sample(n, rng=0), GRID.means, 0.05)
    assert report.forward_kl.perfect == pytest.approx(exact, rel=3e-3)
    assert abs(12 / n / exact - 1) > 3e-3
