"""What pictures have in common: colours, sizes for print, and limits that take in all that has been drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from izhnumba._base.axes import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILLION, GREEN, *_ = COLORS
PAPER: dict[Any, Any] = {  # for matplotlib.rc_context: a column of 8.5 cm, printed at its size
    "figure.figsize": (3.35, 2.4),  # inches
    "figure.dpi": 200,
    "savefig.dpi": 300,
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
GREY = "0.6"


def next_color(ax: Axes, first: int = 0) -> str:
    """The first of COLORS, from place `first` on and round, that is not the background and in which there is no line
    and no mark yet; that of `first` if all are taken."""
    from matplotlib.colors import to_hex

    taken = {to_hex(ax.get_facecolor())}
    taken |= {to_hex(line.get_color()) for line in ax.lines}
    taken |= {face_of(marks) for marks in ax.collections}
    taken |= {to_hex(patch.get_edgecolor()) for patch in ax.patches}
    order = [COLORS[(first + k) % len(COLORS)] for k in range(len(COLORS))]
    return next((color for color in order if color not in taken), order[0])


def face_of(marks: Any) -> str:
    """The colour of marks, that of the first if they have several; "" if they have none."""
    from matplotlib.colors import to_hex

    return "".join(to_hex(color) for color in marks.get_facecolor()[:1])


def take_in(ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Let the limits take in this box besides what they take in, unless the user has set them."""
    ax.update_datalim([(x[0], y[0]), (x[1], y[1])])
    ax.autoscale_view()


def long_names(style: dict[str, Any], artist: str) -> dict[str, Any]:
    """`style` with the long names of matplotlib, so that lw, for one, overrides our default of linewidth."""
    from matplotlib import cbook, collections, lines, patches

    artists = {"PathCollection": collections.PathCollection, "Line2D": lines.Line2D, "StepPatch": patches.StepPatch}
    return cbook.normalize_kwargs(style, artists[artist])
