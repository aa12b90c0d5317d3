"""Lists of spikes from the raster of a call, which holds one bit per neuron and step."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import entry_at, ints_at, lowest_bits, mask64, row_at, trailing_zeros


@functools.cache
def address() -> int:
    """Address of `list_spikes(list, done, _)`: add the spikes of the first `done` steps of the last call, from UPTO on,
    to a list that has room for them and lacks none of those before."""
    return address_of(_list_spikes)


def entry() -> Callable[[int, int, int], int]:
    """`list_spikes`, to be called from Python."""
    return entry_at(address())


def _list_spikes(address, done, _):
    listed = ints_at(address)
    counts = ints_at(listed[layout.LIST_COUNTS])
    population, first, last = listed[layout.LIST_POPULATION], listed[layout.LIST_FIRST], listed[layout.LIST_LAST]
    table, every, room = ints_at(population), listed[layout.LIST_EVERY], counts[layout.ROOM]
    began, reports, n_spikes = table[layout.BEGAN], ints_at(table[layout.REPORT]), 0
    for block in range((table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK):
        n_spikes += reports[block * layout.REPORT_SIZE + layout.N_SPIKES]
    if counts[layout.UPTO] < began or counts[layout.LISTED] + n_spikes > room:
        return OK
    rows, more = ints_at(listed[layout.LIST_ROWS]), ints_at(listed[layout.LIST_MORE])
    per_step, k, end = table[layout.PADDED] // 64, np.uint64(counts[layout.LISTED]), (last + 63) // 64
    words = row_at(table[layout.RASTER], np.uint64)
    for step in range(counts[layout.UPTO], (began + done) * (n_spikes > 0)):
        in_step = 0
        for w0 in range(first // 64, end, 64):
            start = np.uint64((step - began) * per_step + w0)
            filled = mask64(words, start) & lowest_bits(end - w0)
            while filled:
                w = trailing_zeros(filled)
                bits = words[start + w]
                while bits:
                    neuron = np.int64((np.uint64(w0) + w << np.uint64(6)) + trailing_zeros(bits))
                    if first <= neuron < last:
                        in_step += 1
                        if not every:
                            rows[k], more[k] = neuron, step
                            k += np.uint64(1)
                    bits &= bits - np.uint64(1)
                filled &= filled - np.uint64(1)
        if every and in_step:
            rows[k], more[k] = step // every, in_step
            k += np.uint64(1)
    counts[layout.LISTED], counts[layout.UPTO] = k, began + done
    return OK
