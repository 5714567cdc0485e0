"""What stops a command before it starts: said in one sentence, with what to do about it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["Problem", "how_to_install", "require"]


class Problem(Exception):
    """A command cannot do what was asked; the message says why and what helps. Exit code 2."""


def require(*modules: str, extra: str) -> None:
    """Raise ``Problem`` with the exact pip command if one of ``modules`` is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise Problem(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
            f"{how_to_install(*missing, extra=extra)}"
        )


def how_to_install(*distributions: str, extra: str) -> str:
    """Say how to install what is missing, in a way that works where this Python runs.

    The packages are named themselves: nnlite comes from a checkout or a wheel, not from the index.
    """
    if sys.platform == "emscripten":
        return f"In a cell of the notebook:  %pip install {' '.join(distributions)}"
    return (
        f"Install with:  python -m pip install {' '.join(distributions)}"
        f'  (or, in the checkout of nnlite:  python -m pip install -e ".[{extra}]")'
    )
