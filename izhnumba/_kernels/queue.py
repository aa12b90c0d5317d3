"""Spikes under way in continuous time: from the spikes of a slice to events of each block, and to events sorted by
neuron and time.

Slots of time are as wide as a slice, and each block keeps those of its own neurons, so that no two threads write to one
place. Nothing is lost for want of room: a kernel looks first, says what it lacks, and is called again.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import types

from izhnumba._compile import address_of, compiled, inlined
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.codes import OK, ROOM
from izhnumba._kernels.lanes import array_at
from izhnumba._kernels.network import prefetch

EVENT, LIST_END = t.EVENT, -1
AHEAD = 4  # spikes between the one delivered and the one whose synapses are fetched into the cache


@inlined
def real(address, entry):
    """A number of a table whose bits are those of a float."""
    return array_at(address + entry * 8, 1, np.float64)[0]


@inlined
def set_real(address, entry, value):
    array_at(address + entry * 8, 1, np.float64)[0] = value


@inlined
def block_of(population, number):
    """Address of the table of a block."""
    return array_at(population, t.TABLE_SIZE, np.int64)[t.BLOCKS] + number * t.BLOCK_SIZE * 8


@inlined
def slot_of(time, per_ms):
    """Slots of time are numbered without end; in memory they go around, and their number there is a power of two."""
    return np.int64(time * per_ms)


@inlined
def place_in(b, slot):
    """Where the next event of a slot is to be put, in a block that has room for it."""
    links, tails = array_at(b[t.LINKS], b[t.N_CHUNKS], np.int64), array_at(b[t.TAILS], slot + 1, np.int64)
    filled = array_at(b[t.FILLED], slot + 1, np.int64)
    if tails[slot] == LIST_END or filled[slot] == t.CHUNK:
        chunk = b[t.FREE]
        b[t.FREE] = links[chunk]
        b[t.N_FREE] -= 1
        links[chunk] = tails[slot]
        tails[slot], filled[slot] = chunk, 0
    filled[slot] += 1
    return tails[slot] * t.CHUNK + filled[slot] - 1


@functools.cache
def gather() -> int:
    """Address of `gather(network, population, block)`: the events of the slice that ends at END, sorted by neuron, and
    those of a neuron by time and key."""

    def gather(network, population, number):
        b = array_at(block_of(population, number), t.BLOCK_SIZE, np.int64)
        net = array_at(network, t.NET_SIZE, np.int64)
        if b[t.GATHERED] == net[t.SERIAL]:
            return OK
        end, per_ms, n_slots = real(network, t.END), real(network, t.PER_MS), net[t.SLOTS]
        first, last = slot_of(real(network, t.NOW), per_ms), slot_of(end, per_ms)
        tails, filled = array_at(b[t.TAILS], n_slots, np.int64), array_at(b[t.FILLED], n_slots, np.int64)
        links = array_at(b[t.LINKS], b[t.N_CHUNKS], np.int64)
        waiting = array_at(b[t.CHUNKS], b[t.N_CHUNKS] * t.CHUNK, EVENT)
        cursors, ends = array_at(b[t.CURSORS], b[t.N_CELLS], np.int64), array_at(b[t.ENDS], b[t.N_CELLS], np.int64)
        for j in range(ends.size):
            ends[j] = 0
        total = 0
        for slot in range(first, last + 1):
            chunk, count = tails[slot & (n_slots - 1)], filled[slot & (n_slots - 1)]
            while chunk != LIST_END:
                for k in range(chunk * t.CHUNK, chunk * t.CHUNK + count):
                    if waiting[k].t <= end:
                        ends[waiting[k].target] += 1
                        total += 1
                chunk, count = links[chunk], t.CHUNK
        if total > b[t.SORTED_ROOM] or (b[t.N_FREE] == 0 and b[t.N_CHUNKS]):  # one for what is left in a slot
            b[t.WANTED_SORTED], b[t.WANTED_CHUNKS] = total, 1
            return ROOM
        total = 0
        for j in range(ends.size):
            cursors[j] = total
            total += ends[j]
            ends[j] = cursors[j]
        events = array_at(b[t.SORTED], b[t.SORTED_ROOM], EVENT)
        for slot in range(first, last + 1):
            chunk, count = tails[slot & (n_slots - 1)], filled[slot & (n_slots - 1)]
            tails[slot & (n_slots - 1)] = LIST_END
            while chunk != LIST_END:
                for k in range(chunk * t.CHUNK, chunk * t.CHUNK + count):
                    event = waiting[k]
                    if event.t <= end:
                        j = event.target
                        place = ends[j]
                        ends[j] += 1
                        while place > cursors[j] and (
                            events[place - 1].t > event.t
                            or (events[place - 1].t == event.t and events[place - 1].key > event.key)
                        ):
                            events[place] = events[place - 1]
                            place -= 1
                        events[place] = event
                    else:
                        waiting[place_in(b, slot & (n_slots - 1))] = event
                ahead = links[chunk]
                links[chunk] = b[t.FREE]
                b[t.FREE] = chunk
                b[t.N_FREE] += 1
                chunk, count = ahead, t.CHUNK
        b[t.GATHERED] = net[t.SERIAL]
        return OK

    return address_of(compiled(gather), (types.int64,) * 3)


@inlined
def fetch(p, begin, end):
    """Ask for the synapses of a row."""
    for j in range(begin, end, 8):
        prefetch(p[t.DELAYS] + j * 8)
        prefetch(p[t.WEIGHTS] + j * 8)
    for j in range(begin, end, 16):
        prefetch(p[t.TARGETS] + j * 4)


@functools.cache
def deliver() -> int:
    """Address of `deliver(network, projection, part)`: the spikes of the slice to the targets in one block."""

    def deliver(network, projection, part):
        p, net = array_at(projection, t.PROJECTION_SIZE, np.int64), array_at(network, t.NET_SIZE, np.int64)
        done = array_at(p[t.DONE], p[t.PARTS], np.int64)
        if part >= p[t.PARTS] or done[part] == net[t.SERIAL]:
            return OK
        source = array_at(p[t.SOURCE], t.TABLE_SIZE, np.int64)
        b = array_at(block_of(p[t.TARGET], part), t.BLOCK_SIZE, np.int64)
        first, n_rows, parts = p[t.FIRST_ROW], p[t.N_ROWS], p[t.PARTS]
        starts = array_at(p[t.STARTS], n_rows * parts + 1, np.int64)
        n = starts[n_rows * parts]
        targets, delays = array_at(p[t.TARGETS], n, np.uint32), array_at(p[t.DELAYS], n, np.float64)
        weights = array_at(p[t.WEIGHTS], n, np.float64)
        total = 0
        for number in range(source[t.N_BLOCKS]):
            s = array_at(block_of(p[t.SOURCE], number), t.BLOCK_SIZE, np.int64)
            spike_i = array_at(s[t.SPIKE_I], s[t.N_SPIKES], np.int64)
            for k in range(s[t.DELIVERED], s[t.N_SPIKES]):
                row = spike_i[k] - first
                if 0 <= row < n_rows:
                    total += starts[row * parts + part + 1] - starts[row * parts + part]
        wanted = total // t.CHUNK + min(total, net[t.SLOTS]) + 1
        if total and wanted > b[t.N_FREE]:
            b[t.WANTED_CHUNKS] = wanted
            return ROOM
        per_ms, n_slots = real(network, t.PER_MS), net[t.SLOTS]
        inlet, rule, key, offset = p[t.INLET], p[t.RULE], p[t.KEY], b[t.FIRST]
        waiting = array_at(b[t.CHUNKS], b[t.N_CHUNKS] * t.CHUNK, EVENT)
        for number in range(source[t.N_BLOCKS]):
            s = array_at(block_of(p[t.SOURCE], number), t.BLOCK_SIZE, np.int64)
            spike_i = array_at(s[t.SPIKE_I], s[t.N_SPIKES], np.int64)
            spike_t = array_at(s[t.SPIKE_T], s[t.N_SPIKES], np.float64)
            for k in range(s[t.DELIVERED], s[t.N_SPIKES]):
                row, now = spike_i[k] - first, spike_t[k]
                ahead = spike_i[min(k + AHEAD, s[t.N_SPIKES] - 1)] - first
                if 0 <= ahead < n_rows:
                    fetch(p, starts[ahead * parts + part], starts[ahead * parts + part + 1])
                if 0 <= row < n_rows:
                    for j in range(starts[row * parts + part], starts[row * parts + part + 1]):
                        when = now + delays[j]
                        event = waiting[place_in(b, slot_of(when, per_ms) & (n_slots - 1))]
                        event.t, event.w, event.key = when, weights[j], key + j
                        event.target, event.inlet, event.rule = np.int64(targets[j]) - offset, inlet, rule
        done[part] = net[t.SERIAL]
        return OK

    return address_of(compiled(deliver), (types.int64,) * 3)


def _append_all(b, events, per_ms, n_slots):
    """Put events into the slots of their times."""
    waiting = array_at(b[t.CHUNKS], b[t.N_CHUNKS] * t.CHUNK, EVENT)
    for k in range(events.size):
        waiting[place_in(b, slot_of(events[k].t, per_ms) & (n_slots - 1))] = events[k]


append_all = compiled(_append_all)
