"""The same Taylor step written as plain loops, one neuron after the other: where vectors cannot be compiled, and to
test those against. It agrees with them to rounding, for sums are taken in another order."""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import types
from numba.core.errors import LoweringError

from izhnumba._exact.kernels.bench import LANES, LONGEST, ORDER, SMALLEST, TOLERANCE, Bench, PortKind
from izhnumba._exact.kernels.taylor import step_of
from izhnumba._numba.compile import address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import WIDEST, add_attribute, reals_at


@functools.cache
def scalar_step_of(ports: tuple[PortKind, ...]):
    """`step(bench, numbers, end)` -> masks, as `taylor.step_of` makes it."""
    B, n_ports = Bench(ports), len(ports)
    N_Z, N_STATE, HELD_ROW, NEW = B.n_z, B.n_state, B.HELD, B.NEW
    T, X, Y, HELD, LIMIT, I = (row * LANES for row in (B.T, B.X, B.Y, B.HELD, B.LIMIT, B.I))  # noqa: E741
    A, SLOPE, C, KAPPA, THETA, LEMMA = (row * LANES for row in (B.A, B.B, B.C, B.KAPPA, B.THETA, B.LEMMA))
    NEW_T, NEW_X, NEW_Y = (row * LANES for row in (NEW, NEW + B.X, NEW + B.Y))
    H, FULL, SAFE = B.H * LANES, B.FULL * LANES, B.SAFE * LANES
    CX, CY, CZ, XE = B.CX, B.CY, B.CZ, B.XE
    STATES, FIRST = (*(port.states for port in ports), 0), (*B.first_states(), 0)  # Numba takes no empty tuples
    CONDUCTANCE = (*(port.conductance for port in ports), False)
    REVERSAL = (*(sum(port.conductance for port in ports[:k]) for k in range(n_ports)), 0)
    ROWS = (0, CX, CY, 0, *(CZ + j * (ORDER + 1) for j in range(N_Z)))  # coefficients of each state

    def coefficient(bench, row, k, lane):
        return bench[(row + k) * LANES + lane]

    c = inlined(coefficient)

    def input_of(bench, k, lane, at):
        """The coefficient k of all input at the constant x = `at`, but for products of conductances and x."""
        total = bench[I + lane] if k == 0 else 0.0
        for n in range(n_ports):
            state = c(bench, CZ + FIRST[n] * (ORDER + 1), k, lane)
            total += state * (bench[(XE + REVERSAL[n]) * LANES + lane] - at) if CONDUCTANCE[n] else state
        return total

    all_input = inlined(input_of)

    def expand(bench, linear, lane):
        for k in range(N_STATE):
            if ROWS[k]:
                bench[ROWS[k] * LANES + lane] = bench[k * LANES + lane]
        for k in range(ORDER):
            f = c(bench, CY, k, lane) + all_input(bench, k, lane, 0.0)
            for i in range(k + 1):
                f += c(bench, CX, i, lane) * c(bench, CX, k - i, lane)
                for n in range(n_ports):
                    if CONDUCTANCE[n]:
                        f -= c(bench, CZ + FIRST[n] * (ORDER + 1), i, lane) * c(bench, CX, k - i, lane)
            g = bench[A + lane] * c(bench, CX, k, lane) + bench[SLOPE + lane] * c(bench, CY, k, lane)
            g += bench[C + lane] if k == 0 else 0.0
            bench[(CX + k + 1) * LANES + lane], bench[(CY + k + 1) * LANES + lane] = f / (k + 1), g / (k + 1)
            for n in range(n_ports):
                first = CZ + FIRST[n] * (ORDER + 1)
                y, x = c(bench, first, k, lane), c(bench, first + (ORDER + 1) * (STATES[n] - 1), k, lane)
                new = linear[4 * n] * y + (linear[4 * n + 1] * x if STATES[n] == 2 else 0.0)
                bench[(first + k + 1) * LANES + lane] = new / (k + 1)
                if STATES[n] == 2:
                    new = linear[4 * n + 2] * y + linear[4 * n + 3] * x
                    bench[(first + ORDER + 1 + k + 1) * LANES + lane] = new / (k + 1)

    def step_size(bench, lane):
        longest = LONGEST
        for k in (ORDER, ORDER - 1):
            size = max(abs(c(bench, CX, k, lane)), SMALLEST)
            for j in range(N_Z):
                size = max(size, abs(c(bench, CZ + j * (ORDER + 1), k, lane)))
            longest = min(longest, math.exp((math.log(TOLERANCE) - math.log(size)) / k))
        return longest

    def pull_is_safe(bench, lane, h):
        """Whether x' > 0 wherever x is at the threshold, all through the step."""
        off, power = 0.0, 1.0
        for k in range(1, ORDER + 1):
            power *= h
            off += abs(c(bench, CY, k, lane) + all_input(bench, k, lane, bench[THETA + lane])) * power
        at_start = c(bench, CY, 0, lane) + all_input(bench, 0, lane, bench[THETA + lane])
        return at_start - off + bench[LEMMA + lane] > 0.0

    def value(bench, row, lane, h):
        total = c(bench, row, ORDER, lane)
        for k in range(ORDER - 1, -1, -1):
            total = total * h + c(bench, row, k, lane)
        return total

    expand_lane, size_of = inlined(expand), inlined(step_size)
    is_safe, value_at = inlined(pull_is_safe), inlined(value)

    def step(address, numbers, end):
        bench, linear = reals_at(address), reals_at(numbers)
        attention, left = 0, 0
        for lane in range(LANES):
            expand_lane(bench, linear, lane)
            t, room = bench[T + lane], bench[LIMIT + lane] - bench[T + lane]
            full = size_of(bench, lane)
            h = min(full, room)
            reached = h >= room
            for k in range(N_STATE):
                old = bench[k * LANES + lane]
                bench[(NEW + k) * LANES + lane] = value_at(bench, ROWS[k], lane, h) if ROWS[k] else old
            bench[NEW_T + lane] = bench[LIMIT + lane] if reached else t + h
            safe = is_safe(bench, lane, full)
            bench[H + lane], bench[FULL + lane], bench[SAFE + lane] = h, full, 1.0 if safe else 0.0
            crossed = bench[NEW_X + lane] + bench[KAPPA + lane] * bench[NEW_Y + lane] >= bench[THETA + lane]
            later = bench[NEW_T + lane]
            trouble = crossed or later > end or later <= t or bench[HELD + lane] > t or not safe
            for k in range(N_STATE):
                if not trouble and k != HELD_ROW:
                    bench[k * LANES + lane] = bench[(NEW + k) * LANES + lane]
            attention |= (trouble or reached) << lane
            left |= trouble << lane
        return np.int64(attention | left << LANES)

    return called(step)


@functools.cache
def step_address(ports: tuple[PortKind, ...]) -> int:
    """Address of `step(bench, numbers, place of the end)` -> masks: with vectors, or without where they do not
    compile."""
    try:
        return _address(step_of(ports))
    except LoweringError:
        return _address(scalar_step_of(ports))


def _address(step) -> int:
    def step_until(bench, numbers, place):
        add_attribute(WIDEST)  # what is inlined here leaves its own attributes behind
        return step(bench, numbers, reals_at(place)[0])

    return address_of(compiled(step_until), (types.int64,) * 3)
