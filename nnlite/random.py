"""One source of chance for the whole library.

Every function that draws random numbers takes ``rng=None`` and resolves it here, so a lecture
is repeatable with one line (``nnlite.seed(0)``) and a test with one argument (``rng=0``). The
convention is that of Scientific Python's SPEC 7: a seed makes a new generator, a generator is
used as it is (and advances), ``None`` means the library's default generator.

Used from lecture 01 on.
"""

from __future__ import annotations

import threading

import numpy as np

from nnlite._arguments import as_integer, is_integer

RNGLike = int | np.integer | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator

_lock = threading.Lock()
_default: np.random.Generator | None = None


def seed(n: int | None = None) -> None:
    """Restart the library's default generator.

    Parameters
    ----------
    n : int, optional
        Non-negative seed: the same seed gives the same numbers on the same NumPy version.
        ``None`` takes fresh entropy from the operating system.

    Raises
    ------
    TypeError
        If ``n`` is neither an integer nor ``None``.
    ValueError
        If ``n`` is negative.
    """
    global _default
    if isinstance(n, np.random.Generator):
        raise TypeError(
            "seed() takes an integer; got a Generator. Pass a generator as rng= to the function "
            "that draws the numbers."
        )
    generator = np.random.default_rng() if n is None else default_rng(n)
    with _lock:
        _default = generator


def default_rng(rng: RNGLike | None = None) -> np.random.Generator:
    """Resolve an ``rng=`` argument to a :class:`numpy.random.Generator`.

    Parameters
    ----------
    rng : int, Generator, BitGenerator, SeedSequence or None
        A seed makes a new generator (the same one on every call with the same seed); a generator
        is returned as it is, so its state advances; ``None`` returns the default generator,
        which all callers share and which :func:`seed` restarts.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError
        For anything else, in particular the legacy ``numpy.random.RandomState``.
    ValueError
        If a seed is negative.

    Notes
    -----
    Drawing from a shared generator is thread-safe (NumPy locks its bit generator), but the order
    in which threads draw is not fixed. Threads that must be repeatable get a generator each:
    ``rng.spawn(n)``.
    """
    global _default
    if rng is None:
        with _lock:
            if _default is None:
                _default = np.random.default_rng()
            return _default
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, np.random.SeedSequence | np.random.BitGenerator):
        return np.random.default_rng(rng)
    if not is_integer(rng):
        raise TypeError(
            f"rng must be None, an integer seed or a numpy.random.Generator; got "
            f"{type(rng).__name__}; make a generator with numpy.random.default_rng(seed)."
        )
    return np.random.default_rng(as_integer(rng, "a seed", 0))
