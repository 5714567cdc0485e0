"""What optimisers are given: parameters, settings, gradients and saved states, right or refused."""

import copy

import numpy as np
import pytest

import nnlite
from nnlite import nn, optim

KINDS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop]


def _leaf(values=(1.0,)):
    return nnlite.Tensor(np.array(values), requires_grad=True)


def _read_only():
    values = np.ones(2)
    values.flags.writeable = False
    return nnlite.Tensor(values, requires_grad=True)


def _used_up():
    parameters = nn.Linear(2, 1).parameters()
    list(parameters)
    return parameters


MODEL = nn.Linear(2, 1)
LEAF = _leaf()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (MODEL, TypeError, r"got the model \(Linear\).*write SGD\(model.parameters\(\)"),
        (MODEL.parameters, TypeError, r"the method parameters itself; call it"),
        (MODEL.state_dict(), TypeError, r"a dict .*write model\.parameters\(\)"),
        ({"params": [LEAF]}, TypeError, r"a dict .*write \[group\]"),
        (0.001, TypeError, "got float: the parameters come first"),
        (None, TypeError, "got NoneType: the parameters come first"),
        ("weights", TypeError, "got str: the parameters come first"),
        (np.ones(3), TypeError, r"got ndarray: wrap arrays, nn\.Parameter"),
        ({LEAF}, TypeError, "a set has no order"),
        (_used_up(), ValueError, "used only once"),
        ([{"params": _used_up()}], ValueError, "used up"),
        ([{"params": []}], ValueError, "all groups are empty"),
        ([{"parms": [LEAF]}], TypeError, "a dict with 'params'"),
        ([LEAF, {"params": [LEAF]}], TypeError, "1 dicts among 2"),
        ([{"params": [LEAF]}, {"params": [LEAF]}], ValueError, "appears twice"),
        ([("w", LEAF), _leaf()], ValueError, "either all parameters of a group have names"),
        (
            [{"params": [LEAF], "lr": -1}],
            ValueError,
            "lr must be a finite number of at least 0; got -1",
        ),
        ([nnlite.Tensor(np.ones(2))], ValueError, "does not require grad"),
        (
            [nnlite.Tensor(np.arange(3, dtype=np.int64))],
            ValueError,
            "dtype int64 cannot be optimised",
        ),
        ([_read_only()], ValueError, "read-only"),
    ],
)
def test_what_stands_in_place_of_parameters_is_named(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params, lr=0.1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["0.1", None, True, [0.1], np.array([0.1]), np.array(True), 1j])
def test_a_rate_that_is_no_number_is_refused(kind, value):
    with pytest.raises(TypeError, match=r"lr must be a number; got"):
        kind([LEAF], lr=value)


