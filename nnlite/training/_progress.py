"""A progress bar that knows what training is like: losses jump, diverge, and are interrupted."""

import importlib.util
import math
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Self

from nnlite._arguments import as_array, as_integer, as_number, is_integer
from nnlite.ops import values_of


class progress:
    """A progress bar with running losses; in a ``with`` block, Ctrl-C ends the loop only.

    The bar needs tqdm and a terminal or notebook; without, this iterates silently. In a notebook it
    is a widget where ipywidgets is installed, else a line of text. Of nested bars on a terminal
    without cursor movement (``TERM=dumb``) only the outermost is shown.

    Parameters
    ----------
    iterable : iterable or int
        An integer stands for a range. What has no length is counted.
    description : str
    smoothing : float
        How much of a running mean survives an update of :meth:`show`.

    Attributes
    ----------
    interrupted : bool
        True if Ctrl-C ended the block; the model is as the last finished step left it.

    Examples
    --------
    >>> with progress(20, "epochs") as bar:
    ...     for epoch in bar:
    ...         bar.show(loss=train_one_epoch())
    """

    def __init__(
        self, iterable: Iterable[Any] | int, description: str = "", smoothing: float = 0.9
    ) -> None:
        self._items = _items(iterable)
        self._description = description
        self._smoothing = as_number(smoothing, "progress: smoothing", 0, below=1)
        self._running: dict[str, float] = {}
        self._bar: Any = None
        self.interrupted = False

    def __iter__(self) -> Iterator[Any]:
        total = len(self._items) if isinstance(self._items, Sized) else None
        self._bar = _bar(total, self._description)
        try:
            for item in self._items:
                yield item
                if self._bar is not None:
                    self._bar.update()
        finally:
            self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def show(self, **values: Any) -> Mapping[str, float]:
        """Update the running means of these numbers (or one-entry Tensors), show and return them.

        Raises
        ------
        TypeError, ValueError
            If a value is no number, or more than one.
        FloatingPointError
            If a value is NaN or infinite: the training has diverged.
        """
        for name, value in values.items():
            number = _number(name, value)
            if not math.isfinite(number):
                raise FloatingPointError(
                    f"{name} is {number}: the training has diverged. Lower the learning rate, look "
                    "for NaN in the data, or clip gradients (nn.utils.clip_grad_norm_)."
                )
            before = self._running.get(name, number)
            self._running[name] = self._smoothing * before + (1 - self._smoothing) * number
        if self._bar is not None:
            self._bar.set_postfix({k: f"{v:.4g}" for k, v in self._running.items()}, refresh=False)
        return dict(self._running)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        """End the loop quietly at Ctrl-C, so that the cell goes on with the model as it is."""
        self._close()  # a traceback would keep the loop, and its bar, alive
        self.interrupted = kind is KeyboardInterrupt
        return self.interrupted


def _items(iterable: Any) -> Iterable[Any]:
    if is_integer(iterable):
        return range(as_integer(iterable, "progress: the number of steps", 0))
    if not isinstance(iterable, Iterable):
        raise TypeError(
            "progress takes something to iterate over, or a number of steps; got "
            f"{iterable!r} ({type(iterable).__name__})."
        )
    return iterable


def _number(name: str, value: Any) -> float:
    """A loss as a number: a Tensor or array of one entry, or a number."""
    array = as_array(values_of(value), name)
    if array.size != 1:
        raise ValueError(f"{name} must be one number; got shape {array.shape}. Take its mean.")
    return float(array.item())


_NARROW = 60  # columns; with fewer, numbers matter more than the bar


def _bar(total: int | None, description: str) -> Any:
    """A tqdm bar, or None where it would be noise or tqdm is not installed."""
    notebook = _in_notebook()
    if not notebook and not (sys.stderr is not None and sys.stderr.isatty()):
        return None
    try:
        import tqdm
    except ImportError:
        return None
    if notebook and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as widget

        return widget(total=total, desc=description)
    if os.environ.get("TERM") == "dumb" and len(getattr(tqdm.tqdm, "_instances", [])):
        return None
    narrow = not notebook and shutil.get_terminal_size().columns < _NARROW
    shape = "{n_fmt}/{total_fmt}{postfix}" if narrow else None
    return tqdm.tqdm(
        total=total,
        desc=description,
        file=sys.stderr,
        bar_format=shape,
        dynamic_ncols=True,
        leave=None,  # inner bars go when they are done
    )


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
