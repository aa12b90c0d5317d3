"""Recorders of events: one collects the spikes of a population, one counts them in bins."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._base.words import counted
from izhnumba._engine.protocol import NeuronEngine, SpikeList
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record import html
from izhnumba._record.events import Spikes, Windows
from izhnumba._record.found import measure
from izhnumba._record.memory import MemoryStore, read_only, roomy
from izhnumba._record.recorder import Recorder

Array = NDArray[Any]
_ROOM = 256  # rows, at least, for spikes that kernels list in the next slice


class _Spiking(Recorder):
    """Looks at the spikes of some neurons. of: index of these among all."""

    _bin: int = 0  # steps of the bins in which they are counted; 0: each is a row of its own
    _first: int
    _last: int
    _chosen: Array | None  # of all neurons whether they are looked at, if these are no run of neurons
    _n: int

    def __init__(self, engine: NeuronEngine, name: str, columns: list[Column], of: slice | Array) -> None:
        super().__init__(engine, name, columns)
        run = range(engine.n)[of] if isinstance(of, slice) else range(0)
        first, last, chosen = run.start, run.stop, None
        if not isinstance(of, slice) or run.step != 1:
            first, last, chosen = 0, engine.n, np.zeros(engine.n, bool)
            chosen[of] = True
        assign(self, _first=first, _last=last, _chosen=chosen, _n=len(run) if isinstance(of, slice) else len(of))

    def _records(self, until: Instant) -> Sequence[SpikeList]:
        """A list for all of its spikes until then. What the kernel does not list, `_take` takes."""
        now, keeps = self._engine.now, self._keeps
        whole = self._chosen is None and self._from <= now and until <= self._until
        if self._turn is None or not whole or not isinstance(keeps, MemoryStore):
            return ()
        return [SpikeList(self._engine, self._first, self._last, self._bin, *keeps.listed(now, _ROOM))]

    def _take(self) -> None:
        now, before = self._engine.now, self._keeps.upto
        if now > before and self._engine.fired:
            self._keeps.append(now, *self._digest(*self._between(before, now)))

    @abstractmethod
    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        """Columns of the rows to be kept of these spikes: neurons and labels, int64 or float64, shape (spikes,)."""

    def _between(self, before: Instant, now: Instant) -> tuple[Array, Array]:
        """The spikes to be recorded among those from `before` to `now`, the engine's last ones."""
        i, labels = self._engine.spike_list(before)
        reliable = self._reliable()
        if self._from > before or reliable < now:
            since = self._from if self._from > before else -math.inf  # a spike may be at the very start
            good = self._engine.time.within(labels, since, reliable)
            i, labels = i[good], labels[good]
        if self._last - self._first < self._engine.n:
            inside = (i >= self._first) & (i < self._last)
            i, labels = i[inside], labels[inside]
        if self._chosen is not None:
            wanted = self._chosen[i]
            i, labels = i[wanted], labels[wanted]
        return i, labels


