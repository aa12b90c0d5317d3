"""Memory as rows of numbers without an end: less to compile than arrays, which know their shape and may be indexed from
behind."""

from __future__ import annotations

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import PrimitiveModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model


class Row(types.Type):  # type: ignore[misc]
    """The numbers from an address on."""

    def __init__(self, dtype) -> None:
        self.dtype = dtype
        super().__init__(name=f"Row({dtype})")


@register_model(Row)
class _RowModel(PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager, kind: Row) -> None:
        super().__init__(manager, kind, manager.lookup(kind.dtype).get_data_type().as_pointer())


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args, kws):
        row, index, *_ = args
        return (
            signature(row.dtype, row, types.intp) if isinstance(row, Row) and isinstance(index, types.Integer) else None
        )


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args, kws):
        row, index, *_ = args
        found = isinstance(row, Row) and isinstance(index, types.Integer)
        return signature(types.none, row, types.intp, row.dtype) if found else None


@lower_builtin(operator.getitem, Row, types.intp)
def _get(context, builder, kinds, arguments):
    row, index = arguments
    return builder.load(builder.gep(row, [index]))


@lower_builtin(operator.setitem, Row, types.intp, types.Any)
def _set(context, builder, kinds, arguments):
    row, index, value = arguments
    builder.store(value, builder.gep(row, [index]))
    return context.get_dummy_value()


def _row_at(dtype):
    @intrinsic
    def row_at(typingctx, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(dtype).as_pointer())

        return Row(dtype)(types.int64), generate

    return row_at


ints_at, reals_at = _row_at(types.int64), _row_at(types.float64)


@intrinsic(prefer_literal=True)
def stack(typingctx, size):
    """A row of `size` integers that ends with the function."""
    count = size.literal_value

    def generate(context, builder, signature, arguments):
        word = context.get_value_type(types.int64)
        return cgutils.alloca_once(builder, word, size=count)

    return Row(types.int64)(size), generate


@intrinsic
def call_address(typingctx, address, row, number):
    """Call the C function at an address with a pointer to a row of integers and a number, which it may leave alone; it
    returns a word."""

    def generate(context, builder, signature, arguments):
        word = context.get_value_type(types.int64)
        function = builder.inttoptr(arguments[0], ir.FunctionType(word, [word.as_pointer(), word]).as_pointer())
        return builder.call(function, arguments[1:])

    return types.int64(types.int64, row, types.int64), generate
