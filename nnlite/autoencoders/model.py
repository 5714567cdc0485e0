"""The autoencoder: ``h(x) = g(f(x))``, trained to be close to ``x`` (lectures 03 to 06).

One class serves all kinds; what differs is the encoder and the decoder it is given
(:mod:`.builders`), the error it is trained on, and whether its input is spoiled first. The
training itself is in :mod:`.fitting`, what it takes as samples in :mod:`.samples`.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite import nn, optim
from nnlite._arguments import as_integer
from nnlite._estimator import column_names
from nnlite.autoencoders.corruption import Corruption
from nnlite.autoencoders.fitting import snapshot, train
from nnlite.autoencoders.recipe import Rebuildable
from nnlite.autoencoders.samples import as_codes, as_samples, check_probabilities, check_shape
from nnlite.engine import Tensor, no_grad
from nnlite.errors import NotFittedError
from nnlite.nn import functional as F
from nnlite.random import RNGLike, default_rng

Array = NDArray[Any]


class Autoencoder(nn.Module, Rebuildable):
    """An encoder and a decoder trained together, with scikit-learn's interface.

    Parameters
    ----------
    encoder : nn.Module
        Maps samples ``(n, ...)`` to codes ``(n, n_components)``.
    decoder : nn.Module
        Maps codes back to the shape of the samples. With ``loss="cross_entropy"`` its results are
        logits, and the reconstruction is their sigmoid.
    loss : {"squared_error", "cross_entropy"}
        Error of one sample, summed over its features (lecture 04, M and N). Cross-entropy takes
        features as probabilities of bits, in [0, 1], and is in nats.
    corruption : callable, optional
        ``corrupt(x, rng) -> x_tilde``, drawn anew for each batch of each epoch; the error is taken
        against the clean x (lecture 06). See :class:`Masking` and :class:`GaussianNoise`.
    epochs : int
        Passes over the data in one ``fit``.
    batch_size : int
    lr : float
        Adam's step size; it falls to 0 along a cosine over the epochs of each ``fit``.
    rng : int, Generator or None
        For the order of samples and the corruption.
    verbose : bool
        Show a progress bar with the running loss.
    warm_start : bool
        Whether a second ``fit`` goes on from where the first ended, or starts again with the
        weights of the beginning (drawn anew by the builders).

    Attributes
    ----------
    loss_curve_ : list of float
        Mean training error of each epoch so far.
    validation_curve_ : list of float
        The same on the validation data, where given.
    n_features_in_ : int
        Number of features of one sample.
    feature_names_in_ : ndarray of str
        Names of the columns, if the training data were a frame.

    Notes
    -----
    For scikit-learn it is a transformer whose ``score`` is minus the mean reconstruction error.
    ``clone`` gives an untrained copy. Its parameters are those above; for an autoencoder from a
    builder, the builder's own stand in place of ``encoder`` and ``decoder``, so that a grid search
    can try ``{"sizes": [(784, 64, 8), (784, 256, 8)]}``.

    Examples
    --------
    >>> X, _ = nnlite.datasets.mnist()
    >>> model = nnlite.autoencoders.deep((784, 128, 2), loss="cross_entropy", epochs=1, rng=0)
    >>> Z = model.fit_transform(X)
    >>> X_hat = model.inverse_transform(Z)
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        loss: str = "squared_error",
        corruption: Corruption | None = None,
        epochs: int = 20,
        batch_size: int = 128,
        lr: float = 2e-3,
        rng: RNGLike | None = None,
        verbose: bool = False,
        warm_start: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self._set(
            loss=loss,
            corruption=corruption,
            epochs=epochs,
            batch_size=batch_size,
            lr=lr,
            verbose=verbose,
            warm_start=warm_start,
        )
        self.rng = rng
        self._rng = default_rng(rng)
        self._forget()

    # ---- the map ----------------------------------------------------------------------------

    def forward(self, x: Any) -> Tensor:
        """Reconstruction of ``x``, of the same shape."""
        self._check_built()
        return self._output(self.decoder(self.encoder(x)))

    def error(self, x_hat: Tensor, x: Array) -> Tensor:
        """Error of decoder results against samples: summed over features, averaged over samples."""
        if self.loss == "cross_entropy":
            total = F.binary_cross_entropy_with_logits(x_hat, x, reduction="sum")
        else:
            total = F.mse_loss(x_hat, x, reduction="sum")
        return total / len(x)

    def _output(self, a: Tensor) -> Tensor:
        return a.sigmoid() if self.loss == "cross_entropy" else a

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Any:
        """Copy weights in, as :meth:`nn.Module.load_state_dict`; no ``fit`` is needed then."""
        self._check_built()
        self._before_training()
        keys = super().load_state_dict(state_dict, strict)
        self._has_weights = True
        return keys

    # ---- scikit-learn's interface -----------------------------------------------------------

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Number of features of one sample."""
        if self._sample_shape is None:
            raise NotFittedError("this autoencoder has not seen data yet: call fit(X) first.")
        return int(np.prod(self._sample_shape))

    def __sklearn_is_fitted__(self) -> bool:
        return self._has_weights

    def _kept_dtypes(self) -> tuple[Any, ...]:
        return (self._dtype(),)

    @property
    def _n_outputs(self) -> int:
        if self._n_codes is None:
            raise NotFittedError("the length of the code is not known yet: call transform first.")
        return self._n_codes

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        *,
        epochs: int | None = None,
        validation: ArrayLike | None = None,
    ) -> Self:
        """Train on samples; a second call goes on from where the first ended (``warm_start``).

        Parameters
        ----------
        X : array_like of shape (n, ...)
            Samples, finite; between 0 and 1 for cross-entropy.
        y : ignored
            For scikit-learn's pipelines.
        epochs : int, optional
            Instead of the constructor's; 0 trains nothing.
        validation : array_like of shape (m, ...), optional
            Samples whose error is recorded after each epoch.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are no samples, values are NaN, infinite or out of [0, 1] for cross-entropy, or
            of another shape than those seen before or than the network takes; if the corruption
            returns another shape or NaN.
        FloatingPointError
            If the loss overflows.

        Notes
        -----
        An interrupt (Ctrl-C, or the stop button of a notebook) ends training after the current
        batch and keeps the model as it is. Any error, on the other hand, leaves it as it was before
        the call. A last batch of one sample joins the batch before it: batch normalisation can do
        nothing with one.
        """
        epochs = self.epochs if epochs is None else as_integer(epochs, "epochs", 0)
        names = column_names(X)
        undo = snapshot(self)
        try:
            if self._has_weights and not self.warm_start:
                self._rebuild()
            self._check_names(X)
            x = self._samples(X, "X")
            v = None if validation is None else self._samples(validation, "validation")
            theirs = column_names(validation)
            if names is not None and theirs is not None and list(theirs) != list(names):
                raise ValueError(
                    "validation must have the columns of X, in their order: validation[X.columns]."
                )
            if v is not None and v.shape[1:] != x.shape[1:]:
                raise ValueError(
                    f"X has samples of shape {x.shape[1:]}, but validation of shape {v.shape[1:]}."
                )
            self._prepare(x)
            train(self, x, v, epochs)
        except Exception:
            undo()
            raise
        finally:
            self.eval()
        if names is not None:
            self.feature_names_in_ = names
        return self

    def _prepare(self, X: Array) -> None:
        """Networks that fit the samples, and an optimiser for their parameters."""
        self._build_for(int(np.prod(X.shape[1:])))
        self._before_training()
        if self._sample_shape is None:
            self._try_one(X)
            self._sample_shape = X.shape[1:]
        if self._optimiser is None:
            self._optimiser = optim.Adam(self.parameters(), lr=self.lr)
        self._has_weights = True

    def transform(self, X: ArrayLike) -> Array:
        """Codes of samples, shape (n, n_components)."""
        Z = self._apply(self.encoder, self._known_samples(X))
        self._n_codes = Z.shape[1]
        return self._in_container(Z, X)

    def inverse_transform(self, Z: ArrayLike) -> Array:
        """Samples decoded from codes of shape (n, n_components)."""
        self._check_fitted()
        Z = as_codes(Z, self._dtype(), self._n_codes)
        return self._apply(lambda z: self._output(self.decoder(z)), Z)

    def reconstruct(self, X: ArrayLike) -> Array:
        """``h(x) = g(f(x))``: samples passed through the code, of their own shape."""
        return self._apply(self.forward, self._known_samples(X))

    def reconstruction_error(self, X: ArrayLike) -> Array:
        """Error of each sample, summed over its features, shape (n,); cross-entropy in nats."""
        X = self._known_samples(X)
        a = self._apply(lambda x: self.decoder(self.encoder(x)), X).reshape(len(X), -1)
        x = X.reshape(len(X), -1)
        if self.loss == "cross_entropy":
            # softplus(a) - x a, without overflow
            return (np.maximum(a, 0) - x * a + np.log1p(np.exp(-np.abs(a)))).sum(1)
        return ((a - x) ** 2).sum(1)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Minus the mean reconstruction error: larger is better, as everywhere in scikit-learn."""
        return -float(self.reconstruction_error(X).mean())

    # ---- checks -----------------------------------------------------------------------------

    def _apply(self, f: Any, X: Array) -> Array:
        """``f`` on all samples in pieces, without a graph and in evaluation mode."""
        was_training = self.training
        self.eval()
        try:
            with no_grad():
                size = max(self.batch_size, 500)
                return np.concatenate([f(X[i : i + size]).data for i in range(0, len(X), size)])
        finally:
            self.train(was_training)

    def _known_samples(self, X: ArrayLike) -> Array:
        """Samples for a network with weights, with the columns it was trained on."""
        self._check_fitted()
        self._check_names(X)
        return self._samples(X, "X")

    def _samples(self, X: ArrayLike, name: str) -> Array:
        """Samples in the dtype of the weights, of the shape seen before, finite."""
        X = as_samples(X, name, self._dtype())
        if self._sample_shape is not None:
            check_shape(X, name, self._sample_shape, type(self).__name__)
        if self.loss == "cross_entropy":
            check_probabilities(X, name)
        return X

    def _dtype(self) -> np.dtype[Any]:
        if self.encoder is None and self._recipe is not None:
            return self._recipe.dtype
        first = next(iter(self.parameters()), None)
        if first is None:
            raise ValueError("this autoencoder has no parameters, so there is nothing to train.")
        return np.dtype(first.dtype)

    def _check_fitted(self) -> None:
        if not self._has_weights:
            raise NotFittedError(
                "this autoencoder has random weights: call fit(X), or load_state_dict, first."
            )

    def _try_one(self, X: Array) -> None:
        """Send one sample through, to see that it fits and whether the code is narrow."""
        code = self._apply(self.encoder, X[:1])
        if code.ndim != 2:
            raise ValueError(
                f"the encoder must return codes of shape (n, n_components); it turns {X[:1].shape} "
                f"into {code.shape}."
            )
        self._n_codes = code.shape[1]
        x_hat = self._apply(self.decoder, code)
        if x_hat.shape[1:] != X.shape[1:]:
            raise ValueError(
                f"this network turns samples of shape {X.shape[1:]} into {x_hat.shape[1:]}: the "
                "decoder must return the shape of the samples."
            )
        if code.size >= X[0].size and self.corruption is None:
            warnings.warn(
                f"the code has {code.size} numbers for {X[0].size} features, so the network can "
                "copy its input and need not learn anything about it (lecture 05). Use a smaller "
                "code or a corruption.",
                stacklevel=4,
            )
