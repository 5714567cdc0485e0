"""What is special to the arguments of :mod:`nnlite.nn`: windows, axes, PyTorch's switches.

Every layer and function checks what it is told where it is told, so that a wrong number is reported
by its name and not by the NaN or the shape that it would lead to. What is not special to layers is
checked by :mod:`nnlite._arguments`.
"""

import operator
import warnings
from typing import Any

from nnlite._arguments import (
    as_choice,
    as_flag,
    as_integer,
    as_python,
    is_integer,
    wrong_kind,
    wrong_value,
)


def check_flags(where: str, **flags: Any) -> None:
    """Refuse anything but True and False (or 1, 0 and None, which count as such in PyTorch)."""
    for name, value in flags.items():
        if type(value) is bool or value is None or (is_integer(value) and value in (0, 1)):
            continue
        as_flag(value, f"{where}: {name}")


def as_pair(value: Any, name: str, least: int = 0) -> tuple[int, int]:
    """A size given as one integer or as (height, width)."""
    if type(value) is tuple and len(value) == 2 and type(value[0]) is type(value[1]) is int:
        pair = value
    else:
        parts = tuple(value) if isinstance(value, tuple | list) else (value, value)
        if len(parts) != 2 or not all(map(is_integer, parts)):
            raise wrong_kind(value, name, "an integer or a pair of them")
        pair = operator.index(parts[0]), operator.index(parts[1])
    if pair[0] < least or pair[1] < least:
        raise wrong_value(value, name, f"an integer of at least {least} or a pair of them")
    return pair


def as_axis(value: int, ndim: int, name: str) -> int:
    """An axis counted from the front, for a negative one too."""
    value = as_integer(value, name)
    if not -ndim <= value < ndim:
        raise ValueError(f"{name}={value} is no axis of an array with {ndim} axes.")
    return value % ndim


def is_device(target: Any) -> bool:
    """Whether it names a device, in PyTorch's manner, and not a dtype."""
    name = target if isinstance(target, str) else getattr(target, "type", None)
    return isinstance(name, str) and name.split(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta")


def check_device(where: str, device: Any) -> None:
    """Refuse any device but the CPU."""
    if device is not None and str(getattr(device, "type", device)).split(":")[0] != "cpu":
        raise ValueError(
            f"{where}: nnlite computes on the CPU only; there is no device {str(device)!r}. Leave "
            "it out, or write 'cpu'."
        )


def as_reduction(where: str, size_average: Any, reduce: Any, reduction: Any) -> str:
    """The reduction, also from the two switches that it replaced in PyTorch (with a warning).

    They still hold the second and third place of every loss, so what else stands there is told
    where it belongs.
    """
    if size_average is None and reduce is None:
        return as_choice(reduction, f"{where}: reduction", ("mean", "sum", "none"))
    for name, value in (("size_average", size_average), ("reduce", reduce)):
        if isinstance(value, str):
            raise ValueError(
                f"{where}: {value!r} stands where PyTorch has {name}; write reduction={value!r}."
            )
        if value is not None and not isinstance(as_python(value), bool):
            raise TypeError(loss_called_too_early(where, value, name))
    new = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"{where}: size_average and reduce are PyTorch's of old; write reduction={new!r}.",
        stacklevel=3,
    )
    return new


def loss_called_too_early(where: str, value: Any, name: str) -> str:
    """What to write instead of ``nn.MSELoss(prediction, target)``."""
    what = f"an array of shape {value.shape}" if hasattr(value, "shape") else repr(value)
    if not where[:1].isupper():
        return f"{where}: {name} must be True or False; got {what}."
    return (
        f"nn.{where}(...) makes the loss and takes no data; got {what} as {name}. Make it first, "
        f"then call it: loss = nn.{where}(); loss(prediction, target)."
    )
