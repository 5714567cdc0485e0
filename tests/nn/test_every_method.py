"""Every public method of modules, called once by somebody who knows the answer."""

import numpy as np
import pytest

import nnlite
from nnlite import nn

W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


class Scaled(nn.Module):
    """``scale * (W x)``: a layer, a parameter of its own and a buffer."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 3, bias=False, dtype="float64", rng=0)
        self.inner.weight.data[...] = W
        self.scale = nn.Parameter(np.array(2.0))
        self.register_buffer("calls", np.zeros(1))

    def forward(self, x):
        return self.scale * self.inner(x)

    def extra_repr(self):
        return "by 2"


def after_backward():
    model = Scaled()
    model(np.ones((1, 2))).sum().backward()
    return model


def after(act):
    """The model, after a method that changes it and returns itself or nothing."""
    model = after_backward()
    assert act(model) in (model, None)
    return model


def dtypes(model):
    return [str(x.dtype) for x in (model.inner.weight, model.inner.weight.grad, model.calls)]


def loaded():
    model, state = Scaled(), {**Scaled().state_dict(), "scale": np.array(5.0)}
    keys = model.load_state_dict(state)
    return model.scale.item(), keys.missing_keys, keys.unexpected_keys


def added(add):
    model = Scaled()
    assert add(model) is None
    return model


def names(pairs):
    return [name for name, _ in pairs]


#: name -> (a call, what it gives)
METHODS = {
    "forward": (lambda: Scaled().forward(nnlite.Tensor([[1.0, 1.0]])).tolist(), [[6, 14, 22]]),
    "extra_repr": (lambda: [nn.Module().extra_repr(), repr(Scaled()).split("\n")[1]],
                   ["", "  by 2"]),
    "training": (lambda: Scaled().training, True),
    "train": (lambda: [after(lambda m: m.train(False)).inner.training,
                       after(lambda m: m.eval().train()).inner.training], [False, True]),
    "eval": (lambda: after(lambda m: m.eval()).inner.training, False),
    "children": (lambda: [type(m) for m in Scaled().children()], [nn.Linear]),
    "named_children": (lambda: names(Scaled().named_children()), ["inner"]),
    "modules": (lambda: [type(m) for m in Scaled().modules()], [Scaled, nn.Linear]),
    "named_modules": (lambda: names(Scaled().named_modules("top")), ["top", "top.inner"]),
    "parameters": (lambda: [p.shape for p in Scaled().parameters()], [(), (3, 2)]),
    "named_parameters": (lambda: names(Scaled().named_parameters()), ["scale", "inner.weight"]),
    "buffers": (lambda: [b.shape for b in Scaled().buffers()], [(1,)]),
    "named_buffers": (lambda: names(Scaled().named_buffers()), ["calls"]),
    "add_module": (lambda: names(added(lambda m: m.add_module("a", nn.ReLU())).named_children()),
                   ["inner", "a"]),
    "register_parameter": (
        lambda: names(added(
            lambda m: m.register_parameter("a", nn.Parameter(np.ones(2)))
        ).named_parameters(recurse=False)),
        ["scale", "a"],
    ),
    "register_buffer": (
        lambda: [*added(lambda m: m.register_buffer("a", W, persistent=False)).state_dict()],
        ["scale", "calls", "inner.weight"],
    ),
    "state_dict": (lambda: {k: v.tolist() for k, v in Scaled().state_dict("m.").items()},
                   {"m.scale": 2.0, "m.calls": [0.0], "m.inner.weight": W.tolist()}),
    "load_state_dict": (loaded, (5.0, [], [])),
    "requires_grad_": (
        lambda: [p.requires_grad for p in after(lambda m: m.requires_grad_(False)).parameters()],
        [False, False],
    ),
    "zero_grad": (
        lambda: [after(lambda m: m.zero_grad()).scale.grad,
                 after(lambda m: m.zero_grad(set_to_none=False)).scale.grad],
        [None, 0.0],
    ),
    "apply": (lambda: (seen := [], Scaled().apply(lambda m: seen.append(type(m))))[0],
              [nn.Linear, Scaled]),
    "to": (lambda: dtypes(after(lambda m: m.to("cpu", "float32"))), ["float32"] * 3),
    "cpu": (lambda: dtypes(after(lambda m: m.cpu())), ["float64"] * 3),
    "float": (lambda: dtypes(after(lambda m: m.float())), ["float32"] * 3),
    "double": (lambda: dtypes(after(lambda m: m.float().double())), ["float64"] * 3),
}  # fmt: skip


def test_no_name_is_left_out():
    assert set(METHODS) == {name for name in dir(nn.Module) if not name.startswith("_")}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_the_right_value(name):
    call, expected = METHODS[name]
    assert call() == expected


# ---- what layers and containers have beside that ------------------------------------------------


def drawn_anew(layer, fan_in):
    """Whether weight and bias are uniform draws of this seed within 1/sqrt(fan_in)."""
    layer.reset_parameters(rng=7)
    rng, bound = np.random.default_rng(7), 1 / np.sqrt(fan_in)
    return all(
        np.allclose(p.data, rng.uniform(-bound, bound, p.shape), rtol=1e-6)
        for p in (layer.weight, layer.bias)
    )


def embedding_drawn_anew():
    layer = nn.Embedding(3, 2, padding_idx=1, rng=0)
    layer.reset_parameters(rng=7)
    expected = np.random.default_rng(7).normal(size=(3, 2))
    expected[1] = 0
    return np.allclose(layer.weight.data, expected, rtol=1e-6)


def reset(layer, act):
    """Values of a normalisation's parameters and averages, after training spoiled them."""
    layer.weight.data[...], layer.bias.data[...] = 5, 5
    layer.running_mean[...], layer.running_var[...] = 5, 5
    layer.num_batches_tracked[...] = 5
    assert act(layer) is None
    found = (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var)
    return [float(x[0]) for x in (*found, layer.num_batches_tracked.reshape(1))]


