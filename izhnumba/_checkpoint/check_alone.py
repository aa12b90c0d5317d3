"""Checks of the file of a population by itself, before anything is made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from izhnumba._base.saved import Saved
from izhnumba._checkpoint.check_populations import OF_NETWORK, Frame, check_population
from izhnumba._checkpoint.check_synapses import check_events
from izhnumba._model.schemes import schemes

_STATE = ("arguments", "state", "warned")  # what it has in a network, too


def check(population: dict[str, Any]) -> None:
    """Raise a Misfit if the parts of a population, as `format.load` returns it, do not fit together."""
    top = Saved(population, "population", (*_STATE, "memory", "run"))
    arguments = Saved(population["arguments"], top.at("arguments"), OF_NETWORK, population["arguments"])
    dt = arguments.real("dt", math.ulp(0.0))
    exact = schemes[arguments.one_of("scheme", schemes)].exact
    arguments.kind("name", str, "a text")
    if arguments.value["threads"] is not None:
        arguments.integer("threads", 1)
    batch = None if arguments.value["batch"] is None else arguments.integer("batch", 1)
    arguments.require(batch is None or not exact, "batch", "be None with the scheme 'exact'")
    frame = Frame(dt, exact, arguments.integer("seed", 0, 10**4000), _now(top, exact))
    own = {name: value for name, value in arguments.value.items() if name not in OF_NETWORK}
    inner = {name: population[name] for name in _STATE} | {"arguments": own}
    found = check_population(inner, "population", frame, batch)
    state = Saved(population["state"], top.at("state"), population["state"])
    if exact:
        check_events(state, frame, found, "population", [])
    else:
        state.require(not found.receptors, "receptors", "be none of a population by itself")
    for stream in top.kind("memory", dict, "a dict"):  # what is in it is looked at by the input that takes it
        top.require(type(stream) is int, "memory", "have numbers as keys", stream)
    if population["run"] is not None:
        _check_run(top.part("run", ("began", "spikes", "states")), list(arguments.value["model"].variables))


def _now(top: Saved, exact: bool) -> float:
    """The present in the state of the engine: steps, or ms if it is exact."""
    state = Saved(top.value["state"], top.at("state"), ("now" if exact else "count",), top.value["state"])
    return state.real("now", 0.0) if exact else int(state.array("count", np.int64, (2,), low=0)[0])


def _check_run(run: Saved, known: list[str]) -> None:
    """Check the arguments with which recorders are made again; their rows are compared with these then. known: names of
    states."""
    run.real("began", 0.0)
    if run.value["states"] is not None:
        states = run.part("states", ("what", "every", "neurons", "position"))
        what = states.kind("what", list, "names of states")
        good = what and what == [name for name in known if name in what]
        states.require(good, "what", f"be names in {known}", what)
        states.real("every", 0.0)
        states.kind("neurons", np.ndarray, "an array")
