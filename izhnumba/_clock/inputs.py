"""Feeds: a user's input, whatever its form, as rows of numbers that the engine reads step by step."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock.kernels import layout
from izhnumba._clock.noise import NoiseTable
from izhnumba._clock.receptors import ReceptorState
from izhnumba._engine.protocol import Incoming, Inputs, PopulationEngine
from izhnumba._engine.table import Table
from izhnumba._input.door import RUN, STEP, Given, given, is_constant, is_ours, pairs_of, refuse_negative
from izhnumba._input.input import Input
from izhnumba._input.sources import Trains
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._input.target import Drawn, Driven, Spikes, Target, target
from izhnumba._synapse.injected import injected
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.trains import as_trains

if TYPE_CHECKING:
    from izhnumba._clock.network import ClockNetwork

Array = NDArray[Any]
_FIRST_SLICE = 1_000_000  # neuron-steps; later slices follow the measured speed
_MOST_STEPS = 2**16
_CACHED = 2**21  # bytes of rows prepared at a time, so that they are still in the cache when they are read


class Feed:
    """Rows of one input: `rows(step, count)` gives (count or 1, neurons or 1) values of the population's dtype, or, of
    spikes, these, or the table of a noise. width: how many numbers are prepared for a step; ahead: whether it may be
    asked for steps that are perhaps not reached."""

    def __init__(
        self, rows: Callable[[int, int], Any], width: int, *, constant: bool, prepared: bool, ahead: bool = True
    ) -> None:
        self.rows, self.constant, self.ahead = rows, constant, ahead
        self.width = width if prepared else 0

    def becomes(self, other: object) -> bool:
        """Take over the values of another feed from now on. Returns whether that could be done."""
        return False

    def alone(self) -> Feed:
        """The feed to take if this is all that is added up to the current of a population, in each of its neurons."""
        return self

    def most_steps(self, itemsize: int) -> int:
        """For how many steps rows should be asked for at a time: random numbers are made four steps at a time."""
        return max(4, _CACHED // (self.width * itemsize) // 4 * 4) if self.width else 2**62


class Random(Feed):
    """Rows of an input that kernels can make by themselves, which saves to write and read them."""

    def __init__(self, rows: Callable[[int, int], Array], drawn: Drawn, to: Target) -> None:
        super().__init__(rows, to.n, constant=False, prepared=True)
        self._drawn, self._to = drawn, to

    def alone(self) -> Feed:
        """The feed that leaves it to them."""
        return Feed(NoiseTable(self._drawn, self._to).between, 0, constant=False, prepared=False)


class RowFeeds:
    """The feeds of a run, by the names that the engine has for them. n: its neurons, item: bytes of a number."""

    def __init__(self, feeds: dict[Any, Feed], n: int, item: int) -> None:
        self._longest = min([_MOST_STEPS, *(f.most_steps(item) for f in feeds.values())])
        self._first = _FIRST_SLICE // n
        self._feeds, self.ahead = feeds, all(f.ahead for f in feeds.values())
        self._constant = {name: f.rows(0, 1) for name, f in feeds.items() if f.constant}
        self._varying = {name: f for name, f in feeds.items() if not f.constant}

    def reach(self, now: int, length: float | None) -> int:
        """The step at which a slice of about that length should end."""
        count = max(1, int(min(self._first if length is None else length, self._longest)))
        if self._longest < _MOST_STEPS:
            count = _in_fours(now, count)
        return now + count

    def between(self, now: int, until: int) -> dict[Any, Array]:
        """The rows of these steps: one for all of them, or one for each."""
        return self._constant | {name: f.rows(now, until - now) for name, f in self._varying.items()}

    def replace(self, made: Feed, other: Feed) -> bool:
        """Let a drive be another one from now on. Returns whether that can be done without making all anew."""
        return made.becomes(other)

    def add_again(self, now: int) -> None:
        """Let the row of this step, in what `between` has returned last, be as the rows of drives are now."""
        for feed in self._feeds.values():
            if isinstance(feed, Added):
                feed.add_again(now)


def _in_fours(step: int, count: int) -> int:
    """About `count` steps that end at a multiple of 4: random numbers are made four steps at a time."""
    return max(1, (step + max(count, 4)) // 4 * 4 - step)


class Stepped(Driven, Protocol):
    """Neurons that users' values drive, advanced in steps."""

    @property
    def n_steps(self) -> int: ...


