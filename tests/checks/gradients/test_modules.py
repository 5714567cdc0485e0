"""gradcheck of a Module: its parameters and input, left as they were."""

import numpy as np
import pytest

import nnlite
from nnlite import Tensor, nn
from nnlite.checks.gradients import (
    GradcheckError,
    gradcheck,
    gradgradcheck,
)
from nnlite.ops import Operation

X = np.random.default_rng(5).standard_normal((3, 4))


class Layer:
    """The smallest thing that has a Module's interface."""

    def __init__(self, factor=1.0):
        self.weight = Tensor(X.astype("float32"), requires_grad=True)
        self.frozen = Tensor(np.ones(3, "float32"))
        self.count = np.zeros((), "float32")
        self.factor = factor

    def named_parameters(self):
        yield "weight", self.weight
        yield "frozen", self.frozen

    def state_dict(self):
        return {"weight": self.weight.data, "frozen": self.frozen.data, "count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]

    def __call__(self, x):
        self.count = self.count + 1
        scale = Operation(lambda z: z + 0.0, lambda g, _out, _z: g * self.factor, name="scale")
        return np.tanh(scale(x @ self.weight.T + self.frozen))


def test_a_modules_parameters_and_input_are_checked_and_left_as_they_were():
    layer = Layer()
    weight = layer.weight.data
    report = gradcheck(layer, np.ones((2, 4)))
    assert {c.argument for c in report.comparisons} == {"weight", "argument 0"}
    assert layer.weight.data is weight
    assert layer.weight.dtype == "float32"
    assert layer.weight.grad is None
    assert layer.count == 0
    assert gradgradcheck(layer, np.ones((2, 4)))


def test_a_modules_bug_is_found_in_float32():
    layer = Layer(factor=1.001)
    report = gradcheck(layer, np.ones((2, 4)), raise_exception=False)
    assert not report
    assert report.worst.received / report.worst.expected == pytest.approx(1.001, rel=1e-4)
    assert layer.weight.dtype == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_real_network_in_training_mode_keeps_its_running_statistics(dtype):
    with nnlite.default_dtype(dtype):
        model = nn.Sequential(
            nn.Linear(4, 5, rng=0), nn.BatchNorm1d(5), nn.LeakyReLU(0.2), nn.Linear(5, 2, rng=1)
        )
    before = {k: np.array(getattr(v, "data", v)) for k, v in model.state_dict().items()}
    report = gradcheck(model, np.random.default_rng(2).standard_normal((6, 4)))
    assert {c.argument for c in report.comparisons} >= {
        "0.weight",
        "1.bias",
        "3.weight",
        "argument 0",
    }
    after = {k: np.array(getattr(v, "data", v)) for k, v in model.state_dict().items()}
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert all(before[k].dtype == after[k].dtype for k in before)


def test_dropout_is_refused_in_training_and_checked_in_eval_mode():
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
    with pytest.raises(GradcheckError, match="Dropout"):
        gradcheck(model, X)
    assert gradcheck(model.eval(), X)
