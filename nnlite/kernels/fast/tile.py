"""The micro-kernel: one tile of a matrix product, held in vector registers (lecture 08).

    y[r, v] = act( bias[v] + sum_k x[r, step(k)] * w[k, v] ),   r < rows, v < width

Each of the ``rows × vectors`` accumulators is a register; for every ``k`` one row of weights is
loaded and multiplied with one number from each row of ``x``. Rows are addressed through *offset
tables*, so they need not be rows of a matrix: for a convolution they are windows of an image, for
its weight gradient they are taps, and no im2col matrix is ever built. The sum runs over three
nested loops (image, kernel row, kernel column × channel), each with its own step in ``x``; ``w``
is read straight through.

Named tuples say what is multiplied. They exist only while a kernel is compiled, since compiled code
takes them apart; :func:`nnlite.kernels.fast.product.multiply` has the same ones for a whole product
as the tile has for its part.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nnlite.kernels.fast.emit import FLOAT, VECTOR, ZEROS, Emit
from nnlite.kernels.fast.machine import TILE


class Rows(NamedTuple):
    """Rows of numbers anywhere in an array: row r begins at ``data[begin + offsets[r]]``."""

    data: np.ndarray
    offsets: np.ndarray
    begin: int


class Terms(NamedTuple):
    """The three nested loops of a sum: how often each runs, and how far it moves in x."""

    n0: int
    s0: int
    n1: int
    s1: int
    n2: int
    s2: int


class Weights(NamedTuple):
    """Rows of weights, one for each term: from ``data[begin]`` on, ``step`` numbers apart."""

    data: np.ndarray
    begin: int
    step: int


class Epilogue(NamedTuple):
    """What happens to the sums: ``y = act(bias + sum)``, added to the old y if ``add``."""

    bias: np.ndarray
    begin: int  #: of the bias: the first column's is ``bias[begin]``
    slope: np.float32  #: of the leaky ReLU; 1 for no activation
    add: bool


def make_tile(vectors: int) -> Any:
    """The micro-kernel for tiles of ``vectors`` registers of output columns."""

    @intrinsic
    def tile(typing, x, r, terms, w, y, q, end):
        """Multiply the rows of ``x`` from ``r`` on with ``w``, into those of ``y`` from ``q`` on.

        x, y : Rows
        terms : Terms
        w : Weights
        end : Epilogue
        """

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = Emit(context, builder, signature, args, "x r terms w y q end")
            total = begin_with_bias(e, vectors)
            add_products(e, total)
            write_results(e, total)
            return context.get_dummy_value()

        return types.void(x, r, terms, w, y, q, end), generate

    return tile


def begin_with_bias(e: Emit, vectors: int) -> list[list[Any]]:
    """The accumulators, rows of registers, which hold the bias."""
    total = [
        [cgutils.alloca_once(e.builder, VECTOR) for _ in range(vectors)] for _ in range(TILE.rows)
    ]
    bias = e.at(e.data("end.bias"), e.value["end.begin"])
    for c in range(vectors):
        start = e.load_vector(e.at(bias, c * TILE.lanes))
        for row in total:
            e.builder.store(start, row[c])
    return total


def add_products(e: Emit, total: list[list[Any]]) -> None:
    """Add the products: one row of weights with one number of each row of x, for every term."""
    b, v = e.builder, e.value
    x_rows = rows_from(e, "x", "r")
    with e.loop("terms.n0") as outer, e.loop("terms.n1") as middle:
        i0, i1 = outer.index, middle.index
        x_start = b.add(b.mul(i0, v["terms.s0"]), b.mul(i1, v["terms.s1"]))
        row = b.mul(b.add(b.mul(i0, v["terms.n1"]), i1), v["terms.n2"])
        w_start = b.add(v["w.begin"], b.mul(row, v["w.step"]))
        moving = (x_start, "terms.s2"), (w_start, "w.step")
        with e.inner_loop("terms.n2", *moving) as (x_step, w_step):
            w_row = e.at(e.data("w.data"), w_step)
            weights = [e.load_vector(e.at(w_row, c * TILE.lanes)) for c in range(len(total[0]))]
            for x_row, sums in zip(x_rows, total, strict=True):
                number = e.splat(b.load(e.at(x_row, x_step)))
                for sum_, weight in zip(sums, weights, strict=True):
                    b.store(e.multiply_add(number, weight, b.load(sum_)), sum_)


def write_results(e: Emit, total: list[list[Any]]) -> None:
    """Add the old values if that is wanted, activate, and store."""
    b, slope = e.builder, e.value["end.slope"]
    places = [
        [(sum_, e.at(y_row, c * TILE.lanes)) for c, sum_ in enumerate(sums)]
        for y_row, sums in zip(rows_from(e, "y", "q"), total, strict=True)
    ]
    # The last tile repeats its last row to be full, so every old value is read before any new one
    # is written: a repeated row then gets the same value again.
    with b.if_then(e.value["end.add"]):
        for row in places:
            for sum_, place in row:
                b.store(b.fadd(b.load(sum_), e.load_vector(place)), sum_)
    slopes, is_relu = e.splat(slope), b.fcmp_ordered("==", slope, ir.Constant(FLOAT, 0.0))
    for row in places:
        for sum_, place in row:
            e.store_vector(leaky_relu(e, b.load(sum_), slopes, is_relu), place)


def rows_from(e: Emit, rows: str, first: str) -> list[Any]:
    """Pointers to a tile's rows."""
    begin = e.at(e.data(f"{rows}.data"), e.value[f"{rows}.begin"])
    offsets = e.at(e.data(f"{rows}.offsets"), e.value[first])
    return [e.at(begin, e.builder.load(e.at(offsets, r))) for r in range(TILE.rows)]


def leaky_relu(e: Emit, v: Any, slope: Any, is_relu: Any) -> Any:
    """The activation; ``not (v <= 0)`` keeps NaN, and ReLU of -inf is 0, not 0·inf."""
    negative = e.builder.select(is_relu, ZEROS, e.builder.fmul(v, slope))
    return e.builder.select(e.builder.fcmp_unordered(">", v, ZEROS), v, negative)


#: A full tile, and a narrow one for the last columns if they fit into one register.
wide_tile, narrow_tile = make_tile(TILE.vectors), make_tile(1)
