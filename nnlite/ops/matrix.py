"""Products: matmul, dot, einsum and what is made of them.

For matrices, ``Z = X Y`` gives ``dL/dX = G Y^T`` and ``dL/dY = X^T G`` with ``G = dL/dZ``. In the
language of einsum this is one rule for all products: to get the gradient of one factor, put ``g``
in its place and ask for its letters.
"""

import math
import operator
import string

import numpy as np

from nnlite.ops.axes import axes_of, axis_of
from nnlite.ops.operation import Operation, implements, values_of
from nnlite.ops.shaping import atleast_1d

_matmul = Operation(
    np.matmul,
    lambda g, _out, _x, y: g @ np.swapaxes(y, -1, -2),
    lambda g, _out, x, _y: np.swapaxes(x, -1, -2) @ g,
    name="matmul",
)


@implements(np.matmul, np.linalg.matmul)
def matmul(x1, x2):
    """Matrix product of the last two axes; a vector is a row on the left, a column on the right."""
    left, right = np.ndim(x1) == 1, np.ndim(x2) == 1
    if not left and not right:
        if np.ndim(x1) > 2 and np.ndim(x2) == 2 and np.shape(x1)[-1] == np.shape(x2)[0]:
            # a stack times one matrix is one tall matrix times it: one product forward and back
            tall = np.reshape(x1, (math.prod(np.shape(x1)[:-1]), np.shape(x1)[-1]))
            return np.reshape(_matmul(tall, x2), (*np.shape(x1)[:-1], np.shape(x2)[1]))
        return _matmul(x1, x2)
    x1 = np.reshape(x1, (1, -1)) if left else x1
    out = _matmul(x1, np.reshape(x2, (-1, 1)) if right else x2)
    axes = ((-2,) if left else ()) + ((-1,) if right else ())
    return np.squeeze(out, axes)


@implements(np.dot)
def dot(a, b):
    """Sum product over the last axis of ``a`` and the second to last of ``b``."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=([-1], [-2] if np.ndim(b) > 1 else [-1]))


@implements(np.tensordot)
def tensordot(a, b, axes=2):
    """Sum of products over the given axes of both."""
    if isinstance(axes, int | np.integer):
        if axes > min(np.ndim(a), np.ndim(b)):
            raise IndexError(
                f"tensordot over {axes} axes of shapes {np.shape(a)} and {np.shape(b)}: there are "
                "not as many."
            )
        axes = range(np.ndim(a) - max(axes, 0), np.ndim(a)), range(max(axes, 0))
    elif not isinstance(axes, tuple | list | np.ndarray) or len(axes) != 2:
        kind = ValueError if isinstance(axes, tuple | list | str) else TypeError
        raise kind(
            "tensordot: axes is a number of axes, or two lists of them, one for each array; got "
            f"{axes!r}."
        )
    axes_a, axes_b = axes_of(axes[0], np.ndim(a)), axes_of(axes[1], np.ndim(b))
    sa, sb = np.shape(a), np.shape(b)
    if [sa[i] for i in axes_a] != [sb[i] for i in axes_b]:
        raise ValueError(
            f"tensordot: shapes {sa} and {sb} do not match along axes {axes_a} and {axes_b}."
        )
    free_a = [i for i in range(len(sa)) if i not in axes_a]
    free_b = [i for i in range(len(sb)) if i not in axes_b]
    n = math.prod(sa[i] for i in axes_a)
    rows = np.reshape(np.transpose(a, (*free_a, *axes_a)), (math.prod(sa[i] for i in free_a), n))
    columns = np.reshape(np.transpose(b, (*axes_b, *free_b)), (n, math.prod(sb[i] for i in free_b)))
    return np.reshape(
        _matmul(rows, columns), tuple([sa[i] for i in free_a] + [sb[i] for i in free_b])
    )


@implements(np.inner)
def inner(a, b):
    """Sum product over the last axes."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    return tensordot(a, b, axes=([-1], [-1]))


@implements(np.vdot)
def vdot(a, b):
    """Sum of all products."""
    if np.size(a) != np.size(b):
        raise ValueError(
            f"vdot of shapes {np.shape(a)} and {np.shape(b)}: their sizes must be equal."
        )
    return np.sum(np.reshape(a, (-1,)) * np.reshape(b, (-1,)))


@implements(np.outer)
def outer(a, b):
    """All products of the entries of two vectors."""
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(x1, x2, axis=-1):
    """Sum of products along one axis, of the same length in both."""
    i, j = axis_of(axis, np.ndim(x1)), axis_of(axis, np.ndim(x2))
    if np.shape(x1)[i] != np.shape(x2)[j]:
        raise ValueError(
            f"vecdot: shapes {np.shape(x1)} and {np.shape(x2)} differ in length along axis {axis}."
        )
    return np.sum(np.moveaxis(x1, i, -1) * np.moveaxis(x2, j, -1), axis=-1)


