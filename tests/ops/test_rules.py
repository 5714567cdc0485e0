"""Every derivative rule, to second order, against differences of what NumPy itself computes.

One table: a NumPy function, arrays, keyword arguments. For each row the tests check that

* the value on Tensors is the value, shape and dtype that NumPy gives on arrays;
* the gradient agrees with differences of NumPy's own function along random directions;
* the gradient of the gradient, towards inputs and cotangent, agrees with its differences;
* in float32 nothing is promoted, and gradients have the shape and dtype of their tensor.

A derivative along a random direction with a random cotangent involves every entry of every
gradient, so a wrong one shows. Differences are of fourth order: with steps of 1e-3 the error is
about 1e-12 times a fifth derivative, the rounding error about 1e-13 times the function; the
tolerance leaves room for both.
"""

import numpy as np
import pytest

import nnlite
from nnlite import ops
from nnlite.nn.functional._activations import _normal_cdf
from nnlite.ops import TABLE, activations, elementwise, indexing, losses, matrix, pooling, special

_rng = np.random.default_rng(20)


def R(*shape):
    return _rng.normal(size=shape)


def P(*shape):
    """Positive, away from 0."""
    return _rng.uniform(0.4, 2.0, size=shape)


def U(*shape):
    """Inside (-1, 1), away from the ends and from 0."""
    return _rng.uniform(0.1, 0.8, size=shape) * _rng.choice([-1, 1], size=shape)


def S(*shape):
    """Well-conditioned square matrices."""
    return R(*shape) + 4 * np.eye(shape[-1])


def D(*shape):
    """No two entries (nor an entry and 0, nor sizes) closer than 0.05: steps change no order."""
    n = int(np.prod(shape))
    return ((_rng.permutation(n) + 1) * _rng.choice([-1, 1], size=n) * 0.17 + 0.03).reshape(shape)


def symmetric(x):
    return x + np.swapaxes(x, -1, -2)


def positive_definite(x):
    return x @ np.swapaxes(x, -1, -2) + 3 * np.eye(x.shape[-1], dtype=x.dtype)


CASES = []
COVERED = set()


def case(function, *inputs, call=None, **kwargs):
    """A row: ``call(*inputs)`` if given, else ``function(*inputs, **kwargs)``."""
    COVERED.add(function)
    name = getattr(function, "__name__", None) or function.name
    shapes = "x".join(str(np.shape(x)) for x in inputs)
    details = ",".join(f"{k}={v}" for k, v in kwargs.items())
    label = f"{len(CASES)}-{name}-{shapes}-{details}".replace(" ", "").replace("\n", "")
    CASES.append(pytest.param(call or (lambda *x: function(*x, **kwargs)), inputs, id=label))


# ---- elementwise -----------------------------------------------------------------------------
for f in (
    np.negative, np.positive, np.square, np.exp, np.exp2, np.expm1, np.sin, np.cos, np.tanh,
    np.sinh,
    np.cosh, np.arctan, np.arcsinh, np.deg2rad, np.rad2deg, np.radians, np.degrees, np.sinc,
    np.real, np.conjugate, np.copy,
):  # fmt: skip
    case(f, R(2, 3))
for f in (np.log, np.log2, np.log10, np.log1p, np.sqrt, np.cbrt, np.reciprocal):
    case(f, P(2, 3))
for f in (np.tan, np.arcsin, np.arccos, np.arctanh, np.absolute, np.fabs, np.sign):
    case(f, U(2, 3))
case(np.arccosh, P(3) + 1)
case(np.sinc, np.array([0.0, 0.001, 0.049, 0.051, -1.0]))
for f in (np.floor, np.ceil, np.trunc, np.rint, np.round, np.around):
    case(f, D(4))
if hasattr(np, "fix"):
    case(np.fix, D(4))
case(np.round, D(4), call=lambda x: np.round(x, 1))
for f in (
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    np.power,
    np.float_power,
    np.hypot,
    np.arctan2,
):
    case(f, P(2, 3), P(2, 3))
    case(f, P(2, 1), P(3))
    case(f, P(), P(2))
    case(f, P(2, 3), call=lambda x, f=f: f(x, 1.5))
    case(f, P(2, 3), call=lambda x, f=f: f(2, x))
for f in (np.logaddexp, np.logaddexp2, np.maximum, np.minimum, np.fmax, np.fmin, np.copysign):
    case(f, D(2, 3), D(3) + 0.09)
