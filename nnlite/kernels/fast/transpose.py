"""Copying and transposing numbers in vector registers.

Copying columns into rows one number at a time costs more than the arithmetic of a small layer.
A square of L × L numbers in L registers can be transposed by log2(L) rounds of interleaving:
register i is merged with register i + L/2, number by number. In a round, the highest bit of the
row index becomes the lowest bit of the column index and vice versa; after log2(L) rounds rows and
columns have changed places.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils  # noqa: F401  (initialises Numba's code generation)
from numba.extending import intrinsic

from nnlite.kernels.fast.compiling import loop
from nnlite.kernels.fast.emit import INT32, Emit
from nnlite.kernels.fast.machine import TILE

LANES = TILE.lanes
ROUNDS = LANES.bit_length() - 1


def _interleave(first: int) -> ir.Constant:
    """The shuffle that takes numbers first, first + 1, … alternately from two registers."""
    pick = [first + i // 2 + (LANES if i % 2 else 0) for i in range(LANES)]
    return ir.Constant(ir.VectorType(INT32, LANES), pick)


@intrinsic
def transpose_square(typing, src, s0, step, dst, d0, table, t0):
    """Read LANES rows, ``src[s0 + i step]``, and write columns, ``dst[d0 + table[t0 + j]]``."""
    signature = types.void(src, s0, step, dst, d0, table, t0)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        e = Emit(context, builder, signature, args, "src s0 step dst d0 table t0")
        v = e.value
        registers = []
        for i in range(LANES):
            row = builder.mul(v["step"], ir.Constant(v["step"].type, i))
            registers.append(e.load_vector(e.at(e.data("src"), v["s0"], row)))
        low, high = _interleave(0), _interleave(LANES // 2)
        for _ in range(ROUNDS):
            pairs = list(zip(registers[: LANES // 2], registers[LANES // 2 :], strict=True))
            registers = [builder.shuffle_vector(a, b, m) for a, b in pairs for m in (low, high)]
        for j, column in enumerate(registers):
            offset = builder.load(e.at(e.data("table"), v["t0"], j))
            e.store_vector(column, e.at(e.data("dst"), v["d0"], offset))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def copy_vector(typing, src, s0, dst, d0):
    """Copy LANES numbers from ``src[s0]`` on to ``dst[d0]`` on."""
    signature = types.void(src, s0, dst, d0)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        e = Emit(context, builder, signature, args, "src s0 dst d0")
        vector = e.load_vector(e.at(e.data("src"), e.value["s0"]))
        e.store_vector(vector, e.at(e.data("dst"), e.value["d0"]))
        return context.get_dummy_value()

    return signature, generate


@loop
def transpose(src, s0, step, rows, columns, dst, d0, table):
    """Write number (i, j) of a matrix, ``src[s0 + i step + j]``, to ``dst[d0 + table[j] + i]``.

    ``table`` says where each column goes; in plain transposition ``table[j] = j rows``.
    """
    full_rows, full_columns = rows // LANES * LANES, columns // LANES * LANES
    for i in range(0, full_rows, LANES):
        for j in range(0, full_columns, LANES):
            transpose_square(src, s0 + i * step + j, step, dst, d0 + i, table, j)
    for j in range(columns):
        begin = full_rows if j < full_columns else 0
        column, row = src[s0 + begin * step + j :], dst[d0 + table[j] + begin :]
        for i in range(rows - begin):
            row[i] = column[i * step]
