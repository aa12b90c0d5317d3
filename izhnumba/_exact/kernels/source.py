"""Spikes of a source in continuous time: those that come are spikes of its block as soon as a slice has got to them."""

from __future__ import annotations

import functools

from izhnumba._engine.codes import OK, ROOM
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import block_of, real
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import ints_at, reals_at


@functools.cache
def send_coming() -> int:
    """Address of `send_coming(network, source, block)` -> code: all spikes up to the end of the slice."""

    def send_coming(network, source, number):
        s, b, end = ints_at(source), ints_at(block_of(source, number)), real(network, layout.END)
        n, coming = s[layout.N_COMING], reals_at(s[layout.COMING])
        times, cells = reals_at(b[layout.SPIKE_T]), ints_at(b[layout.SPIKE_I])
        while s[layout.SENT] < n and coming[s[layout.SENT]] <= end:
            if b[layout.SPIKE_ROOM] - b[layout.N_SPIKES] < layout.MOST_SPIKES:
                return ROOM
            times[b[layout.N_SPIKES]], cells[b[layout.N_SPIKES]] = coming[s[layout.SENT]], coming[n + s[layout.SENT]]
            b[layout.N_SPIKES] += 1
            s[layout.SENT] += 1
        return OK

    return address_of(send_coming)
