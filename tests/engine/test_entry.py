"""What comes into a Tensor: numbers, in plain arrays; and what is refused, with the way out."""

import math
import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import nnlite

MASKED = np.ma.masked_array([1.0, 2.0], [0, 1])


class Sparse:
    def toarray(self):
        return np.eye(2)


ENTRIES = {
    "Tensor": nnlite.Tensor,
    "tensor": nnlite.tensor,
    "data": lambda a: setattr(nnlite.Tensor(np.ones(2)), "data", a),
    "operator": lambda a: nnlite.Tensor(np.ones(2)) * a,
    "reflected": lambda a: nnlite.Tensor(np.ones(2)).__rsub__(a),
    "ufunc": lambda a: np.add(nnlite.Tensor(np.ones(2)), a),
    "matmul": lambda a: nnlite.Tensor(np.ones((2, 2))) @ a,
    "backward": lambda a: (nnlite.Tensor(np.ones(2), requires_grad=True) * 2).backward(a),
    "setitem": lambda a: nnlite.Tensor(np.ones(2)).__setitem__(..., a),
    "iadd": lambda a: nnlite.Tensor(np.ones(2)).__iadd__(a),
    "jacobian": lambda a: nnlite.jacobian(np.sin, a),
}


@pytest.mark.parametrize("enter", ENTRIES.values(), ids=ENTRIES.keys())
def test_masked_sparse_and_object_arrays_are_refused(enter):
    with pytest.raises(ValueError, match=r"masked entries.*filled"):
        enter(MASKED)
    with pytest.raises(TypeError, match=r"sparse array.*toarray"):
        enter(Sparse())
    with pytest.raises(TypeError, match=r"Python objects.*astype\(float\)"):
        enter(np.array([1.0, 2.0], object))


@pytest.mark.parametrize("enter", ENTRIES.values(), ids=ENTRIES.keys())
def test_numbers_of_any_byte_order_come_in(enter):
    enter(np.array([1.0, 2.0], ">f8"))
    enter(np.ma.masked_array([1.0, 2.0], [0, 0]))


def test_a_tensor_holds_native_plain_arrays():
    for data in (np.array([1.0], ">f4"), np.asmatrix([1.0]), np.ma.masked_array([1.0])):
        t = nnlite.Tensor(data)
        assert type(t.data) is np.ndarray
        assert t.dtype.isnative
    shared = np.ones(3)
    assert nnlite.Tensor(shared).data is shared
    copy = nnlite.tensor(shared)
    assert not np.shares_memory(copy.data, shared)
    assert not np.shares_memory(nnlite.tensor(copy).data, copy.data)


@pytest.mark.parametrize("arguments", [(3, 1), ([1.0], "float32"), ([1.0], np.float64), (1.0, 1)])
@pytest.mark.parametrize("make", [nnlite.Tensor, nnlite.tensor])
def test_the_second_argument_is_no_number_and_no_dtype(make, arguments):
    with pytest.raises(TypeError, match=r"requires_grad is True or False; got.*Tensor\(\[3, 1\]\)"):
        make(*arguments)


def test_the_dtype_asked_for_is_one_of_real_numbers():
    for dtype in ("complex64", object, "U3"):
        for make in (nnlite.Tensor, nnlite.tensor):
            with pytest.raises(TypeError, match="a Tensor holds real numbers; got dtype"):
                make([1.0], dtype=dtype)
    assert nnlite.Tensor([1.0], dtype=">f4").dtype.isnative


def test_integers_do_not_replace_the_values_of_what_is_trained():
    """Gradients would be cut to integers."""
    w = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    for values in (np.array([1, 2]), [3, 4], 5, np.array([True, False]), np.ones(2, "f2")):
        with pytest.raises(TypeError, match=r"requires grad.*values\.astype\('float64'\)"):
            w.data = values
    np.testing.assert_array_equal(w.data, [1.0, 2.0])
    w.data = np.array([0.5, 0.25], "float32")  # as model.float() does
    np.sum(w * w).backward()
    np.testing.assert_array_equal(w.grad, [1.0, 0.5])
    assert w.grad.dtype == "float32"
    free = nnlite.Tensor([1.0])
    free.data = np.array([3])
    assert free.dtype.kind == "i"


def test_integers_that_were_marked_by_hand_take_no_gradient():
    t = nnlite.Tensor([1, 2])
    t.requires_grad = True
    with pytest.raises(RuntimeError, match=r"requires grad and has dtype int.*dtype='float64'"):
        np.sum(t * 0.5).backward()
    assert t.grad is None


def test_edits_in_place_that_do_not_fit():
    t = nnlite.Tensor(np.zeros((2, 3)))
    counts = nnlite.Tensor(np.zeros(3, np.int64))
    for edit in (
        lambda: t.__iadd__(np.ones((4, 2, 3))),
        lambda: t.__setitem__(0, np.ones(4)),
        lambda: t.__imul__([1.0, 2.0]),
    ):
        with pytest.raises(ValueError, match=r"into a tensor of shape \(2, 3\) and dtype float64"):
            edit()
    with pytest.raises(TypeError, match=r"dtype float64 does not go into.*dtype int64"):
        counts += 0.5
    with pytest.raises(TypeError, match="complex"):
        t += 1j
    counts += 2
    counts //= 2
    counts %= 2
    np.testing.assert_array_equal(counts.data, [1, 1, 1])
    w = nnlite.Tensor(np.zeros(3), requires_grad=True)
    with nnlite.no_grad(), pytest.raises(ValueError, match=r"shape \(2, 3\).*shape \(3,\)"):
        w -= np.ones((2, 3))
    np.testing.assert_array_equal(w.data, np.zeros(3))


