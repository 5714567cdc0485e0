"""The computation graph as a picture: what was computed from what, and how gradients come back.

Lecture 01 draws the graph of a few operations by hand and then with this function. Leaves are on
top, the result at the bottom; each row holds the results whose longest way from a leaf is equally
long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.engine.backward import walk
from nnlite.engine.node import arguments_of, operation_of
from nnlite.engine.state import recording
from nnlite.engine.tensor import Tensor
from nnlite.plots._base import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# fill and edge of the boxes; they differ in lightness, so they can be told apart without colour
_LOOK = {
    "leaf": ("#cfe3f7", "#1f5f99"),
    "constant": ("#eeeeee", "#8a8a8a"),
    "operation": ("#ffffff", "#444444"),
    "result": ("#ffe2b0", "#b36b00"),
}
_BOX = 0.84, 0.62  # width and height of a box; places are one apart


@dataclass
class _Node:
    """A box: a tensor, a constant array, or (without text) a bend in a line that passes a row."""

    kind: str
    text: str
    parents: list[_Node] = field(default_factory=list)
    row: int = 0
    column: float = 0.0


def graph(
    y: Tensor,
    *,
    names: Mapping[str, Tensor] | None = None,
    gradients: bool = True,
    max_nodes: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """Draw how ``y`` was computed.

    Each box shows an operation (or a leaf), the shape of the tensor, its value and, if ``y`` is a
    single number, the gradient dy/d(tensor); of tensors with several entries the Euclidean norm of
    both.

    Parameters
    ----------
    y : Tensor
        The result. Draw it before ``backward`` lets go of the graph.
    names : mapping of str to Tensor, optional
        What to call tensors, for instance ``{"x": x, "w": w}``; intermediate results may be named
        too.
    gradients : bool
        Show gradients. They are found by a backward walk of its own: no ``.grad`` is touched.
    max_nodes : int
        Refuse to draw more boxes than this.
    ax : Axes, optional
        Where to draw; by default a new figure of fitting size.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``y`` or a named object is not a Tensor.
    ValueError
        If there is no graph (nothing requires grad, or backward has freed it), or it is too large.

    Examples
    --------
    >>> x = nnlite.Tensor([1.0, 2.0], requires_grad=True)
    >>> nnlite.plots.graph(np.sum(x * np.exp(x)), names={"x": x})
    """
    tensors = _below(y, max_nodes)
    called = _names(names or {})
    found = _gradients(y, tensors) if gradients and y.size == 1 else {}
    nodes = _nodes(y, tensors, called, found)
    if len(nodes) > max_nodes:
        raise ValueError(_too_large(max_nodes))
    rows = _place(nodes)
    columns = [n.column for row in rows for n in row]
    width = max(columns) - min(columns) + 1  # a row need not stand above the next
    ax = new_axes(ax, (max(2.2, 1.55 * width), max(1.6, 1.15 * len(rows))))
    _draw(rows, ax)
    return ax


def _below(y: Tensor, max_nodes: int) -> list[Tensor]:
    """``y`` and the tensors it was made from, oldest first."""
    if not isinstance(y, Tensor):
        raise TypeError(f"plots.graph draws Tensors; got {type(y).__name__}.")
    if not y.requires_grad:
        raise ValueError(
            "there is no graph: nothing in this computation requires grad. Create the inputs with "
            "requires_grad=True, outside nnlite.no_grad()."
        )
    found, todo = {y._order: y}, [y]
    while todo:
        t = todo.pop()
        args = arguments_of(t)
        if args is None:
            raise ValueError(
                f"the graph through {operation_of(t).name!r} was freed by backward. Draw it "
                "before, or call backward(retain_graph=True)."
            )
        for parent in args:
            if isinstance(parent, Tensor) and parent._order not in found:
                found[parent._order] = parent
                todo.append(parent)
        if len(found) > max_nodes:
            raise ValueError(_too_large(max_nodes))
    return [found[order] for order in sorted(found)]


def _too_large(max_nodes: int) -> str:
    return (
        f"the graph has more than {max_nodes} boxes, too many to read. Draw a part of it (one "
        "layer, one step, starting from detached inputs), or pass max_nodes= to draw it all the "
        "same."
    )


def _names(names: Mapping[str, Tensor]) -> dict[int, str]:
    for name, t in names.items():
        if not isinstance(t, Tensor):
            raise TypeError(
                f"names must map names to Tensors; names[{name!r}] is {type(t).__name__}."
            )
    return {t._order: name for name, t in names.items()}


def _gradients(y: Tensor, tensors: list[Tensor]) -> dict[int, Any]:
    """The gradient dy / d(tensor) of each tensor that has one."""
    with recording(False):
        orders = {t._order for t in tensors}
        _, reached = walk(y, np.ones(y.shape, y.dtype), create_graph=False, keep=orders)
    return {order: g for order, (_, g, _) in reached.items()}


def _nodes(
    y: Tensor, tensors: list[Tensor], called: dict[int, str], gradients: dict[int, Any]
) -> list[_Node]:
    """A box for each tensor and each constant array; numbers stand in their operation."""
    boxes: dict[int, _Node] = {}
    constants: dict[int, _Node] = {}
    for t in tensors:
        lines = [_shape(t.shape), f"value {_size_of(t.data)}"]
        if t._order in gradients:
            lines.append(f"grad {_size_of(gradients[t._order])}")
        name = called.get(t._order, "")
        op, args = operation_of(t), arguments_of(t)
        if op is None:
            kind = "leaf" if t.requires_grad else "constant"
            boxes[t._order] = _Node(kind, "\n".join([name or kind, *lines]))
            continue
        numbers = [_number(a) for a in args if not hasattr(a, "shape")]
        title = f"{op.name.lstrip('_')} {', '.join(numbers)}".strip()
        title = f"{name} = {title}" if name else title
        box = _Node("result" if t is y else "operation", "\n".join([title, *lines]))
        for a in args:
            if isinstance(a, Tensor):
                box.parents.append(boxes[a._order])
            elif hasattr(a, "shape"):
                text = "\n".join(["constant", _shape(a.shape), f"value {_size_of(a)}"])
                box.parents.append(constants.setdefault(id(a), _Node("constant", text)))
        boxes[t._order] = box
    return [*constants.values(), *boxes.values()]


def _shape(shape: tuple[int, ...]) -> str:
    return f"shape {shape}" if shape else "one number"


def _number(x: Any) -> str:
    return f"{x:.3g}" if isinstance(x, int | float) else type(x).__name__


def _size_of(x: Any) -> str:
    """The one entry, or the Euclidean norm of several."""
    x = np.asarray(x, float)
    return f"{x.item():.3g}" if x.size == 1 else f"‖·‖ = {np.linalg.norm(x):.3g}"


# ---- layout ----------------------------------------------------------------------------------


def _place(nodes: list[_Node]) -> list[list[_Node]]:
    """Give every box a row and a column; long lines get a bend in each row they pass."""
    for node in nodes:  # parents come first
        node.row = 1 + max((p.row for p in node.parents), default=-1)
    children: dict[int, list[_Node]] = {}
    for node in nodes:
        for p in node.parents:
            children.setdefault(id(p), []).append(node)
    for node in nodes:  # inputs move down to where they are first used
        if not node.parents and id(node) in children:
            node.row = min(c.row for c in children[id(node)]) - 1
    rows: list[list[_Node]] = [[] for _ in range(1 + max(n.row for n in nodes))]
    for node in nodes:
        rows[node.row].append(node)
        node.parents = [_bent(p, node.row, rows) for p in node.parents]
    for _ in range(8):  # each box under the middle of its parents, then over that of its children
        for row in rows[1:]:
            _sort(row, {id(n): n.parents for n in row})
        for row, below in zip(rows[-2::-1], rows[:0:-1], strict=True):
            over: dict[int, list[_Node]] = {id(n): [] for n in row}
            for child in below:
                for p in child.parents:
                    over[id(p)].append(child)
            _sort(row, over)
    return rows


def _bent(parent: _Node, row: int, rows: list[list[_Node]]) -> _Node:
    """The last bend of a line from ``parent`` to ``row``, or the parent if it is right above."""
    for between in range(parent.row + 1, row):
        known = [n for n in rows[between] if n.kind == "bend" and n.parents[0] is parent]
        parent = known[0] if known else _Node("bend", "", [parent], between)
        if not known:
            rows[between].append(parent)
    return parent


def _sort(row: list[_Node], neighbours: dict[int, list[_Node]]) -> None:
    """Order a row by where the neighbours of each box are, and keep a distance between boxes."""
    wish: dict[int, float] = {}
    for n in row:
        around = neighbours[id(n)] or [n]
        straight = [m.column for m in around if m.kind != "bend"]  # boxes pull, bends follow
        wish[id(n)] = float(np.mean(straight or [m.column for m in around]))
    row.sort(key=lambda n: wish[id(n)])
    right = -np.inf  # as close to the wishes as distances allow: push to the right, then centre
    for n in row:
        room = 0.12 if n.kind == "bend" else 0.5
        n.column = max(wish[id(n)], right + room)
        right = n.column + room
    boxes = [n for n in row if n.kind != "bend"] or row
    shift = float(np.mean([wish[id(n)] - n.column for n in boxes]))
    for n in row:
        n.column += shift


def _draw(rows: list[list[_Node]], ax: Axes) -> None:
    from matplotlib.patches import FancyBboxPatch

    w, h = _BOX
    line: dict[str, Any] = {"color": "#555555", "lw": 1.1, "zorder": 1}
    for node in (n for row in rows for n in row):
        x, top, bottom = node.column, h / 2 - node.row, -h / 2 - node.row
        for p in node.parents:
            start = (p.column, -h / 2 - p.row)
            if node.kind == "bend":
                ax.plot([start[0], x, x], [start[1], top, bottom], **line)
            else:
                arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
                arrow |= {"color": line["color"], "lw": line["lw"]}
                ax.annotate("", (x, top + 0.01), start, arrowprops=arrow, zorder=1)
        if node.kind == "bend":
            continue
        fill, edge = _LOOK[node.kind]
        corner = "round,pad=0,rounding_size=0.08"
        ax.add_patch(FancyBboxPatch((x - w / 2, bottom), w, h, corner, fc=fill, ec=edge, zorder=2))
        title, _, rest = node.text.partition("\n")
        text: dict[str, Any] = {"ha": "center", "va": "top", "zorder": 3}
        ax.text(x, top - 0.06, title, size=8, weight="bold", **text)
        ax.text(x, top - 0.22, rest, size=6.5, linespacing=1.25, **text)
    columns = [n.column for row in rows for n in row]
    ax.set(
        xlim=(min(columns) - 0.6, max(columns) + 0.6),
        ylim=(-len(rows) + 0.5, 0.5),
        xticks=[],
        yticks=[],
    )
    ax.set_axis_off()
