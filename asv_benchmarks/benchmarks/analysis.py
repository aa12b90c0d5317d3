"""What the statistics of a million spikes of 10,000 neurons cost, from the events on: no train is there yet."""

from __future__ import annotations

import numpy as np

from izhnumba import analysis
from izhnumba._engine.timebase import Steps
from izhnumba._record.events import Spikes

N, SPIKES, STEPS = 10_000, 1_000_000, 100_000  # of 0.1 ms
FUNCTIONS = {
    "trains": Spikes.trains,
    "isi": analysis.isi,
    "cv": analysis.cv,
    "cv2": analysis.cv2,
    "lv": analysis.lv,
    "fano_factor": lambda spikes: analysis.fano_factor(spikes, 100.0),
    "bursts": lambda spikes: analysis.bursts(spikes, 50.0),
    "rate_spectrum": analysis.rate_spectrum,
    "coincidence_factor": lambda spikes: analysis.coincidence_factor(spikes, spikes),
}


class Statistics:
    """Each function once, of Poisson trains of 10 Hz."""

    params = tuple(FUNCTIONS)
    param_names = ("function",)
    number = 1  # a second call would find the trains

    def setup(self, function):
        rng = np.random.default_rng(1)
        steps, i = np.sort(rng.integers(0, STEPS, SPIKES)), rng.integers(0, N, SPIKES)
        order = np.lexsort((i, steps))
        self.spikes = Spikes(i[order], steps[order], Steps(0.1), N, None, ((0, STEPS),))

    def time_statistics(self, function):
        FUNCTIONS[function](self.spikes)
