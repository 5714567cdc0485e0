"""Every layer, loss and function: first and second derivatives against difference quotients."""

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F


def _layers():
    """Name -> (layer, input or its shape), in float64; small sizes, odd geometry.

    A name begins with that of the class.
    """
    with nnlite.default_dtype("float64"):
        rng = np.random.default_rng(0)
        conv = nn.Conv2d(
            4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2, rng=1
        )
        up = nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, groups=2, rng=2)
        batch_norm = nn.BatchNorm2d(3)
        frozen = nn.BatchNorm1d(3).eval()
        frozen.running_mean[...], frozen.running_var[...] = rng.normal(size=3), [0.5, 1.0, 2.0]
        return {
            "Identity": (nn.Identity(), (3, 4)),
            "Embedding": (nn.Embedding(4, 2, rng=0), np.array([[1, 1], [3, 0]])),
            # made anew for each call, so that every call draws the same mask
            "Dropout": (lambda x: nn.Dropout(0.4, rng=0)(x), (3, 4)),
            "Dropout in evaluation": (nn.Dropout(0.4).eval(), (3, 4)),
            "Dropout2d": (lambda x: nn.Dropout2d(0.4, rng=0)(x), (2, 3, 2, 2)),
            "Linear": (nn.Linear(4, 3, rng=0), (5, 4)),
            "Linear of sequences": (nn.Linear(4, 3, rng=0), (2, 3, 4)),
            "Linear without bias": (nn.Linear(4, 3, bias=False, rng=0), (5, 4)),
            "Conv2d": (conv, (2, 4, 5, 6)),
            "Conv2d without bias": (nn.Conv2d(2, 3, 3, bias=False, rng=3), (2, 2, 4, 4)),
            "Conv2d with reflection": (
                nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect", rng=4),
                (1, 2, 3, 4),
            ),
            "ConvTranspose2d": (up, (2, 4, 3, 2)),
            "BatchNorm1d": (nn.BatchNorm1d(3), (6, 3)),
            "BatchNorm1d of signals": (nn.BatchNorm1d(3), (3, 3, 4)),
            "BatchNorm2d": (batch_norm, (3, 3, 2, 2)),
            "BatchNorm2d without weights": (nn.BatchNorm2d(3, affine=False), (3, 3, 2, 2)),
            "BatchNorm1d in evaluation": (frozen, (4, 3)),
            "InstanceNorm2d": (nn.InstanceNorm2d(2, affine=True), (2, 2, 3, 2)),
            "LayerNorm": (nn.LayerNorm((3, 2)), (2, 3, 2)),
            "ReLU": (nn.ReLU(), (3, 4)),
            "LeakyReLU": (nn.LeakyReLU(0.2), (3, 4)),
            "LeakyReLU that folds": (nn.LeakyReLU(-0.5), (3, 4)),
            "PReLU": (nn.PReLU(3), (2, 3, 2, 2)),
            "ELU": (nn.ELU(0.7), (3, 4)),
            "Tanh": (nn.Tanh(), (3, 4)),
            "Sigmoid": (nn.Sigmoid(), (3, 4)),
            "Softplus": (nn.Softplus(2.0), (3, 4)),
            "Softmax": (nn.Softmax(1), (3, 4)),
            "LogSoftmax": (nn.LogSoftmax(1), (3, 4)),
            "LogSigmoid": (nn.LogSigmoid(), (3, 4)),
            "SiLU": (nn.SiLU(), (3, 4)),
            "GELU": (nn.GELU(), (3, 4)),
            "GELU by tanh": (nn.GELU("tanh"), (3, 4)),
            "Upsample to whole blocks": (
                nn.Upsample(size=(4, 6), mode="nearest-exact"),
                (1, 2, 2, 3),
            ),
            "ZeroPad2d that cuts": (nn.ZeroPad2d((-1, 2, 1, -1)), (1, 2, 3, 3)),
            "ReplicationPad2d": (nn.ReplicationPad2d((2, -1, 0, 1)), (1, 2, 3, 3)),
            "Flatten": (nn.Flatten(), (2, 3, 2, 2)),
            "Unflatten": (nn.Unflatten(1, (3, 2, 2)), (2, 12)),
            "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((2, 3)), (2, 2, 4, 3)),
            "MaxPool2d": (nn.MaxPool2d(3, 2, 1), (2, 2, 5, 4)),
            "AvgPool2d": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 2, 5, 4)),
            "MaxPool2d with spread windows": (
                nn.MaxPool2d(2, 3, 1, dilation=2, ceil_mode=True),
                (2, 2, 5, 4),
            ),
            "AvgPool2d beyond the image": (
                nn.AvgPool2d(3, 2, 1, ceil_mode=True, divisor_override=4),
                (2, 2, 5, 4),
            ),
            "Upsample bicubic": (nn.Upsample(scale_factor=1.5, mode="bicubic"), (1, 2, 3, 2)),
            "Upsample": (nn.Upsample(scale_factor=2), (2, 2, 2, 3)),
            "Upsample to a size": (nn.Upsample(size=(5, 3)), (1, 2, 2, 3)),
            "Upsample bilinear": (nn.Upsample(scale_factor=2, mode="bilinear"), (1, 2, 3, 2)),
            "PixelShuffle": (nn.PixelShuffle(2), (2, 8, 2, 3)),
            "ZeroPad2d": (nn.ZeroPad2d((1, 0, 2, 1)), (1, 2, 2, 3)),
            "ReflectionPad2d": (nn.ReflectionPad2d(1), (1, 2, 3, 2)),
            "Sequential that fuses dense": (
                nn.Sequential(nn.Linear(4, 5, rng=5), nn.LeakyReLU(0.2)),
                (3, 4),
            ),
            "Sequential that fuses a convolution": (
                nn.Sequential(nn.Conv2d(2, 3, 3, rng=6), nn.ReLU()),
                (2, 2, 4, 4),
            ),
            "Sequential that fuses a transposed convolution": (
                nn.Sequential(nn.ConvTranspose2d(2, 3, 2, 2, rng=7), nn.LeakyReLU(0.2)),
                (2, 2, 2, 3),
            ),
            "Sequential that fuses batch norm": (
                nn.Sequential(nn.BatchNorm1d(3), nn.LeakyReLU(0.2)),
                (6, 3),
            ),
        }


