"""Run PyTorch's own samples of its modules against the layers of the same name here.

    python benchmarks/peers/modules.py [--only NAME] [--list]

``torch.testing._internal.common_modules.module_db`` gives constructor arguments and inputs for each
module. Both sides get the same parameters in float64; compared are outputs, gradients towards
inputs and parameters, and gradients of those, in training and evaluation mode. Needs the extra
``[bench]``. The verdicts are those of operators.py.
"""

import argparse
import collections
import warnings

import numpy as np
import torch
from operators import (
    VERDICTS,
    Leaves,
    differentiable,
    equal,
    flat,
    ours_of,
    refused,
    slope_equal,
    theirs_of,
)
from torch.testing._internal.common_modules import module_db

from nnlite import nn

#: not what the arguments of our layers mean: a device, a dtype
DEVICE = ("device", "dtype")


def twins(info, cls, arguments, training):
    """Torch's module and ours with the same parameters and buffers, and leaves for both."""
    theirs = info.module_cls(*arguments.args, **arguments.kwargs).double().train(training)
    kwargs = {k: v for k, v in arguments.kwargs.items() if k not in DEVICE}
    leaves = Leaves()
    ours = cls(
        *map(leaves.constant, arguments.args), **{k: leaves.constant(v) for k, v in kwargs.items()}
    )
    ours = (ours.double() if hasattr(ours, "double") else ours).train(training)
    state = {k: v.detach().numpy().copy() for k, v in theirs.state_dict().items()}
    if state:
        ours.load_state_dict(state)
    named = dict(ours.named_parameters())
    for name, p in theirs.named_parameters():
        leaves.theirs.append(p)
        leaves.ours.append(named[name])
    return theirs, ours, leaves


def verdict(info, sample, training):
    cls = getattr(nn, info.module_cls.__name__)
    try:
        theirs, ours, leaves = twins(info, cls, sample.constructor_input, training)
    except Exception as error:
        return refused(error)
    args, kwargs = sample.forward_input.args, sample.forward_input.kwargs
    our_args = [leaves(a) for a in args]
    our_kwargs = {k: leaves(v) for k, v in kwargs.items()}
    out = flat(theirs(*args, **kwargs))
    try:
        found = flat(ours(*our_args, **our_kwargs))
    except Exception as error:
        return refused(error)
    if len(found) != len(out) or not all(map(equal, found, out)):
        return "wrong", "value"
    if not differentiable(out):
        return "agree", ""
    first, second = theirs_of(out, leaves.theirs)
    try:
        our_first, our_second = ours_of(found, leaves.ours, first)
    except Exception as error:
        return refused(error)
    if not all(map(slope_equal, our_first, first)):
        return "wrong", "gradient"
    known = second is not None and our_second is not None
    if known and not all(map(slope_equal, our_second, second)):
        return "wrong", "second gradient"
    return "agree", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="modules whose name contains this")
    parser.add_argument("--list", action="store_true", help="also list what was refused")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    counts: collections.Counter = collections.Counter()
    modules = set()
    for info in module_db:
        if not hasattr(nn, info.module_cls.__name__) or options.only not in info.name:
            continue
        modules.add(info.name)
        for training in (True, False):
            samples = info.module_inputs_func(
                info, device="cpu", dtype=torch.float64, requires_grad=True, training=training
            )
            for sample in samples:
                found, where = verdict(info, sample, training)
                counts[found] += 1
                if found == "wrong" or (options.list and found.startswith("refused")):
                    print(f"{info.name} {sample.desc} {sample.constructor_input.args} "
                          f"{sample.constructor_input.kwargs}: {found}, {where}"[:300])  # fmt: skip
    print(f"\n{len(modules)} modules, {sum(counts.values())} samples")
    for name in VERDICTS:
        print(f"{counts[name]:6}  {name}")


if __name__ == "__main__":
    main()
