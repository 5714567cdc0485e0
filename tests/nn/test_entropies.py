"""Cross-entropies at the ends: impossible classes, ignored targets, shapes, ranges."""

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F

INF = np.inf
#: each row has a class that cannot occur
MASKED = np.array([[-INF, 0.0, 1.0], [0.0, 2.0, -INF]])
CLASSES = np.array([1, 0])
#: log(1 + e) of the first row, log(1 + e^2) of the second
COSTS = np.log1p(np.exp([1.0, 2.0]))
SHARES = np.array([[0, 1 / (1 + np.e), 1 / (1 + np.exp(-1))],
                   [1 / (1 + np.exp(2)), 1 / (1 + np.exp(-2)), 0]])  # fmt: skip


def _with_gradient(loss, z):
    z = nnlite.Tensor(z, requires_grad=True)
    value = loss(z)
    value.sum().backward()
    return value.data, z.grad


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: F.cross_entropy(z, CLASSES),
        lambda z: F.cross_entropy(z, CLASSES, weight=np.ones(3)),
        lambda z: F.cross_entropy(z, CLASSES, reduction="none").mean(),
        lambda z: F.cross_entropy(z, np.eye(3)[CLASSES]),
        lambda z: F.cross_entropy(z, np.eye(3)[CLASSES], weight=np.ones(3)),
        lambda z: F.cross_entropy(z.reshape(1, 2, 3).transpose(0, 2, 1), CLASSES[None]),
        lambda z: F.nll_loss(F.log_softmax(z, 1), CLASSES),
        lambda z: F.nll_loss(F.log_softmax(z, 1), CLASSES, weight=np.ones(3)),
    ],
)
def test_a_class_that_cannot_occur_costs_nothing_where_it_is_not_asked_for(loss):
    value, gradient = _with_gradient(loss, MASKED)
    np.testing.assert_allclose(value, COSTS.mean(), rtol=1e-14)
    expected = (SHARES - np.eye(3)[CLASSES]) / 2
    np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-16)


def test_smoothed_targets_ask_for_every_class_so_that_an_impossible_one_costs_infinitely_much():
    value, gradient = _with_gradient(
        lambda z: F.cross_entropy(z, CLASSES, label_smoothing=0.3), MASKED
    )
    assert value == INF
    expected = (SHARES - 0.7 * np.eye(3)[CLASSES] - 0.1) / 2
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@pytest.mark.parametrize("pos_weight", [None, 2.0])
def test_certain_logits_cost_nothing_if_right_and_infinitely_much_if_wrong(reduction, pos_weight):
    z, t = np.array([INF, -INF, 0.0]), np.array([1.0, 0.0, 1.0])

    def loss(z, t=t):
        return F.binary_cross_entropy_with_logits(z, t, reduction=reduction, pos_weight=pos_weight)

    w = 1 if pos_weight is None else pos_weight
    value, gradient = _with_gradient(loss, z)
    n = 3 if reduction == "mean" else 1
    np.testing.assert_allclose(value.sum(), w * np.log(2) / n, rtol=1e-15)
    np.testing.assert_allclose(gradient, [0, 0, -w / 2 / n])
    value, gradient = _with_gradient(lambda z: loss(z, 1 - t), z)
    assert value.sum() == INF
    assert np.isfinite(gradient).all()


def test_log_softmax_keeps_its_digits_wherever_the_logits_lie():
    steps = np.array([[0.0, 0.25, 1.5]], np.float32)
    expected = F.log_softmax(steps.astype(np.float64), 1).data
    for far in (0, 2**10, 2**20):  # sums with a power of two are exact
        z = steps + np.float32(far)
        np.testing.assert_allclose(F.log_softmax(z, 1).data, expected, rtol=2e-7)
        for kwargs in ({}, {"weight": np.ones(3)}):
            loss = F.cross_entropy(z, np.array([1]), **kwargs).item()
            np.testing.assert_allclose(loss, -expected[0, 1], rtol=2e-7)


def test_ignored_targets_do_not_count_whatever_their_logits():
    z = np.array([[1.0, 2.0], [-INF, -INF], [np.nan, 0.0]])
    t = np.array([1, -100, -100])
    value, gradient = _with_gradient(lambda z: F.cross_entropy(z, t), z)
    np.testing.assert_allclose(value, np.log1p(np.exp(-1)))
    np.testing.assert_array_equal(gradient[1:], 0)
    z = np.log([[0.25, 0.75], [0.5, 0.5]])
    for loss in (F.nll_loss, F.cross_entropy):
        value, gradient = _with_gradient(lambda z, loss=loss: loss(z, [0, 1], ignore_index=0), z)
        np.testing.assert_allclose(value, np.log(2))
        np.testing.assert_array_equal(gradient[0], 0)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_a_mean_over_no_target_is_an_error_and_a_sum_is_zero(loss):
    z, t = np.zeros((2, 3)), np.array([-100, -100])
    with pytest.raises(ValueError, match=r"all targets are ignored.*reduction='sum'"):
        loss(z, t)
    with pytest.raises(ValueError, match="weights of all targets are 0"):
        loss(z, np.array([1, 1]), weight=np.array([1.0, 0.0, 1.0]))
    value, gradient = _with_gradient(lambda z: loss(z, t, reduction="sum"), z)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
    with pytest.raises(ValueError, match="empty"):
        loss(np.zeros((0, 3)), np.zeros(0, int))


