"""Something to move that needs no kernel: precomputed frames behind an HTML slider."""

from __future__ import annotations

import base64
import hashlib
import html
import io
from collections.abc import Callable, Iterable
from typing import Any

from nnlite.plots._base import pyplot

_MAX_BYTES = 4_000_000
_SHOWN = 100  # pixels of the page per inch of figure, as the figures beside it


class Slider:
    """Frames and a slider; a notebook shows it, :attr:`html` is the page fragment.

    The frames are part of the output, so it moves in an exported page, in a viewer, and in a
    notebook whose kernel is gone.
    """

    def __init__(
        self, frames: list[bytes], captions: list[str], start: int, *, label: str, width: int
    ) -> None:
        self.frames = frames
        self.captions = captions
        self.start = start
        self.label = label
        self.width = width

    @property
    def html(self) -> str:
        """The fragment: images, captions and one range input."""
        key = "nnlite-" + hashlib.sha256(b"".join(self.frames)).hexdigest()[:12]
        figures = "".join(
            f'<figure style="margin:0;display:{"block" if i == self.start else "none"}">'
            f'<img alt="{html.escape(caption)}" style="width:{self.width}px;max-width:100%" '
            f'src="data:image/png;base64,'
            f'{base64.b64encode(frame).decode()}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
            for i, (frame, caption) in enumerate(zip(self.frames, self.captions, strict=True))
        )
        move = (
            "for(const [i,f] of [...this.closest('div').querySelectorAll('figure')].entries())"
            "f.style.display=i==this.value?'block':'none'"
        )
        label = html.escape(self.label)
        return (
            f'<div id="{key}"><label>{label} <input type="range" min="0" '
            f'max="{len(self.frames) - 1}" value="{self.start}" style="width:min(30em,70%)" '
            f'oninput="{move}">'
            f"</label>{figures}</div>"
        )

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Slider({len(self.frames)} frames: {self.captions[0]} ... {self.captions[-1]})"


def slider(
    draw: Callable[[Any], Any],
    values: Iterable[Any],
    *,
    caption: Callable[[Any], str] | str = "{}",
    label: str = "move",
    start: int = 0,
    dpi: int = 144,
) -> Slider:
    """Draw one figure per value and put a slider above them.

    Parameters
    ----------
    draw : callable
        Draws the figure of one value with Matplotlib; it may return the Figure or Axes, else the
        current figure is taken. Fix the axis limits, or the picture jumps.
    values : iterable
        What the slider runs through; 15 to 40 values make a smooth slider of moderate size.
    caption : callable or format string
        Text under each frame, for instance ``"angle {:.0f} degrees"``.
    label : str
        What is moved, written before the slider, for instance ``"step size"``.
    start : int
        Number of the frame shown first.
    dpi : int
        Resolution of the frames; they are shown as large as other figures (100 pixels an inch),
        sharp on a fine screen too.

    Returns
    -------
    Slider
        Displays itself as the last expression of a cell.

    Raises
    ------
    ValueError
        If there is no value, ``start`` is out of range, or the frames together exceed 4 MB
        (a notebook that large is slow to open): draw fewer or smaller frames.
    """
    plt = pyplot()
    values = list(values)
    if not -len(values) <= start < len(values):
        raise ValueError(f"start={start} is not the number of one of {len(values)} frames.")
    frames, captions, width = [], [], 0.0
    for value in values:
        drawn = draw(value)
        figure = getattr(drawn, "figure", None) or plt.gcf()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
        width = max(width, figure.get_figwidth())
        plt.close(figure)
        frames.append(buffer.getvalue())
        captions.append(caption(value) if callable(caption) else caption.format(value))
    total = sum(map(len, frames))
    if total > _MAX_BYTES:
        raise ValueError(
            f"{len(frames)} frames take {total / 1e6:.1f} MB, more than {_MAX_BYTES / 1e6} MB: "
            f"pass fewer values, a smaller figure or a lower dpi (now {dpi})."
        )
    return Slider(frames, captions, start % len(frames), label=label, width=round(_SHOWN * width))
