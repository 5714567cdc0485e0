"""Pictures made of pictures: digits, reconstructions, filters, decoded latent grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.plots._base import DIVERGING, as_array, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 1  # pixels between tiles
_WIDEST = 8.0  # inches: no figure is wider than the text


def images(
    X: Any,
    *,
    columns: int | None = None,
    shape: tuple[int, ...] | None = None,
    labels: Sequence[object] | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = "gray",
    key: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A grid of images.

    Parameters
    ----------
    X : array_like or Tensor
        (n, H, W) grey, (n, H, W, 3) colour, (n, C, H, W) with C = 1 or 3 as networks have it, or
        (n, H * W) flattened.
    columns : int, optional
        Images per row; default 10, or as many as there are.
    shape : (H, W) or (H, W, 3), optional
        Of one flattened image; default: square.
    labels : sequence, optional
        Printed above each image.
    names : sequence of str, optional
        Of the rows, at their left, top to bottom.
    title : str, optional
    vmin, vmax : float, optional
        Values shown as black and white, the same for all images. Default 0 and 1 if all pixels
        lie there, else the extremes.
    cmap : str
        Matplotlib's name of the colour map of grey images. Keep the default for digits: they are
        white on black in the whole course.
    key : str, optional
        Draw a colour bar with this label, for instance ``"pixel value"``.
    ax : Axes, optional
        Draw here instead of in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the shape is not understood, the labels are not one per image or the names not one per
        row, or a key is asked for colour images.
    """
    tiles = _as_images(X, shape)
    if labels is not None and len(labels) != len(tiles):
        raise ValueError(f"{len(labels)} labels for {len(tiles)} images.")
    if key is not None and tiles.ndim == 4:
        raise ValueError(f"a key explains one channel, got colour images of shape {np.shape(X)}.")
    columns = min(columns or 10, len(tiles))
    low, high = _limits(tiles, vmin, vmax)
    tiles = np.clip((tiles - low) / (high - low), 0, 1)
    ax = _draw(tiles, columns, labels, title, cmap, ax, names)
    if key is not None:
        _colour_key(ax, key, [f"{low:.3g}", f"{(low + high) / 2:.3g}", f"{high:.3g}"])
    return ax


