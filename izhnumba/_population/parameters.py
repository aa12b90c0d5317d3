"""Parameters and initial state of populations: which there are, what values they take, and how neurons start."""

from __future__ import annotations

import math
import secrets
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import users_level
from izhnumba._base.random import Random, streams
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._model.model import Model, u_nullcline
from izhnumba._model.quantity import Quantity
from izhnumba._model.schemes import DEFAULT, schemes
from izhnumba._population import hints
from izhnumba._population.presets import presets
from izhnumba._synapse.distributions import Distribution
from izhnumba._synapse.positions import Layout, Positions, coordinates

if TYPE_CHECKING:
    from izhnumba._population.population import Population

Array = NDArray[Any]
Shape = tuple[int, ...]
_EXTRAS = {  # what every model has besides its parameters
    "V_min": Quantity(-math.inf, "mV", "floor of V"),
    "tau_ref": Quantity(0.0, "ms", "refractory period", at_least=0.0),
}
HABITS = {  # of other simulators and of papers
    "preset": "For a preset write Population(n, **iz.presets[name]).",
    **dict.fromkeys(("i", "i_e", "i_ext", "current"), "Give the current to run or step."),
    **dict.fromkeys(("n", "num", "neurons"), "size"),
    **dict.fromkeys(("method", "integrator", "solver"), "scheme"),
    **dict.fromkeys(("threshold", "v_threshold", "vt", "v_peak", "vpeak"), "V_th"),
    **dict.fromkeys(("refractory", "t_ref", "refractory_period"), "tau_ref"),
    **dict.fromkeys(("reset_value", "v_reset", "vreset"), "c"),
    **dict.fromkeys(("v0", "v_init", "v_m", "vm"), "V"),
    **dict.fromkeys(("u0", "u_init", "u_m"), "u"),
    **dict.fromkeys(("position", "pos", "coordinates", "structure"), "positions"),
}
_ARGUMENTS = ("model", "scheme", "dt", "dtype", "batch", "reset", "seed", "threads", "name", "V", "u", "positions",
              "substeps")  # fmt: skip
OF_POPULATIONS = {*_EXTRAS, *_ARGUMENTS}  # what may be given besides the parameters of a model


def quantities(model: Model) -> dict[str, Quantity]:
    """The parameters of a model, then V_min and tau_ref, by name."""
    return {**model.parameters, **_EXTRAS}


def checked_arguments(
    size: object, model: Any, scheme: object, dt: object, dtype: object, batch: object, reset: object, seed: object,
    threads: object, name: object,
    parameters: Mapping[str, object],
) -> dict[str, Any]:  # fmt: skip
    """The attributes of a population that cannot be changed, by name.

    Parameters
    ----------
    size, model, scheme, dt, dtype, batch, reset, seed, threads, name
        As a user passed them to `Population`, unchecked.
    parameters : dict
        The other keywords, each of which must be a parameter or a further state of the model, V_min or
        tau_ref.
    """
    if not isinstance(model, Model):
        cure = hints.preset(size, model) or "Use izhnumba.Izhikevich."
        checks.refuse("Population.model", model, "an izhnumba.Model", cure)
    known = quantities(model)
    for one in parameters:
        if one not in known and one not in model.states:
            if one == "preset" and (cure := hints.preset(size, parameters[one])):
                raise TypeError(f"Population has no parameter 'preset'. {cure}")
            checks.unknown("Population", one, (*known, *model.states, "size", *_ARGUMENTS), HABITS)
    if size is ...:
        raise TypeError("Population.size must be given, the number of neurons. Write Population(100).")
    if isinstance(size, Mapping) or (isinstance(size, str) and size in presets):
        cure = hints.preset(100, size)
        checks.refuse("Population.size", size, "a whole number >= 1", cure)
    n_size = checks.size("Population.size", size)
    n_batch = None if batch is None else checks.integer("Population.batch", batch, at_least=1)
    scheme_name = checks.one_of("Population.scheme", DEFAULT if scheme is None else scheme, schemes)
    shape = n_size if n_batch is None else checks.size("Population.batch", (n_batch, *n_size))
    attributes = dict(
        model=model,
        size=n_size,
        batch=n_batch,
        shape=shape,
        n=math.prod(shape),
        scheme=schemes[scheme_name],
        dt=checks.number("Population.dt", 0.1 if dt is None else dt, "ms", at_least=SHORTEST_STEP),
        dtype=(number := checks.dtype("Population.dtype", dtype)),
        reset_kind=checks.one_of("Population.reset", reset, ("hard", "soft", "overshoot")),
        seed=secrets.randbits(32) if seed is None else checks.integer("Population.seed", seed, at_least=0),
        threads=None if threads is None else checks.integer("Population.threads", threads, at_least=1),
        name="population" if name is None else checks.kind("Population.name", name, str, "a str"),
    )
    whose = "Population.size" if batch is None else "Population.batch"
    checks.fits(whose, math.prod(shape) * (3 * number.itemsize + 10), "Use fewer neurons or dtype float32.")
    return attributes


