"""The state of neurons at the present, read off the Taylor polynomials of their next steps. Nothing is moved on but
over whole steps, which would be done again as they are."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._engine.codes import FAILURE, OK
from izhnumba._engine.timebase import GRID
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.bench import LANES, Bench, PortKind
from izhnumba._exact.kernels.events import block_of, real, set_real
from izhnumba._numba.compile import CONTRACT, address_of, called, compiled, inlined
from izhnumba._numba.intrinsics import call_at, ints_at, reals_at


@functools.cache
def sampler(ports: tuple[PortKind, ...]) -> tuple[Any, Any]:
    """`bring(population, bench, lanes, first, n, network)`: eight of n neurons to the present, on the bench, and over
    whole steps also in their cells, or a neuron at rest would take more and more steps from look to look; FAILURE if
    one does not get there;
    `sample(bench, lane, cell, what)`: what is asked for of one of them."""
    B = Bench(ports)
    N_CELL, N_STATE, X, Y = B.n_cell, B.n_state, B.X, B.Y
    T, HELD, LIMIT, NEW, Z, XE = B.T * LANES, B.HELD * LANES, B.LIMIT * LANES, B.NEW, B.Z, B.XE
    OFTEN, LEAST = layout.STUCK
    FIRST_STATE = (*B.first_states(), 0)  # Numba takes no empty tuples
    CONDUCTANCE = (*(port.conductance for port in ports), False)
    REVERSAL = (*(sum(port.conductance for port in ports[:k]) for k in range(len(ports))), 0)

    def bring(population, address, neurons, first, n, network):
        p, bench, lanes, now = ints_at(population), reals_at(address), ints_at(neurons), real(network, layout.NOW)
        for lane in range(LANES):
            cell = reals_at(cell_of(p, lanes[min(first + lane, n - 1)]))
            for k in range(N_CELL):
                bench[k * LANES + lane] = cell[k]
            held = bench[HELD + lane]
            bench[LIMIT + lane] = held if bench[T + lane] < held < now else now
        waiting, whole, steps, come = 2**LANES - 1, 2**LANES - 1, 0, -np.inf
        while waiting:
            if steps == OFTEN:
                last = 0
                for lane in range(LANES):
                    last = lane if bench[T + lane] < bench[T + last] else last
                if bench[T + last] - come < LEAST:
                    return fail(population, lanes[min(first + last, n - 1)], bench[T + last])
                steps, come = 0, bench[T + last]
            steps += 1
            masks = call_at(p[layout.STEP], address, p[layout.NUMBERS], network + layout.NOW * 8)
            whole &= ~masks  # neither cut by the present nor in need of attention
            for lane in range(min(LANES, n - first)):
                if whole >> lane & 1:
                    cell = reals_at(cell_of(p, lanes[first + lane]))
                    for k in range(N_STATE):
                        cell[k] = bench[k * LANES + lane]
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
        return OK

    def sample(address, lane, cell_address, what):
        bench, cell = reals_at(address), reals_at(cell_address)
        scale, half = cell[N_CELL + layout.P], cell[N_CELL + layout.HALF]
        x = bench[X * LANES + lane]
        if what == layout.OF_V:
            return (x - half) / scale
        if what == layout.OF_U:
            return (bench[Y * LANES + lane] - cell[N_CELL + layout.Y0]) / (scale * cell[N_CELL + layout.GU])
        port = what - layout.OF_PORT
        value = bench[(Z + FIRST_STATE[port]) * LANES + lane]
        if CONDUCTANCE[port]:
            value *= cell[XE + REVERSAL[port]] - x
        return value / cell[N_CELL + layout.CURRENT]

    return called(bring), called(sample)


@called
def fail(population, neuron, time):
    """Note in the block of a neuron that it does not come on."""
    number = 0
    while (
        neuron
        >= ints_at(block_of(population, number))[layout.FIRST] + ints_at(block_of(population, number))[layout.N_CELLS]
    ):
        number += 1
    place = block_of(population, number)
    b = ints_at(place)
    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, neuron
    set_real(place, layout.FAILED_TIME, time)
    return FAILURE


@inlined
def cell_of(p, neuron):
    """Where the cell of a neuron is."""
    return p[layout.CELLS] + neuron * p[layout.CELL_SIZE] * 8


@inlined
def due(record):
    """When the next sample of a record is to be taken, on the grid of `_timebase.Continuous`."""
    following = ints_at(record)[layout.RECORD_NEXT]
    return np.rint(following * real(record, layout.RECORD_EVERY) * GRID) / GRID


@functools.cache
def sampling(ports: tuple[PortKind, ...]) -> int:
    """Address of `sample_or_publish(network, record, publish)`: write the sample due at the end of the slice, if there
    is one, or the present V and u to where users read them."""
    bring, sample = sampler(ports)

    def sample_or_publish(network, record, publish):
        r, now = ints_at(record), real(network, layout.NOW)
        p = ints_at(r[layout.RECORD_TABLE])
        n, lanes, places, what = (
            r[layout.RECORD_N],
            ints_at(r[layout.RECORD_NEURONS]),
            ints_at(r[layout.RECORD_PLACES]),
            r[layout.RECORD_WHAT],
        )
        row = 0
        if not publish:
            if due(record) > now:
                return OK
            row = r[layout.RECORD_NEXT] - r[layout.RECORD_FIRST]
            r[layout.RECORD_NEXT] += 1
            if not 0 <= row < r[layout.RECORD_ROOM]:
                return OK
        samples = reals_at(r[layout.RECORD_SAMPLES] + row * n * 8)
        V, u, shown = reals_at(p[layout.V]), reals_at(p[layout.U]), reals_at(p[layout.SHOWN])
        for first in range(0, n, LANES):
            if bring(r[layout.RECORD_TABLE], r[layout.RECORD_BENCH], r[layout.RECORD_NEURONS], first, n, network) != OK:
                return FAILURE
            for lane in range(min(LANES, n - first)):
                i = lanes[first + lane]
                if publish:
                    V[i] = shown[i] = sample(r[layout.RECORD_BENCH], lane, cell_of(p, i), layout.OF_V)
                    u[i] = shown[n + i] = sample(r[layout.RECORD_BENCH], lane, cell_of(p, i), layout.OF_U)
                else:
                    samples[places[first + lane]] = sample(r[layout.RECORD_BENCH], lane, cell_of(p, i), what)
        return OK

    return address_of(compiled(sample_or_publish, fastmath=CONTRACT), (types.int64,) * 3)
