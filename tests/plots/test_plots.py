"""nnlite.plots: what is drawn is what was given, and what cannot be drawn is refused."""

import base64
import re
import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt

from nnlite import plots
from nnlite.datasets import three_blobs

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _close_figures_and_restore_style():
    with mpl.rc_context():
        yield
    plt.close("all")


def picture(ax):
    return np.asarray(ax.get_images()[0].get_array().filled(np.nan))


def test_importing_plots_does_not_import_matplotlib():
    import subprocess

    code = "import sys, nnlite.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_matplotlib_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plots.images(np.zeros((2, 4, 4)))


def test_style_sets_the_colour_blind_safe_cycle():
    plots.style()
    colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert colours[:3] == ["#0072B2", "#D55E00", "#009E73"]


def test_every_tile_of_a_grid_is_its_image_and_gaps_are_empty():
    X = RNG.random((5, 4, 6))
    shown = picture(plots.images(X, columns=3))
    assert shown.shape == (4 + 1 + 4, 3 * 6 + 2)
    np.testing.assert_allclose(shown[:4, 7:13], X[1])
    np.testing.assert_allclose(shown[5:, :6], X[3])
    assert np.isnan(shown[4]).all()  # the gap between the rows
    assert np.isnan(shown[5:, 14:]).all()  # the sixth tile, missing


def test_all_accepted_shapes_show_the_same_digits():
    X = RNG.random((3, 8, 8))
    expected = picture(plots.images(X))
    np.testing.assert_array_equal(picture(plots.images(X.reshape(3, 64))), expected)
    np.testing.assert_array_equal(picture(plots.images(X[:, None])), expected)
    colour = RNG.random((3, 8, 5, 3))
    np.testing.assert_array_equal(
        picture(plots.images(colour)), picture(plots.images(colour.transpose(0, 3, 1, 2)))
    )
    np.testing.assert_array_equal(
        picture(plots.images(colour.reshape(3, -1), shape=(8, 5, 3))),
        picture(plots.images(colour)),
    )


def test_values_outside_the_unit_interval_are_stretched_to_their_extremes():
    X = np.linspace(-3, 5, 32).reshape(2, 4, 4)
    shown = picture(plots.images(X))
    assert np.nanmin(shown) == 0
    assert np.nanmax(shown) == 1
    np.testing.assert_allclose(picture(plots.images(X, vmin=-5, vmax=5))[0, 0], 0.2)


def test_reconstructions_share_the_scale_of_the_input_and_name_the_rows():
    X = RNG.random((4, 5, 5))
    ax = plots.reconstructions(X, X + 10, 0 * X, names=("in", "over", "black"))
    shown = picture(ax)
    np.testing.assert_allclose(shown[:5, :5], X[0])
    assert np.nanmin(shown[6:11]) == 1
    assert np.nanmax(shown[12:]) == 0
    assert [t.get_text() for t in ax.get_yticklabels()] == ["in", "over", "black"]


def test_filters_put_zero_in_the_middle_of_the_colour_map():
    W = np.array([[-2.0, 0, 1, 0], [0, 0, 0, 0]])
    shown = picture(plots.filters(W))
    np.testing.assert_allclose(shown[:, :2], [[0, 0.5], [0.75, 0.5]])
    np.testing.assert_allclose(shown[:, 3:], 0.5)


