"""States of receptors by functions of their own: of the lanes of a population, or of source neurons, whose strengths
travel through synapses as spikes do, but graded."""

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
    LATER,
    N_ROWS,
    OFFSETS,
    PROJECTION_SIZE,
    RING,
    ROWS,
    SOURCE,
    TARGET,
    WEIGHTS,
    spikes_of,
)
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import STRICT, address_of, inlined, reason_of
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of

# Behind the entries of every projection, of one whose receptor has states of sources:
# DELAYS, SHORTEST    the longest and the shortest delay, steps
# COUNTS              int64 (DELAYS,): how many rows have sent something in each of the last DELAYS steps
# CURSORS, ENDS       uint64 (DELAYS, N_ROWS): next synapse, and end, of each of these rows
# AMOUNTS             float64 (DELAYS, N_ROWS): by what the strength of the source has changed
# STATES              float64 (states, N_ROWS)
# SENT                float64 (N_ROWS,): the strength as targets know it
# FADE                float64 (1,): what is left of that in a step if nothing is sent
# NUMBERS             int64: the address of each number in p, float64 (1,)
DELAYS, SHORTEST, COUNTS, CURSORS, ENDS, AMOUNTS, STATES, SENT, FADE, NUMBERS, TABLE_SIZE = range(
    PROJECTION_SIZE, PROJECTION_SIZE + 11
)
_NOTHING = 1e-9  # of the strength: a smaller change need not be sent
Function = Callable[..., Any]


class Kernels(NamedTuple):
    """Addresses of `arrive(projection, part, k)`, which adds what arrives in step k to the ring, before the neurons
    advance; and of `emit(projection, part, k)`, which advances the states of the sources at the end of the step, and
    adds what arrives at once to AT_ONCE."""

    arrive: int
    emit: int


@functools.cache
def advance_lanes(
    owner: str, n: int, advance: Function, strength: Function | None, names: tuple[str, ...], dtype: str
) -> int:
    """Address of `advance_lanes(table, work, receptor)`: advance the states x of a receptor in all lanes of a block by
    what arrives in this step, W_ROW, and write their strengths to y.

    Parameters
    ----------
    owner : str
        The class of the receptor, for errors.
    n, advance, strength, names
        As of `_synapse.states.States`.
    dtype : "float32" or "float64"
    """
    number = np.dtype(dtype).type
    item = number(0).itemsize
    p_type = collections.namedtuple("parameters", names)  # type: ignore[misc]  # noqa: PYI024
    advanced, strength_of = inlined(advance), inlined(strength or _first)
    N = n

    def advance_lanes(address, place, receptor_address):
        table, work, receptor = ints_at(address), ints_at(place), ints_at(receptor_address)
        count, lanes, first = work[layout.COUNT], table[layout.PADDED], work[layout.FIRST_LANE]
        row = array_at(work[layout.W_ROW], count, number)
        y = array_at(receptor[layout.RECEPTOR_Y] + first * item, count, number)
        a = array_at(receptor[layout.RECEPTOR_X] + first * item, count, number)
        b = array_at(receptor[layout.RECEPTOR_X] + (first + (N > 1) * lanes) * item, count, number)
        c = array_at(receptor[layout.RECEPTOR_X] + (first + (N > 2) * 2 * lanes) * item, count, number)
        d = array_at(receptor[layout.RECEPTOR_X] + (first + (N > 3) * 3 * lanes) * item, count, number)
        values = parameter_lanes(ints_at(receptor[layout.RECEPTOR_PARAMETERS]), 0, number, p_type, 0)
        p = parameters_of(values, 0, p_type, number)
        for i in range(count):
            if N == 1:
                s = advanced((a[i],), row[i], p)
                a[i] = s[0]
            elif N == 2:
                s = advanced((a[i], b[i]), row[i], p)
                a[i], b[i] = s[0], s[1]
            elif N == 3:
                s = advanced((a[i], b[i], c[i]), row[i], p)
                a[i], b[i], c[i] = s[0], s[1], s[2]
            else:
                s = advanced((a[i], b[i], c[i], d[i]), row[i], p)
                a[i], b[i], c[i], d[i] = s[0], s[1], s[2], s[3]
            y[i] = strength_of(s, p)
        return 0

    return _compiled(owner, advance_lanes)