class SpikeRecorder(_Spiking):
    """Collects the spikes of a population, or of chosen neurons of one. Made by `Network.record`.

    Attributes
    ----------
    i, step, t : ndarray
        Flat index of the neuron in its population, step k and time (k + 1) dt of each spike, sorted by (step, i); in
        continuous time `step` is None.
    spikes : Spikes
        The same, by neuron and in windows of time, and `to_dataframe`.
    start, stop, to, name
        See `Recorder`.
    """

    _kind = "spikes"
    _n_batch: int | None
    _neurons: object
    _born: Instant  # since when it records under its start and stop
    _ended: Windows = ()  # in which it recorded under those before
    _over = False  # whether it will record no more
    _spikes: Spikes | None = None

    def __init__(
        self, engine: NeuronEngine, name: str, n_batch: int | None = None, of: slice | Array = slice(None),
        neurons: object = None,
    ) -> None:  # fmt: skip
        """Made by `Network.record` and `Population.run`.

        Parameters
        ----------
        engine : NeuronEngine
        name : str
        n_batch : int, optional
            Copies of the population, if it has a batch.
        of : slice or ndarray of int64
            Index of the neurons whose spikes are recorded.
        neurons : as the user passed it to `Network.record`
            Which of these, by place.
        """
        assign(self, _n_batch=n_batch, _neurons=neurons, _born=engine.now)
        if neurons is not None:
            every = np.arange(engine.n)[of]
            of = every[checks.indices("Network.record.neurons", neurons, every.size)]
        super().__init__(engine, name, [Column("i", "<i8"), engine.time.column], of)
        if self._chosen is not None:
            self._index = np.flatnonzero(self._chosen)
        elif self._n < engine.n:
            self._index = np.arange(self._first, self._last)

    def __getattr__(self, name: str) -> NoReturn:
        if name[:1] != "_" and hasattr(Spikes, name):
            raise AttributeError(f"SpikeRecorder has no {name!r}. Write spikes.{name}.")
        if cure := measure(name):
            raise AttributeError(f"SpikeRecorder has no {name!r}. {cure}")
        super().__getattr__(name)

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"neurons": self._neurons}

    @property
    def _windows(self) -> Windows:
        """From when until when it has recorded."""
        if self._over:
            return self._ended
        end = self._reliable() if self._alone else min(self._reliable(), self._keeps.upto)  # what is not taken yet
        begin = max(self._from, self._born)
        last = begin, max(begin, end)
        return _joined(*self._ended, last) if self._ended else (last,)

    def _window_changes(self) -> None:
        super()._window_changes()
        ended = tuple([(first, last) for first, last in self._windows if first < last])
        assign(self, _ended=ended, _born=self._engine.now)

    def _leave(self) -> None:
        super()._leave()
        assign(self, _ended=self._windows, _over=True)

    def _end(self) -> None:
        super()._end()
        if self._turn is None:  # of a run by itself
            assign(self, _ended=((self._born, self._reliable()),), _over=True)

    def _clear(self) -> None:
        super()._clear()
        assign(self, _ended=(), _born=0)

    def _position(self) -> dict[str, Any]:
        windows = [(first, last) for first, last in self._windows if first < last]
        return super()._position() | {"windows": np.array(windows, self._engine.time.column.dtype).reshape(-1, 2)}

    def _restore(self, position: dict[str, Any], to: str | None) -> float | None:
        windows = position.get("windows")  # older files do not say
        if windows is None:
            assign(self, _ended=(), _born=0)
        else:
            assign(self, _ended=tuple((first, last) for first, last in windows.tolist()), _born=self._engine.now)
        return super()._restore(position, to)

    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        return i, labels

    @property
    def spikes(self) -> Spikes:
        """All spikes so far."""
        i, labels = self._rows_so_far()
        spikes, windows = self._spikes, self._windows
        before = spikes
        if spikes is None or spikes._labels is not labels or spikes._windows != windows:
            n, chosen = self._engine.n // (self._n_batch or 1), self._index if self._index.size else None
            spikes = self._spikes = Spikes(i, labels, self._engine.time, n, self._n_batch, windows, chosen)
            if before is not None and "t" in vars(before):  # who has read times will read them again
                vars(spikes)["t"] = self._t(labels)
        return spikes

    @property
    def i(self) -> Array:
        """Flat index of the neuron of each spike."""
        return self._rows_so_far()[0] if self._n_batch is None else self.spikes.i

    @property
    def step(self) -> Any:
        """Step k of each spike, None in continuous time."""
        return self.spikes.step

    @property
    def t(self) -> Array:
        """Time of each spike, ms: the end of its step, (k + 1) dt."""
        return self._t(self._rows_so_far()[1])

    def __len__(self) -> int:
        return len(self._rows_so_far()[0])

    _repr_html_ = html.of_spike_recorder

    def __repr__(self) -> str:
        return repr(self.spikes)


def _joined(*windows: tuple[Instant, Instant]) -> Windows:
    """Windows in order, without empty ones, and as one where one begins as another ends; the last if all are empty."""
    found = list[tuple[Instant, Instant]]()
    for first, last in windows:
        if found and found[-1][1] == first:
            found[-1] = found[-1][0], last
        elif first < last:
            found.append((first, last))
    return tuple(found) or windows[-1:]


class _Rates(NamedTuple):
    """Rates that have been read.

    before: the bins from an earlier start or stop; first, last: those of now, last is not in it
    since, until: from when on, and how long, there are no more
    n_rows: rows of the store that are counted; n: bins, of which t (ms) and rate (Hz) are in the buffers
    shown: these bins, read-only
    """

    before: Array
    first: int
    last: int
    since: Instant
    until: Instant
    n_rows: int
    n: int
    t: Array
    rate: Array
    shown: tuple[Array, Array]


