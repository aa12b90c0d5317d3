"""Histograms of interspike intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba.plot._style import long_names, next_color
from izhnumba.plot._trains import Array, Trains, trains_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_BINS = 50


def isi(
    spikes: object, ax: Axes | None = None, *, bins: int | Sequence[float] = _BINS, log: bool = False, batch: int = 0,
    **style: object,
) -> Axes:  # fmt: skip
    """Draw a histogram of interspike intervals, those of all neurons of a population together.

    Parameters
    ----------
    spikes : Result, Spikes, SpikeRecorder or Network, or a list or dict of them
        Of a Network all recorders of spikes. The curves have the names of the populations, for `ax.legend()`.
    ax : matplotlib Axes, optional
        By default that of a new figure.
    bins : int, or ascending floats, ms
        How many bins, or their edges. If edges are not given they lie between two steps, so that each bin has a whole
        number of steps: there may be fewer bins than asked for.
    log : bool
        Whether intervals are on a logarithmic scale, with bins of equal width there.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    **style
        Passed on to `Axes.stairs`, such as color and fill.

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
    The height of a bin is the share of a population's intervals that lie in it, so that populations of different sizes
    compare. Given edges may leave some out, which count in the whole.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> result = iz.Population(3, **iz.presets["RS"]).run(300.0, [8.0, 10.0, 12.0])
    >>> plot.isi(result, log=True).get_xlabel()
    'interspike interval (ms)'
    """
    every = trains_of("isi.spikes", spikes, batch)
    checks.kind("isi.log", log, (bool, np.bool_), "True or False")
    pooled = [_intervals(one) for one in every]
    dt = 0.0 if every[0].spikes.step is None else every[0].spikes._time.dt
    edges = _edges(bins, np.concatenate(pooled), bool(log), dt)
    ax = axes_for("isi.ax", ax)
    style = long_names(style, "StepPatch")
    for one, intervals in zip(every, pooled, strict=True):
        share = np.histogram(intervals, edges)[0] / max(1, intervals.size)
        color = {} if {"facecolor", "edgecolor"} & set(style) else {"color": next_color(ax)}
        default: dict[str, Any] = {"linewidth": 1.0, "label": one.name, **color}
        ax.stairs(share, edges, **default | style)
        if not share.any():
            ax.update_datalim([(edges[-1], 1.0)])
    ax.set_xmargin(0.0)
    if log:
        ax.set_xscale("log")
        _label_plainly(ax.xaxis)
    else:
        ax.update_datalim([(0.0, 0.0)])
    ax.autoscale_view()
    return labelled(ax, "interspike interval (ms)", "share of intervals")


def _label_plainly(axis: Axis) -> None:
    """20, 30, 60 in place of powers of ten: these are too wide to stand beside each other."""
    from matplotlib.ticker import LogFormatter

    axis.set_major_formatter(LogFormatter())
    axis.set_minor_formatter(LogFormatter())


def _intervals(one: Trains) -> Array:
    """All intervals between spikes of the same neuron, ms."""
    order = np.lexsort((one.t, one.i))
    i, t = one.i[order], one.t[order]
    return np.diff(t)[np.diff(i) == 0]


def _edges(bins: object, intervals: Array, log: bool, dt: float) -> Array:
    """Edges of the bins, ms. dt: time step, 0 in continuous time."""
    if np.iterable(bins) and not isinstance(bins, str):
        edges = checks.array("isi.bins", bins, "ms", at_least=0.0)
        if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0):
            raise ValueError(
                f"isi.bins must be a whole number or two or more ascending edges in ms, got {checks.shown(bins)}."
            )
        if log and edges[0] == 0.0:
            raise ValueError(f"isi.bins must begin above 0 ms on a logarithmic scale, got {checks.shown(bins)}.")
        return edges
    n = checks.integer("isi.bins", bins, at_least=1, at_most=100_000)
    low, high = (intervals.min(), intervals.max()) if intervals.size else (1.0, 1000.0)
    if not dt:
        return np.geomspace(low, high * (1 + 1e-9), n + 1) if log else np.linspace(0.0, high, n + 1)
    low, high = round(low / dt), round(high / dt)  # steps
    if log:
        between = np.unique(np.rint(np.geomspace(low, high + 1, n + 1)))
    else:
        width = max(1, -(-high // n))
        between = np.arange(1, high + width + 1, width)
    return np.asarray((between - 0.5) * dt)
