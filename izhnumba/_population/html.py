"""What notebooks show of populations, spike sources and neurons of several populations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from izhnumba._base.html import card, span, table
from izhnumba._base.words import counted
from izhnumba._population.parameters import quantities
from izhnumba._record.html import rasters

if TYPE_CHECKING:
    from izhnumba._population.assembly import Assembly
    from izhnumba._population.population import Population
    from izhnumba._population.source import Source

_PARAMETERS = 20  # at most, with the states


def of_population(pop: Population) -> str:
    """A card of a population: size, model, scheme, states and parameters with units, and the raster of the last run."""
    model, net = pop.model, pop.network
    arranged = f" ({' x '.join(map(str, pop.size))})" if len(pop.size) > 1 else ""
    batch = f", a batch of {pop.batch}" if pop.batch else ""
    step = "" if pop.scheme.exact else f", dt {pop.dt:g} ms"
    facts = [
        f"{counted(pop.n // (pop.batch or 1), 'neuron', ',')}{arranged}{batch} of {model.name}",
        f"scheme {pop.scheme.name}{step}, {pop.dtype.name}, seed {pop.seed}",
        f"t = {pop.t:.6g} ms" + (", in a network" if net is not None else ""),
    ]
    rows = [(name, span(getattr(pop, name)), one.unit, one.meaning) for name, one in model.variables.items()]
    for name, one in quantities(model).items():
        values = np.asarray(getattr(pop, name))
        if name in model.parameters or np.any(values != one.default):
            rows.append((name, span(values), one.unit, one.meaning))
    result = pop.result if net is None else None
    picture = "" if result is None else rasters([("", result.spikes)])
    return card("Population", pop.name, facts, table(("", "value", "unit", ""), rows, _PARAMETERS), picture)


def of_source(source: Source) -> str:
    """A card of a spike source."""
    where = "in a network" if source.network is not None else "in no network yet"
    facts = [counted(source.n, "cell", ","), repr(source).strip("<>"), where]
    return card(type(source).__name__, source.name, facts)


def of_assembly(assembly: Assembly) -> str:
    """A card of neurons of several populations: the parts, and where each is by place."""
    rows = [
        (repr(part), f"{len(part):,}", f"{place.start} to {place.stop - 1}", getattr(part.population, "model", ""))
        for part, place in assembly.slices()
    ]
    named = [(*row[:3], getattr(row[3], "name", "spike source")) for row in rows]
    return card("Assembly", "", [counted(len(assembly), "neuron", ",")], table(("neurons", "", "places", ""), named))
