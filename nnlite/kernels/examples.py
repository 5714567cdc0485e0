"""Arguments to try each kernel with: for ``nnlite doctor``, for warming up, and for the tests.

They stand at the end of each file of ``nnlite/kernels/reference``, beside their kernels.
"""

from typing import Any

import numpy as np

from nnlite.kernels.reference import FAMILIES

#: Images (batch, channels, side) of few elements, for one thread, and of many.
_FEW, _MANY = (2, 3, 6), (4, 16, 24)


def examples() -> dict[str, list[tuple[Any, ...]]]:
    """Arguments for each kernel, float32: first with few elements, then with many."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    cases: dict[str, list[tuple[Any, ...]]] = {}
    for sizes in (_FEW, _MANY):
        for family in FAMILIES:
            for kernel, arguments in family.examples(normal, *sizes):
                cases.setdefault(kernel.__name__, []).append(arguments)
    return cases
