"""nnlite: unsupervised deep learning from scratch, in NumPy."""

from importlib import import_module
from typing import Any

from nnlite.engine import (
    Tensor,
    default_dtype,
    grad,
    hessian,
    hvp,
    jacobian,
    no_grad,
)
from nnlite.engine.tensor import tensor

__version__ = "0.1.0"

#: Names that are loaded at first use, so that ``import nnlite`` costs little more than NumPy.
_LAZY = {
    "PCA": "nnlite.pca",
    "closed_form": "nnlite.checks",
    "expected_failure": "nnlite.checks",
    "gradcheck": "nnlite.checks",
    "gradgradcheck": "nnlite.checks",
    "ledger": "nnlite.checks",
    "load": "nnlite.weights",
    "more_checks": "nnlite.checks",
    "save": "nnlite.weights",
    "seed": "nnlite.random",
    "sweep": "nnlite.sweeps",
    "your_turn": "nnlite.checks",
}
_SUBMODULES = (
    "autoencoders",
    "checks",
    "datasets",
    "gans",
    "kernels",
    "likelihood",
    "nn",
    "optim",
    "plots",
    "sweeps",
    "training",
)

__all__ = [
    "PCA",
    "Tensor",
    "closed_form",
    "default_dtype",
    "expected_failure",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "ledger",
    "load",
    "more_checks",
    "no_grad",
    "save",
    "seed",
    "sweep",
    "tensor",
    "your_turn",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return import_module(f"nnlite.{name}")
    from nnlite.engine.suggestions import torch_advice

    raise AttributeError(torch_advice(name, __name__))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
