"""Weights of synapses: as a matrix or as a histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba._network.joined import JoinedSynapses
from izhnumba._network.synapses import Synapses
from izhnumba._synapse.receptor import unit_through
from izhnumba.plot._style import long_names, next_color
from izhnumba.plot._trains import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PIXELS = 250  # along each side of a matrix, at most
_KINDS = ("matrix", "histogram")


def weights(
    synapses: Synapses | JoinedSynapses, ax: Axes | None = None, *, kind: str = "matrix", bins: int = 50,
    **style: object,
) -> Axes:  # fmt: skip
    """Draw the weights of synapses as they are now.

    Parameters
    ----------
    synapses : Synapses, or those of several populations
    ax : matplotlib Axes, optional
        By default that of a new figure.
    kind : "matrix" or "histogram"
        A matrix has a row per source and a column per target, empty where there is no synapse, and a bar that explains
        its colours. Dark is strong (on a dark ground bright); weights of both signs are red above and blue below 0.
    bins : int
        Of the histogram.
    **style
        Passed on to `Axes.imshow` for a matrix, such as cmap and vmax, or to `Axes.stairs`, such as color and fill.

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
    Neurons are counted by place in `synapses.source` and `target`. A pixel shows the mean weight of its synapses: those
    of a pair of neurons, or, of more than 250 neurons, of some that lie side by side.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(20), name="cells")
    >>> syn = net.connect(cells, cells[:5], iz.FixedInDegree(10), weight=iz.Uniform(0.0, 2.0))
    >>> ax = plot.weights(syn)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('target, neuron of cells[0:5]', 'source, neuron of cells')
    >>> plot.weights(syn, kind="histogram").get_xlabel()
    'weight (mV)'
    """
    synapses = checks.kind("weights.synapses", synapses, (Synapses, JoinedSynapses), "Synapses", _cure(synapses))
    checks.one_of("weights.kind", kind, _KINDS)
    n_bins = checks.integer("weights.bins", bins, at_least=1, at_most=100_000)
    ax = axes_for("weights.ax", ax)
    parts = synapses.parts if isinstance(synapses, JoinedSynapses) else (synapses,)
    weight = np.concatenate([np.broadcast_to(one._rows.weights, len(one)) for one in parts])  # one may be shared by all
    unit = unit_through(parts[0].receptor, parts[0].target.population.model.I.unit)
    label = f"weight ({unit})"
    if kind == "histogram":
        counts, edges = np.histogram(weight, n_bins)
        style = long_names(style, "StepPatch")
        default: dict[str, Any] = {"fill": True, "label": getattr(synapses, "name", "")}
        default |= {} if {"facecolor", "edgecolor"} & set(style) else {"color": next_color(ax)}
        ax.stairs(counts, edges, **default | style)
        ax.set_xmargin(0.0)
        return labelled(ax, label, "synapses")
    ends = synapses.source, synapses.target
    places = _places(synapses)
    _matrix(ax, places, (len(ends[0]), len(ends[1])), weight, label, style)
    return labelled(ax, f"target, neuron of {ends[1]!r}", f"source, neuron of {ends[0]!r}")


def _matrix(
    ax: Axes, places: tuple[Array, Array], n: tuple[int, int], weight: Array, label: str, style: dict[str, Any]
) -> None:
    """Draw the mean weight in each pixel, and what its colours mean.

    Parameters
    ----------
    ax : Axes
    places : pair of int arrays (synapses,)
        Source and target of each synapse, by place.
    n : pair of int
        Sources and targets.
    weight : ndarray (synapses,)
    label : str
        Of the colours.
    style : dict
    """
    from matplotlib.colors import to_rgb

    rows, columns = (min(size, _PIXELS) for size in n)
    pixel = places[0] * rows // n[0] * columns + places[1] * columns // n[1]
    count = np.bincount(pixel, minlength=rows * columns)
    total = np.bincount(pixel, weight, rows * columns)
    with np.errstate(invalid="ignore"):
        mean = np.where(count, total / count, np.nan).reshape(rows, columns)
    drawn = mean[np.isfinite(mean)]
    low, high = float(drawn.min(initial=0.0)), float(drawn.max(initial=0.0))
    if low < 0 < high:
        high = max(-low, high)
        low, cmap = -high, "RdBu_r"
    else:
        on_dark = sum(to_rgb(ax.get_facecolor())) < 1.5  # weak weights are near the background
        cmap = "viridis" if (low < 0) != on_dark else "viridis_r"
    if low == high:
        high = 1.0
    extent = (-0.5, n[1] - 0.5, n[0] - 0.5, -0.5)
    image = ax.imshow(mean, **{"cmap": cmap, "vmin": low, "vmax": high, "aspect": "auto", "extent": extent, **style})
    ax.locator_params(integer=True, min_n_ticks=1)
    ax.figure.colorbar(image, ax=ax, label=label)


def _places(synapses: Synapses | JoinedSynapses) -> tuple[Array, Array]:
    """Source and target of each synapse, by place in `source` and `target`."""
    pre, post = np.asarray(synapses.pre), np.asarray(synapses.post)
    if isinstance(synapses, JoinedSynapses):
        return pre, post
    return synapses.source.places(pre), synapses.target.places(post)


def _cure(value: object) -> str:
    """What to do with a network."""
    return "Pass one of its net.synapses." if hasattr(value, "synapses") else ""
