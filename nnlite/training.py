"""What a training loop needs beside the loop (lecture 04): mini-batches, progress, checkpoints.

The loop stays in the open:

    >>> for epoch in range(10):
    ...     for x, y in batches(X, Y, batch_size=64, rng=rng):
    ...         loss = ((model(x) - y) ** 2).mean()
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
"""

import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Self

import numpy as np

from nnlite.engine.tensor import Tensor
from nnlite.random import RNGLike, default_rng
from nnlite.weights import load, save


def batches(
    *arrays: Any,
    batch_size: int,
    rng: RNGLike | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Iterator[Any]:
    """Go through arrays once, in mini-batches.

    Parameters
    ----------
    *arrays : array_like
        With equal lengths; rows that belong together stay together.
    batch_size : int
    rng : seed or Generator, optional
        Where the order comes from. Pass a Generator: with a seed, every epoch has the same order.
    shuffle : bool
        Whether the order is drawn anew.
    drop_last : bool
        Leave out the last batch if it is smaller.

    Yields
    ------
    ndarray, or a tuple of them if several arrays were given

    Raises
    ------
    ValueError
        If there is nothing to go through, lengths differ, or batch_size is not a positive integer.
    """
    data = [a.data if isinstance(a, Tensor) else np.asarray(a) for a in arrays]
    lengths = [len(a) if a.ndim else 0 for a in data]
    if not data or len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            f"batches takes arrays with one and the same number of rows, at least one; "
            f"got lengths {lengths}."
        )
    if (
        isinstance(batch_size, bool)
        or not isinstance(batch_size, int | np.integer)
        or batch_size < 1
    ):
        raise ValueError(f"batch_size must be a positive integer; got {batch_size!r}.")
    return _batches(data, int(batch_size), default_rng(rng) if shuffle else None, drop_last)


def _batches(
    data: list[np.ndarray], size: int, rng: np.random.Generator | None, drop_last: bool
) -> Iterator[Any]:
    n = len(data[0])
    order = None if rng is None else rng.permutation(n)
    for start in range(0, n - size + 1 if drop_last else n, size):
        rows = slice(start, start + size) if order is None else order[start : start + size]
        batch = tuple([a[rows] for a in data])
        yield batch if len(batch) > 1 else batch[0]


