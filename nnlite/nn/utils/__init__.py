"""Gradient clipping and spectral normalisation (lectures 10 and 11)."""

from typing import Any

from nnlite.nn import _advice
from nnlite.nn.utils.clipping import clip_grad_norm_, clip_grad_value_
from nnlite.nn.utils.spectral import spectral_norm

__all__ = ["clip_grad_norm_", "clip_grad_value_", "spectral_norm"]


def __getattr__(name: str) -> Any:
    """Say what to write instead of a function that only torch.nn.utils has."""
    if name in _advice.UTILITIES:
        raise AttributeError(_advice.missing(__name__, name, __all__, _advice.UTILITIES))
    raise AttributeError(f"{__name__} has no {name!r}; it has {', '.join(__all__)}.")
