"""Rows from outside: they come into the ring of a receptor right before the steps in which they act."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.receptors import add_row
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import array_at, ints_at


@functools.cache
def inject(dtype: str) -> int:
    """Address of `inject(injected, start, stop)`: add those of the steps `start` to `stop` of this call to the ring."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def inject(address, start, stop):
        s = ints_at(address)
        target, n, stride = ints_at(s[layout.INJECTED_TARGET]), s[layout.INJECTED_N], s[layout.INJECTED_STRIDE]
        lanes, n_rows = target[layout.PADDED], target[layout.RING_STEPS]
        alike, chosen = s[layout.INJECTED_SHARED] != 0, s[layout.INJECTED_NEURONS] != 0
        neurons = array_at(s[layout.INJECTED_NEURONS], n, np.uint32)
        for step in range(target[layout.STEP] + start, target[layout.STEP] + stop):
            place = s[layout.INJECTED_ROWS] + item * stride * (step - s[layout.INJECTED_STEP])
            first = step % n_rows * lanes + s[layout.INJECTED_FIRST]
            row = array_at(s[layout.INJECTED_RING] + item * first, lanes, number)
            values = array_at(place, n, number)
            if alike or chosen:
                for k in range(n):
                    row[neurons[k] if chosen else k] += values[0 if alike else k]
            else:
                add_row(row[:n], values)
        return OK

    return address_of(inject)
