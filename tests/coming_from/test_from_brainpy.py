"""docs/coming_from/brainpy.md, held against brainpy.state: its script, its terms, and what differs."""

from __future__ import annotations

import brainpy
import brainstate
import braintools
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pages
import pytest

import izhnumba as iz

pytestmark = [pytest.mark.brainpy, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT, N = 0.1, 30
I = np.linspace(4.0, 12.0, N)
STEP = np.subtract.outer(np.arange(N), np.arange(N)).T
SHUT = braintools.init.Constant(0.0 / u.ms)
AFTER = (STEP >= 1) & (STEP <= 5)


@pytest.fixture(autouse=True)
def environ():
    with brainstate.environ.context(dt=DT * u.ms, precision=64):
        yield


def test_the_scripts_have_the_same_spikes():
    theirs, ours = pages.run("brainpy", ours=False)["theirs"], pages.run("brainpy", ours=True)["ours"]
    assert f"the same {len(ours)} spikes" in pages.text("brainpy")
    assert theirs == ours


@pytest.mark.parametrize("code", pages.spans("brainpy", 0))
def test_terms_of_theirs_run(code):
    state = brainpy.state
    pop = state.Izhikevich(4)
    pop.init_state()
    names = {
        **{name: getattr(state, name) for name in dir(state)}, "brainstate": brainstate, "braintools": braintools,
        "u": u,
        "n": 4, "pop": pop, "x": jnp.ones(4) * u.mV / u.ms, "inputs": jnp.ones((3, 4)) * u.mV / u.ms,
        "linear": brainstate.nn.Linear(4, 4, w_init=np.eye(4) * u.mS, b_init=None),
        "init_all_states": brainstate.nn.init_all_states, "for_loop": brainstate.transform.for_loop,
    }  # fmt: skip
    with brainstate.environ.context(t=0.0 * u.ms, i=0):
        assert eval(code.replace("environ.set", "environ.context"), names) is not False


class Net(brainstate.nn.Module):
    """The ring with another way to act on V, fed with the spikes of the step before."""

    def __init__(self, out, weight):
        super().__init__()
        self.pop = brainpy.state.Izhikevich(N)
        self.spikes = brainstate.ShortTermState(jnp.zeros(N))
        linear = brainstate.nn.Linear(N, N, w_init=AFTER * weight, b_init=None)
        self.projection = (
            brainpy.state.DeltaProj(comm=linear, post=self.pop) if out is None else
            brainpy.state.AlignPostProj(
                comm=linear, syn=brainpy.state.Expon.desc(N, tau=5.0 * u.ms, g_initializer=SHUT), out=out,
                post=self.pop,
            )
        )  # fmt: skip

    def update(self, k):
        with brainstate.environ.context(i=k, t=k * brainstate.environ.get_dt()):
            self.projection(self.spikes.value)
            self.spikes.value = self.pop(jnp.asarray(I) * u.mV / u.ms)
            return self.spikes.value


def here(receptor, weight, delay):
    net = iz.Network(dt=DT)
    pop = net.add(iz.Population(N))
    net.connect(pop, pop, AFTER, weight=weight, delay=delay, receptor=receptor)
    net.drive(pop, I)
    rec = net.record(pop)
    net.run(200.0)
    return sorted(zip(rec.step.tolist(), rec.i.tolist(), strict=True))


@pytest.mark.parametrize(
    ("out", "weight", "unit", "receptor", "delay"),
    [
        pytest.param(None, 3.0, u.mV, iz.Delta(), DT, id="DeltaProj"),
        pytest.param(
            lambda: brainpy.state.COBA.desc(E=0.0 * u.mV), 0.05, 1.0 / u.ms, iz.Exponential(5.0, E=0.0), 0.0, id="COBA"
        ),
    ],
)
def test_delays_of_projections(out, weight, unit, receptor, delay):
    net = Net(out and out(), weight * unit)
    brainstate.nn.init_all_states(net)
    spikes = brainstate.transform.for_loop(net.update, jnp.arange(2000))
    theirs = [tuple(row) for row in np.argwhere(spikes).tolist()]
    assert len(theirs) > 50
    assert theirs == here(receptor, weight, delay)
    assert theirs != here(receptor, weight, DT if delay == 0.0 else 0.0)


def test_defaults():
    theirs, ours = brainpy.state.Izhikevich(1), iz.Population(1)
    theirs.init_state()
    for name in ("a", "b"):
        assert float(u.get_magnitude(getattr(theirs, name).to(u.kHz))) == pytest.approx(getattr(ours, name))
    for name, unit in (("c", u.mV), ("d", u.mV / u.ms), ("V_th", u.mV)):
        assert float(u.get_magnitude(getattr(theirs, name).to(unit))) == getattr(ours, name)
    assert u.get_magnitude(theirs.V.value.to(u.mV))[0] == ours.V[0]
    assert u.get_magnitude(theirs.u.value.to(u.mV / u.ms))[0] == ours.u[0]
    assert ours.scheme.name == "exp_euler"


def test_soft_resets_as_hard_there():
    counts = []
    for reset in ("hard", "soft"):
        pop = brainpy.state.Izhikevich(1, spk_reset=reset)
        pop.init_state()
        x = jnp.full((3000, 1), 10.0) * u.mV / u.ms
        counts.append(np.flatnonzero(brainstate.transform.for_loop(pop, x)).tolist())
    assert counts[0] == counts[1]
    assert iz.Population(1, dt=DT).run(300.0, 10.0).spikes.step.tolist() == counts[0]


@pytest.mark.parametrize(
    ("synapse", "receptor", "ratio"),
    [
        pytest.param(lambda: brainpy.state.Expon(1, tau=5.0 * u.ms), iz.Exponential(5.0), 1.0, id="Expon"),
        pytest.param(
            lambda: brainpy.state.DualExpon(1, tau_decay=10.0 * u.ms, tau_rise=1.0 * u.ms),
            iz.DualExponential(1.0, 10.0), 1.0, id="DualExpon",
        ),
        pytest.param(lambda: brainpy.state.Alpha(1, tau=5.0 * u.ms), iz.Alpha(5.0), np.exp(-1.0), id="Alpha"),
    ],
)  # fmt: skip
def test_what_a_spike_makes_of_a_synapse(synapse, receptor, ratio):
    """The same course of time; alpha functions peak at the weight here, at its e-th part there (to the step)."""
    one = synapse()
    one.init_state()

    def step(k):
        with brainstate.environ.context(i=k, t=k * DT * u.ms):
            return one.update((k == 0) * jnp.ones(1) * u.mS)

    theirs = u.get_magnitude(brainstate.transform.for_loop(step, jnp.arange(400)))[:, 0]
    net = iz.Network(dt=DT)
    source, cell = net.add(iz.SpikeSource([0], [DT], n=1)), net.add(iz.Population(1))
    syn = net.connect(source, cell, iz.OneToOne(), weight=1.0, delay=0.0, receptor=receptor)
    rec = net.record(syn, "current", start=DT)
    net.run(401 * DT)
    tolerance = 1e-12 if ratio == 1.0 else 0.01
    np.testing.assert_allclose(theirs, ratio * rec.current[:, 0], atol=tolerance)
