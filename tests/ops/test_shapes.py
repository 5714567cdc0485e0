"""Claims for all shapes: broadcasting, reductions, indexing, joining; hypothesis draws examples."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlite
from nnlite.ops import indexing, shaping

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
DTYPES = st.sampled_from(["float32", "float64"])
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, shape, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def leaf(x):
    return nnlite.Tensor(x, requires_grad=True)


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0),
    DTYPES,
    DTYPES,
    SEEDS,
)
def test_a_stretched_argument_gets_the_sum_over_its_copies(shapes, dtype_x, dtype_y, seed):
    """The gradient of sum(x * y * c) towards x is sum(y * c) over the axes x was copied along."""
    a, b = shapes.input_shapes
    x, y = leaf(normal(seed, a, dtype_x)), leaf(normal(seed + 1, b, dtype_y))
    out = x * y
    assert out.shape == shapes.result_shape
    assert out.dtype == np.result_type(dtype_x, dtype_y)
    c = normal(seed + 2, out.shape, out.dtype)
    out.backward(c)
    for t, other in ((x, y), (y, x)):
        copies = np.broadcast_to(other.data, out.shape) * c
        extra = out.ndim - t.ndim
        axes = tuple(range(extra)) + tuple(
            i + extra for i, n in enumerate(t.shape) if n == 1 and out.shape[i + extra] != 1
        )
        expected = copies.sum(axis=axes, keepdims=True).reshape(t.shape)
        assert t.grad.shape == t.shape
        assert t.grad.dtype == t.dtype
        np.testing.assert_allclose(t.grad, expected, rtol=1e-4, atol=1e-5)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), SEEDS)
def test_unbroadcast_is_the_adjoint_of_broadcasting(shapes, seed):
    """<broadcast(x), g> = <x, unbroadcast(g)>."""
    x, g = normal(seed, shapes.input_shapes[0]), normal(seed + 1, shapes.result_shape)
    left = np.sum(np.broadcast_to(x, g.shape) * g)
    np.testing.assert_allclose(
        np.sum(x * shaping.unbroadcast(g, x.shape)), left, rtol=1e-10, atol=1e-10
    )


@given(st.data(), SHAPES, DTYPES, SEEDS)
def test_reductions_take_any_axes(data, shape, dtype, seed):
    axis = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)))
    keepdims = data.draw(st.booleans())
    x = normal(seed, shape, dtype)
    t = leaf(x)
    for f in (np.sum, np.mean, np.prod, np.max, np.min, np.var):
        if x.size == 0 and f is not np.sum and f is not np.prod:
            continue
        out = f(t, axis=axis, keepdims=keepdims)
        expected = np.asarray(f(x, axis=axis, keepdims=keepdims))
        assert (out.shape, out.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(out.data, expected, rtol=1e-4, atol=1e-5)
        g = nnlite.grad(out, t, np.ones(out.shape))
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        # sum, mean, max and min move with a constant: their gradients add up to the number of
        # results
        if f in (np.sum, np.max, np.min, np.mean) and x.size:
            np.testing.assert_allclose(
                np.sum(g), out.size * (x.size / out.size if f is np.sum else 1), rtol=1e-4
            )


@given(st.data(), hnp.array_shapes(max_dims=4, max_side=4), SEEDS)
def test_scatter_is_the_adjoint_of_indexing(data, shape, seed):
    """<x[i], g> = <x, scatter(g, i)> for slices, integers, new axes, index arrays and masks."""
    index = data.draw(
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
        | hnp.integer_array_indices(shape)
        | hnp.arrays(bool, shape)
    )
    x = normal(seed, shape)
    picked = x[index]
    g = normal(seed + 1, np.shape(picked))
    back = indexing.scatter(np.asarray(g), index=index, shape=shape)
    np.testing.assert_allclose(np.sum(picked * g), np.sum(x * back), rtol=1e-10, atol=1e-10)
    t = leaf(x)
    out = t[index]
    np.testing.assert_array_equal(out.data, picked)
    out.backward(g)
    np.testing.assert_array_equal(t.grad, back)


@given(st.data(), hnp.array_shapes(max_dims=3, max_side=4), SEEDS)
def test_the_gradient_of_padding_forgets_the_padding(data, shape, seed):
    widths = data.draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2)) for _ in shape]))
    mode = data.draw(st.sampled_from(["constant", "edge", "symmetric", "reflect", "wrap"]))
    assume(mode != "reflect" or min(shape) > 1)
    x = normal(seed, shape)
    t = leaf(x)
    out = np.pad(t, widths, mode=mode)
    np.testing.assert_array_equal(out.data, np.pad(x, widths, mode=mode))
    g = normal(seed + 1, out.shape)
    out.backward(g)  # padding is linear: <pad(x), g> = <x, adjoint(g)>
    np.testing.assert_allclose(np.sum(out.data * g), np.sum(x * t.grad), rtol=1e-10, atol=1e-10)


@given(st.data(), hnp.array_shapes(max_dims=3, max_side=3), SEEDS)
def test_moving_numbers_keeps_inner_products(data, shape, seed):
    """Permutations of entries are orthogonal: the gradient is the inverse move."""
    axes = data.draw(st.permutations(range(len(shape))))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    shift = data.draw(st.integers(-5, 5))
    x = normal(seed, shape)
    for f in (
        lambda t: np.transpose(t, axes),
        lambda t: np.reshape(t, (-1,)),
        lambda t: np.flip(t, axis),
        lambda t: np.roll(t, shift, axis),
        lambda t: np.moveaxis(t, axis, 0),
        lambda t: np.sort(t, axis),
        lambda t: np.expand_dims(t, axis),
    ):
        t = leaf(x)
        out = f(t)
        np.testing.assert_array_equal(out.data, f(x))
        out.backward(out.data)
        np.testing.assert_array_equal(t.grad, x)


@given(
    st.integers(1, 3), hnp.array_shapes(max_dims=3, max_side=3), st.data(), SEEDS,
)  # fmt: skip
def test_what_was_joined_gets_its_own_part_back(n, shape, data, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = [leaf(normal(seed + i, shape)) for i in range(n)]
    joined = np.concatenate(parts, axis)
    joined.backward(joined.data)
    for t in parts:
        np.testing.assert_array_equal(t.grad, t.data)
    for piece, t in zip(np.split(joined.detach(), n, axis), parts, strict=True):
        np.testing.assert_array_equal(piece.data, t.data)


@given(
    hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3), SEEDS
)
def test_matrix_products_of_all_shapes_are_bilinear(shapes, seed):
    """x @ y is linear in each factor, so <dL/dx, x> = <dL/dy, y> = <g, x @ y>."""
    a, b = shapes.input_shapes
    x, y = leaf(normal(seed, a)), leaf(normal(seed + 1, b))
    out = x @ y
    np.testing.assert_allclose(out.data, x.data @ y.data, rtol=1e-12, atol=1e-12)
    g = normal(seed + 2, out.shape)
    out.backward(g)
    total = np.sum(out.data * g)
    np.testing.assert_allclose(np.sum(x.grad * x.data), total, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.sum(y.grad * y.data), total, rtol=1e-9, atol=1e-9)


@given(SHAPES, DTYPES, SEEDS)
def test_arrays_in_any_memory_order_are_welcome(shape, dtype, seed):
    x = normal(seed, shape, dtype)
    for y in (x, np.asfortranarray(x), x.T, x[..., ::-1] if x.ndim else x):
        t = leaf(y)
        out = np.sum(np.exp(t) * t)
        out.backward()
        assert t.grad.shape == y.shape
        np.testing.assert_allclose(t.grad, np.exp(y) * (1 + y), rtol=1e-4, atol=1e-6)
