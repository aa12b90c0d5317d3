"""What notebooks show of networks, and of synapses, drives and recorders between or of several populations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base.html import card, span, table
from izhnumba._base.words import counted
from izhnumba._population.source import Source
from izhnumba._record.html import named, rasters
from izhnumba._record.spikes import SpikeRecorder
from izhnumba._synapse.receptor import unit_through

if TYPE_CHECKING:
    from izhnumba._network.drives import Drive
    from izhnumba._network.joined import JoinedDrive, JoinedRecorder, JoinedSynapses
    from izhnumba._network.network import Network
    from izhnumba._network.synapses import Synapses
    from izhnumba._synapse.plasticity import Plasticity

_RASTERS = 5  # that are drawn of a network
_OF_SYNAPSES = "synapses", "number", "receptor", "plasticity", "weight", "delay (ms)"


def of_network(net: Network) -> str:
    """A card of a network: its populations, synapses, drives and recorders, and the rasters of recorded spikes."""
    neurons, synapses = sum(pop.n for pop in net._populations.values()), sum(map(len, net._synapses.values()))
    step = "" if net.scheme.exact else f", dt {net.dt:g} ms"
    facts = [
        f"{counted(neurons, 'neuron', ',')}, {counted(synapses, 'synapse', ',')}",
        f"scheme {net.scheme.name}{step}, seed {net.seed}",
        f"t = {net.t:.6g} ms",
    ]
    populations = [
        (name, f"{pop.n:,}", type(pop).__name__ if isinstance(pop, Source) else pop.model.name)
        for name, pop in net.populations.items()
    ]
    connections = [_row(syn) for syn in net._synapses.values()]
    drives = [(name, repr(drive.section), _value(drive)) for name, drive in net._drives.items()]
    recorders = [(name, type(one).__name__, one.to or "") for name, one in net._recorders.items()]
    return card(
        "Network", "", facts,
        table(("population", "neurons", "model"), populations),
        table(_OF_SYNAPSES, connections),
        table(("drive", "of", "value"), drives),
        table(("recorder", "", "file"), recorders),
        _rasters((repr(one.source), one) for one in net._recorders.values()),
    )  # fmt: skip


def of_synapses(syn: Synapses) -> str:
    """A card of synapses: how many from whom to whom, and the ranges of weights and delays."""
    return card("Synapses", syn.name, _facts(syn), table(_OF_SYNAPSES[1:], [_row(syn)[1:]]))


def of_joined_synapses(syn: JoinedSynapses) -> str:
    """The same of those between several populations, part by part."""
    return card("JoinedSynapses", "", _facts(syn), table(_OF_SYNAPSES, [_row(one) for one in syn.parts]))


def of_drive(drive: Drive | JoinedDrive) -> str:
    """A card of a drive: of whom, with what, through which receptor."""
    through = "" if drive.receptor is None else f"through {drive.receptor!r}"
    return card(type(drive).__name__, "", [f"of {drive.section!r}", _value(drive), through])


def of_joined_recorder(recorder: JoinedRecorder) -> str:
    """A card of what records several populations: its parts, and their rasters."""
    parts = [(one.name, repr(one).strip("<>"), one.to or "") for one in recorder.parts]
    facts = [f"{named(recorder.what)} of {recorder.source!r}"]
    picture = _rasters((repr(one.source), one) for one in recorder.parts)
    return card("JoinedRecorder", "", facts, table(("recorder", "so far", "file"), parts), picture)


def _rasters(recorders: Iterable[tuple[str, object]]) -> str:
    """Those of the first few neurons whose spikes are in memory, each once, by what they are called."""
    spiking = {name: one for name, one in recorders if isinstance(one, SpikeRecorder) and one.to is None}
    return rasters([(name, one.spikes) for name, one in list(spiking.items())[:_RASTERS]])


def _facts(syn: Synapses | JoinedSynapses) -> list[object]:
    """From whom to whom, the receptor and the rules of plasticity."""
    ends = f"{counted(len(syn), 'synapse', ',')} from {syn.source!r} to {syn.target!r}"
    return [ends, f"through {syn.receptor!r}", *_rules(syn)]


def _rules(syn: Synapses | JoinedSynapses) -> tuple[Plasticity, ...]:
    rules = syn.plasticity
    return rules if isinstance(rules, tuple) else () if rules is None else (rules,)


def _row(syn: Synapses) -> tuple[object, ...]:
    """Of a table: without an array per synapse."""
    rows, unit = syn._rows, unit_through(syn.receptor, syn.target.population.model.I.unit)
    weights = span(rows.weights)
    if rows.times is not None:
        delays = span(rows.times)
    elif rows.offsets is None:
        delays = f"{rows.delay * syn._dt:.6g}"
    else:
        steps = np.array([rows.offsets.min(), rows.offsets.max()]) if len(syn) else rows.offsets
        delays = span(steps // syn._targets.lanes * syn._dt)
    learning = " + ".join(type(rule).__name__ for rule in _rules(syn))
    weights = f"{weights} {unit}" if weights else ""
    return syn.name, f"{len(syn):,}", type(syn.receptor).__name__, learning, weights, delays


def _value(drive: Any) -> str:
    value = drive.value
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {span(value)}"
    return repr(value)
