"""Every layer and loss: first and second derivatives against difference quotients."""

import numpy as np
import pytest

import nnlite
from nnlite import nn


def _layers():
    """Name -> (layer, input shape), in float64; small sizes, odd geometry."""
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
            "fused dense": (nn.Sequential(nn.Linear(4, 5, rng=5), nn.LeakyReLU(0.2)), (3, 4)),
            "fused convolution": (
                nn.Sequential(nn.Conv2d(2, 3, 3, rng=6), nn.ReLU()),
                (2, 2, 4, 4),
            ),
            "fused transposed convolution": (
                nn.Sequential(nn.ConvTranspose2d(2, 3, 2, 2, rng=7), nn.LeakyReLU(0.2)),
                (2, 2, 2, 3),
            ),
            "fused batch norm": (nn.Sequential(nn.BatchNorm1d(3), nn.LeakyReLU(0.2)), (6, 3)),
        }


LAYERS = _layers()


@pytest.mark.parametrize("name", LAYERS)
def test_derivatives_of_layers_agree_with_difference_quotients(name):
    layer, shape = LAYERS[name]
    x = np.random.default_rng(3).normal(size=shape)
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
