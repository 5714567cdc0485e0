"""Run every kernel in float32 against its NumPy twin in float64 (for ``nnlite doctor``).

The compiled kernels are float32 only: whatever else they are given goes to their twins.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite import kernels
from nnlite.kernels import reference

__all__ = ["TOLERANCE", "Finding", "probe"]

#: Largest difference, relative to the largest value of a result, that is rounding.
TOLERANCE = 2e-5
_EPS = 1e-5


@dataclass(frozen=True)
class Finding:
    """What running a kernel showed.

    Attributes
    ----------
    name : str
        The kernel.
    error : float
        Largest difference from the twin, relative to the largest value; infinite if it raised.
    raised : str
        Type and message of the exception, empty if there was none.
    seconds : float
        Time of the calls, compilation included.
    """

    name: str
    error: float
    raised: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the kernel agrees with its twin. NaN does not."""
        return self.error <= TOLERANCE


def probe(
    begin: Callable[[str], None] = lambda name: None, names: Sequence[str] = kernels.KERNELS
) -> list[Finding]:
    """Run kernels of the backend in use; `begin` is called with the name of each before it runs."""
    arguments = _cases()
    findings = []
    for name in names:
        if name != "warmup":
            begin(name)
            findings.append(_examine(name, arguments[name]))
    return findings


def _examine(name: str, cases: list[tuple[Any, ...]]) -> Finding:
    start = time.perf_counter()
    try:
        errors = [
            _difference(getattr(kernels, name), getattr(reference, name), case) for case in cases
        ]
    except Exception as error:  # whatever a broken kernel raises is the finding
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        return Finding(name, np.inf, message, time.perf_counter() - start)
    # np.max keeps NaN, which Python's max may lose.
    return Finding(name, float(np.max(errors)), "", time.perf_counter() - start)


def _difference(ours: Callable[..., Any], twin: Callable[..., Any], case: tuple[Any, ...]) -> float:
    """Compare what two kernels return, and what they leave in their arguments."""
    mine, theirs = copy.deepcopy(case), _map_arrays(case, np.float64)
    pairs = zip(
        _leaves((ours(*mine), mine)),
        _leaves((twin(*theirs), theirs)),
        strict=True,
    )
    return float(np.max([_relative(a, b) for a, b in pairs]))


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return float("inf")
    largest = max(float(np.max(np.abs(b), initial=0.0)), 1e-3)
    return float(np.max(np.abs(a - b), initial=0.0)) / largest


def _map_arrays(value: Any, dtype: type) -> Any:
    """Return a copy of nested arguments with float32 arrays in another type."""
    if isinstance(value, list | tuple):
        return type(value)(_map_arrays(x, dtype) for x in value)
    if isinstance(value, np.ndarray):
        return value.astype(dtype if value.dtype == np.float32 else value.dtype)
    return value


def _leaves(value: Any) -> Iterator[np.ndarray]:
    """Yield the arrays and numbers of a nested result in order."""
    if isinstance(value, list | tuple):
        for x in value:
            yield from _leaves(x)
    elif value is not None:
        yield np.asarray(value, dtype=np.float64)


def _cases() -> dict[str, list[tuple[Any, ...]]]:
    """Return the arguments to try for each kernel: few elements, for one thread, and many."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    cases: dict[str, list[tuple[Any, ...]]] = {}

    def add(**arguments: tuple[Any, ...]) -> None:
        for name, case in arguments.items():
            cases.setdefault(name, []).append(case)

    for n, c, size in ((2, 3, 6), (4, 16, 24)):
        _add_images(add, normal, n, c, size)
        _add_rows(add, normal, n * size, c * size)
    return cases


def _add_images(add: Any, normal: Any, n: int, c: int, size: int) -> None:
    x, w, bias = normal(n, c, size, size), normal(2 * c, c, 3, 3), normal(2 * c)
    window = ((2, 2), (1, 1), (1, 1))
    half = size // 2
    y, narrow = normal(n, 2 * c, half, half), normal(2 * c, 1, 3, 3)
    add(
        conv2d=(x, w, *window, 1, bias, 0.2),
        conv2d_input_grad=(y, w, x.shape, *window),
        conv2d_weight_grad=(x, y, w.shape, *window),
    )
    add(
        conv2d=(x, w[:1]),
        conv2d_input_grad=(y, narrow, (n, 1, size, size), *window),
    )
    scale, shift = normal(c), normal(c)
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
    active = normal(*x.shape)
    add(
        channel_sums=(x,),
        channel_affine=(x, scale, shift, 0.1),
        batch_norm_forward=(x, scale, shift, _EPS, 0.1),
        batch_norm_backward=(normal(*x.shape), x, scale, mean, var, _EPS, active, 0.1),
        leaky_relu_bias_grad=(x, active, 0.1),
    )
    add(
        flatten_images=(x,),
        unflatten_images=(x.reshape(n, -1), (c, size, size)),
        pixel_shuffle=(normal(n, 4 * c, half, half), 2),
        pixel_unshuffle=(x, 2),
    )
    pooled = normal(n, c, half, half)
    _, index = reference.max_pool2d(x, (2, 2))
    add(
        max_pool2d=(x, (3, 3), (2, 2), (1, 1)),
        max_pool2d_backward=(pooled, index, x.shape),
        avg_pool2d=(x, (3, 3), (2, 2), (1, 1)),
        avg_pool2d_backward=(pooled, x.shape, (2, 2)),
    )


def _add_rows(add: Any, normal: Any, n: int, d: int) -> None:
    x, w, bias = normal(n, d), normal(17, d), normal(17)
    g, y = normal(n, 17), normal(n, 17)
    add(
        linear_forward=(x, w, bias, 0.1),
        linear_backward=(g, y, x, w, 0.1),
        matmul_nn=(g, w),
        matmul_tn=(x, g),
    )
    add(
        leaky_relu=(x, 0.1),
        leaky_relu_grad=(x, normal(n, d), 0.1),
    )
    target = np.arange(n, dtype=np.int64) % 17
    add(
        bce_with_logits=(x, (normal(n, d) > 0).astype(np.float32), 1 / n),
        squared_error=(x, normal(n, d), 1 / n),
        softmax_cross_entropy=(y, target, 1 / n),
    )
    state = [[normal(n * d), normal(7)] for _ in range(3)]
    squares = [a**2 for a in state[2]]
    add(
        adam_step=(state[0], state[1], state[2], squares, 3, 0.1),
        sgd_step=(state[0], state[1], state[2], 0.1, 0.9),
        rmsprop_step=(state[0], state[1], squares, 0.1),
    )
