"""Module: what it finds, saves, loads and switches."""

import copy
import pickle

import numpy as np
import pytest

import nnlite
from nnlite import nn


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()  # noqa: UP008 (the field's spelling)
        self.first = nn.Linear(3, 4, rng=0)
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(np.ones(1))
        self.rest = nn.Sequential(nn.ReLU(True), nn.Linear(4, 2, bias=False, rng=1))

    def forward(self, x):
        return self.rest(self.norm(self.first(x))) * self.scale


def test_state_has_own_parameters_first_then_the_children_in_order():
    assert list(Net().state_dict()) == [
        "scale", "first.weight", "first.bias",
        "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
        "norm.num_batches_tracked", "rest.1.weight",
    ]  # fmt: skip


def test_parameters_are_named_in_order_and_shared_ones_come_once():
    net = Net()
    net.tied = net.first
    names = [name for name, _ in net.named_parameters()]
    assert names[0] == "scale"
    assert "first.weight" in names
    assert not any(name.startswith("tied") for name in names)
    assert "tied.weight" in net.state_dict()


def test_a_plain_array_becomes_a_tensor_of_the_parameters_dtype():
    net = Net()
    y = net(np.ones((2, 3)))
    assert isinstance(y, nnlite.Tensor)
    assert y.dtype == np.float32


def test_a_tensor_in_the_graph_must_have_the_parameters_dtype():
    x = nnlite.Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(TypeError, match=r"input is float64.*float32.*astype"):
        nn.Linear(3, 2)(x)


def test_default_dtype_makes_parameters_float64():
    with nnlite.default_dtype("float64"):
        assert nn.Linear(2, 2).weight.dtype == np.float64
        assert nn.Parameter([1, 2]).dtype == np.float64
    assert nn.Parameter(np.ones(2)).dtype == np.float32
    assert nn.Linear(2, 2, dtype="float64").bias.dtype == np.float64


def test_states_travel_between_modules_and_are_copies():
    a, b = Net(), Net()
    a(np.random.default_rng(0).normal(size=(5, 3)))
    assert b.load_state_dict(a.state_dict()) == ([], [])
    x = np.ones((2, 3))
    np.testing.assert_array_equal(a.eval()(x).data, b.eval()(x).data)
    state = a.state_dict()
    a.scale.data[...] = 5
    assert state["scale"] == 1


def test_a_state_that_does_not_fit_is_listed_by_name_and_nothing_is_loaded():
    net = Net()
    state = {k: v + 1 for k, v in net.state_dict().items()}
    del state["first.bias"]
    state["extra"] = np.zeros(2)
    state["rest.1.weight"] = np.zeros((3, 3))
    before = net.state_dict()
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    for part in ("missing keys: first.bias", "unexpected keys: extra", "rest.1.weight", "(3, 3)"):
        assert part in str(error.value)
    after = net.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)


def test_without_strict_what_matches_is_loaded():
    net = Net()
    keys = net.load_state_dict({"scale": np.array([3.0]), "other": np.ones(1)}, strict=False)
    assert keys.unexpected_keys == ["other"]
    assert "first.weight" in keys.missing_keys
    assert net.scale.item() == 3


def test_train_and_eval_reach_every_module():
    net = Net().eval()
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())


def test_apply_visits_children_before_parents():
    seen = []
    Net().apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Linear", "Sequential", "Net"]


def test_the_initialisation_of_dcgan_runs_as_published():
    def weights_init(m):
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)

    nnlite.seed(0)
    net = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64, 0.8))
    net.apply(weights_init)
    assert abs(net[0].weight.data.std() - 0.02) < 0.001
    assert abs(net[1].weight.data.mean() - 1) < 0.02
    assert not net[1].bias.data.any()
    assert net[1].eps == 0.8


def test_gradients_are_forgotten_and_parameters_frozen():
    net = Net()
    net(np.ones((2, 3))).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad(set_to_none=False)
    assert not net.scale.grad.any()
    net.zero_grad()
    assert net.scale.grad is None
    net.requires_grad_(False)
    assert not net(np.ones((2, 3))).requires_grad


def test_modules_are_copied_and_pickled_with_their_dtype():
    net = nn.Linear(2, 2, dtype="float64", rng=0)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin.weight is not net.weight
        assert twin.weight.dtype == np.float64
        assert type(twin.weight) is nn.Parameter
        np.testing.assert_array_equal(twin.weight.data, net.weight.data)


