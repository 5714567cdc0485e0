"""Every public method of a Module, called once by somebody who knows the answer."""

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
