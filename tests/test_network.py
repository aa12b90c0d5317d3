"""Networks against a slow twin, against NEST, and against themselves run in other pieces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from network_oracle import Course, NetworkOracle
from oracle import Oracle, Quadratic

import izhnumba as iz

DATA = Path(__file__).parent / "data"
COURSES = {
    "delta": (iz.Delta(), Course("delta"), 6.0),
    "pulse": (iz.Pulse(), Course("pulse"), 40.0),
    "exponential": (iz.Exponential(3.0), Course("exp", 3.0), 4.0),
    "alpha": (iz.Alpha(2.0), Course("alpha", 2.0), 3.0),
    "dual": (iz.DualExponential(1.0, 6.0), Course("dual", 1.0, 6.0), 3.0),
    "conductance": (iz.AMPA(), Course("exp", 5.0, E=0.0), 0.05),
    "alpha conductance": (iz.Alpha(4.0, E=-80.0), Course("alpha", 4.0, E=-80.0), 0.1),
}


def two_populations(scheme, receptors, *, dt=0.1, seed=0, dtype="float64", threads=None, steps=(1, 40)):
    """A network of 30 and 70 neurons, and its twin, wired at random through all these receptors."""
    rng = np.random.default_rng(seed)
    net = iz.Network(dt=dt, scheme=scheme, seed=1, threads=threads)
    twins, sizes, current = {}, {"a": 30, "b": 70}, {}
    for name, n in sizes.items():
        p = dict(a=rng.uniform(0.02, 0.1, n), b=0.2, c=rng.uniform(-65, -55, n), d=rng.uniform(2, 8, n))
        V, u = rng.uniform(-75, -60, n), rng.uniform(-16, -12, n)
        current[name] = rng.uniform(0, 12, n)
        net.add(iz.Population(n, **p, V=V, u=u, dtype=dtype), name=name)
        net.drive(net.populations[name], iz.Constant(current[name]))
        twins[name] = Oracle(n, Quadratic(**p), scheme, dt, V, u)
    wired = []
    for source, target in (("a", "b"), ("b", "a"), ("b", "b")):
        for receptor, course, strength in receptors:
            m = 200
            pre, post = rng.integers(sizes[source], size=m), rng.integers(sizes[target], size=m)
            delay = rng.integers(*steps, size=m)
            weight = rng.uniform(-0.5 if course.E is None else 0.0, 1, m) * strength
            net.connect(net.populations[source], net.populations[target], (pre, post), weight=weight,
                        delay=delay * dt, receptor=receptor)  # fmt: skip
            order = np.lexsort((post, delay, pre))
            wired.append((source, target, course, list(zip(pre[order], post[order], weight[order], delay[order]))))  # noqa: B905
    return net, NetworkOracle(twins, wired, dt, current)


def raster(recorders):
    return sorted((int(k), name, int(i)) for name, r in recorders.items() for k, i in zip(r.step, r.i, strict=True))


@pytest.mark.parametrize("scheme", iz.schemes)
def test_all_receptors_together_in_every_scheme(scheme):
    agrees_with_twin(scheme, list(COURSES.values()))


@pytest.mark.parametrize("receptor", COURSES)
def test_each_receptor(receptor):
    agrees_with_twin("exp_euler", [COURSES[receptor]])


def agrees_with_twin(scheme, receptors):
    net, twin = two_populations(scheme, receptors)
    recorders = {name: net.record(population, "spikes") for name, population in net.populations.items()}
    for _ in range(500):
        twin.step()
    net.run(50.0)
    assert raster(recorders) == sorted(twin.spikes)
    assert len(twin.spikes) > 100
    for name, population in net.populations.items():
        np.testing.assert_allclose(population.V, twin.populations[name].V, rtol=1e-6)


def test_the_recorded_network_of_nest():
    judge = json.loads((DATA / "nest310_network100_first300ms.json").read_text())
    net = iz.Network(dt=0.1, scheme="nest")
    p = {name: judge[name] for name in "abcd"}
    cells = net.add(iz.Population(100, **p, V=judge["V_init"], u=judge["U_init"]))
    net.connect(cells, cells, (judge["pre"], judge["post"]), weight=judge["weight_mV"],
                delay=np.array(judge["delay_steps"]) * 0.1)  # fmt: skip
    net.drive(cells, iz.Constant(judge["I_e"]))
    spikes, voltage = net.record(cells, "spikes"), net.record(cells, "V", every=10.0, neurons=[0])
    net.run(300.0)
    order = np.lexsort((judge["spike_neuron"], judge["spike_step"]))
    np.testing.assert_array_equal(spikes.step, np.array(judge["spike_step"])[order] - 1)
    np.testing.assert_array_equal(spikes.i, np.array(judge["spike_neuron"])[order])
    np.testing.assert_allclose(voltage.V[:, 0], judge["V0_every_100_steps"], rtol=1e-12)
