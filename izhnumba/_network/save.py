"""A network as plain data for a checkpoint: the arguments that make each of its parts anew, and its state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from izhnumba._checkpoint import format
from izhnumba._checkpoint.check_populations import OF_NETWORK
from izhnumba._network.run import bind, catch_up, check_weights
from izhnumba._population.parameters import arguments_of
from izhnumba._population.section import Section

if TYPE_CHECKING:
    from izhnumba._network.drives import Drive
    from izhnumba._network.network import Network
    from izhnumba._network.synapses import Synapses
    from izhnumba._population.population import Population
    from izhnumba._population.source import Source
    from izhnumba._record.recorder import Recorder


def save(net: Network, path: object) -> None:
    """Write a network to a file."""
    catch_up(net)
    check_weights(net, math.inf)
    if net._bound[0]:
        bind(net)
    format.save(path, format.NETWORK, description(net))


def description(net: Network) -> dict[str, Any]:
    """A network as a dict of values that a checkpoint can store."""
    sources = {"sources": {name: _source(one) for name, one in net._sources.items()}} if net._sources else {}
    return {
        "arguments": {"dt": net.dt, "scheme": net.scheme.name, "seed": net.seed, "threads": net.threads},
        "now": net._clock.now,
        "bound": bool(net._bound[0]),  # whether its clock has been made ready: then it may hold receptors at rest
        "populations": {name: _population(pop) for name, pop in net._populations.items()},
        "synapses": {name: _synapses(syn) for name, syn in net.synapses.items()},
        "drives": {name: _drive(one) for name, one in net.drives.items()},
        "recorders": {name: _recorder(net, recorder) for name, recorder in net.recorders.items()},
    } | sources


def _population(pop: Population) -> dict[str, Any]:
    arguments = {name: value for name, value in arguments_of(pop).items() if name not in OF_NETWORK}
    return {
        "arguments": arguments,
        "state": pop._engine.state(),
        "warned": pop._warned,
    }


def _source(one: Source) -> dict[str, Any]:
    return {"kind": type(one).__name__, "arguments": one._arguments(), "state": one._engine.state(),
            "memory": one._memory}  # fmt: skip


def _section(section: Section) -> list[Any]:
    if not section.consecutive:
        return [section.population.name, section.neurons]
    covers = len(section) == section.population.n
    flat = [False] if covers and not section.whole else []  # of all others it follows from their length
    return [section.population.name, section.start, section.stop, *flat]


def _synapses(syn: Synapses) -> dict[str, Any]:
    rows, plastic, release, shared = syn._rows, syn._plastic, syn._release, syn._projection.shared
    by = [{"by": _section(one), "amount": amount} for one, amount in syn._modulated_by]
    return (
        ({"release": release.state()} if release else {})
        | ({"modulated_by": by} if by else {})
        | {
            "source": _section(syn.source),
            "target": _section(syn.target),
            "receptor": syn.receptor,
            "rule": syn._rule,
            "rows": dict(rows._asdict()),
            "plasticity": syn.plasticity,
            "first_weights": plastic.first_weights() if plastic else None,
            "state": plastic.state() if plastic else shared.state() if shared else None,
        }
    )


def _drive(drive: Drive) -> dict[str, Any]:
    through = {} if drive.receptor is None else {"receptor": drive.receptor}
    return {"section": _section(drive.section), "value": drive.value, "ordinal": drive._ordinal,
            "memory": drive._memory} | through  # fmt: skip


def _recorder(net: Network, recorder: Recorder) -> dict[str, Any]:
    source: Any = recorder.source
    drives = [name for name, one in net._drives.items() if one is source]
    source = {"drive": drives[0]} if drives else _section(source) if isinstance(source, Section) else source.name
    to = None if recorder.to is None else str(recorder.to)
    return {"source": source, "what": recorder.what, "options": recorder._options(), "to": to,
            "position": recorder._position()}  # fmt: skip
