"""Every public method of a model that is fitted, called once by somebody who knows the answer."""

import inspect
import math
from importlib.util import find_spec

import numpy as np
import pytest

import nnlite
from nnlite import autoencoders, likelihood, nn
from nnlite._estimator import Estimator
from nnlite.autoencoders import Autoencoder
from nnlite.autoencoders.recipe import Recipe
from nnlite.likelihood import GaussianMixture, ProbabilisticPCA

#: a cross: variances 2 and 0.5 with divisor n, 8/3 and 2/3 with divisor n - 1
X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
ALONG = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 0.0], [0.0, 0.0]])  # projected on the first axis
Z = ALONG[:, :1]


def log_normal(x, variances):
    """Log-density of independent normals around 0, for each row."""
    return -0.5 * np.sum(x**2 / variances + np.log(2 * np.pi * np.asarray(variances)), axis=1)


def asked_for(kind, model):
    """What ``transform`` returns in the container ``kind``, as an array."""
    assert model.set_output(transform=kind) is model
    found = model.transform(X)
    if kind == "pandas":
        assert list(found.columns) == list(model.get_feature_names_out())
        return found.to_numpy()
    assert type(found) is np.ndarray
    return found


def containers(model):
    """The results of ``transform`` in each container that is installed."""
    kinds = ["default", "pandas"] if find_spec("pandas") else ["default"]
    found = [asked_for(kind, model) for kind in kinds]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    return found[0]


def changed(model):
    before = model.get_params()["n_components"]
    assert model.set_params(n_components=2) is model
    return before, model.n_components


def covariance_of_samples(model):
    return np.round(np.cov(model.sample(100_000, rng=0).T, bias=True), 1)


def pca():
    return nnlite.PCA(1).fit(X)


V = np.array([8 / 3, 2 / 3])
PCA = {
    "fit": (lambda: [pca().components_, pca().explained_variance_], [[[1.0, 0.0]], [8 / 3]]),
    "transform": (lambda: pca().transform(X), Z),
    "fit_transform": (lambda: nnlite.PCA(1).fit_transform(X), Z),
    "inverse_transform": (lambda: pca().inverse_transform(Z), ALONG),
    "get_covariance": (lambda: pca().get_covariance(), np.diag(V)),
    "get_precision": (lambda: pca().get_precision(), np.diag(1 / V)),
    "score_samples": (lambda: pca().score_samples(X), log_normal(X, V)),
    "score": (lambda: pca().score(X), log_normal(X, V).mean()),
    "get_feature_names_out": (lambda: pca().get_feature_names_out().tolist(), ["pca0"]),
    "get_params": (
        lambda: nnlite.PCA(1, tol=0.5).get_params(),
        {"n_components": 1, "whiten": False, "svd_solver": "auto", "tol": 0.5,
         "max_iter": 10_000, "rng": None},
    ),
    "set_params": (lambda: changed(pca()), (1, 2)),
    "set_output": (lambda: containers(pca()), Z),
}  # fmt: skip


def ppca():
    return ProbabilisticPCA(1).fit(X)


V_N = np.array([2.0, 0.5])
PPCA = {
    "fit": (lambda: [ppca().W_, ppca().noise_variance_], [[[math.sqrt(1.5)], [0.0]], 0.5]),
    "transform": (lambda: ppca().transform(X), Z * math.sqrt(1.5) / 2),
    "fit_transform": (lambda: ProbabilisticPCA(1).fit_transform(X), Z * math.sqrt(1.5) / 2),
    "inverse_transform": (lambda: ppca().inverse_transform(Z * math.sqrt(1.5) / 2), ALONG),
    "get_covariance": (lambda: ppca().get_covariance(), np.diag(V_N)),
    "get_precision": (lambda: ppca().get_precision(), np.diag(1 / V_N)),
    "log_prob": (lambda: ppca().log_prob(X), log_normal(X, V_N)),
    "score_samples": (lambda: ppca().score_samples(X), log_normal(X, V_N)),
    "score": (lambda: ppca().score(X), log_normal(X, V_N).mean()),
    "sample": (lambda: covariance_of_samples(ppca()), np.diag(V_N)),
    "get_feature_names_out": (
        lambda: ppca().get_feature_names_out().tolist(),
        ["probabilisticpca0"],
    ),
    "get_params": (lambda: ppca().get_params(), {"n_components": 1}),
    "set_params": (lambda: changed(ppca()), (1, 2)),
    "set_output": (lambda: containers(ppca()), Z * math.sqrt(1.5) / 2),
}


def normal():
    """A mixture of one component: the normal distribution with the moments of the data."""
    return GaussianMixture(1, rng=0).fit(X)


FAR = np.vstack([X - 50, X + 50])
SIDES = np.repeat([0, 1], 4)


def from_the_left(labels):
    """Numbers of two components, that of the first row made 0."""
    return np.abs(labels - labels[0])


