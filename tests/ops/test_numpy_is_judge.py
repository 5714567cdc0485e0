"""NumPy is judge: what it refuses is refused here, what it answers is answered here.

From a valid call of every function offered, others are made by putting odd things in the place of
one argument: axes that do not exist, fractions, arrays of other shapes, unknown words. NumPy's own
answer (value and dtype) or error decides. A call that NumPy takes may be refused here if the
message says so in a sentence of its own.
"""

import inspect
import warnings

import numpy as np
import pytest

import nnlite
from nnlite.ops import TABLE

_rng = np.random.default_rng(5)


def R(*shape):
    return _rng.normal(size=shape)


def P(*shape):
    return _rng.uniform(0.4, 2.0, size=shape)


X, V, M = P(2, 3), P(4), P(3, 3) + 2 * np.eye(3)
SYMMETRIC = M @ M.T
MASK = np.array([[True, False, True], [False, False, True]])

#: function -> calls of it that are fine: positional and keyword arguments under NumPy's names
CALLS = {
    np.where: [((MASK, X, -X), {})],
    np.clip: [((X, 0.5, 1.0), {})],
    np.select: [(([MASK, ~MASK], [X, -X]), {"default": 0.0})],
    np.nan_to_num: [((X,), {"nan": 0.0})],
    np.full_like: [((X, 2.0), {"shape": (2,)})],
    np.linspace: [((X, -X), {"num": 4, "endpoint": True, "axis": 0})],
    np.round: [((X,), {"decimals": 1})],
    np.around: [((X,), {"decimals": 1})],
    np.average: [
        ((X,), {"axis": 1, "weights": P(3), "keepdims": True}),
        ((X,), {"axis": None, "weights": P(2, 3)}),
    ],
    np.diff: [((X,), {"n": 1, "axis": -1, "prepend": 0.5})],
    np.gradient: [((X, 0.5), {"axis": 1, "edge_order": 1}), ((P(4, 3),), {})],
    np.trapezoid: [((X,), {"dx": 0.5, "axis": 0}), ((X,), {"x": P(3), "axis": -1})],
    np.sort: [((X,), {"axis": 0, "kind": "stable"})],
    np.reshape: [((X, (3, -1)), {"order": "F"}), ((X, 6), {})],
    np.ravel: [((X,), {"order": "K"})],
    np.transpose: [((X,), {"axes": (1, 0)}), ((V,), {"axes": 0})],
    np.swapaxes: [((X, 0, 1), {})],
    np.moveaxis: [((X, 0, 1), {}), ((P(2, 3, 4), (0, 1), (2, 0)), {})],
    np.rollaxis: [((X, 1), {"start": 0})],
    np.squeeze: [((P(1, 3, 1),), {"axis": 0})],
    np.expand_dims: [((X, 1), {}), ((X, (0, 3)), {})],
    np.broadcast_to: [((X, (4, 2, 3)), {})],
    np.broadcast_arrays: [((X, P(3)), {})],
    np.meshgrid: [((V, P(3)), {"indexing": "xy", "sparse": False})],
    np.flip: [((X,), {"axis": 0})],
    np.roll: [((X, 1), {"axis": 0})],
    np.rot90: [((X,), {"k": 1, "axes": (0, 1)})],
    np.tril: [((X,), {"k": 0})],
    np.triu: [((X,), {"k": 0})],
    np.concatenate: [(([X, X],), {"axis": 0})],
    np.stack: [(([X, X],), {"axis": 0})],
    np.vstack: [(([X, X],), {})],
    np.hstack: [(([X, X],), {})],
    np.dstack: [(([X, X],), {})],
    np.column_stack: [(([V, V],), {})],
    np.append: [((X, X), {"axis": 0})],
    np.block: [(([[X, X], [X, X]],), {})],
    np.tile: [((X, 2), {}), ((X, (2, 1, 2)), {})],
    np.repeat: [((X, 2), {"axis": 0})],
    np.pad: [((X, 1), {"mode": "constant"}), ((X, ((1, 0), (0, 1))), {"mode": "wrap"})],
    np.split: [((V, 2), {"axis": 0})],
    np.array_split: [((V, 3), {"axis": 0})],
    np.vsplit: [((X, 2), {})],
    np.hsplit: [((X, 3), {})],
    np.dsplit: [((P(1, 2, 4), 2), {})],
    np.take: [((X, [0, 1]), {"axis": 1, "mode": "raise"}), ((X, 3), {})],
    np.take_along_axis: [((X, np.array([[0, 1, 0]])), {"axis": 0})],
    np.diagonal: [((X,), {"offset": 1, "axis1": 0, "axis2": 1})],
    np.trace: [((X,), {"offset": 0, "axis1": 0, "axis2": 1})],
    np.diag: [((V,), {"k": 1}), ((X,), {"k": 0})],
    np.diagflat: [((X,), {"k": 1})],
    np.bincount: [((np.array([0, 1, 1, 3]),), {"weights": V, "minlength": 0})],
    np.compress: [(([True, False, True], X), {"axis": 1})],
    np.extract: [((MASK, X), {})],
    np.matmul: [((X, P(3, 2)), {})],
    np.linalg.matmul: [((X, P(3, 2)), {})],
    np.dot: [((X, P(3, 2)), {})],
    np.inner: [((X, P(4, 3)), {})],
    np.vdot: [((X, X), {})],
    np.outer: [((V, X), {})],
    np.linalg.outer: [((V, P(3)), {})],
    np.kron: [((X, V), {})],
    np.cross: [((X, P(3)), {"axisa": -1, "axisb": -1, "axisc": -1})],
    np.linalg.cross: [((X, X), {"axis": -1})],
    np.vecdot: [((X, P(3)), {"axis": -1})],
    np.linalg.vecdot: [((X, X), {"axis": -1})],
    np.tensordot: [((X, P(3, 2)), {"axes": 1}), ((X, P(3, 2)), {"axes": ([0], [1])})],
    np.linalg.tensordot: [((X, P(3, 2)), {"axes": 1})],
    np.convolve: [((V, P(3)), {"mode": "full"})],
    np.correlate: [((V, P(3)), {"mode": "valid"})],
    np.polyval: [((V, X), {})],
    np.einsum: [(("ij,jk->ik", X, P(3, 2)), {}), ((X, [0, 1], P(3, 2), [1, 2], [0, 2]), {})],
    np.linalg.inv: [((M,), {})],
    np.linalg.det: [((M,), {})],
    np.linalg.slogdet: [((M,), {})],
    np.linalg.solve: [((M, P(3)), {}), ((M, P(3, 2)), {})],
    np.linalg.cholesky: [((SYMMETRIC,), {})],
    np.linalg.eigh: [((SYMMETRIC,), {"UPLO": "L"})],
    np.linalg.eigvalsh: [((SYMMETRIC,), {"UPLO": "L"})],
    np.linalg.svd: [
        ((M,), {"full_matrices": True, "compute_uv": True}),
        ((X,), {"compute_uv": False}),
    ],
    np.linalg.svdvals: [((X,), {})],
    np.linalg.pinv: [((X,), {"rcond": 1e-10}), ((M,), {"rtol": None})],
    np.linalg.norm: [
        ((X,), {"ord": 2, "axis": 0, "keepdims": True}),
        ((X,), {"ord": "fro", "axis": (0, 1)}),
        ((X,), {"ord": 1, "axis": None}),
        ((V,), {"ord": 3}),
    ],
    np.linalg.vector_norm: [((X,), {"axis": 0, "ord": 3, "keepdims": False})],
    np.linalg.matrix_norm: [((X,), {"ord": "nuc", "keepdims": False})],
    np.linalg.matrix_power: [((M, 3), {})],
    np.linalg.multi_dot: [(([X, M, P(3, 2)],), {})],
    np.linalg.diagonal: [((X,), {"offset": 1})],
    np.linalg.trace: [((X,), {"offset": 0})],
}  # fmt: skip
for f in (np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.ptp, np.median,
          np.nansum, np.nanprod, np.nanmean):  # fmt: skip
    CALLS[f] = [((X,), {"axis": 0, "keepdims": True}), ((P(2, 3, 2),), {"axis": (0, 2)})]
