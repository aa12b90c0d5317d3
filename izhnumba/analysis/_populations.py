"""What the spikes of many neurons have in common: correlations of counts, and the spectrum of their rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._record.found import optional
from izhnumba.analysis._trains import Array, binned, bins_of, owners, trains_within


def spike_count_correlation(spikes: object, bin: object, *, start: object = None, stop: object = None) -> Array:
    """Correlation of the spike counts of each two trains: Pearson's coefficient over bins.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes, or list of trains
        A train is an array of ascending times in ms.
    bin : float, ms
        Width of a bin; in a simulation with steps a whole number of these. There must be two at least.
    start, stop : float, ms
        By default those of the recording. Plain trains have none: give at least stop; start is 0 then.

    Returns
    -------
    ndarray (n, n) or (n_batch, n, n)
        From -1 to 1, 1 on the diagonal. NaN for a train with the same count in all bins, such as a silent one, also on
        the diagonal: `numpy.nanmean(c[numpy.triu_indices(n, 1)])` is the mean over pairs of those that vary.

    Raises
    ------
    TypeError, ValueError
        As `isi`, and for bins that do not fit.
    MemoryError
        Where the matrix would not fit into memory: choose neurons.

    Notes
    -----
    With N[i, m], the spikes of train i in bin m, start + m bin < t <= start + (m + 1) bin, and x its deviation from the
    mean over bins: c[i, j] = sum(x[i] x[j]) / sqrt(sum(x[i]^2) sum(x[j]^2)). Coefficients grow with the width of the
    bins.

    References
    ----------
    M. R. Cohen and A. Kohn, Nature Neuroscience 14 (2011) 811.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> trains = [[1.0, 12.0, 35.0], [2.0, 11.0, 36.0], [25.0], []]
    >>> analysis.spike_count_correlation(trains, 10.0, stop=40.0).round(2)
    array([[ 1.,  1., -1., nan],
           [ 1.,  1., -1., nan],
           [-1., -1.,  1., nan],
           [nan, nan, nan, nan]])
    """
    where = "spike_count_correlation"
    trains = trains_within(where, spikes, start, stop)
    if not trains.shape:
        raise ValueError(f"{where}.spikes must be several trains, got one. Pass a list of trains.")
    n, batches = trains.shape[-1], math.prod(trains.shape[:-1])
    checks.fits(where, 8.0 * batches * n * n, "Record fewer neurons.")
    x = binned(f"{where}.bin", trains, bin).astype(np.float64).reshape(batches, n, -1)
    x -= x.mean(axis=-1, keepdims=True)
    length = np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    x = np.divide(x, length, out=np.full_like(x, np.nan), where=length > 0)
    found = np.clip(x @ x.swapaxes(-1, -2), -1.0, 1.0)
    diagonal = np.arange(n)
    found[:, diagonal, diagonal] = np.where(length[..., 0] > 0, 1.0, np.nan)
    return found if len(trains.shape) > 1 else found[0]


def rate_spectrum(
    spikes: object, *, bin: object = 1.0, segment: object = None, start: object = None, stop: object = None
) -> tuple[Array, Array]:
    """Power spectral density of the population rate, by Welch's method. Needs SciPy.

    Parameters
    ----------
    spikes : Spikes, Result, recorder of spikes or of a rate, list of trains, or one train
        A train is an array of ascending times in ms.
    bin : float, ms
        Width of the bins in which spikes are counted; in a simulation with steps a whole number of these. Frequencies
        go up to 500 / bin Hz. A recorded rate has bins of its own.
    segment : float, ms
        Length of Welch's segments: frequencies are 1000 / segment Hz apart. By default 1000 ms, or all there is, if
        that is less.
    start, stop : float, ms
        By default those of the recording. Plain trains have none: give at least stop; start is 0 then.

    Returns
    -------
    f : ndarray, Hz
    power : ndarray (f.size,) or (n_batch, f.size), Hz^2 / Hz
        One-sided, so that its integral over f is the variance of the rate. Independent Poisson trains of rate r have
        2 r / n at all frequencies. 0 for a silent population.

    Raises
    ------
    TypeError, ValueError
        As `isi`, and for bins or segments that do not fit.
    ImportError
        Without SciPy.

    Notes
    -----
    The rate in bin m is the number of spikes of all n trains with start + m bin < t <= start + (m + 1) bin, over n bin.
    Segments overlap by half, their mean is taken off, and they are weighted by a Hann window, the defaults of
    `scipy.signal.welch`.

    References
    ----------
    P. D. Welch, IEEE Transactions on Audio and Electroacoustics 15 (1967) 70.

    Examples
    --------
    Cells that all fire every 25 ms:

    >>> import numpy as np
    >>> from izhnumba import analysis
    >>> f, power = analysis.rate_spectrum([np.arange(12.5, 4000.0, 25.0)] * 10, stop=4000.0)
    >>> float(f[np.argmax(power[f < 60])])
    40.0
    """
    where = "rate_spectrum"
    rate, bin_ms = _rate(where, spikes, bin, start, stop)
    most = rate.shape[-1] * bin_ms
    length = min(1000.0, most) if segment is None else checks.number(f"{where}.segment", segment, "ms", at_most=most)
    per_segment = round(length / bin_ms)
    if per_segment < 2:
        raise ValueError(f"{where}.segment must be at least two bins of {bin_ms:g} ms, got {length:g} ms.")
    f, power = optional(where, "scipy.signal").welch(rate, fs=1000.0 / bin_ms, nperseg=per_segment)
    return f, power


def _rate(where: str, spikes: Any, bin: object, start: object, stop: object) -> tuple[Array, float]:
    """The population rate (Hz) in bins, of each batch entry, and the width of a bin, ms."""
    recorded, t = getattr(spikes, "rate", None), getattr(spikes, "t", None)
    if isinstance(recorded, np.ndarray) and isinstance(t, np.ndarray) and recorded.shape == t.shape:
        return _recorded_rate(where, t, recorded, start, stop)
    trains = trains_within(where, spikes, start, stop)
    bins, n_bins, bin_ms = bins_of(f"{where}.bin", trains, bin)
    n, batches = math.prod(trains.shape[-1:]), math.prod(trains.shape[:-1])
    whole = bins < n_bins
    entry = owners(trains.starts)[whole] // max(n, 1)
    counts = np.bincount(entry * n_bins + bins[whole], minlength=batches * n_bins).reshape(batches, n_bins)
    rate = counts / (max(n, 1) * bin_ms * 1e-3)
    return rate if len(trains.shape) > 1 else rate[0], bin_ms


def _recorded_rate(where: str, t: Array, rate: Array, start: object, stop: object) -> tuple[Array, float]:
    """A recorded rate in its own bins, and their width, ms."""
    first = -math.inf if start is None else checks.number(f"{where}.start", start, "ms")
    last = math.inf if stop is None else checks.number(f"{where}.stop", stop, "ms")
    width = float(np.diff(t[:2]).sum())
    inside = (t - width >= first - width / 1000) & (t <= last + width / 1000)
    t, rate = t[inside], rate[inside]
    if t.size < 2:
        raise ValueError(f"{where}.spikes must have two bins at least, got a rate with {t.size}.")
    if not np.allclose(np.diff(t), width):
        raise ValueError(f"{where}.spikes must be recorded without a pause, got a rate with gaps. Give start and stop.")
    return rate, width
