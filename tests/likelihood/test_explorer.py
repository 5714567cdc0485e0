"""The explorer is self-contained, starts where it says, and draws exact level curves."""

import json
import re

import numpy as np
import pytest

from nnlite.likelihood import Gaussian, LikelihoodExplorer

X = np.random.default_rng(1).normal(1.0, 2.0, 30)


def test_page_is_self_contained_and_small():
    html = LikelihoodExplorer(X).html
    assert "http" not in html
    assert "src=" not in html
    assert len(html) < 100_000


def test_the_picture_stands_without_its_script():
    explorer = LikelihoodExplorer(X, start=(0.5, 2.5))
    static = explorer.html.split("<script>")[0]
    value = Gaussian(0.5, 2.5).log_prob(X).sum()
    gap = Gaussian().fit(X).log_prob(X).sum() - value
    assert f"log-likelihood {value:.2f}, {gap:.2f} below the maximum" in static


def test_level_curves_have_the_level():
    explorer = LikelihoodExplorer(X)
    best = Gaussian().fit(X).log_prob(X).sum()
    (x0, x1), (y1, y0) = (485.0, 845.0), (30.0, 270.0)  # the right panel in the picture
    for delta in (0.5, 4.0, 15.0):
        pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", explorer._level(delta))
        points = np.array(pairs, float)
        mu = np.interp(points[:, 0], [x0, x1], explorer.mus)
        sigma = np.interp(points[:, 1], [y1, y0], explorer.sigmas[::-1])
        keep = (points[:, 0] > x0) & (points[:, 0] < x1) & (points[:, 1] > y1) & (points[:, 1] < y0)
        values = np.array(
            [Gaussian(m, s).log_prob(X).sum() for m, s in zip(mu, sigma, strict=True)]
        )
        # coordinates are written with one decimal of 240 units
        np.testing.assert_allclose(best - values[keep], delta, atol=0.02 * (1 + delta))


def test_the_data_travel_with_the_page():
    facts = re.search(r"data-facts='([^']*)'", LikelihoodExplorer(X).html).group(1)
    np.testing.assert_allclose(json.loads(facts)["x"], X, atol=1e-6)


def test_constant_and_too_many_samples_are_refused():
    with pytest.raises(ValueError, match="grows without bound"):
        LikelihoodExplorer([1.0, 1.0])
    with pytest.raises(ValueError, match="at most 200; got 201"):
        LikelihoodExplorer(np.arange(201.0))
