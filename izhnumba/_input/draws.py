"""Draws of Poisson spikes, step by step."""

from __future__ import annotations

import numpy as np

from izhnumba._input.target import Array, Spikes

_WIDTH = 1024  # pairs of spikes whose words are made at a time: they stay in the first cache
_ALIKE = np.empty((2, 0), np.uint32)  # instead of the shares of neurons that are as likely


class PoissonDraws:
    """Spikes of independent Poisson trains, each a function of the key and its step.

    Parameters
    ----------
    weights : ndarray, shape (neurons,)
        Of the spikes of each neuron.
    key : (seed, stream), int, 32 bits each
    """

    def __init__(self, weights: Array, key: tuple[int, int]) -> None:
        self._weights, self._key = weights, key
        self._shares: tuple[Array, Array] = np.full(weights.size, np.nan), _ALIKE  # of which means, and the table

    def of(self, means: Array, step: int, count: int) -> Spikes:
        """Those of `count` steps from `step` on. means: expected spikes in a step, (count or 1, neurons or 1)."""
        if means.shape[1] == 1:
            return self._piece(means[:, 0] * self._weights.size, _ALIKE, step, count)
        edges = [0, *(np.flatnonzero((means[1:] != means[:-1]).any(axis=1)) + 1), count]
        pieces = []
        for first, last in zip(edges, edges[1:], strict=False):
            mean = means[first]
            pieces.append(self._piece(mean.sum(keepdims=True), self._shares_of(mean), step + first, last - first))
        begins = np.cumsum([0, *(piece.neurons.size for piece in pieces)])
        starts = [piece.starts[:-1] + begin for piece, begin in zip(pieces, begins, strict=False)]
        neurons, weights = (np.concatenate(parts) for parts in list(zip(*pieces, strict=True))[1:])
        return Spikes(np.concatenate([*starts, begins[-1:]]), neurons, weights)

    def _shares_of(self, means: Array) -> Array:
        from izhnumba._numba.poisson import fill_shares

        if not np.array_equal(self._shares[0], means):
            shares = _ALIKE
            if means.min() < means.max():
                shares = np.empty((2, means.size), np.uint32)
                fill_shares(*shares, means.copy(), np.empty(means.size, np.int64))
            self._shares = means.copy(), shares
        return self._shares[1]

    def _piece(self, means: Array, shares: Array, step: int, count: int) -> Spikes:
        """Of steps in which these shares hold. means: of all neurons together, (count,) or (1,)."""
        from izhnumba._numba.poisson import fill_spikes, fill_totals

        totals = np.empty(count, np.int64)
        fill_totals(totals, means, step, *self._key)
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.minimum(totals, self._weights.size), out=starts[1:])
        neurons, weights = np.empty(starts[-1], np.uint32), np.empty(starts[-1], self._weights.dtype)
        scratch = np.empty((4, min(_WIDTH, int(totals.max(initial=1) + 1) // 2)), np.uint32)
        fill_spikes(neurons, weights, starts, totals, self._weights, *shares, scratch, step, *self._key)
        return Spikes(starts, neurons, weights)
