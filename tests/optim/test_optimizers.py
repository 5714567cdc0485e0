"""Optimisers: PyTorch's published formulas, step by step; state; errors."""

import math

import numpy as np
import pytest

import nnlite
from nnlite import optim

STEPS = 25


def _sgd(p, grads, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    b = None
    for g in grads:
        g = g + weight_decay * p
        if momentum:
            b = g if b is None else momentum * b + (1 - dampening) * g
            g = g + momentum * b if nesterov else b
        p = p - lr * g
    return p


def _adam(
    p,
    grads,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    amsgrad=False,
    decoupled=False,
):
    m = v = largest = np.zeros_like(p)
    for t, g in enumerate(grads, 1):
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        second = (largest if amsgrad else v) / (1 - betas[1] ** t)
        p = p - lr * m / (1 - betas[0] ** t) / (np.sqrt(second) + eps)
    return p


def _adamw(p, grads, weight_decay=1e-2, **options):
    return _adam(p, grads, weight_decay=weight_decay, decoupled=True, **options)


def _rmsprop(
    p, grads, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False
):
    v = mean = b = np.zeros_like(p)
    for g in grads:
        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        mean = alpha * mean + (1 - alpha) * g
        update = g / (np.sqrt(v - mean**2 if centered else v) + eps)
        b = momentum * b + update
        p = p - lr * (b if momentum else update)
    return p


CASES = [
    (optim.SGD, _sgd, {"lr": 0.1}),
    (optim.SGD, _sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, _sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (optim.SGD, _sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (optim.Adam, _adam, {}),
    (optim.Adam, _adam, {"lr": 2e-4, "betas": (0.5, 0.999)}),
    (optim.Adam, _adam, {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    (optim.Adam, _adam, {"lr": 0.1, "amsgrad": True}),
    (optim.AdamW, _adamw, {}),
    (optim.AdamW, _adamw, {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    (optim.RMSprop, _rmsprop, {}),
    (optim.RMSprop, _rmsprop, {"momentum": 0.9, "centered": True}),
    (optim.RMSprop, _rmsprop, {"alpha": 0.9, "weight_decay": 0.1}),
]


def _grads(shape, seed=0):
    return np.random.default_rng(seed).normal(size=(STEPS, *shape))


@pytest.mark.parametrize(("kind", "formula", "options"), CASES)
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 1e-4)])
def test_steps_follow_the_published_formula(kind, formula, options, dtype, rtol):
    shape = (3, 4)
    start, grads = np.random.default_rng(1).normal(size=shape), _grads(shape)
    p = nnlite.Tensor(start.astype(dtype), requires_grad=True)
    optimizer = kind([p], **options)
    for g in grads:
        p.grad = g.astype(dtype)
        optimizer.step()
    assert p.dtype == dtype
    # float32: 25 steps of rounding 1e-7 relative to the numbers added, near zero of what they leave
    np.testing.assert_allclose(p.data, formula(start, grads, **options), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("kind", "options"), [(k, o) for k, _, o in CASES])
def test_a_saved_state_goes_on_bit_for_bit(kind, options):
    grads = _grads((5,))

    def run(restart_at):
        p = nnlite.Tensor(np.ones(5), requires_grad=True)
        optimizer = kind([p], **options)
        for i, g in enumerate(grads):
            if i == restart_at:
                state = optimizer.state_dict()
                optimizer = kind([p], lr=123.0)
                optimizer.load_state_dict(state)
            p.grad = g
            optimizer.step()
        return p.data

    np.testing.assert_array_equal(run(10), run(-1))


def test_climbing_is_descending_on_the_negative():
    for kind in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop):
        up, down = (nnlite.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        up.grad, down.grad = np.array([1.0, -3.0]), np.array([-1.0, 3.0])
        kind([up], lr=0.1, maximize=True).step()
        kind([down], lr=0.1).step()
        np.testing.assert_array_equal(up.data, down.data)


def test_gradient_descent_on_a_quadratic_contracts_at_the_rate_of_theory():
    # f = sum(h x^2) / 2: every step multiplies x by 1 - lr h
    h = np.array([1.0, 4.0])
    x = nnlite.Tensor([1.0, 1.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        (h * x * x).sum().backward(np.array(0.5))
        optimizer.step()
    np.testing.assert_allclose(x.data, (1 - 0.1 * h) ** 20, rtol=1e-12)


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate():
    p = nnlite.Tensor([1.0, 1.0], requires_grad=True)
    p.grad = np.array([1e-3, -50.0])
    optim.Adam([p], lr=0.1).step()
    np.testing.assert_allclose(p.data, [0.9, 1.1], rtol=1e-5)


def test_groups_have_settings_of_their_own():
    a, b = (nnlite.Tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.1)
    a.grad = b.grad = np.array([1.0])
    optimizer.step()
    assert (a.item(), b.item()) == (0.9, 0.0)
    assert "Parameter Group 1" in repr(optimizer)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad == 0
    optimizer.zero_grad()
    assert a.grad is None
    optimizer.step()
    assert a.item() == 0.9


def test_a_closure_computes_the_loss_first():
    p = nnlite.Tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4
    assert math.isclose(p.item(), 1.6)


def test_a_step_counts_as_an_edit_of_what_the_graph_needs():
    p = nnlite.Tensor([2.0], requires_grad=True)
    loss = (p * p).sum()
    p.grad = np.array([1.0])
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="edited"):
        loss.backward()


def test_parameters_that_are_views_are_moved_in_place():
    base = np.zeros((3, 2))
    p = nnlite.Tensor(base.T, requires_grad=True)
    p.grad = np.ones((2, 3))
    optim.Adam([p], lr=0.5).step()
    np.testing.assert_allclose(base, -0.5)


def test_optimisers_refuse_what_cannot_be_optimised():
    p = nnlite.Tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="no parameters"):
        optim.SGD([])
    with pytest.raises(TypeError, match=r"write \[p\]"):
        optim.SGD(p)
    with pytest.raises(TypeError, match="parameter 0 is ndarray"):
        optim.SGD([np.zeros(1)])
    with pytest.raises(ValueError, match="leaf"):
        optim.SGD([p * 2])
    with pytest.raises(ValueError, match="twice"):
        optim.SGD([p, p])
    with pytest.raises(TypeError, match="no setting rate"):
        optim.SGD([{"params": [p], "rate": 1}])
    with pytest.raises(ValueError, match="lr must be"):
        optim.Adam([p], lr=-1)
    with pytest.raises(ValueError, match="betas"):
        optim.Adam([p], betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="nesterov"):
        optim.SGD([p], nesterov=True)
    p.grad = np.ones(3)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        optim.SGD([p]).step()


def test_a_state_of_another_model_is_refused_and_nothing_is_loaded():
    p, q = nnlite.Tensor([1.0], requires_grad=True), nnlite.Tensor([1.0, 2.0], requires_grad=True)
    p.grad = np.array([1.0])
    a, b = optim.Adam([p]), optim.Adam([q])
    a.step()
    with pytest.raises(ValueError, match=r"shape \(1,\).*\(2,\)"):
        b.load_state_dict(a.state_dict())
    assert not b.state
    with pytest.raises(ValueError, match=r"groups of \[2\]"):
        optim.Adam([p, q]).load_state_dict(a.state_dict())
    with pytest.raises(ValueError, match="'param_groups'; got weight"):
        b.load_state_dict({"weight": np.ones(1)})