def _two_axes(matrix, name):
    if np.ndim(matrix) < 2:
        raise ValueError(f"{name}: a matrix has two axes or more; got shape {np.shape(matrix)}.")


if hasattr(np, "matvec"):  # NumPy 2.2

    @implements(np.matvec)
    def matvec(x1, x2):
        """Matrices times vectors, both in stacks."""
        _two_axes(x1, "matvec")
        return np.squeeze(np.matmul(x1, np.expand_dims(x2, -1)), -1)

    @implements(np.vecmat)
    def vecmat(x1, x2):
        """Vectors times matrices, both in stacks."""
        _two_axes(x2, "vecmat")
        return np.squeeze(np.matmul(np.expand_dims(x1, -2), x2), -2)


# Convolution and sliding products are closed under differentiation: each one's rules are written
# with the other.
_convolve: Operation = Operation(
    lambda a, v: np.convolve(a, v),
    lambda g, _out, _a, v: _slide(g, v),
    lambda g, _out, a, _v: _slide(g, a),
    name="convolve",
)
#: ``out[k] = sum_i a[k + i] v[i]``, where all of v lies on a
_slide: Operation = Operation(
    lambda a, v: np.correlate(a, v),
    lambda g, _out, _a, v: _convolve(g, v),
    lambda g, _out, a, _v: _slide(a, g),
    name="correlate",
)
_MODES = ("valid", "same", "full")


