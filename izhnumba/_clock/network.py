"""The network of the clock engine: populations and synapses advance together, from slice to slice, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import MOST_PARTS
from izhnumba._clock import reports
from izhnumba._clock.at_once import Landing, landings
from izhnumba._clock.delivery import Delivery, Rows, window_for
from izhnumba._clock.engine import ClockEngine
from izhnumba._clock.inputs import Injection
from izhnumba._clock.kernels import layout
from izhnumba._clock.projection import (
    bind_released,
    bind_stepwise,
    couple,
    delays,
    is_gap,
    let_arrive,
    rows_of,
    stepwise,
    table_of,
    watches,
)  # fmt: skip
from izhnumba._clock.receptors import ReceptorState
from izhnumba._clock.shared import shared_table
from izhnumba._engine.codes import FAILURE, LEAP, OK, ROOM
from izhnumba._engine.projection import Projection
from izhnumba._engine.protocol import Record, SpikeList
from izhnumba._engine.table import Table
from izhnumba._engine.timebase import Steps
from izhnumba._input.target import Spikes
from izhnumba._numba.threads import alone, may_go_parallel, n_processors
from izhnumba._synapse.csr import MOST_CELLS
from izhnumba._synapse.trains import OneTrain

if TYPE_CHECKING:
    from izhnumba._clock.source import ClockSource

Array = NDArray[Any]
Calls = list[tuple[int, Table]]  # addresses of compiled functions, and what they take
SliceInputs = dict[tuple[int, ReceptorState | None], Any]  # as `ClockNetwork` says

_LONGEST_SLICE = 16  # steps, without synapses: the rings of 10,000 neurons stay in the cache


class ClockNetwork:
    """The engines of populations, spike sources, and the synapses between them, advanced together. Inputs of `advance`
    are, by (number of the engine, receptor), rows of currents, for which the receptor is None, or lists of (first
    neuron, first step, Spikes or Injection); what sources send, as (first step, Spikes), is numbered behind the
    engines."""

    def __init__(self, dt: float) -> None:
        self.time = Steps(dt)
        self.engines: list[ClockEngine] = []
        self.sources: list[ClockSource] = []
        self._table = Table(layout.NET_SIZE)
        self._calls: dict[int, Calls] = {}  # in the table, by entry
        self.slice = 1
        self._gaps: list[Projection] = []
        self._arriving: Calls = []
        self._after: Calls = []  # a step
        self._watched: list[tuple[Projection, Table]] = []  # whose rules see states of their targets
        self._sharing: Calls = []
        self._deliveries: list[Delivery] = []
        self._landings: list[Landing] = []
        self.found: list[set[int]] = []  # by the engines in this run
        self._sliced = self._until = 0  # steps at which the slice begins and ends, its inputs and threads
        self._inputs: SliceInputs = {}
        self._threads = 1
        self._run: Callable[[Array], int]

    @property
    def now(self) -> int:
        """Steps done. The kernel counts them together with those of the engines: Ctrl-C cannot come in between."""
        return int(self._table.numbers.item(layout.NET_STEP))

    @now.setter
    def now(self, value: int) -> None:
        self._table[layout.NET_STEP] = value

    step = now

    @property
    def n(self) -> int:
        return sum(engine.n for engine in self.engines) or 1  # without neurons

    @property
    def item(self) -> int:
        return max((engine.item for engine in self.engines), default=8)

    def connect(
        self, engines: Sequence[ClockEngine], sources: Sequence[ClockSource], projections: Sequence[Projection],
        gone: Sequence[Projection], receptors: set[ReceptorState | None],
    ) -> None:  # fmt: skip
        """Take over populations, sources and projections, with rings as long as the longest delays.

        gone: projections that are no more, through which spikes may be under way. receptors: those in use; others are
        forgotten as soon as they are at rest.
        """
        from izhnumba._clock.kernels.delivery import deliver

        longest, shortest = dict[Any, int](), _LONGEST_SLICE
        for one in projections:
            first, last, _ = delays(one)
            if one.shared is None:  # else it is not rings that hold what is under way
                longest[one.target] = max(longest.get(one.target, 1), last)
            shortest = min(shortest, first or _LONGEST_SLICE)  # 0: there are no synapses
        for one in gone:  # spikes through them still arrive: those through plastic ones are not in rings yet
            longest[one.target] = max(longest.get(one.target, 1), delays(one)[1])
        self.engines, self.sources = list(engines), list(sources)
        self._gaps = [one for one in projections if is_gap(one)]
        self.slice = _slice(shortest, [(steps, engine.padded) for engine, steps in longest.items()])
        for receptor in [receptor for engine in engines for receptor in engine.arrivals.receptors]:
            receptor.act_at_once(any(one.receptor is receptor and delays(one).at_once for one in projections), self.now)
        rings_of = [one for one in projections if not stepwise(one) and one.shared is None]
        static = [one for one in rings_of if not is_gap(one) and delays(one).longest]
        rows = {engine: rows_of([one for one in static if one.target is engine], engine.dt) for engine in engines}
        for engine in engines:
            self._lay_rings(engine, longest.get(engine, 1), rows[engine], receptors)
        for one in gone:
            let_arrive(one)
        calls = [call for one in projections for call in bind_stepwise(one)]  # rings stay as they are now
        at_once = [(kernel, table) for (_, _, kernel), table in calls if kernel]
        after = [(end, table) for (_, end, _), table in calls if end]
        after += [call for one in projections for call in bind_released(one)]
        self._landings = landings(engines, projections)
        at_once += self._bind_shared([one for one in projections if one.shared is not None])
        after += [(landing.address, landing.table) for landing in self._landings]
        self._watched = [(one, one.plastic.watched.table(one)) for one in projections if watches(one)]
        self._arriving = [(one.plastic.watched.begin(), table) for one, table in self._watched]
        self._arriving += [(before, table) for (before, _, _), table in calls]
        self._after = [*at_once, *after]
        self._put_calls(layout.PROJECTIONS, layout.N_PROJECTIONS, self._after)
        deliveries = list[tuple[int, Table]]()
        self._deliveries = list[Delivery]()
        for engine in engines:
            for receptor in engine.arrivals.receptors:
                senders = [table_of(one) for one in static if one.receptor is receptor]
                if senders or receptor.delivery.window:
                    self._deliveries.append(receptor.bind(engine.table, senders, rows[engine], self.slice))
                    deliveries.append((deliver(engine.dtype.name), receptor.delivery.table))
        self._put_calls(layout.DELIVERIES, layout.N_DELIVERIES, deliveries)

    def _bind_shared(self, projections: Sequence[Projection]) -> Calls:
        """Make ready synapses that share a weight. Returns the kernels that take their spikes."""
        if not projections:
            self._sharing = []
            return []
        from izhnumba._clock.kernels import shared

        tables = [(one.target.dtype.name, shared_table(one)) for one in projections]
        self._sharing = [(shared.arrive(dtype), table) for dtype, table in tables if table[layout.SHARED_DELAY]]
        return [(shared.send(dtype), table) for dtype, table in tables]

    def _lay_rings(self, engine: ClockEngine, longest: int, rows: Rows, receptors: set[ReceptorState | None]) -> None:
        """Lay out the rings of a population for delays up to `longest` steps, and drop receptors at rest that are not
        in use. rows: those of its synapses."""
        if longest < engine.arrivals.steps:  # spikes of synapses that are gone may still be under way
            longest = max(longest, engine.arrivals.under_way(self.now))
        steps = _whole(longest, self.slice)
        window = window_for(rows, self.slice, steps, engine.padded * engine.item)
        engine.arrivals.lay(steps, window, self.now, receptors)

    def prepare(self, until: int, inputs: SliceInputs, threads: int) -> None:
        from izhnumba._clock.kernels.network import entry

        self._sliced, self._until, self._inputs, self._threads = self.now, until, inputs, threads
        self._put_calls(layout.POPULATIONS, layout.N_POPULATIONS, list(self._prepared(until)))
        # gap junctions anew, for they depend on which parameters are arrays
        self._put_calls(layout.BEFORE, layout.N_BEFORE, [*self._arriving, *(couple(one) for one in self._gaps)])
        if self._watched:  # anew for the same reason
            watching = [(one.plastic.watched.watch(one.target), table) for one, table in self._watched]
            self._put_calls(layout.PROJECTIONS, layout.N_PROJECTIONS, [*watching, *self._after])
        self._put_calls(layout.SPIKE_INPUTS, layout.N_SPIKE_INPUTS, [*self._sharing, *self._spike_inputs()])
        for delivery in self._deliveries:
            delivery.share(threads)
        for landing in self._landings:
            landing.prepare()
        for engine in self.engines:
            engine.arrivals.settle_while_held()
        self._table[[layout.NET_SLICE, layout.N_PARTS]] = self.slice, self._most_parts(threads)
        self._run = entry(False) if threads == 1 else alone(entry(True))

    def advance(self, until: int) -> int:
        numbers = self._table.numbers
        now = numbers.item(layout.NET_STEP)
        for engine in self.engines:
            if not engine.calls:  # a parameter has been set
                self._prepare_again(now)
        numbers[layout.NET_STEPS] = until - now
        code = self._run(numbers)
        return OK if code == OK and not self._landings else self._told(code, now)  # a V may have failed behind the test

    def _told(self, code: int, now: int) -> int:
        """What comes of a code other than OK of a call at step `now`."""
        while code == ROOM:  # it has stopped before the end; what it has done is to be recorded first
            for delivery in self._deliveries:
                delivery.grow()
            code = OK if self.now > now else self._run(self._table.numbers)
        verdicts = [engine.verdict() for engine in self.engines]
        for verdict, codes in zip(verdicts, self.found, strict=True):
            codes |= verdict
        return next((one for one in (FAILURE, LEAP) if any(one in verdict for verdict in verdicts)), OK)

    def _prepare_again(self, now: int) -> None:
        """Make ready for the rest of the slice."""
        left = {key: rows[now - self._sliced :] if isinstance(rows, np.ndarray) and len(rows) > 1 else rows
                for key, rows in self._inputs.items()}  # fmt: skip
        self.prepare(self._until, left, self._threads)

    def _put_calls(self, entry: int, count: int, calls: Calls) -> None:
        if self._calls.get(entry) == calls:
            return
        self._calls.pop(entry, None)
        pairs = [(function, table.address) for function, table in calls]
        self._table[count] = 0
        self._table.put(entry, np.array(pairs, np.int64).reshape(-1), calls)
        self._table[count] = len(calls)
        self._calls[entry] = calls

    def _spike_inputs(self) -> Iterator[tuple[int, Table]]:
        """For each input through a receptor in the slice the address of the kernel that lets it arrive, and its table,
        in order."""
        for (number, receptor), pieces in self._inputs.items():
            if receptor is None:
                continue
            for piece in pieces:
                yield _arriving(self.engines[number], receptor, *piece)

    def publish_state(self) -> int:
        """No-op: V and u are updated in place. Required by `Engine`."""
        return OK

    def _prepared(self, until: int) -> Iterator[tuple[int, Table]]:
        """For each engine, and behind them for each source, the address of its kernel and its table, prepared for the
        slice."""
        engines: list[Any] = [*self.engines, *self.sources]
        for number, engine in enumerate(engines):
            given = self._inputs.get((number, None))
            given = np.zeros((1, 1), engine.dtype) if given is None else given
            yield engine.prepare_slice(until, given, min(self._threads, engine.n_blocks)), engine.table

    def record(self, wanted: Sequence[Record | SpikeList]) -> None:
        """Write samples of these records, and list spikes, in the next advances."""
        from izhnumba._clock.kernels.raster import address

        for engine in self.engines:
            engine.record([record for record in wanted if record.engine is engine])
        listed = [one for one in wanted if isinstance(one, SpikeList) and one.engine not in self.sources]
        lists = [(address(), reports.table_of(one)) for one in listed]
        self._put_calls(layout.LISTS, layout.N_LISTS, lists)

    def _most_parts(self, threads: int) -> int:
        """Parts of the cells of windows, or of the targets of gap junctions, that threads share."""
        shares = threads if any(delivery.window for delivery in self._deliveries) else 1
        return max([shares, *(one.rows.parts for one in self._gaps)])

    def threads_for(self, until: int, stop: int, wanted: int | None) -> int:
        most = min(
            max([self._most_parts(MOST_PARTS), *(engine.n_blocks for engine in self.engines)]), wanted or n_processors()
        )
        n, now = self.n, self.now
        work = n * min(self.slice, until - now)
        return most if most > 1 and may_go_parallel(work, n * (stop - now), wanted) else 1


def _arriving(
    engine: ClockEngine, receptor: ReceptorState, first: int, step: int, found: Spikes | Injection
) -> tuple[int, Table]:
    """The address of the kernel that lets spikes, or rows, arrive at a receptor, and its table. first: neuron; step:
    that with which they begin."""
    if isinstance(found, Spikes):
        from izhnumba._clock.kernels.spikes import arrive

        table = Table(layout.SPIKES_SIZE)
        table.put_table(layout.SPIKES_TARGET, engine.table)
        table[[layout.SPIKES_FIRST, layout.SPIKES_STEP]] = first, step
        table.put(layout.SPIKES_RING, receptor.ring)
        table.put(layout.SPIKES_STARTS, found.starts)
        table.put(layout.SPIKES_NEURONS, found.neurons)
        table.put(layout.SPIKES_WEIGHTS, found.weights)
        return arrive(engine.dtype.name, isinstance(receptor.definition, OneTrain)), table
    from izhnumba._clock.kernels.injected import inject

    table, (rows, neurons, n) = Table(layout.INJECTED_SIZE), found
    table.put_table(layout.INJECTED_TARGET, engine.table)
    table[[layout.INJECTED_FIRST, layout.INJECTED_STEP, layout.INJECTED_N]] = first, step, n
    table[layout.INJECTED_STRIDE] = rows.shape[1] if len(rows) > 1 else 0
    table[layout.INJECTED_SHARED] = rows.shape[1] == 1 and n > 1
    table.put(layout.INJECTED_RING, receptor.ring)
    table.put(layout.INJECTED_ROWS, rows)
    if neurons is not None:
        table.put(layout.INJECTED_NEURONS, neurons)
    return inject(engine.dtype.name), table


def _whole(steps: int, length: int) -> int:
    """Steps rounded up to whole slices."""
    return -(-steps // length) * length


def _slice(shortest: int, longest: list[tuple[int, int]]) -> int:
    """How long slices are: as the shortest delay, or shorter where rings of whole slices would have more cells than
    kernels can count in 32 bits. longest: delay in steps and number of lanes of each population."""
    length = shortest
    while length > 1 and any(_whole(steps, length) * lanes > MOST_CELLS for steps, lanes in longest):
        length -= 1
    return length
