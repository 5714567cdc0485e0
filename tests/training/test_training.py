"""Mini-batches, progress and checkpoints."""

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim
from nnlite.training import batches, load_checkpoint, progress, save_checkpoint


def test_batches_visit_every_row_once_and_keep_rows_together():
    x, y = np.arange(10), 10 * np.arange(10)
    seen = list(batches(x, y, batch_size=4, rng=0))
    assert [len(a) for a, _ in seen] == [4, 4, 2]
    assert sorted(np.concatenate([a for a, _ in seen])) == list(range(10))
    assert all((b == 10 * a).all() for a, b in seen)


def test_batches_in_order_are_views_and_the_last_may_be_dropped():
    x = np.arange(10.0)
    first, *rest = batches(x, batch_size=4, shuffle=False, drop_last=True)
    assert np.shares_memory(first, x)
    assert len(rest) == 1
    assert list(batches(x, batch_size=20, drop_last=True)) == []


def test_a_generator_gives_a_new_order_each_epoch_and_a_seed_the_same():
    x = np.arange(50)
    rng = np.random.default_rng(0)
    epochs = [np.concatenate(list(batches(x, batch_size=8, rng=rng))) for _ in range(2)]
    assert (epochs[0] != epochs[1]).any()
    np.testing.assert_array_equal(epochs[0], np.concatenate(list(batches(x, batch_size=8, rng=0))))


def test_batches_refuse_impossible_requests_at_once():
    with pytest.raises(ValueError, match=r"\[3, 4\]"):
        batches(np.ones(3), np.ones(4), batch_size=2)
    with pytest.raises(ValueError, match="at least one"):
        batches(np.ones((0, 2)), batch_size=2)
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 1; got 0"):
        batches(np.ones(3), batch_size=0)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.ma.masked_array([1.0, 9.0], [0, 1]), ValueError, "array 1 of batches has masked"),
        (np.array(["a", "b"]), TypeError, "array 1 of batches holds text"),
        (np.array([1, None]), TypeError, "array 1 of batches"),
        ([[1.0], [1.0, 2.0]], ValueError, "array 1 of batches is a ragged list"),
        (3.0, ValueError, r"lengths \[2, 0\]"),
        (None, TypeError, "array 1 of batches is None"),
    ],
)
def test_batches_refuse_what_holds_no_numbers(array, error, message):
    with pytest.raises(error, match=message):
        batches(np.ones(2), array, batch_size=1)


def test_batches_refuse_sparse_arrays():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="toarray"):
        batches(sparse.eye(3), batch_size=1)


@pytest.mark.parametrize("size", [2.0, "2", True, np.bool_(True), None])
def test_a_batch_size_is_an_integer(size):
    with pytest.raises(TypeError, match="batch_size must be an integer; got"):
        batches(np.ones(3), batch_size=size)


def test_batches_take_lists_tensors_records_and_any_byte_order():
    records = np.zeros(3, [("a", "?"), ("b", "f4")])
    big = np.arange(3, dtype=">i4")
    arrays = ([1.0, 2.0, 3.0], nnlite.Tensor([4, 5, 6]), records, big)
    (batch,) = batches(*arrays, batch_size=np.int64(3), shuffle=False)
    assert [type(a) for a in batch] == [np.ndarray] * 4
    assert batch[1].tolist() == [4, 5, 6]
    assert batch[2].dtype == records.dtype
    assert batch[3].dtype == np.int32
    assert batch[3].dtype.isnative


@pytest.mark.parametrize("rng", [1.5, "0", np.random.RandomState(0), True])
def test_the_order_of_batches_comes_from_a_seed_or_a_generator(rng):
    with pytest.raises(TypeError, match="rng must be"):
        batches(np.ones(3), batch_size=1, rng=rng)


def test_without_rng_the_order_comes_from_the_seed_of_the_library():
    orders = []
    for _ in range(2):
        nnlite.seed(3)
        orders.append(np.concatenate(list(batches(np.arange(20), batch_size=6))).tolist())
    assert orders[0] == orders[1]
    assert orders[0] != list(range(20))


def test_dropping_the_last_batch_spares_batch_normalisation_a_single_row():
    net = nn.BatchNorm1d(2)
    x = np.random.default_rng(0).normal(size=(9, 2))
    *_, last = batches(x, batch_size=4)
    with pytest.raises(ValueError):
        net(last)
    assert [len(net(b)) for b in batches(x, batch_size=4, drop_last=True)] == [4, 4]


def test_progress_counts_and_smooths_losses():
    bar = progress(3, smoothing=0.5)
    shown = [bar.show(loss=nnlite.Tensor(float(i)))["loss"] for i in bar]
    assert shown == [0.0, 0.5, 1.25]


