"""Plastic synapses of the exact engine: they change at each arrival and each spike of their target, in order of time.

A rule changes synapses and traces of one target neuron alone, so the thread that owns that needs no lock.
"""

from __future__ import annotations

import collections
import functools
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from izhnumba._engine.codes import OK
from izhnumba._engine.plastic_state import RuleForm
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import EVENT, real
from izhnumba._numba.compile import STRICT, address_of, inlined, reason_of
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of, reals_at


class Kernels(NamedTuple):
    """Addresses of `arrive(projection, event, 0)`, which applies the rule to an arrival and sets the weight of the
    event; of `spike(projection, neuron, bits of the time)`, for a spike of a target; and of `update(network,
    projection, 0)`, for all synapses; 0 where the rule has none."""

    arrive: int
    spike: int
    update: int


@functools.cache
def kernels(rule, memory: np.dtype[Any], form: RuleForm) -> Kernels:
    """Kernels of synapses with a rule. rule: its class; memory: of the record of a synapse, which holds the eligibility
    as of the latest update."""
    p_type = collections.namedtuple("parameters", form.names)  # type: ignore[misc]  # noqa: PYI024
    arrival, target_spike = inlined(rule.arrival), inlined(rule.target_spike or rule.arrival)
    after_spike, on_update = inlined(rule.after_spike or rule.arrival), inlined(rule.update or rule.arrival)
    HAS_SPIKE, HAS_AFTER = rule.target_spike is not None, rule.after_spike is not None
    N_X, N_Y, FADES, HAS_E, NEAREST = form[:5]

    def faded(p, trace, which, since):
        return trace * np.exp(-since / reals_at(p[layout.TAUS])[which])

    fade = inlined(faded)

    def x_at(p, memory_of, s, now):
        """The traces of synapse s at `now` (ms), a tuple of N_X."""
        if N_X == 2:
            since = now - memory_of[s].arrival
            first, second = (1.0, 1.0) if NEAREST else (memory_of[s].x1, memory_of[s].x2)
            return fade(p, first, 0, since), fade(p, second, 1, since)
        if N_X == 1:
            return (fade(p, 1.0 if NEAREST else memory_of[s].x1, 0, now - memory_of[s].arrival),)
        return ()

    def y_at(p, neuron, now):
        """The traces of a target neuron at `now` (ms), a tuple of N_Y."""
        if N_Y == 0:
            return ()
        since = now - reals_at(p[layout.SPIKED])[neuron]
        first = fade(p, reals_at(p[layout.Y1])[neuron], N_X, since)
        if N_Y == 2:
            return first, fade(p, reals_at(p[layout.Y2])[neuron], N_X + 1, since)
        return (first,)

    x_of, y_of = inlined(x_at), inlined(y_at)

    def parameters(p):
        addresses = ints_at(p[layout.RULE_NUMBERS])
        return parameters_of(parameter_lanes(addresses, 0, np.float64, p_type, 0), 0, p_type, np.float64)

    def fade_at(projection, p, now):
        """The share of an eligibility that is left at `now` (ms) since the latest update, 0 to 1."""
        if not FADES:
            return 1.0
        since = now - ints_at(p[layout.UPDATES])[0] * real(projection, layout.PERIOD)
        return np.exp(-since / reals_at(p[layout.TAUS])[N_X + N_Y])

    q_of, fade_since_update = inlined(parameters), inlined(fade_at)

    def arrive(projection, place, _):
        p, event = ints_at(projection), array_at(place, 1, EVENT)[0]
        s = event.key - p[layout.KEY]
        weights, memory_of = reals_at(p[layout.WEIGHTS]), array_at(p[layout.MEMORY], s + 1, memory)
        neuron = np.int64(array_at(p[layout.TARGETS], s + 1, np.uint32)[s])
        left = fade_since_update(projection, p, event.t)
        e = memory_of[s].e * left if HAS_E else 0.0
        amount, w, e, x = arrival(weights[s], e, x_of(p, memory_of, s, event.t), y_of(p, neuron, event.t), q_of(p))
        weights[s] = w
        if HAS_E:
            memory_of[s].e = e / left
        if N_X > 0:
            memory_of[s].arrival = event.t
        if N_X > 0 and not NEAREST:
            memory_of[s].x1 = x[0]
        if N_X == 2 and not NEAREST:
            memory_of[s].x2 = x[1]
        event.w = amount
        return OK

    def spike(projection, neuron, bits):
        p, now = ints_at(projection), np.int64(bits).view(np.float64)
        y, q, left = y_of(p, neuron, now), q_of(p), fade_since_update(projection, p, now)
        if HAS_SPIKE:
            starts = ints_at(p[layout.INCOMING_STARTS])
            incoming = array_at(p[layout.INCOMING], starts[neuron + 1], np.uint32)
            for j in range(starts[neuron], starts[neuron + 1]):
                s = np.int64(incoming[j])
                weights, memory_of = reals_at(p[layout.WEIGHTS]), array_at(p[layout.MEMORY], s + 1, memory)
                e = memory_of[s].e * left if HAS_E else 0.0
                w, e = target_spike(weights[s], e, x_of(p, memory_of, s, now), y, q)
                weights[s] = w
                if HAS_E:
                    memory_of[s].e = e / left
        if HAS_AFTER:
            y = after_spike(y, q)
            reals_at(p[layout.Y1])[neuron] = y[0]
            if N_Y == 2:
                reals_at(p[layout.Y2])[neuron] = y[1]
            reals_at(p[layout.SPIKED])[neuron] = now
        return OK

    def update(network, projection, _):
        p, now = ints_at(projection), real(network, layout.END)
        n = ints_at(p[layout.STARTS])[p[layout.N_ROWS] * p[layout.PARTS]]
        weights, memory_of = reals_at(p[layout.WEIGHTS]), array_at(p[layout.MEMORY], n, memory)
        targets, modulator = array_at(p[layout.TARGETS], n, np.uint32), reals_at(p[layout.MODULATOR])
        m = modulator[0] * np.exp(-(now - modulator[1]) / modulator[2])
        q, left = q_of(p), fade_since_update(projection, p, now)
        for s in range(n):
            e = memory_of[s].e * left if HAS_E else 0.0
            w, e = on_update(weights[s], e, y_of(p, np.int64(targets[s]), now), m, q)
            weights[s] = w
            if HAS_E:
                memory_of[s].e = e
        return OK

    try:
        return Kernels(
            address_of(arrive, fastmath=STRICT),
            address_of(spike, fastmath=STRICT) if HAS_SPIKE or HAS_AFTER else 0,
            address_of(update, fastmath=STRICT) if rule.update else 0,
        )
    except (NumbaError, UnsupportedBytecodeError) as error:
        raise TypeError(
            f"{rule.__name__} must be a rule that Numba can compile: {reason_of(error)}. Its functions compute with "
            "numbers, by math, min, max and if."
        ) from None
