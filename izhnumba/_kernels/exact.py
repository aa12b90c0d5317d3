"""The exact engine's loop: the neurons of a block from event to event, to the end of a slice.

A step is never cut at the end of a slice. What a neuron is stored as is its state at its last event or after its last
whole step; a step that would end later is left to later, when it is done again or cut by an event that has come. So
what is computed depends on events alone, and no slice, block, thread or split of a run can change a bit.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core.errors import NumbaError

from izhnumba._compile import CONTRACT, address_of, called, compiled, inlined
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.codes import FAILURE, OK, ROOM
from izhnumba._kernels.exact_table import LANES
from izhnumba._kernels.lanes import array_at, parameter_lanes, parameters_of, trailing_zeros
from izhnumba._kernels.network import call_at
from izhnumba._kernels.neuron import compile_equations
from izhnumba._kernels.queue import EVENT, block_of, real, set_real
from izhnumba._kernels.table import MAX_PARAMETERS
from izhnumba._kernels.taylor import ORDER, Bench, PortKind, step_of
from izhnumba._models import Model

IDLE = -1
LONGEST_QUIET = 2.0  # ms, for which it is worth knowing that a neuron cannot spike
RUNGS = (-0.5, -0.2, 0.0, 0.2, 0.5, 1.0, 2.0, 1e300)  # of x, between which a bound of x' is taken
_SHORTEST = 1e-9  # ms: a crossing and its undoing within less are one touch


class ExactVariant(NamedTuple):
    """What the compiler must know."""

    model: Model
    ports: tuple[PortKind, ...]


@inlined
def horner(bench, row, lane, h):
    """A polynomial of the bench at h."""
    value = bench[(row + ORDER) * LANES + lane]
    for k in range(ORDER - 1, -1, -1):
        value = value * h + bench[(row + k) * LANES + lane]
    return value


@functools.cache
def crossing(ports: tuple[PortKind, ...]) -> tuple[Any, Any]:
    """(safe_length, root) of the polynomial x + kappa y in a lane of the bench."""
    B = Bench(ports)
    CX, CY, KAPPA, THETA = B.CX, B.CY, B.KAPPA, B.THETA

    def safe_length(bench, lane, h):
        """The longest of h, h / 2, h / 4, ... in which x cannot cross the threshold and come back: it stays below, or
        only rises or only falls."""
        kappa, theta = bench[KAPPA * LANES + lane], bench[THETA * LANES + lane]
        c0 = bench[CX * LANES + lane] + kappa * bench[CY * LANES + lane]
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

    def root(bench, lane, h):
        """When x crosses the threshold for the first time, at h at the latest: Newton's rule for 1 / x, which falls
        almost along a straight line, kept between bounds that close in."""
        kappa, theta = bench[KAPPA * LANES + lane], bench[THETA * LANES + lane]
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
            x, slope = 0.0, 0.0
            for k in range(ORDER, -1, -1):
                slope = slope * at + x
                x = x * at + bench[(CX + k) * LANES + lane] + kappa * bench[(CY + k) * LANES + lane]
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
            near = abs(ahead - at) <= 1e-9 * h
            at = ahead
            if near:
                break
        return at

    return called(safe_length), called(root)


def _spike(variant: ExactVariant) -> Any:
    """The reset of a neuron that spikes at the time T of its lane."""
    B, model = Bench(variant.ports), variant.model
    T, X, Y, HELD = (row * LANES for row in (B.T, B.X, B.Y, B.HELD))
    n_cell, p_type = B.n_cell, model.named_tuple()
    MASK = (1 << len(p_type._fields)) - 1
    V_reset, u_reset, threshold = inlined(model.V_reset), inlined(model.u_reset), inlined(model.threshold)

    def spike(p, b, bench, lane, cell, neuron):
        """The reset, and the spike in the block's list. Tells whether the neuron runs away."""
        addresses = array_at(p[t.PARAMETERS], MAX_PARAMETERS, np.int64)
        q = parameters_of(parameter_lanes(addresses, 0, np.float64, p_type, MASK), neuron, p_type, np.float64)
        now, more = bench[T + lane], n_cell
        scale, half, y0, gu = cell[more + t.P], cell[more + t.HALF], cell[more + t.Y0], cell[more + t.GU]
        u = (bench[Y + lane] - y0) / (scale * gu)
        V = V_reset(u, q)
        if p[t.SOFT]:  # 1: V - V_th; 2: V_reset + V - V_th
            over = (bench[X + lane] - half) / scale - threshold(u, q)
            V = over if p[t.SOFT] == 1 else V + over
        bench[X + lane] = scale * V + half
        bench[Y + lane] = y0 + scale * gu * u_reset(u, q)
        bench[HELD + lane] = now + cell[more + t.TAU_REF] if cell[more + t.TAU_REF] > 0.0 else -np.inf
        n = b[t.N_SPIKES]
        array_at(b[t.SPIKE_T], n + 1, np.float64)[n] = now
        array_at(b[t.SPIKE_I], n + 1, np.int64)[n] = neuron
        b[t.N_SPIKES] = n + 1
        array_at(p[t.LAST], neuron + 1, np.float64)[neuron] = now
        rules = array_at(p[t.PLASTIC], 3 * p[t.N_PLASTIC], np.int64)
        for k in range(p[t.N_PLASTIC]):
            if rules[3 * k + 1]:
                call_at(rules[3 * k + 1], rules[3 * k + 2], neuron, np.float64(now).view(np.int64))
        cell[more + t.COUNT] += 1.0
        if cell[more + t.COUNT] < t.RUNAWAY:
            return False
        soon = now - cell[more + t.SINCE] < 1.0
        cell[more + t.SINCE], cell[more + t.COUNT] = now, 0.0
        return soon

    return called(spike)


