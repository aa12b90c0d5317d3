"""Rasters: a mark per spike, of one population or of several, one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba.plot._style import GREY, face_of, long_names, next_color, take_in
from izhnumba.plot._trains import Array, Trains, trains_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 10_000  # spikes, from which on they are a picture also in a PDF
_INK = 0.25  # of the Axes, what dots cover at most if none lies on another
_DOT = 0.5  # diameter of a dot, at least, points
_NAME = 2.6  # height of a name with a number below it, in sizes of the font


def raster(
    spikes: object, ax: Axes | None = None, *, batch: int = 0, size: float | None = None, **style: object
) -> Axes:
    """Draw one mark per spike: time across, neuron up.

    All neurons that were recorded have a place, also silent ones, and so has all of the time. Several populations are
    stacked, the first one at the bottom, each in a colour of its own with its name and number of neurons beside it. A
    second call on the same Axes draws over the first one, by the index of the neurons and in the next colour.

    Parameters
    ----------
    spikes : Result, Spikes, SpikeRecorder or Network, or a list or dict of them
        Of a Network all recorders of spikes. The keys of a dict are the names; else those of the recorders are, such as
        "exc" of "exc spikes".
    ax : matplotlib Axes, optional
        By default that of a new figure.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    size : float, points, optional
        Height of a mark; if omitted it follows the number of neurons and the height of the Axes.
    **style
        Passed on to `Axes.scatter`, such as color; `s`, an area in square points, overrides `size`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, and for a Network without recorders of spikes.
    ImportError
        Without matplotlib.

    Notes
    -----
    In a stack the neurons of a population are counted by place, from 0 on, and a population of few neurons among many
    gets the height that its name needs: rows are numbers of neurons only where no population is stretched so.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> net = iz.Network(seed=1)
    >>> exc = net.add(iz.Population(8, **iz.presets["RS"]), name="exc")
    >>> inh = net.add(iz.Population(2, **iz.presets["FS"]), name="inh")
    >>> drive, recorders = net.drive(exc + inh, 10.0), [net.record(exc), net.record(inh)]
    >>> net.run(100.0)
    >>> ax = plot.raster(recorders)  # or plot.raster(net)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['exc\\n8', 'inh\\n2']
    >>> plot.raster(recorders[1]).get_ylabel()
    'neuron of inh'
    """
    every = trains_of("raster.spikes", spikes, batch)
    if size is not None:
        size = checks.number("raster.size", size, at_least=0.0, at_most=1e6)
    ax = axes_for("raster.ax", ax)
    from matplotlib.ticker import MaxNLocator

    style = long_names(style, "PathCollection")
    if len(every) == 1:
        (one,) = every
        lowest, highest = (one.neurons[0], one.neurons[-1]) if one.neurons.size else (0, 0)
        take_in(ax, one.span, (lowest - 0.5, highest + 0.5))
        _draw(ax, one, one.i, _sizes(ax, every, np.array([highest - lowest + 1.0]))[0] if size is None else size, style)
        if isinstance(ax.yaxis.get_major_locator(), MaxNLocator):
            ax.locator_params(axis="y", integer=True, min_n_ticks=1)
        return labelled(ax, "time (ms)", f"neuron of {one.name}" if one.name else "neuron")
    heights = _heights(ax, every)
    bases = np.concatenate([[0.0], np.cumsum(heights)])
    sizes = _sizes(ax, every, heights) if size is None else [size] * len(every)
    for one, base, height, points in zip(every, bases[:-1], heights, sizes, strict=True):
        y = base + (one.rows + 0.5) * height / max(1, one.neurons.size) - 0.5
        take_in(ax, one.span, (base - 0.5, base + height - 0.5))
        _draw(ax, one, y, points, style)
    return _named(labelled(ax, "time (ms)", "neurons"), every, bases)


def _draw(ax: Axes, one: Trains, y: Array, size: float, style: dict[str, Any]) -> None:
    """Draw the spikes of a population at these heights, y (spikes,), as marks of this size in points."""
    marker, width = ("|", 1.0) if size > 3 else ("o", 0.0)
    default: dict[str, Any] = {
        "s": size**2,
        "marker": marker,
        "linewidth": width,
        "rasterized": y.size > _MANY,
        "label": one.name,
    }
    default |= {} if "c" in style else {"color": next_color(ax)}  # scatter refuses both; c may be for a colour map
    ax.margins(0.0)
    ax.scatter(one.t, y, **default | style)


def _sizes(ax: Axes, every: list[Trains], heights: Array) -> list[float]:
    """Heights of the marks of each population, points: of a neuron, or of dots where neurons are too many for lines,
    which are alike everywhere and leave most of the densest population white."""
    height, width = _points(ax), ax.get_window_extent().width * 72 / ax.figure.dpi
    bands = heights / heights.sum() * height
    rooms = bands / [max(1, one.neurons.size) for one in every]
    areas = [
        band * width / max(1, one.t.size) for one, band, room in zip(every, bands, rooms, strict=True) if room <= 3
    ]
    dot = max(_DOT, min(1.5, np.sqrt(_INK * min(areas, default=np.inf))))
    return [float(min(room, 15.0) if room > 3 else dot) for room in rooms]


def _heights(ax: Axes, every: list[Trains]) -> Array:
    """Height of each population, in neurons; small ones are stretched to that of their names, if all can have it."""
    n = np.array([max(1, one.neurons.size) for one in every], float)
    least = min(1 / n.size, _name_height(ax))
    small = np.zeros(n.size, bool)
    while True:
        all_of_it = n[~small].sum() / (1 - least * small.sum()) if not small.all() else n.max() / least
        more = n < least * all_of_it
        if not (more & ~small).any():
            return np.where(small, least * all_of_it, n)
        small |= more


def _name_height(ax: Axes) -> float:
    """Height of a name with a number below it, as a part of the height of the Axes."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    size = FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points()
    return float(_NAME * size / _points(ax))


def _points(ax: Axes) -> float:
    """Height of the Axes, points."""
    return float(ax.get_window_extent().height * 72 / ax.figure.dpi)


def _named(ax: Axes, every: list[Trains], bases: Array) -> Axes:
    """Write name and number of neurons beside each population, in its colour, and draw lines between them. Names that
    are there stay."""
    from matplotlib import rcParams
    from matplotlib.ticker import FixedFormatter, FixedLocator

    heights = np.diff(bases)
    between = "\n" if heights.min() >= 0.99 * _name_height(ax) * bases[-1] else " "
    middles = ((bases[:-1] + bases[1:]) / 2 - 0.5).tolist()
    names = {}
    if isinstance(ax.yaxis.get_major_locator(), FixedLocator):  # of an earlier call
        names = {float(at): label.get_text() for at, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    for k, (middle, one) in enumerate(zip(middles, every, strict=True)):
        name = f"{one.name or k}{between}{one.neurons.size}"
        before = names.get(middle, name)
        names[middle] = name if before == name else f"{before}, {name}"
    ax.yaxis.set_major_locator(FixedLocator(list(names)))  # not `set_yticks`, which widens limits of the user
    ax.yaxis.set_major_formatter(FixedFormatter(list(names.values())))
    ax.tick_params(axis="y", length=0)
    labels = dict(zip(names, ax.get_yticklabels(), strict=True))
    for middle, marks in zip(middles, ax.collections[-len(every) :], strict=True):
        labels[middle].set_color(face_of(marks) or rcParams["text.color"])
    for base in bases[1:-1]:
        ax.axhline(base - 0.5, color=GREY, linewidth=0.5)
    return ax
