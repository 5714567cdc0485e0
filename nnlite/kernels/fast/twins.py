"""What makes a compiled kernel the twin of a NumPy one: its signature and its documentation."""

import inspect
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def twin(reference: F) -> Callable[[Callable[..., object]], F]:
    """Mark a function as the fast version of ``reference``: it takes over name, docs and types.

    Raises
    ------
    TypeError
        If the parameters or their defaults differ.
    """

    def decorate(fast: Callable[..., object]) -> F:
        theirs = inspect.signature(reference)
        for mine, other in zip(
            inspect.signature(fast).parameters.values(), theirs.parameters.values(), strict=True
        ):
            if (mine.name, mine.default) != (other.name, other.default):
                raise TypeError(f"{fast.__name__}: parameter {mine} differs from {other}.")
        fast.__doc__ = reference.__doc__
        fast.__annotations__ = reference.__annotations__
        return fast  # type: ignore[return-value]

    return decorate
