"""Events of one neuron of the exact engine, in a lane of the SIMD rows: its spikes, arrivals and rests.

Functions take addresses, for an array would be passed as seven numbers.

Parameters
----------
population, place : int
    Addresses of the tables of its population and its block (`layout`).
address : int
    Of the SIMD rows, float64 (rows, LANES).
lane : int
    The lane of the neuron.
state : int
    Address of its row of STATES.
neuron : int
    Its number in the population.
end : float, ms
    End of the slice.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import EVENT, real
from izhnumba._exact.kernels.simd_rows import LANES, ORDER, ReceptorKind, SimdRows
from izhnumba._model.model import Model
from izhnumba._numba.compile import CONTRACT, called, inlined
from izhnumba._numba.intrinsics import (
    NOINLINE,
    WIDEST,
    add_attribute,
    array_at,
    call_at,
    ints_at,
    parameter_lanes,
    parameters_of,
    reals_at,
)
from izhnumba._numba.where import where

GO_ON = -1.0  # in place of a time: the neuron has not come to the end of the slice
LONGEST_RISE = 2.0  # ms, of the bound of the time that x takes to rise to the threshold
LONGEST_REST = 200.0  # ms without a step of a neuron that stays below: to publish one that lags behind takes long
_SMALLEST_RISE = 1e-9  # of the bound of x': it must not be 0
_FASTEST = 0.1  # 1/ms, of the rate of u: for faster ones there is no bound
_SHORTEST = 1e-9  # ms: a crossing that is undone sooner is a touch, and no spike


class ExactVariant(NamedTuple):
    """The model and the kinds of receptors that kernels are compiled for."""

    model: Model
    receptors: tuple[ReceptorKind, ...]


@inlined
def horner(simd, row, lane, h):
    """The value of a polynomial of the SIMD rows at h, even and odd powers apart, which halves the latency."""
    h2, even, odd = h * h, simd[(row + ORDER) * LANES + lane], 0.0
    for k in range(ORDER - 2, -1, -2):
        odd = odd * h2 + simd[(row + k + 1) * LANES + lane]
        even = even * h2 + simd[(row + k) * LANES + lane]
    return odd * h + even


@inlined
def slope_of(simd, row, lane, h):
    """The derivative of a polynomial of the SIMD rows at h."""
    h2, even, odd = h * h, 0.0, ORDER * simd[(row + ORDER) * LANES + lane]
    for k in range(ORDER - 1, 0, -2):
        even = even * h2 + k * simd[(row + k) * LANES + lane]
        if k > 1:
            odd = odd * h2 + (k - 1) * simd[(row + k - 1) * LANES + lane]
    return odd * h + even


@functools.cache
def crossing(receptors: tuple[ReceptorKind, ...]) -> tuple[Any, Any]:
    """`safe_length(simd, lane, h)` and `root(simd, lane, h)`, both ms, of the polynomial x + kappa y in a lane."""
    R = SimdRows(receptors)
    CX, CY, KAPPA, THETA = R.CX, R.CY, R.KAPPA * LANES, R.THETA * LANES

    def safe_length(address, lane, h):
        """The longest of h, h / 2, h / 4, ... in which x + kappa y cannot cross the threshold and come back: it stays
        below, or only rises or only falls. 0 if it is at the threshold already, where a user may have set it."""
        simd = reals_at(address)
        kappa, theta = simd[KAPPA + lane], simd[THETA + lane]
        c0 = simd[CX * LANES + lane] + kappa * simd[CY * LANES + lane]
        if c0 >= theta:
            return 0.0
        while h > _SHORTEST:
            above, slope, off, power = c0, 0.0, 0.0, 1.0
            for k in range(1, ORDER + 1):
                c = simd[(CX + k) * LANES + lane] + kappa * simd[(CY + k) * LANES + lane]
                if k == 1:
                    slope = c
                else:
                    off += k * abs(c) * power
                power *= h
                above += max(c, 0.0) * power
            if above < theta or abs(slope) > off:
                break
            h *= 0.5
        return h

    def root(address, lane, h):
        """The time, at most h, at which x + kappa y reaches the threshold first: Newton's method for 1 / x, which is
        almost a straight line, kept between bounds that close in. It begins where x' = x^2 + w leads, with a pole at
        the ratio of the last two coefficients; else where a straight line of x does."""
        simd = reals_at(address)
        kappa, theta = simd[KAPPA + lane], simd[THETA + lane]
        low, high = 0.0, h
        start = simd[CX * LANES + lane] + kappa * simd[CY * LANES + lane]
        if start >= theta:
            return 0.0
        steep = kappa == 0.0 and theta > 0.02
        w = simd[(CX + 1) * LANES + lane] - start * start
        pole = simd[(CX + ORDER - 1) * LANES + lane] / simd[(CX + ORDER) * LANES + lane]
        at = pole - 1.0 / theta + w / (3.0 * theta * theta * theta)
        if not (steep and 0.0 < at < h):
            at = h * (theta - start) / (horner(simd, CX, lane, h) + kappa * horner(simd, CY, lane, h) - start)
        for _ in range(100):
            x, slope = horner(simd, CX, lane, at), slope_of(simd, CX, lane, at)
            if kappa != 0.0:
                x += kappa * horner(simd, CY, lane, at)
                slope += kappa * slope_of(simd, CY, lane, at)
            if x >= theta:
                high = at
            else:
                low = at
            move = theta - x
            if steep and x > 0.02:
                move *= x / theta
            ahead = at + move / slope if slope > 0.0 else high + h
            if not low <= ahead <= high:
                ahead = 0.5 * (low + high)
            near = abs(ahead - at) <= (1e-7 if steep else 1e-9) * h  # what is left is its square
            at = ahead
            if near:
                break
        return at

    return called(safe_length), called(root, CONTRACT)


@functools.cache
def spike_handler(variant: ExactVariant):
    """The kernel `spike(population, place, address, lane, state, neuron)` -> whether the neuron runs away."""
    R, model = SimdRows(variant.receptors), variant.model
    T, X, Y, UNTIL = (row * LANES for row in (R.T, R.X, R.Y, R.REFRACTORY_UNTIL))
    n_loaded, p_type = R.n_loaded, model.named_tuple()
    MASK = (1 << len(p_type._fields)) - 1
    V_reset, u_reset, threshold = inlined(model.V_reset), inlined(model.u_reset), inlined(model.threshold)

    def spike(population, place, address, lane, state, neuron):
        """Reset a neuron at the time T of its lane, and append the spike to the block's list. Parameters: see
        `_exact.kernels.neuron`."""
        p, b = ints_at(population), ints_at(place)
        simd, extra = reals_at(address), reals_at(state + n_loaded * 8)
        addresses = ints_at(p[layout.PARAMETERS])
        q = parameters_of(parameter_lanes(addresses, 0, np.float64, p_type, MASK), neuron, p_type, np.float64)
        now, scale, half, y0, gu = (
            simd[T + lane],
            extra[layout.P],
            extra[layout.HALF],
            extra[layout.Y0],
            extra[layout.GU],
        )
        u = (simd[Y + lane] - y0) / (scale * gu)
        V = V_reset(u, q)
        if p[layout.SOFT]:  # 1: V - V_th; 2: V_reset + V - V_th
            over = (simd[X + lane] - half) / scale - threshold(u, q)
            V = over if p[layout.SOFT] == 1 else V + over
        simd[X + lane] = scale * V + half
        simd[Y + lane] = y0 + scale * gu * u_reset(u, q)
        simd[UNTIL + lane] = now + extra[layout.TAU_REF] if extra[layout.TAU_REF] > 0.0 else -np.inf
        n = b[layout.N_SPIKES]
        reals_at(b[layout.SPIKE_T])[n] = now
        ints_at(b[layout.SPIKE_I])[n] = neuron
        b[layout.N_SPIKES] = n + 1
        reals_at(p[layout.LAST])[neuron] = now
        rules = ints_at(p[layout.PLASTIC])
        for k in range(p[layout.N_PLASTIC]):
            if rules[3 * k + 1]:
                call_at(rules[3 * k + 1], rules[3 * k + 2], neuron, np.float64(now).view(np.int64))
        extra[layout.COUNT] += 1.0
        if extra[layout.COUNT] < layout.RUNAWAY:
            return False
        soon = now - extra[layout.SINCE] < 1.0
        extra[layout.SINCE], extra[layout.COUNT] = now, 0.0
        return soon

    return called(spike)


@functools.cache
def arrivals(receptors: tuple[ReceptorKind, ...]):
    """The kernel `arrive(population, address, lane, state, first, cursor, end)` -> the cursor behind what is due."""
    R = SimdRows(receptors)
    T, X, UNTIL, n_loaded = R.T * LANES, R.X, R.REFRACTORY_UNTIL * LANES, R.n_loaded

    def arrive(population, address, lane, state, first, cursor, end):
        """Apply all events of a neuron that are due at the time T of its lane.

        Parameters
        ----------
        population, address, lane, state
            As of all functions here.
        first : int
            Address of the events of the block, EVENT.
        cursor, end : int
            The neuron's next event, and the end of its events.
        """
        p, simd = ints_at(population), reals_at(address)
        events, scales = array_at(first, end, EVENT), reals_at(state + n_loaded * 8)
        now = simd[T + lane]
        while cursor < end and events[cursor].t <= now:
            event = events[cursor]
            place = p[layout.INLETS] + event.inlet * layout.INLET_SIZE * 8
            inlet = ints_at(place)
            if event.rule >= 0:
                rules = ints_at(p[layout.PLASTIC])
                call_at(rules[3 * event.rule], rules[3 * event.rule + 2], first + cursor * layout.EVENT_SIZE, 0)
            row = inlet[layout.INLET_ROW]
            if row != X or simd[UNTIL + lane] <= now:  # V jumps are lost on a refractory neuron
                simd[row * LANES + lane] += (
                    scales[inlet[layout.INLET_SCALE]] * real(place, layout.INLET_FACTOR) * event.w
                )
            cursor += 1
        return cursor

    return called(arrive)


@functools.cache
def settling(receptors: tuple[ReceptorKind, ...]):
    """`settle(simd, end)` -> masks, and VISIT: a time (ms) before which a neuron cannot spike unless an event comes. It
    may be too early: that changes when a step is done, and no bit of it. Bit k of the masks: lane k is at its threshold
    and not refractory; bit LANES + k: it needs no step up to `end`.

    The latest of three bounds. One is the end of the step that has been computed, NEW_T.
    x stays below max(x, 0) while x' is negative there; until then y' = A x + B y + C is at least `falling`, so x comes
    no lower than `low` in LONGEST_REST, and y' is at most `rising`, with A and B negative.
    x' is at most x^2 + w, with the highest w in LONGEST_RISE, so x takes at least (b - a) / (b^2 + w) from a to
    b > |a|; b = a + sqrt(a^2 + w) makes the most of it."""
    R = SimdRows(receptors)
    X, Y, I, T, UNTIL = (row * LANES for row in (R.X, R.Y, R.I, R.T, R.REFRACTORY_UNTIL))  # noqa: E741
    OF_A, OF_B, OF_C = (row * LANES for row in (R.A, R.B, R.C))
    THETA, KAPPA, N_Z, Z, REACH = R.THETA * LANES, R.KAPPA * LANES, R.n_z, R.Z, R.REACH
    VISIT, NEW_T = R.VISIT * LANES, (R.NEW + R.T) * LANES

    def settle(address, end):
        add_attribute(NOINLINE)  # it would get the attributes of the loop, whose vectors are of half the width
        add_attribute(WIDEST)
        simd, above, done = reals_at(address), np.int64(0), np.int64(0)
        for lane in range(LANES):
            x, y, t = simd[X + lane], simd[Y + lane], simd[T + lane]
            kappa, theta, current = simd[KAPPA + lane], simd[THETA + lane], simd[I + lane]
            A, B, C = simd[OF_A + lane], simd[OF_B + lane], simd[OF_C + lane]
            pull = 0.0
            for k in range(N_Z):
                pull += simd[(REACH + k) * LANES + lane] * abs(simd[(Z + k) * LANES + lane])
            top, slowness = max(x, 0.0), -1.0 / B
            falling = A * top + C + B * y
            lowest = max(y + LONGEST_REST * min(falling, 0.0), min(y, (A * top + C) * slowness))
            low = min(x, -math.sqrt(max(pull - lowest - current, 0.0)))
            most = pull * max(1.0, -low)
            gap, rising = -top * top - y - current - most, A * low + C + B * y
            rest = min(gap / max(rising, _SMALLEST_RISE), LONGEST_REST)
            rest = where((A * low + C) * slowness - y < gap, LONGEST_REST, rest)  # where y comes to rest itself
            rest = where((gap > 0.0) & (A <= 0.0) & (B < 0.0) & (top < theta), rest, 0.0)
            w = y + current + pull
            size = max(max(abs(x), 1.0 + abs(w)), abs(theta))
            rise = abs(A) * size + abs(B * y) + abs(C)
            w = max(w + 1.5 * rise * LONGEST_RISE, _SMALLEST_RISE)
            a = where(x > 0.0, x, min(-x, theta))
            b = min(a + math.sqrt(a * a + w), theta)
            first, second = x * x + w, b * b + w
            time = min(((a - x) * second + (b - a) * first) / (first * second), LONGEST_RISE)
            time = where((time > 0.0) & (abs(B) <= _FASTEST), time, 0.0)
            free = simd[UNTIL + lane] <= t
            visit = max(t + where(free & (kappa == 0.0), max(rest, time), 0.0), simd[NEW_T + lane])
            simd[VISIT + lane] = visit
            above |= np.int64((x + kappa * y >= theta) & free) << lane
            done |= np.int64((visit > end) | (t >= end)) << lane
        return above | done << LANES

    return called(settle)


@functools.cache
def step_finisher(variant: ExactVariant):
    """The kernel `finish_step(population, place, address, lane, state, neuron, end)` -> time (ms) or GO_ON."""
    R = SimdRows(variant.receptors)
    (safe_length, root), spike = crossing(variant.receptors), spike_handler(variant)
    N_STATE, X, Y, NEW = R.n_state, R.X, R.Y, R.NEW
    T, UNTIL, LIMIT, H, FULL, SAFE = (row * LANES for row in (R.T, R.REFRACTORY_UNTIL, R.LIMIT, R.H, R.FULL, R.SAFE))
    NEW_T, NEW_X, NEW_Y, KAPPA, THETA = (row * LANES for row in (NEW, NEW + X, NEW + Y, R.KAPPA, R.THETA))
    ROWS = (R.CX, R.CY, 0, *(R.CZ + j * (ORDER + 1) for j in range(R.n_z)))  # coefficients of X, Y, UNTIL, Z

    def move_to(simd, lane, h):
        """Write the state at h within the step to NEW."""
        simd[NEW_T + lane] = simd[T + lane] + h
        for k in range(1, N_STATE):
            if ROWS[k - 1]:
                simd[(NEW + k) * LANES + lane] = horner(simd, ROWS[k - 1], lane, h)

    def commit(simd, lane, refractory):
        """Make NEW the state; x and y stay if the neuron is refractory."""
        for k in range(N_STATE):
            if not (refractory and k in (X, Y)):
                simd[k * LANES + lane] = simd[(NEW + k) * LANES + lane]

    move, take = inlined(move_to), inlined(commit)

    def finish_step(population, place, address, lane, state, neuron, end):
        """Move a neuron that the step has left where it was over its spike, or to the end of the step. Returns the time
        of that, if it is beyond the slice, and does nothing then; else GO_ON; NaN if the neuron fails. Parameters: see
        `_exact.kernels.neuron`."""
        simd = reals_at(address)
        now, h, refractory = simd[T + lane], simd[H + lane], simd[UNTIL + lane] > simd[T + lane]
        full = simd[FULL + lane]  # not h: a bit of a spike must not depend on an event after it, known yet or not
        if not refractory and simd[SAFE + lane] == 0.0:
            full = safe_length(address, lane, full)
            if full < h:
                move(simd, lane, full)
        if not refractory and simd[NEW_X + lane] + simd[KAPPA + lane] * simd[NEW_Y + lane] >= simd[THETA + lane]:
            h = root(address, lane, full)
            when = min(now + h, simd[NEW_T + lane])
            if when > end:
                simd[NEW_T + lane] = when
                return when
            move(simd, lane, h)
            simd[NEW_T + lane] = when
            take(simd, lane, False)
            return np.nan if spike(population, place, address, lane, state, neuron) else GO_ON
        later, x, y = simd[NEW_T + lane], simd[NEW_X + lane], simd[NEW_Y + lane]
        if later > end:
            return later
        if x - x != 0.0 or y - y != 0.0 or (later <= now and later < simd[LIMIT + lane]):
            return np.nan
        take(simd, lane, refractory)
        return GO_ON

    return called(finish_step, CONTRACT)
