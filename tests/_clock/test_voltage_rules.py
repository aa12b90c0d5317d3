"""Rules that see states of the target: what they see and when, and what becomes of it in pieces, files and resets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import izhnumba as iz

CELLS = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-65.0, u=-13.0)
RULE = iz.Clopath(6e-2, 3e-3, -68.0, -50.0, 9.0, 6.0, 14.0, w_max=20.0)


@dataclass(frozen=True)
class Seen(iz.Plasticity):
    """Weights are what is seen of the target: V and u, or filters of them."""

    which: float = 0.0
    tau: float = 0.0

    def states(self):
        return [("V", self.tau), ("u", self.tau)]

    @staticmethod
    def arrival(w, e, x, y, v, p):
        return 0.0, w, v[0], x

    @staticmethod
    def each_step(w, e, x, y, v, dt, p):
        return v[0] if p.which == 0 else v[1], e


@pytest.mark.parametrize("scheme", ["euler", "exp_euler"])
def test_what_is_seen_after_a_step_and_at_an_arrival(scheme):
    """V is the threshold in the step of a spike, whether the scheme resets at its end or later."""
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(3, **CELLS | {"V_th": [25.0, 30.0, 35.0]}), name="cells")
    net.drive(cells, [4.0, 8.0, 12.0])
    syn = [
        net.connect(cells, cells, ([0, 1], [1, 2]), weight=0.0, delay=2.0, plasticity=rule, receptor=iz.Pulse())
        for rule in (Seen(), Seen(which=1), Seen(tau=7.0), Seen(which=1, tau=7.0))
    ]
    V = low = cells.V[1:].copy()
    u = slow = cells.u[1:].copy()
    share, V_th, arrivals, spikes = 1 - np.exp(-0.5 / 7.0), np.array([30.0, 35.0]), 0, []
    for k in range(300):
        before = V, low
        if k == 150:  # the threshold of one, and then an array of another length in memory
            cells.V_th, V_th = 40.0, np.array([40.0, 40.0])
        net.step()
        spikes.append(cells.spikes.copy())
        V, u = np.where(spikes[-1][1:], V_th, cells.V[1:]), cells.u[1:].copy()
        low, slow = low + share * (V - low), slow + share * (u - slow)
        for one, expected in zip(syn, (V, u, low, slow), strict=True):
            np.testing.assert_allclose(one.weight, expected, rtol=1e-12)
        for i in (0, 1):
            if k >= 4 and spikes[k - 4][i]:
                arrivals += 1
                for one, expected in zip(syn[::2], before, strict=True):
                    assert one.eligibility[i] == pytest.approx(expected[i], rel=1e-12)
    assert arrivals > 3
    assert np.sum(spikes, axis=0).min() > 0


def decay(V, u, I, p):
    return -p.rate * p.ca


def decay_slope(V, p):
    return -p.rate


def influx(u, p):
    return p.ca + 1.0


Calcium = replace(
    iz.Izhikevich, name="Calcium", parameters=iz.Izhikevich.parameters | dict(rate=iz.Quantity(0.05, "1/ms", "decay")),
    states=dict(ca=iz.StateVariable(0.25, "uM", "calcium", decay, decay_slope, influx)),
)  # fmt: skip


@dataclass(frozen=True)
class OfCalcium(Seen):
    """Weights are calcium and its filter."""

    def states(self):
        return [("ca", 0), ("ca", 5.0)]


def test_another_state_of_the_model():
    net = iz.Network(dt=0.5, scheme="exp_euler", seed=1)
    cells = net.add(iz.Population(2, model=Calcium, V=-65.0, u=-13.0, b=[0.2, 0.21]), name="cells")
    net.drive(cells, 10.0)
    now, low = (net.connect(cells, cells, iz.OneToOne(), weight=0.0, plasticity=OfCalcium(which=k)) for k in (0, 1))
    filtered = cells.ca.copy()
    for _ in range(120):
        net.step()
        filtered += (1 - np.exp(-0.5 / 5.0)) * (cells.ca - filtered)
        np.testing.assert_array_equal(now.weight, cells.ca)
        np.testing.assert_allclose(low.weight, filtered, rtol=1e-12)
    assert cells.ca.min() > 0.26


def learning(dtype="float64", threads=1, rule=RULE):
    net = iz.Network(dt=0.5, scheme="euler", seed=4, threads=threads)
    cells = net.add(iz.Population(40, **CELLS | {"V": iz.Uniform(-70.0, -60.0)}, dtype=dtype), name="cells")
    net.connect(cells[:30], cells[5:], iz.FixedOutDegree(8), weight=6.0, delay=iz.Uniform(0.5, 9.0),
                receptor=iz.Exponential(3.0), plasticity=rule, name="syn")  # fmt: skip
    net.drive(cells, iz.Noise(12.0))
    net.record(cells, "spikes", name="spikes")
    return net


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pieces_threads_files_and_reset(dtype, tmp_path):
    whole, net = learning(dtype), learning(dtype, threads=2)
    whole.run(120.0)
    net.run(0.5)
    net.run(40.5)
    for _ in range(20):
        net.step()
    net.save(tmp_path / "net.npz")
    loaded = iz.load(tmp_path / "net.npz")
    for one in (net, loaded):
        one.run(120.0 - one.t)
        np.testing.assert_array_equal(one.synapses["syn"].weight, whole.synapses["syn"].weight)
        found, wanted = (part.recorders["spikes"] for part in (one, whole))
        np.testing.assert_array_equal(found.i, wanted.i)
        np.testing.assert_array_equal(found.step, wanted.step)
    assert np.ptp(whole.synapses["syn"].weight) > 0.5
    end = whole.synapses["syn"].weight.copy()
    whole.reset(weights=True)
    assert set(whole.synapses["syn"].weight) == {6.0}
    whole.run(120.0)
    np.testing.assert_array_equal(whole.synapses["syn"].weight, end)


def test_numbers_of_each_synapse_and_a_short_term_rule_beside_it():
    """With equal numbers for all they are those of a rule with one number."""
    theta, tau = iz.Uniform(-50.0, -50.0), iz.Uniform(14.0, 14.0)
    own = iz.Clopath(iz.Uniform(0.06, 0.06), 3e-3, -68.0, theta, 9.0, 6.0, tau, w_max=20.0)
    nets = [learning(rule=[iz.TsodyksMarkram(0.4, 60.0, 30.0), rule]) for rule in (RULE, own)]
    for net in nets:
        net.run(60.0)
    weights = [net.synapses["syn"].weight for net in nets]
    np.testing.assert_allclose(*weights, rtol=1e-12)
    assert np.ptp(weights[0]) > 0.1


def seeing(**members):
    return dataclass(frozen=True)(type("Own", (Seen,), {"__annotations__": {}, **members}))()


WRONG = [
    (seeing(states=lambda self: "V"), "Own.states() must return a list of states and time constants (ms), as [("),
    (seeing(states=lambda self: [("V", -1.0)]), "Own.states() must be a finite number >= 0 ms, got -1"),
    (seeing(states=lambda self: [("V", 0)] * 5), "Own.states() must return at most four states"),
    (seeing(states=lambda self: [("W", 0)]), "Own.states() must name states of the targets, got 'W'."),
    (seeing(states=lambda self: []), "Own.states() must name what Own.each_step sees of the target"),
    (seeing(arrival=staticmethod(lambda w, e, x, y, p: (w, w, e, x))), "Own.arrival must be a function of (w, e,"),
    (seeing(when=staticmethod(lambda v, p: 1.0)), "Own.when(v, p) must return True or False, got 1.0."),
    (seeing(each_step=staticmethod(lambda w, e, x, y, v, dt, p: w)), "Own.each_step(w, e, x, y, v, dt, p) must"),
    (seeing(on_step=staticmethod(lambda w, e, x, y, v, dt, p: (w, e))), "Own.on_step must be a method that a rule has"),
    (iz.Clopath, "Network.connect.plasticity must be a rule such as STDP()"),
]  # fmt: skip


def test_what_cannot_be_seen():
    net = iz.Network(dt=0.5, scheme="euler")
    cells = net.add(iz.Population(2))
    for rule, message in WRONG:
        with pytest.raises((TypeError, ValueError)) as caught:
            net.connect(cells, cells, iz.OneToOne(), plasticity=rule)
        assert str(caught.value).startswith(message)
    assert net.synapses == {}
    for make, message in (
        (lambda: iz.Clopath(tau_minus=[1.0, 2.0]), "Clopath.tau_minus must be one number for all synapses"),
        (lambda: iz.Clopath(tau_x=0.0), "Clopath.tau_x must be a finite number > 0 ms, got 0.0"),
        (lambda: iz.Clopath(w_min=1.0, w_max=0.0), "Clopath.w_max must be a number >= w_min"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            make()
    exact = iz.Network(scheme="exact")
    cells = exact.add(iz.Population(2))
    with pytest.raises(
        ValueError, match="see no states of its targets with the scheme 'exact', got Clopath, which .* Use"
    ):
        exact.connect(cells, cells, iz.OneToOne(), plasticity=[iz.TsodyksMarkram(), RULE])
    assert exact.synapses == {}
