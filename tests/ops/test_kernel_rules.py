"""What the rules of operations on kernels read: proved by NaN, argument by argument.

The engine guards the arrays that a rule says it reads, and no others. So each gradient is computed
with NaN in all places that it does not read: it must not notice. With NaN in one that it reads, it
must: else an edit that does no harm would be refused.
"""

import itertools

import numpy as np
import pytest

import nnlite
from nnlite import ops
from nnlite.ops import (
    activations,
    channels,
    convolution,
    layout,
    linear,
    losses,
    normalization,
    pooling,
)

_rng = np.random.default_rng(8)


def R(*shape):
    return _rng.normal(size=shape).astype("float32")


def U(*shape):
    return _rng.uniform(0.1, 0.9, size=shape).astype("float32")


IMAGES, FILTERS, BIAS = R(2, 4, 6, 6), R(4, 2, 3, 3), R(4)
WINDOW = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 2}
POOL = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0), "ceil_mode": False}
AVERAGE = {**POOL, "count_include_pad": True, "divisor_override": None}
CASES = [
    (channels.channel_sums, (IMAGES,), {}),
    (activations.leaky_relu, (R(3, 4),), {"slope": 0.1}),
    (activations.leaky_relu_grad, (R(3, 4), R(3, 4)), {"slope": 0.1}),
    (linear.matmul_nn, (R(3, 4), R(4, 2)), {}),
    (linear.matmul_tn, (R(3, 4), R(3, 2)), {}),
    (convolution.conv2d_weight_grad, (IMAGES, IMAGES), {"weight_shape": FILTERS.shape, **WINDOW}),
    (pooling.pick_pixels, (IMAGES,), {"index": _rng.integers(36, size=(2, 4, 2, 2))}),
    (
        pooling.return_pixels,
        (R(2, 4, 2, 2),),
        {"index": _rng.integers(36, size=(2, 4, 2, 2)), "input_shape": IMAGES.shape},
    ),
    (pooling.max_pool2d, (IMAGES,), {**POOL, "dilation": (1, 1)}),
    (pooling.avg_pool2d, (IMAGES,), AVERAGE),
    (pooling._avg_pool2d_backward, (R(2, 4, 3, 3),), {"input_shape": IMAGES.shape, **AVERAGE}),
    (layout.pixel_shuffle, (IMAGES,), {"r": 2}),
    (layout.pixel_unshuffle, (IMAGES,), {"r": 2}),
    (layout.flatten_images, (IMAGES,), {}),
    (layout.unflatten_images, (R(2, 24),), {"shape": (4, 3, 2)}),
    (losses.squared_error, (R(3, 4), R(3, 4)), {"scale": 0.5}),
    (losses.bce_with_logits, (R(3, 4), U(3, 4)), {"scale": 0.5}),
    (losses.softmax_cross_entropy, (R(3, 4), np.array([0, 3, 1])), {"scale": 0.5}),
    (losses.softmax_cross_entropy, (R(3, 4), U(3, 4)), {}),
    (losses.bce, (U(3, 4), U(3, 4)), {}),
]
for slope in (None, 0.0, 0.1):
    CASES += [
        (channels.channel_affine, (IMAGES, BIAS, R(4)), {"slope": slope}),
        (linear.linear, (R(5, 3), R(4, 3), R(4)), {"slope": slope}),
        (convolution.conv2d, (IMAGES, FILTERS, BIAS), {**WINDOW, "slope": slope}),
        (
            convolution.conv2d_input_grad,
            (IMAGES, FILTERS, BIAS),
            {"input_shape": IMAGES.shape, **WINDOW, "slope": slope},
        ),
        (normalization.batch_norm, (IMAGES, U(4), BIAS), {"eps": 1e-5, "slope": slope}),
    ]
CASES = pytest.mark.parametrize(
    ("op", "arrays", "params"),
    [pytest.param(*row, id=f"{i}-{row[0].name}") for i, row in enumerate(CASES)],
)


def lost(x):
    return np.full_like(x, np.nan) if x.dtype.kind == "f" else x