class progress:
    """A progress bar with running losses; in a ``with`` block, Ctrl-C ends the loop only.

    The bar needs tqdm and a terminal or notebook; without, this iterates silently.

    Parameters
    ----------
    iterable : iterable or int
        An integer stands for a range.
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
        self._items: Iterable[Any] = range(iterable) if isinstance(iterable, int) else iterable
        self._description = description
        self._smoothing = smoothing
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
            if self._bar is not None:
                self._bar.close()

    def show(self, **values: Any) -> Mapping[str, float]:
        """Update the running means of these numbers (or one-entry Tensors), show and return them.

        Raises
        ------
        FloatingPointError
            If a value is NaN or infinite: the training has diverged.
        """
        for name, value in values.items():
            number = value.item() if isinstance(value, Tensor) else float(value)
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
        """Swallow Ctrl-C, so that the cell goes on with the model as it is."""
        self.interrupted = kind is KeyboardInterrupt
        return self.interrupted


def _bar(total: int | None, description: str) -> Any:
    """A tqdm bar, or None where it would be noise or tqdm is not installed."""
    if not (_in_notebook() or sys.stderr.isatty()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total, desc=description, leave=True)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


# ---- checkpoints -----------------------------------------------------------------------------


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    rng: np.random.Generator | None = None,
    epoch: int = 0,
    **parts: Any,
) -> None:
    """Write everything that a run needs to go on as if it had never stopped.

    Parameters
    ----------
    path : path
        A safetensors file, written whole or not at all.
    rng : Generator, optional
        The run's generator; its state is saved, and that of the library's default one always is.
    epoch : int
        Whatever counts the progress; :func:`load_checkpoint` returns it.
    **parts : Module, Optimizer, schedule
        Anything with ``state_dict`` and ``load_state_dict``, by name:
        ``save_checkpoint(path, rng=rng, epoch=3, model=model, optimizer=optimizer)``.
    """
    for name, part in parts.items():
        if not hasattr(part, "state_dict") or not hasattr(part, "load_state_dict"):
            raise TypeError(f"save_checkpoint: {name} ({type(part).__name__}) has no state_dict.")
    save(
        path,
        {
            "epoch": epoch,
            "rng": None if rng is None else _rng_state(rng),
            "default_rng": _rng_state(default_rng(None)),
            "dropout": {n: [_rng_state(g) for g in _generators(p)] for n, p in parts.items()},
            "parts": {name: part.state_dict() for name, part in parts.items()},
        },
    )


def load_checkpoint(
    path: str | os.PathLike[str], *, rng: np.random.Generator | None = None, **parts: Any
) -> int:
    """Bring everything back to where :func:`save_checkpoint` was called, bit for bit.

    Parameters are those of :func:`save_checkpoint`; the parts must have the same names and be built
    the same way.

    Returns
    -------
    int
        The saved ``epoch``.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or was saved with other parts or generators. Then, and if
        a part refuses its state, everything stays as it was.
    """
    saved = load(path)
    if not {"epoch", "rng", "default_rng", "parts"} <= set(saved):
        raise ValueError(f"{os.fspath(path)} holds arrays but is no checkpoint of save_checkpoint.")
    if set(saved["parts"]) != set(parts):
        raise ValueError(
            f"the checkpoint holds {', '.join(sorted(saved['parts'])) or 'nothing'}; "
            f"got {', '.join(sorted(parts)) or 'nothing'}."
        )
    if (rng is None) != (saved["rng"] is None):
        raise ValueError(
            "the checkpoint was saved with a generator, so pass rng= to go on with it."
            if rng is None
            else "the checkpoint was saved without rng=, so it cannot set this generator."
        )
    generators = [(default_rng(None), saved["default_rng"])]
    if rng is not None:
        generators.append((rng, saved["rng"]))
    for name, part in parts.items():
        own, states = _generators(part), saved["dropout"][name]
        if len(own) != len(states):
            raise ValueError(
                f"{name} was saved with {len(states)} generators of its own (dropout layers made "
                f"with rng=), this one has {len(own)}."
            )
        generators += zip(own, states, strict=True)
    for generator, state in generators:
        _check_rng_kind(generator, state)
    before = {name: part.state_dict() for name, part in parts.items()}
    try:
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
    except Exception:
        # a model from the file with an optimiser from elsewhere would train on, wrongly
        for name, part in parts.items():
            part.load_state_dict(before[name])
        raise
    for generator, state in generators:
        generator.bit_generator.state = _numeric(state)
    return int(saved["epoch"])


def _generators(part: Any) -> list[np.random.Generator]:
    """Generators that a model's own layers (dropout) draw from, each once."""
    modules = part.modules() if hasattr(part, "modules") else ()
    found = [getattr(m, "rng", None) for m in modules]
    return list({id(g): g for g in found if isinstance(g, np.random.Generator)}.values())


def _rng_state(rng: np.random.Generator) -> dict[str, Any]:
    """A generator's state, its 128-bit integers as text, since many JSON readers round them."""
    return _textual(rng.bit_generator.state)


def _check_rng_kind(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    kind = type(rng.bit_generator).__name__
    if state["bit_generator"] != kind:
        raise ValueError(
            f"the checkpoint's generator is a {state['bit_generator']}, this one a {kind}."
        )


def _textual(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _textual(v) for k, v in value.items()}
    return f"int:{value}" if isinstance(value, int) else value


def _numeric(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _numeric(v) for k, v in value.items()}
    return int(value[4:]) if isinstance(value, str) and value.startswith("int:") else value
