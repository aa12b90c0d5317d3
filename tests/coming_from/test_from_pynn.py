"""docs/coming_from/pynn.md, held against PyNN with NEST and with Brian2: its script, its terms, and what differs."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pages
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import pyNN.nest
    import pyNN.random
    import pyNN.space
    from pyNN.connectors import Connector

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
DT = 0.1
START = {"v": -65.0, "u": -13.0}


@pytest.fixture(params=["nest", "brian2"])
def sim(request):
    return started(request.param)


def started(backend):
    package = pytest.importorskip(backend)
    if backend == "brian2":
        package.prefs.codegen.target = "numpy"  # no time for a compiler
    found = importlib.import_module(f"pyNN.{backend}")
    found.setup(timestep=DT, min_delay=DT, max_delay=10.0)
    found.backend = backend
    return found


def segment(population):
    return population.get_data().segments[0]


def times(population):
    return [np.asarray(train.rescale("ms")).round(3).tolist() for train in segment(population).spiketrains]


def V(population):
    return np.asarray(segment(population).filter(name="v")[0])


def test_the_scripts_have_the_same_spikes():
    theirs, ours = pages.run("pynn", ours=False)["theirs"], pages.run("pynn", ours=True)["ours"]
    assert f"the same {len(ours)} spikes" in pages.text("pynn")
    assert theirs == ours


@pytest.mark.parametrize("code", pages.spans("pynn", 0))
def test_terms_of_theirs_run(code):
    sim = started("nest")
    names = {**vars(sim), **vars(pyNN.random), **vars(pyNN.space), "n": 4, "matrix": np.eye(4) > 0}
    names |= {name: sim.Population(4, sim.Izhikevich()) for name in "pq"}
    if "data" in code:
        names["p"].record("spikes")
        sim.run(DT)
    found = eval(code, names)
    if isinstance(found, Connector):
        sim.Projection(names["p"], names["q"], found, sim.StaticSynapse(weight=1.0, delay=DT))


def test_defaults():
    cell = pyNN.nest.Izhikevich
    assert cell.default_parameters == {"a": 0.02, "b": 0.2, "c": -65.0, "d": 2.0, "i_offset": 0.0}
    assert cell.default_initial_values == {"v": -70.0, "u": -14.0}
    pop = iz.Population(1)
    assert (pop.d, pop.V[0], pop.u[0]) == (8.0, -65.0, 0.0)
    sim = started("nest")
    assert sim.FixedTotalNumberConnector(3).with_replacement
    assert not sim.FixedNumberPreConnector(2).with_replacement
    assert not sim.FixedNumberPostConnector(2).with_replacement


@pytest.mark.parametrize(("backend", "scheme", "earlier"), [("nest", "nest", 0.0), ("brian2", "euler", DT)])
def test_spikes_of_both_backends(backend, scheme, earlier):
    """The steps are the same; Brian2 labels a spike with the start of its step. nA times 1000 are mV/ms."""
    sim = started(backend)
    cells = sim.Population(5, sim.Izhikevich(d=8.0), initial_values=START)
    cells.set(i_offset=[0.001 * x for x in range(5, 15, 2)])
    cells.record("spikes")
    sim.run(200.0)
    found = iz.Population(5, V=-65.0, u=-13.0, scheme=scheme, dt=DT).run(200.0, np.arange(5.0, 15.0, 2.0)).spikes
    assert len(found) > 20
    assert times(cells) == [(found.t[found.i == i] - earlier).round(3).tolist() for i in range(5)]


def test_samples_begin_with_the_initial_state(sim):
    cells = sim.Population(1, sim.Izhikevich(i_offset=0.01, d=8.0), initial_values=START)
    cells.record("v")
    sim.run(20.0)
    net = iz.Network(dt=DT, scheme="nest" if sim.backend == "nest" else "euler")
    pop = net.add(iz.Population(1, V=-65.0, u=-13.0))
    net.drive(pop, 10.0)
    rec = net.record(pop, "V")
    net.run(20.0)
    theirs = V(cells)[:, 0]
    assert theirs[0] == -65.0
    np.testing.assert_allclose(theirs[1:150], rec.V[:149, 0], rtol=1e-9)


def test_a_weight_is_a_jump_of_V_in_mV(sim):
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cells = sim.Population(2, sim.Izhikevich())
    for i, (weight, kind) in enumerate([(3.0, "excitatory"), (-3.0, "inhibitory")]):
        synapse = sim.StaticSynapse(weight=weight, delay=1.0)
        sim.Projection(source, cells[i : i + 1], sim.AllToAllConnector(), synapse, receptor_type=kind)
    cells.record("v")
    sim.run(10.0)
    up, down = np.diff(V(cells), axis=0).T
    assert up.max() == pytest.approx(3.0, abs=0.01)
    assert down.min() == pytest.approx(-3.0, abs=0.01)


@pytest.mark.parametrize("source", ["DC", "step"])
def test_a_current_starts_with_the_same_step(source):
    sim = started("nest")
    cell = sim.Population(1, sim.Izhikevich(d=8.0), initial_values=START)
    made = {
        "DC": lambda: sim.DCSource(amplitude=0.01, start=2.0, stop=30.0),
        "step": lambda: sim.StepCurrentSource(times=[2.0, 30.0], amplitudes=[0.01, 0.0]),
    }
    made[source]().inject_into(cell)
    cell.record("v")
    sim.run(40.0)
    pop = iz.Population(1, V=-65.0, u=-13.0, scheme="nest", dt=DT)
    ours = pop.run(40.0, iz.Pulses(start=2.0, stop=30.0, amplitude=10.0), record="V").V[:, 0]
    theirs = V(cell)[1:, 0]
    assert ours.max() - ours.min() > 50.0
    np.testing.assert_allclose(theirs[: ours.size], ours[: theirs.size], rtol=1e-9)


def learned(sim, duration):
    """V of a cell that spikes 5 ms after it got a spike through a plastic synapse, and gets another one later."""
    sources = [sim.Population(1, sim.SpikeSourceArray(spike_times=t)) for t in ([10.0, 100.0], [15.0])]
    cell = sim.Population(1, sim.Izhikevich(d=8.0), initial_values=START)
    learns = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.01),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=4.0), weight=2.0, delay=DT,
        dendritic_delay_fraction=float(sim.backend == "nest"),
    )  # fmt: skip
    projection = sim.Projection(sources[0], cell, sim.AllToAllConnector(), learns)
    sim.Projection(sources[1], cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=200.0, delay=DT))
    cell.record("v")
    sim.run(duration)
    return V(cell)[:, 0], projection.get("weight", "array").item()


def test_an_amplitude_of_stdp_is_a_share_of_w_max():
    """In Brian2; see below for NEST."""
    net = iz.Network(dt=DT, scheme="euler")
    pop = net.add(iz.Population(1, V=-65.0, u=-13.0))
    source = net.add(iz.SpikeSource([0], [10.0], n=1))
    net.drive(pop, iz.SpikeTrain([0], [15.0], weight=200.0))
    learns = iz.STDP(A_plus=0.01 * 4.0, A_minus=0.01 * 4.0, tau_plus=20.0, tau_minus=20.0, w_max=4.0)
    syn = net.connect(source, pop, iz.OneToOne(), weight=2.0, delay=DT, plasticity=learns)
    net.run(90.0)
    _, weight = learned(started("brian2"), 90.0)
    assert weight == pytest.approx(syn.weight[0], abs=2e-3)
    assert weight == pytest.approx(2.03, abs=2e-3)


def test_what_is_left_out_and_what_comes_twice():
    sim = started("nest")
    cells = sim.Population(4, sim.Izhikevich())
    assert cells[[0, 0]].size == 1
    left_out = sim.Projection(cells, cells, sim.OneToOneConnector())
    assert set(left_out.get(["weight", "delay"], "list")) == {(i, i, 0.0, DT) for i in range(4)}
    with pytest.raises(Exception, match="must be negative"):
        sim.Projection(cells, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0), receptor_type="inhibitory")
    net = iz.Network(dt=DT)
    pop = net.add(iz.Population(4))
    with pytest.raises(ValueError, match="twice|once"):
        pop[[0, 0]]
    syn = net.connect(pop, pop, iz.OneToOne())
    assert (set(syn.weight), set(syn.delay)) == ({1.0}, {DT})


@pytest.mark.skipif(not pyNN.__version__.startswith("0.13"), reason="of PyNN 0.13")
def test_the_traps_of_pynn_0_13():
    sim = started("brian2")
    cells = sim.Population(2, sim.Izhikevich(c=[-65.0, -50.0], d=[8.0, 2.0], i_offset=0.01), initial_values=START)
    cells.record("spikes")
    sim.run(200.0)
    assert times(cells)[0] == times(cells)[1]
    sim = started("nest")
    one, other = (sim.Population(1, sim.Izhikevich()) for _ in range(2))
    with pytest.raises(ValueError, match="nonzero"):
        sim.Projection(one, other, sim.OneToOneConnector())
    with pytest.raises(KeyError, match="tau_syn_E"):
        sim.Projection(one, other, sim.AllToAllConnector(), sim.TsodyksMarkramSynapse(weight=1.0, delay=DT))
    static = sim.Projection(one, other, sim.AllToAllConnector(), sim.StaticSynapse(weight=2.0, delay=DT))
    assert static.get("weight", "list") == [(0.0, 0.0, 0.002)]
    v, weight = learned(started("nest"), 105.0)
    k = round(100.0 / DT)
    assert v[k + 1] - v[k] > 30.0
    assert weight == pytest.approx((2.0 + 40.0 * np.exp(-5.2 / 20.0)) / 1000, rel=0.05)
