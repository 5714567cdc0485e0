"""Every method, property and operator of a Tensor, called once by somebody who knows the answer.

Edges, gradients and refusals have tests of their own; here no name is left out.
"""

import copy
import pickle

import numpy as np
import pytest

from nnlite import Tensor

M = np.array([[3.0, 1.0, 2.0], [-4.0, 0.5, 6.0]])
S = np.array([[3.0, 1.0], [-4.0, 0.5]])


def trainable(x=M):
    return Tensor(x.copy(), requires_grad=True)


def number(x):
    return Tensor(np.array(x))


def after_backward():
    t = trainable()
    (t * t).sum().backward()
    return t.grad


def set_data():
    t = Tensor(M)
    t.data = S
    return t


def set_grad():
    t = trainable()
    t.grad = M
    t.grad = None
    return t.grad


def edited(edit, x=M):
    """What ``edit`` makes of a tensor in place, which it must return or leave."""
    t = Tensor(np.array(x))
    kept = t.data
    edit(t)
    np.testing.assert_array_equal(kept, t.data)
    return t


#: name -> (a call, what it gives; a Tensor is compared by its values and dtype)
METHODS = {
    # what it holds
    "data": (set_data, S),
    "grad": (lambda: [after_backward(), set_grad()], [2 * M, None]),
    "requires_grad": (lambda: [Tensor(M).requires_grad, trainable().requires_grad], [False, True]),
    "requires_grad_": (
        lambda: [
            Tensor(M).requires_grad_().requires_grad,
            trainable().requires_grad_(False).requires_grad,
        ],
        [True, False],
    ),
    "is_leaf": (lambda: [trainable().is_leaf, (trainable() + 1).is_leaf], [True, False]),
    "shape": (lambda: Tensor(M).shape, (2, 3)),
    "ndim": (lambda: Tensor(M).ndim, 2),
    "size": (lambda: Tensor(M).size, 6),
    "dtype": (lambda: Tensor(np.float32([1])).dtype, np.dtype("float32")),
    "numpy": (lambda: Tensor(M).numpy(), M),
    "item": (lambda: number(2.5).item(), 2.5),
    "tolist": (lambda: Tensor(S).tolist(), S.tolist()),
    "detach": (lambda: [(t := trainable().detach()), t.requires_grad], [M, False]),
    "backward": (after_backward, 2 * M),
    "copy": (lambda: Tensor(M).copy(), M),
    "astype": (
        lambda: [Tensor(M).astype(kind) for kind in (np.float32, int, bool)],
        [np.float32(M), np.array([[3, 1, 2], [-4, 0, 6]]), np.ones((2, 3), bool)],
    ),
    # reductions and scans
    "sum": (lambda: [Tensor(M).sum(), Tensor(M).sum(axis=0)], [8.5, [-1.0, 1.5, 8.0]]),
    "mean": (lambda: Tensor(M).mean(axis=1, keepdims=True), [[2.0], [2.5 / 3]]),
    "var": (lambda: Tensor(S).var(axis=0, ddof=1), [24.5, 0.125]),
    "std": (lambda: Tensor(S).std(axis=0), [3.5, 0.25]),
    "max": (lambda: Tensor(M).max(axis=1), [3.0, 6.0]),
    "min": (lambda: Tensor(M).min(axis=1), [1.0, -4.0]),
    "prod": (lambda: Tensor(M).prod(axis=1), [6.0, -12.0]),
    "cumsum": (lambda: Tensor(M).cumsum(axis=1), [[3.0, 4.0, 6.0], [-4.0, -3.5, 2.5]]),
    "trace": (lambda: Tensor(M).trace(), 3.5),
    "diagonal": (lambda: Tensor(M).diagonal(1), [1.0, 6.0]),
    "argmax": (lambda: Tensor(M).argmax(axis=1), [0, 2]),
    "argmin": (lambda: Tensor(M).argmin(axis=1), [1, 0]),
    "argsort": (lambda: Tensor(M).argsort(axis=1), [[1, 2, 0], [0, 1, 2]]),
    "sort": (lambda: Tensor(M).sort(axis=1), [[1.0, 2.0, 3.0], [-4.0, 0.5, 6.0]]),
    "any": (lambda: Tensor(np.diag([0.0, 2.0])).any(axis=0), [False, True]),
    "all": (lambda: Tensor(np.array([[1.0, 1.0], [0.0, 1.0]])).all(axis=0), [False, True]),
    "dot": (lambda: Tensor(S).dot([1.0, 2.0]), [5.0, -3.0]),
    # shapes
    "T": (lambda: Tensor(M).T, [[3.0, -4.0], [1.0, 0.5], [2.0, 6.0]]),
    "mT": (lambda: Tensor(M[None]).mT, [[[3.0, -4.0], [1.0, 0.5], [2.0, 6.0]]]),
    "reshape": (lambda: Tensor(M).reshape(3, -1), [[3.0, 1.0], [2.0, -4.0], [0.5, 6.0]]),
    "transpose": (lambda: Tensor(M[None]).transpose(2, 0, 1).shape, (3, 1, 2)),
    "swapaxes": (lambda: Tensor(S).swapaxes(0, 1), [[3.0, -4.0], [1.0, 0.5]]),
    "squeeze": (lambda: Tensor(S[:, None]).squeeze(1), S),
    "flatten": (lambda: Tensor(S).flatten("F"), [3.0, -4.0, 1.0, 0.5]),
    "ravel": (lambda: Tensor(S).ravel(), [3.0, 1.0, -4.0, 0.5]),
    "repeat": (lambda: Tensor(S).repeat(2, axis=1), [[3.0, 3.0, 1.0, 1.0], [-4.0, -4.0, 0.5, 0.5]]),
    "take": (lambda: Tensor(M).take([2, 0], axis=1), [[2.0, 3.0], [6.0, -4.0]]),
    # each entry
    "clip": (lambda: Tensor(S).clip(0, 2), [[2.0, 1.0], [0.0, 0.5]]),
    "round": (lambda: number([1.26, -0.34]).round(1), [1.3, -0.3]),
    "exp": (lambda: number([0.0, np.log(2)]).exp(), [1.0, 2.0]),
    "log": (lambda: number([1.0, np.e]).log(), [0.0, 1.0]),
    "sqrt": (lambda: number([4.0, 2.25]).sqrt(), [2.0, 1.5]),
    "abs": (lambda: Tensor(S).abs(), [[3.0, 1.0], [4.0, 0.5]]),
    "sin": (lambda: number([0.0, np.pi / 6]).sin(), [0.0, 0.5]),
    "cos": (lambda: number([0.0, np.pi / 3]).cos(), [1.0, 0.5]),
    "tanh": (lambda: number([0.0, np.log(3)]).tanh(), [0.0, 0.8]),
    "sigmoid": (lambda: number([0.0, np.log(3)]).sigmoid(), [0.5, 0.75]),
    "relu": (lambda: Tensor(S).relu(), [[3.0, 1.0], [0.0, 0.5]]),
    # Python's operators and protocols
    "__add__": (lambda: Tensor(S) + 1, S + 1),
    "__radd__": (lambda: 1 + Tensor(S), S + 1),
    "__sub__": (lambda: Tensor(S) - 1, S - 1),
    "__rsub__": (lambda: 1 - Tensor(S), 1 - S),
    "__mul__": (lambda: Tensor(S) * 2, 2 * S),
    "__rmul__": (lambda: 2 * Tensor(S), 2 * S),
    "__truediv__": (lambda: Tensor(S) / 2, S / 2),
    "__rtruediv__": (lambda: 2 / Tensor(S), 2 / S),
    "__floordiv__": (lambda: Tensor(S) // 2, [[1.0, 0.0], [-2.0, 0.0]]),
    "__rfloordiv__": (lambda: 2 // Tensor(S), [[0.0, 2.0], [-1.0, 4.0]]),
    "__mod__": (lambda: Tensor(S) % 2, [[1.0, 1.0], [0.0, 0.5]]),
    "__rmod__": (lambda: 2 % Tensor(S), [[2.0, 0.0], [-2.0, 0.0]]),
    "__divmod__": (lambda: [*divmod(number([7.0]), 2)], [[3.0], [1.0]]),
    "__rdivmod__": (lambda: [*divmod(7, number([2.0]))], [[3.0], [1.0]]),
    "__pow__": (lambda: Tensor(S) ** 2, S * S),
    "__rpow__": (lambda: 2 ** Tensor(S), [[8.0, 2.0], [0.0625, np.sqrt(2)]]),
    "__matmul__": (lambda: Tensor(S) @ [1.0, 2.0], [5.0, -3.0]),
    "__rmatmul__": (lambda: [1.0, 2.0] @ Tensor(S), [-5.0, 2.0]),
    "__neg__": (lambda: -Tensor(S), -S),
    "__pos__": (lambda: +Tensor(S), S),
    "__abs__": (lambda: abs(Tensor(S)), np.abs(S)),
    "__round__": (lambda: [round(number([1.6])), round(number([1.26]), 1)], [[2.0], [1.3]]),
    "__invert__": (lambda: ~Tensor(np.array([True, False])), [False, True]),
    "__and__": (lambda: Tensor(np.array([True, False])) & True, [True, False]),
    "__or__": (lambda: Tensor(np.array([True, False])) | False, [True, False]),
    "__eq__": (lambda: Tensor(S) == 1, [[False, True], [False, False]]),
    "__ne__": (lambda: Tensor(S) != 1, [[True, False], [True, True]]),
    "__lt__": (lambda: Tensor(S) < 1, [[False, False], [True, True]]),
    "__le__": (lambda: Tensor(S) <= 1, [[False, True], [True, True]]),
    "__gt__": (lambda: Tensor(S) > 1, [[True, False], [False, False]]),
    "__ge__": (lambda: Tensor(S) >= 1, [[True, True], [False, False]]),
    "__hash__": (lambda: [*{(t := Tensor(S)): "kept"}.values(), {t: 1}[t]], ["kept", 1]),
    "__getitem__": (lambda: Tensor(M)[1, ::2], [-4.0, 6.0]),
    "__setitem__": (
        lambda: edited(lambda t: t.__setitem__((1, slice(None)), 7.0)),
        [[3.0, 1.0, 2.0], [7.0, 7.0, 7.0]],
    ),
    "__iadd__": (lambda: edited(lambda t: t.__iadd__(1)), M + 1),
    "__isub__": (lambda: edited(lambda t: t.__isub__(1)), M - 1),
    "__imul__": (lambda: edited(lambda t: t.__imul__(2)), 2 * M),
    "__itruediv__": (lambda: edited(lambda t: t.__itruediv__(2)), M / 2),
    "__ifloordiv__": (
        lambda: edited(lambda t: t.__ifloordiv__(2)),
        [[1.0, 0.0, 1.0], [-2.0, 0.0, 3.0]],
    ),
    "__imod__": (lambda: edited(lambda t: t.__imod__(2)), [[1.0, 1.0, 0.0], [0.0, 0.5, 0.0]]),
    "__ipow__": (lambda: edited(lambda t: t.__ipow__(2)), M * M),
    "__imatmul__": (lambda: Tensor(S).__imatmul__([1.0, 2.0]), [5.0, -3.0]),
    "__bool__": (lambda: [bool(number(0.0)), bool(number(2.0))], [False, True]),
    "__float__": (lambda: float(number(2.5)), 2.5),
    "__int__": (lambda: int(number(2.5)), 2),
    "__index__": (lambda: [10, 20, 30][number(1)], 20),
    "__format__": (lambda: f"{number(2.5):.2f}", "2.50"),
    "__len__": (lambda: len(Tensor(M)), 2),
    "__iter__": (lambda: [*Tensor(S)], [[3.0, 1.0], [-4.0, 0.5]]),
    "__contains__": (lambda: [0.5 in Tensor(S), 0.6 in Tensor(S)], [True, False]),
    "__copy__": (lambda: [(t := copy.copy(trainable())), t.requires_grad], [M, True]),
    "__deepcopy__": (lambda: [(t := copy.deepcopy(trainable())), t.requires_grad], [M, True]),
    "__reduce__": (lambda: pickle.loads(pickle.dumps(Tensor(M))), M),
    "__repr__": (lambda: repr(number([1.0, 2.0])), "Tensor([1., 2.])"),
    "__array__": (lambda: np.asarray(Tensor(M)), M),
    "__array_ufunc__": (lambda: np.multiply(2.0, Tensor(S)), 2 * S),
    "__array_function__": (lambda: np.vstack([Tensor(S), Tensor(S)]), np.vstack([S, S])),
}
#: what the class body brings with it: no operator, or Python's own affair
ASIDE = {"__init__", "__getattr__", "__annotate__", "__annotate_func__"}


def test_no_name_is_left_out():
    public = {name for name in dir(Tensor) if not name.startswith("_")}
    ours = [vars(kind) for kind in Tensor.__mro__ if kind is not object]
    operators = {name for names in ours for name in names if name.startswith("__")}
    operators = {name for name in operators - ASIDE if callable(getattr(Tensor, name))}
    assert set(METHODS) == public | operators


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_the_right_value(name):
    call, expected = METHODS[name]
    assert_same(call(), expected)


def assert_same(found, expected):
    if isinstance(found, Tensor):
        assert isinstance(expected, list | float | np.ndarray), "no tensor was expected"
        assert found.dtype == np.asarray(expected).dtype
        found = found.data
    if isinstance(found, list) and not isinstance(found[0], float | int):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(found, np.ndarray):
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)
    else:
        assert found == expected
