"""A neuron model as data: state, parameters, and equations written once as functions of numbers.

The same functions run compiled over lanes, on whole NumPy arrays and on JAX tracers, so they hold arithmetic and
`where` only, and every constant is a parameter (a literal 0.04 would turn float32 into float64).
"""

from __future__ import annotations

import functools
import sys
from collections import namedtuple
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.documented import documented_by
from izhnumba._base.renamed import renamed
from izhnumba._base.sealed import assign, by_name
from izhnumba._model import trial
from izhnumba._model.description import description
from izhnumba._model.quantity import QUANTITY, Quantity, checked_parameters
from izhnumba._model.states import NotKnown, States, StateVariable, Unknown, checked_equation, checked_states, known
from izhnumba._model.trial import Equation

# The equations of a model, and the arguments of each.
EQUATIONS = {
    "dV": ("V", "u", "I", "p"), "dV_slope": ("V", "dI", "p"), "C": ("p",), "rate": ("p",),
    "du": ("V", "V_new", "u", "p"), "u_slope": ("p",), "threshold": ("u", "p"), "V_reset": ("u", "p"),
    "u_reset": ("u", "p"),
}  # fmt: skip
_OURS = f"{__name__.rpartition('.')[0]}."  # where izhnumba's equations are written


# Equations that most models share, and defaults of `Model`.
def _a(p):
    return p.a


def _minus_a(p):
    return -p.a


def _V_th(u, p):
    return p.V_th


def _c(u, p):
    return p.c


def _u_plus_d(u, p):
    return u + p.d


