"""A whole network in one figure."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from izhnumba._base import checks
from izhnumba._base.axes import COLORS, matplotlib
from izhnumba._network.network import Network
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import RateRecorder, SpikeRecorder
from izhnumba.analysis import _phase_plane
from izhnumba.plot._raster import raster
from izhnumba.plot._rates import rate, width_of
from izhnumba.plot._style import PAPER
from izhnumba.plot._trace import Column, model_of, spikes_of, trace
from izhnumba.plot._trains import Trains, trains_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_TRACES = 3  # at most
_CROWD = 10  # neurons that have a population rate
_CURE = "Record before the run: net.record(population), net.record(population, 'V', neurons=[0])."


def overview(
    net: Network | Result, figure: Figure | SubFigure | None = None, *, every: float | None = None,
    peak: float | None = None, title: str | None = None,
) -> Figure | SubFigure:  # fmt: skip
    """Draw what a network has recorded: rasters of all populations, their rates below, and traces of V.

    Parameters
    ----------
    net : Network, or Result of `Population.run`
        Of its recorders those of spikes, or if there are none those of rates, and those of V: of up to three of them
        the first neuron. Populations of less than 10 neurons have no rate.
    figure : matplotlib Figure or SubFigure, optional
        By default a new one, 8.5 cm wide: a column of a paper, with letters to be printed at this size.
    every : float, ms, optional
        Width of the bins of the rates; as that of `rate`.
    peak : float, mV, optional
        How high spikes are drawn in traces; by default to the threshold of the neuron. Neurons whose spikes are not
        recorded are drawn as they are.
    title : str, optional
        By default the numbers of neurons, and of synapses or spikes.

    Returns
    -------
    Figure or SubFigure
        Its `axes` are the panels, from above.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, and if nothing of this was recorded.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> net = iz.Network(seed=1)
    >>> exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    >>> inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    >>> drive, spikes = net.drive(exc + inh, iz.Noise(std=20.0)), net.record(exc + inh)
    >>> voltage = net.record(exc, "V", neurons=[0])
    >>> net.run(200.0)
    >>> figure = plot.overview(net)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['neurons', 'rate (Hz)', 'V (mV)']
    >>> figure.savefig("net.png", dpi=300)  # doctest: +SKIP
    """
    net = checks.kind("overview.net", net, (Network, Result), "a Network or a Result")
    if title is not None:
        checks.kind("overview.title", title, str, "a str")
    recorders = list(net.recorders.values()) if isinstance(net, Network) else [net]
    spiking = [one for one in recorders if isinstance(one, (SpikeRecorder, Result))]
    counted = [] if spiking else [one for one in recorders if isinstance(one, RateRecorder)]
    traced = [Column(one, 0) for one in recorders if _has_V(one)][:_TRACES]
    if not (spiking or counted or traced):
        raise ValueError(f"overview.net must be a network with recorders of spikes or V, got {net!r}. {_CURE}")
    peaks = [_peak(column, peak) for column in traced]
    groups = trains_of("overview.net", spiking) if spiking else []
    colors = dict(zip(spiking or counted, itertools.cycle(COLORS), strict=False))
    crowds: list[Any] = [
        one for one, group in zip(spiking, groups, strict=True) if group.neurons.size >= _CROWD
    ] or counted
    large = sum(group.neurons.size for group in groups) > _CROWD
    heights = [3.0 if large else 1.0] * bool(spiking) + [1.0] * bool(crowds) + [1.0] * len(traced)
    with matplotlib().rc_context(PAPER) if figure is None else nullcontext():
        figure = _figure(figure, sum(heights))
        panels = list(figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0])
        waiting = iter(panels)
        if spiking:
            raster(spiking if len(spiking) > 1 else spiking[0], next(waiting))
        if crowds:
            if every is None and spiking:
                every = width_of([group for group in groups if group.neurons.size >= _CROWD], None)
            _rates(next(waiting), crowds, colors, every)
        settings = matplotlib().rcParams
        ink = settings["text.color"]
        for column, top in zip(traced, peaks, strict=True):
            color = next((COLORS[k % len(COLORS)] for k, one in enumerate(groups) if _is_in(column, one)), ink)
            ax = trace(column.record, next(waiting), columns=[column.place], peak=top, color=color, linewidth=0.7)
            ax.set_title(column.name, loc="right", pad=2.0, fontsize="medium", color=color)
        for ax in panels:
            for axis in "xy":  # ticks that are made later, too
                ax.tick_params(axis=axis, labelsize=settings[f"{axis}tick.labelsize"])
            ax.set_xlabel(ax.get_xlabel() if ax is panels[-1] else "")
        figure.suptitle(_facts(net) if title is None else title, fontsize=settings["axes.titlesize"], wrap=True)
        panels[0].figure.align_ylabels(panels)
    return figure


def _rates(ax: Axes, every_one: list[Any], colors: dict[Any, str], every: float | None) -> None:
    """Draw the rates of several populations, with a legend if no raster says which is which."""
    for k, one in enumerate(every_one):
        rate(one, ax, every=every, color=colors[one], linewidth=0.8, zorder=2.0 - 0.01 * k)  # the first is on top
    if len(every_one) > 1 and isinstance(every_one[0], RateRecorder):
        ax.legend(frameon=False)


def _has_V(recorder: object) -> bool:
    """Whether it has recorded V of neurons."""
    if isinstance(recorder, Result):
        return "V" in vars(recorder) and recorder.neurons.size > 0
    return isinstance(recorder, StateRecorder) and "V" in recorder._sources and recorder.neurons.size > 0


def _is_in(column: Column, group: Trains) -> bool:
    """Whether a neuron is one of those of a population."""
    return group.population is column.population and column.neuron in group.neurons


def _peak(column: Column, peak: float | None) -> float | None:
    """How high (mV) the spikes of a neuron are drawn; None if they are not known."""
    if spikes_of("overview.net", column, None, 0) is None:
        return None
    if peak is not None:
        return checks.number("overview.peak", peak, "mV")
    where = column.population or model_of(column.record)
    model, p = _phase_plane.one_neuron("overview", where, column.neuron if column.population else 0)
    return float(model.threshold(0.0, p))


def _facts(net: Network | Result) -> str:
    """Numbers of neurons, and of synapses or spikes."""
    if isinstance(net, Result):
        numbers = {"neuron": net.spikes.n, "spike": len(net.spikes)}
    else:
        n, synapses = (
            sum(one.n for one in net._populations.values()),
            sum(map(len, net.synapses.values())),
        )
        numbers = {"neuron": n} | ({"synapse": synapses} if synapses else {})
    return ", ".join(f"{number:,} {what}{'s' * (number != 1)}" for what, number in numbers.items())


def _figure(figure: Figure | SubFigure | None, height: float) -> Figure | SubFigure:
    """The user's figure, or a new one as high (inches) as its panels need."""
    from matplotlib.figure import FigureBase

    if figure is not None:
        kinds: object = FigureBase
        return checks.kind("overview.figure", figure, kinds, "a matplotlib Figure")
    from matplotlib import pyplot

    return pyplot.figure(figsize=(PAPER["figure.figsize"][0], 0.6 + 0.6 * height), layout="constrained")
