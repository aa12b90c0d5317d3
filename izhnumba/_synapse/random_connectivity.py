"""Connectivity rules that draw: with a probability, or a number of pairs for each source, each target or in all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._synapse.connectivity import (
    PAIR_BYTES,
    PIECE,
    Array,
    Pairs,
    Rule,
    own_pairs,
    without_autapses,
)
from izhnumba._synapse.ends import Ends


@dataclass(frozen=True)
class FixedProbability(Rule):
    """Each pair with probability p, independently of the others.

    Parameters
    ----------
    p : float, 0 to 1
    autapses : bool
        Whether a neuron may reach itself.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.FixedProbability(0.1)
    FixedProbability(p=0.1, autapses=True)
    """

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        assign(self, p=checks.number("FixedProbability.p", self.p, at_least=0.0, at_most=1.0))
        self._check("autapses")

    def expected(self, ends: Ends) -> float:
        return self.p * ends.n_pre * ends.n_post

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        rows = max(1, int(PIECE / max(1.0, self.p * ends.n_post)))
        for first in range(0, ends.n_pre, rows):
            n_pairs = min(rows, ends.n_pre - first) * ends.n_post
            pre, post = np.divmod(_bernoulli(n_pairs, self.p, rng), ends.n_post)
            yield without_autapses(pre + first, post, ends, self.autapses)


@dataclass(frozen=True)
class _Drawn(Rule):
    """Fields of the rules that draw n pairs for each neuron or in all."""

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        self._check("n", "autapses", "multapses")


@dataclass(frozen=True)
class FixedOutDegree(_Drawn):
    """Every source reaches n targets, drawn at random.

    Parameters
    ----------
    n : int, >= 0
    autapses, multapses : bool
        Whether a neuron may reach itself, or a target more than once.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.FixedOutDegree(100)
    FixedOutDegree(n=100, autapses=True, multapses=True)
    """

    def count(self, ends: Ends) -> int:
        return self.n * ends.n_pre

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        yield from _drawn(self, ends, rng)


@dataclass(frozen=True)
class FixedInDegree(_Drawn):
    """Every target is reached by n sources, drawn at random.

    Parameters
    ----------
    n : int, >= 0
    autapses, multapses : bool
        Whether a neuron may reach itself, or a source may reach a target more than once.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.FixedInDegree(100, multapses=False)
    FixedInDegree(n=100, autapses=True, multapses=False)
    """

    def count(self, ends: Ends) -> int:
        return self.n * ends.n_post

    def scratch(self, ends: Ends) -> float:
        return PAIR_BYTES * max(PIECE, self.expected(ends) / ends.n_post)

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        for post, pre in _drawn(self, ends.turned(), rng):
            yield pre, post


@dataclass(frozen=True)
class FixedTotalNumber(_Drawn):
    """n pairs in all, drawn at random.

    Parameters
    ----------
    n : int, >= 0
    autapses, multapses : bool
        Whether a neuron may reach itself, or a pair be drawn more than once.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.FixedTotalNumber(1000)
    FixedTotalNumber(n=1000, autapses=True, multapses=True)
    """

    def count(self, ends: Ends) -> int:
        return self.n

    def scratch(self, ends: Ends) -> float:
        if self.multapses:
            return PAIR_BYTES * PIECE
        shuffled = 20 * self.n > ends.n_pre * ends.n_post  # numpy then writes down all pairs
        return PAIR_BYTES * self.expected(ends) + 8 * shuffled * ends.n_pre * ends.n_post

    def pairs(self, ends: Ends, rng: Generator) -> Pairs:
        apart = own_pairs(ends) if not self.autapses else np.empty(0, np.int64)
        n_pairs = ends.n_pre * ends.n_post - apart.size
        if self.n and (n_pairs == 0 or (self.n > n_pairs and not self.multapses)):
            raise ValueError(f"FixedTotalNumber.n must be at most {n_pairs}, the number of pairs, got {self.n}.")
        if not self.multapses:
            chosen = np.sort(rng.choice(n_pairs, self.n, replace=False, shuffle=False))
            yield np.divmod(_skip(chosen, apart), ends.n_post)
            return
        for first in range(0, self.n, PIECE):
            chosen = rng.integers(n_pairs, size=min(PIECE, self.n - first))
            yield np.divmod(_skip(chosen, apart), ends.n_post)


def _bernoulli(n: int, p: float, rng: Generator) -> Array:
    """Numbers, from 0, of those of n independent trials that succeed, ascending: gaps between them are geometric."""
    if p == 0.0 or n == 0:
        return np.empty(0, np.int64)
    found, last = [], -1
    while last < n:
        expected = (n - last) * p
        size = int(expected + 5 * math.sqrt(expected) + 10)
        gaps = rng.geometric(p, size) if p > 1e-12 else _rare(p, size, n, rng)
        found.append(last + np.cumsum(gaps))
        last = int(found[-1][-1])
    places = np.concatenate(found)
    return places[: np.searchsorted(places, n)]


def _rare(p: float, size: int, most: int, rng: Generator) -> Array:
    """`size` geometric numbers for a tiny p, for which the law is exponential; cut at 1 + most, as 64 bits may not
    do."""
    return 1 + np.minimum(rng.exponential(1 / p, size), most).astype(np.int64)


def _drawn(rule: _Drawn, ends: Ends, rng: Generator) -> Pairs:
    """(row, choice) pairs with rule.n choices, places of targets, for each row, the place of a source."""
    n_rows, n_choices, rows = ends.n_pre, ends.n_post, max(1, PIECE // max(1, rule.n))
    for first in range(0, n_rows, rows):
        every = np.arange(first, min(first + rows, n_rows))
        own = np.full(len(every), -1) if rule.autapses else ends.own(every)
        own[own < 0] = n_choices  # no choice is its own
        free = n_choices - (own < n_choices).any()
        if rule.n > (free if not rule.multapses else math.inf) or (rule.n and not free):
            raise ValueError(
                f"{type(rule).__name__}.n must be at most {free}, the number of neurons to draw from, got {rule.n}. "
                "Allow multapses or draw fewer."
            )
        available = np.where(own < n_choices, n_choices - 1, n_choices)[:, None]
        choice = (_with_repeats if rule.multapses else _without_repeats)(available, rule.n, rng)
        choice += choice >= own[:, None]  # leave out the neuron itself
        yield np.repeat(every, rule.n), choice.ravel()


def _with_repeats(available: Array, n: int, rng: Generator) -> Array:
    """n numbers below `available` for each row, shape (rows, n)."""
    return rng.integers(available, size=(len(available), n))


def _without_repeats(available: Array, n: int, rng: Generator) -> Array:
    """n different numbers below `available` for each row, shape (rows, n), ascending; all sets are equally likely."""
    most = int(available.max(initial=0))
    if 4 * n > most:  # shuffle everything
        keys = np.where(np.arange(most) < available, rng.random((len(available), most)), 2.0)
        return np.sort(np.argsort(keys, axis=1, kind="stable")[:, :n], axis=1)
    drawn = np.sort(rng.integers(available, size=(len(available), n)), axis=1)
    while True:  # draw anew what came twice
        again = np.zeros(drawn.shape, bool)
        again[:, 1:] = drawn[:, 1:] == drawn[:, :-1]
        if not again.any():
            return drawn
        row = np.nonzero(again)[0]
        drawn[again] = rng.integers(available[row, 0])
        changed = np.unique(row)
        drawn[changed] = np.sort(drawn[changed], axis=1)


def _skip(chosen: Array, apart: Array) -> Array:
    """Numbers among the pairs without those `apart` (ascending), turned into numbers among all pairs."""
    return chosen + np.searchsorted(apart - np.arange(apart.size), chosen, side="right")
