"""The package is built in layers: a module imports from its own layer or from one below it."""

import ast
from pathlib import Path

import pytest

import nnlite

PACKAGE = Path(nnlite.__file__).parent

# From the bottom to the top; what stands on one line is one layer.
LAYERS = [
    {"errors", "_arguments"},
    {"kernels"},
    {"random"},
    {"ops"},
    {"engine"},
    {"checks"},
    {"nn", "optim"},
    {"weights"},
    {"training"},
    {"_estimator", "sweeps"},
    {"pca"},
    {"likelihood", "autoencoders", "gans"},
    {"datasets"},
    {"plots"},
    {"nnlite"},  # the public face: whoever imports it imports everything
    {"cli", "__main__"},
]
LAYER_OF = {name: number for number, layer in enumerate(LAYERS) for name in layer}


def _part(dotted: str) -> str:
    """``nnlite.ops.linalg`` belongs to ``ops``, ``nnlite.Tensor`` to the public face."""
    names = dotted.split(".")
    return names[1] if len(names) > 1 and names[1] in LAYER_OF else "nnlite"


def imported_parts(source: str, module: str, is_package: bool = False) -> list[tuple[int, str]]:
    """Return line and part of every import of nnlite in a module, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + is_package]
                base = ".".join([*parents, base]).rstrip(".")
            dotted = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(node.lineno, _part(d)) for d in dotted if d.split(".")[0] == "nnlite"]
    return found


def _modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def test_every_module_has_its_place_in_the_list():
    parts = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in _modules()}
    assert parts - set(LAYER_OF) == set(), "give these a line in LAYERS"


@pytest.mark.parametrize("path", _modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_downwards(path):
    relative = path.relative_to(PACKAGE).with_suffix("")
    is_package = path.name == "__init__.py"
    names = relative.parts[:-1] if is_package else relative.parts
    upwards = [
        f"{path.name}:{line} imports {part}, which is above {names[0]}"
        for line, part in imported_parts(
            path.read_text(encoding="utf-8"), ".".join(["nnlite", *names]), is_package
        )
        if LAYER_OF[part] > LAYER_OF[names[0]]
    ]
    assert upwards == []


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("import nnlite.nn.layers", "nn"),
        ("from nnlite import optim", "optim"),
        ("from nnlite import Tensor", "nnlite"),
        ("import nnlite", "nnlite"),
        ("from nnlite.plots import style", "plots"),
        ("from ..cli import main", "cli"),
        ("def f():\n    from nnlite.cli.find import Lecture", "cli"),
        ("import numpy", None),
    ],
)
def test_no_way_to_write_an_import_is_overlooked(statement, part):
    found = imported_parts(statement, "nnlite.ops.linalg")
    assert [p for _, p in found] == ([] if part is None else [part])
