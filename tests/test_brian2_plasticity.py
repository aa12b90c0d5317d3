"""Short-term and long-term plasticity of one synapse, held against equations in Brian2: each weight, each amount."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import brian2 as b

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
DT, N, STEPS = 0.5, 6, 1200
RNG = np.random.default_rng(7)
PRE, POST = (
    [np.sort(RNG.choice(np.arange(3, STEPS - 40), 60, replace=False)) for _ in range(N)] for _ in range(2)
)  # steps, of pairs of neurons
DELAYS = RNG.integers(1, 12, N)
U, REC, FACIL = 0.3, 90.0, 40.0
A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, W_MAX = 0.08, 0.09, 17.0, 28.0, 2.0
SHORT = """
du_f/dt = -u_f/(tau_facil*ms) : 1 (event-driven)
dgone/dt = -gone/(tau_rec*ms) : 1 (event-driven)
sent : 1
"""
SCALED = """
u_f += U*(1 - u_f)
sent = w*u_f*(1 - gone)
gone += u_f*(1 - gone)
"""
PAIRS = """
dx/dt = -x/(tau_plus*ms) : 1 (event-driven)
dy/dt = -y/(tau_minus*ms) : 1 (event-driven)
"""


def in_brian2(learns):
    """(steps, N): what each synapse has delivered last, and its weight, at the end of each step."""
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(DT * b.ms)
    groups = [
        b.SpikeGeneratorGroup(
            N, np.repeat(np.arange(N), [len(t) for t in trains]), np.concatenate(trains) * clock.dt, clock=clock
        )
        for trains in (PRE, POST)
    ]
    space = dict(U=U, tau_rec=REC, tau_facil=FACIL, tau_plus=TAU_PLUS, tau_minus=TAU_MINUS)
    space |= dict(A_plus=A_PLUS, A_minus=A_MINUS, w_max=W_MAX)
    depress = "w = clip(w - A_minus*y, 0, w_max)\nx += 1" if learns else ""
    potentiate = "w = clip(w + A_plus*x, 0, w_max)\ny += 1" if learns else None
    syn = b.Synapses(
        *groups, f"w : 1\n{SHORT}{PAIRS * learns}", on_pre=SCALED + depress, on_post=potentiate, clock=clock,
        namespace=space,
    )  # fmt: skip
    syn.connect(j="i")
    syn.w, syn.pre.delay = 1.0, DELAYS * clock.dt
    if learns:
        syn.pre.order, syn.post.order = 0, 1  # arrivals of a step come before the target's spikes
    monitor = b.StateMonitor(syn, ["sent", "w"], record=True, when="end")
    b.Network(*groups, syn, monitor).run(STEPS * clock.dt)
    return np.asarray(monitor.sent).T, np.asarray(monitor.w).T


def here(plasticity):
    """The same: a current that is gone after a step tells what has arrived."""
    net = iz.Network(dt=DT, scheme="euler", seed=1)
    source, target = (net.add(iz.Population(N, d=0.0, V=-70.0, u=-14.0), name=name) for name in ("source", "target"))
    pairs = np.arange(N), np.arange(N)
    syn = net.connect(source, target, pairs, weight=1.0, delay=DELAYS * DT, receptor=iz.Pulse(), plasticity=plasticity)
    for cells, trains in ((source, PRE), (target, POST)):
        i, steps = np.repeat(np.arange(N), [len(t) for t in trains]), np.concatenate(trains)
        net.drive(cells, iz.SpikeTrain(i, steps * DT, weight=3000.0))
    spikes, current, weights = net.record(target), net.record(syn, "current"), net.record(syn, "weight")
    net.run(STEPS * DT)
    for i, steps in enumerate(POST):
        np.testing.assert_array_equal(spikes.step[spikes.i == i], steps)
    return current.current, weights.weight


@pytest.mark.parametrize("learns", [False, True], ids=["short-term", "short-term and pairs"])
def test_every_amount_and_every_weight(learns):
    short, pairs = iz.TsodyksMarkram(U, REC, FACIL), iz.STDP(A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, w_max=W_MAX)
    current, weights = here([short, pairs] if learns else short)
    sent, their_weights = in_brian2(learns)
    np.testing.assert_allclose(weights, their_weights, rtol=1e-10)
    assert (np.ptp(weights) > 0.5) == learns
    for i in range(N):
        arrivals = PRE[i] + DELAYS[i]
        np.testing.assert_allclose(current[arrivals, i], sent[arrivals, i], rtol=1e-10)
