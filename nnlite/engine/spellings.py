"""What PyTorch calls by another name than NumPy does: name -> what to write here.

The tables serve attributes of a Tensor, of the package and of ``nnlite.nn.functional`` that do not
exist. Every expression runs, as a test shows, where ``t`` and ``u`` are Tensors and the other names
what they say: ``axis``, ``shape``, ``mask``, ``index`` (integers), ``value``, ``n``, ``rng``.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import numpy as np

from nnlite.ops import ALTERNATIVES, PLAIN, TABLE

#: The same for a function of torch and for a Tensor's method.
EXPRESSIONS = {
    # arithmetic
    "acos": "np.arccos(t)",
    "acosh": "np.arccosh(t)",
    "addcdiv": "t + value * (u / v)",
    "addcmul": "t + value * (u * v)",
    "addmm": "t + u @ v",
    "addmv": "t + A @ b",
    "addr": "A + np.outer(b, b)",
    "asin": "np.arcsin(t)",
    "asinh": "np.arcsinh(t)",
    "atan": "np.arctan(t)",
    "atan2": "np.arctan2(t, u)",
    "atanh": "np.arctanh(t)",
    "baddbmm": "t + u @ v",
    "bmm": "t @ u",
    "clamp": "np.clip(t, low, high)",
    "clamp_max": "np.minimum(t, high)",
    "clamp_min": "np.maximum(t, low)",
    "add": "t + u",
    "div": "t / u",
    "divide": "t / u",
    "floor_divide": "t // u",
    "fmod": "np.fmod(t, u)",
    "frac": "t - np.trunc(t)",
    "ger": "np.outer(b, b)",
    "lerp": "t + value * (u - t)",
    "logcumsumexp": "np.logaddexp.accumulate(t.data)",
    "matmul": "t @ u",
    "mm": "t @ u",
    "mul": "t * u",
    "multiply": "t * u",
    "mv": "A @ b",
    "neg": "-t",
    "negative": "-t",
    "pow": "t**u",
    "remainder": "t % u",
    "rsqrt": "1 / np.sqrt(t)",
    "rsub": "u - t",
    "sgn": "np.sign(t)",
    "sub": "t - u",
    "subtract": "t - u",
    "true_divide": "t / u",
    "xlogy": "t * np.log(u)",
    "logit": "np.log(t / (1 - t))",
    "std_mean": "np.std(t, axis, ddof=1), np.mean(t, axis)",
    "var_mean": "np.var(t, axis, ddof=1), np.mean(t, axis)",
    # comparison
    "eq": "t == u",
    "equal": "np.array_equal(t, u)",
    "ge": "t >= u",
    "greater": "t > u",
    "greater_equal": "t >= u",
    "gt": "t > u",
    "is_nonzero": "bool(loss)",
    "is_same_size": "t.shape == u.shape",
    "is_tensor": "isinstance(t, nnlite.Tensor)",
    "le": "t <= u",
    "less": "t < u",
    "less_equal": "t <= u",
    "lt": "t < u",
    "ne": "t != u",
    "not_equal": "t != u",
    # reduction
    "aminmax": "np.min(t, axis), np.max(t, axis)",
    "cummax": "np.maximum.accumulate(t.data, axis)",
    "cummin": "np.minimum.accumulate(t.data, axis)",
    "dist": "np.linalg.norm(t - u)",
    "frobenius_norm": "np.linalg.norm(t)",
    "kthvalue": "np.sort(t, axis)[n]",
    "logsumexp": "np.logaddexp.reduce(t, axis)",
    "median": "np.median(t, axis)",
    "msort": "np.sort(t, 0)",
    "nanmedian": "np.median(t[~np.isnan(t)])",
    "norm": "np.linalg.norm(t)",
    "quantile": "np.sort(t, axis)[round(0.5 * (len(t) - 1))]",
    "topk": "np.sort(t, axis)[::-1][:n]",
    "unique": "np.unique(t.data)",
    # shape
    "adjoint": "t.mT",
    "broadcast_tensors": "np.broadcast_arrays(t, u)",
    "cat": "np.concatenate([t, u], axis)",
    "chunk": "np.array_split(t, n, axis)",
    "concat": "np.concatenate([t, u], axis)",
    "diag": "np.diag(t)",
    "diag_embed": "np.expand_dims(t, -1) * np.eye(t.shape[-1])",
    "dim": "t.ndim",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, u.shape)",
    "hsplit": "np.hsplit(t, n)",
    "mH": "t.mT",
    "H": "t.T",
    "movedim": "np.moveaxis(t, 0, 1)",
    "narrow": "t[start : start + length]",
    "ndimension": "t.ndim",
    "nelement": "t.size",
    "numel": "t.size",
    "permute": "t.transpose(axes)",
    "repeat_interleave": "np.repeat(t, n, axis)",
    "reshape_as": "t.reshape(u.shape)",
    "resize": "t.reshape(shape)",
    "resize_as": "t.reshape(u.shape)",
    "row_stack": "np.vstack([t, u])",
    "select": "t[:, n]",
    "swapdims": "np.swapaxes(t, 0, 1)",
    "t": "t.T",
    "tensor_split": "np.array_split(t, n, axis)",
    "unbind": "list(t)",
    "unflatten": "t.reshape(shape)",
    "unsqueeze": "np.expand_dims(t, axis)",
    "split_with_sizes": "np.split(t, [n], axis)",
    "view": "t.reshape(shape)",
    "view_as": "t.reshape(u.shape)",
    # indexing
    "bucketize": "np.digitize(t, edges)",
    "gather": "np.take_along_axis(t, index, axis)",
    "index_add": "t + nnlite.ops.scatter(u, index=rows, shape=t.shape)",
    "index_select": "np.take(t, rows, axis)",
    "element_size": "t.data.itemsize",
    "index_fill": "np.where(np.isin(np.arange(len(t)), rows)[:, None], value, t)",
    "masked_fill": "np.where(mask, value, t)",
    "masked_scatter": "np.where(mask, u, t)",
    "masked_select": "t[mask]",
    "scatter_add": "t + nnlite.ops.scatter(u, index=(index, np.arange(2)), shape=t.shape)",
    "take_along_dim": "np.take_along_axis(t, index, axis)",
    "where": "np.where(mask, t, u)",
    "multinomial": "rng.choice(len(b), n, p=b.data / b.data.sum())",
    "bernoulli": "nnlite.Tensor(rng.random(t.shape) < t.data)",
    # linear algebra
    "cdist": "np.linalg.norm(t[:, None] - u, axis=-1)",
    "chain_matmul": "np.linalg.multi_dot([t, u, t])",
    "cholesky": "np.linalg.cholesky(t)",
    "cholesky_inverse": "np.linalg.inv(t @ t.T)",
    "cholesky_solve": "np.linalg.solve(u @ u.T, t)",
    "det": "np.linalg.det(t)",
    "inverse": "np.linalg.inv(t)",
    "logdet": "np.linalg.slogdet(t)[1]",
    "lstsq": "np.linalg.pinv(t) @ u",
    "matrix_power": "np.linalg.matrix_power(t, n)",
    "matrix_rank": "np.linalg.matrix_rank(t)",
    "pinverse": "np.linalg.pinv(t)",
    "slogdet": "np.linalg.slogdet(t)",
    "solve": "np.linalg.solve(t, u)",
    "svd": "np.linalg.svd(t)",
    # making, copying, converting
    "arange": "nnlite.Tensor(np.arange(n))",
    "array": "nnlite.tensor(values)",
    "as_tensor": "nnlite.Tensor(values)",
    "asarray": "nnlite.Tensor(values)",
    "bool": "t.data.astype(bool)",
    "byte": "t.astype('uint8')",
    "char": "t.astype('int8')",
    "clone": "t.copy()",
    "double": "t.astype('float64')",
    "empty": "nnlite.Tensor(np.empty(shape))",
    "empty_like": "nnlite.Tensor(np.empty_like(t.data))",
    "eye": "nnlite.Tensor(np.eye(n))",
    "float": "t.astype('float32')",
    "float32": "np.float32",
    "float64": "np.float64",
    "frombuffer": "nnlite.Tensor(np.frombuffer(bytes(8)))",
    "from_numpy": "nnlite.Tensor(values)",
    "full": "nnlite.Tensor(np.full(shape, value))",
    "full_like": "nnlite.Tensor(np.full_like(t.data, value))",
    "half": "t.astype('float16')",
    "int": "t.astype('int32')",
    "int32": "np.int32",
    "int64": "np.int64",
    "linspace": "nnlite.Tensor(np.linspace(low, high, n))",
    "logspace": "nnlite.Tensor(np.logspace(low, high, n))",
    "long": "t.astype('int64')",
    "manual_seed": "nnlite.seed(0)",
    "new": "nnlite.Tensor(np.empty(shape, t.dtype))",
    "new_empty": "nnlite.Tensor(np.empty(shape, t.dtype))",
    "new_full": "nnlite.Tensor(np.full(shape, value, t.dtype))",
    "new_ones": "nnlite.Tensor(np.ones(shape, t.dtype))",
    "new_tensor": "nnlite.tensor(values, dtype=t.dtype)",
    "new_zeros": "nnlite.Tensor(np.zeros(shape, t.dtype))",
    "normal": "nnlite.Tensor(rng.normal(value, 1.0, shape))",
    "ones": "nnlite.Tensor(np.ones(shape))",
    "ones_like": "nnlite.Tensor(np.ones_like(t.data))",
    "rand": "nnlite.Tensor(rng.random(shape))",
    "rand_like": "nnlite.Tensor(rng.random(t.shape))",
    "randint": "nnlite.Tensor(rng.integers(0, n, shape))",
    "randint_like": "nnlite.Tensor(rng.integers(0, n, t.shape))",
    "randn": "nnlite.Tensor(rng.normal(size=shape))",
    "randn_like": "nnlite.Tensor(rng.normal(size=t.shape))",
    "randperm": "rng.permutation(n)",
    "range": "nnlite.Tensor(np.arange(n + 1))",
    "scalar_tensor": "nnlite.Tensor(value)",
    "short": "t.astype('int16')",
    "tril_indices": "np.tril_indices(n)",
    "triu_indices": "np.triu_indices(n)",
    "type": "t.astype(dtype)",
    "type_as": "t.astype(u.dtype)",
    "zeros": "nnlite.Tensor(np.zeros(shape))",
    "zeros_like": "nnlite.Tensor(np.zeros_like(t.data))",
    "typename": "type(t).__name__",
    "concatenate": "np.concatenate([t, u], axis)",
    "stack": "np.stack([t, u], axis)",
    # gradients and modules
    "autograd": "nnlite.grad(loss, t)",
    "enable_grad": "nnlite.engine.state.recording(True)",
    "get_default_dtype": "nnlite.engine.state.STATE.dtype",
    "inference_mode": "nnlite.no_grad()",
    "is_floating_point": "t.dtype.kind == 'f'",
    "is_grad_enabled": "nnlite.engine.state.STATE.recording",
    "set_default_dtype": "nnlite.default_dtype('float32')",
    "set_grad_enabled": "nnlite.engine.state.recording(False)",
    "detach_": "t.detach()",
    "retain_grad": "nnlite.grad(loss, t)",
    "grad_fn": "print(t)",
    "result_type": "np.result_type(t, u)",
    "BoolTensor": "nnlite.Tensor(values, dtype=bool)",
    "DoubleTensor": "nnlite.Tensor(values, dtype='float64')",
    "FloatTensor": "nnlite.Tensor(values, dtype='float32')",
    "IntTensor": "nnlite.Tensor(values, dtype='int32')",
    "LongTensor": "nnlite.Tensor(values, dtype='int64')",
    "Size": "t.shape",
    "dtype": "np.dtype('float32')",
    "Generator": "np.random.default_rng(0)",
    "linalg": "np.linalg",
    "pi": "np.pi",
    "e": "np.e",
    "inf": "np.inf",
    "nan": "np.nan",
    "newaxis": "np.newaxis",
    "random": "rng.random(shape)",
    # what nnlite.nn.functional has
    "softmax": "nnlite.nn.functional.softmax(t, -1)",
    "log_softmax": "nnlite.nn.functional.log_softmax(t, -1)",
    "selu": "1.0507 * nnlite.nn.functional.elu(t, 1.67326)",
    "celu": "value * nnlite.nn.functional.elu(t / value)",
    "hardtanh": "np.clip(t, -1, 1)",
    "relu6": "np.clip(t, 0, 6)",
    "hardsigmoid": "np.clip(t / 6 + 0.5, 0, 1)",
    "softsign": "t / (1 + np.abs(t))",
    "tanhshrink": "t - np.tanh(t)",
    "softmin": "nnlite.nn.functional.softmax(-t, -1)",
    "threshold": "np.where(t > low, t, value)",
    "silu": "t * t.sigmoid()",
    "mish": "t * np.tanh(nnlite.nn.functional.softplus(t))",
    "glu": "t[:, :1] * t[:, 1:].sigmoid()",
    "normalize": "t / np.linalg.norm(t, axis=-1, keepdims=True)",
    "cosine_similarity": (
        "np.sum(t * u, -1) / (np.linalg.norm(t, axis=-1) * np.linalg.norm(u, axis=-1))"
    ),
    "pairwise_distance": "np.linalg.norm(t - u, axis=-1)",
    "kl_div": "np.mean(u * (np.log(u) - t))",
    "gaussian_nll_loss": "np.mean((np.log(v) + (t - u) ** 2 / v) / 2)",
    "poisson_nll_loss": "np.mean(np.exp(t) - u * t)",
    "upsample": "nnlite.nn.functional.interpolate(x, scale_factor=2)",
    "upsample_nearest": "nnlite.nn.functional.interpolate(x, scale_factor=2)",
}

_DEVICE = "there is one device, the processor: leave it out"
_DTYPE = "see t.dtype, which is NumPy's"
_MEMORY = "where numbers lie in memory is NumPy's affair: leave it out, or see t.data.flags"
_HOOK = "hooks do not exist; nnlite.grad(loss, t) gives the gradient of any result"

#: Names for which no expression stands.
NOTES = {
    "cpu": _DEVICE,
    "cuda": _DEVICE,
    "device": _DEVICE,
    "get_device": _DEVICE,
    "is_cpu": _DEVICE,
    "is_cuda": _DEVICE,
    "mps": _DEVICE,
    "xpu": _DEVICE,
    "pin_memory": _DEVICE,
    "is_pinned": _DEVICE,
    "backends": _DEVICE,
    "get_default_device": _DEVICE,
    "set_default_device": _DEVICE,
    "to": "leave devices out (there is one), and write t.astype(dtype) for another dtype",
    "contiguous": _MEMORY,
    "is_contiguous": _MEMORY,
    "stride": _MEMORY,
    "storage": _MEMORY,
    "data_ptr": _MEMORY,
    "storage_offset": _MEMORY,
    "untyped_storage": _MEMORY,
    "memory_format": _MEMORY,
    "channels_last": _MEMORY,
    "as_strided": "index instead, or use np.lib.stride_tricks on t.data, without gradients",
    "is_complex": f"{_DTYPE}, and always real",
    "is_signed": _DTYPE,
    "register_hook": _HOOK,
    "register_post_accumulate_grad_hook": _HOOK,
    "retains_grad": _HOOK,
    "share_memory_": "each process has arrays of its own",
    "is_shared": "each process has arrays of its own",
    "is_sparse": "arrays are dense",
    "to_sparse": "arrays are dense",
    "to_dense": "arrays are dense: leave it out",
    "compile": "leave it out: hot layers are compiled already where Numba is installed",
    "jit": "leave it out: hot layers are compiled already where Numba is installed",
    "vmap": "leading axes do it: operations broadcast over them",
    "complex": "keep real and imaginary part as two tensors",
    "bfloat16": "NumPy has no such dtype; use float32",
    "cfloat": "keep real and imaginary part as two tensors",
    "cdouble": "keep real and imaginary part as two tensors",
    "set_num_threads": "set the variable NUMBA_NUM_THREADS before Python starts",
    "get_num_threads": "the variable NUMBA_NUM_THREADS says how many",
    "use_deterministic_algorithms": "results do not depend on chance: leave it out",
    "set_printoptions": "np.set_printoptions, which Tensors follow",
    "optim": "import it by name: from nnlite import optim",
    "utils": "batches are rng.permutation(n) and slices; what torch.utils.data does is not here",
    "amp": "leave it out: there is one precision at a time, nnlite.default_dtype('float32')",
    "autocast": "leave it out: there is one precision at a time, nnlite.default_dtype('float32')",
    "fft": "np.fft works on t.data, without gradients",
    "special": "see nnlite.ops.special, and NumPy's functions",
    "distributions": "see nnlite.likelihood",
    "requires_grad_": "it exists on Tensors: t.requires_grad_()",
    "numpy": "t.data, or t.numpy() where no gradient is needed",
    "erf": "compose it, or write an operation with its rule (docs/engine.md)",
    "lgamma": "from nnlite.ops.special import gammaln; gammaln(t)",
    "digamma": "from nnlite.ops.special import polygamma; polygamma(t, n=0)",
    "polygamma": "from nnlite.ops.special import polygamma; polygamma(t, n=1)",
    "scatter": "np.where(mask, u, t), or an edit t[index] = u inside nnlite.no_grad()",
    "index_copy": "np.where(mask, u, t), or an edit t[rows] = u inside nnlite.no_grad()",
    "index_put": "np.where(mask, u, t), or an edit t[rows] = u inside nnlite.no_grad()",
    "relu_": "t = t.relu(): activations make new tensors",
    "sigmoid_": "t = t.sigmoid(): activations make new tensors",
    "histc": "np.histogram(t.data, bins), without gradients",
    "gcd": "np.gcd(t.data, u.data), without gradients",
    "lcm": "np.lcm(t.data, u.data), without gradients",
    "mode": "np.unique(t.data, return_counts=True), without gradients",
    "unique_consecutive": "np.unique(t.data), without gradients",
    "erfinv": "compose it, or write an operation with its rule (docs/engine.md)",
    "erfc": "compose it, or write an operation with its rule (docs/engine.md)",
    "einops": "write t.reshape and np.transpose, or np.einsum",
}


#: Methods that edit in place; those of functions above, ``exp_``, follow from them.
IN_PLACE = {
    "add_": "t += value",
    "sub_": "t -= value",
    "mul_": "t *= value",
    "div_": "t /= value",
    "pow_": "t **= value",
    "copy_": "t[...] = u",
    "zero_": "t[...] = 0",
    "fill_": "t[...] = value",
    "fill": "t[...] = value",
    "fill_diagonal_": "t[np.arange(2), np.arange(2)] = value",
    "index_fill_": "t[rows] = value",
    "index_copy_": "t[rows] = u",
    "index_put_": "t[rows] = u",
    "masked_fill_": "t[mask] = value",
    "put": "t[rows] = value",
    "scatter_": "t[rows] = u",
    "normal_": "nnlite.nn.init.normal_(t)",
    "uniform_": "nnlite.nn.init.uniform_(t)",
    "random_": "t[...] = rng.integers(0, n, t.shape)",
    "bernoulli_": "t[...] = rng.random(t.shape) < value",
    "exponential_": "t[...] = rng.exponential(value, t.shape)",
    "set_": "t.data = values",
    "swapaxes_": "t.swapaxes(0, 1)",
    "transpose_": "np.swapaxes(t, 0, 1)",
    "t_": "t.T",
    "squeeze_": "t.squeeze()",
    "unsqueeze_": "np.expand_dims(t, axis)",
    "resize_": "t.reshape(shape)",
    "addcmul_": "t += value * (u * v)",
    "addcdiv_": "t += value * (u / v)",
    "addmm_": "t += u @ v",
    "lerp_": "t += value * (u - t)",
    "clamp_": "t[...] = np.clip(t, low, high)",
    "index_add_": "np.add.at(t.data, rows, u.data)",
    "scatter_add_": "np.add.at(t.data, rows, u.data)",
}


def torch_advice(name: str, where: str = "Tensor") -> str:
    """The message for a name that does not exist: what to write instead, if known.

    Parameters
    ----------
    name : str
        What was asked for.
    where : str
        ``"Tensor"``, or the dotted name of a module, whose ``__getattr__`` raises
        ``AttributeError(torch_advice(name, __name__))``.
    """
    who = "Tensor" if where == "Tensor" else f"module {where!r}"
    said = f"{who} has no attribute {name!r}."
    if name.startswith("_"):
        return said
    instead = _instead(name) or _elsewhere(name, where) or _numpys(name) or _close(name, where)
    if instead is None:
        words = "Tensors have NumPy's methods; see" if where == "Tensor" else "See"
        instead = f"{words} dir({_short(where)})."
    return f"{said} {instead}"


def _instead(name: str) -> str | None:
    """What the tables say."""
    if name in EXPRESSIONS:
        return f"Use {EXPRESSIONS[name]}."
    if name in NOTES:
        note = NOTES[name]
        code = note.startswith(("np.", "t.", "t =", "rng.", "from "))
        return f"Use {note}." if code else f"{note[:1].upper()}{note[1:]}."
    if name in IN_PLACE:
        return f"Use {IN_PLACE[name]} inside nnlite.no_grad()."
    base = name[:-1]
    if name.endswith("_") and base in EXPRESSIONS:
        return f"Use t[...] = {EXPRESSIONS[base]} inside nnlite.no_grad()."
    if name.endswith("_") and isinstance(getattr(np, base, None), np.ufunc):
        return f"Use t[...] = np.{base}(t) inside nnlite.no_grad()."
    return None


def _elsewhere(name: str, where: str) -> str | None:
    """The place in this library that has the name, which torch keeps in another."""
    if where == "nnlite.nn.functional" or name.endswith("_"):
        places: tuple[str, ...] = ()
    else:
        places = ("nnlite.nn.functional", "nnlite.nn", "nnlite.optim")
    from nnlite.engine.tensor import Tensor

    for place in places:
        if name in getattr(import_module(place), "__all__", ()):
            return f"Use {place}.{name}{'(t)' if where == 'Tensor' else ''}."
    if where != "Tensor" and hasattr(Tensor, name) and not hasattr(np, name):
        return f"Use t.{name}{'()' if callable(getattr(Tensor, name)) else ''}."
    return None


def _numpys(name: str) -> str | None:
    """NumPy's function or attribute of that name."""
    for place, module in (("np", np), ("np.linalg", np.linalg)):
        function = getattr(module, name, None)
        if _takes_tensors(function):
            return f"Use {place}.{name}(t, ...)."
        if callable(function) and function in ALTERNATIVES:
            return f"Use {ALTERNATIVES[function]}."
    if hasattr(np.ndarray, name):
        return f"Use t.data.{name}{'()' if callable(getattr(np.ndarray, name)) else ''}."
    return None


def _takes_tensors(function: Any) -> bool:
    return callable(function) and (function in TABLE or function in PLAIN)


def _close(name: str, where: str) -> str | None:
    """A name that is nearly the same: another case, or a letter wrong in a long one."""
    if where == "Tensor":
        from nnlite.engine.tensor import Tensor

        known = [k for k in dir(Tensor) if not k.startswith("_")]
    else:
        known = [k for k in dir(import_module(where)) if not k.startswith("_")]
    close = [k for k in known if k.lower() == name.lower()]
    if len(name) > 4:  # a letter more or less makes another word of a short one
        close += difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"Did you mean {_short(where)}.{close[0]}?" if close else None


def _short(where: str) -> str:
    return "t" if where == "Tensor" else where
