"""Pictures of spikes, traces, weights and the phase plane, and of a whole network at once.

    from izhnumba import plot

Needs matplotlib: pip install ".[plot]" in the folder of the project. Nothing here opens a window or writes a file.
Each function draws into one Axes, by default that of a new figure, and returns it; `overview` makes a figure. What is
in an Axes stays visible: a second call adds to it, in the next of `COLORS`, and limits and labels take both in. Limits
that you set yourself stay. `PAPER` are settings for a column of a paper: `with matplotlib.rc_context(plot.PAPER):`.
"""

from izhnumba._base.axes import COLORS
from izhnumba.plot._intervals import isi
from izhnumba.plot._overview import overview
from izhnumba.plot._phase_plane import phase_plane
from izhnumba.plot._raster import raster
from izhnumba.plot._rates import rate
from izhnumba.plot._spectrum import spectrum
from izhnumba.plot._style import BLUE, GREEN, PAPER, VERMILLION
from izhnumba.plot._trace import trace
from izhnumba.plot._weights import weights

__all__ = [
    "BLUE",
    "COLORS",
    "GREEN",
    "PAPER",
    "VERMILLION",
    "isi",
    "overview",
    "phase_plane",
    "raster",
    "rate",
    "spectrum",
    "trace",
    "weights",
]
