"""Schemes: how a neuron advances by one step, as scalar rules. All that a scheme is stands in this file.

To add a scheme:

1. Write a function of `Equations` that returns the rule, `rule(V, u, x, p, gain, dt, wide)` -> V, u, p.
2. Add a `Scheme` to `_ALL`, with what the fields say: when it resets, how it tests, the largest dt.
3. Give it a line in the oracle, `tests/oracles/oracle.py`, whose matrix compares every scheme with every model.

A rule maps (V, u) at t = k dt to (V, u) at (k+1) dt, before the spike test. It may use

    dt_f(dt, V, u, x, p)   dt * dV/dt with the input at V           dt_slope(dt, V, x, p)   dt * its derivative by V
    rate(p), du(V, V_new, u, p)     the factors of du/dt            add_delta(V, x)     V + the V jumps of the step
    dt_exprel(dt, z, wide)          dt * (exp(z) - 1) / z           floor(V, p)    V, but not below V_min
    number(x)                       x in the precision of the population
    at_threshold(V, u, p)           V >= V_th

States beside V and u are among the numbers of p, and the rule returns p with their new values. If `states.any`, there
are some, and it may use, of `states`,

    in_turn(dt, V, u, x, p)         p after a step of each state, one after the other, each from those before it
    changes(dt, V, u, x, p)         dt times their derivatives, a tuple
    moved(p, h, changes)            p with h times changes added to them
    choose(first, p, q)             q, with the states of p if `first`

The grouping of each expression is that of the program the scheme comes from, to the last bit.

Parameters
----------
V, u : float
    State of one neuron at the start of the step: mV, and mV/ms or pA.
x : tuple of six floats
    Input of the step, (I, delta, g, gE, b, bE): current, V jump, sum of conductances, sum of conductance times reversal
    potential, and both once more for conductances behind a magnesium block.
p : named tuple of floats
    Parameters of the model, its states beside V and u, V_min and the numbers derived from the parameters.
gain : float
    dt * rate * exprel(dt * u_slope), what exponential Euler multiplies du by.
dt : float, ms
wide : bool
    Whether z of `dt_exprel` may lie beyond the range of its short form.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from izhnumba._base import checks
from izhnumba._base.documented import documented_by
from izhnumba._base.sealed import NamedTable, Reduced
from izhnumba._numba.compile import CONTRACT, STRICT
from izhnumba._numba.where import where

Function = Callable[..., Any]
DEFAULT = "exp_euler"
MOST_SUBSTEPS = 100
LONGEST_DIVIDED = 1.0  # ms, dt of schemes with sub-steps: a neuron spikes once in a step


class Equations(NamedTuple):
    """The functions that a rule may call: a model's equations with the input kinds in use folded in."""

    dt_f: Function
    dt_slope: Function
    rate: Function
    du: Function
    add_delta: Function
    floor: Function
    dt_exprel: Function
    number: Function
    states: StateSteps
    at_threshold: Function
    inline: Function  # makes a function one that others can call


class StateSteps(NamedTuple):
    """How the states beside V and u advance; `any`: whether there are some."""

    any: bool
    changes: Function
    moved: Function
    in_turn: Function
    choose: Function


def _never() -> None:
    """Stands where nothing is called."""


NO_STATES = StateSteps(False, _never, _never, _never, _never)


def _about(scheme: Scheme) -> str:
    """The text of `help(scheme)`."""
    if scheme.exact:
        return f"Scheme {scheme.name!r}: {scheme.source}."
    when, sign = "at the start of the next step" if scheme.reset_first else "at once", ">" * scheme.strict_test or ">="
    return (
        f"Scheme {scheme.name!r}: {scheme.source}.\n\n"
        f"A spike is V {sign} V_th at the end of a step; V and u are reset {when}. Steps of at most "
        f"{scheme.dt_max:g} ms.{' Takes sub-steps.' if scheme.divisible else ''}"
    )


