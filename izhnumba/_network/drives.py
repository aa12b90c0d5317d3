"""Drives: what comes to the populations of a network from outside, as feeds of its clock."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.sealed import Sealed
from izhnumba._base.turns import Turn
from izhnumba._clock.inputs import Feed, feed
from izhnumba._clock.receptors import ReceptorState
from izhnumba._exact.inputs import Current, ExactFeeds, Source, Spikes, current_of, spikes_of
from izhnumba._exact.network import ExactNetwork
from izhnumba._input.door import broadcasts, misfit, refuse_function
from izhnumba._input.input import Input, Sum
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._population.section import Section

Array = NDArray[Any]


class Drive(Sealed):
    """An input to a population or a slice of one. Made by `Network.drive`.

    Attributes
    ----------
    value : float, array or input object
        It can be set between runs.
    section : slice of a population
    """

    _turn: Turn | None = None  # of its network
    _value: Any
    _unit: str
    _feed: Any
    port: Any  # through which spikes come, None for currents

    def __init__(self, section: Section, value: Any, ordinal: int) -> None:
        population = section.population
        self.section = section
        self._ordinal = ordinal  # among the drives of the population: each draws its own random numbers
        # It looks like a population of the section's size to what makes rows of inputs.
        self.shape, self.n, self.dt = section.shape, len(section), population.dt
        self.dtype, self.seed, self.name = population.dtype, population.seed, population.name
        self._memory: dict[int, Any] = {}
        self.value = value
        self._seal()

    @property
    def value(self) -> Any:
        """What drives; it can be set between runs."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if self._turn is not None and self._turn.taken:
            raise RuntimeError("Network.run has not ended: until then drives cannot be changed, but live arrays can.")
        population, spikes = self.section.population, isinstance(value, SpikeInput)
        where = "Drive.value" if vars(self).get("_sealed") else "Network.drive.input"
        unit = "" if spikes else population.model.I.unit
        if not isinstance(value, Input):
            refuse_function(where, value)
            value = checks.magnitude(where, value, unit)
            warn_of_base_unit(where, value, unit if unit == "pA" else "")
            if not broadcasts(np.shape(value), self.shape):
                raise ValueError(misfit(where, np.shape(value), self.shape, None, "TimedArray(values, dt)"))
        if not spikes and any(isinstance(getattr(part, "input", part), SpikeInput) for part in _parts(value)):
            raise TypeError(
                f"{where} must be currents or spikes, got {value!r:.60}. Give each spike input a drive of its own; its "
                "weight scales it."
            )
        other = Drive.__new__(Drive)  # on which whatever is wrong shows
        vars(other).update(vars(self), _value=value, _unit=unit, _memory={})
        made, port = other._make(where, value, unit), population._engine.port(value.receptor) if spikes else None
        vars(self).update(vars(other), _feed=made, port=port)  # all at once

    @property
    def n_steps(self) -> int:
        """Steps done."""
        return int(self.section.population.n_steps)

    def _make(self, where: str, value: Any, unit: str) -> Any:
        population, first = self.section.population, self.section.start
        if not population.scheme.exact:
            return feed(where, value, unit, self, 1 if isinstance(value, Input) else None, self._ordinal)
        if isinstance(value, SpikeInput):
            return spikes_of(where, value, unit, self, population._engine, self._ordinal, first)
        return current_of(where, value, unit, self, first)

    def feed(self) -> Any:
        """Made anew only for arrays, which the user may have changed."""
        if not isinstance(self._value, Input):
            self._feed = self._make("Drive.value", self._value, self._unit)
        return self._feed

    def clear(self) -> None:
        """Start random numbers again."""
        self._memory.clear()

    def __repr__(self) -> str:
        array = isinstance(self._value, np.ndarray) and self._value.ndim
        return f"<drive of {self.section!r}: {f'<array of shape {self._value.shape}>' if array else self._value}>"


def _parts(value: Any) -> tuple[Any, ...]:
    return value.parts if isinstance(value, Sum) else (value,)


def drive_feeds(drives: list[Drive], populations: list[Any]) -> dict[tuple[int, ReceptorState | None], Feed]:
    """The feeds of a network's clock: all that drives a population through one port, added in the order of drives."""
    grouped: dict[tuple[int, ReceptorState | None], list[Drive]] = {}
    for one in drives:
        grouped.setdefault((populations.index(one.section.population), one.port), []).append(one)
    return {key: _sum(group) for key, group in grouped.items()}


def exact_feeds(drives: list[Drive], populations: list[Any], clock: ExactNetwork) -> ExactFeeds:
    """The same for the exact engine, which adds up what it is given."""
    sources = []
    for population in populations:
        given = [one.feed() for one in drives if one.section.population is population]
        currents = [one for one in given if isinstance(one, Current)]
        spikes = [one for one in given if isinstance(one, Spikes)]
        sources.append(Source(population._engine, currents, spikes))
    return ExactFeeds(sources, clock)


def _sum(group: list[Drive]) -> Feed:
    population = group[0].section.population
    feeds = [one.feed() for one in group]
    if len(group) == 1 and len(group[0].section) == population.n:
        return feeds[0]

    def rows(step: int, count: int) -> Array:
        total = np.zeros((count, population.n), population.dtype)
        for one, part in zip(group, feeds, strict=True):
            total[:, one.section.start : one.section.stop] += part.rows(step, count)
        return total

    constant = all(part.constant for part in feeds)
    return Feed(rows, population.n, constant=constant, prepared=not constant)
