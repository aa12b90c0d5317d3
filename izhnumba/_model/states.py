"""State variables of a model beside V and u: what a user says of one, and what is known of it beforehand."""

from __future__ import annotations

import inspect
import keyword
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._model.quantity import MOST_PARAMETERS, TAKEN, Quantity, ReadOnly

Equation = Callable[..., Any]
# The equations of a state variable, and the arguments of each.
STATE_EQUATIONS = {"derivative": ("V", "u", "I", "p"), "slope": ("V", "p"), "reset": ("u", "p")}
# Names that recorders, results, assemblies and chosen neurons use for something else than a state.
_RECORDED = {
    "consecutive", "current", "eligibility", "i", "index", "modulator", "neurons", "parts", "places", "population",
    "rate", "samples", "shape", "slices", "source", "start", "starts", "stop", "to", "to_dataframe",
    "values", "weight", "what", "where", "whole",
}  # fmt: skip
_MUST = "a StateVariable(default, unit, meaning, derivative)"


@dataclass(frozen=True)
class StateVariable:
    """A state of a neuron beside V and u, such as calcium, a threshold that adapts or the voltage of a dendrite.

    Models list theirs by name: `Model(..., states={"ca": StateVariable(...)})`. All equations of the model find it
    among the parameters, as `p.ca`.

    Parameters
    ----------
    default : float
        Where it starts.
    unit, meaning : str
        As of a `Quantity`.
    derivative : callable (V, u, I, p)
        d/dt of it, per ms. I is the input current at this V, in the unit of the model.
    slope : callable (V, p), optional
        The derivative of `derivative` by the state itself. With it the scheme "exp_euler" advances the state by
        exponential Euler, which is exact while nothing else moves if `derivative` is linear in the state; fastest
        where it is made of parameters alone. Without it "exp_euler" takes a step of Euler. Other schemes do without.
    reset : callable (u, p), optional
        Its value after a spike, from u and the states before the reset; left out, a spike does not change it.

    Raises
    ------
    TypeError, ValueError
        For texts and numbers that are none; the equations are looked at when a model is made of it.

    Notes
    -----
    A scheme advances states after V and u, in the order in which the model lists them, with the new V and u, and the
    new values of states before it, if it does so with u; "euler" and "nest" take the old values of all, "midpoint",
    "heun" and "rk4" those of their stages. A refractory neuron keeps its states, too.

    Examples
    --------
    Calcium that enters at spikes and opens a current of potassium:

    >>> import dataclasses, izhnumba as iz
    >>> quadratic = iz.Izhikevich.dV
    >>> def dV(V, u, I, p):
    ...     return quadratic(V, u, I, p) - p.g * p.ca
    >>> def decay(V, u, I, p):
    ...     return -p.rate * p.ca
    >>> def decay_slope(V, p):
    ...     return -p.rate
    >>> def influx(u, p):
    ...     return p.ca + p.jump
    >>> Adapting = dataclasses.replace(
    ...     iz.Izhikevich, name="Adapting", dV=dV,
    ...     parameters=iz.Izhikevich.parameters | dict(
    ...         g=iz.Quantity(1.0, "mV/(ms*uM)", "current per calcium"),
    ...         rate=iz.Quantity(0.01, "1/ms", "rate of decay"), jump=iz.Quantity(1.0, "uM", "influx of a spike"),
    ...     ),
    ...     states=dict(ca=iz.StateVariable(0.0, "uM", "calcium", decay, decay_slope, influx)),
    ... )
    >>> pop = iz.Population(2, model=Adapting, g=[0.0, 4.0], ca=0.1, u=-13.0)
    >>> result = pop.run(200.0, 10.0, record=["V", "ca"])
    >>> result.spikes.i.tolist(), result.ca.shape
    ([0, 1, 0, 1, 0, 0, 1, 0, 1], (2000, 2))
    >>> pop.ca.round(2)
    array([1.72, 1.8 ])
    """

    default: float
    unit: str
    meaning: str
    derivative: Equation
    slope: Equation | None = None
    reset: Equation | None = None

    def __post_init__(self) -> None:
        for name in ("unit", "meaning"):
            checks.kind(f"StateVariable.{name}", getattr(self, name), str, "a str")
        checks.number("StateVariable.default", self.default)

    @property
    def equations(self) -> Iterator[tuple[str, Equation, tuple[str, ...]]]:
        """(name, function, names of its arguments) of each of its equations."""
        for name, arguments in STATE_EQUATIONS.items():
            if getattr(self, name) is not None:
                yield name, getattr(self, name), arguments