@pytest.mark.parametrize("draw", [plots.images, plots.filters])
def test_row_names_stand_at_the_middle_of_their_rows(draw):
    ax = draw(RNG.random((5, 4, 4)), columns=3, names=["clean", "damaged"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["clean", "damaged"]
    np.testing.assert_allclose(ax.get_yticks(), [1.5, 6.5])
    with pytest.raises(ValueError, match="1 names for 2 rows"):
        draw(RNG.random((5, 4, 4)), columns=3, names=["clean"])


def test_row_names_stand_beside_the_image_where_labels_stand_above_it():
    ax = plots.images(RNG.random((2, 20, 20)), columns=1, names=["a", "b"], labels=[0, 1])
    middle = [6 + 9.5, 6 + 9.5 + 27]  # 6 pixels of label, 20 of image, 1 of gap
    np.testing.assert_allclose(ax.get_yticks(), middle)


def test_image_grids_have_a_hair_line_around_each_tile_and_no_spines():
    ax = plots.images(np.ones((5, 4, 6)), columns=3)
    corners = [tuple(path.vertices.min(0)) for path in ax.collections[0].get_paths()]
    assert corners == [(x, y) for y in (-0.5, 4.5) for x in (-0.5, 6.5, 13.5)][:5]
    assert not any(spine.get_visible() for spine in ax.spines.values())


def test_a_colour_key_names_the_values_at_its_ends():
    def key(ax):
        bar = next(a for a in ax.figure.axes if a is not ax)
        return bar.get_ylabel(), [t.get_text() for t in bar.get_yticklabels()]

    grey = plots.images(np.linspace(-1, 3, 16).reshape(1, 4, 4), key="brightness")
    assert key(grey) == ("brightness", ["-1", "1", "3"])
    W = np.array([[-2.0, 0, 1, 0], [0, 0, 0, 4]])
    assert key(plots.filters(W, key="weight"))[1] == ["\u2212largest", "0", "+largest"]
    assert key(plots.filters(W, key="weight", shared=True))[1] == ["\u22124", "0", "+4"]
    assert key(plots.filters(W[:1], key="weight"))[1] == ["\u22122", "0", "+2"]
    with pytest.raises(ValueError, match="one channel"):
        plots.images(RNG.random((2, 4, 4, 3)), key="brightness")


def test_filters_on_one_scale_keep_their_sizes():
    W = np.array([[-2.0, 0, 1, 0], [0, 0, 0, 4]])
    shown = picture(plots.filters(W, shared=True))
    np.testing.assert_allclose(shown[:, :2], [[0.25, 0.5], [0.625, 0.5]])
    np.testing.assert_allclose(shown[:, 3:], [[0.5, 0.5], [0.5, 1]])


def test_no_grid_is_wider_than_the_text():
    assert plots.images(np.zeros((20, 4, 4)), columns=20).figure.get_figwidth() == 8


def test_latent_grid_puts_each_image_at_its_code():
    ax = plots.latent_grid(
        lambda z: np.repeat(z[:, :1] + 10 * z[:, 1:], 4, axis=1), extent=(0, 1, 0, 1), n=2
    )
    shown = picture(ax)  # top row: z2 = 1; right column: z1 = 1
    np.testing.assert_allclose(shown[::2, ::2] * 11, [[10, 11], [0, 1]], atol=1e-12)
    assert ax.get_xlabel() == "code unit 1"


def test_scree_shows_eigenvalues_and_their_share():
    lam = np.array([3.0, 2.0, 1.0])
    ax = plots.scree(lam, kept=2)
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), lam)
    right = next(a for a in ax.figure.axes if a is not ax)
    np.testing.assert_allclose(right.get_lines()[0].get_ydata(), [1 / 2, 5 / 6, 1])
    assert any("83%" in t.get_text() for t in right.texts)


def test_curves_draw_values_references_and_axes():
    ax = plots.curves(
        {"a": [3.0, 2.0, 1.0], "b": [1.0, 1.0]}, x={"b": [5, 6]}, reference={"law": 1.0}, logy=True
    )
    a, b, law = ax.get_lines()
    np.testing.assert_array_equal(a.get_xdata(), [0, 1, 2])
    np.testing.assert_array_equal(b.get_xdata(), [5, 6])
    assert set(law.get_ydata()) == {1.0}
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss")


def test_latent_scatter_colours_classes_and_writes_their_names():
    Z, y = RNG.standard_normal((30, 2)), np.arange(30) % 3
    ax = plots.latent_scatter(Z, y, names=["a", "b", "c"])
    assert [t.get_text() for t in ax.texts] == ["a", "b", "c"]
    np.testing.assert_array_equal(ax.collections[1].get_offsets(), Z[1::3])
    continuous = plots.latent_scatter(Z, Z[:, 0], label="height")
    assert len(continuous.figure.axes) == 2  # with a colour bar


def test_glyphs_draw_each_point_as_its_class_with_a_key_beside_the_map():
    Z, y = RNG.standard_normal((30, 2)), np.arange(30) % 3
    ax = plots.latent_scatter(Z, y, names=["a", "b", "c"], glyphs=True)
    assert not ax.texts
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b", "c"]
    shapes = [c.get_paths()[0].vertices for c in ax.collections]
    assert not any(np.array_equal(shapes[0], other) for other in shapes[1:])
    np.testing.assert_array_equal(ax.collections[2].get_offsets(), Z[2::3])


def test_field_evaluates_the_function_on_the_grid():
    seen = []

    def f(x):
        seen.append(x)
        return three_blobs().density(x)

    ax = plots.field(f, extent=(-2, 2, -1, 1), n=11)
    assert seen[0].shape == (121, 2)
    np.testing.assert_array_equal(seen[0].min(0), [-2, -1])
    assert ax.get_xlim() == (-2, 2)


