"""The one time loop: advance a block of neurons by K steps, block after block.

Everything a call needs is reached through one table of integers, so that a call from Python costs 0.3 us: sizes,
the step counter and addresses of arrays. A block of neurons stays in the cache for all K steps, and the cost per
neuron does not depend on their number. The loop over lanes is written so that LLVM vectorises it: whole rows from
index 0, selects instead of branches, no integer wider than a lane.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, prange, types
from numba.core.errors import NumbaError

from izhnumba._compile import called, compiled, entry_point, inlined
from izhnumba._derived import LANES
from izhnumba._kernels.codes import BAD_INPUT, FAILURE, LEAP, NOT_PLAIN, OK
from izhnumba._kernels.lanes import (
    NOINLINE,
    WIDEST,
    array_at,
    copy_bytes,
    mask64,
    parameter_lanes,
    parameters_of,
    tell_llvm,
    trailing_zeros,
)
from izhnumba._kernels.neuron import Variant, compile_equations, neuron_step

BLOCK = 2048  # neurons; state, input and flags of a block, 17 B a neuron in float32, fit the first cache

# The table: numbers, then addresses. Each of the four inputs has an address and, STRIDE and SHARED places behind it, a
# stride from step to step (0: constant) and a mark that one value serves all neurons.
(
    N, PADDED, STEP, STEPS, BASE, THREADS, RECORD_EVERY, RECORD_N,
    V, U, UNTIL, LAST, N_REF, SPIKES, RASTER, PARAMETERS, CONSTANTS, SCRATCH, REPORT,
    RECORD_LANES, RECORD_STARTS, RECORD_V, RECORD_U,
    INPUT_I, _, _, INPUT_JUMP, _, _, INPUT_G, _, _, INPUT_GE, _, _, TABLE_SIZE,
) = range(36)  # fmt: skip
STRIDE, SHARED = 1, 2
SCRATCH_ROWS = 5  # per thread, one for each input and one for `collect`
# CONSTANTS: the time step in ms; the V below which a step needs care (the short exprel does not hold, or Euler leaps
# over the threshold); the largest number
DT, CAREFUL_V, HIGHEST = range(3)
# REPORT, one row per block: the first step with a failure, in how many neurons, the first of them, whether it is V;
# whether V fell below CAREFUL_V; spikes in this slice
FAILED_STEP, FAILED_COUNT, FAILED_LANE, FAILED_V, WAS_CAREFUL, N_SPIKES, REPORT_SIZE = range(7)
MAX_PARAMETERS = 64
MOST_STEPS = 2**30  # since BASE: `until` counts steps in 32 bits
STRETCH = 64  # steps of all blocks between two looks whether to stop: state stays in the cache for as long


@functools.cache
def entry(variant: Variant, parallel: bool) -> Callable[..., int]:
    """`build`, compiled for its types and called without type dispatch."""
    number = from_dtype(np.dtype(variant.dtype))
    try:
        return entry_point(build(variant, parallel), (types.int64[::1], number[::1]))
    except NumbaError:
        compile_equations(variant.model, number)
        raise


def build(variant: Variant, parallel: bool = False) -> Any:
    """The compiled `advance(table, I)`. I: the current of a single step, or empty to use the one in the table."""
    # a function of its own costs a third of a second of compiling, but keeps the parallel loop small
    admit, advance_block = _admit(variant), _block(variant) if parallel else inlined(_block(variant))
    loop, EULER = prange if parallel else range, variant.scheme.euler_part > 0

    def advance(table, I):  # noqa: E741
        tell_llvm(WIDEST)
        if table[STEP] - table[BASE] > MOST_STEPS:
            return NOT_PLAIN
        if I.size:
            code = admit(table, I)
            if code:
                return code
        n_blocks = (table[PADDED] + BLOCK - 1) // BLOCK
        threads = table[THREADS]
        reports = array_at(table[REPORT], n_blocks * REPORT_SIZE, np.int64)
        for i in range(n_blocks * REPORT_SIZE):
            reports[i] = 0
        done, failed = 0, False
        while done < table[STEPS] and not failed:
            stop = done + STRETCH if done + STRETCH < table[STEPS] else table[STEPS]
            for thread in loop(threads):
                for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                    advance_block(table, thread, block, done, stop)
            done, failed = stop, reported(reports, FAILED_COUNT)
        table[STEP] += done
        if failed:
            return FAILURE
        return LEAP if EULER and reported(reports, WAS_CAREFUL) else OK

    return compiled(advance, fastmath=variant.scheme.fastmath, parallel=parallel)


@called
def reported(reports, entry):
    """Whether an entry is set in the report of any block."""
    i = entry
    while i < reports.size and not reports[i]:
        i += REPORT_SIZE
    return i < reports.size


def _admit(variant: Variant) -> Callable[..., Any]:
    """Check the inputs of a single step and take over the caller's current, before anything changes."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    JUMPS, CONDUCTANCES = variant.jumps, variant.conductances

    def admit(table, I):  # noqa: E741
        n = table[N]
        if I.size != n or (n > 1 and I.strides[0] != item):
            return NOT_PLAIN
        highest = array_at(table[CONSTANTS], 3, number)[HIGHEST]
        odd = unusual(I, n, -highest)
        if JUMPS:
            odd |= unusual(array_at(table[INPUT_JUMP], n, number), n, -highest)
        if CONDUCTANCES:
            odd |= unusual(array_at(table[INPUT_G], n, number), n, -highest)
            odd |= unusual(array_at(table[INPUT_GE], n, number), n, -highest)
        if odd:
            return BAD_INPUT
        if I.ctypes.data != table[INPUT_I]:
            copy_bytes(table[INPUT_I], I.ctypes.data, n * item)
        return OK

    return inlined(admit)


