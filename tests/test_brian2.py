"""What docs/concepts/labels.md says of Brian2, held against Brian2 itself."""

from __future__ import annotations

import dataclasses
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


NEURON = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I + g*(0 - v))/ms : 1 {flag}
du/dt = 0.02*(0.2*v - u)/ms : 1 {flag}
I : 1 (constant)
g : 1
"""
CELL = dict(a=0.02, b=0.2, c=-65.0, d=8.0)
STDP = """
w : 1
dx/dt = -x/(10*ms) : 1 (event-driven)
dy/dt = -y/(20*ms) : 1 (event-driven)
"""


class Both:
    """The same neurons there, with Brian2's default schedule, and here; g is a conductance towards 0 mV that decays."""

    def __init__(self, n, seed, *, tau_g=5.0, tau_ref=None, reset="hard"):
        self.rng, self.n = np.random.default_rng(seed), n
        V, u, I = self.rng.uniform(-75, -50, n), self.rng.uniform(-16, -10, n), self.rng.uniform(2.0, 9.0, n)  # noqa: E741
        self.there = b.NeuronGroup(
            n, NEURON.format(flag="(unless refractory)" if tau_ref else ""), threshold="v >= 30", method="euler",
            reset="v = -65; u += 8" if reset == "hard" else "v = -65 + (v - 30); u += 8", clock=b.Clock(DT * b.ms),
            refractory=tau_ref * b.ms if tau_ref else False,
        )  # fmt: skip
        self.there.v, self.there.u, self.there.I = V, u, I
        self.there.run_regularly(f"g *= {float(np.exp(-DT / tau_g))!r}", when="after_groups")
        self.net = iz.Network(dt=DT, scheme="euler")
        held = dict(model=iz.IzhikevichRef, tau_ref=tau_ref) if tau_ref else {}
        self.here = self.net.add(iz.Population(n, V=V, u=u, reset=reset, **CELL, **held))
        self.net.drive(self.here, I)
        self.synapses = []

    def connect(self, p, weight, target="v", delay=None, low=None, stdp=None, receptor=None):
        """The same synapses at random. delay: steps; without it, Brian2's own, which is 0."""
        pre, post = np.nonzero(self.rng.random((self.n, self.n)) < p)
        w = self.rng.uniform(weight if low is None else low, weight, pre.size)
        on_pre = f"{target}_post += w"
        if stdp:
            on_pre += f"\nx += {stdp[0]}\nw = clip(w + y, 0, {stdp[2]})"
            on_post = f"y -= {stdp[1]}\nw = clip(w + x, 0, {stdp[2]})"
        there = b.Synapses(self.there, self.there, STDP if stdp else "w : 1", on_pre=on_pre,
                           on_post=on_post if stdp else None, clock=self.there.clock)  # fmt: skip
        there.connect(i=pre, j=post)
        there.w = w
        steps = np.zeros(pre.size) if delay is None else self.rng.integers(0, delay + 1, pre.size)
        if delay is None:
            assert not np.any(there.delay[:])
        else:
            there.delay = steps * DT * b.ms
        rule = None if stdp is None else iz.STDP(stdp[0], stdp[1], 10.0, 20.0, w_max=stdp[2])
        self.net.connect(self.here, self.here, (pre, post), weight=w, delay=steps * DT, receptor=receptor,
                         plasticity=rule)  # fmt: skip
        self.synapses.append((there, pre, post))

    def spikes(self, duration):
        """(steps, neurons) there and here; those of each step in order."""
        monitor = b.SpikeMonitor(self.there)
        b.Network(self.there, monitor, *(one for one, *_ in self.synapses)).run(duration * b.ms)
        recorder = self.net.record(self.here, "spikes")
        self.net.run(duration)
        step, i = np.rint(monitor.t / self.there.clock.dt).astype(int), np.asarray(monitor.i)
        order = np.lexsort((i, step))
        return (step[order], i[order]), (recorder.step, recorder.i)


def the_same(both, duration, at_least):
    there, here = both.spikes(duration)
    for one, other in zip(there, here, strict=True):
        np.testing.assert_array_equal(one, other)
    assert here[0].size > at_least


@pytest.mark.parametrize(("tau_ref", "reset"), [(None, "hard"), (2.0, "hard"), (2.0, "overshoot")])
def test_jumps_of_delay_0_are_those_of_its_default(tau_ref, reset):
    """A thousand cells, excitation and inhibition, spike for spike."""
    b.prefs.codegen.target = "numpy"
    both = Both(1000, 1, tau_ref=tau_ref, reset=reset)
    both.connect(0.02, 1.5, low=0.0)
    both.connect(0.01, 0.0, low=-3.0)
    the_same(both, 150.0, 500)


def test_conductances_of_delay_0_and_longer_are_those_of_its_default():
    b.prefs.codegen.target = "numpy"
    both = Both(500, 2)
    both.connect(0.02, 0.01, "g", low=0.0, receptor=iz.Exponential(5.0, E=0.0))
    both.connect(0.02, 0.01, "g", delay=30, low=0.0, receptor=iz.Exponential(5.0, E=0.0))
    both.connect(0.01, -1.0, low=-3.0)
    the_same(both, 200.0, 500)


