"""Names, order and defaults of nn and optim are PyTorch's, as torch_signatures.json records them.

What PyTorch has in a place and we have not may be missing only with a reason, and then what follows
goes by keyword; what we have beyond PyTorch goes by keyword, with a reason.
"""

import ast
import importlib
import inspect
import json
from pathlib import Path

import pytest

TABLE = json.loads(Path(__file__).with_name("torch_signatures.json").read_text("utf-8"))
SIGNATURES = {
    f"{module}.{name}": text
    for module, entries in TABLE.items()
    if module != "torch"
    for name, text in entries.items()
}

#: parameters of PyTorch that are missing here -> why (for a whole name, with its name in front)
MISSING = {
    "capturable": "CUDA graphs",
    "decoupled_weight_decay": "that optimiser is AdamW",
    "differentiable": "steps are not recorded; nnlite.grad differentiates through updates",
    "foreach": "how PyTorch loops over tensors",
    "fused": "how PyTorch loops over tensors",
    "generator": "random numbers come from NumPy: rng= takes a seed or a Generator",
    "_stacklevel": "private",
    "nnlite.nn.Embedding.max_norm": "would change the weight while it is read",
    "nnlite.nn.Embedding.norm_type": "belongs to max_norm",
    "nnlite.nn.Embedding.scale_grad_by_freq": "np.bincount of the positions does it in the open",
    "nnlite.nn.Embedding.sparse": "gradients are dense arrays",
    "nnlite.nn.Embedding._weight": "private",
    "nnlite.nn.Embedding._freeze": "private",
    "nnlite.nn.functional.embedding.max_norm": "would change the weight while it is read",
    "nnlite.nn.functional.embedding.norm_type": "belongs to max_norm",
    "nnlite.nn.functional.embedding.scale_grad_by_freq": "np.bincount does it in the open",
    "nnlite.nn.functional.embedding.sparse": "gradients are dense arrays",
    "last_epoch": "a schedule goes on where its state_dict says",
}
#: parameters that PyTorch has not -> why
EXTRA = {
    "rng": "a seed or a NumPy Generator, wherever numbers are drawn",
    "axis": "NumPy's word for dim",
    "nnlite.nn.Parameter.dtype": "parameters are float32 unless they are told otherwise",
}
#: other differences -> why
DIFFERENT = {
    "nnlite.nn.Parameter.data": "required: a parameter without values has no shape to start with",
    "nnlite.nn.Identity": "takes and ignores everything",
}


def _torch(text):
    """Names, defaults and those that go by keyword only, of a recorded signature."""
    (node,) = ast.parse(f"def f{text}: ...").body
    a = node.args
    positional = [p.arg for p in a.args]
    defaults = dict(zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True))
    defaults |= dict(zip([p.arg for p in a.kwonlyargs], a.kw_defaults, strict=True))
    values = {name: ast.literal_eval(node) for name, node in defaults.items()}
    return positional, [p.arg for p in a.kwonlyargs], values, bool(a.vararg)


def _ours(path):
    """The parameters of the thing with this dotted name."""
    parts = path.split(".")
    for i in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:i]))
        except ModuleNotFoundError:
            continue
        for part in parts[i:]:
            thing = getattr(thing, part)
        function = thing.__init__ if inspect.isclass(thing) else thing
        return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    raise AssertionError(path)


def _listed(table, path, name):
    return name in table or f"{path}.{name}" in table


@pytest.mark.parametrize("path", SIGNATURES)
def test_signatures_are_those_of_pytorch(path):
    positional, keywords, defaults, variadic = _torch(SIGNATURES[path])
    ours = _ours(path)
    if variadic or path in DIFFERENT:
        assert variadic, path
        return
    by_place = [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    missing = [n for n in positional + keywords if n not in {p.name for p in ours}]
    for name in missing:
        assert _listed(MISSING, path, name), f"{path}: {name} is missing without a reason"
    first = min([positional.index(n) for n in missing if n in positional], default=len(positional))
    assert by_place == positional[: len(by_place)], f"{path}: other names or another order"
    assert len(by_place) <= first, f"{path}: what follows {positional[first]} goes by keyword"
    for p in ours:
        if p.name not in positional + keywords:
            assert _listed(EXTRA, path, p.name), f"{path}: {p.name} is not PyTorch's"
            assert p.kind is p.KEYWORD_ONLY, f"{path}: {p.name} goes by keyword"
        elif not _listed(DIFFERENT, path, p.name):
            assert defaults.get(p.name, p.empty) == p.default, f"{path}: default of {p.name}"


def test_every_difference_is_one():
    for table in (MISSING, EXTRA, DIFFERENT):
        for key in table:
            path = key.rpartition(".")[0] if key not in SIGNATURES else key
            assert "." not in key or path in SIGNATURES, key


def test_every_public_name_of_nn_is_recorded():
    recorded = {name.split(".")[2] for name in SIGNATURES if name.startswith("nnlite.nn.")}
    nn = importlib.import_module("nnlite.nn")
    assert set(nn.__all__) - {"functional", "init", "utils"} <= recorded
    functional = importlib.import_module("nnlite.nn.functional")
    assert {f"nnlite.nn.functional.{name}" for name in functional.__all__} <= set(SIGNATURES)
