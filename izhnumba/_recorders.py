"""What a run leaves behind: spikes as lists of events, states as shaped arrays."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks
from izhnumba._clock_engine import ClockEngine, Record
from izhnumba._models import Model

Array = NDArray[Any]


class Spikes:
    """Spikes as events, sorted by (step, batch, i).

    Attributes
    ----------
    i : ndarray of int64
        Flat index of the neuron (within its batch entry).
    step : ndarray of int64
        Step k in which V reached the threshold.
    t : ndarray of float64, ms
        (k + 1) dt, the end of that step.
    batch : ndarray of int64
        Batch entry, 0 without batch.
    n_batch : int or None
        Entries of the batch, None without.

    Examples
    --------
    >>> import izhnumba as iz
    >>> spikes = iz.Population(2, **iz.presets["RS"]).run(50.0, I=[0.0, 10.0]).spikes
    >>> spikes
    <2 spikes of 1 neuron, 3.2 to 26.7 ms>
    """

    def __init__(self, i: Array, step: Array, dt: float, n: int, n_batch: int | None) -> None:
        self.i = i if n_batch is None else i % n
        self.step = step
        self._dt = dt
        self.n_batch = n_batch
        self._batch = None if n_batch is None else i // n

    @cached_property
    def t(self) -> Array:
        """End of the step of each spike, (step + 1) dt, in ms."""
        return np.asarray((self.step + 1) * self._dt)

    @cached_property
    def batch(self) -> Array:
        """Batch entry of each spike, 0 without batch."""
        return np.zeros(len(self.i), np.int64) if self._batch is None else self._batch

    def __len__(self) -> int:
        return len(self.i)

    def __repr__(self) -> str:
        if not len(self):
            return "<0 spikes>"
        neurons = len(np.unique(self.i + (self.i.max() + 1) * self.batch))
        many = "s" * (neurons > 1)
        return f"<{len(self)} spikes of {neurons} neuron{many}, {self.t[0]:.6g} to {self.t[-1]:.6g} ms>"

    def to_dataframe(self) -> Any:
        """A pandas DataFrame with columns i, t, step and batch."""
        return _pandas("Spikes").DataFrame({"i": self.i, "t": self.t, "step": self.step, "batch": self.batch})


class Result:
    """What `Population.run` returns: `.spikes`, and `.t` with `.V`, `.u` if they were recorded.

    Attributes
    ----------
    model : Model
        Of the population, with the units of V and u.
    spikes : Spikes
    t : ndarray (samples,), ms
        Times of the samples: a sample of step k is the state after it, at (k + 1) dt.
    V, u : ndarray (samples, neurons) or (samples, batch, neurons)
        Recorded states. Reading one that was not recorded is an AttributeError that says so.
    neurons : ndarray of int64
        Flat indices of the recorded neurons, in the order of the columns.
    """

    model: Model
    spikes: Spikes
    t: Array
    neurons: Array
    V: Array
    u: Array

    def __init__(self, model: Model, spikes: SpikeRecorder, states: StateRecorder) -> None:
        self.model, self.spikes = model, spikes.spikes
        self.neurons = states.neurons
        self.t, recorded = states.result()
        for name, rows in recorded.items():
            setattr(self, name, rows)

    def __getattr__(self, name: str) -> Any:
        cure = f" Pass record=[{name!r}] to run." if name in ("V", "u") else ""
        raise AttributeError(f"Result has no {name!r}.{cure}")

    def __repr__(self) -> str:
        states = "".join(f", {name} {vars(self)[name].shape}" for name in ("V", "u") if name in vars(self))
        return f"<result: {self.spikes!r}{states}>"

    def to_dataframe(self) -> Any:
        """A pandas DataFrame of the recorded states: one row per sample and neuron, with columns t, i, batch, V, u."""
        names = [name for name in ("V", "u") if name in vars(self)]
        shape = vars(self)[names[0]].shape if names else (0, 0)
        samples, batches, neurons = shape[0], shape[1] if len(shape) == 3 else 1, shape[-1]
        columns = {
            "t": np.repeat(self.t, batches * neurons),
            "batch": np.tile(np.repeat(np.arange(batches), neurons), samples),
            "i": np.tile(self.neurons, samples * batches) if names else np.empty(0, np.int64),
        }
        return _pandas("Result").DataFrame(columns | {name: vars(self)[name].ravel() for name in names})


class Recorder(Protocol):
    """What collects from an engine in the course of a run."""

    def begin(self, n_steps: int) -> None: ...

    def records(self) -> list[Record]:
        """States that the kernel is to write."""
        ...

    def take(self) -> None:
        """Take what the engine has done in a slice."""

    def end(self) -> None: ...

    def clear(self) -> None: ...


class SpikeRecorder:
    """Collects spikes slice by slice. Made by `Network.record`.

    Attributes
    ----------
    i, step, t : ndarray
        Flat index of the neuron in its population, step k and time (k + 1) dt of each spike, sorted by (step, i).
    spikes : Spikes
        The same, and `to_dataframe`.
    """

    def __init__(self, engine: ClockEngine, n_batch: int | None, first: int = 0, stop: int | None = None) -> None:
        none = np.empty(0, np.int64)
        self._engine, self._n_batch, self._first, self._stop = engine, n_batch, first, stop
        self._pieces, self._taken = [(none, none)], engine.step

    def begin(self, n_steps: int) -> None:
        """A run of so many steps is about to begin."""
        self._taken = self._engine.step

    def records(self) -> list[Record]:
        """None: spikes are there without asking."""
        return []

    def take(self) -> None:
        """Take what the engine has done since the last time. Ctrl-C may strike in here: `end` takes what it left."""
        now, before = self._engine.step, self._taken
        if now > before:
            i, step = self._engine.spike_list(now - before)
            if self._engine.reliable < now:
                good = step < self._engine.reliable
                i, step = i[good], step[good]
            self._pieces.append(self._wanted(i, step))
            self._taken = now

    def end(self) -> None:
        """The run has ended."""
        self.take()

    def clear(self) -> None:
        """Forget all spikes."""
        del self._pieces[1:]

    def _wanted(self, i: Array, step: Array) -> tuple[Array, Array]:
        if self._stop is None:
            return i, step
        inside = (i >= self._first) & (i < self._stop)
        return i[inside], step[inside]

    @property
    def spikes(self) -> Spikes:
        """All spikes so far."""
        if len(self._pieces) > 2:
            self._pieces[1:] = [tuple(_joined(column) for column in zip(*self._pieces, strict=True))]  # type: ignore
        i, step = self._pieces[-1]
        return Spikes(i, step, self._engine.dt, self._engine.n // (self._n_batch or 1), self._n_batch)

    @property
    def i(self) -> Array:
        """Flat index of the neuron of each spike."""
        return self.spikes.i

    @property
    def step(self) -> Array:
        """Step k of each spike."""
        return self.spikes.step

    @property
    def t(self) -> Array:
        """Time (k + 1) dt of each spike, ms."""
        return self.spikes.t

    def __len__(self) -> int:
        return len(self.spikes)

    def __repr__(self) -> str:
        return repr(self.spikes)


class RateRecorder:
    """Counts the spikes of a population in bins on the absolute clock. Made by `Network.record`.

    Attributes
    ----------
    t : ndarray (bins,), ms
        End of each complete bin.
    rate : ndarray (bins,), Hz
        Spikes per neuron and second.
    """

    def __init__(self, where: str, engine: ClockEngine, every: Any, first: int, stop: int) -> None:
        self._every = 1 if every is None else _checks.steps(f"{where}.every", every, engine.dt, at_least=1)
        self._spikes, self._n = SpikeRecorder(engine, None, first, stop), stop - first
        self._engine, self._first_bin = engine, engine.step // self._every
        self._counts = np.zeros(0, np.int64)

    def begin(self, n_steps: int) -> None:
        """A run of so many steps is about to begin."""
        self._spikes.begin(n_steps)

    def records(self) -> list[Record]:
        """None: spikes are there without asking."""
        return []

    def take(self) -> None:
        """Count what the engine has done since the last time."""
        self._spikes.take()
        bins = self._spikes.step // self._every - self._first_bin
        self._spikes.clear()
        longer = np.zeros(max(self._counts.size, int(bins.max(initial=-1)) + 1), np.int64)
        longer[: self._counts.size] = self._counts
        self._counts = longer + np.bincount(bins, minlength=longer.size)

    def end(self) -> None:
        """The run has ended."""
        self.take()

    def clear(self) -> None:
        """Forget all counts; the clock starts again."""
        self._spikes.clear()
        self._counts, self._first_bin = np.zeros(0, np.int64), 0

    @property
    def t(self) -> Array:
        """End of each complete bin, ms."""
        n_bins = self._engine.step // self._every - self._first_bin
        return (self._first_bin + 1 + np.arange(n_bins)) * self._every * self._engine.dt

    @property
    def rate(self) -> Array:
        """Spikes per neuron and second in each complete bin."""
        counts = np.zeros(self.t.size)
        known = min(counts.size, self._counts.size)
        counts[:known] = self._counts[:known]
        return counts / (self._n * self._every * self._engine.dt * 1e-3)

    def __repr__(self) -> str:
        return f"<rate of {self._n} neurons, {self.t.size} bins>"


class StateRecorder:
    """Samples of V and u of chosen neurons: room for those of a run, filled by the kernel. Made by `Network.record`.

    Samples are taken on the absolute clock: of the state after step k if (k + 1) is a multiple of `every` in steps.

    Attributes
    ----------
    t : ndarray (samples,), ms
    V, u : ndarray (samples, neurons) or (samples, batch, neurons)
        Those that were asked for.
    neurons : ndarray of int64
        Flat indices of the neurons, in the order of the columns.
    """

    def __init__(
        self, where: str, engine: ClockEngine, n_batch: int | None, record: Any, every: Any, neurons: Any,
        first: int = 0, stop: int | None = None,
    ) -> None:  # fmt: skip
        stop = engine.n // (n_batch or 1) if stop is None else stop
        self._names = _state_names(f"{where}.record", record)
        self.neurons = np.arange(first, stop if self._names else first)
        if neurons is not None:
            self.neurons = _flat_indices(f"{where}.neurons", neurons, stop - first) + first
        self._every = 1 if every is None else _checks.steps(f"{where}.every", every, engine.dt, at_least=1)
        self._where, self._engine, self._n_batch = where, engine, n_batch
        lanes = (np.arange(n_batch or 1)[:, None] * (engine.n // (n_batch or 1)) + self.neurons).ravel()
        self._order = np.argsort(lanes, kind="stable")
        self._sorted = bool(np.all(self._order[1:] > self._order[:-1]))
        self._lanes = np.ascontiguousarray(lanes[self._order])
        self._pieces: list[tuple[Array, dict[str, Array]]] = []
        self._start, self._rows = 0, dict[str, Array]()

    def begin(self, n_steps: int) -> None:
        """Make room for the samples of the next steps."""
        self._start = self._engine.step // self._every  # samples before this run
        n_samples = (self._engine.step + n_steps) // self._every - self._start
        copies = len(self._names) + (not self._sorted)  # one more, of one state at a time, to put it in order
        n_bytes = n_samples * (copies * self._lanes.size * self._engine.item + 8)
        _checks.fits(f"{self._where}.record", n_bytes, "Record fewer neurons or a larger `every`.")
        self._rows = {name: np.empty((n_samples, self._lanes.size), self._engine.dtype) for name in self._names}

    @property
    def _done(self) -> int:
        return self._engine.step // self._every - self._start

    def records(self) -> list[Record]:
        """Where the samples of the engine's next steps go."""
        if not self._rows:
            return []
        rows = {name: array[self._done :] for name, array in self._rows.items()}
        return [Record(self._engine, self._every, self._lanes, rows.get("V"), rows.get("u"))]

    def take(self) -> None:
        """The kernel has written what there is."""

    def end(self) -> None:
        """Keep the samples taken, in the order of `neurons`."""
        if not self._rows:
            return
        n_samples = max(0, min(self._engine.reliable, self._engine.step) // self._every - self._start)
        place = np.argsort(self._order)
        batches = () if self._n_batch is None else (self._n_batch,)
        states = {}
        for name, rows in self._rows.items():
            taken = rows[:n_samples]
            ordered = taken if self._sorted else np.take(taken, place, axis=1)
            states[name] = ordered.reshape((n_samples, *batches, self.neurons.size))
        self._pieces.append(((self._start + 1 + np.arange(n_samples)) * self._every * self._engine.dt, states))
        self._rows = {}

    def clear(self) -> None:
        """Forget all samples."""
        self._pieces.clear()

    def result(self) -> tuple[Array, dict[str, Array]]:
        """Times of the samples, and the states by name."""
        if not self._pieces:
            batches = () if self._n_batch is None else (self._n_batch,)
            none = np.empty((0, *batches, self.neurons.size), self._engine.dtype)
            return np.empty(0), dict.fromkeys(self._names, none)
        if len(self._pieces) > 1:
            t = np.concatenate([piece[0] for piece in self._pieces])
            states = {name: np.concatenate([piece[1][name] for piece in self._pieces]) for name in self._names}
            self._pieces[:] = [(t, states)]
        return self._pieces[0]

    @property
    def t(self) -> Array:
        """Times of the samples, ms."""
        return self.result()[0]

    @property
    def V(self) -> Array:
        """V, (samples, neurons)."""
        return self._state("V")

    @property
    def u(self) -> Array:
        """u, (samples, neurons)."""
        return self._state("u")

    def _state(self, name: str) -> Array:
        if name not in self._names:
            raise AttributeError(f"StateRecorder has no {name!r}. Ask Network.record for it.")
        return self.result()[1][name]

    def __repr__(self) -> str:
        return f"<{', '.join(self._names)} of {self.neurons.size} neurons, {len(self.t)} samples>"


def _pandas(owner: str) -> Any:
    try:
        import pandas
    except ImportError:
        raise ImportError(f"{owner}.to_dataframe needs pandas. Install it with: pip install pandas") from None
    return pandas


def _joined(pieces: tuple[Array, ...]) -> Array:
    """One array; a copy only if there are several pieces."""
    filled = [piece for piece in pieces if piece.size]
    return np.concatenate(filled) if len(filled) > 1 else (filled or pieces)[0]


def _state_names(where: str, value: Any) -> tuple[str, ...]:
    value = _checks.kind(where, value, (str, list, tuple, set), "'V', 'u' or a list of them")
    names = [_checks.one_of(where, name, ("V", "u")) for name in ([value] if isinstance(value, str) else value)]
    return tuple(dict.fromkeys(names))


def _flat_indices(where: str, value: Any, n: int) -> Array:
    """Flat indices of neurons, 0 <= i < n, as int64."""
    if getattr(value, "dtype", None) == np.bool_ or (isinstance(value, list) and value and isinstance(value[0], bool)):
        raise TypeError(f"{where} must be a list of whole numbers, got a mask. Use np.flatnonzero(mask).")
    indices = np.atleast_1d(_checks.magnitude(where, value, ""))
    _checks.finite(where, indices)
    fraction = indices[indices != np.rint(indices)]
    if indices.ndim != 1 or fraction.size:
        got = fraction[0] if fraction.size else f"an array of shape {indices.shape}"
        raise ValueError(f"{where} must be a list of whole numbers, got {got}. Pass flat indices such as [0, 5].")
    outside = indices[(indices < 0) | (indices >= n)]
    if outside.size:
        raise ValueError(f"{where} must be between 0 and {n - 1}, got {outside[0]:g}. There are {n} neurons.")
    return indices.astype(np.int64)
