"""The exact engine's loop: the neurons of a block from event to event, to the end of a slice.

A step is never cut at the end of a slice. What a neuron is stored as is its state at its last event or after its last
whole step; a step that would end later is left to later, when it is done again or cut by an event that has come. So
what is computed depends on events alone, and no slice, block, thread or split of a run can change a bit.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaError

from izhnumba._engine.codes import FAILURE, OK, ROOM
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.bench import LANES, Bench
from izhnumba._exact.kernels.events import EVENT, block_of, real, set_real
from izhnumba._exact.kernels.neuron import GO_ON, ExactVariant, arriving, overcoming, silent, spiking
from izhnumba._model.compiled import compile_equations
from izhnumba._numba.compile import CONTRACT, address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import array_at, call_at, ints_at, reals_at, trailing_zeros

IDLE, ALL_IDLE = -1, 2**LANES - 1


@functools.cache
def advance(variant: ExactVariant) -> int:
    """Address of `advance(network, population, block)`: all neurons of a block to the end of the slice."""
    try:
        return address_of(compiled(_advance(variant), fastmath=CONTRACT), (types.int64,) * 3)
    except NumbaError:
        compile_equations(variant.model, types.float64)
        raise


def _advance(variant: ExactVariant):
    B, attend = Bench(variant.ports), _attend(variant)
    N_STATE, N_CELL, T, LIMIT = B.n_state, B.n_cell, B.T * LANES, B.LIMIT * LANES
    limit, (OFTEN, LEAST) = _limit(B), layout.STUCK

    def load(b, bench, lane, j, cell, last):
        """Put a neuron into a lane."""
        owners = ints_at(b[layout.OWNERS])
        owners[lane], owners[LANES + lane] = j, IDLE
        values = reals_at(cell)
        for k in range(N_CELL):
            bench[k * LANES + lane] = values[k]
        bench[LIMIT + lane] = limit(b, bench, lane, j, last)

    def store(b, bench, lane, cell):
        """Put it back. An idle lane does not move."""
        values = reals_at(cell)
        for k in range(N_STATE):
            values[k] = bench[k * LANES + lane]
        bench[LIMIT + lane] = bench[T + lane]
        ints_at(b[layout.OWNERS])[lane] = IDLE

    def clear(b, bench):
        owners = ints_at(b[layout.OWNERS])
        for lane in range(LANES):
            owners[lane] = IDLE
            bench[LIMIT + lane] = bench[T + lane] = 0.0

    @called
    def stand_still(place, bench):
        """A lane whose neuron has not come on since the last look, when it was there already, else IDLE. Behind the
        OWNERS stand those of that look, and to when they had come."""
        owners, times, found = ints_at(place), reals_at(place + 2 * LANES * 8), IDLE
        for lane in range(LANES):
            stayed = owners[lane] != IDLE and owners[lane] == owners[LANES + lane]
            if stayed and bench[T + lane] - times[lane] < LEAST:
                found = lane
            owners[LANES + lane], times[lane] = owners[lane], bench[T + lane]
        return found

    take_in, put_back, clear_lanes = inlined(load), inlined(store), inlined(clear)

    def advance(network, population, number):
        p, place = ints_at(population), block_of(population, number)
        b, end = ints_at(place), real(network, layout.END)
        last = end if p[layout.CUT] else np.inf
        first, count, width = b[layout.FIRST], b[layout.N_CELLS], p[layout.CELL_SIZE] * 8
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        next_look = reals_at(p[layout.NEXT] + first * 8)
        owners, bench = ints_at(b[layout.OWNERS]), reals_at(b[layout.BENCH])
        cells = p[layout.CELLS] + first * width
        clear_lanes(b, bench)
        idle: Any = ALL_IDLE
        j = 0
        while True:
            while idle and j < count:
                if cursors[j] < ends[j] or next_look[j] <= end or p[layout.CUT]:
                    lane: Any = np.int64(trailing_zeros(np.uint64(idle)))
                    idle &= idle - 1
                    take_in(b, bench, lane, j, cells + j * width, last)
                j += 1
            if idle == ALL_IDLE:
                return OK
            if (
                b[layout.SPIKE_ROOM] - b[layout.N_SPIKES] < layout.MOST_SPIKES
                or b[layout.N_STEPS] >= b[layout.LAST_STEP]
            ):
                for lane in range(LANES):
                    if owners[lane] != IDLE:
                        next_look[owners[lane]] = end
                        put_back(b, bench, lane, cells + owners[lane] * width)
                return ROOM
            if b[layout.N_STEPS] % OFTEN == 0:
                stuck = stand_still(b[layout.OWNERS], bench)
                if stuck != IDLE:
                    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, first + owners[stuck]
                    set_real(place, layout.FAILED_TIME, bench[T + stuck])
                    return FAILURE
            masks = call_at(p[layout.STEP], b[layout.BENCH], p[layout.NUMBERS], network + layout.END * 8)
            b[layout.N_STEPS] += 1
            left, mask = masks >> LANES, masks & ~idle & ALL_IDLE
            while mask:
                lane = np.int64(trailing_zeros(np.uint64(mask)))
                mask &= mask - 1
                j_lane = owners[lane]
                cell = cells + j_lane * width
                following = attend(population, place, lane, cell, j_lane, end, last, left >> lane & 1)
                if following != following:
                    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, first + j_lane
                    set_real(place, layout.FAILED_TIME, bench[T + lane])
                    return FAILURE
                if following != GO_ON:
                    put_back(b, bench, lane, cell)
                    next_look[j_lane] = following
                    idle |= 1 << lane

    return advance


def _limit(B: Bench):
    """`limit(b, bench, lane, j, last)`: what the neuron must not step over, which is its next event, `last`, or the end
    of its refractory period."""
    T, HELD = B.T * LANES, B.HELD * LANES

    def limit(b, bench, lane, j, last):
        cursor, end = ints_at(b[layout.CURSORS])[j], ints_at(b[layout.ENDS])[j]
        until = array_at(b[layout.SORTED], end, EVENT)[cursor].t if cursor < end else last
        held = bench[HELD + lane]
        return min(until, held) if held > bench[T + lane] else until

    return inlined(limit)


def _attend(variant: ExactVariant):
    """`attend(population, place, lane, cell, j, end, last, left)`: take a neuron over its spike, its events or the end
    of a step; left: the step has not moved it on. Tells when it must be looked at next, if that is after the end of the
    slice, else GO_ON; NaN for what went wrong."""
    B = Bench(variant.ports)
    overcome, arrive, spike = overcoming(variant), arriving(variant.ports), spiking(variant)
    silent_until, limit = silent(variant.ports), _limit(B)
    T, X, Y, HELD, LIMIT = (row * LANES for row in (B.T, B.X, B.Y, B.HELD, B.LIMIT))
    KAPPA, THETA = B.KAPPA * LANES, B.THETA * LANES

    def attend(population, place, lane, cell, j, end, last, left):
        b = ints_at(place)
        bench, neuron = reals_at(b[layout.BENCH]), b[layout.FIRST] + j
        if left:
            following = overcome(population, place, b[layout.BENCH], lane, cell, neuron, end)
            if following != GO_ON:
                return following
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        if cursors[j] < ends[j]:
            cursors[j] = arrive(population, b[layout.BENCH], lane, cell, b[layout.SORTED], cursors[j], ends[j])
            above = bench[X + lane] + bench[KAPPA + lane] * bench[Y + lane] >= bench[THETA + lane]
            free = bench[HELD + lane] <= bench[T + lane]
            if above and free and spike(population, place, b[layout.BENCH], lane, cell, neuron):
                return np.nan
        bench[LIMIT + lane] = limit(b, bench, lane, j, last)
        if cursors[j] < ends[j]:
            return GO_ON
        if bench[T + lane] >= last:
            return last
        later = silent_until(b[layout.BENCH], lane, cell) if last == np.inf else GO_ON
        return later if later > end else GO_ON

    return called(attend)