for f in (np.remainder, np.fmod, np.floor_divide):
    case(f, D(2, 3), P(3))
case(np.divmod, D(4), P(4), call=lambda x, y: np.stack(np.divmod(x, y)))
case(np.modf, D(4), call=lambda x: np.stack(np.modf(x)))
case(np.heaviside, np.array([-1.0, 1.0]), R(2))
case(np.heaviside, R(1), call=lambda y: np.heaviside(np.array([-1.0, 0.0, 1.0], y.dtype), y))
for e in (0, 1, 2, 3, -1, 0.5, -1.5):
    case(np.power, P(3), call=lambda x, e=e: x**e)
case(np.power, np.array([-1.5, 2.0]), call=lambda x: x ** np.array([2, 3]))
MASK = np.array([[True, False, True], [False, False, True]])
case(np.where, R(2, 3), R(3), call=lambda x, y: np.where(MASK, x, y))
case(np.where, R(2, 3), call=lambda x: np.where(MASK, 0.0, x))
case(np.clip, D(2, 3), a_min=-0.4, a_max=0.4)
case(np.clip, D(2, 3), call=lambda x: x.clip(min=0.1))  # np.clip takes min= from NumPy 2.1 on
case(np.clip, D(6), np.full(6, -0.5), np.full(6, 0.45))
case(
    np.clip, D(6), np.full(6, 0.5), np.full(6, -0.45)
)  # bounds the wrong way round: the upper wins
case(np.nan_to_num, R(3))
case(
    np.select, R(2, 3), R(2, 3), call=lambda x, y: np.select([MASK, ~MASK & (MASK[0])], [x, y], 0.5)
)
case(np.full_like, R(), call=lambda x: np.full_like(np.stack([x, x]), x))
if hasattr(np, "astype"):
    case(np.astype, R(3), call=lambda x: np.astype(x, x.dtype))
case(elementwise.astype, R(3), call=lambda x: x.astype(x.dtype) * 2)
for f in (ops.sigmoid, ops.softplus, ops.relu):
    case(f, 3 * U(2, 3))
for axis in (0, -1):
    for f in (ops.softmax, ops.log_softmax):
        case(f, R(2, 3), axis=axis)
    case(ops.logsumexp, R(2, 3), axis=axis, keepdims=axis == 0)
case(ops.logsumexp, R(2, 3))

# ---- reductions and scans --------------------------------------------------------------------
for f in (
    np.sum,
    np.mean,
    np.prod,
    np.max,
    np.min,
    np.amax,
    np.amin,
    np.ptp,
    np.median,
    np.var,
    np.std,
):
    case(f, D(4))
    case(f, D(2, 3, 2), axis=(0, -1), keepdims=True)
    case(f, D(2, 3), axis=-1)
for f in (np.var, np.std):
    case(f, D(2, 3), axis=0, ddof=1)
case(np.sum, R())
case(np.sum, R(2, 0, 3), axis=1)
case(np.prod, np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.5, -2.0, 0.5]]), axis=1)
case(np.average, R(2, 3), P(2, 3), call=lambda a, w: np.average(a, weights=w))
case(np.average, R(2, 3), P(3), call=lambda a, w: np.average(a, 1, w, keepdims=True))
case(np.average, R(2, 3), axis=0)
for f in (np.cumsum, np.cumprod, np.sort):
    case(f, D(3, 2), axis=0)
    case(f, D(2, 3), axis=-1)
    case(f, D(2, 3), axis=None)
if hasattr(np, "cumulative_sum"):
    for f in (np.cumulative_sum, np.cumulative_prod):
        case(f, D(2, 3), axis=1, include_initial=True)
        case(f, D(3))
case(np.diff, R(2, 4), n=2)
case(np.diff, R(2, 3), R(2, 1), call=lambda a, b: np.diff(a, axis=1, prepend=b, append=0.5))
case(np.trapezoid, R(2, 3), R(3), call=lambda y, x: np.trapezoid(y, x))
case(np.trapezoid, R(2, 3), dx=0.5, axis=0)

