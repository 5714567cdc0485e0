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
from collections.abc import Mapping
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
        if not isinstance(lr, int | float | np.number) or not 0 <= lr < np.inf:
            raise ValueError(f"lr must be a finite number of at least 0; got {lr!r}.")
        self.encoder = encoder
        self.decoder = decoder
        self.loss = loss
        self.corruption = corruption
        self.epochs = _count(epochs, "epochs", 0)
        self.batch_size = _count(batch_size, "batch_size", 1)
        self.lr = lr
        self.verbose = verbose
        self._rng = default_rng(rng)
        self._optimiser: optim.Adam | None = None
        self.loss_curve_: list[float] = []
        self.validation_curve_: list[float] = []
        self._sample_shape: tuple[int, ...] | None = None
        self._has_weights = False  # trained or loaded, rather than random

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

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Any:
        """Copy weights in, as :meth:`nn.Module.load_state_dict`; no ``fit`` is needed then."""
        keys = super().load_state_dict(state_dict, strict)
        self._has_weights = True
        return keys

    # ---- scikit-learn's interface -----------------------------------------------------------

    @property
    def n_features_in_(self) -> int:
        """Number of features of one sample."""
        if self._sample_shape is None:
            raise NotFittedError("this autoencoder has not seen data yet: call fit(X) first.")
        return int(np.prod(self._sample_shape))

    def __sklearn_is_fitted__(self) -> bool:
        return self._has_weights

    def __sklearn_tags__(self) -> Any:
        # only scikit-learn's pipelines ask for this, so it is there to be imported
        from sklearn.base import BaseEstimator, TransformerMixin

        return type("_Transformer", (TransformerMixin, BaseEstimator), {})().__sklearn_tags__()

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
        batch and keeps the model as it is.
        """
        epochs = self.epochs if epochs is None else _count(epochs, "epochs", 0)
        X = self._samples(X, "X")
        V = None if validation is None else self._samples(validation, "validation")
        if V is not None and V.shape[1:] != X.shape[1:]:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}, but validation of shape {V.shape[1:]}."
            )
        if self._sample_shape is None:
            self._try_one(X)
            self._sample_shape = X.shape[1:]
        if self._optimiser is None:
            self._optimiser = optim.Adam(self.parameters(), lr=self.lr)
        optimiser = self._optimiser
        self._has_weights = True
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

    # NumPy's warning of an overflow would come first, and say less than the error below.
    @np.errstate(over="ignore", invalid="ignore")
    def _train_on(self, x: Array, optimiser: optim.Adam) -> float:
        x_tilde = x if self.corruption is None else self._corrupted(x)
        optimiser.zero_grad()
        loss = self.error(self.decoder(self.encoder(x_tilde)), x)
        value = loss.item()
        if not np.isfinite(value):
            raise FloatingPointError(
                f"the loss became {value} after {len(self.loss_curve_)} epochs: either the step "
                f"size lr={self.lr} is too large for this data (try a tenth of it), or the data "
                f"are: the largest value of this batch is {np.abs(x).max():.3g} (rescale to 1)."
            )
        loss.backward()
        optimiser.step()
        return value

    def _corrupted(self, x: Array) -> Array:
        """A spoiled copy: the clean batch stays the target, also if the corruption edits it."""
        assert self.corruption is not None
        x_tilde: Any = self.corruption(x.copy(), self._rng)
        x_tilde = np.asarray(x_tilde.data if isinstance(x_tilde, Tensor) else x_tilde)
        if x_tilde.shape != x.shape or x_tilde.dtype.kind not in "fiub":
            raise ValueError(
                f"the corruption must return numbers of the shape it was given, {x.shape}; it "
                f"returned shape {x_tilde.shape}, dtype {x_tilde.dtype}. (Does it have a return?)"
            )
        x_tilde = x_tilde.astype(x.dtype, copy=False)
        if not np.isfinite(x_tilde).all():
            raise ValueError(f"the corruption {self.corruption!r} returned NaN or infinity.")
        return x_tilde

    def transform(self, X: ArrayLike) -> Array:
        """Codes of samples, shape (n, n_components)."""
        self._check_fitted()
        return self._apply(self.encoder, self._samples(X, "X"))

    def fit_transform(self, X: ArrayLike, y: None = None) -> Array:
        """:meth:`fit`, then the codes of the same samples."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: ArrayLike) -> Array:
        """Samples decoded from codes of shape (n, n_components)."""
        self._check_fitted()
        Z = np.asarray(Z)
        if Z.ndim != 2 or not len(Z) or Z.dtype.kind not in "fiub" or not np.isfinite(Z).all():
            raise ValueError(
                "codes must be a finite array of numbers, shape (n, n_components); got shape "
                f"{Z.shape}, dtype {Z.dtype}."
            )
        Z = Z.astype(self._dtype(), copy=False)
        return self._apply(lambda z: self._output(self.decoder(z)), Z)

    def reconstruct(self, X: ArrayLike) -> Array:
        """``h(x) = g(f(x))``: samples passed through the code, of their own shape."""
        self._check_fitted()
        return self._apply(self.forward, self._samples(X, "X"))

    def reconstruction_error(self, X: ArrayLike) -> Array:
        """Error of each sample, summed over its features, shape (n,); cross-entropy in nats."""
        self._check_fitted()
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
                f"{name} must hold at least one sample per row, shape (n, features); got "
                f"{X.shape}. A single sample x is X = x[None]."
            )
        if X.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold numbers; got dtype {X.dtype}.")
        if not np.isfinite(X).all():
            raise ValueError(f"{name} contains NaN or infinity; remove or fill those values first.")
        dtype = self._dtype()
        largest = np.abs(X).max() if X.dtype.kind == "f" else 0
        if largest > np.finfo(dtype).max:
            raise ValueError(f"{name} reaches {largest:.3g}, too large for {dtype}: rescale it.")
        X = X.astype(dtype, copy=False)
        if self._sample_shape is not None and X.shape[1:] != self._sample_shape:
            raise ValueError(
                f"{name} has samples of shape {X.shape[1:]}; this autoencoder was trained on "
                f"{self._sample_shape}."
            )
        if self.loss == "cross_entropy" and not (X.min() >= 0 and X.max() <= 1):
            raise ValueError(
                f"cross-entropy takes features as probabilities in [0, 1]; {name} ranges from "
                f"{X.min():.3g} to {X.max():.3g}. Rescale, or use loss='squared_error'."
            )
        return X

    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(next(iter(self.parameters())).dtype)

    def _check_fitted(self) -> None:
        if not self._has_weights:
            raise NotFittedError(
                "this autoencoder has random weights: call fit(X), or load_state_dict, first."
            )

    def _try_one(self, X: Array) -> None:
        """Send one sample through, to see that it fits and whether the code is narrow."""
        code = self._apply(self.encoder, X[:1])
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
                stacklevel=3,
            )


def entropy_floor(X: ArrayLike) -> float:
    """The cross-entropy that no reconstruction of X gets below: mean entropy of a sample in nats.

    It is 0 only for samples of pure zeros and ones; for grey digits it is a good part of the loss
    (lecture 04).
    """
    H = bernoulli_entropy(X)
    if H.ndim < 2 or not H.size:
        raise ValueError(f"X must hold at least one sample per row; got shape {H.shape}.")
    return float(H.reshape(len(H), -1).sum(1).mean())


def _count(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}; got {value!r}.")
    return int(value)


def _cosine(lr: float, step: int, steps: int) -> float:
    """Half a cosine from lr to 0 (Loshchilov & Hutter 2017, eq. 5 without restarts)."""
    return lr * 0.5 * (1 + np.cos(np.pi * step / steps))
