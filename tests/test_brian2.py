"""What docs/semantics.md says of Brian2, held against Brian2 itself."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import brian2 as b

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
EQUATIONS = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
du/dt = 0.02*(0.2*v - u)/ms : 1
I : 1 (constant)
"""
DT, N_STEPS = 0.1, 4000
DEFAULT = ["start", "groups", "thresholds", "synapses", "resets", "end"]
JUMPS_FIRST = ["start", "groups", "synapses", "thresholds", "resets", "end"]
I = np.linspace(0.0, 20.0, 11)  # noqa: E741
KICKED = [60, 130, 310]


def in_brian2(jumps, schedule, method="euler"):
    """Step and neuron of each spike of neurons with V jumps, V after each step, and the times of the spikes, ms."""
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    given = {"jump": b.TimedArray(jumps, dt=clock.dt)}
    cells = b.NeuronGroup(
        I.size, EQUATIONS, threshold="v >= 30", reset="v = -65; u += 8", method=method, clock=clock, namespace=given
    )
    cells.v, cells.u, cells.I = -65.0, -13.0, I
    cells.run_regularly("v += jump(t)", when="synapses")
    spikes, states = b.SpikeMonitor(cells), b.StateMonitor(cells, "v", record=True, when="end")
    network = b.Network(cells, spikes, states)
    network.schedule = schedule
    network.run(N_STEPS * DT * b.ms)
    return np.rint(spikes.t / clock.dt).astype(int), np.asarray(spikes.i), np.asarray(states.v).T, spikes.t / b.ms


def here(jumps, scheme="euler"):
    pop = iz.Population(I.size, a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0, scheme=scheme, dt=DT)
    result = pop.run(N_STEPS * DT, I, delta=jumps[:, None], record="V")
    return result.spikes.step, result.spikes.i, result.V, result.spikes.t  # as in_brian2


def kicks():
    jumps = np.zeros(N_STEPS)
    jumps[KICKED] = 120.0
    return jumps


@pytest.mark.parametrize(
    ("jumps", "schedule"),
    [(np.zeros(N_STEPS), DEFAULT), (np.zeros(N_STEPS), JUMPS_FIRST), (kicks(), JUMPS_FIRST)],
    ids=["no jumps", "no jumps, another schedule", "jumps"],
)
def test_the_same_steps(jumps, schedule):
    """Every spike, and V to rounding; the label is k dt there and (k + 1) dt here."""
    step, i, V, t = in_brian2(jumps, schedule)
    our_step, our_i, our_V, our_t = here(jumps)
    assert step.size > 100
    np.testing.assert_array_equal(step, our_step)
    np.testing.assert_array_equal(i, our_i)
    np.testing.assert_allclose(V, our_V, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(t + DT, our_t, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "scheme"), [("rk2", "midpoint"), ("rk4", "rk4"), pytest.param("heun", "euler", id="heun is euler")]
)
def test_runge_kutta_step_for_step(method, scheme):
    """Every spike, and V to rounding. Without noise Brian2's heun is forward Euler."""
    step, i, V, _ = in_brian2(kicks(), JUMPS_FIRST, method)
    our_step, our_i, our_V, _ = here(kicks(), scheme)
    assert step.size > 100
    np.testing.assert_array_equal(step, our_step)
    np.testing.assert_array_equal(i, our_i)
    np.testing.assert_allclose(V, our_V, rtol=1e-6, atol=1e-6)


def test_a_jump_over_the_threshold_is_a_step_later_in_the_default_schedule():
    assert b.Network().schedule == DEFAULT
    found = [steps[i == 0].tolist() for steps, i, *_ in (in_brian2(kicks(), DEFAULT), here(kicks()))]
    assert found == [[k + 1 for k in KICKED], KICKED]


def test_conductances_in_the_course_of_time():
    """The same g(t) of each neuron as a TimedArray in both: every spike, and V to rounding."""
    random = np.random.default_rng(3)
    g = np.abs(random.normal(0.1, 0.1, (N_STEPS // 5, I.size))).cumsum(axis=0) % 0.4
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    conducting = EQUATIONS.replace("+ I)", "+ I + g(t, i)*(0.0 - v) + 0.05*(-75.0 - v))")
    cells = b.NeuronGroup(
        I.size, conducting, threshold="v >= 30", reset="v = -65; u += 8", method="euler", clock=clock,
        namespace={"g": b.TimedArray(g, dt=5 * clock.dt)},
    )  # fmt: skip
    cells.v, cells.u, cells.I = -65.0, -13.0, I
    spikes, states = b.SpikeMonitor(cells), b.StateMonitor(cells, "v", record=True, when="end")
    b.Network(cells, spikes, states).run(N_STEPS * DT * b.ms)
    net = iz.Network(dt=DT, scheme="euler")
    ours = net.add(iz.Population(I.size, a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0))
    net.drive(ours, I)
    net.drive(ours, iz.TimedArray(g, 5 * DT), receptor=iz.AMPA(E=0.0))
    net.drive(ours, 0.05, receptor=iz.GABA_A(E=-75.0))
    rec, V = net.record(ours), net.record(ours, "V")
    net.run(N_STEPS * DT)
    assert len(rec) > 100
    np.testing.assert_array_equal(np.rint(spikes.t / clock.dt).astype(int), rec.step)
    np.testing.assert_array_equal(np.asarray(spikes.i), rec.i)
    np.testing.assert_allclose(np.asarray(states.v).T, V.V, rtol=1e-6, atol=1e-6)
