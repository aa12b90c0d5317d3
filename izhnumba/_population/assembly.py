"""Neurons of several populations in one order, as an end of synapses, or as what is driven or recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.read_only import read_only
from izhnumba._base.sealed import Fixed
from izhnumba._population import html
from izhnumba._population.chosen import as_array, chosen_of
from izhnumba._synapse.positions import Positions

if TYPE_CHECKING:
    from izhnumba._population.section import Section

Array = NDArray[Any]
_EACH = "Set it part by part: exc.V = x."


class Assembly(Fixed):
    """Neurons of several populations in an order, none of them twice: what `exc + inh` and `exc[:100] + inh` give.

    `Network.connect`, `drive` and `record` take it like a population. Its neurons are counted by place: those of the
    first part from 0 on, then those of the next.

    Attributes
    ----------
    parts : tuple of neurons of populations
        As `pop[...]` gives them.
    V, u, spikes : ndarray (n,), read-only
        Those of its neurons, by place.
    positions : Positions or None
        Where they are, if all populations have positions in the same space.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    >>> inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    >>> cells = exc + inh
    >>> cells, len(cells)
    (exc + inh, 100)

    Ten sources for each neuron, wherever they are, and the neurons 70 to 89 by place:

    >>> net.connect(cells, cells, iz.FixedInDegree(10), weight=0.5)
    <1000 synapses exc + inh -> exc + inh, Delta()>
    >>> cells[70:90]
    exc[70:80] + inh[0:10]
    """

    def __init__(self, parts: tuple[Section, ...]) -> None:
        """Made by `+`. parts: one at least."""
        self.parts = parts
        self.starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])  # by place, and the end
        seen: dict[int, Array] = {}
        for part in parts:
            mask = seen.setdefault(id(part.population), np.zeros(part.population.n, bool))
            twice = part.neurons[mask[part.neurons]]
            if twice.size:
                name = part.population.name
                raise ValueError(f"Assembly must name each neuron once, got {name}[{twice[0]}] more than once.")
            mask[part.neurons] = True
        self._seal()

    @property
    def shape(self) -> tuple[int]:
        """(n,)"""
        return (len(self),)

    @property
    def V(self) -> Array:
        """V of these neurons, (n,), read-only."""
        return self._look("V")

    @property
    def u(self) -> Array:
        """u of these neurons, (n,), read-only."""
        return self._look("u")

    @property
    def spikes(self) -> Array:
        """Whether each of these neurons spiked in the latest step, (n,)."""
        return self._look("spikes")

    def __getattr__(self, name: str) -> Array:
        """A further state, which models of all these neurons have."""
        parts = vars(self).get("parts", ())
        if not parts or not all(part._is_state(name) for part in parts):
            raise AttributeError(f"Assembly has no attribute {name!r}.")
        return self._look(name)

    def _look(self, name: str) -> Array:
        values = np.concatenate([getattr(part, name).reshape(-1) for part in self.parts])
        return read_only(values, f"Assembly.{name} must be set in its populations, got some values. {_EACH}")

    @property
    def positions(self) -> Positions | None:
        """Where these neurons are; None if some have no positions, or in another space."""
        every = [part.positions for part in self.parts]
        known = [one for one in every if one is not None]
        if len(known) < len(every) or len({one.period for one in known}) > 1:
            return None
        return Positions(np.concatenate([np.asarray(one.coordinates) for one in known]), known[0].period)

    def slices(self) -> list[tuple[Section, slice]]:
        """Each part, and where it is by place."""
        return [
            (part, slice(int(first), int(last)))
            for part, first, last in zip(self.parts, self.starts[:-1], self.starts[1:], strict=True)
        ]

    def __add__(self, other: object) -> Assembly:
        return Assembly((*self.parts, *parts_of(self, other)))

    @property
    def _parts(self) -> tuple[Section, ...]:
        return self.parts

    def __getitem__(self, key: object) -> Assembly:
        """Some of these neurons, by place: those of a list part after part where it changes from one to the next."""
        places = as_array(chosen_of(key, range(len(self)), self.shape))
        which = np.searchsorted(self.starts, places, side="right") - 1
        changes = np.flatnonzero(np.diff(which)) + 1
        runs = zip(np.split(places, changes), which[np.concatenate([[0], changes])], strict=True)
        return Assembly(tuple(self.parts[one][_as_slice(run - self.starts[one])] for run, one in runs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assembly) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __len__(self) -> int:
        return int(self.starts[-1])

    _repr_html_ = html.of_assembly

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


def parts_of(one: object, other: object) -> tuple[Section, ...]:
    """The parts of what is added to `one`: a population, chosen neurons of one, or an assembly."""
    found = getattr(other, "_parts", None)
    if not isinstance(found, tuple):
        raise TypeError(
            f"Assembly must be populations, or neurons of them, got {checks.shown(one)} + {checks.shown(other)}. Add "
            "pop or pop[a:b]."
        )
    return found


def _as_slice(places: Array) -> slice | list[int]:
    """Places as a slice where they follow each other, so that views of them are views."""
    if np.all(np.diff(places) == 1):
        return slice(int(places[0]), int(places[-1]) + 1)
    return list(places.tolist())