def test_plasticity_at_delay_0_is_that_of_its_default():
    """Arrivals come before target spikes of the same step in both."""
    b.prefs.codegen.target = "numpy"
    both = Both(300, 3)
    both.connect(0.05, 2.0, low=0.0, stdp=(0.3, 0.33, 3.0))
    the_same(both, 200.0, 300)
    ((there, pre, post),) = both.synapses
    (here,) = both.net.synapses.values()
    np.testing.assert_allclose(here.weight, np.asarray(there.w)[np.lexsort((post, pre))], rtol=1e-6, atol=1e-9)


def test_the_least_delay_is_another_network():
    """Where jumps decide who spikes next, the same network with a delay of one step has other spikes."""
    counts = []
    for delay in (0.0, DT):
        net = iz.Network(dt=DT, scheme="euler", seed=1)
        cells = net.add(iz.Population(200, V=iz.Uniform(-70.0, -50.0), u=-13.0, **CELL))
        net.drive(cells, iz.Noise(std=20.0))
        net.connect(cells, cells, iz.FixedProbability(0.1), weight=iz.Uniform(0.0, 6.0), delay=delay)
        spikes = net.record(cells, "spikes")
        net.run(200.0)
        counts.append(len(spikes))
    assert counts[0] != counts[1]


ADAPTING = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I - 0.4*ca + 0.1*(dend - v))/ms : 1
du/dt = 0.02*(0.2*v - u)/ms : 1
dca/dt = -0.01*ca/ms : 1
ddend/dt = (0.05*(-65 - dend) + 0.1*(v - dend) + 0.02*ca)/ms : 1
drise/dt = (-0.02*rise - 0.001*rise**2)/ms : 1
I : 1 (constant)
"""


def adapting():
    """The same model."""
    quadratic, quadratic_slope = iz.Izhikevich.dV, iz.Izhikevich.dV_slope

    def dV(V, u, I, p):
        return quadratic(V, u, I, p) - p.g_ca * p.ca + p.g * (p.dend - V)

    def dV_slope(V, dI, p):
        return quadratic_slope(V, dI, p) - p.g

    return dataclasses.replace(
        iz.Izhikevich, name="Adapting", dV=dV, dV_slope=dV_slope, threshold=lambda u, p: p.V_th + p.rise,
        parameters=iz.Izhikevich.parameters | {name: iz.Quantity(x, "", "") for name, x in dict(
            g_ca=0.4, g=0.1, r_ca=0.01, one=1.0, leak=0.05, rest=-65.0, share=0.02, r_rise=0.02, bend=0.001, lift=3.0,
        ).items()},
        states={
            "ca": iz.StateVariable(0.0, "", "", lambda V, u, I, p: -p.r_ca * p.ca, reset=lambda u, p: p.ca + p.one),
            "dend": iz.StateVariable(-65.0, "mV", "", lambda V, u, I, p: (
                p.leak * (p.rest - p.dend) + p.g * (V - p.dend) + p.share * p.ca)),
            "rise": iz.StateVariable(0.0, "mV", "", lambda V, u, I, p: -p.r_rise * p.rise - p.bend * p.rise * p.rise,
                                     reset=lambda u, p: p.rise + p.lift),
        },
    )  # fmt: skip


def test_states_beside_V_and_u_go_the_same_way():
    """Calcium, a dendrite and a threshold that adapts: every spike, and all states to rounding."""
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    cells = b.NeuronGroup(
        I.size, ADAPTING, threshold="v >= 30 + rise", reset="v = -65; u += 8; ca += 1; rise += 3", method="euler",
        clock=clock,
    )  # fmt: skip
    cells.v, cells.u, cells.dend, cells.I = -65.0, -13.0, -65.0, I
    names = {"v": "V", "u": "u", "ca": "ca", "dend": "dend", "rise": "rise"}
    spikes, states = b.SpikeMonitor(cells), b.StateMonitor(cells, list(names), record=True, when="end")
    b.Network(cells, spikes, states).run(N_STEPS * DT * b.ms)
    pop = iz.Population(I.size, model=adapting(), V=-65.0, u=-13.0, scheme="euler", dt=DT)
    found = pop.run(N_STEPS * DT, I, record=list(names.values()))
    assert len(found.spikes) > 50
    np.testing.assert_array_equal(np.rint(spikes.t / clock.dt).astype(int), found.spikes.step)
    np.testing.assert_array_equal(np.asarray(spikes.i), found.spikes.i)
    for theirs, ours in names.items():
        np.testing.assert_allclose(np.asarray(getattr(states, theirs)).T, getattr(found, ours), rtol=1e-6, atol=1e-6)


def test_its_quantities_are_refused_with_what_to_do():
    """Their numbers are in SI units, which a plain array would not tell."""
    with pytest.raises(TypeError, match=r"plain numbers in mV/ms, such as np.asarray\(x / \(mV/ms\)\)\."):
        iz.Population(2).run(1.0, [10.0, 4.0] * b.mV / b.ms)
    I = np.asarray([10.0, 4.0] * b.mV / b.ms / (b.mV / b.ms))
    T, V = np.asarray(5.0 * b.ms / b.ms), np.asarray(-60.0 * b.mV / b.mV)
    found = iz.Population(2, V=V).run(T, I, record="V").V
    np.testing.assert_allclose(found, iz.Population(2, V=-60.0).run(5.0, [10.0, 4.0], record="V").V, rtol=1e-12)
