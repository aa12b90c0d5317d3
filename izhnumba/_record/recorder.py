"""The base class of recorders: start and stop, the file that they write, and their part of a checkpoint."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks, paths
from izhnumba._base.sealed import Sealed, assign
from izhnumba._base.turns import Turn
from izhnumba._base.words import did_you_mean
from izhnumba._engine.protocol import NeuronEngine, Record, SpikeList
from izhnumba._engine.states import STATES
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record.blocks import OF_SYNAPSES
from izhnumba._record.memory import MemoryStore, read_only
from izhnumba._record.storage import FileStore

Array = NDArray[Any]
_NONE = np.empty(0, np.int64)
_RECORDED = ("spikes", "rate", *OF_SYNAPSES, *STATES)


class Recorder(Sealed, ABC):
    """Records from a population or from synapses in the course of runs: base class of all recorders.

    Made by `Network.record`: `izhnumba.SpikeRecorder`, `RateRecorder`, `StateRecorder`, `WeightRecorder`,
    `ReductionRecorder` for means, sums and histograms, and `SampleRecorder` for whatever else: `izhnumba.Sampler` tells
    how to record what you like.

    What it has recorded is read in arrays of all so far. They stay as they are and are read-only: copy one to change
    it. Reading them after each step copies nothing that has been read before, unless it is in a file.

    Attributes
    ----------
    start, stop : float, ms
        It records steps that begin at `start` or later and end at `stop` or before. They can be set between runs:
        `rec.stop = net.t` makes it pause.
    to : Path or None
        The file to which it writes, if it does. It can be set between runs, to a new file, which goes on where the last
        one ends.
    name : str
        In `net.recorders`.
    source : Section, Synapses or Drive
    what : str, list of str, Mean, Sum, Histogram, Sampler or function
        What is recorded of it.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(2, **iz.presets["RS"]), name="cells")
    >>> spikes = net.record(cells, start=100.0, stop=200.0)
    >>> isinstance(spikes, iz.Recorder), spikes.name
    (True, 'cells spikes')
    """

    _kind: str
    _to_file = True  # whether its rows can be written to a file
    name: str
    source: Any  # Section, Synapses or Drive
    what: object
    _engine: NeuronEngine
    _columns: list[Column]
    _index: Array
    _from: Instant
    _until: Instant
    _keeps: MemoryStore | FileStore
    _turn: Turn | None = None  # of the network that it is in
    _timed: tuple[Array, Array, Array, int] | None = None  # a buffer of labels, one of times, also read-only, and how
    # many of them are known
    _unfinished = False  # whether a run has begun and not ended
    _thread = 0  # in which it has begun

    def __init__(self, engine: NeuronEngine, name: str, columns: list[Column], index: Array | None = None) -> None:
        assign(
            self, _engine=engine, name=name, _columns=columns, _index=_NONE if index is None else index, _from=0,
            _until=math.inf, _keeps=MemoryStore(columns, engine.time, engine.now),
        )  # fmt: skip

    def __getattr__(self, name: str) -> NoReturn:
        cure = ""
        if name in _RECORDED:
            cure = f"It records {self._kind}: make another by net.record(source, {name!r})."
        elif name[:1] != "_":  # else Python itself asks
            cure = did_you_mean(name, [known for known in dir(self) if known[:1] != "_"])
        raise AttributeError(f"{type(self).__name__} has no {name!r}. {cure}".rstrip())

    @property
    def start(self) -> float:
        """From when on it records, ms."""
        return self._engine.time.ms(self._from)

    @start.setter
    def start(self, value: object) -> None:
        start = self._engine.time.at("Network.record.start", value)
        with self._at_rest():
            self._window_changes()
            self._from = start

    @property
    def stop(self) -> float:
        """Until when it records, ms."""
        return self._engine.time.ms(self._until)

    @stop.setter
    def stop(self, value: object) -> None:
        endless = isinstance(value, float) and value == math.inf
        stop = math.inf if endless else self._engine.time.at("Network.record.stop", value)
        with self._at_rest():
            self._window_changes()
            self._until = stop

    @property
    def to(self) -> Path | None:
        """The file to which it writes."""
        return self._keeps.path if isinstance(self._keeps, FileStore) else None

    @to.setter
    def to(self, value: object) -> None:
        with self._at_rest():
            self._end_interrupted()
            self._write_to(value)

    def _write_to(self, value: object) -> None:
        """Go on in a new file."""
        if not self._to_file:
            raise ValueError(
                f"Network.record.to must be left out when recording {self._kind}, got {checks.shown(value)}."
            )
        path = paths.place("Network.record.to", value).absolute()  # wherever the process goes
        try:
            arguments = path, self._columns, self._keeps.upto, self._about(), self._index, self._keeps
            vars(self)["_keeps"] = FileStore(*arguments)  # without a line in between that an interrupt could hit
        except FileExistsError:
            raise FileExistsError(
                f"Network.record.to must be a new file, got {str(path)!r}. Choose another name."
            ) from None

    def _about(self) -> dict[str, Any]:
        """Description for the head of its file. seed: of the network, known as soon as the source is."""
        about = {"kind": self._kind, "name": self.name, "dt": self._engine.time.dt, "n": self._engine.n}
        source = vars(self).get("source")
        part = getattr(source, "section", getattr(source, "target", source))  # of a drive, of synapses, or itself
        population = getattr(part, "population", None)
        return about | ({} if population is None else {"seed": population.seed})

    def _window_changes(self) -> None:
        """Another start or stop is about to be set: what there is up to now belongs to those before."""
        self._end_interrupted()

    def _options(self) -> dict[str, Any]:
        """The arguments of `Network.record` that make such a recorder again."""
        return {"start": self.start, "stop": self.stop}

    def _position(self) -> dict[str, Any]:
        """Rows in memory, or the end of the file, for a checkpoint."""
        return self._keeps.position()

    def _restore(self, position: dict[str, Any], to: str | None) -> float | None:
        """Go on from a position, in memory or in the file `to`. Returns up to when (ms) the file holds later rows, None
        if it holds none."""
        if to is None:
            self._keeps = MemoryStore(self._columns, self._engine.time, 0)
            self._keeps.restore(position)
            return None
        path = paths.file(f"load: the file of recorder {self.name!r}", to).absolute()
        self._keeps, last = FileStore.reopen(path, self._columns, self._about(), self._index, position)
        return None if last is None else float(self._engine.time.t(last))

    def _at_rest(self) -> AbstractContextManager[Any]:
        """Context in which its network does not run."""
        if self._turn is None:
            return nullcontext()
        if self._turn.taken:
            raise RuntimeError("Network.run has not ended: until then recorders cannot be changed.")
        return self._turn

    def _end_interrupted(self) -> None:
        """End a run that was interrupted, or has done single steps. Nothing to do after one that has ended: the engine
        may have gone on alone."""
        if self._unfinished:
            self._finish()

    def _start_run(self, stop: Instant) -> None:
        """A run until then is about to begin."""
        assign(self, _unfinished=True, _thread=threading.get_ident())
        self._begin(stop)

    def _finish(self) -> None:
        """The run has ended."""
        self._end()
        vars(self)["_unfinished"] = False

    @property
    def _alone(self) -> bool:
        """Whether no other thread than this has run the network last: one that has may be about to go on."""
        return self._thread == threading.get_ident() or not self._thread

    def _rows_so_far(self) -> list[Array]:
        """All rows, an array per column; also from another thread than that which runs the network, and may be about to
        go on."""
        alone, turn = self._alone, self._turn
        if self._unfinished and alone and turn is not None and turn.kept is None and not turn.taken:
            self._take()  # what an interrupt has left in the engine
        return self._keeps.rows(alone=alone)

    def _t(self, labels: Array) -> Array:
        """Times (ms) of the labels of all rows so far. Those that are known from the last call are not computed again
        while the labels stay in the same buffer."""
        buffer, timed, n = labels.base, self._timed, len(labels)
        if timed is None or timed[0] is not buffer:
            if not isinstance(buffer, np.ndarray):
                return self._engine.time.t(labels)
            t = np.empty(len(buffer))
            timed = buffer, t, read_only(t[:]), 0
        _, t, shown, known = timed
        if known < n:
            t[known:n] = self._engine.time.t(labels[known:])
            vars(self)["_timed"] = buffer, t, shown, n
        return shown[:n]

    def _leave(self) -> None:
        """Its network, which has caught up, is about to go on without it."""
        self._turn = None

    def _begin(self, stop: Instant) -> None:  # noqa: B027 - most have nothing to do
        """Make ready for a run until then."""

    def _next_look(self) -> Instant:
        """When it must have a look at the latest."""
        return math.inf

    def _records(self, until: Instant) -> Sequence[Record | SpikeList]:
        """What kernels are to write until then."""
        return ()

    @abstractmethod
    def _take(self) -> None:
        """Take what the engine has done since the last time. Ctrl-C may strike in here: what it left is taken before
        the engine goes on."""

    def _end(self) -> None:
        """Take the last of a run."""
        self._take()

    def _may_clear(self) -> None:
        """Raise an error if `_clear` would undo what is in a file."""
        if isinstance(self._keeps, FileStore) and self._keeps.filled:
            raise RuntimeError(
                f"Network.reset must not undo what is in {str(self.to)!r}. Give the recorder another file first: "
                f"net.recorders[{self.name!r}].to = path."
            )

    def _clear(self) -> None:
        """Forget everything; the clock starts again."""
        self._keeps = self._keeps.cleared()

    def _reliable(self) -> Instant:
        """Until when it may record what the engine has done."""
        return min(self._engine.reliable, self._until)
