"""Noise that is all the current of a population: kernels make it block by block, right before it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock.kernels import layout
from izhnumba._engine.arrays import aligned
from izhnumba._engine.table import Table
from izhnumba._input.target import Drawn, Target

Array = NDArray[Any]
_NO_END = 2**62  # steps: white noise may be made for more than are asked for


class NoiseTable:
    """The table of a noise that drives all neurons of a population."""

    def __init__(self, drawn: Drawn, to: Target) -> None:
        self._drawn, self._to = drawn, to
        self._table: Table | None = None

    def between(self, step: int, count: int) -> Table:
        """The table for `count` steps from `step` on."""
        table = self._table = self._table or self._filled()
        table.array(layout.NOISE_MADE).fill(0)
        walk = self._drawn.walk
        if walk is None:
            return table
        x, after, afresh = walk.start(step, count)
        table.put(layout.NOISE_X, x)
        table.put(layout.NOISE_AFTER, after)
        table[[layout.NOISE_UNTIL, layout.NOISE_AFRESH]] = step + count, step if afresh else -1
        return table

    def _filled(self) -> Table:
        from izhnumba._clock.kernels.noise import noise, relax
        from izhnumba._numba.philox import WIDTH

        drawn, dtype, n = self._drawn, self._to.dtype, self._to.n
        blocks, walk = -(-n // layout.BLOCK), drawn.walk
        table, given = Table(layout.NOISE_SIZE), {layout.NOISE_SCALE: drawn.scale, layout.NOISE_SHIFT: drawn.shift}
        table[[layout.NOISE_CALL, layout.NOISE_UNTIL, layout.NOISE_AFRESH]] = noise(dtype.name), _NO_END, -1
        table[[layout.NOISE_SEED, layout.NOISE_STREAM]] = drawn.key
        table.put(layout.NOISE_ROWS, aligned(4 * blocks * layout.BLOCK, dtype))
        table.put(layout.NOISE_MADE, np.zeros(2 * blocks, np.int64))
        if walk is not None:
            assert drawn.offset is not None
            table[layout.NOISE_RELAX] = relax(dtype.name)
            table.put(layout.NOISE_KEEP, np.array([walk.keep]))
            given[layout.NOISE_FIRST], given[layout.NOISE_OFFSET] = walk.first_scale, drawn.offset
        given = {entry: one if (one != one[0]).any() else one[:1] for entry, one in given.items()}
        varies = max(one.size for one in given.values()) > 1
        table.put_all({entry: np.full(n if varies else WIDTH, one, one.dtype) for entry, one in given.items()})
        table[layout.NOISE_VARIES] = varies
        return table
