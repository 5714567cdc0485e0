"""Decoded surfaces and colourings: what is drawn, and what is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from nnlite.plots import decoder_surface, dichotomies

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_the_surface_is_the_decoder_on_a_grid_of_codes():
    def decode(z):
        return np.column_stack([z, z[:, 0] * z[:, 1]])

    ax = decoder_surface(decode, (-1, 1, 0, 2), [[0, 0, 0], [1, 1, 1]], n=5)
    wires, data = ax.collections
    drawn = np.concatenate([np.asarray(line) for line in wires._segments3d])
    np.testing.assert_allclose(drawn[:, 0] * drawn[:, 1], drawn[:, 2], atol=1e-12)
    assert len(data._offsets3d[0]) == 2


def test_the_surface_is_seen_from_where_one_asks_and_its_data_take_their_colours():
    def decode(z):
        return np.column_stack([z, z[:, 0]])

    ax = decoder_surface(decode, (0, 1, 0, 1), np.eye(3), color=[1.0, 2, 3], view=(20, -70))
    assert (ax.elev, ax.azim) == (20, -70)
    np.testing.assert_array_equal(ax.collections[1].get_array(), [1, 2, 3])


def test_the_colouring_that_is_not_linear_is_framed_and_named():
    figure = dichotomies(SQUARE, [[1, 1, -1, -1], [1, -1, -1, 1]], [True, False], columns=2)
    titles = [ax.get_title(loc="center") for ax in figure.axes]
    assert titles == ["linear", "NOT linear"]
    one, other = figure.axes[1].lines
    np.testing.assert_array_equal(one.get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(other.get_xydata(), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decoder_surface(lambda z: z, (0, 1, 0, 1)), r"\(m, 3\), got \(900, 2\)"),
        (lambda: decoder_surface(lambda z: np.zeros((5, 3)), (0, 1, 0, 1)), "5 points for 900"),
        (lambda: decoder_surface(lambda z: z, (0, 1, 0)), r"left, right, bottom, top"),
        (
            lambda: decoder_surface(
                lambda z: np.c_[z, z[:, 0]], (0, 1, 0, 1), ax=plt.subplots()[1]
            ),
            "axes in space",
        ),
        (lambda: dichotomies(SQUARE, np.zeros((0, 4))), "a colouring and a column"),
        (lambda: dichotomies(SQUARE, [[1, 1]]), r"\(k, 4\).*got \(1, 2\)"),
        (lambda: dichotomies(SQUARE, [[1, 1, 1, 1]], [True, False]), "2 verdicts for 1"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
