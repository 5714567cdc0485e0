"""np.linalg: inv, solve, det, slogdet, cholesky, eigh, svd, norm, for matrices and stacks of them.

The rules follow Giles (2008), "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation"; docs/engine.md derives those of norm and eigh. Functions with several
results (eigh, svd) compute one array that holds them all, which is then cut: so the engine needs to
know operations with one result only.

Where a derivative does not exist (eigenvectors of equal eigenvalues, a singular matrix), the rule
raises ``np.linalg.LinAlgError`` instead of returning infinities.
"""

import math
from collections import namedtuple

import numpy as np

from nnlite.ops.indexing import diagonal, trace
from nnlite.ops.matrix import cross, outer, tensordot
from nnlite.ops.operation import Operation, define, operation, values_of
from nnlite.ops.reductions import axes_of

EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])
SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])


def _t(x):
    return np.swapaxes(x, -1, -2)


inv = define(np.linalg.inv, lambda g, out, _x: -_t(out) @ g @ _t(out))


def _det_rule(g, out, x):
    """The matrix of cofactors: det(X) X^-T, or found one by one where X is singular."""
    if np.all(np.linalg.matrix_rank(x) == x.shape[-1]):
        return np.expand_dims(g * out, (-1, -2)) * _t(np.linalg.inv(x))
    return np.expand_dims(g, (-1, -2)) * _cofactors(x)


