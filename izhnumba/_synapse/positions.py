"""Where neurons are, and what follows from their distances: positions of populations, grids, random ones, delays."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._base.words import counted

Array = NDArray[Any]
Size = tuple[int, ...]
_OF_POPULATION = "Pass Population(..., positions=Grid()), or an array (n, d)."


class Layout(ABC):
    """Where the neurons of a population are: `izhnumba.Positions`, `Grid` or `Box`."""

    @abstractmethod
    def placed(self, size: Size, rng: Generator) -> Positions:
        """The positions of a population of this n-d size. rng: its random numbers."""


@dataclass(frozen=True, eq=False)
class Positions(Layout):
    """Coordinates of neurons, in a unit of your own, such as um.

    Parameters
    ----------
    coordinates : array (n, d), (*size, d), or (n,) on a line
        Flat order of the neurons. An array alone will do for `Population(..., positions=)`.
    period : float or tuple of d, > 0, default inf
        Length of the space along each axis, after which it begins again: of a ring or torus. inf: it does not.

    Attributes
    ----------
    coordinates : ndarray of float64 (n, d), read-only
    period : tuple of d floats

    Examples
    --------
    Five neurons on a ring of 10 mm:

    >>> import numpy as np, izhnumba as iz
    >>> ring = iz.Positions(2.0 * np.arange(5), period=10.0)
    >>> ring
    Positions(5 neurons, 1-d, period=(10.0,))
    >>> ring.coordinates.shape
    (5, 1)
    """

    coordinates: ArrayLike
    period: float | Sequence[float] = math.inf

    def __post_init__(self) -> None:
        places = coordinates("Positions.coordinates", self.coordinates).copy()
        places.flags.writeable = False
        period = checks.array("Positions.period", self.period, "", finite=False, above=0.0)
        each = _each("Positions.period", tuple(period.ravel()) if period.ndim else period, places.shape[1])
        assign(self, coordinates=places, period=tuple(map(float, each)))

    def placed(self, size: Size, rng: Generator) -> Positions:
        n, n_places = math.prod(size), len(self)
        if n_places != n:
            shape = np.shape(self.coordinates)
            cure = " Transpose it." if shape[1] == n else ""
            raise ValueError(f"Population.positions must have shape ({n}, d), got {shape}.{cure}")
        return self

    def of(self, which: slice | Array) -> Positions:
        """Those of some neurons."""
        some = object.__new__(Positions)
        assign(some, coordinates=np.asarray(self.coordinates)[which], period=self.period)
        return some

    def distances(self, others: Positions, pre: Array | int, post: Array | int) -> Array:
        """Euclidean distances from some of these neurons to some of others, by place; the shorter way around along
        axes with a period."""
        here, there = np.asarray(self.coordinates)[pre], np.asarray(others.coordinates)[post]
        squares: Array | float = 0.0
        for axis, length in enumerate(self.period):  # type: ignore[arg-type]
            apart = np.abs(here[..., axis] - there[..., axis])
            if length < math.inf:
                apart = np.abs(apart - length * np.rint(apart / length))
            squares = squares + apart**2
        return np.sqrt(np.asarray(squares))

    def __len__(self) -> int:
        return len(np.asarray(self.coordinates))

    def __repr__(self) -> str:
        d = np.shape(self.coordinates)[1]
        period = f", period={self.period}" if min(self.period) < math.inf else ""  # type: ignore[arg-type]
        return f"Positions({counted(len(self), 'neuron')}, {d}-d{period})"


@dataclass(frozen=True)
class Grid(Layout):
    """Positions on a grid as the population's n-d size has it: rows, columns, ...; a line for a plain number.

    Neuron j along an axis is at (j + 1/2) spacing, so that n of them fill n * spacing.

    Parameters
    ----------
    spacing : float or tuple, > 0
        From one neuron to the next, along all axes or each.
    periodic : bool or tuple of them
        Whether an axis is closed to a ring after its last neuron.

    Examples
    --------
    A torus of 20 rows and 30 columns, 50 um apart:

    >>> import izhnumba as iz
    >>> sheet = iz.Population((20, 30), positions=iz.Grid(50.0, periodic=True))
    >>> sheet.positions
    Positions(600 neurons, 2-d, period=(1000.0, 1500.0))
    """

    spacing: float | Sequence[float] = 1.0
    periodic: bool | Sequence[bool] = False

    def __post_init__(self) -> None:
        assign(self, spacing=lengths("Grid.spacing", self.spacing), periodic=_flags("Grid.periodic", self.periodic))

    def placed(self, size: Size, rng: Generator) -> Positions:
        spacing = _each("Grid.spacing", self.spacing, len(size))
        axes = [(np.arange(n) + 0.5) * step for n, step in zip(size, spacing, strict=True)]
        extent = [n * step for n, step in zip(size, spacing, strict=True)]
        places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        return Positions(places, _periods(extent, _each("Grid.periodic", self.periodic, len(size))))


@dataclass(frozen=True)
class Box(Layout):
    """Random positions, evenly in a box from 0 to its extent. The population's random numbers decide.

    Parameters
    ----------
    extent : float or tuple of d, > 0
        Lengths of the box; a number means a line.
    periodic : bool or tuple of them
        Whether an axis is closed to a ring.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Population(100, seed=1, positions=iz.Box((500.0, 500.0))).positions
    Positions(100 neurons, 2-d)
    """

    extent: float | Sequence[float]
    periodic: bool | Sequence[bool] = False

    def __post_init__(self) -> None:
        assign(self, extent=lengths("Box.extent", self.extent), periodic=_flags("Box.periodic", self.periodic))
        _each("Box.periodic", self.periodic, np.size(self.extent))

    def placed(self, size: Size, rng: Generator) -> Positions:
        extent = np.atleast_1d(self.extent)
        places = rng.uniform(0.0, extent, (math.prod(size), extent.size))
        return Positions(places, _periods(extent.tolist(), _each("Box.periodic", self.periodic, extent.size)))


@dataclass(frozen=True)
class ByDistance:
    """Delays, or weights, as a function of the distance between neurons: offset + distance / velocity, or a function.

    Both populations need positions; distances go the shorter way around a ring or torus.

    Parameters
    ----------
    velocity : float, > 0, unit of the positions per ms
    offset : float
        What distance 0 yields: ms for delays, which are at least a step, or the unit of the weight.
    function : callable(distance) -> value
        In place of a velocity; takes and returns an array. The offset is added to what it returns.

    Examples
    --------
    Axons of 0.3 m/s, that is 300 um/ms, and 1 ms for the synapse:

    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> ring = net.add(iz.Population(100, positions=iz.Grid(10.0, periodic=True)))
    >>> syn = net.connect(ring, ring, iz.AllToAll(), delay=iz.ByDistance(300.0, offset=1.0))
    >>> float(syn.distance.max()), round(float(syn.delay.max()), 1)
    (500.0, 2.7)

    A function:

    >>> import numpy as np
    >>> iz.ByDistance(function=np.sqrt, offset=1.0)(np.array([4.0, 9.0]))
    array([3., 4.])
    """

    velocity: float | None = None
    offset: float = 0.0
    function: Callable[[Array], Any] | None = None

    def __post_init__(self) -> None:
        if (self.velocity is None) == (self.function is None):
            got = "neither" if self.velocity is None else "both"
            raise TypeError(f"ByDistance must have a velocity or a function, got {got}.")
        if callable(self.velocity):
            checks.refuse("ByDistance.velocity", self.velocity, "a number", "Write ByDistance(function=...).")
        if self.velocity is not None:
            assign(self, velocity=checks.number("ByDistance.velocity", self.velocity, above=0.0))
        else:
            checks.takes("ByDistance.function", self.function, "distance")  # type: ignore[arg-type]
        assign(self, offset=checks.number("ByDistance.offset", self.offset))

    def __call__(self, distance: Array) -> Array:
        """The value for each of these distances, float64."""
        if self.function is None:
            return np.asarray(self.offset + distance / self.velocity)
        where, found = "ByDistance.function(distance)", self.function(distance)
        if np.shape(found) not in ((), distance.shape):
            must = f"{where} must return one value per distance, shape () or {distance.shape}"
            raise ValueError(f"{must}, got shape {np.shape(found)}. Compute it from the array that it gets.")
        values = checks.array(where, found, "")
        return self.offset + np.broadcast_to(values, distance.shape)


class OfPairs(NamedTuple):
    """A function of distance, for the neurons of two ends."""

    function: ByDistance
    pre: Positions
    post: Positions

    def values(self, pre: Array, post: Array) -> Array:
        """One for each of these pairs of places."""
        return self.function(self.pre.distances(self.post, pre, post))


def of_pairs(where: str, function: ByDistance, pre: Positions | None, post: Positions | None) -> OfPairs:
    """A function of the distances between two ends, or the error that they have none."""
    return OfPairs(function, *check_space(where, pre, post))


def check_space(where: str, pre: Positions | None, post: Positions | None) -> tuple[Positions, Positions]:
    """The positions of two ends, refused if there are none or if they are in two spaces."""
    if pre is None or post is None:
        got = "none" if pre is post else "none at one end"
        raise ValueError(f"{where} must be between populations with positions, got {got}. {_OF_POPULATION}")
    if pre.period != post.period:
        raise ValueError(
            f"{where} must be between positions in the same space, got periods {pre.period} and {post.period}. They "
            "must have as many axes, and the same periods."
        )
    return pre, post


def coordinates(where: str, value: object) -> Array:
    """Coordinates of neurons, float64 (n, d), from an array (n, d), (*size, d) or (n,)."""
    places = checks.array(where, value, "")
    if not places.ndim or not places.size:
        raise ValueError(f"{where} must have shape (n, d) or (n,), got {places.shape}.")
    return places.reshape(-1, 1 if places.ndim == 1 else places.shape[-1])


def lengths(where: str, value: object) -> float | tuple[float, ...]:
    """A length, or one for each axis, all above 0."""
    found = checks.array(where, value, "", above=0.0)
    if found.ndim > 1 or not found.size:
        raise ValueError(f"{where} must be one length or a tuple of them, got shape {found.shape}.")
    return tuple(map(float, found)) if found.ndim else float(found)


def _flags(where: str, value: object) -> bool | tuple[bool, ...]:
    several = isinstance(value, (list, tuple))
    flags = tuple(value) if several else (value,)  # type: ignore[arg-type]
    for one in flags:
        checks.kind(where, one, (bool, np.bool_), "True or False, or a tuple of them")
    return tuple(map(bool, flags)) if several else bool(value)


def _each(where: str, value: object, d: int) -> list[Any]:
    """One for each of d axes."""
    several = list(value) if isinstance(value, tuple) else [value] * d
    if len(several) != d:
        raise ValueError(f"{where} must be one for all axes or one for each of {d}, got {len(several)}.")
    return several


def _periods(extent: list[float], periodic: list[bool]) -> list[float]:
    return [length if closed else math.inf for length, closed in zip(extent, periodic, strict=True)]
