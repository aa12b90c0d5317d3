"""From what a user passes to `Network.record` to a recorder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from izhnumba._base import checks
from izhnumba._network.synapses import Synapses
from izhnumba._population.section import Section
from izhnumba._record.recorder import RateRecorder, Recorder, SpikeRecorder
from izhnumba._record.samples import StateRecorder, WeightRecorder, state_names

_WHERE = "Network.record"
# The arguments that mean something for what is recorded.
_OPTIONS = {
    "spikes": ("neurons",),
    "rate": ("every",),
    "weight": ("every", "synapses"),
    "current": ("every", "neurons"),
}


def recorder_of_population(
    part: Section, what: str | Sequence[str], name: str, every: Any, neurons: Any, synapses: Any
) -> Recorder:
    """What records spikes, the rate or states of a section."""
    engine = part.population._engine
    if isinstance(what, str):
        checks.one_of(f"{_WHERE}.what", what, ("spikes", "rate", "V", "u"))
    _only(str(what), every=every, neurons=neurons, synapses=synapses)
    if what == "spikes":
        return SpikeRecorder(engine, name, None, part.start, part.stop, neurons)
    if what == "rate":
        return RateRecorder(_WHERE, engine, name, every, part.start, part.stop)
    sources = {state: getattr(engine, state) for state in state_names(f"{_WHERE}.what", what)}
    return StateRecorder(_WHERE, engine, name, None, sources, every, neurons, part.start, part.stop)


def recorder_of_synapses(syn: Synapses, what: Any, name: str, every: Any, neurons: Any, synapses: Any) -> Recorder:
    """What records weights, or the current through the receptor that they act on."""
    engine, part = syn.target.population._engine, syn.target
    checks.kind(f"{_WHERE}.what", what, str, "'weight' or 'current' for synapses")
    checks.one_of(f"{_WHERE}.what", what, ("weight", "current"))
    _only(what, every=every, neurons=neurons, synapses=synapses)
    if what == "weight":
        return WeightRecorder(_WHERE, engine, name, syn._rows.weights, every, synapses)
    if syn.receptor.adds_to == "V":
        raise ValueError(f"{_WHERE}.what must be 'weight' for synapses through {syn.receptor!r}, which are no current.")
    sources = {"current": syn._port.note_current()}
    return StateRecorder(_WHERE, engine, name, None, sources, every, neurons, part.start, part.stop)


def _only(what: str, **options: Any) -> None:
    known = _OPTIONS.get(what, ("every", "neurons"))
    for option, value in options.items():
        if value is not None and option not in known:
            raise ValueError(f"{_WHERE}.{option} must be left out when recording {what}, got {value!r:.60}.")
