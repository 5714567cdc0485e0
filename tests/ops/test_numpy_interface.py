"""NumPy's functions on Tensors: every one is decided; a refusal says what to use instead."""

import subprocess
import sys

import numpy as np
import pytest

import nnlite
from nnlite.ops import ALTERNATIVES, NONDIFFERENTIABLE, TABLE

# Functions of integers, dates, bits, text and files, and inspection: no Tensor gets there with a
# gradient.
NOT_FOR_TENSORS = set(
    [
        "bitwise_count",
        "bitwise_left_shift",
        "bitwise_right_shift",
        "left_shift",
        "right_shift",
        "gcd",
        "lcm",
        "packbits",
        "unpackbits",
        "busday_count",
        "busday_offset",
        "is_busday",
        "datetime_as_string",
        "isnat",
        "real_if_close",
        "sort_complex",
        "isneginf",
        "poly",
        "polyadd",
        "polyder",
        "polydiv",
        "polyint",
        "polymul",
        "polysub",
        "unique_all",
        "unique_counts",
        "unique_inverse",
        "unique_values",
        "broadcast_shapes",
        "asarray_chkfinite",
        "in1d",
        "row_stack",
        "trapz",
    ]
)


def dispatched(module):
    """The functions of a module that ask their arguments first (NumPy's two protocols)."""
    for name in module.__all__:
        f = getattr(module, name, None)
        if isinstance(f, np.ufunc) or type(f).__name__ == "_ArrayFunctionDispatcher":
            yield name, f


@pytest.mark.parametrize("module", [np, np.linalg], ids=["numpy", "linalg"])
def test_every_numpy_function_is_decided(module):
    undecided = [
        name
        for name, f in dispatched(module)
        if f not in TABLE
        and f not in NONDIFFERENTIABLE
        and f not in ALTERNATIVES
        and name not in NOT_FOR_TENSORS
    ]
    assert not undecided


def test_no_function_is_both_offered_and_refused():
    assert not set(TABLE) & set(ALTERNATIVES)
    assert not set(TABLE) & NONDIFFERENTIABLE
    assert not NONDIFFERENTIABLE & set(ALTERNATIVES)


@pytest.mark.parametrize(
    "f", sorted(ALTERNATIVES, key=lambda f: f.__name__), ids=lambda f: f.__name__
)
def test_a_refused_function_names_the_alternative(f):
    t = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="no derivative here") as error:
        t.__array_function__(f, (), (t,), {})
    assert ALTERNATIVES[f] in str(error.value)
    assert f"{f.__name__} has" in str(error.value)


