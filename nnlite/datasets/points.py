"""Point clouds with known answers.

Each function returns points (n, d) in float64; ``return_latent=True`` adds what produced each
point (position on the curve, number of the mode), which is what a good code should recover.
Used in lectures 02 (cloud), 03 (spectra), 04 (parabola, circle, Swiss roll), 06 (moons) and
09-11 (ring, grid).
"""

from __future__ import annotations

import numpy as np

from nnlite._arguments import as_array, as_integer, as_number
from nnlite.datasets._checks import symmetric
from nnlite.datasets.mixtures import grid_mixture, ring_mixture
from nnlite.random import RNGLike, default_rng

Cloud = np.ndarray | tuple[np.ndarray, np.ndarray]


def gaussian_cloud(
    n: int = 300,
    *,
    mean: np.typing.ArrayLike = 0.0,
    covariance: np.typing.ArrayLike = ((1.9, 1.1), (1.1, 1.0)),
    exact: bool = False,
    rng: RNGLike | None = None,
) -> np.ndarray:
    """Gaussian points in as many dimensions as ``covariance`` has (default: a tilted 2-D cloud).

    Parameters
    ----------
    n : int
        Number of points.
    mean : array_like, (d,) or a number
        Centre; a number is repeated.
    covariance : array_like, (d, d) or (d,)
        Symmetric, no negative eigenvalue. A vector is a spectrum: independent coordinates with
        these variances.
    exact : bool
        Shift, rotate and stretch the sample so that its own mean and covariance (with 1/n) are
        exactly ``mean`` and ``covariance``, to rounding. Then closed forms hold without sampling
        error; the points are no longer independent. Needs ``n > d``.
    rng : int, Generator or None

    Returns
    -------
    ndarray, (n, d)

    Raises
    ------
    ValueError
        If the shapes disagree, the covariance is not symmetric positive semidefinite, or
        ``exact`` is asked of too few points.
    """
    n, rng = as_integer(n, "n", 1), default_rng(rng)
    C = as_array(covariance, "covariance", np.float64)
    if C.ndim == 1:
        C = np.diag(C)
    if C.ndim != 2 or C.shape[0] != C.shape[1] or not C.size:
        raise ValueError(f"covariance must be (d, d), or (d,) variances; got shape {C.shape}.")
    d = len(C)
    if not np.isfinite(C).all() or not symmetric(C):
        raise ValueError("covariance must be finite and symmetric.")
    mu = as_array(mean, "mean", np.float64)
    if mu.shape not in ((), (d,)) or not np.isfinite(mu).all():
        raise ValueError(
            f"mean must be a finite number or ({d},) to match the covariance; got shape {mu.shape}."
        )
    lam, U = np.linalg.eigh(C)
    if lam[0] < -1e-12 * max(lam[-1], 0.0):
        raise ValueError(f"covariance must not have a negative eigenvalue; got {lam[0]:.3g}.")
    z = rng.standard_normal((n, d))
    if exact:
        if n <= d:
            raise ValueError(f"exact=True needs more points than dimensions; got n={n}, d={d}.")
        z -= z.mean(axis=0)
        L = np.linalg.cholesky(z.T @ z / n)
        z = np.linalg.solve(L, z.T).T  # now z'z/n = I
    return mu + z @ (U * np.sqrt(np.clip(lam, 0, None))).T


