"""Figures of the commands, and what is said without matplotlib."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import BinaryIO

import izhnumba as iz
from izhnumba._base import checks

HAVE_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None
NO_MATPLOTLIB = 'it needs matplotlib. Install it, in the folder of the project, with: pip install ".[plot]"'


def require(option: str) -> None:
    """Refuse an option that draws without matplotlib."""
    if not HAVE_MATPLOTLIB:
        raise ImportError(f"{option}: {NO_MATPLOTLIB}")


def check_name(name: str) -> None:
    """Refuse a file type that matplotlib cannot write, and any figure without matplotlib."""
    require("--plot")
    from matplotlib.backend_bases import FigureCanvasBase

    checks.one_of(f"{name}: file type", Path(name).suffix[1:], FigureCanvasBase.get_supported_filetypes())


def save(
    net: iz.Network | iz.Result,
    peak: float | None,
    file: Path | BinaryIO,
    kind: str | None = None,
    title: str | None = None,
) -> None:
    """Write rasters, rates and the trace of the first recorded neuron, spikes drawn up to `peak` (mV), by default to
    the threshold. kind: the file type, where no name ends with it; title: by default numbers."""
    import matplotlib
    from matplotlib.figure import Figure  # without pyplot: nothing is shown, no window system is needed

    from izhnumba import plot

    with matplotlib.rc_context(plot.PAPER):
        figure = Figure(figsize=(3.35, 3.6), layout="constrained")
        plot.overview(net, figure, peak=peak, title=title)
        figure.savefig(file, format=kind)
