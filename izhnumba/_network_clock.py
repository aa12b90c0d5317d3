"""The clock of a network: takes populations and synapses from slice to slice in one compiled call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._arrivals import Port
from izhnumba._clock_engine import ClockEngine, may_go_parallel, n_processors, one_parallel_region
from izhnumba._engine import Record
from izhnumba._kernels import table as t
from izhnumba._timebase import Steps

Array = NDArray[Any]
Binder = Callable[[], tuple[int, Array]]


class _Calls:
    """Compiled functions and the tables that they take, as pairs of addresses that a kernel can read."""

    def __init__(self, bound: Iterable[tuple[int, Array]]) -> None:
        self._bound = list(bound)  # must stay alive
        pairs = [(address, table.ctypes.data) for address, table in self._bound]
        self._pairs = np.array(pairs, np.int64)
        self.n, self.address = len(pairs), self._pairs.ctypes.data


class NetworkClock:
    """Populations' engines and the synapses between them, advanced together. Inputs are named (population, port), by
    number and port; the port is None for currents."""

    def __init__(self, dt: float) -> None:
        self.time = Steps(dt)
        self.engines: list[ClockEngine] = []
        self._table = np.zeros(t.NET_SIZE, np.int64)
        self.slice = 1
        self._projections = _Calls([])
        self._gaps: Sequence[Binder] = ()
        self._most_parts = 1
        self.found: list[set[int]] = []  # by the engines in this run

    @property
    def now(self) -> int:
        """Steps done, where the kernel counts them together with those of the engines: Ctrl-C cannot part them."""
        return int(self._table[t.NET_STEP])

    @now.setter
    def now(self, value: int) -> None:
        self._table[t.NET_STEP] = value

    step = now

    def add(self, engine: ClockEngine) -> None:
        self.engines.append(engine)

    @property
    def n(self) -> int:
        return sum(engine.n for engine in self.engines)

    @property
    def item(self) -> int:
        return max(engine.item for engine in self.engines)

    def connect(
        self, synapses: Sequence[Binder], gaps: Sequence[Binder], delays: dict[ClockEngine, int], shortest: int,
        parts: int,
    ) -> None:  # fmt: skip
        """Take over what is to be delivered after each slice, and the gap junctions to be looked after before it.
        delays: the longest to each population, in steps; shortest: of all."""
        self.slice, self._most_parts = shortest, parts
        for engine in self.engines:
            whole_slices = -(-delays.get(engine, 1) // shortest) * shortest
            if whole_slices != engine.arrivals.steps:
                engine.arrivals.lay(whole_slices, self.now)
        self._projections, self._gaps = _Calls([bind() for bind in synapses]), gaps

    def advance(self, until: int, inputs: dict[tuple[int, Port | None], Array], threads: int) -> int:
        from izhnumba._kernels.network import entry

        n_steps = until - self.now
        populations = _Calls(self._prepared(n_steps, inputs, threads))
        gaps = _Calls([bind() for bind in self._gaps])  # anew, for they depend on which parameters are arrays
        table = self._table
        table[[t.NET_STEPS, t.NET_SLICE, t.N_PARTS]] = n_steps, self.slice, self._most_parts
        table[[t.N_POPULATIONS, t.POPULATIONS]] = populations.n, populations.address
        table[[t.N_PROJECTIONS, t.PROJECTIONS]] = self._projections.n, self._projections.address
        table[[t.N_GAPS, t.GAPS]] = gaps.n, gaps.address
        run = entry(threads > 1 and self._most_parts > 1)
        if threads == 1:
            code = run(table)
        else:
            with one_parallel_region():
                code = run(table)
        for engine, codes in zip(self.engines, self.found, strict=True):
            codes |= engine.verdict()
        return int(code)

    def show(self) -> None:
        """V and u always are those of now."""

    def _prepared(
        self, n_steps: int, inputs: dict[tuple[int, Port | None], Array], threads: int
    ) -> Iterator[tuple[int, Array]]:
        """The engines' kernels, each with its table."""
        for number, engine in enumerate(self.engines):
            drives = {port: rows for (which, port), rows in inputs.items() if which == number and port is not None}
            current = inputs.get((number, None))
            current = np.zeros((1, 1), engine.dtype) if current is None else current
            yield engine.prepare_slices(n_steps, current, drives, min(threads, engine.n_blocks)), engine.table

    def record(self, wanted: list[Record]) -> None:
        """Write states into the rows of these records in the next slices."""
        for engine in self.engines:
            engine.record([record for record in wanted if record.engine is engine])

    def threads_for(self, until: int, stop: int, wanted: int | None) -> int:
        most = min(max(self._most_parts, *(engine.n_blocks for engine in self.engines)), wanted or n_processors())
        n, now = self.n, self.now
        work = n * min(self.slice, until - now)
        return most if most > 1 and may_go_parallel(work, n * (stop - now), wanted) else 1
