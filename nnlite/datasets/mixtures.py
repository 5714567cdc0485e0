r"""Gaussian mixtures whose density, score and optimal denoiser are known exactly.

For :math:`p(x)=\sum_k w_k N(x;\mu_k,\Sigma_k)` with responsibilities
:math:`r_k(x)=w_kN(x;\mu_k,\Sigma_k)/p(x)` and :math:`g_k(x)=-\Sigma_k^{-1}(x-\mu_k)`,

.. math:: \nabla\log p=\sum_k r_kg_k,\qquad
   \nabla^2\log p=\sum_k r_k(g_kg_k^\top-\Sigma_k^{-1})-\nabla\log p\,\nabla\log p^\top .

Adding Gaussian noise of standard deviation :math:`\sigma` only adds :math:`\sigma^2I` to each
covariance, so the noisy density is a mixture too. That makes these clouds the yardstick for a
learned score (lecture 06), a learned discriminator (09) and a learned sampler (10, 11).
"""

from __future__ import annotations

import numpy as np

from nnlite._arguments import as_array, as_integer, as_number
from nnlite.datasets._checks import points, symmetric
from nnlite.random import RNGLike, default_rng


class GaussianMixture:
    """A mixture of Gaussians in d dimensions, nothing estimated.

    Parameters
    ----------
    weights : array_like, (K,)
        Probabilities of the components; positive, summing to 1.
    means : array_like, (K, d)
        Centres.
    covariances : array_like
        (K, d, d): one matrix per component; (d, d): the same for all; (K,) or a number: the
        *variance* of isotropic components (square a standard deviation first).

    Attributes
    ----------
    weights : ndarray (K,)
    means : ndarray (K, d)
    covariances : ndarray (K, d, d)

    Raises
    ------
    ValueError
        If shapes disagree, weights are not a distribution, or a covariance is not symmetric
        positive definite.

    Notes
    -----
    Its namesake :class:`nnlite.likelihood.GaussianMixture` finds these parameters in data. What it
    found gives a mixture of this kind, with score and denoiser, by
    ``GaussianMixture(fit.weights_, fit.means_, fit.covariances_)``.
    """

    def __init__(
        self,
        weights: np.typing.ArrayLike,
        means: np.typing.ArrayLike,
        covariances: np.typing.ArrayLike,
    ) -> None:
        self.weights = as_array(weights, "weights").astype(np.float64)
        self.means = as_array(means, "means").astype(np.float64)
        if (
            self.means.ndim != 2
            or not self.means.size
            or self.weights.shape != self.means.shape[:1]
        ):
            raise ValueError(
                f"weights must be (K,) and means (K, d); got {self.weights.shape} and "
                f"{self.means.shape}."
            )
        if not (self.weights > 0).all() or abs(self.weights.sum() - 1) > 1e-9:
            raise ValueError(
                f"weights must be positive and sum to 1; got {self.weights} "
                f"(sum {self.weights.sum():.6g}); divide by their sum."
            )
        K, d = self.means.shape
        self.covariances = _as_matrices(as_array(covariances, "covariances", np.float64), K, d)
        if not np.isfinite(self.means).all() or not np.isfinite(self.covariances).all():
            raise ValueError("means and covariances must be finite.")
        if not symmetric(self.covariances):
            raise ValueError("covariances must be symmetric.")
        self._cholesky = _cholesky(self.covariances)
        self._precision = np.linalg.inv(self.covariances)
        if not np.isfinite(self._precision).all():
            raise ValueError(
                f"covariances are too small to be inverted: the smallest variance is "
                f"{self.covariances.diagonal(axis1=1, axis2=2).min():.3g}; rescale the data."
            )
        self._log_norm = -0.5 * (
            d * np.log(2 * np.pi) + np.linalg.slogdet(self.covariances).logabsdet
        )

    def __repr__(self) -> str:
        K, d = self.means.shape
        return f"GaussianMixture({K} components in {d} dimensions)"

    def sample(
        self, n: int, *, rng: RNGLike | None = None, return_labels: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Draw ``n`` points, (n, d); with ``return_labels`` also their components, (n,) intp."""
        n, rng = as_integer(n, "n", 0), default_rng(rng)
        p = self.weights / self.weights.sum()
        k = rng.choice(len(p), n, p=p).astype(np.intp, copy=False)  # what np.bincount takes
        noise = rng.standard_normal((n, self.means.shape[1]))
        x = self.means[k] + np.einsum("nij,nj->ni", self._cholesky[k], noise)
        return (x, k) if return_labels else x

    def log_density(self, x: np.typing.ArrayLike) -> np.ndarray:
        """The log-density log p(x), in nats, of points x (..., d); the result has shape (...)."""
        return self._evaluate(x)[0]

    def density(self, x: np.typing.ArrayLike) -> np.ndarray:
        """p(x) for points x of shape (..., d); the result has shape (...)."""
        return np.exp(self.log_density(x))

    def responsibilities(self, x: np.typing.ArrayLike) -> np.ndarray:
        """P(component k | x), shape (..., K)."""
        return self._evaluate(x)[1]

    def score(self, x: np.typing.ArrayLike) -> np.ndarray:
        """Gradient of log p at points (..., d), same shape.

        This is the score of *this* mixture. A denoiser trained with noise of standard deviation
        sigma learns the score of ``mixture.with_noise(sigma)``.
        """
        _, r, g = self._evaluate(x)
        return np.einsum("...k,...ki->...i", r, g)

    def hessian(self, x: np.typing.ArrayLike) -> np.ndarray:
        """Matrix of second derivatives of log p at points (..., d), shape (..., d, d)."""
        _, r, g = self._evaluate(x)
        s = np.einsum("...k,...ki->...i", r, g)
        second = np.einsum("...k,...ki,...kj->...ij", r, g, g)
        second -= np.einsum("...k,kij->...ij", r, self._precision)
        return second - s[..., :, None] * s[..., None, :]

    def with_noise(self, sigma: float) -> GaussianMixture:
        """The law of x + sigma n, n ~ N(0, I): each covariance gains sigma^2 I."""
        variance = as_number(sigma, "sigma", 0) ** 2
        d = self.means.shape[1]
        return GaussianMixture(self.weights, self.means, self.covariances + variance * np.eye(d))

    def denoise(self, x_noisy: np.typing.ArrayLike, sigma: float) -> np.ndarray:
        """The best reconstruction E[x | x_noisy] of points observed with noise ``sigma``.

        Tweedie's formula (Robbins 1956; Miyasawa 1961):
        ``x_noisy + sigma**2 * score of the noisy density``.
        """
        x_noisy = points(x_noisy, "x_noisy", self.means.shape[1])
        noisy = self.with_noise(sigma)
        return x_noisy + float(sigma) ** 2 * noisy.score(x_noisy)

    def _evaluate(self, x: np.typing.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-density (...), responsibilities (..., K) and scores of the components (..., K, d)."""
        x = points(x, "x", self.means.shape[1])
        difference = x[..., None, :] - self.means  # (..., K, d)
        g = -np.einsum("kij,...kj->...ki", self._precision, difference)
        with np.errstate(over="ignore"):  # refused in the next lines
            log_joint = np.log(self.weights) + self._log_norm + 0.5 * (difference * g).sum(-1)
        if not np.isfinite(log_joint).all():
            raise ValueError(
                f"x is so far away (up to {np.abs(x).max():.3g}) that its distance overflows."
            )
        top = log_joint.max(-1, keepdims=True)  # subtracted so that exp cannot underflow to 0/0
        r = np.exp(log_joint - top)
        total = r.sum(-1, keepdims=True)
        return (top + np.log(total))[..., 0], r / total, g


def ring_mixture(n_modes: int = 8, *, radius: float = 1.0, sigma: float = 0.01) -> GaussianMixture:
    """Equal Gaussians on a circle: mode k at angle 2 pi k / n_modes.

    The defaults are the ring of PacGAN (Lin, Khetan, Fanti and Oh 2018).

    Parameters
    ----------
    n_modes : int
    radius : float
        Distance of the centres from the origin.
    sigma : float
        Standard deviation of each mode along each axis (not the variance).
    """
    n_modes = as_integer(n_modes, "n_modes", 1)
    radius = as_number(radius, "radius", 0)
    sigma = as_number(sigma, "sigma", above=0)
    angle = 2 * np.pi * np.arange(n_modes) / n_modes  # linspace(0, 2 pi, n) would repeat angle 0
    centres = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return GaussianMixture(np.full(n_modes, 1 / n_modes), centres, sigma**2)


def grid_mixture(side: int = 5, *, spacing: float = 2.0, sigma: float = 0.05) -> GaussianMixture:
    """Equal Gaussians on a square grid of side x side centres around the origin.

    The defaults are the 25 modes at {-4, -2, 0, 2, 4}^2 of PacGAN (Lin et al. 2018).

    Parameters
    ----------
    side : int
        Modes per axis.
    spacing : float
        Distance between neighbouring centres.
    sigma : float
        Standard deviation of each mode along each axis (not the variance).
    """
    side = as_integer(side, "side", 1)
    spacing = as_number(spacing, "spacing", 0)
    sigma = as_number(sigma, "sigma", above=0)
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    centres = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return GaussianMixture(np.full(side**2, 1 / side**2), centres, sigma**2)


def three_blobs() -> GaussianMixture:
    """Two tilted ellipses and a disc of unequal weight: the test mixture of lecture 06."""
    ellipses = [_ellipse(0.5, 0.6, 0.15), _ellipse(-0.8, 0.5, 0.2), _ellipse(0.0, 0.3, 0.3)]
    centres = [[-1.5, 0.0], [1.5, 1.0], [0.5, -1.5]]
    return GaussianMixture([0.5, 0.3, 0.2], centres, ellipses)


def _ellipse(angle: float, major: float, minor: float) -> np.ndarray:
    """Covariance whose axes have standard deviations major and minor, turned by angle (radians)."""
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, -s], [s, c]])
    return (R * [major**2, minor**2]) @ R.T


def _cholesky(covariances: np.ndarray) -> np.ndarray:
    """(K, d, d): L L' = covariance, for positive definite ones only."""
    try:
        L = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        L = np.full_like(covariances, np.nan)
    if not np.isfinite(L).all():  # browsers get NaN in place of the error
        smallest = np.linalg.eigvalsh(covariances).min()
        raise ValueError(
            f"covariances must be positive definite, the smallest eigenvalue is {smallest:.3g}."
        )
    return L


def _as_matrices(covariances: np.ndarray, K: int, d: int) -> np.ndarray:
    """(K, d, d) from the accepted short forms."""
    if covariances.ndim <= 1 and covariances.shape in ((), (K,)):
        return np.broadcast_to(covariances, (K,))[:, None, None] * np.eye(d)
    if covariances.shape in ((d, d), (K, d, d)):
        return np.array(np.broadcast_to(covariances, (K, d, d)))
    raise ValueError(
        f"covariances must have shape ({K}, {d}, {d}), ({d}, {d}) or ({K},), or be one number "
        f"(a variance); got shape {covariances.shape}."
    )
