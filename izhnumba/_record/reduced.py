"""The recorder of what a state is reduced to, by kernels, while they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._engine.protocol import NeuronEngine, Record
from izhnumba._engine.reduction import Reduction
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record import html
from izhnumba._record.reductions import StateReduction
from izhnumba._record.results import Samples
from izhnumba._record.samples import KernelSampling

Array = NDArray[Any]


class ReductionRecorder(KernelSampling):
    """Samples of the mean, sum or histogram of a state over neurons. Made by `Network.record`.

    Samples are taken on the absolute clock, as those of a `StateRecorder`. What is kept are these numbers alone.

    Attributes
    ----------
    t : ndarray (samples,), ms
    values : ndarray (samples[, batch][, groups][, bins])
        float64, or int64 of a histogram. There are groups if the reduction has some.
    neurons : ndarray of int64
        Flat indices of the neurons that are reduced.
    samples : Samples
        t and values.
    what : Mean, Sum or Histogram
        Its groups are arrays of places among `neurons`.
    start, stop, to, name
        See `Recorder`.

    Examples
    --------
    See `izhnumba.Mean`.
    """

    _kind = "reductions"
    what: StateReduction

    def __init__(
        self, where: str, engine: NeuronEngine, name: str, n_batch: int | None, what: StateReduction, source: Any,
        every: object, neurons: object, of: slice | Array, population: object,
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
        what : StateReduction
        source : object
            What `NeuronEngine.source_of` returned for its state.
        every, neurons : as the user passed them
            Interval between samples in ms; which neurons, by place among those of `of`.
        of : slice or ndarray of int64
            Index of the neurons that may be recorded.
        population : Population
            Whose they are.
        """
        n = engine.n // (n_batch or 1)
        self.neurons = np.arange(n)[of]
        self._chosen: Array | None = None
        if neurons is not None:
            self._chosen = checks.indices(f"{where}.neurons", neurons, self.neurons.size)
            self.neurons = self.neurons[self._chosen]
        self.what = what = what._with_groups(self.neurons, population)
        places: Sequence[Any] = [slice(None)] if what.groups is None else what.groups  # type: ignore[assignment]
        groups = [np.sort(self.neurons[place]) + k * n for k in range(n_batch or 1) for place in places]
        self._sizes = np.array([group.size for group in groups])
        self._reduction = Reduction(what._form, groups, engine.n, engine.dtype, what._levels(engine.dtype))
        self._source = source
        shape = () if n_batch is None else (n_batch,)
        shape = (*shape, *(() if what.groups is None else (len(places),)), *what._width)
        columns = [engine.time.column, Column("values", what._dtype, shape)]
        super().__init__(where, engine, name, columns, every, self.neurons, self._reduction.row_bytes)

    def _records(self, until: Instant) -> list[Record]:
        """Where the results of the samples until then go."""
        self._row, n_rows = self._due(until)
        if not self._room or len(self._room[0]) < n_rows:
            self._room = (self._reduction.results(n_rows),)
        neurons, results = self._reduction.neurons, self._room[0]
        return [
            Record(
                self._engine, self._every, self._row, neurons, neurons, False, self._source, results, self._reduction
            )
        ]

    def _keep(self, now: Instant, labels: Array, room: list[Array]) -> None:
        results = self._reduction.added_up(room[0][: len(labels)])
        values = self.what._finished(results, self._sizes)
        self._keeps.append(now, labels, values.reshape(len(labels), *self._columns[1].shape))

    def _options(self) -> dict[str, Any]:
        places = np.arange(self.neurons.size) if self._chosen is None else self._chosen
        return super()._options() | {"neurons": places}

    @property
    def values(self) -> Array:
        """The numbers of each sample."""
        return self._rows_so_far()[1]

    @property
    def samples(self) -> Samples:
        """Everything so far."""
        labels, values = self._rows_so_far()
        return Samples(labels, self._engine.time, {"values": values}, self.neurons, self._t(labels))

    def __len__(self) -> int:
        return len(self.t)

    _repr_html_ = html.of_sampling_recorder

    def __repr__(self) -> str:
        return f"<{self.what!r} of {counted(self.neurons.size, 'neuron')}, {counted(len(self), 'sample')}>"
