"""Spike trains, as functions of `izhnumba.analysis` take them: from Spikes, recorders, lists of trains or one train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._engine.timebase import GRID, Continuous, Timebase, snapped
from izhnumba._record.events import Spikes

Array = np.ndarray[Any, np.dtype[Any]]
_MUST = "Spikes, a Result, a recorder of spikes, a list of trains, or one train: its times in ms"


class Trains(NamedTuple):
    """Trains, one after the other.

    t: times (ms), ascending in each train; starts: where each begins, int64 (trains + 1,), with the end
    shape: of results, () for one train, (n,), or (n_batch, n); neurons: int64 (n,), what the trains of a batch entry
    are called; window: from when until when (ms) they were recorded, None if that is not known; time: of Spikes
    """

    t: Array
    starts: Array
    shape: tuple[int, ...]
    neurons: Array
    window: tuple[float, float] | None
    time: Timebase | None

    @property
    def n(self) -> int:
        """How many trains there are, of all batch entries."""
        return len(self.starts) - 1

    def result(self, values: Array) -> Array:
        """A number of each train in the shape of results."""
        return values.reshape(self.shape)[()]

    def split(self, values: Array, starts: Array) -> list[Any]:
        """Values that follow one another train by train, as a list of arrays, of such lists for a batch."""
        ends = starts.tolist()
        each = [values[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]
        n = self.shape[-1] if self.shape else 1
        return each if len(self.shape) < 2 else [each[k : k + n] for k in range(0, len(each), n)]


def owners(starts: Array) -> Array:
    """Of each value the train it belongs to, int64."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def neighbours(starts: Array) -> tuple[Array, Array]:
    """The index of each value that has another one behind it in its train, and where these begin in each train."""
    counts = np.diff(starts)
    followed = np.ones(starts[-1], bool)
    followed[starts[1:][counts > 0] - 1] = False
    return np.flatnonzero(followed), np.concatenate([[0], np.cumsum(np.maximum(counts - 1, 0))])


def trains_of(where: str, value: object) -> Trains:
    """Checked trains. where: names the argument."""
    found = value if isinstance(value, Spikes) else getattr(value, "spikes", None)
    if isinstance(found, Spikes):
        return _of_spikes(where, found)
    one, plain = _plain(where, value)
    several = [_checked(where, each) for each in plain]
    starts = np.concatenate([[0], np.cumsum([each.size for each in several], dtype=np.int64)])
    t = np.concatenate(several) if several else np.empty(0)
    first, _ = neighbours(starts)
    if np.any(t[first + 1] < t[first]):
        cure = "Pass sorted times, not the intervals between them."
        raise ValueError(f"{where} must be ascending in each train, got times that go back. {cure}")
    return Trains(t, starts, () if one else (len(several),), np.arange(len(several)), None, None)


def _plain(where: str, value: Any) -> tuple[bool, list[Any]]:
    """Whether a value is one train and not several, and a list of what is to be checked as trains."""
    if isinstance(value, Mapping):
        checks.refuse(where, value, _MUST, "Pass list(trains.values()).")
    if hasattr(type(value), "__array__"):  # perhaps with a unit; of two axes if all trains are of one length
        one = np.ndim(value) != 2
        return one, [value] if one else list(value)
    if isinstance(value, str) or not isinstance(value, Iterable):
        checks.refuse(where, value, _MUST)
    found = list(value)
    one = not any(isinstance(each, Sequence) or getattr(each, "shape", ()) for each in found)
    return one, [found] if one else found


def _checked(where: str, train: Any) -> Array:
    """The times of one train, float64, ms."""
    if isinstance(train, Sequence) and not len(train):
        return np.empty(0)
    t = np.asarray(checks.array(where, train, "ms"), np.float64)
    if t.ndim != 1:
        raise ValueError(f"{where} must be {_MUST}, got an array of shape {t.shape}.")
    return t


