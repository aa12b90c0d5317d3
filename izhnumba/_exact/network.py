"""The network of the exact engine: populations and synapses advance together, from slice to slice, in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import parts_of
from izhnumba._engine.codes import FAILURE, OK, ROOM
from izhnumba._engine.projection import Projection
from izhnumba._engine.protocol import Record, SpikeList
from izhnumba._engine.table import Table
from izhnumba._engine.timebase import Continuous
from izhnumba._exact.blocks import Block
from izhnumba._exact.kernels import layout
from izhnumba._exact.projection import bind
from izhnumba._numba.threads import may_go_parallel, n_processors, one_parallel_region

if TYPE_CHECKING:
    from izhnumba._exact.engine import ExactEngine
    from izhnumba._exact.source import ExactSource

Array = NDArray[Any]
_WIDEST = 1000.0  # ms, width of a slot of time without delays
_SHARE = 1 - 2.0**-20  # width of a slot over the shortest delay: rounding must not bring a spike into its own slice
_SLOTS = 64  # at least
_MOST_SLOTS = 2**20
_GONE = 2**59  # subtracted from keys of events of removed synapses: half of the first key of synapses
_PATIENCE = 0.05  # s, for the slice to end after Ctrl-C
_WORK = 100  # work of a neuron in a ms, in steps of a neuron of the clock engine


class ExactNetwork:
    """The engines of populations, spike sources, and the synapses between them, advanced together. `Engine` of the
    exact scheme."""

    def __init__(self, dt: float) -> None:
        self.time = Continuous(dt)
        self.engines: list[ExactEngine] = []
        self.sources: list[ExactSource] = []
        self._moving: dict[Any, Array] | None = None  # events under way by engine, while `connect` moves them
        self._table = Table(layout.NET_SIZE)
        self._reals = self._table.numbers.view(np.float64)
        self._projections: dict[Any, Table] = {}
        self._records: list[Record] = []
        self._inputs: Sequence[Any] = ()  # of the slice, by population
        self._trains: Sequence[Any] = ()  # and of spike sources
        self._threads = 1
        self.found: list[set[int]] = []
        self._shown = True
        self._bound: tuple[list[tuple[Any, int]], dict[Any, Table]] | None = None  # what the table holds
        self.take_over([], {}, np.inf, 0.0)

    @property
    def now(self) -> float:
        """Time to which all neurons and synapses have advanced, ms."""
        return float(self._reals[layout.NOW])

    @now.setter
    def now(self, value: float) -> None:
        self._reals[[layout.NOW, layout.FED]] = value
        self._table[layout.PHASE], self._shown = 0, True  # V and u are as the user set them

    @property
    def n(self) -> int:
        return sum(engine.n for engine in self.engines) or 1  # without neurons

    @property
    def n_slots(self) -> int:
        """Slots of time in which events under way are kept."""
        return int(self._table[layout.SLOTS])

    @property
    def item(self) -> int:
        return 8

    def connect(
        self, engines: Sequence[Any], sources: Sequence[ExactSource], projections: Sequence[Projection],
        gone: Sequence[Projection], receptors: set[Any],
    ) -> None:  # fmt: skip
        """Take over populations, sources and projections. receptors: those in use. gone: projections that are no more,
        which need nothing here."""
        key, tables, delays = layout.FIRST_KEY, dict[Any, Table](), [(math.inf, 0.0)]
        for engine in engines:
            engine.forget_rules()
            engine.connected = receptors & set(engine.receptors)
            engine.keep(set())
        for one in projections:
            tables[one], n = bind(one, key), one.rows.weights.size
            key += n
            delays += [one.rows.delays(one.target.padded)] if n else []
        shortest, longest = zip(*delays, strict=True)
        self.take_over(engines, tables, min(shortest), max(longest))
        self.sources = list(sources)

    def take_over(
        self, engines: Sequence[Any], projections: Mapping[Any, Table], shortest: float, longest: float
    ) -> None:
        """Set the engines, and the tables of projections by their synapses. shortest, longest: of all delays, ms.
        Events under way stay so; those of synapses that are gone arrive with their weights of now."""
        per_ms = 1 / min(shortest * _SHARE, _WIDEST)
        wanted = max(2 * longest * per_ms, _SLOTS)
        if wanted > _MOST_SLOTS:
            raise ValueError(
                f"Network.connect.delay must be at least {2 * longest / _MOST_SLOTS:g} ms beside one of {longest:g} ms "
                f"with the scheme 'exact', got {shortest:g} ms."
            )
        was, self._bound = self._moving or {}, None
        self._moving = {engine: was[engine] if engine in was else engine.under_way() for engine in engines}
        self.engines, self._longest = list(engines), longest
        self.per_ms, self._table[layout.SLOTS] = per_ms, 2 ** int(np.ceil(np.log2(wanted + 4)))
        self._reals[layout.PER_MS] = per_ms
        for engine, events in self._moving.items():
            engine.clock = self
            for block in engine.blocks:
                block.lay_slots(self.n_slots)
            engine.put_under_way(self._translated(engine, events, projections))
        self._projections, self._moving = dict(projections), None

    def _translated(self, engine: ExactEngine, events: Array, projections: Mapping[Any, Table]) -> Array:
        """Events under way to an engine, with the keys and rules of these projections in place of the old ones."""
        found = events.copy()
        for synapses, old in self._projections.items():
            if old[layout.TARGET] != engine.table.address:
                continue
            weights, new = old.array(layout.WEIGHTS), projections.get(synapses)
            sent = (events["key"] >= old[layout.KEY]) & (events["key"] < old[layout.KEY] + weights.size)
            if new is not None:
                found["key"][sent] += new[layout.KEY] - old[layout.KEY]
                found["rule"][sent] = new[layout.RULE]
            else:  # keys that no other event has
                found["w"][sent] = weights[events["key"][sent] - old[layout.KEY]]
                found["rule"][sent] = -1
                found["key"][sent] -= _GONE
        return found

    def most_ahead(self) -> float:
        """The longest advance, ms: events from outside must fit into the slots of time at its start."""
        return (self.n_slots - 2) / self.per_ms - self._longest

    def threads_for(self, until: float, stop: float, wanted: int | None) -> int:
        most = min(max((parts_of(engine.n) for engine in self.engines), default=1), wanted or n_processors())
        work = _WORK * self.n
        parallel = may_go_parallel(
            int(work * min(1 / self.per_ms, until - self.now)), int(work * (stop - self.now)), wanted
        )
        return most if most > 1 and parallel else 1

    def record(self, wanted: Sequence[Record | SpikeList]) -> None:
        """Write states into the samples of these records in the next advances."""
        self._records = [one for one in wanted if isinstance(one, Record)]

    # --- running --------------------------------------------------------------------------------------------------

    def prepare(self, until: float, inputs: tuple[Sequence[Any], Sequence[Any]], threads: int) -> None:
        (self._inputs, self._trains), self._threads = inputs, threads

    def advance(self, until: float) -> int:
        inputs, threads = self._inputs, self._threads
        if any(engine.failure() for engine in self.engines):  # within a slice, from where it cannot go on
            return self._found(FAILURE)
        if self._table[layout.PHASE]:  # an interrupt has come in the midst of a slice
            return self._found(self._run(float(self._reals[layout.END]), threads))
        for one in inputs:
            one.engine.keep(one.receptors)
            one.engine.cut(threads)
        records = self._records
        self._load_states()
        self._records, self._shown = records, False
        for one in inputs:
            one.set_pieces(self.now, until)
            events = one.events(float(self._reals[layout.FED]), until)
            if events.size:
                one.engine.set_outside(events)
        for source, spikes in self._trains:
            source.come(*spikes(self.now, until))
        return self._found(self._run(until, threads))

    def _found(self, code: int) -> int:
        """Write the spikes of each population, and add its code to `found`: of a FAILURE only some have failed."""
        for engine in self.engines:
            engine.spikes[:] = 0
            for block in engine.blocks:
                engine.spikes[block.spikes(self.now)[0]] = 1
        codes = [OK if code == FAILURE and not engine.failure() else code for engine in self.engines]
        self.found = [found | {one} for found, one in zip(self.found, codes, strict=False)]
        return code

    def finish_slice(self) -> None:
        """Advance to the end of the slice, if the last call was stopped within it."""
        if self._table[layout.PHASE]:
            self._run(float(self._reals[layout.END]), 1)

    def _load_states(self) -> None:
        """Let engines whose V, u, parameters or receptors have been set go on from those."""
        for engine in self.engines:  # events from outside that an interrupted call has left are computed again
            for block in engine.blocks:
                block.table[layout.N_OUTSIDE] = 0
        if not any(engine.has_changed() for engine in self.engines):
            return
        standing = [engine for engine in self.engines if engine.form is not None and engine.before is None]
        for engine in standing:  # a break at the present brings all states there
            engine.set_pieces(np.array([self.now]), np.zeros(0, np.int64), np.zeros((1, 0, 1)), [engine.in_force])
        if standing:
            self._records = []
            self._run(self.now, 1, standing)
        for engine in self.engines:
            engine.load_state()

    def publish_state(self) -> int:
        """Write V and u of now to the arrays that users read, of all engines in one call: an array that differs from
        what was written counts as set by the user. Returns a code: FAILURE if a neuron does not get there."""
        from izhnumba._exact.kernels.network import publish_state

        if self._shown or self._table[layout.PHASE]:
            return OK
        code = publish_state(self._table.numbers)
        self._shown = True
        return self._found(code) if code == FAILURE else OK

    def _run(self, until: float, threads: int, engines: Sequence[Any] | None = None) -> int:
        """Advance to `until` (ms), and make room as often as kernels lack it. Returns a code."""
        from izhnumba._exact.kernels.network import entry

        self._bind(self.engines if engines is None else engines)
        self._reals[layout.UNTIL] = until
        self._table[layout.FRESH] = 1
        run, code = entry(threads > 1), ROOM
        with one_parallel_region() if threads > 1 else nullcontext():
            try:
                while code == ROOM:
                    self._grow()
                    code = run(self._table.numbers)
            except KeyboardInterrupt:  # first end the slice, if that takes no longer than _PATIENCE
                self._reals[layout.UNTIL], patience = self._reals[layout.END], perf_counter() + _PATIENCE
                while self._table[layout.PHASE] and code == ROOM and perf_counter() < patience:
                    self._grow()
                    code = run(self._table.numbers)
                raise
        return int(code)

    def _grow(self) -> None:
        """Make the room that kernels lacked, in all blocks."""
        for block in self._blocks(self.engines):
            block.grow()

    def _blocks(self, engines: Sequence[Any]) -> list[Block]:
        """The blocks of these engines, and of all sources."""
        return [block for one in (*engines, *self.sources) for block in one.blocks]

    def _bind(self, engines: Sequence[Any]) -> None:
        """Write the addresses of these engines and of the projections to the table, if they are not there."""
        from izhnumba._exact.kernels.events import deliver

        self._bind_rest(engines)
        key = [(engine, engine.layout) for engine in engines], self._projections
        if self._bound is not None and key[0] == self._bound[0] and key[1] is self._bound[1]:
            return
        self._bound = None  # until all is done: Ctrl-C may come in between
        for engine in engines:
            engine.bind()
        tables = [engine.table for engine in engines]
        advancing = (*engines, *self.sources)
        for source in self.sources:
            source.bind()
        blocks = [(one.table.address, k) for one in advancing for k in range(len(one.blocks))]
        n_parts = max((len(engine.blocks) for engine in engines), default=1)
        self._table.put_tables(layout.POPULATIONS, tables)
        self._table.put(layout.ALL_BLOCKS, np.array(blocks, np.int64).reshape(-1), advancing)
        self._table.put_tables(layout.PROJECTIONS, list(self._projections.values()))
        self._table.put(layout.CODES, np.zeros(max(len(blocks), n_parts), np.int64))
        n = len(engines), len(blocks), n_parts, len(self._projections)
        self._table[[layout.N_POPULATIONS, layout.N_ALL_BLOCKS, layout.N_PARTS, layout.N_PROJECTIONS]] = n
        self._table[layout.DELIVER_TO] = deliver() if self._projections else 0
        self._bound = key

    def _bind_rest(self, engines: Sequence[Any]) -> None:
        """Write what each call needs anew to the table: slots of time, records, the kernel `gather`."""
        from izhnumba._exact.kernels.events import gather

        for block in self._blocks(engines):
            block.prepare(self.n_slots)
        rows = [self._record(record) for record in self._records if record.samples.size]
        if rows or self._table[layout.N_RECORDS]:
            self._table.put(layout.RECORDS, np.array([row.numbers for row in rows], np.int64).reshape(-1), rows)
        expects = self._projections or any(block.expects for engine in engines for block in engine.blocks)
        self._table[[layout.N_RECORDS, layout.GATHER]] = len(rows), gather() if expects else 0

    def _record(self, record: Record) -> Table:
        """The row of RECORDS for a record."""
        engine = next(one for one in self.engines if one is record.engine)
        row = Table(layout.RECORD_SIZE)
        row.put_table(layout.RECORD_TABLE, engine.table)
        row[layout.RECORD_EVERY : layout.RECORD_EVERY + 1].view(np.float64)[0] = record.every
        following = engine.time.samples_by(self.now, record.every) + 1
        row[[layout.RECORD_NEXT, layout.RECORD_FIRST, layout.RECORD_ROOM]] = (
            following,
            record.first,
            len(record.samples),
        )
        row[[layout.RECORD_N, layout.RECORD_WHAT]] = record.neurons.size, engine.what(record.source)
        places, samples = record.places, record.samples
        if record.reduction is not None:
            places, samples = record.neurons, np.empty(engine.n)
            row.put_table(layout.RECORD_REDUCTION, record.reduction.bind(samples, record.samples))
        row.put_all({
            layout.RECORD_NEURONS: record.neurons, layout.RECORD_PLACES: places, layout.RECORD_SAMPLES: samples,
            layout.RECORD_SIMD_ROWS: engine.sample_simd_rows,
        })  # fmt: skip
        return row
