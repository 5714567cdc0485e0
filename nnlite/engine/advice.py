"""What error messages of Tensors say: which shapes met, and what to write instead."""

from typing import Any

import numpy as np

from nnlite.ops import Operation


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


def misfit(what: str, edited: np.ndarray, value: Any, error: Exception) -> Exception:
    """Why an edit in place failed: the edited array keeps its shape and dtype."""
    return (TypeError if isinstance(error, TypeError) else ValueError)(
        f"{what}: a value of shape {np.shape(value)} and dtype {np.result_type(value)} does not go "
        f"into a tensor of shape {edited.shape} and dtype {edited.dtype}, which an edit in place "
        f"leaves as they are ({str(error).rstrip(' .')}). Compute a new tensor instead: t = t + v."
    )


def no_gradient(name: str) -> str:
    """The warning for ``t.grad`` of a tensor that is no leaf."""
    return (
        f"this tensor has no .grad: it is the result of {name!r}, and backward keeps gradients of "
        "leaves only. A step `w = w - lr * w.grad` makes such a result; write `w -= lr * w.grad` "
        "inside nnlite.no_grad(). The gradient of a result is nnlite.grad(loss, t)."
    )


#: Names of arguments that torch's functions take -> NumPy's.
_NUMPYS_WORD = {
    "dim": "axis",
    "dims": "axes",
    "keepdim": "keepdims",
    "dim1": "axis1",
    "dim2": "axis2",
    "dim0": "axis1",
    "input": "the tensor itself",
}
#: (method or None for any, argument) -> what to write.
_OTHERWISE = {
    (None, "unbiased"): "NumPy divides by n - ddof: ddof=1 is unbiased=True, and the default is 0",
    (None, "correction"): "NumPy's word is ddof, and its default is 0: divide by n - ddof",
    (None, "dtype"): "Convert with .astype() first: t.astype('float64')",
    (None, "out"): "Use the value returned: x = x + t",
    (None, "where"): "Select with np.where(mask, t, 0) first",
    (None, "initial"): "Add it, or compare with it, afterwards",
    (None, "stable"): "Equal values have no order here",
    ("backward", "create_graph"): "Write nnlite.grad(loss, inputs, create_graph=True)",
    ("backward", "inputs"): "nnlite.grad(loss, inputs) gives the gradients of chosen tensors",
    ("max", "other"): "The larger of two tensors, entry by entry, is np.maximum(t, other)",
    ("min", "other"): "The smaller of two tensors, entry by entry, is np.minimum(t, other)",
    ("sort", "descending"): "Write -np.sort(-t)",
    ("argsort", "descending"): "Write (-t).argsort()",
    ("repeat", "sizes"): "Whole copies side by side, torch's repeat, are np.tile(t, sizes)",
    ("flatten", "start_dim"): "It flattens all axes; write t.reshape(len(t), -1) to keep the first",
    ("flatten", "end_dim"): "It flattens all axes; write t.reshape(-1, t.shape[-1])",
    ("transpose", "dim0"): "To exchange two axes write np.swapaxes(t, 0, 1)",
    ("transpose", "dim1"): "To exchange two axes write np.swapaxes(t, 0, 1)",
}


def refused_argument(method: str, other: dict[str, Any]) -> TypeError:
    """The error for an argument that ``t.method()`` does not take: NumPy's word for it."""
    name, value = next(iter(other.items()))
    advice = _OTHERWISE.get((method, name)) or _OTHERWISE.get((None, name))
    if advice is None and name in _NUMPYS_WORD:
        word = _NUMPYS_WORD[name]
        advice = f"NumPy's word is {word}: t.{method}({word}={value!r})"
        if name == "dim" and method in ("max", "min", "sort"):
            advice += f". It gives the values alone; positions are t.arg{method}(axis={value!r})"
    return TypeError(f"t.{method} does not take {name}=. {advice or 'See help(np.ndarray)'}.")


#: Ufuncs of scipy.special (which have no derivative here) -> what does.
_SCIPY = {
    "expit": "t.sigmoid()",
    "logit": "np.log(t / (1 - t))",
    "log_expit": "-nnlite.nn.functional.softplus(-t)",
    "xlogy": "t * np.log(u)",
    "xlog1py": "t * np.log1p(u)",
    "entr": "-t * np.log(t)",
    "rel_entr": "t * np.log(t / u)",
    "exp10": "10**t",
    "gammaln": "gammaln(t), from nnlite.ops.special",
    "loggamma": "gammaln(t), from nnlite.ops.special",
    "gamma": "np.exp(gammaln(t)), with gammaln from nnlite.ops.special",
    "psi": "polygamma(t, n=0), from nnlite.ops.special",
    "digamma": "polygamma(t, n=0), from nnlite.ops.special",
    "boxcox": "(t**u - 1) / u",
    "cosm1": "-2 * np.sin(t / 2) ** 2",
    "sindg": "np.sin(np.radians(t))",
    "cosdg": "np.cos(np.radians(t))",
    "tandg": "np.tan(np.radians(t))",
}


def scipy_advice(ufunc: Any) -> str | None:
    """What to write for a ufunc that is not NumPy's."""
    return _SCIPY.get(ufunc.__name__)


def attribute_advice(name: str) -> str:
    """The message for an attribute that a Tensor does not have."""
    from nnlite.engine.suggestions import torch_advice  # rarely needed, and long

    return torch_advice(name)
