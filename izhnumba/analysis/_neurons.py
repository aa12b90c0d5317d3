"""Neurons that are looked at, at rest, and the scheme that advances them: "exact", or their own where that cannot."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._model.model import Model
from izhnumba._population.population import Population
from izhnumba._population.presets import Preset
from izhnumba.analysis._bifurcations import has_closed_form, stable_point
from izhnumba.analysis._phase_plane import FixedPoint, points_of

Array = np.ndarray[Any, np.dtype[Any]]
_V = (-120.0, 60.0)  # mV, between which fixed points are searched for
_STILL = 1e-6  # slope of V at a fixed point, as a share of that a mV beside it


class Neurons(NamedTuple):
    """Neurons at rest.

    arguments: of a population: parameters, V and u of shape (n,), model and reset; scheme, dt (ms): their own.
    """

    arguments: dict[str, Any]
    scheme: str
    dt: float

    @property
    def n(self) -> int:
        return len(self.arguments["V"])

    def one(self, index: int) -> Neurons:
        """A single one of them, to be repeated."""
        chosen = {name: value[index] if np.ndim(value) else value for name, value in self.arguments.items()}
        return self._replace(arguments=chosen)

    def population(self, n: int, owner: str, duration: float) -> Population:
        """A population of n, to be run for `duration` ms: of the scheme "exact" if it takes them, else of their own.
        owner: of the argument `duration`."""
        with warnings.catch_warnings(action="ignore"):  # what is strange has been said of their own population
            try:
                return Population(n, scheme="exact", **self.arguments)
            except ValueError:  # the arguments are good: they come from a population
                if self.scheme == "exact":
                    raise
            checks.steps(f"{owner}.duration", duration, self.dt, at_least=1)
            return Population(n, scheme=self.scheme, dt=self.dt, **self.arguments)


def dt_of(population: Population) -> float | None:
    """The time step of a population, ms; None if it has none."""
    return None if population.scheme.exact else population.dt


def resting(owner: str, neuron: Any) -> Neurons:
    """The neurons that a user passes to `owner`, each at rest without input, or where it starts if it has no rest, or
    states beside V and u."""
    if not isinstance(neuron, Population):
        given: dict[str, Any] = {"model": neuron} if isinstance(neuron, Model) else dict(neuron)
        published = {"scheme": neuron.scheme, "dt": neuron.dt} if isinstance(neuron, Preset) else {}
        neuron = Population(1, **given | published | {"batch": None})  # a mapping stands for one neuron
    start = neuron._start
    if not neuron.model.states:
        rest = stable_point(owner, neuron) if has_closed_form(neuron) else _searched(neuron)
        start = {name: np.where(np.isnan(point), start[name], point) for name, point in zip("Vu", rest, strict=True)}
    values = {**neuron._values, **start}
    flat = {name: np.broadcast_to(value, neuron.shape).ravel().astype(float) for name, value in values.items()}
    return Neurons({"model": neuron.model, "reset": neuron.reset_kind, **flat}, neuron.scheme.name, neuron.dt)


def _searched(neuron: Population) -> tuple[Array, Array]:
    """V and u of the stable fixed point of each neuron that is nearest to the V at which it starts; NaN if there is
    none. Neurons that are alike are searched together."""
    model, names = neuron.model, [*neuron.model.parameters]
    columns = [np.broadcast_to(values, neuron.shape).ravel() for values in (*map(neuron._values.get, names),
                                                                            neuron._start["V"])]  # fmt: skip
    different, which = np.unique(np.array(columns, float), axis=1, return_inverse=True)
    found = np.full((2, different.shape[1]), np.nan)
    for k, (*values, V) in enumerate(different.T):
        p = model.named_tuple()(*map(float, values))
        points = points_of(model, p, 0.0, min(_V[0], V - 1.0), max(_V[1], V + 1.0))
        stable = [point for point in points if point.stable and _is_still(model, p, point)]
        if stable:
            nearest = min(stable, key=lambda point: abs(point.V - V))
            found[:, k] = nearest.V, nearest.u
    V, u = found[:, which.ravel()].reshape(2, *neuron.shape)
    return V, u


def _is_still(model: Model, p: object, point: FixedPoint) -> bool:
    """Whether V stays at a point that was found as if V' were linear in u."""
    here, beside = (abs(model.derivatives(V, point.u, 0.0, p)[0]) for V in (point.V, point.V + 1.0))
    return bool(here <= _STILL * (1.0 + beside))
