"""Conductances, blocks of NMDA and saturating kinetics, held against Brian2 itself: one synapse at a time there."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import brian2 as b

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT, N_STEPS, N = 0.1, 3000, 30
CELLS = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I + {current})/ms : 1
du/dt = 0.02*(0.2*v - u)/ms : 1
I : 1 (constant)
"""
JAHR_STEVENS = "1/(1 + exp(-0.062*v)/3.57)"
RATIONAL = "((v + 80)/60)**2/(1 + ((v + 80)/60)**2)"
# Synapses of Brian2 keep r; what they make of a spike; the receptor here, and what opens the conductance there
KINETICS = {
    "pulse of transmitter": (
        "dr/dt = (1.1*T*(1 - r) - 0.19*r)/ms : 1 (clock-driven)\nT = int(timestep(t - last, dt) <= 10) : 1\n"
        "last : second",
        "last = t",
        iz.Kinetic(1.1, 0.19, E=0.0),
        "1",
    ),
    "slow pulse behind a block": (
        "dr/dt = (0.072*T*(1 - r) - 0.0066*r)/ms : 1 (clock-driven)\nT = int(timestep(t - last, dt) <= 30) : 1\n"
        "last : second",
        "last = t",
        iz.Kinetic(0.072, 0.0066, duration=3.0, E=0.0, block="jahr-stevens"),
        JAHR_STEVENS,
    ),
    "share of what is closed": (
        "dr/dt = -r/(6*ms) : 1 (clock-driven)",
        "r += 0.4*(1 - r)",
        iz.Saturating(6.0, fraction=0.4, E=0.0, block="izhikevich"),
        RATIONAL,
    ),
}


def wiring():
    """Currents of the neurons; pre, post, weight and delay in steps of 200 synapses, of which some are 0."""
    rng = np.random.default_rng(7)
    pre, post = rng.integers(N, size=(2, 200))
    return rng.uniform(2.0, 8.0, N), pre, post, rng.uniform(0.0, 0.03, 200), rng.integers(0, 60, 200)


def group(current, clock, **namespace):
    """Neurons of Brian2, and their spikes and V after each step."""
    cells = b.NeuronGroup(
        N, CELLS.format(current=current) + namespace.pop("more", ""), threshold="v >= 30", reset="v = -65; u += 8",
        method="euler", clock=clock, namespace=namespace,
    )  # fmt: skip
    cells.v, cells.u, cells.I = -65.0, -13.0, wiring()[0]
    return cells, b.SpikeMonitor(cells), b.StateMonitor(cells, "v", record=True, when="end")


def ours(*receptors):
    """The same network here, connected once for each receptor: spikes and V."""
    current, pre, post, weight, delay = wiring()
    net = iz.Network(dt=DT, scheme="euler")
    cells = net.add(iz.Population(N, a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0))
    net.drive(cells, current)
    for k, receptor in enumerate(receptors):
        net.connect(cells, cells, (pre, post), weight=weight, delay=DT * delay, receptor=receptor, name=str(k))
    spikes, V = net.record(cells), net.record(cells, "V")
    net.run(N_STEPS * DT)
    return spikes, V


def same(spikes, states, clock, found):
    rec, V = found
    assert len(rec) > 50
    np.testing.assert_array_equal(np.rint(spikes.t / clock.dt).astype(int), rec.step)
    np.testing.assert_array_equal(np.asarray(spikes.i), rec.i)
    np.testing.assert_allclose(np.asarray(states.v).T, V.V, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", KINETICS)
def test_each_synapse_saturates_by_itself(name):
    """Every spike, and V to rounding, of synapses that each integrate their own equation there."""
    model, on_pre, receptor, block = KINETICS[name]
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    cells, spikes, states = group(f"g*({block})*(0.0 - v)", clock, more="g : 1\n")
    _, pre, post, weight, delay = wiring()
    synapses = b.Synapses(
        cells,
        cells,
        model + "\nw : 1\ng_post = w*r : 1 (summed)",
        on_pre=on_pre,
        method="exponential_euler",
        clock=clock,
    )
    synapses.connect(i=pre, j=post)
    synapses.w, synapses.delay = weight, delay * clock.dt
    if "last" in model:
        synapses.last = -1 * b.second
    b.Network(cells, synapses, spikes, states).run(N_STEPS * DT * b.ms)
    same(spikes, states, clock, ours(receptor))


def test_one_weight_for_ampa_and_nmda():
    """Two conductances that a spike raises by a weight in a ratio, one behind the block of 2008."""
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    current = f"fast*(0.0 - v) + slow*({RATIONAL})*(0.0 - v)"
    decaying = "fast : 1\nslow : 1\n"  # by their exact solutions, which no integrator for v makes of them
    cells, spikes, states = group(current, clock, more=decaying)
    cells.run_regularly("fast *= exp(-dt/(5*ms)); slow *= exp(-dt/(80*ms))", when="after_groups")
    _, pre, post, weight, delay = wiring()
    synapses = b.Synapses(cells, cells, "w : 1", on_pre="fast += 0.7*w; slow += 0.3*w", clock=clock)
    synapses.connect(i=pre, j=post)
    synapses.w, synapses.delay = weight, delay * clock.dt
    b.Network(cells, synapses, spikes, states).run(N_STEPS * DT * b.ms)
    same(spikes, states, clock, ours(0.7 * iz.AMPA() + 0.3 * iz.NMDA(0.0, 80.0, block="izhikevich")))
