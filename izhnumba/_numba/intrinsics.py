"""Intrinsics of kernels: memory by address, parameters of SIMD lanes, fused multiply-add, bits, calls by address, LLVM
attributes.

`array_at` gives an array; `row_at`, `ints_at` and `reals_at` give a `Row`, which knows no length and takes less to
compile.
"""

import functools
import operator
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import PrimitiveModel
from numba.core.errors import TypingError
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, overload, register_model

from izhnumba._numba.compile import compiled, entry_point, inlined, known_to_numba
from izhnumba._numba.where import where

# For many processors with AVX-512, LLVM takes vectors of half the width, to keep the clock of other code high. In loops
# of nothing but arithmetic whole vectors are faster by a third and more.
WIDEST = '"prefer-vector-width"="512"'
ALIGNED = "alignstack(64)"  # of functions that keep many whole vectors on the stack: none lies across two cache lines
NOINLINE = "noinline"  # of functions that are called seldom or from several places: less to compile

known_to_numba.add(where)


@overload(where, jit_options={"no_cfunc_wrapper": True, "no_cpython_wrapper": True})
def _select(condition, yes, no):
    def select(condition, yes, no):
        return yes if condition else no

    return select


@intrinsic
def array_at(typingctx, address, size, element):
    """The `size` numbers from an address (int64) on as a 1-D array. element: the dtype class."""
    result = types.Array(element.dtype, 1, "C")

    def generate(context, builder, signature, arguments):
        from numba.np.arrayobj import populate_array  # takes long to import, and only to compile

        array = context.make_array(result)(context, builder)
        item = ir.Constant(ir.IntType(64), context.get_abi_sizeof(context.get_data_type(result.dtype)))
        data = builder.inttoptr(arguments[0], context.get_data_type(result.dtype).as_pointer())
        populate_array(array, data=data, shape=[arguments[1]], strides=[item], itemsize=item, meminfo=None)
        return array._getvalue()

    return result(types.int64, types.int64, element), generate


class Row(types.Type):  # type: ignore[misc]
    """Numba's type of the numbers from an address on: row[k] can be read and written, for k >= 0."""

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


@intrinsic
def row_at(typingctx, address, element):
    """The numbers from an address (int64) on as a Row. element: the dtype class."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_data_type(element.dtype).as_pointer())

    return Row(element.dtype)(types.int64, element), generate


def _row_of(dtype):
    @intrinsic
    def row(typingctx, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_data_type(dtype).as_pointer())

        return Row(dtype)(types.int64), generate

    return row


ints_at, reals_at = _row_of(types.int64), _row_of(types.float64)


@intrinsic(prefer_literal=True)
def stack(typingctx, size):
    """A Row of `size` integers on the stack: it ends with the function."""
    count = size.literal_value

    def generate(context, builder, signature, arguments):
        word = context.get_value_type(types.int64)
        return cgutils.alloca_once(builder, word, size=count)

    return Row(types.int64)(size), generate


@intrinsic(prefer_literal=True)
def row_on_stack(typingctx, size, element):
    """A Row of `size` numbers on the stack: it ends with the function. element: the dtype class."""
    count, scalar = size.literal_value, element.dtype

    def generate(context, builder, signature, arguments):
        return cgutils.alloca_once(builder, context.get_data_type(scalar), size=count)

    return Row(scalar)(size, element), generate


@intrinsic
def claim(typingctx, address):
    """Atomically set the int64 at an address to 1 if it is 0. Returns whether it was 0."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(64)
        place = builder.inttoptr(arguments[0], word.as_pointer())
        return builder.extract_value(builder.cmpxchg(place, word(0), word(1), "acquire", "monotonic"), 1)

    return types.boolean(types.int64), generate


