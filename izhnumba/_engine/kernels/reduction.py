"""Reductions of a state over groups of neurons, at vector speed and in a fixed order (`_engine.reduction`)."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._engine.kernels import layout
from izhnumba._engine.kernels.layout import BLOCK, LANES
from izhnumba._numba.compile import address_of, called
from izhnumba._numba.intrinsics import WIDEST, add_attribute, ints_at, reals_at, row_at, row_on_stack


@functools.cache
def reducer(dtype: str, form: str) -> int:
    """Address of `reduce(table, row, block)`: reduce the state of the neurons of a block, to a row of the results.
    form: "sum", "magnitude" or "count"."""
    number = np.dtype(dtype).type
    item, counts, magnitude = number(0).itemsize, form == "count", form == "magnitude"

    @called
    def total(values, n):
        """The sum of n numbers, or of their magnitudes, in float64: lane by lane, then folded."""
        add_attribute(WIDEST)
        sums = row_on_stack(LANES, np.float64)
        for lane in range(LANES):
            sums[lane] = 0.0
        whole = n - n % LANES
        for i in range(0, whole, LANES):
            for lane in range(LANES):
                value = np.float64(values[i + lane])
                sums[lane] += abs(value) if magnitude else value
        for lane in range(n - whole):
            value = np.float64(values[whole + lane])
            sums[lane] += abs(value) if magnitude else value
        half = LANES // 2
        while half:
            for lane in range(half):
                sums[lane] += sums[lane + half]
            half //= 2
        return sums[0]

    @called
    def not_below(values, n, level):
        """How many of n numbers are at a level or above it."""
        add_attribute(WIDEST)
        found = np.int32(0)
        for i in range(np.uint64(n)):
            found += np.int32(values[i] >= level)
        return np.int64(found)

    def reduce(address, row, block):
        table = ints_at(address)
        starts, n_levels = ints_at(table[layout.STARTS]), table[layout.N_LEVELS]
        width = n_levels if counts else 1
        source, levels = row_at(table[layout.SOURCE], number), row_at(table[layout.LEVELS], number)
        gathered = row_on_stack(BLOCK, number)
        for k in range(starts[block], starts[block + 1]):
            part = ints_at(table[layout.PARTS] + k * layout.PART_SIZE * 8)
            n, neurons = part[layout.PART_N], ints_at(table[layout.NEURONS] + part[layout.PART_FIRST] * 8)
            values = gathered
            if part[layout.PART_NEIGHBOURS]:
                values = row_at(table[layout.SOURCE] + neurons[0] * item, number)
            else:
                for i in range(np.uint64(n)):
                    gathered[i] = source[neurons[i]]
            cell = table[layout.RESULTS] + (row * table[layout.N_CELLS] + part[layout.PART_CELL]) * width * 8
            if counts:
                found = ints_at(cell)
                for j in range(n_levels):
                    found[j] = not_below(values, n, levels[j])
            else:
                reals_at(cell)[0] = total(values, n)
        return 0

    return address_of(reduce)
