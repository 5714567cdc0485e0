"""Curves and scatter plots: spectra, training, codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.plots._base import TEN_COLOURS, as_array, as_points, new_axes, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def scree(
    variances: Any,
    *,
    kept: int | None = None,
    log: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Eigenvalues of the covariance, largest first, and the share of variance they add up to.

    Parameters
    ----------
    variances : array_like, (m,)
        All eigenvalues, for instance ``PCA().fit(X).explained_variance_``. Shares are of their
        sum.
    kept : int, optional
        Shade the first ``kept`` and print their share.
    log : bool
        Logarithmic eigenvalues (zeros are left out).
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        The left axes (eigenvalues); the cumulative share is on the right.
    """
    lam = as_array(variances, "variances").astype(np.float64)
    if lam.ndim != 1 or lam.size == 0 or not lam.sum() > 0:
        raise ValueError(f"variances must be a vector with a positive sum, got shape {lam.shape}.")
    ax = new_axes(ax)
    index = np.arange(1, len(lam) + 1)
    share = np.cumsum(lam) / lam.sum()
    shown = lam > 0 if log else np.ones(len(lam), bool)
    marker = "o" if len(lam) <= 60 else ""
    ax.plot(index[shown], lam[shown], marker=marker, label="eigenvalue")
    ax.set(xlabel="component", ylabel="variance $\\lambda_j$")
    if log:
        ax.set_yscale("log")
    right = ax.twinx()
    right.plot(index, share, color="C1", ls="--", label="cumulative share")
    right.set(ylim=(0, 1.03), ylabel="cumulative share")
    right.spines["right"].set_visible(True)
    right.grid(visible=False)
    if kept is not None:
        if not 1 <= kept <= len(lam):
            raise ValueError(f"kept must be between 1 and {len(lam)}, got {kept}.")
        ax.axvspan(0.5, kept + 0.5, color="C0", alpha=0.12, lw=0)
        right.annotate(
            f"{kept} components: {share[kept - 1]:.0%}",
            (kept, share[kept - 1]),
            xytext=(8, -14),
            textcoords="offset points",
        )
    handles = [*ax.get_lines()[:1], *right.get_lines()[:1]]
    ax.legend(handles=handles, loc="center right")
    if title:
        ax.set_title(title)
    return ax


def curves(
    values: Mapping[str, Any] | Any,
    *,
    x: Any = None,
    reference: Mapping[str, float] | None = None,
    xlabel: str = "step",
    ylabel: str = "loss",
    logx: bool = False,
    logy: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Loss, gradient norm or anything else against steps.

    Parameters
    ----------
    values : sequence, or dict of name to sequence
        Curves; they may have different lengths.
    x : sequence, or dict of name to sequence, optional
        Positions; default 0, 1, 2, ... (a dict: for the curves it names).
    reference : dict of name to number, optional
        Horizontal dashed lines: the value theory promises.
    xlabel, ylabel : str
    logx, logy : bool
        Logarithmic axes.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    named = values if isinstance(values, Mapping) else {"": values}
    ax = new_axes(ax)
    for name, value in named.items():
        y = as_array(value, f"curve {name!r}" if name else "values")
        if y.ndim != 1:
            raise ValueError(f"curve {name!r} must have one axis, got shape {y.shape}.")
        position = x.get(name) if isinstance(x, Mapping) else x
        t = np.arange(len(y)) if position is None else as_array(position, "x")
        if t.shape != y.shape:
            raise ValueError(f"curve {name!r} has {len(y)} values at {len(t)} positions.")
        ax.plot(t, y, label=name or None)
    for i, (name, level) in enumerate((reference or {}).items()):
        ax.axhline(level, color="0.35", ls=("--", ":", "-.")[i % 3], lw=1.2, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    if any(named) or reference:
        ax.legend()
    if title:
        ax.set_title(title)
    return ax


def latent_scatter(
    Z: Any,
    labels: Any = None,
    *,
    names: Sequence[str] | None = None,
    glyphs: bool = False,
    size: float | None = None,
    alpha: float = 0.7,
    label: str = "",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Codes in the plane, coloured by class (integers) or by a quantity (floats).

    Parameters
    ----------
    Z : array_like or Tensor, (n, 2)
    labels : array_like, (n,), optional
        Integers are classes: one colour each, and the class written at the median of its points,
        so that the map can be read without colours. Floats get a colour bar.
    names : sequence of str, optional
        Of the classes, in the order of their numbers.
    glyphs : bool
        Draw each point as the name of its class instead of a dot, with a key at the right: for
        classes that overlap, and for ten of them, which colours alone do not tell apart.
    size : float, optional
        Of the dots, 6 by default, or glyphs, 24.
    alpha : float
        Of the dots or glyphs.
    label : str
        Of the colour bar.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    Z = as_points(Z, "Z")
    ax = new_axes(ax, (5.2, 5.0))
    size = (24.0 if glyphs else 6.0) if size is None else size
    dots: dict[str, Any] = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": True}
    if labels is None:
        ax.scatter(Z[:, 0], Z[:, 1], color="C0", **dots)
    else:
        labels = as_array(labels, "labels")
        if labels.shape != (len(Z),):
            raise ValueError(f"labels must be ({len(Z)},), one per point, got {labels.shape}.")
        if labels.dtype.kind == "f":
            drawn = ax.scatter(Z[:, 0], Z[:, 1], c=labels, **dots)
            pyplot().colorbar(drawn, ax=ax, label=label)
        else:
            _scatter_classes(ax, Z, labels, names, glyphs, dots)
    ax.set(xlabel="code unit 1", ylabel="code unit 2")
    if title:
        ax.set_title(title)
    return ax


def _scatter_classes(
    ax: Axes,
    Z: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str] | None,
    glyphs: bool,
    dots: dict[str, Any],
) -> None:
    classes = np.unique(labels)
    if names is not None and len(names) != len(classes):
        raise ValueError(f"{len(names)} names for {len(classes)} classes: {classes}.")
    for i, value in enumerate(classes):
        own = Z[labels == value]
        name = names[i] if names is not None else str(value)
        colour = TEN_COLOURS[i % len(TEN_COLOURS)]
        marker = rf"$\mathsf{{{name}}}$" if glyphs else "o"
        ax.scatter(own[:, 0], own[:, 1], color=colour, marker=marker, label=name, **dots)
        if not glyphs:
            x, y = np.median(own, axis=0)
            box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": colour, "lw": 1.5}
            ax.text(x, y, name, ha="center", va="center", fontweight="bold", bbox=box)
    if glyphs:
        key: Any = ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="class")
        for handle in key.legend_handles:
            handle.set(alpha=1, sizes=[60])
