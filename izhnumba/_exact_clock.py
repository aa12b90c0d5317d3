"""The clock of the exact engine: takes populations and synapses from slice to slice in one compiled call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock_engine import one_parallel_region
from izhnumba._exact_engine import ExactEngine
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.codes import FAILURE, OK, ROOM

Array = NDArray[Any]
_NO_SYNAPSES = 16.0  # ms, width of a slot of time if no delay sets it
_SHARE = 1 - 2.0**-20  # of the shortest delay: rounding must not bring a spike into the slice that sends it
_MOST_SLOTS = 2**16


class ExactClock:
    """Populations' engines and the synapses between them, advanced together."""

    def __init__(self) -> None:
        self.engines: list[ExactEngine] = []
        self._table = np.zeros(t.NET_SIZE, np.int64)
        self._reals = self._table.view(np.float64)
        self._kept: dict[int, Array] = {}
        self._projections: list[Array] = []
        self.set_slots(np.inf, 0.0)
        self.records: list[Any] = []

    def _put(self, entry: int, array: Array) -> Array:
        self._kept[entry] = array
        self._table[entry] = array.ctypes.data
        return array

    @property
    def now(self) -> float:
        """Time to which all has come, ms."""
        return float(self._reals[t.NOW])

    @property
    def n(self) -> int:
        return sum(engine.n for engine in self.engines)

    def set_slots(self, shortest: float, longest: float) -> None:
        """shortest, longest: delay, ms."""
        width = min(shortest * _SHARE, _NO_SYNAPSES)
        self.width = width
        self.n_slots = 2 ** int(np.ceil(np.log2(max(2 * longest / width, 64.0) + 3)))
        self._reals[t.WIDTH] = width
        self._table[t.SLOTS] = self.n_slots

    # --- running --------------------------------------------------------------------------------------------------

    def advance(self, until: float, threads: int = 1, pieces: Any = None) -> int:
        if any(engine.touched() for engine in self.engines):
            self._cut()
            for engine in self.engines:
                engine.take_up(self.now)
        for engine in self.engines:
            engine.trap(True)
            engine.table[[t.PIECE, t.N_PIECES]] = 0
        code = self._run(until, threads)
        for engine in self.engines:
            engine.collect()
        self.show()
        return code

    def _cut(self) -> None:
        """Bring all cells to the present."""
        if all(engine.form is None for engine in self.engines):
            return
        breaks = np.array([-np.inf, self.now])
        rows = np.zeros(0, np.int64)
        for engine in self.engines:
            if engine.form is not None:
                engine.pieces(breaks, rows, np.zeros((2, 0, 1)))
        self._run(self.now, 1)

    def _run(self, until: float, threads: int) -> int:
        from izhnumba._kernels.exact_network import entry
        from izhnumba._kernels.queue import deliver, gather

        table, ready = self._table, [engine for engine in self.engines if engine.form is not None]
        for engine in ready:
            engine.compile()
        self._put(t.POPULATIONS, np.array([engine.table.ctypes.data for engine in ready], np.int64))
        blocks = [(engine.table.ctypes.data, k) for engine in ready for k in range(len(engine.blocks))]
        self._put(t.ALL_BLOCKS, np.array(blocks, np.int64).reshape(-1))
        self._put(t.PROJECTIONS, np.array([one.ctypes.data for one in self._projections], np.int64))
        n_parts = max(len(engine.blocks) for engine in ready)
        self._put(t.CODES, np.zeros(max(len(blocks), n_parts), np.int64))
        table[[t.N_POPULATIONS, t.N_ALL_BLOCKS, t.N_PARTS]] = len(ready), len(blocks), n_parts
        table[t.N_PROJECTIONS] = len(self._projections)
        table[[t.GATHER, t.DELIVER_TO]] = gather(), deliver()
        self._reals[t.UNTIL] = until
        for block in (block for engine in ready for block in engine.blocks):
            block.prepare(self.n_slots)
        run = entry(threads > 1)
        with one_parallel_region() if threads > 1 else nullcontext():
            code = run(table)
            while code == ROOM:
                for engine in ready:
                    for block in engine.blocks:
                        block.grow()
                code = run(table)
        return int(code)

    def show(self) -> None:
        """Let V and u of all engines show the present."""
        from izhnumba._kernels.exact_look import look

        for engine in self.engines:
            lanes = np.arange(engine.n)
            both = np.empty((2, 1, engine.n))
            for what, values in ((t.OF_V, both[0]), (t.OF_U, both[1])):
                engine.look(self._table, what, lanes, values)
            engine.V[: engine.n], engine.u[: engine.n] = both[0, 0], both[1, 0]
            engine._shown[...] = both[:, 0]