def test_functions_of_submodules_are_refused_by_their_full_name():
    t = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"np\.fft\.fft has no derivative"):
        np.fft.fft(t)
    with pytest.raises(TypeError, match=r"np\.linalg\.qr has no derivative.*cholesky"):
        np.linalg.qr(np.eye(2) @ nnlite.Tensor(np.eye(2), requires_grad=True))


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda t: np.add(t, 1, out=np.zeros(2)), r"does not take out=.*use the value returned"),
        (lambda t: np.sum(t, out=np.zeros(())), r"does not take out="),
        (lambda t: np.sum(t, where=[True, False]), r"does not take where=.*np\.where"),
        (lambda t: np.mean(t, dtype="float32"), r"does not take dtype=.*astype"),
        (lambda t: np.max(t, initial=0.0), r"does not take initial="),
        (lambda t: np.var(t, where=[True, False]), r"does not take where="),
        (lambda t: np.copy(t, order="F"), r"does not take order="),
        (lambda t: np.matmul(t, t, axes=[(0,), (0,), ()]), r"does not take axes=.*moveaxis"),
        (lambda t: np.concatenate([t, t], dtype="float32"), r"does not take dtype="),
        (lambda t: np.pad(t, 1, mode="linear_ramp"), r"knows the modes constant, edge"),
        (lambda t: np.add.at(t, [0], 1.0), r"np\.add\.at does not work"),
        (lambda t: np.maximum.accumulate(t), r"np\.maximum\.accumulate does not work"),
        (lambda t: np.linalg.svd(np.ones((3, 2)) * t), r"full_matrices=False"),
        (lambda t: np.linalg.pinv(np.ones((3, 2)) * t, 0.1, rtol=0.1), r"got both"),
        (lambda t: np.einsum(t, [60], [60]), r"numbers from 0 to 51"),
        (lambda t: np.einsum("ij,jk", t), r"names 2 operands; got 1"),
        (lambda t: np.einsum("ij->i", t), r"does not fit an operand with 1 axes"),
        (lambda t: np.split(np.ones(3) * t[0], 2), r"Use np\.array_split"),
        (lambda t: np.cross(t, t), r"takes 3-vectors"),
        (lambda t: np.average(t, weights=[1.0]), r"need axis="),
        (lambda t: np.average(t, 0, weights=[1.0]), r"fit neither"),
        (lambda t: t.reshape(5), r"reshape of shape \(2,\) failed"),
        (lambda t: t + np.ones(3), r"add of shapes \(2,\), \(3,\) failed"),
        (lambda t: np.ones((3, 2)) @ np.ones((1, 2)) * t @ np.ones((3, 2)), r"matmul"),
        (lambda t: np.diag(np.ones((1, 1, 1)) * t), r"vector or a matrix"),
        (lambda t: t[np.array([0.5])], r"integers or booleans.*astype\(int\)"),
        (lambda t: np.tensordot(t, np.ones(3), 1), r"do not match along axes"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_so(call, advice):
    with pytest.raises((TypeError, ValueError, IndexError), match=advice):
        call(nnlite.Tensor([1.0, 2.0], requires_grad=True))


def test_a_matrix_product_that_does_not_fit_names_the_inner_lengths():
    with pytest.raises(ValueError, match=r"matmul of shapes \(2, 3\), \(4, 2\).*equal: 3 and 4"):
        nnlite.Tensor(np.ones((2, 3))) @ np.ones((4, 2))


def test_parameters_mean_what_numpy_means_by_position_and_by_name():
    x = np.arange(6.0).reshape(2, 3)
    t = nnlite.Tensor(x)
    assert np.sum(t, 1, None, None, True).shape == (2, 1)
    assert np.sum(a=t, axis=0).shape == (3,)
    assert np.mean(t, axis=None, dtype=None, out=None).shape == ()
    assert np.average(t, 1, [1.0, 2.0, 3.0], False, keepdims=True).shape == (2, 1)
    assert np.take(t, indices=[0, 1], axis=1).shape == (2, 2)
    assert np.reshape(t, (3, 2), order="C").shape == (3, 2)
    np.testing.assert_array_equal(np.var(t, 0, None, None, 1).data, np.var(x, 0, ddof=1))
    np.testing.assert_array_equal(np.clip(t, 1, None).data, np.clip(x, 1, None))


def test_names_that_numpy_gives_up_are_not_needed():
    code = (
        "import numpy as np\n"
        "for name in ('fix', 'in1d', 'row_stack', 'trapz'):\n"
        "    np.__dict__.pop(name, None)\n"
        "np.__getattr__ = lambda name: (_ for _ in ()).throw(AttributeError(name))\n"
        "import nnlite\n"
        "assert np.trunc(nnlite.Tensor(1.5)) == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fix_is_trunc():
    if not hasattr(np, "fix"):
        pytest.skip("this NumPy has no np.fix")
    assert nnlite.ops.TABLE[np.fix] is nnlite.ops.trunc


def test_pythons_round_is_numpys():
    t = nnlite.Tensor([1.256, -2.0], requires_grad=True)
    np.testing.assert_array_equal(round(t, 2).data, [1.26, -2.0])
    np.testing.assert_array_equal(round(t).data, [1.0, -2.0])
    np.testing.assert_array_equal(nnlite.grad(np.sum(round(t, 2)), t), [0, 0])


def test_functions_of_integers_are_numpys_own():
    t = nnlite.Tensor(np.array([200, 250], np.uint8))
    assert np.median(t) == 225
    hundreds = nnlite.Tensor(np.array([100, 100], np.uint8))
    assert np.linalg.norm(hundreds) == pytest.approx(141.4213562)
    x = nnlite.Tensor([1.0], requires_grad=True)
    found = nnlite.grad(np.sum(np.arctan2(x, np.array([100], np.uint8))), x)
    np.testing.assert_allclose(found, 100 / 10001)
    np.testing.assert_array_equal(nnlite.grad(np.sum(x ** np.array([0], np.uint16)), x), [0])
    y = nnlite.Tensor([0.5], requires_grad=True)
    found = nnlite.grad(np.sum(np.array([200], np.uint8) ** y), y)
    np.testing.assert_allclose(found, np.sqrt(200) * np.log(200), rtol=1e-14)
    total = np.einsum("i,i,i->", x, np.array([200], np.uint8), np.array([200], np.uint8))
    assert total == 40000
    assert nnlite.grad(total, x) == 40000


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u2", "i4", "i8"])
@pytest.mark.parametrize(
    "name", ["sigmoid", "softplus", "softmax", "log_softmax", "logsumexp", "relu"]
)
def test_activations_of_integers_are_those_of_the_same_floats(name, dtype):
    f = getattr(nnlite.ops, name)
    x = np.array([0, 1, 100, 125]).astype(dtype)
    np.testing.assert_array_equal(f(x), f(x.astype("f8")))
    np.testing.assert_array_equal(f(nnlite.Tensor(x)).data, f(x.astype("f8")))


def test_methods_of_ufuncs_on_integers_are_numpys_own():
    x = np.array([200, 250], np.uint8)
    t = nnlite.Tensor(x)
    for ufunc in (np.add, np.multiply, np.logaddexp, np.maximum, np.hypot):
        for method in ("reduce", "accumulate"):
            found, expected = getattr(ufunc, method)(t), getattr(ufunc, method)(x)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found.data, expected)
        np.testing.assert_array_equal(ufunc.outer(t, t).data, ufunc.outer(x, x))


def test_numpys_own_reason_is_given_where_a_composition_fails():
    t = nnlite.Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds"):
        np.linalg.norm(t, axis=2)
    with pytest.raises(TypeError, match=r"an axis is an integer; got 1\.5"):
        np.median(t, axis=1.5)
    with pytest.raises(ValueError, match="repeated axis"):
        np.moveaxis(t, (0, 1), (0, 0))
    with pytest.raises(ValueError, match="one piece or more; got 0"):
        np.array_split(t, 0)
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        np.average(t, weights=np.zeros((2, 3)))
    with pytest.raises(TypeError, match=r"exponent of matrix_power is an integer; got 2\.5"):
        np.linalg.matrix_power(t @ t.T, 2.5)
    with pytest.raises(ValueError, match="mode is one of valid, same, full; got 'abc'"):
        np.convolve(t[0], t[0], mode="abc")
    out = np.zeros(2)
    with pytest.raises(TypeError, match="does not take out="):
        np.take(t, [0, 1], out=out)
    assert not out.any()


@pytest.mark.parametrize(
    "f", [np.equal, np.less, np.isnan, np.argmax, np.nonzero, np.argsort, np.shape]
)
def test_facts_about_values_are_plain_arrays(f):
    x = np.array([0.5, 2.0, 1.0])
    t = nnlite.Tensor(x, requires_grad=True)
    args = (1.0,) if f in (np.equal, np.less) else ()
    actual, expected = f(t, *args), f(x, *args)
    assert not isinstance(actual, nnlite.Tensor)
    np.testing.assert_array_equal(actual, expected)


def test_ufunc_methods_with_a_name_of_their_own_work():
    x = np.arange(1.0, 7.0).reshape(2, 3)
    t = nnlite.Tensor(x, requires_grad=True)
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp):
        for axis in (0, 1, None):
            np.testing.assert_allclose(ufunc.reduce(t, axis).data, ufunc.reduce(x, axis))
        np.testing.assert_allclose(ufunc.outer(t, x).data, ufunc.outer(x, x))
    np.testing.assert_allclose(np.add.accumulate(t).data, np.add.accumulate(x))
    np.testing.assert_allclose(np.multiply.accumulate(t, 1).data, np.multiply.accumulate(x, 1))
    np.testing.assert_array_equal(np.logical_and.reduce(t > 1), [False, True, True])


