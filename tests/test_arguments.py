"""The gate: the same numbers whatever they come in, and a way out of every refusal."""

import decimal

import numpy as np
import pytest

import nnlite
from nnlite._arguments import as_array


def test_an_array_of_numbers_is_shared():
    for dtype in ("f4", "f8", "i8", "u1", "?"):
        a = np.zeros((2, 3), dtype)
        assert as_array(a) is a


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", ["f2", "f4", "f8", "i2", "u8"])
def test_any_byte_order_gives_the_same_numbers(order, code):
    a = as_array(np.array([1, 2, 300], order + code))
    assert a.dtype.isnative
    assert a.dtype == np.dtype(code)
    assert a.tolist() == [1, 2, 300]


@pytest.mark.parametrize(
    "data",
    [[[1.0, 2.0]], ((1, 2),), np.ma.array([[1, 2]]), nnlite.Tensor([[1, 2]])],
    ids=["list", "tuple", "mask without entries", "Tensor"],
)
def test_what_holds_numbers_becomes_a_plain_array(data):
    a = as_array(data)
    assert type(a) is np.ndarray
    assert a.tolist() == [[1, 2]]


def test_a_frame_becomes_an_array_or_names_its_odd_columns():
    class Frame:  # what the gate asks of a pandas frame
        columns = ("age", "name")
        dtypes = (np.dtype("f8"), np.dtype("O"))

        def __init__(self, rows, dtype):
            self.rows, self.dtype = rows, dtype

        def __array__(self, dtype=None, copy=None):
            return np.array(self.rows, dtype or self.dtype)

    assert as_array(Frame([[1, 2]], float)).tolist() == [[1, 2]]
    with pytest.raises(TypeError, match="columns that are not plain numbers: name"):
        as_array(Frame([[1, "x"]], object), "X")


def test_a_frame_of_numbers_and_bools_becomes_numbers():
    class Frame:  # as pandas does: of columns without a common dtype it makes objects
        columns = ("height", "count", "smokes")
        dtypes = (np.dtype("f4"), np.dtype("i8"), np.dtype("?"))

        def __array__(self, dtype=None, copy=None):
            return np.array([[1.5, 2, True], [0.5, 3, False]], dtype or object)

    array = as_array(Frame(), "X")
    assert array.dtype == np.float64
    assert array.tolist() == [[1.5, 2, 1], [0.5, 3, 0]]


class Sparse:
    def toarray(self):
        return np.zeros((2, 2))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.ma.masked_array([1.0, 999], [0, 1]), ValueError, "masked entries"),
        ([np.ma.masked_array([1.0, 999], [0, 1])], ValueError, "masked entries"),
        ([1.0, np.ma.masked], ValueError, "masked entries"),
        (np.ma.zeros(2, [("x", float)]), TypeError, "records"),
        (Sparse(), TypeError, "toarray"),
        ([[1, 2], [3]], ValueError, "ragged"),
        ([1j], TypeError, "complex"),
        (["a"], TypeError, "text"),
        (np.array(["2026-01-01"], "datetime64[D]"), TypeError, "dates"),
        (None, TypeError, "returns nothing"),
        (np.array([1, 2.5], object), TypeError, "astype"),
        ([decimal.Decimal(1)], TypeError, "Decimal"),
        ([10**30], TypeError, "Python objects"),
        (np.zeros(2, [("x", float)]), TypeError, "records"),
        ((i for i in range(3)), TypeError, "generator"),
        ({1, 2}, TypeError, "set"),
        ({"x": 1}, TypeError, "dict"),
    ],
)
def test_what_holds_no_numbers_is_refused_by_name(data, error, words):
    with pytest.raises(error, match=words) as caught:
        as_array(data, "X")
    assert "X" in str(caught.value)


def test_a_dtype_converts():
    assert as_array([1, 2], dtype="f4").dtype == np.float32
    assert as_array(np.array([1.5]), dtype=np.float64).dtype == np.float64