for f in (np.var, np.std):
    CALLS[f] = [((X,), {"axis": 0, "ddof": 1, "keepdims": True})]
for f in (np.cumsum, np.cumprod):
    CALLS[f] = [((X,), {"axis": 0})]
if hasattr(np, "cumulative_sum"):
    for f in (np.cumulative_sum, np.cumulative_prod):
        CALLS[f] = [((X,), {"axis": 0, "include_initial": True})]
if hasattr(np, "unstack"):
    CALLS[np.unstack] = [((X,), {"axis": 0})]
if hasattr(np, "matvec"):
    CALLS[np.matvec] = [((X, P(3)), {})]
    CALLS[np.vecmat] = [((P(2), X), {})]
if hasattr(np, "astype"):
    CALLS[np.astype] = [((X, "float32"), {"copy": True})]
for f in TABLE:  # the others take arrays alone
    if f not in CALLS:
        n = f.nin if isinstance(f, np.ufunc) else 1
        CALLS[f] = [((X, P(3))[:n], {})]

AXES = [0, 1, 2, -1, -3, 5, -5, np.int64(1), 1.5, None, True, "x"]
AXES += [(), (0, 0), (0, 1), (0, -1), (0, 5), [0]]
ODD = {
    **{name: AXES for name in ("axis", "axis1", "axis2", "axisa", "axisb", "axisc", "start")},
    **{name: AXES for name in ("source", "destination")},
    "axes": [*AXES, (1, 0), (0, 1, 2), ([0], [0]), ([0, 1], [1, 0]), ([0], [5]), 3, -1],
    "keepdims": [False, 1],
    "n": [0, 1, 2, 7, -1, 1.5, "x", None],
    **{name: [0, 1, -1, 7, -7] for name in ("k", "offset")},
    "ddof": [0, 1, 0.5],
    "decimals": [0, 2, -1],
    "order": ["C", "F", "A", "K", "x", None],
    "mode": ["full", "same", "valid", "raise", "wrap", "clip", "edge", "reflect", "abc", 0, 1],
    "ord": [None, 0, 1, -1, 2, -2, 3, 0.5, np.inf, -np.inf, "fro", "nuc", "abc"],
    "UPLO": ["L", "U", "x"],
    "indexing": ["xy", "ij", "ab"],
    "kind": ["quicksort", "stable", "abc", None],
    "edge_order": [1, 2, 3],
    "num": [0, 1, 2, -1, 2.5],
    "shape": [(3, 2), 6, -1, (-1, 2), (4,), (-1, -1), (2, 3, 1), (), (0,), 1.5, "x"],
    "repeats": [0, 1, 3, -1, [1, 2], [1, 2, 3], 1.5],
    "reps": [0, 1, 3, (2, 2), (2, 1, 3), [1, 2], 1.5, ()],
    "shift": [0, 1, -2, 7, (1, 1), 1.5],
    "pad_width": [0, 2, (1, 2), ((1, 2), (0, 1)), ((1,),), -1, 1.5, ((1, 1), (1, 1), (1, 1))],
    "indices_or_sections": [0, 1, 2, 3, -1, [1], [1, 3], [2, 1], 1.5, 7],
    "indices": [0, -1, 5, -9, [0, 1], [[0], [1]], [True, False], 1.5, []],
    "weights": [P(2), P(3), P(2, 3), P(3, 2), np.zeros(3), [1, 2, 3], 2.0],
    "minlength": [0, 7, -1],
    "compute_uv": [True, False],
    "rcond": [None, 1e-3, 0.9],
    "edge": [0],
    "condition": [[True], [True, False], [[True], [False]], [1, 0, 1], [True] * 9],
    "sparse": [True],
    "endpoint": [False],
    "prepend": [0.0, P(2, 1), P(2), P(2, 2)],
    "copy": [True, False],
}  # fmt: skip
SHAPES = [(), (1,), (0,), (3,), (2, 3), (3, 2), (0, 3), (2, 0), (2, 3, 2), (1, 1), (2, 2)]
ARRAYS = [_rng.uniform(0.4, 2.0, size=s) for s in SHAPES]
ARRAYS += [np.array([np.nan, 1.0, 2.0]), np.array([np.inf, -np.inf, 1.0]), np.zeros((3, 3))]