class States(ReadOnly[StateVariable]):
    """The state variables of a model by name."""

    _where = "Model.states"


def checked_states(states: Mapping[str, StateVariable], parameters: Mapping[str, Quantity]) -> States:
    """State variables of a new model with these parameters; TypeError or ValueError for what cannot be."""
    where, found = "Model.states", dict[str, StateVariable]()
    checks.kind(where, states, Mapping, "a mapping of names to StateVariable")
    for name, state in states.items():
        checks.kind(where, name, str, "named by str")
        cure = _cure(name, parameters)
        if cure:
            raise ValueError(f"{where} must have names of their own, got {name!r}. {cure}")
        one = checks.kind(f"{where}[{name!r}]", state, StateVariable, _MUST)
        functions: dict[str, Any] = {key: checked_equation(f"{where}[{name!r}].{key}", equation, arguments)
                     for key, equation, arguments in one.equations}  # fmt: skip
        found[name] = replace(one, **functions)
    if len(parameters) + 2 * len(found) > MOST_PARAMETERS:
        most = (MOST_PARAMETERS - len(parameters)) // 2
        raise ValueError(
            f"{where} must be at most {most} beside {counted(len(parameters), 'parameter')}, got {len(found)}."
        )
    return States(found)


def _cure(name: str, parameters: Mapping[str, Quantity]) -> str:
    """What is wrong with the name of a state; "" if nothing is."""
    if name in ("V", "u", "I"):
        return "Every model has that one: give it as Model." + name + "."
    if name in parameters:
        return "That is a parameter."
    if name in TAKEN | _RECORDED or gain_of(name) in parameters:
        return "That name is taken by populations and recorders."
    good = name.isidentifier() and not name.startswith("_") and not keyword.iskeyword(name)
    return "" if good else "Use letters and digits, no keyword."


def may_name_states(names: list[str]) -> bool:
    """Whether a model might have states of these names."""
    return len(set(names)) == len(names) and not any(_cure(name, {}) for name in names)


def gain_of(state: str) -> str:
    """The name, beside those of parameters, of dt * exprel(dt * slope) of a state."""
    return f"gain_{state}"


def checked_equation(where: str, equation: object, arguments: tuple[str, ...]) -> Equation:
    """The plain function of an equation, which takes these arguments."""
    function = getattr(equation, "py_func", equation)  # of a function that the user compiled with Numba already
    plain: types.FunctionType = checks.kind(where, function, types.FunctionType, "a function made by def or lambda")
    code, n_defaults = plain.__code__, len(plain.__defaults__ or ())
    if code.co_kwonlyargcount or not code.co_argcount - n_defaults <= len(arguments) <= code.co_argcount:
        given = f"{plain.__name__}{inspect.signature(plain, follow_wrapped=False)}"
        raise TypeError(f"{where} must be a function of ({', '.join(arguments)}), got {given}.")
    return plain


class NotKnown(Exception):
    """An equation looks at something, named by the argument, that is not known before a step."""


class Unknown:
    """Stands for a number that is not known before a step: whatever is computed with it is a NotKnown."""

    __array_ufunc__ = None  # arrays leave the operation to this class

    def __init__(self, name: str) -> None:
        self.name = name

    def _look(self, *_: object) -> NoReturn:
        raise NotKnown(self.name)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _look
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = __bool__ = __float__ = __array__ = _look
    __lt__ = __le__ = __gt__ = __ge__ = _look
    __eq__ = __ne__ = _look


def known(equation: Equation, *arguments: object) -> Any:
    """The result of an equation; NotKnown if it depends on an Unknown among its arguments."""
    found = equation(*arguments)
    if isinstance(found, Unknown):
        raise NotKnown(found.name)
    return found
