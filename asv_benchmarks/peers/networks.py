"""The workloads: networks of `benchmarks/network.py`, and the arrays from which others build the very same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import izhnumba as iz

sys.path.append(str(Path(__file__).parents[1]))  # scripts beside this one are run as files, not as a package
from benchmarks.network import network_2003, polychronization, sparse


class Workload(NamedTuple):
    build: Callable[[str], iz.Network]  # for a dtype
    seconds: float  # of model time: long enough for a clock, short enough for the slowest
    stepped: bool = False  # whether it advances by one step at a time, which Python calls, as a closed loop does


def population(dtype, scheme):
    """Ten thousand regular spiking neurons without synapses, each with a constant current of its own."""
    net = iz.Network(dt=0.1, scheme=scheme, seed=1, threads=1)
    cells = net.add(iz.Population(10_000, V=-65.0, u=-13.0, dtype=dtype))
    net.drive(cells, iz.Constant(np.linspace(4.0, 14.0, 10_000)))
    return net


WORKLOADS = {
    "network2003": Workload(network_2003, 10.0),
    "sparse_1e4x100": Workload(lambda dtype: sparse(10_000, 100, dtype, threads=1), 1.0),
    "sparse_1e4x1000": Workload(lambda dtype: sparse(10_000, 1000, dtype, threads=1), 1.0),
    "steps_1e3x100": Workload(lambda dtype: sparse(1000, 100, dtype, threads=1), 1.0, stepped=True),
    "sparse_1e5x100": Workload(lambda dtype: sparse(100_000, 100, dtype, threads=1), 1.0),
    "stdp2006": Workload(polychronization, 10.0),
    "population": Workload(partial(population, scheme="euler"), 1.0),
    "population_exp_euler": Workload(partial(population, scheme="exp_euler"), 1.0),
}


def arrays(net: iz.Network) -> dict[str, object]:
    """What there is to know about a network of one population, all of whose neurons have equally many synapses."""
    (cells,) = net.populations.values()
    parameters = {name: _constant_if_equal(getattr(cells, name)) for name in "abcd"}
    state = {"V": cells.V, "u": cells.u, "dt": net.dt, "scheme": cells.scheme.name}
    return parameters | state | _synapses(net, cells.n) | _drive(net)


def _constant_if_equal(values):
    """Simulators are quicker with one number than with an array of equal ones."""
    return values.flat[0] if np.all(values == values.flat[0]) else values


def _synapses(net, n):
    """One row per source neuron; delays in steps."""
    groups = list(net.synapses.values())
    if not groups:
        return {}
    post, weight, delay = (np.concatenate([getattr(s, x) for s in groups]) for x in ("post", "weight", "delay"))
    rows = {"post": post.astype(np.int32), "weight": weight, "delay": np.rint(delay / net.dt).astype(np.int16)}
    return {name: x.reshape(n, -1) for name, x in rows.items()} | {"plastic": groups[0].plasticity is not None}


def _drive(net):
    (value,) = (drive.value for drive in net.drives.values())
    match value:
        case iz.Constant():
            return {"current": value.value}
        case iz.Noise():
            return {"std": value.std}
        case iz.SpikeTrain():  # one spike a step
            return {"kicked": value.i, "kick": value.weight}
    raise TypeError(f"there is no description of the drive {value!r}")
