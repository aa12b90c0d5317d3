"""What a run leaves behind: spikes as lists of events, states as shaped arrays."""

from __future__ import annotations

from collections.abc import Sequence
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
        self.batch: Array = np.zeros(len(i), np.int64) if n_batch is None else i // n
        self.i = i if n_batch is None else i % n
        self.step = step
        self.t = (step + 1) * dt

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
        import pandas

        return pandas.DataFrame({"i": self.i, "t": self.t, "step": self.step, "batch": self.batch})


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
        import pandas

        names = [name for name in ("V", "u") if name in vars(self)]
        shape = vars(self)[names[0]].shape if names else (0, 0)
        samples, batches, neurons = shape[0], shape[1] if len(shape) == 3 else 1, shape[-1]
        columns = {
            "t": np.repeat(self.t, batches * neurons),
            "batch": np.tile(np.repeat(np.arange(batches), neurons), samples),
            "i": np.tile(self.neurons, samples * batches) if names else np.empty(0, np.int64),
        }
        return pandas.DataFrame(columns | {name: vars(self)[name].ravel() for name in names})


class SpikeRecorder:
    """Collects the spikes of a run slice by slice."""

    def __init__(self) -> None:
        self._slices: list[tuple[Array, Array]] = []

    def take(self, engine: ClockEngine, n_steps: int) -> None:
        self._slices.append(engine.spike_list(n_steps))

    def result(self, dt: float, n: int, n_batch: int | None) -> Spikes:
        none = (np.empty(0, np.int64), np.empty(0, np.int64))
        i, step = (np.concatenate(parts) for parts in zip(none, *self._slices, strict=True))
        return Spikes(i, step, dt, n, n_batch)


class StateRecorder:
    """Samples of V and u of chosen neurons: room for all of them, filled by the kernel.

    Parameters
    ----------
    names : "V", "u" or both
    every : steps between samples, on the absolute clock: the state after step k is sampled if (k + 1) % every == 0
    neurons : flat indices, in the order wanted, or None for all
    """

    def __init__(
        self,
        engine: ClockEngine,
        names: Sequence[str],
        every: int,
        neurons: Array | None,
        n_steps: int,
        n_batch: int | None,
    ) -> None:
        n = engine.n // (n_batch or 1)
        self.neurons = np.arange(n) if neurons is None else neurons
        self._engine, self._every, self._n_batch = engine, every, n_batch
        lanes = (np.arange(n_batch or 1)[:, None] * n + self.neurons).ravel()
        self._order = np.argsort(lanes, kind="stable")
        self._lanes = np.ascontiguousarray(lanes[self._order]) if names else np.empty(0, np.int64)
        start = engine.step
        first = start // every + 1
        last = (start + n_steps) // every
        self._t = np.arange(first, last + 1) * every * engine.dt if names else np.empty(0)
        n_bytes = len(names) * self._t.size * self._lanes.size * engine.dtype.itemsize
        _checks.fits("Population.run record", n_bytes, "Record fewer neurons or a larger `every`.")
        self._rows = {name: np.empty((self._t.size, self._lanes.size), engine.dtype) for name in names}
        self._done = 0

    def aim(self, n_steps: int) -> None:
        """Tell the engine where the samples of its next `n_steps` go."""
        rows = {name: array[self._done :] for name, array in self._rows.items()}
        self._engine.record(self._lanes, self._every, rows.get("V"), rows.get("u"))

    def took(self, n_steps: int) -> None:
        """Note that the engine has done `n_steps`."""
        self._done += self._engine.step // self._every - (self._engine.step - n_steps) // self._every

    def result(self) -> tuple[Array, dict[str, Array]]:
        """Times of the samples taken so far, and the states in the order of `neurons`."""
        ascending = np.array_equal(self._order, np.arange(self._order.size))
        states = {}
        for name, rows in self._rows.items():
            taken = rows[: self._done]
            if not ascending:
                wanted = np.empty_like(taken)
                wanted[:, self._order] = taken
                taken = wanted
            states[name] = taken.reshape(len(taken), self._n_batch, -1) if self._n_batch else taken
        return self._t[: self._done], states
