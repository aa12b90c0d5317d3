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
from izhnumba._clock.kernels.advance import begin
from izhnumba._engine.codes import FAILURE, LEAP, OK, ROOM
from izhnumba._numba.compile import called, compiled, entry_point, inlined
from izhnumba._numba.intrinsics import array_at, call_at, ints_at, trailing_zeros

# --- A projection: rows of synapses, one row for each source neuron (in networks from older files also for each part of
# the targets).
# SOURCE, TARGET   addresses of the tables of the populations
# FIRST, N_ROWS    first source neuron, and how many
# PARTS            parts of the targets: of gap junctions, each of which one thread owns; 1 in networks of today
# ROWS             int64 (N_ROWS * PARTS + 1,): where each row begins among the synapses
# OFFSETS          uint32 (synapses,): delay in steps * PADDED of the target + target neuron
# WEIGHTS          real (synapses,): mV, current or conductance, as the receptor has it
# RING             real (RING_STEPS, PADDED) of the target's receptor: row k % RING_STEPS holds what arrives in step k
# LATER            int64 (N_ROWS * PARTS,): where in each row the synapses begin whose delays are a step or more
# AT_ONCE          real (PADDED,) of the target's receptor: what the others, of delay 0, let arrive in this step
# Of dense projections only, whose rows hold a weight for every target:
# FIRST_TARGET, N_TARGETS   first target neuron, and how many
# DELAY            steps, of all synapses
# HOLE             the target left out of row 0 (the neuron itself), in the next row the next one; NO_HOLE: none is
(
    SOURCE, TARGET, FIRST, N_ROWS, PARTS, ROWS, OFFSETS, WEIGHTS, RING, LATER, AT_ONCE,
    FIRST_TARGET, N_TARGETS, DELAY, HOLE, PROJECTION_SIZE,
) = range(16)  # fmt: skip
NO_HOLE = -(2**40)


@functools.cache
def entry(parallel: bool):
    """`run(table)` -> code: advance a network by NET_STEPS steps, or to the end of the slice in which a neuron fails
    (FAILURE) or behind which a queue may have no room (ROOM). LEAP if a population returned that, else OK."""
    loop = prange if parallel else range

    def run(table):
        populations, deliveries = ints_at(table[layout.POPULATIONS]), table[layout.DELIVERIES]
        n_deliveries, done, failed, leapt = table[layout.N_DELIVERIES], 0, False, False
        before, n_before = table[layout.BEFORE], table[layout.N_BEFORE]
        projections, n_projections = table[layout.PROJECTIONS], table[layout.N_PROJECTIONS]
        for p in range(table[layout.N_POPULATIONS]):
            population = ints_at(populations[2 * p + 1])
            population[layout.STEPS] = table[layout.NET_STEPS]
            begin(population)
        for part in range(table[layout.N_PARTS]):
            call_all(deliveries, n_deliveries, part, layout.OPEN)
        full = one_is_full(deliveries, n_deliveries)
        while done < table[layout.NET_STEPS] and not (failed or full):
            in_slice = table[layout.NET_SLICE] - (table[layout.NET_STEP] + done) % table[layout.NET_SLICE]
            stop = min(done + in_slice, table[layout.NET_STEPS])
            if n_before:
                for part in loop(table[layout.N_PARTS]):
                    call_all(before, n_before, part, done)
            call_all(table[layout.SPIKE_INPUTS], table[layout.N_SPIKE_INPUTS], done, stop)
            for p in range(table[layout.N_POPULATIONS]):
                code = call_at(populations[2 * p], populations[2 * p + 1], done, stop)
                failed |= code == FAILURE
                leapt |= code == LEAP
            for part in loop(table[layout.N_PARTS]):
                for k in range(done, stop):
                    call_all(deliveries, n_deliveries, part, k)
                    call_all(projections, n_projections, part, k)
            done = stop
            full = done < table[layout.NET_STEPS] and one_is_full(deliveries, n_deliveries)
        for q in range(n_deliveries):
            delivery = ints_at(deliveries)[2 * q + 1]
            if ints_at(delivery)[layout.SETTLES]:
                call_at(ints_at(deliveries)[2 * q], delivery, 0, layout.SETTLE)
        if not failed:
            call_all(table[layout.LISTS], table[layout.N_LISTS], done, 0)
        table[layout.NET_STEP] += done
        for p in range(table[layout.N_POPULATIONS]):
            ints_at(populations[2 * p + 1])[layout.STEP] += done
        return FAILURE if failed else ROOM if full else LEAP if leapt else OK

    return entry_point(compiled(run, parallel=parallel), (types.int64[::1],))


@called
def call_all(calls, n, part, k):
    """Call n kernels, each with its table, a part and a step. calls: address of int64 (n, 2)."""
    for q in range(n):
        kernel = ints_at(calls + 16 * q)
        call_at(kernel[0], kernel[1], part, k)


@called
def one_is_full(deliveries, n):
    """Whether a queue of one of n deliveries has no room for what the next slice may send. deliveries: as in
    `call_all`."""
    for q in range(n):
        d = ints_at(ints_at(deliveries)[2 * q + 1])
        for part in range(d[layout.SHARES]):
            queue = ints_at(d[layout.QUEUES] + part * layout.QUEUE_SIZE * 8)
            if queue[layout.QUEUE_COUNT] + d[layout.MOST_SENT] > queue[layout.QUEUE_ROOM]:
                return True
    return False


@inlined
def spikes_of(population, k):
    """The neurons that spiked in step k of this call: bits of words, uint64 (PADDED / 64,). population: its address."""
    p = ints_at(population)
    words = p[layout.PADDED] // 64
    return array_at(p[layout.RASTER] + k * words * 8, words, np.uint64)


@inlined
def next_spike(words, neuron, end):
    """The first neuron from `neuron` on that spiked, or `end`: those from there on do not count."""
    if neuron >= end:
        return end
    w = neuron // 64
    bits = words[w] >> np.uint64(neuron % 64) << np.uint64(neuron % 64)
    while not bits and (w + 1) * 64 < end:
        w += 1
        bits = words[w]
    return min(w * 64 + np.int64(trailing_zeros(bits)), end) if bits else end
