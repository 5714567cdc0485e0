"""What error messages of Tensors say: which shapes met, and what to write instead."""

import difflib
from typing import Any

import numpy as np

from nnlite.ops import TABLE, Operation


def explained(op: Operation, values: tuple[Any, ...], error: Exception) -> Exception:
    """An error of the same kind that names the operation and the shapes it met."""
    shapes = [np.shape(v) for v in values]
    hint = ""
    if op.name == "matmul" and len(shapes) == 2 and min(map(len, shapes)) >= 2:
        inner = shapes[0][-1], shapes[1][-2]
        if inner[0] != inner[1]:
            hint = f" Inner lengths must be equal: {inner[0]} and {inner[1]}."
    listed = ", ".join(str(s) for s in shapes[:4]) + (", ..." if len(shapes) > 4 else "")
    kind = "shape" if len(shapes) == 1 else "shapes"
    # NumPy's own TypeErrors cannot be made from a message
    same = TypeError if isinstance(error, TypeError) else type(error)
    return same(f"{op.name} of {kind} {listed} failed: {str(error).rstrip(' .')}.{hint}")


#: Methods of torch.Tensor and of ndarray that do not exist here -> what to write.
_INSTEAD = {
    "view": "t.reshape(...)",
    "view_as": "t.reshape(other.shape)",
    "permute": "t.transpose(...)",
    "unsqueeze": "np.expand_dims(t, axis)",
    "dim": "t.ndim",
    "numel": "t.size",
    "cpu": "the tensor itself: there is only one device",
    "cuda": "the tensor itself: there is only one device",
    "to": "t.astype(dtype)",
    "float": "t.astype('float32')",
    "double": "t.astype('float64')",
    "long": "t.astype(int)",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, other.shape)",
    "cat": "np.concatenate([...])",
    "chunk": "np.array_split(t, n)",
    "mm": "t @ other",
    "bmm": "t @ other",
    "matmul": "t @ other",
    "pow": "t ** y",
    "add_": "t += value inside nnlite.no_grad()",
    "sub_": "t -= value inside nnlite.no_grad()",
    "mul_": "t *= value inside nnlite.no_grad()",
    "copy_": "t.data[...] = value",
    "zero_": "t.data[...] = 0",
    "fill_": "t.data[...] = value",
    "normal_": "nnlite.nn.init.normal_(t)",
    "retain_grad": "nnlite.grad(loss, t), which works for intermediate results too",
    "grad_fn": "print(t), or nnlite.plots.graph(t)",
    "norm": "np.linalg.norm(t)",
    "topk": "np.sort(t) and indexing",
    "gather": "np.take_along_axis(t, index, axis)",
    "fill": "t.data[...] = value",
    "resize": "t.reshape(...)",
    "put": "np.where(mask, value, t)",
    "byteswap": "t.data.byteswap()",
    "tobytes": "t.data.tobytes()",
    "itemsize": "t.data.itemsize",
    "nbytes": "t.data.nbytes",
    "strides": "t.data.strides",
    "flags": "t.data.flags",
    "log1p": "np.log1p(t)",
    "softmax": "nnlite.nn.functional.softmax(t, axis)",
}


def attribute_advice(name: str, known: list[str]) -> str:
    """The message for an attribute that does not exist: what to write instead, if known."""
    instead = _INSTEAD.get(name)
    if instead is None:
        close = difflib.get_close_matches(name, known, n=1)
        function = getattr(np, name, None)
        if function in TABLE:
            instead = f"np.{name}(t, ...)"
        elif close:
            instead = f"t.{close[0]}"
    advice = f" Use {instead}." if instead else " Tensors have NumPy's methods; see dir(t)."
    return f"Tensor has no attribute {name!r}.{advice}"
