"""Runs of a population by itself: from what `Population.run` is given to a result, and to states in between."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import users_level
from izhnumba._engine.codes import BUSY, FAILURE, LEAP
from izhnumba._engine.progress import progress_shown
from izhnumba._engine.protocol import Inputs, PopulationEngine
from izhnumba._engine.run_loop import Slices, run_slices
from izhnumba._model.model import Model
from izhnumba._population.parameters import put_state
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import StateReduction
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder, state_names
from izhnumba._record.spikes import SpikeRecorder

if TYPE_CHECKING:
    from izhnumba._population.population import Population

Array = NDArray[Any]


class Run:
    """The last run of a population: its recorders and, for `state_at`, where it began and what came in."""

    def __init__(
        self, engine: PopulationEngine, model: Model, spikes: SpikeRecorder,
        states: StateRecorder | ReductionRecorder | None, origin: tuple[dict[str, Any], Inputs] | None,
    ) -> None:  # fmt: skip
        self.origin, self.t = origin, engine.time.ms(engine.now)
        self.recorders = [spikes] if states is None else [states, spikes]
        self.spikes, self.states, self._model = spikes, states, model
        self._result: Result | None = None

    def catch_up(self) -> None:
        """Let the recorders store spikes and samples that an interrupt has left in the engine."""
        for recorder in self.recorders:
            recorder._end_interrupted()

    def result(self, going_on: bool) -> Result:
        """The Result recorded so far, or, after the run, of all of it, which is the same object each time."""
        if self._result is not None:
            return self._result
        states = None if self.states is None else self.states.samples
        found = Result(self._model, self.spikes.spikes, states)
        if not going_on:
            self._result = found
            for one in [*vars(found).values(), *vars(found.spikes).values()]:
                if isinstance(one, np.ndarray):  # no rows will follow: they are the caller's
                    one.flags.writeable = True
        return found


def run(
    pop: Population,
    T: object,
    inputs: Inputs,
    record: str | Sequence[str] | StateReduction,
    every: object,
    neurons: object,
    progress: object,
) -> set[int]:
    """Advance by T, with a new `Run` as `pop._run`. Returns the codes of the engine.

    Parameters
    ----------
    pop : Population
    inputs : Inputs
    T, record, every, neurons, progress
        As a user passed them to `Population.run`, unchecked.
    """
    where, engine = "Population.run", pop._engine
    stop = engine.time.after(f"{where}.T", engine.now, T)
    shown = progress_shown(f"{where}.progress", progress)
    states = _state_recorder(where, pop, record, every, neurons)
    spikes = SpikeRecorder(engine, "spikes", pop.batch)
    feeds = pop._kind.feeds(where, pop, stop, inputs)
    origin = (pop._saved(), inputs) if pop._kind.dense_output else None
    this = Run(engine, pop.model, spikes, states, origin)
    for recorder in this.recorders:
        recorder._start_run(stop)
    pop._forget_call()
    pop._set(_run=this)
    with shown as show:
        return run_slices(Slices(engine, stop, feeds, this.recorders, pop.threads), show)


def _state_recorder(
    where: str, pop: Population, record: Any, every: object, neurons: object
) -> StateRecorder | ReductionRecorder | None:
    """The recorder of states, or of what one of them is reduced to, if any is wanted."""
    if isinstance(record, StateReduction):
        name = checks.one_of(f"{type(record).__name__}.state", record.state, pop.model.variables)
        source = pop._engine.source_of(name)
        return ReductionRecorder(
            where, pop._engine, "states", pop.batch, record, source, every, neurons, slice(None), pop
        )
    none = isinstance(record, tuple) and not record
    names = () if none else state_names(f"{where}.record", record, pop.model)
    if names:
        sources = {name: pop._engine.source_of(name) for name in names}
        return StateRecorder(where, pop._engine, "states", pop.batch, sources, every, neurons)
    for option, value in {"every": every, "neurons": neurons}.items():
        if value is not None:
            raise ValueError(
                f"{where}.{option} must come with record, got {checks.shown(value)} alone. Pass record=['V']."
            )
    return None


def rewind(pop: Population) -> None:
    """Put a population back to time 0, with its initial state."""
    put_state(pop, pop._start)
    pop._engine.rewind()
    pop._memory.clear()
    if pop._run is not None:
        pop._run.origin = None


def state_at(pop: Population, t: object) -> tuple[Array, Array]:
    """V and u, shape (*shape of t, *Shape), at times t, ms, of the last run: read off a second one."""
    pop._must_not_run()
    where = "Population.state_at"
    times = checks.array(f"{where}.t", t, "ms", [np.shape(checks.magnitude(f"{where}.t", t, "ms"))])
    if not pop._kind.dense_output:
        raise ValueError(f"{where} must have the scheme 'exact', got {pop.scheme.name!r}. Record V in run instead.")
    last: Run | None = pop._run
    start = pop.t if last is None or last.origin is None else last.t
    if times.size and not start <= times.min() <= times.max() <= pop.t:
        raise ValueError(
            f"{where}.t must be between {start:g} and {pop.t:g} ms, the last run, got "
            f"{times.min() if times.min() < start else times.max():g}."
        )
    saved, inputs = (last and last.origin) or (pop._saved(), Inputs(0.0))
    twin: Any = object.__new__(type(pop))
    twin.__setstate__(saved)
    V, u = np.empty((2, times.size, *pop.shape))
    for k in np.argsort(times, axis=None):
        when = times.ravel()[k]
        if when > twin.t:
            feeds = twin._kind.feeds("Population.run", twin, when, inputs)
            run_slices(Slices(twin._engine, when, feeds, [], 1))
        V[k], u[k] = twin.V, twin.u
    return V.reshape(*times.shape, *pop.shape), u.reshape(*times.shape, *pop.shape)


def report(pop: Population, codes: set[int], about_synapses: Callable[[], str] = lambda: "") -> None:
    """Raise the error, or warn once, as the codes of an engine say. about_synapses: words for what to do about those
    that reach the population."""
    if BUSY in codes:
        raise RuntimeError(pop._turn.elsewhere)
    if FAILURE in codes:
        whose = "" if pop.network is None else f"{pop.name}: "
        failure = pop._engine.failure()
        cure = f"Use {failure.cure}{about_synapses()}; reset() starts again."
        raise RuntimeError(f"{whose}{failure.what} {cure}")
    if LEAP in codes and not pop._warned:
        pop._set(_warned=True)
        warnings.warn(pop._engine.warning(), stacklevel=users_level())
