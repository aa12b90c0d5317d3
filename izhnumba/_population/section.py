"""A run of a population's neurons, as an end of synapses, or as what is driven or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._synapse.connectivity import Ends

if TYPE_CHECKING:
    from izhnumba._population.population import Population


@dataclass(frozen=True)
class Section:
    """The neurons `start` to `stop` of a population, by flat index: what `pop[start:stop]` gives. whole: it is the
    population itself, not a slice that covers it."""

    population: Population
    start: int
    stop: int
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The n-d size of the population itself; slices are flat."""
        return self.population.size if self.whole else (self.stop - self.start,)

    @property
    def V(self) -> NDArray[Any]:
        """V of these neurons, shape (n,): a view, in which it can be set."""
        return self.population.V.reshape(-1)[self.start : self.stop]

    @property
    def u(self) -> NDArray[Any]:
        """u of these neurons, shape (n,): a view, in which it can be set."""
        return self.population.u.reshape(-1)[self.start : self.stop]

    @property
    def spikes(self) -> NDArray[Any]:
        """Whether each of these neurons spiked in the latest step, shape (n,)."""
        return self.population.spikes.reshape(-1)[self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start

    def __repr__(self) -> str:
        everybody = len(self) == self.population.n
        return self.population.name if everybody else f"{self.population.name}[{self.start}:{self.stop}]"


def section_of(population: Population, key: Any) -> Section:
    """The neurons that a user names by a slice."""
    checks.kind("Population[...]", key, slice, "a slice such as pop[:800]")
    n = population.n
    try:
        start, stop, stride = key.indices(n)
    except (TypeError, ValueError) as error:  # of indices that are no whole numbers, and of step 0
        raise type(error)(f"Population[...] must be a slice of whole numbers, got {key}.") from None
    if stride != 1 or start >= stop:
        raise ValueError(f"Population[...] must be a slice of at least one of {n} neurons, step 1, got {key}.")
    return Section(population, start, stop)


def ends(source: Section, target: Section) -> Ends:
    shift = source.start - target.start if source.population is target.population else None
    return Ends(len(source), len(target), source.shape, target.shape, shift)
