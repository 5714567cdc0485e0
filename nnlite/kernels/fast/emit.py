"""Writing vector instructions: what :mod:`tile` and :mod:`transpose` have in common.

Numba's language has no vector registers. A function that needs them is an *intrinsic*: Python code
that runs when the function is compiled and writes its instructions for LLVM, which allocates the
registers and schedules the loops for the machine at hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from nnlite.kernels.fast.machine import TILE

FLOAT, INT64, INT32 = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, TILE.lanes)
ZEROS = ir.Constant(VECTOR, [0.0] * TILE.lanes)


class Emit:
    """Shorthand for writing vector instructions.

    ``names`` are the intrinsic's parameters; ``value`` and ``type`` hold what they are called with.
    Of a named tuple they hold the fields, under names such as ``"x.data"``.
    """

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any, names: str) -> None:
        self.context, self.builder = context, builder
        self.value: dict[str, Any] = {}
        self.type: dict[str, Any] = {}
        for name, kind, value in zip(names.split(), signature.args, args, strict=True):
            fields = kind.fields if isinstance(kind, types.BaseNamedTuple) else ()
            for i, field in enumerate(fields):
                self.value[f"{name}.{field}"] = builder.extract_value(value, i)
                self.type[f"{name}.{field}"] = kind[i]
            if not fields:
                self.value[name], self.type[name] = value, kind

    def data(self, name: str) -> Any:
        """The pointer to an array's first element."""
        make = self.context.make_array(self.type[name])
        return make(self.context, self.builder, self.value[name]).data

    def at(self, pointer: Any, *indices: Any) -> Any:
        """A pointer moved by the sum of indices (numbers or values)."""
        for i in indices:
            index = ir.Constant(INT64, i) if isinstance(i, int) else i
            pointer = self.builder.gep(pointer, [index])
        return pointer

    def load_vector(self, pointer: Any) -> Any:
        """A register loaded from an address that need not be aligned."""
        return self.builder.load(self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def store_vector(self, vector: Any, pointer: Any) -> None:
        """Store one register to an address that need not be aligned."""
        self.builder.store(vector, self.builder.bitcast(pointer, VECTOR.as_pointer()), align=4)

    def splat(self, scalar: Any) -> Any:
        """A register with one number in every lane."""
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
        pick = ir.Constant(ir.VectorType(INT32, TILE.lanes), [0] * TILE.lanes)
        return self.builder.shuffle_vector(first, undefined, pick)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c, fused where the machine can."""
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
