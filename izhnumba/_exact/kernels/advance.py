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
from izhnumba._exact.kernels.neuron import GO_ON, ExactVariant, arrivals, silence, spike_handler, step_finisher
from izhnumba._exact.kernels.simd_rows import LANES, SimdRows
from izhnumba._model.compiled import compile_equations
from izhnumba._numba.compile import CONTRACT, address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import array_at, call_at, ints_at, reals_at, trailing_zeros

IDLE, ALL_IDLE = -1, 2**LANES - 1


@functools.cache
def advance(variant: ExactVariant) -> int:
    """Address of `advance(network, population, block)` -> code: all neurons of a block to the end of the slice."""
    try:
        return address_of(compiled(_advance(variant), fastmath=CONTRACT), (types.int64,) * 3)
    except NumbaError:
        compile_equations(variant.model, types.float64)
        raise


def _advance(variant: ExactVariant):
    R, attend = SimdRows(variant.receptors), _attend(variant)
    N_STATE, N_LOADED, T, LIMIT = R.n_state, R.n_loaded, R.T * LANES, R.LIMIT * LANES
    limit, (OFTEN, LEAST) = _limit(R), layout.STUCK

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

    load_lane, store_lane, clear_lanes = inlined(load), inlined(store), inlined(clear)

    def advance(network, population, number):
        p, place = ints_at(population), block_of(population, number)
        b, end = ints_at(place), real(network, layout.END)
        last = end if p[layout.CUT] else np.inf
        first, count, width = b[layout.FIRST], b[layout.N_NEURONS], p[layout.STATE_SIZE] * 8
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        next_visit = reals_at(p[layout.NEXT] + first * 8)
        owners, simd = ints_at(b[layout.OWNERS]), reals_at(b[layout.SIMD_ROWS])
        states = p[layout.STATES] + first * width
        clear_lanes(b, simd)
        idle: Any = ALL_IDLE
        j = 0
        while True:
            while idle and j < count:
                if cursors[j] < ends[j] or next_visit[j] <= end or p[layout.CUT]:
                    lane: Any = np.int64(trailing_zeros(np.uint64(idle)))
                    idle &= idle - 1
                    load_lane(b, simd, lane, j, states + j * width, last)
                j += 1
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
                    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, first + owners[stuck]
                    set_real(place, layout.FAILED_TIME, simd[T + stuck])
                    return FAILURE
            masks = call_at(p[layout.STEP], b[layout.SIMD_ROWS], p[layout.NUMBERS], network + layout.END * 8)
            b[layout.N_STEPS] += 1
            left, mask = masks >> LANES, masks & ~idle & ALL_IDLE
            while mask:
                lane = np.int64(trailing_zeros(np.uint64(mask)))
                mask &= mask - 1
                j_lane = owners[lane]
                state = states + j_lane * width
                following = attend(population, place, lane, state, j_lane, end, last, left >> lane & 1)
                if following != following:
                    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, first + j_lane
                    set_real(place, layout.FAILED_TIME, simd[T + lane])
                    return FAILURE
                if following != GO_ON:
                    store_lane(b, simd, lane, state)
                    next_visit[j_lane] = following
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


def _attend(variant: ExactVariant):
    """The kernel `attend(population, place, lane, state, j, end, last, left)` -> time (ms), GO_ON or NaN."""
    R = SimdRows(variant.receptors)
    finish_step, arrive, spike = step_finisher(variant), arrivals(variant.receptors), spike_handler(variant)
    silent_until, limit = silence(variant.receptors), _limit(R)
    T, X, Y, UNTIL, LIMIT = (row * LANES for row in (R.T, R.X, R.Y, R.REFRACTORY_UNTIL, R.LIMIT))
    KAPPA, THETA = R.KAPPA * LANES, R.THETA * LANES

    def attend(population, place, lane, state, j, end, last, left):
        """Move a neuron over its spike, its events or the end of its step. Returns the time (ms) of its next visit, if
        that is beyond the slice, else GO_ON; NaN if the neuron fails.

        Parameters
        ----------
        population, place, lane, state, end
            As in `_exact.kernels.neuron`.
        j : int
            Number of the neuron in the block.
        last : float, ms
            Time beyond which it must not step.
        left : int
            Whether the step has left it where it was.
        """
        b = ints_at(place)
        simd, neuron = reals_at(b[layout.SIMD_ROWS]), b[layout.FIRST] + j
        if left:
            following = finish_step(population, place, b[layout.SIMD_ROWS], lane, state, neuron, end)
            if following != GO_ON:
                return following
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        if cursors[j] < ends[j]:
            cursors[j] = arrive(population, b[layout.SIMD_ROWS], lane, state, b[layout.SORTED], cursors[j], ends[j])
            above = simd[X + lane] + simd[KAPPA + lane] * simd[Y + lane] >= simd[THETA + lane]
            free = simd[UNTIL + lane] <= simd[T + lane]
            if above and free and spike(population, place, b[layout.SIMD_ROWS], lane, state, neuron):
                return np.nan
        simd[LIMIT + lane] = limit(b, simd, lane, j, last)
        if cursors[j] < ends[j]:
            return GO_ON
        if simd[T + lane] >= last:
            return last
        later = silent_until(b[layout.SIMD_ROWS], lane, state) if last == np.inf else GO_ON
        return later if later > end else GO_ON

    return called(attend)
