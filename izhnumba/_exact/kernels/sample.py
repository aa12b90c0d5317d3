"""Samples: the state of neurons at the present, from the Taylor polynomials of their next steps. Stored states move
over whole steps alone, which would be done again with the same bits."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from izhnumba._engine.codes import FAILURE, OK
from izhnumba._engine.kernels.layout import KERNEL, N_BLOCKS
from izhnumba._engine.states import STATES
from izhnumba._engine.timebase import GRID
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.events import block_of, real, set_real
from izhnumba._exact.kernels.simd_rows import LANES, ReceptorKind, SimdRows
from izhnumba._numba.compile import CONTRACT, address_of, called, inlined
from izhnumba._numba.intrinsics import call_at, ints_at, reals_at

# What a record asks for: the number of the state in STATES, and len(STATES) times that of its receptor.
OF_V, OF_U = (list(STATES).index(name) for name in ("V", "u"))
N_STATES = len(STATES)


@functools.cache
def sampler(receptors: tuple[ReceptorKind, ...]) -> tuple[Any, Any]:
    """`bring(population, address, numbers, first, n, network)` -> code, and
    `sample(address, lane, state_address, what)` -> V (mV), u or the current of a receptor, of the neuron in a lane."""
    R = SimdRows(receptors)
    N_LOADED, N_STATE, X, Y = R.n_loaded, R.n_state, R.X, R.Y
    T, UNTIL, LIMIT, NEW, Z, XE = R.T * LANES, R.REFRACTORY_UNTIL * LANES, R.LIMIT * LANES, R.NEW, R.Z, R.XE
    OFTEN, LEAST = layout.STUCK
    FIRST_STATE = (*R.first_states(), 0)  # Numba takes no empty tuples
    CONDUCTANCE = (*(receptor.conductance for receptor in receptors), False)
    REVERSAL = (*(sum(receptor.conductance for receptor in receptors[:k]) for k in range(len(receptors))), 0)

    def bring(population, address, numbers, first, n, network):
        """Move LANES neurons to the present, in the SIMD rows. Returns OK, or FAILURE if one does not get there. Whole
        steps are stored, or a neuron at rest would take more and more steps from sample to sample.

        Parameters
        ----------
        population, network : int
            Addresses of their tables.
        address : int
            Of SIMD rows, float64 (rows, LANES).
        numbers : int
            Address of the numbers of the neurons, int64 (n,).
        first, n : int
            The place of the first of them among these, and how many there are.
        """
        p, simd, neurons, now = ints_at(population), reals_at(address), ints_at(numbers), real(network, layout.NOW)
        for lane in range(LANES):
            state = reals_at(state_of(p, neurons[min(first + lane, n - 1)]))
            for k in range(N_LOADED):
                simd[k * LANES + lane] = state[k]
            refractory_until = simd[UNTIL + lane]
            simd[LIMIT + lane] = refractory_until if simd[T + lane] < refractory_until < now else now
        waiting, whole, steps, come = 2**LANES - 1, 2**LANES - 1, 0, -np.inf
        while waiting:
            if steps == OFTEN:
                last = 0
                for lane in range(LANES):
                    last = lane if simd[T + lane] < simd[T + last] else last
                if simd[T + last] - come < LEAST:
                    return fail(population, neurons[min(first + last, n - 1)], simd[T + last])
                steps, come = 0, simd[T + last]
            steps += 1
            masks = call_at(p[layout.STEP], address, p[layout.NUMBERS], network + layout.NOW * 8)
            whole &= ~masks  # neither cut by the present nor in need of attention
            for lane in range(min(LANES, n - first)):
                if whole >> lane & 1:
                    state = reals_at(state_of(p, neurons[first + lane]))
                    for k in range(N_STATE):
                        state[k] = simd[k * LANES + lane]
            for lane in range(LANES):
                if masks >> lane & 1:
                    before, left = simd[T + lane], masks >> (LANES + lane) & 1
                    refractory = simd[UNTIL + lane] > before
                    for k in range(N_STATE):
                        if left and not (refractory and k in (X, Y)):
                            simd[k * LANES + lane] = simd[(NEW + k) * LANES + lane]
                    stuck = left and simd[T + lane] <= before < simd[LIMIT + lane]
                    simd[LIMIT + lane] = now
                    if simd[T + lane] >= now or stuck:
                        waiting &= ~(1 << lane)
        return OK

    def sample(address, lane, state_address, what):
        simd, state = reals_at(address), reals_at(state_address)
        scale, half = state[N_LOADED + layout.P], state[N_LOADED + layout.HALF]
        x = simd[X * LANES + lane]
        which, receptor = what % N_STATES, what // N_STATES
        if which == OF_V:
            return (x - half) / scale
        if which == OF_U:
            return (simd[Y * LANES + lane] - state[N_LOADED + layout.Y0]) / (scale * state[N_LOADED + layout.GU])
        value = simd[(Z + FIRST_STATE[receptor]) * LANES + lane]
        if CONDUCTANCE[receptor]:
            value *= state[XE + REVERSAL[receptor]] - x
        return value / state[N_LOADED + layout.CURRENT]

    return called(bring), called(sample)


@called
def fail(population, neuron, time):
    """Write to the block of a neuron that it failed at `time` (ms). Returns FAILURE."""
    place = block_of(population, 0)
    while neuron >= ints_at(place)[layout.FIRST] + ints_at(place)[layout.N_NEURONS]:
        place += layout.BLOCK_SIZE * 8
    b = ints_at(place)
    b[layout.FAILED], b[layout.FAILED_NEURON] = 1, neuron
    set_real(place, layout.FAILED_TIME, time)
    return FAILURE


@inlined
def state_of(p, neuron):
    """Address of the row of STATES of a neuron. p: the table of the population."""
    return p[layout.STATES] + neuron * p[layout.STATE_SIZE] * 8


@inlined
def due(record):
    """Time (ms) of the next sample of a record, on the grid of `timebase.Continuous`."""
    following = ints_at(record)[layout.RECORD_NEXT]
    return np.rint(following * real(record, layout.RECORD_EVERY) * GRID) / GRID


@functools.cache
def sampling(receptors: tuple[ReceptorKind, ...]) -> int:
    """Address of `sample_or_publish(network, record, publish)` -> code: write the sample of a record that is due now,
    if one is; or, if `publish`, V and u of now to the arrays that users read."""
    bring, sample = sampler(receptors)

    def sample_or_publish(network, record, publish):
        r, now = ints_at(record), real(network, layout.NOW)
        p = ints_at(r[layout.RECORD_TABLE])
        n, neurons, places, what = (
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
        reduction = r[layout.RECORD_REDUCTION]
        samples = reals_at(r[layout.RECORD_SAMPLES] + (0 if reduction else row * n * 8))
        V, u, shown = reals_at(p[layout.V]), reals_at(p[layout.U]), reals_at(p[layout.SHOWN])
        for first in range(0, n, LANES):
            if (
                bring(r[layout.RECORD_TABLE], r[layout.RECORD_SIMD_ROWS], r[layout.RECORD_NEURONS], first, n, network)
                != OK
            ):
                return FAILURE
            for lane in range(min(LANES, n - first)):
                i = neurons[first + lane]
                if publish:
                    V[i] = shown[i] = sample(r[layout.RECORD_SIMD_ROWS], lane, state_of(p, i), OF_V)
                    u[i] = shown[n + i] = sample(r[layout.RECORD_SIMD_ROWS], lane, state_of(p, i), OF_U)
                else:
                    samples[places[first + lane]] = sample(r[layout.RECORD_SIMD_ROWS], lane, state_of(p, i), what)
        if reduction:
            for block in range(ints_at(reduction)[N_BLOCKS]):
                call_at(ints_at(reduction)[KERNEL], reduction, row, block)
        return OK

    return address_of(sample_or_publish, fastmath=CONTRACT)
