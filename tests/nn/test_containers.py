"""Sequential and ModuleList."""

from collections import OrderedDict

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import containers


def test_sequential_is_a_sequence_of_its_modules():
    layers = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)]
    net = nn.Sequential(*layers)
    assert len(net) == 3
    assert net[0] is layers[0]
    assert net[-1] is layers[2]
    assert list(net) == layers
    assert list(net[1:]) == layers[1:]
    net.append(nn.Sigmoid())
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    del net[1]
    assert [type(m).__name__ for m in net] == ["Linear", "Linear", "Sigmoid"]
    net.insert(1, nn.ReLU())
    assert [type(m).__name__ for m in net] == ["Linear", "ReLU", "Linear", "Sigmoid"]
    net[1] = nn.Tanh()
    assert isinstance(net[1], nn.Tanh)
    with pytest.raises(IndexError, match="4 modules"):
        net[4]


def test_sequential_takes_names():
    net = nn.Sequential(OrderedDict(encoder=nn.Linear(2, 1), decoder=nn.Linear(1, 2)))
    assert net.encoder is net[0]
    assert next(iter(net.state_dict())) == "encoder.weight"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 4, rng=0), (5, 3)),
        (nn.Conv2d(2, 3, 3, padding=1, rng=0), (2, 2, 5, 4)),
        (nn.ConvTranspose2d(2, 3, 4, 2, 1, rng=0), (2, 2, 3, 4)),
        (nn.BatchNorm2d(2), (3, 2, 4, 4)),
        (nn.BatchNorm1d(3).eval(), (5, 3)),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "",
)
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.LeakyReLU(0.2), nn.LeakyReLU(-1.0)])
def test_fusing_an_activation_changes_neither_result_nor_gradients(layer, shape, activation):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def run(f):
        t = nnlite.Tensor(x, requires_grad=True)
        y = f(t)
        return y.data, nnlite.grad((y * y).sum(), [t, *layer.parameters()])

    fused, fused_grads = run(nn.Sequential(layer, activation))
    apart, apart_grads = run(lambda t: activation(layer(t)))
    # float32: sums of up to some hundred terms of order 1, in another order
    np.testing.assert_allclose(fused, apart, rtol=1e-5, atol=1e-5)
    for a, b in zip(fused_grads, apart_grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape", "operation"),
    [
        (nn.Linear(3, 4), (5, 3), "linear"),
        (nn.Conv2d(2, 3, 3), (2, 2, 5, 4), "conv2d"),
        (nn.ConvTranspose2d(2, 3, 4), (2, 2, 3, 4), "conv2d_input_grad"),
        (nn.BatchNorm2d(2), (3, 2, 4, 4), "batch_norm"),
        (nn.BatchNorm1d(3), (5, 3), "batch_norm"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_layer_and_its_activation_are_one_operation(layer, shape, operation):
    assert f"op={operation}" in repr(nn.Sequential(layer, nn.ReLU())(np.ones(shape)))


def test_every_layer_that_can_compute_its_activation_is_asked_to():
    layers = [kind for kind in vars(nn).values() if hasattr(kind, "_forward")]
    assert layers
    assert set(layers) == set(containers._FUSED_LAYERS)


def test_a_subclass_with_a_forward_of_its_own_is_not_fused():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    layer = Doubled(2, 2, rng=0)
    x = np.ones((1, 2))
    net = nn.Sequential(layer, nn.ReLU())
    np.testing.assert_array_equal(net(x).data, np.maximum(layer(x).data, 0))


def test_module_list_finds_parameters_that_a_plain_list_hides():
    net = nn.Module()
    net.hidden = [nn.Linear(1, 1)]
    with pytest.warns(UserWarning, match=r"hidden is a plain list.*ModuleList"):
        assert not list(net.parameters())
    net.hidden = nn.ModuleList(net.hidden).append(nn.Linear(1, 1))
    assert len(list(net.parameters())) == 4
    assert isinstance(net.hidden[:1], nn.ModuleList)


def test_containers_take_modules_only():
    with pytest.raises(TypeError, match=r"nn\.Sequential\(\*layers\)"):
        nn.Sequential([nn.Linear(1, 1)])
    with pytest.raises(TypeError, match="the class ReLU"):
        nn.Sequential(nn.Linear(1, 1), nn.ReLU)


def test_module_dict_finds_parameters_and_keeps_the_order():
    heads = nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.Tanh()})
    heads["c"] = nn.Linear(3, 1)
    heads.update([("d", nn.Identity())])
    assert list(heads) == list(heads.keys()) == ["a", "b", "c", "d"]
    assert list(heads.state_dict()) == ["a.weight", "a.bias", "c.weight", "c.bias"]
    assert "a" in heads
    assert "z" not in heads
    assert heads["b"] is dict(heads.items())["b"]
    heads["a"] = nn.Linear(2, 5)
    assert list(heads) == ["a", "b", "c", "d"]
    del heads["b"]
    assert [type(m).__name__ for m in heads.values()] == ["Linear", "Linear", "Identity"]
    assert len(heads) == 3
    with pytest.raises(KeyError, match="b"):
        del heads["b"]
    with pytest.raises(KeyError, match="already has an attribute"):
        heads["forward"] = nn.Tanh()
    with pytest.raises(TypeError, match="only Modules"):
        heads["f"] = np.tanh


def test_modules_hidden_on_purpose_are_no_mistake(recwarn):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)
            self._untrained = (nn.Linear(2, 2),)

    assert len(list(Net().parameters())) == 2
    assert not recwarn.list


def test_slices_of_a_container_can_be_deleted():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), nn.ReLU())
    del net[1:3]
    assert [(n, type(m).__name__) for n, m in net.named_children()] == [
        ("0", "Linear"), ("1", "ReLU"),
    ]  # fmt: skip
    del net[:]
    assert len(net) == 0


def test_names_in_a_container_are_text():
    with pytest.raises(TypeError, match="a name inside a module is text; got 1"):
        nn.ModuleDict({1: nn.ReLU()})


def test_a_container_takes_all_of_several_modules_or_none():
    row, named = nn.ModuleList([nn.ReLU()]), nn.ModuleDict({"a": nn.ReLU()})
    with pytest.raises(TypeError, match="only Modules go into a container; got int"):
        row.extend([nn.Tanh(), 3])
    with pytest.raises(TypeError, match="only Modules go into a container; got int"):
        named.update({"b": nn.Tanh(), "c": 3})
    assert (len(row), list(named)) == (1, ["a"])
    for wrong in (3, [nn.ReLU()], "ab"):
        with pytest.raises(TypeError, match="ModuleDict takes a mapping of names to modules"):
            named.update(wrong)
    named.update(nn.ModuleDict({"b": nn.Tanh()}))
    assert list(named) == ["a", "b"]
