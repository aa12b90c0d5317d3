"""One block of neurons: takes each of its steps from its inputs to its records.

A block stays in the cache for all its steps, so the cost per neuron does not depend on the number of neurons. It calls
the step of its variant (`kernels.lanes`) by address, and is compiled once for each dtype.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._numba.compile import address_of, called, inlined
from izhnumba._numba.intrinsics import (
    NOINLINE,
    WIDEST,
    add_attribute,
    call_at,
    copy_bytes,
    ints_at,
    lowest_bits,
    mask64,
    row_at,
    trailing_zeros,
)


@functools.cache
def advance_block(dtype: str) -> int:
    """Address of `advance_block(table, thread, block)`: steps START to STOP of one block."""
    number = np.dtype(dtype).type
    item = number(0).itemsize
    input_row, check_finite = _input_row(number), finite_check(number)

    def advance_block(address, thread, block):
        add_attribute(WIDEST)
        table = ints_at(address)
        start, stop = table[layout.START], table[layout.STOP]
        first = block * layout.BLOCK
        count = layout.BLOCK if table[layout.PADDED] - first > layout.BLOCK else table[layout.PADDED] - first
        valid = count if table[layout.N] - first > count else table[layout.N] - first
        row = layout.BLOCK * item
        scratch = table[layout.SCRATCH] + thread * layout.SCRATCH_ROWS * row
        place = scratch + 6 * row
        work = ints_at(place)
        work[layout.FIRST_LANE], work[layout.COUNT], work[layout.VALID] = first, count, valid
        work[layout.W_V], work[layout.W_U] = table[layout.V] + first * item, table[layout.U] + first * item
        work[layout.W_UNTIL], work[layout.W_SPIKES] = (
            table[layout.REFRACTORY_UNTIL] + first * 4,
            table[layout.SPIKES] + first,
        )
        work[layout.W_B], work[layout.W_BE] = scratch + 4 * row, scratch + 5 * row
        V, u = row_at(work[layout.W_V], number), row_at(work[layout.W_U], number)
        constants = row_at(table[layout.CONSTANTS], number)
        report = ints_at(table[layout.REPORT] + block * layout.REPORT_SIZE * 8)
        low, highest = constants[layout.CAREFUL_V], constants[layout.HIGHEST]
        receptors = table[layout.RECEIVE] != 0 and table[layout.N_RECEPTORS] > 0
        if start == 0:
            careful = np.int64(unusual(V, count, low))
            if careful or unusual(u, valid, -highest):
                report[layout.WAS_CAREFUL] = unusual(V, valid, low)
                check_finite(V, u, valid, table[layout.STEP], highest, report)
        else:
            careful = report[layout.CAREFUL]
        for k in range(start, stop):
            fresh = receptors or k == start  # receptors have been added to the copy of the step before
            work[layout.NOW] = table[layout.STEP] + k - table[layout.BASE]
            if table[layout.NOISE]:
                work[layout.W_I] = scratch
                draw = ints_at(table[layout.NOISE])[layout.NOISE_CALL]
                work[layout.W_I] = call_at(draw, table[layout.NOISE], place, table[layout.STEP] + k)
            else:
                work[layout.W_I] = input_row(table, layout.INPUT_I, k, fresh, receptors, first, count, valid, scratch)
            if table[layout.DELTAS]:
                work[layout.W_DELTA] = input_row(
                    table, layout.INPUT_DELTA, k, fresh, False, first, count, valid, scratch + row
                )
            if table[layout.CONDUCTANCES]:
                work[layout.W_G] = input_row(
                    table, layout.INPUT_G, k, fresh, receptors, first, count, valid, scratch + 2 * row
                )
                work[layout.W_GE] = input_row(
                    table, layout.INPUT_GE, k, fresh, receptors, first, count, valid, scratch + 3 * row
                )
            if table[layout.RECEIVE]:
                call_at(table[layout.RECEIVE], address, place, k)
            careful = call_at(table[layout.STEP_LANES], address, place, careful)
            if table[layout.RING]:
                delta = row_at(work[layout.W_DELTA], number)
                for i in range(count):
                    delta[i] = 0
            infinite = collect(table, work, k, V, report)
            if careful or infinite:
                report[layout.WAS_CAREFUL] |= unusual(V, valid, low)
                check_finite(V, u, valid, table[layout.STEP] + k, highest, report)
            if table[layout.N_RECORDS]:
                call_at(table[layout.RECORDER], address, k, block)
        report[layout.CAREFUL] = careful
        seldom = (
            stop == table[layout.STEPS] or start // layout.STRETCH < stop // layout.STRETCH
        )  # V would follow in the next step
        if seldom and unusual(u, valid, -highest):
            check_finite(V, u, valid, table[layout.STEP] + stop - 1, highest, report)
        return 0

    return address_of(advance_block)


@called
def unusual(values, n, low):
    """Whether one of the first n values is below `low` or not finite."""
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    odd = np.int32(0)
    for i in range(np.uint64(n)):
        x = values[i]
        odd = odd if x - x + x >= low else np.int32(1)  # x - x is not a number if x is infinite
    return odd != 0


def _input_row(number) -> Callable[..., Any]:
    item = number(0).itemsize

    def input_row(table, which, k, fresh, copy, first, count, valid, scratch):
        """The address of the input of step k, real (count,): of the caller's own row where it fills the block, else of
        a padded copy.

        Parameters
        ----------
        table : int64 (TABLE_SIZE,)
        which : int
            Entry of the input, such as INPUT_I.
        k : int
            Step of this call.
        fresh : bool
            Whether the copy in `scratch` is not that of the step before.
        copy : bool
            Whether to copy in any case.
        first, count, valid : int
            First lane of the block, its lanes, and how many of them are neurons.
        scratch : int
            Address of `count` numbers.
        """
        stride, shared = table[which + layout.STRIDE], table[which + layout.SHARED]
        source = table[which] + stride * (table[layout.STEP] + k - table[layout.SLICED]) * item
        if not copy and not shared and valid == count:
            return source + first * item
        if not (fresh or stride):
            return scratch
        if shared:
            padded, value = row_at(scratch, number), row_at(source, number)[0]
            for i in range(np.uint64(count)):
                padded[i] = value
        else:
            copy_bytes(scratch, source + first * item, valid * item)
        return scratch

    return called(input_row)


@inlined
def collect(table, work, k, V, report):
    """Write the spike flags of a block to RASTER, one bit per neuron, and set LAST and REFRACTORY_UNTIL of the few
    neurons that spiked. Returns whether V of a neuron, a Row, is infinite."""
    first, count, step = work[layout.FIRST_LANE], work[layout.COUNT], table[layout.STEP] + k
    n_words = np.uint64(count) >> np.uint64(6)
    moves_again = np.int32(work[layout.NOW]) + np.int32(1)
    spikes, refractory_until = row_at(work[layout.W_SPIKES], np.uint8), row_at(work[layout.W_UNTIL], np.int32)
    words = row_at(table[layout.RASTER] + (k * table[layout.PADDED] + first) // 8, np.uint64)
    last = ints_at(table[layout.LAST] + first * 8)
    refractory_steps = row_at(table[layout.REFRACTORY_STEPS] + first * 4, np.int32)
    refractory, infinite, n_spikes = table[layout.REFRACTORY] != 0, False, 0
    filled = np.uint64(0)  # which words are not 0: a block has at most 64
    for w in range(n_words):
        bits = mask64(spikes, w << np.uint64(6))
        words[w] = bits
        filled |= np.uint64(bits != 0) << w
    words[n_words - np.uint64(1)] &= lowest_bits(work[layout.VALID] - (count - 64))  # without the padding
    while filled:
        w = trailing_zeros(filled)
        bits = words[w]
        while bits:
            lane = (w << np.uint64(6)) + trailing_zeros(bits)
            if not V[lane] < np.inf:  # a failure, not a spike, nor healed by a reset
                infinite, V[lane] = True, np.nan
                spikes[lane] = 0
                words[w] ^= bits & -bits
            else:
                last[lane] = step
                n_spikes += 1
                if refractory:
                    refractory_until[lane] = moves_again + refractory_steps[lane]
            bits &= bits - np.uint64(1)
        filled &= filled - np.uint64(1)
    report[layout.N_SPIKES] += n_spikes
    return infinite


def finite_check(number) -> Callable[..., Any]:
    infinity = number(np.inf)

    @called
    def check_finite(V, u, valid, step, highest, report):
        """Write to the REPORT of a block, once, which neurons have a V or u that is not finite.

        Parameters
        ----------
        V, u : real, Rows
        valid : int
            How many lanes are neurons.
        step : int
            The step after which V and u are so, since the last reset.
        highest : float
            The largest finite number.
        report : int64 (REPORT_SIZE,)
        """
        add_attribute(NOINLINE)
        if report[layout.FAILED_COUNT] or not (unusual(V, valid, -highest) or unusual(u, valid, -highest)):
            return
        for i in range(valid):
            finite = abs(V[i]) < infinity
            if not finite:
                V[i] = np.nan
            if not (finite and abs(u[i]) < infinity):
                if report[layout.FAILED_COUNT] == 0:
                    report[layout.FAILED_STEP], report[layout.FAILED_LANE] = step, i
                    report[layout.FAILED_V] = not finite
                report[layout.FAILED_COUNT] += 1

    return check_finite
