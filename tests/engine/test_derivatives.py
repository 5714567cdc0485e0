"""grad, jacobian, hessian, hvp: against closed forms, to third order."""

import numpy as np
import pytest

import nnlite


def leaf(x):
    return nnlite.Tensor(np.array(x, float), requires_grad=True)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
        h[i + 1, i + 1] += 200
    return h


def test_hessian_of_rosenbrock():
    x = np.random.default_rng(0).normal(size=5)
    np.testing.assert_allclose(nnlite.hessian(rosenbrock, x), rosenbrock_hessian(x), rtol=1e-12)


def test_hvp_is_the_hessian_times_a_vector():
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 5))
    np.testing.assert_allclose(nnlite.hvp(rosenbrock, x, v), rosenbrock_hessian(x) @ v, rtol=1e-12)


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_any_order(order):
    """The n-th derivative of sin is sin shifted by n pi / 2; that of x^5 falls to a constant."""
    x = leaf(0.7)
    y, z = np.sin(x), x**5
    expected = 0.7**5
    for k in range(order):
        y = nnlite.grad(y, x, create_graph=True)
        z = nnlite.grad(z, x, create_graph=True)
        expected *= (5 - k) / 0.7
    assert y.item() == pytest.approx(np.sin(0.7 + order * np.pi / 2), abs=1e-14)
    assert z.item() == pytest.approx(expected)


def test_the_gradient_of_a_gradient_reaches_all_inputs():
    """d/dw of |d/dx (w . x^2)|^2 = d/dw |2 w x|^2 = 8 w x^2."""
    x, w = leaf([1.0, 2.0]), leaf([3.0, -1.0])
    slope = nnlite.grad(np.sum(w * x * x), x, create_graph=True)
    np.sum(slope * slope).backward()
    np.testing.assert_allclose(w.grad, 8 * w.data * x.data**2)
    np.testing.assert_allclose(x.grad, 8 * w.data**2 * x.data)


def test_a_gradient_penalty_differentiates_through_a_network():
    """f(x) = v . tanh(W x): |df/dx|^2 by hand, its gradient by differences of the closed form."""
    rng = np.random.default_rng(3)
    W, v, x = leaf(rng.normal(size=(4, 3))), leaf(rng.normal(size=4)), leaf(rng.normal(size=3))

    def penalty(W, v, x):
        return np.sum(((v * (1 - np.tanh(W @ x) ** 2)) @ W) ** 2)

    slope = nnlite.grad(v @ np.tanh(W @ x), x, create_graph=True)
    total = np.sum(slope**2)
    assert total.item() == pytest.approx(penalty(W.data, v.data, x.data))
    for t, g in zip((W, v, x), nnlite.grad(total, [W, v, x]), strict=True):
        d = rng.normal(size=t.shape)
        ends = [
            penalty(*(s.data + h * d if s is t else s.data for s in (W, v, x)))
            for h in (1e-5, -1e-5)
        ]
        assert np.sum(g * d) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def test_jacobian_has_the_shape_of_result_and_argument():
    A = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(nnlite.jacobian(lambda x: A @ x, np.ones(3)), A)
    J = nnlite.jacobian(lambda x: x[:, None] * x, np.array([1.0, 2.0, 3.0]))
    assert J.shape == (3, 3, 3)
    e = np.eye(3)
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(J, np.einsum("ik,j->ijk", e, x) + np.einsum("i,jk->ijk", x, e))
    assert nnlite.jacobian(np.sum, np.ones((2, 2))).shape == (2, 2)


def test_integers_become_floats_and_float32_stays():
    assert nnlite.jacobian(lambda x: x**2, [1, 2]).dtype == "float64"
    assert nnlite.jacobian(lambda x: x**2, np.ones(2, "float32")).dtype == "float32"
    assert nnlite.hessian(lambda x: np.sum(x**3), np.ones(2, "float32")).dtype == "float32"


