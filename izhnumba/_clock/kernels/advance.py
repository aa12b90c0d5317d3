"""The time loop of a population: every block of neurons advances by STRETCH steps, one block after the other.

A call reaches everything through one table of integers (`kernels.layout`), so that it costs 0.3 us from Python. A block
stays in the cache for all its steps, so the cost per neuron does not depend on the number of neurons. The loop over
lanes is written so that LLVM vectorises it: whole rows from index 0, selects instead of branches, no integer wider than
a number of the state.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, prange, types
from numba.core.errors import NumbaError

from izhnumba._clock.constants import DERIVED
from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.neuron import neuron_step
from izhnumba._clock.kernels.receptors import arrivals, clear
from izhnumba._engine.codes import BAD_INPUT, BUSY, FAILURE, LEAP, NOT_PLAIN, OK, RECOUNT
from izhnumba._model.compiled import compile_equations
from izhnumba._model.equations import Variant
from izhnumba._model.quantity import MAX_PARAMETERS
from izhnumba._numba.compile import address_of, called, compiled, entry_point, inlined
from izhnumba._numba.intrinsics import (
    NOINLINE,
    WIDEST,
    add_attribute,
    array_at,
    claim,
    copy_bytes,
    mask64,
    parameter_lanes,
    parameters_of,
    release,
    trailing_zeros,
)

_SLICE = (types.int64,) * 3


@functools.cache
def entry(variant: Variant, parallel: bool) -> Callable[..., int]:
    """`advance(table, I, level)` of `build`, compiled and called without type dispatch."""
    number = from_dtype(np.dtype(variant.dtype))
    try:
        return entry_point(build(variant, parallel), (types.int64[::1], number[::1], types.float64))
    except NumbaError:
        compile_equations(variant.model, number)
        raise


@functools.cache
def slice_address(variant: Variant, parallel: bool) -> int:
    """Address of `advance_slice(table, start, stop)` -> code, for networks: steps `start` to `stop` of this call."""
    loop, advance_block = _loop(variant, parallel)

    def advance_slice(address, start, stop):
        add_attribute(WIDEST)
        table = array_at(address, layout.TABLE_SIZE, np.int64)
        n_blocks, threads = (table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK, table[layout.THREADS]
        for thread in loop(threads):
            for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                advance_block(table, thread, block, start, stop)
        return (
            FAILURE
            if reported(array_at(table[layout.REPORT], n_blocks * layout.REPORT_SIZE, np.int64), layout.FAILED_COUNT)
            else OK
        )

    try:
        return address_of(compiled(advance_slice, fastmath=variant.scheme.fastmath, parallel=parallel), _SLICE)
    except NumbaError:
        compile_equations(variant.model, from_dtype(np.dtype(variant.dtype)))
        raise


def build(variant: Variant, parallel: bool = False):
    """The compiled `advance(table, I, level)` -> code: STEPS steps. I: the current of a single step, shape (n,), or
    empty: then the current is `level` for all neurons, or, if that is NaN, the INPUT_I of the table."""
    admit, (loop, advance_block), EULER = _admit(variant), _loop(variant, parallel), variant.scheme.euler_part > 0
    number = np.dtype(variant.dtype).type

    def advance(table, I, level):  # noqa: E741
        add_attribute(WIDEST)
        in_use = table.ctypes.data + layout.IN_USE * 8
        if not claim(in_use):
            return BUSY
        code = OK
        if table[layout.STEP] - table[layout.BASE] > layout.MOST_STEPS:
            code = RECOUNT
        elif I.size:
            code = admit(table, I)
        elif level == level:
            current = array_at(table[layout.INPUT_I], table[layout.N], number)
            for i in range(np.uint64(table[layout.N])):
                current[i] = level
        if code == OK:
            n_blocks, threads = (table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK, table[layout.THREADS]
            reports = array_at(table[layout.REPORT], n_blocks * layout.REPORT_SIZE, np.int64)
            for i in range(reports.size):
                reports[i] = 0
            done = 0
            while done < table[layout.STEPS] and not reported(reports, layout.FAILED_COUNT):
                stop = done + layout.STRETCH if done + layout.STRETCH < table[layout.STEPS] else table[layout.STEPS]
                for thread in loop(threads):
                    for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                        advance_block(table, thread, block, done, stop)
                done = stop
            table[layout.STEP] += done
            if reported(reports, layout.FAILED_COUNT):
                code = FAILURE
            elif EULER and reported(reports, layout.WAS_CAREFUL):
                code = LEAP
        release(in_use)
        return code

    return compiled(advance, fastmath=variant.scheme.fastmath, parallel=parallel)


def _loop(variant: Variant, parallel: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The loop over threads (prange or range), and `advance_block`, which each calls for its blocks."""
    # a function of its own costs a third of a second of compiling, but keeps the parallel loop small
    return (prange, _block(variant)) if parallel else (range, inlined(_block(variant)))


