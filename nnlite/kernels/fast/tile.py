"""The micro-kernel: one tile of a matrix product, held in vector registers (lecture 08).

    y[out[r] + v] = act( bias[v] + sum_k x[off[r] + step(k)] * w[k, v] ),   r < rows, v < width

Each of the ``rows × vectors`` accumulators is a register; for every ``k`` one row of weights is
loaded and multiplied with one number from each row of ``x``. Rows are addressed through *offset
tables*, so they need not be rows of a matrix: for a convolution they are windows of an image, for
its weight gradient they are taps, and no im2col matrix is ever built. The sum runs over three
nested loops (image, kernel row, kernel column × channel), each with its own step in ``x``; ``w``
is read straight through.

Numba has no vector registers in its language, so the tile is an *intrinsic*: a function that writes
LLVM instructions. LLVM allocates the registers and schedules the loop for the machine at hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nnlite.kernels.fast.machine import TILE

FLOAT, INT64, INT32 = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, TILE.lanes)
ZEROS = ir.Constant(VECTOR, [0.0] * TILE.lanes)

PARAMETERS = (
    "x off r0 x0 n0 s0 n1 s1 n2 s2 w w0 ldw y out o0 y0 bias b0 add slope"  # as in make_tile
)


class Emit:
    """Shorthand for writing vector instructions; ``names`` are the intrinsic's parameters."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any, names: str) -> None:
        self.context, self.builder = context, builder
        self.value = dict(zip(names.split(), args, strict=True))
        self.type = dict(zip(names.split(), signature.args, strict=True))

    def data(self, name: str) -> Any:
        """Return the pointer to an array's first element."""
        make = self.context.make_array(self.type[name])
        return make(self.context, self.builder, self.value[name]).data

    def at(self, pointer: Any, *indices: Any) -> Any:
        """Move a pointer by the sum of indices (numbers or values)."""
        for i in indices:
            index = ir.Constant(INT64, i) if isinstance(i, int) else i
            pointer = self.builder.gep(pointer, [index])
        return pointer

    def load_vector(self, pointer: Any) -> Any:
        """Load one register from an address that need not be aligned."""
        return self.builder.load(self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def store_vector(self, vector: Any, pointer: Any) -> None:
        """Store one register to an address that need not be aligned."""
        self.builder.store(vector, self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def splat(self, scalar: Any) -> Any:
        """Return a register with one number in every lane."""
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
        pick = ir.Constant(ir.VectorType(INT32, TILE.lanes), [0] * TILE.lanes)
        return self.builder.shuffle_vector(first, undefined, pick)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return a·b + c, fused where the machine can."""
        name = f"llvm.fmuladd.v{TILE.lanes}f32"
        kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, b, c])

    def loop(self, count: str) -> Any:
        """Repeat ``count`` times."""
        return cgutils.for_range(self.builder, self.value[count], intp=INT64)

    @contextmanager
    def inner_loop(self, count: str, *moving: tuple[Any, str]) -> Iterator[list[Any]]:
        """Repeat ``count`` times with indices that start somewhere and move by a step each time.

        The optimiser is kept from seeing how they move. It would otherwise replace "row pointer +
        index" by one moving pointer per row, which is more registers than there are.
        """
        b = self.builder
        body, after = b.append_basic_block("sum"), b.append_basic_block("summed")
        before = b.block
        zero, one = ir.Constant(INT64, 0), ir.Constant(INT64, 1)
        b.cbranch(b.icmp_signed(">", self.value[count], zero), body, after)
        b.position_at_end(body)
        counter = b.phi(INT64)
        counter.add_incoming(zero, before)
        indices = [b.phi(INT64) for _ in moving]
        for index, (start, _) in zip(indices, moving, strict=True):
            index.add_incoming(start, before)
        yield indices
        end = b.block
        done = b.add(counter, one)
        counter.add_incoming(done, end)
        for index, (_, step) in zip(indices, moving, strict=True):
            moved = b.add(index, self.value[step])
            index.add_incoming(
                b.asm(ir.FunctionType(INT64, [INT64]), "", "=r,0", [moved], side_effect=False), end
            )
        b.cbranch(b.icmp_signed("<", done, self.value[count]), body, after)
        b.position_at_end(after)

    def activate(self, v: Any, slope: Any, is_relu: Any) -> Any:
        """Leaky ReLU; ``not (v <= 0)`` keeps NaN, and ReLU of minus infinity is 0, not 0·inf."""
        b = self.builder
        negative = b.select(is_relu, ZEROS, b.fmul(v, slope))
        return b.select(b.fcmp_unordered(">", v, ZEROS), v, negative)


def make_tile(vectors: int) -> Any:
    """Return the micro-kernel for tiles of ``vectors`` registers of output columns."""

    @intrinsic
    def tile(
        typing, x, off, r0, x0, n0, s0, n1, s1, n2, s2, w, w0, ldw, y, out, o0, y0, bias, b0, add,
        slope,
    ):  # fmt: skip
        """Multiply one tile.

        x, off, r0, x0 : image data; table of row offsets, first row in it; added to every offset
        n0, s0, n1, s1, n2, s2 : length of, and step in x of, the three loops of the sum
        w, w0, ldw : weights, where the tile's first row begins, distance of rows
        y, out, o0, y0 : results, table of row offsets, first row in it, added to every offset
        bias, b0 : bias, where the tile's begins
        add : whether to add what y holds
        slope : leaky ReLU's slope; 1 for no activation
        """
        signature = types.void(
            x, off, r0, x0, n0, s0, n1, s1, n2, s2, w, w0, ldw, y, out, o0, y0, bias, b0, add,
            slope,
        )  # fmt: skip

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            e = Emit(context, builder, signature, args, PARAMETERS)
            v, rows, columns = e.value, range(TILE.rows), range(vectors)
            xs, w_first, y_first = (e.data(name) for name in ("x", "w", "y"))

            def offset(table: str, first: str, r: int) -> Any:
                return builder.load(e.at(e.data(table), v[first], r))

            x_row = [e.at(xs, offset("off", "r0", r)) for r in rows]
            total = [[cgutils.alloca_once(builder, VECTOR) for _ in columns] for _ in rows]
            for c in columns:
                start = e.load_vector(e.at(e.data("bias"), v["b0"], c * TILE.lanes))
                for r in rows:
                    builder.store(start, total[r][c])

            with e.loop("n0") as l0, e.loop("n1") as l1:
                i0, i1 = l0.index, l1.index
                x_start = builder.add(builder.mul(i0, v["s0"]), builder.mul(i1, v["s1"]))
                x_start = builder.add(v["x0"], x_start)
                row = builder.add(builder.mul(i0, v["n1"]), i1)
                row = builder.mul(builder.mul(row, v["n2"]), v["ldw"])
                w_start = builder.add(v["w0"], row)
                with e.inner_loop("n2", (x_start, "s2"), (w_start, "ldw")) as (step, w_step):
                    w_row = e.at(w_first, w_step)
                    weights = [e.load_vector(e.at(w_row, c * TILE.lanes)) for c in columns]
                    for r in rows:
                        number = e.splat(builder.load(e.at(x_row[r], step)))
                        for c in columns:
                            sum_ = e.multiply_add(number, weights[c], builder.load(total[r][c]))
                            builder.store(sum_, total[r][c])

            # The last tile repeats its last row to be full, so every old value is read before any
            # new one is written: a repeated row then gets the same value again.
            y_row = [e.at(y_first, v["y0"], offset("out", "o0", r)) for r in rows]
            with builder.if_then(v["add"]):
                for r in rows:
                    for c in columns:
                        old = e.load_vector(e.at(y_row[r], c * TILE.lanes))
                        builder.store(builder.fadd(builder.load(total[r][c]), old), total[r][c])
            slope = e.splat(v["slope"])
            is_relu = builder.fcmp_ordered("==", v["slope"], ir.Constant(FLOAT, 0.0))
            for r in rows:
                for c in columns:
                    result = e.activate(builder.load(total[r][c]), slope, is_relu)
                    e.store_vector(result, e.at(y_row[r], c * TILE.lanes))
            return context.get_dummy_value()

        return signature, generate

    return tile


#: A full tile, and a narrow one for the last columns if they fit into one register.
wide_tile, narrow_tile = make_tile(TILE.vectors), make_tile(1)
