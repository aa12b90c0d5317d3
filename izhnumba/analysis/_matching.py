"""How well two spike trains agree: pairs of spikes, and the coincidence factor."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._engine.timebase import GRID
from izhnumba._record.results import Result, Spikes
from izhnumba.analysis._trains import Array, Trains, owners, trains_within


def match_spikes(reference: ArrayLike, other: ArrayLike) -> tuple[Array, Array]:
    """Pair the spikes of two trains of one neuron: each the other's nearest, within half the local interval.

    `coincidence_factor` says in one number how well trains agree.

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


def coincidence_factor(
    reference: object, other: object, delta: object = 2.0, *, start: object = None, stop: object = None
) -> Array:
    """Coincidence factor Gamma of spike trains: 1 if they agree to delta, 0 on average for a Poisson process.

    Parameters
    ----------
    reference : Spikes, Result, recorder of spikes, list of trains, or one train
        The data. A train is an array of ascending times in ms.
    other : the same
        The model: a train for each one of the reference. One train on either side is compared with all of the other.
    delta : float, ms, > 0
        Spikes coincide if they are at most this far apart.
    start, stop : float, ms
        By default those of the recordings. Plain trains have none: give at least stop; start is 0 then.

    Returns
    -------
    ndarray (n,) or (n_batch, n), or a number for one train and one other
        At most 1, negative if fewer coincide than by chance; 0 for a silent model of a neuron that fires. NaN if both
        are silent, and if the model's rate is 1 / (2 delta) or more, at which everything coincides by chance.

    Raises
    ------
    TypeError, ValueError
        As `isi`, for recordings of different times, and for numbers of trains that differ.

    Notes
    -----
    Gamma = (N_coinc - <N_coinc>) / ((N_ref + N_other) / 2) / (1 - 2 nu delta), with <N_coinc> = 2 nu delta N_ref, the
    coincidences of the reference with a Poisson process of the rate nu = N_other / (stop - start) of the model. A spike
    takes part in one coincidence at most, and N_coinc is the largest number of pairs that there can be (other programs
    count a spike of the model once for each spike of the data near it, or take nu from the data).

    References
    ----------
    W. M. Kistler, W. Gerstner and J. L. van Hemmen, Neural Computation 9 (1997) 1015; R. Jolivet et al., Journal of
    Neuroscience Methods 169 (2008) 417, with delta = 2 ms.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> data, model = [10.0, 50.0, 90.0], [[11.0, 49.0, 91.0], [11.0, 70.0, 91.0], []]
    >>> analysis.coincidence_factor(data, model, stop=100.0).round(2)
    array([1.  , 0.62, 0.  ])
    """
    where = "coincidence_factor"
    delta = checks.number(f"{where}.delta", delta, "ms", above=0.0)
    a, b = (trains_within(where, one, start, stop, name) for one, name in ((reference, "reference"), (other, "other")))
    start_ms, stop_ms = a.window or (0.0, 0.0)
    if a.window != b.window:
        times = " and ".join("{:g} to {:g} ms".format(*one.window or (0.0, 0.0)) for one in (a, b))
        raise ValueError(f"{where}.other must be recorded when the reference was, got {times}. Give start and stop.")
    if a.shape and b.shape and a.shape != b.shape:
        raise ValueError(f"{where}.other must have trains of shape {a.shape}, those of the reference, got {b.shape}.")
    a, b = (_repeated(one, n) for one, n in ((a, b.n), (b, a.n)))
    n_reference, n_other = np.diff(a.starts), np.diff(b.starts)
    chance = 2 * n_other * delta / (stop_ms - start_ms)
    below = (n_reference + n_other) / 2 * (1 - chance)
    above = _coincidences(a, b, float(np.rint(delta * GRID))) - chance * n_reference
    gamma = np.divide(above, below, out=np.full(a.n, np.nan), where=below > 0)
    return (a if a.shape else b).result(gamma)


def _repeated(trains: Trains, n: int) -> Trains:
    """One train n times; several as they are."""
    if trains.shape:
        return trains
    return trains._replace(t=np.tile(trains.t, n), starts=np.arange(n + 1) * trains.t.size)


def _coincidences(a: Trains, b: Trains, delta: float) -> Array:
    """For each train the largest number of pairs that are at most delta (in points of the grid) apart.

    In order of time each spike of a takes the first spike of b that is near enough and free.
    """
    low, high = np.empty((2, a.t.size), np.int64)  # the spikes of b that are near enough: from low on, before high
    x, y = np.rint(a.t * GRID), np.rint(b.t * GRID)  # whole numbers: differences of these have no rounding
    for (begin, end), (first, last) in zip(*(itertools.pairwise(one.starts.tolist()) for one in (a, b)), strict=True):
        low[begin:end] = first + np.searchsorted(y[first:last], x[begin:end] - delta)
        high[begin:end] = first + np.searchsorted(y[first:last], x[begin:end] + delta, "right")
    # Spikes of a that may want the same one of b are in one group; groups are gone through side by side.
    begins = np.flatnonzero(np.append(True, low[1:] >= high[:-1])[: a.t.size])
    sizes = np.diff(begins, append=a.t.size)
    free, found = np.zeros(a.t.size, np.int64), np.zeros(a.t.size, bool)
    for rank in range(sizes.max(initial=0)):
        begins, sizes = begins[sizes > rank], sizes[sizes > rank]
        at = begins + rank
        taken = np.maximum(low[at], free[begins])
        found[at] = taken < high[at]
        free[begins] = taken + found[at]
    return np.bincount(owners(a.starts)[found], minlength=a.n)


def _nearest(t: Array, among: Array) -> Array:
    """For each time the index of the nearest one among others, which are sorted."""
    right = np.searchsorted(among, t).clip(1, max(1, among.size - 1))
    if among.size == 1:
        return np.zeros(t.size, np.int64)
    return np.where(t - among[right - 1] <= among[right] - t, right - 1, right)


def _ascending(where: str, value: object) -> Array:
    """Spike times, checked: shape (spikes,), ascending."""
    if isinstance(value, (Result, Spikes)):
        raise TypeError(f"{where} must be times of one neuron in ms, got {checks.shown(value)}. Pass spikes.of(0).")
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
