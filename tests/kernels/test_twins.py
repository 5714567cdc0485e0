"""Every kernel, compiled and in NumPy, against its definition: a kernel without one is named here.

The arguments stand in the ``examples`` of each file of ``nnlite/kernels/reference``. The other
files of this folder ask about edges, dtypes, memory orders and refusals.
"""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import nnlite
from nnlite.cli import probe
from nnlite.kernels import KERNELS, reference
from nnlite.kernels.examples import examples

COMPUTING = set(KERNELS) - {"warmup"}
ARGUMENTS = examples()
FLOAT32 = 2e-5  #: differences from float64, relative to the largest value: sums of some 1000 terms


# ---- definitions: written to be checked by eye, at any cost ------------------------------------


def leaky(z, slope):
    return z if slope is None else np.where(z > 0, z, slope * z)


def leaky_grad(g, y, slope):
    return g if slope is None else np.where(y > 0, g, slope * g)


def each(v):
    """A value for each channel, beside images."""
    return v[:, None, None]


def sums(x):
    """Over everything but the channels, for rows and images."""
    return np.einsum("nc->c" if x.ndim == 2 else "nchw->c", x)


def visits(shape, kernel, stride, padding, dilation=(1, 1)):
    """Each output pixel (u, v) with the pixels (i, j, row, column) of the image it sees."""
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    outputs = [
        (size + 2 * p - span) // s + 1
        for size, p, span, s in zip(shape[2:], padding, spans, stride, strict=True)
    ]
    for u, v in np.ndindex(*outputs):
        for i, j in np.ndindex(*kernel):
            row = u * stride[0] + i * dilation[0] - padding[0]
            column = v * stride[1] + j * dilation[1] - padding[1]
            if 0 <= row < shape[2] and 0 <= column < shape[3]:
                yield (u, v), (i, j), (row, column)


def conv2d(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=None, slope=None):
    assert groups == 1, "groups have tests of their own"
    pixels = list(visits(x.shape, w.shape[2:], stride, padding, dilation))
    (u, v), *_ = pixels[-1]
    y = np.zeros((len(x), len(w), u + 1, v + 1))
    for (u, v), (i, j), (row, column) in pixels:
        y[:, :, u, v] += x[:, :, row, column] @ w[:, :, i, j].T
    return leaky(y if bias is None else y + each(bias), slope)


def conv2d_input_grad(g, w, input_shape, stride, padding, dilation):
    dx = np.zeros(input_shape)
    for (u, v), (i, j), (row, column) in visits(
        input_shape, w.shape[2:], stride, padding, dilation
    ):
        dx[:, :, row, column] += g[:, :, u, v] @ w[:, :, i, j]
    return dx


def conv2d_weight_grad(x, g, weight_shape, stride, padding, dilation):
    dw = np.zeros(weight_shape)
    for (u, v), (i, j), (row, column) in visits(
        x.shape, weight_shape[2:], stride, padding, dilation
    ):
        dw[:, :, i, j] += g[:, :, u, v].T @ x[:, :, row, column]
    return dw


def max_pool2d(x, kernel, stride, padding):
    seen = {}
    for place, _, (row, column) in visits(x.shape, kernel, stride, padding):
        seen.setdefault(place, []).append(row * x.shape[3] + column)
    flat = x.reshape(*x.shape[:2], -1)
    size = (*x.shape[:2], *(k + 1 for k in max(seen)))
    y, index = np.zeros(size), np.zeros(size, np.int64)
    for (u, v), pixels in seen.items():
        index[:, :, u, v] = np.array(pixels)[np.argmax(flat[:, :, pixels], axis=2)]
        y[:, :, u, v] = np.max(flat[:, :, pixels], axis=2)
    return y, index


def max_pool2d_backward(g, index, input_shape):
    dx = np.zeros(input_shape)
    for n, c, u, v in np.ndindex(*g.shape):
        dx[n, c].ravel()[index[n, c, u, v]] += g[n, c, u, v]
    return dx


def avg_pool2d(x, kernel, stride, padding):
    mean = np.full((1, 1, *kernel), 1 / (kernel[0] * kernel[1]))
    n, c, h, w = x.shape
    y = conv2d(x.reshape(n * c, 1, h, w), mean, stride, padding)
    return y.reshape(n, c, *y.shape[2:])


def avg_pool2d_backward(g, input_shape, kernel):
    dx = np.zeros(input_shape)
    for (u, v), _, (row, column) in visits(input_shape, kernel, kernel, (0, 0)):
        dx[:, :, row, column] += g[:, :, u, v] / (kernel[0] * kernel[1])
    return dx


