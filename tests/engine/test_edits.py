"""An edit through any Tensor that shows the same memory is caught; other edits are not accused."""

import mmap
import weakref

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim
from nnlite.engine import edits

SHAPE = (20, 30)  # more than is compared entry by entry

VIEWS = {
    "t": lambda t: t,
    "T": lambda t: t.T,
    "transpose": lambda t: np.transpose(t, (1, 0)),
    "swapaxes": lambda t: t.swapaxes(0, 1),
    "moveaxis": lambda t: np.moveaxis(t, 0, 1),
    "slice": lambda t: t[2:18],
    "strided": lambda t: t[::2, 3:],
    "slice of slice": lambda t: t[1:][2:],
    "newaxis": lambda t: t[:, None],
    "ellipsis": lambda t: t[...],
    "reshape": lambda t: t.reshape(-1),
    "ravel": lambda t: np.ravel(t),
    "flatten": lambda t: t.flatten(),
    "expand_dims": lambda t: np.expand_dims(t, 0),
    "squeeze": lambda t: np.squeeze(t[:, None], 1),
    "broadcast_to": lambda t: np.broadcast_to(t, (3, *SHAPE)),
    "flip": lambda t: np.flip(t, 0),
    "split": lambda t: np.split(t, 2)[0],
    "detach": lambda t: t.detach(),
    "Tensor of data": lambda t: nnlite.Tensor(t.data),
    "Tensor of a view of data": lambda t: nnlite.Tensor(t.data[1:, 1:].T),
    "mT": lambda t: t.mT,
    "rot90": lambda t: np.rot90(t),
    "sliding windows": lambda t: nnlite.Tensor(
        np.lib.stride_tricks.sliding_window_view(t.data, (3, 3))
    ),
}


def _set(t):
    t[(7,) * t.ndim if min(t.shape) > 7 else ...] = 5.0


def _add(t):
    t += 1e-9


def _data(t):
    t.data -= 1e-9


def _row(t):
    t[min(4, len(t) - 1)] += 1


def _fill(t):
    nn.init.zeros_(t)


EDITS = {"t[i] = v": _set, "t += v": _add, "t.data -= v": _data, "t[4] += 1": _row, "init": _fill}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_that_a_rule_reads_sees_edits_of_its_base(view, edit):
    base = nnlite.Tensor(np.ones(SHAPE))
    seen = view(base)
    x = nnlite.Tensor(np.ones(seen.shape), requires_grad=True)
    y = np.sum(x * seen)
    edit(base)
    with pytest.raises(RuntimeError, match=r"'multiply' needs an array that was edited"):
        y.backward()


WRITABLE = [k for k in VIEWS if k not in ("broadcast_to", "sliding windows")]


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("name", WRITABLE)
def test_a_base_that_a_rule_reads_sees_edits_of_its_views(name, edit):
    base = nnlite.Tensor(np.ones(SHAPE))
    x = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    y = np.sum(x * base)
    edit(VIEWS[name](base))
    with pytest.raises(RuntimeError, match=r"'multiply' needs an array that was edited"):
        y.backward()


def test_views_of_a_recorded_tensor_see_edits_too():
    w = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    h = w * 2
    y = np.sum(h.T * h.T)
    with nnlite.no_grad():
        h[13, 17] = 0
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: optim.Adam(p, lr=0.1),
        lambda p: optim.RMSprop(p, lr=0.1),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_optimisers_step_reaches_views(make, order):
    """A row of an embedding moves; the tied output layer reads the transposed matrix."""
    E = nn.Parameter(np.ones((50, 8)))
    E.data = np.asarray(E.data, order=order)
    h = nnlite.Tensor(np.ones((2, 8), "float32"), requires_grad=True)
    optimiser = make([E])
    l1, l2 = np.sum(E[np.array([4])]), np.sum(h @ E.T)
    l1.backward()
    optimiser.step()
    with pytest.raises(RuntimeError, match="'matmul' needs an array that was edited"):
        l2.backward()


def test_loading_a_state_reaches_views():
    layer = nn.Linear(20, 30)
    x = nnlite.Tensor(np.ones((2, 20), "float32"), requires_grad=True)
    y = np.sum(x @ layer.weight.T)
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()


