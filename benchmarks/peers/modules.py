"""Every layer against PyTorch's own samples of it: ``python benchmarks/peers/modules.py``.

PyTorch ships what it tests its modules with (``module_db``). Each sample of a module that is here
too runs in both, in both precisions, in training and evaluation: value, gradients and, in float64,
the gradients of the squared gradients. What disagrees is listed, and the script exits with 1. Needs
PyTorch and expecttest; not part of the tests.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_modules import module_db

import nnlite
from nnlite import nn

TOLERANCES = {torch.float64: 1e-9, torch.float32: 2e-4}


def main() -> int:
    """Compare all samples and print what disagrees."""
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for label, found, message in compared():
        counts[found] += 1
        if message:
            print(f"{label}: {found}: {message}")
    print(dict(counts))
    return 1 if counts["disagree"] else 0


def compared() -> Iterator[tuple[str, str, str]]:
    """Yield label, verdict and message of each sample."""
    for info in module_db:
        name = info.module_cls.__name__
        if name not in nn.__all__ or not info.module_cls.__module__.startswith("torch.nn.modules"):
            continue
        for dtype in TOLERANCES:
            for training in (True, False):
                samples = info.module_inputs_func(
                    info, device="cpu", dtype=dtype, requires_grad=True, training=training
                )
                for sample in samples:
                    if sample.forward_input is not None:
                        label = f"{name} {sample.desc} {dtype} {'train' if training else 'eval'}"
                        yield (label, *verdict(info.module_cls, sample, dtype, training))


def verdict(kind: Any, sample: Any, dtype: torch.dtype, training: bool) -> tuple[str, str]:
    """Tell whether both agree, or which of them refuses the sample."""
    made, given = sample.constructor_input, sample.forward_input
    try:
        theirs = kind(*made.args, **made.kwargs).to(dtype).train(training)
        state = {k: v.numpy(force=True).copy() for k, v in theirs.state_dict().items()}
        expected = torch_results(theirs, given)
    except Exception as error:
        expected = error
    try:
        options = {k: ours(v) for k, v in made.kwargs.items()}
        layer = getattr(nn, kind.__name__)(*map(ours, made.args), **options)
        layer.to(str(dtype).removeprefix("torch.")).train(training)
        if not isinstance(expected, Exception):
            layer.load_state_dict(state)
        measured = our_results(layer, given)
    except (ValueError, TypeError) as error:
        both = isinstance(expected, Exception)
        return ("both refuse", "") if both else ("nnlite refuses", str(error))
    if isinstance(expected, Exception):
        return "PyTorch refuses", str(expected).splitlines()[0]
    tolerance = TOLERANCES[dtype]
    # second derivatives of single precision are mostly noise
    for i, (a, b) in enumerate(zip(measured, expected, strict=True)):
        if (i == 0 and a.shape != b.shape) or (
            (dtype == torch.float64 or i < len(measured) // 2 + 1)
            and not np.allclose(a, b, 100 * tolerance, 100 * tolerance, equal_nan=True)
        ):
            return "disagree", f"result {i}: {a} instead of {b}"
    return "agree", ""


def ours(value: Any) -> Any:
    """Return an argument in NumPy's terms."""
    if isinstance(value, torch.Tensor):
        return value.numpy(force=True).copy()
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    return "cpu" if isinstance(value, torch.device) else value


def cotangent(shape: Any) -> np.ndarray:
    """Return random numbers that both libraries take as the gradient of their result."""
    return np.random.default_rng(0).normal(size=tuple(shape))


def torch_results(layer: Any, given: Any) -> list[np.ndarray]:
    """Return value, gradients, and gradients of the sum of their squares."""
    first, *rest = given.args
    wanted = isinstance(first, torch.Tensor) and first.is_floating_point()
    first = first.detach().clone().requires_grad_(wanted) if wanted else first
    y = layer(first, *rest, **given.kwargs)
    y = y[0] if isinstance(y, tuple) else y
    inputs = [t for t in (first, *layer.parameters()) if t.requires_grad]
    g = torch.tensor(cotangent(y.shape), dtype=y.dtype)
    slopes = torch.autograd.grad(y, inputs, g, create_graph=True, materialize_grads=True)
    total = sum((s**2).sum() for s in slopes) + 0 * sum(t.sum() for t in inputs)
    second = torch.autograd.grad(total, inputs, materialize_grads=True)
    return [t.numpy(force=True) for t in (y, *slopes, *second)]


def our_results(layer: Any, given: Any) -> list[np.ndarray]:
    """Return the same of nnlite."""
    first, *rest = map(ours, given.args)
    if first.dtype.kind == "f":
        first = nnlite.Tensor(first, requires_grad=True)
    y = layer(first, *rest, **{k: ours(v) for k, v in given.kwargs.items()})
    y = y[0] if isinstance(y, tuple) else y
    inputs = [t for t in (first, *layer.parameters()) if getattr(t, "requires_grad", False)]
    g = cotangent(y.shape).astype(y.dtype)
    slopes = nnlite.grad(y, inputs, g, create_graph=True)
    total = sum(np.sum(s**2) for s in slopes) + 0 * sum(np.sum(t) for t in inputs)
    return [y.data, *[s.data for s in slopes], *nnlite.grad(total, inputs)]


if __name__ == "__main__":
    sys.exit(main())