@renamed(pull="du")
@documented_by(description)
@dataclass(frozen=True, eq=False)
class Model:
    """A neuron with membrane potential V and recovery variable u, for `Population(n, model=...)`.

    C(p) V' = dV(V, u, I, p)              u' = rate(p) * du(V, V_new, u, p)

    A spike is V >= threshold(u, p); then V = V_reset(u, p) and u = u_reset(u, p), V first. `p` is a named tuple of
    the parameters of one neuron, and of its further states, if it has any. `help(model)` shows the equations, the units
    and the parameters of a model.

    To write a model:

    1. List state and parameters as `Quantity(default, unit, meaning)`; every number in the equations is a parameter.
    2. Write dV(V, u, I, p), linear in I, and du(V, V_new, u, p), linear in u, as functions of numbers: arithmetic on
       their arguments and `izhnumba.where(condition, yes, no)` in place of `if`.
    3. Write their slopes: dV_slope(V, dI, p), the derivative of dV by V, and u_slope(p), that of u' by u.
    4. Write what differs from V >= p.V_th, V = p.c, u += p.d and rate p.a, the defaults of the other equations.
    5. Make the `Model`. Names of parameters are looked up then, and slopes held against finite differences; Numba sees
       the equations at the first step.

    To change a model that exists, `dataclasses.replace(izhnumba.Izhikevich, name=..., du=..., u_slope=...)`.

    Parameters
    ----------
    name, source : str
        What it is called and where it was published. A model that is to be pickled, or loaded with a network, has the
        name of the variable that holds it.
    V, u, I : Quantity
        Default initial values of the state (and 0 for the input) with their units.
    parameters : mapping of str to Quantity
        In the order of the named tuple, at most 60.
    dV : callable (V, u, I, p)
        C dV/dt, linear in I. It may have an attribute `horner`: the same equation with its parabola in Horner form,
        (k2 V + k1) V + k0 instead of k2 V^2 + k1 V + k0, which is the same but for the last bit, in fewer operations.
        Some programs of this field write one, some the other.
    dV_slope : callable (V, dI, p)
        The derivative of dV by V when the input has the derivative dI: -g with a conductance g, else 0. If it depends
        on u or I, that at u = 0 and I = 0; exponential Euler is less accurate then.
    du : callable (V, V_new, u, p)
        du/dt without the factor `rate`, linear in u. V_new is V at the end of the step (V itself where there is none),
        for rules that switch when V has crossed a bound.
    C : callable (p), optional
        The capacitance, 1 if left out. It stays apart because programs of this field divide dt * dV by it.
    rate : callable (p)
        The factor of du, p.a if left out. It stays apart because programs of this field multiply dt by it first.
    u_slope : callable (p)
        The derivative of du/dt by u, -p.a if left out. It may not depend on V or u.
    threshold, V_reset, u_reset : callable (u, p)
        p.V_th, p.c and u + p.d if left out.
    states : mapping of str to StateVariable, optional
        States beside V and u, such as calcium or the voltage of a dendrite, in the order in which they advance. All
        equations but C, rate and u_slope find them in p. With n of them, at most 60 - 2 n parameters.

    Raises
    ------
    TypeError, ValueError
        For what is not a model, equations with other parameters than those of the model, C <= 0, and slopes that are
        not the derivatives, when it is made; for equations that Numba cannot compile, at the first step.

    Notes
    -----
    An equation is a function made by def or lambda, with or without `numba.njit`, that returns a number. Slopes are
    tried at a few states, with the default parameters and with values a tenth above them. A model cannot be changed.

    Examples
    --------
    A leaky neuron whose threshold adapts, with the resting potential as a parameter:

    >>> import dataclasses, izhnumba as iz
    >>> def dV(V, u, I, p):
    ...     return p.leak * (p.rest - V) + I
    >>> def dV_slope(V, dI, p):
    ...     return dI - p.leak
    >>> def du(V, V_new, u, p):
    ...     return -u
    >>> def threshold(u, p):
    ...     return p.V_th + u
    >>> Leaky = iz.Model(
    ...     name="Leaky", source="an example", dV=dV, dV_slope=dV_slope, du=du, threshold=threshold,
    ...     V=iz.Quantity(-70.0, "mV", "membrane potential"), u=iz.Quantity(0.0, "mV", "rise of the threshold"),
    ...     I=iz.Quantity(0.0, "mV/ms", "input current"),
    ...     parameters=dict(
    ...         rest=iz.Quantity(-70.0, "mV", "resting potential"), leak=iz.Quantity(0.05, "1/ms", "leak of V"),
    ...         V_th=iz.Quantity(-50.0, "mV", "threshold at rest"),
    ...         a=iz.Quantity(0.01, "1/ms", "decay of the threshold"), c=iz.Quantity(-60.0, "mV", "V after a spike"),
    ...         d=iz.Quantity(2.0, "mV", "rise by a spike"),
    ...     ),
    ... )
    >>> iz.Population(2, model=Leaky, leak=[0.05, 0.1]).run(200.0, 2.0).spikes.i.size
    12

    A change of a model that exists, in which the leak of u is missing:

    >>> def without_leak(V, V_new, u, p):
    ...     return p.b * V
    >>> def no_slope(p):
    ...     return p.a - p.a
    >>> Integrating = dataclasses.replace(iz.Izhikevich, name="Integrating", du=without_leak, u_slope=no_slope)
    >>> iz.Population(2, model=Integrating).model.name
    'Integrating'
    """

    name: str
    source: str
    V: Quantity
    u: Quantity
    I: Quantity  # noqa: E741 - the symbol of the field
    parameters: Mapping[str, Quantity]
    dV: Equation
    dV_slope: Equation
    du: Equation
    C: Equation | None = None
    rate: Equation = _a
    u_slope: Equation = _minus_a
    threshold: Equation = _V_th
    V_reset: Equation = _c
    u_reset: Equation = _u_plus_d
    states: Mapping[str, StateVariable] = field(default_factory=lambda: States({}))

    def __post_init__(self) -> None:
        for name in ("name", "source"):
            checks.kind(f"Model.{name}", getattr(self, name), str, "a str")
        for name in ("V", "u", "I"):
            checks.kind(f"Model.{name}", getattr(self, name), Quantity, QUANTITY)
        assign(self, parameters=checked_parameters(self.parameters))
        assign(self, states=checked_states(self.states, self.parameters))
        for name, equation, arguments in own_equations(self):
            owner = self if name in EQUATIONS else self.dV  # the horner of dV
            assign(owner, **{name.removeprefix("dV."): checked_equation(f"Model.{name}", equation, arguments)})
        self._try_equations()

    def _try_equations(self) -> None:
        """Refuse equations that do not fit the parameters or return no numbers, and slopes that are not derivatives;
        those of izhnumba's own equations are tried by a test."""
        equations = {name: equation for name, equation, _ in equations_of(self)}
        arguments = {name: arguments for name, _, arguments in equations_of(self)}
        V, u, I = (float(quantity.default) for quantity in (self.V, self.u, self.I))
        defaults = [float(one.default) for of in (self.parameters, self.states) for one in of.values()]
        p = self.named_tuple()(*defaults)
        values = {"V": V, "V_new": V, "u": u, "I": I, "dI": 0.0, "p": p}
        trial.results_are_numbers(equations, arguments, values)
        self._must_not_read_states()
        if not all(str(equation.__module__).startswith(_OURS) for equation in equations.values()):
            trial.slopes_are_derivatives(equations, V, u, p, self.states)

    def _must_not_read_states(self) -> None:
        """Refuse equations of the parameters alone that look at a state."""
        for name, equation, arguments in own_equations(self):
            if self.states and arguments == ("p",):
                try:
                    known(equation, self.unknown_states())
                except NotKnown as error:
                    raise TypeError(
                        f"Model.{name} must be made of parameters alone, got p.{error}, a state. States may enter dV, "
                        "du, threshold, V_reset, u_reset and each other."
                    ) from None
                except Exception:  # noqa: S112 - compiling it says what is wrong
                    continue

    def __repr__(self) -> str:
        states = f"; {', '.join(self.states)}" if self.states else ""
        return f"<model {self.name}: {', '.join(self.parameters)}{states}>"

    def __reduce__(self) -> Any:
        """A model that the module of its equations holds under its name is pickled by name: it is the same again."""
        home = self.dV.__module__
        if getattr(sys.modules.get(home), self.name, None) is self:
            return by_name, (home, self.name)
        return super().__reduce__()

    def derivatives(self, V: object, u: object, I: object, p: object) -> tuple[Any, Any]:  # noqa: E741
        """dV/dt and du/dt of numbers or arrays that broadcast; p: a named tuple of the parameters (and further states)
        of such shapes."""
        dV = self.dV(V, u, I, p)
        return dV if self.C is None else dV / self.C(p), self.rate(p) * self.du(V, V, u, p)

    @property
    def variables(self) -> dict[str, Quantity | StateVariable]:
        """V, u and the further states by name."""
        return {"V": self.V, "u": self.u, **self.states}

    @functools.cached_property
    def gains(self) -> tuple[str, ...]:
        """Names of the states whose slope is made of parameters alone."""
        found = list[str]()
        for name, state in self.states.items():
            with suppress(Exception):  # it looks at V or a state; or compiling it says what is wrong
                if state.slope is not None:
                    known(state.slope, Unknown("V"), self.unknown_states())
                    found.append(name)
        return tuple(found)

    def named_tuple(self, *more: str) -> Any:
        """The named-tuple type of `p`: the model's own parameters, its states beside V and u, and the names `more`."""
        return _tuple_type((*self.parameters, *self.states, *more))

    def unknown_states(self) -> Any:
        """`p` of the default parameters, and of states of which nothing is known."""
        values = [float(one.default) for one in self.parameters.values()]
        return self.named_tuple()(*values, *map(Unknown, self.states))


