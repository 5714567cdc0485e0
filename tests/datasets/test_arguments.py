"""What generators are given: one source of chance, sensible counts and lengths, plain arrays."""

import numpy as np
import pytest

import nnlite
from nnlite import datasets

GENERATORS = {
    "gaussian_cloud": lambda n, **k: datasets.gaussian_cloud(n, **k),
    "ring_of_gaussians": lambda n, **k: datasets.ring_of_gaussians(n, **k),
    "grid_of_gaussians": lambda n, **k: datasets.grid_of_gaussians(n, **k),
    "parabola": lambda n, **k: datasets.parabola(n, **k),
    "circle": lambda n, **k: datasets.circle(n, **k),
    "swiss_roll": lambda n, **k: datasets.swiss_roll(n, **k),
    "two_moons": lambda n, **k: datasets.two_moons(n, **k),
    "sample": lambda n, **k: datasets.three_blobs().sample(n, **k),
    "faces": lambda n, **k: datasets.faces(n, **k).X,
    "random_attributes": lambda n, **k: datasets.random_attributes(n, **k),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_repeats_a_generator_goes_on_and_none_follows_the_library(name):
    make = GENERATORS[name]
    first = make(7, rng=3)
    assert len(first) == 7
    for rng in (3, np.int64(3), np.random.default_rng(3), np.random.SeedSequence(3)):
        np.testing.assert_array_equal(make(7, rng=rng), first)
    rng = np.random.default_rng(3)
    make(7, rng=rng)
    assert (make(7, rng=rng) != first).any()
    nnlite.seed(3)
    np.testing.assert_array_equal(make(7), first)
    assert (make(7) != first).any()
    nnlite.seed(3)
    np.testing.assert_array_equal(make(7, rng=None), first)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("rng", [np.random.RandomState(0), 1.5, "0", True])
def test_another_source_of_chance_is_refused(name, rng):
    with pytest.raises(TypeError, match="rng must be None, an integer seed or a"):
        GENERATORS[name](3, rng=rng)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("n", [True, 2.0, np.nan, "3", np.array([3]), -1])
def test_a_number_of_points_is_an_integer(name, n):
    words = r"n must be an integer( of at least [01])?; got"
    with pytest.raises(ValueError if type(n) is int else TypeError, match=words):
        GENERATORS[name](n, rng=0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: datasets.circle(5, radius="1"), TypeError, "radius must be a number; got '1'"),
        (lambda: datasets.circle(5, radius=None), TypeError, "radius must be a number; got None"),
        (lambda: datasets.circle(5, noise=True), TypeError, "noise must be a number; got True"),
        (
            lambda: datasets.circle(5, noise=-0.1),
            ValueError,
            "noise must be .* at least 0; got -0.1",
        ),
        (lambda: datasets.parabola(5, curvature=np.nan), ValueError, "curvature must be a finite"),
        (lambda: datasets.swiss_roll(5, t_range=(0, np.inf)), ValueError, "t_range must be"),
        (lambda: datasets.swiss_roll(5, t_range=(0, 1, 2)), ValueError, "t_range must be"),
        (lambda: datasets.swiss_roll(5, t_range=3.0), ValueError, "t_range must be"),
        (lambda: datasets.swiss_roll(5, height=np.inf), ValueError, "height must be a finite"),
        (lambda: datasets.three_blobs().denoise([0.0, 0.0], "a"), TypeError, "sigma must be a"),
        (lambda: datasets.three_blobs().with_noise(np.nan), ValueError, "sigma must be a finite"),
        (lambda: datasets.ring_mixture(2.5), TypeError, "n_modes must be an integer"),
        (lambda: datasets.grid_mixture(True), TypeError, "side must be an integer"),
        (lambda: datasets.faces(True, attributes=datasets.face_attributes()), TypeError, "n must"),
        (lambda: datasets.faces(size=32.0), TypeError, "size must be an integer"),
        (lambda: datasets.face_attributes(glasses="yes"), TypeError, "glasses holds text"),
        (lambda: datasets.face_attributes(smile=None), TypeError, "smile is None"),
        (lambda: datasets.gaussian_cloud(covariance=np.zeros((0, 0))), ValueError, r"\(0, 0\)"),
        (lambda: datasets.gaussian_cloud(mean="a"), TypeError, "mean holds text"),
        (lambda: datasets.GaussianMixture([], np.zeros((0, 2)), 1.0), ValueError, r"\(0, 2\)"),
    ],
)
def test_arguments_that_make_no_sense_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


