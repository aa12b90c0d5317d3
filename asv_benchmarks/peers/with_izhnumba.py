"""izhnumba: the networks as `benchmarks/network.py` builds them, with all spikes recorded."""

from __future__ import annotations

import time

import worker
from networks import WORKLOADS

import izhnumba as iz


def prepare(network, seconds, dtype):
    net = WORKLOADS[network.workload].build(dtype)
    (cells,) = net.populations.values()
    spikes, steps = net.record(cells, "spikes"), round(1000.0 * seconds / net.dt)
    net.run(20 * net.dt)  # compiles

    def simulate():
        net.reset(weights=True)
        started = time.perf_counter()
        if network.stepped:
            for _ in range(steps):
                net.step()
        else:
            net.run(1000.0 * seconds)
        return time.perf_counter() - started, len(spikes)

    return simulate


if __name__ == "__main__":
    worker.work(prepare, f"izhnumba {iz.__version__}", steps=True)