# ---- shaping ---------------------------------------------------------------------------------
case(np.reshape, R(2, 3), call=lambda x: np.reshape(x, (3, -1)))
case(np.ravel, R(2, 3))
case(np.transpose, R(2, 3, 4))
case(np.transpose, R(2, 3, 4), axes=(-1, 0, 1))
case(np.swapaxes, R(2, 3, 4), axis1=0, axis2=-1)
case(np.moveaxis, R(2, 3, 4), source=(0, 1), destination=(-1, 0))
case(np.rollaxis, R(2, 3, 4), axis=2)
case(np.rollaxis, R(2, 3, 4), axis=0, start=2)
if hasattr(np, "matrix_transpose"):
    case(np.matrix_transpose, R(2, 3, 4))
case(np.squeeze, R(1, 3, 1), axis=0)
case(np.squeeze, R(1, 3, 1))
case(np.expand_dims, R(2, 3), axis=(0, -1))
case(np.broadcast_to, R(2, 1), shape=(4, 2, 3))
case(np.broadcast_arrays, R(2, 1), R(3), call=lambda x, y: np.stack(np.broadcast_arrays(x, y)))
case(np.meshgrid, R(2), R(3), call=lambda x, y: np.stack(np.meshgrid(x, y)))
case(
    np.meshgrid, R(2), R(3), R(2), call=lambda *x: np.multiply(*np.meshgrid(*x, indexing="ij")[:2])
)
case(np.meshgrid, R(2), R(3), call=lambda x, y: np.multiply(*np.meshgrid(x, y, sparse=True)))
case(np.flip, R(2, 3))
case(np.flip, R(2, 3, 2), axis=(0, 2))
case(np.fliplr, R(2, 3))
case(np.flipud, R(2, 3))
case(np.roll, R(2, 3), shift=1)
case(np.roll, R(2, 3), shift=(1, -2), axis=(0, 1))
for k in (-1, 0, 1, 2):
    case(np.rot90, R(2, 3), k=k)
case(np.tril, R(2, 3, 3), k=-1)
case(np.triu, R(3, 4), k=1)
for axis in (0, -1, None):
    case(
        np.concatenate, R(2, 2), R(2, 2), call=lambda x, y, axis=axis: np.concatenate((x, y), axis)
    )
    case(np.repeat, R(2, 3), repeats=2, axis=axis)
case(np.repeat, R(2, 3), repeats=[1, 0, 2], axis=1)
case(np.concatenate, R(2, 3), call=lambda x: np.concatenate([x, np.ones((1, 3), x.dtype), x]))
case(np.stack, R(2, 3), R(2, 3), call=lambda x, y: np.stack([x, y], axis=-1))
for f in (np.vstack, np.hstack, np.dstack, np.column_stack):
    case(f, R(3), R(3), call=lambda x, y, f=f: f([x, y]))
case(np.append, R(2, 2), R(3), call=lambda x, y: np.append(x, y))
case(np.block, R(2, 2), R(1, 2), call=lambda x, y: np.block([[x, x], [y, y]]))
case(np.tile, R(2, 3), reps=(2, 1, 2))
case(np.pad, R(2, 3), pad_width=((1, 0), (2, 1)), constant_values=0.5)
for mode in ("edge", "reflect", "symmetric", "wrap"):
    case(np.pad, R(2, 3), pad_width=((1, 1), (2, 0)), mode=mode)
case(np.split, R(4, 2), call=lambda x: np.multiply(*np.split(x, 2)))
case(np.array_split, R(5), call=lambda x: np.array_split(x, 3)[1])
case(np.vsplit, R(4, 2), call=lambda x: np.vsplit(x, [1, 3])[1])
case(np.hsplit, R(4), call=lambda x: np.hsplit(x, 2)[1])
case(np.dsplit, R(1, 2, 4), call=lambda x: np.dsplit(x, 2)[1])
if hasattr(np, "unstack"):
    case(np.unstack, R(2, 3), call=lambda x: np.multiply(*np.unstack(x)))
case(np.atleast_1d, R(), R(2), call=lambda x, y: np.concatenate(np.atleast_1d(x, y)))
case(np.atleast_2d, R(3))
case(np.atleast_3d, R(2, 3))

# ---- indexing --------------------------------------------------------------------------------
INDICES = [
    0, -1, slice(1, 3), slice(None, None, -2), (..., 1), (None, 1), (slice(None), 1, 0), (), ...,
    (2, 1, 1),
    np.array([0, 2, 0]), [0, 0, 1], (np.array([0, 1]), np.array([1, 1])), np.int64(1),
    (np.array([[0], [1]]), np.array([1, 2])), (slice(None), np.array([1, 1, 0])),
    (..., np.array([1, 1])),
    (0, slice(None), np.array([1, 1])), (np.array([0, 1]), slice(None), np.array([1, 1])),
    np.array([True, False, True]), (np.array([True, False, True]), 0), np.array([-1, -3]),
    (slice(None), np.array([True, False, True, False])), np.zeros(0, int), slice(3, 3),
    np.eye(3, 4) > 0,
]  # fmt: skip
for index in INDICES:
    case(indexing.getitem, R(3, 4, 2), call=lambda x, index=index: x[index])
