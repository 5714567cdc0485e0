"""What a thread has switched on: recording, and the default dtype of parameters."""

from __future__ import annotations

import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.engine.decorating import decorated

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike


class _ThreadState(threading.local):
    recording = True
    dtype = np.dtype("float32")


STATE = _ThreadState()


# ---- blocks that an interrupt cannot leave half way ------------------------------------------


class _ExitOfBlock:
    """``__exit__`` of a :class:`_Switch`, as a new object for each with-statement.

    Ctrl-C may strike between any two steps of Python: when the switch is thrown and the block has
    not begun, or when the block is done and the exit is about to run. Then no exit is called. But
    the statement, which alone holds this object, lets go of it, and that puts everything back, too.
    """

    def __get__(self, switch: _Switch | None, owner: type[_Switch]) -> Callable[..., None]:
        if switch is None:
            return owner._leave
        leave = partial(switch._leave)
        before = switch._before()
        put_back = partial(_put_back, switch._attribute, before)
        switch._next = before, weakref.ref(leave, put_back)
        return leave


class _Called(type):
    """``with no_grad:`` without brackets says that they are missing."""

    def __enter__(cls) -> None:
        raise TypeError(f"write `with nnlite.{cls.__name__}():`, with brackets.")

    def __exit__(cls, *_: object) -> None:
        """Part of the protocol; ``__enter__`` raises before it is needed."""


class _Switch(metaclass=_Called):
    """Base of context managers: an attribute of :data:`STATE` has another value for a block."""

    __slots__ = ("__weakref__", "_entered", "_next", "_value")
    __exit__ = _ExitOfBlock()
    _attribute = "recording"

    def __init__(self, value: Any) -> None:
        self._value = value
        self._entered: list[tuple[Any, Any]] = []  # what was before, and who watches the exit
        self._next: Any = None  # the same for the with-statement that is about to enter

    def __enter__(self) -> Any:
        entered, self._next = self._next, None
        if entered is None or entered[1]() is None:  # called by hand: nobody holds an exit
            entered = self._before(), None
        self._entered.append(entered)
        setattr(STATE, self._attribute, self._value)  # last: what comes before changes nothing

    def _before(self) -> Any:
        return getattr(STATE, self._attribute)

    def _leave(self, *_: object) -> None:
        self._next = None
        setattr(STATE, self._attribute, self._entered[-1][0])
        self._entered.pop()


def _put_back(attribute: str, before: Any, _exit: object) -> None:
    setattr(STATE, attribute, before)


class recording(_Switch):
    """``recording(on)``: recording is on or off for a block, whatever it was before."""

    __slots__ = ()


class no_grad(_Switch):
    """Context manager or decorator inside which operations are not recorded.

    Results do not require grad and keep nothing alive. It holds for the current thread only. A
    decorated generator or coroutine records nothing while its own body runs, and leaves recording
    as it is while it is suspended. (A with-block inside a coroutine should not await: other tasks
    of the thread would run inside it.)

    Raises
    ------
    TypeError
        If what is decorated is a class or no function.

    Examples
    --------
    >>> w = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    >>> with nnlite.no_grad():
    ...     w -= 0.1
    >>> @nnlite.no_grad()
    ... def predict(x):
    ...     return np.tanh(x @ w)
    """

    __slots__ = ()

    def __new__(cls, *function: Any) -> Any:
        """``@no_grad`` without brackets decorates too."""
        return cls()(*function) if function else super().__new__(cls)

    def __init__(self) -> None:
        super().__init__(False)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, recording nothing."""
        return decorated(function, no_grad)


class default_dtype(_Switch):
    """Set the dtype of new parameters, for good or for a ``with`` block (this thread only).

    Parameters
    ----------
    dtype : {"float32", "float64"} or NumPy dtype
        float32 is for speed, float64 for proofs.

    Raises
    ------
    TypeError
        If the dtype is not float32 or float64.

    Examples
    --------
    >>> with nnlite.default_dtype("float64"):
    ...     layer = nnlite.nn.Linear(3, 2)
    """

    __slots__ = ("_earlier",)
    _attribute = "dtype"

    def __init__(self, dtype: DTypeLike) -> None:
        super().__init__(float_dtype(dtype))
        self._earlier, STATE.dtype = STATE.dtype, self._value

    def _before(self) -> Any:
        return self._earlier

    def __enter__(self) -> np.dtype[Any]:
        super().__enter__()
        return STATE.dtype


def float_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """``dtype`` as a floating-point NumPy dtype; None gives the default dtype."""
    if dtype is None:
        return STATE.dtype
    found = np.dtype(dtype)
    if found not in (np.dtype("float32"), np.dtype("float64")):
        raise TypeError(f"parameters are float32 or float64; got dtype {found}.")
    return found