def population_feeds(where: str, pop: Stepped, stop: int, inputs: Inputs) -> RowFeeds:
    """All inputs of a population by itself in a run until step `stop`."""
    return RowFeeds(feeds(where, pop, inputs, stop - pop.n_steps), pop.n, pop.dtype.itemsize)


def feeds(where: str, pop: Stepped, inputs: Inputs, n_steps: int | None) -> dict[str, Feed]:
    """All inputs of a run of `n_steps`, or of a single step (None), by the names the engine has for them: "I", "delta"
    for V jumps, "g" and "gE" for conductances."""
    occasion, unit, now = STEP if n_steps is None else RUN, pop.model.I.unit, pop.n_steps

    def fed(name: str, value: object, unit: str, ordinal: int) -> Feed:
        found = given(f"{where}.{name}", value, target(pop, unit, ordinal), occasion, n_steps)
        return feed(found, now, probe=bool(n_steps))

    found = {"I": fed("I", inputs.I, unit, 0).alone()}
    if inputs.delta is not None:
        found["delta"] = fed("delta", inputs.delta, "mV", 1)
    of_g = "nS" if unit == "pA" else "1/ms"
    given_pairs = enumerate(pairs_of(where, inputs.g, inputs.E))
    pairs = [(fed("g", one, of_g, 100 + k), fed("E", level, "mV", 200 + k)) for k, (one, level) in given_pairs]
    return found | (_conductances(pairs, pop.n) if pairs else {})


def drive(
    where: str, found: Given, engine: PopulationEngine, neurons: slice | Array, receptor: Receptor | None
) -> tuple[Feed, ReceptorState | None]:
    """The feed of a drive of a network, from now on, and the state of the receptor through which it comes, None for a
    current. `neurons` make no difference."""
    value, to = found
    if isinstance(value, SpikeInput):
        spikes, per_step = value._spikes(to), value._most_per_step(to)
        spikes(engine.now, 1)  # so that what is wrong is refused now
        made = Feed(spikes, math.ceil(2 * per_step), constant=False, prepared=per_step > 0, ahead=is_ours(value))
        return made, engine.receptor_state(as_trains(value.receptor, to.key[1]))
    if receptor is None:
        return feed(found, engine.now), None
    through = injected(receptor)
    made = feed(found, engine.now)
    if receptor.adds_to == "conductance" and not made.constant:  # which has been looked at
        made = _not_negative(where, made, receptor)
        made.rows(engine.now, 1)
    return made, engine.receptor_state(through)


def _not_negative(where: str, made: Feed, receptor: Receptor) -> Feed:
    """A feed whose rows are looked at: conductances must not be negative."""

    def rows(step: int, count: int) -> Array:
        found: Array = made.rows(step, count)
        if found.min(initial=0.0) < 0:
            refuse_negative(where, found, receptor, lambda row: f"in step {step + row}")
        return found

    return Feed(rows, made.width, constant=False, prepared=made.width > 0, ahead=made.ahead)


def trains(value: Trains, to: Target, engine: object) -> Feed:
    """The feed of what a spike source sends: the first step, and the spikes from it on."""
    spikes, per_step = value.steps(to), value.per_step(to)
    return Feed(
        lambda step, count: (step, spikes(step, count)), math.ceil(2 * per_step), constant=False,
        prepared=per_step > 0, ahead=value.ahead,
    )  # fmt: skip


def network_feeds(network: ClockNetwork, drives: Sequence[Incoming]) -> RowFeeds:
    """All inputs of a network: currents to a population are added, in the order of drives; what comes through one of
    its receptors does so drive after drive."""
    grouped: dict[tuple[int, Any], list[Incoming]] = {}
    engines: Sequence[object] = (*network.engines, *network.sources)
    for one in drives:
        grouped.setdefault((engines.index(one.engine), one.receptor), []).append(one)
    made = {key: _added(group) if key[1] is None else _together(group) for key, group in grouped.items()}
    return RowFeeds(made, network.n, network.item)


