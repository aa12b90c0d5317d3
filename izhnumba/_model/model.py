"""Neuron models as data: state, parameters, equations written once as scalars. One page each.

The equations are plain functions of numbers. The same functions run compiled over lanes, on whole NumPy arrays and
on JAX tracers, so they hold arithmetic and `where` only, and every constant is a parameter (a literal 0.04 would turn
float32 into float64).
"""

from __future__ import annotations

import functools
import inspect
import keyword
import math
import types
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._numba.where import where


@dataclass(frozen=True)
class Quantity:
    """A state variable or parameter: its default, its unit, what it means, and bounds of its values."""

    default: float
    unit: str
    meaning: str
    above: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        for name in ("unit", "meaning"):
            checks.kind(f"Quantity.{name}", getattr(self, name), str, "a str")
        limits: dict[str, Any] = {}
        for name in ("above", "at_least"):
            bound = getattr(self, name)
            if bound is not None:
                limits[name] = checks.Other(name, checks.number(f"Quantity.{name}", bound))
        checks.number("Quantity.default", self.default, finite=False, **limits)

    @property
    def bounds(self) -> dict[str, Any]:
        """What `checks.number` and `array` must know of its values: only a default that is infinite lets them be."""
        return {"above": self.above, "at_least": self.at_least, "finite": math.isfinite(self.default)}


def _v_th(u, p):
    return p.V_th


def _c(u, p):
    return p.c


def _u_plus_d(u, p):
    return u + p.d


def _minus_a(p):
    return -p.a


def _a(p):
    return p.a


# What a population has besides the parameters of its model.
_TAKEN = {
    "V", "u", "I", "t", "p", "dt", "n", "size", "shape", "batch", "model", "scheme", "dtype", "seed", "threads", "name",
    "result", "spikes", "step", "run", "reset", "reset_kind", "refractory", "last_spike_time", "n_steps", "network",
    "state_at", "self", "V_min", "tau_ref", "gain", "z0", "z1",
}  # fmt: skip
_QUANTITY = "a Quantity(default, unit, meaning)"
MAX_PARAMETERS = 64  # for which kernels have room, with V_min and what is derived
_MOST_PARAMETERS = 60

# The equations of a model, and the arguments of each.
EQUATIONS = {
    "dV": ("V", "u", "I", "p"), "dV_slope": ("V", "dI", "p"), "C": ("p",), "rate": ("p",),
    "pull": ("V", "V_new", "u", "p"), "u_slope": ("p",), "threshold": ("u", "p"), "V_reset": ("u", "p"),
    "u_reset": ("u", "p"),
}  # fmt: skip


@functools.cache
def _tuple_type(names: tuple[str, ...]) -> Any:
    return namedtuple("p", names)  # makes and runs source code, which takes as long as a few steps


