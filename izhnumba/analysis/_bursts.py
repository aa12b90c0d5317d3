"""Bursts in spike trains."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba.analysis._trains import Array, neighbours, owners, trains_of


class Bursts(NamedTuple):
    """Bursts, as `bursts` returns them: train by train, in order of time.

    Attributes
    ----------
    i : ndarray of int64
        The neuron of each burst, by its flat index; of a list of trains the place in the list.
    batch : ndarray of int64
        Its batch entry, 0 without batch.
    start, stop : ndarray, ms
        Its first and its last spike.
    n_spikes : ndarray of int64
        How many spikes it has.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> found = analysis.bursts([[1.0, 2.0, 3.0, 50.0], []], 5.0)
    >>> len(found.i), found.stop - found.start
    (1, array([2.]))
    """

    i: Array
    batch: Array
    start: Array
    stop: Array
    n_spikes: Array


def bursts(
    spikes: object, max_begin_isi: object, max_end_isi: object = None, *, min_ibi: object = 0.0,
    min_duration: object = 0.0, min_spikes: object = 3,
) -> Bursts:  # fmt: skip
    """Bursts of each train, by the method of the maximum interval.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.
    max_begin_isi : float, ms, > 0
        A burst begins with an interval of at most this.
    max_end_isi : float, ms, >= max_begin_isi
        It goes on as long as intervals are at most this; by default max_begin_isi.
    min_ibi : float, ms, >= 0
        Bursts are one where less than this lies between the last spike of one and the first of the next.
    min_duration : float, ms, >= 0
        Bursts that are shorter, from the first to the last spike, are none.
    min_spikes : int, >= 2
        Bursts of fewer spikes are none.

    Returns
    -------
    Bursts
        With `.i`, `.batch`, `.start`, `.stop` and `.n_spikes`; `numpy.bincount(found.i, minlength=n)` counts those of
        each neuron.

    Raises
    ------
    TypeError, ValueError
        As `isi`, and for values out of range.

    Notes
    -----
    First bursts are found: the first interval of at most max_begin_isi and all behind it up to the first above
    max_end_isi; then the search goes on from there. Then they are merged, then short and small ones are left out. A
    burst at the end of a recording may be cut off. For cultured neurons on electrodes, 170, 300, 200, 10 ms and 3
    spikes are common; for the chattering cells of the 2003 model 10 ms is enough of a limit.

    References
    ----------
    NeuroExplorer manual, Nex Technologies; described and compared with other methods in E. Cotterill, P. Charlesworth,
    C. W. Thomas, O. Paulsen and S. J. Eglen, Journal of Neurophysiology 116 (2016) 306.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> chattering = iz.Population(1, **iz.presets["CH"]).run(300.0, 10.0)
    >>> found = analysis.bursts(chattering, 10.0)
    >>> found.n_spikes
    array([7, 5, 5, 5, 5])
    >>> (found.start[1:] - found.stop[:-1]).round(1)
    array([47.2, 47.6, 47.7, 47.8])
    """
    where = "bursts"
    begin = checks.number(f"{where}.max_begin_isi", max_begin_isi, "ms", above=0.0)
    bound = checks.Other("max_begin_isi", begin)
    end = begin if max_end_isi is None else checks.number(f"{where}.max_end_isi", max_end_isi, "ms", at_least=bound)
    apart = checks.number(f"{where}.min_ibi", min_ibi, "ms", at_least=0.0)
    shortest = checks.number(f"{where}.min_duration", min_duration, "ms", at_least=0.0)
    fewest = checks.integer(f"{where}.min_spikes", min_spikes, at_least=2)
    trains = trains_of(f"{where}.spikes", spikes)
    t = trains.t
    before, starts = neighbours(trains.starts)  # the spikes before the intervals
    interval, owner = t[before + 1] - t[before], owners(starts)

    # Runs of intervals that are short enough to go on, each within a train; a burst is the rest of one from where it
    # is short enough to begin.
    goes_on = np.flatnonzero(interval <= end)
    fresh = (np.diff(goes_on, prepend=-2) > 1) | (np.diff(owner[goes_on], prepend=-1) != 0)
    run = np.cumsum(fresh) - 1
    last = goes_on[np.append(fresh[1:], True)] if goes_on.size else goes_on
    begins = goes_on[interval[goes_on] <= begin]
    of_run, firsts = np.unique(run[interval[goes_on] <= begin], return_index=True)
    first_spike, last_spike = before[begins[firsts]], before[last[of_run]] + 1

    train = np.searchsorted(trains.starts, first_spike, "right") - 1
    alone = np.ones(first_spike.size, bool)  # not one with the burst before it
    alone[1:] = (train[1:] != train[:-1]) | (t[first_spike[1:]] - t[last_spike[:-1]] >= apart)
    first_spike, train = first_spike[alone], train[alone]
    last_spike = last_spike[np.append(alone[1:], True)] if alone.size else last_spike

    n_spikes = last_spike - first_spike + 1
    good = (n_spikes >= fewest) & (t[last_spike] - t[first_spike] >= shortest)
    first_spike, last_spike, n_spikes, train = first_spike[good], last_spike[good], n_spikes[good], train[good]
    n = max(1, math.prod(trains.shape[-1:]))
    return Bursts(trains.neurons[train % n], train // n, t[first_spike], t[last_spike], n_spikes)
