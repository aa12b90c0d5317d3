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
        """About how many distances `near` computes for all sources."""
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
    """Populations with positions. Targets are sorted along the longest axis, and those looked at that are within reach
    along it."""

    def __init__(self, pre: Positions, post: Positions) -> None:
        self.shape: tuple[int, ...] = (len(post),)
        self._pre, self._post = pre, post
        sources, targets = np.asarray(pre.coordinates), np.asarray(post.coordinates)
        periods = np.array(post.period)
        axis = int(np.argmax(np.where(periods < math.inf, periods, np.ptp(targets, axis=0))))
        self._period, along = periods[axis], targets[:, axis]
        self._x = sources[:, axis]
        if self._period < math.inf:
            self._x, along = np.mod(self._x, self._period), np.mod(along, self._period)
        self._order = np.argsort(along, kind="stable")
        self._along = along[self._order]
        self._slack = _ROUNDING * max(np.abs(self._x).max(), np.abs(along).max())

    def near(self, source: int, reach: float) -> tuple[tuple[Array, ...], Array]:
        places = self._within(self._x[source], reach * (1 + _ROUNDING) + self._slack)
        return (places,), self._pre.distances(self._post, source, places)

    def _within(self, x: float, reach: float) -> Array:
        """Places of targets within reach of x along the axis, ascending."""
        if 2 * reach >= self._period or reach == math.inf:
            return np.arange(self._order.size)
        shifts = np.array([-self._period, 0.0, self._period] if self._period < math.inf else [0.0])
        begins, ends = (np.searchsorted(self._along, x + shifts + side) for side in (-reach, reach))
        return np.sort(np.concatenate([self._order[a:b] for a, b in zip(begins, ends, strict=True)]))

    def looks(self, reach: float) -> float:
        few = np.unique(np.linspace(0, self._x.size - 1, 5).astype(np.int64))
        return self._x.size * float(np.mean([self.near(source, reach)[1].size for source in few]))
