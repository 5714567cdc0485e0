"""NumPy functions without a gradient: what they answer is a fact about the values, a plain array.

Comparisons, tests and positions are constant almost everywhere; they run on the values of a Tensor and nothing is
lost. Functions that are neither here nor in the table are refused, with the alternative named.
"""

import numpy as np

PLAIN = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.isfinite, np.isinf, np.isnan, np.signbit, np.isposinf, np.isneginf,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all, np.any,
    np.argmax, np.argmin, np.argsort, np.argwhere, np.argpartition, np.nanargmax, np.nanargmin,
    np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.lexsort,
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.shares_memory, np.may_share_memory,
    np.array_repr, np.array_str, np.array2string, np.histogram, np.bincount, np.unique, np.isin,
    np.linalg.matrix_rank, np.floor_divide, np.nextafter, np.spacing,
}  # fmt: skip

#: What to use instead of functions that are refused.
ALTERNATIVES = {
    np.linalg.lstsq: "np.linalg.solve(A.T @ A, A.T @ b)",
    np.linalg.eig: "np.linalg.eigh for symmetric matrices",
    np.linalg.eigvals: "np.linalg.eigvalsh for symmetric matrices",
    np.linalg.qr: "np.linalg.cholesky(A.T @ A) or np.linalg.svd",
    np.linalg.cond: "a ratio of np.linalg.svd(A, compute_uv=False)",
    np.partition: "np.sort",
    np.percentile: "np.sort and indexing",
    np.quantile: "np.sort and indexing",
    np.nansum: "np.sum(np.where(np.isnan(t), 0, t))",
    np.nanmean: "np.mean of t[~np.isnan(t)]",
    np.convolve: "nnlite.nn.functional.conv2d",
    np.correlate: "nnlite.nn.functional.conv2d",
    np.interp: "np.where and arithmetic",
    np.apply_along_axis: "vectorised operations",
    np.vectorize: "vectorised operations",
    np.copyto: "np.where",
    np.put: "np.where",
    np.put_along_axis: "np.where",
    np.place: "np.where",
    np.fill_diagonal: "np.where(np.eye(n, dtype=bool), value, t)",
    np.insert: "np.concatenate",
    np.delete: "indexing with the positions to keep",
    np.cov: "centred products: (x - x.mean(0)).T @ (x - x.mean(0)) / n",
    np.divmod: "np.floor(x / y) and x % y",
    np.modf: "np.floor(x) and x - np.floor(x)",
}
