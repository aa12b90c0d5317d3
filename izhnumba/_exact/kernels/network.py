"""The loop of the exact engine over slices: in each first all neurons, then all spikes, then all samples.

A slice ends before a spike of it can arrive anywhere, at the latest. Whatever lacks room says so; the call then returns
and is made again, and goes on where it was.
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

BEGIN, ADVANCE, DELIVER, LOOK = range(4)  # phases of a slice


@called
def begin(network):
    """Forget the spikes of the last call."""
    net = ints_at(network)
    blocks = ints_at(net[layout.ALL_BLOCKS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        times, neurons, kept, delivered = reals_at(b[layout.SPIKE_T]), ints_at(b[layout.SPIKE_I]), 0, 0
        for s in range(b[layout.N_SPIKES]):
            if times[s] > real(network, layout.NOW):  # of a slice that has not ended
                delivered += s < b[layout.DELIVERED]
                times[kept], neurons[kept] = times[s], neurons[s]
                kept += 1
        b[layout.N_SPIKES], b[layout.DELIVERED] = kept, delivered
    set_real(network, layout.FED, max(real(network, layout.FED), real(network, layout.UNTIL)))
    net[layout.FRESH] = 0


@called
def allow_steps(network):
    """Let blocks take so many steps in this call. Returns the number of neurons."""
    net, n_cells = ints_at(network), 0
    blocks = ints_at(net[layout.ALL_BLOCKS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        b[layout.LAST_STEP] = b[layout.N_STEPS] + layout.MOST_STEPS
        n_cells += b[layout.N_CELLS]
    return n_cells


@called
def next_break(population):
    """When the next piece of the input begins, if it is known."""
    p = ints_at(population)
    following = p[layout.PIECE] - p[layout.FIRST_PIECE] + 1
    return reals_at(p[layout.BREAKS])[following] if p[layout.PIECE] < p[layout.LAST_PIECE] else np.inf


@called
def next_update(projection):
    """When the rule of a projection changes all weights."""
    p = ints_at(projection)
    if not p[layout.UPDATE]:
        return np.inf
    return np.rint((ints_at(p[layout.UPDATES])[0] + 1) * real(projection, layout.PERIOD) * GRID) / GRID


@called
def begin_slice(network):
    """It ends with the slot of time at the latest, and at the next break of an input, update or sample before. Tells
    whether there is one."""
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
def take_up_piece(population):
    """The values of the inputs that hold from now on."""
    p = ints_at(population)
    p[layout.PIECE] += 1
    p[layout.CUT] = 0
    rows, n_rows, stride, n = ints_at(p[layout.PIECE_ROWS]), p[layout.N_PIECE_ROWS], p[layout.PIECE_STRIDE], p[layout.N]
    per_row = n if stride else 1
    values = reals_at(p[layout.PIECE_VALUES] + (p[layout.PIECE] - p[layout.FIRST_PIECE]) * n_rows * per_row * 8)
    for i in range(n):
        cell = reals_at(p[layout.CELLS] + i * p[layout.CELL_SIZE] * 8)
        for k in range(n_rows):
            cell[rows[k]] = values[k * per_row + i * stride]


@called
def end_slice(network):
    """All that comes when neurons and spikes have been looked after. FAILURE if a neuron does not get there."""
    net = ints_at(network)
    blocks, populations = ints_at(net[layout.ALL_BLOCKS]), ints_at(net[layout.POPULATIONS])
    for k in range(net[layout.N_ALL_BLOCKS]):
        b = ints_at(block_of(blocks[2 * k], blocks[2 * k + 1]))
        b[layout.DELIVERED] = b[layout.N_SPIKES]
    set_real(network, layout.NOW, real(network, layout.END))
    for k in range(net[layout.N_POPULATIONS]):
        if ints_at(populations[k])[layout.CUT]:
            take_up_piece(populations[k])
    projections = ints_at(net[layout.PROJECTIONS])
    for k in range(net[layout.N_PROJECTIONS]):
        if next_update(projections[k]) <= real(network, layout.END):
            p = ints_at(projections[k])
            call_at(p[layout.UPDATE], network, projections[k], 0)
            ints_at(p[layout.UPDATES])[0] += 1
    code = OK
    for k in range(net[layout.N_RECORDS]):
        record = net[layout.RECORDS] + k * layout.RECORD_SIZE * 8
        code = max(code, call_at(ints_at(ints_at(record)[layout.RECORD_TABLE])[layout.LOOK], network, record, 0))
    net[layout.PHASE] = BEGIN
    return code


@called
def worst(network, n):
    """The gravest of the first n codes."""
    codes, code = ints_at(ints_at(network)[layout.CODES]), OK
    for k in range(n):
        code = FAILURE if FAILURE in (code, codes[k]) else max(code, codes[k])
    return code


@called
def advance_block(network, k):
    """The events of a block, and its neurons to the end of the slice."""
    net = ints_at(network)
    population, number = ints_at(net[layout.ALL_BLOCKS])[2 * k], ints_at(net[layout.ALL_BLOCKS])[2 * k + 1]
    code = call_at(net[layout.GATHER], network, population, number) if net[layout.GATHER] else OK
    if code == OK:
        code = call_at(ints_at(population)[layout.ADVANCE], network, population, number)
    ints_at(net[layout.CODES])[k] = code


@called
def deliver_part(network, part):
    """The spikes of the slice, to one part of the targets."""
    net, code = ints_at(network), OK
    for k in range(net[layout.N_PROJECTIONS]):
        if code == OK:
            code = call_at(net[layout.DELIVER_TO], network, ints_at(net[layout.PROJECTIONS])[k], part)
    ints_at(net[layout.CODES])[part] = code


@functools.cache
def entry(parallel: bool):
    """`run(table)` -> code: from NOW to UNTIL, or to what lacks room or fails; ROOM also after so much work that it is
    time to look for Ctrl-C."""
    loop = prange if parallel else range

    def run(table):
        network = table.ctypes.data
        if table[layout.FRESH]:
            begin(network)
        visits, n_cells = 0, allow_steps(network)
        while table[layout.PHASE] != BEGIN or begin_slice(network):
            visits += n_cells + layout.SLICE_VISITS
            if visits > layout.MOST_VISITS + n_cells:
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
            table[layout.PHASE] = LOOK
            if end_slice(network) != OK:
                return FAILURE
        return OK

    return entry_point(compiled(run, parallel=parallel), (types.int64[::1],))


def _publish_state(table):
    """Let V and u of all populations be those of the present. FAILURE if a neuron does not get there."""
    populations, code = ints_at(table[layout.POPULATIONS]), OK
    for k in range(table[layout.N_POPULATIONS]):
        p = ints_at(populations[k])
        code = max(code, call_at(p[layout.LOOK], table.ctypes.data, p[layout.SHOWN_RECORD], 1))
    return code


publish_state = compiled(_publish_state)
