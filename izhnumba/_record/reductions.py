"""What a state of many neurons is reduced to at each sample: its mean, sum or histogram, over all or groups of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._base.words import counted
from izhnumba._engine.reduction import Form

Array = NDArray[Any]
_GROUPS = "a list of index arrays, or a label per neuron"


class StateReduction(ABC):
    """Base class of `Mean`, `Sum` and `Histogram`: the numbers to which kernels reduce a state while they run."""

    _dtype: ClassVar[str] = "<f8"  # of a sample
    state: str
    groups: object

    def __post_init__(self) -> None:
        name = type(self).__name__
        checks.kind(f"{name}.state", self.state, str, "the name of a state, such as 'V'")
        several = isinstance(self.groups, (list, tuple)) or getattr(self.groups, "ndim", 0) > 0
        if self.groups is not None and not several:
            checks.refuse(f"{name}.groups", self.groups, _GROUPS)

    @property
    @abstractmethod
    def _form(self) -> Form:
        """What kernels compute of each group."""

    def _levels(self, dtype: np.dtype[Any]) -> Array:
        """What is counted is not below these numbers, (k,)."""
        return np.empty(0, dtype)

    @property
    def _width(self) -> tuple[int, ...]:
        """The shape of the numbers of a group."""
        return ()

    @abstractmethod
    def _finished(self, results: Array, sizes: Array) -> Array:
        """The numbers of each group, (rows, groups, *_width), from the results of kernels, (rows, groups, k). sizes:
        neurons of each group."""

    def _with_groups(self, neurons: Array, population: object) -> Self:
        """The same with groups as a tuple of places among these neurons of a population."""
        if self.groups is None:
            return self
        found = groups_of(f"{type(self).__name__}.groups", self.groups, neurons, population)
        return replace(self, groups=tuple(found))  # type: ignore[type-var]  # all are dataclasses

    def __repr__(self) -> str:
        bound = isinstance(self.groups, tuple)
        groups = f", {counted(len(self.groups), 'group')}" if bound else "" if self.groups is None else ", groups"  # type: ignore[arg-type]
        return f"{type(self).__name__}({self.state!r}{self._more()}{groups})"

    def _more(self) -> str:
        return ""


@dataclass(frozen=True, eq=False, repr=False)
class Sum(StateReduction):
    """The sum of a state over neurons, in float64, for `Network.record` and `Population.run`.

    Parameters
    ----------
    state : str
        "V" or "u" of neurons; of synapses "current", that of their receptor.
    groups : list or array, optional
        Groups of the neurons that are recorded, a sum for each: a list of index arrays, slices, masks or neurons such
        as `pop[:80]`; or a label per neuron, whole numbers or texts, a sum for each label, ascending. Indices count
        places among what is recorded. Groups may overlap; a neuron is in each once.
    absolute : bool
        Whether to sum magnitudes.

    Notes
    -----
    Kernels sum while they run, and keep the sums alone: memory does not grow with the number of neurons. The order in
    which they sum is fixed (docs/concepts/networks.md), so that threads and slices change no bit.

    Examples
    --------
    The absolute current of a receptor, summed over its targets, as LFP proxies take it (`izhnumba.analysis.lfp`):

    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(4, **iz.presets["RS"]))
    >>> syn = net.connect(cells, cells, iz.AllToAll(), receptor=iz.GABA_A())
    >>> kick = net.drive(cells, iz.SpikeTrain([0], [1.0], weight=100.0))
    >>> current = net.record(syn, iz.Sum("current", absolute=True), every=1.0)
    >>> net.run(3.0)
    >>> current.values.round(1)
    array([0. , 2.9, 4.7])
    """

    state: str
    groups: object = None
    absolute: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.kind(f"{type(self).__name__}.absolute", self.absolute, (bool, np.bool_), "True or False")

    @property
    def _form(self) -> Form:
        return "magnitude" if self.absolute else "sum"

    def _finished(self, results: Array, sizes: Array) -> Array:
        return np.asarray(results[..., 0])

    def _more(self) -> str:
        return ", absolute=True" if self.absolute else ""


@dataclass(frozen=True, eq=False, repr=False)
class Mean(Sum):
    """The mean of a state over neurons, in float64: the sum that `Sum` takes over their number.

    Parameters
    ----------
    state, groups, absolute
        As those of `Sum`.

    Examples
    --------
    The mean V of two halves of a population, every ms:

    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    >>> current = net.drive(cells[:50], 10.0)
    >>> mean = net.record(cells, iz.Mean("V", groups=[cells[:50], cells[50:]]), every=1.0)
    >>> net.run(3.0)
    >>> mean.t, mean.values.round(1)
    (array([1., 2., 3.]), array([[-58.1, -67.6],
           [-47.8, -69.4],
           [ -1.4, -70.4]]))
    """

    def _finished(self, results: Array, sizes: Array) -> Array:
        return super()._finished(results, sizes) / sizes


@dataclass(frozen=True, eq=False, repr=False)
class Histogram(StateReduction):
    """How many neurons have a state within each of some bins, as `numpy.histogram` counts.

    Parameters
    ----------
    state : str
        As that of `Sum`.
    bins : array (k + 1,)
        Edges of k bins, ascending, in the unit of the state; the first and last may be infinite. A bin holds its lower
        edge, the last one its upper edge too; what is outside is not counted.
    groups : list or array, optional
        As those of `Sum`.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(3, V=[-70.0, -60.0, -50.0]), name="cells")
    >>> counts = net.record(cells, iz.Histogram("V", [-80.0, -65.0, 30.0]))
    >>> net.run(0.2)
    >>> counts.values
    array([[1, 2],
           [1, 2]])
    """

    _dtype: ClassVar[str] = "<i8"
    state: str
    bins: ArrayLike
    groups: object = None

    def __post_init__(self) -> None:
        super().__post_init__()
        edges = np.array(checks.magnitude("Histogram.bins", self.bins, ""), np.float64)
        if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0):
            got = f"an array of shape {edges.shape}" if edges.ndim != 1 else f"{checks.shown(edges.tolist())}"
            raise ValueError(f"Histogram.bins must be two edges or more, ascending, got {got}. Use numpy.linspace.")
        edges.flags.writeable = False
        assign(self, bins=edges)

    @property
    def _form(self) -> Form:
        return "count"

    def _levels(self, dtype: np.dtype[Any]) -> Array:
        """Of a narrower dtype the numbers that compare with its numbers as the edges do: the least ones that are not
        below these; for the last edge, which its bin holds, the least one above."""
        edges = np.asarray(self.bins)
        near = edges.astype(dtype)
        below = near < edges
        below[-1] |= near[-1] <= edges[-1]
        return np.where(below, np.nextafter(near, dtype.type(np.inf)), near)

    @property
    def _width(self) -> tuple[int, ...]:
        return (np.asarray(self.bins).size - 1,)

    def _finished(self, results: Array, sizes: Array) -> Array:
        return results[..., :-1] - results[..., 1:]

    def _more(self) -> str:
        return f", {counted(self._width[0], 'bin')}"


def groups_of(where: str, groups: object, neurons: Array, population: object) -> list[Array]:
    """Groups as a user passes them, as places among the neurons that are recorded, int64, ascending.

    Parameters
    ----------
    where : str
        Names the argument.
    groups : list or array
        As `Sum` takes it.
    neurons : ndarray of int64 (n,)
        Flat indices of those that are recorded.
    population : Population
        Whose they are.
    """
    several: Sequence[Any] = groups if isinstance(groups, (list, tuple)) else np.asarray(groups)  # type: ignore[assignment]
    labels = (str, bool, int, float, np.generic)
    if len(several) and all(isinstance(one, labels) for one in several):
        return _labelled(where, np.asarray(several), neurons.size)
    found = [_places(f"{where}[{k}]", one, neurons, population) for k, one in enumerate(several)]
    if not found:
        raise ValueError(f"{where} must be {_GROUPS}, got none.")
    return found


def _labelled(where: str, labels: Array, n: int) -> list[Array]:
    """The places of each label, which ascend."""
    if labels.dtype.kind == "b":
        raise TypeError(f"{where} must be {_GROUPS}, got a mask. Pass [mask] or [mask, ~mask].")
    if labels.dtype.kind not in "iuU":
        raise TypeError(f"{where} must be {_GROUPS}, whole numbers or texts, got labels of {labels.dtype}.")
    if labels.shape != (n,):
        cure = "A group of its own is a list in the list: groups=[[0, 1]]."
        raise ValueError(
            f"{where} must be {_GROUPS}, got {counted(labels.size, 'label')} for {counted(n, 'neuron')}. {cure}"
        )
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(np.unique(labels, return_inverse=True)[1][order])) + 1)


def _places(where: str, one: Any, neurons: Array, population: object) -> Array:
    """The places of a group, ascending."""
    n = neurons.size
    if hasattr(one, "neurons"):  # chosen neurons of a population
        if one.population is not population:
            raise ValueError(f"{where} must be neurons of the population that is recorded, got {one!r}.")
        place = np.full(max(neurons.max(), one.neurons.max()) + 1, -1)
        place[neurons] = np.arange(n)
        found = place[one.neurons]
        if found.min() < 0:
            raise ValueError(f"{where} must be neurons that are recorded, got {one!r}.")
    elif isinstance(one, slice):
        found = np.arange(n)[one]
    elif np.asarray(one).dtype == np.bool_:
        mask = np.asarray(one)
        if mask.shape != (n,):
            raise ValueError(f"{where} must be a mask of shape ({n},), got one of shape {mask.shape}.")
        found = np.flatnonzero(mask)
    else:
        found = checks.indices(where, one, n, "neurons") if np.size(one) else np.empty(0, np.int64)
    found = np.sort(found)
    if not found.size:
        raise ValueError(f"{where} must be at least one of {counted(n, 'neuron')}, got none.")
    twice = np.flatnonzero(np.diff(found) == 0)
    if twice.size:
        raise ValueError(f"{where} must name each neuron once, got {found[twice[0]]} more than once.")
    return found