def pixel_shuffle(x, r):
    n, c, h, w = x.shape
    y = np.zeros((n, c // r**2, h * r, w * r))
    for k, i, j in np.ndindex(c // r**2, r, r):
        y[:, k, i::r, j::r] = x[:, k * r**2 + i * r + j]
    return y


def pixel_unshuffle(x, r):
    n, c, h, w = x.shape
    y = np.zeros((n, c * r**2, h // r, w // r))
    for k, i, j in np.ndindex(c, r, r):
        y[:, k * r**2 + i * r + j] = x[:, k, i::r, j::r]
    return y


def batch_norm_forward(x, weight, bias, eps, slope):
    mean, var = np.mean(x, axis=(0, 2, 3)), np.var(x, axis=(0, 2, 3))
    y = each(weight) * (x - each(mean)) / np.sqrt(each(var) + eps) + each(bias)
    return leaky(y, slope), mean, var


def batch_norm_backward(g, x, weight, mean, var, eps, y, slope):
    g = leaky_grad(g, y, slope)
    x_hat = (x - each(mean)) / np.sqrt(each(var) + eps)
    dweight, dbias, m = sums(g * x_hat), sums(g), x[:, 0].size
    dx = g - each(dbias) / m - x_hat * each(dweight) / m
    return each(weight) / np.sqrt(each(var) + eps) * dx, dweight, dbias


def linear_backward(g, y, x, w, slope):
    gz = leaky_grad(g, y, slope)
    return gz @ w, gz.T @ x, gz.sum(0)


def bce_with_logits(z, t, scale):
    p = 1 / (1 + np.exp(-z))
    return -scale * np.sum(t * np.log(p) + (1 - t) * np.log(1 - p)), scale * (p - t)


def softmax_cross_entropy(z, target, scale):
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    t = np.eye(z.shape[1])[target]
    return -scale * np.sum(t * np.log(p)), scale * (p - t)


def adam_step(params, grads, exp_avgs, exp_avg_sqs, step, lr):
    for p, g, m, v in zip(params, grads, exp_avgs, exp_avg_sqs, strict=True):
        m[...] = 0.9 * m + 0.1 * g
        v[...] = 0.999 * v + 0.001 * g**2
        p -= lr * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)


def sgd_step(params, grads, buffers, lr, momentum):
    for p, g, b in zip(params, grads, buffers, strict=True):
        b[...] = momentum * b + g
        p -= lr * b


def rmsprop_step(params, grads, square_avgs, lr):
    for p, g, v in zip(params, grads, square_avgs, strict=True):
        v[...] = 0.99 * v + 0.01 * g**2
        p -= lr * g / (np.sqrt(v) + 1e-8)


DEFINITIONS = {
    "conv2d": conv2d,
    "conv2d_input_grad": conv2d_input_grad,
    "conv2d_weight_grad": conv2d_weight_grad,
    "linear_forward": lambda x, w, bias, slope: leaky(x @ w.T + bias, slope),
    "linear_backward": linear_backward,
    "matmul_nn": lambda a, b: a @ b,
    "matmul_tn": lambda a, b: a.T @ b,
    "leaky_relu": leaky,
    "leaky_relu_grad": leaky_grad,
    "leaky_relu_bias_grad": lambda g, y, slope: (
        leaky_grad(g, y, slope),
        sums(leaky_grad(g, y, slope)),
    ),
    "channel_sums": sums,
    "channel_affine": lambda x, scale, shift, slope: leaky(each(scale) * x + each(shift), slope),
    "batch_norm_forward": batch_norm_forward,
    "batch_norm_backward": batch_norm_backward,
    "max_pool2d": max_pool2d,
    "max_pool2d_backward": max_pool2d_backward,
    "avg_pool2d": avg_pool2d,
    "avg_pool2d_backward": avg_pool2d_backward,
    "flatten_images": lambda x: x.reshape(len(x), -1),
    "unflatten_images": lambda x, shape: x.reshape(len(x), *shape),
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "bce_with_logits": bce_with_logits,
    "squared_error": lambda x, t, scale: (scale * np.sum((x - t) ** 2), 2 * scale * (x - t)),
    "softmax_cross_entropy": softmax_cross_entropy,
    "adam_step": adam_step,
    "sgd_step": sgd_step,
    "rmsprop_step": rmsprop_step,
}


# ---- the tests ---------------------------------------------------------------------------------


def test_every_kernel_has_arguments_and_a_definition():
    assert set(ARGUMENTS) == COMPUTING, "see the examples in their file of kernels/reference"
    assert set(DEFINITIONS) == COMPUTING, "write them above"


def called_kernels():
    """What follows ``kernels.`` in the library, except in the kernels."""
    package = Path(nnlite.__file__).parent
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] == "kernels":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "kernels":
                yield node.attr


def test_the_library_calls_every_kernel_and_nothing_else():
    called = set(called_kernels()) - {"backend", "KERNELS", "warmup"}
    assert called == COMPUTING, "an operation, an optimiser or nobody needs them"


def outcome(kernel, case, dtype):
    """The arrays a kernel returns and those it leaves in its arguments, in float64."""
    arguments = probe._map_arrays(case, dtype)
    returned = kernel(*arguments)
    return list(probe._leaves((returned, arguments)))


def assert_same(actual, expected, tolerance):
    """Compare results, relative to the largest value."""
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.max(np.abs(b), initial=1e-3))


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_numpy_kernel_is_its_definition(name):
    small = ARGUMENTS[name][: len(ARGUMENTS[name]) // 2]
    assert small
    for case in small:
        exact = outcome(DEFINITIONS[name], case, np.float64)
        assert_same(outcome(getattr(reference, name), case, np.float64), exact, 1e-13)
        assert_same(outcome(getattr(reference, name), case, np.float32), exact, FLOAT32)


@pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_compiled_kernel_is_its_twin(name):
    compiled = getattr(import_module("nnlite.kernels.fast"), name)
    for case in ARGUMENTS[name]:
        twin = getattr(reference, name)
        assert_same(outcome(compiled, case, np.float32), outcome(twin, case, np.float32), FLOAT32)


@pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_compiled_kernel_leaves_float64_to_its_twin(name):
    compiled = getattr(import_module("nnlite.kernels.fast"), name)
    for case in ARGUMENTS[name]:
        twin = getattr(reference, name)
        assert_same(outcome(compiled, case, np.float64), outcome(twin, case, np.float64), 1e-15)
