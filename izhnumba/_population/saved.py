"""A population as plain data: what makes it anew and where it is, for copies, pickle and files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from izhnumba._base import paths
from izhnumba._checkpoint import format
from izhnumba._checkpoint.check_alone import check
from izhnumba._checkpoint.check_populations import check_restored
from izhnumba._checkpoint.check_recorders import check_rows
from izhnumba._checkpoint.format import POPULATION, refusing
from izhnumba._population.parameters import arguments_of
from izhnumba._population.run import Run
from izhnumba._record.recorder import Recorder
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import SpikeRecorder

if TYPE_CHECKING:
    from izhnumba._population.population import Population


def description(pop: Population) -> dict[str, Any]:
    """A population without its last run, as a dict of values that a checkpoint can store."""
    return {"arguments": arguments_of(pop), "state": pop._engine.state(), "warned": pop._warned,
            "memory": pop._memory.copy()}  # fmt: skip


def renew(pop: Population, saved: dict[str, Any]) -> None:
    """Make an empty population into the one that was described."""
    with warnings.catch_warnings(action="ignore"):  # that dt is too large has been said
        pop.__init__(**saved["arguments"])  # type: ignore[misc]
    pop._engine.prepare_for(saved["state"])
    pop._engine.restore(saved["state"])
    pop._memory.update(saved["memory"])
    pop._set(_warned=saved["warned"])


def save(pop: Population, path: object) -> None:
    """Write a population to a file."""
    pop._must_not_run()
    with pop._turn:
        pop._end_run()
        run = None if pop._run is None else _recorded(pop._run)
        format.save(path, POPULATION, description(pop) | {"run": run})


def load(kind: type[Population], path: object, define: Sequence[Any]) -> Population:
    """The population of a file. kind: of which it is made."""
    file = paths.file(f"{POPULATION.load}.path", path)
    saved = format.load(file, POPULATION, define)
    with refusing(POPULATION, file):
        check(saved)
        pop: Population = object.__new__(kind)
        renew(pop, saved)
        check_restored(pop._engine, saved["state"], "population/state")
        if saved["run"] is not None:
            pop._set(_run=_run(pop, saved["run"]))
    return pop


def _recorded(run: Run) -> dict[str, Any]:
    """What a run has recorded."""
    states = run.states and {
        "what": list(run.states._sources), "every": run.states._options()["every"], "neurons": run.states.neurons,
        "position": run.states._position(),
    }  # fmt: skip
    return {"began": run.t, "spikes": run.spikes._position(), "states": states}


def _run(pop: Population, saved: dict[str, Any]) -> Run:
    """A run that has ended, with all that it has recorded."""
    engine, states, place = pop._engine, None, "population/run"
    spikes = SpikeRecorder(engine, "spikes", pop.batch)
    _fill(spikes, saved["spikes"], f"{place}/spikes")
    if "windows" not in saved["spikes"]:  # an older file
        spikes._ended = ((engine.time.nearest(saved["began"]), math.inf),)
    spikes._over = True
    if saved["states"] is not None:
        what, every, neurons, position = (saved["states"][key] for key in ("what", "every", "neurons", "position"))
        sources = {name: engine.source_of(name) for name in what}
        states = StateRecorder(place, engine, "states", pop.batch, sources, every, neurons)
        _fill(states, position, f"{place}/states/position")
    run = Run(engine, pop.model, spikes, states, None)
    run.t = saved["began"]
    return run


def _fill(recorder: Recorder, position: dict[str, Any], place: str) -> None:
    check_rows(recorder, position, place)
    recorder._restore(position, None)
