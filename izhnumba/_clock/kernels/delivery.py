"""Delivery of spikes to one receptor: rows of synapses whose neurons spiked wait in a queue, each with the place up to
which it has been delivered, until what comes next of it arrives in the steps that the ring holds.

A ring over all delays would be the one array of a network that fits no cache, and every synapse a random access to it.
So the ring holds a window of a few slices. When it opens, the queue is gone through once, in the order in which the
spikes were sent: so each cell is summed up in that order, as if each spike had been delivered at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.network import (
    DELAY,
    FIRST,
    FIRST_TARGET,
    HOLE,
    LATER,
    N_ROWS,
    N_TARGETS,
    OFFSETS,
    PARTS,
    ROWS,
    SOURCE,
    WEIGHTS,
    next_spike,
    spikes_of,
)
from izhnumba._clock.kernels.receptors import add_row, clear
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of, called, inlined
from izhnumba._numba.intrinsics import array_at, copy_bytes, ints_at, prefetch, prefetch_far

_BEYOND = 2**62  # cells
_AHEAD, _FAR_AHEAD = 4, 16  # entries between the one delivered and the one fetched into the cache


@functools.cache
def deliver(dtype: str) -> int:
    """Address of `deliver(delivery, part, k)`: put the rows of the spikes of step k of this call behind the queue,
    deliver what of them arrives in the window, and open the next window if k is the last step of this one. k: or
    `layout.OPEN` or `layout.SETTLE`."""
    number, sweep = np.dtype(dtype).type, _sweep(dtype)
    item = number(0).itemsize

    def opened(d, queue, part, steps, lanes):
        first, start = queue[layout.OPENED], queue[layout.OPENED] // steps * steps
        low, high = bounds(part, d[layout.SHARES], start, steps, lanes)
        for step in range(first, min(start + steps, d[layout.BACKLOG_END])):
            begin, end = max(low, step * lanes), min(high, (step + 1) * lanes)
            if begin < end:
                source = d[layout.BACKLOG] + (begin + (step % d[layout.BACKLOG_STEPS] - step) * lanes) * item
                copy_bytes(d[layout.ARRIVALS] + (begin - start * lanes) * item, source, (end - begin) * item)
                clear(array_at(source, end - begin, number))
        ring = array_at(d[layout.ARRIVALS], steps * lanes, number)
        if d[layout.FAR] and d[layout.BACKLOG_END] <= first and d[layout.SHARES] == 1:
            clear(ring[(first - start) * lanes :])  # it is 0, but not in the cache any more
        queue[layout.QUEUE_COUNT] = sweep(d, queue, 0, ring, steps, lanes, start, low, high)
        queue[layout.OPENED] = start + steps

    def settled(d, queue, lanes):
        after, steps = queue[layout.OPENED], d[layout.BACKLOG_STEPS]
        backlog = array_at(d[layout.BACKLOG], steps * lanes, number)
        sweep(d, queue, 0, backlog, steps, lanes, -1, after * lanes, _BEYOND)
        d[layout.BACKLOG_END] = after + steps
        for other in range(d[layout.SHARES]):
            queue_of(d, other)[layout.QUEUE_COUNT] = 0

    open_window, settle = inlined(opened), inlined(settled)

    def deliver(address, part, k):
        d = ints_at(address)
        if part >= d[layout.SHARES]:
            return OK
        target, queue = ints_at(d[layout.POPULATION]), queue_of(d, part)
        steps, lanes, now = target[layout.RING_STEPS], target[layout.PADDED], target[layout.STEP] + k
        if k == layout.SETTLE:
            if queue[layout.QUEUE_COUNT]:
                settle(d, queue, lanes)
            return OK
        first, start, low, high = queue[layout.QUEUE_COUNT], np.int64(-1), np.int64(0), np.int64(_BEYOND)
        if k >= 0:
            send(d, queue, k, now)
        if d[layout.WINDOWED]:
            start = queue[layout.OPENED] - steps
            low, high = bounds(part, d[layout.SHARES], start, steps, lanes)
        if k >= 0 and not (d[layout.WINDOWED] and now + d[layout.SHORTEST] >= queue[layout.OPENED]):
            ring = array_at(d[layout.ARRIVALS], steps * lanes, number)
            queue[layout.QUEUE_COUNT] = sweep(d, queue, first, ring, steps, lanes, start, low, high)
        if d[layout.WINDOWED] and now + 1 == queue[layout.OPENED]:
            open_window(d, queue, part, steps, lanes)
        return OK

    return address_of(deliver)


@inlined
def queue_of(d, part):
    """The queue of a part of the cells."""
    return ints_at(d[layout.QUEUES] + part * layout.QUEUE_SIZE * 8)


@inlined
def bounds(part, shares, start, steps, lanes):
    """The first cell, and the one behind the last, that a part owns of the window from step `start` on. A cell is
    step * lanes + lane."""
    words = steps * lanes // 64
    return start * lanes + part * words // shares * 64, start * lanes + (part + 1) * words // shares * 64


@called
def send(d, queue, k, now):
    """Put the rows of the spikes of step k of this call, which is step `now`, behind the queue."""
    senders, n = ints_at(d[layout.SENDERS]), queue[layout.QUEUE_COUNT]
    entries = array_at(queue[layout.QUEUE_ENTRIES], queue[layout.QUEUE_ROOM] * layout.ENTRY_SIZE, np.int64)
    for i in range(d[layout.N_SENDERS]):
        p = ints_at(senders[i])
        parts, first, end = p[PARTS], p[FIRST], p[FIRST] + p[N_ROWS]
        starts, later, words = ints_at(p[ROWS]), ints_at(p[LATER]), spikes_of(p[SOURCE], k)
        neuron = next_spike(words, first, end)
        while neuron < end:
            for row in range((neuron - first) * parts, (neuron - first + 1) * parts):
                e = n * layout.ENTRY_SIZE
                entries[e + layout.NEXT] = later[row] if p[OFFSETS] else row
                entries[e + layout.END] = starts[row + 1] if p[OFFSETS] else row + 1
                entries[e + layout.SENT], entries[e + layout.SENDER] = now, senders[i]
                n += 1
            neuron = next_spike(words, neuron + 1, end)
    queue[layout.QUEUE_COUNT] = n


def _sweep(dtype: str) -> Callable[..., Any]:
    """`sweep(...)` -> entries left: add to a ring what arrives in some of its cells."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def add(cells, weights, low, high):
        """cells[low:high] += weights[low:high], both given by the addresses of their places 0."""
        n = max(high - low, 0)
        add_row(array_at(cells + low * item, n, number), array_at(weights + low * item, n, number))

    def sweep(d, queue, first, ring, steps, lanes, start, low, high):
        """Go through the entries of a queue in their order, and drop those that have no more.

        Parameters
        ----------
        d : int64 (DELIVERY_SIZE,)
        queue : int64 (QUEUE_SIZE,)
        first : int
            The entry to begin with.
        ring : real (steps * lanes,)
        steps, lanes : int
        start : int
            The step in row 0 of the ring; -1: the row of step k is k modulo steps, and `high` is beyond all.
        low, high : int
            The cells that are added to, counted as step * lanes + lane.
        """
        count = queue[layout.QUEUE_COUNT]
        entries = array_at(queue[layout.QUEUE_ENTRIES], count * layout.ENTRY_SIZE, np.int64)
        cells, fetched, kept = np.uint32(steps * lanes), d[layout.FETCHED], first
        entries_ahead = _FAR_AHEAD if d[layout.FAR] else _AHEAD
        for j in range(first, count):
            if j + entries_ahead < count:
                ahead = (j + entries_ahead) * layout.ENTRY_SIZE
                p, s = ints_at(entries[ahead + layout.SENDER]), entries[ahead + layout.NEXT]
                for line in range(min((entries[ahead + layout.END] - s + 15) // 16, fetched if p[OFFSETS] else 0)):
                    if d[layout.FAR]:
                        prefetch_far(p[OFFSETS] + s * 4 + line * 64)
                        prefetch_far(p[WEIGHTS] + s * item + line * 64)
                    else:
                        prefetch(p[OFFSETS] + (s + line * 16) * 4)
                        prefetch(p[WEIGHTS] + (s + line * 16) * item)
            e = j * layout.ENTRY_SIZE
            s, end, sent, sender = np.uint64(entries[e]), np.uint64(entries[e + 1]), entries[e + 2], entries[e + 3]
            p = ints_at(sender)
            if p[OFFSETS]:
                offsets, weights = array_at(p[OFFSETS], end, np.uint32), array_at(p[WEIGHTS], end, number)
                from_, to = max(low - sent * lanes, 0), min(high - sent * lanes, 2**32 - 1)
                if to > 0:
                    while s < end and offsets[s] < np.uint32(from_):
                        s += np.uint64(1)
                    if start < 0:
                        base = np.uint32(sent % steps * lanes)
                        for x in range(s, end):
                            cell = np.uint32(base + offsets[x])
                            cell = min(cell, np.uint32(cell - cells))  # once around the ring: unsigned numbers wrap
                            ring[cell] += weights[x]
                        s = end
                    else:
                        base = np.uint32((sent - start) * lanes)
                        while s < end and offsets[s] < np.uint32(to):
                            ring[np.uint32(base + offsets[s])] += weights[s]
                            s += np.uint64(1)
            else:
                n, arrival = p[N_TARGETS], sent + p[DELAY]
                at = arrival * lanes + p[FIRST_TARGET]
                begin, stop = max(low - at, 0), min(high - at, n)
                if begin < stop:
                    row = np.int64(s)
                    place = (arrival % steps if start < 0 else arrival - start) * lanes + p[FIRST_TARGET]
                    to_cells = ring.ctypes.data + place * item
                    of_row = p[WEIGHTS] + ints_at(p[ROWS])[row] * item
                    hole = row + p[HOLE]
                    if not 0 <= hole < n:
                        add(to_cells, of_row, begin, stop)
                    else:
                        add(to_cells, of_row, begin, min(hole, stop))
                        add(to_cells, of_row - item, max(hole + 1, begin), stop)
                if at + n <= high:
                    s = end
            if s < end:
                e = kept * layout.ENTRY_SIZE
                entries[e], entries[e + 1], entries[e + 2], entries[e + 3] = np.int64(s), np.int64(end), sent, sender
                kept += 1
        return kept

    return called(sweep)