def _arrive(variant: ExactVariant) -> Any:
    """All events of a neuron that are due at the time T of its lane."""
    B = Bench(variant.ports)
    T, X, HELD = B.T * LANES, B.X, B.HELD * LANES
    n_cell = B.n_cell

    def arrive(p, bench, lane, cell, events, cursor, end):
        """The cursor behind them."""
        inlets, now = p[t.INLETS], bench[T + lane]
        while cursor < end and events[cursor].t <= now:
            event = events[cursor]
            inlet = array_at(inlets + event.inlet * t.INLET_SIZE * 8, t.INLET_SIZE, np.int64)
            if event.rule >= 0:
                rules = array_at(p[t.PLASTIC], 3 * p[t.N_PLASTIC], np.int64)
                place = events.ctypes.data + cursor * t.EVENT_SIZE
                call_at(rules[3 * event.rule], rules[3 * event.rule + 2], place, 0)
            row = inlet[t.INLET_ROW]
            if row != X or bench[HELD + lane] <= now:  # V jumps are lost on a neuron that is held
                factor = real(inlets + event.inlet * t.INLET_SIZE * 8, t.INLET_FACTOR)
                bench[row * LANES + lane] += cell[n_cell + inlet[t.INLET_SCALE]] * factor * events[cursor].w
            cursor += 1
        return cursor

    return called(arrive)


