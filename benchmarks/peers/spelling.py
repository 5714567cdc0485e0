"""PyTorch's operators, spelled in NumPy's words on Tensors: name -> function of torch's arguments.

A function takes what PyTorch's sample generators give (``dim`` for ``axis``, ``keepdim`` for
``keepdims``). What is not here has no counterpart, or one whose meaning differs on purpose.
"""

import math

import numpy as np

import nnlite
import nnlite.nn.functional as F
from nnlite import ops
from nnlite.ops import layout, special


class Unspoken(Exception):
    """A sample asks for something that torch's operator has and NumPy's word has not."""


def unary(f):
    return lambda x: f(x)


def binary(f):
    return lambda x, y, **kw: f(x, y) if not kw else unspoken(kw)


def unspoken(what):
    raise Unspoken(str(what))


def reduction(f):
    def g(x, dim=None, keepdim=False, **kw):
        if kw or (isinstance(dim, tuple | list) and not dim):
            unspoken(kw or "dim=()")
        return f(x, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim)

    return g


def spread(f):
    def g(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        n = x.size if dim is None or dim == () else math.prod(
            x.shape[d] if x.ndim else 1 for d in np.atleast_1d(dim)
        )  # fmt: skip
        if n - correction <= 0 or (isinstance(dim, tuple | list) and not dim):
            unspoken("no degrees of freedom, or dim=()")
        return f(x, axis=dim, ddof=correction, keepdims=keepdim)

    return g


def along(f):
    """Return functions of one axis; of a single number torch makes a number, NumPy a vector."""
    return lambda x, dim, dtype=None: np.reshape(f(x, axis=dim), x.shape)


def scaled(f, sign=1):
    return lambda x, y, alpha=1: f(x, y * alpha if alpha != 1 else y)


def div(x, y, rounding_mode=None):
    if rounding_mode is None:
        return x / y
    return np.floor(x / y) if rounding_mode == "floor" else np.trunc(x / y)


def clamp(x, min=None, max=None):
    return np.clip(x, min, max)


def norm(x, ord=None, dim=None, keepdim=False, **kw):
    if kw:
        unspoken(kw)
    return np.linalg.norm(x, ord, tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim)


def vector_norm(x, ord=2, dim=None, keepdim=False, **kw):
    axis = tuple(dim) if isinstance(dim, list) else dim
    return unspoken(kw) if kw else np.linalg.vector_norm(x, axis=axis, keepdims=keepdim, ord=ord)


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, **kw):
    return unspoken(kw) if kw else np.linalg.norm(x, ord, tuple(dim), keepdims=keepdim)


def gather(x, dim, index):
    others = [i for i in range(x.ndim) if i != dim % x.ndim]
    if not x.ndim or index.ndim != x.ndim or any(index.shape[i] != x.shape[i] for i in others):
        unspoken("an index smaller than the array")
    return np.take_along_axis(x, index, dim)


def split(x, size, dim=0):
    n = x.shape[dim]
    cuts = np.cumsum(size)[:-1] if not isinstance(size, int) else np.arange(size, n, size)
    return np.split(x, [int(c) for c in cuts], axis=dim)


def tensor_split(x, parts, dim=0):
    return np.array_split(x, parts.tolist() if hasattr(parts, "tolist") else parts, axis=dim)