class _ReadOnly(dict[str, Quantity]):
    """Parameters that no model can change for another one that shares them."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("Model.parameters cannot be changed. Make a new model with dataclasses.replace.")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> Any:
        return _ReadOnly, (dict(self),)


def _check_parameters(parameters: Mapping[str, Quantity]) -> None:
    checks.kind("Model.parameters", parameters, Mapping, "a mapping of names to Quantity")
    if len(parameters) > _MOST_PARAMETERS:
        raise ValueError(f"Model.parameters must be at most {_MOST_PARAMETERS}, got {len(parameters)}.")
    for name, quantity in parameters.items():
        checks.kind("Model.parameters", name, str, "named by str")
        if not name.isidentifier() or name in _TAKEN or name.startswith("_") or keyword.iskeyword(name):
            cure = "That name is taken by populations." if name in _TAKEN else "Use letters and digits, no keyword."
            raise ValueError(f"Model.parameters must have names of their own, got {name!r}. {cure}")
        checks.kind(f"Model.parameters[{name!r}]", quantity, Quantity, _QUANTITY)


def _equation(where: str, equation: Any, arguments: tuple[str, ...]) -> Callable[..., Any]:
    equation = getattr(equation, "py_func", equation)  # of a function that the user compiled with Numba already
    checks.kind(where, equation, types.FunctionType, "a function made by def or lambda")
    code, n_defaults = equation.__code__, len(equation.__defaults__ or ())
    if code.co_kwonlyargcount or not code.co_argcount - n_defaults <= len(arguments) <= code.co_argcount:
        given = f"{equation.__name__}{inspect.signature(equation, follow_wrapped=False)}"
        raise TypeError(f"{where} must be a function of ({', '.join(arguments)}), got {given}.")
    return equation


def equations_of(model: Model) -> Iterator[tuple[str, Callable[..., Any], tuple[str, ...]]]:
    """Name, function and arguments of all equations that a model has."""
    for name, arguments in EQUATIONS.items():
        if name != "C" or model.C is not None:
            yield name, getattr(model, name), arguments
    if hasattr(model.dV, "horner"):
        yield "dV.horner", model.dV.horner, EQUATIONS["dV"]


def _check_results(model: Model) -> None:
    """Try the equations on the defaults: text or None would be met far from its equation, or become NaN."""
    numbers = {name: np.float64(getattr(model, name).default) for name in ("V", "u", "I")}
    p = model.named_tuple()(*(np.float64(quantity.default) for quantity in model.parameters.values()))
    known = {**numbers, "V_new": numbers["V"], "dI": np.float64(0.0), "p": p}
    for name, equation, arguments in equations_of(model):
        try:
            with np.errstate(all="ignore"):
                result = equation(*(known[argument] for argument in arguments))
        except Exception:  # compiling it says what is wrong
            continue
        checks.magnitude(f"Model.{name}({', '.join(arguments)})", result, "")


@dataclass(frozen=True, eq=False)
class Model:
    """A neuron with membrane potential V and recovery variable u.

    C(p) V' = dV(V, u, I, p)              u' = rate(p) * pull(V, V_new, u, p)

    A spike is V >= threshold(u, p); then V = V_reset(u, p) and u = u_reset(u, p), V first. `p` is a named tuple of
    the parameters of one neuron.

    Parameters
    ----------
    name, source : str
        What it is called and where it was published.
    V, u, I : Quantity
        Default initial values of the state (and 0 for the input) with their units.
    parameters : mapping of str to Quantity
        In the order of the named tuple, at most 60. Every number in the equations is one of them.
    dV : callable (V, u, I, p)
        C dV/dt, linear in I. It may have an attribute `horner`: the same equation with its parabola in Horner form,
        (k2 V + k1) V + k0 instead of k2 V^2 + k1 V + k0, which is the same but for the last bit, in fewer operations.
        Some programs of this field write one, some the other.
    C : callable (p), optional
        The capacitance, 1 if left out. It stays apart because programs of this field divide dt * dV by it.
    dV_slope : callable (V, dI, p)
        The derivative of dV by V when the input has the derivative dI (0 without conductances).
    rate, pull : callable (p), callable (V, V_new, u, p)
        The two factors of du/dt. They stay apart because programs of this field multiply dt by the rate first. V_new is
        V at the end of the step (V itself where there is none), for rules that switch when V has crossed a bound.
    u_slope : callable (p)
        The derivative of du/dt by u. It may not depend on V or u: the equation of u is linear in u.
    threshold, V_reset, u_reset : callable (u, p)

    Raises
    ------
    TypeError, ValueError
        For what is not a model, when it is made; for equations that Numba cannot compile, at the first step.

    Notes
    -----
    An equation is a function made by def or lambda, with or without `numba.njit`, that returns a number. The
    parameters of a model cannot be changed; `dataclasses.replace` makes another model.

    Examples
    --------
    A model in which the leak of u is missing, made from one that exists:

    >>> import dataclasses, izhnumba as iz
    >>> def pull(V, V_new, u, p):
    ...     return p.b * V
    >>> def u_slope(p):
    ...     return p.a - p.a
    >>> Integrating = dataclasses.replace(iz.Izhikevich, name="Integrating", pull=pull, u_slope=u_slope)
    >>> iz.Population(2, model=Integrating).model.name
    'Integrating'
    """

    name: str
    source: str
    V: Quantity
    u: Quantity
    I: Quantity  # noqa: E741 - the symbol of the field
    parameters: Mapping[str, Quantity]
    dV: Callable[..., Any]
    dV_slope: Callable[..., Any]
    pull: Callable[..., Any]
    C: Callable[..., Any] | None = None
    rate: Callable[..., Any] = _a
    u_slope: Callable[..., Any] = _minus_a
    threshold: Callable[..., Any] = _v_th
    V_reset: Callable[..., Any] = _c
    u_reset: Callable[..., Any] = _u_plus_d

    def __post_init__(self) -> None:
        for name in ("name", "source"):
            checks.kind(f"Model.{name}", getattr(self, name), str, "a str")
        for name in ("V", "u", "I"):
            checks.kind(f"Model.{name}", getattr(self, name), Quantity, _QUANTITY)
        _check_parameters(self.parameters)
        object.__setattr__(self, "parameters", _ReadOnly(self.parameters))
        for name, equation, arguments in equations_of(self):
            owner = self if name in EQUATIONS else self.dV  # the horner of dV
            object.__setattr__(owner, name.removeprefix("dV."), _equation(f"Model.{name}", equation, arguments))
        _check_results(self)

    def __repr__(self) -> str:
        return f"<model {self.name}: {', '.join(self.parameters)}>"

    def __reduce__(self) -> Any:
        """A model of this file is pickled by name, so that it is the same object again."""
        return self.name if globals().get(self.name) is self else super().__reduce__()

    def derivatives(self, V: Any, u: Any, I: Any, p: Any) -> tuple[Any, Any]:  # noqa: E741
        """dV/dt and du/dt, of numbers or arrays."""
        dV = self.dV(V, u, I, p)
        return dV if self.C is None else dV / self.C(p), self.rate(p) * self.pull(V, V, u, p)

    def named_tuple(self, *more: str) -> Any:
        """The type of `p`, with the names `more` after the model's own parameters."""
        return _tuple_type((*self.parameters, *more))