MASKED = np.ma.masked_array(np.eye(2), np.eye(2, dtype=bool))


@pytest.mark.parametrize(
    "call",
    [
        lambda: datasets.gaussian_cloud(covariance=MASKED),
        lambda: datasets.gaussian_cloud(mean=MASKED[0]),
        lambda: datasets.GaussianMixture([1.0], [[0.0, 0.0]], MASKED),
        lambda: datasets.GaussianMixture([0.5, 0.5], MASKED, 1.0),
        lambda: datasets.three_blobs().score(MASKED),
        lambda: datasets.face_attributes(smile=MASKED[0]),
        lambda: datasets.read_attributes(np.ma.masked_less(np.zeros((1, 32, 32)), 1)),
        lambda: datasets.faces(
            attributes=np.ma.masked_array(datasets.face_attributes(smile=[0, 1]), [True, False])
        ),
    ],
)
def test_masked_entries_are_not_computed_with(call):
    with pytest.raises(ValueError, match="masked"):
        call()


def test_labels_can_be_counted():
    labels = [
        datasets.three_blobs().sample(9, rng=0, return_labels=True)[1],
        datasets.ring_of_gaussians(9, rng=0, return_latent=True)[1],
        datasets.grid_of_gaussians(9, rng=0, return_latent=True)[1],
        datasets.two_moons(9, rng=0, return_latent=True)[1],
        datasets.mnist("test").y,
    ]
    for k in labels:
        assert k.dtype == np.intp  # int32 in browsers, where np.bincount takes no int64
        assert np.bincount(k).sum() == len(k)
    assert np.bincount(labels[3]).tolist() == [5, 4]


@pytest.mark.parametrize("scale", [1e-150, 1e-12, 1.0, 1e120])
def test_clouds_and_mixtures_know_no_favourite_unit(scale):
    C = np.array([[1.9, 1.1], [1.1, 1.0]])
    unit = datasets.gaussian_cloud(50, covariance=C, exact=True, rng=0)
    scaled = datasets.gaussian_cloud(50, covariance=C * scale * scale, exact=True, rng=0)
    np.testing.assert_allclose(scaled / scale, unit, rtol=1e-9)
    m = datasets.GaussianMixture([0.4, 0.6], [[0.0, 1.0], [2.0, 0.0]], C)
    n = datasets.GaussianMixture([0.4, 0.6], m.means * scale, C * scale * scale)
    x = m.sample(20, rng=1)
    np.testing.assert_allclose(n.sample(20, rng=1) / scale, x, rtol=1e-9)
    np.testing.assert_allclose(n.score(x * scale) * scale, m.score(x), rtol=1e-7)
    np.testing.assert_allclose(
        n.log_density(x * scale) + 2 * np.log(scale), m.log_density(x), rtol=1e-9, atol=1e-9
    )
    skew = C.copy()
    skew[0, 1] = 0.7
    with pytest.raises(ValueError, match="symmetric"):
        datasets.gaussian_cloud(covariance=skew * scale * scale)
    with pytest.raises(ValueError, match="symmetric"):
        datasets.GaussianMixture([1.0], [[0.0, 0.0]], skew * scale * scale)


def test_covariances_that_cannot_be_inverted_are_refused():
    with pytest.raises(ValueError, match="too small to be inverted"):
        datasets.GaussianMixture([1.0], [[0.0]], 1e-310)


def test_indefinite_covariances_are_refused_where_lapack_raises_nothing(monkeypatch):
    # as in browsers, whose NumPy cannot see the failure and returns NaN
    monkeypatch.setattr(np.linalg, "cholesky", lambda a: np.full_like(a, np.nan))
    with pytest.raises(ValueError, match="positive definite, the smallest eigenvalue is -1"):
        datasets.GaussianMixture([1.0], [[0.0, 0.0]], [[1.0, 2.0], [2.0, 1.0]])
