"""Spikes that release a modulator: each adds to that of plastic synapses, after all else of its step."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels.network import next_spike, spikes_of
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import STRICT, address_of
from izhnumba._numba.intrinsics import array_at, ints_at

# BY           address of the table of the population that releases
# FIRST, LAST  its first neuron that does, and the one behind the last
# MEMBERS      uint8 (LAST - FIRST,): which of them do
# AMOUNT       real (1,): what a spike adds
# ADDS_TO      real (2,): the modulator and its decay
BY, FIRST, LAST, MEMBERS, AMOUNT, ADDS_TO, TABLE_SIZE = range(7)


@functools.cache
def modulate(dtype: str) -> int:
    """Address of `modulate(table, part, k)`: add what the spikes of step k release. dtype: of the modulator."""
    number = np.dtype(dtype).type

    def modulate(address, part, k):
        if part > 0:
            return OK
        p = ints_at(address)
        words, first, end, n = spikes_of(p[BY], k), p[FIRST], p[LAST], 0
        members = array_at(p[MEMBERS], end - first, np.uint8)
        neuron = next_spike(words, first, end)
        while neuron < end:
            n += members[neuron - first]
            neuron = next_spike(words, neuron + 1, end)
        array_at(p[ADDS_TO], 2, number)[0] += array_at(p[AMOUNT], 1, number)[0] * number(n)
        return OK

    return address_of(modulate, fastmath=STRICT)
