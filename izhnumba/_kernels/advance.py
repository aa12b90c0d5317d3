"""The one time loop: advance a block of neurons by K steps, block after block.

Everything a call needs is reached through one table of integers, so that a call from Python costs 0.3 us: sizes,
the step counter and addresses of arrays. A block of neurons stays in the first cache for all K steps, and the cost
per neuron does not depend on their number. The loop over lanes is written so that LLVM vectorises it: whole rows
from index 0, selects instead of branches, no integer wider than a lane.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from izhnumba._compile import compiled, entry_point, inlined
from izhnumba._kernels.exprel import exprel, full_exprel
from izhnumba._kernels.lanes import array_at, copy_bytes, mask64, parameter_lanes, parameters_of, trailing_zeros
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
MOST_STEPS = 2**30  # since BASE: `until` counts steps in 32 bits


def build(variant: Variant, parallel: bool = False) -> Any:
    """The compiled `advance(table, I)`. I: the current of a single step, or empty to use the one in the table."""
    number = np.dtype(variant.dtype).type
    admit, advance_block = _admit(number), _block(variant)
    loop = prange if parallel else range

    def advance(table, I):  # noqa: E741
        if table[STEP] - table[BASE] > MOST_STEPS:
            return NOT_PLAIN
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
        failed = array_at(table[FAILED], n_blocks * 4, np.int64)
        for block in range(n_blocks):
            if failed[block * 4 + FAILED_COUNT]:
                return FAILURE
        return OK

    return compiled(advance, fastmath=variant.scheme.fastmath, parallel=parallel)


@functools.cache
def entry(variant: Variant, parallel: bool) -> Callable[..., int]:
    """`build`, compiled for its types and called without type dispatch."""
    number = from_dtype(np.dtype(variant.dtype))
    return entry_point(build(variant, parallel), (types.int64[::1], number[::1]))


def _admit(number: Any) -> Callable[..., Any]:
    """Check the caller's current and take it over, before anything changes."""
    item, finite = number(0).itemsize, _finite(number)

    def admit(table, I):  # noqa: E741
        n = table[N]
        if I.size != n or (n > 1 and I.strides[0] != item):
            return NOT_PLAIN
        if not finite(I, n):
            return BAD_INPUT
        copy_bytes(table[INPUT_I], I.ctypes.data, n * item)
        return OK

    return inlined(admit)


def _block(variant: Variant) -> Callable[..., Any]:
    """K steps of one block: input, lanes, spikes, records; a failure is traced to its step by doing them again."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    p_type = variant.model.named_tuple("V_min", "gain")
    VARIES = variant.varies
    save, restore = _save_and_restore(variant)
    input_row, count_failed, lanes = _input_row(number), _count_failed(number), _lanes(variant)
    collect = _collect(variant.refractory)

    def advance_block(table, thread, block):
        first = block * BLOCK
        count = min(BLOCK, table[PADDED] - first)
        valid = min(count, table[N] - first)
        V_lanes = array_at(table[V] + first * item, count, number)
        u_lanes = array_at(table[U] + first * item, count, number)
        until = array_at(table[UNTIL] + first * 4, count, np.int32)
        spikes = array_at(table[SPIKES] + first, count, np.uint8)
        addresses = array_at(table[PARAMETERS], MAX_PARAMETERS, np.int64)
        parameters = parameter_lanes(addresses, first, number, p_type, VARIES)
        constants = array_at(table[CONSTANTS], 2, number)
        dt, safe_V = constants[DT], constants[SAFE_V]
        scratch = table[SCRATCH] + thread * SCRATCH_ROWS * BLOCK * item
        start = scratch + 4 * BLOCK * item
        save(table, first, count, start)
        failed = array_at(table[FAILED] + block * 32, 4, np.int64)
        failed[FAILED_COUNT] = 0

        K = table[STEPS]
        check = K  # steps between two looks for values that are not finite
        wide = any_below(V_lanes, safe_V)
        k = 0
        while k < K:
            I = input_row(table, INPUT_I, k, first, count, valid, scratch)  # noqa: E741
            jump = input_row(table, INPUT_JUMP, k, first, count, valid, scratch + BLOCK * item)
            g = input_row(table, INPUT_G, k, first, count, valid, scratch + 2 * BLOCK * item)
            gE = input_row(table, INPUT_GE, k, first, count, valid, scratch + 3 * BLOCK * item)
            now = np.int32(table[STEP] + k - table[BASE])
            wide = lanes(V_lanes, u_lanes, until, spikes, I, jump, g, gE, parameters, now, dt, safe_V, wide)
            collect(table, k, first, count, valid, spikes, until, now)
            record(table, k, first, valid, V_lanes, u_lanes)
            k += 1
            if k % check == 0 and failed[FAILED_COUNT] == 0:
                count_failed(V_lanes, u_lanes, valid, k - 1, failed)
                if failed[FAILED_COUNT] and check > 1:  # do the slice again, looking after every step
                    restore(table, first, count, start)
                    failed[FAILED_COUNT] = 0
                    check = 1
                    wide = any_below(V_lanes, safe_V)
                    k = 0

    return advance_block


def _lanes(variant: Variant) -> Callable[..., Any]:
    """One step of all lanes of a block. Tells whether a lane left the range of the short exprel downwards."""
    number = np.dtype(variant.dtype).type
    step = neuron_step(variant, exprel(number) if variant.short else full_exprel(number))
    p_type = variant.model.named_tuple("V_min", "gain")
    REFRACTORY, SHORT = variant.refractory, variant.short

    def lanes(V, u, until, spikes, I, jump, g, gE, parameters, now, dt, safe_V, wide):  # noqa: E741
        low = np.int32(0)
        if SHORT and not wide:
            for i in range(np.uint64(V.size)):
                held = REFRACTORY and now < until[i]
                p = parameters_of(parameters, i, p_type)
                V_new, u_new, spiked = step(V[i], u[i], held, (I[i], jump[i], g[i], gE[i]), p, p.gain, dt, False)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                low = np.int32(low | np.int32(V_new < safe_V))
        else:
            for i in range(np.uint64(V.size)):
                held = REFRACTORY and now < until[i]
                p = parameters_of(parameters, i, p_type)
                V_new, u_new, spiked = step(V[i], u[i], held, (I[i], jump[i], g[i], gE[i]), p, p.gain, dt, True)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
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
            return array_at(source + first * item, count, number)
        padded = array_at(scratch, count, number)
        if table[which + 2]:
            value = array_at(source, 1, number)[0]
            for i in range(np.uint64(count)):
                padded[i] = value
        else:
            copy_bytes(scratch, source + first * item, valid * item)
        return padded

    return input_row


def _save_and_restore(variant: Variant) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Keep the state of a block at the start of a slice in scratch memory, and bring it back."""
    item, REFRACTORY = np.dtype(variant.dtype).itemsize, variant.refractory

    def save(table, first, count, scratch):
        copy_bytes(scratch, table[V] + first * item, count * item)
        copy_bytes(scratch + BLOCK * item, table[U] + first * item, count * item)
        if REFRACTORY:
            copy_bytes(scratch + 2 * BLOCK * item, table[UNTIL] + first * 4, count * 4)

    def restore(table, first, count, scratch):
        copy_bytes(table[V] + first * item, scratch, count * item)
        copy_bytes(table[U] + first * item, scratch + BLOCK * item, count * item)
        if REFRACTORY:
            copy_bytes(table[UNTIL] + first * 4, scratch + 2 * BLOCK * item, count * 4)

    return inlined(save), inlined(restore)