def tracking(layer):
    return layer(3, affine=True, track_running_stats=True)


def kinds(row):
    return [type(module).__name__ for module in row]


def rows(kind, *modules):
    return kind(*modules) if kind is nn.Sequential else kind(modules)


def named():
    return nn.ModuleDict({"a": nn.Tanh(), "b": nn.ReLU()})


def updated():
    modules = named()
    modules.update({"b": nn.SiLU(), "c": nn.ELU()})
    return kinds(modules.values())


PIXELS = (2, 3, 4, 4)
OF_LAYERS = {
    ("Linear", "reset_parameters"): (lambda: drawn_anew(nn.Linear(4, 3), 4), True),
    ("Conv2d", "reset_parameters"): (lambda: drawn_anew(nn.Conv2d(3, 4, 2), 3 * 4), True),
    ("ConvTranspose2d", "reset_parameters"): (
        lambda: drawn_anew(nn.ConvTranspose2d(3, 4, 2), 4 * 4), True,
    ),
    ("Embedding", "reset_parameters"): (embedding_drawn_anew, True),
    **{
        (kind, "reset_parameters"): (
            lambda kind=kind: reset(tracking(getattr(nn, kind)), lambda m: m.reset_parameters()),
            [1, 0, 0, 1, 0],
        )
        for kind in ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")
    },
    **{
        (kind, "reset_running_stats"): (
            lambda kind=kind: reset(tracking(getattr(nn, kind)), lambda m: m.reset_running_stats()),
            [5, 5, 0, 1, 0],
        )
        for kind in ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d")
    },
    **{
        (kind.__name__, "append"): (
            lambda kind=kind: kinds(rows(kind, nn.Tanh()).append(nn.ReLU())), ["Tanh", "ReLU"],
        )
        for kind in (nn.Sequential, nn.ModuleList)
    },
    **{
        (kind.__name__, "extend"): (
            lambda kind=kind: kinds(rows(kind, nn.Tanh()).extend([nn.ReLU(), nn.ELU()])),
            ["Tanh", "ReLU", "ELU"],
        )
        for kind in (nn.Sequential, nn.ModuleList)
    },
    **{
        (kind.__name__, "insert"): (
            lambda kind=kind: kinds(rows(kind, nn.Tanh(), nn.ELU()).insert(1, nn.ReLU())),
            ["Tanh", "ReLU", "ELU"],
        )
        for kind in (nn.Sequential, nn.ModuleList)
    },
    ("ModuleDict", "keys"): (lambda: [*named().keys()], ["a", "b"]),
    ("ModuleDict", "values"): (lambda: kinds(named().values()), ["Tanh", "ReLU"]),
    ("ModuleDict", "items"): (lambda: names(named().items()), ["a", "b"]),
    ("ModuleDict", "update"): (updated, ["Tanh", "SiLU", "ELU"]),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), OF_LAYERS)
def test_a_method_of_a_layer_gives_the_right_value(kind, name):
    call, expected = OF_LAYERS[kind, name]
    assert call() == expected


def test_no_method_of_a_layer_is_left_out():
    """``forward`` has its value and derivatives elsewhere, ``extra_repr`` shows in ``repr``."""
    classes = [kind for name in nn.__all__ if isinstance(kind := getattr(nn, name), type)]
    own = {
        (kind.__name__, name)
        for kind in classes
        if issubclass(kind, nn.Module)
        for name in set(dir(kind)) - set(METHODS)
        if callable(getattr(kind, name)) and not name.startswith("_")
    }
    assert set(OF_LAYERS) == own
