"""The state of neurons at a given time, read off the Taylor polynomials of their next steps: nothing is moved on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._compile import CONTRACT, address_of, called, compiled, entry_point, inlined
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.codes import OK
from izhnumba._kernels.lanes import array_at
from izhnumba._kernels.queue import real
from izhnumba._kernels.taylor import LANES, Bench, PortKind, step_of


@functools.cache
def sampler(ports: tuple[PortKind, ...]) -> Any:
    """`write(network, record, now, row)`: what a record asks for, at the time `now`."""
    B, step = Bench(ports), step_of(ports)
    N_CELL, N_STATE, SIZE, X, Y = B.n_cell, B.n_state, B.size, B.X, B.Y
    T, HELD, LIMIT, NEW_T = (row * LANES for row in (B.T, B.HELD, B.LIMIT, B.NEW))
    NEW, Z, XE = B.NEW, B.Z, B.XE
    FIRST_STATE = (*B.first_states(), 0)  # Numba takes no empty tuples
    CONDUCTANCE = (*(port.conductance for port in ports), False)
    REVERSAL = (*(sum(port.conductance for port in ports[:k]) for k in range(len(ports))), 0)

    def sample(bench, lane, cell, what):
        """What is asked for, of a lane that has come to the time."""
        scale, half = cell[N_CELL + t.P], cell[N_CELL + t.HALF]
        x = bench[X * LANES + lane]
        if what == t.OF_V:
            return (x - half) / scale
        if what == t.OF_U:
            return (bench[Y * LANES + lane] - cell[N_CELL + t.Y0]) / (scale * cell[N_CELL + t.GU])
        port = what - t.OF_PORT
        value = bench[(Z + FIRST_STATE[port]) * LANES + lane]
        if CONDUCTANCE[port]:
            value *= cell[XE + REVERSAL[port]] - x
        return value / cell[N_CELL + t.CURRENT]

    sampled = inlined(sample)

    def write(network, record, now, row):
        """A sample of the state at the time `now`."""
        r = array_at(record, t.RECORD_SIZE, np.int64)
        n = r[t.RECORD_N]
        p = array_at(r[t.RECORD_TABLE], t.TABLE_SIZE, np.int64)
        lanes, places = array_at(r[t.RECORD_LANES], n, np.int64), array_at(r[t.RECORD_PLACES], n, np.int64)
        samples = array_at(r[t.RECORD_SAMPLES] + row * n * 8, n, np.float64)
        bench = array_at(r[t.RECORD_BENCH], SIZE * LANES, np.float64)
        for first in range(0, n, LANES):
            waiting = 2**LANES - 1
            for lane in range(LANES):
                cell = array_at(
                    p[t.CELLS] + lanes[min(first + lane, n - 1)] * p[t.CELL_SIZE] * 8, p[t.CELL_SIZE], np.float64
                )
                for k in range(N_CELL):
                    bench[k * LANES + lane] = cell[k]
                held = bench[HELD + lane]
                bench[LIMIT + lane] = held if bench[T + lane] < held < now else now
            while waiting:
                mask = step(r[t.RECORD_BENCH], p[t.NUMBERS], now)
                for lane in range(LANES):
                    if mask >> lane & 1:
                        held = bench[HELD + lane] > bench[T + lane]
                        for k in range(N_STATE):
                            if not (held and (k == X or k == Y)):
                                bench[k * LANES + lane] = bench[(NEW + k) * LANES + lane]
                        if bench[T + lane] < now:
                            bench[LIMIT + lane] = now
                        else:
                            waiting &= ~(1 << lane)
            for lane in range(min(LANES, n - first)):
                cell = array_at(p[t.CELLS] + lanes[first + lane] * p[t.CELL_SIZE] * 8, p[t.CELL_SIZE], np.float64)
                samples[places[first + lane]] = sampled(bench, lane, cell, r[t.RECORD_WHAT])

    return called(write)


@functools.cache
def look(ports: tuple[PortKind, ...]) -> int:
    """Address of `look(network, record, 0)`: if a sample is due at the end of the slice, write it."""
    write = sampler(ports)

    def look(network, record, _):
        r, now = array_at(record, t.RECORD_SIZE, np.int64), real(network, t.END)
        if r[t.RECORD_NEXT] * real(record, t.RECORD_EVERY) > now:
            return OK
        row = r[t.RECORD_NEXT] - r[t.RECORD_FIRST]
        if 0 <= row < r[t.RECORD_ROOM]:
            write(network, record, now, row)
        r[t.RECORD_NEXT] += 1
        return OK

    return address_of(compiled(look, fastmath=CONTRACT), (types.int64,) * 3)


@functools.cache
def read(ports: tuple[PortKind, ...]) -> Any:
    """`read(network, record)`: write the state at the present as the first sample."""
    write = sampler(ports)

    def read(network, record):
        write(network.ctypes.data, record.ctypes.data, real(network.ctypes.data, t.NOW), 0)

    return entry_point(compiled(read, fastmath=CONTRACT), (types.int64[::1], types.int64[::1]))