def test_dtype_conversion_takes_buffers_along_but_not_counters():
    net = Net().double()
    kinds = {k: v.dtype.name for k, v in net.state_dict().items()}
    assert kinds.pop("norm.num_batches_tracked") == "int64"
    assert set(kinds.values()) == {"float64"}
    assert net.to("cpu") is net
    with pytest.raises(ValueError, match="CPU only"):
        net.to("cuda:0")


def test_registration_refuses_what_cannot_be_found_again():
    net = nn.Module()
    with pytest.raises(KeyError, match="no dot"):
        net.add_module("a.b", nn.Identity())
    with pytest.raises(KeyError, match="already has"):
        net.register_buffer("forward", np.zeros(1))
    with pytest.raises(TypeError, match=r"nn\.Parameter"):
        net.register_parameter("w", np.zeros(1))
    net.register_parameter("w", None)
    net.register_buffer("b", None)
    assert net.w is None
    assert net.state_dict() == {}


def test_a_parameter_is_not_lost_by_an_assignment():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"weight\.data\[\.\.\.\] = values"):
        layer.weight = np.zeros((2, 2))
    net = nn.Sequential(layer)
    with pytest.raises(TypeError, match="is a Module"):
        setattr(net, "0", np.tanh)
    layer.weight = nn.Parameter(np.ones((2, 2)))
    layer.bias = None
    assert layer(np.ones(2)).tolist() == [2, 2]


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_representation_shows_the_tree():
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2, inplace=True))) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): LeakyReLU(negative_slope=0.2, inplace=True)\n"
        ")"
    )
    assert repr(nn.Conv2d(3, 8, 4, 2, 1, bias=False)) == (
        "Conv2d(3, 8, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)"
    )
    assert repr(nn.Parameter([1.0])).startswith("Parameter containing:\nTensor(")


def test_a_buffer_that_is_not_persistent_is_converted_but_not_saved():
    module = nn.Module()
    module.register_buffer("kept", np.zeros(2, np.float32))
    module.register_buffer("passing", np.ones(2, np.float32), persistent=False)
    assert list(module.state_dict()) == ["kept"]
    module.load_state_dict({"kept": np.full(2, 3.0)})
    assert module.double().passing.dtype == np.float64
    module.register_buffer("passing", np.ones(2))
    assert list(module.state_dict()) == ["kept", "passing"]


def test_what_is_written_into_the_listings_of_a_module_is_refused_and_not_lost():
    with pytest.raises(TypeError, match="does not support item assignment"):
        nn.Module()._modules["layer"] = nn.Tanh()


def test_a_state_is_a_mapping():
    with pytest.raises(TypeError, match=r"takes a mapping of names to arrays.*got ndarray"):
        nn.Linear(1, 1).load_state_dict(np.ones(3))


@pytest.mark.parametrize("count", [1e30, 2.0**63, 2**63, np.inf, -np.inf])
def test_a_saved_count_out_of_the_range_of_integers_is_refused(count):
    model = nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError, match="num_batches_tracked holds numbers that are too large"):
        model.load_state_dict({**model.state_dict(), "num_batches_tracked": count})
    assert model.num_batches_tracked == 0


def test_weights_that_float32_cannot_hold_are_refused_and_infinite_ones_are_not():
    model = nn.Linear(2, 1)
    state = model.state_dict()
    with pytest.raises(RuntimeError, match="weight holds numbers that are too large for float32"):
        model.load_state_dict({**state, "weight": np.array([[np.inf, -1e300]])})
    np.testing.assert_array_equal(model.weight.data, state["weight"])
    model.load_state_dict({**state, "weight": np.array([[np.inf, 1e-300]])})
    np.testing.assert_array_equal(model.weight.data, [[np.inf, 0]])


def test_switches_are_true_or_false():
    model = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="requires_grad must be True or False; got 'no'"):
        model.requires_grad_("no")
    with pytest.raises(TypeError, match="strict must be True or False; got 'no'"):
        model.load_state_dict(model.state_dict(), "no")


def test_a_buffer_stays_an_array():
    model = nn.Module()
    model.register_buffer("mean", np.array(2.0))
    model.mean = model.mean * 0.5  # a scalar to NumPy
    model.load_state_dict({"mean": 3})
    assert model.double().mean == 3
    for value in (3.0, [1.0], "x"):
        with pytest.raises(TypeError, match="mean is a buffer, an array that is saved; got"):
            model.mean = value
    model.mean = nnlite.Tensor([1.0, 2.0])
    np.testing.assert_array_equal(model.state_dict()["mean"], [1, 2])
    del model.mean
    assert model.state_dict() == {}
