"""The one time loop: advance a block of neurons by K steps, block after block.

Everything a call needs is reached through one table of integers, so that a call from Python costs 0.3 us: sizes,
the step counter and addresses of arrays. A block of neurons stays in the first cache for all K steps, and the cost
per neuron does not depend on their number. The loop over lanes is written so that LLVM vectorises it: whole rows
from index 0, selects instead of branches, no integer wider than a lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, prange

from izhnumba import _exprel
from izhnumba._compile import compiled
from izhnumba._kernels.lanes import mask64, parameter_lanes, parameters_of, pointer, trailing_zeros
from izhnumba._kernels.neuron import Variant, neuron_step

BLOCK = 1024  # neurons; state, input and flags of a block (17 B each in float32) fit the first cache

# The table: numbers, then addresses. Each of the four inputs has an address, a stride from step to step (0: constant)
# and a mark that one value serves all neurons.
(
    N, PADDED, STEP, STEPS, BASE, THREADS, RECORD_EVERY, RECORD_N,
    V, U, UNTIL, LAST, N_REF, SPIKES, RASTER, PARAMETERS, CONSTANTS, SCRATCH, FAILED, RECORD_LANES, RECORD_V, RECORD_U,
    INPUT_I, _, _, INPUT_JUMP, _, _, INPUT_G, _, _, INPUT_GE, _, _, TABLE_SIZE,
) = range(35)  # fmt: skip
SCRATCH_ROWS = 7  # per thread: the four inputs; V, u and until at the start of the slice
DT, SAFE_V = range(2)  # CONSTANTS: ms; the lowest V for which the short exprel holds
FAILED_STEP, FAILED_COUNT, FAILED_LANE, FAILED_V = range(4)  # FAILED, one row per block
OK, NOT_PLAIN, BAD_INPUT, FAILURE = range(4)  # what a call returns
MAX_PARAMETERS = 64


def build(variant: Variant, parallel: bool = False) -> Any:
    """The compiled `advance(table, I)`. I: the current of a single step, or empty to use the one in the table."""
    number = np.dtype(variant.dtype).type
    admit, advance_block = _admit(number), _block(variant)
    loop = prange if parallel else range

    def advance(table, I):  # noqa: E741
        if I.size:
            code = admit(table, I)
            if code:
                return code
        n_blocks = (table[PADDED] + BLOCK - 1) // BLOCK
        threads = table[THREADS]
        for thread in loop(threads):
            for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                advance_block(table, thread, block)
        table[STEP] += table[STEPS]
        failed = carray(pointer(table[FAILED]), (n_blocks, 4), np.int64)
        for block in range(n_blocks):
            if failed[block, FAILED_COUNT]:
                return FAILURE
        return OK

    return compiled(advance, fastmath=variant.scheme.fastmath, parallel=parallel)


def _admit(number: Any) -> Callable[..., Any]:
    """Check the caller's current and take it over, before anything changes."""
    item, infinity = number(0).itemsize, number(np.inf)

    def admit(table, I):  # noqa: E741
        n = table[N]
        if I.size != n or (n > 1 and I.strides[0] != item):
            return NOT_PLAIN
        current = carray(pointer(table[INPUT_I]), n, number)
        n_bad = 0
        for i in range(n):
            current[i] = I[i]
            n_bad += not (abs(I[i]) < infinity)
        return BAD_INPUT if n_bad else OK

    return admit


