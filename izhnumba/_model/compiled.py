"""Functions of the user's compiled one by one, before kernels are made of them: an error names the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from izhnumba._model.model import Model, equations_of
from izhnumba._numba.compile import compiled, reason_of


def compile_block(function: Callable[..., Any], dtype: str, where: str) -> None:
    """Compile a function of V, to say in a line why Numba does not take it. where: words for it in errors."""
    try:
        compiled(function).compile((from_dtype(np.dtype(dtype)),))
    except (NumbaError, UnsupportedBytecodeError) as error:
        raise TypeError(
            f"{where} must be a function that Numba can compile, got {function.__name__}: {reason_of(error)}. It "
            "computes with numbers, by math and if."
        ) from None


def compile_equations(model: Model, number: object) -> None:
    """Compile the equations one by one, to say in a line which of them Numba does not take, and why."""
    p_type = model.named_tuple()
    p = types.NamedUniTuple(number, len(p_type._fields), p_type)
    for name, equation, arguments in equations_of(model):
        try:
            dispatcher = compiled(equation)
            dispatcher.compile((*[number] * (len(arguments) - 1), p))
            (compiled_one,) = dispatcher.overloads.values()  # from the disk its types are others of the same names
            result = compiled_one.signature.return_type
            if not isinstance(result, (types.Float, types.Integer)):
                raise TypeError(f"Model.{name} must return a number, got {result} from {equation.__name__}.")
        except (NumbaError, UnsupportedBytecodeError) as error:
            raise TypeError(
                f"Model.{name} must be an equation that Numba can compile, got {equation.__name__}: "
                f"{reason_of(error)}. Use arithmetic on the arguments and izhnumba.where; the last argument has "
                f"{', '.join(p_type._fields)}."
            ) from None
