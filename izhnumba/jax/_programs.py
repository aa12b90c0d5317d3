"""From JAX to kernels: a function of numbers, traced by JAX, as a program of plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal

from izhnumba.jax._kernels.program import OPERATIONS, Number, Op, Program

Operand = int | Number
KINDS = {"float32": "f4", "float64": "f8", "int32": "i4", "int64": "i8", "bool": "b1"}  # by dtype
_RENAMING = {  # operations that leave a single number as it is
    "broadcast_in_dim", "reshape", "squeeze", "stop_gradient", "optimization_barrier", "pvary",
}  # fmt: skip
_CALLS = {  # operations that call a function once, which is inlined
    "jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "custom_jvp_call", "custom_vjp_call",
    "custom_vjp_call_jaxpr",
}  # fmt: skip
_CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # the parameter that holds the function of a call
_OF_INTEGERS = {  # operations that kernels have for integers
    "add", "sub", "mul", "neg", "eq", "ne", "lt", "le", "gt", "ge", "max", "min", "and", "or", "xor", "not", "select_n",
    "convert_element_type", "copy",
}  # fmt: skip


class NotElementwise(Exception):
    """An operation, by name, that kernels do not have."""


def program(function: Callable[..., Any], dtypes: Sequence[Any]) -> Program:
    """The operations of `function`, which maps numbers of these dtypes to a tuple of numbers and may contain
    derivatives.

    NotElementwise for an operation that kernels do not have."""
    arguments = [jax.ShapeDtypeStruct((), dtype) for dtype in dtypes]
    closed = jax.make_jaxpr(function)(*arguments)
    writer = _Writer([_kind(dtype) for dtype in dtypes])
    outputs = writer.inline(closed.jaxpr, closed.consts, list(range(len(dtypes))))
    return Program(tuple(writer.inputs), tuple(writer.ops), tuple(outputs))


def _kind(dtype) -> str:
    """The kind of number by its dtype, such as "f4"."""
    name = np.dtype(dtype).name
    if name not in KINDS:
        raise NotElementwise(f"numbers of dtype {name}")
    return KINDS[name]


class _Writer:
    """Collects the operations of equations, one after the other."""

    def __init__(self, inputs: list[str]) -> None:
        self.inputs = inputs
        self.ops: list[Op] = []

    def inline(self, jaxpr, constants: Sequence[Any], arguments: list[Operand]) -> list[Operand]:
        """Write the operations of a jaxpr. Returns its results for these arguments, each a number of a value, as in
        `Op`, or a Number."""
        known = dict(zip(jaxpr.constvars, map(_constant, constants), strict=True))
        known |= dict(zip(jaxpr.invars, arguments, strict=True))

        def operand(variable) -> Operand:
            dtype = variable.aval.dtype  # of a number of Python's, too
            return _constant(variable.val, dtype) if isinstance(variable, Literal) else known[variable]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [operand(variable) for variable in equation.invars])
            known |= dict(zip(equation.outvars, results, strict=True))
        return [operand(variable) for variable in jaxpr.outvars]

    def _equation(self, equation, operands: list[Operand]) -> list[Operand]:
        """Write one equation of a jaxpr. Returns its results."""
        name, parameters = equation.primitive.name, equation.params
        if name in _CALLS:
            inner = next(parameters[key] for key in _CALLED if key in parameters)
            return self.inline(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), operands)
        if name in _RENAMING and all(not out.aval.shape for out in equation.outvars):
            return operands[: len(equation.outvars)]
        if name == "round" and int(parameters["rounding_method"]):
            name = "round_even"
        of_bools = name in ("max", "min") and self._kind_of(operands[0]) == "b1"
        if name not in OPERATIONS or of_bools or len(operands) > 3:  # select_n may have many cases
            raise NotElementwise(name)
        if name not in _OF_INTEGERS and any(self._kind_of(operand)[0] == "i" for operand in operands):
            raise NotElementwise(f"{name} of integers")
        (out,) = equation.outvars
        self.ops.append(Op(name, _kind(out.aval.dtype), tuple(operands), int(parameters.get("y", 0))))
        return [len(self.inputs) + len(self.ops) - 1]

    def _kind_of(self, operand: Operand) -> str:
        if isinstance(operand, Number):
            return operand.kind
        n = len(self.inputs)
        return self.inputs[operand] if operand < n else self.ops[operand - n].kind


def _constant(value, dtype=None) -> Number:
    """A number of Python or of an array without axes."""
    array = np.asarray(value, dtype)
    if array.ndim:
        raise NotElementwise("an array among its numbers")
    return Number(array.item(), _kind(array.dtype))
