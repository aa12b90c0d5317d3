"""Plasticity: each rule against its formula summed over pairs of events, and spnet spike for spike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import izhnumba as iz

DATA = Path(__file__).parents[1] / "data"
DT = 0.5
SILENT = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)


def spiking(rule, pre_steps, post_steps, *, delay=3, weight=1.0, steps=None, dtype="float64"):
    """One synapse whose source and target spike in these steps because they are kicked; itself it does nothing."""
    net = iz.Network(dt=DT, scheme="euler", seed=1)
    source, target = (net.add(iz.Population(2, **SILENT, dtype=dtype), name=name) for name in ("source", "target"))
    syn = net.connect(source, target, ([1], [0]), weight=weight, delay=delay * DT, receptor=iz.Pulse(), plasticity=rule)
    for cells, i, spikes in ((source, 1, pre_steps), (target, 0, post_steps)):
        net.drive(cells, iz.SpikeTrain([i] * len(spikes), np.array(spikes) * DT, weight=2000.0))
    weights, recorders = [], [net.record(cells, "spikes") for cells in (source, target)]
    for _ in range(steps or max(*pre_steps, *post_steps, 0) + delay + 2):
        net.step()
        weights.append(float(syn.weight[0]))
    assert [r.step.tolist() for r in recorders] == [list(pre_steps), list(post_steps)]
    return np.array(weights), net, syn


def events(pre, post, delay):
    """(step, kind) in the order of the rules: in one step arrivals come first."""
    return sorted([(k + delay, 0) for k in pre] + [(k, 1) for k in post])


RNG = np.random.default_rng(4)
TRAINS = [
    ([10, 20, 21, 60], [13, 22, 24, 40, 63]),
    (sorted(RNG.choice(300, 40, replace=False).tolist()), sorted(RNG.choice(300, 40, replace=False).tolist())),
]


@pytest.mark.parametrize("trains", TRAINS)
@pytest.mark.parametrize("pairing", ["all", "nearest"])
@pytest.mark.parametrize("dependence", ["additive", "multiplicative"])
def test_pairs(trains, pairing, dependence):
    (pre, post), soft = trains, dependence == "multiplicative"
    rule = iz.STDP(0.03, 0.04, 12.0, 25.0, w_min=0.2, w_max=1.8, pairing=pairing, dependence=dependence)
    weights, *_ = spiking(rule, pre, post)
    w, arrivals, spikes, expected = 1.0, [], [], {}
    for step, kind in events(pre, post, 3):
        past = [step - k for k in (spikes if kind == 0 else arrivals)]
        past = past[-1:] if pairing == "nearest" else past
        if kind == 0:
            w -= 0.04 * (w - 0.2 if soft else 1) * sum(np.exp(-n * DT / 25.0) for n in past)
            arrivals.append(step)
        else:
            w += 0.03 * (1.8 - w if soft else 1) * sum(np.exp(-n * DT / 12.0) for n in past)
            spikes.append(step)
        w = min(max(w, 0.2), 1.8)
        expected[step] = w
    for step, value in expected.items():
        assert weights[step] == pytest.approx(value, rel=1e-12)
    assert weights[-1] == pytest.approx(w, rel=1e-12)


def test_equal_times_potentiate_with_factor_one():
    weights, *_ = spiking(iz.STDP(0.3, 0.4), [10], [13])
    assert weights[-1] == 1.3


@pytest.mark.parametrize("difference", [-40, -7, -1, 0, 1, 7, 40])
def test_the_window_of_one_pair(difference):
    """difference: target spike minus arrival, in steps."""
    weights, *_ = spiking(iz.STDP(0.01, 0.012, 20.0, 30.0), [50], [53 + difference])
    t = difference * DT
    expected = 0.01 * np.exp(-t / 20.0) if t >= 0 else -0.012 * np.exp(t / 30.0)
    assert weights[-1] - 1 == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("trains", TRAINS)
def test_triplets(trains):
    pre, post = trains
    rule = iz.TripletSTDP(5e-3, 6e-3, 7e-3, 2e-3)
    weights, *_ = spiking(rule, pre, post)
    w, arrivals, spikes = 1.0, [], []

    def trace(times, now, tau):
        return sum(np.exp(-(now - k) * DT / tau) for k in times)

    for step, kind in events(pre, post, 3):
        if kind == 0:
            w -= trace(spikes, step, 33.7) * (7e-3 + 2e-3 * trace(arrivals, step, 101.0))
            arrivals.append(step)
        else:
            w += trace(arrivals, step, 16.8) * (5e-3 + 6e-3 * trace(spikes, step, 125.0))
            spikes.append(step)
        w = max(w, 0.0)
    assert weights[-1] == pytest.approx(w, rel=1e-10)


def test_dopamine_turns_eligibility_into_weight():
    rule = iz.DopamineSTDP(A_plus=0.1, A_minus=0.15, tau_e=50.0, tau_d=20.0, baseline=0.0, period=5.0, w_max=10.0)
    pre, post = [10], [15]
    weights, net, syn = spiking(rule, pre, post, steps=40)
    assert set(weights) == {1.0}  # without dopamine nothing changes
    eligibility = 0.1 * np.exp(-2 * DT / 20.0)  # at the spike of step 15
    syn.modulator = 2.0
    w = 1.0
    for step in range(40, 120):
        net.step()
        if (step + 1) * DT % 5.0 == 0:
            dopamine = 2.0 * np.exp(-(step + 1 - 40) * DT / 20.0)
            w += 5.0 * dopamine * eligibility * np.exp(-(step - 15) * DT / 50.0) / 10.0
    assert syn.weight[0] == pytest.approx(w, rel=1e-9)
    assert syn.modulator == pytest.approx(2.0 * np.exp(-80 * DT / 20.0))
    with pytest.raises(AttributeError, match="have no modulator. Connect with DopamineSTDP"):
        spiking(iz.STDP(), [1], [2])[2].modulator = 1.0
    assert syn.eligibility.shape == (1,)
    with pytest.raises(AttributeError, match="have no eligibility. Connect with DopamineSTDP"):
        _ = spiking(iz.STDP(), [1], [2])[2].eligibility


def test_short_term_plasticity_scales_what_arrives():
    net = iz.Network(dt=DT, scheme="euler")
    cells = net.add(iz.Population(2, **SILENT))
    rule = iz.TsodyksMarkram(U=0.3, tau_rec=100.0, tau_facil=40.0)
    net.connect(cells[:1], cells[1:], iz.OneToOne(), weight=2.0, receptor=iz.Exponential(0.01), plasticity=rule)
    steps = [5, 15, 20, 60, 200]
    net.drive(cells, iz.SpikeTrain([0] * 5, np.array(steps) * DT, weight=2000.0))
    current = []
    for _ in range(220):
        net.step()
        current.append(float(cells._engine.arrivals.receptors[0].y[1]))
    u, left, before, expected = 0.0, 1.0, None, []
    for step in steps:
        if before is not None:
            gone = (step - before) * DT
            u *= np.exp(-gone / 40.0)
            left = 1 - (1 - left) * np.exp(-gone / 100.0)
        u += 0.3 * (1 - u)
        expected.append(2.0 * u * left)
        left, before = left - u * left, step
    np.testing.assert_allclose(np.array(current)[[k + 1 for k in steps]], expected, rtol=1e-12)


def test_scaling_leads_to_the_target_rate():
    net = iz.Network(dt=DT, seed=3)
    source, target = net.add(iz.Population(200, **iz.presets["RS"])), net.add(iz.Population(20, **iz.presets["RS"]))
    net.drive(source, iz.Noise(std=25.0))
    rule = iz.Scaling(target=15.0, eta=0.2, tau=1000.0, w_max=50.0)
    syn = net.connect(source, target, iz.AllToAll(), weight=0.05, receptor=iz.Exponential(5.0), plasticity=rule)
    net.run(15_000.0)
    spikes = net.record(target, "spikes")
    net.run(4000.0)
    assert len(spikes) / 20 / 4.0 == pytest.approx(15.0, rel=0.25)
    assert syn.weight.mean() > 0.06


@dataclass(frozen=True)
class Counting(iz.Plasticity):
    """A rule of a user: the weight grows by `gain` at each arrival."""

    gain: float = 0.25

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w + p.gain, e, x


def test_a_rule_of_the_users_own():
    weights, *_ = spiking(Counting(), [3, 5, 9], [])
    assert weights[-1] == 1.75


def test_the_polychronization_network():
    judge = json.loads((DATA / "polychronization_spnet_first1s.json").read_text())
    pre, column = np.divmod(np.arange(100_000), 100)
    excitatory = np.arange(1000) < 800
    net = iz.Network(dt=1.0, scheme="izhikevich2003")
    cells = net.add(
        iz.Population(1000, a=np.where(excitatory, 0.02, 0.1), b=0.2, c=-65.0, d=np.where(excitatory, 8.0, 2.0),
                      V=judge["v_init"], u=judge["u_init"])
    )  # fmt: skip
    net.connect(
        cells, cells, (pre, np.ravel(judge["post"])), weight=np.where(pre < 800, 6.0, -5.0), receptor=iz.Pulse(),
        delay=np.where(pre < 800, 1.0 + column // 5, 1.0), plasticity=iz.STDP2006(),
    )  # fmt: skip
    net.drive(cells, iz.SpikeTrain(judge["stim_neuron_per_ms"], np.arange(1000.0), weight=20.0, receptor=iz.Pulse()))
    spikes = net.record(cells, "spikes")
    net.run(1000.0)
    recorded = judge["spikes_first_1s"]
    order = np.lexsort((recorded["neuron"], recorded["t_ms"]))
    early = spikes.step + 1 < 1000
    np.testing.assert_array_equal(spikes.step[early] + 1, np.array(recorded["t_ms"])[order])
    np.testing.assert_array_equal(spikes.i[early], np.array(recorded["neuron"])[order])


def learning():
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=2)
    rs = {k: v for k, v in iz.presets["RS"].items() if k != "model"}
    cells = net.add(iz.Population(200, **rs | {"a": np.full(200, 0.02), "d": np.full(200, 8.0)}))
    syn = net.connect(cells, cells, iz.FixedOutDegree(20), weight=6.0, delay=iz.Uniform(1.0, 20.0),
                      receptor=iz.Pulse(), plasticity=iz.STDP(0.1, 0.12, w_max=10.0))  # fmt: skip
    net.drive(cells, iz.Noise(std=8.0))
    return net, syn


def test_pieces_and_reset():
    net, syn = learning()
    net.run(400.0)
    whole = syn.weight.copy()
    assert np.ptp(whole) > 1
    net.reset(weights=True)
    assert set(syn.weight) == {6.0}
    for T in (1.0, 7.0, 92.0, 300.0):
        net.run(T)
    np.testing.assert_array_equal(syn.weight, whole)
    net.reset()
    np.testing.assert_array_equal(syn.weight, whole)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: iz.STDP(tau_plus=0.0), "STDP.tau_plus must be a finite number > 0 ms, got 0.0"),
        (lambda: iz.STDP(w_min=1.0, w_max=0.5), "STDP.w_max must be a number >= w_min .1., got 0.5"),
        (lambda: iz.STDP(pairing="some"), "STDP.pairing must be a known name, got 'some'"),
        (lambda: iz.DopamineSTDP(pairing="some"), "DopamineSTDP.pairing must be a known name, got 'some'"),
        (lambda: iz.STDP(dependence="multiplicative"), "STDP.w_max must be finite if dependence is 'multiplicative'"),
        (lambda: iz.TsodyksMarkram(U=1.5), "TsodyksMarkram.U must be a finite number"),
        (lambda: iz.Scaling(target=0.0), "Scaling.target must be a finite number > 0, got 0.0"),
        (
            lambda: spiking("STDP", [1], [2]),
            r"Network.connect.plasticity must be a rule such as STDP\(\).*, got 'STDP'",
        ),
        (lambda: spiking(iz.STDP2006(period=0.7), [1], [2]), "STDP2006.period must be a whole number of steps"),
    ],
)
def test_bad_rules(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@dataclass(frozen=True)
class Adding(iz.Plasticity):
    """e counts arrivals, each target spike adds e to the weight; there are no traces and no updates."""

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w, e + 1, x

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w + e, e


def test_a_rule_without_traces_keeps_e():
    weights, _, syn = spiking(Adding(), [2, 12, 22], [8, 18, 28], weight=0.0)
    assert weights[-1] == 1 + 2 + 3
    assert syn.eligibility[0] == 3


@dataclass(frozen=True)
class Chosen(iz.Plasticity):
    """Its settings are fields: each object has its own."""

    nearest: bool = False
    keeps_e: bool = True
    latest_first: bool = False

    def taus(self):
        return [20.0], []

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w, e, (x[0] + 1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w + x[0], e


def test_settings_may_be_fields():
    for nearest in (False, True):
        rule = Chosen(nearest=nearest, keeps_e=not nearest)
        weights, _, syn = spiking(rule, [2, 6], [9], weight=0.0)
        expected = sum(np.exp(-(9 - 3 - k) * DT / 20.0) for k in ((6,) if nearest else (2, 6)))
        assert weights[-1] == pytest.approx(expected, rel=1e-12)
        assert syn._plastic.memory.dtype.names == (("arrival",) if nearest else ("arrival", "x1", "e"))


class Broken(Adding):
    @staticmethod
    def target_spike(w, e, x, y, p):
        return w


class Unknown(Adding):
    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w * p.share, e, x


class Uncompilable(Adding):
    @staticmethod
    def arrival(w, e, x, y, p):
        return w, sorted([w], key=str)[0], e, x


class Listing(Adding):
    @staticmethod
    def arrival(w, e, x, y, p):
        both = [w, e]
        return both[0], both[0], both[1], x


class FiveTraces(Adding):
    def traces(self, dt):
        return [np.ones(2)] * 5, []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Broken(), r"Broken.target_spike\(w, e, x, y, p\) must return \(w, e\), got"),
        (Unknown(), r"Unknown.arrival\(w, e, x, y, p\) must return \(amount, w, e, x\), .*, got AttributeError.*share"),
        (
            Uncompilable(),
            "Uncompilable must be a rule that Numba can compile: .*. Its functions compute with numbers, by math",
        ),
        (
            Listing(),
            "Listing must be a rule that Numba can compile: it makes a list or an array .line .* of .*. Its functions",
        ),
        (FiveTraces(), r"FiveTraces.traces\(dt\) must return at most four traces of each kind, got 5 and 0"),
        (iz.Scaling(target=5.0, tau=1e9), "Scaling.tau must be at most .* got 1e\\+09 ms"),
    ],
)
def test_rules_are_checked_when_they_are_connected(rule, message):
    net = iz.Network(dt=DT)
    cells = net.add(iz.Population(2, **SILENT))
    with pytest.raises((TypeError, ValueError), match=message):
        net.connect(cells, cells, iz.OneToOne(), plasticity=rule)
    assert net.synapses == {}
    net.run(5.0)


def test_first_weights_are_those_that_were_given():
    net = iz.Network(dt=DT, seed=1)
    cells = net.add(iz.Population(20, **SILENT))
    mine = np.linspace(1, 2, 20)
    draws = iter(range(10))
    for weight in (mine, 3.0, iz.Uniform(0, 1), lambda rng, size: np.full(size, float(next(draws)))):
        syn = net.connect(cells, cells, iz.OneToOne(), weight=weight, plasticity=iz.STDP())
        first = syn.weight.copy()
        mine[:] = 7.0
        syn.weight = 0.5
        net.reset(weights=True)
        np.testing.assert_array_equal(syn.weight, first)
