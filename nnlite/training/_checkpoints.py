"""Checkpoints: a run goes on as if it had never stopped (lecture 04)."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnlite._arguments import as_integer
from nnlite.random import default_rng
from nnlite.weights import load, save


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
        Whatever counts the progress, from 0; :func:`load_checkpoint` returns it.
    **parts : Module, Optimizer, schedule
        Anything with ``state_dict`` and ``load_state_dict``, by name:
        ``save_checkpoint(path, rng=rng, epoch=3, model=model, optimizer=optimizer)``.

    Raises
    ------
    TypeError
        If rng is not a Generator, epoch no integer, or a part has no state.
    ValueError
        If epoch is negative.
    """
    _check_arguments("save_checkpoint", rng, parts)
    epoch = as_integer(epoch, "save_checkpoint: epoch", 0)
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
    TypeError
        If rng is not a Generator, or a part cannot take a state.
    ValueError
        If the file is not a checkpoint, or was saved with other parts or generators, or with
        numbers of another dtype. Then, and if a part refuses its state, everything stays as it was.
    """
    _check_arguments("load_checkpoint", rng, parts)
    saved = load(path)
    if not _is_checkpoint(saved):
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
    for name in parts:
        _check_dtypes(name, saved["parts"][name], before[name])
    drawn = [(generator, generator.bit_generator.state) for generator, _ in generators]
    try:
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
        for generator, state in generators:
            _set_rng_state(generator, state)
    except BaseException:  # Ctrl-C, too
        # a model from the file with an optimiser from elsewhere would train on, wrongly
        for name, part in parts.items():
            part.load_state_dict(before[name])
        for generator, state in drawn:
            generator.bit_generator.state = state
        raise
    return int(saved["epoch"])


def _is_checkpoint(saved: Mapping[Any, Any]) -> bool:
    """Whether a file has the form of those of save_checkpoint."""
    match saved:
        case {"epoch": int(epoch), "rng": rng, "default_rng": default, "dropout": dict(dropout),
              "parts": dict(parts)} if len(saved) == 5:  # fmt: skip
            lists = list(dropout.values())
            if epoch < 0 or set(dropout) != set(parts) or not all(type(d) is list for d in lists):
                return False
            states = [default, *([] if rng is None else [rng]), *(s for d in lists for s in d)]
            return all(isinstance(s, Mapping) and "bit_generator" in s for s in states)
    return False


def _check_arguments(where: str, rng: Any, parts: Mapping[str, Any]) -> None:
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{where}: rng must be the Generator that the run draws from, whose state is kept; got "
            f"{type(rng).__name__}. Make one before the run: rng = np.random.default_rng(seed)."
        )
    for name, part in parts.items():
        methods = ("state_dict", "load_state_dict")
        if isinstance(part, type) or not all(callable(getattr(part, m, None)) for m in methods):
            raise TypeError(f"{where}: {name} ({type(part).__name__}) has no state_dict.")


def _check_dtypes(name: str, saved: Any, own: Any) -> None:
    """Refuse numbers of another precision than a part has: going on would not be the same."""
    if isinstance(saved, Mapping) and isinstance(own, Mapping):
        for key in saved.keys() & own.keys():
            _check_dtypes(f"{name}.{key}", saved[key], own[key])
    elif isinstance(saved, np.ndarray) and isinstance(own, np.ndarray):
        floats = saved.dtype.kind == own.dtype.kind == "f"
        if floats and saved.dtype != own.dtype:
            raise ValueError(
                f"{name} is {saved.dtype} in the checkpoint and {own.dtype} here; convert the "
                "model first (model.double() or model.float()), then build its optimiser."
            )


def _generators(part: Any) -> list[np.random.Generator]:
    """Generators that a model's own layers (dropout) draw from, each once."""
    modules = part.modules() if hasattr(part, "modules") else ()
    found = [getattr(m, "rng", None) for m in modules]
    return list({id(g): g for g in found if isinstance(g, np.random.Generator)}.values())


def _rng_state(rng: np.random.Generator) -> dict[str, Any]:
    """A generator's state, its 128-bit integers as text, since many JSON readers round them."""
    return _textual(rng.bit_generator.state)


def _set_rng_state(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    try:
        rng.bit_generator.state = _numeric(state)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(
            f"the checkpoint's state of a {state['bit_generator']} is damaged ({error})."
        ) from error


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
