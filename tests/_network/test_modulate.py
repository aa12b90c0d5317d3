"""Dopamine released by spikes: as if it were added to the modulator after the step, or at the time, of each."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz

CELLS = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0)
RULE = iz.DopamineSTDP(0.5, 0.4, tau_e=100.0, tau_d=30.0, baseline=0.0, w_max=20.0, period=5.0)


def network(scheme="izhikevich2003", threads=1):
    """Cells that learn, and others that release dopamine: all of `vta`, and some of the cells themselves."""
    net = iz.Network(dt=1.0, scheme=scheme, seed=4, threads=threads)
    cells = net.add(iz.Population(30, **CELLS), name="cells")
    vta = net.add(iz.Population(5, **CELLS), name="vta")
    delay = iz.Uniform(1.0, 9.0)
    net.connect(cells, cells, iz.FixedOutDegree(8), weight=4.0, delay=delay, receptor=iz.Exponential(3.0),
                plasticity=[iz.TsodyksMarkram(), RULE] if scheme == "exact" else RULE, name="syn")  # fmt: skip
    net.drive(cells, np.linspace(2.0, 9.0, 30))
    net.drive(vta, np.linspace(3.0, 8.0, 5))
    for one in (cells, vta):
        net.record(one, name=f"{one.name} spikes")
    return net


def released(net):
    """The neurons that release, and how much, with a way to choose their spikes."""
    cells, vta = net.populations["cells"], net.populations["vta"]
    return [(vta, 0.25, np.arange(5)), (cells[[25, 29, 3]], 0.125, np.array([3, 25, 29]))]


def test_steps_are_those_of_a_user_who_adds_it_after_each(tmp_path):
    mine, net = network(), network(threads=2)
    for by, amount, _ in released(net):
        net.synapses["syn"].modulate(by, amount)
    net.run(41.0)
    net.save(tmp_path / "net.npz")
    loaded = iz.load(tmp_path / "net.npz")
    assert [(repr(by), amount) for by, amount in loaded.synapses["syn"].modulated_by] == [
        ("vta", 0.25), ("cells[25, 29, 3]", 0.125)
    ]  # fmt: skip
    for _ in range(150):
        mine.step()
        for by, amount, chosen in released(mine):
            pop = getattr(by, "population", by)
            mine.synapses["syn"].modulator += amount * int(np.asarray(pop.spikes)[chosen].sum())
    for one in (net, loaded):
        one.run(29.0)
        for _ in range(10):
            one.step()
        one.run(70.0)
        syn, wanted = one.synapses["syn"], mine.synapses["syn"]
        assert syn.modulator == wanted.modulator > 0.5
        np.testing.assert_array_equal(syn.weight, wanted.weight)
        np.testing.assert_array_equal(one.recorders["cells spikes"].step, mine.recorders["cells spikes"].step)
    assert np.ptp(syn.weight) > 0.5
    net.reset(weights=True)
    assert net.synapses["syn"].modulator == 0.0
    net.run(150.0)
    np.testing.assert_array_equal(net.synapses["syn"].weight, wanted.weight)


def test_exact_times(tmp_path):
    """The sum of what the spikes of each have left, at any time; weights do not depend on how a run is split."""
    net, other = network("exact"), network("exact", threads=2)
    for one in (net, other):
        for by, amount, _ in released(one):
            one.synapses["syn"].modulate(by, amount)
    net.run(150.0)
    for T in (0.3, 20.7, 33.0):
        other.run(T)
    other.save(tmp_path / "net.npz")
    for one in (net, other, iz.load(tmp_path / "net.npz")):
        one.run(150.0 - one.t)
        expected = 0.0
        for by, amount, chosen in released(one):
            spikes = one.recorders[f"{getattr(by, 'population', by).name} spikes"]
            t = spikes.t[np.isin(spikes.i, chosen)]
            expected += amount * np.exp(-(150.0 - t) / 30.0).sum()
        assert one.synapses["syn"].modulator == pytest.approx(expected, rel=1e-12)
        assert expected > 0.3
        np.testing.assert_array_equal(one.synapses["syn"].weight, net.synapses["syn"].weight)
    assert np.ptp(net.synapses["syn"].weight) > 0.5


@pytest.mark.parametrize("scheme", ["izhikevich2003", "exact"])
def test_an_update_at_the_time_of_a_spike_comes_first(scheme):
    """The spike at 5 ms is the only one, and that is an update's time: weights move from that of 10 ms on."""
    net = iz.Network(dt=1.0, scheme=scheme, seed=1)
    cells = net.add(iz.Population(2, a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0))
    syn = net.connect(cells, cells, ([0], [1]), weight=1.0, plasticity=RULE)
    syn.modulate(cells[:1], 2.0)
    kick = 5.0 if scheme == "exact" else 4.0
    net.drive(cells, iz.SpikeTrain([0], [kick], weight=400.0))
    syn.eligibility = 1.0
    net.run(5.0)
    assert syn.weight[0] == 1.0
    assert syn.modulator == pytest.approx(2.0, rel=1e-12)
    net.run(5.0)
    assert syn.weight[0] == pytest.approx(1 + 0.5 * 2.0 * np.exp(-5 / 30.0) * np.exp(-10 / 100.0), rel=1e-9)


@pytest.mark.parametrize("scheme", ["izhikevich2003", "exact"])
def test_spikes_of_a_source(scheme):
    net = network(scheme)
    source = net.add(iz.PoissonSource(20, 40.0), name="source")
    spikes, syn = net.record(source), net.synapses["syn"]
    syn.modulate(source, 0.125)
    net.run(60.0)
    assert syn.modulator == pytest.approx(0.125 * np.exp(-(60.0 - spikes.t) / 30.0).sum(), rel=1e-12)
    assert len(spikes) > 20


def test_amounts_may_change_and_end():
    net = network()
    syn, (cells, vta) = net.synapses["syn"], net.populations.values()
    syn.modulate(vta, 1.0)
    syn.modulate(vta[:2], 2.0)
    net.run(60.0)
    assert syn.modulator > 0
    syn.modulate(vta[:], 0.5)
    assert [(repr(by), amount) for by, amount in syn.modulated_by] == [("vta[0:2]", 2.0), ("vta", 0.5)]
    for by in (vta, vta[[1, 0]]):
        syn.modulate(by, 0.0)
    assert syn.modulated_by == []
    before = syn.modulator
    net.run(30.0)
    assert syn.modulator == pytest.approx(before * np.exp(-1.0), rel=1e-9)
    syn.modulate(cells[:2] + vta, 0.25)
    assert len(syn.modulated_by) == 2
    plain = net.connect(cells, cells, iz.OneToOne(), plasticity=iz.STDP())
    with pytest.raises(AttributeError, match="have no modulator. Connect with DopamineSTDP"):
        plain.modulate(vta, 1.0)
    for by, amount, message in (
        ("vta", 1.0, "Synapses.modulate.by must be a Population or neurons of one, got 'vta'"),
        (iz.Population(2), 1.0, "Synapses.modulate.by must be in this network, got population"),
        (vta, np.inf, "Synapses.modulate.amount must be a finite number, got inf"),
        (vta, "1", "Synapses.modulate.amount must be a finite number, got '1'"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            syn.modulate(by, amount)
    assert len(syn.modulated_by) == 2
