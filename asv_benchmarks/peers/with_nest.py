"""NEST: its compiled model `izhikevich`, which computes in float64 only.

The state of a kernel cannot be set back, so each run builds its network again, outside of what is timed.
"""

from __future__ import annotations

import time

import nest
import numpy as np
import worker


def prepare(network, seconds, dtype):
    if network.scheme == "exp_euler":
        raise worker.CannotSimulate("its model has no exponential Euler")
    if network.plastic:
        network.note = "stdp_synapse changes weights at once, for all pairs"
    n = round(1000.0 * seconds / network.dt) if network.stepped else 1
    build(network)  # tells the time that it takes

    def simulate():
        recorder = build(network)
        with nest.RunManager():
            started = time.perf_counter()
            for _ in range(n):
                nest.Run(1000.0 * seconds / n)
            elapsed = time.perf_counter() - started
        return elapsed, recorder.n_events

    return simulate


def build(network):
    """The recorder of a new network."""
    nest.ResetKernel()
    nest.set(resolution=network.dt, local_num_threads=1, rng_seed=1)
    parameters = {name: getattr(network, name) for name in "abcd"} | {"V_m": network.V, "U_m": network.u}
    parameters["consistent_integration"] = network.scheme == "euler"  # else two half steps of V, as published
    cells = nest.Create("izhikevich", network.n, parameters)
    drive(network, cells)
    if network.post is not None:
        connect(network)
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    return recorder


def drive(network, cells):
    if network.current is not None:
        cells.I_e = network.current
    if network.std is not None:
        for std in np.unique(network.std):
            noise = nest.Create("noise_generator", params={"std": std, "dt": network.dt})
            nest.Connect(noise, cells[np.flatnonzero(network.std == std).tolist()])
    if network.kicked is not None:
        steps = np.arange(1, network.kicked.size)  # a generator cannot spike at 0 ms
        times = [steps[network.kicked[1:] == i] * network.dt for i in range(network.n)]
        kicks = nest.Create("spike_generator", network.n, [{"spike_times": t} for t in times])
        nest.Connect(kicks, cells, "one_to_one", {"weight": network.kick, "delay": network.dt})


def connect(network):
    pre, post = (x + 1 for x in worker.pairs(network))  # nodes are counted from 1
    weight, delay = network.weight.ravel(), network.delay.ravel() * network.dt
    fixed = weight < 0 if network.plastic else np.full(pre.size, True)
    values = {"weight": weight[fixed], "delay": delay[fixed]}
    nest.Connect(pre[fixed], post[fixed], "one_to_one", values)
    if network.plastic:
        # 0.1 and 0.12 of at most 10, as the rule of 2006 has it
        rule = {"lambda": 0.01, "alpha": 1.2, "Wmax": 10.0, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 20.0}
        nest.CopyModel("stdp_synapse", "additive", rule)
        values = {"synapse_model": "additive", "weight": weight[~fixed], "delay": delay[~fixed]}
        nest.Connect(pre[~fixed], post[~fixed], "one_to_one", values)


if __name__ == "__main__":
    worker.work(prepare, f"NEST {nest.__version__}", steps=True)