class RateRecorder(_Spiking):
    """Counts the spikes of a population in bins on the absolute clock. Made by `Network.record`.

    Attributes
    ----------
    t : ndarray (bins,), ms
        End of each complete bin.
    rate : ndarray (bins,), Hz
        Spikes per neuron and second.
    start, stop, name
        See `Recorder`: only bins that lie between.
    """

    _kind = "rate"
    _to_file = False
    _keeps: MemoryStore

    def __init__(self, engine: NeuronEngine, name: str, every: object, of: slice | Array = slice(None)) -> None:
        self._every = self._bin = engine.time.interval("Network.record.every", every)
        super().__init__(engine, name, [Column("bin", "<i8"), Column("count", "<i8")], of)
        self._born = engine.now
        self._before = np.empty(0, np.int64)  # bins recorded under an earlier start or stop
        self._seen: _Rates | None = None
        self._left = False  # whether its network goes on without it

    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        bins = np.maximum(self._engine.time.bins(labels, self._every), 0)  # a spike at the very start is in the first
        return np.unique(bins, return_counts=True)

    def _take(self) -> None:
        super()._take()
        if self._keeps.upto < self._engine.now:  # without a spike
            self._keeps.complete(self._engine.now)

    def _clear(self) -> None:
        super()._clear()
        self._born, self._before = 0, self._before[:0]

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"every": self._engine.time.ms(self._every)}

    def _position(self) -> dict[str, Any]:
        return super()._position() | {"born": self._born, "before": self._before}

    def _restore(self, position: dict[str, Any], to: str | None) -> float | None:
        self._born, self._before = position["born"], position["before"]
        return super()._restore(position, to)

    @property
    def _window(self) -> tuple[int, int]:
        """The complete bins between start and stop: the first, and the one behind the last."""
        if self._left:
            return 0, 0
        time, begin = self._engine.time, max(self._from, self._born)
        first = time.samples_by(begin, self._every) + (not time.is_sample(begin, self._every))
        end = self._reliable() if self._alone else min(self._reliable(), self._keeps.upto)  # what is not taken yet
        return first, max(first, time.samples_by(end, self._every))

    @property
    def _bins(self) -> Array:
        return np.union1d(self._before, np.arange(*self._window))

    def _leave(self) -> None:
        super()._leave()
        self._before, self._left = self._bins, True

    def _window_changes(self) -> None:
        super()._window_changes()
        self._before = self._bins
        if self._until < self._engine.now:  # it has paused
            self._born = self._engine.now

    def _complete(self) -> tuple[Array, Array]:
        """Time (ms) and rate (Hz) of each complete bin. Spikes come in order of time, so that those of the last call
        stay as they were."""
        seen, before, now, time = self._seen, self._before, self._engine.now, self._engine.time
        seen = None if seen is None or seen.before is not before else seen
        if seen is not None and seen.since <= now < seen.until:
            return seen.shown
        first, last = self._window
        numbers, counts = self._rows_so_far()  # behind `now`: another thread may go on meanwhile
        if seen is not None and seen.first == first and seen.last <= last:
            n_rows, n, t, rate, bins = seen.n_rows, seen.n, seen.t, seen.rate, np.arange(seen.last, last)
        else:
            n_rows, n, t, rate, bins = 0, 0, np.empty(0), np.empty(0), np.union1d(before, np.arange(first, last))
        if bins.size:
            end = n + bins.size
            new = slice(*(n_rows + np.searchsorted(numbers[n_rows:], [bins[0], bins[-1] + 1])))
            total = np.bincount(numbers[new] - bins[0], counts[new], bins[-1] - bins[0] + 1)[bins - bins[0]]
            t, rate = (roomy(buffer, n, end) for buffer in (t, rate))
            t[n:end] = time.ms(time.sample(bins + 1, self._every))
            rate[n:end] = total / (time.ms(self._n * self._every) * 1e-3)
            n_rows, n = new.stop, end
        shown, until = (read_only(t[:n]), read_only(rate[:n])), time.sample(last + 1, self._every)
        self._seen = _Rates(before, first, last, now, until, n_rows, n, t, rate, shown)
        return shown

    @property
    def t(self) -> Array:
        """End of each complete bin, ms."""
        return self._complete()[0]

    @property
    def rate(self) -> Array:
        """Spikes per neuron and second in each complete bin."""
        return self._complete()[1]

    def __len__(self) -> int:
        return self.t.size

    _repr_html_ = html.of_rate_recorder

    def __repr__(self) -> str:
        return f"<rate of {counted(self._n, 'neuron')}, {counted(len(self), 'bin')}>"
