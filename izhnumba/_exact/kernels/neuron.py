"""What happens to one neuron of the exact engine, in a lane of the bench: its spikes, events and rests.

Functions take addresses, for an array would be passed as seven numbers. `place` is that of a block.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.bench import LANES, ORDER, Bench, PortKind
from izhnumba._exact.kernels.events import EVENT, real
from izhnumba._model.model import Model
from izhnumba._model.quantity import MAX_PARAMETERS
from izhnumba._numba.compile import called, inlined
from izhnumba._numba.intrinsics import array_at, call_at, ints_at, parameter_lanes, parameters_of, reals_at

GO_ON = -1.0  # the neuron has not come to the end of the slice
LONGEST_QUIET = 2.0  # ms, for which it is worth knowing that a neuron cannot spike
LONGEST_REST = 50.0  # ms, for which a trapped neuron is left alone: showing one that lags far behind takes long
_RUNGS = (-0.5, -0.2, 0.0, 0.2, 0.5, 1.0, 2.0, 1e300)  # of x, between which x' is bounded
_FASTEST = 0.1  # 1/ms, of u, for the bound to hold
_SHORTEST = 1e-9  # ms: a crossing and its undoing within less are one touch


class ExactVariant(NamedTuple):
    """What the compiler must know."""

    model: Model
    ports: tuple[PortKind, ...]


@inlined
def horner(bench, row, lane, h):
    """A polynomial of the bench at h, even and odd powers apart, which halves the wait."""
    h2, even, odd = h * h, bench[(row + ORDER) * LANES + lane], 0.0
    for k in range(ORDER - 2, -1, -2):
        odd = odd * h2 + bench[(row + k + 1) * LANES + lane]
        even = even * h2 + bench[(row + k) * LANES + lane]
    return odd * h + even


@inlined
def slope_of(bench, row, lane, h):
    """The derivative of a polynomial of the bench at h."""
    h2, even, odd = h * h, 0.0, ORDER * bench[(row + ORDER) * LANES + lane]
    for k in range(ORDER - 1, 0, -2):
        even = even * h2 + k * bench[(row + k) * LANES + lane]
        if k > 1:
            odd = odd * h2 + (k - 1) * bench[(row + k - 1) * LANES + lane]
    return odd * h + even


@functools.cache
def crossing(ports: tuple[PortKind, ...]) -> tuple[Any, Any]:
    """(safe_length, root) of the polynomial x + kappa y in a lane of the bench."""
    B = Bench(ports)
    CX, CY, KAPPA, THETA = B.CX, B.CY, B.KAPPA * LANES, B.THETA * LANES

    def safe_length(address, lane, h):
        """The longest of h, h / 2, h / 4, ... in which x cannot cross the threshold and come back: it stays below, or
        only rises or only falls. 0 if x is there already, as a user may have set it."""
        bench = reals_at(address)
        kappa, theta = bench[KAPPA + lane], bench[THETA + lane]
        c0 = bench[CX * LANES + lane] + kappa * bench[CY * LANES + lane]
        if c0 >= theta:
            return 0.0
        while h > _SHORTEST:
            above, slope, off, power = c0, 0.0, 0.0, 1.0
            for k in range(1, ORDER + 1):
                c = bench[(CX + k) * LANES + lane] + kappa * bench[(CY + k) * LANES + lane]
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
        """When x crosses the threshold for the first time, at h at the latest: Newton's rule for 1 / x, which falls
        almost along a straight line, kept between bounds that close in."""
        bench = reals_at(address)
        kappa, theta = bench[KAPPA + lane], bench[THETA + lane]
        low, high = 0.0, h
        start = bench[CX * LANES + lane] + kappa * bench[CY * LANES + lane]
        if start >= theta:
            return 0.0
        steep = kappa == 0.0 and theta > 0.02
        end = horner(bench, CX, lane, h) + kappa * horner(bench, CY, lane, h)
        at = h * (theta - start) / (end - start)
        if steep and start > 0.02:
            at = h * (1.0 / start - 1.0 / theta) / (1.0 / start - 1.0 / end)
        for _ in range(100):
            x, slope = horner(bench, CX, lane, at), slope_of(bench, CX, lane, at)
            if kappa != 0.0:
                x += kappa * horner(bench, CY, lane, at)
                slope += kappa * slope_of(bench, CY, lane, at)
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

    return called(safe_length), called(root)


@functools.cache
def spiking(variant: ExactVariant):
    """`spike(population, place, bench, lane, cell, neuron)`: the reset at the time T of the lane, and the spike in the
    block's list. Tells whether the neuron runs away."""
    B, model = Bench(variant.ports), variant.model
    T, X, Y, HELD = (row * LANES for row in (B.T, B.X, B.Y, B.HELD))
    n_cell, p_type = B.n_cell, model.named_tuple()
    MASK = (1 << len(p_type._fields)) - 1
    V_reset, u_reset, threshold = inlined(model.V_reset), inlined(model.u_reset), inlined(model.threshold)

    def spike(population, place, address, lane, cell, neuron):
        p, b = ints_at(population), ints_at(place)
        bench, more = reals_at(address), reals_at(cell + n_cell * 8)
        addresses = array_at(p[layout.PARAMETERS], MAX_PARAMETERS, np.int64)
        q = parameters_of(parameter_lanes(addresses, 0, np.float64, p_type, MASK), neuron, p_type, np.float64)
        now, scale, half, y0, gu = bench[T + lane], more[layout.P], more[layout.HALF], more[layout.Y0], more[layout.GU]
        u = (bench[Y + lane] - y0) / (scale * gu)
        V = V_reset(u, q)
        if p[layout.SOFT]:  # 1: V - V_th; 2: V_reset + V - V_th
            over = (bench[X + lane] - half) / scale - threshold(u, q)
            V = over if p[layout.SOFT] == 1 else V + over
        bench[X + lane] = scale * V + half
        bench[Y + lane] = y0 + scale * gu * u_reset(u, q)
        bench[HELD + lane] = now + more[layout.TAU_REF] if more[layout.TAU_REF] > 0.0 else -np.inf
        n = b[layout.N_SPIKES]
        reals_at(b[layout.SPIKE_T])[n] = now
        ints_at(b[layout.SPIKE_I])[n] = neuron
        b[layout.N_SPIKES] = n + 1
        reals_at(p[layout.LAST])[neuron] = now
        rules = ints_at(p[layout.PLASTIC])
        for k in range(p[layout.N_PLASTIC]):
            if rules[3 * k + 1]:
                call_at(rules[3 * k + 1], rules[3 * k + 2], neuron, np.float64(now).view(np.int64))
        more[layout.COUNT] += 1.0
        if more[layout.COUNT] < layout.RUNAWAY:
            return False
        soon = now - more[layout.SINCE] < 1.0
        more[layout.SINCE], more[layout.COUNT] = now, 0.0
        return soon

    return called(spike)


