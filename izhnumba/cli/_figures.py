"""Figures of the commands, and what is said without matplotlib."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import BinaryIO

import izhnumba as iz
from izhnumba._base import checks

HAVE_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None
NO_MATPLOTLIB = 'it needs matplotlib. Install it with: pip install "izhnumba[plot]"'


def require(option: str) -> None:
    """Refuse an option that draws without matplotlib."""
    if not HAVE_MATPLOTLIB:
        raise ImportError(f"{option}: {NO_MATPLOTLIB}")


def check_name(name: str) -> None:
    """Refuse a file type that matplotlib cannot write, and any figure without matplotlib."""
    require("--plot")
    from matplotlib.backend_bases import FigureCanvasBase

    checks.one_of(f"{name}: file type", Path(name).suffix[1:], FigureCanvasBase.get_supported_filetypes())


def save(result: iz.Result, peak: float, file: Path | BinaryIO, kind: str | None = None) -> None:
    """Write a raster and the trace of the first recorded neuron, spikes drawn up to `peak` (mV). kind: the file type,
    where no name ends with it."""
    from matplotlib.figure import Figure  # without pyplot: nothing is shown, no window system is needed

    from izhnumba import plot

    figure = Figure(figsize=(8, 6), layout="constrained")
    raster, trace = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    plot.raster(result.spikes, ax=raster).set_xlabel("")
    plot.trace(result, ax=trace, columns=[0], peak=peak)
    figure.savefig(file, dpi=150, format=kind)
