"""Recorders of events: what collects the spikes of a population, or counts them, in the course of its runs."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks, paths
from izhnumba._base.sealed import Sealed
from izhnumba._base.turns import Turn
from izhnumba._engine.protocol import NeuronEngine, Record
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record.results import Spikes
from izhnumba._record.storage import FileStore, MemoryStore

Array = NDArray[Any]
_RECORDED = ("spikes", "rate", "V", "u", "weight", "current")


class Recorder(Sealed, ABC):
    """What collects from an engine slice by slice. Made by `Network.record`.

    Attributes
    ----------
    start, stop : float, ms
        It records steps that begin at `start` or later and end at `stop` or before. They can be set between runs:
        `rec.stop = net.t` makes it pause.
    to : Path or None
        The file to which it writes, if it does. It can be set between runs, to a new file, which goes on where the last
        one ends.
    name : str
    """

    kind: str
    source: Any  # Section or Synapses
    what: Any
    _keeps: MemoryStore | FileStore
    _turn: Turn | None = None  # of the network that it is in
    _unfinished = False  # whether a run has begun and not ended
    _thread = 0  # in which it has begun

    def __init__(self, engine: NeuronEngine, name: str, columns: list[Column], index: Array | None = None) -> None:
        self._engine, self.name, self._columns = engine, name, columns
        self._index = np.empty(0, np.int64) if index is None else index
        self._from: Instant = 0
        self._until: Instant = math.inf
        self._keeps = MemoryStore(columns, engine.now)

    def __getattr__(self, name: str) -> NoReturn:
        cure = ""
        if name in _RECORDED:
            cure = f"It records {self.kind}: make another by net.record(source, {name!r})."
        elif name[:1] != "_":  # else Python itself asks
            cure = checks.did_you_mean(name, [known for known in dir(type(self)) if known[:1] != "_"])
        raise AttributeError(f"{type(self).__name__} has no {name!r}. {cure}".rstrip())

    @property
    def start(self) -> float:
        """From when on it records, ms."""
        return self._engine.time.ms(self._from)

    @start.setter
    def start(self, value: Any) -> None:
        start = self._engine.time.at("Network.record.start", value)
        self._must_not_run()
        self._catch_up()
        self._window_changes()
        self._from = start

    @property
    def stop(self) -> float:
        """Until when it records, ms."""
        return self._engine.time.ms(self._until)

    @stop.setter
    def stop(self, value: Any) -> None:
        endless = isinstance(value, float) and value == math.inf
        stop = math.inf if endless else self._engine.time.at("Network.record.stop", value)
        self._must_not_run()
        self._catch_up()
        self._window_changes()
        self._until = stop

    @property
    def to(self) -> Path | None:
        """The file to which it writes."""
        return self._keeps.path if isinstance(self._keeps, FileStore) else None

    @to.setter
    def to(self, value: Any) -> None:
        self._must_not_run()
        self._catch_up()
        self.write_to(value)

    def write_to(self, value: Any) -> None:
        """Go on in a new file."""
        if self.kind == "rate":
            raise ValueError(f"Network.record.to must be left out when recording rate, got {value!r:.60}.")
        path = paths.place("Network.record.to", value).absolute()  # wherever the process goes
        try:
            arguments = path, self._columns, self._keeps.upto, self._about(), self._index, self._keeps
            vars(self)["_keeps"] = FileStore(*arguments)  # without a line in between that an interrupt could hit
        except FileExistsError:
            raise FileExistsError(
                f"Network.record.to must be a new file, got {str(path)!r}. Choose another name."
            ) from None

    def _about(self) -> dict[str, Any]:
        """What its file says about it. seed: of the network, known as soon as the source is."""
        about = {"kind": self.kind, "name": self.name, "dt": self._engine.time.dt, "n": self._engine.n}
        source = vars(self).get("source")
        population = getattr(getattr(source, "target", source), "population", None)
        return about | ({} if population is None else {"seed": population.seed})

    def _window_changes(self) -> None:  # noqa: B027 - most have nothing to do
        """Another start or stop is about to be set."""

    def options(self) -> dict[str, Any]:
        """The arguments of `Network.record` that make such a recorder again."""
        return {"start": self.start, "stop": self.stop}

    def position(self) -> dict[str, Any]:
        """What has been recorded, or where in the file it ends, for a checkpoint."""
        return self._keeps.position()

    def restore(self, position: dict[str, Any], to: str | None) -> float | None:
        """Go on from a position, in memory or in the file `to`. Returns up to when (ms) the file holds later rows, None
        if it holds none."""
        if to is None:
            self._keeps = MemoryStore(self._columns, 0)
            self._keeps.restore(position)
            return None
        path = paths.file(f"load: the file of recorder {self.name!r}", to).absolute()
        self._keeps, last = FileStore.reopen(path, self._columns, self._about(), self._index, position)
        return None if last is None else float(self._engine.time.t(last))

    def _must_not_run(self) -> None:
        if self._turn is not None and self._turn.taken:
            raise RuntimeError("Network.run has not ended: until then recorders cannot be changed.")

    def _catch_up(self) -> None:
        """Take what an interrupted run has left in the engine, before anybody looks and before it goes on."""
        if self._unfinished and not self._elsewhere() and self._turn is not None and not self._turn.taken:
            self.catch_up()

    def catch_up(self) -> None:
        """End a run that was interrupted. Nothing to do after one that was not: the engine may have gone on alone."""
        if self._unfinished:
            self.finish()

    def start_run(self, stop: Instant) -> None:
        """A run until then is about to begin."""
        self._unfinished, self._thread = True, threading.get_ident()
        self.begin(stop)

    def finish(self) -> None:
        """The run has ended."""
        self.end()
        self._unfinished = False

    def _rows_so_far(self) -> list[Array]:
        """What has been recorded, column by column; also from another thread than that which runs the network."""
        self._catch_up()
        return self._keeps.rows(alone=not self._elsewhere())

    def _elsewhere(self) -> bool:
        """Whether another thread than this has run the network last: it may be about to go on."""
        return self._thread not in (0, threading.get_ident())

    def _leave(self) -> None:
        """Its network is about to go on without it."""
        self._catch_up()
        self._turn = None

    def begin(self, stop: Instant) -> None:  # noqa: B027 - most have nothing to do
        """Make ready for a run until then."""

    def next_look(self) -> Instant:
        """When it must have a look at the latest."""
        return math.inf

    def records(self, until: Instant) -> list[Record]:
        """States that the kernel is to write until then."""
        return []

    @abstractmethod
    def take(self) -> None:
        """Take what the engine has done since the last time. Ctrl-C may strike in here: what it left is taken before
        the engine goes on."""

    def end(self) -> None:
        """Take the last of a run."""
        self.take()

    def may_clear(self) -> None:
        """Raise an error if `clear` would undo what is in a file."""
        if isinstance(self._keeps, FileStore) and self._keeps.filled:
            raise RuntimeError(
                f"Network.reset must not undo what is in {str(self.to)!r}. Give the recorder another file first: "
                f"net.recorders[{self.name!r}].to = path."
            )

    def clear(self) -> None:
        """Forget everything; the clock starts again."""
        self._keeps.clear()

    def _reliable(self) -> Instant:
        """Until when it may record what the engine has done."""
        return min(self._engine.reliable, self._engine.now, self._until)


class _Spiking(Recorder):
    """What looks at the spikes of the neurons `first` to `last`."""

    def __init__(self, engine: NeuronEngine, name: str, columns: list[Column], first: int, last: int | None) -> None:
        super().__init__(engine, name, columns)
        self._first, self._last = first, engine.n if last is None else last

    def take(self) -> None:
        now, before = self._engine.now, self._keeps.upto
        if now > before:
            self._keeps.append(now, *self._digest(*self._between(before, now)))

    @abstractmethod
    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        """What is kept of these spikes."""

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
        return i, labels


class SpikeRecorder(_Spiking):
    """Collects the spikes of a population, or of a slice of one. Made by `Network.record`.

    Attributes
    ----------
    i, step, t : ndarray
        Flat index of the neuron in its population, step k and time (k + 1) dt of each spike, sorted by (step, i); in
        continuous time `step` is None.
    spikes : Spikes
        The same, and `to_dataframe`.
    start, stop, to, name
        See `Recorder`.
    """

    kind = "spikes"

    def __init__(
        self, engine: NeuronEngine, name: str, n_batch: int | None = None, first: int = 0, last: int | None = None,
        neurons: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, name, [Column("i", "<i8"), engine.time.column], first, last)
        self._n_batch, self._neurons = n_batch, neurons
        self._spikes: Spikes | None = None
        if neurons is not None:
            chosen = checks.indices("Network.record.neurons", neurons, self._last - first)
            self._chosen = np.isin(np.arange(engine.n), chosen + first)

    def options(self) -> dict[str, Any]:
        return super().options() | {"neurons": self._neurons}

    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        if self._neurons is None:
            return i, labels
        wanted = self._chosen[i]
        return i[wanted], labels[wanted]

    @property
    def spikes(self) -> Spikes:
        """All spikes so far."""
        i, labels = self._rows_so_far()
        if self._spikes is None or self._spikes._labels is not labels:
            n = self._engine.n // (self._n_batch or 1)
            self._spikes = Spikes(i, labels, self._engine.time, n, self._n_batch)
        return self._spikes

    @property
    def i(self) -> Array:
        """Flat index of the neuron of each spike."""
        return self.spikes.i

    @property
    def step(self) -> Any:
        """Step k of each spike, None in continuous time."""
        return self.spikes.step

    @property
    def t(self) -> Array:
        """Time of each spike, ms: the end of its step, (k + 1) dt."""
        return self.spikes.t

    def __len__(self) -> int:
        return len(self.spikes)

    def __repr__(self) -> str:
        return repr(self.spikes)


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

    kind = "rate"

    def __init__(self, where: str, engine: NeuronEngine, name: str, every: Any, first: int, last: int) -> None:
        self._every = engine.time.interval(f"{where}.every", every)
        super().__init__(engine, name, [Column("bin", "<i8"), Column("count", "<i8")], first, last)
        self._born = engine.now
        self._before = np.empty(0, np.int64)  # bins recorded under an earlier start or stop
        self._left = False  # whether its network goes on without it

    def _digest(self, i: Array, labels: Array) -> tuple[Array, Array]:
        bins = np.maximum(self._engine.time.bins(labels, self._every), 0)  # a spike at the very start is in the first
        return np.unique(bins, return_counts=True)

    def clear(self) -> None:
        super().clear()
        self._born, self._before = 0, self._before[:0]

    def options(self) -> dict[str, Any]:
        return super().options() | {"every": self._engine.time.ms(self._every)}

    def position(self) -> dict[str, Any]:
        return super().position() | {"born": self._born, "before": self._before}

    def restore(self, position: dict[str, Any], to: str | None) -> float | None:
        self._born, self._before = position["born"], position["before"]
        return super().restore(position, to)

    @property
    def _window(self) -> Array:
        """The complete bins between start and stop."""
        time, begin = self._engine.time, max(self._from, self._born)
        first = time.samples_by(begin, self._every) + (not time.is_sample(begin, self._every))
        return np.arange(first, max(first, time.samples_by(self._reliable(), self._every)))

    @property
    def _bins(self) -> Array:
        return self._before if self._left else np.union1d(self._before, self._window)

    def _leave(self) -> None:
        super()._leave()
        self._before, self._left = self._bins, True

    def _window_changes(self) -> None:
        self._before = self._bins

    @property
    def t(self) -> Array:
        """End of each complete bin, ms."""
        time = self._engine.time
        return np.asarray(time.ms(time.sample(self._bins + 1, self._every)))

    @property
    def rate(self) -> Array:
        """Spikes per neuron and second in each complete bin."""
        bins, (numbers, counts) = self._bins, self._rows_so_far()
        total = np.bincount(numbers, counts, bins.max(initial=-1) + 1)[bins]
        return total / (self._engine.time.ms((self._last - self._first) * self._every) * 1e-3)

    def __len__(self) -> int:
        return self.t.size

    def __repr__(self) -> str:
        return f"<rate of {self._last - self._first} neurons, {len(self)} bins>"
