"""Chosen neurons of a population, as an end of synapses, or as what is driven or recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.random import streams
from izhnumba._base.read_only import read_only
from izhnumba._base.sealed import Fixed
from izhnumba._population.assembly import Assembly, parts_of
from izhnumba._population.chosen import as_array, chosen_of
from izhnumba._population.parameters import checked_state, is_drawn
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.positions import Positions

if TYPE_CHECKING:
    from izhnumba._population.population import Population
    from izhnumba._population.source import Source

Array = NDArray[Any]
_WHERE = "Population[...]"
_SHOWN = 4  # neurons that are named one by one


class Section(Fixed):
    """Neurons of a population in an order, none of them twice: what `pop[:800]`, `pop[::5]`, `pop[mask]` and
    `pop[[7, 3]]` give. Their order is that of the slice or list; those of a mask ascend.

    Attributes
    ----------
    population : Population, PoissonSource or SpikeSource
    neurons : ndarray of int64 (n,)
        Flat indices in the population.
    shape : tuple of int
        (n,), or the n-d size of the population if it is the population itself.
    V, u, spikes : ndarray (n,)
        Those of these neurons. Of a slice a view, else a read-only copy; V and u can be set: `pop[mask].V = -70.0`, or
        to a distribution or function, of which each neuron gets what it would get if the whole population were set.
        Further states of a model go by their names.
    positions : Positions or None
    """

    def __init__(self, population: Population | Source, chosen: range | Array, whole: bool = False) -> None:
        """Made by `Population[...]`.

        Parameters
        ----------
        population : Population
        chosen : range or ndarray of int64
            Flat indices, each once.
        whole : bool
            Whether it is the population itself, not a slice that covers it.
        """
        ends = (chosen[0], chosen[-1]) if isinstance(chosen, range) else (chosen.min(), chosen.max())
        self.population, self.whole, self._chosen = population, whole, chosen
        self.start, self.stop = int(min(ends)), int(max(ends)) + 1  # of the run that covers them
        steps = chosen.step if isinstance(chosen, range) else np.diff(chosen)
        self.consecutive = self.stop - self.start == len(chosen) and bool(len(chosen) == 1 or np.all(steps == 1))
        self._seal()

    @property
    def shape(self) -> tuple[int, ...]:
        """The n-d size of the population itself; of chosen neurons (n,)."""
        return self.population.size if self.whole else (len(self),)

    @property
    def neurons(self) -> Array:
        """Flat indices of these neurons in their population, int64."""
        return as_array(self._chosen).copy()

    @property
    def where(self) -> slice | Array:
        """The same as an index of flat arrays: a slice for all that a slice can say."""
        chosen = self._chosen
        if self.consecutive:
            return slice(self.start, self.stop)
        if not isinstance(chosen, range):
            return chosen
        return slice(chosen.start, chosen.stop if chosen.stop >= 0 else None, chosen.step)

    def places(self, neurons: Array) -> Array:
        """The place among these neurons of each of some of them, given by flat indices."""
        if self.consecutive:
            return neurons - self.start
        found = np.empty(self.stop - self.start, np.int64)
        found[as_array(self._chosen) - self.start] = np.arange(len(self))
        return np.asarray(found[neurons - self.start])

    @property
    def V(self) -> Array:
        """V of these neurons, (n,); it can be set."""
        return self._look("V", self.population.V)

    @V.setter
    def V(self, value: object) -> None:
        self._write("V", value)

    @property
    def u(self) -> Array:
        """u of these neurons, (n,); it can be set."""
        return self._look("u", self.population.u)

    @u.setter
    def u(self, value: object) -> None:
        self._write("u", value)

    @property
    def spikes(self) -> Array:
        """Whether each of these neurons spiked in the latest step, (n,)."""
        return self._look("spikes", self.population.spikes)

    @property
    def positions(self) -> Positions | None:
        """Where these neurons are."""
        every: Positions | None = self.population.positions
        return None if every is None else every.of(self.where)

    def __getattr__(self, name: str) -> Array:
        if not self._is_state(name):
            if name in ("V", "u"):
                getattr(self.population, name)  # a spike source says why there is none
            raise AttributeError(f"{_WHERE} has no attribute {name!r}.")
        return self._look(name, getattr(self.population, name))

    def __setattr__(self, name: str, value: object) -> None:
        if self._is_state(name):
            self._write(name, value)
        else:
            super().__setattr__(name, value)

    def _is_state(self, name: str) -> bool:
        """Whether it is a state beside V and u; a spike source has none."""
        model = vars(vars(self).get("population", self)).get("model")
        return model is not None and name in model.states

    def _look(self, name: str, values: Array) -> Array:
        found = values.reshape(-1)[self.where if isinstance(self._chosen, range) else self._chosen]
        if isinstance(self._chosen, range):
            return found
        cure = "" if name == "spikes" else f" Use pop[...].{name} = x."
        return read_only(found, f"{_WHERE}.{name} must be set as a whole, got some values.{cure}")

    def _write(self, name: str, value: object) -> None:
        pop: Any = self.population
        where = f"{_WHERE}.{name}"
        if is_drawn(value):  # for all, so that two sets of neurons do not get the same numbers
            numbers = checked_state(name, value, pop, streams(pop.seed, pop.name))
            value = np.broadcast_to(numbers, pop.shape).reshape(-1)[self.where].reshape(self.shape)
        exact = checks.array(where, value, pop.model.variables[name].unit, [self.shape])
        checks.finite(where, exact, pop.dtype)
        getattr(pop, name).reshape(-1)[self.where] = exact.reshape(-1) if exact.ndim else exact

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Section) or self.population is not other.population or self.whole != other.whole:
            return False
        return np.array_equal(as_array(self._chosen), as_array(other._chosen))

    def __hash__(self) -> int:
        return hash((id(self.population), self.start, self.stop, len(self)))

    def __add__(self, other: object) -> Assembly:
        """These neurons, and after them others: of another population, or of this one."""
        return Assembly((self, *parts_of(self, other)))

    @property
    def _parts(self) -> tuple[Section]:
        return (self,)

    def __getitem__(self, key: object) -> Section:
        """Some of these neurons, by place."""
        return Section(self.population, chosen_of(key, self._chosen, self.shape))

    def __len__(self) -> int:
        return len(self._chosen)

    def __repr__(self) -> str:
        name, n, chosen = self.population.name, len(self), self._chosen
        if self.consecutive:
            return name if n == self.population.n else f"{name}[{self.start}:{self.stop}]"
        if isinstance(chosen, range):
            return f"{name}[{chosen.start}:{chosen.stop if chosen.stop >= 0 else ''}:{chosen.step}]"
        return f"{name}{chosen.tolist()}" if n <= _SHOWN else f"{name}[{n} of {self.population.n}]"


def ends(source: Section, target: Section) -> Ends:
    """Two sections as ends of a connection."""
    both, shift, twins = (source, target), None, None
    if source.population is target.population:
        if source.consecutive and target.consecutive:
            shift = source.start - target.start
        else:
            place = np.full(source.population.n, -1)
            place[target.where] = np.arange(len(target))
            twins = place[source.where]
    rows, columns = (None if one.consecutive else one.neurons - one.start for one in both)
    return Ends(
        len(source), len(target), source.shape, target.shape, shift, rows, columns, twins, source.positions,
        target.positions,
    )  # fmt: skip
