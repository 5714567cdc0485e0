"""Weights on disk: exact, atomic, no pickle."""

import os
import pickle
import stat

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim, weights


def _net(seed=0):
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=seed), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1, rng=seed)
    )


def test_weights_come_back_bit_for_bit(tmp_path):
    net, twin = _net(0), _net(1)
    net(np.random.default_rng(0).normal(size=(3, 1, 4, 4)))
    nnlite.save(tmp_path / "net.safetensors", net)
    state = nnlite.load(tmp_path / "net.safetensors")
    assert list(sorted(state)) == sorted(net.state_dict())
    twin.load_state_dict(state)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[k], v)
        assert state[k].dtype == v.dtype
        assert state[k].shape == v.shape
        assert state[k].flags.writeable


def test_the_file_is_plain_safetensors_that_other_tools_read_and_write(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    load_file, save_file = library.load_file, library.save_file
    net = _net()
    nnlite.save(tmp_path / "a.safetensors", net)
    read = load_file(tmp_path / "a.safetensors")
    assert set(read) == set(net.state_dict())
    np.testing.assert_array_equal(read["3.weight"], net[3].weight.data)
    save_file({"w": np.arange(3.0)}, tmp_path / "b.safetensors")
    np.testing.assert_array_equal(nnlite.load(tmp_path / "b.safetensors")["w"], [0, 1, 2])


def test_arrays_with_any_strides_are_saved_as_they_are_indexed(tmp_path):
    x = np.arange(12.0).reshape(3, 4)
    nnlite.save(tmp_path / "x", {"t": x.T, "r": x[::-1, ::2], "s": nnlite.Tensor(3.0)})
    state = nnlite.load(tmp_path / "x")
    np.testing.assert_array_equal(state["t"], x.T)
    np.testing.assert_array_equal(state["r"], x[::-1, ::2])
    assert state["s"].shape == ()


def test_the_nested_state_of_an_optimiser_comes_back_with_its_types(tmp_path):
    net = _net()
    optimizer = optim.Adam(net.parameters(), betas=(0.5, 0.999))
    net(np.ones((2, 1, 4, 4))).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    nnlite.save(tmp_path / "opt", {"optimizer": state, "epoch": 3, "name": "dcgan", "none": None})
    back = nnlite.load(tmp_path / "opt")
    assert (back["epoch"], back["name"], back["none"]) == (3, "dcgan", None)
    assert back["optimizer"]["param_groups"] == state["param_groups"]
    assert list(back["optimizer"]["state"]) == list(state["state"])
    np.testing.assert_array_equal(
        back["optimizer"]["state"][0]["exp_avg"], state["state"][0]["exp_avg"]
    )
    optim.Adam(net.parameters()).load_state_dict(back["optimizer"])


@pytest.mark.parametrize("cut", [0, 4, 40, -1])
def test_a_truncated_file_is_refused(tmp_path, cut):
    path = tmp_path / "net.safetensors"
    nnlite.save(path, _net())
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"net\.safetensors is not a complete safetensors file"):
        nnlite.load(path)


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps({"w": np.ones(3)}))
    with pytest.raises(ValueError, match=r"Pickles of torch\.save are not read"):
        nnlite.load(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        nnlite.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no folder"):
        nnlite.save(tmp_path / "nowhere" / "x", {"w": np.ones(1)})


def test_what_cannot_be_saved_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "state"
    nnlite.save(path, {"w": np.ones(3)})
    for bad in ({"f": print}, {"w": np.array(["a"])}, {1.5: np.ones(1)}):
        with pytest.raises(TypeError, match="save"):
            nnlite.save(path, bad)
    with pytest.raises(TypeError, match="a Module or a mapping"):
        nnlite.save(path, np.ones(3))
    np.testing.assert_array_equal(nnlite.load(path)["w"], np.ones(3))


def test_a_crash_while_writing_leaves_the_old_file_and_no_debris(tmp_path, monkeypatch):
    path = tmp_path / "state"
    nnlite.save(path, {"w": np.ones(3)})

    def crash(*_):
        raise OSError("disk full")

    monkeypatch.setattr(weights.os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        nnlite.save(path, {"w": np.zeros(3)})
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["state"]
    np.testing.assert_array_equal(nnlite.load(path)["w"], np.ones(3))


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_files_have_ordinary_permissions(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    nnlite.save(tmp_path / "state", {"w": np.ones(1)})
    modes = [stat.S_IMODE(os.stat(tmp_path / n).st_mode) for n in ("other", "state")]
    assert modes[0] == modes[1]
