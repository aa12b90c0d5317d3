"""The state of neurons at a given time, read off the Taylor polynomials of their next steps: nothing is moved on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._compile import CONTRACT, address_of, called, compiled, inlined
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.bench import LANES, Bench, PortKind
from izhnumba._kernels.codes import OK
from izhnumba._kernels.lanes import array_at
from izhnumba._kernels.queue import real
from izhnumba._kernels.taylor_scalar import with_step
from izhnumba._timebase import GRID


@functools.cache
def sampler(ports: tuple[PortKind, ...], step: Any) -> tuple[Any, Any]:
    """`bring(p, bench, address, lanes, first, now)`: eight neurons to the time `now`, on the bench alone;
    `sample(bench, lane, cell, what)`: what is asked for of one of them."""
    B = Bench(ports)
    N_CELL, N_STATE, X, Y = B.n_cell, B.n_state, B.X, B.Y
    T, HELD, LIMIT, NEW, Z, XE = B.T * LANES, B.HELD * LANES, B.LIMIT * LANES, B.NEW, B.Z, B.XE
    FIRST_STATE = (*B.first_states(), 0)  # Numba takes no empty tuples
    CONDUCTANCE = (*(port.conductance for port in ports), False)
    REVERSAL = (*(sum(port.conductance for port in ports[:k]) for k in range(len(ports))), 0)

    def bring(p, bench, address, lanes, first, now):
        for lane in range(LANES):
            cell = cell_of(p, lanes[min(first + lane, lanes.size - 1)])
            for k in range(N_CELL):
                bench[k * LANES + lane] = cell[k]
            held = bench[HELD + lane]
            bench[LIMIT + lane] = held if bench[T + lane] < held < now else now
        waiting = 2**LANES - 1
        while waiting:
            masks = step(address, p[t.NUMBERS], now)
            for lane in range(LANES):
                if masks >> lane & 1:
                    before, left = bench[T + lane], masks >> (LANES + lane) & 1
                    held = bench[HELD + lane] > before
                    for k in range(N_STATE):
                        if left and not (held and k in (X, Y)):
                            bench[k * LANES + lane] = bench[(NEW + k) * LANES + lane]
                    stuck = left and bench[T + lane] <= before < bench[LIMIT + lane]
                    bench[LIMIT + lane] = now
                    if bench[T + lane] >= now or stuck:
                        waiting &= ~(1 << lane)

    def sample(bench, lane, cell, what):
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

    return called(bring), called(sample)


@inlined
def cell_of(p, neuron):
    return array_at(p[t.CELLS] + neuron * p[t.CELL_SIZE] * 8, p[t.CELL_SIZE], np.float64)


@inlined
def due(record):
    """When the next sample of a record is to be taken, on the grid of `_timebase.Continuous`."""
    following = array_at(record, t.RECORD_SIZE, np.int64)[t.RECORD_NEXT]
    return np.rint(following * real(record, t.RECORD_EVERY) * GRID) / GRID


@functools.cache
def look(ports: tuple[PortKind, ...]) -> int:
    """Address of `look(network, record, 0)`: if a sample is due at the end of the slice, write it."""
    return int(with_step(ports, lambda step: _look(ports, step)))


def _look(ports: tuple[PortKind, ...], step: Any) -> int:
    (bring, sample), SIZE = sampler(ports, step), Bench(ports).size

    def look(network, record, _):
        r, now = array_at(record, t.RECORD_SIZE, np.int64), real(network, t.END)
        if due(record) > now:
            return OK
        row, n = r[t.RECORD_NEXT] - r[t.RECORD_FIRST], r[t.RECORD_N]
        r[t.RECORD_NEXT] += 1
        if not 0 <= row < r[t.RECORD_ROOM]:
            return OK
        p = array_at(r[t.RECORD_TABLE], t.TABLE_SIZE, np.int64)
        lanes, places = array_at(r[t.RECORD_LANES], n, np.int64), array_at(r[t.RECORD_PLACES], n, np.int64)
        samples = array_at(r[t.RECORD_SAMPLES] + row * n * 8, n, np.float64)
        bench = array_at(r[t.RECORD_BENCH], SIZE * LANES, np.float64)
        for first in range(0, n, LANES):
            bring(p, bench, r[t.RECORD_BENCH], lanes, first, now)
            for lane in range(min(LANES, n - first)):
                samples[places[first + lane]] = sample(bench, lane, cell_of(p, lanes[first + lane]), r[t.RECORD_WHAT])
        return OK

    return address_of(compiled(look, fastmath=CONTRACT), (types.int64,) * 3)


@functools.cache
def show(ports: tuple[PortKind, ...]) -> int:
    """Address of `show(network, population, 0)`: write V and u of all neurons at the present."""
    return int(with_step(ports, lambda step: _show(ports, step)))


def _show(ports: tuple[PortKind, ...], step: Any) -> int:
    (bring, sample), SIZE = sampler(ports, step), Bench(ports).size

    def show(network, population, _):
        p, now = array_at(population, t.TABLE_SIZE, np.int64), real(network, t.NOW)
        lanes = array_at(p[t.ALL], p[t.N], np.int64)
        bench = array_at(p[t.SHOW_BENCH], SIZE * LANES, np.float64)
        V, u = array_at(p[t.V], p[t.N], np.float64), array_at(p[t.U], p[t.N], np.float64)
        shown = array_at(p[t.SHOWN], 2 * p[t.N], np.float64)
        for first in range(0, p[t.N], LANES):
            bring(p, bench, p[t.SHOW_BENCH], lanes, first, now)
            for lane in range(min(LANES, p[t.N] - first)):
                i = first + lane
                V[i] = shown[i] = sample(bench, lane, cell_of(p, i), t.OF_V)
                u[i] = shown[p[t.N] + i] = sample(bench, lane, cell_of(p, i), t.OF_U)
        return OK

    return address_of(compiled(show, fastmath=CONTRACT), (types.int64,) * 3)
