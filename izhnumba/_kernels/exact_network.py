"""The loop of the exact engine over slices: in each first all neurons, then all spikes, then all samples.

A slice ends before a spike of it can arrive anywhere, at the latest. Whatever lacks room says so; the call then returns
and is made again, and goes on where it was.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import prange, types

from izhnumba._compile import compiled, entry_point, inlined
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.codes import FAILURE, OK, ROOM
from izhnumba._kernels.exact_look import due
from izhnumba._kernels.lanes import array_at
from izhnumba._kernels.network import call_at
from izhnumba._kernels.queue import EVENT, append_all, block_of, real, set_real, slot_of
from izhnumba._timebase import GRID

BEGIN, ADVANCE, DELIVER, LOOK = range(4)  # phases of a slice


@inlined
def next_break(p):
    """When the next piece of the input begins, if it is known."""
    following = p[t.PIECE] - p[t.FIRST_PIECE] + 1
    known = p[t.LAST_PIECE] - p[t.FIRST_PIECE] + 1
    return array_at(p[t.BREAKS], known, np.float64)[following] if following < known else np.inf


@inlined
def begin(network, net, blocks):
    """Forget the spikes of the last call, and take over the events of this one."""
    for k in range(net[t.N_ALL_BLOCKS]):
        b = array_at(block_of(blocks[2 * k], blocks[2 * k + 1]), t.BLOCK_SIZE, np.int64)
        times = array_at(b[t.SPIKE_T], b[t.N_SPIKES], np.float64)
        neurons, kept, delivered = array_at(b[t.SPIKE_I], b[t.N_SPIKES], np.int64), 0, 0
        for s in range(times.size):
            if times[s] > real(network, t.NOW):  # of a slice that has not ended
                delivered += s < b[t.DELIVERED]
                times[kept], neurons[kept] = times[s], neurons[s]
                kept += 1
        b[t.N_SPIKES], b[t.DELIVERED] = kept, delivered
        append_all(b, array_at(b[t.OUTSIDE], b[t.N_OUTSIDE], EVENT), real(network, t.PER_MS), net[t.SLOTS])
        b[t.N_OUTSIDE] = 0
    set_real(network, t.FED, real(network, t.UNTIL))
    net[t.FRESH] = 0


@inlined
def end_of_slice(network, net):
    """At the end of the slot of time, at the latest; at the next break of an input or sample before."""
    per_ms, end = real(network, t.PER_MS), real(network, t.UNTIL)
    slot = slot_of(real(network, t.NOW), per_ms)
    edge = np.nextafter((slot + 1) / per_ms, 0.0)
    if edge <= real(network, t.NOW):
        edge = np.nextafter((slot + 2) / per_ms, 0.0)
    end = min(end, edge)
    populations = array_at(net[t.POPULATIONS], net[t.N_POPULATIONS], np.int64)
    for k in range(populations.size):
        p = array_at(populations[k], t.TABLE_SIZE, np.int64)
        end = min(end, next_break(p))
    for k in range(net[t.N_RECORDS]):
        record = net[t.RECORDS] + k * t.RECORD_SIZE * 8
        end = min(end, due(record))
    projections = array_at(net[t.PROJECTIONS], net[t.N_PROJECTIONS], np.int64)
    for k in range(projections.size):
        end = min(end, next_update(projections[k]))
    for k in range(populations.size):
        p = array_at(populations[k], t.TABLE_SIZE, np.int64)
        p[t.CUT] = next_break(p) <= end
    return end


@inlined
def next_update(projection):
    """When the rule of a projection changes all weights."""
    p = array_at(projection, t.PROJECTION_SIZE, np.int64)
    if not p[t.UPDATE]:
        return np.inf
    number = array_at(p[t.UPDATES], 1, np.int64)[0] + 1
    return np.rint(number * real(projection, t.PERIOD) * GRID) / GRID


@inlined
def break_is_due(network, net):
    """Whether the input of a population changes right now."""
    populations, due = array_at(net[t.POPULATIONS], net[t.N_POPULATIONS], np.int64), False
    for k in range(populations.size):
        due |= next_break(array_at(populations[k], t.TABLE_SIZE, np.int64)) <= real(network, t.NOW)
    return due


@inlined
def take_up_piece(p):
    """The values of the inputs that hold from now on."""
    p[t.PIECE] += 1
    p[t.CUT] = 0
    rows = array_at(p[t.PIECE_ROWS], p[t.N_PIECE_ROWS], np.int64)
    stride, n = p[t.PIECE_STRIDE], p[t.N]
    per_row = n if stride else 1
    values = array_at(
        p[t.PIECE_VALUES] + (p[t.PIECE] - p[t.FIRST_PIECE]) * rows.size * per_row * 8, rows.size * per_row, np.float64
    )
    for i in range(n):
        cell = array_at(p[t.CELLS] + i * p[t.CELL_SIZE] * 8, p[t.CELL_SIZE], np.float64)
        for k in range(rows.size):
            cell[rows[k]] = values[k * per_row + i * stride]


@inlined
def worst(codes):
    code = OK
    for k in range(codes.size):
        code = FAILURE if FAILURE in (code, codes[k]) else max(code, codes[k])
    return code


@functools.cache
def entry(parallel: bool) -> Any:
    """`run(table)` -> code: from NOW to UNTIL, or to what lacks room or fails."""
    loop = prange if parallel else range

    def run(table):
        network = table.ctypes.data
        populations = array_at(table[t.POPULATIONS], table[t.N_POPULATIONS], np.int64)
        projections = array_at(table[t.PROJECTIONS], table[t.N_PROJECTIONS], np.int64)
        blocks = array_at(table[t.ALL_BLOCKS], 2 * table[t.N_ALL_BLOCKS], np.int64)  # population and number
        codes = array_at(table[t.CODES], table[t.N_ALL_BLOCKS], np.int64)
        if table[t.FRESH]:
            begin(network, table, blocks)
        while table[t.PHASE] != BEGIN or real(network, t.NOW) < real(network, t.UNTIL) or break_is_due(network, table):
            if table[t.PHASE] == BEGIN:
                set_real(network, t.END, end_of_slice(network, table))
                table[t.SERIAL] += 1
                table[t.PHASE] = ADVANCE
            if table[t.PHASE] == ADVANCE:
                for k in loop(table[t.N_ALL_BLOCKS]):
                    p = array_at(blocks[2 * k], t.TABLE_SIZE, np.int64)
                    codes[k] = call_at(table[t.GATHER], network, blocks[2 * k], blocks[2 * k + 1])
                    if codes[k] == OK:
                        codes[k] = call_at(p[t.ADVANCE], network, blocks[2 * k], blocks[2 * k + 1])
                code = worst(codes)
                if code != OK:
                    return code
                table[t.PHASE] = DELIVER
            if table[t.PHASE] == DELIVER:
                for part in loop(table[t.N_PARTS]):
                    codes[part] = OK
                    for k in range(projections.size):
                        if codes[part] == OK:
                            codes[part] = call_at(table[t.DELIVER_TO], network, projections[k], part)
                if worst(codes) != OK:
                    return ROOM
                table[t.PHASE] = LOOK
            for k in range(table[t.N_ALL_BLOCKS]):
                b = array_at(block_of(blocks[2 * k], blocks[2 * k + 1]), t.BLOCK_SIZE, np.int64)
                b[t.DELIVERED] = b[t.N_SPIKES]
            set_real(network, t.NOW, real(network, t.END))
            for k in range(populations.size):
                p = array_at(populations[k], t.TABLE_SIZE, np.int64)
                if p[t.CUT]:
                    take_up_piece(p)
            for k in range(projections.size):
                if next_update(projections[k]) <= real(network, t.END):
                    p = array_at(projections[k], t.PROJECTION_SIZE, np.int64)
                    call_at(p[t.UPDATE], network, projections[k], 0)
                    array_at(p[t.UPDATES], 1, np.int64)[0] += 1
            for k in range(table[t.N_RECORDS]):
                record = table[t.RECORDS] + k * t.RECORD_SIZE * 8
                r = array_at(record, t.RECORD_SIZE, np.int64)
                p = array_at(r[t.RECORD_TABLE], t.TABLE_SIZE, np.int64)
                call_at(p[t.LOOK], network, record, 0)
            table[t.PHASE] = BEGIN
        for k in range(populations.size * table[t.SHOWS]):
            p = array_at(populations[k], t.TABLE_SIZE, np.int64)
            call_at(p[t.SHOW], network, populations[k], 0)
        return OK

    return entry_point(compiled(run, parallel=parallel), (types.int64[::1],))
