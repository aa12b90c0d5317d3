"""Drives: what comes to the populations of a network from outside, as feeds of its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks
from izhnumba._arrivals import Port
from izhnumba._binding import Input
from izhnumba._feeds import Feed, feed
from izhnumba._section import Section
from izhnumba._spike_inputs import SpikeInput

Array = NDArray[Any]


@dataclass
class Drive:
    """An input to a section of a population, through a port, or as a current if there is none.

    It looks like a population of the section's size to what makes rows of inputs.
    """

    section: Section
    value: Any
    port: Port | None
    ordinal: int  # among the drives of the population: each draws its own random numbers
    unit: str
    _memory: dict[int, Any] = field(default_factory=dict)
    _feed: Feed | None = None

    def __post_init__(self) -> None:
        population = self.section.population
        self.shape, self.n, self.dt = self.section.shape, len(self.section), population.dt
        self.dtype, self.seed, self.name = population.dtype, population.seed, population.name

    @property
    def n_steps(self) -> int:
        return self.section.population.n_steps

    def feed(self) -> Feed:
        """Made anew only for arrays, which the user may have changed."""
        if self._feed is None or not isinstance(self.value, Input):
            self._feed = feed("Network.drive.input", self.value, self.unit, self, 1, self.ordinal)
        return self._feed

    def reset(self) -> None:
        self._memory.clear()


def drive(section: Section, value: Any, ordinal: int) -> Drive:
    """A checked drive: a number, an array or an input object."""
    population = section.population
    unit = "" if isinstance(value, SpikeInput) else population.model.I.unit
    if not isinstance(value, Input):
        value = _checks.magnitude("Network.drive.input", value, unit)
        shape = np.shape(value)
        if len(shape) > len(section.shape):
            raise ValueError(
                f"Network.drive.input must broadcast to shape {section.shape}, got shape {shape}. For an array over "
                "time use TimedArray(values, dt)."
            )
    made = Drive(section, value, None, ordinal, unit)
    made.feed()  # whatever is wrong shows now
    if isinstance(value, SpikeInput):
        made.port = population._engine.arrivals.port(value.receptor)
    return made


def drive_feeds(drives: list[Drive], populations: list[Any]) -> dict[tuple[int, Port | None], Feed]:
    """The feeds of a network's clock: all that drives a population through one port, added in the order of drives."""
    grouped: dict[tuple[int, Port | None], list[Drive]] = {}
    for one in drives:
        grouped.setdefault((populations.index(one.section.population), one.port), []).append(one)
    return {key: _sum(group) for key, group in grouped.items()}


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
