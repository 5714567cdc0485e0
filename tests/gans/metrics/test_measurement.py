"""A number never stands alone."""

import math

import pytest

from nnlite.gans.metrics import Measurement


def test_the_distance_from_perfect_is_in_standard_deviations():
    assert Measurement("share", 0.95, 0.98, 0.01, 100).z == pytest.approx(-3)


@pytest.mark.parametrize(("value", "z"), [(1.0, 0.0), (0.9, -math.inf), (1.1, math.inf)])
def test_where_perfect_is_certain_it_is_all_or_nothing(value, z):
    assert Measurement("share", value, 1.0, 0.0, 100).z == z


def test_it_prints_with_its_reference():
    text = str(Measurement("share", 0.95, 0.98, 0.01, 2500))
    assert text == "share: 0.95 (a perfect sampler: 0.98 ± 0.01 with n = 2,500)"


def test_it_is_no_number_that_could_be_plotted_without_its_reference():
    with pytest.raises(TypeError):
        float(Measurement("share", 0.95, 0.98, 0.01, 2500))
