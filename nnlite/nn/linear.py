"""Dense layers and reshaping (lecture 03 derives the dense layer and its gradients)."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.engine.state import no_grad
from nnlite.nn import functional as F
from nnlite.nn import init
from nnlite.nn._checks import (
    as_axis,
    check_device,
    check_flags,
    check_integer,
    check_sizes,
    is_integer,
)
from nnlite.nn._inputs import as_tensor
from nnlite.nn.functional.layers import activated_linear
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter
from nnlite.ops import image
from nnlite.random import RNGLike, default_rng


class Identity(Module):
    """What goes in comes out; arguments of the constructor are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``input``."""
        return input


class Linear(Module):
    """``y = x W^T + b``: (..., in_features) -> (..., out_features).

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is a ``b``.
    dtype : {"float32", "float64"}, optional
    rng : seed or Generator, optional
        For the initial values, uniform within 1/sqrt(in_features).

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        rng: RNGLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        check_flags("Linear", bias=bias)
        check_device("Linear", device)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(np.zeros((out_features, in_features)), dtype=dtype)
        self.bias = Parameter(np.zeros(out_features), dtype=dtype) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RNGLike | None = None) -> None:
        """Draw new initial values."""
        rng = default_rng(rng)
        init.fan_in_uniform_(self.weight, self.in_features, rng=rng)
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, self.in_features, rng=rng)

    def forward(self, input: Any) -> Any:
        """(..., in_features) -> (..., out_features)."""
        return activated_linear(input, self.weight, self.bias, None)

    def forward_with_activation(self, input: Any, slope: float) -> Any:
        """``forward``, then LeakyReLU with this slope, in one pass (used by Sequential)."""
        return activated_linear(input, self.weight, self.bias, slope)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """A table of vectors: integers (...) -> (..., embedding_dim).

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        This row starts at zero and is not trained.
    dtype, rng
        As in :class:`Linear`; initial values are standard normal.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: DTypeLike | None = None,
        rng: RNGLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        check_device("Embedding", device)
        if padding_idx is not None:
            check_integer("Embedding", "padding_idx", padding_idx)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: padding_idx must be one of {num_embeddings} rows; got {padding_idx}."
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim)), dtype=dtype)
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RNGLike | None = None) -> None:
        """Draw new initial values."""
        init.normal_(self.weight, rng=rng)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Any) -> Any:
        """Integer positions of any shape."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Flatten(Module):
    """Axes ``start_dim`` to ``end_dim`` joined into one: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        check_integer("Flatten", "start_dim", start_dim)
        check_integer("Flatten", "end_dim", end_dim)
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Any:
        """Entries are read in the order of the index."""
        x = as_tensor(input)
        start = as_axis(self.start_dim, x.ndim, "Flatten: start_dim")
        end = as_axis(self.end_dim, x.ndim, "Flatten: end_dim")
        if start > end:
            raise ValueError(
                f"Flatten: start_dim={self.start_dim} lies behind end_dim={self.end_dim} for shape "
                f"{x.shape}."
            )
        if (x.ndim, start, end) == (4, 1, 3):
            return image.flatten_images(x)
        joined = math.prod(x.shape[start : end + 1])
        return x.reshape(*x.shape[:start], joined, *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis split into several: ``nn.Unflatten(1, (128, 7, 7))`` makes images of rows."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        check_integer("Unflatten", "dim", dim)
        if not isinstance(unflattened_size, tuple | list) or not _are_lengths(unflattened_size):
            raise ValueError(
                "Unflatten: unflattened_size is a tuple of integers, of which one may be -1; "
                f"got {unflattened_size!r}."
            )
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        """Entries are read in the order of the index."""
        x = as_tensor(input)
        dim = as_axis(self.dim, x.ndim, "Unflatten: dim")
        size = self.unflattened_size
        known = math.prod(n for n in size if n != -1)
        if x.shape[dim] % max(known, 1) if -1 in size else known != x.shape[dim]:
            raise ValueError(
                f"Unflatten: {size} has {known} entries, axis {self.dim} of shape "
                f"{x.shape} has {x.shape[dim]}."
            )
        if (x.ndim, dim, len(size)) == (2, 1, 3) and -1 not in size:
            return image.unflatten_images(x, shape=size)
        return x.reshape(*x.shape[:dim], *size, *x.shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _are_lengths(size: Any) -> bool:
    """Lengths of axes, of which at most one (-1) is left open."""
    open_ends = [n for n in size if is_integer(n) and n == -1]
    return (
        len(size) > 0
        and len(open_ends) <= 1
        and all(is_integer(n) and (n >= 0 or n == -1) for n in size)
    )