def computed(op, arrays, params):
    """The result, a gradient of its shape, what the rules get, and whose gradients there are."""
    out = op.forward(*arrays, **params)
    if op.saves:
        out, saved = out
        params = {**params, "saved": saved}
    g = _rng.normal(size=np.shape(out)).astype("float32")
    with_rules = [i for i in range(op.arity) if op.joint is not None or op.vjps[i] is not None]
    return np.asarray(out), g, params, with_rules


@pytest.mark.parametrize("as_tensors", [False, True])
@CASES
def test_rules_read_only_what_they_say(op, arrays, params, as_tensors):
    out, g, params, with_rules = computed(op, arrays, params)
    make = nnlite.Tensor if as_tensors else np.asarray  # as in backward of a recorded backward
    for n in range(1, 1 + len(with_rules)):
        for wanted in itertools.combinations(with_rules, n):
            read = op.reads_for(wanted, op.arity, params)
            poisoned = [make(x if i in read else lost(x)) for i, x in enumerate(arrays)]
            known = make(out if ops.OUT in read else lost(out))
            expected = op.pull_back(make(g), make(out), [*map(make, arrays)], params, wanted)
            actual = op.pull_back(make(g), known, poisoned, params, wanted)
            for i in wanted:
                a, b = ops.values_of(actual[i]), ops.values_of(expected[i])
                assert np.isfinite(b).all()
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@CASES
def test_rules_read_all_that_they_say(op, arrays, params):
    """An edit of what is said to be read is refused, so some gradient must notice it.

    The rule of a loss reads its arguments on Tensors only: to arrays it gives what was saved.
    """
    out, g, params, with_rules = computed(op, arrays, params)
    for i in with_rules:
        for r in op.reads_for((i,), op.arity, params):
            if r != ops.OUT and arrays[r].dtype.kind != "f":
                continue  # labels: NaN is none of them
            known = lost(out) if r == ops.OUT else out
            changed = [lost(x) if j == r else x for j, x in enumerate(arrays)]
            noticed = False
            for make in (np.asarray, nnlite.Tensor):
                before = op.pull_back(make(g), make(out), [*map(make, arrays)], params, (i,))[i]
                after = op.pull_back(make(g), make(known), [*map(make, changed)], params, (i,))[i]
                noticed |= not np.array_equal(ops.values_of(before), ops.values_of(after))
            assert noticed, f"the gradient of argument {i} does not read {r}"


@CASES
def test_a_fresh_gradient_shares_memory_with_nothing(op, arrays, params):
    out, random, params, with_rules = computed(op, arrays, params)
    for g in (random, np.ones_like(random)) if op.fresh else ():
        pulled = op.pull_back(g, out, arrays, params, tuple(with_rules))
        kept = [g, out, *arrays, *(x for x in params.values() if isinstance(x, np.ndarray))]
        for i in with_rules:
            others = kept + [pulled[j] for j in with_rules if j != i]
            assert not any(np.may_share_memory(pulled[i], other) for other in others)


def test_every_operation_on_kernels_has_a_case(operations, operations_on_kernels):
    covered = {row.values[0] for row in CASES.args[1]}
    fresh = {op for op in operations if op.fresh}
    assert {op.name for op in (operations_on_kernels | fresh) - covered} == set()


@pytest.mark.parametrize("op", [linear.linear, convolution.conv2d, convolution.conv2d_input_grad])
def test_weights_may_be_edited_where_the_input_needs_no_gradient(op):
    """The gradient of the weights reads the input, that of the input the weights."""
    if op is linear.linear:
        x, w, params = R(5, 3), R(4, 3), {}
    else:
        x, w, params = IMAGES, FILTERS, dict(WINDOW)
        if op is convolution.conv2d_input_grad:
            params["input_shape"] = IMAGES.shape
    for own, other in ((1, 0), (0, 1)):
        tensors = [nnlite.Tensor(v.copy(), requires_grad=i == own) for i, v in enumerate((x, w))]
        y = np.sum(op(*tensors, None, **params) ** 2)
        expected = nnlite.grad(y, tensors[own], retain_graph=True)
        tensors[own].data[...] = 0  # only the gradient of the other one would read it
        found = nnlite.grad(y, tensors[own], retain_graph=True)
        np.testing.assert_array_equal(found, expected)
        tensors[other].data[...] = 0
        with pytest.raises(RuntimeError, match="was edited after the operation"):
            y.backward()