@functools.cache
def arriving(ports: tuple[PortKind, ...]):
    """`arrive(population, bench, lane, cell, events, cursor, end)`: all events of a neuron that are due at the time T
    of its lane. Returns the cursor behind them."""
    B = Bench(ports)
    T, X, HELD, n_cell = B.T * LANES, B.X, B.HELD * LANES, B.n_cell

    def arrive(population, address, lane, cell, first, cursor, end):
        p, bench = ints_at(population), reals_at(address)
        events, scales = array_at(first, end, EVENT), reals_at(cell + n_cell * 8)
        now = bench[T + lane]
        while cursor < end and events[cursor].t <= now:
            event = events[cursor]
            place = p[layout.INLETS] + event.inlet * layout.INLET_SIZE * 8
            inlet = ints_at(place)
            if event.rule >= 0:
                rules = ints_at(p[layout.PLASTIC])
                call_at(rules[3 * event.rule], rules[3 * event.rule + 2], first + cursor * layout.EVENT_SIZE, 0)
            row = inlet[layout.INLET_ROW]
            if row != X or bench[HELD + lane] <= now:  # V jumps are lost on a neuron that is held
                bench[row * LANES + lane] += (
                    scales[inlet[layout.INLET_SCALE]] * real(place, layout.INLET_FACTOR) * event.w
                )
            cursor += 1
        return cursor

    return called(arrive)


