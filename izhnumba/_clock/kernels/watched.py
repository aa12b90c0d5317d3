"""What a rule of plasticity sees of its targets: states, and low-pass filters of them, taken after each step."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.network import next_spike, spikes_of
from izhnumba._engine.codes import OK
from izhnumba._model.state_steps import lane_type
from izhnumba._numba.compile import STRICT, address_of, inlined
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of

# OF           address of the table of the target population
# FIRST, N     its first neuron that is seen, and how many are
# SEEN         real (lanes,): V, or the threshold of a neuron that spikes in this step
# ROWS         int64 (N_ROWS, ROW_SIZE), see below
OF, FIRST, N, SEEN, N_ROWS, ROWS, TABLE_SIZE = range(7)
# STATE, real (lanes,): of the neurons, or SEEN; VIEW, real (lanes,): it or its filter; STEP, real (1,): by how much of
# its distance from the state a filter changes in a step, 1: it is the state itself
STATE, VIEW, STEP, ROW_SIZE = range(4)


@functools.cache
def begin(dtype: str) -> int:
    """Address of `begin(table, part, k)`: before the first step all views, which are NaN then, become the states."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def begin(address, part, k):
        p = ints_at(address)
        start, n = p[FIRST] * item, p[N]
        rows = ints_at(p[ROWS])
        if part > 0 or n == 0 or not np.isnan(array_at(rows[VIEW] + start, n, number)[0]):
            return OK
        V, seen = array_at(ints_at(p[OF])[layout.V] + start, n, number), array_at(p[SEEN] + start, n, number)
        for i in range(n):
            seen[i] = V[i]
        for j in range(p[N_ROWS]):
            row = ints_at(p[ROWS] + j * ROW_SIZE * 8)
            state, view = array_at(row[STATE] + start, n, number), array_at(row[VIEW] + start, n, number)
            for i in range(n):
                view[i] = state[i]
        return OK

    return address_of(begin, fastmath=STRICT)


@functools.cache
def watch(model, dtype: str, varies: int) -> int:
    """Address of `watch(table, part, k)`: take the states after step k. model, varies: of the targets."""
    number = np.dtype(dtype).type
    item, one = number(0).itemsize, number(1.0)
    p_type = lane_type(model)
    threshold, VARIES = inlined(model.threshold), varies

    def watch(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        target, first, n = ints_at(p[OF]), p[FIRST], p[N]
        start = first * item
        V, seen = array_at(target[layout.V] + start, n, number), array_at(p[SEEN] + start, n, number)
        u, words = array_at(target[layout.U] + start, n, number), spikes_of(p[OF], k)
        parameters = parameter_lanes(ints_at(target[layout.PARAMETERS]), first, number, p_type, VARIES)
        for i in range(n):
            seen[i] = V[i]
        neuron = next_spike(words, first, first + n)
        while neuron < first + n:
            i = neuron - first
            seen[i] = threshold(u[i], parameters_of(parameters, i, p_type, number))
            neuron = next_spike(words, neuron + 1, first + n)
        for j in range(p[N_ROWS]):
            row = ints_at(p[ROWS] + j * ROW_SIZE * 8)
            state, view = array_at(row[STATE] + start, n, number), array_at(row[VIEW] + start, n, number)
            step = array_at(row[STEP], 1, number)[0]
            if step == one:
                for i in range(n):
                    view[i] = state[i]
            else:
                for i in range(n):
                    view[i] += step * (state[i] - view[i])
        return OK

    return address_of(watch, fastmath=STRICT)
