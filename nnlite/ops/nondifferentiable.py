"""NumPy functions without a gradient: what they answer is a fact about the values, a plain array.

Comparisons, tests and positions are constant almost everywhere; they run on the values of a Tensor
and nothing is lost. Functions that are neither here nor in the table are refused, with the
alternative named.
"""

import numpy as np

NONDIFFERENTIABLE = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.isfinite, np.isinf, np.isnan, np.signbit, np.isposinf, np.isneginf,
    np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all, np.any,
    np.argmax, np.argmin, np.argsort, np.argwhere, np.argpartition, np.nanargmax, np.nanargmin,
    np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.lexsort,
    np.isin, np.tril_indices_from, np.triu_indices_from, np.diag_indices_from, np.unravel_index,
    np.ravel_multi_index, np.ix_, np.einsum_path,
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type,
    np.zeros_like, np.ones_like, np.empty_like, np.shares_memory, np.may_share_memory, np.isfortran,
    np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savez_compressed,
    np.savetxt, np.linalg.matrix_rank, np.spacing,
}  # fmt: skip

_SORTED = "np.sort and indexing"
_LOOSE = "a loop or vectorised operations"
_DATA = "it on t.data: its result is not differentiable"

#: What to use instead of functions that are refused.
ALTERNATIVES = {
    np.linalg.lstsq: "np.linalg.pinv(A) @ b",
    np.linalg.eig: "np.linalg.eigh for symmetric matrices",
    np.linalg.eigvals: "np.linalg.eigvalsh for symmetric matrices",
    np.linalg.qr: "np.linalg.cholesky(A.T @ A) or np.linalg.svd",
    np.linalg.cond: "a ratio of np.linalg.svd(A, compute_uv=False)",
    np.linalg.tensorinv: "np.linalg.inv of the reshaped matrix",
    np.linalg.tensorsolve: "np.linalg.solve of the reshaped matrix",
    np.partition: "np.sort",
    np.percentile: _SORTED,
    np.quantile: _SORTED,
    np.nanpercentile: _SORTED,
    np.nanquantile: _SORTED,
    np.nanmedian: _SORTED,
    np.nancumsum: "np.cumsum(np.where(np.isnan(t), 0, t))",
    np.nancumprod: "np.cumprod(np.where(np.isnan(t), 1, t))",
    np.nanmax: "np.max(np.where(np.isnan(t), -np.inf, t))",
    np.nanmin: "np.min(np.where(np.isnan(t), np.inf, t))",
    np.nanvar: "np.var of t[~np.isnan(t)]",
    np.nanstd: "np.std of t[~np.isnan(t)]",
    np.interp: "np.where and arithmetic",
    np.choose: "np.select or np.take_along_axis",
    np.piecewise: "np.where or np.select",
    np.apply_along_axis: _LOOSE,
    np.apply_over_axes: _LOOSE,
    np.vectorize: _LOOSE,
    np.copyto: "np.where",
    np.put: "np.where",
    np.putmask: "np.where",
    np.put_along_axis: "np.where",
    np.place: "np.where",
    np.fill_diagonal: "np.where(np.eye(n, dtype=bool), value, t)",
    np.insert: "np.concatenate",
    np.delete: "indexing with the positions to keep",
    np.resize: "np.tile and indexing",
    np.trim_zeros: "indexing with the positions to keep",
    np.ediff1d: "np.diff(np.ravel(t))",
    np.logspace: "10 ** (a + (b - a) * np.linspace(0, 1, n))",
    np.geomspace: "a * (b / a) ** np.linspace(0, 1, n)",
    np.vander: "np.expand_dims(t, -1) ** np.arange(n)",
    np.cov: "centred products: (x - x.mean(0)).T @ (x - x.mean(0)) / n",
    np.corrcoef: "centred products divided by np.std",
    np.imag: "two real tensors for real and imaginary part",
    np.angle: "np.arctan2(imaginary, real)",
    np.unwrap: "differences and np.mod",
    np.i0: "a power series",
    np.frexp: "np.log2",
    np.ldexp: "x * 2.0 ** n",
    np.nextafter: _DATA,
    np.unique: _DATA,
    np.histogram: _DATA,
    np.histogram2d: _DATA,
    np.histogramdd: _DATA,
    np.histogram_bin_edges: _DATA,
    np.union1d: _DATA,
    np.intersect1d: _DATA,
    np.setdiff1d: _DATA,
    np.setxor1d: _DATA,
    np.roots: _DATA,
    np.polyfit: "np.linalg.pinv(V) @ y with V = np.expand_dims(x, -1) ** np.arange(n)",
}
