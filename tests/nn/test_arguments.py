"""Every constructor and function refuses what it cannot compute with, naming the argument."""

import inspect
import warnings

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F

NAN, INF = float("nan"), float("inf")
#: constructor -> valid arguments; each is replaced by bad ones
MAKERS = {
    nn.AdaptiveAvgPool2d: {"output_size": 2},
    nn.AvgPool2d: {"kernel_size": 2, "stride": 1, "padding": 0, "ceil_mode": False,
                   "count_include_pad": True, "divisor_override": 1},
    nn.BatchNorm1d: {"num_features": 2, "eps": 1e-5, "momentum": 0.1, "affine": True,
                     "track_running_stats": True, "bias": True},
    nn.BatchNorm2d: {"num_features": 2, "eps": 1e-5, "momentum": 0.1},
    nn.Conv2d: {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "stride": 1, "padding": 0,
                "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros"},
    nn.ConvTranspose2d: {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "stride": 1,
                         "padding": 0, "output_padding": 0, "groups": 1, "bias": True,
                         "dilation": 1, "padding_mode": "zeros"},
    nn.CrossEntropyLoss: {"ignore_index": 1, "label_smoothing": 0.1, "reduction": "sum"},
    nn.Dropout: {"p": 0.5, "inplace": False},
    nn.Dropout2d: {"p": 0.5},
    nn.ELU: {"alpha": 1.0, "inplace": False},
    nn.Embedding: {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 1},
    nn.Flatten: {"start_dim": 1, "end_dim": -1},
    nn.GELU: {"approximate": "none"},
    nn.InstanceNorm2d: {"num_features": 2, "eps": 1e-5, "momentum": 0.1},
    nn.LayerNorm: {"normalized_shape": 2, "eps": 1e-5, "elementwise_affine": True, "bias": True},
    nn.LeakyReLU: {"negative_slope": 0.1, "inplace": False},
    nn.Linear: {"in_features": 2, "out_features": 2, "bias": True},
    nn.LogSoftmax: {"dim": 1},
    nn.MaxPool2d: {"kernel_size": 2, "stride": 1, "padding": 0, "dilation": 1,
                   "return_indices": False, "ceil_mode": False},
    nn.NLLLoss: {"ignore_index": 1, "reduction": "sum"},
    nn.PReLU: {"num_parameters": 1, "init": 0.25},
    nn.PixelShuffle: {"upscale_factor": 2},
    nn.ReLU: {"inplace": False},
    nn.SiLU: {"inplace": False},
    nn.SmoothL1Loss: {"beta": 1.0, "reduction": "sum"},
    nn.Softmax: {"dim": 1},
    nn.Softplus: {"beta": 1.0, "threshold": 20.0},
    nn.Unflatten: {"dim": 1, "unflattened_size": (2, 2)},
    nn.Upsample: {"size": 2, "mode": "nearest"},
    nn.ZeroPad2d: {"padding": 1},
}  # fmt: skip
CASES = [(make, name) for make, arguments in MAKERS.items() for name in arguments]


def _bad_values(good):
    """Values of which none can mean what ``good`` means."""
    anything = ["a", np.ones((2, 2)), object()]
    if isinstance(good, str):
        return [1, *anything]
    if isinstance(good, bool):
        return [*anything, 2, 0.5]
    whole = [2.5, NAN] if isinstance(good, int | tuple) else []
    return [True, NAN, INF, -INF, *whole, *anything]


