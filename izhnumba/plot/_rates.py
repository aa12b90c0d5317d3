"""Population rates over time, counted in bins or smoothed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba._network.joined import JoinedRecorder
from izhnumba._record.spikes import RateRecorder
from izhnumba.plot._style import long_names, next_color
from izhnumba.plot._trains import Array, Trains, trains_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS, _LEAST = 200, 10  # about as many at most, and at least, if the user does not say
_SPIKES = 5  # in a bin
_REACH = 4.0  # of the Gaussian, in standard deviations
_NICE = (1.0, 2.0, 5.0, 10.0)


class Rate(NamedTuple):
    """A population rate: its name, ends of the bins (ms), rate (Hz) and width of the bins (ms), and who recorded it."""

    name: str
    t: Array
    rate: Array
    width: float
    recorder: RateRecorder | None = None


def rate(
    spikes: object, ax: Axes | None = None, *, every: float | None = None, sigma: float | None = None, batch: int = 0,
    **style: object,
) -> Axes:  # fmt: skip
    """Draw population rates over time: spikes per neuron and second.

    Parameters
    ----------
    spikes : Result, Spikes, SpikeRecorder, RateRecorder or Network, or a list or dict of them
        Of a Network all recorders of spikes. The lines have the names of the populations, for `ax.legend()`.
    ax : matplotlib Axes, optional
        By default that of a new figure.
    every : float, ms, a whole number of steps, optional
        Width of the bins, which lie as those of a RateRecorder do; only those are drawn that were recorded as a whole.
        By default there are up to about 200 bins, fewer where they would have less than five spikes on average. A
        RateRecorder has its own.
    sigma : float, ms, > 0, optional
        Standard deviation of a Gaussian by which the rate is smoothed.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    **style
        Passed on to `Axes.plot`, such as color and linewidth.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range.
    ImportError
        Without matplotlib.

    Notes
    -----
    The rate of a bin is (spikes in it) / (neurons * width). The smoothed one at the middle t of a bin is
    sum_k w(t - t_k) r_k / sum_k w(t - t_k) over the bins k within 4 sigma, with w(s) = exp(-s^2 / (2 sigma^2)): at the
    ends, the part of the Gaussian that lies in the recording counts. If `every` is left out, bins are then a fifth of
    sigma wide.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> net = iz.Network(seed=1)
    >>> exc = net.add(iz.Population(8, **iz.presets["RS"]), name="exc")
    >>> drive, spikes = net.drive(exc, 10.0), net.record(exc)
    >>> net.run(100.0)
    >>> ax = plot.rate(spikes, every=10.0)
    >>> plot.rate(spikes, ax, sigma=5.0).get_ylabel()
    'rate (Hz)'
    """
    if sigma is not None:
        sigma = checks.number("rate.sigma", sigma, "ms", above=0.0)
    found = list(flat("rate.spikes", spikes, "", batch))
    trains = [one for one in found if isinstance(one, Trains)]
    if every is not None and len(trains) < len(found):
        raise ValueError(f"rate.every must be left out for a RateRecorder, got {every!r:.60}. It has its own bins.")
    every = width_of(trains, sigma) if every is None and trains else every
    rates = [binned(one, every) if isinstance(one, Trains) else one for one in found]
    ax = axes_for("rate.ax", ax)
    style = long_names(style, "Line2D")
    ax.set_xmargin(0.0)
    for one in rates:
        t, r = _smooth(one, sigma) if sigma is not None else _stairs(one)
        default: dict[str, Any] = {"color": next_color(ax), "linewidth": 1.0, "label": one.name}
        (line,) = ax.plot(t, r, **default | style)
        line.sticky_edges.y.append(0.0)  # no margin below
        if t.size:
            ax.update_datalim([(t[0], 0.0), (t[0], float(np.nanmax(r)) or 1.0)])
    ax.autoscale_view()
    return labelled(ax, "time (ms)", "rate (Hz)")


def flat(where: str, spikes: object, name: str, batch: int) -> Iterator[Rate | Trains]:
    """The rates, and the spikes to be counted, in what a user passes. `where` is "owner.argument", for errors; name: of
    what it is in."""
    if isinstance(spikes, JoinedRecorder) and all(isinstance(one, RateRecorder) for one in spikes.parts):
        spikes = spikes.parts
    if isinstance(spikes, RateRecorder):
        width = spikes._engine.time.ms(spikes._every)
        yield Rate(name or spikes.name.removesuffix(" rate"), spikes.t, spikes.rate, width, spikes)
    elif isinstance(spikes, (Mapping, list, tuple)) and spikes:
        keyed = isinstance(spikes, Mapping)
        for key, one in spikes.items() if isinstance(spikes, Mapping) else enumerate(spikes):
            yield from flat(f"{where}[{key!r}]", one, f"{name} {key}".strip() if keyed else name, batch)
    else:
        yield from (one._replace(name=name or one.name) for one in trains_of(where, spikes, batch))


def binned(one: Trains, every: float | None) -> Rate:
    """The rate of a population in all bins that were recorded as a whole."""
    time = one.spikes._time
    step = time.interval("rate.every", every)
    width = time.ms(step)
    # Ends of slices in time lie between steps, too.
    first = int(time.samples_by(one.begin, step)) + (not time.is_sample(one.begin, step))
    last = max(first, int(time.samples_by(one.end, step)))
    bins = np.maximum(time.bins(one.labels, step), 0) - first  # a spike at the very start is in the first
    counts = np.bincount(bins[(bins >= 0) & (bins < last - first)], minlength=last - first)
    t = time.ms(time.sample(np.arange(first, last) + 1, step))
    return Rate(one.name, np.asarray(t), counts / (max(1, one.neurons.size) * width * 1e-3), width)


def width_of(every: list[Trains], sigma: float | None) -> float:
    """A width of bins for all of these populations, ms: 1, 2 or 5 times a power of ten, and whole steps."""
    longest = max(end - begin for begin, end in (one.span for one in every))
    fewest = min((one.t.size for one in every if one.t.size), default=0)
    about = longest / max(_LEAST, min(_BINS, fewest / _SPIKES))
    about = max(about if sigma is None else min(sigma / 5, longest / _LEAST), 1e-6)
    power = 10.0 ** np.floor(np.log10(about))
    nice = power * min(_NICE, key=lambda x: abs(x - about / power))
    time = every[0].spikes._time
    return float(nice if every[0].spikes.step is None else time.dt * max(1, round(nice / time.dt)))


def _stairs(one: Rate) -> tuple[Array, Array]:
    """(t in ms, rate) along the tops of the bins, broken by NaN where bins are missing."""
    t = np.column_stack([one.t - one.width, one.t])
    gaps = 2 * (np.flatnonzero(np.diff(one.t) > 1.5 * one.width) + 1)
    return np.insert(t.ravel(), gaps, np.nan), np.insert(np.repeat(one.rate, 2), gaps, np.nan)


def _smooth(one: Rate, sigma: float) -> tuple[Array, Array]:
    """(t in ms, rate) at the middles of the bins, smoothed; each run of bins without a gap by itself."""
    middle = one.t - one.width / 2
    starts = np.flatnonzero(np.diff(one.t) > 1.5 * one.width) + 1
    pieces = [_mean(rate, sigma / one.width) for rate in np.split(one.rate, starts)]
    return np.insert(middle, starts, np.nan), np.insert(np.concatenate(pieces), starts, np.nan)


def _mean(rate: Array, sigma: float) -> Array:
    """Rates of bins, each averaged with its neighbours by a Gaussian; sigma in bins."""
    if not rate.size:
        return rate
    reach = min(int(_REACH * sigma), rate.size - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    total, known = (np.convolve(x, weights)[reach : reach + rate.size] for x in (rate, np.ones(rate.size)))
    return np.asarray(total / known)
