"""The factory of engines: the one place where a scheme decides which of the two advances a population or a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.random import streams
from izhnumba._clock import inputs as clock_inputs
from izhnumba._clock.engine import ClockEngine
from izhnumba._clock.network import ClockNetwork
from izhnumba._clock.source import ClockSource
from izhnumba._clock.step import ClockStepper
from izhnumba._engine.arrays import StateArrays
from izhnumba._engine.protocol import Feeds, Incoming, PopulationEngine, SourceEngine, Stepper
from izhnumba._exact import inputs as exact_inputs
from izhnumba._exact.engine import ExactEngine
from izhnumba._exact.network import ExactNetwork
from izhnumba._exact.source import ExactSource
from izhnumba._exact.step import ExactStepper
from izhnumba._input.sources import Trains
from izhnumba._input.target import Target
from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme
from izhnumba._population.parameters import checked_parameter, flat, put_parameters, put_start, start

if TYPE_CHECKING:
    from izhnumba._population.population import Population

Array = NDArray[Any]


class EngineKind(NamedTuple):
    """An engine, as constructors of its parts.

    population: (model, scheme, reset, n, dt, state arrays) -> the engine of a population
    stepper: (its engine, shape, threads) -> single steps of a population by itself
    feeds: (where, population, stop, inputs) -> the inputs of a run of a population by itself
    network: (dt) -> the engine of a network
    source: (n, engine of a network) -> the engine of a spike source in it
    trains: (what a source sends, to n cells, their engine) -> the same, as the engine has it
    drive: (where, value as checked, engine of a population, index of neurons, receptor through which a value that is
        no spikes acts, or None) -> a drive of a network, as the engine has it, and the state of the receptor through
        which it comes, None for a current
    network_feeds: (engine of a network, drives) -> the inputs of a run of a network
    dense_output: whether V and u are defined between steps, so that `Population.state_at` can give them
    """

    population: Callable[[Model, Scheme, str, int, float, StateArrays], PopulationEngine]
    stepper: Callable[[Any, tuple[int, ...], int | None], Stepper]
    feeds: Callable[..., Feeds]
    network: Callable[[float], Any]
    source: Callable[[int, Any], SourceEngine]
    trains: Callable[[Trains, Target, Any], Any]
    drive: Callable[..., Any]
    network_feeds: Callable[[Any, Sequence[Incoming]], Feeds]
    dense_output: bool


_CLOCK = EngineKind(
    population=ClockEngine, stepper=ClockStepper, feeds=clock_inputs.population_feeds, network=ClockNetwork,
    source=ClockSource, trains=clock_inputs.trains,
    drive=clock_inputs.drive, network_feeds=clock_inputs.network_feeds, dense_output=False,
)  # fmt: skip
_EXACT = EngineKind(
    population=ExactEngine, stepper=ExactStepper, feeds=exact_inputs.population_feeds, network=ExactNetwork,
    source=ExactSource, trains=exact_inputs.trains,
    drive=exact_inputs.drive, network_feeds=exact_inputs.network_feeds, dense_output=True,
)  # fmt: skip


def kind_of(
    scheme: Scheme, dtype: np.dtype[Any] | None = None, batch: int | None = None, model: Model | None = None
) -> EngineKind:
    """The engine that advances by this scheme. dtype, batch, model: of a population, refused if the engine cannot take
    it."""
    if not scheme.exact:
        return _CLOCK
    if model is not None and model.states:
        raise ValueError(
            f"Population.model must have no states beside V and u with the scheme 'exact', got {model.name} with "
            f"{', '.join(model.states)}. Use a clock scheme such as 'rk4'."
        )
    for argument, good, value, wanted, cure in (
        ("dtype", dtype in (None, np.float64), dtype, "float64", "Spike times to rounding take double precision."),
        ("batch", batch is None, batch, "None", "Make one population of all copies."),
    ):
        if not good:
            raise ValueError(f"Population.{argument} must be {wanted} with the scheme 'exact', got {value}. {cure}")
    return _EXACT


def engine_with(
    pop: Population, kind: EngineKind, scheme: Scheme, dt: float, values: Mapping[str, Array]
) -> PopulationEngine:
    """An engine that advances the state of a population with these parameters, or an error if it cannot take them."""
    engine = kind.population(pop.model, scheme, pop.reset_kind, pop.n, dt, pop._state)
    for name, value in values.items():
        engine.check_parameter(f"Population.{name}", name, value)
        engine.set_parameter(name, flat(value, pop.shape))
    engine.check_parameters()
    return engine


def take_engine(pop: Population, kind: EngineKind, engine: PopulationEngine, **attributes: Any) -> None:
    """Let an engine advance a population from now on. attributes: of the population, that change with it."""
    stepper = kind.stepper(engine, pop.shape, pop.threads)
    pop._set(
        **attributes, _kind=kind, _engine=engine, _stepper=stepper, _call=pop._prepare_step,
        _form=engine.empty, _empty=engine.empty,
    )  # fmt: skip


def join(pop: Population, network: Any, name: str) -> None:
    """Make a population part of a network, under this name: it takes over the network's clock, scheme and seed."""
    pop._must_not_run()
    _check_joining(pop, network, name)
    random = streams(network.seed, name)
    drawn = {one: checked_parameter(one, value, pop, random) for one, value in pop._drawn.items()}
    values = pop._values | drawn
    state, layout = start(pop, pop._start_given, values, random), pop._layout
    positions = layout and layout.placed(pop.size, random("positions"))
    kind, engine = kind_of(network.scheme, pop.dtype, model=pop.model), pop._engine
    if kind is not pop._kind or drawn:
        other = engine_with(pop, kind, network.scheme, network.dt, values)  # or the error, before anything changes
        engine = engine if kind is pop._kind else other
    clock = dict(dt=network.dt, scheme=network.scheme, seed=network.seed, threads=network.threads, name=name)
    take_engine(pop, kind, engine, **clock, positions=positions)
    engine.set_clock(pop.scheme, pop.dt)
    put_parameters(pop, {"tau_ref": pop.tau_ref} | drawn, pop._drawn)  # tau_ref: another number of steps
    put_start(pop, state)
    pop._set(_network=network)


def _check_joining(pop: Population, network: Any, name: str) -> None:
    """Refuse a population that cannot take over the clock and the seed of a network, in which it is to be `name`."""
    if pop.batch is not None:
        raise ValueError(f"Population.batch must be None in a network, got {pop.batch}. Make a network per entry.")
    if pop.t != network.t:
        raise ValueError(
            f"Population must be at t = {network.t:g} ms like the network, got {pop.t:g} ms. Reset both, or add it "
            "before they run."
        )
    for argument, given in pop._given.items():
        wanted = name if argument == "name" else getattr(network, argument)
        wanted = getattr(wanted, "name", wanted)
        if given is not None and given != wanted:
            raise ValueError(
                f"Population.{argument} must be {wanted!r} like the network's, got {given!r}. Give it to the Network, "
                "or leave it out."
            )
