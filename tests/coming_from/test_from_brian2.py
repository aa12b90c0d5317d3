"""docs/coming_from/brian2.md, held against Brian2: its script, its terms, and what differs."""

from __future__ import annotations

import warnings

import numpy as np
import pages
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import brian2 as b

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT = 0.1


@pytest.fixture(autouse=True)
def defaults():
    b.prefs.codegen.target = "numpy"
    b.start_scope()
    b.defaultclock.dt = DT * b.ms
    yield
    b.defaultclock.dt = DT * b.ms


def test_the_scripts_have_the_same_spikes():
    theirs, ours = pages.run("brian2", ours=False)["theirs"], pages.run("brian2", ours=True)["ours"]
    assert f"the same {len(ours)} spikes" in pages.text("brian2")
    assert theirs == ours


def test_the_scripts_learn_the_same_weights():
    weights = pages.run("brian2", ours=True)["learned"].weight
    assert np.unique(weights).size == 20
    np.testing.assert_array_equal(pages.run("brian2", ours=False)["L"].w, weights)


@pytest.mark.parametrize("code", pages.spans("brian2", 0))
def test_terms_of_theirs_run(code):
    """Neurons that a term makes are run for a step."""
    G = b.NeuronGroup(4, "v : 1\ng : 1", threshold="v > 1", reset="v = 0")
    S = b.Synapses(G, G, "w : 1", on_pre="v_post += w")
    if ".connect" not in code:
        S.connect(i=[0], j=[1])
    names = {name: getattr(b, name) for name in dir(b)} | {
        "n": 4, "s": 1.0, "G": G, "S": S, "pre": [0, 1], "post": [2, 3], "test": "v > 1", "after": "v = 0",
        "traces": "w : 1", "on_pre": "v_post += w", "on_post": "w += 1",
        "eqs": "dv/dt = -v/ms : 1" + (" (unless refractory)" if "refractory" in code else ""),
    }  # fmt: skip
    if "restore" in code:
        exec("store()", names)
    exec(f"made = {code}" if not code.startswith("G.v = ") else code, names)
    if code.startswith("NeuronGroup"):
        b.Network(names["made"]).run(DT * b.ms, namespace=names)


def test_a_conductance_decays_by_another_factor_in_a_step():
    group = b.NeuronGroup(1, "dg/dt = -g/(5*ms) : 1", method="euler")
    group.g = 1.0
    b.Network(group).run(1.0 * b.ms)
    net = iz.Network(dt=DT)
    source = net.add(iz.SpikeSource([0], [DT], n=1))
    cell = net.add(iz.Population(1))
    syn = net.connect(source, cell, iz.OneToOne(), receptor=iz.Exponential(5.0), delay=DT, weight=1.0)
    current = net.record(syn, "current", start=2 * DT)
    net.run(13 * DT)
    found = current.current[:, 0]
    assert found[0] == 1.0
    assert found[10] == pytest.approx(np.exp(-1.0 / 5.0))
    assert group.g[0] == pytest.approx((1 - DT / 5.0) ** 10)


def test_samples_are_after_the_step_here_and_before_it_there():
    group = b.NeuronGroup(1, "dv/dt = (0.04*v**2 + 5*v + 140 + 13)/ms : 1", method="euler")
    group.v = -65.0
    monitor = b.StateMonitor(group, "v", record=True)
    b.Network(group, monitor).run(1.0 * b.ms)
    V = iz.Population(1, V=-65.0, u=-13.0, a=0.0, scheme="euler", dt=DT).run(1.0, record="V").V
    np.testing.assert_allclose(monitor.v[0][1:], V[:-1, 0], rtol=1e-12)
    assert monitor.v[0][0] == -65.0


def test_noise_is_not_scaled_with_the_step():
    """Variance of a step of V, over 4000 cells: xi brings s^2 dt, Noise (std dt)^2."""
    s, n = 2.0, 4000
    b.seed(1)
    group = b.NeuronGroup(n, "dv/dt = s*xi*ms**-0.5 : 1", method="euler", namespace={"s": s})
    b.Network(group).run(DT * b.ms)
    resting = iz.Population(n, V=-65.0, u=140.0 - 5 * 65.0 + 0.04 * 65.0**2, a=0.0, scheme="euler", dt=DT, seed=1)
    resting.run(DT, iz.Noise(std=s / np.sqrt(DT)))
    for v in (np.asarray(group.v), resting.V + 65.0):
        assert v.var() == pytest.approx(s**2 * DT, rel=0.1)


def test_poisson_input_is_the_same_law():
    """Mean and variance of what 10 sources at 50 Hz bring to each of 2000 cells in 20 ms."""
    n, T, mean = 2000, 20.0, 10 * 50.0 * 0.020
    b.seed(2)
    group = b.NeuronGroup(n, "v : 1")
    b.Network(group, b.PoissonInput(group, "v", 10, 50 * b.Hz, weight=1)).run(T * b.ms)
    net = iz.Network(dt=DT, scheme="euler", seed=2)
    pop = net.add(iz.Population(n, V=-1e6, a=0.0, k2=0.0, k1=0.0, k0=0.0, d=0.0, u=0.0))
    net.drive(pop, iz.Poisson(rate=10 * 50.0, weight=1.0))
    net.run(T)
    for arrived in (np.asarray(group.v), pop.V + 1e6):
        assert arrived.mean() == pytest.approx(mean, rel=0.05)
        assert arrived.var() == pytest.approx(mean, rel=0.15)


def test_delay_left_out():
    group = b.NeuronGroup(2, "v : 1", threshold="v > 1", reset="v = 0")
    synapses = b.Synapses(group, group, on_pre="v_post += 1")
    synapses.connect(i=[0], j=[1])
    assert not np.any(synapses.delay[:])
    net = iz.Network(dt=DT)
    pop = net.add(iz.Population(2))
    assert net.connect(pop, pop, ([0], [1])).delay.tolist() == [DT]


def test_pairs_may_repeat_in_both():
    group = b.NeuronGroup(2, "v : 1", threshold="v > 1", reset="v = 0")
    synapses = b.Synapses(group, group, on_pre="v_post += 1")
    synapses.connect(i=[0, 0], j=[1, 1])
    net = iz.Network(dt=DT)
    pop = net.add(iz.Population(2))
    assert len(synapses) == net.connect(pop, pop, ([0, 0], [1, 1])).weight.size == 2
