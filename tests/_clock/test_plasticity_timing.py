"""When weights change: networks against a twin that sums over lists of events, and published programs step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from oracle import Oracle, Quadratic
from plastic_oracle import Dopamine, Homeostasis, Pairs, PlasticOracle, Prediction, ShortTerm, Voltage

import izhnumba as iz

CELL = dict(a=0.02, b=0.2, c=-65.0, d=8.0)


@dataclass(frozen=True)
class Predicting(iz.Plasticity):
    """After R. Urbanczik and W. Senn 2014, for a point neuron: weights follow the difference of the target's spikes and
    the rate, per ms, that a filter of its V predicts. There is no dendrite here."""

    eta: float
    rate: float
    tau_x: float
    tau_V: float
    w_max: float
    keeps_e: ClassVar[bool] = False

    def states(self):
        return [("V", self.tau_V)]

    def taus(self):
        return [self.tau_x], []

    @staticmethod
    def arrival(w, e, x, y, v, p):
        return w, w, e, (x[0] + 1,)

    @staticmethod
    def target_spike(w, e, x, y, v, p):
        return min(w + p.eta * x[0], p.w_max), e

    @staticmethod
    def each_step(w, e, x, y, v, dt, p):
        rate = p.rate / (1 + math.exp(-(v[0] + 55) / 5))
        return max(w - dt * p.eta * rate * x[0], 0.0), e


REWARDED = dict(tau_e=30.0, tau_d=20.0, baseline=0.1, period=7.0)
RULES = {
    "pairs": (iz.STDP(0.6, 0.5, 15.0, 25.0, w_max=9.0), lambda: Pairs(0.6, 0.5, 15.0, 25.0, 9.0)),
    "dopamine": (
        iz.DopamineSTDP(0.6, 0.5, 15.0, 25.0, w_max=9.0, **REWARDED),
        lambda: Dopamine(0.6, 0.5, 15.0, 25.0, 9.0, **REWARDED),
    ),
    "dopamine nearest": (
        iz.DopamineSTDP(0.6, 0.5, 15.0, 25.0, w_max=9.0, **REWARDED, pairing="nearest"),
        lambda: Dopamine(0.6, 0.5, 15.0, 25.0, 9.0, **REWARDED, nearest=True),
    ),
    "short-term and pairs": (
        [iz.TsodyksMarkram(0.4, 60.0, 30.0), iz.STDP(0.6, 0.5, 15.0, 25.0, w_max=20.0)],
        lambda: ShortTerm(Pairs(0.6, 0.5, 15.0, 25.0, 20.0), 0.4, 60.0, 30.0),
    ),
    "short-term and dopamine": (
        [iz.DopamineSTDP(0.6, 0.5, 15.0, 25.0, w_max=20.0, **REWARDED), iz.TsodyksMarkram(0.4, 60.0, 30.0)],
        lambda: ShortTerm(Dopamine(0.6, 0.5, 15.0, 25.0, 20.0, **REWARDED), 0.4, 60.0, 30.0),
    ),
    "voltage": (
        iz.Clopath(6e-2, 3e-3, -68.0, -50.0, 9.0, 6.0, 14.0, w_max=9.0),
        lambda: Voltage(6e-2, 3e-3, -68.0, -50.0, 9.0, 6.0, 14.0, 9.0),
    ),
    "short-term and voltage": (
        [iz.TsodyksMarkram(0.4, 60.0, 30.0), iz.Clopath(6e-2, 3e-3, -68.0, -50.0, 9.0, 6.0, 14.0, w_max=20.0)],
        lambda: ShortTerm(Voltage(6e-2, 3e-3, -68.0, -50.0, 9.0, 6.0, 14.0, 20.0), 0.4, 60.0, 30.0),
    ),
    "prediction": (Predicting(0.3, 0.2, 12.0, 7.0, 9.0), lambda: Prediction(0.3, 0.2, 12.0, 7.0, 9.0)),
    "scaling": (
        iz.Scaling(target=40.0, eta=0.3, tau=50.0, w_max=9.0, period=3.0),
        lambda: Homeostasis(40.0, 0.3, 50.0, 3.0, 9.0),
    ),
}
REWARDING = ("dopamine", "dopamine nearest", "short-term and dopamine")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(6))
def test_random_networks(rule, seed):
    """Spikes, the weights after each step as they are and as they are recorded, and eligibilities."""
    rng, (ours, theirs) = np.random.default_rng(seed), RULES[rule]
    n, dt, steps = 10, (1.0, 0.5)[seed % 2], 160
    theirs = theirs()
    learns = getattr(theirs, "rule", theirs)
    current = rng.uniform(0.0, 18.0, (steps, n))
    wired = []
    for low, high, size in ((-8.0, 8.0, 15), (1.0, 8.0, 40)):
        pre, post, delay = rng.integers(n, size=size), rng.integers(n, size=size), rng.integers(1, 12, size)
        order = np.lexsort((post, delay, pre))
        wired.append((pre[order], post[order], rng.uniform(low, high, size), delay[order]))
    net = iz.Network(dt=dt, scheme="izhikevich2003", seed=1)
    cells = net.add(iz.Population(n, **CELL | {"a": [0.02] * n, "d": [8.0] * n}, V=-65.0, u=-13.0))
    rows = iz.TimedArray(current, dt=dt)
    net.drive(cells, rows)
    made = [
        net.connect(cells, cells, (pre, post), weight=w, delay=delay * dt, receptor=iz.Pulse(), plasticity=plasticity)
        for (pre, post, w, delay), plasticity in zip(wired, (None, ours), strict=True)
    ]
    syn, spikes, record = made[1], net.record(cells), net.record(made[1], "weight")
    static, plastic = (list(zip(*row, strict=True)) for row in wired)
    twin = PlasticOracle(
        Oracle(n, Quadratic(**CELL), "izhikevich2003", dt, -65.0, -13.0), static, plastic, theirs, dt, current
    )
    expected, weights = [], []
    for k in range(steps):
        if rule in REWARDING and k in (40, 41, 97):
            syn.modulator += 0.7
            learns.rewards.append((k, 0.7))
        if k == 60:  # between steps: the next arrival finds it
            syn.weight[:5] *= 0.5
            for one in twin.plastic[:5]:
                one.w *= 0.5
        net.step()
        expected += [(k, i) for i in twin.step()]
        weights.append([one.w for one in twin.plastic])
        np.testing.assert_allclose(syn.weight, weights[-1], rtol=1e-9, atol=1e-12, err_msg=f"after step {k}")
    assert list(zip(spikes.step.tolist(), spikes.i.tolist(), strict=True)) == expected
    assert len(expected) > 20
    np.testing.assert_allclose(record.weight, weights, rtol=1e-9, atol=1e-12)
    assert np.abs(np.diff(weights, axis=0)).max() > 0.1
    if rule in REWARDING:
        e = [learns.eligibility(one, steps - 1, dt) for one in twin.plastic]
        np.testing.assert_allclose(syn.eligibility, e, rtol=1e-9, atol=1e-13)
        assert syn.modulator == pytest.approx(learns.dopamine(steps - 1, dt), rel=1e-12)


def pair(rule, pre, post, *, delay=5, dt=1.0, weight=1.0, receptor=None):
    """One synapse that does next to nothing between cells that are kicked in these steps, with a weight recorder."""
    net = iz.Network(dt=dt, scheme="euler", seed=1)
    still = CELL | dict(V=-70.0, u=-14.0, d=0.0)
    source, target = (net.add(iz.Population(1, **still), name=name) for name in ("source", "target"))
    syn = net.connect(source, target, ([0], [0]), weight=weight, delay=delay * dt, plasticity=rule,
                      receptor=receptor or iz.Pulse())  # fmt: skip
    for cells, steps in ((source, pre), (target, post)):
        net.drive(cells, iz.SpikeTrain([0] * len(steps), np.array(steps) * dt, weight=2000.0 / dt))
    return net, syn, net.record(syn, "weight")


def test_a_weight_changes_in_the_step_of_its_arrival():
    """Spike of step 5, delay 5: V jumps in step 10, and so does the weight, and its record."""
    net, syn, record = pair(iz.STDP(A_minus=0.3, tau_minus=20.0), [5], [2], receptor=iz.Delta())
    V = net.record(net.populations["target"], "V")
    net.run(14.0)
    assert (np.flatnonzero(np.diff(record.weight[:, 0])) + 1).tolist() == [10]
    assert np.argmax(np.diff(V.V[3:, 0])) + 4 == 10
    assert syn.weight[0] == pytest.approx(1.0 - 0.3 * np.exp(-8 / 20.0), rel=1e-12)


@pytest.mark.parametrize("scheme", ["euler", "exact"])
def test_a_weight_written_in_time_is_delivered(scheme):
    """A plastic synapse delivers the weight of the arrival, a static one that of the spike."""
    found = {}
    for rule in (None, iz.STDP()):
        net = iz.Network(dt=1.0, scheme=scheme, seed=1)
        source, target = (net.add(iz.Population(1, **CELL, V=-70.0, u=-14.0), name=name) for name in ("s", "t"))
        syn = net.connect(source, target, ([0], [0]), weight=1.0, delay=5.0, plasticity=rule)
        net.drive(source, iz.SpikeTrain([0], [5.0], weight=2000.0))
        quiet = target.V[0]
        net.run(10.0 if scheme != "exact" else 9.999)
        assert abs(target.V[0] - quiet) < 1e-6
        syn.weight[0] = 3.0
        net.run(1.0 if scheme != "exact" else 0.0011)
        found[rule is not None] = target.V[0] - quiet
    assert found[True] == pytest.approx(3.0, abs=0.02)
    assert found[False] == pytest.approx(1.0, abs=0.02)


def test_dopamine_decays_between_updates():
    """With tau_e = 10 and period = 100 next to nothing is left of a pair at the update."""
    rule = iz.DopamineSTDP(A_plus=0.1, tau_e=10.0, baseline=1.0, period=100.0)
    net, syn, _ = pair(rule, [5], [11])
    net.run(99.0)
    assert syn.weight[0] == 1.0
    left = 0.1 * np.exp(-1 / 20.0) * np.exp(-(99 - 11) / 10.0)  # the spike of step 11 is at 12 ms
    np.testing.assert_allclose(syn.eligibility, left * np.exp(1 / 10.0), rtol=1e-12)
    net.run(1.0)
    np.testing.assert_allclose(syn.eligibility, left, rtol=1e-12)
    assert syn.weight[0] == pytest.approx(1.0 + left * 10.0, rel=1e-12)
    with pytest.raises(ValueError, match="Synapses.eligibility must be set as a whole, got some values. Use syn"):
        syn.eligibility[0] = 1.0
    syn.eligibility = 0.25
    net.run(30.0)
    np.testing.assert_allclose(syn.eligibility, 0.25 * np.exp(-3.0), rtol=1e-12)


@pytest.mark.parametrize("scheme", ["euler", "exact"])
def test_what_dopamine_learns_does_not_depend_on_the_period(scheme):
    learned = []
    for period in (1.0, 2.0, 5.0, 10.0):
        net = iz.Network(dt=1.0, scheme=scheme, seed=1)
        cells = net.add(iz.Population(2, a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0))
        rule = iz.DopamineSTDP(tau_e=200.0, tau_d=200.0, period=period, w_max=100.0)
        syn = net.connect(cells, cells, ([0], [1]), weight=1.0, receptor=iz.Exponential(0.01), plasticity=rule)
        times = np.arange(10.0, 2000.0, 37.0)
        net.drive(cells, iz.SpikeTrain([0] * times.size, times, weight=2000.0))
        net.drive(cells, iz.SpikeTrain([1] * times.size, times + 7.0, weight=2000.0))
        for _ in range(4):
            syn.modulator += 0.5
            net.run(600.0)
        learned.append(syn.weight[0] - 1.0)
    assert learned[0] > 1.0
    np.testing.assert_allclose(learned, learned[0], rtol=0.02)


def test_the_period_of_an_eligibility_that_fades():
    with pytest.raises(ValueError, match=r"DopamineSTDP.period must be > 0 and at most 40 time constants of the elig"):
        pair(iz.DopamineSTDP(tau_e=1.0, period=41.0), [1], [2])
    with pytest.raises(ValueError, match="DopamineSTDP.period must be >= 1 ms, got 0.0001"):
        pair(iz.DopamineSTDP(period=1e-4), [1], [2])


def test_scaling_counts_the_spike_of_its_own_step():
    """A spike of step 9 is at 10 ms, an update's time: the rate is 1000 / tau Hz for it, not less."""
    rule = iz.Scaling(target=5.0, eta=0.1, tau=200.0, period=10.0)
    net, syn, _ = pair(rule, [], [9])
    net.run(10.0)
    assert syn.weight[0] == pytest.approx(1.0 * (1 + 0.1 * (1 - 5.0 / 5.0)), rel=1e-12)
    net.run(10.0)
    rate = 5.0 * np.exp(-10.0 / 200.0)
    assert syn.weight[0] == pytest.approx(1 + 0.1 * (1 - rate / 5.0), rel=1e-12)