@functools.cache
def release(
    owner: str, n: int, advance: Function, strength: Function | None, names: tuple[str, ...], dtype: str
) -> Kernels:
    """Kernels of synapses whose receptor has states of their sources.

    Parameters
    ----------
    owner, n, advance, strength, names, dtype
        As of `advance_lanes`; dtype is that of weights.
    """
    number, real = np.dtype(dtype).type, np.float64
    item = number(0).itemsize
    p_type = collections.namedtuple("parameters", names)  # type: ignore[misc]  # noqa: PYI024
    advanced, strength_of = inlined(advance), inlined(strength or _first)
    N, one, zero = n, real(1.0), real(0.0)

    def arrive(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        target, n_rows, delays = ints_at(p[TARGET]), p[N_ROWS], p[DELAYS]
        now, lanes = target[layout.STEP] + k, target[layout.PADDED]
        ring_row = array_at(p[RING] + now % target[layout.RING_STEPS] * lanes * item, lanes, number)
        n_synapses = ints_at(p[ROWS])[n_rows]
        offsets, weights = array_at(p[OFFSETS], n_synapses, np.uint32), array_at(p[WEIGHTS], n_synapses, number)
        counts = ints_at(p[COUNTS])
        cursors, ends = array_at(p[CURSORS], delays * n_rows, np.uint64), array_at(p[ENDS], delays * n_rows, np.uint64)
        amounts = array_at(p[AMOUNTS], delays * n_rows, real)
        for j in range(delays - p[SHORTEST] + 1):
            lag = delays - j
            slot = (now - lag + delays) % delays
            first, limit = np.uint32(lag * lanes), np.uint32((lag + 1) * lanes)
            for c in range(np.uint64(slot * n_rows), np.uint64(slot * n_rows + counts[slot])):
                s, end, amount = cursors[c], ends[c], number(amounts[c])
                while s < end and offsets[s] < limit:
                    ring_row[np.uint64(offsets[s] - first)] += amount * weights[s]
                    s += np.uint64(1)
                cursors[c] = s
        return OK

    def emit(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        n_rows, delays = p[N_ROWS], p[DELAYS]
        slot = (ints_at(p[TARGET])[layout.STEP] + k) % delays
        values = parameter_lanes(ints_at(p[NUMBERS]), 0, real, p_type, 0)
        q, fade = parameters_of(values, 0, p_type, real), array_at(p[FADE], 1, real)[0]
        a = array_at(p[STATES], n_rows, real)
        b = array_at(p[STATES] + (N > 1) * n_rows * 8, n_rows, real)
        c = array_at(p[STATES] + (N > 2) * 2 * n_rows * 8, n_rows, real)
        sent, rows, words = array_at(p[SENT], n_rows, real), ints_at(p[ROWS]), spikes_of(p[SOURCE], k)
        cursors, ends = array_at(p[CURSORS], delays * n_rows, np.uint64), array_at(p[ENDS], delays * n_rows, np.uint64)
        amounts, m = array_at(p[AMOUNTS], delays * n_rows, real), slot * n_rows
        later, landing = ints_at(p[LATER]), array_at(p[AT_ONCE], ints_at(p[TARGET])[layout.PADDED], number)
        offsets = array_at(p[OFFSETS], rows[n_rows], np.uint32)
        weights = array_at(p[WEIGHTS], rows[n_rows], number)
        for row in range(n_rows):
            neuron = np.uint64(p[FIRST] + row)
            arrived = one if words[neuron >> np.uint64(6)] >> (neuron & np.uint64(63)) & np.uint64(1) else zero
            if arrived == zero and a[row] == zero and b[row] == zero and c[row] == zero and sent[row] == zero:
                continue
            if N == 1:
                s = advanced((a[row],), arrived, q)
                a[row] = s[0]
            elif N == 2:
                s = advanced((a[row], b[row]), arrived, q)
                a[row], b[row] = s[0], s[1]
            else:
                s = advanced((a[row], b[row], c[row]), arrived, q)
                a[row], b[row], c[row] = s[0], s[1], s[2]
            now, known = real(strength_of(s, q)), fade * sent[row]
            if abs(now - known) > _NOTHING * abs(now):
                cursors[m], ends[m], amounts[m] = np.uint64(later[row]), np.uint64(rows[row + 1]), now - known
                for s in range(np.uint64(rows[row]), np.uint64(later[row])):
                    landing[offsets[s]] += number(now - known) * weights[s]
                m, known = m + 1, now
            sent[row] = known
        ints_at(p[COUNTS])[slot] = m - slot * n_rows
        return OK

    return Kernels(_compiled(owner, arrive), _compiled(owner, emit))


def _first(s, p):
    """The first state."""
    return s[0]


def _compiled(owner: str, kernel: Function) -> int:
    try:
        return address_of(kernel, fastmath=STRICT)
    except (NumbaError, UnsupportedBytecodeError) as error:
        raise TypeError(
            f"{owner} must be a receptor that Numba can compile: {reason_of(error)}. Its functions compute with "
            "numbers, by math, min, max and if."
        ) from None
