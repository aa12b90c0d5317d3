"""What an engine is to those who run it and to those who record from it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.timebase import Instant, Timebase
from izhnumba._model.model import Model

Array = NDArray[Any]


class NeuronEngine(Protocol):
    """The engine of a population, as recorders see it."""

    model: Model
    n: int
    dtype: np.dtype[Any]

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    @property
    def reliable(self) -> Instant:
        """Now, or until when what it has done means something: V and u were finite."""
        ...

    def spike_list(self, since: Instant) -> tuple[Array, Array]:
        """Neurons and labels of the spikes after `since`, when the last advance began: in order."""
        ...


class Record(NamedTuple):
    """A state that a kernel writes while it runs.

    engine: whose state; every: interval between samples, in the engine's count of time; first: number of the first
    sample written; lanes, int64, shape (k,), ascending: the neurons; places, int64, shape (k,): where each goes in a
    row of samples; source, shape (n,): the array of the state; samples, shape (rows, k): row `m - first` is sample m.
    """

    engine: NeuronEngine
    every: Instant
    first: int
    lanes: Array
    places: Array
    source: Array
    samples: Array


class Engine(Protocol):
    """What can be run: the engine of a population, or that of a network."""

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    def record(self, wanted: list[Record]) -> None:
        """Write these in the next advance."""
        ...

    def threads_for(self, until: Instant, stop: Instant, wanted: int | None) -> int:
        """How many to use in an advance of a run that ends at `stop`."""
        ...

    def advance(self, until: Instant, inputs: Any, threads: int) -> int:
        """Returns one of `codes`."""
        ...

    def publish_state(self) -> int:
        """Write the present V and u to the arrays that users read. Returns one of `codes`."""
        ...


class Feeds(Protocol):
    """What comes into an engine from outside in a run."""

    def reach(self, now: Instant, length: float | None) -> Instant:
        """Where an advance of about that length should end; None: of a length with which to find out the speed."""
        ...

    def between(self, now: Instant, until: Instant) -> Any:
        """The inputs of an advance."""
        ...


class RunRecorder(Protocol):
    """A recorder, as the loop over slices sees it."""

    def next_look(self) -> Instant:
        """The instant by which a slice must end so that the recorder can look; infinity: any."""
        ...

    def records(self, until: Instant) -> list[Record]:
        """States that kernels write up to `until`."""
        ...

    def take(self) -> None:
        """Take what the engine has done since the last call; after a Ctrl-C in here, the next call takes the rest."""
        ...

    def finish(self) -> None:
        """Take the last of a run, which has ended."""
        ...