class Injection(NamedTuple):
    """What comes through a receptor from a drive that is no spikes, in some steps.

    rows: (steps or 1, n or 1); neurons: which of those from the first on, uint32 (n,), or None: one after the other;
    n: how many.
    """

    rows: Array
    neurons: Array | None
    n: int


Piece = tuple[int, int, Spikes | Injection]  # first neuron, first step, and what comes from then on


def _together(drives: list[Incoming]) -> Feed:
    """The feed of what comes through one receptor: a piece for each drive."""
    neurons = [_neurons(one) for one in drives]

    def pieces(step: int, count: int) -> list[Piece]:
        return [_piece(first, every, step, one.made.rows(step, count), one)
                for (first, every), one in zip(neurons, drives, strict=True)]  # fmt: skip

    width, ahead = max(one.made.width for one in drives), all(one.made.ahead for one in drives)
    return Feed(pieces, width, constant=False, prepared=width > 0, ahead=ahead)


def _piece(first: int, every: Array | None, step: int, found: Any, drive: Incoming) -> Piece:
    """What a feed has found, from this step on, for the neurons that `_neurons` returned."""
    if isinstance(found, Spikes):
        return first, step, found if every is None else found._replace(neurons=every[found.neurons])
    n = len(range(*drive.where.indices(drive.engine.n))) if isinstance(drive.where, slice) else len(drive.where)
    return first, step, Injection(found, every, n)


def _neurons(drive: Incoming) -> tuple[int, Array | None]:
    """Of a run of neurons the first, and None; of others 0, and the neuron of each place, uint32."""
    where = drive.where
    if isinstance(where, slice) and where.step is None:
        return int(where.start), None
    return 0, np.ascontiguousarray(np.arange(drive.engine.n, dtype=np.uint32)[where])


def _added(drives: list[Incoming]) -> Feed:
    """The feed of currents that drive neurons of one population."""
    where, alone = drives[0].where, len(drives) == 1
    every = isinstance(where, slice) and where == slice(0, drives[0].engine.n)
    return drives[0].made.alone() if alone and every else Added(drives)


class Added(Feed):
    """The sum of currents that drive neurons of one population."""

    def __init__(self, drives: list[Incoming]) -> None:
        constant = all(one.made.constant for one in drives)
        ahead = all(one.made.ahead for one in drives)
        super().__init__(self._sum, drives[0].engine.n, constant=constant, prepared=not constant, ahead=ahead)
        self._drives = drives
        self._from, self._pieces = 0, list[Array]()  # step of the rows of each drive that were added up last
        self._total = np.zeros((0, drives[0].engine.n), drives[0].engine.dtype)

    def _sum(self, step: int, count: int) -> Array:
        self._from, self._pieces = step, [one.made.rows(step, count) for one in self._drives]
        self._total = np.zeros((count, self._total.shape[1]), self._total.dtype)
        for one, rows in zip(self._drives, self._pieces, strict=True):
            self._total[:, one.where] += rows
        return self._total

    def add_again(self, step: int) -> None:
        """Add up the row of this step again."""
        k = 0 if self.constant else step - self._from
        if k >= len(self._total):  # the next slice is added up as it begins
            return
        total = self._total[k]
        total.fill(0)
        for one, rows in zip(self._drives, self._pieces, strict=True):
            total[one.where] += rows[k if len(rows) > 1 else 0]


def feed(found: Given, now: int, *, probe: bool = True) -> Feed:
    """The feed of a value from step `now` on. probe: whether to ask an input object for a row, to know its width."""
    value, to = found
    if not isinstance(value, Input):
        return _table(value, to, now) if found.over_time else Held(_row(value, to))
    rows = value._bound(to)
    if is_constant(value):
        return Held(rows(0, 1))
    drawn = value._drawn(to)
    if drawn is not None:
        return Random(rows, drawn, to)
    width = rows(now, 1).shape[1] if probe else 1
    return Feed(rows, width, constant=False, prepared=True, ahead=is_ours(value))