@pytest.mark.parametrize(
    ("kind", "settings", "error", "message"),
    [
        (optim.SGD, {"lr": np.nan}, ValueError, "at least 0; got nan"),
        (optim.SGD, {"lr": np.inf}, ValueError, "at least 0; got inf"),
        (optim.SGD, {"momentum": -0.1}, ValueError, "momentum must be"),
        (
            optim.SGD,
            {"dampening": np.nan},
            ValueError,
            "dampening must be a finite number; got nan",
        ),
        (optim.SGD, {"nesterov": "yes"}, TypeError, "nesterov must be True or False; got 'yes'"),
        (optim.SGD, {"maximize": 1}, TypeError, "maximize must be True or False; got 1 .int"),
        (optim.SGD, {"differentiable": True}, NotImplementedError, "w = w - lr"),
        (optim.SGD, {"fused": "yes"}, TypeError, "fused must be True or False"),
        (optim.Adam, {"betas": 0.9}, TypeError, "betas must be two numbers"),
        (optim.Adam, {"betas": (0.9,)}, TypeError, r"two numbers.*got \(0\.9,\)"),
        (optim.Adam, {"betas": (0.9, "x")}, TypeError, "each of betas must be a number; got 'x'"),
        (optim.Adam, {"betas": (0.9, np.nan)}, ValueError, "each of betas .* got nan"),
        (optim.AdamW, {"eps": -1e-8}, ValueError, "AdamW: eps must be"),
        (optim.RMSprop, {"alpha": 1.5}, ValueError, "alpha must be a number from 0 to 1; got 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_named(kind, settings, error, message):
    with pytest.raises(error, match=message):
        kind([LEAF], **settings)
    optimizer = kind([LEAF])
    group = {"params": [_leaf()], **settings}  # settings of a group are looked at, too
    with pytest.raises(error, match=message):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_says_how_pytorch_computes_is_accepted_and_changes_nothing(kind):
    ways = [{"foreach": True}, {"foreach": False, "differentiable": False}]
    ways += [{"capturable": True}] * (kind is not optim.SGD)
    ways += [{"fused": True}] * (kind is not optim.RMSprop)
    results = []
    for way in [{}, *ways]:
        p = _leaf([1.0, 2.0])
        p.grad = np.array([0.5, -3.0])
        optimizer = kind([p], lr=0.1, **way)
        optimizer.step()
        assert not set(way) & set(optimizer.param_groups[0])
        results.append(p.data.tolist())
    assert results == [results[0]] * len(results)


def test_adam_with_decoupled_decay_is_adamw():
    a, b = _leaf([1.0, 2.0]), _leaf([1.0, 2.0])
    first = optim.Adam([a], weight_decay=0.3, decoupled_weight_decay=True)
    second = optim.AdamW([b], weight_decay=0.3)
    for _ in range(3):
        a.grad = b.grad = np.array([0.5, -3.0])
        first.step()
        second.step()
    np.testing.assert_array_equal(a.data, b.data)


def test_named_parameters_and_frozen_ones_are_accepted():
    model = nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    optimizer = optim.SGD(model.named_parameters(), lr=1.0)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    before = model.bias.data.copy()
    model(np.ones((1, 2))).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(model.bias.data, before)
    model.bias.requires_grad_()
    model(np.ones((1, 2))).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(model.bias.data, before - 1)


@pytest.mark.parametrize("half", [np.float64(0.5), np.float32(0.5), np.array(0.5)])
def test_numpys_numbers_become_pythons(half):
    optimizer = optim.SGD([LEAF], lr=half, momentum=half)
    assert [type(optimizer.param_groups[0][k]) for k in ("lr", "momentum")] == [float, float]
    p = _leaf()
    optimizer = optim.SGD([p])
    optimizer.param_groups[0]["lr"] = half
    p.grad = np.ones(1)
    optimizer.step()
    np.testing.assert_array_equal(p.data, 0.5)


@pytest.mark.parametrize(
    ("grad", "error", "message"),
    [
        ([1.0, 1.0], TypeError, "is list; it must be a plain array"),
        (nnlite.Tensor(np.ones(2)), TypeError, "is Tensor"),
        (np.ma.masked_array([1.0, 9.0], [0, 1]), TypeError, "is MaskedArray"),
        (np.ones(3), ValueError, r"shape \(3,\) and dtype float64"),
        (np.ones(2, "float32"), ValueError, "dtype float32 does not belong"),
    ],
)
def test_a_wrong_gradient_is_refused_before_anything_moves(grad, error, message):
    first, second = _leaf([1.0, 1.0]), _leaf([1.0, 1.0])
    optimizer = optim.Adam([{"params": [first]}, {"params": [second]}], lr=0.1)
    first.grad, second.grad = np.ones(2), grad
    with pytest.raises(error, match=message):
        optimizer.step()
    np.testing.assert_array_equal(first.data, [1.0, 1.0])
    assert not optimizer.state


def test_a_nan_in_a_gradient_stays_where_it_is():
    p = _leaf([1.0, 2.0])
    p.grad = np.array([np.nan, 1.0])
    optim.SGD([p], lr=1.0).step()
    np.testing.assert_array_equal(p.data, [np.nan, 1.0])


def test_step_takes_a_function_or_nothing():
    with pytest.raises(TypeError, match=r"got Tensor. Call loss\.backward\(\) first"):
        optim.SGD([LEAF]).step(LEAF * 2)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_the_memory_follows_a_model_converted_to_float64(amsgrad):
    def run(convert_at):
        model = nn.Linear(3, 1, rng=0)
        optimizer = optim.Adam(model.parameters(), lr=0.1, amsgrad=amsgrad)
        for i in range(6):
            if i == convert_at:
                model.double()
            optimizer.zero_grad()
            x = np.arange(6.0).reshape(2, 3).astype(model.weight.dtype)
            (model(x) ** 2).sum().backward()
            optimizer.step()
        return model, optimizer

    (model, optimizer), (reference, _) = run(3), run(-1)
    state = optimizer.state[model.weight]
    assert {v.dtype.name for k, v in state.items() if k != "step"} == {"float64"}
    np.testing.assert_allclose(model.weight.data, reference.weight.data, rtol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"amsgrad": True}])
def test_a_parameter_that_has_got_another_shape_is_refused(settings):
    p = _leaf([1.0])
    optimizer = optim.Adam([p], **settings)
    p.grad = np.ones(1)
    optimizer.step()
    p.data, p.grad = np.ones(3), np.ones(3)
    with pytest.raises(ValueError, match=r"of shape \(3,\) .*like the parameter, got .*\(1,\)"):
        optimizer.step()


# ---- saved states ------------------------------------------------------------------------------


def _state(kind, p=None, **settings):
    p = p or _leaf()
    p.grad = np.ones_like(p.data)
    optimizer = kind([p], **settings)
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize("saved", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_state_of_the_same_kind_is_loaded(saved, kind):
    optimizer, state = kind([_leaf()]), _state(saved)
    if saved is kind:
        optimizer.load_state_dict(state)
        return
    with pytest.raises(
        ValueError, match=f"that of {saved.__name__}, this optimiser is {kind.__name__}"
    ):
        optimizer.load_state_dict(state)
    del state["optimizer"]  # as PyTorch's has none: the settings tell
    if (saved, kind) != (optim.AdamW, optim.Adam):  # which can do what the other does
        with pytest.raises(ValueError, match=r"settings it does not have|decoupled_weight_decay"):
            optimizer.load_state_dict(state)


def _changed(**changes):
    return lambda state: {**state, **changes}


def _entry(name, value):
    def change(state):
        state["state"][0][name] = value
        return state

    return change


def _dropped(state):
    del state["state"][0]["exp_avg_sq"]
    return state


def _setting(name, value):
    def change(state):
        state["param_groups"][0][name] = value
        return state

    return change


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda state: 5, TypeError, "got int"),
        (
            _changed(param_groups=[]),
            ValueError,
            r"groups of \[1\].*the saved one of \[\]",
        ),
        (_changed(param_groups=None), ValueError, "must be a list of dicts"),
        (_changed(state=None), ValueError, "'state' must be a dict"),
        (_changed(state={7: {}}), ValueError, r"entries for the parameters \[0\]"),
        (_dropped, ValueError, "holds exp_avg, step; Adam remembers step, exp_avg, exp_avg_sq"),
        (_entry("speed", np.ones(1)), ValueError, "holds exp_avg, exp_avg_sq, step, speed"),
        (_entry("exp_avg", np.ones(2)), ValueError, r"exp_avg of parameter 0 has shape \(2,\)"),
        (_entry("exp_avg", np.ones(1, "f4")), ValueError, "is float32, the parameter is float64"),
        (_entry("exp_avg", "x"), TypeError, "exp_avg of parameter 0 holds text"),
        (_entry("step", 2.5), TypeError, "step of parameter 0 must be an integer"),
        (_entry("step", -1), ValueError, "step of parameter 0 must be an integer of at least 0"),
        (_setting("lr", "0.1"), TypeError, "lr must be a number; got '0.1'"),
        (
            _setting("betas", (2.0, 0.9)),
            ValueError,
            "each of betas must be a number of at least 0 and less than 1; got 2",
        ),
        (_setting("rate", 1), ValueError, r"settings it does not have \(rate\)"),
    ],
)
def test_a_damaged_state_is_refused_and_nothing_is_loaded(change, error, message):
    p = _leaf()
    optimizer = optim.Adam([p], lr=0.25)
    p.grad = np.ones(1)
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(change(_state(optim.Adam)))
    assert optimizer.state_dict() == before