def _block(variant: Variant) -> Callable[..., Any]:
    """Steps `start` to `stop` of the slice for one block, from the input to the records."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    p_type = variant.model.named_tuple("V_min", *LANES)
    VARIES, JUMPS, CONDUCTANCES = variant.varies, variant.jumps, variant.conductances
    input_row, lanes, look = _input_row(number), _lanes(variant), _look(number)
    collect = _collect(variant.refractory)

    def advance_block(table, thread, block, start, stop):
        first = block * BLOCK
        count = BLOCK if table[PADDED] - first > BLOCK else table[PADDED] - first
        valid = count if table[N] - first > count else table[N] - first
        V_lanes = array_at(table[V] + first * item, count, number)
        u_lanes = array_at(table[U] + first * item, count, number)
        until = array_at(table[UNTIL] + first * 4, count, np.int32)
        spikes = array_at(table[SPIKES] + first, count, np.uint8)
        addresses = array_at(table[PARAMETERS], MAX_PARAMETERS, np.int64)
        parameters = parameter_lanes(addresses, first, number, p_type, VARIES)
        constants = array_at(table[CONSTANTS], 3, number)
        scratch = table[SCRATCH] + thread * SCRATCH_ROWS * BLOCK * item
        report = array_at(table[REPORT] + block * REPORT_SIZE * 8, REPORT_SIZE, np.int64)
        low, highest = constants[CAREFUL_V], constants[HIGHEST]
        careful = unusual(V_lanes, count, low)
        if careful or (start == 0 and unusual(u_lanes, valid, -highest)):
            report[WAS_CAREFUL] = careful
            look(V_lanes, u_lanes, valid, table[STEP] + start, highest, report)
        for k in range(start, stop):
            fresh = k == start
            I = input_row(table, INPUT_I, k, fresh, first, count, valid, scratch)  # noqa: E741
            jump = g = gE = I  # never read unless the variant has them
            if JUMPS:
                jump = input_row(table, INPUT_JUMP, k, fresh, first, count, valid, scratch + BLOCK * item)
            if CONDUCTANCES:
                g = input_row(table, INPUT_G, k, fresh, first, count, valid, scratch + 2 * BLOCK * item)
                gE = input_row(table, INPUT_GE, k, fresh, first, count, valid, scratch + 3 * BLOCK * item)
            now = np.int32(table[STEP] + k - table[BASE])
            careful = lanes(V_lanes, u_lanes, until, spikes, I, jump, g, gE, parameters, now, constants, careful)
            filled = array_at(scratch + 4 * BLOCK * item, count // 64, np.int64)
            infinite = collect(table, k, first, valid, filled, V_lanes, spikes, until, now, report)
            if careful or infinite:
                report[WAS_CAREFUL] = 1
                look(V_lanes, u_lanes, valid, table[STEP] + k, highest, report)
            if table[RECORD_N]:
                record(table, k, block, V_lanes, u_lanes)
        if unusual(u_lanes, valid, -highest):  # not each step: V would follow in the next one
            look(V_lanes, u_lanes, valid, table[STEP] + stop - 1, highest, report)

    return advance_block


def _lanes(variant: Variant) -> Callable[..., Any]:
    """One step of all lanes of a block; tells whether the next one needs care, or V is not finite."""
    step = neuron_step(variant)
    p_type = variant.model.named_tuple("V_min", *LANES)
    number = np.dtype(variant.dtype).type
    zero = number(0.0)  # zero * V is not a number if V is infinite
    REFRACTORY, SHORT, RESET_FIRST = variant.refractory, variant.short, variant.scheme.reset_first

    def lanes(V, u, until, spikes, I, jump, g, gE, parameters, now, constants, careful):  # noqa: E741
        tell_llvm(WIDEST)
        dt, low = constants[DT], constants[CAREFUL_V]
        odd = np.int32(0)
        if SHORT and not careful:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):  # so LLVM knows that rows are whole vectors
                held = REFRACTORY and now < until[i]
                p = parameters_of(parameters, i, p_type, number)
                V_new, u_new, spiked = step(V[i], u[i], held, (I[i], jump[i], g[i], gE[i]), p, p.gain, dt, False)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                odd = odd if V_new >= low else np.int32(1)
        else:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):
                held = REFRACTORY and now < until[i]
                p = parameters_of(parameters, i, p_type, number)
                V_new, u_new, spiked = step(V[i], u[i], held, (I[i], jump[i], g[i], gE[i]), p, p.gain, dt, True)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                if not RESET_FIRST:  # else an infinite V counts as a spike here, and `collect` finds it
                    V_new = V_new + zero * V_new
                odd = odd if V_new >= low else np.int32(1)
        return odd != 0

    return lanes


@called
def unusual(values, n, low):
    """Whether one of the first n values is below `low` or not finite."""
    tell_llvm(WIDEST)
    tell_llvm(NOINLINE)
    odd = np.int32(0)
    for i in range(np.uint64(n)):
        x = values[i]
        odd = odd if x - x + x >= low else np.int32(1)  # x - x is not a number if x is infinite
    return odd != 0


def _input_row(number: Any) -> Callable[..., Any]:
    item = number(0).itemsize

    def input_row(table, which, k, fresh, first, count, valid, scratch):
        """The input of step k as `count` lanes: the caller's own row where it fills a block, else a padded copy."""
        stride, shared = table[which + STRIDE], table[which + SHARED]
        source = table[which] + stride * k * item
        if not shared and valid == count:
            return array_at(source + first * item, count, number)
        padded = array_at(scratch, count, number)
        if not (fresh or stride):
            return padded
        if shared:
            value = array_at(source, 1, number)[0]
            for i in range(np.uint64(count)):
                padded[i] = value
        else:
            copy_bytes(scratch, source + first * item, valid * item)
        return padded

    return inlined(input_row)