def sides():
    found = GaussianMixture(2, rng=0).fit(FAR).predict_proba(FAR)
    return found if found[0, 0] > 0.5 else found[:, ::-1]


MIXTURE = {
    "fit": (lambda: [normal().means_, normal().covariances_], [[[0.0, 0.0]], [np.diag(V_N)]]),
    "log_prob": (lambda: normal().log_prob(X), log_normal(X, V_N)),
    "score_samples": (lambda: normal().score_samples(X), log_normal(X, V_N)),
    "score": (lambda: normal().score(X), log_normal(X, V_N).mean()),
    "predict_proba": (sides, np.eye(2)[SIDES]),
    "predict": (
        lambda: from_the_left(GaussianMixture(2, rng=0).fit(FAR).predict(FAR)),
        SIDES,
    ),
    "fit_predict": (lambda: from_the_left(GaussianMixture(2, rng=0).fit_predict(FAR)), SIDES),
    "aic": (lambda: normal().aic(X), 2 * 5 - 2 * log_normal(X, V_N).sum()),
    "bic": (lambda: normal().bic(X), 5 * math.log(4) - 2 * log_normal(X, V_N).sum()),
    "sample": (lambda: covariance_of_samples(normal()), np.diag(V_N)),
    "get_params": (
        lambda: GaussianMixture(3, n_init=2).get_params(),
        {"n_components": 3, "n_init": 2, "max_iter": 1000, "tol": 1e-8,
         "covariance_floor": 1e-6, "rng": None},
    ),
    "set_params": (lambda: changed(normal()), (1, 2)),
}  # fmt: skip


def projection(rng=None):
    """An encoder and a decoder that together project on the first axis."""
    with nnlite.default_dtype("float64"):
        encoder, decoder = nn.Linear(2, 1, rng=0), nn.Linear(1, 2, rng=0)
    for layer in (encoder, decoder):
        layer.weight.data[...] = np.eye(*layer.weight.shape)
        layer.bias.data[...] = 0
    return encoder, decoder


def autoencoder(**options):
    return Autoencoder(*projection(), **options).fit(X, epochs=0)


def one_epoch():
    """How far each weight moves: Adam's first step is the rate, in the gradient's direction."""
    with nnlite.default_dtype("float64"):
        model = Autoencoder(nn.Linear(2, 1, rng=0), nn.Linear(1, 2, rng=1), lr=0.125)
    before = model.state_dict()
    after = model.fit(X + 1, epochs=1).state_dict()
    return np.concatenate([np.abs(after[name] - before[name]).ravel() for name in before])


def loaded():
    model = Autoencoder(*projection())
    assert model.load_state_dict(model.state_dict()) == ([], [])
    return model.reconstruct(X)


def from_recipe():
    recipe = Recipe(lambda rng, size: projection(), lambda size: None, {"size": 2})
    model = Autoencoder.from_recipe(recipe, lr=0.5)
    return model.get_params()["size"], model.lr, model.fit(X, epochs=0).reconstruct(X)


def settings():
    model = autoencoder()
    found = model.get_params()
    assert found.pop("encoder") is model.encoder
    assert found.pop("decoder") is model.decoder
    return found


ERRORS = np.sum((X - ALONG) ** 2, axis=1)
AUTOENCODER = {
    "fit": (one_epoch, [0.125] * 7),
    "from_recipe": (from_recipe, (2, 0.5, ALONG)),
    "forward": (lambda: autoencoder().forward(nnlite.Tensor(X)).data, ALONG),
    "error": (lambda: autoencoder().error(nnlite.Tensor(ALONG), X).item(), 0.5),
    "transform": (lambda: autoencoder().transform(X), Z),
    "fit_transform": (
        lambda: Autoencoder(*projection(), epochs=0).fit_transform(X),
        Z,
    ),
    "inverse_transform": (lambda: autoencoder().inverse_transform(Z), ALONG),
    "reconstruct": (lambda: autoencoder().reconstruct(X), ALONG),
    "reconstruction_error": (lambda: autoencoder().reconstruction_error(X), ERRORS),
    "score": (lambda: autoencoder().score(X), -ERRORS.mean()),
    "load_state_dict": (loaded, ALONG),
    "n_features_in_": (lambda: autoencoder().n_features_in_, 2),
    "get_feature_names_out": (
        lambda: [(m := autoencoder()).transform(X), m.get_feature_names_out().tolist()],
        [Z, ["autoencoder0"]],
    ),
    "get_params": (
        settings,
        {"loss": "squared_error", "corruption": None, "epochs": 20, "batch_size": 128,
         "lr": 0.002, "rng": None, "verbose": False, "warm_start": True},
    ),
    "set_params": (
        lambda: [(m := autoencoder()).set_params(lr=0.5) is m, m.lr, m.reconstruct(X)],
        [True, 0.5, ALONG],
    ),
    "set_output": (lambda: containers(autoencoder()), Z),
}  # fmt: skip

TABLES = {
    nnlite.PCA: PCA,
    ProbabilisticPCA: PPCA,
    GaussianMixture: MIXTURE,
    Autoencoder: AUTOENCODER,
}


