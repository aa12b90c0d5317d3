"""A run of a population's neurons, as an end of synapses, or as what is driven or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from izhnumba._connectivity import Ends


@dataclass(frozen=True)
class Section:
    """The neurons `start` to `stop` of a population, by flat index: what `pop[start:stop]` gives."""

    population: Any  # a Population, which stands further up
    start: int
    stop: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The n-d size of a whole population, else the number of neurons."""
        n = self.stop - self.start
        return self.population.size if n == self.population.n else (n,)

    def __len__(self) -> int:
        return self.stop - self.start

    def __repr__(self) -> str:
        whole = len(self) == self.population.n
        return self.population.name if whole else f"{self.population.name}[{self.start}:{self.stop}]"


def ends(source: Section, target: Section) -> Ends:
    shift = source.start - target.start if source.population is target.population else None
    return Ends(len(source), len(target), source.shape, target.shape, shift)
