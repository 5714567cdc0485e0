"""The package is built in layers: a module imports from its own layer or from one below it."""

import ast
import contextlib
import graphlib
from collections.abc import Iterable, Iterator
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


def imported_names(nodes: Iterable[ast.AST]) -> list[tuple[int, str]]:
    """Return line and dotted name of every import of nnlite among the nodes of a module."""
    found: list[tuple[int, str]] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.split(".")[0] == "nnlite"]


def imported_parts(source: str) -> list[tuple[int, str]]:
    """Return line and part of every import of nnlite in a module, inside functions too."""
    return [(line, _part(name)) for line, name in imported_names(ast.walk(ast.parse(source)))]


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from at_run_time(child)


def graph_of_imports(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return for each module those that it imports, also in functions.

    That a module's package is imported before it is no edge: the package waits for its modules.
    """
    modules = {name.removesuffix(".__init__") for name in sources}
    graph = {}
    for name, source in sources.items():
        module = name.removesuffix(".__init__")
        nodes = at_run_time(ast.parse(source))
        targets = {dotted for _, dotted in imported_names(nodes)}
        # ``from a.b import c`` needs the module a.b.c if there is one, else something of a.b.
        graph[module] = {t if t in modules else t.rpartition(".")[0] for t in targets} - {module}
    return graph


def _modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def test_every_module_has_its_place_in_the_list():
    parts = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in _modules()}
    assert parts - set(LAYER_OF) == set(), "give these a line in LAYERS"


@pytest.mark.parametrize("path", _modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_downwards(path):
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    upwards = [
        f"{path.name}:{line} imports {part}, which is above {name}"
        for line, part in imported_parts(path.read_text(encoding="utf-8"))
        if LAYER_OF[part] > LAYER_OF[name]
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
        ("def f():\n    from nnlite.cli.find import Lecture", "cli"),
        ("import numpy", None),
    ],
)
def test_no_way_to_write_an_import_is_overlooked(statement, part):
    found = imported_parts(statement)
    assert [p for _, p in found] == ([] if part is None else [part])


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="line 2: imports are absolute"):
        imported_parts("import nnlite\nfrom ..cli import main")


# Imports in functions that close a circle, and why: (from, to) -> reason.
ARGUED = {
    ("nnlite.engine.dispatch", "nnlite.engine.tensor"): "plain results come back as Tensors",
    ("nnlite.engine.suggestions", "nnlite.engine.tensor"): "which names does a Tensor have?",
}


def test_no_imports_run_in_a_circle_not_even_in_functions():
    paths = {p.relative_to(PACKAGE.parent).with_suffix(""): p for p in PACKAGE.rglob("*.py")}
    graph = graph_of_imports({".".join(n.parts): p.read_text("utf-8") for n, p in paths.items()})
    for module, imported in ARGUED:
        graph[module].remove(imported)  # a KeyError: it is no more, and need not be argued
    graphlib.TopologicalSorter(graph).prepare()  # or a CycleError names one


@pytest.mark.parametrize(
    ("a", "b", "circle"),
    [
        ("from nnlite.ops.b import x", "import nnlite.ops.a", True),
        ("from nnlite.ops import b", "from nnlite.ops import x", True),  # by way of the package
        ("class A:\n    from nnlite.ops import b", "if x:\n    import nnlite.ops.a", True),
        ("from nnlite.ops import b", "def f():\n    from nnlite.ops import a", True),
        ("import nnlite.ops.b", "if TYPE_CHECKING:\n    from nnlite.ops.a import A", False),
        ("import nnlite.ops.b", "import nnlite.ops.c", False),
    ],
)
def test_a_circle_is_noticed_and_what_types_need_is_none(a, b, circle):
    sources = {
        "nnlite.__init__": "",
        "nnlite.ops.__init__": "from nnlite.ops.a import x",
        "nnlite.ops.a": a,
        "nnlite.ops.b": b,
        "nnlite.ops.c": "",
    }
    expected = pytest.raises(graphlib.CycleError) if circle else contextlib.nullcontext()
    with expected:
        graphlib.TopologicalSorter(graph_of_imports(sources)).prepare()
