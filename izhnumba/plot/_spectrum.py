"""Spectra of population rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.axes import axes_for, labelled
from izhnumba.analysis import rate_spectrum
from izhnumba.plot._rates import Rate, flat
from izhnumba.plot._style import long_names, next_color
from izhnumba.plot._trains import Array, Trains, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def spectrum(
    spikes: object, ax: Axes | None = None, *, bin: float = 1.0, segment: float | None = None, log: bool = True,
    batch: int = 0, **style: object,
) -> Axes:  # fmt: skip
    """Draw the power spectral density of population rates, as `analysis.rate_spectrum` gives it. Needs SciPy.

    Parameters
    ----------
    spikes : Result, Spikes, SpikeRecorder, RateRecorder or Network, or a list or dict of them
        Of a Network all recorders of spikes. The lines have the names of the populations, for `ax.legend()`.
    ax : matplotlib Axes, optional
        By default that of a new figure.
    bin : float, ms
        Width of the bins in which spikes are counted; frequencies go up to 500 / bin Hz. A RateRecorder has its own.
    segment : float, ms, optional
        Length of Welch's segments: frequencies are 1000 / segment Hz apart. By default 1000 ms, or all there is, if
        that is less.
    log : bool
        Whether power is on a logarithmic scale.
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
        For values of the wrong kind or range, and for recordings that are too short.
    ImportError
        Without matplotlib or SciPy.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import plot
    >>> result = iz.Population(20, **iz.presets["FS"]).run(500.0, 10.0)
    >>> plot.spectrum(result).get_ylabel()
    'power (Hz²/Hz)'
    """
    found = list(flat("spectrum.spikes", spikes, "", batch))
    checks.kind("spectrum.log", log, (bool, np.bool_), "True or False")
    curves = [_curve(one, bin, segment, batch) for one in found]
    ax = axes_for("spectrum.ax", ax)
    style = long_names(style, "Line2D")
    ax.set_xmargin(0.0)
    if log and any(power[1:].any() for _, power in curves):  # 0 has no place on a logarithmic scale
        ax.set_yscale("log")
    for one, (f, power) in zip(found, curves, strict=True):
        default: dict[str, Any] = {"color": next_color(ax), "linewidth": 1.0, "label": one.name}
        ax.plot(f[1:], power[1:], **default | style)  # without the mean, which Welch's method takes off
    return labelled(ax, "frequency (Hz)", "power (Hz²/Hz)")


def _curve(one: Rate | Trains, bin: object, segment: object, batch: int) -> tuple[Array, Array]:
    """Frequencies (Hz) and power of a population; errors are about our own arguments."""
    try:
        f, power = rate_spectrum(one.recorder if isinstance(one, Rate) else one.spikes, bin=bin, segment=segment)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("rate_spectrum", "spectrum", 1)) from None
    return f, power if power.ndim == 1 else power[place("spectrum.batch", batch, len(power))]
