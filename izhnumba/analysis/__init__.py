"""Analysis of single neurons: phase plane, bifurcations, rheobase, f-I curves, derivatives of spike times,
and what a time step costs; and of networks the LFP that follows from recorded currents.

    from izhnumba import analysis

`izhnumba.plot.phase_plane` draws nullclines, fixed points and trajectories.
"""

from izhnumba.analysis._accuracy import Accuracy, AccuracyReport, accuracy_report
from izhnumba.analysis._bifurcations import hopf_current, resting_state, saddle_node_current
from izhnumba.analysis._firing import FICurve, Rheobase, fi_curve, rheobase
from izhnumba.analysis._lfp import lfp
from izhnumba.analysis._matching import match_spikes
from izhnumba.analysis._phase_plane import FixedPoint, fixed_points, nullclines
from izhnumba.analysis._spike_gradients import SpikeTimeGradients, spike_time_gradients

__all__ = [
    "Accuracy",
    "AccuracyReport",
    "FICurve",
    "FixedPoint",
    "Rheobase",
    "SpikeTimeGradients",
    "accuracy_report",
    "fi_curve",
    "fixed_points",
    "hopf_current",
    "lfp",
    "match_spikes",
    "nullclines",
    "resting_state",
    "rheobase",
    "saddle_node_current",
    "spike_time_gradients",
]