def initial_parameters(pop: Population, given: Mapping[str, Any], random: Random) -> dict[str, Array]:
    """All parameters of a population by name, float64, as given or by default. random: as it draws."""
    known = quantities(pop.model)
    return {name: checked_parameter(name, given.get(name, one.default), pop, random) for name, one in known.items()}


def checked_parameter(name: str, value: object, pop: Population, random: Random) -> Array:
    """A parameter in its unit, float64, of shape () or one that broadcasts to the population."""
    where, quantity = f"Population.{name}", quantities(pop.model)[name]
    numbers = drawn(where, value, f"parameter {name}", pop.shape, random)
    try:
        exact = checks.array(
            where, numbers, quantity.unit, (pop.size, pop.shape), finite=math.isfinite(quantity.default),
            above=quantity.above, at_least=quantity.at_least,
        )  # fmt: skip
    except ValueError as error:
        if not isinstance(value, Distribution):
            raise
        raise ValueError(f"{error} It was drawn from {value!r}: use one with other bounds.") from None
    allowed = math.isinf(quantity.default)
    checks.finite(where, np.where(exact == quantity.default, 0.0, exact) if allowed else exact, pop.dtype)
    return exact


def is_drawn(value: object) -> bool:
    """Whether numbers are drawn for it: a distribution, or a function of (rng, shape)."""
    if isinstance(value, (float, int, np.ndarray)):  # the short way
        return False
    return isinstance(value, Distribution) or (callable(value) and not hasattr(value, "__array__"))


def drawn(where: str, value: Any, role: str, shape: Shape, random: Random) -> Any:
    """The numbers that a distribution or a function draws for neurons of this shape; other values as they are. role:
    names the stream of `random`."""
    if not is_drawn(value):
        return value
    if isinstance(value, Distribution):
        return value.draw(random(role), math.prod(shape)).reshape(shape)
    checks.takes(where, value, "rng", "shape")
    return value(random(role), shape)


def shown(exact: Array, dtype: np.dtype[Any]) -> Array:
    """A parameter as a population shows it: of its dtype and read-only."""
    values = np.array(exact, dtype)
    values.flags.writeable = False
    return values


def set_attribute(pop: Population, name: str, value: object) -> None:
    """Set a parameter or a state of a population as a user writes it: `pop.a = 0.1`."""
    if name in pop._values:
        set_parameter(pop, name, value)
    elif name in pop.model.variables:
        vars(pop)[name][...] = checked_state(name, value, pop, streams(pop.seed, pop.name))
    elif hasattr(pop, name):
        raise AttributeError(f"Population.{name} cannot be changed. Make a new population.")
    else:
        checks.unknown("Population", name, (*pop._values, *pop.model.variables), HABITS)


def set_parameter(pop: Population, name: str, value: object) -> None:
    """Change a parameter of a population: what it shows, and what its engine uses."""
    exact = checked_parameter(name, value, pop, streams(pop.seed, pop.name))
    pop._engine.check_parameter(f"Population.{name}", name, exact)
    others = {other: one for other, one in pop._drawn.items() if other != name}
    put_parameters(pop, {name: exact}, others | {name: value} if is_drawn(value) else others)


def put_parameters(pop: Population, exact: dict[str, Array], drawn: dict[str, Any]) -> None:
    """Let a population show and use these parameters. drawn: what numbers were drawn for, of all its parameters."""
    values = {name: shown(one, pop.dtype) for name, one in exact.items()}
    # What is shown, and what the engine has yet to take before the next step, at once: an interrupt may come before.
    pop._set(
        **values, _values=pop._values | values, _drawn=drawn, _to_take=pop._to_take | exact, _call=pop._prepare_step
    )
    hand_over(pop)


def hand_over(pop: Population) -> None:
    """Give the engine the parameters that it has yet to take."""
    for name, exact in pop._to_take.items():
        pop._engine.set_parameter(name, flat(exact, pop.shape))
    if pop._to_take:
        pop._set(_to_take={})


def flat(values: Array, shape: Shape) -> Array:
    """One value for all neurons, or one for each, (n,)."""
    return values if values.ndim == 0 else np.broadcast_to(values, shape).ravel()


