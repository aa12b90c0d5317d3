"""The loop of the exact engine over slices: in each first all neurons advance, then all spikes are delivered, then
samples are taken.

A slice ends, at the latest, before a spike of it can arrive anywhere. A call that lacks room returns ROOM; made again,
it goes on where it was.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import prange, types

from izhnumba._engine.codes import FAILURE, OK, ROOM
from izhnumba._engine.timebase import GRID
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import block_of, real, set_real, slot_of
from izhnumba._exact.kernels.sample import due
from izhnumba._numba.compile import called, compiled, entry_point
from izhnumba._numba.intrinsics import call_at, ints_at, reals_at

BEGIN, ADVANCE, DELIVER, SAMPLE = range(4)  # phases of a slice


@called
def begin(network):
    """Begin a call: the spikes of the last one are forgotten, but for those of a slice that has not ended."""
    net = ints_at(network)
    blocks = ints_at(net[layout.ALL_BLOCKS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        times, neurons, kept, delivered = reals_at(b[layout.SPIKE_T]), ints_at(b[layout.SPIKE_I]), 0, 0
        for s in range(b[layout.N_SPIKES]):
            if times[s] > real(network, layout.NOW):
                delivered += s < b[layout.DELIVERED]
                times[kept], neurons[kept] = times[s], neurons[s]
                kept += 1
        b[layout.N_SPIKES], b[layout.DELIVERED] = kept, delivered
    set_real(network, layout.FED, max(real(network, layout.FED), real(network, layout.UNTIL)))
    net[layout.FRESH] = 0


@called
def allow_steps(network):
    """Set LAST_STEP of all blocks, for MOST_STEPS in this call. Returns the number of neurons."""
    net, n_neurons = ints_at(network), 0
    blocks = ints_at(net[layout.ALL_BLOCKS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        b[layout.LAST_STEP] = b[layout.N_STEPS] + layout.MOST_STEPS
        n_neurons += b[layout.N_NEURONS]
    return n_neurons


@called
def next_break(population):
    """Time (ms) at which the next piece of the input begins; infinity if none is known."""
    p = ints_at(population)
    following = p[layout.PIECE] - p[layout.FIRST_PIECE] + 1
    return reals_at(p[layout.BREAKS])[following] if p[layout.PIECE] < p[layout.LAST_PIECE] else np.inf


@called
def next_update(projection):
    """Time (ms) of the next update of a plastic projection; infinity if its rule has none."""
    p = ints_at(projection)
    if not p[layout.UPDATE]:
        return np.inf
    return np.rint((ints_at(p[layout.UPDATES])[0] + 1) * real(projection, layout.PERIOD) * GRID) / GRID


@called
def begin_slice(network):
    """Set the END of the next slice: the end of the slot of time, or the next break of an input, update or sample
    before that. Returns whether there is a slice before UNTIL."""
    net = ints_at(network)
    now, until, per_ms = real(network, layout.NOW), real(network, layout.UNTIL), real(network, layout.PER_MS)
    slot = slot_of(now, per_ms)
    edge = np.nextafter((slot + 1) / per_ms, 0.0)
    if edge <= now:
        edge = np.nextafter((slot + 2) / per_ms, 0.0)
    end, first_break = min(until, edge), np.inf
    populations, projections = ints_at(net[layout.POPULATIONS]), ints_at(net[layout.PROJECTIONS])
    for k in range(net[layout.N_POPULATIONS]):
        first_break = min(first_break, next_break(populations[k]))
    for k in range(net[layout.N_PROJECTIONS]):
        end = min(end, next_update(projections[k]))
    for k in range(net[layout.N_RECORDS]):
        end = min(end, due(net[layout.RECORDS] + k * layout.RECORD_SIZE * 8))
    if now >= until and first_break > now:
        return False
    end = min(end, first_break)
    for k in range(net[layout.N_POPULATIONS]):
        ints_at(populations[k])[layout.CUT] = next_break(populations[k]) <= end
    set_real(network, layout.END, end)
    net[layout.SERIAL] += 1
    net[layout.PHASE] = ADVANCE
    return True


@called
def apply_piece(population):
    """Write the values of the next piece of the input to the states of all neurons."""
    p = ints_at(population)
    p[layout.PIECE] += 1
    p[layout.CUT] = 0
    rows, n_rows, stride, n = ints_at(p[layout.PIECE_ROWS]), p[layout.N_PIECE_ROWS], p[layout.PIECE_STRIDE], p[layout.N]
    per_row = n if stride else 1
    values = reals_at(p[layout.PIECE_VALUES] + (p[layout.PIECE] - p[layout.FIRST_PIECE]) * n_rows * per_row * 8)
    for i in range(n):
        state = reals_at(p[layout.STATES] + i * p[layout.STATE_SIZE] * 8)
        for k in range(n_rows):
            state[rows[k]] = values[k * per_row + i * stride]


@called
def modulate_all(network, last):
    """Add what the spikes of the slice release to modulators; last: those at its very end, 1, or those before, 0."""
    net = ints_at(network)
    projections = ints_at(net[layout.PROJECTIONS])
    for k in range(net[layout.N_PROJECTIONS]):
        if ints_at(projections[k])[layout.MODULATE]:
            call_at(ints_at(projections[k])[layout.MODULATE], network, projections[k], last)


@called
def end_slice(network):
    """The end of a slice: time, pieces of the input, updates of weights, samples. Returns a code: FAILURE if a neuron
    that is sampled does not get there."""
    net = ints_at(network)
    blocks, populations = ints_at(net[layout.ALL_BLOCKS]), ints_at(net[layout.POPULATIONS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        b[layout.DELIVERED] = b[layout.N_SPIKES]
    modulate_all(network, 0)
    set_real(network, layout.NOW, real(network, layout.END))
    for k in range(net[layout.N_POPULATIONS]):
        if ints_at(populations[k])[layout.CUT]:
            apply_piece(populations[k])
    projections = ints_at(net[layout.PROJECTIONS])
    for k in range(net[layout.N_PROJECTIONS]):
        if next_update(projections[k]) <= real(network, layout.END):
            p = ints_at(projections[k])
            call_at(p[layout.UPDATE], network, projections[k], 0)
            ints_at(p[layout.UPDATES])[0] += 1
    modulate_all(network, 1)
    code = OK
    for k in range(net[layout.N_RECORDS]):
        record = net[layout.RECORDS] + k * layout.RECORD_SIZE * 8
        code = max(code, call_at(ints_at(ints_at(record)[layout.RECORD_TABLE])[layout.SAMPLE], network, record, 0))
    net[layout.PHASE] = BEGIN
    return code


@called
def worst(network, n):
    """The worst of the first n CODES."""
    codes, code = ints_at(ints_at(network)[layout.CODES]), OK
    for k in range(n):
        code = FAILURE if FAILURE in (code, codes[k]) else max(code, codes[k])
    return code


@called
def advance_block(network, k):
    """Gather the events of block k of all, and advance its neurons to the end of the slice."""
    net = ints_at(network)
    population, number = ints_at(net[layout.ALL_BLOCKS])[2 * k], ints_at(net[layout.ALL_BLOCKS])[2 * k + 1]
    code = call_at(net[layout.GATHER], network, population, number) if net[layout.GATHER] else OK
    if code == OK:
        code = call_at(ints_at(population)[layout.ADVANCE], network, population, number)
    ints_at(net[layout.CODES])[k] = code


@called
def deliver_part(network, part):
    """Deliver the spikes of the slice to one part of the targets of all projections."""
    net, code = ints_at(network), OK
    for k in range(net[layout.N_PROJECTIONS]):
        if code == OK:
            code = call_at(net[layout.DELIVER_TO], network, ints_at(net[layout.PROJECTIONS])[k], part)
    ints_at(net[layout.CODES])[part] = code


@functools.cache
def entry(parallel: bool):
    """`run(table)` -> code: advance from NOW to UNTIL, or until a kernel lacks room or a neuron fails. ROOM is also
    returned after much work, so that Python can handle a Ctrl-C."""
    loop = prange if parallel else range

    def run(table):
        network = table.ctypes.data
        if table[layout.FRESH]:
            begin(network)
        visits, n_neurons = 0, allow_steps(network)
        while table[layout.PHASE] != BEGIN or begin_slice(network):
            visits += n_neurons + layout.SLICE_VISITS
            if visits > layout.MOST_VISITS + n_neurons:
                return ROOM
            if table[layout.PHASE] == ADVANCE:
                for k in loop(table[layout.N_ALL_BLOCKS]):
                    advance_block(network, k)
                code = worst(network, table[layout.N_ALL_BLOCKS])
                if code != OK:
                    return code
                table[layout.PHASE] = DELIVER
            if table[layout.PHASE] == DELIVER and table[layout.N_PROJECTIONS]:
                for part in loop(table[layout.N_PARTS]):
                    deliver_part(network, part)
                if worst(network, table[layout.N_PARTS]) != OK:
                    return ROOM
            table[layout.PHASE] = SAMPLE
            if end_slice(network) != OK:
                return FAILURE
        return OK

    return entry_point(compiled(run, parallel=parallel), (types.int64[::1],))


def _publish_state(table):
    """Write V and u of now to the arrays that users read. Returns a code: FAILURE if a neuron does not get there."""
    populations, code = ints_at(table[layout.POPULATIONS]), OK
    for k in range(table[layout.N_POPULATIONS]):
        p = ints_at(populations[k])
        code = max(code, call_at(p[layout.SAMPLE], table.ctypes.data, p[layout.SHOWN_RECORD], 1))
    return code


publish_state = compiled(_publish_state)
