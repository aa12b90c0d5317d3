"""Checks that the parts of a checkpoint fit together, before anything is made of it.

Kernels trust the numbers that they are given. So every row, offset, cursor and event is compared with the size of the
array that it points into.
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

import numpy as np

from izhnumba._base.random import stream_key
from izhnumba._base.saved import Saved
from izhnumba._base.words import counted
from izhnumba._checkpoint.check_populations import Frame, SavedPopulation, check_population, part_of
from izhnumba._checkpoint.check_sources import check_source
from izhnumba._checkpoint.check_synapses import Projection, check_events, check_synapses
from izhnumba._exact.kernels import layout
from izhnumba._input import noise, spike_trains
from izhnumba._input.door import is_ours
from izhnumba._input.input import Input
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._model.schemes import schemes
from izhnumba._record.reductions import StateReduction
from izhnumba._record.sampler import Sampler
from izhnumba._synapse.injected import injected
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.trains import as_trains


def check(network: dict[str, Any]) -> None:
    """Raise a Misfit if the parts of a network, as `format.load` returns it, do not fit together."""
    parts = "arguments", "now", "populations", "synapses", "drives", "recorders"
    top = Saved(network, "network", parts, ("bound", "sources"))
    if "bound" in network:
        top.kind("bound", bool, "True or False")
    arguments = top.part("arguments", ("dt", "scheme", "seed", "threads"))
    dt = arguments.real("dt", math.ulp(0.0))
    exact = schemes[arguments.one_of("scheme", schemes)].exact
    seed = arguments.integer("seed", 0, 10**4000)
    if arguments.value["threads"] is not None:
        arguments.integer("threads", 1)
    frame = Frame(dt, exact, seed, top.real("now", 0.0) if exact else top.integer("now", 0))
    populations = {name: check_population(one, place, frame) for name, one, place in top.named("populations")}
    neurons = list(populations)
    if "sources" in network:
        for name, one, place in top.named("sources"):
            top.require(name not in populations, "sources", "have other names than populations", name)
            populations[name] = check_source(one, name, place, frame)
    key, projections = layout.FIRST_KEY, list[Projection]()
    for _, one, place in top.named("synapses"):
        projections.append(check_synapses(one, place, frame, populations, key))
        key += one["rows"]["weights"].size
    if exact:
        for name, one, place in top.named("populations"):
            check_events(
                Saved(one["state"], f"{place}/state", one["state"]), frame, populations[name], name, projections
            )
    ordinals: dict[str, set[int]] = {name: set() for name in neurons}
    for _, one, place in top.named("drives"):
        _drive(one, place, frame, populations, ordinals)
    for _, one, place in top.named("recorders"):
        _recorder(one, place, populations, network)


def _drive(
    one: dict[str, Any],
    place: str,
    frame: Frame,
    populations: dict[str, SavedPopulation],
    ordinals: dict[str, set[int]],
) -> None:
    saved = Saved(one, place, ("section", "value", "memory"), ("ordinal", "receptor"))
    part, value = part_of(saved, "section", populations), saved.value["value"]
    saved.require(part.name in ordinals, "section", "be neurons, not of a spike source")
    saved.kind("value", (Input, int, float, np.ndarray), "a number, an array or an input")
    if "receptor" in one:
        receptor = saved.kind("receptor", Receptor, "a receptor")
        good = frame.exact or injected(receptor) in part.population.receptors
        saved.require(good, "receptor", "be that of one of its population", receptor)
    if isinstance(value, np.ndarray):
        saved.require(value.dtype.kind in "fiu", "value", "be an array of numbers")
    taken = ordinals[part.name]
    ordinal = saved.integer("ordinal", 0) if "ordinal" in one else max(taken, default=-1) + 1
    saved.require(ordinal not in taken, "ordinal", "be another one than those of the drives before")
    taken.add(ordinal)
    stream = stream_key(frame.seed, part.name, "input", ordinal)[1]
    if isinstance(value, SpikeInput):
        known_one = as_trains(value.receptor, stream) in part.population.receptors
        saved.require(known_one, "value", "have a receptor of its population", value)
    known = {(stream + k) % 2**32 for k in range(getattr(value, "_streams", 0))}
    memory = saved.kind("memory", dict, "a dict")
    if not is_ours(value):
        return  # the memory of a user's input may be anything
    saved.require(set(memory) <= known, "memory", f"be of the random streams {sorted(known)}", sorted(memory, key=str))
    for stream, states in memory.items():
        where = Saved(memory, saved.at("memory"), memory)
        for when, values in where.kind(stream, dict, "a dict of states by time").items():
            good = (spike_trains if frame.exact else noise).is_state(when, values, len(part))
            where.require(good, str(stream), f"be states of {counted(len(part), 'neuron')}", states)


def _recorder(
    one: dict[str, Any], place: str, populations: dict[str, SavedPopulation], network: dict[str, Any]
) -> None:
    saved = Saved(one, place, ("source", "what", "options", "to", "position"))
    if isinstance(one["source"], str):
        saved.require(one["source"] in network["synapses"], "source", "be synapses of the network")
    elif isinstance(one["source"], dict):
        name = saved.part("source", ("drive",)).kind("drive", str, "the name of a drive")
        saved.require(name in network["drives"], "source", "be a drive of the network")
    else:
        part_of(saved, "source", populations)
    what = saved.kind("what", (str, list, Sampler, StateReduction, FunctionType), "what is recorded")
    named = isinstance(what, (str, list))
    saved.require(not named or all(isinstance(name, str) for name in what), "what", "be texts")
    options = saved.kind("options", dict, "a dict")
    saved.require({"start", "stop"} <= set(options), "options", "have start and stop")
    for name in ("start", "stop"):
        saved.require(type(options[name]) in (int, float), "options", f"have a number as {name}", options[name])
    if one["to"] is not None:
        saved.require(saved.kind("to", str, "a path or None") and "\0" not in one["to"], "to", "be a path")
        saved.require(what != "rate" and not isinstance(what, Sampler), "to", "be None for a rate or a Sampler")