PICKS = np.array([[0, 1], [2, 2], [1, 0]])
case(np.take, R(3, 4), indices=[0, 0, 1], axis=1)
case(np.take, R(3, 4), indices=[[0, 5], [5, 1]])
case(np.take_along_axis, R(3, 4), indices=PICKS, axis=1)
case(np.take_along_axis, R(3, 4, 2), indices=PICKS.reshape(3, 2, 1), axis=1)
case(np.take_along_axis, R(2, 2), indices=np.array([3, 0, 3]), axis=None)
for offset in (-1, 0, 1):
    case(np.diagonal, R(3, 4), offset=offset)
    case(np.trace, R(3, 4), offset=offset)
    case(np.diag, R(3), k=offset)
case(np.diagonal, R(2, 3, 4), axis1=-1, axis2=0)
case(np.diag, R(3, 4), k=1)
case(np.diagflat, R(2, 2))
case(np.compress, R(3, 2), call=lambda x: np.compress([True, False, True], x, axis=0))
case(np.extract, R(2, 3), call=lambda x: np.extract(MASK, x))
case(np.bincount, R(4), call=lambda w: np.bincount([0, 1, 1, 3], weights=w))

# ---- products --------------------------------------------------------------------------------
for a, b in [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 2)), ((5, 2, 3), (3,)), ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
]:  # fmt: skip
    case(np.matmul, R(*a), R(*b))
case(np.linalg.matmul, R(2, 3), R(3, 2))
case(np.matmul, R(3, 3), call=lambda x: x @ x.T @ x)
for a, b in [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2, 3), (3, 2)),
    ((), (2,)),
    ((2, 2, 3), (4, 3, 2)),
    ((3,), (2, 3, 2)),
]:
    case(np.dot, R(*a), R(*b))
case(np.inner, R(2, 3), R(4, 3))
case(np.vdot, R(2, 3), R(2, 3))
case(np.outer, R(2), R(3))
case(np.linalg.outer, R(2), R(3))
case(np.kron, R(2, 2), R(3))
case(np.cross, R(4, 3), R(3))
case(np.linalg.cross, R(4, 3), R(4, 3))
case(np.vecdot, R(2, 3), R(3))
case(np.linalg.vecdot, R(2, 3), R(2, 3))
if hasattr(np, "matvec"):
    case(np.matvec, R(4, 2, 3), R(3))
    case(np.vecmat, R(2), R(4, 2, 3))
for axes in (0, 1, 2, ([0], [1]), ([0, 1], [1, 0]), (-1, 0)):
    case(np.tensordot, R(3, 3), R(3, 3), axes=axes)
case(np.linalg.tensordot, R(2, 3), R(3), axes=1)
for mode in ("full", "same", "valid"):
    case(np.convolve, R(5), R(3), mode=mode)
    case(np.correlate, R(3), R(4), mode=mode)
