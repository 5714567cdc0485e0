"""Arguments to try each kernel with: for ``nnlite doctor``, for warming up, and for the tests."""

from typing import Any

import numpy as np

from nnlite.kernels import reference

EPS = 1e-5


def examples() -> dict[str, list[tuple[Any, ...]]]:
    """Arguments for each kernel, float32: few elements, for one thread, and then many."""
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
        batch_norm_forward=(x, scale, shift, EPS, 0.1),
        batch_norm_backward=(normal(*x.shape), x, scale, mean, var, EPS, active, 0.1),
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