def checked_state(name: str, value: object, pop: Population, random: Random) -> Array:
    """A state in its unit, of the population's dtype and of a shape that broadcasts to it. random: as it draws."""
    where = f"Population.{name}"
    numbers = drawn(where, value, name, pop.shape, random)
    exact = checks.array(where, numbers, pop.model.variables[name].unit, (pop.size, pop.shape))
    checks.finite(where, exact, pop.dtype)
    return exact.astype(pop.dtype)


def start(pop: Population, given: Mapping[str, Any], values: Mapping[str, Array], random: Random) -> dict[str, Array]:
    """The initial state from what a user gives for it.

    Parameters
    ----------
    pop : Population
    given : dict
        By name, for some of the states or for all: a number, an array, a distribution, a function of (rng, shape) or
        None, or "nullcline" for u.
    values : dict of ndarray
        Parameters of the population by name.
    random : Random
        Random numbers of the population.

    Returns
    -------
    dict of ndarray
        V, u and further states, of the population's dtype and shape.
    """
    model: Model = pop.model
    start = dict[str, Array]()
    for name, quantity in model.variables.items():
        value = quantity.default if given.get(name) is None else given[name]
        if name == "u" and isinstance(value, str):
            checks.one_of("Population.u", value, ("nullcline",))
            value = 0.0  # until all others are known
        start[name] = np.broadcast_to(checked_state(name, value, pop, random), pop.shape)
    if isinstance(given.get("u"), str):
        u = u_nullcline(model, start["V"].astype(float), _p(model, {**values, **start}))
        start["u"] = np.broadcast_to(checked_state("u", u, pop, random), pop.shape)
    return start


def layout_of(positions: object) -> Layout | None:
    """Where the neurons of a population are, from what a user gives for it."""
    if positions is None or isinstance(positions, Layout):
        return positions
    where = "Population.positions"
    if callable(positions) and not hasattr(positions, "__array__"):  # a class of layouts, or a function
        cure = f"Write {positions.__name__}(...)." if isinstance(positions, type) else "Pass what it returns."
        checks.refuse(where, positions, "an array (n, d), Positions, Grid or Box", cure)
    return Positions(coordinates(where, positions))


def put_start(pop: Population, start: Mapping[str, Array]) -> None:
    """Put a population into its initial state, to which it is reset from now on."""
    put_state(pop, start)
    pop._set(_start={name: vars(pop)[name].copy() for name in start})


def put_state(pop: Population, state: Mapping[str, Array]) -> None:
    """Write V, u and further states, by name, to the arrays of a population."""
    for name, values in state.items():
        vars(pop)[name][...] = values


def warn_of_reset(pop: Population, values: Mapping[str, Array]) -> None:
    """Warn of a neuron that a spike leaves at its threshold or above, so that one spike follows the other."""
    model, shape, u, reset = pop.model, pop.shape, pop.u.astype(float), pop.reset_kind
    soft, p = reset == "soft", _p(model, {**values, **pop._start})
    try:
        with np.errstate(all="ignore"):
            limit = np.broadcast_to(model.threshold(u, p), shape).ravel()
            after = np.broadcast_to(0.0 if soft else model.V_reset(u, p), shape).ravel()
            stuck = after >= limit
    except Exception:  # equations of a user that take numbers and no arrays
        return
    if stuck.any():
        j = int(np.argmax(stuck))
        cure = "the reset 'hard' for a threshold that is not above 0" if soft else "a c below the threshold"
        warnings.warn(
            f"Population: a spike leaves neuron {j} at {after[j]:g} mV by the reset {reset!r}, not below its threshold "
            f"of {limit[j]:g} mV: it fires again as soon as it can. Use {cure}.",
            stacklevel=users_level(),
        )


def _p(model: Model, values: Mapping[str, Array]) -> Any:
    """The named tuple of parameters and further states that the equations of a model take, float64."""
    return model.named_tuple()(*(np.asarray(values[name], float) for name in (*model.parameters, *model.states)))


def arguments_of(pop: Population) -> dict[str, Any]:
    """The arguments of `Population` that make such a population again, as `reset` would leave this one."""
    names = ("size", "model", "dt", "batch", "seed", "threads", "name")
    arguments = {name: getattr(pop, name) for name in names} | pop._values
    given = dict(scheme=pop.scheme.name, dtype=pop.dtype.name, reset=pop.reset_kind)
    return arguments | given | pop._start | ({} if pop.positions is None else {"positions": pop.positions})
