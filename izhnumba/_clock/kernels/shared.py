"""All-to-all synapses that share a weight: every target gets the same sum, but for who must not reach itself, so a step
costs in proportion to the neurons."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.network import spikes_of
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of, called
from izhnumba._numba.intrinsics import NOINLINE, WIDEST, add_attribute, array_at, ints_at, trailing_zeros

_ALL = 2**64 - 1


@functools.cache
def send(dtype: str) -> int:
    """Address of `send(shared, part, k)`: sum up the weights of the sources that spiked in step k of this call, and
    keep that; if the delay is 0, let it arrive at once."""
    number = np.dtype(dtype).type
    add = _add(number)

    def send(address, part, k):
        if part > 0:
            return OK
        d = ints_at(address)
        table, slot = ints_at(d[layout.SHARED_TARGET]), np.int64(0)
        if d[layout.SHARED_DELAY]:
            slot = (table[layout.STEP] + k) % d[layout.SHARED_DELAY]
        words = spikes_of(d[layout.SHARED_SOURCE], k)
        sources = array_at(d[layout.SHARED_SOURCES], words.size, np.uint64)
        sent = array_at(d[layout.SHARED_SENT] + slot * words.size * 8, words.size, np.uint64)
        weight, holes = array_at(d[layout.SHARED_WEIGHT], 1, number)[0], d[layout.SHARED_HOLES] != 0
        total, before, n = number(0), number(0), 0
        for w in range(words.size):
            bits = words[w] & sources[w]
            if holes:
                sent[w] = bits
            while bits:  # the sum is that of so many weights, one after the other
                before, total, n = total, total + weight, n + 1
                bits &= bits - np.uint64(1)
        sums = array_at(d[layout.SHARED_SUMS], 2 * slot + 2, number)
        sums[2 * slot], sums[2 * slot + 1] = total, before
        array_at(d[layout.SHARED_COUNTS], slot + 1, np.int64)[slot] = n
        if n and not d[layout.SHARED_DELAY]:
            add(d, table, d[layout.SHARED_AT_ONCE], slot)
        return OK

    return address_of(send)


@functools.cache
def arrive(dtype: str) -> int:
    """Address of `arrive(shared, start, stop)`: add what arrives in the steps `start` to `stop` of this call to the
    ring."""
    number = np.dtype(dtype).type
    item, add = number(0).itemsize, _add(number)

    def arrive(address, start, stop):
        d = ints_at(address)
        table, delay = ints_at(d[layout.SHARED_TARGET]), d[layout.SHARED_DELAY]
        counts = array_at(d[layout.SHARED_COUNTS], delay, np.int64)
        for step in range(table[layout.STEP] + start, table[layout.STEP] + stop):
            if counts[step % delay]:
                row = step % table[layout.RING_STEPS] * table[layout.PADDED] * item
                add(d, table, d[layout.SHARED_RING] + row, step % delay)
        return OK

    return address_of(arrive)


def _add(number):
    """`add(shared, table, row, slot)`: add what the spikes of a slot bring to a row of the lanes of the target, whose
    table and address are given."""

    @called
    def add_to_all(row, total):
        add_attribute(WIDEST)
        add_attribute(NOINLINE)
        for i in range(np.uint64(64)):
            row[i] += total

    def add(d, table, address, slot):
        lanes = table[layout.PADDED]
        words, row = lanes // 64, array_at(address, lanes, number)
        targets = array_at(d[layout.SHARED_TARGETS], words, np.uint64)
        own = array_at(d[layout.SHARED_SENT] + slot * words * 8, words, np.uint64)
        sums = array_at(d[layout.SHARED_SUMS], 2 * slot + 2, number)
        total, before = sums[2 * slot], sums[2 * slot + 1]
        for w in range(words):
            bits, holes = targets[w], np.uint64(0)
            if d[layout.SHARED_HOLES]:
                holes = own[w]
            if bits == np.uint64(_ALL) and holes == 0:
                add_to_all(row[w * 64 : w * 64 + 64], total)
                continue
            while bits:
                i = trailing_zeros(bits)
                lane = w * 64 + np.int64(i)
                row[lane] += before if holes >> i & np.uint64(1) else total
                bits &= bits - np.uint64(1)

    return called(add)
