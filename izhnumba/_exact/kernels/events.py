"""Events in continuous time: `deliver` turns the spikes of a slice into events under way, in slots of time of each
block; `gather` takes those of a slice out of their slots, sorted by neuron and time.

A slot is as wide as a slice. Each block keeps the events of its own neurons, so no two threads write to one place. A
kernel without enough room changes nothing, writes what it lacks to WANTED_..., and returns ROOM to be called again.
"""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._engine.codes import OK, ROOM
from izhnumba._exact.kernels import layout
from izhnumba._numba.compile import address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import array_at, copy_bytes, ints_at, prefetch, reals_at

EVENT, LIST_END = layout.EVENT, -1
FEW = 32  # events of a neuron in a slice that are sorted by insertion
AHEAD = 4  # spikes between the one delivered and the one whose synapses are fetched into the cache


@inlined
def real(address, entry):
    """An entry (float) of the table at an address."""
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
    """The number of the slot of a time (ms). In memory slot k lies at k % SLOTS, a power of 2."""
    return np.int64(time * per_ms)


@inlined
def place_in(b, slot):
    """The place among CHUNKS for one more event of a slot, in a block that has room for it."""
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


@inlined
def move_event(to, place, origin, k):
    """Copy event k from one address to a place behind another; to assign the record would copy it byte by byte."""
    copy_bytes(to + place * layout.EVENT_SIZE, origin + k * layout.EVENT_SIZE, layout.EVENT_SIZE)


@called
def append_all(place, events, per_ms, n_slots):
    """Put events into the slots of their times. place: address of the table of the block."""
    b = ints_at(place)
    for k in range(events.size):
        to = place_in(b, slot_of(events[k].t, per_ms) & (n_slots - 1))
        move_event(b[layout.CHUNKS], to, events.ctypes.data, k)


@inlined
def later(one, other):
    """Whether an event comes after another: by time, then by key."""
    return one.t > other.t or (one.t == other.t and one.key > other.key)


@called
def sort_many(address, begin, end, aside):
    """Sort events by time and key with Shell's method: insertion would take the square of thousands. aside: place of
    one event to set aside."""
    events, gap = array_at(address, aside + 1, EVENT), 1
    while 9 * gap < end - begin:
        gap = 3 * gap + 1
    while gap:
        for k in range(begin + gap, end):
            move_event(address, aside, address, k)
            place = k
            while place - gap >= begin and later(events[place - gap], events[aside]):
                move_event(address, place, address, place - gap)
                place -= gap
            move_event(address, place, address, aside)
        gap //= 3


