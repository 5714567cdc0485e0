"""States: what can be saved comes back as it was; what would not is refused."""

import collections
import enum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlite
from nnlite import nn, weights

KEYS = st.text(max_size=4) | st.integers() | st.sampled_from(["__metadata__", "a.b", "a", "1", 1])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["f4", "i2", "?"]).map(lambda code: np.ones((2, 0, 3), code))
    | st.integers(0, 9).map(np.array)
    | st.floats(width=32, allow_nan=False).map(lambda x: np.array([x, -x], np.float32))
)
STATES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(KEYS, inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def _equal(a, b):
    if isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        return
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(map(repr, a)) == list(map(repr, b))  # also True is not 1
        for k in a:
            _equal(a[k], b[k])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            _equal(x, y)
    else:
        assert a == b


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@settings(max_examples=150, deadline=None)
@given(state=STATES)
def test_a_state_comes_back_as_it_was(state, folder):
    nnlite.save(folder / "s", state)
    _equal(state, nnlite.load(folder / "s"))


@pytest.mark.parametrize(
    "state",
    [
        {1: np.ones(2), "1": np.zeros(3)},
        {True: np.ones(1), "True": np.zeros(2), "true": np.zeros(3)},
        {-1: np.ones(1), 10**30: np.zeros(1)},
        {"__metadata__": np.ones(2)},
        {"": np.ones(1), "a": {"": np.zeros(1)}},
        {"a": {"b": np.ones(1)}, "a.b": np.zeros(2), "a.b_": np.zeros(3)},
        {"nul\0": np.ones(1), "lone \ud800": np.zeros(1), "deep": {"\udcff": "\udcff"}},
        {"ω": np.ones(1), "🙂": np.zeros(2)},
        {"x": {}, "y": [], "z": (), "w": [(), {}]},
        {},
        {"nan": float("inf"), "small": 5e-324, "negative": -0.0},
    ],
)
def test_odd_names_and_collisions_come_back(state, tmp_path):
    nnlite.save(tmp_path / "s", state)
    _equal(state, nnlite.load(tmp_path / "s"))


def test_kinds_that_become_plain_ones(tmp_path):
    Point = collections.namedtuple("Point", "x y")
    Colour = enum.IntEnum("Colour", "RED")
    state = {
        "tensor": nnlite.Tensor([1.0], requires_grad=True),
        "parameter": nn.Parameter(np.ones(2)),
        "scalar": np.float32(0.1),
        "flag": np.bool_(True),
        "named": Point(1, np.ones(1)),
        "ordered": collections.OrderedDict(a=1),
        "enum": Colour.RED,
        np.int64(3): "key",
        "matrix": np.ma.masked_array([1.0, 2.0], [False, False]),
    }
    nnlite.save(tmp_path / "s", state)
    back = nnlite.load(tmp_path / "s")
    assert back["scalar"] == float(np.float32(0.1))
    assert back["flag"] is True
    assert type(back["named"]) is tuple
    assert back["ordered"] == {"a": 1}
    assert back["enum"] == 1
    assert [(k, type(k)) for k in back if k == 3] == [(3, int)]
    assert type(back["matrix"]) is type(back["tensor"]) is type(back["parameter"]) is np.ndarray


def _circle():
    state = {}
    state["self"] = state
    return state


def _deep(levels):
    state = {"w": np.ones(1)}
    for _ in range(levels):
        state = {"a": state}
    return state


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({"w": np.ones(2, complex)}, TypeError, "save: w holds complex numbers"),
        ({"w": np.array([1, None])}, TypeError, "save: w "),
        ({"w": np.array(["a"])}, TypeError, "save: w holds text"),
        ({"w": np.array(["2020-01-01"], "M8[D]")}, TypeError, "save: w holds dates"),
        ({"w": np.zeros(2, [("a", "f4")])}, TypeError, "save: w holds records"),
        ({"w": np.ma.masked_array([1.0, 9.0], [0, 1])}, ValueError, "save: w has masked entries"),
        ({"a": {"b": [1, {2}]}}, TypeError, r"save: a\.b\.1 is set"),
        ({"w": b"bytes"}, TypeError, "save: w is bytes"),
        ({"w": 1j}, TypeError, "save: w is complex"),
        ({"f": len}, TypeError, "No code is ever stored"),
        ({"net": nn.Linear(1, 1)}, TypeError, r"net is Linear; save its state_dict\(\)"),
        ({None: 1}, TypeError, "has the key None; names must be text or integers"),
        ({"a": {1.5: 1}}, TypeError, r"save: a has the key 1\.5"),
        ({np.float64(3): 1}, TypeError, "has the key"),
        (_circle(), ValueError, "does it contain itself"),
        (_deep(101), ValueError, "more than 100 levels"),
        ({"n": 10**5000}, ValueError, "a number cannot be written as text"),
    ],
)
def test_what_would_not_come_back_is_refused_and_the_old_file_stays(
    state, error, message, tmp_path
):
    nnlite.save(tmp_path / "s", {"old": np.ones(1)})
    with pytest.raises(error, match=message):
        nnlite.save(tmp_path / "s", state)
    assert list(nnlite.load(tmp_path / "s")) == ["old"]


@pytest.mark.skipif(np.longdouble is np.float64, reason="no wider float here")
def test_a_dtype_that_the_format_lacks_is_refused(tmp_path):
    if np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("no wider float here")
    with pytest.raises(TypeError, match=r"save: w has dtype float\d+, which the safetensors"):
        nnlite.save(tmp_path / "s", {"w": np.ones(1, np.longdouble)})


def test_the_deepest_state_that_is_saved_is_loaded(tmp_path):
    nnlite.save(tmp_path / "s", _deep(99))
    _equal(_deep(99), nnlite.load(tmp_path / "s"))


def test_a_header_that_readers_refuse_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(weights.safetensors, "_LONGEST_HEADER", 1000)
    with pytest.raises(ValueError, match="Save long lists of numbers as arrays"):
        nnlite.save(tmp_path / "s", {"x": list(range(1000))})


def test_the_order_of_pytorchs_save_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"path first and the state second, unlike torch\.save"):
        nnlite.save(nn.Linear(1, 1), tmp_path / "s")
    with pytest.raises(TypeError, match="unlike torch"):
        nnlite.save({"w": np.ones(1)}, "name")
    with pytest.raises(TypeError, match="got the class Linear itself"):
        nnlite.save(tmp_path / "s", nn.Linear)
    with pytest.raises(TypeError, match="save takes the path of a file first; got int"):
        nnlite.save(3, {})
    with open(tmp_path / "f", "wb") as file:
        for call in (lambda: nnlite.save(file, {}), lambda: nnlite.load(file)):
            with pytest.raises(TypeError, match=r"BufferedWriter\. Pass its name instead"):
                call()


def test_paths_may_be_text_bytes_or_paths(tmp_path):
    for path in (str(tmp_path / "a"), bytes(tmp_path / "b"), tmp_path / "c"):
        nnlite.save(path, {"w": np.ones(1)})
        assert nnlite.load(path)["w"] == 1
