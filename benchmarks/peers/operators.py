"""Run PyTorch's own samples of its operators against NumPy's words on nnlite's Tensors.

    python benchmarks/peers/operators.py [--only NAME] [--list]

PyTorch carries generators of inputs for each of its operators
(``torch.testing._internal.common_methods_invocations.op_db``: strides, broadcasting, empty arrays,
odd axes). Each sample is computed in float64 by both, with gradients of first and, where there is
one, second order. Needs the extra ``[bench]``. Nothing here asserts; the table says what was found:

    agree              values and gradients are equal to 1e-8 (a gradient of theirs that is NaN
                       judges nothing)
    wrong              they are not
    refused clearly    our error is a sentence of ours
    refused unclearly  it is not
    untranslated       the sample asks for what NumPy's word does not have
"""

import argparse
import collections
import warnings

import numpy as np
import torch
from spelling import SPELLED, Unspoken
from torch.testing._internal.common_methods_invocations import op_db

import nnlite

TOLERANCE = {"rtol": 1e-8, "atol": 1e-8, "equal_nan": True}
VERDICTS = ("agree", "wrong", "refused clearly", "refused unclearly", "untranslated")


class Leaves:
    """Torch's arguments as nnlite's; the ones that require grad are collected on both sides."""

    def __init__(self):
        self.theirs, self.ours = [], []

    @staticmethod
    def constant(x):
        return x.detach().numpy() if isinstance(x, torch.Tensor) else x

    def __call__(self, x):
        if isinstance(x, torch.Tensor):
            if not x.dtype.is_floating_point:
                return x.detach().numpy()
            t = nnlite.Tensor(x.detach().numpy().copy(), requires_grad=x.requires_grad)
            if x.requires_grad:
                self.theirs.append(x)
                self.ours.append(t)
            return t
        if isinstance(x, tuple | list):
            return type(x)([self(i) for i in x])
        return x


def flat(out):
    """Return the results that have a gradient, in order."""
    if isinstance(out, tuple | list):
        return [t for part in out for t in flat(part)]
    return [out]


def differentiable(outs):
    return [o for o in outs if getattr(o, "requires_grad", False)]


def theirs_of(outs, leaves):
    """Return gradients of first and second order by PyTorch, with fixed cotangents."""
    outs = differentiable(outs)
    cotangents = [torch.from_numpy(weights(o.shape)) for o in outs]
    total = sum((o * c).sum() for o, c in zip(outs, cotangents, strict=True))
    first = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    with_graph = [g for g in first if g is not None and g.requires_grad]
    if not with_graph:
        return first, None
    total = sum((g * torch.from_numpy(weights(g.shape))).sum() for g in with_graph)
    return first, torch.autograd.grad(total, leaves, allow_unused=True)


def ours_of(outs, leaves, theirs_first):
    outs = differentiable(outs)
    total = sum(np.sum(o * weights(o.shape)) for o in outs)
    first = nnlite.grad(total, leaves, create_graph=True, allow_unused=True)
    with_graph = [
        g
        for g, t in zip(first, theirs_first, strict=True)
        if g is not None and t is not None and t.requires_grad
    ]
    total = sum(np.sum(g * weights(g.shape)) for g in with_graph)
    if not getattr(total, "requires_grad", False):
        return first, None
    return first, nnlite.grad(total, leaves, allow_unused=True)


def weights(shape):
    return np.random.default_rng(len(shape)).uniform(0.5, 1.5, size=tuple(shape))


def values_of(x):
    if isinstance(x, torch.Tensor):
        return x.detach().numpy(force=True)
    return x if x is None else np.asarray(x.data if isinstance(x, nnlite.Tensor) else x)


def equal(a, b):
    """Tell whether ours and theirs agree; a gradient that is None counts as zeros."""
    a, b = values_of(a), values_of(b)
    if a is None or b is None:
        return not np.any(a if b is None else b)
    return a.shape == b.shape and np.allclose(a, b, **TOLERANCE)


def slope_equal(a, b):
    """Tell the same of gradients; where PyTorch says NaN, there is nothing to compare with."""
    if a is not None and b is not None and torch.isnan(b).any():
        b = torch.where(torch.isnan(b), torch.from_numpy(values_of(a)), b)
    return equal(a, b)


def verdict(op, sample):
    """Return what came of one sample, and where it is wrong."""
    leaves = Leaves()
    args = [leaves(sample.input), *map(leaves, sample.args)]
    kwargs = {k: leaves(v) for k, v in sample.kwargs.items()}
    theirs = flat(op(sample.input, *sample.args, **sample.kwargs))
    try:
        ours = flat(SPELLED[op.name](*args, **kwargs))
    except Unspoken:
        return "untranslated", ""
    except Exception as error:
        return refused(error)
    if len(ours) != len(theirs) or not all(map(equal, ours, theirs)):
        return "wrong", "value"
    if not differentiable(theirs):
        return "agree", ""
    if not differentiable(ours):
        return "wrong", "no gradient"
    first, second = theirs_of(theirs, leaves.theirs)
    try:
        our_first, our_second = ours_of(ours, leaves.ours, first)
    except Exception as error:
        return refused(error)
    if not all(map(slope_equal, our_first, first)):
        return "wrong", "gradient"
    known = second is not None and our_second is not None
    if known and not all(map(slope_equal, our_second, second)):
        return "wrong", "second gradient"
    return "agree", ""


def refused(error):
    ours = str(error).endswith(".") and isinstance(error, TypeError | ValueError | IndexError)
    return ("refused clearly" if ours else "refused unclearly"), f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="operators whose name contains this")
    parser.add_argument("--list", action="store_true", help="also list what was refused")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    counts: collections.Counter = collections.Counter()
    operators = set()
    for op in op_db:
        if op.name not in SPELLED or options.only not in op.name:
            continue
        if torch.float64 not in op.supported_dtypes("cpu"):
            continue
        operators.add(op.name)
        samples = op.sample_inputs("cpu", torch.float64, requires_grad=op.supports_autograd)
        for sample in samples:
            found, where = verdict(op, sample)
            counts[found] += 1
            if found == "wrong" or (options.list and found.startswith("refused")):
                shape = getattr(sample.input, "shape", "")
                print(f"{op.name} {tuple(shape)} {str(sample.args)[:80]} {sample.kwargs}: "
                      f"{found}, {where}"[:300].replace("\n", " "))  # fmt: skip
    print(f"\n{len(operators)} operators, {sum(counts.values())} samples")
    for name in VERDICTS:
        print(f"{counts[name]:6}  {name}")


if __name__ == "__main__":
    main()
