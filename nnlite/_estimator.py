"""What all models with ``fit`` share: scikit-learn's interface, without scikit-learn.

``clone``, ``Pipeline``, grid search and their like ask an estimator for its constructor's arguments
(:meth:`Estimator.get_params`), for what it can take (``__sklearn_tags__``) and for the names of
what it returns. That is a small protocol, and it is met here once; scikit-learn is imported only
where scikit-learn itself is calling.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite._arguments import as_array, as_choice
from nnlite.errors import NotFittedError

Array = NDArray[Any]


class Estimator:
    """Base of models with ``fit``: parameters, text, and the checks of data.

    A subclass keeps each argument of its constructor in the attribute of the same name, looks at
    them in ``fit``, and writes what it learns to names that end in an underscore.
    """

    #: floating dtypes that are computed in as they are; all other data become the first
    _dtypes: ClassVar[tuple[Any, ...]] = (np.float64,)
    _estimator_type: ClassVar[str | None] = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name, for scikit-learn's ``clone`` and grid search."""
        return {name: getattr(self, name) for name in _arguments_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; takes effect at the next ``fit``.

        Raises
        ------
        ValueError
            If there is no parameter of a name; then none is changed.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """``PCA(n_components=3, whiten=True)``: options only where they are not the default."""
        shown = []
        for name, argument in _arguments_of(type(self)).items():
            value = getattr(self, name)
            option = argument.kind is argument.KEYWORD_ONLY
            if not option or repr(value) != repr(argument.default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        names = [np.dtype(dtype).name for dtype in self._kept_dtypes()]
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(names) if isinstance(self, Transformer) else None,
        )

    def _kept_dtypes(self) -> tuple[Any, ...]:
        """Dtypes of data that results come in too."""
        return self._dtypes

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted yet: call fit(X) first.")

    def _training_rows(self, X: ArrayLike) -> Array:
        """What ``fit`` was given, as :func:`rows`."""
        column_names(X)  # before any work: names of two kinds are refused
        return rows(X, dtypes=self._dtypes)

    def _learned_from(self, X: Any, n_features: int) -> None:
        """Write down, at the end of a ``fit``, what its data looked like."""
        names = column_names(X)
        self.n_features_in_ = n_features
        if names is not None:
            self.feature_names_in_ = names
        else:
            self.__dict__.pop("feature_names_in_", None)

    def _like_fitted(self, X: ArrayLike) -> Array:
        """Data with the columns that ``fit`` saw, as :func:`rows`."""
        self._check_fitted()
        self._check_names(X)
        d = self.n_features_in_
        array = rows(X, dtypes=self._dtypes, expected=d)
        if array.shape[1] != d:
            raise ValueError(
                f"X has {array.shape[1]} features, but {type(self).__name__} is expecting {d} "
                f"features as input: it was fitted with {d}."
            )
        return array

    def _check_names(self, X: Any) -> None:
        """Refuse a frame whose columns are not those of the training data, in their order."""
        names, known = column_names(X), getattr(self, "feature_names_in_", None)
        if names is None or known is None or list(names) == list(known):
            return
        new = [str(name) for name in names if name not in set(known)]
        gone = [str(name) for name in known if name not in set(names)]
        if not new and not gone:
            what = "has the columns in another order"
        else:
            what = " and ".join(
                f"{verb} {', '.join(some[:5])}{', ...' if len(some) > 5 else ''}"
                for verb, some in (("has the new columns", new), ("lacks", gone))
                if some
            )
        raise ValueError(
            f"X {what}: the feature names must be those this {type(self).__name__} was fitted "
            "with, in their order. X[model.feature_names_in_] selects them."
        )


class Transformer(Estimator):
    """An estimator that turns rows into rows: ``transform``, with named results on request."""

    @property
    def _n_outputs(self) -> int:
        """Number of columns of what ``transform`` returns."""
        raise NotImplementedError

    def transform(self, X: ArrayLike) -> Any:
        """Rows to rows; each subclass says which."""
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn from rows; ``y`` is ignored."""
        raise NotImplementedError

    def fit_transform(self, X: ArrayLike, y: object = None) -> Any:
        """``fit(X)``, then ``transform(X)``; ``y`` is ignored."""
        return self.fit(X).transform(X)

    def get_feature_names_out(self, input_features: object = None) -> Array:
        """Names of the columns that ``transform`` returns: ``pca0``, ``pca1``, and so on."""
        self._check_fitted()
        known = getattr(self, "feature_names_in_", None)
        given = [] if input_features is None else list(np.ravel(np.asarray(input_features, object)))
        if input_features is not None and known is not None and given != list(known):
            raise ValueError(
                "input_features are not the names this model was fitted with: input_features is "
                "not equal to feature_names_in_."
            )
        name = type(self).__name__.lower()
        return np.array([f"{name}{i}" for i in range(self._n_outputs)], dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what ``transform`` returns: "default" arrays, "pandas" or "polars" frames.

        None leaves the choice as it is; without one, scikit-learn's ``set_config`` decides.
        """
        if transform is not None:
            as_choice(transform, "transform", ("default", "pandas", "polars"))
            # This name is the one that scikit-learn's clone carries over.
            self._sklearn_output_config = {"transform": transform}
        return self

    def _in_container(self, Z: Any, X: Any) -> Any:
        """Results in the container that :meth:`set_output` asked for, with the index of ``X``."""
        kind = getattr(self, "_sklearn_output_config", {}).get("transform")
        if kind is None and "sklearn" in sys.modules:
            kind = sys.modules["sklearn"].get_config()["transform_output"]
        if kind in (None, "default") or not isinstance(Z, np.ndarray):
            return Z
        names = list(self.get_feature_names_out())
        if kind == "pandas":
            index = getattr(X, "index", None) if hasattr(X, "columns") else None
            return import_module("pandas").DataFrame(Z, columns=names, index=index)
        return import_module("polars").DataFrame(Z, schema=names, orient="row")


def rows(
    X: Any,
    name: str = "X",
    *,
    dtypes: tuple[Any, ...] = (np.float64,),
    expected: int | None = None,
) -> Array:
    """Samples in rows: (n, d), n and d at least 1, finite, in one of ``dtypes``.

    Parameters
    ----------
    X : array_like
    name : str
        What error messages call it.
    dtypes : tuple of dtype
        Kept as they are; any other becomes the first of them.
    expected : int, optional
        How many features a model knows, to see whether a vector is one sample or one feature.

    Raises
    ------
    TypeError
        If it holds no real numbers, or is sparse.
    ValueError
        If the shape is another, an entry is masked, NaN, infinite or too large for the dtype.
    """
    dtype = getattr(X, "dtype", None)
    if getattr(dtype, "kind", "") == "c":
        raise ValueError(
            f"Complex data not supported: {name} has dtype {dtype}; keep real and "
            "imaginary parts as two features."
        )
    array = as_array(X, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have two axes (samples, features); got shape {array.shape}"
            f"{_reshaping(array, name, expected)}."
        )
    if array.size == 0 and not (len(array) and expected == 0):
        raise ValueError(
            f"{name} is empty: {array.shape[0]} sample(s) and {array.shape[1]} feature(s) "
            f"(shape={array.shape}) while a minimum of 1 is required."
            if array.shape[1]
            else f"{name} is empty: 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            "required."
        )
    bad = ~np.isfinite(array) if not _sum_is_finite(array) else np.zeros(1, bool)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} contains NaN or infinity ({int(bad.sum())} entries, the first "
            f"{array[row, column]} at row {row}, column {column}); remove or impute these samples "
            "first."
        )
    if array.dtype in dtypes:
        return array
    return in_range(array, np.dtype(dtypes[0]), name)


