"""What spikes do in their own step, through synapses of delay 0: when all populations have been tested, it is added to
V and to the states of receptors, which move V from the next step on."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.block import finite_check, unusual
from izhnumba._clock.kernels.network import (
    FIRST,
    FIRST_TARGET,
    HOLE,
    LATER,
    N_ROWS,
    N_TARGETS,
    OFFSETS,
    PARTS,
    ROWS,
    SOURCE,
    WEIGHTS,
    next_spike,
    spikes_of,
)
from izhnumba._clock.kernels.receptors import add_row, clear
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of, called
from izhnumba._numba.intrinsics import NOINLINE, WIDEST, add_attribute, array_at, call_at, ints_at, row_at


@functools.cache
def land(dtype: str) -> int:
    """Address of `land(landing, part, k)`: add up what the spikes of step k of this call do at once to the neurons of a
    population, through one receptor, and add it to V or to a state."""
    number = np.dtype(dtype).type
    item = number(0).itemsize
    check_finite = finite_check(number)

    @called
    def add_spikes(p, landing, k):
        """Add the weights of delay 0 of the neurons that spiked, one after the other. p: a projection."""
        rows, later, parts, words = ints_at(p[ROWS]), ints_at(p[LATER]), p[PARTS], spikes_of(p[SOURCE], k)
        first, end, n = p[FIRST], p[FIRST] + p[N_ROWS], p[N_TARGETS]
        neuron = next_spike(words, first, end)
        while neuron < end:
            for row in range((neuron - first) * parts, (neuron - first + 1) * parts):
                weights = p[WEIGHTS] + rows[row] * item
                if p[OFFSETS]:
                    m = later[row] - rows[row]
                    lanes, w = array_at(p[OFFSETS] + rows[row] * 4, m, np.uint32), array_at(weights, m, number)
                    for s in range(np.uint64(m)):
                        landing[lanes[s]] += w[s]
                    continue
                hole, targets = row + p[HOLE], landing[p[FIRST_TARGET] : p[FIRST_TARGET] + n]
                m = hole if 0 <= hole < n else n
                add_row(targets[:m], array_at(weights, m, number))
                if m < n:
                    add_row(targets[hole + 1 :], array_at(weights + m * item, n - hole - 1, number))
            neuron = next_spike(words, neuron + 1, end)

    @called
    def jump_all(V, landing, spikes, hard, floor):
        """Let V jump where there are no refractory periods and V_min is one number: in the vectors of the machine."""
        add_attribute(WIDEST)
        add_attribute(NOINLINE)
        for i in range(np.uint64(V.size)):
            after = V[i] + landing[i]
            after = floor if after < floor else after  # not a number stays what it is
            stays = (landing[i] == 0) | (hard & (spikes[i] != 0))
            V[i] = V[i] if stays else after

    @called
    def jump(d, table, landing, step, first, end):
        """Let V jump, but for neurons that are refractory in this step, or whose V a hard reset sets after the jump.

        Parameters
        ----------
        d : int64 (LANDING_SIZE,)
        table : int64 (TABLE_SIZE,)
            Of the population.
        landing : real (PADDED,)
        step : int
            Since the last reset.
        first, end : int
            The lanes.
        """
        lanes = table[layout.PADDED]
        V, spikes = array_at(table[layout.V], lanes, number), array_at(table[layout.SPIKES], lanes, np.uint8)
        hard, floors, stride = d[layout.HARD] != 0, row_at(d[layout.FLOORS], number), d[layout.FLOORS_VARY]
        if not (table[layout.REFRACTORY] or stride):
            jump_all(V[first:end], landing[first:end], spikes[first:end], hard, floors[0])
            return
        until = array_at(table[layout.REFRACTORY_UNTIL], lanes, np.int32)
        refractory_steps = array_at(table[layout.REFRACTORY_STEPS], lanes, np.int32)
        refractory, now = table[layout.REFRACTORY] != 0, step - table[layout.BASE]
        for i in range(first, end):
            if landing[i] == 0:
                continue
            spiked = spikes[i] != 0
            lost = refractory and (refractory_steps[i] > 0 if spiked else now < until[i])
            if not (lost or (spiked and hard)):
                V[i] = max(V[i] + landing[i], floors[i * stride])

    def land(address, part, k):
        if part > 0:
            return OK
        d = ints_at(address)
        table = ints_at(d[layout.LANDS_ON])
        lanes, step = table[layout.PADDED], table[layout.STEP] + k
        landing, senders = array_at(d[layout.LANDING], lanes, number), ints_at(d[layout.LANDING_FROM])
        for i in range(d[layout.N_LANDING_FROM]):
            add_spikes(ints_at(senders[i]), landing, k)
        if d[layout.STATE]:
            state, factors = array_at(d[layout.STATE], lanes, number), row_at(d[layout.FACTORS], number)
            for i in range(lanes):
                state[i] += factors[1] * (factors[0] * landing[i])
            if d[layout.LANDS_LAST]:
                clear(landing)
            return OK
        constants = row_at(table[layout.CONSTANTS], number)
        for block in range((lanes + layout.BLOCK - 1) // layout.BLOCK):
            first = block * layout.BLOCK
            jump(d, table, landing, step, first, min(first + layout.BLOCK, lanes))
            V = row_at(table[layout.V] + first * item, number)
            report = ints_at(table[layout.REPORT] + block * layout.REPORT_SIZE * 8)
            valid = min(layout.BLOCK, table[layout.N] - first)
            if unusual(V, valid, constants[layout.CAREFUL_V]):
                report[layout.CAREFUL] = report[layout.WAS_CAREFUL] = 1
                u = row_at(table[layout.U] + first * item, number)
                check_finite(V, u, valid, step, constants[layout.HIGHEST], report)
            if table[layout.N_RECORDS]:
                call_at(table[layout.LAST_RECORDER], d[layout.LANDS_ON], k, block)
        clear(landing)
        return OK

    return address_of(land)


@functools.cache
def no_samples() -> int:
    """Address of `record(table, k, block)` that does nothing, where `land` takes the samples."""

    def record(address, k, block):
        return 0

    return address_of(record)