def _cofactors(x):
    """(-1)^(i+j) times the determinant without row i and column j."""
    n = x.shape[-1]
    kept = np.array([[k for k in range(n) if k != i] for i in range(n)], int).reshape(n, n - 1)
    # (..., n, n, n - 1, n - 1)
    minors = x[..., kept[:, None, :, None], kept[None, :, None, :]]
    return np.linalg.det(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


det = define(np.linalg.det, _det_rule)
_logabsdet = Operation(
    lambda x: np.linalg.slogdet(x)[1],
    lambda g, _out, x: np.expand_dims(g, (-1, -2)) * _t(np.linalg.inv(x)),
    name="slogdet",
)


@operation(np.linalg.slogdet)
def slogdet(a):
    """Sign (constant, a plain array) and log of the absolute determinant."""
    return SlogdetResult(np.linalg.slogdet(values_of(a))[0], _logabsdet(a))


_solve = Operation(
    np.linalg.solve,
    lambda g, out, a, _b: -np.linalg.solve(_t(a), g) @ _t(out),
    lambda g, _out, a, _b: np.linalg.solve(_t(a), g),
    name="solve",
)


@operation(np.linalg.solve)
def solve(a, b):
    """X with a x = b; b is a vector if it has one axis, else a stack of matrices."""
    if np.ndim(b) == 1:
        return np.squeeze(_solve(a, np.reshape(b, (-1, 1))), -1)
    return _solve(a, b)


def _cholesky_rule(g, out, _x):
    """Murray (2016), eq. 8: A' = L^-T Phi(L^T L') L^-1; Phi(X): lower triangle, diagonal halved.

    NumPy reads the lower triangle only; the gradient is made symmetric, so that it is the one for a
    symmetric change of the matrix.
    """
    n = out.shape[-1]
    halved = np.tri(n, dtype=bool) * (1 - 0.5 * np.eye(n))
    phi = (_t(out) @ np.tril(g)) * halved.astype(out.dtype)
    # L^-T phi L^-1 by two solves
    s = np.linalg.solve(_t(out), _t(np.linalg.solve(_t(out), _t(phi))))
    return 0.5 * (s + _t(s))


cholesky = define(np.linalg.cholesky, _cholesky_rule, forward=lambda x: np.linalg.cholesky(x))


# ---- eigh and svd ----------------------------------------------------------------------------


def _inverse_gaps(values, used: bool, what: str):
    """1 / (v_j - v_i) off the diagonal, 0 on it; an error where two values are equal."""
    n = values.shape[-1]
    gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    off = ~np.eye(n, dtype=bool)
    size = np.abs(values_of(gaps))
    scale = np.max(np.abs(values_of(values)), axis=-1, initial=0.0)[..., None, None]
    if used and np.any(off & (size <= 4 * np.finfo(values.dtype).eps * scale)):
        raise np.linalg.LinAlgError(
            f"the gradient of {what} does not exist where two of their values are equal (they can "
            "be "
            "rotated freely). Use the values alone, or a function of the matrix that does not "
            "depend "
            "on the choice, such as the projector onto their span."
        )
    return np.where(off & (size > 0), 1 / np.where(off & (size > 0), gaps, 1), 0)


def _eigh_forward(x, UPLO="L"):
    w, v = np.linalg.eigh(x, UPLO)
    return np.concatenate([w[..., None, :], v], axis=-2)  # (..., 1 + n, n): values above vectors


def _eigh_rule(g, out, _x, UPLO="L"):
    """A' = V (diag(w') + F * V^T V') V^T with F_ij = 1/(w_j - w_i) (Giles 2008, section 3.1)."""
    w, v = out[..., 0, :], out[..., 1:, :]
    gw, gv = g[..., 0, :], g[..., 1:, :]
    middle = np.expand_dims(gw, -2) * np.eye(w.shape[-1], dtype=w.dtype)
    if np.any(values_of(gv) != 0):
        middle = middle + _inverse_gaps(w, True, "eigenvectors") * (_t(v) @ gv)
    s = v @ middle @ _t(v)
    return 0.5 * (s + _t(s))  # the matrix is symmetric, so its gradient is taken symmetric


_eigh = Operation(_eigh_forward, _eigh_rule, name="eigh", params=("UPLO",))


@operation(np.linalg.eigh)
def eigh(a, UPLO="L"):
    """Eigenvalues (ascending) and eigenvectors of symmetric matrices."""
    packed = _eigh(a, UPLO=UPLO)
    return EighResult(packed[..., 0, :], packed[..., 1:, :])


@operation(np.linalg.eigvalsh)
def eigvalsh(a, UPLO="L"):
    """Eigenvalues (ascending) of symmetric matrices."""
    return _eigh(a, UPLO=UPLO)[..., 0, :]


def _svd_forward(x):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([s[..., None, :], u, _t(vh)], axis=-2)  # (..., 1 + m + n, k)


def _svd_rule(g, out, _x):
    """Giles (2008), section 3.2, with the parts outside the span for rectangular matrices."""
    m, n = _x.shape[-2:]
    s, u, v = out[..., 0, :], out[..., 1 : 1 + m, :], out[..., 1 + m :, :]
    gs, gu, gv = g[..., 0, :], g[..., 1 : 1 + m, :], g[..., 1 + m :, :]
    k = s.shape[-1]
    eye = np.eye(k, dtype=s.dtype)
    middle = np.expand_dims(gs, -2) * eye
    if not np.any(values_of(g)[..., 1:, :] != 0):
        return u @ middle @ _t(v)
    if np.any(values_of(s) == 0):
        raise np.linalg.LinAlgError(
            "the gradient of singular vectors does not exist for a singular value of 0."
        )
    f = _inverse_gaps(s * s, True, "singular vectors")
    a, b = f * (_t(u) @ gu), f * (_t(v) @ gv)
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    middle = middle + (a + _t(a)) * row + column * (b + _t(b))
    out = u @ middle @ _t(v)
    if m > k:  # the part of gu outside the span of u
        gu_s = gu / row
        out = out + (gu_s - u @ (_t(u) @ gu_s)) @ _t(v)
    if n > k:
        gv_s = gv / row
        out = out + u @ _t(gv_s - v @ (_t(v) @ gv_s))
    return out


_svd = Operation(_svd_forward, _svd_rule, name="svd")


@operation(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True):
    """Singular values (descending) and the first min(m, n) vectors of each side."""
    m, n = a.shape[-2:]
    if compute_uv and full_matrices and m != n:
        raise ValueError(
            f"the extra singular vectors of a {m} x {n} matrix are arbitrary, so they have no "
            "gradient: use np.linalg.svd(t, full_matrices=False)."
        )
    packed = _svd(a)
    s = packed[..., 0, :]
    if not compute_uv:
        return s
    return SVDResult(packed[..., 1 : 1 + m, :], s, _t(packed[..., 1 + m :, :]))


# ---- norms and functions made of the above -----------------------------------------------------


def _norm2_rule(g, out, x, axis):
    """X / |x|, and 0 at x = 0, the subgradient of smallest length."""
    g, out = np.expand_dims(g, axis), np.expand_dims(out, axis)
    return g * np.where(out == 0, 0, x / np.where(out == 0, 1, out))


_norm2 = Operation(
    lambda x, axis: np.sqrt(np.sum(x * x, axis=axis)),
    _norm2_rule,
    name="norm",
    params=("axis",),
)


@operation(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """Vector norms of any order; matrix norms 'fro', 'nuc', 1, 2, inf and their negatives."""
    axes = axes_of(axis, x.ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        out = _norm2(x, axis=axes)
    elif len(axes) == 1:
        out = _vector_norm(x, ord, axes[0])
    elif len(axes) == 2:
        out = _matrix_norm(np.moveaxis(x, axes, (-2, -1)), ord)
    else:
        raise ValueError(
            f"norm: order {ord!r} needs one axis or two; got an array of shape {x.shape}."
        )
    return np.expand_dims(out, axes) if keepdims else out


def _vector_norm(x, ord, axis):
    size = np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis)
    if ord == 0:
        return np.sum(np.sign(size), axis=axis)
    if ord == 1:
        return np.sum(size, axis=axis)
    return np.sum(size**ord, axis=axis) ** (1 / ord)


def _matrix_norm(x, ord):
    extreme = np.min if isinstance(ord, int | float) and ord < 0 else np.max
    if ord in (1, -1):
        return extreme(np.sum(np.abs(x), axis=-2), axis=-1)
    if ord in (np.inf, -np.inf):
        return extreme(np.sum(np.abs(x), axis=-1), axis=-1)
    if ord in (2, -2):
        return extreme(svd(x, compute_uv=False), axis=-1)
    if ord == "nuc":
        return np.sum(svd(x, compute_uv=False), axis=-1)
    raise ValueError(f"norm: unknown matrix norm {ord!r}; there are 'fro', 'nuc', 1, 2, inf.")


@operation(np.linalg.matrix_power)
def matrix_power(a, n):
    """n-fold product of a square matrix with itself; negative n inverts it first."""
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return 0 * a + np.eye(a.shape[-1], dtype=a.dtype)
    out = None
    while n:  # binary digits of n
        out = (a if out is None else out @ a) if n % 2 else out
        a, n = (a @ a if n > 1 else a), n // 2
    return out


@operation(np.linalg.multi_dot)
def multi_dot(arrays):
    """Product of several matrices, from left to right."""
    out = arrays[0]
    for a in arrays[1:]:
        out = np.dot(out, a)
    return out


@operation(np.linalg.pinv)
def pinv(a, rcond=None):
    """Pseudo-inverse of a matrix of full rank."""
    if rcond is not None:
        raise TypeError("pinv of a Tensor takes no rcond: the matrix must have full rank.")
    m, n = a.shape[-2:]
    return np.linalg.solve(_t(a) @ a, _t(a)) if m >= n else _t(np.linalg.solve(a @ _t(a), a))


# ---- the same functions under the names of the array API (NumPy 2) -----------------------------


@operation(np.linalg.vector_norm)
def vector_norm(x, axis=None, keepdims=False, ord=2):
    """Norm of the flattened array, or along axes taken together."""
    axes = axes_of(axis, x.ndim)
    if len(axes) != 1:  # the axes side by side, as one
        kept = tuple(i for i in range(x.ndim) if i not in axes)
        rows = np.transpose(x, kept + axes)
        flat = np.reshape(rows, (*rows.shape[: len(kept)], math.prod(rows.shape[len(kept) :])))
        out = norm(flat, ord, -1)
    else:
        out = norm(x, ord, axes[0])
    return np.expand_dims(out, axes) if keepdims else out


@operation(np.linalg.matrix_norm)
def matrix_norm(x, keepdims=False, ord="fro"):
    """Norm of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@operation(np.linalg.svdvals)
def svdvals(x):
    """Singular values (descending)."""
    return svd(x, compute_uv=False)


operation(np.linalg.cross)(lambda x1, x2, axis=-1: cross(x1, x2, axis))
operation(np.linalg.outer)(lambda x1, x2: outer(x1, x2))
operation(np.linalg.tensordot)(lambda x1, x2, axes=2: tensordot(x1, x2, axes))


@operation(np.linalg.diagonal)
def _diagonal(x, offset=0):
    """Diagonals of the matrices in the last two axes."""
    return diagonal(x, offset, -2, -1)


@operation(np.linalg.trace)
def _trace(x, offset=0):
    """Traces of the matrices in the last two axes."""
    return trace(x, offset, -2, -1)


@operation(np.linalg.matrix_transpose)
def _matrix_transpose(x):
    """The last two axes exchanged."""
    return _t(x)