def test_vector_field_draws_the_vectors_at_their_points():
    ax = plots.vector_field(lambda x: x * [2, 3], n=3, paths=np.zeros((4, 2)))
    quiver = ax.collections[0]
    np.testing.assert_allclose(quiver.U, 2 * np.tile([-3, 0, 3], 3))
    np.testing.assert_allclose(quiver.V, 3 * np.repeat([-3, 0, 3], 3))
    unit = plots.vector_field(lambda x: x, n=3, unit=True).collections[0]
    np.testing.assert_allclose(np.hypot(unit.U, unit.V), [1, 1, 1, 1, 0, 1, 1, 1, 1])


def test_decoder_curve_follows_the_decoder():
    z = np.linspace(-1, 1, 20)
    X = RNG.random((5, 2))
    ax = plots.decoder_curve(lambda z: np.hstack([z, z**2]), z, X, X_hat=X + 1)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), np.column_stack([z, z**2]))


def test_figures_are_drawn_on_the_axes_given():
    _, ax = plt.subplots()
    assert plots.images(np.zeros((2, 4, 4)), ax=ax) is ax
    assert plots.curves([1, 2], ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_tensors_are_detached():
    class Tensor:  # what the plots rely on, without the engine
        def __array__(self, dtype=None, copy=None):
            raise TypeError("requires grad")

        def detach(self):
            return np.ones((2, 4, 4))

    np.testing.assert_array_equal(picture(plots.images(Tensor()))[:, :4], 1)


def test_slider_holds_every_frame_and_moves_without_a_kernel():
    def draw(v):
        _, ax = plt.subplots(figsize=(1, 1))
        ax.plot([0, v])
        return ax

    s = plots.slider(draw, [1, 2, 3], caption="v = {}", start=1)
    assert plt.get_fignums() == []
    frames = re.findall(r"base64,([^\"]+)\"", s.html)
    assert len(set(frames)) == 3
    assert all(base64.b64decode(f).startswith(b"\x89PNG") for f in frames)
    assert s.html.count("display:block") == 1
    assert "v = 2" in s.html
    assert 'max="2"' in s.html
    assert "oninput" in s.html


def test_slider_is_sharp_named_and_as_large_as_the_other_figures():
    s = plots.slider(lambda v: plt.subplots(figsize=(3, 1))[1], [1], label="step size")
    frame = base64.b64decode(re.search(r"base64,([^\"]+)\"", s.html)[1])
    assert int.from_bytes(frame[16:20], "big") == 432  # pixels of the file: 144 an inch
    assert "width:300px;max-width:100%" in s.html  # of the page: 100 an inch
    assert "<label>step size <input" in s.html


def test_slider_refuses_what_would_bloat_the_notebook(monkeypatch):
    monkeypatch.setattr(sys.modules["nnlite.plots._slider"], "_MAX_BYTES", 10)
    with pytest.raises(ValueError, match="fewer values"):
        plots.slider(lambda v: plt.subplots()[1], [1])
    with pytest.raises(ValueError, match="start=5"):
        plots.slider(lambda v: plt.subplots()[1], [1], start=5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.images(np.zeros((3, 10))), "10 pixels are not square"),
        (lambda: plots.images(np.zeros((3, 10)), shape=(3, 3)), "do not fill"),
        (lambda: plots.images(np.zeros(5)), r"\(5,\)"),
        (lambda: plots.images(np.full((1, 2, 2), np.nan)), "4 entries that are NaN"),
        (lambda: plots.images(np.zeros((3, 4, 4)), labels=[1]), "1 labels for 3 images"),
        (
            lambda: plots.reconstructions(np.zeros((3, 4, 4)), np.zeros((2, 4, 4))),
            "same number and size",
        ),
        (lambda: plots.latent_scatter(np.zeros((4, 3))), r"\(n, 2\), got \(4, 3\)"),
        (lambda: plots.latent_scatter(np.zeros((4, 2)), np.zeros(3, int)), r"\(4,\).*\(3,\)"),
        (lambda: plots.curves({"a": [[1.0]]}), "one axis"),
        (lambda: plots.curves([1.0, 2.0], x=[1]), "2 values at 1 positions"),
        (lambda: plots.field(lambda x: x), r"shape \(14641,\)"),
        (lambda: plots.vector_field(lambda x: x, extent=(1, 0, 0, 1)), "left, right"),
        (lambda: plots.scree([0.0, 0.0]), "positive sum"),
        (lambda: plots.scree([1.0], kept=3), "between 1 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