def in_range(array: Array, dtype: np.dtype[Any], name: str) -> Array:
    """Finite numbers in another floating dtype, refused where that would change what they say.

    Numbers beyond its range would become infinite, and numbers that differ below its smallest
    normal one would become equal, all of them zero.
    """
    limits = np.finfo(dtype)
    size = max(abs(float(array.max())), abs(float(array.min())))
    if size > float(limits.max):
        raise ValueError(f"{name} reaches {size:.3g}, too large for {dtype}; rescale it.")
    if 0 < size < float(limits.tiny):
        raise ValueError(
            f"the largest entry of {name} is {size:.3g}, so small that {dtype} loses its digits; "
            "rescale it."
        )
    return array.astype(dtype, copy=False)


def _sum_is_finite(array: Array) -> bool:
    """One quick pass that sees NaN and infinity (and, rarely, a sum that overflows)."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def _reshaping(array: Array, name: str, expected: int | None) -> str:
    """How to make two axes of what has another number."""
    if array.ndim == 0:
        return "; a single number is one sample of one feature, [[number]]"
    if array.ndim > 2:
        return f". Flatten images with {name}.reshape(len({name}), -1)"
    one_sample, one_feature = f"{name}.reshape(1, -1)", f"{name}.reshape(-1, 1)"
    if expected is None:
        return (
            f". Reshape your data: {one_feature} if it is one feature, {one_sample} if it is one "
            "sample"
        )
    if len(array) == expected and expected > 1:
        return f". Reshape your data: one sample is {one_sample}"
    if expected == 1:
        return f". Reshape your data: one feature is {one_feature}"
    return f". Reshape your data to rows of {expected} features"


def column_names(X: Any) -> Array | None:
    """Names of a frame's columns if all are text; None if it has none."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.array(list(columns), dtype=object)
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        raise TypeError(
            "some columns of X are named by text and some are not; call "
            "X.columns = X.columns.astype(str) first."
        )
    return names if names.size and all(texts) else None


def _arguments_of(kind: type) -> dict[str, inspect.Parameter]:
    """The arguments of a class's constructor, by name."""
    signature = inspect.signature(kind.__init__)  # type: ignore[misc]
    return {name: p for name, p in signature.parameters.items() if name != "self"}