def test_progress_stops_a_diverged_training():
    with pytest.raises(FloatingPointError, match=r"loss is nan.*Lower the learning rate"):
        progress(1).show(loss=np.nan)


def test_an_interrupt_ends_the_loop_and_keeps_the_model():
    done = []
    with progress(10) as bar:
        for i in bar:
            done.append(i)
            if i == 3:
                raise KeyboardInterrupt
    assert bar.interrupted
    assert done == [0, 1, 2, 3]
    with pytest.raises(ZeroDivisionError), progress(1):
        1 / 0


def _run(tmp_path, stop_at=None, epochs=4):
    """Train with dropout, batch norm, momentum and a schedule; optionally stop and start afresh."""

    def build():
        nnlite.seed(0)
        net = nn.Sequential(
            nn.Linear(3, 8, rng=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=2),
            nn.Dropout(0.1), nn.Linear(8, 1, rng=3),
        )  # fmt: skip
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        return net, optimizer, optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    data = np.random.default_rng(5)
    x, y = data.normal(size=(40, 3)), data.normal(size=(40, 1))
    net, optimizer, schedule = build()
    rng = np.random.default_rng(7)
    epoch = 0
    while epoch < epochs:
        for a, b in batches(x, y, batch_size=16, rng=rng):
            optimizer.zero_grad()
            nn.MSELoss()(net(a), b).backward()
            optimizer.step()
        schedule.step()
        epoch += 1
        if epoch == stop_at:
            parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
            save_checkpoint(tmp_path / "run", rng=rng, epoch=epoch, **parts)
            net, optimizer, schedule = build()
            rng = np.random.default_rng(99)
            parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
            epoch = load_checkpoint(tmp_path / "run", rng=rng, **parts)
    return net.state_dict()


def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path):
    whole, resumed = _run(tmp_path), _run(tmp_path, stop_at=2)
    for k, v in whole.items():
        np.testing.assert_array_equal(resumed[k], v, err_msg=k)


def test_checkpoints_keep_generators_with_arrays_in_their_state(tmp_path):
    rng = np.random.Generator(np.random.MT19937(3))
    rng.random(5)
    save_checkpoint(tmp_path / "c", rng=rng)
    expected = rng.random(4)
    other = np.random.Generator(np.random.MT19937(4))
    load_checkpoint(tmp_path / "c", rng=other)
    np.testing.assert_array_equal(other.random(4), expected)
    with pytest.raises(ValueError, match=r"MT19937.*PCG64"):
        load_checkpoint(tmp_path / "c", rng=np.random.default_rng(0))


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    net = nn.Linear(1, 1)
    save_checkpoint(tmp_path / "c", net=net)
    with pytest.raises(ValueError, match="holds net; got model"):
        load_checkpoint(tmp_path / "c", model=net)
    with pytest.raises(ValueError, match="without rng="):
        load_checkpoint(tmp_path / "c", rng=np.random.default_rng(0), net=net)
    nnlite.save(tmp_path / "w", net)
    with pytest.raises(ValueError, match="no checkpoint"):
        load_checkpoint(tmp_path / "w", net=net)
    with pytest.raises(TypeError, match="no state_dict"):
        save_checkpoint(tmp_path / "c", data=np.ones(3))


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    def build(hidden, kind):
        net = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5, rng=0))
        extra = nn.Linear(3, hidden)
        return {"net": net, "head": extra, "optimizer": kind(net.parameters(), lr=0.1)}

    rng = np.random.default_rng(1)
    save_checkpoint(tmp_path / "c", rng=rng, **build(4, optim.SGD))
    parts = build(5, optim.SGD)  # the net fits, the head does not
    before = parts["net"].state_dict()
    other = np.random.default_rng(2)
    state = other.bit_generator.state
    with pytest.raises(RuntimeError, match=r"weight has shape \(4, 3\), the model needs \(5, 3\)"):
        load_checkpoint(tmp_path / "c", rng=other, **parts)
    for k, v in parts["net"].state_dict().items():
        np.testing.assert_array_equal(v, before[k])
    assert other.bit_generator.state == state
    parts = build(4, optim.SGD)
    parts["net"] = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
    with pytest.raises(ValueError, match="net was saved with 1 generators of its own"):
        load_checkpoint(tmp_path / "c", rng=other, **parts)


@pytest.mark.parametrize("switch", ["shuffle", "drop_last"])
def test_the_switches_of_batches_are_true_or_false(switch):
    with pytest.raises(TypeError, match=f"{switch} must be True or False; got 'no'"):
        batches(np.arange(3), batch_size=2, **{switch: "no"})
