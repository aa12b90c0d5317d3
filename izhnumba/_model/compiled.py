"""Equations compiled one by one, before kernels are made of them: an error names the equation."""

from __future__ import annotations

from numba import types
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from izhnumba._model.model import Model, equations_of
from izhnumba._numba.compile import compiled, reason_of


def compile_equations(model: Model, number: object) -> None:
    """Compile the equations one by one, to say in a line which of them Numba does not take, and why."""
    p = types.NamedUniTuple(number, len(model.parameters), model.named_tuple())
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
                f"{', '.join(model.parameters)}."
            ) from None