@documented_by(_about)
@dataclass(frozen=True, eq=False, repr=False)
class Scheme:
    """A one-step rule and what a kernel must know about it; or "exact", which has no steps, and no rule.

    An entry of `izhnumba.schemes`. Populations and networks take its name: `Population(n, scheme="euler")`.

    Attributes
    ----------
    name, source : str
        How users call it, and which program or paper it follows.
    dt_max : float, ms
        From which on a warning says that spikes are lost.
    exact : bool
        Whether there are no steps.
    substeps : int
        Into how many sub-steps each step is divided.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.schemes["izhikevich2004"].dt_max
    0.5
    >>> iz.schemes["euler/5"].substeps
    5
    """

    name: str
    source: str
    rule: Callable[[Equations], Function] | None  # None: there are no steps
    dt_max: float  # ms, beyond it spikes are lost or V overshoots by far
    reset_first: bool = False  # reset at the start of the next step (stored V may exceed V_th), else at once
    strict_test: bool = False  # a spike is V > V_th instead of V >= V_th
    delta_as_current: bool = False  # V jumps enter every sub-step as a current
    horner: bool = False  # takes dV in Horner form, where the model has one
    exponential: bool = False  # uses dt_slope, dt_exprel and gain
    euler_part: float = 0.0  # of dt, in one Euler step of V: from very negative V it would leap over the threshold
    divisible: bool = False  # takes sub-steps: V and u advance together, and no other program says how
    substeps: int = 1
    fastmath: frozenset[str] = STRICT  # contraction would move the last bits of a scheme that follows another program

    def __repr__(self) -> str:
        return f"<scheme {self.name}: {self.source}>"

    def warn_of(self, where: str, dt: float, stacklevel: int) -> None:
        """Warn of a time step dt, in ms, that is too large. stacklevel: as for `warnings.warn`, of the caller."""
        if dt > self.dt_max:
            warnings.warn(
                f"{where} = {dt:g} ms is too large for the scheme {self.name!r}: spikes are lost and V overshoots. Use "
                f"dt <= {self.dt_max:g} ms.",
                stacklevel=stacklevel + 1,
            )

    def in_substeps(self, where: str, value: object) -> Scheme:
        """The scheme whose steps are divided into `value` sub-steps, which is called "name/value"."""
        if not self.divisible:
            names = ", ".join(scheme.name for scheme in _ALL if scheme.divisible)
            raise ValueError(
                f"{where} must be left out with the scheme {self.name!r}, got {checks.shown(value)}. Schemes that take "
                f"sub-steps are {names}; or use a smaller dt."
            )
        return divided(self, checks.integer(where, value, at_least=1, at_most=MOST_SUBSTEPS))

    def __reduce__(self) -> Reduced:
        return schemes.of(self, super().__reduce__)

    @property
    def exact(self) -> bool:
        """Whether it is the exact engine, which has no steps."""
        return self.rule is None


@functools.cache
def divided(scheme: Scheme, n: int) -> Scheme:
    """A divisible scheme with n sub-steps in each step: one object for each n, for kernels are known by it."""
    if n == 1:
        return scheme
    assert scheme.rule is not None
    return dataclasses.replace(
        scheme, name=f"{scheme.name}/{n}", source=f"{scheme.source}, in {n} sub-steps",
        rule=functools.partial(_in_substeps, scheme.rule, n), dt_max=LONGEST_DIVIDED, divisible=False, substeps=n,
        euler_part=scheme.euler_part / n,
    )  # fmt: skip


def _in_substeps(rule_of: Callable[[Equations], Function], n: int, eq: Equations) -> Function:
    """The rule of n steps of dt / n of another rule, with the same input; V jumps come with the last one. A neuron
    that is at the threshold after one of them stays as it is."""
    at_threshold, number, more = eq.at_threshold, eq.number, n - 2
    STATES, choose = eq.states.any, eq.states.choose

    def no_delta(V, x):
        return V

    within = eq.inline(rule_of(eq._replace(add_delta=eq.inline(no_delta))))
    last = eq.inline(rule_of(eq))

    def rule(V, u, x, p, gain, dt, wide):
        """The other rule n times. Parameters: see `_model.schemes`."""
        part = dt / number(n)
        V, u, p = within(V, u, x, p, gain, part, wide)
        for _ in range(more):
            stays = at_threshold(V, u, p)
            V_new, u_new, q = within(V, u, x, p, gain, part, wide)
            V, u = where(stays, V, V_new), where(stays, u, u_new)
            if STATES:
                p = choose(stays, p, q)
        stays = at_threshold(V, u, p)
        V_new, u_new, q = last(V, u, x, p, gain, part, wide)
        if STATES:
            p = choose(stays, p, q)
        return where(stays, V, V_new), where(stays, u, u_new), p

    return rule


def _exp_euler(eq: Equations) -> Function:
    dt_f, dt_slope, dt_exprel, du, add_delta, floor = eq.dt_f, eq.dt_slope, eq.dt_exprel, eq.du, eq.add_delta, eq.floor
    STATES, in_turn = eq.states.any, eq.states.in_turn

    def rule(V, u, x, p, gain, dt, wide):
        """V + dt exprel(dt dV'/dV) V', then u + gain du, then states. Parameters: see `_model.schemes`."""
        V = floor(add_delta(V + dt_f(dt_exprel(dt, dt_slope(dt, V, x, p), wide), V, u, x, p), x), p)
        u = u + gain * du(V, V, u, p)
        if STATES:
            p = in_turn(dt, V, u, x, p)
        return V, u, p

    return rule


