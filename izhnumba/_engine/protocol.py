"""Contracts of a run: the engine that advances, the inputs that it is given, and the recorders that read it.

`run_loop.run_slices` calls them in this order, slice by slice: `RunRecorder.next_look`, `Feeds.reach`, `Feeds.between`,
`RunRecorder.records`, `Engine.record`, `Engine.advance`, `RunRecorder.take`; at the end `Engine.publish_state` and
`RunRecorder.finish`. An Instant is a time in the engine's count (`timebase`): steps done, or ms.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.timebase import Instant, Timebase
from izhnumba._model.model import Model

Array = NDArray[Any]


class NeuronEngine(Protocol):
    """The engine of a population, as recorders read it. n: neurons; dtype: of V and u."""

    model: Model
    n: int
    dtype: np.dtype[Any]

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    @property
    def reliable(self) -> Instant:
        """The instant up to which V and u were finite: now, or before the step in which a neuron failed."""
        ...

    def spike_list(self, since: Instant) -> tuple[Array, Array]:
        """Neurons (int64) and labels of the spikes of the last advance, which began at `since`, in order of time."""
        ...


class Record(NamedTuple):
    """Samples of a state that a kernel writes while it runs.

    engine: whose state; every: interval between samples, in the engine's count of time; first: number of the sample in
    row 0; neurons: int64 (k,), ascending; places: int64 (k,), the column of each in a sample; source: (n,), the array
    of the state; samples: (rows, k), row m - first is sample m.
    """

    engine: NeuronEngine
    every: Instant
    first: int
    neurons: Array
    places: Array
    source: Array
    samples: Array


class Engine(Protocol):
    """What `run_slices` advances: the engine of a population or of a network."""

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    def record(self, wanted: list[Record]) -> None:
        """Write samples of these records in the next advances, in place of those before."""
        ...

    def threads_for(self, until: Instant, stop: Instant, wanted: int | None) -> int:
        """Threads to use in an advance to `until`, of a run that ends at `stop`. wanted: what the user asks for."""
        ...

    def advance(self, until: Instant, inputs: Any, threads: int) -> int:
        """Advance to `until` under `inputs`, which `Feeds.between` returned. Returns one of `codes`."""
        ...

    def publish_state(self) -> int:
        """Write V and u of now to the arrays that users read. Returns one of `codes`."""
        ...


class Feeds(Protocol):
    """The inputs of a run."""

    def reach(self, now: Instant, length: float | None) -> Instant:
        """The instant at which an advance of about this length should end; None: a length with which to measure the
        speed."""
        ...

    def between(self, now: Instant, until: Instant) -> Any:
        """The inputs of an advance from `now` to `until`, as `Engine.advance` takes them."""
        ...


class RunRecorder(Protocol):
    """A recorder during a run."""

    def next_look(self) -> Instant:
        """The latest instant at which the slice must end, for `take` to be called then; infinity if any will do."""
        ...

    def records(self, until: Instant) -> list[Record]:
        """Records of the samples that kernels are to write up to `until`."""
        ...

    def take(self) -> None:
        """Store what the engine has done since the last call; after a Ctrl-C in here, the next call stores the rest."""
        ...

    def finish(self) -> None:
        """Store the last of a run, which has ended."""
        ...
