"""Two pictures of lectures 04 and 05: a decoded surface in space, and colourings of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.plots._base import as_array, as_points, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def decoder_surface(
    decode: Callable[[np.ndarray], Any],
    extent: tuple[float, float, float, float],
    X: Any = None,
    *,
    color: Any = "0.4",
    n: int = 30,
    view: tuple[float, float] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The surface a decoder with two code units can reach, over data in space.

    Parameters
    ----------
    decode : callable
        Codes (m, 2) to points (m, 3), an array or a Tensor.
    extent : (left, right, bottom, top)
        Range of the codes.
    X : array_like, (k, 3), optional
        Data.
    color : colour, or array_like (k,)
        Of the data; numbers (a coordinate along the manifold, say) take their colours from the
        colour map.
    n : int
        Codes per axis.
    view : (elevation, azimuth), optional
        In degrees.
    title : str, optional
    ax : Axes3D, optional

    Returns
    -------
    mpl_toolkits.mplot3d.axes3d.Axes3D

    Raises
    ------
    ValueError
        If the decoder's points or the data are not (m, 3), the extent is not four numbers, or the
        axes are not in space.
    """
    if len(extent) != 4 or n < 2:
        raise ValueError(
            f"extent must be (left, right, bottom, top), got {extent}, and n at least 2, got {n}."
        )
    left, right, bottom, top = extent
    z1, z2 = np.meshgrid(np.linspace(left, right, n), np.linspace(bottom, top, n))
    surface = _in_space(decode(np.stack([z1.ravel(), z2.ravel()], axis=1)), "decode(codes)")
    if len(surface) != n * n:
        raise ValueError(f"the decoder returned {len(surface)} points for {n * n} codes.")
    if ax is not None and ax.name != "3d":
        raise ValueError(
            'a surface needs axes in space: plt.subplots(subplot_kw={"projection": "3d"}).'
        )
    if ax is None:
        ax = pyplot().subplots(figsize=(5.6, 4.6), subplot_kw={"projection": "3d"})[1]
    axes: Any = ax  # Matplotlib does not say that these are axes in space
    axes.plot_wireframe(*surface.T.reshape(3, n, n), rcount=n, ccount=n, lw=0.5, color="C0")
    if X is not None:
        points = _in_space(X, "X")
        axes.scatter(*points.T, s=3, c=color, alpha=0.5, depthshade=False)
    if view is not None:
        axes.view_init(*view)
    axes.set(xlabel="$x_1$", ylabel="$x_2$", zlabel="$x_3$")
    if title:
        axes.set_title(title)
    return axes


def dichotomies(
    points: Any, colourings: Any, separable: Sequence[bool] | None = None, *, columns: int = 8
) -> Figure:
    """Small pictures of the ways to colour points in the plane with two colours.

    Parameters
    ----------
    points : array_like, (n, 2)
    colourings : array_like, (k, n)
        One row per picture: positive entries are one class, all others the other. The classes
        differ in marker as well as in colour.
    separable : sequence of bool, (k,), optional
        Written above each picture: "linear", or "NOT linear" in a red frame.
    columns : int
        Pictures per row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a colouring does not have one entry per point, or ``separable`` one per colouring,
        or there is nothing to draw.
    """
    points = as_points(points, "points")
    colourings = as_array(colourings, "colourings")
    if colourings.ndim != 2 or colourings.shape[1] != len(points):
        raise ValueError(
            f"colourings must be (k, {len(points)}), one entry per point, got {colourings.shape}."
        )
    if separable is not None and len(separable) != len(colourings):
        raise ValueError(f"{len(separable)} verdicts for {len(colourings)} colourings.")
    if not len(colourings) or columns < 1:
        raise ValueError(
            f"there must be a colouring and a column, got {len(colourings)} and {columns}."
        )
    rows = -(-len(colourings) // columns)
    figure, grid = pyplot().subplots(
        rows, columns, figsize=(1.25 * columns, 1.45 * rows), squeeze=False
    )
    low, high = points.min(0), points.max(0)
    room = 0.4 * np.maximum(high - low, 1e-9)
    for ax in grid.ravel()[len(colourings) :]:
        ax.set_visible(False)
    for i, (ax, colours) in enumerate(zip(grid.ravel(), colourings, strict=False)):
        one = colours > 0
        ax.plot(*points[one].T, "o", color="C0", ms=8)
        ax.plot(*points[~one].T, "s", mfc="none", color="C1", ms=8)
        ax.set(xticks=[], yticks=[])
        ax.set(xlim=(low[0] - room[0], high[0] + room[0]))
        ax.set(ylim=(low[1] - room[1], high[1] + room[1]))
        ax.spines[:].set_visible(True)
        if separable is not None:
            ax.set_title("linear" if separable[i] else "NOT linear", fontsize=8, loc="center")
            if not separable[i]:
                ax.spines[:].set(color="C1", linewidth=2.5)
    return figure


def _in_space(x: Any, name: str) -> np.ndarray:
    points = as_array(x, name)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"{name} must be points in space, (m, 3), got {points.shape}.")
    return points