LAYERS = _layers()


@pytest.mark.parametrize("name", LAYERS)
def test_derivatives_of_layers_agree_with_difference_quotients(name):
    layer, given = LAYERS[name]
    x = given if isinstance(given, np.ndarray) else np.random.default_rng(3).normal(size=given)
    assert nnlite.gradcheck(layer, x)
    assert nnlite.gradgradcheck(layer, x)


def _losses():
    rng = np.random.default_rng(1)
    z, t = rng.normal(size=(4, 3)), rng.uniform(0.1, 0.9, size=(4, 3))
    classes = np.array([0, 2, 1, 2])
    weight = np.array([0.5, 1.0, 2.0])
    p = rng.uniform(0.1, 0.9, size=(4, 3))
    return {
        "MSELoss": (nn.MSELoss(), z, t),
        "MSELoss sum": (nn.MSELoss(reduction="sum"), z, t),
        "MSELoss none": (nn.MSELoss(reduction="none"), z, t),
        "L1Loss": (nn.L1Loss(), z, t),
        "SmoothL1Loss": (nn.SmoothL1Loss(beta=0.5), z, t),
        "BCELoss": (nn.BCELoss(), p, t),
        "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), z, t),
        "BCEWithLogitsLoss sum": (nn.BCEWithLogitsLoss(reduction="sum"), z, t),
        "BCEWithLogitsLoss weighted": (nn.BCEWithLogitsLoss(pos_weight=weight), z, t),
        "CrossEntropyLoss of probabilities": (nn.CrossEntropyLoss(), z, t),
        "CrossEntropyLoss": (nn.CrossEntropyLoss(), z, classes),
        "BCEWithLogitsLoss none": (nn.BCEWithLogitsLoss(reduction="none"), z, t),
        "NLLLoss": (nn.NLLLoss(weight, ignore_index=1), z, classes),
        "CrossEntropyLoss weighted": (
            nn.CrossEntropyLoss(weight, label_smoothing=0.1, ignore_index=1), z, classes,
        ),
    }  # fmt: skip


