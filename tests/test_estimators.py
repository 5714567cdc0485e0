"""The models with ``fit`` are scikit-learn's in practice, and need it for nothing."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

import nnlite
from nnlite import autoencoders, nn
from nnlite.autoencoders import Autoencoder, Masking
from nnlite.likelihood import GaussianMixture, ProbabilisticPCA

X = np.random.default_rng(0).normal(size=(90, 4)) @ np.diag([3.0, 1.0, 0.5, 0.2]) + 1


def small_autoencoder(**options):
    """One that takes its features from the data and forgets between fits, in double precision."""
    with nnlite.default_dtype("float64"):
        return autoencoders.deep(
            (None, 3, 2), **{"epochs": 2, "warm_start": False, "rng": 0} | options
        )


ESTIMATORS = {
    "PCA": nnlite.PCA(1),
    "PCA by iteration": nnlite.PCA(1, svd_solver="power", rng=0),
    "ProbabilisticPCA": ProbabilisticPCA(),
    "GaussianMixture": GaussianMixture(rng=0),
    "Autoencoder": small_autoencoder(),
}
OBJECTS = {
    "check_dtype_object": "arrays of Python objects are refused, with the call that converts them: "
    "computing with them at first and failing later is what pandas users complained of"
}
NETWORK = {
    "check_parameters_default_constructible": "a network has no default size",
    "check_no_attributes_set_in_init": "a network has weights and curves from the beginning",
    # these two have other names in scikit-learn 1.6
    **dict.fromkeys(
        ("check_dont_overwrite_parameters", "check_dont_overwrite_attributes"),
        "nn.Module.eval sets `training`, as PyTorch's does",
    ),
    **dict.fromkeys(
        (
            "check_do_not_raise_errors_in_init_or_set_params",
            "check_do_not_raise_errors_in_init_or_set_param",
        ),
        "the constructor draws the weights, so that impossible values must be refused there and "
        "not at the first fit",
    ),
}
#: checks of scikit-learn that are not met, with the reason
REFUSED = {
    "PCA": OBJECTS
    | {"check_transformer_n_iter": "n_iter_ counts steps of an iteration; a direct solver has 0"},
    "PCA by iteration": OBJECTS,
    "ProbabilisticPCA": OBJECTS,
    "GaussianMixture": OBJECTS,
    "Autoencoder": OBJECTS | NETWORK,
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_passes_but_for_what_is_refused_with_a_reason(name):
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    if "expected_failed_checks" not in inspect.signature(checks.check_estimator).parameters:
        pytest.skip("expected_failed_checks came with scikit-learn 1.6")
    results = checks.check_estimator(
        ESTIMATORS[name], expected_failed_checks=REFUSED[name], on_skip=None, on_fail=None
    )
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}
    unmet = {r["check_name"] for r in results if r["status"] == "xfail"}
    known = {check for check in REFUSED[name] if hasattr(checks, check)}
    assert unmet == known, "a check that is met needs no excuse"
    assert sum(r["status"] == "passed" for r in results) > 35


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_clone_is_untrained_and_learns_the_same(name):
    clone = pytest.importorskip("sklearn.base").clone
    model = clone(ESTIMATORS[name]).fit(X)
    twin = clone(model)
    with pytest.raises(nnlite.errors.NotFittedError):
        twin.score(X)
    assert twin.fit(X).score(X) == pytest.approx(model.score(X), rel=1e-12)
    assert twin.get_params().keys() == model.get_params().keys()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fitted_model_travels_between_processes(name):
    model = pickle.loads(pickle.dumps(ESTIMATORS[name])).fit(X)
    assert pickle.loads(pickle.dumps(model)).score(X) == model.score(X)


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("PCA", {"m__n_components": [1, 2], "m__whiten": [True, False]}),
        ("ProbabilisticPCA", {"m__n_components": [1, 2]}),
        ("GaussianMixture", {"m__n_components": [1, 2]}),
        (
            "Autoencoder",
            {"m__sizes": [(None, 1), (None, 8, 3)], "m__epochs": [30], "m__lr": [0.02]},
        ),
    ],
)
def test_a_grid_search_over_a_pipeline_finds_the_best_score(name, grid):
    selection = pytest.importorskip("sklearn.model_selection")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    steps = pipeline.Pipeline([("scale", preprocessing.StandardScaler()), ("m", ESTIMATORS[name])])
    search = selection.GridSearchCV(steps, grid, cv=3, error_score="raise").fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.score(X) == search.best_estimator_.score(X)
    if name == "Autoencoder":  # three numbers for four features lose less than one
        assert search.best_params_["m__sizes"] == (None, 8, 3)


def test_cross_validation_starts_each_fold_untrained_in_one_process_and_in_two():
    selection = pytest.importorskip("sklearn.model_selection")
    trained = small_autoencoder(epochs=3).fit(X)
    one = selection.cross_val_score(small_autoencoder(epochs=3), X, cv=3)
    np.testing.assert_array_equal(selection.cross_val_score(trained, X, cv=3), one)
    two = selection.cross_val_score(trained, X, cv=3, n_jobs=2)
    np.testing.assert_allclose(two, one, rtol=1e-12)


def test_scikit_learn_agrees_with_the_scores_of_pca_in_cross_validation():
    selection = pytest.importorskip("sklearn.model_selection")
    theirs = pytest.importorskip("sklearn.decomposition").PCA(2)
    np.testing.assert_allclose(
        selection.cross_val_score(nnlite.PCA(2), X), selection.cross_val_score(theirs, X), rtol=1e-9
    )


def test_a_union_of_models_has_the_columns_and_names_of_all():
    pipeline = pytest.importorskip("sklearn.pipeline")
    union = pipeline.FeatureUnion([(n, ESTIMATORS[n]) for n in ("PCA", "ProbabilisticPCA")])
    assert union.fit_transform(X).shape == (90, 2)
    assert list(union.get_feature_names_out()) == [
        "PCA__pca0",
        "ProbabilisticPCA__probabilisticpca0",
    ]


def test_tags_say_what_a_model_is():
    utils = pytest.importorskip("sklearn.utils")
    if not hasattr(utils, "get_tags"):
        pytest.skip("tags of this form came with scikit-learn 1.6")
    assert utils.get_tags(nnlite.PCA()).transformer_tags.preserves_dtype == ["float64", "float32"]
    assert utils.get_tags(autoencoders.deep((4, 2))).transformer_tags.preserves_dtype == ["float32"]
    assert utils.get_tags(GaussianMixture()).estimator_type == "density_estimator"
    assert utils.get_tags(GaussianMixture()).transformer_tags is None
    assert not utils.get_tags(ProbabilisticPCA()).target_tags.required


# ---- frames --------------------------------------------------------------------------------------


@pytest.fixture
def frame():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X, columns=[*"abcd"], index=np.arange(90) + 100)


@pytest.mark.parametrize("name", ["PCA", "ProbabilisticPCA", "Autoencoder"])
def test_named_columns_are_kept_checked_and_given_out(name, frame):
    clone = pytest.importorskip("sklearn.base").clone
    model = clone(ESTIMATORS[name]).set_output(transform="pandas")
    out = clone(model).fit_transform(frame)
    assert list(out.columns) == [f"{type(model).__name__.lower()}{i}" for i in range(out.shape[1])]
    assert list(out.index) == list(frame.index)
    plain = model.fit(frame).set_output(transform="default").transform(frame)
    np.testing.assert_array_equal(plain, out.to_numpy())
    assert list(model.feature_names_in_) == [*"abcd"]
    with pytest.raises(ValueError, match=r"in another order.*feature_names_in_"):
        model.transform(frame[[*"dcba"]])
    with pytest.raises(ValueError, match="has the new columns e and lacks d"):
        model.score(frame.rename(columns={"d": "e"}))
    np.testing.assert_allclose(model.transform(X), plain)  # without names there is no order
    assert not hasattr(model.fit(X), "feature_names_in_")


def test_columns_of_the_validation_data_are_those_of_the_training_data(frame):
    with pytest.raises(ValueError, match=r"validation\[X.columns\]"):
        small_autoencoder().fit(frame, validation=frame[[*"dcba"]])
    assert len(small_autoencoder().fit(frame, validation=frame).validation_curve_) == 2


def test_a_column_transformer_takes_them_by_name(frame):
    compose = pytest.importorskip("sklearn.compose")
    parts = [(name, ESTIMATORS[name], ["a", "b", "c"]) for name in ("PCA", "Autoencoder")]
    out = compose.ColumnTransformer(parts, remainder="passthrough").fit_transform(frame)
    assert out.shape == (90, 4)


def test_scikit_learns_global_choice_of_containers_is_followed(frame):
    sklearn = pytest.importorskip("sklearn")
    model = nnlite.PCA(2).fit(frame)
    with sklearn.config_context(transform_output="pandas"):
        assert list(model.transform(frame).columns) == ["pca0", "pca1"]
    assert isinstance(model.transform(frame), np.ndarray)


def test_polars_frames_come_in_and_go_out():
    polars = pytest.importorskip("polars")
    model = nnlite.PCA(2).set_output(transform="polars")
    out = model.fit_transform(polars.DataFrame(X, schema=[*"abcd"]))
    assert out.columns == ["pca0", "pca1"]
    assert list(model.feature_names_in_) == [*"abcd"]


def test_an_unknown_container_is_refused():
    with pytest.raises(ValueError, match="'default', 'pandas' or 'polars'; got 'csv'"):
        nnlite.PCA().set_output(transform="csv")


# ---- without scikit-learn ------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["sklearn"] = None  # an import of it fails
import numpy as np, nnlite
from nnlite import autoencoders
from nnlite.likelihood import GaussianMixture, ProbabilisticPCA
X = np.random.default_rng(0).normal(size=(60, 3))
for model in (nnlite.PCA(2), ProbabilisticPCA(2), GaussianMixture(2, rng=0),
              autoencoders.deep((None, 2), epochs=1)):
    repr(model.set_params(**model.get_params()).fit(X))
    model.score(X)
    try:
        type(model).fit(model, X[:0])
    except ValueError:
        pass
try:
    nnlite.PCA().transform(X)
except ValueError as error:
    assert "call fit" in str(error)
"""


