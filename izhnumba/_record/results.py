"""Results of runs: spikes as lists of events, states as shaped arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.sealed import assign
from izhnumba._base.words import counted
from izhnumba._engine.timebase import Timebase
from izhnumba._model.model import Model
from izhnumba._record import html
from izhnumba._record.events import Spikes
from izhnumba._record.found import Found, optional

__all__ = ["Result", "Samples", "Spikes"]

Array = NDArray[Any]


class Samples(Found):
    """Numbers sampled in time: V and u of neurons, the current of a receptor, weights of synapses, or what a state is
    reduced to.

    Attributes
    ----------
    t : ndarray (samples,), ms
        A sample of step k is taken after it, at (k + 1) dt.
    step : ndarray of int64 or None
        None in continuous time.
    V, u, current, weight, eligibility : ndarray (samples, neurons or synapses)
        Those that were recorded; further states of a model by their names.
    modulator : ndarray (samples,)
    values : ndarray (samples[, batch][, groups][, bins])
        Of a mean, sum or histogram.
    index : ndarray of int64
        Flat indices of the neurons or synapses, in the order of the columns; of those that are reduced.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> voltage = net.record(net.add(iz.Population(3)), "V", every=1.0, neurons=[0, 2])
    >>> net.run(4.0)
    >>> voltage.samples
    <V of 2, 4 samples, 1 to 4 ms>
    """

    t: Array
    step: Any
    index: Array
    _columns: dict[str, Array]

    def __init__(
        self, labels: Array, time: Timebase, columns: dict[str, Array], index: Array, t: Array | None = None
    ) -> None:
        t = time.t(labels) if t is None else t
        assign(self, **columns, step=time.steps(labels), t=t, index=index, _columns=columns, _sealed=True)

    def _cure(self, name: str) -> str:
        return f"Recorded: {', '.join(self._columns)}."

    def __len__(self) -> int:
        return len(self.t)

    _repr_html_ = html.of_samples

    def __repr__(self) -> str:
        span = f", {self.t[0]:.6g} to {self.t[-1]:.6g} ms" if len(self) else ""
        return f"<{', '.join(self._columns)} of {self.index.size}, {counted(len(self), 'sample')}{span}>"

    def to_dataframe(self) -> Any:
        """A pandas DataFrame: one row per sample and neuron or synapse, with columns t, i, batch and what was recorded;
        of a modulator alone one row per sample."""
        return _table("Samples", self.t, self.index, self._columns)


class Result(Found):
    """Result of `Population.run`: `.spikes`, and `.t` with `.V`, `.u` if they were recorded.

    Attributes
    ----------
    model : Model
        Of the population, with the units of V and u.
    spikes : Spikes
    t : ndarray (samples,), ms
        Times of the samples: a sample of step k is the state after it, at (k + 1) dt.
    V, u : ndarray (samples, neurons) or (samples, batch, neurons)
        Recorded states; further ones of the model by their names. Reading one that was not recorded, or `t` if none
        was, is an AttributeError that says so.
    values : ndarray (samples[, batch][, groups][, bins])
        What a state was reduced to, if that was recorded.
    neurons : ndarray of int64
        Flat indices of the recorded neurons, in the order of the columns.

    Examples
    --------
    >>> import izhnumba as iz
    >>> result = iz.Population(3, **iz.presets["RS"]).run(100.0, 10.0, record=["V", "u"], neurons=[0, 2])
    >>> result.spikes.t[result.spikes.i == 0].round(1), result.V.shape
    (array([ 3.2, 26.7, 71.7]), (1000, 2))
    """

    model: Model
    spikes: Spikes
    t: Array
    neurons: Array
    V: Array
    u: Array

    def __init__(self, model: Model, spikes: Spikes, states: Samples | None) -> None:
        neurons = np.empty(0, np.int64) if states is None else states.index
        # without states there is no `t` either: an empty one would leave plots blank
        columns = {} if states is None else {**states._columns, "t": states.t}
        assign(self, model=model, spikes=spikes, neurons=neurons, **columns, _sealed=True)

    def _cure(self, name: str) -> str:
        if name in self.model.variables:
            return f"Pass record=[{name!r}] to run."
        if name == "t":
            return "Pass record=['V'] to run for samples; times of spikes are in spikes.t."
        return f"Write spikes.{name}." if hasattr(Spikes, name) else ""

    _repr_html_ = html.of_result

    def __repr__(self) -> str:
        recorded = self._recorded + ["values"] * ("values" in vars(self))
        states = "".join(f", {name} {vars(self)[name].shape}" for name in recorded)
        return f"<result: {self.spikes!r}{states}>"

    @property
    def _recorded(self) -> list[str]:
        """Names of the states that were recorded."""
        return [name for name in self.model.variables if name in vars(self)]

    def to_dataframe(self) -> Any:
        """A pandas DataFrame: one row per sample and neuron, with columns t, i, batch and the states recorded."""
        recorded = {name: vars(self)[name] for name in (*self._recorded, "values") if name in vars(self)}
        return _table("Result", vars(self).get("t", np.empty(0)), self.neurons, recorded)


def _table(owner: str, t: Array, index: Array, recorded: dict[str, Array]) -> Any:
    """A DataFrame of samples: t (samples,), the neurons or synapses (n,), and what was recorded of them, by name, of
    the shapes (samples, n), (samples, batch, n), or (samples,) for what all have in common."""
    if "values" in recorded:
        cure = f"Use pandas.DataFrame({owner.lower()}.values, index={owner.lower()}.t)."
        raise TypeError(f"{owner}.to_dataframe must have states of neurons, got what they are reduced to. {cure}")
    frame = optional(f"{owner}.to_dataframe", "pandas").DataFrame
    if recorded and all(values.ndim == 1 for values in recorded.values()):
        return frame({"t": t} | recorded)
    batches = max((values.shape[1] for values in recorded.values() if values.ndim == 3), default=1)
    shape = (len(t), batches, index.size)
    columns = {"t": t[:, None, None], "i": index, "batch": np.arange(batches)[:, None]} | {
        name: values[:, None, None] if values.ndim == 1 else values.reshape(shape) for name, values in recorded.items()
    }
    return frame({name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()})
