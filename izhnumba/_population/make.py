"""How a population is made: arguments checked, state allocated, parameters and start drawn, the engine chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.random import streams
from izhnumba._base.turns import Turn
from izhnumba._engine.arrays import StateArrays
from izhnumba._population import parameters as of
from izhnumba._population.engines import engine_with, kind_of, take_engine

if TYPE_CHECKING:
    from izhnumba._population.population import Population

_WITHIN = "Population.run has not ended: until then only V, u and parameters may be set."


def make(
    pop: Population, size: object, model: Any, scheme: object, dt: object, dtype: object, batch: object, reset: object,
    seed: object, threads: object, name: object, V: object, u: object, positions: object,
    given: Mapping[str, object],
) -> None:  # fmt: skip
    """Give a new population all its attributes.

    Parameters
    ----------
    pop : Population
    size, model, scheme, dt, dtype, batch, reset, seed, threads, name, V, u, positions
        As a user passed them to `Population`, unchecked.
    given : dict
        The other keywords: parameters and further states of the model, V_min and tau_ref.
    """
    pop._set(
        **of.checked_arguments(size, model, scheme, dt, dtype, batch, reset, seed, threads, name, given),
        _given=dict(dt=dt, scheme=scheme, seed=seed, threads=threads, name=name),
        _layout=(layout := of.layout_of(positions)),
        _turn=Turn("Population", _WITHIN),
        _network=None,
        _warned=False,  # of the code LEAP
        _run=None,  # the last one
        _memory={},  # of random inputs
        _to_take={},  # parameters that the engine has yet to take, by name
    )
    states = pop.model.states
    start = {"V": V, "u": u} | {one: value for one, value in given.items() if one in states}
    given = {one: value for one, value in given.items() if one not in states}
    n, state = pop.n, StateArrays.of(pop.n, pop.dtype, {one: state.default for one, state in states.items()})
    pop._set(
        _start_given=start,
        _drawn={one: value for one, value in given.items() if of.is_drawn(value)},
        **{one: lanes[:n].reshape(pop.shape) for one, lanes in {"V": state.V, "u": state.u, **state.further}.items()},
        spikes=state.spikes[:n].view(np.bool_).reshape(pop.shape),
        _state=state,
        _highest=float(np.finfo(pop.dtype).max),
    )
    random = streams(pop.seed, pop.name)
    pop._set(positions=layout and layout.placed(pop.size, random("positions")))
    exact = of.initial_parameters(pop, given, random)
    values = {one: of.shown(numbers, pop.dtype) for one, numbers in exact.items()}
    pop._set(**values, _values=values)
    kind = kind_of(pop.scheme, pop.dtype, pop.batch, pop.model)
    take_engine(pop, kind, engine_with(pop, kind, pop.scheme, pop.dt, exact))
    of.put_start(pop, of.start(pop, start, values, random))
    pop.scheme.warn_of("Population.dt", pop.dt, stacklevel=3)
    of.warn_of_reset(pop, values)
    for one in given:  # resting potentials, resets and capacitances: others may have any value
        unit = pop.model.parameters[one].unit if one in ("C", "c", "vr") else ""
        warn_of_base_unit(f"Population.{one}", values[one], unit)
