"""What Python and NumPy make of a Tensor: arrays, numbers, text.

A conversion that would silently drop a gradient is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Conversions:
    """The part of :class:`nnlite.Tensor` that leads out of it."""

    __slots__ = ()
    _data: NDArray[Any]
    _node: Any
    requires_grad: bool

    # ---- arrays ---------------------------------------------------------------------------

    def numpy(self) -> NDArray[Any]:
        """The values as an array (shared). Raises RuntimeError if the tensor requires grad."""
        return self.__array__()

    def item(self) -> int | float:
        """The one value as a Python number. Raises ValueError if there is not exactly one."""
        if self._data.size != 1:
            raise ValueError(
                f"item() needs exactly one value; this tensor has shape {self._data.shape}. "
                "Reduce it first (sum, mean) or use t.data.tolist()."
            )
        return self._data.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self._data.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if self.requires_grad:
            raise RuntimeError(
                "turning a Tensor that requires grad into an array would silently drop its "
                "gradient. Join Tensors with np.stack([t, u]) or np.concatenate, not with "
                "np.array([t, u]) or array[i] = t; use t.detach() (or t.data) if the values are "
                "all you want."
            )
        return np.array(self._data, dtype, copy=copy)

    @property
    def _mask(self) -> Any:
        """What numpy.ma asks for when it has computed ``masked - t`` from the values alone."""
        if self.requires_grad:
            raise TypeError(
                "a masked array on the left of a Tensor computes without it, which would silently "
                "drop its gradient. Say what stands for masked entries, a.filled(value) - t, or "
                "drop them."
            )
        raise AttributeError("a Tensor has no mask.")

    # ---- numbers --------------------------------------------------------------------------

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(
                f"the truth value of a tensor of shape {self._data.shape} is ambiguous. Use "
                "np.any or np.all."
            )
        return bool(self._data)

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self._data.ndim:
            raise TypeError(
                f"only an integer tensor without axes can be an index; this one is "
                f"{self._data.dtype} of shape {self._data.shape}."
            )
        return int(self._data)

    def _number(self, kind: str) -> int | float:
        if self.requires_grad:
            raise RuntimeError(
                f"{kind}(t) of a Tensor that requires grad would silently drop its gradient. "
                "Use t.item() for the number, or keep computing with t: np.exp(t), not "
                "math.exp(t), and np.stack([t, u]), not array[i] = t."
            )
        return self.item()

    def __format__(self, spec: str) -> str:
        """A single number takes a format (``f"{loss:.3f}"``), as shown text drops no gradient."""
        if not spec:
            return str(self)
        if self._data.size != 1:
            raise TypeError(
                f"only a single number takes the format {spec!r}; "
                f"this tensor has shape {self._data.shape}."
            )
        return format(self.item(), spec)

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("a tensor without axes has no length.")
        return len(self._data)

    def __contains__(self, value: object) -> bool:
        return bool(np.any(self._data == getattr(value, "data", value)))

    def __repr__(self) -> str:
        values = np.array2string(self._data, separator=", ", prefix="Tensor(", threshold=100)
        parts = [values]
        if self._data.dtype != np.float64 and self._data.dtype.kind == "f":
            parts.append(f"dtype={self._data.dtype}")
        if self._data.size > 100:
            parts.append(f"shape={self._data.shape}")
        if self._node is not None:
            parts.append(f"op={self._node[0].name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"Tensor({', '.join(parts)})"
