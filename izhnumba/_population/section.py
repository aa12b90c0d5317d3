"""A run of a population's neurons, as an end of synapses, or as what is driven or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from izhnumba._synapse.connectivity import Ends


@dataclass(frozen=True)
class Section:
    """The neurons `start` to `stop` of a population, by flat index: what `pop[start:stop]` gives. whole: it is the
    population itself, not a slice that covers it."""

    population: Any  # a Population, which stands further up
    start: int
    stop: int
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The n-d size of the population itself; slices are flat."""
        return self.population.size if self.whole else (self.stop - self.start,)

    def __len__(self) -> int:
        return self.stop - self.start

    def __repr__(self) -> str:
        everybody = len(self) == self.population.n
        return self.population.name if everybody else f"{self.population.name}[{self.start}:{self.stop}]"


def ends(source: Section, target: Section) -> Ends:
    shift = source.start - target.start if source.population is target.population else None
    return Ends(len(source), len(target), source.shape, target.shape, shift)