@pytest.mark.parametrize(("make", "name"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_bad_arguments_are_named_when_the_layer_is_made(make, name):
    make(**MAKERS[make])
    for bad in _bad_values(MAKERS[make][name]):
        with pytest.raises((ValueError, TypeError)) as caught:
            make(**{**MAKERS[make], name: bad})
        assert name in str(caught.value) or "one width" in str(caught.value), (bad, caught.value)
        assert str(caught.value).endswith("."), caught.value


NUMBERS = [(make, name) for make, name in CASES if type(MAKERS[make][name]) in (bool, int, float)]


@pytest.mark.parametrize(("make", "name"), NUMBERS, ids=lambda v: getattr(v, "__name__", v))
def test_numbers_in_numpys_spelling_make_the_same_layer(make, name):
    good = MAKERS[make][name]
    for spelled in (np.array(good), np.array(good)[()]):
        layer = make(**{**MAKERS[make], name: spelled})
        assert repr(layer) == repr(make(**MAKERS[make]))


def test_numbers_in_numpys_spelling_give_functions_the_same_result():
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 4))
    w, two = np.ones((4, 2, 3, 3)), np.array(2)
    for call in (
        lambda n: F.conv2d(x, w, groups=n, stride=n, padding=n),
        lambda n: F.conv_transpose2d(x, w, groups=n, stride=n, padding=n),
        lambda n: F.max_pool2d(x, n, n),
        lambda n: F.avg_pool2d(x, n, divisor_override=n),
        lambda n: F.adaptive_avg_pool2d(x, n),
        lambda n: F.pixel_shuffle(x, n),
        lambda n: F.interpolate(x, scale_factor=n),
        lambda n: F.softmax(x, n),
        lambda n: F.leaky_relu(x, n),
        lambda n: F.softplus(x, n),
        lambda n: F.layer_norm(x, 4, eps=n),
        lambda n: F.pad(x, (1, 1), value=n),
        lambda n: F.one_hot([0, 1], n),
    ):
        np.testing.assert_array_equal(call(two).data, call(2).data)


def test_every_layer_with_arguments_is_listed():
    for name in nn.__all__:
        layer = getattr(nn, name)
        if inspect.isclass(layer) and layer not in MAKERS:
            names = set(inspect.signature(layer.__init__).parameters)
            known = "self args kwargs modules padding size_average reduce reduction weight"
            known += " pos_weight data requires_grad dtype"
            assert names <= set(known.split()), name


def test_normalisation_needs_an_eps_and_a_momentum_that_keep_variances_positive():
    x = np.random.default_rng(0).normal(size=(3, 2, 2, 2))
    for make in (nn.BatchNorm2d, nn.InstanceNorm2d, nn.LayerNorm):
        with pytest.raises(
            ValueError, match=r"eps must be a finite number of at least 0; got -1\.0"
        ):
            make(2, eps=-1.0)
    with pytest.raises(ValueError, match="in training eps must be positive"):
        nn.BatchNorm2d(2, eps=0)(x)
    assert np.isfinite(nn.BatchNorm2d(2, eps=0).eval()(x).data).all()
    with pytest.raises(ValueError, match="momentum must be a number from 0 to 1; got 2"):
        nn.BatchNorm2d(2, momentum=2)
    for norm in (
        lambda **k: F.batch_norm(x, None, None, training=True, **k),
        lambda **k: F.instance_norm(x, **k),
        lambda **k: F.layer_norm(x, 2, **k),
    ):
        for eps in (-1.0, NAN, "a", True):
            error = ValueError if isinstance(eps, float) else TypeError
            with pytest.raises(error, match="eps must be"):
                norm(eps=eps)
    with pytest.raises(ValueError, match="belong together; one is None"):
        F.batch_norm(x, np.zeros(2), None, training=True)
    with pytest.raises(TypeError, match=r"moved in place and must be an array of floating.*list"):
        F.batch_norm(x, [0, 0], [1, 1], training=True)


def test_a_batch_that_is_refused_does_not_count():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="more than one value"):
        layer(np.ones((1, 3)))
    assert layer.num_batches_tracked == 0
    assert layer.num_batches_tracked.dtype == np.int64
    np.testing.assert_array_equal(layer.running_mean, 0)
    assert layer.training