def reconstructions(
    X: Any,
    *others: Any,
    names: Sequence[str] = ("input", "reconstruction"),
    shape: tuple[int, ...] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rows of images to compare: the inputs above what became of them.

    Parameters
    ----------
    X : array_like or Tensor
        Images, any shape :func:`images` takes; first row.
    *others : array_like or Tensor
        One more row each, as many images as ``X``.
    names : sequence of str
        Of the rows, top to bottom.
    shape : tuple, optional
        Of one flattened image.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows = [_as_images(x, shape) for x in (X, *others)]
    if any(row.shape != rows[0].shape for row in rows):
        raise ValueError(
            f"all rows need the same number and size of images, got "
            f"{[row.shape for row in rows]}; pass for instance X[:10], X_hat[:10]."
        )
    if len(names) != len(rows):
        raise ValueError(f"{len(names)} names for {len(rows)} rows of images: {tuple(names)}.")
    low, high = _limits(rows[0], None, None)  # the input sets the scale: overshoot shows as clipped
    tiles = np.clip((np.concatenate(rows) - low) / (high - low), 0, 1)
    return _draw(tiles, len(rows[0]), None, title, "gray", ax, names)


def filters(
    W: Any,
    *,
    columns: int | None = None,
    shape: tuple[int, ...] | None = None,
    labels: Sequence[object] | None = None,
    names: Sequence[str] | None = None,
    shared: bool = False,
    title: str | None = None,
    key: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Weights as signed images: zero white, positive red, negative blue, each filter at its scale.

    Parameters
    ----------
    W : array_like or Tensor
        (n, H * W), one filter per row (as ``Linear.weight`` of an encoder or
        ``PCA.components_``), or images as :func:`images` takes them (one channel).
    shared : bool
        One scale for all filters instead of one for each, so that their sizes can be compared.
    key : str, optional
        Draw a colour bar with this label: in numbers if the scale is shared (or there is one
        filter), else from minus to plus each filter's largest weight.
    columns, shape, labels, names, title, ax
        As in :func:`images`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    tiles = _as_images(W, shape)
    if tiles.ndim == 4:
        raise ValueError(f"filters are drawn with one channel, got shape {np.shape(W)}.")
    if labels is not None and len(labels) != len(tiles):
        raise ValueError(f"{len(labels)} labels for {len(tiles)} filters.")
    scale = np.abs(tiles).max(axis=None if shared else (1, 2), keepdims=True)
    tiles = 0.5 + 0.5 * tiles / np.where(scale > 0, scale, 1)
    ax = _draw(tiles, min(columns or 10, len(tiles)), labels, title, DIVERGING, ax, names)
    if key is not None:
        largest = f"{scale.item():.2g}" if scale.size == 1 else "largest"
        _colour_key(ax, key, [f"\u2212{largest}", "0", f"+{largest}"])
    return ax


def latent_grid(
    decode: Callable[[np.ndarray], Any],
    *,
    extent: tuple[float, float, float, float] = (-2.0, 2.0, -2.0, 2.0),
    n: int = 12,
    shape: tuple[int, ...] | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What a decoder makes of a grid of two-dimensional codes.

    Parameters
    ----------
    decode : callable
        Codes (m, 2) to images (m, ...), an array or a Tensor.
    extent : (left, right, bottom, top)
        Range of the codes.
    n : int
        Codes per axis.
    shape : tuple, optional
        Of one flattened image.
    vmin, vmax : float, optional
        Values shown as black and white; as in :func:`images`.
    title : str, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        Its axes are the two code units; each image is centred on its code.
    """
    left, right, bottom, top = extent
    z1, z2 = np.meshgrid(np.linspace(left, right, n), np.linspace(top, bottom, n))
    tiles = _as_images(decode(np.stack([z1.ravel(), z2.ravel()], axis=1)), shape)
    low, high = _limits(tiles, vmin, vmax)
    mosaic = _mosaic(np.clip((tiles - low) / (high - low), 0, 1), n, gap=0)
    ax = new_axes(ax, (5.6, 5.6))
    half_x, half_y = (right - left) / (2 * max(n - 1, 1)), (top - bottom) / (2 * max(n - 1, 1))
    ax.imshow(
        mosaic,
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(left - half_x, right + half_x, bottom - half_y, top + half_y),
        aspect="auto",
    )
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="code unit 1", ylabel="code unit 2")
    if title:
        ax.set_title(title)
    return ax


def _draw(
    tiles: np.ndarray,
    columns: int,
    labels: Sequence[object] | None,
    title: str | None,
    cmap: str,
    ax: Axes | None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Tiles with values in [0, 1] as one picture."""
    height, width = tiles.shape[1:3]
    rows = -(-len(tiles) // columns)
    if names is not None and len(names) != rows:
        raise ValueError(f"{len(names)} names for {rows} rows of images: {tuple(names)}.")
    line = 0 if labels is None else max(4, round(0.32 * height))  # room for a label above a tile
    padded = tiles
    if line:
        pad = [(0, 0), (line, 0), (0, 0), *[(0, 0)] * (tiles.ndim - 3)]
        padded = np.pad(tiles.astype(np.float64), pad, constant_values=np.nan)
    mosaic = _mosaic(padded, columns, _GAP)
    if ax is None:
        inches = min(_WIDEST, 0.8 * columns)
        size = (inches, max(0.6, inches * mosaic.shape[0] / mosaic.shape[1]) + 0.3 * bool(title))
        ax = new_axes(None, size)
    ax.imshow(mosaic, cmap=cmap, vmin=0, vmax=1)
    for i, label in enumerate(labels if labels is not None else ()):
        row, column = divmod(i, columns)
        x = column * (width + _GAP) + width / 2
        y = row * (height + line + _GAP) + line - 0.1 * line
        ax.text(x, y, str(label), ha="center", va="bottom", fontsize=8)
    _frame(ax, len(tiles), columns, (height, width), line)
    step = height + line + _GAP
    ax.set(xticks=[], yticks=[], xlim=(-0.7, mosaic.shape[1] - 0.3))
    ax.set_ylim(rows * step - _GAP - 0.3, -0.7)
    if names is not None:
        ax.set_yticks([i * step + line + height / 2 - 0.5 for i in range(rows)], names)
        ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title)
    return ax


def _frame(ax: Axes, n: int, columns: int, size: tuple[int, int], line: int) -> None:
    """A hair line around each tile, so that white ones do not melt into the page."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    height, width = size
    corners = [divmod(i, columns) for i in range(n)]
    tiles = [
        Rectangle(
            (c * (width + _GAP) - 0.5, r * (height + line + _GAP) + line - 0.5), width, height
        )
        for r, c in corners
    ]
    ax.add_collection(
        PatchCollection(tiles, facecolor="none", edgecolor="0.75", linewidth=0.5), autolim=False
    )


def _colour_key(ax: Axes, label: str, ends: Sequence[str]) -> None:
    """A colour bar whose three ticks, at the ends and the middle, have these names."""
    bar = ax.figure.colorbar(ax.get_images()[0], ax=ax, label=label, shrink=0.9, pad=0.02)
    bar.set_ticks([0, 0.5, 1], labels=list(ends))
    bar.outline.set_linewidth(0.5)


def _mosaic(tiles: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """(n, H, W[, 3]) -> one array; gaps and missing tiles are NaN, which is drawn as nothing."""
    n, height, width, *colour = tiles.shape
    rows = -(-n // columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap, *colour)
    canvas = np.full(size, np.nan)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        y, x = row * (height + gap), column * (width + gap)
        canvas[y : y + height, x : x + width] = tile
    if colour:  # imshow draws NaN in RGB as black: make gaps white instead
        canvas = np.where(np.isnan(canvas), 1.0, canvas)
    return canvas


def _as_images(X: Any, shape: tuple[int, ...] | None) -> np.ndarray:
    """(n, H, W) or (n, H, W, 3), float."""
    X = as_array(X, "images").astype(np.float64)
    if X.ndim == 2:
        side = round(X.shape[1] ** 0.5)
        if shape is None and side * side != X.shape[1]:
            raise ValueError(
                f"flattened images of {X.shape[1]} pixels are not square: pass "
                "shape=(rows, columns)."
            )
        wanted = shape or (side, side)
        if np.prod(wanted) != X.shape[1]:
            raise ValueError(f"{X.shape[1]} pixels do not fill shape={wanted}.")
        X = X.reshape(-1, *wanted)
    elif X.ndim == 4 and (X.shape[1] == 1 or (X.shape[1] == 3 and X.shape[3] not in (1, 3))):
        # one channel comes first even where the width is 3: the filters of a 3 × 3 Conv2d
        X = X.transpose(0, 2, 3, 1)  # (n, C, H, W) -> (n, H, W, C)
    if X.ndim == 4 and X.shape[3] == 1:
        X = X[..., 0]
    if X.ndim not in (3, 4) or (X.ndim == 4 and X.shape[3] != 3) or X.size == 0:
        raise ValueError(
            f"images must be (n, H, W), (n, H, W, 3), (n, C, H, W) or (n, H*W), got {X.shape}."
        )
    return X


def _limits(tiles: np.ndarray, vmin: float | None, vmax: float | None) -> tuple[float, float]:
    smallest, largest = float(tiles.min()), float(tiles.max())
    within = smallest >= 0 and largest <= 1
    low = vmin if vmin is not None else (0.0 if within else smallest)
    high = vmax if vmax is not None else (1.0 if within else largest)
    return (low, high) if high > low else (low, low + 1.0)