@functools.cache
def _tuple_type(names: tuple[str, ...]):
    return namedtuple("p", names)  # makes and runs source code, which takes as long as a few steps


def equations_of(model: Model) -> Iterator[tuple[str, Equation, tuple[str, ...]]]:
    """(name, function, names of its arguments) of each equation of a model and of its states."""
    yield from own_equations(model)
    for state, one in model.states.items():
        for name, equation, arguments in one.equations:
            yield f"states[{state!r}].{name}", equation, arguments


def own_equations(model: Model) -> Iterator[tuple[str, Equation, tuple[str, ...]]]:
    """The same but for the states, "dV.horner" included."""
    for name, arguments in EQUATIONS.items():
        if name != "C" or model.C is not None:
            yield name, getattr(model, name), arguments
    if hasattr(model.dV, "horner"):
        yield "dV.horner", model.dV.horner, EQUATIONS["dV"]


def u_nullcline(model: Model, V: NDArray[Any], p: object) -> NDArray[Any]:
    """u at which du/dt = 0, of the shape of V, by one step of Newton's on an equation that is linear in u."""
    at_zero, at_one = (np.asarray(model.du(V, V, u, p), float) for u in (0.0, 1.0))
    if np.any(at_zero == at_one):
        raise ValueError("Population.u must be a number for a model in which u does not leak, got 'nullcline'.")
    return np.asarray(np.broadcast_to(at_zero / (at_zero - at_one), np.shape(V)))