def test_functions_without_curvature_have_a_hessian_of_zeros():
    for f in (
        np.sum,
        lambda x: nnlite.Tensor(3.0),
        lambda x: np.sum(np.floor(x)),
        lambda x: np.max(x),
    ):
        np.testing.assert_array_equal(nnlite.hessian(f, [1.0, 2.0]), np.zeros((2, 2)))
        np.testing.assert_array_equal(nnlite.hvp(f, [1.0, 2.0], [1.0, 1.0]), np.zeros(2))
    np.testing.assert_array_equal(
        nnlite.jacobian(lambda x: nnlite.Tensor([1.0]), [1.0, 2.0]), [[0, 0]]
    )


def test_arguments_are_not_edited_and_no_grad_is_left_behind():
    x = leaf([1.0, 2.0])
    nnlite.hessian(rosenbrock, x)
    nnlite.grad(rosenbrock(x), x)
    assert x.grad is None
    np.testing.assert_array_equal(x.data, [1, 2])


def test_derivatives_work_inside_no_grad():
    with nnlite.no_grad():
        np.testing.assert_array_equal(nnlite.jacobian(lambda x: x**2, [3.0]), [[6]])
        np.testing.assert_array_equal(nnlite.hessian(lambda x: np.sum(x**3), [3.0]), [[18]])
        np.testing.assert_array_equal(nnlite.hvp(lambda x: np.sum(x**3), [3.0], [2.0]), [36])


def test_create_graph_without_dependence_still_gives_tensors():
    x = leaf([1.0, 2.0])
    g = nnlite.grad(np.sum(3 * x), x, create_graph=True)
    assert isinstance(g, nnlite.Tensor)
    np.testing.assert_array_equal(g.data, [3, 3])


def test_grad_returns_a_tuple_for_a_sequence():
    x, w = leaf(1.0), leaf(2.0)
    both = nnlite.grad(x * w, (x, w))
    assert both == (2.0, 1.0)
    assert all(type(g) is np.ndarray for g in both)
    assert type(nnlite.grad(x * w, x)) is np.ndarray
    assert nnlite.grad(x * 2, [x, w], allow_unused=True)[1] is None


def test_a_cotangent_that_is_a_tensor_is_differentiated_too():
    """<c, J v> is linear in c: the double-backward trick for a Jacobian-vector product."""
    x, v = leaf([0.5, 2.0]), np.array([1.0, -1.0])
    c = leaf([0.0, 0.0])
    vjp = nnlite.grad(np.exp(x), x, c, create_graph=True)
    np.testing.assert_allclose(nnlite.grad(vjp, c, v), np.exp(x.data) * v)


# ---- PyTorch's keywords, several outputs -------------------------------------------------------


def pair():
    x = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    w = nnlite.Tensor([3.0, 5.0], requires_grad=True)
    return x, w


def test_grad_takes_torchs_names():
    x, w = pair()
    y = x * w
    (gx, gw) = nnlite.grad(
        outputs=y,
        inputs=[x, w],
        grad_outputs=np.array([1.0, 10.0]),
        retain_graph=True,
        create_graph=False,
        only_inputs=True,
        allow_unused=True,
    )
    np.testing.assert_array_equal(gx, [3, 50])
    np.testing.assert_array_equal(gw, [1, 20])
    (gx,) = nnlite.grad(outputs=[y], inputs=[x], grad_outputs=[nnlite.Tensor(np.ones(2))])
    np.testing.assert_array_equal(gx, [3, 5])


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_of_several_outputs_are_added(create_graph):
    x, w = pair()
    outputs = [np.sum(x * w), x**2, np.sum(w)]
    found = nnlite.grad(outputs, [x, w], [None, [1.0, -1.0], 2.0], create_graph=create_graph)
    for g, expected in zip(found, ([3 + 2, 5 - 4], [1 + 2, 2 + 2]), strict=True):
        np.testing.assert_array_equal(getattr(g, "data", g) if create_graph else g, expected)
    if create_graph:
        np.testing.assert_array_equal(nnlite.grad(np.sum(found[0]), w), [1, 1])