def _collect(refractory: bool) -> Callable[..., Any]:
    """Spike flags to one bit per neuron; the few neurons that spiked note when, and until when they are held."""
    REFRACTORY = refractory

    def collect(table, k, first, valid, filled, V, spikes, until, now, report):
        words = array_at(table[RASTER] + (k * table[PADDED] + first) // 8, filled.size, np.uint64)
        last = array_at(table[LAST] + first * 8, V.size, np.int64)
        n_ref = array_at(table[N_REF] + first * 4, V.size, np.int32)
        infinite, n_filled = False, 0
        for w in range(filled.size):
            bits = mask64(spikes, w * 64)
            if valid - w * 64 < 64:  # the padding after the last neuron
                bits &= (np.uint64(1) << np.uint64(valid - w * 64)) - np.uint64(1)
            words[w] = bits
            filled[n_filled] = w  # without a branch that nobody can predict
            n_filled += bits != 0
        for j in range(n_filled):
            w = filled[j]
            bits = words[w]
            while bits:
                lane = w * 64 + np.int64(trailing_zeros(bits))
                if not V[lane] < np.inf:  # a failure, not a spike
                    infinite = True
                    spikes[lane] = 0
                    words[w] ^= bits & -bits
                else:
                    last[lane] = table[STEP] + k
                    report[N_SPIKES] += 1
                    if REFRACTORY:
                        until[lane] = now + np.int32(1) + n_ref[lane]
                bits &= bits - np.uint64(1)
        return infinite

    return inlined(collect)


def _look(number: Any) -> Callable[..., Any]:
    infinity = number(np.inf)

    @called
    def look(V, u, valid, step, highest, report):
        """Note in the REPORT of the block if, for the first time, V or u of a neuron is not finite after `step`."""
        tell_llvm(NOINLINE)
        if report[FAILED_COUNT] or not (unusual(V, valid, -highest) or unusual(u, valid, -highest)):
            return
        for i in range(valid):
            if not (abs(V[i]) < infinity and abs(u[i]) < infinity):
                if report[FAILED_COUNT] == 0:
                    report[FAILED_STEP], report[FAILED_LANE], report[FAILED_V] = step, i, not abs(V[i]) < infinity
                report[FAILED_COUNT] += 1

    return look


@called
def record(table, k, block, V_lanes, u_lanes):
    """Copy the states of the recorded neurons of this block, at the steps that are sampled."""
    tell_llvm(NOINLINE)
    done, every, n = table[STEP] + k + 1, table[RECORD_EVERY], table[RECORD_N]
    if done % every:
        return
    wanted = array_at(table[RECORD_LANES], n, np.int64)
    starts = array_at(table[RECORD_STARTS], block + 2, np.int64)
    row = (done // every - table[STEP] // every - 1) * n
    V_out = array_at(table[RECORD_V] + row * V_lanes.itemsize, n, V_lanes.dtype)
    u_out = array_at(table[RECORD_U] + row * u_lanes.itemsize, n, u_lanes.dtype)
    for j in range(starts[block], starts[block + 1]):
        lane = wanted[j] - block * BLOCK
        if table[RECORD_V]:
            V_out[j] = V_lanes[lane]
        if table[RECORD_U]:
            u_out[j] = u_lanes[lane]
