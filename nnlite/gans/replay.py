"""A memory of old fakes, of which the discriminator is reminded (lecture 11)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite._arguments import as_array, as_integer, as_number

Array = NDArray[Any]


class ReplayBuffer:
    """Show the discriminator a share of old fakes (Shrivastava et al. 2017, section 2.3).

    New fakes take the place of random old ones, so the age of what is remembered has a geometric
    law. In the Dirac-GAN this makes the equilibrium unstable for any share above 0; lecture 11 has
    the proof.

    Parameters
    ----------
    size : int
        Fakes that are remembered.
    share : float
        Probability with which a fake of a batch is replaced by an old one.

    Raises
    ------
    TypeError
        If size is no integer, or share no number.
    ValueError
        If size is less than 1, or share not between 0 and 1.
    """

    def __init__(self, size: int, share: float = 0.5) -> None:
        self.size = as_integer(size, "ReplayBuffer: size", 1)
        self.share = as_number(share, "ReplayBuffer: share", 0, 1)
        self._memory: Array | None = None

    def __repr__(self) -> str:
        return f"ReplayBuffer({self.size}, {self.share})"

    def __len__(self) -> int:
        return 0 if self._memory is None else len(self._memory)

    def mix(self, fake: Array, rng: np.random.Generator) -> Array:
        """Fakes (n, ...) of which some are replaced by old ones; all of them are remembered."""
        mixed = fake
        if self._memory is not None:
            old = rng.random(len(fake)) < self.share  # each on its own: packs stay independent
            mixed = fake.copy()  # the new ones are remembered as they are
            mixed[old] = self._memory[rng.integers(len(self._memory), size=int(old.sum()))]
        self._remember(fake, rng)
        return mixed

    def _remember(self, fake: Array, rng: np.random.Generator) -> None:
        free = self.size - len(self)
        first, rest = fake[:free], fake[free:]
        if len(first):
            old = [] if self._memory is None else [self._memory]
            self._memory = np.concatenate([*old, first])
        if self._memory is not None and len(rest):
            self._memory[rng.integers(len(self._memory), size=len(rest))] = rest

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, as a copy."""
        return {"memory": None if self._memory is None else self._memory.copy()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to what was remembered.

        Raises
        ------
        ValueError
            If it is more than this buffer holds.
        """
        memory = state_dict["memory"]
        if memory is not None and len(memory) > self.size:
            raise ValueError(
                f"ReplayBuffer: the saved memory must have at most {self.size} fakes, got "
                f"{len(memory)}; make the buffer with size={len(memory)}."
            )
        self._memory = None if memory is None else as_array(memory, "the saved memory").copy()
