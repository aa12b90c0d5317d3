"""Spikes under way in continuous time: from the spikes of a slice to events of each block, and to events sorted by
neuron and time.

Slots of time are as wide as a slice, and each block keeps those of its own neurons, so that no two threads write to one
place. Nothing is lost for want of room: a kernel looks first, says what it lacks, and is called again.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import types

from izhnumba._engine.codes import OK, ROOM
from izhnumba._exact.kernels import layout
from izhnumba._numba.compile import address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import array_at, ints_at, prefetch, reals_at

EVENT, LIST_END = layout.EVENT, -1
FEW = 32  # events of a neuron in a slice
AHEAD = 4  # spikes between the one delivered and the one whose synapses are fetched into the cache


@inlined
def real(address, entry):
    """A number of a table whose bits are those of a float."""
    return reals_at(address)[entry]


@inlined
def set_real(address, entry, value):
    reals_at(address)[entry] = value


@inlined
def block_of(population, number):
    """Address of the table of a block."""
    return ints_at(population)[layout.BLOCKS] + number * layout.BLOCK_SIZE * 8


@inlined
def slot_of(time, per_ms):
    """Slots of time are numbered without end; in memory they go around, and their number there is a power of two."""
    return np.int64(time * per_ms)


@inlined
def place_in(b, slot):
    """Where the next event of a slot is to be put, in a block that has room for it."""
    links, tails = ints_at(b[layout.LINKS]), ints_at(b[layout.TAILS])
    filled = ints_at(b[layout.FILLED])
    if tails[slot] == LIST_END or filled[slot] == layout.CHUNK:
        chunk = b[layout.FREE]
        b[layout.FREE] = links[chunk]
        b[layout.N_FREE] -= 1
        links[chunk] = tails[slot]
        tails[slot], filled[slot] = chunk, 0
    filled[slot] += 1
    return tails[slot] * layout.CHUNK + filled[slot] - 1


@called
def append_all(place, events, per_ms, n_slots):
    """Put events into the slots of their times, in the block with its table there."""
    b = ints_at(place)
    waiting = array_at(b[layout.CHUNKS], b[layout.N_CHUNKS] * layout.CHUNK, EVENT)
    for k in range(events.size):
        waiting[place_in(b, slot_of(events[k].t, per_ms) & (n_slots - 1))] = events[k]


@inlined
def later(one, other):
    """Whether one event comes after another."""
    return one.t > other.t or (one.t == other.t and one.key > other.key)


@called
def sort_many(address, begin, end, aside):
    """Sort events by time and key, by Shell's method: of thousands the rule for few would take the square. aside: the
    place of one that waits."""
    events, gap = array_at(address, aside + 1, EVENT), 1
    while 9 * gap < end - begin:
        gap = 3 * gap + 1
    while gap:
        for k in range(begin + gap, end):
            events[aside] = events[k]
            place = k
            while place - gap >= begin and later(events[place - gap], events[aside]):
                events[place] = events[place - gap]
                place -= gap
            events[place] = events[aside]
        gap //= 3


@functools.cache
def gather() -> int:
    """Address of `gather(network, population, block)`: the events of the slice that ends at END, sorted by neuron, and
    those of a neuron by time and key."""

    def gather(network, population, number):
        place, net = block_of(population, number), ints_at(network)
        b = ints_at(place)
        if b[layout.GATHERED] == net[layout.SERIAL]:
            return OK
        if b[layout.N_OUTSIDE]:
            outside = array_at(b[layout.OUTSIDE], b[layout.N_OUTSIDE], EVENT)
            append_all(place, outside, real(network, layout.PER_MS), net[layout.SLOTS])
            b[layout.N_OUTSIDE] = 0
        end, per_ms, n_slots = real(network, layout.END), real(network, layout.PER_MS), net[layout.SLOTS]
        first, last = slot_of(real(network, layout.NOW), per_ms), slot_of(end, per_ms)
        tails, filled = ints_at(b[layout.TAILS]), ints_at(b[layout.FILLED])
        links = ints_at(b[layout.LINKS])
        waiting = array_at(b[layout.CHUNKS], b[layout.N_CHUNKS] * layout.CHUNK, EVENT)
        cursors, ends = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS])
        for j in range(b[layout.N_CELLS]):
            ends[j] = 0
        total = 0
        for slot in range(first, last + 1):
            chunk, count = tails[slot & (n_slots - 1)], filled[slot & (n_slots - 1)]
            while chunk != LIST_END:
                for k in range(chunk * layout.CHUNK, chunk * layout.CHUNK + count):
                    if waiting[k].t <= end:
                        ends[waiting[k].target] += 1
                        total += 1
                chunk, count = links[chunk], layout.CHUNK
        if total >= b[layout.SORTED_ROOM] or (
            b[layout.N_FREE] == 0 and b[layout.N_CHUNKS]
        ):  # one for what is left in a slot
            b[layout.WANTED_SORTED], b[layout.WANTED_CHUNKS] = total + 1, 1  # one to set an event aside
            return ROOM
        total = 0
        for j in range(b[layout.N_CELLS]):
            cursors[j] = total
            total += ends[j]
            ends[j] = cursors[j]
        events, last_cell = array_at(b[layout.SORTED], b[layout.SORTED_ROOM], EVENT), b[layout.N_CELLS] - 1
        for slot in range(first, last + 1):
            chunk, count = tails[slot & (n_slots - 1)], filled[slot & (n_slots - 1)]
            tails[slot & (n_slots - 1)] = LIST_END
            while chunk != LIST_END:
                for k in range(chunk * layout.CHUNK, chunk * layout.CHUNK + count):
                    event = waiting[k]
                    if event.t <= end:
                        j = event.target
                        place = ends[j]
                        ends[j] += 1
                        following = cursors[j + 1] if j < last_cell else total
                        if following - cursors[j] <= FEW:
                            while place > cursors[j] and later(events[place - 1], event):
                                events[place] = events[place - 1]
                                place -= 1
                        events[place] = event
                    else:
                        waiting[place_in(b, slot & (n_slots - 1))] = event
                ahead = links[chunk]
                links[chunk] = b[layout.FREE]
                b[layout.FREE] = chunk
                b[layout.N_FREE] += 1
                chunk, count = ahead, layout.CHUNK
        for j in range(b[layout.N_CELLS]):
            if ends[j] - cursors[j] > FEW:
                sort_many(b[layout.SORTED], cursors[j], ends[j], b[layout.SORTED_ROOM] - 1)
        b[layout.GATHERED] = net[layout.SERIAL]
        return OK

    return address_of(compiled(gather), (types.int64,) * 3)


@inlined
def fetch(p, begin, end):
    """Ask for the synapses of a row."""
    for j in range(begin, end, 8):
        prefetch(p[layout.DELAYS] + j * 8)
        prefetch(p[layout.WEIGHTS] + j * 8)
    for j in range(begin, end, 16):
        prefetch(p[layout.TARGETS] + j * 4)


@functools.cache
def deliver() -> int:
    """Address of `deliver(network, projection, part)`: the spikes of the slice to the targets in one block."""

    def deliver(network, projection, part):
        p, net = ints_at(projection), ints_at(network)
        done = ints_at(p[layout.DONE])
        if part >= p[layout.PARTS] or done[part] == net[layout.SERIAL]:
            return OK
        source = ints_at(p[layout.SOURCE])
        b = ints_at(block_of(p[layout.TARGET], part))
        first, n_rows, parts = p[layout.FIRST_ROW], p[layout.N_ROWS], p[layout.PARTS]
        starts = ints_at(p[layout.STARTS])
        n = starts[n_rows * parts]
        targets, delays = array_at(p[layout.TARGETS], n, np.uint32), reals_at(p[layout.DELAYS])
        weights = reals_at(p[layout.WEIGHTS])
        total = 0
        for number in range(source[layout.N_BLOCKS]):
            s = ints_at(block_of(p[layout.SOURCE], number))
            spike_i = ints_at(s[layout.SPIKE_I])
            for k in range(s[layout.DELIVERED], s[layout.N_SPIKES]):
                row = spike_i[k] - first
                if 0 <= row < n_rows:
                    total += starts[row * parts + part + 1] - starts[row * parts + part]
        wanted = total // layout.CHUNK + min(total, net[layout.SLOTS]) + 1
        if total and wanted > b[layout.N_FREE]:
            b[layout.WANTED_CHUNKS] = wanted
            return ROOM
        per_ms, n_slots = real(network, layout.PER_MS), net[layout.SLOTS]
        inlet, rule, key, offset = p[layout.INLET], p[layout.RULE], p[layout.KEY], b[layout.FIRST]
        waiting = array_at(b[layout.CHUNKS], b[layout.N_CHUNKS] * layout.CHUNK, EVENT)
        for number in range(source[layout.N_BLOCKS]):
            s = ints_at(block_of(p[layout.SOURCE], number))
            spike_i = ints_at(s[layout.SPIKE_I])
            spike_t = reals_at(s[layout.SPIKE_T])
            for k in range(s[layout.DELIVERED], s[layout.N_SPIKES]):
                row, now = spike_i[k] - first, spike_t[k]
                ahead = spike_i[min(k + AHEAD, s[layout.N_SPIKES] - 1)] - first
                if 0 <= ahead < n_rows:
                    fetch(p, starts[ahead * parts + part], starts[ahead * parts + part + 1])
                if 0 <= row < n_rows:
                    for j in range(starts[row * parts + part], starts[row * parts + part + 1]):
                        when = now + delays[j]
                        event = waiting[place_in(b, slot_of(when, per_ms) & (n_slots - 1))]
                        event.t, event.w, event.key = when, weights[j], key + j
                        event.target, event.inlet, event.rule = np.int64(targets[j]) - offset, inlet, rule
        done[part] = net[layout.SERIAL]
        return OK

    return address_of(compiled(deliver), (types.int64,) * 3)


def _append_all(table, events, per_ms, n_slots):
    """Put events into the slots of their times."""
    append_all(table.ctypes.data, events, per_ms, n_slots)


put_events = compiled(_append_all)
