"""Feeds of the exact engine: currents as pieces, lines and waves between breaks, and spikes as events."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.protocol import Incoming, Inputs
from izhnumba._exact.engine import ExactEngine
from izhnumba._exact.kernels import layout
from izhnumba._exact.receptors import ReceptorState, Steady, Waves
from izhnumba._exact.source import ExactSource
from izhnumba._input.door import EXACT, Given, given, pairs_of, refuse_negative
from izhnumba._input.input import Constant, Input
from izhnumba._input.sources import Events as TrainEvents
from izhnumba._input.sources import Trains
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._input.target import Driven, Target, target
from izhnumba._input.values import Wave, flat, per_neuron
from izhnumba._synapse.receptor import Receptor

if TYPE_CHECKING:
    from izhnumba._exact.network import ExactNetwork

Array = NDArray[Any]
_FIRST_SLICE = 200_000.0  # neuron-ms, later slices follow the measured speed; kernels come back after `MOST_STEPS`
_LEAST = 0.1  # ms: what an advance costs for each neuron must not be spent again and again
_MOST_EVENTS = 2**18  # from outside that are expected in an advance
_MOST_VALUES = 2**21  # numbers in the pieces of an advance
_STREAM = 2**40  # keys of the events of a drive, all below those of synapses
ALL = slice(None)  # index of all neurons


@dataclass(frozen=True, eq=False)
class Current:
    """An input of some neurons, in the unit of the model; with `steady` a conductance (1/ms or nS) that acts through
    the state of that. where: index of the neurons, in the order of the input; shape: of its values."""

    input: Input
    where: slice | Array
    shape: tuple[int, ...]
    steady: Steady | None = None

    @cached_property
    def _kind(self) -> tuple[bool, bool]:
        levels, slopes = self.levels(self.starts)
        waves = (value for wave in self.waves for value in (wave.phase, self._heights(wave, np.zeros(1))))
        alike = levels.shape[1] == slopes.shape[1] == 1 and all(np.size(value) == 1 for value in waves)
        return alike, bool(np.any(slopes))

    @property
    def starts(self) -> Array:
        """When its pieces begin, ms: at 0, and at its breaks."""
        return np.concatenate([np.zeros(1), self.input._breaks()])

    @property
    def uniform(self) -> bool:
        """Whether the input is the same for all neurons."""
        return self._kind[0]

    @property
    def slopes(self) -> bool:
        """Whether the input rises or falls between breaks."""
        return self._kind[1]

    @property
    def steps(self) -> bool:
        """Whether the input is constant between breaks."""
        return not self.slopes and not self.waves

    @cached_property
    def waves(self) -> list[Wave]:
        """Sine waves of the input; amplitude and phase have shape (n,) or (1,)."""
        return [
            wave._replace(amplitude=self._flat(wave.amplitude), phase=self._flat(wave.phase))
            for wave in self.input._waves()
        ]

    def _flat(self, value: float | Array) -> Array:
        return flat(value, self.shape) if np.ndim(value) else np.full(1, value)

    def levels(self, times: Array) -> tuple[Array, Array]:
        """Values of the input without its waves at these times (ms), (times, n or 1), and their slopes, 1/ms of that,
        (times, n or 1)."""
        levels, slopes = (self._columns(values) for values in self.input._lines(times))
        return levels, slopes

    def _columns(self, values: Array) -> Array:
        return values[:, np.newaxis] if values.ndim == 1 else per_neuron(values, self.shape)

    def _heights(self, wave: Wave, times: Array) -> Array:
        """The amplitude of a wave from these times on, (times or 1, n or 1)."""
        return np.asarray(wave.amplitude if wave.levels is None else wave.amplitude * self._columns(wave.levels(times)))


class SpikeSource(NamedTuple):
    """Spikes from outside that act through a receptor on n neurons.

    events: (since, until) -> time (ms), neuron (from 0 to n - 1), weight, and number in the order of a random stream,
    of each spike; neuron: place -> flat index; per_ms: the most spikes that are expected in a ms.
    """

    events: Callable[[float, float], tuple[Array, Array, Array, Array]]
    neuron: Callable[[Array], Array]
    receptor: ReceptorState
    n: int
    per_ms: float = 0.0


class Sending(NamedTuple):
    """What a spike source sends. per_ms: the most spikes that are drawn in a ms."""

    engine: ExactSource
    events: TrainEvents
    per_ms: float


class Source:
    """All inputs of one population in a run."""

    def __init__(self, engine: ExactEngine, currents: list[Current], spikes: list[SpikeSource]) -> None:
        self.engine, self.currents, self.spikes = engine, currents, spikes
        self.inner = {receptor for current in currents for receptor in self._inner(current)}
        breaks = [current.input._breaks() for current in currents]
        times = np.concatenate([np.zeros(1), *breaks])
        self.breaks = np.unique(times[times >= 0])

    @property
    def receptors(self) -> set[ReceptorState]:
        """Receptors through which the inputs act."""
        return self.inner | {spikes.receptor for spikes in self.spikes}

    def _inner(self, current: Current) -> Iterator[ReceptorState]:
        """The states of a current: for its slopes, its waves, and as a conductance. A constant current needs none."""
        if current.slopes:
            yield self.engine.receptor_state(Waves(0.0))
        for wave in current.waves:
            yield self.engine.receptor_state(Waves(wave.rate))
        if current.steady is not None:
            yield self.engine.receptor_state(current.steady)

    def set_pieces(self, now: float, until: float) -> None:
        """Let the engine have the pieces of the input that begin from `now` on, before `until`."""
        here = self, self.engine.layout
        if now >= self.breaks[-1] and self.engine.settled == here:  # as before, there are none
            return
        pieces = self.pieces(now, until)
        self.engine.set_pieces(*pieces)
        if now >= self.breaks[-1] and not len(pieces[0]):  # else a break at `until` is still to come
            self.engine.settled = here

    def pieces(self, now: float, until: float) -> tuple[Array, Array, Array, list[Any]]:
        """The pieces of the input from `now` on, as `ExactEngine.set_pieces` takes them: breaks, columns of the states,
        their values from each break on, and descriptions. A piece that is in force already is not among them."""
        last = np.searchsorted(self.breaks, now, side="right") - 1
        origin = self.breaks[last : last + 1]
        later = self.breaks[last + 1 : np.searchsorted(self.breaks, until, side="left")]
        rows, values = self._values(np.concatenate([origin, later]))
        described = [(when, rows, value) for when, value in zip((*origin, *later), values, strict=True)]
        if _same(self.engine.in_force, described[0]):
            return later, rows, values[1:], described[1:]
        begun = self._values(np.array([now]))[1]  # in a new array: what is described stays as it is
        return np.concatenate([[now], later]), rows, np.concatenate([begun, values[1:]]), described

    def _values(self, times: Array) -> tuple[Array, Array]:
        """The columns of the states that hold the input, and their values from each of these times (ms) on: (columns,)
        and (times, columns, n or 1)."""
        engine, R = self.engine, self.engine.simd_rows
        current, conductance = engine.extra(layout.CURRENT), engine.extra(layout.CONDUCTANCE)
        alike = engine.alike and all(one.uniform and math.prod(one.shape) == engine.n for one in self.currents)
        width = 1 if alike else engine.n
        places = [np.array([R.I])]
        places += [np.r_[engine.states_of(receptor)] for receptor in engine.laid or () if receptor.inner]
        rows = {int(row): np.zeros((len(times), width)) for row in np.concatenate(places)}
        for one in self.currents:
            part = one.where if width > 1 else slice(1)
            for row, values in self._parts(one, times):
                scale = conductance if one.steady else current
                rows[row][:, part] += values * scale[part]
        return np.array(list(rows), np.int64), np.stack(list(rows.values()), axis=1)

    def _parts(self, current: Current, times: Array) -> Iterator[tuple[int, Array]]:
        """Columns of the states, each with the values that a current adds to it, (times, n or 1)."""
        levels, slopes = current.levels(times)
        where = self.engine.states_of
        if current.steady:
            yield where(self.engine.receptor_state(current.steady)).start, levels
            return
        yield self.engine.simd_rows.I, levels
        if np.any(slopes):
            yield where(self.engine.receptor_state(Waves(0.0))).start + 1, slopes
        for wave in current.waves:
            first = where(self.engine.receptor_state(Waves(wave.rate))).start
            angle, height = wave.rate * times[:, np.newaxis] + wave.phase, current._heights(wave, times)
            yield first, height * np.sin(angle)
            yield first + 1, height * np.cos(angle)

    def events(self, since: float, until: float) -> Array:
        """The events later than `since` and not later than `until` (ms), EVENT (k,)."""
        found = [np.empty(0, layout.EVENT)]
        for ordinal, spikes in enumerate(self.spikes):
            when, neuron, weight, number = spikes.events(since, until)
            if not np.all((neuron >= 0) & (neuron < spikes.n) & (when >= since) & (when <= until)):  # a user's own
                raise ValueError(
                    f"A spike input must give neurons from 0 to {spikes.n - 1}, times from {since:g} to {until:g} ms, "
                    f"got {neuron.min()} to {neuron.max()} and {when.min():g} to {when.max():g} ms."
                )
            events = np.zeros(when.size, layout.EVENT)
            events["t"], events["w"], events["target"] = when, weight, spikes.neuron(neuron)
            events["key"], events["rule"] = ordinal * _STREAM + number, -1
            events["inlet"] = self.engine.receptors.index(spikes.receptor)
            found.append(events)
        return np.concatenate(found)


def _same(one: tuple[Any, ...] | None, other: tuple[Any, ...]) -> bool:
    """Whether two descriptions of pieces are equal. one: None if no piece is in force."""
    return one is not None and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class ExactFeeds:
    """All inputs of a network, or of a population by itself, in a run."""

    ahead = False  # random spikes remember where a piece of them begins and ends

    def __init__(self, sources: list[Source], clock: ExactNetwork, trains: Sequence[Sending] = ()) -> None:
        self.sources, self.clock, self._trains = sources, clock, trains
        self._n = clock.n

    def reach(self, now: float, length: float | None) -> float:
        """The end of an advance of about this length (ms), or sooner, so that its pieces and events fit in memory."""
        until = now + max(_FIRST_SLICE / self._n if length is None else length, _LEAST)
        per_ms = sum(spikes.per_ms for source in self.sources for spikes in source.spikes)
        per_ms += sum(one.per_ms for one in self._trains)
        until = min(until, now + self.clock.most_ahead(), now + _MOST_EVENTS / max(per_ms, 1e-300))
        for source in self.sources:
            later = source.breaks[np.searchsorted(source.breaks, now, side="right") :]
            most = max(1, _MOST_VALUES // self._n)
            if later.size > most:
                until = min(until, float(later[most]))
        return until

    def between(self, now: float, until: float) -> tuple[list[Source], list[tuple[ExactSource, TrainEvents]]]:
        return self.sources, [(one.engine, one.events) for one in self._trains]

    def replace(self, made: object, other: object) -> bool:
        """False: all must be made anew for another drive."""
        return False

    def add_again(self, now: float) -> None:
        """No-op: drives are never replaced. Required by `Feeds`."""


# --- What users give ------------------------------------------------------------------------------------------------


def current_of(where: str, value: object, unit: str, pop: Driven, steady: Steady | None = None) -> Current:
    """A number, array or input object as a current; with `steady` as the conductances of that."""
    return followed(where, given(where, value, target(pop, unit), EXACT), ALL, steady)


def followed(where: str, found: Given, neurons: slice | Array = ALL, steady: Steady | None = None) -> Current:
    """A value as a current on these neurons, if it has pieces that can be followed between steps."""
    value, to = found
    current = value if isinstance(value, Input) else Constant(value)
    current._fit(to)
    if isinstance(current, SpikeInput) or current._breaks() is None:
        raise ValueError(_no_pieces(where, current))
    return Current(current, neurons, to.shape, steady)


def _no_pieces(where: str, value: Input) -> str:
    """The message about an input that cannot be followed between steps."""
    leaves = list(_leaves(value))
    clock = "Use a clock scheme such as 'rk4'"
    if not any(isinstance(leaf, SpikeInput) or leaf._breaks() is None for leaf in leaves):
        return (
            f"{where} must be lines and sines between breaks with the scheme 'exact', got {checks.shown(value)}. Of "
            f"the factors of a product one may change between them, and nothing that is clipped. {clock}."
        )
    own = any(not (isinstance(leaf, SpikeInput) or leaf._streams or type(leaf).__module__.startswith("izhnumba."))
              for leaf in leaves)  # fmt: skip
    cure = ", or a sum of Constant, TimedArray, Ramp, Pulses and Sine" * own
    return (
        f"{where} must be a number, an array, TimedArray, Sine, Ramp, Pulses or a sum of them with the scheme "
        f"'exact', whose equations have no noise and no steps, got {checks.shown(value)}. {clock}{cure}."
    )


def _leaves(value: Input) -> Iterator[Input]:
    """The inputs that one is made of, itself if it is not made of others."""
    if not value._made_of:
        yield value
    for part in value._made_of:
        yield from _leaves(part)


def spikes_of(value: SpikeInput, to: Target, engine: ExactEngine, neurons: slice | Array = ALL) -> SpikeSource:
    """A spike input on these neurons."""
    n, receptor = math.prod(to.shape), engine.receptor_state(value.receptor)
    return SpikeSource(value._events(to), _neuron(neurons, engine.n), receptor, n, value._most_per_ms(to))


def _neuron(neurons: slice | Array, n: int) -> Callable[[Array], Array]:
    """A function from places among these neurons, of n, to their flat indices."""
    if isinstance(neurons, slice) and neurons.step is None:
        return lambda places: places + (neurons.start or 0)
    every = np.arange(n)[neurons]
    return lambda places: every[places]


def drive(
    where: str, found: Given, engine: ExactEngine, neurons: slice | Array, receptor: Receptor | None
) -> tuple[Current | SpikeSource, ReceptorState | None]:
    """A drive of a network on these neurons, and the state of the receptor through which it comes."""
    if isinstance(found.value, SpikeInput):
        spikes = spikes_of(found.value, found.to, engine, neurons)
        return spikes, spikes.receptor
    if receptor is None:
        return followed(where, found, neurons), None
    if receptor.adds_to == "V":
        raise ValueError(
            "Network.drive.receptor must be a current or a conductance with the scheme 'exact', which has no steps, "
            f"got {receptor!r}. Use SpikeTrain(i, t, weight)."
        )
    engine.check_receptor(receptor)
    if receptor.E is None:
        return followed(where, found, neurons), None
    steady = Steady(float(receptor.E))
    conductance = followed(where, found, neurons, steady)
    must_stand(where, conductance)
    times = conductance.starts
    refuse_negative(where, conductance.levels(times)[0], receptor, lambda row: f"at {times[row]:g} ms")
    return conductance, engine.receptor_state(steady)


def must_stand(where: str, conductance: Current) -> None:
    """Refuse a conductance that changes between breaks."""
    if not conductance.steps:
        raise ValueError(
            f"{where} must stay as it is between steps with the scheme 'exact', got "
            f"{checks.shown(conductance.input)}. Use TimedArray, Pulses, a synaptic receptor or a clock scheme such as "
            "'rk4'."
        )


def network_feeds(network: ExactNetwork, drives: Sequence[Incoming]) -> ExactFeeds:
    """All inputs of a network, by population."""
    sources, sending = [], [one.made for one in drives if isinstance(one.made, Sending)]
    for engine in network.engines:
        made = [one.made for one in drives if one.engine is engine]
        currents = [one for one in made if isinstance(one, Current)]
        sources.append(Source(engine, currents, [one for one in made if isinstance(one, SpikeSource)]))
    return ExactFeeds(sources, network, sending)


def trains(value: Trains, to: Target, engine: ExactSource) -> Sending:
    """What a spike source sends."""
    return Sending(engine, value.events(to), value.per_ms(to))


def conductances_of(where: str, g: object, E: object, pop: Driven) -> list[Current]:
    """Conductances that stay as they are, g (E - V), of one or several receptors."""
    if g is None and E is None:
        return []
    units = ("nS" if pop.model.I.unit == "pA" else "1/ms", "mV")
    found = []
    for one, level in pairs_of(where, g, E):
        levels = checks.array(f"{where}.E", level, units[1], [pop.shape])
        steady = Steady(tuple(np.broadcast_to(levels, pop.shape).ravel()) if levels.ndim else float(levels))
        found.append(current_of(f"{where}.g", one, units[0], pop, steady=steady))
        must_stand(f"{where}.g", found[-1])
    return found


class Followed(Driven, Protocol):
    """Neurons that users' values drive, advanced by the exact engine."""

    @property
    def _engine(self) -> ExactEngine: ...