def test_functions_refuse_numbers_that_are_none():
    x = np.ones((2, 3))
    for call in (
        lambda bad: F.leaky_relu(x, bad),
        lambda bad: F.elu(x, bad),
        lambda bad: F.softplus(x, bad),
        lambda bad: F.softplus(x, 1.0, bad),
        lambda bad: F.dropout(x, bad),
        lambda bad: F.smooth_l1_loss(x, x, beta=bad),
        lambda bad: F.cross_entropy(x, [0, 1], label_smoothing=bad),
        lambda bad: F.one_hot([0, 1], bad),
        lambda bad: F.pixel_shuffle(x[:, :, None, None], bad),
        lambda bad: nn.init.normal_(np.ones(3), 0, bad),
        lambda bad: nn.init.uniform_(np.ones(3), 0, bad),
        lambda bad: nn.init.constant_(np.ones(3), bad),
        lambda bad: nn.init.xavier_uniform_(np.ones((3, 3)), bad),
        lambda bad: nn.init.kaiming_normal_(np.ones((3, 3)), bad),
        lambda bad: nn.init.orthogonal_(np.ones((3, 3)), bad),
        lambda bad: nn.utils.clip_grad_norm_([], bad),
        lambda bad: nn.utils.clip_grad_norm_([], 1.0, bad),
        lambda bad: nn.utils.clip_grad_value_([], bad),
    ):
        for bad in ("a", True, np.ones(2)):
            with pytest.raises(TypeError, match="must be"):
                call(bad)
        with pytest.raises(
            (TypeError, ValueError), match="must be"
        ):  # of an integer NaN is no value
            call(NAN)


def test_initialisation_says_what_it_fills():
    with pytest.raises(TypeError, match=r"got Linear\. Name the parameter: layer\.weight"):
        nn.init.normal_(nn.Linear(1, 1))
    with pytest.raises(TypeError, match="dtype int64, which would cut the values to integers"):
        nn.init.normal_(np.zeros(3, np.int64))
    with pytest.raises(ValueError, match=r"a must not be greater than b; got a=1\.0, b=0\.0"):
        nn.init.uniform_(np.zeros(3), 1.0, 0.0)
    weight = nn.init.dirac_(np.zeros((4, 2, 3, 3)), groups=2)
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 5))
    np.testing.assert_array_equal(F.conv2d(x, weight, padding=1, groups=2).data, x)
    with pytest.raises(ValueError, match="groups must divide the 4 filters"):
        nn.init.dirac_(weight, groups=3)


def test_modules_say_what_their_switches_take():
    layer = nn.Linear(1, 1)
    for bad in ("x", np.ones(2), 1, None):
        with pytest.raises(TypeError, match="takes True or False; got"):
            layer.train(bad)
    assert layer.train(False) is layer.eval() is layer


def test_weights_that_are_no_numbers_are_refused():
    z, bad = np.zeros((2, 2)), np.array([1.0, NAN])
    for loss in (F.cross_entropy, F.nll_loss):
        with pytest.raises(ValueError, match="weight has entries that are NaN or infinite"):
            loss(z, np.array([0, 1]), weight=bad)
    for name in ("weight", "pos_weight"):
        with pytest.raises(ValueError, match=f"{name} has entries that are NaN"):
            F.binary_cross_entropy_with_logits(z, z, **{name: bad})


def test_padding_refuses_values_that_an_image_of_integers_cannot_hold():
    bytes_ = np.zeros((1, 1, 2, 2), np.uint8)
    for value in (2.5, 300, -1, INF, NAN):
        with pytest.raises(ValueError, match=r"an image of uint8 cannot hold value="):
            F.pad(bytes_, (1, 1), value=value)
    assert F.pad(bytes_, (1, 1), value=255).dtype == np.uint8
    assert F.pad(bytes_ * 1.0, (1, 1), value=-INF).data.min() == -INF


