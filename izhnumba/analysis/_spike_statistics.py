"""Statistics of single spike trains: intervals, how regular they are, and how counts vary.

All are computed for all neurons at a time, without a loop over them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from izhnumba.analysis._trains import Array, Trains, binned, neighbours, owners, trains_of, trains_within


def isi(spikes: object) -> Any:
    """Interspike intervals of each train.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.

    Returns
    -------
    list of ndarrays, ms, or one ndarray for one train
        Train by train; empty for a train with fewer than two spikes. Of a batch a list with such a list for each entry.

    Raises
    ------
    TypeError, ValueError
        For anything else, times that go back, and recorders that paused: an interval across a pause is none.

    Notes
    -----
    Interval k of a train is t[k + 1] - t[k]. Intervals before the first and after the last spike are not known.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> result = iz.Population(2, **iz.presets["RS"]).run(100.0, I=[0.0, 10.0])
    >>> analysis.isi(result)
    [array([], dtype=float64), array([23.5, 45. ])]
    >>> analysis.isi([10.0, 15.0, 35.0])
    array([ 5., 20.])
    """
    trains = trains_of("isi.spikes", spikes)
    intervals, starts = _intervals(trains)
    return trains.split(intervals, starts) if trains.shape else intervals


def cv(spikes: object) -> Array:
    """Coefficient of variation of the interspike intervals: their standard deviation over their mean.

    0 for a clock, 1 for a Poisson process.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.

    Returns
    -------
    ndarray (n,) or (n_batch, n), or a number for one train
        NaN with fewer than two intervals, that is three spikes: one interval does not vary.

    Raises
    ------
    TypeError, ValueError
        As `isi`.

    Notes
    -----
    CV = sqrt(mean((I - mean(I))^2)) / mean(I), with the mean over all k intervals in both (not k - 1), as in
    `elephant.statistics.cv`, which gives 0 for a single interval.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.cv([[0.0, 10.0, 20.0, 30.0], [0.0, 10.0, 40.0], [5.0]])
    array([0. , 0.5, nan])
    """
    trains = trains_of("cv.spikes", spikes)
    intervals, starts = _intervals(trains)
    mean = _mean(intervals, starts)
    variance = _mean((intervals - mean[owners(starts)]) ** 2, starts)
    return trains.result(np.where(np.diff(starts) > 1, _over(np.sqrt(variance), mean, np.nan), np.nan))


def cv2(spikes: object) -> Array:
    """CV2, a coefficient of variation of neighbouring intervals, on which slow changes of the rate have little effect.

    0 for a clock, 1 on average for a Poisson process.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.

    Returns
    -------
    ndarray (n,) or (n_batch, n), or a number for one train
        From 0 to 2; NaN with fewer than two intervals.

    Raises
    ------
    TypeError, ValueError
        As `isi`.

    Notes
    -----
    CV2 = mean over k of 2 abs(I[k + 1] - I[k]) / (I[k + 1] + I[k]); two intervals of 0 do not differ.

    References
    ----------
    G. R. Holt, W. R. Softky, C. Koch and R. J. Douglas, Journal of Neurophysiology 75 (1996) 1806.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.cv2([[0.0, 10.0, 20.0, 30.0], [0.0, 10.0, 40.0], [5.0]])
    array([ 0.,  1., nan])
    """
    trains = trains_of("cv2.spikes", spikes)
    contrast, starts = _contrast(trains)
    return trains.result(2 * _mean(np.abs(contrast), starts))


def lv(spikes: object) -> Array:
    """Local variation Lv of the interspike intervals: like CV2, with squares.

    0 for a clock, 1 on average for a Poisson process.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.

    Returns
    -------
    ndarray (n,) or (n_batch, n), or a number for one train
        From 0 to 3; NaN with fewer than two intervals.

    Raises
    ------
    TypeError, ValueError
        As `isi`.

    Notes
    -----
    Lv = 3 mean over k of ((I[k] - I[k + 1]) / (I[k] + I[k + 1]))^2; two intervals of 0 do not differ.

    References
    ----------
    S. Shinomoto, K. Shima and J. Tanji, Neural Computation 15 (2003) 2823.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.lv([[0.0, 10.0, 20.0, 30.0], [0.0, 10.0, 40.0], [5.0]])
    array([0.  , 0.75,  nan])
    """
    trains = trains_of("lv.spikes", spikes)
    contrast, starts = _contrast(trains)
    return trains.result(3 * _mean(contrast**2, starts))


def fano_factor(spikes: object, window: object, *, start: object = None, stop: object = None) -> Array:
    """Fano factor of each train: variance over mean of its spike counts in windows, one after the other.

    1 for a Poisson process, about CV^2 in long windows for a renewal process.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, list of trains, or one train
        A train is an array of ascending times in ms.
    window : float, ms
        Length of a window; in a simulation with steps a whole number of these. There must be two at least.
    start, stop : float, ms
        By default those of the recording. Plain trains have none: give at least stop; start is 0 then.

    Returns
    -------
    ndarray (n,) or (n_batch, n), or a number for one train
        NaN without spikes.

    Raises
    ------
    TypeError, ValueError
        As `isi`, and for windows that do not fit.

    Notes
    -----
    Window m holds the spikes with start + m window < t <= start + (m + 1) window, as the bins of a recorded rate do;
    what is left at the end is left out. F = mean((N - mean(N))^2) / mean(N) over windows. Over trials, which are the
    entries of a batch, it is `N.var(axis=0) / N.mean(axis=0)` with `N = spikes.counts()`.

    References
    ----------
    U. Fano, Physical Review 72 (1947) 26.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.fano_factor([[1.0, 2.0, 3.0, 4.0], [11.0, 31.0], []], 10.0, stop=40.0)
    array([3. , 0.5, nan])
    """
    trains = trains_within("fano_factor", spikes, start, stop)
    counts = binned("fano_factor.window", trains, window)
    return trains.result(_over(counts.var(axis=1), counts.mean(axis=1), np.nan))


def _intervals(trains: Trains) -> tuple[Array, Array]:
    """Intervals (ms), train after train, and where those of each train begin."""
    first, starts = neighbours(trains.starts)
    return trains.t[first + 1] - trains.t[first], starts


def _contrast(trains: Trains) -> tuple[Array, Array]:
    """Of each two intervals in a row their difference over their sum, and where those of each train begin."""
    intervals, of_intervals = _intervals(trains)
    first, starts = neighbours(of_intervals)
    one, next_one = intervals[first], intervals[first + 1]
    return _over(next_one - one, next_one + one, 0.0), starts


def _mean(values: Array, starts: Array) -> Array:
    """The mean of the values of each train, NaN without any."""
    total = np.bincount(owners(starts), values, len(starts) - 1)
    return _over(total, np.diff(starts), np.nan)


def _over(a: Array, b: Array, otherwise: float) -> Array:
    """a / b, and `otherwise` where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), otherwise), where=b != 0)
