"""Where a check is shown: in a notebook as HTML, elsewhere as a printed line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Run", "current_run", "show", "shown_as"]


@dataclass(frozen=True)
class Run:
    """One execution of a notebook's cell; outside notebooks both are None."""

    cell: str | None = None
    execution: int | None = None


def current_run() -> Run:
    """Which cell runs for which time; None in front ends that do not name their cells."""
    shell = _shell()
    if shell is None:
        return Run()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return Run(parent.get("metadata", {}).get("cellId"), shell.execution_count)


def show(plain: str, rich: str, **more: Any) -> None:
    """Display in a notebook, print elsewhere; ``more`` holds further forms by MIME type."""
    if _shell() is None:
        # A console that cannot show λ or ✓ (a redirected Windows one) shows "?" and does not die.
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(plain.encode(encoding, errors="replace").decode(encoding))
        return
    from IPython.display import display

    display(_Shown({"text/plain": plain, "text/html": rich, **more}))


def shown_as(kind: type, how: Any) -> None:
    """Let the notebook that runs us show values of a class by calling ``how``."""
    formatter = getattr(_shell(), "display_formatter", None)
    if formatter is not None:
        formatter.ipython_display_formatter.for_type(kind, how)


@dataclass(frozen=True)
class _Shown:
    """What is displayed, by MIME type: front ends take what they can show."""

    bundle: dict[str, Any]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle


def _shell() -> Any:
    """The running IPython shell, or None; IPython is not imported to find out."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()