def any_below(V, bound):
    low = np.int32(0)
    for i in range(np.uint64(V.size)):
        low = np.int32(low | np.int32(V[i] < bound))
    return low != 0


def _collect(refractory: bool) -> Callable[..., Any]:
    """Spike flags to one bit per neuron; the few neurons that spiked note when, and until when they are held."""
    REFRACTORY = refractory

    def collect(table, k, first, count, valid, spikes, until, now):
        words = array_at(table[RASTER] + (k * table[PADDED] + first) // 8, count // 64, np.uint64)
        last = array_at(table[LAST] + first * 8, count, np.int64)
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
                    n_ref = array_at(table[N_REF] + first * 4, count, np.int32)
                    until[lane] = now + np.int32(1) + n_ref[lane]

    return collect


def record(table, k, first, valid, V, u):
    """Copy the states of the recorded neurons of this block, at the steps that are sampled."""
    n, every = table[RECORD_N], table[RECORD_EVERY]
    done = table[STEP] + k + 1
    if n == 0 or done % every:
        return
    wanted = array_at(table[RECORD_LANES], n, np.int64)
    row = (done // every - table[STEP] // every - 1) * n
    start = first_at_least(wanted, first)
    stop = first_at_least(wanted, first + valid)
    if table[RECORD_V]:
        copy_lanes(V, table[RECORD_V] + (row + start) * V.itemsize, wanted, start, stop, first)
    if table[RECORD_U]:
        copy_lanes(u, table[RECORD_U] + (row + start) * u.itemsize, wanted, start, stop, first)


def copy_lanes(state, address, wanted, start, stop, first):
    out = array_at(address, stop - start, state.dtype)
    for j in range(stop - start):
        out[j] = state[wanted[start + j] - first]


def first_at_least(ordered, value):
    low, high = 0, ordered.size
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _count_failed(number: Any) -> Callable[..., Any]:
    infinity, finite = number(np.inf), _finite(number)

    def count_failed(V, u, valid, k, failed):
        """Fill in a row of FAILED if V or u of a neuron is not finite after step k."""
        if finite(V, valid) and finite(u, valid):
            return
        for i in range(valid):
            if not (abs(V[i]) < infinity and abs(u[i]) < infinity):
                if failed[FAILED_COUNT] == 0:
                    failed[FAILED_STEP], failed[FAILED_LANE], failed[FAILED_V] = k, i, not (abs(V[i]) < infinity)
                failed[FAILED_COUNT] += 1

    return count_failed


def _finite(number: Any) -> Callable[..., Any]:
    infinity = number(np.inf)

    def finite(values, n):
        bad = np.int32(0)
        for i in range(np.uint64(n)):
            bad = np.int32(bad | np.int32(not (abs(values[i]) < infinity)))
        return bad == 0

    return finite