@intrinsic
def release(typingctx, address):
    """Atomically set the int64 at an address to 0, after all earlier writes."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(64)
        builder.store_atomic(word(0), builder.inttoptr(arguments[0], word.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def copy_bytes(typingctx, target, source, size):
    """Copy `size` bytes from one address to another."""

    def generate(context, builder, signature, arguments):
        to, origin = (builder.inttoptr(address, ir.IntType(8).as_pointer()) for address in arguments[:2])
        cgutils.raw_memcpy(builder, to, origin, arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def stream_line(typingctx, target, source):
    """Copy 64 bytes past the caches. target: a multiple of 64."""

    def generate(context, builder, signature, arguments):
        line = ir.VectorType(ir.FloatType(), 16).as_pointer()
        to, origin = (builder.inttoptr(address, line) for address in arguments)
        store = builder.store(builder.load(origin, align=4), to, align=64)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def parameter_lanes(typingctx, addresses, first_lane, element, fields, varies):
    """Parameters of the lanes (or neurons) from `first_lane` on, a tuple: a pointer for each parameter that varies, a
    number for the others.

    Parameters
    ----------
    typingctx
        Numba's, not passed by callers.
    addresses : Row of int64 (parameters,)
        Address of each parameter.
    first_lane : int
    element : dtype class
    fields : named tuple class
        The one that `parameters_of` fills.
    varies : int
        Bit k is set if parameter k differs between lanes.
    """
    scalar, mask = element.dtype, varies.literal_value
    count = len(fields.instance_class._fields)
    lanes = types.Tuple([types.CPointer(scalar) if mask >> k & 1 else scalar for k in range(count)])

    def generate(context, builder, signature, arguments):
        members = []
        for k, kind in enumerate(lanes):
            address = builder.load(builder.gep(arguments[0], [ir.Constant(ir.IntType(64), k)]))
            pointer = builder.inttoptr(address, context.get_value_type(scalar).as_pointer())
            members.append(builder.gep(pointer, [arguments[1]]) if kind is not scalar else builder.load(pointer))
        return context.make_tuple(builder, lanes, members)

    return lanes(addresses, first_lane, element, fields, varies), generate


@intrinsic
def parameters_of(typingctx, lanes, lane, fields, element):
    """The named tuple of parameters of one lane. lanes: a number, pointer or 1-D array for each of its fields."""
    if not isinstance(lanes, types.BaseTuple):  # a list would be iterated without end
        raise TypingError(f"p must be a tuple with one entry for each of {', '.join(fields.instance_class._fields)}")
    kinds, scalar = list(lanes), element.dtype
    if len(kinds) != len(fields.instance_class._fields):
        raise TypingError(f"p must have one entry for each of {', '.join(fields.instance_class._fields)}")
    if any(isinstance(kind, types.Array) and (kind.ndim, kind.layout) != (1, "C") for kind in kinds):
        raise TypingError("p must hold numbers and contiguous 1-D arrays")
    result = types.NamedUniTuple(scalar, len(kinds), fields.instance_class)

    def generate(context, builder, signature, arguments):
        members = []
        for k, kind in enumerate(kinds):
            value = builder.extract_value(arguments[0], k)
            if isinstance(kind, types.Array):
                value = context.make_array(kind)(context, builder, value).data
            if isinstance(kind, (types.CPointer, types.Array)):
                value, kind = builder.load(builder.gep(value, [arguments[1]])), kind.dtype
            members.append(context.cast(builder, value, kind, scalar))
        return context.make_tuple(builder, result, members)

    return result(lanes, lane, fields, element), generate


@intrinsic(prefer_literal=True)
def with_entry(typingctx, numbers, place, value):
    """A tuple of numbers of one type with another number at a place, which is known when it is compiled."""
    k, kind = place.literal_value, numbers.dtype

    def generate(context, builder, signature, arguments):
        value = context.cast(builder, arguments[2], signature.args[2], kind)
        return builder.insert_value(arguments[0], value, k)

    return numbers(numbers, place, value), generate


@intrinsic(prefer_literal=True)
def put_entries(typingctx, lanes, lane, numbers, first, count, zero):
    """Write numbers of a lane back. Returns the sum of zero times each: not a number if one of them is not finite.

    Parameters
    ----------
    typingctx
        Numba's, not passed by callers.
    lanes : tuple
        As of `parameters_of`, pointers or 1-D arrays where numbers are to be written.
    lane : int
    numbers : tuple of numbers
    first, count : int
        Which of them.
    zero : number
        0 in their type.
    """
    start, n, scalar = first.literal_value, count.literal_value, numbers.dtype

    def generate(context, builder, signature, arguments):
        found = context.get_constant(scalar, 0)
        for k in range(start, start + n):
            kind, place = lanes[k], builder.extract_value(arguments[0], k)
            if isinstance(kind, types.Array):
                place = context.make_array(kind)(context, builder, place).data
            value = builder.extract_value(arguments[2], k)
            builder.store(value, builder.gep(place, [arguments[1]]))
            found = builder.fadd(found, builder.fmul(value, arguments[5]))
        return found

    return scalar(lanes, lane, numbers, first, count, zero), generate


@intrinsic(prefer_literal=True)
def add_attribute(typingctx, attribute):
    """Give the calling function an LLVM attribute: WIDEST, ALIGNED or NOINLINE."""

    def generate(context, builder, signature, arguments):
        set.add(builder.function.attributes, attribute.literal_value)  # its own `add` knows none that have values
        return context.get_dummy_value()

    return types.void(attribute), generate


@intrinsic(prefer_literal=True)
def interleaved(typingctx, count):
    """Placed right behind the first loop of a function: let LLVM take `count` vectors at a time through it, a power of
    two. By itself it takes fewer where constants fill many registers, though they are read as fast from memory."""

    def generate(context, builder, signature, arguments):
        blocks, module = list(builder.function.blocks), builder.module
        word = ir.Constant(ir.IntType(32), signature.args[0].literal_value)
        hint = module.add_metadata([ir.MetaDataString(module, "llvm.loop.interleave.count"), word])
        for number, block in enumerate(blocks):
            ends = block.terminator.operands if block.terminator else []
            if any(end in blocks[: number + 1] for end in ends):  # the way back
                loop = module.add_metadata([hint])
                loop.operands = (loop, hint)
                block.terminator.set_metadata("llvm.loop", loop)
        return context.get_dummy_value()

    return types.void(count), generate


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once, on every machine. a, b, c: real; the result is of the widest type of theirs."""
    kind = max(a, b, c, key=lambda one: one.bitwidth)

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return kind(kind, kind, kind), generate


