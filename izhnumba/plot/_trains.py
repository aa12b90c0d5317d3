"""The spikes that a user passes to be drawn, population by population."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._network.joined import JoinedRecorder
from izhnumba._network.network import Network
from izhnumba._record.results import Result, Spikes
from izhnumba._record.spikes import SpikeRecorder

Array = np.ndarray[Any, np.dtype[Any]]
MUST_BE = "a Result, Spikes, SpikeRecorder or Network, or a list or dict of them"
_NONE = "Record spikes before the run: net.record(population)."


class Trains(NamedTuple):
    """Spikes of one population, or of chosen neurons of one.

    name: of the population, "" if it has none; population: itself, None if it is not known
    spikes: all of them, of all batch entries; what follows is of one
    neurons: those that were recorded, flat indices, ascending
    i, labels, t: of each spike the neuron (flat index), the label and the time (ms)
    begin, end: the instants between which was recorded
    """

    name: str
    population: object
    spikes: Spikes
    neurons: Array
    i: Array
    labels: Array
    t: Array
    begin: Any
    end: Any

    @property
    def rows(self) -> Array:
        """The place of the neuron of each spike among those that were recorded."""
        first, n = self.neurons[0] if self.neurons.size else 0, self.neurons.size
        if n and self.neurons[-1] - first == n - 1:
            return self.i - first
        return np.searchsorted(self.neurons, self.i)

    @property
    def span(self) -> tuple[float, float]:
        """Between which times was recorded, ms."""
        return self.spikes._time.ms(self.begin), self.spikes._time.ms(self.end)


def trains_of(where: str, spikes: object, batch: int = 0) -> list[Trains]:
    """The populations in what a user passes, in its order. `where` is "owner.argument", for errors; batch: which
    entry, of those that have a batch."""
    owner = where.partition(".")[0]
    return [_entry(owner, name, found, batch) for name, found in _flat(where, spikes, "")]


def _flat(where: str, spikes: object, name: str) -> Iterator[tuple[str, SpikeRecorder | Spikes | Result]]:
    """What there is in it, with the names of the populations."""
    if isinstance(spikes, Network):
        found = [one for one in spikes.recorders.values() if isinstance(one, SpikeRecorder)]
        if not found:
            raise ValueError(f"{where} must be a network whose spikes are recorded, got {spikes!r}. {_NONE}")
        spikes = found
    elif isinstance(spikes, JoinedRecorder) and all(isinstance(one, SpikeRecorder) for one in spikes.parts):
        spikes = spikes.parts
    if isinstance(spikes, (Mapping, list, tuple)):
        if not spikes:
            raise ValueError(f"{where} must be {MUST_BE}, got {spikes!r}.")
        named = isinstance(spikes, Mapping)
        for key, one in spikes.items() if isinstance(spikes, Mapping) else enumerate(spikes):
            yield from _flat(f"{where}[{key!r}]", one, f"{name} {key}".strip() if named else name)
    elif isinstance(spikes, (SpikeRecorder, Spikes, Result)):
        yield name, spikes
    else:
        checks.refuse(where, spikes, MUST_BE)


def _entry(owner: str, name: str, found: SpikeRecorder | Spikes | Result, batch: int) -> Trains:
    """The spikes of one entry of a batch."""
    spikes = found if isinstance(found, Spikes) else found.spikes
    batch = place(f"{owner}.batch", batch, spikes.n_batch or 1)
    time, i, labels, t = spikes._time, spikes.i, spikes._labels, spikes.t
    if spikes.n_batch is not None:
        here = spikes.batch == batch
        i, labels, t = i[here], labels[here], t[here]
    begin, end, population = spikes._windows[0][0], spikes._windows[-1][1], None
    if end == math.inf:  # of a file, which does not tell
        end = time.instants(labels[-1:]).max(initial=begin).item()
    if isinstance(found, SpikeRecorder):
        name, population = name or found.name.removesuffix(" spikes"), found.source.population
    return Trains(name, population, spikes, spikes.neurons, i, labels, t, begin, end)


def place(where: str, value: object, n: int) -> int:
    """An index from 0 to n - 1; a negative value counts from the end."""
    return checks.integer(where, value, at_least=-n, at_most=n - 1) % n