case(np.polyval, R(3), R(2))
for subscripts, *shapes in [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("i,j->ji", (2,), (3,)),
    ("ij->", (2, 3)),
    ("ii->i", (3, 3)), ("ii", (3, 3)), ("iij->j", (3, 3, 2)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("ij,kl->ik", (2, 3), (3, 4)),
    ("a,b,c->abc", (2,), (3,), (2,)),
    ("ij,ij->i", (2, 3), (1, 3)), ("ij,ij->", (2, 1), (2, 3)), ("i...->...", (2, 3)),
    (",i->i", (), (3,)),
    ("i,i,i->i", (3,), (3,), (3,)), ("bhqd,bhkd->bhqk", (2, 2, 3, 2), (2, 2, 2, 2)),
]:  # fmt: skip
    case(np.einsum, *(R(*s) for s in shapes), call=lambda *x, s=subscripts: np.einsum(s, *x))
case(np.einsum, R(60, 50), R(50, 3), call=lambda x, y: np.einsum("ij,jk->ik", x, y))

# ---- linear algebra --------------------------------------------------------------------------
for batch in ((), (2,)):
    case(np.linalg.inv, S(*batch, 3, 3))
    case(np.linalg.det, S(*batch, 3, 3))
    case(np.linalg.slogdet, S(*batch, 3, 3), call=lambda x: np.linalg.slogdet(x)[1])
    case(np.linalg.solve, S(*batch, 3, 3), R(*batch, 3, 2))
    case(
        np.linalg.cholesky, R(*batch, 3, 3), call=lambda x: np.linalg.cholesky(positive_definite(x))
    )
    case(np.linalg.eigvalsh, R(*batch, 3, 3), call=lambda x: np.linalg.eigvalsh(symmetric(x)))
    # the sign of a vector is free: its square is not
    case(np.linalg.eigh, R(*batch, 3, 3), call=lambda x: np.linalg.eigh(symmetric(x))[1] ** 2)
    for m, n in ((3, 3), (4, 2), (2, 4)):
        case(np.linalg.svd, R(*batch, m, n), compute_uv=False)
        case(
            np.linalg.svd,
            R(*batch, m, n),
            call=lambda x: (lambda u, s, vh: u**2 * s[..., None, :] @ vh**2)(
                *np.linalg.svd(x, full_matrices=False)
            ),
        )
        case(np.linalg.pinv, R(*batch, m, n))
    for n in (-2, 0, 1, 2, 5):
        case(np.linalg.matrix_power, S(*batch, 2, 2) / 4, n=n)
case(np.linalg.det, np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]]))  # singular
case(np.linalg.det, R(1, 1))
case(np.linalg.solve, S(2, 3, 3), R(3))
case(np.linalg.eigh, R(3, 3), call=lambda x: np.linalg.eigh(x + x.T, UPLO="U")[1][:, 0] ** 2)
case(np.linalg.svdvals, R(2, 3))
case(np.linalg.multi_dot, R(2, 3), R(3, 4), R(4, 2), call=lambda *x: np.linalg.multi_dot(x))
for ord, axis in [
    (None, None), (2, 0), (1, 1), (3, 0), (0.5, -1), (np.inf, 1), (-np.inf, 0), (0, 0),
    ("fro", None), ("nuc", None),
    (1, None), (-1, None), (np.inf, None), (2, None), (-2, (1, 0)), (None, -1),
]:  # fmt: skip
    case(np.linalg.norm, D(3, 4) + 0.01 * R(3, 4), ord=ord, axis=axis, keepdims=axis == 0)
case(np.linalg.norm, R(2, 3, 2))
case(np.linalg.vector_norm, R(2, 3, 2), axis=(0, 1))
case(np.linalg.vector_norm, R(2, 3), ord=3, keepdims=True)
case(np.linalg.matrix_norm, R(2, 3, 3), ord="nuc")
case(np.linalg.diagonal, R(2, 3, 3), offset=1)
case(np.linalg.trace, R(2, 3, 3))
case(np.linalg.matrix_transpose, R(2, 3, 4))

# ---- more of them, after the others so that these draw what they always drew -------------------
case(np.gradient, R(5))
case(np.gradient, R(2, 5), axis=1, edge_order=2)
case(np.gradient, R(4, 3), call=lambda x: np.stack(np.gradient(x, 0.5, [0.0, 1.0, 3.0])))
case(np.gradient, R(5), np.cumsum(0.5 + P(5)), call=lambda f, x: np.gradient(f, x, edge_order=2))
HOLES = np.array([[True, False, False], [False, False, True]])
for f in (np.nansum, np.nanprod, np.nanmean):
    case(f, P(2, 3), call=lambda x, f=f: f(np.where(HOLES, np.nan, x), axis=0))
    case(f, P(2, 3), call=lambda x, f=f: f(np.where(HOLES, np.nan, x), keepdims=True))
case(np.linspace, R(2), R(), call=lambda a, b: np.linspace(a, b, 4, axis=1))
case(np.linspace, R(), R(), call=lambda a, b: np.linspace(a, b, 3, endpoint=False))
for order in "FAK":
    case(np.ravel, R(2, 3, 2), call=lambda x, order=order: np.ravel(x.T, order))
    case(np.ravel, R(2, 3, 2), call=lambda x, order=order: np.ravel(np.swapaxes(x, 0, 1), order))
for order in "FA":
    case(np.reshape, R(2, 3), call=lambda x, order=order: np.reshape(x.T, (2, -1), order))
