"""Record PyTorch's signatures in torch_signatures.json: ``python record_torch_signatures.py``.

Needs PyTorch, which the tests do not: ``test_signatures.py`` compares nnlite with what is written
here, for every public name that both have. A signature is recorded as Python writes it.
"""

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("torch_signatures.json")
#: our module -> theirs
MODULES = {
    "nnlite.nn": "torch.nn",
    "nnlite.nn.functional": "torch.nn.functional",
    "nnlite.nn.init": "torch.nn.init",
    "nnlite.nn.utils": "torch.nn.utils",
    "nnlite.optim": "torch.optim",
    "nnlite.optim.lr_scheduler": "torch.optim.lr_scheduler",
}


def public_names(module: Any) -> list[str]:
    """Names of the functions and classes that a module offers."""
    listed = getattr(module, "__all__", None)
    if listed:
        return [n for n in listed if callable(getattr(module, n))]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]


def signature_of(function: Any) -> str:
    """``(input, weight, bias=None)``, without annotations; of built-ins from their documentation.

    PyTorch says of these no more than the first line of the documentation.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        parameters = []
    if all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        line = (function.__doc__ or "").strip().splitlines()[0]
        return re.sub(r"^\w+|\s*->.*| (?==)|(?<==) ", "", line)
    bare = [p.replace(annotation=p.empty) for p in parameters if p.name not in ("self", "cls")]
    return str(inspect.Signature(bare))


def signatures(ours: Any, theirs: Any) -> dict[str, str]:
    """Signatures of theirs under the names that both have."""
    table = {}
    for name in public_names(ours):
        mine, value = getattr(ours, name), getattr(theirs, name, None)
        if value is None:
            continue
        if not inspect.isclass(value):
            table[name] = signature_of(value)
            continue
        # a Parameter is made by __new__
        table[name] = signature_of(value.__new__ if name == "Parameter" else value.__init__)
        if name != "Module" and hasattr(mine, "forward") and "input" in str(forward_of(mine)):
            table[f"{name}.forward"] = signature_of(value.forward)
    return table


def forward_of(layer: Any) -> inspect.Signature:
    """The signature of a layer's ``forward``."""
    return inspect.signature(layer.forward)


def main() -> None:
    """Write the table."""
    import torch

    table: dict[str, Any] = {"torch": torch.__version__.split("+")[0]}
    for ours, theirs in MODULES.items():
        table[ours] = signatures(importlib.import_module(ours), importlib.import_module(theirs))
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