@called
def reported(reports, entry):
    """Whether an entry of REPORT is not 0 for any block."""
    i = entry
    while i < reports.size and not reports[i]:
        i += layout.REPORT_SIZE
    return i < reports.size


def _admit(variant: Variant) -> Callable[..., Any]:
    """`admit(table, I)` -> code: check the inputs of a single step, then copy I to INPUT_I; nothing else changes."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    DELTAS, CONDUCTANCES = variant.deltas, variant.conductances

    def admit(table, I):  # noqa: E741
        n = table[layout.N]
        if I.size != n or (n > 1 and I.strides[0] != item):
            return NOT_PLAIN
        highest = array_at(table[layout.CONSTANTS], 3, number)[layout.HIGHEST]
        odd = unusual(I, n, -highest)
        if DELTAS:
            odd |= unusual(array_at(table[layout.INPUT_DELTA], n, number), n, -highest)
        if CONDUCTANCES:
            odd |= unusual(array_at(table[layout.INPUT_G], n, number), n, -highest)
            odd |= unusual(array_at(table[layout.INPUT_GE], n, number), n, -highest)
        if odd:
            return BAD_INPUT
        if I.ctypes.data != table[layout.INPUT_I]:
            copy_bytes(table[layout.INPUT_I], I.ctypes.data, n * item)
        return OK

    return inlined(admit)


def _block(variant: Variant) -> Callable[..., Any]:
    """`advance_block(table, thread, block, start, stop)`: steps `start` to `stop` of one block, each from its input to
    its records."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    p_type = variant.model.named_tuple("V_min", *DERIVED)
    VARIES, DELTAS, CONDUCTANCES = variant.varies, variant.deltas, variant.conductances
    RING, RECEPTORS, GATED = variant.ring, variant.receptors, variant.gate is not None
    ring_row, receive = arrivals(variant)
    input_row, step_lanes, check_finite = _input_row(number), _step_lanes(variant), _check_finite(number)
    collect = _collect(variant.refractory)

    def advance_block(table, thread, block, start, stop):
        first = block * layout.BLOCK
        count = layout.BLOCK if table[layout.PADDED] - first > layout.BLOCK else table[layout.PADDED] - first
        valid = count if table[layout.N] - first > count else table[layout.N] - first
        V_lanes = array_at(table[layout.V] + first * item, count, number)
        u_lanes = array_at(table[layout.U] + first * item, count, number)
        refractory_until = array_at(table[layout.REFRACTORY_UNTIL] + first * 4, count, np.int32)
        spikes = array_at(table[layout.SPIKES] + first, count, np.uint8)
        addresses = array_at(table[layout.PARAMETERS], MAX_PARAMETERS, np.int64)
        parameters = parameter_lanes(addresses, first, number, p_type, VARIES)
        constants = array_at(table[layout.CONSTANTS], 3, number)
        row = layout.BLOCK * item
        scratch = table[layout.SCRATCH] + thread * layout.SCRATCH_ROWS * row
        report = array_at(table[layout.REPORT] + block * layout.REPORT_SIZE * 8, layout.REPORT_SIZE, np.int64)
        low, highest = constants[layout.CAREFUL_V], constants[layout.HIGHEST]
        if start == 0:
            careful = unusual(V_lanes, count, low)
            if careful or unusual(u_lanes, valid, -highest):
                report[layout.WAS_CAREFUL] = unusual(V_lanes, valid, low)
                check_finite(V_lanes, u_lanes, valid, table[layout.STEP], highest, report)
        else:
            careful = report[layout.CAREFUL] != 0
        for k in range(start, stop):
            fresh = RECEPTORS or k == start  # receptors have been added to the copy of the step before
            I = input_row(table, layout.INPUT_I, k, fresh, RECEPTORS, first, count, valid, scratch)  # noqa: E741
            delta = g = gE = b = bE = I  # never read unless the variant has them
            if RING:
                delta = ring_row(table, k, first, count, valid)
            elif DELTAS:
                delta = input_row(table, layout.INPUT_DELTA, k, fresh, False, first, count, valid, scratch + row)
            if CONDUCTANCES:
                g = input_row(table, layout.INPUT_G, k, fresh, RECEPTORS, first, count, valid, scratch + 2 * row)
                gE = input_row(table, layout.INPUT_GE, k, fresh, RECEPTORS, first, count, valid, scratch + 3 * row)
            if GATED:
                b, bE = array_at(scratch + 5 * row, count, number), array_at(scratch + 6 * row, count, number)
                clear(b)
                clear(bE)
            if RECEPTORS:
                receive(table, k, first, count, valid, (V_lanes, u_lanes, parameters), (I, g, gE, b, bE))
            now = np.int32(table[layout.STEP] + k - table[layout.BASE])
            inputs = I, delta, g, gE, b, bE
            careful = step_lanes(
                V_lanes, u_lanes, refractory_until, spikes, inputs, parameters, now, constants, careful
            )
            if RING:
                clear(delta)
            filled = array_at(scratch + 4 * row, count // 64, np.int64)
            infinite = collect(table, k, first, valid, filled, V_lanes, spikes, refractory_until, now, report)
            if careful or infinite:
                report[layout.WAS_CAREFUL] |= unusual(V_lanes, valid, low)
                check_finite(V_lanes, u_lanes, valid, table[layout.STEP] + k, highest, report)
            if table[layout.N_RECORDS]:
                record(table, k, block, V_lanes)
        report[layout.CAREFUL] = careful
        seldom = (
            stop == table[layout.STEPS] or start // layout.STRETCH < stop // layout.STRETCH
        )  # V would follow in the next step
        if seldom and unusual(u_lanes, valid, -highest):
            check_finite(V_lanes, u_lanes, valid, table[layout.STEP] + stop - 1, highest, report)

    return advance_block


def _step_lanes(variant: Variant) -> Callable[..., Any]:
    """`step_lanes(...)` -> careful: one step of all lanes of a block; whether V of a lane is below CAREFUL_V or not
    finite now, so that the next step needs care."""
    step = neuron_step(variant)
    p_type = variant.model.named_tuple("V_min", *DERIVED)
    number = np.dtype(variant.dtype).type
    zero = number(0.0)  # zero * V is not a number if V is infinite
    REFRACTORY, SHORT, RESET_FIRST = variant.refractory, variant.short, variant.scheme.reset_first

    def step_lanes(V, u, refractory_until, spikes, inputs, parameters, now, constants, careful):
        """One step of the lanes of a block.

        Parameters
        ----------
        V, u, refractory_until, spikes : arrays, shape (count,)
            Parts of the arrays in `layout`, changed but for refractory_until.
        inputs : tuple of six arrays, real (count,)
            I, delta, g, gE, b and bE, as x of `_model.schemes`.
        parameters : tuple
            Made by `parameter_lanes`.
        now : int32
            This step, counted from BASE.
        constants : real (3,)
        careful : bool
            Whether V of a lane may be too low for the short way.
        """
        add_attribute(WIDEST)
        I, delta, g, gE, b, bE = inputs  # noqa: E741
        dt, low = constants[layout.DT], constants[layout.CAREFUL_V]
        odd = np.int32(0)
        if SHORT and not careful:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):  # so LLVM knows that rows are whole vectors
                refractory = REFRACTORY and now < refractory_until[i]
                p = parameters_of(parameters, i, p_type, number)
                x = I[i], delta[i], g[i], gE[i], b[i], bE[i]
                V_new, u_new, spiked = step(V[i], u[i], refractory, x, p, p.gain, dt, False)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                odd = odd if V_new >= low else np.int32(1)
        else:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):
                refractory = REFRACTORY and now < refractory_until[i]
                p = parameters_of(parameters, i, p_type, number)
                x = I[i], delta[i], g[i], gE[i], b[i], bE[i]
                V_new, u_new, spiked = step(V[i], u[i], refractory, x, p, p.gain, dt, True)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                if not RESET_FIRST:  # else an infinite V counts as a spike here, and `collect` finds it
                    V_new = V_new + zero * V_new
                odd = odd if V_new >= low else np.int32(1)
        return odd != 0

    return step_lanes


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
        """The input of step k, real (count,): the caller's own row where it fills the block, else a padded copy.

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
        source = table[which] + stride * k * item
        if not copy and not shared and valid == count:
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
    REFRACTORY = refractory

    def collect(table, k, first, valid, filled, V, spikes, refractory_until, now, report):
        """Write the spike flags of a block to RASTER, one bit per neuron, and set LAST and REFRACTORY_UNTIL of the few
        neurons that spiked. Returns whether V of a neuron is infinite.

        Parameters
        ----------
        table, k, first, valid
            As of `input_row`.
        filled : int64 (words,)
            Scratch memory.
        V, spikes, refractory_until : arrays, shape (count,)
            Parts of the arrays in `layout`.
        now : int32
            This step, counted from BASE.
        report : int64 (REPORT_SIZE,)
        """
        words = array_at(table[layout.RASTER] + (k * table[layout.PADDED] + first) // 8, filled.size, np.uint64)
        last = array_at(table[layout.LAST] + first * 8, V.size, np.int64)
        refractory_steps = array_at(table[layout.REFRACTORY_STEPS] + first * 4, V.size, np.int32)
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
                if not V[lane] < np.inf:  # a failure, not a spike, nor healed by a reset
                    infinite, V[lane] = True, np.nan
                    spikes[lane] = 0
                    words[w] ^= bits & -bits
                else:
                    last[lane] = table[layout.STEP] + k
                    report[layout.N_SPIKES] += 1
                    if REFRACTORY:
                        refractory_until[lane] = now + np.int32(1) + refractory_steps[lane]
                bits &= bits - np.uint64(1)
        return infinite

    return inlined(collect)


def _check_finite(number) -> Callable[..., Any]:
    infinity = number(np.inf)

    @called
    def check_finite(V, u, valid, step, highest, report):
        """Write to the REPORT of a block, once, which neurons have a V or u that is not finite.

        Parameters
        ----------
        V, u : real (count,)
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
            if not (abs(V[i]) < infinity and abs(u[i]) < infinity):
                V[i] = V[i] if abs(V[i]) < infinity else number(np.nan)
                if report[layout.FAILED_COUNT] == 0:
                    report[layout.FAILED_STEP], report[layout.FAILED_LANE], report[layout.FAILED_V] = (
                        step,
                        i,
                        not abs(V[i]) < infinity,
                    )
                report[layout.FAILED_COUNT] += 1

    return check_finite


@called
def record(table, k, block, like):
    """For each record of which a sample is due after step k: copy the states of its neurons in this block to the
    sample. like: an array of the dtype of the population."""
    add_attribute(NOINLINE)
    for j in range(table[layout.N_RECORDS]):
        r = array_at(table[layout.RECORDS] + j * layout.RECORD_SIZE * 8, layout.RECORD_SIZE, np.int64)
        done, n = table[layout.STEP] + k + 1, r[layout.RECORD_N]
        sample = done // r[layout.RECORD_EVERY] - r[layout.RECORD_FIRST]
        if done % r[layout.RECORD_EVERY] or not 0 <= sample < r[layout.RECORD_ROOM]:
            continue
        starts = array_at(r[layout.RECORD_STARTS], block + 2, np.int64)
        neurons = array_at(r[layout.RECORD_NEURONS], n, np.int64)
        places = array_at(r[layout.RECORD_PLACES], n, np.int64)
        source = array_at(r[layout.RECORD_SOURCE], table[layout.PADDED], like.dtype)
        samples = array_at(r[layout.RECORD_SAMPLES] + sample * n * like.itemsize, n, like.dtype)
        for i in range(starts[block], starts[block + 1]):
            samples[places[i]] = source[neurons[i]]
