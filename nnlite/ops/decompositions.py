"""Eigenvalues and singular values: eigh and svd, for matrices and their stacks.

The rules follow Giles (2008), sections 3.1 and 3.2; docs/engine.md derives that of eigh. Both
functions have several results. They compute one array that holds them all, which is then cut: so
the engine needs to know operations with one result only.

Where a derivative does not exist (eigenvectors of equal eigenvalues, say), the rule raises
``np.linalg.LinAlgError`` instead of returning infinities.
"""

from collections import namedtuple

import numpy as np

from nnlite.ops.axes import matrix_shape, transposed
from nnlite.ops.operation import Operation, implements, values_of

EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])


def _inverse_gaps(values, what: str):
    """1 / (v_j - v_i) off the diagonal, 0 on it; an error where two values are equal."""
    n = values.shape[-1]
    gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    off = ~np.eye(n, dtype=bool)
    size = np.abs(values_of(gaps))
    scale = np.max(np.abs(values_of(values)), axis=-1, initial=0.0)[..., None, None]
    if np.any(off & (size <= 4 * np.finfo(values.dtype).eps * scale)):
        raise np.linalg.LinAlgError(
            f"the gradient of {what} does not exist where two of their values are equal (they can "
            "be rotated freely). Use the values alone, or a function of the matrix that does not "
            "depend on the choice, such as the projector onto their span."
        )
    return np.where(off & (size > 0), 1 / np.where(off & (size > 0), gaps, 1), 0)


def _converged(x, values, name):
    """Raise where the iteration failed, which in the browser NumPy does not notice."""
    if not np.all(np.isfinite(values)) and np.all(np.isfinite(x)):
        raise np.linalg.LinAlgError(f"{name} did not converge.")


def _eigh_forward(x, UPLO="L"):
    w, v = np.linalg.eigh(x, UPLO)
    _converged(x, w, "eigh")
    return np.concatenate([w[..., None, :], v], axis=-2)  # (..., 1 + n, n): values above vectors


def _eigh_rule(g, out, _x, UPLO="L"):
    """A' = V (diag(w') + F * V^T V') V^T with F_ij = 1/(w_j - w_i) (Giles 2008, section 3.1)."""
    w, v = out[..., 0, :], out[..., 1:, :]
    gw, gv = g[..., 0, :], g[..., 1:, :]
    middle = np.expand_dims(gw, -2) * np.eye(w.shape[-1], dtype=w.dtype)
    if np.any(values_of(gv) != 0):
        middle = middle + _inverse_gaps(w, "eigenvectors") * (transposed(v) @ gv)
    s = v @ middle @ transposed(v)
    return 0.5 * (s + transposed(s))  # the matrix is symmetric, so its gradient is taken symmetric


_eigh = Operation(_eigh_forward, _eigh_rule, name="eigh", params=("UPLO",))


@implements(np.linalg.eigh)
def eigh(a, UPLO="L"):
    """Eigenvalues (ascending) and eigenvectors of symmetric matrices."""
    packed = _eigh(a, UPLO=UPLO)
    return EighResult(packed[..., 0, :], packed[..., 1:, :])


@implements(np.linalg.eigvalsh)
def eigvalsh(a, UPLO="L"):
    """Eigenvalues (ascending) of symmetric matrices."""
    return _eigh(a, UPLO=UPLO)[..., 0, :]


def _svd_forward(x):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    _converged(x, s, "svd")
    return np.concatenate([s[..., None, :], u, transposed(vh)], axis=-2)  # (..., 1 + m + n, k)


def _svd_rule(g, out, _x):
    """Giles (2008), section 3.2, with the parts outside the span for rectangular matrices."""
    m, n = _x.shape[-2:]
    s, u, v = out[..., 0, :], out[..., 1 : 1 + m, :], out[..., 1 + m :, :]
    gs, gu, gv = g[..., 0, :], g[..., 1 : 1 + m, :], g[..., 1 + m :, :]
    k = s.shape[-1]
    eye = np.eye(k, dtype=s.dtype)
    middle = np.expand_dims(gs, -2) * eye
    if not np.any(values_of(g)[..., 1:, :] != 0):
        return u @ middle @ transposed(v)
    if np.any(values_of(s) == 0):
        raise np.linalg.LinAlgError(
            "the gradient of singular vectors does not exist for a singular value of 0."
        )
    f = _inverse_gaps(s * s, "singular vectors")
    a, b = f * (transposed(u) @ gu), f * (transposed(v) @ gv)
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    middle = middle + (a + transposed(a)) * row + column * (b + transposed(b))
    out = u @ middle @ transposed(v)
    if m > k:  # the part of gu outside the span of u
        gu_s = gu / row
        out = out + (gu_s - u @ (transposed(u) @ gu_s)) @ transposed(v)
    if n > k:
        gv_s = gv / row
        out = out + u @ transposed(gv_s - v @ (transposed(v) @ gv_s))
    return out


_svd = Operation(_svd_forward, _svd_rule, name="svd")


@implements(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True):
    """Singular values (descending) and the first min(m, n) vectors of each side."""
    m, n = matrix_shape(a, "svd")
    if compute_uv and full_matrices and m != n:
        raise ValueError(
            f"the extra singular vectors of a {m} x {n} matrix are arbitrary, so they have no "
            "gradient: use np.linalg.svd(t, full_matrices=False)."
        )
    packed = _svd(a)
    s = packed[..., 0, :]
    if not compute_uv:
        return s
    return SVDResult(packed[..., 1 : 1 + m, :], s, transposed(packed[..., 1 + m :, :]))


@implements(np.linalg.svdvals)
def svdvals(x):
    """Singular values (descending)."""
    return svd(x, compute_uv=False)
