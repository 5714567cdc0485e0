"""The training of an autoencoder: the loop of lecture 04, and the way back if it fails.

for x in batches:                    # a mini-batch of clean samples
x_tilde = corrupt(x)             # the same x, unless it is a denoising autoencoder
x_hat = decoder(encoder(x_tilde))
loss = error(x_hat, x)           # against the clean x
loss.backward()
optimiser.step()
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import nn
from nnlite._arguments import as_array
from nnlite.ops import values_of
from nnlite.optim.lr_scheduler import CosineAnnealingLR
from nnlite.training import progress

Array = NDArray[Any]
Model = Any  # an Autoencoder, whose module imports this one
_STATE = (  # what a fit changes, beside the weights
    "encoder",
    "decoder",
    "loss_curve_",
    "validation_curve_",
    "_optimiser",
    "_sample_shape",
    "_n_codes",
    "_has_weights",
    "_untrained",
)


def train(model: Model, X: Array, V: Array | None, epochs: int) -> None:
    """Go through the samples ``X`` so often, recording the error on them and on ``V``.

    Adam's step size falls from the model's ``lr`` to 0 along half a cosine.
    """
    optimiser = model._optimiser
    step, steps = 0, epochs * len(_ends(len(X), model.batch_size))
    optimiser.param_groups[0].update(lr=model.lr, initial_lr=model.lr)
    schedule = CosineAnnealingLR(optimiser, max(steps, 1))
    bar = progress(epochs, "epochs") if model.verbose else None
    model.train()
    try:
        for _ in bar or range(epochs):
            total = 0.0
            for x in _batches(X, model.batch_size, model._rng):
                total += _train_on(model, x) * len(x)
                schedule.step()
                step += 1
            model.loss_curve_.append(total / len(X))
            if V is not None:
                model.validation_curve_.append(-model.score(V))
            if bar:
                bar.show(loss=model.loss_curve_[-1])
    except KeyboardInterrupt:
        warnings.warn(
            f"training interrupted after {step} of {steps} steps; the model is kept as it is.",
            stacklevel=3,
        )


# NumPy's warning of an overflow would come first, and say less than the error below.
@np.errstate(over="ignore", invalid="ignore")
def _train_on(model: Model, x: Array) -> float:
    """One step on a mini-batch; its error before the step."""
    optimiser = model._optimiser
    x_tilde = x if model.corruption is None else _corrupted(model, x)
    optimiser.zero_grad()
    loss = model.error(model.decoder(model.encoder(x_tilde)), x)
    value = loss.item()
    if not np.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value} after {len(model.loss_curve_)} epochs: either the step "
            f"size lr={model.lr} is too large for this data (try a tenth of it), or the data "
            f"are: the largest value of this batch is {np.abs(x).max():.3g} (rescale to 1)."
        )
    loss.backward()
    optimiser.step()
    return value


def _corrupted(model: Model, x: Array) -> Array:
    """A spoiled copy: the clean batch stays the target, also if the corruption edits it."""
    x_tilde = model.corruption(x.copy(), model._rng)
    name = "the result of the corruption"
    if x_tilde is None:
        raise ValueError(f"{name} is None. (Does it have a return?)")
    x_tilde = as_array(values_of(x_tilde), name)
    if x_tilde.shape != x.shape:
        raise ValueError(
            f"the corruption must return numbers of the shape it was given, {x.shape}; it "
            f"returned shape {x_tilde.shape}, dtype {x_tilde.dtype}. (Does it have a return?)"
        )
    x_tilde = x_tilde.astype(x.dtype, copy=False)
    if not np.isfinite(x_tilde).all():
        raise ValueError(f"the corruption {model.corruption!r} returned NaN or infinity.")
    return x_tilde


def snapshot(model: Model) -> Callable[[], None]:
    """A function that brings everything back to where it is now."""
    before = {name: getattr(model, name) for name in _STATE}
    for curve in ("loss_curve_", "validation_curve_"):
        before[curve] = list(before[curve])
    names = getattr(model, "feature_names_in_", None)
    weights = {} if model.encoder is None else copy.deepcopy(model.state_dict())
    optimiser = model._optimiser
    moments = {} if optimiser is None else copy.deepcopy(optimiser.state_dict())

    def undo() -> None:
        for name, value in before.items():
            setattr(model, name, value)
        if names is not None:
            model.feature_names_in_ = names
        if weights:
            nn.Module.load_state_dict(model, weights)
        if optimiser is not None:
            optimiser.load_state_dict(moments)

    return undo


def _batches(X: Array, size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Mini-batches in random order."""
    order, start = rng.permutation(len(X)), 0
    for end in _ends(len(X), size):
        yield X[order[start:end]]
        start = end


def _ends(n: int, size: int) -> list[int]:
    """Where the mini-batches of n samples end; one sample left over joins those before it."""
    ends = [*range(size, n, size), n]
    if len(ends) > 1 and size > 1 and n - ends[-2] == 1:
        del ends[-2]
    return ends