def test_operators_work_with_arrays_lists_and_numbers_on_either_side():
    x, c = np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]])
    t = nnlite.Tensor(x, requires_grad=True)
    for other in (
        c,
        c.tolist(),
        2,
        2.0,
        np.float64(2),
        np.int64(2),
        np.array(2.0),
        nnlite.Tensor(c),
    ):
        plain = other.data if isinstance(other, nnlite.Tensor) else other
        for f in (
            lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b,
            lambda a, b: a**b, lambda a, b: a % b, lambda a, b: a // b,
        ):  # fmt: skip
            left, right = f(t, other), f(other, t)
            assert isinstance(left, nnlite.Tensor)
            assert isinstance(right, nnlite.Tensor)
            np.testing.assert_array_equal(left.data, f(x, plain))
            np.testing.assert_array_equal(right.data, f(np.asarray(plain), x))
    for other in (c, nnlite.Tensor(c), c.tolist()):
        plain = np.asarray(other.data if isinstance(other, nnlite.Tensor) else other)
        np.testing.assert_array_equal((t @ other).data, x @ plain)
        np.testing.assert_array_equal((other @ t).data, plain @ x)
    np.testing.assert_array_equal(np.stack(divmod(t, 2)).data, np.stack(divmod(x, 2)))
    np.testing.assert_array_equal(abs(-t).data, x)