def _euler(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor, number = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor, eq.number
    STATES, changes, moved = eq.states.any, eq.states.changes, eq.states.moved

    def rule(V, u, x, p, gain, dt, wide):
        """V + dt V', u + dt u' and so on, all from the old values. Parameters: see `_model.schemes`."""
        V_new = floor(V + add_delta(dt_f(dt, V, u, x, p), x), p)
        u_new = u + dt * rate(p) * du(V, V_new, u, p)
        if STATES:
            p = moved(p, number(1.0), changes(dt, V, u, x, p))
        return V_new, u_new, p

    return rule


def _euler_then_u(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor
    STATES, in_turn = eq.states.any, eq.states.in_turn

    def rule(V, u, x, p, gain, dt, wide):
        """V + dt V', then u + dt u' with the new V, then states. Parameters: see `_model.schemes`."""
        V = floor(add_delta(V + dt_f(dt, V, u, x, p), x), p)
        u = u + dt * rate(p) * du(V, V, u, p)
        if STATES:
            p = in_turn(dt, V, u, x, p)
        return V, u, p

    return rule


def _two_half_steps(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor, number = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor, eq.number
    STATES, in_turn = eq.states.any, eq.states.in_turn

    def rule(V, u, x, p, gain, dt, wide):
        """V + (dt / 2) V' twice, then u + dt u' with the new V, then states. Parameters: see `_model.schemes`."""
        half = number(0.5) * dt
        V = V + dt_f(half, V, u, x, p)
        V = floor(add_delta(V + dt_f(half, V, u, x, p), x), p)
        u = u + dt * rate(p) * du(V, V, u, p)
        if STATES:
            p = in_turn(dt, V, u, x, p)
        return V, u, p

    return rule


def _two_half_steps_floor_last(eq: Equations) -> Function:
    dt_f, rate, du, floor, number = eq.dt_f, eq.rate, eq.du, eq.floor, eq.number
    STATES, in_turn = eq.states.any, eq.states.in_turn

    def rule(V, u, x, p, gain, dt, wide):
        """V + (dt / 2) V' twice, then u + dt u' with the new V before its floor, then states. Parameters: see
        `_model.schemes`."""
        half = number(0.5) * dt
        V = V + dt_f(half, V, u, x, p)
        V = V + dt_f(half, V, u, x, p)
        u = u + dt * rate(p) * du(V, V, u, p)
        if STATES:
            p = in_turn(dt, V, u, x, p)
        return floor(V, p), u, p

    return rule


def _midpoint(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor, number = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor, eq.number
    STATES, changes, moved = eq.states.any, eq.states.changes, eq.states.moved

    def rule(V, u, x, p, gain, dt, wide):
        """V + dt V', u + dt u' and so on, all at the state that half an Euler step leads to. Parameters: see
        `_model.schemes`."""
        r, half = dt * rate(p), number(0.5)
        q = p  # with the states of the stage
        Va, ua = V + half * dt_f(dt, V, u, x, p), u + half * (r * du(V, V, u, p))
        if STATES:
            q = moved(p, half, changes(dt, V, u, x, p))
            p = moved(p, number(1.0), changes(dt, Va, ua, x, q))
        V = floor(add_delta(V + dt_f(dt, Va, ua, x, q), x), p)
        return V, u + r * du(Va, Va, ua, q), p

    return rule


def _heun(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor, number = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor, eq.number
    STATES, changes, moved = eq.states.any, eq.states.changes, eq.states.moved

    def rule(V, u, x, p, gain, dt, wide):
        """V, u and so on + (k1 + k2) / 2, where k1 is an Euler step, and k2 one from where it leads to. Parameters: see
        `_model.schemes`."""
        r, half = dt * rate(p), number(0.5)
        q = p  # with the states of the stage
        V1, u1 = dt_f(dt, V, u, x, p), r * du(V, V, u, p)
        Va, ua = V + V1, u + u1
        if STATES:
            s1 = changes(dt, V, u, x, p)
            q = moved(p, number(1.0), s1)
            p = moved(moved(p, half, s1), half, changes(dt, Va, ua, x, q))
        V2, u2 = dt_f(dt, Va, ua, x, q), r * du(Va, Va, ua, q)
        return floor(add_delta(V + half * (V1 + V2), x), p), u + half * (u1 + u2), p

    return rule


def _rk4(eq: Equations) -> Function:
    dt_f, rate, du, add_delta, floor, number = eq.dt_f, eq.rate, eq.du, eq.add_delta, eq.floor, eq.number
    STATES, changes, moved = eq.states.any, eq.states.changes, eq.states.moved

    def rule(V, u, x, p, gain, dt, wide):
        """V and u + (k1 + 2 k2 + 2 k3 + k4) / 6, with k1 to k4 of Runge and Kutta; states, too. Parameters: see
        `_model.schemes`."""
        r, half, third = dt * rate(p), number(0.5), number(1.0) / number(3.0)
        q = p  # with the states of each stage
        V1, u1 = dt_f(dt, V, u, x, q), r * du(V, V, u, q)
        Va, ua = V + half * V1, u + half * u1
        if STATES:
            s1 = changes(dt, V, u, x, q)
            q = moved(p, half, s1)
        V2, u2 = dt_f(dt, Va, ua, x, q), r * du(Va, Va, ua, q)
        Vb, ub = V + half * V2, u + half * u2
        if STATES:
            s2 = changes(dt, Va, ua, x, q)
            q = moved(p, half, s2)
        V3, u3 = dt_f(dt, Vb, ub, x, q), r * du(Vb, Vb, ub, q)
        Vc, uc = V + V3, u + u3
        if STATES:
            s3 = changes(dt, Vb, ub, x, q)
            q = moved(p, number(1.0), s3)
        V4, u4 = dt_f(dt, Vc, uc, x, q), r * du(Vc, Vc, uc, q)
        if STATES:
            s4 = changes(dt, Vc, uc, x, q)
            p = moved(moved(moved(moved(p, half * third, s1), third, s2), third, s3), half * third, s4)
        V = floor(add_delta(V + third * (half * (V1 + V4) + V2 + V3), x), p)
        return V, u + third * (half * (u1 + u4) + u2 + u3), p

    return rule


_ALL = (
    Scheme("exp_euler", "brainpy.state: exponential Euler linearised at V, then u with the new V",
           _exp_euler, dt_max=0.5, reset_first=True, horner=True, exponential=True, fastmath=CONTRACT),
    Scheme("euler", "forward Euler, V and u from the old values (NeuroML, Brian2)", _euler, dt_max=0.5,
           euler_part=1.0, divisible=True),
    Scheme("izhikevich2003", "net.m of Izhikevich 2003 and spnet: two half steps of V, then u with the new V",
           _two_half_steps, dt_max=1.0, reset_first=True, horner=True, euler_part=0.5),
    Scheme("izhikevich2004", "figure1.m of Izhikevich 2004: Euler step of V, then u with the new V, spike on V > V_th",
           _euler_then_u, dt_max=0.5, strict_test=True, euler_part=1.0),
    Scheme("nest", "NEST izhikevich, consistent_integration=True", _euler, dt_max=0.5, euler_part=1.0),
    Scheme("nest_published", "NEST izhikevich, consistent_integration=False",
           _two_half_steps_floor_last, dt_max=1.0, delta_as_current=True, euler_part=0.5),
    Scheme("midpoint", "the midpoint rule, Runge-Kutta of second order (rk2 of Brian2)", _midpoint, dt_max=0.5,
           horner=True, divisible=True, fastmath=CONTRACT),
    Scheme("heun", "the trapezoidal rule of Heun, Runge-Kutta of second order", _heun, dt_max=0.5, horner=True,
           divisible=True, fastmath=CONTRACT),
    Scheme("rk4", "the classical Runge-Kutta rule of fourth order", _rk4, dt_max=0.5, horner=True,
           divisible=True, fastmath=CONTRACT),
    Scheme("exact", "no steps: Taylor series from event to event, spike times to rounding",
           None, dt_max=math.inf),
)  # fmt: skip


@documented_by(lambda table: table._text())
class _Schemes(NamedTable[Scheme]):
    """The schemes by name. Those that take sub-steps are there with each number of them, such as "euler/5"."""

    def get(self, name: object, default: object = None) -> Any:
        """The scheme of this name, or `default` if there is none."""
        if not isinstance(name, str) or "/" not in name:
            return super().get(name, default)
        base, _, number = name.partition("/")
        scheme, good = super().get(base), number.isdecimal() and number == str(int(number))
        if scheme is None or not scheme.divisible or not good or not 1 < int(number) <= MOST_SUBSTEPS:
            return default
        return divided(scheme, int(number))

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Scheme:
        found: Scheme | None = self.get(name)
        return super().__getitem__(name) if found is None else found


schemes = _Schemes(
    "schemes",
    __name__,
    _ALL,
    'How time advances: `Population(n, scheme=name)`, `Network(scheme=name)`. The default is "exp_euler".\n\n'
    "Names, and what they follow; `help(schemes[name])` and docs/concepts/steps.md say more.",
    lambda scheme: (scheme.source,),
)


def scheme_named(owner: str, name: object, substeps: object) -> Scheme:
    """The scheme of the arguments `scheme` and `substeps` of Population or Network, the owner."""
    scheme = schemes[checks.one_of(f"{owner}.scheme", name, schemes)]
    return scheme if substeps is None else scheme.in_substeps(f"{owner}.substeps", substeps)
