"""Parts of a network by name: how they are named and found, how populations are added and others taken out."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

from izhnumba._base import checks
from izhnumba._base.keywords import known_keywords
from izhnumba._base.words import counted
from izhnumba._input.input import Input
from izhnumba._population.engines import join
from izhnumba._population.population import Population
from izhnumba._population.section import Section
from izhnumba._population.source import Source

if TYPE_CHECKING:
    from izhnumba._network.network import Network

Added = TypeVar("Added", Population, Source)
network_keywords = known_keywords("Network", **dict.fromkeys(("method", "integrator", "solver"), "scheme"))
connect_keywords = known_keywords(
    "Network.connect",
    **dict.fromkeys(("p", "prob", "probability"), "As the rule pass iz.FixedProbability(0.1)."),
    condition="As the rule pass iz.AllToAll(autapses=False), a matrix of 0 and 1, or pairs (pre, post).",
    **dict.fromkeys(("conn", "connectivity", "connector", "conn_spec", "i", "j"), "rule"),
    **dict.fromkeys(("w", "g_max", "weights", "w_init"), "weight"),
    delays="delay",
    **dict.fromkeys(("syn_spec", "synapse_type", "receptor_type", "syn", "tau"), "receptor"),
    **dict.fromkeys(("stdp", "rules"), "plasticity"),
)


def new_name(where: str, name: object, default: str, taken: Collection[str]) -> str:
    """The name that a user gives, which must be new, or the default, with a number if that is taken."""
    if name is None:
        numbered = (f"{default}#{k}" for k in itertools.count(1))
        return next(free for free in itertools.chain([default], numbered) if free not in taken)
    checks.kind(where, name, str, "a str")
    if name in taken:
        raise ValueError(f"{where} must be new in this network, got {name!r}. Choose another name.")
    return str(name)


def section_in(net: Network, where: str, value: object) -> Section:
    """A population or spike source of a network, or chosen neurons of one, as a section."""
    part = Section(value, range(value.n), whole=True) if isinstance(value, (Population, Source)) else value
    if not isinstance(part, Section):
        raise TypeError(
            f"{where} must be a Population or neurons of one, got {checks.shown(value)}. Pass pop or pop[a:b]."
        )
    if part.population.network is not net:
        raise ValueError(f"{where} must be in this network, got {part!r}. Add it first.")
    return part


def neurons_in(net: Network, where: str, value: object, cure: str) -> Section:
    """The same but for spike sources, which are refused. cure: what to do with one."""
    part = section_in(net, where, value)
    if isinstance(part.population, Source):
        raise TypeError(f"{where} must be neurons, got {part!r} of the spike source {part.population!r}. {cure}")
    return part


def add(net: Network, population: Added, name: object) -> Added:
    """Take a population or a spike source into a network."""
    where = "Network.add.population"
    cure = "Drive a population with it: net.drive(pop, input)." if isinstance(population, Input) else ""
    checks.kind(where, population, (Population, Source), "a Population, PoissonSource or SpikeSource", cure)
    if population.network is not None:
        raise ValueError(f"{where} must be in no network yet, got {population.name!r} of one.")
    wanted = population._given["name"] if name is None else name
    if isinstance(population, Source):
        name = new_name("Network.add.name", wanted, "source", net.populations)
        population._join(net, name)
        net._sources[name] = population
    else:
        name = new_name("Network.add.name", wanted, "population", net.populations)
        join(population, net, name)
        net._populations[name] = population
    return population


def summary(net: Network) -> str:
    """Text of `repr`: how many neurons, populations, spike sources and synapses, and t in ms."""
    cells, sources = net._populations.values(), net._sources
    words = [f"{counted(sum(pop.n for pop in cells), 'neuron')} in {counted(len(cells), 'population')}"]
    words += [counted(len(sources), "spike source")] if sources else []
    words += [counted(sum(map(len, net.synapses.values())), "synapse"), f"t = {net.t:g} ms"]
    return f"<network: {', '.join(words)}>"
