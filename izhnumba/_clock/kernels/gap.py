"""Gap junctions: before each step, w and w V of every source are added to its target's sums of that step."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.network import (
    FIRST,
    N_ROWS,
    OFFSETS,
    PARTS,
    PROJECTION_SIZE,
    RING,
    ROWS,
    SOURCE,
    TARGET,
    WEIGHTS,
)
from izhnumba._engine.codes import OK
from izhnumba._model.state_steps import lane_type
from izhnumba._numba.compile import STRICT, address_of, inlined
from izhnumba._numba.intrinsics import array_at, ints_at, parameter_lanes, parameters_of

# SUM_V, behind the entries of every projection: real (PADDED,), sums of w V. RING holds the sums of w, real (PADDED,)
SUM_V = PROJECTION_SIZE
TABLE_SIZE = PROJECTION_SIZE + 1


@functools.cache
def couple(model, dtype: str, varies: int) -> int:
    """Address of `couple(projection, part, k)`: add the weights w, and w times V of the sources (mV, at most their
    thresholds), to the sums of the targets. model, varies: of the sources."""
    number = np.dtype(dtype).type
    item = number(0).itemsize
    p_type = lane_type(model)
    threshold, VARIES = inlined(model.threshold), varies

    def couple(address, part, k):
        p = ints_at(address)
        parts = p[PARTS]
        if part >= parts:
            return OK
        source, target = ints_at(p[SOURCE]), ints_at(p[TARGET])
        rows = ints_at(p[ROWS])
        offsets = array_at(p[OFFSETS], rows[p[N_ROWS] * parts], np.uint32)
        weights = array_at(p[WEIGHTS], offsets.size, number)
        sum_w, sum_wV = (
            array_at(p[RING], target[layout.PADDED], number),
            array_at(p[SUM_V], target[layout.PADDED], number),
        )
        V = array_at(source[layout.V] + p[FIRST] * item, p[N_ROWS], number)
        u = array_at(source[layout.U] + p[FIRST] * item, p[N_ROWS], number)
        addresses = ints_at(source[layout.PARAMETERS])
        parameters = parameter_lanes(addresses, p[FIRST], number, p_type, VARIES)
        for j in range(p[N_ROWS]):
            top = threshold(u[j], parameters_of(parameters, j, p_type, number))
            level = V[j] if V[j] < top else top
            row = j * parts + part
            for s in range(np.uint64(rows[row]), np.uint64(rows[row + 1])):
                sum_w[offsets[s]] += weights[s]
                sum_wV[offsets[s]] += weights[s] * level
        return OK

    return address_of(couple, fastmath=STRICT)