@intrinsic
def mask64(typingctx, numbers, first):
    """Which of the 64 integers of a Row from `first` on are not 0, as the bits of a uint64."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), 64)
        start = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), vector.as_pointer())
        bits = builder.icmp_unsigned("!=", builder.load(start, align=1), ir.Constant(vector, [0] * 64))
        return builder.bitcast(bits, ir.IntType(64))

    return types.uint64(numbers, first), generate


@inlined
def lowest_bits(n):
    """A uint64 whose lowest n bits are set, 0 < n; all, if n is above 63."""
    return ~np.uint64(0) >> np.uint64(64 - n if n < 64 else 0)


@intrinsic
def trailing_zeros(typingctx, word):
    """The number of zero bits below the lowest set bit of a uint64 that is not 0."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(word), generate


@intrinsic
def call_at(typingctx, address, a, b, c):
    """Call the compiled function int64(int64, int64, int64) at an address (`compile.address_of`)."""
    kinds = [types.int64] * 3

    def generate(context, builder, signature, arguments):
        kind = context.call_conv.get_function_type(types.int64, kinds)
        callee = builder.inttoptr(arguments[0], kind.as_pointer())
        return context.call_conv.call_function(builder, callee, types.int64, kinds, arguments[1:])[1]

    return types.int64(types.int64, types.int64, types.int64, types.int64), generate


def entry_at(address: int) -> Callable[[int, int, int], int]:
    """The compiled function at an address (`compile.address_of`), to be called from Python."""
    return functools.partial(_call_from_python(), address)


@functools.cache
def _call_from_python():
    def call(address, a, b, c):
        return call_at(address, a, b, c)

    return entry_point(compiled(call), (types.int64,) * 4)


@intrinsic
def call_address(typingctx, address, row, number):
    """Call the C function int64(int64 *, int64) at an address. row: of integers."""

    def generate(context, builder, signature, arguments):
        word = context.get_value_type(types.int64)
        function = builder.inttoptr(arguments[0], ir.FunctionType(word, [word.as_pointer(), word]).as_pointer())
        return builder.call(function, arguments[1:])

    return types.int64(types.int64, row, types.int64), generate


def _fetch(locality):
    """A generator of code that fetches the cache line at an address. locality: 3 into the first cache, 2 the second."""

    def generate(context, builder, signature, arguments):
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(fetch, [builder.inttoptr(arguments[0], pointer), flag(0), flag(locality), flag(1)])
        return context.get_dummy_value()

    return generate


@intrinsic
def prefetch(typingctx, address):
    """Fetch the cache line at an address, while other work goes on."""
    return types.void(types.int64), _fetch(3)


@intrinsic
def prefetch_far(typingctx, address):
    """Fetch the cache line at an address into the second cache: more of them can be under way than into the first."""
    return types.void(types.int64), _fetch(2)
