"""The unrolled operators do what ``record`` does, in everything that it notes."""

import numpy as np
import pytest

import nnlite
from nnlite import Tensor
from nnlite.engine.edits import edited
from nnlite.engine.operators import OPERATORS
from nnlite.engine.tensor import record

ROW = np.array([1.5, 2.0, 3.0])
OPERANDS = {
    "a number": 2.0,
    "a NumPy number": np.float64(2.0),
    "a list": [1.0, 2.0, 4.0],
    "a row": ROW,
    "a matrix": np.full((2, 3), 1.5),
    "single precision": np.array([1.5], "float32"),
    "many entries": np.full((50, 3), 1.5),
    "a constant Tensor": Tensor(ROW),
    "a leaf": Tensor(ROW, requires_grad=True),
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("y", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("grad", [True, False])
def test_an_unrolled_operator_is_record(name, y, grad):
    x = Tensor(ROW + 1, requires_grad=grad)
    t, expected = getattr(Tensor, name)(x, y), record(OPERATORS[name], (x, y), {})
    np.testing.assert_array_equal(t.data, expected.data)
    assert (t.dtype, t.requires_grad, t._grad) == (expected.dtype, expected.requires_grad, None)
    if expected._node is None:
        assert t._node is None
        return
    op, args, values, params, wanted, reads, _ = t._node
    assert (op, params, wanted, reads) == (*expected._node[:1], *expected._node[3:6])
    assert all(a is b for a, b in zip(args, expected._node[1], strict=True))
    for a, b in zip(values, expected._node[2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert edited(t._node, t) is None
    fingerprints = [node[6] if isinstance(node[6], bytes) else len(node[6] or ()) for node in
                    (t._node, expected._node)]  # fmt: skip
    assert fingerprints[0] == fingerprints[1]


def test_nothing_is_noted_where_nothing_is_recorded():
    x = Tensor(ROW, requires_grad=True)
    with nnlite.no_grad():
        assert (x * x)._node is None


def test_an_unrolled_operator_explains_what_does_not_fit():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        Tensor(ROW) * Tensor([1.0, 2.0])
