"""Functions on the plane: densities, discriminators, scores, and curves through data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.plots._base import as_array, as_points, new_axes, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Extent = tuple[float, float, float, float]
_SQUARE: Extent = (-3.0, 3.0, -3.0, 3.0)


def field(
    f: Callable[[np.ndarray], Any],
    *,
    extent: Extent = _SQUARE,
    n: int = 121,
    points: Any = None,
    levels: int | Any = 12,
    cmap: str = "viridis",
    label: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A scalar function of the plane (density, discriminator, loss) as filled contours.

    Parameters
    ----------
    f : callable
        Points (m, 2) to values (m,) or (m, 1), an array or a Tensor.
    extent : (left, right, bottom, top)
    n : int
        Grid points per axis.
    points : array_like, (k, 2), optional
        Drawn on top.
    levels : int or sequence
        Of the contours.
    cmap : str
    label : str
        Of the colour bar.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    x, y, values = _on_grid(f, extent, n, 1)
    ax = new_axes(ax, (5.4, 4.6))
    drawn = ax.contourf(x, y, values[..., 0], levels=levels, cmap=cmap)
    pyplot().colorbar(drawn, ax=ax, label=label)
    if points is not None:
        ax.plot(*as_points(points, "points").T, ".", color="white", mec="black", mew=0.4, ms=5)
    return _finish(ax, extent, title)


def vector_field(
    f: Callable[[np.ndarray], Any],
    *,
    extent: Extent = _SQUARE,
    n: int = 21,
    paths: Any = None,
    unit: bool = False,
    title: str | None = None,
    color: str = "C0",
    ax: Axes | None = None,
) -> Axes:
    """A vector at each point of a grid: scores, gradients, the dynamics of a game.

    Parameters
    ----------
    f : callable
        Points (m, 2) to vectors (m, 2), an array or a Tensor.
    extent : (left, right, bottom, top)
    n : int
        Arrows per axis.
    paths : array_like (steps, 2), or a list of them, optional
        Trajectories drawn over the arrows; a dot marks each start.
    unit : bool
        Draw all arrows equally long (direction only).
    title : str, optional
    color : str
        Of the arrows.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    x, y, v = _on_grid(f, extent, n, 2)
    if unit:
        length = np.linalg.norm(v, axis=-1, keepdims=True)
        v = v / np.where(length > 0, length, 1)
    ax = new_axes(ax, (4.9, 4.6))
    ax.quiver(x, y, v[..., 0], v[..., 1], color=color, angles="xy", width=0.004)
    if paths is not None:
        for i, path in enumerate(paths if isinstance(paths, (list, tuple)) else [paths]):
            path = as_points(path, "paths")
            ax.plot(*path.T, color=f"C{i + 1}")
            ax.plot(*path[0], "o", color=f"C{i + 1}")
    return _finish(ax, extent, title)


def decoder_curve(
    decode: Callable[[np.ndarray], Any],
    codes: Any,
    X: Any = None,
    *,
    X_hat: Any = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The curve a decoder with one code unit can reach, over the data it should follow.

    Parameters
    ----------
    decode : callable
        Codes (m, 1) to points (m, 2), an array or a Tensor.
    codes : array_like, (m,) or (m, 1)
        In rising order, covering the codes of the data.
    X : array_like, (n, 2), optional
        Data.
    X_hat : array_like, (n, 2), optional
        Their reconstructions: a thin line joins each point to its own.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    z = as_array(codes, "codes").reshape(-1, 1)
    curve = as_points(decode(z), "decode(codes)")
    ax = new_axes(ax, (5.4, 4.2))
    if X_hat is not None:
        if X is None:
            raise ValueError("X_hat joins data to reconstructions: pass X as well.")
        start, end = as_points(X, "X"), as_points(X_hat, "X_hat")
        if start.shape != end.shape:
            raise ValueError(
                f"X and X_hat must have the same shape, got {start.shape}, {end.shape}."
            )
        ax.plot(*np.stack([start, end], axis=1).T, color="0.7", lw=0.7, zorder=1)
    if X is not None:
        ax.plot(*as_points(X, "X").T, ".", color="0.45", ms=4, zorder=2, label="data")
    ax.plot(*curve.T, color="0.2", lw=0.8, zorder=3)
    drawn = ax.scatter(curve[:, 0], curve[:, 1], c=z[:, 0], s=12, zorder=4, label="decoder")
    pyplot().colorbar(drawn, ax=ax, label="code")
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    if X is not None:  # above the axes, at the right: never on the curve
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
    if title:
        ax.set_title(title)
    return ax


def _on_grid(
    f: Callable[[np.ndarray], Any], extent: Extent, n: int, components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left, right, bottom, top = extent
    if not (left < right and bottom < top):
        raise ValueError(f"extent must be (left, right, bottom, top), got {extent}.")
    x, y = np.meshgrid(np.linspace(left, right, n), np.linspace(bottom, top, n))
    values = as_array(f(np.stack([x.ravel(), y.ravel()], axis=1)), "f(points)")
    if values.size != n * n * components:
        shape = f"({n * n},)" if components == 1 else f"({n * n}, {components})"
        raise ValueError(f"f must return shape {shape} for {n * n} points, got {values.shape}.")
    return x, y, values.reshape(n, n, components)


def _finish(ax: Axes, extent: Extent, title: str | None) -> Axes:
    ax.set(xlim=extent[:2], ylim=extent[2:], xlabel="$x_1$", ylabel="$x_2$")
    ax.set_aspect("equal")
    ax.grid(visible=False)
    if title:
        ax.set_title(title)
    return ax
