"""Spikes under way in continuous time: from the spikes of a slice to events of each block, and to events sorted by
neuron and time.

Slots of time are as wide as a slice, and each block keeps those of its own neurons, so that no two threads write to one
place. Nothing is lost for want of room: a kernel looks first, says what it lacks, and is called again.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import types

from izhnumba._clock.kernels.network import prefetch
from izhnumba._engine.codes import OK, ROOM
from izhnumba._exact.kernels import layout as t
from izhnumba._numba.compile import address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import array_at
from izhnumba._numba.memory import ints_at, reals_at

EVENT, LIST_END = t.EVENT, -1
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
    return ints_at(population)[t.BLOCKS] + number * t.BLOCK_SIZE * 8


@inlined
def slot_of(time, per_ms):
    """Slots of time are numbered without end; in memory they go around, and their number there is a power of two."""
    return np.int64(time * per_ms)


@inlined
def place_in(b, slot):
    """Where the next event of a slot is to be put, in a block that has room for it."""
    links, tails = ints_at(b[t.LINKS]), ints_at(b[t.TAILS])
    filled = ints_at(b[t.FILLED])
    if tails[slot] == LIST_END or filled[slot] == t.CHUNK:
        chunk = b[t.FREE]
        b[t.FREE] = links[chunk]
        b[t.N_FREE] -= 1
        links[chunk] = tails[slot]
        tails[slot], filled[slot] = chunk, 0
    filled[slot] += 1
    return tails[slot] * t.CHUNK + filled[slot] - 1


@called
def append_all(place, events, per_ms, n_slots):
    """Put events into the slots of their times, in the block with its table there."""
    b = ints_at(place)
    waiting = array_at(b[t.CHUNKS], b[t.N_CHUNKS] * t.CHUNK, EVENT)
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
        if b[t.GATHERED] == net[t.SERIAL]:
            return OK
        if b[t.N_OUTSIDE]:
            outside = array_at(b[t.OUTSIDE], b[t.N_OUTSIDE], EVENT)
            append_all(place, outside, real(network, t.PER_MS), net[t.SLOTS])
            b[t.N_OUTSIDE] = 0
        end, per_ms, n_slots = real(network, t.END), real(network, t.PER_MS), net[t.SLOTS]
        first, last = slot_of(real(network, t.NOW), per_ms), slot_of(end, per_ms)
        tails, filled = ints_at(b[t.TAILS]), ints_at(b[t.FILLED])
        links = ints_at(b[t.LINKS])
        waiting = array_at(b[t.CHUNKS], b[t.N_CHUNKS] * t.CHUNK, EVENT)
        cursors, ends = ints_at(b[t.CURSORS]), ints_at(b[t.ENDS])
        for j in range(b[t.N_CELLS]):
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
        if total >= b[t.SORTED_ROOM] or (b[t.N_FREE] == 0 and b[t.N_CHUNKS]):  # one for what is left in a slot
            b[t.WANTED_SORTED], b[t.WANTED_CHUNKS] = total + 1, 1  # one to set an event aside
            return ROOM
        total = 0
        for j in range(b[t.N_CELLS]):
            cursors[j] = total
            total += ends[j]
            ends[j] = cursors[j]
        events, last_cell = array_at(b[t.SORTED], b[t.SORTED_ROOM], EVENT), b[t.N_CELLS] - 1
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
                        following = cursors[j + 1] if j < last_cell else total
                        if following - cursors[j] <= FEW:
                            while place > cursors[j] and later(events[place - 1], event):
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
        for j in range(b[t.N_CELLS]):
            if ends[j] - cursors[j] > FEW:
                sort_many(b[t.SORTED], cursors[j], ends[j], b[t.SORTED_ROOM] - 1)
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
        p, net = ints_at(projection), ints_at(network)
        done = ints_at(p[t.DONE])
        if part >= p[t.PARTS] or done[part] == net[t.SERIAL]:
            return OK
        source = ints_at(p[t.SOURCE])
        b = ints_at(block_of(p[t.TARGET], part))
        first, n_rows, parts = p[t.FIRST_ROW], p[t.N_ROWS], p[t.PARTS]
        starts = ints_at(p[t.STARTS])
        n = starts[n_rows * parts]
        targets, delays = array_at(p[t.TARGETS], n, np.uint32), reals_at(p[t.DELAYS])
        weights = reals_at(p[t.WEIGHTS])
        total = 0
        for number in range(source[t.N_BLOCKS]):
            s = ints_at(block_of(p[t.SOURCE], number))
            spike_i = ints_at(s[t.SPIKE_I])
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
            s = ints_at(block_of(p[t.SOURCE], number))
            spike_i = ints_at(s[t.SPIKE_I])
            spike_t = reals_at(s[t.SPIKE_T])
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


def _append_all(table, events, per_ms, n_slots):
    """Put events into the slots of their times."""
    append_all(table.ctypes.data, events, per_ms, n_slots)


put_events = compiled(_append_all)
