"""Checkpoints: what does not belong to the run is refused, and nothing changes."""

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim
from nnlite.random import default_rng
from nnlite.training import load_checkpoint, save_checkpoint


def _run(kind=optim.Adam, dtype="float32", schedule=optim.lr_scheduler.ExponentialLR, **settings):
    net = nn.Linear(2, 1, rng=0).to(dtype)
    optimizer = kind(net.parameters(), lr=0.1)
    net(np.ones((3, 2), dtype)).sum().backward()
    optimizer.step()
    return {
        "net": net,
        "optimizer": optimizer,
        "schedule": schedule(optimizer, **(settings or {"gamma": 0.5})),
    }


def _state(parts):
    return {name: part.state_dict() for name, part in parts.items()}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"kind": optim.SGD}, "that of Adam, this optimiser is SGD"),
        ({"kind": optim.AdamW}, "that of Adam, this optimiser is AdamW"),
        (
            {"schedule": optim.lr_scheduler.StepLR, "step_size": 2},
            "that of a ExponentialLR, this schedule is a StepLR",
        ),
        ({"dtype": "float64"}, r"net\.(weight|bias) is float32 in the checkpoint and float64 here"),
    ],
)
def test_parts_of_another_kind_or_precision_are_refused_and_nothing_changes(
    tmp_path, other, message
):
    save_checkpoint(tmp_path / "c", **_run())
    parts = _run(**other)
    before = repr(_state(parts))
    with pytest.raises(ValueError, match=message):
        load_checkpoint(tmp_path / "c", **parts)
    assert repr(_state(parts)) == before


def test_a_float64_checkpoint_is_not_cut_to_float32(tmp_path):
    save_checkpoint(tmp_path / "c", **_run(dtype="float64"))
    with pytest.raises(ValueError, match=r"is float64 in the checkpoint and float32 here"):
        load_checkpoint(tmp_path / "c", **_run())
    net = nn.Linear(2, 1).double()
    optimizer = optim.Adam(net.parameters())
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    load_checkpoint(tmp_path / "c", net=net, optimizer=optimizer, schedule=schedule)
    assert optimizer.state[net.weight]["exp_avg"].dtype == np.float64


@pytest.mark.parametrize("rng", [0, np.random.RandomState(0), np.random.PCG64(0), True])
def test_only_the_generator_of_the_run_is_kept(tmp_path, rng):
    with pytest.raises(TypeError, match=r"save_checkpoint: rng must be the Generator .* got"):
        save_checkpoint(tmp_path / "c", rng=rng)
    save_checkpoint(tmp_path / "c", rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"load_checkpoint: rng must be the Generator"):
        load_checkpoint(tmp_path / "c", rng=rng)


@pytest.mark.parametrize(
    ("epoch", "error"), [(4.7, TypeError), ("4", TypeError), (True, TypeError), (-1, ValueError)]
)
def test_an_epoch_that_counts_nothing_is_refused(tmp_path, epoch, error):
    with pytest.raises(error, match=r"epoch must be"):
        save_checkpoint(tmp_path / "c", epoch=epoch)
    assert not (tmp_path / "c").exists()


def test_numpys_integers_count_epochs(tmp_path):
    save_checkpoint(tmp_path / "c", epoch=np.int32(4))
    assert load_checkpoint(tmp_path / "c") == 4


def test_classes_and_other_things_without_a_state_are_refused(tmp_path):
    for part in (nn.Linear, None, 3):
        with pytest.raises(TypeError, match=r"net .* has no state_dict"):
            save_checkpoint(tmp_path / "c", net=part)


def test_a_generator_that_cannot_go_on_leaves_the_parts_alone(tmp_path):
    parts, rng = _run(), np.random.default_rng(1)
    save_checkpoint(tmp_path / "c", rng=rng, **parts)
    saved = nnlite.load(tmp_path / "c")
    saved["rng"]["state"] = {"state": "int:-1", "inc": "int:1"}
    nnlite.save(tmp_path / "c", saved)
    parts["net"].weight.data[...] = 7
    before = repr(_state(parts))
    drawn = default_rng().bit_generator.state, rng.bit_generator.state
    default_rng().bit_generator.state = np.random.PCG64(5).state
    moved = default_rng().bit_generator.state
    with pytest.raises((ValueError, OverflowError)):
        load_checkpoint(tmp_path / "c", rng=rng, **parts)
    assert repr(_state(parts)) == before
    assert (default_rng().bit_generator.state, rng.bit_generator.state) == (moved, drawn[1])


def test_an_interrupt_while_loading_changes_nothing(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "c", **_run())
    parts = _run()
    parts["net"].weight.data[...] = 7
    before = repr(_state(parts))
    load, interrupted = parts["schedule"].load_state_dict, []

    def interrupt(state):
        if not interrupted:
            interrupted.append(state)
            raise KeyboardInterrupt
        load(state)

    monkeypatch.setattr(type(parts["schedule"]), "load_state_dict", lambda _, s: interrupt(s))
    with pytest.raises(KeyboardInterrupt):
        load_checkpoint(tmp_path / "c", **parts)
    assert repr(_state(parts)) == before


def test_two_schedules_resume_in_either_order(tmp_path):
    def build():
        net = nn.Linear(1, 1, rng=0)
        o = optim.SGD(net.parameters(), lr=1.0)
        a, b = optim.lr_scheduler.ExponentialLR(o, 0.9), optim.lr_scheduler.StepLR(o, 3, 0.1)
        return {"b": b, "net": net, "o": o, "a": a}

    parts = build()
    for _ in range(4):
        parts["a"].step()
        parts["b"].step()
    save_checkpoint(tmp_path / "c", **parts)
    resumed = build()
    load_checkpoint(tmp_path / "c", **resumed)
    for _ in range(5):
        for run in (parts, resumed):
            run["b"].step()
            run["a"].step()
        assert parts["o"].param_groups[0]["lr"] == resumed["o"].param_groups[0]["lr"]


@pytest.mark.parametrize(
    "damage",
    [
        {"epoch": "x"}, {"epoch": -1}, {"epoch": 1.5}, {"parts": 3}, {"dropout": {}},
        {"dropout": {"net": 3}}, {"dropout": {"net": [1]}}, {"default_rng": 1}, {"extra": 1},
        {"default_rng": {"bit_generator": "PCG64"}},
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_is_refused_and_nothing_changes(tmp_path, damage):
    path, net = tmp_path / "run.safetensors", nn.Linear(2, 1, rng=0)
    save_checkpoint(path, net=net)
    nnlite.save(path, {**nnlite.load(path), **damage})
    net.weight.data[...] = 7
    default = default_rng(None).bit_generator.state
    with pytest.raises(ValueError, match=r"is no checkpoint|PCG64 is damaged"):
        load_checkpoint(path, net=net)
    np.testing.assert_array_equal(net.weight.data, 7)
    assert default_rng(None).bit_generator.state == default
