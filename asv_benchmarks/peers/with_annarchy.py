"""ANNarchy: C++ that it generates and compiles for the network, on one thread.

Its time is that of `simulate`, spikes recorded.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import ANNarchy as ann
import numpy as np
import worker

EULER = """
    du/dt = a*(b*v - u)
    dv/dt = 0.04*v*v + 5*v + 140 - u + I + (g_fixed + g_plastic)/h
"""
HALF_STEPS = """
    x = I + std*Normal(0.0, 1.0) + g_fixed + g_plastic + g_kick
    w = v + 0.5*((0.04*v + 5)*v + 140 - u + x)
    v = w + 0.5*((0.04*w + 5)*w + 140 - u + x)
    u += a*(b*v - u)
"""
FOLDER = tempfile.TemporaryDirectory()
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # CMake asks for `python`


def prepare(network, seconds, dtype):
    if network.scheme == "exp_euler":
        raise worker.CannotSimulate("its exponential Euler is for equations that are linear in V")
    if network.plastic:
        network.note = "changes weights at once"
    net = ann.Network(dt=network.dt, seed=1)
    net.config(dtype=getattr(ann, dtype), num_threads=1, suppress_warnings=True)
    cells = neurons(net, network)
    if network.post is not None:
        connect(net, network, cells)
    spikes = net.monitor(cells, "spike")
    net.compile(directory=FOLDER.name)

    def simulate():
        net.reset(projections=True, synapses=bool(network.plastic))
        started = time.perf_counter()
        net.simulate(1000.0 * seconds)
        elapsed = time.perf_counter() - started
        return elapsed, sum(map(len, spikes.get("spike").values()))

    return simulate


def neurons(net, network):
    given = {name: getattr(network, name) for name in "abcd"} | {"I": network.current, "std": network.std}
    values = {name: 0.0 if value is None else value for name, value in given.items()}
    equations = EULER if network.scheme == "euler" else HALF_STEPS
    if network.std is None:
        equations = equations.replace("std*Normal(0.0, 1.0) + ", "")
    numbers = {name: float(value) for name, value in values.items() if np.ndim(value) == 0} | {"h": network.dt}
    own = {name: ann.Parameter(0.0, locality="local") for name in values if name not in numbers}
    neuron = ann.Neuron(parameters=numbers | own, equations=equations, spike="v >= 30", reset="v = c\nu += d")
    cells = net.create(network.n, neuron)
    for name in own:
        setattr(cells, name, values[name])
    cells.v, cells.u = network.V, network.u
    if network.kicked is not None:
        steps = np.arange(network.kicked.size)
        times = [(steps[network.kicked == i] * network.dt).tolist() for i in range(network.n)]
        kicks = net.create(ann.SpikeSourceArray(spike_times=times))
        net.connect(kicks, cells, target="kick").one_to_one(weights=network.kick)
    return cells


def connect(net, network, cells):
    pre, post = worker.pairs(network)
    weight, delay = network.weight.ravel(), network.delay.ravel() * network.dt
    fixed = weight < 0 if network.plastic else np.full(pre.size, True)
    for target, chosen in (("fixed", fixed), ("plastic", ~fixed)):
        if not chosen.any():
            continue
        rows = listed(network.n, network.dt, pre[chosen], post[chosen], weight[chosen], delay[chosen])
        synapse = rule() if target == "plastic" else None
        net.connect(cells, cells, target=target, synapse=synapse).from_function(lambda pre, post, dt, rows=rows: rows)


def listed(n, dt, pre, post, weight, delay):
    """Its own lists of synapses, one for each target that has some."""
    order = np.argsort(post, kind="stable")
    ends = np.searchsorted(post[order], np.arange(n + 1))
    rows = ann.LILConnectivity(dt)
    for target, (first, end) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        if first < end:
            sources = order[first:end]
            rows.push_back(target, pre[sources].tolist(), weight[sources].tolist(), delay[sources].tolist())
    return rows


def rule():
    """The pairs of 2006, nearest spikes."""
    return ann.Synapse(
        parameters={"tau": 20.0, "most": 10.0},
        equations=[ann.Variable(f"d{x}/dt = -{x}/tau", method="event-driven") for x in ("x", "y")],
        pre_spike="g_target += w\nx = 0.1\nw = clip(w - y, 0.0, most)",
        post_spike="y = 0.12\nw = clip(w + x, 0.0, most)",
    )


if __name__ == "__main__":
    worker.work(prepare, f"ANNarchy {ann.__version__}")
