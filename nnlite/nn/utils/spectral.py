"""Spectral normalisation: a critic whose layers do not stretch (lecture 11, Miyato et al. 2018)."""

from typing import Any, TypeVar

import numpy as np

from nnlite import ops
from nnlite._arguments import as_integer, as_number
from nnlite.engine.tensor import Tensor
from nnlite.nn._checks import as_axis
from nnlite.nn.convolution import ConvTranspose2d
from nnlite.nn.module import Module
from nnlite.random import RNGLike, default_rng

M = TypeVar("M", bound=Module)


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    rng: RNGLike | None = None,
) -> M:
    """Divide a layer's weight by its largest singular value, from now on and at every use.

    The weight as a matrix W (axis ``dim`` against all others) has the largest singular value
    ``sigma = u^T W v``; u and v follow W by power iteration, ``v <- W^T u / |W^T u|``, ``u <- W v /
    |W v|``, once for each use in training. The layer's map then has a Lipschitz constant of about
    1.

    Parameters
    ----------
    module : Module
        A layer with a parameter ``name``. It is changed in place: the parameter is now called
        ``weight_orig``, the buffers ``weight_u`` and ``weight_v``, and ``weight`` is computed.
    n_power_iterations : int
    eps : float
        Added where a norm might be zero.
    dim : int, optional
        The axis of the outputs: 0, or 1 for a ConvTranspose2d.
    rng : seed or Generator, optional
        For the first u and v.

    Returns
    -------
    Module
        The same module.

    Notes
    -----
    The module gets a class of its own, made here, so it can be copied but not pickled; save its
    ``state_dict``.

    Raises
    ------
    ValueError
        If there is no such parameter, or it has less than two axes.
    """
    if not isinstance(module, Module):
        raise TypeError(f"spectral_norm takes a layer; got {type(module).__name__}.")
    n_power_iterations = as_integer(n_power_iterations, "spectral_norm: n_power_iterations", 1)
    eps = as_number(eps, "spectral_norm: eps", 0)
    weight = module._parameters.get(name)
    if weight is None or weight.ndim < 2:
        raise ValueError(
            f"spectral_norm: {type(module).__name__} has no parameter {name!r} with two or "
            f"more axes; it has {', '.join(module._parameters) or 'none'}."
        )
    if dim is None:
        dim = 1 if isinstance(module, ConvTranspose2d) else 0
    dim = as_axis(dim, weight.ndim, "spectral_norm: dim")
    rng = default_rng(rng)
    matrix = _matrix(weight.data, dim)
    delattr(module, name)
    setattr(module, f"{name}_orig", weight)
    for letter, n in zip("uv", matrix.shape, strict=True):
        vector = _unit(rng.standard_normal(n).astype(weight.dtype), eps)
        module.register_buffer(f"{name}_{letter}", vector)

    def normalised(self: Any) -> Tensor:
        w = getattr(self, f"{name}_orig")
        u, v = getattr(self, f"{name}_u"), getattr(self, f"{name}_v")
        matrix = _matrix(w.data, dim)
        if self.training:
            for _ in range(n_power_iterations):
                v[...] = _unit(matrix.T @ u, eps)
                u[...] = _unit(matrix @ v, eps)
        # u and v are constants here: by the envelope theorem the derivative of sigma is u v^T.
        # Copies, since a second use in training moves the buffers before backward has read them.
        sigma = np.copy(u) @ _matrix(w, dim) @ np.copy(v)
        return ops.divide(w, sigma)

    kind = type(module)
    # Code of the field asks for the class by name (`m.__class__.__name__.find("Conv")`): keep it.
    module.__class__ = type(kind.__name__, (kind,), {name: property(normalised)})
    return module


def _matrix(w: Any, dim: int) -> Any:
    """A weight as a matrix with the outputs as rows."""
    if dim:
        w = np.moveaxis(w, dim, 0)
    return w.reshape(w.shape[0], -1)


def _unit(x: np.ndarray, eps: float) -> np.ndarray:
    return x / max(float(np.linalg.norm(x)), eps)
