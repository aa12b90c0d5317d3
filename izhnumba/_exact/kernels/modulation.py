"""Spikes that release a modulator: each adds to that of plastic synapses, at its time."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._engine.codes import OK
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import block_of, real
from izhnumba._numba.compile import STRICT, address_of
from izhnumba._numba.intrinsics import array_at, ints_at, reals_at


@functools.cache
def modulate() -> int:
    """Address of `modulate(network, projection, last)`: add what the spikes of the slice release, in the order of time;
    those at its END if `last`, else those before. (An update at that time comes in between.)"""

    def modulate(network, projection, last):
        p, start, end = ints_at(projection), real(network, layout.NOW), real(network, layout.END)
        modulator, done, last_row, last_neuron = reals_at(p[layout.MODULATOR]), -np.inf, -1, -1
        while True:
            t, row, which = np.inf, -1, -1  # the first spike that is not done
            for r in range(p[layout.N_RELEASES]):
                release = ints_at(p[layout.RELEASES] + r * layout.RELEASE_SIZE * 8)
                population, first = release[layout.RELEASED_BY], release[layout.RELEASE_FIRST]
                n = release[layout.RELEASE_LAST] - first
                members = array_at(release[layout.RELEASE_MEMBERS], n, np.uint8)
                for number in range(ints_at(population)[layout.N_BLOCKS]):
                    b = ints_at(block_of(population, number))
                    times, neurons = reals_at(b[layout.SPIKE_T]), ints_at(b[layout.SPIKE_I])
                    for k in range(b[layout.N_SPIKES]):
                        i, now = neurons[k] - first, times[k]
                        inside = now == end if last else start < now < end
                        if not inside or i < 0 or i >= n or not members[i]:
                            continue
                        later = now > done or (now == done and (r, i) > (last_row, last_neuron))
                        if later and (now < t or (now == t and (r, i) < (row, which))):
                            t, row, which = now, r, i
            if row < 0:
                return OK
            release = ints_at(p[layout.RELEASES] + row * layout.RELEASE_SIZE * 8)
            modulator[0] *= np.exp(-(t - modulator[1]) / modulator[2])
            modulator[0] += reals_at(release[layout.RELEASE_AMOUNT])[0]
            modulator[1] = t
            done, last_row, last_neuron = t, row, which

    return address_of(modulate, fastmath=STRICT)
