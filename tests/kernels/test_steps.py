"""Optimiser steps: each against its formula written for one number at a time."""

import math

import numpy as np
import pytest

STEPS = 25


@pytest.fixture
def start(rng, dtype):
    n = 1003  # not a multiple of any vector width
    return rng.standard_normal(n).astype(dtype), [
        rng.standard_normal(n).astype(dtype) for _ in range(STEPS)
    ]


def close(p, expected, dtype):
    np.testing.assert_allclose(
        p, expected, rtol=2e3 * float(np.finfo(dtype).eps), atol=1e2 * float(np.finfo(dtype).eps)
    )


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_follows_its_formula(kernels, dtype, start, decoupled, decay):
    p, gradients = start
    lr, b1, b2, eps = 1e-2, 0.5, 0.99, 1e-6
    q, m, v = (list(map(float, p)), [0.0] * p.size, [0.0] * p.size)
    pm, pv = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients, start=1):
        kept = g.copy()
        kernels.adam_step([p], [g], [pm], [pv], t, lr, b1, b2, eps, decay, decoupled)
        np.testing.assert_array_equal(g, kept)  # the gradient is the caller's
        for i, gi in enumerate(map(float, g)):
            if decoupled:
                q[i] *= 1 - lr * decay
            else:
                gi += decay * q[i]
            m[i] = b1 * m[i] + (1 - b1) * gi
            v[i] = b2 * v[i] + (1 - b2) * gi * gi
            q[i] -= lr / (1 - b1**t) * m[i] / (math.sqrt(v[i] / (1 - b2**t)) + eps)
    close(p, q, dtype)


@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov", "decay"),
    [
        (0, 0, False, 0),
        (0, 0, False, 0.1),
        (0.9, 0, False, 0),
        (0.9, 0, True, 0.1),
        (0.8, 0.3, False, 0.1),
    ],
)
def test_sgd_follows_its_formula(kernels, dtype, start, momentum, dampening, nesterov, decay):
    p, gradients = start
    q, b = p.astype(float), np.zeros(p.size)
    buffer = np.zeros_like(p) if momentum else None
    for t, g in enumerate(gradients):
        buffers = [buffer] if momentum else None
        kernels.sgd_step(
            [p], [g], buffers, 0.05, momentum, dampening, nesterov, decay, first=t == 0
        )
        d = g + decay * q
        b = d if t == 0 else momentum * b + (1 - dampening) * d
        q = q - 0.05 * (d + momentum * b if nesterov else b if momentum else d)
    close(p, q, dtype)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_rmsprop_follows_its_formula(kernels, dtype, start, momentum, centred, decay):
    p, gradients = start
    q = p.astype(float)
    v, b, a = np.zeros(p.size), np.zeros(p.size), np.zeros(p.size)
    pv, pb, pa = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for g in gradients:
        kernels.rmsprop_step(
            [p],
            [g],
            [pv],
            1e-2,
            0.9,
            1e-3,
            decay,
            momentum,
            [pb] if momentum else None,
            [pa] if centred else None,
        )
        d = g + decay * q
        v = 0.9 * v + 0.1 * d * d
        a = 0.9 * a + 0.1 * d
        update = d / (np.sqrt(v - a * a if centred else v) + 1e-3)
        b = momentum * b + update
        q = q - 1e-2 * b
    # A centred spread v - mean² cancels, so float32 loses more digits there.
    tol = (5e-3 if centred else 5e-4) if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(p, q, rtol=tol, atol=tol)


def test_nan_gradients_are_not_hidden(kernels, dtype):
    p, g = np.ones(50, dtype), np.zeros(50, dtype)
    g[7] = np.nan
    kernels.adam_step([p], [g], [np.zeros_like(p)], [np.zeros_like(p)], 1, 0.1)
    np.testing.assert_array_equal(np.isnan(p), np.isnan(g))


STEP_KERNELS = {
    "adam": lambda k, p, g, a, b, c: k.adam_step(p, g, a, b, 1, 0.1, weight_decay=0.1),
    "sgd": lambda k, p, g, a, b, c: k.sgd_step(p, g, a, 0.1, 0.9, nesterov=True),
    "plain sgd": lambda k, p, g, a, b, c: k.sgd_step(p, g, None, 0.1),
    "rmsprop": lambda k, p, g, a, b, c: k.rmsprop_step(
        p, g, a, 0.1, momentum=0.5, buffers=b, grad_avgs=c
    ),
}


@pytest.mark.parametrize("name", STEP_KERNELS)
def test_parameters_of_any_shape_move_as_each_would_alone(kernels, dtype, rng, name):
    shapes = [(3, 5), (), (0, 4), (70, 300), (1,), (2, 3, 4, 5)]
    lists = [[rng.random(s).astype(dtype) for s in shapes] for _ in range(5)]
    lists[4] = [np.zeros_like(a) for a in lists[4]]  # means whose squares exceed no square_avg
    lists[1][3] = np.asfortranarray(lists[1][3])  # a gradient may come in any order
    alone = [[a.copy() for a in arrays] for arrays in lists]
    STEP_KERNELS[name](kernels, *lists)
    for i in range(len(shapes)):
        STEP_KERNELS[name](kernels, *([arrays[i]] for arrays in alone))
    for together, single in zip(lists, alone, strict=True):
        for a, b in zip(together, single, strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_array_that_is_not_contiguous_is_updated_where_it_is(kernels):
    whole = np.ones((4, 6), np.float32)
    kernels.sgd_step([whole[:, ::2]], [np.ones((4, 3), np.float32)], None, 0.5)
    np.testing.assert_array_equal(whole, np.tile(np.float32([0.5, 1]), (4, 3)))


def test_arrays_that_do_not_match_are_refused(kernels):
    p = [np.ones(4, np.float32)]
    with pytest.raises(ValueError, match=r"grads\[0\] must be of shape \(4,\) and dtype float32"):
        kernels.adam_step(p, [np.ones(5, np.float32)], p, p, 1, 0.1)
    with pytest.raises(ValueError, match=r"exp_avgs\[0\] must be of shape .* dtype float64"):
        kernels.adam_step(p, p, [np.ones(4)], p, 1, 0.1)
    with pytest.raises(ValueError, match="grads must hold one array for each of 1 parameters"):
        kernels.sgd_step(p, [], None, 0.1)
    with pytest.raises(ValueError, match="needs buffers"):
        kernels.sgd_step(p, p, None, 0.1, momentum=0.9)
    with pytest.raises(ValueError, match="needs buffers"):
        kernels.rmsprop_step(p, p, p, 0.1, momentum=0.9)
    with pytest.raises(ValueError, match="counted from 1"):
        kernels.adam_step(p, p, p, p, 0, 0.1)
