"""Traces: recorded states over time, with spikes drawn to a peak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba._model.model import Model
from izhnumba._network.joined import JoinedRecorder
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import SpikeRecorder
from izhnumba.plot._style import long_names, next_color
from izhnumba.plot._trains import Array, Trains, place, trains_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_CURE = "Record them, net.record(population), or pass spikes=."


class Column(NamedTuple):
    """A recorded neuron: the Result or StateRecorder, and its place there."""

    record: Any
    place: int

    @property
    def neuron(self) -> int:
        """Its flat index."""
        return int(self.record.neurons[self.place])

    @property
    def population(self) -> Any:
        """That of a recorder in a network."""
        source = vars(self.record).get("source")
        return getattr(getattr(source, "target", getattr(source, "section", source)), "population", None)

    @property
    def name(self) -> str:
        """What it is called in a legend."""
        return f"{self.population.name}[{self.neuron}]" if self.population else f"neuron {self.neuron}"

    def samples(self, variable: str, batch: int) -> tuple[Array, Array]:
        """Times (ms) and values."""
        values = getattr(self.record, variable)
        return self.record.t, values[:, batch, self.place] if values.ndim == 3 else values[:, self.place]


def trace(
    result: object, ax: Axes | None = None, *, variable: str = "V", columns: Sequence[int] | None = None,
    batch: int = 0, peak: float | None = None, unit: str | None = None, spikes: object = None, **style: object,
) -> Axes:  # fmt: skip
    """Draw a recorded state over time, one line per recorded neuron.

    The lines have labels, such as "exc[0]", for `ax.legend()`. A second call on the same Axes takes the next colours.

    Parameters
    ----------
    result : Result of a run with `record=`, StateRecorder, or that of several populations
    ax : matplotlib Axes, optional
        By default that of a new figure.
    variable : "V", "u", a further state of the model, or "current" of a receptor
    columns : sequence of int, optional
        Which of the recorded neurons to draw, by their place in the record; all if omitted.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    peak : float, mV, optional
        Draw every spike up to this height and cut V there, as papers do: a scheme that resets at once never stores
        the top of a spike, one that resets later stores V far above it. If omitted V is drawn as recorded. Needs the
        spikes of these neurons: a Result has them, and those of a StateRecorder are looked for in its network.
    unit : str, optional
        For the axis label; if omitted that of the model.
    spikes : Spikes or SpikeRecorder, optional
        Those of the population, if its network does not record them.
    **style
        Passed on to `Axes.plot`, such as color and linewidth.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, for a variable that was not recorded, and for a peak without spikes.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> result = iz.Population(3, **iz.presets["RS"]).run(100.0, 10.0, record=["V"])
    >>> plot.trace(result, columns=[0], peak=30.0).get_ylabel()
    'V (mV)'

    In a network the spikes are those that are recorded beside V:

    >>> net = iz.Network()
    >>> exc = net.add(iz.Population(8, **iz.presets["RS"]), name="exc")
    >>> drive, spikes, voltage = net.drive(exc, 10.0), net.record(exc), net.record(exc, "V", neurons=[5])
    >>> net.run(100.0)
    >>> plot.trace(voltage, peak=30.0).lines[0].get_label()
    'exc[5]'
    """
    records = records_of("trace.result", result)
    model, current = model_of(records[0]), "current" in vars(records[0]).get("_sources", ())
    checks.one_of("trace.variable", variable, [*model.variables, *["current"] * current])
    shape = getattr(records[0], variable).shape
    every = columns_of(records)
    if columns is not None and not np.iterable(columns):
        checks.refuse("trace.columns", columns, "a list of whole numbers", "Pass [0] for the first neuron.")
    chosen = [
        place("trace.columns", column, len(every)) for column in (range(len(every)) if columns is None else columns)
    ]
    batch = place("trace.batch", batch, shape[1] if len(shape) == 3 else 1)
    times: list[Array] | list[None] = [None] * len(chosen)
    if peak is not None:
        peak = checks.number("trace.peak", peak, "mV", finite=False)
        must = "trace.spikes must be those of all neurons that are drawn"
        times = spike_times(must, [every[k] for k in chosen], spikes, batch, _CURE)
    if unit is not None:
        checks.kind("trace.unit", unit, str, "a str")
    ax = axes_for("trace.ax", ax)
    style = long_names(style, "Line2D")
    ax.set_xmargin(0.0)
    for k, spike_t in zip(chosen, times, strict=True):
        t, values = every[k].samples(variable, batch)
        if spike_t is not None:
            t, values = with_spikes(t, values, spike_t, peak if variable == "V" else None)
        default: dict[str, Any] = {"color": next_color(ax, k), "linewidth": 1.0, "label": every[k].name}
        ax.plot(t, values, **default | style)
    if unit is None:
        unit = model.I.unit if variable == "current" else model.variables[variable].unit
    return labelled(ax, "time (ms)", f"{variable} ({unit})" if unit else variable)


def records_of(
    where: str, result: object, must_be: str = "a Result or a StateRecorder"
) -> tuple[Result | StateRecorder, ...]:
    """The records in what a user passes: one of each population."""
    parts: tuple[Any, ...] = result.parts if isinstance(result, JoinedRecorder) else (result,)
    if not all(isinstance(one, (Result, StateRecorder)) for one in parts):
        checks.refuse(where, result, must_be)
    return parts


def columns_of(records: Iterable[Result | StateRecorder]) -> list[Column]:
    """All recorded neurons, those of several populations one after the other."""
    return [Column(one, k) for one in records for k in range(one.neurons.size)]


def model_of(record: Result | StateRecorder) -> Model:
    """The model of the neurons."""
    model: Model = record._engine.model if isinstance(record, StateRecorder) else record.model
    return model


def spike_times(must: str, chosen: list[Column], spikes: object, batch: int, cure: str) -> list[Array]:
    """Times (ms) of the spikes of each of these neurons; an error with these words if they are not known."""
    found = []
    for column in chosen:
        times = spikes_of(must.split()[0], column, spikes, batch)
        if times is None:
            raise ValueError(f"{must}, got none of {column.name}. {cure}")
        found.append(times)
    return found


def spikes_of(where: str, column: Column, spikes: object, batch: int) -> Array | None:
    """Times (ms) of the spikes of a neuron, among those given, of its Result, or those that its network records; None
    if they are not there."""
    for one in _known(where, column, spikes, batch):
        if one.population in (None, column.population) and column.neuron in one.neurons:
            return one.t[one.i == column.neuron]
    return None


def _known(where: str, column: Column, spikes: object, batch: int) -> list[Trains]:
    """Spikes among which those of the neuron may be."""
    if spikes is not None:
        return trains_of(where, spikes, batch)
    if isinstance(column.record, Result):
        return trains_of(where, column.record, batch)
    net = column.population.network
    recorders = [one for one in net.recorders.values() if isinstance(one, SpikeRecorder)]
    return trains_of(where, recorders, batch) if recorders else []


def with_spikes(t: Array, x: Array, spike_t: Array, peak: float | None) -> tuple[Array, Array]:
    """(t in ms, values) with a sample at each spike put in: of `peak`, where V is cut too, or for None of the value
    before."""
    if not t.size:
        return t, x
    beside = t[1] - t[0] if t.size > 1 else np.inf  # how far from the samples a spike of their time may be
    spike_t = spike_t[(spike_t > t[0] - beside) & (spike_t < t[-1] + beside)]
    at = np.searchsorted(t, spike_t)
    if peak is None:
        return np.insert(t, at, spike_t), np.insert(x, at, x[np.maximum(at - 1, 0)])
    return np.insert(t, at, spike_t), np.insert(np.minimum(x, peak), at, peak)
