"""Gap junctions: before each step, w and w V of every source are added to its target's sums of that step."""

from __future__ import annotations

import functools

import numpy as np
from numba import types

from izhnumba._clock.constants import DERIVED
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
from izhnumba._model.quantity import MAX_PARAMETERS
from izhnumba._numba.compile import STRICT, address_of, compiled, inlined
from izhnumba._numba.intrinsics import array_at, parameter_lanes, parameters_of

# SUM_V, behind the entries of every projection: real (PADDED,), sums of w V. RING holds the sums of w, real (PADDED,)
SUM_V = PROJECTION_SIZE
TABLE_SIZE = PROJECTION_SIZE + 1


@functools.cache
def couple(model, dtype: str, varies: int) -> int:
    """Address of `couple(projection, part, k)`: add the weights w, and w times V of the sources (mV, at most their
    thresholds), to the sums of the targets. model, varies: of the sources."""
    number = np.dtype(dtype).type
    item = number(0).itemsize
    p_type = model.named_tuple("V_min", *DERIVED)
    threshold, VARIES = inlined(model.threshold), varies

    def couple(address, part, k):
        p = array_at(address, TABLE_SIZE, np.int64)
        parts = p[PARTS]
        if part >= parts:
            return OK
        source, target = (
            array_at(p[SOURCE], layout.TABLE_SIZE, np.int64),
            array_at(p[TARGET], layout.TABLE_SIZE, np.int64),
        )
        rows = array_at(p[ROWS], p[N_ROWS] * parts + 1, np.int64)
        offsets = array_at(p[OFFSETS], rows[p[N_ROWS] * parts], np.uint32)
        weights = array_at(p[WEIGHTS], offsets.size, number)
        sum_w, sum_wV = (
            array_at(p[RING], target[layout.PADDED], number),
            array_at(p[SUM_V], target[layout.PADDED], number),
        )
        V = array_at(source[layout.V] + p[FIRST] * item, p[N_ROWS], number)
        u = array_at(source[layout.U] + p[FIRST] * item, p[N_ROWS], number)
        addresses = array_at(source[layout.PARAMETERS], MAX_PARAMETERS, np.int64)
        parameters = parameter_lanes(addresses, p[FIRST], number, p_type, VARIES)
        for j in range(p[N_ROWS]):
            top = threshold(u[j], parameters_of(parameters, j, p_type, number))
            level = V[j] if V[j] < top else top
            row = j * parts + part
            for s in range(np.uint64(rows[row]), np.uint64(rows[row + 1])):
                sum_w[offsets[s]] += weights[s]
                sum_wV[offsets[s]] += weights[s] * level
        return OK

    return address_of(compiled(couple, fastmath=STRICT), (types.int64,) * 3)