def test_an_optimiser_of_ones_own_is_saved_and_loaded(tmp_path):
    class Heavy(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def _update(self, params, grads, states, group):
            for p, g, state in zip(params, grads, states, strict=True):
                state["speed"] = 0.5 * state.get("speed", np.zeros_like(p)) + g
                state["steps"] = state.get("steps", 0) + 1
                p -= group["lr"] * state["speed"]

    def steps(p, optimizer, n):
        for _ in range(n):
            p.grad = np.ones(1)
            optimizer.step()

    p, q = _leaf(), _leaf()
    first, second = Heavy([p]), Heavy([q], lr=3.0)
    steps(p, first, 2)
    nnlite.save(tmp_path / "s", first.state_dict())
    q.data = p.data.copy()
    second.load_state_dict(nnlite.load(tmp_path / "s"))
    steps(p, first, 2)
    steps(q, second, 2)
    assert q.item() == p.item()
    assert second.state[q]["steps"] == 4


def test_a_state_as_pytorch_writes_it_is_loaded():
    state = _state(optim.SGD, momentum=0.9)
    del state["optimizer"]
    state["param_groups"][0] |= {"foreach": None, "differentiable": False, "fused": None}
    optimizer = optim.SGD([_leaf()])
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize(
    ("rate", "error"), [(np.nan, ValueError), (np.inf, ValueError), ("0.1", TypeError)]
)
def test_a_rate_changed_by_hand_to_no_finite_number_moves_nothing(rate, error):
    a, b = (nnlite.Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b]}], lr=0.1)
    optimizer.param_groups[1]["lr"] = rate
    a.grad, b.grad = np.ones(2), np.ones(2)
    with pytest.raises(error, match=r"lr of group 1 must be a (finite )?number"):
        optimizer.step()
    np.testing.assert_array_equal([a.data, b.data], 1)
