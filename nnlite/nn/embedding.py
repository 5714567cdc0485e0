"""A table of vectors, one for each of some integers."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite._arguments import as_integer
from nnlite.engine.state import no_grad
from nnlite.nn import functional as F
from nnlite.nn import init
from nnlite.nn._checks import check_device
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter
from nnlite.random import RNGLike


class Embedding(Module):
    """A table of vectors: integers (...) -> (..., embedding_dim).

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        This row starts at zero and is not trained.
    dtype, rng
        As in :class:`nnlite.nn.Linear`; initial values are standard normal.
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
        num_embeddings = as_integer(num_embeddings, "Embedding: num_embeddings", 1)
        embedding_dim = as_integer(embedding_dim, "Embedding: embedding_dim", 1)
        check_device("Embedding", device)
        if padding_idx is not None:
            padding_idx = as_integer(padding_idx, "Embedding: padding_idx")
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
