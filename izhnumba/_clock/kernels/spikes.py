"""Spikes from outside: they come into the ring of a receptor right before the steps in which they arrive."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import array_at, ints_at


@functools.cache
def arrive(dtype: str, once: bool) -> int:
    """Address of `arrive(spikes, start, stop)`: add those of the steps `start` to `stop` of this call to the ring. With
    `once` the latest of a neuron's spikes in a step stands for all of them."""
    number = np.dtype(dtype).type
    item = number(0).itemsize
    ONCE = once

    def arrive(address, start, stop):
        s = ints_at(address)
        target, starts = ints_at(s[layout.SPIKES_TARGET]), ints_at(s[layout.SPIKES_STARTS])
        lanes, n_rows = target[layout.PADDED], target[layout.RING_STEPS]
        for step in range(target[layout.STEP] + start, target[layout.STEP] + stop):
            j = step - s[layout.SPIKES_STEP]
            begin, end = starts[j], starts[j + 1]
            neurons = array_at(s[layout.SPIKES_NEURONS] + 4 * begin, end - begin, np.uint32)
            weights = array_at(s[layout.SPIKES_WEIGHTS] + item * begin, end - begin, number)
            first = step % n_rows * lanes + s[layout.SPIKES_FIRST]
            row = array_at(s[layout.SPIKES_RING] + item * first, lanes, number)
            for k in range(neurons.size):
                row[neurons[k]] = weights[k] + (0 if ONCE else row[neurons[k]])
        return OK

    return address_of(arrive)
