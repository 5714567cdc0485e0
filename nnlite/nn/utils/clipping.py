"""Gradient clipping (lecture 10)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> np.float64:
    """Scale all gradients by one factor so that their joint norm is at most ``max_norm``.

    Returns
    -------
    float
        The norm before clipping; NumPy's float64, which has ``item()`` like PyTorch's result.

    Raises
    ------
    RuntimeError
        If the norm is NaN or infinite and ``error_if_nonfinite`` is True.
    """
    gradients = _gradients(parameters)
    norms = [np.linalg.norm(g.reshape(-1).astype(np.float64), norm_type) for g in gradients]
    total = np.float64(np.linalg.norm(norms, norm_type) if norms else 0.0)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {total}; look for NaN or infinite "
            "values in the loss, or lower the learning rate."
        )
    factor = max_norm / (total + 1e-6)
    if factor < 1 or np.isnan(factor):
        for g in gradients:
            g *= g.dtype.type(factor)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every entry of every gradient to [-clip_value, clip_value]."""
    for g in _gradients(parameters):
        np.clip(g, -clip_value, clip_value, out=g)


def _gradients(parameters: Any) -> list[np.ndarray]:
    params = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in params if p.grad is not None]