class Held(Feed):
    """The same row, (1, neurons or 1), for all steps."""

    def __init__(self, row: Array) -> None:
        super().__init__(lambda step, count: row, row.size, constant=True, prepared=False)
        self._row = row.reshape(-1)

    def becomes(self, other: object) -> bool:
        """Take over the row of another feed of this kind. Returns whether it fits."""
        if not isinstance(other, Held) or other._row.size != self._row.size:
            return False
        self._row[:] = other._row
        return True

    def take(self, values: Array) -> bool:
        """Copy an array of a number for each neuron into the row, the short way. Returns whether that could be done:
        else it is of another kind, or not finite."""
        plain = values.flags.c_contiguous and values.dtype.char in "fd" and values.dtype.isnative
        if values.size != self._row.size or not plain:
            return False
        return _copy(values.dtype.char, self._row.dtype.char)(values.reshape(-1), self._row)


@functools.cache
def _copy(source: str, target: str) -> Callable[[Array, Array], bool]:
    """That of the kernels, which import Numba."""
    from izhnumba._clock.kernels.rows import copy

    return copy(source, target)


def _row(values: Array, to: Target) -> Array:
    """A constant value as a row of its own, (1, neurons or 1)."""
    full = np.broadcast_to(values, to.shape) if values.ndim else values
    return np.array(full, to.dtype, order="C").reshape(1, -1)


def _table(values: Array, to: Target, start: int) -> Feed:
    """An array with a row per step, from step `start` on: used as it lies in memory if it can be, else converted a few
    steps at a time."""
    n, trailing = math.prod(to.shape), math.prod(values.shape[1:])
    if trailing == 1 or values.shape[1:] == to.shape:
        table = values.reshape(len(values), trailing)

        def rows(step: int, count: int) -> Array:
            return np.ascontiguousarray(table[step - start : step - start + count], to.dtype)

        as_it_lies = table.flags.c_contiguous and table.dtype == to.dtype
        return Feed(rows, trailing, constant=False, prepared=not as_it_lies)

    def broadcast_rows(step: int, count: int) -> Array:
        part = values[step - start : step - start + count]
        return np.broadcast_to(part, (count, *to.shape)).reshape(count, n).astype(to.dtype)

    return Feed(broadcast_rows, n, constant=False, prepared=True)


def _conductances(pairs: list[tuple[Feed, Feed]], n: int) -> dict[str, Feed]:
    """The feeds "g" (sum of conductances) and "gE" (sum of g E) of one or several receptors, added in their order.

    pairs: of g and E; n: neurons.
    """

    def total(times_E: bool) -> Callable[[int, int], Array]:
        def rows(step: int, count: int) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # V is infinite then, which is reported
                terms = [one.rows(step, count) * level.rows(step, count) if times_E else one.rows(step, count)
                         for one, level in pairs]  # fmt: skip
                return np.ascontiguousarray(sum(terms[1:], terms[0]))

        return rows

    constant = all(f.constant for pair in pairs for f in pair)
    return {
        "g": Feed(total(False), n, constant=constant, prepared=not constant),
        "gE": Feed(total(True), n, constant=constant, prepared=not constant),
    }


def put_rows(table: Table, entry: int, rows: Array | Table, several: bool = True) -> None:
    """Point an input of a table at rows of shape (steps or 1, lanes or 1) or (lanes or 1,), or the current at the table
    of a noise. several: whether one lane stands for several neurons."""
    if isinstance(rows, Table):
        table.put_table(layout.NOISE, rows)
        return
    rows = rows if rows.ndim == 2 else rows[np.newaxis]
    steps, lanes = rows.shape
    if not table.points_at(entry, rows):
        stride, shared = lanes if steps > 1 else 0, int(lanes == 1 and several)
        table.put(entry, rows, also={entry + layout.STRIDE: stride, entry + layout.SHARED: shared})
