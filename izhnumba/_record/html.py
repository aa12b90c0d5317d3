"""What notebooks show of spikes, samples, results and recorders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.html import card
from izhnumba._base.svg import Spiking, raster, thinned, traces
from izhnumba._base.words import counted

if TYPE_CHECKING:
    from izhnumba._model.model import Model
    from izhnumba._record.events import Spikes
    from izhnumba._record.recorder import Recorder
    from izhnumba._record.results import Result, Samples
    from izhnumba._record.spikes import RateRecorder, SpikeRecorder

Array = NDArray[Any]
_TRACES = 3  # that are drawn of a recording
_PEAK = 50.0  # mV, where those of V are cut: of a spike some schemes keep V as it is, far beyond the threshold


def of_spikes(spikes: Spikes) -> str:
    """A card of spikes: how many, whose, when, and their raster."""
    return card("Spikes", "", _facts(spikes), rasters([("", spikes)]))


def of_samples(samples: Samples) -> str:
    """A card of samples: what, how many, when, and the first traces."""
    columns = samples._columns
    facts = [f"{', '.join(columns)} of {samples.index.size}", _times(samples.t)]
    return card("Samples", "", facts, *_pictures(samples.t, columns))


def of_result(result: Result) -> str:
    """A card of the result of a run: the spikes, their raster, and the first traces of what was recorded."""
    names = [*result._recorded, *(["values"] if "values" in vars(result) else [])]
    columns = {name: vars(result)[name] for name in names}
    shapes = [f"{name}: {_times(result.t)}, shape {columns[name].shape}" for name in names]
    pictures = _pictures(result.t, columns, result.model) if names else []
    return card("Result", "", [*_facts(result.spikes), *shapes], rasters([("", result.spikes)]), *pictures)


def of_spike_recorder(recorder: SpikeRecorder) -> str:
    """A card of a recorder of spikes: of whom, where to, and what it has so far."""
    if recorder.to is not None:
        return _in_file(recorder)
    spikes = recorder.spikes
    return card("SpikeRecorder", recorder.name, [_source(recorder), *_facts(spikes)], rasters([("", spikes)]))


def of_rate_recorder(recorder: RateRecorder) -> str:
    """A card of a recorder of rates."""
    t, rate = recorder.t, recorder.rate
    mean = f", {rate.mean():.3g} Hz on average" if rate.size else ""
    facts = [_source(recorder), f"{counted(len(t), 'bin')}{mean}"]
    return card("RateRecorder", recorder.name, facts, traces(t, rate[:, None], "rate (Hz)"))


def of_sampling_recorder(recorder: Recorder) -> str:
    """A card of a recorder of states, weights, reductions or what a function returns."""
    if recorder.to is not None:
        return _in_file(recorder)
    labels, *values = recorder._rows_so_far()
    names = [column.name for column in recorder._columns[1:]]
    t = recorder._t(labels)
    facts = [_source(recorder), _times(t)]
    pictures = _pictures(t, dict(zip(names, values, strict=True)), recorder._engine.model)
    return card(type(recorder).__name__, recorder.name, facts, *pictures)


def rasters(several: Sequence[tuple[str, Spikes]]) -> str:
    """The raster of the spikes of several recorders, one above the other, also of silent ones; "" if all are."""
    every = [spikes for _, spikes in several]
    if not any(map(len, every)):
        return ""
    stop = max(one.stop if math.isfinite(one.stop) else one._time.t(one._labels).max(initial=0.0) for one in every)
    return raster([_spiking(*one) for one in several], min(one.start for one in every), stop)


def _spiking(label: str, spikes: Spikes) -> Spiking:
    """As a raster takes them; of more than it counts a part, evenly."""
    part = slice(None, None, thinned(len(spikes)))
    known = spikes._n is not None
    rows = spikes._places()[part] if known else spikes.i[part]
    n = spikes.n * (spikes.n_batch or 1) if known else int(rows.max(initial=0)) + 1
    return Spiking(label or counted(n, "neuron", ","), rows, spikes._time.t(spikes._labels[part]), n)


def _facts(spikes: Spikes) -> list[str]:
    """How many spikes of how many neurons, their times and their rate, in lines."""
    if spikes._n is None or not math.isfinite(spikes.stop):
        return [repr(spikes).strip("<>")]
    n = spikes.n * (spikes.n_batch or 1)
    batch = f" in a batch of {spikes.n_batch}" if spikes.n_batch else ""
    rate = f", {spikes.rates().mean():.3g} Hz on average" if len(spikes) and spikes.stop > spikes.start else ""
    found = f"{counted(len(spikes), 'spike', ',')} of {counted(n, 'neuron', ',')}{batch}"
    return [f"{found}, {spikes.start:.6g} to {spikes.stop:.6g} ms{rate}"]


def _times(t: Array) -> str:
    return counted(len(t), "sample", ",") + (f", {t[0]:.6g} to {t[-1]:.6g} ms" if len(t) else "")


def _source(recorder: Recorder) -> str:
    """What is recorded of whom, and in which window if that is not all time."""
    source = vars(recorder).get("source")
    window = "" if recorder.stop == math.inf and not recorder.start else f", {recorder.start:g} to {recorder.stop:g} ms"
    return "" if source is None else f"{named(vars(recorder)['what'])} of {source!r}{window}"


def named(what: Any) -> str:
    """What is recorded, as a user passed it to `Network.record`, in words."""
    return ", ".join(what) if isinstance(what, list) else str(getattr(what, "__name__", what))


def _in_file(recorder: Recorder) -> str:
    """Without reading what may be large."""
    return card(type(recorder).__name__, recorder.name, [_source(recorder), f"in the file {recorder.to}"])


def _pictures(t: Array, columns: dict[str, Array], model: Model | None = None) -> list[str]:
    """The first traces of each of the first two things that were recorded; those of a model have units."""
    flat = {name: values.reshape(len(values), -1)[:, :_TRACES] for name, values in columns.items() if values.size}
    units = {name: f" ({one.unit})" for name, one in model.variables.items() if one.unit} if model else {}
    if "V" in flat:
        flat["V"] = np.minimum(flat["V"], _PEAK)
    return [traces(t, values.astype(float), name + units.get(name, "")) for name, values in list(flat.items())[:2]]
