"""The recorder of states, which kernels sample while they run."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._engine.protocol import NeuronEngine, Record
from izhnumba._engine.states import STATES
from izhnumba._engine.timebase import Column, Instant
from izhnumba._model.model import Model
from izhnumba._record import html
from izhnumba._record.recorder import Recorder
from izhnumba._record.reductions import StateReduction
from izhnumba._record.results import Samples
from izhnumba._record.sampler import Sampler

Array = NDArray[Any]
_BLOCK = 2**22  # bytes in a block of a file, or one sample: it is still in the cache when it is written


class KernelSampling(Recorder):
    """Takes samples that kernels write while they run, on the absolute clock, to the room for the next rows."""

    def __init__(
        self, where: str, engine: NeuronEngine, name: str, columns: list[Column], every: object, index: Array,
        row_bytes: int,
    ) -> None:  # fmt: skip
        """Made by recorders of these kinds.

        Parameters
        ----------
        where : str
            The function that makes it, for errors.
        engine : NeuronEngine
        name : str
        columns : list of Column
            The label comes first.
        every : as the user passed it
            Interval between samples in ms.
        index : ndarray of int64
        row_bytes : int
            What kernels write for a sample.
        """
        self._every, self._where = engine.time.interval(f"{where}.every", every), where
        super().__init__(engine, name, columns, index)
        self._block_rows = max(1, _BLOCK // row_bytes)
        self._row = 0  # which sample comes first in the room
        self._room: Sequence[Array] = ()

    def _due(self, until: Instant) -> tuple[int, int]:
        """The number of the next sample, and how many there are until then."""
        samples_by = self._engine.time.samples_by
        row = samples_by(max(self._engine.now, self._from), self._every) + 1
        return row, max(0, samples_by(min(until, self._until), self._every) - row + 1)

    def _next_look(self) -> Instant:
        """When samples are enough for a block."""
        time = self._engine.time
        return time.sample(time.samples_by(self._engine.now, self._every) + self._block_rows, self._every)

    def _take(self) -> None:
        """Keep the samples that the kernel has written since the last time. The rest of the room is for that of the
        slice."""
        time, now, upto = self._engine.time, self._engine.now, self._keeps.upto
        if self._room and now > upto:
            known = max(0, time.samples_by(max(upto, self._from), self._every) + 1 - self._row)
            n_rows = max(0, time.samples_by(self._reliable(), self._every) + 1 - self._row - known)
            labels = time.labels(time.sample(self._row + known + np.arange(n_rows), self._every))
            self._keep(now, labels, [column[known:] for column in self._room])

    @abstractmethod
    def _keep(self, now: Instant, labels: Array, room: list[Array]) -> None:
        """Keep samples, of which the labels are these, and which begin the room."""

    def _end(self) -> None:
        self._take()
        self._room = ()

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"every": self._engine.time.ms(self._every)}

    @property
    def t(self) -> Array:
        """Times of the samples, ms."""
        return self._t(self._rows_so_far()[0])


class StateRecorder(KernelSampling):
    """Samples of states of chosen neurons, or of the current through a receptor of theirs. Made by `Network.record`.

    Samples are taken on the absolute clock: of the state after step k if (k + 1) is a multiple of `every` in steps. A
    current is the one that flowed in step k.

    Attributes
    ----------
    t : ndarray (samples,), ms
    V, u, current : ndarray (samples, neurons) or (samples, batch, neurons)
        Those that were asked for; further states of a model by their names.
    neurons : ndarray of int64
        Flat indices of the neurons, in the order of the columns.
    samples : Samples
        All of these.
    start, stop, to, name
        See `Recorder`.
    """

    _kind = "states"
    V: Array
    u: Array
    current: Array

    def __init__(
        self, where: str, engine: NeuronEngine, name: str, n_batch: int | None, sources: dict[str, Any], every: object,
        neurons: object, of: slice | Array = slice(None),
    ) -> None:  # fmt: skip
        """Made by `Network.record` and `Population.run`.

        Parameters
        ----------
        where : str
            Which of them, for errors.
        engine : NeuronEngine
        name : str
        n_batch : int or None
            Copies of the population, if it has a batch.
        sources : dict
            Of each state what `NeuronEngine.source_of` returned for it.
        every, neurons : as the user passed them
            Interval between samples in ms; which neurons, by place among those of `of`.
        of : slice or ndarray of int64
            Index of the neurons that may be recorded.
        """
        n = engine.n // (n_batch or 1)
        self.neurons = np.arange(n)[of]
        self._chosen: Array | None = None  # places of those that are
        if neurons is not None:
            self._chosen = checks.indices(f"{where}.neurons", neurons, self.neurons.size)
            self.neurons = self.neurons[self._chosen]
        self._sources, self._n_batch = sources, n_batch
        flat = (np.arange(n_batch or 1)[:, None] * n + self.neurons).ravel()
        self._places = np.argsort(flat, kind="stable")
        self._flat = flat[self._places]
        self._consecutive = bool(np.all(np.diff(flat) == 1))
        dtype = engine.dtype.newbyteorder("<").str
        columns = [engine.time.column, *(Column(state, dtype, (flat.size,)) for state in sources)]
        row_bytes = sum(column.row_bytes for column in columns)
        super().__init__(where, engine, name, columns, every, self.neurons, row_bytes)

    def _begin(self, stop: Instant) -> None:
        """Make room for the samples of a run, unless they go to a file."""
        if self.to is None:
            _, n_rows = self._due(stop)
            n_bytes = n_rows * (len(self._sources) * self._flat.size * self._engine.dtype.itemsize + 8)
            checks.fits(f"{self._where}.every", n_bytes, "Record fewer neurons, more seldom, or a shorter run.")
            self._keeps.room(n_rows)

    def _next_look(self) -> Instant:
        """Samples in memory have room for a run."""
        return math.inf if self.to is None else super()._next_look()

    def _records(self, until: Instant) -> list[Record]:
        """Where the samples until then go."""
        self._row, n_rows = self._due(until)
        self._room = self._keeps.room(n_rows)
        return [
            Record(self._engine, self._every, self._row, self._flat, self._places, self._consecutive, source, samples)
            for source, samples in zip(self._sources.values(), self._room[1:], strict=True)
        ]

    def _keep(self, now: Instant, labels: Array, room: list[Array]) -> None:
        room[0][: len(labels)] = labels
        self._keeps.keep(now, len(labels), room)

    def _options(self) -> dict[str, Any]:
        places = np.arange(self.neurons.size) if self._chosen is None else self._chosen
        return super()._options() | {"neurons": places}

    @property
    def samples(self) -> Samples:
        """Everything so far."""
        labels, *states = self._rows_so_far()
        shaped = {name: self._shaped(rows) for name, rows in zip(self._sources, states, strict=True)}
        return Samples(labels, self._engine.time, shaped, self.neurons, self._t(labels))

    def _shaped(self, rows: Array) -> Array:
        """A column of states, shape (samples, neurons) or (samples, batch, neurons)."""
        return rows if self._n_batch is None else rows.reshape((len(rows), self._n_batch, self.neurons.size))

    def __getattr__(self, name: str) -> Any:
        sources = vars(self).get("_sources", ())
        if name in sources:
            return self._shaped(self._rows_so_far()[1 + list(sources).index(name)])
        if name in STATES or name in self._engine.model.variables:
            raise AttributeError(f"StateRecorder has no {name!r}. Ask Network.record for it.")
        return super().__getattr__(name)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self._sources])

    _repr_html_ = html.of_sampling_recorder

    def __repr__(self) -> str:
        neurons, samples = counted(self.neurons.size, "neuron"), counted(len(self.t), "sample")
        return f"<{', '.join(self._sources)} of {neurons}, {samples}>"


def state_names(where: str, value: Any, model: Model) -> tuple[str, ...]:
    """Names of states of neurons, in the order of the model, from what a user passes."""
    known, cure = list(model.variables), "Samplers record from a Network." if isinstance(value, Sampler) else ""
    must = f"{', '.join(map(repr, known[:-1]))} or {known[-1]!r}" if known[2:] else "'V', 'u'"
    must += " or a list of them"
    value = checks.kind(where, value, (str, list, tuple, set), must, cure)
    given = [value] if isinstance(value, str) else list(value)
    for one in given:
        if isinstance(one, (Sampler, StateReduction)):
            checks.refuse(where, value, must, f"Record {type(one).__name__}(...) on its own.")
    if "spikes" in given:
        cure = "Spikes are in the result of a run, and have a recorder of their own in a network."
        raise ValueError(f"{where} must be {must}, got 'spikes'. {cure}")
    return tuple(sorted({checks.one_of(where, name, known) for name in given}, key=known.index))