def ring_of_gaussians(
    n: int = 1000,
    *,
    n_modes: int = 8,
    radius: float = 1.0,
    sigma: float = 0.01,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """Samples of :func:`ring_mixture`: equal blobs on a circle (PacGAN's ring by default).

    Parameters
    ----------
    n, n_modes : int
        Points and modes.
    radius, sigma : float
        Of the circle, and the standard deviation of a mode along each axis.
    rng : int, Generator or None
    return_latent : bool
        Also return the number of each point's mode, (n,) intp.

    Returns
    -------
    ndarray, (n, 2), or (points, modes)
    """
    mixture = ring_mixture(n_modes, radius=radius, sigma=sigma)
    return mixture.sample(n, rng=rng, return_labels=return_latent)


def grid_of_gaussians(
    n: int = 1000,
    *,
    side: int = 5,
    spacing: float = 2.0,
    sigma: float = 0.05,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """Samples of :func:`grid_mixture`: equal blobs on a square grid (PacGAN's 25 by default).

    Parameters
    ----------
    n, side : int
        Points, and modes per axis.
    spacing, sigma : float
        Distance of neighbouring modes, and standard deviation of a mode along each axis.
    rng : int, Generator or None
    return_latent : bool
        Also return the number of each point's mode, (n,) intp.

    Returns
    -------
    ndarray, (n, 2), or (points, modes)
    """
    mixture = grid_mixture(side, spacing=spacing, sigma=sigma)
    return mixture.sample(n, rng=rng, return_labels=return_latent)


def parabola(
    n: int = 256,
    *,
    curvature: float = 1.0,
    noise: float = 0.0,
    grid: bool = False,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """Points (t, curvature t^2) with t uniform on (-1, 1).

    For curvature 1 the population variances are 1/3 and 4/45 and the covariance is diagonal, so
    one principal component leaves an error of exactly 4/45.

    Parameters
    ----------
    n : int
    curvature : float
    noise : float
        Standard deviation of Gaussian noise added to both coordinates.
    grid : bool
        Take the midpoints t_i = (2i + 1)/n - 1 instead of random t: no sampling error.
    rng : int, Generator or None
        Not used when ``grid`` is true and ``noise`` is 0.
    return_latent : bool
        Also return t, (n,).

    Returns
    -------
    ndarray, (n, 2), or (points, t)
    """
    n, rng = as_integer(n, "n", 1), default_rng(rng)
    curvature = as_number(curvature, "curvature")
    t = (2 * np.arange(n) + 1) / n - 1 if grid else rng.uniform(-1, 1, n)
    x = np.stack([t, curvature * t**2], axis=1)
    return _finish(x, t, noise, rng, return_latent)


def circle(
    n: int = 256,
    *,
    radius: float = 1.0,
    noise: float = 0.0,
    grid: bool = False,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """Points on a circle around the origin: the closed curve no continuous 1-D code can follow.

    Parameters
    ----------
    n : int
    radius : float
    noise : float
        Standard deviation of Gaussian noise added to both coordinates.
    grid : bool
        Equally spaced angles instead of random ones.
    rng : int, Generator or None
    return_latent : bool
        Also return the angle in radians, (n,), in [0, 2 pi).

    Returns
    -------
    ndarray, (n, 2), or (points, angles)
    """
    n, rng = as_integer(n, "n", 1), default_rng(rng)
    radius = as_number(radius, "radius", 0)
    angle = 2 * np.pi * (np.arange(n) / n if grid else rng.random(n))
    x = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _finish(x, angle, noise, rng, return_latent)


def swiss_roll(
    n: int = 2000,
    *,
    t_range: tuple[float, float] = (1.5 * np.pi, 4.5 * np.pi),
    height: float = 21.0,
    noise: float = 0.0,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """A rolled-up rectangle (t cos t, h, t sin t), the usual curved surface in three dimensions.

    Uniform in the angle t and the height h, hence denser (per area) where the roll is tight. The
    defaults are the usual roll; ``t_range=(1.5 * np.pi, 3.5 * np.pi), height=10`` is the shorter
    one that a small autoencoder can unroll.

    Parameters
    ----------
    n : int
    t_range : (float, float)
        First and last roll angle in radians.
    height : float
        Width of the rectangle: h is uniform on (0, height).
    noise : float
        Standard deviation of Gaussian noise added to all three coordinates.
    rng : int, Generator or None
    return_latent : bool
        Also return (t, h), (n, 2).

    Returns
    -------
    ndarray, (n, 3), or (points, coordinates)

    References
    ----------
    Tenenbaum, de Silva and Langford (2000), A global geometric framework for nonlinear
    dimensionality reduction, Science 290.
    """
    n, rng = as_integer(n, "n", 1), default_rng(rng)
    ends = as_array(t_range, "t_range", np.float64)
    if ends.shape != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1]:
        raise ValueError(f"t_range must be (first, last) with first < last; got {t_range}.")
    first, last = ends
    height = as_number(height, "height", 0)
    t, h = rng.uniform(first, last, n), rng.uniform(0, height, n)
    x = np.stack([t * np.cos(t), h, t * np.sin(t)], axis=1)
    return _finish(x, np.stack([t, h], axis=1), noise, rng, return_latent)


def two_moons(
    n: int = 500,
    *,
    noise: float = 0.05,
    rng: RNGLike | None = None,
    return_latent: bool = False,
) -> Cloud:
    """Two interleaved half circles of radius 1.

    Parameters
    ----------
    n : int
        Points in all; the first moon gets the odd one.
    noise : float
        Standard deviation of Gaussian noise added to both coordinates.
    rng : int, Generator or None
    return_latent : bool
        Also return which moon, (n,) intp: 0 for the upper arc around (0, 0), 1 for the lower
        arc around (1, 0.5).

    Returns
    -------
    ndarray, (n, 2), or (points, moons), in random order
    """
    n, rng = as_integer(n, "n", 1), default_rng(rng)
    moon = rng.permutation(np.arange(n, dtype=np.intp) % 2)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    x = np.where(moon[:, None] == 0, upper, lower)
    return _finish(x, moon, noise, rng, return_latent)


def _finish(
    x: np.ndarray, latent: np.ndarray, noise: float, rng: np.random.Generator, return_latent: bool
) -> Cloud:
    noise = as_number(noise, "noise", 0)
    if noise > 0:
        x = x + noise * rng.standard_normal(x.shape)
    return (x, latent) if return_latent else x
