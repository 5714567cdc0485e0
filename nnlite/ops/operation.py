"""What an operation is: a forward function on arrays and, beside it, its derivative rule.

Read this file first if you want to know how nnlite differentiates (lecture 01 builds a smaller
one).

For an operation ``out = f(x, y, ...)`` inside a larger computation with a scalar result L, reverse
mode needs one thing only: given ``g = dL/d out``, what is ``dL/dx``? That map, linear in ``g``, is
the *vector-Jacobian product* (VJP), ``g -> g^T (d out / dx)``. An :class:`Operation` holds one VJP
for each array argument, called as ``vjp(g, out, *args, **params)``.

Two conventions make the tables of this package short:

* **Rules are written in NumPy.** On arrays a rule runs at NumPy speed; on Tensors the same rule is
  recorded, since NumPy functions work on Tensors, and so the gradient can be differentiated again.
* **A name with a leading underscore is not read** (its shape may be).
  ``lambda g, _out, _x, y: g * y`` says that the derivative of a product with respect to ``x``
  depends on the value of ``y`` alone. The engine takes this at its word: editing an array that a
  rule reads is an error, others may change.
"""

from collections.abc import Callable, Iterable
from typing import Any

#: NumPy function -> what computes it on Tensors: an Operation, or a function made of operations.
TABLE: dict[Callable[..., Any], Callable[..., Any]] = {}

OUT = -1  #: stands for the operation's own result where argument positions are listed