def test_models_work_where_scikit_learn_is_absent():
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


def test_importing_and_fitting_loads_no_scikit_learn():
    code = WITHOUT.replace('sys.modules["sklearn"] = None', "pass")
    code += "\nassert not any(name.split('.')[0] == 'sklearn' for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- parameters ----------------------------------------------------------------------------------


def test_text_shows_what_is_not_the_default():
    assert repr(nnlite.PCA(2)) == "PCA(n_components=2)"
    assert repr(nnlite.PCA(2, tol=1e-3)) == "PCA(n_components=2, tol=0.001)"
    assert repr(GaussianMixture(3, rng=1)) == "GaussianMixture(n_components=3, rng=1)"
    assert repr(ProbabilisticPCA(2)) == "ProbabilisticPCA(n_components=2)"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_unknown_parameter_changes_nothing(name):
    model = pickle.loads(pickle.dumps(ESTIMATORS[name]))
    before = model.get_params()
    with pytest.raises(ValueError, match=r"no parameter 'k'; it has .*(rng|n_components)"):
        model.set_params(**{next(iter(before)): 7, "k": 2})
    assert model.get_params() == before


def test_parameters_of_an_autoencoder_are_its_builders_or_its_networks():
    built = autoencoders.denoising((4, 2), Masking(0.3), rng=5)
    assert {"sizes", "activation", "corruption", "lr", "rng"} <= built.get_params().keys()
    assert "encoder" not in built.get_params()
    by_hand = Autoencoder(nn.Linear(4, 2), nn.Linear(2, 4))
    assert by_hand.get_params()["encoder"] is by_hand.encoder


