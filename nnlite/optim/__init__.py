"""Optimisers with torch.optim's names, formulas and defaults (lectures 03, 04 and 10)."""

from typing import Any

from nnlite.optim import lr_scheduler
from nnlite.optim.adam import Adam, AdamW
from nnlite.optim.optimizer import Optimizer
from nnlite.optim.rmsprop import RMSprop
from nnlite.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"nnlite.optim has no {name}; it has SGD, Adam, AdamW and RMSprop. Schedules are in "
        "nnlite.optim.lr_scheduler."
    )