class Operation:
    """A forward function with its derivative rules.

    Parameters
    ----------
    forward : callable
        ``forward(*arrays, **params) -> array``, on plain NumPy arrays.
    *vjps : callable or None
        One rule for each array argument, ``vjp(g, out, *arrays, **params)``; None where no gradient
        exists (a condition, an index). A gradient may come in any shape that broadcasting the
        argument could give: the engine sums it back.
    name : str
        The name shown in error messages and graphs.
    arrays : tuple of str, optional
        The names by which the array arguments may be given. By default those of the first rule,
        without their underscores.
    params : tuple of str
        Names of the parameters that are not arrays, in the order in which they may be given by
        position.
    variadic : bool
        True for any number of array arguments; then the one rule takes the argument's position
        first: ``vjp(i, g, out, *arrays, **params)``.
    joint : callable, optional
        Instead of ``vjps``, one rule ``joint(g, out, *arrays, wanted, **params)`` for operations
        whose gradients share work. ``wanted`` are the positions of the arguments whose gradients
        will be used; it returns a gradient for each argument (None where it has none).
    reads : tuple of tuples of str
        For a joint rule: the arrays that the gradient of each argument reads, by name. By default
        each reads all that the rule reads.
    reads_out_if : str
        A parameter without which (None) the rules do not read the result: a fused activation.
    saves : bool
        True if ``forward`` returns ``(out, saved)``: something computed on the way that the rule
        can use. The rule gets it as the keyword ``saved``.
    fresh : bool
        True if every gradient is a new array that nothing else holds: the engine may add to it in
        place and hand it out without a copy.
    """

    __slots__ = (
        "_reads_for",
        "arity",
        "array_names",
        "forward",
        "freed",
        "fresh",
        "joint",
        "name",
        "param_names",
        "pull_back",
        "reads",
        "reads_out_if",
        "saves",
        "variadic",
        "vjps",
        "without_rule",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        *vjps: Any,
        name: str = "",
        arrays: tuple[str, ...] = (),
        params: tuple[str, ...] = (),
        variadic: bool = False,
        joint: Callable[..., Any] | None = None,
        reads: tuple[tuple[str, ...], ...] = (),
        reads_out_if: str = "",
        saves: bool = False,
        fresh: bool = False,
    ) -> None:
        self.forward = forward
        self.vjps = vjps
        self.name = name or forward.__name__
        self.variadic = variadic
        self.joint = joint
        self.saves = saves
        self.fresh = fresh
        self.reads_out_if = reads_out_if
        self.param_names = params
        self.array_names = arrays or _array_names(vjps, joint)
        self.arity = len(self.array_names)
        #: positions of the arguments that have no gradient
        self.without_rule = frozenset(i for i, vjp in enumerate(vjps) if vjp is None)
        #: pull_back(g, out, args, params, wanted): from the gradient of the result those of the
        #: arguments at the positions wanted, to be looked up by position
        self.pull_back = _pull_back(vjps, joint, variadic)
        #: for each argument: which argument positions (OUT for the result) its rule reads
        if variadic:
            self.reads: tuple[Any, ...] = (_reads_variadic(vjps[0]),)
        else:
            self.reads = tuple(_reads(v, self.arity) for v in vjps or (joint,) * self.arity)
        if reads:  # of a joint rule: what each of its parts reads, and the result if it does
            out = (OUT,) if OUT in self.reads[0] else ()
            self.reads = tuple(out + tuple(map(self.array_names.index, names)) for names in reads)
        #: what stands for the history of a result when backward has let go of it
        self.freed = (self, None, None, None, (), (), None)
        self._reads_for: dict[tuple[tuple[int, ...], int, bool], tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply to arrays, or record on the graph if an argument is a Tensor."""
        known = self.param_names
        if not self.variadic and (len(args) != self.arity or (params and params.keys() - known)):
            args, params = self._bind(args, params)
        for a in args:
            if hasattr(a, "_record_operation"):
                return a._record_operation(self, args, params)
        out = self.forward(*args, **params)
        return out[0] if self.saves else out

    def reads_of(self, i: int, n: int) -> tuple[int, ...]:
        """Positions of the arrays (of ``n``) that the rule for argument ``i`` reads."""
        if self.variadic:
            return tuple(j for j in range(n) if j != i) if self.reads[0] else ()
        return self.reads[i]

    def reads_for(self, wanted: tuple[int, ...], n: int, params: dict[str, Any]) -> tuple[int, ...]:
        """Positions of the arrays (of ``n``) that the rules for the arguments ``wanted`` read."""
        out = not self.reads_out_if or params.get(self.reads_out_if) is not None
        reads = self._reads_for.get((wanted, n, out))
        if reads is None:
            reads = tuple({r for i in wanted for r in self.reads_of(i, n) if out or r != OUT})
            self._reads_for[wanted, n, out] = reads
        return reads

    def _bind(
        self, args: tuple[Any, ...], params: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort arguments given by position or keyword into arrays and parameters."""
        if len(args) > self.arity + len(self.param_names):
            raise TypeError(
                f"{self.name} takes at most {self.arity + len(self.param_names)} arguments "
                f"({', '.join(self.array_names + self.param_names)}); got {len(args)}."
            )
        params = {**params, **dict(zip(self.param_names, args[self.arity :], strict=False))}
        args = args[: self.arity]
        for name in self.array_names[len(args) :]:
            if name not in params:
                raise TypeError(f"{self.name} is missing its argument {name!r}.")
            args += (params.pop(name),)
        unknown = [k for k in params if k not in self.param_names]
        if unknown:
            raise TypeError(refusal(self.name, unknown[0], self.param_names))
        return args, params


_ADVICE = {
    "out": "The graph may need what it overwrites: use the value returned (x = x + t, not x += t).",
    "dtype": "Convert with .astype() first: t.astype('float64').",
    "where": "Select with np.where(mask, t, 0) first.",
    "initial": "Add it, or compare with it, afterwards.",
    "order": "The memory order is NumPy's affair; transpose first if the order of axes matters.",
    "axes": "Bring the axes to the end with np.moveaxis first, or use np.einsum.",
}


def refusal(name: str, unknown: str, known: Iterable[str]) -> str:
    """The message for a parameter that NumPy has and the operation has not."""
    return (
        f"{name} of a Tensor does not take {unknown}= (it takes "
        f"{', '.join(known) or 'no keyword'}). "
        f"{_ADVICE.get(unknown, '')}"
    ).rstrip()


def _pull_back(
    vjps: tuple[Any, ...], joint: Callable[..., Any] | None, variadic: bool
) -> Callable[..., Any]:
    """One function for all forms of rules; on Tensors it is recorded."""

    def all_at_once(g: Any, out: Any, args: Any, params: Any, wanted: Any) -> Any:
        return joint(g, out, *args, wanted=wanted, **params)  # type: ignore[misc]

    def by_position(g: Any, out: Any, args: Any, params: Any, wanted: Any) -> Any:
        return {i: vjps[0](i, g, out, *args, **params) for i in wanted}

    def one_by_one(g: Any, out: Any, args: Any, params: Any, wanted: Any) -> Any:
        return {i: vjps[i](g, out, *args, **params) for i in wanted}

    def both(g: Any, out: Any, args: Any, params: Any, wanted: Any) -> Any:
        if params or len(wanted) != 2:
            return one_by_one(g, out, args, params, wanted)
        x, y = args  # the same without stars, which cost as much as the rules of small products
        return first(g, out, x, y), second(g, out, x, y)

    if joint is not None:
        return all_at_once
    if variadic:
        return by_position
    if len(vjps) != 2:
        return one_by_one
    first, second = vjps
    return both


def _array_names(vjps: tuple[Any, ...], joint: Any) -> tuple[str, ...]:
    """The array arguments' names, read from the first rule: ``(g, out, *arrays, **params)``."""
    rule = joint or next((v for v in vjps if v is not None), None)
    if rule is None:
        return ("x",) * len(vjps)
    required = rule.__code__.co_argcount - len(rule.__defaults__ or ())
    names = [name.lstrip("_") for name in _names(rule)[2:required]]
    return tuple(names[: len(vjps)]) if vjps else tuple(names)


def _reads(vjp: Callable[..., Any] | None, arity: int) -> tuple[int, ...]:
    """Positions of the arrays whose values a rule reads, by the underscore convention."""
    if vjp is None:
        return ()
    names = _names(vjp)[1 : 2 + arity]
    return tuple(i - 1 for i, name in enumerate(names) if not name.startswith("_"))


def _reads_variadic(vjp: Callable[..., Any]) -> bool:
    """Whether a rule ``(i, g, out, *arrays, **params)`` reads the other arrays."""
    return not _names(vjp)[-1].startswith("_")


def _names(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a rule's parameters: by position, by keyword only, then ``*args``.

    ``inspect.signature`` would say the same, but a hundred calls of it slow the import down.
    """
    code = rule.__code__
    starred = bool(code.co_flags & 0x04)  # CO_VARARGS
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + starred]


def is_tensor(x: Any) -> bool:
    """Whether ``x`` records what is done with it; the class itself is known to the engine only."""
    return hasattr(x, "_record_operation")


def values_of(x: Any) -> Any:
    """The array behind a Tensor; anything else as it is."""
    return x.data if is_tensor(x) else x


def implements(
    *functions: Callable[..., Any],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function made of operations as what ``functions`` of NumPy do on Tensors."""

    def register(f: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            TABLE[function] = f
        return f

    return register


def define(
    function: Callable[..., Any], *vjps: Any, forward: Any = None, **options: Any
) -> Operation:
    """Make an Operation of a NumPy function and enter it into the table."""
    op = Operation(
        forward or function, *vjps, name=options.pop("name", function.__name__), **options
    )
    TABLE[function] = op
    return op