def test_negative_log_likelihood_is_cross_entropy_of_log_softmax():
    rng = np.random.default_rng(0)
    z, t = rng.normal(size=(4, 3, 2, 5)), rng.integers(0, 3, (4, 2, 5))
    weight = np.array([0.5, 1.0, 2.0])
    for kwargs in ({}, {"weight": weight}, {"ignore_index": 1}, {"reduction": "none"}):
        ours = nn.NLLLoss(**kwargs)(nn.LogSoftmax(1)(z), t).data
        np.testing.assert_allclose(ours, nn.CrossEntropyLoss(**kwargs)(z, t).data, rtol=1e-13)
    assert F.nll_loss(np.log([0.25, 0.75]), 1).item() == pytest.approx(-np.log(0.75))
    assert F.cross_entropy(np.zeros(4), 3, reduction="none").shape == ()


def test_targets_that_are_no_probabilities_are_refused():
    p, z = np.array([0.9]), np.array([2.2])
    for bad in (2.0, -0.1, np.nan):
        for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
            x = p if loss is F.binary_cross_entropy else z
            with pytest.raises(ValueError, match=r"targets are probabilities.*no lower bound"):
                loss(x, np.array([bad]))
            with pytest.raises(ValueError, match="targets are probabilities"):
                loss(x, nnlite.Tensor([bad], requires_grad=True))
    with pytest.raises(ValueError, match="Divide images of bytes by 255"):
        F.binary_cross_entropy_with_logits(z, np.array([200.0]))
    with pytest.raises(ValueError, match=r"between 0 and 1; got values from nan"):
        F.binary_cross_entropy(np.array([np.nan]), p)
    with pytest.raises(ValueError, match=r"probabilities are at least 0; got a target of -1"):
        F.cross_entropy(np.zeros((1, 2)), np.array([[-1.0, 2.0]]))
    with pytest.raises(ValueError, match="ignore_index=1 is for integer classes"):
        F.cross_entropy(np.zeros((1, 2)), np.array([[0.0, 1.0]]), ignore_index=1)


@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (
            (2, 3, 5),
            np.zeros((2, 4), int),
            r"logits of shape \(2, 3, 5\).*shape \(2, 5\).*\(2, 4\)",
        ),
        ((4, 3), np.zeros((4, 1), int), r"Write target\.reshape\(4,\)"),
        ((4, 3), np.zeros((4, 3), int), r"write target\.astype\(float\)"),
        ((4, 3), np.zeros(4), r"Write target\.astype\(np\.int64\)"),
        ((2, 5, 3), np.zeros((2, 5), int), "axis 1: np.moveaxis"),
        ((2, 3), np.array([0, 3]), r"classes must lie in 0\.\.2; got 0 to 3"),
        ((2, 3), np.array([-1, 2]), r"classes must lie in 0\.\.2; got -1 to 2"),
        ((), np.zeros((), int), "a single number"),
        ((2, 0), np.zeros(2, int), "no class|empty"),
    ],
)
def test_targets_of_another_shape_are_told_what_to_write(logits, target, message):
    with pytest.raises(ValueError, match=message):
        F.cross_entropy(np.zeros(logits), target)


def test_weights_that_would_weigh_all_pairs_are_refused():
    z, t = np.zeros((4, 1)), np.zeros((4, 1))
    for name in ("weight", "pos_weight"):
        with pytest.raises(ValueError, match=rf"{name} of shape \(4,\) does not broadcast"):
            F.binary_cross_entropy_with_logits(z, t, **{name: np.ones(4)})
    with pytest.raises(ValueError, match="weight"):
        F.binary_cross_entropy(z + 0.5, t, weight=np.ones(4))
    for loss in (F.mse_loss, F.l1_loss):
        with pytest.raises(ValueError, match="weight"):
            loss(z, t, weight=np.ones(4))
        assert loss(z + 1, t, weight=np.arange(4.0)[:, None]).item() == 1
    with pytest.raises(ValueError, match=r"Write target\.reshape\(4, 1\)"):
        F.mse_loss(z, np.zeros(4))
    with pytest.raises(ValueError, match=r"write input\.reshape\(4, 1\), or target\.reshape\(4,\)"):
        F.mse_loss(np.zeros(4), t)


@pytest.mark.parametrize("pos_weight", [None, np.ones(2)])
def test_an_entry_of_weight_zero_costs_nothing_even_where_the_loss_is_infinite(pos_weight):
    loss, gradient = _with_gradient(
        lambda z: F.binary_cross_entropy_with_logits(
            z, np.array([1.0, 0.0]), weight=np.array([0.0, 1.0]), pos_weight=pos_weight
        ),
        np.array([-INF, 0.0]),
    )
    np.testing.assert_allclose(loss, np.log(2) / 2)
    np.testing.assert_allclose(gradient, [0, 0.25])


def test_ignored_targets_of_log_probabilities_do_not_count_even_where_they_are_nan():
    x = np.array([[np.nan, np.nan], [-1.0, -INF]])
    loss, gradient = _with_gradient(lambda z: F.nll_loss(z, np.array([-100, 0])), x)
    assert loss == 1
    np.testing.assert_array_equal(gradient, [[0, 0], [-1, 0]])


@pytest.mark.parametrize("odd", [np.nan, INF, -0.5])
def test_probabilities_that_are_not_finite_are_refused(odd):
    with pytest.raises(ValueError, match=f"probabilities are at least 0; got a target of {odd}"):
        F.cross_entropy(np.zeros((1, 2)), np.array([[1.0, odd]]))
