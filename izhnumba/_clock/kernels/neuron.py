"""One step of one neuron: a scalar function composed of a model's equations, a scheme and the inputs in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from izhnumba._model.equations import Variant, equations
from izhnumba._model.state_steps import state_choice, state_reset
from izhnumba._numba.compile import inlined
from izhnumba._numba.exprel import dt_exprel, dt_exprel_full, exprel_full


def neuron_step(variant: Variant) -> Callable[..., Any]:
    """`step(V, u, refractory, x, p, gain, dt, wide)` -> new V, new u, p with new states, spiked."""
    RESET_FIRST, REFRACTORY, AT_ONCE = variant.scheme.reset_first, variant.refractory, variant.at_once
    HELD = variant.refractory and len(variant.model.states) > 0
    at_threshold, reset = _spike(variant)
    choose = state_choice(variant.model, inlined) if HELD else reset
    assert variant.scheme.rule is not None  # the scheme "exact" has none, and kernels of its own
    phi = dt_exprel if variant.short else dt_exprel_full
    rule = inlined(variant.scheme.rule(equations(variant, inlined, phi, exprel_full)))

    def step(V, u, refractory, x, p, gain, dt, wide):
        """The rule, spike test and reset, but for one that goes by spikes, which has been done. refractory: whether V,
        u and the states in p stay. Parameters: see `_model.schemes`."""
        if RESET_FIRST and not AT_ONCE:
            V, u, p = reset(V, u, at_threshold(V, u, p), p)
        V_new, u_new, q = rule(V, u, x, p, gain, dt, wide)
        if HELD:
            q = choose(refractory, p, q)
        p = q
        if REFRACTORY:
            V, u = V if refractory else V_new, u if refractory else u_new
            spiked = at_threshold(V, u, p) & (not refractory)
        else:
            V, u = V_new, u_new
            spiked = at_threshold(V, u, p)
        if not RESET_FIRST:
            V, u, p = reset(V, u, spiked, p)
        return V, u, p, spiked

    return step


def start_of_step(variant: Variant) -> Callable[..., Any]:
    """`start(V, u, spiked, p)` -> the V (mV), u and p that a step integrates: for schemes that reset first, after that
    reset. spiked: whether the neuron spiked in the step before."""
    RESET_FIRST, AT_ONCE = variant.scheme.reset_first, variant.at_once
    at_threshold, reset = _spike(variant)

    def start(V, u, spiked, p):
        if RESET_FIRST:
            V, u, p = reset(V, u, spiked if AT_ONCE else at_threshold(V, u, p), p)
        return V, u, p

    return inlined(start)


def _spike(variant: Variant) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`at_threshold(V, u, p)` -> whether a neuron spikes; `reset(V, u, spiked, p)` -> V, u and p after it."""
    model = variant.model
    threshold, V_reset, u_reset = inlined(model.threshold), inlined(model.V_reset), inlined(model.u_reset)
    STRICT, SOFT, OVERSHOOT = variant.scheme.strict_test, variant.reset == "soft", variant.reset == "overshoot"
    RESET_FIRST = variant.scheme.reset_first
    STATES = any(one.reset for one in model.states.values())
    reset_states = state_reset(model, inlined) if STATES else threshold
    infinity = np.dtype(variant.dtype).type(np.inf)

    def at_threshold(V, u, p):
        if RESET_FIRST:
            return threshold(u, p) <= V
        # an infinite V is a failure to be reported: a reset at once would hide it
        if STRICT:
            return (threshold(u, p) < V) & (V < infinity)
        return (threshold(u, p) <= V) & (V < infinity)

    def reset(V, u, spiked, p):
        target = V_reset(u, p)
        if SOFT:
            target = V - threshold(u, p)
        if OVERSHOOT:
            target = target + (V - threshold(u, p))
        q = p
        if STATES:
            q = reset_states(u, spiked, p, p)
        return target if spiked else V, u_reset(u, p) if spiked else u, q

    return inlined(at_threshold), inlined(reset)
