"""Plastic synapses of the exact engine: they change at each arrival and each spike of their target, in order of time.

A rule changes synapses and traces of one target neuron alone, so the thread that owns that needs no lock.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from izhnumba._engine.codes import OK
from izhnumba._engine.plastic_state import RuleForm
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import EVENT, real
from izhnumba._numba.compile import STRICT, address_of, inlined, reason_of
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of, reals_at
from izhnumba._numba.records import GET_X, GET_Y, PUT_X, PUT_Y
from izhnumba._numba.tuples import put_tuple, tuple_of


class Kernels(NamedTuple):
    """Addresses of `arrive(projection, event, 0)`, which applies the rule to an arrival and sets the weight of the
    event; of `spike(projection, neuron, bits of the time)`, for a spike of a target; and of `update(network,
    projection, 0)`, for all synapses; 0 where the rule has none."""

    arrive: int
    spike: int
    update: int


class Arrays(NamedTuple):
    """Those of a projection. y: int64, the address of each trace y; spiked, taus: float64; tau_lanes: int64, the
    address of each time constant of which every synapse has its own."""

    memory: Any
    y: Any
    spiked: Any
    taus: Any
    tau_lanes: Any


@functools.cache
def kernels(rule, memory: np.dtype[Any], form: RuleForm) -> Kernels:
    """Kernels of synapses with a rule. rule: its class; memory: of the record of a synapse, which holds the eligibility
    as of the latest update."""
    p_type = collections.namedtuple("parameters", form.names)  # type: ignore[misc]  # noqa: PYI024
    arrival, target_spike = inlined(rule.arrival), inlined(rule.target_spike or rule.arrival)
    after_spike, on_update = inlined(rule.after_spike or rule.arrival), inlined(rule.update or rule.arrival)
    HAS_SPIKE, HAS_AFTER = rule.target_spike is not None, rule.after_spike is not None
    N_X, N_Y, FADES, HAS_E, NEAREST = form[:5]
    VARIES, OWN_Y, E_VARIES = form.varies, form.own_y, form.e_varies

    def left_of(k: int, varies: int) -> Any:
        """What is left of trace k of x, then y, after `since` ms."""

        def of_all(a, s, since):
            return np.exp(-since / a.taus[k])

        def of_each(a, s, since):
            return np.exp(-since / reals_at(a.tau_lanes[k])[s])

        return inlined(of_each if varies else of_all)

    def x_part(k: int) -> Callable[..., Any]:
        get, left = inlined(GET_X[k]), left_of(k, form.x_varies >> k & 1)

        def trace(a, s, neuron, since):
            return (1.0 if NEAREST else get(a, s)) * left(a, s, since)

        return trace

    def y_part(j: int) -> Callable[..., Any]:
        get, left = inlined(GET_Y[j]), left_of(N_X + j, form.y_varies >> j & 1)

        def of_target(a, s, neuron, since):
            return reals_at(a.y[j])[neuron] * left(a, s, since)

        def of_synapse(a, s, neuron, since):
            return get(a, s) * left(a, s, since)

        return of_synapse if OWN_Y else of_target

    def put_y_part(j: int) -> Callable[..., Any]:
        def put(a, s, neuron, value):
            reals_at(a.y[j])[neuron] = value

        return put

    x_after, y_after = tuple_of([x_part(k) for k in range(N_X)]), tuple_of([y_part(j) for j in range(N_Y)])
    put_each_x = put_tuple([] if NEAREST else PUT_X[:N_X])
    put_y = put_tuple(PUT_Y[:N_Y] if OWN_Y else [put_y_part(j) for j in range(N_Y)])

    def arrays_at(p, n):
        """The arrays of the first n synapses, at least one."""
        return Arrays(array_at(p[layout.MEMORY], n, memory), ints_at(p[layout.Y]), reals_at(p[layout.SPIKED]),
                      reals_at(p[layout.TAUS]), ints_at(p[layout.TAU_LANES]))  # fmt: skip

    def x_at(a, s, now):
        """The traces of synapse s at `now` (ms), a tuple of N_X."""
        return x_after(a, s, 0, now - a.memory[s].arrival if N_X else now)

    def y_at(a, s, neuron, now):
        """The traces of a target neuron at `now` (ms), a tuple of N_Y."""
        return y_after(a, s, neuron, now - a.spiked[neuron] if N_Y else now)

    arrays, x_of, y_of = inlined(arrays_at), inlined(x_at), inlined(y_at)

    def parameters(p):
        return parameter_lanes(ints_at(p[layout.RULE_NUMBERS]), 0, np.float64, p_type, VARIES)

    def since_update(projection, p, now):
        """The ms at `now` (ms) since the latest update; 0 if eligibilities do not decay."""
        return now - ints_at(p[layout.UPDATES])[0] * real(projection, layout.PERIOD) if FADES else 0.0

    def left_at(a, s, since):
        """The share of the eligibility of synapse s that is left `since` ms after the latest update."""
        if not FADES:
            return 1.0
        if E_VARIES:
            return np.exp(-since / reals_at(a.tau_lanes[N_X + N_Y])[s])
        return np.exp(-since / a.taus[N_X + N_Y])

    q_of, since_of, left_now = inlined(parameters), inlined(since_update), inlined(left_at)

    def arrive(projection, place, _):
        p, event = ints_at(projection), array_at(place, 1, EVENT)[0]
        s = event.key - p[layout.KEY]
        a, weights = arrays(p, s + 1), reals_at(p[layout.WEIGHTS])
        neuron = np.int64(array_at(p[layout.TARGETS], s + 1, np.uint32)[s])
        left, q = left_now(a, s, since_of(projection, p, event.t)), parameters_of(q_of(p), s, p_type, np.float64)
        e = a.memory[s].e * left if HAS_E else 0.0
        amount, w, e, x = arrival(weights[s], e, x_of(a, s, event.t), y_of(a, s, neuron, event.t), q)
        weights[s] = w
        if HAS_E:
            a.memory[s].e = e / left
        if N_X > 0:
            a.memory[s].arrival = event.t
        put_each_x(a, s, neuron, x)
        event.w = amount
        return OK

    def y_of_target(a, neuron, now):
        return () if OWN_Y else y_of(a, 0, neuron, now)

    def y_of_synapse(a, s, neuron, now, y):
        return y_of(a, s, neuron, now) if OWN_Y else y

    y_shared, y_own = inlined(y_of_target), inlined(y_of_synapse)

    def spike(projection, neuron, bits):
        p, now = ints_at(projection), np.int64(bits).view(np.float64)
        starts = ints_at(p[layout.INCOMING_STARTS])
        incoming, weights = array_at(p[layout.INCOMING], starts[neuron + 1], np.uint32), reals_at(p[layout.WEIGHTS])
        n = ints_at(p[layout.STARTS])[p[layout.N_ROWS] * p[layout.PARTS]]
        a, lanes, since = arrays(p, n), q_of(p), since_of(projection, p, now)
        y = y_shared(a, neuron, now)
        if HAS_SPIKE or OWN_Y:
            for j in range(starts[neuron], starts[neuron + 1]):
                s = np.int64(incoming[j])
                left, q = left_now(a, s, since), parameters_of(lanes, s, p_type, np.float64)
                own = y_own(a, s, neuron, now, y)
                if HAS_SPIKE:
                    e = a.memory[s].e * left if HAS_E else 0.0
                    w, e = target_spike(weights[s], e, x_of(a, s, now), own, q)
                    weights[s] = w
                    if HAS_E:
                        a.memory[s].e = e / left
                if OWN_Y:
                    put_y(a, s, neuron, after_spike(own, q))
        if HAS_AFTER and not OWN_Y:
            put_y(a, 0, neuron, after_spike(y, parameters_of(lanes, 0, p_type, np.float64)))
        if HAS_AFTER:
            a.spiked[neuron] = now
        return OK

    def update(network, projection, _):
        p, now = ints_at(projection), real(network, layout.END)
        n = ints_at(p[layout.STARTS])[p[layout.N_ROWS] * p[layout.PARTS]]
        a, weights = arrays(p, n), reals_at(p[layout.WEIGHTS])
        targets, modulator = array_at(p[layout.TARGETS], n, np.uint32), reals_at(p[layout.MODULATOR])
        m = modulator[0] * np.exp(-(now - modulator[1]) / modulator[2])
        lanes, since = q_of(p), since_of(projection, p, now)
        for s in range(n):
            e = a.memory[s].e * left_now(a, s, since) if HAS_E else 0.0
            q = parameters_of(lanes, s, p_type, np.float64)
            w, e = on_update(weights[s], e, y_of(a, s, np.int64(targets[s]), now), m, q)
            weights[s] = w
            if HAS_E:
                a.memory[s].e = e
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
