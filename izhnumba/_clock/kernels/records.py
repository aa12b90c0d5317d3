"""Samples of states: after each step, what records want of a block is copied to them."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._engine.kernels.layout import KERNEL
from izhnumba._numba.compile import address_of, inlined
from izhnumba._numba.intrinsics import call_at, copy_bytes, ints_at, row_at, stream_line

CACHED = 2**24  # bytes; of more caches hold too little for a copy to go through them


@inlined
def stream(target, source, size):
    """Copy `size` bytes from one address to another, past the caches: what is there stays."""
    head = min(-target % 64, size)
    end = size - (size - head) % 64
    copy_bytes(target, source, head)
    for k in range(head, end, 64):
        stream_line(target + k, source + k)
    copy_bytes(target + end, source + end, size - end)


@functools.cache
def recorder(dtype: str) -> int:
    """Address of `record(address, k, block)`: for each record of the table of which a sample is due after step k, copy
    the states of its neurons in this block to the sample, or what they are reduced to."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def record(address, k, block):
        table = ints_at(address)
        for j in range(table[layout.N_RECORDS]):
            r = ints_at(table[layout.RECORDS] + j * layout.RECORD_SIZE * 8)
            done, n = table[layout.STEP] + k + 1, r[layout.RECORD_N]
            sample = done // r[layout.RECORD_EVERY] - r[layout.RECORD_FIRST]
            if done % r[layout.RECORD_EVERY] or not 0 <= sample < r[layout.RECORD_ROOM]:
                continue
            if r[layout.RECORD_REDUCTION]:
                call_at(ints_at(r[layout.RECORD_REDUCTION])[KERNEL], r[layout.RECORD_REDUCTION], sample, block)
                continue
            starts = ints_at(r[layout.RECORD_STARTS])
            first, last, row = starts[block], starts[block + 1], r[layout.RECORD_SAMPLES] + sample * n * item
            neurons = ints_at(r[layout.RECORD_NEURONS])
            if r[layout.RECORD_PLACES] == 0:
                if first < last:
                    to, origin, size = row + first * item, r[layout.RECORD_SOURCE] + neurons[first] * item, last - first
                    if r[layout.RECORD_ROOM] * n * item > CACHED:
                        stream(to, origin, size * item)
                    else:
                        copy_bytes(to, origin, size * item)
                continue
            places = ints_at(r[layout.RECORD_PLACES])
            source, samples = row_at(r[layout.RECORD_SOURCE], number), row_at(row, number)
            for i in range(first, last):
                samples[places[i]] = source[neurons[i]]
        return 0

    return address_of(record)