def test_floor_division_in_place_keeps_the_tensor():
    t = nnlite.Tensor([5.0, 7.0])
    same = t
    t //= 2
    t %= 2
    assert same is t
    np.testing.assert_array_equal(t.data, [0.0, 1.0])


def test_a_tensor_does_not_go_into_an_array():
    t, out = nnlite.Tensor([1.0], requires_grad=True), np.zeros((2, 1))
    with pytest.raises(RuntimeError, match=r"np\.stack.*not with np\.array\(\[t, u\]\)"):
        np.array([t, t])
    with pytest.raises(RuntimeError, match=r"np\.stack.*array\[i\] = t"):
        out[0] = t
    for f in (math.sqrt, math.exp, float):
        with pytest.raises(RuntimeError, match=r"np\.exp\(t\), not math\.exp"):
            f(t)


def test_a_step_that_makes_a_new_tensor_is_told():
    w = nnlite.Tensor([1.0], requires_grad=True)
    np.sum(w * w).backward()
    w = w - 0.1 * w.grad
    np.sum(w * w).backward()
    with (
        pytest.warns(UserWarning, match=r"result of 'subtract'.*w -= lr \* w\.grad"),
        pytest.raises(TypeError),
    ):
        w = w - 0.1 * w.grad


# ---- beside a Tensor -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "means"),
    [
        ((1, 2), [1.0, 2.0]),
        (range(2), [0.0, 1.0]),
        (Fraction(3, 2), 1.5),
        (Decimal("0.5"), 0.5),
        (2**70, 2.0**70),
        (np.float64(0.5), 0.5),
        (memoryview(np.array([1.0, 2.0])), [1.0, 2.0]),
        (np.asmatrix([1.0, 2.0])[0], [[1.0, 2.0]]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_numbers_of_every_kind_stand_beside_a_tensor(other, means):
    """What NumPy would turn into Python objects, or the rules could not compute with."""
    for f in (
        np.multiply,
        np.power,
        np.maximum,
        lambda x, y: np.power(y, x),
        lambda x, y: np.where([True, False], x, y),
    ):
        t, u = (nnlite.Tensor([0.5, 1.5], requires_grad=True) for _ in "tu")
        with np.errstate(all="ignore"):  # powers of 2**70
            got, expected = f(t, other), f(u, np.asarray(means))
            np.sum(got).backward()
            np.sum(expected).backward()
        assert got.dtype == "float64"
        assert type(got.data) is np.ndarray
        np.testing.assert_array_equal(got.data, expected.data)
        np.testing.assert_allclose(t.grad, u.grad)


@pytest.mark.parametrize("big", [2**63, np.uint64(2**63)], ids=["int", "uint64"])
def test_an_integer_beyond_int64_makes_floats_of_integers(big):
    counts = nnlite.Tensor([1, 2])
    for got in (counts * big, np.multiply(counts, big), np.where([False, False], counts, big) * 2):
        assert got.dtype == "float64"
    np.testing.assert_array_equal((counts * big).data, [2.0**63, 2.0**64])


def test_what_holds_no_numbers_does_not_stand_beside_a_tensor():
    t = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    for other in ("a", np.array(["a", "b"]), np.array([1, 2], "m8[s]"), {}, object(), b"a"):
        for f in (np.multiply, lambda x, y: np.where([True, False], x, y)):
            with pytest.raises(TypeError, match=r"an operand (holds|must hold)"):
                f(t, other)


@pytest.mark.parametrize("swap", [False, True], ids=["right", "left"])
def test_masked_entries_beside_a_tensor_are_refused(swap):
    """On either side, and by functions made of operations, too: none drops mask or gradient."""
    t = nnlite.Tensor([[1.0, 2.0]], requires_grad=True)
    masked = np.ma.masked_array([[1.0, 2.0]], [[1, 0]])
    a, b = (masked, t) if swap else (t, masked)
    for f in (
        np.add, np.kron, np.outer, np.vdot, np.vecdot, np.inner, operator.add, operator.sub,
        operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
        lambda a, b: np.block([[a], [b]]), lambda a, b: np.append(a, b),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=r"masked (entries|array).*filled"):
            f(a, b)


def test_a_masked_array_does_not_drop_the_gradient_of_what_it_is_joined_with():
    t = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    whole = np.ma.masked_array([1.0, 2.0])
    with pytest.raises(TypeError, match="drop its gradient"):
        whole - t
    assert (t - whole).requires_grad
    np.testing.assert_array_equal(whole - t.detach(), [0.0, 0.0])


def test_a_matrix_beside_a_tensor_multiplies_as_an_array_does():
    t = nnlite.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    product = np.kron(t, np.asmatrix(np.eye(2)))
    np.testing.assert_array_equal(product.data, np.kron(t.data, np.eye(2)))
    np.sum(product).backward()
    np.testing.assert_array_equal(t.grad, np.full((2, 2), 2.0))


def test_three_arguments_of_pow_name_no_inner_function():
    with pytest.raises(TypeError, match=r"^Tensor\.power\(\) takes 2"):
        pow(nnlite.Tensor([2.0]), 2, 3)