def test_torch_adds_outputs_in_the_same_way():
    torch = pytest.importorskip("torch")
    x, w = pair()
    tx, tw = (torch.tensor(t.data, requires_grad=True) for t in (x, w))
    found = nnlite.grad([np.sin(x * w), np.sum(x)], [x, w], [np.array([2.0, 3.0]), None])
    expected = torch.autograd.grad(
        [torch.sin(tx * tw), tx.sum()], [tx, tw], [torch.tensor([2.0, 3.0]), None]
    )
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e.numpy(), rtol=1e-14)


def test_a_tensor_given_as_gradient_is_differentiated_too():
    """The trick of two reverse walks: a product with the Jacobian itself."""
    x, _ = pair()
    v = nnlite.Tensor([0.0, 0.0], requires_grad=True)
    (g,) = nnlite.grad([x**3], [x], [v], create_graph=True)
    np.testing.assert_allclose(nnlite.grad(g, v, [1.0, 10.0]), [3.0, 120.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x, y: nnlite.grad(np.sin), TypeError, r"not the function sin.*nnlite\.jacobian\(f"),
        (lambda x, y: nnlite.grad(lambda t: t, 1.0), TypeError, r"nnlite\.grad\(f\(x\), x\)"),
        (lambda x, y: nnlite.grad(y), TypeError, "inputs must be a Tensor or a list.*NoneType"),
        (lambda x, y: nnlite.grad(y, 1.0), TypeError, "inputs must be a Tensor or a list.*float"),
        (lambda x, y: nnlite.grad(y, {"w": x}), TypeError, r"list\(inputs\.values\(\)\)"),
        (lambda x, y: nnlite.grad(y, x, outputs=y), TypeError, "one thing"),
        (lambda x, y: nnlite.grad(y, x, 1.0, grad_outputs=1.0), TypeError, "one thing"),
        (lambda x, y: nnlite.grad(y, x, only_inputs=False), ValueError, r"backward\(\)"),
        (lambda x, y: nnlite.grad([y, y], x, [1.0]), ValueError, "2 outputs need as many"),
        (lambda x, y: nnlite.grad([], x), ValueError, "0 outputs"),
        (lambda x, y: nnlite.grad([y, nnlite.Tensor(1.0)], x), RuntimeError, "does not require"),
        (lambda x, y: nnlite.grad(y, x, np.array("a")), TypeError, "gradient holds text"),
        (lambda x, y: y.backward(1j), TypeError, "gradient holds complex"),
        (lambda x, y: y.backward(np.ma.masked), (TypeError, ValueError), "gradient"),
        (lambda x, y: nnlite.jacobian(x, np.sin), TypeError, r"jacobian\(f, x\); got Tensor for f"),
        (lambda x, y: nnlite.jacobian(np.sin, {"a": 1.0}), TypeError, "functions of one array"),
        (lambda x, y: nnlite.hessian(np.sum, (x, x)), TypeError, "functions of one array"),
        (lambda x, y: nnlite.jacobian(lambda t: (t, t), [1.0]), TypeError, "returned a tuple.*st"),
        (lambda x, y: nnlite.jacobian(np.sin, np.ma.masked_array([1.0], [1])), ValueError, "mask"),
        (lambda x, y: nnlite.hvp(np.sum, [1.0], [1j]), TypeError, "hvp: v holds complex"),
    ],
)
def test_misuse_of_derivatives_is_explained(call, error, words):
    x, w = pair()
    with pytest.raises(error, match=words):
        call(x, np.sum(x * w))


def test_points_may_be_lists_integers_or_of_another_byte_order():
    for point in ([1, 2], (1.0, 2.0), np.array([1, 2], ">i4"), np.array([1, 2], ">f8"), [True, 2]):
        np.testing.assert_array_equal(nnlite.jacobian(lambda t: t**2, point), np.diag([2.0, 4.0]))
        np.testing.assert_array_equal(nnlite.hvp(lambda t: np.sum(t**3), point, point), [6.0, 24.0])
