"""What a training loop needs beside the loop (lecture 04): mini-batches, progress, checkpoints.

The loop stays in the open:

    >>> for epoch in range(10):
    ...     for x, y in batches(X, Y, batch_size=64, rng=rng):
    ...         loss = ((model(x) - y) ** 2).mean()
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
"""

from nnlite.training._batches import batches
from nnlite.training._checkpoints import load_checkpoint, save_checkpoint
from nnlite.training._progress import progress

__all__ = ["batches", "load_checkpoint", "progress", "save_checkpoint"]
