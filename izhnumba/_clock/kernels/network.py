"""The loop of a network: slices as long as the shortest delay; in each first all neurons advance, then all spikes are
delivered.

Kernels of a population or of a kind of synapses are called by their addresses, so a network of any populations and
synapses needs no compiling of its own.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import prange, types

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.receptors import add_row
from izhnumba._engine.codes import FAILURE, OK
from izhnumba._numba.compile import address_of, compiled, entry_point, inlined
from izhnumba._numba.intrinsics import array_at, call_at, prefetch, trailing_zeros

# --- A projection: rows of synapses, one row for each source neuron and part of the targets.
# SOURCE, TARGET   addresses of the tables of the populations
# FIRST, N_ROWS    first source neuron, and how many
# PARTS            parts of the targets, each of which one thread owns
# ROWS             int64 (N_ROWS * PARTS + 1,): where each row begins among the synapses
# OFFSETS          uint32 (synapses,): delay in steps * PADDED of the target + target neuron
# WEIGHTS          real (synapses,): mV, current or conductance, as the receptor has it
# RING             real (RING_STEPS, PADDED) of the target's receptor: row k % RING_STEPS holds what arrives in step k
# LIST             int64 (PARTS, N_ROWS): scratch for the rows to deliver
# Of dense projections only, whose rows hold a weight for every target:
# FIRST_TARGET, N_TARGETS   first target neuron, and how many
# DELAY            steps, of all synapses
# HOLE             the target left out of row 0 (the neuron itself), in the next row the next one; NO_HOLE: none is
(
    SOURCE, TARGET, FIRST, N_ROWS, PARTS, ROWS, OFFSETS, WEIGHTS, RING, LIST,
    FIRST_TARGET, N_TARGETS, DELAY, HOLE, PROJECTION_SIZE,
) = range(15)  # fmt: skip
NO_HOLE = -(2**40)
AHEAD = 4  # rows between the one delivered and the one fetched into the cache
MOST_FETCHED = 8  # cache lines of a row


@functools.cache
def entry(parallel: bool):
    """`run(table)` -> code: advance a network by NET_STEPS steps, or to the end of the slice in which a neuron
    fails."""
    loop = prange if parallel else range

    def run(table):
        populations = array_at(table[layout.POPULATIONS], 2 * table[layout.N_POPULATIONS], np.int64)
        projections = array_at(table[layout.PROJECTIONS], 2 * table[layout.N_PROJECTIONS], np.int64)
        before = array_at(table[layout.BEFORE], 2 * table[layout.N_BEFORE], np.int64)
        spikes = array_at(table[layout.SPIKE_INPUTS], 2 * table[layout.N_SPIKE_INPUTS], np.int64)
        done, failed = 0, False
        while done < table[layout.NET_STEPS] and not failed:
            in_slice = table[layout.NET_SLICE] - (table[layout.NET_STEP] + done) % table[layout.NET_SLICE]
            stop = min(done + in_slice, table[layout.NET_STEPS])
            if table[layout.N_BEFORE]:
                for part in loop(table[layout.N_PARTS]):
                    for p in range(table[layout.N_BEFORE]):
                        call_at(before[2 * p], before[2 * p + 1], part, done)
            for p in range(table[layout.N_SPIKE_INPUTS]):
                call_at(spikes[2 * p], spikes[2 * p + 1], done, stop)
            for p in range(table[layout.N_POPULATIONS]):
                failed |= call_at(populations[2 * p], populations[2 * p + 1], done, stop) == FAILURE
            for part in loop(table[layout.N_PARTS]):
                for k in range(done, stop):
                    for p in range(table[layout.N_PROJECTIONS]):
                        call_at(projections[2 * p], projections[2 * p + 1], part, k)
            done = stop
        table[layout.NET_STEP] += done
        for p in range(table[layout.N_POPULATIONS]):
            array_at(populations[2 * p + 1], layout.STEP + 1, np.int64)[layout.STEP] += done
        return FAILURE if failed else OK

    return entry_point(compiled(run, parallel=parallel), (types.int64[::1],))


@functools.cache
def sparse(dtype: str) -> int:
    """Address of `deliver(projection, part, k)`: for each spike of step k, in the order of the neurons, add the weights
    of its row to the places of the ring that the row's offsets point at."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def deliver(address, part, k):
        p = array_at(address, PROJECTION_SIZE, np.int64)
        parts, target = p[PARTS], array_at(p[TARGET], layout.TABLE_SIZE, np.int64)
        if part >= parts:
            return OK
        spiking = rows_to_deliver(p, part, k)
        rows = array_at(p[ROWS], p[N_ROWS] * parts + 1, np.int64)
        offsets = array_at(p[OFFSETS], rows[p[N_ROWS] * parts], np.uint32)
        weights = array_at(p[WEIGHTS], offsets.size, number)
        cells = np.uint32(target[layout.RING_STEPS] * target[layout.PADDED])
        ring = array_at(p[RING], np.int64(cells), number)
        base = np.uint32((target[layout.STEP] + k) % target[layout.RING_STEPS] * target[layout.PADDED])
        for j in range(spiking.size):
            if j + AHEAD < spiking.size:
                ahead = spiking[j + AHEAD] * parts + part
                for line in range(min((rows[ahead + 1] - rows[ahead] + 15) // 16, MOST_FETCHED)):
                    prefetch(p[OFFSETS] + (rows[ahead] + line * 16) * 4)
                    prefetch(p[WEIGHTS] + (rows[ahead] + line * 16) * item)
            row = spiking[j] * parts + part
            for s in range(np.uint64(rows[row]), np.uint64(rows[row + 1])):
                cell = np.uint32(base + offsets[s])
                cell = min(cell, np.uint32(cell - cells))  # once around the ring: unsigned numbers wrap
                ring[cell] += weights[s]
        return OK

    return address_of(compiled(deliver), (types.int64,) * 3)


@functools.cache
def dense(dtype: str) -> int:
    """Address of `deliver(projection, part, k)` of a dense projection: add whole rows of weights to the ring."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def add(cells, weights, low, high):
        """cells[low:high] += weights[low:high], both given by the addresses of their places 0."""
        n = max(high - low, 0)
        add_row(array_at(cells + low * item, n, number), array_at(weights + low * item, n, number))

    def deliver(address, part, k):
        p = array_at(address, PROJECTION_SIZE, np.int64)
        parts, n, target = p[PARTS], p[N_TARGETS], array_at(p[TARGET], layout.TABLE_SIZE, np.int64)
        if part >= parts:
            return OK
        slot = (target[layout.STEP] + k + p[DELAY]) % target[layout.RING_STEPS]
        cells = p[RING] + (slot * target[layout.PADDED] + p[FIRST_TARGET]) * item
        low, high = n * part // parts, n * (part + 1) // parts
        rows = array_at(p[ROWS], p[N_ROWS], np.int64)
        spiking = rows_to_deliver(p, part, k)
        for j in range(spiking.size):
            weights, hole = p[WEIGHTS] + rows[spiking[j]] * item, spiking[j] + p[HOLE]
            if not 0 <= hole < n:
                add(cells, weights, low, high)
            else:
                add(cells, weights, low, min(hole, high))
                add(cells, weights - item, max(hole + 1, low), high)
        return OK

    return address_of(compiled(deliver), (types.int64,) * 3)


@inlined
def rows_to_deliver(p, part, k):
    """The rows whose source neurons spiked in step k, int64, ascending, in the LIST of this part."""
    source = array_at(p[SOURCE], layout.TABLE_SIZE, np.int64)
    first, end, n = p[FIRST], p[FIRST] + p[N_ROWS], 0
    words = array_at(source[layout.RASTER] + k * source[layout.PADDED] // 8, source[layout.PADDED] // 64, np.uint64)
    rows = array_at(p[LIST] + part * p[N_ROWS] * 8, p[N_ROWS], np.int64)
    for w in range(first // 64, (end + 63) // 64):
        bits = words[w]
        while bits:
            neuron = w * 64 + np.int64(trailing_zeros(bits))
            bits &= bits - np.uint64(1)
            if first <= neuron < end:
                rows[n] = neuron - first
                n += 1
    return rows[:n]
