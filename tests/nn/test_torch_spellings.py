"""Spellings of published PyTorch code: accepted where they cost nothing, else explained."""

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F

X = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize(("shape", "axis"), [((), 0), ((3,), 0), ((2, 3), 1), ((2, 3, 4), 0)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_without_an_axis_follows_pytorchs_rule_with_a_warning(name, shape, axis):
    x = np.random.default_rng(0).normal(size=shape)
    layer = {"softmax": nn.Softmax, "log_softmax": nn.LogSoftmax}[name]()
    with pytest.warns(UserWarning, match=rf"took {axis}, as PyTorch does.*write {name}\(x, dim=1"):
        y = layer(x)
    expected = getattr(F, name)(x, axis)
    np.testing.assert_array_equal(y.data, expected.data)
    assert y.shape == shape
    assert F.softmax(X, 1, dtype="float64").dtype == np.float64
    with pytest.raises(ValueError, match=r"softmax: dim=2 is no axis"):
        F.softmax(np.zeros((2, 2)), 2)


def test_spellings_that_cost_nothing_are_accepted():
    assert nn.ReLU(True).inplace
    assert nn.LeakyReLU(0.2, inplace=True).negative_slope == 0.2
    assert nn.BatchNorm2d(3, 0.8).eps == 0.8
    assert nn.Upsample(scale_factor=2)(X).shape == (2, 3, 8, 8)
    assert nn.Linear(2, 3, True, "cpu", "float64").weight.dtype == np.float64
    assert nn.Conv2d(3, 2, 3, device=None, dtype="float64").weight.dtype == np.float64
    assert nn.BatchNorm2d(3, bias=False).bias is None
    assert F.instance_norm(X, None, None, np.ones(3), np.zeros(3), True, 0.1, 1e-5).shape == X.shape
    assert F.linear(input=X, weight=np.ones((1, 4))).shape == (2, 3, 4, 1)
    assert nn.Linear(4, 2)(input=X).shape == (2, 3, 4, 2)
    model = nn.Sequential(nn.Linear(4, 2))
    assert model.to("cpu") is model
    assert model.to("cpu", np.float64)[0].weight.dtype == np.float64
    assert model.to(device="cpu", dtype="float32")[0].weight.dtype == np.float32
    assert F.pad(X, (1, 1, 1, 1), "constant", 0).shape == (2, 3, 6, 6)
    assert F.one_hot(tensor=[1]).shape == (1, 2)
    assert len(nn.ModuleList(None)) == len(nn.ModuleDict(None)) == 0


@pytest.mark.parametrize(
    ("kwargs", "reduction"),
    [
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": False}, "none"),
    ],
)
def test_switches_of_old_choose_the_reduction_with_a_warning(kwargs, reduction):
    with pytest.warns(UserWarning, match=f"write reduction='{reduction}'"):
        assert nn.MSELoss(**kwargs).reduction == reduction
    with pytest.warns(UserWarning, match=f"cross_entropy: .*'{reduction}'"):
        F.cross_entropy(np.zeros((2, 3)), np.array([0, 1]), **kwargs)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "CrossEntropyLoss",
                                  "BCELoss", "BCEWithLogitsLoss", "NLLLoss"])  # fmt: skip
def test_a_loss_that_is_called_too_early_says_how(name):
    prediction = nnlite.Tensor(np.zeros((2, 3)), requires_grad=True)
    for data in ((prediction, np.zeros((2, 3))), (np.zeros((2, 3)), np.zeros((2, 3)))):
        with pytest.raises(TypeError, match=rf"loss = nn\.{name}\(\); loss\(prediction, target\)"):
            getattr(nn, name)(*data)
    with pytest.raises(ValueError, match="write reduction='sum'"):
        F.mse_loss(prediction, np.zeros((2, 3)), "sum")


def test_layers_that_are_called_too_early_say_how():
    for make in (nn.Tanh, nn.Sigmoid, nn.ReLU, nn.LeakyReLU, nn.Softmax, nn.Dropout, nn.MaxPool2d,
                 nn.Flatten, nn.BatchNorm2d, nn.GELU, nn.SiLU, nn.LogSigmoid):  # fmt: skip
        with pytest.raises(TypeError, match=r"layer\(x\)|first, .* give it data then"):
            make(X)


def test_a_forward_without_return_is_named():
    class Model(nn.Module):
        def forward(self, x):
            x * 2

    with pytest.raises(TypeError, match=r"Model\.forward returned None; end it with 'return'"):
        nn.Sequential(Model(), nn.ReLU())(X)