@inlined
def fetch_chunk(b, chunk):
    """Fetch a chunk of events into the cache."""
    for k in range(layout.CHUNK * layout.EVENT_SIZE // 64):
        prefetch(b[layout.CHUNKS] + chunk * layout.CHUNK * layout.EVENT_SIZE + k * 64)


@functools.cache
def gather() -> int:
    """Address of `gather(network, population, block)` -> code: move the events up to END from their slots to SORTED, by
    neuron, and those of a neuron by time and key. Before it all have arrived: ENDS are CURSORS."""

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
        cursors, ends, touched = ints_at(b[layout.CURSORS]), ints_at(b[layout.ENDS]), ints_at(b[layout.ACTIVE])
        next_visit = reals_at(ints_at(population)[layout.NEXT] + b[layout.FIRST] * 8)
        total, n, most = 0, 0, 0
        for slot in range(first, last + 1):
            chunk, count = tails[slot & (n_slots - 1)], filled[slot & (n_slots - 1)]
            while chunk != LIST_END:
                ahead = links[chunk]
                if ahead != LIST_END:
                    fetch_chunk(b, ahead)
                for k in range(chunk * layout.CHUNK, chunk * layout.CHUNK + count):
                    if waiting[k].t <= end:
                        j = waiting[k].target
                        touched[n] = j
                        n += ends[j] == cursors[j]
                        ends[j] += 1
                        total += 1
                chunk, count = ahead, layout.CHUNK
        if total >= b[layout.SORTED_ROOM] or (
            b[layout.N_FREE] == 0 and b[layout.N_CHUNKS]
        ):  # one for what is left in a slot
            b[layout.WANTED_SORTED], b[layout.WANTED_CHUNKS] = total + 1, 1  # one to set an event aside
            for k in range(n):
                ends[touched[k]] = cursors[touched[k]]
            return ROOM
        total = 0
        for k in range(n):
            j = touched[k]
            count = ends[j] - cursors[j]
            cursors[j] = ends[j] = total
            next_visit[j] = -np.inf
            total += count
            most = max(most, count)
        events = array_at(b[layout.SORTED], b[layout.SORTED_ROOM], EVENT)
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
                        if place - cursors[j] < FEW:
                            while place > cursors[j] and later(events[place - 1], event):
                                move_event(b[layout.SORTED], place, b[layout.SORTED], place - 1)
                                place -= 1
                        move_event(b[layout.SORTED], place, b[layout.CHUNKS], k)
                    else:
                        to = place_in(b, slot & (n_slots - 1))
                        move_event(b[layout.CHUNKS], to, b[layout.CHUNKS], k)
                ahead = links[chunk]
                links[chunk] = b[layout.FREE]
                b[layout.FREE] = chunk
                b[layout.N_FREE] += 1
                chunk, count = ahead, layout.CHUNK
        for k in range(n if most > FEW else 0):
            j = touched[k]
            if ends[j] - cursors[j] > FEW:
                sort_many(b[layout.SORTED], cursors[j], ends[j], b[layout.SORTED_ROOM] - 1)
        b[layout.GATHERED] = net[layout.SERIAL]
        return OK

    return address_of(gather)


@inlined
def fetch(p, begin, end):
    """Fetch the synapses of a row into the cache."""
    for j in range(begin, end, 8):
        prefetch(p[layout.DELAYS] + j * 8)
        prefetch(p[layout.WEIGHTS] + j * 8)
    for j in range(begin, end, 16):
        prefetch(p[layout.TARGETS] + j * 4)


@functools.cache
def deliver() -> int:
    """Address of `deliver(network, projection, part)` -> code: for each spike of the slice, put an event into its slot
    for each synapse to the targets in one block."""

    def deliver(network, projection, part):
        p, net = ints_at(projection), ints_at(network)
        done = ints_at(p[layout.DONE])
        n_blocks = ints_at(p[layout.TARGET])[layout.N_BLOCKS]
        if part >= n_blocks or done[part] == net[layout.SERIAL]:
            return OK
        source = ints_at(p[layout.SOURCE])
        b = ints_at(block_of(p[layout.TARGET], part))
        first, n_rows, parts = p[layout.FIRST_ROW], p[layout.N_ROWS], p[layout.PARTS]
        starts, joined = ints_at(p[layout.STARTS]), parts // n_blocks  # a block has the rows of so many parts
        n, begin, end = starts[n_rows * parts], part * joined, (part + 1) * joined
        targets, delays = array_at(p[layout.TARGETS], n, np.uint32), reals_at(p[layout.DELAYS])
        weights = reals_at(p[layout.WEIGHTS])
        total = 0
        for number in range(source[layout.N_BLOCKS]):
            s = ints_at(block_of(p[layout.SOURCE], number))
            spike_i = ints_at(s[layout.SPIKE_I])
            for k in range(s[layout.DELIVERED], s[layout.N_SPIKES]):
                row = spike_i[k] - first
                if 0 <= row < n_rows:
                    total += starts[row * parts + end] - starts[row * parts + begin]
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
                    fetch(p, starts[ahead * parts + begin], starts[ahead * parts + end])
                if 0 <= row < n_rows:
                    for j in range(starts[row * parts + begin], starts[row * parts + end]):
                        when = now + delays[j]
                        event = waiting[place_in(b, slot_of(when, per_ms) & (n_slots - 1))]
                        event.t, event.w, event.key = when, weights[j], key + j
                        event.target, event.inlet, event.rule = np.int64(targets[j]) - offset, inlet, rule
        done[part] = net[layout.SERIAL]
        return OK

    return address_of(deliver)


def _append_all(table, events, per_ms, n_slots):
    """Put events, EVENT (n,), into the slots of their times. table: of a block, which has room for them."""
    append_all(table.ctypes.data, events, per_ms, n_slots)


put_events = compiled(_append_all)
