"""Connectivity by distance: neurons at positions of their own, or evenly in a box, on a ring or torus."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._synapse.connectivity import PIECE, Pairs, Rule, without_autapses
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.positions import check_space, lengths
from izhnumba._synapse.spaces import EvenBox, Placed, Space

Array = NDArray[Any]
_MOST_LOOKS = 1e10  # pairs of which the distance is computed at most


@dataclass(frozen=True)
class Distance(Rule):
    """Each pair with a probability that falls with its distance.

    Of populations with positions distances are those of their positions. Without, both populations fill the same box
    evenly, in the order of their n-d size: neuron j of n along an axis is at (j + 1/2) extent / n. Building computes
    the distance of every pair as near as the kernel or `reach` goes, with positions as near along the longest axis: at
    most 1e10 pairs, which takes minutes.

    Parameters
    ----------
    kernel : "gaussian", "exponential", "box" or callable(distance) -> probability
        p exp(-d^2 / (2 scale^2)), p exp(-d / scale), or p up to d = scale. A function takes and returns an array, with
        values 0 to 1, which p multiplies.
    scale : float, > 0
        In the unit of the positions or of `extent`.
    p : float, 0 to 1
        Probability at distance 0.
    extent : float or tuple, > 0, optional
        Lengths of the box, by default those of the source's n-d size: its neurons are 1 apart.
    periodic : bool
        Whether the box is closed to a ring or torus. Positions say that by themselves, and take neither.
    autapses : bool
        Whether a neuron may reach itself.
    reach : float, > 0
        Neurons further apart are not connected, in the unit of `extent`. A function as kernel has no end of its own, so
        large populations need it.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Distance("box", scale=3.0, periodic=True)
    Distance(kernel='box', scale=3.0, p=1.0, extent=None, periodic=True, autapses=True, reach=inf)
    """

    kernel: str | Callable[[Array], Array]
    scale: float = 1.0
    p: float = 1.0
    extent: float | Sequence[float] | None = None
    periodic: bool = False
    autapses: bool = True
    reach: float = math.inf

    def __post_init__(self) -> None:
        if not callable(self.kernel):
            checks.one_of("Distance.kernel", self.kernel, ("gaussian", "exponential", "box"))
        assign(self, scale=checks.number("Distance.scale", self.scale, above=0.0))
        assign(self, p=checks.number("Distance.p", self.p, at_least=0.0, at_most=1.0))
        assign(self, reach=checks.number("Distance.reach", self.reach, above=0.0, finite=False))
        self._check("periodic", "autapses")
        if callable(self.kernel):
            checks.takes("Distance.kernel", self.kernel, "distance")
        if self.extent is not None:
            assign(self, extent=lengths("Distance.extent", self.extent))

    def expected(self, ends: Ends) -> float:
        most = self.p * ends.n_pre * ends.n_post
        if most < PIECE:
            return most
        space, few = self._space(ends), np.unique(np.linspace(0, ends.n_pre - 1, 5).astype(np.int64))
        found = [float(np.sum(self._probability(space.near(source, self._reach())[1]))) for source in few]
        return ends.n_pre * sum(found) / len(found)

    def check(self, ends: Ends) -> None:
        looks = self._space(ends).looks(self._reach())
        if looks > _MOST_LOOKS:
            raise ValueError(
                f"Distance must have at most {_MOST_LOOKS:g} pairs of neurons within reach, got {looks:.4g}. Pass "
                "Distance(..., reach=), beyond which no neurons are connected, or connect slices."
            )

    def _space(self, ends: Ends) -> Space:
        if ends.pre_positions is not None or ends.post_positions is not None:
            if self.extent is not None or self.periodic:
                wrong = "periodic" if self.extent is None else "extent"
                cure = "Give the period to the positions: see help(izhnumba.Positions)."
                raise ValueError(f"Distance.{wrong} must be left out for populations with positions. {cure}")
            return Placed(*check_space("Distance", ends.pre_positions, ends.post_positions))
        extent = ends.pre_shape if self.extent is None else np.atleast_1d(self.extent)
        if not len(extent) == len(ends.pre_shape) == len(ends.post_shape):
            raise ValueError(
                f"Distance must have ends of as many dimensions as extent ({len(extent)}), got sizes "
                f"{ends.pre_shape} and {ends.post_shape}. Connect whole populations of n-d size."
            )
        return EvenBox(ends, extent, self.periodic)

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        space = self._space(ends)
        rows = max(1, PIECE // ends.n_post)
        for first in range(0, ends.n_pre, rows):
            sources = range(first, min(first + rows, ends.n_pre))
            post = [self._targets(source, space, rng) for source in sources]
            pre = np.repeat(sources, [len(one) for one in post])
            yield without_autapses(pre, np.concatenate(post), ends, self.autapses)

    def _targets(self, source: int, space: Space, rng: Generator) -> Array:
        near, distance = space.near(source, self._reach())
        chosen = np.nonzero(rng.random(distance.shape) < self._probability(distance))
        targets = tuple(where[along] for where, along in zip(near, chosen, strict=True))
        return np.ravel_multi_index(targets, space.shape)

    def _reach(self) -> float:
        """`reach`, or the distance beyond which the probability is below 2^-53, the smallest random number above 0."""
        if callable(self.kernel):
            return self.reach
        least = 53 * math.log(2)
        scales = {"gaussian": math.sqrt(2 * least), "exponential": least, "box": 1 + 1e-12}[self.kernel]
        return min(self.reach, self.scale * scales)

    def _probability(self, distance: Array) -> Array:
        return self._of_kernel(distance) * (distance <= self.reach * (1 + 1e-12))

    def _of_kernel(self, distance: Array) -> Array:
        if callable(self.kernel):
            values = checks.array("Distance.kernel(distance)", self.kernel(distance), "", [distance.shape])
            if np.any((values < 0) | (values > 1)):
                raise ValueError(
                    f"Distance.kernel(distance) must be from 0 to 1, got {values.min()} to {values.max()}."
                )
            return self.p * values
        if self.kernel == "gaussian":
            with np.errstate(over="ignore"):  # a scale far below the distances
                return np.asarray(self.p * np.exp(-((distance / self.scale) ** 2) / 2))
        if self.kernel == "exponential":
            return np.asarray(self.p * np.exp(-distance / self.scale))
        return np.where(distance <= self.scale * (1 + 1e-12), self.p, 0.0)
