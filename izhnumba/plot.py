"""Pictures of spikes, traces and the phase plane. Each function draws into one Axes and returns it.

Needs matplotlib: pip install "izhnumba[plot]". Nothing here opens a window or writes a file. Without `ax` a new figure
is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import COLORS, axes_for, labelled
from izhnumba._model.model import Model
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder
from izhnumba.analysis import _phase_plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, np.dtype[Any]]
BLUE, VERMILLION, GREEN, *_ = COLORS


@runtime_checkable
class _Events(Protocol):
    """Spikes, as `raster` draws them."""

    i: Array
    t: Array
    batch: Array


@runtime_checkable
class _Record(Protocol):
    """Samples, as `trace` draws them. t, V and u are not asked for here: a result that lacks one has its own error."""

    neurons: Array


def raster(
    spikes: object, ax: Axes | None = None, *, batch: int = 0, size: float | None = None, **style: object
) -> Axes:
    """Draw one mark per spike: time across, neuron up.

    Parameters
    ----------
    spikes : Result, Spikes or SpikeRecorder
    ax : matplotlib Axes, optional
        By default that of a new figure.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    size : float, points, optional
        Height of a mark; if omitted it follows the number of neurons.
    **style
        Passed on to `Axes.scatter`, such as color; `s`, an area in square points, overrides `size`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> plot.raster(iz.Population(3, **iz.presets["RS"]).run(100.0, 10.0)).get_xlabel()
    'time (ms)'
    """
    events = _events(spikes)
    drawn = events.batch == _place("raster.batch", batch, getattr(events, "n_batch", None) or 1)
    i, t = events.i[drawn], events.t[drawn]
    rows = int(i.max()) + 1 if i.size else 1
    automatic = float(np.clip(200 / rows, 1.5, 15))
    size = automatic if size is None else checks.number("raster.size", size, at_least=0.0, at_most=1e6)
    ax = axes_for("raster.ax", ax)
    marker, width = ("|", 1.0) if size > 3 else ("o", 0.0)
    default = {"s": size**2, "marker": marker, "linewidth": width, "rasterized": i.size > 10_000}
    default |= {} if "c" in style else {"color": BLUE}  # scatter refuses both, and c may be values for a colour map
    ax.scatter(t, i, **default | _long_names(style, "PathCollection"))
    ax.set_ylim(-0.5, rows - 0.5)
    ax.locator_params(axis="y", integer=True)
    return labelled(ax, "time (ms)", "neuron")


def trace(
    result: object, ax: Axes | None = None, *, variable: str = "V", columns: Sequence[int] | None = None,
    batch: int = 0, peak: float | None = None, unit: str | None = None, **style: object,
) -> Axes:  # fmt: skip
    """Draw a recorded state over time, one line per recorded neuron.

    Parameters
    ----------
    result : Result of a run with `record=`, or StateRecorder
    ax : matplotlib Axes, optional
        By default that of a new figure.
    variable : "V", "u" or a further state of the model
    columns : sequence of int, optional
        Which of the recorded neurons to draw, by their place in the record; all if omitted.
    batch : int
        Which batch entry to draw; a negative one counts from the end.
    peak : float, mV, optional
        Draw every spike up to this height and cut V there, as papers do: a scheme that resets at once never stores
        the top of a spike, one that resets later stores V far above it. If omitted V is drawn as recorded. Needs a
        Result, which has the spikes.
    unit : str, optional
        For the axis label; if omitted that of the model.
    **style
        Passed on to `Axes.plot`, such as color and linewidth.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, and for a variable that was not recorded.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> result = iz.Population(3, **iz.presets["RS"]).run(100.0, 10.0, record=["V"])
    >>> plot.trace(result, columns=[0], peak=30.0).get_ylabel()
    'V (mV)'
    """
    checks.kind("trace.result", result, _Record, "a Result or a StateRecorder")
    checks.one_of("trace.variable", variable, _model(result).variables)
    shape = getattr(result, variable).shape
    chosen = _columns("trace.columns", columns, shape[-1])
    batch = _place("trace.batch", batch, shape[1] if len(shape) == 3 else 1)
    if peak is not None:
        peak = checks.number("trace.peak", peak, "mV", finite=False)
        _must_know_spikes("trace.result", result, "a Result if there is a peak")
    if unit is not None:
        checks.kind("trace.unit", unit, str, "a str")
    ax = axes_for("trace.ax", ax)
    style = _long_names(style, "Line2D")
    for column in chosen:
        t, values = _with_spikes(result, variable, column, batch, peak)
        default: dict[str, Any] = {"color": COLORS[column % len(COLORS)], "linewidth": 1.0}
        ax.plot(t, values, **default | style)
    unit = _model(result).variables[variable].unit if unit is None else unit
    return labelled(ax, "time (ms)", f"{variable} ({unit})" if unit else variable)


def phase_plane(
    neuron: object, I: float = 0.0, ax: Axes | None = None, *, index: int = 0, V: tuple[float, float] | None = None,
    u: tuple[float, float] | None = None, trajectory: Result | None = None, column: int = 0,
) -> Axes:  # fmt: skip
    """Draw nullclines and fixed points at constant input, and the path of a recorded neuron.

    A filled circle is a stable fixed point, an open circle an unstable one, a cross a saddle; `analysis.fixed_points`
    gives their numbers.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A Model stands for its default parameters.
    I : float, mV/ms (2007 form: pA)
    ax : matplotlib Axes, optional
        By default that of a new figure.
    index : int
        Which neuron of a Population, by its flat index.
    V, u : pair of float, mV, mV/ms (2007 form: pA), optional
        Limits of the axes; by default around reset and threshold, and around the curves.
    trajectory : Result of a run with record=["V", "u"], optional
        Its path is drawn: every spike up to the threshold, broken at the reset.
    column : int
        Which of the neurons recorded in `trajectory`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, range or unit.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> plot.phase_plane(iz.presets["RS"], I=2.0).get_ylabel()
    'u (mV/ms)'
    """
    model, p = _phase_plane.one_neuron("phase_plane", neuron, index)
    I = checks.number("phase_plane.I", I, model.I.unit)
    top = float(model.threshold(0.0, p))
    lowest = min(float(model.V_reset(0.0, p)), model.V.default)
    V = (lowest - 25, top + 5) if V is None else _phase_plane.limits("phase_plane.V", V, model.V.unit)
    u = None if u is None else _phase_plane.limits("phase_plane.u", u, model.u.unit)
    if trajectory is not None:
        _must_know_spikes("phase_plane.trajectory", trajectory, "a Result of a run with record=['V', 'u']")
        column = _place("phase_plane.column", column, trajectory.V.shape[-1])
    ax = axes_for("phase_plane.ax", ax)
    grid = np.linspace(*V, 1001)
    V_null, u_null = _phase_plane.nullclines(neuron, I, grid, index=index)
    ax.plot(grid, V_null, color=BLUE, linewidth=1.5, label="V' = 0")
    ax.plot(grid, u_null, color=VERMILLION, linewidth=1.5, label="u' = 0")
    if np.isnan(u_null[0]):  # u' depends on V alone
        du = _phase_plane.equations(model, p, I)[1]
        for x in _phase_plane.roots(lambda x: du(x, 0.0), grid):
            ax.axvline(x, color=VERMILLION, linewidth=1.5)
    heights = [V_null.min(), V_null[len(grid) // 2], *u_null[[0, -1]]]
    if trajectory is not None:
        path_V, path_u = (_with_spikes(trajectory, name, column, 0, top)[1] for name in ("V", "u"))
        resets = np.flatnonzero((path_V[:-1] >= top) & (path_V[1:] < top)) + 1
        broken = (np.insert(path, resets, np.nan) for path in (path_V, path_u))
        ax.plot(*broken, color=GREEN, linewidth=0.8, label="path", zorder=1)
        heights += [path_u.min(), path_u.max()]
    for point in _phase_plane.fixed_points(neuron, I, index=index, V=V):
        marker = "kX" if point.kind == "saddle" else "ko"
        ax.plot(point.V, point.u, marker, markerfacecolor="black" if point.stable else "white", label=point.kind)
    low, high = np.nanmin(heights), np.nanmax(heights)
    ax.set(xlim=V, ylim=u or (low - 0.1 * (high - low), high + 0.1 * (high - low)))
    shown = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(shown.values(), shown.keys(), frameon=False)
    return labelled(ax, "V (mV)", f"u ({model.u.unit})")


def _long_names(style: dict[str, Any], artist: str) -> dict[str, Any]:
    """`style` with the long names of matplotlib, so that lw, for one, overrides our default of linewidth."""
    from matplotlib import cbook, collections, lines

    artists = {"PathCollection": collections.PathCollection, "Line2D": lines.Line2D}
    return cbook.normalize_kwargs(style, artists[artist])


def _events(spikes: object) -> _Events:
    """The spikes of a result or of a recorder."""
    events = getattr(spikes, "spikes", spikes)
    found = events if isinstance(events, _Events) else spikes
    return checks.kind("raster.spikes", found, _Events, "a Result, Spikes or SpikeRecorder")


def _place(where: str, value: object, n: int) -> int:
    """An index from 0 to n - 1; a negative value counts from the end."""
    return checks.integer(where, value, at_least=-n, at_most=n - 1) % n


def _columns(where: str, columns: Sequence[int] | None, n: int) -> Sequence[int]:
    """Places in a record of n neurons; all of them for None."""
    if columns is None:
        return range(n)
    if not np.iterable(columns):
        checks.refuse(where, columns, "a list of whole numbers", "Pass [0] for the first neuron.")
    return [_place(where, column, n) for column in columns]


def _must_know_spikes(where: str, record: object, must_be: str) -> None:
    """Refuse a record without spikes."""
    if not (isinstance(record, _Record) and isinstance(getattr(record, "spikes", None), _Events)):
        checks.refuse(where, record, must_be, "A StateRecorder does not know the spikes.")


def _model(record: Any) -> Model:
    """The model of the neurons of a Result or a StateRecorder."""
    return record._engine.model if isinstance(record, StateRecorder) else record.model


def _with_spikes(result: Any, variable: str, column: int, batch: int, peak: float | None) -> tuple[Array, Array]:
    """(t in ms, values) of a recorded neuron; with `peak` V is cut there, and a sample at each spike is put in."""
    record = getattr(result, variable)
    t, x = result.t, record[:, batch, column] if record.ndim == 3 else record[:, column]
    if peak is None:
        return t, x
    spikes = result.spikes
    spike_t = spikes.t[(spikes.i == result.neurons[column]) & (spikes.batch == batch)]
    place = np.searchsorted(t, spike_t)
    if variable == "V":
        return np.insert(t, place, spike_t), np.insert(np.minimum(x, peak), place, peak)
    return np.insert(t, place, spike_t), np.insert(x, place, x[np.maximum(place - 1, 0)])
