"""Plastic synapses of the clock engine: delivered in the step in which their spikes arrive, because the weight of an
arrival depends on the target's spikes until then."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.network import (
    AT_ONCE,
    FIRST,
    FIRST_TARGET,
    LATER,
    N_ROWS,
    N_TARGETS,
    OFFSETS,
    PROJECTION_SIZE,
    RING,
    ROWS,
    SOURCE,
    TARGET,
    WEIGHTS,
    next_spike,
    spikes_of,
)  # fmt: skip
from izhnumba._clock.kernels.traces import Arrays, traces
from izhnumba._engine.codes import OK
from izhnumba._engine.plastic_state import RuleForm
from izhnumba._numba.compile import STRICT, address_of, inlined, reason_of
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of, prefetch
from izhnumba._numba.tuples import MOST, tuple_of

# Synapses between those that are changed and those that are fetched into the cache: of a row, which goes on in later
# steps, and of those onto a target
_SOON, _AHEAD = 8, 16

# Behind the entries of every projection ("lanes" are PADDED of the target):
# MEMORY           (synapses,) records of what the rule has: e (eligibility), x1 to x4 (traces), arrival (uint32 step)
# SPIKED           int64 (lanes,): step of the last spike
# STARTS           int64 (lanes + 1,): where the synapses of each target begin in INCOMING
# INCOMING         uint32 (synapses,): their numbers
# DELAYS           the longest delay, steps
# CURSORS, ENDS    uint64 (DELAYS, N_ROWS): next synapse, and end, of each row that spiked in the last DELAYS steps
# COUNTS           int64 (DELAYS,): how many rows these are
# NUMBERS          int64: the address of each parameter of the rule, real (1,) or (synapses + 1,)
# PERIOD           steps from update to update
# MODULATOR        real (2,): its value, and the factor by which it decays in a step
# FADING           real (FADING_SIZE,): what is left of an eligibility k steps after the latest update, 1 to 0, or the
#                  rate of each synapse; MEMORY holds e divided by it
# DT               real (1,): ms
# Y                addresses for each of at most MOST traces y: real (lanes,), at the last spikes of the targets
# V                addresses for each of at most MOST things that are seen of the targets: real (lanes,)
# DECAYS           addresses for each of MOST traces x, then y: real (DECAY_SIZES,), what is left of it after k steps,
#                  or the rate of each synapse
(
    MEMORY, SPIKED, STARTS, INCOMING, DELAYS, CURSORS, ENDS, COUNTS, NUMBERS, PERIOD, MODULATOR, FADING,
    FADING_SIZE, DT, Y,
) = range(PROJECTION_SIZE, PROJECTION_SIZE + 15)  # fmt: skip
V, DECAYS, DECAY_SIZES, TABLE_SIZE = Y + MOST, Y + 2 * MOST, Y + 4 * MOST, Y + 6 * MOST


class Kernels(NamedTuple):
    """Addresses of `arrive(projection, part, k)`, which delivers the spikes that arrive in step k, before the neurons
    advance; of `end_step(projection, part, k)`, which applies the rule to the targets' spikes of step k and to the
    update at its end; and of `arrive_at_once(projection, part, k)`, which comes before that and delivers the spikes of
    step k where the delay is 0, or 0 if it is nowhere."""

    arrive: int
    end_step: int
    arrive_at_once: int


def functions_of(rule: Any, sees: bool) -> tuple[Any, Any, Any]:
    """Functions `arrival`, `target_spike` and `update` of a rule, with an argument v behind y that a rule which sees
    nothing of its targets does not take."""
    arrival, spike, update = (inlined(one or rule.arrival) for one in (rule.arrival, rule.target_spike, rule.update))
    if sees:
        return arrival, spike, update

    def blind_arrival(w, e, x, y, v, p):
        """Parameters: see `_synapse.voltage_rules`."""
        return arrival(w, e, x, y, p)

    def blind_spike(w, e, x, y, v, p):
        """Parameters: see `_synapse.voltage_rules`."""
        return spike(w, e, x, y, p)

    def blind_update(w, e, y, v, m, p):
        """Parameters: see `_synapse.voltage_rules`; m: the modulator."""
        return update(w, e, y, m, p)

    return inlined(blind_arrival), inlined(blind_spike), inlined(blind_update)


@functools.cache
def kernels(rule, dtype: str, memory: np.dtype[Any], form: RuleForm, at_once: bool) -> Kernels:
    """Kernels of synapses with a rule. rule: its class; dtype: of weights; memory: of the record of a synapse; at_once:
    whether there are delays of 0."""
    number = np.dtype(dtype).type
    item, record = number(0).itemsize, memory.itemsize
    p_type = collections.namedtuple("parameters", form.names)  # type: ignore[misc]  # noqa: PYI024
    TARGET_SPIKE, AFTER_SPIKE, UPDATE = rule.target_spike, rule.after_spike, rule.update
    STEP, WHEN, SEES = rule.each_step, rule.when, form.n_v > 0
    arrive_at, on_spike, on_update = functions_of(rule, SEES)
    after_spike = inlined(AFTER_SPIKE or rule.arrival)
    each_step, when = inlined(STEP or rule.arrival), inlined(WHEN or rule.arrival)
    HAS_SPIKE, HAS_AFTER, HAS_UPDATE = TARGET_SPIKE is not None, AFTER_SPIKE is not None, UPDATE is not None
    HAS_STEP, HAS_WHEN = STEP is not None, WHEN is not None
    N_X, N_Y, HAS_E, LATEST_FIRST, UPDATE_FIRST = form.n_x, form.n_y, form.keeps_e, form.latest_first, form.update_first
    VARIES, OWN_Y = form.varies, form.own_y
    x_of, y_of, v_of, put_x, put_y, e_of, put_e, fade_after = traces(form, number)

    def update_all(a, lanes, now, m, fade, q):
        """Apply the update of the rule to all synapses.

        Parameters
        ----------
        a : Arrays
        lanes : int
            Lanes of the target.
        now : int
            Step since the last reset.
        m : float
            The modulator.
        fade : float
            What is left of an eligibility since the latest update, 0 to 1.
        q : tuple
            Of each parameter of the rule a number, or a pointer to those of the synapses.
        """
        for s in range(a.w.size):
            y = y_of(a, s, np.int64(a.offsets[s] % np.uint32(lanes)), now)
            v = v_of(a, s, np.int64(a.offsets[s] % np.uint32(lanes)), now)
            w, e = on_update(a.w[s], e_of(a, s, fade), y, v, m, parameters_of(q, s, p_type, number))
            a.w[s] = w
            if HAS_E:
                a.memory[s].e = e

    def y_of_target(a, lane, now):
        return () if OWN_Y else y_of(a, 0, lane, now)

    def y_of_synapse(a, s, lane, now, y):
        return y_of(a, s, lane, now) if OWN_Y else y

    y_shared, y_own = inlined(y_of_target), inlined(y_of_synapse)

    def spike_of(a, lane, now, fade, q):
        y = y_shared(a, lane, now)
        if HAS_SPIKE or OWN_Y:
            for j in range(np.uint64(a.starts[lane]), np.uint64(a.starts[lane + 1])):
                s = a.incoming[j]
                ahead = a.incoming[min(j + np.uint64(_AHEAD), np.uint64(a.incoming.size - 1))]
                prefetch(a.memory.ctypes.data + np.int64(ahead) * record)
                own, p = y_own(a, s, lane, now, y), parameters_of(q, s, p_type, number)
                if HAS_SPIKE:
                    w, e = on_spike(a.w[s], e_of(a, s, fade), x_of(a, s, lane, now), own, v_of(a, s, lane, now), p)
                    a.w[s] = w
                    put_e(a, s, e, fade)
                if OWN_Y:
                    put_y(a, s, lane, after_spike(own, p))
        if HAS_AFTER and not OWN_Y:
            put_y(a, 0, lane, after_spike(y, parameters_of(q, 0, p_type, number)))
        if HAS_AFTER:
            a.spiked[lane] = now

    def arrival_at(a, s, lane, now, fade, q):
        """Apply the rule to a spike that arrives at synapse s. Returns what it adds to the ring.

        Parameters
        ----------
        a : Arrays
        s, lane : int
            The synapse, and the lane of its target.
        now, fade, q
            As of `update_all`.
        """
        p = parameters_of(q, s, p_type, number)
        before, y, v = x_of(a, s, lane, now), y_of(a, s, lane, now), v_of(a, s, lane, now)
        amount, w, e, x = arrive_at(a.w[s], e_of(a, s, fade), before, y, v, p)
        a.w[s] = w
        put_e(a, s, e, fade)
        put_x(a, s, lane, x, now)
        return amount

    def goes_on(a, s, lane, now, q):
        """Whether the rule has something to do in this step for synapse s. The rest: as of `update_all`."""
        return when(v_of(a, s, lane, now), parameters_of(q, s, p_type, number)) if HAS_WHEN else True

    goes = inlined(goes_on)

    def step_all(a, first, end, now, fade, dt, q):
        """Apply what the rule does in each step.

        Parameters
        ----------
        a : Arrays
        first, end : int
            Lanes of the targets.
        now, fade, q
            As of `update_all`.
        dt : float, ms
        """
        for lane in range(first, end):
            begin, stop = np.uint64(a.starts[lane]), np.uint64(a.starts[lane + 1])
            if begin < stop and (VARIES or goes(a, a.incoming[begin], lane, now, q)):
                for j in range(begin, stop):
                    s = a.incoming[j]
                    if not VARIES or goes(a, s, lane, now, q):
                        x, y, v = x_of(a, s, lane, now), y_of(a, s, lane, now), v_of(a, s, lane, now)
                        p = parameters_of(q, s, p_type, number)
                        w, e = each_step(a.w[s], e_of(a, s, fade), x, y, v, dt, p)
                        a.w[s] = w
                        put_e(a, s, e, fade)

    step_weights = inlined(step_all)
    update_weights, spike_at, arrival_of = inlined(update_all), inlined(spike_of), inlined(arrival_at)

    def y_at(j: int) -> Callable[..., Any]:
        def at(p, lanes, _, __):
            return array_at(p[Y + j], lanes, number)

        return at

    def decays_at(k: int) -> Callable[..., Any]:
        def at(p, _, __, ___):
            return array_at(p[DECAYS + k], p[DECAY_SIZES + k], number)

        return at

    def v_at(j: int) -> Callable[..., Any]:
        def at(p, lanes, _, __):
            return array_at(p[V + j], lanes, number)

        return at

    v_arrays = tuple_of([v_at(j) for j in range(form.n_v)])
    y_arrays, x_decays = tuple_of([y_at(j) for j in range(N_Y)]), tuple_of([decays_at(k) for k in range(N_X)])
    y_decays = tuple_of([decays_at(MOST + j) for j in range(N_Y)])

    def arrays_of(p, lanes):
        n = ints_at(p[ROWS])[p[N_ROWS]]
        return Arrays(
            array_at(p[OFFSETS], n, np.uint32), array_at(p[WEIGHTS], n, number), array_at(p[MEMORY], n, memory),
            y_arrays(p, lanes, 0, 0), array_at(p[SPIKED], lanes, np.int64), array_at(p[STARTS], lanes + 1, np.int64),
            array_at(p[INCOMING], n, np.uint32), v_arrays(p, lanes, 0, 0), x_decays(p, 0, 0, 0), y_decays(p, 0, 0, 0),
            array_at(p[FADING], p[FADING_SIZE], number),
        )  # fmt: skip

    def rows_under_way_of(p):
        n = p[DELAYS] * p[N_ROWS]
        return (
            array_at(p[COUNTS], p[DELAYS], np.int64),
            array_at(p[CURSORS], n, np.uint64),  # indices that may be negative cost time
            array_at(p[ENDS], n, np.uint64),
        )

    def numbers_of(p):
        return parameter_lanes(ints_at(p[NUMBERS]), 0, number, p_type, VARIES)

    arrays, rows_under_way = inlined(arrays_of), inlined(rows_under_way_of)
    rule_numbers = inlined(numbers_of)

    def arrive(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        target = ints_at(p[TARGET])
        q, now, lanes = rule_numbers(p), target[layout.STEP] + k, target[layout.PADDED]
        a = arrays(p, lanes)
        fade = fade_after(a, now % p[PERIOD] + 1)
        delays, n_rows, (counts, cursors, ends) = p[DELAYS], p[N_ROWS], rows_under_way(p)
        ring_row = array_at(p[RING] + now % target[layout.RING_STEPS] * lanes * item, lanes, number)
        for j in range(delays):
            lag = j + 1 if LATEST_FIRST else delays - j
            slot = (now - lag + delays) % delays
            first, limit = np.uint32(lag * lanes), np.uint32((lag + 1) * lanes)
            for c in range(np.uint64(slot * n_rows), np.uint64(slot * n_rows + counts[slot])):
                s, end = cursors[c], ends[c]
                while s < end and a.offsets[s] < limit:
                    post = np.uint64(a.offsets[s] - first)
                    ring_row[post] += arrival_of(a, s, post, now, fade, q)
                    s += np.uint64(1)
                cursors[c] = s
                soon = np.int64(s) + _SOON
                prefetch(p[OFFSETS] + soon * 4)
                prefetch(p[WEIGHTS] + soon * item)
                prefetch(p[MEMORY] + soon * record)
        return OK

    def end_step(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        target = ints_at(p[TARGET])
        q, now, lanes = rule_numbers(p), target[layout.STEP] + k, target[layout.PADDED]
        a, modulator = arrays(p, lanes), array_at(p[MODULATOR], 2, number)
        since = now % p[PERIOD] + 1  # steps from the latest update to the end of this one
        due = HAS_UPDATE and since == p[PERIOD]
        modulator[0] *= modulator[1]
        if due and UPDATE_FIRST:
            update_weights(a, lanes, now, modulator[0], fade_after(a, since), q)
            since = 0
        if HAS_SPIKE or HAS_AFTER:
            fade = fade_after(a, since)
            words, end = spikes_of(p[TARGET], k), p[FIRST_TARGET] + p[N_TARGETS]
            lane = next_spike(words, p[FIRST_TARGET], end)
            while lane < end:
                spike_at(a, lane, now, fade, q)
                lane = next_spike(words, lane + 1, end)
        if HAS_STEP:
            dt = array_at(p[DT], 1, number)[0]
            end = p[FIRST_TARGET] + p[N_TARGETS]
            step_weights(a, p[FIRST_TARGET], end, now, fade_after(a, since), dt, q)
        if due and not UPDATE_FIRST:
            update_weights(a, lanes, now, modulator[0], fade_after(a, since), q)
        n_rows, new, (counts, cursors, ends) = p[N_ROWS], now % p[DELAYS], rows_under_way(p)
        rows, later, words, n = ints_at(p[ROWS]), ints_at(p[LATER]), spikes_of(p[SOURCE], k), new * n_rows
        first, end = p[FIRST], p[FIRST] + n_rows
        neuron = next_spike(words, first, end)
        while neuron < end:
            cursors[n], ends[n] = later[neuron - first], rows[neuron - first + 1]
            neuron, n = next_spike(words, neuron + 1, end), n + 1
        counts[new] = n - new * n_rows
        return OK

    def arrive_at_once(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        target = ints_at(p[TARGET])
        q, now, lanes = rule_numbers(p), target[layout.STEP] + k, target[layout.PADDED]
        a = arrays(p, lanes)
        fade = fade_after(a, now % p[PERIOD] + 1)
        landing, rows, later = array_at(p[AT_ONCE], lanes, number), ints_at(p[ROWS]), ints_at(p[LATER])
        words, first, end = spikes_of(p[SOURCE], k), p[FIRST], p[FIRST] + p[N_ROWS]
        neuron = next_spike(words, first, end)
        while neuron < end:
            for s in range(np.uint64(rows[neuron - first]), np.uint64(later[neuron - first])):
                landing[a.offsets[s]] += arrival_of(a, s, np.uint64(a.offsets[s]), now, fade, q)
            neuron = next_spike(words, neuron + 1, end)
        return OK

    try:
        wanted = arrive, end_step, arrive_at_once if at_once else None
        return Kernels(*(address_of(one, fastmath=STRICT) if one else 0 for one in wanted))
    except (NumbaError, UnsupportedBytecodeError) as error:
        raise TypeError(
            f"{rule.__name__} must be a rule that Numba can compile: {reason_of(error)}. Its functions compute with "
            "numbers, by math, min, max and if."
        ) from None
