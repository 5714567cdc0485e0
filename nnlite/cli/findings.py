"""How the sections of ``nnlite doctor`` say what they find, and questions that several ask."""

from __future__ import annotations

import importlib.metadata
import os
import sys

__all__ = ["BROWSER", "cores", "say", "short", "version"]

BROWSER = sys.platform == "emscripten"


def say(name: str, value: str) -> None:
    """Print a line of the report."""
    print(f"{name:<14} {value}", flush=True)


def short(error: BaseException) -> str:
    """Type and first line of an exception."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": .")


def version(distribution: str) -> str | None:
    """The version of an installed distribution, None if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def cores() -> int:
    """The number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