def test_no_model_is_left_out():
    public = [*vars(nnlite).values(), *vars(likelihood).values(), *vars(autoencoders).values()]
    models = {kind for kind in public if inspect.isclass(kind) and issubclass(kind, Estimator)}
    assert set(TABLES) == models


@pytest.mark.parametrize("model", TABLES)
def test_no_method_is_left_out(model):
    """Those that a network has from Module are tested there."""
    inherited = dir(nn.Module) if issubclass(model, nn.Module) else ()
    network = {name: getattr(nn.Module, name) for name in inherited}
    own = {name for name in dir(model) if getattr(model, name) is not network.get(name)}
    assert set(TABLES[model]) == {name for name in own if not name.startswith("_")}


@pytest.mark.parametrize(
    ("model", "name"), [(model, name) for model, table in TABLES.items() for name in table]
)
def test_a_method_gives_the_right_value(model, name):
    call, expected = TABLES[model][name]
    assert_same(call(), expected)


# ---- distributions -----------------------------------------------------------------------------

SPREAD = [1.0, 2.0, 6.0, 7.0]
#: distribution -> (one of its kind, a point, its log-density there, mean and variance,
#:   samples, the parameters that make them likeliest)
DISTRIBUTIONS = {
    "Gaussian": (
        likelihood.Gaussian(1.0, 2.0), 3.0, -0.5 - math.log(2 * math.sqrt(2 * math.pi)), (1.0, 4.0),
        SPREAD, {"mu": 4.0, "sigma": math.sqrt(6.5)},
    ),
    "Laplace": (
        likelihood.Laplace(1.0, 0.5), 2.0, -2.0, (1.0, 0.5),
        SPREAD, {"mu": 4.0, "b": 2.5},
    ),
    "Bernoulli": (
        likelihood.Bernoulli(0.25), 1.0, math.log(0.25), (0.25, 0.1875),
        [0, 1, 1, 1], {"p": 0.75},
    ),
    "Gamma": (
        likelihood.Gamma(2.0, 3.0), 3.0, math.log(3 / 9) - 1, (6.0, 18.0),
        None, {},
    ),
    "StudentT": (
        likelihood.StudentT(5.0, 1.0, 2.0), 1.0, math.log(8 / (3 * math.pi * math.sqrt(5)) / 2),
        (1.0, 4 * 5 / 3),
        # of +-1 alone: mu = 0, and sum of 6 x^2 / (5 sigma^2 + x^2) = n gives sigma = 1
        [-1.0, 1.0, -1.0, 1.0], {"nu": 5.0, "mu": 0.0, "sigma": 1.0},
    ),
    "Logistic": (
        likelihood.Logistic(1.0, 0.5), 1.0, math.log(0.5), (1.0, 0.25 * math.pi**2 / 3),
        None, {},
    ),
    "MultivariateGaussian": (
        likelihood.MultivariateGaussian([1.0, 2.0], np.diag([4.0, 9.0])), [3.0, 2.0],
        -0.5 - math.log(12 * math.pi), ([1.0, 2.0], [4.0, 9.0]),
        X, {"mu": [0.0, 0.0], "Sigma": np.diag(V_N)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_method_of_a_distribution(name):
    law, point, log_density, (mean, variance), data, parameters = DISTRIBUTIONS[name]
    assert {m for m in dir(type(law)) if not m.startswith("_")} == {"fit", "log_prob", "sample"}
    np.testing.assert_allclose(law.log_prob(np.array(point)), log_density, rtol=1e-12)
    drawn = law.sample(100_000, rng=0)
    np.testing.assert_allclose(drawn.mean(0), mean, rtol=0.02)
    np.testing.assert_allclose(drawn.var(0), variance, rtol=0.05)
    fitted = type(law)(5.0) if name == "StudentT" else type(law)()
    if data is None:  # no closed form: no parameters nearby are likelier
        data = law.sample(50, rng=1)
        assert_likeliest(fitted.fit(data), data)
    assert fitted.fit(data) is fitted
    for parameter, value in parameters.items():
        np.testing.assert_allclose(getattr(fitted, parameter), value, rtol=1e-9, atol=1e-9)


def assert_likeliest(law, data):
    best, parameters = law.log_prob(data).sum(), dict(vars(law))
    for name, value in parameters.items():
        for factor in (0.99, 1.01):
            moved = type(law)(**{**parameters, name: value * factor})
            assert moved.log_prob(data).sum() < best, name


def test_no_distribution_is_left_out():
    public = {name: getattr(likelihood, name) for name in likelihood.__all__}
    laws = {name for name, kind in public.items() if hasattr(kind, "log_prob")}
    assert set(DISTRIBUTIONS) == laws - {model.__name__ for model in TABLES}


def assert_same(found, expected):
    if isinstance(found, dict):
        assert found == expected
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(found, np.ndarray | float):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
    else:
        assert found == expected