def names_of(f, count):
    try:
        names = list(inspect.signature(f).parameters)
    except ValueError:
        names = []
    return (names + ["?"] * count)[:count]


def odd_calls(f):
    """The valid calls, and each with one argument exchanged."""
    for args, kwargs in CALLS[f]:
        yield args, kwargs
        names = names_of(f, len(args))
        for i, (name, a) in enumerate(zip(names, args, strict=True)):
            others = ODD.get(name, [])
            if f is np.bincount:
                others = [[0, 1], [-1], [0.5], [[0]]]
            if isinstance(a, np.ndarray) and a.dtype.kind == "f":
                others = ARRAYS
            for other in others:
                yield (*args[:i], other, *args[i + 1 :]), kwargs
            if isinstance(a, list) and isinstance(a[0], np.ndarray):
                for other in ARRAYS:
                    yield (*args[:i], [a[0], other], *args[i + 1 :]), kwargs
                    yield (*args[:i], [other, other], *args[i + 1 :]), kwargs
                yield (*args[:i], [], *args[i + 1 :]), kwargs
        for name in kwargs:
            for other in ODD.get(name, []):
                yield args, {**kwargs, name: other}
                if name in ("axis", "ord") and isinstance(args[0], np.ndarray):
                    for x in (ARRAYS[0], ARRAYS[2], ARRAYS[3], ARRAYS[8]):
                        yield (x, *args[1:]), {**kwargs, name: other}
        for name in ("nonsense", "out", "dtype", "where", "initial"):
            if f not in (np.astype, np.linspace):
                yield args, {**kwargs, name: np.zeros((2, 2))}


