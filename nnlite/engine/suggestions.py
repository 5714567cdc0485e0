"""What to write instead of a name that does not exist here, found when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import numpy as np

from nnlite.engine.spellings import EXPRESSIONS, IN_PLACE, NOTES
from nnlite.ops import ALTERNATIVES, NONDIFFERENTIABLE, TABLE


def torch_advice(name: str, where: str = "Tensor") -> str:
    """The message for a name that does not exist: what to write instead, if known.

    Parameters
    ----------
    name : str
        What was asked for.
    where : str
        ``"Tensor"``, or the dotted name of a module, whose ``__getattr__`` raises
        ``AttributeError(torch_advice(name, __name__))``.
    """
    who = "Tensor" if where == "Tensor" else f"module {where!r}"
    said = f"{who} has no attribute {name!r}."
    if name.startswith("_"):
        return said
    instead = _instead(name) or _elsewhere(name, where) or _numpys(name) or _close(name, where)
    if instead is None:
        words = "Tensors have NumPy's methods; see" if where == "Tensor" else "See"
        instead = f"{words} dir({_short(where)})."
    return f"{said} {instead}"


def _instead(name: str) -> str | None:
    """What the tables say."""
    if name in EXPRESSIONS:
        return f"Use {EXPRESSIONS[name]}."
    if name in NOTES:
        note = NOTES[name]
        code = note.startswith(("np.", "t.", "t =", "rng.", "from "))
        return f"Use {note}." if code else f"{note[:1].upper()}{note[1:]}."
    if name in IN_PLACE:
        return f"Use {IN_PLACE[name]} inside nnlite.no_grad()."
    base = name[:-1]
    if name.endswith("_") and base in EXPRESSIONS:
        return f"Use t[...] = {EXPRESSIONS[base]} inside nnlite.no_grad()."
    if name.endswith("_") and isinstance(getattr(np, base, None), np.ufunc):
        return f"Use t[...] = np.{base}(t) inside nnlite.no_grad()."
    return None


def _elsewhere(name: str, where: str) -> str | None:
    """The place in this library that has the name, which torch keeps in another."""
    if where == "nnlite.nn.functional" or name.endswith("_"):
        places: tuple[str, ...] = ()
    else:
        places = ("nnlite.nn.functional", "nnlite.nn", "nnlite.optim")
    from nnlite.engine.tensor import Tensor

    for place in places:
        if name in getattr(import_module(place), "__all__", ()):
            return f"Use {place}.{name}{'(t)' if where == 'Tensor' else ''}."
    if where != "Tensor" and hasattr(Tensor, name) and not hasattr(np, name):
        return f"Use t.{name}{'()' if callable(getattr(Tensor, name)) else ''}."
    return None


def _numpys(name: str) -> str | None:
    """NumPy's function or attribute of that name."""
    for place, module in (("np", np), ("np.linalg", np.linalg)):
        function = getattr(module, name, None)
        if _takes_tensors(function):
            return f"Use {place}.{name}(t, ...)."
        if callable(function) and function in ALTERNATIVES:
            return f"Use {ALTERNATIVES[function]}."
    if hasattr(np.ndarray, name):
        return f"Use t.data.{name}{'()' if callable(getattr(np.ndarray, name)) else ''}."
    return None


def _takes_tensors(function: Any) -> bool:
    return callable(function) and (function in TABLE or function in NONDIFFERENTIABLE)


def _close(name: str, where: str) -> str | None:
    """A name that is nearly the same: another case, or a letter wrong in a long one."""
    if where == "Tensor":
        from nnlite.engine.tensor import Tensor

        known = [k for k in dir(Tensor) if not k.startswith("_")]
    else:
        known = [k for k in dir(import_module(where)) if not k.startswith("_")]
    close = [k for k in known if k.lower() == name.lower()]
    if len(name) > 4:  # a letter more or less makes another word of a short one
        close += difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"Did you mean {_short(where)}.{close[0]}?" if close else None


def _short(where: str) -> str:
    return "t" if where == "Tensor" else where
