"""What stops a command before it starts: said in one sentence, with what to do about it."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["Problem", "require"]


class Problem(Exception):
    """A command cannot do what was asked; the message says why and what helps. Exit code 2."""


def require(*modules: str, extra: str) -> None:
    """Raise `Problem` with the exact pip command if one of `modules` is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise Problem(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
            f'Install with:  python -m pip install "nnlite[{extra}]"'
            f'  (in a checkout:  python -m pip install -e ".[{extra}]")'
        )
