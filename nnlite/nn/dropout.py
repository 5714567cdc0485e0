"""Dropout (lecture 08): noise in training that evaluation leaves out (Srivastava et al. 2014)."""

from typing import Any

from nnlite._arguments import as_number
from nnlite.nn import functional as F
from nnlite.nn._checks import check_flags
from nnlite.nn.module import Module
from nnlite.random import RNGLike, default_rng


class Dropout(Module):
    """In training, set entries to 0 with probability ``p`` and divide the others by 1 - p.

    Parameters
    ----------
    p : float
    inplace : bool
        Accepted, without effect.
    rng : seed or Generator, optional
        Where the masks come from; by default the library's generator (:func:`nnlite.seed`).
    """

    def __init__(
        self, p: float = 0.5, inplace: bool = False, *, rng: RNGLike | None = None
    ) -> None:
        super().__init__()
        self.p = as_number(p, f"{type(self).__name__}: p", 0, 1)
        check_flags(type(self).__name__, inplace=inplace)
        self.inplace = inplace
        # A seed makes one generator here, which then advances; None is looked up at every call.
        self.rng = None if rng is None else default_rng(rng)

    def forward(self, input: Any) -> Any:
        """The result has the shape of ``input``."""
        return F.dropout(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """In training, set whole channels of images (N, C, H, W) to 0 with probability ``p``."""

    def forward(self, input: Any) -> Any:
        """The result has the shape of ``input``."""
        return F.dropout2d(input, self.p, self.training, rng=self.rng)