def test_names_that_do_not_exist_say_what_to_write():
    for owner, name, advice in (
        (nn, "MSEloss", "Did you mean 'MSELoss'"),
        (nn, "Conv2D", "Did you mean 'Conv2d'"),
        (nn, "BatchNorm2D", "Did you mean 'BatchNorm2d'"),
        (nn, "Conv1d", "Conv2d on images of one row"),
        (F, "upsample", r"write interpolate\(x"),
        (F, "cross_entropy_loss", "Did you mean nnlite.nn.functional.cross_entropy"),
        (nn.Linear(1, 1), "cuda", "there is only one device"),
        (nn.Linear(1, 1), "half", r"model\.float\(\) or model\.double\(\)"),
        (nn.Linear(1, 1), "wieght", "Linear has no attribute 'wieght'"),
        (nn.init, "nothing", "has no 'nothing'"),
    ):
        with pytest.raises(AttributeError, match=advice):
            getattr(owner, name)
    assert not hasattr(nn.Linear(1, 1), "fc")


def test_initialisers_of_old_go_by_their_new_names_with_a_warning():
    layer = nn.Linear(3, 2)
    with pytest.warns(UserWarning, match=r"nn\.init\.xavier_uniform is now called .*uniform_"):
        nn.init.xavier_uniform(layer.weight, rng=0)
    expected = nn.init.xavier_uniform_(np.zeros((2, 3), np.float32), rng=0)
    np.testing.assert_array_equal(layer.weight.data, expected)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_there_is_one_device(device):
    for use in (lambda: nn.Linear(1, 1, device=device), lambda: nn.Linear(1, 1).to(device),
                lambda: nn.BatchNorm2d(1, device=device), lambda: nn.PReLU(device=device),
                lambda: nn.LayerNorm(1, device=device), lambda: nn.Embedding(1, 1, device=device),
                lambda: nn.ConvTranspose2d(1, 1, 1, device=device)):  # fmt: skip
        with pytest.raises(ValueError, match=f"on the CPU only; there is no device '{device}'"):
            use()


@pytest.mark.parametrize(
    ("make", "shape", "hint"),
    [
        (lambda: nn.Conv2d(1, 2, 3), (5, 8, 8), r"Grey images.*x\[:, None\]\.$"),
        (lambda: nn.Conv2d(3, 2, 3), (3, 8, 8), r"single image \(C, H, W\).*x\[None\]\.$"),
        (lambda: nn.Conv2d(3, 2, 3), (8, 8, 3), r"x\.transpose\(2, 0, 1\)\[None\]"),
        (lambda: nn.Conv2d(3, 2, 3), (5, 8, 8, 3), r"x\.transpose\(0, 3, 1, 2\)"),
        (lambda: nn.Conv2d(1, 2, 3), (8, 8), r"x\[None, None\]"),
        (lambda: nn.Conv2d(1, 2, 3), (1, 8, 8), r"x\[None\]"),
        (lambda: nn.ConvTranspose2d(1, 2, 3), (5, 8, 8), r"x\[:, None\]\.$"),
        (lambda: nn.MaxPool2d(2), (5, 8, 8), r"x\[:, None\]\..*x\[None\]"),
        (lambda: nn.BatchNorm2d(1), (5, 8, 8), r"x\[:, None\]\.$"),
        (lambda: nn.BatchNorm2d(3), (5, 8, 8, 3), r"x\.transpose\(0, 3, 1, 2\)"),
        (lambda: nn.InstanceNorm2d(1), (5, 8, 8), r"x\[:, None\]\.$"),
    ],
)
def test_images_without_an_axis_are_told_which_one(make, shape, hint):
    with pytest.raises(ValueError, match=hint):
        make()(np.zeros(shape))


def test_a_parameter_of_another_dtype_is_named():
    layer = nn.Linear(3, 2)
    layer.weight.data = layer.weight.data.astype(np.float64)
    with pytest.raises(TypeError, match=r"linear: the weight is float64 but bias is float32.*data"):
        layer(np.zeros((1, 3)))
    x = nnlite.Tensor(np.zeros((1, 3), np.float32), requires_grad=True)
    with pytest.raises(
        TypeError, match=r"input is float32.*weight.*float64.*weight\.data\[\.\.\.\]"
    ):
        layer(x)
    assert layer.double()(np.zeros((1, 3))).dtype == np.float64


@pytest.mark.parametrize(
    ("where", "name", "advice"),
    [
        (nn, "HuberLoss", "SmoothL1Loss"),
        (nn, "GLU", "np.split"),
        (nn, "ParameterDict", "register_parameter"),
        (nn, "PixelUnshuffle", "np.reshape"),
        (F, "l2_loss", "mse_loss"),
        (F, "group_norm", "layer_norm"),
        (nn.utils, "clip_grad_norm", "clip_grad_norm_"),
        (nn.utils, "parameters_to_vector", "np.concatenate"),
        (nn.utils, "fuse_conv_bn_eval", "it has clip_grad_norm_"),
        (nn.ReLU(), "get_submodule", "named_modules"),
    ],
)
def test_a_name_that_is_missing_is_answered_by_what_does_the_same(where, name, advice):
    with pytest.raises(AttributeError, match=advice):
        getattr(where, name)
