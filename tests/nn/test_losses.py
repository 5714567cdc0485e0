"""Losses: closed forms, stability, errors."""

import numpy as np
import pytest

import nnlite
from nnlite import nn

RNG = np.random.default_rng(0)


def test_losses_have_their_formulas():
    x, t = RNG.uniform(0.1, 0.9, size=(2, 4, 3))
    cross = -(t * np.log(x) + (1 - t) * np.log(1 - x))
    logits = np.log(x / (1 - x))
    expected = {
        "MSELoss": (x, (x - t) ** 2),
        "L1Loss": (x, abs(x - t)),
        "SmoothL1Loss": (x, (x - t) ** 2 / 2),
        "BCELoss": (x, cross),
        "BCEWithLogitsLoss": (logits, cross),
    }
    for name, (prediction, entries) in expected.items():
        loss = getattr(nn, name)
        np.testing.assert_allclose(loss()(prediction, t).item(), entries.mean(), err_msg=name)
        np.testing.assert_allclose(loss(reduction="sum")(prediction, t).item(), entries.sum())
        np.testing.assert_allclose(loss(reduction="none")(prediction, t).data, entries)


def test_cross_entropy_is_minus_the_log_probability_of_the_class():
    z = RNG.normal(size=(5, 3))
    classes = np.array([0, 1, 2, 1, 0])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = -np.log(p[np.arange(5), classes])
    np.testing.assert_allclose(nn.CrossEntropyLoss()(z, classes).item(), expected.mean())
    np.testing.assert_allclose(nn.CrossEntropyLoss(reduction="none")(z, classes).data, expected)
    soft = np.eye(3)[classes]
    np.testing.assert_allclose(nn.CrossEntropyLoss()(z, soft).item(), expected.mean())
    weight = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        nn.CrossEntropyLoss(weight)(z, classes).item(),
        (weight[classes] * expected).sum() / weight[classes].sum(),
    )
    np.testing.assert_allclose(
        nn.CrossEntropyLoss(ignore_index=1)(z, classes).item(), expected[classes != 1].mean()
    )
    smooth = 0.7 * expected - 0.3 * np.log(p).mean(axis=1)
    np.testing.assert_allclose(
        nn.CrossEntropyLoss(label_smoothing=0.3)(z, classes).item(), smooth.mean()
    )
    images = np.moveaxis(z.reshape(1, 5, 1, 3), -1, 1)
    np.testing.assert_allclose(
        nn.CrossEntropyLoss()(images, classes.reshape(1, 5, 1)).item(), expected.mean()
    )


def test_losses_from_logits_survive_extreme_logits():
    z = nnlite.Tensor(np.array([[-1000.0, 1000.0]], np.float32), requires_grad=True)
    t = np.array([[1.0, 0.0]])
    loss = nn.BCEWithLogitsLoss(reduction="sum")(z, t)
    loss.backward()
    assert loss.item() == 2000
    np.testing.assert_array_equal(z.grad, [[-1, 1]])
    assert nn.CrossEntropyLoss()(z, np.array([0])).item() == 2000


def test_binary_cross_entropy_of_certain_probabilities_is_finite():
    p = nnlite.Tensor([0.0, 1.0, 0.0], requires_grad=True)
    loss = nn.BCELoss(reduction="none")(p, np.array([0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(loss.data, [0, 0, 100])
    loss.sum().backward()
    assert np.isfinite(p.grad).all()


def test_a_number_as_target_stands_for_all_entries():
    x = RNG.normal(size=(4, 1))
    assert nn.MSELoss()(x, 1.0).item() == nn.MSELoss()(x, np.ones((4, 1))).item()


def test_shapes_that_would_broadcast_are_refused():
    # (N, 1) against (N,) would silently compare all pairs
    for loss in (nn.MSELoss(), nn.L1Loss(), nn.BCEWithLogitsLoss()):
        with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\)"):
            loss(np.zeros((4, 1)), np.zeros(4))


def test_loss_errors_name_the_cure():
    with pytest.raises(ValueError, match="BCEWithLogitsLoss"):
        nn.BCELoss()(np.array([1.5]), np.array([1.0]))
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'; got 'avg'"):
        nn.MSELoss(reduction="avg")
    with pytest.raises(ValueError, match=r"0\.\.2; got 0 to 3"):
        nn.CrossEntropyLoss()(np.zeros((2, 3)), np.array([0, 3]))
    with pytest.raises(ValueError, match="empty"):
        nn.MSELoss()(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(TypeError, match="floating point"):
        nn.MSELoss()(np.zeros(2, int), np.zeros(2))
    x = nnlite.Tensor(np.zeros(2, np.float32), requires_grad=True)
    t = nnlite.Tensor(np.zeros(2), requires_grad=True)
    with pytest.raises(TypeError, match=r"float32.*float64"):
        nn.MSELoss()(x, t)


def test_losses_keep_the_dtype_of_the_prediction():
    x = np.ones((2, 2), np.float32)
    for loss in (nn.MSELoss(), nn.L1Loss(), nn.BCELoss(), nn.BCEWithLogitsLoss()):
        assert loss(x, np.ones((2, 2))).dtype == np.float32
    assert nn.CrossEntropyLoss(np.ones(2))(x, np.array([0, 1])).dtype == np.float32