LOSSES = _losses()


@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_of_losses_agree_with_difference_quotients(name):
    loss, prediction, target = LOSSES[name]
    assert nnlite.gradcheck(lambda x: loss(x, target), prediction)
    assert nnlite.gradgradcheck(lambda x: loss(x, target), prediction)


def _functions():
    """Name -> (function, the arrays it is differentiable in), in float64.

    A name begins with that of the function.
    """
    rng = np.random.default_rng(5)

    def R(*shape):
        return rng.normal(size=shape)

    def P(*shape):
        return rng.uniform(0.1, 0.9, size=shape)

    images, classes, weight = R(2, 2, 4, 3), np.array([0, 2, 1, 2]), np.array([0.5, 1.0, 2.0])
    moved = {"stride": 2, "padding": 1}
    pointwise = {
        name: (getattr(F, name), R(3, 4))
        for name in ("elu", "gelu", "logsigmoid", "relu", "sigmoid", "silu", "softplus", "tanh")
    }
    return pointwise | {
        "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), R(3, 4)),
        "gelu by tanh": (lambda x: F.gelu(x, "tanh"), R(3, 4)),
        "prelu": (F.prelu, R(2, 3, 2), R(3)),
        "softmax": (lambda x: F.softmax(x, 1), R(3, 4)),
        "log_softmax": (lambda x: F.log_softmax(x, 0), R(3, 4)),
        "linear": (F.linear, R(5, 4), R(3, 4), R(3)),
        "embedding": (lambda w: F.embedding(np.array([1, 1, 0]), w), R(3, 2)),
        "dropout": (lambda x: F.dropout(x, 0.4, rng=0), R(3, 4)),
        "dropout2d": (lambda x: F.dropout2d(x, 0.4, rng=0), images),
        "conv2d": (
            lambda x, w, b: F.conv2d(x, w, b, **moved, groups=2), images, R(4, 1, 3, 2), R(4),
        ),
        "conv_transpose2d": (
            lambda x, w, b: F.conv_transpose2d(x, w, b, **moved, output_padding=1),
            R(2, 2, 2, 3), R(2, 3, 3, 2), R(3),
        ),
        "batch_norm": (
            lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), R(5, 3), P(3), R(3),
        ),
        "batch_norm in evaluation": (
            lambda x, w, b: F.batch_norm(x, weight, weight, w, b), R(4, 3), P(3), R(3),
        ),
        "instance_norm": (
            lambda x, w, b: F.instance_norm(x, weight=w, bias=b), images, P(2), R(2),
        ),
        "layer_norm": (lambda x, w, b: F.layer_norm(x, (4,), w, b), R(3, 4), P(4), R(4)),
        "max_pool2d": (lambda x: F.max_pool2d(x, 2, 1), images),
        "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, **moved), images),
        "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), images),
        "pad": (lambda x: F.pad(x, (1, 0, 2, 1), value=0.5), images),
        "pad by reflection": (lambda x: F.pad(x, (1, 0, 2, 1), mode="reflect"), images),
        "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), R(2, 8, 2, 3)),
        "interpolate": (lambda x: F.interpolate(x, scale_factor=2), images),
        "interpolate bilinear": (lambda x: F.interpolate(x, (5, 2), mode="bilinear"), images),
        "mse_loss": (F.mse_loss, R(4, 3), R(4, 3)),
        "l1_loss": (F.l1_loss, R(4, 3), R(4, 3)),
        "smooth_l1_loss": (F.smooth_l1_loss, R(4, 3), R(4, 3)),
        "binary_cross_entropy": (F.binary_cross_entropy, P(4, 3), P(4, 3)),
        "binary_cross_entropy_with_logits": (
            F.binary_cross_entropy_with_logits, R(4, 3), P(4, 3),
        ),
        "cross_entropy": (lambda x: F.cross_entropy(x, classes), R(4, 3)),
        "nll_loss": (lambda x: F.nll_loss(x, classes, weight), R(4, 3)),
    }  # fmt: skip


