"""What a run leaves behind: spikes as lists of events, states as shaped arrays."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks
from izhnumba._models import Model

if TYPE_CHECKING:
    from izhnumba._clock_engine import ClockEngine

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

    def __init__(self, model: Model, spikes: Spikes, states: StateRecorder) -> None:
        self.model, self.spikes = model, spikes
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


class SpikeRecorder:
    """Collects the spikes of a run slice by slice."""

    def __init__(self, engine: ClockEngine) -> None:
        none = np.empty(0, np.int64)
        self._engine, self._slices = engine, [(none, none, engine.step)]

    def take(self) -> None:
        """Take what the engine has done since the last time. Ctrl-C may strike in here: `result` takes what it left."""
        now, taken = self._engine.step, self._slices[-1][2]
        if now > taken:
            self._slices.append((*self._engine.spike_list(now - taken), now))

    def result(self, n: int, n_batch: int | None) -> Spikes:
        self.take()
        i, step, _ = zip(*self._slices, strict=True)
        return Spikes(_joined(i), _joined(step), self._engine.dt, n, n_batch)


class StateRecorder:
    """Samples of V and u of chosen neurons: room for all of them, filled by the kernel.

    Parameters
    ----------
    engine, n_steps : what is recorded, and for how long
    n_batch : batch entries of the population, or None
    record, every, neurons : as a user passes them to `Population.run`; samples are taken on the absolute clock: of the
        state after step k if (k + 1) is a multiple of `every` in steps
    """

    def __init__(
        self, engine: ClockEngine, n_steps: int, n_batch: int | None, record: Any, every: Any, neurons: Any
    ) -> None:
        n = engine.n // (n_batch or 1)
        names = _state_names("Population.run.record", record)
        everyone = np.arange(n if names else 0)
        self.neurons = everyone if neurons is None else _flat_indices("Population.run.neurons", neurons, n)
        self._every = 1 if every is None else _checks.steps("Population.run.every", every, engine.dt, at_least=1)
        self._engine, self._n_batch = engine, n_batch
        self._start = engine.step // self._every  # samples before this run
        n_samples = (engine.step + n_steps) // self._every - self._start if names else 0
        lanes = (np.arange(n_batch or 1)[:, None] * n + self.neurons).ravel()
        self._order = np.argsort(lanes, kind="stable")
        self._sorted = bool(np.all(self._order[1:] > self._order[:-1]))
        self._lanes = np.ascontiguousarray(lanes[self._order]) if names else np.empty(0, np.int64)
        copies = len(names) + (not self._sorted)  # one more, of one state at a time, to put it in order
        n_bytes = n_samples * (copies * lanes.size * engine.dtype.itemsize + 8)
        _checks.fits("Population.run.record", n_bytes, "Record fewer neurons or a larger `every`.")
        self._rows = {name: np.empty((n_samples, lanes.size), engine.dtype) for name in names}

    @property
    def _done(self) -> int:
        return self._engine.step // self._every - self._start

    def aim(self) -> None:
        """Tell the engine where the samples of its next steps go."""
        if self._rows:
            rows = {name: array[self._done :] for name, array in self._rows.items()}
            self._engine.record(self._lanes, self._every, rows.get("V"), rows.get("u"))

    def result(self) -> tuple[Array, dict[str, Array]]:
        """Times of the samples taken so far, and the states in the order of `neurons`. Recording ends here."""
        if self._rows:
            self._engine.record(np.empty(0, np.int64), 1, None, None)
        n_samples = self._done if self._rows else 0
        batches = () if self._n_batch is None else (self._n_batch,)
        shape = (n_samples, *batches, self.neurons.size)
        states, place = {}, np.argsort(self._order)
        for name, rows in self._rows.items():
            taken = rows[:n_samples]
            states[name] = (taken if self._sorted else np.take(taken, place, axis=1)).reshape(shape)
        return (self._start + 1 + np.arange(n_samples)) * self._every * self._engine.dt, states


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
