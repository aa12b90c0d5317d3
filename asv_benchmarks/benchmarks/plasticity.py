"""Plastic synapses: what a second rule and numbers of each synapse cost, as ratios to STDP alone."""

import statistics
import time

import numpy as np

import izhnumba as iz

STDP = dict(A_plus=0.01, A_minus=0.012, w_max=2.0)
SHORT = dict(U=0.5, tau_rec=300.0, tau_facil=50.0)
DRAWN = dict(A_plus=iz.Uniform(0.0, 0.02), tau_plus=iz.Uniform(10.0, 30.0))
RULES = {
    "stdp": lambda: iz.STDP(**STDP),
    "short-term and stdp": lambda: [iz.TsodyksMarkram(**SHORT), iz.STDP(**STDP)],
    "stdp of numbers drawn": lambda: iz.STDP(**STDP | DRAWN),
}


def learning(rule, dtype="float64", n=1000, degree=100):
    """Neurons that fire at some 10 Hz, with delays from 1 to 20 ms, dt 0.5 ms; nearly all time is that of synapses."""
    net = iz.Network(dt=0.5, scheme="euler", seed=1, threads=1)
    cells = net.add(iz.Population(n, V=iz.Uniform(-70.0, -60.0), dtype=dtype))
    net.connect(cells, cells, iz.FixedOutDegree(degree), weight=0.1, delay=iz.Uniform(1.0, 20.0),
                plasticity=RULES[rule]())  # fmt: skip
    net.drive(cells, iz.Constant(np.linspace(4.0, 8.0, n)))
    return net


class Plastic:
    """The time of a run over that of STDP alone, of runs that take turns."""

    params = [[name for name in RULES if name != "stdp"], ["float32", "float64"]]
    param_names = ["rule", "dtype"]
    unit = "time / time of STDP"

    def setup(self, rule, dtype):
        self.nets = {name: learning(name, dtype) for name in ("stdp", rule)}
        for net in self.nets.values():
            net.run(20.0)

    def track_ratio(self, rule, dtype):
        times = {name: [] for name in self.nets}
        for _ in range(9):
            for name, net in self.nets.items():
                net.reset(weights=True)
                started = time.process_time()
                net.run(500.0)
                times[name].append(time.process_time() - started)
        return statistics.median(times[rule]) / statistics.median(times["stdp"])

    track_ratio.unit = unit
