"""Colours of all pictures, and the matplotlib Axes into which they are drawn (extra `plot`)."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from izhnumba._base import checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Safe for colour-blind eyes: those of M. Okabe and K. Ito, with black last and without yellow, which is faint on white.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def matplotlib() -> ModuleType:
    """The package."""
    try:
        return importlib.import_module("matplotlib")
    except ImportError as error:
        needs = 'izhnumba.plot needs matplotlib. Install it, in the folder of the project, with: pip install ".[plot]"'
        raise ImportError(needs) from error


def axes_for(where: str, ax: Axes | None) -> Axes:
    """`ax` itself, or the Axes of a new figure if it is None. `where` names the argument in errors."""
    matplotlib()
    if ax is not None:
        from matplotlib import axes

        return checks.kind(where, ax, axes.Axes, "an Axes")
    from matplotlib import pyplot  # only here: it looks for a window system

    return pyplot.subplots(layout="constrained")[1]


def labelled(ax: Axes, x: str, y: str) -> Axes:
    """`ax`, with these labels, which name quantities and units, and without a frame on the right and above. Labels of
    what has been drawn before stay, and ours come after them."""
    for old, new, put in ((ax.get_xlabel(), x, ax.set_xlabel), (ax.get_ylabel(), y, ax.set_ylabel)):
        names = [*old.split(", "), new] if old else [new]
        put(", ".join(dict.fromkeys(names)))
    ax.spines[["top", "right"]].set_visible(False)
    return ax
