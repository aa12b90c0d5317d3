"""What connects, drives or records neurons of several populations: the parts of each population, seen as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.read_only import read_only
from izhnumba._base.sealed import Sealed
from izhnumba._base.words import counted
from izhnumba._input.cut import cut
from izhnumba._network import html
from izhnumba._network.drives import Drive
from izhnumba._network.synapses import Synapses
from izhnumba._population.assembly import Assembly
from izhnumba._population.section import Section
from izhnumba._record.events import Spikes
from izhnumba._record.found import optional
from izhnumba._record.recorder import Recorder
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import Mean
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import RateRecorder, SpikeRecorder
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]
_OF_PARTS = "Write into those of its parts: syn.parts."


class JoinedSynapses(Sealed):
    """All synapses that one call of `Network.connect` makes where an end is an `Assembly`, such as `exc + inh`.

    Attributes
    ----------
    parts : tuple of Synapses
        For each population at the one end and each at the other, in this order, also where there is none. They are in
        `net.synapses`, and what can be done to synapses is done to them, such as recording. `Network.remove` takes all.
    source, target : Assembly or Section
    pre, post : ndarray of int64, read-only
        Source and target neuron of each synapse, by place in `source` and `target`. Part after part.
    weight, delay, distance, eligibility : ndarray, read-only
        As those of `Synapses`. `weight` and `eligibility` can be set as wholes: `syn.weight = x`.
    modulator : float
        It can be set.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> exc, inh = net.add(iz.Population(8), name="exc"), net.add(iz.Population(2), name="inh")
    >>> syn = net.connect(exc + inh, exc, iz.FixedInDegree(3), weight=0.5)
    >>> syn, syn.parts[1].name
    (<24 synapses exc + inh -> exc, Delta()>, 'inh to exc')
    >>> syn.weight = 0.25
    """

    def __init__(self, source: Assembly | Section, target: Assembly | Section, parts: tuple[Synapses, ...]) -> None:
        """Made by `Network.connect`."""
        self.source, self.target, self.parts = source, target, parts
        self._shifts = [(shift, other) for shift in starts_of(source) for other in starts_of(target)]
        self._seal()

    @property
    def receptor(self) -> Receptor:
        """Of all of them."""
        return self.parts[0].receptor

    @property
    def plasticity(self) -> Plasticity | tuple[Plasticity, ...] | None:
        """The rule by which the weights change."""
        return self.parts[0].plasticity

    @property
    def pre(self) -> Array:
        """Place of the source neuron of each synapse."""
        each = zip(self.parts, self._shifts, strict=True)
        return self._all([one.source.places(np.asarray(one.pre)) + shift for one, (shift, _) in each], "pre")

    @property
    def post(self) -> Array:
        """Place of the target neuron of each synapse."""
        each = zip(self.parts, self._shifts, strict=True)
        return self._all([one.target.places(np.asarray(one.post)) + shift for one, (_, shift) in each], "post")

    @property
    def weight(self) -> Array:
        """Weight of each synapse; it can be set."""
        return self._all([one._rows.weights for one in self.parts], "weight")

    @weight.setter
    def weight(self, value: object) -> None:
        self._set("weight", value)

    @property
    def delay(self) -> Array:
        """Delay of each synapse, ms."""
        return self._all([one.delay for one in self.parts], "delay")

    @property
    def distance(self) -> Array:
        """Distance between the neurons of each synapse."""
        return self._all([one.distance for one in self.parts], "distance")

    @property
    def eligibility(self) -> Array:
        """The number that a rule keeps for each synapse; it can be set."""
        return self._all([one.eligibility for one in self.parts], "eligibility")

    @eligibility.setter
    def eligibility(self, value: object) -> None:
        self._set("eligibility", value)

    @property
    def modulator(self) -> float:
        """The present value of the modulator; it can be set."""
        return self.parts[0].modulator

    @modulator.setter
    def modulator(self, value: object) -> None:
        for one in self.parts:
            one.modulator = value

    def modulate(self, by: object, amount: object) -> None:
        """Let each spike of neurons add to the modulator; see `Synapses.modulate`."""
        for one in self.parts:
            one.modulate(by, amount)

    def to_scipy(self) -> Any:
        """The weights as a scipy.sparse.coo_array (sources, targets), by place; see `Synapses.to_scipy`."""
        sparse = optional("JoinedSynapses.to_scipy", "scipy.sparse")
        places = np.asarray(self.pre), np.asarray(self.post)
        return sparse.coo_array((np.asarray(self.weight), places), shape=(len(self.source), len(self.target)))

    def _all(self, pieces: list[Array], name: str) -> Array:
        return read_only(np.concatenate(pieces), f"JoinedSynapses.{name} must be read, got new values. {_OF_PARTS}")

    def _set(self, name: str, value: object) -> None:
        sizes = [one._rows.weights.size for one in self.parts]  # 1 of synapses that share a weight
        where, n = f"JoinedSynapses.{name}", sum(sizes)
        exact = checks.array(where, value, "", [(), (n,)])
        stops = np.cumsum(sizes)
        pieces = np.split(np.broadcast_to(exact, (n,)), stops[:-1])
        _set_all(self.parts, name, [piece.copy() for piece in pieces], lambda one: np.array(getattr(one, name)))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    _repr_html_ = html.of_joined_synapses

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'synapse')} {self.source!r} -> {self.target!r}, {self.receptor!r}>"


class JoinedDrive(Sealed):
    """An input to an `Assembly`. Made by `Network.drive`.

    Attributes
    ----------
    parts : tuple of Drive
        Of each population; they are in `net.drives`. Each draws random numbers of its own.
    value : float, array or input object
        It can be set between runs.
    section : Assembly
    receptor : Receptor or None
        As that of a `Drive`.
    """

    def __init__(self, section: Assembly, value: object, parts: tuple[Drive, ...]) -> None:
        """Made by `Network.drive`."""
        self.section, self.parts, self._value, self.receptor = section, parts, value, parts[0].receptor
        self._seal()

    @property
    def value(self) -> Any:
        """The input, number or array that drives the neurons; it can be set between runs."""
        return self._value

    @value.setter
    def value(self, value: object) -> None:
        pieces = cut("Drive.value", value, places_of(self.section))
        _set_all(self.parts, "value", pieces, lambda one: one.value)
        self._value = value

    _repr_html_ = html.of_drive

    def __repr__(self) -> str:
        value = self._value
        array = f"<array of shape {value.shape}>" if isinstance(value, np.ndarray) else ""
        through = "" if self.receptor is None else f" through {self.receptor!r}"
        return f"<drive of {self.section!r}{through}: {array or value}>"


class JoinedRecorder(Sealed):
    """Spikes, rate, states or means of an `Assembly`, its neurons counted by place. Made by `Network.record`.

    Attributes
    ----------
    parts : tuple of Recorder
        Of each population; they are in `net.recorders`.
    source : Assembly
    start, stop : float, ms
        As those of `Recorder`; they can be set.
    i, t, step : ndarray
        Of spikes, sorted by (step, i).
    spikes : Spikes
    t, rate : ndarray
        Of a rate: spikes per neuron and second.
    t, V, u : ndarray
        Of states, (samples, n); those that models have besides by their names.
    t, values : ndarray
        Of a `Mean`, `Sum` or `Histogram` over all neurons.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> exc, inh = net.add(iz.Population(8), name="exc"), net.add(iz.Population(2), name="inh")
    >>> drive, spikes = net.drive(exc + inh, [0.0] * 8 + [10.0, 20.0]), net.record(exc + inh, "spikes")
    >>> net.run(100.0)
    >>> sorted(set(spikes.i.tolist()))
    [8, 9]
    """

    def __init__(self, source: Assembly, what: object, parts: tuple[Recorder, ...]) -> None:
        """Made by `Network.record`."""
        self.source, self.what, self.parts = source, what, parts
        self._merged: tuple[object, Spikes] | None = None  # how many there were of each part, when, and all of them
        self._seal()

    @property
    def start(self) -> float:
        """From when on it records, ms."""
        return self.parts[0].start

    @start.setter
    def start(self, value: object) -> None:
        _set_all(self.parts, "start", [value] * len(self.parts), lambda one: one.start)

    @property
    def stop(self) -> float:
        """Until when it records, ms."""
        return self.parts[0].stop

    @stop.setter
    def stop(self, value: object) -> None:
        _set_all(self.parts, "stop", [value] * len(self.parts), lambda one: one.stop)

    @property
    def spikes(self) -> Spikes:
        """All spikes so far."""
        found = [one.spikes for one in self.parts if isinstance(one, SpikeRecorder)]
        if not found:
            raise AttributeError(f"JoinedRecorder has no 'spikes'. It records {self.what}.")
        windows = found[0]._windows
        seen = list(map(len, found)), windows
        if self._merged is None or self._merged[0] != seen:
            each = zip(found, self.source.slices(), strict=True)
            i = np.concatenate([part.places(one.i) + place.start for one, (part, place) in each])
            labels = np.concatenate([one._labels for one in found])
            order = np.lexsort((i, labels))
            self._merged = seen, Spikes(i[order], labels[order], found[0]._time, len(self.source), None, windows)
        return self._merged[1]

    @property
    def i(self) -> Array:
        """Place of the neuron of each spike."""
        return self.spikes.i

    @property
    def step(self) -> Any:
        """Step of each spike or sample, None in continuous time."""
        one = self.parts[0]
        return one.samples.step if isinstance(one, (StateRecorder, ReductionRecorder)) else self.spikes.step

    @property
    def t(self) -> Array:
        """Time of each spike, bin or sample, ms."""
        one = self.parts[0]
        return self.spikes.t if isinstance(one, SpikeRecorder) else np.asarray(getattr(one, "t"))  # noqa: B009

    @property
    def rate(self) -> Array:
        """Spikes per neuron and second in each bin."""
        found = [one.rate for one in self.parts if isinstance(one, RateRecorder)]
        if not found:
            raise AttributeError(f"JoinedRecorder has no 'rate'. It records {self.what}.")
        sizes = np.diff(self.source.starts)
        return np.asarray(sizes @ np.array(found) / sizes.sum())

    @property
    def values(self) -> Array:
        """The mean, sum or histogram over all neurons in each sample."""
        found = [one.values for one in self.parts if isinstance(one, ReductionRecorder)]
        if not found:
            raise AttributeError(f"JoinedRecorder has no 'values'. It records {self.what}.")
        if isinstance(self.what, Mean):
            sizes = np.diff(self.source.starts)
            return np.asarray(sizes @ np.array(found) / sizes.sum())
        return np.sum(found, axis=0)

    @property
    def V(self) -> Array:
        """V of all neurons, (samples, n)."""
        return self._states("V")

    @property
    def u(self) -> Array:
        """u of all neurons, (samples, n)."""
        return self._states("u")

    def __getattr__(self, name: str) -> Array:
        """A further state, which models of all these neurons have."""
        recorded = [vars(one).get("_sources", ()) for one in vars(self).get("parts", ())]
        if not recorded or not all(name in one for one in recorded):
            raise AttributeError(f"JoinedRecorder has no {name!r}. It records {vars(self).get('what')}.")
        return self._states(name)

    def _states(self, name: str) -> Array:
        return np.concatenate([np.asarray(getattr(one, name)) for one in self.parts], axis=1)

    def __len__(self) -> int:
        return self.t.size

    _repr_html_ = html.of_joined_recorder

    def __repr__(self) -> str:
        return f"<{self.what} of {self.source!r}, {counted(len(self), 'row')}>"


Joined = JoinedSynapses | JoinedDrive | JoinedRecorder


def _set_all(parts: tuple[Any, ...], name: str, values: list[Any], look: Callable[[Any], Any]) -> None:
    """Set an attribute of all parts, or, where one refuses, of none."""
    before = [look(one) for one in parts]
    try:
        for one, value in zip(parts, values, strict=True):
            setattr(one, name, value)
    except BaseException:
        for one, value in zip(parts, before, strict=True):
            setattr(one, name, value)
        raise


def starts_of(end: Assembly | Section) -> list[int]:
    """The place of the first neuron of each part."""
    return end.starts[:-1].tolist() if isinstance(end, Assembly) else [0]


def places_of(end: Assembly) -> list[slice]:
    """Where each part is by place."""
    return [place for _, place in end.slices()]
