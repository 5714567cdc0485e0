"""The gate: the same numbers whatever they come in, and a way out of every refusal."""

import ast
import decimal
import enum
import re
from pathlib import Path

import numpy as np
import pytest

import nnlite
from nnlite._arguments import as_array, as_choice, as_flag, as_integer, as_number, is_integer


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


# ---- settings ----------------------------------------------------------------------------------


class Level(enum.IntEnum):
    THREE = 3


SPELLINGS = {  # of a number: Python's, NumPy's, and NumPy's in an array without axes
    "Python": lambda kind, value: value,
    "scalar": lambda kind, value: np.dtype(kind).type(value),
    "array": lambda kind, value: np.array(value, kind),
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize(
    ("check", "kinds", "value"),
    [
        (as_integer, ("i1", "u8", ">i4"), 3),
        (as_number, ("i1", "u8"), 3),
        (as_number, ("f2", "f4", "f8", "g"), 0.5),
        (as_flag, ("?",), True),
        (as_flag, ("?",), False),
    ],
)
def test_a_setting_becomes_pythons_whatever_it_comes_in(check, kinds, value, spelled):
    for kind in kinds:
        found = check(spelled(kind, value), "x")
        assert found == value
        assert type(found) is type(value)


def test_what_python_counts_with_is_an_integer():
    assert as_integer(Level.THREE, "x") == as_integer(nnlite.Tensor(3), "x") == 3
    assert type(as_integer(Level.THREE, "x")) is int
    assert is_integer(2**100)


ODD = [
    None,
    "3",
    [3],
    np.array([3]),
    np.array(["3"]),
    1j,
    object(),
    np.timedelta64(3),
    np.ma.masked,
]
BOOLS = [True, np.True_, np.array(True)]


@pytest.mark.parametrize(
    ("check", "wanted", "values"),
    [
        (as_integer, "an integer", [*ODD, *BOOLS, 3.0, np.float64(3), np.array(3.0), np.nan]),
        (as_number, "a number", [*ODD, *BOOLS, decimal.Decimal(3)]),
        (as_flag, "True or False", [*ODD, 1, 0, np.int8(1), 1.0]),
        (lambda x, name: as_choice(x, name, ("a", "b", "c")), "'a', 'b' or 'c'", [*ODD[:1], 1]),
    ],
    ids=["integer", "number", "flag", "choice"],
)
def test_another_kind_is_a_type_error_in_one_form(check, wanted, values):
    for value in values:
        with pytest.raises(TypeError, match=rf"^Linear: n must be {wanted}; got .*\.$"):
            check(value, "Linear: n")


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: as_integer(-1, "n", 0), "n must be an integer of at least 0; got -1."),
        (lambda: as_integer(np.int8(0), "n", 1), "n must be an integer of at least 1; got 0."),
        (lambda: as_number(NAN, "x"), "x must be a finite number; got nan."),
        (lambda: as_number(np.array(-INF), "x"), "x must be a finite number; got -inf."),
        (lambda: as_number(-1, "x", 0), "x must be a finite number of at least 0; got -1."),
        (lambda: as_number(INF, "x", 0), "x must be a finite number of at least 0; got inf."),
        (lambda: as_number(3, "x", 0, 1), "x must be a number from 0 to 1; got 3."),
        (lambda: as_number(0, "x", above=0), "x must be a finite number greater than 0; got 0."),
        (
            lambda: as_number(1, "x", 0, below=1),
            "x must be a number of at least 0 and less than 1; got 1.",
        ),
        (lambda: as_choice("d", "x", ("a", "b")), "x must be 'a' or 'b'; got 'd'."),
        (lambda: as_choice("d", "x", ("a",)), "x must be 'a'; got 'd'."),
    ],
)
def test_a_wrong_value_is_a_value_error_in_one_form(check, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check()


def test_the_ends_of_an_interval_belong_to_it_unless_it_is_open():
    assert [as_number(x, "x", 0, 1) for x in (0, 1, 0.5)] == [0, 1, 0.5]
    assert as_number(1e-300, "x", above=0, below=1) == 1e-300
    for x in (0, 1):
        with pytest.raises(ValueError, match="greater than 0 and less than 1"):
            as_number(x, "x", above=0, below=1)


def test_data_in_the_place_of_a_setting_are_told_where_they_belong():
    with pytest.raises(TypeError, match=r"an array of shape \(2, 3\)\. Make the Linear first"):
        as_integer(np.ones((2, 3)), "Linear: in_features")
    with pytest.raises(TypeError, match=r"an array of shape \(2,\)\. Data come first\."):
        as_number(nnlite.Tensor([1.0, 2.0]), "dropout: p")
    with pytest.raises(TypeError, match=r"got an array of shape \(2,\)\.$"):
        as_number(np.ones(2), "tol")


def test_a_long_value_is_shown_by_its_kind():
    with pytest.raises(TypeError, match=r"got a list\.$"):
        as_integer([0] * 100, "n")


#: Where NumPy's kinds of numbers are told apart that are no settings -> what they are.
NO_SETTINGS = {"weights/structure.py": "keys of a state that is saved"}
ABOVE_THE_ENGINE = ("autoencoders", "datasets", "likelihood", "nn", "optim", "pca", "training",
                    "weights", "_estimator.py", "random.py")  # fmt: skip


def own_checks(source):
    """Lines that tell NumPy's numbers or switches from others, as this module does for all."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    kinds = re.compile(r"np\.(integer|floating|number|bool_?)\b")
    tests = [n for n in calls if ast.unparse(n.func) == "isinstance"]
    return [n.lineno for n in tests if kinds.search(ast.unparse(n.args[1]))]


def test_settings_are_checked_in_one_place():
    package = Path(nnlite.__file__).parent
    found = {
        path.relative_to(package).as_posix(): own_checks(path.read_text("utf-8"))
        for path in package.rglob("*.py")
    }
    found = {k: v for k, v in found.items() if v and k.startswith(ABOVE_THE_ENGINE)}
    assert set(found) == set(NO_SETTINGS), "use nnlite._arguments"


def test_a_check_of_ones_own_is_noticed():
    assert own_checks("x = 1\nif isinstance(n, int | np.integer):\n    pass") == [2]
    assert own_checks("isinstance(x, (bool, np.bool_))") == [1]
    assert own_checks("isinstance(x, np.ndarray)") == []
