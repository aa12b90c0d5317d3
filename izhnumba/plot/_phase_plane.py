"""The phase plane of a neuron: nullclines, fixed points, and the path of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled, matplotlib
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder
from izhnumba.analysis import _phase_plane
from izhnumba.plot._style import BLUE, GREEN, VERMILLION, take_in
from izhnumba.plot._trace import Column, columns_of, records_of, spike_times, with_spikes
from izhnumba.plot._trains import Array, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TRAJECTORY = "a Result of a run with record=['V', 'u'], or a StateRecorder of both"


def phase_plane(
    neuron: object, I: float = 0.0, ax: Axes | None = None, *, index: int = 0, V: tuple[float, float] | None = None,
    u: tuple[float, float] | None = None, trajectory: Result | StateRecorder | None = None, column: int = 0,
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
        Limits of the axes; by default around reset and threshold, and around the curves. What an earlier call has drawn
        stays in sight.
    trajectory : Result of a run with record=["V", "u"], or StateRecorder of both, optional
        Its path is drawn: every spike up to the threshold, broken at the reset. The spikes of a StateRecorder are those
        that its network records.
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
    path: list[Array] = []
    if trajectory is not None:
        path = _path(columns_of(records_of("phase_plane.trajectory", trajectory, _TRAJECTORY)), column, top)
    ax = axes_for("phase_plane.ax", ax)
    from matplotlib.lines import Line2D

    def draw(x: Array, y: Array, **style: Any) -> None:
        ax.add_artist(Line2D(x, y, **style))  # not `plot`: curves go on outside of the limits

    grid = np.linspace(*V, 1001)
    V_null, u_null = _phase_plane.nullclines(neuron, I, grid, index=index)
    draw(grid, V_null, color=BLUE, linewidth=1.5, label="V' = 0")
    draw(grid, u_null, color=VERMILLION, linewidth=1.5, label="u' = 0")
    points = _phase_plane.fixed_points(neuron, I, index=index, V=V)
    half = len(grid) // 2  # above it, curves of higher order may go far beyond all that matters
    heights = [V_null.min(), V_null[half], *u_null[[0, half]], *(point.u for point in points)]
    if path:
        draw(*path, color=GREEN, linewidth=0.8, label="path", zorder=1)
        heights += [np.nanmin(path[1]), np.nanmax(path[1])]
    low, high = np.nanmin(heights), np.nanmax(heights)
    u = u or (low - 0.1 * (high - low), high + 0.1 * (high - low))
    if np.isnan(u_null[0]):  # u' depends on V alone
        du = _phase_plane.equations(model, p, I)[1]
        for x in _phase_plane.roots(lambda x: du(x, 0.0), grid):
            ax.axvline(x, color=VERMILLION, linewidth=1.5)
    ink = matplotlib().rcParams["text.color"]
    for point in points:
        marker, inside = "X" if point.kind == "saddle" else "o", ink if point.stable else ax.get_facecolor()
        style = dict(marker=marker, color=ink, markerfacecolor=inside, linestyle="none", label=point.kind)
        draw(np.array([point.V]), np.array([point.u]), **style)
    ax.margins(0.0)
    take_in(ax, V, u)
    shown = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(shown.values(), shown.keys(), frameon=False)
    return labelled(ax, "V (mV)", f"u ({model.u.unit})")


def _path(every: list[Column], column: int, top: float) -> list[Array]:
    """V (mV) and u along the path of a recorded neuron: every spike up to `top`, broken by NaN at the reset."""
    chosen = every[place("phase_plane.column", column, len(every))]
    must, cure = "phase_plane.trajectory must come with spikes", "Record them: net.record(population)."
    (spike_t,) = spike_times(must, [chosen], None, 0, cure)
    t, V = chosen.samples("V", 0)
    _, u = chosen.samples("u", 0)
    _, path_V = with_spikes(t, V, spike_t, top)
    _, path_u = with_spikes(t, u, spike_t, None)
    resets = np.flatnonzero((path_V[:-1] >= top) & (path_V[1:] < top)) + 1
    return [np.insert(path, resets, np.nan) for path in (path_V, path_u)]