@pytest.mark.parametrize("n", [1, 4, 8, 9, 64, 65, 100, 1000, 4097])
def test_any_entry_of_any_size_counts(n):
    for i in {0, n // 3, n // 2, n - 1}:
        w = nnlite.Tensor(np.ones(n), requires_grad=True)
        y = np.sum(w * w)
        with nnlite.no_grad():
            w.detach()[i] = 5.0
        with pytest.raises(RuntimeError, match="edited"):
            y.backward()


def test_a_result_that_its_rule_reads_is_watched_through_views():
    x = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    e = np.exp(x)
    y = np.sum(e)
    with nnlite.no_grad():
        e.reshape(-1)[333] = 0
    with pytest.raises(RuntimeError, match=r"'exp' needs an array that was edited.*its result"):
        y.backward()


# ---- no false alarms -----------------------------------------------------------------------


def test_an_edit_of_other_rows_of_the_same_memory_is_allowed():
    """A buffer that is filled row by row, each row used at once."""
    buffer, losses = nnlite.Tensor(np.zeros((5, 200))), []
    w = nnlite.Tensor(np.ones(200), requires_grad=True)
    for i in range(5):
        buffer[i] = float(i)
        losses.append(np.sum(buffer[i] * w))
    sum(losses).backward()
    np.testing.assert_array_equal(w.grad, np.full(200, 10.0))
    y = np.sum(buffer[:2] * w)
    buffer[2:] += 1
    buffer[-1, 100:] = 7
    y.backward()


def test_an_edit_before_the_operation_is_allowed():
    w = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    for _ in range(3):
        with nnlite.no_grad():
            w -= 0.1 * np.ones(SHAPE)
        w.grad = None
        np.sum(w * w).backward()
        np.testing.assert_allclose(w.grad, 2 * w.data)


def test_an_edit_of_a_copy_is_allowed():
    base = nnlite.Tensor(np.ones(SHAPE))
    x = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    y = np.sum(x * base)
    for copy in (base.copy(), nnlite.tensor(base.data), base[np.arange(20)], base * 1):
        copy += 1
        copy[...] = 3
    y.backward()
    np.testing.assert_array_equal(x.grad, np.ones(SHAPE))


def test_an_edit_of_memory_that_no_rule_reads_is_allowed():
    x = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    shift = nnlite.Tensor(np.ones(SHAPE))
    y = np.sum(x + shift)
    shift += 1
    with nnlite.no_grad():
        x += 1
    y.backward()
    np.testing.assert_array_equal(x.grad, np.ones(SHAPE))


def test_an_edit_that_failed_is_none():
    base = nnlite.Tensor(np.ones(SHAPE))
    x = nnlite.Tensor(np.ones(SHAPE), requires_grad=True)
    y = np.sum(x * base)
    with pytest.raises(ValueError, match=r"shape \(7,\).*into a tensor of shape \(20, 30\)"):
        base += np.ones(7)
    with pytest.raises(ValueError, match=r"shape \(7,\).*into a tensor of shape \(20, 30\)"):
        base[...] = np.ones(7)
    y.backward()


@pytest.mark.parametrize("n", [4, 400])
def test_replaced_data_leave_a_recorded_graph_right(n):
    """The graph keeps the old array, which nobody edited; so the derivative is that at the old."""
    x = nnlite.Tensor(np.full(n, 3.0), requires_grad=True)
    y = np.sum(x * x)
    x.data = np.zeros(n)
    y.backward()
    np.testing.assert_array_equal(x.grad, np.full(n, 6.0))


@pytest.mark.parametrize("n", [4, 400])
def test_replaced_data_are_noticed_where_the_tensor_itself_is_read(n):
    """Rules that record themselves work on Tensors: the old values are gone."""
    x = nnlite.Tensor(np.full(n, 3.0), requires_grad=True)
    y = np.sum(x * x)
    x.data = np.zeros(n)
    with pytest.raises(RuntimeError, match="edited"):
        nnlite.grad(y, x, create_graph=True)
    e = np.exp(x)
    y = np.sum(e)
    e.data = np.full(n, 2.0)
    with pytest.raises(RuntimeError, match="its result"):
        y.backward()


def test_data_of_another_shape_cannot_take_the_gradient():
    x = nnlite.Tensor(np.ones(3), requires_grad=True)
    y = np.sum(x * 2)
    x.data = np.ones((2, 3))
    with pytest.raises(RuntimeError, match=r"given data of shape \(2, 3\).*gradient has shape"):
        y.backward()
    assert x.grad is None


# ---- what is remembered ----------------------------------------------------------------------


def test_edits_of_arrays_that_are_gone_are_forgotten(monkeypatch):
    monkeypatch.setattr(edits, "_memories", {})
    monkeypatch.setattr(edits, "_room", edits._FEW)
    for _ in range(100):
        together = [nnlite.Tensor(np.ones(100)) for _ in range(150)]
        for t in together:
            t += 1
        np.ones(edits._FEW)  # so that addresses differ
        spare = together  # noqa: F841  two generations alive at a time
    assert len(edits._memories) <= edits._FEW
    assert edits._room == edits._FEW


def test_a_buffer_edited_in_many_places_stays_small_and_watched():
    buffer = nnlite.Tensor(np.zeros(3 * edits._MANY))
    x = nnlite.Tensor(np.ones(100), requires_grad=True)
    y = np.sum(buffer[:100] * x)
    for i in range(99, 2 * edits._MANY):
        buffer[i] = 1.0
    assert len(edits._memories[id(buffer.data)].parts) <= edits._MANY
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()


def test_an_edit_keeps_nothing_alive():
    array = np.ones(SHAPE)
    gone = weakref.ref(array)
    t = nnlite.Tensor(array)
    t[3] = 1.0
    t += 1
    del t, array
    assert gone() is None


@pytest.mark.parametrize(
    "memory",
    [
        lambda: bytearray(1600),
        lambda: memoryview(bytearray(1600)),
        lambda: mmap.mmap(-1, 1600),
        lambda: memoryview(np.zeros(200)),
    ],
    ids=["bytearray", "memoryview", "map", "an array's"],
)
def test_arrays_over_one_memory_that_know_nothing_of_each_other(memory):
    """Nothing but the addresses tells that one shows what the other edits."""
    buffer = memory()
    shown, other = nnlite.Tensor(np.frombuffer(buffer)), nnlite.Tensor(np.frombuffer(buffer))
    x = nnlite.Tensor(np.ones(100), requires_grad=True)
    y = np.sum(x * shown[:100])
    other[150] = 5.0
    y.backward()
    np.testing.assert_array_equal(x.grad, np.zeros(100))
    y = np.sum(x * shown[:100])
    other[3] = 5.0
    with pytest.raises(RuntimeError, match="edited after the operation"):
        y.backward()
