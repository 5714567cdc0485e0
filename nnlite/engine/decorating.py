"""Functions that run inside a context manager, also those that stop and go on.

``with manager(): return f()`` is right for a plain function. The body of a generator or a coroutine
runs later, in steps, and between them its caller's code runs: each step gets a manager of its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

from nnlite.ops.operation import is_tensor

Manager = Callable[[], Any]


def decorated(function: Any, manager: Manager) -> Any:
    """``function`` with every step of its body inside ``manager()``.

    Raises
    ------
    TypeError
        If it is a class, or cannot be called.
    """
    name = getattr(manager, "__name__", "manager")
    if isinstance(function, staticmethod | classmethod):
        return type(function)(decorated(function.__func__, manager))
    if inspect.isclass(function):
        raise TypeError(
            f"{name} decorates functions, and {function.__name__} is a class: it would hold while "
            f"an object is made, not for what the object does. Decorate its methods."
        )
    if not callable(function) or is_tensor(function):
        raise TypeError(
            f"{name}() takes no argument, or the function to decorate; got "
            f"{type(function).__name__}. Write `with nnlite.{name}():` around a block."
        )

    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        with manager():
            result = function(*args, **kwargs)
        return _in_steps(result, manager)

    # what inspect says of the function, it shall say of the decorated one
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function, updated=())
        def generate(*args: Any, **kwargs: Any) -> Any:
            return (yield from call(*args, **kwargs))

        return generate
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function, updated=())
        async def run(*args: Any, **kwargs: Any) -> Any:
            return await call(*args, **kwargs)

        return run
    if inspect.isasyncgenfunction(function):
        return functools.wraps(function, updated=())(_async_generator(function, manager))
    return call


def _in_steps(result: Any, manager: Manager) -> Any:
    """What a function returned; if that is a body yet to run, one whose steps are inside."""
    if inspect.isgenerator(result) and inspect.getgeneratorstate(result) == inspect.GEN_CREATED:
        return _generator(result, manager)
    if inspect.iscoroutine(result) and inspect.getcoroutinestate(result) == inspect.CORO_CREATED:
        return _coroutine(result, manager)
    if inspect.isasyncgen(result) and result.ag_frame is not None and not result.ag_running:
        return _async_generator(lambda: result, manager)()
    return result


def _generator(body: Any, manager: Manager) -> Generator[Any, Any, Any]:
    """``yield from body``, each step inside ``manager()``."""
    step = functools.partial(body.send, None)
    while True:
        with manager():
            try:
                value = step()
            except StopIteration as stop:
                return stop.value
        try:
            sent = yield value
        except GeneratorExit:
            with manager():
                body.close()
            raise
        except BaseException as error:
            step = functools.partial(body.throw, error)
        else:
            step = functools.partial(body.send, sent)


class _Inside:
    """``await`` of something, each step inside ``manager()``."""

    def __init__(self, awaitable: Any, manager: Manager) -> None:
        self._awaitable, self._manager = awaitable, manager

    def __await__(self) -> Generator[Any, Any, Any]:
        return _generator(self._awaitable.__await__(), self._manager)


async def _coroutine(body: Any, manager: Manager) -> Any:
    return await _Inside(body, manager)


def _async_generator(make: Callable[..., Any], manager: Manager) -> Callable[..., Any]:
    """A function like ``make``, of whose asynchronous generator each step is inside."""

    async def generate(*args: Any, **kwargs: Any) -> Any:
        body = make(*args, **kwargs)
        step = body.asend(None)
        while True:
            try:
                value = await _Inside(step, manager)
            except StopAsyncIteration:
                return
            try:
                sent = yield value
            except GeneratorExit:
                await _Inside(body.aclose(), manager)
                raise
            except BaseException as error:
                step = body.athrow(error)
            else:
                step = body.asend(sent)

    return generate
