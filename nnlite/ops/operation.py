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
    params : tuple of str
        Names of the parameters that are not arrays, in the order in which they may be given by
        position.
    variadic : bool
        True for any number of array arguments; then the one rule takes the argument's position
        first: ``vjp(i, g, out, *arrays, **params)``.
    joint : callable, optional
        Instead of ``vjps``, one rule ``joint(g, out, *arrays, **params)`` that returns the
        gradients of all arguments at once (None where there is none), for operations whose
        gradients share work. If it has a keyword ``wanted``, it is told the positions of the
        arguments whose gradients will be used.
    reads : tuple of tuples of str
        For a joint rule: the arrays that the gradient of each argument reads, by name. By default
        each reads all that the rule reads.
    fresh : bool
        True if every gradient is a new array that nothing else holds: the engine may add to it in
        place and hand it out without a copy.
    residuals : bool
        True if ``forward`` returns ``(out, residual)``: something computed on the way that the rule
        can use. The rule gets it as the keyword ``residual``.
    out_with : str
        A parameter without which (None) the rules do not read the result: a fused activation.
    """

    __slots__ = (
        "__name__",
        "_known",
        "_reads_for",
        "all_rules",
        "arity",
        "array_names",
        "binary",
        "forward",
        "freed",
        "fresh",
        "joint",
        "name",
        "out_with",
        "param_names",
        "reads",
        "reads_both",
        "residuals",
        "selective",
        "variadic",
        "vjps",
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
        residuals: bool = False,
        fresh: bool = False,
        out_with: str = "",
    ) -> None:
        self.forward = forward
        self.vjps = vjps
        self.name = self.__name__ = name or forward.__name__
        self.variadic = variadic
        self.joint = joint
        self.selective = joint is not None and "wanted" in _names(joint)
        self.residuals = residuals
        self.fresh = fresh
        self.out_with = out_with
        self.param_names = params
        self._known = frozenset(params)
        self.array_names = arrays or _array_names(vjps, joint)
        self.arity = len(self.array_names)
        #: for each argument: which argument positions (OUT for the result) its rule reads
        if variadic:
            self.reads: tuple[Any, ...] = (_reads_variadic(vjps[0]),)
        else:
            self.reads = tuple(_reads(v, self.arity) for v in vjps or (joint,) * self.arity)
        if reads:  # of a joint rule: what each of its parts reads, and the result if it does
            out = (OUT,) if OUT in self.reads[0] else ()
            self.reads = tuple(out + tuple(map(self.array_names.index, names)) for names in reads)

        #: two arguments, a rule for each, no parameters: the walk back has a short cut for these
        self.binary = self.arity == 2 and not (variadic or joint or params or residuals)
        #: every argument has a gradient (else ``vjps[i]`` is None where one has not)
        self.all_rules = variadic or joint is not None
        #: what stands for a tensor's history when backward has let go of it
        self.freed = (self, None, None, None, None, None, None)
        self._reads_for: dict[tuple[tuple[int, ...], int, bool], tuple[int, ...]] = {}
        #: what the rules of both arguments read, for operations with two
        self.reads_both = tuple({*self.reads[0], *self.reads[1]}) if len(self.reads) == 2 else ()

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def reads_of(self, i: int, n: int) -> tuple[int, ...]:
        """Positions of the arrays (of ``n``) that the rule for argument ``i`` reads."""
        if self.variadic:
            return tuple(j for j in range(n) if j != i) if self.reads[0] else ()
        return self.reads[i]

    def reads_for(self, wanted: tuple[int, ...], n: int, params: dict[str, Any]) -> tuple[int, ...]:
        """Positions of the arrays (of ``n``) that the rules for the arguments ``wanted`` read."""
        out = not self.out_with or params.get(self.out_with) is not None
        reads = self._reads_for.get((wanted, n, out))
        if reads is None:
            reads = tuple({r for i in wanted for r in self.reads_of(i, n) if out or r != OUT})
            self._reads_for[wanted, n, out] = reads
        return reads

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply to arrays, or record on the graph if an argument is a Tensor."""
        if not self.variadic and (len(args) != self.arity or not self._known >= params.keys()):
            args, params = self._bind(args, params)
        for a in args:
            if hasattr(a, "__record_operation__"):
                return a.__record_operation__(self, args, params)
        out = self.forward(*args, **params)
        return out[0] if self.residuals else out

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


def values_of(x: Any) -> Any:
    """The plain array behind a Tensor; anything else as it is."""
    return x.data if hasattr(x, "__record_operation__") else x


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
