"""What docs/concepts/inputs.md says of spike sources here, in Brian2 and in NEST, held against both."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT, T, SENDERS, CELLS = 0.1, 400.0, 30, 11
I = np.linspace(0.0, 20.0, CELLS)  # noqa: E741
DRAWN = np.random.default_rng(4)
STEPS = np.concatenate([np.sort(DRAWN.choice(np.arange(1, 3900), 60, replace=False)) for _ in range(SENDERS)])
SENT = np.repeat(np.arange(SENDERS), 60)
PRE, POST = np.divmod(DRAWN.choice(SENDERS * CELLS, 120, replace=False), CELLS)
WEIGHT, DELAY = DRAWN.normal(4.0, 3.0, 120).round(2), DRAWN.integers(2, 60, 120)  # mV, steps


DEFAULT = ["start", "groups", "thresholds", "synapses", "resets", "end"]
JUMPS_FIRST = ["start", "groups", "synapses", "thresholds", "resets", "end"]


def here(scheme, t, delay=DELAY):
    """Step and neuron of each spike of neurons that a SpikeSource reaches, whose spikes come at these times. delay:
    steps."""
    net = iz.Network(scheme=scheme, dt=DT)
    cells = net.add(iz.Population(CELLS, a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0))
    source = net.add(iz.SpikeSource(SENT, t, n=SENDERS))
    net.connect(source, cells, (PRE, POST), weight=WEIGHT, delay=delay * DT)
    net.drive(cells, I)
    sent, spikes = net.record(source), net.record(cells)
    net.run(T)
    assert len(sent) == SENT.size
    return spikes.step, spikes.i, spikes.t


@pytest.mark.parametrize(
    ("schedule", "theirs", "ours"), [(JUMPS_FIRST, DELAY - 1, DELAY), (DEFAULT, 0 * DELAY, 0 * DELAY)]
)
def test_a_spike_generator_group_of_brian2(schedule, theirs, ours):
    """A spike at the beginning of step k there is one at its end here; with synapses before thresholds the delays there
    are a step shorter, and by default no delay is delay 0, as for neurons."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that it uses
        b = pytest.importorskip("brian2")
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    equations = """
    dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
    du/dt = 0.02*(0.2*v - u)/ms : 1
    I : 1 (constant)
    """
    cells = b.NeuronGroup(CELLS, equations, threshold="v >= 30", reset="v = -65; u += 8", method="euler", clock=clock)
    cells.v, cells.u, cells.I = -65.0, -13.0, I
    source = b.SpikeGeneratorGroup(SENDERS, SENT, STEPS * DT * b.ms, clock=clock)
    synapses = b.Synapses(source, cells, "w : 1", on_pre="v_post += w", clock=clock)
    synapses.connect(i=PRE, j=POST)
    synapses.w, synapses.delay = WEIGHT, theirs * DT * b.ms
    spikes = b.SpikeMonitor(cells)
    network = b.Network(cells, source, synapses, spikes)
    network.schedule = schedule
    network.run(T * b.ms)
    step, i, _ = here("euler", (STEPS + 1) * DT, ours)
    assert step.size > 100
    np.testing.assert_array_equal(np.rint(spikes.t / clock.dt).astype(int), step)
    np.testing.assert_array_equal(np.asarray(spikes.i), i)


@pytest.mark.parametrize(("scheme", "consistent"), [("nest", True), ("nest_published", False)])
def test_a_spike_generator_of_nest(scheme, consistent):
    """The same times, the same delays."""
    nest = pytest.importorskip("nest")
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = DT
    cells = nest.Create("izhikevich", CELLS, {
        "a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_m": -65.0, "U_m": -13.0, "I_e": I,
        "consistent_integration": consistent,
    })  # fmt: skip
    t = (STEPS * DT).round(1)
    source = nest.Create("spike_generator", SENDERS, [{"spike_times": t[SENT == j]} for j in range(SENDERS)])
    for pre, post, weight, delay in zip(PRE, POST, WEIGHT, DELAY, strict=True):
        nest.Connect(source[int(pre)], cells[int(post)], syn_spec={"weight": weight, "delay": round(delay * DT, 1)})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(T)
    events = recorder.get("events")
    theirs = sorted(zip(events["times"].round(6).tolist(), (events["senders"] - cells[0].global_id).tolist()))  # noqa: B905
    _, i, times = here(scheme, t)
    assert len(theirs) > 100
    assert theirs == list(zip(times.round(6).tolist(), i.tolist(), strict=True))