@functools.cache
def silent(ports: tuple[PortKind, ...]):
    """`silent_until(bench, lane, cell)`: a time before which the neuron cannot spike unless an event comes. It may be
    too early, which changes when a step is done and no bit of it."""
    B = Bench(ports)
    X, Y, I, A, SLOPE, C, T, HELD = (row * LANES for row in (B.X, B.Y, B.I, B.A, B.B, B.C, B.T, B.HELD))  # noqa: E741
    THETA, KAPPA, N_Z, Z, n_cell = B.THETA * LANES, B.KAPPA * LANES, B.n_z, B.Z, B.n_cell

    def quiet(bench, lane, x, y, w):
        """x' is at most x^2 + w as long as w does not rise, so x takes at least (b - a) / (b^2 + w) from a to b."""
        theta, size = bench[THETA + lane], max(abs(x), 1.0 + abs(w))
        rise = abs(bench[A + lane]) * max(abs(theta), size) + abs(bench[SLOPE + lane] * y) + abs(bench[C + lane])
        if bench[KAPPA + lane] != 0.0 or abs(bench[SLOPE + lane]) > _FASTEST:
            return 0.0
        w = max(w + 1.5 * rise * LONGEST_QUIET, 0.0)
        time, low = 0.0, max(x, -1.0)
        for b in _RUNGS:
            high = min(b, theta)
            if high > low:
                time += (high - low) / (max(high * high, low * low) + w)
                low = high
        return min(time, LONGEST_QUIET)

    time_of = inlined(quiet)

    def silent_until(address, lane, cell):
        bench, more = reals_at(address), reals_at(cell + n_cell * 8)
        x, y, pull = bench[X + lane], bench[Y + lane], 0.0
        for k in range(N_Z):
            pull += more[layout.N_MORE + k] * abs(bench[(Z + k) * LANES + lane])
        if bench[HELD + lane] > bench[T + lane]:
            return bench[T + lane]
        trapped = more[layout.X_LOW] <= x <= more[layout.X_HIGH] and more[layout.Y_LOW] <= y <= more[layout.Y_HIGH]
        if trapped and pull <= more[layout.STILL]:
            return bench[T + lane] + LONGEST_REST
        return bench[T + lane] + time_of(bench, lane, x, y, y + bench[I + lane] + pull)

    return called(silent_until)


@functools.cache
def overcoming(variant: ExactVariant):
    """`overcome(population, place, bench, lane, cell, neuron, end)`: take a neuron that the step has not moved on over
    its spike, or to the end of the step. Tells when that will be, if it is after the end of the slice, else GO_ON; NaN
    for what went wrong."""
    B = Bench(variant.ports)
    (safe_length, root), spike = crossing(variant.ports), spiking(variant)
    N_STATE, X, Y, NEW = B.n_state, B.X, B.Y, B.NEW
    T, HELD, LIMIT, H, FULL, SAFE = (row * LANES for row in (B.T, B.HELD, B.LIMIT, B.H, B.FULL, B.SAFE))
    NEW_T, NEW_X, NEW_Y, KAPPA, THETA = (row * LANES for row in (NEW, NEW + X, NEW + Y, B.KAPPA, B.THETA))
    ROWS = (B.CX, B.CY, 0, *(B.CZ + j * (ORDER + 1) for j in range(B.n_z)))  # coefficients of X, Y, HELD, Z

    def move_to(bench, lane, h):
        """The state at h within the step, among the NEW."""
        bench[NEW_T + lane] = bench[T + lane] + h
        for k in range(1, N_STATE):
            if ROWS[k - 1]:
                bench[(NEW + k) * LANES + lane] = horner(bench, ROWS[k - 1], lane, h)

    def commit(bench, lane, held):
        for k in range(N_STATE):
            if not (held and k in (X, Y)):
                bench[k * LANES + lane] = bench[(NEW + k) * LANES + lane]

    move, take = inlined(move_to), inlined(commit)

    def overcome(population, place, address, lane, cell, neuron, end):
        bench = reals_at(address)
        now, h, held = bench[T + lane], bench[H + lane], bench[HELD + lane] > bench[T + lane]
        full = bench[FULL + lane]  # no bit may depend on where an event has cut the step: that it comes is known or not
        if not held and bench[SAFE + lane] == 0.0:
            full = safe_length(address, lane, full)
            if full < h:
                move(bench, lane, full)
        if not held and bench[NEW_X + lane] + bench[KAPPA + lane] * bench[NEW_Y + lane] >= bench[THETA + lane]:
            h = root(address, lane, full)
            when = min(now + h, bench[NEW_T + lane])
            if when > end:
                return when
            move(bench, lane, h)
            bench[NEW_T + lane] = when
            take(bench, lane, False)
            return np.nan if spike(population, place, address, lane, cell, neuron) else GO_ON
        later, x, y = bench[NEW_T + lane], bench[NEW_X + lane], bench[NEW_Y + lane]
        if later > end:
            return later
        if x - x != 0.0 or y - y != 0.0 or (later <= now and later < bench[LIMIT + lane]):
            return np.nan
        take(bench, lane, held)
        return GO_ON

    return called(overcome)
