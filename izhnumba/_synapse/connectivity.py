"""Connectivity rules: which neurons of one population are connected to which of another.

A rule yields (pre, post) piece by piece, and the same pieces each time it is given the same random numbers: rows are
counted in a first pass and filled in a second, so that building takes little more memory than the network has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._synapse.ends import Ends

Array = NDArray[Any]
Pairs = Iterator[tuple[Array, Array]]
PIECE = 2**20  # pairs yielded at a time, about
PAIR_BYTES = 64  # memory of a pair while it is drawn and put in its place
_UNHEARD_OF = 1e30  # pairs: larger numbers, which may not fit into a float, count as this one


class Rule(ABC):
    """How two populations are connected: an argument of `Network.connect`."""

    @abstractmethod
    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        """Yield (pre, post), int64 arrays of shape (pairs,), piece by piece."""

    def count(self, ends: Ends) -> int | None:
        """How many pairs `pairs` will yield; None if that is not known beforehand."""
        return None

    def of_matrix(self, matrix: Array, ends: Ends) -> Array | None:
        """The entries of a matrix (sources, targets) in the order of the pairs; None if that is not known
        beforehand."""
        return None

    def expected(self, ends: Ends) -> float:
        """About how many pairs `pairs` will yield."""
        count = self.count(ends)
        return float(ends.n_pre * ends.n_post if count is None else min(count, _UNHEARD_OF))

    def scratch(self, ends: Ends) -> float:
        """About how many bytes drawing a piece takes, which is one row at least."""
        return PAIR_BYTES * max(PIECE, self.expected(ends) / ends.n_pre)

    def check(self, ends: Ends) -> None:  # noqa: B027 - most rules compute only pairs that they yield
        """Refuse a connection that would take too long to draw."""

    def _check(self, *names: str, at_least: int = 0) -> None:
        """Check the fields of these names: flags, and whole numbers >= at_least."""
        for name in names:
            where, value = f"{type(self).__name__}.{name}", getattr(self, name)
            if name in ("autapses", "multapses", "periodic"):
                checks.kind(where, value, (bool, np.bool_), "True or False")
            else:
                assign(self, **{name: checks.integer(where, value, at_least=at_least)})


@dataclass(frozen=True)
class OneToOne(Rule):
    """Source j to target j; there must be as many targets as sources.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.OneToOne()
    OneToOne()
    """

    def count(self, ends: Ends) -> int:
        return ends.n_pre

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        if ends.n_pre != ends.n_post:
            raise ValueError(
                f"OneToOne must have as many targets as sources ({ends.n_pre}), got {ends.n_post}. Connect slices."
            )
        for first in range(0, ends.n_pre, PIECE):
            every = np.arange(first, min(first + PIECE, ends.n_pre))
            yield every, every


@dataclass(frozen=True)
class AllToAll(Rule):
    """Every neuron to every neuron.

    Parameters
    ----------
    autapses : bool
        Whether a neuron is connected to itself.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.AllToAll(autapses=False)
    AllToAll(autapses=False)
    """

    autapses: bool = True

    def __post_init__(self) -> None:
        self._check("autapses")

    def count(self, ends: Ends) -> int:
        return ends.n_pre * ends.n_post - (0 if self.autapses else own_pairs(ends).size)

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        yield from _rows_of(ends.n_pre, ends, lambda pre: _complete(pre, ends, self.autapses))

    def of_matrix(self, matrix: Array, ends: Ends) -> Array:
        entries = matrix.reshape(-1)
        return entries if self.autapses else np.delete(entries, own_pairs(ends))


class GivenPairs(Rule):
    """Pairs that the user gives, in that order; pre, post: indices of shape (pairs,)."""

    def __init__(self, pre: Array, post: Array) -> None:
        self._pre, self._post = pre, post

    def count(self, ends: Ends) -> int:
        return len(self._pre)

    def of_matrix(self, matrix: Array, ends: Ends) -> Array:
        return matrix[self._pre, self._post]

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        for first in range(0, len(self._pre), PIECE):
            yield self._pre[first : first + PIECE], self._post[first : first + PIECE]


def _rows_of(n_rows: int, ends: Ends, make: Callable[[Array], tuple[Array, Array]]) -> Pairs:
    """Pairs in pieces of whole rows: make(sources) returns their (pre, post)."""
    rows = max(1, PIECE // max(1, ends.n_post))
    for first in range(0, n_rows, rows):
        yield make(np.arange(first, min(first + rows, n_rows)))


def _complete(pre: Array, ends: Ends, autapses: bool) -> tuple[Array, Array]:
    """All pairs of these sources."""
    sources, targets = np.repeat(pre, ends.n_post), np.tile(np.arange(ends.n_post), len(pre))
    return without_autapses(sources, targets, ends, autapses)


def without_autapses(pre: Array, post: Array, ends: Ends, autapses: bool) -> tuple[Array, Array]:
    """The pairs, without those of a neuron with itself unless `autapses`."""
    if autapses or ends.apart:
        return pre, post
    apart = ~ends.same(pre, post)
    return pre[apart], post[apart]


def own_pairs(ends: Ends) -> Array:
    """Numbers source * n_post + target of the pairs of a neuron with itself, ascending."""
    if ends.apart:
        return np.empty(0, np.int64)
    own = ends.own(np.arange(ends.n_pre))
    pre = np.flatnonzero(own >= 0)
    return pre * ends.n_post + own[pre]
