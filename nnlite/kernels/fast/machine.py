"""What this machine can do: the width of its vector registers and how many there are.

The micro-kernel keeps a tile of ``rows × vectors`` accumulators in registers, and needs a few more
for the operands: two vectors of weights and, where the instruction set cannot multiply by a number
straight from memory, one of images. A tile that is too large spills to the stack, one that is too
small waits for the multiplier.

============  ======  =========  ====  =======================
machine       lanes   registers  tile  accumulators + operands
============  ======  =========  ====  =======================
AVX-512       16      32         8×2   16 + 2 (+ 1)
AVX2 (+ FMA)  8       16         6×2   12 + 2 + 1
NEON          4       32         12×2  24 + 2 + 1
other         4       16         6×2   12 + 2 + 1
============  ======  =========  ====  =======================
"""

import platform
from typing import NamedTuple

from numba.core import codegen, config


class Tile(NamedTuple):
    """The tile of the micro-kernel: ``rows`` output rows by ``vectors`` registers of ``lanes``."""

    lanes: int
    rows: int
    vectors: int

    @property
    def width(self) -> int:
        """Number of output columns of a tile."""
        return self.lanes * self.vectors


def cpu_features() -> set[str]:
    """The instruction sets that Numba compiles for on this machine."""
    features = config.CPU_FEATURES  # NUMBA_CPU_FEATURES="+avx2,-avx512f": set by the user
    if features is None:
        # without what NUMBA_ENABLE_AVX=0 takes away
        features = "" if config.CPU_NAME == "generic" else codegen.get_host_cpu_features()
    return {name[1:] for name in features.split(",") if name.startswith("+")}


def choose_tile(features: set[str], architecture: str) -> Tile:
    """The tile for a processor, from the table above."""
    if "avx512f" in features:
        return Tile(lanes=16, rows=8, vectors=2)
    if "avx2" in features and "fma" in features:
        return Tile(lanes=8, rows=6, vectors=2)
    if architecture.lower() in ("arm64", "aarch64"):
        return Tile(lanes=4, rows=12, vectors=2)
    return Tile(lanes=4, rows=6, vectors=2)


#: The tile of this machine. Numba files its cache by processor, so compiled code that contains
#: these numbers is never used on another one.
TILE = choose_tile(cpu_features(), platform.machine())
