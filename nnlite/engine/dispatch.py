"""Which operation answers when a NumPy function meets a Tensor."""

from typing import Any

import numpy as np

from nnlite.ops import ALTERNATIVES, PLAIN, TABLE, values_of

REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute ``function(*args, **kwargs)`` where some argument is a Tensor."""
    op = TABLE.get(function)
    if op is not None:
        return op(*args, **kwargs)
    if function in PLAIN:
        return function(*_plain(args), **{k: _plain(v) for k, v in kwargs.items()})
    raise TypeError(_refusal(function))


def dispatch_ufunc(
    ufunc: np.ufunc, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The same for a ufunc and its methods (``np.add.reduce``)."""
    if method == "__call__":
        return dispatch(ufunc, args, kwargs)
    if method == "reduce" and ufunc in REDUCTIONS:
        # ufunc.reduce goes over axis 0 unless told otherwise
        axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
        return TABLE[REDUCTIONS[ufunc]](args[0], axis=axis, keepdims=kwargs.get("keepdims", False))
    raise TypeError(
        f"np.{ufunc.__name__}.{method} does not work on Tensors. "
        "Use np.sum, np.prod, np.cumsum, np.max, np.outer or indexing."
    )


def _plain(x: Any) -> Any:
    if isinstance(x, tuple | list):
        return type(x)(_plain(i) for i in x)
    return values_of(x)


def _refusal(function: Any) -> str:
    module = getattr(function, "__module__", "") or ""
    name = f"{'np.linalg' if 'linalg' in module else 'np'}.{function.__name__}"
    instead = ALTERNATIVES.get(function)
    advice = f"Use {instead} instead" if instead else "Compose it of operations that do"
    return f"{name} has no derivative here, so it does not work on a Tensor. {advice}, or call it on t.detach().data if no gradient is needed."
