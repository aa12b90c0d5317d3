"""The exact engine's loop: the neurons of a block from event to event, to the end of a slice.

A step is never cut at the end of a slice. The stored state of a neuron is that at its last event or after its last
whole step; a step that would end beyond the slice is done later, again as it is, or cut by an event that has come. So
results depend on events alone, and no slice, block, thread or split of a run can change a bit.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaError

from izhnumba._engine.codes import FAILURE, OK, ROOM
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import EVENT, block_of, real, set_real
from izhnumba._exact.kernels.neuron import GO_ON, ExactVariant, arrivals, settling, spike_handler, step_finisher
from izhnumba._exact.kernels.simd_rows import LANES, SimdRows
from izhnumba._model.compiled import compile_equations
from izhnumba._numba.compile import CONTRACT, address_of, called, inlined
from izhnumba._numba.intrinsics import array_at, call_at, ints_at, prefetch, reals_at, trailing_zeros

IDLE, ALL_IDLE = -1, 2**LANES - 1
AHEAD = 2 * LANES  # neurons between the one that is put into a lane and the one whose state is fetched into the cache


@functools.cache
def advance(variant: ExactVariant) -> int:
    """Address of `advance(network, population, block)` -> code: all neurons of a block to the end of the slice."""
    try:
        return address_of(_advance(variant), fastmath=CONTRACT)
    except NumbaError:
        compile_equations(variant.model, types.float64)
        raise


def _advance(variant: ExactVariant):
    R = SimdRows(variant.receptors)
    finish_step, arrive, spike = step_finisher(variant), arrivals(variant.receptors), spike_handler(variant)
    settle, limit = settling(variant.receptors), _limit(R)
    N_STATE, N_LOADED, REACH, N_Z = R.n_state, R.n_loaded, R.REACH, R.n_z
    T, LIMIT, VISIT = (row * LANES for row in (R.T, R.LIMIT, R.VISIT))
    OFTEN, LEAST = layout.STUCK

    def load(b, simd, lane, j, state, last):
        """Put neuron j of the block into a lane.

        Parameters
        ----------
        b : int64 (BLOCK_SIZE,)
            Table of the block.
        simd : float64
            The SIMD rows, flat.
        lane, j : int
        state : int
            Address of its row of STATES.
        last : float, ms
            Time beyond which it must not step.
        """
        owners = ints_at(b[layout.OWNERS])
        owners[lane], owners[LANES + lane] = j, IDLE
        values = reals_at(state)
        for k in range(N_LOADED):
            simd[k * LANES + lane] = values[k]
        for k in range(N_Z):
            simd[(REACH + k) * LANES + lane] = values[N_LOADED + layout.N_EXTRA + k]
        simd[LIMIT + lane] = limit(b, simd, lane, j, last)

    def store(b, simd, lane, state):
        """Write the state of the neuron in a lane back; the lane is idle then, and does not move."""
        values = reals_at(state)
        for k in range(N_STATE):
            values[k] = simd[k * LANES + lane]
        simd[LIMIT + lane] = simd[T + lane]
        ints_at(b[layout.OWNERS])[lane] = IDLE

    def clear(b, simd):
        """Make all lanes idle."""
        owners = ints_at(b[layout.OWNERS])
        for lane in range(LANES):
            owners[lane] = IDLE
            simd[LIMIT + lane] = simd[T + lane] = 0.0

    def list_active(b, next_visit, end, everybody):
        """List the neurons that need a step in the slice. Returns how many there are."""
        active, n, count = ints_at(b[layout.ACTIVE]), 0, b[layout.N_NEURONS]
        for first in range(0, count, LANES):
            mask: Any = 0
            for lane in range(LANES):  # LLVM makes vectors of it, so it reads behind the last neuron
                mask |= np.int64((next_visit[first + lane] <= end) | everybody) << lane
            mask &= (1 << min(count - first, LANES)) - 1
            while mask:
                active[n] = first + np.int64(trailing_zeros(np.uint64(mask)))
                mask &= mask - 1
                n += 1
        return n

    @called
    def find_stuck(place, simd):
        """A lane whose neuron was there at the latest check and has not got on since, or IDLE. place: of OWNERS, behind
        which are those of that check and their times."""
        owners, times, found = ints_at(place), reals_at(place + 2 * LANES * 8), IDLE
        for lane in range(LANES):
            stayed = owners[lane] != IDLE and owners[lane] == owners[LANES + lane]
            if stayed and simd[T + lane] - times[lane] < LEAST:
                found = lane
            owners[LANES + lane], times[lane] = owners[lane], simd[T + lane]
        return found

    @called
    def fail(place, lane):
        """Write to a block that the neuron in a lane has failed. Returns FAILURE."""
        b = ints_at(place)
        b[layout.FAILED], b[layout.FAILED_NEURON] = 1, b[layout.FIRST] + ints_at(b[layout.OWNERS])[lane]
        set_real(place, layout.FAILED_TIME, reals_at(b[layout.SIMD_ROWS])[T + lane])
        return FAILURE

    def fetch(state, width):
        """Fetch a row of STATES into the cache."""
        for place in range(state, state + width, 64):
            prefetch(place)

    load_lane, store_lane, clear_lanes = inlined(load), inlined(store), inlined(clear)
    list_all, fetch_state = inlined(list_active), inlined(fetch)

    def advance(network, population, number):
        p, place = ints_at(population), block_of(population, number)
        b, end = ints_at(place), real(network, layout.END)
        last = end if p[layout.CUT] else np.inf
        first, width, rows = b[layout.FIRST], p[layout.STATE_SIZE] * 8, b[layout.SIMD_ROWS]
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        next_visit = reals_at(p[layout.NEXT] + first * 8)
        owners, simd, active = ints_at(b[layout.OWNERS]), reals_at(rows), ints_at(b[layout.ACTIVE])
        states = p[layout.STATES] + first * width
        clear_lanes(b, simd)
        idle: Any = ALL_IDLE
        begun, n_active = 0, list_all(b, next_visit, end, p[layout.CUT] != 0)
        while True:
            while idle and begun < n_active:
                lane: Any = np.int64(trailing_zeros(np.uint64(idle)))
                idle &= idle - 1
                fetch_state(states + active[min(begun + AHEAD, n_active - 1)] * width, width)
                load_lane(b, simd, lane, active[begun], states + active[begun] * width, last)
                begun += 1
            if idle == ALL_IDLE:
                return OK
            if (
                b[layout.SPIKE_ROOM] - b[layout.N_SPIKES] < layout.MOST_SPIKES
                or b[layout.N_STEPS] >= b[layout.LAST_STEP]
            ):
                for lane in range(LANES):
                    if owners[lane] != IDLE:
                        next_visit[owners[lane]] = end
                        store_lane(b, simd, lane, states + owners[lane] * width)
                return ROOM
            if b[layout.N_STEPS] % OFTEN == 0:
                stuck = find_stuck(b[layout.OWNERS], simd)
                if stuck != IDLE:
                    return fail(place, stuck)
            masks = call_at(p[layout.STEP], rows, p[layout.NUMBERS], network + layout.END * 8)
            b[layout.N_STEPS] += 1
            come = masks & ~idle & ALL_IDLE  # to the ends of their steps, by and by
            done = masks >> 2 * LANES & come  # for this slice
            left = masks >> LANES & come & ~done
            come &= ~done
            whole = come & ~left
            while left:
                lane = np.int64(trailing_zeros(np.uint64(left)))
                left &= left - 1
                following = finish_step(
                    population, place, rows, lane, states + owners[lane] * width, first + owners[lane], end
                )
                if following != following:
                    return fail(place, lane)
                if following != GO_ON:
                    done |= 1 << lane
                    come &= ~(1 << lane)
            mask, waiting, arrived = come, 0, 0
            while mask:
                lane = np.int64(trailing_zeros(np.uint64(mask)))
                mask &= mask - 1
                j = owners[lane]
                if cursors[j] < ends[j]:
                    arrived |= 1 << lane
                    cursors[j] = arrive(
                        population, rows, lane, states + j * width, b[layout.SORTED], cursors[j], ends[j]
                    )
                    waiting |= (cursors[j] < ends[j]) << lane
                simd[LIMIT + lane] = limit(b, simd, lane, j, last)
            if whole | arrived | done or p[layout.CUT]:  # not after a spike alone
                settled = settle(rows, end)
                above = settled & arrived
                if p[layout.CUT]:
                    for lane in range(LANES):
                        if (come & ~waiting) >> lane & 1 and simd[T + lane] >= last:
                            simd[VISIT + lane] = last
                            done |= 1 << lane
                else:
                    done |= settled >> LANES & come & ~waiting & ~above
                while above:
                    lane = np.int64(trailing_zeros(np.uint64(above)))
                    above &= above - 1
                    j = owners[lane]
                    if spike(population, place, rows, lane, states + j * width, first + j):
                        return fail(place, lane)
                    simd[LIMIT + lane] = limit(b, simd, lane, j, last)
            while done:
                lane = np.int64(trailing_zeros(np.uint64(done)))
                done &= done - 1
                next_visit[owners[lane]] = simd[VISIT + lane]
                store_lane(b, simd, lane, states + owners[lane] * width)
                idle |= 1 << lane

    return advance


def _limit(R: SimdRows):
    """`limit(b, simd, lane, j, last)` -> time (ms) beyond which the neuron must not step: of its next event, `last`, or
    the end of its refractory period."""
    T, UNTIL = R.T * LANES, R.REFRACTORY_UNTIL * LANES

    def limit(b, simd, lane, j, last):
        cursor, end = ints_at(b[layout.CURSORS])[j], ints_at(b[layout.ENDS])[j]
        until = array_at(b[layout.SORTED], end, EVENT)[cursor].t if cursor < end else last
        refractory_until = simd[UNTIL + lane]
        return min(until, refractory_until) if refractory_until > simd[T + lane] else until

    return inlined(limit)
