"""Spaces: which targets are within reach of a source, and how far away. Neurons fill a box, or have positions."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._synapse.ends import Ends
from izhnumba._synapse.positions import Positions

Array = NDArray[Any]
_ROUNDING = 1e-9  # of coordinates, by which more targets are looked at


class Space(Protocol):
    """Where the neurons of both ends are. shape: that in which targets are numbered."""

    shape: tuple[int, ...]

    def near(self, source: int, reach: float) -> tuple[tuple[Array, ...], Array]:
        """Along each axis of `shape` the places of targets, ascending, among whose combinations are all those within
        reach of a source; and the distances of the combinations."""
        ...

    def looks(self, reach: float) -> float:
        """About how many targets `near` looks at for all sources."""
        ...


class EvenBox:
    """A box that both populations fill evenly in the order of their n-d sizes: neuron j of n is at (j + 1/2) extent / n
    along an axis.

    extent: its lengths; periodic: whether it is closed to a ring or torus.
    """

    def __init__(self, ends: Ends, extent: tuple[int, ...] | Array, periodic: bool) -> None:
        self.shape, self._ends, self._extent, self._periodic = ends.post_shape, ends, extent, periodic

    def near(self, source: int, reach: float) -> tuple[tuple[Array, ...], Array]:
        axes = self._axes(np.unravel_index(source, self._ends.pre_shape))
        near, squares = zip(*(self._along(*axis, reach) for axis in axes), strict=True)
        return near, np.sqrt(reduce(np.add.outer, squares))

    def looks(self, reach: float) -> float:
        middle = self._axes([n // 2 for n in self._ends.pre_shape])
        return self._ends.n_pre * math.prod(len(self._along(*axis, reach)[0]) for axis in middle)

    def _axes(self, places: Any) -> list[tuple[Any, int, int, float]]:
        """For each axis a place of a source, how many sources and targets there are, and the length."""
        return list(zip(places, self._ends.pre_shape, self.shape, map(float, self._extent), strict=True))

    def _along(self, place: Any, n_pre: int, n_post: int, length: float, most: float) -> tuple[Array, Array]:
        """Of n_post places on an axis of this length those within reach `most` of place `place` of n_pre, ascending,
        and the squares of their distances."""
        x, reach = (place + 0.5) * length / n_pre, min(most, length)
        low, high = ((x + side * reach) * n_post / length - 0.5 for side in (-1, 1))
        near = np.arange(math.floor(low), math.ceil(high) + 1)
        near = np.unique(near % n_post) if self._periodic else near[(near >= 0) & (near < n_post)]
        apart = np.abs(x - (near + 0.5) * length / n_post)
        return near, (np.minimum(apart, length - apart) if self._periodic else apart) ** 2


class Placed:
    """Populations with positions. Targets are sorted along the longest axis; of those within reach along it, those are
    looked at that are within reach along every other axis."""

    def __init__(self, pre: Positions, post: Positions) -> None:
        self.shape: tuple[int, ...] = (len(post),)
        self._pre, self._post, self._periods = pre, post, np.array(post.period)
        sources, targets = (_wrapped(np.asarray(one.coordinates).T, self._periods) for one in (pre, post))
        self._axis = int(np.argmax(np.where(self._periods < math.inf, self._periods, np.ptp(targets, axis=1))))
        self._order = np.argsort(targets[self._axis], kind="stable")
        self._sources, self._targets = sources, targets[:, self._order]  # (d, n)
        self._slack = _ROUNDING * max(np.abs(sources).max(), np.abs(targets).max())

    def near(self, source: int, reach: float) -> tuple[tuple[Array, ...], Array]:
        places = self._within(self._sources[:, source], reach * (1 + _ROUNDING) + self._slack)
        return (places,), self._pre.distances(self._post, source, places)

    def _within(self, x: Array, reach: float) -> Array:
        """Places of targets within reach of x along each axis, ascending."""
        found = [self._order[run][self._box(x, run, reach)] for run in self._runs(x[self._axis], reach)]
        return np.sort(np.concatenate(found))

    def _runs(self, x: float, reach: float) -> list[slice]:
        """Those of the sorted targets that are within reach of x along the longest axis."""
        period, along = self._periods[self._axis], self._targets[self._axis]
        if 2 * reach >= period or reach == math.inf:
            return [slice(0, along.size)]
        shifts = np.array([-period, 0.0, period] if period < math.inf else [0.0])
        begins, ends = (np.searchsorted(along, x + shifts + side) for side in (-reach, reach))
        return [slice(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end] or [slice(0, 0)]

    def _box(self, x: Array, run: slice, reach: float) -> Array:
        """Which of a run of sorted targets are within reach along the other axes."""
        near = np.ones(run.stop - run.start, np.bool_)
        for axis, (along, period) in enumerate(zip(self._targets, self._periods, strict=True)):
            if axis != self._axis and 2 * reach < period:
                apart = np.abs(along[run] - x[axis])
                near &= (apart <= reach) | (apart >= period - reach)
        return near

    def looks(self, reach: float) -> float:
        few = np.unique(np.linspace(0, self._sources.shape[1] - 1, 5).astype(np.int64))
        runs = [sum(run.stop - run.start for run in self._runs(self._sources[self._axis, one], reach)) for one in few]
        return self._sources.shape[1] * float(np.mean(runs))


def _wrapped(places: Array, periods: Array) -> Array:
    """Coordinates (d, n), along axes with a period from 0 to that."""
    along = [np.mod(one, period) if period < math.inf else one for one, period in zip(places, periods, strict=True)]
    return np.array(along)
