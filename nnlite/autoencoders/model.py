"""The autoencoder: ``h(x) = g(f(x))``, trained to be close to ``x`` (lectures 03 to 06).

One class serves all kinds; what differs is the encoder and the decoder it is given
(:mod:`.builders`), the error it is trained on, and whether its input is spoiled first. Training is
the ten lines of lecture 04:

    for x in batches:                    # a mini-batch of clean samples
        x_tilde = corrupt(x)             # the same x, unless it is a denoising autoencoder
        x_hat = decoder(encoder(x_tilde))
        loss = error(x_hat, x)           # against the clean x
        loss.backward()
        optimiser.step()
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite import nn, optim
from nnlite.autoencoders.closed_forms import bernoulli_entropy
from nnlite.autoencoders.corruption import Corruption
from nnlite.engine import Tensor, no_grad
from nnlite.nn import functional as F
from nnlite.pca import NotFittedError
from nnlite.random import RNGLike, default_rng
from nnlite.training import batches, progress

Array = NDArray[Any]
_LOSSES = ("squared_error", "cross_entropy")


class Autoencoder(nn.Module):
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

    Attributes
    ----------
    loss_curve_ : list of float
        Mean training error of each epoch so far.
    validation_curve_ : list of float
        The same on the validation data, where given.
    n_features_in_ : int
        Number of features of one sample.

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
    ) -> None:
        super().__init__()
        if loss not in _LOSSES:
            raise ValueError(f"loss must be one of {', '.join(_LOSSES)}; got {loss!r}.")
        if corruption is not None and not callable(corruption):
            raise TypeError(
                f"corruption must be a function of (x, rng), as Masking(0.3); got {corruption!r}."
            )
        self.encoder = encoder
        self.decoder = decoder
        self.loss = loss
        self.corruption = corruption
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.verbose = verbose
        self._rng = default_rng(rng)
        self._optimiser: optim.Adam | None = None
        self.loss_curve_: list[float] = []
        self.validation_curve_: list[float] = []
        self._sample_shape: tuple[int, ...] | None = None

    # ---- the map ----------------------------------------------------------------------------

    def forward(self, x: Any) -> Tensor:
        """Reconstruction of ``x``, of the same shape."""
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

    # ---- scikit-learn's interface -----------------------------------------------------------

    @property
    def n_features_in_(self) -> int:
        """Number of features of one sample."""
        return int(np.prod(self._fitted_shape()))

    def fit(
        self,
        X: ArrayLike,
        y: None = None,
        *,
        epochs: int | None = None,
        validation: ArrayLike | None = None,
    ) -> "Autoencoder":
        """Train on samples; a second call goes on from where the first ended.

        Parameters
        ----------
        X : array_like of shape (n, ...)
            Samples, finite; between 0 and 1 for cross-entropy.
        y : ignored
            For scikit-learn's pipelines.
        epochs : int, optional
            Instead of the constructor's.
        validation : array_like of shape (m, ...), optional
            Samples whose error is recorded after each epoch.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are no samples, values are NaN or infinite, out of [0, 1] for cross-entropy, or
            of another shape than those seen before.

        Notes
        -----
        An interrupt (Ctrl-C, or the stop button of a notebook) ends training after the current
        batch and keeps the model as it is.
        """
        X = self._samples(X, "X")
        V = None if validation is None else self._samples(validation, "validation")
        if self._sample_shape is None:
            self._warn_if_it_can_copy(X)
            self._sample_shape = X.shape[1:]
            self._optimiser = optim.Adam(self.parameters(), lr=self.lr)
        epochs = self.epochs if epochs is None else epochs
        optimiser = self._optimiser
        assert optimiser is not None
        steps = epochs * -(-len(X) // self.batch_size)
        step = 0
        bar = progress(epochs, "epochs") if self.verbose else None
        self.train()
        try:
            for _ in bar or range(epochs):
                total = 0.0
                for x in batches(X, batch_size=self.batch_size, rng=self._rng):
                    optimiser.param_groups[0]["lr"] = _cosine(self.lr, step, steps)
                    total += self._train_on(x, optimiser) * len(x)
                    step += 1
                self.loss_curve_.append(total / len(X))
                if V is not None:
                    self.validation_curve_.append(-self.score(V))
                if bar:
                    bar.show(loss=self.loss_curve_[-1])
        except KeyboardInterrupt:
            warnings.warn(
                f"training interrupted after {step} of {steps} steps; the model is kept as it is.",
                stacklevel=2,
            )
        self.eval()
        return self

    def _train_on(self, x: Array, optimiser: optim.Adam) -> float:
        x_tilde = x if self.corruption is None else self.corruption(x, self._rng)
        optimiser.zero_grad()
        loss = self.error(self.decoder(self.encoder(x_tilde)), x)
        value = loss.item()
        if not np.isfinite(value):
            raise FloatingPointError(
                f"the loss became {value} after {len(self.loss_curve_)} epochs: the step size "
                f"lr={self.lr} is too large for this data. Try a tenth of it."
            )
        loss.backward()
        optimiser.step()
        return value

    def transform(self, X: ArrayLike) -> Array:
        """Codes of samples, shape (n, n_components)."""
        self._fitted_shape()
        return self._apply(self.encoder, self._samples(X, "X"))

    def fit_transform(self, X: ArrayLike, y: None = None) -> Array:
        """:meth:`fit`, then the codes of the same samples."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: ArrayLike) -> Array:
        """Samples decoded from codes of shape (n, n_components)."""
        self._fitted_shape()
        Z = np.asarray(Z)
        if Z.ndim != 2 or not len(Z) or not np.isfinite(Z).all():
            raise ValueError(
                f"codes must be a finite array of shape (n, n_components); got shape {Z.shape}."
            )
        return self._apply(lambda z: self._output(self.decoder(z)), Z)

    def reconstruct(self, X: ArrayLike) -> Array:
        """``h(x) = g(f(x))``: samples passed through the code, of their own shape."""
        self._fitted_shape()
        return self._apply(self.forward, self._samples(X, "X"))

    def reconstruction_error(self, X: ArrayLike) -> Array:
        """Error of each sample, summed over its features, shape (n,); cross-entropy in nats."""
        self._fitted_shape()
        X = self._samples(X, "X")
        a = self._apply(lambda x: self.decoder(self.encoder(x)), X).reshape(len(X), -1)
        x = X.reshape(len(X), -1)
        if self.loss == "cross_entropy":
            # softplus(a) - x a, without overflow
            return (np.maximum(a, 0) - x * a + np.log1p(np.exp(-np.abs(a)))).sum(1)
        return ((a - x) ** 2).sum(1)

    def score(self, X: ArrayLike, y: None = None) -> float:
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

    def _samples(self, X: ArrayLike, name: str) -> Array:
        X = np.asarray(X)
        if X.ndim < 2 or not X.size:
            raise ValueError(
                f"{name} must hold at least one sample per row, shape (n, features); got {X.shape}."
            )
        if X.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold numbers; got dtype {X.dtype}.")
        X = X.astype(next(iter(self.parameters())).dtype, copy=False)
        if self._sample_shape is not None and X.shape[1:] != self._sample_shape:
            raise ValueError(
                f"{name} has samples of shape {X.shape[1:]}; this autoencoder was trained on "
                f"{self._sample_shape}."
            )
        if not np.isfinite(X).all():
            raise ValueError(f"{name} contains NaN or infinity; remove or fill those values first.")
        if self.loss == "cross_entropy" and not (X.min() >= 0 and X.max() <= 1):
            raise ValueError(
                f"cross-entropy takes features as probabilities in [0, 1]; {name} ranges from "
                f"{X.min():.3g} to {X.max():.3g}. Rescale, or use loss='squared_error'."
            )
        return X

    def _fitted_shape(self) -> tuple[int, ...]:
        if self._sample_shape is None:
            raise NotFittedError("this autoencoder is not fitted yet: call fit(X) first.")
        return self._sample_shape

    def _warn_if_it_can_copy(self, X: Array) -> None:
        with no_grad():
            code = self.encoder(X[:1])
        width, features = code.data.size, X[0].size
        if width >= features and self.corruption is None:
            warnings.warn(
                f"the code has {width} numbers for {features} features, so the network can copy "
                "its input and need not learn anything about it (lecture 05). Use a smaller code "
                "or a corruption.",
                stacklevel=3,
            )


def entropy_floor(X: ArrayLike) -> float:
    """The cross-entropy that no reconstruction of X gets below: mean entropy of a sample in nats.

    It is 0 only for samples of pure zeros and ones; for grey digits it is a good part of the loss
    (lecture 04).
    """
    return float(bernoulli_entropy(X).reshape(len(np.asarray(X)), -1).sum(1).mean())


def _cosine(lr: float, step: int, steps: int) -> float:
    """Half a cosine from lr to 0 (Loshchilov & Hutter 2017, eq. 5 without restarts)."""
    return lr * 0.5 * (1 + np.cos(np.pi * step / steps))