def _of_spikes(where: str, spikes: Spikes) -> Trains:
    if len(spikes._windows) > 1:
        (_, last), (first, _) = spikes._windows[:2]
        ms = spikes._time.ms
        raise ValueError(
            f"{where} must be recorded without a pause, got spikes with one from {ms(last):g} to {ms(first):g} ms. Cut "
            f"them: spikes[:{ms(last):g}] or spikes[{ms(first):g}:]."
        )
    t, starts = spikes._by_neuron
    return Trains(t, starts, spikes._shape, spikes.neurons, (spikes.start, spikes.stop), spikes._time)


def trains_within(where: str, value: object, start: object, stop: object, name: str = "spikes") -> Trains:
    """Checked trains of a window, which is known: `start` and `stop` as a user passed them. where: names a function;
    name: the argument."""
    name = f"{where}.{name}"
    spikes = value if isinstance(value, Spikes) else getattr(value, "spikes", None)
    if isinstance(spikes, Spikes):
        low = 0.0 if start is None else checks.number(f"{where}.start", start, "ms", at_least=0.0)
        if stop is not None:
            checks.number(f"{where}.stop", stop, "ms", at_least=checks.Other("start", low), finite=False)
        value = spikes[start:stop]
        if value.start == value.stop:
            times = f"{spikes.start:g} to {spikes.stop:g} ms"
            raise ValueError(f"{name} must be recorded for some time from start to stop, got spikes from {times}.")
    trains = trains_of(name, value)
    if trains.window is None:
        if stop is None:
            must = f"{where}.stop must be given for plain trains, which do not tell how long they were recorded"
            raise ValueError(f"{must}, got none.")
        first = 0.0 if start is None else checks.number(f"{where}.start", start, "ms")
        trains = _cut(trains, first, checks.number(f"{where}.stop", stop, "ms", above=first))
    first, last = trains.window or (0.0, 0.0)
    if last == np.inf:
        must = f"{where}.stop must be given for spikes of a file, which does not tell how long they were recorded"
        raise ValueError(f"{must}, got none.")
    return trains


def _cut(trains: Trains, start: float, stop: float) -> Trains:
    """Plain trains that were recorded from start to stop (ms), both ends included."""
    inside = (trains.t >= start) & (trains.t <= stop)
    counts = np.bincount(owners(trains.starts)[inside], minlength=trains.n)
    return trains._replace(
        t=trains.t[inside], starts=np.concatenate([[0], np.cumsum(counts)]), window=(start, stop)
    )  # fmt: skip


def bins_of(where: str, trains: Trains, width: object) -> tuple[Array, int, float]:
    """Of each spike the number of its bin, how many whole bins there are, and their width, ms.

    Bin m holds the spikes with start + m width < t <= start + (m + 1) width, bin 0 also one at start; numbers from the
    last whole bin on are those of spikes that are in none. where: names the width. Trains have a window.
    """
    (start, stop), time = trains.window or (0.0, 0.0), trains.time or Continuous(1.0)
    bin_ms = float(time.ms(time.interval(where, width)))
    n_bins = int(snapped((stop - start) / bin_ms))
    if n_bins < 2:
        raise ValueError(f"{where} must be at most half of the {stop - start:g} ms of spikes, got {bin_ms:g} ms.")
    on_grid = np.rint((trains.t - start) * GRID) / GRID
    return np.maximum(Continuous(1.0).bins(on_grid, bin_ms), 0), n_bins, bin_ms


def binned(where: str, trains: Trains, width: object) -> Array:
    """How many spikes each train has in each whole bin, int64 (trains, bins)."""
    bins, n_bins, _ = bins_of(where, trains, width)
    checks.fits(where, 8.0 * trains.n * n_bins, "Use wider bins or fewer neurons.")
    whole = bins < n_bins
    flat = owners(trains.starts)[whole] * n_bins + bins[whole]
    return np.bincount(flat, minlength=trains.n * n_bins).reshape(trains.n, n_bins)