@implements(np.convolve)
def convolve(a, v, mode="full"):
    """Discrete convolution of two vectors, ``out[k] = sum_i a[i] v[k - i]``."""
    a, v = atleast_1d(a, v)
    if np.size(v) > np.size(a):
        a, v = v, a
    mode = _MODES[mode] if mode in (0, 1, 2) else mode
    n, m = np.size(a), np.size(v)
    if not m:
        raise ValueError("np.convolve and np.correlate of nothing: a vector of length 0 came in.")
    if mode not in _MODES:
        raise ValueError(f"np.convolve: mode is one of {', '.join(_MODES)}; got {mode!r}.")
    if np.ndim(a) > 1 or np.ndim(v) > 1:
        raise ValueError(
            "np.convolve and np.correlate take vectors; got shapes "
            f"{np.shape(a)} and {np.shape(v)}."
        )
    full = _convolve(a, v)
    if mode == "full":
        return full
    start, length = ((m - 1) // 2, n) if mode == "same" else (m - 1, n - m + 1)
    return full[start : start + length]


@implements(np.correlate)
def correlate(a, v, mode="valid"):
    """Sliding products of two vectors: convolution with the second one turned round."""
    if not np.ndim(a) or not np.ndim(v):
        raise ValueError(f"np.correlate takes vectors; got shapes {np.shape(a)} and {np.shape(v)}.")
    if np.size(v) > np.size(a):
        return correlate(v, a, mode)[::-1]
    return convolve(a, v[::-1], mode)


@implements(np.polyval)
def polyval(p, x):
    """``p[0] x^(n-1) + ... + p[n-1]``, by Horner's scheme."""
    out = 0 * x
    for coefficient in p:
        out = out * x + coefficient
    return out


@implements(np.kron)
def kron(a, b):
    """Kronecker product."""
    ndim = max(np.ndim(a), np.ndim(b))
    sa = (1,) * (ndim - np.ndim(a)) + tuple(np.shape(a))
    sb = (1,) * (ndim - np.ndim(b)) + tuple(np.shape(b))
    pairs = np.reshape(a, [k for n in sa for k in (n, 1)]) * np.reshape(
        b, [k for n in sb for k in (1, n)]
    )
    return np.reshape(pairs, tuple(n * m for n, m in zip(sa, sb, strict=True)))


@implements(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Vector product of 3-vectors along an axis."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a = np.moveaxis(a, axis_of(axisa, np.ndim(a)), -1)
    b = np.moveaxis(b, axis_of(axisb, np.ndim(b)), -1)
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ValueError(
            f"cross of Tensors takes 3-vectors; got shapes {np.shape(a)}, {np.shape(b)}."
        )
    out = a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]
    return np.moveaxis(out, -1, axis_of(axisc, out.ndim))


# ---- einsum ----------------------------------------------------------------------------------


def _einsum_rule(i, g, _out, *arrays, inputs, output):
    """Put ``g`` in place of the i-th factor and ask for its letters.

    A letter that only the i-th factor has was summed over with nothing beside it, so its gradient
    is the same all along that axis; a letter of length one that was stretched is summed back.
    """
    others = [j for j in range(len(arrays)) if j != i]
    arrays = in_one_dtype(arrays)
    known = set(output).union(*(inputs[j] for j in others))
    wanted = "".join(c for c in inputs[i] if c in known)
    factors = [g, *(arrays[j] for j in others)]
    part = _contract([output, *(inputs[j] for j in others)], wanted, factors)
    lost = tuple(k for k, c in enumerate(inputs[i]) if c not in known)
    part = np.expand_dims(part, lost)
    return np.broadcast_to(part, np.broadcast_shapes(part.shape, arrays[i].shape))


def in_one_dtype(arrays):
    """All in the dtype of the result: small integers would overflow among themselves."""
    dtype = np.result_type(*(values_of(a) for a in arrays))
    return [a if a.dtype == dtype else a.astype(dtype) for a in map(_array, arrays)]


def _array(x):
    return x if hasattr(x, "dtype") else np.asarray(x)


def _contract(inputs, output, factors):
    """np.einsum, by way of matrix products where planning them pays."""
    planned = len(factors) > 2 or max(np.size(f) for f in factors) > 2000
    return np.einsum(f"{','.join(inputs)}->{output}", *factors, optimize=planned)


_einsum = Operation(
    lambda *arrays, inputs, output: _contract(inputs, output, in_one_dtype(arrays)),
    _einsum_rule,
    name="einsum",
    params=("inputs", "output"),
    variadic=True,
)


@implements(np.einsum)
def einsum(subscripts, *operands, optimize=False):
    """Einstein summation; ``optimize`` is accepted (products are ordered well in any case)."""
    if not isinstance(subscripts, str):
        subscripts, operands = _from_sublists(subscripts, *operands)
    inputs, output = _parse(subscripts.replace(" ", ""), [np.ndim(a) for a in operands])
    single = [_without_repeats(s, a) for s, a in zip(inputs, operands, strict=True)]
    return _einsum(*(a for _, a in single), inputs=tuple(s for s, _ in single), output=output)


def _from_sublists(*arguments):
    """NumPy's other spelling, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, as letters."""
    operands, lists = list(arguments[::2]), list(arguments[1::2])
    if len(operands) > len(lists):  # the last one says which axes the result has
        lists.append(operands.pop())
    spelled = ["".join([_letter(i) for i in axes]) for axes in lists]
    inputs, output = spelled[: len(operands)], spelled[len(operands) :]
    return "->".join([",".join(inputs), *output]), operands


def _letter(i):
    if i is Ellipsis:
        return "..."
    if isinstance(i, bool) or not 0 <= operator.index(i) < len(string.ascii_letters):
        raise ValueError(f"einsum: axes in sublists are numbers from 0 to 51 or ...; got {i!r}.")
    return string.ascii_letters[i]


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Letters of each operand and of the result, with ``...`` and a missing ``->`` spelled out."""
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ndims):
        raise ValueError(f"einsum {subscripts!r} names {len(inputs)} operands; got {len(ndims)}.")
    free = [c for c in string.ascii_letters if c not in subscripts]
    extra = [n - len(s.replace("...", "")) for s, n in zip(inputs, ndims, strict=True)]
    for s, n, e in zip(inputs, ndims, extra, strict=True):
        if e < 0 or (e and "..." not in s):
            raise ValueError(f"einsum {subscripts!r}: {s!r} does not fit an operand with {n} axes.")
    shared = "".join(free[: max(extra)]) if extra else ""
    inputs = [
        s.replace("...", shared[len(shared) - e :]) for s, e in zip(inputs, extra, strict=True)
    ]
    if arrow:
        return inputs, output.replace("...", shared)
    letters = "".join(inputs)
    once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in shared)
    return inputs, shared + "".join(once)


def _without_repeats(letters: str, x):
    """``ii`` means the diagonal: take it first, so that each letter stands once."""
    for c in letters:
        while letters.count(c) > 1:
            i = letters.index(c)
            j = letters.index(c, i + 1)
            if np.shape(x)[i] != np.shape(x)[j]:
                raise ValueError(
                    f"einsum: {c!r} names two axes of one operand of shape {np.shape(x)}, of "
                    f"lengths {np.shape(x)[i]} and {np.shape(x)[j]}; a diagonal needs equal ones."
                )
            x = np.diagonal(x, 0, i, j)  # the diagonal becomes the last axis
            letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + c
    return letters, x
