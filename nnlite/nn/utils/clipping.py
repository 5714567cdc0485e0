"""Gradient clipping (lecture 10)."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite._arguments import as_python, wrong_kind, wrong_value
from nnlite.engine.tensor import Tensor
from nnlite.nn.module import Module


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> np.float64:
    """Scale all gradients by one factor so that their joint norm is at most ``max_norm``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
    max_norm : float
    norm_type : float
        Order of the norm, also "inf".
    error_if_nonfinite : bool
    foreach : bool, optional
        Accepted, without effect.

    Returns
    -------
    float
        The norm before clipping; NumPy's float64, which has ``item()`` like PyTorch's result.

    Raises
    ------
    RuntimeError
        If the norm is NaN or infinite and ``error_if_nonfinite`` is True.
    """
    max_norm = _number("clip_grad_norm_: max_norm", max_norm)
    norm_type = _number("clip_grad_norm_: norm_type", norm_type)
    gradients = _gradients("clip_grad_norm_", parameters)
    total = np.float64(_joint_norm(gradients, norm_type))
    if total == 0 or not np.isfinite(total):  # perhaps only the powers left the range of floats
        total = np.float64(_scaled_norm(gradients, norm_type))
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


def _joint_norm(gradients: list[np.ndarray], order: float) -> Any:
    """The norm of all entries together."""
    with np.errstate(over="ignore"):  # what overflows is computed again, in other units
        norms = [np.linalg.norm(g.ravel().astype(np.float64), order) for g in gradients if g.size]
        return np.linalg.norm(norms, order) if norms else 0.0


def _scaled_norm(gradients: list[np.ndarray], order: float) -> Any:
    """The same in units of the largest entry, whose powers neither overflow nor vanish."""
    top = max((float(np.abs(g).max()) for g in gradients if g.size), default=0.0)
    if order == 0 or not 0 < top < math.inf:
        return _joint_norm(gradients, order)
    return top * _joint_norm([g / np.float64(top) for g in gradients], order)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Clip every entry of every gradient to [-clip_value, clip_value].

    ``foreach`` is accepted, without effect.
    """
    clip_value = _number("clip_grad_value_: clip_value", clip_value)
    for g in _gradients("clip_grad_value_", parameters):
        np.clip(g, -clip_value, clip_value, out=g)


def _number(name: str, value: Any) -> float:
    """A number of at least 0, infinity included, also spelled as text ("inf")."""
    number, wanted = as_python(value), "a number of at least 0 (or 'inf')"
    if isinstance(number, bool) or not isinstance(number, int | float | str):
        raise wrong_kind(value, name, wanted)
    try:
        number = float(number)
    except ValueError:
        raise wrong_kind(value, name, wanted) from None
    if not number >= 0:
        raise wrong_value(number, name, wanted)
    return number


def _gradients(where: str, parameters: Any) -> list[np.ndarray]:
    if isinstance(parameters, Module) or callable(parameters):
        raise TypeError(
            f"{where} takes parameters: {where}(model.parameters(), ...); got "
            f"{type(parameters).__name__}."
        )
    if isinstance(parameters, np.ndarray) or not isinstance(parameters, Tensor | Iterable):
        raise TypeError(
            f"{where} takes parameters, whose gradients it clips; got "
            f"{type(parameters).__name__}. Write {where}(model.parameters(), ...)."
        )
    params = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in params:
        if not isinstance(p, Tensor):
            raise TypeError(f"{where} takes parameters; got one of type {type(p).__name__}.")
    gradients: list[Any] = [p.grad for p in params if p.grad is not None]
    for g in gradients:  # all are right, or none is clipped
        if not isinstance(g, np.ndarray) or g.dtype.kind != "f" or not g.flags.writeable:
            kind = f"{g.dtype} array" if isinstance(g, np.ndarray) else type(g).__name__
            raise TypeError(
                f"{where} changes gradients in place, so each must be an array of floats that can "
                f"be written to; got one that is a {kind}. If it was set by hand, set a copy: "
                "p.grad = g.astype(p.dtype)."
            )
    return gradients
