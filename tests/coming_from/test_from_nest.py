"""docs/coming_from/nest.md, held against NEST: its script, its terms, and what differs."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pages
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import nest

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT = 0.1
CELL = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}
START = {"V_m": -65.0, "U_m": -13.0}
# V and u with which a cell without recovery stays where it is
BALANCED = {"a": 0.0, "V_m": -65.0, "U_m": 0.04 * 65.0**2 - 5 * 65.0 + 140.0}


@pytest.fixture(autouse=True)
def kernel():
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=DT, rng_seed=1)


def recorded(cells, duration):
    """V at each multiple of the step, and its times."""
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": DT})
    nest.Connect(meter, cells)
    nest.Simulate(duration)
    return np.asarray(meter.events["V_m"]), np.asarray(meter.events["times"])


def here(n=1, **more):
    net = iz.Network(dt=DT, scheme="nest", seed=1)
    return net, net.add(iz.Population(n, **CELL | {"V": -65.0, "u": -13.0} | more))


def test_the_scripts_have_the_same_spikes():
    theirs, ours = pages.run("nest", ours=False)["theirs"], pages.run("nest", ours=True)["ours"]
    assert f"the same {len(ours)} spikes" in pages.text("nest")
    assert theirs == ours


@pytest.mark.parametrize("code", pages.spans("nest", 0))
def test_terms_of_theirs_run(code, tmp_path):
    nest.data_path = str(tmp_path)
    functions = "Create", "Connect", "GetConnections", "Simulate", "Run", "ResetKernel"
    names = {name: getattr(nest, name) for name in functions} | {"nest": nest, "n": 4}
    if "resolution" not in code:  # which is set before there are nodes
        names |= {"a": nest.Create("izhikevich", 4), "b": nest.Create("izhikevich", 4)}
    with nest.RunManager() if code.startswith("Run") else contextlib.nullcontext():
        eval(code, names)


def test_what_starts_and_is_allowed_by_default():
    cell = nest.Create("izhikevich", params={"b": 0.25})
    assert (cell.V_m, cell.U_m, cell.consistent_integration) == (-65.0, -13.0, True)
    assert iz.Population(1, b=0.25).u[0] == 0.0
    a = nest.Create("izhikevich", 2)
    nest.Connect(a, a, {"rule": "fixed_total_number", "N": 50})
    assert nest.num_connections == 50
    net, pop = here(2)
    assert net.connect(pop, pop, iz.FixedTotalNumber(50)).weight.size == 50


def test_samples_have_the_same_times():
    V, t = recorded(nest.Create("izhikevich", 1, CELL | START | {"I_e": 10.0}), 20.0)
    net, pop = here()
    net.drive(pop, 10.0)
    rec = net.record(pop, "V")
    net.run(20.0)
    np.testing.assert_array_equal(V, rec.V[: V.size, 0])
    np.testing.assert_allclose(t, rec.t[: t.size], atol=1e-9)


def test_a_generator_of_current_acts_a_delay_and_a_step_later():
    cell = nest.Create("izhikevich", 1, CELL | START)
    nest.Connect(nest.Create("dc_generator", params={"amplitude": 10.0}), cell, syn_spec={"delay": 1.0})
    V, _ = recorded(cell, 20.0)
    net, pop = here()
    net.drive(pop, iz.Pulses(start=1.0 + DT, stop=100.0, amplitude=10.0))
    rec = net.record(pop, "V")
    net.run(20.0)
    np.testing.assert_allclose(V, rec.V[: V.size, 0], rtol=1e-12)


def test_noise_of_a_generator_and_noise_here_have_the_same_law():
    """The variance of V after 1 ms, over 3000 cells that nothing else moves far."""
    n, std = 3000, 3.0
    cells = nest.Create("izhikevich", n, CELL | BALANCED)
    nest.Connect(nest.Create("noise_generator", params={"std": std, "dt": 1.0}), cells, syn_spec={"delay": DT})
    nest.Simulate(1.0 + 2 * DT)
    net, pop = here(n, a=0.0, u=BALANCED["U_m"])
    net.drive(pop, iz.Noise(std=std, hold=1.0))
    net.run(1.0)
    theirs, ours = np.std(cells.V_m), pop.V.std()
    assert ours == pytest.approx(theirs, rel=0.06)
    assert ours > 2.0


def test_all_of_a_delay_is_dendritic_in_stdp_synapse():
    """One pair 5 ms apart, delay 2 ms: the rule sees 7 ms there and 3 ms here."""
    tau, lam = 20.0, 0.01
    pre, post = nest.Create("parrot_neuron"), nest.Create("izhikevich", 1, CELL | START | {"tau_minus": tau})
    for times, target, weight in (([20.0, 80.0], pre, 1.0), ([25.0], post, 200.0)):
        generator = nest.Create("spike_generator", params={"spike_times": [t - 1.0 for t in times]})
        nest.Connect(generator, target, syn_spec={"weight": weight, "delay": 1.0})
    rule = {"lambda": lam, "alpha": 1.0, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": tau, "Wmax": 10.0}
    synapse = {"synapse_model": "stdp_synapse", "weight": 1.0, "delay": 2.0, **rule}
    nest.Connect(pre, post, syn_spec=synapse)
    times = nest.Create("spike_recorder")
    nest.Connect(post, times)
    nest.Simulate(81.5)
    (spike,) = times.events["times"]
    theirs = nest.GetConnections(pre, post).weight
    net, pop = here()
    source = net.add(iz.SpikeSource([0, 0], [20.0, 80.0], n=1))
    net.drive(pop, iz.SpikeTrain([0], [spike - DT], weight=200.0))
    learn = iz.STDP(A_plus=lam * 10.0, A_minus=lam * 10.0, tau_plus=tau, tau_minus=tau, w_max=10.0)
    syn = net.connect(source, pop, iz.OneToOne(), weight=1.0, delay=2.0, plasticity=learn)
    rec = net.record(pop)
    net.run(70.0)
    assert rec.t.tolist() == [pytest.approx(spike)]
    assert syn.weight[0] == pytest.approx(1.0 + 0.1 * np.exp(-(spike - 20.0 - 2.0) / tau))
    arrived = 1.0 + 0.1 * np.exp(-(spike - 20.0 + 2.0) / tau)
    assert theirs == pytest.approx(arrived - 0.1 * np.exp(-(80.0 - spike - 2.0) / tau))


def test_a_poisson_generator_sends_several_spikes_in_a_step():
    generator, cells = nest.Create("poisson_generator", params={"rate": 2e4}), nest.Create("parrot_neuron", 1)
    nest.Connect(generator, cells)
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(20.0)
    assert np.unique(recorder.events["times"], return_counts=True)[1].max() > 1
    net, _ = here()
    source = net.add(iz.PoissonSource(1, 5e3))
    rec = net.record(source)
    net.run(20.0)
    assert np.unique(rec.step, return_counts=True)[1].max() == 1


def test_no_source_spikes_at_0():
    with pytest.raises(Exception, match="cannot be set to 0"):
        nest.Create("spike_generator", params={"spike_times": [0.0]})
    with pytest.raises(ValueError, match=r"SpikeSource\.t must be above 0"):
        iz.Network(dt=DT).add(iz.SpikeSource([0], [0.0], n=1))


def test_nodes_ascend_and_ours_keep_their_order():
    nodes = nest.Create("izhikevich", 4)
    with pytest.raises(Exception, match="ascending"):
        nodes[[3, 1]]
    _, pop = here(4)
    assert pop[[3, 1]].neurons.tolist() == [3, 1]
