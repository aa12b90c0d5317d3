"""Spikes as events, and by neuron, in a window of time."""

from __future__ import annotations

import copy
import itertools
import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._base.words import counted
from izhnumba._engine.timebase import Instant, Timebase
from izhnumba._record import html
from izhnumba._record.found import Found, optional

Array = NDArray[Any]
Windows = tuple[tuple[Instant, Instant], ...]  # from when until when, one after the other, with gaps in between
_PART = "Spikes[start:stop]"


class Spikes(Found):
    """Spikes as events, sorted by (step or t, batch, i); by neuron in `trains()`, `of(i)`, `counts()` and `rates()`.

    `spikes[100.0:200.0]` are the Spikes of a part of the time, in ms: those with start < t <= stop, which are those of
    the steps that begin at start or later and end at stop or before, as a recorder with this start and stop has them.
    So parts that lie side by side share no spike and lose none. What lies outside the recording is left out, also of
    `start` and `stop`. In continuous time a spike at the very start of a recording belongs to it.

    Attributes
    ----------
    i : ndarray of int64
        Flat index of the neuron (within its batch entry).
    step : ndarray of int64 or None
        Step k in which V reached the threshold; None in continuous time.
    t : ndarray of float64, ms
        (k + 1) dt, the end of that step, or the time itself.
    batch : ndarray of int64
        Batch entry, 0 without batch.
    n_batch : int or None
        Entries of the batch, None without.
    n : int
        Neurons that were recorded (of each batch entry), with those that were silent.
    neurons : ndarray of int64
        Their flat indices, ascending: the order of `trains`, `counts` and `rates`.
    start, stop : float, ms
        From when until when they were recorded; stop is inf of a file, which does not tell.

    Examples
    --------
    >>> import izhnumba as iz
    >>> spikes = iz.Population(3, **iz.presets["RS"]).run(50.0, I=[0.0, 10.0, 14.0]).spikes
    >>> spikes
    <5 spikes of 2 neurons, 2.4 to 37.2 ms>
    >>> spikes.trains()
    [array([], dtype=float64), array([ 3.2, 26.7]), array([ 2.4,  7.8, 37.2])]
    >>> spikes.rates()
    array([ 0., 40., 60.])
    >>> spikes[10.0:30.0].counts()
    array([0, 1, 0])
    """

    i: Array
    step: Any
    n_batch: int | None
    _labels: Array
    _time: Timebase
    _batch: Array | None
    _n: int | None = None  # neurons of the population; None in pickles of old, which do not tell
    _chosen: Array | None = None  # indices of those that were recorded, if not all were
    _windows: Windows = ((0, math.inf),)

    def __init__(
        self, i: Array, labels: Array, time: Timebase, n: int, n_batch: int | None,
        windows: Windows = ((0, math.inf),), chosen: Array | None = None,
    ) -> None:  # fmt: skip
        """Made by recorders, `Population.run` and `izhnumba.io.read`.

        Parameters
        ----------
        i : ndarray of int64
            Of each spike the batch entry * n + the flat index of the neuron.
        labels : ndarray
            Of each spike, as the timebase has them.
        time : Timebase
        n : int
            Neurons of a batch entry.
        n_batch : int or None
        windows : tuple of pairs of instants
            From when until when they were recorded.
        chosen : ndarray of int64, optional
            Indices of the neurons that were recorded, ascending; all if omitted.
        """
        assign(
            self, i=i if n_batch is None else i % n, step=time.steps(labels), _labels=labels, _time=time,
            n_batch=n_batch, _batch=None if n_batch is None else i // n, _n=n, _chosen=chosen, _windows=windows,
            _sealed=True,
        )  # fmt: skip

    @cached_property
    def t(self) -> Array:
        """Time of each spike, ms: the end of its step, (step + 1) dt."""
        return self._time.t(self._labels)

    @cached_property
    def batch(self) -> Array:
        """Batch entry of each spike, 0 without batch."""
        return np.zeros(len(self.i), np.int64) if self._batch is None else self._batch

    @property
    def start(self) -> float:
        """From when on they were recorded, ms."""
        return float(self._time.ms(self._windows[0][0]))

    @property
    def stop(self) -> float:
        """Until when they were recorded, ms; inf of a file."""
        return float(self._time.ms(self._windows[-1][1]))

    @property
    def n(self) -> int:
        """Neurons that were recorded, of each batch entry."""
        if self._n is None:
            cure = "Use Spikes.of(i), or run again."
            raise ValueError(f"Spikes.n must be known, got spikes that an older version has pickled without it. {cure}")
        return self._n if self._chosen is None else len(self._chosen)

    @property
    def neurons(self) -> Array:
        """Flat indices of the neurons that were recorded, ascending."""
        return np.arange(self.n) if self._chosen is None else self._chosen.copy()

    # --- by time --------------------------------------------------------------------------------------------------

    def __getitem__(self, when: object) -> Spikes:
        if not isinstance(when, slice) or when.step is not None:
            cure = "Loop over spikes.trains(); one neuron has spikes.of(i), one spike spikes.i[k] and spikes.t[k]."
            got = checks.shown(when)
            raise TypeError(f"Spikes must be cut by times in ms, as in spikes[100.0:200.0], got [{got}]. {cure}")
        first, last = self._instant("start", when.start, 0), self._instant("stop", when.stop, math.inf)
        if last < first:
            start, stop = self._time.ms(first), self._time.ms(last)
            raise ValueError(f"{_PART}.stop must be >= start ({start:g} ms), got {stop:g} ms.")
        begin, end = self._windows[0][0], self._windows[-1][1]
        instants = self._time.instants(self._labels)
        low = 0 if first <= begin else int(np.searchsorted(instants, first, "right"))
        rows = slice(low, max(low, int(np.searchsorted(instants, last, "right"))))
        first, last = min(max(first, begin), end), max(min(last, end), begin)
        inside = tuple((max(a, first), min(b, last)) for a, b in self._windows if max(a, first) < min(b, last))
        part = copy.copy(self)
        labels, batch = self._labels[rows], None if self._batch is None else self._batch[rows]
        assign(
            part, i=self.i[rows], step=self._time.steps(labels), _labels=labels, _batch=batch,
            _windows=inside or ((first, first),),
        )  # fmt: skip
        return part

    def _instant(self, name: str, value: object, otherwise: Instant) -> Instant:
        """The instant at a user's end of a part."""
        if value is None:
            return otherwise
        ms = checks.number(f"{_PART}.{name}", value, "ms", at_least=0.0, finite=False)
        return ms if ms == math.inf else self._time.nearest(ms)

    # --- by neuron ------------------------------------------------------------------------------------------------

    def trains(self) -> list[Any]:
        """The spike times of each neuron, ms.

        Returns
        -------
        list of n ndarrays, float64, read-only
            Ascending; an empty array for a silent neuron. Train k is that of `neurons[k]`, so where all neurons were
            recorded of neuron k. Of a batch a list with such a list for each entry.

        Examples
        --------
        >>> import izhnumba as iz
        >>> fast = iz.Population(2, **iz.presets["FS"])
        >>> [len(train) for train in fast.run(100.0, I=[0.0, 5.0]).spikes.trains()]
        [0, 5]
        """
        t, starts = self._by_neuron
        trains, n = [t[a:b] for a, b in itertools.pairwise(starts.tolist())], self.n
        return trains if self.n_batch is None else [trains[n * k : n * (k + 1)] for k in range(self.n_batch)]

    def of(self, i: object, batch: object = 0) -> Array:
        """The spike times of one neuron.

        Parameters
        ----------
        i : int
            Its flat index.
        batch : int
            Its batch entry.

        Returns
        -------
        ndarray, float64, ms
            Ascending, empty if it was silent.

        Examples
        --------
        >>> import izhnumba as iz
        >>> iz.Population(3, **iz.presets["RS"]).run(50.0, I=[0.0, 10.0, 14.0]).spikes.of(1)
        array([ 3.2, 26.7])
        """
        entry = checks.integer("Spikes.of.batch", batch, at_least=0, at_most=(self.n_batch or 1) - 1)
        if self._n is None:  # an old pickle
            i = checks.integer("Spikes.of.i", i, at_least=0)
            return self.t[(self.i == i) & (self.batch == entry)]
        place = index = checks.integer("Spikes.of.i", i, at_least=0, at_most=self._n - 1)
        if self._chosen is not None:
            place = int(np.searchsorted(self._chosen, index))
            if place == len(self._chosen) or self._chosen[place] != index:
                raise ValueError(f"Spikes.of.i must be a neuron that was recorded, got {index}. See spikes.neurons.")
        t, starts = self._by_neuron
        place += entry * self.n
        return t[starts[place] : starts[place + 1]]

    def counts(self) -> Array:
        """How many spikes each neuron has.

        Returns
        -------
        ndarray of int64, (n,) or (n_batch, n)
            In the order of `neurons`.
        """
        return np.bincount(self._places(), minlength=self.n * (self.n_batch or 1)).reshape(self._shape)

    def rates(self) -> Array:
        """The mean rate of each neuron: its spikes per time in which it was recorded.

        Returns
        -------
        ndarray, Hz, (n,) or (n_batch, n)
            In the order of `neurons`. The time is stop - start, without pauses of the recorder.

        Raises
        ------
        ValueError
            Where the time is not known or none.

        Examples
        --------
        Rates without the first 200 ms:

        >>> import izhnumba as iz
        >>> spikes = iz.Population(2, **iz.presets["RS"]).run(1200.0, I=[4.0, 10.0]).spikes
        >>> spikes[200.0:].rates()
        array([ 7., 23.])
        """
        counts = self.counts()
        duration = sum(self._time.ms(b) - self._time.ms(a) for a, b in self._windows)
        if not 0 < duration < math.inf:
            got = "none" if duration <= 0 else "spikes of a file, which does not tell"
            cure = "Say it: spikes[0.0:1000.0].rates()." if duration else "Run first, or take a part with some time."
            raise ValueError(f"Spikes.rates must know for how long they were recorded, got {got}. {cure}")
        return np.asarray(counts / (duration * 1e-3))

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self.n,) if self.n_batch is None else (self.n_batch, self.n)

    def _places(self) -> Array:
        """Of each spike the place of its neuron among all that were recorded, of all batch entries."""
        places = self.i if self._chosen is None else np.searchsorted(self._chosen, self.i)
        return places if self._batch is None else places + self.n * self._batch

    @cached_property
    def _by_neuron(self) -> tuple[Array, Array]:
        """Times (ms) of all spikes, train after train, read-only, and where each train begins, int64, with the end."""
        places, n = self._places(), math.prod(self._shape)
        starts = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(places, minlength=n), out=starts[1:])
        narrow = np.min_scalar_type(max(0, n - 1))  # numbers of 16 bits are sorted by radix, ten times faster
        order = np.argsort(places.astype(narrow), kind="stable")
        t = self.t[order]
        t.flags.writeable = False
        return t, starts

    # --------------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles have, which is nothing that follows from the rest."""
        return {name: value for name, value in vars(self).items() if name not in ("t", "batch", "_by_neuron")}

    def __len__(self) -> int:
        return len(self.i)

    _repr_html_ = html.of_spikes

    def __repr__(self) -> str:
        if not len(self):
            return "<0 spikes>"
        neurons = len(np.unique(self.i + (self.i.max() + 1) * self.batch))
        return (
            f"<{counted(len(self), 'spike')} of {counted(neurons, 'neuron')}, {self.t[0]:.6g} to {self.t[-1]:.6g} ms>"
        )

    def to_dataframe(self) -> Any:
        """A pandas DataFrame with columns i, t, step (but in continuous time) and batch."""
        steps = {} if self.step is None else {"step": self.step}
        return optional("Spikes.to_dataframe", "pandas").DataFrame(
            {"i": self.i, "t": self.t, **steps, "batch": self.batch}
        )
