"""The Taylor step of `taylor` in plain loops, one neuron after the other: for processors whose vectors LLVM cannot
compile, and to test the vector code against. Both agree to rounding, for sums are taken in another order."""

from __future__ import annotations

import functools
import math

import numpy as np
from numba.core.errors import LoweringError

from izhnumba._exact.kernels.simd_rows import LANES, LAST_TERMS, LONGEST, ORDER, SMALLEST, ReceptorKind, SimdRows
from izhnumba._exact.kernels.taylor import step_of
from izhnumba._numba.compile import address_of, called, inlined
from izhnumba._numba.intrinsics import WIDEST, add_attribute, reals_at


@functools.cache
def scalar_step_of(receptors: tuple[ReceptorKind, ...]):
    """`step(simd, numbers, end)` -> masks, as `taylor.step_of` makes it."""
    R, n_receptors = SimdRows(receptors), len(receptors)
    N_Z, N_STATE, UNTIL_ROW, NEW = R.n_z, R.n_state, R.REFRACTORY_UNTIL, R.NEW
    T, X, Y, UNTIL, LIMIT, I = (row * LANES for row in (R.T, R.X, R.Y, R.REFRACTORY_UNTIL, R.LIMIT, R.I))  # noqa: E741
    A, SLOPE, C, KAPPA, THETA, LEMMA = (row * LANES for row in (R.A, R.B, R.C, R.KAPPA, R.THETA, R.LEMMA))
    NEW_T, NEW_X, NEW_Y = (row * LANES for row in (NEW, NEW + R.X, NEW + R.Y))
    H, FULL, SAFE = (row * LANES for row in (R.H, R.FULL, R.SAFE))
    CX, CY, CZ, XE = R.CX, R.CY, R.CZ, R.XE
    STATES = (*(receptor.states for receptor in receptors), 0)  # Numba takes no empty tuples
    FIRST = (*R.first_states(), 0)
    CONDUCTANCE = (*(receptor.conductance for receptor in receptors), False)
    REVERSAL = (*(sum(receptor.conductance for receptor in receptors[:k]) for k in range(n_receptors)), 0)
    ROWS = (0, CX, CY, 0, *(CZ + j * (ORDER + 1) for j in range(N_Z)))  # coefficients of each state

    def coefficient(simd, row, k, lane):
        return simd[(row + k) * LANES + lane]

    c = inlined(coefficient)

    def input_of(simd, k, lane, at):
        """The coefficient k of all input at a constant x = `at`: at 0 without the products of conductances and x."""
        total = simd[I + lane] if k == 0 else 0.0
        for n in range(n_receptors):
            state = c(simd, CZ + FIRST[n] * (ORDER + 1), k, lane)
            total += state * (simd[(XE + REVERSAL[n]) * LANES + lane] - at) if CONDUCTANCE[n] else state
        return total

    all_input = inlined(input_of)

    def expand(simd, linear, lane):
        """Write the coefficients of x, y and the states of the receptors to CX, CY and CZ."""
        for k in range(N_STATE):
            if ROWS[k]:
                simd[ROWS[k] * LANES + lane] = simd[k * LANES + lane]
        for k in range(ORDER):
            f = c(simd, CY, k, lane) + all_input(simd, k, lane, 0.0)
            for i in range(k + 1):
                f += c(simd, CX, i, lane) * c(simd, CX, k - i, lane)
                for n in range(n_receptors):
                    if CONDUCTANCE[n]:
                        f -= c(simd, CZ + FIRST[n] * (ORDER + 1), i, lane) * c(simd, CX, k - i, lane)
            g = simd[A + lane] * c(simd, CX, k, lane) + simd[SLOPE + lane] * c(simd, CY, k, lane)
            g += simd[C + lane] if k == 0 else 0.0
            simd[(CX + k + 1) * LANES + lane], simd[(CY + k + 1) * LANES + lane] = f / (k + 1), g / (k + 1)
            for n in range(n_receptors):
                first = CZ + FIRST[n] * (ORDER + 1)
                y, x = c(simd, first, k, lane), c(simd, first + (ORDER + 1) * (STATES[n] - 1), k, lane)
                new = linear[4 * n] * y + (linear[4 * n + 1] * x if STATES[n] == 2 else 0.0)
                simd[(first + k + 1) * LANES + lane] = new / (k + 1)
                if STATES[n] == 2:
                    new = linear[4 * n + 2] * y + linear[4 * n + 3] * x
                    simd[(first + ORDER + 1 + k + 1) * LANES + lane] = new / (k + 1)

    def step_size(simd, lane):
        """The length of a step (ms) at which its last two terms are within LAST_TERMS."""
        longest = LONGEST
        for k in (ORDER, ORDER - 1):
            size = max(abs(c(simd, CX, k, lane)), SMALLEST)
            for j in range(N_Z):
                size = max(size, abs(c(simd, CZ + j * (ORDER + 1), k, lane)))
            longest = min(longest, math.exp((math.log(LAST_TERMS) - math.log(size)) / k))
        return longest

    def pull_is_safe(simd, lane, h):
        """Whether x' > 0 whenever x is at the threshold, all through the step."""
        off, power = 0.0, 1.0
        for k in range(1, ORDER + 1):
            power *= h
            off += abs(c(simd, CY, k, lane) + all_input(simd, k, lane, simd[THETA + lane])) * power
        at_start = c(simd, CY, 0, lane) + all_input(simd, 0, lane, simd[THETA + lane])
        return at_start - off + simd[LEMMA + lane] > 0.0

    def value(simd, row, lane, h):
        total = c(simd, row, ORDER, lane)
        for k in range(ORDER - 1, -1, -1):
            total = total * h + c(simd, row, k, lane)
        return total

    expand_lane, size_of = inlined(expand), inlined(step_size)
    is_safe, value_at = inlined(pull_is_safe), inlined(value)

    def step(address, numbers, end):
        simd, linear = reals_at(address), reals_at(numbers)
        attention, left, beyond = 0, 0, 0
        for lane in range(LANES):
            expand_lane(simd, linear, lane)
            t, room = simd[T + lane], simd[LIMIT + lane] - simd[T + lane]
            full = size_of(simd, lane)
            h = min(full, room)
            reached = h >= room
            for k in range(N_STATE):
                old = simd[k * LANES + lane]
                simd[(NEW + k) * LANES + lane] = value_at(simd, ROWS[k], lane, h) if ROWS[k] else old
            simd[NEW_T + lane] = simd[LIMIT + lane] if reached else t + h
            safe = is_safe(simd, lane, full)
            simd[H + lane], simd[FULL + lane], simd[SAFE + lane] = h, full, 1.0 if safe else 0.0
            crossed = simd[NEW_X + lane] + simd[KAPPA + lane] * simd[NEW_Y + lane] >= simd[THETA + lane]
            later = simd[NEW_T + lane]
            other = crossed or later <= t or simd[UNTIL + lane] > t or not safe
            trouble = other or later > end
            for k in range(N_STATE):
                if not trouble and k != UNTIL_ROW:
                    simd[k * LANES + lane] = simd[(NEW + k) * LANES + lane]
            attention |= (trouble or reached) << lane
            left |= trouble << lane
            beyond |= (trouble and not other) << lane
        return np.int64(attention | left << LANES | beyond << 2 * LANES)

    return called(step)


@functools.cache
def step_address(receptors: tuple[ReceptorKind, ...]) -> int:
    """Address of `step(simd, numbers, address of the end)` -> masks: in vector code, or in plain loops where that does
    not compile."""
    try:
        return _address(step_of(receptors))
    except LoweringError:
        return _address(scalar_step_of(receptors))


def _address(step) -> int:
    def step_until(simd, numbers, place):
        add_attribute(WIDEST)  # what is inlined here leaves its own attributes behind
        return step(simd, numbers, reals_at(place)[0])

    return address_of(step_until)
