"""np.linalg: inv, solve, det, slogdet, cholesky, pinv, for matrices and their stacks.

The rules follow Giles (2008), "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation". Where a derivative does not exist (at a singular matrix, say), the
rule raises ``np.linalg.LinAlgError`` instead of returning infinities. Eigenvalues and singular
values have a file of their own, :mod:`nnlite.ops.decompositions`.
"""

from collections import namedtuple

import numpy as np

from nnlite.ops.axes import integer, matrix_shape, transposed
from nnlite.ops.indexing import diagonal, trace
from nnlite.ops.matrix import cross, in_one_dtype, outer, tensordot
from nnlite.ops.operation import Operation, define, implements, values_of

SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])


def _finite(function):
    """A forward function that raises where finite matrices have no finite answer.

    NumPy tells by the processor's floating-point flags, which do not exist in the browser: there a
    singular matrix would give NaN without a word.
    """

    def forward(*matrices):
        out = function(*matrices)
        if not np.all(np.isfinite(out)) and all(np.all(np.isfinite(m)) for m in matrices):
            raise np.linalg.LinAlgError(
                f"{function.__name__} has no finite answer for this matrix: it is singular, not "
                "positive definite, or so close to it that numbers overflow."
            )
        return out

    return forward


inv = define(
    np.linalg.inv,
    lambda g, out, _x: -transposed(out) @ g @ transposed(out),
    forward=_finite(np.linalg.inv),
)


def _det_rule(g, out, x):
    """The matrix of cofactors: det(X) X^-T, or found one by one where X is singular."""
    if np.all(np.linalg.matrix_rank(x) == x.shape[-1]):
        return np.expand_dims(g * out, (-1, -2)) * transposed(inv(x))
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
    lambda g, _out, x: np.expand_dims(g, (-1, -2)) * transposed(inv(x)),
    name="slogdet",
)


@implements(np.linalg.slogdet)
def slogdet(a):
    """Sign (constant, a plain array) and log of the absolute determinant."""
    return SlogdetResult(np.linalg.slogdet(values_of(a))[0], _logabsdet(a))


_solve: Operation = Operation(
    _finite(np.linalg.solve),
    lambda g, out, a, _b: -_solve(transposed(a), g) @ transposed(out),
    lambda g, _out, a, _b: _solve(transposed(a), g),
    name="solve",
)


@implements(np.linalg.solve)
def solve(a, b):
    """The x with a x = b; b is a vector if it has one axis, else a stack of matrices."""
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
    phi = (transposed(out) @ np.tril(g)) * halved.astype(out.dtype)
    # L^-T phi L^-1 by two solves
    s = _solve(transposed(out), transposed(_solve(transposed(out), transposed(phi))))
    return 0.5 * (s + transposed(s))


_factor = _finite(np.linalg.cholesky)
cholesky = define(np.linalg.cholesky, _cholesky_rule, forward=lambda x: _factor(x))


# ---- powers and products -----------------------------------------------------------------------


@implements(np.linalg.matrix_power)
def matrix_power(a, n):
    """n-fold product of a square matrix with itself; negative n inverts it first."""
    n = integer(n, "the exponent of matrix_power")
    rows, columns = matrix_shape(a, "matrix_power")
    if rows != columns:
        raise np.linalg.LinAlgError(f"matrix_power takes square matrices; got shape {a.shape}.")
    if n < 0:
        a, n = inv(a), -n
    if n == 0:
        return np.where(True, np.eye(rows, dtype=a.dtype), a)
    out = None
    while n:  # binary digits of n
        out = (a if out is None else out @ a) if n % 2 else out
        a, n = (a @ a if n > 1 else a), n // 2
    return out


@implements(np.linalg.multi_dot)
def multi_dot(arrays):
    """Product of several matrices, from left to right; the first and last may be vectors."""
    if len(arrays) < 2:
        raise ValueError(f"multi_dot multiplies two arrays or more; got {len(arrays)}.")
    ndims = [np.ndim(a) for a in arrays]
    if any(n != 2 for n in ndims[1:-1]) or not {ndims[0], ndims[-1]} <= {1, 2}:
        raise np.linalg.LinAlgError(
            "multi_dot takes matrices (the first and the last may be vectors); got shapes "
            f"{', '.join(str(np.shape(a)) for a in arrays)}."
        )
    out, *others = in_one_dtype(arrays)
    for a in others:
        out = np.dot(out, a)
    return out


# ---- pseudo-inverse ----------------------------------------------------------------------------


def _pinv_rule(g, out, x, rcond=None, hermitian=False):
    """The adjoint of the derivative among matrices of the same rank (Golub & Pereyra 1973, 4.12).

    dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P.
    """
    if hermitian:  # NumPy reads the lower triangle; the gradient is that of a symmetric change
        x = np.tril(x) + transposed(np.tril(x, -1))
    p, pt, gt = out, transposed(out), transposed(g)
    m, n = x.shape[-2:]
    left = np.eye(m, dtype=x.dtype) - x @ p
    right = np.eye(n, dtype=x.dtype) - p @ x
    s = left @ gt @ p @ pt + pt @ p @ gt @ right - pt @ g @ pt
    return 0.5 * (s + transposed(s)) if hermitian else s


_pinv = Operation(
    lambda x, rcond, hermitian: np.linalg.pinv(x, rcond, hermitian),
    _pinv_rule,
    name="pinv",
    params=("rcond", "hermitian"),
)
_SMALL = 1e-15  # NumPy's rcond, unless rtol says otherwise


@implements(np.linalg.pinv)
def pinv(a, rcond=None, hermitian=False, *, rtol=_SMALL):
    """Moore-Penrose inverse, by the singular value decomposition.

    Singular values up to ``rcond`` (or ``rtol``; None: the longer side times the precision) times
    the largest count as 0. The derivative is that among matrices of the same rank; where the rank
    changes the pseudo-inverse jumps and there is none.
    """
    m, n = matrix_shape(a, "pinv")
    if rcond is not None and rtol is not _SMALL:
        raise ValueError("pinv takes rcond= or rtol=, which mean the same; got both.")
    if rcond is None:
        rcond = max(m, n) * np.finfo(a.dtype).eps if rtol is None else rtol
    return _pinv(a, rcond=values_of(rcond), hermitian=hermitian)


# ---- the same functions under the names of the array API (NumPy 2) -----------------------------


@implements(np.linalg.cross)
def _cross(x1, x2, axis=-1):
    """Vector product of 3-vectors along an axis."""
    return cross(x1, x2, axis=integer(axis, "an axis"))


@implements(np.linalg.outer)
def _outer(x1, x2):
    """All products of the entries of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"outer takes vectors; got shapes {np.shape(x1)} and {np.shape(x2)}.")
    return outer(x1, x2)


implements(np.linalg.tensordot)(lambda x1, x2, axes=2: tensordot(x1, x2, axes))


@implements(np.linalg.diagonal)
def _diagonal(x, offset=0):
    """Diagonals of the matrices in the last two axes."""
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _trace(x, offset=0):
    """Traces of the matrices in the last two axes."""
    return trace(x, offset, -2, -1)


@implements(np.linalg.matrix_transpose)
def _matrix_transpose(x):
    """The last two axes exchanged."""
    return transposed(x)
