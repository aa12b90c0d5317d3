"""Short-term plasticity, held against tsodyks2_synapse of NEST: the weight of each spike."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import nest

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT, DELAY = 0.5, 3
STEPS = np.sort(np.random.default_rng(5).choice(np.arange(4, 2000), 150, replace=False))


def in_nest(U, tau_rec, tau_facil):
    """The weight with which each spike is sent: those of the relay, which they leave 1 ms after they come."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = DT
    generator = nest.Create("spike_generator", params={"spike_times": STEPS * DT})
    relay, target = nest.Create("parrot_neuron"), nest.Create("iaf_psc_delta", params={"V_th": 1e9})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel("tsodyks2_synapse", "recorded", {"weight_recorder": recorder})
    nest.Connect(generator, relay, syn_spec={"delay": 1.0})
    nest.Connect(relay, target, syn_spec=dict(
        synapse_model="recorded", weight=2.0, delay=DELAY * DT, U=U, u=U, x=1.0, tau_rec=tau_rec, tau_fac=tau_facil
    ))  # fmt: skip
    nest.Simulate(2100.0 * DT)
    return np.asarray(recorder.get("events", "weights"))


@pytest.mark.parametrize(("U", "tau_rec", "tau_facil"), [(0.5, 800.0, 1.0), (0.1, 100.0, 1000.0), (0.3, 90.0, 40.0)])
def test_every_amount(U, tau_rec, tau_facil):
    net = iz.Network(dt=DT, scheme="nest", seed=1)
    source, target = (net.add(iz.Population(1, d=0.0, V=-70.0, u=-14.0), name=name) for name in ("source", "target"))
    rule = iz.TsodyksMarkram(U, tau_rec, tau_facil)
    syn = net.connect(source, target, iz.AllToAll(), weight=2.0, delay=DELAY * DT, receptor=iz.Pulse(), plasticity=rule)
    net.drive(source, iz.SpikeTrain(np.zeros(STEPS.size, int), STEPS * DT, weight=3000.0))
    spikes, current = net.record(source), net.record(syn, "current")
    net.run(2100.0 * DT)
    np.testing.assert_array_equal(spikes.step, STEPS)
    found, theirs = current.current[STEPS + DELAY, 0], in_nest(U, tau_rec, tau_facil)
    assert theirs.size == STEPS.size
    np.testing.assert_allclose(found, theirs, rtol=1e-10)
    assert found.max() > 3 * found.min()
