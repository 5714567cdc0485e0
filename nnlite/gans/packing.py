"""Packing: the discriminator judges several samples at once (lecture 10)."""

from typing import Any

from nnlite._arguments import as_integer
from nnlite.nn import Module


class Pack(Module):
    """Join each m samples of a batch to one, along the features or channels (Lin et al. 2018).

    As the first layer of a discriminator it makes a packed GAN of any GAN: a generator that misses
    a mode gives itself away by what m samples have in common. The samples of a pack are independent
    because those of a batch are.

    Parameters
    ----------
    m : int
        Samples in a pack. The next layer takes m times as many features or channels.

    Examples
    --------
    >>> D = nn.Sequential(gans.Pack(2), nn.Linear(2 * 2, 128), nn.ReLU(), nn.Linear(128, 1))
    """

    def __init__(self, m: int) -> None:
        super().__init__()
        self.m = as_integer(m, "Pack: m", 1)

    def forward(self, x: Any) -> Any:
        """Samples (n, C, ...) to packs (n / m, m C, ...).

        Raises
        ------
        ValueError
            If the batch is no whole number of packs.
        """
        n = x.shape[0] if x.ndim > 1 else 0
        if not n or n % self.m:
            raise ValueError(
                f"Pack: x must be a batch (n, features, ...) with n a multiple of {self.m}, got "
                f"shape {x.shape}; choose a batch_size that {self.m} divides."
            )
        return x.reshape(n // self.m, self.m * x.shape[1], *x.shape[2:])

    def extra_repr(self) -> str:
        """``Pack(2)``."""
        return str(self.m)
