"""What every plot needs: Matplotlib on demand, arrays from whatever is given, axes to draw on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Ten classes need more colours than the style's cycle has: Petroff (2021), Accessible color
# sequences for data visualization.
TEN_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
DIVERGING = "RdBu_r"  # for signed values: white is zero


def pyplot() -> Any:
    """matplotlib.pyplot, or an ImportError that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("nnlite.plots needs Matplotlib: pip install matplotlib.") from error
    return plt


def style() -> None:
    """Set the course's look for all following figures (one colour-blind-safe style sheet)."""
    pyplot().style.use(Path(__file__).with_name("nnlite.mplstyle"))


def new_axes(ax: Axes | None, figsize: tuple[float, float] | None = None) -> Axes:
    """``ax``, or the axes of a new figure."""
    if ax is not None:
        return ax
    return pyplot().subplots(figsize=figsize)[1]


def as_array(x: Any, name: str = "x") -> np.ndarray:
    """A NumPy array of real numbers; Tensors are detached, NaN and infinity refused."""
    array = np.asarray(x.detach() if hasattr(x, "detach") else x)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(
            f"{name} has {int((~np.isfinite(array)).sum())} entries that are NaN or infinite: "
            "nothing to draw there; look for where they arise."
        )
    return array


def as_points(x: Any, name: str = "x") -> np.ndarray:
    """An array of shape (n, 2)."""
    array = as_array(x, name)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} must be points in the plane, shape (n, 2), got {array.shape}.")
    return array
