"""The walk back: every node once, sums over repeated use, any depth, no needless copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnlite


def leaf(x, dtype="float64"):
    return nnlite.Tensor(np.array(x, dtype), requires_grad=True)


def test_a_diamond_adds_both_ways():
    """y = (x^2 + x^2) * x^2 = 2 x^4, so y' = 8 x^3."""
    x = leaf(3.0)
    a = x * x
    y = (a + a) * a
    y.backward()
    assert x.grad == 8 * 27


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize("uses", [1, 2, 3, 5])
def test_repeated_use_adds_up_in_every_shape(shape, uses):
    """Sums of single numbers are NumPy scalars: the third use of a 0-d tensor is lost easily."""
    x = leaf(np.full(shape, 2.0))
    y = sum((x * k for k in range(1, uses)), x * 10.0)
    np.sum(y).backward()
    assert type(x.grad) is np.ndarray
    np.testing.assert_array_equal(x.grad, np.full(shape, 10 + uses * (uses - 1) / 2))
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, np.full(shape, 14 + uses * (uses - 1) / 2))
    assert type(x.grad) is np.ndarray


def test_a_tensor_used_twice_in_one_operation_counts_twice():
    x = leaf([1.0, 2.0])
    np.sum(x * x + x / x - x).backward()
    np.testing.assert_allclose(x.grad, 2 * x.data - 1)


def test_gradients_of_different_tensors_share_no_memory():
    """x + y hands the same array to both; later additions to one must not reach the other."""
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    out = np.sum(x + y)
    out.backward(retain_graph=True)
    assert not np.shares_memory(x.grad, y.grad)
    x.grad += 100
    np.testing.assert_array_equal(y.grad, [1, 1])
    g = nnlite.grad(out, [x, y, x])
    assert not np.shares_memory(g[0], g[1])
    assert not np.shares_memory(g[0], g[2])


def test_the_seed_is_not_edited_and_not_kept():
    x = leaf([1.0, 2.0])
    seed = np.array([3.0, 4.0])
    y = x + x * 2 + x
    y.backward(seed)
    np.testing.assert_array_equal(seed, [3, 4])
    assert not np.shares_memory(seed, x.grad)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from("+-*")), max_size=12
    )
)
def test_random_graphs_agree_with_the_chain_rule_carried_forward(steps):
    """The same program with dual numbers (value, derivative) gives the same slope."""
    values, slopes, tensors = [0.5], [1.0], [leaf(0.5)]
    for i, j, sign in steps:
        i, j = i % len(values), j % len(values)
        (a, b), (da, db), (s, t) = ((z[i], z[j]) for z in (values, slopes, tensors))
        if sign == "*":
            new = a * b / 2, (da * b + a * db) / 2, s * t / 2
        elif sign == "+":
            new = a / 2 + b, da / 2 + db, s / 2 + t
        else:
            new = a - b, da - db, s - t
        for z, entry in zip((values, slopes, tensors), new, strict=True):
            z.append(entry)
    if len(tensors) > 1:
        tensors[-1].backward()
        grad = tensors[0].grad
        assert 0.0 if grad is None else grad == pytest.approx(slopes[-1], rel=1e-12, abs=1e-12)


def test_a_graph_100_000_operations_deep_runs_and_is_let_go():
    x = leaf([1.0], "float32")
    y = x
    for _ in range(100_000):
        y = y + 1e-6
    y.backward()
    assert x.grad == [1.0]
    z = x
    for _ in range(100_000):
        z = z * 1.0
    del y, z  # deallocation of a chain that was never walked must not recurse either
    recorded = x
    for _ in range(2_000):
        recorded = recorded * 1.0
    g = nnlite.grad(np.sum(recorded * recorded), x, create_graph=True)
    assert nnlite.grad(g, x) == [2.0]


def test_repeated_use_costs_one_visit_each():
    """60 doublings are 2^60 paths and 60 nodes."""
    calls = 0

    def rule(g, _out, _x):
        nonlocal calls
        calls += 1
        return g

    same = nnlite.ops.Operation(lambda x: x.copy(), rule, name="same")
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = same(y)
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
    assert calls == 60


def test_grad_walks_only_towards_what_is_asked():
    visited = []

    def spy(name):
        return nnlite.ops.Operation(
            lambda x: x.copy(), lambda g, _out, _x: visited.append(name) or g, name=name
        )

    x, w = leaf(1.0), leaf(2.0)
    y = spy("left")(x) * spy("right")(w)
    assert nnlite.grad(y, w) == 1.0
    assert visited == ["right"]


def test_gradients_reach_intermediate_results_and_the_output_itself():
    x = leaf([1.0, 2.0])
    h = np.exp(x)
    y = np.sum(h * h)
    gy, gh, gx = nnlite.grad(y, [y, h, x])
    assert gy == 1.0
    np.testing.assert_allclose(gh, 2 * h.data)
    np.testing.assert_allclose(gx, 2 * h.data**2)
    with pytest.warns(UserWarning, match=r"result of 'exp'.*w -= lr \* w\.grad.*nnlite\.grad"):
        assert h.grad is None
    assert x.grad is None


def test_several_outputs_share_a_graph():
    x = leaf([1.0, 2.0])
    h = x * x
    a, b = np.sum(h), np.sum(h * x)
    a.backward(retain_graph=True)
    b.backward()
    np.testing.assert_allclose(x.grad, 2 * x.data + 3 * x.data**2)


def test_leaves_accumulate_until_grad_is_none():
    x = leaf(2.0)
    for i in range(1, 4):
        (x * x).backward()
        assert x.grad == 4 * i
    x.grad = None
    (x * x).backward()
    assert x.grad == 4


def test_retain_graph_allows_a_second_backward():
    x = leaf(2.0)
    y = np.exp(x) * x
    y.backward(retain_graph=True)
    once = x.grad.copy()
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * once)


def test_detach_cuts_the_graph():
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad == 3
    assert not (x.detach() * 2).requires_grad


def test_backward_from_a_leaf_gives_one():
    x = leaf(3.0)
    x.backward()
    assert x.grad == 1


def test_views_and_broadcasts_allocate_their_gradient_once():
    """The gradient of a sum is a broadcast view until it must be an array: no copy on the way."""
    seen = []

    def look(g, _out, _x):
        seen.append(g)
        return g

    spy = nnlite.ops.Operation(lambda x: x, look, name="spy")
    x = leaf(np.ones((50, 40)))
    y = np.sum(spy(np.transpose(spy(np.reshape(spy(x), (40, 50))))))
    y.backward()
    owners = {id(_base(g)) for g in seen}
    assert len(seen) == 3
    assert len(owners) <= 2  # reshaping a broadcast view has to copy once; nothing else does
    assert _base(seen[0]).size == 1
    assert x.grad.flags.writeable


def _base(x):
    while x.base is not None:
        x = x.base
    return x


def test_backward_leaves_the_values_alone():
    x, w = leaf([[1.0, 2.0]]), leaf([[3.0], [4.0]])
    before = x.data.copy(), w.data.copy()
    np.sum(np.tanh(x @ w) + x[0, 1] + np.max(x)).backward()
    np.testing.assert_array_equal(x.data, before[0])
    np.testing.assert_array_equal(w.data, before[1])


def test_a_failed_backward_leaves_no_gradient_behind():
    x, w = leaf([1.0, 2.0]), leaf([1.0, 1.0])
    h = w * 2
    y = np.sum(h * x)
    h.data[0] = 5.0
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()
    assert x.grad is None
    assert w.grad is None
