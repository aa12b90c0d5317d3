"""Colours of all pictures, and the matplotlib Axes into which they are drawn (extra `plot`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from izhnumba._base import checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # safe for colour-blind eyes


def axes_for(where: str, ax: Axes | None) -> Axes:
    """`ax` itself, or the Axes of a new figure if it is None. `where` names the argument in errors."""
    try:
        from matplotlib import axes, pyplot
    except ImportError as error:
        raise ImportError('izhnumba.plot needs matplotlib. Install it with: pip install "izhnumba[plot]"') from error
    return pyplot.subplots(layout="constrained")[1] if ax is None else checks.kind(where, ax, axes.Axes, "an Axes")


def labelled(ax: Axes, x: str, y: str) -> Axes:
    """`ax`, with these labels, which name quantities and units, and without a frame on the right and above."""
    ax.set(xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