def _block(variant: Variant) -> Callable[..., Any]:
    """K steps of one block: input, lanes, spikes, records; a failure is traced to its step by doing them again."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    p_type = variant.model.named_tuple("V_min", "gain")
    VARIES, SHORT = variant.varies, variant.short
    input_row, below, count_failed, record = _input_row(number), _below, _count_failed(number), _record
    collect = _collect(variant.refractory)
    lanes_anywhere = _lanes(variant, _exprel.either(number) if SHORT else _exprel.full(number))
    lanes_in_range = _lanes(variant, _exprel.short(number))

    def advance_block(table, thread, block):
        first = block * BLOCK
        count = min(BLOCK, table[PADDED] - first)
        valid = min(count, table[N] - first)
        V_lanes = carray(pointer(table[V] + first * item), count, number)
        u_lanes = carray(pointer(table[U] + first * item), count, number)
        until = carray(pointer(table[UNTIL] + first * 4), count, np.int32)
        spikes = carray(pointer(table[SPIKES] + first), count, np.uint8)
        addresses = carray(pointer(table[PARAMETERS]), MAX_PARAMETERS, np.int64)
        parameters = parameter_lanes(addresses, first, number, p_type, VARIES)
        constants = carray(pointer(table[CONSTANTS]), 2, number)
        dt, safe_V = constants[DT], constants[SAFE_V]
        scratch = table[SCRATCH] + thread * SCRATCH_ROWS * BLOCK * item
        V_start = carray(pointer(scratch + 4 * BLOCK * item), count, number)
        u_start = carray(pointer(scratch + 5 * BLOCK * item), count, number)
        until_start = carray(pointer(scratch + 6 * BLOCK * item), count, np.int32)
        V_start[:], u_start[:], until_start[:] = V_lanes, u_lanes, until
        failed = carray(pointer(table[FAILED] + block * 32), 4, np.int64)
        failed[FAILED_COUNT] = 0

        K = table[STEPS]
        check = K  # steps between two looks for values that are not finite
        low = below(V_lanes, safe_V)
        k = 0
        while k < K:
            I = input_row(table, INPUT_I, k, first, count, valid, scratch)  # noqa: E741
            jump = input_row(table, INPUT_JUMP, k, first, count, valid, scratch + BLOCK * item)
            g = input_row(table, INPUT_G, k, first, count, valid, scratch + 2 * BLOCK * item)
            gE = input_row(table, INPUT_GE, k, first, count, valid, scratch + 3 * BLOCK * item)
            now = np.int32(table[STEP] + k - table[BASE])
            if SHORT and not low:
                low = lanes_in_range(V_lanes, u_lanes, until, spikes, I, jump, g, gE, parameters, now, dt, safe_V)
            else:
                low = lanes_anywhere(V_lanes, u_lanes, until, spikes, I, jump, g, gE, parameters, now, dt, safe_V)
            collect(table, k, first, count, valid, spikes, until, now)
            record(table, k, first, valid, V_lanes, u_lanes)
            k += 1
            if k % check == 0 and failed[FAILED_COUNT] == 0:
                count_failed(V_lanes, u_lanes, valid, k - 1, failed)
                if failed[FAILED_COUNT] and check > 1:  # do the slice again, looking after every step
                    V_lanes[:], u_lanes[:], until[:] = V_start, u_start, until_start
                    failed[FAILED_COUNT] = 0
                    check = 1
                    low = below(V_lanes, safe_V)
                    k = 0

    return advance_block


def _lanes(variant: Variant, exprel: Callable[..., Any]) -> Callable[..., Any]:
    """One step of all lanes of a block. Tells whether a lane has left the range of the short exprel downwards."""
    step = neuron_step(variant, exprel)
    p_type = variant.model.named_tuple("V_min", "gain")
    REFRACTORY, SHORT = variant.refractory, variant.short

    def lanes(V, u, until, spikes, I, jump, g, gE, parameters, now, dt, safe_V):  # noqa: E741
        low = np.int32(0)
        for i in range(np.uint64(V.size)):
            held = REFRACTORY and now < until[i]
            p = parameters_of(parameters, i, p_type)
            V_new, u_new, spiked = step(V[i], u[i], held, (I[i], jump[i], g[i], gE[i]), p, p.gain, dt)
            V[i], u[i], spikes[i] = V_new, u_new, spiked
            if SHORT:
                low = np.int32(low | np.int32(V_new < safe_V))
        return low != 0

    return lanes


def _input_row(number: Any) -> Callable[..., Any]:
    item = number(0).itemsize

    def input_row(table, which, k, first, count, valid, scratch):
        """The input of step k as `count` lanes: the caller's own row where it fills a block, else a padded copy."""
        stride = table[which + 1]
        source = table[which] + stride * k * item
        if not table[which + 2] and valid == count:
            return carray(pointer(source + first * item), count, number)
        padded = carray(pointer(scratch), count, number)
        if k == 0 or stride:
            if table[which + 2]:
                padded[:] = carray(pointer(source), 1, number)[0]
            else:
                padded[:valid] = carray(pointer(source + first * item), valid, number)
        return padded

    return input_row


def _below(V, bound):
    low = np.int32(0)
    for i in range(np.uint64(V.size)):
        low = np.int32(low | np.int32(V[i] < bound))
    return low != 0


def _collect(refractory: bool) -> Callable[..., Any]:
    """Spike flags to one bit per neuron; the few neurons that spiked note when, and until when they are held."""
    REFRACTORY = refractory

    def collect(table, k, first, count, valid, spikes, until, now):
        words = carray(pointer(table[RASTER] + (k * table[PADDED] + first) // 8), count // 64, np.uint64)
        last = carray(pointer(table[LAST] + first * 8), count, np.int64)
        for w in range(np.uint64(count // 64)):
            bits = mask64(spikes, np.int64(w) * 64)
            if valid - np.int64(w) * 64 < 64:  # the padding after the last neuron
                bits &= (np.uint64(1) << np.uint64(valid - np.int64(w) * 64)) - np.uint64(1)
            words[w] = bits
            while bits:
                lane = np.int64(w) * 64 + np.int64(trailing_zeros(bits))
                bits &= bits - np.uint64(1)
                last[lane] = table[STEP] + k
                if REFRACTORY:
                    n_ref = carray(pointer(table[N_REF] + first * 4), count, np.int32)
                    until[lane] = now + np.int32(1) + n_ref[lane]

    return collect


def _record(table, k, first, valid, V, u):
    """Copy the states of the recorded neurons of this block, at the steps that are sampled."""
    n, every = table[RECORD_N], table[RECORD_EVERY]
    done = table[STEP] + k + 1
    if n == 0 or done % every:
        return
    row = done // every - table[STEP] // every - 1
    wanted = carray(pointer(table[RECORD_LANES]), n, np.int64)
    start, stop = np.searchsorted(wanted, first), np.searchsorted(wanted, first + valid)
    for address, state in ((table[RECORD_V], V), (table[RECORD_U], u)):
        if address:
            out = carray(pointer(address + row * n * state.itemsize), n, state.dtype)
            for j in range(start, stop):
                out[j] = state[wanted[j] - first]


def _count_failed(number: Any) -> Callable[..., Any]:
    infinity = number(np.inf)

    def count_failed(V, u, valid, k, failed):
        """Fill in a row of FAILED if V or u of a neuron is not finite after step k."""
        n_bad = 0
        for i in range(valid):
            n_bad += not ((abs(V[i]) < infinity) & (abs(u[i]) < infinity))
        if n_bad:
            lane = 0
            while (abs(V[lane]) < infinity) & (abs(u[lane]) < infinity):
                lane += 1
            failed[FAILED_STEP], failed[FAILED_COUNT] = k, n_bad
            failed[FAILED_LANE], failed[FAILED_V] = lane, not (abs(V[lane]) < infinity)

    return count_failed
