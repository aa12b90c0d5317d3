"""Pairing of the spikes of two trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._record.results import Result, Spikes

Array = np.ndarray[Any, np.dtype[Any]]


def match_spikes(reference: ArrayLike, other: ArrayLike) -> tuple[Array, Array]:
    """Pair the spikes of two trains of one neuron: each the other's nearest, within half the local interval.

    Parameters
    ----------
    reference, other : array, ms
        Spike times in ascending order. The local interval is the shorter of the two beside a spike of `reference`;
        around a lone spike there is no bound.

    Returns
    -------
    i, j : ndarray of int64
        reference[i] and other[j] are pairs, in order of time. Spikes of `reference` that are not in i are missed,
        spikes of `other` that are not in j spurious.

    Raises
    ------
    TypeError, ValueError
        For anything but a one-dimensional array of ascending numbers.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.match_spikes([10.0, 20.0, 30.0], [10.5, 14.0, 29.0])
    (array([0, 2]), array([0, 2]))
    """
    a, b = (_ascending(f"match_spikes.{name}", t) for name, t in (("reference", reference), ("other", other)))
    if not a.size or not b.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    gaps = np.diff(a)
    local = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
    partner = _nearest(a, b)
    pairs = (_nearest(b, a)[partner] == np.arange(a.size)) & (np.abs(b[partner] - a) <= local / 2)
    return np.flatnonzero(pairs), partner[pairs]


def _nearest(t: Array, among: Array) -> Array:
    """For each time the index of the nearest one among others, which are sorted."""
    right = np.searchsorted(among, t).clip(1, max(1, among.size - 1))
    if among.size == 1:
        return np.zeros(t.size, np.int64)
    return np.where(t - among[right - 1] <= among[right] - t, right - 1, right)


def _ascending(where: str, value: object) -> Array:
    """Spike times, checked: shape (spikes,), ascending."""
    if isinstance(value, (Result, Spikes)):
        raise TypeError(f"{where} must be times of one neuron in ms, got {value!r}. Pass spikes.t[spikes.i == 0].")
    t = checks.array(where, value, "ms")
    if t.ndim != 1 or np.any(np.diff(t) < 0):
        got = f"an array of shape {t.shape}" if t.ndim != 1 else "times that go back"
        raise ValueError(f"{where} must be one-dimensional and ascending, got {got}. Pass the spikes of one neuron.")
    return t


def trains(spikes: Spikes) -> dict[tuple[int, int], Array]:
    """Ascending spike times (ms) by (batch entry, neuron)."""
    order = np.lexsort((spikes.t, spikes.i, spikes.batch))
    batch, i, t = spikes.batch[order], spikes.i[order], spikes.t[order]
    starts = np.flatnonzero((np.diff(i, prepend=-1) != 0) | (np.diff(batch, prepend=-1) != 0))
    return {(int(batch[k]), int(i[k])): train for k, train in zip(starts, np.split(t, starts)[1:], strict=True)}