case(activations._shares, R(2, 3), axis=0)
for m, n in ((3, 3), (4, 2), (2, 4)):  # rank 1, and the change keeps it
    case(np.linalg.pinv, R(m, 1), P(1, n), call=lambda a, b: np.linalg.pinv(a @ b, rcond=1e-6))
case(np.linalg.pinv, S(3, 3), call=lambda x: np.linalg.pinv(symmetric(x), hermitian=True))
for mode in ("wrap", "clip"):
    case(np.take, R(3, 4), indices=[-5, 7, 1], axis=0, mode=mode)
case(np.einsum, R(2, 3), R(3, 2), call=lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]))
case(np.einsum, R(2, 2, 3), call=lambda x: np.einsum(x, [..., 1, 5]))
case(matrix._slide, R(5), R(3))
case(_normal_cdf, R(2, 3))
case(special.gammaln, P(3))
case(special.polygamma, P(3), n=1)
case(losses.bce, abs(U(2, 3)), abs(U(2, 3)))
case(pooling.pick_pixels, R(1, 2, 3, 3), index=_rng.integers(9, size=(1, 2, 2, 2)))


# ---- the tests -------------------------------------------------------------------------------


def tensors(inputs, dtype="float64"):
    return [nnlite.Tensor(np.array(x, dtype), requires_grad=True) for x in inputs]


def gradients(f, inputs, cotangent):
    """Gradients of sum(cotangent * f(*inputs)) as arrays; zeros for inputs that f ignores."""
    xs = tensors(inputs)
    found = nnlite.grad(f(*xs), xs, cotangent, allow_unused=True)
    return [np.zeros(x.shape) if g is None else g for x, g in zip(xs, found, strict=True)]


def slope(f, h=1e-3):
    """f'(0) by central differences of fourth order."""
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def inner(xs, ys):
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def random_like(rng, arrays):
    return [rng.normal(size=np.shape(x)) for x in arrays]