def tensors(x):
    if isinstance(x, np.ndarray) and x is not MASK:
        return nnlite.Tensor(x, requires_grad=x.dtype in ("f4", "f8"))
    if isinstance(x, tuple | list):
        return type(x)([tensors(i) for i in x])
    return x


def values(x):
    if isinstance(x, tuple | list):
        return [values(i) for i in x]
    return x.data if isinstance(x, nnlite.Tensor) else x


def same(actual, expected):
    if isinstance(expected, tuple | list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    actual, expected = np.asarray(actual), np.asarray(expected)
    return (
        actual.shape == expected.shape
        and actual.dtype == expected.dtype
        and np.allclose(actual, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    )


def answer(f, args, kwargs):
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return f(*args, **kwargs), None
    except Exception as error:
        return None, error


def verdict(f, args, kwargs):
    """What is wrong with our answer to a call, or None."""
    expected, refusal = answer(f, args, kwargs)
    t_args = [tensors(a) for a in args]
    t_kwargs = {k: v if k == "out" else tensors(v) for k, v in kwargs.items()}
    actual, error = answer(f, t_args, t_kwargs)
    if isinstance(refusal, AttributeError) or "newaxis" in str(refusal):
        return None  # a slip of NumPy's own code
    if error is not None and not clear(error) and str(refusal) not in str(error):
        return f"unclear {type(error).__name__}: {error}"
    if refusal is not None:
        kind = TypeError if isinstance(refusal, TypeError) else type(refusal)
        if error is None:
            return f"accepted, but NumPy: {refusal!r}"
        refused = "does not take" in str(error) or "got an unexpected keyword" in str(error)
        return None if isinstance(error, kind) or refused else f"{error!r}; NumPy: {refusal!r}"
    if error is not None:
        return None if "Tensor" in str(error) or ours(error) else f"refused: {error!r}"
    actual = values(actual)
    return None if same(actual, expected) else f"{actual!r}; NumPy: {expected!r}"


def ours(error):
    return str(error).endswith(".")


def clear(error):
    """A sentence, not a slip of our code."""
    text = str(error)
    slips = ("unpack", "zip()", "NoneType", "object has no attribute", "tuple index", "list index")
    return (
        isinstance(error, TypeError | ValueError | IndexError | ZeroDivisionError | RuntimeError)
        and len(text) > 10
        and not any(s in text for s in slips)
    )


def label(f):
    return f"{f.__module__}.{f.__name__}" if hasattr(f, "__module__") else f.__name__


FUNCTIONS = pytest.mark.parametrize("f", list(CALLS), ids=label)


@FUNCTIONS
def test_what_numpy_refuses_is_refused_and_what_it_answers_is_answered(f):
    found = ((a, k, verdict(f, a, k)) for a, k in odd_calls(f))
    assert [(a, k, v) for a, k, v in found if v] == []


# ---- integers, booleans, halves ----------------------------------------------------------------

SMALL = ["?", "i1", "u1", "i2", "u2", "i4", "i8", "f2"]


def in_dtype(x, dtype):
    """The arrays of a call with numbers of a size that a byte can only just hold."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.round(x * (60 if x.max() < 2.1 else 1)).astype(dtype)
    if isinstance(x, tuple | list):
        return type(x)([in_dtype(i, dtype) for i in x])
    return x


@pytest.mark.parametrize("dtype", SMALL)
@FUNCTIONS
def test_integers_and_halves_give_what_numpy_gives(f, dtype):
    for args, kwargs in CALLS[f]:
        args = in_dtype(args, dtype)
        kwargs = {k: in_dtype(v, dtype) for k, v in kwargs.items()}
        assert verdict(f, args, kwargs) is None


def paths(x, prefix=()):
    """Where in the arguments of a call arrays of floats stand."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        yield prefix
    if isinstance(x, tuple | list):
        for i, part in enumerate(x):
            yield from paths(part, (*prefix, i))


def exchanged(x, path, make, others):
    """The arguments with ``make`` of the array at ``path``, and ``others`` of the other arrays."""
    if isinstance(x, tuple | list):
        return type(x)(
            [exchanged(p, path[1:] if path and path[0] == i else None, make, others)
             for i, p in enumerate(x)]
        )  # fmt: skip
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return x
    return others(x) if path is None else make(x)


def total(out, cotangents):
    """A number that depends on every entry of the results."""
    if isinstance(out, tuple | list):
        return sum(total(part, cotangents) for part in out if not isinstance(part, np.ndarray))
    return np.sum(out * cotangents.normal(size=out.shape))


def gradients_of(f, call, kwargs, path, dtype, through):
    """Gradient and its gradient towards one argument, the others going through ``through``."""
    leaf = []

    def make(x):
        leaf.append(nnlite.Tensor(np.asarray(x, dtype), requires_grad=True))
        return leaf[0]

    args = exchanged(call, path, make, lambda x: through(np.round(50 * x)))
    with np.errstate(all="ignore"):
        y = total(f(*args, **kwargs), np.random.default_rng(1))
        if not y.requires_grad:
            return []
        (g,) = nnlite.grad(y, leaf, create_graph=True)
        if not g.requires_grad:
            return [g.data]
        (h,) = nnlite.grad(np.sum(g * g), leaf, allow_unused=True)
    return [g.data] if h is None else [g.data, h]


@pytest.mark.parametrize("dtype", SMALL)
@FUNCTIONS
def test_rules_do_not_compute_in_the_few_bits_of_an_argument_beside_them(f, dtype):
    """An argument of bytes gives the gradients that the same numbers give as floats."""
    for args, kwargs in CALLS[f]:
        places = list(paths(args))
        if len(places) < 2 or f is np.block:
            continue
        for path in places:
            for own in ("f8", "f4"):
                narrow = lambda x: np.round(50 * x).astype(dtype)  # noqa: E731
                if answer(f, exchanged(args, path, lambda x: x, narrow), kwargs)[1]:
                    continue  # NumPy itself refuses
                as_float = lambda x: x.astype(dtype).astype("f8")  # noqa: E731
                expected = gradients_of(f, args, kwargs, path, "f8", as_float)
                found = gradients_of(f, args, kwargs, path, own, lambda x: x.astype(dtype))
                tolerance = 1e-9 if own == "f8" else 2e-3
                for a, b in zip(found, expected, strict=True):
                    with np.errstate(over="ignore"):  # 1e39 is infinite in float32
                        b = b.astype(own)
                    largest = np.abs(b[np.isfinite(b)]).max(initial=0)
                    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * largest)
