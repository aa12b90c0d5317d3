"""The equations of a model under a scheme, with the kinds of input in use folded in: for kernels, and for JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from izhnumba._model.model import Model
from izhnumba._model.schemes import NO_STATES, Equations, Scheme
from izhnumba._model.state_steps import state_steps
from izhnumba._numba.where import where

Function = Callable[..., Any]


class Variant(NamedTuple):
    """The differences between populations for which the step is compiled; all others are data."""

    model: Model
    scheme: Scheme
    dtype: str
    reset: str = "hard"
    varies: int = 0  # bit k: parameter k differs between neurons
    refractory: bool = False
    floor: bool = False
    deltas: bool = False
    conductances: bool = False
    gate: tuple[str, Any] | None = None  # of conductances that V opens: a name in GATES, and its number or function
    affine: bool = False  # dt_slope is z0 + z1 V, known beforehand
    short: bool = False  # the short exprel holds for every V from CAREFUL_V to the threshold
    capped: bool = False  # but not above CAP_V, for the threshold depends on a state
    at_once: bool = False  # V jumps come after the spike test: a scheme that resets first goes by spikes, not by V
    gains: bool = False  # the gains of states, where their slopes are constant, are known beforehand


def equations(variant: Variant, inline: Callable[[Function], Any], phi: Function, exprel: Function) -> Equations:
    """The model's equations with the inputs, the jumps and the floor of this variant folded in.

    inline: makes a function one that others can call; phi: dt_exprel of the rules; exprel(factor, z): factor times it.
    """
    model = variant.model
    dV = inline(getattr(model.dV, "horner", model.dV) if variant.scheme.horner else model.dV)
    dV_slope = inline(model.dV_slope)
    HAS_C, C = model.C is not None, inline(model.C or model.rate)
    AFFINE, CONDUCTANCES, FLOOR = variant.affine, variant.conductances, variant.floor
    DELTA_AS_CURRENT = variant.deltas and variant.scheme.delta_as_current
    DELTA = variant.deltas and not variant.scheme.delta_as_current
    number = np.dtype(variant.dtype).type
    zero = number(0.0)
    GATED, (share, gated_slope) = variant.gate is not None, gate_of(variant, inline, exprel)

    def input_current(V, x):
        I = x[0]  # noqa: E741
        if CONDUCTANCES:
            I = I + (x[3] - x[2] * V)  # noqa: E741
        if GATED:
            I = I + share(V) * (x[5] - x[4] * V)  # noqa: E741
        return I

    current = inline(input_current)

    def current_change(V, u, x, p):
        I = current(V, x)  # noqa: E741
        if DELTA_AS_CURRENT and HAS_C:
            return dV(V, u, I, p) + x[1] * C(p)
        if DELTA_AS_CURRENT:
            return dV(V, u, I, p) + x[1]
        return dV(V, u, I, p)

    change = inline(current_change)

    def dt_f(dt, V, u, x, p):
        if HAS_C:
            return dt * change(V, u, x, p) / C(p)
        return dt * change(V, u, x, p)

    def dt_slope(dt, V, x, p):
        if AFFINE:
            return p.z1 * V + p.z0
        dI = -x[2] if CONDUCTANCES else zero
        if GATED:
            dI = dI + gated_slope(V, share(V), x[4], x[5])
        if HAS_C:
            return dt * (dV_slope(V, dI, p) / C(p))
        return dt * dV_slope(V, dI, p)

    def add_delta(V, x):
        if DELTA:
            return V + x[1]
        return V

    def floor(V, p):
        if FLOOR:
            return where(V < p.V_min, p.V_min, V)
        return V

    gains = model.gains if variant.gains else ()
    steps = state_steps(model, variant.scheme, gains, inline, current, exprel) if model.states else NO_STATES
    threshold = inline(model.threshold)

    def at_threshold(V, u, p):
        return threshold(u, p) <= V

    return Equations(
        inline(dt_f), inline(dt_slope), inline(model.rate), inline(model.du), inline(add_delta), inline(floor),
        inline(phi), number, steps, inline(at_threshold), inline,
    )  # fmt: skip


def gate_of(variant: Variant, inline: Callable[[Function], Any], exprel: Function) -> tuple[Function, Function]:
    """share(V), the part of a gated conductance that is open at V, mostly from 0 to 1; gated_slope(V, B, b, bE), the
    derivative of the current share(V) (bE - b V) by V, where B is the share at V, b the sum of gated conductances and
    bE that of these times E. Compiled by `inline`; of a variant without a gate they are never called."""
    name, value = variant.gate or ("Mg", 0.0)
    share, gated_slope = GATES[name](np.dtype(variant.dtype).type, value, inline, exprel)
    return inline(share), inline(gated_slope)


def _magnesium_block(number, mM: float, inline: Function, exprel: Function) -> tuple[Function, Function]:
    """NMDA channels that magnesium leaves open (C. E. Jahr and C. F. Stevens 1990)."""
    one, steepness, ratio = number(1.0), number(0.062), number(mM / 3.57)

    def share(V):
        z = -steepness * V
        return one / (one + ratio * (one + z * exprel(one, z)))

    def gated_slope(V, B, b, bE):
        return B * (steepness * (one - B) * (bE - b * V) - b)

    return share, gated_slope


def _rational_block(number, _: float, inline: Function, exprel: Function) -> tuple[Function, Function]:
    """NMDA channels that are open by w^2 / (1 + w^2), w = (V + 80) / 60 (E. M. Izhikevich and G. M. Edelman 2008)."""
    one, shift, width, steepness = number(1.0), number(80.0), number(1 / 60), number(1 / 30)

    def share(V):
        w = (V + shift) * width
        return w * w / (one + w * w)

    def gated_slope(V, B, b, bE):
        w, closed = (V + shift) * width, one - B  # the derivative of B by w is 2 w (1 - B)^2
        return steepness * w * (closed * closed) * (bE - b * V) - B * b

    return share, gated_slope


def _own_block(number, function: Function, inline: Function, exprel: Function) -> tuple[Function, Function]:
    """A function of V of the user's. Its slope is that of the line between two points 1/8 mV apart: exponential Euler
    alone takes it, and is of the same order with any slope."""
    of_V, near, across = inline(function), number(1 / 16), number(1 / 8)

    def share(V):
        return number(of_V(V))

    def gated_slope(V, B, b, bE):
        return (number(of_V(V + near)) - number(of_V(V - near))) / across * (bE - b * V) - B * b

    return share, gated_slope


# By the name that a receptor's `gate` has: (number type, value of the receptor's parameter, inline, exprel) -> the
# functions that `gate_of` returns.
GATES: dict[str, Callable[[Any, Any, Function, Function], tuple[Function, Function]]] = {
    "Mg": _magnesium_block, "izhikevich": _rational_block, "block": _own_block,
}  # fmt: skip