def baddbmm(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * (a @ b)


def pinv(x, rcond=None, hermitian=False, *, rtol=None, atol=None):
    if hermitian or atol is not None or isinstance(rcond, float | nnlite.Tensor | np.ndarray):
        unspoken("atol, or a gradient that is symmetric here by convention")
    return np.linalg.pinv(x, hermitian=hermitian, rtol=rtol)


def gradient(x, *args, spacing=1, dim=None, edge_order=1):
    if isinstance(spacing, tuple | list):
        unspoken("coordinates")
    return np.gradient(x, spacing or 1, axis=dim, edge_order=edge_order)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def roll(x, shifts, dims=None):
    return np.roll(x, shifts, dims if dims != () else None)


def take(x, index):
    return np.take(x, index)


def flipped(x, dims):
    return np.flip(x, tuple(dims) if isinstance(dims, list | tuple) else dims)


def repeat_interleave(x, repeats, dim=None, **kw):
    return np.repeat(x, repeats, axis=dim)


def permute(x, dims):
    return np.transpose(x, tuple(dims))


def solve(a, b, left=True):
    if not left or (a.ndim > 2 and b.ndim == a.ndim - 1):
        unspoken("a stack of vectors")
    return np.linalg.solve(a, b)


def trapezoid(y, x=None, dim=-1, dx=1.0):
    return np.trapezoid(y, x, dx, dim)


def tensordot(x, y, dims=2):
    return np.tensordot(x, y, dims)


def sort(x, dim=-1, descending=False, stable=False):
    if descending or not x.ndim:
        unspoken("descending, or a single number")
    return np.sort(x, axis=dim), np.argsort(x, axis=dim, stable=True)


SPELLED = {
    **{
        name: unary(f)
        for name, f in {
            "abs": np.abs, "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin,
            "asinh": np.arcsinh, "atan": np.arctan, "atanh": np.arctanh, "ceil": np.ceil,
            "cos": np.cos, "cosh": np.cosh, "deg2rad": np.deg2rad, "exp": np.exp, "exp2": np.exp2,
            "expm1": np.expm1, "floor": np.floor, "log": np.log, "log10": np.log10,
            "log1p": np.log1p, "log2": np.log2, "neg": np.negative, "positive": np.positive,
            "rad2deg": np.rad2deg, "reciprocal": np.reciprocal, "rsqrt": lambda x: 1 / np.sqrt(x),
            "sgn": np.sign, "sign": np.sign, "sigmoid": ops.sigmoid, "sin": np.sin,
            "sinc": np.sinc, "sinh": np.sinh, "sqrt": np.sqrt, "square": np.square,
            "tan": np.tan, "tanh": np.tanh, "trunc": np.trunc, "frac": lambda x: np.modf(x)[0],
            "ravel": np.ravel, "clone": np.copy, "real": np.real, "conj": np.conjugate,
            "t": lambda x: x.T, "T": lambda x: x.T, "mT": lambda x: x.mT,
            "trace": np.trace, "fliplr": np.fliplr, "flipud": np.flipud,
            "digamma": special.digamma, "lgamma": special.gammaln,
            "linalg.det": np.linalg.det, "linalg.inv": np.linalg.inv,
            "linalg.svdvals": np.linalg.svdvals, "nn.functional.logsigmoid":
                lambda x: -ops.softplus(-x), "nn.functional.tanhshrink": lambda x: x - np.tanh(x),
            "nn.functional.softsign": lambda x: x / (1 + np.abs(x)),

            "msort": lambda x: np.sort(x, 0),
        }.items()
    },
    **{
        name: binary(f)
        for name, f in {
            "atan2": np.arctan2, "copysign": np.copysign, "float_power": np.float_power,
            "fmax": np.fmax, "fmin": np.fmin, "fmod": np.fmod, "heaviside": np.heaviside,
            "hypot": np.hypot, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2,
            "maximum": np.maximum, "minimum": np.minimum, "mul": np.multiply, "pow": np.power,
            "remainder": np.remainder, "true_divide": np.true_divide, "matmul": np.matmul,
            "mm": np.matmul, "mv": np.matmul, "bmm": np.matmul, "dot": np.dot, "inner": np.inner,
            "outer": np.outer, "kron": np.kron, "vdot": np.vdot, "floor_divide": np.floor_divide,
            "__rmul__": lambda x, y: y * x, "__rpow__": lambda x, y: y**x,
            "__rsub__": lambda x, y: y - x, "__radd__": lambda x, y: y + x,
            "__rdiv__": lambda x, y: y / x, "__rmatmul__": lambda x, y: y @ x,
            "__rmod__": lambda x, y: y % x,
        }.items()
    },
    **{
        name: reduction(f)
        for name, f in {
            "sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min, "prod": np.prod,
            "nansum": np.nansum, "nanmean": np.nanmean, "logsumexp": ops.logsumexp,
        }.items()
    },
    "std": spread(np.std), "var": spread(np.var),
    "add": scaled(np.add), "sub": scaled(np.subtract),
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "div": div, "clamp": clamp,
    "clamp_min": lambda x, y: np.maximum(x, y), "clamp_max": lambda x, y: np.minimum(x, y),
    "addmm": baddbmm, "addmv": baddbmm, "baddbmm": baddbmm,
    "addr": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * np.outer(a, b),
    "addbmm": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * np.sum(a @ b, axis=0),
    "addcmul": lambda x, a, b, value=1: x + value * a * b,
    "addcdiv": lambda x, a, b, value=1: x + value * a / b,
    "lerp": lambda x, y, w: x + w * (y - x),
    "where": lambda x, c, y: np.where(c, x, y),
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "masked_select": lambda x, mask: np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[
        np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))],
    "nan_to_num": nan_to_num,
    "round": lambda x, decimals=0: np.round(x, decimals),
    "cumsum": along(np.cumsum), "cumprod": along(np.cumprod),
    "diff": lambda x, n=1, dim=-1, prepend=None, append=None: np.diff(x, n, dim, prepend, append),
    "gradient": gradient, "trapezoid": trapezoid, "trapz": trapezoid,
    "sort": sort,
    "linspace": lambda a, b, steps, **kw: (
        np.linspace(a, b, steps) if getattr(a, "dtype", None) != "float32" else unspoken("dtype")),
    "reshape": lambda x, shape: np.reshape(x, tuple(shape)),
    "view": lambda x, *shape: np.reshape(x, tuple(shape[0]) if len(shape) == 1 else shape),
    "reshape_as": lambda x, y: np.reshape(x, y.shape),
    "view_as": lambda x, y: np.reshape(x, y.shape),
    "permute": permute, "transpose": lambda x, a, b: np.swapaxes(x, a, b) if x.ndim else x,
    "movedim": np.moveaxis, "squeeze": lambda x, dim=None: squeeze(x, dim),
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim),
    "expand": lambda x, shape: np.broadcast_to(x, shape) if -1 not in shape else unspoken(-1),
    "expand_as": lambda x, y: np.broadcast_to(x, y.shape),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, tuple(shape)),
    "broadcast_tensors": lambda *xs: np.broadcast_arrays(*xs),
    "flip": flipped, "roll": roll, "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, tuple(dims)),
    "tril": lambda x, k=0: np.tril(x, k), "triu": lambda x, k=0: np.triu(x, k),
    "cat": lambda xs, dim=0: np.concatenate(xs, dim), "stack": lambda xs, dim=0: np.stack(xs, dim),
    "hstack": lambda xs: np.hstack(xs), "vstack": lambda xs: np.vstack(xs),
    "dstack": lambda xs: np.dstack(xs), "column_stack": lambda xs: np.column_stack(xs),
    "tile": lambda x, reps: np.tile(x, tuple(reps)),
    "repeat_interleave": repeat_interleave,
    "split": split, "split_with_sizes": split, "tensor_split": tensor_split,
    "hsplit": lambda x, n: np.hsplit(x, n), "vsplit": lambda x, n: np.vsplit(x, n),
    "dsplit": lambda x, n: np.dsplit(x, n),
    "unbind": lambda x, dim=0: np.unstack(x, axis=dim),
    "take": take, "gather": gather,
    "take_along_dim": lambda x, index, dim=None: (
        np.take_along_axis(x, index, dim) if dim is not None
        else np.take_along_axis(x, np.ravel(index), None)),
    "index_select": lambda x, dim, index: (
        np.take(x, index, axis=dim) if x.ndim else unspoken("a number")),
    "__getitem__": lambda x, index: x[index],
    "select": lambda x, dim, i: np.take(x, i, axis=dim),
    "narrow": lambda x, dim, start, n: np.take(x, np.arange(int(start), int(start) + n), axis=dim),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diag": lambda x, k=0: np.diag(x, k), "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "linalg.cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "tensordot": tensordot, "einsum": lambda xs, s: np.einsum(s, *xs),
    "linalg.vecdot": lambda x, y, dim=-1: np.vecdot(x, y, axis=dim),
    "linalg.multi_dot": lambda xs: np.linalg.multi_dot(xs),
    "linalg.cholesky": lambda x, upper=False: np.linalg.cholesky(x) if not upper else unspoken(0),
    "linalg.slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "linalg.solve": solve,
    "linalg.eigvalsh": lambda x, UPLO="L": np.linalg.eigvalsh(x, UPLO),
    "linalg.matrix_power": lambda x, n: np.linalg.matrix_power(x, n),
    "linalg.pinv": pinv, "pinverse": lambda x, rcond=1e-15: np.linalg.pinv(x, rcond=rcond),
    "linalg.norm": norm,
    "linalg.vector_norm": vector_norm, "linalg.matrix_norm": matrix_norm,
    "linalg.diagonal": lambda x, *, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
    "polygamma": lambda x, n: special.polygamma(x, n=n),
    "meshgrid": lambda *xs, indexing="ij": np.meshgrid(
        *(xs[0] if isinstance(xs[0], list | tuple) else xs), indexing=indexing),
    "softmax": lambda x, dim, **kw: F.softmax(x, dim),
    "log_softmax": lambda x, dim, **kw: F.log_softmax(x, dim),
    "nn.functional.relu": F.relu, "nn.functional.leaky_relu":
        lambda x, negative_slope=0.01: F.leaky_relu(x, negative_slope),
    "nn.functional.softplus": lambda x, beta=1, threshold=20: (
        ops.softplus(x) if beta == 1 and threshold == 20 else unspoken(beta)),
    "nn.functional.linear": lambda x, w, b=None: F.linear(x, w, b),
    "nn.functional.conv2d": lambda x, w, b=None, **kw: F.conv2d(x, w, b, **kw),
    "nn.functional.conv_transpose2d": lambda x, w, b=None, **kw: F.conv_transpose2d(x, w, b, **kw),
    "nn.functional.avg_pool2d": lambda x, *a, **kw: F.avg_pool2d(x, *a, **kw),
    "nn.functional.max_pool2d": lambda x, *a, **kw: F.max_pool2d(x, *a, **kw),
    "nn.functional.mse_loss": lambda x, y, **kw: F.mse_loss(x, y, **kw),
    "nn.functional.l1_loss": lambda x, y, **kw: F.l1_loss(x, y, **kw),
    "nn.functional.binary_cross_entropy_with_logits":
        lambda x, y, **kw: F.binary_cross_entropy_with_logits(x, y, **kw),
    "nn.functional.cross_entropy": lambda x, y, **kw: F.cross_entropy(x, y, **kw),
    "nn.functional.pixel_shuffle": lambda x, upscale_factor: F.pixel_shuffle(x, upscale_factor),
    "nn.functional.pixel_unshuffle":
        lambda x, downscale_factor: layout.pixel_unshuffle(x, r=downscale_factor),
}  # fmt: skip


def squeeze(x, dim):
    if dim is None:
        return np.squeeze(x)
    dims = [dim] if isinstance(dim, int) else list(dim)
    ones = tuple(d for d in dims if x.ndim and x.shape[d] == 1)  # torch ignores the others
    return np.squeeze(x, ones) if ones else np.copy(x)
