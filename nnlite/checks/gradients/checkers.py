"""Gradient checking: is this gradient right? (lecture 01).

A gradient computed by rules is compared with slopes that use no rule. The comparison is scalar:
for a random cotangent u, reverse mode gives the gradient g of u . f(x), and for any direction d
the number g . d must equal the slope of t -> u . f(x + t d) at 0. All entries are tried when an
argument is small, random unit directions when it is large; a wrong direction is then halved until
the worst entry is found. :mod:`nnlite.checks.gradients.run` compares, with slopes from
:mod:`nnlite.checks.differences`.
"""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np

from nnlite.checks.gradients.report import GradcheckError, GradcheckReport
from nnlite.checks.gradients.run import Run
from nnlite.checks.gradients.subject import Gradient, HandWritten, Subject
from nnlite.engine.state import recording
from nnlite.random import RNGLike, default_rng


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    rng: RNGLike | None = None,
    raise_exception: bool = True,
    max_entries: int = 256,
    directions: int = 8,
    vjp: Callable[..., Any] | None = None,
) -> GradcheckReport:
    """Compare the gradients of ``f`` at ``inputs`` with difference quotients and complex steps.

    Parameters
    ----------
    f : callable or Module
        Takes the inputs, returns a Tensor of any shape or a tuple, list or dict of them. It must
        give the same answer each time. Of a Module all parameters are checked as well.
    inputs : array, Tensor, float, or tuple or list of arguments
        If a Tensor among them requires grad, those that do are checked and the others passed on.
        Otherwise all floating-point arguments are checked. Integers, booleans and other objects
        are passed on. Arguments may be nested (dicts, lists). ``f`` gets copies.
    eps : float, optional
        The one step to use. By default steps between 6e-8 and 6e-2 of the size of x are tried
        until one agrees.
    rtol, atol : float, optional
        Tolerance ``atol + rtol * |expected|``. Default rtol is 1e-7 in float64 and 2e-4 in
        float32; default atol is 1e-10 and 2e-5 of the largest gradient of the argument. Where no
        step agrees, the doubt about the best difference quotient is allowed on top: its rounding
        error, and its distance from the quotient with another step.
    rng : int or Generator, optional
        Randomness of cotangent and directions; by default always the same, so that a check is
        repeatable.
    raise_exception : bool
        Raise if a gradient is wrong; otherwise return the report, which is then false.
    max_entries : int
        Arguments with more entries are checked along random directions.
    directions : int
        How many directions.
    vjp : callable, optional
        A backward pass written by hand, ``vjp(g, *inputs)``, that returns the gradient of the
        checked input (a tuple if there are several). It is checked instead of the engine's; ``f``
        gets plain arrays.

    Returns
    -------
    GradcheckReport
        True if all is right; ``str`` tells what was compared, and the worst entry.

    Raises
    ------
    GradcheckError
        If a gradient is wrong, missing, or has another shape or dtype than its input, or if ``f``
        changes its inputs or gives different answers.
    TypeError, ValueError
        If there is nothing to check, an input or the result is NaN or infinite, or an option is
        out of range.

    Notes
    -----
    At a kink (ReLU at 0) no derivative exists. If the two one-sided slopes differ and the gradient
    lies between them, the report says "non-differentiable near ..." and the check passes.

    Examples
    --------
    >>> gradcheck(lambda x: np.sin(x) * x, np.array([0.3, 2.0]))
    gradcheck passed: 2 slopes of 1 argument right
      worst: argument 0, index (1,): received -0.0101725704, expected -0.0101725704, ...
    """
    subject = HandWritten(f, inputs, vjp) if vjp is not None else Subject(f, inputs)
    options = _options(eps, rtol, atol, max_entries, directions)
    return _check(subject, "gradcheck", options, rng, raise_exception)


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    rng: RNGLike | None = None,
    raise_exception: bool = True,
    max_entries: int = 256,
    directions: int = 8,
) -> GradcheckReport:
    """Check second derivatives: :func:`gradcheck` of the map (x, u) -> gradient of u . f(x).

    The gradient is computed by ``nnlite.grad(..., create_graph=True)`` and differentiated again,
    with respect to the inputs and the cotangent. It says nothing of the first derivatives
    themselves: check those too.

    Parameters, result and errors are those of :func:`gradcheck`.
    """
    subject = Gradient(Subject(f, inputs), default_rng(0 if rng is None else rng))
    options = _options(eps, rtol, atol, max_entries, directions)
    return _check(subject, "gradgradcheck", options, rng, raise_exception)


def assert_gradients(f: Callable[..., Any], *inputs: Any, order: int = 1, **options: Any) -> None:
    """One line for a test: first (and with ``order=2`` second) derivatives of f are right.

    Parameters
    ----------
    f : callable or Module
    *inputs
        Arguments of f, as in :func:`gradcheck`.
    order : {1, 2}
    **options
        Passed on to :func:`gradcheck` and :func:`gradgradcheck`.

    Raises
    ------
    GradcheckError
        With the report as its message; an AssertionError, so that a test fails rather than errs.

    Examples
    --------
    >>> def test_my_layer():
    ...     assert_gradients(my_layer, np.ones((4, 3)), order=2)
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2; got {order}.")
    gradcheck(f, inputs, **options)
    if order == 2:
        gradgradcheck(f, inputs, **options)


# ---- the check -----------------------------------------------------------------------------


def _options(eps: Any, rtol: Any, atol: Any, max_entries: Any, directions: Any) -> dict[str, Any]:
    for name, value in (("eps", eps), ("rtol", rtol), ("atol", atol)):
        if value is not None and not (isinstance(value, Real) and 0 <= float(value) < np.inf):
            raise ValueError(f"{name} must be a number >= 0; got {value!r}.")
    for name, count in (("max_entries", max_entries), ("directions", directions)):
        if not isinstance(count, Integral):
            raise TypeError(f"{name} must be an integer; got {count!r}.")
    if eps == 0:
        raise ValueError("eps must be positive.")
    if max_entries < 0 or directions < 1:
        raise ValueError(
            f"max_entries must be >= 0 and directions >= 1; got {max_entries} and {directions}."
        )
    return {
        "eps": eps,
        "rtol": rtol,
        "atol": atol,
        "max_entries": max_entries,
        "directions": directions,
    }


def _check(
    subject: Any, name: str, options: dict[str, Any], rng: RNGLike | None, raise_exception: bool
) -> GradcheckReport:
    __tracebackhide__ = True
    # derivatives are asked for, even inside no_grad
    with recording(True), subject.borrowed(), np.errstate(all="ignore"):
        report = Run(subject, name, options, default_rng(0 if rng is None else rng)).report()
    if raise_exception and not report:
        raise GradcheckError(report)
    return report