@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_values_are_those_of_numpy(f, inputs):
    for dtype in ("float64", "float32"):
        arrays = [np.array(x, dtype) for x in inputs]
        expected = np.asarray(f(*arrays))
        actual = f(*tensors(inputs, dtype))
        assert isinstance(actual, nnlite.Tensor)
        assert actual.shape == expected.shape
        # where NumPy always answers in float64, Tensors may stay in float32
        assert actual.dtype == expected.dtype or (actual.dtype == dtype and dtype == "float32")
        tolerance = 1e-12 if dtype == "float64" else 2e-4
        np.testing.assert_allclose(actual.data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_gradients_agree_with_differences(f, inputs):
    rng = np.random.default_rng(1)
    cotangent = rng.normal(size=np.shape(f(*inputs)))
    found = gradients(f, inputs, cotangent)
    for _ in range(2):
        v = random_like(rng, inputs)
        expected = slope(
            lambda h, v=v: np.sum(
                cotangent * f(*(x + h * d for x, d in zip(inputs, v, strict=True)))
            )
        )
        np.testing.assert_allclose(inner(found, v), expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_second_gradients_agree_with_differences_of_the_first(f, inputs):
    rng = np.random.default_rng(2)
    xs = tensors(inputs)
    y = f(*xs)
    cotangent = rng.normal(size=y.shape)
    c = nnlite.Tensor(cotangent, requires_grad=True)
    w = random_like(rng, inputs)
    recorded = nnlite.grad(y, xs, c, create_graph=True, allow_unused=True)
    first = gradients(f, inputs, cotangent)
    for g, plain in zip(recorded, first, strict=True):
        assert g is None or np.allclose(g.data, plain, rtol=1e-10, atol=1e-12)
    total = sum(np.sum(g * d) for g, d in zip(recorded, w, strict=True) if g is not None)
    second = [np.zeros(t.shape) for t in (*xs, c)]
    if getattr(total, "requires_grad", False):  # gradients of steps are plain zeros
        found = nnlite.grad(total, [*xs, c], allow_unused=True)
        second = [z if g is None else g for z, g in zip(second, found, strict=True)]
    v = random_like(rng, [*inputs, cotangent])

    def along(h):
        moved = [x + h * d for x, d in zip(inputs, v, strict=False)]
        return inner(gradients(f, moved, cotangent + h * v[-1]), w)

    np.testing.assert_allclose(inner(second, v), slope(along), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_gradients_have_the_shape_and_dtype_of_their_tensor(f, inputs):
    xs = tensors(inputs, "float32")
    y = f(*xs)
    y.backward(np.ones(y.shape, y.dtype), retain_graph=True)
    for create_graph in (True, False):
        found = nnlite.grad(y, xs, np.ones(y.shape), create_graph=create_graph, allow_unused=True)
        for x, g in zip(xs, found, strict=True):
            if g is not None:
                assert (g.shape, g.dtype) == (x.shape, x.dtype)
                assert type(x.grad) is np.ndarray
                assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize("make", [np.asarray, nnlite.Tensor], ids=["arrays", "tensors"])
@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_rules_read_only_what_they_say(f, inputs, make):
    """Arrays behind a leading underscore are replaced by NaN: the gradient must not notice."""
    for t in tensors_below(f(*tensors(inputs))):
        op, args, values, params, wanted, _, _ = t._node
        g = make(np.random.default_rng(3).normal(size=t.shape))
        known = [make(v) if isinstance(v, np.ndarray) else v for v in values]
        for i in wanted:
            read = op.reads_of(i, len(args))
            poisoned = [
                make(np.full(v.shape, np.nan)) if is_array(v) and j not in read else v
                for j, v in enumerate(known)
            ]
            out = make(t.data if ops.OUT in read else np.full(t.shape, np.nan))
            expected = op.pull_back(g, make(t.data), known, params, (i,))[i]
            actual = op.pull_back(g, out, poisoned, params, (i,))[i]
            np.testing.assert_array_equal(ops.values_of(actual), ops.values_of(expected))


def is_array(v):
    return isinstance(v, np.ndarray | nnlite.Tensor)


@pytest.mark.parametrize(("f", "inputs"), CASES)
def test_an_edit_of_what_a_rule_reads_is_caught(f, inputs):
    y = f(*tensors(inputs))
    for t in tensors_below(y):
        _, _, values, _, _, reads, _ = t._node
        for r in reads:
            x = t.data if r == ops.OUT else values[r]
            if isinstance(x, np.ndarray) and x.size and x.flags.writeable and x.dtype.kind == "f":
                before = x.copy()
                x += 1
                with pytest.raises(RuntimeError, match="was edited after the operation"):
                    t.backward(np.ones(t.shape), retain_graph=True)
                x[...] = before
    y.backward(np.ones(y.shape))  # all is well again


def test_every_function_of_the_table_has_a_case():
    missing = {f.__name__ for f in TABLE if f not in COVERED}
    assert not missing


def test_every_rule_of_every_operation_is_reached_by_a_case(operations_on_numpy):
    reached = set()
    for row in CASES:
        f, inputs = row.values
        for t in tensors_below(f(*tensors(inputs))):
            op, _, _, _, wanted, _, _ = t._node
            reached |= {(op, 0 if op.variadic else i) for i in wanted}
    rules = {
        (op, i)
        for op in operations_on_numpy
        for i in range(1 if op.variadic else op.arity)
        if op.joint is not None or op.vjps[i] is not None
    }
    assert {(op.name, i) for op, i in rules - reached} == set()


def tensors_below(t):
    """The results of operations in the graph of ``t``."""
    todo, found = [t], {}
    while todo:
        t = todo.pop()
        if isinstance(t, nnlite.Tensor) and t._node is not None and id(t) not in found:
            found[id(t)] = t
            todo.extend(t._node[1])
    return list(found.values())


def test_true_and_false_count_as_one_and_zero():
    """As a shift of np.roll and as what np.bincount counts, as in NumPy."""
    t = nnlite.Tensor([1.0, 2.0, 4.0], requires_grad=True)
    rolled = np.roll(t, np.True_)
    np.testing.assert_array_equal(rolled.data, [4.0, 1.0, 2.0])
    np.sum(rolled * [1.0, 2.0, 3.0]).backward()
    np.testing.assert_array_equal(t.grad, [2.0, 3.0, 1.0])
    counts = np.bincount(np.array([True, False, True]), t)
    np.testing.assert_array_equal(counts.data, [2.0, 5.0])


def test_the_exponent_of_a_base_beyond_int64_has_its_slope():
    t = nnlite.Tensor([0.5, 1.5], requires_grad=True)
    np.sum((2**63) ** t).backward()
    np.testing.assert_allclose(t.grad, (2.0**63) ** t.data * np.log(2.0**63))