FUNCTIONS = _functions()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_functions_agree_with_difference_quotients(name):
    function, *arrays = FUNCTIONS[name]
    assert nnlite.gradcheck(function, tuple(arrays))
    assert nnlite.gradgradcheck(function, tuple(arrays))


def test_every_layer_and_loss_has_a_case():
    known = {
        name
        for name in nn.__all__
        if isinstance(getattr(nn, name), type)
        and issubclass(getattr(nn, name), nn.Module)
        and getattr(nn, name).forward is not nn.Module.forward
    }
    assert _named(LAYERS) | _named(LOSSES) == known
    for name, (layer, *_) in (LAYERS | LOSSES).items():
        if isinstance(layer, nn.Module):
            assert type(layer) is getattr(nn, name.split()[0]), name


def test_every_function_has_a_case():
    without_derivative = {"one_hot"}  # integers in, integers out
    assert _named(FUNCTIONS) == set(F.__all__) - without_derivative


def _named(cases):
    """The first words of the names."""
    return {name.split()[0] for name in cases}


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "BCELoss", "BCEWithLogitsLoss"])
def test_losses_have_a_gradient_for_the_target_too(name):
    loss, prediction, target = LOSSES[name]
    assert nnlite.gradcheck(lambda t: loss(prediction, t), target)


def test_embedding_adds_the_gradients_of_a_row_used_twice():
    table = nn.Embedding(4, 2, padding_idx=3, rng=0)
    table(np.array([1, 1, 3, 0])).sum().backward()
    np.testing.assert_array_equal(table.weight.grad, [[1, 1], [2, 2], [0, 0], [0, 0]])


def test_a_gradient_penalty_reaches_the_weights():
    # d/dW |d(w.tanh(W x))/dx|^2 needs second derivatives of dense layers (WGAN-GP, R1)
    with nnlite.default_dtype("float64"):
        critic = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    points = np.random.default_rng(2).normal(size=(5, 3))

    def penalty(weight):
        x = nnlite.Tensor(points, requires_grad=True)
        hidden = np.tanh(x @ weight.T + critic[0].bias.data)
        out = (hidden @ critic[2].weight.data.T).sum()
        slope = nnlite.grad(out, x, create_graph=True)
        return (slope * slope).sum()

    x = nnlite.Tensor(points, requires_grad=True)
    slope = nnlite.grad(critic(x).sum(), x, create_graph=True)
    (slope * slope).sum().backward()
    expected = nnlite.jacobian(penalty, critic[0].weight.data)
    np.testing.assert_allclose(critic[0].weight.grad, expected, rtol=1e-12)
    assert nnlite.gradcheck(penalty, critic[0].weight.data)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(4, 30, rng=0), (5, 4)),
        (nn.Conv2d(2, 3, 3, rng=0), (2, 2, 6, 6)),
        (nn.ConvTranspose2d(2, 3, 3, rng=0), (2, 2, 6, 6)),
        (nn.BatchNorm2d(3), (4, 3, 6, 6)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_fused_activation_needs_the_result_of_a_layer(layer, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    y = layer(x)
    y.sum().backward()
    expected = layer.weight.grad
    layer.zero_grad()
    y = layer(x)
    total = y.sum()
    y.data[...] = 0  # as an in-place activation would
    total.backward()
    np.testing.assert_array_equal(layer.weight.grad, expected)

    y = nn.Sequential(layer, nn.LeakyReLU(0.2))(x)
    total = y.sum()
    y.data[...] = 0
    with pytest.raises(RuntimeError, match=r"needs an array that was edited.*its result"):
        total.backward()
