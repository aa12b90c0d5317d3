"""Programs: the operations of one step on one lane, as plain data and as vector code.

A program is a list of operations on numbers, without branches. As plain data it can be hashed, compared and printed.
Its code is written as LLVM instructions on whole vectors, so that it does not depend on LLVM to vectorise a loop; only
functions of the C library are called lane by lane.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from izhnumba._numba.compile import target_features
from izhnumba._numba.exprel import SHORT_RANGE, full_exprel, short_exprel

ITEM = {"f4": 4, "f8": 8, "i4": 4, "i8": 8, "b1": 1}  # bytes, by kind of number
_TYPES = {"f4": ir.FloatType(), "f8": ir.DoubleType(), "i4": ir.IntType(32), "i8": ir.IntType(64), "b1": ir.IntType(1)}
_SUFFIX = {"f4": "f32", "f8": "f64"}


class Number(NamedTuple):
    """A number in a program."""

    value: float
    kind: str


class Op(NamedTuple):
    """An operation of a program. Values are numbered: first the inputs of the program, then the results of
    operations."""

    name: str  # in jax.lax
    kind: str  # of the result
    operands: tuple[int | Number, ...]  # numbers of values, or constants
    exponent: int = 0  # of `integer_pow`


class Program(NamedTuple):
    """Operations on numbers, in order."""

    inputs: tuple[str, ...]  # their kinds
    ops: tuple[Op, ...]
    outputs: tuple[int | Number, ...]  # numbers of values, or constants


def width(kind: str) -> int:
    """How many lanes code takes at once. Four vectors with AVX: numbers that all lanes share are loaded once for them,
    which made a run a third faster than one vector at a time."""
    features = target_features()
    n_bytes = 64 if "avx512f" in features else 128 if "avx" in features else 16
    return n_bytes // ITEM[kind]


class Writer:
    """Writes vector code for `width` lanes at a time. Values are vectors of LLVM, or scalars if width is 1."""

    def __init__(self, builder, width: int) -> None:
        self.builder, self.width = builder, width

    def type(self, kind: str):
        """The type of a value."""
        return _TYPES[kind] if self.width == 1 else ir.VectorType(_TYPES[kind], self.width)

    def constant(self, value: float, kind: str):
        """A number in all lanes."""
        number = float(value) if kind[0] == "f" else int(value)
        return ir.Constant(self.type(kind), number if self.width == 1 else [number] * self.width)

    def load(self, place, kind: str):
        """The value at a pointer to the first lane."""
        return self.builder.load(self._vector_at(place, kind), align=ITEM[kind])

    def store(self, value, place, kind: str) -> None:
        """Write a value at a pointer to the first lane."""
        self.builder.store(value, self._vector_at(place, kind), align=ITEM[kind])

    def shared(self, row, kind: str):
        """The single number of a row, in all lanes."""
        value = self.builder.load(row)
        if self.width == 1:
            return value
        undefined, lane = ir.Constant(self.type(kind), ir.Undefined), ir.IntType(32)
        first = self.builder.insert_element(undefined, value, lane(0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(lane, self.width), None))

    @contextlib.contextmanager
    def lanes(self, rows: dict[int, Any], written: set[int], count) -> Iterator[dict[int, Any]]:
        """Context: the code written inside is run for each vector of the first `count` lanes, with pointers into the
        rows.

        Lanes that are left at the end are copied into a vector of their own and go through the same code. With code of
        their own LLVM might fuse other operations for them, and the bits of a lane would depend on its place. written:
        the rows that the code writes to."""
        b, word = self.builder, count.type
        spare = {j: b.alloca(row.type.pointee, word(self.width)) for j, row in rows.items()}
        with cgutils.for_range_slice(b, word(0), count, word(self.width), word) as (i, _):
            left = b.sub(count, i)
            whole = b.icmp_signed(">=", left, word(self.width))
            with b.if_then(b.not_(whole), likely=False):
                for j, row in rows.items():
                    with cgutils.for_range(b, word(self.width), intp=word) as loop:
                        last = b.icmp_signed("<", loop.index, left)
                        lane = b.add(i, b.select(last, loop.index, b.sub(left, word(1))))
                        b.store(b.load(b.gep(row, [lane])), b.gep(spare[j], [loop.index]))
            yield {j: b.select(whole, b.gep(row, [i]), spare[j]) for j, row in rows.items()}
            with b.if_then(b.not_(whole), likely=False):
                for j in sorted(written):
                    with cgutils.for_range(b, left, intp=word) as loop:
                        lane = b.add(i, loop.index)
                        b.store(b.load(b.gep(spare[j], [loop.index])), b.gep(rows[j], [lane]))

    def any(self, mask):
        """Whether a mask is true in any lane."""
        if self.width == 1:
            return mask
        bits = ir.IntType(self.width)
        return self.builder.icmp_unsigned("!=", self.builder.bitcast(mask, bits), bits(0))

    def run(self, program: Program, inputs: list[Any]) -> list[Any]:
        """The outputs of a program for these inputs, all of them values."""
        values, kinds = list(inputs), list(program.inputs)

        def read(operand: int | Number):
            return self.constant(*operand) if isinstance(operand, Number) else values[operand]

        def kind_of(operand: int | Number) -> str:
            return operand.kind if isinstance(operand, Number) else kinds[operand]

        for op in program.ops:
            known = [read(operand) for operand in op.operands]
            values.append(OPERATIONS[op.name](self, op, kind_of(op.operands[0]), *known))
            kinds.append(op.kind)
        return [read(output) for output in program.outputs]

    def llvm(self, name: str, kind: str, *values):
        """A call of the LLVM intrinsic of this name, on vectors."""
        function = f"llvm.{name}.{f'v{self.width}' * (self.width > 1)}{_SUFFIX[kind]}"
        signature = ir.FunctionType(self.type(kind), [self.type(kind)] * len(values))
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, signature, function), values)

    def libm(self, name: str, kind: str, *values):
        """A call of a function of the C library, lane by lane."""
        scalar = _TYPES[kind]
        signature = ir.FunctionType(scalar, [scalar] * len(values))
        symbol = name + "f" * (kind == "f4")
        function = cgutils.get_or_insert_function(self.builder.module, signature, symbol)
        if self.width == 1:
            return self.builder.call(function, values)
        result = ir.Constant(self.type(kind), ir.Undefined)
        for i in range(self.width):
            lane = ir.IntType(32)(i)
            one = self.builder.call(function, [self.builder.extract_element(value, lane) for value in values])
            result = self.builder.insert_element(result, one, lane)
        return result

    def _vector_at(self, place, kind: str):
        return self.builder.bitcast(place, self.type(kind).as_pointer())


# --- operations, by their names in jax.lax ----------------------------------------------------------------------------

Emit = Callable[..., Any]  # (writer, op, kind of the first operand, *values) -> the value of the result


def _arithmetic(of_floats: str, of_ints: str) -> Emit:
    def emit(w: Writer, op: Op, kind: str, x, y):
        return getattr(w.builder, of_floats if kind[0] == "f" else of_ints)(x, y)

    return emit


def _comparison(sign: str) -> Emit:
    def emit(w: Writer, op: Op, kind: str, x, y):
        if kind == "b1":
            return w.builder.icmp_unsigned(sign, x, y)
        if kind[0] == "i":
            return w.builder.icmp_signed(sign, x, y)
        return (w.builder.fcmp_unordered if sign == "!=" else w.builder.fcmp_ordered)(sign, x, y)

    return emit


def _extreme(sign: str) -> Emit:
    def emit(w: Writer, op: Op, kind: str, x, y):
        if kind[0] == "i":
            return w.builder.select(w.builder.icmp_signed(sign, x, y), x, y)
        chosen = w.builder.select(w.builder.fcmp_ordered(sign, x, y), x, y)
        return w.builder.select(w.builder.fcmp_unordered("uno", x, x), x, chosen)  # NaN stays

    return emit


def _logic(name: str) -> Emit:
    def emit(w: Writer, op: Op, kind: str, x, y):
        return getattr(w.builder, name)(x, y)

    return emit


def _llvm(name: str) -> Emit:
    return lambda w, op, kind, *values: w.llvm(name, kind, *values)


def _libm(name: str) -> Emit:
    return lambda w, op, kind, *values: w.libm(name, kind, *values)


def _negative(w: Writer, op: Op, kind: str, x):
    return w.builder.fneg(x) if kind[0] == "f" else w.builder.neg(x)


def _not(w: Writer, op: Op, kind: str, x):
    return w.builder.not_(x)


def _select(w: Writer, op: Op, kind: str, which, no, yes):
    """`no` where `which` is false, else `yes`.

    Parameters
    ----------
    w, op, kind : as of every Emit
    which : mask
    no, yes : values
    """
    return w.builder.select(which, yes, no)


def _same(w: Writer, op: Op, kind: str, x):
    return x


def _power(w: Writer, op: Op, kind: str, x):
    result = w.constant(1.0, kind)
    for _ in range(abs(op.exponent)):
        result = w.builder.fmul(result, x)
    return w.builder.fdiv(w.constant(1.0, kind), result) if op.exponent < 0 else result


def _square(w: Writer, op: Op, kind: str, x):
    return w.builder.fmul(x, x)


def _sign(w: Writer, op: Op, kind: str, x):
    zero = w.constant(0.0, kind)
    one = w.llvm("copysign", kind, w.constant(1.0, kind), x)
    return w.builder.select(w.builder.fcmp_ordered("!=", x, zero), one, x)


def _reciprocal_root(w: Writer, op: Op, kind: str, x):
    return w.builder.fdiv(w.constant(1.0, kind), w.llvm("sqrt", kind, x))


def _logistic(w: Writer, op: Op, kind: str, x):
    one = w.constant(1.0, kind)
    return w.builder.fdiv(one, w.builder.fadd(one, w.llvm("exp", kind, w.builder.fneg(x))))


def _is_finite(w: Writer, op: Op, kind: str, x):
    return w.builder.fcmp_ordered("ord", w.builder.fsub(x, x), w.constant(0.0, kind))


def _exprel(w: Writer, op: Op, kind: str, z):
    """The short form, which holds for abs(z) <= SHORT_RANGE, and the full one for vectors with a lane beyond it."""
    bits = 8 * ITEM[kind]
    short = short_exprel(w.builder, z, bits)
    far = w.builder.fcmp_unordered(">", w.llvm("fabs", kind, z), w.constant(SHORT_RANGE, kind))
    before = w.builder.block
    with w.builder.if_then(w.any(far), likely=False):
        full = w.builder.select(far, full_exprel(w.builder, w.constant(1.0, kind), z, bits), short)
        after = w.builder.block
    result = w.builder.phi(z.type)
    result.add_incoming(short, before)
    result.add_incoming(full, after)
    return result


def _convert(w: Writer, op: Op, kind: str, x):
    b, target = w.builder, w.type(op.kind)
    if kind == op.kind:
        return x
    if op.kind == "b1":
        zero = w.constant(0, kind)
        return b.fcmp_unordered("!=", x, zero) if kind[0] == "f" else b.icmp_signed("!=", x, zero)
    if kind[0] == op.kind[0] == "f":
        return (b.fpext if op.kind == "f8" else b.fptrunc)(x, target)
    if kind[0] == "f":
        return b.fptosi(x, target)
    if op.kind[0] == "f":
        return (b.uitofp if kind == "b1" else b.sitofp)(x, target)
    if kind == "b1":
        return b.zext(x, target)
    return (b.sext if op.kind == "i8" else b.trunc)(x, target)


OPERATIONS: dict[str, Emit] = {
    "add": _arithmetic("fadd", "add"), "add_any": _arithmetic("fadd", "add"), "sub": _arithmetic("fsub", "sub"),
    "mul": _arithmetic("fmul", "mul"), "div": _arithmetic("fdiv", "sdiv"), "neg": _negative,
    "eq": _comparison("=="), "ne": _comparison("!="), "lt": _comparison("<"), "le": _comparison("<="),
    "gt": _comparison(">"), "ge": _comparison(">="), "max": _extreme(">"), "min": _extreme("<"),
    "and": _logic("and_"), "or": _logic("or_"), "xor": _logic("xor"), "not": _not, "select_n": _select,
    "convert_element_type": _convert, "integer_pow": _power, "square": _square, "sign": _sign, "copy": _same,
    "abs": _llvm("fabs"), "floor": _llvm("floor"), "ceil": _llvm("ceil"), "round": _llvm("round"),
    "round_even": _llvm("roundeven"),
    "sqrt": _llvm("sqrt"), "rsqrt": _reciprocal_root, "exp": _llvm("exp"), "exp2": _llvm("exp2"), "log": _llvm("log"),
    "sin": _llvm("sin"), "cos": _llvm("cos"), "pow": _llvm("pow"), "expm1": _libm("expm1"), "log1p": _libm("log1p"),
    "tan": _libm("tan"), "tanh": _libm("tanh"), "atan": _libm("atan"), "atan2": _libm("atan2"), "sinh": _libm("sinh"),
    "cosh": _libm("cosh"), "erf": _libm("erf"), "cbrt": _libm("cbrt"), "logistic": _logistic, "is_finite": _is_finite,
    "exprel": _exprel,
}  # fmt: skip