def test_odd_arguments_of_modules_are_explained():
    with pytest.raises(TypeError, match=r"takes 'cpu', 'float32' or 'float64'; got 'gpu'\."):
        nn.Linear(1, 1).to("gpu")
    with pytest.raises(TypeError, match=r"ModuleList takes a list of modules; got ReLU"):
        nn.ModuleList(nn.ReLU())

    class Model(nn.Module):
        def __init__(self):
            super().__init__(3)

    with pytest.raises(TypeError, match=r"super\(\)\.__init__\(\) takes none"):
        Model()


def test_an_empty_batch_has_a_sum_and_no_mean():
    empty = np.zeros((0, 2))
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.binary_cross_entropy,
                 F.binary_cross_entropy_with_logits):  # fmt: skip
        assert loss(empty, empty, reduction="sum").item() == 0
        assert loss(empty, empty, reduction="none").shape == (0, 2)
        with pytest.raises(ValueError, match="empty"):
            loss(empty, empty)
    for name in ("softmax", "log_softmax"):
        assert getattr(F, name)(np.zeros((2, 0)), 1).shape == (2, 0)


def test_modules_hidden_in_plain_containers_are_named():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(1, 1)
            self.order = [self.first]  # found elsewhere: nothing to warn of
            self.inner = nn.Module()

    model = Model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(model.parameters())) == 2
        model.inner.heads = {"a": nn.Linear(1, 1)}
        model.zero_grad()
    with pytest.warns(UserWarning, match=r"inner\.heads is a plain dict.*nn\.ModuleDict"):
        list(model.parameters())
    model.inner.heads = [nn.Parameter([1.0])]
    with pytest.warns(UserWarning, match=r"inner\.heads is a plain list"):
        list(model.named_parameters())


def test_a_property_that_fails_shows_its_own_error():
    class Model(nn.Module):
        @property
        def width(self):
            return self.hidden.out_features

    with pytest.raises(AttributeError, match="Model has no attribute 'hidden'"):
        Model().width
    layer = nn.utils.spectral_norm(nn.Linear(2, 2, rng=0), rng=0)
    del layer.weight_u
    with pytest.raises(AttributeError, match="Linear has no attribute 'weight_u'"):
        layer.weight


def test_running_statistics_are_arrays_of_floats_of_one_gate():
    x = np.random.default_rng(0).normal(size=(4, 2))
    with pytest.raises(TypeError, match=r"running_mean is moved in place.*int64"):
        F.batch_norm(x, np.zeros(2, np.int64), np.ones(2), training=True)
    with pytest.raises(ValueError, match="running_var has masked entries"):
        F.batch_norm(x, np.zeros(2), np.ma.masked_array(np.ones(2), [0, 1]), training=True)
    mean, var = nnlite.Tensor(np.zeros(2)), nnlite.Tensor(np.ones(2))
    F.batch_norm(x, mean, var, training=True, momentum=1)
    np.testing.assert_allclose(mean.data, x.mean(axis=0))
    np.testing.assert_allclose(var.data, x.var(axis=0, ddof=1))


def test_weights_of_double_precision_beside_buffers_of_single_are_computed_in_double():
    layer = nn.BatchNorm1d(2)
    for p in layer.parameters():
        p.data = p.data.astype(np.float64)
    x = np.random.default_rng(0).normal(size=(4, 2))
    assert layer(x).dtype == layer.eval()(x).dtype == np.float64
    np.testing.assert_allclose(layer.running_mean, 0.1 * x.mean(axis=0), rtol=1e-6)


def test_a_state_that_does_not_fit_loads_nothing():
    layer = nn.BatchNorm1d(2)
    state = {**layer.state_dict(), "weight": np.full(2, 3.0), "num_batches_tracked": np.nan}
    with pytest.raises(RuntimeError, match=r"num_batches_tracked counts in whole numbers"):
        layer.load_state_dict(state)
    np.testing.assert_array_equal(layer.weight.data, 1)