def test_numbers_and_lists_never_promote_float32():
    t = nnlite.Tensor(np.ones((2, 2), "float32"), requires_grad=True)
    for other in (
        2,
        2.5,
        True,
        np.float64(2),
        np.float32(2),
        np.int64(2),
        np.uint8(3),
        [1, 2],
        [0.5, 2.0],
    ):
        for out in (
            t * other,
            other * t,
            t + other,
            other - t,
            t / other,
            other / t,
            t**other,
            np.maximum(t, other),
        ):
            assert out.dtype == "float32"
    assert (t @ [1.0, 2.0]).dtype == "float32"
    assert np.where(t > 0, t, 0.0).dtype == "float32"
    assert np.clip(t, np.float64(0), 1).dtype == "float32"
    for f in (
        np.mean,
        np.var,
        np.std,
        np.median,
        np.ptp,
        np.linalg.norm,
        np.linalg.det,
        np.trapezoid,
    ):
        assert f(t).dtype == "float32"
    assert nnlite.ops.logsumexp(t).dtype == "float32"
    # arrays promote as in NumPy, and the gradient comes back in the tensor's own dtype
    y = np.sum(t * np.ones(2))
    assert y.dtype == "float64"
    y.backward()
    assert t.grad.dtype == "float32"


def test_integer_and_boolean_arrays_may_stand_beside_tensors():
    t = nnlite.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = np.sum(t * np.array([1, 2, 3]) * np.array([True, False, True]))
    y.backward()
    np.testing.assert_array_equal(t.grad, [1, 0, 3])


def test_a_list_that_holds_tensors_with_gradients_is_refused():
    t = nnlite.Tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="silently drop its gradient"):
        np.sum([t, t])
    with pytest.raises(RuntimeError, match="silently drop its gradient"):
        nnlite.Tensor([t, t])
    with pytest.raises(RuntimeError, match="silently drop its gradient"):
        t * [t, t]


def test_functions_on_plain_arrays_give_plain_arrays():
    x = np.array([[0.5, -1.0], [2.0, 0.0]])
    for name in ("sigmoid", "softplus", "relu", "softmax", "logsumexp", "exp", "sum"):
        f = getattr(nnlite.ops, name)
        assert isinstance(f(x), np.ndarray | np.floating)


@pytest.mark.parametrize("subscripts", ["ii", "ii->i", "iij->j", "ij,ii->j"])
def test_a_diagonal_needs_axes_of_one_length(subscripts):
    # np.diagonal would take the shorter one without a word
    first = np.ones((2, 3, 2)[: 3 if "iij" in subscripts else 2])
    operands = [first, np.ones((2, 3))][: 1 + ("," in subscripts)]
    with pytest.raises(ValueError, match="of lengths 2 and 3"):
        np.einsum(subscripts, *[nnlite.Tensor(a) for a in operands])
    with pytest.raises(ValueError, match="dimension"):
        np.einsum(subscripts, *operands)