def population_feeds(where: str, pop: Followed, stop: float, inputs: Inputs) -> ExactFeeds:
    """All inputs of a population by itself in a run; they do not depend on when it stops."""
    engine, (I, delta, g, E) = pop._engine, inputs  # noqa: E741
    key, (known, feeds) = _key(inputs), engine.latest
    if key is not None and key == known and feeds.clock is engine.clock:
        return feeds
    currents = [current_of(f"{where}.I", I, pop.model.I.unit, pop), *conductances_of(where, g, E, pop)]
    spikes = []
    if isinstance(delta, SpikeInput):
        spikes.append(spikes_of(delta, target(pop, "mV", 1), engine))
    elif delta is not None:
        raise ValueError(
            f"{where}.delta must be SpikeTrain or Poisson with the scheme 'exact', which has no steps, got "
            f"{checks.shown(delta)}. Use SpikeTrain(i, t, weight)."
        )
    feeds = ExactFeeds([Source(engine, currents, spikes)], engine.clock)
    engine.latest = key, feeds
    return feeds


def _key(inputs: Inputs) -> object:
    """What equal currents have in common, if they come alone and are plain numbers; else None."""
    I: Any  # noqa: E741
    I, *others = inputs
    if any(one is not None for one in others):
        return None
    if type(I) is np.ndarray and I.dtype == np.float64:
        return I.shape, I.tobytes()
    return float(I) if type(I) in (float, int, np.float64) and abs(I) <= sys.float_info.max else None
