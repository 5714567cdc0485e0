"""Which operation answers when a NumPy function meets a Tensor."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from nnlite._arguments import as_array
from nnlite.engine.advice import scipy_advice
from nnlite.ops import ALTERNATIVES, NONDIFFERENTIABLE, TABLE, Operation, logsumexp, values_of
from nnlite.ops.operation import is_tensor, refusal

#: What ``ufunc.reduce`` and ``ufunc.accumulate`` are called when they have a name of their own.
REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
SCANS: dict[np.ufunc, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}


def dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute ``function(*args, **kwargs)`` where some argument is a Tensor."""
    op = TABLE.get(function)
    if op is None:
        if function in NONDIFFERENTIABLE:
            return function(*_values(args), **_values(kwargs))
        raise TypeError(_refusal(function))
    if isinstance(op, Operation):
        if kwargs or len(args) > 1:
            args, kwargs = _as_numpy_means(function, op, args, dict(kwargs))
        return op(*args, **kwargs)
    return _composed(function, op, args, kwargs)


def _composed(
    function: Any, op: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A function that is made of operations here.

    Of integers and halves nothing can be differentiated, so NumPy's own function computes what
    becomes of them. Where the composition fails, NumPy is asked for its reason.
    """
    args = tuple([a if type(a) in _USUAL else _entered(a) for a in args])
    if kwargs:
        kwargs = {name: _entered(value) for name, value in kwargs.items()}
    if function not in _SELECTIVE and not _differentiable((*args, *kwargs.values())):
        return _wrapped(function(*_values(args), **_values(kwargs)))
    means = (args, kwargs)
    if kwargs or (len(args) > 1 and not isinstance(function, np.ufunc)):
        means = _as_numpy_means(function, op, args, dict(kwargs))
    try:
        return op(*means[0], **means[1])
    except Exception as error:
        raise _as_numpy_says(function, args, kwargs, error) from error


_USUAL = frozenset((np.ndarray, int, float, bool, str, type(None)))


def _entered(x: Any) -> Any:
    """What stands beside a Tensor: a masked array or a matrix would compute by its own rules."""
    kind = type(x)
    if kind is list or kind is tuple:
        return x if not x or type(x[0]) is int else kind([_entered(i) for i in x])
    if kind is not np.ndarray and isinstance(x, np.ndarray):
        return as_array(x, "an operand")
    return x


#: Functions whose integers are positions or shapes beside what is differentiated.
_SELECTIVE = {np.bincount, np.full_like}


def _differentiable(arguments: Iterable[Any]) -> bool:
    """Whether some Tensor among them could have a gradient."""
    for x in arguments:
        if is_tensor(x):
            if x.dtype.char in "fd":
                return True
        elif isinstance(x, tuple | list) and _differentiable(x):
            return True
    return False


def _wrapped(x: Any) -> Any:
    """NumPy's results as Tensors, in the lists and tuples that they came in."""
    from nnlite.engine.tensor import Tensor  # which imports this module

    if isinstance(x, tuple):
        parts = map(_wrapped, x)
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if isinstance(x, list):
        return [_wrapped(i) for i in x]
    return Tensor(x) if isinstance(x, np.ndarray | np.generic) else x


def _as_numpy_says(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> Exception:
    """The error of a composed function, or NumPy's if it refuses the same arguments otherwise."""
    try:
        with np.errstate(all="ignore"):
            function(*_values(args), **_values(kwargs))
    except Warning:
        return error  # where warnings are errors
    except Exception as reason:
        kind = TypeError if isinstance(reason, TypeError) else type(reason)
        if not isinstance(error, kind):
            return kind(f"{_full_name(function)}: {str(reason).rstrip(' .')}.")
    return error


def dispatch_ufunc(
    ufunc: np.ufunc, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The same for a ufunc and its methods (``np.add.reduce``, ``np.multiply.outer``)."""
    if method == "__call__":
        op = TABLE.get(ufunc)
        if kwargs or op is None:
            return dispatch(ufunc, args, kwargs)
        return op(*args) if isinstance(op, Operation) else _composed(ufunc, op, args, kwargs)
    if ufunc in NONDIFFERENTIABLE:
        return getattr(ufunc, method)(*_values(args), **_values(kwargs))
    if method != "at" and not _differentiable((*args, *kwargs.values())):
        return _wrapped(getattr(ufunc, method)(*_values(args), **_values(kwargs)))
    if method == "outer" and ufunc in TABLE and not kwargs:
        x, y = args
        return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y)
    # reduce and accumulate go along axis 0 unless told otherwise
    options = {"axis": 0, **dict(zip(("axis", "dtype", "out", "keepdims"), args[1:], strict=False))}
    options |= kwargs
    if method == "reduce" and ufunc in REDUCTIONS:
        return dispatch(REDUCTIONS[ufunc], args[:1], options)
    if method == "reduce" and ufunc is np.logaddexp:
        return logsumexp(args[0], **options)
    if method == "accumulate" and ufunc in SCANS:
        return dispatch(SCANS[ufunc], args[:1], options)
    raise TypeError(
        f"np.{ufunc.__name__}.{method} does not work on Tensors. "
        "Use np.sum, np.prod, np.cumsum, np.max, np.outer or indexing."
    )


def _as_numpy_means(
    function: Any, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments under the names that NumPy gives them, without those left at None.

    ``np.sum(t, 0, None, None, True)`` then means what it says, whatever the operation's own order.
    """
    if names := _numpy_names(function):
        arrays = op.arity if isinstance(op, Operation) else 1
        kwargs = dict(zip(names[arrays:], args[arrays:], strict=False)) | kwargs
        args = args[:arrays]
        args += tuple(kwargs.pop(n) for n in names[len(args) : arrays] if n in kwargs)
    known = _known_names(op)
    for name in [k for k in kwargs if k not in known]:
        value = kwargs.pop(name)
        said = isinstance(value, str | bool) and value in _HARMLESS.get(name, ())
        if value is not None and not said:
            raise TypeError(refusal(function.__name__, name, known))
    return args, kwargs


#: Values that say no more than what happens anyway, of parameters that operations do not have.
_HARMLESS: dict[str, tuple[Any, ...]] = {
    "copy": (True, False),
    "hermitian": (False,),
    "order": ("C", "K", "A"),
    "overwrite_input": (True, False),
    "reflect_type": ("even",),
    "returned": (False,),
    "subok": (True, False),
    "upper": (False,),
    "where": (True,),
}


@cache
def _numpy_names(function: Any) -> tuple[str, ...]:
    """Names of a NumPy function's positional parameters; none if not known or not fixed."""
    if isinstance(function, np.ufunc):
        return ()
    import inspect  # rarely needed, and slow to load

    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # functions written in C do not tell before NumPy 2.4
        return ()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return ()
    names = (p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    # NumPy 2.0 called the shape of np.reshape newshape.
    return tuple("shape" if name == "newshape" else name for name in names)


@cache
def _known_names(op: Any) -> tuple[str, ...]:
    """Names of the parameters that an operation takes."""
    if isinstance(op, Operation):
        return op.param_names
    code = op.__code__
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _values(x: Any) -> Any:
    if isinstance(x, tuple | list):
        return type(x)(_values(i) for i in x)
    if isinstance(x, dict):
        return {k: _values(v) for k, v in x.items()}
    return values_of(x)


def _full_name(function: Any) -> str:
    module = (getattr(function, "__module__", "") or "").split(".")
    return ".".join(["np", *(m for m in module if m in ("linalg", "fft")), function.__name__])


def _refusal(function: Any) -> str:
    name, instead = _full_name(function), ALTERNATIVES.get(function)
    if isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is not function:
        name, instead = function.__name__, scipy_advice(function)  # scipy.special's are ufuncs too
    advice = f"Use {instead}" if instead else "Compose it of operations that do"
    return (
        f"{name} has no derivative here, so it does not work on a Tensor. "
        f"{advice}; or call it on t.detach().data if no gradient is needed."
    )
