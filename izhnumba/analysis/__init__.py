"""Analysis of single neurons: phase plane, bifurcations, rheobase, f-I curves, derivatives of spike times,
and what a time step costs; of spike trains, by neuron and together; and of networks the LFP that follows from recorded
currents.

    from izhnumba import analysis

`izhnumba.plot.phase_plane` draws nullclines, fixed points and trajectories.
"""

from izhnumba.analysis._accuracy import Accuracy, AccuracyReport, accuracy_report
from izhnumba.analysis._bifurcations import hopf_current, resting_state, saddle_node_current
from izhnumba.analysis._bursts import Bursts, bursts
from izhnumba.analysis._firing import FICurve, Rheobase, fi_curve, rheobase
from izhnumba.analysis._lfp import lfp
from izhnumba.analysis._matching import coincidence_factor, match_spikes
from izhnumba.analysis._phase_plane import FixedPoint, fixed_points, nullclines
from izhnumba.analysis._populations import rate_spectrum, spike_count_correlation
from izhnumba.analysis._spike_gradients import SpikeTimeGradients, spike_time_gradients
from izhnumba.analysis._spike_statistics import cv, cv2, fano_factor, isi, lv

__all__ = [
    "Accuracy",
    "AccuracyReport",
    "Bursts",
    "FICurve",
    "FixedPoint",
    "Rheobase",
    "SpikeTimeGradients",
    "accuracy_report",
    "bursts",
    "coincidence_factor",
    "cv",
    "cv2",
    "fano_factor",
    "fi_curve",
    "fixed_points",
    "hopf_current",
    "isi",
    "lfp",
    "lv",
    "match_spikes",
    "nullclines",
    "rate_spectrum",
    "resting_state",
    "rheobase",
    "saddle_node_current",
    "spike_count_correlation",
    "spike_time_gradients",
]