@functools.cache
def advance(variant: ExactVariant) -> int:
    """Address of `advance(network, population, block)`: all neurons of a block to the end of the slice."""
    B, step = Bench(variant.ports), step_of(variant.ports)
    safe_length, root = crossing(variant.ports)
    spike, arrive = _spike(variant), _arrive(variant)
    N_STATE, N_CELL, SIZE = B.n_state, B.n_cell, B.size
    X, Y, NEW = B.X, B.Y, B.NEW
    T, HELD, LIMIT, H, SAFE = (row * LANES for row in (B.T, B.HELD, B.LIMIT, B.H, B.SAFE))
    NEW_T, NEW_X, KAPPA, THETA = NEW * LANES, (NEW + B.X) * LANES, B.KAPPA * LANES, B.THETA * LANES
    NEW_Y, I, A, B_, C = (NEW + B.Y) * LANES, B.I * LANES, B.A * LANES, B.B * LANES, B.C * LANES
    STATE_ROWS = (B.CX, B.CY, 0, *(B.CZ + j * (ORDER + 1) for j in range(B.n_z)))  # coefficients of X, Y, HELD, Z

    def move_to(bench, lane, h):
        """The state at h within the step, among the NEW."""
        bench[NEW_T + lane] = bench[T + lane] + h
        for k in range(1, N_STATE):
            if STATE_ROWS[k - 1]:
                bench[(NEW + k) * LANES + lane] = horner(bench, STATE_ROWS[k - 1], lane, h)

    def commit(bench, lane, held):
        for k in range(N_STATE):
            if not (held and (k == X or k == Y)):
                bench[k * LANES + lane] = bench[(NEW + k) * LANES + lane]

    def limit_of(bench, lane, events, cursor, end_of_events, last):
        """What the neuron must not step over: its next event, `last`, the end of its refractory period."""
        limit = events[cursor].t if cursor < end_of_events else last
        held = bench[HELD + lane]
        return min(limit, held) if held > bench[T + lane] else limit

    def resting(bench, lane, cell):
        """Whether nothing but an event can make it spike: x and y are in the trapping rectangle and stay there."""
        x, y, pull = bench[X * LANES + lane], bench[Y * LANES + lane], 0.0
        for k in range(4, N_STATE):
            pull += cell[N_CELL + t.N_MORE + k - 4] * abs(bench[k * LANES + lane])
        return (
            cell[N_CELL + t.X_LOW] <= x <= cell[N_CELL + t.X_HIGH]
            and cell[N_CELL + t.Y_LOW] <= y <= cell[N_CELL + t.Y_HIGH]
            and pull <= cell[N_CELL + t.STILL]
            and bench[HELD + lane] <= bench[T + lane]
        )

    def before_spike(bench, lane, cell):
        """A time within which the neuron cannot spike without an event: x' is at most x^2 + w as long as w does not
        rise, so x takes at least (b - a) / (b^2 + w) from a to b. Looking later changes no bit, only when it is done."""
        x, y, w = bench[X * LANES + lane], bench[Y * LANES + lane], bench[I + lane]
        for k in range(4, N_STATE):
            w += cell[N_CELL + t.N_MORE + k - 4] * abs(bench[k * LANES + lane])
        theta = bench[THETA + lane]
        rise = abs(bench[A + lane]) * max(abs(theta), abs(x)) + abs(bench[B_ + lane] * y) + abs(bench[C + lane])
        w = max(w + y + 1.5 * rise * LONGEST_QUIET, 0.0)
        if bench[KAPPA + lane] != 0.0 or bench[HELD + lane] > bench[T + lane] or abs(bench[B_ + lane]) > 0.1:
            return 0.0
        time, low = 0.0, max(x, -1.0)
        for b in RUNGS:
            high = min(b, theta)
            if high > low:
                time += (high - low) / (max(high * high, low * low) + w)
                low = high
        return min(time, LONGEST_QUIET)

    move, take, limit, rests = called(move_to), called(commit), inlined(limit_of), called(resting)
    quiet = called(before_spike)

    def overcome(p, b, bench, lane, cell, neuron, end, last):
        """Take a neuron that the step has not moved on over its spike, or to the end of the step. Tells when it must be
        looked at next if that is after the end of the slice, else -1; NaN for what went wrong."""
        now, h, held = bench[T + lane], bench[H + lane], bench[HELD + lane] > bench[T + lane]
        if not held and bench[SAFE + lane] == 0.0:
            safe = safe_length(bench, lane, h)
            if safe < h:
                h = safe
                move(bench, lane, h)
        crossed = not held and bench[NEW_X + lane] + bench[KAPPA + lane] * bench[NEW_Y + lane] >= bench[THETA + lane]
        if crossed:
            h = root(bench, lane, h)
            when = min(now + h, bench[NEW_T + lane])
            if when > end:
                return when
            move(bench, lane, h)
            bench[NEW_T + lane] = when
            take(bench, lane, False)
            return np.nan if spike(p, b, bench, lane, cell, neuron) else -1.0
        later = bench[NEW_T + lane]
        if later > end:
            return np.inf if last == np.inf and rests(bench, lane, cell) else later
        wrong = bench[NEW_X + lane] - bench[NEW_X + lane] != 0.0 or bench[NEW_Y + lane] - bench[NEW_Y + lane] != 0.0
        if wrong or (later <= now and later < bench[LIMIT + lane]):
            return np.nan
        take(bench, lane, held)
        return -1.0

    overcome_it = called(overcome)

    def attend(network, p, b, bench, lane, cell, j, last, left):
        """Take the lane's neuron over its spike, event or the end of a step; left: it has not been moved on. Tells what
        `overcome` does."""
        end, neuron = real(network, t.END), b[t.FIRST] + j
        if left:
            following = overcome_it(p, b, bench, lane, cell, neuron, end, last)
            if not following == -1.0:
                return following
        cursors, ends = array_at(b[t.CURSORS], b[t.N_CELLS], np.int64), array_at(b[t.ENDS], b[t.N_CELLS], np.int64)
        events = array_at(b[t.SORTED], b[t.SORTED_ROOM], EVENT)
        while True:
            cursor = cursors[j]
            cursors[j] = arrive(p, bench, lane, cell, events, cursor, ends[j])
            free = bench[HELD + lane] <= bench[T + lane]
            above = bench[X * LANES + lane] + bench[KAPPA + lane] * bench[Y * LANES + lane] >= bench[THETA + lane]
            if cursors[j] == cursor or not (free and above):
                break
            if spike(p, b, bench, lane, cell, neuron):
                return np.nan
        bench[LIMIT + lane] = limit(bench, lane, events, cursors[j], ends[j], last)
        if cursors[j] == ends[j]:
            if bench[T + lane] >= last:
                return last
            if last == np.inf:
                if rests(bench, lane, cell):
                    return np.inf
                later = bench[T + lane] + quiet(bench, lane, cell)
                if later > end:
                    return later
        return -1.0

    look_after = called(attend)

    def load(bench, lane, cell):
        for k in range(N_CELL):
            bench[k * LANES + lane] = cell[k]

    def store(bench, lane, cell):
        for k in range(N_STATE):
            cell[k] = bench[k * LANES + lane]
        bench[LIMIT + lane] = bench[T + lane]  # an idle lane does not move

    load_lane, store_lane = inlined(load), inlined(store)

    def advance(network, population, number):
        p, place = array_at(population, t.TABLE_SIZE, np.int64), block_of(population, number)
        b, end = array_at(place, t.BLOCK_SIZE, np.int64), real(network, t.END)
        last = end if p[t.CUT] else np.inf
        first, count, more = b[t.FIRST], b[t.N_CELLS], p[t.CELL_SIZE]
        cursors, ends = array_at(b[t.CURSORS], count, np.int64), array_at(b[t.ENDS], count, np.int64)
        events = array_at(b[t.SORTED], b[t.SORTED_ROOM], EVENT)
        next_look = array_at(p[t.NEXT] + first * 8, count, np.float64)
        owners = array_at(b[t.OWNERS], LANES, np.int64)
        bench = array_at(b[t.BENCH], SIZE * LANES, np.float64)
        for lane in range(LANES):
            owners[lane] = IDLE
            bench[LIMIT + lane] = bench[T + lane] = 0.0
        idle, j = 2**LANES - 1, 0
        while True:
            while idle and j < count:
                if cursors[j] < ends[j] or next_look[j] <= end or p[t.CUT]:
                    lane = np.int64(trailing_zeros(np.uint64(idle)))
                    idle &= idle - 1
                    owners[lane] = j
                    cell = array_at(p[t.CELLS] + (first + j) * more * 8, more, np.float64)
                    load_lane(bench, lane, cell)
                    bench[LIMIT + lane] = limit(bench, lane, events, cursors[j], ends[j], last)
                j += 1
            if idle == 2**LANES - 1:
                return OK
            if b[t.SPIKE_ROOM] - b[t.N_SPIKES] < t.MOST_SPIKES:
                for lane in range(LANES):
                    if owners[lane] != IDLE:
                        store_lane(
                            bench, lane, array_at(p[t.CELLS] + (first + owners[lane]) * more * 8, more, np.float64)
                        )
                return ROOM
            masks = step(b[t.BENCH], p[t.NUMBERS], end)
            b[t.N_STEPS] += 1
            mask = masks & (2**LANES - 1)
            while mask:
                lane = np.int64(trailing_zeros(np.uint64(mask)))
                mask &= mask - 1
                if owners[lane] == IDLE:
                    continue
                cell = array_at(p[t.CELLS] + (first + owners[lane]) * more * 8, more, np.float64)
                following = look_after(
                    network, p, b, bench, lane, cell, owners[lane], last, masks >> (LANES + lane) & 1
                )
                if following != following:
                    b[t.FAILED], b[t.FAILED_NEURON] = 1, first + owners[lane]
                    set_real(place, t.FAILED_TIME, bench[T + lane])
                    return FAILURE
                if following >= 0.0:
                    store_lane(bench, lane, cell)
                    next_look[owners[lane]] = following
                    owners[lane] = IDLE
                    idle |= 1 << lane

    try:
        return address_of(compiled(advance, fastmath=CONTRACT), (types.int64,) * 3)
    except NumbaError:
        compile_equations(variant.model, types.float64)
        raise