def test_other_sizes_or_another_seed_start_untrained_and_other_options_do_not():
    model = autoencoders.deep((4, 3, 2), epochs=1, rng=0).fit(X)
    weights = model.encoder[0].weight.data.copy()
    model.set_params(lr=0.1, batch_size=7, sizes=(4, 3, 2))
    assert model.transform(X).shape == (90, 2)
    np.testing.assert_array_equal(model.encoder[0].weight.data, weights)
    model.set_params(sizes=(4, 5, 1))
    with pytest.raises(nnlite.errors.NotFittedError):
        model.transform(X)
    assert model.fit(X).transform(X).shape == (90, 1)
    again = autoencoders.deep((4, 5, 1), epochs=1, rng=3, lr=0.1, batch_size=7).fit(X)
    assert model.set_params(rng=3).fit(X).score(X) == again.score(X)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lr": 0.5, "loss": "mse"}, ValueError, "squared_error"),
        ({"lr": 0.5, "sizes": (4,)}, ValueError, r"got \(4,\)"),
        ({"epochs": 4, "batch_size": 0}, ValueError, "batch_size"),
        ({"epochs": True}, TypeError, "epochs"),
        ({"lr": True}, TypeError, "lr"),
        ({"verbose": 1}, TypeError, "True or False"),
    ],
)
def test_an_impossible_parameter_changes_nothing(change, error, message):
    model = autoencoders.deep((4, 2))
    before = model.get_params()
    with pytest.raises(error, match=message):
        model.set_params(**change)
    assert model.get_params() == before


def test_clones_of_networks_made_by_hand_start_from_the_first_weights_and_stay_tied():
    clone = pytest.importorskip("sklearn.base").clone
    encoder = nn.Linear(4, 2, rng=0)
    first = encoder.weight.data.copy()
    model = Autoencoder(encoder, autoencoders.TiedDecoder([encoder], nn.Identity), epochs=3)
    twin = clone(model.fit(X))
    assert not np.array_equal(model.encoder.weight.data, first)
    np.testing.assert_array_equal(twin.encoder.weight.data, first)
    assert twin.decoder._layers[0] is twin.encoder
    assert twin.encoder is not model.encoder


def test_a_clone_keeps_the_precision_it_was_built_in():
    clone = pytest.importorskip("sklearn.base").clone
    assert clone(small_autoencoder()).fit(X).transform(X).dtype == np.float64


def test_a_cold_start_forgets_and_a_warm_start_goes_on():
    cold, warm = (autoencoders.deep((4, 2), epochs=2, rng=0, warm_start=w) for w in (False, True))
    assert cold.fit(X).fit(X).score(X) == autoencoders.deep((4, 2), epochs=2, rng=0).fit(X).score(X)
    assert len(cold.loss_curve_) == 2
    assert len(warm.fit(X).fit(X).loss_curve_) == 4
