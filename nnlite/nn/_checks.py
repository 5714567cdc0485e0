"""What constructors and functions of :mod:`nnlite.nn` accept as sizes, numbers and switches.

Every layer and function checks what it is told where it is told, so that a wrong number is reported
by its name and not by the NaN or the shape that it would lead to.
"""

import math
import warnings
from typing import Any

import numpy as np

from nnlite.engine.tensor import Tensor

_FLAGS = (bool, np.bool_)


def is_integer(value: Any) -> bool:
    """Tell whether it is an integer; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_sizes(where: str, **sizes: Any) -> None:
    """Refuse sizes that are not positive integers."""
    for name, value in sizes.items():
        if not is_integer(value) or value < 1:
            raise refusal(where, name, "a positive integer", value)


def check_integer(where: str, name: str, value: Any) -> None:
    """Refuse anything but an integer, of either sign."""
    if not is_integer(value):
        raise refusal(where, name, "an integer", value)


def check_number(
    where: str,
    name: str,
    value: Any,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
) -> None:
    """Refuse anything but a finite number in the interval, which is open at ``above``."""
    number = isinstance(value, int | float | np.integer | np.floating)
    inside = number and not isinstance(value, bool) and above < value < math.inf
    if inside and least <= value <= most:
        return
    if above > -math.inf:
        wanted = "positive" if above == 0 else f"a number greater than {above:g}"
    elif most < math.inf:
        wanted = f"a number between {least:g} and {most:g}"
    else:
        wanted = f"a number of at least {least:g}" if least > -math.inf else "a finite number"
    raise refusal(where, name, wanted, value)


def check_flags(where: str, **flags: Any) -> None:
    """Refuse anything but True and False (or 1, 0 and None, which count as such in PyTorch)."""
    for name, value in flags.items():
        if value is None or isinstance(value, _FLAGS) or (is_integer(value) and value in (0, 1)):
            continue
        raise refusal(where, name, "True or False", value)


def check_choice(where: str, name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse anything but one of these words."""
    if not isinstance(value, str) or value not in choices:
        *words, last = [repr(c) for c in choices]
        raise refusal(where, name, f"{', '.join(words)} or {last}", value)


def refusal(where: str, name: str, wanted: str, value: Any) -> ValueError:
    """The error for an argument; for data it says that a layer is made before it is called."""
    if isinstance(value, np.ndarray | Tensor) and value.ndim:
        hint = (
            f"{where} is made first and called then: layer = nn.{where}(...); layer(x)."
            if where[:1].isupper()
            else "Data come first."
        )
        return ValueError(
            f"{where}: {name} must be {wanted}; got an array of shape {value.shape}. {hint}"
        )
    return ValueError(f"{where}: {name} must be {wanted}; got {value!r}.")


def as_pair(value: Any, name: str, least: int = 0) -> tuple[int, int]:
    """A size given as one integer or as (height, width)."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(is_integer(v) and v >= least for v in pair):
        where, _, argument = name.partition(": ")
        wanted = f"an integer of at least {least} or a pair of them"
        raise refusal(where, argument, wanted, value)
    return int(pair[0]), int(pair[1])


def as_axis(value: int, ndim: int, where: str) -> int:
    """An axis counted from the front, for a negative one too."""
    if not is_integer(value):
        raise ValueError(f"{where} must be an integer; got {value!r}.")
    if not -ndim <= value < ndim:
        raise ValueError(f"{where}={value} is no axis of an array with {ndim} axes.")
    return value % ndim


def is_device(target: Any) -> bool:
    """Tell whether it names a device, in PyTorch's manner, and not a dtype."""
    name = target if isinstance(target, str) else getattr(target, "type", None)
    return isinstance(name, str) and name.split(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta")


def check_device(where: str, device: Any) -> None:
    """Refuse any device but the CPU."""
    if device is not None and str(getattr(device, "type", device)).split(":")[0] != "cpu":
        raise ValueError(
            f"{where}: nnlite computes on the CPU only; there is no device {str(device)!r}. Leave "
            "it out, or write 'cpu'."
        )


def check_reduction(reduction: str) -> None:
    """Refuse anything but the three reductions."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none'; got {reduction!r}.")


def as_reduction(where: str, size_average: Any, reduce: Any, reduction: Any) -> str:
    """The reduction, also from the two switches that it replaced in PyTorch (with a warning).

    They still hold the second and third place of every loss, so what else stands there is told
    where it belongs.
    """
    if size_average is None and reduce is None:
        check_reduction(reduction)
        return reduction
    for name, value in (("size_average", size_average), ("reduce", reduce)):
        if isinstance(value, str):
            raise ValueError(
                f"{where}: {value!r} stands where PyTorch has {name}; write reduction={value!r}."
            )
        if value is not None and not isinstance(value, _FLAGS):
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