# --- Izhikevich 2003 ------------------------------------------------------------------------------------------------


def _quadratic(V, u, I, p):  # noqa: E741
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


def _quadratic_horner(V, u, I, p):  # noqa: E741
    return (p.k2 * V + p.k1) * V + p.k0 - u + I


# It goes where the function goes: a model with another dV does not inherit it.
_quadratic.horner = _quadratic_horner  # type: ignore[attr-defined]


def _quadratic_slope(V, dI, p):
    return (p.k2 + p.k2) * V + p.k1 + dI


def _pull_to_b_V(V, V_new, u, p):
    return p.b * V - u


Izhikevich = Model(
    name="Izhikevich",
    source="E. M. Izhikevich, Simple model of spiking neurons, 2003, doi:10.1109/TNN.2003.820440, equations 1-3",
    V=Quantity(-65.0, "mV", "membrane potential"),
    u=Quantity(0.0, "mV/ms", "recovery variable"),
    I=Quantity(0.0, "mV/ms", "input current"),
    parameters=dict(
        a=Quantity(0.02, "1/ms", "rate of recovery"),
        b=Quantity(0.2, "1/ms", "coupling of u to V"),
        c=Quantity(-65.0, "mV", "V after a spike"),
        d=Quantity(8.0, "mV/ms", "added to u by a spike"),
        V_th=Quantity(30.0, "mV", "spike threshold, of any sign"),
        k2=Quantity(0.04, "1/(mV*ms)", "coefficient of V^2"),
        k1=Quantity(5.0, "1/ms", "coefficient of V"),
        k0=Quantity(140.0, "mV/ms", "constant term"),
    ),
    dV=_quadratic,
    dV_slope=_quadratic_slope,
    pull=_pull_to_b_V,
)

IzhikevichRef = replace(Izhikevich, name="IzhikevichRef")


def _pull_by_V(V, V_new, u, p):
    return p.b * (V - p.V_b)


