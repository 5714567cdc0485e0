"""Gradient clipping and spectral normalisation (lectures 10 and 11)."""

from nnlite.nn.utils.clipping import clip_grad_norm_, clip_grad_value_
from nnlite.nn.utils.spectral import spectral_norm

__all__ = ["clip_grad_norm_", "clip_grad_value_", "spectral_norm"]
