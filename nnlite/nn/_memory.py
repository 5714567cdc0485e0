"""Keep the memory of one training step for the next (a matter of speed only; lecture 08).

Every step of training allocates the same large arrays and frees them again. The C library of Linux
gives blocks above a threshold back to the system at once, and the next step has to fault in fresh
pages, which costs as much as a pass over the array. That threshold adapts: when a block above it is
freed, it rises to the size of the block (mallopt(3), M_MMAP_THRESHOLD, at most 32 MB), and up to
twice as much free memory is kept. Whoever frees one large array has adapted it, on purpose or not.
We do it on purpose, with a block that is never touched. Other systems are not affected.
"""

from functools import cache

import numpy as np

BLOCK = 31 * 2**20  #: bytes, just below the largest size to which the threshold adapts


@cache
def keep_freed_memory() -> None:
    """Allocate a block and free it, untouched: once, when the first parameter is made."""
    np.empty(BLOCK, np.uint8)