def _no_leak(p):
    return p.a - p.a


IzhikevichAccommodation = replace(
    Izhikevich,
    name="IzhikevichAccommodation",
    source="E. M. Izhikevich, figure1.m of Which model to use for cortical spiking neurons?, 2004, panel R",
    parameters={**Izhikevich.parameters, "V_b": Quantity(-65.0, "mV", "V at which u rests")},
    pull=_pull_by_V,
    u_slope=_no_leak,
)


# --- Izhikevich 2007 ------------------------------------------------------------------------------------------------


def _dV_2007(V, u, I, p):  # noqa: E741
    return p.k * (V - p.vr) * (V - p.vt) - u + I


def _dV_slope_2007(V, dI, p):
    return p.k * (V - p.vr) + p.k * (V - p.vt) + dI


def _C(p):
    return p.C


def _pull_2007(V, V_new, u, p):
    b = where(V_new > p.V_b, p.b, p.b_low)
    w = V - p.V_cubic
    cubic = where(V_new >= p.V_cubic, p.cubic, p.cubic - p.cubic)
    return b * (V - p.vr) + cubic * (w * w * w) - u


def _peak(u, p):
    return p.vpeak + p.vpeak_u * u


def _c_of_u(u, p):
    return p.c + p.c_u * u


def _u_capped(u, p):
    return where(u + p.d < p.u_max, u + p.d, p.u_max)


Izhikevich2007 = Model(
    name="Izhikevich2007",
    source="E. M. Izhikevich, Dynamical Systems in Neuroscience, MIT Press 2007, equations 8.5 and 8.6, section 8.2",
    V=Quantity(-60.0, "mV", "membrane potential"),
    u=Quantity(0.0, "pA", "recovery current"),
    I=Quantity(0.0, "pA", "input current"),
    parameters=dict(
        C=Quantity(100.0, "pF", "capacitance", above=0.0),
        k=Quantity(0.7, "nS/mV", "steepness of the parabola"),
        vr=Quantity(-60.0, "mV", "resting potential"),
        vt=Quantity(-40.0, "mV", "instantaneous threshold"),
        vpeak=Quantity(35.0, "mV", "spike cut-off"),
        a=Quantity(0.03, "1/ms", "rate of recovery"),
        b=Quantity(-2.0, "nS", "coupling of u to V"),
        c=Quantity(-50.0, "mV", "V after a spike"),
        d=Quantity(100.0, "pA", "added to u by a spike"),
        # The book's rules for single cell types; the defaults leave them out.
        V_b=Quantity(-math.inf, "mV", "b holds above this V, b_low below (TC, RTN)"),
        b_low=Quantity(0.0, "nS", "coupling of u to V up to V_b"),
        V_cubic=Quantity(0.0, "mV", "from here on u is also drawn to cubic (V - V_cubic)^3 (FS)"),
        cubic=Quantity(0.0, "pA/mV^3", "coefficient of the cubic term"),
        vpeak_u=Quantity(0.0, "mV/pA", "cut-off at vpeak + vpeak_u u (LTS, TC)"),
        c_u=Quantity(0.0, "mV/pA", "V after a spike is c + c_u u, u before d is added (LTS, TC)"),
        u_max=Quantity(math.inf, "pA", "u after a spike is at most this (LTS)"),
    ),
    dV=_dV_2007,
    dV_slope=_dV_slope_2007,
    C=_C,
    pull=_pull_2007,
    threshold=_peak,
    V_reset=_c_of_u,
    u_reset=_u_capped,
)


def u_nullcline(model: Model, V: NDArray[Any], p: Any) -> NDArray[Any]:
    """u at which it does not change, by Newton's step on an equation that is linear in u."""
    at_zero, at_one = (np.asarray(model.pull(V, V, u, p), float) for u in (0.0, 1.0))
    if np.any(at_zero == at_one):
        raise ValueError("Population.u must be a number for a model in which u does not leak, got 'nullcline'.")
    return np.asarray(np.broadcast_to(at_zero / (at_zero - at_one), np.shape(V)))