@dataclass(frozen=True)
class Daspnet(iz.Plasticity):
    """The program of 2007, with its traces of 0.1 and 0.15, decays of 0.95 and 0.995 a ms, and 0.99 an update."""

    period: float = 10.0
    modulator_tau: float = -1.0 / np.log(0.995)
    nearest: ClassVar[bool] = True
    latest_first: ClassVar[bool] = True
    update_first: ClassVar[bool] = True

    def traces(self, dt):
        decay = np.multiply.accumulate(np.append(0.1, np.full(800, 0.95)))
        return [decay], [1.5 * np.append(0.1, decay)]

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w, e - y[0], (1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w, e + x[0]

    @staticmethod
    def after_spike(y, p):
        return (1,)

    @staticmethod
    def update(w, e, y, m, p):
        return min(max(w + (0.002 + m) * e, 0.0), 4.0), e * 0.99


def daspnet(n_exc, n_inh, m, D, T, rewards, rng):
    """The program's loop with matrices of delays: (spikes, weights, where synapses lead, delays, currents)."""
    n = n_exc + n_inh
    post = np.array([rng.permutation(n if i < n_exc else n_exc)[:m] for i in range(n)])
    delay = np.where(np.arange(n)[:, None] < n_exc, np.arange(m) * D // m, 0)  # 0: in the loop in which it is found
    s, sd = np.where(np.arange(n)[:, None] < n_exc, np.ones((n, m)), -1.0), np.zeros((n, m))
    a, d = np.repeat([0.02, 0.1], [n_exc, n_inh]), np.repeat([8.0, 2.0], [n_exc, n_inh])
    v, u = np.full(n, -65.0), np.full(n, -13.0)
    stdp, dopamine = np.zeros((n, T + 2 * D + 2)), 0.0
    currents, firings, spikes = rng.integers(-32, 33, (T, n)) / 4.0, [], []
    for t in range(T):
        current = np.zeros(n)
        fired = np.flatnonzero(v >= 30)
        v[fired], u[fired] = -65.0, u[fired] + d[fired]
        stdp[fired, t + D] = 0.1
        for k in fired:
            for i, j in zip(*np.nonzero(post[:n_exc] == k), strict=True):
                sd[i, j] += stdp[i, t + D - delay[i, j] - 1]
        firings += [(t, k) for k in fired]
        spikes += [(t - 1, int(k)) for k in fired]
        for when, i in reversed(firings):
            if when <= t - D:
                break
            for j in np.flatnonzero(delay[i] == t - when):
                current[post[i, j]] += s[i, j]
                sd[i, j] -= 1.5 * stdp[post[i, j], t + D]
        current = current + currents[t]
        for _ in range(2):
            v = v + 0.5 * ((0.04 * v + 5) * v + 140 - u + current)
        u = u + a * (0.2 * v - u)
        stdp[:, t + D + 1] = 0.95 * stdp[:, t + D]
        dopamine *= 0.995
        if (t + 1) % 10 == 0:
            s[:n_exc] = np.clip(s[:n_exc] + (0.002 + dopamine) * sd[:n_exc], 0.0, 4.0)
            sd *= 0.99
        dopamine += rewards.get(t + 1, 0.0)
    return spikes, s, post, delay, currents


def test_the_program_of_2007():
    """7200 weights, learned and rewarded, of a receptor with a rule of one's own."""
    n_exc, m, D, T, rewards = 90, 80, 20, 700, {130: 0.5, 333: 0.5, 334: 0.5}
    spikes, s, post, delay, currents = daspnet(n_exc, 10, m, D, T, rewards, np.random.default_rng(11))
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=1)
    a, d = np.repeat([0.02, 0.1], [n_exc, 10]), np.repeat([8.0, 2.0], [n_exc, 10])
    cells = net.add(iz.Population(100, a=a, b=0.2, c=-65.0, d=d, V=-65.0, u=-13.0))
    pre = np.repeat(np.arange(100), m).reshape(100, m)
    for part, rule in ((slice(n_exc, None), None), (slice(n_exc), Daspnet())):
        pairs = np.ravel(pre[part]), np.ravel(post[part])
        syn = net.connect(cells, cells, pairs, weight=np.where(pairs[0] < n_exc, 1.0, -1.0), receptor=iz.Pulse(),
                          delay=1.0 + np.ravel(delay[part]), plasticity=rule)  # fmt: skip
    net.drive(cells, iz.TimedArray(currents, dt=1.0))
    found = net.record(cells)
    for until in (*rewards, T):
        net.run(until - net.t)
        syn.modulator += rewards.get(until, 0.0)
    mine = [(k, i) for k, i in zip(found.step.tolist(), found.i.tolist(), strict=True) if k < T - 1]
    assert len(mine) > 300
    assert mine == spikes
    order = np.lexsort((np.ravel(post[:n_exc]), np.ravel(delay[:n_exc]), np.ravel(pre[:n_exc])))
    assert len(syn) == 7200
    np.testing.assert_allclose(syn.weight, np.ravel(s[:n_exc])[order], rtol=0, atol=1e-12)
    assert np.ptp(syn.weight) > 0.5


@pytest.mark.parametrize("scheme", ["euler", "exact"])
def test_an_eligibility_that_is_set_before_the_first_run_of_late_synapses(scheme, tmp_path):
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(2, **CELL, V=-70.0, u=-14.0), name="cells")
    net.run(1003.0)
    rule = iz.DopamineSTDP(tau_e=5.0, baseline=0.0, w_max=100.0)
    syn = net.connect(cells, cells, iz.OneToOne(), weight=1.0, plasticity=rule, name="syn")
    syn.eligibility, syn.modulator = 2.5, 1.0
    net.save(tmp_path / "net.npz")
    for one in (net, iz.load(tmp_path / "net.npz")):
        syn = one.synapses["syn"]
        np.testing.assert_allclose(syn.eligibility, 2.5, rtol=1e-12)
        one.run(4.0)
        np.testing.assert_allclose(syn.eligibility, 2.5 * np.exp(-4 / 5.0), rtol=1e-9)
        one.run(4.0)  # the update at 1010 ms
        np.testing.assert_allclose(syn.weight, 1 + 2.5 * np.exp(-7 / 5.0 - 7 / 200.0), rtol=1e-9)
